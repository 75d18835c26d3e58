/* SPDX-License-Identifier: MPL-2.0 */
#ifndef RVKIT_SDL_PICTURE_H
#define RVKIT_SDL_PICTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Writes a picture, 0xXXRRGGBB without gaps, as a PNG file, which appears when it is whole. False:
 * error (error_size bytes) says why. */
bool picture_write_png(const char *path, const uint32_t *pixels, uint32_t width, uint32_t height,
                       char *error, size_t error_size);

#endif
