/* SPDX-License-Identifier: MPL-2.0 */
/* 9P2000.L: a function for each message about fids, names and attributes. Data: p9_io.c. */
#include "p9_io.h"

#include <stdlib.h>

enum {
    P9_AT_REMOVEDIR = 0x200,
    P9_GETATTR_BASIC = 0x7ff,
    P9_STATFS_MAGIC = 0x01021997, /* V9FS_MAGIC */
};

/* Bits of Tsetattr's valid. */
enum {
    P9_SETATTR_MODE = 1,
    P9_SETATTR_UID = 2,
    P9_SETATTR_GID = 4,
    P9_SETATTR_SIZE = 8,
    P9_SETATTR_ATIME = 16,
    P9_SETATTR_MTIME = 32,
    P9_SETATTR_ATIME_SET = 128,
    P9_SETATTR_MTIME_SET = 256,
};

p9_fid_t *p9_get_fid(p9_t *p9, msg_in_t *in)
{
    uint32_t id = msg_get32(in);
    return in->bad ? NULL : p9_fid_find(p9, id);
}

p9_fid_t *p9_get_node(p9_t *p9, msg_in_t *in)
{
    p9_fid_t *fid = p9_get_fid(p9, in);
    return fid && fid->kind == P9_FID_NODE ? fid : NULL;
}

static int op_version(p9_t *p9, msg_in_t *in, msg_out_t *out)
{
    static const char ours[] = "9P2000.L";
    char version[32];
    uint32_t msize = msg_get32(in);
    int error = p9_get_str(in, version, sizeof(version));
    bool known = !error && !strcmp(version, ours);
    if (in->bad || (known && msize < P9_MSIZE_MIN)) {
        return in->bad ? -FS_EPROTO : -FS_EINVAL;
    }
    p9_reset(p9);
    msize = msize < P9_MSIZE_MAX ? msize : P9_MSIZE_MAX;
    p9->msize = known ? msize : 0;
    msg_put32(out, msize);
    p9_put_str(out, known ? ours : "unknown", known ? sizeof(ours) - 1 : 7);
    return 0;
}

static int op_attach(p9_t *p9, msg_in_t *in, msg_out_t *out)
{
    char text[FS_NAME_MAX + 1];
    fs_attr_t attr;
    p9_fid_t *fid;
    uint32_t id = msg_get32(in);
    bool has_auth = msg_get32(in) != P9_NOFID;
    int error = p9_get_str(in, text, sizeof(text)); /* the user's name */
    error = error ? error : p9_get_str(in, text, sizeof(text));
    if (error || in->bad || has_auth) {
        return error ? error : in->bad ? -FS_EPROTO : -FS_EINVAL;
    }
    if (*text && strcmp(text, "/") != 0) {
        return -FS_ENOENT;
    }
    error = p9->server.ops->getattr(p9->server.opaque, FS_ROOT, FS_NO_HANDLE, &attr);
    error = error ? error : p9->server.ops->retain(p9->server.opaque, FS_ROOT);
    if (error) {
        return error;
    }
    error = p9_fid_new(p9, id, FS_ROOT, &fid);
    if (error) {
        p9->server.ops->forget(p9->server.opaque, FS_ROOT, 1);
        return error;
    }
    p9_put_qid(out, &attr);
    return 0;
}

static int op_flush(p9_t *p9, msg_in_t *in, msg_out_t *out)
{
    (void)p9;
    (void)out;
    msg_get16(in);
    return in->bad ? -FS_EPROTO : 0;
}

/* One step of a walk; *node is replaced, with its reference. */
static int walk_step(p9_t *p9, const char *name, uint64_t *node, msg_out_t *out)
{
    const fs_ops_t *ops = p9->server.ops;
    fs_attr_t attr;
    int error = !strcmp(name, "..") ? ops->parent(p9->server.opaque, *node, &attr)
                                    : ops->lookup(p9->server.opaque, *node, name, &attr);
    if (!error) {
        ops->forget(p9->server.opaque, *node, 1);
        *node = attr.node;
        p9_put_qid(out, &attr);
    }
    return error;
}

/* Walks from *node; how many steps were made, or why the first could not be. */
static int walk_names(p9_t *p9, msg_in_t *in, unsigned count, uint64_t *node, msg_out_t *out)
{
    char name[FS_NAME_MAX + 1];
    for (unsigned i = 0; i < count; i++) {
        int error = p9_get_str(in, name, sizeof(name));
        error = error ? error : walk_step(p9, name, node, out);
        if (error) {
            return in->bad ? -FS_EPROTO : i ? (int)i : error;
        }
    }
    return (int)count;
}

