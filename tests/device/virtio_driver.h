/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A guest driver for VirtIO over MMIO, on the host's side: rings in guest RAM, registers through the
 * handlers of the attached slot, no hart. It runs on any machine with RVVM's API.
 *
 *   vd_t vd;
 *   virtio_desc_t desc;
 *   vd_machine(&vd);                                     a machine with 4 MiB and a line to look at
 *   virtio_rng_describe(&desc, &source);
 *   vd_attach(&vd, &desc, 0);                            as virtio_mmio_init_auto()
 *   CHECK(vd_start(&vd, VIRTIO_F_VERSION_1 | VIRTIO_F_RING_PACKED));   handshake and all queues
 *   vd_buf_t buf = {vd_alloc(&vd, 64), 64, true};
 *   uint16_t id = vd_add(&vd, 0, &buf, 1);
 *   vd_kick(&vd, 0);
 *   CHECK(vd_used(&vd, 0, &id, &len));                   CHECK(vd_irq(&vd));
 *   vd_close(&vd);
 *
 * The same calls drive split and packed rings, with event suppression when it was negotiated. For hostile
 * rings there are vd_desc_put() and the addresses in vd_queue_t. One thread at a time for each queue;
 * setting up is for one thread.
 */
#ifndef RVKIT_TESTS_DEVICE_VIRTIO_DRIVER_H
#define RVKIT_TESTS_DEVICE_VIRTIO_DRIVER_H

#include "devices/virtio_mmio.h"
#include "prove.h"

#include <stdio.h>
#include <stdlib.h>

enum { VD_QUEUES = 64, VD_SIZE_MAX = 1024, VD_RAM = 4 << 20, VD_DESC = 16 };

/* Registers (§4.2.2). */
enum {
    VD_MAGIC = 0x00, VD_VERSION = 0x04, VD_DEVICE_ID = 0x08, VD_VENDOR_ID = 0x0C,
    VD_DEVICE_FEATURES = 0x10, VD_DEVICE_FEATURES_SEL = 0x14,
    VD_DRIVER_FEATURES = 0x20, VD_DRIVER_FEATURES_SEL = 0x24,
    VD_GUEST_PAGE_SIZE = 0x28, VD_QUEUE_SEL = 0x30, VD_QUEUE_NUM_MAX = 0x34, VD_QUEUE_NUM = 0x38,
    VD_QUEUE_ALIGN = 0x3C, VD_QUEUE_PFN = 0x40, VD_QUEUE_READY = 0x44, VD_QUEUE_NOTIFY = 0x50,
    VD_INTERRUPT_STATUS = 0x60, VD_INTERRUPT_ACK = 0x64, VD_STATUS = 0x70,
    VD_QUEUE_DESC = 0x80, VD_QUEUE_DRIVER = 0x90, VD_QUEUE_DEVICE = 0xA0,
    VD_SHM_SEL = 0xAC, VD_SHM_LEN = 0xB0, VD_SHM_BASE = 0xB8, VD_QUEUE_RESET = 0xC0,
    VD_CONFIG_GENERATION = 0xFC, VD_CONFIG = 0x100,
};

enum { VD_F_NEXT = 1, VD_F_WRITE = 2, VD_F_INDIRECT = 4, VD_F_AVAIL = 0x80, VD_F_USED = 0x8000 };

typedef struct {
    uint64_t addr;
    uint32_t len;
    bool write; /* the device writes it */
} vd_buf_t;

typedef struct {
    uint64_t desc, driver, device; /* guest addresses of the three areas */
    uint16_t size;
    uint16_t avail, last_used;     /* split: running indices; packed: positions */
    bool avail_wrap, used_wrap;    /* packed */
    uint16_t kicked;               /* avail at the last kick */
    uint16_t added;                /* descriptors (packed) or chains (split) since then */
    bool free_slot[VD_SIZE_MAX];   /* split: descriptors; packed: buffer ids */
    uint16_t chain_len[VD_SIZE_MAX]; /* by head or id */
    uint16_t next[VD_SIZE_MAX];    /* split: our own copy of the chains */
    unsigned free_count;
} vd_queue_t;

typedef struct {
    rvvm_machine_t *machine;
    rvvm_mmio_dev_t *mmio;
    uint64_t features;
    bool legacy, packed, event_idx;
    uint64_t heap;  /* the next free guest address */
    uint32_t level; /* atomic: the interrupt line, and how often it rose */
    uint32_t rises; /* atomic */
    void *intc;
    vd_queue_t queue[VD_QUEUES];
} vd_t;

