/* SPDX-License-Identifier: MPL-2.0 */
/*
 * rvkit's window as a back end of RVVM's gui_window_t: RVVM's own frame buffers, keyboard and mouse
 * behind it. RVVM's list of back ends gets one line (docs/upstream.md). Two states: in ABI 7 the
 * callbacks are members of gui_window_t, in 2026 two tables beside it.
 *
 * What RVVM draws goes through a display (display.h): rows that differ from the last ones are
 * copied, converted. What the window hears comes out of a sink of its input (input.h).
 */
#define COMPAT_HOST
#include "rvvm_compat.h"

#ifdef RVVM_COMPAT_2026
#include "gui/gui_window.h"
#else
#include "gui_window.h"
#endif

#include "rvkit_window.h"

#include <stdio.h>

bool rvkit_gui_init(gui_window_t *win);

typedef struct {
    gui_window_t *win;
    rvkit_window_t *window;
    display_host_t screen;
    input_host_t input;
    void *vram;
    size_t vram_size;
    uint32_t width, height; /* of the screen; 0: off */
    uint8_t format;
    uint32_t *row;   /* one, converted */
    uint8_t *before; /* all that was drawn last, as RVVM has it, without gaps */
    int32_t wheel;   /* parts of a notch that are left */
} gui_t;

/* --- Pixels --- */

/* RVVM's formats: bytes of a pixel, and these. */
enum {
    FORMAT_BYTES = 0x0F,
    FORMAT_SWAP_R_B = 0x10,
    FORMAT_BIG_ENDIAN = 0x20,
    FORMAT_ALTER_BITS = 0x40, /* 1555, and 2101010 */
    FORMAT_XRGB = 0x04,
};

typedef struct {
    uint8_t shift, bits;
} channel_t;

static uint32_t channel_value(uint32_t pixel, channel_t channel)
{
    uint32_t most = (1u << channel.bits) - 1;
    return ((pixel >> channel.shift & most) * 255 + most / 2) / most;
}

/* Red, green, blue of a format. */
static void format_channels(uint8_t format, channel_t channels[3])
{
    static const channel_t all[4][3] = {
        {{11, 5}, {5, 6}, {0, 5}},
        {{10, 5}, {5, 5}, {0, 5}},
        {{16, 8}, {8, 8}, {0, 8}},
        {{20, 10}, {10, 10}, {0, 10}},
    };
    bool altered = format & FORMAT_ALTER_BITS;
    memcpy(channels, all[((format & FORMAT_BYTES) == 2 ? 0 : 2) + altered], sizeof(all[0]));
    if (format & FORMAT_SWAP_R_B) {
        channel_t red = channels[0];
        channels[0] = channels[2];
        channels[2] = red;
    }
}

static void convert_row(uint32_t *to, const uint8_t *from, uint32_t count, uint8_t format)
{
    unsigned bytes = format & FORMAT_BYTES;
    channel_t channels[3];
    format_channels(format, channels);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t pixel = 0;
        for (unsigned b = 0; b < bytes; b++) {
            unsigned at = format & FORMAT_BIG_ENDIAN ? bytes - 1 - b : b;
            pixel |= (uint32_t)*from++ << 8 * at;
        }
        to[i] = channel_value(pixel, channels[0]) << 16 | channel_value(pixel, channels[1]) << 8 |
                channel_value(pixel, channels[2]);
    }
}

/* The screen has this size and format from now on. False: off. */
static bool gui_set_mode(gui_t *gui, uint32_t width, uint32_t height, uint8_t format)
{
    size_t bytes = format & FORMAT_BYTES;
    if (gui->before && width == gui->width && height == gui->height && format == gui->format) {
        return true;
    }
    free(gui->row);
    free(gui->before);
    gui->row = NULL;
    gui->before = NULL;
    gui->width = width;
    gui->height = height;
    gui->format = format;
    if (bytes >= 2 && bytes <= 4 && display_size_ok(width, height) &&
        gui->screen.set_mode(gui->screen.opaque, width, height)) {
        gui->row = malloc((size_t)width * 4);
        gui->before = calloc((size_t)width * height, bytes);
    }
    if (!gui->row || !gui->before) {
        free(gui->before);
        gui->before = NULL;
        gui->screen.set_mode(gui->screen.opaque, 0, 0);
    }
    return gui->before != NULL;
}

