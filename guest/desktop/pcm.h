/* SPDX-License-Identifier: MPL-2.0 */
/* Sound through ALSA's kernel interface: 16 bits, two channels. One thread. */
#ifndef RVKIT_DESKTOP_PCM_H
#define RVKIT_DESKTOP_PCM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The first card. */
#define PCM_PLAY "/dev/snd/pcmC0D0p"
#define PCM_RECORD "/dev/snd/pcmC0D0c"

/* Opens one of these with buffers of `periods` periods (or as many as the driver takes, at least 2)
 * of `period` frames. Playing begins when they are full. -1: errno says why. */
int pcm_open(const char *path, unsigned rate, unsigned period, unsigned periods);

/* Waits until all of it is on its way. After a gap it goes on. False: errno says why. */
bool pcm_write(int fd, const int16_t *samples, size_t frames);

/* Waits until all of it has been heard, and closes. False: errno says why. */
bool pcm_drain(int fd);

#endif
