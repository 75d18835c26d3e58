/* SPDX-License-Identifier: MPL-2.0 */
/* The block device: VirtIO 1.2 §5.2. Requests come in, are checked, and go to the back end. */
#include "virtio_blk.h"

#include "../util.h"

#define BLK_QUEUES_MAX 16
#define BLK_QUEUE_SIZE 256
#define BLK_SEG_MAX (BLK_QUEUE_SIZE - 2) /* a chain has a header and a status as well */
#define BLK_SIZE_MAX (UINT32_C(1) << 20)
#define BLK_DISCARD_SECTORS_MAX (UINT32_C(1) << 22)
#define BLK_ZERO_SECTORS_MAX (UINT32_C(1) << 16)
#define BLK_RANGE_BYTES 16
#define BLK_RANGE_UNMAP 1U

struct virtio_blk {
    virtio_dev_t *dev;
    virtio_blk_backend_t backend;
    uint64_t sectors;
    uint8_t id[VIRTIO_BLK_ID_BYTES];
    uint8_t config[VIRTIO_BLK_CFG_BYTES]; /* as after a reset */
    uint32_t writeback;                   /* atomic: the byte of the configuration space */
};

/* The first bytes of each request (§5.2.6). */
typedef struct {
    uint32_t type;
    uint64_t sector;
} blk_header_t;

/* A request whose ranges lie behind it. */
typedef struct {
    virtio_blk_io_t io;
    virtio_blk_range_t range[VIRTIO_BLK_RANGES_MAX];
} blk_request_t;

/* --- Answers --- */

/*
 * Puts the status into the last writable byte and gives the chain back. `filled` bytes before it, from
 * the first on, are good: the length that is reported covers no byte that was not written (§2.7.8.2).
 */
static void blk_answer(virtq_chain_t *chain, uint64_t filled, uint8_t status)
{
    virtq_t *vq = virtq_of(chain);
    virtq_seek_writable(chain, 0);
    uint64_t total = virtq_writable_left(chain);
    if (total) {
        virtq_seek_writable(chain, total - 1);
        virtq_write(chain, &status, 1);
        filled += filled == total - 1;
    }
    virtq_push(chain, (size_t)util_min_u64(filled, total));
    virtq_notify(vq);
}

void virtio_blk_io_done(virtio_blk_io_t *io, bool ok)
{
    uint64_t filled = ok ? io->data : io->moved;
    blk_answer(io->chain, filled, ok ? VIRTIO_BLK_S_OK : VIRTIO_BLK_S_IOERR);
    blk_request_t *request = (blk_request_t *)io;
    free(request);
}

/* --- What a back end asks --- */

bool virtio_blk_io_begin(virtio_blk_io_t *io)
{
    return virtq_begin(io->chain);
}

void virtio_blk_io_end(virtio_blk_io_t *io)
{
    virtq_end(io->chain);
}

bool virtio_blk_io_next(virtio_blk_io_t *io, size_t max, virtq_span_t *span)
{
    if (io->op == VIRTIO_BLK_WRITE) {
        return virtq_next_readable(io->chain, max, span);
    }
    uint64_t left = io->data - virtq_written(io->chain); /* the status byte is not data */
    max = (size_t)util_min_u64(max, left);
    return max && virtq_next_writable(io->chain, max, span);
}

size_t virtio_blk_io_put(virtio_blk_io_t *io, const void *src, size_t len)
{
    uint64_t left = io->data - virtq_written(io->chain);
    size_t put = virtq_write(io->chain, src, (size_t)util_min_u64(len, left));
    virtio_blk_io_filled(io);
    return put;
}

size_t virtio_blk_io_get(virtio_blk_io_t *io, void *dst, size_t len)
{
    return virtq_read(io->chain, dst, len);
}

void virtio_blk_io_filled(virtio_blk_io_t *io)
{
    io->moved = virtq_written(io->chain);
}

