/* SPDX-License-Identifier: MPL-2.0 */
/* FUSE: handles, data, folders, locks, extended attributes. */
#include "fuse_internal.h"

#include <stdlib.h>

enum {
    FUSE_WRITE_CACHE = 1,
    FUSE_FSYNC_FDATASYNC = 1,
    FUSE_LK_FLOCK = 1,
    FUSE_DIRENT = 24,
};

#define FUSE_OPEN_FLAGS (FS_O_ACCMODE | FS_O_TRUNC | FS_O_APPEND | FS_O_SYNC)

/* struct fuse_open_out. */
static void put_open(msg_out_t *out, uint64_t handle)
{
    msg_put64(out, handle);
    msg_put64(out, 0);
}

/* OPEN and OPENDIR. */
int fuse_op_open(fuse_t *fuse, msg_in_t *in, msg_out_t *out)
{
    uint32_t flags = msg_get32(in) & FUSE_OPEN_FLAGS;
    uint64_t handle;
    msg_get32(in);
    if (in->bad) {
        return -FS_EINVAL;
    }
    flags = fuse->opcode == FUSE_OPENDIR ? FS_O_DIRECTORY : flags;
    int error = fuse->server.ops->open(fuse->server.opaque, fuse->node, flags, &handle);
    if (error) {
        return error;
    }
    put_open(out, handle);
    if (out->full) {
        fuse->server.ops->close(fuse->server.opaque, handle);
    }
    return 0;
}

int fuse_op_create(fuse_t *fuse, msg_in_t *in, msg_out_t *out)
{
    uint32_t flags = msg_get32(in) & (FUSE_OPEN_FLAGS | FS_O_EXCL);
    uint32_t mode = msg_get32(in);
    msg_get64(in);
    const char *name = fuse_get_str(in);
    fs_attr_t attr;
    uint64_t handle;
    if (!name) {
        return -FS_EINVAL;
    }
    int error =
        fuse->server.ops->create(fuse->server.opaque, fuse->node, name, flags, mode, &attr, &handle);
    if (error) {
        return error;
    }
    fuse_put_entry(out, &attr);
    put_open(out, handle);
    if (out->full) {
        fuse->server.ops->close(fuse->server.opaque, handle);
        fuse->server.ops->forget(fuse->server.opaque, attr.node, 1);
    }
    return 0;
}

int fuse_op_read(fuse_t *fuse, msg_in_t *in, msg_out_t *out)
{
    uint64_t handle = msg_get64(in), at = msg_get64(in);
    size_t size = msg_get32(in);
    if (in->bad) {
        return -FS_EINVAL;
    }
    size = size < msg_room(out) ? size : msg_room(out);
    int64_t got = fuse->server.ops->read(fuse->server.opaque, handle, at, out->buf + out->at, size);
    out->at += got > 0 ? (size_t)got : 0;
    return got < 0 ? (int)got : 0;
}

int fuse_op_write(fuse_t *fuse, msg_in_t *in, msg_out_t *out)
{
    uint64_t handle = msg_get64(in), at = msg_get64(in);
    uint32_t size = msg_get32(in), flags = msg_get32(in);
    msg_get64(in); /* lock_owner */
    msg_get64(in); /* flags */
    if (in->bad || size > (size_t)(in->end - in->at)) {
        return -FS_EINVAL;
    }
    /* Pages that are written back have their places. */
    int64_t put = fuse->server.ops->write(fuse->server.opaque, handle, at, in->at, size,
                                          flags & FUSE_WRITE_CACHE);
    if (put >= 0) {
        msg_put32(out, (uint32_t)put);
        msg_put32(out, 0);
    }
    return put < 0 ? (int)put : 0;
}

/* --- Locks --- */

static void locks_drop_handle(fuse_t *fuse, uint64_t handle)
{
    for (uint32_t i = 0; i < fuse->lock_count;) {
        if (fuse->locks[i].handle == handle) {
            fuse->locks[i] = fuse->locks[--fuse->lock_count];
        } else {
            i++;
        }
    }
}

static fuse_lock_t *locks_find(fuse_t *fuse, uint64_t handle, uint64_t owner)
{
    for (uint32_t i = 0; i < fuse->lock_count; i++) {
        if (fuse->locks[i].handle == handle && fuse->locks[i].owner == owner) {
            return &fuse->locks[i];
        }
    }
    return NULL;
}

