/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Waiting for the display, and outliving it. On X11 the seat waits by itself, for the connection
 * and for a pipe that other threads write to: SDL would have them send a message over a second
 * connection, and Xlib ends the process when that one breaks. On Wayland, SDL takes the
 * compositor's end for a wish to quit.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* more than C11, also with -std=c11 */
#endif
#include "seat_internal.h"

#include <SDL_syswm.h>

/* SDL looks after input methods at its own calls only: the longest that it is not called, in
 * milliseconds. */
#define CALL_MS 100

#ifdef SDL_VIDEO_DRIVER_X11
#include <X11/Xlib.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

/* Quiet: whoever runs the seat says it. */
static int on_io_error(Display *display)
{
    (void)display;
    return 0;
}

/* Xlib goes on after this, and every further call fails. */
static void on_exit_wanted(Display *display, void *opaque)
{
    (void)display;
    seat_t *s = opaque;
    __atomic_store_n(&s->lost, 1, __ATOMIC_SEQ_CST);
}

/* An event, as SDL_WaitEventTimeout() has it. */
static bool wait_for_connection(seat_t *s, SDL_Event *event, int wait_ms)
{
    struct pollfd fds[2] = {{.fd = s->connection - 1, .events = POLLIN},
                            {.fd = s->wake_pipe[0], .events = POLLIN}};
    char drop[64];
    if (SDL_PollEvent(event)) {
        return true;
    }
    if (!__atomic_load_n(&s->lost, __ATOMIC_SEQ_CST)) {
        poll(fds, 2, wait_ms < 0 || wait_ms > CALL_MS ? CALL_MS : wait_ms);
        while (read(s->wake_pipe[0], drop, sizeof(drop)) > 0) {
        }
    }
    return SDL_PollEvent(event);
}
#endif

#ifdef SDL_VIDEO_DRIVER_WAYLAND
/* Every call fails from here on, and does nothing. */
static bool wayland_is_gone(struct wl_display *display)
{
    typedef int (*get_error_fn)(struct wl_display *);
    void *library = SDL_LoadObject("libwayland-client.so.0"); /* SDL has it */
    get_error_fn get =
        library ? (get_error_fn)SDL_LoadFunction(library, "wl_display_get_error") : NULL;
    bool gone = get && get(display) != 0;
    SDL_UnloadObject(library);
    return gone;
}
#endif

bool lost_instead_of_quit(seat_t *s)
{
#ifdef SDL_VIDEO_DRIVER_WAYLAND
    if (s->wayland && wayland_is_gone(s->wayland)) {
        __atomic_store_n(&s->lost, 1, __ATOMIC_SEQ_CST);
    }
#endif
    return seat_lost(s);
}

bool lost_wait(seat_t *s, SDL_Event *event, int wait_ms)
{
#ifdef SDL_VIDEO_DRIVER_X11
    if (s->connection) {
        return wait_for_connection(s, event, wait_ms);
    }
#endif
    return SDL_WaitEventTimeout(event, wait_ms) != 0;
}

void lost_wake(seat_t *s)
{
#ifdef SDL_VIDEO_DRIVER_X11
    if (s->connection) {
        ssize_t ignored = write(s->wake_pipe[1], "", 1);
        (void)ignored; /* a full pipe wakes as well */
        return;
    }
#endif
    SDL_Event event = {.type = s->wake_event};
    SDL_PushEvent(&event);
}

#ifdef SDL_VIDEO_DRIVER_X11
static void watch_x11(seat_t *s, Display *display)
{
    if (s->connection || pipe(s->wake_pipe) != 0) {
        return;
    }
    for (int i = 0; i < 2; i++) {
        fcntl(s->wake_pipe[i], F_SETFL, O_NONBLOCK);
        fcntl(s->wake_pipe[i], F_SETFD, FD_CLOEXEC);
    }
    signal(SIGPIPE, SIG_IGN); /* of libxcb's writes; others see EPIPE as well */
    XSetIOErrorHandler(on_io_error);
    XSetIOErrorExitHandler(display, on_exit_wanted, s);
    s->connection = ConnectionNumber(display) + 1;
}
#endif

void lost_watch(seat_t *s, SDL_Window *window)
{
    SDL_SysWMinfo info;
    SDL_VERSION(&info.version);
    if (!SDL_GetWindowWMInfo(window, &info)) {
        return;
    }
#ifdef SDL_VIDEO_DRIVER_X11
    if (info.subsystem == SDL_SYSWM_X11) {
        watch_x11(s, info.info.x11.display);
    }
#endif
#ifdef SDL_VIDEO_DRIVER_WAYLAND
    if (info.subsystem == SDL_SYSWM_WAYLAND) {
        s->wayland = info.info.wl.display;
    }
#endif
    (void)s;
}

void lost_end(seat_t *s)
{
#ifdef SDL_VIDEO_DRIVER_X11
    if (s->connection) {
        close(s->wake_pipe[0]);
        close(s->wake_pipe[1]);
    }
#else
    (void)s;
#endif
}
