/* SPDX-License-Identifier: MPL-2.0 */
/* What the terminal answers: DA, DSR, DECRQM, DECRQSS. */
#include "vt_internal.h"

#include <stdarg.h>
#include <stdio.h>

#define ID2(a, b) ((uint32_t)(a) << 8 | (uint32_t)(b))
#define ID3(a, b, c) ((uint32_t)(a) << 16 | (uint32_t)(b) << 8 | (uint32_t)(c))

/* At most 255 bytes. */
void vt_reply(vt_t *vt, const char *fmt, ...)
{
    char text[256];
    va_list args;
    va_start(args, fmt);
    int len = vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    if (vt->cb.reply && len > 0) {
        vt->cb.reply(vt->cb.ctx, text, (size_t)len < sizeof(text) ? (size_t)len : sizeof(text) - 1);
    }
}

/* CPR, in origin mode counted from the margins. */
static void position(vt_t *vt, const char *mark)
{
    const vt_screen_t *s = vt->screen;
    unsigned top = vt->modes.origin ? s->top : 0, left = vt->modes.origin ? s->left : 0;
    vt_reply(vt, "\33[%s%u;%uR", mark, vt->y >= top ? vt->y - top + 1 : 1,
             vt->x >= left ? vt->x - left + 1 : 1);
}

/* DEC's own DSR (VT220): no printer, user-defined keys locked, a North American keyboard. */
static void device_status(vt_t *vt, int32_t what)
{
    if (what == 6) {
        position(vt, "?");
    } else if (what == 15) {
        vt_reply(vt, "\33[?13n");
    } else if (what == 25) {
        vt_reply(vt, "\33[?21n");
    } else if (what == 26) {
        vt_reply(vt, "\33[?27;1n");
    }
}

static void mode_report(vt_t *vt, bool private_mode)
{
    int32_t mode = vt_param(&vt->parser, 0);
    vt_reply(vt, "\33[%s%d;%d$y", private_mode ? "?" : "", (int)mode,
             vt_mode_get(vt, private_mode, mode));
}

/* DA1: a VT220 with 132 columns, selective erase and colour. DA2: xterm's form. DA3: no unit
 * number. */
bool vt_report_csi(vt_t *vt, uint32_t ident)
{
    int32_t p = vt_param(&vt->parser, 0);
    switch (ident) {
    case 'c':
        if (p == 0) {
            vt_reply(vt, "\33[?62;1;6;22c");
        }
        return true;
    case ID2('>', 'c'):
        if (p == 0) {
            vt_reply(vt, "\33[>1;277;0c");
        }
        return true;
    case ID2('=', 'c'):
        if (p == 0) {
            vt_reply(vt, "\33P!|00000000\33\\");
        }
        return true;
    case 'n':
        if (p == 5) {
            vt_reply(vt, "\33[0n");
        } else if (p == 6) {
            position(vt, "");
        }
        return true;
    case ID2('?', 'n'):
        device_status(vt, p);
        return true;
    case ID2('$', 'p'):
        mode_report(vt, false);
        return true;
    case ID3('?', '$', 'p'):
        mode_report(vt, true);
        return true;
    default:
        return false;
    }
}

/* DECRQSS. */
static void status_string(vt_t *vt, const char *what)
{
    const vt_screen_t *s = vt->screen;
    char sgr[160];
    if (!strcmp(what, "m")) {
        vt_sgr_text(vt, &vt->pen, sgr, sizeof(sgr));
        vt_reply(vt, "\33P1$r%sm\33\\", sgr);
    } else if (!strcmp(what, "r")) {
        vt_reply(vt, "\33P1$r%u;%ur\33\\", s->top + 1, s->bottom + 1);
    } else if (!strcmp(what, "s")) {
        vt_reply(vt, "\33P1$r%u;%us\33\\", s->left + 1, s->right + 1);
    } else if (!strcmp(what, " q")) {
        vt_reply(vt, "\33P1$r%u q\33\\",
                 vt->cursor_style ? vt->cursor_style : 2u - vt->cursor_blink);
    } else if (!strcmp(what, "\"q")) {
        vt_reply(vt, "\33P1$r%u\"q\33\\", vt->pen.bg & VT_PROTECTED ? 1u : 0u);
    } else if (!strcmp(what, "\"p")) {
        vt_reply(vt, "\33P1$r62;1\"p\33\\");
    } else {
        vt_reply(vt, "\33P0$r\33\\");
    }
}

void vt_dcs(vt_t *vt, uint32_t ident, const uint8_t *data, size_t len)
{
    char what[8];
    if (ident == ID2('$', 'q')) {
        size_t n = len < sizeof(what) ? len : sizeof(what) - 1;
        memcpy(what, n ? data : (const uint8_t *)"", n);
        what[n] = 0;
        status_string(vt, len < sizeof(what) ? what : "");
    }
}
