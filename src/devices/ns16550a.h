/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The UART: a National PC16550D with FIFOs, between the guest and a chardev_t. src/devices/ns16550a.c
 * tells what of the chip is there.
 */
#ifndef RVKIT_DEVICES_NS16550A_H
#define RVKIT_DEVICES_NS16550A_H

#include <rvvm/chardev.h>
#include <rvvm/rvvm.h>

#include "irq_host.h"

#define NS16550A_DEFAULT_MMIO 0x10000000U

/*
 * Attaches a UART and its node /soc/uart@addr. The UART owns the chardev (NULL: output vanishes) and
 * frees it, also when this fails. irq_dev NULL: the machine's controller; irq 0: any free line. NULL when
 * the place is taken, or lines or memory run out.
 */
rvvm_mmio_dev_t *ns16550a_init(rvvm_machine_t *machine, chardev_t *chardev, rvvm_addr_t addr,
                               rvvm_irq_dev_t *irq_dev, rvvm_irq_t irq);
rvvm_mmio_dev_t *ns16550a_init_auto(rvvm_machine_t *machine, chardev_t *chardev);

/* The same with a given clock, which must outlive the machine; NULL: the flow of input is not paced. */
rvvm_mmio_dev_t *ns16550a_init_host(rvvm_machine_t *machine, const irq_host_t *host, chardev_t *chardev,
                                    rvvm_addr_t addr, rvvm_irq_dev_t *irq_dev, rvvm_irq_t irq);

#endif