/* The fid that a walk ends at: a new one, or the same at another place. */
static int walk_end(p9_t *p9, p9_fid_t *fid, uint32_t new_id, uint64_t node)
{
    if (new_id != fid->id) {
        return p9_fid_new(p9, new_id, node, &fid);
    }
    p9->server.ops->forget(p9->server.opaque, fid->node, 1);
    fid->node = node;
    return 0;
}

static int op_walk(p9_t *p9, msg_in_t *in, msg_out_t *out)
{
    p9_fid_t *fid = p9_get_node(p9, in);
    uint32_t new_id = msg_get32(in);
    unsigned count = msg_get16(in);
    if (!fid || in->bad || count > P9_WALK_MAX || (new_id == fid->id && fid->handle)) {
        return in->bad ? -FS_EPROTO : fid && count > P9_WALK_MAX ? -FS_EINVAL : -FS_EBADF;
    }
    if (new_id != fid->id && (new_id == P9_NOFID || p9_fid_find(p9, new_id))) {
        return -FS_EBADF;
    }
    uint64_t node = fid->node;
    int error = p9->server.ops->retain(p9->server.opaque, node);
    if (error) {
        return error;
    }
    size_t at = out->at;
    msg_put16(out, 0);
    if (msg_room(out) < (size_t)count * 13) {
        p9->server.ops->forget(p9->server.opaque, node, 1);
        return -FS_EIO;
    }
    int steps = walk_names(p9, in, count, &node, out);
    if (steps == (int)count) {
        error = walk_end(p9, fid, new_id, node);
    }
    if (steps != (int)count || error) {
        p9->server.ops->forget(p9->server.opaque, node, 1);
    }
    if (steps >= 0) {
        util_put_le16(out->buf + at, (uint16_t)steps);
    }
    return steps < 0 ? steps : error;
}

static int op_clunk(p9_t *p9, msg_in_t *in, msg_out_t *out)
{
    p9_fid_t *fid = p9_get_fid(p9, in);
    (void)out;
    return fid ? p9_fid_clunk(p9, fid) : -FS_EBADF;
}

/* Clunks the fid also when the file cannot be removed. */
static int op_remove(p9_t *p9, msg_in_t *in, msg_out_t *out)
{
    p9_fid_t *fid = p9_get_fid(p9, in);
    char name[FS_NAME_MAX + 1];
    fs_attr_t attr;
    uint64_t dir;
    (void)out;
    if (!fid) {
        return -FS_EBADF;
    }
    const fs_ops_t *ops = p9->server.ops;
    int error = fid->kind == P9_FID_NODE ? ops->name_of(p9->server.opaque, fid->node, &dir, name)
                                         : -FS_EBADF;
    error = error ? error : ops->getattr(p9->server.opaque, fid->node, fid->handle, &attr);
    if (!error) {
        error = ops->unlink(p9->server.opaque, dir, name, (attr.mode & FS_S_IFMT) == FS_S_IFDIR);
    }
    p9_fid_clunk(p9, fid);
    return error;
}

static int op_statfs(p9_t *p9, msg_in_t *in, msg_out_t *out)
{
    p9_fid_t *fid = p9_get_node(p9, in);
    fs_statfs_t st;
    int error = fid ? p9->server.ops->statfs(p9->server.opaque, fid->node, &st) : -FS_EBADF;
    if (error) {
        return error;
    }
    msg_put32(out, P9_STATFS_MAGIC);
    msg_put32(out, st.frsize ? st.frsize : st.bsize);
    msg_put64(out, st.blocks);
    msg_put64(out, st.bfree);
    msg_put64(out, st.bavail);
    msg_put64(out, st.files);
    msg_put64(out, st.ffree);
    msg_put64(out, st.fsid);
    msg_put32(out, st.namelen);
    return 0;
}

static void put_time(msg_out_t *out, fs_time_t time)
{
    msg_put64(out, (uint64_t)time.sec);
    msg_put64(out, time.nsec);
}

static int op_getattr(p9_t *p9, msg_in_t *in, msg_out_t *out)
{
    p9_fid_t *fid = p9_get_node(p9, in);
    fs_attr_t attr;
    msg_get64(in); /* what is asked for: all is told */
    if (!fid || in->bad) {
        return in->bad ? -FS_EPROTO : -FS_EBADF;
    }
    int error = p9->server.ops->getattr(p9->server.opaque, fid->node, fid->handle, &attr);
    if (error) {
        return error;
    }
    msg_put64(out, P9_GETATTR_BASIC);
    p9_put_qid(out, &attr);
    msg_put32(out, attr.mode);
    msg_put32(out, attr.uid);
    msg_put32(out, attr.gid);
    msg_put64(out, attr.nlink);
    msg_put64(out, attr.rdev);
    msg_put64(out, attr.size);
    msg_put64(out, attr.blksize);
    msg_put64(out, attr.blocks);
    put_time(out, attr.atime);
    put_time(out, attr.mtime);
    put_time(out, attr.ctime);
    put_time(out,
             (fs_time_t){.sec = 0}); /* the time of birth, generation and data version: not valid */
    msg_put64(out, 0);
    msg_put64(out, 0);
    return 0;
}

