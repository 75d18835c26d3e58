/* SPDX-License-Identifier: MPL-2.0 */
/* The sound device's rules: VirtIO 1.2 §5.14. */
#include "devices/virtio_snd.h"
#include "virtio_driver.h"

#ifdef RVVM_COMPAT_RVKIT
#include "damage.h"
#endif

#define V1 VIRTIO_F_VERSION_1

enum {
    CONTROL,
    EVENT,
    TX,
    RX,
    OUT = 0,
    IN = 2, /* streams: two that play, one that records */
    JACK_INFO = 1,
    PCM_INFO = 0x100,
    SET_PARAMS,
    PREPARE,
    RELEASE,
    START,
    STOP,
    CHMAP_INFO = 0x200,
    OK = 0x8000,
    BAD_MSG,
    NOT_SUPP,
    IO_ERR,
    XRUN = 0x1101,
    S16 = 5,
    RATE_48000 = 7,
};

static vd_t vd;
static audio_guest_t guest;
static struct {
    audio_params_t params;
    unsigned prepares, starts, stops, releases, updates, frees;
    bool running, refuse;
    uint32_t delay;
    uint8_t *at_stop; /* a frame that the clock still moves when it is stopped; NULL: none */
} card[AUDIO_STREAMS_MAX + 1]; /* the last one counts for all */
static uint64_t in, out, event_mem;
static uint32_t out_len;

#define ALL card[AUDIO_STREAMS_MAX]

static void card_attach(void *opaque, const audio_guest_t *who)
{
    (void)opaque;
    guest = *who;
}

static bool card_prepare(void *opaque, unsigned stream, const audio_params_t *params)
{
    (void)opaque;
    CHECK(!card[stream].running);
    CHECK(params->rate >= AUDIO_RATE_MIN && params->rate <= AUDIO_RATE_MAX && params->channels &&
          params->channels <= 2 && params->period && params->buffer >= params->period &&
          params->format <= AUDIO_FLOAT && params->capture == (stream == IN));
    card[stream].params = *params;
    card[stream].prepares++;
    return !card[stream].refuse;
}

static void card_start(void *opaque, unsigned stream)
{
    (void)opaque;
    CHECK(!card[stream].running);
    card[stream].starts++;
    card[stream].running = true;
}

static void card_stop(void *opaque, unsigned stream)
{
    (void)opaque;
    card[stream].stops++;
    if (card[stream].at_stop && card[stream].running) {
        CHECK_EQ(1, stream == IN ? guest.push(guest.opaque, stream, card[stream].at_stop, 1)
                                 : guest.pull(guest.opaque, stream, card[stream].at_stop, 1));
    }
    card[stream].running = false;
}

static void card_release(void *opaque, unsigned stream)
{
    (void)opaque;
    CHECK(!card[stream].running);
    card[stream].releases++;
}

static uint32_t card_delay(void *opaque, unsigned stream)
{
    (void)opaque;
    return card[stream].delay;
}

static void card_update(void *opaque)
{
    (void)opaque;
    ALL.updates++;
}

static void card_free(void *opaque)
{
    (void)opaque;
    ALL.frees++;
}

static const audio_host_t host = {.attach = card_attach,
                                  .prepare = card_prepare,
                                  .start = card_start,
                                  .stop = card_stop,
                                  .release = card_release,
                                  .delay = card_delay,
                                  .update = card_update,
                                  .free = card_free};

static void up_with(uint64_t features, unsigned flags)
{
    virtio_desc_t desc;
    memset(card, 0, sizeof(card));
    vd_machine(&vd);
    CHECK(virtio_snd_describe(&desc, 2, 1, &host));
    CHECK(vd_attach(&vd, &desc, flags));
    CHECK(vd_start(&vd, features));
    in = vd_alloc(&vd, 64);
    out = vd_alloc(&vd, 1024);
    event_mem = vd_alloc(&vd, 64);
}

static void up(void)
{
    up_with(V1, 0);
}

/* A control request of words; returns the status. */
static uint32_t send_words(const uint32_t *words, unsigned count, uint32_t room)
{
    const vd_buf_t buf[2] = {{in, 4 * count, false}, {out, room, true}};
    for (unsigned i = 0; i < count; i++) {
        vd_put32(&vd, in + 4 * i, words[i]);
    }
    memset(vd_ptr(&vd, out), 0xEE, 1024);
    CHECK(vd_request(&vd, CONTROL, buf, 2, &out_len));
    return vd_get32(&vd, out);
}

