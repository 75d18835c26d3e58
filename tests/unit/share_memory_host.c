/* SPDX-License-Identifier: MPL-2.0 */
/* The folder in memory: its limits, the side of the program around it, both sides at once,
 * snapshots. */
#include "share_memory_rig.h"

#include "device/sessions.h"

/* --- Limits --- */

TEST(a_full_folder)
{
    static uint8_t block[100000];
    fs_attr_t attr;
    uint64_t h;
    char name[32];
    int error = 0;
    up(MB);
    uint64_t before = used();
    CHECK_EQ(0, OPS->create(S, FS_ROOT, "big", FS_O_RDWR, 0644, &attr, &h));
    uint64_t at = 0;
    int64_t put;
    while ((put = OPS->write(S, h, at, block, sizeof(block), false)) > 0 && at < 2 * MB) {
        at += (uint64_t)put;
    }
    CHECK_EQ(-FS_ENOSPC, put);
    CHECK(at > MB - 200000 && at < MB && used() <= MB);
    CHECK_EQ(at, size_of("big"));
    for (unsigned i = 0; i < 10000 && !error; i++) {
        snprintf(name, sizeof(name), "n%u", i);
        error = OPS->mkdir(S, FS_ROOT, name, 0755, &attr);
    }
    CHECK_EQ(-FS_ENOSPC, error);
    CHECK_EQ(-FS_ENOSPC, OPS->create(S, FS_ROOT, "more", FS_O_RDWR, 0644, &attr, &h));
    CHECK_EQ(-FS_ENOSPC, OPS->symlink(S, FS_ROOT, "more", "to", &attr));
    CHECK_EQ(-FS_ENOSPC, OPS->setxattr(S, FS_ROOT, "user.a", block, 1000, 0));
    CHECK_EQ(-FS_ENOSPC, share_memory_put(share, "more", block, 10, 0644));
    CHECK_EQ(-FS_ENOSPC, share_memory_write(share, "more", 0, block, 10, 0644));
    CHECK_EQ(-FS_ENOSPC, share_memory_mkdir(share, "more", 0644));
    CHECK_EQ(-FS_ENOENT, share_memory_stat(share, "more", &attr));
    /* What is there can be written over, replaced, moved over another, and removed. */
    CHECK_EQ(5, share_memory_write(share, "file", 0, "HELLO", 5, 0644));
    CHECK_EQ(0, share_memory_put(share, "file", "olleh", 5, 0644));
    CHECK_EQ(-FS_ENOSPC, share_memory_put(share, "file", block, sizeof(block), 0644));
    CHECK(has("file", "olleh"));
    CHECK_EQ(0, share_memory_put(share, "big", block, sizeof(block), 0644));
    CHECK_EQ(0, share_memory_rename(share, "file", "sub/deep", 0));
    CHECK_EQ(0, share_memory_remove(share, "big", false));
    CHECK_EQ(5, share_memory_write(share, "x", 0, "HELLO", 5, 0644));
    OPS->reset(S);
    for (unsigned i = 0; i < 10000; i++) {
        snprintf(name, sizeof(name), "n%u", i);
        share_memory_remove(share, name, false);
    }
    CHECK(used() < before + 20000);
    down();
}

/* With each amount of room, a file is either there with its byte or not at all. */
TEST(hardly_any_room)
{
    static uint8_t block[2 * 1024 * 1024];
    fs_attr_t attr;
    unsigned there = 0, not_there = 0;
    up(MB);
    int64_t size = share_memory_write(share, "big", 0, block, sizeof(block), 0644);
    CHECK(size > 900000 && size < (int64_t)MB);
    for (unsigned less = 0; less < 1500; less += 4) {
        const fs_setattr_t cut = {.set = FS_SET_SIZE, .size = (uint64_t)size - less};
        CHECK_EQ(0, share_memory_set(share, "big", &cut));
        uint64_t before = used();
        bool put = less % 8 != 0;
        int64_t got = put ? share_memory_put(share, "y", "z", 1, 0600) + 1
                          : share_memory_write(share, "y", 0, "z", 1, 0600);
        if (got == 1) {
            there++;
            CHECK(has("y", "z"));
            CHECK_EQ(0, share_memory_remove(share, "y", false));
        } else {
            not_there++;
            CHECK_EQ(-FS_ENOSPC, put ? got - 1 : got);
            CHECK_EQ(-FS_ENOENT, share_memory_stat(share, "y", &attr));
        }
        CHECK(used() <= before + 64); /* the folder's list may have grown */
    }
    CHECK(there > 10 && not_there > 10);
    down();
}

