/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A serial port or console behind a listening socket: one client at a time talks to the guest, the
 * next one waits until it has gone. While nobody is there, the newest LINE_KEPT bytes of output are
 * kept for the next client; while one is, nothing is dropped either way.
 */
#ifndef RVKIT_FRONTENDS_LINE_H
#define RVKIT_FRONTENDS_LINE_H

#include <rvvm/chardev.h>

#define LINE_KEPT 65536

/*
 * Takes a listening descriptor over, and path (NULL: none), which is removed at the end. patient:
 * as in terminal_desc_t. NULL when there is no memory; the descriptor is closed then too.
 */
chardev_t *line_create(int listener, const char *path, bool patient);

#endif
