/* SPDX-License-Identifier: MPL-2.0 */
/* The terminal's life, and what front ends read of it. */
#include "vt_internal.h"

#include <stdlib.h>

static unsigned clamp(unsigned v, unsigned low, unsigned high)
{
    return v < low ? low : v > high ? high : v;
}

vt_t *vt_create(unsigned cols, unsigned rows, unsigned scrollback, const vt_callbacks_t *callbacks)
{
    vt_t *vt = calloc(1, sizeof(*vt));
    if (!vt) {
        return NULL;
    }
    vt->cols = clamp(cols, VT_MIN_COLS, VT_MAX_COLS);
    vt->rows = clamp(rows, VT_MIN_ROWS, VT_MAX_ROWS);
    vt->cb = callbacks ? *callbacks : (vt_callbacks_t){0};
    vt->scratch = calloc(vt->cols, sizeof(*vt->scratch));
    vt->encode = malloc(vt_scrollback_encode_size(vt->cols));
    vt->screen = &vt->normal;
    if (!vt->scratch || !vt->encode || !vt_screen_alloc(&vt->normal, vt->cols, vt->rows) ||
        !vt_scrollback_init(&vt->scrollback, scrollback)) {
        vt_destroy(vt);
        return NULL;
    }
    vt_reset(vt);
    return vt;
}

void vt_destroy(vt_t *vt)
{
    if (!vt) {
        return;
    }
    vt_screen_free(&vt->normal);
    vt_screen_free(&vt->alt);
    vt_scrollback_free(&vt->scrollback);
    vt_store_free(vt);
    free(vt->scratch);
    free(vt->encode);
    free(vt->parser.string);
    free(vt->titles);
    free(vt->icons);
    free(vt);
}

void vt_reset(vt_t *vt)
{
    vt->x = vt->y = vt->last_width = 0;
    vt->pending = vt->cursor_hidden = vt->cursor_blink = false;
    vt->cursor_style = 0;
    vt->pen = (vt_pen_t){0};
    vt->modes = (vt_modes_t){.wrap = true};
    vt->gl = vt->single_shift = 0;
    memset(vt->charsets, 0, sizeof(vt->charsets));
    vt_charset_update(vt);
    vt_parser_reset(&vt->parser);
    vt->start = vt->written;
    vt->screen = &vt->normal;
    vt_screen_free(&vt->alt);
    vt_screen_reset(vt, &vt->normal);
    vt_scrollback_clear(vt);
    for (unsigned i = 0; i < VT_PALETTE; i++) {
        vt_palette_reset(vt, i);
    }
}

unsigned vt_cols(const vt_t *vt)
{
    return vt->cols;
}

unsigned vt_rows(const vt_t *vt)
{
    return vt->rows;
}

unsigned vt_scrollback(const vt_t *vt)
{
    return vt->modes.alternate ? 0 : vt->scrollback.count;
}

void vt_scrollback_clear(vt_t *vt)
{
    vt_scrollback_t *sb = &vt->scrollback;
    free(sb->bytes);
    sb->bytes = NULL;
    sb->cap = sb->head = sb->tail = sb->first = sb->count = 0;
    vt_dirty_all(vt);
}

const vt_cell_t *vt_row(vt_t *vt, int row)
{
    if (row >= 0) {
        return (unsigned)row < vt->rows ? vt_line(vt, (unsigned)row)->cells : NULL;
    }
    int64_t index = (int64_t)vt_scrollback(vt) + row;
    if (index < 0) {
        return NULL;
    }
    vt_scrollback_get(vt, &vt->scrollback, (uint32_t)index, vt->scratch, vt->cols);
    return vt->scratch;
}

bool vt_row_wrapped(const vt_t *vt, int row)
{
    if (row >= 0) {
        return (unsigned)row < vt->rows && (vt->screen->lines[row].flags & VT_ROW_WRAPPED);
    }
    int64_t index = (int64_t)vt_scrollback(vt) + row;
    return index >= 0 && (vt_scrollback_flags(&vt->scrollback, (uint32_t)index) & VT_ROW_WRAPPED);
}

bool vt_dirty(const vt_t *vt, unsigned row)
{
    return row < vt->rows && vt->screen->lines[row].dirty;
}

