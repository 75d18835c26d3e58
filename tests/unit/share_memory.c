/* SPDX-License-Identifier: MPL-2.0 */
/* The folder in memory as a guest has it. */
#include "share_memory_rig.h"

TEST(looks_up)
{
    fs_attr_t attr;
    up(MB);
    check_lookups();
    CHECK_EQ(0, OPS->lookup(S, FS_ROOT, "file", &attr));
    CHECK_EQ(1, attr.nlink);
    CHECK(attr.blocks >= 1 && attr.mtime.sec > 1600000000);
    OPS->forget(S, attr.node, 1);
    CHECK_EQ(-FS_ESTALE, OPS->retain(S, attr.node));
    CHECK(look(FS_ROOT, "file") != attr.node);
    CHECK_EQ(0, OPS->parent(S, look(look(FS_ROOT, "sub"), "deep"), &attr));
    CHECK_EQ(0, OPS->parent(S, attr.node, &attr));
    CHECK_EQ(FS_ROOT, attr.node);
    CHECK_EQ(3, attr.nlink);
    CHECK_EQ(0, OPS->retain(S, FS_ROOT));
    CHECK_EQ(-FS_ENOTDIR, OPS->lookup(S, look(FS_ROOT, "link"), "deep", &attr));
    down();
}

/* Numbers that nobody gave out. */
TEST(numbers_that_are_none)
{
    static const uint64_t ids[] = {0,
                                   2,
                                   999,
                                   UINT32_MAX,
                                   UINT64_MAX,
                                   UINT64_C(1) << 32 | 1,
                                   UINT64_C(1) << 63,
                                   (uint64_t)UINT32_MAX << 32};
    fs_attr_t attr;
    fs_statfs_t st;
    fs_dirent_t entry;
    fs_lock_t lock = {0, 1, FS_LOCK_READ, 1};
    const fs_setattr_t change = {.set = FS_SET_MODE};
    char buf[FS_LINK_MAX + 1];
    uint64_t h;
    up(MB);
    for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
        uint64_t id = ids[i];
        CHECK_EQ(-FS_ESTALE, OPS->lookup(S, id, "file", &attr));
        CHECK_EQ(-FS_ESTALE, OPS->parent(S, id, &attr));
        CHECK_EQ(-FS_ESTALE, OPS->retain(S, id));
        OPS->forget(S, id, 1);
        CHECK_EQ(-FS_ESTALE, OPS->getattr(S, id, id, &attr));
        CHECK_EQ(-FS_ESTALE, OPS->setattr(S, id, id, &change));
        CHECK_EQ(-FS_ESTALE, OPS->statfs(S, id, &st));
        CHECK_EQ(-FS_ESTALE, OPS->readlink(S, id, buf));
        CHECK_EQ(-FS_ESTALE, OPS->mkdir(S, id, "x", 0, &attr));
        CHECK_EQ(-FS_ESTALE, OPS->mknod(S, id, "x", 0, &attr));
        CHECK_EQ(-FS_ESTALE, OPS->symlink(S, id, "x", "y", &attr));
        CHECK_EQ(-FS_ESTALE, OPS->link(S, id, FS_ROOT, "x", &attr));
        CHECK_EQ(-FS_ESTALE, OPS->unlink(S, id, "file", false));
        CHECK_EQ(-FS_ESTALE, OPS->rename(S, id, "file", FS_ROOT, "x", 0));
        CHECK_EQ(-FS_ESTALE, OPS->rename(S, FS_ROOT, "file", id, "x", 0));
        CHECK_EQ(-FS_ESTALE, OPS->name_of(S, id, &h, buf));
        CHECK_EQ(-FS_ESTALE, OPS->open(S, id, 0, &h));
        CHECK_EQ(-FS_ESTALE, OPS->create(S, id, "x", 2, 0, &attr, &h));
        CHECK_EQ(-FS_EBADF, OPS->close(S, id));
        CHECK_EQ(-FS_EBADF, OPS->read(S, id, 0, buf, 1));
        CHECK_EQ(-FS_EBADF, OPS->write(S, id, 0, buf, 1, false));
        CHECK_EQ(-FS_EBADF, OPS->fsync(S, id, true));
        CHECK_EQ(-FS_EBADF, OPS->fallocate(S, id, 0, 0, 1));
        CHECK_EQ(-FS_EBADF, OPS->seek(S, id, 0, FS_SEEK_DATA));
        CHECK_EQ(-FS_EBADF, OPS->readdir(S, id, 0, &entry));
        CHECK_EQ(-FS_EBADF, OPS->getlk(S, id, &lock));
        CHECK_EQ(-FS_EBADF, OPS->setlk(S, id, &lock));
        CHECK_EQ(-FS_ESTALE, OPS->getxattr(S, id, "user.a", buf, 1));
        CHECK_EQ(-FS_ESTALE, OPS->listxattr(S, id, buf, 1));
        CHECK_EQ(-FS_ESTALE, OPS->setxattr(S, id, "user.a", buf, 1, 0));
        CHECK_EQ(-FS_ESTALE, OPS->removexattr(S, id, "user.a"));
    }
    down();
}

TEST(hostile_names)
{
    char longest[300];
    fs_attr_t attr;
    up(MB);
    check_names(longest);
    CHECK_EQ(0, OPS->mkdir(S, FS_ROOT, "\xff\x01\n", 0700, &attr));
    CHECK_EQ(0, share_memory_stat(share, longest, &attr));
    CHECK_EQ(0, share_memory_stat(share, "\xff\x01\n", &attr));
    down();
}

