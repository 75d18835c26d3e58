/* SPDX-License-Identifier: MPL-2.0 */
#include "canvas.h"

#include "../src/frontends/vt.h"

#include <stdlib.h>

bool canvas_set_size(canvas_t *canvas, int width, int height)
{
    if (width == canvas->width && height == canvas->height) {
        return true;
    }
    uint32_t *pixels = calloc((size_t)width * (size_t)height, sizeof(*pixels));
    if (!pixels) {
        return false;
    }
    free(canvas->pixels);
    *canvas = (canvas_t){pixels, width, height};
    return true;
}

void canvas_free(canvas_t *canvas)
{
    free(canvas->pixels);
    *canvas = (canvas_t){0};
}

void canvas_fill(canvas_t *canvas, int x, int y, int width, int height, uint32_t rgb)
{
    int x1 = x + width < canvas->width ? x + width : canvas->width;
    int y1 = y + height < canvas->height ? y + height : canvas->height;
    x = x < 0 ? 0 : x;
    for (y = y < 0 ? 0 : y; y < y1; y++) {
        uint32_t *row = canvas->pixels + (size_t)y * (size_t)canvas->width;
        for (int i = x; i < x1; i++) {
            row[i] = 0xFF000000 | rgb;
        }
    }
}

static uint32_t mix(uint32_t under, uint32_t over, uint32_t part)
{
    uint32_t rb = (under & 0xFF00FF) * (255 - part) + (over & 0xFF00FF) * part + 0x800080;
    uint32_t g = (under & 0xFF00) * (255 - part) + (over & 0xFF00) * part + 0x8000;
    rb = (rb + (rb >> 8 & 0xFF00FF)) >> 8 & 0xFF00FF;
    g = (g + (g >> 8 & 0xFF00)) >> 8 & 0xFF00;
    return 0xFF000000 | rb | g;
}

void canvas_blend(canvas_t *canvas, int x0, int y0, int width, int height, const uint8_t *coverage,
                  uint32_t rgb)
{
    for (int y = 0; y < height; y++) {
        if (y + y0 < 0 || y + y0 >= canvas->height) {
            continue;
        }
        uint32_t *row = canvas->pixels + (size_t)(y + y0) * (size_t)canvas->width;
        for (int x = 0; x < width; x++) {
            uint8_t part = coverage[y * width + x];
            if (part && x + x0 >= 0 && x + x0 < canvas->width) {
                row[x + x0] = part == 255 ? 0xFF000000 | rgb : mix(row[x + x0], rgb, part);
            }
        }
    }
}

uint32_t canvas_next_code(const char **text)
{
    const uint8_t *p = (const uint8_t *)*text;
    uint32_t code = *p;
    if (!code) {
        return 0;
    }
    unsigned more = code >= 0xF0 ? 3 : code >= 0xE0 ? 2 : code >= 0xC0 ? 1 : 0;
    bool good = code < 0x80 || (code >= 0xC2 && code < 0xF5);
    code &= more ? 0x3Fu >> more : 0x7Fu;
    p++;
    for (; good && more; more--) {
        good = (*p & 0xC0) == 0x80;
        code = good ? code << 6 | (*p++ & 0x3F) : code;
    }
    *text = (const char *)p;
    return good ? code : 0xFFFD;
}

unsigned canvas_text(canvas_t *canvas, glyphs_t *glyphs, int x, int y, const char *text,
                     uint32_t fg, uint32_t bg)
{
    const glyphs_metrics_t *m = glyphs_metrics(glyphs);
    unsigned column = 0;
    uint32_t code;
    while ((code = canvas_next_code(&text)) != 0) {
        unsigned columns = vt_char_width(code);
        int at = x + (int)(column * m->width), width = (int)(columns * m->width);
        const uint8_t *cell = glyphs_get(glyphs, code, 0, columns);
        canvas_fill(canvas, at, y, width, (int)m->height, bg);
        if (cell) {
            canvas_blend(canvas, at, y, width, (int)m->height, cell, fg);
        }
        column += columns;
    }
    return column;
}
