/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The memory balloon: VirtIO 1.2 §5.5. The guest hands pages over, which go back to the host; it
 * reports free pages, which do too; and it tells statistics.
 */
#ifndef RVKIT_DEVICES_VIRTIO_BALLOON_H
#define RVKIT_DEVICES_VIRTIO_BALLOON_H

#include "virtio.h"

#define VIRTIO_BALLOON_PAGE 4096

/* Where pages go that the guest does not need. */
typedef struct {
    /*
     * Gives [addr, addr + size) of guest RAM back to the host, as far as that goes; the guest may
     * use it again at any time, and finds anything there. Whole pages of 4096 bytes, all of them
     * RAM. Hart threads. NULL: pages stay where they are.
     */
    void (*release)(void *opaque, rvvm_machine_t *machine, uint64_t addr, uint64_t size);
    void *opaque;
} virtio_balloon_host_t;

/* Statistics (§5.5.6.3), in the order of their tags. */
enum {
    VIRTIO_BALLOON_S_SWAP_IN,  /* bytes */
    VIRTIO_BALLOON_S_SWAP_OUT, /* bytes */
    VIRTIO_BALLOON_S_MAJFLT,   /* page faults that needed disk I/O */
    VIRTIO_BALLOON_S_MINFLT,   /* others */
    VIRTIO_BALLOON_S_MEMFREE,  /* bytes */
    VIRTIO_BALLOON_S_MEMTOT,   /* bytes */
    VIRTIO_BALLOON_S_AVAIL,    /* bytes, without pushing the system to swap */
    VIRTIO_BALLOON_S_CACHES,   /* bytes of disk caches */
    VIRTIO_BALLOON_S_HTLB_PGALLOC,
    VIRTIO_BALLOON_S_HTLB_PGFAIL,
    VIRTIO_BALLOON_S_NR,
};

typedef struct {
    uint64_t value[VIRTIO_BALLOON_S_NR];
    uint32_t known;   /* a bit for each tag that the guest has told */
    uint32_t updates; /* how often it has told anything since power-on */
} virtio_balloon_stats_t;

/* desc->data: good for the calls below until the device is removed. */
typedef struct virtio_balloon virtio_balloon_t;

/* Describes a balloon; false: no memory. */
bool virtio_balloon_describe(virtio_desc_t *desc, const virtio_balloon_host_t *host);

/*
 * Asks the guest to give up so many bytes of its RAM (rounded down to pages, at most all of it); 0:
 * it may have everything back. The guest does that in its own time. Any thread. Survives a reset of
 * the guest.
 */
void virtio_balloon_set_target(virtio_balloon_t *balloon, uint64_t bytes);

/* Any thread. What was asked for, and what the guest says it has given up, in bytes. */
uint64_t virtio_balloon_target(virtio_balloon_t *balloon);
uint64_t virtio_balloon_actual(virtio_balloon_t *balloon);

/* Any thread. What the guest told last; it is asked to tell anew, and does so a moment later. */
void virtio_balloon_stats(virtio_balloon_t *balloon, virtio_balloon_stats_t *stats);

#endif