TEST(kinds_of_files)
{
    char text[FS_LINK_MAX + 1], *longest = malloc(FS_LINK_MAX + 2);
    fs_attr_t attr;
    uint64_t h;
    up(MB);
    CHECK_EQ(3, OPS->readlink(S, look(FS_ROOT, "link"), text));
    CHECK(!memcmp(text, "sub", 3));
    CHECK_EQ(-FS_EINVAL, OPS->readlink(S, look(FS_ROOT, "file"), text));
    memset(longest, 'x', FS_LINK_MAX + 1);
    longest[FS_LINK_MAX + 1] = 0;
    CHECK_EQ(-FS_ENAMETOOLONG, OPS->symlink(S, FS_ROOT, "long", longest, &attr));
    CHECK_EQ(-FS_ENOENT, OPS->symlink(S, FS_ROOT, "long", "", &attr));
    longest[FS_LINK_MAX] = 0;
    CHECK_EQ(0, OPS->symlink(S, FS_ROOT, "long", longest, &attr));
    CHECK_EQ(FS_S_IFLNK | 0777, attr.mode);
    CHECK_EQ(FS_LINK_MAX, OPS->readlink(S, attr.node, text));
    CHECK(!memcmp(text, longest, FS_LINK_MAX));
    CHECK_EQ(-FS_EEXIST, OPS->symlink(S, FS_ROOT, "long", "x", &attr));
    CHECK_EQ(-FS_ELOOP, OPS->open(S, attr.node, 0, &h));
    CHECK_EQ(-FS_ELOOP, OPS->create(S, FS_ROOT, "link", FS_O_RDWR, 0644, &attr, &h));

    CHECK_EQ(0, OPS->mknod(S, FS_ROOT, "fifo", FS_S_IFIFO | 0640, &attr));
    CHECK_EQ(FS_S_IFIFO | 0640, attr.mode);
    CHECK_EQ(-FS_ENXIO, OPS->open(S, attr.node, FS_O_RDWR, &h));
    CHECK_EQ(-FS_ENXIO, share_memory_write(share, "fifo", 0, "x", 1, 0644));
    CHECK_EQ(0, OPS->mknod(S, FS_ROOT, "socket", FS_S_IFSOCK | 0640, &attr));
    CHECK_EQ(0, OPS->mknod(S, FS_ROOT, "plain", 04755, &attr));
    CHECK_EQ(FS_S_IFREG | 04755, attr.mode);
    CHECK_EQ(-FS_EEXIST, OPS->mknod(S, FS_ROOT, "plain", 0644, &attr));
    CHECK_EQ(-FS_EPERM, OPS->mknod(S, FS_ROOT, "dev", FS_S_IFCHR | 0644, &attr));
    CHECK_EQ(-FS_EPERM, OPS->mknod(S, FS_ROOT, "dev", FS_S_IFBLK | 0644, &attr));
    CHECK_EQ(-FS_EPERM, OPS->mknod(S, FS_ROOT, "dev", FS_S_IFDIR | 0644, &attr));
    CHECK_EQ(-FS_EPERM, OPS->mknod(S, FS_ROOT, "dev", FS_S_IFLNK | 0644, &attr));
    CHECK_EQ(-FS_EPERM, OPS->mknod(S, FS_ROOT, "dev", FS_S_IFMT | 0644, &attr));
    CHECK_EQ(-FS_EEXIST, OPS->mkdir(S, FS_ROOT, "file", 0755, &attr));
    CHECK_EQ(-FS_ENOENT, share_memory_stat(share, "dev", &attr));
    free(longest);
    down();
}

TEST(opens)
{
    fs_attr_t attr;
    uint64_t h, file, sub, handles[16];
    up(MB);
    file = look(FS_ROOT, "file"), sub = look(FS_ROOT, "sub");
    CHECK_EQ(-FS_ENOTDIR, OPS->open(S, file, FS_O_DIRECTORY, &h));
    CHECK_EQ(-FS_EINVAL, OPS->open(S, file, FS_O_ACCMODE, &h));
    CHECK_EQ(-FS_EISDIR, OPS->open(S, sub, FS_O_RDWR, &h));
    CHECK_EQ(-FS_EISDIR, OPS->open(S, sub, FS_O_TRUNC, &h));
    CHECK_EQ(-FS_EEXIST, OPS->create(S, FS_ROOT, "file", FS_O_EXCL, 0, &attr, &h));
    CHECK_EQ(-FS_EISDIR, OPS->create(S, FS_ROOT, "sub", FS_O_RDWR, 0, &attr, &h));
    CHECK_EQ(-FS_EINVAL, OPS->create(S, FS_ROOT, "new", FS_O_ACCMODE, 0, &attr, &h));
    CHECK_EQ(-FS_ENOENT, share_memory_stat(share, "new", &attr));
    CHECK_EQ(0, OPS->open(S, sub, FS_O_DIRECTORY, &h));
    CHECK_EQ(-FS_EBADF, OPS->read(S, h, 0, handles, 1));
    CHECK_EQ(-FS_EBADF, OPS->seek(S, h, 0, FS_SEEK_DATA));
    CHECK_EQ(0, OPS->fsync(S, h, false));
    CHECK_EQ(0, OPS->close(S, h));
    CHECK_EQ(-FS_EBADF, OPS->close(S, h));
    for (unsigned i = 0; i < 4096; i++) {
        CHECK_EQ(0, OPS->open(S, file, 0, &h));
        handles[i % 16] = h;
    }
    CHECK_EQ(-FS_EMFILE, OPS->open(S, file, FS_O_RDWR | FS_O_TRUNC, &h));
    CHECK_EQ(-FS_EMFILE, OPS->create(S, FS_ROOT, "new", FS_O_RDWR, 0, &attr, &h));
    CHECK_EQ(-FS_ENOENT, share_memory_stat(share, "new", &attr));
    CHECK(has("file", "hello"));
    CHECK_EQ(0, OPS->close(S, handles[3]));
    CHECK_EQ(0, OPS->create(S, FS_ROOT, "file", FS_O_RDWR | FS_O_TRUNC, 0777, &attr, &h));
    CHECK(h != handles[3]);
    CHECK_EQ(file, attr.node);
    CHECK_EQ(FS_S_IFREG | 0644, attr.mode);
    CHECK(has("file", ""));
    CHECK_EQ(0, OPS->getattr(S, 12345, h, &attr) == 0); /* a handle of another file */
    down();
}

