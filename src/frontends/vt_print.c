/* SPDX-License-Identifier: MPL-2.0 */
/* Characters onto the screen: wrapping, wide ones, marks that join the one before, insert mode. */
#include "vt_internal.h"

/* One past the last column that printing from x may fill. */
static unsigned limit(const vt_t *vt)
{
    return vt->x <= vt->screen->right ? vt->screen->right + 1 : vt->cols;
}

static void wrap(vt_t *vt)
{
    vt_screen_t *s = vt->screen;
    vt->x = vt->x >= s->left && vt->x <= s->right ? s->left : 0;
    vt->pending = false;
    if (vt->y == s->bottom) {
        vt_scroll_feed(vt, true);
    } else {
        vt->y += vt->y + 1 < vt->rows;
        vt_line(vt, vt->y)->flags |= VT_ROW_WRAPPED;
    }
}

/* A wide character that loses its right half at x loses its left half, and the other way round. */
static void heal_left(vt_t *vt, vt_line_t *line, unsigned x)
{
    if (x > 0 && vt_cell_width(&line->cells[x - 1]) == 2) {
        line->cells[x - 1] = vt_pen_blank(&vt->pen);
    }
}

static void heal_right(vt_t *vt, vt_line_t *line, unsigned x)
{
    if (x < vt->cols && vt_cell_width(&line->cells[x]) == 0) {
        line->cells[x] = vt_pen_blank(&vt->pen);
    }
}

/* After characters up to but not including x. */
static void advance(vt_t *vt, unsigned x, unsigned end)
{
    vt->pending = x >= end;
    vt->x = vt->pending ? end - 1 : x;
}

/* A mark joins the character left of the cursor; where there is none it is not shown. */
static void join(vt_t *vt, uint32_t code)
{
    vt_line_t *line = vt_line(vt, vt->y);
    unsigned x = vt->x;
    vt->last_width = 0;
    if (!vt->pending && x-- == 0) {
        return;
    }
    x -= x && vt_cell_width(&line->cells[x]) == 0;
    vt_cell_t *cell = &line->cells[x];
    if (!(cell->ch & (VT_CODE | VT_CLUSTER))) {
        return;
    }
    vt->last_width = vt_cell_width(cell);
    line->flags &= ~VT_ROW_PLAIN;
    line->dirty = true;
    if (cell->ch & VT_CLUSTER) {
        vt_cluster_t *c = &vt->clusters[cell->ch & VT_CODE];
        if (c->count < VT_CLUSTER_MAX) {
            c->codes[c->count++] = code;
        }
        return;
    }
    uint32_t codes[2] = {cell->ch & VT_CODE, code};
    uint32_t id = vt_cluster_add(vt, codes, 2);
    if (id) {
        cell->ch = id | (cell->ch & VT_WIDTH);
    }
}

/* Room for width columns at the cursor; false when there is none and the character is lost. */
static bool make_room(vt_t *vt, unsigned width)
{
    unsigned end = limit(vt);
    if (!vt->pending && vt->x + width <= end) {
        return true;
    }
    vt_line_t *line = vt_line(vt, vt->y);
    if (vt->modes.wrap) {
        if (!vt->pending) {
            heal_left(vt, line, vt->x);
            vt_line_fill(vt, line, vt->x, end, vt_pen_blank(&vt->pen));
            heal_right(vt, line, end);
        }
        wrap(vt);
        return vt->x + width <= limit(vt);
    }
    vt->pending = false;
    vt->x = end - 1;
    if (width < 2) {
        return true;
    }
    heal_left(vt, line, vt->x);
    heal_right(vt, line, vt->x);
    return false;
}

void vt_print(vt_t *vt, uint32_t code)
{
    if (vt->map_chars) {
        code = vt_charset_map(vt, code);
    }
    unsigned width = vt_char_width(code);
    if (!width) {
        join(vt, code);
        return;
    }
    vt->last_width = width;
    if (!make_room(vt, width)) {
        return;
    }
    vt_line_t *line = vt_line(vt, vt->y);
    unsigned x = vt->x;
    if (vt->modes.insert) {
        heal_left(vt, line, x);
        vt_line_insert(vt, vt->y, x, width, vt_pen_blank(&vt->pen));
    }
    heal_left(vt, line, x);
    line->cells[x] =
        (vt_cell_t){code | width << VT_WIDTH_SHIFT, vt->pen.fg, vt->pen.bg, vt->pen.ext};
    if (width == 2) {
        line->cells[x + 1] = (vt_cell_t){0, vt->pen.fg, vt->pen.bg, vt->pen.ext};
    }
    heal_right(vt, line, x + width);
    line->flags &= ~VT_ROW_PLAIN;
    line->dirty = true;
    advance(vt, x + width, limit(vt));
}

/* How many of the bytes, from the first on, are printable ASCII. */
static size_t printable_run(const uint8_t *p, size_t len)
{
    size_t i = 0;
    for (; i + 8 <= len; i += 8) {
        uint64_t v;
        memcpy(&v, p + i, 8);
        /* A byte below 0x20 borrows, 0x7f carries, above it the top bit is set: the lowest such one
         * is exact. */
        uint64_t bad =
            ((v - 0x2020202020202020u) | (v + 0x0101010101010101u) | v) & 0x8080808080808080u;
        if (bad) {
            return i + (unsigned)__builtin_ctzll(bad) / 8;
        }
    }
    while (i < len && p[i] >= 0x20 && p[i] < 0x7f) {
        i++;
    }
    return i;
}

static void store_ascii(vt_t *vt, vt_line_t *line, const uint8_t *bytes, unsigned count)
{
    vt_cell_t *cell = line->cells + vt->x;
    vt_cell_t like = vt_pen_blank(&vt->pen);
    if (!(line->flags & VT_ROW_PLAIN)) {
        heal_left(vt, line, vt->x);
        heal_right(vt, line, vt->x + count);
    } else if (like.fg | like.bg | like.ext) {
        line->flags &= ~VT_ROW_PLAIN;
    }
    for (unsigned i = 0; i < count; i++) {
        like.ch = VT_BLANK | bytes[i];
        cell[i] = like;
    }
    line->dirty = true;
}

/* Prints the leading printable ASCII and says how many bytes that were. */
size_t vt_print_ascii(vt_t *vt, const uint8_t *bytes, size_t len)
{
    size_t run = printable_run(bytes, len), done = 0;
    if (vt->modes.insert || vt->map_chars) {
        for (; done < run; done++) {
            vt_print(vt, bytes[done]);
        }
        return run;
    }
    while (done < run) {
        if (vt->pending || vt->x >= vt->cols) {
            make_room(vt, 1);
        }
        unsigned end = limit(vt);
        unsigned count = run - done < end - vt->x ? (unsigned)(run - done) : end - vt->x;
        store_ascii(vt, vt_line(vt, vt->y), bytes + done, count);
        advance(vt, vt->x + count, end);
        done += count;
    }
    vt->last_width = run ? 1 : vt->last_width;
    return run;
}

/* REP: the character just before the control function, again. */
void vt_repeat(vt_t *vt, unsigned count)
{
    uint32_t codes[VT_CLUSTER_MAX];
    unsigned x = vt->x + vt->pending, width = vt->last_width;
    if (!width || x < width) {
        return;
    }
    unsigned n = vt_cell_text(vt, &vt_line(vt, vt->y)->cells[x - width], codes);
    unsigned most = vt->cols * vt->rows + vt->cols;
    count = count < most ? count : most;
    while (count--) {
        for (unsigned i = 0; i < n; i++) {
            vt_print(vt, codes[i]);
        }
    }
}
