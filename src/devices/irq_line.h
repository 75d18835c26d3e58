/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A device's own interrupt line. A machine without an interrupt controller is served too: the device
 * works, and nobody hears its interrupts.
 */
#ifndef RVKIT_DEVICES_IRQ_LINE_H
#define RVKIT_DEVICES_IRQ_LINE_H

#include <rvvm/rvvm.h>

typedef struct {
    rvvm_irq_dev_t *dev;
    rvvm_irq_t irq;
    bool owned; /* was free before, and is given back */
} irq_line_t;

/*
 * dev NULL: the machine's controller. irq 0: any free line, false when there is none; any other: that
 * line, which the caller may have allocated before.
 */
static inline bool irq_line_init(irq_line_t *line, rvvm_machine_t *machine, rvvm_irq_dev_t *dev,
                                 rvvm_irq_t irq)
{
    line->dev = dev ? dev : rvvm_get_intc(machine);
    line->irq = irq;
    if (irq) {
        line->owned = rvvm_irq_alloc_exact(line->dev, irq);
        return true;
    }
    line->irq = rvvm_irq_alloc(line->dev, 0);
    line->owned = line->irq != RVVM_IRQ_INVALID;
    return line->owned || !line->dev;
}

static inline void irq_line_set(const irq_line_t *line, bool level)
{
    rvvm_irq_set(line->dev, line->irq, level);
}

/* Lowers the line and gives it back. */
static inline void irq_line_free(irq_line_t *line)
{
    irq_line_set(line, false);
    if (line->owned) {
        rvvm_irq_dealloc(line->dev, line->irq);
    }
}

static inline void irq_line_describe(const irq_line_t *line, rvvm_fdt_node_t *node)
{
    rvvm_irq_fdt_describe(node, line->dev, line->irq);
}

#endif
