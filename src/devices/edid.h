/* SPDX-License-Identifier: MPL-2.0 */
/* What a monitor says of itself: one block of VESA E-EDID Standard, release A2 (EDID 1.4). */
#ifndef RVKIT_DEVICES_EDID_H
#define RVKIT_DEVICES_EDID_H

#include <stdint.h>

#define EDID_SIZE 128

/*
 * A digital monitor of 96 dots an inch whose preferred mode has this size at 60 Hz (CVT 1.2,
 * reduced blanking), or fewer where the pixel clock would not fit; sides are clamped to 1 … 4095,
 * which is as far as EDID goes. serial tells several apart.
 */
void edid_make(uint8_t edid[EDID_SIZE], uint32_t width, uint32_t height, uint32_t serial);

#endif
