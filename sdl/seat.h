/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The display, and the events of all windows on it: SDL has one queue for a process. Windows
 * (window.h) are opened on a seat; it draws those that have something new, and gives each event to
 * the window it is for.
 *
 *   seat_t *seat = seat_open(error, sizeof(error));
 *   window_t *a = window_open(seat, …), *b = window_open(seat, …);
 *   window_start(a, &guest_a);  window_start(b, &guest_b);
 *   seat_run(seat);                                          until both have ended
 *   window_close(a);  window_close(b);  seat_close(seat);
 *
 * One for a process, on one thread (SDL wants it to be the main thread), which is also that of its
 * windows.
 */
#ifndef RVKIT_SDL_SEAT_H
#define RVKIT_SDL_SEAT_H

#include <stdbool.h>
#include <stddef.h>

typedef struct seat seat_t;

/* NULL: error (error_size bytes) is a line. */
seat_t *seat_open(char *error, size_t error_size);

/* Draws what is due, waits up to wait_ms for events (-1: as long as nothing happens), and handles
 * them. False: no window is left that was started and has not ended, or the display is lost. */
bool seat_step(seat_t *seat, int wait_ms);

/* Until seat_step() is false. */
void seat_run(seat_t *seat);

/* Any thread. The display is gone, with all windows; the machines are not. */
bool seat_lost(const seat_t *seat);

/* After its windows; NULL is allowed. */
void seat_close(seat_t *seat);

#endif
