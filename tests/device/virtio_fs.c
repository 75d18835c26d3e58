/* SPDX-License-Identifier: MPL-2.0 */
/* virtio-fs as a guest's driver sees it (VirtIO 1.2 §5.11): every FUSE request, and what a hostile
 * guest sends. */
#include "share_dir.h"

#include "device/sessions.h"
#include "device/virtio_driver.h"
#include "devices/fuse.h"
#include "devices/virtio_fs.h"
#include "util.h"

#ifdef __linux__

#define V1 VIRTIO_F_VERSION_1

enum {
    ROOM = 65536,
    HIPRIO = 0,
    REQUEST = 1,
    SILENT = 999,
    LOOKUP = 1,
    FORGET,
    GETATTR,
    SETATTR,
    READLINK,
    SYMLINK,
    MKNOD = 8,
    MKDIR,
    UNLINK,
    RMDIR,
    RENAME,
    LINK,
    OPEN,
    READ,
    WRITE,
    STATFS,
    RELEASE,
    FSYNC = 20,
    SETXATTR,
    GETXATTR,
    LISTXATTR,
    REMOVEXATTR,
    FLUSH,
    INIT,
    OPENDIR,
    READDIR,
    RELEASEDIR,
    FSYNCDIR,
    GETLK,
    SETLK,
    SETLKW,
    ACCESS,
    CREATE,
    INTERRUPT,
    BMAP,
    DESTROY,
    IOCTL,
    POLL,
    NOTIFY_REPLY,
    BATCH_FORGET,
    FALLOCATE,
    READDIRPLUS,
    RENAME2,
    LSEEK,
    COPY_FILE_RANGE,
    SETUPMAPPING,
    SYNCFS = 50,
    TMPFILE,
    UNKNOWN = 4000
};

static share_dir_t sd;
static vd_t vd;
static uint64_t request, reply, node = 1, unique;
static uint8_t *msg;
static const uint8_t *got; /* the reply behind its header */
static uint32_t at, used;

static void start(bool read_only)
{
    file_server_t server;
    virtio_desc_t desc;
    vd_machine(&vd);
    CHECK(sd_make(&sd) && sd_share(&sd, &server, read_only, true));
    CHECK(virtio_fs_describe(&desc, "home", &server));
    CHECK(vd_attach(&vd, &desc, 0));
    CHECK(vd_start(&vd, V1));
    request = vd_alloc(&vd, ROOM);
    reply = vd_alloc(&vd, ROOM);
    msg = vd_ptr(&vd, request);
    got = (uint8_t *)vd_ptr(&vd, reply) + 16;
    node = 1;
}

static void stop(void)
{
    CHECK(!vd_broken(&vd));
    CHECK(sd_sound(&sd));
    vd_close(&vd);
    sd_remove(&sd);
}

/* Writes a request for `node`: 4, 8 are sizes of integers, s a string with its NUL, b one without.
 */
static void put(uint32_t opcode, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    memset(msg, 0, 40);
    at = 40;
    for (; *format; format++) {
        if (*format == '4' || *format == '8') {
            uint8_t le[8];
            util_put_le64(le, va_arg(args, uint64_t));
            memcpy(msg + at, le, (size_t)(*format - '0'));
            at += (uint32_t)(*format - '0');
        } else {
            const char *text = va_arg(args, const char *);
            memcpy(msg + at, text, strlen(text) + 1);
            at += (uint32_t)strlen(text) + (*format == 's');
        }
    }
    va_end(args);
    util_put_le32(msg, at);
    util_put_le32(msg + 4, opcode);
    util_put_le64(msg + 8, ++unique);
    util_put_le64(msg + 16, node);
}

static void offer(unsigned queue, uint32_t room)
{
    const vd_buf_t buf[2] = {{request, at, false}, {reply, room, true}};
    vd_add(&vd, queue, buf, room ? 2 : 1);
    vd_kick(&vd, queue);
}

/* The error of the reply; SILENT: it is empty. */
static unsigned result(unsigned queue)
{
    uint16_t id;
    used = 0;
    CHECK(vd_used(&vd, queue, &id, &used));
    if (!used) {
        return SILENT;
    }
    CHECK_EQ(used, util_get_le32(got - 16));
    return (unsigned)-(int32_t)util_get_le32(got - 12);
}

