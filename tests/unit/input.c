/* SPDX-License-Identifier: MPL-2.0 */
/* The input hub: what sources do reaches sinks once and in order, and nothing stays pressed. */
#include "frontends/input.h"

#include "host/thread.h"
#include "tap.h"

#include <stdlib.h>

/* A sink that records: the headless end of the seam. */
typedef struct {
    input_host_t host;
    input_event_t event[4096];
    unsigned count;
} recorder_t;

static input_t *input;
static recorder_t keys, mouse, tablet, touch;

static void record(void *opaque, const input_event_t *event)
{
    recorder_t *r = opaque;
    if (r->count < 4096) {
        r->event[r->count] = *event;
    }
    r->count++;
}

static void recorder_up(recorder_t *r, unsigned kinds)
{
    const input_guest_t guest = {.opaque = r, .event = record};
    memset(r, 0, sizeof(*r));
    r->host = input_host(input);
    r->host.attach(r->host.opaque, kinds, &guest);
}

static void up(void)
{
    input = input_new();
    recorder_up(&keys, INPUT_KEYBOARD);
    recorder_up(&mouse, INPUT_MOUSE);
    recorder_up(&tablet, INPUT_TABLET);
    recorder_up(&touch, INPUT_TOUCH);
}

static void down(void)
{
    keys.host.free(keys.host.opaque);
    mouse.host.free(mouse.host.opaque);
    tablet.host.free(tablet.host.opaque);
    touch.host.free(touch.host.opaque);
    input_close(input);
}

/* The newest event of a recorder is this one, and there are so many. */
static bool is(const recorder_t *r, unsigned count, input_event_type_t type, unsigned code,
               bool pressed, int32_t x, int32_t y)
{
    const input_event_t *e = &r->event[count - 1];
    return r->count == count && e->type == type && e->code == code && e->down == pressed &&
           e->x == x && e->y == y;
}

TEST(pressed_keys)
{
    up();
    input_source_t *source = input_source_new(input);
    input_key(source, 4, true);
    CHECK(is(&keys, 1, INPUT_EV_KEY, 4, true, 0, 0));
    input_key(source, 4, true); /* a repeat */
    CHECK_EQ(1, keys.count);
    input_key(source, 4, false);
    CHECK(is(&keys, 2, INPUT_EV_KEY, 4, false, 0, 0));
    input_key(source, 4, false);
    input_key(source, 3, true);
    input_key(source, 256, true);
    input_key(source, UINT32_MAX, true);
    CHECK_EQ(2, keys.count);
    CHECK_EQ(0, mouse.count + tablet.count + touch.count);
    input_source_free(source);
    CHECK_EQ(2, keys.count);
    down();
}

TEST(lost_focus)
{
    up();
    input_source_t *source = input_source_new(input);
    input_key(source, 0xE0, true);
    input_key(source, 0x06, true);
    input_move(source, 1, 1);
    input_button(source, INPUT_LEFT, true);
    input_touch(source, 3, true, 100, 200);
    input_leave(source);
    CHECK_EQ(4, keys.count);
    CHECK(!keys.event[2].down && !keys.event[3].down);
    CHECK(is(&mouse, 3, INPUT_EV_BUTTON, INPUT_LEFT, false, 0, 0));
    CHECK(is(&touch, 2, INPUT_EV_TOUCH, 3, false, 100, 200));
    input_key(source, 0x06, false); /* comes late, from the window system */
    CHECK_EQ(4, keys.count);
    input_key(source, 0x06, true);
    input_source_free(source); /* goes away */
    CHECK(is(&keys, 6, INPUT_EV_KEY, 0x06, false, 0, 0));
    down();
}

TEST(two_sources)
{
    up();
    input_source_t *a = input_source_new(input), *b = input_source_new(input);
    input_key(a, 10, true);
    input_key(b, 10, true);
    CHECK_EQ(1, keys.count);
    input_leave(a);
    CHECK_EQ(1, keys.count);
    input_key(b, 10, false);
    CHECK(is(&keys, 2, INPUT_EV_KEY, 10, false, 0, 0));
    input_place(a, 1, 1);
    input_place(b, 1, 1);
    input_button(a, INPUT_LEFT, true);
    input_button(b, INPUT_LEFT, true);
    input_button(b, INPUT_LEFT, false);
    CHECK(is(&tablet, 3, INPUT_EV_BUTTON, INPUT_LEFT, true, 0, 0));
    input_source_free(a);
    CHECK(is(&tablet, 4, INPUT_EV_BUTTON, INPUT_LEFT, false, 0, 0));
    input_source_free(b);
    down();
}