TEST(reads_and_writes)
{
    char buf[64] = "";
    fs_attr_t attr;
    uint64_t h, second;
    up(MB);
    CHECK_EQ(0, OPS->create(S, FS_ROOT, "new", FS_O_RDWR | FS_O_EXCL, 0640, &attr, &h));
    CHECK_EQ(FS_S_IFREG | 0640, attr.mode);
    CHECK_EQ(3, OPS->write(S, h, 0, "abc", 3, false));
    CHECK_EQ(0, OPS->write(S, h, 100, "abc", 0, false));
    CHECK_EQ(3, size_of("new"));
    CHECK_EQ(3, OPS->write(S, h, UINT64_C(5) << 30, "far", 3, false));
    CHECK_EQ(3, OPS->read(S, h, UINT64_C(5) << 30, buf, 10));
    CHECK(!memcmp(buf, "far", 3));
    CHECK_EQ(0, OPS->read(S, h, UINT64_C(6) << 30, buf, 10));
    CHECK_EQ(-FS_EFBIG, OPS->write(S, h, UINT64_MAX, "a", 1, false));
    CHECK_EQ(-FS_EFBIG, OPS->write(S, h, INT64_MAX, "a", 1, false));
    CHECK_EQ(1, OPS->write(S, h, INT64_MAX - 1, "z", 1, false));
    CHECK_EQ(INT64_MAX, size_of("new"));
    CHECK_EQ(1, OPS->read(S, h, INT64_MAX - 1, buf, 10));
    CHECK_EQ(0, OPS->read(S, h, INT64_MAX, buf, 10));
    CHECK_EQ(-FS_EINVAL, OPS->read(S, h, UINT64_MAX, buf, 1));
    CHECK_EQ(10, OPS->read(S, h, 1, buf, 10));
    CHECK(!memcmp(buf, "bc\0\0\0\0\0\0\0", 10));
    CHECK(used() < MB / 4);

    second = open_file("file", FS_O_WRONLY | FS_O_APPEND);
    CHECK_EQ(2, OPS->write(S, second, 0, ", ", 2, false));
    CHECK_EQ(5, OPS->write(S, second, 0, "world", 5, false));
    CHECK_EQ(1, OPS->write(S, second, 0, "H", 1, true));
    CHECK(has("file", "Hello, world"));
    CHECK_EQ(-FS_EBADF, OPS->read(S, second, 0, buf, 1));
    h = open_file("file", 0);
    CHECK_EQ(-FS_EBADF, OPS->write(S, h, 0, "x", 1, false));
    CHECK_EQ(-FS_EBADF, OPS->fallocate(S, h, 0, 0, 1));
    CHECK_EQ(12, OPS->read(S, h, 0, buf, 64));
    down();
}

/* Random writes, sizes and holes beside a plain array. */
TEST(contents_are_right)
{
    enum { SIZE = 400000, STEPS = 3000 };
    uint8_t *model = calloc(1, SIZE), *buf = malloc(SIZE);
    uint32_t seed = 1;
    uint64_t size = 0, h;
    fs_attr_t attr;
    up(8 * MB);
    CHECK_EQ(0, OPS->create(S, FS_ROOT, "r", FS_O_RDWR, 0644, &attr, &h));
    for (unsigned i = 0; i < STEPS && !tap_bad_checks; i++) {
        uint32_t r[4];
        for (unsigned k = 0; k < 4; k++) {
            seed = seed * 1664525 + 1013904223;
            r[k] = seed >> 8;
        }
        uint64_t at = r[1] % SIZE, len = r[2] % (r[3] % 2 ? 200000 : 300) + 1;
        len = at + len > SIZE ? SIZE - at : len;
        switch (r[0] % 5) {
        case 0:
        case 1:
            memset(buf, (int)(i | 1), (size_t)len);
            memset(model + at, (int)(i | 1), (size_t)len);
            CHECK_EQ(len, OPS->write(S, h, at, buf, (size_t)len, false));
            size = at + len > size ? at + len : size;
            break;
        case 2: {
            const fs_setattr_t cut = {.set = FS_SET_SIZE, .size = at};
            memset(model + at, 0, (size_t)(SIZE - at));
            CHECK_EQ(0, OPS->setattr(S, attr.node, h, &cut));
            size = at;
            break;
        }
        case 3:
            CHECK_EQ(0, OPS->fallocate(S, h, r[3] & 4 ? 3 : 17, at, len));
            memset(model + at, 0, (size_t)len);
            break;
        default:
            CHECK_EQ(0, OPS->fallocate(S, h, r[3] & 4 ? 0 : 1, at, len));
            size = !(r[3] & 4) ? size : at + len > size ? at + len : size;
        }
        CHECK_EQ(size, size_of("r"));
        CHECK_EQ(size, OPS->read(S, h, 0, buf, SIZE));
        CHECK(!memcmp(buf, model, (size_t)size));
    }
    const fs_setattr_t cut = {.set = FS_SET_SIZE};
    CHECK_EQ(0, OPS->setattr(S, attr.node, h, &cut));
    CHECK_EQ(0, OPS->getattr(S, attr.node, h, &attr));
    CHECK_EQ(0, attr.blocks);
    free(model);
    free(buf);
    down();
}

