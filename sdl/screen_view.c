/* SPDX-License-Identifier: MPL-2.0 */
#include "screen_view.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    view_t view;
    display_t *display;
    display_viewer_t *viewer;
    input_t *input;
    input_source_t *source;
    bool follows;

    SDL_Texture *texture, *cursor;
    uint32_t guest_width, guest_height;
    bool off, cursor_shown;
    display_cursor_t pointer; /* without its image */
    SDL_Rect area;            /* where in the window the screen is */
    int width, height;        /* pixels of the window */
    int asked_width, asked_height;
    bool focused;
    SDL_FingerID finger[INPUT_SLOTS];
    bool touched[INPUT_SLOTS];
} screen_view_t;

static screen_view_t *screen_of(view_t *view)
{
    return (screen_view_t *)view;
}

/* Any thread. */
static void screen_on_display(void *opaque)
{
    screen_view_t *s = opaque;
    view_wake(&s->view);
}

static void screen_drop(screen_view_t *s)
{
    if (s->texture) {
        SDL_DestroyTexture(s->texture);
    }
    if (s->cursor) {
        SDL_DestroyTexture(s->cursor);
    }
    s->texture = s->cursor = NULL;
}

/* A new look gives everything. */
static void screen_lost(view_t *view)
{
    screen_view_t *s = screen_of(view);
    screen_drop(s);
    if (s->viewer) {
        display_detach(s->viewer);
    }
    s->viewer = display_attach(s->display, screen_on_display, s);
}

static void screen_free(view_t *view)
{
    screen_view_t *s = screen_of(view);
    if (s->viewer) {
        display_detach(s->viewer);
    }
    input_source_free(s->source);
    if (window_renderer(view->window)) {
        screen_drop(s);
    }
    free(s);
}

static void screen_place(view_t *view, int width, int height)
{
    screen_view_t *s = screen_of(view);
    s->width = width;
    s->height = height;
    view_wake(view);
}

static void screen_settle(view_t *view)
{
    screen_view_t *s = screen_of(view);
    if (s->follows && (s->width != s->asked_width || s->height != s->asked_height)) {
        display_request_size(s->display, (uint32_t)s->width, (uint32_t)s->height);
        s->asked_width = s->width;
        s->asked_height = s->height;
    }
}

static void screen_focus(view_t *view, bool in)
{
    screen_view_t *s = screen_of(view);
    if (in) {
        SDL_StopTextInput();
        SDL_ShowCursor(input_kinds(s->input) & INPUT_TABLET ? SDL_DISABLE : SDL_ENABLE);
    } else if (s->focused) {
        input_leave(s->source);
        memset(s->touched, 0, sizeof(s->touched));
    }
    s->focused = in;
}

/* --- Pixels --- */

/* Where the screen lies in the window: as it is, or scaled to fit. */
static void screen_arrange(screen_view_t *s)
{
    double x = (double)s->width / s->guest_width, y = (double)s->height / s->guest_height;
    double factor = x < y ? x : y;
    if (!window_smooth(s->view.window) && factor >= 1) {
        factor = (int)factor;
    }
    int width = (int)(s->guest_width * factor + 0.5),
        height = (int)(s->guest_height * factor + 0.5);
    s->area = (SDL_Rect){(s->width - width) / 2, (s->height - height) / 2, width, height};
    if (s->texture) {
        bool whole = factor == (int)factor;
        SDL_SetTextureScaleMode(s->texture, whole ? SDL_ScaleModeNearest : SDL_ScaleModeLinear);
    }
}

static void screen_set_mode(screen_view_t *s, const display_view_t *look)
{
    if (s->texture) {
        SDL_DestroyTexture(s->texture);
        s->texture = NULL;
    }
    s->off = !look->pixels;
    if (s->off) {
        return;
    }
    s->guest_width = look->width;
    s->guest_height = look->height;
    s->texture =
        SDL_CreateTexture(window_renderer(s->view.window), SDL_PIXELFORMAT_RGB888,
                          SDL_TEXTUREACCESS_STREAMING, (int)look->width, (int)look->height);
}

static void screen_take_pixels(screen_view_t *s, const display_view_t *look)
{
    for (unsigned i = 0; s->texture && look->pixels && i < look->damage_count; i++) {
        const display_rect_t *d = &look->damage[i];
        const SDL_Rect rect = {(int)d->x, (int)d->y, (int)d->width, (int)d->height};
        const uint8_t *from = (const uint8_t *)look->pixels + d->y * look->stride + d->x * 4;
        SDL_UpdateTexture(s->texture, &rect, from, (int)look->stride);
    }
}

