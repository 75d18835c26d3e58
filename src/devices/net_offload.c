/* SPDX-License-Identifier: MPL-2.0 */
#include "net_offload.h"

#include <string.h>

enum {
    ETH_ADDRS = 12,
    ETHERTYPE_IPV4 = 0x0800,
    ETHERTYPE_IPV6 = 0x86dd,
    ETHERTYPE_VLAN = 0x8100,
    ETHERTYPE_QINQ = 0x88a8,

    IP_PROTO_TCP = 6,
    IPV4_MIN = 20,
    IPV4_LENGTH = 2,
    IPV4_ID = 4,
    IPV4_FRAGMENT = 6,
    IPV4_PROTO = 9,
    IPV4_CHECKSUM = 10,
    IPV4_SOURCE = 12,
    IPV6_SIZE = 40,
    IPV6_LENGTH = 4,
    IPV6_NEXT = 6,
    IPV6_SOURCE = 8,
    IPV6_HOP_OPTIONS = 0,
    IPV6_DEST_OPTIONS = 60,

    TCP_MIN = 20,
    TCP_SEQ = 4,
    TCP_ACK = 8,
    TCP_OFFSET = 12,
    TCP_FLAGS = 13,
    TCP_WINDOW = 14,
    TCP_CHECKSUM = 16,
    TCP_URGENT = 18,
    TCP_F_FIN = 0x01,
    TCP_F_PSH = 0x08,
    TCP_F_ACK = 0x10,
    TCP_F_CWR = 0x80,
};

static uint16_t get_be16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static void put_be16(uint8_t *p, uint32_t val)
{
    p[0] = (uint8_t)(val >> 8);
    p[1] = (uint8_t)val;
}

static uint32_t get_be32(const uint8_t *p)
{
    return (uint32_t)get_be16(p) << 16 | get_be16(p + 2);
}

static void put_be32(uint8_t *p, uint32_t val)
{
    put_be16(p, val >> 16);
    put_be16(p + 2, val & 0xffff);
}

static uint16_t get_le16(const uint8_t *p)
{
    return (uint16_t)(p[1] << 8 | p[0]);
}

static void put_le16(uint8_t *p, uint16_t val)
{
    p[0] = (uint8_t)val;
    p[1] = (uint8_t)(val >> 8);
}

void net_hdr_load(net_hdr_t *hdr, const uint8_t bytes[NET_HDR_SIZE])
{
    *hdr = (net_hdr_t){
        .flags = bytes[0],
        .gso_type = bytes[1],
        .hdr_len = get_le16(bytes + 2),
        .gso_size = get_le16(bytes + 4),
        .csum_start = get_le16(bytes + 6),
        .csum_offset = get_le16(bytes + 8),
    };
}

void net_hdr_store(const net_hdr_t *hdr, uint8_t bytes[NET_HDR_SIZE])
{
    bytes[0] = hdr->flags;
    bytes[1] = hdr->gso_type;
    put_le16(bytes + 2, hdr->hdr_len);
    put_le16(bytes + 4, hdr->gso_size);
    put_le16(bytes + 6, hdr->csum_start);
    put_le16(bytes + 8, hdr->csum_offset);
}

/* --- Finding the way through a frame --- */

/* The offset of the network header and its ethertype; 0 when the frame is too short. */
static size_t eth_parse(const uint8_t *frame, size_t size, uint16_t *type)
{
    size_t at = ETH_ADDRS;
    for (unsigned tags = 0; tags <= 2 && size >= at + 2; tags++) {
        *type = get_be16(frame + at);
        if (*type != ETHERTYPE_VLAN && *type != ETHERTYPE_QINQ) {
            return at + 2;
        }
        at += 4;
    }
    return 0;
}

