/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The MMIO transport: registers of VirtIO 1.2 §4.2.2 and of the legacy interface, §4.2.4.
 *
 * Registers are 32 bits wide; narrower accesses to them read 0 and write nothing. The configuration space
 * takes 8, 16 and 32 bits.
 */
#include "virtio_mmio.h"

#include "virtio_core.h"

enum {
    REG_MAGIC = 0x000,
    REG_VERSION = 0x004,
    REG_DEVICE_ID = 0x008,
    REG_VENDOR_ID = 0x00C,
    REG_DEVICE_FEATURES = 0x010,
    REG_DEVICE_FEATURES_SEL = 0x014,
    REG_DRIVER_FEATURES = 0x020,
    REG_DRIVER_FEATURES_SEL = 0x024,
    REG_GUEST_PAGE_SIZE = 0x028, /* legacy */
    REG_QUEUE_SEL = 0x030,
    REG_QUEUE_NUM_MAX = 0x034,
    REG_QUEUE_NUM = 0x038,
    REG_QUEUE_ALIGN = 0x03C, /* legacy */
    REG_QUEUE_PFN = 0x040,   /* legacy */
    REG_QUEUE_READY = 0x044,
    REG_QUEUE_NOTIFY = 0x050,
    REG_INTERRUPT_STATUS = 0x060,
    REG_INTERRUPT_ACK = 0x064,
    REG_STATUS = 0x070,
    REG_QUEUE_DESC_LOW = 0x080,
    REG_QUEUE_DESC_HIGH = 0x084,
    REG_QUEUE_DRIVER_LOW = 0x090,
    REG_QUEUE_DRIVER_HIGH = 0x094,
    REG_QUEUE_DEVICE_LOW = 0x0A0,
    REG_QUEUE_DEVICE_HIGH = 0x0A4,
    REG_SHM_SEL = 0x0AC,
    REG_SHM_LEN_LOW = 0x0B0,
    REG_SHM_LEN_HIGH = 0x0B4,
    REG_SHM_BASE_LOW = 0x0B8,
    REG_SHM_BASE_HIGH = 0x0BC,
    REG_QUEUE_RESET = 0x0C0,
    REG_CONFIG_GENERATION = 0x0FC,
    REG_CONFIG = 0x100,

    MMIO_MAGIC = 0x74726976,  /* "virt" */
    MMIO_VENDOR = 0x54494B52, /* "RKIT" */
    MMIO_LEGACY_ALIGN = 4096, /* until the driver says otherwise */
};

typedef struct {
    virtio_dev_t *dev;
    compat_irq_t irq;

    /* Under dev->lock. */
    uint32_t device_features_sel, driver_features_sel;
    uint32_t queue_sel, shm_sel;
    uint32_t page_size, align;

    rvvm_addr_t shm_addr[VIRTIO_SHM_MAX]; /* constant once attached */
} virtio_mmio_t;

static void mmio_set_irq(void *opaque, bool level)
{
    compat_irq_set(&((virtio_mmio_t *)opaque)->irq, level);
}

/* §4.2.2, SHMSel: all ones for a region that does not exist. */
static uint64_t shm_value(const virtio_mmio_t *mmio, bool base)
{
    const virtio_desc_t *desc = &mmio->dev->desc;
    for (unsigned i = 0; i < desc->shms; i++) {
        if (desc->shm[i].id == mmio->shm_sel) {
            return base ? mmio->shm_addr[i] : desc->shm[i].size;
        }
    }
    return UINT64_MAX;
}

/* Registers that depend on a selector. dev->lock is held. */
static uint32_t read_selected(virtio_mmio_t *mmio, size_t offset)
{
    bool legacy = mmio->dev->carrier.legacy;
    virtio_queue_t *queue = virtio_core_queue(mmio->dev, mmio->queue_sel);
    switch (offset) {
    case REG_DEVICE_FEATURES:
        return virtio_core_features(mmio->dev, mmio->device_features_sel);
    case REG_QUEUE_NUM_MAX:
        return queue ? queue->size_max : 0;
    case REG_QUEUE_READY:
        return queue && !legacy ? virtq_is_ready(&queue->vq) : 0;
    case REG_QUEUE_PFN:
        return queue && legacy ? queue->pfn : 0;
    case REG_SHM_LEN_LOW:
        return legacy ? 0 : (uint32_t)shm_value(mmio, false);
    case REG_SHM_LEN_HIGH:
        return legacy ? 0 : (uint32_t)(shm_value(mmio, false) >> 32);
    case REG_SHM_BASE_LOW:
        return legacy ? 0 : (uint32_t)shm_value(mmio, true);
    case REG_SHM_BASE_HIGH:
        return legacy ? 0 : (uint32_t)(shm_value(mmio, true) >> 32);
    default:
        return 0; /* QUEUE_RESET too: such a reset is over when its write returns */
    }
}