static unsigned send_room(uint32_t room)
{
    offer(REQUEST, room);
    unsigned error = result(REQUEST);
    CHECK(error == SILENT || util_get_le64(got - 8) == unique);
    CHECK(error == SILENT || error == 0 || used == 16);
    return error;
}

#define U(v) ((uint64_t)(v))
#define T(error, ...) (put(__VA_ARGS__), tap_g_error = send_room(ROOM), CHECK_WANT(error))
#define CHECK_WANT(error) check_want(error, __LINE__)
static unsigned tap_g_error;

static void check_want(unsigned want, int line)
{
    if (want != tap_g_error && ++tap_bad_checks <= 20) {
        printf("# %s:%d: want error %u, got %u\n", __FILE__, line, want, tap_g_error);
    }
}

static void init(void)
{
    T(0, INIT, "4444", U(7), U(38), U(131072), U(0xffffffff));
}

static void session(bool read_only)
{
    start(read_only);
    init();
}

static uint64_t look(uint64_t dir, const char *name)
{
    node = dir;
    T(0, LOOKUP, "s", name);
    node = 1;
    return util_get_le64(got);
}

static uint64_t open_file(uint64_t id, uint32_t flags)
{
    node = id;
    T(0, OPEN, "44", U(flags), U(0));
    return util_get_le64(got);
}

TEST(configuration)
{
    uint8_t config[40];
    start(false);
    vd_config_read(&vd, 0, config, 40, 1);
    CHECK(!memcmp(config, "home\0\0\0", 8));
    CHECK_EQ(1, util_get_le32(config + 36));
    CHECK_EQ(VIRTIO_ID_FS, vd_read(&vd, VD_DEVICE_ID));
    vd_write(&vd, VD_QUEUE_SEL, 1);
    CHECK(vd_read(&vd, VD_QUEUE_NUM_MAX) > 0);
    vd_write(&vd, VD_QUEUE_SEL, 2);
    CHECK_EQ(0, vd_read(&vd, VD_QUEUE_NUM_MAX));
    stop();
}

TEST(init_first)
{
    start(false);
    T(FS_EIO, GETATTR, "448", U(0), U(0), U(0));
    T(FS_EPROTO, INIT, "4444", U(6), U(31), U(0), U(0));
    T(FS_EPROTO, INIT, "4444", U(7), U(20), U(0), U(0));
    T(FS_EPROTO, INIT, "44", U(7), U(31));
    T(0, INIT, "4444", U(8), U(0), U(0), U(0));
    T(FS_EIO, GETATTR, "448", U(0), U(0), U(0));
    init();
    CHECK_EQ(80, used);
    CHECK_EQ(7, util_get_le32(got));
    CHECK_EQ(31, util_get_le32(got + 4));
    CHECK_EQ(131072, util_get_le32(got + 8));
    CHECK_EQ(1 << 22, util_get_le32(got + 12) & 1 << 22);
    CHECK_EQ(0, util_get_le32(got + 12) & (1 << 16 | 1 << 10 | 1 << 30));
    CHECK_EQ(FUSE_DATA_MAX, util_get_le32(got + 20));
    CHECK_EQ(128, util_get_le16(got + 28));
    T(0, GETATTR, "448", U(0), U(0), U(0));
    CHECK_EQ(16 + 104, used);
    CHECK_EQ(040755, util_get_le32(got + 16 + 60));
    T(0, DESTROY, "");
    T(FS_EIO, GETATTR, "448", U(0), U(0), U(0));
    stop();
}

TEST(lookup_and_forget)
{
    session(false);
    uint64_t sub = look(1, "sub"), deep = look(sub, "deep");
    CHECK_EQ(16 + 128, used);
    CHECK_EQ(4, util_get_le64(got + 40 + 8));
    static const char *const bad[] = {"", ".", "..", "../secret", "/etc", "sub/deep", "file/"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        T(FS_EINVAL, LOOKUP, "s", bad[i]);
    }
    T(FS_EINVAL, LOOKUP, "b", "file");
    T(FS_EINVAL, LOOKUP, "");
    T(FS_ENOENT, LOOKUP, "s", "none");
    node = look(1, "up");
    T(FS_ENOTDIR, LOOKUP, "s", "secret");
    T(0, READLINK, "");
    CHECK(used == 18 && !memcmp(got, "..", 2));
    node = deep;
    put(FORGET, "8", U(1));
    offer(HIPRIO, 0);
    CHECK_EQ(SILENT, result(HIPRIO));
    T(FS_ESTALE, GETATTR, "448", U(0), U(0), U(0));
    look(1, "sub");
    put(BATCH_FORGET, "44888888", U(3), U(0), sub, U(UINT64_MAX), U(12345), U(1), U(0), U(7));
    offer(HIPRIO, 0);
    CHECK_EQ(SILENT, result(HIPRIO));
    put(BATCH_FORGET, "448", U(0xffffffff), U(0), U(1));
    offer(HIPRIO, 0);
    CHECK_EQ(SILENT, result(HIPRIO));
    node = sub;
    T(FS_ESTALE, GETATTR, "448", U(0), U(0), U(0));
    node = 0;
    T(FS_ESTALE, GETATTR, "448", U(0), U(0), U(0));
    node = UINT64_MAX;
    T(FS_ESTALE, LOOKUP, "s", "file");
    stop();
}

