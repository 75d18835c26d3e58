/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Displays: see display.h.
 *
 * Locks, outermost first: `calls` is held while the device (resize) or a viewer (wake) is called,
 * so that neither is taken away meanwhile; `lock` guards all else and is held for copies only. The
 * device may hold its own lock when it calls here, so wake() runs under `wakes`, which is no lock
 * of resize's.
 */
#include "display.h"

#include "../host/thread.h"
#include "../util.h"

#include <stdlib.h>

enum { CURSOR_PIXELS = DISPLAY_CURSOR_SIDE * DISPLAY_CURSOR_SIDE };

struct display_viewer {
    display_viewer_t *next;
    display_t *display;
    void (*wake)(void *opaque);
    void *opaque;
    unsigned events; /* DISPLAY_*, since the last look */
    bool told;       /* wake() was called since */
    unsigned damage_count;
    display_rect_t damage[DISPLAY_DAMAGE_MAX];
};

struct display {
    char *name;
    host_mutex_t *calls; /* guards guest */
    host_mutex_t *wakes; /* with lock: guards the list of viewers */
    host_mutex_t *lock;
    unsigned holds; /* atomic: the front end, the device */
    display_guest_t guest;
    uint32_t wanted_width, wanted_height; /* under calls */
    bool wanted;
    display_viewer_t *viewers;

    uint32_t width, height;
    uint32_t *pixels; /* without gaps; NULL: off */
    bool has_cursor;
    display_cursor_t cursor;
    uint32_t image[CURSOR_PIXELS];
};

/* --- Damage --- */

static uint64_t rect_area(const display_rect_t *r)
{
    return (uint64_t)r->width * r->height;
}

/* The smallest rectangle around both. */
static display_rect_t rect_union(const display_rect_t *a, const display_rect_t *b)
{
    uint32_t right = (uint32_t)util_max_u64(a->x + a->width, b->x + b->width);
    uint32_t bottom = (uint32_t)util_max_u64(a->y + a->height, b->y + b->height);
    display_rect_t r = {.x = (uint32_t)util_min_u64(a->x, b->x),
                        .y = (uint32_t)util_min_u64(a->y, b->y)};
    r.width = right - r.x;
    r.height = bottom - r.y;
    return r;
}

/* What a union draws beyond the two. Below 0: they overlap. */
static int64_t rect_waste(const display_rect_t *a, const display_rect_t *b)
{
    display_rect_t both = rect_union(a, b);
    return (int64_t)rect_area(&both) - (int64_t)rect_area(a) - (int64_t)rect_area(b);
}

/* Merges with whatever costs nothing; when the list is full, with what costs least. */
static void viewer_damage(display_viewer_t *viewer, display_rect_t r)
{
    for (unsigned i = 0; i < viewer->damage_count;) {
        if (rect_waste(&viewer->damage[i], &r) <= 0) {
            r = rect_union(&viewer->damage[i], &r);
            viewer->damage[i] = viewer->damage[--viewer->damage_count];
            i = 0;
        } else {
            i++;
        }
    }
    if (viewer->damage_count < DISPLAY_DAMAGE_MAX) {
        viewer->damage[viewer->damage_count++] = r;
        return;
    }
    unsigned best = 0;
    for (unsigned i = 1; i < DISPLAY_DAMAGE_MAX; i++) {
        if (rect_waste(&viewer->damage[i], &r) < rect_waste(&viewer->damage[best], &r)) {
            best = i;
        }
    }
    viewer->damage[best] = rect_union(&viewer->damage[best], &r);
}

static void viewer_damage_all(display_viewer_t *viewer)
{
    display_t *display = viewer->display;
    viewer->events |= DISPLAY_MODE | (display->pixels ? DISPLAY_DAMAGE : 0);
    viewer->damage_count = display->pixels ? 1 : 0;
    viewer->damage[0] = (display_rect_t){0, 0, display->width, display->height};
}

/* --- Telling --- */

/* The lock is held. */
static void display_mark(display_t *display, unsigned events)
{
    for (display_viewer_t *viewer = display->viewers; viewer; viewer = viewer->next) {
        viewer->events |= events;
    }
}

/* Wakes viewers that have something new and were not told. The lock is not held. */
static void display_wake(display_t *display)
{
    host_mutex_lock(display->wakes);
    for (display_viewer_t *viewer = display->viewers; viewer; viewer = viewer->next) {
        host_mutex_lock(display->lock);
        bool tell = viewer->events && !viewer->told;
        viewer->told |= tell;
        host_mutex_unlock(display->lock);
        if (tell && viewer->wake) {
            viewer->wake(viewer->opaque);
        }
    }
    host_mutex_unlock(display->wakes);
}

/* --- Life --- */

static void display_release(display_t *display)
{
    if (__atomic_sub_fetch(&display->holds, 1, __ATOMIC_ACQ_REL)) {
        return;
    }
    host_mutex_free(display->calls);
    host_mutex_free(display->wakes);
    host_mutex_free(display->lock);
    free(display->pixels);
    free(display->name);
    free(display);
}

