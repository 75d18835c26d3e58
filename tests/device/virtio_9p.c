/* SPDX-License-Identifier: MPL-2.0 */
/* virtio-9p as a guest's driver sees it: every message of 9P2000.L, and what a hostile guest sends.
 */
#include "share_dir.h"

#include "device/sessions.h"
#include "device/virtio_driver.h"
#include "devices/p9.h"
#include "devices/virtio_9p.h"
#include "util.h"

#ifdef __linux__

#include <sys/file.h>

#define V1 VIRTIO_F_VERSION_1

enum {
    ROOM = 65536,
    NOFID = -1,
    STATFS = 8,
    LOPEN = 12,
    LCREATE = 14,
    SYMLINK = 16,
    MKNOD = 18,
    RENAME = 20,
    READLINK = 22,
    GETATTR = 24,
    SETATTR = 26,
    XATTRWALK = 30,
    XATTRCREATE = 32,
    READDIR = 40,
    FSYNC = 50,
    LOCK = 52,
    GETLOCK = 54,
    LINK = 70,
    MKDIR = 72,
    RENAMEAT = 74,
    UNLINKAT = 76,
    VERSION = 100,
    AUTH = 102,
    ATTACH = 104,
    FLUSH = 108,
    WALK = 110,
    READ = 116,
    WRITE = 118,
    CLUNK = 120,
    REMOVE = 122
};

static share_dir_t sd;
static vd_t vd;
static uint64_t request, reply;
static uint8_t *msg; /* the request in guest memory; at is its length */
static const uint8_t *got;
static uint32_t at, used;

static void start(bool read_only)
{
    file_server_t server;
    virtio_desc_t desc;
    vd_machine(&vd);
    CHECK(sd_make(&sd) && sd_share(&sd, &server, read_only, true));
    CHECK(virtio_9p_describe(&desc, "home", &server));
    CHECK(vd_attach(&vd, &desc, 0));
    CHECK(vd_start(&vd, V1 | VIRTIO_9P_MOUNT_TAG));
    request = vd_alloc(&vd, ROOM);
    reply = vd_alloc(&vd, ROOM);
    msg = vd_ptr(&vd, request);
    got = vd_ptr(&vd, reply);
}

static void stop(void)
{
    CHECK(!vd_broken(&vd));
    CHECK(sd_sound(&sd));
    vd_close(&vd);
    sd_remove(&sd);
}

/* Writes a message: 1, 2, 4, 8 are sizes of integers, s a string, b bytes with their count in front
 * (32). */
static void put(uint8_t type, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    at = 7;
    msg[4] = type;
    util_put_le16(msg + 5, 99);
    for (; *format; format++) {
        uint64_t v = strchr("1248", *format) ? va_arg(args, uint64_t) : 0;
        const char *text = v || strchr("1248", *format) ? "" : va_arg(args, const char *);
        uint8_t le[8];
        util_put_le64(le, v);
        if (*format == 's' || *format == 'b') {
            util_put_le32(msg + at, (uint32_t)strlen(text));
            at += *format == 's' ? 2 : 4;
            memcpy(msg + at, text, strlen(text));
            at += (uint32_t)strlen(text);
        } else {
            memcpy(msg + at, le, (size_t)(*format - '0'));
            at += (uint32_t)(*format - '0');
        }
    }
    va_end(args);
    util_put_le32(msg, at);
}

/* Sends it with this much room for the reply; the reply's type, 0 when there is none. */
static unsigned send_room(uint32_t room)
{
    const vd_buf_t buf[2] = {{request, at, false}, {reply, room, true}};
    used = 0;
    CHECK(vd_request(&vd, 0, buf, room ? 2 : 1, &used));
    if (!used) {
        return 0;
    }
    CHECK_EQ(used, util_get_le32(got));
    CHECK_EQ(99, util_get_le16(got + 5));
    return got[4];
}

/* Sends and expects the right reply (0) or this error. */
static void expect(unsigned want)
{
    unsigned type = send_room(ROOM);
    CHECK_EQ(want ? 7u : msg[4] + 1u, type);
    CHECK_EQ(want, type == 7 ? util_get_le32(got + 7) : 0);
}

#define U(v) ((uint64_t)(v))
#define T(error, ...) (put(__VA_ARGS__), expect(error))

/* A session: fid 0 is the root. */
static void session(bool read_only)
{
    start(read_only);
    T(0, VERSION, "4s", U(32768), "9P2000.L");
    CHECK_EQ(32768, util_get_le32(got + 7));
    T(0, ATTACH, "44ss4", U(0), U(NOFID), "root", "", U(0));
    CHECK_EQ(0x80, got[7]);
}

