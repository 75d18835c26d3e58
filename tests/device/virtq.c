/* SPDX-License-Identifier: MPL-2.0 */
/* The queues' rules: VirtIO 1.2 §2.6 to §2.8, with drivers that keep to them. For others: virtq_hostile.c. */
#include "virtio_probe.h"

#define V1 VIRTIO_F_VERSION_1
#define PACKED (V1 | VIRTIO_F_RING_PACKED)
#define EVENT VIRTIO_F_EVENT_IDX
#define INDIRECT VIRTIO_F_INDIRECT_DESC

static vd_t vd;
static probe_t probe;
static uint32_t seed;

static uint32_t roll(uint32_t limit)
{
    seed = seed * 1664525 + 1013904223;
    return (seed >> 8) % limit;
}

/* A chain of 1 to 5 readable and 0 to 5 writable pieces of one block of memory. */
typedef struct {
    vd_buf_t buf[10];
    unsigned count;
    uint32_t in, out; /* bytes of either part */
    uint16_t id;
    bool busy;
} shape_t;

static shape_t shape_make(uint64_t mem)
{
    shape_t shape = {.count = 0};
    unsigned reads = 1 + roll(5), writes = roll(6);
    for (unsigned i = 0; i < reads + writes; i++) {
        uint32_t len = roll(8) ? roll(200) : 0;
        bool write = i >= reads;
        shape.buf[shape.count++] = (vd_buf_t){mem + 256 * i + roll(16), len, write};
        *(write ? &shape.out : &shape.in) += len;
        memset(vd_ptr(&vd, mem + 256 * i), write ? 0 : (int)(1 + roll(255)), 256);
        for (uint32_t k = 0; !write && k < len; k++) {
            *(uint8_t *)vd_ptr(&vd, shape.buf[i].addr + k) = (uint8_t)(1 + roll(255));
        }
    }
    return shape;
}

/* Byte n of one part. */
static uint8_t shape_byte(const shape_t *shape, bool write, uint32_t n)
{
    for (unsigned i = 0; i < shape->count; i++) {
        if (shape->buf[i].write != write) {
            continue;
        }
        if (n < shape->buf[i].len) {
            return *(uint8_t *)vd_ptr(&vd, shape->buf[i].addr + n);
        }
        n -= shape->buf[i].len;
    }
    return 0;
}

static void shape_check(const shape_t *shape, uint32_t len)
{
    uint32_t want = shape->in < shape->out ? shape->in : shape->out;
    CHECK_EQ(want, len);
    for (uint32_t n = 0; n < shape->out; n++) {
        CHECK_EQ(n < want ? shape_byte(shape, false, n) : 0, shape_byte(shape, true, n));
    }
}

/* Many random chains, up to `depth` at once, direct and indirect; each comes back once, with its echo. */
static void exchange(uint64_t features, uint16_t size, unsigned rounds)
{
    static shape_t shapes[8];
    probe_up(&vd, &probe, 0);
    CHECK(vd_start_sized(&vd, features, size));
    uint64_t mem = vd_alloc(&vd, 8 * 10 * 256), tables = vd.heap;
    unsigned used = 0;
    for (unsigned round = 0; round < rounds; round++) {
        unsigned batch = 1 + roll(6), added = 0;
        vd.heap = tables;
        memset(shapes, 0, sizeof(shapes));
        while (added < batch) {
            shape_t *shape = &shapes[added];
            *shape = shape_make(mem + 2560 * (uint64_t)added);
            bool indirect = (features & INDIRECT) && roll(2);
            if (vd.queue[0].free_count < shape->count || (vd.packed && size < 60)) {
                break;
            }
            shape->id = indirect ? vd_add_indirect(&vd, 0, shape->buf, shape->count)
                                 : vd_add(&vd, 0, shape->buf, shape->count);
            shape->busy = true;
            added++;
        }
        vd_kick(&vd, 0);
        uint16_t id = 0;
        uint32_t len = 0;
        for (unsigned i = 0; i < added; i++) {
            CHECK(vd_used(&vd, 0, &id, &len));
            CHECK_EQ(shapes[i].id, id);
            shape_check(&shapes[i], len);
            used++;
        }
        CHECK(!vd_used(&vd, 0, &id, &len));
        CHECK_EQ(added != 0, vd_irq(&vd));
        vd_want_irq(&vd, 0, true);
        vd_ack(&vd);
    }
    CHECK(used > rounds);
    CHECK(!vd_broken(&vd));
    probe_down(&vd, &probe);
}

