/* SPDX-License-Identifier: MPL-2.0 */
/* Which file a node's number means, and the descriptors behind the nodes. */
#define _GNU_SOURCE
#include "share_internal.h"

#ifdef __linux__

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#if __has_include(<linux/openat2.h>)
#include <linux/openat2.h>
#endif

#define NODE_FDS_MIN 16u
#define NODE_FDS_MAX 4096u

uint64_t share_node_id(const share_node_t *node)
{
    return (uint64_t)node->generation << 32 | (node->slot + UINT64_C(1));
}

share_node_t *share_node_get(share_t *s, uint64_t id)
{
    uint64_t slot = (id & UINT32_MAX) - 1;
    share_node_t *node = slot < s->slot_count ? s->slots[slot].node : NULL;
    return node && share_node_id(node) == id ? node : NULL;
}

void share_op_begin(share_t *s)
{
    s->serial++;
}

void share_proc_path(char path[SHARE_PROC_SIZE], int fd)
{
    snprintf(path, SHARE_PROC_SIZE, "/proc/self/fd/%d", fd);
}

/* Files of other file systems that are mounted inside get numbers of their own. */
uint64_t share_ino(const share_t *s, dev_t dev, ino_t ino)
{
    uint64_t mix = dev == s->root_dev ? 0 : (uint64_t)dev * UINT64_C(0x9e3779b97f4a7c15);
    return (uint64_t)ino ^ mix;
}

void share_fill_attr(share_t *s, uint64_t id, const struct stat *st, fs_attr_t *attr)
{
    *attr = (fs_attr_t){
        .node = id,
        .ino = share_ino(s, st->st_dev, st->st_ino),
        .mode = (uint32_t)st->st_mode & (FS_S_IFMT | 01777),
        .nlink = (uint32_t)st->st_nlink,
        .blksize = (uint32_t)st->st_blksize,
        .size = (uint64_t)st->st_size,
        .blocks = (uint64_t)st->st_blocks,
        .atime = {st->st_atim.tv_sec, (uint32_t)st->st_atim.tv_nsec},
        .mtime = {st->st_mtim.tv_sec, (uint32_t)st->st_mtim.tv_nsec},
        .ctime = {st->st_ctim.tv_sec, (uint32_t)st->st_ctim.tv_nsec},
    };
}

/* --- The table --- */

static uint32_t *node_bucket(share_t *s, dev_t dev, ino_t ino)
{
    uint64_t hash = ((uint64_t)ino + (uint64_t)dev * 31) * UINT64_C(0x9e3779b97f4a7c15);
    return &s->buckets[(hash >> 32) & (SHARE_BUCKETS - 1)];
}

static share_node_t *node_find(share_t *s, dev_t dev, ino_t ino, uint32_t type)
{
    for (uint32_t at = *node_bucket(s, dev, ino); at;) {
        share_node_t *node = s->slots[at - 1].node;
        if (node->ino == ino && node->dev == dev && node->type == type) {
            return node;
        }
        at = node->next;
    }
    return NULL;
}

static void node_link(share_t *s, share_node_t *node)
{
    uint32_t *bucket = node_bucket(s, node->dev, node->ino);
    node->next = *bucket;
    *bucket = node->slot + 1;
    s->slots[node->slot].node = node;
}

static void node_unlink(share_t *s, share_node_t *node)
{
    uint32_t *at = node_bucket(s, node->dev, node->ino);
    while (*at != node->slot + 1) {
        at = &s->slots[*at - 1].node->next;
    }
    *at = node->next;
}

static bool slot_alloc(share_t *s, uint32_t *slot)
{
    if (s->free_slot) {
        *slot = s->free_slot - 1;
        s->free_slot = s->slots[*slot].next_free;
        return true;
    }
    if (s->slot_count == s->slot_cap) {
        uint32_t cap = s->slot_cap ? s->slot_cap * 2 : 256;
        share_slot_t *slots =
            cap > SHARE_NODES_MAX ? NULL : realloc(s->slots, cap * sizeof(*slots));
        if (!slots) {
            return false;
        }
        s->slots = slots;
        s->slot_cap = cap;
    }
    s->slots[s->slot_count] = (share_slot_t){.node = NULL};
    *slot = s->slot_count++;
    return true;
}