static void walk(unsigned fid, unsigned to, const char *name)
{
    T(0, WALK, "442s", U(fid), U(to), U(1), name);
    CHECK_EQ(1, util_get_le16(got + 7));
}

TEST(configuration)
{
    uint8_t config[6];
    start(false);
    vd_config_read(&vd, 0, config, 6, 1);
    CHECK(!memcmp(config, "\4\0home", 6));
    CHECK_EQ(VIRTIO_ID_9P, vd_read(&vd, VD_DEVICE_ID));
    CHECK(vd_offered(&vd) & VIRTIO_9P_MOUNT_TAG);
    stop();
}

TEST(version)
{
    start(false);
    T(FS_EPROTO, ATTACH, "44ss4", U(0), U(NOFID), "root", "", U(0));
    T(0, VERSION, "4s", U(1 << 30), "9P2000.L");
    CHECK_EQ(P9_MSIZE_MAX, util_get_le32(got + 7));
    T(FS_EINVAL, VERSION, "4s", U(4095), "9P2000.L");
    T(0, VERSION, "4s", U(8192), "9P2000.u");
    CHECK(!memcmp(got + 11, "\7\0unknown", 9));
    T(FS_EPROTO, CLUNK, "4", U(0));
    T(0, VERSION, "4s", U(8192), "9P2000.L");
    T(0, ATTACH, "44ss4", U(0), U(NOFID), "root", "/", U(0));
    T(FS_EBADF, ATTACH, "44ss4", U(0), U(NOFID), "root", "", U(0));
    T(FS_ENOENT, ATTACH, "44ss4", U(1), U(NOFID), "root", "/etc", U(0));
    T(FS_EINVAL, ATTACH, "44ss4", U(1), U(0), "root", "", U(0));
    T(FS_EBADF, ATTACH, "44ss4", U(NOFID), U(NOFID), "root", "", U(0));
    T(FS_EOPNOTSUPP, AUTH, "4ss4", U(1), "root", "", U(0));
    T(0, VERSION, "4s", U(8192), "9P2000.L");
    T(FS_EBADF, CLUNK, "4", U(0));
    T(0, FLUSH, "2", U(1));
    T(FS_EOPNOTSUPP, 6, "");
    T(FS_EOPNOTSUPP, 101, "");
    T(FS_EOPNOTSUPP, 255, "");
    stop();
}

TEST(walks)
{
    session(false);
    T(0, WALK, "442ss", U(0), U(1), U(2), "sub", "deep");
    CHECK_EQ(2, util_get_le16(got + 7));
    CHECK_EQ(0x80, got[9]);
    CHECK_EQ(0, got[22]);
    T(0, WALK, "442ss", U(0), U(2), U(2), "sub", "none");
    CHECK_EQ(1, util_get_le16(got + 7));
    T(FS_EBADF, CLUNK, "4", U(2));
    T(FS_ENOENT, WALK, "442s", U(0), U(2), U(1), "none");
    T(0, WALK, "442", U(0), U(2), U(0));
    T(FS_EBADF, WALK, "442", U(0), U(2), U(0));
    T(0, WALK, "442s", U(2), U(2), U(1), "sub");
    /* The root is its own parent. */
    T(0, WALK, "442sss", U(2), U(3), U(3), "..", "..", "..");
    T(0, WALK, "442s", U(3), U(4), U(1), "file");
    T(FS_ENOENT, WALK, "442s", U(3), U(5), U(1), "secret");
    T(FS_EINVAL, WALK, "442s", U(3), U(5), U(1), "../secret");
    T(FS_EINVAL, WALK, "442s", U(3), U(5), U(1), "/etc/passwd");
    T(FS_EINVAL, WALK, "442s", U(3), U(5), U(1), "");
    walk(0, 5, "up");
    CHECK_EQ(2, got[9]);
    T(FS_ENOTDIR, WALK, "442s", U(5), U(6), U(1), "secret");
    T(FS_EINVAL, WALK, "442", U(0), U(6), U(17));
    T(FS_EPROTO, WALK, "442", U(0), U(6), U(1));
    T(FS_EBADF, WALK, "442", U(77), U(6), U(0));
    T(FS_EBADF, WALK, "442", U(0), U(NOFID), U(0));
    /* An open fid stays where it is. */
    T(0, LOPEN, "44", U(2), U(0));
    T(FS_EBADF, WALK, "442s", U(2), U(2), U(1), "deep");
    T(FS_EBADF, LOPEN, "44", U(2), U(0));
    stop();
}

