/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Consoles on the process's terminal: one of them is shown and typed into, and keys behind Ctrl-A
 * choose another or are about the machine. What the guest writes goes to the terminal as it is,
 * without loss, but for questions to terminals (console.h); turning to another console draws its
 * screen.
 */
#ifndef RVKIT_FRONTENDS_TERMINAL_H
#define RVKIT_FRONTENDS_TERMINAL_H

#include "console.h"

#define TERMINAL_CONSOLES_MAX 9 /* Ctrl-A 1 to Ctrl-A 9 */

typedef struct terminal terminal_t;

typedef enum terminal_event {
    TERMINAL_QUIT,       /* Ctrl-A x */
    TERMINAL_PAUSE,      /* Ctrl-A p: pause, or go on */
    TERMINAL_RESET,      /* Ctrl-A r */
    TERMINAL_SCREENSHOT, /* Ctrl-A s */
    TERMINAL_BROKEN,     /* the output cannot be written any more: terminal_error() says why */
} terminal_event_t;

typedef struct terminal_desc {
    int in_fd, out_fd; /* in_fd -1: nothing is read. They stay open. */
    bool commands;     /* Ctrl-A is obeyed; otherwise every byte passes */

    /* May be NULL. From the terminal's own threads; must not close the terminal. */
    void (*on_event)(void *opaque, terminal_event_t event);
    void *opaque;
} terminal_desc_t;

/* NULL when there is no memory. */
terminal_t *terminal_create(const terminal_desc_t *desc);

/* One more console; the first is shown. false: there is no memory, or no place. Before the machine
 * runs. */
bool terminal_add(terminal_t *terminal, console_t *console);

/* The one that Ctrl-A m turns to: it was added, or NULL. */
void terminal_set_monitor(terminal_t *terminal, console_t *console);

/* From now on the windows' size is told, and input is read. */
void terminal_start(terminal_t *terminal);

/* Any thread. The console that is shown, NULL when there is none. */
console_t *terminal_shown(terminal_t *terminal);

/* Any thread. A line of the program's own on the terminal, between what the guest writes. */
void terminal_say(terminal_t *terminal, const char *line);

/* Waits until all output so far is written. */
void terminal_flush(terminal_t *terminal);

/* What broke the output. */
const char *terminal_error(terminal_t *terminal);

/* Writes the rest, turns off what the guest's programs left on, frees. NULL is allowed. */
void terminal_close(terminal_t *terminal);

#endif
