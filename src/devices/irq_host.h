/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What the devices at the harts' side (PLIC, CLINT, RTC) need of the machine, so that they never include
 * src/cpu. The machine implements it; a test may fill one in itself.
 *
 * FDT: the interrupt controller of hart N is the node /cpus/cpu@N/interrupt-controller (N hexadecimal);
 * rvvm_fdt_phandle() gives its phandle. It exists from rvvm_create_machine() on.
 *
 * Names agreed with src/board.c, each in src/devices/NAME.h, each adding its FDT node under /soc:
 *   rvvm_irq_dev_t  *plic_init(rvvm_machine_t *, rvvm_addr_t);       also plic_init_auto(machine)
 *   rvvm_mmio_dev_t *clint_init(rvvm_machine_t *, rvvm_addr_t);      also clint_init_auto(machine)
 *   rvvm_mmio_dev_t *syscon_init(rvvm_machine_t *, rvvm_addr_t);     also syscon_init_auto(machine)
 *   rvvm_mmio_dev_t *rtc_goldfish_init(machine, addr, rvvm_irq_dev_t *, rvvm_irq_t); also _auto(machine)
 *   rvvm_mmio_dev_t *ns16550a_init(machine, chardev_t *, addr, rvvm_irq_dev_t *, rvvm_irq_t);
 *   rvvm_mmio_dev_t *ns16550a_init_auto(rvvm_machine_t *, chardev_t *);
 * plic_init() calls rvvm_set_intc() when the machine has no controller yet. The others take the
 * machine's controller when given NULL, and any free line when given 0.
 */
#ifndef RVKIT_DEVICES_IRQ_HOST_H
#define RVKIT_DEVICES_IRQ_HOST_H

#include <rvvm/rvvm_base.h>

/* Interrupt lines of a hart (bit numbers of mip). */
enum { IRQ_HOST_MSIP = 3, IRQ_HOST_SEIP = 9, IRQ_HOST_MEIP = 11 };

/* All calls: any thread, also while the caller holds its own lock; hart is below `harts`. */
typedef struct irq_host {
    void *opaque;
    uint32_t harts;

    /* The level of a line; the hart is woken when it goes up. */
    void (*set_irq)(void *opaque, uint32_t hart, unsigned line, bool level);

    /* mtime and mtimecmp, in ticks of RVVM_OPT_TIME_FREQ. */
    uint64_t (*time)(void *opaque);
    void (*set_time)(void *opaque, uint64_t ticks);
    uint64_t (*get_mtimecmp)(void *opaque, uint32_t hart);
    void (*set_mtimecmp)(void *opaque, uint32_t hart, uint64_t ticks);

    /* Nanoseconds since 1970, UTC; in a run with -icount a fixed start plus the time of mtime. */
    uint64_t (*wall_ns)(void *opaque);
} irq_host_t;

/* The machine's own; valid as long as the machine. */
const irq_host_t *irq_host_get(rvvm_machine_t *machine);

#endif
