/* SPDX-License-Identifier: MPL-2.0 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* more than C11, also with -std=c11 */
#endif
/*
 * An overlay over a base image: docs/cow-format.md. Written blocks lie in the overlay at the same place
 * as on the disk; a map tells which. The rules that make it safe:
 *   - a block's data is in the file before the map in memory names it;
 *   - the map in the file changes in flush alone, after the data that it names was synced;
 *   - changes of one block never overlap (cow_lock_range).
 */
#define _FILE_OFFSET_BITS 64

#include "disk_file.h"

#include "../util.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#define COW_MAGIC "RVKITCOW"
#define COW_VERSION 1
#define COW_BLOCK 4096U
#define COW_HEADER 4096U
#define COW_PAGE 4096U                  /* of the map: 4 blocks a byte */
#define COW_PAGE_BLOCKS (COW_PAGE * 4U)
#define COW_DATA_ALIGN (UINT64_C(1) << 20)
#define COW_FOREIGN 1U                  /* a flag in the header */
#define COW_FINGERPRINT 65536U          /* bytes of the base that tell it from others */
#define COW_SIZE_MAX (UINT64_C(1) << 44)

/* The states of a block. */
enum { COW_BASE, COW_DATA, COW_ZERO, COW_BAD };

/* Blocks that someone is changing: a list of what is on the stacks of the threads. */
typedef struct cow_range {
    uint64_t first, last;
    struct cow_range *next;
} cow_range_t;

typedef struct {
    disk_t disk;
    disk_file_t base, file;
    uint64_t data; /* where block 0 lies in the file */

    pthread_mutex_t lock; /* for what follows */
    pthread_cond_t freed; /* a range is gone */
    cow_range_t *busy;
    uint8_t *map, *dirty; /* states; a flag for each page of the map */
    size_t pages;

    pthread_mutex_t flush_lock; /* one flush at a time; taken before lock */
} cow_t;

/* --- The map --- */

static unsigned cow_state(const cow_t *cow, uint64_t block)
{
    return cow->map[block >> 2] >> (block & 3) * 2 & 3;
}

static void cow_set_state(cow_t *cow, uint64_t first, uint64_t last, unsigned state)
{
    for (uint64_t block = first; block <= last; block++) {
        unsigned shift = (unsigned)(block & 3) * 2;
        uint8_t *entry = &cow->map[block >> 2];
        if ((*entry >> shift & 3) != state) {
            *entry = (uint8_t)((*entry & ~(3U << shift)) | state << shift);
            cow->dirty[block / COW_PAGE_BLOCKS] = 1;
        }
    }
}

/* The state of a block, and in *end the first block after it that has another (at most limit). */
static unsigned cow_run(cow_t *cow, uint64_t block, uint64_t limit, uint64_t *end)
{
    pthread_mutex_lock(&cow->lock);
    unsigned state = cow_state(cow, block);
    while (++block < limit && cow_state(cow, block) == state) {
    }
    pthread_mutex_unlock(&cow->lock);
    *end = block;
    return state;
}

static void cow_lock_range(cow_t *cow, cow_range_t *range)
{
    pthread_mutex_lock(&cow->lock);
    for (cow_range_t *other = cow->busy; other;) {
        if (range->first <= other->last && other->first <= range->last) {
            pthread_cond_wait(&cow->freed, &cow->lock);
            other = cow->busy;
        } else {
            other = other->next;
        }
    }
    range->next = cow->busy;
    cow->busy = range;
    pthread_mutex_unlock(&cow->lock);
}

static void cow_unlock_range(cow_t *cow, cow_range_t *range)
{
    pthread_mutex_lock(&cow->lock);
    cow_range_t **link = &cow->busy;
    while (*link != range) {
        link = &(*link)->next;
    }
    *link = range->next;
    pthread_cond_broadcast(&cow->freed);
    pthread_mutex_unlock(&cow->lock);
}

/* --- Data --- */

static void spans_zero(const disk_span_t *spans, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        memset(spans[i].ptr, 0, spans[i].len);
    }
}

