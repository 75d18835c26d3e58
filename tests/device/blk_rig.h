/* SPDX-License-Identifier: MPL-2.0 */
/* A block device over memory, whose back end answers at once or when a test says so, and its requests. */
#ifndef RVKIT_TESTS_DEVICE_BLK_RIG_H
#define RVKIT_TESTS_DEVICE_BLK_RIG_H

#include "devices/virtio_blk.h"
#include "util.h"
#include "virtio_driver.h"

#define V1 VIRTIO_F_VERSION_1
#define MEM_BYTES (256 * 512)
#define MEM_HELD 300
#define ALL_FEATURES                                                                               \
    (V1 | VIRTIO_BLK_F_SIZE_MAX | VIRTIO_BLK_F_SEG_MAX | VIRTIO_BLK_F_BLK_SIZE |                   \
     VIRTIO_BLK_F_FLUSH | VIRTIO_BLK_F_TOPOLOGY | VIRTIO_BLK_F_CONFIG_WCE | VIRTIO_BLK_F_DISCARD | \
     VIRTIO_BLK_F_WRITE_ZEROES)

/* The back end, and what it was asked for. */
typedef struct {
    uint8_t bytes[MEM_BYTES];
    bool hold;    /* keep requests until mem_release() */
    bool copies;  /* move data by put and get */
    bool excess;  /* more data was handed out than the request has */
    bool fails;   /* fail each request: data in full or in part, then an error */
    virtio_blk_io_t *held[MEM_HELD];
    unsigned held_count;
    unsigned submits, durables, flushes, cancels, closes, drains;
    virtio_blk_op_t last_op;
    virtio_blk_range_t last[VIRTIO_BLK_RANGES_MAX];
    unsigned last_ranges;
} mem_t;

static vd_t vd;
static mem_t mem;
static uint64_t blk_header, blk_data, blk_status; /* guest addresses; 64 KiB of data */

static inline void mem_move(virtio_blk_io_t *io)
{
    uint8_t *at = mem.bytes + io->range->offset;
    virtq_span_t span;
    if (mem.copies) {
        if (io->op == VIRTIO_BLK_READ) {
            virtio_blk_io_put(io, at, io->range->len);
        } else {
            virtio_blk_io_get(io, at, io->range->len);
        }
        return;
    }
    if (!virtio_blk_io_begin(io)) {
        mem.cancels++;
        return;
    }
    while (virtio_blk_io_next(io, 700, &span)) {
        memcpy(io->op == VIRTIO_BLK_READ ? span.ptr : at,
               io->op == VIRTIO_BLK_READ ? at : span.ptr, span.len);
        at += span.len;
        mem.excess |= at > mem.bytes + io->range->offset + io->range->len;
        if (mem.fails) {
            virtio_blk_io_filled(io);
            break;
        }
    }
    virtio_blk_io_end(io);
}

static inline void mem_answer(virtio_blk_io_t *io)
{
    if (io->op == VIRTIO_BLK_READ || io->op == VIRTIO_BLK_WRITE) {
        mem_move(io);
    } else if (io->op == VIRTIO_BLK_FLUSH) {
        mem.flushes++;
    } else if (virtio_blk_io_begin(io)) {
        for (unsigned i = 0; i < io->ranges; i++) {
            memset(mem.bytes + io->range[i].offset, io->op == VIRTIO_BLK_ZERO ? 0 : 0xDD,
                   io->range[i].len);
        }
        virtio_blk_io_end(io);
    } else {
        mem.cancels++;
    }
    mem.durables += io->durable;
    virtio_blk_io_done(io, !mem.fails);
}

static inline void mem_submit(void *opaque, virtio_blk_io_t *io)
{
    (void)opaque;
    mem.submits++;
    mem.last_op = io->op;
    mem.last_ranges = io->ranges;
    for (unsigned i = 0; i < io->ranges; i++) {
        mem.last[i] = io->range[i];
        if (!util_range_ok(io->range[i].offset, io->range[i].len, MEM_BYTES) ||
            io->range[i].offset % 512 || io->range[i].len % 512) {
            printf("Bail out! a range outside the medium\n");
            exit(1);
        }
    }
    if (mem.hold && mem.held_count < MEM_HELD) {
        mem.held[mem.held_count++] = io;
    } else {
        mem_answer(io);
    }
}

