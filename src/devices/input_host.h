/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Keys, pointers and fingers: what an input device (virtio-input) needs of whatever collects them
 * (src/frontends/input.c).
 */
#ifndef RVKIT_DEVICES_INPUT_HOST_H
#define RVKIT_DEVICES_INPUT_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Absolute coordinates go from 0 to this, from edge to edge. */
#define INPUT_PLACE_MAX 32767

/* Wheels count in parts of a notch. */
#define INPUT_NOTCH 120

/* Fingers that a touch screen tells apart. */
#define INPUT_SLOTS 10

/* USB HID usages of the keyboard page. */
#define INPUT_KEYS 256

/* Kinds of devices, as a mask. */
enum {
    INPUT_KEYBOARD = 1,
    INPUT_MOUSE = 2,  /* relative */
    INPUT_TABLET = 4, /* absolute */
    INPUT_TOUCH = 8,
};

/* Buttons of a pointer, as a mask; the first three as RVVM's hid_api numbers them. */
enum {
    INPUT_LEFT = 1,
    INPUT_RIGHT = 2,
    INPUT_MIDDLE = 4,
    INPUT_SIDE = 8,
    INPUT_EXTRA = 16,
    INPUT_BUTTONS = 31,
};

/* Lights of a keyboard, as a mask. */
enum {
    INPUT_LED_NUM = 1,
    INPUT_LED_CAPS = 2,
    INPUT_LED_SCROLL = 4,
};

typedef enum {
    INPUT_EV_KEY,    /* code: USB HID usage of the keyboard page, below INPUT_KEYS; down */
    INPUT_EV_BUTTON, /* code: one of INPUT_LEFT …; down */
    INPUT_EV_MOVE,   /* by x, y; down is +y */
    INPUT_EV_PLACE,  /* at x, y: 0 to INPUT_PLACE_MAX */
    INPUT_EV_WHEEL,  /* by x, y in parts of INPUT_NOTCH; right and away from the person are + */
    INPUT_EV_TOUCH,  /* finger code (below INPUT_SLOTS) at x, y as PLACE; down, or lifted */
} input_event_type_t;

/* Each is whole by itself. */
typedef struct {
    input_event_type_t type;
    uint16_t code;
    bool down;
    int32_t x, y;
} input_event_t;

/* The device, as it is called: from any thread, one call at a time. May not call the host. */
typedef struct {
    void *opaque;
    void (*event)(void *opaque, const input_event_t *event);
} input_guest_t;

/* The host, as the device calls it: from any thread, without the device's lock. */
typedef struct {
    void *opaque;
    /* The first call: events of these kinds (a mask) come from here on. What is held down already
     * does not. */
    void (*attach)(void *opaque, unsigned kinds, const input_guest_t *guest);
    /* The guest has set its keyboard's lights: a mask of INPUT_LED_*. */
    void (*leds)(void *opaque, unsigned leds);
    /* The last call: no event comes any more when it returns. */
    void (*free)(void *opaque);
} input_host_t;

#endif
