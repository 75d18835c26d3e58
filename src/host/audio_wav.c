/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Sound into and out of WAV files: RIFF with a "fmt " and a "data" chunk ("Multimedia Programming
 * Interface and Data Specifications 1.0"; format tags 1 for integers and 3 for IEEE floats).
 */
#include "audio_pump.h"

#include "file.h"

#include "../util.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    WAV_HEADER = 44,
    WAV_RIFF_SIZE = 4,
    WAV_DATA_SIZE = 40,
    WAV_PCM = 1,
    WAV_FLOAT = 3,
    WAV_EXTENSIBLE = 0xFFFE,
    WAV_SIZE_MAX = 0x7FFFFFF0, /* bytes of data in one file */
    WAV_READ_MAX = 1 << 30,
};

/* What a stream is played into. */
typedef struct {
    FILE *file; /* NULL: nothing */
    audio_params_t params;
    uint32_t size, told; /* bytes of data: written, and as the header has it */
} wav_out_t;

/* What is recorded. */
typedef struct {
    uint8_t *file; /* NULL: silence */
    const uint8_t *data;
    size_t frames, frame_size;
    unsigned channels, bits, tag;
    uint32_t rate;
} wav_in_t;

typedef struct {
    char *path;  /* NULL: what is played vanishes */
    FILE *first; /* its file, until a stream takes it */
    unsigned files;
    wav_out_t out[AUDIO_STREAMS_MAX];
    wav_in_t in;
    audio_params_t params[AUDIO_STREAMS_MAX];
    uint64_t at[AUDIO_STREAMS_MAX]; /* frames recorded since prepare */
} wav_t;

/* --- Playing --- */

static void wav_header(uint8_t header[WAV_HEADER], const audio_params_t *params, uint32_t size)
{
    uint32_t frame = (uint32_t)audio_frame_size(params);
    memcpy(header, "RIFF    WAVEfmt ", 16);
    memcpy(header + 36, "data", 4);
    util_put_le32(header + WAV_RIFF_SIZE, size + WAV_HEADER - 8);
    util_put_le32(header + 16, 16);
    util_put_le16(header + 20, params->format == AUDIO_FLOAT ? WAV_FLOAT : WAV_PCM);
    util_put_le16(header + 22, (uint16_t)params->channels);
    util_put_le32(header + 24, params->rate);
    util_put_le32(header + 28, params->rate * frame);
    util_put_le16(header + 32, (uint16_t)frame);
    util_put_le16(header + 34, (uint16_t)(8 * frame / params->channels));
    util_put_le32(header + WAV_DATA_SIZE, size);
}

/* Brings the sizes in the header up to date, after the data they speak of. */
static bool wav_tell(wav_out_t *out)
{
    uint8_t header[WAV_HEADER];
    wav_header(header, &out->params, out->size);
    out->told = out->size;
    return !fflush(out->file) && !fseek(out->file, 0, SEEK_SET) &&
           fwrite(header, sizeof(header), 1, out->file) == 1 && !fseek(out->file, 0, SEEK_END) &&
           !fflush(out->file);
}

static void wav_end(wav_out_t *out)
{
    if (out->file) {
        wav_tell(out);
        fclose(out->file);
    }
    out->file = NULL;
}

/* The first file, or NAME-2.wav and so on. */
static FILE *wav_next_file(wav_t *wav)
{
    FILE *file = wav->first;
    wav->first = NULL;
    if (file || !wav->path) {
        wav->files += file != NULL;
        return file;
    }
    size_t len = strlen(wav->path), stem = len;
    const char *slash = strrchr(wav->path, '/'), *dot = strrchr(wav->path, '.');
    if (dot && (!slash || dot > slash + 1) && dot != wav->path) {
        stem = (size_t)(dot - wav->path);
    }
    char *path = malloc(len + 16);
    if (path) {
        snprintf(path, len + 16, "%.*s-%u%s", (int)stem, wav->path, ++wav->files, wav->path + stem);
        file = fopen(path, "wb");
    }
    free(path);
    return file;
}