/* --- Machine, memory, registers --- */

#ifdef RVVM_COMPAT_ABI7
/*
 * The interrupt line ends in RVVM's PLIC, whose levels cannot be read back: the linker (--wrap) brings its
 * calls here first. One machine at a time.
 */
static vd_t *vd_of_plic;
bool __real_plic_raise_irq(plic_ctx_t *plic, uint32_t irq);
bool __real_plic_lower_irq(plic_ctx_t *plic, uint32_t irq);
bool __wrap_plic_raise_irq(plic_ctx_t *plic, uint32_t irq);
bool __wrap_plic_lower_irq(plic_ctx_t *plic, uint32_t irq);

bool __wrap_plic_raise_irq(plic_ctx_t *plic, uint32_t irq)
{
    if (!__atomic_exchange_n(&vd_of_plic->level, 1, __ATOMIC_ACQ_REL)) {
        __atomic_fetch_add(&vd_of_plic->rises, 1, __ATOMIC_RELAXED);
    }
    return __real_plic_raise_irq(plic, irq);
}

bool __wrap_plic_lower_irq(plic_ctx_t *plic, uint32_t irq)
{
    __atomic_store_n(&vd_of_plic->level, 0, __ATOMIC_RELEASE);
    return __real_plic_lower_irq(plic, irq);
}

static inline void vd_machine(vd_t *vd)
{
    memset(vd, 0, sizeof(*vd));
    vd->machine = rvvm_create_machine(RVVM_DEFAULT_MEMBASE, VD_RAM, 1, false);
    if (!vd->machine || !plic_init_auto(vd->machine)) {
        printf("Bail out! no machine\n");
        exit(1);
    }
    vd->heap = RVVM_DEFAULT_MEMBASE + 0x10000;
    vd_of_plic = vd;
}
#else
static inline void vd_set_irq(rvvm_irq_dev_t *irq_dev, rvvm_irq_t irq, bool level)
{
    vd_t *vd = rvvm_irq_dev_data(irq_dev);
    (void)irq;
    if (__atomic_exchange_n(&vd->level, level, __ATOMIC_ACQ_REL) != level && level) {
        __atomic_fetch_add(&vd->rises, 1, __ATOMIC_RELAXED);
    }
}

static inline void vd_machine(vd_t *vd)
{
    static const rvvm_irq_dev_cb_t cb = {.set_irq = vd_set_irq};
    memset(vd, 0, sizeof(*vd));
    vd->machine = rvvm_create_machine(VD_RAM, 1, "rv32");
    vd->intc = rvvm_irq_dev_init(&cb, vd);
    if (!vd->machine || !vd->intc) {
        printf("Bail out! no machine\n");
        exit(1);
    }
    rvvm_set_intc(vd->machine, vd->intc);
    vd->heap = RVVM_DEFAULT_MEMBASE + 0x10000;
}
#endif

static inline bool vd_attach(vd_t *vd, const virtio_desc_t *desc, unsigned flags)
{
    vd->mmio = virtio_mmio_init_auto(vd->machine, desc, flags);
    vd->legacy = flags & VIRTIO_MMIO_LEGACY;
    return vd->mmio != NULL;
}

static inline void vd_close(vd_t *vd)
{
    rvvm_free_machine(vd->machine);
#ifndef RVVM_COMPAT_ABI7
    rvvm_irq_dev_free(vd->intc);
#endif
}

static inline uint32_t vd_read(vd_t *vd, size_t reg)
{
    uint8_t data[4] = {0};
    vd->mmio->read(vd->mmio, data, reg, 4);
    return read_uint32_le_m(data);
}

static inline void vd_write(vd_t *vd, size_t reg, uint32_t val)
{
    uint8_t data[4];
    write_uint32_le_m(data, val);
    vd->mmio->write(vd->mmio, data, reg, 4);
}

static inline void vd_write64(vd_t *vd, size_t reg, uint64_t val)
{
    vd_write(vd, reg, (uint32_t)val);
    vd_write(vd, reg + 4, (uint32_t)(val >> 32));
}

static inline uint64_t vd_read64(vd_t *vd, size_t reg)
{
    return vd_read(vd, reg) | (uint64_t)vd_read(vd, reg + 4) << 32;
}