TEST(files)
{
    session(false);
    T(0, CREATE, "4444s", U(2), U(0100640), U(0), U(0), "new");
    CHECK_EQ(16 + 128 + 16, used);
    uint64_t id = util_get_le64(got), handle = util_get_le64(got + 128);
    node = id;
    T(0, WRITE, "884488b", handle, U(0), U(9), U(0), U(0), U(0), "some text");
    CHECK_EQ(9, util_get_le32(got));
    T(0, READ, "884484", handle, U(5), U(100), U(0), U(0), U(0));
    CHECK(used == 20 && !memcmp(got, "text", 4));
    T(FS_EINVAL, WRITE, "884488b", handle, U(0), U(10), U(0), U(0), U(0), "some text");
    T(FS_EFBIG, WRITE, "884488b", handle, U(-1), U(1), U(0), U(0), U(0), "s");
    T(0, FSYNC, "84", handle, U(1));
    T(0, FALLOCATE, "88844", handle, U(0), U(100), U(0), U(0));
    T(0, GETATTR, "448", U(1), U(0), handle);
    CHECK_EQ(100, util_get_le64(got + 16 + 8));
    T(0, LSEEK, "8844", handle, U(0), U(4), U(0));
    T(FS_EINVAL, LSEEK, "8844", handle, U(0), U(2), U(0));
    /* size, mtime and mode; the handle is used. */
    T(0, SETATTR,
      "44888888444444"
      "44",
      U(8 | 32 | 1 | 64), U(0), handle, U(4), U(0), U(0), U(1000), U(0), U(0), U(5), U(0), U(0600),
      U(0), U(0), U(0), U(0));
    CHECK_EQ(4, util_get_le64(got + 16 + 8));
    CHECK_EQ(1000, util_get_le64(got + 16 + 32));
    CHECK_EQ(0100600, util_get_le32(got + 16 + 60));
    T(FS_EPERM, SETATTR,
      "44888888444444"
      "44",
      U(2), U(0), handle, U(4), U(0), U(0), U(0), U(0), U(0), U(0), U(0), U(0), U(0), U(1000), U(0),
      U(0));
    CHECK(!strcmp(sd_read(sd_path(&sd, "new")), "some"));
    T(0, FLUSH, "8448", handle, U(0), U(0), U(1));
    T(0, RELEASE, "8448", handle, U(0), U(0), U(0));
    T(FS_EBADF, RELEASE, "8448", handle, U(0), U(0), U(0));
    T(FS_EBADF, READ, "884484", handle, U(5), U(100), U(0), U(0), U(0));
    /* An appending handle appends, except for pages that are written back. */
    handle = open_file(id, 1 | 02000);
    T(0, WRITE, "884488b", handle, U(0), U(1), U(0), U(0), U(0), "!");
    T(0, WRITE, "884488b", handle, U(0), U(1), U(1), U(0), U(0), "S");
    CHECK(!strcmp(sd_read(sd_path(&sd, "new")), "Some!"));
    node = look(1, "fifo");
    uint64_t fifo = node;
    node = fifo;
    T(FS_ENXIO, OPEN, "44", U(2), U(0));
    node = look(1, "abs");
    T(FS_ELOOP, OPEN, "44", U(0), U(0));
    node = 1;
    T(0, STATFS, "");
    CHECK_EQ(16 + 80, used);
    stop();
}

