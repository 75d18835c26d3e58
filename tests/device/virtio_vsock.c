/* SPDX-License-Identifier: MPL-2.0 */
/* The socket device's rules: VirtIO 1.2 §5.10. */
#include "devices/virtio_vsock.h"
#include "devices/vsock_packet.h"
#include "virtio_driver.h"

#define V1 VIRTIO_F_VERSION_1

enum {
    RXQ,
    TXQ,
    EVENTQ,
    GUEST = 42,
    PORT = 1024,
    STREAMS = 4,
    BUFFERS = 32,
    ROOM = 70000,
    LINE = 1 << 18
};

/* A program of the host, at the other end of a stream. */
typedef struct {
    uint64_t id;
    uint32_t port; /* that it listens on, or that it was told */
    const uint8_t *say;
    size_t said, say_size, heard, room;
    uint8_t last;
    unsigned wanted, closes, accepts;
    bool end, gone, no_reads, no_writes;
} end_t;

static vd_t vd;
static end_t end[STREAMS];
static unsigned ends, frees, refuse;
static vsock_guest_t guest;
static uint64_t rx_mem;
static unsigned rx_at;

static void host_attach(void *opaque, const vsock_guest_t *g)
{
    (void)opaque;
    guest = *g;
}

static end_t *fresh(void)
{
    end_t *e = &end[ends++];
    *e = (end_t){.room = LINE};
    return e;
}

static void *host_connect(void *opaque, uint32_t port, uint64_t id)
{
    (void)opaque;
    if (refuse || ends == STREAMS) {
        return NULL;
    }
    end_t *e = fresh();
    e->id = id;
    e->port = port;
    return e;
}

static void host_accepted(void *opaque, uint32_t port)
{
    ((end_t *)opaque)->accepts++;
    ((end_t *)opaque)->port = port;
}

static ptrdiff_t host_read(void *opaque, void *buf, size_t len)
{
    end_t *e = opaque;
    size_t left = e->say_size - e->said;
    len = len < left ? len : left;
    memcpy(buf, e->say + e->said, len);
    e->said += len;
    return len ? (ptrdiff_t)len : e->end ? -1 : 0;
}

static ptrdiff_t host_write(void *opaque, const void *buf, size_t len)
{
    end_t *e = opaque;
    if (e->gone) {
        return -1;
    }
    len = len < e->room ? len : e->room;
    if (len) {
        e->last = ((const uint8_t *)buf)[len - 1];
    }
    e->heard += len;
    e->room -= len;
    return (ptrdiff_t)len;
}

static void host_want(void *opaque, unsigned events)
{
    ((end_t *)opaque)->wanted |= events;
}

static void host_shutdown(void *opaque, bool reads, bool writes)
{
    ((end_t *)opaque)->no_reads |= reads;
    ((end_t *)opaque)->no_writes |= writes;
}

static void host_close(void *opaque)
{
    ((end_t *)opaque)->closes++;
}

static void host_free(void *opaque)
{
    (void)opaque;
    frees++;
}

static void give_buffers(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        const vd_buf_t buf = {rx_mem + (uint64_t)ROOM * i, ROOM, true};
        vd_add(&vd, RXQ, &buf, 1);
    }
    vd_kick(&vd, RXQ);
}

static void up(uint64_t features, unsigned flags)
{
    static const vsock_host_t host = {NULL,       host_attach, host_connect, host_accepted,
                                      host_read,  host_write,  host_want,    host_shutdown,
                                      host_close, host_free};
    virtio_desc_t desc;
    ends = frees = refuse = rx_at = 0;
    vd_machine(&vd);
    CHECK(virtio_vsock_describe(&desc, &host, GUEST));
    CHECK(vd_attach(&vd, &desc, flags));
    CHECK(vd_start(&vd, features));
    rx_mem = vd_alloc(&vd, (size_t)BUFFERS * ROOM);
    give_buffers(BUFFERS);
}

static void down(void)
{
    vd_close(&vd);
    for (unsigned i = 0; i < ends; i++) {
        CHECK_EQ(1, end[i].closes);
    }
    CHECK_EQ(1, frees);
}

