/* SPDX-License-Identifier: MPL-2.0 */
/*
 * virtio-fs (§5.11): FUSE requests in chains, on the hiprio queue (FORGET, INTERRUPT) and a request
 * queue.
 *
 * All requests are served in turn by the file server's thread, those of the hiprio queue first;
 * notify only wakes it. A request for a lock that another has (SETLKW) keeps its chain and is tried
 * again every 16 ms. A reset is noted in `epoch`; the thread drops what the session had before its
 * next request.
 *
 * The session is in snapshots; what its files are when it comes back: file_server.h.
 */
#include "virtio_fs.h"

#include "fuse.h"

enum {
    FS_QUEUE_HIPRIO = 0, /* §5.11.2 */
    FS_QUEUE_REQUEST = 1,
    FS_QUEUES = 2,
    FS_QUEUE_SIZE = 256,
    FS_WAITING_MAX = 64,
    FS_WAITING_SIZE = 128 /* a lock request has 88 bytes */
};

/* A request whose lock is not free yet. */
typedef struct {
    virtq_chain_t *chain;
    size_t len;
    uint8_t request[FS_WAITING_SIZE];
} fs_waiting_t;

typedef struct {
    virtio_dev_t *dev;
    file_server_t server;
    fuse_t *fuse;
    uint8_t *request, *reply; /* FUSE_MESSAGE_MAX each */
    uint32_t epoch;           /* atomic: counts resets */
    uint32_t seen;            /* the epoch of the session */
    uint32_t waits;           /* atomic: as waiting_count, for update */
    uint32_t tick;            /* atomic: it is time to try again */
    unsigned waiting_count;
    fs_waiting_t waiting[FS_WAITING_MAX];
    uint8_t config[VIRTIO_FS_TAG_MAX + 4];
} virtio_fs_t;

static size_t devfs_room(virtq_chain_t *chain)
{
    uint64_t room = virtq_writable_left(chain);
    return room < FUSE_MESSAGE_MAX ? (size_t)room : FUSE_MESSAGE_MAX;
}

static void devfs_reply(virtio_fs_t *dev, virtq_chain_t *chain, size_t size)
{
    virtq_t *vq = virtq_of(chain);
    virtq_push(chain, virtq_write(chain, dev->reply, size));
    virtq_notify(vq);
}

static void devfs_unwait(virtio_fs_t *dev, unsigned index)
{
    dev->waiting[index] = dev->waiting[--dev->waiting_count];
    __atomic_store_n(&dev->waits, dev->waiting_count, __ATOMIC_RELAXED);
}

/* False: too many wait already. */
static bool devfs_wait(virtio_fs_t *dev, virtq_chain_t *chain, size_t len)
{
    if (dev->waiting_count == FS_WAITING_MAX || len > FS_WAITING_SIZE) {
        return false;
    }
    fs_waiting_t *waiting = &dev->waiting[dev->waiting_count++];
    waiting->chain = chain;
    waiting->len = len;
    memcpy(waiting->request, dev->request, len);
    __atomic_store_n(&dev->waits, dev->waiting_count, __ATOMIC_RELAXED);
    return true;
}

/* An INTERRUPT ends the request that it names, if that one waits. */
static void devfs_interrupt(virtio_fs_t *dev)
{
    uint64_t unique;
    if (!fuse_take_interrupt(dev->fuse, &unique)) {
        return;
    }
    for (unsigned i = 0; i < dev->waiting_count; i++) {
        fs_waiting_t *waiting = &dev->waiting[i];
        if (fuse_unique(waiting->request, waiting->len) == unique) {
            virtq_chain_t *chain = waiting->chain;
            size_t size =
                fuse_interrupted(waiting->request, waiting->len, dev->reply, devfs_room(chain));
            devfs_unwait(dev, i);
            devfs_reply(dev, chain, size);
            return;
        }
    }
}

static void devfs_request(virtio_fs_t *dev, virtq_chain_t *chain)
{
    size_t len = virtq_read(chain, dev->request, FUSE_MESSAGE_MAX);
    size_t cap = devfs_room(chain);
    size_t size = fuse_handle(dev->fuse, dev->request, len, dev->reply, cap);
    if (size == FUSE_WAIT) {
        if (devfs_wait(dev, chain, len)) {
            return;
        }
        size = fuse_interrupted(dev->request, len, dev->reply, cap);
    }
    devfs_reply(dev, chain, size);
    devfs_interrupt(dev);
}

/* Tries the requests that wait for locks again. */
static void devfs_retry(virtio_fs_t *dev)
{
    for (unsigned i = 0; i < dev->waiting_count;) {
        fs_waiting_t *waiting = &dev->waiting[i];
        virtq_chain_t *chain = waiting->chain;
        size_t size = virtq_live(chain) ? fuse_handle(dev->fuse, waiting->request, waiting->len,
                                                      dev->reply, devfs_room(chain))
                                        : 0;
        if (size == FUSE_WAIT) {
            i++;
            continue;
        }
        devfs_unwait(dev, i);
        devfs_reply(dev, chain, size);
    }
}

