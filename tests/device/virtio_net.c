/* SPDX-License-Identifier: MPL-2.0 */
/* The network card's rules: VirtIO 1.2 §5.1. */
#include "devices/virtio_net.h"
#include "virtio_driver.h"

#define V1 VIRTIO_F_VERSION_1
#define F(name) VIRTIO_BIT(VIRTIO_NET_F_##name)
#define CTRL (V1 | F(CTRL_VQ) | F(CTRL_RX) | F(CTRL_RX_EXTRA) | F(CTRL_VLAN) | F(CTRL_MAC_ADDR))

enum { RX, TX, CTRLQ, HDR = 12, SENT_MAX = 64 };

/* A back end that keeps what it is sent. */
static struct {
    virtio_net_t *net;
    unsigned frees, wakes, busy; /* busy: so many frames are refused before one is taken */
    uint64_t offloads;
    unsigned count;
    size_t size[SENT_MAX];
    uint8_t hdr[SENT_MAX][NET_HDR_SIZE];
    bool with_hdr[SENT_MAX];
    uint8_t frame[SENT_MAX][2048], big[NET_FRAME_MAX]; /* the start of each, and all of the last */
} wire;

static void wire_attach(void *opaque, virtio_net_t *net)
{
    (void)opaque;
    wire.net = net;
}

static virtio_net_sent_t wire_send(void *opaque, const uint8_t *hdr, const uint8_t *frame,
                                   size_t size)
{
    (void)opaque;
    if (wire.busy) {
        wire.busy--;
        return VIRTIO_NET_BUSY;
    }
    if (wire.count < SENT_MAX) {
        unsigned at = wire.count++;
        wire.size[at] = size;
        wire.with_hdr[at] = hdr != NULL;
        if (hdr) {
            memcpy(wire.hdr[at], hdr, NET_HDR_SIZE);
        }
        memcpy(wire.frame[at], frame, size < 2048 ? size : 2048);
        memcpy(wire.big, frame, size);
    }
    return VIRTIO_NET_SENT;
}

static void wire_wake(void *opaque)
{
    (void)opaque;
    wire.wakes++;
}

static void wire_offloads(void *opaque, uint64_t features)
{
    (void)opaque;
    wire.offloads = features;
}

static void wire_close(void *opaque)
{
    (void)opaque;
    wire.frees++;
}

static const uint8_t card_mac[6] = {2, 1, 2, 3, 4, 5};
static vd_t vd;

static void up_sized(unsigned caps, bool threaded, uint64_t features, unsigned flags, uint16_t size)
{
    virtio_net_backend_t backend = {
        .caps = caps,
        .mac = {2, 1, 2, 3, 4, 5},
        .mtu = 1400,
        .attach = wire_attach,
        .send = wire_send,
        .wake = threaded ? wire_wake : NULL,
        .set_offloads = wire_offloads,
        .close = wire_close,
    };
    virtio_desc_t desc;
    memset(&wire, 0, sizeof(wire));
    vd_machine(&vd);
    CHECK(virtio_net_describe(&desc, &backend));
    CHECK(vd_attach(&vd, &desc, flags));
    CHECK(vd_start_sized(&vd, features, size));
}

static void up(unsigned caps, uint64_t features)
{
    up_sized(caps, false, features, 0, 32);
}

static void down(void)
{
    vd_close(&vd);
    CHECK_EQ(1, wire.frees);
}

/* --- Frames --- */

static void frame_to(uint8_t *frame, size_t size, const uint8_t to[6])
{
    for (size_t i = 0; i < size; i++) {
        frame[i] = (uint8_t)(i * 7 + size);
    }
    memcpy(frame, to, 6);
    frame[12] = 0x88;
    frame[13] = 0xb5; /* for experiments */
}

static void put16be(uint8_t *p, unsigned val)
{
    p[0] = (uint8_t)(val >> 8);
    p[1] = (uint8_t)val;
}

/* A TCP frame over IPv4 with `payload` bytes, without checksums. Returns its size; 54 bytes of headers. */
static size_t tcp_frame(uint8_t *frame, size_t payload, uint32_t seq)
{
    memset(frame, 0, 54);
    memcpy(frame, card_mac, 6);
    frame[12] = 8;
    uint8_t *ip = frame + 14, *tcp = frame + 34;
    ip[0] = 0x45;
    put16be(ip + 2, (unsigned)(40 + payload));
    put16be(ip + 4, 77);
    ip[8] = 64;
    ip[9] = 6;
    memcpy(ip + 12, "\x0a\x00\x02\x0f\x0a\x00\x02\x02", 8);
    put16be(tcp, 1000);
    put16be(tcp + 2, 80);
    put16be(tcp + 4, seq >> 16);
    put16be(tcp + 6, seq & 0xffff);
    tcp[12] = 0x50;
    tcp[13] = 0x10;
    for (size_t i = 0; i < payload; i++) {
        frame[54 + i] = (uint8_t)((seq + i) * 13);
    }
    return 54 + payload;
}

