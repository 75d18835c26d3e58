/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Back ends for consoles and ports over host descriptors: pipes, files, devices, pseudo-terminals.
 * Lossless both ways: what does not fit waits, on the guest's side or on the host's.
 */
#ifndef RVKIT_FRONTENDS_BACKEND_H
#define RVKIT_FRONTENDS_BACKEND_H

#include <rvvm/chardev.h>

#include <stdbool.h>
#include <stddef.h>

typedef struct backend_desc {
    int in_fd, out_fd; /* -1: none */

    /* The guest does not see how fast the output is taken: see host_stream_desc_t. */
    bool patient;

    /* At the end, milliseconds for a reader that takes nothing; 0: it is waited for. */
    unsigned drain_ms;

    /* The descriptors are closed with the chardev, and with them held_fd when it is not 0. */
    bool owns_fds;
    int held_fd;

    /* The output cannot be written any more: backend_error() says why. May be NULL. From the back
     * end's own threads; must not free the chardev. */
    void (*on_broken)(void *opaque);
    void *opaque;
} backend_desc_t;

/* NULL when there is no memory. Freed by chardev_free(), which first waits for its output to be
 * written. */
chardev_t *backend_create(const backend_desc_t *desc);

/* Waits until all output so far is written. */
void backend_flush(chardev_t *dev);

/* The size of the window behind a terminal or pseudo-terminal; false: it is none, or not known. Any
 * thread. */
bool backend_size(chardev_t *dev, uint16_t *cols, uint16_t *rows);

/* What broke the output, for a message. */
const char *backend_error(chardev_t *dev);

/*
 * The back end that SPEC names: "pty" (a new pseudo-terminal, told on stderr as that of `what`),
 * "file:PATH" (for output), or a path: a device or pseudo-terminal is used both ways, anything else
 * (a FIFO, a file) is for output. NULL: error (error_size bytes) says why.
 */
chardev_t *backend_open(const char *spec, const char *what, bool patient, char *error,
                        size_t error_size);

#endif