TEST(names)
{
    session(false);
    T(0, MKDIR, "44s", U(0750), U(0), "dir");
    uint64_t dir = util_get_le64(got), file = look(1, "file");
    T(0, SYMLINK, "ss", "link", "../../secret");
    T(0, MKNOD, "4444s", U(0100644), U(0), U(0), U(0), "node");
    T(FS_EPERM, MKNOD, "4444s", U(0020644), U(0x103), U(0), U(0), "device");
    T(FS_EPERM, MKNOD, "4444s", U(0140644), U(0), U(0), U(0), "socket");
    node = dir;
    T(0, LINK, "8s", file, "hard");
    CHECK_EQ(file, util_get_le64(got));
    CHECK_EQ(2, util_get_le32(got + 40 + 64));
    T(FS_EEXIST, LINK, "8s", file, "hard");
    T(FS_ESTALE, LINK, "8s", U(9999), "hard2");
    node = 1;
    T(0, RENAME, "8ss", dir, "file", "moved");
    CHECK(!strcmp(sd_read(sd_path(&sd, "dir/moved")), "hello"));
    T(FS_EEXIST, RENAME2, "844ss", dir, U(1), U(0), "node", "moved");
    T(0, RENAME2, "844ss", dir, U(2), U(0), "node", "moved");
    CHECK(!strcmp(sd_read(sd_path(&sd, "node")), "hello"));
    T(FS_EINVAL, RENAME2, "844ss", dir, U(4), U(0), "node", "moved");
    T(FS_EINVAL, RENAME, "8ss", dir, "node", "../../stolen");
    T(FS_EINVAL, RENAME, "8ss", dir, "../secret", "stolen");
    T(FS_EINVAL, RENAME, "8s", dir, "node");
    T(FS_EINVAL, MKDIR, "44s", U(0755), U(0), "../made");
    T(FS_EINVAL, SYMLINK, "ss", "/tmp/x", "y");
    T(FS_EINVAL, SYMLINK, "s", "x");
    T(FS_EINVAL, CREATE, "4444s", U(2), U(0644), U(0), U(0), "../made");
    T(FS_EINVAL, UNLINK, "s", "../secret");
    T(FS_EINVAL, RMDIR, "s", "..");
    T(FS_EISDIR, UNLINK, "s", "dir");
    T(FS_ENOTEMPTY, RMDIR, "s", "dir");
    T(0, UNLINK, "s", "link");
    stop();
}

TEST(folders)
{
    unsigned names = 0, plus = 0, dots = 0;
    session(false);
    T(0, OPENDIR, "44", U(0), U(0));
    uint64_t handle = util_get_le64(got), cookie = 0;
    for (bool more = true; more; more = used > 16) {
        T(0, READDIR, "884484", handle, cookie, U(64), U(0), U(0), U(0));
        CHECK(used - 16 <= 64);
        for (uint32_t i = 0; i < used - 16; names++) {
            cookie = util_get_le64(got + i + 8);
            i += (24 + util_get_le32(got + i + 16) + 7) & ~7u;
        }
    }
    CHECK_EQ(7, names);
    T(0, READDIRPLUS, "884484", handle, U(0), U(4096), U(0), U(0), U(0));
    for (uint32_t i = 0; i < used - 16; plus++) {
        dots += util_get_le64(got + i) == 0;
        i += 128 + ((24 + util_get_le32(got + i + 128 + 16) + 7) & ~7u);
    }
    CHECK_EQ(7, plus);
    CHECK_EQ(2, dots);
    T(FS_EINVAL, READDIR, "884484", handle, U(0), U(8), U(0), U(0), U(0));
    T(FS_EBADF, READ, "884484", handle, U(0), U(8), U(0), U(0), U(0));
    T(FS_EBADF, READDIR, "884484", U(77), U(0), U(4096), U(0), U(0), U(0));
    T(0, FSYNCDIR, "84", handle, U(0));
    T(0, RELEASEDIR, "8448", handle, U(0), U(0), U(0));
    node = look(1, "file");
    uint64_t file = node;
    node = file;
    T(FS_ENOTDIR, OPENDIR, "44", U(0), U(0));
    stop();
}