bool vt_any_dirty(const vt_t *vt)
{
    bool any = false;
    for (unsigned y = 0; y < vt->rows; y++) {
        any |= vt->screen->lines[y].dirty;
    }
    return any;
}

void vt_clean(vt_t *vt)
{
    for (unsigned y = 0; y < vt->rows; y++) {
        vt->screen->lines[y].dirty = false;
    }
}

uint64_t vt_written(const vt_t *vt)
{
    return vt->written;
}

uint64_t vt_sequence_start(const vt_t *vt)
{
    return vt->start;
}

uint64_t vt_scrolled(const vt_t *vt)
{
    return vt->scrolled;
}

void vt_cursor(const vt_t *vt, vt_cursor_t *cursor)
{
    unsigned style = vt->cursor_style;
    *cursor = (vt_cursor_t){
        .row = vt->y,
        .col = vt->x,
        .pending_wrap = vt->pending,
        .visible = !vt->cursor_hidden,
        .blink = style ? style % 2 == 1 : vt->cursor_blink,
        .shape = style < 3   ? VT_CURSOR_BLOCK
                 : style < 5 ? VT_CURSOR_UNDERLINE
                             : VT_CURSOR_BAR,
    };
}

void vt_modes(const vt_t *vt, vt_modes_t *modes)
{
    *modes = vt->modes;
}

const char *vt_title(const vt_t *vt)
{
    return vt->title;
}

const char *vt_icon_name(const vt_t *vt)
{
    return vt->icon;
}

static uint64_t mix(uint64_t h, uint64_t v)
{
    h = (h ^ v) * UINT64_C(0x9e3779b97f4a7c15);
    return h ^ h >> 29;
}

static uint64_t mix_text(uint64_t h, const char *text)
{
    for (; *text; text++) {
        h = mix(h, (uint8_t)*text);
    }
    return mix(h, 0x100);
}

uint64_t vt_hash(vt_t *vt)
{
    uint64_t h = mix(mix(0, vt->cols), vt->rows);
    uint32_t codes[VT_CLUSTER_MAX];
    for (unsigned y = 0; y < vt->rows; y++) {
        for (unsigned x = 0; x < vt->cols; x++) {
            const vt_cell_t *cell = &vt_line(vt, y)->cells[x];
            const char *link;
            unsigned n = vt_cell_text(vt, cell, codes);
            if ((!n || codes[0] == ' ') && n < 2 && !vt_cell_has_lines(cell)) {
                /* Of a place without ink only the background is seen. */
                h = mix(mix(h, cell->ch & VT_WIDTH), cell->bg & VT_COLOR_MASK);
                continue;
            }
            for (unsigned i = 0; i < n; i++) {
                h = mix(h, codes[i]);
            }
            h = mix(mix(mix(h, cell->ch & VT_WIDTH), cell->fg), cell->bg);
            h = mix(h, vt_cell_extra(vt, cell, &link));
            h = *link ? mix_text(h, link) : h;
        }
    }
    h = mix(mix(h, vt->x), vt->y);
    h = mix(h, (uint64_t)vt->cursor_hidden | (uint64_t)vt->pending << 1 |
                   (uint64_t)vt->modes.alternate << 2);
    return mix_text(h, vt->title);
}

size_t vt_memory(const vt_t *vt)
{
    size_t cells = (size_t)vt->cols * vt->rows * sizeof(vt_cell_t) * (vt->alt.cells ? 2 : 1);
    size_t links = 0;
    for (uint32_t i = 0; vt->extras && i < vt->extra_count; i++) {
        links += vt->extras[i].link ? strlen(vt->extras[i].link) + 1 : 0;
    }
    return sizeof(*vt) + cells + vt->scrollback.cap + vt->scrollback.max * 8u +
           vt->parser.string_cap + vt->cluster_count * sizeof(vt_cluster_t) +
           (vt->extras ? VT_EXTRAS * sizeof(vt_extra_t) : 0) + links +
           vt_scrollback_encode_size(vt->cols) + vt->cols * sizeof(vt_cell_t) +
           ((vt->titles ? 1u : 0u) + (vt->icons ? 1u : 0u)) * VT_TITLE_STACK * VT_TITLE_MAX;
}