#define SEND(...)                                                                                  \
    send_words((const uint32_t[]){__VA_ARGS__}, sizeof((const uint32_t[]){__VA_ARGS__}) / 4, 1024)

static uint32_t set_params(unsigned stream, uint32_t buffer, uint32_t period, uint32_t features,
                           unsigned channels, unsigned format, unsigned rate)
{
    return SEND(SET_PARAMS, stream, buffer, period, features, channels | format << 8 | rate << 16);
}

/* A stream of 48 kHz, two channels, 16 bits: frames of four bytes. */
static void prepare(unsigned stream)
{
    CHECK_EQ(OK, set_params(stream, 4096, 1024, 1 << 4, 2, S16, RATE_48000));
    CHECK_EQ(OK, SEND(PREPARE, stream));
}

/* A message with so many bytes of sound, numbered on; returns its address: header, status, sound.
 */
static uint64_t message(unsigned stream, uint32_t bytes, uint8_t first)
{
    uint64_t addr = vd_alloc(&vd, 16 + bytes);
    bool capture = stream == IN;
    const vd_buf_t play[3] = {{addr, 4, false}, {addr + 16, bytes, false}, {addr + 4, 8, true}};
    const vd_buf_t record[3] = {{addr, 4, false}, {addr + 16, bytes, true}, {addr + 4, 8, true}};
    vd_put32(&vd, addr, stream);
    for (uint32_t i = 0; i < bytes; i++) {
        ((uint8_t *)vd_ptr(&vd, addr + 16))[i] = capture ? 0xAA : (uint8_t)(first + i);
    }
    vd_add(&vd, capture ? RX : TX, capture ? record : play, 3);
    vd_kick(&vd, capture ? RX : TX);
    return addr;
}

/* The next message that came back. */
static bool used(unsigned queue, uint32_t *len)
{
    uint16_t id;
    return vd_used(&vd, queue, &id, len);
}

static void offer_event(void)
{
    const vd_buf_t buf = {event_mem, 8, true};
    vd_add(&vd, EVENT, &buf, 1);
    vd_kick(&vd, EVENT);
}

TEST(identity)
{
    uint8_t config[12];
    up();
    CHECK_EQ(25, vd_read(&vd, VD_DEVICE_ID));
    CHECK_EQ(0, vd_offered(&vd) & 0xFFFFFF);
    vd_config_read(&vd, 0, config, 12, 4);
    CHECK_EQ(3, read_uint32_le_m(config));
    CHECK_EQ(3, read_uint32_le_m(config + 4));
    CHECK_EQ(6, read_uint32_le_m(config + 8));
    vd_update(&vd);
    CHECK_EQ(1, ALL.updates);
    vd_close(&vd);
    CHECK_EQ(1, ALL.frees);
}

TEST(descriptions)
{
    const uint8_t *p;
    up();
    CHECK_EQ(OK, SEND(PCM_INFO, 1, 2, 32));
    CHECK_EQ(4 + 64, out_len);
    p = vd_ptr(&vd, out + 4);
    CHECK(read_uint32_le_m(p) == 1 && read_uint32_le_m(p + 4) == 16);
    CHECK_EQ(0xA0030, read_uint64_le_m(p + 8));
    CHECK_EQ(0x3FFF, read_uint64_le_m(p + 16));
    CHECK(p[24] == 0 && p[25] == 1 && p[26] == 2);
    CHECK(read_uint32_le_m(p + 32) == 0 &&
          p[32 + 24] == 1); /* the one that records, beside the first */
    CHECK_EQ(OK, SEND(JACK_INFO, 0, 3, 24));
    CHECK_EQ(4 + 72, out_len);
    p = vd_ptr(&vd, out + 4);
    CHECK(p[16] == 1 && read_uint32_le_m(p + 4) == 0);
    CHECK_EQ(OK, SEND(CHMAP_INFO, 4, 2, 40)); /* with room for more than we know */
    CHECK_EQ(4 + 80, out_len);
    p = vd_ptr(&vd, out + 4);
    CHECK(p[4] == 1 && p[5] == 1 && p[6] == 2);
    CHECK(p[40 + 4] == 1 && p[40 + 5] == 2 && p[40 + 6] == 3 && p[40 + 7] == 4 && !p[40 + 24]);
    CHECK_EQ(OK, SEND(PCM_INFO, 3, 0, 32));
    vd_close(&vd);
}

