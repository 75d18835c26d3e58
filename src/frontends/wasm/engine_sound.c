/* SPDX-License-Identifier: MPL-2.0 */
/* Sound that JavaScript plays and records. */
#include "engine_internal.h"

#include "../../host/audio_pump.h"

#include <string.h>

static bool sound_prepare(void *opaque, unsigned stream, const audio_params_t *params)
{
    engine_t *engine = opaque;
    engine->sounds |= 1U << stream;
    engine->sound_format[stream] = params->format;
    rvkit_host_sound_open(stream, params->capture, params->format, params->rate, params->channels);
    return true;
}

static void sound_write(void *opaque, unsigned stream, const void *bytes, size_t size)
{
    (void)opaque;
    rvkit_host_sound_play(stream, bytes, size);
}

static void sound_read(void *opaque, unsigned stream, void *bytes, size_t size)
{
    engine_t *engine = opaque;
    size_t got = rvkit_host_sound_record(stream, bytes, size);
    got = got < size ? got : size;
    memset((uint8_t *)bytes + got, audio_silence(engine->sound_format[stream]), size - got);
}

static void sound_release(void *opaque, unsigned stream)
{
    engine_t *engine = opaque;
    if (engine->sounds & 1U << stream) {
        engine->sounds &= ~(1U << stream);
        rvkit_host_sound_close(stream);
    }
}

static void sound_free(void *opaque)
{
    (void)opaque;
}

ENGINE_EXPORT int rvkit_add_sound(engine_t *engine)
{
    board_desc_t *desc = &engine->desc;
    if (!engine_is_open(engine, (int)desc->playbacks, 1, "sound device")) {
        return -1;
    }
    const audio_clock_t clock = {.now = board_clock_now, .opaque = &engine->clock};
    const audio_sink_t sink = {
        .opaque = engine,
        .prepare = sound_prepare,
        .write = sound_write,
        .read = sound_read,
        .release = sound_release,
        .free = sound_free,
    };
    if (!audio_pump_open(&desc->audio, &clock, &sink)) {
        rvvm_error("the sound device: out of memory");
        return -1;
    }
    desc->playbacks = desc->captures = 1;
    return 0;
}
