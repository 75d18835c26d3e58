/* SPDX-License-Identifier: MPL-2.0 */
/*
 * libFuzzer target: a guest, and programs of the host, that do their worst to the socket device.
 * Each stream that the device takes must be closed once, and no stream is touched after that.
 */
#include "devices/virtio_vsock.h"
#include "devices/vsock_packet.h"
#include "stream_rig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { STREAMS = 16 };

typedef struct {
    bool live;
    uint64_t id;
    size_t input, room;
    bool end, gone;
} stream_t;

static stream_t stream[STREAMS];
static vsock_guest_t guest;
static unsigned refuse;
static uint32_t sink;

static stream_t *fresh(void)
{
    for (unsigned i = 0; i < STREAMS; i++) {
        if (!stream[i].live) {
            stream[i] = (stream_t){.live = true, .room = 100};
            return &stream[i];
        }
    }
    return NULL;
}

static stream_t *check(void *opaque)
{
    stream_t *s = opaque;
    if (!s->live) {
        abort();
    }
    return s;
}

static void host_attach(void *opaque, const vsock_guest_t *g)
{
    (void)opaque;
    guest = *g;
}

static void *host_connect(void *opaque, uint32_t port, uint64_t id)
{
    (void)opaque;
    stream_t *s = port % 7 == 0 || refuse ? NULL : fresh();
    if (s) {
        s->id = id;
    }
    return s;
}

static void host_accepted(void *s, uint32_t port)
{
    check(s);
    sink += port;
}

static ptrdiff_t host_read(void *opaque, void *buf, size_t len)
{
    stream_t *s = check(opaque);
    len = len < s->input ? len : s->input;
    memset(buf, 'y', len);
    s->input -= len;
    return len ? (ptrdiff_t)len : s->end ? -1 : 0;
}

static ptrdiff_t host_write(void *opaque, const void *buf, size_t len)
{
    stream_t *s = check(opaque);
    if (s->gone) {
        return -1;
    }
    len = len < s->room ? len : s->room;
    for (size_t i = 0; i < len; i++) {
        sink += ((const uint8_t *)buf)[i];
    }
    s->room -= len;
    return (ptrdiff_t)len;
}

static void host_want(void *s, unsigned events)
{
    check(s);
    sink += events;
}

static void host_shutdown(void *s, bool reads, bool writes)
{
    check(s);
    sink += reads + writes;
}

static void host_close(void *s)
{
    check(s)->live = false;
}

static void host_free(void *opaque)
{
    (void)opaque;
}

static const vsock_host_t host = {NULL,       host_attach, host_connect,  host_accepted, host_read,
                                  host_write, host_want,   host_shutdown, host_close,    host_free};

/* A packet that is nearly right. */
static void packet(vd_t *vd, rig_t *in)
{
    uint8_t header[VSOCK_HDR];
    unsigned op = rig_next(in), len = rig_next(in);
    const vsock_hdr_t hdr = {
        .src_cid = op & 0x80 ? rig_next(in) : 3,
        .dst_cid = 2,
        .src_port = op >> 4 & 3,
        .dst_port = rig_next(in) % 16 + (op & 0x40 ? 0x40000000u : 0),
        .len = len & 1 ? len >> 1 : len << 10,
        .type = len == 0xFF ? 2 : 1,
        .op = (uint16_t)(op % 9),
        .flags = rig_next(in),
        .buf_alloc = rig_next(in) << 6,
        .fwd_cnt = rig_next(in),
    };
    vsock_hdr_write(header, &hdr);
    rig_chain(vd, 1, in, header, sizeof(header));
}

static void host_event(rig_t *in)
{
    stream_t *s = &stream[rig_next(in) % STREAMS];
    unsigned what = rig_next(in);
    s->input += what & 1 ? rig_next(in) * 16u : 0;
    s->room += what & 2 ? rig_next(in) * 16u : 0;
    s->end |= what & 8;
    s->gone |= what & 16;
    guest.event(guest.opaque, s->id, what & 7);
}

static void host_offer(rig_t *in)
{
    stream_t *s = fresh();
    if (s) {
        s->id = guest.offer(guest.opaque, s, rig_next(in) & 3);
        s->live = s->id != 0 && s->live;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static vd_t vd;
    rig_t in = {.data = data, .size = size};
    virtio_desc_t desc;
    rvvm_set_loglevel(0);
    memset(stream, 0, sizeof(stream));
    refuse = 0;
    if (!virtio_vsock_describe(&desc, &host, 3)) {
        return 0;
    }
    if (rig_start(&vd, &in, &desc)) {
        while (in.size) {
            unsigned op = rig_next(&in);
            switch (op % 8) {
            case 0:
                host_offer(&in);
                break;
            case 1:
                host_event(&in);
                break;
            case 2:
                rig_common(&vd, &in, 3);
                break;
            case 3:
                rig_chain(&vd, op / 8 % 3, &in, NULL, 0);
                break;
            case 4:
            case 5:
                rig_chain(&vd, 0, &in, NULL, 0);
                break;
            default:
                packet(&vd, &in);
                break;
            }
            rig_reclaim(&vd);
        }
    }
    vd_close(&vd);
    for (unsigned i = 0; i < STREAMS; i++) {
        if (stream[i].live) {
            abort();
        }
    }
    return 0;
}