TEST(query_mistakes)
{
    static const uint32_t query[4] = {PCM_INFO, 0, 3, 32};
    up();
    CHECK_EQ(BAD_MSG, SEND(PCM_INFO, 0, 4, 32));
    CHECK_EQ(4, out_len);
    CHECK_EQ(BAD_MSG, SEND(PCM_INFO, 0xFFFFFFFF, 2, 32));
    CHECK_EQ(BAD_MSG, SEND(PCM_INFO, 1, 0xFFFFFFFF, 32));
    CHECK_EQ(BAD_MSG, SEND(PCM_INFO, 0, 3, 31));
    CHECK_EQ(BAD_MSG, SEND(PCM_INFO, 0, 3, 0x10000000));
    CHECK_EQ(BAD_MSG, SEND(PCM_INFO, 0, 3));
    CHECK_EQ(BAD_MSG, send_words(query, 4, 4 + 95));
    CHECK_EQ(4, out_len);
    CHECK_EQ(NOT_SUPP, SEND(2, 0, 0, 0)); /* JACK_REMAP */
    CHECK_EQ(NOT_SUPP, SEND(0xFFFF));
    CHECK_EQ(NOT_SUPP, SEND(0));
    vd_close(&vd);
}

TEST(parameters)
{
    up();
    CHECK_EQ(OK, set_params(OUT, 4096, 1024, 0, 2, S16, RATE_48000));
    CHECK_EQ(0, card[OUT].prepares);
    CHECK_EQ(OK, SEND(PREPARE, OUT));
    const audio_params_t *p = &card[OUT].params;
    CHECK(!p->capture && p->format == AUDIO_S16 && p->rate == 48000 && p->channels == 2 &&
          p->period == 256 && p->buffer == 1024);
    CHECK_EQ(OK, set_params(IN, 1000, 10, 16, 1, 4, 13));
    CHECK_EQ(OK, SEND(PREPARE, IN));
    p = &card[IN].params;
    CHECK(p->capture && p->format == AUDIO_U8 && p->rate == 384000 && p->channels == 1 &&
          p->period == 10);
    CHECK_EQ(NOT_SUPP, set_params(OUT, 4096, 1024, 0, 0, S16, RATE_48000));
    CHECK_EQ(NOT_SUPP, set_params(OUT, 4096, 1024, 0, 3, S16, RATE_48000));
    CHECK_EQ(NOT_SUPP, set_params(OUT, 4096, 1024, 0, 2, 6, RATE_48000));
    CHECK_EQ(NOT_SUPP, set_params(OUT, 4096, 1024, 0, 2, S16, 14));
    CHECK_EQ(NOT_SUPP, set_params(OUT, 4096, 1024, 1, 2, S16, RATE_48000));
    CHECK_EQ(BAD_MSG, set_params(OUT, 4096, 1000, 0, 2, S16, RATE_48000));
    CHECK_EQ(BAD_MSG, set_params(OUT, 4088, 1022, 0, 2, S16, RATE_48000));
    CHECK_EQ(BAD_MSG, set_params(OUT, 4096, 0, 0, 2, S16, RATE_48000));
    CHECK_EQ(BAD_MSG, set_params(OUT, 0, 1024, 0, 2, S16, RATE_48000));
    CHECK_EQ(BAD_MSG, set_params(3, 4096, 1024, 0, 2, S16, RATE_48000));
    CHECK_EQ(BAD_MSG, SEND(SET_PARAMS, 0, 4096, 1024, 0));
    vd_close(&vd);
}

