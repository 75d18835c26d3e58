/* SPDX-License-Identifier: MPL-2.0 */
/* The monitor's thread, and what goes in and out of its console. */
#include "monitor_internal.h"

#include "../host/thread.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Typed while a command runs; more waits in the console. */
#define TYPED_MAX 4096
/* Output that is written at once. Without a thread it grows with what a command says. */
#define OUT_ROOM 4096
#define CTRL_C 3

struct monitor {
    rvvm_machine_t *machine;
    monitor_host_t host;
    chardev_t *chardev;
    bool plain;         /* now */
    uint32_t plain_set; /* atomic: as monitor_set_plain() wants it */
    lineedit_t *edit;
    monitor_state_t state;

    host_thread_t *thread;
    host_event_t *event; /* the console has something, or room; or the end has come */
    bool threaded;
    bool stop;        /* atomic */
    uint32_t columns; /* atomic */
    bool busy, again; /* without a thread: in monitor_pump(), and called again meanwhile */

    uint8_t typed[TYPED_MAX];
    size_t typed_at, typed_size;
    size_t looked; /* no Ctrl-C before this */
    bool interrupted;

    char *out;
    size_t out_at, out_size, out_room;
};

static bool monitor_stopping(const monitor_t *m)
{
    return __atomic_load_n(&m->stop, __ATOMIC_ACQUIRE);
}

/* ---- Input ---- */

static void input_read(monitor_t *m)
{
    memmove(m->typed, m->typed + m->typed_at, m->typed_size - m->typed_at);
    m->typed_size -= m->typed_at;
    m->looked = m->looked > m->typed_at ? m->looked - m->typed_at : 0;
    m->typed_at = 0;
    if (m->typed_size < TYPED_MAX) {
        m->typed_size +=
            chardev_read(m->chardev, m->typed + m->typed_size, TYPED_MAX - m->typed_size);
    }
}

static bool input_next(monitor_t *m, uint8_t *byte)
{
    if (m->typed_at == m->typed_size) {
        input_read(m);
    }
    if (m->typed_at == m->typed_size) {
        return false;
    }
    *byte = m->typed[m->typed_at++];
    return true;
}

/* While a command runs: a Ctrl-C ends it, and what was typed before is forgotten. */
static void input_look(monitor_t *m)
{
    input_read(m);
    for (; m->looked < m->typed_size; m->looked++) {
        if (m->typed[m->looked] == CTRL_C) {
            m->interrupted = true;
            m->typed_at = m->looked + 1;
        }
    }
}

/* ---- Output ---- */

/* Writes what the console takes. */
static void out_some(monitor_t *m)
{
    size_t n;
    while (m->out_at < m->out_size &&
           (n = chardev_write(m->chardev, m->out + m->out_at, m->out_size - m->out_at)) > 0) {
        m->out_at += n;
    }
    if (m->out_at == m->out_size) {
        m->out_at = m->out_size = 0;
    }
}

/* With a thread: returns when all is written, or the end has come. */
static void out_flush(monitor_t *m)
{
    out_some(m);
    while (m->threaded && m->out_size && !monitor_stopping(m)) {
        input_look(m);
        host_event_wait(m->event, HOST_FOREVER);
        out_some(m);
    }
}

/* Makes room for one byte; false: there is none. */
static bool out_make_room(monitor_t *m)
{
    if (m->out_size < m->out_room) {
        return true;
    }
    if (m->threaded) {
        out_flush(m);
        return m->out_size < m->out_room;
    }
    char *more = realloc(m->out, m->out_room * 2);
    if (!more) {
        m->interrupted = true; /* the listing ends here */
        return false;
    }
    m->out = more;
    m->out_room *= 2;
    return true;
}

static void out_add(void *opaque, const char *bytes, size_t size)
{
    monitor_t *m = opaque;
    for (size_t i = 0; i < size && out_make_room(m); i++) {
        m->out[m->out_size++] = bytes[i];
    }
}

/* Text for people: no control characters but line feeds, also not those of two bytes (U+0080 to
 * U+009F). */
static void out_text(monitor_t *m, const char *text)
{
    for (const char *c = text; *c; c++) {
        bool two = (uint8_t)*c == 0xc2 && (uint8_t)c[1] >= 0x80 && (uint8_t)c[1] < 0xa0;
        if (*c == '\n') {
            out_add(m, m->plain ? "\n" : "\r\n", m->plain ? 1 : 2);
        } else {
            out_add(m, two || (uint8_t)*c < ' ' || *c == 0x7f ? "?" : c, 1);
        }
        c += two;
    }
}

void monitor_print(monitor_t *m, const char *fmt, ...)
{
    char text[1536];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    out_text(m, text);
}

/* ---- Commands ---- */

