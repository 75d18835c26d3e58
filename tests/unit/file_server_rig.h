/* SPDX-License-Identifier: MPL-2.0 */
/*
 * For tests of a guest's file server, on a folder of the host or in memory: what both have to do.
 * The folder has the file `file` ("hello", 0644) and in `sub` (0755) the file `deep`.
 */
#ifndef RVKIT_TESTS_UNIT_FILE_SERVER_RIG_H
#define RVKIT_TESTS_UNIT_FILE_SERVER_RIG_H

#include "devices/file_server.h"

#include "tap.h"
#include "util.h"

static file_server_t fs;
#define OPS fs.ops
#define S fs.opaque

static inline uint64_t look(uint64_t dir, const char *name)
{
    fs_attr_t attr = {.node = 0};
    CHECK_EQ(0, OPS->lookup(S, dir, name, &attr));
    return attr.node;
}

static inline uint64_t open_file(const char *name, uint32_t flags)
{
    uint64_t handle = 0, node = look(FS_ROOT, name);
    CHECK_EQ(0, OPS->open(S, node, flags, &handle));
    OPS->forget(S, node, 1);
    return handle;
}

static inline int lock(uint64_t handle, uint32_t type, uint64_t start, uint64_t end)
{
    const fs_lock_t l = {start, end, type, 42};
    return OPS->setlk(S, handle, &l);
}

/* A node lives as long as somebody has it; the folder itself for ever. */
static inline void check_lookups(void)
{
    fs_attr_t attr, again;
    CHECK_EQ(0, OPS->lookup(S, FS_ROOT, "file", &attr));
    CHECK_EQ(FS_S_IFREG | 0644, attr.mode);
    CHECK_EQ(5, attr.size);
    CHECK_EQ(0, attr.uid);
    CHECK_EQ(0, attr.gid);
    CHECK_EQ(0, OPS->lookup(S, FS_ROOT, "file", &again));
    CHECK_EQ(attr.node, again.node);
    OPS->forget(S, attr.node, 1);
    CHECK_EQ(0, OPS->getattr(S, attr.node, 0, &again));
    CHECK_EQ(attr.node, again.node);
    OPS->forget(S, attr.node, 1);
    CHECK_EQ(-FS_ESTALE, OPS->getattr(S, attr.node, 0, &again));
    OPS->forget(S, FS_ROOT, UINT64_MAX);
    CHECK_EQ(0, OPS->getattr(S, FS_ROOT, 0, &again));
    uint64_t sub = look(FS_ROOT, "sub"), deep = look(sub, "deep");
    OPS->forget(S, sub, 1);
    CHECK_EQ(0, OPS->parent(S, deep, &attr));
    CHECK_EQ(FS_S_IFDIR | 0755, attr.mode);
    CHECK_EQ(0, OPS->parent(S, FS_ROOT, &attr));
    CHECK_EQ(FS_ROOT, attr.node);
    CHECK_EQ(-FS_ENOENT, OPS->lookup(S, FS_ROOT, "none", &attr));
    CHECK_EQ(-FS_ENOTDIR, OPS->lookup(S, deep, "x", &attr));
}

/* Each call that takes a name gives `want`. */
static inline void refuse_name(const char *name, int want)
{
    fs_attr_t attr;
    uint64_t handle, file = look(FS_ROOT, "file");
    CHECK_EQ(want, OPS->lookup(S, FS_ROOT, name, &attr));
    CHECK_EQ(want, OPS->mkdir(S, FS_ROOT, name, 0755, &attr));
    CHECK_EQ(want, OPS->mknod(S, FS_ROOT, name, FS_S_IFREG | 0644, &attr));
    CHECK_EQ(want, OPS->symlink(S, FS_ROOT, name, "x", &attr));
    CHECK_EQ(want, OPS->link(S, file, FS_ROOT, name, &attr));
    CHECK_EQ(want, OPS->unlink(S, FS_ROOT, name, false));
    CHECK_EQ(want, OPS->unlink(S, FS_ROOT, name, true));
    CHECK_EQ(want, OPS->rename(S, FS_ROOT, name, FS_ROOT, "x", 0));
    CHECK_EQ(want, OPS->rename(S, FS_ROOT, "file", FS_ROOT, name, 0));
    CHECK_EQ(want, OPS->create(S, FS_ROOT, name, FS_O_RDWR, 0644, &attr, &handle));
}

