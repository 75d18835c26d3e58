/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The process's terminal in raw mode, and back: whatever ends or stops the process after
 * host_tty_raw() (exit, a signal, a crash, a stop), the terminal is as it was.
 *
 * There is one terminal and one set of signal handlers per process, so this is the one place with
 * state of its own. Main thread.
 */
#ifndef RVKIT_HOST_TTY_H
#define RVKIT_HOST_TTY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool host_tty_is(int fd);

/*
 * Makes the terminal raw: every byte passes as it is, both ways. False: it is not one. After a stop
 * and continue it is raw again.
 */
bool host_tty_raw(int fd);

/* The size of a terminal's window in characters, not 0; false: it is not known. Any thread. */
bool host_tty_size(int fd, uint16_t *cols, uint16_t *rows);

/* As it was; nothing when it is not raw. Any thread. */
void host_tty_restore(void);

/*
 * What a program in the guest has left switched on in the terminal, to be switched off whenever the
 * terminal is restored. Any thread.
 */
enum {
    HOST_TTY_ALTERNATE = 1, /* the alternate screen */
    HOST_TTY_MODES = 2,     /* mouse, bracketed paste, keypad, colours, cursor … */
};
void host_tty_left_on(int out_fd, unsigned bits);

/*
 * Calls fn, in a thread of its own, with the size of the terminal now and whenever its window
 * changes, until host_tty_unwatch(). Not for two terminals at a time. False: fd is no terminal, or
 * there is no thread.
 */
bool host_tty_watch(int fd, void (*fn)(void *opaque, uint16_t cols, uint16_t rows), void *opaque);
void host_tty_unwatch(void);

/* Makes some other terminal (a serial line, a pseudo-terminal) raw and leaves it so. */
void host_tty_set_raw(int fd);

/*
 * A new pseudo-terminal in raw mode: the master's descriptor and the path for others to open. *held
 * is a descriptor to keep open as long, so that output waits while nobody has opened the path. -1
 * (and errno) when the host has none.
 */
int host_tty_open_pty(char *path, size_t path_size, int *held);

#endif
