/* SPDX-License-Identifier: MPL-2.0 */
/* Control sequences: CSI, parameters, a final byte. An identifier holds prefix, intermediates and
 * final byte. */
#include "vt_internal.h"

#define ID2(a, b) ((uint32_t)(a) << 8 | (uint32_t)(b))
#define ID3(a, b, c) ((uint32_t)(a) << 16 | (uint32_t)(b) << 8 | (uint32_t)(c))

/* Parameter i, at least 1. */
static unsigned count(const vt_t *vt, unsigned i)
{
    int32_t v = vt_param(&vt->parser, i);
    return v > 0 ? (unsigned)v : 1;
}

/* Up and down stop at the margins, unless they begin outside. */
static void move_rows(vt_t *vt, int64_t by)
{
    vt_screen_t *s = vt->screen;
    vt_clamp(vt);
    int64_t y = (int64_t)vt->y + by;
    if (by < 0 && vt->y >= s->top && y < s->top) {
        y = s->top;
    }
    if (by > 0 && vt->y <= s->bottom && y > s->bottom) {
        y = s->bottom;
    }
    vt_goto(vt, vt->x, y);
}

static void move_cols(vt_t *vt, int64_t by)
{
    vt_screen_t *s = vt->screen;
    vt_clamp(vt);
    int64_t x = (int64_t)vt->x + by;
    if (by < 0 && vt->x >= s->left && x < s->left) {
        x = s->left;
    }
    if (by > 0 && vt->x <= s->right && x > s->right) {
        x = s->right;
    }
    vt_goto(vt, x, vt->y);
}

static void to_column(vt_t *vt, unsigned column)
{
    vt_goto(vt, (int64_t)column - 1 + (vt->modes.origin ? vt->screen->left : 0), vt->y);
}

static void to_row(vt_t *vt, unsigned row)
{
    vt_goto(vt, vt->x, (int64_t)row - 1 + (vt->modes.origin ? vt->screen->top : 0));
}

static void to_place(vt_t *vt, unsigned row, unsigned column)
{
    vt_screen_t *s = vt->screen;
    bool o = vt->modes.origin;
    vt_goto(vt, (int64_t)column - 1 + (o ? s->left : 0), (int64_t)row - 1 + (o ? s->top : 0));
}

static void to_line_start(vt_t *vt)
{
    vt->x = vt->x >= vt->screen->left ? vt->screen->left : 0;
    vt->pending = false;
}

static void tabs_forward(vt_t *vt, unsigned n)
{
    for (unsigned i = 0; i < n && i < vt->cols && !vt->pending; i++) {
        vt_control(vt, '\t');
    }
}

static void tabs_back(vt_t *vt, unsigned n)
{
    while (n-- && vt->x && !vt->pending) {
        do {
            vt->x--;
        } while (vt->x && !(vt->screen->tabs[vt->x / 8] >> (vt->x % 8) & 1));
    }
}

static void tab_clear(vt_t *vt)
{
    int32_t what = vt_param(&vt->parser, 0);
    if (what == 0 && !vt->pending) {
        vt->screen->tabs[vt->x / 8] &= (uint8_t) ~(1u << (vt->x % 8));
    } else if (what == 3) {
        memset(vt->screen->tabs, 0, sizeof(vt->screen->tabs));
    }
}

/* A whole row; it does not go on from the one above any more. */
static void erase_rows(vt_t *vt, unsigned from, unsigned to, bool selective)
{
    for (unsigned y = from; y < to; y++) {
        vt_line_erase(vt, y, 0, vt->cols, selective);
        vt_line(vt, y)->flags &= ~VT_ROW_WRAPPED;
    }
}

static void clamp_keep_pending(vt_t *vt)
{
    bool pending = vt->pending;
    vt_clamp(vt);
    vt->pending = pending;
}

static void erase_line(vt_t *vt, bool selective)
{
    clamp_keep_pending(vt);
    unsigned x = vt->x + vt->pending;
    vt_line_t *line = vt_line(vt, vt->y);
    switch (vt_param(&vt->parser, 0)) {
    case 0:
        vt_line_erase(vt, vt->y, x, vt->cols, selective);
        line->flags &= x ? ~0u : ~VT_ROW_WRAPPED;
        break;
    case 1:
        vt_line_erase(vt, vt->y, 0, x + 1, selective);
        break;
    case 2:
        vt_line_erase(vt, vt->y, 0, vt->cols, selective);
        line->flags &= ~VT_ROW_WRAPPED;
        break;
    default:
        break;
    }
}