/* Both checksums are right. */
static bool tcp_good(const uint8_t *frame, size_t size)
{
    uint8_t pseudo[12];
    memcpy(pseudo, frame + 26, 8);
    put16be(pseudo + 8, 6);
    put16be(pseudo + 10, (unsigned)(size - 34));
    return net_sum(frame + 14, 20, 0) == 0xffff &&
           net_sum(frame + 34, size - 34, net_sum(pseudo, 12, 0)) == 0xffff &&
           frame[16] == (size - 14) >> 8 && frame[17] == ((size - 14) & 255);
}

/* Offers a receive buffer; returns its address. */
static uint64_t rx_offer(size_t size)
{
    uint64_t mem = vd_alloc(&vd, size);
    const vd_buf_t buf = {mem, (uint32_t)size, true};
    vd_add(&vd, RX, &buf, 1);
    vd_kick(&vd, RX);
    return mem;
}

static bool rx_used(uint32_t *len)
{
    uint16_t id;
    return vd_used(&vd, RX, &id, len);
}

/* Transmits header and frame in two buffers. */
static void tx_put(const net_hdr_t *hdr, size_t header_size, const uint8_t *frame, size_t size)
{
    uint64_t mem = vd_alloc(&vd, header_size + size);
    uint8_t *p = vd_ptr(&vd, mem);
    net_hdr_store(hdr, p);
    memcpy(p + header_size, frame, size);
    const vd_buf_t buf[2] = {{mem, (uint32_t)header_size, false},
                             {mem + header_size, (uint32_t)size, false}};
    vd_add(&vd, TX, buf, size ? 2 : 1);
    vd_kick(&vd, TX);
}

static bool tx_done(void)
{
    uint16_t id;
    uint32_t len = 9;
    return vd_used(&vd, TX, &id, &len) && len == 0;
}

static const net_hdr_t plain;

/* A control command; returns the ack, 0xee when none was written. */
static uint8_t ctrl(unsigned class, unsigned command, const void *data, size_t size)
{
    uint64_t mem = vd_alloc(&vd, size + 3);
    uint8_t *p = vd_ptr(&vd, mem);
    p[0] = (uint8_t)class;
    p[1] = (uint8_t)command;
    if (size) {
        memcpy(p + 2, data, size);
    }
    p[size + 2] = 0xee;
    const vd_buf_t buf[3] = {{mem, 2, false}, {mem + 2, (uint32_t)size, false}, {mem + 2 + size, 1, true}};
    const vd_buf_t bare[2] = {buf[0], buf[2]};
    uint32_t len = 0;
    CHECK(vd_request(&vd, CTRLQ, size ? buf : bare, size ? 3 : 2, &len));
    CHECK_EQ(1, len);
    return p[size + 2];
}

static bool gets(const uint8_t *to)
{
    uint8_t frame[64];
    uint32_t len;
    frame_to(frame, sizeof(frame), to);
    CHECK(virtio_net_feed_rx(wire.net, frame, sizeof(frame)));
    bool got = rx_used(&len);
    if (got) {
        rx_offer(2048);
    }
    return got;
}

/* --- Rules --- */

TEST(config_space)
{
    uint8_t config[12];
    up(0, V1 | F(MAC) | F(STATUS) | F(MTU));
    CHECK_EQ(1, vd_read(&vd, VD_DEVICE_ID));
    vd_config_read(&vd, 0, config, 12, 1);
    CHECK(!memcmp(config, card_mac, 6));
    CHECK_EQ(VIRTIO_NET_S_LINK_UP, config[6]);
    CHECK_EQ(1, config[8]);
    CHECK_EQ(1400, config[10] | config[11] << 8);
    down();
}

TEST(config_is_read_only)
{
    uint8_t config[12], junk[12];
    memset(junk, 0xff, sizeof(junk));
    up(0, V1 | F(MAC) | F(STATUS));
    vd_config_write(&vd, 0, junk, 12, 1);
    vd_config_read(&vd, 0, config, 12, 1);
    CHECK(!memcmp(config, card_mac, 6));
    CHECK_EQ(1, config[6]);
    down();
}

TEST(legacy_mac_can_be_written)
{
    const uint8_t mac[6] = {2, 9, 8, 7, 6, 5};
    uint8_t config[6];
    up_sized(0, false, F(MAC), VIRTIO_MMIO_LEGACY, 32);
    vd_config_write(&vd, 0, mac, 6, 1);
    vd_config_read(&vd, 0, config, 6, 1);
    CHECK(!memcmp(config, mac, 6));
    vd_write(&vd, VD_STATUS, 0);
    vd_config_read(&vd, 0, config, 6, 1);
    CHECK(!memcmp(config, card_mac, 6));
    down();
}

