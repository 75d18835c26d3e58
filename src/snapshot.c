/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Snapshots. The format, all integers little-endian:
 *   header   8 bytes "RVKITSNP", u32 version (1), u32 CRC-32 of all that follows the header, u64 its size
 *   section  u32 length of the name, u64 length of the payload, name, payload
 * A snapshot is built and read in memory; the block device is written at close and read at opening.
 */
#include <rvvm/rvvm_blk.h>
#include <rvvm/rvvm_snapshot.h>

#include "util.h"

#include <stdlib.h>

#define SNAPSHOT_MAGIC "RVKITSNP"
#define SNAPSHOT_VERSION 1
#define SNAPSHOT_HEADER_SIZE 24
#define SECTION_HEADER_SIZE 12

/* Sections of one name are told apart by order: this remembers which came last. */
typedef struct snapshot_cursor {
    struct snapshot_cursor *next;
    size_t after; /* where the search for the next one starts */
    char name[];
} snapshot_cursor_t;

struct rvvm_snapshot {
    rvvm_blk_dev_t *blk;
    bool writing, failed;
    bool in_section;
    uint8_t *bytes; /* everything behind the header */
    size_t size, capacity;
    size_t section;  /* writing: where the open section starts */
    size_t pos, end; /* reading: the rest of the open section */
    snapshot_cursor_t *cursors;
};

static uint32_t snapshot_crc(const uint8_t *bytes, size_t size)
{
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < size; i++) {
        crc ^= bytes[i];
        for (unsigned bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ (crc & 1 ? UINT32_C(0xEDB88320) : 0);
        }
    }
    return ~crc;
}

static bool snapshot_load(rvvm_snapshot_t *snap)
{
    uint8_t header[SNAPSHOT_HEADER_SIZE];
    uint64_t total = rvvm_blk_get_size(snap->blk);
    if (rvvm_blk_read(snap->blk, header, sizeof(header), 0) != sizeof(header) ||
        memcmp(header, SNAPSHOT_MAGIC, 8) || util_get_le32(header + 8) != SNAPSHOT_VERSION) {
        return false;
    }
    uint64_t size = util_get_le64(header + 16);
    if (size > total - SNAPSHOT_HEADER_SIZE || size >= SIZE_MAX) {
        return false;
    }
    snap->size = (size_t)size;
    snap->bytes = malloc(snap->size + 1);
    return snap->bytes &&
           rvvm_blk_read(snap->blk, snap->bytes, snap->size, sizeof(header)) == snap->size &&
           snapshot_crc(snap->bytes, snap->size) == util_get_le32(header + 12);
}

static void snapshot_free(rvvm_snapshot_t *snap)
{
    while (snap->cursors) {
        snapshot_cursor_t *cursor = snap->cursors;
        snap->cursors = cursor->next;
        free(cursor);
    }
    free(snap->bytes);
    free(snap);
}

rvvm_snapshot_t *rvvm_snapshot_open(rvvm_blk_dev_t *blk, bool write)
{
    rvvm_snapshot_t *snap = blk ? calloc(1, sizeof(*snap)) : NULL;
    if (!snap) {
        return NULL;
    }
    snap->blk = blk;
    snap->writing = write;
    if (!write && !snapshot_load(snap)) {
        snapshot_free(snap);
        return NULL;
    }
    return snap;
}

bool rvvm_snapshot_writing(rvvm_snapshot_t *snap)
{
    return snap && snap->writing;
}

static bool snapshot_append(rvvm_snapshot_t *snap, const void *data, size_t size)
{
    if (size > snap->capacity - snap->size) {
        size_t capacity = (snap->size + size) * 2 + 4096;
        uint8_t *bytes = capacity > size ? realloc(snap->bytes, capacity) : NULL;
        if (!bytes) {
            snap->failed = true;
            return false;
        }
        snap->bytes = bytes;
        snap->capacity = capacity;
    }
    if (size) {
        memcpy(snap->bytes + snap->size, data, size);
    }
    snap->size += size;
    return true;
}

/* Fills in the length of the section that is being written. */
static void snapshot_end_section(rvvm_snapshot_t *snap)
{
    if (snap->in_section) {
        uint8_t *header = snap->bytes + snap->section;
        size_t start = snap->section + SECTION_HEADER_SIZE + util_get_le32(header);
        util_put_le64(header + 4, snap->size - start);
        snap->in_section = false;
    }
}

