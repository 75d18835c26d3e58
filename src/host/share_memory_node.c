/* SPDX-License-Identifier: MPL-2.0 */
/* Which file a number means, and what the guest does with names. */
#include "share_memory_internal.h"

#include "../util.h"

#include <stdlib.h>

#define NODE_PERMISSIONS 07777u

/* --- Numbers: generation and slot + 1 --- */

static smem_node_t *node_slot(share_memory_t *m, uint64_t id)
{
    uint64_t slot = (id & UINT32_MAX) - 1;
    bool there =
        slot < m->node_count && m->nodes[slot].used && m->nodes[slot].generation == id >> 32;
    return there ? &m->nodes[slot] : NULL;
}

smem_file_t *smem_node_get(share_memory_t *m, uint64_t id)
{
    smem_node_t *node = node_slot(m, id);
    return node ? node->file : NULL;
}

/* One more slot at the end; NULL: there are too many, or no memory. */
static smem_node_t *node_append(share_memory_t *m)
{
    if (m->node_count == SHARE_MEMORY_FILES_MAX) {
        return NULL;
    }
    if (m->node_count == m->node_cap) {
        uint32_t cap = m->node_cap ? m->node_cap * 2 : 64;
        smem_node_t *nodes = realloc(m->nodes, cap * sizeof(*nodes));
        if (!nodes) {
            return NULL;
        }
        m->nodes = nodes;
        m->node_cap = cap;
    }
    m->nodes[m->node_count] = (smem_node_t){.used = false};
    return &m->nodes[m->node_count++];
}

int smem_node_ref(share_memory_t *m, smem_file_t *file, fs_attr_t *attr)
{
    smem_node_t *node;
    if (file->node) {
        node = &m->nodes[file->node - 1];
    } else if (m->free_node) {
        node = &m->nodes[m->free_node - 1];
        m->free_node = node->next_free;
    } else if (!(node = node_append(m))) {
        return -FS_ENFILE;
    }
    node->file = file;
    node->used = true;
    node->refs++;
    file->node = (uint32_t)(node - m->nodes) + 1;
    smem_file_attr(m, file, attr);
    return 0;
}

static void node_release(share_memory_t *m, smem_node_t *node)
{
    smem_file_t *file = node->file;
    node->used = false;
    node->file = NULL;
    node->refs = 0;
    node->generation++;
    node->next_free = m->free_node;
    m->free_node = (uint32_t)(node - m->nodes) + 1;
    if (file) {
        file->node = 0;
        smem_file_collect(m, file);
    }
}

bool smem_node_restore(share_memory_t *m, const smem_node_t *from)
{
    smem_node_t *node = node_append(m);
    if (!node) {
        return false;
    }
    node->generation = from->generation;
    if (!from->used) {
        node->next_free = m->free_node;
        m->free_node = m->node_count;
        return true;
    }
    node->used = true;
    node->refs = from->refs;
    if (from->file && !from->file->node) {
        node->file = from->file;
        node->file->node = m->node_count;
    }
    return true;
}

bool smem_nodes_init(share_memory_t *m)
{
    fs_attr_t attr;
    return smem_node_ref(m, m->root, &attr) == 0;
}

void smem_nodes_restart(share_memory_t *m)
{
    smem_nodes_reset(m);
    m->node_count = 1;
    m->free_node = 0;
}

void smem_nodes_reset(share_memory_t *m)
{
    for (uint32_t i = 1; i < m->node_count; i++) {
        if (m->nodes[i].used) {
            node_release(m, &m->nodes[i]);
        }
    }
    m->nodes[0].refs = 1;
    m->pinned = 0;
}

int smem_op_retain(void *opaque, uint64_t id)
{
    smem_node_t *node = node_slot(opaque, id);
    if (!node || !node->file) {
        return -FS_ESTALE;
    }
    node->refs++;
    return 0;
}

void smem_op_forget(void *opaque, uint64_t id, uint64_t count)
{
    smem_node_t *node = node_slot(opaque, id);
    if (node && id != FS_ROOT) {
        node->refs -= util_min_u64(count, node->refs);
        if (!node->refs) {
            node_release(opaque, node);
        }
    }
}

void smem_node_unpin(share_memory_t *m)
{
    if (m->pinned) {
        smem_op_forget(m, m->pinned, 1);
        m->pinned = 0;
    }
}

/* --- Names --- */

int smem_node_dir(share_memory_t *m, uint64_t id, const char *name, smem_file_t **dir)
{
    smem_file_t *file = smem_node_get(m, id);
    if (!file) {
        return -FS_ESTALE;
    }
    if (!smem_is_dir(file)) {
        return -FS_ENOTDIR;
    }
    *dir = file;
    return fs_name_error(name);
}

int smem_op_lookup(void *opaque, uint64_t id, const char *name, fs_attr_t *attr)
{
    share_memory_t *m = opaque;
    smem_file_t *dir;
    int error = smem_node_dir(m, id, name, &dir);
    smem_entry_t *entry = error ? NULL : smem_entry_find(m, dir, name);
    if (!entry) {
        return error ? error : -FS_ENOENT;
    }
    smem_entry_seen(entry);
    return smem_node_ref(m, entry->file, attr);
}