static void gui_show(gui_t *gui, const uint8_t *pixels, size_t stride)
{
    size_t size = (size_t)gui->width * (gui->format & FORMAT_BYTES);
    for (uint32_t y = 0; y < gui->height; y++) {
        const uint8_t *row = pixels + y * stride;
        uint8_t *before = gui->before + y * size;
        if (!memcmp(before, row, size)) {
            continue;
        }
        memcpy(before, row, size); /* the guest may draw meanwhile: what is shown is what is kept */
        if ((gui->format & ~0x80) == FORMAT_XRGB) {
            gui->screen.update(gui->screen.opaque, 0, y, gui->width, 1, before, size);
        } else {
            convert_row(gui->row, before, gui->width, gui->format);
            gui->screen.update(gui->screen.opaque, 0, y, gui->width, 1, gui->row, size);
        }
    }
}

/* --- What differs between the states --- */

#ifdef RVVM_COMPAT_2026
#define GUI_CALL(win, what, ...)                                                                   \
    do {                                                                                           \
        if ((win)->ev_cb->what) {                                                                  \
            (win)->ev_cb->what(__VA_ARGS__);                                                       \
        }                                                                                          \
    } while (0)

static gui_t *gui_of(gui_window_t *win)
{
    return gui_backend_get_data(win);
}

static void gui_draw(gui_window_t *win, const rvvm_fb_t *fb, uint32_t x, uint32_t y)
{
    gui_t *gui = gui_of(win);
    (void)x;
    (void)y;
    if (rvvm_fb_buffer(fb) &&
        gui_set_mode(gui, rvvm_fb_width(fb), rvvm_fb_height(fb), (uint8_t)rvvm_fb_format(fb))) {
        gui_show(gui, rvvm_fb_buffer(fb), rvvm_fb_stride(fb));
    }
}
#else
#define GUI_CALL(win, what, ...)                                                                   \
    do {                                                                                           \
        if ((win)->what) {                                                                         \
            (win)->what(__VA_ARGS__);                                                              \
        }                                                                                          \
    } while (0)

static gui_t *gui_of(gui_window_t *win)
{
    return win->win_data;
}

static void gui_draw(gui_window_t *win)
{
    gui_t *gui = gui_of(win);
    if (gui_set_mode(gui, win->fb.width, win->fb.height, win->fb.format)) {
        gui_show(gui, win->fb.buffer, framebuffer_stride(&win->fb));
    }
}
#endif

/* --- From the window --- */

static int32_t gui_place(int32_t at, uint32_t size)
{
    return size ? (int32_t)((int64_t)at * (size - 1) / INPUT_PLACE_MAX) : 0;
}

static void gui_wheel(gui_t *gui, int32_t parts)
{
    gui->wheel += parts;
    while (gui->wheel >= INPUT_NOTCH || gui->wheel <= -INPUT_NOTCH) {
        int32_t way = gui->wheel > 0 ? 1 : -1;
        gui->wheel -= way * INPUT_NOTCH;
        GUI_CALL(gui->win, on_mouse_scroll, gui->win, -way); /* away from the person is up: -1 */
    }
}

static void gui_on_event(void *opaque, const input_event_t *e)
{
    gui_t *gui = opaque;
    gui_window_t *win = gui->win;
    switch (e->type) {
    case INPUT_EV_KEY:
        if (e->down) {
            GUI_CALL(win, on_key_press, win, (hid_key_t)e->code);
        } else {
            GUI_CALL(win, on_key_release, win, (hid_key_t)e->code);
        }
        break;
    case INPUT_EV_BUTTON:
        if (e->code > INPUT_MIDDLE) {
            break;
        }
        if (e->down) {
            GUI_CALL(win, on_mouse_press, win, (hid_btns_t)e->code);
        } else {
            GUI_CALL(win, on_mouse_release, win, (hid_btns_t)e->code);
        }
        break;
    case INPUT_EV_MOVE:
        GUI_CALL(win, on_mouse_move, win, e->x, e->y);
        break;
    case INPUT_EV_PLACE:
        GUI_CALL(win, on_mouse_place, win, gui_place(e->x, gui->width),
                 gui_place(e->y, gui->height));
        break;
    case INPUT_EV_WHEEL:
        gui_wheel(gui, e->y);
        break;
    default:
        break;
    }
}

