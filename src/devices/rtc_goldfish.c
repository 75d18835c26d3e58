/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The real-time clock of the Goldfish platform (Android's GOLDFISH-VIRTUAL-HARDWARE, "Goldfish timer",
 * with the registers that Linux's rtc-goldfish uses). The clock is the host's; a guest that sets it
 * moves its own difference to the host. An alarm is noticed at the device's update, within about 16 ms.
 */
#include "rtc_goldfish.h"

#include <rvvm/compat.h>

#include "irq_line.h"

#include "../util.h"

enum {
    RTC_SIZE = 0x1000,

    RTC_TIME_LOW = 0x00,     /* r: the low half of now, and keeps the high half; w: sets the clock */
    RTC_TIME_HIGH = 0x04,    /* r: the kept half; w: the high half for the next TIME_LOW */
    RTC_ALARM_LOW = 0x08,    /* w: sets the low half and arms the alarm */
    RTC_ALARM_HIGH = 0x0C,
    RTC_IRQ_ENABLED = 0x10,  /* bit 0 */
    RTC_CLEAR_ALARM = 0x14,  /* w: disarms the alarm */
    RTC_ALARM_STATUS = 0x18, /* r: 1 while the alarm is armed */
    RTC_CLEAR_IRQ = 0x1C,    /* w: takes the interrupt back */
};

typedef struct {
    spinlock_t lock; /* guards everything below it */
    const irq_host_t *host;
    irq_line_t line;

    uint64_t offset; /* guest time minus host time, modulo 2^64 */
    uint64_t alarm;
    uint32_t time_high; /* kept by a read of TIME_LOW */
    uint32_t set_high;  /* kept by a write of TIME_HIGH */
    uint8_t armed;
    uint8_t irq_enabled;
    uint8_t irq_pending;
} rtc_t;

static uint64_t rtc_now(const rtc_t *rtc)
{
    return rtc->host->wall_ns(rtc->host->opaque) + rtc->offset;
}

/* Sets off a due alarm and brings the interrupt line up to date. */
static void rtc_update_irq(rtc_t *rtc)
{
    if (rtc->armed && rtc_now(rtc) >= rtc->alarm) {
        rtc->armed = 0;
        rtc->irq_pending = 1;
    }
    irq_line_set(&rtc->line, rtc->irq_pending && rtc->irq_enabled);
}

static uint32_t rtc_read_reg(rtc_t *rtc, size_t offset)
{
    switch (offset) {
    case RTC_TIME_LOW: {
        uint64_t now = rtc_now(rtc);
        rtc->time_high = (uint32_t)(now >> 32);
        return (uint32_t)now;
    }
    case RTC_TIME_HIGH:
        return rtc->time_high;
    case RTC_ALARM_LOW:
        return (uint32_t)rtc->alarm;
    case RTC_ALARM_HIGH:
        return (uint32_t)(rtc->alarm >> 32);
    case RTC_IRQ_ENABLED:
        return rtc->irq_enabled;
    case RTC_ALARM_STATUS:
        return rtc->armed;
    default:
        return 0;
    }
}

static void rtc_write_reg(rtc_t *rtc, size_t offset, uint32_t val)
{
    switch (offset) {
    case RTC_TIME_LOW:
        rtc->offset += ((uint64_t)rtc->set_high << 32 | val) - rtc_now(rtc);
        break;
    case RTC_TIME_HIGH:
        rtc->set_high = val;
        break;
    case RTC_ALARM_LOW:
        rtc->alarm = (rtc->alarm & ~UINT64_C(0xFFFFFFFF)) | val;
        rtc->armed = 1;
        break;
    case RTC_ALARM_HIGH:
        rtc->alarm = (uint64_t)val << 32 | (uint32_t)rtc->alarm;
        break;
    case RTC_IRQ_ENABLED:
        rtc->irq_enabled = val & 1;
        break;
    case RTC_CLEAR_ALARM:
        rtc->armed = 0;
        break;
    case RTC_CLEAR_IRQ:
        rtc->irq_pending = 0;
        break;
    default:
        break;
    }
}

static bool rtc_mmio_read(rvvm_mmio_dev_t *dev, void *data, size_t offset, uint8_t size)
{
    rtc_t *rtc = dev->data;
    (void)size;
    spin_lock(&rtc->lock);
    util_put_le32(data, rtc_read_reg(rtc, offset));
    spin_unlock(&rtc->lock);
    return true;
}

static bool rtc_mmio_write(rvvm_mmio_dev_t *dev, void *data, size_t offset, uint8_t size)
{
    rtc_t *rtc = dev->data;
    (void)size;
    spin_lock(&rtc->lock);
    rtc_write_reg(rtc, offset, util_get_le32(data));
    rtc_update_irq(rtc);
    spin_unlock(&rtc->lock);
    return true;
}

static void rtc_update(rvvm_mmio_dev_t *dev)
{
    rtc_t *rtc = dev->data;
    spin_lock(&rtc->lock);
    if (rtc->armed) {
        rtc_update_irq(rtc);
    }
    spin_unlock(&rtc->lock);
}

/* The clock goes on as it was set, as one with a battery. */
static void rtc_reset(rvvm_mmio_dev_t *dev)
{
    rtc_t *rtc = dev->data;
    spin_lock(&rtc->lock);
    rtc->alarm = 0;
    rtc->time_high = rtc->set_high = 0;
    rtc->armed = rtc->irq_enabled = rtc->irq_pending = 0;
    rtc_update_irq(rtc);
    spin_unlock(&rtc->lock);
}

static void rtc_suspend(rvvm_mmio_dev_t *dev, rvvm_snapshot_t *snap, bool resume)
{
    rtc_t *rtc = dev->data;
    if (!snap) {
        return;
    }
    spin_lock(&rtc->lock);
    rvvm_snapshot_section(snap, "rtc-goldfish");
    rvvm_snapshot_field(snap, rtc->offset);
    rvvm_snapshot_field(snap, rtc->alarm);
    rvvm_snapshot_field(snap, rtc->time_high);
    rvvm_snapshot_field(snap, rtc->set_high);
    rvvm_snapshot_field(snap, rtc->armed);
    rvvm_snapshot_field(snap, rtc->irq_enabled);
    rvvm_snapshot_field(snap, rtc->irq_pending);
    if (resume) {
        rtc->armed &= 1;
        rtc->irq_enabled &= 1;
        rtc->irq_pending &= 1;
        rtc_update_irq(rtc);
    }
    spin_unlock(&rtc->lock);
}

static void rtc_remove(rvvm_mmio_dev_t *dev)
{
    rtc_t *rtc = dev->data;
    irq_line_free(&rtc->line);
    free(rtc);
}

static const rvvm_mmio_type_t rtc_type = {
    .name = "rtc-goldfish",
    .remove = rtc_remove,
    .update = rtc_update,
    .reset = rtc_reset,
    .suspend = rtc_suspend,
};

static void rtc_fdt_describe(const rtc_t *rtc, rvvm_machine_t *machine, rvvm_addr_t addr)
{
    rvvm_fdt_node_t *node = rvvm_fdt_init_reg("rtc", addr);
    rvvm_fdt_prop_set_reg(node, "reg", addr, RTC_SIZE);
    rvvm_fdt_prop_set_str(node, "compatible", "google,goldfish-rtc");
    irq_line_describe(&rtc->line, node);
    rvvm_fdt_attach(rvvm_get_fdt_soc(machine), node);
}

rvvm_mmio_dev_t *rtc_goldfish_init_host(rvvm_machine_t *machine, const irq_host_t *host,
                                        rvvm_addr_t addr, rvvm_irq_dev_t *irq_dev, rvvm_irq_t irq)
{
    rtc_t *rtc = safe_new_obj(rtc_t);
    if (!rtc) {
        return NULL;
    }
    rtc->host = host;
    if (!irq_line_init(&rtc->line, machine, irq_dev, irq)) {
        free(rtc);
        return NULL;
    }
    const rvvm_mmio_dev_t desc = {
        .addr = addr,
        .size = RTC_SIZE,
        .data = rtc,
        .type = &rtc_type,
        .read = rtc_mmio_read,
        .write = rtc_mmio_write,
        .min_op_size = 4,
        .max_op_size = 4,
    };
    rvvm_mmio_dev_t *dev = rvvm_attach_mmio(machine, &desc);
    if (dev) {
        rtc_fdt_describe(rtc, machine, addr);
    }
    return dev;
}

rvvm_mmio_dev_t *rtc_goldfish_init(rvvm_machine_t *machine, rvvm_addr_t addr, rvvm_irq_dev_t *irq_dev,
                                   rvvm_irq_t irq)
{
    return rtc_goldfish_init_host(machine, irq_host_get(machine), addr, irq_dev, irq);
}

rvvm_mmio_dev_t *rtc_goldfish_init_auto(rvvm_machine_t *machine)
{
    return rtc_goldfish_init(machine, rvvm_mmio_zone_auto(machine, RTC_GOLDFISH_DEFAULT_MMIO, RTC_SIZE),
                             NULL, 0);
}