TEST(files)
{
    session(false);
    T(0, WALK, "442", U(0), U(1), U(0));
    T(0, LCREATE, "4s444", U(1), "new", U(2), U(0644), U(0));
    T(0, WRITE, "48b", U(1), U(0), "some text");
    CHECK_EQ(9, util_get_le32(got + 7));
    T(0, READ, "484", U(1), U(5), U(100));
    CHECK_EQ(4, util_get_le32(got + 7));
    CHECK(!memcmp(got + 11, "text", 4));
    T(0, READ, "484", U(1), U(1000), U(100));
    CHECK_EQ(0, util_get_le32(got + 7));
    T(FS_EFBIG, WRITE, "48b", U(1), U(-1), "x");
    T(0, FSYNC, "44", U(1), U(1));
    T(0, FSYNC, "4", U(1));
    CHECK(!strcmp(sd_read(sd_path(&sd, "new")), "some text"));
    T(0, GETATTR, "48", U(1), U(0x7ff));
    CHECK_EQ(0x7ff, util_get_le64(got + 7));
    CHECK_EQ(0100644, util_get_le32(got + 28));
    CHECK_EQ(0, util_get_le64(got + 32));
    CHECK_EQ(9, util_get_le64(got + 56));
    CHECK_EQ(160, used);
    T(0, SETATTR,
      "444448"
      "8888",
      U(1), U(1 | 8 | 32 | 256), U(0600), U(0), U(0), U(4), U(0), U(0), U(1000), U(5));
    T(0, GETATTR, "48", U(1), U(0x7ff));
    CHECK_EQ(0100600, util_get_le32(got + 28));
    CHECK_EQ(4, util_get_le64(got + 56));
    CHECK_EQ(1000, util_get_le64(got + 96));
    T(FS_EPERM, SETATTR,
      "444448"
      "8888",
      U(1), U(2), U(0), U(5), U(0), U(0), U(0), U(0), U(0), U(0));
    T(0, REMOVE, "4", U(1));
    T(FS_EBADF, CLUNK, "4", U(1));
    CHECK(access(sd_path(&sd, "new"), F_OK) != 0);
    T(0, WALK, "442", U(0), U(1), U(0));
    T(FS_EBUSY, REMOVE, "4", U(1));
    T(FS_EBADF, CLUNK, "4", U(1));
    walk(0, 1, "fifo");
    T(FS_ENXIO, LOPEN, "44", U(1), U(0));
    walk(0, 2, "abs");
    T(FS_ELOOP, LOPEN, "44", U(2), U(0));
    T(FS_EBADF, READ, "484", U(2), U(0), U(10));
    T(0, STATFS, "4", U(0));
    CHECK_EQ(7 + 60, used);
    CHECK_EQ(0x01021997, util_get_le32(got + 7));
    stop();
}

TEST(names)
{
    session(false);
    T(0, MKDIR, "4s44", U(0), "dir", U(0750), U(0));
    walk(0, 1, "dir");
    T(0, SYMLINK, "4ss4", U(1), "link", "../../secret", U(0));
    walk(1, 2, "link");
    T(0, READLINK, "4", U(2));
    CHECK_EQ(12, util_get_le16(got + 7));
    CHECK(!memcmp(got + 9, "../../secret", 12));
    T(FS_EPERM, MKNOD, "4s4444", U(1), "node", U(0020644), U(1), U(3), U(0));
    T(FS_EPERM, MKNOD, "4s4444", U(1), "node", U(0010644), U(0), U(0), U(0));
    T(0, MKNOD, "4s4444", U(1), "node", U(0100644), U(0), U(0), U(0));
    walk(0, 3, "file");
    T(0, LINK, "44s", U(1), U(3), "hard");
    T(FS_EEXIST, LINK, "44s", U(1), U(3), "hard");
    T(0, RENAMEAT, "4s4s", U(1), "hard", U(0), "moved");
    /* A fid of a file with two names stands for the one that was seen last. */
    T(0, RENAME, "44s", U(3), U(1), "file");
    T(0, RENAMEAT, "4s4s", U(0), "file", U(0), "moved");
    CHECK(!strcmp(sd_read(sd_path(&sd, "dir/file")), "hello"));
    T(FS_EINVAL, RENAMEAT, "4s4s", U(0), "moved", U(1), "../../stolen");
    T(FS_EINVAL, RENAMEAT, "4s4s", U(0), "../secret", U(1), "stolen");
    T(FS_EINVAL, MKDIR, "4s44", U(0), "../made", U(0755), U(0));
    T(FS_EINVAL, SYMLINK, "4ss4", U(0), "/tmp/x", "y", U(0));
    T(FS_EINVAL, UNLINKAT, "4s4", U(0), "../secret", U(0));
    T(FS_EINVAL, UNLINKAT, "4s4", U(0), "..", U(0x200));
    T(FS_EINVAL, UNLINKAT, "4s4", U(0), "moved", U(1));
    T(FS_EINVAL, LCREATE, "4s444", U(0), "../made", U(2), U(0644), U(0));
    T(FS_ENOTEMPTY, UNLINKAT, "4s4", U(0), "dir", U(0x200));
    T(0, UNLINKAT, "4s4", U(0), "moved", U(0));
    T(FS_EBADF, MKDIR, "4s44", U(9), "x", U(0755), U(0));
    /* A name with a NUL inside. */
    put(MKDIR, "4s44", U(0), "a_b", U(0755), U(0));
    msg[7 + 4 + 2 + 1] = 0;
    expect(FS_EINVAL);
    CHECK(access(sd_path(&sd, "a"), F_OK) != 0);
    stop();
}

