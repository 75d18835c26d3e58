/* SPDX-License-Identifier: MPL-2.0 */
/* What the seat, its windows, and the connection to the display share. */
#ifndef RVKIT_SDL_SEAT_INTERNAL_H
#define RVKIT_SDL_SEAT_INTERNAL_H

#include "window_internal.h"

struct seat {
    window_t *windows;
    uint32_t wake_event;
    uint32_t woken, lost; /* atomic */
    uint32_t closed_at;   /* when SDL told the last time that a window is to close; 0: not yet */
    int connection;       /* the X display's descriptor + 1; 0: there is none */
    int wake_pipe[2];     /* with a connection */
    void *wayland;        /* the wl_display; NULL: there is none */
};

/* Windows come and go. */
void seat_add(seat_t *s, window_t *w);
void seat_remove(seat_t *s, window_t *w);

/* Any thread: there is something for window_on_wake(). */
void seat_wake(seat_t *s);

/* lost.c: from lost_watch() on (after the first window), `lost` is set when the connection to the
 * display breaks; without it the process would end. lost_wait() is SDL_WaitEventTimeout(), and any
 * thread ends it with lost_wake(). */
void lost_watch(seat_t *s, SDL_Window *window);
void lost_end(seat_t *s);
bool lost_wait(seat_t *s, SDL_Event *event, int wait_ms);
void lost_wake(seat_t *s);

/* SDL says that the person quits: whether the display is gone, rather. */
bool lost_instead_of_quit(seat_t *s);

#endif
