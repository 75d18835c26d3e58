/* SPDX-License-Identifier: MPL-2.0 */
/* libFuzzer target: a guest that does its worst to a sound device, whose back end is called in
 * order and gets no more than it asks for. */
#include "devices/virtio_snd.h"
#include "stream_rig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { STREAMS = 3, FRAMES = 64 };

typedef struct {
    audio_guest_t guest;
    unsigned frees;
    struct {
        audio_params_t params;
        bool prepared, running;
    } stream[STREAMS];
} card_t;

static void card_attach(void *opaque, const audio_guest_t *guest)
{
    ((card_t *)opaque)->guest = *guest;
}

static bool card_prepare(void *opaque, unsigned stream, const audio_params_t *params)
{
    card_t *card = opaque;
    if (stream >= STREAMS || card->stream[stream].running || !params->channels ||
        params->channels > 2 || params->rate < AUDIO_RATE_MIN || params->rate > AUDIO_RATE_MAX ||
        !params->period || params->buffer < params->period || params->capture != (stream == 2)) {
        abort();
    }
    card->stream[stream].params = *params;
    card->stream[stream].prepared = true;
    return true;
}

static void card_start(void *opaque, unsigned stream)
{
    card_t *card = opaque;
    if (stream >= STREAMS || !card->stream[stream].prepared || card->stream[stream].running) {
        abort();
    }
    card->stream[stream].running = true;
}

static void card_stop(void *opaque, unsigned stream)
{
    ((card_t *)opaque)->stream[stream].running = false;
}

static void card_release(void *opaque, unsigned stream)
{
    card_t *card = opaque;
    if (stream >= STREAMS || !card->stream[stream].prepared || card->stream[stream].running) {
        abort();
    }
    card->stream[stream].prepared = false;
}

static uint32_t card_delay(void *opaque, unsigned stream)
{
    (void)opaque;
    return stream;
}

static void card_update(void *opaque)
{
    (void)opaque;
}

static void card_free(void *opaque)
{
    ((card_t *)opaque)->frees++;
}

static void clock_runs(card_t *card, unsigned stream, unsigned frames)
{
    size_t size = audio_frame_size(&card->stream[stream].params), moved;
    frames %= FRAMES + 1;
    uint8_t *bytes = calloc(1, frames * size + 1);
    if (!bytes || !card->stream[stream].running) {
        free(bytes);
        return;
    }
    moved = stream == 2 ? card->guest.push(card->guest.opaque, stream, bytes, frames)
                        : card->guest.pull(card->guest.opaque, stream, bytes, frames);
    free(bytes);
    if (moved > frames) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static vd_t vd;
    static card_t card;
    const audio_host_t host = {&card,        card_attach, card_prepare, card_start, card_stop,
                               card_release, card_delay,  card_update,  card_free};
    rig_t in = {.data = data, .size = size};
    virtio_desc_t desc;
    rvvm_set_loglevel(0);
    memset(&card, 0, sizeof(card));
    if (!virtio_snd_describe(&desc, 2, 1, &host)) {
        return 0;
    }
    if (rig_start(&vd, &in, &desc)) {
        while (in.size) {
            unsigned op = rig_next(&in), what = rig_next(&in);
            uint8_t request[24] = {(uint8_t)(what & 7), (uint8_t)(what >> 3 & 3), 0, 0,
                                   (uint8_t)(what >> 5)};
            const uint8_t stream[4] = {(uint8_t)(what & 3)};
            switch (op % 8) {
            case 0:
                rig_common(&vd, &in, 4);
                break;
            case 1:
                clock_runs(&card, what % STREAMS, what >> 2);
                break;
            case 2:
                rig_chain(&vd, what & 1 ? 2 : 3, &in, stream, 4);
                break;
            case 3: /* parameters that make sense */
                request[0] = 1;
                request[1] = 1;
                request[9] = (uint8_t)(1 + (op >> 4));
                request[13] = 1;
                request[16] = op & 8 ? 16 : 0;
                request[20] = (uint8_t)(1 + (what & 1));
                request[21] = what & 2 ? 5 : 19;
                request[22] = (uint8_t)(what >> 2 & 15);
                rig_chain(&vd, 0, &in, request, 24);
                break;
            case 4:
                rig_chain(&vd, 1, &in, NULL, 0);
                break;
            default:
                request[1] = op & 0x80 ? request[1] : 1;
                rig_chain(&vd, 0, &in, request, 8);
                break;
            }
            rig_reclaim(&vd);
        }
    }
    vd_close(&vd);
    if (card.frees != 1) {
        abort();
    }
    return 0;
}
