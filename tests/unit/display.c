/* SPDX-License-Identifier: MPL-2.0 */
/* Displays: what viewers see of what a device draws, early and late, fast and slow, and the way
 * back. */
#include "frontends/display.h"

#include "host/clock.h"
#include "host/thread.h"
#include "tap.h"

#include <stdlib.h>

static display_t *display;
static display_host_t host;
static unsigned wakes; /* atomic */
static uint32_t asked_width, asked_height;
static unsigned asked;

static void wake(void *opaque)
{
    __atomic_fetch_add((unsigned *)opaque, 1, __ATOMIC_SEQ_CST);
}

static void resize(void *opaque, uint32_t width, uint32_t height)
{
    ++*(unsigned *)opaque;
    asked_width = width;
    asked_height = height;
}

static void up(void)
{
    const display_guest_t guest = {.opaque = &asked, .resize = resize};
    wakes = asked = 0;
    display = display_new("test");
    host = display_host(display);
    host.attach(host.opaque, &guest);
}

static void down(void)
{
    host.free(host.opaque);
    display_close(display);
}

/* A rectangle of one colour. */
static void paint(uint32_t x, uint32_t y, uint32_t width, uint32_t height, uint32_t colour)
{
    uint32_t *pixels = malloc((size_t)width * height * 4);
    for (size_t i = 0; pixels && i < (size_t)width * height; i++) {
        pixels[i] = colour;
    }
    host.update(host.opaque, x, y, width, height, pixels, (size_t)width * 4);
    free(pixels);
}

static display_view_t look(display_viewer_t *viewer)
{
    display_view_t view;
    display_begin(viewer, &view);
    display_end(viewer);
    return view;
}

static uint32_t pixel(uint32_t x, uint32_t y)
{
    uint32_t width, height;
    uint32_t *copy = display_copy(display, true, &width, &height);
    uint32_t value = copy && x < width && y < height ? copy[(size_t)y * width + x] : 0xBAD;
    free(copy);
    return value;
}

TEST(off)
{
    uint32_t width = 1, height = 1;
    up();
    display_viewer_t *viewer = display_attach(display, wake, &wakes);
    display_view_t view = look(viewer);
    CHECK(!strcmp(display_name(display), "test"));
    CHECK(!view.pixels && !view.width && !view.damage_count);
    display_size(display, &width, &height);
    CHECK(!width && !height);
    CHECK(!display_copy(display, false, &width, &height));
    CHECK(!display_write_ppm(display, false, stdout));
    paint(0, 0, 8, 8, 1); /* nowhere to draw */
    CHECK_EQ(0, look(viewer).events);
    display_detach(viewer);
    down();
}

TEST(modes)
{
    up();
    display_viewer_t *viewer = display_attach(display, wake, &wakes);
    look(viewer);
    CHECK(host.set_mode(host.opaque, 640, 480));
    display_view_t view = look(viewer);
    CHECK_EQ(DISPLAY_MODE | DISPLAY_DAMAGE, view.events);
    CHECK_EQ(640, view.width);
    CHECK_EQ(480, view.height);
    CHECK_EQ(640 * 4, view.stride);
    CHECK(view.damage_count == 1 && view.damage[0].width == 640 && view.damage[0].height == 480);
    CHECK_EQ(0, pixel(639, 479));
    CHECK(!host.set_mode(host.opaque, DISPLAY_SIDE_MAX + 1, 1));
    CHECK(!host.set_mode(host.opaque, DISPLAY_SIDE_MAX, DISPLAY_SIDE_MAX));
    CHECK(!host.set_mode(host.opaque, 0, 1));
    CHECK(look(viewer).width == 640 && !look(viewer).events);
    CHECK(host.set_mode(host.opaque, 0, 0));
    view = look(viewer);
    CHECK(view.events == DISPLAY_MODE && !view.pixels && !view.damage_count);
    display_detach(viewer);
    down();
}

TEST(damage)
{
    up();
    host.set_mode(host.opaque, 100, 50);
    display_viewer_t *viewer = display_attach(display, wake, &wakes);
    look(viewer);
    CHECK_EQ(0, look(viewer).events);
    paint(10, 20, 5, 6, 0xFF123456);
    display_view_t view = look(viewer);
    CHECK_EQ(DISPLAY_DAMAGE, view.events);
    CHECK_EQ(1, view.damage_count);
    CHECK(view.damage[0].x == 10 && view.damage[0].y == 20 && view.damage[0].width == 5 &&
          view.damage[0].height == 6);
    CHECK_EQ(0x123456, pixel(14, 25) & 0xFFFFFF);
    CHECK_EQ(0, pixel(15, 25));
    CHECK_EQ(0, pixel(14, 26));
    paint(95, 45, 20, 20, 7); /* over the edge */
    view = look(viewer);
    CHECK(view.damage[0].width == 5 && view.damage[0].height == 5);
    CHECK_EQ(7, pixel(99, 49));
    paint(100, 0, 5, 5, 7);
    paint(UINT32_MAX, UINT32_MAX, 5, 5, 7);
    CHECK_EQ(0, look(viewer).events);
    display_detach(viewer);
    down();
}

