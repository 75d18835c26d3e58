/* SPDX-License-Identifier: MPL-2.0 */
/*
 * For fuzz targets of shared folders: the same input goes to a folder of the host and to one in
 * memory, which begin with the same files. What is outside the host's folder must stay as it is,
 * and of the folder in memory nothing may be left behind.
 */
#ifndef RVKIT_TESTS_FUZZ_SHARE_RIG_H
#define RVKIT_TESTS_FUZZ_SHARE_RIG_H

#include "share_dir.h"

#include "host/share_memory.h"

enum { FZ_HOST, FZ_MEMORY, FZ_KINDS };

/* Bytes; small enough to be reached. */
#define FZ_LIMIT (UINT64_C(1) << 20)

typedef struct {
    int kind;
    share_dir_t sd;
    share_memory_t *memory;
    file_server_t server;
} fz_share_t;

/* The files of sd_fill(). */
static inline bool fz_share_fill(fz_share_t *share)
{
    uint64_t at = 0, fifo = 0;
    fs_attr_t attr;
    if (share->kind == FZ_HOST) {
        return sd_fill(&share->sd);
    }
    const fs_ops_t *ops = share->server.ops;
    bool ok = share_memory_put(share->memory, "file", "hello", 5, 0644) == 0 &&
              share_memory_mkdir(share->memory, "sub", 0755) == 0 &&
              share_memory_put(share->memory, "sub/deep", "deep", 4, 0644) == 0 &&
              ops->symlink(share->server.opaque, FS_ROOT, "up", "..", &attr) == 0;
    at = attr.node;
    ok = ok && ops->mknod(share->server.opaque, FS_ROOT, "fifo", FS_S_IFIFO | 0644, &attr) == 0;
    fifo = attr.node;
    ops->forget(share->server.opaque, at, 1);
    ops->forget(share->server.opaque, fifo, 1);
    return ok;
}

static inline bool fz_share_open(fz_share_t *share, int kind)
{
    share->kind = kind;
    if (kind == FZ_HOST) {
        return sd_make(&share->sd) && sd_share(&share->sd, &share->server, false, true);
    }
    share->memory = share_memory_create(FZ_LIMIT);
    return share->memory && share_memory_serve(share->memory, &share->server) &&
           fz_share_fill(share);
}

/* After the device, which had the server. */
static inline void fz_share_close(fz_share_t *share)
{
    if (share->kind == FZ_HOST) {
        sd_remove(&share->sd);
    } else {
        share_memory_free(share->memory);
    }
}

/* All of it goes. What the guest still has open or knows is the session's; its end frees it. */
static inline bool fz_share_empty(fz_share_t *share)
{
    char name[FS_NAME_MAX + 1];
    share_memory_space_t space;
    if (share->kind == FZ_HOST) {
        bool sound = sd_sound(&share->sd);
        sd_empty(open(share->sd.in, O_RDONLY | O_DIRECTORY));
        return sound;
    }
    for (uint64_t cookie = 0; share_memory_list(share->memory, "", &cookie, name, NULL) == 1;) {
        if (share_memory_remove(share->memory, name, true)) {
            return false;
        }
    }
    share_memory_space(share->memory, &space);
    return space.used <= FZ_LIMIT;
}

/* After fz_share_empty() and the end of the session: the folder alone is there. */
static inline bool fz_share_is_bare(fz_share_t *share)
{
    share_memory_space_t space = {.files = 1};
    if (share->kind == FZ_MEMORY) {
        share_memory_space(share->memory, &space);
    }
    return space.files == 1;
}

#endif
