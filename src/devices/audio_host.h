/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Sound: what a sound device (virtio-snd) needs of whatever plays and records (src/host/audio.h; a
 * window's loudspeaker). Streams have numbers, given by the device: each plays or records. The back
 * end has the clock: while a stream runs, it fetches or brings so many frames a second as its rate
 * says.
 *
 * A frame is one sample of each channel, interleaved, little-endian.
 */
#ifndef RVKIT_DEVICES_AUDIO_HOST_H
#define RVKIT_DEVICES_AUDIO_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AUDIO_STREAMS_MAX 8
#define AUDIO_CHANNELS_MAX 8
#define AUDIO_RATE_MIN 5512
#define AUDIO_RATE_MAX 384000

typedef enum { AUDIO_U8, AUDIO_S16, AUDIO_S32, AUDIO_FLOAT } audio_format_t;

typedef struct {
    bool capture; /* records */
    audio_format_t format;
    uint32_t rate;     /* frames a second, AUDIO_RATE_MIN … AUDIO_RATE_MAX */
    uint32_t channels; /* 1 … AUDIO_CHANNELS_MAX */
    uint32_t period;   /* frames after which the guest wants to be told; not 0 */
    uint32_t buffer;   /* frames that the guest keeps on the way; at least period */
} audio_params_t;

static inline size_t audio_frame_size(const audio_params_t *params)
{
    static const uint8_t size[] = {
        [AUDIO_U8] = 1, [AUDIO_S16] = 2, [AUDIO_S32] = 4, [AUDIO_FLOAT] = 4};
    return (size_t)size[params->format] * params->channels;
}

/*
 * The device, as the back end calls it while a stream runs: from its own thread or from update(),
 * also with its locks held.
 */
typedef struct {
    void *opaque;
    /* Fetches up to so many frames to play; returns how many: fewer when the guest has no more. */
    size_t (*pull)(void *opaque, unsigned stream, void *frames, size_t count);
    /* Brings frames that were recorded; returns how many were taken: the others are lost. */
    size_t (*push)(void *opaque, unsigned stream, const void *frames, size_t count);
} audio_guest_t;

/*
 * The back end, as the device calls it: without the device's lock; for one stream, one call at a
 * time. All are required.
 */
typedef struct {
    void *opaque;
    /* The first call. */
    void (*attach)(void *opaque, const audio_guest_t *guest);
    /* The stream is to have these parameters; it does not run. False: it cannot. */
    bool (*prepare)(void *opaque, unsigned stream, const audio_params_t *params);
    /* Its clock runs, from a stream that is prepared. */
    void (*start)(void *opaque, unsigned stream);
    /* Its clock stops; when this returns, no call for the stream runs or comes. Also when it does
     * not run. */
    void (*stop)(void *opaque, unsigned stream);
    /* The stream is not used any more, until it is prepared again. It does not run. */
    void (*release)(void *opaque, unsigned stream);
    /* Frames that were fetched and are not heard yet. Also from within pull and push. */
    uint32_t (*delay)(void *opaque, unsigned stream);
    /* About every 16 ms. */
    void (*update)(void *opaque);
    /* The last call. */
    void (*free)(void *opaque);
} audio_host_t;

#endif
