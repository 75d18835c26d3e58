/* SPDX-License-Identifier: MPL-2.0 */
#include "sound.h"

#include "sdl.h"

#include "../src/host/audio.h"

#include <stdlib.h>
#include <string.h>

typedef struct sound sound_t;

typedef struct {
    sound_t *sound;
    unsigned index;
    audio_params_t params;
    SDL_AudioDeviceID device; /* 0: none; the stream is one of `quiet` */
    uint32_t latency;         /* frames on the way to the loudspeaker */
} sound_stream_t;

struct sound {
    audio_guest_t guest;
    audio_host_t quiet; /* takes as long, and is not heard */
    sound_stream_t stream[AUDIO_STREAMS_MAX];
};

/* SDL's thread, with the device locked. */
static void sound_callback(void *opaque, Uint8 *bytes, int size)
{
    sound_stream_t *s = opaque;
    const audio_guest_t *guest = &s->sound->guest;
    size_t frame = audio_frame_size(&s->params), count = (size_t)size / frame;
    if (s->params.capture) {
        guest->push(guest->opaque, s->index, bytes, count);
        return;
    }
    size_t got = guest->pull(guest->opaque, s->index, bytes, count);
    memset(bytes + got * frame, s->params.format == AUDIO_U8 ? 0x80 : 0,
           (size_t)size - got * frame);
}

static void sound_attach(void *opaque, const audio_guest_t *guest)
{
    sound_t *sound = opaque;
    sound->guest = *guest;
    sound->quiet.attach(sound->quiet.opaque, guest);
}

static void sound_release(void *opaque, unsigned index)
{
    sound_t *sound = opaque;
    if (sound->stream[index].device) {
        SDL_CloseAudioDevice(sound->stream[index].device);
    }
    sound->stream[index].device = 0;
    sound->quiet.release(sound->quiet.opaque, index);
}

/* A power of two that is no more than half of what the guest keeps on the way, and its period. */
static uint16_t sound_samples(const audio_params_t *params)
{
    uint32_t most = params->period < params->buffer / 2 ? params->period : params->buffer / 2;
    uint32_t samples = 128;
    while (samples * 2 <= most && samples < 2048) {
        samples *= 2;
    }
    return (uint16_t)samples;
}

static bool sound_prepare(void *opaque, unsigned index, const audio_params_t *params)
{
    static const SDL_AudioFormat formats[] = {[AUDIO_U8] = SDL_FORMAT_U8,
                                              [AUDIO_S16] = AUDIO_S16LSB,
                                              [AUDIO_S32] = AUDIO_S32LSB,
                                              [AUDIO_FLOAT] = AUDIO_F32LSB};
    sound_t *sound = opaque;
    if (index >= AUDIO_STREAMS_MAX) {
        return false;
    }
    sound_release(sound, index);
    sound_stream_t *s = &sound->stream[index];
    *s = (sound_stream_t){.sound = sound, .index = index, .params = *params};
    const SDL_AudioSpec want = {
        .freq = (int)params->rate,
        .format = formats[params->format],
        .channels = (Uint8)params->channels,
        .samples = sound_samples(params),
        .callback = sound_callback,
        .userdata = s,
    };
    SDL_AudioSpec have;
    s->device = SDL_OpenAudioDevice(NULL, params->capture, &want, &have, 0);
    s->latency = s->device ? have.samples : 0;
    return s->device || sound->quiet.prepare(sound->quiet.opaque, index, params);
}

static void sound_start(void *opaque, unsigned index)
{
    sound_t *sound = opaque;
    if (sound->stream[index].device) {
        SDL_PauseAudioDevice(sound->stream[index].device, 0);
    } else {
        sound->quiet.start(sound->quiet.opaque, index);
    }
}

/* Takes the device's lock: no callback runs then. */
static void sound_stop(void *opaque, unsigned index)
{
    sound_t *sound = opaque;
    if (sound->stream[index].device) {
        SDL_PauseAudioDevice(sound->stream[index].device, 1);
    }
    sound->quiet.stop(sound->quiet.opaque, index);
}

static uint32_t sound_delay(void *opaque, unsigned index)
{
    const sound_stream_t *s = &((sound_t *)opaque)->stream[index];
    return s->params.capture ? 0 : s->latency;
}

static void sound_update(void *opaque)
{
    sound_t *sound = opaque;
    sound->quiet.update(sound->quiet.opaque);
}

static void sound_free(void *opaque)
{
    sound_t *sound = opaque;
    for (unsigned i = 0; i < AUDIO_STREAMS_MAX; i++) {
        sound_release(sound, i);
    }
    sound->quiet.free(sound->quiet.opaque);
    SDL_QuitSubSystem(SDL_INIT_AUDIO);
    free(sound);
}

static void alsa_is_quiet(const char *file, int line, const char *function, int error,
                          const char *format, ...)
{
    (void)file, (void)line, (void)function, (void)error, (void)format;
}

/* libasound tells stderr in eight lines that there is no card. SDL has it loaded, or not. */
static void alsa_hush(void)
{
    typedef void (*handler_fn)(const char *file, int line, const char *function, int error,
                               const char *format, ...);
    const char *driver = SDL_GetCurrentAudioDriver();
    void *alsa = driver && !strcmp(driver, "alsa") ? SDL_LoadObject("libasound.so.2") : NULL;
    int (*set)(handler_fn) = NULL;
    if (alsa) {
        set = (int (*)(handler_fn))SDL_LoadFunction(alsa, "snd_lib_error_set_handler");
    }
    if (set) {
        set(alsa_is_quiet);
    }
    if (alsa) {
        SDL_UnloadObject(alsa); /* SDL has its own hold on it */
    }
}

bool sound_open(audio_host_t *host)
{
    sound_t *sound = calloc(1, sizeof(*sound));
    if (!sound) {
        return false;
    }
    if (SDL_InitSubSystem(SDL_INIT_AUDIO) != 0) {
        free(sound);
        return false;
    }
    if (!audio_null_open(&sound->quiet, NULL)) {
        SDL_QuitSubSystem(SDL_INIT_AUDIO);
        free(sound);
        return false;
    }
    alsa_hush();
    *host = (audio_host_t){
        .opaque = sound,
        .attach = sound_attach,
        .prepare = sound_prepare,
        .start = sound_start,
        .stop = sound_stop,
        .release = sound_release,
        .delay = sound_delay,
        .update = sound_update,
        .free = sound_free,
    };
    return true;
}