TEST(states)
{
    up();
    CHECK_EQ(BAD_MSG, SEND(PREPARE, OUT)); /* nothing is set yet */
    CHECK_EQ(BAD_MSG, SEND(START, OUT));
    CHECK_EQ(BAD_MSG, SEND(STOP, OUT));
    CHECK_EQ(BAD_MSG, SEND(RELEASE, OUT));
    prepare(OUT);
    CHECK_EQ(BAD_MSG, SEND(STOP, OUT));
    CHECK_EQ(OK, SEND(PREPARE, OUT));
    CHECK_EQ(OK, SEND(START, OUT));
    CHECK(card[OUT].running);
    CHECK_EQ(BAD_MSG, SEND(START, OUT));
    CHECK_EQ(BAD_MSG, SEND(PREPARE, OUT));
    CHECK_EQ(BAD_MSG, SEND(RELEASE, OUT));
    CHECK_EQ(BAD_MSG, set_params(OUT, 4096, 1024, 0, 2, S16, RATE_48000));
    CHECK_EQ(OK, SEND(STOP, OUT));
    CHECK(!card[OUT].running && card[OUT].stops >= 1);
    CHECK_EQ(OK, SEND(START, OUT));
    CHECK_EQ(OK, SEND(STOP, OUT));
    CHECK_EQ(OK, SEND(RELEASE, OUT));
    CHECK_EQ(1, card[OUT].releases);
    CHECK_EQ(BAD_MSG, SEND(RELEASE, OUT));
    CHECK_EQ(BAD_MSG, SEND(START, OUT));
    CHECK_EQ(OK, SEND(PREPARE, OUT));
    CHECK_EQ(BAD_MSG, SEND(START, 3));
    CHECK_EQ(BAD_MSG, SEND(START));
    CHECK_EQ(0, card[1].prepares);
    card[OUT].refuse = true;
    CHECK_EQ(IO_ERR, SEND(PREPARE, OUT));
    vd_close(&vd);
}

static void play(uint64_t features, unsigned flags)
{
    uint8_t heard[64];
    uint32_t len;
    up_with(features, flags);
    prepare(OUT);
    uint64_t a = message(OUT, 16, 0), b = message(OUT, 24, 16);
    CHECK_EQ(OK, SEND(START, OUT));
    card[OUT].delay = 100;
    CHECK_EQ(3, guest.pull(guest.opaque, OUT, heard, 3));
    CHECK(!used(TX, &len)); /* not all of the first is through */
    CHECK_EQ(2, guest.pull(guest.opaque, OUT, heard + 12, 2));
    CHECK(used(TX, &len) && len == 8 && !used(TX, &len));
    CHECK(vd_get32(&vd, a + 4) == OK && vd_get32(&vd, a + 8) == 400);
    CHECK(vd_irq(&vd));
    CHECK_EQ(5, guest.pull(guest.opaque, OUT, heard + 20, 10));
    CHECK(used(TX, &len) && vd_get32(&vd, b + 4) == OK);
    for (unsigned i = 0; i < 40; i++) {
        CHECK_EQ(i, heard[i]);
    }
    vd_close(&vd);
}

TEST(playing)
{
    play(V1, 0);
}

TEST(playing_packed)
{
    play(V1 | VIRTIO_F_RING_PACKED, 0);
}

TEST(playing_legacy)
{
    play(0, VIRTIO_MMIO_LEGACY);
}

TEST(recording)
{
    uint8_t sound[64];
    uint32_t len;
    up();
    for (unsigned i = 0; i < sizeof(sound); i++) {
        sound[i] = (uint8_t)(i + 1);
    }
    prepare(IN);
    uint64_t a = message(IN, 16, 0), b = message(IN, 16, 0);
    CHECK_EQ(OK, SEND(START, IN));
    CHECK_EQ(3, guest.push(guest.opaque, IN, sound, 3));
    CHECK(!used(RX, &len));
    CHECK_EQ(5, guest.push(guest.opaque, IN, sound + 12, 9)); /* there is no room for more */
    CHECK(used(RX, &len) && len == 24 && used(RX, &len) && len == 24);
    CHECK(vd_get32(&vd, a + 4) == OK && vd_get32(&vd, b + 4) == OK);
    CHECK(!memcmp(vd_ptr(&vd, a + 16), sound, 16) && !memcmp(vd_ptr(&vd, b + 16), sound + 16, 16));
    vd_close(&vd);
}

