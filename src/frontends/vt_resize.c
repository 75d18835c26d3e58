/* SPDX-License-Identifier: MPL-2.0 */
/* Another size: rows that were wrapped are joined and wrapped anew; the cursor stays on its
 * character. */
#include "vt_internal.h"

#include <stdlib.h>

/* Rows as they come out; the last ones are the screen, those before go to the scrollback. */
typedef struct {
    vt_t *vt;
    unsigned cols, rows;
    vt_screen_t screen;
    vt_scrollback_t scrollback;
    unsigned first, count;
    uint64_t total; /* rows so far */
    unsigned col;
    unsigned cx, cy; /* the cursor to look for, its row counted from the screen's top */
    bool pending;
    uint64_t out_row;
    unsigned out_col;
    bool out_pending;
} reflow_t;

static vt_line_t *current(reflow_t *r)
{
    return &r->screen.lines[(r->first + r->count - 1) % r->rows];
}

static void new_row(reflow_t *r, uint32_t flags)
{
    if (r->count == r->rows) {
        vt_scrollback_push(r->vt, &r->scrollback, &r->screen.lines[r->first], r->cols);
        r->first = (r->first + 1) % r->rows;
    } else {
        r->count++;
    }
    vt_line_t *line = current(r);
    for (unsigned x = 0; x < r->cols; x++) {
        line->cells[x] = (vt_cell_t){VT_BLANK, 0, 0, 0};
    }
    line->flags = flags | VT_ROW_PLAIN;
    r->total++;
    r->col = 0;
}

static void put_cell(reflow_t *r, const vt_cell_t *cell, bool cursor)
{
    unsigned width = vt_cell_width(cell);
    if (!width) {
        if (cursor) {
            r->out_row = r->total - 1;
            r->out_col = r->col ? r->col - 1 : 0;
        }
        return;
    }
    width = width > 2 ? 1 : width;
    if (r->col + width > r->cols) {
        new_row(r, VT_ROW_WRAPPED);
    }
    vt_line_t *line = current(r);
    if (cursor) {
        r->out_row = r->total - 1;
        r->out_col = r->col;
    }
    if ((cell->ch & (VT_CODE | VT_CLUSTER)) >= 0x80 || cell->fg || cell->bg || cell->ext ||
        width != 1) {
        line->flags &= ~VT_ROW_PLAIN;
    }
    line->cells[r->col] = *cell;
    line->cells[r->col].ch = (cell->ch & ~VT_WIDTH) | width << VT_WIDTH_SHIFT;
    if (width == 2) {
        line->cells[r->col + 1] = (vt_cell_t){0, cell->fg, cell->bg, cell->ext};
    }
    r->col += width;
}

/* How much of a row is to be kept. */
static unsigned used(const vt_cell_t *cells, unsigned cols, bool goes_on, bool wide_next)
{
    unsigned len = cols;
    if (goes_on) {
        const vt_cell_t *last = &cells[cols - 1];
        return wide_next && !(last->ch & (VT_CODE | VT_CLUSTER)) && vt_cell_width(last) ? cols - 1
                                                                                        : cols;
    }
    while (len && vt_cell_is_blank(&cells[len - 1])) {
        len--;
    }
    return len;
}

/* cx is a column with the cursor, or beyond all columns. */
static void put_row(reflow_t *r, const vt_cell_t *cells, unsigned len, uint32_t flags,
                    bool has_cursor)
{
    if (!(flags & VT_ROW_WRAPPED) || !r->count) {
        new_row(r, 0);
    }
    for (unsigned x = 0; x < len; x++) {
        put_cell(r, &cells[x], has_cursor && x == r->cx);
    }
    if (has_cursor && r->cx >= len) {
        unsigned col = r->col + (r->cx - len);
        r->out_row = r->total - 1;
        r->out_col = col < r->cols ? col : r->cols - 1;
    } else if (has_cursor && r->pending) {
        r->out_pending = r->out_col + 1 >= r->cols;
        r->out_col += !r->out_pending;
    }
}

static unsigned rows_used(const vt_t *vt, unsigned cy)
{
    unsigned y = vt->rows;
    while (y > cy + 1 && used(vt->normal.lines[y - 1].cells, vt->cols, false, false) == 0 &&
           !(vt->normal.lines[y - 1].flags & VT_ROW_WRAPPED)) {
        y--;
    }
    return y;
}

static void reflow(reflow_t *r)
{
    vt_t *vt = r->vt;
    uint32_t above = vt->scrollback.count, total = above + rows_used(vt, r->cy);
    for (uint32_t i = 0; i < total; i++) {
        const vt_line_t *line = i < above ? NULL : &vt->normal.lines[i - above];
        const vt_cell_t *cells = line ? line->cells : vt->scratch;
        uint32_t flags =
            line ? line->flags : vt_scrollback_get(vt, &vt->scrollback, i, vt->scratch, vt->cols);
        bool goes_on = false, wide_next = false;
        if (i + 1 < total && i + 1 >= above) {
            const vt_line_t *next = &vt->normal.lines[i + 1 - above];
            goes_on = next->flags & VT_ROW_WRAPPED;
            wide_next = vt_cell_width(&next->cells[0]) == 2;
        } else if (i + 1 < total) {
            goes_on = vt_scrollback_flags(&vt->scrollback, i + 1) & VT_ROW_WRAPPED;
            vt_cell_t first;
            vt_scrollback_get(vt, &vt->scrollback, i + 1, &first, 1);
            wide_next = vt_cell_width(&first) == 2;
        }
        put_row(r, cells, used(cells, vt->cols, goes_on, wide_next), flags,
                line && i - above == r->cy);
    }
}