static bool same_sound(const audio_params_t *a, const audio_params_t *b)
{
    return a->format == b->format && a->rate == b->rate && a->channels == b->channels;
}

static void wav_begin(wav_t *wav, wav_out_t *out, const audio_params_t *params)
{
    wav_end(out);
    *out = (wav_out_t){.file = wav_next_file(wav), .params = *params};
    if (out->file && !wav_tell(out)) {
        wav_end(out);
    }
}

static bool wav_prepare(void *opaque, unsigned stream, const audio_params_t *params)
{
    wav_t *wav = opaque;
    wav_out_t *out = &wav->out[stream];
    wav->params[stream] = *params;
    wav->at[stream] = 0;
    /* A stream goes on in its file as long as the parameters do. */
    if (!params->capture && !(out->file && same_sound(&out->params, params))) {
        wav_begin(wav, out, params);
    }
    return true;
}

static void wav_write(void *opaque, unsigned stream, const void *bytes, size_t size)
{
    wav_t *wav = opaque;
    wav_out_t *out = &wav->out[stream];
    const audio_params_t params = out->params;
    if (out->file && size > WAV_SIZE_MAX - out->size) {
        wav_begin(wav, out, &params);
    }
    if (!out->file || !size) {
        return;
    }
    bool ok = fwrite(bytes, size, 1, out->file) == 1;
    out->size += (uint32_t)size;
    if (ok && out->size - out->told >= audio_frame_size(&params) * params.rate / 4) {
        ok = wav_tell(out);
    }
    if (!ok) {
        fclose(out->file);
        out->file = NULL;
    }
}

static void wav_release(void *opaque, unsigned stream)
{
    wav_out_t *out = &((wav_t *)opaque)->out[stream];
    if (out->file) {
        wav_tell(out);
    }
}

/* --- Recording --- */

/* One sample as a number of 32 bits. */
static int32_t wav_sample(const wav_in_t *in, const uint8_t *p)
{
    if (in->tag == WAV_FLOAT) {
        uint32_t word = util_get_le32(p);
        float value;
        memcpy(&value, &word, sizeof(value));
        value = isnan(value) ? 0 : value < -1 ? -1 : value > 1 ? 1 : value;
        return (int32_t)(value * 2147483520.0f);
    }
    switch (in->bits) {
    case 8:
        return (int32_t)((uint32_t)(p[0] ^ 0x80) << 24);
    case 16:
        return (int32_t)((uint32_t)util_get_le16(p) << 16);
    case 24:
        return (int32_t)((uint32_t)util_get_le16(p) << 8 | (uint32_t)p[2] << 24);
    default:
        return (int32_t)util_get_le32(p);
    }
}

static void put_sample(uint8_t *p, audio_format_t format, int32_t value)
{
    float real = (float)value / 2147483648.0f;
    uint32_t word;
    memcpy(&word, &real, sizeof(word));
    switch (format) {
    case AUDIO_U8:
        *p = (uint8_t)((uint32_t)value >> 24) ^ 0x80;
        break;
    case AUDIO_S16:
        util_put_le16(p, (uint16_t)((uint32_t)value >> 16));
        break;
    default:
        util_put_le32(p, format == AUDIO_FLOAT ? word : (uint32_t)value);
        break;
    }
}

/* The nearest frame of the file at another rate; channels that it does not have repeat those it
 * has. */
static void wav_read(void *opaque, unsigned stream, void *bytes, size_t size)
{
    wav_t *wav = opaque;
    const wav_in_t *in = &wav->in;
    const audio_params_t *params = &wav->params[stream];
    size_t frame_size = audio_frame_size(params), sample = frame_size / params->channels;
    uint8_t *p = bytes;
    for (size_t i = 0; i < size / frame_size; i++) {
        uint64_t at = in->file ? wav->at[stream]++ * in->rate / params->rate : 0;
        for (unsigned c = 0; c < params->channels; c++, p += sample) {
            int32_t value = 0;
            if (in->file && at < in->frames) {
                value = wav_sample(in, in->data + at * in->frame_size +
                                           c % in->channels * (in->bits / 8));
            }
            put_sample(p, params->format, value);
        }
    }
}