display_t *display_new(const char *name)
{
    display_t *display = calloc(1, sizeof(*display));
    if (!display) {
        return NULL;
    }
    display->holds = 1;
    display->calls = host_mutex_create();
    display->wakes = host_mutex_create();
    display->lock = host_mutex_create();
    display->name = malloc(strlen(name) + 1);
    if (!display->calls || !display->wakes || !display->lock || !display->name) {
        display_release(display);
        return NULL;
    }
    memcpy(display->name, name, strlen(name) + 1);
    return display;
}

void display_close(display_t *display)
{
    if (display) {
        display_release(display);
    }
}

const char *display_name(const display_t *display)
{
    return display->name;
}

/* --- The device's side --- */

static void host_attach(void *opaque, const display_guest_t *guest)
{
    display_t *display = opaque;
    host_mutex_lock(display->calls);
    display->guest = *guest;
    if (display->wanted) {
        guest->resize(guest->opaque, display->wanted_width, display->wanted_height);
    }
    host_mutex_unlock(display->calls);
}

static bool host_set_mode(void *opaque, uint32_t width, uint32_t height)
{
    display_t *display = opaque;
    bool off = !width && !height;
    if (!off && !display_size_ok(width, height)) {
        return false;
    }
    uint32_t *pixels = off ? NULL : calloc((size_t)width * height, sizeof(*pixels));
    if (!off && !pixels) {
        return false;
    }
    host_mutex_lock(display->lock);
    uint32_t *old = display->pixels;
    display->pixels = pixels;
    display->width = width;
    display->height = height;
    for (display_viewer_t *viewer = display->viewers; viewer; viewer = viewer->next) {
        viewer_damage_all(viewer);
    }
    host_mutex_unlock(display->lock);
    free(old);
    display_wake(display);
    return true;
}

static void host_update(void *opaque, uint32_t x, uint32_t y, uint32_t width, uint32_t height,
                        const void *pixels, size_t stride)
{
    display_t *display = opaque;
    host_mutex_lock(display->lock);
    if (x < display->width && y < display->height && width && height) {
        display_rect_t r = {x, y, (uint32_t)util_min_u64(width, display->width - x),
                            (uint32_t)util_min_u64(height, display->height - y)};
        for (uint32_t row = 0; row < r.height; row++) {
            memcpy(display->pixels + (size_t)(y + row) * display->width + x,
                   (const uint8_t *)pixels + row * stride, (size_t)r.width * 4);
        }
        for (display_viewer_t *viewer = display->viewers; viewer; viewer = viewer->next) {
            viewer->events |= DISPLAY_DAMAGE;
            viewer_damage(viewer, r);
        }
    }
    host_mutex_unlock(display->lock);
    display_wake(display);
}

static void host_cursor(void *opaque, const uint32_t *image, uint32_t hot_x, uint32_t hot_y)
{
    display_t *display = opaque;
    host_mutex_lock(display->lock);
    display->has_cursor = image != NULL;
    if (image) {
        memcpy(display->image, image, sizeof(display->image));
        display->cursor.hot_x = hot_x;
        display->cursor.hot_y = hot_y;
    }
    display_mark(display, DISPLAY_CURSOR);
    host_mutex_unlock(display->lock);
    display_wake(display);
}

static void host_move_cursor(void *opaque, int32_t x, int32_t y)
{
    display_t *display = opaque;
    host_mutex_lock(display->lock);
    if (display->cursor.x != x || display->cursor.y != y) {
        display->cursor.x = x;
        display->cursor.y = y;
        display_mark(display, DISPLAY_POINTER);
    }
    host_mutex_unlock(display->lock);
    display_wake(display);
}

static void host_free(void *opaque)
{
    display_t *display = opaque;
    host_mutex_lock(display->calls);
    display->guest = (display_guest_t){0};
    host_mutex_unlock(display->calls);
    host_mutex_lock(display->lock);
    display_mark(display, DISPLAY_GONE);
    host_mutex_unlock(display->lock);
    display_wake(display);
    display_release(display);
}

display_host_t display_host(display_t *display)
{
    __atomic_add_fetch(&display->holds, 1, __ATOMIC_ACQ_REL);
    return (display_host_t){
        .opaque = display,
        .attach = host_attach,
        .set_mode = host_set_mode,
        .update = host_update,
        .cursor = host_cursor,
        .move_cursor = host_move_cursor,
        .free = host_free,
    };
}

/* --- The viewers' side --- */

display_viewer_t *display_attach(display_t *display, void (*wake)(void *opaque), void *opaque)
{
    display_viewer_t *viewer = calloc(1, sizeof(*viewer));
    if (!viewer) {
        return NULL;
    }
    viewer->display = display;
    viewer->wake = wake;
    viewer->opaque = opaque;
    host_mutex_lock(display->wakes);
    host_mutex_lock(display->lock);
    viewer_damage_all(viewer);
    viewer->events |= DISPLAY_CURSOR | DISPLAY_POINTER;
    viewer->told = true; /* who attaches looks */
    viewer->next = display->viewers;
    display->viewers = viewer;
    host_mutex_unlock(display->lock);
    host_mutex_unlock(display->wakes);
    return viewer;
}

