/* SPDX-License-Identifier: MPL-2.0 */
/* Displays for a canvas; keys and pointers. */
#include "engine_internal.h"

#include <stdlib.h>
#include <string.h>

ENGINE_EXPORT int rvkit_add_display(engine_t *engine, int kind, uint32_t width, uint32_t height)
{
    board_desc_t *desc = &engine->desc;
    if (!engine_is_open(engine, engine->displays, ENGINE_DISPLAYS_MAX, "displays") ||
        (kind && !engine_is_open(engine, desc->has_framebuffer, 1, "frame buffer"))) {
        return -1;
    }
    display_t *display = display_new(kind ? "fb0" : "gpu0");
    if (!display) {
        rvvm_error("a display: out of memory");
        return -1;
    }
    const board_screen_t screen = {display_host(display), width, height};
    if (kind) {
        desc->framebuffer = screen;
        desc->has_framebuffer = true;
    } else {
        desc->scanout[desc->scanout_count++] = screen;
    }
    engine->display[engine->displays] =
        (engine_display_t){.engine = engine, .number = engine->displays, .display = display};
    return engine->displays++;
}

void engine_free_displays(engine_t *engine)
{
    for (int i = 0; i < engine->displays; i++) {
        engine_display_t *d = &engine->display[i];
        if (d->viewer) {
            display_detach(d->viewer);
        }
        display_close(d->display);
        free(d->pixels);
    }
}

static engine_display_t *display_of(engine_t *engine, int number)
{
    return number >= 0 && number < engine->displays ? &engine->display[number] : NULL;
}

static void display_on_wake(void *opaque)
{
    rvkit_host_display(((engine_display_t *)opaque)->number);
}

/* R, G, B, 255 in memory, of a little-endian host. */
static uint8_t *copy_rect(const display_view_t *view, const display_rect_t *rect, uint8_t *out)
{
    for (uint32_t y = 0; y < rect->height; y++) {
        const uint32_t *row = (const uint32_t *)(const void *)((const uint8_t *)view->pixels +
                                                               (rect->y + y) * view->stride) +
                              rect->x;
        for (uint32_t x = 0; x < rect->width; x++, out += 4) {
            uint32_t p = row[x];
            p = UINT32_C(0xff000000) | (p & 0xff) << 16 | (p & 0xff00) | (p >> 16 & 0xff);
            memcpy(out, &p, 4);
        }
    }
    return out;
}

/* The rectangles: those that changed, or all of the screen when that is less. False: no memory. */
static bool copy_damage(engine_display_t *d, const display_view_t *view)
{
    display_rect_t rects[DISPLAY_DAMAGE_MAX];
    unsigned count = view->damage_count;
    size_t all = (size_t)view->width * view->height, area = 0;
    for (unsigned i = 0; i < count; i++) {
        rects[i] = view->damage[i];
        area += (size_t)rects[i].width * rects[i].height;
    }
    if (area > all) {
        rects[0] = (display_rect_t){0, 0, view->width, view->height};
        count = 1;
        area = all;
    }
    if (d->capacity < area * 4) {
        free(d->pixels);
        d->pixels = malloc(area * 4);
        d->capacity = d->pixels ? area * 4 : 0;
    }
    if (area && !d->pixels) {
        return false;
    }
    uint8_t *out = d->pixels;
    for (unsigned i = 0; i < count; i++) {
        const uint32_t words[5] = {rects[i].x, rects[i].y, rects[i].width, rects[i].height,
                                   (uint32_t)(uintptr_t)out};
        memcpy(&d->rects[(size_t)i * 5], words, sizeof(words));
        out = copy_rect(view, &rects[i], out);
    }
    d->words[6] = count;
    return true;
}

