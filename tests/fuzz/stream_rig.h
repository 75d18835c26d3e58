/* SPDX-License-Identifier: MPL-2.0 */
/* For fuzz targets of devices that move small messages: input, chains made from it, hostile
 * registers. */
#ifndef RVKIT_TESTS_FUZZ_STREAM_RIG_H
#define RVKIT_TESTS_FUZZ_STREAM_RIG_H

#include "../device/virtio_driver.h"

enum { RIG_PAGE = 4096, RIG_PAGES = 16 };

typedef struct {
    const uint8_t *data;
    size_t size;
    uint64_t mem; /* RIG_PAGES pages of buffers, used in turn */
    unsigned page;
} rig_t;

static inline unsigned rig_next(rig_t *in)
{
    if (!in->size) {
        return 0;
    }
    in->size--;
    return *in->data++;
}

static inline size_t rig_bytes(rig_t *in, void *dst, size_t size)
{
    size = size < in->size ? size : in->size;
    memcpy(dst, in->data, size);
    in->data += size;
    in->size -= size;
    return size;
}

static inline void rig_reclaim(vd_t *vd)
{
    uint16_t id;
    uint32_t len;
    for (unsigned q = 0; q < VD_QUEUES; q++) {
        while (vd->queue[q].size && !vd_broken(vd) && vd_used(vd, q, &id, &len)) {
        }
    }
}

/*
 * A chain of up to three buffers on a queue: readable ones with bytes from the input after `head`,
 * then writable ones. Odd sizes and, rarely, addresses that are no RAM.
 */
static inline void rig_chain(vd_t *vd, unsigned queue, rig_t *in, const void *head,
                             size_t head_size)
{
    vd_queue_t *q = &vd->queue[queue];
    unsigned shape = rig_next(in), count = 1 + shape % 3, reads = (shape >> 2) % (count + 1);
    vd_buf_t buf[3];
    if (!q->size || q->free_count < 3) {
        return;
    }
    for (unsigned i = 0; i < count; i++) {
        unsigned size = rig_next(in), kind = rig_next(in);
        uint64_t addr = in->mem + (uint64_t)RIG_PAGE * (in->page++ % RIG_PAGES);
        uint8_t *p = vd_ptr(vd, addr);
        size_t got = 0;
        if (i == 0 && head_size) {
            memcpy(p, head, head_size);
            got = head_size;
        }
        if (i < reads) {
            got += rig_bytes(in, p + got, size);
        }
        size_t len = kind & 3 ? (i < reads ? got : size) : (size_t)size * 16;
        buf[i] = (vd_buf_t){addr, (uint32_t)(len ? len : 1), i >= reads};
        buf[i].addr = kind == 0xFF   ? 0x1000
                      : kind == 0xFE ? RVVM_DEFAULT_MEMBASE + VD_RAM - 1
                                     : addr;
        buf[i].len = kind == 0xFD ? 1 << 20 : buf[i].len;
    }
    vd_add(vd, queue, buf, count);
    if (shape & 0x40) {
        vd_kick(vd, queue);
    }
}

/* A machine with the device, started with features from the input. */
static inline bool rig_start(vd_t *vd, rig_t *in, const virtio_desc_t *desc)
{
    vd_machine(vd);
    unsigned how = rig_next(in);
    if (!vd_attach(vd, desc, how & 1 ? VIRTIO_MMIO_LEGACY : 0)) {
        return false;
    }
    in->mem = vd_alloc(vd, RIG_PAGE * RIG_PAGES);
    uint64_t take = how & 2 ? ~UINT64_C(0) : ~(uint64_t)(how >> 3 & 0x1F);
    take &= how & 4 ? ~UINT64_C(0) : ~(VIRTIO_F_RING_PACKED);
    vd_start_sized(vd, vd_offered(vd) & (take | VIRTIO_F_VERSION_1), vd->legacy ? 0 : 16);
    return true;
}

/* Writes over a ring and has all queues looked at; the mock driver is of no use after that. */
static inline void rig_spoil(vd_t *vd, rig_t *in, unsigned queues, unsigned value)
{
    vd_queue_t *q = &vd->queue[value % queues];
    rig_bytes(in, vd_ptr(vd, q->size ? q->desc : in->mem), value);
    for (unsigned i = 0; i < queues; i++) {
        vd_write(vd, VD_QUEUE_NOTIFY, i);
        vd->queue[i].size = 0;
    }
    vd_update(vd);
    in->size = 0;
}

/* What any driver may do at any time. */
static inline void rig_common(vd_t *vd, rig_t *in, unsigned queues)
{
    unsigned what = rig_next(in), value = rig_next(in);
    uint8_t bytes[8];
    switch (what % 8) {
    case 0:
        vd_start_sized(vd, vd->features, vd->legacy ? 0 : 16);
        break;
    case 1:
        vd_update(vd);
        break;
    case 2:
        rig_bytes(in, bytes, sizeof(bytes));
        vd_config_write(vd, value % 32, bytes, 1u << (value >> 5 & 1),
                        (uint8_t)(1u << (value >> 5 & 1)));
        break;
    case 3:
        vd_config_read(vd, value % 32, bytes, 1, 1);
        break;
    case 4:
        vd_write(vd, VD_QUEUE_SEL, value % queues);
        vd_write(vd, VD_QUEUE_RESET, 1);
        vd->queue[value % queues].size = 0;
        break;
    case 5:
        vd_write(vd, VD_QUEUE_NOTIFY, value % (queues + 1));
        break;
    case 6:
        rig_spoil(vd, in, queues, value);
        break;
    default:
        vd_ack(vd);
        break;
    }
    if (vd->heap > RVVM_DEFAULT_MEMBASE + VD_RAM - (UINT64_C(1) << 20)) {
        in->size = 0;
    }
}

#endif
