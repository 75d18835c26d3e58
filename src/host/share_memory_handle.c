/* SPDX-License-Identifier: MPL-2.0 */
/* Handles: open files and folders. */
#include "share_memory_internal.h"

#include "../util.h"

#include <stdlib.h>

/* Modes of fallocate: Linux's numbers. */
enum { HANDLE_KEEP_SIZE = 1, HANDLE_PUNCH_HOLE = 2, HANDLE_ZERO_RANGE = 16 };

#define HANDLE_FLAGS (FS_O_ACCMODE | FS_O_APPEND | FS_O_SYNC | FS_O_DIRECTORY)

smem_handle_t *smem_handle_get(share_memory_t *m, uint64_t id)
{
    uint64_t index = (id & UINT32_MAX) - 1;
    bool there =
        index < m->handle_top && m->handles[index].used && m->handles[index].generation == id >> 32;
    return there ? &m->handles[index] : NULL;
}

smem_handle_t *smem_handle_file(share_memory_t *m, uint64_t id)
{
    smem_handle_t *handle = smem_handle_get(m, id);
    return handle && !smem_is_dir(handle->file) ? handle : NULL;
}

static void handle_close(share_memory_t *m, smem_handle_t *handle)
{
    smem_file_t *file = handle->file;
    free(handle->lock);
    *handle = (smem_handle_t){.generation = handle->generation + 1};
    m->handle_count--;
    file->handles--;
    smem_file_collect(m, file);
}

void smem_handles_reset(share_memory_t *m)
{
    for (uint32_t i = 0; i < m->handle_top; i++) {
        if (m->handles[i].used) {
            handle_close(m, &m->handles[i]);
        }
    }
}

static void handle_put(share_memory_t *m, uint32_t index, uint64_t node, smem_file_t *file,
                       uint32_t flags)
{
    m->handles[index] = (smem_handle_t){
        .used = true,
        .generation = m->handles[index].generation,
        .flags = flags & HANDLE_FLAGS,
        .file = file,
        .node = node,
    };
    m->handle_count++;
    m->handle_top = index + 1 > m->handle_top ? index + 1 : m->handle_top;
    file->handles++;
}

/* A handle; there is room for one. */
static uint64_t handle_new(share_memory_t *m, uint64_t node, smem_file_t *file, uint32_t flags)
{
    uint32_t index = 0;
    while (m->handles[index].used) {
        index++;
    }
    handle_put(m, index, node, file, flags);
    return (uint64_t)m->handles[index].generation << 32 | (index + UINT64_C(1));
}

/* What is wrong with opening a file. */
static int open_check(const smem_file_t *file, uint32_t flags)
{
    uint32_t access = flags & FS_O_ACCMODE, type = smem_type(file);
    if (type == FS_S_IFDIR) {
        return access || (flags & FS_O_TRUNC) ? -FS_EISDIR : 0;
    }
    if (type != FS_S_IFREG) {
        return type == FS_S_IFLNK ? -FS_ELOOP : -FS_ENXIO;
    }
    return flags & FS_O_DIRECTORY ? -FS_ENOTDIR : access == FS_O_ACCMODE ? -FS_EINVAL : 0;
}

void smem_file_written(share_memory_t *m, smem_file_t *file)
{
    file->mtime = file->ctime = smem_now();
    smem_changed(m);
}

int smem_op_open(void *opaque, uint64_t id, uint32_t flags, uint64_t *handle)
{
    share_memory_t *m = opaque;
    smem_file_t *file = smem_node_get(m, id);
    int error = file ? open_check(file, flags) : -FS_ESTALE;
    if (error || m->handle_count == SMEM_HANDLES_MAX) {
        return error ? error : -FS_EMFILE;
    }
    if (flags & FS_O_TRUNC) {
        smem_data_resize(m, &file->data, 0);
        smem_file_written(m, file);
    }
    *handle = handle_new(m, id, file, flags);
    return 0;
}

void smem_handle_restore(share_memory_t *m, uint32_t index, const smem_handle_t *from)
{
    smem_file_t *file = from->used ? smem_node_get(m, from->node) : NULL;
    bool ok = file && open_check(file, from->flags & HANDLE_FLAGS) == 0;
    m->handles[index].generation = from->generation + (from->used && !ok);
    m->handle_top = index + 1 > m->handle_top ? index + 1 : m->handle_top;
    if (ok) {
        handle_put(m, index, from->node, file, from->flags);
    }
}

int smem_op_create(void *opaque, uint64_t id, const char *name, uint32_t flags, uint32_t mode,
                   fs_attr_t *attr, uint64_t *handle)
{
    share_memory_t *m = opaque;
    smem_file_t *dir, *file;
    fs_attr_t found;
    int error = smem_node_dir(m, id, name, &dir);
    if (error) {
        return error;
    }
    smem_entry_t *entry = smem_entry_find(m, dir, name);
    if (entry) {
        error = flags & FS_O_EXCL ? -FS_EEXIST : open_check(entry->file, flags);
    } else if (flags & FS_O_DIRECTORY || (flags & FS_O_ACCMODE) == FS_O_ACCMODE) {
        error = -FS_EINVAL;
    }
    if (error || m->handle_count == SMEM_HANDLES_MAX) {
        return error ? error : -FS_EMFILE;
    }
    if (entry) {
        smem_entry_seen(entry);
        file = entry->file;
    } else if ((error = smem_make(m, dir, name, FS_S_IFREG | (mode & 07777), NULL, &file))) {
        return error;
    }
    error = smem_node_ref(m, file, &found);
    error = error ? error : smem_op_open(m, found.node, flags, handle);
    if (!error) {
        smem_file_attr(m, file, attr);
    }
    return error;
}

