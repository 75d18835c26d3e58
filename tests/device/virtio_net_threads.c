/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The network card with a back end that has a thread: every frame that the guest sends comes back to it, as
 * fast as it goes, and the guest resets the card again and again meanwhile.
 */
#include "devices/virtio_net.h"
#include "host/clock.h"
#include "host/thread.h"
#include "virtio_driver.h"

#define F(name) VIRTIO_BIT(VIRTIO_NET_F_##name)

enum { RX, TX, HDR = 12, SIZE = 1400, BUFFERS = 64, ROUNDS = 20, FRAMES = 2000 };

static struct {
    virtio_net_t *net;
    host_event_t *event;
    host_thread_t *thread;
    uint32_t stop;
} loop;

static void loop_run(void *opaque)
{
    (void)opaque;
    while (!__atomic_load_n(&loop.stop, __ATOMIC_ACQUIRE)) {
        bool more = virtio_net_serve(loop.net);
        virtio_net_flush(loop.net);
        if (!more) {
            host_event_wait(loop.event, 20000000);
        }
    }
}

static void loop_attach(void *opaque, virtio_net_t *net)
{
    (void)opaque;
    loop.net = net;
    loop.event = host_event_create();
    loop.thread = host_thread_create(loop_run, NULL);
}

static virtio_net_sent_t loop_send(void *opaque, const uint8_t *hdr, const uint8_t *frame, size_t size)
{
    (void)opaque;
    (void)hdr;
    return virtio_net_feed_rx(loop.net, frame, size) ? VIRTIO_NET_SENT : VIRTIO_NET_DROPPED;
}

static void loop_wake(void *opaque)
{
    (void)opaque;
    host_event_set(loop.event);
}

static void loop_close(void *opaque)
{
    (void)opaque;
    __atomic_store_n(&loop.stop, 1, __ATOMIC_RELEASE);
    host_event_set(loop.event);
    host_thread_join(loop.thread);
    host_event_free(loop.event);
}

static vd_t vd;
static uint64_t rx_mem, tx_mem;
static unsigned rx_at[BUFFERS]; /* which buffer a descriptor stands for */

static void offer(unsigned buffer)
{
    const vd_buf_t buf = {rx_mem + buffer * 2048, 2048, true};
    rx_at[vd_add(&vd, RX, &buf, 1) % BUFFERS] = buffer;
}

static void transmit(unsigned slot, uint32_t number)
{
    uint8_t *p = vd_ptr(&vd, tx_mem + slot * 2048);
    memset(p, 0, HDR);
    memset(p + HDR, (int)(number & 0xff), SIZE);
    memcpy(p + HDR, "\2\1\2\3\4\5", 6);
    write_uint32_le_m(p + HDR + 20, number);
    const vd_buf_t buf = {tx_mem + slot * 2048, HDR + SIZE, false};
    vd_add(&vd, TX, &buf, 1);
    vd_kick(&vd, TX);
}

/* Frames that came: each whole, and later than the one before. Returns how many. */
static unsigned collect(uint32_t *last)
{
    unsigned count = 0;
    uint16_t id;
    uint32_t len;
    while (vd_used(&vd, RX, &id, &len)) {
        unsigned buffer = rx_at[id % BUFFERS];
        const uint8_t *p = vd_ptr(&vd, rx_mem + buffer * 2048);
        uint32_t number = read_uint32_le_m(p + HDR + 20);
        CHECK_EQ(HDR + SIZE, len);
        CHECK(number >= *last);
        CHECK(p[HDR + 30] == (number & 0xff) && p[HDR + SIZE - 1] == (number & 0xff));
        *last = number;
        offer(buffer);
        vd_kick(&vd, RX);
        count++;
    }
    return count;
}

static unsigned run_round(uint64_t features, unsigned frames, bool all)
{
    uint32_t last = 0, len;
    uint16_t id;
    unsigned sent = 0, done = 0, got = 0;
    vd.heap = tx_mem + BUFFERS * 2048;
    CHECK(vd_start_sized(&vd, features, BUFFERS));
    for (unsigned i = 0; i < BUFFERS / 2; i++) {
        offer(i);
    }
    vd_kick(&vd, RX);
    uint64_t end = host_clock_ns() + UINT64_C(20000000000);
    while ((all ? got : sent) < frames && host_clock_ns() < end && !vd_broken(&vd)) {
        if (sent < frames && sent - done < BUFFERS / 4) {
            transmit(sent % (BUFFERS / 4), sent);
            sent++;
        }
        while (vd_used(&vd, TX, &id, &len)) {
            done++;
        }
        got += collect(&last);
    }
    CHECK(!vd_broken(&vd));
    return got;
}

static void runs(uint64_t ring)
{
    const virtio_net_backend_t backend = {.attach = loop_attach, .send = loop_send, .wake = loop_wake,
                                          .close = loop_close};
    const uint64_t features = VIRTIO_F_VERSION_1 | F(MRG_RXBUF) | ring;
    virtio_desc_t desc;
    if (!host_threads_available()) {
        return;
    }
    memset(&loop, 0, sizeof(loop));
    vd_machine(&vd);
    CHECK(virtio_net_describe(&desc, &backend) && vd_attach(&vd, &desc, 0));
    rx_mem = vd_alloc(&vd, BUFFERS * 2048);
    tx_mem = vd_alloc(&vd, BUFFERS * 2048);
    uint64_t start = host_clock_ns();
    CHECK_EQ(FRAMES, run_round(features, FRAMES, true));
    printf("# %u MB/s around\n", (unsigned)(UINT64_C(1000) * SIZE * FRAMES / (host_clock_ns() - start)));
    for (unsigned i = 0; i < ROUNDS; i++) {
        run_round(features, 100 + 13 * i, false); /* ends by a reset with frames under way */
    }
    CHECK_EQ(500, run_round(features, 500, true));
    vd_close(&vd);
}

TEST(split) { runs(0); }
TEST(packed) { runs(VIRTIO_F_RING_PACKED); }
TEST(event_idx) { runs(VIRTIO_F_EVENT_IDX); }

int main(void)
{
    PROVE(split, "2.1.2 a reset at any moment leaves nothing behind, and every frame comes around whole");
    PROVE(packed, "the same with packed rings");
    PROVE(event_idx, "2.7.10 no frame is forgotten with event suppression");
    return rig_finish("virtio-net with a thread");
}
