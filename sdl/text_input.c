/* SPDX-License-Identifier: MPL-2.0 */
/* Keys, text, mouse and wheel of a text console. */
#include "text_internal.h"

#include "../src/util.h"

#include <string.h>

#define WHEEL_ROWS 3

/* --- Keys --- */

static unsigned key_mods(uint16_t mod)
{
    return (mod & KMOD_SHIFT ? VT_MOD_SHIFT : 0) | (mod & KMOD_LALT ? VT_MOD_ALT : 0) |
           (mod & KMOD_CTRL ? VT_MOD_CTRL : 0);
}

/* Keys that make no text. VT_KEY_NONE: it does, or is none of the guest's business. */
static uint32_t key_named(const SDL_Keysym *key)
{
    static const struct {
        SDL_Keycode sym;
        uint32_t key;
    } keys[] = {
        {SDLK_UP, VT_KEY_UP},          {SDLK_DOWN, VT_KEY_DOWN},
        {SDLK_RIGHT, VT_KEY_RIGHT},    {SDLK_LEFT, VT_KEY_LEFT},
        {SDLK_HOME, VT_KEY_HOME},      {SDLK_END, VT_KEY_END},
        {SDLK_INSERT, VT_KEY_INSERT},  {SDLK_DELETE, VT_KEY_DELETE},
        {SDLK_PAGEUP, VT_KEY_PAGE_UP}, {SDLK_PAGEDOWN, VT_KEY_PAGE_DOWN},
        {SDLK_TAB, VT_KEY_TAB},        {SDLK_BACKSPACE, VT_KEY_BACKSPACE},
        {SDLK_RETURN, VT_KEY_ENTER},   {SDLK_RETURN2, VT_KEY_ENTER},
        {SDLK_ESCAPE, VT_KEY_ESCAPE},  {SDLK_KP_ENTER, VT_KEY_PAD_ENTER},
    };
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        if (keys[i].sym == key->sym) {
            return keys[i].key;
        }
    }
    if (key->sym >= SDLK_F1 && key->sym <= SDLK_F12) {
        return VT_KEY_F1 + (uint32_t)(key->sym - SDLK_F1);
    }
    if (key->sym >= SDLK_F13 && key->sym <= SDLK_F20) {
        return VT_KEY_F1 + 12 + (uint32_t)(key->sym - SDLK_F13);
    }
    return VT_KEY_NONE;
}

/* The keypad: digits, or what else is on them. */
static uint32_t key_pad(const SDL_Keysym *key)
{
    static const uint32_t moves[] = {VT_KEY_END,     VT_KEY_DOWN,   VT_KEY_PAGE_DOWN, VT_KEY_LEFT,
                                     VT_KEY_NONE,    VT_KEY_RIGHT,  VT_KEY_HOME,      VT_KEY_UP,
                                     VT_KEY_PAGE_UP, VT_KEY_INSERT, VT_KEY_DELETE};
    static const uint32_t digits[] = {VT_KEY_PAD_0 + 1, VT_KEY_PAD_0 + 2, VT_KEY_PAD_0 + 3,
                                      VT_KEY_PAD_0 + 4, VT_KEY_PAD_0 + 5, VT_KEY_PAD_0 + 6,
                                      VT_KEY_PAD_0 + 7, VT_KEY_PAD_0 + 8, VT_KEY_PAD_0 + 9,
                                      VT_KEY_PAD_0,     VT_KEY_PAD_DOT};
    switch (key->scancode) {
    case SDL_SCANCODE_KP_DIVIDE:
        return VT_KEY_PAD_SLASH;
    case SDL_SCANCODE_KP_MULTIPLY:
        return VT_KEY_PAD_STAR;
    case SDL_SCANCODE_KP_MINUS:
        return VT_KEY_PAD_MINUS;
    case SDL_SCANCODE_KP_PLUS:
        return VT_KEY_PAD_PLUS;
    default:
        break;
    }
    unsigned i = (unsigned)key->scancode - SDL_SCANCODE_KP_1;
    if (i >= ARRAY_LEN(moves)) {
        return VT_KEY_NONE;
    }
    return key->mod & KMOD_NUM ? digits[i] : moves[i];
}

/* A picture without news would only put off the one with the guest's answer. */
static void type_key(text_view_t *t, uint32_t key, unsigned mods)
{
    bool selected = t->select != SELECT_NONE;
    text_select_clear(t);
    text_scroll(t, -(int)t->above);
    console_key(t->viewer, key, mods);
    if (selected) {
        view_wake(&t->view);
    }
}

