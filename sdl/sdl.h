/* SPDX-License-Identifier: MPL-2.0 */
/* SDL, without the macros whose names src/devices/audio_host.h has as well. */
#ifndef RVKIT_SDL_SDL_H
#define RVKIT_SDL_SDL_H

#include <SDL.h>

#undef AUDIO_U8
#undef AUDIO_S16
#undef AUDIO_S32
#define SDL_FORMAT_U8 0x0008

#endif