TEST(too_many_files)
{
    char name[32];
    fs_attr_t attr;
    fs_statfs_t st;
    up(UINT64_MAX);
    int error = 0;
    unsigned made = 0;
    for (; made < 2 * SHARE_MEMORY_FILES_MAX && !error; made += !error) {
        snprintf(name, sizeof(name), "%u", made);
        error = OPS->mknod(S, FS_ROOT, name, 0644, &attr);
    }
    CHECK_EQ(-FS_ENOSPC, error);
    CHECK_EQ(SHARE_MEMORY_FILES_MAX - 5, made);
    CHECK_EQ(0, OPS->statfs(S, FS_ROOT, &st));
    CHECK_EQ(0, st.ffree);
    uint64_t node = look(FS_ROOT, "77777");
    for (made = 0, error = 0; made < 3 * SHARE_MEMORY_FILES_MAX && !error; made += !error) {
        snprintf(name, sizeof(name), "h%u", made);
        error = OPS->link(S, node, FS_ROOT, name, &attr);
    }
    CHECK_EQ(-FS_ENOSPC, error);
    CHECK_EQ(SHARE_MEMORY_FILES_MAX + 1, made);
    OPS->free(S);
    share_memory_free(share);
}

/* Folders in folders: no path reaches the lowest. */
TEST(deep_folders)
{
    enum { DEPTH = 20000 };
    static session_t session;
    static char path[2 * DEPTH + 2];
    fs_attr_t attr;
    uint64_t dir = FS_ROOT, h;
    up(64 * MB);
    for (unsigned i = 0; i < DEPTH; i++) {
        CHECK_EQ(0, OPS->mkdir(S, dir, "d", 0755, &attr));
        OPS->forget(S, dir, dir == FS_ROOT ? 0 : 1);
        dir = attr.node;
        memcpy(path + 2 * i, "d/", 2);
    }
    CHECK_EQ(0, OPS->open(S, dir, 0, &h));
    CHECK_EQ(-FS_EINVAL, OPS->rename(S, FS_ROOT, "d", dir, "x", 0));
    CHECK_EQ(0, OPS->rename(S, FS_ROOT, "sub", dir, "x", 0));
    CHECK_EQ(-FS_ENAMETOOLONG, share_memory_stat(share, path, &attr));
    path[4096] = 0;
    CHECK_EQ(0, share_memory_stat(share, path, &attr));
    /* In a snapshot it is a file that has no place. */
    fs_snapshot_t snap = session_open(&session, true);
    CHECK(OPS->snapshot(S, &snap));
    snap = session_open(&session, false);
    CHECK(OPS->snapshot(S, &snap));
    CHECK_EQ(-FS_ESTALE, OPS->getattr(S, dir, 0, &attr));
    CHECK_EQ(-FS_EBADF, OPS->close(S, h));
    CHECK_EQ(0, share_memory_remove(share, "d", true));
    CHECK_EQ(3, (share_memory_space(share, &space), space.files));
    down();
}

/* --- The program's side --- */

