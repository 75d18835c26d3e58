/* SPDX-License-Identifier: MPL-2.0 */
/*
 * libFuzzer target: a guest and a network that do their worst to the network card. The input is a list of
 * operations: transmit, feed, control commands, bytes written over rings and buffers, resets, link changes.
 */
#include "devices/virtio_net.h"
#include "../device/virtio_driver.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { RX, TX, CTRLQ, BUFFER = 4096 };

typedef struct {
    const uint8_t *data;
    size_t size;
} input_t;

static uint32_t sink;
static bool tidy; /* the rings are as the mock driver left them */
static unsigned busy;

static unsigned next(input_t *in)
{
    if (!in->size) {
        return 0;
    }
    in->size--;
    return *in->data++;
}

static size_t next_bytes(input_t *in, uint8_t *dst, size_t size)
{
    size = size < in->size ? size : in->size;
    memcpy(dst, in->data, size);
    in->data += size;
    in->size -= size;
    return size;
}

/* Reads every byte, so that what lies outside is noticed. */
static virtio_net_sent_t wire_send(void *opaque, const uint8_t *hdr, const uint8_t *frame, size_t size)
{
    (void)opaque;
    for (size_t i = 0; i < size; i++) {
        sink += frame[i];
    }
    if (hdr) {
        net_hdr_t h;
        net_hdr_load(&h, hdr);
        if ((h.flags & 1) && (size_t)h.csum_start + h.csum_offset + 2 > size) {
            abort();
        }
    }
    if (size > NET_FRAME_MAX || size < NET_FRAME_MIN) {
        abort();
    }
    return busy && --busy % 3 == 0 ? VIRTIO_NET_BUSY : VIRTIO_NET_SENT;
}

static virtio_net_t *card;

static void wire_attach(void *opaque, virtio_net_t *net)
{
    (void)opaque;
    card = net;
}

static void wire_wake(void *opaque)
{
    (void)opaque;
}

/* A frame: its first bytes from the input, often those of TCP, the rest repeated. */
static size_t make_frame(input_t *in, uint8_t *frame, size_t room)
{
    static const uint8_t tcp[] = {2, 0x72, 0x76, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45, 0, 0, 40, 0, 1, 0, 0, 64, 6,
                                  0, 0, 10, 0, 2, 15, 10, 0, 2, 2, 4, 1, 0, 80, 0, 0, 0, 1, 0, 0, 0, 1, 0x50, 0x10,
                                  1, 0, 0, 0, 0, 0};
    unsigned kind = next(in);
    size_t size = next(in) | (size_t)next(in) << 8, head = next(in) % 100;
    size = kind & 1 ? size : size % 2000;
    size = size < room ? size : room;
    memset(frame, (int)kind, size);
    if ((kind & 2) && size >= sizeof(tcp)) {
        memcpy(frame, tcp, sizeof(tcp));
        frame[16] = (uint8_t)((size - 14) >> 8);
        frame[17] = (uint8_t)(size - 14);
    }
    size_t at = kind & 4 ? next(in) % 80 : 0;
    if (at < size) {
        next_bytes(in, frame + at, head < size - at ? head : size - at);
    }
    return size;
}

static void transmit(vd_t *vd, uint64_t mem, input_t *in)
{
    uint8_t *p = vd_ptr(vd, mem);
    size_t header = next_bytes(in, p, 12);
    size_t size = make_frame(in, p + 12, 70000);
    unsigned cut = next(in);
    if (vd->queue[TX].free_count < 3) {
        return;
    }
    const vd_buf_t buf[2] = {{mem, (uint32_t)(header + cut), false},
                             {mem + header + cut, (uint32_t)(size > cut ? size - cut : 0), false}};
    vd_add(vd, TX, buf, buf[1].len ? 2 : 1);
    vd_kick(vd, TX);
}

static void receive(input_t *in, bool with_header)
{
    static uint8_t frame[70000];
    uint8_t header[NET_HDR_SIZE] = {0};
    if (with_header) {
        next_bytes(in, header, sizeof(header));
    }
    size_t size = make_frame(in, frame, sizeof(frame));
    unsigned repeat = 1 + next(in) % 4;
    for (unsigned i = 0; i < repeat; i++) {
        virtio_net_feed(card, with_header ? header : NULL, frame, size);
        unsigned step = size > 54 ? (unsigned)(size - 54) : 0, seq = (unsigned)frame[40] << 8 | frame[41];
        seq += step;
        frame[40] = (uint8_t)(seq >> 8);
        frame[41] = (uint8_t)seq;
    }
}

