/* SPDX-License-Identifier: MPL-2.0 */
/* Operating system commands: titles, the palette, hyperlinks, the clipboard. */
#include "vt_internal.h"

#include <stdio.h>
#include <stdlib.h>

/* What xterm begins with. */
static const uint32_t ansi[16] = {
    0x000000, 0xcd0000, 0x00cd00, 0xcdcd00, 0x0000ee, 0xcd00cd, 0x00cdcd, 0xe5e5e5,
    0x7f7f7f, 0xff0000, 0x00ff00, 0xffff00, 0x5c5cff, 0xff00ff, 0x00ffff, 0xffffff,
};

static uint32_t default_color(unsigned i)
{
    if (i < 16) {
        return ansi[i];
    }
    if (i < 232) {
        unsigned v = i - 16, c[3] = {v / 36, v / 6 % 6, v % 6};
        uint32_t color = 0;
        for (unsigned j = 0; j < 3; j++) {
            color = color << 8 | (c[j] ? c[j] * 40 + 55 : 0);
        }
        return color;
    }
    if (i < 256) {
        return ((i - 232) * 10 + 8) * 0x010101u;
    }
    return i == VT_DEFAULT_BG ? 0x000000 : 0xe5e5e5;
}

void vt_palette_reset(vt_t *vt, unsigned index)
{
    vt->palette[index] = default_color(index);
    vt_dirty_all(vt);
}

uint32_t vt_color_rgb(const vt_t *vt, uint32_t color, unsigned def)
{
    switch (color & VT_COLOR_KIND) {
    case VT_COLOR_DEFAULT:
        return vt->palette[def < VT_PALETTE ? def : VT_DEFAULT_FG];
    case VT_COLOR_RGB:
        return color & 0xffffff;
    default:
        return vt->palette[color & 255];
    }
}

static void copy_title(char *to, const char *from, size_t len)
{
    len = len < VT_TITLE_MAX ? len : VT_TITLE_MAX - 1;
    while (len && len == VT_TITLE_MAX - 1 && ((uint8_t)from[len] & 0xc0) == 0x80) {
        len--;
    }
    memmove(to, from, len);
    to[len] = 0;
}

static void set_title(vt_t *vt, const char *text, size_t len)
{
    copy_title(vt->title, text, len);
    if (vt->cb.title) {
        vt->cb.title(vt->cb.ctx, vt->title);
    }
}

static void push(char (**stack)[VT_TITLE_MAX], unsigned *depth, const char *text)
{
    if (!*stack) {
        *stack = malloc(VT_TITLE_STACK * sizeof(**stack));
    }
    if (!*stack) {
        return;
    }
    if (*depth == VT_TITLE_STACK) {
        memmove(*stack, *stack + 1, (VT_TITLE_STACK - 1) * sizeof(**stack));
        --*depth;
    }
    copy_title((*stack)[(*depth)++], text, strlen(text));
}

/* which: 0 both, 1 the icon's name, 2 the window's title. */
void vt_title_push(vt_t *vt, int32_t which)
{
    if (which == 0 || which == 2) {
        push(&vt->titles, &vt->title_depth, vt->title);
    }
    if (which == 0 || which == 1) {
        push(&vt->icons, &vt->icon_depth, vt->icon);
    }
}

void vt_title_pop(vt_t *vt, int32_t which)
{
    if ((which == 0 || which == 2) && vt->title_depth) {
        const char *title = vt->titles[--vt->title_depth];
        set_title(vt, title, strlen(title));
    }
    if ((which == 0 || which == 1) && vt->icon_depth) {
        const char *icon = vt->icons[--vt->icon_depth];
        copy_title(vt->icon, icon, strlen(icon));
    }
}

