/* SPDX-License-Identifier: MPL-2.0 */
#include "terminal.h"

#include "pump.h"

#include "../host/clock.h"
#include "../host/stream.h"
#include "../host/thread.h"
#include "../host/tty.h"
#include "../ring.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CTRL_A 0x01
#define TERMINAL_CHUNK 4096

/* A paste must not hide Ctrl-A x behind a guest that does not read, so it waits in memory. */
#define TYPED_MAX ((size_t)64 << 20)
/* Where nobody is at the keyboard, the input waits where it comes from. */
#define TYPED_MAX_PLAIN ((size_t)64 << 10)
#define TYPED_LOOK_NS UINT64_C(5000000)

/* A console on this terminal, and what was typed for it that it has not taken. */
typedef struct {
    terminal_t *terminal;
    console_t *console;
    console_viewer_t *viewer; /* atomic; NULL until it is attached */
    ring_t typed;
    pump_t pump;
} terminal_console_t;

struct terminal {
    terminal_desc_t desc;
    host_stream_t *stream;
    host_mutex_t *lock; /* guards the rings, note and current */
    terminal_console_t console[TERMINAL_CONSOLES_MAX];
    size_t count; /* constant once started */
    size_t current, before;
    console_t *monitor;
    ring_t note; /* the program's own words, to go out next */
    pump_t pump; /* output; it owns what follows */
    uint8_t chunk[TERMINAL_CHUNK];
    size_t chunk_at, chunk_size;
    bool prefix;       /* Ctrl-A was the last byte; reader thread */
    uint32_t stopping; /* atomic */
};

static const char terminal_help[] =
    "Ctrl-A x  exit rvkit             Ctrl-A c    next console\r\n"
    "Ctrl-A m  monitor, and back      Ctrl-A 1…9  console by number\r\n"
    "Ctrl-A p  pause, and go on       Ctrl-A s    screenshot into a file\r\n"
    "Ctrl-A r  reset the machine      Ctrl-A l    draw the screen again\r\n"
    "Ctrl-A h  this help              Ctrl-A a    send Ctrl-A (also Ctrl-A Ctrl-A)";

/* --- Output --- */

/* What the guest's programs have switched on, for the way out. */
static void terminal_note_modes(terminal_t *t, const terminal_console_t *c)
{
    console_modes_t m;
    if (!host_tty_is(t->desc.out_fd)) {
        return;
    }
    console_modes(c->console, &m);
    host_tty_left_on(t->desc.out_fd,
                     (m.alternate ? HOST_TTY_ALTERNATE : 0) | (m.plain ? 0 : HOST_TTY_MODES));
}

/* The next bytes for the terminal. */
static void terminal_fill(terminal_t *t)
{
    host_mutex_lock(t->lock);
    terminal_console_t *c = &t->console[t->current];
    size_t n = ring_get(&t->note, t->chunk, TERMINAL_CHUNK);
    host_mutex_unlock(t->lock);
    console_viewer_t *viewer = __atomic_load_n(&c->viewer, __ATOMIC_ACQUIRE);
    if (!n && viewer) {
        n = console_take(viewer, t->chunk, TERMINAL_CHUNK);
        if (n) {
            terminal_note_modes(t, c);
        }
    }
    t->chunk_at = 0;
    __atomic_store_n(&t->chunk_size, n, __ATOMIC_RELEASE);
}

static bool terminal_move_out(void *opaque)
{
    terminal_t *t = opaque;
    if (!t->chunk_size) {
        terminal_fill(t);
    }
    size_t left = t->chunk_size - t->chunk_at;
    size_t n = left ? host_stream_write(t->stream, t->chunk + t->chunk_at, left) : 0;
    t->chunk_at += n;
    if (t->chunk_at == t->chunk_size) {
        __atomic_store_n(&t->chunk_size, 0, __ATOMIC_RELEASE);
    } else {
        host_stream_poll(t->stream); /* asks to be told when there is room */
    }
    return n != 0;
}

/* Text goes out whole, or, without memory, not at all. */
static void terminal_put_note(terminal_t *t, const char *text)
{
    size_t size = strlen(text);
    host_mutex_lock(t->lock);
    if (ring_reserve(&t->note, size)) {
        ring_put(&t->note, text, size);
    }
    host_mutex_unlock(t->lock);
    pump_run(&t->pump, terminal_move_out, t);
}

void terminal_say(terminal_t *t, const char *line)
{
    char text[1024];
    snprintf(text, sizeof(text), "\r\n%s\r\n", line);
    terminal_put_note(t, text);
}

/* --- Turning to another console --- */

static void terminal_show(terminal_t *t, size_t index)
{
    host_mutex_lock(t->lock);
    size_t old = t->current;
    t->before = old == index ? t->before : old;
    t->current = index;
    host_mutex_unlock(t->lock);
    console_show(t->console[old].viewer, false);
    terminal_put_note(t, "\033\\"); /* ends a sequence that was cut short */
    console_show(t->console[index].viewer, true);
    pump_run(&t->pump, terminal_move_out, t);
}

