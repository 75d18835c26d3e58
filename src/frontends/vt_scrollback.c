/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Lines above the screen, encoded in a ring of bytes that grows to a limit; the oldest lines give
 * way. A line is its flags and, when plain, one byte a cell; else runs of cells with the same
 * attributes. Blanks at the end are not stored. Numbers are base 128, lowest first.
 */
#include "vt_internal.h"

#include <stdlib.h>

#define BYTES_PER_CELL 80
#define MIN_CAP 65536u

size_t vt_scrollback_encode_size(unsigned cols)
{
    return (size_t)cols * BYTES_PER_CELL + 16;
}

bool vt_scrollback_init(vt_scrollback_t *sb, unsigned max)
{
    *sb = (vt_scrollback_t){.max = max,
                            .limit = (1u << 20) + (max < 1000000 ? max : 1000000) * 1024u};
    if (max) {
        sb->starts = malloc(max * sizeof(*sb->starts));
        sb->sizes = malloc(max * sizeof(*sb->sizes));
        if (!sb->starts || !sb->sizes) {
            vt_scrollback_free(sb);
            return false;
        }
    }
    return true;
}

void vt_scrollback_free(vt_scrollback_t *sb)
{
    free(sb->bytes);
    free(sb->starts);
    free(sb->sizes);
    *sb = (vt_scrollback_t){0};
}

static uint32_t slot(const vt_scrollback_t *sb, uint32_t index)
{
    uint32_t i = sb->first + index;
    return i >= sb->max ? i - sb->max : i;
}

static void drop_oldest(vt_scrollback_t *sb)
{
    sb->first = slot(sb, 1);
    sb->count--;
    sb->tail = sb->count ? sb->starts[sb->first] : 0;
    sb->head = sb->count ? sb->head : 0;
}

/* A larger ring, its lines in order from the start. */
static bool grow(vt_scrollback_t *sb, uint32_t need)
{
    uint32_t cap = sb->cap ? sb->cap : MIN_CAP;
    while (cap < sb->limit && (cap == sb->cap || cap - sb->cap < need)) {
        cap *= 2;
    }
    cap = cap < sb->limit ? cap : sb->limit;
    uint8_t *bytes = cap > sb->cap ? malloc(cap) : NULL;
    if (!bytes) {
        return false;
    }
    uint32_t at = 0;
    for (uint32_t i = 0; i < sb->count; i++) {
        uint32_t s = slot(sb, i);
        memcpy(bytes + at, sb->bytes + sb->starts[s], sb->sizes[s]);
        sb->starts[s] = at;
        at += sb->sizes[s];
    }
    free(sb->bytes);
    sb->bytes = bytes;
    sb->cap = cap;
    sb->head = at;
    sb->tail = 0;
    return true;
}

/* Where len bytes in a row are free, or UINT32_MAX. */
static uint32_t room(const vt_scrollback_t *sb, uint32_t len)
{
    if (!sb->count) {
        return len <= sb->cap ? 0 : UINT32_MAX;
    }
    if (sb->head > sb->tail) {
        if (len <= sb->cap - sb->head) {
            return sb->head;
        }
        return len <= sb->tail ? 0 : UINT32_MAX;
    }
    return len <= sb->tail - sb->head ? sb->head : UINT32_MAX;
}

static void push_bytes(vt_scrollback_t *sb, const uint8_t *bytes, uint32_t len)
{
    if (sb->count == sb->max) {
        drop_oldest(sb);
    }
    uint32_t at = room(sb, len);
    if (at == UINT32_MAX && grow(sb, len)) {
        at = room(sb, len);
    }
    while (at == UINT32_MAX && sb->count) {
        drop_oldest(sb);
        at = room(sb, len);
    }
    if (at == UINT32_MAX) {
        return;
    }
    memcpy(sb->bytes + at, bytes, len);
    if (!sb->count) {
        sb->tail = at;
    }
    uint32_t s = slot(sb, sb->count++);
    sb->starts[s] = at;
    sb->sizes[s] = len;
    sb->head = at + len;
}

static uint8_t *put(uint8_t *p, uint32_t v)
{
    while (v >= 0x80) {
        *p++ = (uint8_t)(v | 0x80);
        v >>= 7;
    }
    *p++ = (uint8_t)v;
    return p;
}

static uint8_t *put_cell(const vt_t *vt, uint8_t *p, const vt_cell_t *c)
{
    uint32_t width = vt_cell_width(c);
    if (!(c->ch & VT_CLUSTER)) {
        return put(p, (c->ch & VT_CODE) << 3 | width);
    }
    const vt_cluster_t *cluster = &vt->clusters[c->ch & VT_CODE];
    p = put(p, (uint32_t)cluster->count << 3 | 4 | width);
    for (unsigned i = 0; i < cluster->count; i++) {
        p = put(p, cluster->codes[i]);
    }
    return p;
}

