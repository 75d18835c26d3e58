/* SPDX-License-Identifier: MPL-2.0 */
/* Making, moving and removing entries of folders. */
#define _GNU_SOURCE
#include "share_internal.h"

#ifdef __linux__

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CREATE_TRIES 16

/* The descriptor of a folder in which something is to be changed. */
static int name_dir(share_t *s, uint64_t dir, const char *name)
{
    share_op_begin(s);
    int fd = share_dir_fd(s, dir, name);
    return fd >= 0 && s->read_only ? -FS_EROFS : fd;
}

/* What was just made gets the permissions that the guest asked for, whatever the host's umask is.
 */
static int name_made(share_t *s, uint64_t dir, const char *name, uint32_t type, uint32_t mode,
                     fs_attr_t *attr)
{
    int error = share_node_lookup(s, dir, name, attr);
    mode &= 01777;
    if (error || (attr->mode & FS_S_IFMT) != type || (attr->mode & 01777) == mode) {
        return error;
    }
    char path[SHARE_PROC_SIZE];
    int fd = share_node_fd(s, share_node_get(s, attr->node));
    if (fd >= 0) {
        share_proc_path(path, fd);
        if (chmod(path, (mode_t)mode) == 0) {
            attr->mode = type | mode;
        }
    }
    return 0;
}

int share_op_mkdir(void *opaque, uint64_t dir, const char *name, uint32_t mode, fs_attr_t *attr)
{
    int fd = name_dir(opaque, dir, name);
    if (fd < 0) {
        return fd;
    }
    if (mkdirat(fd, name, (mode_t)(mode & 01777))) {
        return share_error(errno);
    }
    return name_made(opaque, dir, name, FS_S_IFDIR, mode, attr);
}

int share_op_mknod(void *opaque, uint64_t dir, const char *name, uint32_t mode, fs_attr_t *attr)
{
    int fd = name_dir(opaque, dir, name);
    if (fd < 0) {
        return fd;
    }
    if ((mode & FS_S_IFMT) != FS_S_IFREG && (mode & FS_S_IFMT) != 0) {
        return -FS_EPERM;
    }
    fd = share_open_at(opaque, fd, name, O_CREAT | O_EXCL | O_WRONLY, (mode_t)(mode & 01777));
    if (fd < 0) {
        return share_error(errno);
    }
    close(fd);
    return name_made(opaque, dir, name, FS_S_IFREG, mode, attr);
}

int share_op_symlink(void *opaque, uint64_t dir, const char *name, const char *to, fs_attr_t *attr)
{
    int fd = name_dir(opaque, dir, name);
    if (fd < 0) {
        return fd;
    }
    if (strnlen(to, FS_LINK_MAX + 1) > FS_LINK_MAX) {
        return -FS_ENAMETOOLONG;
    }
    if (symlinkat(to, fd, name)) {
        return share_error(errno);
    }
    return share_node_lookup(opaque, dir, name, attr);
}

int share_op_link(void *opaque, uint64_t id, uint64_t dir, const char *name, fs_attr_t *attr)
{
    share_t *s = opaque;
    char path[SHARE_PROC_SIZE];
    int fd = name_dir(s, dir, name);
    share_node_t *node = share_node_get(s, id);
    if (fd < 0) {
        return fd;
    }
    if (!node) {
        return -FS_ESTALE;
    }
    if (node->type != S_IFREG && node->type != S_IFLNK) {
        return -FS_EPERM;
    }
    int from = share_node_fd(s, node);
    if (from < 0) {
        return from;
    }
    share_proc_path(path, from);
    if (linkat(AT_FDCWD, path, fd, name, AT_SYMLINK_FOLLOW)) {
        return share_error(errno);
    }
    return share_node_lookup(s, dir, name, attr);
}

int share_op_unlink(void *opaque, uint64_t dir, const char *name, bool is_dir)
{
    int fd = name_dir(opaque, dir, name);
    if (fd < 0) {
        return fd;
    }
    return unlinkat(fd, name, is_dir ? AT_REMOVEDIR : 0) ? share_error(errno) : 0;
}

