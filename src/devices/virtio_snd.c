/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The sound device: VirtIO 1.2 §5.14.
 *
 * The driver's messages wait in a list for each stream. The back end's clock takes them from there
 * (pull), or fills them (push), and a message is used when all of it is through: so the driver
 * hears of periods at the pace at which they are heard. The back end is called without the lock,
 * since it calls back with its own held; `calls` keeps what is asked of it in order.
 */
#include "virtio_snd.h"

#include "../util.h"

enum {
    SND_CONTROL = 0,
    SND_EVENT = 1,
    SND_TX = 2,
    SND_RX = 3,
    SND_QUEUES = 4,
    SND_QUEUE_SIZE = 64,
    SND_IO_SIZE = 256,

    /* Requests (§5.14.6.1). */
    SND_JACK_INFO = 0x0001,
    SND_PCM_INFO = 0x0100,
    SND_PCM_SET_PARAMS = 0x0101,
    SND_PCM_PREPARE = 0x0102,
    SND_PCM_RELEASE = 0x0103,
    SND_PCM_START = 0x0104,
    SND_PCM_STOP = 0x0105,
    SND_CHMAP_INFO = 0x0200,
    SND_EVT_PCM_XRUN = 0x1101,

    SND_PCM_F_EVT_XRUNS = 4,

    SND_HEADER = 4,
    SND_QUERY = 16,  /* code, start_id, count, size */
    SND_PARAMS = 24, /* of SET_PARAMS, in all */
    SND_JACK_SIZE = 24,
    SND_PCM_SIZE = 32,
    SND_CHMAP_SIZE = 24,
    SND_ITEM_MAX = 64, /* of what a driver takes for the size of such a description */
    SND_STATUS = 8,    /* of a message: status, latency_bytes */
    SND_CONFIG_SIZE = 12,
    SND_CHANNELS_MAX = 2,
    SND_CHMAPS = 2, /* of a stream */
};

/* §5.14.6.1 */
typedef enum {
    SND_OK = 0x8000,
    SND_BAD_MSG = 0x8001,
    SND_NOT_SUPP = 0x8002,
    SND_IO_ERR = 0x8003,
} snd_status_t;

typedef enum { PCM_NEW, PCM_SET, PCM_PREPARED, PCM_RUNNING, PCM_STOPPED, PCM_RELEASED } pcm_state_t;

typedef struct {
    audio_params_t params;
    bool xruns; /* the driver wants to hear of them */
    pcm_state_t state;
    bool started; /* the back end's clock runs for it, or is being started */

    virtq_chain_t *first, *last; /* messages that wait; the user pointer is the next one */
    bool xrun;                   /* told, and nothing came since */
    uint64_t skip;               /* bytes of the next message that were through at a snapshot */
} pcm_t;

typedef struct {
    audio_host_t host;
    virtio_dev_t *dev;
    unsigned count, playbacks;
    bool paused;
    uint8_t config[SND_CONFIG_SIZE];
    spinlock_t calls; /* outside of lock: what begins and ends streams */
    spinlock_t lock;  /* guards the streams */
    pcm_t pcm[AUDIO_STREAMS_MAX];
} virtio_snd_t;

/* Formats and rates that are offered, as the specification numbers them (§5.14.6.6.2). */
static const struct {
    uint8_t code;
    audio_format_t format;
} snd_format[] = {{4, AUDIO_U8}, {5, AUDIO_S16}, {17, AUDIO_S32}, {19, AUDIO_FLOAT}};

static const uint32_t snd_rate[] = {5512,  8000,  11025, 16000, 22050,  32000,  44100,
                                    48000, 64000, 88200, 96000, 176400, 192000, 384000};

static bool snd_captures(const virtio_snd_t *snd, unsigned index)
{
    return index >= snd->playbacks;
}

/* --- Messages. The lock is held. --- */

