/* SPDX-License-Identifier: MPL-2.0 */
/*
 * play             plays a tune on plucked strings
 * play FILE.wav    plays a WAV file of 16 bits, one or two channels
 */
#include "pcm.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PERIOD = 1024, PERIODS = 64, RATE = 48000, STRINGS = 3, LENGTH_MAX = 1024 };

static int fail(const char *what)
{
    fprintf(stderr, "play: %s: %s\n", what, errno ? strerror(errno) : "not a WAV file of 16 bits");
    return 1;
}

static int finish(int card, unsigned long frames)
{
    if (!pcm_drain(card)) {
        return fail("the sound card");
    }
    printf("played %lu frames\n", frames);
    return 0;
}

static uint32_t number(const unsigned char *at, unsigned bytes)
{
    uint32_t value = 0;
    while (bytes--) {
        value = value << 8 | at[bytes];
    }
    return value;
}

/* Reads up to the samples. False: not such a file. */
static bool read_head(FILE *file, uint32_t *rate, unsigned *channels, uint32_t *size)
{
    unsigned char head[12], format[16];
    bool known = false;
    if (fread(head, 1, 12, file) != 12 || memcmp(head, "RIFF", 4) || memcmp(head + 8, "WAVE", 4)) {
        return false;
    }
    while (fread(head, 1, 8, file) == 8) {
        *size = number(head + 4, 4);
        if (!memcmp(head, "data", 4)) {
            return known;
        }
        uint32_t rest = *size + (*size & 1);
        if (!memcmp(head, "fmt ", 4) && *size >= sizeof(format)) {
            if (fread(format, 1, sizeof(format), file) != sizeof(format)) {
                return false;
            }
            rest -= sizeof(format);
            *channels = number(format + 2, 2);
            *rate = number(format + 4, 4);
            known = number(format, 2) == 1 && number(format + 14, 2) == 16 && *channels - 1 < 2;
        }
        for (; rest && getc(file) != EOF; rest--) {
        }
    }
    return false;
}

static int play_file(const char *path)
{
    static int16_t samples[2 * PERIOD];
    uint32_t rate, size;
    unsigned channels;
    unsigned long frames = 0;
    FILE *file = fopen(path, "rb");
    errno = file ? 0 : errno;
    if (!file || !read_head(file, &rate, &channels, &size)) {
        return fail(path);
    }
    int card = pcm_open(PCM_PLAY, rate, PERIOD, PERIODS);
    if (card < 0) {
        return fail("the sound card");
    }
    size_t left = size / 2 / channels, got;
    while (left && (got = fread(samples, 2 * channels, left < PERIOD ? left : PERIOD, file))) {
        for (size_t i = channels == 1 ? got : 0; i--;) {
            samples[2 * i] = samples[2 * i + 1] = samples[i];
        }
        if (!pcm_write(card, samples, got)) {
            return fail("the sound card");
        }
        left -= got;
        frames += got;
    }
    fclose(file);
    return finish(card, frames);
}

/* A string is a loop of samples that is smoothed as it goes round (Karplus and Strong). */
static struct {
    int16_t loop[LENGTH_MAX];
    unsigned length, at;
} string[STRINGS];

static void pluck(unsigned which, unsigned note)
{
    static const unsigned hundredths[12] = {26163, 27718, 29366, 31113, 32963, 34923,
                                            36999, 39200, 41530, 44000, 46616, 49388};
    unsigned octave = note / 12; /* the fifth begins with middle C */
    unsigned long pitch = octave < 5 ? hundredths[note % 12] >> (5 - octave)
                                     : (unsigned long)hundredths[note % 12] << (octave - 5);
    string[which].length = (unsigned)(RATE * 100ul / pitch);
    for (unsigned i = 0; i < string[which].length; i++) {
        string[which].loop[i] = (int16_t)(rand() % 16000 - 8000);
    }
}

static int16_t sample(unsigned which)
{
    unsigned at = string[which].at, next = at + 1 < string[which].length ? at + 1 : 0;
    int16_t value = string[which].loop[at];
    string[which].loop[at] = (int16_t)((value + string[which].loop[next]) * 511 / 1024);
    string[which].at = next;
    return value;
}

/* Beethoven's Ode to Joy, of 1824: a beat is two letters, a note and how many half beats it has. */
static int play_tune(void)
{
    static const char tune[] = "e2e2f2g2g2f2e2d2c2c2d2e2e3d1d4e2e2f2g2g2f2e2d2c2c2d2e2d3c1c4"
                               "d2d2e2c2d2e1f1e2c2d2e1f1e2d2c2d2G4e2e2f2g2g2f2e2d2c2c2d2e2d3c1c8";
    static const char bass[] =
        "ccccggggaaaaggggccccggggaaaaggccggggggggggggggggccccggggaaaaggcccccc";
    static const char notes[] = "c d ef g a b";
    static int16_t samples[2 * PERIOD];
    int card = pcm_open(PCM_PLAY, RATE, PERIOD, PERIODS);
    unsigned long frames = 0;
    unsigned half = 0;
    if (card < 0) {
        return fail("the sound card");
    }
    for (unsigned i = 0; i < STRINGS; i++) {
        string[i].length = LENGTH_MAX;
    }
    for (const char *at = tune; *at; at += 2) {
        unsigned octave = *at < 'a' ? 4 : 5, halves = (unsigned)(at[1] - '0');
        pluck((unsigned)(at - tune) / 2 % 2,
              octave * 12 + (unsigned)(strchr(notes, *at | 32) - notes));
        for (unsigned i = 0; i < halves; i++, half++) {
            if (half % 4 == 0 && bass[half / 2]) {
                pluck(2, 36 + (unsigned)(strchr(notes, bass[half / 2]) - notes));
            }
            for (unsigned part = 0; part < 11; part++) {
                for (unsigned k = 0; k < PERIOD; k++) {
                    int a = sample(0), b = sample(1), c = sample(2);
                    samples[2 * k] = (int16_t)(a + b / 2 + c);
                    samples[2 * k + 1] = (int16_t)(a / 2 + b + c);
                }
                if (!pcm_write(card, samples, PERIOD)) {
                    return fail("the sound card");
                }
                frames += PERIOD;
            }
        }
    }
    return finish(card, frames);
}

int main(int argc, char **argv)
{
    if (argc > 2 || (argc == 2 && argv[1][0] == '-')) {
        fprintf(stderr, "usage: play [FILE.wav]   (16 bits; without a file: a tune)\n");
        return 2;
    }
    return argc == 2 ? play_file(argv[1]) : play_tune();
}
