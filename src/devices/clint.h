/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The core-local interruptor: software interrupts and timers of the harts, laid out as SiFive's CLINT
 * (RISC-V ACLINT specification: MSWI at +0, MTIMER's mtimecmp at +0x4000 and mtime at +0xBFF8).
 */
#ifndef RVKIT_DEVICES_CLINT_H
#define RVKIT_DEVICES_CLINT_H

#include <rvvm/rvvm.h>

#include "irq_host.h"

#define CLINT_DEFAULT_MMIO 0x02000000U

/* Attaches it and its node /soc/clint@addr. NULL when the place is taken or memory runs out. */
rvvm_mmio_dev_t *clint_init(rvvm_machine_t *machine, rvvm_addr_t addr);
rvvm_mmio_dev_t *clint_init_auto(rvvm_machine_t *machine);

/* The same for a given set of harts, which must outlive the machine. */
rvvm_mmio_dev_t *clint_init_host(rvvm_machine_t *machine, const irq_host_t *host, rvvm_addr_t addr);

#endif