static vsock_hdr_t packet(unsigned op)
{
    return (vsock_hdr_t){.src_cid = GUEST,
                         .dst_cid = 2,
                         .src_port = 5000,
                         .dst_port = PORT,
                         .type = 1,
                         .op = (uint16_t)op,
                         .buf_alloc = 65536};
}

/* Sends a packet whose data are `size` times `byte`. */
static void send(vsock_hdr_t hdr, size_t size, uint8_t byte)
{
    static uint64_t mem;
    uint32_t len = 1;
    mem = vd_alloc(&vd, VSOCK_HDR + size);
    hdr.len = hdr.len ? hdr.len : (uint32_t)size;
    vsock_hdr_write(vd_ptr(&vd, mem), &hdr);
    memset((uint8_t *)vd_ptr(&vd, mem) + VSOCK_HDR, byte, size);
    const vd_buf_t buf = {mem, (uint32_t)(VSOCK_HDR + size), false};
    CHECK(vd_request(&vd, TXQ, &buf, 1, &len));
    CHECK_EQ(0, len);
}

/* The next packet to the driver, whose data follow; buffers are used in order. False: there is
 * none. */
static bool receive(vsock_hdr_t *hdr, const uint8_t **data)
{
    uint16_t id = 0;
    uint32_t len = 0;
    if (!vd_used(&vd, RXQ, &id, &len)) {
        return false;
    }
    const uint8_t *p = vd_ptr(&vd, rx_mem + (uint64_t)ROOM * rx_at++);
    vsock_hdr_read(p, hdr);
    CHECK_EQ(len, VSOCK_HDR + hdr->len);
    CHECK_EQ(2, hdr->src_cid);
    CHECK_EQ(GUEST, hdr->dst_cid);
    if (data) {
        *data = p + VSOCK_HDR;
    }
    return true;
}

static vsock_hdr_t expect(unsigned op)
{
    vsock_hdr_t hdr = {.op = 0xFFFF};
    CHECK(receive(&hdr, NULL));
    CHECK_EQ(op, hdr.op);
    return hdr;
}

static void expect_nothing(void)
{
    vsock_hdr_t hdr;
    CHECK(!receive(&hdr, NULL));
}

/* A connection from the guest; its host's half is end[0]. */
static void connected(uint64_t features, unsigned flags)
{
    up(features, flags);
    send(packet(VSOCK_OP_REQUEST), 0, 0);
    vsock_hdr_t hdr = expect(VSOCK_OP_RESPONSE);
    CHECK_EQ(PORT, hdr.src_port);
    CHECK_EQ(5000, hdr.dst_port);
    CHECK_EQ(1, hdr.type);
    CHECK_EQ(VIRTIO_VSOCK_BUFFER, hdr.buf_alloc);
    CHECK_EQ(0, hdr.fwd_cnt);
    CHECK_EQ(PORT, end[0].port);
}

static void host_says(const void *bytes, size_t size)
{
    end[0].say = bytes;
    end[0].said = 0;
    end[0].say_size = size;
    guest.event(guest.opaque, end[0].id, VSOCK_READABLE);
}

TEST(identity)
{
    uint8_t cid[8];
    up(V1, 0);
    CHECK_EQ(19, vd_read(&vd, VD_DEVICE_ID));
    vd_config_read(&vd, 0, cid, 8, 4);
    CHECK_EQ(GUEST, read_uint64_le_m(cid));
    vd_write(&vd, VD_QUEUE_SEL, 3);
    CHECK_EQ(0, vd_read(&vd, VD_QUEUE_NUM_MAX));
    down();
}

static void streams(uint64_t features, unsigned flags)
{
    vsock_hdr_t hdr;
    const uint8_t *data = NULL;
    connected(features, flags);
    send(packet(VSOCK_OP_RW), 1000, 'g');
    CHECK_EQ(1000, end[0].heard);
    CHECK_EQ('g', end[0].last);
    host_says("hello", 5);
    CHECK(receive(&hdr, &data));
    CHECK_EQ(VSOCK_OP_RW, hdr.op);
    CHECK_EQ(5, hdr.len);
    CHECK_EQ(1000, hdr.fwd_cnt);
    CHECK(data && !memcmp(data, "hello", 5));
    CHECK(end[0].wanted & VSOCK_READABLE);
    send(packet(VSOCK_OP_RST), 0, 0);
    CHECK_EQ(1, end[0].closes);
    expect_nothing();
    down();
}

