/* SPDX-License-Identifier: MPL-2.0 */
/* Playing sound through ALSA's kernel interface: 16 bits, two channels. One thread. */
#ifndef RVKIT_DESKTOP_PCM_H
#define RVKIT_DESKTOP_PCM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Opens the first card with buffers of `periods` periods of `period` frames. -1: errno says why. */
int pcm_open(unsigned rate, unsigned period, unsigned periods);

/* Waits until all of it is on its way. After a gap it goes on. False: errno says why. */
bool pcm_write(int fd, const int16_t *samples, size_t frames);

/* Waits until all of it has been heard, and closes. False: errno says why. */
bool pcm_drain(int fd);

#endif
