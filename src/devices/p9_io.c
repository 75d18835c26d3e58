/* SPDX-License-Identifier: MPL-2.0 */
/* 9P2000.L: opening, data, folders, locks, extended attributes. */
#include "p9_io.h"

#include <stdlib.h>

enum {
    P9_LOCK_SUCCESS = 0,
    P9_LOCK_BLOCKED = 1,
};

/* What open and create understand of a client's flags. */
#define P9_OPEN_FLAGS                                                                              \
    (FS_O_ACCMODE | FS_O_EXCL | FS_O_TRUNC | FS_O_APPEND | FS_O_SYNC | FS_O_DIRECTORY |            \
     FS_O_NOFOLLOW)

/* Rlopen's and Rlcreate's iounit: 0 leaves it to the client, which takes what msize allows. */
#define P9_IOUNIT 0

int p9_op_lopen(p9_t *p9, msg_in_t *in, msg_out_t *out)
{
    p9_fid_t *fid = p9_get_node(p9, in);
    uint32_t flags = msg_get32(in) & P9_OPEN_FLAGS;
    fs_attr_t attr;
    if (!fid || in->bad || fid->handle) {
        return in->bad ? -FS_EPROTO : -FS_EBADF;
    }
    int error = p9->server.ops->open(p9->server.opaque, fid->node, flags, &fid->handle);
    error =
        error ? error : p9->server.ops->getattr(p9->server.opaque, fid->node, fid->handle, &attr);
    if (error) {
        if (fid->handle) {
            p9->server.ops->close(p9->server.opaque, fid->handle);
            fid->handle = FS_NO_HANDLE;
        }
        return error;
    }
    p9_put_qid(out, &attr);
    msg_put32(out, P9_IOUNIT);
    return 0;
}

/* The fid, which was the folder, becomes the new file. */
int p9_op_lcreate(p9_t *p9, msg_in_t *in, msg_out_t *out)
{
    p9_fid_t *fid = p9_get_node(p9, in);
    char name[FS_NAME_MAX + 1];
    fs_attr_t attr;
    uint64_t handle;
    int error = p9_get_str(in, name, sizeof(name));
    uint32_t flags = msg_get32(in) & P9_OPEN_FLAGS;
    uint32_t mode = msg_get32(in);
    msg_get32(in);
    if (in->bad || error || !fid || fid->handle) {
        return in->bad ? -FS_EPROTO : error ? error : -FS_EBADF;
    }
    error = p9->server.ops->create(p9->server.opaque, fid->node, name, flags, mode, &attr, &handle);
    if (error) {
        return error;
    }
    p9->server.ops->forget(p9->server.opaque, fid->node, 1);
    fid->node = attr.node;
    fid->handle = handle;
    p9_put_qid(out, &attr);
    msg_put32(out, P9_IOUNIT);
    return 0;
}

/* How many bytes of data the reply can have behind its count. */
static size_t data_room(const msg_out_t *out, uint32_t wanted)
{
    size_t room = msg_room(out);
    room = room > 4 ? room - 4 : 0;
    return room < wanted ? room : wanted;
}

int p9_op_read(p9_t *p9, msg_in_t *in, msg_out_t *out)
{
    p9_fid_t *fid = p9_get_fid(p9, in);
    uint64_t at = msg_get64(in);
    uint32_t count = msg_get32(in);
    size_t most = data_room(out, count);
    uint8_t *data = out->buf + out->at + 4;
    int64_t got;
    if (!fid || in->bad) {
        return in->bad ? -FS_EPROTO : -FS_EBADF;
    }
    if (fid->kind == P9_FID_XATTR_WRITE || msg_room(out) < 4) {
        return fid->kind == P9_FID_XATTR_WRITE ? -FS_EBADF : -FS_EIO;
    }
    if (fid->kind == P9_FID_XATTR_READ) {
        got = at < fid->xattr_size ? (int64_t)util_min_u64(most, fid->xattr_size - at) : 0;
        if (got) {
            memcpy(data, fid->xattr + at, (size_t)got);
        }
    } else {
        got = p9->server.ops->read(p9->server.opaque, fid->handle, at, data, most);
    }
    if (got < 0) {
        return (int)got;
    }
    msg_put32(out, (uint32_t)got);
    out->at += (size_t)got;
    return 0;
}