TEST(streams_split)
{
    streams(V1, 0);
}

TEST(streams_packed)
{
    streams(V1 | VIRTIO_F_RING_PACKED, 0);
}

TEST(streams_legacy)
{
    streams(0, VIRTIO_MMIO_LEGACY);
}

TEST(refused)
{
    up(V1, 0);
    refuse = 1;
    send(packet(VSOCK_OP_REQUEST), 0, 0);
    vsock_hdr_t hdr = expect(VSOCK_OP_RST);
    CHECK_EQ(PORT, hdr.src_port);
    CHECK_EQ(5000, hdr.dst_port);
    send(packet(VSOCK_OP_RW), 10, 1);
    expect(VSOCK_OP_RST);
    send(packet(VSOCK_OP_RST), 0, 0);
    expect_nothing();
    down();
}

TEST(unknown_type)
{
    up(V1, 0);
    vsock_hdr_t hdr = packet(VSOCK_OP_REQUEST);
    hdr.type = 77;
    send(hdr, 0, 0);
    CHECK_EQ(77, expect(VSOCK_OP_RST).type);
    CHECK_EQ(0, ends);
    down();
}

TEST(wrong_cid)
{
    up(V1, 0);
    vsock_hdr_t hdr = packet(VSOCK_OP_REQUEST);
    hdr.src_cid = GUEST + 1;
    send(hdr, 0, 0);
    hdr = packet(VSOCK_OP_REQUEST);
    hdr.dst_cid = 9;
    send(hdr, 0, 0);
    CHECK_EQ(0, ends);
    expect_nothing();
    down();
}

TEST(bad_op)
{
    connected(V1, 0);
    send(packet(0), 0, 0);
    expect(VSOCK_OP_RST);
    CHECK_EQ(1, end[0].closes);
    send(packet(VSOCK_OP_REQUEST), 0, 0);
    expect(VSOCK_OP_RESPONSE);
    send(packet(VSOCK_OP_REQUEST), 0, 0);
    expect(VSOCK_OP_RST);
    down();
}

/* No more than the driver's credit goes to it; it is asked for more. */
TEST(credit_to_guest)
{
    static uint8_t text[1000];
    up(V1, 0);
    vsock_hdr_t hdr = packet(VSOCK_OP_REQUEST);
    hdr.buf_alloc = 600;
    send(hdr, 0, 0);
    expect(VSOCK_OP_RESPONSE);
    host_says(text, 1000);
    CHECK_EQ(600, expect(VSOCK_OP_RW).len);
    expect(VSOCK_OP_CREDIT_REQUEST);
    expect_nothing();
    CHECK_EQ(600, end[0].said);
    hdr = packet(VSOCK_OP_CREDIT_UPDATE);
    hdr.buf_alloc = 600;
    hdr.fwd_cnt = 300;
    send(hdr, 0, 0);
    CHECK_EQ(300, expect(VSOCK_OP_RW).len);
    expect(VSOCK_OP_CREDIT_REQUEST);
    hdr.fwd_cnt = 600;
    send(hdr, 0, 0);
    CHECK_EQ(100, expect(VSOCK_OP_RW).len);
    expect_nothing();
    down();
}

/* What the host does not take waits; the driver learns of room when there is some; too much is an
 * error. */
TEST(credit_from_guest)
{
    connected(V1, 0);
    end[0].room = 1000;
    send(packet(VSOCK_OP_RW), 60000, 'x');
    CHECK_EQ(1000, end[0].heard);
    CHECK(end[0].wanted & VSOCK_WRITABLE);
    CHECK_EQ(
        1000,
        expect(VSOCK_OP_CREDIT_UPDATE).fwd_cnt); /* what is left is little, so each byte is news */
    expect_nothing();
    send(packet(VSOCK_OP_CREDIT_REQUEST), 0, 0);
    CHECK_EQ(1000, expect(VSOCK_OP_CREDIT_UPDATE).fwd_cnt);
    end[0].room = LINE;
    guest.event(guest.opaque, end[0].id, VSOCK_WRITABLE);
    CHECK_EQ(60000, end[0].heard);
    CHECK_EQ(60000, expect(VSOCK_OP_CREDIT_UPDATE).fwd_cnt);
    end[0].room = 0;
    send(packet(VSOCK_OP_RW), 65536, 'y');
    CHECK_EQ(0, end[0].closes);
    send(packet(VSOCK_OP_RW), 1, 'z');
    CHECK_EQ(1, end[0].closes);
    expect(VSOCK_OP_RST);
    down();
}

