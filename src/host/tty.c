/* SPDX-License-Identifier: MPL-2.0 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "tty.h"

#include "thread.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

/* What the signal handlers need; set before they are installed. */
static struct {
    struct termios saved, raw;
    int fd;
    bool handlers;
    volatile sig_atomic_t active;          /* the terminal is to be raw while the process runs */
    volatile sig_atomic_t left_on, out_fd; /* HOST_TTY_* bits, and where they are switched off */
} tty = {.fd = -1};

/* The watch of the window's size. */
static struct {
    host_thread_t *thread;
    int fd, wake[2];
    uint32_t stopping; /* atomic */
    void (*fn)(void *opaque, uint16_t cols, uint16_t rows);
    void *opaque;
    struct sigaction before;
} watch;

bool host_tty_size(int fd, uint16_t *cols, uint16_t *rows)
{
    struct winsize size;
    if (fd < 0 || ioctl(fd, TIOCGWINSZ, &size) < 0 || !size.ws_col || !size.ws_row) {
        return false;
    }
    *cols = size.ws_col;
    *rows = size.ws_row;
    return true;
}

bool host_tty_is(int fd)
{
    return fd >= 0 && isatty(fd) == 1;
}

/* Async-signal-safe. */
static void tty_set(const struct termios *mode)
{
    while (tcsetattr(tty.fd, TCSADRAIN, mode) < 0 && errno == EINTR) {
    }
}

/* Async-signal-safe. */
static void tty_switch_off(void)
{
    static const char alternate[] =
        "\033[?1047l"; /* leaves the cursor alone where it is off already */
    static const char modes[] = "\033\\\033[!p\033[?1000;1002;1003;1004;1006;2004l\033[?25h\033[0m";
    unsigned bits = (unsigned)tty.left_on;
    ssize_t ignored = 0;
    tty.left_on = 0;
    if (bits & HOST_TTY_ALTERNATE) {
        ignored += write(tty.out_fd, alternate, sizeof(alternate) - 1);
    }
    if (bits & HOST_TTY_MODES) {
        ignored += write(tty.out_fd, modes, sizeof(modes) - 1);
    }
    (void)ignored;
}

void host_tty_left_on(int out_fd, unsigned bits)
{
    tty.out_fd = out_fd;
    tty.left_on = (sig_atomic_t)bits;
}

void host_tty_restore(void)
{
    tty_switch_off();
    if (tty.active) {
        tty.active = 0;
        tty_set(&tty.saved);
    }
}

/* Ends the process as the signal would have, with the terminal restored. */
static void tty_on_fatal(int sig)
{
    tty_switch_off();
    if (tty.active) {
        tty.active = 0;
        tcsetattr(tty.fd, TCSANOW, &tty.saved);
    }
    signal(sig, SIG_DFL);
    raise(sig);
}

/* Stops as SIGTSTP does, and goes on in raw mode. */
static void tty_on_stop(int sig)
{
    int err = errno;
    struct sigaction old, dfl;
    memset(&dfl, 0, sizeof(dfl));
    dfl.sa_handler = SIG_DFL;
    sigemptyset(&dfl.sa_mask);
    if (tty.active) {
        tcsetattr(tty.fd, TCSANOW, &tty.saved);
    }
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, sig);
    sigaction(sig, &dfl, &old);
    raise(sig);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    /* Stopped here until SIGCONT, whose handler makes the terminal raw. */
    sigaction(sig, &old, NULL);
    errno = err;
}

/* In the background the terminal belongs to someone else: SIGCONT comes again with the foreground.
 */
static void tty_on_continue(int sig)
{
    int err = errno;
    (void)sig;
    if (tty.active && tcgetpgrp(tty.fd) == getpgrp()) {
        tcsetattr(tty.fd, TCSANOW, &tty.raw);
    }
    errno = err;
}

/* Installs a handler where nobody else has one. */
static void tty_handle(int sig, void (*handler)(int), int flags)
{
    struct sigaction old, act;
    memset(&act, 0, sizeof(act));
    act.sa_handler = handler;
    act.sa_flags = flags;
    sigemptyset(&act.sa_mask);
    if (sigaction(sig, NULL, &old) == 0 && !(old.sa_flags & SA_SIGINFO) &&
        old.sa_handler == SIG_DFL) {
        sigaction(sig, &act, NULL);
    }
}

