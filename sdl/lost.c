/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Waiting for the display, and outliving it. On X11 the window waits by itself, for the connection
 * and for a pipe that other threads write to: SDL would have them send a message over a second
 * connection, and Xlib ends the process when that one breaks.
 */
#include "window_internal.h"

#include <SDL_syswm.h>

/* SDL looks after input methods at its own calls only: the longest that it is not called, in
 * milliseconds. */
#define PUMP_MS 100

#ifdef SDL_VIDEO_DRIVER_X11
#include <X11/Xlib.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

/* Quiet: the window says it. */
static int on_io_error(Display *display)
{
    (void)display;
    return 0;
}

/* Xlib goes on after this, and every further call fails. */
static void on_exit_wanted(Display *display, void *opaque)
{
    (void)display;
    window_t *w = opaque;
    __atomic_store_n(&w->lost, 1, __ATOMIC_SEQ_CST);
}

/* An event, as SDL_WaitEventTimeout() has it. */
static bool wait_for_connection(window_t *w, SDL_Event *event, int wait_ms)
{
    struct pollfd fds[2] = {{.fd = w->connection - 1, .events = POLLIN},
                            {.fd = w->wake_pipe[0], .events = POLLIN}};
    char drop[64];
    if (SDL_PollEvent(event)) {
        return true;
    }
    if (!__atomic_load_n(&w->lost, __ATOMIC_SEQ_CST)) {
        poll(fds, 2, wait_ms < 0 || wait_ms > PUMP_MS ? PUMP_MS : wait_ms);
        while (read(w->wake_pipe[0], drop, sizeof(drop)) > 0) {
        }
    }
    return SDL_PollEvent(event);
}
#endif

bool lost_wait(window_t *w, SDL_Event *event, int wait_ms)
{
#ifdef SDL_VIDEO_DRIVER_X11
    if (w->connection) {
        return wait_for_connection(w, event, wait_ms);
    }
#endif
    return SDL_WaitEventTimeout(event, wait_ms) != 0;
}

void lost_wake(window_t *w)
{
#ifdef SDL_VIDEO_DRIVER_X11
    if (w->connection) {
        ssize_t ignored = write(w->wake_pipe[1], "", 1);
        (void)ignored; /* a full pipe wakes as well */
        return;
    }
#endif
    SDL_Event event = {.type = w->wake_event};
    SDL_PushEvent(&event);
}

void lost_watch(window_t *w)
{
    SDL_SysWMinfo info;
    SDL_VERSION(&info.version);
#ifdef SDL_VIDEO_DRIVER_X11
    if (SDL_GetWindowWMInfo(w->handle, &info) && info.subsystem == SDL_SYSWM_X11 &&
        pipe(w->wake_pipe) == 0) {
        for (int i = 0; i < 2; i++) {
            fcntl(w->wake_pipe[i], F_SETFL, O_NONBLOCK);
            fcntl(w->wake_pipe[i], F_SETFD, FD_CLOEXEC);
        }
        signal(SIGPIPE, SIG_IGN); /* of libxcb's writes; others see EPIPE as well */
        XSetIOErrorHandler(on_io_error);
        XSetIOErrorExitHandler(info.info.x11.display, on_exit_wanted, w);
        w->connection = ConnectionNumber(info.info.x11.display) + 1;
    }
#else
    (void)w;
#endif
}

void lost_end(window_t *w)
{
#ifdef SDL_VIDEO_DRIVER_X11
    if (w->connection) {
        close(w->wake_pipe[0]);
        close(w->wake_pipe[1]);
    }
#else
    (void)w;
#endif
}
