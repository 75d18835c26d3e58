/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Nodes and handles on their way into a snapshot and back.
 *
 * A node is saved as a name in its parent. No descriptor is opened when it comes back: that happens
 * when the guest next uses it, as for nodes whose descriptors were closed meanwhile
 * (share_node_fd()), with all that keeps it inside the folder. Handles are opened again at once.
 * Device numbers may differ from boot to boot of the host, so that of the root's file system is not
 * written.
 */
#define _GNU_SOURCE
#include "share_internal.h"

#ifdef __linux__

#include <string.h>

static bool save_name(const fs_snapshot_t *snap, char name[FS_NAME_MAX + 1])
{
    uint8_t len = (uint8_t)strlen(name);
    bool ok = fs_move8(snap, &len) && snap->move(snap->arg, name, len);
    name[len] = 0;
    return ok && (snap->writing || fs_name_ok(name));
}

/* What is behind a slot that is in use. */
static bool save_node(share_t *s, const fs_snapshot_t *snap, share_node_t *node,
                      char name[FS_NAME_MAX + 1])
{
    uint64_t dev = node->dev == s->root_dev ? 0 : (uint64_t)node->dev, ino = (uint64_t)node->ino;
    bool ok = fs_move32(snap, &node->parent) && fs_move32(snap, &node->type) &&
              fs_move64(snap, &node->refs) && fs_move64(snap, &dev) && fs_move64(snap, &ino) &&
              save_name(snap, name);
    node->dev = dev ? (dev_t)dev : s->root_dev;
    node->ino = (ino_t)ino;
    node->type &= S_IFMT;
    return ok;
}

static bool save_slot(share_t *s, const fs_snapshot_t *snap, uint32_t slot)
{
    share_node_t *node = snap->writing ? s->slots[slot].node : NULL;
    share_node_t copy = node ? *node : (share_node_t){.generation = 0};
    uint8_t used = node != NULL;
    char name[FS_NAME_MAX + 1];
    memcpy(name, node ? node->name : "", node ? strlen(node->name) + 1 : 1);
    copy.generation = snap->writing ? s->slots[slot].generation : 0;
    return fs_move32(snap, &copy.generation) && fs_move8(snap, &used) &&
           (!used || save_node(s, snap, &copy, name)) &&
           (snap->writing || share_node_restore(s, &copy, used ? name : NULL));
}

static bool save_nodes(share_t *s, const fs_snapshot_t *snap)
{
    uint32_t count = s->slot_count;
    uint64_t refs = s->slots[0].node->refs;
    bool ok =
        fs_move32(snap, &count) && fs_move64(snap, &refs) && count && count <= SHARE_NODES_MAX;
    for (uint32_t i = 1; ok && i < count; i++) {
        ok = save_slot(s, snap, i);
    }
    if (ok && !snap->writing) {
        s->slots[0].node->refs = refs;
        ok = share_nodes_relink(s);
    }
    return ok;
}

/* The locks of a handle. One that somebody else has taken meanwhile is lost. */
static bool save_locks(share_t *s, const fs_snapshot_t *snap, uint32_t index,
                       share_handle_t *handle)
{
    uint64_t id = (uint64_t)handle->generation << 32 | (index + UINT64_C(1));
    uint32_t count = handle->lock_count;
    bool ok = fs_move32(snap, &count) && count <= SHARE_LOCKS_MAX;
    for (uint32_t i = 0; ok && i < count; i++) {
        fs_lock_t lock = snap->writing ? handle->lock[i] : (fs_lock_t){.type = FS_LOCK_NONE};
        ok = fs_move64(snap, &lock.start) && fs_move64(snap, &lock.end) &&
             fs_move32(snap, &lock.type) && fs_move32(snap, &lock.pid);
        if (ok && !snap->writing) {
            share_op_setlk(s, id, &lock);
        }
    }
    return ok;
}

static bool save_handle(share_t *s, const fs_snapshot_t *snap, uint32_t index)
{
    share_handle_t copy = s->handles[index];
    uint8_t used = snap->writing && copy.used;
    if (!fs_move32(snap, &copy.generation) || !fs_move8(snap, &used)) {
        return false;
    }
    bool ok = !used || (fs_move32(snap, &copy.flags) && fs_move64(snap, &copy.node));
    if (ok && !snap->writing) {
        copy.used = used != 0;
        copy.lock_count = 0;
        share_handle_restore(s, index, &copy);
    }
    return ok && (!used || save_locks(s, snap, index, &copy));
}

bool share_op_snapshot(void *opaque, const fs_snapshot_t *snap)
{
    share_t *s = opaque;
    if (!snap->writing) {
        share_handles_reset(s);
        share_nodes_restart(s);
    }
    bool ok = save_nodes(s, snap);
    uint32_t count = s->handle_top;
    ok = ok && fs_move32(snap, &count) && count <= SHARE_HANDLES_MAX;
    for (uint32_t i = 0; ok && i < count; i++) {
        ok = save_handle(s, snap, i);
    }
    return ok;
}

#endif
