/* SPDX-License-Identifier: MPL-2.0 */
/* The host folder behind virtio-9p and virtio-fs: what it does, and that nothing gets out of it. */
#include "share_dir.h"

#include "tap.h"

#ifdef __linux__

#include "file_server_rig.h"

#include <errno.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <time.h>

static share_dir_t sd;

static void up(bool read_only)
{
    if (!sd_make(&sd) || !sd_share(&sd, &fs, read_only, true)) {
        printf("Bail out! no folder\n");
        exit(1);
    }
}

static void down(void)
{
    CHECK(sd_sound(&sd));
    OPS->free(S);
    sd_remove(&sd);
}

TEST(looks_up)
{
    up(false);
    check_lookups();
    down();
}

TEST(hostile_names)
{
    char longest[300];
    up(false);
    check_names(longest);
    down();
}

TEST(links_and_special_files_are_not_followed)
{
    char text[FS_LINK_MAX + 1];
    fs_attr_t attr;
    uint64_t handle;
    up(false);
    uint64_t link = look(FS_ROOT, "up"), fifo = look(FS_ROOT, "fifo"), abs = look(FS_ROOT, "abs");
    CHECK_EQ(2, OPS->readlink(S, link, text));
    CHECK(!memcmp(text, "..", 2));
    CHECK_EQ(-FS_ENOTDIR, OPS->lookup(S, link, "secret", &attr));
    CHECK_EQ(-FS_ENOTDIR, OPS->lookup(S, abs, "secret", &attr));
    CHECK_EQ(-FS_ENOTDIR, OPS->create(S, abs, "x", FS_O_RDWR, 0644, &attr, &handle));
    CHECK_EQ(-FS_ELOOP, OPS->open(S, link, 0, &handle));
    CHECK_EQ(-FS_ELOOP, OPS->open(S, link, FS_O_DIRECTORY, &handle));
    CHECK_EQ(-FS_ENXIO, OPS->open(S, fifo, FS_O_RDWR, &handle));
    CHECK_EQ(-FS_ENXIO, OPS->create(S, FS_ROOT, "fifo", FS_O_WRONLY, 0644, &attr, &handle));
    CHECK_EQ(-FS_ELOOP, OPS->create(S, FS_ROOT, "abs", FS_O_WRONLY, 0644, &attr, &handle));
    CHECK_EQ(-FS_EPERM, OPS->link(S, fifo, FS_ROOT, "fifo2", &attr));
    CHECK_EQ(-FS_EPERM, OPS->mknod(S, FS_ROOT, "f", FS_S_IFIFO | 0644, &attr));
    CHECK_EQ(-FS_EPERM, OPS->mknod(S, FS_ROOT, "f", FS_S_IFCHR | 0644, &attr));
    CHECK_EQ(-FS_EINVAL, OPS->readlink(S, fifo, text));
    fs_setattr_t size = {.set = FS_SET_SIZE, .size = 1};
    CHECK_EQ(-FS_EINVAL, OPS->setattr(S, link, 0, &size));
    CHECK_EQ(-FS_EINVAL, OPS->setattr(S, fifo, 0, &size));
    fs_setattr_t mode = {.set = FS_SET_MODE, .mode = 0777};
    CHECK_EQ(-FS_EOPNOTSUPP, OPS->setattr(S, abs, 0, &mode));
    CHECK_EQ(-FS_EPERM, OPS->setattr(S, fifo, 0, &mode));
    CHECK_EQ(-FS_EOPNOTSUPP, OPS->setxattr(S, abs, "user.a", "x", 1, 0));
    down();
}

