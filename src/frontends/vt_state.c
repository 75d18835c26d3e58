/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The state to and from bytes, little-endian. One walk over the fields does both, so they cannot
 * differ. Bytes that come back are not trusted: what would break an invariant is refused or mended.
 */
#include "vt_internal.h"

#include <stdlib.h>

#define MAGIC 0x32545652u /* RVT2 */
#define MAX_SCROLLBACK 1000000u

typedef struct {
    uint8_t *out;
    const uint8_t *in;
    size_t len, cap, at;
    bool loading, bad;
} io_t;

static void io_bytes(io_t *io, void *data, size_t len)
{
    if (io->bad || !len) {
        return;
    }
    if (io->loading) {
        if (io->len - io->at < len) {
            io->bad = true;
            return;
        }
        memcpy(data, io->in + io->at, len);
        io->at += len;
        return;
    }
    if (io->len + len > io->cap) {
        size_t cap = io->cap * 2 + len + 65536;
        uint8_t *more = realloc(io->out, cap);
        if (!more) {
            io->bad = true;
            return;
        }
        io->out = more;
        io->cap = cap;
    }
    memcpy(io->out + io->len, data, len);
    io->len += len;
}

static void io_u32(io_t *io, uint32_t *v)
{
    uint8_t b[4];
    util_put_le32(b, *v);
    io_bytes(io, b, 4);
    *v = io->bad ? 0 : util_get_le32(b);
}

static void io_u64(io_t *io, uint64_t *v)
{
    uint32_t low = (uint32_t)*v, high = (uint32_t)(*v >> 32);
    io_u32(io, &low);
    io_u32(io, &high);
    *v = low | (uint64_t)high << 32;
}

static void io_unsigned(io_t *io, unsigned *v, unsigned below)
{
    uint32_t u = *v;
    io_u32(io, &u);
    io->bad |= u >= below;
    *v = io->bad ? 0 : u;
}

static void io_u8(io_t *io, uint8_t *v, unsigned below)
{
    io_bytes(io, v, 1);
    io->bad |= *v >= below;
    *v = io->bad ? 0 : *v;
}

static void io_bool(io_t *io, bool *v)
{
    uint8_t b = *v;
    io_u8(io, &b, 2);
    *v = b != 0;
}

static void io_text(io_t *io, char *text, size_t cap)
{
    uint32_t len = (uint32_t)strlen(text);
    io_u32(io, &len);
    io->bad |= len >= cap;
    if (!io->bad) {
        io_bytes(io, text, len);
        text[io->bad ? 0 : len] = 0;
    }
}

static void io_pen(io_t *io, vt_pen_t *pen)
{
    io_u32(io, &pen->fg);
    io_u32(io, &pen->bg);
    io_u32(io, &pen->ext);
    pen->ext = pen->ext < VT_EXTRAS ? pen->ext : 0;
}

static void io_charsets(io_t *io, uint8_t *sets)
{
    for (unsigned i = 0; i < 4; i++) {
        io_u8(io, &sets[i], 256);
        sets[i] = vt_charset_known(sets[i]) ? sets[i] : 0;
    }
}

static void io_modes(io_t *io, vt_modes_t *m)
{
    bool *flags[] = {&m->app_cursor,   &m->app_keypad,   &m->origin,        &m->wrap,
                     &m->reverse_wrap, &m->insert,       &m->newline,       &m->bracketed_paste,
                     &m->focus,        &m->sync,         &m->reverse_video, &m->margins,
                     &m->alternate,    &m->allow_columns};
    uint8_t mouse = (uint8_t)m->mouse, format = (uint8_t)m->mouse_format;
    for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
        io_bool(io, flags[i]);
    }
    io_u8(io, &mouse, VT_MOUSE_ANY + 1);
    io_u8(io, &format, VT_MOUSE_SGR_PIXELS + 1);
    m->mouse = (vt_mouse_t)mouse;
    m->mouse_format = (vt_mouse_format_t)format;
}