TEST(features_need_each_other)
{
    up(VIRTIO_NET_RX_OFFLOAD, V1);
    CHECK(!vd_negotiate(&vd, V1 | F(GUEST_TSO4)));
    CHECK(!vd_negotiate(&vd, V1 | F(GUEST_CSUM) | F(GUEST_ECN)));
    CHECK(!vd_negotiate(&vd, V1 | F(HOST_TSO4)));
    CHECK(!vd_negotiate(&vd, V1 | F(HOST_TSO6)));
    CHECK(!vd_negotiate(&vd, V1 | F(CSUM) | F(HOST_ECN)));
    CHECK(!vd_negotiate(&vd, V1 | F(CTRL_RX)));
    CHECK(!vd_negotiate(&vd, V1 | F(GUEST_ANNOUNCE)));
    CHECK(vd_negotiate(&vd, V1 | F(CSUM) | F(HOST_TSO4) | F(HOST_ECN) | F(GUEST_CSUM) | F(GUEST_TSO6)));
    CHECK(vd_negotiate(&vd, vd_offered(&vd)));
    down();
    up(0, V1);
    CHECK(!(vd_offered(&vd) & (F(GUEST_TSO4) | F(GUEST_TSO6) | F(GUEST_ECN))));
    down();
}

static void receives(uint64_t features, unsigned flags, size_t header)
{
    uint8_t frame[200];
    uint32_t len;
    up_sized(0, false, features, flags, 32);
    uint64_t mem = rx_offer(2048);
    frame_to(frame, sizeof(frame), card_mac);
    memset(vd_ptr(&vd, mem), 0xaa, 12);
    CHECK(virtio_net_feed_rx(wire.net, frame, sizeof(frame)));
    CHECK(rx_used(&len));
    CHECK_EQ(header + 200, len);
    const uint8_t *p = vd_ptr(&vd, mem);
    CHECK_EQ(0, p[0] | p[1]);
    CHECK(header == 10 || (p[10] == 1 && p[11] == 0));
    CHECK(!memcmp(p + header, frame, 200));
    CHECK(vd_irq(&vd));
    down();
}

TEST(receives_modern) { receives(V1, 0, 12); }
TEST(receives_packed) { receives(V1 | VIRTIO_F_RING_PACKED, 0, 12); }
TEST(receives_legacy) { receives(0, VIRTIO_MMIO_LEGACY, 10); }
TEST(receives_legacy_mergeable) { receives(F(MRG_RXBUF), VIRTIO_MMIO_LEGACY, 12); }

static void merges(uint64_t ring)
{
    static uint8_t frame[1500];
    uint64_t mem[8];
    uint32_t len, total = 0;
    up(0, V1 | F(MRG_RXBUF) | ring);
    for (unsigned i = 0; i < 4; i++) {
        mem[i] = rx_offer(400);
    }
    frame_to(frame, sizeof(frame), card_mac);
    CHECK(virtio_net_feed_rx(wire.net, frame, sizeof(frame)));
    unsigned count = 0;
    for (; rx_used(&len); count++) {
        const uint8_t *p = vd_ptr(&vd, mem[count]);
        CHECK(count ? !memcmp(p, frame + total - HDR, len) : !memcmp(p + HDR, frame, len - HDR));
        CHECK(count < 3 ? len == 400 : true);
        total += len;
    }
    CHECK_EQ(4, count);
    CHECK_EQ(1512, total);
    CHECK_EQ(4, *((uint8_t *)vd_ptr(&vd, mem[0]) + 10));
    down();
}

TEST(merges_split) { merges(0); }
TEST(merges_packed) { merges(VIRTIO_F_RING_PACKED); }

TEST(waits_for_buffers)
{
    static uint8_t frame[1000];
    virtio_net_stats_t stats;
    uint32_t len;
    up(0, V1 | F(MRG_RXBUF));
    frame_to(frame, sizeof(frame), card_mac);
    uint64_t first = rx_offer(600);
    CHECK(virtio_net_feed_rx(wire.net, frame, sizeof(frame)));
    CHECK(!rx_used(&len)); /* not even in part */
    frame[20] = 0x5a;
    CHECK(virtio_net_feed_rx(wire.net, frame, 200));
    CHECK(!rx_used(&len)); /* nor what comes after it, though it would fit */
    rx_offer(600);
    CHECK(rx_used(&len) && len == 600);
    CHECK(rx_used(&len) && len == 412);
    CHECK_EQ(2, *((uint8_t *)vd_ptr(&vd, first) + 10));
    CHECK(!rx_used(&len));
    uint64_t next = rx_offer(1100);
    CHECK(rx_used(&len) && len == 212);
    CHECK_EQ(0x5a, *((uint8_t *)vd_ptr(&vd, next) + HDR + 20));
    virtio_net_stats(wire.net, &stats);
    CHECK_EQ(2, stats.rx_frames);
    CHECK_EQ(0, stats.rx_dropped);
    down();
}