static void pcm_append(pcm_t *pcm, virtq_chain_t *chain)
{
    virtq_set_user(chain, NULL);
    if (pcm->last) {
        virtq_set_user(pcm->last, chain);
    } else {
        pcm->first = chain;
    }
    pcm->last = chain;
}

static virtq_chain_t *pcm_take(pcm_t *pcm)
{
    virtq_chain_t *chain = pcm->first;
    if (chain) {
        pcm->first = virtq_user(chain);
        pcm->last = pcm->first ? pcm->last : NULL;
    }
    return chain;
}

/* Writes the status where it belongs, at the end of the message; `filled` bytes precede it. */
static void message_end(virtq_chain_t *chain, snd_status_t status, uint32_t latency,
                        uint64_t filled)
{
    uint8_t bytes[SND_STATUS];
    uint64_t room = virtq_written(chain) + virtq_writable_left(chain);
    bool ok = room >= SND_STATUS;
    write_uint32_le_m(bytes, status);
    write_uint32_le_m(bytes + 4, latency);
    if (ok) {
        virtq_seek_writable(chain, room - SND_STATUS);
        ok = virtq_write_all(chain, bytes, sizeof(bytes));
    }
    virtq_push(chain, (size_t)(ok && filled == room - SND_STATUS ? room : filled));
}

static void pcm_flush(pcm_t *pcm, snd_status_t status)
{
    virtq_chain_t *chain;
    while ((chain = pcm_take(pcm))) {
        message_end(chain, status, 0, 0);
    }
    pcm->skip = 0;
}

static uint32_t pcm_latency(const virtio_snd_t *snd, unsigned index)
{
    const pcm_t *pcm = &snd->pcm[index];
    return snd->host.delay(snd->host.opaque, index) * (uint32_t)audio_frame_size(&pcm->params);
}

/* Bytes that a message still has room for, before its status. */
static uint64_t message_room(const virtq_chain_t *chain)
{
    uint64_t left = virtq_writable_left(chain);
    return left > SND_STATUS ? left - SND_STATUS : 0;
}

/* Nothing came, or nothing was wanted, where the clock went on: §5.14.6.6.7. */
static void pcm_xrun(virtio_snd_t *snd, unsigned index)
{
    pcm_t *pcm = &snd->pcm[index];
    uint8_t bytes[8];
    if (pcm->xrun || !pcm->xruns || pcm->state != PCM_RUNNING) {
        return;
    }
    virtq_chain_t *chain = virtq_pop(virtio_queue(snd->dev, SND_EVENT));
    pcm->xrun = true;
    write_uint32_le_m(bytes, SND_EVT_PCM_XRUN);
    write_uint32_le_m(bytes + 4, index);
    if (chain) {
        virtq_push(chain, virtq_write_all(chain, bytes, sizeof(bytes)) ? sizeof(bytes) : 0);
    }
}

/* --- The back end's side --- */

static size_t snd_pull(void *opaque, unsigned index, void *frames, size_t count)
{
    virtio_snd_t *snd = opaque;
    pcm_t *pcm = &snd->pcm[index];
    spin_lock(&snd->lock);
    size_t frame = audio_frame_size(&pcm->params), want = count * frame, got = 0;
    uint32_t latency = pcm_latency(snd, index);
    while (got < want && pcm->first) {
        size_t part = virtq_read(pcm->first, (uint8_t *)frames + got, want - got);
        got += part;
        if (!part && virtq_readable_left(pcm->first)) {
            break; /* the queue stands still */
        }
        if (!virtq_readable_left(pcm->first)) {
            message_end(pcm_take(pcm), SND_OK, latency, 0);
        }
    }
    pcm->xrun &= !got;
    if (!got) {
        pcm_xrun(snd, index);
    }
    spin_unlock(&snd->lock);
    virtq_notify(virtio_queue(snd->dev, SND_TX));
    virtq_notify(virtio_queue(snd->dev, SND_EVENT));
    return got / frame;
}

