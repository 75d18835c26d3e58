/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The board: a machine with its usual devices at RVVM's addresses.
 *
 *   0x00100000  syscon (power off, reset)      0x00101000  Goldfish RTC
 *   0x02000000  CLINT                          0x0c000000  PLIC
 *   0x10000000  UARTs, 0x100 apart             0x80000000  RAM
 */
#ifndef RVKIT_BOARD_H
#define RVKIT_BOARD_H

#include "loader.h"

#include <rvvm/chardev.h>
#include <rvvm/rvkit.h>

#define BOARD_SERIAL_MAX 4

typedef struct board_desc {
    size_t mem_size; /* bytes */
    size_t harts;
    const char *isa; /* NULL: all extensions */

    /* One UART for each of serial_count; NULL entries swallow output. The first is the SBI's console. */
    chardev_t *serial[BOARD_SERIAL_MAX];
    size_t serial_count;

    uint64_t icount;  /* as RVKIT_OPT_ICOUNT; 0: off */
    bool cooperative; /* as RVKIT_OPT_COOPERATIVE */
} board_desc_t;

/*
 * A machine that is ready to load files and start. Takes over the chardevs, also when it fails (NULL, and
 * a line in the log). Freed with rvvm_free_machine().
 */
rvvm_machine_t *board_create(const board_desc_t *desc);

/* What was loaded at the last reset; all zeros when there is none. Valid while the machine is stopped. */
const loader_image_t *board_firmware_image(const rvvm_machine_t *machine);
const loader_image_t *board_kernel_image(const rvvm_machine_t *machine);

#endif