/* What a reset leaves of the session: nothing. Its chains are stale. */
static void devfs_new_epoch(virtio_fs_t *dev)
{
    uint32_t epoch = __atomic_load_n(&dev->epoch, __ATOMIC_ACQUIRE);
    if (epoch == dev->seen) {
        return;
    }
    dev->seen = epoch;
    while (dev->waiting_count) {
        virtq_push(dev->waiting[0].chain, 0);
        devfs_unwait(dev, 0);
    }
    fuse_reset(dev->fuse);
}

/* The server's thread. */
static void devfs_serve(void *arg)
{
    virtio_fs_t *dev = arg;
    for (;;) {
        virtq_chain_t *chain = virtq_pop(virtio_queue(dev->dev, FS_QUEUE_HIPRIO));
        chain = chain ? chain : virtq_pop(virtio_queue(dev->dev, FS_QUEUE_REQUEST));
        devfs_new_epoch(dev);
        if (!chain) {
            break;
        }
        devfs_request(dev, chain);
    }
    if (__atomic_exchange_n(&dev->tick, 0, __ATOMIC_ACQ_REL)) {
        devfs_retry(dev);
    }
}

static void devfs_notify(void *data, unsigned queue)
{
    virtio_fs_t *dev = data;
    (void)queue;
    dev->server.ops->wake(dev->server.opaque);
}

static void devfs_update(void *data)
{
    virtio_fs_t *dev = data;
    if (__atomic_load_n(&dev->waits, __ATOMIC_RELAXED)) {
        __atomic_store_n(&dev->tick, 1, __ATOMIC_RELEASE);
        dev->server.ops->wake(dev->server.opaque);
    }
}

static void devfs_reset(void *data)
{
    virtio_fs_t *dev = data;
    __atomic_fetch_add(&dev->epoch, 1, __ATOMIC_RELEASE);
    dev->server.ops->wake(dev->server.opaque);
}

static void devfs_bind(void *data, virtio_dev_t *handle)
{
    ((virtio_fs_t *)data)->dev = handle;
}

static void devfs_remove(void *data)
{
    virtio_fs_t *dev = data;
    dev->server.ops->free(dev->server.opaque);
    fuse_free(dev->fuse);
    free(dev->request);
    free(dev->reply);
    free(dev);
}

/* Few requests can be done twice. Chains that wait for locks stay out: they are popped again after
 * resuming. */
static void devfs_quiesce(void *data)
{
    virtio_fs_t *dev = data;
    dev->server.ops->idle(dev->server.opaque);
}

static bool devfs_move(void *arg, void *data, size_t len)
{
    return rvvm_snapshot_data(arg, data, len);
}

static void devfs_suspend(void *data, rvvm_snapshot_t *snap, bool resume)
{
    virtio_fs_t *dev = data;
    const fs_snapshot_t session = {devfs_move, snap, snap && !resume};
    dev->server.ops->idle(dev->server.opaque);
    if (snap && !fuse_snapshot(dev->fuse, &session) && resume) {
        devfs_reset(dev);
    }
}

static const virtio_type_t devfs_type = {
    .name = "virtio-fs",
    .bind = devfs_bind,
    .remove = devfs_remove,
    .notify = devfs_notify,
    .reset = devfs_reset,
    .quiesce = devfs_quiesce,
    .update = devfs_update,
    .suspend = devfs_suspend,
};

bool virtio_fs_describe(virtio_desc_t *desc, const char *tag, const file_server_t *server)
{
    size_t len = strlen(tag);
    virtio_fs_t *dev = calloc(1, sizeof(*dev));
    if (!dev) {
        server->ops->free(server->opaque);
        return false;
    }
    dev->server = *server;
    dev->fuse = fuse_create(server);
    dev->request = malloc(FUSE_MESSAGE_MAX);
    dev->reply = malloc(FUSE_MESSAGE_MAX);
    if (!len || len > VIRTIO_FS_TAG_MAX || !dev->fuse || !dev->request || !dev->reply ||
        !server->ops->start(server->opaque, devfs_serve, dev)) {
        devfs_remove(dev);
        return false;
    }
    /* §5.11.4: the tag, padded with NULs, and num_request_queues. */
    memcpy(dev->config, tag, len);
    write_uint32_le_m(dev->config + VIRTIO_FS_TAG_MAX, FS_QUEUES - FS_QUEUE_REQUEST);
    *desc = (virtio_desc_t){
        .type = &devfs_type,
        .data = dev,
        .id = VIRTIO_ID_FS,
        .queues = FS_QUEUES,
        .queue_size = {FS_QUEUE_SIZE, FS_QUEUE_SIZE},
        .config_size = sizeof(dev->config),
        .config = dev->config,
    };
    return true;
}