TEST(attributes_of_the_user)
{
    session(false);
    uint64_t file = look(1, "file");
    node = file;
    put(SETXATTR, "44sb", U(5), U(0), "user.color", "green");
    if (send_room(ROOM) == 0) {
        T(0, GETXATTR, "44s", U(0), U(0), "user.color");
        CHECK(used == 24 && util_get_le32(got) == 5);
        T(0, GETXATTR, "44s", U(100), U(0), "user.color");
        CHECK(used == 21 && !memcmp(got, "green", 5));
        T(FS_ERANGE, GETXATTR, "44s", U(4), U(0), "user.color");
        T(0, LISTXATTR, "44", U(0), U(0));
        CHECK_EQ(11, util_get_le32(got));
        T(0, LISTXATTR, "44", U(100), U(0));
        CHECK(!memcmp(got, "user.color", 11));
        T(FS_EEXIST, SETXATTR, "44sb", U(5), U(1), "user.color", "brown");
        T(0, REMOVEXATTR, "s", "user.color");
        T(FS_ENODATA, GETXATTR, "44s", U(0), U(0), "user.color");
    }
    T(FS_EINVAL, SETXATTR, "44sb", U(6), U(0), "user.color", "green");
    T(FS_EINVAL, SETXATTR, "44b", U(0), U(0), "user.color");
    T(FS_EOPNOTSUPP, GETXATTR, "44s", U(0), U(0), "security.capability");
    T(FS_EIO, GETXATTR, "44s", U(ROOM), U(0), "user.color");
    stop();
}

static void put_lock(uint32_t opcode, uint64_t handle, uint64_t owner, uint32_t type)
{
    put(opcode, "88884444", handle, owner, U(10), U(19), U(type), U(5), U(0), U(0));
}

static unsigned lock(uint32_t opcode, uint64_t handle, uint64_t owner, uint32_t type)
{
    put_lock(opcode, handle, owner, type);
    return send_room(ROOM);
}

TEST(locks)
{
    session(false);
    uint64_t file = look(1, "file"), a = open_file(file, 2), b = open_file(file, 2);
    CHECK_EQ(0, lock(SETLK, a, 1, 1));
    CHECK_EQ(FS_EAGAIN, lock(SETLK, b, 2, 1));
    CHECK_EQ(0, lock(GETLK, b, 2, 1));
    CHECK(util_get_le64(got) == 10 && util_get_le64(got + 8) == 19 && util_get_le32(got + 16) == 1);
    /* A process that closes the file gives its locks up; another owner's close does not. */
    T(0, FLUSH, "8448", a, U(0), U(0), U(3));
    CHECK_EQ(FS_EAGAIN, lock(SETLK, b, 2, 1));
    T(0, FLUSH, "8448", a, U(0), U(0), U(1));
    CHECK_EQ(0, lock(SETLK, b, 2, 1));
    CHECK_EQ(0, lock(SETLK, b, 2, 2));
    CHECK_EQ(FS_EBADF, lock(SETLK, 99, 2, 1));
    CHECK_EQ(FS_EINVAL, lock(SETLK, a, 2, 7));
    put(SETLK, "88884444", a, U(1), U(0), U(1), U(1), U(5), U(1), U(0));
    CHECK_EQ(FS_EOPNOTSUPP, send_room(ROOM));
    stop();
}

TEST(locks_that_wait)
{
    session(false);
    uint64_t file = look(1, "file"), a = open_file(file, 2), b = open_file(file, 2);
    uint16_t id;
    CHECK_EQ(0, lock(SETLK, a, 1, 1));
    put_lock(SETLKW, b, 2, 1);
    uint64_t waiting = unique;
    offer(REQUEST, 64);
    vd_update(&vd);
    CHECK(!vd_used(&vd, REQUEST, &id, &used));
    /* The queue goes on meanwhile. */
    CHECK_EQ(0, lock(SETLK, a, 1, 2));
    CHECK(!vd_used(&vd, REQUEST, &id, &used));
    vd_update(&vd);
    CHECK_EQ(0, result(REQUEST));
    CHECK_EQ(waiting, util_get_le64(got - 8));
    /* Interrupted. */
    put_lock(SETLKW, a, 1, 1);
    waiting = unique;
    offer(REQUEST, 64);
    CHECK(!vd_used(&vd, REQUEST, &id, &used));
    put(INTERRUPT, "8", U(waiting + 100));
    offer(HIPRIO, 0);
    CHECK_EQ(SILENT, result(HIPRIO));
    CHECK(!vd_used(&vd, REQUEST, &id, &used));
    put(INTERRUPT, "8", waiting);
    offer(HIPRIO, 0);
    CHECK_EQ(SILENT, result(HIPRIO));
    CHECK_EQ(FS_EINTR, result(REQUEST));
    CHECK_EQ(waiting, util_get_le64(got - 8));
    /* As many as may wait; one more is refused. Then a reset takes all back. */
    for (unsigned i = 0; i < 64; i++) {
        put_lock(SETLKW, a, 1, 1);
        offer(REQUEST, 64);
    }
    CHECK(!vd_used(&vd, REQUEST, &id, &used));
    CHECK_EQ(FS_EINTR, lock(SETLKW, a, 1, 1));
    CHECK(vd_start(&vd, V1));
    T(FS_EIO, GETATTR, "448", U(0), U(0), U(0)); /* the session is over */
    vd_update(&vd);
    CHECK(!vd_used(&vd, REQUEST, &id, &used));
    init();
    a = open_file(look(1, "file"), 2);
    CHECK_EQ(0, lock(SETLKW, a, 1, 1));
    b = open_file(look(1, "file"), 2);
    put_lock(SETLKW, b, 1, 1);
    offer(REQUEST, 64);
    stop(); /* with one waiting */
}

