/* SPDX-License-Identifier: MPL-2.0 */
#include "drive.h"

#include "devices/virtio_blk.h"
#include "host/worker.h"
#include "util.h"

#include <errno.h>

/* Bytes of one bracket: how long a reset may have to wait. */
#define DRIVE_TRANSFER_MAX (UINT32_C(4) << 20)
#define DRIVE_NOW_MAX      (UINT32_C(16) << 10) /* of a read that is done by the hart itself */
#define DRIVE_DISCARD_MAX  (UINT32_C(64) << 20)

struct drive {
    void (*gone)(void *opaque, drive_t *drive);
    void *opaque;
    disk_t *disk;
    host_worker_t *worker;
    uint32_t told;      /* atomic: a bit for each kind of request that has failed */
    uint64_t count[VIRTIO_BLK_ZERO + 1]; /* atomic: requests of each kind */
    uint64_t bytes_read, bytes_written, errors; /* atomic */
};

/* In the request's scratch space. */
typedef struct {
    host_job_t job;
    drive_t *drive;
} drive_job_t;

_Static_assert(sizeof(drive_job_t) <= sizeof(((virtio_blk_io_t *)0)->scratch), "scratch");

static void drive_tell(drive_t *drive, virtio_blk_op_t op, int err)
{
    static const char *const what[] = {
        [VIRTIO_BLK_READ] = "be read",          [VIRTIO_BLK_WRITE] = "be written",
        [VIRTIO_BLK_FLUSH] = "be flushed",      [VIRTIO_BLK_DISCARD] = "discard",
        [VIRTIO_BLK_ZERO] = "be written zeros",
    };
    uint32_t bit = UINT32_C(1) << op;
    if (!(__atomic_fetch_or(&drive->told, bit, __ATOMIC_RELAXED) & bit)) {
        rvvm_error("drive %s: cannot %s: %s; the guest sees I/O errors", disk_name(drive->disk),
                   what[op], err == ENODATA ? "the file has been cut short" : strerror(err));
    }
}

/* The pieces of the next part of a transfer, their sum in *len. */
static unsigned drive_gather(virtio_blk_io_t *io, disk_span_t *spans, uint64_t *len)
{
    unsigned count = 0;
    virtq_span_t span;
    *len = 0;
    while (count < DISK_SPANS_MAX && *len < DRIVE_TRANSFER_MAX &&
           virtio_blk_io_next(io, DRIVE_TRANSFER_MAX - (size_t)*len, &span)) {
        spans[count++] = (disk_span_t){span.ptr, span.len};
        *len += span.len;
    }
    return count;
}

static int drive_transfer(drive_t *drive, virtio_blk_io_t *io)
{
    disk_span_t spans[DISK_SPANS_MAX];
    uint64_t offset = io->range->offset, end = offset + io->range->len, len;
    int err = 0;
    while (offset < end && !err) {
        if (!virtio_blk_io_begin(io)) {
            return ECANCELED;
        }
        unsigned count = drive_gather(io, spans, &len);
        if (io->op == VIRTIO_BLK_WRITE) {
            err = disk_write(drive->disk, offset, spans, count);
        } else {
            err = disk_read(drive->disk, offset, spans, count);
        }
        if (!err) {
            virtio_blk_io_filled(io);
        }
        virtio_blk_io_end(io);
        offset += len;
        err = err || len ? err : EIO;
    }
    return err;
}

static int drive_clear(drive_t *drive, virtio_blk_io_t *io, const virtio_blk_range_t *range)
{
    bool zero = io->op == VIRTIO_BLK_ZERO;
    uint64_t max = zero ? DRIVE_TRANSFER_MAX : DRIVE_DISCARD_MAX;
    int err = 0;
    for (uint64_t done = 0, len; done < range->len && !err; done += len) {
        uint64_t at = range->offset + done;
        len = util_min_u64(range->len - done, max);
        if (!virtio_blk_io_begin(io)) {
            return ECANCELED;
        }
        err = zero ? disk_zero(drive->disk, at, len, range->unmap)
                   : disk_discard(drive->disk, at, len);
        virtio_blk_io_end(io);
    }
    return err;
}

static int drive_do(drive_t *drive, virtio_blk_io_t *io)
{
    int err = 0;
    switch (io->op) {
    case VIRTIO_BLK_READ:
    case VIRTIO_BLK_WRITE: err = drive_transfer(drive, io); break;
    case VIRTIO_BLK_FLUSH: err = disk_flush(drive->disk); break;
    case VIRTIO_BLK_DISCARD:
    case VIRTIO_BLK_ZERO:
        for (unsigned i = 0; i < io->ranges && !err; i++) {
            err = drive_clear(drive, io, &io->range[i]);
        }
        break;
    }
    return !err && io->durable ? disk_flush(drive->disk) : err;
}