TEST(reads_and_writes)
{
    char buf[64] = "";
    fs_attr_t attr;
    uint64_t handle;
    up(false);
    CHECK_EQ(0, OPS->create(S, FS_ROOT, "new", FS_O_RDWR | FS_O_EXCL, 0640, &attr, &handle));
    CHECK_EQ(FS_S_IFREG | 0640, attr.mode);
    CHECK_EQ(3, OPS->write(S, handle, 0, "abc", 3, false));
    CHECK_EQ(3, OPS->write(S, handle, UINT64_C(5) << 30, "far", 3, false));
    CHECK_EQ(3, OPS->read(S, handle, UINT64_C(5) << 30, buf, 10));
    CHECK(!memcmp(buf, "far", 3));
    CHECK_EQ(0, OPS->read(S, handle, UINT64_C(6) << 30, buf, 10));
    CHECK_EQ(-FS_EFBIG, OPS->write(S, handle, UINT64_MAX, "a", 1, false));
    CHECK_EQ(-FS_EINVAL, OPS->read(S, handle, UINT64_MAX, buf, 1));
    CHECK_EQ(0, OPS->getattr(S, attr.node, handle, &attr));
    CHECK_EQ((UINT64_C(5) << 30) + 3, attr.size);
    CHECK_EQ(0, OPS->fsync(S, handle, false));
    CHECK(OPS->seek(S, handle, 4096, FS_SEEK_DATA) >= 0);
    CHECK_EQ(-FS_EEXIST, OPS->create(S, FS_ROOT, "new", FS_O_EXCL, 0, &attr, &handle));

    uint64_t second;
    CHECK_EQ(0, OPS->create(S, FS_ROOT, "file", FS_O_WRONLY | FS_O_APPEND, 0, &attr, &second));
    CHECK_EQ(2, OPS->write(S, second, 0, ", ", 2, false));
    CHECK_EQ(5, OPS->write(S, second, 0, "world", 5, false));
    CHECK_EQ(1, OPS->write(S, second, 0, "H", 1, true));
    CHECK(!strcmp(sd_read(sd_path(&sd, "file")), "Hello, world"));
    CHECK_EQ(-FS_EBADF, OPS->read(S, second, 0, buf, 1));
    CHECK_EQ(0, OPS->close(S, second));
    CHECK_EQ(-FS_EBADF, OPS->close(S, second));
    CHECK_EQ(-FS_EBADF, OPS->write(S, second, 0, "x", 1, false));
    CHECK_EQ(0, OPS->open(S, attr.node, FS_O_WRONLY | FS_O_TRUNC, &second));
    CHECK(!strcmp(sd_read(sd_path(&sd, "file")), ""));
    down();
}

TEST(files_without_a_name_live_on)
{
    char buf[8];
    fs_attr_t attr;
    uint64_t handle;
    up(false);
    uint64_t file = look(FS_ROOT, "file");
    CHECK_EQ(0, OPS->open(S, file, FS_O_RDWR, &handle));
    CHECK_EQ(0, OPS->unlink(S, FS_ROOT, "file", false));
    CHECK_EQ(5, OPS->read(S, handle, 0, buf, 8));
    CHECK_EQ(0, OPS->getattr(S, file, handle, &attr));
    CHECK_EQ(0, attr.nlink);
    fs_setattr_t size = {.set = FS_SET_SIZE, .size = 2};
    CHECK_EQ(0, OPS->setattr(S, file, handle, &size));
    CHECK_EQ(2, OPS->read(S, handle, 0, buf, 8));
    CHECK_EQ(-FS_ENOENT, OPS->lookup(S, FS_ROOT, "file", &attr));
    down();
}

