/* SPDX-License-Identifier: MPL-2.0 */
/* Checksums, cutting and joining of frames (src/devices/net_offload.c), against plain implementations. */
#include "devices/net_offload.h"

#include "tap.h"

#include <stdlib.h>

static uint32_t seed = 1;

static uint32_t rnd(void)
{
    seed = (uint32_t)((uint64_t)seed * 48271 % 2147483647);
    return seed;
}

/* RFC 1071, byte by byte. */
static uint16_t slow_sum(const uint8_t *data, size_t size, uint32_t sum)
{
    for (size_t i = 0; i < size; i++) {
        sum += i & 1 ? data[i] : (uint32_t)data[i] << 8;
        sum = (sum >> 16) + (sum & 0xffff);
    }
    return (uint16_t)((sum >> 16) + (sum & 0xffff));
}

typedef struct {
    bool v6;
    unsigned tags, ip_options, tcp_options; /* options in words of 4 (IPv6: 8) bytes */
} shape_t;

static void put16(uint8_t *p, size_t val)
{
    p[0] = (uint8_t)(val >> 8);
    p[1] = (uint8_t)val;
}

/* A TCP frame of a shape, its length fields right and its checksums 0. Returns its size. */
static size_t build(uint8_t *frame, const shape_t *shape, size_t payload, uint32_t seq)
{
    size_t at = 12, ip, tcp;
    memset(frame, 0, 300);
    for (unsigned i = 0; i < shape->tags; i++, at += 4) {
        put16(frame + at, i + 1 < shape->tags ? 0x88a8 : 0x8100);
    }
    put16(frame + at, shape->v6 ? 0x86dd : 0x0800);
    ip = at + 2;
    if (shape->v6) {
        tcp = ip + 40 + 8 * shape->ip_options;
        frame[ip] = 0x60;
        put16(frame + ip + 4, tcp - ip - 40 + 20 + 4 * shape->tcp_options + payload);
        frame[ip + 6] = shape->ip_options ? 60 : 6;
        if (shape->ip_options) {
            frame[ip + 40] = 6;
            frame[ip + 41] = (uint8_t)(shape->ip_options - 1);
        }
    } else {
        tcp = ip + 20 + 4 * shape->ip_options;
        frame[ip] = (uint8_t)(0x45 + shape->ip_options);
        put16(frame + ip + 2, tcp - ip + 20 + 4 * shape->tcp_options + payload);
        frame[ip + 9] = 6;
        memset(frame + ip + 20, 1, 4 * shape->ip_options);
    }
    for (unsigned i = 8; i < 40 && i + ip < tcp; i++) {
        frame[ip + i] |= shape->v6 || (i >= 12 && i < 20) ? (uint8_t)(i * 11) : 0;
    }
    put16(frame + tcp + 4, seq >> 16);
    put16(frame + tcp + 6, seq & 0xffff);
    frame[tcp + 12] = (uint8_t)((5 + shape->tcp_options) << 4);
    frame[tcp + 13] = 0x10;
    memset(frame + tcp + 20, 1, 4 * shape->tcp_options);
    size_t start = tcp + 20 + 4 * shape->tcp_options;
    for (size_t i = 0; i < payload; i++) {
        frame[start + i] = (uint8_t)((seq + i) * 31 >> 3);
    }
    return start + payload;
}

static bool good(const uint8_t *frame, size_t size)
{
    net_tcp_t at;
    if (!net_tcp_parse(frame, size, false, &at)) {
        return false;
    }
    uint32_t pseudo = (uint32_t)(6 + at.end - at.tcp);
    pseudo = at.v6 ? slow_sum(frame + at.ip + 8, 32, pseudo) : slow_sum(frame + at.ip + 12, 8, pseudo);
    return (at.v6 || slow_sum(frame + at.ip, at.tcp - at.ip, 0) == 0xffff) &&
           slow_sum(frame + at.tcp, at.end - at.tcp, pseudo) == 0xffff;
}

static const shape_t shapes[] = {
    {false, 0, 0, 0}, {false, 1, 0, 3}, {false, 2, 10, 10}, {true, 0, 0, 0}, {true, 2, 2, 3},
};
#define SHAPES (sizeof(shapes) / sizeof(shapes[0]))