static uint8_t *encode_cells(const vt_t *vt, uint8_t *p, const vt_cell_t *cells, unsigned used)
{
    for (unsigned x = 0; x < used;) {
        const vt_cell_t *c = &cells[x];
        unsigned run = 1;
        while (x + run < used && cells[x + run].fg == c->fg && cells[x + run].bg == c->bg &&
               cells[x + run].ext == c->ext) {
            run++;
        }
        p = put(p, run);
        util_put_le32(p, c->fg);
        util_put_le32(p + 4, c->bg);
        p = put(p + 8, c->ext);
        for (unsigned i = 0; i < run; i++) {
            p = put_cell(vt, p, c + i);
        }
        x += run;
    }
    return p;
}

void vt_scrollback_push(vt_t *vt, vt_scrollback_t *sb, const vt_line_t *line, unsigned cols)
{
    if (!sb->max) {
        return;
    }
    unsigned used = cols;
    while (used && vt_cell_is_blank(&line->cells[used - 1])) {
        used--;
    }
    uint8_t *p = vt->encode;
    *p++ = (uint8_t)line->flags;
    if (line->flags & VT_ROW_PLAIN) {
        for (unsigned x = 0; x < used; x++) {
            p[x] = (uint8_t)line->cells[x].ch;
        }
        p += used;
    } else {
        p = encode_cells(vt, p, line->cells, used);
    }
    push_bytes(sb, vt->encode, (uint32_t)(p - vt->encode));
}

typedef struct {
    const uint8_t *p, *end;
} reader_t;

static uint32_t get(reader_t *r)
{
    uint32_t v = 0;
    for (unsigned shift = 0; r->p < r->end && shift < 32; shift += 7) {
        uint8_t b = *r->p++;
        v |= (uint32_t)(b & 0x7f) << shift;
        if (!(b & 0x80)) {
            break;
        }
    }
    return v;
}

static bool get_run(reader_t *r, uint32_t *run, vt_cell_t *cell)
{
    if (r->p >= r->end) {
        return false;
    }
    *run = get(r);
    if (r->end - r->p < 9) {
        return false;
    }
    cell->fg = util_get_le32(r->p);
    cell->bg = util_get_le32(r->p + 4);
    r->p += 8;
    cell->ext = get(r);
    return true;
}

/* The codes of one cell; the count of a cluster, 1 otherwise. */
static unsigned get_cell(reader_t *r, uint32_t *codes, uint32_t *width)
{
    uint32_t v = get(r);
    *width = v & 3;
    if (!(v & 4)) {
        codes[0] = (v >> 3) & VT_CODE;
        return 1;
    }
    unsigned count = v >> 3;
    codes[0] = 0;
    count = count < VT_CLUSTER_MAX ? count : VT_CLUSTER_MAX;
    for (unsigned i = 0; i < count; i++) {
        codes[i] = get(r) & VT_CODE;
    }
    return count;
}

static reader_t line_reader(const vt_scrollback_t *sb, uint32_t index, uint32_t *flags)
{
    uint32_t s = slot(sb, index);
    const uint8_t *p = sb->bytes + sb->starts[s];
    *flags = sb->sizes[s] ? p[0] : VT_ROW_PLAIN;
    return (reader_t){p + (sb->sizes[s] ? 1 : 0), p + sb->sizes[s]};
}

uint32_t vt_scrollback_flags(const vt_scrollback_t *sb, uint32_t index)
{
    uint32_t flags;
    line_reader(sb, index, &flags);
    return flags;
}

uint32_t vt_scrollback_get(vt_t *vt, const vt_scrollback_t *sb, uint32_t index, vt_cell_t *cells,
                           unsigned cols)
{
    uint32_t flags, run, codes[VT_CLUSTER_MAX], width;
    reader_t r = line_reader(sb, index, &flags);
    vt_cell_t cell;
    for (unsigned x = 0; x < cols; x++) {
        cells[x] = (vt_cell_t){VT_BLANK, 0, 0, 0};
    }
    if (flags & VT_ROW_PLAIN) {
        for (unsigned x = 0; x < cols && r.p < r.end; x++) {
            cells[x].ch = VT_BLANK | *r.p++;
        }
        return flags;
    }
    for (unsigned x = 0; get_run(&r, &run, &cell);) {
        while (run-- && x < cols) {
            unsigned count = get_cell(&r, codes, &width);
            uint32_t id = count > 1 ? vt_cluster_add(vt, codes, count) : 0;
            cell.ch = (id ? id : codes[0]) | width << VT_WIDTH_SHIFT;
            cells[x++] = cell;
        }
        if (x >= cols) {
            break;
        }
    }
    return flags;
}

/* used[ext] = 1 for each extra that a line speaks of. */
void vt_scrollback_mark_extras(const vt_scrollback_t *sb, uint8_t *used)
{
    uint32_t flags, run, codes[VT_CLUSTER_MAX], width;
    vt_cell_t cell;
    for (uint32_t i = 0; i < sb->count; i++) {
        reader_t r = line_reader(sb, i, &flags);
        if (flags & VT_ROW_PLAIN) {
            continue;
        }
        while (get_run(&r, &run, &cell)) {
            if (cell.ext < VT_EXTRAS) {
                used[cell.ext] = 1;
            }
            while (run-- && r.p < r.end) {
                get_cell(&r, codes, &width);
            }
        }
    }
}
