/* SPDX-License-Identifier: MPL-2.0 */
/* A console with a guest that is the test, and viewers that remember what they were told. */
#ifndef RVKIT_TESTS_CONSOLE_RIG_H
#define RVKIT_TESTS_CONSOLE_RIG_H

#include "frontends/console.h"
#include "host/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    console_t *console;
    chardev_t *port;
    uint32_t told;    /* atomic: flags that the device was told */
    unsigned resizes; /* atomic */
    uint16_t cols, rows;
} guest_t;

static inline void guest_on_notify(void *opaque, uint32_t flags)
{
    guest_t *g = opaque;
    __atomic_fetch_or(&g->told, flags, __ATOMIC_SEQ_CST);
}

static inline void guest_on_resize(void *opaque, uint16_t cols, uint16_t rows)
{
    guest_t *g = opaque;
    g->cols = cols;
    g->rows = rows;
    __atomic_fetch_add(&g->resizes, 1, __ATOMIC_SEQ_CST);
}

static inline bool guest_open(guest_t *g, bool channel, bool patient)
{
    *g = (guest_t){.console = console_create(&(console_desc_t){
                       .name = "test",
                       .channel = channel,
                       .patient = patient,
                       .resized = guest_on_resize,
                       .opaque = g,
                   })};
    g->port = g->console ? console_port(g->console) : NULL;
    if (g->port) {
        g->port->io_dev = g;
        g->port->notify = guest_on_notify;
    }
    return g->port != NULL;
}

static inline void guest_close(guest_t *g)
{
    chardev_free(g->port);
    console_release(g->console);
}

static inline size_t guest_says(guest_t *g, const char *text)
{
    return chardev_write(g->port, text, strlen(text));
}

/* All of it, however long the viewers take. */
static inline void guest_says_all(guest_t *g, const uint8_t *data, size_t size)
{
    for (size_t done = 0; done < size;) {
        size_t n = chardev_write(g->port, data + done, size - done);
        done += n;
        if (!n) {
            host_sleep_ns(100000);
        }
    }
}

static inline uint32_t guest_was_told(guest_t *g)
{
    return __atomic_exchange_n(&g->told, 0, __ATOMIC_SEQ_CST);
}

/* What the guest can read now is exactly this. */
static inline bool guest_gets(guest_t *g, const char *text)
{
    char got[512];
    size_t n = chardev_read(g->port, got, sizeof(got));
    bool same = n == strlen(text) && !memcmp(got, text, n);
    if (!same) {
        printf("# the guest got %zu bytes: ", n);
        for (size_t i = 0; i < n && i < 60; i++) {
            printf(got[i] < ' ' ? "\\x%02x" : "%c", (unsigned char)got[i]);
        }
        printf("\n");
    }
    return same;
}

typedef struct {
    console_viewer_t *viewer;
    unsigned told; /* atomic: CONSOLE_* bits */
    vt_t *vt;      /* the screen behind a viewer of bytes */
} watcher_t;

static inline void watcher_on_told(void *opaque, unsigned bits)
{
    watcher_t *w = opaque;
    __atomic_fetch_or(&w->told, bits, __ATOMIC_SEQ_CST);
}

static inline bool watcher_open(watcher_t *w, guest_t *g, console_kind_t kind, bool wait)
{
    *w = (watcher_t){.vt = vt_create(CONSOLE_COLS, CONSOLE_ROWS, VT_DEFAULT_SCROLLBACK, NULL)};
    w->viewer = console_attach(
        g->console,
        &(console_viewer_desc_t){.kind = kind, .wait = wait, .told = watcher_on_told, .opaque = w});
    return w->viewer != NULL;
}

static inline void watcher_close(watcher_t *w)
{
    console_detach(w->viewer);
    vt_destroy(w->vt);
}

static inline unsigned watcher_was_told(watcher_t *w)
{
    return __atomic_exchange_n(&w->told, 0, __ATOMIC_SEQ_CST);
}

/* Takes everything that is there and shows it on its screen; how many bytes. */
static inline size_t watcher_look(watcher_t *w)
{
    uint8_t data[1000];
    size_t n, all = 0;
    while ((n = console_take(w->viewer, data, sizeof(data))) != 0) {
        vt_write(w->vt, data, n);
        all += n;
    }
    return all;
}

/* What can be taken now is exactly this. */
static inline bool watcher_gets(watcher_t *w, const char *text)
{
    char got[512];
    size_t n = console_take(w->viewer, got, sizeof(got));
    bool same = n == strlen(text) && !memcmp(got, text, n);
    if (!same) {
        printf("# the viewer got %zu bytes: ", n);
        for (size_t i = 0; i < n && i < 60; i++) {
            printf(got[i] < ' ' ? "\\x%02x" : "%c", (unsigned char)got[i]);
        }
        printf("\n");
    }
    return same;
}

static inline bool watcher_sees_the_same(watcher_t *w, guest_t *g)
{
    return vt_hash(w->vt) == console_hash(g->console);
}

/* Output like a full-screen program's: moves, colours, text, wide characters, scrolling, the
 * alternate screen. */
static inline size_t full_screen_noise(uint32_t *seed, char *out, size_t size)
{
    static const char *const piece[] = {"\033[H",
                                        "\033[2J",
                                        "\033[31;1m",
                                        "\033[0m",
                                        "\033[5;10H",
                                        "\r\n",
                                        "\033[K",
                                        "\033[3L",
                                        "\033[2M",
                                        "\033[4;12r",
                                        "\033[r",
                                        "\033[?1049h",
                                        "\033[?1049l",
                                        "\033[?25l",
                                        "\033[?25h",
                                        "\xe4\xbd\xa0\xe5\xa5\xbd",
                                        "\xf0\x9f\x99\x82",
                                        "e\xcc\x81",
                                        "\t",
                                        "\033[44;97m",
                                        "\033]0;title\007",
                                        "some text ",
                                        "\033[10;70H0123456789 wraps around",
                                        "\033M"};
    size_t at = 0;
    while (at + 64 < size) {
        *seed = *seed * 1664525u + 1013904223u;
        at += (size_t)snprintf(out + at, size - at, "%s",
                               piece[(*seed >> 16) % (sizeof(piece) / sizeof(piece[0]))]);
    }
    return at;
}

#endif
