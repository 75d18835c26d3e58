/* SPDX-License-Identifier: MPL-2.0 */
/*
 * UTF-8 and the state machine of control functions (ECMA-48; the states are those of DEC's VT500
 * family). C1 controls come as UTF-8 too. What is not UTF-8 becomes U+FFFD, one for each longest
 * part that could have begun a character.
 */
#include "vt_internal.h"

#include <stdlib.h>

static void clear(vt_parser_t *p)
{
    p->collect = p->collected = 0;
    memset(p->sub_start, 0, sizeof(p->sub_start));
    memset(p->sub_end, 0, sizeof(p->sub_end));
    memset(p->params, 0, sizeof(p->params));
    p->count = 1;
    p->sub_count = 0;
    p->digit_is_sub = p->full = p->sub_full = false;
}

void vt_parser_reset(vt_parser_t *p)
{
    uint8_t *string = p->string;
    uint32_t cap = p->string_cap;
    *p = (vt_parser_t){.string = string, .string_cap = cap};
    clear(p);
}

/* Parameter i, 0 where there is none. */
int32_t vt_param(const vt_parser_t *p, unsigned i)
{
    return i < p->count ? p->params[i] : 0;
}

static void param_byte(vt_parser_t *p, uint32_t c)
{
    if (c == ';') {
        p->digit_is_sub = false;
        if (p->count >= VT_PARAMS) {
            p->full = true;
            return;
        }
        p->sub_start[p->count] = p->sub_end[p->count] = (uint8_t)p->sub_count;
        p->params[p->count++] = 0;
    } else if (c == ':') {
        p->digit_is_sub = true;
        if (p->full || p->sub_count >= VT_PARAMS) {
            p->sub_full = true;
            return;
        }
        p->subs[p->sub_count++] = -1;
        p->sub_end[p->count - 1]++;
    } else if (!p->full && !(p->digit_is_sub && p->sub_full)) {
        int32_t *v = p->digit_is_sub ? &p->subs[p->sub_count - 1] : &p->params[p->count - 1];
        int64_t next = (*v < 0 ? 0 : (int64_t)*v * 10) + (int64_t)(c - '0');
        *v = next < INT32_MAX ? (int32_t)next : INT32_MAX;
    }
}

/* Three bytes are as many as any known function has; more make it unknown. */
static void collect(vt_parser_t *p, uint32_t c)
{
    p->collect = p->collected < 3 ? p->collect << 8 | c : 0xffffff;
    p->collected++;
}

static void string_start(vt_parser_t *p)
{
    p->string_len = 0;
    p->string_over = false;
}

static void string_byte(vt_parser_t *p, uint8_t b)
{
    if (p->string_len == p->string_cap && !p->string_over) {
        uint32_t cap = p->string_cap ? p->string_cap * 2 : 256;
        uint8_t *more = cap <= VT_STRING_MAX ? realloc(p->string, cap) : NULL;
        if (!more) {
            p->string_over = true;
            return;
        }
        p->string = more;
        p->string_cap = cap;
    }
    if (!p->string_over) {
        p->string[p->string_len++] = b;
    }
}

static void string_code(vt_parser_t *p, uint32_t c)
{
    if (c < 0x80) {
        string_byte(p, (uint8_t)c);
        return;
    }
    if (c >= 0x10000) {
        string_byte(p, (uint8_t)(0xf0 | c >> 18));
        string_byte(p, (uint8_t)(0x80 | (c >> 12 & 0x3f)));
    } else if (c >= 0x800) {
        string_byte(p, (uint8_t)(0xe0 | c >> 12));
    }
    string_byte(p, c >= 0x800 ? (uint8_t)(0x80 | (c >> 6 & 0x3f)) : (uint8_t)(0xc0 | c >> 6));
    string_byte(p, (uint8_t)(0x80 | (c & 0x3f)));
}

static void string_end(vt_t *vt, uint32_t c)
{
    vt_parser_t *p = &vt->parser;
    bool good = c != 0x18 && c != 0x1a && !p->string_over;
    bool osc = p->state == VT_OSC || p->state == VT_OSC_ESC;
    p->state = VT_GROUND;
    vt->last_width = 0;
    if (good && osc) {
        vt_osc(vt, p->string, p->string_len, c == 0x07);
    } else if (good) {
        vt_dcs(vt, p->dcs, p->string, p->string_len);
    }
    if (p->string_cap > 4096) {
        free(p->string);
        p->string = NULL;
        p->string_cap = 0;
    }
    clear(p);
}

