/* SPDX-License-Identifier: MPL-2.0 */
/* What the files of the window share. */
#ifndef RVKIT_SDL_WINDOW_INTERNAL_H
#define RVKIT_SDL_WINDOW_INTERNAL_H

#include "window.h"

#include "../src/host/thread.h"

#define NOTICE_MAX 400

/* What the status line counts, and when it last did. */
typedef struct {
    uint32_t at; /* 0: not yet */
    window_counts_t counts;
    uint32_t frames; /* drawn since then */
    char text[160];
} window_figures_t;

struct window {
    seat_t *seat;
    window_t *next; /* of the seat's */
    SDL_Window *handle;
    SDL_Renderer *renderer;
    glyphs_t *glyphs;
    char title[64];
    unsigned font_size; /* pixels on a screen of usual density */
    window_guest_t guest;
    input_t *power; /* whose power key closing the window presses; NULL: none */

    view_t *view[WINDOW_VIEWS_MAX];
    unsigned count, shown;
    int width, height; /* pixels of the renderer */
    float scale;
    bool focused, grabbed, smooth, status, asking;
    bool unseen; /* minimised, or hidden otherwise: nothing is drawn */
    bool redraw;
    bool swallow;                /* text that a shortcut's key makes */
    uint32_t drawn_at, again_at; /* again_at 0: never */
    uint32_t took;               /* drawing the last picture, in milliseconds */
    uint32_t settle_at; /* when views are told that their places are settled; 0: they are */

    bool started, hidden;
    uint32_t woken, over; /* atomic */

    host_mutex_t *lock;      /* guards the notice */
    char notice[NOTICE_MAX]; /* "": none */
    uint32_t notice_until;
    char drawn_notice[NOTICE_MAX];

    window_figures_t figures;
    canvas_t canvas; /* the status lines' */
};

/* window_keys.c: true when the key was the window's. */
bool window_key(window_t *w, const SDL_KeyboardEvent *e);
void window_ask(window_t *w);

/* window_manager.c: whether it fills the screen, by whomever; its icon. */
bool window_is_full(window_t *w);
void window_set_icon(SDL_Window *handle);

/* window_status.c: draws what is to be seen at the bottom; milliseconds until it changes by itself.
 */
uint32_t window_draw_status(window_t *w);

/* window_renderer.c: NULL: there is none. */
SDL_Renderer *window_make_renderer(SDL_Window *handle);

/* window_drop.c: a file was dropped on the window. */
void window_drop(window_t *w, const char *path);

/* window.c */
void window_show(window_t *w, unsigned index);
void window_place(window_t *w);
void window_wake(window_t *w); /* any thread */
void window_set_font(window_t *w, unsigned size);

/* window.c, for the seat: whether it was started and has not ended; whether to draw, and if not,
 * for how many milliseconds to wait for events (-1 for ever). */
bool window_goes_on(const window_t *w);
bool window_due(window_t *w, int *wait);
void window_draw(window_t *w);
void window_on_event(window_t *w, SDL_Event *e);
void window_on_wake(window_t *w);
void window_hide(window_t *w);

#endif
