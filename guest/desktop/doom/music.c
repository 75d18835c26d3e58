/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Chocolate Doom's music (its i_sound.h): a small synthesizer for General MIDI. A note is one wave
 * of its instrument's family with an envelope; drums are noise and falling sines.
 */
#include "mixer.h"

#include "i_sound.h"
#include "m_misc.h"
#include "memio.h"
#include "midifile.h"
#include "mus2mid.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { VOICES = 24, TRACKS = 64, MIDI_CHANNELS = 16, DRUMS = 9, WAVE_BITS = 10, STEP_FRAMES = 63 };
enum { WAVE_SINE, WAVE_SOFT, WAVE_ORGAN, WAVE_SAW, WAVE_HOLLOW, WAVES, WAVE_NOISE = WAVES };

/* A family of eight instruments: its wave, and per STEP_FRAMES how loudness comes near what it
 * goes to: 1 / 65536ths. */
static const struct {
    uint8_t wave, loud;              /* loud: of 100 */
    uint16_t attack, decay, release; /* decay 0: as long as the key is down */
} family[16] = {
    {WAVE_SOFT, 100, 40000, 110, 1500}, {WAVE_SINE, 100, 60000, 250, 500},
    {WAVE_ORGAN, 60, 20000, 0, 4000},   {WAVE_SAW, 70, 40000, 120, 2500},
    {WAVE_SOFT, 130, 30000, 60, 4000},  {WAVE_SAW, 50, 2500, 0, 1200},
    {WAVE_SAW, 45, 1800, 0, 1000},      {WAVE_SAW, 60, 6000, 0, 3000},
    {WAVE_HOLLOW, 60, 8000, 0, 3000},   {WAVE_SINE, 90, 6000, 0, 2500},
    {WAVE_HOLLOW, 60, 20000, 0, 3000},  {WAVE_SOFT, 60, 900, 0, 600},
    {WAVE_HOLLOW, 50, 1200, 60, 600},   {WAVE_SOFT, 80, 40000, 130, 2000},
    {WAVE_SINE, 100, 60000, 300, 400},  {WAVE_NOISE, 30, 5000, 100, 600},
};

typedef struct {
    unsigned channel, note;
    unsigned wave;
    uint32_t phase, step;
    int32_t level, top; /* loudness now, and the one it rises to; 0 to 65535; top 0: silent voice */
    uint16_t attack, decay, release;
    uint16_t sweep; /* of a drum: how its tone falls */
    bool rising, held;
    uint32_t age;
} voice_t;

typedef struct {
    midi_track_iter_t *iter;
    double due; /* ticks from the start; < 0: at its end */
} track_t;

static int16_t wave[WAVES][1 << WAVE_BITS];
static voice_t voice[VOICES];
static struct {
    unsigned program, volume, expression, pan;
    float bend; /* a factor */
} channels[MIDI_CHANNELS];
static track_t tracks[TRACKS];
static unsigned track_count;
static double position, ticks_per_frame, division;
static bool playing, paused, looping;
static unsigned master = 100;
static uint32_t noise = 1, notes;

static void make_waves(void)
{
    static const uint8_t parts[WAVES][8] = {{100},
                                            {100, 40, 20, 8, 4},
                                            {90, 70, 20, 40, 0, 0, 0, 20},
                                            {100, 50, 33, 25, 20, 16, 14, 12},
                                            {100, 0, 33, 0, 20, 0, 14}};
    for (unsigned w = 0; w < WAVES; w++) {
        for (unsigned i = 0; i < 1 << WAVE_BITS; i++) {
            double sum = 0;
            for (unsigned k = 0; k < 8; k++) {
                sum += parts[w][k] * sin(2 * M_PI * (k + 1) * i / (1 << WAVE_BITS));
            }
            wave[w][i] = (int16_t)(sum * 45);
        }
    }
}

static uint32_t step_of(double note)
{
    return (uint32_t)(440 * pow(2, (note - 69) / 12) / MIXER_RATE * 4294967296.0);
}

