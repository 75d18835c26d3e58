/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A terminal: bytes of a guest in, cells with attributes out. VT220 and xterm control functions,
 * UTF-8, colours, alternate screen, margins, mouse, scrollback, selection, and its state to and
 * from bytes.
 *
 * No threads, no globals, no operating system: one vt_t belongs to one thread at a time. Memory is
 * bounded by the size and the number of scrollback lines, whatever bytes come. Rows count from 0 at
 * the top of the screen; negative rows are scrollback, -1 is the newest. Columns count from 0.
 */
#ifndef RVKIT_VT_H
#define RVKIT_VT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VT_MIN_COLS 2
#define VT_MIN_ROWS 1
#define VT_MAX_COLS 1000
#define VT_MAX_ROWS 500
#define VT_DEFAULT_SCROLLBACK 10000

/* A colour: VT_COLOR_KIND and, below it, an index or 0xRRGGBB. */
#define VT_COLOR_KIND 0x3000000u
#define VT_COLOR_DEFAULT 0x0000000u
#define VT_COLOR_16 0x1000000u
#define VT_COLOR_256 0x2000000u
#define VT_COLOR_RGB 0x3000000u
#define VT_COLOR_MASK 0x3ffffffu

/* Flags in fg. */
#define VT_BOLD (1u << 26)
#define VT_DIM (1u << 27)
#define VT_ITALIC (1u << 28)
#define VT_INVERSE (1u << 29)
#define VT_INVISIBLE (1u << 30)
#define VT_STRIKE (1u << 31)
/* Flags in bg. */
#define VT_BLINK (1u << 26)
#define VT_OVERLINE (1u << 27)
#define VT_PROTECTED (1u << 28)
#define VT_UNDERLINE_SHIFT 29 /* 0 none, 1 single, 2 double, 3 curly, 4 dotted, 5 dashed */
#define VT_UNDERLINE (7u << VT_UNDERLINE_SHIFT)

/* Fields of ch. */
#define VT_CODE 0x1fffffu     /* a code point, 0 where nothing was written; or a cluster's number */
#define VT_CLUSTER (1u << 21) /* several code points: see vt_cell_text */
#define VT_WIDTH_SHIFT 22     /* 1; 2 for the left half of a wide character, 0 for its right half */
#define VT_WIDTH (3u << VT_WIDTH_SHIFT)
#define VT_BLANK (1u << VT_WIDTH_SHIFT)

#define VT_CLUSTER_MAX 16 /* code points in one cell; more marks are not kept */

typedef struct {
    uint32_t ch;
    uint32_t fg;  /* colour and flags */
    uint32_t bg;  /* colour and flags */
    uint32_t ext; /* 0, or a number for vt_extra: underline colour and hyperlink */
} vt_cell_t;

typedef struct vt vt_t;

typedef enum { VT_CURSOR_BLOCK, VT_CURSOR_UNDERLINE, VT_CURSOR_BAR } vt_cursor_shape_t;

typedef struct {
    unsigned row, col; /* col is below the number of columns */
    bool pending_wrap; /* the next character goes to the next row */
    bool visible;
    bool blink;
    vt_cursor_shape_t shape;
} vt_cursor_t;

typedef enum {
    VT_MOUSE_OFF,
    VT_MOUSE_X10,
    VT_MOUSE_NORMAL,
    VT_MOUSE_BUTTON,
    VT_MOUSE_ANY
} vt_mouse_t;
typedef enum { VT_MOUSE_BYTES, VT_MOUSE_SGR, VT_MOUSE_SGR_PIXELS } vt_mouse_format_t;

typedef struct {
    bool app_cursor, app_keypad, origin, wrap, reverse_wrap, insert, newline, bracketed_paste,
        focus, sync;
    bool allow_columns; /* DECCOLM is heeded (xterm's mode 40); the width stays even then */
    bool reverse_video, margins, alternate;
    vt_mouse_t mouse;
    vt_mouse_format_t mouse_format;
} vt_modes_t;

/* Each may be NULL. Called from vt_write, vt_key and the like; text is UTF-8, valid during the call
 * only. */
