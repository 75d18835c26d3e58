/* SPDX-License-Identifier: MPL-2.0 */
#include "clipboard.h"

#include "sdl.h"

#include "../src/host/clock.h"
#include "../src/host/thread.h"

#include <stdlib.h>
#include <string.h>

#define CLIPBOARD_MAX ((size_t)64 << 20) /* bytes */
#define TRIES_MS 4000
#define PAUSE_MS 60

struct clipboard {
    bool primary;
    void (*ready)(void *opaque);
    void *opaque;
    host_thread_t *thread; /* reads it, or pauses; NULL: neither */
    uint32_t until;        /* when to give up */
    uint32_t again;        /* atomic: the pause is over */
    char *text;
    size_t size;
    bool failed;
    uint32_t done; /* atomic */
};

static void clipboard_finish(clipboard_t *c)
{
    __atomic_store_n(&c->done, 1, __ATOMIC_SEQ_CST);
    c->ready(c->opaque);
}

/* False: too much, or no memory. */
static bool clipboard_add(clipboard_t *c, const void *bytes, size_t size)
{
    char *text = size <= CLIPBOARD_MAX - c->size ? realloc(c->text, c->size + size + 1) : NULL;
    if (!text) {
        return false;
    }
    memcpy(text + c->size, bytes, size);
    c->text = text;
    c->size += size;
    text[c->size] = 0;
    return true;
}

#ifdef SDL_VIDEO_DRIVER_X11
#include <X11/Xatom.h>
#include <X11/Xlib.h>

#include <poll.h>

#define STEP_MS 3000 /* how long the owner may take for each piece */

/* The display is lost; its calls fail from here on. */
static void on_exit_wanted(Display *display, void *opaque)
{
    (void)display;
    (void)opaque;
}

/* The next event of a type; false: none comes. */
static bool x_next(Display *display, int type, XEvent *event)
{
    uint32_t until = SDL_GetTicks() + STEP_MS;
    for (;;) {
        while (XPending(display) > 0) {
            XNextEvent(display, event);
            if (event->type == type) {
                return true;
            }
        }
        int32_t left = (int32_t)(until - SDL_GetTicks());
        struct pollfd fd = {.fd = ConnectionNumber(display), .events = POLLIN};
        if (left <= 0 || poll(&fd, 1, left) <= 0 || (fd.revents & (POLLERR | POLLHUP))) {
            return false;
        }
    }
}

/* Takes the property and deletes it; returns its size, with its type in *type; -1: failed. */
static long x_take(clipboard_t *c, Display *display, Window window, Atom property, Atom *type)
{
    unsigned char *bytes = NULL;
    unsigned long items = 0, left = 0;
    int format = 0;
    if (XGetWindowProperty(display, window, property, 0, (long)(CLIPBOARD_MAX / 4), True,
                           AnyPropertyType, type, &format, &items, &left, &bytes) != Success) {
        return -1;
    }
    bool ok = format != 8 || left == 0;
    ok = ok && (format != 8 || clipboard_add(c, bytes, items));
    if (bytes) {
        XFree(bytes);
    }
    return ok ? (long)items : -1;
}

static bool x_read(clipboard_t *c, Display *display)
{
    Window window = XCreateSimpleWindow(display, DefaultRootWindow(display), 0, 0, 1, 1, 0, 0, 0);
    Atom selection = c->primary ? XA_PRIMARY : XInternAtom(display, "CLIPBOARD", False);
    Atom utf8 = XInternAtom(display, "UTF8_STRING", False);
    Atom incr = XInternAtom(display, "INCR", False), type;
    Atom property = XInternAtom(display, "RVKIT_CLIPBOARD", False);
    XEvent event;
    XSelectInput(display, window, PropertyChangeMask);
    XConvertSelection(display, selection, utf8, property, window, CurrentTime);
    if (!x_next(display, SelectionNotify, &event)) {
        return false;
    }
    if (event.xselection.property == None) {
        return true; /* there is nothing, or no text */
    }
    long size = x_take(c, display, window, property, &type);
    if (size < 0 || type != incr) {
        return size >= 0;
    }
    do { /* in pieces, the last one of which is empty */
        do {
            if (!x_next(display, PropertyNotify, &event)) {
                return false;
            }
        } while (event.xproperty.state != PropertyNewValue);
        size = x_take(c, display, window, property, &type);
    } while (size > 0);
    return size == 0;
}

static void clipboard_body(void *arg)
{
    clipboard_t *c = arg;
    Display *display = XOpenDisplay(NULL);
    if (display) {
        XSetIOErrorExitHandler(display, on_exit_wanted, NULL);
        c->failed = !x_read(c, display);
        if (c->failed) { /* all or nothing */
            free(c->text);
            c->text = NULL;
        }
        XCloseDisplay(display);
    }
    clipboard_finish(c);
}

static bool clipboard_by_thread(clipboard_t *c)
{
    const char *driver = SDL_GetCurrentVideoDriver();
    c->thread = driver && !strcmp(driver, "x11") ? host_thread_create(clipboard_body, c) : NULL;
    return c->thread != NULL;
}
#else
static bool clipboard_by_thread(clipboard_t *c)
{
    (void)c;
    return false;
}
#endif

/* --- Through SDL --- */

static void clipboard_pause(void *arg)
{
    clipboard_t *c = arg;
    host_sleep_ns(PAUSE_MS * 1000000);
    __atomic_store_n(&c->again, 1, __ATOMIC_SEQ_CST);
    c->ready(c->opaque);
}

/*
 * On Wayland SDL waits for 14 ms for each piece, and takes what it has by then for all of it: its
 * error tells. Whoever is so slow is asked again, after a pause without which it would be slower.
 */
static void clipboard_try(clipboard_t *c)
{
    SDL_ClearError();
    char *text = c->primary ? SDL_GetPrimarySelectionText() : SDL_GetClipboardText();
    bool whole = !*SDL_GetError();
    c->failed = !whole || (text && *text && !clipboard_add(c, text, strlen(text)));
    SDL_free(text);
    if (!whole && (int32_t)(c->until - SDL_GetTicks()) > 0) {
        c->thread = host_thread_create(clipboard_pause, c);
    }
    if (!c->thread) {
        clipboard_finish(c);
    }
}

clipboard_t *clipboard_ask(bool primary, void (*ready)(void *opaque), void *opaque)
{
    clipboard_t *c = calloc(1, sizeof(*c));
    if (!c) {
        return NULL;
    }
    c->primary = primary;
    c->ready = ready;
    c->opaque = opaque;
    c->until = SDL_GetTicks() + TRIES_MS;
    if (!clipboard_by_thread(c)) {
        clipboard_try(c);
    }
    return c;
}

bool clipboard_ready(clipboard_t *c)
{
    if (__atomic_exchange_n(&c->again, 0, __ATOMIC_SEQ_CST)) {
        host_thread_join(c->thread);
        c->thread = NULL;
        clipboard_try(c);
    }
    return __atomic_load_n(&c->done, __ATOMIC_SEQ_CST);
}

bool clipboard_failed(const clipboard_t *c)
{
    return c->failed;
}

char *clipboard_take(clipboard_t *c)
{
    if (!c) {
        return NULL;
    }
    if (c->thread) {
        host_thread_join(c->thread);
    }
    char *text = c->text;
    free(c);
    return text;
}
