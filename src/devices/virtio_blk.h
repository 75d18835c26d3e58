/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The block device: VirtIO 1.2 §5.2, and the interface of what stands behind it.
 *
 * A back end gets requests by submit() and answers each once by virtio_blk_io_done(), in any order, from
 * any thread, or before submit() returns. It never sees a ring or a guest address: for the data it asks
 *
 *   host memory in hand (a file)                     data that comes in a buffer (a browser's storage)
 *     if (virtio_blk_io_begin(io)) {                   read:  virtio_blk_io_put(io, buffer, len)
 *         while (virtio_blk_io_next(io, max, &span))   write: virtio_blk_io_get(io, buffer, len)
 *             … preadv() or pwritev() …                (no begin or end around these)
 *         virtio_blk_io_end(io);
 *     }
 *
 * Data is handed out in order, from the first byte of the request to the last. When begin() fails the
 * driver has reset the device: change nothing more on the medium, and answer as usual.
 *
 * Threads. submit is called on hart threads, for different queues at the same time, and on a thread that
 * is inside virtio_blk_io_done(). It must not block. All requests are independent of each other: a flush
 * only concerns writes that were answered before it was submitted.
 */
#ifndef RVKIT_DEVICES_VIRTIO_BLK_H
#define RVKIT_DEVICES_VIRTIO_BLK_H

#include "virtio.h"

#define VIRTIO_BLK_SECTOR 512U
#define VIRTIO_BLK_ID_BYTES 20
#define VIRTIO_BLK_RANGES_MAX 32

/* Feature bits (§5.2.3). */
#define VIRTIO_BLK_F_SIZE_MAX VIRTIO_BIT(1)
#define VIRTIO_BLK_F_SEG_MAX VIRTIO_BIT(2)
#define VIRTIO_BLK_F_RO VIRTIO_BIT(5)
#define VIRTIO_BLK_F_BLK_SIZE VIRTIO_BIT(6)
#define VIRTIO_BLK_F_FLUSH VIRTIO_BIT(9)
#define VIRTIO_BLK_F_TOPOLOGY VIRTIO_BIT(10)
#define VIRTIO_BLK_F_CONFIG_WCE VIRTIO_BIT(11)
#define VIRTIO_BLK_F_MQ VIRTIO_BIT(12)
#define VIRTIO_BLK_F_DISCARD VIRTIO_BIT(13)
#define VIRTIO_BLK_F_WRITE_ZEROES VIRTIO_BIT(14)

/* Offsets in the configuration space (§5.2.4). */
enum {
    VIRTIO_BLK_CFG_CAPACITY = 0,
    VIRTIO_BLK_CFG_SIZE_MAX = 8,
    VIRTIO_BLK_CFG_SEG_MAX = 12,
    VIRTIO_BLK_CFG_BLK_SIZE = 20,
    VIRTIO_BLK_CFG_PHYSICAL_BLOCK_EXP = 24,
    VIRTIO_BLK_CFG_ALIGNMENT_OFFSET = 25,
    VIRTIO_BLK_CFG_MIN_IO_SIZE = 26,
    VIRTIO_BLK_CFG_OPT_IO_SIZE = 28,
    VIRTIO_BLK_CFG_WRITEBACK = 32,
    VIRTIO_BLK_CFG_NUM_QUEUES = 34,
    VIRTIO_BLK_CFG_MAX_DISCARD_SECTORS = 36,
    VIRTIO_BLK_CFG_MAX_DISCARD_SEG = 40,
    VIRTIO_BLK_CFG_DISCARD_SECTOR_ALIGNMENT = 44,
    VIRTIO_BLK_CFG_MAX_WRITE_ZEROES_SECTORS = 48,
    VIRTIO_BLK_CFG_MAX_WRITE_ZEROES_SEG = 52,
    VIRTIO_BLK_CFG_WRITE_ZEROES_MAY_UNMAP = 56,
    VIRTIO_BLK_CFG_BYTES = 60,
};

/* Request types and status bytes (§5.2.6). */
enum {
    VIRTIO_BLK_T_IN = 0,
    VIRTIO_BLK_T_OUT = 1,
    VIRTIO_BLK_T_FLUSH = 4,
    VIRTIO_BLK_T_GET_ID = 8,
    VIRTIO_BLK_T_DISCARD = 11,
    VIRTIO_BLK_T_WRITE_ZEROES = 13,
};
enum { VIRTIO_BLK_S_OK = 0, VIRTIO_BLK_S_IOERR = 1, VIRTIO_BLK_S_UNSUPP = 2 };

typedef enum {
    VIRTIO_BLK_READ,
    VIRTIO_BLK_WRITE,
    VIRTIO_BLK_FLUSH,   /* all writes answered so far become durable */
    VIRTIO_BLK_DISCARD, /* the contents are not needed any more */
    VIRTIO_BLK_ZERO,    /* reads as zeros afterwards */
} virtio_blk_op_t;

/* Bytes of the medium: multiples of 512, inside the capacity. */
typedef struct {
    uint64_t offset, len;
    bool unmap; /* VIRTIO_BLK_ZERO: the storage behind it may be given up */
} virtio_blk_range_t;

typedef struct virtio_blk virtio_blk_t;

/* A request at the back end, which owns it until virtio_blk_io_done(). */
typedef struct virtio_blk_io {
    virtio_blk_op_t op;
    bool durable;    /* a change that must be on the medium before it is answered OK */
    unsigned ranges; /* READ, WRITE: 1; FLUSH: 0; DISCARD, ZERO: 1 to VIRTIO_BLK_RANGES_MAX */
    const virtio_blk_range_t *range;
    void *scratch[6]; /* the back end's own; zeros at first */

    /* The device's own. */
    virtio_blk_t *blk;
    virtq_chain_t *chain;
    uint64_t data;  /* bytes of the data part that a read fills */
    uint64_t moved; /* of these, known to be filled */
} virtio_blk_io_t;

typedef struct {
    void (*submit)(void *opaque, virtio_blk_io_t *io);

    /* Returns when no request is out. NULL when that cannot be waited for, or never happens. */
    void (*drain)(void *opaque);

    /* Ends all use of requests, and frees. Those that were never answered are forgotten. */
    void (*close)(void *opaque);
    void *opaque;

    uint64_t capacity; /* bytes; a multiple of 512 */
    bool read_only;
    bool can_discard;       /* discarding does something */
    uint32_t optimal_block; /* bytes that are best written as one: 512 << n, at most 512 << 15 */
    const char *serial;     /* copied; the first 20 bytes count. NULL: none */
} virtio_blk_backend_t;

/*
 * Describes a block device with `queues` request queues (1 to 16). The back end goes over to it, also
 * when this fails (false: no memory, or a value out of its range).
 */
bool virtio_blk_describe(virtio_desc_t *desc, const virtio_blk_backend_t *backend, unsigned queues);

/*
 * The data of a READ (to be written to) or WRITE (to be read), and for changes without data only the
 * question whether they still count: see virtq_begin(). Do one host call, and wait for nothing else.
 */
bool virtio_blk_io_begin(virtio_blk_io_t *io);
void virtio_blk_io_end(virtio_blk_io_t *io);

/* Inside a bracket: the next piece, at most max bytes; false at the end of the data. */
bool virtio_blk_io_next(virtio_blk_io_t *io, size_t max, virtq_span_t *span);

/* Copies between the data at its cursor and a buffer. Fewer than len at the end; 0 after a reset. */
size_t virtio_blk_io_put(virtio_blk_io_t *io, const void *src, size_t len);
size_t virtio_blk_io_get(virtio_blk_io_t *io, void *dst, size_t len);

/* Says that all data handed out so far has been filled. For READ with next(), before a failure. */
void virtio_blk_io_filled(virtio_blk_io_t *io);

/* Answers a request, whose memory is gone afterwards. OK on a READ says that all of its data is filled. */
void virtio_blk_io_done(virtio_blk_io_t *io, bool ok);

#endif