static int cow_read(disk_t *disk, uint64_t offset, const disk_span_t *spans, unsigned count)
{
    cow_t *cow = (cow_t *)disk;
    uint64_t len = disk_spans_len(spans, count), done = 0;
    uint64_t limit = (offset + len + COW_BLOCK - 1) / COW_BLOCK;
    int err = 0;
    while (done < len && !err) {
        disk_span_t part[DISK_SPANS_MAX];
        uint64_t at = offset + done, end;
        unsigned state = cow_run(cow, at / COW_BLOCK, limit, &end);
        uint64_t size = util_min_u64(end * COW_BLOCK - at, len - done);
        unsigned parts = disk_spans_cut(spans, count, done, size, part);
        switch (state) {
        case COW_BASE: err = disk_file_read(&cow->base, at, part, parts); break;
        case COW_DATA: err = disk_file_read(&cow->file, cow->data + at, part, parts); break;
        case COW_ZERO: spans_zero(part, parts); break;
        default: err = EIO; break;
        }
        done += size;
    }
    return err;
}

/*
 * Before a part of a block is written: puts the block's present bytes into its place in the
 * overlay, unless they are there. The block's range is locked.
 */
static int cow_copy_up(cow_t *cow, uint64_t block)
{
    uint8_t bytes[COW_BLOCK] = {0};
    uint64_t at = block * COW_BLOCK, end;
    unsigned state = cow_run(cow, block, block + 1, &end);
    int err = 0;
    if (state == COW_DATA || state == COW_BAD) {
        return state == COW_BAD ? EIO : 0;
    }
    if (state == COW_BASE) {
        uint64_t size = util_min_u64(COW_BLOCK, cow->disk.size - at);
        err = disk_file_read_bytes(&cow->base, at, bytes, (size_t)size);
    }
    return err ? err : disk_file_write_bytes(&cow->file, cow->data + at, bytes, sizeof(bytes));
}

/* The range of blocks is locked. */
static int cow_write_locked(cow_t *cow, uint64_t offset, const disk_span_t *spans, unsigned count)
{
    uint64_t end = offset + disk_spans_len(spans, count);
    uint64_t first = offset / COW_BLOCK, last = (end - 1) / COW_BLOCK;
    int err = disk_file_check(&cow->file);
    if (!err && offset % COW_BLOCK) {
        err = cow_copy_up(cow, first);
    }
    if (!err && end % COW_BLOCK && (last != first || offset % COW_BLOCK == 0)) {
        err = cow_copy_up(cow, last);
    }
    err = err ? err : disk_file_write(&cow->file, cow->data + offset, spans, count);
    if (!err) {
        pthread_mutex_lock(&cow->lock);
        cow_set_state(cow, first, last, COW_DATA);
        if (cow->data + end > cow->file.size) {
            __atomic_store_n(&cow->file.size, cow->data + end, __ATOMIC_RELEASE);
        }
        pthread_mutex_unlock(&cow->lock);
    }
    return err;
}

static int cow_write(disk_t *disk, uint64_t offset, const disk_span_t *spans, unsigned count)
{
    cow_t *cow = (cow_t *)disk;
    uint64_t end = offset + disk_spans_len(spans, count);
    cow_range_t range = {offset / COW_BLOCK, (end - 1) / COW_BLOCK, NULL};
    cow_lock_range(cow, &range);
    int err = cow_write_locked(cow, offset, spans, count);
    cow_unlock_range(cow, &range);
    return err;
}

/* Less than a block of zeros, inside one block. */
static int cow_zero_part(cow_t *cow, uint64_t offset, uint64_t len)
{
    uint8_t zeros[COW_BLOCK] = {0};
    const disk_span_t span = {zeros, (size_t)len};
    uint64_t block = offset / COW_BLOCK, end;
    return len == 0 || cow_run(cow, block, block + 1, &end) == COW_ZERO
               ? 0
               : cow_write_locked(cow, offset, &span, 1);
}

/*
 * Whole blocks become COW_ZERO, and what they had in the overlay is given back. The place of a COW_ZERO
 * block may hold anything: it is written whole before it counts again.
 */
static int cow_zero_blocks(cow_t *cow, uint64_t first, uint64_t end)
{
    int err = 0;
    while (first < end && !err) {
        uint64_t next;
        unsigned state = cow_run(cow, first, end, &next);
        pthread_mutex_lock(&cow->lock);
        cow_set_state(cow, first, next - 1, COW_ZERO);
        pthread_mutex_unlock(&cow->lock);
        if (state == COW_DATA) {
            err = disk_file_punch(&cow->file, cow->data + first * COW_BLOCK,
                                  (next - first) * COW_BLOCK);
            err = err == ENOTSUP ? 0 : err;
        }
        first = next;
    }
    return err;
}