TEST(renames)
{
    fs_attr_t attr;
    char name[FS_NAME_MAX + 1];
    uint64_t dir, file;
    up(false);
    file = look(FS_ROOT, "file");
    uint64_t sub = look(FS_ROOT, "sub");
    CHECK_EQ(-FS_EEXIST, OPS->rename(S, FS_ROOT, "file", sub, "deep", FS_RENAME_NOREPLACE));
    CHECK_EQ(0, OPS->rename(S, FS_ROOT, "file", sub, "deep", FS_RENAME_EXCHANGE));
    CHECK(!strcmp(sd_read(sd_path(&sd, "file")), "deep"));
    CHECK_EQ(0, OPS->name_of(S, file, &dir, name));
    CHECK_EQ(sub, dir);
    CHECK(!strcmp(name, "deep"));
    CHECK_EQ(0, OPS->rename(S, sub, "deep", FS_ROOT, "file", 0));
    CHECK(!strcmp(sd_read(sd_path(&sd, "file")), "hello"));
    CHECK_EQ(-FS_EINVAL, OPS->rename(S, FS_ROOT, "sub", sub, "in-itself", 0));
    CHECK_EQ(-FS_EINVAL, OPS->rename(S, FS_ROOT, "file", sub, "a", 8));
    CHECK_EQ(-FS_EBUSY, OPS->name_of(S, FS_ROOT, &dir, name));
    CHECK_EQ(0, OPS->link(S, file, sub, "hard", &attr));
    CHECK_EQ(file, attr.node);
    CHECK_EQ(2, attr.nlink);
    CHECK_EQ(-FS_ENOTEMPTY, OPS->unlink(S, FS_ROOT, "sub", true));
    CHECK_EQ(-FS_EISDIR, OPS->unlink(S, FS_ROOT, "sub", false));
    CHECK_EQ(-FS_ENOTDIR, OPS->unlink(S, FS_ROOT, "file", true));
    down();
}

TEST(attributes)
{
    fs_attr_t attr;
    up(false);
    uint64_t file = look(FS_ROOT, "file");
    fs_setattr_t change = {.set = FS_SET_MODE | FS_SET_SIZE | FS_SET_MTIME | FS_SET_UID,
                           .mode = 06751,
                           .size = 3,
                           .mtime = {1000000000, 123456789}};
    CHECK_EQ(0, OPS->setattr(S, file, 0, &change));
    CHECK_EQ(0, OPS->getattr(S, file, 0, &attr));
    CHECK_EQ(FS_S_IFREG | 0751, attr.mode);
    CHECK_EQ(3, attr.size);
    CHECK_EQ(1000000000, attr.mtime.sec);
    CHECK_EQ(123456789, attr.mtime.nsec);
    struct stat st;
    CHECK(stat(sd_path(&sd, "file"), &st) == 0 && (st.st_mode & 07777) == 0751);
    change = (fs_setattr_t){.set = FS_SET_GID, .gid = 1000};
    CHECK_EQ(-FS_EPERM, OPS->setattr(S, file, 0, &change));
    change = (fs_setattr_t){.set = FS_SET_SIZE, .size = UINT64_MAX};
    CHECK_EQ(-FS_EFBIG, OPS->setattr(S, file, 0, &change));
    change.set = FS_SET_SIZE;
    CHECK_EQ(-FS_EISDIR, (change.size = 0, OPS->setattr(S, FS_ROOT, 0, &change)));
    change = (fs_setattr_t){.set = FS_SET_ATIME_NOW | FS_SET_MTIME, .mtime = {5, 0}};
    uint64_t link = look(FS_ROOT, "abs");
    CHECK_EQ(0, OPS->setattr(S, link, 0, &change));
    CHECK_EQ(0, OPS->getattr(S, link, 0, &attr));
    CHECK_EQ(5, attr.mtime.sec);
    fs_statfs_t stat_fs;
    CHECK_EQ(0, OPS->statfs(S, FS_ROOT, &stat_fs));
    CHECK(stat_fs.blocks && stat_fs.bsize && stat_fs.namelen == 255);
    down();
}

