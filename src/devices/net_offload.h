/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What a network card does to frames on behalf of the host: checksums, cutting large TCP frames into
 * segments (TSO), and joining segments into large frames (as GRO does). Pure functions over bytes; nothing
 * that a guest or a peer wrote is trusted. No state but what the caller holds.
 *
 * Frames are Ethernet II without CRC, with up to two VLAN tags.
 */
#ifndef RVKIT_DEVICES_NET_OFFLOAD_H
#define RVKIT_DEVICES_NET_OFFLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The largest frame: two VLAN tags, and an IP packet whose length field is at its end. */
#define NET_FRAME_MAX (14 + 8 + 40 + 65535)
#define NET_FRAME_MIN 14

/* struct virtio_net_hdr without num_buffers (VirtIO 1.2 §5.1.6): its size, and its fields. */
#define NET_HDR_SIZE 10

enum {
    VIRTIO_NET_HDR_F_NEEDS_CSUM = 1,
    VIRTIO_NET_HDR_F_DATA_VALID = 2,

    VIRTIO_NET_HDR_GSO_NONE = 0,
    VIRTIO_NET_HDR_GSO_TCPV4 = 1,
    VIRTIO_NET_HDR_GSO_TCPV6 = 4,
    VIRTIO_NET_HDR_GSO_ECN = 0x80,
};

typedef struct {
    uint8_t flags, gso_type;
    uint16_t hdr_len, gso_size, csum_start, csum_offset;
} net_hdr_t;

void net_hdr_load(net_hdr_t *hdr, const uint8_t bytes[NET_HDR_SIZE]);
void net_hdr_store(const net_hdr_t *hdr, uint8_t bytes[NET_HDR_SIZE]);

/* Offsets of a TCP frame's parts: IP header, TCP header, payload, and the end of the IP packet. */
typedef struct {
    size_t ip, tcp, payload, end;
    bool v6;
} net_tcp_t;

/*
 * Finds the parts of an IPv4 or IPv6 TCP frame that is no fragment. With `large` the end is the end of the
 * frame, whatever the IP header's length says. False: it is none, or its headers do not fit.
 */
bool net_tcp_parse(const uint8_t *frame, size_t size, bool large, net_tcp_t *at);

/* The ones' complement sum of bytes in network order, folded to 16 bits; `sum` is one to go on from. */
uint16_t net_sum(const uint8_t *data, size_t size, uint32_t sum);

/*
 * Completes the checksum of a frame with VIRTIO_NET_HDR_F_NEEDS_CSUM: over all from csum_start on, into
 * csum_start + csum_offset. False when that lies outside the frame.
 */
bool net_fill_checksum(uint8_t *frame, size_t size, const net_hdr_t *hdr);

/*
 * Sets the IP header's length and checksum for a packet that ends at at->end, and the TCP checksum: the
 * whole of it, or (`partial`) only the pseudo-header's sum, as NEEDS_CSUM has it. False: too long for IP.
 */
bool net_tcp_finish(uint8_t *frame, const net_tcp_t *at, bool partial);

/* Takes one segment; false ends the cutting. */
typedef bool (*net_emit_t)(void *opaque, const uint8_t *frame, size_t size);

/*
 * Cuts a large TCP frame into segments of at most hdr->gso_size bytes of payload, with all checksums, made
 * one by one in scratch (scratch_size bytes). False: malformed, or emit said so.
 */
bool net_tcp_split(const uint8_t *frame, size_t size, const net_hdr_t *hdr, uint8_t *scratch,
                   size_t scratch_size, net_emit_t emit, void *opaque);

/*
 * Segments of one TCP connection that are being joined. `frame` is the caller's, NET_FRAME_MAX bytes;
 * size 0: empty.
 */
typedef struct {
    uint8_t *frame;
    size_t size;
    net_tcp_t at;
    uint16_t gso_size;
    unsigned segments;
    bool closed;     /* nothing can follow */
    bool v4ok, v6ok; /* which may be joined */
} net_join_t;

/*
 * Adds a frame, whose checksums are right. False: it does not continue what is there; take that away with
 * net_join_take() and add it again, which then never fails for frames of at most NET_FRAME_MAX bytes.
 */
bool net_join_add(net_join_t *join, const uint8_t *frame, size_t size);

/* Completes what is there, fills in its header, and empties join; returns the frame's size or 0. */
size_t net_join_take(net_join_t *join, net_hdr_t *hdr);

#endif
