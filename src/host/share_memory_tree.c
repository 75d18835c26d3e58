/* SPDX-License-Identifier: MPL-2.0 */
/* Files and their names. */
#include "share_memory_internal.h"

#include "../util.h"

#include <stdlib.h>

/* --- Files --- */

smem_file_t *smem_file_new(share_memory_t *m, uint32_t mode)
{
    smem_file_t *file = m->file_count < SHARE_MEMORY_FILES_MAX
                            ? smem_resize(m, NULL, 0, sizeof(smem_file_t))
                            : NULL;
    if (!file) {
        return NULL;
    }
    *file = (smem_file_t){.ino = m->next_ino++, .mode = mode};
    file->atime = file->mtime = file->ctime = smem_now();
    if (smem_is_dir(file)) {
        file->dir = (smem_dir_t){.next_cookie = 3}; /* after "." and ".." */
    }
    m->file_count++;
    return file;
}

/* Contents without a name that nobody has open go, also when the guest still knows their number:
 * that is stale then. Otherwise what the page removes would count until the guest forgets it. */
void smem_file_collect(share_memory_t *m, smem_file_t *file)
{
    uint32_t type = smem_type(file);
    if (file->names || file->handles || file == m->root ||
        (file->node && type != FS_S_IFREG && type != FS_S_IFLNK)) {
        return;
    }
    if (file->node) {
        m->nodes[file->node - 1].file = NULL;
    }
    if (smem_is_dir(file)) {
        smem_resize(m, file->dir.slot, file->dir.cap * sizeof(smem_slot_t), 0);
    } else {
        smem_data_resize(m, &file->data, 0);
        smem_data_cut(m, &file->data, 0, UINT64_MAX); /* what fallocate() put beyond the end */
    }
    smem_xattrs_free(m, file);
    smem_resize(m, file, sizeof(*file), 0);
    m->file_count--;
}

void smem_file_attr(const share_memory_t *m, const smem_file_t *file, fs_attr_t *attr)
{
    bool is_dir = smem_is_dir(file), is_dead = is_dir && !file->names && file != m->root;
    uint64_t held = is_dir ? file->dir.cap * sizeof(smem_slot_t) : file->data.held;
    *attr = (fs_attr_t){
        .node = file->node ? (uint64_t)m->nodes[file->node - 1].generation << 32 | file->node : 0,
        .ino = file->ino,
        .mode = file->mode,
        .nlink = !is_dir   ? file->name_count
                 : is_dead ? 0
                           : 2 + file->dir.subdirs,
        .uid = file->uid,
        .gid = file->gid,
        .blksize = 4096,
        .size = is_dir ? held : file->data.size,
        .blocks = (held + 511) / 512,
        .atime = file->atime,
        .mtime = file->mtime,
        .ctime = file->ctime,
    };
}

static void file_touch(smem_file_t *file, bool contents)
{
    file->ctime = smem_now();
    file->mtime = contents ? file->ctime : file->mtime;
}

/* --- Names --- */

static uint32_t name_hash(const smem_file_t *dir, const char *name)
{
    uint32_t hash = UINT32_C(2166136261) ^ (uint32_t)(dir->ino * UINT32_C(2654435761));
    for (; *name; name++) {
        hash = (hash ^ (uint8_t)*name) * UINT32_C(16777619);
    }
    return hash ^ hash >> 15;
}

smem_entry_t *smem_entry_find(share_memory_t *m, const smem_file_t *dir, const char *name)
{
    uint32_t hash = name_hash(dir, name);
    smem_entry_t *entry = m->buckets[hash & (m->bucket_count - 1)];
    while (entry && (entry->hash != hash || entry->dir != dir || strcmp(entry->name, name) != 0)) {
        entry = entry->next;
    }
    return entry;
}

/* More buckets when there are many names; without memory for them it is slower, that is all. */
static void buckets_grow(share_memory_t *m)
{
    uint32_t count = m->bucket_count * 2;
    smem_entry_t **buckets =
        m->entry_count > m->bucket_count ? calloc(count, sizeof(*buckets)) : NULL;
    if (!buckets) {
        return;
    }
    for (uint32_t i = 0; i < m->bucket_count; i++) {
        for (smem_entry_t *entry = m->buckets[i], *next; entry; entry = next) {
            smem_entry_t **bucket = &buckets[entry->hash & (count - 1)];
            next = entry->next;
            entry->next = *bucket;
            *bucket = entry;
        }
    }
    free(m->buckets);
    m->buckets = buckets;
    m->bucket_count = count;
}

