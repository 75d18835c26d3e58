/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Chocolate Doom's sound effects (its i_sound.h), and the thread that mixes them with the music. A
 * lump: u16 3, u16 rate, u32 length, then so many bytes (unsigned samples), of which the first and
 * last 16 are padding.
 */
#include "../pcm.h"
#include "mixer.h"

#include "deh_str.h"
#include "i_sound.h"
#include "m_misc.h"
#include "w_wad.h"
#include "z_zone.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { CHANNELS = 16, HEADER = 8, PADDING = 16, FRACTION = 16, PERIODS = 5 };

static struct {
    const byte *samples; /* NULL: silent */
    uint32_t length;
    uint64_t at, step; /* in 1 / 65536 of a sample */
    int left, right;   /* 0 to 127 */
} channel[CHANNELS];

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_t thread;
static bool prefixed, running;
static int card = -1;

void mixer_lock(void)
{
    pthread_mutex_lock(&lock);
}

void mixer_unlock(void)
{
    pthread_mutex_unlock(&lock);
}

void sound_mix(int32_t *to)
{
    for (unsigned c = 0; c < CHANNELS; c++) {
        for (unsigned i = 0; channel[c].samples && i < MIXER_FRAMES; i++) {
            uint32_t at = (uint32_t)(channel[c].at >> FRACTION);
            if (at >= channel[c].length) {
                channel[c].samples = NULL;
                break;
            }
            int value = (channel[c].samples[at] - 128) * 2;
            to[2 * i] += value * channel[c].left;
            to[2 * i + 1] += value * channel[c].right;
            channel[c].at += channel[c].step;
        }
    }
}

static void *mixer_main(void *opaque)
{
    static int32_t sum[2 * MIXER_FRAMES];
    static int16_t samples[2 * MIXER_FRAMES];
    (void)opaque;
    nice(-10); /* of this thread alone: it may not be late */
    for (bool more = true; more;) {
        memset(sum, 0, sizeof(sum));
        mixer_lock();
        more = running;
        sound_mix(sum);
        music_mix(sum);
        mixer_unlock();
        for (unsigned i = 0; i < 2 * MIXER_FRAMES; i++) {
            int32_t value = sum[i] / 2;
            samples[i] = (int16_t)(value < -32768 ? -32768 : value > 32767 ? 32767 : value);
        }
        if (more && !pcm_write(card, samples, MIXER_FRAMES)) {
            fprintf(stderr, "doom: the sound ends: %s\n", strerror(errno));
            more = false;
        }
    }
    return NULL;
}

bool mixer_start(void)
{
    if (running) {
        return true;
    }
    card = pcm_open(PCM_PLAY, MIXER_RATE, MIXER_FRAMES, PERIODS);
    if (card < 0) {
        return false;
    }
    running = true;
    if (pthread_create(&thread, NULL, mixer_main, NULL)) {
        running = false;
        pcm_drain(card);
    }
    return running;
}

void mixer_stop(void)
{
    mixer_lock();
    bool was = running;
    running = false;
    mixer_unlock();
    if (was) {
        pthread_join(thread, NULL);
        pcm_drain(card);
    }
}

static boolean sound_init(boolean use_sfx_prefix)
{
    prefixed = use_sfx_prefix;
    return mixer_start();
}

static int sound_lump(sfxinfo_t *sfx)
{
    char name[16];
    const char *sound = DEH_String((sfx->link ? sfx->link : sfx)->name);
    M_snprintf(name, sizeof(name), "%s%s", prefixed ? "ds" : "", sound);
    return W_CheckNumForName(name);
}

static void set_volume(int which, int volume, int separation)
{
    channel[which].left = volume * (254 - separation) / 127;
    channel[which].right = volume * separation / 127;
    channel[which].left = channel[which].left > 127 ? 127 : channel[which].left;
    channel[which].right = channel[which].right > 127 ? 127 : channel[which].right;
}

static void sound_set(int which, int volume, int separation)
{
    if (which >= 0 && which < CHANNELS) {
        mixer_lock();
        set_volume(which, volume, separation);
        mixer_unlock();
    }
}

static void sound_stop(int which)
{
    if (which >= 0 && which < CHANNELS) {
        mixer_lock();
        channel[which].samples = NULL;
        mixer_unlock();
    }
}

static int sound_start(sfxinfo_t *sfx, int which, int volume, int separation, int pitch)
{
    int lump = sfx->lumpnum;
    (void)pitch;
    if (which < 0 || which >= CHANNELS || lump < 0 || W_LumpLength(lump) < HEADER + 2 * PADDING) {
        return -1;
    }
    const byte *data = W_CacheLumpNum(lump, PU_STATIC); /* for good: all of them are 2 MB */
    uint32_t rate = data[2] | (uint32_t)data[3] << 8;
    uint32_t length =
        data[4] | (uint32_t)data[5] << 8 | (uint32_t)data[6] << 16 | (uint32_t)data[7] << 24;
    if (data[0] != 3 || data[1] || length > (uint32_t)W_LumpLength(lump) - HEADER ||
        length <= 2 * PADDING) {
        return -1;
    }
    mixer_lock();
    channel[which].samples = data + HEADER + PADDING;
    channel[which].length = length - 2 * PADDING;
    channel[which].at = 0;
    channel[which].step = ((uint64_t)rate << FRACTION) / MIXER_RATE;
    set_volume(which, volume, separation);
    mixer_unlock();
    return which;
}

static boolean sound_playing(int which)
{
    mixer_lock();
    boolean playing = which >= 0 && which < CHANNELS && channel[which].samples;
    mixer_unlock();
    return playing;
}

static void sound_cache(sfxinfo_t *sounds, int count)
{
    (void)sounds, (void)count;
}

static void sound_update(void) {}

static snddevice_t devices[] = {SNDDEVICE_SB,          SNDDEVICE_PAS,         SNDDEVICE_GUS,
                                SNDDEVICE_WAVEBLASTER, SNDDEVICE_SOUNDCANVAS, SNDDEVICE_AWE32};

/* The game's list of modules has it under this name (and SDL's is left out). */
sound_module_t sound_pcsound_module = {.sound_devices = devices,
                                       .num_sound_devices = arrlen(devices),
                                       .Init = sound_init,
                                       .Shutdown = mixer_stop,
                                       .GetSfxLumpNum = sound_lump,
                                       .Update = sound_update,
                                       .UpdateSoundParams = sound_set,
                                       .StartSound = sound_start,
                                       .StopSound = sound_stop,
                                       .SoundIsPlaying = sound_playing,
                                       .CacheSounds = sound_cache};

/* Settings that are saved with the others, of which nothing here makes use. */
int use_libsamplerate;
float libsamplerate_scale;
char *music_pack_path = "", *fluidsynth_sf_path = "", *timidity_cfg_path = "";
char *gus_patch_path = "", *snd_dmxoption = "";
int gus_ram_kb, opl_io_port;

void I_SetOPLDriverVer(opl_driver_ver_t version)
{
    (void)version;
}

void I_OPL_DevMessages(char *text, size_t size)
{
    M_snprintf(text, size, "no OPL");
}

void I_InitTimidityConfig(void) {}