TEST(release)
{
    uint32_t len;
    uint8_t sound[8] = {1, 2, 3, 4};
    up();
    prepare(OUT);
    prepare(IN);
    uint64_t a = message(OUT, 16, 0), b = message(IN, 16, 0);
    CHECK_EQ(OK, SEND(START, IN));
    CHECK_EQ(1, guest.push(guest.opaque, IN, sound, 1));
    CHECK_EQ(OK, SEND(STOP, IN));
    CHECK(!used(TX, &len) && !used(RX, &len));
    CHECK_EQ(OK, SEND(RELEASE, OUT));
    CHECK(used(TX, &len) && vd_get32(&vd, a + 4) == OK);
    CHECK_EQ(OK, SEND(RELEASE, IN));
    CHECK(used(RX, &len) && vd_get32(&vd, b + 4) == OK);
    a = message(OUT, 16, 0);
    CHECK(used(TX, &len) && vd_get32(&vd, a + 4) == IO_ERR);
    vd_close(&vd);
}

TEST(message_mistakes)
{
    uint32_t len = 9;
    uint8_t heard[64];
    up();
    prepare(OUT);
    prepare(IN);
    uint64_t a = message(7, 16, 0);
    CHECK(used(TX, &len) && vd_get32(&vd, a + 4) == BAD_MSG);
    a = vd_alloc(&vd, 64);
    vd_put32(&vd, a, IN); /* a stream that records, in the queue of those that play */
    const vd_buf_t wrong[3] = {{a, 4, false}, {a + 16, 16, false}, {a + 4, 8, true}};
    vd_add(&vd, TX, wrong, 3);
    vd_kick(&vd, TX);
    CHECK(used(TX, &len) && vd_get32(&vd, a + 4) == BAD_MSG);
    const vd_buf_t tiny = {a, 3, false}, deaf[2] = {{a, 4, false}, {a + 4, 7, true}};
    vd_add(&vd, TX, &tiny, 1);
    vd_kick(&vd, TX);
    CHECK(used(TX, &len) && len == 0);
    vd_put32(&vd, a, OUT);
    vd_add(&vd, TX, deaf, 2); /* no sound, and no room for a status */
    vd_kick(&vd, TX);
    CHECK_EQ(OK, SEND(START, OUT));
    CHECK_EQ(0, guest.pull(guest.opaque, OUT, heard, 4));
    CHECK(used(TX, &len) && len == 0);
    vd_put32(&vd, a, IN);
    vd_add(&vd, RX, deaf, 2);
    vd_kick(&vd, RX);
    CHECK_EQ(OK, SEND(START, IN));
    CHECK_EQ(0, guest.push(guest.opaque, IN, heard, 4));
    CHECK(used(RX, &len) && len == 0);
    CHECK(!vd_broken(&vd));
    vd_close(&vd);
}

TEST(xruns)
{
    uint8_t heard[64];
    uint32_t len;
    up();
    prepare(OUT);
    offer_event();
    message(OUT, 16, 0);
    CHECK_EQ(OK, SEND(START, OUT));
    CHECK_EQ(4, guest.pull(guest.opaque, OUT, heard, 8)); /* late, but not silent yet */
    CHECK(!used(EVENT, &len));
    CHECK_EQ(0, guest.pull(guest.opaque, OUT, heard, 8));
    CHECK(used(EVENT, &len) && len == 8 && vd_get32(&vd, event_mem) == XRUN &&
          vd_get32(&vd, event_mem + 4) == OUT);
    offer_event();
    CHECK_EQ(0, guest.pull(guest.opaque, OUT, heard, 8)); /* told already */
    CHECK(!used(EVENT, &len));
    message(OUT, 16, 0);
    CHECK_EQ(4, guest.pull(guest.opaque, OUT, heard, 8));
    CHECK_EQ(0, guest.pull(guest.opaque, OUT, heard, 8));
    CHECK(used(EVENT, &len));
    CHECK_EQ(OK, SEND(STOP, OUT));
    CHECK_EQ(
        OK, set_params(OUT, 4096, 1024, 0, 2, S16, RATE_48000)); /* does not want to hear of them */
    CHECK_EQ(OK, SEND(PREPARE, OUT));
    CHECK_EQ(OK, SEND(START, OUT));
    offer_event();
    CHECK_EQ(0, guest.pull(guest.opaque, OUT, heard, 8));
    CHECK(!used(EVENT, &len));
    prepare(IN);
    CHECK_EQ(OK, SEND(START, IN));
    CHECK_EQ(0, guest.push(guest.opaque, IN, heard, 8));
    CHECK(used(EVENT, &len) && vd_get32(&vd, event_mem + 4) == IN);
    vd_close(&vd);
}