TEST(drops_when_full)
{
    static uint8_t frame[60000];
    virtio_net_stats_t stats;
    unsigned kept = 0;
    up(0, V1 | F(MRG_RXBUF));
    frame_to(frame, sizeof(frame), card_mac);
    CHECK(virtio_net_can_receive(wire.net));
    while (kept < 1000 && virtio_net_feed_rx(wire.net, frame, sizeof(frame))) {
        kept++;
    }
    CHECK(kept >= 2 && kept < 100);
    CHECK(!virtio_net_can_receive(wire.net));
    virtio_net_stats(wire.net, &stats);
    CHECK_EQ(1, stats.rx_dropped);
    vd_write(&vd, VD_STATUS, 0);
    CHECK(virtio_net_can_receive(wire.net)); /* a reset forgets them */
    CHECK(virtio_net_feed_rx(wire.net, frame, sizeof(frame)));
    down();
}

TEST(too_large_for_a_buffer)
{
    static uint8_t frame[1514];
    virtio_net_stats_t stats;
    uint32_t len;
    up(0, V1);
    rx_offer(1000);
    frame_to(frame, sizeof(frame), card_mac);
    CHECK(virtio_net_feed_rx(wire.net, frame, sizeof(frame)));
    CHECK(!rx_used(&len));
    CHECK(virtio_net_feed_rx(wire.net, frame, 300));
    CHECK(rx_used(&len) && len == 312);
    virtio_net_stats(wire.net, &stats);
    CHECK_EQ(1, stats.rx_dropped);
    CHECK(!vd_broken(&vd));
    down();
}

static void transmits(uint64_t features, unsigned flags, size_t header)
{
    uint8_t frame[300];
    up_sized(0, false, features, flags, 32);
    frame_to(frame, sizeof(frame), card_mac);
    tx_put(&plain, header, frame, sizeof(frame));
    CHECK(tx_done());
    CHECK_EQ(1, wire.count);
    CHECK_EQ(300, wire.size[0]);
    CHECK(!memcmp(frame, wire.frame[0], 300) && !wire.with_hdr[0]);
    down();
}

TEST(transmits_modern) { transmits(V1, 0, 12); }
TEST(transmits_packed) { transmits(V1 | VIRTIO_F_RING_PACKED, 0, 12); }
TEST(transmits_legacy) { transmits(0, VIRTIO_MMIO_LEGACY, 10); }

TEST(a_thread_transmits)
{
    uint8_t frame[100];
    up_sized(0, true, V1, 0, 32);
    frame_to(frame, sizeof(frame), card_mac);
    wire.wakes = 0;
    tx_put(&plain, HDR, frame, sizeof(frame));
    CHECK(wire.wakes && !wire.count && !tx_done());
    wire.busy = 1;
    CHECK(!virtio_net_serve(wire.net));
    CHECK(!wire.count && !tx_done()); /* kept until there is room */
    CHECK(!virtio_net_serve(wire.net));
    CHECK(wire.count == 1 && tx_done());
    CHECK(!memcmp(frame, wire.frame[0], 100));
    down();
}

TEST(fills_checksums)
{
    uint8_t frame[154];
    const net_hdr_t hdr = {.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = 34, .csum_offset = 16};
    up(0, V1 | F(CSUM));
    net_tcp_t at;
    tcp_frame(frame, 100, 1);
    CHECK(net_tcp_parse(frame, 154, false, &at) && net_tcp_finish(frame, &at, true));
    tx_put(&hdr, HDR, frame, sizeof(frame));
    CHECK(tx_done() && wire.count == 1);
    CHECK(tcp_good(wire.frame[0], wire.size[0]));
    down();
    up(VIRTIO_NET_TX_OFFLOAD, V1 | F(CSUM));
    tx_put(&hdr, HDR, frame, sizeof(frame));
    CHECK(tx_done() && wire.with_hdr[0]);
    CHECK_EQ(34, wire.hdr[0][6]);
    CHECK(!memcmp(frame, wire.frame[0], 154));
    down();
}