TEST(holes)
{
    fs_attr_t attr;
    uint64_t h;
    up(MB);
    CHECK_EQ(0, OPS->create(S, FS_ROOT, "h", FS_O_RDWR, 0644, &attr, &h));
    uint64_t before = used();
    const fs_setattr_t grow = {.set = FS_SET_SIZE, .size = UINT64_C(1) << 30};
    CHECK_EQ(0, OPS->setattr(S, attr.node, h, &grow));
    CHECK_EQ(before, used());
    CHECK_EQ(-FS_ENXIO, OPS->seek(S, h, 0, FS_SEEK_DATA));
    CHECK_EQ(0, OPS->seek(S, h, 0, FS_SEEK_HOLE));
    CHECK_EQ(1, OPS->write(S, h, 200000, "x", 1, false));
    int64_t data = OPS->seek(S, h, 0, FS_SEEK_DATA), hole = OPS->seek(S, h, 200000, FS_SEEK_HOLE);
    CHECK(data > 0 && data <= 200000);
    CHECK(hole > 200000 && hole < 300000);
    CHECK_EQ(data - 1, OPS->seek(S, h, (uint64_t)data - 1, FS_SEEK_HOLE));
    CHECK_EQ(200000, OPS->seek(S, h, 200000, FS_SEEK_DATA));
    CHECK_EQ(-FS_ENXIO, OPS->seek(S, h, (uint64_t)hole, FS_SEEK_DATA));
    CHECK_EQ(hole + 5, OPS->seek(S, h, (uint64_t)hole + 5, FS_SEEK_HOLE));
    CHECK_EQ(-FS_ENXIO, OPS->seek(S, h, UINT64_C(1) << 30, FS_SEEK_HOLE));
    CHECK_EQ(-FS_EINVAL, OPS->seek(S, h, 0, 0));
    CHECK_EQ(-FS_EINVAL, OPS->seek(S, h, UINT64_MAX, FS_SEEK_HOLE));
    CHECK_EQ(0, OPS->getattr(S, attr.node, 0, &attr));
    CHECK(attr.blocks > 0 && attr.blocks <= 128);
    CHECK_EQ(0, OPS->fallocate(S, h, 3, 0, UINT64_C(1) << 30));
    CHECK_EQ(before, used());

    /* What is held beyond the end is no data. */
    const fs_setattr_t less = {.set = FS_SET_SIZE, .size = 70000};
    CHECK_EQ(0, OPS->setattr(S, attr.node, h, &less));
    CHECK_EQ(0, OPS->fallocate(S, h, 1, 131072, 10));
    CHECK_EQ(-FS_ENXIO, OPS->seek(S, h, 0, FS_SEEK_DATA));
    CHECK_EQ(0, OPS->fallocate(S, h, 3, 131072, 65536));
    CHECK_EQ(before, used());
    CHECK_EQ(5, OPS->seek(S, open_file("file", 0), 0, FS_SEEK_HOLE));

    CHECK_EQ(-FS_ENOSPC, OPS->fallocate(S, h, 0, 0, UINT64_C(1) << 30));
    CHECK_EQ(-FS_ENOSPC, OPS->fallocate(S, h, 0, 0, INT64_MAX));
    CHECK_EQ(-FS_EFBIG, OPS->fallocate(S, h, 0, 1, INT64_MAX));
    CHECK_EQ(-FS_EFBIG, OPS->fallocate(S, h, 0, UINT64_MAX, 1));
    CHECK_EQ(-FS_EINVAL, OPS->fallocate(S, h, 0, 0, 0));
    CHECK_EQ(-FS_EOPNOTSUPP, OPS->fallocate(S, h, 2, 0, 1));
    CHECK_EQ(-FS_EOPNOTSUPP, OPS->fallocate(S, h, 8, 0, 1));
    CHECK_EQ(-FS_EOPNOTSUPP, OPS->fallocate(S, h, UINT32_MAX, 0, 1));
    CHECK_EQ(0, OPS->fallocate(S, h, 0, 0, 100000));
    CHECK(used() >= before + 100000);
    CHECK_EQ(0, OPS->seek(S, h, 0, FS_SEEK_DATA));
    down();
}