static void gui_on_close(void *opaque)
{
    gui_window_t *win = ((gui_t *)opaque)->win;
    GUI_CALL(win, on_close, win);
}

/* RVVM's frame buffers have the size that they have. */
static void gui_on_resize(void *opaque, uint32_t width, uint32_t height)
{
    (void)opaque;
    (void)width;
    (void)height;
}

/* --- From RVVM --- */

static void gui_poll(gui_window_t *win)
{
    rvkit_window_step(gui_of(win)->window);
}

static void gui_set_title(gui_window_t *win, const char *title)
{
    rvkit_window_set_title(gui_of(win)->window, title);
}

static void gui_grab_input(gui_window_t *win, bool grab)
{
    rvkit_window_grab(gui_of(win)->window, grab);
}

static void gui_set_fullscreen(gui_window_t *win, bool full)
{
    rvkit_window_fill(gui_of(win)->window, full);
}

static void gui_free(gui_window_t *win)
{
    gui_t *gui = gui_of(win);
    if (!gui) {
        return;
    }
    if (gui->input.free) {
        gui->input.free(gui->input.opaque);
    }
    rvkit_window_close(gui->window);
    if (gui->screen.free) {
        gui->screen.free(gui->screen.opaque);
    }
    if (gui->vram) {
        vma_free(gui->vram, gui->vram_size);
    }
    free(gui->row);
    free(gui->before);
    free(gui);
}

/* --- Beginning --- */

static bool gui_open(gui_t *gui, uint32_t width, uint32_t height, size_t vram_size)
{
    char error[256];
    const rvkit_window_owner_t owner = {.opaque = gui, .quit = gui_on_close, .close = gui_on_close};
    gui->window = rvkit_window_open("RVVM", width, height, &owner, error, sizeof(error));
    if (!gui->window) {
        rvvm_info("rvkit's window: %s", error);
        return false;
    }
    display_host_t screen;
    if (!rvkit_window_add_screen(gui->window, "framebuffer", false, &screen)) {
        return false;
    }
    gui->screen = screen;
    const display_guest_t guest = {gui, gui_on_resize};
    screen.attach(screen.opaque, &guest);
    const input_guest_t sink = {gui, gui_on_event};
    gui->input = rvkit_window_input(gui->window);
    gui->input.attach(gui->input.opaque, INPUT_KEYBOARD | INPUT_TABLET | INPUT_MOUSE, &sink);
    gui->vram_size = vram_size;
    gui->vram = vma_alloc(NULL, vram_size, VMA_RDWR);
    return gui->vram != NULL;
}

#ifdef RVVM_COMPAT_2026
bool rvkit_gui_init(gui_window_t *win)
{
    static const gui_backend_cb_t callbacks = {
        .free = gui_free,
        .poll = gui_poll,
        .draw = gui_draw,
        .set_title = gui_set_title,
        .grab_input = gui_grab_input,
        .set_fullscreen = gui_set_fullscreen,
    };
    gui_t *gui = calloc(1, sizeof(*gui));
    if (!gui) {
        return false;
    }
    gui->win = win;
    gui_backend_register(win, &callbacks);
    gui_backend_set_data(win, gui);
    if (!gui_open(gui, gui_window_width(win), gui_window_height(win),
                  gui_backend_get_vram_size(win))) {
        gui_free(win);
        gui_backend_set_data(win, NULL);
        return false;
    }
    gui_backend_set_vram(win, gui->vram, gui->vram_size);
    return true;
}
#else
bool rvkit_gui_init(gui_window_t *win)
{
    gui_t *gui = calloc(1, sizeof(*gui));
    if (!gui) {
        return false;
    }
    gui->win = win;
    win->win_data = gui;
    if (!gui_open(gui, win->fb.width, win->fb.height, framebuffer_size(&win->fb))) {
        gui_free(win);
        win->win_data = NULL;
        return false;
    }
    win->fb.buffer = gui->vram;
    win->draw = gui_draw;
    win->poll = gui_poll;
    win->remove = gui_free;
    win->grab_input = gui_grab_input;
    win->set_title = gui_set_title;
    win->set_fullscreen = gui_set_fullscreen;
    return true;
}
#endif
