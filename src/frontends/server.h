/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A console behind a listening socket. A client that just connects gets and sends plain bytes:
 * first what is kept of the output (CONSOLE_BUFFER), then everything; it holds the guest up when it
 * reads nothing. One that says the greeting of attach.h gets the console as its own terminal: the
 * present screen first, its window's size goes to the guest, and it never holds the guest up.
 *
 * Any number of clients at once; of a channel for programs one at a time, the next waits until it
 * has gone.
 */
#ifndef RVKIT_FRONTENDS_SERVER_H
#define RVKIT_FRONTENDS_SERVER_H

#include "console.h"

/* Further clients wait until one goes. */
#define SERVER_CLIENTS_MAX 16

typedef struct console_server console_server_t;

/*
 * Takes a listening descriptor over, and path (NULL: none), which is removed at the end. NULL when
 * there is no memory or thread; the descriptor is closed then too.
 */
console_server_t *console_serve(console_t *console, int listener, const char *path);

/* Clients get what output there still is, for a second after the last that they took. NULL is
 * allowed. */
void console_unserve(console_server_t *server);

#endif
