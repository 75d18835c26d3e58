/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Attaching this terminal to a console of a running machine (-attach), and what the two sides say.
 *
 * The client begins with a line: ATTACH_HELLO, a number of its choice in 16 hexadecimal digits,
 * columns, rows,
 *   "\0rvkit-attach 1 0123456789abcdef 80 24\n"
 * and the server answers, behind whatever plain output was on its way, with the same number and the
 * console's name:
 *   "\0rvkit-attached 1 0123456789abcdef ttyS0\n"
 * From there on both send frames: a type, the length of what follows in two bytes (low first), and
 * that. A frame of another type is skipped.
 */
#ifndef RVKIT_FRONTENDS_ATTACH_H
#define RVKIT_FRONTENDS_ATTACH_H

#include <stddef.h>
#include <stdint.h>

#define ATTACH_HELLO "\0rvkit-attach 1 "
#define ATTACH_HELLO_SIZE (sizeof(ATTACH_HELLO) - 1)
#define ATTACH_REPLY "\0rvkit-attached 1 "
#define ATTACH_REPLY_SIZE (sizeof(ATTACH_REPLY) - 1)
#define ATTACH_LINE_MAX 128 /* either line, its end included */

enum {
    ATTACH_DATA = 'D',   /* bytes of the console, both ways */
    ATTACH_SIZE = 'S',   /* to the server: columns and rows, 16 bits each, low byte first */
    ATTACH_CLOSED = 'C', /* to the client: the machine has ended; nothing follows */
};

#define ATTACH_FRAME_HEAD 3
#define ATTACH_FRAME_MAX 4096 /* bytes of a frame's content */

/* Runs the client on this process's terminal until the person leaves (Ctrl-A x) or the machine
 * ends. where: "unix:PATH", "tcp:HOST:PORT" or a path. Returns an exit status; errors are told on
 * stderr. */
int attach_run(const char *where);

#endif
