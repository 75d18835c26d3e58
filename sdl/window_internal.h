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
    uint64_t retired, disk, net;
    uint32_t frames; /* drawn since then */
    char text[160];
} window_figures_t;

struct window {
    SDL_Window *handle;
    SDL_Renderer *renderer;
    glyphs_t *glyphs;
    unsigned font_size; /* pixels on a screen of usual density */
    app_t *app;
    input_t *power; /* whose power key closing the window presses; NULL: none */

    view_t *view[WINDOW_VIEWS_MAX];
    unsigned count, shown;
    int width, height; /* pixels of the renderer */
    float scale;
    bool focused, grabbed, smooth, full, status, asking;
    bool redraw;
    bool swallow;                /* text that a shortcut's key makes */
    uint32_t drawn_at, again_at; /* again_at 0: never */
    uint32_t took;               /* drawing the last picture, in milliseconds */
    uint32_t settle_at; /* when views are told that their places are settled; 0: they are */

    uint32_t wake_event;
    uint32_t woken, over, lost; /* atomic */
    int connection;             /* the X display's descriptor + 1; 0: there is none */
    int wake_pipe[2];           /* with a connection */

    host_mutex_t *lock;      /* guards the notice */
    char notice[NOTICE_MAX]; /* "": none */
    uint32_t notice_until;
    char drawn_notice[NOTICE_MAX];

    window_figures_t figures;
    canvas_t canvas; /* the status lines' */
};

/* window_keys.c: true when the key was the window's. */
bool window_key(window_t *w, const SDL_KeyboardEvent *e);
void window_grab(window_t *w, bool grab);
void window_ask(window_t *w);

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

/* lost.c: from lost_watch() on, `lost` is set when the connection to the display breaks; without it
 * the process would end. lost_wait() is SDL_WaitEventTimeout(), and any thread ends it with
 * lost_wake(). */
void lost_watch(window_t *w);
void lost_end(window_t *w);
bool lost_wait(window_t *w, SDL_Event *event, int wait_ms);
void lost_wake(window_t *w);

#endif