TEST(folders)
{
    unsigned names = 0;
    uint64_t cookie = 0;
    session(false);
    T(0, WALK, "442", U(0), U(1), U(0));
    T(FS_EBADF, READDIR, "484", U(1), U(0), U(4096));
    T(0, LOPEN, "44", U(1), U(0200000));
    for (unsigned rounds = 0; rounds < 20; rounds++) {
        T(0, READDIR, "484", U(1), cookie, U(60));
        uint32_t size = util_get_le32(got + 7);
        CHECK(size <= 60);
        for (uint32_t i = 11; i < 11 + size; names++) {
            cookie = util_get_le64(got + i + 13);
            i += 24 + util_get_le16(got + i + 22);
        }
        if (!size) {
            break;
        }
    }
    CHECK_EQ(7, names); /* . .. file sub up abs fifo */
    T(FS_EINVAL, READDIR, "484", U(1), U(0), U(10));
    T(FS_EBADF, READ, "484", U(1), U(0), U(10));
    T(FS_EBADF, WRITE, "48b", U(1), U(0), "x");
    stop();
}

TEST(attributes_of_the_user)
{
    session(false);
    walk(0, 1, "file");
    T(0, WALK, "442", U(1), U(2), U(0));
    T(0, XATTRCREATE, "4s84", U(2), "user.color", U(5), U(0));
    T(0, WRITE, "48b", U(2), U(0), "gre");
    T(FS_EINVAL, WRITE, "48b", U(2), U(3), "enish");
    T(FS_EINVAL, WRITE, "48b", U(2), U(0), "en");
    T(0, WRITE, "48b", U(2), U(3), "en");
    T(FS_EBADF, READ, "484", U(2), U(0), U(1));
    put(CLUNK, "4", U(2));
    send_room(ROOM);
    bool none = got[4] == 7 && util_get_le32(got + 7) == FS_EOPNOTSUPP;
    if (!none) {
        CHECK_EQ(CLUNK + 1, got[4]);
        T(0, XATTRWALK, "44s", U(1), U(2), "user.color");
        CHECK_EQ(5, util_get_le64(got + 7));
        T(0, READ, "484", U(2), U(1), U(100));
        CHECK(util_get_le32(got + 7) == 4 && !memcmp(got + 11, "reen", 4));
        T(FS_EBADF, WRITE, "48b", U(2), U(0), "x");
        T(0, CLUNK, "4", U(2));
        T(0, XATTRWALK, "44s", U(1), U(2), "");
        CHECK_EQ(11, util_get_le64(got + 7));
        T(0, CLUNK, "4", U(2));
        T(0, WALK, "442", U(1), U(2), U(0));
        T(0, XATTRCREATE, "4s84", U(2), "user.color", U(0), U(2));
        T(0, CLUNK, "4", U(2));
        T(FS_ENODATA, XATTRWALK, "44s", U(1), U(2), "user.color");
    }
    T(0, WALK, "442", U(1), U(2), U(0));
    T(FS_E2BIG, XATTRCREATE, "4s84", U(2), "user.big", U(65537), U(0));
    T(0, XATTRCREATE, "4s84", U(2), "user.short", U(5), U(0));
    T(FS_EINVAL, CLUNK, "4", U(2));
    T(FS_EOPNOTSUPP, XATTRWALK, "44s", U(1), U(2), "security.selinux");
    stop();
}

