/* SPDX-License-Identifier: MPL-2.0 */
/* What the window shows one of: a text console, or a screen of the guest. */
#ifndef RVKIT_SDL_VIEW_H
#define RVKIT_SDL_VIEW_H

#include "canvas.h"

#include "sdl.h"

#define VIEW_NEVER UINT32_MAX

typedef struct window window_t;
typedef struct view view_t;

/* All from the main thread. */
typedef struct {
    void (*free)(view_t *view);

    /* It has so many pixels of the window from now on, whether it is shown or not. */
    void (*place)(view_t *view, int width, int height);

    /* Its place has not changed for a moment. May be NULL. */
    void (*settle)(view_t *view);

    /* Something was told since (view_wake); also when it is not shown. May be NULL. */
    void (*told)(view_t *view);

    /* It is shown, or no longer; the window gets the keyboard, or loses it. */
    void (*focus)(view_t *view, bool in);

    /* Keyboard, text, mouse and touch; places are in pixels of the renderer. */
    void (*event)(view_t *view, const SDL_Event *event);

    /* Draws into the window's renderer. Returns after how many milliseconds it has to be drawn
     * again by itself, or VIEW_NEVER. */
    uint32_t (*draw)(view_t *view);

    /* The renderer has lost its textures. */
    void (*lost)(view_t *view);

    /* Its picture, 0xXXRRGGBB without gaps, for free(); NULL: none. */
    uint32_t *(*picture)(view_t *view, uint32_t *width, uint32_t *height);

    /* The person allows what the guest has asked for. May be NULL. */
    void (*give)(view_t *view);

    /* Its title now, cut to size - 1 bytes; may be NULL. */
    void (*title)(view_t *view, char *title, size_t size);
} view_ops_t;

struct view {
    const view_ops_t *ops;
    window_t *window;
    char name[64];
    bool screen;      /* takes keys as they lie on the keyboard, and can grab */
    uint32_t changed; /* atomic: since it was drawn */
    uint32_t news;    /* atomic: since it was told */
};

/* Any thread: it has something to tell or to draw. */
void view_wake(view_t *view);

/* --- What views ask of the window; main thread --- */

/* NULL: the display is lost. */
SDL_Renderer *window_renderer(window_t *window);
glyphs_t *window_glyphs(window_t *window);
SDL_Window *window_handle(window_t *window);
bool window_grabbed(const window_t *window);
bool window_smooth(const window_t *window);
bool window_focused(const window_t *window);

/* What a key is to shortcuts and to Ctrl: its letter, and on keyboards of other scripts the Latin
 * one in its place. */
SDL_Keycode window_key_sym(const SDL_Keysym *key);

/* Pixels of the renderer for each unit of the window. */
float window_scale(const window_t *window);

#endif