/* RELEASE and RELEASEDIR. */
int fuse_op_release(fuse_t *fuse, msg_in_t *in, msg_out_t *out)
{
    uint64_t handle = msg_get64(in);
    (void)out;
    if (in->bad) {
        return -FS_EINVAL;
    }
    locks_drop_handle(fuse, handle);
    return fuse->server.ops->close(fuse->server.opaque, handle);
}

/* A process closes its file, and with it gives up its locks, also when others have the file still
 * open. */
int fuse_op_flush(fuse_t *fuse, msg_in_t *in, msg_out_t *out)
{
    const fs_lock_t all = {0, UINT64_MAX, FS_LOCK_NONE, 0};
    uint64_t handle = msg_get64(in);
    msg_get64(in);
    uint64_t owner = msg_get64(in);
    (void)out;
    fuse_lock_t *lock = in->bad ? NULL : locks_find(fuse, handle, owner);
    if (!lock) {
        return in->bad ? -FS_EINVAL : 0;
    }
    *lock = fuse->locks[--fuse->lock_count];
    return fuse->server.ops->setlk(fuse->server.opaque, handle, &all);
}

/* struct fuse_lk_in. */
static int get_lock(msg_in_t *in, uint64_t *handle, uint64_t *owner, fs_lock_t *lock)
{
    *handle = msg_get64(in);
    *owner = msg_get64(in);
    lock->start = msg_get64(in);
    lock->end = msg_get64(in);
    lock->type = msg_get32(in);
    lock->pid = msg_get32(in);
    uint32_t flags = msg_get32(in);
    msg_get32(in);
    return in->bad ? -FS_EINVAL : flags & FUSE_LK_FLOCK ? -FS_EOPNOTSUPP : 0;
}

int fuse_op_getlk(fuse_t *fuse, msg_in_t *in, msg_out_t *out)
{
    uint64_t handle, owner;
    fs_lock_t lock;
    int error = get_lock(in, &handle, &owner, &lock);
    error = error ? error : fuse->server.ops->getlk(fuse->server.opaque, handle, &lock);
    if (!error) {
        msg_put64(out, lock.start);
        msg_put64(out, lock.end);
        msg_put32(out, lock.type);
        msg_put32(out, lock.pid);
    }
    return error;
}

/* SETLK and SETLKW. */
int fuse_op_setlk(fuse_t *fuse, msg_in_t *in, msg_out_t *out)
{
    uint64_t handle, owner;
    fs_lock_t lock;
    int error = get_lock(in, &handle, &owner, &lock);
    (void)out;
    if (error) {
        return error;
    }
    bool known = locks_find(fuse, handle, owner) != NULL;
    if (lock.type != FS_LOCK_NONE && !known && fuse->lock_count == FUSE_LOCKS_MAX) {
        return -FS_ENOLCK;
    }
    error = fuse->server.ops->setlk(fuse->server.opaque, handle, &lock);
    if (!error && lock.type != FS_LOCK_NONE && !known) {
        fuse->locks[fuse->lock_count++] = (fuse_lock_t){handle, owner};
    }
    return error == -FS_EAGAIN && fuse->opcode == FUSE_SETLKW ? FUSE_NOT_YET : error;
}

/* --- More of handles --- */

/* FSYNC and FSYNCDIR. */
int fuse_op_fsync(fuse_t *fuse, msg_in_t *in, msg_out_t *out)
{
    uint64_t handle = msg_get64(in);
    uint32_t flags = msg_get32(in);
    (void)out;
    if (in->bad) {
        return -FS_EINVAL;
    }
    return fuse->server.ops->fsync(fuse->server.opaque, handle, flags & FUSE_FSYNC_FDATASYNC);
}

int fuse_op_fallocate(fuse_t *fuse, msg_in_t *in, msg_out_t *out)
{
    uint64_t handle = msg_get64(in), at = msg_get64(in), len = msg_get64(in);
    uint32_t mode = msg_get32(in);
    (void)out;
    if (in->bad) {
        return -FS_EINVAL;
    }
    return fuse->server.ops->fallocate(fuse->server.opaque, handle, mode, at, len);
}

