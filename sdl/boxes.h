/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Characters that have to meet their neighbours without a seam, drawn by rule instead of by a font:
 * box drawing (U+2500 to 257F), block elements (2580 to 259F), braille (2800 to 28FF), sextants
 * (1FB00 to 1FB3B), and the separators of Powerline (E0B0 to E0BF).
 */
#ifndef RVKIT_SDL_BOXES_H
#define RVKIT_SDL_BOXES_H

#include <stdbool.h>
#include <stdint.h>

/* Draws into width * height bytes of coverage, which are 0. False: not one of these. */
bool boxes_draw(uint32_t code, uint8_t *cell, unsigned width, unsigned height);

#endif
