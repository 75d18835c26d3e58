/* SPDX-License-Identifier: MPL-2.0 */
/* The guest's side of a console: the port, the VT, the size; and telling everyone. */
#include "console_internal.h"

#include "../host/clock.h"

#include <stdlib.h>

#define PATIENCE_NS UINT64_C(20000000) /* between two looks of a patient writer */

void console_acquire(console_t *c)
{
    host_mutex_lock(c->lock);
}

/* --- Telling --- */

void console_mark(console_t *c, unsigned bits, const console_viewer_t *except)
{
    for (console_viewer_t *v = c->viewers; v; v = v->next) {
        if (v != except) {
            v->bits |= bits;
        }
    }
}

static void console_mark_output(console_t *c)
{
    for (console_viewer_t *v = c->viewers; v; v = v->next) {
        if (v->hungry && v->shown) {
            v->hungry = false;
            v->bits |= CONSOLE_OUTPUT;
        }
    }
}

/* The next viewer that has something to hear. */
static console_viewer_t *console_next_told(console_t *c)
{
    console_viewer_t *v = c->viewers;
    while (v && !(v->bits && v->desc.told)) {
        v = v->next;
    }
    return v;
}

static void console_tell_port(console_t *c)
{
    uint32_t flags = c->flags;
    c->flags = 0;
    if (!flags || c->closed || !c->taken) {
        return;
    }
    c->notifying++;
    host_mutex_unlock(c->lock);
    chardev_notify(&c->dev, flags);
    host_mutex_lock(c->lock);
    c->notifying--;
}

void console_tell(console_t *c)
{
    console_viewer_t *v;
    console_tell_port(c);
    while ((v = console_next_told(c)) != NULL) {
        unsigned bits = v->bits;
        v->bits = 0;
        v->calling++;
        host_mutex_unlock(c->lock);
        v->desc.told(v->desc.opaque, bits);
        host_mutex_lock(c->lock);
        v->calling--;
        console_tell_port(c);
    }
}

unsigned console_screens(const console_t *c)
{
    unsigned screens = 0;
    for (const console_viewer_t *v = c->viewers; v; v = v->next) {
        screens += v->desc.kind != CONSOLE_BYTES;
    }
    return screens;
}

void console_tell_viewers(console_t *c)
{
    if (c->counted && !c->closed) {
        unsigned screens = console_screens(c);
        c->notifying++;
        host_mutex_unlock(c->lock);
        c->counted(c->counted_opaque, screens);
        console_acquire(c);
        c->notifying--;
    }
}

void console_on_viewers(console_t *c, void (*counted)(void *opaque, unsigned screens), void *opaque)
{
    console_acquire(c);
    c->counted = counted;
    c->counted_opaque = opaque;
    console_tell_viewers(c);
    host_mutex_unlock(c->lock);
}

/* --- The VT --- */

/* [from, to) of the output is left out of what terminals get. */
static void console_add_hole(console_t *c, uint64_t from, uint64_t to)
{
    if (c->hole_count && c->holes[c->hole_count - 1].to >= from) {
        c->holes[c->hole_count - 1].to = to;
        return;
    }
    size_t old = 0; /* holes in output that is no longer kept */
    while (old < c->hole_count && c->holes[old].to <= console_oldest(c)) {
        old++;
    }
    if (old) {
        c->hole_count -= old;
        memmove(c->holes, c->holes + old, c->hole_count * sizeof(*c->holes));
    }
    if (c->hole_count == c->hole_capacity) {
        size_t capacity = c->hole_capacity ? 2 * c->hole_capacity : 16;
        console_hole_t *more = realloc(c->holes, capacity * sizeof(*more));
        if (!more) {
            return; /* the terminal will answer too */
        }
        c->holes = more;
        c->hole_capacity = capacity;
    }
    c->holes[c->hole_count++] = (console_hole_t){from, to};
}

static void console_on_reply(void *opaque, const void *bytes, size_t size)
{
    console_t *c = opaque;
    if (c->keying) {
        console_queue_input(c, bytes, size, CONSOLE_KEYS_MAX);
    } else if (console_screens(c)) { /* somebody looks on, so the VT speaks */
        console_queue_input(c, bytes, size, CONSOLE_ANSWERS_MAX);
        console_add_hole(c, c->vt_base + vt_sequence_start(c->vt), c->vt_base + vt_written(c->vt));
    }
}

static void console_on_bell(void *opaque)
{
    console_mark(opaque, CONSOLE_BELL, NULL);
}

static void console_on_title(void *opaque, const char *title)
{
    (void)title;
    console_mark(opaque, CONSOLE_TITLE, NULL);
}

static void console_on_clipboard(void *opaque, char which, const char *base64, size_t size)
{
    console_t *c = opaque;
    char *copy = base64 ? malloc(size + 1) : NULL;
    if (copy) {
        memcpy(copy, base64, size);
        copy[size] = 0;
        free(c->clipboard);
        c->clipboard = copy;
        c->clipboard_size = size;
    }
    if (copy || !base64) {
        c->clipboard_which = which;
        console_mark(c, base64 ? CONSOLE_CLIPBOARD : CONSOLE_ASKED, NULL);
    }
}