TEST(extended_attributes)
{
    char buf[64];
    up(false);
    uint64_t file = look(FS_ROOT, "file");
    int error = OPS->setxattr(S, file, "user.a", "value", 5, FS_XATTR_CREATE);
    if (error != -FS_EOPNOTSUPP) { /* some file systems have none */
        CHECK_EQ(0, error);
        CHECK_EQ(-FS_EEXIST, OPS->setxattr(S, file, "user.a", "v", 1, FS_XATTR_CREATE));
        CHECK_EQ(-FS_ENODATA, OPS->setxattr(S, file, "user.b", "v", 1, FS_XATTR_REPLACE));
        CHECK_EQ(5, OPS->getxattr(S, file, "user.a", NULL, 0));
        CHECK_EQ(-FS_ERANGE, OPS->getxattr(S, file, "user.a", buf, 4));
        CHECK_EQ(5, OPS->getxattr(S, file, "user.a", buf, sizeof(buf)));
        CHECK(!memcmp(buf, "value", 5));
        CHECK_EQ(7, OPS->listxattr(S, file, NULL, 0));
        CHECK_EQ(-FS_ERANGE, OPS->listxattr(S, file, buf, 6));
        CHECK_EQ(7, OPS->listxattr(S, file, buf, sizeof(buf)));
        CHECK_EQ(0, OPS->removexattr(S, file, "user.a"));
        CHECK_EQ(-FS_ENODATA, OPS->getxattr(S, file, "user.a", buf, sizeof(buf)));
    }
    CHECK_EQ(-FS_EOPNOTSUPP, OPS->setxattr(S, file, "trusted.a", "v", 1, 0));
    CHECK_EQ(-FS_EOPNOTSUPP, OPS->setxattr(S, file, "security.capability", "v", 1, 0));
    CHECK_EQ(-FS_EOPNOTSUPP, OPS->getxattr(S, file, "user.", buf, 1));
    down();
}

TEST(locks)
{
    up(false);
    uint64_t a = open_file("file", FS_O_RDWR), b = open_file("file", FS_O_RDWR);
    check_locks(a, b);
    down();
}

TEST(many_locks)
{
    up(false);
    uint64_t a = open_file("file", FS_O_RDWR), b = open_file("file", FS_O_RDWR);
    check_many_locks(a, b);
    down();
}

TEST(read_only)
{
    fs_attr_t attr;
    uint64_t handle;
    char buf[8];
    up(true);
    uint64_t file = look(FS_ROOT, "file");
    fs_setattr_t change = {.set = FS_SET_MODE, .mode = 0777};
    CHECK_EQ(0, OPS->open(S, file, 0, &handle));
    CHECK_EQ(5, OPS->read(S, handle, 0, buf, 8));
    CHECK_EQ(-FS_EBADF, OPS->write(S, handle, 0, "x", 1, false));
    CHECK_EQ(-FS_EBADF, OPS->fallocate(S, handle, 0, 0, 100));
    CHECK_EQ(-FS_EROFS, OPS->open(S, file, FS_O_WRONLY, &handle));
    CHECK_EQ(-FS_EROFS, OPS->open(S, file, FS_O_RDWR, &handle));
    CHECK_EQ(-FS_EROFS, OPS->open(S, file, FS_O_TRUNC, &handle));
    CHECK_EQ(-FS_EROFS, OPS->create(S, FS_ROOT, "new", FS_O_RDWR, 0644, &attr, &handle));
    CHECK_EQ(-FS_EROFS, OPS->create(S, FS_ROOT, "file", 0, 0644, &attr, &handle));
    CHECK_EQ(-FS_EROFS, OPS->mkdir(S, FS_ROOT, "new", 0755, &attr));
    CHECK_EQ(-FS_EROFS, OPS->mknod(S, FS_ROOT, "new", FS_S_IFREG, &attr));
    CHECK_EQ(-FS_EROFS, OPS->symlink(S, FS_ROOT, "new", "x", &attr));
    CHECK_EQ(-FS_EROFS, OPS->link(S, file, FS_ROOT, "new", &attr));
    CHECK_EQ(-FS_EROFS, OPS->unlink(S, FS_ROOT, "file", false));
    CHECK_EQ(-FS_EROFS, OPS->rename(S, FS_ROOT, "file", FS_ROOT, "new", 0));
    CHECK_EQ(-FS_EROFS, OPS->setattr(S, file, 0, &change));
    CHECK_EQ(-FS_EROFS, OPS->setxattr(S, file, "user.a", "x", 1, 0));
    CHECK_EQ(-FS_EROFS, OPS->removexattr(S, file, "user.a"));
    CHECK(!strcmp(sd_read(sd_path(&sd, "file")), "hello"));
    down();
}

