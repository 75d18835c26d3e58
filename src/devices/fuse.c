/* SPDX-License-Identifier: MPL-2.0 */
/* FUSE: messages, names and attributes. Handles, data, locks: fuse_io.c. */
#include "fuse_internal.h"

#include <stdlib.h>

/* How long the guest may believe what it was told, in seconds. The host changes files too. */
#define FUSE_VALID_SEC 1

/* Flags of FUSE_INIT that we know how to live with. */
enum {
    FUSE_ASYNC_READ = 1 << 0,
    FUSE_POSIX_LOCKS = 1 << 1,
    FUSE_ATOMIC_O_TRUNC = 1 << 3,
    FUSE_BIG_WRITES = 1 << 5,
    FUSE_AUTO_INVAL_DATA = 1 << 12,
    FUSE_DO_READDIRPLUS = 1 << 13,
    FUSE_READDIRPLUS_AUTO = 1 << 14,
    FUSE_PARALLEL_DIROPS = 1 << 18,
    FUSE_MAX_PAGES = 1 << 22,
};

enum {
    FATTR_MODE = 1,
    FATTR_UID = 2,
    FATTR_GID = 4,
    FATTR_SIZE = 8,
    FATTR_ATIME = 16,
    FATTR_MTIME = 32,
    FATTR_FH = 64,
    FATTR_ATIME_NOW = 128,
    FATTR_MTIME_NOW = 256,
    FUSE_GETATTR_FH = 1,
};

/* --- Messages --- */

const char *fuse_get_str(msg_in_t *in)
{
    size_t left = (size_t)(in->end - in->at);
    const uint8_t *nul = left ? memchr(in->at, 0, left) : NULL;
    if (!nul) {
        in->bad = true;
        return NULL;
    }
    return (const char *)msg_take(in, (size_t)(nul - in->at) + 1);
}

/* struct fuse_attr. */
void fuse_put_attr(msg_out_t *out, const fs_attr_t *attr)
{
    msg_put64(out, attr->ino);
    msg_put64(out, attr->size);
    msg_put64(out, attr->blocks);
    msg_put64(out, (uint64_t)attr->atime.sec);
    msg_put64(out, (uint64_t)attr->mtime.sec);
    msg_put64(out, (uint64_t)attr->ctime.sec);
    msg_put32(out, attr->atime.nsec);
    msg_put32(out, attr->mtime.nsec);
    msg_put32(out, attr->ctime.nsec);
    msg_put32(out, attr->mode);
    msg_put32(out, attr->nlink);
    msg_put32(out, attr->uid);
    msg_put32(out, attr->gid);
    msg_put32(out, (uint32_t)attr->rdev);
    msg_put32(out, attr->blksize);
    msg_put32(out, 0);
}

/* struct fuse_entry_out. */
void fuse_put_entry(msg_out_t *out, const fs_attr_t *attr)
{
    msg_put64(out, attr->node);
    msg_put64(out, 0);
    msg_put64(out, FUSE_VALID_SEC);
    msg_put64(out, FUSE_VALID_SEC);
    msg_put64(out, 0);
    fuse_put_attr(out, attr);
}

static void put_attr_out(msg_out_t *out, const fs_attr_t *attr)
{
    msg_put64(out, FUSE_VALID_SEC);
    msg_put64(out, 0);
    fuse_put_attr(out, attr);
}

/* A reply with an entry carries a reference to its node; when it does not fit, there is none. */
static int reply_entry(fuse_t *fuse, int error, const fs_attr_t *attr, msg_out_t *out)
{
    if (!error) {
        fuse_put_entry(out, attr);
        if (out->full) {
            fuse->server.ops->forget(fuse->server.opaque, attr->node, 1);
        }
    }
    return error;
}

/* --- Sessions --- */

