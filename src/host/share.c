/* SPDX-License-Identifier: MPL-2.0 */
#define _GNU_SOURCE
#include "share_internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#ifdef __linux__

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

int share_error(int host_errno)
{
    switch (host_errno) {
    case 0:
        return 0;
    case EPERM:
        return -FS_EPERM;
    case ENOENT:
        return -FS_ENOENT;
    case EINTR:
        return -FS_EINTR;
    case ENXIO:
        return -FS_ENXIO;
    case E2BIG:
        return -FS_E2BIG;
    case EBADF:
        return -FS_EBADF;
    case EAGAIN:
        return -FS_EAGAIN;
    case ENOMEM:
        return -FS_ENOMEM;
    case EACCES:
        return -FS_EACCES;
    case EBUSY:
        return -FS_EBUSY;
    case EEXIST:
        return -FS_EEXIST;
    case EXDEV:
        return -FS_EXDEV;
    case ENODEV:
        return -FS_ENODEV;
    case ENOTDIR:
        return -FS_ENOTDIR;
    case EISDIR:
        return -FS_EISDIR;
    case EINVAL:
        return -FS_EINVAL;
    case ENFILE:
        return -FS_ENFILE;
    case EMFILE:
        return -FS_EMFILE;
    case ETXTBSY:
        return -FS_ETXTBSY;
    case EFBIG:
        return -FS_EFBIG;
    case ENOSPC:
        return -FS_ENOSPC;
    case ESPIPE:
        return -FS_ESPIPE;
    case EROFS:
        return -FS_EROFS;
    case EMLINK:
        return -FS_EMLINK;
    case ERANGE:
        return -FS_ERANGE;
    case EDEADLK:
        return -FS_EDEADLK;
    case ENAMETOOLONG:
        return -FS_ENAMETOOLONG;
    case ENOLCK:
        return -FS_ENOLCK;
    case ENOTEMPTY:
        return -FS_ENOTEMPTY;
    case ELOOP:
        return -FS_ELOOP;
    case ENODATA:
        return -FS_ENODATA;
    case EOVERFLOW:
        return -FS_EOVERFLOW;
    case EOPNOTSUPP:
        return -FS_EOPNOTSUPP;
    case ESTALE:
        return -FS_ESTALE;
    case EDQUOT:
        return -FS_EDQUOT;
    default:
        return -FS_EIO;
    }
}

/* --- The thread --- */

static bool share_waiting(share_t *s)
{
    return __atomic_load_n(&s->asked, __ATOMIC_SEQ_CST) !=
           __atomic_load_n(&s->done, __ATOMIC_SEQ_CST);
}

static void share_serve(share_t *s)
{
    uint64_t asked = __atomic_load_n(&s->asked, __ATOMIC_SEQ_CST);
    if (asked != s->done) {
        s->serve(s->serve_arg);
        __atomic_store_n(&s->done, asked, __ATOMIC_SEQ_CST);
        host_event_set(s->idle_event);
    }
}

/* No signal is handled in this thread; a file that grows beyond a limit gives EFBIG, not SIGXFSZ.
 */
static void share_thread(void *arg)
{
    share_t *s = arg;
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    while (!__atomic_load_n(&s->stop, __ATOMIC_SEQ_CST)) {
        share_serve(s);
        if (!share_waiting(s)) {
            host_event_wait(s->event, HOST_FOREVER);
        }
    }
}

static bool share_start(void *opaque, void (*serve)(void *arg), void *arg)
{
    share_t *s = opaque;
    s->serve = serve;
    s->serve_arg = arg;
    s->synchronous |= !host_threads_available();
    if (!s->synchronous) {
        s->thread = host_thread_create(share_thread, s);
    }
    return s->synchronous || s->thread;
}

static void share_wake(void *opaque)
{
    share_t *s = opaque;
    __atomic_fetch_add(&s->asked, 1, __ATOMIC_SEQ_CST);
    if (!s->synchronous) {
        host_event_set(s->event);
        return;
    }
    /* Whoever is serving looks again after it has said that it stops. */
    while (share_waiting(s) && !__atomic_exchange_n(&s->serving, true, __ATOMIC_SEQ_CST)) {
        share_serve(s);
        __atomic_store_n(&s->serving, false, __ATOMIC_SEQ_CST);
    }
}

