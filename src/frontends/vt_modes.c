/* SPDX-License-Identifier: MPL-2.0 */
/* SM, RM, DECSET, DECRST and what DECRQM is told. */
#include "vt_internal.h"

/* The alternate screen is empty whenever it is shown anew. */
static void to_alternate(vt_t *vt)
{
    if (vt->modes.alternate || (!vt->alt.lines && !vt_screen_alloc(&vt->alt, vt->cols, vt->rows))) {
        return;
    }
    vt_saved_t saved = vt->alt.saved;
    vt_screen_reset(vt, &vt->alt);
    vt->alt.saved = saved;
    vt->screen = &vt->alt;
    vt->modes.alternate = true;
    vt_dirty_all(vt);
}

static void to_normal(vt_t *vt)
{
    vt->screen = &vt->normal;
    vt->modes.alternate = false;
    vt_dirty_all(vt);
}

static void alternate(vt_t *vt, int32_t mode, bool on)
{
    if (on) {
        if (mode == 1049) {
            vt_save_cursor(vt);
        }
        to_alternate(vt);
        return;
    }
    if (vt->modes.alternate) {
        to_normal(vt);
    }
    if (mode == 1049) {
        vt_restore_cursor(vt);
    }
}

static bool *plain_mode(vt_modes_t *m, int32_t mode)
{
    switch (mode) {
    case 1:
        return &m->app_cursor;
    case 5:
        return &m->reverse_video;
    case 6:
        return &m->origin;
    case 7:
        return &m->wrap;
    case 40:
        return &m->allow_columns;
    case 45:
        return &m->reverse_wrap;
    case 66:
        return &m->app_keypad;
    case 69:
        return &m->margins;
    case 1004:
        return &m->focus;
    case 2004:
        return &m->bracketed_paste;
    case 2026:
        return &m->sync;
    default:
        return NULL;
    }
}

static bool mouse_mode(int32_t mode, vt_mouse_t *mouse)
{
    switch (mode) {
    case 9:
        *mouse = VT_MOUSE_X10;
        break;
    case 1000:
        *mouse = VT_MOUSE_NORMAL;
        break;
    case 1002:
        *mouse = VT_MOUSE_BUTTON;
        break;
    case 1003:
        *mouse = VT_MOUSE_ANY;
        break;
    default:
        return false;
    }
    return true;
}

static void set_plain(vt_t *vt, int32_t mode, bool *flag, bool on)
{
    bool changed = *flag != on;
    *flag = on;
    if (mode == 6) {
        vt_goto(vt, on ? vt->screen->left : 0, on ? vt->screen->top : 0);
    } else if (mode == 69 && !on) {
        vt->screen->left = 0;
        vt->screen->right = vt->cols - 1;
    } else if ((mode == 5 && changed) || (mode == 2026 && !on)) {
        vt_dirty_all(vt);
    }
}

/* DECCOLM. The width belongs to whoever shows the screen, but what else it does programs rely on
 * (DEC STD 070, VT510): an empty screen, margins and cursor as at the start. */
static void set_columns(vt_t *vt)
{
    vt_screen_t *s = vt->screen;
    vt->modes.margins = false;
    s->top = s->left = 0;
    s->bottom = vt->rows - 1;
    s->right = vt->cols - 1;
    for (unsigned y = 0; y < vt->rows; y++) {
        vt_line_erase(vt, y, 0, vt->cols, false);
        vt_line(vt, y)->flags &= ~VT_ROW_WRAPPED;
    }
    vt_goto(vt, 0, 0);
}

static void set_private(vt_t *vt, int32_t mode, bool on)
{
    bool *flag = plain_mode(&vt->modes, mode);
    vt_mouse_t mouse;
    if (flag) {
        set_plain(vt, mode, flag, on);
        return;
    }
    if (mouse_mode(mode, &mouse)) {
        vt->modes.mouse = on ? mouse : VT_MOUSE_OFF;
        return;
    }
    switch (mode) {
    case 2:
        if (on) {
            memset(vt->charsets, 0, sizeof(vt->charsets));
            vt_charset_update(vt);
        }
        break;
    case 3:
        if (vt->modes.allow_columns) {
            set_columns(vt);
        }
        break;
    case 12:
        vt->cursor_blink = on;
        break;
    case 25:
        vt->cursor_hidden = !on;
        break;
    case 47:
    case 1047:
    case 1049:
        alternate(vt, mode, on);
        break;
    case 1048:
        (on ? vt_save_cursor : vt_restore_cursor)(vt);
        break;
    case 1006:
        vt->modes.mouse_format = on ? VT_MOUSE_SGR : VT_MOUSE_BYTES;
        break;
    case 1016:
        vt->modes.mouse_format = on ? VT_MOUSE_SGR_PIXELS : VT_MOUSE_BYTES;
        break;
    default:
        break;
    }
}

void vt_mode_set(vt_t *vt, bool private_mode, bool on)
{
    for (unsigned i = 0; i < vt->parser.count; i++) {
        int32_t mode = vt->parser.params[i];
        if (private_mode) {
            set_private(vt, mode, on);
        } else if (mode == 4) {
            vt->modes.insert = on;
        } else if (mode == 20) {
            vt->modes.newline = on;
        }
    }
}

/* DECRPM's value: 0 not known, 1 set, 2 reset, 3 always set, 4 always reset. */
int vt_mode_get(const vt_t *vt, bool private_mode, int32_t mode)
{
    const vt_modes_t *m = &vt->modes;
    vt_modes_t copy = *m;
    vt_mouse_t mouse;
    if (!private_mode) {
        return mode == 2    ? 4
               : mode == 4  ? (m->insert ? 1 : 2)
               : mode == 12 ? 3
               : mode == 20 ? (m->newline ? 1 : 2)
                            : 0;
    }
    const bool *flag = plain_mode(&copy, mode);
    if (flag) {
        return *flag ? 1 : 2;
    }
    if (mouse_mode(mode, &mouse)) {
        return m->mouse == mouse ? 1 : 2;
    }
    switch (mode) {
    case 8:
        return 3;
    case 12:
        return vt->cursor_blink ? 1 : 2;
    case 25:
        return vt->cursor_hidden ? 2 : 1;
    case 47:
    case 1047:
    case 1049:
        return m->alternate ? 1 : 2;
    case 67:
    case 1005:
    case 1015:
        return 4;
    case 1006:
        return m->mouse_format == VT_MOUSE_SGR ? 1 : 2;
    case 1016:
        return m->mouse_format == VT_MOUSE_SGR_PIXELS ? 1 : 2;
    case 1048:
        return 1;
    default:
        return 0;
    }
}
