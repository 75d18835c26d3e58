/* SPDX-License-Identifier: MPL-2.0 */
#include "console_link.h"

#include "pump.h"

#include "../host/clock.h"

#include <stdlib.h>
#include <string.h>

#define LINK_CHUNK 4096
/* A back end that takes nothing for so long will not take the last output either. */
#define LINK_PATIENCE_NS UINT64_C(1000000000)
#define LINK_LOOK_NS UINT64_C(1000000)
/* A window is looked at about four times a second. */
#define LINK_SIZE_TURNS 16

/* Bytes on their way in one direction; size is atomic for console_unlink(). */
typedef struct {
    pump_t pump;
    uint8_t data[LINK_CHUNK];
    size_t at, size;
} link_way_t;

struct console_link {
    console_link_desc_t desc;
    console_viewer_t *viewer;
    unsigned turns; /* updates until the window is looked at */
    uint16_t cols, rows;
    link_way_t out, in;
    uint64_t moved; /* bytes to the back end; atomic */
};

/* One move; false: nothing more can be moved now. */
static bool link_move_out(void *opaque)
{
    console_link_t *l = opaque;
    link_way_t *way = &l->out;
    if (!way->size) {
        way->at = 0;
        __atomic_store_n(&way->size, console_take(l->viewer, way->data, LINK_CHUNK),
                         __ATOMIC_RELEASE);
    }
    size_t n =
        way->size ? chardev_write(l->desc.backend, way->data + way->at, way->size - way->at) : 0;
    way->at += n;
    __atomic_fetch_add(&l->moved, n, __ATOMIC_RELAXED);
    if (way->at == way->size) {
        __atomic_store_n(&way->size, 0, __ATOMIC_RELEASE);
    }
    return n != 0;
}

static bool link_move_in(void *opaque)
{
    console_link_t *l = opaque;
    link_way_t *way = &l->in;
    if (way->at == way->size) {
        way->at = 0;
        way->size = chardev_read(l->desc.backend, way->data, LINK_CHUNK);
    }
    size_t n =
        way->size > way->at ? console_type(l->viewer, way->data + way->at, way->size - way->at) : 0;
    way->at += n;
    return n != 0;
}

/* From the console. The viewer is told before console_link() knows it. */
static void link_on_console(void *opaque, unsigned bits)
{
    console_link_t *l = opaque;
    if (!__atomic_load_n(&l->viewer, __ATOMIC_ACQUIRE)) {
        return;
    }
    if (bits & CONSOLE_OUTPUT) {
        pump_run(&l->out.pump, link_move_out, l);
    }
    if (bits & CONSOLE_ROOM) {
        pump_run(&l->in.pump, link_move_in, l);
    }
}

/* From the back end. */
static void link_on_backend(void *opaque, uint32_t flags)
{
    console_link_t *l = opaque;
    if (!__atomic_load_n(&l->viewer, __ATOMIC_ACQUIRE)) {
        return;
    }
    if (flags & CHARDEV_RX) {
        pump_run(&l->in.pump, link_move_in, l);
    }
    if (flags & CHARDEV_TX) {
        pump_run(&l->out.pump, link_move_out, l);
    }
}

static void link_update(void *opaque)
{
    console_link_t *l = opaque;
    uint16_t cols, rows;
    chardev_update(l->desc.backend);
    if (l->desc.size && l->turns-- == 0) {
        l->turns = LINK_SIZE_TURNS;
        if (l->desc.size(l->desc.backend, &cols, &rows) && (cols != l->cols || rows != l->rows)) {
            l->cols = cols;
            l->rows = rows;
            console_resize(l->viewer, cols, rows);
        }
    }
}

static void link_free(console_link_t *l)
{
    chardev_free(l->desc.backend);
    free(l);
}

console_link_t *console_link(console_t *console, const console_link_desc_t *desc)
{
    chardev_t *backend = desc->backend;
    console_link_t *l = calloc(1, sizeof(*l));
    if (!l) {
        chardev_free(backend);
        return NULL;
    }
    l->desc = *desc;
    const console_viewer_desc_t view = {
        .kind = CONSOLE_BYTES,
        .wait = true,
        .told = link_on_console,
        .update = link_update,
        .opaque = l,
    };
    console_viewer_t *viewer = console_attach(console, &view);
    if (!viewer) {
        link_free(l);
        return NULL;
    }
    if (backend) {
        backend->io_dev = l;
        backend->notify = link_on_backend;
    }
    __atomic_store_n(&l->viewer, viewer, __ATOMIC_RELEASE);
    pump_run(&l->out.pump, link_move_out, l);
    pump_run(&l->in.pump, link_move_in, l);
    return l;
}

/* Whether output is on its way still. */
static bool link_has_output(console_link_t *l)
{
    return console_pending(l->viewer) || __atomic_load_n(&l->out.size, __ATOMIC_ACQUIRE);
}

void console_unlink(console_link_t *l)
{
    if (!l) {
        return;
    }
    uint64_t moved = __atomic_load_n(&l->moved, __ATOMIC_RELAXED), since = host_clock_ns();
    while (link_has_output(l) && (l->desc.stubborn || host_clock_ns() - since < LINK_PATIENCE_NS)) {
        pump_run(&l->out.pump, link_move_out, l);
        uint64_t now = __atomic_load_n(&l->moved, __ATOMIC_RELAXED);
        if (now != moved) {
            moved = now;
            since = host_clock_ns();
        } else {
            host_sleep_ns(LINK_LOOK_NS);
        }
    }
    /* The back end first: until it is freed its threads may type. */
    chardev_free(l->desc.backend);
    console_detach(l->viewer);
    free(l);
}
