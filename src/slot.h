/* SPDX-License-Identifier: MPL-2.0 */
/* The one call by which the board's VirtIO devices get their slots. */
#ifndef RVKIT_SLOT_H
#define RVKIT_SLOT_H

#include "devices/virtio_mmio.h"
#include "log.h"
#include "machine.h"

/*
 * As virtio_mmio_init_auto(), with the machine's choice of interface and ring features (board_desc_t's
 * virtio). NULL: the device was removed.
 */
static inline rvvm_mmio_dev_t *slot_attach(rvvm_machine_t *machine, const virtio_desc_t *desc)
{
    return virtio_mmio_init_auto(machine, desc, machine->virtio_flags);
}

/* The same for a device that may not have been `described` for want of memory; false: told in the log. */
static inline bool slot_attach_or_tell(rvvm_machine_t *machine, bool described, const virtio_desc_t *desc,
                                       const char *what)
{
    if (!described || !slot_attach(machine, desc)) {
        rvvm_error("%s cannot be attached", what);
        return false;
    }
    return true;
}

#endif
