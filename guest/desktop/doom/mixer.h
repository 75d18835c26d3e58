/* SPDX-License-Identifier: MPL-2.0 */
/* One thread plays what sound effects and music add up to. */
#ifndef RVKIT_DOOM_MIXER_H
#define RVKIT_DOOM_MIXER_H

#include <stdbool.h>
#include <stdint.h>

enum { MIXER_RATE = 44100, MIXER_FRAMES = 441 };

/* Opens the card and starts the thread, at the first call. False: no card. */
bool mixer_start(void);
void mixer_stop(void);

/* What the thread shares with the game is only touched between these. */
void mixer_lock(void);
void mixer_unlock(void);

/* Each adds its MIXER_FRAMES frames, left and right; called by the thread, locked. */
void sound_mix(int32_t *to);
void music_mix(int32_t *to);

#endif