/* --- Requests --- */

/*
 * Whether a write must be durable before it is answered (§5.2.6.2): always when the driver cannot flush,
 * and when it has chosen the write-through mode.
 */
static bool blk_is_write_through(const virtio_blk_t *blk)
{
    uint64_t features = virtio_features(blk->dev);
    if (features & VIRTIO_BLK_F_CONFIG_WCE) {
        return !__atomic_load_n(&blk->writeback, __ATOMIC_RELAXED);
    }
    return !(features & VIRTIO_BLK_F_FLUSH);
}

/* Hands a request over; `first` gives the range of a request that has one. */
static void blk_submit(virtio_blk_t *blk, virtq_chain_t *chain, virtio_blk_op_t op, uint64_t data,
                       const virtio_blk_range_t *range, unsigned ranges)
{
    blk_request_t *request = calloc(1, sizeof(*request));
    if (!request) {
        blk_answer(chain, 0, VIRTIO_BLK_S_IOERR);
        return;
    }
    for (unsigned i = 0; i < ranges; i++) {
        request->range[i] = range[i];
    }
    request->io = (virtio_blk_io_t){
        .op = op,
        .durable = op != VIRTIO_BLK_READ && op != VIRTIO_BLK_FLUSH && blk_is_write_through(blk),
        .ranges = ranges,
        .range = request->range,
        .blk = blk,
        .chain = chain,
        .data = data,
    };
    blk->backend.submit(blk->backend.opaque, &request->io);
}

static void blk_transfer(virtio_blk_t *blk, virtq_chain_t *chain, const blk_header_t *header,
                         uint64_t writable)
{
    bool write = header->type == VIRTIO_BLK_T_OUT;
    uint64_t len = write ? virtq_readable_left(chain) : writable;
    if (len % VIRTIO_BLK_SECTOR || (write && blk->backend.read_only) ||
        !util_range_ok(header->sector, len / VIRTIO_BLK_SECTOR, blk->sectors)) {
        blk_answer(chain, 0, VIRTIO_BLK_S_IOERR);
        return;
    }
    virtio_blk_range_t range = {header->sector * VIRTIO_BLK_SECTOR, len, false};
    blk_submit(blk, chain, write ? VIRTIO_BLK_WRITE : VIRTIO_BLK_READ, write ? 0 : len, &range, 1);
}

static void blk_get_id(const virtio_blk_t *blk, virtq_chain_t *chain, uint64_t writable)
{
    if (writable < VIRTIO_BLK_ID_BYTES) {
        blk_answer(chain, 0, VIRTIO_BLK_S_IOERR);
        return;
    }
    virtq_write(chain, blk->id, VIRTIO_BLK_ID_BYTES);
    blk_answer(chain, VIRTIO_BLK_ID_BYTES, VIRTIO_BLK_S_OK);
}

/* One range of a discard or write-zeroes request: a status byte, and the range when it is OK. */
static uint8_t blk_parse_range(const virtio_blk_t *blk, const uint8_t *bytes, bool zero,
                               virtio_blk_range_t *range)
{
    uint64_t sector = util_get_le64(bytes);
    uint32_t sectors = util_get_le32(bytes + 8), flags = util_get_le32(bytes + 12);
    if (flags & ~(zero ? BLK_RANGE_UNMAP : 0)) {
        return VIRTIO_BLK_S_UNSUPP;
    }
    if (sectors > (zero ? BLK_ZERO_SECTORS_MAX : BLK_DISCARD_SECTORS_MAX) ||
        !util_range_ok(sector, sectors, blk->sectors)) {
        return VIRTIO_BLK_S_IOERR;
    }
    range->offset = sector * VIRTIO_BLK_SECTOR;
    range->len = (uint64_t)sectors * VIRTIO_BLK_SECTOR;
    range->unmap = flags & BLK_RANGE_UNMAP;
    return VIRTIO_BLK_S_OK;
}

