/* SPDX-License-Identifier: MPL-2.0 */
#include "rvkit_window.h"

#include <stdio.h>
#include <stdlib.h>

#ifdef RVKIT_SDL
#include "screen_view.h"
#include "text_view.h"
#include "window.h"

struct rvkit_window {
    window_t *window;
    input_t *input;
    display_t *display[RVKIT_WINDOW_SCREENS];
    unsigned displays;
    rvkit_window_owner_t owner;
    bool viewed, started;
};

/* RVVM's event loop is one for a process, as SDL's queue of events is, and calls no two devices at
 * once. */
typedef struct {
    seat_t *seat;
    unsigned windows;
    bool told; /* that the display is lost */
} shared_seat_t;

static shared_seat_t *shared_seat(void)
{
    static shared_seat_t shared;
    return &shared;
}

static seat_t *seat_take(char *error, size_t error_size)
{
    shared_seat_t *shared = shared_seat();
    if (!shared->windows) {
        shared->seat = seat_open(error, error_size);
        shared->told = false;
    }
    shared->windows += shared->seat != NULL;
    return shared->seat;
}

static void seat_give_back(void)
{
    shared_seat_t *shared = shared_seat();
    if (!--shared->windows) {
        seat_close(shared->seat);
        shared->seat = NULL;
    }
}

/* --- What the window asks --- */

static void window_on_quit(void *opaque)
{
    rvkit_window_t *w = opaque;
    w->owner.quit(w->owner.opaque);
}

static void window_on_reset(void *opaque)
{
    rvkit_window_t *w = opaque;
    if (w->owner.reset) {
        w->owner.reset(w->owner.opaque);
    }
}

static void window_on_close(void *opaque)
{
    rvkit_window_t *w = opaque;
    w->owner.close(w->owner.opaque);
}

/* --- Life --- */

rvkit_window_t *rvkit_window_open(const char *title, uint32_t width, uint32_t height,
                                  const rvkit_window_owner_t *owner, char *error, size_t error_size)
{
    rvkit_window_t *w = calloc(1, sizeof(*w));
    snprintf(error, error_size, "out of memory");
    if (!w || !(w->input = input_new())) {
        free(w);
        return NULL;
    }
    w->owner = *owner;
    seat_t *seat = seat_take(error, error_size);
    w->window =
        seat ? window_open(seat, title, (int)width, (int)height, NULL, error, error_size) : NULL;
    if (!w->window) {
        if (seat) {
            seat_give_back();
        }
        input_close(w->input);
        free(w);
        return NULL;
    }
    return w;
}

void rvkit_window_close(rvkit_window_t *w)
{
    if (!w) {
        return;
    }
    window_close(w->window);
    seat_give_back();
    for (unsigned i = 0; i < w->displays; i++) {
        display_close(w->display[i]);
    }
    input_close(w->input);
    free(w);
}

bool rvkit_window_add_screen(rvkit_window_t *w, const char *name, bool follows,
                             display_host_t *host)
{
    display_t *display = w->displays < RVKIT_WINDOW_SCREENS ? display_new(name) : NULL;
    if (!display) {
        return false;
    }
    w->display[w->displays++] = display;
    if (!window_add(w->window, screen_view_create(w->window, display, w->input, follows))) {
        return false;
    }
    w->viewed = true;
    *host = display_host(display);
    return true;
}

bool rvkit_window_add_console(rvkit_window_t *w, console_t *console)
{
    bool ok = window_add(w->window, text_view_create(w->window, console));
    w->viewed |= ok;
    return ok;
}

input_host_t rvkit_window_input(rvkit_window_t *w)
{
    return input_host(w->input);
}

void rvkit_window_power_key(rvkit_window_t *w)
{
    window_power_key(w->window, w->input);
}

void rvkit_window_set_title(rvkit_window_t *w, const char *title)
{
    window_set_title(w->window, title);
}

void rvkit_window_grab(rvkit_window_t *w, bool grab)
{
    window_grab(w->window, grab);
}

void rvkit_window_fill(rvkit_window_t *w, bool full)
{
    window_fill(w->window, full);
}

void rvkit_window_step(rvkit_window_t *w)
{
    shared_seat_t *shared = shared_seat();
    if (!w->started && w->viewed) {
        const window_guest_t guest = {
            .opaque = w,
            .quit = window_on_quit,
            .reset = window_on_reset,
            .close = w->owner.close ? window_on_close : NULL,
        };
        window_start(w->window, &guest);
        w->started = true;
    }
    seat_step(shared->seat, 0);
    if (seat_lost(shared->seat) && !shared->told) {
        fprintf(stderr, "rvkit: the display is lost; the guest goes on without a window\n");
        shared->told = true;
    }
}

#else

rvkit_window_t *rvkit_window_open(const char *title, uint32_t width, uint32_t height,
                                  const rvkit_window_owner_t *owner, char *error, size_t error_size)
{
    (void)title;
    (void)width;
    (void)height;
    (void)owner;
    snprintf(error, error_size, "this RVVM is built without rvkit's window (RVKIT_SDL)");
    return NULL;
}

/* Nobody has one. */
void rvkit_window_close(rvkit_window_t *w)
{
    (void)w;
}

bool rvkit_window_add_screen(rvkit_window_t *w, const char *name, bool follows,
                             display_host_t *host)
{
    (void)w;
    (void)name;
    (void)follows;
    (void)host;
    return false;
}

bool rvkit_window_add_console(rvkit_window_t *w, console_t *console)
{
    (void)w;
    (void)console;
    return false;
}

input_host_t rvkit_window_input(rvkit_window_t *w)
{
    (void)w;
    return (input_host_t){0};
}

void rvkit_window_power_key(rvkit_window_t *w)
{
    (void)w;
}

void rvkit_window_set_title(rvkit_window_t *w, const char *title)
{
    (void)w;
    (void)title;
}

void rvkit_window_grab(rvkit_window_t *w, bool grab)
{
    (void)w;
    (void)grab;
}

void rvkit_window_fill(rvkit_window_t *w, bool full)
{
    (void)w;
    (void)full;
}

void rvkit_window_step(rvkit_window_t *w)
{
    (void)w;
}
#endif