TEST(locks)
{
    session(false);
    for (unsigned fid = 1; fid <= 2; fid++) {
        walk(0, fid, "file");
        T(0, LOPEN, "44", U(fid), U(2));
    }
    T(0, LOCK, "414884s", U(1), U(1), U(0), U(10), U(10), U(1), "me");
    CHECK_EQ(0, got[7]);
    T(0, LOCK, "414884s", U(2), U(0), U(1), U(0), U(0), U(2), "me");
    CHECK_EQ(1, got[7]);
    T(0, GETLOCK, "41884s", U(2), U(1), U(0), U(0), U(2), "me");
    CHECK_EQ(1, got[7]);
    CHECK_EQ(10, util_get_le64(got + 8));
    CHECK_EQ(10, util_get_le64(got + 16));
    CHECK(!memcmp(got + 28, "\2\0me", 4));
    T(0, LOCK, "414884s", U(1), U(2), U(0), U(0), U(0), U(1), "me");
    T(0, GETLOCK, "41884s", U(2), U(1), U(0), U(0), U(2), "me");
    CHECK_EQ(2, got[7]);
    T(FS_EINVAL, LOCK, "414884s", U(1), U(9), U(0), U(0), U(0), U(1), "me");
    T(FS_EBADF, LOCK, "414884s", U(0), U(1), U(0), U(0), U(0), U(1), "me");
    stop();
}

TEST(read_only)
{
    session(true);
    walk(0, 1, "file");
    T(FS_EROFS, LOPEN, "44", U(1), U(1));
    T(FS_EROFS, LOPEN, "44", U(1), U(01000));
    T(FS_EROFS, LCREATE, "4s444", U(0), "new", U(2), U(0644), U(0));
    T(FS_EROFS, MKDIR, "4s44", U(0), "new", U(0755), U(0));
    T(FS_EROFS, UNLINKAT, "4s4", U(0), "file", U(0));
    T(FS_EROFS, RENAMEAT, "4s4s", U(0), "file", U(0), "new");
    T(FS_EROFS, RENAME, "44s", U(1), U(0), "new");
    T(FS_EROFS, SYMLINK, "4ss4", U(0), "new", "x", U(0));
    T(FS_EROFS, LINK, "44s", U(0), U(1), "new");
    T(FS_EROFS, SETATTR,
      "444448"
      "8888",
      U(1), U(8), U(0), U(0), U(0), U(0), U(0), U(0), U(0), U(0));
    T(0, LOPEN, "44", U(1), U(0));
    T(0, READ, "484", U(1), U(0), U(10));
    CHECK(!memcmp(got + 11, "hello", 5));
    T(FS_EROFS, REMOVE, "4", U(1));
    CHECK(!strcmp(sd_read(sd_path(&sd, "file")), "hello"));
    stop();
}

/* Each message, cut off at each length: an error, never more than what was there. */
TEST(cut_messages)
{
    static const uint8_t types[] = {STATFS,   LOPEN,   LCREATE, SYMLINK,   MKNOD,       RENAME,
                                    READLINK, GETATTR, SETATTR, XATTRWALK, XATTRCREATE, READDIR,
                                    LOCK,     GETLOCK, LINK,    MKDIR,     RENAMEAT,    UNLINKAT,
                                    ATTACH,   WALK,    READ,    WRITE,     FLUSH};
    session(false);
    for (size_t i = 0; i < sizeof(types); i++) {
        for (uint32_t len = 7; len < 9; len++) {
            put(types[i], "");
            msg[7] = 0;
            at = len;
            util_put_le32(msg, len);
            CHECK_EQ(7, send_room(ROOM));
        }
    }
    /* A size that is not the message's. */
    static const uint32_t sizes[] = {0, 6, 12, 1000, 32769, 0x7fffffff, 0xffffffff};
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        put(CLUNK, "4", U(55));
        util_put_le32(msg, sizes[i]);
        expect(FS_EPROTO);
    }
    /* A string that is longer than the message; a write of more than there is. */
    put(MKDIR, "4s44", U(0), "x", U(0755), U(0));
    util_put_le16(msg + 11, 0xffff);
    expect(FS_EPROTO);
    put(WRITE, "48b", U(0), U(0), "x");
    util_put_le32(msg + 19, 0xffffffff);
    expect(FS_EPROTO);
    /* No header: no reply. */
    at = 6;
    CHECK_EQ(0, send_room(ROOM));
    stop();
}

TEST(little_room)
{
    session(false);
    walk(0, 1, "file");
    T(0, LOPEN, "44", U(1), U(0));
    put(GETATTR, "48", U(1), U(0x7ff));
    CHECK_EQ(0, send_room(0));
    CHECK_EQ(0, send_room(10));
    CHECK_EQ(7, send_room(11));
    CHECK_EQ(7, send_room(159));
    CHECK_EQ(GETATTR + 1, send_room(160));
    put(READ, "484", U(1), U(0), U(100));
    CHECK_EQ(READ + 1, send_room(13));
    CHECK_EQ(13, used);
    CHECK_EQ(2, util_get_le32(got + 7));
    put(WALK, "442s", U(0), U(2), U(1), "sub");
    CHECK_EQ(7, send_room(21));
    T(FS_EBADF, CLUNK, "4", U(2));
    stop();
}

