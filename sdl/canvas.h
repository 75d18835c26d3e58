/* SPDX-License-Identifier: MPL-2.0 */
/* A picture in memory, 0xFFRRGGBB, to draw text into. What lies outside of it is cut off. */
#ifndef RVKIT_SDL_CANVAS_H
#define RVKIT_SDL_CANVAS_H

#include "glyphs.h"

typedef struct {
    uint32_t *pixels; /* rows without gaps; NULL: none */
    int width, height;
} canvas_t;

/* Its contents are undefined then. False: no memory, and as before. */
bool canvas_set_size(canvas_t *canvas, int width, int height);
void canvas_free(canvas_t *canvas);

void canvas_fill(canvas_t *canvas, int x, int y, int width, int height, uint32_t rgb);

/* Blends a colour in by its coverage, width * height bytes. */
void canvas_blend(canvas_t *canvas, int x, int y, int width, int height, const uint8_t *coverage,
                  uint32_t rgb);

/* A line of UTF-8; returns how many cells it took. */
unsigned canvas_text(canvas_t *canvas, glyphs_t *glyphs, int x, int y, const char *text,
                     uint32_t fg, uint32_t bg);

/* The next code point of UTF-8, 0xFFFD for what is none; 0 at the end. */
uint32_t canvas_next_code(const char **text);

#endif