/* Names that must not be names; a name of FS_NAME_MAX bytes, which `longest` has afterwards, is
 * one. */
static inline void check_names(char longest[300])
{
    static const char *const names[] = {"",          ".",
                                        "..",        "../secret",
                                        "/",         "/etc",
                                        "sub/deep",  "sub/../../secret",
                                        "..//",      "./file",
                                        "up/secret", "abs/secret",
                                        "file/",     "/proc/self/root",
                                        "a/",        "/file"};
    fs_attr_t attr;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        refuse_name(names[i], -FS_EINVAL);
    }
    memset(longest, 'a', 299);
    longest[299] = 0;
    refuse_name(longest, -FS_ENAMETOOLONG);
    longest[FS_NAME_MAX] = 0;
    CHECK_EQ(0, OPS->mkdir(S, FS_ROOT, longest, 0700, &attr));
    CHECK_EQ(0, OPS->mkdir(S, FS_ROOT, "...", 0700, &attr));
}

/* Of two handles of `file`, a for writing; a is closed afterwards. */
static inline void check_locks(uint64_t a, uint64_t b)
{
    CHECK_EQ(0, lock(a, FS_LOCK_WRITE, 10, 19));
    CHECK_EQ(-FS_EAGAIN, lock(b, FS_LOCK_READ, 19, UINT64_MAX));
    CHECK_EQ(0, lock(b, FS_LOCK_READ, 20, UINT64_MAX));
    fs_lock_t look_at = {0, INT64_MAX, FS_LOCK_WRITE, 7};
    CHECK_EQ(0, OPS->getlk(S, b, &look_at));
    CHECK_EQ(FS_LOCK_WRITE, look_at.type);
    CHECK_EQ(10, look_at.start);
    CHECK_EQ(19, look_at.end);
    look_at = (fs_lock_t){0, 9, FS_LOCK_WRITE, 7};
    CHECK_EQ(0, OPS->getlk(S, b, &look_at));
    CHECK_EQ(FS_LOCK_NONE, look_at.type);
    CHECK_EQ(0, OPS->close(S, a));
    CHECK_EQ(0, lock(b, FS_LOCK_READ, 0, 100));
    CHECK_EQ(-FS_EINVAL, lock(b, 3, 0, 1));
    CHECK_EQ(-FS_EINVAL, lock(b, FS_LOCK_READ, 5, 4));
    CHECK_EQ(-FS_EINVAL, lock(b, FS_LOCK_READ, UINT64_MAX, UINT64_MAX));
    CHECK_EQ(-FS_EBADF, lock(a, FS_LOCK_READ, 0, 1));
}

/* Each second byte, as many as one handle may have; what lies between and across, and all at once.
 */
static inline void check_many_locks(uint64_t a, uint64_t b)
{
    for (unsigned i = 0; i < 256; i++) {
        CHECK_EQ(0, lock(a, FS_LOCK_WRITE, 4 * i, 4 * i + 2));
    }
    CHECK_EQ(-FS_ENOLCK, lock(a, FS_LOCK_WRITE, 2000, 2000));
    CHECK_EQ(-FS_ENOLCK, lock(a, FS_LOCK_NONE, 5, 5));
    CHECK_EQ(-FS_EAGAIN, lock(b, FS_LOCK_READ, 5, 5));
    CHECK_EQ(0, lock(a, FS_LOCK_NONE, 0, 3));
    CHECK_EQ(0, lock(a, FS_LOCK_NONE, 5, 5)); /* now there is room for two parts */
    CHECK_EQ(0, lock(b, FS_LOCK_READ, 5, 5));
    CHECK_EQ(-FS_EAGAIN, lock(b, FS_LOCK_READ, 6, 6));
    CHECK_EQ(0, lock(a, FS_LOCK_READ, 6, UINT64_MAX));
    CHECK_EQ(0, lock(b, FS_LOCK_READ, 6, 9));
    CHECK_EQ(0, lock(a, FS_LOCK_NONE, 0, UINT64_MAX));
    CHECK_EQ(0, lock(b, FS_LOCK_WRITE, 0, UINT64_MAX));
}

#endif
