/* SPDX-License-Identifier: MPL-2.0 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* fallocate, preadv */
#endif
#define _FILE_OFFSET_BITS 64

#include "disk_file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

/* Spans of one host call. Emscripten's calls put every span at the same place of the file. */
#ifdef __EMSCRIPTEN__
#define IOV_COUNT 1
#else
#define IOV_COUNT 128
#endif

/* What a write of zeros takes from at a time. */
#define ZERO_BYTES 65536

static bool file_fail(char *error, size_t error_size, const char *path, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

static bool file_fail(char *error, size_t error_size, const char *path, const char *fmt, ...)
{
    char what[200];
    va_list args;
    va_start(args, fmt);
    vsnprintf(what, sizeof(what), fmt, args);
    va_end(args);
    snprintf(error, error_size, "%s: %s", path, what);
    return false;
}

/* A write over the limit of the process's file size is an error and no signal. */
static void file_ignore_sigxfsz(void)
{
#ifdef SIGXFSZ
    struct sigaction old;
    if (sigaction(SIGXFSZ, NULL, &old) == 0 && old.sa_handler == SIG_DFL) {
        signal(SIGXFSZ, SIG_IGN);
    }
#endif
}

/* Fills in what kind of file it is and how large. */
static bool file_examine(disk_file_t *file, const char *path, char *error, size_t error_size)
{
    struct stat st;
    if (fstat(file->fd, &st) < 0) {
        return file_fail(error, error_size, path, "cannot be examined: %s", strerror(errno));
    }
    if (S_ISDIR(st.st_mode)) {
        return file_fail(error, error_size, path, "is a directory; a disk image is needed");
    }
    if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode)) {
        return file_fail(error, error_size, path, "is neither a file nor a block device");
    }
    file->regular = S_ISREG(st.st_mode);
    off_t end = file->regular ? st.st_size : lseek(file->fd, 0, SEEK_END);
    if (end < 0) {
        return file_fail(error, error_size, path, "has no known size: %s", strerror(errno));
    }
    file->size = file->zeros_from = (uint64_t)end;
    if (file->regular) {
#if defined(__APPLE__)
        file->mtime_s = st.st_mtimespec.tv_sec;
        file->mtime_ns = (uint32_t)st.st_mtimespec.tv_nsec;
#else
        file->mtime_s = st.st_mtim.tv_sec;
        file->mtime_ns = (uint32_t)st.st_mtim.tv_nsec;
#endif
    }
    return true;
}

/* A host without file locks is no reason to refuse a disk. */
static bool file_lock(disk_file_t *file, const char *path, bool writer, char *error,
                      size_t error_size)
{
    if (flock(file->fd, (writer ? LOCK_EX : LOCK_SH) | LOCK_NB) == 0 || errno != EWOULDBLOCK) {
        return true;
    }
    return file_fail(error, error_size, path, "is in use already, by this or another machine%s",
                     writer ? "" : " that writes to it");
}

bool disk_file_open(disk_file_t *file, const char *path, int mode, char *error, size_t error_size)
{
    static const int flags[] = {
        [DISK_FILE_READ] = O_RDONLY,
        [DISK_FILE_WRITE] = O_RDWR,
        [DISK_FILE_CREATE] = O_RDWR | O_CREAT,
    };
    memset(file, 0, sizeof(*file));
    file_ignore_sigxfsz();
    /* Not to wait for the other end of a pipe, which is refused below. */
    file->fd = open(path, flags[mode] | O_CLOEXEC | O_NONBLOCK, 0666);
    if (file->fd < 0) {
        int err = errno;
        const char *hint = "";
        if (mode == DISK_FILE_WRITE && (err == EACCES || err == EROFS || err == EPERM)) {
            hint = " (add ,ro to only read it, or ,cow=FILE to write elsewhere)";
        }
        return file_fail(error, error_size, path, "cannot be opened%s: %s%s",
                         mode == DISK_FILE_READ ? "" : " for writing", strerror(err), hint);
    }
    if (file_examine(file, path, error, error_size) &&
        file_lock(file, path, mode != DISK_FILE_READ, error, error_size) &&
        file_examine(file, path, error, error_size)) { /* again: who had the lock is done now */
        return true;
    }
    disk_file_close(file);
    return false;
}

void disk_file_close(disk_file_t *file)
{
    if (file->fd >= 0) {
        close(file->fd); /* and with it the lock */
    }
    file->fd = -1;
}

/* Up to IOV_COUNT pieces of the spans from byte `skip` on. */
static int file_iov(const disk_span_t *spans, unsigned count, uint64_t skip, struct iovec *iov)
{
    int made = 0;
    for (unsigned i = 0; i < count && made < IOV_COUNT; i++) {
        if (skip >= spans[i].len) {
            skip -= spans[i].len;
            continue;
        }
        iov[made].iov_base = (uint8_t *)spans[i].ptr + skip;
        iov[made++].iov_len = spans[i].len - (size_t)skip;
        skip = 0;
    }
    return made;
}

static void spans_clear(const disk_span_t *spans, unsigned count, uint64_t skip)
{
    for (unsigned i = 0; i < count; i++) {
        size_t from = skip < spans[i].len ? (size_t)skip : spans[i].len;
        memset((uint8_t *)spans[i].ptr + from, 0, spans[i].len - from);
        skip -= from;
    }
}