/* Rectangles of a viewer who does not look merge; together they still cover all that changed. */
TEST(slow_viewer)
{
    static uint8_t stale[64 * 64];
    up();
    host.set_mode(host.opaque, 64, 64);
    display_viewer_t *viewer = display_attach(display, wake, &wakes);
    look(viewer);
    uint32_t seed = 1;
    for (unsigned round = 0; round < 200; round++) {
        memset(stale, 0, sizeof(stale));
        for (unsigned i = 0; i < 1 + round % 40; i++) {
            seed = seed * 1664525 + 1013904223;
            uint32_t x = seed >> 8 & 63, y = seed >> 16 & 63, w = 1 + (seed >> 22 & 7),
                     h = 1 + (seed >> 26 & 7);
            paint(x, y, w, h, seed);
            for (uint32_t at = 0; at < w * h; at++) {
                if (x + at % w < 64 && y + at / w < 64) {
                    stale[(y + at / w) * 64 + x + at % w] = 1;
                }
            }
        }
        display_view_t view = look(viewer);
        CHECK(view.damage_count >= 1 && view.damage_count <= DISPLAY_DAMAGE_MAX);
        for (unsigned i = 0; i < view.damage_count; i++) {
            display_rect_t r = view.damage[i];
            CHECK(r.x + r.width <= 64 && r.y + r.height <= 64);
            for (uint32_t at = 0; at < r.width * r.height; at++) {
                stale[(r.y + at / r.width) * 64 + r.x + at % r.width] = 0;
            }
        }
        CHECK(!memchr(stale, 1, sizeof(stale)));
    }
    display_detach(viewer);
    down();
}

TEST(two_viewers)
{
    up();
    host.set_mode(host.opaque, 32, 32);
    display_viewer_t *a = display_attach(display, wake, &wakes);
    look(a);
    paint(0, 0, 4, 4, 5);
    display_viewer_t *late = display_attach(display, NULL, NULL);
    display_view_t view = look(late);
    CHECK(view.damage_count == 1 && view.damage[0].width == 32 && view.damage[0].height == 32);
    CHECK_EQ(4, look(a).damage[0].width);
    paint(8, 8, 2, 2, 6);
    CHECK_EQ(2, look(late).damage[0].width);
    display_detach(late);
    paint(0, 0, 1, 1, 9);
    CHECK_EQ(DISPLAY_DAMAGE, look(a).events);
    display_detach(a);
    down();
}

TEST(wake_once)
{
    up();
    display_viewer_t *viewer = display_attach(display, wake, &wakes);
    host.set_mode(host.opaque, 32, 32);
    CHECK_EQ(0, wakes); /* it has not looked yet */
    look(viewer);
    paint(0, 0, 1, 1, 1);
    paint(5, 5, 1, 1, 1);
    CHECK_EQ(1, wakes);
    look(viewer);
    host.move_cursor(host.opaque, 3, 3);
    CHECK_EQ(2, wakes);
    look(viewer);
    host.move_cursor(host.opaque, 3, 3); /* nothing new */
    CHECK_EQ(2, wakes);
    display_detach(viewer);
    down();
}

TEST(cursor)
{
    static uint32_t image[DISPLAY_CURSOR_SIDE * DISPLAY_CURSOR_SIDE];
    up();
    host.set_mode(host.opaque, 32, 32);
    display_viewer_t *viewer = display_attach(display, wake, &wakes);
    CHECK(look(viewer).events & DISPLAY_CURSOR);
    paint(0, 0, 32, 32, 0x204060);
    image[0] = 0xFFFF0000;
    image[1] = 0x80008000; /* half green */
    host.cursor(host.opaque, image, 1, 0);
    host.move_cursor(host.opaque, 11, 5);
    display_view_t view;
    display_begin(viewer, &view);
    CHECK_EQ(DISPLAY_CURSOR | DISPLAY_POINTER | DISPLAY_DAMAGE, view.events);
    CHECK(view.cursor.x == 11 && view.cursor.y == 5 && view.cursor.hot_x == 1 && view.cursor.image);
    display_end(viewer);
    CHECK_EQ(0xFF0000, pixel(10, 5));
    CHECK_EQ(0x10A030, pixel(11, 5));
    CHECK_EQ(0x204060, pixel(12, 5));
    uint64_t hash = display_hash(display);
    host.move_cursor(host.opaque, -60, -60);
    CHECK_EQ(hash, display_hash(display));
    host.move_cursor(host.opaque, INT32_MIN, INT32_MAX);
    CHECK_EQ(0x204060, pixel(0, 0));
    host.cursor(host.opaque, NULL, 0, 0);
    CHECK(!look(viewer).cursor.image);
    display_detach(viewer);
    down();
}

