/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The window: it shows one of several views at a time (view.h), and has the keys that are about the
 * window and the machine. Main thread, but for those that say otherwise.
 */
#ifndef RVKIT_SDL_WINDOW_H
#define RVKIT_SDL_WINDOW_H

#include "seat.h"
#include "view.h"

#include "../src/frontends/input.h"

#define WINDOW_VIEWS_MAX 32

/* What the status line shows rates of, since the machine began. */
typedef struct {
    uint64_t retired;   /* instructions */
    uint64_t disk, net; /* bytes */
} window_counts_t;

/* The machine behind the window; from the seat's thread. Those that may be NULL are missing then.
 */
typedef struct {
    void *opaque;
    void (*quit)(void *opaque); /* switches it off */
    void (*reset)(void *opaque);

    /* The window's own button closes it. NULL: the window asks whether to quit. */
    void (*close)(void *opaque);

    /* Both may be NULL. pause(): false when it is off, or cannot go on. */
    bool (*pause)(void *opaque, bool paused);
    bool (*is_paused)(void *opaque);

    /* False: there is no machine yet. May be NULL. */
    bool (*counts)(void *opaque, window_counts_t *counts);

    /* The folder that takes files which are dropped on the window, and its name in the guest.
     * False: there is none. May be NULL. */
    bool (*folder)(void *opaque, char *dir, size_t dir_size, char *tag, size_t tag_size);
} window_guest_t;

/* A window of so many pixels, unless the screen has less, and the font. NULL: error (error_size
 * bytes) is a line. */
window_t *window_open(seat_t *seat, const char *title, int width, int height, const char *font,
                      char *error, size_t error_size);

/* Takes the view over; NULL (no memory for it), or one too many: false. The first one is shown. */
bool window_add(window_t *window, view_t *view);

/* Closing the window presses the power key of these instead of asking whether to quit. */
void window_power_key(window_t *window, input_t *input);

/* Shows it, with at least one view; the seat runs it from here on, until window_end(). */
void window_start(window_t *window, const window_guest_t *guest);

void window_set_title(window_t *window, const char *title);
void window_grab(window_t *window, bool grab); /* mouse and keyboard */
void window_fill(window_t *window, bool full); /* the whole screen */

/* Any thread. It disappears. */
void window_end(window_t *window);
void window_say(window_t *window, const char *line);

/* NULL is allowed. */
void window_close(window_t *window);

#endif