static size_t snd_push(void *opaque, unsigned index, const void *frames, size_t count)
{
    virtio_snd_t *snd = opaque;
    pcm_t *pcm = &snd->pcm[index];
    spin_lock(&snd->lock);
    size_t frame = audio_frame_size(&pcm->params), have = count * frame, put = 0;
    uint32_t latency = pcm_latency(snd, index);
    while (put < have && pcm->first) {
        size_t fits = (size_t)util_min_u64(have - put, message_room(pcm->first));
        size_t part = virtq_write(pcm->first, (const uint8_t *)frames + put, fits);
        put += part;
        if (part < fits) {
            break; /* the queue stands still */
        }
        if (!message_room(pcm->first)) {
            uint64_t filled = virtq_written(pcm->first);
            message_end(pcm_take(pcm), SND_OK, latency, filled);
        }
    }
    pcm->xrun &= !put;
    if (!put) {
        pcm_xrun(snd, index);
    }
    spin_unlock(&snd->lock);
    virtq_notify(virtio_queue(snd->dev, SND_RX));
    virtq_notify(virtio_queue(snd->dev, SND_EVENT));
    return put / frame;
}

/* --- Descriptions --- */

static void describe_jack(const virtio_snd_t *snd, unsigned index, uint8_t *out)
{
    bool capture = snd_captures(snd, index);
    write_uint32_le_m(out, capture ? index - snd->playbacks : index);
    /* As HDA has it: a jack for line in or out, 3.5 mm, at the rear, green or blue. */
    write_uint32_le_m(out + 8, capture ? 0x01813030u : 0x01014010u);
    out[16] = 1; /* connected */
}

static void describe_pcm(const virtio_snd_t *snd, unsigned index, uint8_t *out)
{
    bool capture = snd_captures(snd, index);
    uint64_t formats = 0;
    for (unsigned i = 0; i < ARRAY_LEN(snd_format); i++) {
        formats |= UINT64_C(1) << snd_format[i].code;
    }
    write_uint32_le_m(out, capture ? index - snd->playbacks : index);
    write_uint32_le_m(out + 4, 1u << SND_PCM_F_EVT_XRUNS);
    write_uint64_le_m(out + 8, formats);
    write_uint64_le_m(out + 16, (UINT64_C(1) << ARRAY_LEN(snd_rate)) - 1);
    out[24] = capture;
    out[25] = 1;
    out[26] = SND_CHANNELS_MAX;
}

static void describe_chmap(const virtio_snd_t *snd, unsigned item, uint8_t *out)
{
    static const uint8_t position[SND_CHMAPS][2] = {{2, 0}, {3, 4}}; /* mono; front left, right */
    unsigned index = item / SND_CHMAPS, map = item % SND_CHMAPS;
    bool capture = snd_captures(snd, index);
    write_uint32_le_m(out, capture ? index - snd->playbacks : index);
    out[4] = capture;
    out[5] = (uint8_t)(map + 1);
    memcpy(out + 6, position[map], 2);
}

/* Answers a query for [start, start + count) of `total` items (§5.14.6.3). */
static void snd_query(virtio_snd_t *snd, virtq_chain_t *chain, const uint8_t *query, unsigned total,
                      size_t item_size,
                      void (*describe)(const virtio_snd_t *snd, unsigned item, uint8_t *out))
{
    uint8_t item[SND_ITEM_MAX], header[SND_HEADER];
    uint32_t start = read_uint32_le_m(query + 4), count = read_uint32_le_m(query + 8),
             size = read_uint32_le_m(query + 12);
    bool ok = size >= item_size && size <= SND_ITEM_MAX && util_range_ok(start, count, total) &&
              virtq_writable_left(chain) >= SND_HEADER + (uint64_t)count * size;
    write_uint32_le_m(header, ok ? SND_OK : SND_BAD_MSG);
    virtq_write(chain, header, sizeof(header));
    for (uint32_t i = 0; ok && i < count; i++) {
        memset(item, 0, sizeof(item));
        describe(snd, start + i, item);
        virtq_write(chain, item, size);
    }
}

