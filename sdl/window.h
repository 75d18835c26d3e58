/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The window: it shows one of several views at a time (view.h), and has the keys that are about the
 * window and the machine. Main thread, but for those that say otherwise.
 */
#ifndef RVKIT_SDL_WINDOW_H
#define RVKIT_SDL_WINDOW_H

#include "view.h"

#include "../src/frontends/app.h"
#include "../src/frontends/input.h"

#define WINDOW_VIEWS_MAX 32

/* A window of so many pixels, and the font. NULL: error (error_size bytes) is a line. */
window_t *window_open(const char *title, int width, int height, const char *font, char *error,
                      size_t error_size);

/* Takes the view over; NULL (no memory for it), or one too many: false. The first one is shown. */
bool window_add(window_t *window, view_t *view);

/* Closing the window presses the power key of these instead of asking whether to quit. */
void window_power_key(window_t *window, input_t *input);

/* Until window_end(), or until the display is lost. */
void window_run(window_t *window, app_t *app);

/* Any thread. */
void window_end(window_t *window);
void window_say(window_t *window, const char *line);

/* NULL is allowed. */
void window_close(window_t *window);

#endif
