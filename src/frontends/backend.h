/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Back ends for serial ports: the terminal, pipes, files, pseudo-terminals. Lossless both ways:
 * what does not fit waits, on the guest's side or on the host's.
 */
#ifndef RVKIT_FRONTENDS_TERMINAL_H
#define RVKIT_FRONTENDS_TERMINAL_H

#include <rvvm/chardev.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum terminal_event {
    TERMINAL_QUIT,   /* Ctrl-A x */
    TERMINAL_BROKEN, /* the output cannot be written any more: terminal_error() says why */
} terminal_event_t;

typedef struct terminal_desc {
    int in_fd, out_fd; /* -1: none */

    /*
     * Ctrl-A commands are obeyed in the input: Ctrl-A x quits, Ctrl-A h prints help, Ctrl-A Ctrl-A
     * or Ctrl-A a sends one Ctrl-A. Otherwise every byte passes.
     */
    bool commands;

    /* The guest does not see how fast the output is taken: see host_stream_desc_t. */
    bool patient;

    /* The descriptors are closed with the chardev, and with them held_fd when it is not 0. */
    bool owns_fds;
    int held_fd;

    /* May be NULL. From the terminal's own threads; must not free the chardev. */
    void (*on_event)(void *opaque, terminal_event_t event);
    void *opaque;
} terminal_desc_t;

/* NULL when there is no memory. Freed by chardev_free(), which first waits for its output to be
 * written. */
chardev_t *terminal_create(const terminal_desc_t *desc);

/*
 * Calls fn with the size of the window behind the terminal, now and whenever it changes; from chardev_update().
 * Nothing happens for back ends that have no window. Before the machine runs.
 */
void terminal_watch_size(chardev_t *dev, void (*fn)(void *opaque, uint16_t cols, uint16_t rows), void *opaque);

/* Waits until all output so far is written (for back ends made by terminal_create()). */
void terminal_flush(chardev_t *dev);

/* What broke the output, for a message; "" for other back ends. */
const char *terminal_error(chardev_t *dev);

/*
 * The back end that `-serial SPEC` names: "pty" (a new pseudo-terminal, told on stderr as that of `what`),
 * "unix:PATH" or "tcp:HOST:PORT" (see line.h), "file:PATH" (for output), or a path: a device or
 * pseudo-terminal is used both ways, anything else (a FIFO, a file) is for output.
 * NULL: error (error_size bytes) says why. "null" and "stdio" are the caller's business.
 */
chardev_t *terminal_open(const char *spec, const char *what, bool patient, char *error, size_t error_size);

#endif