TEST(paths)
{
    char buf[16], longest[300];
    fs_attr_t attr;
    up(MB);
    CHECK_EQ(0, share_memory_stat(share, "", &attr));
    CHECK(attr.mode == (FS_S_IFDIR | 0755) && attr.node == 0);
    CHECK_EQ(0, share_memory_stat(share, "//", &attr));
    CHECK_EQ(0, share_memory_stat(share, "//sub//deep/", &attr));
    CHECK_EQ(4, attr.size);
    static const struct {
        const char *path;
        int error;
    } bad[] = {{"..", -FS_EINVAL},      {"sub/..", -FS_EINVAL}, {"sub/../file", -FS_EINVAL},
               {".", -FS_EINVAL},       {"./file", -FS_EINVAL}, {"link/deep", -FS_ELOOP},
               {"file/x", -FS_ENOTDIR}, {"none/x", -FS_ENOENT}, {"none/../file", -FS_ENOENT},
               {"sub/none", -FS_ENOENT}};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        const fs_setattr_t none = {.set = 0};
        CHECK_EQ(bad[i].error, share_memory_stat(share, bad[i].path, &attr));
        CHECK_EQ(bad[i].error, share_memory_read(share, bad[i].path, 0, buf, 1));
        CHECK_EQ(bad[i].error, share_memory_set(share, bad[i].path, &none));
        CHECK_EQ(bad[i].error, share_memory_remove(share, bad[i].path, true));
        CHECK_EQ(bad[i].error, share_memory_rename(share, bad[i].path, "x", 0));
        if (i + 1 < ARRAY_LEN(bad)) {
            CHECK_EQ(bad[i].error, share_memory_write(share, bad[i].path, 0, buf, 1, 0));
            CHECK_EQ(bad[i].error, share_memory_put(share, bad[i].path, buf, 1, 0));
            CHECK_EQ(bad[i].error, share_memory_mkdir(share, bad[i].path, 0));
            CHECK_EQ(bad[i].error, share_memory_rename(share, "file", bad[i].path, 0));
        }
    }
    memset(longest, 'a', sizeof(longest));
    longest[256] = 0;
    CHECK_EQ(-FS_ENAMETOOLONG, share_memory_stat(share, longest, &attr));
    CHECK_EQ(-FS_EEXIST, share_memory_mkdir(share, "", 0755));
    CHECK_EQ(-FS_EEXIST, share_memory_mkdir(share, "file", 0755));
    CHECK_EQ(-FS_EBUSY, share_memory_remove(share, "/", true));
    CHECK_EQ(-FS_EBUSY, share_memory_rename(share, "", "x", 0));
    CHECK_EQ(-FS_EBUSY, share_memory_rename(share, "file", "", 0));
    CHECK_EQ(-FS_ENOTEMPTY, share_memory_remove(share, "sub", false));
    CHECK_EQ(-FS_EISDIR, share_memory_read(share, "sub", 0, buf, 1));
    CHECK_EQ(-FS_EISDIR, share_memory_write(share, "sub", 0, buf, 1, 0));
    CHECK_EQ(-FS_EISDIR, share_memory_put(share, "", buf, 1, 0));
    CHECK_EQ(-FS_ELOOP, share_memory_write(share, "link", 0, buf, 1, 0));
    CHECK_EQ(-FS_EFBIG, share_memory_write(share, "file", UINT64_MAX, buf, 1, 0));
    CHECK_EQ(-FS_EFBIG, share_memory_write(share, "new", INT64_MAX, buf, 1, 0));
    CHECK_EQ(-FS_ENOENT, share_memory_stat(share, "new", &attr));
    CHECK_EQ(3, share_memory_read(share, "link", 0, buf, sizeof(buf)));
    CHECK_EQ(0, share_memory_remove(share, "link", true));
    CHECK(has("sub/deep", "deep"));
    down();
}

