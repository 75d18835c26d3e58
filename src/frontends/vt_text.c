/* SPDX-License-Identifier: MPL-2.0 */
/* The screen as text: a selection, rows with colours, and bytes that bring another terminal to the
 * same screen. */
#include "vt_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct {
    char *text;
    size_t len, cap;
    bool failed;
} text_t;

static void add(text_t *t, const char *bytes, size_t len)
{
    if (t->len + len + 1 > t->cap) {
        size_t cap = (t->cap ? t->cap * 2 : 4096) + len;
        char *more = realloc(t->text, cap);
        if (!more) {
            t->failed = true;
            return;
        }
        t->text = more;
        t->cap = cap;
    }
    memcpy(t->text + t->len, bytes, len);
    t->len += len;
    t->text[t->len] = 0;
}

static void PRINTF_LIKE(2, 3) addf(text_t *t, const char *fmt, ...)
{
    char line[256];
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(line, sizeof(line), fmt, args);
    va_end(args);
    add(t, line, n < 0 ? 0 : (size_t)n < sizeof(line) ? (size_t)n : sizeof(line) - 1);
}

static void add_code(text_t *t, uint32_t c)
{
    char b[4];
    c = c > 0x10ffff || (c >= 0xd800 && c < 0xe000) ? 0xfffd : c;
    if (c < 0x80) {
        b[0] = (char)c;
        add(t, b, 1);
    } else if (c < 0x800) {
        b[0] = (char)(0xc0 | c >> 6);
        b[1] = (char)(0x80 | (c & 0x3f));
        add(t, b, 2);
    } else if (c < 0x10000) {
        b[0] = (char)(0xe0 | c >> 12);
        b[1] = (char)(0x80 | (c >> 6 & 0x3f));
        b[2] = (char)(0x80 | (c & 0x3f));
        add(t, b, 3);
    } else {
        b[0] = (char)(0xf0 | c >> 18);
        b[1] = (char)(0x80 | (c >> 12 & 0x3f));
        b[2] = (char)(0x80 | (c >> 6 & 0x3f));
        b[3] = (char)(0x80 | (c & 0x3f));
        add(t, b, 4);
    }
}

static void add_cell(text_t *t, const vt_t *vt, const vt_cell_t *cell)
{
    uint32_t codes[VT_CLUSTER_MAX];
    unsigned n = vt_cell_text(vt, cell, codes);
    if (!vt_cell_width(cell)) {
        return;
    }
    if (!n) {
        add(t, " ", 1);
    }
    for (unsigned i = 0; i < n; i++) {
        add_code(t, codes[i]);
    }
}

static char *finish(text_t *t, size_t *len)
{
    add(t, "", 0);
    if (t->failed) {
        free(t->text);
        return NULL;
    }
    *len = t->len;
    return t->text;
}

/* Columns from up to and with to; without the blanks at the end unless the row goes on below. */
static void add_row(text_t *t, vt_t *vt, int row, int from, int to, bool keep)
{
    const vt_cell_t *cells = vt_row(vt, row);
    from = from < 0 ? 0 : from;
    to = to >= (int)vt->cols ? (int)vt->cols - 1 : to;
    while (!keep && to >= from && (cells[to].ch == VT_BLANK || cells[to].ch == (VT_BLANK | ' '))) {
        to--;
    }
    for (int x = from; x <= to; x++) {
        bool filler = keep && x == (int)vt->cols - 1 && cells[x].ch == VT_BLANK;
        if (!filler) {
            add_cell(t, vt, &cells[x]);
        }
    }
}

char *vt_select(vt_t *vt, int row0, int col0, int row1, int col1, bool block, size_t *len)
{
    text_t t = {0};
    int top = -(int)vt_scrollback(vt), bottom = (int)vt->rows - 1;
    if (row0 > row1 || (row0 == row1 && col0 > col1) || (block && row0 > row1)) {
        int row = row0, col = col0;
        row0 = row1, col0 = col1;
        row1 = row, col1 = col;
    }
    int left = col0 < col1 ? col0 : col1, right = col0 < col1 ? col1 : col0;
    for (int row = row0 < top ? top : row0; row <= row1 && row <= bottom; row++) {
        bool goes_on = !block && row < row1 && vt_row_wrapped(vt, row + 1);
        int from = block ? left : row == row0 ? col0 : 0;
        int to = block ? right : row == row1 ? col1 : (int)vt->cols - 1;
        add_row(&t, vt, row, from, to, goes_on);
        if (row < row1 && row < bottom && !goes_on) {
            add(&t, "\n", 1);
        }
    }
    return finish(&t, len);
}

static void add_pen(text_t *t, const vt_t *vt, const vt_cell_t *cell)
{
    char sgr[160];
    vt_pen_t pen = {cell->fg, cell->bg, cell->ext};
    vt_sgr_text(vt, &pen, sgr, sizeof(sgr));
    addf(t, "\33[%sm", sgr);
}

static void add_link(text_t *t, const vt_t *vt, const vt_cell_t *cell)
{
    const char *link;
    vt_cell_extra(vt, cell, &link);
    add(t, "\33]8;;", 5);
    add(t, link, strlen(link));
    add(t, "\33\\", 2);
}

