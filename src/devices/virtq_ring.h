/* SPDX-License-Identifier: MPL-2.0 */
/* The inside of a virtqueue: for virtq.c, virtq_split.c, virtq_packed.c, virtq_chain.c and virtio.c. */
#ifndef RVKIT_DEVICES_VIRTQ_RING_H
#define RVKIT_DEVICES_VIRTQ_RING_H

#include "rvvm_compat.h"
#include "virtq.h"

/* Descriptor flags (§2.7.5, §2.8.1). */
enum {
    VIRTQ_DESC_F_NEXT = 1,
    VIRTQ_DESC_F_WRITE = 2,
    VIRTQ_DESC_F_INDIRECT = 4,
    VIRTQ_DESC_F_AVAIL = 0x80,
    VIRTQ_DESC_F_USED = 0x8000,
    VIRTQ_DESC_SIZE = 16,
};

/* What the queue's owner does for it. Called with the queue's lock held; takes leaf locks only. */
typedef struct {
    void (*interrupt)(void *opaque);
    void (*malformed)(void *opaque, const char *why);
    void (*starved)(void *opaque, unsigned index);
    void *opaque;
    const uint32_t *live; /* atomic: not 0 while buffers may be used */
} virtq_host_t;

typedef struct {
    rvvm_machine_t *machine;
    uint8_t *host; /* behind base */
    uint64_t base, size;
} virtq_ram_t;

/* What a queue is told when it is enabled. */
typedef struct {
    uint64_t desc, driver, device; /* the three areas (§2.6): guest addresses */
    uint16_t size;
    bool packed, event_idx, indirect, in_order;
} virtq_setup_t;

typedef struct {
    uint64_t addr;
    uint32_t len;
} virtq_seg_t;

typedef struct {
    uint64_t at;    /* bytes from the start of the part */
    uint32_t seg;   /* the segment that holds it */
    uint32_t inner; /* and where in that */
} virtq_cursor_t;

/*
 * A chain. The queue's lock guards the first group, whoever has the chain the rest. linked: in the list of
 * chains that the driver waits for; not linked and out of the pool: stale.
 */
struct virtq_chain {
    virtq_t *vq;
    virtq_chain_t *next, *prev; /* in flight, in the order of popping; next alone: in the pool */
    virtq_chain_t *next_made;   /* all that exist */
    bool linked;
    bool done;   /* pushed, and kept back for VIRTIO_F_IN_ORDER */
    bool replay; /* in flight, but not with the device: the next to be popped */
    uint32_t used_len;
    uint16_t id;
    uint16_t slots; /* descriptors of the ring that it takes */

    bool lent; /* writable spans were handed out */
    void *user;
    unsigned reads, writes; /* segments: first the readable */
    uint64_t read_size, write_size;
    virtq_cursor_t rd, wr;
    virtq_seg_t *seg;
    unsigned seg_room;
};

struct virtq {
    spinlock_t lock;  /* guards everything below it */
    spinlock_t drain; /* held while pins is not 0 */
    virtq_host_t host;
    virtq_ram_t ram;
    unsigned index;
    uint16_t size_max;

    bool ready;
    bool frozen; /* a snapshot is being taken: nothing comes out, and nothing is written to the guest */
    virtq_setup_t cfg;
    const uint8_t *desc, *driver; /* host memory, while ready */

    uint16_t avail, used; /* split: running indices; packed: positions */
    bool avail_wrap, used_wrap;
    uint16_t held_pos, held_flags; /* packed: the first used element that is not published */
    bool held;
    bool quiet;           /* the driver was told not to notify */
    uint32_t unsignalled; /* used descriptors since the last look at the driver's wishes */

    uint32_t pins;
    unsigned in_flight, slots, replays;
    virtq_chain_t *first, *last;
    virtq_chain_t *pool, *made;
    unsigned chains;
};

/* virtq.c: for virtio.c */
void virtq_init(virtq_t *vq, unsigned index, uint16_t size_max, rvvm_machine_t *machine,
                const virtq_host_t *host);
/* Frees all chains: nobody may have one. */
void virtq_free(virtq_t *vq);
/* Enables a stopped queue; returns NULL, or what is wrong. */
const char *virtq_start(virtq_t *vq, const virtq_setup_t *setup);
/* All chains become stale; waits for open brackets. */
void virtq_stop(virtq_t *vq);
bool virtq_is_ready(virtq_t *vq);
/* Holds everything still, brackets included, until it is thawed, started or stopped. */
void virtq_freeze(virtq_t *vq);
void virtq_thaw(virtq_t *vq);
/* The queue's place in a snapshot. When reading, the queue is stopped before; false: malformed. */
bool virtq_snapshot(virtq_t *vq, rvvm_snapshot_t *snap);