static void offer(vd_t *vd, uint64_t mem, input_t *in)
{
    unsigned count = 1 + next(in) % 8, len = next(in) * 16;
    for (unsigned i = 0; i < count && vd->queue[RX].free_count > 1; i++) {
        const vd_buf_t buf = {mem + i * BUFFER, len, true};
        vd_add(vd, RX, &buf, 1);
    }
    vd_kick(vd, RX);
}

static void command(vd_t *vd, uint64_t mem, input_t *in)
{
    if (vd->queue[CTRLQ].free_count < 3) {
        return;
    }
    unsigned len = next(in) * 3;
    next_bytes(in, vd_ptr(vd, mem), len < 64 ? len : 64);
    const vd_buf_t buf[2] = {{mem, len, false}, {mem + BUFFER, 1, true}};
    vd_add(vd, CTRLQ, len ? buf : buf + 1, len ? 2 : 1);
    vd_kick(vd, CTRLQ);
}

static void take_used(vd_t *vd)
{
    uint16_t id;
    uint32_t len;
    for (unsigned q = 0; q < 3 && tidy; q++) {
        for (unsigned i = 0; i < 64 && !vd_broken(vd) && vd_used(vd, q, &id, &len); i++) {
        }
    }
}

static void scribble(vd_t *vd, uint64_t mem, input_t *in)
{
    static const unsigned areas = 4;
    vd_queue_t *q = &vd->queue[next(in) % 3];
    tidy = false;
    unsigned where = next(in) % areas, offset = next(in) | (next(in) & 1) << 8;
    uint64_t base = where == 0 ? q->desc : where == 1 ? q->driver : where == 2 ? q->device : mem;
    if (base) {
        next_bytes(in, (uint8_t *)vd_ptr(vd, base) + offset, 1 + next(in) % 16);
    }
    vd_write(vd, VD_QUEUE_NOTIFY, next(in) % 3);
}

/* With features that do not go together: with none. */
static void start(vd_t *vd, uint64_t mem, uint64_t features)
{
    vd->heap = mem + 0x60000;
    if (!vd_start_sized(vd, features, 16)) {
        vd->heap = mem + 0x60000;
        vd_start_sized(vd, features & ~UINT64_C(0xffffff), 16);
    }
    tidy = true;
}

static void operation(vd_t *vd, uint64_t mem, input_t *in, uint64_t features)
{
    unsigned op = next(in);
    switch (op % 12) {
    case 0: case 1: transmit(vd, mem, in); break;
    case 2: case 3: receive(in, false); break;
    case 4: receive(in, true); break;
    case 5: offer(vd, mem + 0x20000, in); break;
    case 6: command(vd, mem + 0x40000, in); break;
    case 7: scribble(vd, mem, in); break;
    case 8: virtio_net_flush(card); break;
    case 9: virtio_net_serve(card); break;
    case 10: take_used(vd); break;
    default:
        virtio_net_set_link(card, op & 16);
        if (op & 32) {
            start(vd, mem, features);
        }
    }
}

/* One card for each kind of back end and interface; they live as long as the process. */
typedef struct {
    vd_t *vd;
    virtio_net_t *card;
    uint64_t mem;
} rig_t;

static void rig_make(rig_t *rig, unsigned caps, bool legacy, bool threaded)
{
    virtio_net_backend_t backend = {
        .caps = caps, .mtu = 1500, .attach = wire_attach, .send = wire_send,
        .wake = threaded ? wire_wake : NULL,
    };
    virtio_desc_t desc;
    rig->vd = calloc(1, sizeof(vd_t));
    vd_machine(rig->vd);
    if (!virtio_net_describe(&desc, &backend) ||
        !vd_attach(rig->vd, &desc, legacy ? VIRTIO_MMIO_LEGACY : 0)) {
        abort();
    }
    rig->card = card;
    rig->mem = vd_alloc(rig->vd, 0x60000);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static rig_t rigs[64];
    input_t in = {data, size};
    unsigned flags = next(&in), caps = next(&in) & 15;
    uint64_t features = next(&in) | next(&in) << 8 | next(&in) << 16;
    bool legacy = flags & 1;
    rig_t *rig = &rigs[caps * 4 + (flags & 3)];
    if (!rig->vd) {
        rig_make(rig, caps, legacy, flags & 2);
    }
    card = rig->card;
    busy = flags & 4 ? 1000 : 0;
    features &= vd_offered(rig->vd) & 0xffffff;
    features |= legacy ? 0 : VIRTIO_F_VERSION_1 | (flags & 8 ? VIRTIO_F_RING_PACKED : 0);
    memset(vd_ptr(rig->vd, rig->mem), 0, 0x60000);
    virtio_net_set_link(card, true);
    start(rig->vd, rig->mem, features);
    for (unsigned i = 0; i < 64 && in.size; i++) {
        operation(rig->vd, rig->mem, &in, features);
    }
    vd_write(rig->vd, VD_STATUS, 0);
    return 0;
}
