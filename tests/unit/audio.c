/* SPDX-License-Identifier: MPL-2.0 */
/* Sound without a sound card: the clock, and what WAV files hold. */
#include "host/audio.h"

#include "host/clock.h"
#include "host/file.h"
#include "host/thread.h"
#include "tap.h"
#include "util.h"

#include <stdlib.h>
#include <unistd.h>

#define MS UINT64_C(1000000)

static const audio_params_t cd = {
    .format = AUDIO_S16, .rate = 44100, .channels = 2, .period = 441, .buffer = 4410};

static uint64_t now_ns;
static audio_host_t host;
static char directory[64], play[96], second[96], record[96];

/* The guest: frames are numbered; it has so many. */
static struct {
    uint64_t have, pulled, pushed, calls;
    uint32_t size;
    uint8_t last[64];
    bool running; /* atomic */
} guest[AUDIO_STREAMS_MAX];

static uint64_t now(void *opaque)
{
    (void)opaque;
    return now_ns;
}

static const audio_clock_t clock_by_hand = {.now = now};

static size_t pull(void *opaque, unsigned stream, void *frames, size_t count)
{
    (void)opaque;
    guest[stream].calls++;
    count = (size_t)util_min_u64(count, guest[stream].have - guest[stream].pulled);
    for (size_t i = 0; i < count; i++) {
        memset((uint8_t *)frames + i * guest[stream].size, (uint8_t)guest[stream].pulled++,
               guest[stream].size);
    }
    CHECK(__atomic_load_n(&guest[stream].running, __ATOMIC_SEQ_CST));
    return count;
}

static size_t push(void *opaque, unsigned stream, const void *frames, size_t count)
{
    (void)opaque;
    uint32_t size = guest[stream].size;
    memcpy(guest[stream].last, (const uint8_t *)frames + (count - 1) * size, size);
    guest[stream].pushed += count;
    return count;
}

static void up(bool opened)
{
    static const audio_guest_t me = {.pull = pull, .push = push};
    CHECK(opened);
    now_ns = 5000 * MS;
    memset(guest, 0, sizeof(guest));
    host.attach(host.opaque, &me);
}

static void begin(unsigned stream, const audio_params_t *params, uint64_t have)
{
    guest[stream].size = (uint32_t)audio_frame_size(params);
    guest[stream].have = guest[stream].pulled + have;
    CHECK(host.prepare(host.opaque, stream, params));
    __atomic_store_n(&guest[stream].running, true, __ATOMIC_SEQ_CST);
    host.start(host.opaque, stream);
}

static void end(unsigned stream)
{
    host.stop(host.opaque, stream);
    __atomic_store_n(&guest[stream].running, false, __ATOMIC_SEQ_CST);
    host.release(host.opaque, stream);
}

static void pass(uint64_t ms)
{
    for (uint64_t i = 0; i < ms; i += 16) {
        now_ns += util_min_u64(16, ms - i) * MS;
        host.update(host.opaque);
    }
}

TEST(rate)
{
    up(audio_null_open(&host, &clock_by_hand));
    begin(0, &cd, UINT64_MAX / 2);
    host.update(host.opaque);
    CHECK_EQ(0, guest[0].pulled);
    pass(10);
    CHECK_EQ(441, guest[0].pulled);
    pass(999);
    CHECK_EQ(44496, guest[0].pulled); /* 1009 ms, rounded down */
    pass(10 * 1000 - 1009);
    CHECK_EQ(441000, guest[0].pulled);
    CHECK_EQ(0, host.delay(host.opaque, 0));
    end(0);
    pass(100);
    CHECK_EQ(441000, guest[0].pulled);
    host.start(host.opaque, 0); /* it is not prepared any more */
    pass(100);
    CHECK_EQ(441000, guest[0].pulled);
    host.free(host.opaque);
}

/* Time that passes without frames is lost, and not caught up with. */
TEST(late_guest)
{
    up(audio_null_open(&host, &clock_by_hand));
    begin(0, &cd, 1000);
    pass(1000);
    CHECK_EQ(1000, guest[0].pulled);
    guest[0].have += 100000;
    pass(16);
    CHECK(guest[0].pulled - 1000 <= 44100 * 16 / 1000 + 1);
    now_ns += 3600 * 1000 * MS; /* the host slept */
    host.update(host.opaque);
    CHECK(guest[0].pulled <= 1000 + 44100 * 16 / 1000 + 1 + 44100);
    end(0);
    host.free(host.opaque);
}

