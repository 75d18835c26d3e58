/* SPDX-License-Identifier: MPL-2.0 */
/*
 * <rvvm/rvvm_board.h>: the devices of the board, one by one. Each also adds its FDT node.
 *
 * Call these before the machine first runs, the interrupt controllers before their users. A NULL
 * interrupt controller means the machine's own, and interrupt 0 any free one. NULL or false on failure;
 * nothing is left behind then.
 */
#ifndef RVVM_BOARD_H
#define RVVM_BOARD_H

#include <rvvm/rvvm_base.h>

RVVM_EXTERN_C_BEGIN

/* Timers and software interrupts of the harts (a SiFive CLINT). */
RVVM_PUBLIC bool rvvm_riscv_clint_init(rvvm_machine_t *machine, rvvm_addr_t addr);

/* The platform-level interrupt controller; the first one becomes the machine's. */
RVVM_PUBLIC rvvm_irq_dev_t *rvvm_riscv_plic_init(rvvm_machine_t *machine, rvvm_addr_t addr);

/* Power-off and reset. */
RVVM_PUBLIC rvvm_reg_dev_t *rvvm_syscon_init(rvvm_machine_t *machine, rvvm_addr_t addr);

/* The real-time clock of the Goldfish platform. */
RVVM_PUBLIC rvvm_reg_dev_t *rvvm_rtc_goldfish_init(rvvm_machine_t *machine, rvvm_addr_t addr,
                                                   rvvm_irq_dev_t *irq_dev, rvvm_irq_t irq);

/* All of the above at their usual places. `aia` must be false: there is no AIA here. */
RVVM_PUBLIC bool rvvm_board_riscv_virt_init(rvvm_machine_t *machine, bool aia);

RVVM_EXTERN_C_END

#endif