TEST(read_only)
{
    session(true);
    uint64_t file = look(1, "file");
    T(FS_EROFS, CREATE, "4444s", U(2), U(0644), U(0), U(0), "new");
    T(FS_EROFS, MKDIR, "44s", U(0755), U(0), "new");
    T(FS_EROFS, UNLINK, "s", "file");
    T(FS_EROFS, RENAME, "8ss", U(1), "file", "new");
    T(FS_EROFS, LINK, "8s", file, "new");
    T(FS_EROFS, SYMLINK, "ss", "new", "x");
    node = file;
    T(FS_EROFS, OPEN, "44", U(1), U(0));
    T(FS_EROFS, OPEN, "44", U(01000), U(0));
    T(FS_EROFS, SETXATTR, "44sb", U(1), U(0), "user.a", "b");
    T(FS_EROFS, SETATTR,
      "44888888444444"
      "44",
      U(8), U(0), U(0), U(0), U(0), U(0), U(0), U(0), U(0), U(0), U(0), U(0), U(0), U(0), U(0),
      U(0));
    uint64_t handle = open_file(file, 0);
    T(0, READ, "884484", handle, U(0), U(100), U(0), U(0), U(0));
    CHECK(!memcmp(got, "hello", 5));
    stop();
}

TEST(what_is_not_there)
{
    static const uint32_t none[] = {
        0,      7,       19,      ACCESS,    BMAP, IOCTL, POLL, COPY_FILE_RANGE, SETUPMAPPING,
        SYNCFS, TMPFILE, UNKNOWN, 0xffffffff};
    session(false);
    for (size_t i = 0; i < ARRAY_LEN(none); i++) {
        T(FS_ENOSYS, none[i], "8888", U(1), U(1), U(1), U(1));
    }
    stop();
}

/* Each request without its body, and with a length that is not its own: an error, and no more. */
TEST(cut_requests)
{
    static const uint8_t with_body[] = {
        LOOKUP,  GETATTR,   SETATTR,     SYMLINK,   MKNOD,       MKDIR, UNLINK,
        RMDIR,   RENAME,    LINK,        OPEN,      READ,        WRITE, RELEASE,
        FSYNC,   SETXATTR,  GETXATTR,    LISTXATTR, REMOVEXATTR, FLUSH, INIT,
        OPENDIR, READDIR,   RELEASEDIR,  FSYNCDIR,  GETLK,       SETLK, SETLKW,
        CREATE,  FALLOCATE, READDIRPLUS, RENAME2,   LSEEK};
    static const uint32_t sizes[] = {0, 16, 39, 57, 100000, 0xffffffff};
    session(false);
    for (size_t i = 0; i < sizeof(with_body); i++) {
        put(with_body[i], "");
        unsigned error = send_room(ROOM);
        CHECK(error == FS_EINVAL || error == FS_EPROTO);
    }
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        put(GETATTR, "448", U(0), U(0), U(0));
        util_put_le32(msg, sizes[i]);
        CHECK_EQ(FS_EINVAL, send_room(ROOM));
    }
    put(GETATTR, "448", U(0), U(0), U(0));
    at = 39;
    offer(REQUEST, 64);
    CHECK_EQ(SILENT, result(REQUEST));
    put(FORGET, "");
    offer(HIPRIO, 0);
    CHECK_EQ(SILENT, result(HIPRIO));
    stop();
}