/* Bytes of the configuration space, in accesses of `unit` bytes. */
static inline void vd_config_read(vd_t *vd, size_t offset, void *dst, size_t len, uint8_t unit)
{
    for (size_t i = 0; i < len; i += unit) {
        vd->mmio->read(vd->mmio, (uint8_t *)dst + i, VD_CONFIG + offset + i, unit);
    }
}

static inline void vd_config_write(vd_t *vd, size_t offset, const void *src, size_t len, uint8_t unit)
{
    for (size_t i = 0; i < len; i += unit) {
        uint8_t data[8] = {0};
        memcpy(data, (const uint8_t *)src + i, unit);
        vd->mmio->write(vd->mmio, data, VD_CONFIG + offset + i, unit);
    }
}

static inline bool vd_irq(vd_t *vd)
{
    return __atomic_load_n(&vd->level, __ATOMIC_ACQUIRE) != 0;
}

/* What an interrupt handler does; returns the status. */
static inline uint32_t vd_ack(vd_t *vd)
{
    uint32_t status = vd_read(vd, VD_INTERRUPT_STATUS);
    vd_write(vd, VD_INTERRUPT_ACK, status);
    return status;
}

/* Guest memory that is never given back, aligned to 16 bytes; 4096 for sizes of a page and more. */
static inline uint64_t vd_alloc(vd_t *vd, size_t size)
{
    uint64_t align = size >= 4096 ? 4096 : 16;
    vd->heap = (vd->heap + align - 1) & ~(align - 1);
    uint64_t addr = vd->heap;
    vd->heap += size;
    if (vd->heap > RVVM_DEFAULT_MEMBASE + VD_RAM) {
        printf("Bail out! out of guest memory\n");
        exit(1);
    }
    memset(rvvm_get_dma_ptr(vd->machine, addr, size), 0, size);
    return addr;
}

static inline void *vd_ptr(vd_t *vd, uint64_t addr)
{
    return rvvm_get_dma_ptr(vd->machine, addr, 1);
}

static inline void vd_put16(vd_t *vd, uint64_t addr, uint16_t val)
{
    __atomic_store_n((uint16_t *)vd_ptr(vd, addr), val, __ATOMIC_RELEASE);
}

static inline void vd_put32(vd_t *vd, uint64_t addr, uint32_t val)
{
    __atomic_store_n((uint32_t *)vd_ptr(vd, addr), val, __ATOMIC_RELEASE);
}

static inline uint16_t vd_get16(vd_t *vd, uint64_t addr)
{
    return __atomic_load_n((uint16_t *)vd_ptr(vd, addr), __ATOMIC_ACQUIRE);
}

static inline uint32_t vd_get32(vd_t *vd, uint64_t addr)
{
    return __atomic_load_n((uint32_t *)vd_ptr(vd, addr), __ATOMIC_ACQUIRE);
}

/* --- Handshake --- */

static inline uint64_t vd_offered(vd_t *vd)
{
    uint64_t features = 0;
    for (unsigned sel = 0; sel < 2; sel++) {
        vd_write(vd, VD_DEVICE_FEATURES_SEL, sel);
        features |= (uint64_t)vd_read(vd, VD_DEVICE_FEATURES) << (32 * sel);
    }
    return features;
}

/* Resets, and negotiates exactly these features; false when the device does not keep FEATURES_OK. */
static inline bool vd_negotiate(vd_t *vd, uint64_t features)
{
    vd_write(vd, VD_STATUS, 0);
    vd_write(vd, VD_STATUS, VIRTIO_STATUS_ACKNOWLEDGE);
    vd_write(vd, VD_STATUS, VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER);
    for (unsigned sel = 0; sel < 2; sel++) {
        vd_write(vd, VD_DRIVER_FEATURES_SEL, sel);
        vd_write(vd, VD_DRIVER_FEATURES, (uint32_t)(features >> (32 * sel)));
    }
    vd->features = features;
    vd->packed = features & VIRTIO_F_RING_PACKED;
    vd->event_idx = features & VIRTIO_F_EVENT_IDX;
    memset(vd->queue, 0, sizeof(vd->queue));
    if (vd->legacy) {
        vd_write(vd, VD_GUEST_PAGE_SIZE, 4096);
        return true;
    }
    vd_write(vd, VD_STATUS, 11);
    return vd_read(vd, VD_STATUS) & VIRTIO_STATUS_FEATURES_OK;
}

