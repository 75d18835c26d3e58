/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A back end that was made for a device (a pseudo-terminal, a file, a script) as a viewer of a
 * console: it gets every byte and holds the guest up when it takes none, and what it reads is
 * typed.
 */
#ifndef RVKIT_FRONTENDS_CONSOLE_LINK_H
#define RVKIT_FRONTENDS_CONSOLE_LINK_H

#include "console.h"

typedef struct console_link console_link_t;

typedef struct {
    chardev_t *backend; /* taken over, also when console_link() fails */

    /* At the end the last output waits for the back end however long that takes; otherwise until it
     * took nothing for a second. */
    bool stubborn;

    /* The size of a window behind it that nobody tells of changes, for the console; false: not
     * known. May be NULL. Asked from the event loop a few times a second. */
    bool (*size)(chardev_t *backend, uint16_t *cols, uint16_t *rows);
} console_link_desc_t;

/* NULL without memory. Before the machine runs. */
console_link_t *console_link(console_t *console, const console_link_desc_t *desc);

/* Passes on what output there still is, detaches, frees the back end. The guest's port writes no
 * more. NULL is allowed. */
void console_unlink(console_link_t *link);

#endif
