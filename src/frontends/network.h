/* SPDX-License-Identifier: MPL-2.0 */
/* The options -net, -nonet and -portfwd: from their text to networks for the board. */
#ifndef RVKIT_FRONTENDS_NETWORK_H
#define RVKIT_FRONTENDS_NETWORK_H

#include "options.h"

#include "../board.h"

/*
 * Opens what the options ask for (without any, a user network if there can be one) into desc. False: error
 * says why; what was opened before is the caller's to close.
 */
bool network_open(const options_t *options, board_desc_t *desc, char *error, size_t error_size);

#endif
