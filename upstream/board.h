/* SPDX-License-Identifier: MPL-2.0 */
/* What stands in an RVVM checkout for src/board.h, which displays and inputs include: the seams to their devices. */
#ifndef RVKIT_UPSTREAM_BOARD_H
#define RVKIT_UPSTREAM_BOARD_H

#include "audio_host.h"
#include "display_host.h"
#include "input_host.h"

#endif
