/* SPDX-License-Identifier: MPL-2.0 */
#include "virtio_core.h"

#define VIRTIO_QUEUE_SIZE 256

static uint32_t load(const uint32_t *p)
{
    return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

static void store(uint32_t *p, uint32_t val)
{
    __atomic_store_n(p, val, __ATOMIC_RELEASE);
}

/* --- Interrupts --- */

static void dev_interrupt(virtio_dev_t *dev, uint32_t bit)
{
    spin_lock(&dev->irq_lock);
    if (load(&dev->status) & VIRTIO_STATUS_DRIVER_OK) {
        dev->isr |= bit;
        dev->carrier.set_irq(dev->carrier.opaque, true);
    }
    spin_unlock(&dev->irq_lock);
}

uint32_t virtio_core_isr(virtio_dev_t *dev)
{
    spin_lock(&dev->irq_lock);
    uint32_t isr = dev->isr;
    spin_unlock(&dev->irq_lock);
    return isr;
}

void virtio_core_ack(virtio_dev_t *dev, uint32_t bits)
{
    spin_lock(&dev->irq_lock);
    dev->isr &= ~bits;
    dev->carrier.set_irq(dev->carrier.opaque, dev->isr != 0);
    spin_unlock(&dev->irq_lock);
}

/* --- What a queue asks of its owner; its lock is held --- */

static void host_interrupt(void *opaque)
{
    dev_interrupt(opaque, VIRTIO_ISR_QUEUE);
}

static void host_malformed(void *opaque, const char *why)
{
    virtio_needs_reset(opaque, why);
}

static void host_starved(void *opaque, unsigned index)
{
    virtio_dev_t *dev = opaque;
    store(&dev->queue[index].late, 1);
    store(&dev->late, 1);
}

/* --- The device's calls --- */

virtq_t *virtio_queue(virtio_dev_t *dev, unsigned index)
{
    return &dev->queue[index].vq;
}

uint64_t virtio_features(const virtio_dev_t *dev)
{
    return (uint64_t)load(&dev->accepted[1]) << 32 | load(&dev->accepted[0]);
}

bool virtio_ready(const virtio_dev_t *dev)
{
    return load(&dev->live) != 0;
}

bool virtio_legacy(const virtio_dev_t *dev)
{
    return dev->carrier.legacy;
}

rvvm_machine_t *virtio_machine(const virtio_dev_t *dev)
{
    return dev->machine;
}

void virtio_needs_reset(virtio_dev_t *dev, const char *why)
{
    uint32_t old = __atomic_fetch_or(&dev->status, VIRTIO_STATUS_NEEDS_RESET, __ATOMIC_ACQ_REL);
    store(&dev->live, 0);
    if (old & VIRTIO_STATUS_NEEDS_RESET) {
        return;
    }
    if (!__atomic_exchange_n(&dev->told, 1, __ATOMIC_RELAXED)) {
        rvvm_warn("%s: the guest has to reset the device: %s", dev->desc.type->name, why);
    }
    dev_interrupt(dev, VIRTIO_ISR_CONFIG);
}

void virtio_config_changed(virtio_dev_t *dev)
{
    dev_interrupt(dev, VIRTIO_ISR_CONFIG);
}

/* --- Configuration space --- */

/* Cuts a range to the space; returns the length that is left. */
static size_t config_range(const virtio_dev_t *dev, size_t offset, size_t len)
{
    size_t size = dev->desc.config_size;
    if (offset >= size) {
        return 0;
    }
    return len < size - offset ? len : size - offset;
}

/* True when bytes changed. */
static bool config_put(virtio_dev_t *dev, size_t offset, const void *src, size_t len)
{
    len = config_range(dev, offset, len);
    spin_lock(&dev->config_lock);
    bool changed = len && memcmp(dev->config + offset, src, len) != 0;
    if (changed) {
        memcpy(dev->config + offset, src, len);
        dev->generation++;
    }
    spin_unlock(&dev->config_lock);
    return changed;
}

void virtio_config_set(virtio_dev_t *dev, size_t offset, const void *src, size_t len)
{
    config_put(dev, offset, src, len);
}

void virtio_config_get(virtio_dev_t *dev, size_t offset, void *dst, size_t len)
{
    size_t inside = config_range(dev, offset, len);
    memset(dst, 0, len);
    spin_lock(&dev->config_lock);
    if (inside) {
        memcpy(dst, dev->config + offset, inside);
    }
    spin_unlock(&dev->config_lock);
}

void virtio_core_config_read(virtio_dev_t *dev, size_t offset, void *dst, size_t len)
{
    virtio_config_get(dev, offset, dst, len);
}

void virtio_core_config_write(virtio_dev_t *dev, size_t offset, const void *src, size_t len)
{
    size_t inside = config_range(dev, offset, len);
    if (!dev->desc.type->config_written || !inside) {
        return;
    }
    spin_lock_slow(&dev->lock);
    config_put(dev, offset, src, inside);
    dev->desc.type->config_written(dev->desc.data, offset, inside);
    spin_unlock(&dev->lock);
}

uint32_t virtio_core_generation(virtio_dev_t *dev)
{
    spin_lock(&dev->config_lock);
    uint32_t generation = dev->generation;
    spin_unlock(&dev->config_lock);
    return generation;
}

/* --- Notifications from the driver --- */

/*
 * Calls notify for the kicks that are due, unless another thread does: that one looks at them after it
 * lets go of `serving`. Both sides change kicks by read-modify-write, so one of them sees the other.
 */
static void queue_serve(virtio_dev_t *dev, unsigned index)
{
    virtio_queue_t *queue = &dev->queue[index];
    while (__atomic_fetch_add(&queue->kicks, 0, __ATOMIC_ACQ_REL)) {
        if (!spin_try_lock(&queue->serving)) {
            return;
        }
        if (__atomic_exchange_n(&queue->kicks, 0, __ATOMIC_ACQ_REL) && load(&dev->live)) {
            dev->desc.type->notify(dev->desc.data, index);
        }
        spin_unlock(&queue->serving);
    }
}

void virtio_kick(virtio_dev_t *dev, unsigned index)
{
    __atomic_fetch_add(&dev->queue[index].kicks, 1, __ATOMIC_ACQ_REL);
    queue_serve(dev, index);
}

/* Some legacy drivers use a device before they set DRIVER_OK (§3.1.2): it starts then. */
static void legacy_early_start(virtio_dev_t *dev)
{
    uint32_t status = load(&dev->status);
    uint32_t broken = VIRTIO_STATUS_NEEDS_RESET | VIRTIO_STATUS_FAILED | VIRTIO_STATUS_DRIVER_OK;
    if (dev->carrier.legacy && (status & VIRTIO_STATUS_DRIVER) && !(status & broken)) {
        virtio_core_set_status(dev, status | VIRTIO_STATUS_DRIVER_OK);
    }
}

void virtio_core_notified(virtio_dev_t *dev, uint32_t index)
{
    if (index >= dev->desc.queues) {
        return;
    }
    legacy_early_start(dev);
    if (load(&dev->live) && virtq_is_ready(&dev->queue[index].vq)) {
        virtio_kick(dev, index);
    }
}

/* --- Queues --- */

virtio_queue_t *virtio_core_queue(virtio_dev_t *dev, uint32_t index)
{
    return index < dev->desc.queues ? &dev->queue[index] : NULL;
}

void virtio_core_enable(virtio_dev_t *dev, virtio_queue_t *queue)
{
    uint64_t features = virtio_features(dev);
    uint32_t status = load(&dev->status);
    if (virtq_is_ready(&queue->vq) || (!dev->carrier.legacy && !(status & VIRTIO_STATUS_FEATURES_OK))) {
        return;
    }
    const virtq_setup_t setup = {
        .desc = queue->desc,
        .driver = queue->driver,
        .device = queue->device,
        .size = queue->size,
        .packed = features & VIRTIO_F_RING_PACKED,
        .event_idx = features & VIRTIO_F_EVENT_IDX,
        .indirect = features & VIRTIO_F_INDIRECT_DESC,
        .in_order = features & VIRTIO_F_IN_ORDER,
    };
    const char *wrong = virtq_start(&queue->vq, &setup);
    if (wrong) {
        virtio_needs_reset(dev, wrong);
    } else if (load(&dev->live)) {
        virtio_kick(dev, queue->vq.index);
    }
}

static void queue_registers_reset(virtio_queue_t *queue)
{
    queue->desc = queue->driver = queue->device = 0;
    queue->pfn = 0;
    queue->size = queue->size_max;
}

void virtio_core_disable(virtio_dev_t *dev, virtio_queue_t *queue)
{
    unsigned index = queue->vq.index;
    virtq_stop(&queue->vq);
    spin_lock_slow(&queue->serving);
    if (dev->desc.type->queue_reset) {
        dev->desc.type->queue_reset(dev->desc.data, index);
    }
    spin_unlock(&queue->serving);
    queue_serve(dev, index);
}

/* No notify runs when this returns, and none starts while the device is not live. */
static void queues_stop(virtio_dev_t *dev)
{
    for (unsigned i = 0; i < dev->desc.queues; i++) {
        virtio_queue_t *queue = &dev->queue[i];
        virtq_stop(&queue->vq);
        spin_lock_slow(&queue->serving);
        __atomic_store_n(&queue->kicks, 0, __ATOMIC_RELEASE);
        spin_unlock(&queue->serving);
    }
}

/* --- Status and features --- */

uint32_t virtio_core_status(const virtio_dev_t *dev)
{
    return load(&dev->status);
}

uint32_t virtio_core_features(const virtio_dev_t *dev, uint32_t sel)
{
    return sel == 0 ? (uint32_t)dev->offered : sel == 1 ? (uint32_t)(dev->offered >> 32) : 0;
}

static void accept(virtio_dev_t *dev, uint64_t features)
{
    store(&dev->accepted[0], (uint32_t)features);
    store(&dev->accepted[1], (uint32_t)(features >> 32));
}

/* A legacy driver has no FEATURES_OK: what it writes counts at once. */
void virtio_core_set_features(virtio_dev_t *dev, uint32_t sel, uint32_t val)
{
    spin_lock_slow(&dev->lock);
    if (sel < 2 && !(load(&dev->status) & (VIRTIO_STATUS_FEATURES_OK | VIRTIO_STATUS_DRIVER_OK))) {
        unsigned shift = 32 * sel;
        dev->wanted = (dev->wanted & ~(UINT64_C(0xFFFFFFFF) << shift)) | (uint64_t)val << shift;
        if (dev->carrier.legacy) {
            accept(dev, dev->wanted & dev->offered);
        }
    }
    spin_unlock(&dev->lock);
}

/* §2.2.2, §6.2: a subset of what was offered, with VERSION_1, and to the device's liking. */
static bool features_acceptable(virtio_dev_t *dev)
{
    const virtio_type_t *type = dev->desc.type;
    if (!dev->carrier.legacy &&
        ((dev->wanted & ~dev->offered) || !(dev->wanted & VIRTIO_F_VERSION_1))) {
        return false;
    }
    return !type->features_ok || type->features_ok(dev->desc.data, dev->wanted & dev->offered);
}

static void start(virtio_dev_t *dev)
{
    __atomic_fetch_or(&dev->status, VIRTIO_STATUS_DRIVER_OK, __ATOMIC_ACQ_REL);
    if (dev->carrier.legacy && !features_acceptable(dev)) {
        virtio_needs_reset(dev, "features that do not go together");
    }
    if (load(&dev->status) & (VIRTIO_STATUS_NEEDS_RESET | VIRTIO_STATUS_FAILED)) {
        return;
    }
    if (dev->desc.type->ready) {
        dev->desc.type->ready(dev->desc.data);
    }
    store(&dev->live, 1);
    if (load(&dev->status) & VIRTIO_STATUS_NEEDS_RESET) {
        store(&dev->live, 0); /* it broke just now, in another thread */
    }
    for (unsigned i = 0; i < dev->desc.queues; i++) {
        if (virtq_is_ready(&dev->queue[i].vq)) {
            virtio_kick(dev, i);
        }
    }
}

/* dev->lock is held. */
static void reset(virtio_dev_t *dev)
{
    store(&dev->live, 0);
    store(&dev->frozen, 0);
    queues_stop(dev);
    spin_lock(&dev->irq_lock);
    store(&dev->status, 0);
    dev->isr = 0;
    dev->carrier.set_irq(dev->carrier.opaque, false);
    spin_unlock(&dev->irq_lock);
    dev->wanted = 0;
    accept(dev, 0);
    for (unsigned i = 0; i < dev->desc.queues; i++) {
        queue_registers_reset(&dev->queue[i]);
    }
    if (dev->desc.type->reset) {
        dev->desc.type->reset(dev->desc.data);
    }
}

static void write_status(virtio_dev_t *dev, uint32_t val)
{
    uint32_t added = val & ~load(&dev->status);
    uint32_t plain = VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER | VIRTIO_STATUS_FAILED;
    if (val == 0) {
        reset(dev);
        return;
    }
    __atomic_fetch_or(&dev->status, added & plain, __ATOMIC_ACQ_REL);
    if (added & VIRTIO_STATUS_FAILED) {
        store(&dev->live, 0);
    }
    if ((added & VIRTIO_STATUS_FEATURES_OK) && (dev->carrier.legacy || features_acceptable(dev))) {
        accept(dev, dev->wanted & dev->offered);
        __atomic_fetch_or(&dev->status, VIRTIO_STATUS_FEATURES_OK, __ATOMIC_ACQ_REL);
    }
    bool features_ok = load(&dev->status) & VIRTIO_STATUS_FEATURES_OK;
    if ((added & VIRTIO_STATUS_DRIVER_OK) && (features_ok || dev->carrier.legacy)) {
        start(dev);
    }
}

void virtio_core_set_status(virtio_dev_t *dev, uint32_t val)
{
    spin_lock_slow(&dev->lock);
    write_status(dev, val);
    spin_unlock(&dev->lock);
}

/* --- The machine's callbacks --- */

void virtio_core_reset(virtio_dev_t *dev)
{
    virtio_core_set_status(dev, 0);
}

/* After a snapshot, and after resuming, the queues are looked at when the machine runs. */
static void queues_later(virtio_dev_t *dev)
{
    for (unsigned i = 0; i < dev->desc.queues; i++) {
        host_starved(dev, i);
    }
}

static void thaw(virtio_dev_t *dev)
{
    for (unsigned i = 0; i < dev->desc.queues; i++) {
        virtq_thaw(&dev->queue[i].vq);
    }
    queues_later(dev);
    if (dev->desc.type->suspend) {
        dev->desc.type->suspend(dev->desc.data, NULL, true);
    }
}

void virtio_core_update(virtio_dev_t *dev)
{
    if (__atomic_exchange_n(&dev->frozen, 0, __ATOMIC_ACQ_REL)) {
        spin_lock_slow(&dev->lock);
        thaw(dev);
        spin_unlock(&dev->lock);
    }
    if (__atomic_exchange_n(&dev->late, 0, __ATOMIC_ACQ_REL)) {
        for (unsigned i = 0; i < dev->desc.queues; i++) {
            if (__atomic_exchange_n(&dev->queue[i].late, 0, __ATOMIC_ACQ_REL)) {
                virtio_kick(dev, i);
            }
        }
    }
    if (dev->desc.type->update) {
        dev->desc.type->update(dev->desc.data);
    }
}

static bool snapshot_fields(virtio_dev_t *dev, rvvm_snapshot_t *snap, bool resume)
{
    uint32_t status = load(&dev->status);
    uint64_t accepted = virtio_features(dev);
    bool ok = rvvm_snapshot_section(snap, dev->desc.type->name) &&
              rvvm_snapshot_field(snap, status) && rvvm_snapshot_field(snap, dev->wanted) &&
              rvvm_snapshot_field(snap, accepted) && rvvm_snapshot_field(snap, dev->isr) &&
              rvvm_snapshot_field(snap, dev->generation);
    if (ok && resume) {
        ok = !(accepted & ~dev->offered);
        accept(dev, accepted);
        store(&dev->status, status & 0xFF);
    }
    for (unsigned i = 0; ok && i < dev->desc.queues; i++) {
        virtio_queue_t *queue = &dev->queue[i];
        ok = rvvm_snapshot_field(snap, queue->desc) && rvvm_snapshot_field(snap, queue->driver) &&
             rvvm_snapshot_field(snap, queue->device) && rvvm_snapshot_field(snap, queue->size) &&
             rvvm_snapshot_field(snap, queue->pfn) && virtq_snapshot(&queue->vq, snap);
    }
    return ok && (!dev->desc.config_size ||
                  rvvm_snapshot_data(snap, dev->config, dev->desc.config_size));
}

/* Interrupts that came after the snapshot was taken are made up for: drivers bear one too many. */
static void snapshot_resumed(virtio_dev_t *dev)
{
    uint32_t status = load(&dev->status);
    if ((status & VIRTIO_STATUS_DRIVER_OK) &&
        !(status & (VIRTIO_STATUS_NEEDS_RESET | VIRTIO_STATUS_FAILED))) {
        store(&dev->live, 1);
        queues_later(dev);
    }
    dev_interrupt(dev, VIRTIO_ISR_QUEUE | VIRTIO_ISR_CONFIG);
}

static bool snapshot_read(virtio_dev_t *dev, rvvm_snapshot_t *snap)
{
    const virtio_type_t *type = dev->desc.type;
    reset(dev);
    if (!snapshot_fields(dev, snap, true)) {
        reset(dev);
        return false;
    }
    if (type->suspend) {
        type->suspend(dev->desc.data, snap, true);
    }
    snapshot_resumed(dev);
    return true;
}

bool virtio_core_suspend(virtio_dev_t *dev, rvvm_snapshot_t *snap, bool resume)
{
    const virtio_type_t *type = dev->desc.type;
    bool ok = true;
    spin_lock_slow(&dev->lock);
    if (snap && resume) {
        ok = snapshot_read(dev, snap);
    } else {
        if (type->quiesce && !resume) {
            type->quiesce(dev->desc.data);
        }
        for (unsigned i = 0; i < dev->desc.queues && !resume; i++) {
            virtq_freeze(&dev->queue[i].vq);
        }
        store(&dev->frozen, !resume);
        if (resume) {
            thaw(dev);
        } else {
            ok = !snap || snapshot_fields(dev, snap, false);
            if (type->suspend) {
                type->suspend(dev->desc.data, snap, false);
            }
        }
    }
    spin_unlock(&dev->lock);
    return ok;
}

/* --- Making and freeing --- */

static bool desc_ok(const virtio_desc_t *desc)
{
    bool ok = desc->queues <= VIRTIO_QUEUES_MAX && desc->config_size <= VIRTIO_CONFIG_MAX &&
              desc->shms <= VIRTIO_SHM_MAX;
    for (unsigned i = 0; ok && i < desc->queues; i++) {
        unsigned size = desc->queue_size[i];
        ok = size <= VIRTQ_SIZE_MAX && !(size & (size - 1));
    }
    return ok;
}

static void queues_init(virtio_dev_t *dev)
{
    const virtq_host_t host = {
        .interrupt = host_interrupt,
        .malformed = host_malformed,
        .starved = host_starved,
        .opaque = dev,
        .live = &dev->live,
    };
    for (unsigned i = 0; i < dev->desc.queues; i++) {
        virtio_queue_t *queue = &dev->queue[i];
        uint16_t size = dev->desc.queue_size[i];
        queue->size_max = size ? size : VIRTIO_QUEUE_SIZE;
        spin_init(&queue->serving);
        virtq_init(&queue->vq, i, queue->size_max, dev->machine, &host);
        queue_registers_reset(queue);
    }
}

static uint64_t features_offered(const virtio_desc_t *desc, const virtio_carrier_t *carrier)
{
    uint64_t features = desc->features | carrier->features;
    if (carrier->legacy) {
        return (features & UINT32_MAX) | VIRTIO_F_ANY_LAYOUT;
    }
    return (features & ~VIRTIO_F_ANY_LAYOUT) | VIRTIO_F_VERSION_1;
}

virtio_dev_t *virtio_core_create(rvvm_machine_t *machine, const virtio_desc_t *desc,
                                 const virtio_carrier_t *carrier)
{
    virtio_dev_t *dev = desc_ok(desc) ? calloc(1, sizeof(*dev)) : NULL;
    if (dev) {
        dev->queue = calloc(desc->queues ? desc->queues : 1, sizeof(*dev->queue));
        dev->config = calloc(1, desc->config_size ? desc->config_size : 1u);
    }
    if (!dev || !dev->queue || !dev->config) {
        if (dev) {
            free(dev->queue);
            free(dev->config);
            free(dev);
        }
        desc->type->remove(desc->data);
        return NULL;
    }
    dev->desc = *desc;
    dev->carrier = *carrier;
    dev->machine = machine;
    dev->offered = features_offered(desc, carrier);
    spin_init(&dev->lock);
    spin_init(&dev->config_lock);
    spin_init(&dev->irq_lock);
    if (desc->config) {
        memcpy(dev->config, desc->config, desc->config_size);
    }
    dev->desc.config = NULL;
    queues_init(dev);
    return dev;
}

void virtio_core_destroy(virtio_dev_t *dev)
{
    spin_lock_slow(&dev->lock);
    store(&dev->live, 0);
    queues_stop(dev);
    spin_lock(&dev->irq_lock);
    store(&dev->status, 0);
    spin_unlock(&dev->irq_lock);
    spin_unlock(&dev->lock);
    dev->desc.type->remove(dev->desc.data);
    for (unsigned i = 0; i < dev->desc.queues; i++) {
        virtq_free(&dev->queue[i].vq);
    }
    free(dev->queue);
    free(dev->config);
    free(dev);
}