TEST(exchange_split)
{
    exchange(V1, 64, 2000);
    exchange(V1 | INDIRECT | EVENT, 64, 2000);
}

TEST(exchange_packed)
{
    exchange(PACKED, 64, 2000);
    exchange(PACKED | INDIRECT | EVENT, 64, 2000);
    exchange(PACKED, 61, 2000);
}

TEST(exchange_in_order)
{
    probe_up(&vd, &probe, VIRTIO_MMIO_IN_ORDER);
    CHECK(vd_offered(&vd) & VIRTIO_F_IN_ORDER);
    probe_down(&vd, &probe);
}

/* The 16-bit indices and both wrap counters go around often. */
static void laps(uint64_t features, uint16_t size, unsigned count)
{
    probe_up(&vd, &probe, 0);
    CHECK(vd_start_sized(&vd, features, size));
    const vd_buf_t buf[2] = {{vd_alloc(&vd, 16), 5, false}, {vd_alloc(&vd, 16), 16, true}};
    uint32_t len = 0;
    for (unsigned i = 0; i < count; i++) {
        CHECK(vd_request(&vd, 0, buf, 1 + i % 2, &len));
        CHECK_EQ(i % 2 ? 5 : 0, len);
    }
    CHECK(!vd_broken(&vd));
    probe_down(&vd, &probe);
}

TEST(laps_split)
{
    laps(V1, 4, 140000);
    laps(V1 | EVENT, 2, 140000);
}

TEST(laps_packed)
{
    laps(PACKED, 3, 140000);
    laps(PACKED | EVENT, 7, 140000);
}

/* Chains come back in any order; each with its own id and length. */
static void out_of_order(uint64_t features)
{
    probe_up(&vd, &probe, 0);
    CHECK(vd_start_sized(&vd, features, 32));
    probe.hold = true;
    uint64_t mem = vd_alloc(&vd, 32 * 64);
    uint16_t ids[10], id = 0;
    uint32_t len = 0;
    for (unsigned lap = 0; lap < 50; lap++) {
        probe.holds = 0;
        for (unsigned i = 0; i < 10; i++) {
            const vd_buf_t buf[3] = {{mem, 1, false}, {mem + 64 * i, 32, true}, {mem + 32, 32, true}};
            ids[i] = vd_add(&vd, 0, buf, 1 + (i + lap) % 3);
            vd_write(&vd, VD_QUEUE_NOTIFY, 0);
        }
        CHECK_EQ(10, probe.holds);
        for (unsigned n = 0; n < 10; n++) {
            unsigned i = (n * 7 + lap) % 10;
            uint32_t room = (uint32_t)virtq_writable_left(probe.held[i]);
            CHECK(probe_complete(&probe, i, i));
            CHECK(vd_used(&vd, 0, &id, &len));
            CHECK_EQ(ids[i], id);
            CHECK_EQ(i < room ? i : room, len);
        }
        CHECK(!vd_used(&vd, 0, &id, &len));
    }
    probe_down(&vd, &probe);
}

TEST(out_of_order_both)
{
    out_of_order(V1);
    out_of_order(PACKED);
    out_of_order(PACKED | EVENT);
}

/* §2.7.9, §2.8.9: with VIRTIO_F_IN_ORDER a chain waits for those before it. */
static void in_order(uint64_t features)
{
    probe_up(&vd, &probe, VIRTIO_MMIO_IN_ORDER);
    CHECK(vd_start_sized(&vd, features | VIRTIO_F_IN_ORDER, 16));
    probe.hold = true;
    const vd_buf_t buf = {vd_alloc(&vd, 16), 16, true};
    uint16_t ids[4], id = 0;
    uint32_t len = 0;
    for (unsigned i = 0; i < 4; i++) {
        ids[i] = vd_add(&vd, 0, &buf, 1);
        vd_write(&vd, VD_QUEUE_NOTIFY, 0);
    }
    CHECK(probe_complete(&probe, 2, 3));
    CHECK(probe_complete(&probe, 1, 2));
    CHECK(!vd_used(&vd, 0, &id, &len));
    CHECK(!vd_irq(&vd));
    CHECK(probe_complete(&probe, 0, 1));
    CHECK(vd_irq(&vd));
    for (unsigned i = 0; i < 3; i++) {
        CHECK(vd_used(&vd, 0, &id, &len));
        CHECK_EQ(ids[i], id);
        CHECK_EQ(i + 1, len);
    }
    CHECK(!vd_used(&vd, 0, &id, &len));
    CHECK(probe_complete(&probe, 3, 16));
    CHECK(vd_used(&vd, 0, &id, &len));
    probe_down(&vd, &probe);
}

