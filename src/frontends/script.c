/* SPDX-License-Identifier: MPL-2.0 */
#include "script.h"

#include "../host/clock.h"
#include "../host/thread.h"
#include "script_parse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Output that no expect has consumed yet; older bytes are forgotten. */
#define WINDOW_MAX ((size_t)1 << 20)
/* What is shown of the last output when a script fails. */
#define TAIL_MAX 1200

typedef enum { RUN_ON, RUN_DONE, RUN_TIMEOUT } run_state_t;

typedef struct script_run {
    chardev_t dev;
    const script_t *script;
    void (*on_done)(void *opaque);
    void *opaque;
    void (*on_balloon)(void *opaque, uint64_t bytes);
    void *balloon_opaque;
    host_mutex_t *lock;

    size_t at;            /* the present command */
    bool begun;           /* its deadline is set */
    uint64_t deadline_ns; /* of host_clock_ns() */
    run_state_t state;
    int status;

    char *window; /* output since the last match */
    size_t window_size;
    size_t searched; /* no match starts before this */
    char tail[TAIL_MAX];
    size_t tail_size;

    uint8_t *input; /* typed, not yet read by the guest: [input_head, input_size) */
    size_t input_head, input_size, input_capacity;
} script_run_t;

static void run_remember_tail(script_run_t *r, const char *data, size_t size)
{
    if (size >= TAIL_MAX) {
        memcpy(r->tail, data + size - TAIL_MAX, TAIL_MAX);
        r->tail_size = TAIL_MAX;
        return;
    }
    size_t keep = r->tail_size + size > TAIL_MAX ? TAIL_MAX - size : r->tail_size;
    memmove(r->tail, r->tail + r->tail_size - keep, keep);
    memcpy(r->tail + keep, data, size);
    r->tail_size = keep + size;
}

/* Forgets the first n bytes of the window. */
static void run_drop_window(script_run_t *r, size_t n)
{
    r->window_size -= n;
    memmove(r->window, r->window + n, r->window_size);
    r->searched = r->searched > n ? r->searched - n : 0;
}

static void run_feed(script_run_t *r, const char *data, size_t size)
{
    run_remember_tail(r, data, size);
    if (size > WINDOW_MAX / 2) {
        data += size - WINDOW_MAX / 2;
        size = WINDOW_MAX / 2;
    }
    if (r->window_size + size > WINDOW_MAX) {
        run_drop_window(r, r->window_size - WINDOW_MAX / 2);
    }
    memcpy(r->window + r->window_size, data, size);
    r->window_size += size;
}

/* The text is in the window: consume everything up to its end. */
static bool run_match(script_run_t *r, const char *text, size_t size)
{
    while (r->searched + size <= r->window_size) {
        const char *from = r->window + r->searched;
        const char *hit = memchr(from, text[0], r->window_size - size - r->searched + 1);
        if (!hit) {
            r->searched = r->window_size - size + 1;
            break;
        }
        r->searched = (size_t)(hit - r->window);
        if (memcmp(hit, text, size) == 0) {
            run_drop_window(r, r->searched + size);
            r->searched = 0;
            return true;
        }
        r->searched++;
    }
    return false;
}

static bool run_type(script_run_t *r, const char *data, size_t size)
{
    if (r->input_head == r->input_size) {
        r->input_head = r->input_size = 0;
    }
    if (r->input_capacity - r->input_size < size) {
        size_t capacity = r->input_size + size + 4096;
        uint8_t *bigger = realloc(r->input, capacity);
        if (!bigger) {
            return false;
        }
        r->input = bigger;
        r->input_capacity = capacity;
    }
    memcpy(r->input + r->input_size, data, size);
    r->input_size += size;
    return true;
}

static void run_end(script_run_t *r, run_state_t state, int status)
{
    r->state = state;
    r->status = status;
}

/* One look at the present command; true when it is over and the next may begin. */
static bool run_step(script_run_t *r, uint64_t now)
{
    if (r->at == r->script->count) {
        run_end(r, RUN_DONE, SCRIPT_OK);
        return false;
    }
    const script_command_t *c = &r->script->commands[r->at];
    if (!r->begun) {
        r->begun = true;
        r->searched = 0;
        r->deadline_ns = now + c->time_ns;
    }
    bool late = now >= r->deadline_ns;
    switch (c->kind) {
    case SCRIPT_SEND:
        if (!run_type(r, c->text, c->text_size)) {
            run_end(r, RUN_TIMEOUT, SCRIPT_FAILED);
            return false;
        }
        return true;
    case SCRIPT_BALLOON:
        if (r->on_balloon) {
            r->on_balloon(r->balloon_opaque, c->bytes);
        }
        return true;
    case SCRIPT_QUIT:
        run_end(r, RUN_DONE, c->status);
        return false;
    case SCRIPT_SLEEP:
        return late;
    case SCRIPT_EXPECT:
        if (run_match(r, c->text, c->text_size)) {
            return true;
        }
        break;
    case SCRIPT_OFF:
        break;
    }
    if (late) {
        run_end(r, RUN_TIMEOUT, SCRIPT_FAILED);
    }
    return false;
}

