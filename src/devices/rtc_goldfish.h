/* SPDX-License-Identifier: MPL-2.0 */
/* The real-time clock of the Goldfish platform: nanoseconds since 1970, and one alarm. */
#ifndef RVKIT_DEVICES_RTC_GOLDFISH_H
#define RVKIT_DEVICES_RTC_GOLDFISH_H

#include <rvvm/rvvm.h>

#include "irq_host.h"

#define RTC_GOLDFISH_DEFAULT_MMIO 0x00101000U

/*
 * Attaches it and its node /soc/rtc@addr. irq_dev NULL: the machine's controller; irq 0: any free line.
 * NULL when the place or the line is taken, or memory runs out.
 */
rvvm_mmio_dev_t *rtc_goldfish_init(rvvm_machine_t *machine, rvvm_addr_t addr, rvvm_irq_dev_t *irq_dev,
                                   rvvm_irq_t irq);
rvvm_mmio_dev_t *rtc_goldfish_init_auto(rvvm_machine_t *machine);

/* The same with a given clock, which must outlive the machine. */
rvvm_mmio_dev_t *rtc_goldfish_init_host(rvvm_machine_t *machine, const irq_host_t *host,
                                        rvvm_addr_t addr, rvvm_irq_dev_t *irq_dev, rvvm_irq_t irq);

#endif
