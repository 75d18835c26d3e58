/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What a kind of VirtIO device is: the interface between a virtio_<kind> file, which sees queues and a
 * back end, and whatever carries it (src/devices/virtio.c with a transport such as virtio_mmio.c).
 * VirtIO 1.2 §2; section numbers below are of that document.
 *
 * A device file has one function that fills in a virtio_desc_t; the board gives that to a transport:
 *
 *   bool virtio_rng_describe(virtio_desc_t *desc, const virtio_rng_source_t *source);
 *   …
 *   virtio_desc_t desc;
 *   if (virtio_rng_describe(&desc, &source) && virtio_mmio_init_auto(machine, &desc, 0)) …
 *
 * Ownership: the transport takes desc->data over, also when it fails, and ends it with type->remove();
 * likewise shared memory, with its release().
 *
 * Threads and locks
 *   bind, remove        the thread that builds or frees the machine. bind comes first, remove last.
 *   notify              hart threads and callers of virtio_kick(). Calls for one queue never overlap: one
 *                       that would is made afterwards by the thread that is in it already, so no hart
 *                       waits for another. Calls for different queues do overlap.
 *   features_ok, ready, config_written
 *                       hart threads, one of these at a time per device, possibly during a notify.
 *   reset, queue_reset  as those; no notify of the queues concerned is running or will start, and no
 *                       virtq_begin() bracket is open, until it returns. Also at machine reset, with the
 *                       harts stopped. May wait for nothing but the device's own short locks.
 *   update              the event loop, about every 16 ms.
 *   quiesce, suspend    with the harts stopped.
 * Callbacks run without any lock that a device could need: they may take the device's lock. The calls
 * below and those of virtq.h may be made from any thread and with the device's lock held, except for
 * virtio_kick(), which calls notify. A device whose queues are served only in notify, with virtio_kick()
 * from its back end's thread, needs no lock for that.
 *
 * Life: reset → features_ok → ready (DRIVER_OK) → notify … → reset. Before ready, and after a malformed
 * ring or virtio_needs_reset(), all queues look empty. Requests that are out when a reset comes are
 * completed as usual and discarded: see virtq.h. A device that keeps lists of chains drops its lists in
 * reset by pushing each chain: that only takes it back.
 * In remove, the device ends its threads and pushes or forgets its chains; until remove returns, handles
 * and chains stay good, and every chain is stale.
 */
#ifndef RVKIT_DEVICES_VIRTIO_H
#define RVKIT_DEVICES_VIRTIO_H

#include "rvvm_compat.h"
#include "virtq.h"

#define VIRTIO_QUEUES_MAX 128
#define VIRTIO_SHM_MAX 4
#define VIRTIO_CONFIG_MAX 0xF00

/* Device ids (§5). */
enum {
    VIRTIO_ID_NET = 1,
    VIRTIO_ID_BLOCK = 2,
    VIRTIO_ID_CONSOLE = 3,
    VIRTIO_ID_ENTROPY = 4,
    VIRTIO_ID_BALLOON = 5,
    VIRTIO_ID_9P = 9,
    VIRTIO_ID_GPU = 16,
    VIRTIO_ID_INPUT = 18,
    VIRTIO_ID_VSOCK = 19,
    VIRTIO_ID_SOUND = 25,
    VIRTIO_ID_FS = 26,
};

/* A feature bit as a mask. Bits 0 to 23 and 50 up are the kind's own (§2.2). */
#define VIRTIO_BIT(n) (UINT64_C(1) << (n))

/* The reserved feature bits (§6). What queues and transport can do is added to desc->features for you. */
#define VIRTIO_F_NOTIFY_ON_EMPTY VIRTIO_BIT(24) /* legacy; not offered */
#define VIRTIO_F_ANY_LAYOUT VIRTIO_BIT(27)      /* legacy */
#define VIRTIO_F_INDIRECT_DESC VIRTIO_BIT(28)
#define VIRTIO_F_EVENT_IDX VIRTIO_BIT(29)
#define VIRTIO_F_VERSION_1 VIRTIO_BIT(32)
#define VIRTIO_F_ACCESS_PLATFORM VIRTIO_BIT(33) /* not offered: addresses are physical */
#define VIRTIO_F_RING_PACKED VIRTIO_BIT(34)
#define VIRTIO_F_IN_ORDER VIRTIO_BIT(35)
#define VIRTIO_F_ORDER_PLATFORM VIRTIO_BIT(36)
#define VIRTIO_F_SR_IOV VIRTIO_BIT(37)           /* not offered */
#define VIRTIO_F_NOTIFICATION_DATA VIRTIO_BIT(38) /* not offered */
#define VIRTIO_F_NOTIF_CONFIG_DATA VIRTIO_BIT(39) /* not offered */
#define VIRTIO_F_RING_RESET VIRTIO_BIT(40)

/* The device status (§2.1). */
enum {
    VIRTIO_STATUS_ACKNOWLEDGE = 1,
    VIRTIO_STATUS_DRIVER = 2,
    VIRTIO_STATUS_DRIVER_OK = 4,
    VIRTIO_STATUS_FEATURES_OK = 8,
    VIRTIO_STATUS_NEEDS_RESET = 64,
    VIRTIO_STATUS_FAILED = 128,
};

