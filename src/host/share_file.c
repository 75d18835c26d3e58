/* SPDX-License-Identifier: MPL-2.0 */
/* Handles: open files and folders. */
#define _GNU_SOURCE
#include "share_internal.h"

#ifdef __linux__

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

share_handle_t *share_handle_get(share_t *s, uint64_t id)
{
    uint64_t index = (id & UINT32_MAX) - 1;
    if (index >= s->handle_top || !s->handles[index].used ||
        s->handles[index].generation != id >> 32) {
        return NULL;
    }
    return &s->handles[index];
}

static int handle_close(share_t *s, share_handle_t *handle)
{
    int bad = handle->dir ? closedir(handle->dir) : close(handle->fd);
    s->dir_count -= handle->is_dir;
    s->handle_count--;
    free(handle->lock);
    handle->lock = NULL;
    handle->used = false;
    handle->generation++;
    /* The descriptor is gone also when the call was interrupted. */
    return bad && errno != EINTR ? share_error(errno) : 0;
}

void share_handles_reset(share_t *s)
{
    for (uint32_t i = 0; i < s->handle_top; i++) {
        if (s->handles[i].used) {
            handle_close(s, &s->handles[i]);
        }
    }
}

static int handle_refuse(int fd, int error)
{
    close(fd);
    return error;
}

/* A handle with a number that is free. */
static int handle_put(share_t *s, uint32_t index, uint64_t node, int fd, uint32_t flags,
                      bool is_dir)
{
    share_handle_t *handle = &s->handles[index];
    if (is_dir && s->dir_count == SHARE_DIRS_MAX) {
        return handle_refuse(fd, -FS_EMFILE);
    }
    DIR *dir = is_dir ? fdopendir(fd) : NULL;
    if (is_dir && !dir) {
        return handle_refuse(fd, share_error(errno));
    }
    *handle = (share_handle_t){
        .used = true,
        .is_dir = is_dir,
        .append = (flags & FS_O_APPEND) != 0,
        .writable = !is_dir && (flags & FS_O_ACCMODE) != 0,
        .generation = handle->generation,
        .flags = flags & (FS_O_ACCMODE | FS_O_APPEND | FS_O_SYNC | FS_O_DIRECTORY),
        .fd = fd,
        .dir = dir,
        .node = node,
    };
    s->handle_count++;
    s->dir_count += is_dir;
    s->handle_top = index + 1 > s->handle_top ? index + 1 : s->handle_top;
    return 0;
}

int share_handle_new(share_t *s, uint64_t node, int fd, uint32_t flags, bool is_dir,
                     uint64_t *handle_id)
{
    uint32_t index = 0;
    if (s->handle_count == SHARE_HANDLES_MAX) {
        return handle_refuse(fd, -FS_EMFILE);
    }
    while (s->handles[index].used) {
        index++;
    }
    int error = handle_put(s, index, node, fd, flags, is_dir);
    if (!error) {
        *handle_id = (uint64_t)s->handles[index].generation << 32 | (index + UINT64_C(1));
    }
    return error;
}

/* Opens what an O_PATH descriptor points to; the kernel's own link to it can lead nowhere else. */
static int open_path_fd(share_t *s, int fd, uint32_t flags, bool is_dir)
{
    char path[SHARE_PROC_SIZE];
    int host = O_CLOEXEC | O_NOCTTY;
    if (is_dir) {
        return share_open_at(s, fd, ".", O_RDONLY | O_DIRECTORY, 0);
    }
    host |= (flags & FS_O_ACCMODE) == FS_O_WRONLY ? O_WRONLY
            : (flags & FS_O_ACCMODE) == FS_O_RDWR ? O_RDWR
                                                  : O_RDONLY;
    host |= flags & FS_O_TRUNC ? O_TRUNC : 0;
    host |= (flags & FS_O_SYNC) == FS_O_SYNC ? O_SYNC : flags & FS_O_DSYNC ? O_DSYNC : 0;
    share_proc_path(path, fd);
    int opened = open(path, host);
    while (opened < 0 && (errno == EINTR || share_make_room(s, errno))) {
        opened = open(path, host);
    }
    return opened;
}