/* --- Commands --- */

/* hdr {code, stream_id}, buffer_bytes, period_bytes, features, channels, format, rate, padding. */
static snd_status_t snd_set_params(virtio_snd_t *snd, unsigned index, const uint8_t *in)
{
    pcm_t *pcm = &snd->pcm[index];
    audio_params_t params = {.capture = snd_captures(snd, index), .channels = in[20]};
    uint32_t buffer = read_uint32_le_m(in + 8), period = read_uint32_le_m(in + 12);
    uint32_t features = read_uint32_le_m(in + 16);
    bool known = false;
    for (unsigned i = 0; i < ARRAY_LEN(snd_format); i++) {
        if (snd_format[i].code == in[21]) {
            params.format = snd_format[i].format;
            known = true;
        }
    }
    if (!known || in[22] >= ARRAY_LEN(snd_rate) || !params.channels ||
        params.channels > SND_CHANNELS_MAX || (features & ~(1u << SND_PCM_F_EVT_XRUNS))) {
        return SND_NOT_SUPP;
    }
    size_t frame = audio_frame_size(&params);
    if (pcm->state == PCM_RUNNING || !period || period % frame || !buffer || buffer % period) {
        return SND_BAD_MSG;
    }
    params.rate = snd_rate[in[22]];
    params.period = (uint32_t)(period / frame);
    params.buffer = (uint32_t)(buffer / frame);
    spin_lock(&snd->lock);
    pcm_flush(pcm, SND_IO_ERR);
    pcm->params = params;
    pcm->xruns = features != 0;
    pcm->state = PCM_SET;
    spin_unlock(&snd->lock);
    return SND_OK;
}

static void snd_set_state(virtio_snd_t *snd, unsigned index, pcm_state_t state)
{
    spin_lock(&snd->lock);
    snd->pcm[index].state = state;
    snd->pcm[index].started = state == PCM_RUNNING;
    snd->pcm[index].xrun = false;
    if (state == PCM_RELEASED) {
        pcm_flush(&snd->pcm[index], SND_OK);
    }
    spin_unlock(&snd->lock);
}

/*
 * §5.14.6.6.1, and a little more: Linux also prepares a stream that it has stopped, without
 * releasing it, when no message is pending.
 */
static snd_status_t snd_command(virtio_snd_t *snd, unsigned index, uint32_t code)
{
    pcm_t *pcm = &snd->pcm[index];
    void *host = snd->host.opaque;
    pcm_state_t state = pcm->state;
    bool can_start = state == PCM_PREPARED || state == PCM_STOPPED;
    if (code == SND_PCM_PREPARE && state != PCM_NEW && state != PCM_RUNNING) {
        if (!snd->host.prepare(host, index, &pcm->params)) {
            return SND_IO_ERR;
        }
        snd_set_state(snd, index, PCM_PREPARED);
    } else if (code == SND_PCM_START && can_start) {
        snd_set_state(snd, index, PCM_RUNNING);
        snd->host.start(host, index);
    } else if (code == SND_PCM_STOP && state == PCM_RUNNING) {
        snd->host.stop(host, index);
        snd_set_state(snd, index, PCM_STOPPED);
    } else if (code == SND_PCM_RELEASE && can_start) {
        snd->host.release(host, index);
        snd_set_state(snd, index, PCM_RELEASED);
    } else {
        return SND_BAD_MSG;
    }
    return SND_OK;
}

static snd_status_t snd_stream_command(virtio_snd_t *snd, virtq_chain_t *chain, uint32_t code)
{
    uint8_t in[SND_PARAMS];
    size_t size = code == SND_PCM_SET_PARAMS ? SND_PARAMS : 8;
    if (code < SND_PCM_SET_PARAMS || code > SND_PCM_STOP) {
        return SND_NOT_SUPP;
    }
    if (!virtq_read_all(chain, in, size) || read_uint32_le_m(in + 4) >= snd->count) {
        return SND_BAD_MSG;
    }
    unsigned index = read_uint32_le_m(in + 4);
    spin_lock_slow(&snd->calls);
    snd_status_t status =
        code == SND_PCM_SET_PARAMS ? snd_set_params(snd, index, in) : snd_command(snd, index, code);
    spin_unlock(&snd->calls);
    return status;
}