static bool ipv4_parse(const uint8_t *frame, size_t size, bool large, net_tcp_t *at)
{
    if (size < at->ip + IPV4_MIN) {
        return false;
    }
    const uint8_t *ip = frame + at->ip;
    size_t header = (size_t)(ip[0] & 15) * 4;
    size_t length = large ? size - at->ip : get_be16(ip + IPV4_LENGTH);
    bool fragment = (get_be16(ip + IPV4_FRAGMENT) & 0x3fff) != 0;
    if (ip[0] >> 4 != 4 || header < IPV4_MIN || length < header || length > size - at->ip ||
        fragment || ip[IPV4_PROTO] != IP_PROTO_TCP) {
        return false;
    }
    at->tcp = at->ip + header;
    at->end = at->ip + length;
    return true;
}

static bool ipv6_parse(const uint8_t *frame, size_t size, bool large, net_tcp_t *at)
{
    if (size < at->ip + IPV6_SIZE || frame[at->ip] >> 4 != 6) {
        return false;
    }
    const uint8_t *ip = frame + at->ip;
    size_t length = large ? size - at->ip - IPV6_SIZE : get_be16(ip + IPV6_LENGTH);
    if (length > size - at->ip - IPV6_SIZE) {
        return false;
    }
    at->end = at->ip + IPV6_SIZE + length;
    at->tcp = at->ip + IPV6_SIZE;
    uint8_t next = ip[IPV6_NEXT];
    for (unsigned i = 0; i < 8 && (next == IPV6_HOP_OPTIONS || next == IPV6_DEST_OPTIONS); i++) {
        if (at->end < at->tcp + 8) {
            return false;
        }
        next = frame[at->tcp];
        at->tcp += 8 + (size_t)frame[at->tcp + 1] * 8;
    }
    return next == IP_PROTO_TCP;
}

bool net_tcp_parse(const uint8_t *frame, size_t size, bool large, net_tcp_t *at)
{
    uint16_t type = 0;
    at->ip = eth_parse(frame, size, &type);
    at->v6 = type == ETHERTYPE_IPV6;
    if (!at->ip || (type != ETHERTYPE_IPV4 && type != ETHERTYPE_IPV6) ||
        !(at->v6 ? ipv6_parse : ipv4_parse)(frame, size, large, at) || at->end < at->tcp + TCP_MIN) {
        return false;
    }
    size_t header = (size_t)(frame[at->tcp + TCP_OFFSET] >> 4) * 4;
    at->payload = at->tcp + header;
    return header >= TCP_MIN && at->payload <= at->end;
}

/* --- Checksums --- */

uint16_t net_sum(const uint8_t *data, size_t size, uint32_t sum)
{
    /* Words are added as the host has them; folding makes that right in either byte order (RFC 1071). */
    uint64_t total = 0;
    for (; size >= 4; size -= 4, data += 4) {
        uint32_t word;
        memcpy(&word, data, 4);
        total += word;
    }
    uint8_t rest[4] = {0, 0, 0, 0};
    memcpy(rest, data, size);
    uint32_t last;
    memcpy(&last, rest, 4);
    total += last;
    total = (total >> 32) + (total & 0xffffffffu);
    total = (total >> 32) + (total & 0xffffffffu);
    total = (total >> 16) + (total & 0xffff);
    total = (total >> 16) + (total & 0xffff);
    total = (total >> 16) + (total & 0xffff);
    uint16_t folded = (uint16_t)total;
    uint8_t bytes[2];
    memcpy(bytes, &folded, 2);
    total = (uint64_t)get_be16(bytes) + (sum >> 16) + (sum & 0xffff);
    total = (total >> 16) + (total & 0xffff);
    return (uint16_t)((total >> 16) + (total & 0xffff));
}

bool net_fill_checksum(uint8_t *frame, size_t size, const net_hdr_t *hdr)
{
    size_t start = hdr->csum_start, field = start + hdr->csum_offset;
    if (start >= size || field + 2 > size) {
        return false;
    }
    uint16_t sum = (uint16_t)~net_sum(frame + start, size - start, 0);
    put_be16(frame + field, sum ? sum : 0xffff); /* for UDP 0 would mean none */
    return true;
}