/* Keys that are the terminal's own. */
static bool key_local(text_view_t *t, const SDL_Keysym *key)
{
    bool shift = key->mod & KMOD_SHIFT, ctrl = key->mod & KMOD_CTRL;
    int page = (int)t->rows - 1;
    SDL_Keycode sym = window_key_sym(key);
    if (shift && ctrl && sym == SDLK_c) {
        text_copy(t, false);
    } else if (shift && ctrl && sym == SDLK_v) {
        text_paste(t, false);
    } else if (shift && !ctrl && key->sym == SDLK_INSERT) {
        text_paste(t, true);
    } else if (shift && (key->sym == SDLK_PAGEUP || key->sym == SDLK_PAGEDOWN) &&
               !t->modes.alternate) {
        text_scroll(t, key->sym == SDLK_PAGEUP ? page : -page);
    } else if (shift && ctrl && (key->sym == SDLK_UP || key->sym == SDLK_DOWN)) {
        text_scroll(t, key->sym == SDLK_UP ? 1 : -1);
    } else if (shift && ctrl && key->sym == SDLK_HOME) {
        text_scroll(t, VT_DEFAULT_SCROLLBACK);
    } else if (shift && ctrl && key->sym == SDLK_END) {
        text_scroll(t, -(int)t->above);
    } else {
        return false;
    }
    return true;
}

static void text_key(text_view_t *t, const SDL_Keysym *key)
{
    unsigned mods = key_mods(key->mod);
    uint32_t code = key_named(key);
    t->swallow = false;
    if (t->editing[0]) {
        return; /* an input method is at work */
    }
    if (key_local(t, key)) {
        t->swallow = true;
        return;
    }
    code = code == VT_KEY_NONE ? key_pad(key) : code;
    bool printable = key->sym >= ' ' && key->sym < 0x110000 && key->sym != 0x7F;
    if (code != VT_KEY_NONE) {
        type_key(t, code, mods);
        t->swallow = true;
    } else if (printable && (mods & VT_MOD_CTRL) && !(key->mod & KMOD_MODE)) {
        uint32_t c = (uint32_t)window_key_sym(key);
        /* Shift makes no other character of letters with Ctrl; Ctrl-Shift-2 and -6 are Ctrl-@ and
         * -^. */
        c = key->mod & KMOD_SHIFT ? c == '2' ? '@' : c == '6' ? '^' : c == '-' ? '_' : c : c;
        type_key(t, c, mods & (VT_MOD_CTRL | VT_MOD_ALT));
        t->swallow = true;
    }
}

static void text_editing(text_view_t *t, const char *text)
{
    SDL_utf8strlcpy(t->editing, text, sizeof(t->editing));
    t->all = true;
    view_wake(&t->view);
}

static void text_text(text_view_t *t, const char *text)
{
    unsigned mods = SDL_GetModState() & KMOD_LALT ? VT_MOD_ALT : 0;
    uint32_t code;
    if (t->editing[0]) {
        text_editing(t, "");
    }
    if (t->swallow) {
        return;
    }
    while ((code = canvas_next_code(&text)) != 0) {
        type_key(t, code, mods);
    }
}

/* --- Scrollback --- */

void text_scroll(text_view_t *t, int rows)
{
    int above = (int)t->above + rows;
    above = above < 0 ? 0 : above > VT_DEFAULT_SCROLLBACK ? VT_DEFAULT_SCROLLBACK : above;
    if ((unsigned)above != t->above) {
        t->above = (unsigned)above; /* the next look takes it back to what there is */
        t->all = true;
        view_wake(&t->view);
    }
}

/* --- Mouse --- */

typedef struct {
    unsigned col, row, x, y;
} cell_place_t;

static cell_place_t mouse_place(const text_view_t *t, int x, int y)
{
    const glyphs_metrics_t *m = glyphs_metrics(window_glyphs(t->view.window));
    int margin = text_margin(t);
    x = x < margin ? 0 : x - margin;
    y = y < margin ? 0 : y - margin;
    x = x >= t->canvas.width && t->canvas.width ? t->canvas.width - 1 : x;
    y = y >= t->canvas.height && t->canvas.height ? t->canvas.height - 1 : y;
    return (cell_place_t){(unsigned)x / m->width, (unsigned)y / m->height, (unsigned)x,
                          (unsigned)y};
}

/* The mouse is the guest's, unless Shift is held. */
static bool mouse_is_guests(const text_view_t *t)
{
    return t->modes.mouse != VT_MOUSE_OFF && !(SDL_GetModState() & KMOD_SHIFT) && !t->selecting &&
           !t->above;
}

static bool mouse_tell(text_view_t *t, vt_mouse_action_t action, unsigned button, int x, int y)
{
    cell_place_t p = mouse_place(t, x, y);
    unsigned mods = key_mods((uint16_t)SDL_GetModState());
    return console_mouse(t->viewer, action, button, p.col, p.row, p.x, p.y, mods);
}

