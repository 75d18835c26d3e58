/* SPDX-License-Identifier: MPL-2.0 */
#include "window_internal.h"

#include <SDL_syswm.h>

#ifdef SDL_VIDEO_DRIVER_X11
#include <X11/Xlib.h>

#include <poll.h>
#include <signal.h>

/* Quiet: the window says it. */
static int on_io_error(Display *display)
{
    (void)display;
    return 0;
}

/*
 * Xlib goes on after this, and every further call fails. SDL, which may be waiting for ever, finds
 * an event then; it is not woken by SDL_PushEvent(), which would call Xlib.
 */
static void on_exit_wanted(Display *display, void *opaque)
{
    (void)display;
    window_t *w = opaque;
    SDL_Event event = {.type = w->wake_event};
    if (!__atomic_exchange_n(&w->lost, 1, __ATOMIC_SEQ_CST)) {
        SDL_PeepEvents(&event, 1, SDL_ADDEVENT, 0, 0);
    }
}
#endif

/*
 * SDL wakes its thread through a second connection, which ends the process when it is broken, and
 * is out of reach; so nobody is woken when the first one is. SDL's thread sees that by itself.
 */
bool lost_soon(const window_t *w)
{
#ifdef SDL_VIDEO_DRIVER_X11
    struct pollfd fd = {.fd = w->connection - 1, .events = 0};
    return w->connection && poll(&fd, 1, 0) > 0 && (fd.revents & (POLLERR | POLLHUP));
#else
    (void)w;
    return false;
#endif
}

void lost_watch(window_t *w)
{
    SDL_SysWMinfo info;
    SDL_VERSION(&info.version);
#ifdef SDL_VIDEO_DRIVER_X11
    if (SDL_GetWindowWMInfo(w->handle, &info) && info.subsystem == SDL_SYSWM_X11) {
        signal(SIGPIPE, SIG_IGN); /* of libxcb's writes; others see EPIPE as well */
        XSetIOErrorHandler(on_io_error);
        w->connection = ConnectionNumber(info.info.x11.display) + 1;
        XSetIOErrorExitHandler(info.info.x11.display, on_exit_wanted, w);
    }
#else
    (void)w;
#endif
}