/* The character after a string's ESC: both are its ST, or the ESC began something else. */
static void string_end_esc(vt_t *vt, uint32_t c)
{
    uint64_t written = vt->written;
    vt->written = c == '\\' ? written : vt->esc_start;
    string_end(vt, 0x9c);
    vt->written = written;
    vt->parser.state = VT_ESCAPE;
    vt->start = vt->esc_start;
}

/* Controls that mean the same in every state. True when c was one. */
static bool anywhere(vt_t *vt, uint32_t c)
{
    vt_parser_t *p = &vt->parser;
    bool in_string = p->state == VT_OSC || p->state == VT_DCS_DATA;
    if (in_string && c == 0x1b) {
        p->state = p->state == VT_OSC ? VT_OSC_ESC : VT_DCS_ESC;
        vt->esc_start = vt->char_start;
        return true;
    }
    if (in_string && (c == 0x18 || c == 0x1a || c == 0x9c || (c == 0x07 && p->state == VT_OSC))) {
        string_end(vt, c);
        return true;
    }
    if (c == 0x1b || c >= 0x80) {
        vt->start = vt->char_start;
    }
    if (c == 0x1b) {
        clear(p);
        p->state = VT_ESCAPE;
    } else if (c == 0x18 || c == 0x1a) {
        p->state = VT_GROUND;
        vt->last_width = 0;
    } else if (c < 0x80 || c >= 0xa0) {
        return false;
    } else if (c == 0x9b || c == 0x90) {
        clear(p);
        p->state = c == 0x9b ? VT_CSI_ENTRY : VT_DCS_ENTRY;
    } else if (c == 0x9d) {
        string_start(p);
        p->state = VT_OSC;
    } else if (c == 0x98 || c == 0x9e || c == 0x9f) {
        p->state = VT_STRING;
    } else {
        p->state = VT_GROUND;
        if (c != 0x9c) {
            vt_control(vt, c);
        }
    }
    return true;
}

static void dispatch_csi(vt_t *vt, uint32_t c)
{
    vt->parser.state = VT_GROUND;
    vt_csi(vt, vt->parser.collect << 8 | c);
    vt->last_width = 0;
}

static void escape(vt_t *vt, uint32_t c)
{
    vt_parser_t *p = &vt->parser;
    if (c < 0x30) {
        collect(p, c);
        p->state = VT_ESCAPE_MID;
    } else if (p->state == VT_ESCAPE && c == '[') {
        clear(p);
        p->state = VT_CSI_ENTRY;
    } else if (p->state == VT_ESCAPE && c == ']') {
        string_start(p);
        p->state = VT_OSC;
    } else if (p->state == VT_ESCAPE && c == 'P') {
        clear(p);
        p->state = VT_DCS_ENTRY;
    } else if (p->state == VT_ESCAPE && (c == 'X' || c == '^' || c == '_')) {
        p->state = VT_STRING;
    } else {
        p->state = VT_GROUND;
        vt_esc(vt, p->collect << 8 | c);
        vt->last_width = 0;
    }
}

/* Bytes 0x20 to 0x7e of CSI and, up to its final byte, DCS. */
static void sequence(vt_t *vt, uint32_t c, bool dcs)
{
    vt_parser_t *p = &vt->parser;
    unsigned base = dcs ? VT_DCS_ENTRY : VT_CSI_ENTRY; /* entry, param, mid, ignore */
    unsigned where = p->state - base;
    if (c >= 0x40) {
        if (dcs && where != 3) {
            p->dcs = p->collect << 8 | c;
            string_start(p);
            p->state = VT_DCS_DATA;
        } else if (!dcs && where == 3) {
            p->state = VT_GROUND;
        } else if (!dcs) {
            dispatch_csi(vt, c);
        }
    } else if (where == 3) {
        return;
    } else if (c < 0x30) {
        collect(p, c);
        p->state = base + 2;
    } else if (c >= 0x3c && where == 0) {
        collect(p, c);
        p->state = base + 1;
    } else if (c >= 0x3c || where == 2) {
        p->state = base + 3;
    } else {
        param_byte(p, c);
        p->state = base + 1;
    }
}

