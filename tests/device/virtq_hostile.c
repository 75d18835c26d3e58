/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Drivers that break the rules of VirtIO 1.2 §2.7 and §2.8: each malformed ring stops its device with
 * DEVICE_NEEDS_RESET, that device alone, and a reset heals it.
 */
#include "virtio_probe.h"

#define V1 VIRTIO_F_VERSION_1
#define PACKED (V1 | VIRTIO_F_RING_PACKED)
#define INDIRECT VIRTIO_F_INDIRECT_DESC

enum { SIZE = 8, END = VD_RAM };

static vd_t vd;
static probe_t probe, neighbour;
static uint64_t mem;

static void up(void)
{
    probe_up(&vd, &probe, 0);
    mem = vd_alloc(&vd, 4096);
}

/* Starts the device, lets the case make its ring, notifies, and expects the end. */
static void hostile(uint64_t features, void (*make)(vd_queue_t *q))
{
    uint64_t heap = vd.heap;
    CHECK(vd_start_sized(&vd, features, SIZE));
    make(&vd.queue[0]);
    vd_write(&vd, VD_QUEUE_NOTIFY, 0);
    CHECK(vd_broken(&vd));
    CHECK(vd_read(&vd, VD_INTERRUPT_STATUS) & 2);
    CHECK(vd_irq(&vd));
    const vd_buf_t buf = {mem, 16, true};
    uint32_t len = 0;
    CHECK(!vd_request(&vd, 1, &buf, 1, &len)); /* its other queues stop too */
    vd.heap = heap;
    CHECK(vd_start_sized(&vd, features, SIZE));
    CHECK(vd_request(&vd, 0, &buf, 1, &len));
    vd.heap = heap;
}

static void put(vd_queue_t *q, unsigned i, uint64_t addr, uint32_t len, uint16_t flags, uint16_t next)
{
    vd_desc_put(&vd, q->desc, i, addr, len, flags, next);
}

/* --- Split --- */

static void loop_self(vd_queue_t *q)
{
    put(q, 0, mem, 16, VD_F_NEXT, 0);
    vd_offer(&vd, 0, 0);
}

static void loop_of_two(vd_queue_t *q)
{
    put(q, 3, mem, 16, VD_F_NEXT, 5);
    put(q, 5, mem, 16, VD_F_NEXT, 3);
    vd_offer(&vd, 0, 3);
}

static void loop_of_nothing(vd_queue_t *q)
{
    put(q, 0, mem, 0, VD_F_NEXT, 0);
    vd_offer(&vd, 0, 0);
}

static void next_outside(vd_queue_t *q)
{
    put(q, SIZE, mem, 16, 0, 0);
    put(q, 0, mem, 16, VD_F_NEXT, SIZE);
    vd_offer(&vd, 0, 0);
}

static void head_outside(vd_queue_t *q)
{
    put(q, SIZE, mem, 16, 0, 0);
    vd_offer(&vd, 0, SIZE);
}

static void index_jumps(vd_queue_t *q)
{
    put(q, 0, mem, 16, 0, 0);
    vd_put16(&vd, q->driver + 2, SIZE + 1);
}

static void index_goes_back(vd_queue_t *q)
{
    vd_put16(&vd, q->driver + 2, 0xFFFF);
}

static void addr_below(vd_queue_t *q)
{
    put(q, 0, RVVM_DEFAULT_MEMBASE - 8, 16, 0, 0);
    vd_offer(&vd, 0, 0);
}

static void addr_device(vd_queue_t *q)
{
    put(q, 0, VIRTIO_MMIO_DEFAULT_ADDR, 16, VD_F_WRITE, 0);
    vd_offer(&vd, 0, 0);
}

static void addr_end(vd_queue_t *q)
{
    put(q, 0, RVVM_DEFAULT_MEMBASE + END - 8, 9, VD_F_WRITE, 0);
    vd_offer(&vd, 0, 0);
}

static void addr_wraps(vd_queue_t *q)
{
    put(q, 0, UINT64_MAX - 7, 16, 0, 0);
    vd_offer(&vd, 0, 0);
}

static void addr_high(vd_queue_t *q)
{
    put(q, 0, (UINT64_C(1) << 32) + RVVM_DEFAULT_MEMBASE, 16, 0, 0);
    vd_offer(&vd, 0, 0);
}

static void addr_zero_length(vd_queue_t *q)
{
    put(q, 0, RVVM_DEFAULT_MEMBASE + END + 1, 0, 0, 0);
    vd_offer(&vd, 0, 0);
}

