/* SPDX-License-Identifier: MPL-2.0 */
/*
 * virtio-9p: each chain is a message (its readable part) and room for the reply (its writable
 * part).
 *
 * All requests are served in turn by the file server's thread: notify only wakes it. A reset is
 * noted in `epoch`, and what the session had open is dropped by that thread before its next
 * request.
 *
 * The session is in snapshots; what its files are when it comes back: file_server.h.
 */
#include "virtio_9p.h"

#include "p9.h"

enum { P9_QUEUE_SIZE = 128 };

typedef struct {
    virtio_dev_t *dev;
    file_server_t server;
    p9_t *p9;
    uint8_t *request, *reply; /* P9_MSIZE_MAX each */
    uint32_t epoch;           /* atomic: counts resets */
    uint32_t seen;            /* the epoch of the session */
    uint8_t config[2 + VIRTIO_9P_TAG_MAX];
} virtio_9p_t;

static void dev9p_request(virtio_9p_t *dev, virtq_chain_t *chain)
{
    uint64_t room = virtq_writable_left(chain);
    size_t cap = room < P9_MSIZE_MAX ? (size_t)room : P9_MSIZE_MAX;
    size_t len = virtq_read(chain, dev->request, P9_MSIZE_MAX);
    size_t size = p9_handle(dev->p9, dev->request, len, dev->reply, cap);
    virtq_push(chain, virtq_write(chain, dev->reply, size));
}

/* The server's thread. */
static void dev9p_serve(void *arg)
{
    virtio_9p_t *dev = arg;
    virtq_t *vq = virtio_queue(dev->dev, 0);
    for (;;) {
        virtq_chain_t *chain = virtq_pop(vq);
        uint32_t epoch = __atomic_load_n(&dev->epoch, __ATOMIC_ACQUIRE);
        if (epoch != dev->seen) {
            dev->seen = epoch;
            p9_reset(dev->p9);
        }
        if (!chain) {
            break;
        }
        dev9p_request(dev, chain);
        virtq_notify(vq);
    }
}

static void dev9p_notify(void *data, unsigned queue)
{
    virtio_9p_t *dev = data;
    (void)queue;
    dev->server.ops->wake(dev->server.opaque);
}

static void dev9p_reset(void *data)
{
    virtio_9p_t *dev = data;
    __atomic_fetch_add(&dev->epoch, 1, __ATOMIC_RELEASE);
    dev->server.ops->wake(dev->server.opaque);
}

static void dev9p_bind(void *data, virtio_dev_t *handle)
{
    ((virtio_9p_t *)data)->dev = handle;
}

static void dev9p_remove(void *data)
{
    virtio_9p_t *dev = data;
    dev->server.ops->free(dev->server.opaque);
    p9_free(dev->p9);
    free(dev->request);
    free(dev->reply);
    free(dev);
}

/* Few messages of 9P can be done twice. */
static void dev9p_quiesce(void *data)
{
    virtio_9p_t *dev = data;
    dev->server.ops->idle(dev->server.opaque);
}

static bool dev9p_move(void *arg, void *data, size_t len)
{
    return rvvm_snapshot_data(arg, data, len);
}

static void dev9p_suspend(void *data, rvvm_snapshot_t *snap, bool resume)
{
    virtio_9p_t *dev = data;
    const fs_snapshot_t session = {dev9p_move, snap, snap && !resume};
    dev->server.ops->idle(dev->server.opaque);
    if (snap && !p9_snapshot(dev->p9, &session) && resume) {
        dev9p_reset(dev);
    }
}

static const virtio_type_t dev9p_type = {
    .name = "virtio-9p",
    .bind = dev9p_bind,
    .remove = dev9p_remove,
    .notify = dev9p_notify,
    .reset = dev9p_reset,
    .quiesce = dev9p_quiesce,
    .suspend = dev9p_suspend,
};

bool virtio_9p_describe(virtio_desc_t *desc, const char *tag, const file_server_t *server)
{
    size_t len = strlen(tag);
    virtio_9p_t *dev = calloc(1, sizeof(*dev));
    if (!dev) {
        server->ops->free(server->opaque);
        return false;
    }
    dev->server = *server;
    dev->p9 = p9_create(server);
    dev->request = malloc(P9_MSIZE_MAX);
    dev->reply = malloc(P9_MSIZE_MAX);
    if (!len || len > VIRTIO_9P_TAG_MAX || !dev->p9 || !dev->request || !dev->reply ||
        !server->ops->start(server->opaque, dev9p_serve, dev)) {
        dev9p_remove(dev);
        return false;
    }
    write_uint16_le_m(dev->config, (uint16_t)len);
    memcpy(dev->config + 2, tag, len);
    *desc = (virtio_desc_t){
        .type = &dev9p_type,
        .data = dev,
        .id = VIRTIO_ID_9P,
        .features = VIRTIO_9P_MOUNT_TAG,
        .queues = 1,
        .queue_size = {P9_QUEUE_SIZE},
        .config_size = (uint16_t)(2 + len),
        .config = dev->config,
    };
    return true;
}