TEST(in_order_both)
{
    in_order(V1);
    in_order(PACKED);
}

TEST(written_is_clamped)
{
    probe_up(&vd, &probe, 0);
    CHECK(vd_start(&vd, V1));
    probe.hold = true;
    const vd_buf_t buf[2] = {{vd_alloc(&vd, 16), 16, false}, {vd_alloc(&vd, 16), 7, true}};
    uint16_t id = 0;
    uint32_t len = 0;
    vd_add(&vd, 0, buf, 2);
    vd_kick(&vd, 0);
    CHECK(probe_complete(&probe, 0, 1000));
    CHECK(vd_used(&vd, 0, &id, &len));
    CHECK_EQ(7, len);
    probe_down(&vd, &probe);
}

/* §2.8.5: the write flag of a used descriptor tells whether its length counts. */
TEST(packed_used_flags)
{
    probe_up(&vd, &probe, 0);
    CHECK(vd_start(&vd, PACKED));
    const vd_buf_t buf[2] = {{vd_alloc(&vd, 16), 5, false}, {vd_alloc(&vd, 16), 16, true}};
    uint32_t len = 0;
    CHECK(vd_request(&vd, 0, buf, 1, &len));
    CHECK_EQ(VD_F_AVAIL | VD_F_USED, vd_get16(&vd, vd.queue[0].desc + 14));
    CHECK(vd_request(&vd, 0, buf, 2, &len));
    CHECK_EQ(VD_F_AVAIL | VD_F_USED | VD_F_WRITE, vd_get16(&vd, vd.queue[0].desc + 30));
    probe_down(&vd, &probe);
}

/* §2.7.7: a driver that asks for no interrupts gets none, and one when it asks again. */
static void interrupts_off(uint64_t features)
{
    probe_up(&vd, &probe, 0);
    CHECK(vd_start(&vd, features));
    const vd_buf_t buf = {vd_alloc(&vd, 16), 16, true};
    uint32_t len = 0;
    vd_want_irq(&vd, 0, false);
    for (unsigned i = 0; i < 300; i++) {
        CHECK(vd_request(&vd, 0, &buf, 1, &len));
        vd_want_irq(&vd, 0, false);
    }
    CHECK(!vd_irq(&vd));
    vd_want_irq(&vd, 0, true);
    CHECK(vd_request(&vd, 0, &buf, 1, &len));
    CHECK(vd_irq(&vd));
    probe_down(&vd, &probe);
}

TEST(interrupts_off_all)
{
    interrupts_off(V1);
    interrupts_off(V1 | EVENT);
    interrupts_off(PACKED);
    interrupts_off(PACKED | EVENT);
}

/* The event index: an interrupt exactly when the used position passes the one that was asked for. */
static void interrupt_at(uint64_t features, uint16_t size, unsigned count, unsigned ahead)
{
    probe_up(&vd, &probe, 0);
    CHECK(vd_start_sized(&vd, features | EVENT, size));
    const vd_buf_t buf = {vd_alloc(&vd, 16), 16, true};
    uint32_t len = 0;
    for (unsigned lap = 0; lap < count; lap++) {
        vd_queue_t *q = &vd.queue[0];
        unsigned at = q->last_used + ahead;
        bool wrap = q->used_wrap ^ (vd.packed && at >= size);
        if (vd.packed) {
            vd_put32(&vd, q->driver, at % size | (uint32_t)wrap << 15 | 2u << 16);
        } else {
            vd_put16(&vd, q->driver + 4 + 2 * (uint64_t)size, (uint16_t)at);
        }
        for (unsigned i = 0; i <= ahead; i++) {
            CHECK(!vd_irq(&vd));
            CHECK(vd_request(&vd, 0, &buf, 1, &len));
        }
        CHECK(vd_irq(&vd));
        vd_ack(&vd);
    }
    probe_down(&vd, &probe);
}

