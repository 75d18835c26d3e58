/* SPDX-License-Identifier: MPL-2.0 */
/* Attributes and extended attributes. */
#define _GNU_SOURCE
#include "share_internal.h"

#ifdef __linux__

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

/* A descriptor for looking at a node: of its handle, if there is one, or O_PATH. */
static int attr_fd(share_t *s, uint64_t id, const share_handle_t *handle)
{
    share_node_t *node = share_node_get(s, id);
    share_op_begin(s);
    if (handle && handle->node == id) {
        return handle->fd;
    }
    return node ? share_node_fd(s, node) : -FS_ESTALE;
}

int share_op_getattr(void *opaque, uint64_t node, uint64_t handle, fs_attr_t *attr)
{
    struct stat st;
    int fd = attr_fd(opaque, node, share_handle_get(opaque, handle));
    if (fd < 0) {
        return fd;
    }
    if (fstat(fd, &st)) {
        return share_error(errno);
    }
    share_fill_attr(opaque, node, &st, attr);
    return 0;
}

static int set_size(share_t *s, uint64_t id, uint64_t handle_id, uint64_t size)
{
    share_handle_t *handle = share_handle_get(s, handle_id);
    share_node_t *node = share_node_get(s, id);
    char path[SHARE_PROC_SIZE];
    if (size > INT64_MAX) {
        return -FS_EFBIG;
    }
    if (handle && handle->node == id && handle->writable) {
        return ftruncate(handle->fd, (off_t)size) ? share_error(errno) : 0;
    }
    if (!node) {
        return -FS_ESTALE;
    }
    if (node->type != S_IFREG) {
        return node->type == S_IFDIR ? -FS_EISDIR : -FS_EINVAL;
    }
    int fd = share_node_fd(s, node);
    if (fd < 0) {
        return fd;
    }
    share_proc_path(path, fd);
    return truncate(path, (off_t)size) ? share_error(errno) : 0;
}

static int set_mode(int fd, uint32_t mode)
{
    char path[SHARE_PROC_SIZE];
    struct stat st;
    if (fstat(fd, &st)) {
        return share_error(errno);
    }
    if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)) {
        return S_ISLNK(st.st_mode) ? -FS_EOPNOTSUPP : -FS_EPERM;
    }
    share_proc_path(path, fd);
    return chmod(path, (mode_t)(mode & 01777)) ? share_error(errno) : 0;
}

static struct timespec set_time(unsigned set, unsigned now, unsigned given, fs_time_t time)
{
    struct timespec ts = {.tv_sec = 0, .tv_nsec = UTIME_OMIT};
    if (set & now) {
        ts.tv_nsec = UTIME_NOW;
    } else if (set & given) {
        ts.tv_sec = (time_t)time.sec;
        ts.tv_nsec = time.nsec < 1000000000 ? (long)time.nsec : 999999999;
    }
    return ts;
}

static int set_times(int fd, const fs_setattr_t *change)
{
    struct timespec ts[2] = {
        set_time(change->set, FS_SET_ATIME_NOW, FS_SET_ATIME, change->atime),
        set_time(change->set, FS_SET_MTIME_NOW, FS_SET_MTIME, change->mtime),
    };
    char path[SHARE_PROC_SIZE];
    struct stat st;
    if (utimensat(fd, "", ts, AT_EMPTY_PATH) == 0) {
        return 0;
    }
    /* Kernels before 5.8 do not take an empty path. */
    if (errno != EINVAL || fstat(fd, &st) || (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))) {
        return share_error(errno ? errno : EINVAL);
    }
    share_proc_path(path, fd);
    return utimensat(AT_FDCWD, path, ts, 0) ? share_error(errno) : 0;
}

int share_op_setattr(void *opaque, uint64_t node, uint64_t handle, const fs_setattr_t *change)
{
    share_t *s = opaque;
    const unsigned times = FS_SET_ATIME | FS_SET_MTIME | FS_SET_ATIME_NOW | FS_SET_MTIME_NOW;
    int fd = attr_fd(s, node, share_handle_get(s, handle));
    if (fd < 0) {
        return fd;
    }
    if (s->read_only) {
        return -FS_EROFS;
    }
    if (((change->set & FS_SET_UID) && change->uid) ||
        ((change->set & FS_SET_GID) && change->gid)) {
        return -FS_EPERM;
    }
    int error = change->set & FS_SET_SIZE ? set_size(s, node, handle, change->size) : 0;
    if (!error && (change->set & FS_SET_MODE)) {
        error = set_mode(fd, change->mode);
    }
    if (!error && (change->set & times)) {
        error = set_times(fd, change);
    }
    return error;
}

