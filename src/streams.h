/* SPDX-License-Identifier: MPL-2.0 */
/* Consoles, the balloon and sockets of a machine: the devices, and a hold on those that change at
 * run time. */
#ifndef RVKIT_STREAMS_H
#define RVKIT_STREAMS_H

#include "board.h"

/*
 * Attaches what desc asks for: a virtio-console for each console, one more with all named ports, a
 * balloon, a socket device. All chardevs and the vsock back end go over to the machine, also when
 * this fails (false: told in the log).
 */
bool streams_attach(rvvm_machine_t *machine, const board_desc_t *desc);

/* Frees the back ends of a desc that was never attached. */
void streams_free_desc(const board_desc_t *desc);

#endif