/* The parts of a value come in order. */
static int64_t xattr_write(p9_fid_t *fid, uint64_t at, const uint8_t *data, size_t len)
{
    if (at != fid->xattr_got || len > fid->xattr_size - fid->xattr_got) {
        return -FS_EINVAL;
    }
    memcpy(fid->xattr + fid->xattr_got, data, len);
    fid->xattr_got += len;
    return (int64_t)len;
}

int p9_op_write(p9_t *p9, msg_in_t *in, msg_out_t *out)
{
    p9_fid_t *fid = p9_get_fid(p9, in);
    uint64_t at = msg_get64(in);
    uint32_t count = msg_get32(in);
    int64_t put;
    if (in->bad || count > (size_t)(in->end - in->at)) {
        return -FS_EPROTO;
    }
    if (!fid || fid->kind == P9_FID_XATTR_READ) {
        return -FS_EBADF;
    }
    if (fid->kind == P9_FID_XATTR_WRITE) {
        put = xattr_write(fid, at, in->at, count);
    } else {
        put = p9->server.ops->write(p9->server.opaque, fid->handle, at, in->at, count, false);
    }
    if (put >= 0) {
        msg_put32(out, (uint32_t)put);
    }
    return put < 0 ? (int)put : 0;
}

static void put_dirent(msg_out_t *out, const fs_dirent_t *entry, size_t len)
{
    const fs_attr_t attr = {.ino = entry->ino, .mode = entry->type};
    p9_put_qid(out, &attr);
    msg_put64(out, entry->next);
    msg_put8(out, (uint8_t)(entry->type >> 12));
    p9_put_str(out, entry->name, len);
}

int p9_op_readdir(p9_t *p9, msg_in_t *in, msg_out_t *out)
{
    const size_t head = 13 + 8 + 1 + 2;
    p9_fid_t *fid = p9_get_node(p9, in);
    uint64_t cookie = msg_get64(in);
    size_t left = data_room(out, msg_get32(in));
    fs_dirent_t entry;
    size_t start = out->at;
    int more = 0;
    if (!fid || in->bad) {
        return in->bad ? -FS_EPROTO : -FS_EBADF;
    }
    msg_put32(out, 0);
    while ((more = p9->server.ops->readdir(p9->server.opaque, fid->handle, cookie, &entry)) > 0) {
        size_t len = strlen(entry.name);
        if (head + len > left) {
            break;
        }
        put_dirent(out, &entry, len);
        left -= head + len;
        cookie = entry.next;
    }
    size_t size = out->full ? 0 : out->at - start - 4;
    if (!size && more) {
        return more < 0 ? more : -FS_EINVAL;
    }
    if (!out->full) {
        util_put_le32(out->buf + start, (uint32_t)size);
    }
    return 0;
}

int p9_op_fsync(p9_t *p9, msg_in_t *in, msg_out_t *out)
{
    p9_fid_t *fid = p9_get_node(p9, in);
    /* Older clients leave datasync away. */
    bool data_only = in->at < in->end && msg_get32(in) != 0;
    (void)out;
    if (!fid || in->bad) {
        return in->bad ? -FS_EPROTO : -FS_EBADF;
    }
    return p9->server.ops->fsync(p9->server.opaque, fid->handle, data_only);
}

/* start[8] length[8]; a length of 0 reaches to the end of the file. */
static void get_range(msg_in_t *in, fs_lock_t *lock)
{
    uint64_t len;
    lock->start = msg_get64(in);
    len = msg_get64(in);
    lock->end = !len || len - 1 > UINT64_MAX - lock->start ? UINT64_MAX : lock->start + len - 1;
    lock->pid = msg_get32(in);
}

int p9_op_lock(p9_t *p9, msg_in_t *in, msg_out_t *out)
{
    p9_fid_t *fid = p9_get_node(p9, in);
    char client[FS_NAME_MAX + 1];
    fs_lock_t lock;
    lock.type = msg_get8(in);
    msg_get32(in); /* whether the client will ask again */
    get_range(in, &lock);
    p9_get_str(in, client, sizeof(client));
    if (!fid || in->bad) {
        return in->bad ? -FS_EPROTO : -FS_EBADF;
    }
    int error = p9->server.ops->setlk(p9->server.opaque, fid->handle, &lock);
    if (error && error != -FS_EAGAIN) {
        return error;
    }
    msg_put8(out, error ? P9_LOCK_BLOCKED : P9_LOCK_SUCCESS);
    return 0;
}