/* The ring in order, from the top of the new screen. */
static bool unroll(reflow_t *r)
{
    vt_screen_t ordered = r->screen;
    ordered.lines = NULL;
    ordered.cells = NULL;
    if (!vt_screen_alloc(&ordered, r->cols, r->rows)) {
        return false;
    }
    for (unsigned i = 0; i < r->count; i++) {
        const vt_line_t *line = &r->screen.lines[(r->first + i) % r->rows];
        memcpy(ordered.lines[i].cells, line->cells, r->cols * sizeof(*line->cells));
        ordered.lines[i].flags = line->flags;
    }
    vt_screen_free(&r->screen);
    r->screen = ordered;
    return true;
}

/* The alternate screen is cut or filled up; the cursor's row stays. */
static bool resize_alt(const vt_t *vt, vt_screen_t *to, unsigned cols, unsigned rows, unsigned *y)
{
    *to = vt->alt;
    to->lines = NULL;
    to->cells = NULL;
    if (!vt->alt.lines) {
        return true;
    }
    if (!vt_screen_alloc(to, cols, rows)) {
        return false;
    }
    unsigned shift = *y >= rows ? *y - rows + 1 : 0, width = cols < vt->cols ? cols : vt->cols;
    for (unsigned i = 0; i < rows && i + shift < vt->rows; i++) {
        const vt_line_t *from = &vt->alt.lines[i + shift];
        vt_line_t *line = &to->lines[i];
        memcpy(line->cells, from->cells, width * sizeof(*line->cells));
        line->flags = from->flags;
        if (vt_cell_width(&line->cells[width - 1]) == 2) {
            line->cells[width - 1].ch = VT_BLANK;
        }
    }
    *y -= shift;
    return true;
}

static void set_margins(vt_screen_t *s, unsigned cols, unsigned rows)
{
    s->top = s->left = 0;
    s->bottom = rows - 1;
    s->right = cols - 1;
    s->saved.x = s->saved.x < cols ? s->saved.x : cols - 1;
    s->saved.y = s->saved.y < rows ? s->saved.y : rows - 1;
}

static void adopt(reflow_t *r, vt_screen_t *alt, unsigned alt_y)
{
    vt_t *vt = r->vt;
    uint64_t top = r->total - r->count;
    unsigned y = r->out_row >= top ? (unsigned)(r->out_row - top) : 0;
    vt_screen_free(&vt->normal);
    vt_screen_free(&vt->alt);
    vt_scrollback_free(&vt->scrollback);
    vt->normal = r->screen;
    vt->alt = *alt;
    vt->scrollback = r->scrollback;
    set_margins(&vt->normal, r->cols, r->rows);
    set_margins(&vt->alt, r->cols, r->rows);
    vt->cols = r->cols;
    vt->rows = r->rows;
    if (vt->modes.alternate) {
        vt->normal.saved.x = r->out_col;
        vt->normal.saved.y = y;
        vt->pending = vt->pending && vt->x + 1 == r->cols;
        vt->x = vt->x < r->cols ? vt->x : r->cols - 1;
        vt->y = alt_y < r->rows ? alt_y : r->rows - 1;
    } else {
        vt->x = r->out_col;
        vt->y = y;
        vt->pending = r->out_pending;
    }
    vt_dirty_all(vt);
}

bool vt_resize(vt_t *vt, unsigned cols, unsigned rows)
{
    cols = cols < VT_MIN_COLS ? VT_MIN_COLS : cols > VT_MAX_COLS ? VT_MAX_COLS : cols;
    rows = rows < VT_MIN_ROWS ? VT_MIN_ROWS : rows > VT_MAX_ROWS ? VT_MAX_ROWS : rows;
    if (cols == vt->cols && rows == vt->rows) {
        return true;
    }
    bool other = vt->modes.alternate;
    reflow_t r = {.vt = vt, .cols = cols, .rows = rows, .screen = vt->normal};
    r.screen.lines = NULL;
    r.screen.cells = NULL;
    r.cx = other ? vt->normal.saved.x : vt->x;
    r.cy = other ? vt->normal.saved.y : vt->y;
    r.pending = !other && vt->pending;
    unsigned most = cols > vt->cols ? cols : vt->cols, alt_y = other ? vt->y : 0;
    vt_screen_t alt = {0};
    uint8_t *encode = malloc(vt_scrollback_encode_size(most));
    vt_cell_t *scratch = calloc(most, sizeof(*scratch));
    bool ok = encode && scratch && vt_screen_alloc(&r.screen, cols, rows) &&
              vt_scrollback_init(&r.scrollback, vt->scrollback.max) &&
              resize_alt(vt, &alt, cols, rows, &alt_y);
    if (ok) {
        uint8_t *old_encode = vt->encode;
        vt->encode = encode;
        vt->reflowed = r.screen.cells;
        vt->reflowed_count = (size_t)cols * rows;
        reflow(&r);
        vt->reflowed = NULL;
        vt->reflowed_count = 0;
        ok = unroll(&r);
        vt->encode = ok ? encode : old_encode;
        encode = ok ? old_encode : encode;
    }
    if (ok) {
        vt_cell_t *old = vt->scratch;
        vt->scratch = scratch;
        scratch = old;
        adopt(&r, &alt, alt_y);
    } else {
        vt_screen_free(&r.screen);
        vt_screen_free(&alt);
        vt_scrollback_free(&r.scrollback);
    }
    free(encode);
    free(scratch);
    return ok;
}
