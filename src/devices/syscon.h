/* SPDX-License-Identifier: MPL-2.0 */
/* A register that switches the machine off (0x5555) or resets it (0x7777), 16 bits wide. */
#ifndef RVKIT_DEVICES_SYSCON_H
#define RVKIT_DEVICES_SYSCON_H

#include <rvvm/rvvm.h>

#define SYSCON_DEFAULT_MMIO 0x00100000U

/* Attaches it, /soc/test@addr, /poweroff and /reboot. NULL when the place is taken. */
rvvm_mmio_dev_t *syscon_init(rvvm_machine_t *machine, rvvm_addr_t addr);
rvvm_mmio_dev_t *syscon_init_auto(rvvm_machine_t *machine);

#endif