TEST(interrupt_event)
{
    interrupt_at(V1, 8, 3000, 0);
    interrupt_at(V1, 8, 30000, 5);
    interrupt_at(PACKED, 8, 3000, 0);
    interrupt_at(PACKED, 7, 3000, 4);
    interrupt_at(PACKED, 8, 3000, 7);
}

/* One interrupt for a batch, also when the event lies inside it. */
static void interrupt_batch(uint64_t features)
{
    probe_up(&vd, &probe, 0);
    CHECK(vd_start_sized(&vd, features | EVENT, 16));
    const vd_buf_t buf = {vd_alloc(&vd, 16), 16, true};
    uint16_t id = 0;
    uint32_t len = 0;
    for (unsigned lap = 0; lap < 200; lap++) {
        vd_want_irq(&vd, 0, true);
        for (unsigned i = 0; i < 1 + lap % 16; i++) {
            vd_add(&vd, 0, &buf, 1);
        }
        uint32_t rises = vd.rises;
        vd_kick(&vd, 0);
        CHECK(vd_irq(&vd));
        CHECK_EQ(rises + 1, vd.rises);
        while (vd_used(&vd, 0, &id, &len)) {
        }
        vd_ack(&vd);
    }
    probe_down(&vd, &probe);
}

TEST(interrupt_batches)
{
    interrupt_batch(V1);
    interrupt_batch(PACKED);
}

/* §2.7.10: a busy device asks for silence, and for a notification when it has found nothing. */
static void notifications(uint64_t features)
{
    probe_up(&vd, &probe, 0);
    CHECK(vd_start_sized(&vd, features, 16));
    const vd_buf_t buf = {vd_alloc(&vd, 16), 16, true};
    uint16_t id = 0;
    uint32_t len = 0;
    for (unsigned lap = 0; lap < 100; lap++) {
        vd_add(&vd, 0, &buf, 1);
        CHECK(vd_kick(&vd, 0)); /* it had found nothing before */
        CHECK(vd_used(&vd, 0, &id, &len));
    }
    virtq_t *vq = virtio_queue(probe.dev, 0);
    probe.deaf = true;
    for (unsigned i = 0; i < 3; i++) {
        vd_add(&vd, 0, &buf, 1);
    }
    vd_kick(&vd, 0);
    CHECK(virtq_available(vq));
    CHECK(virtq_push(virtq_pop(vq), 0));
    vd_add(&vd, 0, &buf, 1);
    CHECK(!vd_kick(&vd, 0)); /* it is at work */
    virtq_chain_t *chain;
    for (unsigned i = 0; i < 3; i++) {
        CHECK((chain = virtq_pop(vq)) && virtq_push(chain, 0));
    }
    CHECK(!virtq_available(vq));
    CHECK(!virtq_pop(vq));
    vd_add(&vd, 0, &buf, 1);
    CHECK(vd_kick(&vd, 0));
    probe_down(&vd, &probe);
}

TEST(notifications_all)
{
    notifications(V1);
    notifications(V1 | EVENT);
    notifications(PACKED);
    notifications(PACKED | EVENT);
}

/* §2.7.5.3.2: MUST ignore the write flag of the descriptor that refers to an indirect table. */
TEST(indirect_write_flag)
{
    for (unsigned packed = 0; packed < 2; packed++) {
        probe_up(&vd, &probe, 0);
        CHECK(vd_start(&vd, (packed ? PACKED : V1) | INDIRECT));
        const vd_buf_t buf[2] = {{vd_alloc(&vd, 16), 16, false}, {vd_alloc(&vd, 16), 7, true}};
        vd_buf_t table = {vd_table(&vd, buf, 2), 32, true};
        uint16_t id = 0;
        uint32_t len = 0;
        if (packed) {
            vd_add_packed(&vd, 0, &table, 1, VD_F_INDIRECT);
        } else {
            vd_add_split(&vd, 0, &table, 1, VD_F_INDIRECT);
        }
        vd_kick(&vd, 0);
        CHECK(vd_used(&vd, 0, &id, &len));
        CHECK_EQ(7, len);
        probe_down(&vd, &probe);
    }
}

