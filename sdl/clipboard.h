/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Reading the clipboard. SDL 2 does not take what X11 hands over in pieces (more than about a
 * megabyte, or 256 KiB from some programs); and whoever owns it may be slow. So a thread with a
 * connection of its own asks for it.
 */
#ifndef RVKIT_SDL_CLIPBOARD_H
#define RVKIT_SDL_CLIPBOARD_H

#include <stdbool.h>

typedef struct clipboard clipboard_t;

/*
 * Begins to read the clipboard, or what is selected (primary). ready is called when
 * clipboard_ready() may have become true, from any thread, perhaps before this returns. NULL: no
 * memory. All else: main thread.
 */
clipboard_t *clipboard_ask(bool primary, void (*ready)(void *opaque), void *opaque);

/* Whether it was read, or cannot be. */
bool clipboard_ready(clipboard_t *clipboard);

/* After ready: there is something, but it is too much, or its owner did not give all of it. */
bool clipboard_failed(const clipboard_t *clipboard);

/* Waits for it, frees it, and gives the text, for free(); NULL: there is none. NULL is allowed. */
char *clipboard_take(clipboard_t *clipboard);

#endif
