/* SPDX-License-Identifier: MPL-2.0 */
/* The viewers' side of a console: output in their own time, input, and looks at the cells. */
#include "console_internal.h"

#include "../host/clock.h"

#include <stdlib.h>

enum { PASTE_MARKS = 12 }; /* bytes: those of bracketed paste */

/*
 * Brings a terminal to the present screen: a repaint, then bytes from where the VT stands between
 * two sequences. While a sequence is going on whose start is no longer kept, it stays stale.
 */
static void viewer_refresh(console_viewer_t *v)
{
    console_t *c = v->console;
    uint64_t start = c->vt_base + vt_sequence_start(c->vt);
    if (start < console_oldest(c)) {
        return;
    }
    free(v->repaint);
    v->repaint = vt_repaint(c->vt, &v->repaint_size);
    v->repaint_at = 0;
    if (!v->repaint) {
        v->repaint_size = 0; /* no memory: the screen comes with what is printed next */
    }
    v->at = start;
    v->stale = false;
}

console_viewer_t *console_attach(console_t *c, const console_viewer_desc_t *desc)
{
    console_viewer_t *v = c->channel && desc->kind != CONSOLE_BYTES ? NULL : calloc(1, sizeof(*v));
    if (!v) {
        return NULL;
    }
    v->console = c;
    v->desc = *desc;
    v->shown = true;
    console_acquire(c);
    c->references++;
    v->at = util_max_u64(c->head > CONSOLE_BUFFER ? c->head - CONSOLE_BUFFER : 0, c->had);
    if (desc->kind != CONSOLE_BYTES) {
        v->at = c->head;
        /* Where nothing was printed yet, the person's terminal is left as it is. */
        v->stale = desc->kind == CONSOLE_TERMINAL && c->head;
        memset(v->dirty, 1, sizeof(v->dirty));
    }
    v->hungry = v->at == c->head && !v->stale && desc->kind != CONSOLE_CELLS;
    v->bits = (v->hungry ? 0 : CONSOLE_OUTPUT) | (c->closed ? CONSOLE_CLOSED : 0);
    v->next = c->viewers;
    c->viewers = v;
    console_tell_viewers(c);
    console_leave(c);
    return v;
}

void console_detach(console_viewer_t *v)
{
    if (!v) {
        return;
    }
    console_t *c = v->console;
    console_acquire(c);
    for (console_viewer_t **link = &c->viewers; *link; link = &(*link)->next) {
        if (*link == v) {
            *link = v->next;
            break;
        }
    }
    v->gone = true;
    while (v->calling) {
        host_mutex_unlock(c->lock);
        host_sleep_ns(50000);
        console_acquire(c);
    }
    console_freed_room(c);
    console_tell_viewers(c);
    console_leave(c);
    free(v->repaint);
    free(v);
    console_release(c);
}

/* --- Output --- */

/* The output from `at` on that lies in one piece before `end`, without questions; skips one at
 * `at`. */