static voice_t *free_voice(void)
{
    voice_t *best = &voice[0];
    for (unsigned i = 0; i < VOICES; i++) {
        if (!voice[i].top) {
            return &voice[i];
        }
        if (voice[i].held < best->held ||
            (voice[i].held == best->held && voice[i].age < best->age)) {
            best = &voice[i];
        }
    }
    return best;
}

/* Of the kit: bass drums, snares and claps, toms, and the rest, which is metal. */
static void make_drum(voice_t *v, unsigned note)
{
    bool bass = note == 35 || note == 36, snare = note >= 37 && note <= 40;
    bool tom = note == 41 || note == 43 || note == 45 || note == 47 || note == 48 || note == 50;
    bool cymbal = note == 46 || note == 49 || note == 51 || note == 52 || note == 55 || note == 57;
    v->wave = bass || tom ? WAVE_SINE : WAVE_NOISE;
    v->step = step_of(bass ? 45 : tom ? note + 4 : 60);
    v->sweep = bass ? 1500 : tom ? 500 : 0;
    v->attack = 65535;
    v->decay = v->release = bass ? 700 : snare ? 900 : tom ? 450 : cymbal ? 150 : 2600;
    v->top = v->top * (bass ? 15 : snare ? 7 : tom ? 10 : 3) / 10;
}

static void note_on(unsigned channel, unsigned note, unsigned velocity)
{
    unsigned f = channels[channel].program / 8;
    voice_t *v = free_voice();
    *v = (voice_t){.channel = channel,
                   .note = note,
                   .wave = family[f].wave,
                   .attack = family[f].attack,
                   .decay = family[f].decay,
                   .release = family[f].release,
                   .step = step_of(note),
                   .rising = true,
                   .held = channel != DRUMS,
                   .age = ++notes};
    v->top = (int32_t)(velocity * velocity * family[f].loud / 100 * 3);
    if (channels[channel].program == 29 || channels[channel].program == 30) {
        v->decay = 20; /* electric guitars, overdriven */
        v->top = v->top * 7 / 10;
    }
    if (channel == DRUMS) {
        v->top = (int32_t)(velocity * velocity * 3);
        make_drum(v, note);
    }
    v->top = v->top > 65535 ? 65535 : v->top < 1 ? 1 : v->top;
}

static void note_off(unsigned channel, unsigned note, bool all)
{
    for (unsigned i = 0; i < VOICES; i++) {
        if (voice[i].channel == channel && (all || voice[i].note == note)) {
            voice[i].held = false;
        }
    }
}

static void reset_channels(void)
{
    memset(voice, 0, sizeof(voice));
    for (unsigned i = 0; i < MIDI_CHANNELS; i++) {
        channels[i].program = 0;
        channels[i].volume = 100;
        channels[i].expression = 127;
        channels[i].pan = 64;
        channels[i].bend = 1;
    }
}

static void set_tempo(double microseconds)
{
    ticks_per_frame = division * 1e6 / (microseconds > 0 ? microseconds : 1) / MIXER_RATE;
}

static void controller(unsigned channel, unsigned which, unsigned value)
{
    switch (which) {
    case MIDI_CONTROLLER_MAIN_VOLUME:
        channels[channel].volume = value;
        break;
    case MIDI_CONTROLLER_PAN:
        channels[channel].pan = value;
        break;
    case 11:
        channels[channel].expression = value;
        break;
    case 120:
    case MIDI_CONTROLLER_ALL_NOTES_OFF:
        note_off(channel, 0, true);
        break;
    default:
        break;
    }
}