TEST(files_without_a_name_live_on)
{
    char buf[8];
    fs_attr_t attr;
    fs_dirent_t entry;
    uint64_t h, dir;
    up(MB);
    uint64_t before = used(), file = look(FS_ROOT, "file");
    CHECK_EQ(0, OPS->open(S, file, FS_O_RDWR, &h));
    CHECK_EQ(0, OPS->unlink(S, FS_ROOT, "file", false));
    CHECK_EQ(5, OPS->read(S, h, 0, buf, 8));
    CHECK_EQ(0, OPS->getattr(S, file, h, &attr));
    CHECK_EQ(0, attr.nlink);
    const fs_setattr_t size = {.set = FS_SET_SIZE, .size = 2};
    CHECK_EQ(0, OPS->setattr(S, file, h, &size));
    CHECK_EQ(2, OPS->read(S, h, 0, buf, 8));
    CHECK_EQ(-FS_ENOENT, OPS->lookup(S, FS_ROOT, "file", &attr));
    CHECK_EQ(-FS_ENOENT, OPS->link(S, file, FS_ROOT, "again", &attr));
    CHECK_EQ(-FS_ENOENT, OPS->name_of(S, file, &dir, buf));
    CHECK_EQ(-FS_ENOENT, OPS->parent(S, file, &attr));
    CHECK_EQ(0, OPS->getattr(S, file, 0, &attr));
    OPS->forget(S, file, 1);
    CHECK_EQ(0, OPS->getattr(S, file, h, &attr));
    CHECK_EQ(file, attr.node);
    CHECK_EQ(2, OPS->read(S, h, 0, buf, 8));
    CHECK_EQ(0, OPS->close(S, h));
    CHECK_EQ(-FS_ESTALE, OPS->getattr(S, file, h, &attr));
    CHECK(used() < before);

    /* A folder that is gone while it is open. */
    uint64_t sub = look(FS_ROOT, "sub");
    CHECK_EQ(0, OPS->open(S, sub, FS_O_DIRECTORY, &dir));
    CHECK_EQ(0, OPS->unlink(S, sub, "deep", false));
    CHECK_EQ(0, OPS->unlink(S, FS_ROOT, "sub", true));
    CHECK_EQ(0, OPS->getattr(S, sub, 0, &attr));
    CHECK_EQ(0, attr.nlink);
    CHECK_EQ(-FS_ENOENT, OPS->mkdir(S, sub, "x", 0755, &attr));
    CHECK_EQ(-FS_ENOENT, OPS->create(S, sub, "x", FS_O_RDWR, 0755, &attr, &h));
    CHECK_EQ(-FS_ENOENT, OPS->rename(S, FS_ROOT, "link", sub, "x", 0));
    CHECK_EQ(-FS_ENOENT, OPS->lookup(S, sub, "deep", &attr));
    CHECK_EQ(1, OPS->readdir(S, dir, 0, &entry));
    CHECK_EQ(1, OPS->readdir(S, dir, 1, &entry));
    CHECK(!strcmp(entry.name, ".."));
    CHECK_EQ(0, OPS->readdir(S, dir, 2, &entry));
    down();
}

TEST(renames)
{
    fs_attr_t attr;
    char name[FS_NAME_MAX + 1];
    uint64_t dir, h;
    up(MB);
    uint64_t file = look(FS_ROOT, "file"), sub = look(FS_ROOT, "sub"), deep = look(sub, "deep");
    CHECK_EQ(-FS_EEXIST, OPS->rename(S, FS_ROOT, "file", sub, "deep", FS_RENAME_NOREPLACE));
    CHECK_EQ(-FS_EINVAL, OPS->rename(S, FS_ROOT, "file", sub, "deep", 3));
    CHECK_EQ(-FS_EINVAL, OPS->rename(S, FS_ROOT, "file", sub, "a", 8));
    CHECK_EQ(-FS_ENOENT, OPS->rename(S, FS_ROOT, "file", sub, "a", FS_RENAME_EXCHANGE));
    CHECK_EQ(-FS_ENOENT, OPS->rename(S, FS_ROOT, "none", sub, "a", 0));
    CHECK_EQ(-FS_ENOTDIR, OPS->rename(S, FS_ROOT, "sub", file, "a", 0));
    CHECK_EQ(0, OPS->rename(S, FS_ROOT, "file", sub, "deep", FS_RENAME_EXCHANGE));
    CHECK(has("file", "deep") && has("sub/deep", "hello"));
    CHECK_EQ(0, OPS->name_of(S, file, &dir, name));
    CHECK_EQ(sub, dir);
    CHECK(!strcmp(name, "deep"));
    CHECK_EQ(0, OPS->name_of(S, deep, &dir, name));
    CHECK_EQ(FS_ROOT, dir);
    CHECK_EQ(-FS_EBUSY, OPS->name_of(S, FS_ROOT, &dir, name));
    /* Over another, which stays for those who have it. */
    CHECK_EQ(0, OPS->open(S, deep, 0, &h));
    CHECK_EQ(0, OPS->rename(S, sub, "deep", FS_ROOT, "file", 0));
    CHECK(has("file", "hello"));
    CHECK_EQ(-FS_ENOENT, OPS->lookup(S, sub, "deep", &attr));
    CHECK_EQ(4, OPS->read(S, h, 0, name, 9));
    CHECK_EQ(0, OPS->rename(S, FS_ROOT, "file", FS_ROOT, "file", 0));
    CHECK_EQ(0, OPS->rename(S, FS_ROOT, "file", FS_ROOT, "f2", FS_RENAME_NOREPLACE));
    CHECK_EQ(file, look(FS_ROOT, "f2"));

    /* Folders: not into themselves, over empty ones only. */
    CHECK_EQ(0, OPS->mkdir(S, sub, "in", 0755, &attr));
    uint64_t in = attr.node;
    CHECK_EQ(0, OPS->mkdir(S, in, "side", 0755, &attr));
    CHECK_EQ(-FS_EINVAL, OPS->rename(S, FS_ROOT, "sub", sub, "x", 0));
    CHECK_EQ(-FS_EINVAL, OPS->rename(S, FS_ROOT, "sub", in, "x", 0));
    CHECK_EQ(-FS_EINVAL, OPS->rename(S, FS_ROOT, "sub", in, "side", FS_RENAME_EXCHANGE));
    CHECK_EQ(-FS_EINVAL, OPS->rename(S, in, "side", FS_ROOT, "sub", FS_RENAME_EXCHANGE));
    CHECK_EQ(0, OPS->rename(S, sub, "in", sub, "in", 0));
    CHECK_EQ(-FS_ENOTEMPTY, OPS->rename(S, in, "side", FS_ROOT, "sub", 0));
    CHECK_EQ(-FS_EISDIR, OPS->rename(S, FS_ROOT, "f2", FS_ROOT, "sub", 0));
    CHECK_EQ(-FS_ENOTDIR, OPS->rename(S, FS_ROOT, "sub", FS_ROOT, "f2", 0));
    CHECK_EQ(0, OPS->mkdir(S, FS_ROOT, "empty", 0755, &attr));
    CHECK_EQ(0, OPS->rename(S, sub, "in", FS_ROOT, "empty", 0));
    CHECK_EQ(-FS_EINVAL, OPS->rename(S, FS_ROOT, "empty", in, "x", 0));
    CHECK_EQ(0, share_memory_stat(share, "empty/side", &attr));
    CHECK_EQ(0, OPS->parent(S, in, &attr));
    CHECK_EQ(FS_ROOT, attr.node);
    CHECK_EQ(4, attr.nlink);
    CHECK_EQ(0, OPS->rename(S, FS_ROOT, "f2", in, "side", FS_RENAME_EXCHANGE));
    CHECK_EQ(5, (OPS->parent(S, in, &attr), attr.nlink));
    CHECK_EQ(2, (OPS->getattr(S, in, 0, &attr), attr.nlink));

    CHECK_EQ(-FS_ENOTEMPTY, OPS->unlink(S, FS_ROOT, "empty", true));
    CHECK_EQ(-FS_EISDIR, OPS->unlink(S, FS_ROOT, "sub", false));
    CHECK_EQ(-FS_ENOTDIR, OPS->unlink(S, FS_ROOT, "link", true));
    CHECK_EQ(-FS_ENOENT, OPS->unlink(S, FS_ROOT, "none", true));
    down();
}