static void snd_request(virtio_snd_t *snd, virtq_chain_t *chain)
{
    uint8_t query[SND_QUERY], header[SND_HEADER];
    uint32_t code = virtq_read_all(chain, query, 4) ? read_uint32_le_m(query) : 0;
    bool info = code == SND_JACK_INFO || code == SND_PCM_INFO || code == SND_CHMAP_INFO;
    virtq_seek_readable(chain, 0);
    if (info && virtq_read_all(chain, query, sizeof(query))) {
        if (code == SND_JACK_INFO) {
            snd_query(snd, chain, query, snd->count, SND_JACK_SIZE, describe_jack);
        } else if (code == SND_PCM_INFO) {
            snd_query(snd, chain, query, snd->count, SND_PCM_SIZE, describe_pcm);
        } else {
            snd_query(snd, chain, query, SND_CHMAPS * snd->count, SND_CHMAP_SIZE, describe_chmap);
        }
    } else {
        write_uint32_le_m(header, info ? SND_BAD_MSG : snd_stream_command(snd, chain, code));
        virtq_write(chain, header, sizeof(header));
    }
    virtq_push(chain, (size_t)virtq_written(chain));
}

/* --- Queues --- */

/* A message for a stream: it waits for its turn. */
static void snd_message(virtio_snd_t *snd, virtq_chain_t *chain, bool capture)
{
    uint8_t header[4];
    bool ok = virtq_read_all(chain, header, sizeof(header));
    uint32_t index = ok ? read_uint32_le_m(header) : UINT32_MAX;
    if (index >= snd->count || snd_captures(snd, index) != capture) {
        message_end(chain, SND_BAD_MSG, 0, 0);
        return;
    }
    pcm_t *pcm = &snd->pcm[index];
    spin_lock(&snd->lock);
    if (pcm->state != PCM_PREPARED && pcm->state != PCM_RUNNING && pcm->state != PCM_STOPPED) {
        message_end(chain, SND_IO_ERR, 0, 0);
    } else {
        if (capture) {
            virtq_skip_writable(chain, pcm->skip);
        } else {
            virtq_skip_readable(chain, pcm->skip);
        }
        pcm->skip = 0;
        pcm_append(pcm, chain);
    }
    spin_unlock(&snd->lock);
}

static void snd_notify(void *data, unsigned queue)
{
    virtio_snd_t *snd = data;
    virtq_t *vq = virtio_queue(snd->dev, queue);
    virtq_chain_t *chain;
    while (queue != SND_EVENT && (chain = virtq_pop(vq))) {
        if (queue == SND_CONTROL) {
            snd_request(snd, chain);
        } else {
            snd_message(snd, chain, queue == SND_RX);
        }
    }
    virtq_notify(vq);
    if (queue == SND_CONTROL) { /* a release may have used messages */
        virtq_notify(virtio_queue(snd->dev, SND_TX));
        virtq_notify(virtio_queue(snd->dev, SND_RX));
    }
}

/* --- Life --- */

/* The state that a stream was in; from here on update() leaves it alone. `calls` is held, or no
 * command can come. */
static pcm_state_t snd_halt(virtio_snd_t *snd, unsigned index)
{
    pcm_t *pcm = &snd->pcm[index];
    spin_lock(&snd->lock);
    pcm_state_t state = pcm->state;
    pcm->state = PCM_NEW;
    pcm->started = false;
    spin_unlock(&snd->lock);
    snd->host.stop(snd->host.opaque, index);
    return state;
}

