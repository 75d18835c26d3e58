/* SPDX-License-Identifier: MPL-2.0 */
/* A disk whose sectors are the bytes of a file or block device. */
#define _FILE_OFFSET_BITS 64

#include "disk_file.h"

#include <errno.h>
#include <stdlib.h>

typedef struct {
    disk_t disk;
    disk_file_t file;
} raw_t;

static bool raw_read_now(disk_t *disk, uint64_t offset, void *data, size_t len)
{
    return disk_file_read_now(&((raw_t *)disk)->file, offset, data, len);
}

static int raw_read(disk_t *disk, uint64_t offset, const disk_span_t *spans, unsigned count)
{
    return disk_file_read(&((raw_t *)disk)->file, offset, spans, count);
}

/* A file that was cut short must not grow again with a gap of zeros in it. */
static int raw_write(disk_t *disk, uint64_t offset, const disk_span_t *spans, unsigned count)
{
    const disk_file_t *file = &((raw_t *)disk)->file;
    int err = disk_file_check(file);
    return err ? err : disk_file_write(file, offset, spans, count);
}

static int raw_flush(disk_t *disk)
{
    return disk_file_sync(&((raw_t *)disk)->file);
}

static int raw_discard(disk_t *disk, uint64_t offset, uint64_t len)
{
    const disk_file_t *file = &((raw_t *)disk)->file;
    int err = disk_file_check(file);
    err = err ? err : disk_file_punch(file, offset, len);
    return err == ENOTSUP ? 0 : err;
}

static int raw_zero(disk_t *disk, uint64_t offset, uint64_t len, bool unmap)
{
    const disk_file_t *file = &((raw_t *)disk)->file;
    int err = disk_file_check(file);
    return err ? err : disk_file_zero(file, offset, len, unmap);
}

static int raw_close(disk_t *disk)
{
    disk_file_close(&((raw_t *)disk)->file);
    free(disk);
    return 0;
}

static const disk_ops_t raw_ops = {
    .read_now = raw_read_now,
    .read = raw_read,
    .write = raw_write,
    .flush = raw_flush,
    .discard = raw_discard,
    .zero = raw_zero,
    .close = raw_close,
};

disk_t *disk_raw_open(const char *path, bool read_only, char *error, size_t error_size)
{
    raw_t *raw = calloc(1, sizeof(*raw));
    if (!raw) {
        snprintf(error, error_size, "%s: out of memory", path);
        return NULL;
    }
    if (!disk_file_open(&raw->file, path, read_only ? DISK_FILE_READ : DISK_FILE_WRITE, error,
                        error_size)) {
        free(raw);
        return NULL;
    }
    raw->disk.ops = &raw_ops;
    raw->disk.size = (raw->file.size + DISK_SECTOR - 1) & ~(uint64_t)(DISK_SECTOR - 1);
    raw->disk.read_only = read_only;
    raw->disk.block = 4096;
    return &raw->disk;
}