TEST(hash)
{
    up();
    host.set_mode(host.opaque, 16, 16);
    uint64_t blank = display_hash(display);
    paint(3, 3, 1, 1, 1);
    uint64_t dot = display_hash(display);
    CHECK(blank != dot);
    paint(3, 3, 1, 1, 0xFF000001); /* X does not count */
    CHECK_EQ(dot, display_hash(display));
    paint(3, 3, 1, 1, 0);
    CHECK_EQ(blank, display_hash(display));
    host.set_mode(host.opaque, 8, 32);
    CHECK(blank != display_hash(display));
    down();
}

TEST(ppm)
{
    uint8_t got[64];
    static const uint8_t want[] = "P6\n2 1\n255\n\x12\x34\x56\x00\x00\x00";
    FILE *file = tmpfile();
    up();
    host.set_mode(host.opaque, 2, 1);
    paint(0, 0, 1, 1, 0x123456);
    CHECK(file && display_write_ppm(display, false, file));
    rewind(file);
    CHECK_EQ(sizeof(want) - 1, fread(got, 1, sizeof(got), file));
    CHECK(!memcmp(got, want, sizeof(want) - 1));
    fclose(file);
    down();
}

TEST(sizes_asked_for)
{
    up();
    CHECK(display_request_size(display, 1024, 768));
    CHECK(asked == 1 && asked_width == 1024 && asked_height == 768);
    CHECK(!display_request_size(display, DISPLAY_SIDE_MAX + 1, 768));
    CHECK(!display_request_size(display, 1024, 0));
    CHECK(display_request_size(display, 0, 0));
    CHECK(asked == 2 && asked_width == 0);
    display_request_size(display, 800, 600);
    host.free(host.opaque);
    display_request_size(display, 640, 480); /* nobody hears it */
    CHECK(asked == 3 && asked_width == 800);
    host = display_host(display);
    const display_guest_t guest = {.opaque = &asked, .resize = resize};
    host.attach(host.opaque, &guest); /* a device that comes later does */
    CHECK(asked == 4 && asked_width == 640 && asked_height == 480);
    down();
}

TEST(gone)
{
    up();
    host.set_mode(host.opaque, 16, 16);
    display_viewer_t *viewer = display_attach(display, wake, &wakes);
    look(viewer);
    host.free(host.opaque);
    CHECK_EQ(1, wakes);
    display_view_t view = look(viewer);
    CHECK(view.events == DISPLAY_GONE && view.pixels);
    display_detach(viewer);
    display_close(display);
}

/* --- Threads: one draws, one changes modes, viewers come and go and check what they are given. ---
 */

static unsigned stop; /* atomic */

static void drawer(void *arg)
{
    uint32_t seed = 7;
    while (!__atomic_load_n(&stop, __ATOMIC_SEQ_CST)) {
        seed = seed * 1664525 + 1013904223;
        if (seed >> 28 == 0) {
            host.set_mode(host.opaque, 16 + (seed >> 8 & 63), 16 + (seed >> 16 & 63));
        } else {
            paint(seed >> 8 & 63, seed >> 16 & 63, 1 + (seed >> 22 & 31), 9, seed);
        }
    }
    (void)arg;
}

static void watcher(void *arg)
{
    uint64_t *sum = arg;
    while (!__atomic_load_n(&stop, __ATOMIC_SEQ_CST)) {
        unsigned mine = 0;
        display_viewer_t *viewer = display_attach(display, wake, &mine);
        for (unsigned i = 0; viewer && i < 20; i++) {
            display_view_t view;
            display_begin(viewer, &view);
            for (unsigned k = 0; k < view.damage_count; k++) {
                display_rect_t r = view.damage[k];
                for (uint32_t at = 0; at < r.width * r.height; at++) {
                    *sum +=
                        view.pixels[(size_t)(r.y + at / r.width) * view.width + r.x + at % r.width];
                }
            }
            display_end(viewer);
            display_request_size(display, 64 + i, 64);
        }
        display_detach(viewer);
    }
}

TEST(threads)
{
    uint64_t sum[2] = {0};
    if (!host_threads_available()) {
        return;
    }
    up();
    stop = 0;
    host_thread_t *thread[3] = {host_thread_create(drawer, NULL),
                                host_thread_create(watcher, &sum[0]),
                                host_thread_create(watcher, &sum[1])};
    host_sleep_ns(200000000);
    __atomic_store_n(&stop, 1, __ATOMIC_SEQ_CST);
    for (unsigned i = 0; i < 3; i++) {
        CHECK(thread[i]);
        host_thread_join(thread[i]);
    }
    CHECK(asked > 0);
    down();
}

int main(void)
{
    RUN(off);
    RUN(modes);
    RUN(damage);
    RUN(slow_viewer);
    RUN(two_viewers);
    RUN(wake_once);
    RUN(cursor);
    RUN(hash);
    RUN(ppm);
    RUN(sizes_asked_for);
    RUN(gone);
    RUN(threads);
    return tap_finish();
}
