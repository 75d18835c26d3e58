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

/* Makes some other terminal (a serial line, a pseudo-terminal) raw and leaves it so. */
void host_tty_set_raw(int fd);

/*
 * A new pseudo-terminal in raw mode: the master's descriptor and the path for others to open. *held
 * is a descriptor to keep open as long, so that output waits while nobody has opened the path. -1
 * (and errno) when the host has none.
 */
int host_tty_open_pty(char *path, size_t path_size, int *held);

#endif
