/* SPDX-License-Identifier: MPL-2.0 */
#include "share_memory_internal.h"

#include "../util.h"
#include "clock.h"
#include "thread.h"

#include <stdlib.h>

void *smem_resize(share_memory_t *m, void *old, size_t old_size, size_t size)
{
    if (size > old_size && size - old_size > m->limit - m->used) {
        return NULL;
    }
    if (size == 0) {
        free(old);
        m->used -= old_size;
        return NULL;
    }
    void *moved = realloc(old, size);
    if (!moved && size > old_size) {
        return NULL;
    }
    m->used = m->used - old_size + size;
    return moved ? moved : old;
}

fs_time_t smem_now(void)
{
    uint64_t ns = host_wall_ns();
    return (fs_time_t){(int64_t)(ns / 1000000000), (uint32_t)(ns % 1000000000)};
}

void smem_changed(share_memory_t *m)
{
    m->serial++;
    if (m->changed) {
        m->changed(m->changed_arg);
    }
}

/* --- Serving --- */

static bool memory_start(void *opaque, void (*serve)(void *arg), void *arg)
{
    share_memory_t *m = opaque;
    m->serve = serve;
    m->serve_arg = arg;
    return true;
}

static bool memory_is_waiting(share_memory_t *m)
{
    return __atomic_load_n(&m->asked, __ATOMIC_SEQ_CST) !=
           __atomic_load_n(&m->done, __ATOMIC_SEQ_CST);
}

static void memory_wake(void *opaque)
{
    share_memory_t *m = opaque;
    __atomic_fetch_add(&m->asked, 1, __ATOMIC_SEQ_CST);
    /* Whoever is serving looks again after it has said that it stops. */
    while (memory_is_waiting(m) && !__atomic_exchange_n(&m->serving, true, __ATOMIC_SEQ_CST)) {
        uint64_t asked = __atomic_load_n(&m->asked, __ATOMIC_SEQ_CST);
        if (asked != m->done) {
            m->serve(m->serve_arg);
            __atomic_store_n(&m->done, asked, __ATOMIC_SEQ_CST);
        }
        __atomic_store_n(&m->serving, false, __ATOMIC_SEQ_CST);
    }
}

/* The harts of a machine may be threads, and wake() with it. */
static void memory_idle(void *opaque)
{
    share_memory_t *m = opaque;
    while (__atomic_load_n(&m->serving, __ATOMIC_SEQ_CST)) {
        host_thread_yield();
    }
}

static void memory_reset(void *opaque)
{
    smem_handles_reset(opaque);
    smem_nodes_reset(opaque);
}

/* --- Making and freeing --- */

static void memory_destroy(share_memory_t *m)
{
    if (m->served || m->owned) {
        return;
    }
    if (m->root) {
        const smem_dir_t *dir = &m->root->dir;
        while (dir->live) {
            smem_tree_remove(m, dir->slot[dir->count - 1].entry);
        }
        smem_resize(m, m->root->dir.slot, m->root->dir.cap * sizeof(smem_slot_t), 0);
        smem_xattrs_free(m, m->root);
        smem_resize(m, m->root, sizeof(*m->root), 0);
    }
    free(m->buckets);
    free(m->nodes);
    free(m->handles);
    free(m);
}

static void memory_free(void *opaque)
{
    share_memory_t *m = opaque;
    memory_reset(m);
    m->serve = NULL;
    m->served = false;
    memory_destroy(m);
}

static const fs_ops_t memory_ops = {
    .start = memory_start,
    .wake = memory_wake,
    .idle = memory_idle,
    .free = memory_free,
    .reset = memory_reset,
    .snapshot = smem_op_snapshot,
    .lookup = smem_op_lookup,
    .parent = smem_op_parent,
    .retain = smem_op_retain,
    .forget = smem_op_forget,
    .getattr = smem_op_getattr,
    .setattr = smem_op_setattr,
    .statfs = smem_op_statfs,
    .readlink = smem_op_readlink,
    .mkdir = smem_op_mkdir,
    .mknod = smem_op_mknod,
    .symlink = smem_op_symlink,
    .link = smem_op_link,
    .unlink = smem_op_unlink,
    .rename = smem_op_rename,
    .name_of = smem_op_name_of,
    .open = smem_op_open,
    .create = smem_op_create,
    .close = smem_op_close,
    .read = smem_op_read,
    .write = smem_op_write,
    .fsync = smem_op_fsync,
    .fallocate = smem_op_fallocate,
    .seek = smem_op_seek,
    .readdir = smem_op_readdir,
    .getlk = smem_op_getlk,
    .setlk = smem_op_setlk,
    .getxattr = smem_op_getxattr,
    .listxattr = smem_op_listxattr,
    .setxattr = smem_op_setxattr,
    .removexattr = smem_op_removexattr,
};

share_memory_t *share_memory_create(uint64_t limit)
{
    share_memory_t *m = calloc(1, sizeof(*m));
    if (!m) {
        return NULL;
    }
    m->limit = util_max_u64(limit, SHARE_MEMORY_LIMIT_MIN);
    m->next_ino = 1;
    m->bucket_count = 64;
    m->buckets = calloc(m->bucket_count, sizeof(smem_entry_t *));
    m->handles = calloc(SMEM_HANDLES_MAX, sizeof(*m->handles));
    m->root = smem_file_new(m, FS_S_IFDIR | 0755);
    if (!m->buckets || !m->handles || !m->root || !smem_nodes_init(m)) {
        memory_destroy(m);
        return NULL;
    }
    m->owned = true;
    return m;
}

void share_memory_free(share_memory_t *m)
{
    if (m) {
        m->owned = false;
        m->changed = NULL;
        memory_destroy(m);
    }
}

bool share_memory_serve(share_memory_t *m, file_server_t *server)
{
    if (m->served) {
        return false;
    }
    m->served = true;
    *server = (file_server_t){&memory_ops, m};
    return true;
}

uint64_t share_memory_serial(const share_memory_t *m)
{
    return m->serial;
}

void share_memory_watch(share_memory_t *m, void (*changed)(void *arg), void *arg)
{
    m->changed = changed;
    m->changed_arg = arg;
}

void share_memory_space(const share_memory_t *m, share_memory_space_t *space)
{
    *space = (share_memory_space_t){.limit = m->limit, .used = m->used, .files = m->file_count};
}
