/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The monitor: a command line about the machine (docs/monitor.md). It is the guest's side of a
 * console: what is typed there are its commands, what it says appears there, and it knows nothing
 * of who looks on.
 *
 * Commands are carried out by a thread of the monitor's own. Where the host has no threads, they
 * are carried out from within the chardev's notify, which must then not come from inside a hart.
 */
#ifndef RVKIT_FRONTENDS_MONITOR_H
#define RVKIT_FRONTENDS_MONITOR_H

#include <rvvm/chardev.h>
#include <rvvm/rvvm.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct monitor monitor_t;

/* A console, as `info consoles` lists it. */
typedef struct monitor_console {
    char name[32];       /* "ttyS0", "hvc0", "monitor": completed, and taken by `screenshot` */
    char title[96];      /* what the guest calls it; "": nothing */
    uint16_t cols, rows; /* 0: no size */
    uint32_t viewers;    /* who looks on now */
    uint64_t bytes_out;  /* from the guest */
    uint64_t bytes_in;   /* to the guest */
    bool shown;          /* this one is on the terminal */
} monitor_console_t;

/*
 * What only the program can do. Called one at a time from the monitor's thread, with no lock held;
 * may block, and may call chardev_notify() of the monitor's own chardev; must not call
 * monitor_free(). A NULL entry: its command says that it is not to be had here.
 */
typedef struct monitor_host {
    void *opaque;

    /* Ends the program; may return before it has ended. Also while the machine is paused. */
    void (*quit)(void *opaque);

    /* Pauses the machine, or lets it go on. False: it is as it was, because it is off or cannot go
     * on. */
    bool (*pause)(void *opaque, bool paused);

    /* Resets the machine. One that is paused or off runs afterwards. */
    void (*reset)(void *opaque);

    /* The index-th console, from 0; false: there are no more. */
    bool (*console)(void *opaque, size_t index, monitor_console_t *info);

    /*
     * Writes the screen of a console (NULL: the one that is shown) as text with colours to path.
     * said (said_size bytes) is one line without a line end: where it went, or, when false, why
     * not.
     */
    bool (*screenshot)(void *opaque, const char *console, const char *path, char *said,
                       size_t said_size);
} monitor_host_t;

typedef struct monitor_desc {
    rvvm_machine_t *machine; /* of board_create(); outlives the monitor */
    monitor_host_t host;
    chardev_t *chardev; /* not NULL; taken over, also when monitor_create() fails */

    /* Nobody sees what he types, as on a pipe or a socket: no echo, no escape sequences, no
     * editing. */
    bool plain;
} monitor_desc_t;

/* Greets, and reads commands from now on. NULL: no memory, or no thread. */
monitor_t *monitor_create(const monitor_desc_t *desc);

/* What monitor_desc_t.plain says, from now on. Any thread. */
void monitor_set_plain(monitor_t *monitor, bool plain);

/* The width of the screen that shows it, in columns; 0: unknown, as at first. Any thread. */
void monitor_set_columns(monitor_t *monitor, unsigned columns);

/*
 * Stops the command that runs, if any, ends the thread and frees the chardev. NULL is allowed. Not
 * from the monitor's own thread: not from within monitor_host_t.
 */
void monitor_free(monitor_t *monitor);

#endif
