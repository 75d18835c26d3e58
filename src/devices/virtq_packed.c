/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Packed virtqueues: VirtIO 1.2 §2.8. `avail` and `used` of the queue are positions in the one ring, each
 * with its wrap counter. The driver's and the device's areas are event suppression structures: desc_event
 * (position and wrap counter), flags.
 */
#include "virtq_ring.h"

enum {
    EVENT_FLAGS = 2,
    EVENT_SIZE = 4,
    RING_EVENT_FLAGS_ENABLE = 0,
    RING_EVENT_FLAGS_DISABLE = 1,
    RING_EVENT_FLAGS_DESC = 2,
    RING_EVENT_FLAGS_MASK = 3,
    DESC_FLAGS = 14,
};

static uint64_t packed_event_size(const virtq_setup_t *setup)
{
    (void)setup;
    return EVENT_SIZE;
}

static const uint8_t *packed_slot(const virtq_t *vq, unsigned pos)
{
    return vq->desc + VIRTQ_DESC_SIZE * (size_t)pos;
}

/* Moves a position on, around the end of the ring. */
static void packed_advance(const virtq_t *vq, uint16_t *pos, bool *wrap, unsigned by)
{
    unsigned next = *pos + by;
    if (next >= vq->cfg.size) {
        next -= vq->cfg.size;
        *wrap = !*wrap;
    }
    *pos = (uint16_t)next;
}

static bool packed_has_next(virtq_t *vq)
{
    uint16_t flags = virtq_load16_acquire(packed_slot(vq, vq->avail) + DESC_FLAGS);
    bool avail = flags & VIRTQ_DESC_F_AVAIL, used = flags & VIRTQ_DESC_F_USED;
    return avail == vq->avail_wrap && used != vq->avail_wrap;
}

/* §2.8.7: all descriptors of the table in order; only their write flags count. */
static bool packed_read_indirect(virtq_t *vq, virtq_chain_t *chain, const virtq_desc_t *desc)
{
    unsigned entries;
    const uint8_t *table = virtq_indirect(vq, desc->addr, desc->len, &entries);
    for (unsigned i = 0; table && i < entries; i++) {
        virtq_desc_t entry = virtq_load_desc(table + VIRTQ_DESC_SIZE * (size_t)i);
        if (entry.word1 & VIRTQ_DESC_F_INDIRECT) {
            return virtq_malformed(vq, "an indirect descriptor lies in an indirect table");
        }
        if (!virtq_add_seg(vq, chain, entry.addr, entry.len, entry.word1 & VIRTQ_DESC_F_WRITE)) {
            return false;
        }
    }
    return table != NULL;
}

/* Descriptors from the present position. The buffer id is the last one's. */
static bool packed_read_direct(virtq_t *vq, virtq_chain_t *chain)
{
    uint16_t pos = vq->avail;
    bool wrap = vq->avail_wrap;
    for (unsigned slots = 1; slots <= vq->cfg.size; slots++) {
        virtq_desc_t desc = virtq_load_desc(packed_slot(vq, pos));
        if (desc.word1 & VIRTQ_DESC_F_INDIRECT) {
            if (slots > 1 || (desc.word1 & VIRTQ_DESC_F_NEXT)) {
                return virtq_malformed(vq, "an indirect descriptor is part of a chain");
            }
            chain->id = desc.word0;
            chain->slots = 1;
            return packed_read_indirect(vq, chain, &desc);
        }
        if (!virtq_add_seg(vq, chain, desc.addr, desc.len, desc.word1 & VIRTQ_DESC_F_WRITE)) {
            return false;
        }
        if (!(desc.word1 & VIRTQ_DESC_F_NEXT)) {
            chain->id = desc.word0;
            chain->slots = (uint16_t)slots;
            return true;
        }
        packed_advance(vq, &pos, &wrap, 1);
    }
    return virtq_malformed(vq, "a chain is longer than the queue");
}