static void io_parser(io_t *io, vt_parser_t *p)
{
    io_unsigned(io, &p->state, VT_STATES);
    io_u32(io, &p->code);
    io_unsigned(io, &p->code_left, 4);
    io_u32(io, &p->code_min);
    p->code &= 0x1fffff;
    io_u32(io, &p->collect);
    p->collect &= 0xffffff;
    io_u32(io, &p->collected);
    io_unsigned(io, &p->count, VT_PARAMS + 1);
    io_unsigned(io, &p->sub_count, VT_PARAMS + 1);
    io->bad |= p->count == 0;
    for (unsigned i = 0; i < VT_PARAMS; i++) {
        io_u32(io, (uint32_t *)&p->params[i]);
        io_u32(io, (uint32_t *)&p->subs[i]);
        io_u8(io, &p->sub_start[i], VT_PARAMS + 1);
        io_u8(io, &p->sub_end[i], VT_PARAMS + 1);
        p->params[i] = p->params[i] < 0 ? 0 : p->params[i];
        p->subs[i] = p->subs[i] < -1 ? -1 : p->subs[i];
    }
    io_bool(io, &p->digit_is_sub);
    io_bool(io, &p->full);
    io_bool(io, &p->sub_full);
    io->bad |= p->digit_is_sub && !p->sub_count && !p->sub_full;
    io_u32(io, &p->dcs);
    io_bool(io, &p->string_over);
    io_unsigned(io, &p->string_len, VT_STRING_MAX + 1);
    if (io->loading && p->string_len && !io->bad) {
        for (p->string_cap = 256; p->string_cap < p->string_len;) {
            p->string_cap *= 2;
        }
        p->string = malloc(p->string_cap);
        io->bad |= !p->string;
    }
    if (!io->bad) {
        io_bytes(io, p->string, p->string_len);
    }
}

/* Every wide character has its two halves, every cell what it speaks of. */
static void mend_line(const vt_t *vt, vt_line_t *line)
{
    for (unsigned x = 0; x < vt->cols; x++) {
        vt_cell_t *c = &line->cells[x];
        uint32_t code = c->ch & VT_CODE;
        unsigned width = vt_cell_width(c);
        bool cluster = c->ch & VT_CLUSTER;
        bool half = width == 0 && x && vt_cell_width(c - 1) == 2;
        bool whole = width == 1 || (width == 2 && x + 1 < vt->cols && !(c[1].ch & VT_WIDTH));
        if (cluster ? code >= vt->cluster_count || !vt->clusters[code].count : code > 0x10ffff) {
            c->ch = (c->ch & VT_WIDTH);
        }
        if (half) {
            c->ch = 0;
        } else if (!whole) {
            c->ch = VT_BLANK;
        }
        c->ch &= VT_CODE | VT_CLUSTER | VT_WIDTH;
        c->ext = c->ext < vt->extra_count ? c->ext : 0;
        if (c->ch >= (VT_BLANK | 0x80) || c->ch < VT_BLANK || c->fg || c->bg || c->ext) {
            line->flags &= ~VT_ROW_PLAIN;
        }
    }
    line->flags &= VT_ROW_WRAPPED | VT_ROW_PLAIN;
}

static void io_screen(io_t *io, vt_t *vt, vt_screen_t *s)
{
    io_unsigned(io, &s->top, vt->rows);
    io_unsigned(io, &s->bottom, vt->rows);
    io_unsigned(io, &s->left, vt->cols);
    io_unsigned(io, &s->right, vt->cols);
    io->bad |= s->top > s->bottom || s->left > s->right;
    io_unsigned(io, &s->saved.x, VT_MAX_COLS);
    io_unsigned(io, &s->saved.y, VT_MAX_ROWS);
    io_pen(io, &s->saved.pen);
    io_bool(io, &s->saved.origin);
    io_u8(io, &s->saved.gl, 4);
    io_charsets(io, s->saved.charsets);
    io_bytes(io, s->tabs, sizeof(s->tabs));
    for (unsigned y = 0; y < vt->rows && !io->bad; y++) {
        vt_line_t *line = &s->lines[y];
        io_u32(io, &line->flags);
        for (unsigned x = 0; x < vt->cols; x++) {
            io_u32(io, &line->cells[x].ch);
            io_u32(io, &line->cells[x].fg);
            io_u32(io, &line->cells[x].bg);
            io_u32(io, &line->cells[x].ext);
        }
        if (io->loading) {
            mend_line(vt, line);
        }
    }
}

