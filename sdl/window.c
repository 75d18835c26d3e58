/* SPDX-License-Identifier: MPL-2.0 */
#include "seat_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FRAME_MS 14   /* the least from one picture of a console to the next */
#define SCREEN_MS 4   /* and of a screen, as long as drawing takes no more than half of the time */
#define UNSEEN_MS 500 /* how often a window that cannot be seen gets its new title */
#define SETTLE_MS 200 /* the window's size has not changed for so long */

/* --- Waking the main thread --- */

void window_wake(window_t *w)
{
    if (!__atomic_exchange_n(&w->woken, 1, __ATOMIC_SEQ_CST)) {
        seat_wake(w->seat);
    }
}

void view_wake(view_t *view)
{
    __atomic_store_n(&view->changed, 1, __ATOMIC_SEQ_CST);
    __atomic_store_n(&view->news, 1, __ATOMIC_SEQ_CST);
    window_wake(view->window);
}

void window_end(window_t *w)
{
    __atomic_store_n(&w->over, 1, __ATOMIC_SEQ_CST);
    window_wake(w);
}

void window_say(window_t *w, const char *line)
{
    if (seat_lost(w->seat)) {
        fprintf(stderr, "%s\n", line);
        return;
    }
    host_mutex_lock(w->lock);
    SDL_strlcpy(w->notice, line, sizeof(w->notice));
    w->notice_until = (SDL_GetTicks() + 4000) | 1;
    host_mutex_unlock(w->lock);
    window_wake(w);
}

/* --- What views ask --- */

SDL_Renderer *window_renderer(window_t *w)
{
    return seat_lost(w->seat) ? NULL : w->renderer;
}

glyphs_t *window_glyphs(window_t *w)
{
    return w->glyphs;
}

SDL_Window *window_handle(window_t *w)
{
    return w->handle;
}

bool window_grabbed(const window_t *w)
{
    return w->grabbed;
}

bool window_smooth(const window_t *w)
{
    return w->smooth;
}

bool window_focused(const window_t *w)
{
    return w->focused;
}

float window_scale(const window_t *w)
{
    return w->scale;
}

/* --- Views --- */

void window_place(window_t *w)
{
    int units, height;
    SDL_GetWindowSize(w->handle, &units, &height);
    if (SDL_GetRendererOutputSize(w->renderer, &w->width, &w->height) != 0) {
        return;
    }
    float scale = units > 0 ? (float)w->width / (float)units : 1;
    if (scale != w->scale) { /* it is on a screen of another density now */
        w->scale = scale;
        glyphs_set_size(w->glyphs, (unsigned)((float)w->font_size * scale + 0.5f));
    }
    for (unsigned i = 0; i < w->count; i++) {
        w->view[i]->ops->place(w->view[i], w->width, w->height);
    }
    w->settle_at = (SDL_GetTicks() + SETTLE_MS) | 1;
    w->redraw = true;
}

void window_set_font(window_t *w, unsigned size)
{
    if (size < GLYPHS_SIZE_MIN || size > GLYPHS_SIZE_MAX) {
        return;
    }
    w->font_size = size;
    glyphs_set_size(w->glyphs, (unsigned)((float)size * w->scale + 0.5f));
    window_place(w);
}

static void window_retitle(window_t *w)
{
    char title[160] = "", line[400];
    view_t *view = w->view[w->shown];
    if (view->ops->title) {
        view->ops->title(view, title, sizeof(title));
    }
    snprintf(line, sizeof(line), "%s%s%s - %s%s", view->name, title[0] ? ": " : "", title, w->title,
             w->grabbed ? " (Ctrl+Alt+G lets the mouse go)" : "");
    if (strcmp(line, SDL_GetWindowTitle(w->handle)) != 0) {
        SDL_SetWindowTitle(w->handle, line);
    }
}

void window_show(window_t *w, unsigned index)
{
    if (index >= w->count) {
        return;
    }
    view_t *old = w->view[w->shown];
    if (index != w->shown) {
        window_grab(w, false);
        old->ops->focus(old, false);
    }
    w->shown = index;
    w->view[index]->ops->focus(w->view[index], w->focused);
    w->redraw = true;
}

bool window_add(window_t *w, view_t *view)
{
    if (!view || w->count == WINDOW_VIEWS_MAX) {
        if (view) {
            view->ops->free(view);
        }
        return false;
    }
    w->view[w->count++] = view;
    view->ops->place(view, w->width, w->height);
    return true;
}

void window_set_title(window_t *w, const char *title)
{
    SDL_strlcpy(w->title, title, sizeof(w->title));
    w->redraw = true;
}

void window_power_key(window_t *w, input_t *input)
{
    w->power = input;
}

/* --- Drawing --- */