static unsigned mouse_button(uint8_t button)
{
    switch (button) {
    case SDL_BUTTON_LEFT:
        return 0;
    case SDL_BUTTON_MIDDLE:
        return 1;
    case SDL_BUTTON_RIGHT:
        return 2;
    default:
        return 8 + (unsigned)(button - SDL_BUTTON_X1);
    }
}

static void mouse_press(text_view_t *t, const SDL_MouseButtonEvent *e)
{
    bool shift = SDL_GetModState() & KMOD_SHIFT, alt = SDL_GetModState() & KMOD_ALT;
    if (mouse_is_guests(t)) {
        mouse_tell(t, VT_MOUSE_PRESS, mouse_button(e->button), e->x, e->y);
    } else if (e->button == SDL_BUTTON_LEFT) {
        text_select_press(t, e->x, e->y, e->clicks, alt, shift);
    } else if (e->button == SDL_BUTTON_RIGHT && t->select) {
        text_select_press(t, e->x, e->y, 1, false, true);
    } else if (e->button == SDL_BUTTON_MIDDLE) {
        text_paste(t, true);
    }
    view_wake(&t->view);
}

static void mouse_release(text_view_t *t, const SDL_MouseButtonEvent *e)
{
    if (t->selecting) {
        text_select_end(t);
    } else if (mouse_is_guests(t)) {
        mouse_tell(t, VT_MOUSE_RELEASE, mouse_button(e->button), e->x, e->y);
    }
}

static void mouse_motion(text_view_t *t, const SDL_MouseMotionEvent *e)
{
    if (t->selecting) {
        text_select_drag(t, e->x, e->y);
        view_wake(&t->view);
        return;
    }
    cell_place_t p = mouse_place(t, e->x, e->y);
    bool moved = (int)p.col != t->mouse_col || (int)p.row != t->mouse_row ||
                 t->modes.mouse_format == VT_MOUSE_SGR_PIXELS;
    t->mouse_col = (int)p.col;
    t->mouse_row = (int)p.row;
    if (moved && mouse_is_guests(t)) {
        unsigned button = e->state & SDL_BUTTON_LMASK   ? 0
                          : e->state & SDL_BUTTON_MMASK ? 1
                          : e->state & SDL_BUTTON_RMASK ? 2
                                                        : 3;
        mouse_tell(t, VT_MOUSE_MOVE, button, e->x, e->y);
    }
}

static void mouse_wheel(text_view_t *t, const SDL_MouseWheelEvent *e)
{
    int x, y;
    float scale = window_scale(t->view.window);
    SDL_GetMouseState(&x, &y);
    t->wheel += (int)(e->preciseY * 120 + (e->preciseY < 0 ? -0.5f : 0.5f));
    int notches = t->wheel / 120;
    if (mouse_is_guests(t)) {
        t->wheel -= notches * 120;
        for (; notches; notches += notches < 0 ? 1 : -1) {
            mouse_tell(t, VT_MOUSE_PRESS, notches < 0 ? 5 : 4, (int)((float)x * scale),
                       (int)((float)y * scale));
        }
        return;
    }
    int rows = t->wheel * WHEEL_ROWS / 120;
    t->wheel -= rows * 120 / WHEEL_ROWS;
    if (!t->modes.alternate) {
        text_scroll(t, rows);
        return;
    }
    for (; rows; rows += rows < 0 ? 1 : -1) { /* pagers have no scrollback of ours */
        console_key(t->viewer, rows < 0 ? VT_KEY_DOWN : VT_KEY_UP, 0);
    }
}

void text_event(view_t *view, const SDL_Event *event)
{
    text_view_t *t = text_of(view);
    switch (event->type) {
    case SDL_KEYDOWN:
        text_key(t, &event->key.keysym);
        break;
    case SDL_KEYUP:
        t->swallow = false; /* text follows its key at once, if it is the key's */
        break;
    case SDL_TEXTINPUT:
        text_text(t, event->text.text);
        break;
    case SDL_TEXTEDITING:
        text_editing(t, event->edit.text);
        break;
#if SDL_VERSION_ATLEAST(2, 0, 22)
    case SDL_TEXTEDITING_EXT:
        text_editing(t, event->editExt.text);
        break;
#endif
    case SDL_MOUSEBUTTONDOWN:
        mouse_press(t, &event->button);
        break;
    case SDL_MOUSEBUTTONUP:
        mouse_release(t, &event->button);
        break;
    case SDL_MOUSEMOTION:
        mouse_motion(t, &event->motion);
        break;
    case SDL_MOUSEWHEEL:
        mouse_wheel(t, &event->wheel);
        break;
    default:
        break;
    }
}
