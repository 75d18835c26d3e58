/* SPDX-License-Identifier: MPL-2.0 */
/* What the files of the text view share. Main thread, but for text_told(). */
#ifndef RVKIT_SDL_TEXT_INTERNAL_H
#define RVKIT_SDL_TEXT_INTERNAL_H

#include "clipboard.h"
#include "text_view.h"

/* What is to be seen in a cell, all questions answered: cells that are equal look equal. */
typedef struct {
    uint32_t code; /* 0: blank; or a glyphs_cluster() */
    uint32_t fg, bg, line, cursor_rgb;
    uint8_t style;     /* GLYPHS_* */
    uint8_t columns;   /* 0: the right half of the one before */
    uint8_t underline; /* as VT_UNDERLINE */
    uint8_t marks;     /* MARK_* */
} text_cell_t;

enum { MARK_STRIKE = 1, MARK_OVERLINE = 2, MARK_UNDER = 4, MARK_BAR = 8, MARK_HOLLOW = 16 };

typedef enum { SELECT_NONE, SELECT_CHARS, SELECT_WORDS, SELECT_LINES, SELECT_BLOCK } select_mode_t;

/* Places in the text; a row counts from the oldest line that ever was. */
typedef struct {
    int64_t row;
    int col;
} text_place_t;

typedef struct {
    view_t view;
    console_t *console;
    console_viewer_t *viewer;
    uint32_t bits; /* atomic: CONSOLE_* that were told */

    canvas_t canvas;
    SDL_Texture *texture;
    text_cell_t *want, *have; /* cols * rows each */
    unsigned cols, rows;      /* of these */
    int width, height;        /* pixels of the window */
    uint32_t back;            /* the colour around the text */
    bool stale;               /* every cell is to be drawn */
    bool all;                 /* every cell is to be looked at */

    bool focused;
    bool blink_off;     /* now, for the cursor and text that blinks */
    bool blinks;        /* something does */
    uint32_t blink_at;  /* when that changes */
    uint32_t sync_from; /* since when the guest has asked to wait with drawing; 0: it does not */

    unsigned above; /* rows of scrollback in sight */
    uint64_t scrolled;
    int wheel; /* parts of a row */

    select_mode_t select;
    bool selecting;
    text_place_t from, to; /* as the mouse went */
    int press_x, press_y;

    vt_modes_t modes; /* as of the last look */
    int cursor_row, cursor_col;
    bool block;               /* a rectangle, if the mouse moves */
    int mouse_col, mouse_row; /* told last */
    char editing[1024];       /* of an input method; "": nothing */
    clipboard_t *clipboard;   /* being read; NULL: not */
    clipboard_t *giving;      /* and for the guest */
    char asked;               /* the clipboard that the guest asks for */
    uint32_t asked_until;     /* it may be given; 0: the guest does not ask */
    bool swallow;             /* the text that this key makes was sent as a key */
} text_view_t;

/* text_cells.c: looks at the console, and brings the canvas and the texture up to date. */
void text_cells_look(text_view_t *t);
void text_cells_draw(text_view_t *t);

/* text_select.c */
void text_select_press(text_view_t *t, int x, int y, unsigned clicks, bool block, bool extend);
void text_select_drag(text_view_t *t, int x, int y);
void text_select_end(text_view_t *t);
void text_select_clear(text_view_t *t);
bool text_selected(const text_view_t *t, int64_t row, int col);
void text_copy(text_view_t *t, bool primary);
void text_paste(text_view_t *t, bool primary);
void text_finish_paste(text_view_t *t); /* the clipboard has been read, perhaps */
void text_take_clipboard(text_view_t *t);
void text_asked(text_view_t *t); /* the guest asks for the clipboard */
void text_give(view_t *view);    /* and gets it, if it still asks */
void text_finish_give(text_view_t *t);

/* text_input.c */
void text_event(view_t *view, const SDL_Event *event);

/* In rows; up is positive. */
void text_scroll(text_view_t *t, int rows);

static inline text_view_t *text_of(view_t *view)
{
    return (text_view_t *)view;
}

/* Pixels between the window's edge and the text. */
static inline int text_margin(const text_view_t *t)
{
    return (int)(2 * window_scale(t->view.window) + 0.5f);
}

#endif