static void terminal_show_monitor(terminal_t *t)
{
    for (size_t i = 0; i < t->count; i++) {
        if (t->console[i].console == t->monitor) {
            terminal_show(t, t->current == i ? t->before : i);
            return;
        }
    }
    terminal_say(t, "rvkit: there is no monitor here");
}

static void terminal_show_number(terminal_t *t, size_t number)
{
    char line[80];
    if (number <= t->count) {
        terminal_show(t, number - 1);
    } else {
        snprintf(line, sizeof(line),
                 "rvkit: there is no console %zu; there are %zu (Ctrl-A h helps)", number,
                 t->count);
        terminal_say(t, line);
    }
}

console_t *terminal_shown(terminal_t *t)
{
    host_mutex_lock(t->lock);
    console_t *console = t->count ? t->console[t->current].console : NULL;
    host_mutex_unlock(t->lock);
    return console;
}

/* --- Input --- */

static void terminal_tell(terminal_t *t, terminal_event_t event)
{
    if (t->desc.on_event) {
        t->desc.on_event(t->desc.opaque, event);
    }
}

/* The list of consoles below the help. */
static void terminal_print_help(terminal_t *t)
{
    char text[1800], line[200], title[80];
    size_t at = (size_t)snprintf(text, sizeof(text), "\r\n%s\r\n", terminal_help);
    for (size_t i = 0; i < t->count; i++) {
        console_info_t info;
        console_info(t->console[i].console, &info);
        console_title(t->console[i].console, title, sizeof(title));
        int n = snprintf(line, sizeof(line), "%c %zu %s %s\r\n", i == t->current ? '*' : ' ', i + 1,
                         info.name, title);
        if (n > 0 && at + (size_t)n < sizeof(text)) {
            memcpy(text + at, line, (size_t)n + 1);
            at += (size_t)n;
        }
    }
    terminal_put_note(t, text);
}

/* The byte after Ctrl-A; true when a Ctrl-A goes to the guest. */
static bool terminal_command(terminal_t *t, uint8_t byte)
{
    if (byte && byte < ' ' && byte != CTRL_A) {
        byte |= 0x60; /* Ctrl was still held down */
    }
    switch (byte | 0x20) {
    case 'x':
        terminal_tell(t, TERMINAL_QUIT);
        return false;
    case 'p':
        terminal_tell(t, TERMINAL_PAUSE);
        return false;
    case 'r':
        terminal_tell(t, TERMINAL_RESET);
        return false;
    case 's':
        terminal_tell(t, TERMINAL_SCREENSHOT);
        return false;
    case 'c':
        terminal_show(t, (t->current + 1) % t->count);
        return false;
    case 'm':
        terminal_show_monitor(t);
        return false;
    case 'l':
        terminal_show(t, t->current);
        return false;
    case 'a':
        return true;
    case 'h':
    case '?':
        terminal_print_help(t);
        return false;
    default:
        if (byte >= '1' && byte <= '9') {
            terminal_show_number(t, (size_t)(byte - '0'));
        }
        return byte == CTRL_A;
    }
}

static bool terminal_move_in(void *opaque)
{
    terminal_console_t *c = opaque;
    terminal_t *t = c->terminal;
    uint8_t chunk[TERMINAL_CHUNK];
    host_mutex_lock(t->lock);
    ring_t copy = c->typed; /* only the pump takes bytes out */
    size_t n = ring_get(&copy, chunk, sizeof(chunk));
    host_mutex_unlock(t->lock);
    n = n ? console_type(c->viewer, chunk, n) : 0;
    host_mutex_lock(t->lock);
    ring_get(&c->typed, NULL, n);
    host_mutex_unlock(t->lock);
    return n != 0;
}

/* For the console that is shown; waits while too much is typed already. */
static void terminal_type(terminal_t *t, const uint8_t *data, size_t size)
{
    size_t limit = t->desc.commands ? TYPED_MAX : TYPED_MAX_PLAIN;
    terminal_console_t *c = &t->console[t->current];
    host_mutex_lock(t->lock);
    while (c->typed.size >= limit && !__atomic_load_n(&t->stopping, __ATOMIC_ACQUIRE)) {
        host_mutex_unlock(t->lock);
        host_sleep_ns(TYPED_LOOK_NS);
        host_mutex_lock(t->lock);
    }
    if (ring_reserve(&c->typed, size)) {
        ring_put(&c->typed, data, size);
    }
    host_mutex_unlock(t->lock);
    pump_run(&c->pump, terminal_move_in, c);
}

