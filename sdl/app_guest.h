/* SPDX-License-Identifier: MPL-2.0 */
/* The machine of a program (app.h), as its window needs it. */
#ifndef RVKIT_SDL_APP_GUEST_H
#define RVKIT_SDL_APP_GUEST_H

#include "window.h"

#include "../src/frontends/app.h"

window_guest_t app_guest(app_t *app);

#endif