TEST(cuts_large_frames)
{
    static uint8_t frame[10054];
    const net_hdr_t hdr = {.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
                           .gso_size = 1460, .hdr_len = 54, .csum_start = 34, .csum_offset = 16};
    up(0, V1 | F(CSUM) | F(HOST_TSO4));
    tcp_frame(frame, 10000, 5);
    frame[34 + 13] = 0x19; /* ACK, PSH, FIN */
    tx_put(&hdr, HDR, frame, sizeof(frame));
    CHECK(tx_done());
    CHECK_EQ(7, wire.count);
    size_t at = 0;
    for (unsigned i = 0; i < wire.count; i++) {
        size_t piece = wire.size[i] - 54;
        CHECK(tcp_good(wire.frame[i], wire.size[i]));
        CHECK(!memcmp(wire.frame[i] + 54, frame + 54 + at, piece));
        CHECK_EQ(i < 6 ? 1460 : 10000 - 6 * 1460, piece);
        CHECK_EQ(i < 6 ? 0x10 : 0x19, wire.frame[i][47]);
        CHECK_EQ((5 + at) & 255, wire.frame[i][41]);
        CHECK_EQ(77 + i, wire.frame[i][19]);
        at += piece;
    }
    CHECK_EQ(10000, at);
    down();
    up(VIRTIO_NET_TX_LARGE, V1 | F(CSUM) | F(HOST_TSO4));
    tx_put(&hdr, HDR, frame, sizeof(frame));
    CHECK_EQ(1, wire.count);
    CHECK(wire.size[0] == sizeof(frame) && tcp_good(wire.big, sizeof(frame)));
    down();
}

TEST(refuses_wrong_headers)
{
    static uint8_t frame[2000];
    const net_hdr_t wrong[] = {
        {.flags = 1, .csum_start = 1999, .csum_offset = 0},
        {.flags = 1, .csum_start = 34, .csum_offset = 65535},
        {.flags = 1, .csum_start = 65535, .csum_offset = 65535},
        {.gso_type = VIRTIO_NET_HDR_GSO_TCPV4, .gso_size = 1000}, /* without NEEDS_CSUM */
        {.flags = 1, .csum_start = 34, .csum_offset = 16, .gso_type = VIRTIO_NET_HDR_GSO_TCPV4},
        {.flags = 1, .csum_start = 34, .csum_offset = 16, .gso_type = 3, .gso_size = 500},
        {.flags = 1, .csum_start = 34, .csum_offset = 16, .gso_type = 4, .gso_size = 500}, /* not IPv6 */
        {.flags = 1, .csum_start = 34, .csum_offset = 16, .gso_type = 0x80, .gso_size = 500},
    };
    virtio_net_stats_t stats;
    up(0, V1 | F(CSUM) | F(HOST_TSO4) | F(HOST_TSO6));
    tcp_frame(frame, sizeof(frame) - 54, 1);
    for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        tx_put(&wrong[i], HDR, frame, sizeof(frame));
        CHECK(tx_done());
        CHECK_EQ(0, wire.count);
    }
    tx_put(&plain, 5, frame, 0);  /* shorter than a header */
    tx_put(&plain, HDR, frame, 0); /* no frame at all */
    CHECK(tx_done() && tx_done() && !wire.count && !vd_broken(&vd));
    virtio_net_stats(wire.net, &stats);
    CHECK_EQ(10, stats.tx_malformed + stats.tx_dropped);
    down();
    const net_hdr_t unasked = {.flags = 1, .csum_start = 34, .csum_offset = 16};
    up(0, V1);
    tx_put(&unasked, HDR, frame, sizeof(frame));
    CHECK(tx_done() && !wire.count);
    down();
}

TEST(joins_bursts)
{
    static uint8_t frame[1514];
    uint32_t len;
    net_tcp_t at;
    up(VIRTIO_NET_RX_BURSTS, V1 | F(MRG_RXBUF) | F(GUEST_CSUM) | F(GUEST_TSO4));
    uint64_t mem = rx_offer(32768);
    for (unsigned i = 0; i < 10; i++) {
        size_t size = tcp_frame(frame, i < 9 ? 1000 : 500, 100 + 1000 * i);
        frame[47] |= i == 9 ? 8 : 0;
        CHECK(net_tcp_parse(frame, size, false, &at) && net_tcp_finish(frame, &at, false));
        CHECK(virtio_net_feed_rx(wire.net, frame, size));
    }
    CHECK(!rx_used(&len));
    virtio_net_flush(wire.net);
    CHECK(rx_used(&len));
    CHECK_EQ(HDR + 54 + 9500, len);
    const uint8_t *p = vd_ptr(&vd, mem);
    net_hdr_t hdr;
    net_hdr_load(&hdr, p);
    CHECK_EQ(VIRTIO_NET_HDR_F_NEEDS_CSUM, hdr.flags);
    CHECK_EQ(VIRTIO_NET_HDR_GSO_TCPV4, hdr.gso_type);
    CHECK_EQ(1000, hdr.gso_size);
    CHECK(hdr.hdr_len == 54 && hdr.csum_start == 34 && hdr.csum_offset == 16);
    CHECK_EQ(0x18, p[HDR + 47]);
    static uint8_t copy[9554];
    memcpy(copy, p + HDR, sizeof(copy));
    CHECK(net_fill_checksum(copy, sizeof(copy), &hdr) && tcp_good(copy, sizeof(copy)));
    bool same = true;
    for (unsigned i = 0; i < 9500; i++) {
        same &= copy[54 + i] == (uint8_t)((100 + i) * 13);
    }
    CHECK(same);
    down();
}