/* A host descriptor of what a node stands for, or an error. */
static int node_open(share_t *s, uint64_t id, uint32_t flags, bool *is_folder)
{
    share_node_t *node = share_node_get(s, id);
    share_op_begin(s);
    if (!node) {
        return -FS_ESTALE;
    }
    bool is_dir = *is_folder = node->type == S_IFDIR;
    bool writes = (flags & FS_O_ACCMODE) != 0 || (flags & FS_O_TRUNC);
    if (!is_dir && node->type != S_IFREG) {
        return node->type == S_IFLNK ? -FS_ELOOP : -FS_ENXIO;
    }
    if ((flags & FS_O_ACCMODE) == FS_O_ACCMODE || (is_dir && writes) ||
        (!is_dir && (flags & FS_O_DIRECTORY))) {
        return is_dir ? -FS_EISDIR : flags & FS_O_DIRECTORY ? -FS_ENOTDIR : -FS_EINVAL;
    }
    if (writes && s->read_only) {
        return -FS_EROFS;
    }
    int fd = share_node_fd(s, node);
    if (fd < 0) {
        return fd;
    }
    fd = open_path_fd(s, fd, flags, is_dir);
    return fd < 0 ? share_error(errno) : fd;
}

int share_op_open(void *opaque, uint64_t id, uint32_t flags, uint64_t *handle)
{
    bool is_dir;
    int fd = node_open(opaque, id, flags, &is_dir);
    return fd < 0 ? fd : share_handle_new(opaque, id, fd, flags, is_dir, handle);
}

void share_handle_restore(share_t *s, uint32_t index, const share_handle_t *from)
{
    share_handle_t *handle = &s->handles[index];
    bool is_dir;
    uint32_t flags = from->flags & (FS_O_ACCMODE | FS_O_APPEND | FS_O_SYNC | FS_O_DIRECTORY);
    int fd = from->used ? node_open(s, from->node, flags, &is_dir) : -FS_EBADF;
    handle->generation = from->generation;
    if (fd < 0 || handle_put(s, index, from->node, fd, flags, is_dir)) {
        handle->generation += from->used;
    }
}

int share_op_close(void *opaque, uint64_t id)
{
    share_handle_t *handle = share_handle_get(opaque, id);
    return handle ? handle_close(opaque, handle) : -FS_EBADF;
}

/* A handle of a file. */
static share_handle_t *file_get(share_t *s, uint64_t id)
{
    share_handle_t *handle = share_handle_get(s, id);
    return handle && !handle->is_dir ? handle : NULL;
}

int64_t share_op_read(void *opaque, uint64_t id, uint64_t at, void *buf, size_t len)
{
    share_handle_t *handle = file_get(opaque, id);
    size_t done = 0;
    if (!handle) {
        return -FS_EBADF;
    }
    if (at > INT64_MAX || len > (uint64_t)INT64_MAX - at) {
        return at > INT64_MAX ? -FS_EINVAL : 0;
    }
    while (done < len) {
        ssize_t got = pread(handle->fd, (uint8_t *)buf + done, len - done, (off_t)(at + done));
        if (got > 0) {
            done += (size_t)got;
        } else if (got == 0) {
            break;
        } else if (errno != EINTR) {
            return done ? (int64_t)done : share_error(errno);
        }
    }
    return (int64_t)done;
}

static ssize_t file_append(int fd, const void *buf, size_t len)
{
#ifdef RWF_APPEND
    struct iovec iov = {(void *)(uintptr_t)buf, len};
    ssize_t put = pwritev2(fd, &iov, 1, 0, RWF_APPEND);
    if (put >= 0 || (errno != EOPNOTSUPP && errno != ENOSYS && errno != EINVAL)) {
        return put;
    }
#endif
    off_t end = lseek(fd, 0, SEEK_END);
    return end < 0 ? -1 : pwrite(fd, buf, len, end);
}