static void snd_reset(void *data)
{
    virtio_snd_t *snd = data;
    spin_lock_slow(&snd->calls);
    for (unsigned i = 0; i < snd->count; i++) {
        pcm_state_t state = snd_halt(snd, i);
        if (state == PCM_PREPARED || state == PCM_RUNNING || state == PCM_STOPPED) {
            snd->host.release(snd->host.opaque, i);
        }
        spin_lock(&snd->lock);
        pcm_flush(&snd->pcm[i], SND_IO_ERR);
        snd->pcm[i] = (pcm_t){0};
        spin_unlock(&snd->lock);
    }
    snd->paused = false; /* a snapshot that is read next runs on without being told */
    spin_unlock(&snd->calls);
}

static void snd_queue_reset(void *data, unsigned queue)
{
    virtio_snd_t *snd = data;
    for (unsigned i = 0; i < snd->count; i++) {
        if (queue == (snd_captures(snd, i) ? SND_RX : SND_TX)) {
            spin_lock(&snd->lock);
            pcm_flush(&snd->pcm[i], SND_IO_ERR);
            spin_unlock(&snd->lock);
        }
    }
}

/* Streams that run in a machine that goes on have their clock started. `calls` is held. */
static void snd_go_on(virtio_snd_t *snd)
{
    for (unsigned i = 0; i < snd->count && !snd->paused; i++) {
        pcm_t *pcm = &snd->pcm[i];
        spin_lock(&snd->lock);
        bool start = pcm->state == PCM_RUNNING && !pcm->started;
        pcm->started |= start;
        spin_unlock(&snd->lock);
        if (start) {
            snd->host.start(snd->host.opaque, i);
        }
    }
}

static void snd_update(void *data)
{
    virtio_snd_t *snd = data;
    if (spin_try_lock(&snd->calls)) { /* else a command takes long: next time */
        snd_go_on(snd);
        spin_unlock(&snd->calls);
    }
    snd->host.update(snd->host.opaque);
}

/* As SET_PARAMS leaves them. */
static bool params_ok(const audio_params_t *params, uint8_t format)
{
    return format <= AUDIO_FLOAT && params->rate >= AUDIO_RATE_MIN &&
           params->rate <= AUDIO_RATE_MAX && params->channels &&
           params->channels <= SND_CHANNELS_MAX && params->period &&
           params->buffer >= params->period;
}

static bool save_stream(rvvm_snapshot_t *snap, pcm_t *pcm)
{
    uint8_t state = (uint8_t)pcm->state, format = (uint8_t)pcm->params.format, xruns = pcm->xruns;
    bool ok = rvvm_snapshot_field(snap, state) && rvvm_snapshot_field(snap, format) &&
              rvvm_snapshot_field(snap, xruns) && rvvm_snapshot_field(snap, pcm->params.rate) &&
              rvvm_snapshot_field(snap, pcm->params.channels) &&
              rvvm_snapshot_field(snap, pcm->params.period) &&
              rvvm_snapshot_field(snap, pcm->params.buffer) && rvvm_snapshot_field(snap, pcm->skip);
    ok = ok && state <= PCM_RELEASED && (state == PCM_NEW || params_ok(&pcm->params, format));
    pcm->state = ok ? (pcm_state_t)state : PCM_NEW;
    pcm->params.format = ok ? (audio_format_t)format : AUDIO_U8;
    pcm->xruns = xruns != 0;
    return ok;
}

/* A stream as it is, with the bytes of its first message that are through. */
static pcm_t snd_look(virtio_snd_t *snd, unsigned index)
{
    spin_lock(&snd->lock);
    pcm_t pcm = snd->pcm[index];
    if (pcm.first && snd_captures(snd, index)) {
        pcm.skip = virtq_written(pcm.first);
    } else if (pcm.first) {
        uint64_t left = virtq_readable_left(pcm.first);
        virtq_seek_readable(pcm.first, 4); /* behind the header */
        pcm.skip = virtq_readable_left(pcm.first) - left;
        virtq_skip_readable(pcm.first, pcm.skip);
    }
    spin_unlock(&snd->lock);
    return pcm;
}