static uint32_t read_register(virtio_mmio_t *mmio, size_t offset)
{
    virtio_dev_t *dev = mmio->dev;
    switch (offset) {
    case REG_MAGIC:
        return MMIO_MAGIC;
    case REG_VERSION:
        return dev->carrier.legacy ? 1 : 2;
    case REG_DEVICE_ID:
        return dev->desc.id;
    case REG_VENDOR_ID:
        return MMIO_VENDOR;
    case REG_INTERRUPT_STATUS:
        return virtio_core_isr(dev);
    case REG_STATUS:
        return virtio_core_status(dev);
    case REG_CONFIG_GENERATION:
        return dev->carrier.legacy ? 0 : virtio_core_generation(dev);
    default:
        break;
    }
    spin_lock_slow(&dev->lock);
    uint32_t val = read_selected(mmio, offset);
    spin_unlock(&dev->lock);
    return val;
}

static void set_low(uint64_t *reg, uint32_t val)
{
    *reg = (*reg & ~UINT64_C(0xFFFFFFFF)) | val;
}

static void set_high(uint64_t *reg, uint32_t val)
{
    *reg = (*reg & 0xFFFFFFFF) | (uint64_t)val << 32;
}

/* §2.7.2: where the areas of a legacy queue lie. A new place replaces the old one, 0 takes it away. */
static void write_queue_pfn(virtio_mmio_t *mmio, virtio_queue_t *queue, uint32_t pfn)
{
    uint64_t align = mmio->align, size = queue->size;
    if (virtq_is_ready(&queue->vq)) {
        virtio_core_disable(mmio->dev, queue);
    }
    queue->pfn = pfn;
    if (pfn == 0) {
        return;
    }
    queue->desc = (uint64_t)pfn * mmio->page_size;
    queue->driver = queue->desc + VIRTQ_DESC_SIZE * size;
    uint64_t end = queue->driver + 2 * (3 + size);
    queue->device = (end + align - 1) & ~(align - 1);
    virtio_core_enable(mmio->dev, queue);
}

static void write_queue_ready(virtio_mmio_t *mmio, virtio_queue_t *queue, uint32_t val)
{
    if (val & 1) {
        virtio_core_enable(mmio->dev, queue);
    } else if (virtq_is_ready(&queue->vq)) {
        virtio_core_disable(mmio->dev, queue);
    }
}

/* Legacy registers of the selected queue. */
static void write_queue_legacy(virtio_mmio_t *mmio, virtio_queue_t *queue, size_t offset, uint32_t val)
{
    if (offset == REG_QUEUE_PFN) {
        write_queue_pfn(mmio, queue, val);
    } else if (offset == REG_QUEUE_NUM && !virtq_is_ready(&queue->vq)) {
        queue->size = (uint16_t)(val > UINT16_MAX ? 0 : val);
    }
}

/* Registers of the selected queue; a queue that is in use only takes READY and RESET (§4.2.2.2). */
static void write_queue(virtio_mmio_t *mmio, virtio_queue_t *queue, size_t offset, uint32_t val)
{
    if (offset == REG_QUEUE_READY) {
        write_queue_ready(mmio, queue, val);
        return;
    }
    if (offset == REG_QUEUE_RESET) {
        if ((val & 1) && virtio_has_feature(mmio->dev, VIRTIO_F_RING_RESET)) {
            write_queue_ready(mmio, queue, 0);
        }
        return;
    }
    if (virtq_is_ready(&queue->vq)) {
        return;
    }
    switch (offset) {
    case REG_QUEUE_NUM:
        queue->size = (uint16_t)(val > UINT16_MAX ? 0 : val);
        break;
    case REG_QUEUE_DESC_LOW:
        set_low(&queue->desc, val);
        break;
    case REG_QUEUE_DESC_HIGH:
        set_high(&queue->desc, val);
        break;
    case REG_QUEUE_DRIVER_LOW:
        set_low(&queue->driver, val);
        break;
    case REG_QUEUE_DRIVER_HIGH:
        set_high(&queue->driver, val);
        break;
    case REG_QUEUE_DEVICE_LOW:
        set_low(&queue->device, val);
        break;
    case REG_QUEUE_DEVICE_HIGH:
        set_high(&queue->device, val);
        break;
    default:
        break;
    }
}

