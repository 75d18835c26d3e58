/* SPDX-License-Identifier: MPL-2.0 */
#include "evdev.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* The key that started the program is still down: its release is the shell's. At most 0.3 s. */
static void wait_released(int fd)
{
    for (unsigned tries = 0; tries < 30; tries++) {
        unsigned char keys[KEY_MAX / 8 + 1] = {0};
        bool down = false;
        if (ioctl(fd, EVIOCGKEY(sizeof(keys)), keys) < 0) {
            return;
        }
        for (unsigned i = 0; i < sizeof(keys); i++) {
            down = down || keys[i];
        }
        if (!down) {
            return;
        }
        usleep(10000);
    }
}

unsigned evdev_open(evdev_t *evdev, bool grab)
{
    unsigned count = 0;
    evdev->turn = 0;
    for (unsigned i = 0; i < EVDEV_MAX; i++) {
        char path[32];
        snprintf(path, sizeof(path), "/dev/input/event%u", i);
        evdev->fd[i] = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
        if (evdev->fd[i] < 0) {
            continue;
        }
        count++;
        if (grab) {
            wait_released(evdev->fd[i]);
            ioctl(evdev->fd[i], EVIOCGRAB, 1);
        }
    }
    return count;
}

bool evdev_next(evdev_t *evdev, struct input_event *event, unsigned *device, int wait_ms)
{
    struct pollfd polls[EVDEV_MAX];
    for (unsigned i = 0; i < EVDEV_MAX; i++) {
        polls[i] = (struct pollfd){.fd = evdev->fd[i], .events = POLLIN};
    }
    if (poll(polls, EVDEV_MAX, wait_ms) <= 0) {
        return false;
    }
    for (unsigned i = 0; i < EVDEV_MAX; i++) {
        unsigned which = (evdev->turn + i) % EVDEV_MAX;
        if (polls[which].revents &&
            read(evdev->fd[which], event, sizeof(*event)) == (ssize_t)sizeof(*event)) {
            /* A report is read to its end before another device has its turn. */
            evdev->turn = event->type == EV_SYN ? which + 1 : which;
            *device = which;
            return true;
        }
    }
    return false;
}

void evdev_close(evdev_t *evdev)
{
    for (unsigned i = 0; i < EVDEV_MAX; i++) {
        if (evdev->fd[i] >= 0) {
            close(evdev->fd[i]);
        }
        evdev->fd[i] = -1;
    }
}