TEST(sums)
{
    static uint8_t data[3000];
    for (unsigned i = 0; i < sizeof(data); i++) {
        data[i] = (uint8_t)rnd();
    }
    for (unsigned i = 0; i < 2000; i++) {
        size_t at = rnd() % 8, size = rnd() % 2900;
        uint32_t start = rnd() & 0x1ffff;
        CHECK_EQ(slow_sum(data + at, size, start), net_sum(data + at, size, start));
    }
    memset(data, 0xff, sizeof(data));
    CHECK_EQ(slow_sum(data, 3000, 0), net_sum(data, 3000, 0));
    CHECK_EQ(0, net_sum(data, 0, 0));
}

TEST(fills)
{
    uint8_t frame[60];
    const net_hdr_t hdr = {.csum_start = 34, .csum_offset = 6};
    memset(frame, 0, sizeof(frame));
    CHECK(net_fill_checksum(frame, sizeof(frame), &hdr));
    CHECK_EQ(0xff, frame[40] & frame[41]); /* 0 would mean no checksum */
    for (unsigned start = 0; start < 70; start++) {
        for (unsigned offset = 0; offset < 70; offset++) {
            uint8_t *exact = malloc(60);
            const net_hdr_t any = {.csum_start = (uint16_t)start, .csum_offset = (uint16_t)offset};
            memset(exact, 3, 60);
            CHECK_EQ(start < 60 && start + offset + 2 <= 60, net_fill_checksum(exact, 60, &any));
            free(exact);
        }
    }
}

TEST(parses_every_length)
{
    for (unsigned s = 0; s < SHAPES; s++) {
        uint8_t frame[400];
        size_t size = build(frame, &shapes[s], 10, 1);
        for (size_t n = 0; n < size; n++) {
            uint8_t *exact = malloc(n ? n : 1);
            net_tcp_t at;
            memcpy(exact, frame, n);
            CHECK(!net_tcp_parse(exact, n, false, &at));
            CHECK(!net_tcp_parse(exact, n, true, &at) || at.payload <= n);
            free(exact);
        }
        net_tcp_t at;
        CHECK(net_tcp_parse(frame, size, false, &at) && at.end == size && at.payload == size - 10);
    }
}

TEST(refuses_what_is_no_tcp)
{
    uint8_t frame[400];
    net_tcp_t at;
    size_t size = build(frame, &shapes[0], 10, 1);
    frame[20] = 0x20; /* more fragments */
    CHECK(!net_tcp_parse(frame, size, false, &at));
    frame[20] = 0x40; /* don't fragment */
    CHECK(net_tcp_parse(frame, size, false, &at));
    frame[23] = 17;
    CHECK(!net_tcp_parse(frame, size, false, &at));
    frame[23] = 6;
    frame[46] = 0x40; /* a TCP header of 16 bytes */
    CHECK(!net_tcp_parse(frame, size, false, &at));
    frame[46] = 0xf0; /* of 60 */
    CHECK(!net_tcp_parse(frame, size, false, &at));
}

typedef struct {
    size_t total;
    unsigned count;
    size_t largest;
    bool all_good;
    uint8_t data[70000];
} pieces_t;

static bool take_piece(void *opaque, const uint8_t *frame, size_t size)
{
    pieces_t *p = opaque;
    net_tcp_t at;
    p->all_good &= good(frame, size) && net_tcp_parse(frame, size, false, &at);
    size_t n = size - at.payload;
    memcpy(p->data + p->total, frame + at.payload, n);
    p->total += n;
    p->count++;
    p->largest = n > p->largest ? n : p->largest;
    return true;
}

