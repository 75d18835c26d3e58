/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Who draws the window. OpenGL without a GPU is a second processor's worth of work for each
 * picture; SDL's own software renderer, with its picture handed to X as shared memory, does with a
 * fraction.
 */
#include "window_internal.h"

#include <string.h>

#define GL_RENDERER_NAME 0x1F01

/* Whether OpenGL, as the renderer has it, is a program. */
static bool gl_is_software(SDL_Renderer *renderer)
{
    typedef const unsigned char *(*get_string_fn)(unsigned name);
    static const char *const names[] = {"llvmpipe", "softpipe", "swrast", "Software Rasterizer"};
    SDL_RendererInfo info;
    if (SDL_GetRendererInfo(renderer, &info) != 0 || strncmp(info.name, "opengl", 6) != 0) {
        return false;
    }
    get_string_fn get = (get_string_fn)SDL_GL_GetProcAddress("glGetString");
    const char *name = get ? (const char *)get(GL_RENDERER_NAME) : NULL;
    for (unsigned i = 0; name && i < sizeof(names) / sizeof(names[0]); i++) {
        if (strstr(name, names[i])) {
            return true;
        }
    }
    return false;
}

SDL_Renderer *window_make_renderer(SDL_Window *handle)
{
    const char *driver = SDL_GetCurrentVideoDriver();
    bool shared =
        driver && strcmp(driver, "wayland") != 0; /* SDL gives Wayland no other pictures */
    if (shared) {
        SDL_SetHint(SDL_HINT_FRAMEBUFFER_ACCELERATION, "0"); /* or its own renderer uses OpenGL */
    }
    SDL_Renderer *renderer = SDL_CreateRenderer(handle, -1, 0);
    if (renderer && shared && !SDL_GetHint(SDL_HINT_RENDER_DRIVER) && gl_is_software(renderer)) {
        SDL_DestroyRenderer(renderer);
        renderer = SDL_CreateRenderer(handle, -1, SDL_RENDERER_SOFTWARE);
    }
    return renderer;
}