/* Nothing is changed unless all ranges are good. */
static void blk_give_up(virtio_blk_t *blk, virtq_chain_t *chain, bool zero)
{
    uint64_t bit = zero ? VIRTIO_BLK_F_WRITE_ZEROES : VIRTIO_BLK_F_DISCARD;
    uint64_t len = virtq_readable_left(chain);
    uint8_t status = VIRTIO_BLK_S_OK;
    if (!virtio_has_feature(blk->dev, bit)) {
        status = VIRTIO_BLK_S_UNSUPP;
    } else if (!len || len % BLK_RANGE_BYTES || len / BLK_RANGE_BYTES > VIRTIO_BLK_RANGES_MAX) {
        status = VIRTIO_BLK_S_IOERR;
    }
    virtio_blk_range_t range[VIRTIO_BLK_RANGES_MAX];
    unsigned ranges = 0;
    uint8_t worst = VIRTIO_BLK_S_OK;
    while (status == VIRTIO_BLK_S_OK && ranges < len / BLK_RANGE_BYTES) {
        uint8_t bytes[BLK_RANGE_BYTES];
        if (!virtq_read_all(chain, bytes, sizeof(bytes))) {
            status = VIRTIO_BLK_S_IOERR; /* reset meanwhile */
            break;
        }
        uint8_t one = blk_parse_range(blk, bytes, zero, &range[ranges++]);
        worst = one > worst ? one : worst;
    }
    status = status == VIRTIO_BLK_S_OK ? worst : status;
    if (status == VIRTIO_BLK_S_OK) {
        blk_submit(blk, chain, zero ? VIRTIO_BLK_ZERO : VIRTIO_BLK_DISCARD, 0, range, ranges);
    } else {
        blk_answer(chain, 0, status);
    }
}

static void blk_handle(virtio_blk_t *blk, virtq_chain_t *chain)
{
    uint8_t bytes[16];
    uint64_t writable = virtq_writable_left(chain);
    if (!writable || !virtq_read_all(chain, bytes, sizeof(bytes))) {
        blk_answer(chain, 0, VIRTIO_BLK_S_IOERR); /* no header, or no place for a status */
        return;
    }
    writable--;
    blk_header_t header = {util_get_le32(bytes), util_get_le64(bytes + 8)};
    switch (header.type) {
    case VIRTIO_BLK_T_IN:
    case VIRTIO_BLK_T_OUT: blk_transfer(blk, chain, &header, writable); break;
    case VIRTIO_BLK_T_FLUSH: blk_submit(blk, chain, VIRTIO_BLK_FLUSH, 0, NULL, 0); break;
    case VIRTIO_BLK_T_GET_ID: blk_get_id(blk, chain, writable); break;
    case VIRTIO_BLK_T_DISCARD: blk_give_up(blk, chain, false); break;
    case VIRTIO_BLK_T_WRITE_ZEROES: blk_give_up(blk, chain, true); break;
    default: blk_answer(chain, 0, VIRTIO_BLK_S_UNSUPP); break;
    }
}

/* --- The device --- */

static void blk_bind(void *data, virtio_dev_t *dev)
{
    ((virtio_blk_t *)data)->dev = dev;
}

static void blk_remove(void *data)
{
    virtio_blk_t *blk = data;
    if (blk->backend.drain) {
        blk->backend.drain(blk->backend.opaque);
    }
    if (blk->backend.close) {
        blk->backend.close(blk->backend.opaque);
    }
    free(blk);
}

static void blk_notify(void *data, unsigned queue)
{
    virtio_blk_t *blk = data;
    virtq_t *vq = virtio_queue(blk->dev, queue);
    virtq_chain_t *chain;
    while ((chain = virtq_pop(vq))) {
        blk_handle(blk, chain);
    }
}

