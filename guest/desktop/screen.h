/* SPDX-License-Identifier: MPL-2.0 */
/* The screen through Linux's DRM: one mode, one buffer in memory. One thread. */
#ifndef RVKIT_DESKTOP_SCREEN_H
#define RVKIT_DESKTOP_SCREEN_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    uint32_t *pixels;               /* 0x00RRGGBB */
    unsigned width, height, stride; /* in pixels */
    unsigned connector;             /* the rest is screen.c's */
    unsigned crtc, fb;
    uint64_t size;
    int fd;
} screen_t;

/*
 * Takes the first screen there is, in the mode of this size if it has one, or else in its preferred
 * mode. False: told on standard error.
 */
bool screen_open(screen_t *screen, unsigned width, unsigned height);

/* What was drawn is seen from now on. */
void screen_show(screen_t *screen);

/* The console comes back. */
void screen_close(screen_t *screen);

#endif
