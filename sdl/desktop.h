/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A machine's window with its consoles and screens: the callbacks of an app_front_t (app.h), whose
 * opaque is a desktop_t that knows its seat and is zero otherwise. All on the seat's thread, but
 * for desktop_ended() and desktop_say(): any. The run itself is the seat's.
 */
#ifndef RVKIT_SDL_DESKTOP_H
#define RVKIT_SDL_DESKTOP_H

#include "window.h"

#include "../src/frontends/app.h"
#include "../src/frontends/display.h"

#define DESKTOP_SCREENS_MAX 9

typedef struct {
    seat_t *seat;
    window_t *window;
    display_t *display[DESKTOP_SCREENS_MAX];
    bool follows[DESKTOP_SCREENS_MAX]; /* the size of the window */
    unsigned display_count;
    input_t *input;
    board_clock_t clock;
} desktop_t;

bool desktop_open(void *opaque, const options_t *o, board_desc_t *board, char *error,
                  size_t error_size);
void desktop_ready(void *opaque, app_t *app);
void desktop_ended(void *opaque);
void desktop_say(void *opaque, const char *line);
void desktop_close(void *opaque);

#endif