static bool power_of_two(uint32_t val)
{
    return val && !(val & (val - 1));
}

/* Registers under dev->lock. */
static void write_selected(virtio_mmio_t *mmio, size_t offset, uint32_t val)
{
    virtio_queue_t *queue = virtio_core_queue(mmio->dev, mmio->queue_sel);
    switch (offset) {
    case REG_DEVICE_FEATURES_SEL:
        mmio->device_features_sel = val;
        break;
    case REG_DRIVER_FEATURES_SEL:
        mmio->driver_features_sel = val;
        break;
    case REG_QUEUE_SEL:
        mmio->queue_sel = val;
        break;
    case REG_SHM_SEL:
        mmio->shm_sel = val;
        break;
    case REG_GUEST_PAGE_SIZE:
        mmio->page_size = power_of_two(val) ? val : mmio->page_size;
        break;
    case REG_QUEUE_ALIGN:
        mmio->align = power_of_two(val) ? val : mmio->align;
        break;
    default:
        if (queue && mmio->dev->carrier.legacy) {
            write_queue_legacy(mmio, queue, offset, val);
        } else if (queue) {
            write_queue(mmio, queue, offset, val);
        }
        break;
    }
}

static void selectors_reset(virtio_mmio_t *mmio)
{
    mmio->device_features_sel = mmio->driver_features_sel = 0;
    mmio->queue_sel = mmio->shm_sel = 0;
    mmio->align = MMIO_LEGACY_ALIGN;
}

static void write_driver_features(virtio_mmio_t *mmio, uint32_t val)
{
    spin_lock_slow(&mmio->dev->lock);
    uint32_t sel = mmio->driver_features_sel;
    spin_unlock(&mmio->dev->lock);
    virtio_core_set_features(mmio->dev, sel, val);
}

/* GuestPageSize stays: Linux tells it once, and resets the device afterwards. */
static void write_status(virtio_mmio_t *mmio, uint32_t val)
{
    if (val == 0) {
        spin_lock_slow(&mmio->dev->lock);
        selectors_reset(mmio);
        spin_unlock(&mmio->dev->lock);
    }
    virtio_core_set_status(mmio->dev, val);
}

static void write_register(virtio_mmio_t *mmio, size_t offset, uint32_t val)
{
    switch (offset) {
    case REG_DRIVER_FEATURES:
        write_driver_features(mmio, val);
        break;
    case REG_QUEUE_NOTIFY:
        virtio_core_notified(mmio->dev, val);
        break;
    case REG_INTERRUPT_ACK:
        virtio_core_ack(mmio->dev, val);
        break;
    case REG_STATUS:
        write_status(mmio, val);
        break;
    default:
        spin_lock_slow(&mmio->dev->lock);
        write_selected(mmio, offset, val);
        spin_unlock(&mmio->dev->lock);
        break;
    }
}

static bool mmio_read(rvvm_mmio_dev_t *dev, void *data, size_t offset, uint8_t size)
{
    virtio_mmio_t *mmio = dev->data;
    memset(data, 0, size);
    if (offset >= REG_CONFIG) {
        virtio_core_config_read(mmio->dev, offset - REG_CONFIG, data, size);
    } else if (size == 4) {
        write_uint32_le_m(data, read_register(mmio, offset));
    }
    return true;
}

static bool mmio_write(rvvm_mmio_dev_t *dev, void *data, size_t offset, uint8_t size)
{
    virtio_mmio_t *mmio = dev->data;
    if (offset >= REG_CONFIG) {
        virtio_core_config_write(mmio->dev, offset - REG_CONFIG, data, size);
    } else if (size == 4) {
        write_register(mmio, offset, read_uint32_le_m(data));
    }
    return true;
}

