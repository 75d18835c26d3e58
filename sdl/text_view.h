/* SPDX-License-Identifier: MPL-2.0 */
/* A text console in the window. */
#ifndef RVKIT_SDL_TEXT_VIEW_H
#define RVKIT_SDL_TEXT_VIEW_H

#include "view.h"

#include "../src/frontends/console.h"

/* NULL: no memory. */
view_t *text_view_create(window_t *window, console_t *console);

#endif