static inline void vd_queue_init(vd_t *vd, vd_queue_t *q, uint16_t size)
{
    memset(q, 0, sizeof(*q));
    q->size = size;
    q->avail_wrap = q->used_wrap = true;
    q->free_count = size;
    memset(q->free_slot, 1, size);
    if (vd->legacy) {
        size_t first = ((16 + 2) * (size_t)size + 6 + 4095) & ~(size_t)4095;
        q->desc = vd_alloc(vd, 4096 + first + 8 * (size_t)size + 6);
        q->driver = q->desc + 16 * (uint64_t)size;
        q->device = q->desc + first;
    } else {
        q->desc = vd_alloc(vd, 16 * (size_t)size + 16); /* and one that is not the queue's */
        q->driver = vd_alloc(vd, vd->packed ? 4 : 6 + 2 * (size_t)size);
        q->device = vd_alloc(vd, vd->packed ? 4 : 6 + 8 * (size_t)size);
    }
}

/* Tells the device where a queue is, without enabling it (legacy: enables it). */
static inline void vd_queue_tell(vd_t *vd, unsigned index)
{
    vd_queue_t *q = &vd->queue[index];
    vd_write(vd, VD_QUEUE_SEL, index);
    vd_write(vd, VD_QUEUE_NUM, q->size);
    if (vd->legacy) {
        vd_write(vd, VD_QUEUE_ALIGN, 4096);
        vd_write(vd, VD_QUEUE_PFN, (uint32_t)(q->desc / 4096));
        return;
    }
    vd_write64(vd, VD_QUEUE_DESC, q->desc);
    vd_write64(vd, VD_QUEUE_DRIVER, q->driver);
    vd_write64(vd, VD_QUEUE_DEVICE, q->device);
}

/* size 0: the device's maximum. False when there is no such queue. */
static inline bool vd_queue_setup(vd_t *vd, unsigned index, uint16_t size)
{
    vd_write(vd, VD_QUEUE_SEL, index);
    uint32_t max = vd_read(vd, VD_QUEUE_NUM_MAX);
    if (!max || index >= VD_QUEUES) {
        return false;
    }
    vd_queue_init(vd, &vd->queue[index], size ? size : (uint16_t)(max < VD_SIZE_MAX ? max : VD_SIZE_MAX));
    vd_queue_tell(vd, index);
    if (!vd->legacy) {
        vd_write(vd, VD_QUEUE_READY, 1);
    }
    return vd_read(vd, vd->legacy ? VD_QUEUE_PFN : VD_QUEUE_READY) != 0;
}

static inline void vd_ready(vd_t *vd)
{
    vd_write(vd, VD_STATUS, vd_read(vd, VD_STATUS) | VIRTIO_STATUS_DRIVER_OK);
}

/* Negotiates, sets up every queue (size 0: its maximum), and sets DRIVER_OK. */
static inline bool vd_start_sized(vd_t *vd, uint64_t features, uint16_t size)
{
    if (!vd_negotiate(vd, features)) {
        return false;
    }
    for (unsigned i = 0; vd_queue_setup(vd, i, size); i++) {
    }
    vd_ready(vd);
    return (vd_read(vd, VD_STATUS) & 0xC4) == VIRTIO_STATUS_DRIVER_OK;
}

static inline bool vd_start(vd_t *vd, uint64_t features)
{
    return vd_start_sized(vd, features, 0);
}

static inline bool vd_broken(vd_t *vd)
{
    return vd_read(vd, VD_STATUS) & VIRTIO_STATUS_NEEDS_RESET;
}

/* --- Descriptors --- */

/* Split: w0 is flags, w1 next. Packed: w0 is the id, w1 flags. */
static inline void vd_desc_put(vd_t *vd, uint64_t table, unsigned index, uint64_t addr, uint32_t len,
                               uint16_t w0, uint16_t w1)
{
    uint8_t *p = (uint8_t *)vd_ptr(vd, table + VD_DESC * (uint64_t)index);
    write_uint64_le_m(p, addr);
    write_uint32_le_m(p + 8, len);
    write_uint16_le_m(p + 12, w0);
    if (table & 1) { /* an indirect table: nobody looks at it before its descriptor is there */
        write_uint16_le_m(p + 14, w1);
    } else {
        __atomic_store_n((uint16_t *)(void *)(p + 14), w1, __ATOMIC_RELEASE);
    }
}

