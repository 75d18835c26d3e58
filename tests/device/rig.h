/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What device tests share: a machine whose harts never run, stand-ins for the harts' lines, the clock,
 * the interrupt controller and the chardev, and register access as a guest driver has it.
 *
 * The rules that tests state are listed with what is in prove.h.
 */
#ifndef RVKIT_TESTS_DEVICE_RIG_H
#define RVKIT_TESTS_DEVICE_RIG_H

#include <stdlib.h>

#include <rvvm/compat.h>

#include "devices/irq_host.h"
#include "prove.h"
#include "util.h"

enum { RIG_HARTS = 4 };

/* The harts' side: mip lines, timers and clocks that only move when a test moves them. */
typedef struct {
    irq_host_t host;
    uint32_t lines[RIG_HARTS]; /* one bit per line, atomic */
    uint32_t changes;          /* calls of set_irq, atomic */
    uint64_t time, time_step;  /* time() advances by time_step after each call */
    uint64_t mtimecmp[RIG_HARTS];
    uint64_t wall_ns;
} rig_host_t;

static inline void rig_set_irq(void *opaque, uint32_t hart, unsigned line, bool level)
{
    rig_host_t *rig = opaque;
    uint32_t bit = UINT32_C(1) << line;
    if (hart >= RIG_HARTS) {
        abort();
    }
    __atomic_fetch_add(&rig->changes, 1, __ATOMIC_RELAXED);
    if (level) {
        __atomic_fetch_or(&rig->lines[hart], bit, __ATOMIC_ACQ_REL);
    } else {
        __atomic_fetch_and(&rig->lines[hart], ~bit, __ATOMIC_ACQ_REL);
    }
}

static inline bool rig_line(rig_host_t *rig, uint32_t hart, unsigned line)
{
    return __atomic_load_n(&rig->lines[hart], __ATOMIC_ACQUIRE) >> line & 1;
}

static inline uint64_t rig_time(void *opaque)
{
    rig_host_t *rig = opaque;
    return __atomic_fetch_add(&rig->time, rig->time_step, __ATOMIC_RELAXED);
}

static inline void rig_set_time(void *opaque, uint64_t ticks)
{
    ((rig_host_t *)opaque)->time = ticks;
}

static inline uint64_t rig_get_mtimecmp(void *opaque, uint32_t hart)
{
    return ((rig_host_t *)opaque)->mtimecmp[hart];
}

static inline void rig_set_mtimecmp(void *opaque, uint32_t hart, uint64_t ticks)
{
    ((rig_host_t *)opaque)->mtimecmp[hart] = ticks;
}

static inline uint64_t rig_wall_ns(void *opaque)
{
    return ((rig_host_t *)opaque)->wall_ns;
}

static inline void rig_host_init(rig_host_t *rig)
{
    memset(rig, 0, sizeof(*rig));
    rig->host = (irq_host_t){
        .opaque = rig,
        .harts = RIG_HARTS,
        .set_irq = rig_set_irq,
        .time = rig_time,
        .set_time = rig_set_time,
        .get_mtimecmp = rig_get_mtimecmp,
        .set_mtimecmp = rig_set_mtimecmp,
        .wall_ns = rig_wall_ns,
    };
}

/* An interrupt controller that only remembers the levels of 8 lines. */
typedef struct {
    rvvm_irq_dev_t *dev;
    uint32_t level;  /* one bit per line, atomic */
    uint32_t rising; /* transitions to high, atomic */
} rig_intc_t;

static inline void rig_intc_set(rvvm_irq_dev_t *dev, rvvm_irq_t irq, bool level)
{
    rig_intc_t *intc = rvvm_irq_dev_data(dev);
    uint32_t bit = UINT32_C(1) << (irq & 31);
    if (!level) {
        __atomic_fetch_and(&intc->level, ~bit, __ATOMIC_ACQ_REL);
    } else if (!(__atomic_fetch_or(&intc->level, bit, __ATOMIC_ACQ_REL) & bit)) {
        __atomic_fetch_add(&intc->rising, 1, __ATOMIC_RELAXED);
    }
}

static inline void rig_intc_init(rig_intc_t *intc)
{
    static const rvvm_irq_dev_cb_t cb = {.set_irq = rig_intc_set};
    memset(intc, 0, sizeof(*intc));
    intc->dev = rvvm_irq_dev_init(&cb, intc);
    rvvm_irq_dev_set_limit(intc->dev, 8);
}

static inline bool rig_intc_level(rig_intc_t *intc, rvvm_irq_t irq)
{
    return __atomic_load_n(&intc->level, __ATOMIC_ACQUIRE) >> irq & 1;
}

static inline rvvm_machine_t *rig_machine(void)
{
    rvvm_machine_t *machine = rvvm_create_machine(1 << 20, RIG_HARTS, "rv32");
    if (!machine) {
        printf("Bail out! no machine\n");
        exit(1);
    }
    return machine;
}

/* Register access through the handlers of an attached device. */
static inline uint64_t rig_read(rvvm_mmio_dev_t *dev, size_t offset, uint8_t size)
{
    uint8_t data[8] = {0};
    CHECK(dev->read(dev, data, offset, size));
    return util_get_le64(data);
}

static inline void rig_write(rvvm_mmio_dev_t *dev, size_t offset, uint8_t size, uint64_t val)
{
    uint8_t data[8];
    util_put_le64(data, val);
    CHECK(dev->write(dev, data, offset, size));
}

/* A property of a node, as cells. */
static inline uint32_t rig_fdt_cell(rvvm_fdt_node_t *node, const char *name, size_t index)
{
    size_t size = 0;
    const uint8_t *val = rvvm_fdt_prop_get(node, name, &size);
    return val && size >= 4 * index + 4 ? util_get_be32(val + 4 * index) : UINT32_MAX;
}

static inline bool rig_fdt_str(rvvm_fdt_node_t *node, const char *name, const char *want)
{
    size_t size = 0;
    const char *val = rvvm_fdt_prop_get(node, name, &size);
    return val && size > strlen(want) && strcmp(val, want) == 0;
}

#endif
