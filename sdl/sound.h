/* SPDX-License-Identifier: MPL-2.0 */
#ifndef RVKIT_SDL_SOUND_H
#define RVKIT_SDL_SOUND_H

#include "../src/devices/audio_host.h"

/*
 * The computer's loudspeaker and microphone as a back end of a sound device. Streams for which
 * there is no device play into nothing. False: there is no sound at all here, or no memory.
 */
bool sound_open(audio_host_t *host);

#endif
