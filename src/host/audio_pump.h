/* SPDX-License-Identifier: MPL-2.0 */
/* Moves frames at a stream's rate between a sound device and a sink of bytes, for back ends without
 * a sound card. */
#ifndef RVKIT_HOST_AUDIO_PUMP_H
#define RVKIT_HOST_AUDIO_PUMP_H

#include "audio.h"

/* Where frames go and come from; called with the pump's lock held. */
typedef struct {
    void *opaque;
    bool (*prepare)(void *opaque, unsigned stream, const audio_params_t *params);
    void (*write)(void *opaque, unsigned stream, const void *bytes, size_t size);
    void (*read)(void *opaque, unsigned stream, void *bytes, size_t size); /* fills all of it */
    void (*release)(void *opaque, unsigned stream);
    void (*free)(void *opaque);
} audio_sink_t;

/* Takes the sink over. False: no memory; the sink is freed. */
bool audio_pump_open(audio_host_t *host, const audio_clock_t *clock, const audio_sink_t *sink);

/* Silence, as bytes of a format. */
static inline int audio_silence(audio_format_t format)
{
    return format == AUDIO_U8 ? 0x80 : 0;
}

#endif
