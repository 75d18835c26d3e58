/* SPDX-License-Identifier: MPL-2.0 */
/* Screens, keyboards, pointers and sound of a machine. */
#ifndef RVKIT_DESKTOP_H
#define RVKIT_DESKTOP_H

#include "board.h"

/*
 * Attaches what desc asks for: a virtio-gpu with all scanouts, the simple frame buffer, a
 * virtio-input for each input, a virtio-snd. All back ends go over to the machine, also when this
 * fails (false: told in the log).
 */
bool desktop_attach(rvvm_machine_t *machine, const board_desc_t *desc);

/* Frees the back ends of a desc that was never attached. */
void desktop_free_desc(const board_desc_t *desc);

#endif