static int op_init(fuse_t *fuse, msg_in_t *in, msg_out_t *out)
{
    const uint32_t known = FUSE_ASYNC_READ | FUSE_POSIX_LOCKS | FUSE_ATOMIC_O_TRUNC |
                           FUSE_BIG_WRITES | FUSE_AUTO_INVAL_DATA | FUSE_DO_READDIRPLUS |
                           FUSE_READDIRPLUS_AUTO | FUSE_PARALLEL_DIROPS | FUSE_MAX_PAGES;
    uint32_t major = msg_get32(in), minor = msg_get32(in);
    uint32_t readahead = msg_get32(in), flags = msg_get32(in);
    if (in->bad || major < FUSE_KERNEL_VERSION ||
        (major == FUSE_KERNEL_VERSION && minor < FUSE_KERNEL_MINOR_LEAST)) {
        return -FS_EPROTO;
    }
    /* A newer major version: the guest takes ours and asks again. */
    if (major == FUSE_KERNEL_VERSION) {
        fuse_reset(fuse);
        fuse->inited = true;
    }
    msg_put32(out, FUSE_KERNEL_VERSION);
    msg_put32(out, FUSE_KERNEL_MINOR_VERSION);
    msg_put32(out, readahead < FUSE_DATA_MAX ? readahead : FUSE_DATA_MAX);
    msg_put32(out, flags & known);
    msg_put32(out, 0); /* max_background, congestion_threshold: the guest's own choice */
    msg_put32(out, FUSE_DATA_MAX);
    msg_put32(out, 1); /* time_gran: a nanosecond */
    msg_put32(out, FUSE_DATA_MAX / FUSE_PAGE);
    for (unsigned i = 0; i < 8; i++) {
        msg_put32(out, 0);
    }
    return 0;
}

static int op_destroy(fuse_t *fuse, msg_in_t *in, msg_out_t *out)
{
    (void)in;
    (void)out;
    fuse_reset(fuse);
    return 0;
}

static int op_interrupt(fuse_t *fuse, msg_in_t *in, msg_out_t *out)
{
    (void)out;
    uint64_t unique = msg_get64(in);
    if (!in->bad) {
        fuse->interrupt = unique;
        fuse->has_interrupt = true;
    }
    return FUSE_NO_REPLY;
}

static int op_forget(fuse_t *fuse, msg_in_t *in, msg_out_t *out)
{
    (void)out;
    uint64_t count = msg_get64(in);
    if (!in->bad) {
        fuse->server.ops->forget(fuse->server.opaque, fuse->node, count);
    }
    return FUSE_NO_REPLY;
}

static int op_batch_forget(fuse_t *fuse, msg_in_t *in, msg_out_t *out)
{
    (void)out;
    uint32_t count = msg_get32(in);
    msg_get32(in);
    while (count-- && !in->bad) {
        uint64_t node = msg_get64(in), lookups = msg_get64(in);
        if (!in->bad) {
            fuse->server.ops->forget(fuse->server.opaque, node, lookups);
        }
    }
    return FUSE_NO_REPLY;
}

/* --- Names --- */

static int op_lookup(fuse_t *fuse, msg_in_t *in, msg_out_t *out)
{
    const char *name = fuse_get_str(in);
    fs_attr_t attr;
    if (!name) {
        return -FS_EINVAL;
    }
    int error = fuse->server.ops->lookup(fuse->server.opaque, fuse->node, name, &attr);
    return reply_entry(fuse, error, &attr, out);
}

static int op_readlink(fuse_t *fuse, msg_in_t *in, msg_out_t *out)
{
    char text[FS_LINK_MAX + 1];
    (void)in;
    int len = fuse->server.ops->readlink(fuse->server.opaque, fuse->node, text);
    if (len >= 0) {
        msg_put_bytes(out, text, (size_t)len);
    }
    return len < 0 ? len : 0;
}

static int op_symlink(fuse_t *fuse, msg_in_t *in, msg_out_t *out)
{
    const char *name = fuse_get_str(in);
    const char *to = fuse_get_str(in);
    fs_attr_t attr;
    if (!name || !to) {
        return -FS_EINVAL;
    }
    int error = fuse->server.ops->symlink(fuse->server.opaque, fuse->node, name, to, &attr);
    return reply_entry(fuse, error, &attr, out);
}

