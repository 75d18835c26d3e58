/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Locks of ranges: each handle has a list of what it holds. How it was opened does not matter: the
 * guest's flock() has no such rule, and what fcntl() has, the guest sees to.
 */
#include "share_memory_internal.h"
#include "share_range.h"

#include <stdlib.h>
#include <string.h>

/* False: a range that no file has. */
static bool lock_range(const fs_lock_t *lock, fs_lock_t *range)
{
    *range = *lock;
    range->end = lock->end > INT64_MAX ? (uint64_t)INT64_MAX : lock->end;
    return lock->start <= INT64_MAX && lock->end >= lock->start && lock->type <= FS_LOCK_NONE;
}

/* A lock of another handle that is in the way; NULL: none. */
static const fs_lock_t *lock_conflict(share_memory_t *m, const smem_handle_t *handle,
                                      const fs_lock_t *range)
{
    for (uint32_t i = 0; i < m->handle_top && range->type != FS_LOCK_NONE; i++) {
        const smem_handle_t *other = &m->handles[i];
        if (!other->used || other == handle || other->file != handle->file) {
            continue;
        }
        for (uint32_t k = 0; k < other->lock_count; k++) {
            const fs_lock_t *lock = &other->lock[k];
            if (lock->start <= range->end && lock->end >= range->start &&
                (lock->type == FS_LOCK_WRITE || range->type == FS_LOCK_WRITE)) {
                return lock;
            }
        }
    }
    return NULL;
}

int smem_op_getlk(void *opaque, uint64_t id, fs_lock_t *lock)
{
    smem_handle_t *handle = smem_handle_file(opaque, id);
    fs_lock_t range;
    if (!handle || lock->type == FS_LOCK_NONE || !lock_range(lock, &range)) {
        return handle ? -FS_EINVAL : -FS_EBADF;
    }
    const fs_lock_t *found = lock_conflict(opaque, handle, &range);
    if (found) {
        *lock = *found;
    } else {
        lock->type = FS_LOCK_NONE;
    }
    return 0;
}

int smem_op_setlk(void *opaque, uint64_t id, const fs_lock_t *lock)
{
    smem_handle_t *handle = smem_handle_file(opaque, id);
    fs_lock_t range, after[SMEM_LOCKS_MAX + 2];
    if (!handle || !lock_range(lock, &range)) {
        return handle ? -FS_EINVAL : -FS_EBADF;
    }
    if (lock_conflict(opaque, handle, &range)) {
        return -FS_EAGAIN;
    }
    uint32_t count =
        share_range_merge(handle->lock, handle->lock_count, SMEM_LOCKS_MAX, &range, after);
    if (!handle->lock && count) {
        handle->lock = malloc(SMEM_LOCKS_MAX * sizeof(*handle->lock));
    }
    if (count > SMEM_LOCKS_MAX || (count && !handle->lock)) {
        return -FS_ENOLCK;
    }
    handle->lock_count = count;
    if (count) {
        memcpy(handle->lock, after, count * sizeof(*after));
    }
    return 0;
}
