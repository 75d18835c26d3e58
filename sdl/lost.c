/* SPDX-License-Identifier: MPL-2.0 */
#include "window_internal.h"

#include <SDL_syswm.h>

#ifdef SDL_VIDEO_DRIVER_X11
#include <X11/Xlib.h>

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
    __atomic_store_n((uint32_t *)opaque, 1, __ATOMIC_SEQ_CST);
}
#endif

void lost_watch(SDL_Window *window, uint32_t *lost)
{
    SDL_SysWMinfo info;
    SDL_VERSION(&info.version);
#ifdef SDL_VIDEO_DRIVER_X11
    if (SDL_GetWindowWMInfo(window, &info) && info.subsystem == SDL_SYSWM_X11) {
        XSetIOErrorHandler(on_io_error);
        XSetIOErrorExitHandler(info.info.x11.display, on_exit_wanted, lost);
    }
#else
    (void)window;
    (void)lost;
#endif
}