int smem_op_parent(void *opaque, uint64_t id, fs_attr_t *attr)
{
    share_memory_t *m = opaque;
    smem_file_t *file = smem_node_get(m, id);
    if (!file) {
        return -FS_ESTALE;
    }
    if (file != m->root && !file->names) {
        return -FS_ENOENT;
    }
    return smem_node_ref(m, file == m->root ? file : file->names->dir, attr);
}

int smem_op_name_of(void *opaque, uint64_t id, uint64_t *dir, char name[FS_NAME_MAX + 1])
{
    share_memory_t *m = opaque;
    smem_file_t *file = smem_node_get(m, id);
    fs_attr_t attr;
    if (!file) {
        return -FS_ESTALE;
    }
    if (file == m->root || !file->names) {
        return file == m->root ? -FS_EBUSY : -FS_ENOENT;
    }
    /* The number has to be good for the next call, though the guest may have none of the folder. */
    smem_file_t *parent = file->names->dir;
    if (parent->node) {
        smem_file_attr(m, parent, &attr);
    } else {
        smem_node_unpin(m);
        if (smem_node_ref(m, parent, &attr)) {
            return -FS_ENFILE;
        }
        m->pinned = attr.node;
    }
    *dir = attr.node;
    memcpy(name, file->names->name, strlen(file->names->name) + 1);
    return 0;
}

int smem_op_readlink(void *opaque, uint64_t id, char *buf)
{
    smem_file_t *file = smem_node_get(opaque, id);
    if (!file) {
        return -FS_ESTALE;
    }
    if (smem_type(file) != FS_S_IFLNK) {
        return -FS_EINVAL;
    }
    return (int)smem_data_read(&file->data, 0, buf, FS_LINK_MAX);
}

/* A new file for the guest. */
static int node_make(share_memory_t *m, uint64_t id, const char *name, uint32_t mode,
                     const char *symlink, fs_attr_t *attr)
{
    smem_file_t *dir, *file;
    int error = smem_node_dir(m, id, name, &dir);
    error = error ? error : smem_make(m, dir, name, mode, symlink, &file);
    return error ? error : smem_node_ref(m, file, attr);
}

int smem_op_mkdir(void *opaque, uint64_t dir, const char *name, uint32_t mode, fs_attr_t *attr)
{
    return node_make(opaque, dir, name, FS_S_IFDIR | (mode & NODE_PERMISSIONS), NULL, attr);
}

int smem_op_mknod(void *opaque, uint64_t dir, const char *name, uint32_t mode, fs_attr_t *attr)
{
    uint32_t type = mode & FS_S_IFMT ? mode & FS_S_IFMT : (uint32_t)FS_S_IFREG;
    smem_file_t *file;
    int error = smem_node_dir(opaque, dir, name, &file);
    if (!error && type != FS_S_IFREG && type != FS_S_IFIFO && type != FS_S_IFSOCK) {
        error = -FS_EPERM;
    }
    return error ? error
                 : node_make(opaque, dir, name, type | (mode & NODE_PERMISSIONS), NULL, attr);
}

int smem_op_symlink(void *opaque, uint64_t dir, const char *name, const char *to, fs_attr_t *attr)
{
    smem_file_t *file;
    int error = smem_node_dir(opaque, dir, name, &file);
    size_t len = 0;
    while (len <= FS_LINK_MAX && to[len]) {
        len++;
    }
    if (!error && (!len || len > FS_LINK_MAX)) {
        error = len ? -FS_ENAMETOOLONG : -FS_ENOENT;
    }
    return error ? error : node_make(opaque, dir, name, FS_S_IFLNK | 0777, to, attr);
}

int smem_op_link(void *opaque, uint64_t id, uint64_t dir_id, const char *name, fs_attr_t *attr)
{
    share_memory_t *m = opaque;
    smem_file_t *dir, *file = smem_node_get(m, id);
    int error = smem_node_dir(m, dir_id, name, &dir);
    if (error || !file) {
        return error ? error : -FS_ESTALE;
    }
    if (smem_is_dir(file)) {
        return -FS_EPERM;
    }
    if (!file->names) {
        return -FS_ENOENT;
    }
    error = smem_entry_find(m, dir, name) ? -FS_EEXIST : smem_entry_add(m, dir, name, file);
    if (error) {
        return error;
    }
    smem_changed(m);
    return smem_node_ref(m, file, attr);
}

int smem_op_unlink(void *opaque, uint64_t id, const char *name, bool is_dir)
{
    smem_file_t *dir;
    int error = smem_node_dir(opaque, id, name, &dir);
    return error ? error : smem_unlink(opaque, dir, name, is_dir);
}

int smem_op_rename(void *opaque, uint64_t id, const char *name, uint64_t to_id, const char *to_name,
                   unsigned flags)
{
    smem_file_t *dir, *to_dir;
    int error = smem_node_dir(opaque, id, name, &dir);
    error = error ? error : smem_node_dir(opaque, to_id, to_name, &to_dir);
    return error ? error : smem_rename(opaque, dir, name, to_dir, to_name, flags);
}
