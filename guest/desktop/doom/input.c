/* SPDX-License-Identifier: MPL-2.0 */
/* Chocolate Doom's keyboard and mouse (its i_input.h) on Linux's evdev. Keys as an American
 * keyboard has them. */
#include "../evdev.h"

/* Names that Linux and the game both have: from here on they are the game's. */
#undef KEY_BACKSPACE
#undef KEY_CAPSLOCK
#undef KEY_END
#undef KEY_ENTER
#undef KEY_F1
#undef KEY_F2
#undef KEY_F3
#undef KEY_F4
#undef KEY_F5
#undef KEY_F6
#undef KEY_F7
#undef KEY_F8
#undef KEY_F9
#undef KEY_F10
#undef KEY_F11
#undef KEY_F12
#undef KEY_HOME
#undef KEY_MINUS
#undef KEY_NUMLOCK
#undef KEY_PAUSE
#undef KEY_TAB
#include "doomkeys.h"

#include "doomtype.h"

#include "d_event.h"
#include "i_input.h"
#include "i_system.h"
#include "i_video.h"
#include "m_config.h"

int usemouse = 1, vanilla_keyboard_mapping = 1, mouse_threshold = 10;
float mouse_acceleration = 2.0f;

static evdev_t devices;
static bool opened, shift[2], typing;
static int buttons, turned;

/* Evdev's codes of rows of keys, and what is on them without and with shift. */
static const struct {
    unsigned first;
    const char *plain, *shifted;
} rows[] = {
    {2, "1234567890-=", "!@#$%^&*()_+"},
    {16, "qwertyuiop[]", "QWERTYUIOP{}"},
    {30, "asdfghjkl;'`", "ASDFGHJKL:\"~"},
    {43, "\\zxcvbnm,./", "|ZXCVBNM<>?"},
    {57, " ", " "},
};

/* The others: evdev's code, the game's. */
static const unsigned char others[][2] = {
    {1, KEY_ESCAPE},       {14, KEY_BACKSPACE}, {15, KEY_TAB},        {28, KEY_ENTER},
    {29, KEY_RCTRL},       {42, KEY_RSHIFT},    {54, KEY_RSHIFT},     {56, KEY_RALT},
    {58, KEY_CAPSLOCK},    {59, KEY_F1},        {60, KEY_F2},         {61, KEY_F3},
    {62, KEY_F4},          {63, KEY_F5},        {64, KEY_F6},         {65, KEY_F7},
    {66, KEY_F8},          {67, KEY_F9},        {68, KEY_F10},        {87, KEY_F11},
    {88, KEY_F12},         {96, KEY_ENTER},     {97, KEY_RCTRL},      {100, KEY_RALT},
    {102, KEY_HOME},       {103, KEY_UPARROW},  {104, KEY_PGUP},      {105, KEY_LEFTARROW},
    {106, KEY_RIGHTARROW}, {107, KEY_END},      {108, KEY_DOWNARROW}, {109, KEY_PGDN},
    {110, KEY_INS},        {111, KEY_DEL},      {119, KEY_PAUSE},
};

static void post_key(unsigned code, bool down)
{
    event_t event = {.type = down ? ev_keydown : ev_keyup};
    if (code == 42 || code == 54) {
        shift[code == 54] = down;
    }
    for (unsigned i = 0; i < arrlen(rows); i++) {
        if (code - rows[i].first < strlen(rows[i].plain)) {
            const char *row = shift[0] || shift[1] ? rows[i].shifted : rows[i].plain;
            event.data1 = event.data2 = rows[i].plain[code - rows[i].first];
            event.data3 = typing ? row[code - rows[i].first] : 0;
        }
    }
    for (unsigned i = 0; i < arrlen(others); i++) {
        if (others[i][0] == code) {
            event.data1 = others[i][1];
            event.data2 = event.data1 < 0x80 ? event.data1 : 0;
        }
    }
    if (!down) {
        event.data2 = event.data3 = 0;
    }
    if (event.data1) {
        D_PostEvent(&event);
    }
}

/* True: the mouse has something to say. */
static bool take_event(const struct input_event *event)
{
    static const unsigned char bits[] = {1, 2, 4};
    if (event->type == EV_REL && event->code == REL_X) {
        turned += event->value;
        return true;
    }
    if (event->type != EV_KEY || event->value > 1) {
        return false;
    }
    if (event->code >= BTN_LEFT && event->code <= BTN_MIDDLE) {
        int bit = bits[event->code - BTN_LEFT];
        buttons = event->value ? buttons | bit : buttons & ~bit;
        return true;
    }
    post_key(event->code, event->value);
    return false;
}

void I_StartTic(void)
{
    struct input_event event;
    unsigned device;
    bool mouse = false;
    if (!opened) {
        opened = true;
        evdev_open(&devices, true);
    }
    while (evdev_next(&devices, &event, &device, 0)) {
        mouse |= take_event(&event);
    }
    if (mouse && usemouse) {
        /* Forwards goes by keys: the mouse turns and shoots. */
        event_t moved = {.type = ev_mouse, .data1 = buttons, .data2 = turned * 4};
        D_PostEvent(&moved);
    }
    turned = 0;
}

void I_StartFrame(void) {}
void I_ReadMouse(void) {}

void I_StartTextInput(int x1, int y1, int x2, int y2)
{
    (void)x1, (void)y1, (void)x2, (void)y2;
    typing = true;
}

void I_StopTextInput(void)
{
    typing = false;
}

void I_BindInputVariables(void)
{
    M_BindIntVariable("mouse_threshold", &mouse_threshold);
    M_BindFloatVariable("mouse_acceleration", &mouse_acceleration);
    M_BindIntVariable("vanilla_keyboard_mapping", &vanilla_keyboard_mapping);
}