/* §2.7.5.3.2: MUST handle direct descriptors that are followed by one indirect one. */
TEST(indirect_after_direct)
{
    probe_up(&vd, &probe, 0);
    CHECK(vd_start(&vd, V1 | INDIRECT));
    uint64_t mem = vd_alloc(&vd, 64);
    memcpy(vd_ptr(&vd, mem), "abcdefgh", 8);
    const vd_buf_t tail[2] = {{mem + 4, 4, false}, {mem + 32, 16, true}};
    uint64_t table = vd_table(&vd, tail, 2);
    vd_queue_t *q = &vd.queue[0];
    vd_desc_put(&vd, q->desc, 3, mem, 4, VD_F_NEXT, 9);
    vd_desc_put(&vd, q->desc, 9, table, 32, VD_F_INDIRECT, 0);
    vd_offer(&vd, 0, 3);
    vd_kick(&vd, 0);
    CHECK_EQ(3, vd_get32(&vd, q->device + 4));
    CHECK_EQ(8, vd_get32(&vd, q->device + 8));
    CHECK(!memcmp(vd_ptr(&vd, mem + 32), "abcdefgh", 8));
    probe_down(&vd, &probe);
}

/* Cursors, spans, seeking, putting back. */
static void contents(uint64_t features)
{
    probe_up(&vd, &probe, 0);
    CHECK(vd_start(&vd, features));
    probe.hold = true;
    uint64_t mem = vd_alloc(&vd, 256);
    memcpy(vd_ptr(&vd, mem), "0123456789", 10);
    const vd_buf_t buf[4] = {{mem, 4, false}, {mem + 4, 6, false}, {mem + 64, 3, true}, {mem + 128, 9, true}};
    uint8_t got[16] = {0};
    virtq_span_t span;
    vd_add(&vd, 0, buf, 4);
    vd_add(&vd, 0, buf, 2);
    vd_kick(&vd, 0);
    virtq_chain_t *chain = probe.held[0];
    CHECK_EQ(2, probe.holds);
    CHECK_EQ(10, virtq_readable_left(chain));
    CHECK_EQ(12, virtq_writable_left(chain));
    CHECK_EQ(2, virtq_readable_spans(chain));
    CHECK(virtq_read_all(chain, got, 5) && !memcmp(got, "01234", 5));
    CHECK(!virtq_read_all(chain, got, 6));
    CHECK_EQ(5, virtq_readable_left(chain));
    CHECK_EQ(1, virtq_readable_spans(chain));
    CHECK_EQ(5, virtq_read(chain, got, 16));
    CHECK_EQ(0, virtq_read(chain, got, 16));
    virtq_seek_readable(chain, 3);
    CHECK(virtq_begin(chain));
    CHECK(virtq_next_readable(chain, 100, &span) && span.len == 1 && *(char *)span.ptr == '3');
    CHECK(virtq_next_readable(chain, 2, &span) && span.len == 2 && *(char *)span.ptr == '4');
    CHECK(virtq_next_readable(chain, 100, &span) && span.len == 4 && *(char *)span.ptr == '6');
    CHECK(!virtq_next_readable(chain, 100, &span));
    virtq_seek_writable(chain, 4);
    CHECK(virtq_next_writable(chain, 100, &span) && span.len == 8 && span.ptr == vd_ptr(&vd, mem + 129));
    virtq_end(chain);
    virtq_seek_writable(chain, 0);
    CHECK_EQ(2, virtq_write(chain, "xy", 2));
    CHECK_EQ(5, virtq_fill(chain, 'z', 5));
    CHECK_EQ(7, virtq_written(chain));
    CHECK(!virtq_write_all(chain, "123456", 6));
    CHECK(virtq_write_all(chain, "12345", 5));
    CHECK(!memcmp(vd_ptr(&vd, mem + 64), "xyz", 4));
    CHECK(!memcmp(vd_ptr(&vd, mem + 128), "zzzz12345", 10));
    virtq_set_user(chain, &probe);
    CHECK(virtq_user(chain) == &probe);
    CHECK(virtq_unpop(chain)); /* although another was popped since */
    CHECK(virtq_available(virtio_queue(probe.dev, 0)));
    CHECK(virtq_pop(virtio_queue(probe.dev, 0)) == chain);
    CHECK(!virtq_user(chain) && !virtq_written(chain));
    CHECK_EQ(10, virtq_readable_left(chain));
    CHECK(!virtq_pop(virtio_queue(probe.dev, 0)));
    probe_down(&vd, &probe);
}