vt_callbacks_t console_vt_callbacks(console_t *c)
{
    return (vt_callbacks_t){
        .reply = console_on_reply,
        .bell = console_on_bell,
        .title = console_on_title,
        .clipboard = console_on_clipboard,
        .ctx = c,
    };
}

uint64_t console_safe(const console_t *c)
{
    if (!c->vt) {
        return c->head;
    }
    uint64_t start = c->vt_base + vt_sequence_start(c->vt);
    return c->head - start <= CONSOLE_HELD_MAX ? start : c->head;
}

void console_spoil(console_t *c)
{
    for (console_viewer_t *v = c->viewers; v; v = v->next) {
        v->stale |= v->desc.kind == CONSOLE_TERMINAL && v->shown;
    }
    console_mark_output(c);
}

/* --- Input --- */

/* All or nothing: false, and dropped, when more than limit bytes would wait. */
bool console_queue_input(console_t *c, const void *data, size_t size, size_t limit)
{
    if (size > limit || c->in.size > limit - size || !ring_reserve(&c->in, size)) {
        return false;
    }
    ring_put(&c->in, data, size);
    c->in_total += size;
    c->flags |= CHARDEV_RX;
    return true;
}

/* --- Output --- */

size_t console_room(const console_t *c)
{
    uint64_t room = CONSOLE_CAPACITY;
    for (const console_viewer_t *v = c->viewers; v; v = v->next) {
        if (v->desc.wait && v->shown && v->desc.kind != CONSOLE_CELLS) {
            room = util_min_u64(room, CONSOLE_CAPACITY - (c->head - v->at));
        }
    }
    return (size_t)room;
}

void console_freed_room(console_t *c)
{
    if (c->patient) {
        host_event_set(c->moved);
    }
    if (c->port_full && console_room(c) >= CONSOLE_CAPACITY / 4) {
        c->port_full = false;
        c->flags |= CHARDEV_TX;
    }
}

/* Viewers that did not wait and have fallen out of the buffer. */
static void console_drop_behind(console_t *c)
{
    for (console_viewer_t *v = c->viewers; v; v = v->next) {
        if (v->at < console_oldest(c)) {
            v->at = console_oldest(c);
            v->stale |= v->desc.kind == CONSOLE_TERMINAL;
        }
    }
}

/* Takes in what there is room for. */
static size_t console_feed(console_t *c, const uint8_t *data, size_t size)
{
    size_t done = 0, n;
    while (done < size && (n = (size_t)util_min_u64(console_room(c), size - done)) != 0) {
        size_t at = (size_t)(c->head % CONSOLE_CAPACITY);
        n = (size_t)util_min_u64(n, CONSOLE_CAPACITY - at);
        memcpy(c->out + at, data + done, n);
        c->head += n;
        if (c->vt) {
            vt_write(c->vt, data + done, n);
        }
        done += n;
        console_drop_behind(c);
    }
    if (done) {
        console_mark_output(c);
    }
    return done;
}

/* --- The port --- */

static uint32_t port_poll(chardev_t *dev)
{
    console_t *c = dev->data;
    console_acquire(c);
    uint32_t bits = c->in.size ? CHARDEV_RX : 0;
    if (c->patient || console_room(c)) {
        bits |= CHARDEV_TX;
    } else {
        c->port_full = true;
    }
    host_mutex_unlock(c->lock);
    return bits;
}

static size_t port_read(chardev_t *dev, void *buf, size_t nbytes)
{
    console_t *c = dev->data;
    console_acquire(c);
    size_t n = ring_get(&c->in, buf, nbytes);
    if (n && c->in.size <= CONSOLE_BUFFER / 2) {
        for (console_viewer_t *v = c->viewers; v; v = v->next) {
            v->bits |= v->refused ? CONSOLE_ROOM : 0;
            v->refused = false;
        }
    }
    console_leave(c);
    return n;
}

static size_t port_write(chardev_t *dev, const void *buf, size_t nbytes)
{
    console_t *c = dev->data;
    const uint8_t *bytes = buf;
    console_acquire(c);
    size_t done = console_feed(c, bytes, nbytes);
    console_tell(c);
    while (c->patient && done < nbytes) {
        size_t more = console_feed(c, bytes + done, nbytes - done);
        done += more;
        console_tell(c);
        if (!more) {
            host_event_clear(c->moved);
        }
        if (!more && !console_room(c)) {
            if (!host_threads_available()) {
                break; /* nobody else can make room */
            }
            host_mutex_unlock(c->lock);
            host_event_wait(c->moved, PATIENCE_NS);
            console_acquire(c);
        }
    }
    c->port_full |= done < nbytes || !console_room(c);
    host_mutex_unlock(c->lock);
    return done;
}