TEST(reset_ends_the_session)
{
    session(false);
    walk(0, 1, "file");
    T(0, LOPEN, "44", U(1), U(2));
    T(0, LOCK, "414884s", U(1), U(1), U(0), U(0), U(0), U(1), "me");
    CHECK(vd_start(&vd, V1));
    T(FS_EPROTO, CLUNK, "4", U(1));
    T(0, VERSION, "4s", U(32768), "9P2000.L");
    T(0, ATTACH, "44ss4", U(0), U(NOFID), "root", "", U(0));
    walk(0, 1, "file");
    T(0, LOPEN, "44", U(1), U(2));
    T(0, LOCK, "414884s", U(1), U(1), U(0), U(0), U(0), U(1), "me");
    CHECK_EQ(0, got[7]);
    rvvm_reset_machine(vd.machine, true);
    stop();
}

/* With its own thread: requests, resets and the end at any moment. */
TEST(thread_and_resets)
{
    file_server_t server;
    virtio_desc_t desc;
    vd_machine(&vd);
    CHECK(sd_make(&sd) && sd_share(&sd, &server, false, false));
    CHECK(virtio_9p_describe(&desc, "home", &server));
    CHECK(vd_attach(&vd, &desc, 0));
    request = vd_alloc(&vd, ROOM);
    reply = vd_alloc(&vd, ROOM);
    msg = vd_ptr(&vd, request);
    for (unsigned round = 0; round < 30; round++) {
        CHECK(vd_start(&vd, V1));
        put(VERSION, "4s", U(32768), "9P2000.L");
        const vd_buf_t buf[2] = {{request, at, false}, {reply, 64, true}};
        for (unsigned i = 0; i < 20; i++) {
            vd_add(&vd, 0, buf, 2);
            vd_kick(&vd, 0);
        }
        uint16_t id;
        for (unsigned i = 0, wait = 0; round % 2 && i < 20 && wait < 5000; wait++) {
            i += vd_used(&vd, 0, &id, &used);
            usleep(i < 20 ? 100 : 0);
            CHECK(wait < 4999);
        }
    }
#ifdef RVVM_COMPAT_RVKIT
    vd.mmio->type->suspend(vd.mmio, NULL, false);
#endif
    stop();
}

#ifdef RVVM_COMPAT_RVKIT
/* Somebody else on the host would have to wait for a lock of the whole file. */
static bool locked(const char *name)
{
    struct flock all = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int fd = open(sd_path(&sd, name), O_RDWR);
    bool yes = fd >= 0 && fcntl(fd, F_OFD_GETLK, &all) == 0 && all.l_type != F_UNLCK;
    close(fd);
    return yes;
}

/* Fids of files and folders, open or not, that are where they were; the host has added to one meanwhile. */
TEST(session_in_a_snapshot)
{
    session(false);
    walk(0, 1, "file");
    T(0, LOPEN, "44", U(1), U(2));
    T(0, LOCK, "414884s", U(1), U(1), U(0), U(2), U(2), U(1), "me");
    T(0, LOCK, "414884s", U(1), U(2), U(0), U(3), U(1), U(1), "me");
    walk(0, 2, "sub");
    walk(2, 3, "deep");
    T(0, WALK, "442", U(0), U(4), U(0));
    T(0, LOPEN, "44", U(4), U(0200000));
    T(0, READDIR, "484", U(4), U(0), U(60));
    uint64_t cookie = util_get_le64(got + 11 + 13);
    T(0, WALK, "442", U(0), U(5), U(0));
    T(0, LCREATE, "4s444", U(5), "log", U(1 | 02000), U(0644), U(0));
    T(0, WRITE, "48b", U(5), U(0), "one ");
    rvvm_blk_dev_t *blk = session_save(&vd);
    CHECK(vd_start(&vd, V1)); /* a reset ends the session */
    T(FS_EPROTO, CLUNK, "4", U(1));
    CHECK(!locked("file"));
    CHECK(sd_write(sd_path(&sd, "sub/deep"), "deeper"));
    session_load(&vd, blk);
    CHECK(locked("file"));
    T(0, READ, "484", U(1), U(1), U(100));
    CHECK(util_get_le32(got + 7) == 4 && !memcmp(got + 11, "ello", 4));
    T(0, WRITE, "48b", U(1), U(0), "J");
    CHECK(!strcmp(sd_read(sd_path(&sd, "file")), "Jello"));
    T(0, LOPEN, "44", U(3), U(0));
    T(0, READ, "484", U(3), U(0), U(100));
    CHECK(util_get_le32(got + 7) == 6 && !memcmp(got + 11, "deeper", 6));
    T(0, WRITE, "48b", U(5), U(0), "two");
    CHECK(!strcmp(sd_read(sd_path(&sd, "log")), "one two"));
    T(0, READDIR, "484", U(4), cookie, U(4096));
    unsigned names = 0;
    for (uint32_t i = 11; i < 11 + util_get_le32(got + 7); names++) {
        i += 24 + util_get_le16(got + i + 22);
    }
    CHECK(names >= 6); /* what is behind the first entry; the new file may be there or not */
    T(0, LOCK, "414884s", U(1), U(2), U(0), U(0), U(0), U(1), "me");
    CHECK(!locked("file"));
    for (unsigned fid = 0; fid < 6; fid++) {
        T(0, CLUNK, "4", U(fid));
    }
    T(FS_EBADF, CLUNK, "4", U(6));
    stop();
}

