/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The core-local interruptor. Registers may be accessed as 32-bit words, and the timer's also as 64-bit
 * words; a 64-bit access to MSIP reaches the registers of two harts.
 *
 * The timers themselves belong to the machine (src/devices/irq_host.h): it compares and raises MTIP.
 */
#include "clint.h"

#include <rvvm/compat.h>

#include "../util.h"

enum {
    CLINT_SIZE = 0x10000,
    CLINT_MSIP = 0x0,         /* one word per hart, bit 0 */
    CLINT_MTIMECMP = 0x4000,  /* one double word per hart */
    CLINT_MTIME = 0xBFF8,
};

typedef struct {
    spinlock_t lock; /* guards msip and the halves of mtimecmp and mtime */
    const irq_host_t *host;
    uint8_t msip[];
} clint_t;

static uint64_t clint_get_timer(const clint_t *clint, size_t offset)
{
    const irq_host_t *host = clint->host;
    if (offset == CLINT_MTIME) {
        return host->time(host->opaque);
    }
    uint32_t hart = (uint32_t)(offset - CLINT_MTIMECMP) >> 3;
    return hart < host->harts ? host->get_mtimecmp(host->opaque, hart) : 0;
}

static void clint_set_timer(const clint_t *clint, size_t offset, uint64_t ticks)
{
    const irq_host_t *host = clint->host;
    uint32_t hart = (uint32_t)(offset - CLINT_MTIMECMP) >> 3;
    if (offset == CLINT_MTIME) {
        host->set_time(host->opaque, ticks);
    } else if (hart < host->harts) {
        host->set_mtimecmp(host->opaque, hart, ticks);
    }
}

static uint32_t clint_read_word(const clint_t *clint, size_t offset)
{
    if (offset < CLINT_MTIMECMP) {
        return (offset >> 2) < clint->host->harts ? clint->msip[offset >> 2] : 0;
    }
    return (uint32_t)(clint_get_timer(clint, offset & ~(size_t)7) >> ((offset & 4) * 8));
}

static void clint_write_word(clint_t *clint, size_t offset, uint32_t val)
{
    if (offset >= CLINT_MTIMECMP) {
        unsigned shift = (offset & 4) * 8;
        uint64_t ticks = clint_get_timer(clint, offset & ~(size_t)7);
        ticks = (ticks & ~(UINT64_C(0xFFFFFFFF) << shift)) | (uint64_t)val << shift;
        clint_set_timer(clint, offset & ~(size_t)7, ticks);
        return;
    }
    uint32_t hart = (uint32_t)(offset >> 2);
    if (hart < clint->host->harts) {
        clint->msip[hart] = val & 1;
        clint->host->set_irq(clint->host->opaque, hart, IRQ_HOST_MSIP, val & 1);
    }
}

static bool clint_mmio_read(rvvm_mmio_dev_t *dev, void *data, size_t offset, uint8_t size)
{
    clint_t *clint = dev->data;
    spin_lock(&clint->lock);
    if (size == 4) {
        util_put_le32(data, clint_read_word(clint, offset));
    } else if (offset >= CLINT_MTIMECMP) {
        util_put_le64(data, clint_get_timer(clint, offset));
    } else {
        util_put_le32(data, clint_read_word(clint, offset));
        util_put_le32((uint8_t *)data + 4, clint_read_word(clint, offset + 4));
    }
    spin_unlock(&clint->lock);
    return true;
}

static bool clint_mmio_write(rvvm_mmio_dev_t *dev, void *data, size_t offset, uint8_t size)
{
    clint_t *clint = dev->data;
    spin_lock(&clint->lock);
    if (size == 4) {
        clint_write_word(clint, offset, util_get_le32(data));
    } else if (offset >= CLINT_MTIMECMP) {
        clint_set_timer(clint, offset, util_get_le64(data));
    } else {
        clint_write_word(clint, offset, util_get_le32(data));
        clint_write_word(clint, offset + 4, util_get_le32((uint8_t *)data + 4));
    }
    spin_unlock(&clint->lock);
    return true;
}