static size_t viewer_piece(console_viewer_t *v, uint64_t end)
{
    const console_t *c = v->console;
    size_t low = 0, high = v->desc.kind == CONSOLE_TERMINAL ? c->hole_count : 0;
    while (low < high) { /* the first hole that ends behind `at` */
        size_t middle = (low + high) / 2;
        if (c->holes[middle].to <= v->at) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (v->desc.kind == CONSOLE_TERMINAL && low < c->hole_count) {
        if (c->holes[low].from <= v->at) {
            v->at = util_min_u64(c->holes[low].to, end);
            return viewer_piece(v, end);
        }
        end = util_min_u64(end, c->holes[low].from);
    }
    uint64_t in_ring = CONSOLE_CAPACITY - v->at % CONSOLE_CAPACITY;
    return (size_t)util_min_u64(end - v->at, in_ring);
}

/* Where a viewer's output ends for now. */
static uint64_t viewer_end(const console_viewer_t *v)
{
    const console_t *c = v->console;
    uint64_t end = v->desc.kind == CONSOLE_TERMINAL ? console_safe(c) : c->head;
    return end > v->at ? end : v->at;
}

static size_t viewer_take_repaint(console_viewer_t *v, uint8_t *data, size_t size)
{
    size_t n = v->repaint_size - v->repaint_at;
    n = n < size ? n : size;
    if (n) {
        memcpy(data, v->repaint + v->repaint_at, n);
        v->repaint_at += n;
    }
    if (v->repaint && v->repaint_at == v->repaint_size) {
        free(v->repaint);
        v->repaint = NULL;
        v->repaint_size = v->repaint_at = 0;
    }
    return n;
}

size_t console_take(console_viewer_t *v, void *data, size_t size)
{
    console_t *c = v->console;
    uint8_t *bytes = data;
    size_t done = 0, n;
    if (v->desc.kind == CONSOLE_CELLS) {
        return 0;
    }
    console_acquire(c);
    if (v->stale && v->shown) {
        viewer_refresh(v);
    }
    if (v->shown && !v->stale) {
        done = viewer_take_repaint(v, bytes, size);
        uint64_t end = viewer_end(v);
        while (done < size && (n = viewer_piece(v, end)) != 0) {
            n = n < size - done ? n : size - done;
            memcpy(bytes + done, c->out + v->at % CONSOLE_CAPACITY, n);
            v->at += n;
            done += n;
        }
        c->had = c->channel ? util_max_u64(c->had, v->at) : 0;
    }
    v->hungry |= done < size;
    console_freed_room(c);
    console_leave(c);
    return done;
}

size_t console_pending(console_viewer_t *v)
{
    console_t *c = v->console;
    if (v->desc.kind == CONSOLE_CELLS) {
        return 0;
    }
    console_acquire(c);
    size_t left = v->repaint_size - v->repaint_at + (size_t)(viewer_end(v) - v->at) + v->stale;
    left = v->shown ? left : 0;
    host_mutex_unlock(c->lock);
    return left;
}

void console_show(console_viewer_t *v, bool shown)
{
    console_t *c = v->console;
    console_acquire(c);
    if (v->shown != shown) {
        v->shown = shown;
        v->stale = v->desc.kind == CONSOLE_TERMINAL;
        v->at = util_max_u64(v->at, console_oldest(c));
        v->repaint_size = v->repaint_at = 0;
        free(v->repaint);
        v->repaint = NULL;
        v->bits |= shown ? CONSOLE_OUTPUT : 0;
        console_freed_room(c);
    }
    console_leave(c);
}

/* --- Input --- */

size_t console_type(console_viewer_t *v, const void *data, size_t size)
{
    console_t *c = v->console;
    console_acquire(c);
    size_t room = c->in.size < CONSOLE_BUFFER ? CONSOLE_BUFFER - c->in.size : 0;
    size_t n = size < room ? size : room;
    if (n && !console_queue_input(c, data, n, CONSOLE_BUFFER)) {
        n = 0;
    }
    v->refused |= n < size;
    console_leave(c);
    return n;
}

/* Between these two, what the VT replies is what a person typed. NULL: a channel has no keys. */
static vt_t *viewer_begin_keys(console_viewer_t *v)
{
    console_acquire(v->console);
    v->console->keying = true;
    return v->console->vt;
}

static void viewer_end_keys(console_viewer_t *v)
{
    v->console->keying = false;
    console_leave(v->console);
}

void console_key(console_viewer_t *v, uint32_t key, unsigned mods)
{
    vt_t *vt = viewer_begin_keys(v);
    if (vt) {
        vt_key(vt, key, mods);
    }
    viewer_end_keys(v);
}

/* The VT makes no more of a text than it is, but for the marks at its ends. */
bool console_paste(console_viewer_t *v, const char *text, size_t size)
{
    console_t *c = v->console;
    vt_t *vt = viewer_begin_keys(v);
    bool fits = vt && size <= CONSOLE_KEYS_MAX - PASTE_MARKS &&
                c->in.size <= CONSOLE_KEYS_MAX - PASTE_MARKS - size &&
                ring_reserve(&c->in, size + PASTE_MARKS);
    if (fits) {
        vt_paste(vt, text, size);
    }
    viewer_end_keys(v);
    return fits;
}

void console_focus(console_viewer_t *v, bool in)
{
    vt_t *vt = viewer_begin_keys(v);
    if (vt) {
        vt_focus(vt, in);
    }
    viewer_end_keys(v);
}

bool console_mouse(console_viewer_t *v, vt_mouse_action_t action, unsigned button, unsigned col,
                   unsigned row, unsigned x, unsigned y, unsigned mods)
{
    vt_t *vt = viewer_begin_keys(v);
    bool told = vt && vt_mouse(vt, action, button, col, row, x, y, mods);
    viewer_end_keys(v);
    return told;
}

void console_answer_clipboard(console_viewer_t *v, char which, const char *base64, size_t size)
{
    vt_t *vt = viewer_begin_keys(v);
    if (vt) {
        vt_clipboard_answer(vt, which, base64, size);
    }
    viewer_end_keys(v);
}

/* --- Cells --- */

vt_t *console_lock(console_viewer_t *v, bool *dirty)
{
    console_t *c = v->console;
    console_acquire(c);
    for (unsigned row = 0; c->vt && row < c->rows; row++) {
        for (console_viewer_t *w = vt_dirty(c->vt, row) ? c->viewers : NULL; w; w = w->next) {
            w->dirty[row] = true;
        }
    }
    if (c->vt) {
        vt_clean(c->vt);
    }
    if (dirty) {
        memcpy(dirty, v->dirty, sizeof(v->dirty));
    }
    memset(v->dirty, 0, sizeof(v->dirty));
    v->hungry = true;
    return c->vt;
}

void console_unlock(console_viewer_t *v)
{
    host_mutex_unlock(v->console->lock);
}