/* What the host has moved, replaced or removed; links are not followed to where it is now. */
TEST(session_of_files_that_are_gone)
{
    char hidden[128];
    session(false);
    walk(0, 1, "file");
    T(0, LOPEN, "44", U(1), U(2));
    T(0, WALK, "442ss", U(0), U(2), U(2), "sub", "deep");
    T(0, LOPEN, "44", U(2), U(0));
    walk(0, 3, "sub");
    T(0, WALK, "442", U(0), U(4), U(0));
    T(0, LCREATE, "4s444", U(4), "nameless", U(2), U(0644), U(0));
    T(0, UNLINKAT, "4s4", U(0), "nameless", U(0));
    T(0, WRITE, "48b", U(4), U(0), "text");
    rvvm_blk_dev_t *blk = session_save(&vd);
    vd_write(&vd, VD_STATUS, 0);
    snprintf(hidden, sizeof(hidden), "%s/out/sub", sd.outer);
    CHECK(rename(sd_path(&sd, "sub"), hidden) == 0 && symlink(hidden, sd_path(&sd, "sub")) == 0);
    CHECK(sd_write(sd_path(&sd, "file2"), "other") &&
          rename(sd_path(&sd, "file2"), sd_path(&sd, "file")) == 0);
    session_load(&vd, blk);
    for (unsigned fid = 1; fid < 5; fid++) {
        if (fid != 3) {
            T(FS_EBADF, READ, "484", U(fid), U(0), U(100));
            T(FS_EBADF, WRITE, "48b", U(fid), U(0), "x");
        }
        T(FS_ESTALE, GETATTR, "48", U(fid), U(0x7ff));
    }
    T(FS_ESTALE, WALK, "442s", U(3), U(9), U(1), "deep");
    CHECK(!strcmp(sd_read(sd_path(&sd, "file")), "other"));
    walk(0, 9, "file");
    T(0, LOPEN, "44", U(9), U(0));
    T(0, READ, "484", U(9), U(0), U(100));
    CHECK(!memcmp(got + 11, "other", 5));
    T(0, CLUNK, "4", U(3));
    T(FS_EBADF, CLUNK, "4", U(4)); /* closing says so; the fid is gone nevertheless */
    T(FS_EBADF, CLUNK, "4", U(4));
    T(0, VERSION, "4s", U(32768), "9P2000.L");
    T(0, ATTACH, "44ss4", U(0), U(NOFID), "root", "", U(0));
    stop();
}

/* Messages that the server is working on are answered before, so that they are not done twice. */
TEST(snapshot_waits_for_answers)
{
    uint16_t id;
    file_server_t server;
    virtio_desc_t desc;
    vd_machine(&vd);
    CHECK(sd_make(&sd) && sd_share(&sd, &server, false, false));
    CHECK(virtio_9p_describe(&desc, "home", &server));
    CHECK(vd_attach(&vd, &desc, 0) && vd_start(&vd, V1));
    request = vd_alloc(&vd, ROOM);
    reply = vd_alloc(&vd, ROOM);
    msg = vd_ptr(&vd, request);
    got = vd_ptr(&vd, reply);
    for (unsigned round = 0; round < 50; round++) {
        static const char *const steps[] = {"4s", "44ss4", "442s"};
        put(VERSION, steps[0], U(32768), "9P2000.L");
        for (unsigned i = 0; i < 3; i++) {
            const vd_buf_t buf[2] = {{request, at, false}, {reply, ROOM, true}};
            vd_add(&vd, 0, buf, 2);
            vd_kick(&vd, 0);
            session_load(&vd, session_save(&vd));
            CHECK(vd_used(&vd, 0, &id, &used) && got[4] == msg[4] + 1);
            if (i == 0) {
                put(ATTACH, steps[1], U(0), U(NOFID), "root", "", U(0));
            } else {
                put(WALK, steps[2], U(0), U(1), U(1), "sub");
            }
        }
    }
    stop();
}