void display_detach(display_viewer_t *viewer)
{
    display_t *display = viewer->display;
    host_mutex_lock(display->wakes);
    host_mutex_lock(display->lock);
    display_viewer_t **at = &display->viewers;
    while (*at != viewer) {
        at = &(*at)->next;
    }
    *at = viewer->next;
    host_mutex_unlock(display->lock);
    host_mutex_unlock(display->wakes);
    free(viewer);
}

void display_begin(display_viewer_t *viewer, display_view_t *view)
{
    display_t *display = viewer->display;
    host_mutex_lock(display->lock);
    *view = (display_view_t){
        .events = viewer->events,
        .width = display->width,
        .height = display->height,
        .stride = (size_t)display->width * 4,
        .pixels = display->pixels,
        .damage_count = viewer->damage_count,
        .cursor = display->cursor,
    };
    view->cursor.image = display->has_cursor ? display->image : NULL;
    memcpy(view->damage, viewer->damage, viewer->damage_count * sizeof(viewer->damage[0]));
    viewer->events = 0;
    viewer->told = false;
    viewer->damage_count = 0;
}

void display_end(display_viewer_t *viewer)
{
    host_mutex_unlock(viewer->display->lock);
}

bool display_request_size(display_t *display, uint32_t width, uint32_t height)
{
    if ((width || height) && !display_size_ok(width, height)) {
        return false;
    }
    host_mutex_lock(display->calls);
    display->wanted = true;
    display->wanted_width = width;
    display->wanted_height = height;
    if (display->guest.resize) {
        display->guest.resize(display->guest.opaque, width, height);
    }
    host_mutex_unlock(display->calls);
    return true;
}

void display_size(display_t *display, uint32_t *width, uint32_t *height)
{
    host_mutex_lock(display->lock);
    *width = display->width;
    *height = display->height;
    host_mutex_unlock(display->lock);
}

uint64_t display_hash(display_t *display)
{
    const uint64_t prime = UINT64_C(0x100000001b3);
    host_mutex_lock(display->lock);
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    hash = (hash ^ display->width) * prime;
    hash = (hash ^ display->height) * prime;
    for (size_t i = 0; i < (size_t)display->width * display->height; i++) {
        hash = (hash ^ (display->pixels[i] & 0xFFFFFF)) * prime;
        hash ^= hash >> 29;
    }
    host_mutex_unlock(display->lock);
    return hash;
}

/* --- Pictures --- */

/* One pixel of the cursor over one of the screen. */
static uint32_t blend(uint32_t under, uint32_t over)
{
    uint32_t clear = 255 - (over >> 24), out = 0;
    for (unsigned shift = 0; shift < 24; shift += 8) {
        uint32_t sum = (over >> shift & 255) + ((under >> shift & 255) * clear + 127) / 255;
        out |= (sum < 255 ? sum : 255) << shift;
    }
    return out;
}

/* Draws the cursor into a copy of the screen. The lock is held. */
static void draw_cursor(const display_t *display, uint32_t *pixels)
{
    const display_cursor_t *cursor = &display->cursor;
    for (int64_t i = 0; i < CURSOR_PIXELS; i++) {
        int64_t x = cursor->x - (int64_t)cursor->hot_x + i % DISPLAY_CURSOR_SIDE;
        int64_t y = cursor->y - (int64_t)cursor->hot_y + i / DISPLAY_CURSOR_SIDE;
        if (x >= 0 && y >= 0 && x < display->width && y < display->height) {
            uint32_t *at = pixels + y * display->width + x;
            *at = blend(*at, display->image[i]);
        }
    }
}

uint32_t *display_copy(display_t *display, bool cursor, uint32_t *width, uint32_t *height)
{
    host_mutex_lock(display->lock);
    size_t bytes = (size_t)display->width * display->height * 4;
    uint32_t *copy = bytes ? malloc(bytes) : NULL;
    if (copy) {
        memcpy(copy, display->pixels, bytes);
        *width = display->width;
        *height = display->height;
        if (cursor && display->has_cursor) {
            draw_cursor(display, copy);
        }
    }
    host_mutex_unlock(display->lock);
    return copy;
}

bool display_write_ppm(display_t *display, bool cursor, FILE *out)
{
    uint32_t width, height;
    uint32_t *pixels = display_copy(display, cursor, &width, &height);
    uint8_t *row = pixels ? malloc((size_t)width * 3) : NULL;
    bool ok = row && fprintf(out, "P6\n%u %u\n255\n", width, height) > 0;
    for (uint32_t y = 0; ok && y < height; y++) {
        for (uint32_t x = 0; x < width; x++) {
            uint32_t pixel = pixels[(size_t)y * width + x];
            row[3 * x] = (uint8_t)(pixel >> 16);
            row[3 * x + 1] = (uint8_t)(pixel >> 8);
            row[3 * x + 2] = (uint8_t)pixel;
        }
        ok = fwrite(row, 3, width, out) == width;
    }
    free(row);
    free(pixels);
    return ok && fflush(out) == 0;
}