/* Answers what is held, last first. */
static inline void mem_release(void)
{
    while (mem.held_count) {
        mem_answer(mem.held[--mem.held_count]);
    }
}

static inline void mem_drain(void *opaque)
{
    (void)opaque;
    mem.drains++;
    mem_release();
}

static inline void mem_close(void *opaque)
{
    (void)opaque;
    mem.closes++;
}

static inline virtio_blk_backend_t mem_backend(void)
{
    return (virtio_blk_backend_t){
        .submit = mem_submit,
        .drain = mem_drain,
        .close = mem_close,
        .capacity = MEM_BYTES,
        .can_discard = true,
        .optimal_block = 4096,
        .serial = "a-serial-of-more-than-20-bytes",
    };
}

/* Attaches a device; not started yet. */
static inline void blk_attach(const virtio_blk_backend_t *backend, unsigned queues, unsigned flags)
{
    virtio_desc_t desc;
    memset(&mem, 0, sizeof(mem));
    for (unsigned i = 0; i < MEM_BYTES; i++) {
        mem.bytes[i] = (uint8_t)(i / 512 * 7 + i);
    }
    vd_machine(&vd);
    CHECK(virtio_blk_describe(&desc, backend, queues));
    CHECK(vd_attach(&vd, &desc, flags));
    blk_header = vd_alloc(&vd, 16);
    blk_status = vd_alloc(&vd, 16);
    blk_data = vd_alloc(&vd, 65536);
}

static inline void blk_up(uint64_t features)
{
    const virtio_blk_backend_t backend = mem_backend();
    blk_attach(&backend, 1, 0);
    CHECK(vd_start(&vd, features));
}

static inline void blk_down(void)
{
    vd_close(&vd);
    CHECK_EQ(1, mem.closes);
    CHECK(!mem.excess);
}

static inline void blk_put_header(uint32_t type, uint64_t sector)
{
    uint8_t *header = vd_ptr(&vd, blk_header);
    util_put_le32(header, type);
    util_put_le32(header + 4, 0);
    util_put_le64(header + 8, sector);
    *(uint8_t *)vd_ptr(&vd, blk_status) = 0xEE;
}

static inline uint8_t blk_get_status(void)
{
    return *(uint8_t *)vd_ptr(&vd, blk_status);
}

/* Adds a request whose data is in blk_data, `len` bytes in `pieces` buffers. */
static inline uint16_t blk_add(uint32_t type, uint64_t sector, uint32_t len, unsigned pieces)
{
    bool reads = type == VIRTIO_BLK_T_IN || type == VIRTIO_BLK_T_GET_ID;
    vd_buf_t buf[34] = {{blk_header, 16, false}};
    unsigned count = 1;
    blk_put_header(type, sector);
    for (unsigned i = 0; i < pieces && len; i++) {
        uint32_t from = len * i / pieces, to = len * (i + 1) / pieces;
        buf[count++] = (vd_buf_t){blk_data + from, to - from, reads};
    }
    buf[count++] = (vd_buf_t){blk_status, 1, true};
    return vd_add(&vd, 0, buf, count);
}

/* A whole request: its status, or 0xEE when it was not answered. */
static inline uint8_t blk_request(uint32_t type, uint64_t sector, uint32_t len, uint32_t *used)
{
    uint16_t id;
    uint32_t length = 0;
    blk_add(type, sector, len, len ? 1 : 0);
    vd_kick(&vd, 0);
    if (!vd_used(&vd, 0, &id, &length)) {
        return 0xEE;
    }
    if (used) {
        *used = length;
    }
    return blk_get_status();
}

/* The data of a discard or write-zeroes request: one range at place `index`. */
static inline void blk_put_range(unsigned index, uint64_t sector, uint32_t sectors, uint32_t flags)
{
    uint8_t *range = (uint8_t *)vd_ptr(&vd, blk_data) + 16 * index;
    util_put_le64(range, sector);
    util_put_le32(range + 8, sectors);
    util_put_le32(range + 12, flags);
}

static inline uint8_t blk_clear(uint32_t type, uint64_t sector, uint32_t sectors, uint32_t flags)
{
    blk_put_range(0, sector, sectors, flags);
    return blk_request(type, 0, 16, NULL);
}

#endif