TEST(little_room)
{
    session(false);
    put(GETATTR, "448", U(0), U(0), U(0));
    offer(REQUEST, 0);
    CHECK_EQ(SILENT, result(REQUEST));
    CHECK_EQ(SILENT, send_room(15));
    CHECK_EQ(FS_EIO, send_room(16));
    CHECK_EQ(FS_EIO, send_room(119));
    CHECK_EQ(0, send_room(120));
    put(CREATE, "4444s", U(2), U(0644), U(0), U(0), "new");
    CHECK_EQ(FS_EIO, send_room(150));
    put(LOOKUP, "s", "file");
    CHECK_EQ(FS_EIO, send_room(100));
    node = look(1, "file");
    uint64_t handle = open_file(node, 0);
    put(READ, "884484", handle, U(0), U(100), U(0), U(0), U(0));
    CHECK_EQ(0, send_room(18));
    CHECK_EQ(18, used);
    stop();
}

#ifdef RVVM_COMPAT_RVKIT
static void forget(uint64_t id, uint64_t count)
{
    node = id;
    put(FORGET, "8", count);
    offer(HIPRIO, 0);
    CHECK_EQ(SILENT, result(HIPRIO));
    node = 1;
}

/* Node ids and handles stay what they were; a lock that is waited for comes when it is free. */
TEST(session_in_a_snapshot)
{
    uint16_t id;
    session(false);
    uint64_t past = look(1, "up"), older = look(1, "abs");
    forget(past, 1);
    uint64_t file = look(1, "file"), a = open_file(file, 2), b = open_file(file, 2);
    forget(older, 1);
    CHECK((past & UINT32_MAX) == (file & UINT32_MAX) && past != file && look(1, "file") == file);
    uint64_t sub = look(1, "sub"), deep = look(sub, "deep"), gone = open_file(deep, 0);
    node = sub;
    T(0, CREATE, "4444s", U(2), U(0100644), U(0), U(0), "nameless");
    uint64_t nameless = util_get_le64(got), text = util_get_le64(got + 128);
    T(0, UNLINK, "s", "nameless");
    uint64_t passing = look(1, "fifo");
    forget(passing, 1);
    CHECK_EQ(0, lock(SETLK, a, 1, 1));
    put_lock(SETLKW, b, 2, 1);
    uint64_t waiting = unique;
    offer(REQUEST, 64);
    CHECK(!vd_used(&vd, REQUEST, &id, &used));
    rvvm_blk_dev_t *blk = session_save(&vd);
    vd_write(&vd, VD_STATUS, 0);
    CHECK(unlink(sd_path(&sd, "sub/deep")) == 0);
    session_load(&vd, blk);
    vd_update(&vd); /* the machine runs on: what was waiting waits again */
    CHECK(!vd_used(&vd, REQUEST, &id, &used));
    T(0, FLUSH, "8448", a, U(0), U(0), U(1));
    vd_update(&vd);
    CHECK_EQ(0, result(REQUEST));
    CHECK_EQ(waiting, util_get_le64(got - 8));
    CHECK_EQ(FS_EAGAIN, lock(SETLK, a, 1, 1));
    node = file;
    T(0, WRITE, "884488b", a, U(0), U(1), U(0), U(0), U(0), "J");
    T(0, READ, "884484", b, U(0), U(100), U(0), U(0), U(0));
    CHECK(used == 21 && !memcmp(got, "Jello", 5));
    CHECK_EQ(file, look(1, "file"));
    forget(file, 2); /* of three references */
    node = file;
    T(0, GETATTR, "448", U(0), U(0), U(0));
    node = past;
    T(FS_ESTALE, GETATTR, "448", U(0), U(0), U(0));
    /* Its slot was free, and has another generation. */
    CHECK((look(1, "fifo") & UINT32_MAX) == (passing & UINT32_MAX) && look(1, "fifo") != passing);
    node = deep;
    T(FS_ESTALE, GETATTR, "448", U(0), U(0), U(0));
    T(FS_EBADF, READ, "884484", gone, U(0), U(100), U(0), U(0), U(0));
    T(FS_EBADF, RELEASE, "8448", gone, U(0), U(0), U(0));
    node = nameless;
    T(FS_ESTALE, GETATTR, "448", U(1), U(0), text);
    T(FS_EBADF, WRITE, "884488b", text, U(0), U(1), U(0), U(0), U(0), "J");
    uint64_t other = open_file(file, 0);
    CHECK(other != gone && other != text && other != a && other != b);
    CHECK_EQ(sub, look(1, "sub"));
    T(FS_ENOENT, LOOKUP, "s", "deep");
    stop();
}

