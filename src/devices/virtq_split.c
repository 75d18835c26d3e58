/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Split virtqueues: VirtIO 1.2 §2.7. `avail` and `used` of the queue are running indices.
 *
 * Driver area: flags, idx, ring[size], used_event. Device area: flags, idx, ring[size] of id and len,
 * avail_event.
 */
#include "virtq_ring.h"

enum {
    VIRTQ_AVAIL_F_NO_INTERRUPT = 1,
    VIRTQ_USED_F_NO_NOTIFY = 1,

    RING_FLAGS = 0,
    RING_IDX = 2,
    RING_ENTRIES = 4,
};

static uint64_t split_driver_size(const virtq_setup_t *setup)
{
    return RING_ENTRIES + 2 * (uint64_t)setup->size + (setup->event_idx ? 2 : 0);
}

static uint64_t split_device_size(const virtq_setup_t *setup)
{
    return RING_ENTRIES + 8 * (uint64_t)setup->size + (setup->event_idx ? 2 : 0);
}

/* 16 bits of the device area, ordered after all that was written before. */
static void split_store16(virtq_t *vq, uint64_t offset, uint16_t val)
{
    uint8_t *p = virtq_ram_write(&vq->ram, vq->cfg.device + offset, 2);
    if (p) {
        virtq_store16_release(p, val);
    }
}

static bool split_has_next(virtq_t *vq)
{
    return virtq_load16_acquire(vq->driver + RING_IDX) != vq->avail;
}

/*
 * Follows descriptors from one of a table to the end of the chain; an indirect descriptor is left in *desc
 * for the caller. `left` bounds the length, so loops end.
 */
static bool split_follow(virtq_t *vq, virtq_chain_t *chain, const uint8_t *table, unsigned entries,
                         unsigned start, virtq_desc_t *desc)
{
    unsigned index = start;
    for (unsigned left = entries; left > 0; left--) {
        *desc = virtq_load_desc(table + VIRTQ_DESC_SIZE * (size_t)index);
        if (desc->word0 & VIRTQ_DESC_F_INDIRECT) {
            return true;
        }
        bool write = desc->word0 & VIRTQ_DESC_F_WRITE;
        if (!virtq_add_seg(vq, chain, desc->addr, desc->len, write)) {
            return false;
        }
        if (!(desc->word0 & VIRTQ_DESC_F_NEXT)) {
            return true;
        }
        index = desc->word1;
        if (index >= entries) {
            return virtq_malformed(vq, "a descriptor's next is outside the table");
        }
    }
    return virtq_malformed(vq, "a chain is a loop, or longer than the queue");
}

static bool split_read_next(virtq_t *vq, virtq_chain_t *chain)
{
    uint16_t size = vq->cfg.size;
    uint16_t ahead = (uint16_t)(virtq_load16_acquire(vq->driver + RING_IDX) - vq->avail);
    if (ahead > size) {
        return virtq_malformed(vq, "the available index jumps");
    }
    uint16_t head = virtq_load16(vq->driver + RING_ENTRIES + 2 * (size_t)(vq->avail % size));
    if (head >= size) {
        return virtq_malformed(vq, "the head of a chain is outside the table");
    }
    chain->id = head;
    chain->slots = 1;
    virtq_desc_t desc;
    if (!split_follow(vq, chain, vq->desc, size, head, &desc)) {
        return false;
    }
    if (desc.word0 & VIRTQ_DESC_F_INDIRECT) {
        if (desc.word0 & VIRTQ_DESC_F_NEXT) {
            return virtq_malformed(vq, "an indirect descriptor has a next one");
        }
        unsigned entries;
        const uint8_t *table = virtq_indirect(vq, desc.addr, desc.len, &entries);
        if (!table || !split_follow(vq, chain, table, entries, 0, &desc)) {
            return false;
        }
        if (desc.word0 & VIRTQ_DESC_F_INDIRECT) {
            return virtq_malformed(vq, "an indirect descriptor lies in an indirect table");
        }
    }
    vq->avail++;
    return true;
}

static void split_put_used(virtq_t *vq, const virtq_chain_t *chain)
{
    uint64_t offset = RING_ENTRIES + 8 * (uint64_t)(vq->used % vq->cfg.size);
    uint8_t *entry = virtq_ram_write(&vq->ram, vq->cfg.device + offset, 8);
    if (entry) {
        __atomic_store_n((uint32_t *)(void *)entry, chain->id, __ATOMIC_RELAXED);
        __atomic_store_n((uint32_t *)(void *)(entry + 4), chain->used_len, __ATOMIC_RELAXED);
    }
    vq->used++;
    vq->unsignalled++;
}

static void split_publish(virtq_t *vq)
{
    split_store16(vq, RING_IDX, vq->used);
}

/* With the event index a driver that was not told a new one stays silent by itself. */
static void split_set_notify(virtq_t *vq, bool on)
{
    if (!vq->cfg.event_idx) {
        split_store16(vq, RING_FLAGS, on ? 0 : VIRTQ_USED_F_NO_NOTIFY);
    } else if (on) {
        split_store16(vq, RING_ENTRIES + 8 * (uint64_t)vq->cfg.size, vq->avail);
    }
}

static bool split_wants_interrupt(virtq_t *vq)
{
    if (!vq->cfg.event_idx) {
        return !(virtq_load16(vq->driver + RING_FLAGS) & VIRTQ_AVAIL_F_NO_INTERRUPT);
    }
    uint16_t event = virtq_load16(vq->driver + RING_ENTRIES + 2 * (size_t)vq->cfg.size);
    return vq->unsignalled > UINT16_MAX ||
           virtq_need_event(event, vq->used, (uint16_t)(vq->used - vq->unsignalled));
}

const virtq_format_t virtq_format_split = {
    .driver_size = split_driver_size,
    .device_size = split_device_size,
    .desc_align = 16,
    .driver_align = 2,
    .device_align = 4,
    .has_next = split_has_next,
    .read_next = split_read_next,
    .put_used = split_put_used,
    .publish = split_publish,
    .set_notify = split_set_notify,
    .wants_interrupt = split_wants_interrupt,
};
