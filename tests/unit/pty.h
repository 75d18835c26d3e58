/* SPDX-License-Identifier: MPL-2.0 */
/* A pseudo-terminal in raw mode, with a window of the size that consoles have at first. */
#ifndef RVKIT_TESTS_PTY_H
#define RVKIT_TESTS_PTY_H

#include "frontends/console.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

static inline bool pty_open(int *master, int *slave)
{
    struct termios mode;
    struct winsize size = {.ws_col = CONSOLE_COLS, .ws_row = CONSOLE_ROWS};
    *master = posix_openpt(O_RDWR | O_NOCTTY);
    if (*master < 0 || grantpt(*master) || unlockpt(*master) ||
        (*slave = open(ptsname(*master), O_RDWR | O_NOCTTY)) < 0 || tcgetattr(*slave, &mode)) {
        return false;
    }
    cfmakeraw(&mode);
    return tcsetattr(*slave, TCSANOW, &mode) == 0 && ioctl(*master, TIOCSWINSZ, &size) == 0;
}

#endif
