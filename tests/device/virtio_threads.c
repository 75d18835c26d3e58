/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Queues under several threads at once: drivers on two harts, a back end that completes late, and resets in
 * between. Run it under ThreadSanitizer too.
 */
#include "virtio_probe.h"

#ifdef __EMSCRIPTEN__
int main(void)
{
    printf("1 passed, 0 failed\n"); /* there are no threads here */
    return 0;
}
#else
#include <pthread.h>
#include <sched.h>

#define V1 VIRTIO_F_VERSION_1

enum { REQUESTS = 4000, RESETS = 300, AREA = 13 * 1024 };

/* A device whose requests are completed by a thread of its own. */
typedef struct {
    probe_t probe; /* first: the callbacks of probe_type see it */
    spinlock_t lock;
    virtq_chain_t *list[PROBE_HELD];
    unsigned count;
    uint32_t quit, stale, done; /* atomic */
} late_t;

static void late_notify(void *data, unsigned queue)
{
    late_t *late = data;
    virtq_t *vq = virtio_queue(late->probe.dev, queue);
    virtq_chain_t *chain;
    while ((chain = virtq_pop(vq))) {
        spin_lock(&late->lock);
        late->list[late->count++] = chain;
        spin_unlock(&late->lock);
    }
}

static void late_complete(late_t *late, virtq_chain_t *chain)
{
    virtq_t *vq = virtq_of(chain);
    virtq_span_t in, out;
    if (virtq_begin(chain)) {
        while (virtq_next_readable(chain, SIZE_MAX, &in) && virtq_next_writable(chain, in.len, &out)) {
            memcpy(out.ptr, in.ptr, out.len);
        }
        virtq_end(chain);
    }
    bool live = virtq_push(chain, (size_t)virtq_written(chain));
    virtq_notify(vq);
    __atomic_fetch_add(live ? &late->done : &late->stale, 1, __ATOMIC_RELAXED);
}

static void *late_back_end(void *arg)
{
    late_t *late = arg;
    while (!__atomic_load_n(&late->quit, __ATOMIC_ACQUIRE)) {
        virtq_chain_t *chain = NULL;
        spin_lock(&late->lock);
        if (late->count) {
            chain = late->list[--late->count];
        }
        spin_unlock(&late->lock);
        if (chain) {
            late_complete(late, chain);
        } else {
            sched_yield();
        }
    }
    return NULL;
}

static const virtio_type_t late_type = {
    .name = "virtio-late",
    .bind = probe_bind,
    .remove = probe_remove,
    .notify = late_notify,
};

static vd_t vd;
static late_t late;
static pthread_t back_ends[2];

static void late_up(void)
{
    memset(&late, 0, sizeof(late));
    vd_machine(&vd);
    virtio_desc_t desc = probe_desc(&late.probe);
    desc.type = &late_type;
    desc.data = &late;
    CHECK(vd_attach(&vd, &desc, 0));
    for (unsigned i = 0; i < 2; i++) {
        CHECK(!pthread_create(&back_ends[i], NULL, late_back_end, &late));
    }
}

static void late_down(void)
{
    __atomic_store_n(&late.quit, 1, __ATOMIC_RELEASE);
    pthread_join(back_ends[0], NULL);
    pthread_join(back_ends[1], NULL);
    vd_close(&vd);
}

typedef struct {
    unsigned queue;
    uint64_t mem;
    unsigned bad;
} hart_t;

/* A driver on one queue: keeps some requests out, waits for interrupts, checks the echoes. */
static void *hart(void *arg)
{
    hart_t *hart = arg;
    vd_buf_t buf[2] = {{hart->mem, 64, false}, {hart->mem + 64, 64, true}};
    unsigned sent = 0, seen = 0, place[32], busy = 0;
    while (seen < REQUESTS) {
        uint16_t id = 0;
        uint32_t len = 0;
        while (sent < REQUESTS && sent - seen < 8) {
            unsigned at = 0;
            while (busy >> at & 1) {
                at++;
            }
            busy |= 1u << at;
            buf[1].addr = hart->mem + 64 * (1 + (uint64_t)at);
            place[vd_add(&vd, hart->queue, buf, 2)] = at;
            sent++;
            if (sent % 3 == 0 || sent == REQUESTS) {
                vd_kick(&vd, hart->queue);
            }
        }
        vd_kick(&vd, hart->queue);
        if (vd_used(&vd, hart->queue, &id, &len)) {
            hart->bad += len != 64;
            busy &= ~(1u << place[id]);
            seen++;
        } else {
            vd_want_irq(&vd, hart->queue, true);
            sched_yield();
        }
    }
    hart->bad += memcmp(vd_ptr(&vd, hart->mem), vd_ptr(&vd, hart->mem + 64), 64) != 0;
    return NULL;
}

