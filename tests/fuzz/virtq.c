/* SPDX-License-Identifier: MPL-2.0 */
/*
 * libFuzzer target: any bytes as rings, descriptors and indirect tables, split and packed; the device
 * echoes, holds, completes in any order, and is reset in between. Nothing outside guest RAM may be touched
 * and every call must end. The machine lives for all runs. A sane exchange at the end shows that a reset heals the device.
 */
#include "device/virtio_probe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { WINDOW = 2048, STEPS = 200, SIZE = 16 };

typedef struct {
    const uint8_t *data;
    size_t left;
} input_t;

static uint32_t take(input_t *in, unsigned bytes)
{
    uint32_t val = 0;
    for (unsigned i = 0; i < bytes && in->left; i++, in->left--) {
        val |= (uint32_t)*in->data++ << (8 * i);
    }
    return val;
}

/* A descriptor whose address is often RAM. */
static void put_desc(vd_t *vd, input_t *in, uint64_t table)
{
    uint32_t how = take(in, 1), index = take(in, 1);
    uint64_t addr = RVVM_DEFAULT_MEMBASE + (how & 1 ? take(in, 2) : take(in, 4));
    addr = how & 2 ? vd->queue[0].desc + (addr & 0xFFF) : how & 4 ? addr << 8 | addr : addr;
    uint32_t len = take(in, how & 8 ? 4 : 1);
    uint16_t w0 = (uint16_t)take(in, how & 16 ? 2 : 1), w1 = (uint16_t)take(in, how & 32 ? 2 : 1);
    vd_desc_put(vd, table, index % (WINDOW / 32), addr, len, w0, w1);
}

/* A valid chain of a few buffers, so that what follows is deep. */
static void put_valid(vd_t *vd, input_t *in)
{
    vd_queue_t *q = &vd->queue[0];
    uint32_t how = take(in, 1);
    unsigned count = 1 + how % 3;
    vd_buf_t buf[3];
    for (unsigned i = 0; i < count; i++) {
        buf[i] = (vd_buf_t){q->desc + WINDOW + 64 * i, take(in, 1), i >= (how >> 2) % 4};
    }
    if (q->free_count >= count && vd->heap < RVVM_DEFAULT_MEMBASE + VD_RAM - 4096) {
        (how & 0x80 ? vd_add_indirect : vd_add)(vd, 0, buf, count);
    }
}

static void complete(probe_t *probe, input_t *in)
{
    if (!probe->holds) {
        return;
    }
    uint32_t what = take(in, 1);
    unsigned i = what % probe->holds;
    virtq_chain_t *chain = probe->held[i];
    probe->held[i] = probe->held[--probe->holds];
    virtq_t *vq = virtq_of(chain);
    virtq_span_t span;
    if (what & 0x40 && virtq_begin(chain)) {
        virtq_seek_writable(chain, what);
        while (virtq_next_writable(chain, 100, &span)) {
            *(volatile uint8_t *)span.ptr = 1;
            ((volatile uint8_t *)span.ptr)[span.len - 1] = 1;
        }
        virtq_end(chain);
    }
    if (what & 0x80) {
        virtq_unpop(chain);
    } else {
        virtq_push(chain, what);
    }
    virtq_notify(vq);
}

static void drop_all(probe_t *probe)
{
    while (probe->holds) {
        virtq_push(probe->held[--probe->holds], 0);
    }
}

static void step(vd_t *vd, probe_t *probe, input_t *in, uint64_t features)
{
    vd_queue_t *q = &vd->queue[0];
    uint32_t op = take(in, 1);
    switch (op % 10) {
    case 0:
        put_desc(vd, in, q->desc);
        break;
    case 1:
        put_desc(vd, in, q->desc + WINDOW);
        break;
    case 2:
        vd_put16(vd, q->driver + 2 * (uint64_t)(op >> 4), (uint16_t)take(in, 2));
        break;
    case 3:
        vd_put16(vd, q->driver + 2, (uint16_t)(vd_get16(vd, q->driver + 2) + (op >> 4)));
        break;
    case 4:
        vd_write(vd, VD_QUEUE_NOTIFY, 0);
        break;
    case 5:
        complete(probe, in);
        break;
    case 6:
        probe->hold = op & 16;
        break;
    case 7:
        put_valid(vd, in);
        break;
    case 8:
        vd_put16(vd, q->desc + take(in, 2) % WINDOW / 2 * 2, (uint16_t)take(in, 2));
        break;
    default:
        if (op > 240) {
            vd->heap = RVVM_DEFAULT_MEMBASE + 0x10000;
            vd_start_sized(vd, features, SIZE);
        }
        break;
    }
}

/* The device is well after a reset, whatever was before. */
static void heal(vd_t *vd, probe_t *probe, uint64_t features)
{
    uint32_t len = 0;
    drop_all(probe);
    probe->hold = false;
    vd->heap = RVVM_DEFAULT_MEMBASE + 0x10000;
    const vd_buf_t buf[2] = {{RVVM_DEFAULT_MEMBASE, 16, false}, {RVVM_DEFAULT_MEMBASE + 64, 16, true}};
    if (!vd_start_sized(vd, features, SIZE) || !vd_request(vd, 0, buf, 2, &len) || len != 16) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static vd_t vd;
    static probe_t probe;
    input_t in = {data, size};
    uint32_t how = take(&in, 1);
    uint64_t features = VIRTIO_F_VERSION_1 | (how & 1 ? VIRTIO_F_RING_PACKED : 0) |
                        (how & 2 ? VIRTIO_F_EVENT_IDX : 0) | (how & 4 ? VIRTIO_F_INDIRECT_DESC : 0) |
                        (how & 8 ? VIRTIO_F_IN_ORDER : 0);
    if (!vd.machine) {
        rvvm_set_loglevel(0);
        probe_up(&vd, &probe, VIRTIO_MMIO_IN_ORDER);
    }
    vd.heap = RVVM_DEFAULT_MEMBASE + 0x10000;
    probe.hold = false;
    vd_start_sized(&vd, features, SIZE);
    for (unsigned i = 0; i < STEPS && in.left; i++) {
        step(&vd, &probe, &in, features);
    }
    heal(&vd, &probe, features);
    return 0;
}