TEST(does_not_join_unasked)
{
    static uint8_t frame[1054];
    uint32_t len;
    net_tcp_t at;
    up(VIRTIO_NET_RX_BURSTS, V1);
    uint64_t mem = rx_offer(2048);
    rx_offer(2048);
    for (unsigned i = 0; i < 2; i++) {
        tcp_frame(frame, 1000, 100 + 1000 * i);
        CHECK(net_tcp_parse(frame, 1054, false, &at) && net_tcp_finish(frame, &at, false));
        CHECK(virtio_net_feed_rx(wire.net, frame, sizeof(frame)));
    }
    virtio_net_flush(wire.net);
    CHECK(rx_used(&len) && len == HDR + 1054);
    CHECK(rx_used(&len) && len == HDR + 1054);
    CHECK_EQ(0, *(uint8_t *)vd_ptr(&vd, mem)); /* no flags without GUEST_CSUM */
    down();
}

/* What a back end offloads to a guest that does not want it. */
TEST(undoes_offloads)
{
    static uint8_t frame[3054];
    uint8_t bytes[NET_HDR_SIZE];
    uint64_t mem[4];
    uint32_t len;
    net_tcp_t at;
    const net_hdr_t hdr = {.flags = 1, .gso_type = VIRTIO_NET_HDR_GSO_TCPV4, .gso_size = 1000,
                           .csum_start = 34, .csum_offset = 16};
    net_hdr_store(&hdr, bytes);
    tcp_frame(frame, 3000, 1);
    CHECK(net_tcp_parse(frame, 3054, false, &at) && net_tcp_finish(frame, &at, true));
    up(VIRTIO_NET_RX_OFFLOAD, V1);
    CHECK_EQ(0, wire.offloads);
    for (unsigned i = 0; i < 4; i++) {
        mem[i] = rx_offer(2048);
    }
    CHECK(virtio_net_feed(wire.net, bytes, frame, sizeof(frame)));
    for (unsigned i = 0; i < 3; i++) {
        const uint8_t *p = vd_ptr(&vd, mem[i]);
        CHECK(rx_used(&len) && len == HDR + 1054);
        CHECK(p[0] == 0 && p[1] == 0 && tcp_good(p + HDR, 1054));
    }
    CHECK(!rx_used(&len));
    down();
    up(VIRTIO_NET_RX_OFFLOAD, V1 | F(GUEST_CSUM) | F(GUEST_TSO4));
    CHECK_EQ(F(GUEST_CSUM) | F(GUEST_TSO4), wire.offloads);
    mem[0] = rx_offer(4096);
    CHECK(virtio_net_feed(wire.net, bytes, frame, sizeof(frame)));
    CHECK(rx_used(&len) && len == HDR + 3054);
    CHECK(!memcmp(vd_ptr(&vd, mem[0]), bytes, NET_HDR_SIZE));
    down();
}

TEST(receive_modes)
{
    const uint8_t other[6] = {2, 0, 0, 0, 0, 9}, group[6] = {1, 0, 0, 0, 0, 9};
    const uint8_t all[6] = {255, 255, 255, 255, 255, 255};
    const uint8_t on = 1, off = 0;
    up(0, CTRL);
    rx_offer(2048);
    CHECK(gets(other) && gets(group) && gets(all) && gets(card_mac)); /* promiscuous at first */
    CHECK_EQ(0, ctrl(VIRTIO_NET_CTRL_RX, 0, &off, 1));
    CHECK(!gets(other) && !gets(group) && gets(all) && gets(card_mac));
    CHECK_EQ(0, ctrl(VIRTIO_NET_CTRL_RX, 1, &on, 1));
    CHECK(!gets(other) && gets(group));
    CHECK_EQ(0, ctrl(VIRTIO_NET_CTRL_RX, 2, &on, 1));
    CHECK(gets(other));
    CHECK_EQ(0, ctrl(VIRTIO_NET_CTRL_RX, 3, &on, 1));
    CHECK_EQ(0, ctrl(VIRTIO_NET_CTRL_RX, 4, &on, 1));
    CHECK_EQ(0, ctrl(VIRTIO_NET_CTRL_RX, 5, &on, 1));
    CHECK(!gets(other) && !gets(group) && !gets(all) && !gets(card_mac));
    CHECK_EQ(1, ctrl(VIRTIO_NET_CTRL_RX, 6, &on, 1));
    CHECK_EQ(1, ctrl(VIRTIO_NET_CTRL_RX, 0, NULL, 0));
    CHECK_EQ(1, ctrl(99, 0, &on, 1));
    CHECK(vd_start_sized(&vd, CTRL, 32));
    rx_offer(2048);
    CHECK(gets(other) && gets(group)); /* a reset forgets modes */
    down();
}