static void len_huge(vd_queue_t *q)
{
    put(q, 0, mem, UINT32_MAX, VD_F_WRITE, 0);
    vd_offer(&vd, 0, 0);
}

static void readable_after_writable(vd_queue_t *q)
{
    put(q, 0, mem, 16, VD_F_WRITE | VD_F_NEXT, 1);
    put(q, 1, mem, 16, 0, 0);
    vd_offer(&vd, 0, 0);
}

/* More heads than the queue can have out; the device holds them all. */
static void too_many_out(vd_queue_t *q)
{
    probe.hold = true;
    probe.holds = 0;
    put(q, 0, mem, 16, VD_F_WRITE, 0);
    for (unsigned i = 0; i <= SIZE; i++) {
        vd_offer(&vd, 0, 0);
        if (i < SIZE) {
            vd_write(&vd, VD_QUEUE_NOTIFY, 0);
            CHECK(!vd_broken(&vd));
        }
    }
    probe.hold = false;
}

static void indirect_not_negotiated(vd_queue_t *q)
{
    const vd_buf_t buf = {mem, 16, false};
    put(q, 0, vd_table(&vd, &buf, 1), 16, VD_F_INDIRECT, 0);
    vd_offer(&vd, 0, 0);
}

static void indirect_nested(vd_queue_t *q)
{
    const vd_buf_t buf = {mem, 16, false};
    uint64_t inner = vd_table(&vd, &buf, 1), outer = vd_alloc(&vd, 16);
    vd_desc_put(&vd, outer, 0, inner, 16, VD_F_INDIRECT, 0);
    put(q, 0, outer, 16, VD_F_INDIRECT, 0);
    vd_offer(&vd, 0, 0);
}

static void indirect_of_itself(vd_queue_t *q)
{
    put(q, 0, q->desc, 16, VD_F_INDIRECT, 0);
    vd_offer(&vd, 0, 0);
}

static void indirect_and_next(vd_queue_t *q)
{
    const vd_buf_t buf = {mem, 16, false};
    put(q, 0, vd_table(&vd, &buf, 1), 16, VD_F_INDIRECT | VD_F_NEXT, 1);
    put(q, 1, mem, 16, 0, 0);
    vd_offer(&vd, 0, 0);
}

static void indirect_empty(vd_queue_t *q)
{
    put(q, 0, mem, 0, VD_F_INDIRECT, 0);
    vd_offer(&vd, 0, 0);
}

static void indirect_odd(vd_queue_t *q)
{
    const vd_buf_t buf = {mem, 16, false};
    put(q, 0, vd_table(&vd, &buf, 1), 24, VD_F_INDIRECT, 0);
    vd_offer(&vd, 0, 0);
}

static void indirect_huge(vd_queue_t *q)
{
    const vd_buf_t buf = {mem, 16, false};
    put(q, 0, vd_table(&vd, &buf, 1), 16 * (VIRTQ_CHAIN_MAX + 1), VD_F_INDIRECT, 0);
    vd_offer(&vd, 0, 0);
}

static void indirect_outside(vd_queue_t *q)
{
    put(q, 0, RVVM_DEFAULT_MEMBASE + END - 16, 32, VD_F_INDIRECT, 0);
    vd_offer(&vd, 0, 0);
}

static void indirect_next_outside(vd_queue_t *q)
{
    uint64_t table = vd_alloc(&vd, 48);
    vd_desc_put(&vd, table, 0, mem, 16, VD_F_NEXT, 2);
    vd_desc_put(&vd, table, 2, mem, 16, 0, 0);
    put(q, 0, table, 32, VD_F_INDIRECT, 0);
    vd_offer(&vd, 0, 0);
}

static void indirect_loop(vd_queue_t *q)
{
    uint64_t table = vd_alloc(&vd, 32);
    vd_desc_put(&vd, table, 0, mem, 16, VD_F_NEXT, 1);
    vd_desc_put(&vd, table, 1, mem, 16, VD_F_NEXT, 0);
    put(q, 0, table, 32, VD_F_INDIRECT, 0);
    vd_offer(&vd, 0, 0);
}

