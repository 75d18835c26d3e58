/* SPDX-License-Identifier: MPL-2.0 */
/*
 * evwatch [COUNT]   lists the input devices, and prints their events until Ctrl-C, or so many.
 * A line: the device, what happened, its code, its value. Reports that only end a group are left
 * out.
 */
#include "evdev.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>

enum { NAME_MAX_LEN = 12 };

/* By code, from 0 on; separated by blanks. */
static const char keys[] =
    "? Esc 1 2 3 4 5 6 7 8 9 0 - = Backspace Tab Q W E R T Y U I O P [ ] Enter Ctrl A S D F G H J "
    "K "
    "L ; ' ` Shift \\ Z X C V B N M , . / Shift Keypad-* Alt Space CapsLock F1 F2 F3 F4 F5 F6 F7 "
    "F8 "
    "F9 F10 NumLock ScrollLock Keypad-7 Keypad-8 Keypad-9 Keypad-- Keypad-4 Keypad-5 Keypad-6 "
    "Keypad-+ Keypad-1 Keypad-2 Keypad-3 Keypad-0 Keypad-. ? Zenkaku 102nd F11 F12 Ro Katakana "
    "Hiragana Henkan KatakanaHiragana Muhenkan Keypad-, Keypad-Enter RightCtrl Keypad-/ SysRq "
    "RightAlt LineFeed Home Up PageUp Left Right End Down PageDown Insert Delete Macro Mute "
    "VolumeDown VolumeUp Power Keypad-= Keypad-+- Pause";
static const char buttons[] = "Left Right Middle Side Extra Forward Back Task"; /* from 272 on */
static const char relative[] = "X Y Z RX RY RZ HWheel Dial Wheel Misc ? WheelHiRes HWheelHiRes";
static const char absolute[] = "X Y Z";
static const char fingers[] = /* from 47 on */
    "Slot TouchMajor TouchMinor WidthMajor WidthMinor Orientation X Y Tool Blob Finger Pressure";

/* The name with that number in a list; "?" beyond its end. */
static const char *name_in(const char *list, unsigned number, char *name)
{
    unsigned length = 0;
    for (; number && *list; list++) {
        number -= *list == ' ';
    }
    while (length < NAME_MAX_LEN * 2 - 1 && list[length] && list[length] != ' ') {
        name[length] = list[length];
        length++;
    }
    name[length] = 0;
    return length ? name : "?";
}

static void print_event(unsigned device, const struct input_event *event)
{
    char name[NAME_MAX_LEN * 2];
    const char *kind = "event", *what = "?";
    unsigned code = event->code;
    if (event->type == EV_KEY) {
        static const char *const states[] = {"release", "press", "repeat"};
        kind = (uint32_t)event->value < 3 ? states[event->value] : "key";
        what = code == BTN_TOUCH                         ? "Touch"
               : code >= BTN_LEFT && code < BTN_LEFT + 8 ? name_in(buttons, code - BTN_LEFT, name)
                                                         : name_in(keys, code, name);
    } else if (event->type == EV_REL) {
        kind = "move";
        what = name_in(relative, code, name);
    } else if (event->type == EV_ABS) {
        kind = code >= ABS_MT_SLOT ? "finger" : "place";
        what = code >= ABS_MT_SLOT ? name_in(fingers, code - ABS_MT_SLOT, name)
                                   : name_in(absolute, code, name);
    }
    printf("event%u %s %s (type %u, code %u) %d\n", device, kind, what, event->type, code,
           event->value);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    evdev_t devices;
    struct input_event event;
    unsigned device;
    long left = argc == 2 ? atol(argv[1]) : 0;
    if (argc > 2 || (argc == 2 && left <= 0)) {
        fprintf(stderr, "usage: evwatch [COUNT]\n");
        return 2;
    }
    if (!evdev_open(&devices, false)) {
        fprintf(stderr, "evwatch: there is no input device\n");
        return 1;
    }
    for (unsigned i = 0; i < EVDEV_MAX; i++) {
        char name[128] = "?";
        if (devices.fd[i] >= 0 && ioctl(devices.fd[i], EVIOCGNAME(sizeof(name)), name) >= 0) {
            printf("event%u: %.*s\n", i, (int)sizeof(name), name);
        }
    }
    printf("Ctrl-C ends.\n");
    fflush(stdout);
    while (evdev_next(&devices, &event, &device, -1)) {
        if (event.type == EV_SYN) {
            continue;
        }
        print_event(device, &event);
        if (argc == 2 && !--left) {
            break;
        }
    }
    evdev_close(&devices);
    return 0;
}
