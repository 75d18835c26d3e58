/* SPDX-License-Identifier: MPL-2.0 */
/*
 * SDL's sound as a back end, with a sound card that does not open: streams go on in their time, and
 * are not heard.
 */
#include "../../sdl/sound.h"

#include "../../sdl/sdl.h"
#include "host/clock.h"
#include "tap.h"

#include <stdlib.h>
#include <unistd.h>

static unsigned pulled, pushed; /* frames; atomic */

static size_t on_pull(void *opaque, unsigned stream, void *frames, size_t count)
{
    (void)opaque;
    CHECK(stream == 0);
    memset(frames, 1, 4 * count);
    __atomic_fetch_add(&pulled, (unsigned)count, __ATOMIC_SEQ_CST);
    return count;
}

static size_t on_push(void *opaque, unsigned stream, const void *frames, size_t count)
{
    const uint8_t *bytes = frames;
    (void)opaque;
    CHECK(stream == 1 && bytes[0] == 0 && bytes[4 * count - 1] == 0);
    __atomic_fetch_add(&pushed, (unsigned)count, __ATOMIC_SEQ_CST);
    return count;
}

static bool reach(unsigned *frames, unsigned want)
{
    for (unsigned i = 0; i < 1000 && __atomic_load_n(frames, __ATOMIC_SEQ_CST) < want; i++) {
        host_sleep_ns(5000000);
    }
    return __atomic_load_n(frames, __ATOMIC_SEQ_CST) >= want;
}

TEST(no_card)
{
    const audio_guest_t guest = {.pull = on_pull, .push = on_push};
    audio_params_t params = {
        .format = AUDIO_S16, .rate = 48000, .channels = 2, .period = 480, .buffer = 4800};
    audio_host_t host;
    SDL_setenv("SDL_AUDIODRIVER", "disk", 1);
    SDL_setenv("SDL_DISKAUDIOFILE", "/nowhere/played", 1);
    SDL_setenv("SDL_DISKAUDIOFILEIN", "/nowhere/heard", 1);
    CHECK(sound_open(&host));
    host.attach(host.opaque, &guest);
    CHECK(host.prepare(host.opaque, 0, &params));
    params.capture = true;
    CHECK(host.prepare(host.opaque, 1, &params));
    CHECK(host.delay(host.opaque, 0) == 0);
    for (unsigned i = 0; i < 2; i++) {
        host.start(host.opaque, i);
    }
    uint64_t from = host_clock_ns();
    CHECK(reach(&pulled, 4800) && reach(&pushed, 4800));
    CHECK(host_clock_ns() - from >= 95000000); /* a tenth of a second, as with a card */
    host.stop(host.opaque, 0);
    unsigned before = __atomic_load_n(&pulled, __ATOMIC_SEQ_CST);
    host.update(host.opaque);
    CHECK(reach(&pushed, 9600)); /* the other goes on */
    CHECK_EQ(before, __atomic_load_n(&pulled, __ATOMIC_SEQ_CST));
    host.start(host.opaque, 0);
    CHECK(reach(&pulled, before + 480));
    host.stop(host.opaque, 0);
    host.release(host.opaque, 0);
    host.free(host.opaque); /* one runs still */
}

/* What libasound has to say about it is not for the terminal of a person. */
TEST(nothing_is_said)
{
    const audio_guest_t guest = {.pull = on_pull, .push = on_push};
    const audio_params_t params = {
        .format = AUDIO_S16, .rate = 48000, .channels = 2, .period = 480, .buffer = 4800};
    char path[] = "/tmp/rvkit-sound.XXXXXX", said[200] = "";
    audio_host_t host;
    int file = mkstemp(path), old = dup(2);
    SDL_setenv("SDL_AUDIODRIVER", "alsa", 1);
    SDL_setenv("ALSA_CONFIG_PATH", "/dev/null", 1);
    CHECK(file >= 0 && old >= 0);
    dup2(file, 2);
    bool open = sound_open(&host); /* or this SDL has no ALSA */
    if (open) {
        host.attach(host.opaque, &guest);
        CHECK(host.prepare(host.opaque, 0, &params));
        host.release(host.opaque, 0);
        host.free(host.opaque);
    }
    dup2(old, 2);
    CHECK(pread(file, said, sizeof(said) - 1, 0) == 0);
    printf("# %s: \"%s\"\n", open ? "ALSA" : "no ALSA", said);
    close(file);
    close(old);
    unlink(path);
}

int main(void)
{
    RUN(no_card);
    RUN(nothing_is_said);
    return tap_finish();
}
