/* SPDX-License-Identifier: MPL-2.0 */
/* Disks whose blocks JavaScript has. */
#include "engine_internal.h"

#include "../../util.h"

#include <stdlib.h>

#define TOKEN_SLOT(token) ((token) % ENGINE_REQUESTS_MAX)

/* One request of the guest, which JavaScript gets in pieces. */
struct engine_request {
    engine_drive_t *drive;
    virtio_blk_io_t *io;
    uint32_t token;
    unsigned range;  /* the one that is worked on */
    uint64_t done;   /* bytes of it */
    uint64_t length; /* of the piece that is out */
    bool flushing;   /* the last piece, of a change that has to be durable */
    bool calling;    /* rvkit_host_drive() has not returned */
    bool answered;   /* meanwhile */
    bool ok;
    uint8_t *buffer;
    size_t capacity;
};

/* NULL: there is no place, or no memory. */
static engine_request_t *request_new(engine_drive_t *drive, virtio_blk_io_t *io)
{
    engine_t *engine = drive->engine;
    engine_request_t *request = calloc(1, sizeof(*request));
    for (unsigned i = 0; request && i < ENGINE_REQUESTS_MAX; i++) {
        uint32_t token = engine->next_token++;
        if (!engine->request[TOKEN_SLOT(token)]) {
            request->drive = drive;
            request->io = io;
            request->token = token;
            engine->request[TOKEN_SLOT(token)] = request;
            return request;
        }
    }
    free(request);
    return NULL;
}

static engine_request_t *request_of(engine_t *engine, uint32_t token)
{
    engine_request_t *request = engine->request[TOKEN_SLOT(token)];
    return request && request->token == token ? request : NULL;
}

static void request_count(engine_drive_t *drive, const virtio_blk_io_t *io, bool ok)
{
    drive->errors += !ok;
    switch (io->op) {
    case VIRTIO_BLK_READ:
        drive->reads++;
        drive->bytes_read += ok ? io->range->len : 0;
        break;
    case VIRTIO_BLK_WRITE:
        drive->writes++;
        drive->bytes_written += ok ? io->range->len : 0;
        break;
    case VIRTIO_BLK_FLUSH:
        drive->flushes++;
        break;
    default:
        break;
    }
}

static void request_end(engine_request_t *request, bool ok)
{
    engine_drive_t *drive = request->drive;
    virtio_blk_io_t *io = request->io;
    drive->engine->request[TOKEN_SLOT(request->token)] = NULL;
    request_count(drive, io, ok);
    free(request->buffer);
    free(request);
    virtio_blk_io_done(io, ok);
}

static bool request_moves_data(const engine_request_t *request)
{
    return request->io->op == VIRTIO_BLK_READ || request->io->op == VIRTIO_BLK_WRITE;
}

static bool request_reserve(engine_request_t *request, size_t size)
{
    if (request->capacity < size) {
        free(request->buffer);
        request->buffer = malloc(size);
        request->capacity = request->buffer ? size : 0;
    }
    return request->buffer != NULL;
}

/* Makes the next piece; false: it cannot be done. */
static bool request_prepare(engine_request_t *request)
{
    virtio_blk_io_t *io = request->io;
    if (request->flushing || io->op == VIRTIO_BLK_FLUSH) {
        request->length = 0;
        return true;
    }
    request->length = io->range[request->range].len - request->done;
    if (!request_moves_data(request)) {
        return true;
    }
    request->length = util_min_u64(request->length, ENGINE_IO_MAX);
    size_t length = (size_t)request->length;
    return request_reserve(request, length) &&
           (io->op == VIRTIO_BLK_READ || virtio_blk_io_get(io, request->buffer, length) == length);
}

static void request_call(engine_request_t *request)
{
    static const int ops[] = {
        [VIRTIO_BLK_READ] = ENGINE_READ,   [VIRTIO_BLK_WRITE] = ENGINE_WRITE,
        [VIRTIO_BLK_FLUSH] = ENGINE_FLUSH, [VIRTIO_BLK_DISCARD] = ENGINE_DISCARD,
        [VIRTIO_BLK_ZERO] = ENGINE_ZERO,
    };
    const virtio_blk_io_t *io = request->io;
    bool flush = request->flushing || io->op == VIRTIO_BLK_FLUSH;
    uint64_t at = flush ? 0 : io->range[request->range].offset + request->done;
    request->answered = false;
    request->calling = true;
    rvkit_host_drive(request->drive->number, request->token, flush ? ENGINE_FLUSH : ops[io->op],
                     (double)at, (double)request->length);
    request->calling = false;
}

