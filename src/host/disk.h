/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Disks in host files: raw images and block devices, and overlays that keep a base image untouched
 * (docs/cow-format.md).
 *
 * Calls block until the host has done them. Threads: any number at the same time, on ranges that may
 * overlap; open and close alone. Nothing is mapped: a file that is cut short meanwhile gives errors.
 * SIGXFSZ is ignored from the first disk_open on.
 */
#ifndef RVKIT_HOST_DISK_H
#define RVKIT_HOST_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DISK_SECTOR 512U
#define DISK_SPANS_MAX 1024

typedef struct disk disk_t;

/* A piece of host memory. */
typedef struct {
    void *ptr;
    size_t len;
} disk_span_t;

typedef struct {
    const char *path;
    const char *cow; /* the overlay; NULL: none. Created when it is missing */
    bool read_only;
} disk_desc_t;

/* What -drive takes: FILE[,ro][,cow=FILE]; a comma in a name is written twice. */
typedef struct {
    char *path, *cow; /* cow may be NULL */
    bool read_only;
} disk_spec_t;

/*
 * False: error (error_size bytes) says what is wrong, and there is nothing to free. disk_spec_free()
 * otherwise.
 */
bool disk_spec_parse(const char *text, disk_spec_t *spec, char *error, size_t error_size);
void disk_spec_free(disk_spec_t *spec);

/*
 * The files are locked: for one writer, or for any number of readers. NULL: error is one line that
 * names the file. disk_open_spec() parses as disk_spec_parse().
 */
disk_t *disk_open(const disk_desc_t *desc, char *error, size_t error_size);
disk_t *disk_open_spec(const char *text, char *error, size_t error_size);

/* Makes everything durable and frees; 0, or the host's error number. */
int disk_close(disk_t *disk);

/* Bytes, a multiple of DISK_SECTOR: a last sector that the file has only in part ends in zeros. */
uint64_t disk_size(const disk_t *disk);
bool disk_read_only(const disk_t *disk);
uint32_t disk_block_size(const disk_t *disk); /* bytes that are best written as one; a power of two */

/* The file's name without its folder. */
const char *disk_name(const disk_t *disk);

/* As it was given; and the overlay's, or NULL. */
const char *disk_path(const disk_t *disk);
const char *disk_overlay(const disk_t *disk);

/*
 * All return 0, or the host's error number (errno). Offsets and lengths are multiples of DISK_SECTOR and
 * inside the disk (else EINVAL); a read-only disk answers changes with EROFS. At most DISK_SPANS_MAX
 * spans, whose sum is the length.
 */
int disk_read(disk_t *disk, uint64_t offset, const disk_span_t *spans, unsigned count);
int disk_write(disk_t *disk, uint64_t offset, const disk_span_t *spans, unsigned count);

/* Reads what is in the host's memory already, without waiting for anything. False: use disk_read(). */
bool disk_read_now(disk_t *disk, uint64_t offset, void *data, size_t len);

/* All writes that have returned are on the medium. */
int disk_flush(disk_t *disk);

/* The range reads as zeros afterwards, or as before. Where the host cannot do it nothing happens. */
int disk_discard(disk_t *disk, uint64_t offset, uint64_t len);

/* The range reads as zeros afterwards; unmap: the host may take the storage back. */
int disk_zero(disk_t *disk, uint64_t offset, uint64_t len, bool unmap);

#endif
