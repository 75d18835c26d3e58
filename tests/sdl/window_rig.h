/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A window without the program around it, for the one suite that includes this: what the window
 * takes of the program, what it asks SDL (the linker's --wrap puts these in between), and what is
 * in it: a console, two screens, and a view that counts.
 */
#ifndef RVKIT_TESTS_WINDOW_RIG_H
#define RVKIT_TESTS_WINDOW_RIG_H

#include "../../sdl/app_guest.h"
#include "../../sdl/screen_view.h"
#include "../../sdl/text_internal.h"
#include "../../sdl/window_internal.h"
#include "../unit/console_rig.h"
#include "host/thread.h"

enum { WIDTH = 640, HEIGHT = 480, EVENTS_MAX = 256, POWER = 0x66 };

/* --- What the window takes of the program --- */

struct app {
    options_t options;
    unsigned quits; /* atomic */
};

void app_quit(app_t *app)
{
    __atomic_fetch_add(&app->quits, 1, __ATOMIC_SEQ_CST);
}

bool app_pause(app_t *app, bool paused)
{
    (void)app, (void)paused;
    return false;
}

bool app_is_paused(app_t *app)
{
    (void)app;
    return false;
}

void app_reset(app_t *app)
{
    (void)app;
}

rvvm_machine_t *app_machine(app_t *app)
{
    (void)app;
    return NULL;
}

const options_t *app_options(const app_t *app)
{
    return &app->options;
}

/* --- Pixels for each unit of the window --- */

static int density = 1; /* atomic */

int __real_SDL_GetRendererOutputSize(SDL_Renderer *renderer, int *width, int *height);
int __wrap_SDL_GetRendererOutputSize(SDL_Renderer *renderer, int *width, int *height);

int __wrap_SDL_GetRendererOutputSize(SDL_Renderer *renderer, int *width, int *height)
{
    int factor = __atomic_load_n(&density, __ATOMIC_SEQ_CST);
    int error = __real_SDL_GetRendererOutputSize(renderer, width, height);
    *width *= factor;
    *height *= factor;
    return error;
}

/* --- What only a window manager does --- */

static int minimised; /* atomic */

Uint32 __real_SDL_GetWindowFlags(SDL_Window *window);
Uint32 __wrap_SDL_GetWindowFlags(SDL_Window *window);

Uint32 __wrap_SDL_GetWindowFlags(SDL_Window *window)
{
    return __real_SDL_GetWindowFlags(window) |
           (__atomic_load_n(&minimised, __ATOMIC_SEQ_CST) ? SDL_WINDOW_MINIMIZED : 0);
}

/* --- Whoever owns the clipboard is slow --- */

static int slow; /* atomic: so many times SDL gives up, with what has come so far */

char *__real_SDL_GetClipboardText(void);
char *__wrap_SDL_GetClipboardText(void);

char *__wrap_SDL_GetClipboardText(void)
{
    char *text = __real_SDL_GetClipboardText();
    if (text && __atomic_load_n(&slow, __ATOMIC_SEQ_CST) > 0) {
        __atomic_fetch_sub(&slow, 1, __ATOMIC_SEQ_CST);
        text[strlen(text) / 2] = 0;
        SDL_SetError("Pipe timeout");
    }
    return text;
}

/* --- A window with a console, two screens, and a view that counts --- */

typedef struct {
    view_t view;
    unsigned told, drawn; /* atomic */
} counter_t;

static struct {
    seat_t *seat;
    window_t *window;
    struct app app;
    guest_t guest;
    display_t *display[2];
    display_host_t screen[2];
    input_t *input;
    input_host_t keyboard;
    host_mutex_t *lock; /* guards the events */
    input_event_t event[EVENTS_MAX];
    unsigned events;
    counter_t *counter;
} rig;

static void on_input(void *opaque, const input_event_t *event)
{
    (void)opaque;
    host_mutex_lock(rig.lock);
    if (rig.events < EVENTS_MAX) {
        rig.event[rig.events++] = *event;
    }
    host_mutex_unlock(rig.lock);
}

static void counter_free(view_t *view)
{
    free(view);
}

static void counter_place(view_t *view, int width, int height)
{
    (void)view, (void)width, (void)height;
}

static void counter_focus(view_t *view, bool in)
{
    (void)view, (void)in;
}

static void counter_event(view_t *view, const SDL_Event *event)
{
    if (event->type == SDL_TEXTINPUT) {
        view_wake(view);
    }
}

static uint32_t counter_draw(view_t *view)
{
    __atomic_fetch_add(&((counter_t *)view)->drawn, 1, __ATOMIC_SEQ_CST);
    return VIEW_NEVER;
}

static void counter_lost(view_t *view)
{
    (void)view;
}

/* What is told next comes so late that a picture is due, and is drawn, before it is heard. */
static void counter_told(view_t *view)
{
    counter_t *c = (counter_t *)view;
    if (__atomic_add_fetch(&c->told, 1, __ATOMIC_SEQ_CST) < 3) {
        host_sleep_ns(30000000);
        view_wake(view);
    }
}

static view_t *counter_create(window_t *window)
{
    static const view_ops_t ops = {.free = counter_free,
                                   .place = counter_place,
                                   .focus = counter_focus,
                                   .event = counter_event,
                                   .draw = counter_draw,
                                   .lost = counter_lost,
                                   .told = counter_told};
    rig.counter = calloc(1, sizeof(*rig.counter));
    rig.counter->view = (view_t){.ops = &ops, .window = window, .name = "counter"};
    return &rig.counter->view;
}

static bool rig_open(void)
{
    char error[200];
    memset(&rig, 0, sizeof(rig));
    rig.lock = host_mutex_create();
    rig.seat = seat_open(error, sizeof(error));
    rig.window =
        rig.seat ? window_open(rig.seat, "test", WIDTH, HEIGHT, NULL, error, sizeof(error)) : NULL;
    if (!rig.window || !guest_open(&rig.guest, false, false)) {
        printf("# %s\n", rig.window ? "no console" : error);
        return false;
    }
    rig.input = input_new();
    rig.keyboard = input_host(rig.input);
    rig.keyboard.attach(rig.keyboard.opaque,
                        INPUT_KEYBOARD | INPUT_TABLET | INPUT_MOUSE | INPUT_TOUCH,
                        &(input_guest_t){.event = on_input});
    bool ok = window_add(rig.window, text_view_create(rig.window, rig.guest.console));
    for (unsigned i = 0; i < 2; i++) {
        rig.display[i] = display_new(i ? "gpu1" : "gpu0");
        rig.screen[i] = display_host(rig.display[i]);
        ok &= window_add(rig.window,
                         screen_view_create(rig.window, rig.display[i], rig.input, i == 0));
        ok &= rig.screen[i].set_mode(rig.screen[i].opaque, WIDTH, HEIGHT);
    }
    return ok && window_add(rig.window, counter_create(rig.window));
}

static void rig_close(void)
{
    window_close(rig.window);
    seat_close(rig.seat);
    guest_close(&rig.guest);
    for (unsigned i = 0; i < 2; i++) {
        rig.screen[i].free(rig.screen[i].opaque);
        display_close(rig.display[i]);
    }
    rig.keyboard.free(rig.keyboard.opaque);
    input_close(rig.input);
    host_mutex_free(rig.lock);
}

#endif