/* The stream's input; all of it is taken. */
static size_t terminal_filter(void *opaque, uint8_t *data, size_t size)
{
    terminal_t *t = opaque;
    size_t from = 0;
    for (size_t i = 0; t->desc.commands && i < size; i++) {
        if (!t->prefix && data[i] != CTRL_A) {
            continue;
        }
        if (i > from) {
            terminal_type(t, data + from, i - from);
        }
        from = i + 1;
        if (t->prefix && terminal_command(t, data[i])) {
            terminal_type(t, (const uint8_t[]){CTRL_A}, 1);
        }
        t->prefix = !t->prefix;
    }
    if (size > from) {
        terminal_type(t, data + from, size - from);
    }
    return 0;
}

/* --- Events --- */

static void terminal_on_stream(void *opaque, unsigned bits)
{
    terminal_t *t = opaque;
    if (bits & HOST_STREAM_BROKEN) {
        terminal_tell(t, TERMINAL_BROKEN);
    }
    if (bits & HOST_STREAM_TX) {
        pump_run(&t->pump, terminal_move_out, t);
    }
}

static void terminal_on_console(void *opaque, unsigned bits)
{
    terminal_console_t *c = opaque;
    if (!__atomic_load_n(&c->viewer, __ATOMIC_ACQUIRE)) {
        return;
    }
    if (bits & CONSOLE_OUTPUT) {
        pump_run(&c->terminal->pump, terminal_move_out, c->terminal);
    }
    if (bits & CONSOLE_ROOM) {
        pump_run(&c->pump, terminal_move_in, c);
    }
}

/* All consoles have the window's size. */
static void terminal_on_size(void *opaque, uint16_t cols, uint16_t rows)
{
    terminal_t *t = opaque;
    for (size_t i = 0; i < t->count; i++) {
        console_resize(t->console[i].viewer, cols, rows);
    }
}

/* --- Life --- */

terminal_t *terminal_create(const terminal_desc_t *desc)
{
    terminal_t *t = calloc(1, sizeof(*t));
    if (!t) {
        return NULL;
    }
    t->desc = *desc;
    t->lock = host_mutex_create();
    t->stream = t->lock ? host_stream_open(&(host_stream_desc_t){
                              .in_fd = desc->in_fd,
                              .out_fd = desc->out_fd,
                              .in_limit = TERMINAL_CHUNK,
                              .event = terminal_on_stream,
                              .filter = terminal_filter,
                              .opaque = t,
                          })
                        : NULL;
    if (!t->stream) {
        host_mutex_free(t->lock);
        free(t);
        return NULL;
    }
    return t;
}

bool terminal_add(terminal_t *t, console_t *console)
{
    if (t->count == TERMINAL_CONSOLES_MAX) {
        return false;
    }
    terminal_console_t *c = &t->console[t->count];
    c->terminal = t;
    c->console = console;
    console_viewer_t *viewer = console_attach(console, &(console_viewer_desc_t){
                                                           .kind = CONSOLE_TERMINAL,
                                                           .wait = true,
                                                           .told = terminal_on_console,
                                                           .opaque = c,
                                                       });
    if (!viewer) {
        return false;
    }
    if (t->count) {
        console_show(viewer, false);
    }
    __atomic_store_n(&c->viewer, viewer, __ATOMIC_RELEASE);
    t->count++;
    return true;
}

void terminal_set_monitor(terminal_t *t, console_t *console)
{
    t->monitor = console;
}

void terminal_start(terminal_t *t)
{
    if (!host_tty_watch(t->desc.out_fd, terminal_on_size, t)) {
        host_tty_watch(t->desc.in_fd, terminal_on_size, t);
    }
    host_stream_poll(t->stream); /* starts its threads */
    pump_run(&t->pump, terminal_move_out, t);
}

void terminal_flush(terminal_t *t)
{
    for (;;) {
        pump_run(&t->pump, terminal_move_out, t);
        host_stream_flush(t->stream);
        if (!__atomic_load_n(&t->chunk_size, __ATOMIC_ACQUIRE) &&
            (!t->count || !console_pending(t->console[t->current].viewer))) {
            return;
        }
        host_sleep_ns(TYPED_LOOK_NS / 10); /* another thread holds a chunk */
    }
}

const char *terminal_error(terminal_t *t)
{
    return strerror(host_stream_error(t->stream));
}

void terminal_close(terminal_t *t)
{
    if (!t) {
        return;
    }
    host_tty_unwatch();
    __atomic_store_n(&t->stopping, 1, __ATOMIC_RELEASE);
    host_stream_end_input(t->stream);
    terminal_flush(t);
    host_stream_close(t->stream); /* first: until then its thread may take output */
    for (size_t i = 0; i < t->count; i++) {
        console_detach(t->console[i].viewer);
        ring_free(&t->console[i].typed);
    }
    ring_free(&t->note);
    host_mutex_free(t->lock);
    free(t);
}
