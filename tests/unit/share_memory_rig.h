/* SPDX-License-Identifier: MPL-2.0 */
/* For tests of the folder in memory: one with a few files, and a guest's server on it. */
#ifndef RVKIT_TESTS_UNIT_SHARE_MEMORY_RIG_H
#define RVKIT_TESTS_UNIT_SHARE_MEMORY_RIG_H

#include "host/share_memory.h"

#include "file_server_rig.h"

#include <stdlib.h>

#define MB (UINT64_C(1) << 20)

static share_memory_t *share;
static share_memory_space_t space;

/* file "hello", sub/deep "deep", link -> sub */
static inline void up(uint64_t limit)
{
    fs_attr_t attr;
    share = share_memory_create(limit);
    if (!share || !share_memory_serve(share, &fs)) {
        printf("Bail out! no folder\n");
        exit(1);
    }
    CHECK_EQ(0, share_memory_put(share, "file", "hello", 5, 0644));
    CHECK_EQ(0, share_memory_mkdir(share, "sub", 0755));
    CHECK_EQ(0, share_memory_put(share, "sub/deep", "deep", 4, 0600));
    CHECK_EQ(0, OPS->symlink(S, FS_ROOT, "link", "sub", &attr));
    OPS->forget(S, attr.node, 1);
}

static inline uint64_t used(void)
{
    share_memory_space(share, &space);
    return space.used;
}

/* Nothing is lost: without names and without a guest, only the folder itself is left. */
static inline void down(void)
{
    share_memory_t *empty = share_memory_create(0);
    uint64_t cookie = 0;
    char name[FS_NAME_MAX + 1];
    OPS->free(S);
    while (share_memory_list(share, "", &cookie, name, NULL) == 1) {
        CHECK_EQ(0, share_memory_remove(share, name, true));
    }
    share_memory_space(empty, &space);
    uint64_t least = space.used;
    CHECK(used() <= least + 64 * 1024); /* the folder's own list */
    CHECK_EQ(1, space.files);
    share_memory_free(empty);
    share_memory_free(share);
}

/* The file at a path has this text. */
static inline bool has(const char *path, const char *text)
{
    char buf[256];
    int64_t got = share_memory_read(share, path, 0, buf, sizeof(buf));
    return got == (int64_t)strlen(text) && !memcmp(buf, text, (size_t)got);
}

static inline uint64_t size_of(const char *path)
{
    fs_attr_t attr = {.size = UINT64_MAX};
    CHECK_EQ(0, share_memory_stat(share, path, &attr));
    return attr.size;
}

#endif
