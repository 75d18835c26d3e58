/* SPDX-License-Identifier: MPL-2.0 */
/* Wired interrupts: the handle of a controller and the lines it has given out. */
#include <rvvm/compat.h>

#include "util.h"

struct rvvm_irq_dev {
    const rvvm_irq_dev_cb_t *cb;
    void *data;
    rvvm_irq_t base, limit;
    uint32_t phandle;
    spinlock_t lock;
    uint32_t taken[RVVM_IRQ_MAX / 32];
};

rvvm_irq_dev_t *rvvm_irq_dev_init(const rvvm_irq_dev_cb_t *cb, void *data)
{
    rvvm_irq_dev_t *dev = calloc(1, sizeof(*dev));
    if (dev) {
        dev->cb = cb;
        dev->data = data;
        dev->base = 1;
        dev->limit = RVVM_IRQ_MAX;
    }
    return dev;
}

void rvvm_irq_dev_free(rvvm_irq_dev_t *irq_dev)
{
    free(irq_dev);
}

void *rvvm_irq_dev_data(rvvm_irq_dev_t *irq_dev)
{
    return irq_dev ? irq_dev->data : NULL;
}

void rvvm_irq_dev_set_base(rvvm_irq_dev_t *irq_dev, rvvm_irq_t irq_base)
{
    if (irq_dev) {
        irq_dev->base = irq_base;
    }
}

void rvvm_irq_dev_set_limit(rvvm_irq_dev_t *irq_dev, rvvm_irq_t irq_limit)
{
    if (irq_dev) {
        irq_dev->limit = irq_limit < RVVM_IRQ_MAX ? irq_limit : RVVM_IRQ_MAX;
    }
}

void rvvm_irq_dev_set_phandle(rvvm_irq_dev_t *irq_dev, uint32_t phandle)
{
    if (irq_dev) {
        irq_dev->phandle = phandle;
    }
}

/* Takes the first free line in [first, end). */
static rvvm_irq_t irq_take(rvvm_irq_dev_t *dev, rvvm_irq_t first, rvvm_irq_t end)
{
    rvvm_irq_t found = RVVM_IRQ_INVALID;
    spin_lock(&dev->lock);
    for (rvvm_irq_t irq = first; irq < end; irq++) {
        uint32_t bit = UINT32_C(1) << (irq % 32);
        if (!(dev->taken[irq / 32] & bit)) {
            dev->taken[irq / 32] |= bit;
            found = irq;
            break;
        }
    }
    spin_unlock(&dev->lock);
    return found;
}

rvvm_irq_t rvvm_irq_alloc(rvvm_irq_dev_t *irq_dev, rvvm_irq_t irq)
{
    if (!irq_dev) {
        return RVVM_IRQ_INVALID;
    }
    return irq_take(irq_dev, irq > irq_dev->base ? irq : irq_dev->base, irq_dev->limit);
}

bool rvvm_irq_alloc_exact(rvvm_irq_dev_t *irq_dev, rvvm_irq_t irq)
{
    return irq_dev && irq < irq_dev->limit && irq_take(irq_dev, irq, irq + 1) == irq;
}

void rvvm_irq_dealloc(rvvm_irq_dev_t *irq_dev, rvvm_irq_t irq)
{
    if (irq_dev && irq < RVVM_IRQ_MAX) {
        spin_lock(&irq_dev->lock);
        irq_dev->taken[irq / 32] &= ~(UINT32_C(1) << (irq % 32));
        spin_unlock(&irq_dev->lock);
    }
}

void rvvm_irq_set(rvvm_irq_dev_t *irq_dev, rvvm_irq_t irq, bool lvl)
{
    if (irq_dev && irq_dev->cb->set_irq) {
        irq_dev->cb->set_irq(irq_dev, irq, lvl);
    }
}

void rvvm_irq_send(rvvm_irq_dev_t *irq_dev, rvvm_irq_t irq)
{
    if (irq_dev && irq_dev->cb->send_irq) {
        irq_dev->cb->send_irq(irq_dev, irq);
    } else {
        rvvm_irq_set(irq_dev, irq, true);
        rvvm_irq_set(irq_dev, irq, false);
    }
}

uint32_t rvvm_irq_fdt_phandle(rvvm_irq_dev_t *irq_dev)
{
    return irq_dev ? irq_dev->phandle : 0;
}

size_t rvvm_irq_fdt_cells(rvvm_irq_dev_t *irq_dev, rvvm_irq_t irq, uint32_t *cells, size_t size)
{
    if (!irq_dev) {
        return 0;
    }
    if (irq_dev->cb->fdt_irq_cells) {
        return irq_dev->cb->fdt_irq_cells(irq_dev, irq, cells, size);
    }
    if (size) {
        cells[0] = irq;
    }
    return 1;
}

void rvvm_irq_fdt_describe(rvvm_fdt_node_t *node, rvvm_irq_dev_t *irq_dev, rvvm_irq_t irq)
{
    uint32_t cells[8];
    size_t count = rvvm_irq_fdt_cells(irq_dev, irq, cells, ARRAY_LEN(cells));
    if (count && count <= ARRAY_LEN(cells)) {
        rvvm_fdt_prop_set_u32(node, "interrupt-parent", irq_dev->phandle);
        rvvm_fdt_prop_set_cells(node, "interrupts", cells, count);
    }
}