/* Goes on as far as possible. Lock held; it is released, and then events are told. */
static void run_advance_unlock(script_run_t *r)
{
    bool was_on = r->state == RUN_ON;
    size_t typed = r->input_size - r->input_head;
    uint64_t now = host_clock_ns();
    while (r->state == RUN_ON && run_step(r, now)) {
        r->at++;
        r->begun = false;
    }
    bool ended = was_on && r->state != RUN_ON;
    bool fresh = r->input_size - r->input_head != typed;
    host_mutex_unlock(r->lock);
    if (fresh) {
        chardev_notify(&r->dev, CHARDEV_RX);
    }
    if (ended) {
        r->on_done(r->opaque);
    }
}

static uint32_t run_poll(chardev_t *dev)
{
    script_run_t *r = dev->data;
    host_mutex_lock(r->lock);
    uint32_t flags = r->input_size > r->input_head ? CHARDEV_RX : 0;
    host_mutex_unlock(r->lock);
    return flags | CHARDEV_TX;
}

static size_t run_read(chardev_t *dev, void *buf, size_t nbytes)
{
    script_run_t *r = dev->data;
    host_mutex_lock(r->lock);
    size_t n = r->input_size - r->input_head;
    n = n < nbytes ? n : nbytes;
    if (n) {
        memcpy(buf, r->input + r->input_head, n);
        r->input_head += n;
    }
    host_mutex_unlock(r->lock);
    return n;
}

static size_t run_write(chardev_t *dev, const void *buf, size_t nbytes)
{
    script_run_t *r = dev->data;
    host_mutex_lock(r->lock);
    run_feed(r, buf, nbytes);
    run_advance_unlock(r);
    return nbytes;
}

static void run_update(chardev_t *dev)
{
    script_run_t *r = dev->data;
    host_mutex_lock(r->lock);
    run_advance_unlock(r);
}

static void run_remove(chardev_t *dev)
{
    script_run_t *r = dev->data;
    host_mutex_free(r->lock);
    free(r->window);
    free(r->input);
    free(r);
}

void script_on_balloon(chardev_t *dev, void (*fn)(void *opaque, uint64_t bytes), void *opaque)
{
    script_run_t *r = dev->data;
    r->on_balloon = fn;
    r->balloon_opaque = opaque;
}

chardev_t *script_play(const script_t *script, void (*on_done)(void *opaque), void *opaque)
{
    script_run_t *r = calloc(1, sizeof(*r));
    if (r) {
        r->window = malloc(WINDOW_MAX);
        r->lock = host_mutex_create();
    }
    if (!r || !r->window || !r->lock) {
        if (r) {
            free(r->window);
            host_mutex_free(r->lock);
            free(r);
        }
        return NULL;
    }
    r->script = script;
    r->on_done = on_done;
    r->opaque = opaque;
    r->dev = (chardev_t){
        .poll = run_poll,
        .read = run_read,
        .write = run_write,
        .update = run_update,
        .remove = run_remove,
        .data = r,
    };
    return &r->dev;
}

/* The end of the guest's output, each line marked, without control characters. */
static void run_print_tail(const script_run_t *r)
{
    bool line_start = true;
    for (size_t i = 0; i < r->tail_size; i++) {
        unsigned char c = (unsigned char)r->tail[i];
        if (c == '\r') {
            continue;
        }
        if (line_start) {
            fputs("  | ", stderr);
        }
        line_start = c == '\n';
        fputc(c == '\n' || c == '\t' || (c >= ' ' && c != 0x7f) ? c : '?', stderr);
    }
    if (!line_start) {
        fputc('\n', stderr);
    }
}

static void run_explain(const script_run_t *r, const script_command_t *c, bool timeout)
{
    char why[64];
    if (timeout) {
        snprintf(why, sizeof(why), "not within %g s", (double)c->time_ns / 1e9);
    } else {
        snprintf(why, sizeof(why), "the guest stopped first");
    }
    fflush(stdout);
    fprintf(stderr, "\nrvkit: %s:%u: %s: %s; the last output was:\n", r->script->name, c->line,
            c->source, why);
    run_print_tail(r);
}

int script_result(chardev_t *dev)
{
    script_run_t *r = dev->data;
    host_mutex_lock(r->lock);
    /* The guest is off: an `off` that waits for it is done, and so is what can follow it. */
    while (r->state == RUN_ON && r->at < r->script->count &&
           r->script->commands[r->at].kind == SCRIPT_OFF) {
        r->at++;
    }
    if (r->state == RUN_ON && r->at == r->script->count) {
        run_end(r, RUN_DONE, SCRIPT_OK);
    } else if (r->state == RUN_ON && r->script->commands[r->at].kind == SCRIPT_QUIT) {
        run_end(r, RUN_DONE, r->script->commands[r->at].status);
    }
    int status = r->state == RUN_DONE ? r->status : SCRIPT_FAILED;
    if (r->state != RUN_DONE && r->at < r->script->count) {
        run_explain(r, &r->script->commands[r->at], r->state == RUN_TIMEOUT);
    }
    host_mutex_unlock(r->lock);
    return status;
}
