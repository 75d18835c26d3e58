/* SPDX-License-Identifier: MPL-2.0 */
/* The header of a vsock packet: VirtIO 1.2 §5.10.6. */
#ifndef RVKIT_DEVICES_VSOCK_PACKET_H
#define RVKIT_DEVICES_VSOCK_PACKET_H

#include "rvvm_compat.h"

enum {
    /* struct virtio_vsock_hdr (§5.10.6) */
    VSOCK_HDR = 44,
    VSOCK_TYPE_STREAM = 1,
    VSOCK_OP_REQUEST = 1,
    VSOCK_OP_RESPONSE = 2,
    VSOCK_OP_RST = 3,
    VSOCK_OP_SHUTDOWN = 4,
    VSOCK_OP_RW = 5,
    VSOCK_OP_CREDIT_UPDATE = 6,
    VSOCK_OP_CREDIT_REQUEST = 7,
    VSOCK_SHUT_RCV = 1, /* the sender will not receive any more */
    VSOCK_SHUT_SEND = 2,
    VSOCK_SHUT_BOTH = 3,
};

typedef struct {
    uint64_t src_cid, dst_cid;
    uint32_t src_port, dst_port, len;
    uint16_t type, op;
    uint32_t flags, buf_alloc, fwd_cnt;
} vsock_hdr_t;

static inline void vsock_hdr_read(const uint8_t *p, vsock_hdr_t *hdr)
{
    *hdr = (vsock_hdr_t){
        .src_cid = read_uint64_le_m(p),
        .dst_cid = read_uint64_le_m(p + 8),
        .src_port = read_uint32_le_m(p + 16),
        .dst_port = read_uint32_le_m(p + 20),
        .len = read_uint32_le_m(p + 24),
        .type = read_uint16_le_m(p + 28),
        .op = read_uint16_le_m(p + 30),
        .flags = read_uint32_le_m(p + 32),
        .buf_alloc = read_uint32_le_m(p + 36),
        .fwd_cnt = read_uint32_le_m(p + 40),
    };
}

static inline void vsock_hdr_write(uint8_t *p, const vsock_hdr_t *hdr)
{
    write_uint64_le_m(p, hdr->src_cid);
    write_uint64_le_m(p + 8, hdr->dst_cid);
    write_uint32_le_m(p + 16, hdr->src_port);
    write_uint32_le_m(p + 20, hdr->dst_port);
    write_uint32_le_m(p + 24, hdr->len);
    write_uint16_le_m(p + 28, hdr->type);
    write_uint16_le_m(p + 30, hdr->op);
    write_uint32_le_m(p + 32, hdr->flags);
    write_uint32_le_m(p + 36, hdr->buf_alloc);
    write_uint32_le_m(p + 40, hdr->fwd_cnt);
}

#endif