/* virtq.c: for the ring formats. The lock is held. */
const uint8_t *virtq_ram(const virtq_ram_t *ram, uint64_t addr, uint64_t len);
uint8_t *virtq_ram_write(const virtq_ram_t *ram, uint64_t addr, size_t len);
/* Reports a malformed ring; always false. */
bool virtq_malformed(virtq_t *vq, const char *why);
/* Adds a buffer to a chain that is being read; false: malformed. */
bool virtq_add_seg(virtq_t *vq, virtq_chain_t *chain, uint64_t addr, uint32_t len, bool write);
/* The table of an indirect descriptor, *entries long; NULL: malformed. */
const uint8_t *virtq_indirect(virtq_t *vq, uint64_t addr, uint32_t len, unsigned *entries);

static inline uint16_t virtq_load16(const void *p)
{
    return __atomic_load_n((const uint16_t *)p, __ATOMIC_RELAXED);
}

static inline uint16_t virtq_load16_acquire(const void *p)
{
    uint16_t val = __atomic_load_n((const uint16_t *)p, __ATOMIC_ACQUIRE);
    compat_match_fence();
    return val;
}

/* Everything stored before it is seen by a driver that sees val. */
static inline void virtq_store16_release(void *p, uint16_t val)
{
    compat_match_fence();
    __atomic_store_n((uint16_t *)p, val, __ATOMIC_RELEASE);
}

static inline uint32_t virtq_load32(const void *p)
{
    return __atomic_load_n((const uint32_t *)p, __ATOMIC_RELAXED);
}

/* Descriptors of tables that only need be 16-byte aligned on the ring; indirect ones may lie anywhere. */
typedef struct {
    uint64_t addr;
    uint32_t len;
    uint16_t word0, word1; /* split: flags, next; packed: id, flags */
} virtq_desc_t;

static inline virtq_desc_t virtq_load_desc(const uint8_t *p)
{
    uint8_t copy[VIRTQ_DESC_SIZE];
    if ((uintptr_t)p & 3) {
        memcpy(copy, p, sizeof(copy));
    }
    for (unsigned i = 0; !((uintptr_t)p & 3) && i < sizeof(copy); i += 4) {
        uint32_t word = virtq_load32(p + i); /* a driver may be writing what comes next */
        memcpy(copy + i, &word, sizeof(word));
    }
    return (virtq_desc_t){
        .addr = read_uint64_le_m(copy),
        .len = read_uint32_le_m(copy + 8),
        .word0 = read_uint16_le_m(copy + 12),
        .word1 = read_uint16_le_m(copy + 14),
    };
}

/* §2.7.7.2: whether the step from old to now passes event. */
static inline bool virtq_need_event(uint16_t event, uint16_t now, uint16_t old)
{
    return (uint16_t)(now - event - 1) < (uint16_t)(now - old);
}

/* The lock is held. Chains can come out, and go back as used. */
static inline bool virtq_running(const virtq_t *vq)
{
    return vq->ready && !vq->frozen && __atomic_load_n(vq->host.live, __ATOMIC_ACQUIRE);
}

/* The two ring formats: virtq_split.c, virtq_packed.c. The lock is held. */
typedef struct {
    /* The sizes of the driver's and the device's area, and the alignments of all three. */
    uint64_t (*driver_size)(const virtq_setup_t *setup);
    uint64_t (*device_size)(const virtq_setup_t *setup);
    unsigned desc_align, driver_align, device_align;

    bool (*has_next)(virtq_t *vq);
    /* Reads the next chain and moves on; has_next() was true. False: malformed. */
    bool (*read_next)(virtq_t *vq, virtq_chain_t *chain);
    /* Writes a used element that the driver does not see before publish(). */
    void (*put_used)(virtq_t *vq, const virtq_chain_t *chain);
    void (*publish)(virtq_t *vq);
    /* Tells the driver whether to notify; when on, about the next buffer. */
    void (*set_notify)(virtq_t *vq, bool on);
    /* Whether the driver wants an interrupt for vq->unsignalled used descriptors. */
    bool (*wants_interrupt)(virtq_t *vq);
} virtq_format_t;

extern const virtq_format_t virtq_format_split, virtq_format_packed;

static inline const virtq_format_t *virtq_format(const virtq_t *vq)
{
    return vq->cfg.packed ? &virtq_format_packed : &virtq_format_split;
}

#endif
