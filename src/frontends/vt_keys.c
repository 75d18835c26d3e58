/* SPDX-License-Identifier: MPL-2.0 */
/* Keys, pasted text, the mouse and the focus, as xterm sends them to the guest. */
#include "vt_internal.h"

#include <stdio.h>

static void send(vt_t *vt, const void *bytes, size_t len)
{
    if (vt->cb.reply && len) {
        vt->cb.reply(vt->cb.ctx, bytes, len);
    }
}

static size_t utf8(uint32_t c, char *out)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xc0 | c >> 6);
        out[1] = (char)(0x80 | (c & 0x3f));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xe0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 0x3f));
        out[2] = (char)(0x80 | (c & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 0x3f));
    out[2] = (char)(0x80 | (c >> 6 & 0x3f));
    out[3] = (char)(0x80 | (c & 0x3f));
    return 4;
}

/* What Ctrl makes of a character, as on a VT220. */
static uint32_t control(uint32_t c)
{
    static const char digits[] = "\0\33\34\35\36\37\177"; /* Ctrl-2 to Ctrl-8 */
    if ((c >= 'a' && c <= 'z') || (c >= '@' && c <= '_')) {
        return c & 0x1f;
    }
    if (c >= '2' && c <= '8') {
        return (uint8_t)digits[c - '2'];
    }
    switch (c) {
    case ' ':
    case '`':
        return 0;
    case '/':
        return 0x1f;
    case '?':
        return 0x7f;
    case '~':
        return 0x1e;
    default:
        return c;
    }
}

static void character(vt_t *vt, uint32_t c, unsigned mods)
{
    char text[8];
    size_t n = 0;
    if (mods & (VT_MOD_ALT | VT_MOD_META)) {
        text[n++] = 27;
    }
    n += utf8(mods & VT_MOD_CTRL ? control(c) : c, text + n);
    send(vt, text, n);
}

/* ESC [ letter, with modifiers ESC [ 1 ; m letter, in application mode ESC O letter. */
static void letter(vt_t *vt, char final, unsigned mods, bool application)
{
    if (mods) {
        vt_reply(vt, "\33[1;%u%c", mods + 1, final);
    } else {
        vt_reply(vt, "\33%c%c", application ? 'O' : '[', final);
    }
}

static void tilde(vt_t *vt, unsigned number, unsigned mods)
{
    if (mods) {
        vt_reply(vt, "\33[%u;%u~", number, mods + 1);
    } else {
        vt_reply(vt, "\33[%u~", number);
    }
}

static void pad(vt_t *vt, unsigned i, unsigned mods)
{
    static const char plain[] = "0123456789.\r+-*/=,", application[] = "pqrstuvwxynMkmjoXl";
    if (vt->modes.app_keypad && !mods) {
        vt_reply(vt, "\33O%c", application[i]);
    } else if (plain[i] == '\r') {
        vt_key(vt, VT_KEY_ENTER, mods);
    } else {
        character(vt, (uint8_t)plain[i], mods);
    }
}

static void function_key(vt_t *vt, unsigned i, unsigned mods)
{
    static const uint8_t numbers[] = {15, 17, 18, 19, 20, 21, 23, 24,
                                      25, 26, 28, 29, 31, 32, 33, 34};
    if (i < 4) {
        letter(vt, (char)('P' + i), mods, true);
    } else {
        tilde(vt, numbers[i - 4], mods);
    }
}

static void named(vt_t *vt, uint32_t key, unsigned mods)
{
    static const char letters[] = "ABCDHF";
    static const uint8_t tildes[] = {2, 3, 5, 6};
    unsigned alt = mods & (VT_MOD_ALT | VT_MOD_META);
    switch (key) {
    case VT_KEY_BACKSPACE:
        character(vt, mods & VT_MOD_CTRL ? 8 : 0x7f, alt);
        break;
    case VT_KEY_TAB:
        if (mods & VT_MOD_SHIFT) {
            vt_reply(vt, "\33[Z");
        } else {
            character(vt, '\t', alt);
        }
        break;
    case VT_KEY_ENTER:
        character(vt, '\r', alt);
        if (vt->modes.newline) {
            send(vt, "\n", 1);
        }
        break;
    case VT_KEY_ESCAPE:
        character(vt, 27, alt);
        break;
    default:
        if (key <= VT_KEY_END) {
            letter(vt, letters[key - VT_KEY_UP], mods, vt->modes.app_cursor);
        } else {
            tilde(vt, tildes[key - VT_KEY_INSERT], mods);
        }
    }
}

