/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The clock of sound without a sound card. Frames that are due since a stream was started are moved
 * in one go, in pieces; when the guest has fewer, the rest of its time passes in silence.
 */
#include "audio_pump.h"

#include "clock.h"
#include "thread.h"

#include <stdlib.h>
#include <string.h>

#define PUMP_PIECE 16384               /* bytes */
#define PUMP_TICK_NS UINT64_C(4000000) /* how often the thread looks */
#define PUMP_LATE_NS                                                                               \
    UINT64_C(1000000000) /* more than that is not caught up with (the host slept) */

typedef struct {
    audio_params_t params;
    bool prepared, running;
    uint64_t start_ns, done; /* frames since start_ns */
} pump_stream_t;

typedef struct {
    audio_sink_t sink;
    audio_clock_t clock;
    audio_guest_t guest;
    host_mutex_t *lock; /* guards the streams; held while frames are moved */
    host_event_t *event;
    host_thread_t *thread; /* NULL: update() does the work */
    bool ending;
    pump_stream_t stream[AUDIO_STREAMS_MAX];
    uint8_t piece[PUMP_PIECE];
} pump_t;

static uint64_t pump_now(const pump_t *pump)
{
    return pump->clock.now ? pump->clock.now(pump->clock.opaque) : host_clock_ns();
}

static uint64_t frames_of(uint64_t ns, uint32_t rate)
{
    const uint64_t second = UINT64_C(1000000000);
    return ns / second * rate + ns % second * rate / second;
}

/* Moves frames of a stream. */
static void stream_move(pump_t *pump, unsigned index, uint64_t frames)
{
    pump_stream_t *stream = &pump->stream[index];
    size_t size = audio_frame_size(&stream->params), most = PUMP_PIECE / size;
    while (frames) {
        size_t count = frames < most ? (size_t)frames : most;
        if (stream->params.capture) {
            pump->sink.read(pump->sink.opaque, index, pump->piece, count * size);
            pump->guest.push(pump->guest.opaque, index, pump->piece, count);
        } else {
            size_t got = pump->guest.pull(pump->guest.opaque, index, pump->piece, count);
            pump->sink.write(pump->sink.opaque, index, pump->piece, got * size);
        }
        frames -= count;
    }
}

/* Moves what is due of all streams; true when one runs. The lock is held. */
static bool pump_tick(pump_t *pump)
{
    bool running = false;
    uint64_t now = pump_now(pump);
    for (unsigned i = 0; i < AUDIO_STREAMS_MAX; i++) {
        pump_stream_t *stream = &pump->stream[i];
        if (!stream->running || now < stream->start_ns) {
            continue;
        }
        running = true;
        uint64_t due = frames_of(now - stream->start_ns, stream->params.rate);
        uint64_t late = due - stream->done, most = frames_of(PUMP_LATE_NS, stream->params.rate);
        stream->done = due;
        stream_move(pump, i, late < most ? late : most);
    }
    return running;
}

static void pump_body(void *arg)
{
    pump_t *pump = arg;
    bool ending = false;
    while (!ending) {
        host_mutex_lock(pump->lock);
        ending = pump->ending;
        bool running = pump_tick(pump);
        host_mutex_unlock(pump->lock);
        if (!ending) {
            host_event_wait(pump->event, running ? PUMP_TICK_NS : HOST_FOREVER);
        }
    }
}

static void pump_attach(void *opaque, const audio_guest_t *guest)
{
    ((pump_t *)opaque)->guest = *guest;
}

static bool pump_prepare(void *opaque, unsigned index, const audio_params_t *params)
{
    pump_t *pump = opaque;
    bool ok = index < AUDIO_STREAMS_MAX && params->channels - 1 < AUDIO_CHANNELS_MAX &&
              params->rate >= AUDIO_RATE_MIN && params->rate <= AUDIO_RATE_MAX;
    if (!ok) {
        return false;
    }
    host_mutex_lock(pump->lock);
    pump->stream[index].params = *params;
    ok = pump->stream[index].prepared = pump->sink.prepare(pump->sink.opaque, index, params);
    host_mutex_unlock(pump->lock);
    return ok;
}

static void pump_start(void *opaque, unsigned index)
{
    pump_t *pump = opaque;
    host_mutex_lock(pump->lock);
    pump_stream_t *stream = &pump->stream[index];
    stream->running = stream->prepared;
    stream->start_ns = pump_now(pump);
    stream->done = 0;
    if (!pump->clock.now && !pump->thread) {
        pump->thread = host_thread_create(pump_body, pump);
    }
    host_mutex_unlock(pump->lock);
    host_event_set(pump->event);
}

static void pump_stop(void *opaque, unsigned index)
{
    pump_t *pump = opaque;
    host_mutex_lock(pump->lock);
    pump->stream[index].running = false;
    host_mutex_unlock(pump->lock);
}

static void pump_release(void *opaque, unsigned index)
{
    pump_t *pump = opaque;
    host_mutex_lock(pump->lock);
    if (pump->stream[index].prepared) {
        pump->sink.release(pump->sink.opaque, index);
    }
    pump->stream[index] = (pump_stream_t){0};
    host_mutex_unlock(pump->lock);
}

static uint32_t pump_delay(void *opaque, unsigned index)
{
    (void)opaque;
    (void)index;
    return 0;
}

static void pump_update(void *opaque)
{
    pump_t *pump = opaque;
    host_mutex_lock(pump->lock);
    if (!pump->thread) {
        pump_tick(pump);
    }
    host_mutex_unlock(pump->lock);
}

static void pump_free(void *opaque)
{
    pump_t *pump = opaque;
    if (pump->thread) {
        host_mutex_lock(pump->lock);
        pump->ending = true;
        host_mutex_unlock(pump->lock);
        host_event_set(pump->event);
        host_thread_join(pump->thread);
    }
    for (unsigned i = 0; i < AUDIO_STREAMS_MAX && pump->lock; i++) {
        pump_release(pump, i);
    }
    pump->sink.free(pump->sink.opaque);
    host_mutex_free(pump->lock);
    host_event_free(pump->event);
    free(pump);
}

bool audio_pump_open(audio_host_t *host, const audio_clock_t *clock, const audio_sink_t *sink)
{
    pump_t *pump = calloc(1, sizeof(*pump));
    if (!pump) {
        sink->free(sink->opaque);
        return false;
    }
    pump->sink = *sink;
    pump->clock = clock ? *clock : (audio_clock_t){0};
    pump->lock = host_mutex_create();
    pump->event = host_event_create();
    *host = (audio_host_t){
        .opaque = pump,
        .attach = pump_attach,
        .prepare = pump_prepare,
        .start = pump_start,
        .stop = pump_stop,
        .release = pump_release,
        .delay = pump_delay,
        .update = pump_update,
        .free = pump_free,
    };
    if (!pump->lock || !pump->event) {
        pump_free(pump);
        return false;
    }
    return true;
}