static void tty_install_handlers(void)
{
    static const int fatal[] = {SIGTERM, SIGINT, SIGHUP,  SIGQUIT, SIGSEGV, SIGBUS, SIGABRT,
                                SIGFPE,  SIGILL, SIGALRM, SIGXCPU, SIGUSR1, SIGUSR2};
    if (tty.handlers) {
        return;
    }
    tty.handlers = true;
    for (size_t i = 0; i < sizeof(fatal) / sizeof(fatal[0]); i++) {
        tty_handle(fatal[i], tty_on_fatal, 0);
    }
    tty_handle(SIGTSTP, tty_on_stop, SA_RESTART);
    tty_handle(SIGCONT, tty_on_continue, SA_RESTART);
    atexit(host_tty_restore);
}

static void tty_make_raw(struct termios *mode)
{
    mode->c_iflag &=
        (tcflag_t) ~(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON | IXOFF);
    mode->c_oflag &= (tcflag_t)~OPOST;
    mode->c_lflag &= (tcflag_t) ~(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
    mode->c_cflag &= (tcflag_t) ~(CSIZE | PARENB);
    mode->c_cflag |= CS8;
    mode->c_cc[VMIN] = 1;
    mode->c_cc[VTIME] = 0;
}

bool host_tty_raw(int fd)
{
    if (tty.active || !host_tty_is(fd) || tcgetattr(fd, &tty.saved) < 0) {
        return false;
    }
    tty.fd = fd;
    tty.raw = tty.saved;
    tty_make_raw(&tty.raw);
    tty_install_handlers();
    tty.active = 1;
    tty_set(&tty.raw);
    return true;
}

void host_tty_set_raw(int fd)
{
    struct termios mode;
    if (tcgetattr(fd, &mode) == 0) {
        tty_make_raw(&mode);
        tcsetattr(fd, TCSANOW, &mode);
    }
}

int host_tty_open_pty(char *path, size_t path_size, int *held)
{
    int fd = posix_openpt(O_RDWR | O_NOCTTY);
    if (fd < 0) {
        return -1;
    }
    const char *name = grantpt(fd) == 0 && unlockpt(fd) == 0 ? ptsname(fd) : NULL;
    *held = name && strlen(name) < path_size ? open(name, O_RDWR | O_NOCTTY | O_CLOEXEC) : -1;
    if (*held < 0) {
        int err = errno;
        close(fd);
        errno = err;
        return -1;
    }
    strcpy(path, name);
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    host_tty_set_raw(*held);
    return fd;
}

static void watch_on_signal(int sig)
{
    int err = errno;
    (void)sig;
    ssize_t ignored = write(watch.wake[1], "", 1);
    (void)ignored;
    errno = err;
}

static void watch_main(void *opaque)
{
    uint16_t cols = 0, rows = 0, now_cols, now_rows;
    char drop[16];
    (void)opaque;
    do {
        if (host_tty_size(watch.fd, &now_cols, &now_rows) &&
            (now_cols != cols || now_rows != rows)) {
            cols = now_cols;
            rows = now_rows;
            watch.fn(watch.opaque, cols, rows);
        }
        ssize_t got = read(watch.wake[0], drop, sizeof(drop));
        if (got < 0 && errno != EINTR) {
            return;
        }
    } while (!__atomic_load_n(&watch.stopping, __ATOMIC_ACQUIRE));
}

bool host_tty_watch(int fd, void (*fn)(void *opaque, uint16_t cols, uint16_t rows), void *opaque)
{
    if (watch.thread || !host_tty_is(fd) || pipe(watch.wake) < 0) {
        return false;
    }
    for (int i = 0; i < 2; i++) {
        fcntl(watch.wake[i], F_SETFD, FD_CLOEXEC);
    }
    fcntl(watch.wake[1], F_SETFL, O_NONBLOCK); /* a full pipe wakes as well as a fuller one */
    watch.fd = fd;
    watch.fn = fn;
    watch.opaque = opaque;
    watch.stopping = 0;
    struct sigaction act;
    memset(&act, 0, sizeof(act));
    act.sa_handler = watch_on_signal;
    act.sa_flags = SA_RESTART;
    sigemptyset(&act.sa_mask);
    sigaction(SIGWINCH, &act, &watch.before);
    watch.thread = host_thread_create(watch_main, NULL);
    if (!watch.thread) {
        sigaction(SIGWINCH, &watch.before, NULL);
        close(watch.wake[0]);
        close(watch.wake[1]);
    }
    return watch.thread != NULL;
}

void host_tty_unwatch(void)
{
    if (watch.thread) {
        __atomic_store_n(&watch.stopping, 1, __ATOMIC_RELEASE);
        watch_on_signal(SIGWINCH);
        host_thread_join(watch.thread);
        watch.thread = NULL;
        sigaction(SIGWINCH, &watch.before, NULL);
        close(watch.wake[0]);
        close(watch.wake[1]);
    }
}