static void node_close(share_t *s, share_node_t *node)
{
    if (node->fd >= 0) {
        close(node->fd);
        node->fd = -1;
        s->fd_count--;
    }
}

static void node_free_one(share_t *s, share_node_t *node)
{
    share_slot_t *slot = &s->slots[node->slot];
    node_close(s, node);
    node_unlink(s, node);
    slot->node = NULL;
    slot->generation++;
    slot->next_free = s->free_slot;
    s->free_slot = node->slot + 1;
    free(node);
}

/* Frees a node that nobody needs, and its parents likewise. */
static void node_collect(share_t *s, share_node_t *node)
{
    while (node->slot != 0 && !node->refs && !node->children) {
        share_node_t *parent = s->slots[node->parent].node;
        node_free_one(s, node);
        parent->children--;
        node = parent;
    }
}

static share_node_t *node_alloc(const struct stat *st, const char *name)
{
    size_t len = strlen(name) + 1;
    share_node_t *node = malloc(sizeof(*node) + len);
    if (node) {
        *node = (share_node_t){
            .dev = st->st_dev, .ino = st->st_ino, .type = st->st_mode & S_IFMT, .fd = -1};
        memcpy(node->name, name, len);
    }
    return node;
}

/* A new node without references; takes fd over when it succeeds. */
static share_node_t *node_new(share_t *s, share_node_t *parent, const char *name,
                              const struct stat *st, int fd)
{
    uint32_t slot;
    share_node_t *node = node_alloc(st, name);
    if (!node || !slot_alloc(s, &slot)) {
        free(node);
        return NULL;
    }
    node->slot = slot;
    node->generation = s->slots[slot].generation;
    node->fd = fd;
    s->fd_count++;
    node_link(s, node);
    if (parent) {
        node->parent = parent->slot;
        parent->children++;
    }
    return node;
}

bool share_nodes_init(share_t *s, int root_fd, const struct stat *st)
{
    struct rlimit limit;
    uint64_t files = getrlimit(RLIMIT_NOFILE, &limit) ? 256 : (uint64_t)limit.rlim_cur;
    s->fd_max = (uint32_t)(files / 4 < NODE_FDS_MIN   ? NODE_FDS_MIN
                           : files / 4 > NODE_FDS_MAX ? NODE_FDS_MAX
                                                      : files / 4);
    s->root_dev = st->st_dev;
    s->buckets = calloc(SHARE_BUCKETS, sizeof(*s->buckets));
    return s->buckets && node_new(s, NULL, "", st, root_fd);
}

/* All but the root go. */
void share_nodes_reset(share_t *s)
{
    for (uint32_t i = 1; i < s->slot_count; i++) {
        if (s->slots[i].node) {
            node_free_one(s, s->slots[i].node);
        }
    }
    if (s->slot_count) {
        s->slots[0].node->children = 0;
        s->slots[0].node->refs = 0;
    }
}

void share_nodes_restart(share_t *s)
{
    share_nodes_reset(s);
    s->slot_count = 1;
    s->free_slot = 0;
}

bool share_node_restore(share_t *s, const share_node_t *from, const char *name)
{
    const struct stat st = {
        .st_dev = from->dev, .st_ino = from->ino, .st_mode = (mode_t)from->type};
    uint32_t slot, freed = s->free_slot;
    share_node_t *node = name ? node_alloc(&st, name) : NULL;
    s->free_slot = 0;
    bool ok = (node || !name) && slot_alloc(s, &slot);
    s->free_slot = freed;
    if (!ok) {
        free(node);
        return false;
    }
    s->slots[slot].generation = from->generation;
    if (!node) {
        s->slots[slot].next_free = s->free_slot;
        s->free_slot = slot + 1;
        return true;
    }
    node->slot = slot;
    node->generation = from->generation;
    node->parent = from->parent;
    node->refs = from->refs;
    node_link(s, node);
    return true;
}

bool share_nodes_relink(share_t *s)
{
    for (uint32_t i = 1; i < s->slot_count; i++) {
        const share_node_t *node = s->slots[i].node;
        if (node && (node->parent >= s->slot_count || !s->slots[node->parent].node)) {
            return false;
        }
        if (node) {
            s->slots[node->parent].node->children++;
        }
    }
    return true;
}

void share_nodes_free(share_t *s)
{
    share_nodes_reset(s);
    if (s->slot_count) {
        node_close(s, s->slots[0].node);
        free(s->slots[0].node);
    }
    free(s->slots);
    free(s->buckets);
}