/* The pseudo-header's sum (RFC 9293 §3.1, RFC 8200 §8.1). */
static uint32_t tcp_pseudo_sum(const uint8_t *frame, const net_tcp_t *at)
{
    size_t length = at->end - at->tcp;
    uint32_t sum = (uint32_t)(IP_PROTO_TCP + (length >> 16) + (length & 0xffff));
    return at->v6 ? net_sum(frame + at->ip + IPV6_SOURCE, 32, sum)
                  : net_sum(frame + at->ip + IPV4_SOURCE, 8, sum);
}

bool net_tcp_finish(uint8_t *frame, const net_tcp_t *at, bool partial)
{
    uint8_t *ip = frame + at->ip, *checksum = frame + at->tcp + TCP_CHECKSUM;
    size_t length = at->end - at->ip - (at->v6 ? IPV6_SIZE : 0);
    if (length > 0xffff) {
        return false;
    }
    put_be16(ip + (at->v6 ? IPV6_LENGTH : IPV4_LENGTH), (uint32_t)length);
    if (!at->v6) {
        put_be16(ip + IPV4_CHECKSUM, 0);
        put_be16(ip + IPV4_CHECKSUM, (uint16_t)~net_sum(ip, at->tcp - at->ip, 0));
    }
    uint32_t pseudo = tcp_pseudo_sum(frame, at);
    put_be16(checksum, partial ? pseudo : 0);
    if (!partial) {
        put_be16(checksum, (uint16_t)~net_sum(frame + at->tcp, at->end - at->tcp, pseudo));
    }
    return true;
}

/* --- Cutting --- */

bool net_tcp_split(const uint8_t *frame, size_t size, const net_hdr_t *hdr, uint8_t *scratch,
                   size_t scratch_size, net_emit_t emit, void *opaque)
{
    net_tcp_t at;
    uint8_t type = hdr->gso_type & (uint8_t)~VIRTIO_NET_HDR_GSO_ECN;
    if ((type != VIRTIO_NET_HDR_GSO_TCPV4 && type != VIRTIO_NET_HDR_GSO_TCPV6) || !hdr->gso_size ||
        !net_tcp_parse(frame, size, true, &at) || at.v6 != (type == VIRTIO_NET_HDR_GSO_TCPV6) ||
        at.payload + hdr->gso_size > scratch_size) {
        return false;
    }
    const uint8_t flags = frame[at.tcp + TCP_FLAGS];
    const uint32_t seq = get_be32(frame + at.tcp + TCP_SEQ);
    const uint32_t id = at.v6 ? 0 : get_be16(frame + at.ip + IPV4_ID);
    size_t total = size - at.payload, done = 0;
    memcpy(scratch, frame, at.payload);
    for (uint32_t n = 0; done < total || n == 0; n++) {
        size_t piece = total - done < hdr->gso_size ? total - done : hdr->gso_size;
        bool last = done + piece == total;
        memcpy(scratch + at.payload, frame + at.payload + done, piece);
        put_be32(scratch + at.tcp + TCP_SEQ, seq + (uint32_t)done);
        if (!at.v6) {
            put_be16(scratch + at.ip + IPV4_ID, (id + n) & 0xffff);
        }
        scratch[at.tcp + TCP_FLAGS] = (uint8_t)(flags & ~(last ? 0 : TCP_F_FIN | TCP_F_PSH) &
                                                ~(n ? TCP_F_CWR : 0));
        at.end = at.payload + piece;
        if (!net_tcp_finish(scratch, &at, false) || !emit(opaque, scratch, at.end)) {
            return false;
        }
        done += piece;
    }
    return true;
}

/* --- Joining --- */

/* A segment that may have others behind it: plain headers, some data, nothing special about it. */
static bool join_candidate(const net_join_t *join, const uint8_t *frame, size_t size, net_tcp_t *at)
{
    return net_tcp_parse(frame, size, false, at) && (at->v6 ? join->v6ok : join->v4ok) &&
           at->tcp - at->ip == (at->v6 ? IPV6_SIZE : IPV4_MIN) && at->end > at->payload &&
           (frame[at->tcp + TCP_FLAGS] & ~TCP_F_PSH) == TCP_F_ACK;
}

