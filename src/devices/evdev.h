/* SPDX-License-Identifier: MPL-2.0 */
/* Numbers of Linux's input events, which virtio-input carries (VirtIO 1.2 §5.8; Linux's
 * Documentation/input/event-codes). */
#ifndef RVKIT_DEVICES_EVDEV_H
#define RVKIT_DEVICES_EVDEV_H

#include <stdint.h>

enum {
    EVDEV_SYN = 0x00,
    EVDEV_KEY = 0x01,
    EVDEV_REL = 0x02,
    EVDEV_ABS = 0x03,
    EVDEV_LED = 0x11,
    EVDEV_REP = 0x14,

    EVDEV_BTN_LEFT = 0x110, /* then right, middle, side, extra */
    EVDEV_BTN_TOUCH = 0x14A,
    EVDEV_KEYS = 0x300, /* one past the last */

    EVDEV_REL_X = 0x00,
    EVDEV_REL_Y = 0x01,
    EVDEV_REL_HWHEEL = 0x06,
    EVDEV_REL_WHEEL = 0x08,
    EVDEV_REL_WHEEL_HI_RES = 0x0B,
    EVDEV_REL_HWHEEL_HI_RES = 0x0C,

    EVDEV_ABS_X = 0x00,
    EVDEV_ABS_Y = 0x01,
    EVDEV_ABS_MT_SLOT = 0x2F,
    EVDEV_ABS_MT_POSITION_X = 0x35,
    EVDEV_ABS_MT_POSITION_Y = 0x36,
    EVDEV_ABS_MT_TRACKING_ID = 0x39,

    EVDEV_LED_NUM = 0,
    EVDEV_LED_CAPS = 1,
    EVDEV_LED_SCROLL = 2,

    EVDEV_PROP_DIRECT = 1,
};

/* The key code of a USB HID usage (keyboard page); 0: there is none. */
uint16_t evdev_of_hid(unsigned usage);

#endif