TEST(reset)
{
    uint8_t heard[64];
    up();
    prepare(OUT);
    prepare(1);
    message(OUT, 16, 0);
    CHECK_EQ(OK, SEND(START, OUT));
    CHECK(vd_start(&vd, V1));
    CHECK(!card[OUT].running && card[OUT].releases == 1 && card[1].releases == 1);
    CHECK_EQ(BAD_MSG, SEND(PREPARE, OUT));
    prepare(OUT);
    CHECK_EQ(OK, SEND(START, OUT));
    CHECK_EQ(0, guest.pull(guest.opaque, OUT, heard, 4)); /* what waited is gone */
    vd_close(&vd);
    CHECK(!card[OUT].running && ALL.frees == 1);
}

TEST(too_many_streams)
{
    virtio_desc_t desc;
    memset(card, 0, sizeof(card));
    CHECK(!virtio_snd_describe(&desc, 0, 0, &host));
    CHECK(!virtio_snd_describe(&desc, AUDIO_STREAMS_MAX, 1, &host));
    CHECK(!virtio_snd_describe(&desc, UINT32_MAX, 2, &host));
    CHECK_EQ(3, ALL.frees);
}

#ifdef RVVM_COMPAT_RVKIT
/* A stream that runs goes on in another machine, at the frame where it was. */
TEST(snapshot)
{
    static vd_t old;
    uint8_t heard[64];
    up();
    prepare(OUT);
    message(OUT, 32, 0);
    message(OUT, 32, 32);
    CHECK_EQ(OK, SEND(START, OUT));
    CHECK_EQ(2, guest.pull(guest.opaque, OUT, heard, 2));
    card[OUT].at_stop = heard + 8; /* it is not played twice */
    rvvm_blk_dev_t *blk = rvkit_blk_open_memory();
    rvvm_snapshot_t *snap = rvvm_snapshot_open(blk, true);
    CHECK(rvkit_snapshot_devices(vd.machine, snap, false));
    CHECK(rvvm_snapshot_close(snap));
    CHECK(!card[OUT].running && read_uint32_le_m(heard + 8) == 0x0B0A0908);
    old = vd;
    up();
    memcpy(vd_ptr(&vd, RVVM_DEFAULT_MEMBASE), vd_ptr(&old, RVVM_DEFAULT_MEMBASE), VD_RAM);
    snap = rvvm_snapshot_open(blk, false);
    CHECK(rvkit_snapshot_devices(vd.machine, snap, true));
    CHECK(rvvm_snapshot_close(snap));
    rvvm_blk_close(blk);
    CHECK(card[OUT].prepares == 1 && card[OUT].params.rate == 48000 && !card[OUT].params.capture);
    vd_update(&vd);
    CHECK(card[OUT].running);
    CHECK_EQ(13, guest.pull(guest.opaque, OUT, heard, 16));
    for (unsigned i = 0; i < 13 * 4; i++) {
        CHECK_EQ(12 + i, heard[i]);
    }
    vd_close(&vd);
    vd_close(&old);
}

