/* SPDX-License-Identifier: MPL-2.0 */
/* The terminal is as it was before, whatever ends or stops the process that made it raw. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "host/tty.h"

#include "tap.h"

#if defined(__EMSCRIPTEN__)

TEST(no_processes_here)
{
    CHECK(!host_tty_raw(-1));
}

int main(void)
{
    RUN(no_processes_here);
    return tap_finish();
}

#else

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

typedef struct fixture {
    int master, slave, ready[2];
    struct termios before;
    pid_t child;
} fixture_t;

static bool same_mode(const struct termios *a, const struct termios *b)
{
    return a->c_iflag == b->c_iflag && a->c_oflag == b->c_oflag && a->c_cflag == b->c_cflag &&
           a->c_lflag == b->c_lflag && !memcmp(a->c_cc, b->c_cc, sizeof(a->c_cc));
}

static bool mode_is_before(const fixture_t *f)
{
    struct termios now;
    return tcgetattr(f->slave, &now) == 0 && same_mode(&now, &f->before);
}

static bool mode_is_raw(const fixture_t *f)
{
    struct termios now;
    return tcgetattr(f->slave, &now) == 0 && !(now.c_lflag & (ICANON | ECHO | ISIG | IEXTEN)) &&
           !(now.c_iflag & (ICRNL | IXON | ISTRIP)) && !(now.c_oflag & OPOST);
}

static void child_main(const fixture_t *f, const char *path, int sig)
{
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    setsid();
    int fd = open(path, O_RDWR);
    ioctl(fd, TIOCSCTTY, 0);
    signal(SIGTTOU, SIG_IGN);
    if (!host_tty_raw(fd) || write(f->ready[1], "r", 1) != 1) {
        _exit(99);
    }
    if (sig == 0) {
        exit(7);
    } else if (sig == SIGABRT) {
        abort();
    } else if (sig == SIGSEGV) {
        raise(SIGSEGV);
    }
    for (;;) {
        pause();
    }
}

/* A child with a raw terminal; true when it is raw, or the child ends at once by itself. */
static bool fixture_start(fixture_t *f, int sig)
{
    char byte, path[100];
    f->master = posix_openpt(O_RDWR | O_NOCTTY);
    if (f->master < 0 || grantpt(f->master) || unlockpt(f->master) || pipe(f->ready)) {
        return false;
    }
    snprintf(path, sizeof(path), "%s", ptsname(f->master));
    f->slave = open(path, O_RDWR | O_NOCTTY);
    tcgetattr(f->slave, &f->before);
    fflush(stdout);
    f->child = fork();
    if (f->child == 0) {
        child_main(f, path, sig);
    }
    close(f->ready[1]);
    return f->child > 0 && read(f->ready[0], &byte, 1) == 1;
}

static void fixture_end(fixture_t *f)
{
    close(f->ready[0]);
    close(f->slave);
    close(f->master);
}

static int wait_for(fixture_t *f, int options)
{
    int status = 0;
    while (waitpid(f->child, &status, options) < 0 && errno == EINTR) {
    }
    return status;
}

TEST(restored_at_exit)
{
    fixture_t f;
    CHECK(fixture_start(&f, 0));
    int status = wait_for(&f, 0);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
    CHECK(mode_is_before(&f));
    fixture_end(&f);
}

TEST(restored_by_signals)
{
    static const int sigs[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGALRM};
    for (size_t i = 0; i < sizeof(sigs) / sizeof(sigs[0]); i++) {
        fixture_t f;
        CHECK(fixture_start(&f, -1));
        CHECK(mode_is_raw(&f));
        kill(f.child, sigs[i]);
        int status = wait_for(&f, 0);
        CHECK(WIFSIGNALED(status) && WTERMSIG(status) == sigs[i]);
        CHECK(mode_is_before(&f));
        fixture_end(&f);
    }
}

TEST(restored_by_crashes)
{
    static const int sigs[] = {SIGABRT, SIGSEGV};
    for (size_t i = 0; i < sizeof(sigs) / sizeof(sigs[0]); i++) {
        fixture_t f;
        CHECK(fixture_start(&f, sigs[i]));
        int status = wait_for(&f, 0);
        CHECK(WIFSIGNALED(status) || WIFEXITED(status)); /* a sanitizer turns it into an exit */
        CHECK(mode_is_before(&f) || WIFEXITED(status));
        fixture_end(&f);
    }
}

TEST(stop_and_continue)
{
    fixture_t f;
    CHECK(fixture_start(&f, -1));
    for (int i = 0; i < 2; i++) {
        CHECK(mode_is_raw(&f));
        kill(f.child, SIGTSTP);
        /* The child leads an orphaned process group, which the kernel does not stop on SIGTSTP:
         * then it goes on at once, and all that can be seen is the terminal's mode. */
        usleep(50000);
        int status = wait_for(&f, WUNTRACED | WNOHANG);
        CHECK(mode_is_before(&f) || !WIFSTOPPED(status));
        kill(f.child, SIGCONT);
        for (int tries = 0; tries < 100 && !mode_is_raw(&f); tries++) {
            usleep(10000);
        }
    }
    CHECK(mode_is_raw(&f));
    kill(f.child, SIGTERM);
    wait_for(&f, 0);
    CHECK(mode_is_before(&f));
    fixture_end(&f);
}

TEST(what_is_no_terminal_is_left_alone)
{
    int fd = open("/dev/null", O_RDWR);
    CHECK(!host_tty_is(fd));
    CHECK(!host_tty_raw(fd));
    host_tty_restore();
    close(fd);
}

TEST(a_pty_passes_every_byte)
{
    char path[100];
    int held = -1;
    int fd = host_tty_open_pty(path, sizeof(path), &held);
    CHECK(fd >= 0);
    int other = open(path, O_RDWR | O_NOCTTY);
    uint8_t bytes[256], got[256];
    for (int i = 0; i < 256; i++) {
        bytes[i] = (uint8_t)i;
    }
    CHECK(write(fd, bytes, 256) == 256);
    size_t n = 0;
    while (n < 256) {
        ssize_t r = read(other, got + n, 256 - n);
        if (r <= 0) {
            break;
        }
        n += (size_t)r;
    }
    CHECK(n == 256 && !memcmp(bytes, got, 256));
    close(other);
    close(held);
    close(fd);
}

int main(void)
{
    RUN(restored_at_exit);
    RUN(restored_by_signals);
    RUN(restored_by_crashes);
    RUN(stop_and_continue);
    RUN(what_is_no_terminal_is_left_alone);
    RUN(a_pty_passes_every_byte);
    return tap_finish();
}

#endif