static int op_mknod(fuse_t *fuse, msg_in_t *in, msg_out_t *out)
{
    uint32_t mode = msg_get32(in);
    msg_get32(in);
    msg_get64(in);
    const char *name = fuse_get_str(in);
    fs_attr_t attr;
    if (!name) {
        return -FS_EINVAL;
    }
    int error = fuse->server.ops->mknod(fuse->server.opaque, fuse->node, name, mode, &attr);
    return reply_entry(fuse, error, &attr, out);
}

static int op_mkdir(fuse_t *fuse, msg_in_t *in, msg_out_t *out)
{
    uint32_t mode = msg_get32(in);
    msg_get32(in);
    const char *name = fuse_get_str(in);
    fs_attr_t attr;
    if (!name) {
        return -FS_EINVAL;
    }
    int error = fuse->server.ops->mkdir(fuse->server.opaque, fuse->node, name, mode, &attr);
    return reply_entry(fuse, error, &attr, out);
}

static int op_link(fuse_t *fuse, msg_in_t *in, msg_out_t *out)
{
    uint64_t node = msg_get64(in);
    const char *name = fuse_get_str(in);
    fs_attr_t attr;
    if (!name) {
        return -FS_EINVAL;
    }
    int error = fuse->server.ops->link(fuse->server.opaque, node, fuse->node, name, &attr);
    return reply_entry(fuse, error, &attr, out);
}

/* UNLINK and RMDIR. */
static int op_unlink(fuse_t *fuse, msg_in_t *in, msg_out_t *out)
{
    const char *name = fuse_get_str(in);
    (void)out;
    return name ? fuse->server.ops->unlink(fuse->server.opaque, fuse->node, name,
                                           fuse->opcode == FUSE_RMDIR)
                : -FS_EINVAL;
}

/* RENAME and RENAME2. */
static int op_rename(fuse_t *fuse, msg_in_t *in, msg_out_t *out)
{
    uint64_t to_dir = msg_get64(in);
    uint64_t flags = fuse->opcode == FUSE_RENAME2 ? msg_get64(in) : 0;
    const char *name = fuse_get_str(in);
    const char *to_name = fuse_get_str(in);
    (void)out;
    if (!name || !to_name || in->bad) {
        return -FS_EINVAL;
    }
    return fuse->server.ops->rename(fuse->server.opaque, fuse->node, name, to_dir, to_name,
                                    (uint32_t)flags);
}

/* --- Attributes --- */

static int op_getattr(fuse_t *fuse, msg_in_t *in, msg_out_t *out)
{
    uint32_t flags = msg_get32(in);
    msg_get32(in);
    uint64_t handle = msg_get64(in);
    fs_attr_t attr;
    if (in->bad) {
        return -FS_EINVAL;
    }
    int error = fuse->server.ops->getattr(fuse->server.opaque, fuse->node,
                                          flags & FUSE_GETATTR_FH ? handle : FS_NO_HANDLE, &attr);
    if (!error) {
        put_attr_out(out, &attr);
    }
    return error;
}

static unsigned setattr_bits(uint32_t valid)
{
    unsigned set = valid & (FATTR_MODE | FATTR_UID | FATTR_GID | FATTR_SIZE);
    if (valid & (FATTR_ATIME | FATTR_ATIME_NOW)) {
        set |= valid & FATTR_ATIME_NOW ? FS_SET_ATIME_NOW : FS_SET_ATIME;
    }
    if (valid & (FATTR_MTIME | FATTR_MTIME_NOW)) {
        set |= valid & FATTR_MTIME_NOW ? FS_SET_MTIME_NOW : FS_SET_MTIME;
    }
    return set;
}

/* struct fuse_setattr_in, behind its handle. */
static void get_setattr(msg_in_t *in, fs_setattr_t *change)
{
    change->size = msg_get64(in);
    msg_get64(in); /* lock_owner */
    change->atime.sec = (int64_t)msg_get64(in);
    change->mtime.sec = (int64_t)msg_get64(in);
    msg_get64(in); /* ctime */
    change->atime.nsec = msg_get32(in);
    change->mtime.nsec = msg_get32(in);
    msg_get32(in);
    change->mode = msg_get32(in);
    msg_get32(in);
    change->uid = msg_get32(in);
    change->gid = msg_get32(in);
    msg_get32(in);
}