static void erase_display(vt_t *vt, bool selective)
{
    clamp_keep_pending(vt);
    unsigned x = vt->x + vt->pending, y = vt->y;
    switch (vt_param(&vt->parser, 0)) {
    case 0:
        vt_line_erase(vt, y, x, vt->cols, selective);
        vt_line(vt, y)->flags &= x ? ~0u : ~VT_ROW_WRAPPED;
        erase_rows(vt, y + 1, vt->rows, selective);
        break;
    case 1:
        vt_line_erase(vt, y, 0, x + 1, selective);
        vt_line(vt, y)->flags &= ~VT_ROW_WRAPPED;
        if (x + 1 >= vt->cols && y + 1 < vt->rows) {
            vt_line(vt, y + 1)->flags &= ~VT_ROW_WRAPPED;
        }
        erase_rows(vt, 0, y, selective);
        break;
    case 2:
        erase_rows(vt, 0, vt->rows, selective);
        break;
    case 3:
        vt_scrollback_clear(vt);
        break;
    default:
        break;
    }
}

static bool in_margins(const vt_t *vt)
{
    const vt_screen_t *s = vt->screen;
    return vt->y >= s->top && vt->y <= s->bottom && vt->x >= s->left && vt->x <= s->right;
}

static void lines(vt_t *vt, bool insert)
{
    vt_clamp(vt);
    if (!in_margins(vt)) {
        return;
    }
    (insert ? vt_scroll_down : vt_scroll_up)(vt, vt->y, vt->screen->bottom, count(vt, 0));
    vt->x = vt->screen->left;
}

static void chars(vt_t *vt, bool insert)
{
    vt_clamp(vt);
    if (vt->x < vt->screen->left || vt->x > vt->screen->right) {
        return;
    }
    (insert ? vt_line_insert : vt_line_delete)(vt, vt->y, vt->x, count(vt, 0), vt_erased(vt));
}

/* SL, SR, DECIC, DECDC: columns of all rows between the margins. */
static void columns(vt_t *vt, unsigned x, bool insert)
{
    vt_screen_t *s = vt->screen;
    if (!in_margins(vt)) {
        return;
    }
    for (unsigned y = s->top; y <= s->bottom; y++) {
        (insert ? vt_line_insert : vt_line_delete)(vt, y, x, count(vt, 0), vt_erased(vt));
        vt_line(vt, y)->flags &= ~VT_ROW_WRAPPED;
    }
}

static void erase_chars(vt_t *vt)
{
    vt_clamp(vt);
    unsigned n = count(vt, 0), room = vt->cols - vt->x;
    vt_line_erase(vt, vt->y, vt->x, vt->x + (n < room ? n : room), false);
}

/* DECSTBM. */
static void margins_rows(vt_t *vt)
{
    unsigned top = count(vt, 0);
    int32_t last = vt_param(&vt->parser, 1);
    unsigned bottom = last <= 0 || (unsigned)last > vt->rows ? vt->rows : (unsigned)last;
    if (bottom > top) {
        vt->screen->top = top - 1;
        vt->screen->bottom = bottom - 1;
        to_place(vt, 1, 1);
    }
}

/* DECSLRM, where the mode for it is on; else the cursor is saved (SCOSC). */
static void margins_cols(vt_t *vt)
{
    if (!vt->modes.margins) {
        vt_save_cursor(vt);
        return;
    }
    unsigned left = count(vt, 0);
    int32_t last = vt_param(&vt->parser, 1);
    unsigned right = last <= 0 || (unsigned)last > vt->cols ? vt->cols : (unsigned)last;
    if (right > left) {
        vt->screen->left = left - 1;
        vt->screen->right = right - 1;
        to_place(vt, 1, 1);
    }
}

static void window(vt_t *vt)
{
    int32_t which = vt_param(&vt->parser, 1);
    switch (vt_param(&vt->parser, 0)) {
    case 18:
        vt_reply(vt, "\33[8;%u;%ut", vt->rows, vt->cols);
        break;
    case 22:
        vt_title_push(vt, which);
        break;
    case 23:
        vt_title_pop(vt, which);
        break;
    default:
        break;
    }
}

