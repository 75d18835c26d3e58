/* SPDX-License-Identifier: MPL-2.0 */
/*
 * rvkit's SDL window in RVVM: screens and consoles behind one window, with keyboard, pointer and
 * fingers for them. Only in builds with RVKIT_SDL (docs/upstream.md); without it
 * rvkit_window_open() says so.
 *
 * Threads: all from one thread at a time, best from one alone: RVVM's event loop is the one
 * that steps it, so machines should be made by the thread that calls rvvm_run_eventloop(), as
 * RVVM's program does.
 */
#ifndef RVKIT_UPSTREAM_RVKIT_WINDOW_H
#define RVKIT_UPSTREAM_RVKIT_WINDOW_H

#include "console.h"
#include "display_host.h"
#include "input_host.h"

#define RVKIT_WINDOW_SCREENS 9

typedef struct rvkit_window rvkit_window_t;

/* What the window asks of whoever has it; from rvkit_window_step(). */
typedef struct {
    void *opaque;
    void (*quit)(void *opaque);
    void (*reset)(void *opaque); /* NULL: it cannot */
    void (*close)(void *opaque); /* its button; NULL: it asks, then quit() */
} rvkit_window_owner_t;

/* Not shown yet. NULL: error (error_size bytes) is a line. */
rvkit_window_t *rvkit_window_open(const char *title, uint32_t width, uint32_t height,
                                  const rvkit_window_owner_t *owner, char *error,
                                  size_t error_size);

/* One more view: a screen, whose device's side goes into *host (follows: the guest is asked for the
 * size of the window), or a console. False: no memory, or too many. */
bool rvkit_window_add_screen(rvkit_window_t *window, const char *name, bool follows,
                             display_host_t *host);
bool rvkit_window_add_console(rvkit_window_t *window, console_t *console);

/* For one more input device. */
input_host_t rvkit_window_input(rvkit_window_t *window);

/* Closing presses the power key instead. */
void rvkit_window_power_key(rvkit_window_t *window);

void rvkit_window_set_title(rvkit_window_t *window, const char *title);
void rvkit_window_grab(rvkit_window_t *window, bool grab);
void rvkit_window_fill(rvkit_window_t *window, bool full);

/* About every 16 ms: events and pictures of all windows of the process; the first shows this one.
 */
void rvkit_window_step(rvkit_window_t *window);

/* Devices may still draw afterwards: nobody sees it. NULL is allowed. */
void rvkit_window_close(rvkit_window_t *window);

#endif