/* --- Descriptors --- */

/* Closes the descriptors of up to `count` nodes that this operation does not use (second chance).
 */
static uint32_t nodes_evict(share_t *s, uint32_t count)
{
    uint32_t closed = 0;
    for (uint32_t seen = 0; seen < s->slot_count && closed < count; seen++) {
        s->hand = s->hand + 1 < s->slot_count ? s->hand + 1 : 1;
        share_node_t *node = s->hand < s->slot_count ? s->slots[s->hand].node : NULL;
        if (node && node->fd >= 0 && node->used != s->serial && node->slot) {
            node_close(s, node);
            closed++;
        }
    }
    return closed;
}

bool share_make_room(share_t *s, int host_errno)
{
    return (host_errno == EMFILE || host_errno == ENFILE) && nodes_evict(s, 64) > 0;
}

static int open_at_once(share_t *s, int dir_fd, const char *name, int flags, mode_t mode)
{
#if defined(SYS_openat2) && defined(RESOLVE_BENEATH)
    if (!s->no_openat2) {
        struct open_how how = {
            .flags = (uint64_t)(flags | O_NOFOLLOW | O_CLOEXEC),
            .mode = flags & O_CREAT ? mode : 0,
            .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
        };
        long fd = syscall(SYS_openat2, dir_fd, name, &how, sizeof(how));
        if (fd >= 0 || (errno != ENOSYS && errno != EPERM)) {
            return (int)fd;
        }
        s->no_openat2 = errno == ENOSYS;
    }
#endif
    return openat(dir_fd, name, flags | O_NOFOLLOW | O_CLOEXEC, mode);
}

int share_open_at(share_t *s, int dir_fd, const char *name, int flags, mode_t mode)
{
    int fd = open_at_once(s, dir_fd, name, flags, mode);
    for (int tries = 0; fd < 0 && tries < 8; tries++) {
        if (errno != EINTR && errno != EAGAIN && !share_make_room(s, errno)) {
            break;
        }
        fd = open_at_once(s, dir_fd, name, flags, mode);
    }
    return fd;
}

/* Opens a node again by its name in its parent, whose descriptor is open. */
static int node_reopen(share_t *s, share_node_t *node)
{
    share_node_t *parent = s->slots[node->parent].node;
    struct stat st;
    parent->used = s->serial;
    int fd = share_open_at(s, parent->fd, node->name, O_PATH, 0);
    if (fd < 0) {
        return errno == ENOENT || errno == ENOTDIR ? -FS_ESTALE : share_error(errno);
    }
    if (fstat(fd, &st) || st.st_dev != node->dev || st.st_ino != node->ino ||
        (st.st_mode & S_IFMT) != node->type) {
        close(fd);
        return -FS_ESTALE;
    }
    node->fd = fd;
    s->fd_count++;
    return 0;
}

int share_node_fd(share_t *s, share_node_t *node)
{
    node->used = s->serial;
    for (uint32_t depth = 0; node->fd < 0;) {
        share_node_t *closed = node;
        for (; s->slots[closed->parent].node->fd < 0; depth++) {
            closed = s->slots[closed->parent].node;
            if (depth > SHARE_DEPTH_MAX) {
                return -FS_ESTALE;
            }
        }
        int error = node_reopen(s, closed);
        if (error) {
            return error;
        }
        closed->used = s->serial;
    }
    if (s->fd_count > s->fd_max) {
        nodes_evict(s, s->fd_max / 4);
    }
    return node->fd;
}

int share_dir_fd(share_t *s, uint64_t dir, const char *name)
{
    share_node_t *node = share_node_get(s, dir);
    int error = fs_name_error(name);
    if (!node) {
        return -FS_ESTALE;
    }
    if (node->type != S_IFDIR) {
        return -FS_ENOTDIR;
    }
    return error ? error : share_node_fd(s, node);
}

/* --- Finding --- */

/* True when `above` is the node or one of the folders that it is in. */
static bool node_is_inside(share_t *s, share_node_t *node, const share_node_t *above)
{
    for (uint32_t depth = 0; depth <= SHARE_DEPTH_MAX; depth++) {
        if (node == above) {
            return true;
        }
        if (node->slot == 0) {
            return false;
        }
        node = s->slots[node->parent].node;
    }
    return true;
}

