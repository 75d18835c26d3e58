/* SPDX-License-Identifier: MPL-2.0 */
/* The input hub: see input.h. One lock guards everything; sinks are called with it held. */
#include "input.h"

#include "../host/thread.h"
#include "../util.h"

#include <stdlib.h>

enum { USAGE_FIRST = 4, BUTTON_COUNT = 5, POINTERS = INPUT_MOUSE | INPUT_TABLET };

typedef struct {
    input_t *input;
    unsigned kinds; /* 0: not attached */
    input_guest_t guest;
} input_sink_t;

struct input_source {
    input_source_t *next;
    input_t *input;
    unsigned pointing; /* INPUT_MOUSE or INPUT_TABLET, which it moved last; 0: neither yet */
    unsigned buttons;  /* held, as a mask */
    uint8_t button_kind[BUTTON_COUNT]; /* where the press went */
    uint8_t key[INPUT_KEYS];           /* held */
    struct {
        bool down;
        int32_t x, y;
    } finger[INPUT_SLOTS];
};

struct input {
    host_mutex_t *lock;
    unsigned holds; /* atomic: the front end, the sinks */
    unsigned leds;  /* atomic */
    input_sink_t *sink[INPUT_SINKS_MAX];
    input_source_t *sources;
    uint16_t key[INPUT_KEYS];         /* by how many sources it is held */
    uint16_t button[2][BUTTON_COUNT]; /* likewise, of mouse and tablet */
    uint16_t finger[INPUT_SLOTS];
};

/* --- Life --- */

static void input_release(input_t *input)
{
    if (!__atomic_sub_fetch(&input->holds, 1, __ATOMIC_ACQ_REL)) {
        host_mutex_free(input->lock);
        free(input);
    }
}

input_t *input_new(void)
{
    input_t *input = calloc(1, sizeof(*input));
    if (!input) {
        return NULL;
    }
    input->holds = 1;
    input->lock = host_mutex_create();
    if (!input->lock) {
        free(input);
        return NULL;
    }
    return input;
}

void input_close(input_t *input)
{
    if (input) {
        input_release(input);
    }
}

/* --- Sinks --- */

static void sink_attach(void *opaque, unsigned kinds, const input_guest_t *guest)
{
    input_sink_t *sink = opaque;
    input_t *input = sink ? sink->input : NULL;
    if (!input) {
        return;
    }
    host_mutex_lock(input->lock);
    for (unsigned i = 0; i < INPUT_SINKS_MAX && !sink->kinds; i++) {
        if (!input->sink[i]) {
            input->sink[i] = sink;
            sink->kinds = kinds;
            sink->guest = *guest;
        }
    }
    host_mutex_unlock(input->lock);
}

static void sink_leds(void *opaque, unsigned leds)
{
    input_sink_t *sink = opaque;
    if (sink) {
        __atomic_store_n(&sink->input->leds, leds, __ATOMIC_RELEASE);
    }
}

static void sink_free(void *opaque)
{
    input_sink_t *sink = opaque;
    if (!sink) {
        return;
    }
    input_t *input = sink->input;
    host_mutex_lock(input->lock);
    for (unsigned i = 0; i < INPUT_SINKS_MAX; i++) {
        if (input->sink[i] == sink) {
            input->sink[i] = NULL;
        }
    }
    host_mutex_unlock(input->lock);
    free(sink);
    input_release(input);
}

/* Without memory, the sink is deaf. */
input_host_t input_host(input_t *input)
{
    input_sink_t *sink = calloc(1, sizeof(*sink));
    if (sink) {
        sink->input = input;
        __atomic_add_fetch(&input->holds, 1, __ATOMIC_ACQ_REL);
    }
    return (input_host_t){
        .opaque = sink, .attach = sink_attach, .leds = sink_leds, .free = sink_free};
}

/* The lock is held. */
static unsigned kinds_of(const input_t *input)
{
    unsigned kinds = 0;
    for (unsigned i = 0; i < INPUT_SINKS_MAX; i++) {
        kinds |= input->sink[i] ? input->sink[i]->kinds : 0;
    }
    return kinds;
}

unsigned input_kinds(input_t *input)
{
    host_mutex_lock(input->lock);
    unsigned kinds = kinds_of(input);
    host_mutex_unlock(input->lock);
    return kinds;
}

unsigned input_leds(input_t *input)
{
    return __atomic_load_n(&input->leds, __ATOMIC_ACQUIRE);
}

/* To all sinks of a kind. The lock is held. */
static void send(input_t *input, unsigned kind, const input_event_t *event)
{
    for (unsigned i = 0; i < INPUT_SINKS_MAX; i++) {
        input_sink_t *sink = input->sink[i];
        if (sink && (sink->kinds & kind)) {
            sink->guest.event(sink->guest.opaque, event);
        }
    }
}

/* --- What sources do. The lock is held. --- */

/* Counts one more or one less holder; true when that is the first, or was the last. */
static bool count(uint16_t *holders, bool down)
{
    *holders = (uint16_t)(*holders + (down ? 1 : -1));
    return down ? *holders == 1 : *holders == 0;
}

