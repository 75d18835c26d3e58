/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Which console has which viewers: what -serial, -console, -port and -monitor say, made into
 * consoles, a terminal, sockets, pseudo-terminals, files and the script.
 *
 * WHERE is a list, commas between: stdio (the terminal; several consoles may share it), stdout
 * (output only), window (where there is one), pty, unix:PATH, tcp:HOST:PORT, file:PATH, a path of a device or of an output file;
 * or null alone: no console at all. A comma in a name is written twice.
 */
#ifndef RVKIT_FRONTENDS_CONSOLES_H
#define RVKIT_FRONTENDS_CONSOLES_H

#include "console.h"
#include "options.h"
#include "script.h"
#include "terminal.h"

#include "../board.h"

typedef struct consoles consoles_t;

typedef struct {
    const options_t *options;
    const script_t *script; /* NULL: none; plays on the main console instead of the keyboard */

    /* A window shows all consoles: `window` is a place, and what is not said otherwise is there. */
    bool windowed;

    /* From any thread. */
    void (*on_event)(void *opaque, terminal_event_t event);
    void (*on_script_done)(void *opaque);
    void *opaque;
} consoles_desc_t;

/*
 * Makes them, and hands the guest's ends over in board (serial, console, port: to be freed by the
 * caller when no machine takes them). NULL: error (error_size bytes) is a line for stderr.
 */
consoles_t *consoles_open(const consoles_desc_t *desc, board_desc_t *board, char *error,
                          size_t error_size);

/* The first console is hvc0, not ttyS0. */
bool consoles_on_hvc(const consoles_t *consoles);

/* The devices are there: windows' sizes are told to them. */
void consoles_connect(consoles_t *consoles, rvvm_machine_t *machine);

/* The machine is about to run: the keyboard is read, raw where it is a terminal. */
void consoles_start(consoles_t *consoles);

/* The index-th console, channels left out, NULL behind the last; or by name (NULL: the one on the
 * terminal, or else the main one). */
console_t *consoles_at(consoles_t *consoles, size_t index);
console_t *consoles_find(consoles_t *consoles, const char *name);
console_t *consoles_shown(consoles_t *consoles);

/* The monitor's console; NULL: there is none. */
console_t *consoles_monitor(consoles_t *consoles);

/* NULL: no script. */
chardev_t *consoles_script(consoles_t *consoles);

/* A line for the person at the terminal, or on stderr. */
void consoles_say(consoles_t *consoles, const char *line);

/* A person is at the keyboard. */
bool consoles_interactive(const consoles_t *consoles);

/* Waits for the main output. */
void consoles_flush(consoles_t *consoles);

/* Why the main output is broken. */
const char *consoles_error(consoles_t *consoles);

/* After the machine was freed: what is left is written, then everything is closed. NULL is allowed.
 */
void consoles_close(consoles_t *consoles);

#endif
