/* SPDX-License-Identifier: MPL-2.0 */
/* What is the same for all disks: names, and checks of ranges and rights. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* more than C11, also with -std=c11 */
#endif
#include "disk_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The next part of a specification, up to a single comma; `,,` becomes one. NULL: no memory. */
static char *spec_part(const char **text)
{
    char *part = malloc(strlen(*text) + 1), *out = part;
    const char *in = *text;
    while (part && *in && !(in[0] == ',' && in[1] != ',')) {
        in += in[0] == ',';
        *out++ = *in++;
    }
    if (part) {
        *out = 0;
    }
    *text = *in ? in + 1 : NULL;
    return part;
}

static bool spec_fail(disk_spec_t *spec, char *error, size_t error_size, const char *what,
                      const char *part)
{
    snprintf(error, error_size, "%s%.60s", what, part);
    disk_spec_free(spec);
    return false;
}

bool disk_spec_parse(const char *text, disk_spec_t *spec, char *error, size_t error_size)
{
    memset(spec, 0, sizeof(*spec));
    spec->path = spec_part(&text);
    if (!spec->path) {
        return spec_fail(spec, error, error_size, "out of memory", "");
    }
    if (!*spec->path) {
        return spec_fail(spec, error, error_size, "the name of the file is missing", "");
    }
    while (text) {
        char *part = spec_part(&text);
        if (!part) {
            return spec_fail(spec, error, error_size, "out of memory", "");
        }
        if (!strcmp(part, "ro")) {
            spec->read_only = true;
            free(part);
        } else if (!strncmp(part, "cow=", 4) && part[4] && !spec->cow) {
            memmove(part, part + 4, strlen(part + 4) + 1);
            spec->cow = part;
        } else {
            bool cow = !strncmp(part, "cow=", 4);
            spec_fail(spec, error, error_size,
                      cow ? "one file is needed after cow=, not "
                          : "after the file there can be ,ro or ,cow=FILE (a comma in a name is "
                            "written twice), not ",
                      part);
            free(part);
            return false;
        }
    }
    if (spec->read_only && spec->cow) {
        return spec_fail(spec, error, error_size, "cow= is for writing; leave out ro, or cow=", "");
    }
    return true;
}

void disk_spec_free(disk_spec_t *spec)
{
    free(spec->path);
    free(spec->cow);
    memset(spec, 0, sizeof(*spec));
}

disk_t *disk_open(const disk_desc_t *desc, char *error, size_t error_size)
{
    char *path = strdup(desc->path), *cow = desc->cow ? strdup(desc->cow) : NULL;
    disk_t *disk = NULL;
    if (!path || (desc->cow && !cow)) {
        snprintf(error, error_size, "%s: out of memory", desc->path);
    } else {
        disk = desc->cow ? disk_cow_open(desc->path, desc->cow, error, error_size)
                         : disk_raw_open(desc->path, desc->read_only, error, error_size);
    }
    if (!disk) {
        free(path);
        free(cow);
        return NULL;
    }
    disk->path = path;
    disk->cow = cow;
    return disk;
}

disk_t *disk_open_spec(const char *text, char *error, size_t error_size)
{
    disk_spec_t spec;
    if (!disk_spec_parse(text, &spec, error, error_size)) {
        return NULL;
    }
    disk_t *disk = disk_open(&(disk_desc_t){spec.path, spec.cow, spec.read_only}, error, error_size);
    disk_spec_free(&spec);
    return disk;
}

int disk_close(disk_t *disk)
{
    if (!disk) {
        return 0;
    }
    int err = disk_flush(disk);
    free(disk->path);
    free(disk->cow);
    int close_err = disk->ops->close(disk);
    return err ? err : close_err;
}

uint64_t disk_size(const disk_t *disk)
{
    return disk->size;
}

bool disk_read_only(const disk_t *disk)
{
    return disk->read_only;
}

uint32_t disk_block_size(const disk_t *disk)
{
    return disk->block;
}

const char *disk_name(const disk_t *disk)
{
    const char *slash = strrchr(disk->path, '/');
    return slash && slash[1] ? slash + 1 : disk->path;
}

const char *disk_path(const disk_t *disk)
{
    return disk->path;
}

const char *disk_overlay(const disk_t *disk)
{
    return disk->cow;
}

uint64_t disk_spans_len(const disk_span_t *spans, unsigned count)
{
    uint64_t len = 0;
    for (unsigned i = 0; i < count; i++) {
        len += spans[i].len;
    }
    return len;
}

unsigned disk_spans_cut(const disk_span_t *spans, unsigned count, uint64_t skip, uint64_t len,
                        disk_span_t *out)
{
    unsigned made = 0;
    for (unsigned i = 0; i < count && len; i++) {
        if (skip >= spans[i].len) {
            skip -= spans[i].len;
            continue;
        }
        size_t part = spans[i].len - (size_t)skip;
        part = part < len ? part : (size_t)len;
        out[made++] = (disk_span_t){(uint8_t *)spans[i].ptr + skip, part};
        skip = 0;
        len -= part;
    }
    return made;
}

/* 0 when a call may go on. */
static int disk_check(const disk_t *disk, uint64_t offset, uint64_t len, bool change)
{
    if (offset % DISK_SECTOR || len % DISK_SECTOR || offset > disk->size ||
        len > disk->size - offset) {
        return EINVAL;
    }
    return change && disk->read_only ? EROFS : 0;
}

int disk_read(disk_t *disk, uint64_t offset, const disk_span_t *spans, unsigned count)
{
    uint64_t len = disk_spans_len(spans, count);
    int err = count > DISK_SPANS_MAX ? EINVAL : disk_check(disk, offset, len, false);
    return err || !len ? err : disk->ops->read(disk, offset, spans, count);
}

bool disk_read_now(disk_t *disk, uint64_t offset, void *data, size_t len)
{
    return disk->ops->read_now && !disk_check(disk, offset, len, false) &&
           disk->ops->read_now(disk, offset, data, len);
}

int disk_write(disk_t *disk, uint64_t offset, const disk_span_t *spans, unsigned count)
{
    uint64_t len = disk_spans_len(spans, count);
    int err = count > DISK_SPANS_MAX ? EINVAL : disk_check(disk, offset, len, true);
    return err || !len ? err : disk->ops->write(disk, offset, spans, count);
}

int disk_flush(disk_t *disk)
{
    return disk->read_only ? 0 : disk->ops->flush(disk);
}

int disk_discard(disk_t *disk, uint64_t offset, uint64_t len)
{
    int err = disk_check(disk, offset, len, true);
    return err || !len ? err : disk->ops->discard(disk, offset, len);
}

int disk_zero(disk_t *disk, uint64_t offset, uint64_t len, bool unmap)
{
    int err = disk_check(disk, offset, len, true);
    return err || !len ? err : disk->ops->zero(disk, offset, len, unmap);
}
