/* SPDX-License-Identifier: MPL-2.0 */
/* The entropy device: VirtIO 1.2 §5.4. One queue; each writable buffer is filled with random bytes. */
#include "virtio_rng.h"

enum {
    RNG_QUEUE_SIZE = 64,
    RNG_PIECE = 256,          /* bytes asked of the source at a time */
    RNG_REQUEST_MAX = 1 << 16 /* a longer request is answered in part (§5.4.6.2 allows that) */
};

typedef struct {
    virtio_rng_source_t source;
    virtio_dev_t *dev;
    uint32_t starved; /* atomic: a request waits for the source */
} virtio_rng_t;

/* Fills a chain as far as the source goes. */
static void rng_fill(virtio_rng_t *rng, virtq_chain_t *chain)
{
    uint8_t piece[RNG_PIECE];
    while (virtq_written(chain) < RNG_REQUEST_MAX) {
        uint64_t left = virtq_writable_left(chain);
        size_t want = left < sizeof(piece) ? (size_t)left : sizeof(piece);
        size_t got = want ? rng->source.fill(rng->source.opaque, piece, want) : 0;
        got = got < want ? got : want;
        if (!got || virtq_write(chain, piece, got) < got || got < want) {
            break;
        }
    }
    memset(piece, 0, sizeof(piece));
}

/* §5.4.6.2: one or more random bytes go into a buffer; nothing yet means that it waits. */
static void rng_notify(void *data, unsigned queue)
{
    virtio_rng_t *rng = data;
    virtq_t *vq = virtio_queue(rng->dev, queue);
    virtq_chain_t *chain;
    while ((chain = virtq_pop(vq))) {
        rng_fill(rng, chain);
        uint64_t written = virtq_written(chain);
        if (!written && virtq_writable_left(chain) && virtq_live(chain)) {
            virtq_unpop(chain);
            __atomic_store_n(&rng->starved, 1, __ATOMIC_RELEASE);
            break;
        }
        virtq_push(chain, (size_t)written);
    }
    virtq_notify(vq);
}

static void rng_update(void *data)
{
    virtio_rng_t *rng = data;
    if (__atomic_exchange_n(&rng->starved, 0, __ATOMIC_ACQ_REL)) {
        virtio_kick(rng->dev, 0);
    }
}

static void rng_bind(void *data, virtio_dev_t *dev)
{
    ((virtio_rng_t *)data)->dev = dev;
}

static void rng_remove(void *data)
{
    virtio_rng_t *rng = data;
    if (rng->source.free) {
        rng->source.free(rng->source.opaque);
    }
    free(rng);
}

static const virtio_type_t rng_type = {
    .name = "virtio-rng",
    .bind = rng_bind,
    .remove = rng_remove,
    .notify = rng_notify,
    .update = rng_update,
};

bool virtio_rng_describe(virtio_desc_t *desc, const virtio_rng_source_t *source)
{
    virtio_rng_t *rng = calloc(1, sizeof(*rng));
    if (!rng) {
        if (source->free) {
            source->free(source->opaque);
        }
        return false;
    }
    rng->source = *source;
    *desc = (virtio_desc_t){
        .type = &rng_type,
        .data = rng,
        .id = VIRTIO_ID_ENTROPY,
        .queues = 1,
        .queue_size = {RNG_QUEUE_SIZE},
    };
    return true;
}