TEST(hard_links)
{
    fs_attr_t attr, other;
    char name[FS_NAME_MAX + 1];
    uint64_t dir;
    up(MB);
    uint64_t file = look(FS_ROOT, "file"), sub = look(FS_ROOT, "sub");
    CHECK_EQ(0, OPS->link(S, file, sub, "hard", &attr));
    CHECK_EQ(file, attr.node);
    CHECK_EQ(2, attr.nlink);
    CHECK_EQ(0, share_memory_stat(share, "file", &other));
    CHECK_EQ(attr.ino, other.ino);
    CHECK_EQ(0, OPS->name_of(S, file, &dir, name));
    CHECK_EQ(sub, dir);
    look(FS_ROOT, "file");
    CHECK_EQ(0, OPS->name_of(S, file, &dir, name));
    CHECK_EQ(FS_ROOT, dir);
    CHECK_EQ(-FS_EEXIST, OPS->link(S, file, sub, "hard", &attr));
    CHECK_EQ(-FS_EPERM, OPS->link(S, sub, FS_ROOT, "x", &attr));
    CHECK_EQ(-FS_EPERM, OPS->link(S, FS_ROOT, sub, "x", &attr));
    CHECK_EQ(0, OPS->rename(S, FS_ROOT, "file", sub, "hard", 0)); /* the same file: nothing */
    CHECK_EQ(0, share_memory_stat(share, "file", &other));
    CHECK_EQ(2, other.nlink);
    CHECK_EQ(4, share_memory_write(share, "sub/hard", 0, "HELL", 4, 0));
    CHECK(has("file", "HELLo"));
    CHECK_EQ(0, OPS->unlink(S, FS_ROOT, "file", false));
    CHECK_EQ(0, OPS->name_of(S, file, &dir, name));
    CHECK_EQ(sub, dir);
    CHECK(!strcmp(name, "hard") && has("sub/hard", "HELLo"));
    /* A folder that the guest has forgotten still has a number when it is asked for. */
    OPS->forget(S, sub, UINT64_MAX);
    CHECK_EQ(0, OPS->name_of(S, file, &dir, name));
    CHECK_EQ(0, OPS->unlink(S, dir, name, false));
    CHECK_EQ(0, OPS->link(S, look(FS_ROOT, "link"), FS_ROOT, "link2", &attr));
    CHECK_EQ(FS_S_IFLNK | 0777, attr.mode);
    down();
}