static int cow_clear(cow_t *cow, uint64_t offset, uint64_t len, bool edges)
{
    uint64_t end = offset + len, blocks_end = end / COW_BLOCK;
    uint64_t blocks = (offset + COW_BLOCK - 1) / COW_BLOCK;
    if (end == cow->disk.size) { /* the disk's last block may be a short one */
        blocks_end = (end + COW_BLOCK - 1) / COW_BLOCK;
    }
    cow_range_t range = {offset / COW_BLOCK, (end - 1) / COW_BLOCK, NULL};
    cow_lock_range(cow, &range);
    int err = disk_file_check(&cow->file);
    if (!err && edges && blocks > blocks_end) {
        err = cow_zero_part(cow, offset, len); /* all inside one block */
    } else if (!err && edges) {
        err = cow_zero_part(cow, offset, blocks * COW_BLOCK - offset);
        if (!err && end > blocks_end * COW_BLOCK) {
            err = cow_zero_part(cow, blocks_end * COW_BLOCK, end - blocks_end * COW_BLOCK);
        }
    }
    if (!err && blocks < blocks_end) {
        err = cow_zero_blocks(cow, blocks, blocks_end);
    }
    cow_unlock_range(cow, &range);
    return err;
}

static int cow_discard(disk_t *disk, uint64_t offset, uint64_t len)
{
    return cow_clear((cow_t *)disk, offset, len, false);
}

static int cow_zero(disk_t *disk, uint64_t offset, uint64_t len, bool unmap)
{
    (void)unmap;
    return cow_clear((cow_t *)disk, offset, len, true);
}

/* --- Flush --- */

/* A copy of the pages of the map that have changed. */
typedef struct {
    size_t count;
    size_t *page;
    uint8_t *bytes;
} cow_changes_t;

/* Takes the changed pages out; nothing and false when there is no memory. */
static bool cow_take_changes(cow_t *cow, cow_changes_t *changes)
{
    bool ok = true;
    *changes = (cow_changes_t){0, NULL, NULL};
    pthread_mutex_lock(&cow->lock);
    size_t count = 0;
    for (size_t i = 0; i < cow->pages; i++) {
        count += cow->dirty[i];
    }
    if (count) {
        changes->page = malloc(count * sizeof(*changes->page));
        changes->bytes = malloc(count * COW_PAGE);
        ok = changes->page && changes->bytes;
    }
    for (size_t i = 0; ok && count && i < cow->pages; i++) {
        if (cow->dirty[i]) {
            memcpy(changes->bytes + changes->count * COW_PAGE, cow->map + i * COW_PAGE, COW_PAGE);
            changes->page[changes->count++] = i;
            cow->dirty[i] = 0;
        }
    }
    pthread_mutex_unlock(&cow->lock);
    return ok;
}

static int cow_write_changes(cow_t *cow, const cow_changes_t *changes)
{
    int err = 0;
    for (size_t i = 0; i < changes->count && !err; i++) {
        err = disk_file_write_bytes(&cow->file, COW_HEADER + changes->page[i] * (uint64_t)COW_PAGE,
                                    changes->bytes + i * COW_PAGE, COW_PAGE);
    }
    return err;
}

/* What the copied pages of the map name was written before they were copied, so the first sync has it. */
static int cow_flush(disk_t *disk)
{
    cow_t *cow = (cow_t *)disk;
    cow_changes_t changes;
    pthread_mutex_lock(&cow->flush_lock);
    int err = cow_take_changes(cow, &changes) ? disk_file_sync(&cow->file) : ENOMEM;
    if (!err && changes.count) {
        err = cow_write_changes(cow, &changes);
        err = err ? err : disk_file_sync(&cow->file);
    }
    if (err) {
        pthread_mutex_lock(&cow->lock);
        for (size_t i = 0; i < changes.count; i++) {
            cow->dirty[changes.page[i]] = 1;
        }
        pthread_mutex_unlock(&cow->lock);
    }
    pthread_mutex_unlock(&cow->flush_lock);
    free(changes.page);
    free(changes.bytes);
    return err;
}

/* --- Opening --- */

static void cow_destroy(cow_t *cow)
{
    disk_file_close(&cow->base);
    disk_file_close(&cow->file);
    pthread_cond_destroy(&cow->freed);
    pthread_mutex_destroy(&cow->flush_lock);
    pthread_mutex_destroy(&cow->lock);
    free(cow->map);
    free(cow->dirty);
    free(cow);
}