TEST(mac_tables)
{
    const uint8_t one[6] = {2, 0, 0, 0, 0, 9}, group[6] = {1, 0, 0, 0, 0, 9}, mac[6] = {2, 7, 7, 7, 7, 7};
    const uint8_t off = 0;
    uint8_t table[8 + 12], config[6], many[4 + 6 * 100 + 4];
    up(0, CTRL);
    rx_offer(2048);
    CHECK_EQ(0, ctrl(VIRTIO_NET_CTRL_RX, 0, &off, 1));
    write_uint32_le_m(table, 1);
    memcpy(table + 4, one, 6);
    write_uint32_le_m(table + 10, 1);
    memcpy(table + 14, group, 6);
    CHECK_EQ(0, ctrl(VIRTIO_NET_CTRL_MAC, 0, table, sizeof(table)));
    CHECK(gets(one) && gets(group));
    write_uint32_le_m(table, 3);
    CHECK_EQ(1, ctrl(VIRTIO_NET_CTRL_MAC, 0, table, 10));
    write_uint32_le_m(table, 0xffffffff);
    CHECK_EQ(1, ctrl(VIRTIO_NET_CTRL_MAC, 0, table, sizeof(table)));
    CHECK(gets(one) && gets(group)); /* a refused table changes nothing */
    memset(many, 0, sizeof(many));
    write_uint32_le_m(many, 100);
    CHECK_EQ(0, ctrl(VIRTIO_NET_CTRL_MAC, 0, many, sizeof(many)));
    CHECK(gets(one) && !gets(group)); /* more than fit: all of that kind */
    memset(many, 0, 8);
    CHECK_EQ(0, ctrl(VIRTIO_NET_CTRL_MAC, 0, many, 8));
    CHECK(!gets(one));
    CHECK_EQ(0, ctrl(VIRTIO_NET_CTRL_MAC, 1, mac, 6));
    vd_config_read(&vd, 0, config, 6, 1);
    CHECK(!memcmp(config, mac, 6) && gets(mac) && !gets(card_mac));
    CHECK_EQ(1, ctrl(VIRTIO_NET_CTRL_MAC, 1, mac, 5));
    down();
}

TEST(vlans)
{
    uint8_t frame[64], id[2] = {5, 0};
    const uint8_t off = 0;
    uint32_t len;
    up(0, CTRL);
    rx_offer(2048);
    CHECK_EQ(0, ctrl(VIRTIO_NET_CTRL_RX, 0, &off, 1));
    frame_to(frame, sizeof(frame), card_mac);
    frame[12] = 0x81;
    frame[13] = 0;
    frame[14] = 0x60;
    frame[15] = 5;
    CHECK(virtio_net_feed_rx(wire.net, frame, 64) && !rx_used(&len));
    CHECK_EQ(0, ctrl(VIRTIO_NET_CTRL_VLAN, 0, id, 2));
    CHECK(virtio_net_feed_rx(wire.net, frame, 64) && rx_used(&len));
    rx_offer(2048);
    CHECK_EQ(0, ctrl(VIRTIO_NET_CTRL_VLAN, 1, id, 2));
    CHECK(virtio_net_feed_rx(wire.net, frame, 64) && !rx_used(&len));
    id[1] = 0x10; /* 4101 */
    CHECK_EQ(1, ctrl(VIRTIO_NET_CTRL_VLAN, 0, id, 2));
    down();
}

TEST(guest_offloads)
{
    uint8_t bits[8];
    uint64_t features = V1 | F(CTRL_VQ) | F(CTRL_GUEST_OFFLOADS) | F(GUEST_CSUM) | F(GUEST_TSO4);
    up(VIRTIO_NET_RX_OFFLOAD, features);
    write_uint64_le_m(bits, F(GUEST_CSUM));
    CHECK_EQ(0, ctrl(VIRTIO_NET_CTRL_GUEST_OFFLOADS, 0, bits, 8));
    CHECK_EQ(F(GUEST_CSUM), wire.offloads);
    write_uint64_le_m(bits, F(GUEST_CSUM) | F(GUEST_TSO6)); /* not negotiated */
    CHECK_EQ(1, ctrl(VIRTIO_NET_CTRL_GUEST_OFFLOADS, 0, bits, 8));
    CHECK_EQ(F(GUEST_CSUM), wire.offloads);
    vd_write(&vd, VD_STATUS, 0);
    CHECK_EQ(0, wire.offloads);
    down();
}