TEST(lists_for_the_program)
{
    char name[FS_NAME_MAX + 1];
    fs_attr_t attr;
    uint64_t cookie = 0;
    up(MB);
    CHECK_EQ(1, share_memory_list(share, "", &cookie, name, &attr));
    CHECK(!strcmp(name, "file") && attr.size == 5 && attr.node == 0);
    CHECK_EQ(1, share_memory_list(share, "", &cookie, name, NULL));
    CHECK(!strcmp(name, "sub"));
    CHECK_EQ(1, share_memory_list(share, "", &cookie, NULL, &attr));
    CHECK_EQ(FS_S_IFLNK | 0777, attr.mode);
    CHECK_EQ(0, share_memory_list(share, "", &cookie, name, &attr));
    CHECK_EQ(-FS_ENOTDIR, share_memory_list(share, "file", &cookie, name, &attr));
    CHECK_EQ(-FS_ENOENT, share_memory_list(share, "none", &cookie, name, &attr));
    down();
}

static void count_change(void *arg)
{
    ++*(unsigned *)arg;
}

/* What one side does, the other sees, and the serial tells. */
TEST(both_sides)
{
    char buf[16];
    fs_attr_t attr;
    unsigned changes = 0;
    up(MB);
    share_memory_watch(share, count_change, &changes);
    uint64_t serial = share_memory_serial(share), file = look(FS_ROOT, "file");
    uint64_t h = open_file("file", FS_O_RDWR);
    CHECK_EQ(5, OPS->read(S, h, 0, buf, sizeof(buf)));
    CHECK_EQ(0, OPS->getattr(S, file, 0, &attr));
    CHECK(has("file", "hello"));
    CHECK_EQ(0, share_memory_write(share, "file", 9, "", 0, 0));
    CHECK_EQ(serial, share_memory_serial(share));
    CHECK_EQ(3, OPS->write(S, h, 5, "!!!", 3, false));
    CHECK_EQ(serial + 1, share_memory_serial(share));
    CHECK_EQ(1, changes);
    CHECK(has("file", "hello!!!"));
    CHECK_EQ(0, share_memory_put(share, "file", "new", 3, 0755));
    CHECK_EQ(3, OPS->read(S, h, 0, buf, sizeof(buf)));
    CHECK(!memcmp(buf, "new", 3));
    CHECK_EQ(0, share_memory_rename(share, "file", "sub/moved", FS_RENAME_NOREPLACE));
    CHECK_EQ(0, OPS->getattr(S, file, 0, &attr));
    CHECK_EQ(FS_S_IFREG | 0644, attr.mode);
    CHECK_EQ(0, share_memory_remove(share, "sub", true));
    CHECK_EQ(3, OPS->read(S, h, 0, buf, sizeof(buf)));
    CHECK_EQ(0, OPS->getattr(S, file, 0, &attr));
    CHECK_EQ(0, attr.nlink);
    CHECK_EQ(4, changes);
    const fs_setattr_t set = {.set = FS_SET_SIZE | FS_SET_MTIME, .size = 9, .mtime = {77, 0}};
    CHECK_EQ(2, share_memory_write(share, "w", 3, "xy", 2, 0640));
    CHECK_EQ(0, share_memory_set(share, "w", &set));
    CHECK_EQ(0, OPS->lookup(S, FS_ROOT, "w", &attr));
    CHECK(attr.mode == (FS_S_IFREG | 0640) && attr.size == 9 && attr.mtime.sec == 77);
    h = open_file("w", 0);
    CHECK_EQ(9, OPS->read(S, h, 0, buf, sizeof(buf)));
    CHECK(!memcmp(buf, "\0\0\0xy\0\0\0\0", 9));
    uint64_t now = share_memory_serial(share);
    fs_attr_t made;
    CHECK_EQ(0, OPS->mkdir(S, FS_ROOT, "d", 0755, &made));
    CHECK_EQ(0, OPS->rename(S, FS_ROOT, "d", FS_ROOT, "e", 0));
    CHECK_EQ(0, OPS->unlink(S, FS_ROOT, "e", true));
    CHECK_EQ(0, OPS->setxattr(S, FS_ROOT, "user.a", "", 0, 0));
    CHECK_EQ(0, OPS->link(S, attr.node, FS_ROOT, "w2", &made));
    CHECK_EQ(now + 5, share_memory_serial(share));
    CHECK_EQ(serial + changes, share_memory_serial(share));
    down();
}

