/* SPDX-License-Identifier: MPL-2.0 */
#include "desktop.h"

#include "app_guest.h"
#include "screen_view.h"
#include "sound.h"
#include "text_view.h"
#include "window.h"

#include "../src/host/audio.h"
#include "../src/util.h"

#include <stdio.h>
#include <string.h>

#define USUAL_WIDTH 1024
#define USUAL_HEIGHT 768

void desktop_close(void *opaque)
{
    desktop_t *d = opaque;
    window_close(d->window);
    for (unsigned i = 0; i < d->display_count; i++) {
        display_close(d->display[i]);
    }
    if (d->input) {
        input_close(d->input);
    }
    *d = (desktop_t){.seat = d->seat};
}

/* One more screen; NULL: no memory. */
static display_t *desktop_add_display(desktop_t *d, const char *name, bool follows)
{
    display_t *display = display_new(name);
    if (display) {
        d->display[d->display_count] = display;
        d->follows[d->display_count++] = follows;
    }
    return display;
}

static bool desktop_add_screens(desktop_t *d, const options_t *o)
{
    bool framebuffer = o->res_width != 0;
    unsigned scanouts = o->gpu_given ? o->gpu : framebuffer ? 0 : 1;
    bool ok = true;
    for (unsigned i = 0; ok && i < scanouts; i++) {
        char name[16];
        snprintf(name, sizeof(name), "gpu%u", i);
        ok = desktop_add_display(d, name, true) != NULL;
    }
    return ok && (!framebuffer || desktop_add_display(d, "framebuffer", false));
}

/* Everything is there: it goes to the board, which takes it over. */
static void desktop_give(desktop_t *d, const options_t *o, board_desc_t *board)
{
    static const unsigned kinds[] = {INPUT_KEYBOARD, INPUT_TABLET, INPUT_MOUSE, INPUT_TOUCH};
    for (unsigned i = 0; i < d->display_count; i++) {
        board_screen_t screen = {display_host(d->display[i]), USUAL_WIDTH, USUAL_HEIGHT};
        if (d->follows[i]) {
            board->scanout[board->scanout_count++] = screen;
        } else {
            screen.width = o->res_width;
            screen.height = o->res_height;
            board->framebuffer = screen;
            board->has_framebuffer = true;
        }
    }
    for (unsigned i = 0; i < ARRAY_LEN(kinds) && d->display_count; i++) {
        board->input[board->input_count].host = input_host(d->input);
        board->input[board->input_count++].kind = kinds[i];
    }
    const audio_clock_t clock = {board_clock_now, &d->clock};
    board->clock = &d->clock;
    /* Runs with -icount have a time of their own, which no sound card keeps. */
    bool sound = !o->nosound && !o->sound &&
                 ((!o->icount && sound_open(&board->audio)) ||
                  audio_null_open(&board->audio, o->icount ? &clock : NULL));
    board->playbacks = board->captures = sound;
}

bool desktop_open(void *opaque, const options_t *o, board_desc_t *board, char *error,
                  size_t error_size)
{
    desktop_t *d = opaque;
    int width = o->res_width && !o->gpu_given ? (int)o->res_width : USUAL_WIDTH;
    int height = o->res_width && !o->gpu_given ? (int)o->res_height : USUAL_HEIGHT;
    d->window = window_open(d->seat, "rvkit", width, height, o->font, error, error_size);
    if (!d->window) {
        return false;
    }
    d->input = input_new();
    if (!d->input || !desktop_add_screens(d, o)) {
        snprintf(error, error_size, "out of memory");
        desktop_close(d);
        return false;
    }
    if (o->poweroff_key) {
        window_power_key(d->window, d->input);
    }
    desktop_give(d, o, board);
    return true;
}

/* Consoles come first, the monitor last; all know the size of the window from here on. */
void desktop_ready(void *opaque, app_t *app)
{
    desktop_t *d = opaque;
    consoles_t *consoles = app_consoles(app);
    console_t *console, *monitor = consoles_monitor(consoles);
    bool ok = true;
    for (size_t i = 0; (console = consoles_at(consoles, i)) != NULL; i++) {
        if (console != monitor) {
            ok &= window_add(d->window, text_view_create(d->window, console));
        }
    }
    for (unsigned i = 0; i < d->display_count; i++) {
        ok &= window_add(d->window,
                         screen_view_create(d->window, d->display[i], d->input, d->follows[i]));
    }
    if (monitor) {
        ok &= window_add(d->window, text_view_create(d->window, monitor));
    }
    if (!ok) {
        window_say(d->window, "there is no memory for all views");
    }
    const window_guest_t guest = app_guest(app);
    window_start(d->window, &guest);
}

void desktop_ended(void *opaque)
{
    window_end(((desktop_t *)opaque)->window);
}

void desktop_say(void *opaque, const char *line)
{
    window_say(((desktop_t *)opaque)->window, line);
}
