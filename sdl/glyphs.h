/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Glyphs: the pictures of characters in a font of fixed width, found through fontconfig, drawn once
 * and kept. What the font lacks comes from others; boxes.h draws what must have no seams. One
 * thread.
 */
#ifndef RVKIT_SDL_GLYPHS_H
#define RVKIT_SDL_GLYPHS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Styles, as a mask. */
enum { GLYPHS_BOLD = 1, GLYPHS_ITALIC = 2 };

/* Where a code point is expected: several of them in one cell, by glyphs_cluster(). */
#define GLYPHS_CLUSTER 0x200000u

#define GLYPHS_SIZE_MIN 6
#define GLYPHS_SIZE_MAX 200
#define GLYPHS_SIZE_USUAL 16

typedef struct glyphs glyphs_t;

/*
 * font: a name for fontconfig, or a file, and maybe ":SIZE" in pixels; NULL: monospace. NULL: error
 * (error_size bytes) is a line that says what is wrong.
 */
glyphs_t *glyphs_open(const char *font, char *error, size_t error_size);
void glyphs_free(glyphs_t *glyphs);

/* Another size in pixels, kept within GLYPHS_SIZE_MIN … MAX. False: as before. */
bool glyphs_set_size(glyphs_t *glyphs, unsigned size);
unsigned glyphs_size(const glyphs_t *glyphs);

/* A cell, and where underlines and lines through the middle begin and how high they are: pixels. */
typedef struct {
    unsigned width, height;
    unsigned underline, strike, line;
} glyphs_metrics_t;

const glyphs_metrics_t *glyphs_metrics(const glyphs_t *glyphs);

/* A number for several code points; the first of them when there is no more room. */
uint32_t glyphs_cluster(glyphs_t *glyphs, const uint32_t *codes, unsigned count);

/*
 * The coverage of a character, `columns` cells wide, as bytes without gaps; good until the next
 * call. NULL: nothing to draw.
 */
const uint8_t *glyphs_get(glyphs_t *glyphs, uint32_t code, unsigned style, unsigned columns);

#endif