static void take_event(const midi_event_t *event)
{
    unsigned channel = event->data.channel.channel % MIDI_CHANNELS;
    unsigned first = event->data.channel.param1 & 127, second = event->data.channel.param2 & 127;
    switch (event->event_type) {
    case MIDI_EVENT_NOTE_ON:
        if (second) {
            note_on(channel, first, second);
            break;
        }
        /* fall through */
    case MIDI_EVENT_NOTE_OFF:
        note_off(channel, first, false);
        break;
    case MIDI_EVENT_CONTROLLER:
        controller(channel, first, second);
        break;
    case MIDI_EVENT_PROGRAM_CHANGE:
        channels[channel].program = first;
        break;
    case MIDI_EVENT_PITCH_BEND:
        channels[channel].bend =
            (float)pow(2, ((double)(second << 7 | first) - 8192) / 8192 * 2 / 12);
        break;
    case MIDI_EVENT_META:
        if (event->data.meta.type == MIDI_META_SET_TEMPO && event->data.meta.length == 3) {
            const byte *data = event->data.meta.data;
            set_tempo(data[0] << 16 | data[1] << 8 | data[2]);
        }
        break;
    default:
        break;
    }
}

static void restart(void)
{
    position = 0;
    for (unsigned i = 0; i < track_count; i++) {
        MIDI_RestartIterator(tracks[i].iter);
        tracks[i].due = MIDI_GetDeltaTime(tracks[i].iter);
    }
    set_tempo(500000);
}

/* All events up to where the song is; at its end from the beginning, if it repeats. */
static void take_due(void)
{
    bool more = false;
    for (unsigned i = 0; i < track_count; i++) {
        while (tracks[i].due >= 0 && tracks[i].due <= position) {
            midi_event_t *event;
            if (!MIDI_GetNextEvent(tracks[i].iter, &event) ||
                (event->event_type == MIDI_EVENT_META &&
                 event->data.meta.type == MIDI_META_END_OF_TRACK)) {
                tracks[i].due = -1;
                break;
            }
            take_event(event);
            tracks[i].due += MIDI_GetDeltaTime(tracks[i].iter);
        }
        more = more || tracks[i].due >= 0;
    }
    if (!more && position > 0) {
        playing = looping;
        reset_channels();
        restart();
    }
}

/* The envelope, once for each STEP_FRAMES. False: it is over. */
static bool shape(voice_t *v)
{
    if (v->rising) {
        v->level += (v->top - v->level) * (int64_t)v->attack / 65536 + 1;
        v->rising = v->level < v->top * 15 / 16;
    } else {
        v->level -= (int32_t)(v->level * (int64_t)(v->held ? v->decay : v->release) / 65536);
        v->level -= v->held ? 0 : 4;
    }
    v->step -= (uint32_t)((uint64_t)v->step * v->sweep / 65536);
    return v->level > 8;
}

static void mix_voice(voice_t *v, int32_t *to)
{
    int32_t loud = v->level / 256 * (int32_t)(channels[v->channel].volume * master) / 127 *
                   (int32_t)channels[v->channel].expression / 127; /* to 32000 */
    int32_t pan = (int32_t)channels[v->channel].pan;
    int32_t left = loud * (127 - pan) / 127 / 64, right = loud * pan / 127 / 64; /* to 500 */
    uint32_t step = (uint32_t)((float)v->step * channels[v->channel].bend);
    if (v->wave == WAVE_NOISE) {
        for (unsigned i = 0; i < STEP_FRAMES; i++) {
            noise ^= noise << 13;
            noise ^= noise >> 17;
            noise ^= noise << 5;
            int32_t value = (int16_t)noise / 2;
            to[2 * i] += value * left >> 6;
            to[2 * i + 1] += value * right >> 6;
        }
        return;
    }
    const int16_t *shape_of = wave[v->wave];
    for (unsigned i = 0; i < STEP_FRAMES; i++) {
        int32_t value = shape_of[v->phase >> (32 - WAVE_BITS)];
        v->phase += step;
        to[2 * i] += value * left >> 6;
        to[2 * i + 1] += value * right >> 6;
    }
}

void music_mix(int32_t *to)
{
    _Static_assert(MIXER_FRAMES % STEP_FRAMES == 0, "whole steps");
    for (unsigned at = 0; playing && !paused && at < MIXER_FRAMES; at += STEP_FRAMES) {
        position += ticks_per_frame * STEP_FRAMES;
        take_due();
        for (unsigned i = 0; i < VOICES; i++) {
            if (voice[i].top && !shape(&voice[i])) {
                voice[i].top = 0;
            }
            if (voice[i].top) {
                mix_voice(&voice[i], to + 2 * (size_t)at);
            }
        }
    }
}

