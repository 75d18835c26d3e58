/* SPDX-License-Identifier: MPL-2.0 */
#include "share_range.h"

uint32_t share_range_merge(const fs_lock_t *ranges, uint32_t count, uint32_t most,
                           const fs_lock_t *change, fs_lock_t *to)
{
    uint32_t made = 0;
    for (uint32_t i = 0; i < count && made <= most; i++) {
        fs_lock_t lock = ranges[i];
        if (lock.end < change->start || lock.start > change->end) {
            to[made++] = lock;
            continue;
        }
        if (lock.start < change->start) {
            to[made++] = (fs_lock_t){lock.start, change->start - 1, lock.type, lock.pid};
        }
        if (lock.end > change->end && made <= most) {
            to[made++] = (fs_lock_t){change->end + 1, lock.end, lock.type, lock.pid};
        }
    }
    if (change->type != FS_LOCK_NONE && made <= most) {
        to[made++] = *change;
    }
    return made;
}
