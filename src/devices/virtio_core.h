/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A VirtIO device between its kind (virtio.h) and a transport: status, features, queues, configuration,
 * interrupt status. VirtIO 1.2 §2, §3. For transports only.
 *
 * Threads: the register calls (virtio_core_*) come from hart threads, concurrently; each takes dev->lock.
 * Locks, outermost first: dev->lock, a queue's `serving`, the device's own, the queue's lock, irq_lock.
 */
#ifndef RVKIT_DEVICES_VIRTIO_CORE_H
#define RVKIT_DEVICES_VIRTIO_CORE_H

#include "virtio.h"
#include "virtq_ring.h"

/* Interrupt status bits (§4.2.2). */
enum { VIRTIO_ISR_QUEUE = 1, VIRTIO_ISR_CONFIG = 2 };

/* What the transport does. */
typedef struct {
    /* The level of the interrupt line; a leaf lock is held. */
    void (*set_irq)(void *opaque, bool level);
    void *opaque;
    uint64_t features; /* those of queues and transport to offer; VIRTIO_F_VERSION_1 is added or not */
    bool legacy;
} virtio_carrier_t;

/* A queue as a transport sees it. */
typedef struct {
    virtq_t vq;
    uint64_t desc, driver, device; /* as the driver wrote them */
    uint16_t size, size_max;
    uint32_t pfn;                  /* legacy: what the driver wrote */
    spinlock_t serving;            /* held in notify */
    uint32_t kicks;                /* atomic: calls of notify that are due */
    uint32_t late;                 /* atomic: another is due at the next update */
} virtio_queue_t;

struct virtio_dev {
    virtio_desc_t desc;
    virtio_carrier_t carrier;
    rvvm_machine_t *machine;

    spinlock_t lock; /* guards what the registers show, and orders the device's callbacks */
    uint32_t status; /* atomic: NEEDS_RESET is set without the lock */
    uint32_t live;   /* atomic: DRIVER_OK, and not broken */
    uint32_t late;   /* atomic: a queue has its `late` set */
    uint32_t frozen; /* atomic: since a snapshot, until the machine runs on */
    uint32_t told;   /* atomic: a failure of this device is in the log already */
    uint64_t offered, wanted;
    uint32_t accepted[2]; /* atomic */
    virtio_queue_t *queue;

    spinlock_t config_lock; /* guards config and generation */
    uint8_t *config;
    uint32_t generation;

    spinlock_t irq_lock; /* guards isr, and the level */
    uint32_t isr;
};

/* NULL: no memory, or a bad description; then desc->type->remove() was called. Does not call bind. */
virtio_dev_t *virtio_core_create(rvvm_machine_t *machine, const virtio_desc_t *desc,
                                 const virtio_carrier_t *carrier);

/* Ends the device: no register call may come any more. */
void virtio_core_destroy(virtio_dev_t *dev);

uint32_t virtio_core_status(const virtio_dev_t *dev);
/* 0 resets. */
void virtio_core_set_status(virtio_dev_t *dev, uint32_t val);
/* 32 of the features; sel 0: bits 0 to 31, 1: 32 to 63. */
uint32_t virtio_core_features(const virtio_dev_t *dev, uint32_t sel);
void virtio_core_set_features(virtio_dev_t *dev, uint32_t sel, uint32_t val);

/* The place for a queue's registers, or NULL; the rest is for the thread with dev->lock. */
virtio_queue_t *virtio_core_queue(virtio_dev_t *dev, uint32_t index);
/* Enables a queue where its registers say; §2.1.2 when that fails. */
void virtio_core_enable(virtio_dev_t *dev, virtio_queue_t *queue);
/* Takes a queue away (queue_reset). */
void virtio_core_disable(virtio_dev_t *dev, virtio_queue_t *queue);

/* As virtio_kick(), for any index. */
void virtio_core_notified(virtio_dev_t *dev, uint32_t index);

uint32_t virtio_core_isr(virtio_dev_t *dev);
void virtio_core_ack(virtio_dev_t *dev, uint32_t bits);

/* The driver's accesses to the configuration space; bytes outside read as 0. */
void virtio_core_config_read(virtio_dev_t *dev, size_t offset, void *dst, size_t len);
void virtio_core_config_write(virtio_dev_t *dev, size_t offset, const void *src, size_t len);
uint32_t virtio_core_generation(virtio_dev_t *dev);

/* The machine's reset, update and suspend. */
void virtio_core_reset(virtio_dev_t *dev);
void virtio_core_update(virtio_dev_t *dev);
bool virtio_core_suspend(virtio_dev_t *dev, rvvm_snapshot_t *snap, bool resume);

#endif