static int op_setattr(fuse_t *fuse, msg_in_t *in, msg_out_t *out)
{
    const fs_ops_t *ops = fuse->server.ops;
    uint32_t valid = msg_get32(in);
    msg_get32(in);
    uint64_t handle = msg_get64(in);
    fs_setattr_t change = {.set = setattr_bits(valid)};
    fs_attr_t attr;
    get_setattr(in, &change);
    if (in->bad) {
        return -FS_EINVAL;
    }
    handle = valid & FATTR_FH ? handle : FS_NO_HANDLE;
    int error = ops->setattr(fuse->server.opaque, fuse->node, handle, &change);
    error = error ? error : ops->getattr(fuse->server.opaque, fuse->node, handle, &attr);
    if (!error) {
        put_attr_out(out, &attr);
    }
    return error;
}

static int op_statfs(fuse_t *fuse, msg_in_t *in, msg_out_t *out)
{
    fs_statfs_t st;
    (void)in;
    int error = fuse->server.ops->statfs(fuse->server.opaque, fuse->node, &st);
    if (error) {
        return error;
    }
    msg_put64(out, st.blocks);
    msg_put64(out, st.bfree);
    msg_put64(out, st.bavail);
    msg_put64(out, st.files);
    msg_put64(out, st.ffree);
    msg_put32(out, st.bsize);
    msg_put32(out, st.namelen);
    msg_put32(out, st.frsize);
    for (unsigned i = 0; i < 7; i++) {
        msg_put32(out, 0);
    }
    return 0;
}

/* --- Dispatch --- */

static const fuse_op_t op_table[] = {
    [FUSE_LOOKUP] = op_lookup,
    [FUSE_FORGET] = op_forget,
    [FUSE_GETATTR] = op_getattr,
    [FUSE_SETATTR] = op_setattr,
    [FUSE_READLINK] = op_readlink,
    [FUSE_SYMLINK] = op_symlink,
    [FUSE_MKNOD] = op_mknod,
    [FUSE_MKDIR] = op_mkdir,
    [FUSE_UNLINK] = op_unlink,
    [FUSE_RMDIR] = op_unlink,
    [FUSE_RENAME] = op_rename,
    [FUSE_LINK] = op_link,
    [FUSE_OPEN] = fuse_op_open,
    [FUSE_READ] = fuse_op_read,
    [FUSE_WRITE] = fuse_op_write,
    [FUSE_STATFS] = op_statfs,
    [FUSE_RELEASE] = fuse_op_release,
    [FUSE_FSYNC] = fuse_op_fsync,
    [FUSE_SETXATTR] = fuse_op_setxattr,
    [FUSE_GETXATTR] = fuse_op_getxattr,
    [FUSE_LISTXATTR] = fuse_op_getxattr,
    [FUSE_REMOVEXATTR] = fuse_op_removexattr,
    [FUSE_FLUSH] = fuse_op_flush,
    [FUSE_INIT] = op_init,
    [FUSE_OPENDIR] = fuse_op_open,
    [FUSE_READDIR] = fuse_op_readdir,
    [FUSE_RELEASEDIR] = fuse_op_release,
    [FUSE_FSYNCDIR] = fuse_op_fsync,
    [FUSE_GETLK] = fuse_op_getlk,
    [FUSE_SETLK] = fuse_op_setlk,
    [FUSE_SETLKW] = fuse_op_setlk,
    [FUSE_CREATE] = fuse_op_create,
    [FUSE_INTERRUPT] = op_interrupt,
    [FUSE_DESTROY] = op_destroy,
    [FUSE_BATCH_FORGET] = op_batch_forget,
    [FUSE_FALLOCATE] = fuse_op_fallocate,
    [FUSE_READDIRPLUS] = fuse_op_readdir,
    [FUSE_RENAME2] = op_rename,
    [FUSE_LSEEK] = fuse_op_lseek,
};