static boolean music_init(void)
{
    make_waves();
    reset_channels();
    return mixer_start();
}

static void music_volume(int volume)
{
    mixer_lock();
    master = (unsigned)(volume < 0 ? 0 : volume > 127 ? 127 : volume);
    mixer_unlock();
}

static void set_paused(bool value)
{
    mixer_lock();
    paused = value;
    mixer_unlock();
}

static void music_pause(void)
{
    set_paused(true);
}

static void music_resume(void)
{
    set_paused(false);
}

/* The game's reader of MIDI files wants a file. */
static midi_file_t *load(const void *data, size_t size)
{
    char path[] = "/tmp/doom-music-XXXXXX";
    int fd = mkstemp(path);
    midi_file_t *song = NULL;
    if (fd >= 0) {
        bool written = write(fd, data, size) == (ssize_t)size;
        close(fd);
        song = written ? MIDI_LoadFile(path) : NULL;
        unlink(path);
    }
    return song;
}

static void *music_register(void *data, int size)
{
    if (size < 4 || memcmp(data, "MUS\x1a", 4)) {
        return load(data, (size_t)size);
    }
    MEMFILE *mus = mem_fopen_read(data, (size_t)size), *midi = mem_fopen_write();
    midi_file_t *song = NULL;
    if (!mus2mid(mus, midi)) {
        void *converted;
        size_t converted_size;
        mem_get_buf(midi, &converted, &converted_size);
        song = load(converted, converted_size);
    }
    mem_fclose(mus);
    mem_fclose(midi);
    return song;
}

static void music_stop(void)
{
    mixer_lock();
    playing = false;
    reset_channels();
    for (unsigned i = 0; i < track_count; i++) {
        MIDI_FreeIterator(tracks[i].iter);
    }
    track_count = 0;
    mixer_unlock();
}

static void music_unregister(void *song)
{
    music_stop();
    if (song) {
        MIDI_FreeFile(song);
    }
}

static void music_play(void *song, boolean repeat)
{
    music_stop();
    if (!song) {
        return;
    }
    mixer_lock();
    unsigned count = MIDI_NumTracks(song);
    division = MIDI_GetFileTimeDivision(song);
    for (track_count = 0; track_count < count && track_count < TRACKS; track_count++) {
        tracks[track_count].iter = MIDI_IterateTrack(song, track_count);
    }
    restart();
    looping = repeat;
    paused = false;
    playing = true;
    mixer_unlock();
}

static boolean music_playing(void)
{
    mixer_lock();
    boolean is = playing;
    mixer_unlock();
    return is;
}

static void music_poll(void) {}

static snddevice_t devices[] = {SNDDEVICE_ADLIB,       SNDDEVICE_SB,      SNDDEVICE_PAS,
                                SNDDEVICE_GUS,         SNDDEVICE_GENMIDI, SNDDEVICE_WAVEBLASTER,
                                SNDDEVICE_SOUNDCANVAS, SNDDEVICE_AWE32};

/* The game's list of modules has it under this name. */
music_module_t music_opl_module = {.sound_devices = devices,
                                   .num_sound_devices = arrlen(devices),
                                   .Init = music_init,
                                   .Shutdown = mixer_stop,
                                   .SetMusicVolume = music_volume,
                                   .PauseMusic = music_pause,
                                   .ResumeMusic = music_resume,
                                   .RegisterSong = music_register,
                                   .UnRegisterSong = music_unregister,
                                   .PlaySong = music_play,
                                   .StopSong = music_stop,
                                   .MusicIsPlaying = music_playing,
                                   .Poll = music_poll};

/* Music as files beside the game: none. */
static boolean no_packs(void)
{
    return false;
}

music_module_t music_pack_module = {.Init = no_packs};
