/* SPDX-License-Identifier: MPL-2.0 */
/* Rows of cells: allocation, erasing, shifting, scrolling. A wide character is never left with one
 * half. */
#include "vt_internal.h"

#include <stdlib.h>

bool vt_screen_alloc(vt_screen_t *s, unsigned cols, unsigned rows)
{
    s->lines = calloc(rows, sizeof(*s->lines));
    s->cells = malloc((size_t)cols * rows * sizeof(*s->cells));
    if (!s->lines || !s->cells) {
        vt_screen_free(s);
        return false;
    }
    for (unsigned y = 0; y < rows; y++) {
        s->lines[y] = (vt_line_t){s->cells + (size_t)y * cols, VT_ROW_PLAIN, true};
        for (unsigned x = 0; x < cols; x++) {
            s->lines[y].cells[x] = (vt_cell_t){VT_BLANK, 0, 0, 0};
        }
    }
    return true;
}

void vt_screen_free(vt_screen_t *s)
{
    free(s->lines);
    free(s->cells);
    s->lines = NULL;
    s->cells = NULL;
}

/* Empty, with the background's colour; margins, tabs and saved cursor as at the start. */
void vt_screen_reset(vt_t *vt, vt_screen_t *s)
{
    vt_screen_t *active = vt->screen;
    vt->screen = s;
    s->top = s->left = 0;
    s->bottom = vt->rows - 1;
    s->right = vt->cols - 1;
    s->saved = (vt_saved_t){0};
    memset(s->tabs, 0, sizeof(s->tabs));
    for (unsigned x = 0; x < VT_MAX_COLS; x += 8) {
        s->tabs[x / 8] = 1;
    }
    for (unsigned y = 0; y < vt->rows; y++) {
        vt_line_fill(vt, &s->lines[y], 0, vt->cols, vt_erased(vt));
        s->lines[y].flags &= ~VT_ROW_WRAPPED;
    }
    vt->screen = active;
}

void vt_dirty_all(vt_t *vt)
{
    for (unsigned y = 0; y < vt->rows; y++) {
        vt->screen->lines[y].dirty = true;
    }
}

/* Cells from up to but not including to. */
void vt_line_fill(vt_t *vt, vt_line_t *line, unsigned from, unsigned to, vt_cell_t cell)
{
    bool blank = vt_cell_is_blank(&cell);
    if (!blank) {
        line->flags &= ~VT_ROW_PLAIN;
    } else if (from == 0 && to >= vt->cols) {
        line->flags |= VT_ROW_PLAIN;
    }
    for (unsigned x = from; x < to && x < vt->cols; x++) {
        line->cells[x] = cell;
    }
    line->dirty = true;
}

/* If column x is the right half of a wide character, both halves become blanks. */
static void split(vt_t *vt, vt_line_t *line, unsigned x, vt_cell_t fill)
{
    if (x > 0 && x < vt->cols && !(line->cells[x].ch & VT_WIDTH)) {
        fill.ch = VT_BLANK;
        line->cells[x - 1] = line->cells[x] = fill;
    }
}

void vt_line_erase(vt_t *vt, unsigned y, unsigned from, unsigned to, bool selective)
{
    vt_line_t *line = vt_line(vt, y);
    vt_cell_t fill = vt_erased(vt);
    to = to < vt->cols ? to : vt->cols;
    if (from >= to) {
        return;
    }
    if (!selective) {
        split(vt, line, from, fill);
        split(vt, line, to, fill);
        vt_line_fill(vt, line, from, to, fill);
        return;
    }
    if (from > 0 && !(line->cells[from - 1].bg & VT_PROTECTED)) {
        split(vt, line, from, fill);
    }
    if (to < vt->cols && !(line->cells[to].bg & VT_PROTECTED)) {
        split(vt, line, to, fill);
    }
    for (unsigned x = from; x < to; x++) {
        if (!(line->cells[x].bg & VT_PROTECTED)) {
            vt_line_fill(vt, line, x, x + 1, fill);
        }
    }
}

/* Inserts blanks at x; what goes over the right margin is lost. */
void vt_line_insert(vt_t *vt, unsigned y, unsigned x, unsigned count, vt_cell_t fill)
{
    vt_line_t *line = vt_line(vt, y);
    unsigned right = vt->screen->right < x ? vt->cols - 1 : vt->screen->right;
    unsigned room = right + 1 - x;
    split(vt, line, x, fill);
    split(vt, line, right + 1, fill);
    if (count < room) {
        memmove(line->cells + x + count, line->cells + x, (room - count) * sizeof(vt_cell_t));
    } else {
        count = room;
    }
    if ((line->cells[right].ch & VT_WIDTH) >> VT_WIDTH_SHIFT == 2) {
        vt_line_fill(vt, line, right, right + 1, fill);
    }
    vt_line_fill(vt, line, x, x + count, fill);
}

