/* SPDX-License-Identifier: MPL-2.0 */
/* Control characters, escape sequences without parameters, and moving the cursor. */
#include "vt_internal.h"

/* Back inside the screen, or in origin mode the margins; no wrap is pending any more. */
void vt_clamp(vt_t *vt)
{
    vt_goto(vt, vt->x, vt->y);
}

/* To a place on the screen, clamped. */
void vt_goto(vt_t *vt, int64_t x, int64_t y)
{
    vt_screen_t *s = vt->screen;
    bool origin = vt->modes.origin;
    int64_t top = origin ? s->top : 0, bottom = origin ? s->bottom : vt->rows - 1;
    int64_t left = origin ? s->left : 0, right = origin ? s->right : vt->cols - 1;
    vt->y = (unsigned)(y < top ? top : y > bottom ? bottom : y);
    vt->x = (unsigned)(x < left ? left : x > right ? right : x);
    vt->pending = false;
}

static void line_feed(vt_t *vt)
{
    vt_screen_t *s = vt->screen;
    if (vt->modes.newline) {
        vt->x = vt->x >= s->left ? s->left : 0;
    }
    vt->pending = false;
    if (vt->y == s->bottom) {
        vt_scroll_feed(vt, false);
    } else if (vt->y + 1 < vt->rows) {
        vt->y++;
        vt_line(vt, vt->y)->flags &= ~VT_ROW_WRAPPED;
    }
}

static void index_down(vt_t *vt)
{
    vt_clamp(vt);
    if (vt->y == vt->screen->bottom) {
        vt_scroll_feed(vt, false);
    } else {
        vt->y += vt->y + 1 < vt->rows;
    }
}

static void index_up(vt_t *vt)
{
    vt_screen_t *s = vt->screen;
    vt_clamp(vt);
    if (vt->y == s->top) {
        if (vt->x >= s->left && vt->x <= s->right) {
            vt_scroll_down(vt, s->top, s->bottom, 1);
        }
    } else if (vt->y > 0) {
        vt->y--;
    }
}

static void carriage_return(vt_t *vt)
{
    unsigned left = vt->screen->left;
    vt->x = vt->modes.origin || vt->x >= left ? left : 0;
    vt->pending = false;
}

/* With reverse wrap, from the first column of a row that was wrapped to the end of the one above.
 */
static void backspace(vt_t *vt)
{
    vt_screen_t *s = vt->screen;
    bool pending = vt->pending;
    vt_clamp(vt);
    if (pending && vt->modes.reverse_wrap) {
        return;
    }
    if (vt->x > 0 && vt->x != s->left) {
        vt->x--;
    } else if (vt->modes.reverse_wrap && vt->y > s->top && vt->y <= s->bottom &&
               (vt_line(vt, vt->y)->flags & VT_ROW_WRAPPED)) {
        vt_line(vt, vt->y)->flags &= ~VT_ROW_WRAPPED;
        vt->y--;
        vt->x = s->right;
        const vt_cell_t *cell = &vt_line(vt, vt->y)->cells[vt->x];
        vt->x -= vt_cell_width(cell) && !(cell->ch & (VT_CODE | VT_CLUSTER));
    }
}

static void tab(vt_t *vt)
{
    unsigned end = vt->x <= vt->screen->right ? vt->screen->right : vt->cols - 1;
    if (vt->pending) {
        return;
    }
    while (vt->x < end) {
        vt->x++;
        if (vt->screen->tabs[vt->x / 8] >> (vt->x % 8) & 1) {
            break;
        }
    }
}

static void set_gl(vt_t *vt, unsigned set)
{
    vt->gl = (uint8_t)set;
    vt_charset_update(vt);
}

static void tab_set(vt_t *vt)
{
    if (!vt->pending) {
        vt->screen->tabs[vt->x / 8] |= (uint8_t)(1u << (vt->x % 8));
    }
}

static void single_shift(vt_t *vt, unsigned set)
{
    vt->single_shift = (uint8_t)set;
    vt_charset_update(vt);
}

/* C0 and C1, without those that begin or end a sequence. */
void vt_control(vt_t *vt, uint32_t code)
{
    vt->last_width = 0;
    switch (code) {
    case 0x07:
        if (vt->cb.bell) {
            vt->cb.bell(vt->cb.ctx);
        }
        break;
    case 0x08:
        backspace(vt);
        break;
    case 0x09:
        tab(vt);
        break;
    case 0x0a:
    case 0x0b:
    case 0x0c:
        line_feed(vt);
        break;
    case 0x0d:
        carriage_return(vt);
        break;
    case 0x0e:
        set_gl(vt, 1);
        break;
    case 0x0f:
        set_gl(vt, 0);
        break;
    case 0x84:
        index_down(vt);
        break;
    case 0x85:
        carriage_return(vt);
        index_down(vt);
        break;
    case 0x88:
        tab_set(vt);
        break;
    case 0x8d:
        index_up(vt);
        break;
    case 0x8e:
        single_shift(vt, 2);
        break;
    case 0x8f:
        single_shift(vt, 3);
        break;
    default:
        break;
    }
}

