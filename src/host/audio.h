/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Sound without a sound card: into nothing, and into and out of WAV files. The clock is real either
 * way: streams take as long as they would with a loudspeaker.
 */
#ifndef RVKIT_HOST_AUDIO_H
#define RVKIT_HOST_AUDIO_H

#include "../devices/audio_host.h"

/*
 * What time it is. now() NULL: the host's clock, with a thread of its own for streams that run.
 * Else the time that counts is now(), in nanoseconds, which is asked at each update (about every 16
 * ms): for machines whose time is not the host's (-icount), whose runs then repeat.
 */
typedef struct {
    uint64_t (*now)(void *opaque);
    void *opaque;
} audio_clock_t;

/* What is played vanishes, and silence is recorded. False: no memory. */
bool audio_null_open(audio_host_t *host, const audio_clock_t *clock);

/*
 * What is played goes into the WAV file `play`: just the frames that the guest gave, without
 * silence where it was late. Sizes in its header are brought up to date about every quarter of a
 * second: what was written by then is there, also when the process is killed. A stream beside
 * another, or with other parameters than the one before, gets a file of its own: NAME-2.wav,
 * NAME-3.wav … What is recorded comes from the WAV file `record` (8, 16, 24 or 32 bits, or float),
 * from its start at each prepare; silence follows. Either may be NULL: as with audio_null_open().
 * False: error (error_size bytes) says what is wrong. A file that cannot be written later is given
 * up.
 */
bool audio_wav_open(audio_host_t *host, const audio_clock_t *clock, const char *play,
                    const char *record, char *error, size_t error_size);

#endif
