/* SPDX-License-Identifier: MPL-2.0 */
/* The program's side: files by their paths. */
#include "share_memory_internal.h"

#include "../util.h"

/* The next name of a path, which moves on: its length, 0 at the end, or -FS_E…. */
static int path_next(const char **path, char name[FS_NAME_MAX + 1])
{
    size_t len = 0;
    *path += strspn(*path, "/");
    for (; **path && **path != '/'; (*path)++) {
        if (len == FS_NAME_MAX) {
            return -FS_ENAMETOOLONG;
        }
        name[len++] = **path;
    }
    name[len] = 0;
    *path += strspn(*path, "/");
    return len && !fs_name_ok(name) ? -FS_EINVAL : (int)len;
}

/* A name in a folder: what is there (NULL: nothing). The root is in itself, with an empty name. */
typedef struct {
    smem_file_t *dir;
    smem_entry_t *entry;
    char name[FS_NAME_MAX + 1];
} path_place_t;

static int path_place(share_memory_t *m, const char *path, path_place_t *place)
{
    size_t len = 0;
    while (len <= SHARE_MEMORY_PATH_MAX && path[len]) {
        len++;
    }
    *place = (path_place_t){.dir = m->root};
    int got = len > SHARE_MEMORY_PATH_MAX ? -FS_ENAMETOOLONG : path_next(&path, place->name);
    while (got > 0) {
        place->entry = smem_entry_find(m, place->dir, place->name);
        if (!*path) {
            return 0;
        }
        if (!place->entry) {
            return -FS_ENOENT;
        }
        smem_file_t *file = place->entry->file;
        if (!smem_is_dir(file)) {
            return smem_type(file) == FS_S_IFLNK ? -FS_ELOOP : -FS_ENOTDIR;
        }
        place->dir = file;
        got = path_next(&path, place->name);
    }
    return got;
}

int smem_path_find(share_memory_t *m, const char *path, smem_file_t **file)
{
    path_place_t place;
    int error = path_place(m, path, &place);
    if (error || (!place.entry && place.name[0])) {
        return error ? error : -FS_ENOENT;
    }
    *file = place.entry ? place.entry->file : m->root;
    return 0;
}

/* As the program sees it. */
static void path_attr(const share_memory_t *m, const smem_file_t *file, fs_attr_t *attr)
{
    smem_file_attr(m, file, attr);
    attr->node = 0;
}

int share_memory_stat(share_memory_t *m, const char *path, fs_attr_t *attr)
{
    smem_file_t *file;
    int error = smem_path_find(m, path, &file);
    if (!error) {
        path_attr(m, file, attr);
    }
    return error;
}

int share_memory_list(share_memory_t *m, const char *path, uint64_t *cookie,
                      char name[FS_NAME_MAX + 1], fs_attr_t *attr)
{
    smem_file_t *dir;
    int error = smem_path_find(m, path, &dir);
    if (error || !smem_is_dir(dir)) {
        return error ? error : -FS_ENOTDIR;
    }
    const smem_entry_t *entry = smem_dir_next(dir, *cookie);
    if (!entry) {
        return 0;
    }
    *cookie = entry->cookie;
    if (name) {
        memcpy(name, entry->name, strlen(entry->name) + 1);
    }
    if (attr) {
        path_attr(m, entry->file, attr);
    }
    return 1;
}

int64_t share_memory_read(share_memory_t *m, const char *path, uint64_t at, void *buf, size_t len)
{
    smem_file_t *file;
    int error = smem_path_find(m, path, &file);
    if (error) {
        return error;
    }
    return smem_is_dir(file) ? -FS_EISDIR : (int64_t)smem_data_read(&file->data, at, buf, len);
}

/* A regular file to write to, made when there is none; *made says so. */
static int path_write(share_memory_t *m, const char *path, uint32_t mode, smem_file_t **file,
                      bool *made)
{
    path_place_t place;
    int error = path_place(m, path, &place);
    if (error) {
        return error;
    }
    *made = !place.entry && place.name[0];
    if (*made) {
        return smem_make(m, place.dir, place.name, FS_S_IFREG | (mode & 07777), NULL, file);
    }
    *file = place.entry ? place.entry->file : m->root;
    uint32_t type = smem_type(*file);
    return type == FS_S_IFREG   ? 0
           : type == FS_S_IFDIR ? -FS_EISDIR
           : type == FS_S_IFLNK ? -FS_ELOOP
                                : -FS_ENXIO;
}

/* Nothing could be written to it. */
static void path_unmake(share_memory_t *m, smem_file_t *file)
{
    smem_entry_remove(m, file->names);
    smem_changed(m);
}

int64_t share_memory_write(share_memory_t *m, const char *path, uint64_t at, const void *buf,
                           size_t len, uint32_t mode)
{
    smem_file_t *file;
    bool made;
    int error = at > INT64_MAX || len > INT64_MAX - at ? -FS_EFBIG
                                                       : path_write(m, path, mode, &file, &made);
    if (error) {
        return error;
    }
    size_t done = smem_data_write(m, &file->data, at, buf, len);
    if (done) {
        smem_file_written(m, file);
    } else if (len) {
        if (made) {
            path_unmake(m, file);
        }
        return -FS_ENOSPC;
    }
    return (int64_t)done;
}

int share_memory_put(share_memory_t *m, const char *path, const void *buf, size_t len,
                     uint32_t mode)
{
    smem_file_t *file;
    smem_data_t data = {.size = 0};
    bool made;
    int error = path_write(m, path, mode, &file, &made);
    if (error) {
        return error;
    }
    /* The old contents do not count while there are both. */
    smem_data_t old = file->data;
    uint64_t counted = old.held + old.cap * sizeof(smem_chunk_t);
    m->used -= counted;
    bool ok = smem_data_write(m, &data, 0, buf, len) == len;
    m->used += counted;
    if (!ok) {
        smem_data_cut(m, &data, 0, UINT64_MAX);
        if (made) {
            path_unmake(m, file);
        }
        return -FS_ENOSPC;
    }
    smem_data_cut(m, &old, 0, UINT64_MAX);
    file->data = data;
    smem_file_written(m, file);
    return 0;
}

int share_memory_set(share_memory_t *m, const char *path, const fs_setattr_t *change)
{
    smem_file_t *file;
    int error = smem_path_find(m, path, &file);
    return error ? error : smem_file_set(m, file, change);
}

int share_memory_mkdir(share_memory_t *m, const char *path, uint32_t mode)
{
    path_place_t place;
    smem_file_t *made;
    int error = path_place(m, path, &place);
    if (error || !place.name[0]) {
        return error ? error : -FS_EEXIST;
    }
    return smem_make(m, place.dir, place.name, FS_S_IFDIR | (mode & 07777), NULL, &made);
}

int share_memory_remove(share_memory_t *m, const char *path, bool recursive)
{
    path_place_t place;
    int error = path_place(m, path, &place);
    if (error || !place.entry) {
        return error ? error : place.name[0] ? -FS_ENOENT : -FS_EBUSY;
    }
    if (recursive) {
        smem_tree_remove(m, place.entry);
        smem_changed(m);
        return 0;
    }
    return smem_unlink(m, place.dir, place.name, smem_is_dir(place.entry->file));
}

int share_memory_rename(share_memory_t *m, const char *from, const char *to, unsigned flags)
{
    path_place_t a, b;
    int error = path_place(m, from, &a);
    error = error ? error : path_place(m, to, &b);
    if (error || !a.name[0] || !b.name[0]) {
        return error ? error : -FS_EBUSY;
    }
    return smem_rename(m, a.dir, a.name, b.dir, b.name, flags);
}