bool monitor_go_on(monitor_t *m)
{
    input_look(m);
    return !m->interrupted && !monitor_stopping(m);
}

rvvm_machine_t *monitor_machine(const monitor_t *m)
{
    return m->machine;
}

const monitor_host_t *monitor_host(const monitor_t *m)
{
    return &m->host;
}

monitor_state_t *monitor_state(monitor_t *m)
{
    return &m->state;
}

static void monitor_key(monitor_t *m, uint8_t byte)
{
    lineedit_result_t result = lineedit_feed(m->edit, byte);
    if (result == LINEEDIT_MORE) {
        return;
    }
    if (result == LINEEDIT_LINE) {
        m->interrupted = false;
        m->looked = m->typed_at;
        monitor_run(m, lineedit_text(m->edit));
        if (m->interrupted) {
            out_text(m, "interrupted\n");
        }
    } else if (result == LINEEDIT_TOO_LONG) {
        out_text(m, "the line is too long\n");
    }
    lineedit_begin(m->edit);
}

/* Until there is nothing more to do. Without a thread, a command waits until the output of the last
 * is taken. */
static void monitor_work(monitor_t *m)
{
    uint8_t byte;
    while (!monitor_stopping(m)) {
        if (!m->threaded) {
            out_some(m);
            if (m->out_size) {
                return;
            }
        }
        m->plain = __atomic_load_n(&m->plain_set, __ATOMIC_RELAXED);
        lineedit_set_plain(m->edit, m->plain);
        lineedit_set_columns(m->edit, __atomic_load_n(&m->columns, __ATOMIC_RELAXED));
        if (!input_next(m, &byte)) {
            break;
        }
        monitor_key(m, byte);
    }
    out_flush(m);
}

static void monitor_thread(void *arg)
{
    monitor_t *m = arg;
    for (;;) {
        monitor_work(m);
        if (monitor_stopping(m)) { /* its event may be gone already */
            return;
        }
        host_event_wait(m->event, HOST_FOREVER);
    }
}

/* Called from its own calls of the console too: then it goes on where it is. */
static void monitor_pump(monitor_t *m)
{
    m->again = true;
    if (m->busy) {
        return;
    }
    m->busy = true;
    while (m->again) {
        m->again = false;
        monitor_work(m);
    }
    m->busy = false;
}

static void monitor_notify(void *io_dev, uint32_t flags)
{
    monitor_t *m = io_dev;
    (void)flags;
    if (m->threaded) {
        host_event_set(m->event);
    } else {
        monitor_pump(m);
    }
}

/* ---- Life ---- */

void monitor_set_plain(monitor_t *m, bool plain)
{
    __atomic_store_n(&m->plain_set, plain, __ATOMIC_RELAXED);
}

void monitor_set_columns(monitor_t *m, unsigned columns)
{
    __atomic_store_n(&m->columns, columns, __ATOMIC_RELAXED);
}

monitor_t *monitor_create(const monitor_desc_t *desc)
{
    monitor_t *m = calloc(1, sizeof(*m));
    if (!m) {
        chardev_free(desc->chardev);
        return NULL;
    }
    *m = (monitor_t){
        .machine = desc->machine,
        .host = desc->host,
        .chardev = desc->chardev,
        .plain = desc->plain,
        .plain_set = desc->plain,
        .state = {.format = {1, 'x', 4}},
        .threaded = host_threads_available(),
        .out_room = OUT_ROOM,
    };
    const lineedit_desc_t edit = {
        .opaque = m,
        .prompt = "(rvkit) ",
        .plain = desc->plain,
        .write = out_add,
        .complete = monitor_complete,
    };
    m->edit = lineedit_create(&edit);
    m->event = host_event_create();
    m->out = malloc(m->out_room);
    if (!m->edit || !m->event || !m->out) {
        monitor_free(m);
        return NULL;
    }
    m->plain = false; /* the greeting is for whoever comes */
    monitor_print(m, "rvkit %s, the monitor: \"help\" lists its commands\n", RVKIT_VERSION);
    m->plain = desc->plain;
    lineedit_begin(m->edit);
    m->chardev->io_dev = m;
    m->chardev->notify = monitor_notify;
    if (!m->threaded) {
        monitor_pump(m);
    } else if (!(m->thread = host_thread_create(monitor_thread, m))) {
        monitor_free(m);
        return NULL;
    }
    return m;
}

void monitor_free(monitor_t *m)
{
    if (!m) {
        return;
    }
    __atomic_store_n(&m->stop, true, __ATOMIC_RELEASE);
    if (m->thread) {
        host_event_set(m->event);
        host_thread_join(m->thread);
    }
    chardev_free(m->chardev); /* from here on nobody calls monitor_notify() */
    lineedit_free(m->edit);
    host_event_free(m->event);
    free(m->out);
    free(m);
}