int share_op_statfs(void *opaque, uint64_t node, fs_statfs_t *stat)
{
    struct statvfs st;
    int fd = attr_fd(opaque, node, NULL);
    if (fd < 0) {
        return fd;
    }
    if (fstatvfs(fd, &st)) {
        return share_error(errno);
    }
    *stat = (fs_statfs_t){
        .blocks = st.f_blocks,
        .bfree = st.f_bfree,
        .bavail = st.f_bavail,
        .files = st.f_files,
        .ffree = st.f_ffree,
        .fsid = st.f_fsid,
        .bsize = (uint32_t)st.f_bsize,
        .frsize = (uint32_t)st.f_frsize,
        .namelen = FS_NAME_MAX,
    };
    return 0;
}

/* --- Extended attributes --- */

/* The path of a node that can have some. */
static int xattr_path(share_t *s, uint64_t id, const char *name, char path[SHARE_PROC_SIZE])
{
    share_node_t *node = share_node_get(s, id);
    share_op_begin(s);
    if (!node) {
        return -FS_ESTALE;
    }
    if ((node->type != S_IFREG && node->type != S_IFDIR) ||
        (name && (strncmp(name, "user.", 5) != 0 || !name[5]))) {
        return -FS_EOPNOTSUPP;
    }
    if (name && strlen(name) > FS_NAME_MAX) {
        return -FS_ERANGE;
    }
    int fd = share_node_fd(s, node);
    if (fd < 0) {
        return fd;
    }
    share_proc_path(path, fd);
    return 0;
}

int share_op_getxattr(void *opaque, uint64_t node, const char *name, void *buf, size_t len)
{
    char path[SHARE_PROC_SIZE];
    int error = xattr_path(opaque, node, name, path);
    if (error) {
        return error;
    }
    ssize_t got = getxattr(path, name, len ? buf : NULL, len);
    return got < 0 ? share_error(errno) : (int)got;
}

int share_op_listxattr(void *opaque, uint64_t node, char *buf, size_t len)
{
    char path[SHARE_PROC_SIZE];
    int error = xattr_path(opaque, node, NULL, path);
    if (error) {
        return error == -FS_EOPNOTSUPP ? 0 : error;
    }
    char *all = malloc(FS_XATTR_MAX);
    ssize_t size = all ? listxattr(path, all, FS_XATTR_MAX) : 0;
    if (!all || size < 0) {
        error = all ? share_error(errno) : -FS_ENOMEM;
        free(all);
        return error == -FS_EOPNOTSUPP ? 0 : error;
    }
    size_t used = 0;
    for (ssize_t at = 0, n; at < size && !error; at += n) {
        n = (ssize_t)strnlen(all + at, (size_t)(size - at)) + 1;
        if (strncmp(all + at, "user.", 5) != 0) {
            continue;
        }
        if (len && len - used < (size_t)n) {
            error = -FS_ERANGE;
        } else if (len) {
            memcpy(buf + used, all + at, (size_t)n);
        }
        used += (size_t)n;
    }
    free(all);
    return error ? error : (int)used;
}

int share_op_setxattr(void *opaque, uint64_t node, const char *name, const void *value, size_t len,
                      unsigned flags)
{
    char path[SHARE_PROC_SIZE];
    int error = xattr_path(opaque, node, name, path);
    int host_flags = (flags & FS_XATTR_CREATE ? XATTR_CREATE : 0) |
                     (flags & FS_XATTR_REPLACE ? XATTR_REPLACE : 0);
    if (error) {
        return error;
    }
    if (((share_t *)opaque)->read_only) {
        return -FS_EROFS;
    }
    if (len > FS_XATTR_MAX || (flags & ~(unsigned)(FS_XATTR_CREATE | FS_XATTR_REPLACE))) {
        return len > FS_XATTR_MAX ? -FS_E2BIG : -FS_EINVAL;
    }
    return setxattr(path, name, value, len, host_flags) ? share_error(errno) : 0;
}

int share_op_removexattr(void *opaque, uint64_t node, const char *name)
{
    char path[SHARE_PROC_SIZE];
    int error = xattr_path(opaque, node, name, path);
    if (error) {
        return error;
    }
    if (((share_t *)opaque)->read_only) {
        return -FS_EROFS;
    }
    return removexattr(path, name) ? share_error(errno) : 0;
}

#endif