/* Canvases want colours that are not multiplied with their opacity. */
static void copy_cursor(engine_display_t *d, const display_cursor_t *cursor)
{
    d->has_cursor = cursor->image != NULL;
    d->cursor[0] = cursor->hot_x;
    d->cursor[1] = cursor->hot_y;
    for (size_t i = 0; d->has_cursor && i < DISPLAY_CURSOR_SIDE * DISPLAY_CURSOR_SIDE; i++) {
        uint32_t p = cursor->image[i], a = p >> 24, out = a << 24;
        for (unsigned c = 0; a && c < 3; c++) {
            uint32_t v = (p >> (16 - 8 * c) & 0xff) * 255 / a;
            out |= (v < 255 ? v : 255) << (8 * c);
        }
        d->cursor[2 + i] = out;
    }
}

ENGINE_EXPORT const uint32_t *rvkit_display_look(engine_t *engine, int display)
{
    engine_display_t *d = display_of(engine, display);
    if (d && !d->viewer) {
        d->viewer = display_attach(d->display, display_on_wake, d);
    }
    if (!d || !d->viewer) {
        return NULL;
    }
    display_view_t view;
    display_begin(d->viewer, &view);
    bool ok = copy_damage(d, &view);
    copy_cursor(d, &view.cursor);
    const uint32_t words[6] = {
        view.events,  view.width, view.height, (uint32_t)view.cursor.x, (uint32_t)view.cursor.y,
        d->has_cursor};
    display_end(d->viewer);
    memcpy(d->words, words, sizeof(words));
    d->words[7] = (uint32_t)(uintptr_t)d->rects;
    return ok ? d->words : NULL;
}

ENGINE_EXPORT const uint32_t *rvkit_display_cursor(engine_t *engine, int display)
{
    const engine_display_t *d = display_of(engine, display);
    return d && d->has_cursor ? d->cursor : NULL;
}

ENGINE_EXPORT bool rvkit_display_request(engine_t *engine, int display, uint32_t width,
                                         uint32_t height)
{
    engine_display_t *d = display_of(engine, display);
    return d && display_request_size(d->display, width, height);
}

ENGINE_EXPORT void rvkit_display_redraw(engine_t *engine, int display)
{
    engine_display_t *d = display_of(engine, display);
    if (d && d->viewer) {
        display_detach(d->viewer);
        d->viewer = NULL;
    }
}

bool engine_is_watched(const engine_t *engine)
{
    bool watched = engine->sounds != 0;
    for (int i = 0; i < engine->displays; i++) {
        watched = watched || engine->display[i].viewer;
    }
    return watched;
}

/* --- Input --- */

ENGINE_EXPORT int rvkit_add_input(engine_t *engine, uint32_t kinds)
{
    for (unsigned kind = INPUT_KEYBOARD; kind <= INPUT_TOUCH; kind <<= 1) {
        board_desc_t *desc = &engine->desc;
        if (!(kinds & kind)) {
            continue;
        }
        if (!engine_is_open(engine, (int)desc->input_count, BOARD_INPUTS_MAX, "input devices")) {
            return -1;
        }
        desc->input[desc->input_count].host = input_host(engine->input);
        desc->input[desc->input_count++].kind = kind;
    }
    return 0;
}

ENGINE_EXPORT void rvkit_key(engine_t *engine, uint32_t usage, int down)
{
    input_key(engine->source, usage, down != 0);
}

ENGINE_EXPORT void rvkit_button(engine_t *engine, uint32_t button, int down)
{
    input_button(engine->source, button, down != 0);
}

ENGINE_EXPORT void rvkit_move(engine_t *engine, int dx, int dy)
{
    input_move(engine->source, dx, dy);
}

ENGINE_EXPORT void rvkit_place(engine_t *engine, int x, int y)
{
    input_place(engine->source, x, y);
}

ENGINE_EXPORT void rvkit_wheel(engine_t *engine, int dx, int dy)
{
    input_wheel(engine->source, dx, dy);
}

ENGINE_EXPORT void rvkit_touch(engine_t *engine, uint32_t slot, int down, int x, int y)
{
    if (slot < INPUT_SLOTS) {
        input_touch(engine->source, slot, down != 0, x, y);
    }
}

ENGINE_EXPORT void rvkit_leave(engine_t *engine)
{
    input_leave(engine->source);
}

ENGINE_EXPORT uint32_t rvkit_leds(engine_t *engine)
{
    return input_leds(engine->input);
}