static inline uint16_t vd_take_slot(vd_queue_t *q)
{
    for (uint16_t i = 0; i < q->size; i++) {
        if (q->free_slot[i]) {
            q->free_slot[i] = false;
            q->free_count--;
            return i;
        }
    }
    printf("Bail out! the mock driver's queue is full\n");
    exit(1);
}

/* Writes an indirect table with these buffers; returns its address. */
static inline uint64_t vd_table(vd_t *vd, const vd_buf_t *buf, unsigned count)
{
    uint64_t table = vd_alloc(vd, VD_DESC * (size_t)count);
    for (unsigned i = 0; i < count; i++) {
        uint16_t flags = buf[i].write ? VD_F_WRITE : 0;
        if (vd->packed) {
            vd_desc_put(vd, table, i, buf[i].addr, buf[i].len, 0, flags);
        } else {
            bool last = i + 1 == count;
            vd_desc_put(vd, table, i, buf[i].addr, buf[i].len, flags | (last ? 0 : VD_F_NEXT),
                        last ? 0 : (uint16_t)(i + 1));
        }
    }
    return table;
}

/* Split: makes a chain of descriptors available, starting at head. */
static inline void vd_offer(vd_t *vd, unsigned index, uint16_t head)
{
    vd_queue_t *q = &vd->queue[index];
    vd_put16(vd, q->driver + 4 + 2 * (uint64_t)(q->avail % q->size), head);
    vd_put16(vd, q->driver + 2, ++q->avail);
    q->added++;
}

static inline uint16_t vd_add_split(vd_t *vd, unsigned index, const vd_buf_t *buf, unsigned count,
                                    uint16_t extra)
{
    vd_queue_t *q = &vd->queue[index];
    uint16_t head = 0, slot = vd_take_slot(q);
    for (unsigned i = 0; i < count; i++) {
        bool last = i + 1 == count;
        uint16_t next = last ? 0 : vd_take_slot(q);
        uint16_t flags = (buf[i].write ? VD_F_WRITE : 0) | (last ? 0 : VD_F_NEXT) | extra;
        vd_desc_put(vd, q->desc, slot, buf[i].addr, buf[i].len, flags, next);
        head = i ? head : slot;
        q->next[slot] = next;
        slot = next;
    }
    q->chain_len[head] = (uint16_t)count;
    vd_offer(vd, index, head);
    return head;
}

/* The first descriptor becomes available last. */
static inline uint16_t vd_add_packed(vd_t *vd, unsigned index, const vd_buf_t *buf, unsigned count,
                                     uint16_t extra)
{
    vd_queue_t *q = &vd->queue[index];
    uint16_t id = vd_take_slot(q), first = q->avail, first_flags = 0;
    for (unsigned i = 0; i < count; i++) {
        uint16_t flags = (buf[i].write ? VD_F_WRITE : 0) | (i + 1 < count ? VD_F_NEXT : 0) | extra;
        flags |= q->avail_wrap ? VD_F_AVAIL : VD_F_USED;
        first_flags = i ? first_flags : flags;
        vd_desc_put(vd, q->desc, q->avail, buf[i].addr, buf[i].len, id,
                    i ? flags : vd_get16(vd, q->desc + VD_DESC * (uint64_t)first + 14));
        if (++q->avail == q->size) {
            q->avail = 0;
            q->avail_wrap = !q->avail_wrap;
        }
    }
    q->chain_len[id] = (uint16_t)count;
    q->added = (uint16_t)(q->added + count);
    vd_put16(vd, q->desc + VD_DESC * (uint64_t)first + 14, first_flags);
    return id;
}

/* Makes a chain available; returns what vd_used() will tell. */
static inline uint16_t vd_add(vd_t *vd, unsigned index, const vd_buf_t *buf, unsigned count)
{
    return vd->packed ? vd_add_packed(vd, index, buf, count, 0) : vd_add_split(vd, index, buf, count, 0);
}

static inline uint16_t vd_add_indirect(vd_t *vd, unsigned index, const vd_buf_t *buf, unsigned count)
{
    vd_buf_t table = {vd_table(vd, buf, count), VD_DESC * count, false};
    return vd->packed ? vd_add_packed(vd, index, &table, 1, VD_F_INDIRECT)
                      : vd_add_split(vd, index, &table, 1, VD_F_INDIRECT);
}

/* --- Notifications --- */