void window_draw(window_t *w)
{
    view_t *view = w->view[w->shown];
    __atomic_store_n(&view->changed, 0, __ATOMIC_SEQ_CST);
    w->redraw = false;
    w->drawn_at = SDL_GetTicks();
    if (w->unseen) {
        w->again_at = 0;
        window_retitle(w);
        return;
    }
    uint32_t again = view->ops->draw(view);
    uint32_t status = window_draw_status(w);
    again = status < again ? status : again;
    SDL_RenderPresent(w->renderer);
    w->figures.frames++;
    w->took = SDL_GetTicks() - w->drawn_at;
    window_retitle(w);
    w->again_at = again == VIEW_NEVER ? 0 : (SDL_GetTicks() + again) | 1;
}

/* Milliseconds from now; negative when it is past, INT32_MAX for a time that is 0. */
static int32_t until(uint32_t at, uint32_t now)
{
    return at ? (int32_t)(at - now) : INT32_MAX;
}

static void window_settle(window_t *w)
{
    w->settle_at = 0;
    for (unsigned i = 0; i < w->count; i++) {
        if (w->view[i]->ops->settle) {
            w->view[i]->ops->settle(w->view[i]);
        }
    }
}

/* The least time from the begin of one picture to that of the next. */
static uint32_t window_interval(const window_t *w)
{
    uint32_t took = 2 * w->took;
    if (w->unseen) {
        return UNSEEN_MS;
    }
    if (!w->view[w->shown]->screen || took > FRAME_MS) {
        return FRAME_MS;
    }
    return took > SCREEN_MS ? took : SCREEN_MS;
}

/* Whether to draw, and if not, for how long to wait for events: -1 for ever. */
bool window_due(window_t *w, int *wait)
{
    uint32_t now = SDL_GetTicks(), since = now - w->drawn_at;
    if (until(w->settle_at, now) <= 0) {
        window_settle(w);
    }
    int32_t left = until(w->again_at, now), settled = until(w->settle_at, now);
    bool wanted =
        w->redraw || left <= 0 || __atomic_load_n(&w->view[w->shown]->changed, __ATOMIC_SEQ_CST);
    if (wanted) {
        uint32_t least = window_interval(w);
        *wait = since >= least ? 0 : (int)(least - since);
        return since >= least;
    }
    left = settled < left ? settled : left;
    *wait = left == INT32_MAX ? -1 : (int)left;
    return false;
}

/* --- Events --- */

static void window_on_quit(window_t *w)
{
    if (w->power) {
        enum { USAGE_POWER = 0x66 };
        input_source_t *source = input_source_new(w->power);
        if (source) {
            input_key(source, USAGE_POWER, true);
            input_key(source, USAGE_POWER, false);
        }
        input_source_free(source);
    } else if (w->guest.close) {
        w->guest.close(w->guest.opaque);
    } else if (w->asking) {
        w->guest.quit(w->guest.opaque);
    } else {
        window_ask(w);
    }
}

static void window_on_window(window_t *w, const SDL_WindowEvent *e)
{
    view_t *view = w->view[w->shown];
    bool unseen = SDL_GetWindowFlags(w->handle) & (SDL_WINDOW_HIDDEN | SDL_WINDOW_MINIMIZED);
    w->redraw |= w->unseen && !unseen;
    w->unseen = unseen;
    switch (e->event) {
    case SDL_WINDOWEVENT_SIZE_CHANGED:
    case SDL_WINDOWEVENT_DISPLAY_CHANGED:
        window_place(w);
        break;
    case SDL_WINDOWEVENT_FOCUS_GAINED:
    case SDL_WINDOWEVENT_FOCUS_LOST:
        w->focused = e->event == SDL_WINDOWEVENT_FOCUS_GAINED;
        if (!w->focused) {
            window_grab(w, false);
        }
        view->ops->focus(view, w->focused);
        w->redraw = true;
        break;
    case SDL_WINDOWEVENT_CLOSE:
        window_on_quit(w);
        break;
    case SDL_WINDOWEVENT_EXPOSED:
        w->redraw = true;
        break;
    default:
        break;
    }
}

/* Places in the renderer's pixels. */
static void window_scale_event(const window_t *w, SDL_Event *e)
{
    if (e->type == SDL_MOUSEMOTION) {
        e->motion.x = (int)((float)e->motion.x * w->scale);
        e->motion.y = (int)((float)e->motion.y * w->scale);
    } else if (e->type == SDL_MOUSEBUTTONDOWN || e->type == SDL_MOUSEBUTTONUP) {
        e->button.x = (int)((float)e->button.x * w->scale);
        e->button.y = (int)((float)e->button.y * w->scale);
    }
}