TEST(lists_folders)
{
    enum { FILES = 500 };
    char name[32];
    unsigned char seen[FILES] = {0};
    fs_dirent_t entry;
    uint64_t handle, cookies[FILES + 10];
    unsigned count = 0;
    up(false);
    for (int i = 0; i < FILES; i++) {
        snprintf(name, sizeof(name), "sub/f%d", i);
        CHECK(sd_write(sd_path(&sd, name), ""));
    }
    CHECK_EQ(0, OPS->open(S, look(FS_ROOT, "sub"), FS_O_DIRECTORY, &handle));
    for (uint64_t cookie = 0; OPS->readdir(S, handle, cookie, &entry) == 1 && count < FILES + 10;) {
        seen[entry.name[0] == 'f' ? atoi(entry.name + 1) % FILES : 0]++;
        cookie = cookies[count++] = entry.next;
    }
    CHECK_EQ(FILES + 3, count);
    CHECK(!memchr(seen, 0, sizeof(seen)));
    /* Going back to any cookie gives what followed it then. */
    for (unsigned i = count - 1; i > 0; i -= i > 7 ? 7 : 1) {
        CHECK_EQ(1, OPS->readdir(S, handle, cookies[i - 1], &entry));
        CHECK_EQ(cookies[i], entry.next);
    }
    CHECK_EQ(0, OPS->readdir(S, handle, cookies[count - 1], &entry));
    fs_attr_t root;
    CHECK_EQ(0, OPS->getattr(S, FS_ROOT, 0, &root));
    CHECK_EQ(0, OPS->open(S, FS_ROOT, FS_O_DIRECTORY, &handle));
    for (uint64_t cookie = 0; OPS->readdir(S, handle, cookie, &entry) == 1; cookie = entry.next) {
        CHECK(strcmp(entry.name, "..") != 0 || entry.ino == root.ino);
    }
    down();
}

/* With few descriptors nodes are closed and opened again; handles run out with an error. */
TEST(few_descriptors)
{
    enum { NODES = 300 };
    struct rlimit old, few;
    char name[32];
    uint64_t node[NODES], handle;
    fs_attr_t attr;
    getrlimit(RLIMIT_NOFILE, &old);
    few = old;
    few.rlim_cur = 60;
    setrlimit(RLIMIT_NOFILE, &few);
    up(false);
    for (int i = 0; i < NODES; i++) {
        snprintf(name, sizeof(name), "sub/f%d", i);
        CHECK(sd_write(sd_path(&sd, name), "x"));
        node[i] = look(look(FS_ROOT, "sub"), name + 4);
    }
    CHECK_EQ(0, OPS->rename(S, FS_ROOT, "sub", FS_ROOT, "moved", 0));
    for (int i = 0; i < NODES; i++) {
        CHECK_EQ(0, OPS->getattr(S, node[i], 0, &attr));
        CHECK_EQ(1, attr.size);
    }
    int error = 0, opened = 0;
    while (!error && opened < NODES) {
        error = OPS->open(S, node[opened++], 0, &handle);
    }
    CHECK_EQ(-FS_EMFILE, error);
    CHECK(opened > 30);
    OPS->reset(S);
    CHECK_EQ(-FS_ESTALE, OPS->getattr(S, node[0], 0, &attr));
    CHECK_EQ(0, OPS->getattr(S, FS_ROOT, 0, &attr));
    /* A file that was put in another's place is not taken for it. */
    node[0] = look(look(FS_ROOT, "moved"), "f0");
    for (int i = 1; i < NODES; i++) {
        snprintf(name, sizeof(name), "f%d", i);
        look(look(FS_ROOT, "moved"), name);
    }
    CHECK(rename(sd_path(&sd, "moved/f1"), sd_path(&sd, "moved/f0")) == 0);
    CHECK_EQ(-FS_ESTALE, OPS->getattr(S, node[0], 0, &attr));
    down();
    setrlimit(RLIMIT_NOFILE, &old);
}

