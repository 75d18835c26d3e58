/* SPDX-License-Identifier: MPL-2.0 */
/*
 * <rvvm/rvvm_irq.h>: wired interrupts, between devices and an interrupt controller.
 *
 * A device asks for a line once (rvvm_irq_alloc) and from then on only sets its level. All calls that
 * take a controller accept NULL (nothing happens). Threads: any thread, unless said otherwise.
 */
#ifndef RVVM_IRQ_H
#define RVVM_IRQ_H

#include <rvvm/rvvm_base.h>

RVVM_EXTERN_C_BEGIN

/* What rvvm_irq_alloc() returns when every line is taken. */
#define RVVM_IRQ_INVALID UINT32_MAX

/* Lines that one controller can hand out: 0 .. RVVM_IRQ_MAX - 1. */
#define RVVM_IRQ_MAX 1024

/* What a controller implements. Static storage. */
typedef struct {
    /*
     * The level of a line. Called from any thread, concurrently; takes its own lock. A line that goes up
     * and down again must be seen as an edge. Lines outside the controller's range are ignored.
     */
    void (*set_irq)(rvvm_irq_dev_t *irq_dev, rvvm_irq_t irq, bool lvl);

    /*
     * Writes the "interrupts" cells of a line, at most `size` of them, and returns how many there are.
     * NULL: one cell, the number itself.
     */
    size_t (*fdt_irq_cells)(rvvm_irq_dev_t *irq_dev, rvvm_irq_t irq, uint32_t *cells, size_t size);

    /* An edge, as one step. NULL: set_irq is called with true and then with false. */
    void (*send_irq)(rvvm_irq_dev_t *irq_dev, rvvm_irq_t irq);
} rvvm_irq_dev_cb_t;

/* For controllers. The handle belongs to the caller; NULL when there is no memory. */
RVVM_PUBLIC rvvm_irq_dev_t *rvvm_irq_dev_init(const rvvm_irq_dev_cb_t *cb, void *data);

/* For controllers, when no device can use the lines any more. */
RVVM_PUBLIC void rvvm_irq_dev_free(rvvm_irq_dev_t *irq_dev);

/* The data given to rvvm_irq_dev_init(). */
RVVM_PUBLIC void *rvvm_irq_dev_data(rvvm_irq_dev_t *irq_dev);

/* The lowest line that rvvm_irq_alloc() gives out (1 at first). Before the machine runs. */
RVVM_PUBLIC void rvvm_irq_dev_set_base(rvvm_irq_dev_t *irq_dev, rvvm_irq_t irq_base);

/* One more than the highest line given out (RVVM_IRQ_MAX at first). Before the machine runs. */
RVVM_PUBLIC void rvvm_irq_dev_set_limit(rvvm_irq_dev_t *irq_dev, rvvm_irq_t irq_limit);

/* The phandle of the controller's FDT node. Before the machine runs. */
RVVM_PUBLIC void rvvm_irq_dev_set_phandle(rvvm_irq_dev_t *irq_dev, uint32_t phandle);

/* The lowest free line that is at least `irq` (0: any), or RVVM_IRQ_INVALID. */
RVVM_PUBLIC rvvm_irq_t rvvm_irq_alloc(rvvm_irq_dev_t *irq_dev, rvvm_irq_t irq);

/* Gives a line back. */
RVVM_PUBLIC void rvvm_irq_dealloc(rvvm_irq_dev_t *irq_dev, rvvm_irq_t irq);

/* Claims exactly this line; false when it is taken. */
RVVM_PUBLIC bool rvvm_irq_alloc_exact(rvvm_irq_dev_t *irq_dev, rvvm_irq_t irq);

/* Sets the level of a line. What the caller wrote before is visible to a hart that takes the interrupt. */
RVVM_PUBLIC void rvvm_irq_set(rvvm_irq_dev_t *irq_dev, rvvm_irq_t irq, bool lvl);

static inline void rvvm_irq_raise(rvvm_irq_dev_t *irq_dev, rvvm_irq_t irq)
{
    rvvm_irq_set(irq_dev, irq, true);
}

static inline void rvvm_irq_lower(rvvm_irq_dev_t *irq_dev, rvvm_irq_t irq)
{
    rvvm_irq_set(irq_dev, irq, false);
}

/* An edge: up, then down. It is never lost, also when it comes while an earlier one is being handled. */
RVVM_PUBLIC void rvvm_irq_send(rvvm_irq_dev_t *irq_dev, rvvm_irq_t irq);

/* Adds "interrupt-parent" and "interrupts" to a device's node. Before the machine runs. */
RVVM_PUBLIC void rvvm_irq_fdt_describe(rvvm_fdt_node_t *node, rvvm_irq_dev_t *irq_dev, rvvm_irq_t irq);

/* The phandle set by rvvm_irq_dev_set_phandle(), or 0. */
RVVM_PUBLIC uint32_t rvvm_irq_fdt_phandle(rvvm_irq_dev_t *irq_dev);

/* The "interrupts" cells of a line: writes at most `size`, returns how many there are. */
RVVM_PUBLIC size_t rvvm_irq_fdt_cells(rvvm_irq_dev_t *irq_dev, rvvm_irq_t irq, uint32_t *cells,
                                      size_t size);

/* The earlier names of the same calls. */
#define rvvm_alloc_irq(intc) rvvm_irq_alloc(intc, 0)
#define rvvm_send_irq(intc, irq) rvvm_irq_send(intc, irq)
#define rvvm_raise_irq(intc, irq) rvvm_irq_raise(intc, irq)
#define rvvm_lower_irq(intc, irq) rvvm_irq_lower(intc, irq)
#define rvvm_fdt_intc_phandle(intc) rvvm_irq_fdt_phandle(intc)
#define rvvm_fdt_describe_irq(node, intc, irq) rvvm_irq_fdt_describe(node, intc, irq)
#define rvvm_fdt_irq_cells(intc, irq, cells, size) rvvm_irq_fdt_cells(intc, irq, cells, size)

RVVM_EXTERN_C_END

#endif
