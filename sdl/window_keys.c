/* SPDX-License-Identifier: MPL-2.0 */
/* Keys that are the window's own: Ctrl+Alt, and Ctrl+plus and minus. */
#include "window_internal.h"

#include "picture.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

void window_grab(window_t *w, bool grab)
{
    if (grab == w->grabbed) {
        return;
    }
    w->grabbed = grab;
    SDL_SetRelativeMouseMode(grab ? SDL_TRUE : SDL_FALSE);
    SDL_SetWindowKeyboardGrab(w->handle, grab ? SDL_TRUE : SDL_FALSE);
    w->redraw = true;
}

void window_ask(window_t *w)
{
    w->asking = true;
    w->redraw = true;
}

static void key_screenshot(window_t *w)
{
    view_t *view = w->view[w->shown];
    char path[160], why[160], said[NOTICE_MAX], stamp[24] = "";
    uint32_t width, height;
    time_t now = time(NULL);
    struct tm *tm = localtime(&now);
    if (tm) {
        strftime(stamp, sizeof(stamp), "%Y%m%d-%H%M%S", tm);
    }
    snprintf(path, sizeof(path), "rvkit-%s-%s.png", view->name, stamp);
    uint32_t *pixels = view->ops->picture(view, &width, &height);
    if (!pixels) {
        snprintf(said, sizeof(said), "screenshot: %s shows nothing now", view->name);
    } else if (picture_write_png(path, pixels, width, height, why, sizeof(why))) {
        snprintf(said, sizeof(said), "screenshot: %s is in %s", view->name, path);
    } else {
        snprintf(said, sizeof(said), "screenshot: %s: %s", path, why);
    }
    free(pixels);
    window_say(w, said);
}

static void key_pause(window_t *w)
{
    if (!w->guest.pause) {
        window_say(w, "this machine cannot be paused from here");
        return;
    }
    bool pause = !w->guest.is_paused(w->guest.opaque);
    if (w->guest.pause(w->guest.opaque, pause)) {
        window_say(w, pause ? "paused; Ctrl+Alt+P goes on" : "goes on");
    }
}

SDL_Keycode window_key_sym(const SDL_Keysym *key)
{
    enum { OTHER_SCRIPTS = 0x370 };
    static const char us[] = "abcdefghijklmnopqrstuvwxyz1234567890\r\033\b\t -=[]\\#;'`,./";
    unsigned at = (unsigned)key->scancode - SDL_SCANCODE_A;
    bool other = key->sym >= OTHER_SCRIPTS && !(key->sym & SDLK_SCANCODE_MASK);
    return other && at < sizeof(us) - 1 ? us[at] : key->sym;
}

/* True: it was one. */
static bool key_command(window_t *w, const SDL_Keysym *key)
{
    switch (window_key_sym(key)) {
    case SDLK_g:
        window_grab(w, !w->grabbed && w->view[w->shown]->screen);
        break;
    case SDLK_f:
        window_fill(w, !window_is_full(w));
        break;
    case SDLK_s:
        key_screenshot(w);
        break;
    case SDLK_h:
        w->status = !w->status;
        break;
    case SDLK_i:
        w->smooth = !w->smooth;
        window_say(w, w->smooth ? "screens are scaled smoothly to fit"
                                : "screens are scaled by whole numbers");
        break;
    case SDLK_p:
        key_pause(w);
        break;
    case SDLK_r:
        window_say(w, "reset");
        w->guest.reset(w->guest.opaque);
        break;
    case SDLK_v:
        if (w->view[w->shown]->ops->give) {
            w->view[w->shown]->ops->give(w->view[w->shown]);
        }
        break;
    case SDLK_q:
        window_ask(w);
        break;
    default:
        return false;
    }
    w->redraw = true;
    return true;
}

static bool key_font(window_t *w, const SDL_Keysym *key)
{
    SDL_Keycode sym = window_key_sym(key);
    if (sym > 0x7F && key->scancode == SDL_SCANCODE_0) {
        sym = SDLK_0; /* French keyboards have a letter there */
    }
    switch (sym) {
    case SDLK_PLUS:
    case SDLK_EQUALS:
    case SDLK_KP_PLUS:
        window_set_font(w, w->font_size + 1);
        return true;
    case SDLK_MINUS:
    case SDLK_KP_MINUS:
        window_set_font(w, w->font_size - 1);
        return true;
    case SDLK_0:
    case SDLK_KP_0:
        window_set_font(w, GLYPHS_SIZE_USUAL);
        return true;
    default:
        return false;
    }
}

bool window_key(window_t *w, const SDL_KeyboardEvent *e)
{
    const SDL_Keysym *key = &e->keysym;
    bool ctrl = key->mod & KMOD_CTRL, alt = key->mod & KMOD_LALT;
    if (w->asking) {
        bool modifier = key->scancode >= SDL_SCANCODE_LCTRL && key->scancode <= SDL_SCANCODE_RGUI;
        if (window_key_sym(key) == SDLK_y) {
            w->guest.quit(w->guest.opaque);
        }
        w->asking = modifier;
        w->redraw = true;
        return !modifier;
    }
    if (ctrl && alt) {
        unsigned digit = (unsigned)key->scancode - SDL_SCANCODE_1;
        if (digit < 9) {
            window_show(w, digit);
            return true;
        }
        return key_command(w, key);
    }
    return ctrl && !w->view[w->shown]->screen && key_font(w, key);
}