int64_t share_op_write(void *opaque, uint64_t id, uint64_t at, const void *buf, size_t len,
                       bool exact)
{
    share_handle_t *handle = file_get(opaque, id);
    size_t done = 0;
    if (!handle) {
        return -FS_EBADF;
    }
    if (at > INT64_MAX || len > (uint64_t)INT64_MAX - at) {
        return -FS_EFBIG;
    }
    while (done < len) {
        const uint8_t *from = (const uint8_t *)buf + done;
        ssize_t put = handle->append && !exact
                          ? file_append(handle->fd, from, len - done)
                          : pwrite(handle->fd, from, len - done, (off_t)(at + done));
        if (put > 0) {
            done += (size_t)put;
        } else if (put == 0 || errno != EINTR) {
            return done ? (int64_t)done : share_error(put ? errno : EIO);
        }
    }
    return (int64_t)done;
}

int share_op_fsync(void *opaque, uint64_t id, bool data_only)
{
    share_handle_t *handle = share_handle_get(opaque, id);
    if (!handle) {
        return -FS_EBADF;
    }
    return (data_only ? fdatasync(handle->fd) : fsync(handle->fd)) ? share_error(errno) : 0;
}

int share_op_fallocate(void *opaque, uint64_t id, uint32_t mode, uint64_t at, uint64_t len)
{
    share_handle_t *handle = file_get(opaque, id);
    if (!handle) {
        return -FS_EBADF;
    }
    if (at > INT64_MAX || len > (uint64_t)INT64_MAX - at || mode > 0x7f) {
        return mode > 0x7f ? -FS_EOPNOTSUPP : -FS_EFBIG;
    }
    return fallocate(handle->fd, (int)mode, (off_t)at, (off_t)len) ? share_error(errno) : 0;
}

int64_t share_op_seek(void *opaque, uint64_t id, uint64_t at, uint32_t whence)
{
    share_handle_t *handle = file_get(opaque, id);
    if (!handle || (whence != FS_SEEK_DATA && whence != FS_SEEK_HOLE) || at > INT64_MAX) {
        return handle ? -FS_EINVAL : -FS_EBADF;
    }
    off_t found = lseek(handle->fd, (off_t)at, whence == FS_SEEK_DATA ? SEEK_DATA : SEEK_HOLE);
    return found < 0 ? share_error(errno) : (int64_t)found;
}

static uint32_t dirent_type(unsigned char type)
{
    switch (type) {
    case DT_REG:
        return FS_S_IFREG;
    case DT_DIR:
        return FS_S_IFDIR;
    case DT_LNK:
        return FS_S_IFLNK;
    case DT_FIFO:
        return FS_S_IFIFO;
    case DT_SOCK:
        return FS_S_IFSOCK;
    case DT_CHR:
        return FS_S_IFCHR;
    case DT_BLK:
        return FS_S_IFBLK;
    default:
        return 0;
    }
}

/* What ".." of the root would be is none of the guest's business. */
static uint64_t dirent_ino(share_t *s, const share_handle_t *handle, const struct dirent *host)
{
    struct stat st;
    if (fstat(handle->fd, &st)) {
        return host->d_ino;
    }
    bool up = handle->node == FS_ROOT && !strcmp(host->d_name, "..");
    return share_ino(s, st.st_dev, up ? st.st_ino : host->d_ino);
}

int share_op_readdir(void *opaque, uint64_t id, uint64_t cookie, fs_dirent_t *entry)
{
    share_handle_t *handle = share_handle_get(opaque, id);
    if (!handle || !handle->is_dir || cookie > LONG_MAX) {
        return handle && handle->is_dir ? -FS_EINVAL : -FS_EBADF;
    }
    if (cookie != handle->cookie) {
        if (cookie) {
            seekdir(handle->dir, (long)cookie);
        } else {
            rewinddir(handle->dir);
        }
        handle->cookie = cookie;
    }
    errno = 0;
    struct dirent *host = readdir(handle->dir);
    if (!host) {
        return errno == ENOENT ? 0 : share_error(errno);
    }
    size_t len = strnlen(host->d_name, FS_NAME_MAX);
    handle->cookie = (uint64_t)telldir(handle->dir);
    entry->ino = dirent_ino(opaque, handle, host);
    entry->next = handle->cookie;
    entry->type = dirent_type(host->d_type);
    memcpy(entry->name, host->d_name, len);
    entry->name[len] = 0;
    return 1;
}

#endif