/* Room is there at once when the program removes what the guest knows, but has not open. */
TEST(what_is_removed_makes_room)
{
    enum { SIZE = 300000 };
    uint8_t *bytes = calloc(1, SIZE);
    fs_attr_t attr;
    uint64_t h;
    up(MB);
    uint64_t before = used();
    for (unsigned i = 0; i < 10; i++) {
        CHECK_EQ(0, share_memory_put(share, "big", bytes, SIZE, 0644));
        uint64_t node = look(FS_ROOT, "big");
        CHECK_EQ(0, OPS->open(S, node, 0, &h));
        CHECK_EQ(0, i % 2 ? share_memory_remove(share, "big", false)
                          : share_memory_rename(share, "file", "big", 0));
        CHECK_EQ(0, OPS->getattr(S, node, 0, &attr));
        CHECK_EQ(0, attr.nlink);
        CHECK(used() > SIZE);
        CHECK_EQ(0, OPS->close(S, h));
        CHECK(used() < before + 1000);
        CHECK_EQ(-FS_ESTALE, OPS->getattr(S, node, 0, &attr));
        CHECK_EQ(-FS_ESTALE, OPS->open(S, node, 0, &h));
        CHECK(look(FS_ROOT, "sub") != node);
        if (!(i % 2)) {
            CHECK_EQ(0, share_memory_rename(share, "big", "file", 0));
        }
    }
    free(bytes);
    down();
}

/* --- Servers --- */

TEST(one_guest_after_another)
{
    file_server_t second;
    fs_attr_t attr;
    up(MB);
    CHECK(!share_memory_serve(share, &second));
    uint64_t file = look(FS_ROOT, "file"), h = open_file("file", 0);
    CHECK_EQ(0, share_memory_remove(share, "file", false));
    OPS->free(S);
    CHECK_EQ(3, (share_memory_space(share, &space), space.files - 1));
    CHECK(share_memory_serve(share, &fs));
    CHECK_EQ(-FS_ESTALE, OPS->getattr(S, file, h, &attr));
    CHECK_EQ(-FS_EBADF, OPS->close(S, h));
    CHECK_EQ(0, OPS->getattr(S, FS_ROOT, 0, &attr));
    look(FS_ROOT, "sub");
    /* The program goes first. */
    share_memory_free(share);
    CHECK_EQ(0, OPS->getattr(S, FS_ROOT, 0, &attr));
    OPS->free(S);
    share_memory_free(NULL);
}

static unsigned served, most;

/* Is woken while it serves. */
static void serve_count(void *arg)
{
    static unsigned within;
    most = ++within > most ? within : most;
    if (++served % 3) {
        OPS->wake(S);
    }
    within--;
    (void)arg;
}

TEST(serves_at_once)
{
    up(MB);
    CHECK(OPS->start(S, serve_count, NULL));
    served = most = 0;
    OPS->wake(S);
    CHECK_EQ(3, served);
    CHECK_EQ(1, most);
    OPS->idle(S);
    OPS->wake(S);
    CHECK_EQ(6, served);
    down();
}