/* Notes where a node was seen. The node may move in memory: use what comes back. */
static share_node_t *node_rename(share_t *s, share_node_t *node, share_node_t *dir,
                                 const char *name)
{
    if (node->slot == 0 || (node->parent == dir->slot && !strcmp(node->name, name)) ||
        node_is_inside(s, dir, node)) {
        return node;
    }
    size_t len = strlen(name) + 1;
    share_node_t *moved = realloc(node, sizeof(*node) + len);
    if (!moved) {
        return node;
    }
    memcpy(moved->name, name, len);
    s->slots[moved->slot].node = moved;
    share_node_t *old = s->slots[moved->parent].node;
    moved->parent = dir->slot;
    dir->children++;
    old->children--;
    node_collect(s, old);
    return moved;
}

void share_node_moved(share_t *s, dev_t dev, ino_t ino, uint32_t dir_slot, const char *name)
{
    for (uint32_t at = *node_bucket(s, dev, ino); at;) {
        share_node_t *node = s->slots[at - 1].node;
        if (node->ino == ino && node->dev == dev) {
            if (s->slots[dir_slot].node) {
                node_rename(s, node, s->slots[dir_slot].node, name);
            }
            return;
        }
        at = node->next;
    }
}

int share_node_lookup(share_t *s, uint64_t dir, const char *name, fs_attr_t *attr)
{
    struct stat st;
    int dir_fd = share_dir_fd(s, dir, name);
    if (dir_fd < 0) {
        return dir_fd;
    }
    int fd = share_open_at(s, dir_fd, name, O_PATH, 0);
    if (fd < 0) {
        return share_error(errno);
    }
    if (fstat(fd, &st)) {
        int error = share_error(errno);
        close(fd);
        return error;
    }
    share_node_t *parent = share_node_get(s, dir);
    share_node_t *node = node_find(s, st.st_dev, st.st_ino, st.st_mode & S_IFMT);
    if (!node) {
        node = node_new(s, parent, name, &st, fd);
    } else if (node->fd < 0) {
        node->fd = fd;
        s->fd_count++;
        node = node_rename(s, node, parent, name);
    } else {
        close(fd);
        node = node_rename(s, node, parent, name);
    }
    if (!node) {
        close(fd);
        return -FS_ENFILE;
    }
    node->refs++;
    node->used = s->serial;
    share_fill_attr(s, share_node_id(node), &st, attr);
    if (s->fd_count > s->fd_max) {
        nodes_evict(s, s->fd_max / 4);
    }
    return 0;
}

int share_op_lookup(void *opaque, uint64_t dir, const char *name, fs_attr_t *attr)
{
    share_op_begin(opaque);
    return share_node_lookup(opaque, dir, name, attr);
}

int share_op_parent(void *opaque, uint64_t id, fs_attr_t *attr)
{
    share_t *s = opaque;
    share_node_t *node = share_node_get(s, id);
    struct stat st;
    share_op_begin(s);
    if (!node) {
        return -FS_ESTALE;
    }
    node = s->slots[node->parent].node;
    int fd = share_node_fd(s, node);
    if (fd < 0) {
        return fd;
    }
    if (fstat(fd, &st)) {
        return share_error(errno);
    }
    node->refs++;
    share_fill_attr(s, share_node_id(node), &st, attr);
    return 0;
}

int share_op_retain(void *opaque, uint64_t id)
{
    share_node_t *node = share_node_get(opaque, id);
    if (!node) {
        return -FS_ESTALE;
    }
    node->refs++;
    return 0;
}

void share_op_forget(void *opaque, uint64_t id, uint64_t count)
{
    share_node_t *node = share_node_get(opaque, id);
    if (node) {
        node->refs -= count < node->refs ? count : node->refs;
        node_collect(opaque, node);
    }
}

int share_op_name_of(void *opaque, uint64_t id, uint64_t *dir, char name[FS_NAME_MAX + 1])
{
    share_t *s = opaque;
    share_node_t *node = share_node_get(s, id);
    if (!node) {
        return -FS_ESTALE;
    }
    if (node->slot == 0) {
        return -FS_EBUSY;
    }
    *dir = share_node_id(s->slots[node->parent].node);
    memcpy(name, node->name, strlen(node->name) + 1);
    return 0;
}

#endif