/* The same connection, and all that must be equal in two segments that become one. */
static bool join_matches(const net_join_t *join, const uint8_t *frame, const net_tcp_t *at)
{
    const uint8_t *have = join->frame;
    const net_tcp_t *to = &join->at;
    if (at->v6 != to->v6 || at->ip != to->ip || at->tcp != to->tcp || at->payload != to->payload ||
        memcmp(have, frame, at->ip) != 0) {
        return false;
    }
    const uint8_t *ip1 = have + to->ip, *ip2 = frame + at->ip;
    bool ip_same = at->v6 ? !memcmp(ip1, ip2, IPV6_LENGTH) && !memcmp(ip1 + 6, ip2 + 6, 34)
                          : ip1[1] == ip2[1] && !memcmp(ip1 + 6, ip2 + 6, 4) &&
                                !memcmp(ip1 + IPV4_SOURCE, ip2 + IPV4_SOURCE, 8);
    const uint8_t *tcp1 = have + to->tcp, *tcp2 = frame + at->tcp;
    uint32_t next = get_be32(tcp1 + TCP_SEQ) + (uint32_t)(to->end - to->payload);
    return ip_same && !memcmp(tcp1, tcp2, 4) && get_be32(tcp2 + TCP_SEQ) == next &&
           !memcmp(tcp1 + TCP_ACK, tcp2 + TCP_ACK, 5) &&
           !memcmp(tcp1 + TCP_URGENT, tcp2 + TCP_URGENT, at->payload - at->tcp - TCP_URGENT);
}

static bool join_start(net_join_t *join, const uint8_t *frame, size_t size)
{
    if (size > NET_FRAME_MAX) {
        return false;
    }
    memcpy(join->frame, frame, size);
    join->size = size;
    join->segments = 1;
    join->closed = true;
    if (join_candidate(join, frame, size, &join->at)) {
        join->size = join->at.end; /* without padding */
        join->gso_size = (uint16_t)(join->at.end - join->at.payload);
        join->closed = (frame[join->at.tcp + TCP_FLAGS] & TCP_F_PSH) != 0;
    }
    return true;
}

bool net_join_add(net_join_t *join, const uint8_t *frame, size_t size)
{
    net_tcp_t at;
    if (!join->size) {
        return join_start(join, frame, size);
    }
    if (join->closed || !join_candidate(join, frame, size, &at) || !join_matches(join, frame, &at)) {
        return false;
    }
    size_t piece = at.end - at.payload;
    if (piece > join->gso_size || join->at.end - join->at.ip + piece > 0xffff) {
        return false;
    }
    memcpy(join->frame + join->at.end, frame + at.payload, piece);
    uint8_t flags = frame[at.tcp + TCP_FLAGS];
    join->frame[at.tcp + TCP_FLAGS] |= flags;
    memcpy(join->frame + at.tcp + TCP_WINDOW, frame + at.tcp + TCP_WINDOW, 2);
    join->at.end += piece;
    join->size = join->at.end;
    join->segments++;
    join->closed = piece < join->gso_size || (flags & TCP_F_PSH);
    return true;
}

size_t net_join_take(net_join_t *join, net_hdr_t *hdr)
{
    size_t size = join->size;
    *hdr = (net_hdr_t){.flags = VIRTIO_NET_HDR_F_DATA_VALID};
    if (size && join->segments > 1) {
        net_tcp_finish(join->frame, &join->at, true);
        *hdr = (net_hdr_t){
            .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
            .gso_type = join->at.v6 ? VIRTIO_NET_HDR_GSO_TCPV6 : VIRTIO_NET_HDR_GSO_TCPV4,
            .hdr_len = (uint16_t)join->at.payload,
            .gso_size = join->gso_size,
            .csum_start = (uint16_t)join->at.tcp,
            .csum_offset = TCP_CHECKSUM,
        };
    }
    join->size = 0;
    join->segments = 0;
    return size;
}