typedef struct {
    void (*reply)(void *ctx, const void *bytes, size_t len); /* to the guest */
    void (*bell)(void *ctx);
    void (*title)(void *ctx, const char *title);
    /* The guest sets (text, len) or, with text NULL, asks for the clipboard: answer with
     * vt_clipboard_answer. */
    void (*clipboard)(void *ctx, char which, const char *base64, size_t len);
    void *ctx;
} vt_callbacks_t;

/*
 * A new terminal; sizes are clamped to VT_MIN.. and VT_MAX.., scrollback counts lines (0 for none).
 * NULL when there is no memory.
 */
vt_t *vt_create(unsigned cols, unsigned rows, unsigned scrollback, const vt_callbacks_t *callbacks);
void vt_destroy(vt_t *vt);

/* Takes all bytes. */
void vt_write(vt_t *vt, const void *bytes, size_t len);

/*
 * Where in the stream something is, so that a front end can tell which bytes made the terminal call
 * it (a query that a further terminal must not answer as well). Offsets count the bytes taken since
 * vt_create or vt_load; they do not depend on how the stream was cut. In a callback from vt_write
 * the range from vt_sequence_start to vt_written is what is being carried out: a control character,
 * or a whole control sequence or string with its introducer and terminator (ST's both bytes; a
 * string that ESC and another byte end is without that ESC). A control character inside an
 * unfinished sequence is a range of its own.
 */
/* Bytes taken so far. */
uint64_t vt_written(const vt_t *vt);
/* Outside of callbacks: the first byte of the sequence, string or UTF-8 character that is not
 * finished (0 for one that a state from vt_load began with), else vt_written. */
uint64_t vt_sequence_start(const vt_t *vt);

/* As RIS: everything but the size and the scrollback's limit as vt_create left it. */
void vt_reset(vt_t *vt);

/* Lines that were wrapped are joined and wrapped anew, scrollback included. False, and nothing
 * done, without memory. */
bool vt_resize(vt_t *vt, unsigned cols, unsigned rows);

unsigned vt_cols(const vt_t *vt);
unsigned vt_rows(const vt_t *vt);
/* How many rows above the screen can be read; 0 in the alternate screen. */
unsigned vt_scrollback(const vt_t *vt);
void vt_scrollback_clear(vt_t *vt);

/*
 * The cells of a row, vt_cols of them: of the screen without a copy, of the scrollback decoded to a
 * buffer that the next such call uses again. Valid until the terminal is written to. NULL outside.
 */
const vt_cell_t *vt_row(vt_t *vt, int row);
/* The row goes on from the one above without a line feed. */
bool vt_row_wrapped(const vt_t *vt, int row);
/* The code points of a cell, at most VT_CLUSTER_MAX; 0 for a cell that was never written. */
unsigned vt_cell_text(const vt_t *vt, const vt_cell_t *cell, uint32_t *codes);
static inline unsigned vt_cell_width(const vt_cell_t *cell)
{
    return (cell->ch & VT_WIDTH) >> VT_WIDTH_SHIFT;
}
/* The underline's colour (VT_COLOR_DEFAULT: as the text) and, unless NULL, the hyperlink or "". */
uint32_t vt_cell_extra(const vt_t *vt, const vt_cell_t *cell, const char **link);
/* A colour as 0xRRGGBB after the palette; def is VT_DEFAULT_FG or VT_DEFAULT_BG, for
 * VT_COLOR_DEFAULT. */
#define VT_DEFAULT_FG 256
#define VT_DEFAULT_BG 257
#define VT_CURSOR_COLOR 258
#define VT_PALETTE 259
uint32_t vt_color_rgb(const vt_t *vt, uint32_t color, unsigned def);

/* Rows of the screen that changed since vt_clean: vt_dirty for one; all of them after a scroll or
 * resize. */
bool vt_dirty(const vt_t *vt, unsigned row);
bool vt_any_dirty(const vt_t *vt);
void vt_clean(vt_t *vt);
/* Lines that went to the scrollback since vt_create; a front end that shows scrollback stays in
 * place with it. */
uint64_t vt_scrolled(const vt_t *vt);

