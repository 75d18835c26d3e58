/* SPDX-License-Identifier: MPL-2.0 */
/* SDL_mixer is not used (DISABLE_SDL2MIXER). */