static void traffic(uint64_t features)
{
    pthread_t threads[2];
    hart_t harts[2];
    late_up();
    CHECK(vd_start_sized(&vd, features, 32));
    for (unsigned i = 0; i < 2; i++) {
        harts[i] = (hart_t){i, vd_alloc(&vd, 1024), 0};
        memset(vd_ptr(&vd, harts[i].mem), (int)(0x41 + i), 64);
        CHECK(!pthread_create(&threads[i], NULL, hart, &harts[i]));
    }
    for (unsigned i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
        CHECK_EQ(0, harts[i].bad);
    }
    CHECK(!vd_broken(&vd));
    late_down();
    CHECK_EQ(2 * REQUESTS, late.done);
}

TEST(traffic_split)
{
    traffic(V1);
    traffic(V1 | VIRTIO_F_EVENT_IDX);
}

TEST(traffic_packed)
{
    traffic(V1 | VIRTIO_F_RING_PACKED | VIRTIO_F_EVENT_IDX);
}

/* After a reset the memory of the requests is the driver's again: nothing writes to it any more. */
TEST(resets)
{
    late_up();
    uint64_t mem = vd_alloc(&vd, AREA), heap = vd.heap;
    uint8_t *bytes = vd_ptr(&vd, mem);
    unsigned touched = 0;
    for (unsigned round = 0; round < RESETS; round++) {
        vd.heap = heap;
        memset(bytes, 0x11, AREA);
        CHECK(vd_start_sized(&vd, round % 2 ? V1 : V1 | VIRTIO_F_RING_PACKED, 32));
        for (unsigned i = 0; i < 12; i++) {
            const vd_buf_t buf[2] = {{mem, 1024, false}, {mem + 1024 * (1 + (uint64_t)i), 1024, true}};
            vd_add(&vd, 0, buf, 2);
            vd_kick(&vd, 0);
        }
        for (unsigned i = 0; i < round % 7; i++) {
            sched_yield();
        }
        vd_write(&vd, VD_STATUS, 0);
        memset(bytes, 0x22, AREA);
        sched_yield();
        for (unsigned i = 0; i < AREA; i++) {
            touched += bytes[i] != 0x22;
        }
        CHECK(!vd_irq(&vd));
    }
    CHECK_EQ(0, touched);
    late_down();
    printf("# %u requests done, %u discarded\n", late.done, late.stale);
}

/* Another hart resets while this one submits; nothing but staleness comes of it. */
static void *resetter(void *arg)
{
    for (unsigned i = 0; i < RESETS; i++) {
        vd_write(&vd, VD_STATUS, 0);
        vd_read(&vd, VD_STATUS);
        for (unsigned sel = 0; sel < 2; sel++) {
            vd_write(&vd, VD_DRIVER_FEATURES_SEL, sel);
            vd_write(&vd, VD_DRIVER_FEATURES, sel);
        }
        vd_write(&vd, VD_STATUS, 11);
        vd_write(&vd, VD_QUEUE_SEL, 0);
        vd_write(&vd, VD_QUEUE_NUM, 32);
        vd_write64(&vd, VD_QUEUE_DESC, vd.queue[0].desc);
        vd_write64(&vd, VD_QUEUE_DRIVER, vd.queue[0].driver);
        vd_write64(&vd, VD_QUEUE_DEVICE, vd.queue[0].device);
        vd_write(&vd, VD_QUEUE_READY, 1);
        vd_write(&vd, VD_STATUS, 15);
        sched_yield();
    }
    __atomic_store_n((uint32_t *)arg, 1, __ATOMIC_RELEASE);
    return NULL;
}

TEST(resets_and_notifies)
{
    uint32_t over = 0;
    pthread_t thread;
    late_up();
    CHECK(vd_start_sized(&vd, V1, 32));
    uint64_t mem = vd_alloc(&vd, 4096);
    for (unsigned i = 0; i < 32; i++) {
        vd_desc_put(&vd, vd.queue[0].desc, i, mem, 64, VD_F_WRITE, 0);
        vd_put16(&vd, vd.queue[0].driver + 4 + 2 * i, (uint16_t)i);
    }
    CHECK(!pthread_create(&thread, NULL, resetter, &over));
    for (uint16_t i = 0; !__atomic_load_n(&over, __ATOMIC_ACQUIRE); i++) {
        vd_put16(&vd, vd.queue[0].driver + 2, i % 32);
        vd_write(&vd, VD_QUEUE_NOTIFY, 0);
        vd_read(&vd, VD_INTERRUPT_STATUS);
        vd_write(&vd, VD_INTERRUPT_ACK, 3);
    }
    pthread_join(thread, NULL);
    vd_write(&vd, VD_STATUS, 0);
    CHECK_EQ(0, vd_read(&vd, VD_STATUS));
    CHECK(!vd_irq(&vd));
    late_down();
}

int main(void)
{
    PROVE(traffic_split, "2 drivers and 2 back-end threads: no request and no wake-up is lost (split)");
    PROVE(traffic_packed, "the same (packed)");
    PROVE(resets, "2.4.1: after a reset nothing touches the buffers, whatever was under way");
    PROVE(resets_and_notifies, "resets and notifications from two harts at once");
    return rig_finish("virtio threads");
}
#endif