TEST(link_status)
{
    uint8_t frame[100], status;
    uint32_t len;
    up(0, V1 | F(STATUS));
    rx_offer(2048);
    vd_ack(&vd);
    uint32_t generation = vd_read(&vd, VD_CONFIG_GENERATION);
    virtio_net_set_link(wire.net, false);
    CHECK(vd_irq(&vd) && (vd_ack(&vd) & 2));
    CHECK(generation != vd_read(&vd, VD_CONFIG_GENERATION));
    vd_config_read(&vd, 6, &status, 1, 1);
    CHECK_EQ(0, status);
    frame_to(frame, sizeof(frame), card_mac);
    tx_put(&plain, HDR, frame, sizeof(frame));
    CHECK(tx_done() && !wire.count); /* the guest goes on */
    CHECK(virtio_net_feed_rx(wire.net, frame, 100) && !rx_used(&len));
    virtio_net_set_link(wire.net, true);
    CHECK(vd_ack(&vd) & 2);
    CHECK(gets(card_mac));
    virtio_net_set_link(wire.net, true);
    CHECK(!vd_irq(&vd) || !(vd_ack(&vd) & 2)); /* nothing has changed */
    down();
}

TEST(broken_ring_stops_this_device)
{
    uint8_t frame[100];
    up(0, V1);
    frame_to(frame, sizeof(frame), card_mac);
    const vd_buf_t bad = {0x1000, 2048, true}; /* no RAM there */
    vd_add(&vd, RX, &bad, 1);
    vd_kick(&vd, RX);
    virtio_net_feed_rx(wire.net, frame, sizeof(frame));
    CHECK(vd_broken(&vd));
    CHECK(vd_start_sized(&vd, V1, 32));
    rx_offer(2048);
    CHECK(gets(card_mac));
    down();
}

int main(void)
{
    PROVE(config_space, "5.1.4 mac, status, pairs and mtu are in the configuration space");
    PROVE(config_is_read_only, "5.1.4 the configuration space is read-only for modern drivers");
    PROVE(legacy_mac_can_be_written, "5.1.4.3 legacy drivers may write mac; a reset restores it");
    PROVE(features_need_each_other, "5.1.3.1 features without what they require are refused");
    PROVE(receives_modern, "5.1.6.4 a frame is placed behind a header with num_buffers 1");
    PROVE(receives_packed, "5.1.6.4 the same with packed rings");
    PROVE(receives_legacy, "5.1.6.1 the legacy header is without num_buffers");
    PROVE(receives_legacy_mergeable, "5.1.6.1 and with it when MRG_RXBUF is negotiated");
    PROVE(merges_split, "5.1.6.4.1 num_buffers counts the buffers of a frame, all full but the last");
    PROVE(merges_packed, "5.1.6.4.1 the same with packed rings");
    PROVE(waits_for_buffers, "5.1.6.4 frames wait whole, in order, until there are buffers");
    PROVE(drops_when_full, "what waits is bounded, and a reset forgets it");
    PROVE(too_large_for_a_buffer, "5.1.6.4 without MRG_RXBUF a frame takes one buffer or none");
    PROVE(transmits_modern, "5.1.6.2 a frame is sent as it is, and its buffers come back");
    PROVE(transmits_packed, "5.1.6.2 the same with packed rings");
    PROVE(transmits_legacy, "5.1.6.1 the same with the legacy header");
    PROVE(a_thread_transmits, "a back end's thread transmits, and what it cannot send waits");
    PROVE(fills_checksums, "5.1.6.2.1 NEEDS_CSUM: the checksum is completed");
    PROVE(cuts_large_frames, "5.1.6.2.1 TSO: segments have right lengths, flags, numbers, checksums");
    PROVE(refuses_wrong_headers, "5.1.6.2.2 headers that lie send nothing and harm nothing");
    PROVE(joins_bursts, "5.1.6.4.2 joined segments come with gso_size, hdr_len and NEEDS_CSUM");
    PROVE(does_not_join_unasked, "5.1.6.4.1 no offloads that were not negotiated: flags and gso_type are 0");
    PROVE(undoes_offloads, "5.1.6.4.1 nor from a back end that offers them");
    PROVE(receive_modes, "5.1.6.5.1 receive modes, and their defaults after a reset");
    PROVE(mac_tables, "5.1.6.5.2 address tables and mac by command");
    PROVE(vlans, "5.1.6.5.3 VLAN filter");
    PROVE(guest_offloads, "5.1.6.5.6.1 offloads are switched by command, only negotiated ones");
    PROVE(link_status, "5.1.4.1 link changes are notified; without a link nothing moves");
    PROVE(broken_ring_stops_this_device, "2.1.2 a broken ring asks for a reset, which mends it");
    return rig_finish("virtio-net");
}