static bool packed_read_next(virtq_t *vq, virtq_chain_t *chain)
{
    if (!packed_read_direct(vq, chain)) {
        return false;
    }
    if (vq->slots + chain->slots > vq->cfg.size) {
        return virtq_malformed(vq, "more descriptors are available than the ring has");
    }
    packed_advance(vq, &vq->avail, &vq->avail_wrap, chain->slots);
    return true;
}

/* One used descriptor for the whole chain; the ring skips the others' places (§2.8.5). */
static void packed_put_used(virtq_t *vq, const virtq_chain_t *chain)
{
    uint64_t offset = VIRTQ_DESC_SIZE * (uint64_t)vq->used;
    uint8_t *slot = virtq_ram_write(&vq->ram, vq->cfg.desc + offset, VIRTQ_DESC_SIZE);
    uint16_t flags = vq->used_wrap ? VIRTQ_DESC_F_AVAIL | VIRTQ_DESC_F_USED : 0;
    flags |= chain->used_len ? VIRTQ_DESC_F_WRITE : 0;
    if (slot) {
        __atomic_store_n((uint32_t *)(void *)(slot + 8), chain->used_len, __ATOMIC_RELAXED);
        __atomic_store_n((uint16_t *)(void *)(slot + 12), chain->id, __ATOMIC_RELAXED);
    }
    /* The driver looks at them in order: without the first one's flags it sees none. */
    if (!vq->held) {
        vq->held = true;
        vq->held_pos = vq->used;
        vq->held_flags = flags;
    } else if (slot) {
        virtq_store16_release(slot + DESC_FLAGS, flags);
    }
    packed_advance(vq, &vq->used, &vq->used_wrap, chain->slots);
    vq->unsignalled += chain->slots;
}

static void packed_publish(virtq_t *vq)
{
    uint64_t offset = VIRTQ_DESC_SIZE * (uint64_t)vq->held_pos;
    uint8_t *slot = vq->held ? virtq_ram_write(&vq->ram, vq->cfg.desc + offset, VIRTQ_DESC_SIZE) : NULL;
    if (slot) {
        virtq_store16_release(slot + DESC_FLAGS, vq->held_flags);
    }
    vq->held = false;
}

static void packed_set_notify(virtq_t *vq, bool on)
{
    uint32_t flags = !on ? RING_EVENT_FLAGS_DISABLE
                         : vq->cfg.event_idx ? RING_EVENT_FLAGS_DESC : RING_EVENT_FLAGS_ENABLE;
    uint32_t event = on ? vq->avail | (uint32_t)vq->avail_wrap << 15 : 0;
    uint8_t *p = virtq_ram_write(&vq->ram, vq->cfg.device, EVENT_SIZE);
    if (p) {
        __atomic_store_n((uint32_t *)(void *)p, event | flags << 16, __ATOMIC_RELEASE);
    }
}

static bool packed_wants_interrupt(virtq_t *vq)
{
    uint32_t word = virtq_load32(vq->driver);
    uint32_t flags = (word >> 16) & RING_EVENT_FLAGS_MASK;
    if (flags != RING_EVENT_FLAGS_DESC || !vq->cfg.event_idx) {
        return flags != RING_EVENT_FLAGS_DISABLE;
    }
    uint16_t event = word & 0x7FFF;
    if ((word >> 15 & 1) != vq->used_wrap) {
        event = (uint16_t)(event - vq->cfg.size);
    }
    return vq->unsignalled >= vq->cfg.size ||
           virtq_need_event(event, vq->used, (uint16_t)(vq->used - vq->unsignalled));
}

const virtq_format_t virtq_format_packed = {
    .driver_size = packed_event_size,
    .device_size = packed_event_size,
    .desc_align = 16,
    .driver_align = 4,
    .device_align = 4,
    .has_next = packed_has_next,
    .read_next = packed_read_next,
    .put_used = packed_put_used,
    .publish = packed_publish,
    .set_notify = packed_set_notify,
    .wants_interrupt = packed_wants_interrupt,
};