static unsigned setattr_bits(uint32_t valid)
{
    unsigned set = valid & (P9_SETATTR_MODE | P9_SETATTR_UID | P9_SETATTR_GID | P9_SETATTR_SIZE);
    if (valid & P9_SETATTR_ATIME) {
        set |= valid & P9_SETATTR_ATIME_SET ? FS_SET_ATIME : FS_SET_ATIME_NOW;
    }
    if (valid & P9_SETATTR_MTIME) {
        set |= valid & P9_SETATTR_MTIME_SET ? FS_SET_MTIME : FS_SET_MTIME_NOW;
    }
    return set;
}

static fs_time_t get_time(msg_in_t *in)
{
    fs_time_t time;
    time.sec = (int64_t)msg_get64(in);
    uint64_t nsec = msg_get64(in);
    time.nsec = nsec < 1000000000 ? (uint32_t)nsec : 999999999;
    return time;
}

static int op_setattr(p9_t *p9, msg_in_t *in, msg_out_t *out)
{
    p9_fid_t *fid = p9_get_node(p9, in);
    fs_setattr_t change;
    (void)out;
    change.set = setattr_bits(msg_get32(in));
    change.mode = msg_get32(in);
    change.uid = msg_get32(in);
    change.gid = msg_get32(in);
    change.size = msg_get64(in);
    change.atime = get_time(in);
    change.mtime = get_time(in);
    if (!fid || in->bad) {
        return in->bad ? -FS_EPROTO : -FS_EBADF;
    }
    return p9->server.ops->setattr(p9->server.opaque, fid->node, fid->handle, &change);
}

static int op_readlink(p9_t *p9, msg_in_t *in, msg_out_t *out)
{
    p9_fid_t *fid = p9_get_node(p9, in);
    char text[FS_LINK_MAX + 1];
    int len = fid ? p9->server.ops->readlink(p9->server.opaque, fid->node, text) : -FS_EBADF;
    if (len >= 0) {
        p9_put_str(out, text, (size_t)len);
    }
    return len < 0 ? len : 0;
}

/* After something was made: its qid, and the reference goes. */
static int reply_made(p9_t *p9, int error, const fs_attr_t *attr, msg_out_t *out)
{
    if (!error) {
        p9_put_qid(out, attr);
        p9->server.ops->forget(p9->server.opaque, attr->node, 1);
    }
    return error;
}

static int op_symlink(p9_t *p9, msg_in_t *in, msg_out_t *out)
{
    p9_fid_t *dir = p9_get_node(p9, in);
    char name[FS_NAME_MAX + 1], to[FS_LINK_MAX + 1];
    fs_attr_t attr;
    int error = p9_get_str(in, name, sizeof(name));
    int to_error = p9_get_str(in, to, sizeof(to));
    msg_get32(in);
    error = in->bad ? -FS_EPROTO : error ? error : to_error ? to_error : dir ? 0 : -FS_EBADF;
    error = error ? error : p9->server.ops->symlink(p9->server.opaque, dir->node, name, to, &attr);
    return reply_made(p9, error, &attr, out);
}

static int op_mknod(p9_t *p9, msg_in_t *in, msg_out_t *out)
{
    p9_fid_t *dir = p9_get_node(p9, in);
    char name[FS_NAME_MAX + 1];
    fs_attr_t attr;
    int error = p9_get_str(in, name, sizeof(name));
    uint32_t mode = msg_get32(in);
    msg_get64(in);
    msg_get32(in);
    error = in->bad ? -FS_EPROTO : error ? error : dir ? 0 : -FS_EBADF;
    error = error ? error : p9->server.ops->mknod(p9->server.opaque, dir->node, name, mode, &attr);
    return reply_made(p9, error, &attr, out);
}

static int op_mkdir(p9_t *p9, msg_in_t *in, msg_out_t *out)
{
    p9_fid_t *dir = p9_get_node(p9, in);
    char name[FS_NAME_MAX + 1];
    fs_attr_t attr;
    int error = p9_get_str(in, name, sizeof(name));
    uint32_t mode = msg_get32(in);
    msg_get32(in);
    error = in->bad ? -FS_EPROTO : error ? error : dir ? 0 : -FS_EBADF;
    error = error ? error : p9->server.ops->mkdir(p9->server.opaque, dir->node, name, mode, &attr);
    return reply_made(p9, error, &attr, out);
}