/* Cells that were never written are erased and stepped over, so that they stay so; says how many.
 */
static unsigned skip(text_t *t, const vt_cell_t *cells, unsigned left)
{
    unsigned n = 0;
    if (vt_cell_has_lines(cells)) {
        return 0;
    }
    while (n < left && cells[n].ch == VT_BLANK && cells[n].fg == cells->fg &&
           cells[n].bg == cells->bg && cells[n].ext == cells->ext) {
        n++;
    }
    if (n && (cells->bg & VT_COLOR_MASK)) {
        addf(t, "\33[%uX", n);
    }
    if (n) {
        addf(t, "\33[%uC", n);
    }
    return n;
}

/* A row up to its last cell that shows; the pen is back to nothing after it. */
static void draw_row(text_t *t, vt_t *vt, int row, bool exact)
{
    const vt_cell_t *cells = vt_row(vt, row);
    vt_cell_t pen = {0};
    unsigned end = vt->cols;
    while (end && vt_cell_is_blank(&cells[end - 1])) {
        end--;
    }
    for (unsigned x = 0; x < end;) {
        const vt_cell_t *c = &cells[x];
        if (c->fg != pen.fg || c->bg != pen.bg || c->ext != pen.ext) {
            if (c->ext != pen.ext) {
                add_link(t, vt, c);
            }
            add_pen(t, vt, c);
            pen = *c;
        }
        unsigned skipped = exact ? skip(t, c, end - x) : 0;
        if (!skipped) {
            add_cell(t, vt, c);
        }
        x += skipped ? skipped : 1;
    }
    if (pen.ext) {
        add(t, "\33]8;;\33\\", 7);
    }
    if (pen.fg || pen.bg || pen.ext) {
        add(t, "\33[m", 3);
    }
}

char *vt_draw(vt_t *vt, int row0, int row1, size_t *len)
{
    text_t t = {0};
    int top = -(int)vt_scrollback(vt), bottom = (int)vt->rows - 1;
    for (int row = row0 < top ? top : row0; row <= row1 && row <= bottom; row++) {
        draw_row(&t, vt, row, false);
        add(&t, "\r\n", 2);
    }
    return finish(&t, len);
}

static void add_modes(text_t *t, const vt_t *vt)
{
    static const int modes[] = {1, 5, 7, 45, 66, 9, 1000, 1002, 1003, 1004, 1006, 1016, 2004};
    for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
        int value = vt_mode_get(vt, true, modes[i]);
        /* One of a group that is off would turn off the one that is on. */
        bool group = modes[i] == 9 || (modes[i] >= 1000 && modes[i] <= 1003) || modes[i] == 1006 ||
                     modes[i] == 1016;
        if (value == 1 || !group) {
            addf(t, "\33[?%d%c", modes[i], value == 1 ? 'h' : 'l');
        }
    }
    addf(t, "\33[4%c\33[20%c", vt->modes.insert ? 'h' : 'l', vt->modes.newline ? 'h' : 'l');
}

/* Protection (DECSCA) and saved cursors are not shown and not brought over; vt_save keeps
 * everything. */
char *vt_repaint(vt_t *vt, size_t *len)
{
    text_t t = {0};
    const vt_screen_t *s = vt->screen;
    const char *start = "\33[!p\33[?5l\33[?9l\33[?1006l\33[20l\33[?69l\33[r\33[?25l";
    add(&t, start, strlen(start));
    addf(&t, "\33[?1049%c\33[m\33[H\33[2J", vt->modes.alternate ? 'h' : 'l');
    for (unsigned y = 0; y < vt->rows; y++) {
        addf(&t, "\33[%u;1H", y + 1);
        draw_row(&t, vt, (int)y, true);
    }
    addf(&t, "\33]2;");
    add(&t, vt->title, strlen(vt->title));
    addf(&t, "\33\\\33[%u;%ur", s->top + 1, s->bottom + 1);
    if (vt->modes.margins) {
        addf(&t, "\33[?69h\33[%u;%us", s->left + 1, s->right + 1);
    }
    addf(&t, "\33[%u;%uH", vt->y + 1, vt->x + 1);
    if (vt->pending) {
        const vt_cell_t *cells = vt_row(vt, (int)vt->y), *c = &cells[vt->x];
        if (!vt_cell_width(c) && vt->x) {
            addf(&t, "\33[D");
            c--;
        }
        add_pen(&t, vt, c);
        add_cell(&t, vt, c);
    }
    vt_cell_t pen = {0, vt->pen.fg, vt->pen.bg, vt->pen.ext};
    add_pen(&t, vt, &pen);
    addf(&t, "\33[%u q\33[?25%c", vt->cursor_style, vt->cursor_hidden ? 'l' : 'h');
    add_modes(&t, vt);
    if (vt->modes.origin) {
        addf(&t, "\33[?6h\33[%u;%uH", vt->y - (vt->y < s->top ? vt->y : s->top) + 1,
             vt->x + 1 - (vt->x < s->left ? vt->x : s->left));
    }
    return finish(&t, len);
}