/* Whether the device asks for a notification of what was added since the last kick. */
static inline bool vd_kick_wanted(vd_t *vd, unsigned index)
{
    vd_queue_t *q = &vd->queue[index];
    compat_fence();
    if (vd->packed) {
        uint32_t word = vd_get32(vd, q->device);
        uint32_t flags = word >> 16 & 3;
        if (flags != 2) {
            return flags == 0;
        }
        int event = word & 0x7FFF, now = q->avail, old = now - q->added;
        event -= (word >> 15 & 1) != q->avail_wrap ? q->size : 0;
        return (uint16_t)(now - event - 1) < (uint16_t)(now - old);
    }
    if (vd->event_idx) {
        uint16_t event = vd_get16(vd, q->device + 4 + 8 * (uint64_t)q->size);
        return (uint16_t)(q->avail - event - 1) < q->added;
    }
    return !(vd_get16(vd, q->device) & 1);
}

/* Notifies the device if it wants that; returns whether it did. */
static inline bool vd_kick(vd_t *vd, unsigned index)
{
    bool wanted = vd_kick_wanted(vd, index);
    vd->queue[index].added = 0;
    if (wanted) {
        vd_write(vd, VD_QUEUE_NOTIFY, index);
    }
    return wanted;
}

/* Asks for an interrupt when the next chain is used, or for none. Check for used chains afterwards. */
static inline void vd_want_irq(vd_t *vd, unsigned index, bool on)
{
    vd_queue_t *q = &vd->queue[index];
    if (vd->packed) {
        uint32_t event = q->last_used | (uint32_t)q->used_wrap << 15;
        uint32_t flags = !on ? 1 : vd->event_idx ? 2 : 0;
        vd_put32(vd, q->driver, event | flags << 16);
    } else if (vd->event_idx) {
        vd_put16(vd, q->driver + 4 + 2 * (uint64_t)q->size,
                 on ? q->last_used : (uint16_t)(q->last_used + 0x8000));
    } else {
        vd_put16(vd, q->driver, !on);
    }
    compat_fence();
}

/* --- Used --- */

static inline void vd_free_slots(vd_t *vd, vd_queue_t *q, uint16_t id)
{
    unsigned count = vd->packed ? 1 : q->chain_len[id];
    for (uint16_t slot = id; count--; slot = q->next[slot]) {
        q->free_slot[slot] = true;
        q->free_count++;
    }
}

static inline bool vd_used_split(vd_t *vd, vd_queue_t *q, uint16_t *id, uint32_t *len)
{
    if (vd_get16(vd, q->device + 2) == q->last_used) {
        return false;
    }
    uint64_t entry = q->device + 4 + 8 * (uint64_t)(q->last_used++ % q->size);
    *id = (uint16_t)vd_get32(vd, entry);
    *len = vd_get32(vd, entry + 4);
    return true;
}

static inline bool vd_used_packed(vd_t *vd, vd_queue_t *q, uint16_t *id, uint32_t *len)
{
    uint64_t slot = q->desc + VD_DESC * (uint64_t)q->last_used;
    uint16_t flags = vd_get16(vd, slot + 14);
    bool avail = flags & VD_F_AVAIL, used = flags & VD_F_USED;
    if (avail != used || used != q->used_wrap) {
        return false;
    }
    *id = vd_get16(vd, slot + 12);
    *len = vd_get32(vd, slot + 8);
    unsigned next = q->last_used + (*id < q->size ? q->chain_len[*id] : 1u);
    q->used_wrap ^= next >= q->size;
    q->last_used = (uint16_t)(next % q->size);
    return true;
}

/* Takes the next used chain; false when there is none. */
static inline bool vd_used(vd_t *vd, unsigned index, uint16_t *id, uint32_t *len)
{
    vd_queue_t *q = &vd->queue[index];
    bool used = vd->packed ? vd_used_packed(vd, q, id, len) : vd_used_split(vd, q, id, len);
    if (used && *id < q->size) {
        vd_free_slots(vd, q, *id);
    }
    return used;
}

/* Adds one chain, kicks, and expects it used at once: for devices that answer in notify. */
static inline bool vd_request(vd_t *vd, unsigned index, const vd_buf_t *buf, unsigned count, uint32_t *len)
{
    uint16_t id = 0, head = vd_add(vd, index, buf, count);
    vd_kick(vd, index);
    return vd_used(vd, index, &id, len) && id == head;
}

/* The machine's periodic call of the device. */
static inline void vd_update(vd_t *vd)
{
    if (vd->mmio->type->update) {
        vd->mmio->type->update(vd->mmio);
    }
}

#endif