static bool snapshot_begin_section(rvvm_snapshot_t *snap, const char *name)
{
    uint8_t header[SECTION_HEADER_SIZE] = {0};
    size_t start = snap->size;
    util_put_le32(header, (uint32_t)strlen(name));
    if (!snapshot_append(snap, header, sizeof(header)) ||
        !snapshot_append(snap, name, strlen(name))) {
        snap->size = start;
        return false;
    }
    snap->section = start;
    snap->in_section = true;
    return true;
}

static snapshot_cursor_t *snapshot_cursor(rvvm_snapshot_t *snap, const char *name)
{
    for (snapshot_cursor_t *c = snap->cursors; c; c = c->next) {
        if (!strcmp(c->name, name)) {
            return c;
        }
    }
    snapshot_cursor_t *cursor = calloc(1, sizeof(*cursor) + strlen(name) + 1);
    if (cursor) {
        memcpy(cursor->name, name, strlen(name));
        cursor->next = snap->cursors;
        snap->cursors = cursor;
    }
    return cursor;
}

static bool snapshot_find_section(rvvm_snapshot_t *snap, const char *name)
{
    snapshot_cursor_t *cursor = snapshot_cursor(snap, name);
    if (!cursor) {
        snap->failed = true;
        return false;
    }
    size_t at = cursor->after;
    while (util_range_ok(at, SECTION_HEADER_SIZE, snap->size)) {
        uint32_t name_size = util_get_le32(snap->bytes + at);
        uint64_t size = util_get_le64(snap->bytes + at + 4);
        at += SECTION_HEADER_SIZE;
        if (!util_range_ok(at, name_size, snap->size) ||
            !util_range_ok(at + name_size, size, snap->size)) {
            snap->failed = true;
            return false;
        }
        bool match = name_size == strlen(name) && !memcmp(snap->bytes + at, name, name_size);
        size_t start = at + name_size;
        at = start + (size_t)size;
        if (match) {
            cursor->after = at;
            snap->pos = start;
            snap->end = at;
            snap->in_section = true;
            return true;
        }
    }
    return false;
}

bool rvvm_snapshot_section(rvvm_snapshot_t *snap, const char *name)
{
    if (!snap || !name) {
        return false;
    }
    if (snap->writing) {
        snapshot_end_section(snap);
        return snapshot_begin_section(snap, name);
    }
    snap->in_section = false;
    return snapshot_find_section(snap, name);
}

bool rvvm_snapshot_data(rvvm_snapshot_t *snap, void *data, size_t size)
{
    if (!snap || !snap->in_section) {
        return false;
    }
    if (snap->writing) {
        return snapshot_append(snap, data, size);
    }
    if (!util_range_ok(snap->pos, size, snap->end)) {
        return false;
    }
    memcpy(data, snap->bytes + snap->pos, size);
    snap->pos += size;
    return true;
}

bool rvvm_snapshot_host(rvvm_snapshot_t *snap, void *data, size_t size)
{
    /* Hosts are little-endian (util.h), so the bytes are right as they are. */
    return (size == 1 || size == 2 || size == 4 || size == 8) && rvvm_snapshot_data(snap, data, size);
}

static bool snapshot_store(rvvm_snapshot_t *snap)
{
    uint8_t header[SNAPSHOT_HEADER_SIZE];
    memcpy(header, SNAPSHOT_MAGIC, 8);
    util_put_le32(header + 8, SNAPSHOT_VERSION);
    util_put_le32(header + 12, snapshot_crc(snap->bytes, snap->size));
    util_put_le64(header + 16, snap->size);
    return rvvm_blk_write(snap->blk, header, sizeof(header), 0) == sizeof(header) &&
           (!snap->size ||
            rvvm_blk_write(snap->blk, snap->bytes, snap->size, sizeof(header)) == snap->size) &&
           rvvm_blk_sync(snap->blk);
}

bool rvvm_snapshot_close(rvvm_snapshot_t *snap)
{
    if (!snap) {
        return false;
    }
    bool ok = !snap->failed;
    if (snap->writing) {
        snapshot_end_section(snap);
        ok = ok && snapshot_store(snap);
    }
    snapshot_free(snap);
    return ok;
}
