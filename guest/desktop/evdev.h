/* SPDX-License-Identifier: MPL-2.0 */
/* All input devices (/dev/input/event*) at once. One thread. */
#ifndef RVKIT_DESKTOP_EVDEV_H
#define RVKIT_DESKTOP_EVDEV_H

#include <linux/input.h>
#include <stdbool.h>

enum { EVDEV_MAX = 16 };

typedef struct {
    int fd[EVDEV_MAX]; /* -1: not there */
    unsigned turn;
} evdev_t;

/* grab: nobody else, as the console's shell, gets the events. Returns how many devices there are.
 */
unsigned evdev_open(evdev_t *evdev, bool grab);

/* The next event; waits for it so many milliseconds, -1 for ever. False: none. */
bool evdev_next(evdev_t *evdev, struct input_event *event, unsigned *device, int wait_ms);

void evdev_close(evdev_t *evdev);

#endif