static bool wav_format_ok(const wav_in_t *in)
{
    bool bits = in->tag == WAV_PCM     ? in->bits && in->bits % 8 == 0 && in->bits <= 32
                : in->tag == WAV_FLOAT ? in->bits == 32
                                       : false;
    return bits && in->channels && in->channels <= AUDIO_CHANNELS_MAX && in->rate &&
           in->rate <= AUDIO_RATE_MAX;
}

/* Finds the chunks of a file. */
static bool wav_parse(wav_in_t *in, const uint8_t *file, size_t size)
{
    if (size < 12 || memcmp(file, "RIFF", 4) || memcmp(file + 8, "WAVE", 4)) {
        return false;
    }
    for (size_t at = 12; at + 8 <= size;) {
        const uint8_t *chunk = file + at;
        size_t len = (size_t)util_min_u64(util_get_le32(chunk + 4), size - at - 8);
        if (!memcmp(chunk, "fmt ", 4) && len >= 16) {
            in->tag = util_get_le16(chunk + 8);
            in->channels = util_get_le16(chunk + 10);
            in->rate = util_get_le32(chunk + 12);
            in->bits = util_get_le16(chunk + 22);
            if (in->tag == WAV_EXTENSIBLE && len >= 26) {
                in->tag = util_get_le16(chunk + 32);
            }
        } else if (!memcmp(chunk, "data", 4) && wav_format_ok(in)) {
            in->frame_size = in->channels * (in->bits / 8);
            in->data = chunk + 8;
            in->frames = len / in->frame_size;
            return true;
        }
        at += 8 + len + (len & 1);
    }
    return false;
}

/* --- Life --- */

static void wav_free(void *opaque)
{
    wav_t *wav = opaque;
    for (unsigned i = 0; i < AUDIO_STREAMS_MAX; i++) {
        wav_end(&wav->out[i]);
    }
    if (wav->first) {
        fclose(wav->first);
    }
    free(wav->in.file);
    free(wav->path);
    free(wav);
}

static bool wav_open_record(wav_t *wav, const char *path, char *error, size_t error_size)
{
    size_t size;
    if (!host_file_read_all(path, WAV_READ_MAX, &wav->in.file, &size, error, error_size)) {
        return false;
    }
    if (!wav_parse(&wav->in, wav->in.file, size)) {
        snprintf(error, error_size, "is no WAV file of 8, 16, 24 or 32 bits, or float");
        return false;
    }
    return true;
}

static bool wav_open_play(wav_t *wav, const char *path, char *error, size_t error_size)
{
    wav->path = malloc(strlen(path) + 1);
    wav->first = wav->path ? fopen(path, "wb") : NULL;
    if (!wav->first) {
        snprintf(error, error_size, "cannot be written");
        return false;
    }
    memcpy(wav->path, path, strlen(path) + 1);
    return true;
}

bool audio_wav_open(audio_host_t *host, const audio_clock_t *clock, const char *play,
                    const char *record, char *error, size_t error_size)
{
    wav_t *wav = calloc(1, sizeof(*wav));
    const audio_sink_t sink = {
        .opaque = wav,
        .prepare = wav_prepare,
        .write = wav_write,
        .read = wav_read,
        .release = wav_release,
        .free = wav_free,
    };
    snprintf(error, error_size, "no memory");
    if (!wav) {
        return false;
    }
    if ((record && !wav_open_record(wav, record, error, error_size)) ||
        (play && !wav_open_play(wav, play, error, error_size))) {
        wav_free(wav);
        return false;
    }
    return audio_pump_open(host, clock, &sink);
}