TEST(contents_both)
{
    contents(V1);
    contents(PACKED);
}

TEST(push_all)
{
    for (unsigned packed = 0; packed < 2; packed++) {
        probe_up(&vd, &probe, 0);
        CHECK(vd_start_sized(&vd, packed ? PACKED : V1, 16));
        probe.hold = true;
        const vd_buf_t buf = {vd_alloc(&vd, 16), 16, true};
        uint16_t id = 0;
        uint32_t len = 0;
        for (unsigned lap = 0; lap < 20; lap++) {
            const size_t written[5] = {5, 4, 3, 2, 1};
            probe.holds = 0;
            for (unsigned i = 0; i < 5; i++) {
                vd_add(&vd, 0, &buf, 1);
            }
            vd_write(&vd, VD_QUEUE_NOTIFY, 0);
            CHECK(virtq_push_all(probe.held, written, 5));
            for (unsigned i = 0; i < 5; i++) {
                CHECK(vd_used(&vd, 0, &id, &len));
                CHECK_EQ(5 - i, len);
            }
        }
        probe_down(&vd, &probe);
    }
}

TEST(guest_spans)
{
    probe_up(&vd, &probe, 0);
    virtq_t *vq = virtio_queue(probe.dev, 0);
    virtq_span_t span;
    CHECK(virtq_guest_span(vq, RVVM_DEFAULT_MEMBASE + 16, 100, &span));
    CHECK(span.ptr == vd_ptr(&vd, RVVM_DEFAULT_MEMBASE + 16) && span.len == 100);
    CHECK(virtq_guest_span(vq, RVVM_DEFAULT_MEMBASE + VD_RAM - 1, 1, &span));
    CHECK(!virtq_guest_span(vq, RVVM_DEFAULT_MEMBASE + VD_RAM - 1, 2, &span));
    CHECK(!virtq_guest_span(vq, RVVM_DEFAULT_MEMBASE, 0, &span));
    CHECK(!virtq_guest_span(vq, RVVM_DEFAULT_MEMBASE, VD_RAM + 1, &span));
    CHECK(!virtq_guest_span(vq, RVVM_DEFAULT_MEMBASE - 1, 1, &span));
    CHECK(!virtq_guest_span(vq, UINT64_MAX, 2, &span));
    CHECK(!virtq_guest_span(vq, RVVM_DEFAULT_MEMBASE + 16, SIZE_MAX, &span));
    CHECK(!virtq_guest_span(vq, 0, 1, &span));
    probe_down(&vd, &probe);
}

/* §2.4: a reset with requests out. Nothing of theirs reaches the guest, and the device starts anew. */
static void reset_in_flight(uint64_t features, bool one_queue)
{
    probe_up(&vd, &probe, VIRTIO_MMIO_IN_ORDER);
    CHECK(vd_start(&vd, features));
    probe.hold = true;
    uint64_t mem = vd_alloc(&vd, 64);
    const vd_buf_t buf[2] = {{mem, 16, false}, {mem + 32, 16, true}};
    uint8_t bytes[16];
    for (unsigned i = 0; i < 4; i++) {
        vd_add(&vd, 0, buf, 2);
        vd_write(&vd, VD_QUEUE_NOTIFY, 0);
    }
    CHECK_EQ(4, probe.holds);
    CHECK(probe_complete(&probe, 3, 4));
    vd_ack(&vd);
    if (one_queue) {
        vd_write(&vd, VD_QUEUE_SEL, 0);
        vd_write(&vd, VD_QUEUE_READY, 0);
    } else {
        vd_write(&vd, VD_STATUS, 0);
    }
    vd_queue_t old = vd.queue[0];
    uint32_t before = vd.packed ? vd_get32(&vd, old.desc + 16) : vd_get32(&vd, old.device);
    CHECK(!virtq_live(probe.held[0]));
    CHECK(!virtq_begin(probe.held[0]));
    CHECK_EQ(0, virtq_read(probe.held[0], bytes, 16));
    CHECK_EQ(0, virtq_write(probe.held[0], "0123", 4));
    CHECK_EQ(16, virtq_writable_left(probe.held[0]));
    CHECK_EQ(0, *(uint8_t *)vd_ptr(&vd, mem + 32));
    CHECK(!probe_complete(&probe, 0, 16));
    CHECK(!vd_irq(&vd));
    CHECK_EQ(before, vd.packed ? vd_get32(&vd, old.desc + 16) : vd_get32(&vd, old.device));
    probe.hold = false;
    if (one_queue) {
        CHECK(vd_queue_setup(&vd, 0, 16));
    } else {
        CHECK(vd_start(&vd, features));
    }
    uint32_t len = 0;
    CHECK(vd_request(&vd, 0, buf, 2, &len));
    CHECK(!probe_complete(&probe, 1, 16)); /* of the life before */
    CHECK(!virtq_unpop(probe.held[2]));
    CHECK(vd_request(&vd, 0, buf, 2, &len));
    CHECK_EQ(16, len);
    probe_down(&vd, &probe);
}

