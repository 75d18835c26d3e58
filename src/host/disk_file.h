/* SPDX-License-Identifier: MPL-2.0 */
/* What the kinds of disks share: a table of calls, and whole transfers at places in a file. */
#ifndef RVKIT_HOST_DISK_FILE_H
#define RVKIT_HOST_DISK_FILE_H

#include "disk.h"

#include <stdio.h>

typedef struct {
    /* NULL: nothing is ever there at once. */
    bool (*read_now)(disk_t *disk, uint64_t offset, void *data, size_t len);
    int (*read)(disk_t *disk, uint64_t offset, const disk_span_t *spans, unsigned count);
    int (*write)(disk_t *disk, uint64_t offset, const disk_span_t *spans, unsigned count);
    int (*flush)(disk_t *disk);
    int (*discard)(disk_t *disk, uint64_t offset, uint64_t len);
    int (*zero)(disk_t *disk, uint64_t offset, uint64_t len, bool unmap);
    int (*close)(disk_t *disk); /* frees; flush was called */
} disk_ops_t;

/* At the start of each kind's own structure. */
struct disk {
    const disk_ops_t *ops;
    uint64_t size;
    bool read_only;
    uint32_t block;
    char *path, *cow; /* cow: NULL, or the overlay */
};

/* An open, locked file. */
typedef struct {
    int fd;
    uint64_t size;       /* bytes that the file must have, atomic; at first those that it had */
    uint64_t zeros_from; /* where reading past the end gives zeros: at first the same */
    bool regular;
    int64_t mtime_s;
    uint32_t mtime_ns;
    int sync_error; /* atomic: of the first sync that failed */
    bool no_now;    /* atomic: the host cannot read without waiting */
} disk_file_t;

/* How a file is opened. */
enum { DISK_FILE_READ, DISK_FILE_WRITE, DISK_FILE_CREATE };

/* False: error is "PATH: what is wrong". */
bool disk_file_open(disk_file_t *file, const char *path, int mode, char *error, size_t error_size);
void disk_file_close(disk_file_t *file);

/*
 * Whole transfers at `offset`: 0, or an error number (ENODATA: the file ends too early). Spans may be
 * of any number and are not changed. Reads from zeros_from on give zeros behind the file's end.
 */
int disk_file_read(const disk_file_t *file, uint64_t offset, const disk_span_t *spans, unsigned count);
int disk_file_write(const disk_file_t *file, uint64_t offset, const disk_span_t *spans, unsigned count);
int disk_file_read_bytes(const disk_file_t *file, uint64_t offset, void *data, size_t len);
int disk_file_write_bytes(const disk_file_t *file, uint64_t offset, const void *data, size_t len);

/* As disk_read_now(). */
bool disk_file_read_now(disk_file_t *file, uint64_t offset, void *data, size_t len);

/*
 * Makes everything durable. When the host could not write back once, it may have dropped what it could
 * not write, and say nothing the next time: after a failure no sync of this file succeeds any more.
 */
int disk_file_sync(disk_file_t *file);


/* 0 when the file is as long as it must be. */
int disk_file_check(const disk_file_t *file);

/* Gives storage back: the range reads as zeros. ENOTSUP when the host cannot. */
int disk_file_punch(const disk_file_t *file, uint64_t offset, uint64_t len);

/* Zeros, by the quickest way that keeps the storage (or gives it back: unmap). */
int disk_file_zero(const disk_file_t *file, uint64_t offset, uint64_t len, bool unmap);

/* The part [skip, skip + len) of spans, into out (room for count); returns how many. */
unsigned disk_spans_cut(const disk_span_t *spans, unsigned count, uint64_t skip, uint64_t len,
                        disk_span_t *out);
uint64_t disk_spans_len(const disk_span_t *spans, unsigned count);

/* The kinds. `error` is filled on NULL. The name is set by disk_open(). */
disk_t *disk_raw_open(const char *path, bool read_only, char *error, size_t error_size);
disk_t *disk_cow_open(const char *base, const char *overlay, char *error, size_t error_size);

#endif