void window_on_event(window_t *w, SDL_Event *e)
{
    view_t *view = w->view[w->shown];
    switch (e->type) {
    case SDL_QUIT:
        window_on_quit(w);
        break;
    case SDL_WINDOWEVENT:
        window_on_window(w, &e->window);
        break;
    case SDL_RENDER_TARGETS_RESET:
    case SDL_RENDER_DEVICE_RESET:
        for (unsigned i = 0; i < w->count; i++) {
            w->view[i]->ops->lost(w->view[i]);
        }
        w->redraw = true;
        break;
    case SDL_KEYDOWN:
        w->swallow = window_key(w, &e->key);
        if (!w->swallow) {
            view->ops->event(view, e);
        }
        break;
    case SDL_KEYUP:
        w->swallow = false; /* input methods send text without a key before it */
        view->ops->event(view, e);
        break;
    case SDL_DROPFILE:
        window_drop(w, e->drop.file);
        break;
    case SDL_TEXTINPUT:
        if (!w->swallow) {
            view->ops->event(view, e);
        }
        break;
    default:
        window_scale_event(w, e);
        view->ops->event(view, e);
        break;
    }
}

/* What other threads have told. */
void window_on_wake(window_t *w)
{
    if (!__atomic_exchange_n(&w->woken, 0, __ATOMIC_SEQ_CST)) {
        return;
    }
    for (unsigned i = 0; i < w->count; i++) {
        view_t *view = w->view[i];
        if (__atomic_exchange_n(&view->news, 0, __ATOMIC_SEQ_CST) && view->ops->told) {
            view->ops->told(view);
        }
    }
    host_mutex_lock(w->lock);
    w->redraw |= strcmp(w->notice, w->drawn_notice) != 0;
    host_mutex_unlock(w->lock);
}

bool window_goes_on(const window_t *w)
{
    return w->started && !__atomic_load_n(&w->over, __ATOMIC_SEQ_CST);
}

void window_hide(window_t *w)
{
    if (w->started && !w->hidden) {
        w->hidden = true;
        window_grab(w, false);
        w->view[w->shown]->ops->focus(w->view[w->shown], false);
        SDL_HideWindow(w->handle);
    }
}

void window_start(window_t *w, const window_guest_t *guest)
{
    w->guest = *guest;
    window_place(w);
    SDL_ShowWindow(w->handle);
    window_show(w, w->shown);
    w->started = w->count != 0;
}

/* --- Beginning and end --- */

/* At most so many of the screen's pixels, less what a frame takes: the last lines of a larger
 * window would be where nobody sees them. */
static int window_fit(int wanted, int room)
{
    int most = room - room / 16;
    return room > 0 && wanted > most ? most : wanted;
}

static bool window_create(window_t *w, const char *title, int width, int height)
{
    SDL_Rect room;
    if (SDL_GetDisplayUsableBounds(0, &room) == 0) {
        width = window_fit(width, room.w);
        height = window_fit(height, room.h);
    }
    w->handle =
        SDL_CreateWindow(title, SDL_WINDOWPOS_UNDEFINED, SDL_WINDOWPOS_UNDEFINED, width, height,
                         SDL_WINDOW_HIDDEN | SDL_WINDOW_RESIZABLE | SDL_WINDOW_ALLOW_HIGHDPI);
    w->renderer = w->handle ? window_make_renderer(w->handle) : NULL;
    if (w->renderer) {
        SDL_SetWindowMinimumSize(w->handle, 64, 48);
        window_set_icon(w->handle);
        SDL_GetRendererOutputSize(w->renderer, &w->width, &w->height);
        lost_watch(w->seat, w->handle);
    }
    return w->renderer != NULL;
}

window_t *window_open(seat_t *seat, const char *title, int width, int height, const char *font,
                      char *error, size_t error_size)
{
    window_t *w = calloc(1, sizeof(*w));
    if (!w || !(w->lock = host_mutex_create())) {
        snprintf(error, error_size, "out of memory");
        free(w);
        return NULL;
    }
    w->seat = seat;
    w->scale = 1;
    window_set_title(w, title);
    seat_add(seat, w);
    if (!window_create(w, title, width, height)) {
        snprintf(error, error_size, "there is no display for a window (%s); -nogui does without",
                 SDL_GetError());
    } else if ((w->glyphs = glyphs_open(font, error, error_size)) != NULL) {
        w->font_size = glyphs_size(w->glyphs);
        return w;
    }
    window_close(w);
    return NULL;
}

void window_close(window_t *w)
{
    if (!w) {
        return;
    }
    for (unsigned i = 0; i < w->count; i++) {
        w->view[i]->ops->free(w->view[i]);
    }
    canvas_free(&w->canvas);
    glyphs_free(w->glyphs);
    if (!seat_lost(w->seat)) {
        if (w->renderer) {
            SDL_DestroyRenderer(w->renderer);
        }
        if (w->handle) {
            SDL_DestroyWindow(w->handle);
        }
    }
    seat_remove(w->seat, w);
    host_mutex_free(w->lock);
    free(w);
}