static bool cursor_csi(vt_t *vt, uint32_t ident)
{
    unsigned n = count(vt, 0);
    switch (ident) {
    case 'A':
        move_rows(vt, -(int64_t)n);
        break;
    case 'B':
        move_rows(vt, n);
        break;
    case 'C':
        move_cols(vt, n);
        break;
    case 'a':
        vt_goto(vt, (int64_t)vt->x + n, vt->y);
        break;
    case 'e':
        vt_goto(vt, vt->x, (int64_t)vt->y + n);
        break;
    case 'D':
        move_cols(vt, -(int64_t)n);
        break;
    case 'E':
        move_rows(vt, n);
        to_line_start(vt);
        break;
    case 'F':
        move_rows(vt, -(int64_t)n);
        to_line_start(vt);
        break;
    case '`':
    case 'G':
        to_column(vt, n);
        break;
    case 'f':
    case 'H':
        to_place(vt, n, count(vt, 1));
        break;
    case 'd':
        to_row(vt, n);
        break;
    case 'I':
        tabs_forward(vt, n);
        break;
    case 'Z':
        tabs_back(vt, n);
        break;
    case 's':
        margins_cols(vt);
        break;
    case 'u':
        vt_restore_cursor(vt);
        break;
    default:
        return false;
    }
    return true;
}

static bool edit_csi(vt_t *vt, uint32_t ident)
{
    vt_screen_t *s = vt->screen;
    switch (ident) {
    case '@':
        chars(vt, true);
        break;
    case 'P':
        chars(vt, false);
        break;
    case 'L':
        lines(vt, true);
        break;
    case 'M':
        lines(vt, false);
        break;
    case 'S':
        vt_scroll_up(vt, s->top, s->bottom, count(vt, 0));
        break;
    case 'T':
        vt_scroll_down(vt, s->top, s->bottom, count(vt, 0));
        break;
    case 'X':
        erase_chars(vt);
        break;
    case 'J':
        erase_display(vt, false);
        break;
    case 'K':
        erase_line(vt, false);
        break;
    case ID2('?', 'J'):
        erase_display(vt, true);
        break;
    case ID2('?', 'K'):
        erase_line(vt, true);
        break;
    case 'b':
        vt_repeat(vt, count(vt, 0));
        break;
    case ID2(' ', '@'):
        columns(vt, s->left, false);
        break;
    case ID2(' ', 'A'):
        columns(vt, s->left, true);
        break;
    case ID2('\'', '}'):
        columns(vt, vt->x, true);
        break;
    case ID2('\'', '~'):
        columns(vt, vt->x, false);
        break;
    default:
        return false;
    }
    return true;
}

static void protect(vt_t *vt)
{
    int32_t p = vt_param(&vt->parser, 0);
    if (p == 1) {
        vt->pen.bg |= VT_PROTECTED;
    } else if (p == 0 || p == 2) {
        vt->pen.bg &= ~VT_PROTECTED;
    }
}

void vt_csi(vt_t *vt, uint32_t ident)
{
    if (cursor_csi(vt, ident) || edit_csi(vt, ident) || vt_report_csi(vt, ident)) {
        return;
    }
    switch (ident) {
    case 'g':
        tab_clear(vt);
        break;
    case 'm':
        vt_sgr(vt);
        break;
    case 'h':
        vt_mode_set(vt, false, true);
        break;
    case 'l':
        vt_mode_set(vt, false, false);
        break;
    case ID2('?', 'h'):
        vt_mode_set(vt, true, true);
        break;
    case ID2('?', 'l'):
        vt_mode_set(vt, true, false);
        break;
    case 'r':
        margins_rows(vt);
        break;
    case 't':
        window(vt);
        break;
    case ID2('!', 'p'):
        vt_soft_reset(vt);
        break;
    case ID2('"', 'q'):
        protect(vt);
        break;
    case ID2(' ', 'q'):
        if (vt_param(&vt->parser, 0) <= 6) {
            vt->cursor_style = (uint8_t)vt_param(&vt->parser, 0);
        }
        break;
    default:
        break;
    }
}
