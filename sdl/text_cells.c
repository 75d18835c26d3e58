/* SPDX-License-Identifier: MPL-2.0 */
/*
 * From the console's cells to pixels. A look copies what is to be seen while the guest waits, and
 * does nothing else; cells that look as before are not drawn again.
 */
#include "text_internal.h"

#include <stdlib.h>
#include <string.h>

#define SYNC_MAX_MS 150 /* how long a guest may put drawing off (mode 2026) */

/* --- Looking --- */

static bool cells_resize(text_view_t *t, unsigned cols, unsigned rows)
{
    const glyphs_metrics_t *m = glyphs_metrics(window_glyphs(t->view.window));
    int width = (int)(cols * m->width), height = (int)(rows * m->height);
    if (cols == t->cols && rows == t->rows && t->canvas.width == width &&
        t->canvas.height == height) {
        return true;
    }
    text_cell_t *want = calloc((size_t)cols * rows, sizeof(*want));
    text_cell_t *have = calloc((size_t)cols * rows, sizeof(*have));
    if (!want || !have || !canvas_set_size(&t->canvas, width, height)) {
        free(want);
        free(have);
        return false;
    }
    free(t->want);
    free(t->have);
    t->want = want;
    t->have = have;
    t->cols = cols;
    t->rows = rows;
    t->stale = true;
    if (t->texture) {
        SDL_DestroyTexture(t->texture);
        t->texture = NULL;
    }
    return true;
}

static uint32_t half(uint32_t a, uint32_t b)
{
    return ((a & 0xFEFEFE) >> 1) + ((b & 0xFEFEFE) >> 1);
}

static uint32_t cell_code(text_view_t *t, const vt_t *vt, const vt_cell_t *cell)
{
    uint32_t codes[VT_CLUSTER_MAX];
    if (!(cell->ch & VT_CLUSTER)) {
        return cell->ch & VT_CODE;
    }
    unsigned count = vt_cell_text(vt, cell, codes);
    return count == 1 ? codes[0] : glyphs_cluster(window_glyphs(t->view.window), codes, count);
}

/* What a cell of the terminal looks like, without selection and cursor. */
static void cell_look(text_view_t *t, const vt_t *vt, const vt_cell_t *cell, text_cell_t *out)
{
    uint32_t fg = vt_color_rgb(vt, cell->fg & VT_COLOR_MASK, VT_DEFAULT_FG);
    uint32_t bg = vt_color_rgb(vt, cell->bg & VT_COLOR_MASK, VT_DEFAULT_BG);
    uint32_t extra = cell->ext ? vt_cell_extra(vt, cell, NULL) : VT_COLOR_DEFAULT;
    if (cell->fg & VT_DIM) {
        fg = half(fg, bg);
    }
    if (!(cell->fg & VT_INVERSE) != !t->modes.reverse_video) {
        uint32_t other = fg;
        fg = bg;
        bg = other;
    }
    bool hidden = cell->fg & VT_INVISIBLE;
    if (cell->bg & VT_BLINK) {
        t->blinks = true;
        hidden |= t->blink_off;
    }
    *out = (text_cell_t){
        .code = hidden ? 0 : cell_code(t, vt, cell),
        .fg = fg,
        .bg = bg,
        .line = (extra & VT_COLOR_KIND) == VT_COLOR_DEFAULT
                    ? fg
                    : vt_color_rgb(vt, extra, VT_DEFAULT_FG),
        .style = (uint8_t)((cell->fg & VT_BOLD ? GLYPHS_BOLD : 0) |
                           (cell->fg & VT_ITALIC ? GLYPHS_ITALIC : 0)),
        .columns = (uint8_t)vt_cell_width(cell),
        .underline = hidden ? 0 : (uint8_t)(cell->bg >> VT_UNDERLINE_SHIFT & 7),
        .marks = (uint8_t)(hidden ? 0
                                  : (cell->fg & VT_STRIKE ? MARK_STRIKE : 0) |
                                        (cell->bg & VT_OVERLINE ? MARK_OVERLINE : 0)),
    };
}

static void cell_invert(text_cell_t *cell)
{
    uint32_t fg = cell->fg;
    cell->fg = cell->bg;
    cell->bg = fg;
    cell->line = cell->fg;
}

