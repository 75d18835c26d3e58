/* SPDX-License-Identifier: MPL-2.0 */
/* Sound into nothing. */
#include "audio_pump.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    audio_format_t format[AUDIO_STREAMS_MAX];
} null_t;

static bool null_prepare(void *opaque, unsigned stream, const audio_params_t *params)
{
    ((null_t *)opaque)->format[stream] = params->format;
    return true;
}

static void null_write(void *opaque, unsigned stream, const void *bytes, size_t size)
{
    (void)opaque;
    (void)stream;
    (void)bytes;
    (void)size;
}

static void null_read(void *opaque, unsigned stream, void *bytes, size_t size)
{
    memset(bytes, audio_silence(((null_t *)opaque)->format[stream]), size);
}

static void null_release(void *opaque, unsigned stream)
{
    (void)opaque;
    (void)stream;
}

bool audio_null_open(audio_host_t *host, const audio_clock_t *clock)
{
    null_t *null = calloc(1, sizeof(*null));
    const audio_sink_t sink = {
        .opaque = null,
        .prepare = null_prepare,
        .write = null_write,
        .read = null_read,
        .release = null_release,
        .free = free,
    };
    return null && audio_pump_open(host, clock, &sink);
}