/* Colours that were multiplied by alpha, as they were before: renderers blend them so. */
static void screen_take_cursor(screen_view_t *s, const uint32_t *image)
{
    uint32_t plain[DISPLAY_CURSOR_SIDE * DISPLAY_CURSOR_SIDE];
    s->cursor_shown = image != NULL;
    if (!image) {
        return;
    }
    for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
        uint32_t alpha = image[i] >> 24, out = alpha << 24;
        for (unsigned shift = 0; alpha && shift < 24; shift += 8) {
            uint32_t value = ((image[i] >> shift & 0xFF) * 255 + alpha / 2) / alpha;
            out |= (value > 255 ? 255 : value) << shift;
        }
        plain[i] = out;
    }
    if (!s->cursor) {
        s->cursor =
            SDL_CreateTexture(window_renderer(s->view.window), SDL_PIXELFORMAT_ARGB8888,
                              SDL_TEXTUREACCESS_STATIC, DISPLAY_CURSOR_SIDE, DISPLAY_CURSOR_SIDE);
        SDL_SetTextureBlendMode(s->cursor, SDL_BLENDMODE_BLEND);
    }
    SDL_UpdateTexture(s->cursor, NULL, plain, DISPLAY_CURSOR_SIDE * 4);
}

static void screen_look(screen_view_t *s)
{
    display_view_t look;
    if (!s->viewer) {
        return;
    }
    display_begin(s->viewer, &look);
    if ((look.events & DISPLAY_MODE) || (!s->texture && look.pixels)) {
        screen_set_mode(s, &look);
    }
    screen_take_pixels(s, &look);
    if (look.events & DISPLAY_CURSOR) {
        screen_take_cursor(s, look.cursor.image);
    }
    s->pointer = look.cursor;
    s->pointer.image = NULL;
    display_end(s->viewer);
}

static void screen_draw_cursor(screen_view_t *s)
{
    if (!s->cursor_shown || !s->cursor) {
        return;
    }
    float factor = (float)s->area.w / (float)s->guest_width;
    float side = DISPLAY_CURSOR_SIDE * factor;
    /* Both are the guest's numbers, whatever they are. */
    int64_t x = s->pointer.x - (int64_t)s->pointer.hot_x;
    int64_t y = s->pointer.y - (int64_t)s->pointer.hot_y;
    if (x <= -DISPLAY_CURSOR_SIDE || y <= -DISPLAY_CURSOR_SIDE || x >= s->guest_width ||
        y >= s->guest_height) {
        return;
    }
    const SDL_FRect rect = {(float)s->area.x + (float)x * factor,
                            (float)s->area.y + (float)y * factor, side, side};
    SDL_RenderSetClipRect(window_renderer(s->view.window), &s->area);
    SDL_RenderCopyF(window_renderer(s->view.window), s->cursor, NULL, &rect);
    SDL_RenderSetClipRect(window_renderer(s->view.window), NULL);
}

static void screen_draw_off(screen_view_t *s, SDL_Renderer *renderer)
{
    canvas_t canvas = {0};
    glyphs_t *glyphs = window_glyphs(s->view.window);
    static const char text[] = "The screen is off.";
    const glyphs_metrics_t *m = glyphs_metrics(glyphs);
    if (!canvas_set_size(&canvas, (int)(m->width * (sizeof(text) - 1)), (int)m->height)) {
        return;
    }
    canvas_text(&canvas, glyphs, 0, 0, text, 0x808080, 0);
    SDL_Texture *texture = SDL_CreateTexture(renderer, SDL_PIXELFORMAT_RGB888,
                                             SDL_TEXTUREACCESS_STATIC, canvas.width, canvas.height);
    SDL_UpdateTexture(texture, NULL, canvas.pixels, canvas.width * 4);
    const SDL_Rect rect = {(s->width - canvas.width) / 2, (s->height - canvas.height) / 2,
                           canvas.width, canvas.height};
    SDL_RenderCopy(renderer, texture, NULL, &rect);
    SDL_DestroyTexture(texture);
    canvas_free(&canvas);
}

static uint32_t screen_draw(view_t *view)
{
    screen_view_t *s = screen_of(view);
    SDL_Renderer *renderer = window_renderer(view->window);
    screen_look(s);
    SDL_SetRenderDrawColor(renderer, 0, 0, 0, 255);
    SDL_RenderClear(renderer);
    if (s->off || !s->texture) {
        screen_draw_off(s, renderer);
        return VIEW_NEVER;
    }
    screen_arrange(s);
    SDL_RenderCopy(renderer, s->texture, NULL, &s->area);
    screen_draw_cursor(s);
    return VIEW_NEVER;
}

static uint32_t *screen_picture(view_t *view, uint32_t *width, uint32_t *height)
{
    return display_copy(screen_of(view)->display, true, width, height);
}

/* --- Input --- */