static int cow_close(disk_t *disk)
{
    cow_destroy((cow_t *)disk);
    return 0;
}

static const disk_ops_t cow_ops = {
    .read = cow_read,
    .write = cow_write,
    .flush = cow_flush,
    .discard = cow_discard,
    .zero = cow_zero,
    .close = cow_close,
};

/* CRC-32 as in Ethernet and zip; crc: of the bytes before. */
static uint32_t cow_crc(uint32_t crc, const uint8_t *data, size_t len)
{
    crc = ~crc;
    for (size_t i = 0; i < len; i++) {
        crc ^= data[i];
        for (unsigned bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320U : 0);
        }
    }
    return ~crc;
}

/* Of the base's first bytes. */
static int cow_fingerprint(const cow_t *cow, uint32_t *crc)
{
    uint8_t bytes[COW_BLOCK];
    uint64_t end = util_min_u64(cow->base.size, COW_FINGERPRINT);
    int err = 0;
    *crc = 0;
    for (uint64_t at = 0; at < end && !err; at += sizeof(bytes)) {
        size_t len = (size_t)util_min_u64(sizeof(bytes), end - at);
        err = disk_file_read_bytes(&cow->base, at, bytes, len);
        *crc = cow_crc(*crc, bytes, err ? 0 : len);
    }
    return err;
}

static void cow_make_header(const cow_t *cow, uint8_t *header)
{
    memset(header, 0, COW_HEADER);
    memcpy(header, COW_MAGIC, 8);
    util_put_le32(header + 8, COW_VERSION);
    util_put_le32(header + 12, COW_BLOCK);
    util_put_le64(header + 16, cow->base.size);
    util_put_le64(header + 24, (uint64_t)cow->base.mtime_s);
    util_put_le32(header + 32, cow->base.mtime_ns);
    util_put_le64(header + 40, COW_HEADER);
    util_put_le64(header + 48, cow->data);
    util_put_le32(header + COW_HEADER - 4, cow_crc(0, header, COW_HEADER - 4));
}

/* The header of an overlay that was made elsewhere: the base is known by what it begins with. */
static void cow_make_foreign_header(const cow_t *cow, uint8_t *header, uint32_t fingerprint)
{
    cow_make_header(cow, header);
    memset(header + 24, 0, 12);
    util_put_le32(header + 36, COW_FOREIGN);
    util_put_le32(header + 56, fingerprint);
    util_put_le32(header + COW_HEADER - 4, cow_crc(0, header, COW_HEADER - 4));
}

/* The folder's entry of a new file becomes durable too. */
static void cow_sync_folder(const char *path)
{
    char *folder = malloc(strlen(path) + 2);
    if (!folder) {
        return;
    }
    strcpy(folder, path);
    char *slash = strrchr(folder, '/');
    strcpy(slash ? slash + 1 : folder, slash ? "" : ".");
    int fd = open(folder, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        fsync(fd);
        close(fd);
    }
    free(folder);
}

/* A new overlay: first its full length, which is all holes, then the header that makes it one. */
static int cow_create(cow_t *cow, const char *path)
{
    uint8_t header[COW_HEADER];
    cow_make_header(cow, header);
    int err = 0;
    if (ftruncate(cow->file.fd, (off_t)cow->data) < 0) {
        err = errno;
    }
    err = err ? err : disk_file_sync(&cow->file);
    err = err ? err : disk_file_write_bytes(&cow->file, 0, header, sizeof(header));
    err = err ? err : disk_file_sync(&cow->file);
    if (!err) {
        cow->file.size = cow->data;
        cow_sync_folder(path);
    }
    return err;
}