/* A session that was cut or damaged is refused or brought into range, and then the next one begins. */
TEST(damaged_sessions)
{
    static session_t good, bad;
    static uint8_t out[4096];
    uint8_t start_it[56] = {56, 0, 0, 0, INIT}, walk[46] = {46, 0, 0, 0, LOOKUP}, open_it[48] = {48, 0, 0, 0, OPEN};
    file_server_t server;
    CHECK(sd_make(&sd) && sd_share(&sd, &server, false, true));
    fuse_t *fuse = fuse_create(&server);
    start_it[40] = 7;
    start_it[44] = 31;
    walk[16] = 1;
    memcpy(walk + 40, "file", 5);
    CHECK_EQ(80, fuse_handle(fuse, start_it, 56, out, sizeof(out)));
    CHECK_EQ(144, fuse_handle(fuse, walk, 46, out, sizeof(out)));
    memcpy(open_it + 16, out + 16, 8);
    CHECK_EQ(32, fuse_handle(fuse, open_it, 48, out, sizeof(out)));
    fs_snapshot_t snap = session_open(&good, true);
    CHECK(fuse_snapshot(fuse, &snap));
    unsigned refused = 0;
    for (size_t i = 0; i < 5 * good.size; i++) {
        static const uint8_t flips[] = {0xFF, 1, 0x80, '/' ^ 'f'};
        bad = good;
        bad.bytes[i / 5] ^= i % 5 ? flips[i % 5 - 1] : 0;
        bad.size = i % 5 ? good.size : i / 5;
        snap = session_open(&bad, false);
        fuse_reset(fuse);
        if (!fuse_snapshot(fuse, &snap)) {
            fuse_reset(fuse);
            refused++;
        }
        fuse_handle(fuse, open_it, 48, out, sizeof(out));
        fuse_handle(fuse, walk, 46, out, sizeof(out));
        CHECK_EQ(80, fuse_handle(fuse, start_it, 56, out, sizeof(out)));
    }
    CHECK(refused > good.size);
    server.ops->free(server.opaque);
    fuse_free(fuse);
    CHECK(sd_sound(&sd));
    sd_remove(&sd);
}
#endif

TEST(tags)
{
    char longest[VIRTIO_FS_TAG_MAX + 2];
    uint8_t config[36];
    file_server_t server;
    virtio_desc_t desc;
    memset(longest, 'a', sizeof(longest));
    longest[VIRTIO_FS_TAG_MAX + 1] = 0;
    CHECK(sd_make(&sd) && sd_share(&sd, &server, false, true));
    CHECK(!virtio_fs_describe(&desc, "", &server));
    CHECK(sd_share(&sd, &server, false, true));
    CHECK(!virtio_fs_describe(&desc, longest, &server));
    vd_machine(&vd);
    CHECK(sd_share(&sd, &server, false, false));
    CHECK(virtio_fs_describe(&desc, longest + 1, &server) && vd_attach(&vd, &desc, 0));
    vd_config_read(&vd, 0, config, 36, 4);
    CHECK(!memcmp(config, longest, 36));
    vd_close(&vd);
    sd_remove(&sd);
}

int main(void)
{
    RUN(configuration);
    RUN(init_first);
    RUN(lookup_and_forget);
    RUN(files);
    RUN(names);
    RUN(folders);
    RUN(attributes_of_the_user);
    RUN(locks);
    RUN(locks_that_wait);
    RUN(read_only);
    RUN(what_is_not_there);
    RUN(cut_requests);
    RUN(little_room);
#ifdef RVVM_COMPAT_RVKIT
    RUN(session_in_a_snapshot);
    RUN(damaged_sessions);
#endif
    RUN(tags);
    return tap_finish();
}

#else

TEST(needs_linux)
{
    share_dir_t sd;
    file_server_t server;
    CHECK(!sd_make(&sd) || !sd_share(&sd, &server, false, true));
}

int main(void)
{
    RUN(needs_linux);
    return tap_finish();
}

#endif