TEST(resets_in_flight)
{
    for (unsigned one = 0; one < 2; one++) {
        reset_in_flight(V1, one);
        reset_in_flight(PACKED, one);
        reset_in_flight(V1 | VIRTIO_F_IN_ORDER, one);
    }
}

/* A guest that resets again and again while a back end never answers is bounded. */
TEST(reset_floods)
{
    probe_up(&vd, &probe, 0);
    probe.hold = true;
    const vd_buf_t buf = {vd_alloc(&vd, 16), 16, true};
    uint64_t heap = vd.heap;
    for (unsigned lap = 0; lap < 10; lap++) {
        vd.heap = heap;
        CHECK(vd_start(&vd, V1));
        for (unsigned i = 0; i < PROBE_SIZE; i++) {
            vd_add(&vd, 0, &buf, 1);
        }
        vd_write(&vd, VD_QUEUE_NOTIFY, 0);
    }
    CHECK_EQ(4 * PROBE_SIZE, probe.holds);
    CHECK(!vd_broken(&vd));
    for (unsigned i = 0; i < 4 * PROBE_SIZE; i++) {
        probe_complete(&probe, i, 0);
    }
    vd_update(&vd); /* now it goes on by itself */
    CHECK_EQ(5 * PROBE_SIZE, probe.holds);
    probe_down(&vd, &probe);
}

#ifdef RVVM_COMPAT_RVKIT
#include <rvvm/rvkit.h>
#include <rvvm/rvvm_blk.h>

/* Saves `vd`, RAM too, and brings both back in `to`. */
static void copy_machine(vd_t *to)
{
    rvvm_blk_dev_t *blk = rvkit_blk_open_memory();
    rvvm_snapshot_t *snap = rvvm_snapshot_open(blk, true);
    CHECK(rvkit_snapshot_devices(vd.machine, snap, false));
    CHECK(rvvm_snapshot_close(snap));
    memcpy(rvvm_get_dma_ptr(to->machine, RVVM_DEFAULT_MEMBASE, VD_RAM),
           rvvm_get_dma_ptr(vd.machine, RVVM_DEFAULT_MEMBASE, VD_RAM), VD_RAM);
    snap = rvvm_snapshot_open(blk, false);
    CHECK(rvkit_snapshot_devices(to->machine, snap, true));
    CHECK(rvvm_snapshot_close(snap));
    rvvm_blk_close(blk);
}

