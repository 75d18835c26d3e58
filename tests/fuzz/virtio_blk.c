/* SPDX-License-Identifier: MPL-2.0 */
/*
 * libFuzzer target: requests of any shape to a block device whose back end answers at once, later, in part
 * or with errors; configuration writes; resets in between. What reaches the back end lies on the medium
 * (blk_rig.h ends the run otherwise), and every chain comes back.
 */
#include "device/blk_rig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct {
    const uint8_t *at, *end;
    unsigned out;   /* chains that were made available and not yet seen used */
    unsigned slots; /* at most so many descriptors are in use */
} input_t;

static uint32_t take(input_t *in, unsigned bytes)
{
    uint32_t val = 0;
    while (bytes--) {
        val = val << 8 | (in->at < in->end ? *in->at++ : 0);
    }
    return val;
}

static void reap(input_t *in)
{
    uint16_t id;
    uint32_t used;
    while (vd_used(&vd, 0, &id, &used)) {
        if (in->out-- == 0) {
            abort();
        }
    }
    if (!mem.held_count && in->out && !vd_broken(&vd)) {
        abort(); /* one got lost */
    }
    in->slots = in->out ? in->slots : 0;
}

/* A header of any kind, near the edges of what is allowed more often than not. */
static void put_header(input_t *in)
{
    static const uint32_t types[] = {0, 1, 4, 8, 11, 13, 2, 0x80000001};
    uint8_t pick = (uint8_t)take(in, 1);
    uint64_t sector = take(in, 1);
    sector += pick & 0x40 ? UINT64_C(0x007FFFFFFFFFFF80) : pick & 0x20 ? 200 : 0;
    blk_put_header(types[pick & 7], sector);
    uint8_t *range = vd_ptr(&vd, blk_data);
    for (unsigned i = 0; i < 4 && pick & 0x10; i++) {
        util_put_le64(range + 16 * i, take(in, 1));
        util_put_le32(range + 16 * i + 8, take(in, 1));
        util_put_le32(range + 16 * i + 12, take(in, 1) & 3);
    }
}

static void request(input_t *in)
{
    vd_buf_t buf[12];
    uint8_t shape = (uint8_t)take(in, 1);
    unsigned count = 0;
    put_header(in);
    if (shape & 1) {
        buf[count++] = (vd_buf_t){blk_header, 16, false};
    }
    bool write = shape & 2;
    for (unsigned i = shape >> 2 & 7; i; i--) {
        uint32_t len = take(in, 2);
        len = len & 0x8000 ? len & 0x7FFF : (len & 15) * 512;
        if (len) {
            buf[count++] = (vd_buf_t){blk_data + take(in, 1), len, write};
        }
    }
    if (shape & 32) {
        buf[count++] = (vd_buf_t){blk_status, 1, true};
    }
    if (!count || in->slots + count > vd.queue[0].size) {
        return;
    }
    in->slots += count;
    if (shape & 64 && vd.features & VIRTIO_F_INDIRECT_DESC && vd.heap < RVVM_DEFAULT_MEMBASE + (3 << 20)) {
        vd_add_indirect(&vd, 0, buf, count);
    } else {
        vd_add(&vd, 0, buf, count);
    }
    in->out++;
    if (!(shape & 128)) {
        vd_kick(&vd, 0);
        reap(in);
    }
}

static void restart(input_t *in)
{
    uint64_t features = take(in, 2) & 0x7FFF & vd_offered(&vd);
    uint8_t ring = (uint8_t)take(in, 1);
    features |= V1 | (ring & 1 ? VIRTIO_F_RING_PACKED : 0) | (ring & 2 ? VIRTIO_F_EVENT_IDX : 0) |
                (ring & 4 ? VIRTIO_F_INDIRECT_DESC : 0);
    if (vd.heap < RVVM_DEFAULT_MEMBASE + (3 << 20)) {
        vd_start_sized(&vd, features, (uint16_t)(8 << (ring >> 3 & 3)));
        in->out = in->slots = 0;
    }
}

static void act(input_t *in)
{
    uint8_t what = (uint8_t)take(in, 1);
    switch (what & 7) {
    case 0: restart(in); break;
    case 1: mem.hold = what & 8; mem.copies = what & 16; mem.fails = what & 32; break;
    case 2: mem_release(); vd_kick(&vd, 0); reap(in); break;
    case 3: {
        uint8_t bytes[4];
        util_put_le32(bytes, take(in, 4));
        vd_config_write(&vd, (take(in, 1) & 0x3F) * 4 & 0xFC, bytes, 4, what & 8 ? 1 : 4);
        break;
    }
    default: request(in); break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint64_t heap;
    input_t in = {data, data + size, 0, 0};
    if (!vd.machine) {
        const virtio_blk_backend_t backend = mem_backend();
        blk_attach(&backend, 1, 0);
        rvvm_set_loglevel(0);
        heap = vd.heap;
    }
    vd.heap = heap;
    mem.hold = mem.copies = mem.fails = false;
    restart(&in);
    while (in.at < in.end) {
        act(&in);
    }
    mem.hold = false;
    mem_release();
    if (!vd_broken(&vd)) {
        vd_kick(&vd, 0);
        reap(&in);
    }
    return 0;
}