static int32_t place_in(int at, int from, int size)
{
    int64_t place = size > 1 ? (int64_t)(at - from) * INPUT_PLACE_MAX / (size - 1) : 0;
    return (int32_t)(place < 0 ? 0 : place > INPUT_PLACE_MAX ? INPUT_PLACE_MAX : place);
}

static unsigned screen_button(uint8_t button)
{
    static const uint8_t buttons[] = {0,           INPUT_LEFT, INPUT_MIDDLE,
                                      INPUT_RIGHT, INPUT_SIDE, INPUT_EXTRA};
    return button < sizeof(buttons) ? buttons[button] : 0;
}

static void screen_motion(screen_view_t *s, const SDL_MouseMotionEvent *e)
{
    if (e->which == SDL_TOUCH_MOUSEID && input_kinds(s->input) & INPUT_TOUCH) {
        return;
    }
    if (window_grabbed(s->view.window)) {
        input_move(s->source, e->xrel, e->yrel);
    } else if (s->area.w > 0) {
        input_place(s->source, place_in(e->x, s->area.x, s->area.w),
                    place_in(e->y, s->area.y, s->area.h));
    }
}

static void screen_press(screen_view_t *s, const SDL_MouseButtonEvent *e, bool down)
{
    unsigned button = screen_button(e->button);
    if (button && (e->which != SDL_TOUCH_MOUSEID || !(input_kinds(s->input) & INPUT_TOUCH))) {
        input_button(s->source, button, down);
    }
}

static void screen_wheel(screen_view_t *s, const SDL_MouseWheelEvent *e)
{
    float sign = e->direction == SDL_MOUSEWHEEL_FLIPPED ? -1 : 1;
    input_wheel(s->source, (int32_t)(sign * e->preciseX * INPUT_NOTCH),
                (int32_t)(sign * e->preciseY * INPUT_NOTCH));
}

/* The slot of a finger; INPUT_SLOTS: there are too many. */
static unsigned screen_slot(screen_view_t *s, SDL_FingerID id)
{
    unsigned unused = INPUT_SLOTS;
    for (unsigned i = INPUT_SLOTS; i-- > 0;) {
        if (s->touched[i] && s->finger[i] == id) {
            return i;
        }
        unused = s->touched[i] ? unused : i;
    }
    return unused;
}

static void screen_touch(screen_view_t *s, const SDL_TouchFingerEvent *e)
{
    unsigned slot = screen_slot(s, e->fingerId);
    bool down = e->type != SDL_FINGERUP;
    if (slot == INPUT_SLOTS || s->area.w <= 0) {
        return;
    }
    s->finger[slot] = e->fingerId;
    s->touched[slot] = down;
    input_touch(s->source, slot, down,
                place_in((int)(e->x * (float)s->width), s->area.x, s->area.w),
                place_in((int)(e->y * (float)s->height), s->area.y, s->area.h));
}

static void screen_event(view_t *view, const SDL_Event *event)
{
    screen_view_t *s = screen_of(view);
    switch (event->type) {
    case SDL_KEYDOWN:
    case SDL_KEYUP: /* SDL numbers keys as USB does */
        if (event->key.keysym.scancode < INPUT_KEYS) {
            input_key(s->source, event->key.keysym.scancode, event->type == SDL_KEYDOWN);
        }
        break;
    case SDL_MOUSEMOTION:
        screen_motion(s, &event->motion);
        break;
    case SDL_MOUSEBUTTONDOWN:
    case SDL_MOUSEBUTTONUP:
        screen_press(s, &event->button, event->type == SDL_MOUSEBUTTONDOWN);
        break;
    case SDL_MOUSEWHEEL:
        screen_wheel(s, &event->wheel);
        break;
    case SDL_FINGERDOWN:
    case SDL_FINGERUP:
    case SDL_FINGERMOTION:
        screen_touch(s, &event->tfinger);
        break;
    default:
        break;
    }
}

view_t *screen_view_create(window_t *window, display_t *display, input_t *input, bool follows)
{
    static const view_ops_t ops = {
        .free = screen_free,
        .place = screen_place,
        .settle = screen_settle,
        .focus = screen_focus,
        .event = screen_event,
        .draw = screen_draw,
        .lost = screen_lost,
        .picture = screen_picture,
    };
    screen_view_t *s = calloc(1, sizeof(*s));
    if (!s) {
        return NULL;
    }
    s->view = (view_t){.ops = &ops, .window = window, .screen = true};
    SDL_strlcpy(s->view.name, display_name(display), sizeof(s->view.name));
    s->display = display;
    s->input = input;
    s->follows = follows;
    s->off = true;
    s->source = input_source_new(input);
    s->viewer = display_attach(display, screen_on_display, s);
    if (!s->source || !s->viewer) {
        screen_free(&s->view);
        return NULL;
    }
    return &s->view;
}
