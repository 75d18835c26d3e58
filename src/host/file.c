/* SPDX-License-Identifier: MPL-2.0 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* more than C11, also with -std=c11 */
#endif
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* One read() or write() at most this large, so that 32-bit hosts and signals are no matter. */
#define CHUNK_MAX ((size_t)1 << 24)
#define PIPE_FIRST ((size_t)1 << 16)

static bool file_fail(char *error, size_t error_size, const char *what, int err)
{
    snprintf(error, error_size, "%s: %s", what, strerror(err));
    return false;
}

static bool file_too_big(char *error, size_t error_size, uint64_t max)
{
    snprintf(error, error_size, "is too big: more than %llu MiB", (unsigned long long)(max >> 20));
    return false;
}

/* Reads until size bytes are there or the file ends; the number read, or -1 with errno set. */
static long long file_read_some(int fd, uint8_t *buf, size_t size)
{
    size_t done = 0;
    while (done < size) {
        size_t want = size - done < CHUNK_MAX ? size - done : CHUNK_MAX;
        ssize_t got = read(fd, buf + done, want);
        if (got > 0) {
            done += (size_t)got;
        } else if (got == 0) {
            break;
        } else if (errno != EINTR) {
            return -1;
        }
    }
    return (long long)done;
}

/* Reads to the end of the file, growing the buffer from cap bytes. */
static bool file_slurp(int fd, size_t cap, uint64_t max, uint8_t **data, size_t *size, char *error,
                       size_t error_size)
{
    uint8_t *buf = NULL;
    size_t used = 0;
    for (;;) {
        uint8_t *bigger = realloc(buf, cap);
        if (!bigger) {
            free(buf);
            return file_fail(error, error_size, "cannot be read", ENOMEM);
        }
        buf = bigger;
        long long got = file_read_some(fd, buf + used, cap - used);
        if (got < 0) {
            int err = errno;
            free(buf);
            return file_fail(error, error_size, "cannot be read", err);
        }
        used += (size_t)got;
        if (used > max) {
            free(buf);
            return file_too_big(error, error_size, max);
        }
        if (used < cap) {
            *data = buf;
            *size = used;
            return true;
        }
        cap = cap > SIZE_MAX / 2 ? SIZE_MAX : cap * 2;
    }
}

bool host_file_read_all(const char *path, uint64_t max, uint8_t **data, size_t *size, char *error,
                        size_t error_size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return file_fail(error, error_size, "cannot be opened", errno);
    }
    struct stat st;
    bool ok = false;
    if (fstat(fd, &st) < 0) {
        file_fail(error, error_size, "cannot be read", errno);
    } else if (S_ISDIR(st.st_mode)) {
        snprintf(error, error_size, "is a directory; a file is needed");
    } else if (S_ISREG(st.st_mode) && (uint64_t)st.st_size > max) {
        file_too_big(error, error_size, max);
    } else {
        /* One byte more than the size, so that the end of a file that has not grown is seen at
         * once. */
        size_t cap = S_ISREG(st.st_mode) ? (size_t)st.st_size + 1 : PIPE_FIRST;
        ok = file_slurp(fd, cap, max, data, size, error, error_size);
    }
    close(fd);
    return ok;
}

bool host_file_write_all(const char *path, const void *data, size_t size, char *error,
                         size_t error_size)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0) {
        return file_fail(error, error_size, "cannot be written", errno);
    }
    size_t done = 0;
    int err = 0;
    while (done < size && !err) {
        size_t want = size - done < CHUNK_MAX ? size - done : CHUNK_MAX;
        ssize_t put = write(fd, (const uint8_t *)data + done, want);
        if (put >= 0) {
            done += (size_t)put;
        } else if (errno != EINTR) {
            err = errno;
        }
    }
    struct stat st;
    bool regular = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
    if (close(fd) < 0 && !err && errno != EINTR) {
        err = errno;
    }
    if (err) {
        if (regular) {
            unlink(path);
        }
        return file_fail(error, error_size, "cannot be written", err);
    }
    return true;
}