/* A device as the calls below know it. */
typedef struct virtio_dev virtio_dev_t;

/* What a kind of device implements. Static storage, designated initialisers; `data` is desc->data. */
typedef struct {
    const char *name; /* "virtio-rng": in the log, and the section of a snapshot */

    /* Required. Tells the device its handle, which is good until remove returns. */
    void (*bind)(void *data, virtio_dev_t *dev);

    /* Required. Frees the device; bind was not called if attaching failed early. */
    void (*remove)(void *data);

    /* Required. The driver has made buffers available in a queue, or it became ready (§2.9). */
    void (*notify)(void *data, unsigned queue);

    /* May refuse a choice of features (a subset of those offered); NULL: any (§2.2.2). */
    bool (*features_ok)(void *data, uint64_t features);

    /* The driver has set DRIVER_OK. A notify of each enabled queue follows. */
    void (*ready)(void *data);

    /*
     * The driver has written [offset, offset + len) of the configuration space, and virtio_config_get()
     * gives the new bytes. To refuse bytes, put the old ones back with virtio_config_set(). NULL: the
     * whole space is read-only.
     */
    void (*config_written)(void *data, size_t offset, size_t len);

    /* Back to the state after power-on; the configuration space too, where the driver can change it. */
    void (*reset)(void *data);

    /* The driver has reset one queue (§2.6.1) or taken it away. Forget what belongs to it. */
    void (*queue_reset)(void *data, unsigned queue);

    /* About every 16 ms. */
    void (*update)(void *data);

    /*
     * The harts have stopped, and suspend follows: finish what is being worked on, as far as that is soon
     * done, so that it is not worked on again. The queues still run. For requests that do not bear that.
     */
    void (*quiesce)(void *data);

    /*
     * Moves the device's own state to or from snap (a section is open: only rvvm_snapshot_field() and
     * _data()). The queues see to themselves: from before this call until the machine runs on, they give
     * nothing out and the guest's memory cannot be written; a chain that is pushed meanwhile, or is out
     * still, is popped again in the resumed machine, and worked on once more. Requests should bear
     * that. When reading, reset came before. snap NULL: stop the back end (resume false), let it go on
     * (true); the latter also follows when the machine runs on after a snapshot.
     */
    void (*suspend)(void *data, rvvm_snapshot_t *snap, bool resume);
} virtio_type_t;

/* A region of memory shared with the driver (§2.10). */
typedef struct {
    uint8_t id;
    void *host;  /* page aligned */
    size_t size; /* bytes, a multiple of 4096 */
    /*
     * Frees host when the guest cannot reach it any more, also when attaching fails. That is after remove,
     * which must leave it alone. NULL: nothing to free.
     */
    void (*release)(void *host, size_t size);
} virtio_shm_t;

typedef struct {
    const virtio_type_t *type;
    void *data;        /* the device's own */
    uint16_t id;       /* VIRTIO_ID_* */
    uint64_t features; /* the kind's own bits */

    unsigned queues;                          /* at most VIRTIO_QUEUES_MAX */
    uint16_t queue_size[VIRTIO_QUEUES_MAX];   /* maximum: a power of two up to VIRTQ_SIZE_MAX; 0: 256 */

    uint16_t config_size; /* at most VIRTIO_CONFIG_MAX; little-endian, as in the specification */
    const void *config;   /* its first contents, copied; NULL: zeros */

    virtio_shm_t shm[VIRTIO_SHM_MAX];
    unsigned shms;
} virtio_desc_t;

/* Queue `index`, which must be below desc->queues; the same pointer for the life of the device. */
virtq_t *virtio_queue(virtio_dev_t *dev, unsigned index);

/* What the driver accepted: 0 before features_ok. A mask or a single bit. */
uint64_t virtio_features(const virtio_dev_t *dev);
static inline bool virtio_has_feature(const virtio_dev_t *dev, uint64_t bit)
{
    return (virtio_features(dev) & bit) != 0;
}

/* DRIVER_OK is set, and nothing is broken. */
bool virtio_ready(const virtio_dev_t *dev);

/* True when the driver speaks the legacy interface; with it, structures can differ (§7.4). */
bool virtio_legacy(const virtio_dev_t *dev);

/* The machine, for devices that give memory back to it (balloon). */
rvvm_machine_t *virtio_machine(const virtio_dev_t *dev);

/*
 * The configuration space (§2.5). Both copy as one piece with regard to the driver's accesses. Bytes
 * outside the space are left alone (zeros when read). A change moves the config generation on; it does
 * not interrupt the driver: when all is set, call virtio_config_changed().
 */
void virtio_config_set(virtio_dev_t *dev, size_t offset, const void *src, size_t len);
void virtio_config_get(virtio_dev_t *dev, size_t offset, void *dst, size_t len);

/* Sends a configuration change notification (§2.3), if the driver is ready for one. */
void virtio_config_changed(virtio_dev_t *dev);

/* An error that the device cannot mend: DEVICE_NEEDS_RESET (§2.1.2); `why` goes to the log. */
void virtio_needs_reset(virtio_dev_t *dev, const char *why);

/* Calls the device's notify for a queue, or has it called by the thread that is in it. Not from notify. */
void virtio_kick(virtio_dev_t *dev, unsigned queue);

#endif
