/* SPDX-License-Identifier: MPL-2.0 */
#include "seat_internal.h"

#include <stdio.h>
#include <stdlib.h>

/* SDL asks the whole process to quit when its last window is closed, right after it has told that
 * window: within so many milliseconds. */
#define CLOSE_MS 50

bool seat_lost(const seat_t *s)
{
    return __atomic_load_n(&s->lost, __ATOMIC_SEQ_CST);
}

void seat_wake(seat_t *s)
{
    if (!__atomic_exchange_n(&s->woken, 1, __ATOMIC_SEQ_CST) && !seat_lost(s)) {
        lost_wake(s);
    }
}

void seat_add(seat_t *s, window_t *w)
{
    w->next = s->windows;
    s->windows = w;
}

void seat_remove(seat_t *s, window_t *w)
{
    window_t **at = &s->windows;
    while (*at && *at != w) {
        at = &(*at)->next;
    }
    if (*at) {
        *at = w->next;
    }
}

/* --- Events --- */

/* The window that the event is for; 0: all. */
static uint32_t event_window(const SDL_Event *e)
{
    switch (e->type) {
    case SDL_WINDOWEVENT:
        return e->window.windowID;
    case SDL_KEYDOWN:
    case SDL_KEYUP:
        return e->key.windowID;
    case SDL_TEXTINPUT:
        return e->text.windowID;
    case SDL_TEXTEDITING:
        return e->edit.windowID;
#if SDL_VERSION_ATLEAST(2, 0, 22)
    case SDL_TEXTEDITING_EXT:
        return e->editExt.windowID;
#endif
    case SDL_MOUSEMOTION:
        return e->motion.windowID;
    case SDL_MOUSEBUTTONDOWN:
    case SDL_MOUSEBUTTONUP:
        return e->button.windowID;
    case SDL_MOUSEWHEEL:
        return e->wheel.windowID;
    case SDL_DROPFILE:
    case SDL_DROPTEXT:
        return e->drop.windowID;
#if SDL_VERSION_ATLEAST(2, 0, 12)
    case SDL_FINGERDOWN:
    case SDL_FINGERUP:
    case SDL_FINGERMOTION:
        return e->tfinger.windowID;
#endif
    default:
        return 0;
    }
}

static void seat_on_event(seat_t *s, SDL_Event *e)
{
    uint32_t id = event_window(e);
    bool closed = e->type == SDL_WINDOWEVENT && e->window.event == SDL_WINDOWEVENT_CLOSE;
    if (closed) {
        s->closed_at = e->common.timestamp | 1;
    }
    if (e->type == SDL_QUIT &&
        ((s->closed_at && e->common.timestamp + 1 - s->closed_at < CLOSE_MS) ||
         lost_instead_of_quit(s))) {
        return;
    }
    for (window_t *w = s->windows; w; w = w->next) {
        if (window_goes_on(w) && (!id || id == SDL_GetWindowID(w->handle))) {
            window_on_event(w, e);
        }
    }
    if (e->type == SDL_DROPFILE || e->type == SDL_DROPTEXT) {
        SDL_free(e->drop.file);
    }
#if SDL_VERSION_ATLEAST(2, 0, 22)
    if (e->type == SDL_TEXTEDITING_EXT) {
        SDL_free(e->editExt.text);
    }
#endif
}

/* --- Running --- */

/* Those that have ended disappear; the others are drawn. False: there are no others. *wait: until
 * something is due. */
static bool seat_draw(seat_t *s, int *wait)
{
    bool any = false;
    for (window_t *w = s->windows; w; w = w->next) {
        int due;
        if (!window_goes_on(w)) {
            window_hide(w);
            continue;
        }
        any = true;
        if (window_due(w, &due)) {
            window_draw(w);
        }
        *wait = due >= 0 && (*wait < 0 || due < *wait) ? due : *wait;
    }
    return any;
}

bool seat_step(seat_t *s, int wait_ms)
{
    SDL_Event event;
    if (seat_lost(s) || !seat_draw(s, &wait_ms)) {
        return false;
    }
    bool got = lost_wait(s, &event, wait_ms);
    while (got && !seat_lost(s)) {
        seat_on_event(s, &event);
        got = SDL_PollEvent(&event) != 0;
    }
    __atomic_store_n(&s->woken, 0, __ATOMIC_SEQ_CST);
    for (window_t *w = s->windows; w; w = w->next) {
        window_on_wake(w);
    }
    return !seat_lost(s);
}

void seat_run(seat_t *s)
{
    while (seat_step(s, -1)) {
    }
}

/* --- Beginning and end --- */

static bool seat_start(void)
{
    SDL_SetHint(SDL_HINT_NO_SIGNAL_HANDLERS, "1");
    SDL_SetHint(SDL_HINT_VIDEO_ALLOW_SCREENSAVER, "1");
    SDL_SetHint(SDL_HINT_VIDEO_X11_NET_WM_BYPASS_COMPOSITOR, "0");
    SDL_SetHint(SDL_HINT_MOUSE_FOCUS_CLICKTHROUGH, "1");
    SDL_SetHint(SDL_HINT_IME_SHOW_UI, "1");
#if SDL_VERSION_ATLEAST(2, 0, 22)
    SDL_SetHint(SDL_HINT_IME_SUPPORT_EXTENDED_TEXT, "1"); /* not 31 bytes of a sentence */
#endif
    SDL_SetHint(SDL_HINT_APP_NAME, "rvkit");
#ifdef SDL_VIDEO_DRIVER_X11
    /* Drivers without a window are no display; and libwayland would print a line of its own. */
    if (!SDL_getenv("SDL_VIDEODRIVER")) {
        SDL_SetHint(SDL_HINT_VIDEODRIVER, SDL_getenv("XDG_RUNTIME_DIR") ? "x11,wayland" : "x11");
    }
#endif
    return SDL_InitSubSystem(SDL_INIT_VIDEO) == 0;
}

seat_t *seat_open(char *error, size_t error_size)
{
    seat_t *s = calloc(1, sizeof(*s));
    if (!s) {
        snprintf(error, error_size, "out of memory");
        return NULL;
    }
    if (!seat_start()) {
        snprintf(error, error_size, "there is no display for a window (%s); -nogui does without",
                 SDL_GetError());
        free(s);
        return NULL;
    }
    s->wake_event = SDL_RegisterEvents(1);
    return s;
}

void seat_close(seat_t *s)
{
    if (!s) {
        return;
    }
    if (!seat_lost(s)) {
        SDL_QuitSubSystem(SDL_INIT_VIDEO);
    }
    lost_end(s);
    free(s);
}