/* A piece was answered; true: there is another one. */
static bool request_advance(engine_request_t *request)
{
    virtio_blk_io_t *io = request->io;
    if (request->ok && io->op == VIRTIO_BLK_READ) {
        size_t length = (size_t)request->length;
        request->ok = virtio_blk_io_put(io, request->buffer, length) == length;
    }
    if (!request->ok || request->flushing || io->op == VIRTIO_BLK_FLUSH) {
        return false;
    }
    request->done += request->length;
    if (request->done == io->range[request->range].len) {
        request->range++;
        request->done = 0;
    }
    if (request->range < io->ranges) {
        return true;
    }
    request->flushing = io->durable;
    return request->flushing;
}

/* Goes on until a piece is out, or the end. */
static void request_run(engine_request_t *request)
{
    do {
        request->ok = request_prepare(request);
        if (!request->ok) {
            break;
        }
        request_call(request);
        if (!request->answered) {
            return;
        }
    } while (request_advance(request));
    request_end(request, request->ok);
}

ENGINE_EXPORT uint8_t *rvkit_drive_buffer(engine_t *engine, uint32_t token)
{
    const engine_request_t *request = request_of(engine, token);
    return request ? request->buffer : NULL;
}

ENGINE_EXPORT void rvkit_drive_done(engine_t *engine, uint32_t token, int ok)
{
    engine_request_t *request = request_of(engine, token);
    if (!request || (request->calling && request->answered)) {
        return;
    }
    request->ok = ok != 0;
    if (request->calling) {
        request->answered = true;
    } else if (request_advance(request)) {
        request_run(request);
    } else {
        request_end(request, request->ok);
    }
}

ENGINE_EXPORT void rvkit_drive_stats(engine_t *engine, int drive, double *out)
{
    if (drive >= 0 && drive < engine->drives && engine->drive[drive]) {
        const engine_drive_t *d = engine->drive[drive];
        const uint64_t all[] = {d->reads,  d->writes,     d->flushes,
                                d->errors, d->bytes_read, d->bytes_written};
        for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
            out[i] = (double)all[i];
        }
    }
}

/* --- The back end of the device --- */

static void drive_submit(void *opaque, virtio_blk_io_t *io)
{
    engine_request_t *request = request_new(opaque, io);
    if (request) {
        request_run(request);
    } else {
        request_count(opaque, io, false);
        virtio_blk_io_done(io, false);
    }
}

static void drive_close(void *opaque)
{
    engine_drive_t *drive = opaque;
    engine_t *engine = drive->engine;
    for (size_t i = 0; i < ENGINE_REQUESTS_MAX; i++) {
        if (engine->request[i] && engine->request[i]->drive == drive) {
            request_end(engine->request[i], false);
        }
    }
    engine->drive[drive->number] = NULL;
    free(drive);
}

ENGINE_EXPORT int rvkit_add_drive(engine_t *engine, double size, uint32_t flags, const char *serial)
{
    virtio_desc_t *device = engine_next_device(engine);
    if (!device || !engine_is_open(engine, engine->drives, BOARD_DRIVES_MAX, "drives")) {
        return -1;
    }
    if (!(size >= 0 && size < 9007199254740992.0) || (uint64_t)size % VIRTIO_BLK_SECTOR) {
        rvvm_error("drive %d: its size is no multiple of 512 bytes", engine->drives);
        return -1;
    }
    engine_drive_t *drive = calloc(1, sizeof(*drive));
    if (!drive) {
        rvvm_error("drive %d: out of memory", engine->drives);
        return -1;
    }
    *drive = (engine_drive_t){.engine = engine, .number = engine->drives};
    const virtio_blk_backend_t backend = {
        .submit = drive_submit,
        .close = drive_close,
        .opaque = drive,
        .capacity = (uint64_t)size,
        .read_only = (flags & ENGINE_DRIVE_READ_ONLY) != 0,
        .can_discard = (flags & ENGINE_DRIVE_CAN_DISCARD) != 0,
        .optimal_block = 4096,
        .serial = serial,
    };
    engine->drive[engine->drives] = drive;
    if (!virtio_blk_describe(device, &backend, 1)) {
        rvvm_error("drive %d: out of memory", engine->drives);
        return -1;
    }
    if (!engine->drives) {
        engine->root = !backend.read_only;
    }
    engine->desc.device_count++;
    return engine->drives++;
}