TEST(a_folder_that_is_removed)
{
    fs_attr_t attr;
    uint64_t handle, dir;
    fs_dirent_t entry;
    up(false);
    uint64_t file = look(FS_ROOT, "file");
    CHECK_EQ(0, OPS->open(S, FS_ROOT, FS_O_DIRECTORY, &dir));
    sd_empty(open(sd.in, O_RDONLY | O_DIRECTORY));
    CHECK(rmdir(sd.in) == 0);
    CHECK_EQ(-FS_ENOENT, OPS->lookup(S, FS_ROOT, "file", &attr));
    CHECK_EQ(-FS_ENOENT, OPS->create(S, FS_ROOT, "new", FS_O_RDWR, 0644, &attr, &handle));
    CHECK_EQ(-FS_ENOENT, OPS->mkdir(S, FS_ROOT, "new", 0755, &attr));
    CHECK(OPS->readdir(S, dir, 0, &entry) <= 0);
    CHECK(OPS->statfs(S, FS_ROOT, &(fs_statfs_t){.bsize = 0}) <= 0);
    CHECK_EQ(0, OPS->getattr(S, file, 0, &attr));
    CHECK(mkdir(sd.in, 0755) == 0);
    down();
}

/* --- A neighbour that swaps a folder, a file and links while the guest works --- */

static uint32_t race_stop;

static void *race_swap(void *arg)
{
    const char *a = arg, *b = a + 512, *c = b + 512;
    while (!__atomic_load_n(&race_stop, __ATOMIC_RELAXED)) {
        /* `swap` is a folder, then a link to the outside, then a FIFO. */
        syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, FS_RENAME_EXCHANGE);
        syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, c, FS_RENAME_EXCHANGE);
    }
    return NULL;
}

/* Everything that a guest can do with sd/in/swap/inside; true when something of the outside came
 * in. */
static bool race_try(void)
{
    fs_attr_t attr, inner;
    uint64_t handle;
    char buf[16] = "";
    bool leaked = false;
    if (OPS->lookup(S, FS_ROOT, "swap", &attr)) {
        return false;
    }
    if (OPS->lookup(S, attr.node, "inside", &inner) == 0) {
        if (OPS->open(S, inner.node, FS_O_RDWR, &handle) == 0) {
            leaked = OPS->read(S, handle, 0, buf, 15) > 0 && !strcmp(buf, "outside");
            OPS->write(S, handle, 0, "guest", 5, false);
            OPS->close(S, handle);
        }
        OPS->forget(S, inner.node, 1);
    }
    if (OPS->create(S, attr.node, "planted", FS_O_RDWR | FS_O_TRUNC, 0600, &inner, &handle) == 0) {
        OPS->close(S, handle);
        OPS->forget(S, inner.node, 1);
    }
    if (OPS->create(S, FS_ROOT, "swap", FS_O_WRONLY, 0600, &inner, &handle) == 0) {
        OPS->close(S, handle);
        OPS->forget(S, inner.node, 1);
    }
    OPS->unlink(S, attr.node, "planted", false);
    OPS->forget(S, attr.node, 1);
    return leaked;
}