int fuse_op_lseek(fuse_t *fuse, msg_in_t *in, msg_out_t *out)
{
    uint64_t handle = msg_get64(in), at = msg_get64(in);
    uint32_t whence = msg_get32(in);
    if (in->bad) {
        return -FS_EINVAL;
    }
    int64_t found = fuse->server.ops->seek(fuse->server.opaque, handle, at, whence);
    if (found >= 0) {
        msg_put64(out, (uint64_t)found);
    }
    return found < 0 ? (int)found : 0;
}

/* --- Folders --- */

/* struct fuse_dirent. */
static void put_dirent(msg_out_t *out, const fs_dirent_t *entry, size_t len)
{
    static const uint8_t zeros[8];
    msg_put64(out, entry->ino);
    msg_put64(out, entry->next);
    msg_put32(out, (uint32_t)len);
    msg_put32(out, entry->type >> 12);
    msg_put_bytes(out, entry->name, len);
    msg_put_bytes(out, zeros, -len & 7);
}

/* The entry in front of a READDIRPLUS record; node 0: the guest looks it up itself. */
static void put_plus(fuse_t *fuse, uint64_t dir, const fs_dirent_t *entry, msg_out_t *out)
{
    fs_attr_t attr;
    if (!fs_name_ok(entry->name) ||
        fuse->server.ops->lookup(fuse->server.opaque, dir, entry->name, &attr)) {
        attr = (fs_attr_t){.ino = entry->ino, .mode = entry->type};
    }
    fuse_put_entry(out, &attr);
}

/* READDIR and READDIRPLUS. */
int fuse_op_readdir(fuse_t *fuse, msg_in_t *in, msg_out_t *out)
{
    bool plus = fuse->opcode == FUSE_READDIRPLUS;
    uint64_t handle = msg_get64(in), cookie = msg_get64(in);
    size_t left = msg_get32(in), start = out->at;
    fs_dirent_t entry;
    int more = 0;
    if (in->bad) {
        return -FS_EINVAL;
    }
    left = left < msg_room(out) ? left : msg_room(out);
    while ((more = fuse->server.ops->readdir(fuse->server.opaque, handle, cookie, &entry)) > 0) {
        size_t len = strlen(entry.name);
        size_t size = ((FUSE_DIRENT + len + 7) & ~(size_t)7) + (plus ? FUSE_ENTRY_OUT : 0);
        if (size > left) {
            break;
        }
        if (plus) {
            put_plus(fuse, fuse->node, &entry, out);
        }
        put_dirent(out, &entry, len);
        left -= size;
        cookie = entry.next;
    }
    if (out->at == start && more) {
        return more < 0 ? more : -FS_EINVAL;
    }
    return 0;
}

/* --- Extended attributes --- */

/* GETXATTR and LISTXATTR: the value, or its size when the guest asks with size 0. */
int fuse_op_getxattr(fuse_t *fuse, msg_in_t *in, msg_out_t *out)
{
    const fs_ops_t *ops = fuse->server.ops;
    size_t size = msg_get32(in);
    msg_get32(in);
    bool list = fuse->opcode == FUSE_LISTXATTR;
    const char *name = list ? "" : fuse_get_str(in);
    uint8_t *buf = out->buf + out->at;
    if (in->bad || !name) {
        return -FS_EINVAL;
    }
    if (size > msg_room(out)) {
        return -FS_EIO;
    }
    int got = list ? ops->listxattr(fuse->server.opaque, fuse->node, (char *)buf, size)
                   : ops->getxattr(fuse->server.opaque, fuse->node, name, buf, size);
    if (got < 0) {
        return got;
    }
    if (size) {
        out->at += (size_t)got;
    } else {
        msg_put32(out, (uint32_t)got);
        msg_put32(out, 0);
    }
    return 0;
}

int fuse_op_setxattr(fuse_t *fuse, msg_in_t *in, msg_out_t *out)
{
    uint32_t size = msg_get32(in), flags = msg_get32(in);
    const char *name = fuse_get_str(in);
    (void)out;
    if (!name || size > (size_t)(in->end - in->at)) {
        return -FS_EINVAL;
    }
    return fuse->server.ops->setxattr(fuse->server.opaque, fuse->node, name, in->at, size, flags);
}

int fuse_op_removexattr(fuse_t *fuse, msg_in_t *in, msg_out_t *out)
{
    const char *name = fuse_get_str(in);
    (void)out;
    return name ? fuse->server.ops->removexattr(fuse->server.opaque, fuse->node, name) : -FS_EINVAL;
}
