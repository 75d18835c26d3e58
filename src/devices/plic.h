/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The platform-level interrupt controller (RISC-V PLIC specification 1.0.0): 63 sources, and per hart a
 * context for M-mode (2 * hart) and one for S-mode (2 * hart + 1).
 */
#ifndef RVKIT_DEVICES_PLIC_H
#define RVKIT_DEVICES_PLIC_H

#include <rvvm/rvvm.h>

#include "irq_host.h"

#define PLIC_DEFAULT_MMIO 0x0C000000U

/*
 * Attaches a PLIC and its node /soc/plic@addr; it becomes the machine's interrupt controller when there
 * is none yet. The handle is freed with the machine. NULL when the place is taken or memory runs out.
 */
rvvm_irq_dev_t *plic_init(rvvm_machine_t *machine, rvvm_addr_t addr);
rvvm_irq_dev_t *plic_init_auto(rvvm_machine_t *machine);

/* The same for a given set of hart lines, which must outlive the machine. */
rvvm_irq_dev_t *plic_init_host(rvvm_machine_t *machine, const irq_host_t *host, rvvm_addr_t addr);

/* The region of a PLIC made here. */
rvvm_mmio_dev_t *plic_region(rvvm_irq_dev_t *irq_dev);

#endif