TEST(racing_renamer)
{
    static char paths[3][512];
    char outside[128];
    struct timespec start, now;
    pthread_t thread;
    unsigned tries = 0, leaks = 0;
    up(false);
    snprintf(paths[0], 512, "%s/swap", sd.in);
    snprintf(paths[1], 512, "%s/link", sd.in);
    snprintf(paths[2], 512, "%s/pipe", sd.in);
    snprintf(outside, sizeof(outside), "%s/out", sd.outer);
    CHECK(mkdir(paths[0], 0755) == 0 && symlink(outside, paths[1]) == 0 &&
          mkfifo(paths[2], 0644) == 0);
    snprintf(outside, sizeof(outside), "%s/swap/inside", sd.in);
    CHECK(sd_write(outside, "own"));
    __atomic_store_n(&race_stop, 0, __ATOMIC_RELAXED);
    CHECK(pthread_create(&thread, NULL, race_swap, paths) == 0);
    clock_gettime(CLOCK_MONOTONIC, &start);
    do {
        leaks += race_try();
        tries++;
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while (now.tv_sec - start.tv_sec < 2);
    __atomic_store_n(&race_stop, 1, __ATOMIC_RELAXED);
    pthread_join(thread, NULL);
    CHECK_EQ(0, leaks);
    CHECK(tries > 100);
    snprintf(outside, sizeof(outside), "%s/out/planted", sd.outer);
    CHECK(access(outside, F_OK) != 0);
    down();
}

/* --- Opening, and the thread --- */

TEST(says_what_is_wrong)
{
    char why[200] = "";
    file_server_t none;
    up(false);
    CHECK(!share_open(&none, &(share_desc_t){.dir = sd_path(&sd, "missing")}, why, sizeof(why)));
    CHECK(strstr(why, "cannot be shared"));
    CHECK(!share_open(&none, &(share_desc_t){.dir = sd_path(&sd, "file")}, why, sizeof(why)));
    CHECK(strstr(why, "not a folder"));
    down();
}

static uint32_t served, serving;

static void serve_count(void *arg)
{
    (void)arg;
    __atomic_store_n(&serving, 1, __ATOMIC_SEQ_CST);
    nanosleep(&(struct timespec){0, 2000000}, NULL);
    __atomic_fetch_add(&served, 1, __ATOMIC_SEQ_CST);
    __atomic_store_n(&serving, 0, __ATOMIC_SEQ_CST);
}

TEST(thread_serves_what_it_is_woken_for)
{
    CHECK(sd_make(&sd) && sd_share(&sd, &fs, false, false));
    CHECK(OPS->start(S, serve_count, NULL));
    OPS->idle(S);
    CHECK_EQ(0, __atomic_load_n(&served, __ATOMIC_SEQ_CST));
    for (unsigned i = 1; i <= 20; i++) {
        uint32_t before = __atomic_load_n(&served, __ATOMIC_SEQ_CST);
        OPS->wake(S);
        OPS->idle(S);
        CHECK(__atomic_load_n(&served, __ATOMIC_SEQ_CST) > before);
        CHECK_EQ(0, __atomic_load_n(&serving, __ATOMIC_SEQ_CST));
    }
    OPS->wake(S);
    down();
}

int main(void)
{
    RUN(looks_up);
    RUN(hostile_names);
    RUN(links_and_special_files_are_not_followed);
    RUN(reads_and_writes);
    RUN(files_without_a_name_live_on);
    RUN(renames);
    RUN(attributes);
    RUN(extended_attributes);
    RUN(locks);
    RUN(many_locks);
    RUN(read_only);
    RUN(lists_folders);
    RUN(few_descriptors);
    RUN(a_folder_that_is_removed);
    RUN(racing_renamer);
    RUN(says_what_is_wrong);
    RUN(thread_serves_what_it_is_woken_for);
    return tap_finish();
}

#else

TEST(needs_linux)
{
    char why[200] = "";
    file_server_t none;
    CHECK(!share_open(&none, &(share_desc_t){.dir = "/"}, why, sizeof(why)));
    CHECK(strstr(why, "need Linux"));
}

int main(void)
{
    RUN(needs_linux);
    return tap_finish();
}

#endif
