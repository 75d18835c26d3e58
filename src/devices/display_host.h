/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A screen: what a device that draws (virtio-gpu, the simple framebuffer) needs of whatever shows
 * its pixels (src/frontends/display.c; a window of RVVM's), and what it hears from there.
 *
 * Pixels are words of 32 bits, 0xXXRRGGBB, in rows of any stride; X is ignored. They belong to the
 * device and are copied before a call returns: nobody who looks at a screen reads guest memory.
 */
#ifndef RVKIT_DEVICES_DISPLAY_HOST_H
#define RVKIT_DEVICES_DISPLAY_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The largest screen: pixels of a side, and of the whole. */
#define DISPLAY_SIDE_MAX 8192
#define DISPLAY_PIXELS_MAX (1u << 24)

/* Pixels of a side of a cursor's image. */
#define DISPLAY_CURSOR_SIDE 64

/* The device, as the screen calls it: any thread, without the screen's locks. */
typedef struct {
    void *opaque;
    /* Who looks at it would like this size, in pixels; 0, 0: nobody looks any more. A wish: the
     * device may set another mode, or none. */
    void (*resize)(void *opaque, uint32_t width, uint32_t height);
} display_guest_t;

/*
 * The screen, as the device calls it: from any thread, one call at a time, also with the device's
 * lock held. None of these calls the device, except for attach. All are required.
 */
typedef struct {
    void *opaque;

    /* The first call; resize() may come from here on, during it too: without the device's lock. */
    void (*attach)(void *opaque, const display_guest_t *guest);

    /*
     * The screen has this size from now on, and is black; 0, 0: it is off. False, with the screen
     * as it was: too large, or no memory.
     */
    bool (*set_mode)(void *opaque, uint32_t width, uint32_t height);

    /* A rectangle has these pixels; what lies outside of the screen is ignored. stride: bytes. */
    void (*update)(void *opaque, uint32_t x, uint32_t y, uint32_t width, uint32_t height,
                   const void *pixels, size_t stride);

    /*
     * The cursor's image, DISPLAY_CURSOR_SIDE squared words 0xAARRGGBB without gaps, its colours
     * multiplied by alpha, and the pixel of it that points. NULL: it has none, and does not show.
     */
    void (*cursor)(void *opaque, const uint32_t *image, uint32_t hot_x, uint32_t hot_y);

    /* Where the cursor points to, in pixels of the screen; may lie outside. */
    void (*move_cursor)(void *opaque, int32_t x, int32_t y);

    /* The last call, without the device's lock: resize() neither runs nor comes any more after it.
     */
    void (*free)(void *opaque);
} display_host_t;

/* A size that a screen can have. */
static inline bool display_size_ok(uint32_t width, uint32_t height)
{
    return width && height && width <= DISPLAY_SIDE_MAX && height <= DISPLAY_SIDE_MAX &&
           (uint64_t)width * height <= DISPLAY_PIXELS_MAX;
}

#endif
