/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The program, but for what it looks like: command line, files, a machine, its consoles and
 * monitor, and the exit status. The command line program (main.c) is nothing else; a window (sdl/)
 * adds a front end of its own, which has the main thread while the machine runs.
 */
#ifndef RVKIT_FRONTENDS_APP_H
#define RVKIT_FRONTENDS_APP_H

#include "consoles.h"
#include "options.h"

typedef struct app app_t;

typedef struct {
    const char *program; /* its name in messages */
    void *opaque;

    /*
     * Before there is a machine: gets ready to show one, and adds screens, inputs and sound to the
     * board. False: error (error_size bytes) is a line for stderr, and nothing was added.
     */
    bool (*open)(void *opaque, const options_t *options, board_desc_t *board, char *error,
                 size_t error_size);

    /* The machine and its consoles are there, and it is about to run: time to look at them. */
    void (*ready)(void *opaque, app_t *app);

    /*
     * The machine runs: the main thread is the front end's. Returns when ended() was called, or
     * earlier, when it can show nothing any more: the machine goes on without it.
     */
    void (*run)(void *opaque, app_t *app);

    void (*ended)(void *opaque);                 /* any thread: the machine is off */
    void (*say)(void *opaque, const char *line); /* any thread: a line for the person */

    /* Before run(), if the machine could not be started, or after it: the machine is freed already,
     * its consoles are not. */
    void (*close)(void *opaque);
} app_front_t;

/* main() of a program. front NULL: none. Returns the exit status. */
int app_main(int argc, char **argv, const app_front_t *front);

/* --- For the front end, while it runs; any thread --- */

/* Ends the run, also of a machine that is paused. */
void app_quit(app_t *app);

/* False: it is off, or cannot go on. */
bool app_pause(app_t *app, bool paused);
bool app_is_paused(app_t *app);

/* Resets the machine; it runs afterwards. */
void app_reset(app_t *app);

rvvm_machine_t *app_machine(app_t *app);
consoles_t *app_consoles(app_t *app);
const options_t *app_options(const app_t *app);

#endif