void vt_cursor(const vt_t *vt, vt_cursor_t *cursor);
void vt_modes(const vt_t *vt, vt_modes_t *modes);
const char *vt_title(const vt_t *vt);
const char *vt_icon_name(const vt_t *vt);
/* The same for screens that look the same (cells, cursor) and have the same title: front ends
 * compare it. */
uint64_t vt_hash(vt_t *vt);
/* Bytes held, for limits and tests. */
size_t vt_memory(const vt_t *vt);

/*
 * Text from one place to another, both included, in either order: wrapped rows are one line, blanks
 * at line ends are not kept, lines end in \n. block takes the rectangle instead. The caller frees
 * it; NULL without memory.
 */
char *vt_select(vt_t *vt, int row0, int col0, int row1, int col1, bool block, size_t *len);
/* A row range as bytes that draw it: text with SGR, lines ended with \r\n. The caller frees it. */
char *vt_draw(vt_t *vt, int row0, int row1, size_t *len);
/* Bytes that bring another terminal of the same size to this screen, cursor and input modes. */
char *vt_repaint(vt_t *vt, size_t *len);

/* The whole state. save: the caller frees it. load: NULL when the bytes are not a state, or without
 * memory. */
uint8_t *vt_save(const vt_t *vt, size_t *len);
vt_t *vt_load(const void *bytes, size_t len, const vt_callbacks_t *callbacks);

/* Columns of a code point: 0, 1 or 2 (Unicode 15.0; controls are 0). */
unsigned vt_char_width(uint32_t code);

/* Input for the guest: encoded as the terminal's modes ask, handed to the reply callback. */
#define VT_MOD_SHIFT 1u
#define VT_MOD_ALT 2u
#define VT_MOD_CTRL 4u
#define VT_MOD_META 8u

typedef enum {
    VT_KEY_NONE = 0x110000, /* below it: code points */
    VT_KEY_UP,
    VT_KEY_DOWN,
    VT_KEY_RIGHT,
    VT_KEY_LEFT,
    VT_KEY_HOME,
    VT_KEY_END,
    VT_KEY_INSERT,
    VT_KEY_DELETE,
    VT_KEY_PAGE_UP,
    VT_KEY_PAGE_DOWN,
    VT_KEY_BACKSPACE,
    VT_KEY_TAB,
    VT_KEY_ENTER,
    VT_KEY_ESCAPE,
    VT_KEY_F1, /* to F20 */
    VT_KEY_F20 = VT_KEY_F1 + 19,
    VT_KEY_PAD_0, /* to 9 */
    VT_KEY_PAD_9 = VT_KEY_PAD_0 + 9,
    VT_KEY_PAD_DOT,
    VT_KEY_PAD_ENTER,
    VT_KEY_PAD_PLUS,
    VT_KEY_PAD_MINUS,
    VT_KEY_PAD_STAR,
    VT_KEY_PAD_SLASH,
    VT_KEY_PAD_EQUAL,
    VT_KEY_PAD_COMMA,
    VT_KEY_END_OF_LIST
} vt_key_t;

void vt_key(vt_t *vt, uint32_t key, unsigned mods);
/* UTF-8 text from a clipboard: bracketed if asked for; ESC and other controls but \t and \r are
 * taken out. */
void vt_paste(vt_t *vt, const char *text, size_t len);
void vt_focus(vt_t *vt, bool in);
void vt_clipboard_answer(vt_t *vt, char which, const char *base64, size_t len);

typedef enum { VT_MOUSE_PRESS, VT_MOUSE_RELEASE, VT_MOUSE_MOVE } vt_mouse_action_t;
/*
 * button: 0 left, 1 middle, 2 right, 3 none (for a move), 4 and 5 wheel up and down, 6 and 7 wheel
 * left and right, 8 to 11 further ones. x and y in pixels are used by VT_MOUSE_SGR_PIXELS only.
 * True when the guest was told.
 */
bool vt_mouse(vt_t *vt, vt_mouse_action_t action, unsigned button, unsigned col, unsigned row,
              unsigned x, unsigned y, unsigned mods);

#endif