static void do_key(input_source_t *source, unsigned usage, bool down)
{
    if (source->key[usage] == down) {
        return;
    }
    source->key[usage] = down;
    if (count(&source->input->key[usage], down)) {
        const input_event_t event = {.type = INPUT_EV_KEY, .code = (uint16_t)usage, .down = down};
        send(source->input, INPUT_KEYBOARD, &event);
    }
}

/* The kind of pointer that the source's buttons and wheel belong to. */
static unsigned pointer_of(const input_source_t *source)
{
    unsigned kinds = kinds_of(source->input) & POINTERS;
    unsigned want = source->pointing ? source->pointing : (unsigned)INPUT_TABLET;
    return kinds && !(kinds & want) ? kinds : want;
}

static void do_button(input_source_t *source, unsigned index, bool down)
{
    unsigned button = 1u << index;
    if (!(source->buttons & button) == !down) {
        return;
    }
    source->buttons ^= button;
    if (down) {
        source->button_kind[index] = (uint8_t)pointer_of(source);
    }
    unsigned kind = source->button_kind[index];
    if (count(&source->input->button[kind == INPUT_TABLET][index], down)) {
        const input_event_t event = {
            .type = INPUT_EV_BUTTON, .code = (uint16_t)button, .down = down};
        send(source->input, kind, &event);
    }
}

static int32_t clamp(int32_t v)
{
    return v < 0 ? 0 : v > INPUT_PLACE_MAX ? INPUT_PLACE_MAX : v;
}

static void do_touch(input_source_t *source, unsigned slot, bool down, int32_t x, int32_t y)
{
    bool was = source->finger[slot].down;
    if (!was && !down) {
        return;
    }
    bool edge = was != down && count(&source->input->finger[slot], down);
    source->finger[slot].down = down;
    source->finger[slot].x = x;
    source->finger[slot].y = y;
    if (down || edge) {
        const input_event_t event = {
            .type = INPUT_EV_TOUCH, .code = (uint16_t)slot, .down = down, .x = x, .y = y};
        send(source->input, INPUT_TOUCH, &event);
    }
}

static void do_leave(input_source_t *source)
{
    for (unsigned usage = 0; usage < INPUT_KEYS; usage++) {
        do_key(source, usage, false);
    }
    for (unsigned i = 0; i < BUTTON_COUNT; i++) {
        do_button(source, i, false);
    }
    for (unsigned slot = 0; slot < INPUT_SLOTS; slot++) {
        do_touch(source, slot, false, source->finger[slot].x, source->finger[slot].y);
    }
}

/* --- Sources --- */

input_source_t *input_source_new(input_t *input)
{
    input_source_t *source = calloc(1, sizeof(*source));
    if (source) {
        source->input = input;
        host_mutex_lock(input->lock);
        source->next = input->sources;
        input->sources = source;
        host_mutex_unlock(input->lock);
    }
    return source;
}

void input_source_free(input_source_t *source)
{
    if (!source) {
        return;
    }
    input_t *input = source->input;
    host_mutex_lock(input->lock);
    do_leave(source);
    input_source_t **at = &input->sources;
    while (*at != source) {
        at = &(*at)->next;
    }
    *at = source->next;
    host_mutex_unlock(input->lock);
    free(source);
}

void input_leave(input_source_t *source)
{
    host_mutex_lock(source->input->lock);
    do_leave(source);
    host_mutex_unlock(source->input->lock);
}

void input_key(input_source_t *source, unsigned usage, bool down)
{
    if (usage >= USAGE_FIRST && usage < INPUT_KEYS) {
        host_mutex_lock(source->input->lock);
        do_key(source, usage, down);
        host_mutex_unlock(source->input->lock);
    }
}

void input_button(input_source_t *source, unsigned button, bool down)
{
    for (unsigned i = 0; i < BUTTON_COUNT; i++) {
        if (button == 1u << i) {
            host_mutex_lock(source->input->lock);
            do_button(source, i, down);
            host_mutex_unlock(source->input->lock);
        }
    }
}

void input_move(input_source_t *source, int32_t dx, int32_t dy)
{
    const input_event_t event = {.type = INPUT_EV_MOVE, .x = dx, .y = dy};
    host_mutex_lock(source->input->lock);
    source->pointing = INPUT_MOUSE;
    if (dx || dy) {
        send(source->input, INPUT_MOUSE, &event);
    }
    host_mutex_unlock(source->input->lock);
}

void input_place(input_source_t *source, int32_t x, int32_t y)
{
    const input_event_t event = {.type = INPUT_EV_PLACE, .x = clamp(x), .y = clamp(y)};
    host_mutex_lock(source->input->lock);
    source->pointing = INPUT_TABLET;
    send(source->input, INPUT_TABLET, &event);
    host_mutex_unlock(source->input->lock);
}

void input_wheel(input_source_t *source, int32_t dx, int32_t dy)
{
    const input_event_t event = {.type = INPUT_EV_WHEEL, .x = dx, .y = dy};
    host_mutex_lock(source->input->lock);
    if (dx || dy) {
        send(source->input, pointer_of(source), &event);
    }
    host_mutex_unlock(source->input->lock);
}

void input_touch(input_source_t *source, unsigned slot, bool down, int32_t x, int32_t y)
{
    if (slot < INPUT_SLOTS) {
        host_mutex_lock(source->input->lock);
        do_touch(source, slot, down, clamp(x), clamp(y));
        host_mutex_unlock(source->input->lock);
    }
}