TEST(lists_folders)
{
    enum { FILES = 500 };
    char name[32];
    unsigned char seen[FILES] = {0};
    fs_dirent_t entry;
    uint64_t h, cookies[FILES + 10];
    unsigned count = 0;
    fs_attr_t root;
    up(MB);
    for (int i = 0; i < FILES; i++) {
        snprintf(name, sizeof(name), "sub/f%d", i);
        CHECK_EQ(0, share_memory_put(share, name, "", 0, 0644));
    }
    h = open_file("sub", FS_O_DIRECTORY);
    for (uint64_t cookie = 0; OPS->readdir(S, h, cookie, &entry) == 1 && count < FILES + 10;) {
        seen[entry.name[0] == 'f' ? atoi(entry.name + 1) % FILES : 0]++;
        CHECK_EQ(entry.name[0] == '.' ? FS_S_IFDIR : FS_S_IFREG, entry.type);
        cookie = cookies[count++] = entry.next;
    }
    CHECK_EQ(FILES + 3, count);
    CHECK(!memchr(seen, 0, sizeof(seen)));
    for (unsigned i = count - 1; i > 0; i -= i > 7 ? 7 : 1) {
        CHECK_EQ(1, OPS->readdir(S, h, cookies[i - 1], &entry));
        CHECK_EQ(cookies[i], entry.next);
    }
    CHECK_EQ(0, OPS->readdir(S, h, cookies[count - 1], &entry));
    CHECK_EQ(0, OPS->readdir(S, h, INT64_MAX, &entry));
    CHECK_EQ(-FS_EINVAL, OPS->readdir(S, h, UINT64_MAX, &entry));
    CHECK_EQ(-FS_EBADF, OPS->readdir(S, open_file("file", 0), 0, &entry));

    /* Emptied while it is listed, as rm -r does; what is made meanwhile comes or does not. */
    unsigned removed = 0;
    for (uint64_t cookie = 2; OPS->readdir(S, h, cookie, &entry) == 1; cookie = entry.next) {
        snprintf(name, sizeof(name), "sub/%.20s", entry.name);
        CHECK_EQ(0, share_memory_remove(share, name, false));
        removed++;
        if (removed == 100) {
            CHECK_EQ(0, share_memory_put(share, "sub/late", "", 0, 0644));
        }
    }
    CHECK_EQ(FILES + 2, removed);
    CHECK_EQ(0, share_memory_put(share, "sub/later", "", 0, 0644));
    CHECK_EQ(1, OPS->readdir(S, h, cookies[20], &entry));
    CHECK(!strcmp(entry.name, "later"));
    CHECK_EQ(0, OPS->getattr(S, FS_ROOT, 0, &root));
    /* Names that come and go take no room for good. */
    uint64_t before = used();
    for (unsigned i = 0; i < 5000; i++) {
        char next[32];
        snprintf(name, sizeof(name), "sub/c%u", i);
        snprintf(next, sizeof(next), "sub/c%u", i + 1);
        CHECK_EQ(0, share_memory_put(share, next, "", 0, 0644));
        CHECK_EQ(i ? 0 : -FS_ENOENT, share_memory_remove(share, name, false));
    }
    CHECK(used() < before + 2000);
    h = open_file("sub", FS_O_DIRECTORY);
    CHECK_EQ(1, OPS->readdir(S, h, 1, &entry));
    CHECK_EQ(root.ino, entry.ino);
    down();
}

TEST(attributes)
{
    fs_attr_t attr;
    fs_statfs_t st;
    up(MB);
    uint64_t file = look(FS_ROOT, "file"), link = look(FS_ROOT, "link");
    fs_setattr_t change = {.set =
                               FS_SET_MODE | FS_SET_SIZE | FS_SET_MTIME | FS_SET_UID | FS_SET_GID,
                           .mode = 0177751,
                           .uid = 1000,
                           .gid = 100,
                           .size = 3,
                           .mtime = {1000000000, 2000000000}};
    CHECK_EQ(0, OPS->setattr(S, file, 0, &change));
    CHECK_EQ(0, OPS->getattr(S, file, 0, &attr));
    CHECK_EQ(FS_S_IFREG | 07751, attr.mode);
    CHECK(attr.uid == 1000 && attr.gid == 100 && attr.size == 3);
    CHECK(attr.mtime.sec == 1000000000 && attr.mtime.nsec == 999999999);
    change = (fs_setattr_t){.set = FS_SET_ATIME | FS_SET_MTIME_NOW, .atime = {-5, 7}};
    CHECK_EQ(0, OPS->setattr(S, file, 0, &change));
    CHECK_EQ(0, OPS->getattr(S, file, 0, &attr));
    CHECK(attr.atime.sec == -5 && attr.atime.nsec == 7 && attr.mtime.sec > 1600000000);
    change = (fs_setattr_t){.set = FS_SET_SIZE | FS_SET_MODE, .size = UINT64_MAX};
    CHECK_EQ(-FS_EFBIG, OPS->setattr(S, file, 0, &change));
    CHECK_EQ(-FS_EISDIR, OPS->setattr(S, FS_ROOT, 0, &change));
    CHECK_EQ(-FS_EINVAL, OPS->setattr(S, link, 0, &change));
    change.set = FS_SET_MODE;
    CHECK_EQ(-FS_EOPNOTSUPP, OPS->setattr(S, link, 0, &change));
    CHECK_EQ(0, OPS->getattr(S, file, 0, &attr));
    CHECK_EQ(FS_S_IFREG | 07751, attr.mode);
    change = (fs_setattr_t){.set = FS_SET_UID, .uid = 5};
    CHECK_EQ(0, OPS->setattr(S, link, 0, &change));
    CHECK_EQ(0, OPS->statfs(S, FS_ROOT, &st));
    CHECK_EQ(MB / 4096, st.blocks);
    CHECK(st.bfree == (MB - used()) / 4096 && st.bavail == st.bfree);
    CHECK_EQ(SHARE_MEMORY_FILES_MAX - 5, st.ffree);
    CHECK(st.bsize == 4096 && st.frsize == 4096 && st.namelen == 255);
    down();
}