int disk_file_read(const disk_file_t *file, uint64_t offset, const disk_span_t *spans, unsigned count)
{
    struct iovec iov[IOV_COUNT];
    uint64_t len = disk_spans_len(spans, count), done = 0;
    while (done < len) {
        int n = file_iov(spans, count, done, iov);
        ssize_t got = preadv(file->fd, iov, n, (off_t)(offset + done));
        if (got > 0) {
            done += (uint64_t)got;
        } else if (got == 0 && offset + done >= file->zeros_from) {
            spans_clear(spans, count, done); /* the rest of the last sector */
            return 0;
        } else if (got == 0) {
            return ENODATA;
        } else if (errno != EINTR) {
            return errno;
        }
    }
    return 0;
}

int disk_file_write(const disk_file_t *file, uint64_t offset, const disk_span_t *spans, unsigned count)
{
    struct iovec iov[IOV_COUNT];
    uint64_t len = disk_spans_len(spans, count), done = 0;
    while (done < len) {
        int n = file_iov(spans, count, done, iov);
        ssize_t put = pwritev(file->fd, iov, n, (off_t)(offset + done));
        if (put > 0) {
            done += (uint64_t)put;
        } else if (put == 0) {
            return ENOSPC;
        } else if (errno != EINTR) {
            return errno;
        }
    }
    return 0;
}

bool disk_file_read_now(disk_file_t *file, uint64_t offset, void *data, size_t len)
{
#if defined(__linux__) && defined(RWF_NOWAIT)
    struct iovec iov = {data, len};
    if (__atomic_load_n(&file->no_now, __ATOMIC_RELAXED)) {
        return false;
    }
    ssize_t got = preadv2(file->fd, &iov, 1, (off_t)offset, RWF_NOWAIT);
    if (got < 0 && (errno == EOPNOTSUPP || errno == ENOSYS)) {
        __atomic_store_n(&file->no_now, true, __ATOMIC_RELAXED);
    }
    return got == (ssize_t)len;
#else
    (void)file;
    (void)offset;
    (void)data;
    (void)len;
    return false;
#endif
}

int disk_file_read_bytes(const disk_file_t *file, uint64_t offset, void *data, size_t len)
{
    const disk_span_t span = {data, len};
    return disk_file_read(file, offset, &span, 1);
}

int disk_file_write_bytes(const disk_file_t *file, uint64_t offset, const void *data, size_t len)
{
    const disk_span_t span = {(void *)(uintptr_t)data, len};
    return disk_file_write(file, offset, &span, 1);
}

int disk_file_sync(disk_file_t *file)
{
    int err = __atomic_load_n(&file->sync_error, __ATOMIC_ACQUIRE);
    int status = -1;
    while (!err && status < 0) {
#if defined(__APPLE__)
        status = fcntl(file->fd, F_FULLFSYNC);
#else
        status = fdatasync(file->fd);
#endif
        if (status < 0 && errno != EINTR) {
            err = errno;
            __atomic_store_n(&file->sync_error, err, __ATOMIC_RELEASE);
        }
    }
    return err;
}

int disk_file_check(const disk_file_t *file)
{
    /* First, since others may make the file longer and say so meanwhile. */
    uint64_t need = __atomic_load_n(&file->size, __ATOMIC_ACQUIRE);
    struct stat st;
    if (!file->regular) {
        return 0;
    }
    if (fstat(file->fd, &st) < 0) {
        return errno;
    }
    return (uint64_t)st.st_size < need ? ENODATA : 0;
}

int disk_file_punch(const disk_file_t *file, uint64_t offset, uint64_t len)
{
#if defined(__linux__)
    int status;
    do {
        status = fallocate(file->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)offset,
                           (off_t)len);
    } while (status < 0 && errno == EINTR);
    if (status == 0) {
        return 0;
    }
    return errno == EOPNOTSUPP || errno == ENOSYS || errno == ENODEV ? ENOTSUP : errno;
#else
    (void)file;
    (void)offset;
    (void)len;
    return ENOTSUP;
#endif
}

/* Zeros that keep their storage. */
static int file_zero_range(const disk_file_t *file, uint64_t offset, uint64_t len)
{
#if defined(__linux__) && defined(FALLOC_FL_ZERO_RANGE)
    if (fallocate(file->fd, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, (off_t)offset,
                  (off_t)len) == 0) {
        return 0;
    }
#endif
    uint8_t *zeros = calloc(1, ZERO_BYTES);
    int err = zeros ? 0 : ENOMEM;
    while (len && !err) {
        size_t part = len < ZERO_BYTES ? (size_t)len : ZERO_BYTES;
        err = disk_file_write_bytes(file, offset, zeros, part);
        offset += part;
        len -= part;
    }
    free(zeros);
    return err;
}

int disk_file_zero(const disk_file_t *file, uint64_t offset, uint64_t len, bool unmap)
{
    if (unmap && disk_file_punch(file, offset, len) == 0) {
        return 0;
    }
    return file_zero_range(file, offset, len);
}
