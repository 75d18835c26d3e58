/* SPDX-License-Identifier: MPL-2.0 */
/* rvkit-sdl: the program with a window for the guest's consoles and screens. */
#include "desktop.h"

#include <stdio.h>

/* By this name, docks and task bars know what to show for the window: rvkit.desktop. */
#define DESKTOP_FILE "rvkit"

/* The display is wanted only now: -version and the like do without. */
static bool main_open(void *opaque, const options_t *o, board_desc_t *board, char *error,
                      size_t error_size)
{
    desktop_t *d = opaque;
    SDL_setenv("SDL_VIDEO_X11_WMCLASS", DESKTOP_FILE, 0);
    SDL_setenv("SDL_VIDEO_WAYLAND_WMCLASS", DESKTOP_FILE, 0);
    d->seat = seat_open(error, error_size);
    if (d->seat && desktop_open(d, o, board, error, error_size)) {
        return true;
    }
    seat_close(d->seat);
    return false;
}

static void main_run(void *opaque, app_t *app)
{
    desktop_t *d = opaque;
    (void)app;
    seat_run(d->seat);
    if (seat_lost(d->seat)) {
        fprintf(stderr, "rvkit-sdl: the display is lost; the guest goes on without a window\n");
    }
}

static void main_close(void *opaque)
{
    desktop_t *d = opaque;
    desktop_close(d);
    seat_close(d->seat);
}

int main(int argc, char **argv)
{
    desktop_t desktop = {0};
    const app_front_t front = {
        .program = "rvkit-sdl",
        .opaque = &desktop,
        .open = main_open,
        .ready = desktop_ready,
        .run = main_run,
        .ended = desktop_ended,
        .say = desktop_say,
        .close = main_close,
    };
    return app_main(argc, argv, &front);
}
