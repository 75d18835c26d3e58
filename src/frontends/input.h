/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Input: the seam between those who press keys and move pointers (windows, browsers, tests:
 * sources) and the devices that tell a guest (virtio-input, RVVM's HID devices: sinks).
 *
 *   input_t *input = input_new();
 *   input_host_t host = input_host(input);                   goes into a device, which says its
 * kinds input_source_t *window = input_source_new(input); input_key(window, 0x04, true); the key A
 * goes down input_leave(window);                                     the window lost the focus: it
 * is let go input_source_free(window);  input_close(input);
 *
 * A key that two sources hold is down until both let go; repeats are ignored, since guests make
 * their own. Buttons and wheels go to the kind of pointer (mouse or tablet) that the source moved
 * last, and a release to where the press went.
 *
 * Threads: every call from any thread; one source by one thread at a time. Events reach all sinks
 * in one order. Sinks are called with the hub's lock held.
 */
#ifndef RVKIT_FRONTENDS_INPUT_H
#define RVKIT_FRONTENDS_INPUT_H

#include "../board.h"

#define INPUT_SINKS_MAX 16

typedef struct input input_t;
typedef struct input_source input_source_t;

/* NULL: no memory. */
input_t *input_new(void);

/* Ends the caller's hold on it, after all sources. Devices keep it as long as they need it. */
void input_close(input_t *input);

/* One more sink, for a device. At most INPUT_SINKS_MAX attach; one that comes too late hears
 * nothing. */
input_host_t input_host(input_t *input);

/* What kinds of devices listen, as a mask: whether moving or placing the pointer is of use. */
unsigned input_kinds(input_t *input);

/* The lights that the guest has set last: a mask of INPUT_LED_*. */
unsigned input_leds(input_t *input);

/* NULL: no memory. */
input_source_t *input_source_new(input_t *input);

/* Lets go of everything first. */
void input_source_free(input_source_t *source);

/* The source has lost the focus: its keys and buttons are released, its fingers lifted. */
void input_leave(input_source_t *source);

/* A key by its USB HID usage (keyboard page); 0 to 3 and what is not below INPUT_KEYS are no keys.
 */
void input_key(input_source_t *source, unsigned usage, bool down);

/* A button: one of INPUT_LEFT … */
void input_button(input_source_t *source, unsigned button, bool down);

/* The pointer: by a distance in pixels, or to a place (clamped to 0 … INPUT_PLACE_MAX). */
void input_move(input_source_t *source, int32_t dx, int32_t dy);
void input_place(input_source_t *source, int32_t x, int32_t y);

/* The wheel, in parts of INPUT_NOTCH. */
void input_wheel(input_source_t *source, int32_t dx, int32_t dy);

/* A finger is down at a place, or lifted. slot: below INPUT_SLOTS. */
void input_touch(input_source_t *source, unsigned slot, bool down, int32_t x, int32_t y);

#endif