static void look_cursor(text_view_t *t, const vt_t *vt)
{
    vt_cursor_t cursor;
    vt_cursor(vt, &cursor);
    int row = (int)(cursor.row + t->above);
    t->cursor_row = row;
    t->cursor_col = (int)cursor.col;
    t->blinks |= cursor.visible && cursor.blink && t->focused;
    if (!cursor.visible || row >= (int)t->rows || cursor.col >= t->cols ||
        (cursor.blink && t->focused && t->blink_off)) {
        return;
    }
    text_cell_t *cell = &t->want[(size_t)row * t->cols + cursor.col];
    if (!cell->columns && cursor.col) {
        cell--;
    }
    cell->cursor_rgb = vt_color_rgb(vt, VT_COLOR_DEFAULT, VT_CURSOR_COLOR);
    if (!t->focused) {
        cell->marks |= MARK_HOLLOW;
    } else if (cursor.shape == VT_CURSOR_BLOCK) {
        uint32_t bg = cell->bg;
        cell->bg = cell->cursor_rgb == bg ? cell->fg : cell->cursor_rgb;
        cell->fg = cell->line = bg;
        cell->cursor_rgb = 0;
    } else {
        cell->marks |= cursor.shape == VT_CURSOR_BAR ? MARK_BAR : MARK_UNDER;
    }
}

/* What an input method has in the works, where the cursor is. */
static void look_editing(text_view_t *t)
{
    const char *text = t->editing;
    uint32_t code;
    int col = t->cursor_col;
    while (t->cursor_row < (int)t->rows && (code = canvas_next_code(&text)) != 0) {
        unsigned columns = vt_char_width(code);
        if (!columns || col + (int)columns > (int)t->cols) {
            continue;
        }
        text_cell_t *cell = &t->want[(size_t)t->cursor_row * t->cols + (size_t)col];
        for (unsigned i = 0; i < columns; i++) {
            cell[i] = (text_cell_t){.code = i ? 0 : code,
                                    .fg = 0xFFFFFF,
                                    .bg = 0x303060,
                                    .line = 0xFFFFFF,
                                    .columns = (uint8_t)(i ? 0 : columns),
                                    .underline = 1};
        }
        col += (int)columns;
    }
}

static void look_row(text_view_t *t, vt_t *vt, unsigned row)
{
    const vt_cell_t *cells = vt_row(vt, (int)row - (int)t->above);
    text_cell_t *out = t->want + (size_t)row * t->cols;
    int64_t place = (int64_t)t->scrolled + row - t->above;
    for (unsigned col = 0; col < t->cols; col++) {
        if (!cells) {
            out[col] = (text_cell_t){.bg = t->back, .columns = 1};
            continue;
        }
        cell_look(t, vt, &cells[col], &out[col]);
        if (t->select && text_selected(t, place, (int)col)) {
            cell_invert(&out[col]);
        }
    }
}

/* Stays in place in the scrollback while lines come. */
static void look_scrollback(text_view_t *t, const vt_t *vt)
{
    uint64_t scrolled = vt_scrolled(vt);
    unsigned most = vt_scrollback(vt);
    if (t->above && scrolled != t->scrolled) {
        uint64_t above = t->above + (scrolled - t->scrolled);
        t->above = above > most ? most : (unsigned)above;
    }
    t->above = t->above > most ? most : t->above;
    t->scrolled = scrolled;
}

/* The guest has asked that nothing be drawn for now. */
static bool look_later(text_view_t *t)
{
    if (!t->modes.sync) {
        t->sync_from = 0;
        return false;
    }
    uint32_t now = SDL_GetTicks();
    t->sync_from = t->sync_from ? t->sync_from : now | 1;
    return now - t->sync_from < SYNC_MAX_MS;
}

void text_cells_look(text_view_t *t)
{
    bool dirty[VT_MAX_ROWS];
    vt_t *vt = console_lock(t->viewer, dirty);
    uint32_t back;
    vt_modes(vt, &t->modes);
    back =
        vt_color_rgb(vt, VT_COLOR_DEFAULT, t->modes.reverse_video ? VT_DEFAULT_FG : VT_DEFAULT_BG);
    if (look_later(t)) {
        t->all = true; /* what was dirty is asked for only once */
        console_unlock(t->viewer);
        return;
    }
    uint64_t before = t->scrolled;
    look_scrollback(t, vt);
    bool all = t->all || t->above || t->select || t->blinks || before != t->scrolled;
    if (cells_resize(t, vt_cols(vt), vt_rows(vt))) {
        all |= t->stale;
        int old = t->cursor_row;
        t->blinks = false;
        for (unsigned row = 0; row < t->rows; row++) {
            if (all || dirty[row] || (int)row == old) {
                look_row(t, vt, row);
            }
        }
        vt_cursor_t cursor;
        vt_cursor(vt, &cursor);
        if (!all && !dirty[cursor.row] && (int)cursor.row != old) {
            look_row(t, vt, cursor.row);
        }
        look_cursor(t, vt);
        look_editing(t);
    }
    t->all = false;
    t->stale |= back != t->back;
    t->back = back;
    console_unlock(t->viewer);
}

/* --- Drawing --- */