/* A snapshot with requests out: they are done again in the copy, and in the original they end as usual. */
static void snapshot(uint64_t features)
{
    static vd_t copy;
    static probe_t other;
    probe_up(&vd, &probe, VIRTIO_MMIO_IN_ORDER);
    probe_up(&copy, &other, VIRTIO_MMIO_IN_ORDER);
    CHECK(vd_start_sized(&vd, features, 16));
    probe.hold = true;
    probe.state = 77;
    uint64_t mem = vd_alloc(&vd, 64);
    const vd_buf_t buf[2] = {{mem, 16, false}, {mem + 32, 16, true}};
    uint16_t ids[5], id = 0;
    uint32_t len = 0;
    for (unsigned i = 0; i < 5; i++) {
        ids[i] = vd_add(&vd, 0, buf, 2);
        vd_write(&vd, VD_QUEUE_NOTIFY, 0);
    }
    virtio_config_set(probe.dev, 3, "!", 1);
    CHECK(probe_complete(&probe, 1, 9)); /* with IN_ORDER it is kept back */
    copy_machine(&copy);
    memcpy(copy.queue, vd.queue, sizeof(copy.queue));
    copy.packed = vd.packed;
    copy.event_idx = vd.event_idx;
    CHECK_EQ(77, other.state);
    CHECK_EQ(15, vd_read(&copy, VD_STATUS));
    CHECK_EQ(features, virtio_features(other.dev));
    CHECK(vd_irq(&copy));
    uint8_t byte = 0;
    vd_config_read(&copy, 3, &byte, 1, 1);
    CHECK_EQ('!', byte);
    vd_update(&copy); /* the machine runs: its queues are served */
    for (unsigned i = 0; i < 5; i++) {
        CHECK(vd_used(&copy, 0, &id, &len));
    }
    CHECK(vd_request(&copy, 0, buf, 2, &len));
    CHECK_EQ(16, len);
    /* The original is still until it runs on. */
    CHECK_EQ(1, probe.quiets);
    CHECK_EQ(0, virtq_write(probe.held[0], "0123", 4));
    CHECK(!probe_complete(&probe, 0, 4));
    probe.hold = false;
    vd_update(&vd);
    CHECK_EQ(1, probe.goes_on);
    for (unsigned i = 2; i < 5; i++) {
        CHECK(probe_complete(&probe, i, 1));
    }
    unsigned seen = 0;
    while (vd_used(&vd, 0, &id, &len)) {
        CHECK(id == ids[0] || id == ids[1] || id == ids[2] || id == ids[3] || id == ids[4]);
        seen++;
    }
    CHECK_EQ(5, seen);
    probe_down(&vd, &probe);
    probe_down(&copy, &other);
}

TEST(snapshots)
{
    snapshot(V1);
    snapshot(PACKED | EVENT);
    snapshot(V1 | VIRTIO_F_IN_ORDER);
    snapshot(PACKED | VIRTIO_F_IN_ORDER);
}
#endif

int main(void)
{
    seed = 1;
    PROVE(exchange_split, "2.7: contents and lengths of random chains, direct and indirect (split)");
    PROVE(exchange_packed, "2.8: the same (packed), also with sizes that are no power of two");
    PROVE(exchange_in_order, "6: IN_ORDER is offered when the board wants it");
    PROVE(laps_split, "2.7: indices of 16 bits go around");
    PROVE(laps_packed, "2.8.1: wrap counters");
    PROVE(out_of_order_both, "2.7.8, 2.8.6: chains are used in any order, with their id and length");
    PROVE(in_order_both, "2.7.9: IN_ORDER: MUST use buffers in the order in which they were available");
    PROVE(written_is_clamped, "2.7.8.2: MUST NOT claim more bytes than are writable");
    PROVE(packed_used_flags, "2.8.5: MUST set the write flag of a used descriptor when it wrote");
    PROVE(interrupts_off_all, "2.7.7.2, 2.8.10: no interrupt when the driver wants none (SHOULD)");
    PROVE(interrupt_event, "2.7.7.2, 2.8.10: MUST interrupt when the event is passed; not before");
    PROVE(interrupt_batches, "2.7.7: one interrupt for a batch");
    PROVE(notifications_all, "2.7.10: silence while at work, a notification is asked for afterwards");
    PROVE(indirect_write_flag, "2.7.5.3.2, 2.8.7: MUST ignore the write flag of an indirect descriptor");
    PROVE(indirect_after_direct, "2.7.5.3.2: MUST handle direct descriptors followed by an indirect one");
    PROVE(contents_both, "cursors, spans, seeking, putting back");
    PROVE(push_all, "several chains go back at once");
    PROVE(guest_spans, "guest addresses of a device's protocol are checked");
    PROVE(resets_in_flight, "2.4.1, 2.6.1.1: MUST NOT touch queues or buffers after a reset; late requests");
    PROVE(reset_floods, "chains that never come back are bounded, and made up for");
#ifdef RVVM_COMPAT_RVKIT
    PROVE(snapshots, "a snapshot keeps requests that are out");
#endif
    return rig_finish("virtq");
}