static void blk_set_writeback(virtio_blk_t *blk, uint8_t on)
{
    __atomic_store_n(&blk->writeback, on, __ATOMIC_RELAXED);
    virtio_config_set(blk->dev, VIRTIO_BLK_CFG_WRITEBACK, &on, 1);
}

/* §5.2.5.2: a driver that takes CONFIG_WCE without FLUSH starts in write-through mode. */
static bool blk_features_ok(void *data, uint64_t features)
{
    if (!(features & VIRTIO_BLK_F_FLUSH)) {
        blk_set_writeback(data, 0);
    }
    return true;
}

/* Only `writeback` can be written, and only after CONFIG_WCE was negotiated. */
static void blk_config_written(void *data, size_t offset, size_t len)
{
    virtio_blk_t *blk = data;
    uint8_t on;
    virtio_config_get(blk->dev, VIRTIO_BLK_CFG_WRITEBACK, &on, 1);
    size_t end = offset + len < VIRTIO_BLK_CFG_BYTES ? offset + len : VIRTIO_BLK_CFG_BYTES;
    for (size_t i = offset; i < end; i++) {
        if (i != VIRTIO_BLK_CFG_WRITEBACK) {
            virtio_config_set(blk->dev, i, &blk->config[i], 1);
        } else if (virtio_has_feature(blk->dev, VIRTIO_BLK_F_CONFIG_WCE) && on <= 1) {
            __atomic_store_n(&blk->writeback, on, __ATOMIC_RELAXED);
        } else {
            blk_set_writeback(blk, (uint8_t)__atomic_load_n(&blk->writeback, __ATOMIC_RELAXED));
        }
    }
}

static void blk_reset(void *data)
{
    virtio_blk_t *blk = data;
    blk_set_writeback(blk, blk->config[VIRTIO_BLK_CFG_WRITEBACK]);
}

/* Requests that are out are saved with their queues and done again: a back end without drain. */
static void blk_suspend(void *data, rvvm_snapshot_t *snap, bool resume)
{
    virtio_blk_t *blk = data;
    if (!resume && blk->backend.drain) {
        blk->backend.drain(blk->backend.opaque);
    }
    if (!snap) {
        return;
    }
    uint32_t on = __atomic_load_n(&blk->writeback, __ATOMIC_RELAXED);
    rvvm_snapshot_field(snap, on);
    if (resume) {
        blk_set_writeback(blk, on != 0);
    }
}

static const virtio_type_t blk_type = {
    .name = "virtio-blk",
    .bind = blk_bind,
    .remove = blk_remove,
    .notify = blk_notify,
    .features_ok = blk_features_ok,
    .config_written = blk_config_written,
    .reset = blk_reset,
    .suspend = blk_suspend,
};

static uint64_t blk_features(const virtio_blk_t *blk, unsigned queues)
{
    uint64_t features = VIRTIO_BLK_F_SIZE_MAX | VIRTIO_BLK_F_SEG_MAX | VIRTIO_BLK_F_BLK_SIZE |
                        VIRTIO_BLK_F_TOPOLOGY | VIRTIO_BLK_F_FLUSH;
    if (blk->backend.read_only) {
        features |= VIRTIO_BLK_F_RO;
    } else {
        features |= VIRTIO_BLK_F_CONFIG_WCE | VIRTIO_BLK_F_WRITE_ZEROES;
        features |= blk->backend.can_discard ? VIRTIO_BLK_F_DISCARD : 0;
    }
    return features | (queues > 1 ? VIRTIO_BLK_F_MQ : 0);
}