static void io_clusters(io_t *io, vt_t *vt)
{
    io_unsigned(io, &vt->cluster_count, VT_CLUSTERS + 1);
    if (io->loading && vt->cluster_count && !io->bad) {
        /* Each takes a byte at least. */
        io->bad |= io->len - io->at < vt->cluster_count;
        vt->clusters = io->bad ? NULL : calloc(vt->cluster_count, sizeof(*vt->clusters));
        io->bad |= !vt->clusters;
    }
    for (uint32_t i = 0; i < vt->cluster_count && !io->bad; i++) {
        io_u8(io, &vt->clusters[i].count, VT_CLUSTER_MAX + 1);
        for (unsigned j = 0; j < vt->clusters[i].count; j++) {
            io_u32(io, &vt->clusters[i].codes[j]);
            vt->clusters[i].codes[j] &= VT_CODE;
        }
    }
}

static void io_extras(io_t *io, vt_t *vt)
{
    char link[VT_LINK_MAX + 1];
    io_unsigned(io, &vt->extra_count, VT_EXTRAS + 1);
    if (io->loading && vt->extra_count && !io->bad) {
        vt->extras = calloc(VT_EXTRAS, sizeof(*vt->extras));
        io->bad |= !vt->extras;
    }
    for (uint32_t i = 1; i < vt->extra_count && !io->bad; i++) {
        vt_extra_t *e = &vt->extras[i];
        link[0] = 0;
        if (e->link) {
            memcpy(link, e->link, strlen(e->link) + 1);
        }
        io_u32(io, &e->color);
        io_u32(io, &e->hash);
        io_text(io, link, sizeof(link));
        if (io->loading && link[0] && !io->bad) {
            e->link = malloc(strlen(link) + 1);
            io->bad |= !e->link;
            if (e->link) {
                memcpy(e->link, link, strlen(link) + 1);
            }
        }
    }
}

static void save_scrollback(io_t *io, const vt_t *vt)
{
    const vt_scrollback_t *sb = &vt->scrollback;
    uint32_t count = sb->count;
    io_u32(io, &count);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t s = (uint32_t)(((uint64_t)sb->first + i) % sb->max);
        io_u32(io, &sb->sizes[s]);
        io_bytes(io, sb->bytes + sb->starts[s], sb->sizes[s]);
    }
}

/* Each line is decoded and encoded again, so that only what this program would have written stays.
 */
static void load_scrollback(io_t *io, vt_t *vt)
{
    uint32_t count = 0, size = 0, zero = 0;
    io_u32(io, &count);
    for (uint32_t i = 0; i < count && !io->bad; i++) {
        io_u32(io, &size);
        if (io->bad || size > io->len - io->at) {
            io->bad = true;
            return;
        }
        vt_scrollback_t one = {.bytes = (uint8_t *)(uintptr_t)(io->in + io->at),
                               .starts = &zero,
                               .sizes = &size,
                               .count = 1,
                               .max = 1};
        vt_line_t line = {vt->scratch, 0, false};
        line.flags = vt_scrollback_get(vt, &one, 0, vt->scratch, vt->cols);
        mend_line(vt, &line);
        vt_scrollback_push(vt, &vt->scrollback, &line, vt->cols);
        io->at += size;
        vt->bytes_in += size;
    }
}