/* Messages are popped again in the resumed machine; the first of a stream goes on where it was.
 * `calls` is held. */
static void snd_save(virtio_snd_t *snd, rvvm_snapshot_t *snap, bool resume)
{
    for (unsigned i = 0; i < snd->count; i++) {
        pcm_t pcm = snd_look(snd, i);
        bool ok = save_stream(snap, &pcm);
        bool live = pcm.state >= PCM_PREPARED && pcm.state <= PCM_STOPPED;
        pcm.params.capture = snd_captures(snd, i);
        pcm.started = false;
        if (resume && ok && (!live || snd->host.prepare(snd->host.opaque, i, &pcm.params))) {
            spin_lock(&snd->lock);
            snd->pcm[i] = pcm;
            spin_unlock(&snd->lock);
        }
    }
}

/* The clocks stop while the queues still run: what is through when the queues stand still stays so.
 */
static void snd_quiesce(void *data)
{
    virtio_snd_t *snd = data;
    spin_lock_slow(&snd->calls);
    snd->paused = true;
    for (unsigned i = 0; i < snd->count; i++) {
        snd->host.stop(snd->host.opaque, i);
        spin_lock(&snd->lock);
        snd->pcm[i].started = false;
        spin_unlock(&snd->lock);
    }
    spin_unlock(&snd->calls);
}

static void snd_suspend(void *data, rvvm_snapshot_t *snap, bool resume)
{
    virtio_snd_t *snd = data;
    spin_lock_slow(&snd->calls);
    if (snap) {
        snd_save(snd, snap, resume);
    } else {
        snd->paused = !resume;
    }
    spin_unlock(&snd->calls);
}

static void snd_bind(void *data, virtio_dev_t *dev)
{
    virtio_snd_t *snd = data;
    const audio_guest_t guest = {.opaque = snd, .pull = snd_pull, .push = snd_push};
    snd->dev = dev;
    snd->host.attach(snd->host.opaque, &guest);
}

static void snd_remove(void *data)
{
    virtio_snd_t *snd = data;
    for (unsigned i = 0; i < snd->count; i++) {
        snd_halt(snd, i);
    }
    snd->host.free(snd->host.opaque);
    free(snd);
}

static const virtio_type_t snd_type = {
    .name = "virtio-snd",
    .bind = snd_bind,
    .remove = snd_remove,
    .notify = snd_notify,
    .reset = snd_reset,
    .queue_reset = snd_queue_reset,
    .update = snd_update,
    .quiesce = snd_quiesce,
    .suspend = snd_suspend,
};

bool virtio_snd_describe(virtio_desc_t *desc, unsigned playbacks, unsigned captures,
                         const audio_host_t *host)
{
    bool ok = playbacks <= AUDIO_STREAMS_MAX && captures <= AUDIO_STREAMS_MAX - playbacks &&
              playbacks + captures;
    virtio_snd_t *snd = ok ? calloc(1, sizeof(*snd)) : NULL;
    if (!snd) {
        host->free(host->opaque);
        return false;
    }
    snd->host = *host;
    snd->playbacks = playbacks;
    snd->count = playbacks + captures;
    write_uint32_le_m(snd->config, snd->count); /* jacks */
    write_uint32_le_m(snd->config + 4, snd->count);
    write_uint32_le_m(snd->config + 8, SND_CHMAPS * snd->count);
    *desc = (virtio_desc_t){
        .type = &snd_type,
        .data = snd,
        .id = VIRTIO_ID_SOUND,
        .queues = SND_QUEUES,
        .queue_size = {SND_QUEUE_SIZE, SND_QUEUE_SIZE, SND_IO_SIZE, SND_IO_SIZE},
        .config_size = SND_CONFIG_SIZE,
        .config = snd->config,
    };
    return true;
}