TEST(cuts_and_joins)
{
    static uint8_t frame[NET_FRAME_MAX], scratch[NET_FRAME_MAX], joined[NET_FRAME_MAX];
    static pieces_t pieces;
    for (unsigned i = 0; i < 200; i++) {
        const shape_t *shape = &shapes[rnd() % SHAPES];
        size_t payload = rnd() % 60000, size = build(frame, shape, payload, rnd());
        net_hdr_t hdr = {.gso_type = shape->v6 ? VIRTIO_NET_HDR_GSO_TCPV6 : VIRTIO_NET_HDR_GSO_TCPV4,
                         .gso_size = (uint16_t)(1 + rnd() % 9000)};
        memset(&pieces, 0, sizeof(pieces));
        pieces.all_good = true;
        CHECK(net_tcp_split(frame, size, &hdr, scratch, sizeof(scratch), take_piece, &pieces));
        CHECK(pieces.all_good && pieces.total == payload && pieces.largest <= hdr.gso_size);
        CHECK(!memcmp(pieces.data, frame + size - payload, payload));
        CHECK(pieces.count == (payload ? (payload + hdr.gso_size - 1) / hdr.gso_size : 1));
        hdr.gso_type ^= VIRTIO_NET_HDR_GSO_TCPV4 ^ VIRTIO_NET_HDR_GSO_TCPV6;
        CHECK(!net_tcp_split(frame, size, &hdr, scratch, sizeof(scratch), take_piece, &pieces));
    }
    (void)joined;
}

static bool join_piece(void *opaque, const uint8_t *frame, size_t size)
{
    return net_join_add(opaque, frame, size);
}

TEST(joining_undoes_cutting)
{
    static uint8_t frame[NET_FRAME_MAX], scratch[NET_FRAME_MAX], joined[NET_FRAME_MAX];
    const shape_t plain[] = {{false, 0, 0, 0}, {true, 1, 0, 3}};
    for (unsigned i = 0; i < 100; i++) {
        const shape_t *shape = &plain[i & 1];
        size_t payload = 3000 + rnd() % 60000, size = build(frame, shape, payload, rnd());
        net_join_t join = {.frame = joined, .v4ok = true, .v6ok = true};
        net_hdr_t hdr = {.gso_type = shape->v6 ? VIRTIO_NET_HDR_GSO_TCPV6 : VIRTIO_NET_HDR_GSO_TCPV4,
                         .gso_size = 1448}, out;
        CHECK(net_tcp_split(frame, size, &hdr, scratch, sizeof(scratch), join_piece, &join));
        CHECK_EQ(size, net_join_take(&join, &out));
        CHECK(out.gso_size == 1448 && out.gso_type == hdr.gso_type && out.hdr_len == size - payload);
        CHECK(net_fill_checksum(joined, size, &out) && good(joined, size));
        CHECK(!memcmp(joined + size - payload, frame + size - payload, payload));
        CHECK_EQ(0, net_join_take(&join, &out));
    }
}

TEST(joins_only_what_follows)
{
    static uint8_t first[1600], next[1600], joined[NET_FRAME_MAX];
    net_hdr_t hdr;
    /* Each difference keeps the second segment apart: offset in the frame, value. */
    static const struct {
        size_t at;
        uint8_t val;
    } changes[] = {{0, 2}, {15, 4}, {22, 9}, {26, 9}, {33, 9}, {34, 9}, {37, 9}, {41, 9}, {45, 9}, {47, 0x11},
                   {47, 0x14}, {47, 0x90}, {53, 1}};
    for (size_t i = 0; i <= sizeof(changes) / sizeof(changes[0]); i++) {
        net_join_t join = {.frame = joined, .v4ok = true};
        size_t size = build(first, &shapes[0], 1000, 7);
        build(next, &shapes[0], 1000, 1007);
        if (i < sizeof(changes) / sizeof(changes[0])) {
            next[changes[i].at] = changes[i].val;
        }
        CHECK(net_join_add(&join, first, size));
        CHECK_EQ(i == sizeof(changes) / sizeof(changes[0]), net_join_add(&join, next, size));
        net_join_take(&join, &hdr);
    }
    net_join_t join = {.frame = joined};
    size_t size = build(first, &shapes[0], 1000, 7);
    build(next, &shapes[0], 1000, 1007);
    CHECK(net_join_add(&join, first, size) && !net_join_add(&join, next, size)); /* not wanted */
    CHECK_EQ(size, net_join_take(&join, &hdr));
    CHECK_EQ(VIRTIO_NET_HDR_F_DATA_VALID, hdr.flags);
    join.v4ok = true;
    CHECK(net_join_add(&join, first, 800) && !net_join_add(&join, next, size)); /* cut short: no TCP */
}

int main(void)
{
    RUN(sums);
    RUN(fills);
    RUN(parses_every_length);
    RUN(refuses_what_is_no_tcp);
    RUN(cuts_and_joins);
    RUN(joining_undoes_cutting);
    RUN(joins_only_what_follows);
    return tap_finish();
}