/* The place of the first entry with a cookie above this. */
static uint32_t dir_find(const smem_dir_t *dir, uint64_t cookie)
{
    uint32_t low = 0, high = dir->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (dir->slot[middle].cookie <= cookie) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

smem_entry_t *smem_dir_next(const smem_file_t *dir, uint64_t cookie)
{
    for (uint32_t i = dir_find(&dir->dir, cookie); i < dir->dir.count; i++) {
        if (dir->dir.slot[i].entry) {
            return dir->dir.slot[i].entry;
        }
    }
    return NULL;
}

static bool dir_make_room(share_memory_t *m, smem_dir_t *dir)
{
    if (dir->count < dir->cap) {
        return true;
    }
    uint32_t cap = dir->cap ? dir->cap * 2 : 4;
    smem_slot_t *slot = smem_resize(m, dir->slot, dir->cap * sizeof(*slot), cap * sizeof(*slot));
    if (slot) {
        dir->slot = slot;
        dir->cap = cap;
    }
    return slot != NULL;
}

static void dir_remove(smem_dir_t *dir, uint64_t cookie)
{
    uint32_t kept = 0;
    dir->slot[dir_find(dir, cookie - 1)].entry = NULL;
    dir->live--;
    if (dir->count > 2 * dir->live + 8) {
        for (uint32_t i = 0; i < dir->count; i++) {
            if (dir->slot[i].entry) {
                dir->slot[kept++] = dir->slot[i];
            }
        }
        dir->count = kept;
    }
    while (dir->count && !dir->slot[dir->count - 1].entry) {
        dir->count--;
    }
}

/* Puts an entry among its file's names, as the one that was seen last. */
static void entry_attach(smem_entry_t *entry, smem_file_t *file)
{
    entry->file = file;
    entry->before = NULL;
    entry->after = file->names;
    if (file->names) {
        file->names->before = entry;
    }
    file->names = entry;
    file->name_count++;
    entry->dir->dir.subdirs += smem_is_dir(file);
}

static void entry_detach(smem_entry_t *entry)
{
    smem_file_t *file = entry->file;
    *(entry->before ? &entry->before->after : &file->names) = entry->after;
    if (entry->after) {
        entry->after->before = entry->before;
    }
    file->name_count--;
    entry->dir->dir.subdirs -= smem_is_dir(file);
}

void smem_entry_seen(smem_entry_t *entry)
{
    smem_file_t *file = entry->file;
    if (file->names != entry) {
        entry_detach(entry);
        entry_attach(entry, file);
    }
}

int smem_entry_add(share_memory_t *m, smem_file_t *dir, const char *name, smem_file_t *file)
{
    size_t len = strlen(name) + 1;
    if (dir != m->root && !dir->names) {
        return -FS_ENOENT; /* it was removed */
    }
    if (m->entry_count == SMEM_NAMES_MAX || !dir_make_room(m, &dir->dir)) {
        return -FS_ENOSPC;
    }
    smem_entry_t *entry = smem_resize(m, NULL, 0, sizeof(*entry) + len);
    if (!entry) {
        return -FS_ENOSPC;
    }
    *entry =
        (smem_entry_t){.dir = dir, .hash = name_hash(dir, name), .cookie = dir->dir.next_cookie++};
    memcpy(entry->name, name, len);
    m->entry_count++;
    buckets_grow(m);
    smem_entry_t **bucket = &m->buckets[entry->hash & (m->bucket_count - 1)];
    entry->next = *bucket;
    *bucket = entry;
    dir->dir.slot[dir->dir.count++] = (smem_slot_t){entry->cookie, entry};
    dir->dir.live++;
    entry_attach(entry, file);
    file_touch(dir, true);
    file_touch(file, false);
    return 0;
}

void smem_entry_remove(share_memory_t *m, smem_entry_t *entry)
{
    smem_file_t *dir = entry->dir, *file = entry->file;
    smem_entry_t **bucket = &m->buckets[entry->hash & (m->bucket_count - 1)];
    while (*bucket != entry) {
        bucket = &(*bucket)->next;
    }
    *bucket = entry->next;
    dir_remove(&dir->dir, entry->cookie);
    entry_detach(entry);
    smem_resize(m, entry, sizeof(*entry) + strlen(entry->name) + 1, 0);
    m->entry_count--;
    file_touch(dir, true);
    file_touch(file, false);
    smem_file_collect(m, file);
}

/* --- Making, removing, moving --- */

int smem_make(share_memory_t *m, smem_file_t *dir, const char *name, uint32_t mode,
              const char *symlink, smem_file_t **made)
{
    size_t len = symlink ? strlen(symlink) : 0;
    if (smem_entry_find(m, dir, name)) {
        return -FS_EEXIST;
    }
    smem_file_t *file = smem_file_new(m, mode);
    if (!file) {
        return -FS_ENOSPC;
    }
    bool full = len && smem_data_write(m, &file->data, 0, symlink, len) < len;
    int error = full ? -FS_ENOSPC : smem_entry_add(m, dir, name, file);
    if (error) {
        smem_file_collect(m, file);
        return error;
    }
    *made = file;
    smem_changed(m);
    return 0;
}

int smem_unlink(share_memory_t *m, smem_file_t *dir, const char *name, bool is_dir)
{
    smem_entry_t *entry = smem_entry_find(m, dir, name);
    if (!entry) {
        return -FS_ENOENT;
    }
    if (smem_is_dir(entry->file) != is_dir) {
        return is_dir ? -FS_ENOTDIR : -FS_EISDIR;
    }
    if (is_dir && entry->file->dir.live) {
        return -FS_ENOTEMPTY;
    }
    smem_entry_remove(m, entry);
    smem_changed(m);
    return 0;
}

void smem_tree_remove(share_memory_t *m, smem_entry_t *top)
{
    for (smem_entry_t *at = top;;) {
        const smem_dir_t *below = smem_is_dir(at->file) ? &at->file->dir : NULL;
        if (below && below->live) {
            at = below->slot[below->count - 1].entry;
            continue;
        }
        smem_entry_t *up = at->dir->names;
        bool end = at == top;
        smem_entry_remove(m, at);
        if (end) {
            return;
        }
        at = up;
    }
}

/* True when a folder is `above`, or in it. */
static bool dir_is_inside(const smem_file_t *dir, const smem_file_t *above)
{
    while (dir != above && dir->names) {
        dir = dir->names->dir;
    }
    return dir == above;
}

/* What is wrong with putting `entry` in to_dir, where `other` is (NULL: nothing). */
static int rename_check(const smem_entry_t *entry, const smem_file_t *to_dir,
                        const smem_entry_t *other, unsigned flags)
{
    bool is_dir = smem_is_dir(entry->file);
    if ((flags & FS_RENAME_NOREPLACE) && other) {
        return -FS_EEXIST;
    }
    if (is_dir && dir_is_inside(to_dir, entry->file)) {
        return -FS_EINVAL;
    }
    if (flags & FS_RENAME_EXCHANGE) {
        return !other                                                               ? -FS_ENOENT
               : smem_is_dir(other->file) && dir_is_inside(entry->dir, other->file) ? -FS_EINVAL
                                                                                    : 0;
    }
    if (!other || other->file == entry->file) {
        return 0;
    }
    if (smem_is_dir(other->file) != is_dir) {
        return is_dir ? -FS_ENOTDIR : -FS_EISDIR;
    }
    return is_dir && other->file->dir.live ? -FS_ENOTEMPTY : 0;
}

static void rename_exchange(smem_entry_t *a, smem_entry_t *b)
{
    smem_file_t *file = a->file;
    entry_detach(a);
    entry_attach(a, b->file);
    /* b is not the first of its file's names now. */
    smem_file_t *other = b->file;
    entry_detach(b);
    entry_attach(b, file);
    file_touch(a->dir, true);
    file_touch(b->dir, true);
    file_touch(file, false);
    file_touch(other, false);
}

/* The name of what is replaced stays, so that no memory is needed. */
static void rename_replace(share_memory_t *m, smem_entry_t *entry, smem_entry_t *other)
{
    smem_file_t *old = other->file;
    entry_detach(other);
    entry_attach(other, entry->file);
    file_touch(other->dir, true);
    file_touch(old, false);
    smem_file_collect(m, old);
    smem_entry_remove(m, entry);
}

int smem_rename(share_memory_t *m, smem_file_t *dir, const char *name, smem_file_t *to_dir,
                const char *to_name, unsigned flags)
{
    const unsigned all = FS_RENAME_NOREPLACE | FS_RENAME_EXCHANGE;
    if ((flags & ~all) || flags == all) {
        return -FS_EINVAL;
    }
    smem_entry_t *entry = smem_entry_find(m, dir, name);
    smem_entry_t *other = smem_entry_find(m, to_dir, to_name);
    int error = entry ? rename_check(entry, to_dir, other, flags) : -FS_ENOENT;
    if (error || (other && other->file == entry->file)) {
        return error;
    }
    if (!other) {
        error = smem_entry_add(m, to_dir, to_name, entry->file);
        if (error) {
            return error;
        }
        smem_entry_remove(m, entry);
    } else if (flags & FS_RENAME_EXCHANGE) {
        rename_exchange(entry, other);
    } else {
        rename_replace(m, entry, other);
    }
    smem_changed(m);
    return 0;
}