static void drive_add(uint64_t *counter, uint64_t n)
{
    __atomic_fetch_add(counter, n, __ATOMIC_RELAXED);
}

static uint64_t drive_get(const uint64_t *counter)
{
    return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

static void drive_count(drive_t *drive, const virtio_blk_io_t *io, int err)
{
    drive_add(&drive->count[io->op], 1);
    if (err) {
        drive_add(&drive->errors, 1);
    } else if (io->op == VIRTIO_BLK_READ) {
        drive_add(&drive->bytes_read, io->range->len);
    } else if (io->op == VIRTIO_BLK_WRITE) {
        drive_add(&drive->bytes_written, io->range->len);
    }
}

static void drive_run(host_job_t *job)
{
    drive_t *drive = ((drive_job_t *)job)->drive;
    virtio_blk_io_t *io =
        (virtio_blk_io_t *)(void *)((char *)job - offsetof(virtio_blk_io_t, scratch));
    int err = drive_do(drive, io);
    if (err != ECANCELED) {
        drive_count(drive, io, err);
    }
    if (err && err != ECANCELED) {
        drive_tell(drive, io->op, err);
    }
    virtio_blk_io_done(io, err == 0);
}

/*
 * A small read of what the host has in memory takes less time than waking a thread for it, and waiting for that.
 * Through a buffer, since what was taken from the request could not be given back.
 */
static bool drive_read_now(drive_t *drive, virtio_blk_io_t *io)
{
    uint8_t data[DRIVE_NOW_MAX];
    if (io->op != VIRTIO_BLK_READ || io->range->len > sizeof(data) ||
        !disk_read_now(drive->disk, io->range->offset, data, (size_t)io->range->len)) {
        return false;
    }
    drive_count(drive, io, 0);
    virtio_blk_io_done(io, virtio_blk_io_put(io, data, (size_t)io->range->len) == io->range->len);
    return true;
}

static void drive_submit(void *opaque, virtio_blk_io_t *io)
{
    drive_t *drive = opaque;
    if (drive_read_now(drive, io)) {
        return;
    }
    drive_job_t *job = (drive_job_t *)(void *)io->scratch;
    *job = (drive_job_t){.job.run = drive_run, .drive = drive};
    host_worker_submit(drive->worker, &job->job);
}

static void drive_drain(void *opaque)
{
    host_worker_drain(((drive_t *)opaque)->worker);
}

static void drive_close(void *opaque)
{
    drive_t *drive = opaque;
    if (drive->gone) {
        drive->gone(drive->opaque, drive);
    }
    host_worker_free(drive->worker);
    int err = disk_flush(drive->disk);
    if (err) {
        drive_tell(drive, VIRTIO_BLK_FLUSH, err);
    }
    disk_close(drive->disk);
    free(drive);
}

drive_t *drive_describe(virtio_desc_t *desc, const drive_desc_t *what)
{
    disk_t *disk = what->disk;
    drive_t *drive = calloc(1, sizeof(*drive));
    host_worker_t *worker = host_worker_create(what->threads);
    if (!drive || !worker) {
        rvvm_error("drive %s: out of memory", disk_name(disk));
        host_worker_free(worker);
        disk_close(disk);
        free(drive);
        if (what->gone) {
            what->gone(what->opaque, NULL);
        }
        return NULL;
    }
    *drive = (drive_t){.gone = what->gone, .opaque = what->opaque, .disk = disk, .worker = worker};
    const virtio_blk_backend_t backend = {
        .submit = drive_submit,
        .drain = drive_drain,
        .close = drive_close,
        .opaque = drive,
        .capacity = disk_size(disk),
        .read_only = disk_read_only(disk),
        .can_discard = !disk_read_only(disk),
        .optimal_block = disk_block_size(disk),
        .serial = disk_name(disk),
    };
    return virtio_blk_describe(desc, &backend, what->queues) ? drive : NULL;
}

const disk_t *drive_disk(const drive_t *drive)
{
    return drive->disk;
}

void drive_get_stats(const drive_t *drive, drive_stats_t *stats)
{
    const uint64_t *count = drive->count;
    *stats = (drive_stats_t){
        .reads = drive_get(&count[VIRTIO_BLK_READ]),
        .writes = drive_get(&count[VIRTIO_BLK_WRITE]),
        .flushes = drive_get(&count[VIRTIO_BLK_FLUSH]),
        .discards = drive_get(&count[VIRTIO_BLK_DISCARD]) + drive_get(&count[VIRTIO_BLK_ZERO]),
        .bytes_read = drive_get(&drive->bytes_read),
        .bytes_written = drive_get(&drive->bytes_written),
        .errors = drive_get(&drive->errors),
    };
}