static void share_idle(void *opaque)
{
    share_t *s = opaque;
    uint64_t asked = __atomic_load_n(&s->asked, __ATOMIC_SEQ_CST);
    while (s->thread && __atomic_load_n(&s->done, __ATOMIC_SEQ_CST) < asked) {
        host_event_wait(s->idle_event, 10000000);
    }
}

static void share_free(void *opaque)
{
    share_t *s = opaque;
    if (s->thread) {
        __atomic_store_n(&s->stop, 1, __ATOMIC_SEQ_CST);
        host_event_set(s->event);
        host_thread_join(s->thread);
    }
    if (s->handles) {
        share_handles_reset(s);
    }
    share_nodes_free(s);
    free(s->handles);
    host_event_free(s->event);
    host_event_free(s->idle_event);
    free(s);
}

static void share_reset(void *opaque)
{
    share_handles_reset(opaque);
    share_nodes_reset(opaque);
}

static const fs_ops_t share_ops = {
    .start = share_start,
    .wake = share_wake,
    .idle = share_idle,
    .free = share_free,
    .reset = share_reset,
    .snapshot = share_op_snapshot,
    .lookup = share_op_lookup,
    .parent = share_op_parent,
    .retain = share_op_retain,
    .forget = share_op_forget,
    .getattr = share_op_getattr,
    .setattr = share_op_setattr,
    .statfs = share_op_statfs,
    .readlink = share_op_readlink,
    .mkdir = share_op_mkdir,
    .mknod = share_op_mknod,
    .symlink = share_op_symlink,
    .link = share_op_link,
    .unlink = share_op_unlink,
    .rename = share_op_rename,
    .name_of = share_op_name_of,
    .open = share_op_open,
    .create = share_op_create,
    .close = share_op_close,
    .read = share_op_read,
    .write = share_op_write,
    .fsync = share_op_fsync,
    .fallocate = share_op_fallocate,
    .seek = share_op_seek,
    .readdir = share_op_readdir,
    .getlk = share_op_getlk,
    .setlk = share_op_setlk,
    .getxattr = share_op_getxattr,
    .listxattr = share_op_listxattr,
    .setxattr = share_op_setxattr,
    .removexattr = share_op_removexattr,
};

/* --- Opening --- */

static bool share_fail(char *error, size_t error_size, const char *what, int host_errno)
{
    snprintf(error, error_size, "%s: %s", what, strerror(host_errno));
    return false;
}

/* Files are opened through /proc/self/fd: it must be there. */
static bool share_check(int fd, struct stat *st, char *error, size_t error_size)
{
    char path[SHARE_PROC_SIZE];
    struct stat same;
    if (fstat(fd, st)) {
        return share_fail(error, error_size, "cannot be shared", errno);
    }
    share_proc_path(path, fd);
    if (stat(path, &same) || same.st_ino != st->st_ino || same.st_dev != st->st_dev) {
        snprintf(error, error_size, "cannot be shared: /proc is not mounted here");
        return false;
    }
    return true;
}

bool share_open(file_server_t *server, const share_desc_t *desc, char *error, size_t error_size)
{
    struct stat st;
    int fd = open(desc->dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return share_fail(error, error_size,
                          errno == ENOTDIR ? "is not a folder" : "cannot be shared", errno);
    }
    if (!share_check(fd, &st, error, error_size)) {
        close(fd);
        return false;
    }
    share_t *s = calloc(1, sizeof(*s));
    if (s) {
        s->read_only = desc->read_only;
        s->synchronous = desc->synchronous;
        s->handles = calloc(SHARE_HANDLES_MAX, sizeof(*s->handles));
        s->event = host_event_create();
        s->idle_event = host_event_create();
    }
    if (!s || !s->handles || !s->event || !s->idle_event || !share_nodes_init(s, fd, &st)) {
        close(fd);
        if (s) {
            share_free(s);
        }
        return share_fail(error, error_size, "cannot be shared", ENOMEM);
    }
    *server = (file_server_t){&share_ops, s};
    return true;
}

#else

bool share_open(file_server_t *server, const share_desc_t *desc, char *error, size_t error_size)
{
    (void)server;
    (void)desc;
    snprintf(error, error_size, "cannot be shared: folders of the host need Linux");
    return false;
}

#endif