TEST(length_lies)
{
    connected(V1, 0);
    vsock_hdr_t hdr = packet(VSOCK_OP_RW);
    hdr.len = 101;
    send(hdr, 100, 'x');
    expect(VSOCK_OP_RST);
    CHECK_EQ(1, end[0].closes);
    CHECK_EQ(0, end[0].heard);
    down();
}

TEST(host_connects)
{
    up(V1, 0);
    end_t *e = fresh();
    e->id = guest.offer(guest.opaque, e, 77);
    CHECK(e->id != 0);
    vsock_hdr_t hdr = expect(VSOCK_OP_REQUEST);
    CHECK_EQ(77, hdr.dst_port);
    vsock_hdr_t answer = packet(VSOCK_OP_RESPONSE);
    answer.src_port = 77;
    answer.dst_port = hdr.src_port;
    send(answer, 0, 0);
    CHECK_EQ(1, e->accepts);
    CHECK_EQ(hdr.src_port, e->port);
    answer.op = VSOCK_OP_RW;
    send(answer, 10, 'q');
    CHECK_EQ(10, e->heard);
    e = fresh();
    e->id = guest.offer(guest.opaque, e, 78);
    hdr = expect(VSOCK_OP_REQUEST);
    CHECK(hdr.src_port != answer.dst_port);
    answer = packet(VSOCK_OP_RST);
    answer.src_port = 78;
    answer.dst_port = hdr.src_port;
    send(answer, 0, 0);
    CHECK_EQ(0, e->accepts);
    CHECK_EQ(1, e->closes);
    down();
}

/* Both shut down by the guest: the host's half hears it when all bytes are through, then a reset.
 */
TEST(shutdown_by_guest)
{
    connected(V1, 0);
    end[0].room = 5;
    send(packet(VSOCK_OP_RW), 10, 'x');
    vsock_hdr_t hdr = packet(VSOCK_OP_SHUTDOWN);
    hdr.flags = VSOCK_SHUT_SEND;
    send(hdr, 0, 0);
    CHECK(!end[0].no_writes);
    end[0].room = LINE;
    guest.event(guest.opaque, end[0].id, VSOCK_WRITABLE);
    CHECK_EQ(10, end[0].heard);
    CHECK(end[0].no_writes);
    host_says("still", 5);
    CHECK_EQ(5, expect(VSOCK_OP_RW).len);
    hdr.flags = VSOCK_SHUT_RCV;
    send(hdr, 0, 0);
    CHECK(end[0].no_reads);
    expect(VSOCK_OP_RST);
    CHECK_EQ(1, end[0].closes);
    down();
}

TEST(shutdown_by_host)
{
    connected(V1, 0);
    end[0].end = true;
    host_says("last", 4);
    CHECK_EQ(4, expect(VSOCK_OP_RW).len);
    guest.event(guest.opaque, end[0].id, VSOCK_READABLE);
    CHECK_EQ(VSOCK_SHUT_SEND, expect(VSOCK_OP_SHUTDOWN).flags);
    send(packet(VSOCK_OP_RW), 10, 'x');
    CHECK_EQ(10, end[0].heard);
    guest.event(guest.opaque, end[0].id, VSOCK_HUNG_UP);
    CHECK_EQ(VSOCK_SHUT_BOTH, expect(VSOCK_OP_SHUTDOWN).flags);
    for (unsigned i = 0; i < 600; i++) {
        vd_update(&vd);
    }
    expect(VSOCK_OP_RST);
    CHECK_EQ(1, end[0].closes);
    down();
}

TEST(host_reads_no_more)
{
    connected(V1, 0);
    end[0].gone = true;
    send(packet(VSOCK_OP_RW), 10, 'x');
    CHECK_EQ(VSOCK_SHUT_RCV, expect(VSOCK_OP_SHUTDOWN).flags);
    host_says("abc", 3);
    CHECK_EQ(3, expect(VSOCK_OP_RW).len);
    down();
}