/* A session in which one text has become another of its length. */
static bool session_with(session_t *bad, const session_t *good, const char *text, const char *other)
{
    const uint8_t *place = memmem(good->bytes, good->size, text, strlen(text));
    *bad = *good;
    if (place) {
        memcpy(bad->bytes + (place - good->bytes), other, strlen(text));
    }
    return place != NULL;
}

/* A session that was cut or damaged is refused or brought into range, and then the next one begins. */
TEST(damaged_sessions)
{
    static session_t good, bad;
    file_server_t server;
    static uint8_t out[ROOM];
    session(false);
    walk(0, 1, "file");
    T(0, LOPEN, "44", U(1), U(2));
    T(0, LOCK, "414884s", U(1), U(1), U(0), U(2), U(2), U(1), "me");
    T(0, WALK, "442ss", U(0), U(2), U(2), "sub", "deep");
    T(0, WALK, "442", U(1), U(3), U(0));
    T(0, XATTRCREATE, "4s84", U(3), "user.x", U(5), U(0));
    stop();
    CHECK(sd_make(&sd) && sd_share(&sd, &server, false, true));
    p9_t *p9 = p9_create(&server);
    uint8_t whole[4][64] = {"\x15\0\0\0\x64\0\0\0\0\1\0\10\0009P2000.L",
                            "\x17\0\0\0\x68\0\0\0\0\0\0\xff\xff\xff\xff\0\0\0\0\0\0\0\0",
                            "\x1b\0\0\0\x6e\0\0\0\0\0\0\1\0\0\0\2\0\3\0sub\4\0deep",
                            "\x0f\0\0\0\x0c\0\0\1\0\0\0\2\0\0\0"};
    util_put_le32(whole[2], 17 + 5 + 6);
    for (unsigned i = 0; i < 4; i++) {
        p9_handle(p9, whole[i], util_get_le32(whole[i]), out, sizeof(out));
        CHECK_EQ(whole[i][4] + 1, out[4]);
    }
    fs_snapshot_t snap = session_open(&good, true);
    CHECK(p9_snapshot(p9, &snap));
    static const char *const names[] = {"../x", "/etc", "a/bc"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        CHECK(session_with(&bad, &good, "deep", names[i]));
        snap = session_open(&bad, false);
        p9_reset(p9);
        CHECK(!p9_snapshot(p9, &snap));
        p9_reset(p9);
    }
    unsigned refused = 0;
    for (size_t i = 0; i < 5 * good.size; i++) {
        static const uint8_t flips[] = {0xFF, 1, 0x80, '/' ^ 's'};
        bad = good;
        bad.bytes[i / 5] ^= i % 5 ? flips[i % 5 - 1] : 0;
        bad.size = i % 5 ? good.size : i / 5;
        snap = session_open(&bad, false);
        p9_reset(p9);
        if (!p9_snapshot(p9, &snap)) {
            p9_reset(p9);
            refused++;
        }
        for (unsigned k = 4; k-- > 0;) {
            p9_handle(p9, whole[k], util_get_le32(whole[k]), out, sizeof(out));
        }
        CHECK_EQ(101, out[4]);
    }
    CHECK(refused > good.size);
    server.ops->free(server.opaque);
    p9_free(p9);
    CHECK(sd_sound(&sd));
    sd_remove(&sd);
}
#endif

TEST(tags)
{
    char longest[VIRTIO_9P_TAG_MAX + 2];
    file_server_t server;
    virtio_desc_t desc;
    memset(longest, 'a', sizeof(longest));
    longest[VIRTIO_9P_TAG_MAX + 1] = 0;
    CHECK(sd_make(&sd) && sd_share(&sd, &server, false, true));
    CHECK(!virtio_9p_describe(&desc, "", &server));
    CHECK(sd_share(&sd, &server, false, true));
    CHECK(!virtio_9p_describe(&desc, longest, &server));
    sd_remove(&sd);
}

int main(void)
{
    RUN(configuration);
    RUN(version);
    RUN(walks);
    RUN(files);
    RUN(names);
    RUN(folders);
    RUN(attributes_of_the_user);
    RUN(locks);
    RUN(read_only);
    RUN(cut_messages);
    RUN(little_room);
    RUN(reset_ends_the_session);
    RUN(thread_and_resets);
#ifdef RVVM_COMPAT_RVKIT
    RUN(session_in_a_snapshot);
    RUN(session_of_files_that_are_gone);
    RUN(snapshot_waits_for_answers);
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