static void draw_underline(canvas_t *canvas, const text_cell_t *cell, int x, int y, int width,
                           const glyphs_metrics_t *m)
{
    int at = y + (int)m->underline, line = (int)m->line;
    switch (cell->underline) {
    case 1:
        canvas_fill(canvas, x, at, width, line, cell->line);
        break;
    case 2:
        canvas_fill(canvas, x, at - line, width, line, cell->line);
        canvas_fill(canvas, x, at + line, width, line, cell->line);
        break;
    case 3: /* in waves */
        for (int i = 0; i < width; i++) {
            int phase = (x + i) / line % 4;
            canvas_fill(canvas, x + i,
                        at - (phase == 1   ? line
                              : phase == 3 ? -line
                                           : 0),
                        1, line, cell->line);
        }
        break;
    default: /* dots, dashes */
        for (int i = 0; i < width; i++) {
            if ((x + i) / line % (cell->underline == 4 ? 2 : 6) < (cell->underline == 4 ? 1 : 4)) {
                canvas_fill(canvas, x + i, at, 1, line, cell->line);
            }
        }
        break;
    }
}

static void draw_marks(canvas_t *canvas, const text_cell_t *cell, int x, int y, int width,
                       const glyphs_metrics_t *m)
{
    int height = (int)m->height, line = (int)m->line;
    if (cell->marks & MARK_STRIKE) {
        canvas_fill(canvas, x, y + (int)m->strike, width, line, cell->fg);
    }
    if (cell->marks & MARK_OVERLINE) {
        canvas_fill(canvas, x, y, width, line, cell->fg);
    }
    if (cell->marks & MARK_UNDER) {
        canvas_fill(canvas, x, y + height - 2 * line, width, 2 * line, cell->cursor_rgb);
    }
    if (cell->marks & MARK_BAR) {
        canvas_fill(canvas, x, y, 2 * line, height, cell->cursor_rgb);
    }
    if (cell->marks & MARK_HOLLOW) {
        canvas_fill(canvas, x, y, width, line, cell->cursor_rgb);
        canvas_fill(canvas, x, y + height - line, width, line, cell->cursor_rgb);
        canvas_fill(canvas, x, y, line, height, cell->cursor_rgb);
        canvas_fill(canvas, x + width - line, y, line, height, cell->cursor_rgb);
    }
}

static void draw_cell(text_view_t *t, const text_cell_t *cell, unsigned col, unsigned row)
{
    glyphs_t *glyphs = window_glyphs(t->view.window);
    const glyphs_metrics_t *m = glyphs_metrics(glyphs);
    int x = (int)(col * m->width), y = (int)(row * m->height);
    int width = (int)(m->width * cell->columns), height = (int)m->height;
    canvas_fill(&t->canvas, x, y, width, height, cell->bg);
    if (cell->underline) {
        draw_underline(&t->canvas, cell, x, y, width, m);
    }
    const uint8_t *glyph = glyphs_get(glyphs, cell->code, cell->style, cell->columns);
    if (glyph) {
        canvas_blend(&t->canvas, x, y, width, height, glyph, cell->fg);
    }
    if (cell->marks) {
        draw_marks(&t->canvas, cell, x, y, width, m);
    }
}

/* True when something of the row was drawn. */
static bool draw_row(text_view_t *t, unsigned row)
{
    const text_cell_t *want = t->want + (size_t)row * t->cols;
    text_cell_t *have = t->have + (size_t)row * t->cols;
    bool drawn = false;
    for (unsigned col = 0; col < t->cols; col++) {
        unsigned columns = want[col].columns;
        columns = col + columns > t->cols ? t->cols - col : columns;
        if (columns && (t->stale || memcmp(want + col, have + col, columns * sizeof(*want)) != 0)) {
            draw_cell(t, &want[col], col, row);
            drawn = true;
        }
    }
    memcpy(have, want, t->cols * sizeof(*have));
    return drawn;
}

static void upload(text_view_t *t, unsigned from, unsigned to)
{
    int cell = (int)glyphs_metrics(window_glyphs(t->view.window))->height;
    const SDL_Rect rect = {0, (int)from * cell, t->canvas.width, (int)(to - from) * cell};
    SDL_UpdateTexture(t->texture, &rect,
                      t->canvas.pixels + (size_t)rect.y * (size_t)t->canvas.width,
                      t->canvas.width * (int)sizeof(uint32_t));
}

void text_cells_draw(text_view_t *t)
{
    unsigned from = 0;
    bool fresh = false;
    if (!t->texture && t->canvas.pixels) {
        t->texture =
            SDL_CreateTexture(window_renderer(t->view.window), SDL_PIXELFORMAT_ARGB8888,
                              SDL_TEXTUREACCESS_STREAMING, t->canvas.width, t->canvas.height);
        SDL_SetTextureBlendMode(t->texture, SDL_BLENDMODE_NONE);
        fresh = true;
    }
    for (unsigned row = 0; row < t->rows; row++) {
        if (!draw_row(t, row) && !fresh) {
            if (row > from) {
                upload(t, from, row);
            }
            from = row + 1;
        }
    }
    if (t->rows > from) {
        upload(t, from, t->rows);
    }
    t->stale = false;
}