int smem_op_close(void *opaque, uint64_t id)
{
    smem_handle_t *handle = smem_handle_get(opaque, id);
    if (!handle) {
        return -FS_EBADF;
    }
    handle_close(opaque, handle);
    return 0;
}

int64_t smem_op_read(void *opaque, uint64_t id, uint64_t at, void *buf, size_t len)
{
    smem_handle_t *handle = smem_handle_file(opaque, id);
    if (!handle || (handle->flags & FS_O_ACCMODE) == FS_O_WRONLY) {
        return -FS_EBADF;
    }
    return at > INT64_MAX ? -FS_EINVAL : (int64_t)smem_data_read(&handle->file->data, at, buf, len);
}

int64_t smem_op_write(void *opaque, uint64_t id, uint64_t at, const void *buf, size_t len,
                      bool exact)
{
    smem_handle_t *handle = smem_handle_file(opaque, id);
    if (!handle || !(handle->flags & FS_O_ACCMODE)) {
        return -FS_EBADF;
    }
    smem_file_t *file = handle->file;
    at = (handle->flags & FS_O_APPEND) && !exact ? file->data.size : at;
    if (at > INT64_MAX || len > INT64_MAX - at) {
        return -FS_EFBIG;
    }
    size_t done = smem_data_write(opaque, &file->data, at, buf, len);
    if (done) {
        smem_file_written(opaque, file);
    }
    return done || !len ? (int64_t)done : -FS_ENOSPC;
}

int smem_op_fsync(void *opaque, uint64_t id, bool data_only)
{
    (void)data_only;
    return smem_handle_get(opaque, id) ? 0 : -FS_EBADF;
}

int smem_op_fallocate(void *opaque, uint64_t id, uint32_t mode, uint64_t at, uint64_t len)
{
    share_memory_t *m = opaque;
    smem_handle_t *handle = smem_handle_file(m, id);
    bool punch = mode == (HANDLE_PUNCH_HOLE | HANDLE_KEEP_SIZE);
    bool zero = (mode & ~(uint32_t)HANDLE_KEEP_SIZE) == HANDLE_ZERO_RANGE;
    if (!handle || !(handle->flags & FS_O_ACCMODE)) {
        return -FS_EBADF;
    }
    if (!punch && !zero && (mode & ~(uint32_t)HANDLE_KEEP_SIZE)) {
        return -FS_EOPNOTSUPP;
    }
    if (!len || at > INT64_MAX || len > INT64_MAX - at) {
        return len ? -FS_EFBIG : -FS_EINVAL;
    }
    smem_data_t *data = &handle->file->data;
    int error = punch ? 0 : smem_data_reserve(m, data, at, len);
    if (error) {
        return error;
    }
    if (punch) {
        smem_data_cut(m, data, at, at + len);
    } else if (zero) {
        smem_data_zero(data, at, at + len);
    }
    if (!(mode & HANDLE_KEEP_SIZE)) {
        data->size = util_max_u64(data->size, at + len);
    }
    smem_file_written(m, handle->file);
    return 0;
}

int64_t smem_op_seek(void *opaque, uint64_t id, uint64_t at, uint32_t whence)
{
    smem_handle_t *handle = smem_handle_file(opaque, id);
    if (!handle || (whence != FS_SEEK_DATA && whence != FS_SEEK_HOLE) || at > INT64_MAX) {
        return handle ? -FS_EINVAL : -FS_EBADF;
    }
    return smem_data_seek(&handle->file->data, at, whence);
}

int smem_op_readdir(void *opaque, uint64_t id, uint64_t cookie, fs_dirent_t *entry)
{
    share_memory_t *m = opaque;
    smem_handle_t *handle = smem_handle_get(m, id);
    if (!handle || !smem_is_dir(handle->file) || cookie > INT64_MAX) {
        return handle && smem_is_dir(handle->file) ? -FS_EINVAL : -FS_EBADF;
    }
    const smem_file_t *dir = handle->file, *parent = dir->names ? dir->names->dir : dir;
    if (cookie < 2) {
        *entry = (fs_dirent_t){.ino = cookie ? parent->ino : dir->ino,
                               .next = cookie + 1,
                               .type = FS_S_IFDIR,
                               .name = {'.', cookie ? '.' : 0}};
        return 1;
    }
    const smem_entry_t *found = smem_dir_next(dir, cookie);
    if (found) {
        entry->ino = found->file->ino;
        entry->next = found->cookie;
        entry->type = smem_type(found->file);
        memcpy(entry->name, found->name, strlen(found->name) + 1);
    }
    return found != NULL;
}