static void port_update(chardev_t *dev)
{
    console_t *c = dev->data;
    console_acquire(c);
    for (console_viewer_t *v = c->viewers; v; v = v->next) {
        if (v->desc.update) {
            v->calling++;
            host_mutex_unlock(c->lock);
            v->desc.update(v->desc.opaque);
            host_mutex_lock(c->lock);
            v->calling--;
            if (v->gone) {
                break; /* its successors are not known any more; they have their turn next time */
            }
        }
    }
    console_leave(c);
}

static void port_remove(chardev_t *dev)
{
    console_t *c = dev->data;
    console_acquire(c);
    c->closed = true;
    while (c->notifying) {
        host_mutex_unlock(c->lock);
        host_sleep_ns(50000);
        console_acquire(c);
    }
    console_mark(c, CONSOLE_CLOSED, NULL);
    console_leave(c);
    console_release(c);
}

chardev_t *console_port(console_t *c)
{
    console_acquire(c);
    bool taken = c->taken;
    c->taken = true;
    c->references += !taken;
    host_mutex_unlock(c->lock);
    return taken ? NULL : &c->dev;
}

/* --- The size --- */

/* Tells the device, one call at a time, until it knows the newest size. */
static void console_tell_size(console_t *c)
{
    if (c->telling_size || !c->sized || !c->resized) {
        return;
    }
    c->telling_size = true;
    while (!c->closed && (c->told_cols != c->cols || c->told_rows != c->rows)) {
        uint16_t cols = c->told_cols = c->cols, rows = c->told_rows = c->rows;
        c->notifying++;
        host_mutex_unlock(c->lock);
        c->resized(c->resized_opaque, cols, rows);
        console_acquire(c);
        c->notifying--;
    }
    c->telling_size = false;
}

static uint16_t size_clamp(uint16_t value, unsigned least, unsigned most)
{
    return (uint16_t)(value < least ? least : value > most ? most : value);
}

void console_resize(console_viewer_t *v, uint16_t cols, uint16_t rows)
{
    console_t *c = v->console;
    cols = size_clamp(cols, VT_MIN_COLS, VT_MAX_COLS);
    rows = size_clamp(rows, VT_MIN_ROWS, VT_MAX_ROWS);
    console_acquire(c);
    c->sized = true;
    if (c->vt && (cols != c->cols || rows != c->rows) && vt_resize(c->vt, cols, rows)) {
        c->cols = cols;
        c->rows = rows;
        console_mark(c, CONSOLE_RESIZED, v);
        console_mark_output(c);
        for (console_viewer_t *w = c->viewers; w; w = w->next) {
            w->stale |= w != v && w->desc.kind == CONSOLE_TERMINAL && w->shown;
        }
    }
    console_tell_size(c);
    console_leave(c);
}

void console_on_resize(console_t *c, void (*resized)(void *opaque, uint16_t cols, uint16_t rows),
                       void *opaque)
{
    console_acquire(c);
    c->resized = resized;
    c->resized_opaque = opaque;
    console_tell_size(c);
    host_mutex_unlock(c->lock);
}

/* --- Life --- */

static void console_free(console_t *c)
{
    vt_destroy(c->vt);
    ring_free(&c->in);
    free(c->out);
    free(c->holes);
    free(c->clipboard);
    host_event_free(c->moved);
    host_mutex_free(c->lock);
    free(c);
}

void console_release(console_t *c)
{
    if (!c) {
        return;
    }
    console_acquire(c);
    bool last = --c->references == 0;
    host_mutex_unlock(c->lock);
    if (last) {
        console_free(c);
    }
}

console_t *console_create(const console_desc_t *desc)
{
    console_t *c = calloc(1, sizeof(*c));
    if (!c) {
        return NULL;
    }
    c->references = 1;
    c->channel = desc->channel;
    c->patient = desc->patient;
    c->resized = desc->resized;
    c->resized_opaque = desc->opaque;
    size_t length = strlen(desc->name);
    memcpy(c->name, desc->name, length < CONSOLE_NAME_MAX ? length : CONSOLE_NAME_MAX);
    c->dev = (chardev_t){
        .poll = port_poll,
        .read = port_read,
        .write = port_write,
        .update = port_update,
        .remove = port_remove,
        .data = c,
    };
    vt_callbacks_t callbacks = console_vt_callbacks(c);
    c->lock = host_mutex_create();
    c->moved = host_event_create();
    c->out = malloc(CONSOLE_CAPACITY);
    if (!desc->channel) {
        c->cols = CONSOLE_COLS;
        c->rows = CONSOLE_ROWS;
        c->vt = vt_create(c->cols, c->rows, VT_DEFAULT_SCROLLBACK, &callbacks);
    }
    if (!c->lock || !c->moved || !c->out || (!desc->channel && !c->vt)) {
        console_free(c);
        return NULL;
    }
    return c;
}