/* What was recorded before stays; a machine that is not told to go on does so when it is reset. */
TEST(snapshot_recording)
{
    static vd_t old;
    uint8_t sound[32];
    uint32_t len;
    for (unsigned i = 0; i < sizeof(sound); i++) {
        sound[i] = (uint8_t)(i + 1);
    }
    up();
    prepare(IN);
    uint64_t a = message(IN, 32, 0);
    CHECK_EQ(OK, SEND(START, IN));
    CHECK_EQ(3, guest.push(guest.opaque, IN, sound, 3));
    rvvm_blk_dev_t *blk = rvkit_blk_open_memory();
    rvvm_snapshot_t *snap = rvvm_snapshot_open(blk, true);
    CHECK(rvkit_snapshot_devices(vd.machine, snap, false));
    CHECK(rvvm_snapshot_close(snap));
    old = vd;
    up();
    CHECK(rvkit_snapshot_devices(vd.machine, NULL, false)); /* it pauses, and reads */
    memcpy(vd_ptr(&vd, RVVM_DEFAULT_MEMBASE), vd_ptr(&old, RVVM_DEFAULT_MEMBASE), VD_RAM);
    memcpy(vd.queue, old.queue, sizeof(vd.queue));
    snap = rvvm_snapshot_open(blk, false);
    CHECK(rvkit_snapshot_devices(vd.machine, snap, true));
    CHECK(rvvm_snapshot_close(snap));
    rvvm_blk_close(blk);
    vd_update(&vd);
    CHECK(card[IN].running);
    CHECK_EQ(5, guest.push(guest.opaque, IN, sound + 12, 9));
    CHECK(used(RX, &len) && len == 40 && vd_get32(&vd, a + 4) == OK);
    CHECK(!memcmp(vd_ptr(&vd, a + 16), sound, 32));
    vd_close(&vd);
    vd_close(&old);
}

/* In one machine, that pauses and goes on: all of it, once and in order. */
TEST(pause)
{
    uint8_t heard[64];
    up();
    prepare(OUT);
    message(OUT, 24, 0);
    message(OUT, 32, 24);
    CHECK_EQ(OK, SEND(START, OUT));
    CHECK_EQ(2, guest.pull(guest.opaque, OUT, heard, 2));
    card[OUT].at_stop = heard + 8;
    CHECK(rvkit_snapshot_devices(vd.machine, NULL, false));
    CHECK(!card[OUT].running);
    CHECK_EQ(0, guest.pull(guest.opaque, OUT, heard + 12, 4)); /* the queues stand still */
    CHECK(rvkit_snapshot_devices(vd.machine, NULL, true));
    vd_update(&vd);
    CHECK(card[OUT].running);
    CHECK_EQ(11, guest.pull(guest.opaque, OUT, heard + 12, 12));
    for (unsigned i = 0; i < 14 * 4; i++) {
        CHECK_EQ(i, heard[i]);
    }
    card[OUT].at_stop = NULL;
    vd_close(&vd);
}

TEST(damaged_snapshots)
{
    up();
    prepare(OUT);
    prepare(IN);
    message(OUT, 32, 0);
    message(IN, 32, 0);
    CHECK_EQ(OK, SEND(START, OUT));
    damage_snapshots(&vd);
    CHECK(vd_start(&vd, V1));
    prepare(OUT);
    vd_close(&vd);
}
#endif

int main(void)
{
    PROVE(identity, "5.14.1-4: device id 25; jacks, streams, channel maps");
    PROVE(descriptions, "5.14.6.3: streams, jacks and channel maps describe themselves");
    PROVE(query_mistakes,
          "5.14.6.3: items that are not there, sizes that are none, unknown requests");
    PROVE(parameters, "5.14.6.6.3: formats, rates and channels; what does not fit is refused");
    PROVE(states, "5.14.6.6.1: set, prepare, start, stop, release, in their order");
    PROVE(playing,
          "5.14.6.8: messages are used when they are heard, with the latency (split ring)");
    PROVE(playing_packed, "5.14.6.8: the same (packed ring)");
    PROVE(playing_legacy, "5.14.6.8: the same (legacy interface)");
    PROVE(recording, "5.14.6.8: messages are used when they are full");
    PROVE(release, "5.14.6.6.5: a release uses all messages; later ones are errors");
    PROVE(message_mistakes, "5.14.6.8: messages for no stream, or without room");
    PROVE(xruns, "5.14.6.7: an xrun is told once, to those who want to know");
    PROVE(reset, "a reset ends streams and forgets messages");
    PROVE(too_many_streams, "one to eight streams; the back end is freed once");
#ifdef RVVM_COMPAT_RVKIT
    PROVE(snapshot, "a snapshot keeps streams, and the frame where they are");
    PROVE(snapshot_recording, "and what was recorded of a message");
    PROVE(pause, "a pause plays nothing twice and loses nothing");
    PROVE(damaged_snapshots, "what a damaged snapshot says is checked");
#endif
    return rig_finish("virtio-snd");
}
