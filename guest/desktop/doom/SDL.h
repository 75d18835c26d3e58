/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The few of SDL's names that the rest of Chocolate Doom still uses; what it draws, hears and reads
 * goes through the files beside this one. RISC-V is little-endian.
 */
#ifndef RVKIT_DOOM_SDL_H
#define RVKIT_DOOM_SDL_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SDL_LIL_ENDIAN 1234
#define SDL_BIG_ENDIAN 4321
#define SDL_BYTEORDER SDL_LIL_ENDIAN
#define SDL_SwapLE16(x) ((uint16_t)(x))
#define SDL_SwapLE32(x) ((uint32_t)(x))
#define SDL_SwapBE16(x) __builtin_bswap16((uint16_t)(x))
#define SDL_SwapBE32(x) __builtin_bswap32((uint32_t)(x))

#define SDL_INIT_TIMER 0
#define SDL_Init(what) ((void)0)
#define SDL_Quit() ((void)0)
#define SDL_SetHint(hint, value) ((void)0)
#define SDL_free(pointer) free(pointer)
#define SDL_qsort qsort
/* The message has been printed; there is no window for it. */
#define SDL_ShowSimpleMessageBox(kind, title, text, window) ((void)(title), (void)(text))

typedef uint32_t Uint32;
typedef union SDL_Event SDL_Event; /* only named */

/* Milliseconds of a monotonic clock, since the first call. */
uint32_t SDL_GetTicks(void);
void SDL_Delay(uint32_t ms);

/* The folder for settings and saved games, with a slash at its end, for SDL_free(). */
char *SDL_GetPrefPath(const char *maker, const char *name);

#endif