/* NULL: the header fits this base; else what is wrong. */
static const char *cow_check_header(const cow_t *cow, const uint8_t *header)
{
    uint8_t want[COW_HEADER];
    cow_make_header(cow, want);
    if (memcmp(header, COW_MAGIC, 8) != 0) {
        return "is not an overlay of rvkit";
    }
    if (util_get_le32(header + COW_HEADER - 4) != cow_crc(0, header, COW_HEADER - 4)) {
        return "is damaged: the checksum of its header is wrong";
    }
    if (util_get_le32(header + 8) != COW_VERSION) {
        return "was made by another version of rvkit";
    }
    if (memcmp(header + 16, want + 16, 8) != 0) {
        return "does not fit: the base image has another size than when the overlay was made";
    }
    if (util_get_le32(header + 36) == COW_FOREIGN) {
        uint32_t fingerprint;
        if (cow_fingerprint(cow, &fingerprint)) {
            return "cannot be compared with the base image, which cannot be read";
        }
        if (util_get_le32(header + 56) != fingerprint) {
            return "does not fit: the base image begins otherwise than when the overlay was made";
        }
        cow_make_foreign_header(cow, want, fingerprint);
    } else if (memcmp(header + 24, want + 24, 12) != 0) {
        return "does not fit: the base image has changed since the overlay was made";
    }
    if (memcmp(header, want, COW_HEADER) != 0) {
        return "was made by another version of rvkit";
    }
    return cow->file.size < cow->data ? "is damaged: it has been cut short" : NULL;
}

/* Whether the file is one that cow_create() did not complete: it holds nothing. */
static bool cow_is_new(const cow_t *cow, const uint8_t *header)
{
    if (cow->file.size != 0 && cow->file.size != cow->data) {
        return false;
    }
    for (size_t i = 0; i < COW_HEADER; i++) {
        if (header[i]) {
            return false;
        }
    }
    return true;
}

static bool cow_load(cow_t *cow, const char *path, char *error, size_t error_size)
{
    uint8_t header[COW_HEADER];
    const char *what = NULL;
    int err = disk_file_read_bytes(&cow->file, 0, header, sizeof(header));
    if (!err && cow_is_new(cow, header)) {
        err = cow_create(cow, path);
    } else if (!err) {
        what = cow_check_header(cow, header);
    }
    if (!err && !what) {
        err = disk_file_read_bytes(&cow->file, COW_HEADER, cow->map, cow->pages * COW_PAGE);
    }
    if (what) {
        snprintf(error, error_size, "%s: %s", path, what);
    } else if (err) {
        snprintf(error, error_size, "%s: cannot be used as an overlay: %s", path, strerror(err));
    }
    cow->file.zeros_from = UINT64_MAX; /* data that the map names is there, or lost */
    return !err && !what;
}

static bool cow_open_files(cow_t *cow, const char *base, const char *overlay, char *error,
                           size_t error_size)
{
    if (!disk_file_open(&cow->base, base, DISK_FILE_READ, error, error_size)) {
        return false;
    }
    uint64_t sectors = (cow->base.size + DISK_SECTOR - 1) / DISK_SECTOR;
    uint64_t blocks = (sectors * DISK_SECTOR + COW_BLOCK - 1) / COW_BLOCK;
    cow->disk.size = sectors * DISK_SECTOR;
    cow->pages = (size_t)((blocks + COW_PAGE_BLOCKS - 1) / COW_PAGE_BLOCKS);
    cow->data = util_align_up(COW_HEADER + (uint64_t)cow->pages * COW_PAGE, COW_DATA_ALIGN);
    if (cow->base.size > COW_SIZE_MAX) {
        snprintf(error, error_size, "%s: is too large for an overlay: at most 16 TiB", base);
        return false;
    }
    cow->map = calloc(cow->pages ? cow->pages : 1, COW_PAGE);
    cow->dirty = calloc(cow->pages ? cow->pages : 1, 1);
    if (!cow->map || !cow->dirty) {
        snprintf(error, error_size, "%s: out of memory", overlay);
        return false;
    }
    if (!disk_file_open(&cow->file, overlay, DISK_FILE_CREATE, error, error_size)) {
        return false;
    }
    if (!cow->file.regular) {
        snprintf(error, error_size, "%s: an overlay must be a file", overlay);
        return false;
    }
    return cow_load(cow, overlay, error, error_size);
}

disk_t *disk_cow_open(const char *base, const char *overlay, char *error, size_t error_size)
{
    cow_t *cow = calloc(1, sizeof(*cow));
    if (!cow) {
        snprintf(error, error_size, "%s: out of memory", overlay);
        return NULL;
    }
    cow->base.fd = cow->file.fd = -1;
    pthread_mutex_init(&cow->lock, NULL);
    pthread_mutex_init(&cow->flush_lock, NULL);
    pthread_cond_init(&cow->freed, NULL);
    if (!cow_open_files(cow, base, overlay, error, error_size)) {
        cow_destroy(cow);
        return NULL;
    }
    cow->disk.ops = &cow_ops;
    cow->disk.block = COW_BLOCK;
    return &cow->disk;
}
