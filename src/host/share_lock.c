/* SPDX-License-Identifier: MPL-2.0 */
/* Locks of ranges: the host's, and a list of what each handle has, for snapshots. */
#define _GNU_SOURCE
#include "share_internal.h"
#include "share_range.h"

#ifdef __linux__

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

static share_handle_t *file_get(share_t *s, uint64_t id)
{
    share_handle_t *handle = share_handle_get(s, id);
    return handle && !handle->is_dir ? handle : NULL;
}

/* False: a range that no file has. */
static bool lock_range(const fs_lock_t *lock, struct flock *host)
{
    if (lock->start > INT64_MAX || lock->end < lock->start || lock->type > FS_LOCK_NONE) {
        return false;
    }
    *host = (struct flock){
        .l_type = lock->type == FS_LOCK_READ    ? F_RDLCK
                  : lock->type == FS_LOCK_WRITE ? F_WRLCK
                                                : F_UNLCK,
        .l_whence = SEEK_SET,
        .l_start = (off_t)lock->start,
        .l_len = lock->end >= INT64_MAX ? 0 : (off_t)(lock->end - lock->start + 1),
    };
    return true;
}

int share_op_getlk(void *opaque, uint64_t id, fs_lock_t *lock)
{
    share_handle_t *handle = file_get(opaque, id);
    struct flock host;
    if (!handle || lock->type == FS_LOCK_NONE || !lock_range(lock, &host)) {
        return handle ? -FS_EINVAL : -FS_EBADF;
    }
    if (fcntl(handle->fd, F_OFD_GETLK, &host)) {
        return share_error(errno);
    }
    if (host.l_type == F_UNLCK) {
        lock->type = FS_LOCK_NONE;
        return 0;
    }
    lock->type = host.l_type == F_RDLCK ? FS_LOCK_READ : FS_LOCK_WRITE;
    lock->start = (uint64_t)host.l_start;
    lock->end = host.l_len ? (uint64_t)(host.l_start + host.l_len - 1) : (uint64_t)INT64_MAX;
    lock->pid = 0;
    return 0;
}

int share_op_setlk(void *opaque, uint64_t id, const fs_lock_t *lock)
{
    share_handle_t *handle = file_get(opaque, id);
    struct flock host;
    if (!handle || !lock_range(lock, &host)) {
        return handle ? -FS_EINVAL : -FS_EBADF;
    }
    fs_lock_t after[SHARE_LOCKS_MAX + 2];
    uint32_t count =
        share_range_merge(handle->lock, handle->lock_count, SHARE_LOCKS_MAX, lock, after);
    if (!handle->lock && count) {
        handle->lock = malloc(SHARE_LOCKS_MAX * sizeof(*handle->lock));
    }
    if (count > SHARE_LOCKS_MAX || (count && !handle->lock)) {
        return -FS_ENOLCK;
    }
    if (fcntl(handle->fd, F_OFD_SETLK, &host)) {
        return share_error(errno == EACCES ? EAGAIN : errno);
    }
    handle->lock_count = count;
    if (count) {
        memcpy(handle->lock, after, count * sizeof(*after));
    }
    return 0;
}

#endif