static void mmio_reset(rvvm_mmio_dev_t *dev)
{
    virtio_mmio_t *mmio = dev->data;
    write_status(mmio, 0);
    spin_lock_slow(&mmio->dev->lock);
    mmio->page_size = MMIO_LEGACY_ALIGN;
    spin_unlock(&mmio->dev->lock);
}

static void mmio_update(rvvm_mmio_dev_t *dev)
{
    virtio_core_update(((virtio_mmio_t *)dev->data)->dev);
}

static void mmio_remove(rvvm_mmio_dev_t *dev)
{
    virtio_mmio_t *mmio = dev->data;
    virtio_core_destroy(mmio->dev);
    compat_irq_free(&mmio->irq);
    free(mmio);
}

#ifdef RVVM_COMPAT_RVKIT
/* A section of its own for the selectors, before the device's: resuming resets them with the device. */
static void mmio_suspend(rvvm_mmio_dev_t *dev, rvvm_snapshot_t *snap, bool resume)
{
    virtio_mmio_t *mmio = dev->data;
    virtio_core_suspend(mmio->dev, snap, resume);
    if (!snap) {
        return;
    }
    spin_lock_slow(&mmio->dev->lock);
    rvvm_snapshot_section(snap, "virtio-mmio");
    rvvm_snapshot_field(snap, mmio->device_features_sel);
    rvvm_snapshot_field(snap, mmio->driver_features_sel);
    rvvm_snapshot_field(snap, mmio->queue_sel);
    rvvm_snapshot_field(snap, mmio->shm_sel);
    rvvm_snapshot_field(snap, mmio->page_size);
    rvvm_snapshot_field(snap, mmio->align);
    if (!power_of_two(mmio->page_size) || !power_of_two(mmio->align)) {
        mmio->page_size = mmio->align = MMIO_LEGACY_ALIGN;
    }
    spin_unlock(&mmio->dev->lock);
}
#endif

static const rvvm_mmio_type_t mmio_type = {
    .name = "virtio-mmio",
    .remove = mmio_remove,
    .update = mmio_update,
    .reset = mmio_reset,
    COMPAT_MMIO_SUSPEND(mmio_suspend)
};

static void mmio_describe(const virtio_mmio_t *mmio, rvvm_machine_t *machine, rvvm_addr_t addr)
{
    rvvm_fdt_node_t *soc = rvvm_get_fdt_soc(machine);
    rvvm_fdt_node_t *node = soc ? fdt_node_create_reg("virtio_mmio", addr) : NULL;
    if (!node) {
        return;
    }
    fdt_node_add_prop_reg(node, "reg", addr, VIRTIO_MMIO_SIZE);
    fdt_node_add_prop_str(node, "compatible", "virtio,mmio");
    fdt_node_add_prop(node, "dma-coherent", NULL, 0);
    compat_irq_describe(&mmio->irq, node);
    fdt_node_add_child(soc, node);
}

/* Shared memory is a slot of its own, which lives as long as the guest can reach it. */
static void shm_remove(rvvm_mmio_dev_t *dev)
{
    virtio_shm_t *shm = dev->data;
    if (shm && shm->release) {
        shm->release(shm->host, shm->size);
    }
    free(shm);
}

static const rvvm_mmio_type_t shm_type = {
    .name = "virtio-shm",
    .remove = shm_remove,
};

static void shm_release(const virtio_desc_t *desc, unsigned first)
{
    for (unsigned i = first; i < desc->shms && i < VIRTIO_SHM_MAX; i++) {
        if (desc->shm[i].release) {
            desc->shm[i].release(desc->shm[i].host, desc->shm[i].size);
        }
    }
}

static bool shm_attach_one(rvvm_machine_t *machine, virtio_shm_t *shm, rvvm_addr_t *addr)
{
    const rvvm_mmio_dev_t region = {
        .addr = rvvm_mmio_zone_auto(machine, VIRTIO_MMIO_SHM_ADDR, shm->size),
        .size = shm->size,
        .data = shm,
        .mapping = shm->host,
        .type = &shm_type,
    };
    *addr = region.addr;
    return rvvm_attach_mmio(machine, &region) != NULL;
}

