/* SPDX-License-Identifier: MPL-2.0 */
/* Consoles on one terminal (a pseudo-terminal here): turning between them, keys behind Ctrl-A,
 * pastes, sizes. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "tap.h"

#include "console_rig.h"

#if defined(__EMSCRIPTEN__)

TEST(no_terminals_here)
{
    (void)full_screen_noise, (void)guest_open, (void)watcher_open;
    CHECK(true);
}

int main(void)
{
    RUN(no_terminals_here);
    return tap_finish();
}

#else

#include "frontends/terminal.h"
#include "host/tty.h"

#include "pty.h"

#include <poll.h>
#include <signal.h>

#define PASTE ((size_t)1 << 20)

typedef struct {
    int master, slave;
    terminal_t *terminal;
    guest_t guest[3];
    vt_t *vt; /* what the person sees */
    char text[65536];
    size_t text_size;   /* the newest output */
    unsigned events[5]; /* atomic */
} desk_t;

static void on_event(void *opaque, terminal_event_t event)
{
    desk_t *d = opaque;
    __atomic_fetch_add(&d->events[event], 1, __ATOMIC_SEQ_CST);
}

static bool desk_open(desk_t *d)
{
    *d = (desk_t){.master = -1};
    if (!pty_open(&d->master, &d->slave)) {
        return false;
    }
    d->vt = vt_create(80, 24, 0, NULL);
    d->terminal = terminal_create(&(terminal_desc_t){.in_fd = d->slave,
                                                     .out_fd = d->slave,
                                                     .commands = true,
                                                     .on_event = on_event,
                                                     .opaque = d});
    for (size_t i = 0; i < 3; i++) {
        if (!d->terminal || !guest_open(&d->guest[i], false, false) ||
            !terminal_add(d->terminal, d->guest[i].console)) {
            return false;
        }
    }
    terminal_set_monitor(d->terminal, d->guest[2].console);
    terminal_start(d->terminal);
    return d->vt != NULL;
}

/* Reads what the terminal shows until it is quiet for a moment. */
static void desk_look(desk_t *d, int quiet_ms)
{
    char data[4096];
    struct pollfd fd = {.fd = d->master, .events = POLLIN};
    while (poll(&fd, 1, quiet_ms) > 0) {
        ssize_t n = read(d->master, data, sizeof(data));
        if (n <= 0) {
            return;
        }
        vt_write(d->vt, data, (size_t)n);
        size_t keep = (size_t)n < sizeof(d->text) - 1 - d->text_size
                          ? (size_t)n
                          : sizeof(d->text) - 1 - d->text_size;
        memcpy(d->text + d->text_size, data, keep);
        d->text_size += keep;
        d->text[d->text_size] = 0;
    }
}

static void desk_type(desk_t *d, const char *text)
{
    CHECK_EQ(strlen(text), write(d->master, text, strlen(text)));
}

static bool desk_shows(desk_t *d, guest_t *g)
{
    for (unsigned i = 0; i < 100; i++) {
        if (vt_hash(d->vt) == console_hash(g->console)) {
            return true;
        }
        desk_look(d, 20);
    }
    return false;
}

static bool desk_reads(desk_t *d, const char *text)
{
    for (unsigned i = 0; i < 200 && !strstr(d->text, text); i++) {
        desk_look(d, 20);
    }
    bool found = strstr(d->text, text);
    d->text_size = 0;
    d->text[0] = 0;
    return found;
}

static bool guest_hears(guest_t *g, const char *text)
{
    char got[256];
    size_t n = 0, size = strlen(text);
    for (unsigned i = 0; i < 10000 && n < size; i++) {
        n += chardev_read(g->port, got + n, size - n);
        if (n < size) {
            host_sleep_ns(2000000);
        }
    }
    return n == size && !memcmp(got, text, n);
}

static bool told(desk_t *d, terminal_event_t event)
{
    for (unsigned i = 0; i < 10000 && !__atomic_load_n(&d->events[event], __ATOMIC_SEQ_CST); i++) {
        host_sleep_ns(2000000);
    }
    return __atomic_load_n(&d->events[event], __ATOMIC_SEQ_CST);
}

static void desk_close(desk_t *d)
{
    terminal_close(d->terminal);
    for (size_t i = 0; i < 3; i++) {
        guest_close(&d->guest[i]);
    }
    vt_destroy(d->vt);
    close(d->slave);
    close(d->master);
}

