/* SPDX-License-Identifier: MPL-2.0 */
/* A screen for the tests of what draws on one: it remembers what it was told. */
#ifndef RVKIT_TESTS_SCREEN_RIG_H
#define RVKIT_TESTS_SCREEN_RIG_H

#include "devices/display_host.h"
#include "prove.h"

enum { SIDE = 128 }; /* the most pixels of a side that it keeps */

typedef struct {
    display_guest_t guest;
    uint32_t width, height, pixel[SIDE * SIDE];
    uint32_t image[DISPLAY_CURSOR_SIDE * DISPLAY_CURSOR_SIDE], hot_x, hot_y;
    int32_t x, y;
    bool cursor, refuse;
    unsigned modes, updates, frees;
    uint32_t first_width, first_height; /* asked for while it is attached */
} screen_t;

static void screen_attach(void *opaque, const display_guest_t *guest)
{
    screen_t *s = opaque;
    s->guest = *guest;
    if (s->first_width) {
        guest->resize(guest->opaque, s->first_width, s->first_height);
    }
}

static bool screen_mode(void *opaque, uint32_t width, uint32_t height)
{
    screen_t *s = opaque;
    if (s->refuse) {
        return false;
    }
    s->modes++;
    s->width = width;
    s->height = height;
    memset(s->pixel, 0, sizeof(s->pixel));
    return true;
}

static void screen_update(void *opaque, uint32_t x, uint32_t y, uint32_t width, uint32_t height,
                          const void *pixels, size_t stride)
{
    screen_t *s = opaque;
    s->updates++;
    CHECK(width && height && x + width <= s->width && y + height <= s->height);
    for (uint32_t i = 0; i < width * height; i++) {
        uint32_t px = x + i % width, py = y + i / width;
        if (px < SIDE && py < SIDE) {
            memcpy(&s->pixel[py * SIDE + px],
                   (const uint8_t *)pixels + i / width * stride + i % width * 4, 4);
        }
    }
}

static void screen_cursor(void *opaque, const uint32_t *image, uint32_t hot_x, uint32_t hot_y)
{
    screen_t *s = opaque;
    s->cursor = image != NULL;
    s->hot_x = hot_x;
    s->hot_y = hot_y;
    if (image) {
        memcpy(s->image, image, sizeof(s->image));
    }
}

static void screen_move(void *opaque, int32_t x, int32_t y)
{
    screen_t *s = opaque;
    s->x = x;
    s->y = y;
}

static void screen_free(void *opaque)
{
    ((screen_t *)opaque)->frees++;
}

static display_host_t screen_host(screen_t *s)
{
    return (display_host_t){.opaque = s,
                            .attach = screen_attach,
                            .set_mode = screen_mode,
                            .update = screen_update,
                            .cursor = screen_cursor,
                            .move_cursor = screen_move,
                            .free = screen_free};
}

#endif