static int op_link(p9_t *p9, msg_in_t *in, msg_out_t *out)
{
    p9_fid_t *dir = p9_get_node(p9, in);
    p9_fid_t *fid = p9_get_node(p9, in);
    char name[FS_NAME_MAX + 1];
    fs_attr_t attr;
    int error = p9_get_str(in, name, sizeof(name));
    (void)out;
    if (in->bad || error || !dir || !fid) {
        return in->bad ? -FS_EPROTO : error ? error : -FS_EBADF;
    }
    error = p9->server.ops->link(p9->server.opaque, fid->node, dir->node, name, &attr);
    if (!error) {
        p9->server.ops->forget(p9->server.opaque, attr.node, 1);
    }
    return error;
}

static int op_rename(p9_t *p9, msg_in_t *in, msg_out_t *out)
{
    p9_fid_t *fid = p9_get_node(p9, in);
    p9_fid_t *to = p9_get_node(p9, in);
    char name[FS_NAME_MAX + 1], to_name[FS_NAME_MAX + 1];
    uint64_t dir;
    int error = p9_get_str(in, to_name, sizeof(to_name));
    (void)out;
    if (in->bad || error || !fid || !to) {
        return in->bad ? -FS_EPROTO : error ? error : -FS_EBADF;
    }
    error = p9->server.ops->name_of(p9->server.opaque, fid->node, &dir, name);
    return error ? error
                 : p9->server.ops->rename(p9->server.opaque, dir, name, to->node, to_name, 0);
}

static int op_renameat(p9_t *p9, msg_in_t *in, msg_out_t *out)
{
    char name[FS_NAME_MAX + 1], to_name[FS_NAME_MAX + 1];
    p9_fid_t *dir = p9_get_node(p9, in);
    int error = p9_get_str(in, name, sizeof(name));
    p9_fid_t *to = p9_get_node(p9, in);
    int to_error = p9_get_str(in, to_name, sizeof(to_name));
    (void)out;
    error = error ? error : to_error;
    if (in->bad || error || !dir || !to) {
        return in->bad ? -FS_EPROTO : error ? error : -FS_EBADF;
    }
    return p9->server.ops->rename(p9->server.opaque, dir->node, name, to->node, to_name, 0);
}

static int op_unlinkat(p9_t *p9, msg_in_t *in, msg_out_t *out)
{
    p9_fid_t *dir = p9_get_node(p9, in);
    char name[FS_NAME_MAX + 1];
    int error = p9_get_str(in, name, sizeof(name));
    uint32_t flags = msg_get32(in);
    (void)out;
    if (in->bad || error || !dir || (flags & ~(uint32_t)P9_AT_REMOVEDIR)) {
        return in->bad ? -FS_EPROTO : error ? error : !dir ? -FS_EBADF : -FS_EINVAL;
    }
    return p9->server.ops->unlink(p9->server.opaque, dir->node, name, flags & P9_AT_REMOVEDIR);
}

static const struct {
    uint8_t type;
    p9_op_t op;
} op_table[] = {
    {P9_TSTATFS, op_statfs},
    {P9_TLOPEN, p9_op_lopen},
    {P9_TLCREATE, p9_op_lcreate},
    {P9_TSYMLINK, op_symlink},
    {P9_TMKNOD, op_mknod},
    {P9_TRENAME, op_rename},
    {P9_TREADLINK, op_readlink},
    {P9_TGETATTR, op_getattr},
    {P9_TSETATTR, op_setattr},
    {P9_TXATTRWALK, p9_op_xattrwalk},
    {P9_TXATTRCREATE, p9_op_xattrcreate},
    {P9_TREADDIR, p9_op_readdir},
    {P9_TFSYNC, p9_op_fsync},
    {P9_TLOCK, p9_op_lock},
    {P9_TGETLOCK, p9_op_getlock},
    {P9_TLINK, op_link},
    {P9_TMKDIR, op_mkdir},
    {P9_TRENAMEAT, op_renameat},
    {P9_TUNLINKAT, op_unlinkat},
    {P9_TVERSION, op_version},
    {P9_TATTACH, op_attach},
    {P9_TFLUSH, op_flush},
    {P9_TWALK, op_walk},
    {P9_TREAD, p9_op_read},
    {P9_TWRITE, p9_op_write},
    {P9_TCLUNK, op_clunk},
    {P9_TREMOVE, op_remove},
};

p9_op_t p9_op_find(uint8_t type)
{
    for (size_t i = 0; i < ARRAY_LEN(op_table); i++) {
        if (op_table[i].type == type) {
            return op_table[i].op;
        }
    }
    return NULL;
}
