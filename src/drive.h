/* SPDX-License-Identifier: MPL-2.0 */
/* A host disk behind a virtio-blk device, on any machine of the device API. */
#ifndef RVKIT_DRIVE_H
#define RVKIT_DRIVE_H

#include "devices/virtio.h"
#include "host/disk.h"

typedef struct drive drive_t;

typedef struct {
    disk_t *disk;    /* taken over */
    unsigned queues; /* 1 to 16 */

    /* How many requests the host works on at the same time; 0: each is done before the hart goes on, so that a
     * run does not depend on the host's speed. */
    unsigned threads;

    /* The drive has been taken out, and is freed next; or there was no memory for it (drive NULL). From the thread
     * that does so. May be NULL. */
    void (*gone)(void *opaque, drive_t *drive);
    void *opaque;
} drive_desc_t;

/*
 * Describes the device; attach it with virtio_mmio_init_auto(). Host errors are told in the log, each kind once;
 * the guest sees I/O errors. The drive stays until `gone`. NULL: no memory,
 * told in the log, and `gone` was called.
 */
drive_t *drive_describe(virtio_desc_t *desc, const drive_desc_t *what);

const disk_t *drive_disk(const drive_t *drive);

/* Requests and bytes so far. */
typedef struct {
    uint64_t reads, writes, flushes, discards, errors;
    uint64_t bytes_read, bytes_written;
} drive_stats_t;

/* Any thread, until `gone`. */
void drive_get_stats(const drive_t *drive, drive_stats_t *stats);

#endif
