/* SPDX-License-Identifier: MPL-2.0 */
/* The one wiring file: which device sits where. */
#include "board.h"

#include "devices/clint.h"
#include "devices/ns16550a.h"
#include "devices/plic.h"
#include "devices/rtc_goldfish.h"
#include "devices/syscon.h"
#include "log.h"
#include "machine.h"

#include <rvvm/rvvm_board.h>

#define BOARD_SYSCON 0x00100000u
#define BOARD_RTC 0x00101000u
#define BOARD_CLINT 0x02000000u
#define BOARD_PLIC 0x0c000000u

bool rvvm_riscv_clint_init(rvvm_machine_t *machine, rvvm_addr_t addr)
{
    return clint_init(machine, addr) != NULL;
}

rvvm_irq_dev_t *rvvm_riscv_plic_init(rvvm_machine_t *machine, rvvm_addr_t addr)
{
    return plic_init(machine, addr);
}

rvvm_reg_dev_t *rvvm_syscon_init(rvvm_machine_t *machine, rvvm_addr_t addr)
{
    return (rvvm_reg_dev_t *)syscon_init(machine, addr);
}

rvvm_reg_dev_t *rvvm_rtc_goldfish_init(rvvm_machine_t *machine, rvvm_addr_t addr,
                                       rvvm_irq_dev_t *irq_dev, rvvm_irq_t irq)
{
    return (rvvm_reg_dev_t *)rtc_goldfish_init(machine, addr, irq_dev, irq);
}

bool rvvm_board_riscv_virt_init(rvvm_machine_t *machine, bool aia)
{
    if (aia) {
        rvvm_error("the board has no advanced interrupt architecture (AIA)");
        return false;
    }
    rvvm_irq_dev_t *plic = NULL;
    return machine && clint_init(machine, BOARD_CLINT) &&
           (plic = plic_init(machine, BOARD_PLIC)) && syscon_init(machine, BOARD_SYSCON) &&
           rtc_goldfish_init(machine, BOARD_RTC, plic, 0);
}

static void board_free_serial(const board_desc_t *desc, size_t first)
{
    for (size_t i = first; i < desc->serial_count; i++) {
        chardev_free(desc->serial[i]);
    }
}

rvvm_machine_t *board_create(const board_desc_t *desc)
{
    rvvm_machine_t *machine = rvvm_create_machine(desc->mem_size, desc->harts, desc->isa);
    size_t serials = 0;
    bool ok = machine && desc->serial_count <= BOARD_SERIAL_MAX &&
              rvvm_board_riscv_virt_init(machine, false);
    if (ok && desc->cooperative) {
        ok = rvvm_set_opt(machine, RVKIT_OPT_COOPERATIVE, 1);
    }
    if (ok && desc->icount) {
        ok = rvvm_set_opt(machine, RVKIT_OPT_ICOUNT, desc->icount);
    }
    if (ok && desc->serial_count) {
        machine->console = desc->serial[0];
    }
    /* A UART that cannot be attached has freed its chardev. */
    while (ok && serials < desc->serial_count) {
        ok = ns16550a_init_auto(machine, desc->serial[serials++]) != NULL;
    }
    if (!ok) {
        board_free_serial(desc, serials);
        rvvm_free_machine(machine);
        return NULL;
    }
    return machine;
}

const loader_image_t *board_firmware_image(const rvvm_machine_t *machine)
{
    return &machine->firmware_image;
}

const loader_image_t *board_kernel_image(const rvvm_machine_t *machine)
{
    return &machine->kernel_image;
}