/* The configuration space. Bytes of features that are not offered stay 0. */
static void blk_fill_config(virtio_blk_t *blk, uint64_t features, unsigned queues)
{
    uint8_t *config = blk->config;
    uint32_t sectors = blk->backend.optimal_block / VIRTIO_BLK_SECTOR;
    uint8_t exponent = 0;
    while (UINT32_C(1) << exponent < sectors) {
        exponent++;
    }
    util_put_le64(config + VIRTIO_BLK_CFG_CAPACITY, blk->sectors);
    util_put_le32(config + VIRTIO_BLK_CFG_SIZE_MAX, BLK_SIZE_MAX);
    util_put_le32(config + VIRTIO_BLK_CFG_SEG_MAX, BLK_SEG_MAX);
    util_put_le32(config + VIRTIO_BLK_CFG_BLK_SIZE, VIRTIO_BLK_SECTOR);
    config[VIRTIO_BLK_CFG_PHYSICAL_BLOCK_EXP] = exponent;
    util_put_le16(config + VIRTIO_BLK_CFG_MIN_IO_SIZE, (uint16_t)sectors);
    if (features & VIRTIO_BLK_F_CONFIG_WCE) {
        config[VIRTIO_BLK_CFG_WRITEBACK] = 1;
    }
    if (features & VIRTIO_BLK_F_MQ) {
        util_put_le16(config + VIRTIO_BLK_CFG_NUM_QUEUES, (uint16_t)queues);
    }
    if (features & VIRTIO_BLK_F_DISCARD) {
        util_put_le32(config + VIRTIO_BLK_CFG_MAX_DISCARD_SECTORS, BLK_DISCARD_SECTORS_MAX);
        util_put_le32(config + VIRTIO_BLK_CFG_MAX_DISCARD_SEG, VIRTIO_BLK_RANGES_MAX);
        util_put_le32(config + VIRTIO_BLK_CFG_DISCARD_SECTOR_ALIGNMENT, sectors);
    }
    if (features & VIRTIO_BLK_F_WRITE_ZEROES) {
        util_put_le32(config + VIRTIO_BLK_CFG_MAX_WRITE_ZEROES_SECTORS, BLK_ZERO_SECTORS_MAX);
        util_put_le32(config + VIRTIO_BLK_CFG_MAX_WRITE_ZEROES_SEG, VIRTIO_BLK_RANGES_MAX);
        config[VIRTIO_BLK_CFG_WRITE_ZEROES_MAY_UNMAP] = blk->backend.can_discard;
    }
}

static bool blk_is_valid(const virtio_blk_backend_t *backend, unsigned queues)
{
    uint32_t block = backend->optimal_block;
    return backend->submit && backend->capacity % VIRTIO_BLK_SECTOR == 0 && queues >= 1 &&
           queues <= BLK_QUEUES_MAX && block >= VIRTIO_BLK_SECTOR &&
           block <= VIRTIO_BLK_SECTOR << 15 && (block & (block - 1)) == 0;
}

bool virtio_blk_describe(virtio_desc_t *desc, const virtio_blk_backend_t *backend, unsigned queues)
{
    virtio_blk_t *blk = blk_is_valid(backend, queues) ? calloc(1, sizeof(*blk)) : NULL;
    if (!blk) {
        if (backend->close) {
            backend->close(backend->opaque);
        }
        return false;
    }
    blk->backend = *backend;
    blk->sectors = backend->capacity / VIRTIO_BLK_SECTOR;
    for (size_t i = 0; backend->serial && i < sizeof(blk->id) && backend->serial[i]; i++) {
        blk->id[i] = (uint8_t)backend->serial[i];
    }
    uint64_t features = blk_features(blk, queues);
    blk_fill_config(blk, features, queues);
    blk->writeback = blk->config[VIRTIO_BLK_CFG_WRITEBACK];
    memset(desc, 0, sizeof(*desc));
    desc->type = &blk_type;
    desc->data = blk;
    desc->id = VIRTIO_ID_BLOCK;
    desc->features = features;
    desc->queues = queues;
    for (unsigned i = 0; i < queues; i++) {
        desc->queue_size[i] = BLK_QUEUE_SIZE;
    }
    desc->config_size = sizeof(blk->config);
    desc->config = blk->config;
    return true;
}