/* A hexadecimal part of 1 to 4 digits as 0 to 255; false when it is none. */
static bool hex_part(const char **p, char end, uint32_t *value)
{
    uint32_t v = 0, digits = 0;
    for (; **p && **p != end; ++*p, digits++) {
        char c = (char)(**p | 0x20);
        if (digits == 4 || !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) {
            return false;
        }
        v = v << 4 | (uint32_t)(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    if (!digits || **p != end) {
        return false;
    }
    *p += end != 0;
    *value = (v * 255 + ((1u << (digits * 4)) - 1) / 2) / ((1u << (digits * 4)) - 1);
    return true;
}

/* rgb:R/G/B with 1 to 4 digits each, #RGB, #RRGGBB, #RRRGGGBBB, #RRRRGGGGBBBB. */
static bool parse_color(const char *s, uint32_t *color)
{
    uint32_t part[3];
    if (!strncmp(s, "rgb:", 4)) {
        s += 4;
        for (unsigned i = 0; i < 3; i++) {
            if (!hex_part(&s, i < 2 ? '/' : 0, &part[i])) {
                return false;
            }
        }
    } else if (*s == '#' && strlen(s) <= 13 && strlen(s) > 1 && (strlen(s) - 1) % 3 == 0) {
        size_t digits = (strlen(s) - 1) / 3;
        for (unsigned i = 0; i < 3; i++) {
            char text[5] = {0};
            const char *p = text;
            memcpy(text, s + 1 + i * digits, digits);
            if (!hex_part(&p, 0, &part[i])) {
                return false;
            }
            /* Here the digits are the highest ones. */
            part[i] = digits == 1 ? part[i] & 0xf0 : part[i];
        }
    } else {
        return false;
    }
    *color = part[0] << 16 | part[1] << 8 | part[2];
    return true;
}

static void color(vt_t *vt, unsigned index, const char *spec, const char *prefix, bool bell)
{
    uint32_t value = vt->palette[index];
    if (!strcmp(spec, "?")) {
        unsigned r = value >> 16, g = value >> 8 & 255, b = value & 255;
        vt_reply(vt, "\33]%s;rgb:%02x%02x/%02x%02x/%02x%02x%s", prefix, r, r, g, g, b, b,
                 bell ? "\a" : "\33\\");
    } else if (parse_color(spec, &value)) {
        vt->palette[index] = value;
        vt_dirty_all(vt);
    }
}

/* The next part up to a semicolon, ended with 0; NULL after the last. */
static char *next(char **rest)
{
    char *part = *rest;
    if (part) {
        char *end = strchr(part, ';');
        *rest = end ? end + 1 : NULL;
        if (end) {
            *end = 0;
        }
    }
    return part;
}

static bool index_of(const char *s, unsigned *index)
{
    unsigned v = 0;
    for (const char *p = s; *p; p++) {
        if (*p < '0' || *p > '9' || v > 255) {
            return false;
        }
        v = v * 10 + (unsigned)(*p - '0');
    }
    *index = v;
    return *s && v < 256;
}

static void indexed(vt_t *vt, char *rest, bool bell)
{
    char prefix[16];
    for (char *part = next(&rest); part && rest; part = next(&rest)) {
        unsigned index;
        char *spec = next(&rest);
        if (index_of(part, &index)) {
            snprintf(prefix, sizeof(prefix), "4;%u", index);
            color(vt, index, spec, prefix, bell);
        }
    }
}

static void special(vt_t *vt, unsigned number, char *rest, bool bell)
{
    char prefix[8];
    for (; number <= 12 && rest; number++) {
        snprintf(prefix, sizeof(prefix), "%u", number);
        color(vt, VT_DEFAULT_FG + number - 10, next(&rest), prefix, bell);
    }
}

static void restore_indexed(vt_t *vt, char *rest)
{
    unsigned index;
    for (index = 0; !*rest && index < 256; index++) {
        vt_palette_reset(vt, index);
    }
    for (char *part = next(&rest); part && *part; part = next(&rest)) {
        if (index_of(part, &index)) {
            vt_palette_reset(vt, index);
        }
    }
}

static void hyperlink(vt_t *vt, const char *text)
{
    const char *uri = strchr(text, ';');
    vt_cell_t cell = {0, 0, 0, vt->pen.ext};
    if (uri) {
        size_t len = strlen(++uri);
        vt->pen.ext =
            vt_extra_get(vt, vt_cell_extra(vt, &cell, NULL), uri, len <= VT_LINK_MAX ? len : 0);
    }
}

/* The first letter of the selections' names that are asked for, c when none is. */
static void clipboard(vt_t *vt, const char *text, size_t len)
{
    const char *data = strchr(text, ';');
    if (!data || !vt->cb.clipboard) {
        return;
    }
    char which = data == text ? 'c' : text[0];
    data++;
    if (!strcmp(data, "?")) {
        vt->cb.clipboard(vt->cb.ctx, which, NULL, 0);
    } else {
        vt->cb.clipboard(vt->cb.ctx, which, data, len - (size_t)(data - text));
    }
}

static void command(vt_t *vt, unsigned number, char *text, size_t len, bool bell)
{
    switch (number) {
    case 0:
    case 2:
        set_title(vt, text, len); /* fall through */
    case 1:
        if (number < 2) {
            copy_title(vt->icon, text, len);
        }
        break;
    case 4:
        indexed(vt, text, bell);
        break;
    case 8:
        hyperlink(vt, text);
        break;
    case 10:
    case 11:
    case 12:
        special(vt, number, text, bell);
        break;
    case 52:
        clipboard(vt, text, len);
        break;
    case 104:
        restore_indexed(vt, text);
        break;
    case 110:
    case 111:
    case 112:
        vt_palette_reset(vt, VT_DEFAULT_FG + number - 110);
        break;
    default:
        break;
    }
}

void vt_osc(vt_t *vt, const uint8_t *data, size_t len, bool bell)
{
    unsigned number = 0;
    size_t i = 0;
    while (i < len && data[i] >= '0' && data[i] <= '9' && number < 10000) {
        number = number * 10 + (unsigned)(data[i++] - '0');
    }
    if (!i || (i < len && data[i++] != ';')) {
        return;
    }
    char *text = len && number < 10000 ? malloc(len - i + 1) : NULL;
    if (!text) {
        return;
    }
    memcpy(text, data + i, len - i);
    text[len - i] = 0;
    command(vt, number, text, len - i, bell);
    free(text);
}
