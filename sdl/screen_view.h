/* SPDX-License-Identifier: MPL-2.0 */
/* A screen of the guest in the window, with keyboard, pointer and fingers for it. */
#ifndef RVKIT_SDL_SCREEN_VIEW_H
#define RVKIT_SDL_SCREEN_VIEW_H

#include "view.h"

#include "../src/frontends/display.h"
#include "../src/frontends/input.h"

/* `follows`: the guest is asked for the size of the window. NULL: no memory. */
view_t *screen_view_create(window_t *window, display_t *display, input_t *input, bool follows);

#endif