/* mtime goes on: other parts of the machine measure with it too. */
static void clint_reset(rvvm_mmio_dev_t *dev)
{
    clint_t *clint = dev->data;
    const irq_host_t *host = clint->host;
    spin_lock(&clint->lock);
    for (uint32_t hart = 0; hart < host->harts; hart++) {
        clint->msip[hart] = 0;
        host->set_irq(host->opaque, hart, IRQ_HOST_MSIP, false);
        host->set_mtimecmp(host->opaque, hart, UINT64_MAX);
    }
    spin_unlock(&clint->lock);
}

static void clint_suspend(rvvm_mmio_dev_t *dev, rvvm_snapshot_t *snap, bool resume)
{
    clint_t *clint = dev->data;
    const irq_host_t *host = clint->host;
    if (!snap) {
        return;
    }
    spin_lock(&clint->lock);
    uint64_t ticks = host->time(host->opaque);
    rvvm_snapshot_section(snap, "riscv-clint");
    if (rvvm_snapshot_field(snap, ticks) && resume) {
        host->set_time(host->opaque, ticks);
    }
    for (uint32_t hart = 0; hart < host->harts; hart++) {
        uint64_t cmp = host->get_mtimecmp(host->opaque, hart);
        rvvm_snapshot_field(snap, clint->msip[hart]);
        if (rvvm_snapshot_field(snap, cmp) && resume) {
            clint->msip[hart] &= 1;
            host->set_irq(host->opaque, hart, IRQ_HOST_MSIP, clint->msip[hart]);
            host->set_mtimecmp(host->opaque, hart, cmp);
        }
    }
    spin_unlock(&clint->lock);
}

static const rvvm_mmio_type_t clint_type = {
    .name = "riscv-clint",
    .reset = clint_reset,
    .suspend = clint_suspend,
};

/* "interrupts-extended": the software and the timer interrupt of each hart. */
static void clint_fdt_targets(rvvm_machine_t *machine, rvvm_fdt_node_t *node, uint32_t harts)
{
    rvvm_fdt_node_t *cpus = rvvm_fdt_find(rvvm_get_fdt_root(machine), "cpus");
    uint32_t *cells = safe_new_arr(uint32_t, harts * 4);
    if (!cells) {
        return;
    }
    for (uint32_t hart = 0; hart < harts; hart++) {
        rvvm_fdt_node_t *cpu = rvvm_fdt_find_reg(cpus, "cpu", hart);
        uint32_t phandle = rvvm_fdt_phandle(rvvm_fdt_find(cpu, "interrupt-controller"));
        cells[hart * 4] = cells[hart * 4 + 2] = phandle;
        cells[hart * 4 + 1] = IRQ_HOST_MSIP;
        cells[hart * 4 + 3] = 7; /* the timer's, in mip's numbering */
    }
    rvvm_fdt_prop_set_cells(node, "interrupts-extended", cells, harts * 4);
    free(cells);
}

rvvm_mmio_dev_t *clint_init_host(rvvm_machine_t *machine, const irq_host_t *host, rvvm_addr_t addr)
{
    clint_t *clint = safe_calloc(sizeof(clint_t) + host->harts, 1);
    if (!clint) {
        return NULL;
    }
    clint->host = host;
    const rvvm_mmio_dev_t desc = {
        .addr = addr,
        .size = CLINT_SIZE,
        .data = clint,
        .type = &clint_type,
        .read = clint_mmio_read,
        .write = clint_mmio_write,
        .min_op_size = 4,
        .max_op_size = 8,
    };
    rvvm_mmio_dev_t *dev = rvvm_attach_mmio(machine, &desc);
    if (dev) {
        rvvm_fdt_node_t *node = rvvm_fdt_init_reg("clint", addr);
        rvvm_fdt_prop_set_reg(node, "reg", addr, CLINT_SIZE);
        rvvm_fdt_prop_set_str_list(node, "compatible", "sifive,clint0\0riscv,clint0");
        clint_fdt_targets(machine, node, host->harts);
        rvvm_fdt_attach(rvvm_get_fdt_soc(machine), node);
    }
    return dev;
}

rvvm_mmio_dev_t *clint_init(rvvm_machine_t *machine, rvvm_addr_t addr)
{
    return clint_init_host(machine, irq_host_get(machine), addr);
}

rvvm_mmio_dev_t *clint_init_auto(rvvm_machine_t *machine)
{
    return clint_init(machine, rvvm_mmio_zone_auto(machine, CLINT_DEFAULT_MMIO, CLINT_SIZE));
}