TEST(extended_attributes)
{
    char buf[64], name[300], *big = calloc(1, FS_XATTR_MAX + 1);
    up(8 * MB);
    uint64_t file = look(FS_ROOT, "file"), link = look(FS_ROOT, "link");
    CHECK_EQ(0, OPS->setxattr(S, file, "user.a", "value", 5, FS_XATTR_CREATE));
    CHECK_EQ(-FS_EEXIST, OPS->setxattr(S, file, "user.a", "v", 1, FS_XATTR_CREATE));
    CHECK_EQ(-FS_ENODATA, OPS->setxattr(S, file, "user.b", "v", 1, FS_XATTR_REPLACE));
    CHECK_EQ(-FS_EINVAL, OPS->setxattr(S, file, "user.b", "v", 1, 4));
    CHECK_EQ(5, OPS->getxattr(S, file, "user.a", NULL, 0));
    CHECK_EQ(-FS_ERANGE, OPS->getxattr(S, file, "user.a", buf, 4));
    CHECK_EQ(5, OPS->getxattr(S, file, "user.a", buf, sizeof(buf)));
    CHECK(!memcmp(buf, "value", 5));
    CHECK_EQ(0, OPS->setxattr(S, file, "trusted.b", NULL, 0, 0));
    CHECK_EQ(0, OPS->getxattr(S, file, "trusted.b", buf, 1));
    CHECK_EQ(17, OPS->listxattr(S, file, NULL, 0));
    CHECK_EQ(-FS_ERANGE, OPS->listxattr(S, file, buf, 16));
    CHECK_EQ(17, OPS->listxattr(S, file, buf, sizeof(buf)));
    CHECK(!memcmp(buf, "user.a\0trusted.b", 17));
    CHECK_EQ(0, OPS->setxattr(S, file, "user.a", "longer value", 12, FS_XATTR_REPLACE));
    CHECK_EQ(12, OPS->getxattr(S, file, "user.a", buf, sizeof(buf)));
    CHECK_EQ(0, OPS->removexattr(S, file, "trusted.b"));
    CHECK_EQ(-FS_ENODATA, OPS->removexattr(S, file, "trusted.b"));
    CHECK_EQ(-FS_ENODATA, OPS->getxattr(S, file, "trusted.b", buf, sizeof(buf)));
    CHECK_EQ(7, OPS->listxattr(S, file, NULL, 0));
    CHECK_EQ(0, OPS->setxattr(S, FS_ROOT, "security.x", "v", 1, 0));
    CHECK_EQ(-FS_EOPNOTSUPP, OPS->setxattr(S, file, "system.posix_acl_access", "v", 1, 0));
    CHECK_EQ(-FS_EOPNOTSUPP, OPS->getxattr(S, file, "user.", buf, 1));
    CHECK_EQ(-FS_EOPNOTSUPP, OPS->getxattr(S, file, "", buf, 1));
    CHECK_EQ(-FS_EOPNOTSUPP, OPS->setxattr(S, link, "user.a", "v", 1, 0));
    CHECK_EQ(0, OPS->listxattr(S, link, buf, sizeof(buf)));
    CHECK_EQ(0, OPS->setxattr(S, file, "user.big", big, FS_XATTR_MAX, 0));
    CHECK_EQ(-FS_E2BIG, OPS->setxattr(S, file, "user.big", big, FS_XATTR_MAX + 1, 0));
    CHECK_EQ(FS_XATTR_MAX, OPS->getxattr(S, file, "user.big", big, FS_XATTR_MAX));
    memset(name, 'n', sizeof(name));
    memcpy(name, "user.", 5);
    name[256] = 0;
    CHECK_EQ(-FS_ERANGE, OPS->setxattr(S, file, name, "v", 1, 0));
    int error = 0;
    for (unsigned i = 0; i < 5000 && !error; i++) {
        snprintf(name + 200, 50, "%u", i);
        error = OPS->setxattr(S, file, name, "v", 1, 0);
    }
    CHECK_EQ(-FS_ENOSPC, error);
    CHECK(OPS->listxattr(S, file, NULL, 0) <= FS_XATTR_MAX);
    free(big);
    down();
}

TEST(locks)
{
    up(MB);
    uint64_t a = open_file("file", FS_O_RDWR), b = open_file("file", 0);
    uint64_t c = open_file("sub", FS_O_DIRECTORY);
    CHECK_EQ(0, share_memory_put(share, "other", "", 0, 0644));
    CHECK_EQ(0, lock(open_file("other", FS_O_RDWR), FS_LOCK_WRITE, 0, UINT64_MAX));
    CHECK_EQ(-FS_EBADF, lock(c, FS_LOCK_READ, 0, 1));
    check_locks(a, b);

    a = open_file("file", FS_O_RDWR);
    CHECK_EQ(0, lock(b, FS_LOCK_NONE, 0, UINT64_MAX));
    CHECK_EQ(0, lock(a, FS_LOCK_WRITE, 200, 201));
    fs_lock_t look_at = {0, INT64_MAX, FS_LOCK_WRITE, 7};
    CHECK_EQ(0, OPS->getlk(S, b, &look_at));
    CHECK_EQ(42, look_at.pid);
    look_at = (fs_lock_t){0, 9, FS_LOCK_NONE, 7};
    CHECK_EQ(-FS_EINVAL, OPS->getlk(S, b, &look_at));
    CHECK_EQ(0, lock(a, FS_LOCK_NONE, 0, UINT64_MAX));
    check_many_locks(a, b);
    down();
}

int main(void)
{
    RUN(looks_up);
    RUN(numbers_that_are_none);
    RUN(hostile_names);
    RUN(kinds_of_files);
    RUN(opens);
    RUN(reads_and_writes);
    RUN(contents_are_right);
    RUN(holes);
    RUN(files_without_a_name_live_on);
    RUN(renames);
    RUN(hard_links);
    RUN(lists_folders);
    RUN(attributes);
    RUN(extended_attributes);
    RUN(locks);
    return tap_finish();
}