TEST(turning_between_consoles)
{
    static char noise[3000];
    static desk_t d;
    uint32_t seed = 4;
    CHECK(desk_open(&d));
    guest_says(&d.guest[0], "on the first");
    CHECK(desk_shows(&d, &d.guest[0]));
    chardev_write(d.guest[1].port, noise, full_screen_noise(&seed, noise, sizeof(noise)));
    desk_type(&d, "a");
    CHECK(guest_hears(&d.guest[0], "a"));
    desk_type(&d, "\001cb");
    CHECK(guest_hears(&d.guest[1], "b"));
    CHECK(desk_shows(&d, &d.guest[1]));
    desk_type(&d, "\001m");
    guest_says(&d.guest[2], "(monitor)");
    CHECK(desk_shows(&d, &d.guest[2]));
    desk_type(&d, "\001mc");
    CHECK(guest_hears(&d.guest[1], "c") && desk_shows(&d, &d.guest[1]));
    desk_type(&d, "\0011d");
    CHECK(guest_hears(&d.guest[0], "d") && desk_shows(&d, &d.guest[0]));
    CHECK(terminal_shown(d.terminal) == d.guest[0].console);
    desk_type(&d, "\0017");
    CHECK(desk_reads(&d, "there is no console 7; there are 3"));
    desk_type(&d, "\001l"); /* draws it again, over that line */
    CHECK(desk_shows(&d, &d.guest[0]));
    desk_close(&d);
}

TEST(keys_behind_ctrl_a)
{
    static desk_t d;
    CHECK(desk_open(&d));
    desk_type(&d, "x\001a\001\001y");
    CHECK(guest_hears(&d.guest[0], "x\001\001y"));
    desk_type(&d, "\001h");
    CHECK(desk_reads(&d, "Ctrl-A x"));
    desk_type(&d, "\001p");
    CHECK(told(&d, TERMINAL_PAUSE));
    desk_type(&d, "\001r");
    CHECK(told(&d, TERMINAL_RESET));
    desk_type(&d, "\001s");
    CHECK(told(&d, TERMINAL_SCREENSHOT));
    desk_type(&d, "\001\030");
    CHECK(told(&d, TERMINAL_QUIT));
    desk_close(&d);
}

/* A guest that does not read a paste does not hide Ctrl-A x, nor does its console what is typed in
 * another. */
TEST(a_paste_of_any_length_waits)
{
    static char text[PASTE], got[PASTE];
    static desk_t d;
    size_t written = 0, n = 0;
    CHECK(desk_open(&d));
    for (size_t i = 0; i < PASTE; i++) {
        text[i] = (char)('a' + (i * 7 + i / 26) % 26);
    }
    while (written < PASTE) {
        ssize_t put =
            write(d.master, text + written, PASTE - written < 4000 ? PASTE - written : 4000);
        written += put > 0 ? (size_t)put : 0;
    }
    desk_type(&d, "\001chello\001x");
    CHECK(told(&d, TERMINAL_QUIT));
    CHECK(guest_hears(&d.guest[1], "hello"));
    for (unsigned i = 0; i < 40000 && n < PASTE; i++) {
        size_t read = chardev_read(d.guest[0].port, got + n, PASTE - n);
        n += read;
        if (!read) {
            host_sleep_ns(1000000);
        }
    }
    CHECK(n == PASTE && !memcmp(text, got, PASTE));
    desk_close(&d);
}

TEST(a_window_of_another_size)
{
    static desk_t d;
    struct winsize size = {.ws_col = 101, .ws_row = 33};
    CHECK(desk_open(&d));
    for (unsigned i = 0; i < 10000 && __atomic_load_n(&d.guest[2].resizes, __ATOMIC_SEQ_CST) < 1;
         i++) {
        host_sleep_ns(2000000);
    }
    CHECK(d.guest[0].cols == 80 && d.guest[2].rows == 24);
    ioctl(d.master, TIOCSWINSZ, &size);
    raise(SIGWINCH); /* it is not the controlling terminal of the test */
    for (unsigned i = 0; i < 10000 && __atomic_load_n(&d.guest[2].resizes, __ATOMIC_SEQ_CST) < 2;
         i++) {
        host_sleep_ns(2000000);
    }
    CHECK(d.guest[0].cols == 101 && d.guest[1].cols == 101 && d.guest[2].rows == 33);
    desk_close(&d);
}

/* What a guest's program leaves on in the terminal is switched off at the end. */
TEST(modes_are_switched_off)
{
    static desk_t d;
    CHECK(desk_open(&d));
    guest_says(&d.guest[0], "\033[?1049h\033[?1000h\033[?25l\033[?2004h");
    desk_look(&d, 100);
    terminal_close(d.terminal);
    host_tty_restore();
    d.terminal = NULL;
    desk_look(&d, 100);
    vt_modes_t modes;
    vt_cursor_t cursor;
    vt_modes(d.vt, &modes);
    vt_cursor(d.vt, &cursor);
    CHECK(!modes.alternate && modes.mouse == VT_MOUSE_OFF && !modes.bracketed_paste &&
          cursor.visible);
    desk_close(&d);
}

int main(void)
{
    RUN(turning_between_consoles);
    RUN(keys_behind_ctrl_a);
    RUN(a_paste_of_any_length_waits);
    RUN(a_window_of_another_size);
    RUN(modes_are_switched_off);
    return tap_finish();
}

#endif