TEST(pointers)
{
    up();
    input_source_t *source = input_source_new(input);
    input_move(source, -3, 4);
    CHECK(is(&mouse, 1, INPUT_EV_MOVE, 0, false, -3, 4));
    input_move(source, 0, 0);
    input_button(source, INPUT_RIGHT, true);
    CHECK(is(&mouse, 2, INPUT_EV_BUTTON, INPUT_RIGHT, true, 0, 0));
    input_place(source, -5, INPUT_PLACE_MAX + 5);
    CHECK(is(&tablet, 1, INPUT_EV_PLACE, 0, false, 0, INPUT_PLACE_MAX));
    input_wheel(source, 0, -INPUT_NOTCH);
    CHECK(is(&tablet, 2, INPUT_EV_WHEEL, 0, false, 0, -INPUT_NOTCH));
    input_button(source, INPUT_RIGHT, false); /* goes where the press went */
    CHECK(is(&mouse, 3, INPUT_EV_BUTTON, INPUT_RIGHT, false, 0, 0));
    input_button(source, INPUT_EXTRA, true);
    CHECK(is(&tablet, 3, INPUT_EV_BUTTON, INPUT_EXTRA, true, 0, 0));
    input_button(source, 3, true); /* two at once are none */
    input_button(source, 32, true);
    input_button(source, 0, true);
    CHECK_EQ(3, tablet.count);
    input_source_free(source);
    down();
}

/* With only a mouse, the buttons of a source that places go there. */
TEST(only_a_mouse)
{
    up();
    tablet.host.free(tablet.host.opaque);
    CHECK_EQ(INPUT_KEYBOARD | INPUT_MOUSE | INPUT_TOUCH, input_kinds(input));
    input_source_t *source = input_source_new(input);
    input_place(source, 5, 5);
    input_button(source, INPUT_LEFT, true);
    CHECK(is(&mouse, 1, INPUT_EV_BUTTON, INPUT_LEFT, true, 0, 0));
    CHECK_EQ(0, tablet.count);
    input_source_free(source);
    CHECK(is(&mouse, 2, INPUT_EV_BUTTON, INPUT_LEFT, false, 0, 0));
    tablet.host = input_host(input);
    down();
}

TEST(fingers)
{
    up();
    input_source_t *source = input_source_new(input);
    input_touch(source, 0, true, 10, 20);
    input_touch(source, 1, true, 30, 40);
    input_touch(source, 0, true, 11, 21);
    CHECK(is(&touch, 3, INPUT_EV_TOUCH, 0, true, 11, 21));
    input_touch(source, 1, false, 30, 40);
    input_touch(source, 2, false, 0, 0);
    input_touch(source, INPUT_SLOTS, true, 0, 0);
    CHECK(is(&touch, 4, INPUT_EV_TOUCH, 1, false, 30, 40));
    input_source_free(source);
    CHECK(is(&touch, 5, INPUT_EV_TOUCH, 0, false, 11, 21));
    down();
}

TEST(lights)
{
    up();
    CHECK_EQ(0, input_leds(input));
    keys.host.leds(keys.host.opaque, INPUT_LED_CAPS);
    CHECK_EQ(INPUT_LED_CAPS, input_leds(input));
    down();
}

TEST(many_sinks)
{
    static recorder_t more[INPUT_SINKS_MAX];
    up();
    for (unsigned i = 0; i < INPUT_SINKS_MAX; i++) {
        recorder_up(&more[i], INPUT_KEYBOARD);
    }
    input_source_t *source = input_source_new(input);
    input_key(source, 5, true);
    CHECK_EQ(1, more[INPUT_SINKS_MAX - 5].count);
    CHECK_EQ(0, more[INPUT_SINKS_MAX - 4].count); /* too late */
    input_source_free(source);
    for (unsigned i = 0; i < INPUT_SINKS_MAX; i++) {
        more[i].host.free(more[i].host.opaque);
    }
    input_close(input); /* the devices have it longer than the front end */
    input = NULL;
    keys.host.free(keys.host.opaque);
    mouse.host.free(mouse.host.opaque);
    tablet.host.free(tablet.host.opaque);
    touch.host.free(touch.host.opaque);
}

static void typist(void *arg)
{
    input_source_t *source = input_source_new(input);
    for (unsigned i = 0; i < 500; i++) {
        input_key(source, 4 + (i + *(unsigned *)arg) % 50, i / 50 % 2 == 0);
    }
    input_source_free(source);
}

/* Two type at once: each key's events alternate, and all end up released. */
TEST(threads)
{
    static unsigned seed[2] = {0, 25};
    static bool held[INPUT_KEYS];
    if (!host_threads_available()) {
        return;
    }
    up();
    memset(held, 0, sizeof(held));
    host_thread_t *a = host_thread_create(typist, &seed[0]),
                  *b = host_thread_create(typist, &seed[1]);
    host_thread_join(a);
    host_thread_join(b);
    CHECK(keys.count >= 500 && keys.count <= 1000);
    for (unsigned i = 0; i < keys.count && i < 4096; i++) {
        CHECK(held[keys.event[i].code] != keys.event[i].down);
        held[keys.event[i].code] = keys.event[i].down;
    }
    CHECK(!memchr(held, 1, sizeof(held)));
    down();
}

int main(void)
{
    RUN(pressed_keys);
    RUN(lost_focus);
    RUN(two_sources);
    RUN(pointers);
    RUN(only_a_mouse);
    RUN(fingers);
    RUN(lights);
    RUN(many_sinks);
    RUN(threads);
    return tap_finish();
}