void vt_save_cursor(vt_t *vt)
{
    vt_saved_t *s = &vt->screen->saved;
    *s = (vt_saved_t){vt->x, vt->y, vt->pen, vt->modes.origin, vt->gl, {0}};
    memcpy(s->charsets, vt->charsets, sizeof(s->charsets));
}

void vt_restore_cursor(vt_t *vt)
{
    const vt_saved_t *s = &vt->screen->saved;
    vt->pen = s->pen;
    vt->modes.origin = s->origin;
    vt->gl = s->gl;
    memcpy(vt->charsets, s->charsets, sizeof(vt->charsets));
    vt->single_shift = 0;
    vt_charset_update(vt);
    vt_goto(vt, s->x, s->y);
}

/* DECSTR. */
void vt_soft_reset(vt_t *vt)
{
    vt_modes_t *m = &vt->modes;
    *m = (vt_modes_t){.wrap = true,
                      .newline = m->newline,
                      .reverse_video = m->reverse_video,
                      .alternate = m->alternate,
                      .allow_columns = m->allow_columns,
                      .mouse = m->mouse,
                      .mouse_format = m->mouse_format};
    vt->cursor_hidden = false;
    vt->cursor_style = 0;
    vt->pen = (vt_pen_t){0};
    vt->gl = vt->single_shift = 0;
    memset(vt->charsets, 0, sizeof(vt->charsets));
    vt_charset_update(vt);
    vt_screen_t *s = vt->screen;
    s->top = s->left = 0;
    s->bottom = vt->rows - 1;
    s->right = vt->cols - 1;
    s->saved = (vt_saved_t){0};
}

/* DECALN: the screen full of E, margins and cursor as at the start. */
static void alignment(vt_t *vt)
{
    vt_screen_t *s = vt->screen;
    s->top = s->left = 0;
    s->bottom = vt->rows - 1;
    s->right = vt->cols - 1;
    vt_cell_t cell = {VT_BLANK | 'E', 0, 0, 0};
    for (unsigned y = 0; y < vt->rows; y++) {
        vt_line_fill(vt, vt_line(vt, y), 0, vt->cols, cell);
        vt_line(vt, y)->flags = 0;
    }
    vt_goto(vt, 0, 0);
}

/* ESC ( B and the like. */
static void designate(vt_t *vt, uint8_t which, uint8_t final)
{
    static const char names[] = "()*+-.";
    const char *at = strchr(names, which);
    unsigned set = (unsigned)(at - names);
    if (set > 3) {
        set -= 3;
        final |= 0x80;
    }
    if (vt_charset_known(final)) {
        vt->charsets[set] = final;
        vt_charset_update(vt);
    }
}

static bool esc_charset(vt_t *vt, uint32_t ident)
{
    uint8_t which = (uint8_t)(ident >> 8);
    if (ident > 0xffff || !which) {
        return false;
    }
    if (ident == ('%' << 8 | '@') || ident == ('%' << 8 | 'G')) {
        vt->gl = 0;
        vt->charsets[0] = 'B';
        vt_charset_update(vt);
    } else if (strchr("()*+-.", which)) {
        designate(vt, which, (uint8_t)ident);
    } else if (ident == ('#' << 8 | '8')) {
        alignment(vt);
    }
    return true;
}

void vt_esc(vt_t *vt, uint32_t ident)
{
    if (ident >> 8) {
        esc_charset(vt, ident);
        return;
    }
    switch (ident) {
    case '7':
        vt_save_cursor(vt);
        break;
    case '8':
        vt_restore_cursor(vt);
        break;
    case 'D':
        index_down(vt);
        break;
    case 'E':
        vt_control(vt, 0x85);
        break;
    case 'H':
        tab_set(vt);
        break;
    case 'M':
        index_up(vt);
        break;
    case 'N':
        single_shift(vt, 2);
        break;
    case 'O':
        single_shift(vt, 3);
        break;
    case 'Z':
        vt_reply(vt, "\33[?62;1;6;22c");
        break;
    case 'c':
        vt_reset(vt);
        break;
    case 'n':
        set_gl(vt, 2);
        break;
    case 'o':
        set_gl(vt, 3);
        break;
    case '=':
        vt->modes.app_keypad = true;
        break;
    case '>':
        vt->modes.app_keypad = false;
        break;
    default:
        break;
    }
}