TEST(bad_parameters)
{
    audio_params_t params = cd;
    up(audio_null_open(&host, &clock_by_hand));
    params.rate = 0;
    CHECK(!host.prepare(host.opaque, 0, &params));
    params = cd;
    params.channels = 0;
    CHECK(!host.prepare(host.opaque, 0, &params));
    params.channels = AUDIO_CHANNELS_MAX + 1;
    CHECK(!host.prepare(host.opaque, 0, &params));
    CHECK(!host.prepare(host.opaque, AUDIO_STREAMS_MAX, &cd));
    host.free(host.opaque);
}

TEST(silence)
{
    audio_params_t params = {.capture = true,
                             .format = AUDIO_U8,
                             .rate = 8000,
                             .channels = 1,
                             .period = 80,
                             .buffer = 800};
    up(audio_null_open(&host, &clock_by_hand));
    begin(3, &params, 0);
    pass(1000);
    CHECK_EQ(8000, guest[3].pushed);
    CHECK_EQ(0x80, guest[3].last[0]);
    end(3);
    host.free(host.opaque);
}

/* A thread of its own drives the clock when the time is the host's. */
TEST(real_time)
{
    if (!host_threads_available()) {
        return;
    }
    up(audio_null_open(&host, NULL));
    uint64_t from = host_clock_ns();
    begin(0, &cd, UINT64_MAX / 2);
    host_sleep_ns(100 * MS);
    host.stop(host.opaque, 0);
    uint64_t took = host_clock_ns() - from;
    CHECK(guest[0].pulled > 0 && guest[0].pulled <= took / MS * 44100 / 1000 + 45);
    CHECK(guest[0].calls > 1);
    __atomic_store_n(&guest[0].running, false, __ATOMIC_SEQ_CST);
    host_sleep_ns(20 * MS); /* pull() checks that it is not called */
    host.free(host.opaque);
}

static uint8_t *slurp(const char *path, size_t *size)
{
    char error[128];
    uint8_t *data = NULL;
    *size = 0;
    return host_file_read_all(path, 1 << 24, &data, size, error, sizeof(error)) ? data : NULL;
}

/* A file with frames 0, 1, 2 … of these parameters; unless it has ended, perhaps with more than it
 * says. */
static void check_wav(const char *path, const audio_params_t *params, uint64_t frames, bool ended)
{
    size_t size, frame = audio_frame_size(params);
    uint8_t *data = slurp(path, &size);
    CHECK(data && size >= 44);
    if (!data || size < 44) {
        free(data);
        return;
    }
    CHECK(!memcmp(data, "RIFF", 4) && !memcmp(data + 8, "WAVEfmt ", 8) &&
          !memcmp(data + 36, "data", 4));
    CHECK_EQ(frames * frame, util_get_le32(data + 40));
    CHECK_EQ(frames * frame + 36, util_get_le32(data + 4));
    CHECK(ended ? size == 44 + frames * frame : size >= 44 + frames * frame);
    CHECK_EQ(16, util_get_le32(data + 16));
    CHECK_EQ(params->format == AUDIO_FLOAT ? 3 : 1, util_get_le16(data + 20));
    CHECK_EQ(params->channels, util_get_le16(data + 22));
    CHECK_EQ(params->rate, util_get_le32(data + 24));
    CHECK_EQ(params->rate * frame, util_get_le32(data + 28));
    CHECK_EQ(frame, util_get_le16(data + 32));
    CHECK_EQ(8 * frame / params->channels, util_get_le16(data + 34));
    for (uint64_t i = 0; i < frames && 44 + (i + 1) * frame <= size; i++) {
        CHECK_EQ((uint8_t)i, data[44 + i * frame]);
        CHECK_EQ((uint8_t)i, data[44 + i * frame + frame - 1]);
    }
    free(data);
}

static bool open_wav(const char *to, const char *from)
{
    char error[128];
    return audio_wav_open(&host, &clock_by_hand, to, from, error, sizeof(error));
}