int p9_op_getlock(p9_t *p9, msg_in_t *in, msg_out_t *out)
{
    p9_fid_t *fid = p9_get_node(p9, in);
    char client[FS_NAME_MAX + 1];
    fs_lock_t lock;
    lock.type = msg_get8(in);
    get_range(in, &lock);
    int error = p9_get_str(in, client, sizeof(client));
    if (in->bad || error || !fid) {
        return in->bad ? -FS_EPROTO : error ? error : -FS_EBADF;
    }
    error = p9->server.ops->getlk(p9->server.opaque, fid->handle, &lock);
    if (error) {
        return error;
    }
    msg_put8(out, (uint8_t)lock.type);
    msg_put64(out, lock.start);
    msg_put64(out, lock.end >= INT64_MAX ? 0 : lock.end - lock.start + 1);
    msg_put32(out, lock.pid);
    p9_put_str(out, client, strlen(client));
    return 0;
}

/* --- Extended attributes --- */

/* The value of an attribute, or the list of all (an empty name), into *value; its size. */
static int xattr_fetch(p9_t *p9, uint64_t node, const char *name, uint8_t **value)
{
    const fs_ops_t *ops = p9->server.ops;
    int size = *name ? ops->getxattr(p9->server.opaque, node, name, NULL, 0)
                     : ops->listxattr(p9->server.opaque, node, NULL, 0);
    if (size <= 0) {
        return size;
    }
    *value = malloc((size_t)size);
    if (!*value) {
        return -FS_ENOMEM;
    }
    size = *name ? ops->getxattr(p9->server.opaque, node, name, *value, (size_t)size)
                 : ops->listxattr(p9->server.opaque, node, (char *)*value, (size_t)size);
    if (size < 0) {
        free(*value);
        *value = NULL;
    }
    return size;
}

int p9_op_xattrwalk(p9_t *p9, msg_in_t *in, msg_out_t *out)
{
    p9_fid_t *fid = p9_get_node(p9, in);
    uint32_t new_id = msg_get32(in);
    char name[FS_NAME_MAX + 1];
    uint8_t *value = NULL;
    p9_fid_t *made;
    int error = p9_get_str(in, name, sizeof(name));
    if (in->bad || error || !fid || p9->xattr_count >= P9_XATTR_FIDS_MAX) {
        return in->bad ? -FS_EPROTO : error ? error : !fid ? -FS_EBADF : -FS_ENFILE;
    }
    int size = xattr_fetch(p9, fid->node, name, &value);
    if (size < 0) {
        return size;
    }
    error = p9->server.ops->retain(p9->server.opaque, fid->node);
    if (!error) {
        error = p9_fid_new(p9, new_id, fid->node, &made);
        if (error) {
            p9->server.ops->forget(p9->server.opaque, fid->node, 1);
        }
    }
    if (error) {
        free(value);
        return error;
    }
    made->kind = P9_FID_XATTR_READ;
    made->xattr = value;
    made->xattr_size = (size_t)size;
    p9->xattr_count++;
    msg_put64(out, (uint64_t)size);
    return 0;
}

int p9_op_xattrcreate(p9_t *p9, msg_in_t *in, msg_out_t *out)
{
    p9_fid_t *fid = p9_get_node(p9, in);
    char name[FS_NAME_MAX + 1];
    int error = p9_get_str(in, name, sizeof(name));
    uint64_t size = msg_get64(in);
    uint32_t flags = msg_get32(in);
    (void)out;
    if (in->bad || error || !fid || fid->handle) {
        return in->bad ? -FS_EPROTO : error ? error : -FS_EBADF;
    }
    if (size > FS_XATTR_MAX || p9->xattr_count >= P9_XATTR_FIDS_MAX) {
        return size > FS_XATTR_MAX ? -FS_E2BIG : -FS_ENFILE;
    }
    fid->xattr = malloc((size_t)size + strlen(name) + 1);
    if (!fid->xattr) {
        return -FS_ENOMEM;
    }
    fid->kind = P9_FID_XATTR_WRITE;
    fid->xattr_size = (size_t)size;
    fid->xattr_flags = flags;
    memcpy(fid->xattr + size, name, strlen(name) + 1);
    p9->xattr_count++;
    return 0;
}