static int rename_host(int from_fd, const char *name, int to_fd, const char *to_name,
                       unsigned flags)
{
    if (!flags) {
        return renameat(from_fd, name, to_fd, to_name);
    }
#ifdef SYS_renameat2
    return (int)syscall(SYS_renameat2, from_fd, name, to_fd, to_name, flags);
#else
    errno = EINVAL;
    return -1;
#endif
}

/* After a rename: the node that now is at dir/name, if the guest knows it. */
static void name_moved(share_t *s, uint64_t dir, int fd, const char *name)
{
    struct stat st;
    if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
        share_node_moved(s, st.st_dev, st.st_ino, share_node_get(s, dir)->slot, name);
    }
}

int share_op_rename(void *opaque, uint64_t dir, const char *name, uint64_t to_dir,
                    const char *to_name, unsigned flags)
{
    share_t *s = opaque;
    int from_fd = name_dir(s, dir, name);
    if (from_fd < 0) {
        return from_fd;
    }
    int to_fd = share_dir_fd(s, to_dir, to_name);
    if (to_fd < 0) {
        return to_fd;
    }
    if (flags & ~(unsigned)(FS_RENAME_NOREPLACE | FS_RENAME_EXCHANGE)) {
        return -FS_EINVAL;
    }
    if (rename_host(from_fd, name, to_fd, to_name, flags)) {
        return share_error(errno == ENOSYS ? EINVAL : errno);
    }
    name_moved(s, to_dir, to_fd, to_name);
    if (flags & FS_RENAME_EXCHANGE) {
        name_moved(s, dir, from_fd, name);
    }
    return 0;
}

int share_op_readlink(void *opaque, uint64_t id, char *buf)
{
    share_t *s = opaque;
    share_node_t *node = share_node_get(s, id);
    share_op_begin(s);
    if (!node) {
        return -FS_ESTALE;
    }
    if (node->type != S_IFLNK) {
        return -FS_EINVAL;
    }
    int fd = share_node_fd(s, node);
    if (fd < 0) {
        return fd;
    }
    ssize_t len = readlinkat(fd, "", buf, FS_LINK_MAX + 1);
    return len < 0 ? share_error(errno) : len > FS_LINK_MAX ? -FS_ENAMETOOLONG : (int)len;
}

static int host_access(uint32_t flags)
{
    switch (flags & FS_O_ACCMODE) {
    case FS_O_WRONLY:
        return O_WRONLY;
    case FS_O_RDWR:
        return O_RDWR;
    default:
        return O_RDONLY;
    }
}

/* A new file; 1: there is one of that name already, which may be opened. */
static int create_new(share_t *s, uint64_t dir, const char *name, uint32_t flags, uint32_t mode,
                      fs_attr_t *attr, uint64_t *handle)
{
    int fd = share_dir_fd(s, dir, name);
    if (fd < 0) {
        return fd;
    }
    fd = share_open_at(s, fd, name, O_CREAT | O_EXCL | O_NOCTTY | host_access(flags),
                       (mode_t)(mode & 01777));
    if (fd < 0) {
        return errno == EEXIST && !(flags & FS_O_EXCL) ? 1 : share_error(errno);
    }
    int error = name_made(s, dir, name, FS_S_IFREG, mode, attr);
    if (error) {
        close(fd);
        return error;
    }
    error = share_handle_new(s, attr->node, fd, flags, false, handle);
    if (error) {
        share_op_forget(s, attr->node, 1);
    }
    return error;
}

int share_op_create(void *opaque, uint64_t dir, const char *name, uint32_t flags, uint32_t mode,
                    fs_attr_t *attr, uint64_t *handle)
{
    share_t *s = opaque;
    int error = name_dir(s, dir, name);
    /* It may come and go while we look. */
    for (int tries = 0; error >= 0 && tries < CREATE_TRIES; tries++) {
        error = create_new(s, dir, name, flags, mode, attr, handle);
        if (error <= 0) {
            return error;
        }
        error = share_node_lookup(s, dir, name, attr);
        if (error == 0) {
            error = share_op_open(s, attr->node, flags, handle);
            if (error == 0) {
                return share_op_getattr(s, attr->node, *handle, attr);
            }
            share_op_forget(s, attr->node, 1);
            return error;
        }
        error = error == -FS_ENOENT ? 0 : error;
        share_op_begin(s);
    }
    return error < 0 ? error : -FS_EIO;
}

#endif