/* Resets for hundreds of packets without a buffer: bounded, and all come when there are buffers. */
TEST(flood)
{
    uint16_t id = 0;
    uint32_t len = 0;
    unsigned resets = 0, taken = 0;
    up(V1, 0);
    CHECK(vd_start(&vd, V1));
    const vd_buf_t buf = {vd_alloc(&vd, VSOCK_HDR), VSOCK_HDR, false};
    const vsock_hdr_t hdr = packet(VSOCK_OP_RW);
    vsock_hdr_write(vd_ptr(&vd, buf.addr), &hdr);
    for (unsigned i = 0; i < 200; i++) {
        vd_add(&vd, TXQ, &buf, 1);
        vd_kick(&vd, TXQ);
    }
    while (vd_used(&vd, TXQ, &id, &len)) {
        taken++;
    }
    CHECK(taken && taken < 100);
    for (unsigned round = 0; round < 10; round++) {
        give_buffers(BUFFERS);
        while (vd_used(&vd, RXQ, &id, &len)) {
            resets++;
        }
    }
    while (vd_used(&vd, TXQ, &id, &len)) {
        taken++;
    }
    CHECK_EQ(200, taken);
    CHECK_EQ(200, resets);
    down();
}

TEST(reset_closes)
{
    connected(V1, 0);
    uint64_t old = end[0].id;
    CHECK(vd_start(&vd, V1));
    CHECK_EQ(1, end[0].closes);
    guest.event(guest.opaque, old, 7);
    CHECK_EQ(0, end[0].said);
    down();
}

TEST(not_ready)
{
    up(V1, 0);
    vd_write(&vd, VD_STATUS, 0);
    CHECK_EQ(0, guest.offer(guest.opaque, &end[0], 1));
    down();
}

TEST(many)
{
    unsigned refused = 0;
    up(V1, 0);
    for (unsigned i = 0; i < STREAMS + 2; i++) {
        vsock_hdr_t hdr = packet(VSOCK_OP_REQUEST);
        hdr.src_port = 6000 + i;
        send(hdr, 0, 0);
        vsock_hdr_t answer;
        CHECK(receive(&answer, NULL));
        refused += answer.op == VSOCK_OP_RST;
    }
    CHECK_EQ(2, refused);
    down();
}

int main(void)
{
    PROVE(identity, "5.10.1-4: device id 19, guest_cid, three queues");
    PROVE(streams_split,
          "5.10.6: REQUEST, RESPONSE, RW both ways, RST; CIDs, ports, credit in each (split ring)");
    PROVE(streams_packed, "5.10.6: the same (packed ring)");
    PROVE(streams_legacy, "5.10.6: the same (legacy interface)");
    PROVE(refused,
          "5.10.6: RST when nobody listens and for packets of no connection; none for an RST");
    PROVE(unknown_type, "5.10.6.4.2: MUST answer an unknown type by RST");
    PROVE(wrong_cid, "packets that are not from this guest, or not to the host, have no effect");
    PROVE(bad_op, "5.10.6: an invalid operation and a second REQUEST end the connection");
    PROVE(credit_to_guest, "5.10.6.3: MUST transmit RW only when the peer has room");
    PROVE(credit_from_guest,
          "5.10.6.3: CREDIT_UPDATE on demand and on news; more than the credit is refused");
    PROVE(length_lies, "a length beyond the packet ends the connection");
    PROVE(host_connects, "5.10.6: REQUEST to the guest, from fresh ports; RESPONSE and RST");
    PROVE(shutdown_by_guest,
          "5.10.6.5: SHUTDOWN of each direction, after all data; RST after both");
    PROVE(shutdown_by_host,
          "5.10.6.5: SHUTDOWN when the host ends; RST when the driver does not answer in time");
    PROVE(host_reads_no_more, "a host that reads no more shuts down that direction alone");
    PROVE(flood,
          "5.10.6.1: transmit stops when no answer could be kept, and goes on; no answer is lost");
    PROVE(reset_closes, "a reset closes all streams; events of old ones are ignored");
    PROVE(not_ready, "a device without a driver takes no offer");
    PROVE(many, "connections are bounded");
    return rig_finish("virtio-vsock");
}
