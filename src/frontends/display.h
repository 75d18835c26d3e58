/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A display: the seam between a guest's screen and those who look at it, any number at a time (a
 * window, a browser, a screenshot, a test). It has a name and owns its pixels: a viewer never reads
 * guest memory, and one that attaches late sees the whole screen at once.
 *
 *   display_t *display = display_new("gpu0");
 *   display_host_t host = display_host(display);             goes into the device
 *   display_viewer_t *viewer = display_attach(display, wake, window);
 *   …                                                        wake(window): something is new
 *   display_view_t view;
 *   display_begin(viewer, &view);
 *   for (unsigned i = 0; i < view.damage_count; i++) … copy that rectangle of view.pixels …
 *   display_end(viewer);
 *   display_detach(viewer);  display_close(display);
 *
 * The device pushes pixels whenever it likes. For each viewer the display remembers what changed
 * since it last looked, merging rectangles when there are many: a slow viewer gets fewer and larger
 * ones, and holds nobody up, except between display_begin() and display_end(), where it should do
 * no more than copy.
 *
 * Threads: every call from any thread; one viewer is used by one thread at a time. wake() is called
 * from the device's threads, once after each look (or attaching) when something is new; it should
 * do no more than wake a thread, and may not call the display.
 */
#ifndef RVKIT_FRONTENDS_DISPLAY_H
#define RVKIT_FRONTENDS_DISPLAY_H

#include "../board.h"

#include <stdio.h>

/* The most rectangles that one look gives. */
#define DISPLAY_DAMAGE_MAX 16

typedef struct display display_t;
typedef struct display_viewer display_viewer_t;

typedef struct {
    uint32_t x, y, width, height; /* pixels */
} display_rect_t;

/* What is new since the last look. */
enum {
    DISPLAY_MODE = 1,    /* another size: all of it is damaged */
    DISPLAY_DAMAGE = 2,  /* pixels */
    DISPLAY_CURSOR = 4,  /* the cursor's image */
    DISPLAY_POINTER = 8, /* its place */
    DISPLAY_GONE = 16,   /* the device is gone; the last screen stays */
};

typedef struct {
    const uint32_t
        *image; /* DISPLAY_CURSOR_SIDE squared, 0xAARRGGBB, multiplied; NULL: none shows */
    uint32_t hot_x, hot_y;
    int32_t x, y; /* where it points to */
} display_cursor_t;

/* Good between display_begin() and display_end(). */
typedef struct {
    unsigned events;        /* DISPLAY_* */
    uint32_t width, height; /* 0, 0: the screen is off */
    size_t stride;          /* bytes */
    const uint32_t *pixels; /* 0xXXRRGGBB; NULL: off */
    unsigned damage_count;
    display_rect_t damage[DISPLAY_DAMAGE_MAX]; /* inside of the screen; can overlap */
    display_cursor_t cursor;
} display_view_t;

/* A screen that is off. The name is copied. NULL: no memory. */
display_t *display_new(const char *name);

/* Ends the caller's hold on it, after all viewers. A device that still has it goes on drawing. */
void display_close(display_t *display);

const char *display_name(const display_t *display);

/* The device's side, for one device; it holds the display until host.free(). */
display_host_t display_host(display_t *display);

/* wake may be NULL. NULL: no memory. The first look gives everything. */
display_viewer_t *display_attach(display_t *display, void (*wake)(void *opaque), void *opaque);

/* Returns when wake() neither runs nor comes any more. */
void display_detach(display_viewer_t *viewer);

/* A look: what is new, and the screen, which stands still until display_end(). */
void display_begin(display_viewer_t *viewer, display_view_t *view);
void display_end(display_viewer_t *viewer);

/*
 * Asks the guest for a screen of this size, in pixels (0, 0: nobody looks). The last one who asks
 * has it; a device that comes later is told as well. False: no screen can be that large.
 */
bool display_request_size(display_t *display, uint32_t width, uint32_t height);

/* The size now; 0, 0: off. */
void display_size(display_t *display, uint32_t *width, uint32_t *height);

/* A number for size and pixels (without the cursor): equal for equal screens. */
uint64_t display_hash(display_t *display);

/* A copy of all pixels without gaps, for free(); with the cursor drawn in if it is asked for. NULL:
 * off, or no memory. */
uint32_t *display_copy(display_t *display, bool cursor, uint32_t *width, uint32_t *height);

/* Writes the screen as a PPM picture (P6). False: off, or the file could not be written. */
bool display_write_ppm(display_t *display, bool cursor, FILE *out);

#endif
