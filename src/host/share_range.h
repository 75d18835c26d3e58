/* SPDX-License-Identifier: MPL-2.0 */
/* The ranges of a file that one handle has locked, for both servers of shared folders. */
#ifndef RVKIT_HOST_SHARE_RANGE_H
#define RVKIT_HOST_SHARE_RANGE_H

#include "../devices/file_server.h"

/*
 * What `count` ranges, which do not overlap, are after one more call: into `to`, which holds most
 * + 2. How many; more than `most`: it is too much, and `to` holds a part.
 */
uint32_t share_range_merge(const fs_lock_t *ranges, uint32_t count, uint32_t most,
                           const fs_lock_t *change, fs_lock_t *to);

#endif