/* Just what the guest gave, however late it was. */
TEST(wav)
{
    up(open_wav(play, NULL));
    begin(0, &cd, 1000);
    pass(500);
    guest[0].have += 30000;
    pass(2000);
    end(0);
    begin(0, &cd, 500); /* goes on in the same file */
    pass(100);
    end(0);
    host.free(host.opaque);
    check_wav(play, &cd, 31500, true);
    CHECK(access(second, F_OK) != 0);
}

/* What a killed process leaves behind is valid, and at most about a quarter of a second short. */
TEST(wav_killed)
{
    up(open_wav(play, NULL));
    begin(0, &cd, 1 << 20);
    pass(16);
    check_wav(play, &cd, 0, false); /* of the rest it does not speak yet */
    uint64_t before = guest[0].pulled;
    pass(240);
    check_wav(play, &cd, guest[0].pulled, false);
    CHECK(guest[0].pulled - before < 44100 / 4 + 1);
    end(0);
    host.free(host.opaque);
}

TEST(wav_files)
{
    audio_params_t mono = {
        .format = AUDIO_FLOAT, .rate = 48000, .channels = 1, .period = 480, .buffer = 4800};
    up(open_wav(play, NULL));
    begin(0, &cd, 100);
    begin(1, &mono, 200);
    pass(100);
    end(0);
    end(1);
    host.free(host.opaque);
    check_wav(play, &cd, 100, true);
    check_wav(second, &mono, 200, true);
    unlink(second);
}

static void put_file(const char *path, const void *data, size_t size)
{
    char error[128];
    CHECK(host_file_write_all(path, data, size, error, sizeof(error)));
}

TEST(recording)
{
    audio_params_t params = {.capture = true,
                             .format = AUDIO_S16,
                             .rate = 8000,
                             .channels = 2,
                             .period = 80,
                             .buffer = 800};
    /* Eight bits, one channel, 4000 a second, behind a chunk of odd length: 0x90, 0xA0. */
    static const uint8_t file[] =
        "RIFF\x32\0\0\0WAVEjunk\3\0\0\0abc\0fmt \x10\0\0\0\1\0\1\0\xA0\x0F\0\0"
        "\xA0\x0F\0\0\1\0\x08\0data\2\0\0\0\x90\xA0";
    put_file(record, file, sizeof(file) - 1);
    up(open_wav(NULL, record));
    begin(0, &params, 0);
    now_ns += 130000; /* one frame, and a bit */
    host.update(host.opaque);
    CHECK(guest[0].pushed == 1 && !memcmp(guest[0].last, "\x00\x10\x00\x10", 4));
    now_ns += 250000; /* the third */
    host.update(host.opaque);
    CHECK(guest[0].pushed == 3 && !memcmp(guest[0].last, "\x00\x20\x00\x20", 4));
    pass(10);
    CHECK(!memcmp(guest[0].last, "\0\0\0\0", 4));
    end(0);
    host.free(host.opaque);
    unlink(record);
}

TEST(bad_files)
{
    char error[128] = "";
    CHECK(!audio_wav_open(&host, NULL, NULL, "/nonexistent/a.wav", error, sizeof(error)) &&
          error[0]);
    CHECK(!audio_wav_open(&host, NULL, "/nonexistent/a.wav", NULL, error, sizeof(error)) &&
          error[0]);
    static const uint8_t file[44] =
        "RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\1\0\0\0\x40\x1F\0\0\0\0\0\0\0\0\x10\0data";
    for (size_t size = 0; size <= sizeof(file); size++) { /* no channels, or cut off */
        put_file(record, file, size);
        CHECK(!audio_wav_open(&host, NULL, NULL, record, error, sizeof(error)) && error[0]);
    }
    unlink(record);
}

int main(void)
{
    snprintf(directory, sizeof(directory), "/tmp/rvkit-audio-XXXXXX");
    if (!mkdtemp(directory)) {
        printf("Bail out! no directory\n");
        return 1;
    }
    snprintf(play, sizeof(play), "%s/a.wav", directory);
    snprintf(second, sizeof(second), "%s/a-2.wav", directory);
    snprintf(record, sizeof(record), "%s/r.wav", directory);
    RUN(rate);
    RUN(late_guest);
    RUN(bad_parameters);
    RUN(silence);
    RUN(real_time);
    RUN(wav);
    RUN(wav_killed);
    RUN(wav_files);
    RUN(recording);
    RUN(bad_files);
    unlink(play);
    unlink(second);
    rmdir(directory);
    return tap_finish();
}