static void io_titles(io_t *io, char (**stack)[VT_TITLE_MAX], unsigned *depth)
{
    io_unsigned(io, depth, VT_TITLE_STACK + 1);
    if (io->loading && *depth && !io->bad) {
        *stack = calloc(VT_TITLE_STACK, sizeof(**stack));
        io->bad |= !*stack;
    }
    for (unsigned i = 0; i < *depth && !io->bad; i++) {
        io_text(io, (*stack)[i], VT_TITLE_MAX);
    }
}

static void io_rest(io_t *io, vt_t *vt)
{
    bool alternate = vt->alt.lines;
    io_unsigned(io, &vt->x, vt->cols);
    io_unsigned(io, &vt->y, vt->rows);
    io_bool(io, &vt->pending);
    io_pen(io, &vt->pen);
    io_modes(io, &vt->modes);
    io_bool(io, &vt->cursor_hidden);
    io_bool(io, &vt->cursor_blink);
    io_u8(io, &vt->cursor_style, 7);
    io_u8(io, &vt->gl, 4);
    io_u8(io, &vt->single_shift, 4);
    io_charsets(io, vt->charsets);
    io_unsigned(io, &vt->last_width, 3);
    io_u64(io, &vt->scrolled);
    for (unsigned i = 0; i < VT_PALETTE; i++) {
        io_u32(io, &vt->palette[i]);
    }
    io_text(io, vt->title, sizeof(vt->title));
    io_text(io, vt->icon, sizeof(vt->icon));
    io_titles(io, &vt->titles, &vt->title_depth);
    io_titles(io, &vt->icons, &vt->icon_depth);
    io_parser(io, &vt->parser);
    io_clusters(io, vt);
    io_extras(io, vt);
    io_screen(io, vt, &vt->normal);
    io_bool(io, &alternate);
    if (io->loading && alternate && !io->bad) {
        io->bad |= !vt_screen_alloc(&vt->alt, vt->cols, vt->rows);
    }
    if (alternate && !io->bad) {
        io_screen(io, vt, &vt->alt);
    }
    io->bad |= vt->modes.alternate && !alternate;
}

uint8_t *vt_save(const vt_t *vt, size_t *len)
{
    io_t io = {0};
    vt_t *walked = (vt_t *)(uintptr_t)vt; /* saving writes back what it read */
    uint32_t head[4] = {MAGIC, vt->cols, vt->rows, vt->scrollback.max};
    for (unsigned i = 0; i < 4; i++) {
        io_u32(&io, &head[i]);
    }
    io_rest(&io, walked);
    save_scrollback(&io, vt);
    if (io.bad) {
        free(io.out);
        return NULL;
    }
    *len = io.len;
    return io.out;
}

vt_t *vt_load(const void *bytes, size_t len, const vt_callbacks_t *callbacks)
{
    io_t io = {.in = bytes, .len = len, .loading = true};
    uint32_t head[4] = {0};
    for (unsigned i = 0; i < 4; i++) {
        io_u32(&io, &head[i]);
    }
    if (io.bad || head[0] != MAGIC || head[1] < VT_MIN_COLS || head[1] > VT_MAX_COLS ||
        head[2] < VT_MIN_ROWS || head[2] > VT_MAX_ROWS || head[3] > MAX_SCROLLBACK ||
        len / 16 < (uint64_t)head[1] * head[2]) {
        return NULL;
    }
    vt_t *vt = vt_create(head[1], head[2], head[3], callbacks);
    if (!vt) {
        return NULL;
    }
    io_rest(&io, vt);
    if (!io.bad) {
        load_scrollback(&io, vt);
    }
    if (io.bad) {
        vt_destroy(vt);
        return NULL;
    }
    vt->screen = vt->modes.alternate ? &vt->alt : &vt->normal;
    vt->map_chars = false;
    vt_charset_update(vt);
    vt_dirty_all(vt);
    return vt;
}
