/* SPDX-License-Identifier: MPL-2.0 */
/* SGR: attributes and colours (ECMA-48, ITU-T T.416 for 38, 48 and 58, with ; as xterm allows). */
#include "vt_internal.h"

#include <stdio.h>

static const struct {
    uint8_t on, off;
    uint32_t fg, bg;
} flags[] = {
    {1, 22, VT_BOLD, 0},   {2, 22, VT_DIM, 0},       {3, 23, VT_ITALIC, 0},
    {5, 25, 0, VT_BLINK},  {7, 27, VT_INVERSE, 0},   {8, 28, VT_INVISIBLE, 0},
    {9, 29, VT_STRIKE, 0}, {53, 55, 0, VT_OVERLINE},
};

static void underline(vt_pen_t *pen, uint32_t style)
{
    pen->bg = (pen->bg & ~VT_UNDERLINE) | style << VT_UNDERLINE_SHIFT;
}

static void underline_color(vt_t *vt, uint32_t color)
{
    const char *link;
    vt_cell_t cell = {0, 0, 0, vt->pen.ext};
    vt_cell_extra(vt, &cell, &link);
    vt->pen.ext = vt_extra_get(vt, color, link, strlen(link));
}

static void set_color(vt_t *vt, int32_t target, uint32_t color)
{
    if (target == 38) {
        vt->pen.fg = (vt->pen.fg & ~VT_COLOR_MASK) | color;
    } else if (target == 48) {
        vt->pen.bg = (vt->pen.bg & ~VT_COLOR_MASK) | color;
    } else {
        underline_color(vt, color);
    }
}

static uint32_t rgb(int32_t r, int32_t g, int32_t b)
{
    r = r < 0 ? 0 : r;
    g = g < 0 ? 0 : g;
    b = b < 0 ? 0 : b;
    return VT_COLOR_RGB | ((uint32_t)r & 255) << 16 | ((uint32_t)g & 255) << 8 |
           ((uint32_t)b & 255);
}

/* 38:5:n and 38:2:space:r:g:b. */
static void color_subs(vt_t *vt, unsigned i)
{
    const vt_parser_t *p = &vt->parser;
    int32_t v[5] = {-1, -1, -1, -1, -1};
    for (unsigned j = 0; j < 5 && p->sub_start[i] + j < p->sub_end[i]; j++) {
        v[j] = p->subs[p->sub_start[i] + j];
    }
    if (v[0] == 5) {
        set_color(vt, p->params[i], VT_COLOR_256 | ((uint32_t)(v[1] < 0 ? 0 : v[1]) & 255));
    } else if (v[0] == 2) {
        set_color(vt, p->params[i], rgb(v[2], v[3], v[4]));
    }
}

/* 38;5;n and 38;2;r;g;b from parameter i on; says how many more parameters it took. */
static unsigned color_params(vt_t *vt, unsigned i)
{
    const vt_parser_t *p = &vt->parser;
    unsigned left = p->count - 1 - i, want;
    int32_t kind = vt_param(p, i + 1);
    if (p->sub_end[i] > p->sub_start[i]) {
        color_subs(vt, i);
        return 0;
    }
    if (left && kind == 5) {
        set_color(vt, p->params[i], VT_COLOR_256 | ((uint32_t)vt_param(p, i + 2) & 255));
        want = 2;
    } else if (left && kind == 2) {
        set_color(vt, p->params[i],
                  rgb(vt_param(p, i + 2), vt_param(p, i + 3), vt_param(p, i + 4)));
        want = 4;
    } else {
        want = 5;
    }
    return left < want ? left : want;
}

static void plain_color(vt_pen_t *pen, int32_t v)
{
    uint32_t *word = (v / 10 % 10 == 3 || v / 10 == 9) ? &pen->fg : &pen->bg;
    uint32_t color =
        v % 10 == 9 ? VT_COLOR_DEFAULT : VT_COLOR_16 | (uint32_t)(v % 10) | (v >= 90 ? 8 : 0);
    *word = (*word & ~VT_COLOR_MASK) | color;
}

static bool flag(vt_pen_t *pen, int32_t v)
{
    bool found = false;
    for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
        if (v == flags[i].on) {
            pen->fg |= flags[i].fg;
            pen->bg |= flags[i].bg;
            return true;
        }
        if (v == flags[i].off) {
            pen->fg &= ~flags[i].fg;
            pen->bg &= ~flags[i].bg;
            found = true;
        }
    }
    return found;
}

/* One parameter; says how many more it took. */
static unsigned one(vt_t *vt, unsigned i)
{
    const vt_parser_t *p = &vt->parser;
    int32_t v = p->params[i];
    bool has_sub = p->sub_end[i] > p->sub_start[i];
    int32_t sub = has_sub ? p->subs[p->sub_start[i]] : 1;
    if (v == 0) {
        vt->pen.fg = 0;
        vt->pen.bg &= VT_PROTECTED;
        underline_color(vt, VT_COLOR_DEFAULT);
    } else if (v == 4 || v == 21 || v == 24) {
        underline(&vt->pen, v == 21 ? 2 : v == 24 ? 0 : sub < 0 || sub > 5 ? 1 : (uint32_t)sub);
    } else if (v == 38 || v == 48 || v == 58) {
        return color_params(vt, i);
    } else if (v == 59) {
        underline_color(vt, VT_COLOR_DEFAULT);
    } else if ((v >= 30 && v <= 49) || (v >= 90 && v <= 97) || (v >= 100 && v <= 107)) {
        plain_color(&vt->pen, v);
    } else {
        flag(&vt->pen, v);
    }
    return 0;
}

void vt_sgr(vt_t *vt)
{
    for (unsigned i = 0; i < vt->parser.count; i++) {
        i += one(vt, i);
    }
}

static int color_text(char *out, size_t cap, uint32_t color, unsigned base)
{
    unsigned v = color & 0xffffff;
    switch (color & VT_COLOR_KIND) {
    case VT_COLOR_16:
        return base == 58 ? snprintf(out, cap, ";58:5:%u", v)
                          : snprintf(out, cap, ";%u", (v < 8 ? base - 8 : base + 52) + (v & 7));
    case VT_COLOR_256:
        return snprintf(out, cap, ";%u:5:%u", base, v);
    case VT_COLOR_RGB:
        return snprintf(out, cap, ";%u:2::%u:%u:%u", base, v >> 16, v >> 8 & 255, v & 255);
    default:
        return 0;
    }
}

/* The parameters that set a pen from nothing, "0;1;31" say. cap is at least 96. */
size_t vt_sgr_text(const vt_t *vt, const vt_pen_t *pen, char *out, size_t cap)
{
    vt_cell_t cell = {0, 0, 0, pen->ext};
    size_t n = (size_t)snprintf(out, cap, "0");
    for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
        if ((pen->fg & flags[i].fg) || (pen->bg & flags[i].bg)) {
            n += (size_t)snprintf(out + n, cap - n, ";%u", flags[i].on);
        }
    }
    uint32_t style = (pen->bg & VT_UNDERLINE) >> VT_UNDERLINE_SHIFT;
    if (style == 1) {
        n += (size_t)snprintf(out + n, cap - n, ";4");
    } else if (style) {
        n += (size_t)snprintf(out + n, cap - n, ";4:%u", style);
    }
    n += (size_t)color_text(out + n, cap - n, pen->fg, 38);
    n += (size_t)color_text(out + n, cap - n, pen->bg, 48);
    n += (size_t)color_text(out + n, cap - n, vt_cell_extra(vt, &cell, NULL), 58);
    return n;
}