void vt_key(vt_t *vt, uint32_t key, unsigned mods)
{
    mods &= 15;
    if (key < VT_KEY_NONE) {
        character(vt, key, mods);
    } else if (key == VT_KEY_NONE || key >= VT_KEY_END_OF_LIST) {
        return;
    } else if (key >= VT_KEY_PAD_0) {
        pad(vt, key - VT_KEY_PAD_0, mods);
    } else if (key >= VT_KEY_F1) {
        function_key(vt, key - VT_KEY_F1, mods);
    } else {
        named(vt, key, mods);
    }
}

/* Line feeds become returns, as from the keyboard; an end of bracketed paste cannot be smuggled in
 * without ESC. */
void vt_paste(vt_t *vt, const char *text, size_t len)
{
    char part[256];
    size_t n = 0;
    if (vt->modes.bracketed_paste) {
        send(vt, "\33[200~", 6);
    }
    for (size_t i = 0; i < len; i++) {
        uint8_t b = (uint8_t)text[i];
        bool c1 = b == 0xc2 && i + 1 < len && (uint8_t)text[i + 1] < 0xa0;
        if (c1) {
            i++;
            continue;
        }
        if (b == '\n' && i && text[i - 1] == '\r') {
            continue;
        }
        if ((b >= 0x20 && b != 0x7f) || b == '\t' || b == '\r' || b == '\n') {
            part[n++] = b == '\n' ? '\r' : (char)b;
        }
        if (n == sizeof(part)) {
            send(vt, part, n);
            n = 0;
        }
    }
    send(vt, part, n);
    if (vt->modes.bracketed_paste) {
        send(vt, "\33[201~", 6);
    }
}

void vt_focus(vt_t *vt, bool in)
{
    if (vt->modes.focus) {
        vt_reply(vt, "\33[%c", in ? 'I' : 'O');
    }
}

void vt_clipboard_answer(vt_t *vt, char which, const char *base64, size_t len)
{
    vt_reply(vt, "\33]52;%c;", which);
    send(vt, base64, len);
    vt_reply(vt, "\33\\");
}

/* The button's number with modifiers and motion; -1 for what the protocol does not tell. */
static int mouse_code(const vt_t *vt, vt_mouse_action_t action, unsigned button, unsigned mods)
{
    int code = button < 4 ? (int)button : button < 8 ? (int)button + 60 : (int)button + 120;
    vt_mouse_t mouse = vt->modes.mouse;
    if (mouse == VT_MOUSE_OFF || button > 11) {
        return -1;
    }
    if (mouse == VT_MOUSE_X10) {
        return action == VT_MOUSE_PRESS && button < 3 ? code : -1;
    }
    if (action == VT_MOUSE_MOVE) {
        if (mouse == VT_MOUSE_NORMAL || (mouse == VT_MOUSE_BUTTON && button == 3)) {
            return -1;
        }
        code += 32;
    } else if (button == 3 || (button >= 4 && button < 8 && action == VT_MOUSE_RELEASE)) {
        return -1;
    }
    code |= (mods & VT_MOD_SHIFT ? 4 : 0) | (mods & (VT_MOD_ALT | VT_MOD_META) ? 8 : 0) |
            (mods & VT_MOD_CTRL ? 16 : 0);
    return code;
}

bool vt_mouse(vt_t *vt, vt_mouse_action_t action, unsigned button, unsigned col, unsigned row,
              unsigned x, unsigned y, unsigned mods)
{
    int code = mouse_code(vt, action, button, mods);
    if (code < 0 || col >= vt->cols || row >= vt->rows) {
        return false;
    }
    if (vt->modes.mouse_format != VT_MOUSE_BYTES) {
        bool pixels = vt->modes.mouse_format == VT_MOUSE_SGR_PIXELS;
        vt_reply(vt, "\33[<%d;%u;%u%c", code, pixels ? x : col + 1, pixels ? y : row + 1,
                 action == VT_MOUSE_RELEASE ? 'm' : 'M');
        return true;
    }
    if (col > 222 || row > 222) {
        return false;
    }
    if (action == VT_MOUSE_RELEASE) {
        code |= 3;
    }
    char bytes[6] = {27, '[', 'M', (char)(32 + code), (char)(33 + col), (char)(33 + row)};
    send(vt, bytes, sizeof(bytes));
    return true;
}