static int fuse_dispatch(fuse_t *fuse, msg_in_t *in, msg_out_t *out)
{
    fuse_op_t op = fuse->opcode < ARRAY_LEN(op_table) ? op_table[fuse->opcode] : NULL;
    if (!op) {
        return -FS_ENOSYS;
    }
    if (!fuse->inited && fuse->opcode != FUSE_INIT) {
        return -FS_EIO;
    }
    return op(fuse, in, out);
}

/* struct fuse_out_header. */
static size_t fuse_finish(uint8_t *reply, size_t size, int error, uint64_t unique)
{
    util_put_le32(reply, (uint32_t)size);
    util_put_le32(reply + 4, (uint32_t)error);
    util_put_le64(reply + 8, unique);
    return size;
}

uint64_t fuse_unique(const uint8_t *request, size_t len)
{
    return len < FUSE_IN_HEADER ? 0 : util_get_le64(request + 8);
}

size_t fuse_interrupted(const uint8_t *request, size_t len, uint8_t *reply, size_t cap)
{
    return cap < FUSE_OUT_HEADER
               ? 0
               : fuse_finish(reply, FUSE_OUT_HEADER, -FS_EINTR, fuse_unique(request, len));
}

size_t fuse_handle(fuse_t *fuse, const uint8_t *request, size_t len, uint8_t *reply, size_t cap)
{
    msg_out_t out = {reply, FUSE_OUT_HEADER, cap, false};
    int error = -FS_EINVAL;
    if (len < FUSE_IN_HEADER) {
        return 0;
    }
    size_t size = util_get_le32(request);
    fuse->opcode = util_get_le32(request + 4);
    fuse->node = util_get_le64(request + 16);
    bool silent = fuse->opcode == FUSE_FORGET || fuse->opcode == FUSE_BATCH_FORGET;
    if (!silent && fuse->opcode != FUSE_INTERRUPT && cap < FUSE_OUT_HEADER) {
        return 0;
    }
    if (size >= FUSE_IN_HEADER && size <= len) {
        msg_in_t in = {request + FUSE_IN_HEADER, request + size, false};
        out.cap = cap < FUSE_OUT_HEADER ? FUSE_OUT_HEADER : cap;
        error = fuse_dispatch(fuse, &in, &out);
    }
    if (error == FUSE_NOT_YET) {
        return FUSE_WAIT;
    }
    if (error == FUSE_NO_REPLY || silent || cap < FUSE_OUT_HEADER) {
        return 0;
    }
    error = !error && out.full ? -FS_EIO : error;
    return fuse_finish(reply, error ? FUSE_OUT_HEADER : out.at, error, fuse_unique(request, len));
}

fuse_t *fuse_create(const file_server_t *server)
{
    fuse_t *fuse = calloc(1, sizeof(*fuse));
    if (fuse) {
        fuse->server = *server;
    }
    return fuse;
}

void fuse_free(fuse_t *fuse)
{
    free(fuse);
}

void fuse_reset(fuse_t *fuse)
{
    fuse->inited = fuse->has_interrupt = false;
    fuse->lock_count = 0;
    fuse->server.ops->reset(fuse->server.opaque);
}

bool fuse_snapshot(fuse_t *fuse, const fs_snapshot_t *snap)
{
    uint8_t inited = fuse->inited;
    uint32_t count = fuse->lock_count;
    bool ok = fs_move8(snap, &inited) && fs_move32(snap, &count) && count <= FUSE_LOCKS_MAX;
    for (uint32_t i = 0; ok && i < count; i++) {
        ok = fs_move64(snap, &fuse->locks[i].handle) && fs_move64(snap, &fuse->locks[i].owner);
    }
    if (ok && !snap->writing) {
        fuse->inited = inited;
        fuse->lock_count = count;
    }
    return ok && fuse->server.ops->snapshot(fuse->server.opaque, snap);
}

bool fuse_take_interrupt(fuse_t *fuse, uint64_t *unique)
{
    bool has = fuse->has_interrupt;
    *unique = fuse->interrupt;
    fuse->has_interrupt = false;
    return has;
}