/* 1024 buffers of almost 4 MiB: 2^32 bytes is the most (§2.7.5). */
static void chain_of_4_gib(vd_queue_t *q)
{
    uint64_t table = vd_alloc(&vd, 16 * 1024);
    for (unsigned i = 0; i < 1024; i++) {
        vd_desc_put(&vd, table, i, RVVM_DEFAULT_MEMBASE, VD_RAM, i < 1023 ? VD_F_NEXT : 0,
                    (uint16_t)(i + 1));
    }
    vd_desc_put(&vd, table, 1022, RVVM_DEFAULT_MEMBASE, VD_RAM, VD_F_NEXT, 1023);
    put(q, 0, mem, 16, VD_F_NEXT, 1);
    put(q, 1, table, 16 * 1024, VD_F_INDIRECT, 0);
    vd_offer(&vd, 0, 0);
}

TEST(split_rings)
{
    static void (*const cases[])(vd_queue_t *) = {
        loop_self, loop_of_two, loop_of_nothing, next_outside, head_outside, index_jumps,
        index_goes_back, addr_below, addr_device, addr_end, addr_wraps, addr_high, addr_zero_length,
        len_huge, readable_after_writable, too_many_out, indirect_not_negotiated};
    up();
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        hostile(V1, cases[i]);
    }
    CHECK_EQ(SIZE, probe.holds);
    probe_down(&vd, &probe);
}

TEST(split_indirect)
{
    static void (*const cases[])(vd_queue_t *) = {
        indirect_nested, indirect_of_itself, indirect_and_next, indirect_empty, indirect_odd,
        indirect_huge, indirect_outside, indirect_next_outside, indirect_loop, chain_of_4_gib};
    up();
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        hostile(V1 | INDIRECT, cases[i]);
    }
    probe_down(&vd, &probe);
}

/* --- Packed --- */

static void packed_all_next(vd_queue_t *q)
{
    for (unsigned i = SIZE; i-- > 0;) {
        put(q, i, mem, 16, 0, VD_F_NEXT | VD_F_AVAIL);
    }
}

static void packed_indirect_in_chain(vd_queue_t *q)
{
    put(q, 1, mem, 16, 0, VD_F_INDIRECT | VD_F_AVAIL);
    put(q, 0, mem, 16, 0, VD_F_NEXT | VD_F_AVAIL);
}

static void packed_indirect_and_next(vd_queue_t *q)
{
    put(q, 0, mem, 16, 0, VD_F_INDIRECT | VD_F_NEXT | VD_F_AVAIL);
}

static void packed_nested(vd_queue_t *q)
{
    uint64_t table = vd_alloc(&vd, 16);
    vd_desc_put(&vd, table, 0, mem, 16, 0, VD_F_INDIRECT);
    put(q, 0, table, 16, 0, VD_F_INDIRECT | VD_F_AVAIL);
}

static void packed_bad_table(vd_queue_t *q)
{
    const vd_buf_t buf = {mem, 16, false};
    put(q, 0, vd_table(&vd, &buf, 1), 17, 0, VD_F_INDIRECT | VD_F_AVAIL);
}

static void packed_outside(vd_queue_t *q)
{
    put(q, 0, 0x1000, 16, 0, VD_F_AVAIL | VD_F_WRITE);
}

static void packed_order(vd_queue_t *q)
{
    put(q, 1, mem, 16, 0, VD_F_AVAIL);
    put(q, 0, mem, 16, 0, VD_F_AVAIL | VD_F_WRITE | VD_F_NEXT);
}

/* The driver makes the whole ring available a second time while the first lap is still out. */
static void packed_second_lap(vd_queue_t *q)
{
    probe.hold = true;
    for (unsigned i = 0; i < SIZE; i++) {
        put(q, i, mem, 16, (uint16_t)i, VD_F_AVAIL | VD_F_WRITE);
    }
    vd_write(&vd, VD_QUEUE_NOTIFY, 0);
    CHECK(!vd_broken(&vd));
    put(q, 0, mem, 16, 0, VD_F_USED | VD_F_WRITE);
    vd_write(&vd, VD_QUEUE_NOTIFY, 0);
    probe.hold = false;
}

/* The same with chains of two: fewer chains than the queue is long, and more descriptors. */
static void packed_second_lap_pairs(vd_queue_t *q)
{
    probe.hold = true;
    for (unsigned i = SIZE; i-- > 0;) {
        put(q, i, mem, 16, (uint16_t)i, VD_F_AVAIL | VD_F_WRITE | (i % 2 ? 0 : VD_F_NEXT));
    }
    vd_write(&vd, VD_QUEUE_NOTIFY, 0);
    CHECK(!vd_broken(&vd));
    put(q, 0, mem, 16, 0, VD_F_USED | VD_F_WRITE);
    vd_write(&vd, VD_QUEUE_NOTIFY, 0);
    probe.hold = false;
}