void vt_line_delete(vt_t *vt, unsigned y, unsigned x, unsigned count, vt_cell_t fill)
{
    vt_line_t *line = vt_line(vt, y);
    unsigned right = vt->screen->right < x ? vt->cols - 1 : vt->screen->right;
    unsigned room = right + 1 - x;
    count = count < room ? count : room;
    split(vt, line, x, fill);
    split(vt, line, x + count, fill);
    split(vt, line, right + 1, fill);
    memmove(line->cells + x, line->cells + x + count, (room - count) * sizeof(vt_cell_t));
    vt_line_fill(vt, line, right + 1 - count, right + 1, fill);
}

static bool full_width(const vt_t *vt)
{
    return vt->screen->left == 0 && vt->screen->right == vt->cols - 1;
}

/* Rows of the rectangle between the margins, one by one; the rows themselves stay. */
static void copy_between_margins(vt_t *vt, unsigned from, unsigned to)
{
    vt_line_t *src = vt_line(vt, from), *dst = vt_line(vt, to);
    unsigned left = vt->screen->left, right = vt->screen->right;
    vt_cell_t blank = {VT_BLANK, 0, 0, 0};
    split(vt, src, left, blank);
    split(vt, src, right + 1, blank);
    split(vt, dst, left, blank);
    split(vt, dst, right + 1, blank);
    memcpy(dst->cells + left, src->cells + left, (right + 1 - left) * sizeof(vt_cell_t));
    dst->flags &= src->flags | ~VT_ROW_PLAIN;
    dst->dirty = true;
}

static void blank_rows(vt_t *vt, unsigned from, unsigned to)
{
    for (unsigned y = from; y < to; y++) {
        vt_line_erase(vt, y, vt->screen->left, vt->screen->right + 1, false);
        if (full_width(vt)) {
            vt_line(vt, y)->flags &= ~VT_ROW_WRAPPED;
        }
    }
}

static void rotate_up(vt_line_t *lines, unsigned total, unsigned count)
{
    vt_line_t moved[64];
    while (count) {
        unsigned n = count < ARRAY_LEN(moved) ? count : (unsigned)ARRAY_LEN(moved);
        memcpy(moved, lines, n * sizeof(*lines));
        memmove(lines, lines + n, (total - n) * sizeof(*lines));
        memcpy(lines + total - n, moved, n * sizeof(*lines));
        count -= n;
    }
}

void vt_scroll_up(vt_t *vt, unsigned top, unsigned bottom, unsigned count)
{
    unsigned total = bottom + 1 - top;
    count = count < total ? count : total;
    if (full_width(vt)) {
        rotate_up(vt->screen->lines + top, total, count);
    } else {
        for (unsigned y = top; y + count <= bottom; y++) {
            copy_between_margins(vt, y + count, y);
        }
    }
    blank_rows(vt, bottom + 1 - count, bottom + 1);
    for (unsigned y = top; y <= bottom; y++) {
        vt_line(vt, y)->dirty = true;
    }
}

void vt_scroll_down(vt_t *vt, unsigned top, unsigned bottom, unsigned count)
{
    unsigned total = bottom + 1 - top;
    count = count < total ? count : total;
    if (full_width(vt)) {
        rotate_up(vt->screen->lines + top, total, total - count);
    } else {
        for (unsigned y = bottom; y >= top + count; y--) {
            copy_between_margins(vt, y - count, y);
        }
    }
    blank_rows(vt, top, top + count);
    for (unsigned y = top; y <= bottom; y++) {
        vt_line(vt, y)->dirty = true;
    }
}

/* The line feed at the bottom margin. */
void vt_scroll_feed(vt_t *vt, bool wrapped)
{
    vt_screen_t *s = vt->screen;
    if (!full_width(vt) && (vt->x < s->left || vt->x > s->right)) {
        return;
    }
    if (s->top == 0 && full_width(vt) && s == &vt->normal) {
        vt_scrollback_push(vt, &vt->scrollback, vt_line(vt, 0), vt->cols);
        vt->scrolled++;
    }
    vt_scroll_up(vt, s->top, s->bottom, 1);
    if (wrapped && full_width(vt)) {
        vt_line(vt, s->bottom)->flags |= VT_ROW_WRAPPED;
    }
}