/* False: all that was not attached has been released. */
static bool shm_attach(virtio_mmio_t *mmio, rvvm_machine_t *machine)
{
    const virtio_desc_t *desc = &mmio->dev->desc;
    for (unsigned i = 0; i < desc->shms; i++) {
        const virtio_shm_t *from = &desc->shm[i];
        virtio_shm_t *shm = NULL;
        if (from->host && from->size && from->size % 4096 == 0) {
            shm = malloc(sizeof(*shm));
        }
        if (!shm) {
            shm_release(desc, i);
            return false;
        }
        *shm = *from;
        if (!shm_attach_one(machine, shm, &mmio->shm_addr[i])) {
            shm_release(desc, i + 1);
            return false;
        }
    }
    return true;
}

static uint64_t carrier_features(unsigned flags)
{
    uint64_t features = VIRTIO_F_RING_RESET;
    features |= flags & VIRTIO_MMIO_NO_PACKED ? 0 : VIRTIO_F_RING_PACKED;
    features |= flags & VIRTIO_MMIO_NO_EVENT_IDX ? 0 : VIRTIO_F_EVENT_IDX;
    features |= flags & VIRTIO_MMIO_NO_INDIRECT ? 0 : VIRTIO_F_INDIRECT_DESC;
    features |= flags & VIRTIO_MMIO_IN_ORDER ? VIRTIO_F_IN_ORDER : 0;
    return features;
}

/* NULL: the device has been removed. */
static virtio_mmio_t *mmio_create(rvvm_machine_t *machine, const virtio_desc_t *desc, uint32_t irq,
                                  unsigned flags)
{
    virtio_mmio_t *mmio = calloc(1, sizeof(*mmio));
    if (!mmio || !compat_irq_init(&mmio->irq, machine, irq)) {
        free(mmio);
        desc->type->remove(desc->data);
        return NULL;
    }
    const virtio_carrier_t carrier = {
        .set_irq = mmio_set_irq,
        .opaque = mmio,
        .features = carrier_features(flags),
        .legacy = flags & VIRTIO_MMIO_LEGACY,
    };
    mmio->dev = virtio_core_create(machine, desc, &carrier);
    if (!mmio->dev) {
        compat_irq_free(&mmio->irq);
        free(mmio);
        return NULL;
    }
    selectors_reset(mmio);
    mmio->page_size = MMIO_LEGACY_ALIGN;
    return mmio;
}

rvvm_mmio_dev_t *virtio_mmio_init(rvvm_machine_t *machine, const virtio_desc_t *desc, rvvm_addr_t addr,
                                  uint32_t irq, unsigned flags)
{
    virtio_mmio_t *mmio = mmio_create(machine, desc, irq, flags);
    if (!mmio) {
        shm_release(desc, 0);
        return NULL;
    }
    rvvm_mmio_dev_t slot = {
        .addr = addr,
        .size = VIRTIO_MMIO_SIZE,
        .data = mmio,
        .type = &mmio_type,
        .read = mmio_read,
        .write = mmio_write,
        .min_op_size = 1,
        .max_op_size = 4,
    };
    if (!shm_attach(mmio, machine)) {
        rvvm_cleanup_mmio_desc(&slot);
        return NULL;
    }
    desc->type->bind(desc->data, mmio->dev);
    rvvm_mmio_dev_t *dev = rvvm_attach_mmio(machine, &slot);
    if (dev) {
        mmio_describe(mmio, machine, addr);
    }
    return dev;
}

rvvm_mmio_dev_t *virtio_mmio_init_auto(rvvm_machine_t *machine, const virtio_desc_t *desc, unsigned flags)
{
    rvvm_addr_t addr = rvvm_mmio_zone_auto(machine, VIRTIO_MMIO_DEFAULT_ADDR, VIRTIO_MMIO_SIZE);
    return virtio_mmio_init(machine, desc, addr, 0, flags);
}

virtio_dev_t *virtio_mmio_device(rvvm_mmio_dev_t *mmio)
{
    return ((virtio_mmio_t *)mmio->data)->dev;
}

const char *virtio_mmio_name(const rvvm_mmio_dev_t *mmio)
{
    return mmio->type == &mmio_type ? ((const virtio_mmio_t *)mmio->data)->dev->desc.type->name : NULL;
}