TEST(packed_rings)
{
    static void (*const cases[])(vd_queue_t *) = {packed_all_next, packed_outside, packed_order,
                                                  packed_second_lap, packed_second_lap_pairs};
    static void (*const indirect[])(vd_queue_t *) = {packed_indirect_in_chain, packed_nested,
                                                     packed_indirect_and_next, packed_bad_table};
    up();
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        hostile(PACKED, cases[i]);
    }
    for (unsigned i = 0; i < sizeof(indirect) / sizeof(indirect[0]); i++) {
        hostile(PACKED | INDIRECT, indirect[i]);
    }
    hostile(PACKED, packed_bad_table); /* not negotiated */
    probe_down(&vd, &probe);
}

/* What looks odd and is allowed. */
TEST(allowed)
{
    up();
    CHECK(vd_start_sized(&vd, V1 | INDIRECT, SIZE));
    vd_buf_t buf[SIZE];
    uint32_t len = 0;
    for (unsigned i = 0; i < SIZE; i++) {
        buf[i] = (vd_buf_t){RVVM_DEFAULT_MEMBASE + END - 1, 1, i >= SIZE / 2};
    }
    CHECK(vd_request(&vd, 0, buf, SIZE, &len)); /* as long as the queue, and the last byte of RAM */
    uint64_t table = vd_alloc(&vd, 16 * VIRTQ_CHAIN_MAX + 16) + 3; /* tables need no alignment */
    for (unsigned i = 0; i < VIRTQ_CHAIN_MAX; i++) {
        vd_desc_put(&vd, table, i, mem, 4, i + 1 < VIRTQ_CHAIN_MAX ? VD_F_NEXT : VD_F_WRITE,
                    (uint16_t)(i + 1));
    }
    vd_buf_t indirect = {table, 16 * VIRTQ_CHAIN_MAX, false};
    uint16_t id = 0;
    vd_add_split(&vd, 0, &indirect, 1, VD_F_INDIRECT);
    vd_kick(&vd, 0);
    CHECK(vd_used(&vd, 0, &id, &len));
    CHECK_EQ(4, len);
    CHECK(!vd_broken(&vd));
    probe_down(&vd, &probe);
}

/* Chains that are out when the ring turns out to be malformed are stale, and a neighbour goes on. */
TEST(alone)
{
    up();
    memset(&neighbour, 0, sizeof(neighbour));
    const virtio_desc_t desc = probe_desc(&neighbour);
    static vd_t other;
    other = vd;
    other.mmio = virtio_mmio_init_auto(vd.machine, &desc, 0);
    other.heap += 1 << 20;
    CHECK(vd_start(&other, V1));
    CHECK(vd_start_sized(&vd, V1, SIZE));
    probe.hold = true;
    const vd_buf_t buf = {mem, 16, true};
    vd_add(&vd, 0, &buf, 1);
    vd_kick(&vd, 0);
    CHECK_EQ(1, probe.holds);
    vd_put16(&vd, vd.queue[0].driver + 2, 100);
    vd_write(&vd, VD_QUEUE_NOTIFY, 0);
    CHECK(vd_broken(&vd));
    CHECK(!virtq_live(probe.held[0]));
    CHECK_EQ(0, virtq_write(probe.held[0], "x", 1));
    CHECK(!probe_complete(&probe, 0, 1));
    uint16_t id = 0;
    uint32_t len = 0;
    CHECK(!vd_used(&vd, 0, &id, &len));
    CHECK(!vd_broken(&other));
    CHECK(vd_request(&other, 0, &buf, 1, &len));
    probe_down(&vd, &probe);
}

int main(void)
{
    PROVE(split_rings, "2.7: loops, indices, addresses, lengths, order (split): DEVICE_NEEDS_RESET");
    PROVE(split_indirect, "2.7.5.3: indirect tables: nested, empty, odd, huge, outside, loops, 4 GiB");
    PROVE(packed_rings, "2.8: endless and overlapping chains, indirect in chains (packed)");
    PROVE(allowed, "as long as the queue; an indirect table of 1024 at an odd address");
    PROVE(alone, "a malformed queue stops its device alone; chains that are out are stale");
    return rig_finish("virtq, hostile drivers");
}
