/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What the guest knows and has open, on its way into a snapshot and back. A node is saved as its
 * path, inode number and type, and is the file that has them when it comes back; what has no name,
 * or one that is too deep, comes back as a stale number.
 */
#include "share_memory_internal.h"

#include <string.h>

typedef struct {
    uint64_t ino;
    uint32_t type, len;
    char path[SHARE_MEMORY_PATH_MAX + 1];
} place_t;

/* False: there is no path, or a longer one. The root has an empty one. */
static bool place_of(const share_memory_t *m, const smem_file_t *file, place_t *place)
{
    size_t at = sizeof(place->path) - 1;
    if (!file) {
        return false;
    }
    place->path[at] = 0;
    for (const smem_file_t *above = file; above != m->root; above = above->names->dir) {
        size_t len = above->names ? strlen(above->names->name) : SIZE_MAX;
        if (len >= at) {
            return false;
        }
        at -= len;
        memcpy(place->path + at, above->names->name, len);
        place->path[--at] = '/';
    }
    place->ino = file->ino;
    place->type = smem_type(file);
    place->len = (uint32_t)(sizeof(place->path) - 1 - at);
    memmove(place->path, place->path + at, place->len + 1);
    return true;
}

static smem_file_t *place_find(share_memory_t *m, const place_t *place)
{
    smem_file_t *file;
    bool found = place->len && smem_path_find(m, place->path, &file) == 0 &&
                 file->ino == place->ino && smem_type(file) == place->type;
    return found ? file : NULL;
}

static bool save_place(const fs_snapshot_t *snap, place_t *place)
{
    bool ok = fs_move64(snap, &place->ino) && fs_move32(snap, &place->type) &&
              fs_move32(snap, &place->len) && place->len <= SHARE_MEMORY_PATH_MAX &&
              snap->move(snap->arg, place->path, place->len);
    if (ok) {
        place->path[place->len] = 0;
    }
    return ok;
}

static bool save_node(share_memory_t *m, const fs_snapshot_t *snap, uint32_t slot, place_t *place)
{
    smem_node_t node = snap->writing ? m->nodes[slot] : (smem_node_t){.used = false};
    uint8_t used = node.used;
    if (!fs_move32(snap, &node.generation) || !fs_move8(snap, &used)) {
        return false;
    }
    if (used) {
        if (!place_of(m, node.file, place)) {
            *place = (place_t){.len = 0};
        }
        if (!fs_move64(snap, &node.refs) || !save_place(snap, place)) {
            return false;
        }
    }
    node.used = used && node.refs;
    node.file = node.used && !snap->writing ? place_find(m, place) : NULL;
    return snap->writing || smem_node_restore(m, &node);
}

static bool save_nodes(share_memory_t *m, const fs_snapshot_t *snap)
{
    uint32_t count = m->node_count;
    place_t place;
    bool ok = fs_move32(snap, &count) && count && count <= SHARE_MEMORY_FILES_MAX;
    for (uint32_t i = 1; ok && i < count; i++) {
        ok = save_node(m, snap, i, &place);
    }
    return ok;
}

static bool save_locks(share_memory_t *m, const fs_snapshot_t *snap, uint32_t index, uint32_t count)
{
    uint64_t id = (uint64_t)m->handles[index].generation << 32 | (index + UINT64_C(1));
    bool ok = fs_move32(snap, &count) && count <= SMEM_LOCKS_MAX;
    for (uint32_t i = 0; ok && i < count; i++) {
        fs_lock_t lock = {.type = FS_LOCK_NONE};
        if (snap->writing) {
            lock = m->handles[index].lock[i];
        }
        ok = fs_move64(snap, &lock.start) && fs_move64(snap, &lock.end) &&
             fs_move32(snap, &lock.type) && fs_move32(snap, &lock.pid);
        if (ok && !snap->writing) {
            smem_op_setlk(m, id, &lock);
        }
    }
    return ok;
}

static bool save_handle(share_memory_t *m, const fs_snapshot_t *snap, uint32_t index)
{
    smem_handle_t handle = snap->writing ? m->handles[index] : (smem_handle_t){.used = false};
    uint8_t used = handle.used;
    bool ok = fs_move32(snap, &handle.generation) && fs_move8(snap, &used) &&
              (!used || (fs_move32(snap, &handle.flags) && fs_move64(snap, &handle.node)));
    if (ok && !snap->writing) {
        handle.used = used != 0;
        smem_handle_restore(m, index, &handle);
    }
    return ok && (!used || save_locks(m, snap, index, handle.lock_count));
}

bool smem_op_snapshot(void *opaque, const fs_snapshot_t *snap)
{
    share_memory_t *m = opaque;
    smem_node_unpin(m);
    if (!snap->writing) {
        smem_handles_reset(m);
        smem_nodes_restart(m);
    }
    bool ok = save_nodes(m, snap);
    uint32_t count = m->handle_top;
    ok = ok && fs_move32(snap, &count) && count <= SMEM_HANDLES_MAX;
    for (uint32_t i = 0; ok && i < count; i++) {
        ok = save_handle(m, snap, i);
    }
    return ok;
}
