/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A device kind for testing queues and transports: it echoes, or holds chains until the test completes
 * them, and counts what it is called for.
 */
#ifndef RVKIT_TESTS_DEVICE_VIRTIO_PROBE_H
#define RVKIT_TESTS_DEVICE_VIRTIO_PROBE_H

#include "virtio_driver.h"

enum { PROBE_QUEUES = 3, PROBE_SIZE = 64, PROBE_CONFIG = 24, PROBE_HELD = 4096, PROBE_SHM = 8192 };

typedef struct {
    virtio_dev_t *dev;
    bool hold;                 /* keep chains in held[] */
    bool deaf;                 /* pop nothing */
    uint64_t refuse;           /* features_ok refuses these */
    virtq_chain_t *held[PROBE_HELD];
    unsigned holds;
    unsigned notifies[PROBE_QUEUES], readies, resets, queue_resets, updates, removes, binds, releases;
    size_t config_offset, config_len;
    unsigned config_writes;
    uint32_t state; /* goes into snapshots */
    unsigned quiets, goes_on;
} probe_t;

static inline void probe_bind(void *data, virtio_dev_t *dev)
{
    probe_t *probe = data;
    probe->dev = dev;
    probe->binds++;
}

static inline void probe_remove(void *data)
{
    ((probe_t *)data)->removes++;
}

static inline size_t probe_echo_chain(virtq_chain_t *chain)
{
    uint8_t buf[100];
    size_t got, total = 0;
    while ((got = virtq_read(chain, buf, sizeof(buf))) && virtq_writable_left(chain)) {
        total += virtq_write(chain, buf, got);
    }
    return total;
}

static inline void probe_notify(void *data, unsigned queue)
{
    probe_t *probe = data;
    virtq_t *vq = virtio_queue(probe->dev, queue);
    virtq_chain_t *chain;
    probe->notifies[queue]++;
    while (!probe->deaf && (chain = virtq_pop(vq))) {
        if (probe->hold && probe->holds < PROBE_HELD) {
            probe->held[probe->holds++] = chain;
        } else {
            virtq_push(chain, probe_echo_chain(chain));
        }
    }
    virtq_notify(vq);
}

static inline bool probe_features_ok(void *data, uint64_t features)
{
    return !(((probe_t *)data)->refuse & features);
}

static inline void probe_ready(void *data)
{
    ((probe_t *)data)->readies++;
}

static inline void probe_config_written(void *data, size_t offset, size_t len)
{
    probe_t *probe = data;
    probe->config_offset = offset;
    probe->config_len = len;
    probe->config_writes++;
}

static inline void probe_reset(void *data)
{
    ((probe_t *)data)->resets++;
}

static inline void probe_queue_reset(void *data, unsigned queue)
{
    (void)queue;
    ((probe_t *)data)->queue_resets++;
}

static inline void probe_update(void *data)
{
    ((probe_t *)data)->updates++;
}

static inline void probe_suspend(void *data, rvvm_snapshot_t *snap, bool resume)
{
    probe_t *probe = data;
    probe->quiets += !resume;
    probe->goes_on += resume;
    if (snap) {
        rvvm_snapshot_field(snap, probe->state);
    }
}

static const virtio_type_t probe_type = {
    .name = "virtio-probe",
    .bind = probe_bind,
    .remove = probe_remove,
    .notify = probe_notify,
    .features_ok = probe_features_ok,
    .ready = probe_ready,
    .config_written = probe_config_written,
    .reset = probe_reset,
    .queue_reset = probe_queue_reset,
    .update = probe_update,
    .suspend = probe_suspend,
};

static inline virtio_desc_t probe_desc(probe_t *probe)
{
    static const uint8_t config[PROBE_CONFIG] = {1, 2, 3, 4, 5, 6, 7, 8};
    return (virtio_desc_t){
        .type = &probe_type,
        .data = probe,
        .id = 42,
        .features = VIRTIO_BIT(0) | VIRTIO_BIT(5) | VIRTIO_BIT(50),
        .queues = PROBE_QUEUES,
        .queue_size = {PROBE_SIZE, PROBE_SIZE, 1024},
        .config_size = PROBE_CONFIG,
        .config = config,
    };
}

/* A machine with a probe on it. */
static inline void probe_up(vd_t *vd, probe_t *probe, unsigned flags)
{
    memset(probe, 0, sizeof(*probe));
    vd_machine(vd);
    const virtio_desc_t desc = probe_desc(probe);
    CHECK(vd_attach(vd, &desc, flags));
}

static inline void probe_down(vd_t *vd, probe_t *probe)
{
    vd_close(vd);
    CHECK_EQ(1, probe->removes);
}

/* Completes held chain i with `len` bytes; true when it was still live. */
static inline bool probe_complete(probe_t *probe, unsigned i, size_t len)
{
    virtq_t *vq = virtq_of(probe->held[i]);
    bool live = virtq_push(probe->held[i], len);
    probe->held[i] = NULL;
    virtq_notify(vq);
    return live;
}

#endif
