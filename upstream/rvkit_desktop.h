/* SPDX-License-Identifier: MPL-2.0 */
/* virtio-gpu, -input and -snd on RVVM's machine, with rvkit's window (rvkit_window.h) and sound
 * behind them. */
#ifndef RVKIT_UPSTREAM_RVKIT_DESKTOP_H
#define RVKIT_UPSTREAM_RVKIT_DESKTOP_H

#include "rvvm_compat.h"

#include "rvkit_window.h"

typedef struct {
    unsigned screens;    /* 1 to RVKIT_WINDOW_SCREENS */
    console_t **console; /* more views; may be freed before the machine's other devices */
    unsigned consoles;
    bool power_key; /* what the window's button presses */
} rvkit_desktop_t;

/*
 * A window, and a GPU and inputs behind it; the machine has it until it is freed. False: a line in
 * the log says why.
 */
bool rvkit_desktop_attach(rvvm_machine_t *machine, const rvkit_desktop_t *what);

/* A sound device on "sdl", "null", or "wav:FILE", which gets what is played. False: a line in the
 * log says why. */
bool rvkit_sound_attach(rvvm_machine_t *machine, const char *where);

#endif
