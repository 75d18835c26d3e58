/* SPDX-License-Identifier: MPL-2.0 */
/* What window managers do with the window, and show of it. */
#include "window_internal.h"

#include "../src/util.h"

#include <SDL_syswm.h>

#ifdef SDL_VIDEO_DRIVER_X11
#include <X11/Xatom.h>
#include <X11/Xlib.h>

/* SDL does not notice when a window manager fills the screen, or stops to, by a key of its own. */
static bool x11_is_full(Display *display, Window window)
{
    Atom state = XInternAtom(display, "_NET_WM_STATE", False), type;
    Atom wanted = XInternAtom(display, "_NET_WM_STATE_FULLSCREEN", False);
    unsigned char *bytes = NULL;
    unsigned long items = 0, left = 0;
    int format = 0;
    bool full = false;
    if (XGetWindowProperty(display, window, state, 0, 64, False, XA_ATOM, &type, &format, &items,
                           &left, &bytes) == Success &&
        bytes && format == 32) {
        for (unsigned long i = 0; i < items; i++) {
            full |= ((const Atom *)(const void *)bytes)[i] == wanted;
        }
    }
    if (bytes) {
        XFree(bytes);
    }
    return full;
}
#endif

bool window_is_full(window_t *w)
{
#ifdef SDL_VIDEO_DRIVER_X11
    SDL_SysWMinfo info;
    SDL_VERSION(&info.version);
    if (SDL_GetWindowWMInfo(w->handle, &info) && info.subsystem == SDL_SYSWM_X11) {
        return x11_is_full(info.info.x11.display, info.info.x11.window);
    }
#endif
    return SDL_GetWindowFlags(w->handle) & SDL_WINDOW_FULLSCREEN;
}

void window_fill(window_t *w, bool full)
{
    static const uint32_t flags[] = {0, SDL_WINDOW_FULLSCREEN_DESKTOP};
    if (window_is_full(w) != full) {
        SDL_SetWindowFullscreen(w->handle, flags[!full]); /* as it is, if SDL does not know */
        SDL_SetWindowFullscreen(w->handle, flags[full]);
    }
}

/* --- The icon: rvkit.svg, whose shapes are lines with round ends, and boxes with round corners ---
 */

#define ICON_SIDE 64
#define ICON_UNITS 128.0f

/* A box from x0, y0 to x1, y1, and all that is no farther than radius from it. */
typedef struct {
    float x0, y0, x1, y1, radius;
    uint32_t rgb;
} icon_shape_t;

static const icon_shape_t icon_shapes[] = {
    {36, 6, 36, 122, 3, 0xD8A830},    {64, 6, 64, 122, 3, 0xD8A830},
    {92, 6, 92, 122, 3, 0xD8A830},    {6, 36, 122, 36, 3, 0xD8A830},
    {6, 64, 122, 64, 3, 0xD8A830},    {6, 92, 122, 92, 3, 0xD8A830},
    {28, 28, 100, 100, 12, 0x203858}, {31, 31, 97, 97, 5, 0x0C1420},
    {64, 84, 88, 84, 4.5f, 0xE8E8E8},
};

static float clamp(float value, float least, float most)
{
    return value < least ? least : value > most ? most : value;
}

/* How much of a pixel at x, y is within `radius` of x0, y0. */
static float icon_cover(float x, float y, float x0, float y0, float radius)
{
    const float units = ICON_UNITS / ICON_SIDE;
    float dx = x - x0, dy = y - y0;
    return clamp((radius - SDL_sqrtf(dx * dx + dy * dy)) / units + 0.5f, 0, 1);
}

static uint32_t icon_over(uint32_t under, uint32_t rgb, float part)
{
    uint32_t out = 0;
    float alpha = (float)(under >> 24) / 255, sum = part + alpha * (1 - part);
    for (unsigned shift = 0; sum > 0 && shift < 24; shift += 8) {
        float a = (float)(under >> shift & 0xFF), b = (float)(rgb >> shift & 0xFF);
        out |= (uint32_t)((b * part + a * alpha * (1 - part)) / sum + 0.5f) << shift;
    }
    return out | (uint32_t)(sum * 255 + 0.5f) << 24;
}

/* The prompt, whose two lines lie aslant. */
static float icon_prompt(float x, float y)
{
    float along = clamp((x - 38 + (y < 64 ? y - 46 : 82 - y)) / 2, 0, 18);
    return icon_cover(x, y, 38 + along, y < 64 ? 46 + along : 82 - along, 4.5f);
}

void window_set_icon(SDL_Window *handle)
{
    uint32_t pixels[ICON_SIDE * ICON_SIDE] = {0};
    for (unsigned i = 0; i < ARRAY_LEN(pixels); i++) {
        float x = ((float)(i % ICON_SIDE) + 0.5f) * ICON_UNITS / ICON_SIDE;
        float y = ((float)(i / ICON_SIDE) + 0.5f) * ICON_UNITS / ICON_SIDE;
        for (unsigned k = 0; k < ARRAY_LEN(icon_shapes); k++) {
            const icon_shape_t *s = &icon_shapes[k];
            float part =
                icon_cover(x, y, clamp(x, s->x0, s->x1), clamp(y, s->y0, s->y1), s->radius);
            pixels[i] = icon_over(pixels[i], s->rgb, part);
        }
        pixels[i] = icon_over(pixels[i], 0x78D890, icon_prompt(x, y));
    }
    SDL_Surface *icon = SDL_CreateRGBSurfaceWithFormatFrom(pixels, ICON_SIDE, ICON_SIDE, 32,
                                                           ICON_SIDE * 4, SDL_PIXELFORMAT_ARGB8888);
    if (icon) {
        SDL_SetWindowIcon(handle, icon);
        SDL_FreeSurface(icon);
    }
}