TEST(snapshots)
{
    static session_t session;
    char buf[16];
    fs_attr_t attr;
    up(MB);
    uint64_t file = look(FS_ROOT, "file"), sub = look(FS_ROOT, "sub"), deep = look(sub, "deep");
    uint64_t gone = look(FS_ROOT, "link"), h, d, g;
    CHECK_EQ(0, OPS->open(S, file, FS_O_RDWR | FS_O_APPEND, &h));
    CHECK_EQ(0, OPS->open(S, sub, 0, &d));
    CHECK_EQ(0, OPS->open(S, deep, 0, &g));
    CHECK_EQ(0, lock(h, FS_LOCK_WRITE, 3, 4));
    CHECK_EQ(0, OPS->unlink(S, FS_ROOT, "link", false));
    fs_snapshot_t snap = session_open(&session, true);
    CHECK(OPS->snapshot(S, &snap));
    size_t size = session.size;

    CHECK_EQ(0, share_memory_remove(share, "sub/deep", false));
    CHECK_EQ(0, share_memory_put(share, "sub/deep", "other", 5, 0644));
    OPS->reset(S);
    CHECK_EQ(-FS_ESTALE, OPS->getattr(S, file, 0, &attr));
    snap = session_open(&session, false);
    CHECK(OPS->snapshot(S, &snap));
    CHECK_EQ(0, OPS->getattr(S, file, 0, &attr));
    CHECK_EQ(5, attr.size);
    CHECK_EQ(1, OPS->write(S, h, 0, "+", 1, false));
    CHECK(has("file", "hello+"));
    CHECK_EQ(-FS_EAGAIN, lock(open_file("file", 0), FS_LOCK_READ, 4, 4));
    CHECK_EQ(0, OPS->getattr(S, sub, d, &attr));
    CHECK_EQ(-FS_ESTALE, OPS->getattr(S, deep, 0, &attr)); /* another file now */
    CHECK_EQ(-FS_EBADF, OPS->read(S, g, 0, buf, 1));
    CHECK_EQ(-FS_ESTALE, OPS->getattr(S, gone, 0, &attr));
    OPS->forget(S, gone, 1);
    OPS->forget(S, deep, 1);
    CHECK(look(sub, "deep") != deep);

    /* One file under two numbers: the second is stale. */
    static session_t twice;
    uint64_t same = look(FS_ROOT, "file"), fila;
    CHECK_EQ(0, share_memory_put(share, "fila", "", 0, 0644));
    fila = look(FS_ROOT, "fila");
    fs_snapshot_t snap2 = session_open(&twice, true);
    CHECK(OPS->snapshot(S, &snap2));
    uint8_t *from = NULL, *to = NULL;
    for (size_t i = 0; i + 5 < twice.size; i++) {
        from = memcmp(&twice.bytes[i], "/file", 5) ? from : &twice.bytes[i];
        to = memcmp(&twice.bytes[i], "/fila", 5) ? to : &twice.bytes[i];
    }
    CHECK(from && to);
    if (from && to) {
        memcpy(to - 16, from - 16, 21); /* inode, type, length, path */
    }
    snap2 = session_open(&twice, false);
    CHECK(OPS->snapshot(S, &snap2));
    CHECK_EQ(0, OPS->getattr(S, same, 0, &attr));
    CHECK_EQ(-FS_ESTALE, OPS->getattr(S, fila, 0, &attr));
    OPS->forget(S, fila, 1);
    CHECK_EQ(0, OPS->getattr(S, same, 0, &attr));

    /* Damaged ones: refused or not, nothing breaks. */
    uint32_t seed = 7;
    for (unsigned i = 0; i < 3000; i++) {
        static session_t bad;
        bad = session;
        bad.size = i < size ? i : size;
        for (unsigned k = 0; k < 3; k++) {
            seed = seed * 1664525 + 1013904223;
            bad.bytes[(seed >> 8) % size] ^= (uint8_t)(seed >> 24 | 1);
        }
        snap = session_open(&bad, false);
        if (!OPS->snapshot(S, &snap)) {
            OPS->reset(S);
        }
        CHECK_EQ(0, OPS->getattr(S, FS_ROOT, 0, &attr));
    }
    snap = session_open(&session, false);
    session.size = size;
    CHECK(OPS->snapshot(S, &snap));
    CHECK_EQ(0, OPS->getattr(S, file, h, &attr));
    down();
}

int main(void)
{
    RUN(a_full_folder);
    RUN(hardly_any_room);
    RUN(too_many_files);
    RUN(deep_folders);
    RUN(paths);
    RUN(lists_for_the_program);
    RUN(both_sides);
    RUN(what_is_removed_makes_room);
    RUN(one_guest_after_another);
    RUN(serves_at_once);
    RUN(snapshots);
    return tap_finish();
}