/* A control character inside a sequence. */
static void control_inside(vt_t *vt, uint32_t c)
{
    uint64_t start = vt->start;
    vt->start = vt->char_start;
    vt_control(vt, c);
    vt->start = start;
}

static void code_in(vt_t *vt, uint32_t c)
{
    vt_parser_t *p = &vt->parser;
    if (p->state == VT_GROUND) {
        vt->start = vt->char_start;
    } else if (p->state >= VT_OSC_ESC) {
        string_end_esc(vt, c);
    }
    if ((c < 0x20 || (c >= 0x80 && c < 0xa0)) && anywhere(vt, c)) {
        return;
    }
    bool control = c < 0x20, dcs = p->state >= VT_DCS_ENTRY;
    switch ((vt_state_t)p->state) {
    case VT_GROUND:
        if (control) {
            vt_control(vt, c);
        } else if (c != 0x7f) {
            vt_print(vt, c);
        }
        break;
    case VT_OSC:
        if (!control) {
            string_code(p, c);
        }
        break;
    case VT_DCS_DATA:
        if (c != 0x7f) {
            string_code(p, c);
        }
        break;
    case VT_STRING:
        break;
    default:
        if (control && !dcs) {
            control_inside(vt, c);
        } else if (c >= 0x80 && p->state != VT_CSI_IGNORE && p->state != VT_DCS_IGNORE) {
            p->state = VT_GROUND;
        } else if (control || c >= 0x7f) {
            break;
        } else if (p->state <= VT_ESCAPE_MID) {
            escape(vt, c);
        } else {
            sequence(vt, c, dcs);
        }
    }
}

static void replacement(vt_t *vt)
{
    vt->parser.code_left = 0;
    code_in(vt, 0xfffd);
}

/* The first byte of a character, not ASCII. */
static void utf8_start(vt_t *vt, uint8_t b)
{
    vt_parser_t *p = &vt->parser;
    if (b < 0xc2 || b > 0xf4) {
        replacement(vt);
        return;
    }
    p->code_left = b < 0xe0 ? 1 : b < 0xf0 ? 2 : 3;
    p->code = b & (b < 0xe0 ? 0x1f : b < 0xf0 ? 0x0f : 0x07);
    p->code_min = b;
}

/* False when b does not go on with the character: it is looked at anew. */
static bool utf8_next(vt_t *vt, uint8_t b)
{
    vt_parser_t *p = &vt->parser;
    uint8_t low = 0x80, high = 0xbf;
    /* The second byte says whether the form is too long, a surrogate, or beyond Unicode. */
    low = p->code_min == 0xe0 ? 0xa0 : p->code_min == 0xf0 ? 0x90 : low;
    high = p->code_min == 0xed ? 0x9f : p->code_min == 0xf4 ? 0x8f : high;
    if (b < low || b > high) {
        replacement(vt);
        return false;
    }
    p->code_min = 0;
    p->code = p->code << 6 | (b & 0x3f);
    if (!--p->code_left && p->code != 0xfeff) {
        code_in(vt, p->code);
    }
    return true;
}

void vt_write(vt_t *vt, const void *bytes, size_t len)
{
    const uint8_t *p = bytes, *end = p + len;
    vt_parser_t *parser = &vt->parser;
    uint64_t after = vt->written + len;
    vt->bytes_in += len;
    while (p < end) {
        uint8_t b = *p;
        bool printable = b >= 0x20 && b < 0x7f;
        if (printable && parser->state == VT_GROUND && !parser->code_left) {
            p += vt_print_ascii(vt, p, (size_t)(end - p));
            continue;
        }
        vt->written = after - (uint64_t)(end - p) + 1;
        if (parser->code_left) {
            p += utf8_next(vt, b);
            continue;
        }
        p++;
        if (printable && parser->state - VT_CSI_ENTRY <= VT_CSI_IGNORE - VT_CSI_ENTRY) {
            sequence(vt, b, false);
            continue;
        }
        vt->char_start = vt->written - 1;
        if (b >= 0x80) {
            utf8_start(vt, b);
        } else {
            code_in(vt, b);
        }
    }
    vt->written = after;
    if (parser->state == VT_GROUND) {
        vt->start = parser->code_left ? vt->char_start : vt->written;
    }
}
