/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The memory balloon: VirtIO 1.2 §5.5.
 *
 * Queues are numbered as in §5.5.2. Drivers number those that they use without gaps, which is the
 * same unless one in the middle is missing; a queue whose own use was not negotiated therefore
 * takes the next use that was (balloon_use()). Free page hinting, which is for moving a guest
 * elsewhere, is not offered.
 *
 * Inflating: a page belongs to the host when its buffer is used, so it is released before that.
 * Deflating needs nothing: the guest's next touch brings a new page. So
 * VIRTIO_BALLOON_F_MUST_TELL_HOST is not offered, and DEFLATE_ON_OOM is.
 */
#include "virtio_balloon.h"

enum {
    BALLOON_F_STATS_VQ = 1,
    BALLOON_F_DEFLATE_ON_OOM = 2,
    BALLOON_F_PAGE_REPORTING = 5,

    BALLOON_INFLATE = 0,
    BALLOON_DEFLATE = 1,
    BALLOON_STATS = 2,
    BALLOON_HINT = 3,
    BALLOON_REPORT = 4,
    BALLOON_QUEUES = 5,
    BALLOON_QUEUE_SIZE = 128,

    BALLOON_NUM_PAGES = 0, /* configuration space */
    BALLOON_ACTUAL = 4,
    BALLOON_CONFIG_SIZE = 8,

    BALLOON_PFN_SHIFT = 12,
    BALLOON_PIECE = 256,        /* page numbers read at a time */
    BALLOON_PFNS_MAX = 1 << 20, /* of one request: all of a 4 GiB machine */
    BALLOON_STAT_SIZE = 10,
    BALLOON_STATS_MAX = 64, /* entries of one report that are looked at */
};

struct virtio_balloon {
    virtio_balloon_host_t host;
    virtio_dev_t *dev;
    uint32_t target; /* atomic: pages */
    uint32_t asked;  /* atomic: statistics are wanted */

    spinlock_t lock;       /* guards what follows */
    virtq_chain_t *report; /* the buffer of statistics, while it is with the device (§5.5.6.3) */
    virtio_balloon_stats_t stats;
};

/* What a queue is for, as BALLOON_*; BALLOON_QUEUES: nothing. */
static unsigned balloon_use(const virtio_balloon_t *balloon, unsigned queue)
{
    uint64_t features = virtio_features(balloon->dev);
    const bool used[BALLOON_QUEUES] = {
        [BALLOON_INFLATE] = true,
        [BALLOON_DEFLATE] = true,
        [BALLOON_STATS] = features & VIRTIO_BIT(BALLOON_F_STATS_VQ),
        [BALLOON_REPORT] = features & VIRTIO_BIT(BALLOON_F_PAGE_REPORTING),
    };
    if (queue < BALLOON_QUEUES && used[queue]) {
        return queue;
    }
    unsigned at = 0;
    for (unsigned use = 0; use < BALLOON_QUEUES; use++) {
        if (used[use] && at++ == queue) {
            return use;
        }
    }
    return BALLOON_QUEUES;
}

static void balloon_release(virtio_balloon_t *balloon, virtq_t *vq, uint64_t addr, uint64_t size)
{
    virtq_span_t span;
    if (size && balloon->host.release && virtq_guest_span(vq, addr, (size_t)size, &span)) {
        balloon->host.release(balloon->host.opaque, virtio_machine(balloon->dev), addr, size);
    }
}

/* Releases the pages of a list of numbers; neighbours at once. What is no RAM is left alone. */
static void balloon_inflate(virtio_balloon_t *balloon, virtq_t *vq, virtq_chain_t *chain)
{
    uint8_t piece[4 * BALLOON_PIECE];
    uint64_t start = 0, end = 0;
    for (unsigned done = 0; done < BALLOON_PFNS_MAX; done += BALLOON_PIECE) {
        size_t got = virtq_read(chain, piece, sizeof(piece));
        for (size_t i = 0; i + 4 <= got; i += 4) {
            uint64_t addr = (uint64_t)read_uint32_le_m(piece + i) << BALLOON_PFN_SHIFT;
            if (addr == end && end) {
                end += VIRTIO_BALLOON_PAGE;
            } else if (addr + VIRTIO_BALLOON_PAGE == start) {
                start = addr;
            } else {
                balloon_release(balloon, vq, start, end - start);
                start = addr;
                end = addr + VIRTIO_BALLOON_PAGE;
            }
        }
        if (got < sizeof(piece)) {
            break;
        }
    }
    balloon_release(balloon, vq, start, end - start);
}

/* §5.5.6.7: the buffers themselves are the free pages. Only whole pages inside go. */
static void balloon_report(virtio_balloon_t *balloon, virtq_t *vq, virtq_chain_t *chain)
{
    rvvm_machine_t *machine = virtio_machine(balloon->dev);
    uint64_t base = rvvm_get_opt(machine, RVVM_OPT_MEM_BASE);
    virtq_span_t span, ram;
    if (!balloon->host.release || !virtq_guest_span(vq, base, 1, &ram) || !virtq_begin(chain)) {
        return;
    }
    while (virtq_next_writable(chain, SIZE_MAX / 2, &span)) {
        uint64_t addr = base + (uint64_t)((uint8_t *)span.ptr - (uint8_t *)ram.ptr);
        uint64_t end = (addr + span.len) & ~(uint64_t)(VIRTIO_BALLOON_PAGE - 1);
        addr = (addr + VIRTIO_BALLOON_PAGE - 1) & ~(uint64_t)(VIRTIO_BALLOON_PAGE - 1);
        if (addr < end) {
            balloon->host.release(balloon->host.opaque, machine, addr, end - addr);
        }
    }
    virtq_end(chain);
}

static void balloon_read_stats(virtio_balloon_stats_t *stats, virtq_chain_t *chain)
{
    uint8_t entry[BALLOON_STAT_SIZE];
    for (unsigned i = 0; i < BALLOON_STATS_MAX && virtq_read_all(chain, entry, sizeof(entry));
         i++) {
        unsigned tag = read_uint16_le_m(entry);
        if (tag < VIRTIO_BALLOON_S_NR) {
            stats->value[tag] = read_uint64_le_m(entry + 2);
            stats->known |= UINT32_C(1) << tag;
        }
    }
    stats->updates++;
}

/*
 * §5.5.6.3: the driver's buffer stays with the device until new statistics are wanted; giving it
 * back asks for them.
 */
static void balloon_stats_notify(virtio_balloon_t *balloon, virtq_t *vq)
{
    virtq_chain_t *chain = NULL, *spare = NULL;
    bool asked = __atomic_exchange_n(&balloon->asked, 0, __ATOMIC_ACQ_REL);
    spin_lock(&balloon->lock);
    if (asked && balloon->report) {
        spare = balloon->report;
        balloon->report = NULL;
    }
    spin_unlock(&balloon->lock);
    if (spare) {
        virtq_push(spare, 0);
    }
    while ((chain = virtq_pop(vq))) {
        spin_lock(&balloon->lock);
        balloon_read_stats(&balloon->stats, chain);
        spare = balloon->report;
        balloon->report = chain;
        spin_unlock(&balloon->lock);
        if (spare) {
            virtq_push(spare, 0);
        }
    }
    virtq_notify(vq);
}

static void balloon_notify(void *data, unsigned queue)
{
    virtio_balloon_t *balloon = data;
    virtq_t *vq = virtio_queue(balloon->dev, queue);
    unsigned use = balloon_use(balloon, queue);
    virtq_chain_t *chain;
    if (use == BALLOON_STATS) {
        balloon_stats_notify(balloon, vq);
        return;
    }
    while ((chain = virtq_pop(vq))) {
        if (use == BALLOON_INFLATE) {
            balloon_inflate(balloon, vq, chain);
        } else if (use == BALLOON_REPORT) {
            balloon_report(balloon, vq, chain);
        }
        virtq_push(chain, 0);
    }
    virtq_notify(vq);
}

static void balloon_drop_report(virtio_balloon_t *balloon)
{
    spin_lock(&balloon->lock);
    virtq_chain_t *chain = balloon->report;
    balloon->report = NULL;
    spin_unlock(&balloon->lock);
    if (chain) {
        virtq_push(chain, 0);
    }
}

static void balloon_put_target(virtio_balloon_t *balloon)
{
    uint8_t bytes[4];
    write_uint32_le_m(bytes, __atomic_load_n(&balloon->target, __ATOMIC_ACQUIRE));
    virtio_config_set(balloon->dev, BALLOON_NUM_PAGES, bytes, sizeof(bytes));
}

/* The driver writes `actual` alone. */
static void balloon_config_written(void *data, size_t offset, size_t len)
{
    (void)len;
    if (offset < BALLOON_ACTUAL) {
        balloon_put_target(data);
    }
}

static void balloon_reset(void *data)
{
    virtio_balloon_t *balloon = data;
    static const uint8_t zero[4];
    balloon_drop_report(balloon);
    spin_lock(&balloon->lock);
    memset(&balloon->stats, 0, sizeof(balloon->stats));
    spin_unlock(&balloon->lock);
    virtio_config_set(balloon->dev, BALLOON_ACTUAL, zero, sizeof(zero));
}

static void balloon_queue_reset(void *data, unsigned queue)
{
    if (balloon_use(data, queue) == BALLOON_STATS) {
        balloon_drop_report(data);
    }
}

/* The buffer of statistics is popped again in the resumed machine. */
static void balloon_suspend(void *data, rvvm_snapshot_t *snap, bool resume)
{
    virtio_balloon_t *balloon = data;
    if (snap) {
        uint32_t target = __atomic_load_n(&balloon->target, __ATOMIC_ACQUIRE);
        if (rvvm_snapshot_field(snap, target) && resume) {
            __atomic_store_n(&balloon->target, target, __ATOMIC_RELEASE);
            balloon_put_target(balloon);
        }
    }
}

static void balloon_bind(void *data, virtio_dev_t *dev)
{
    ((virtio_balloon_t *)data)->dev = dev;
}

static void balloon_remove(void *data)
{
    free(data);
}

static const virtio_type_t balloon_type = {
    .name = "virtio-balloon",
    .bind = balloon_bind,
    .remove = balloon_remove,
    .notify = balloon_notify,
    .config_written = balloon_config_written,
    .reset = balloon_reset,
    .queue_reset = balloon_queue_reset,
    .suspend = balloon_suspend,
};

bool virtio_balloon_describe(virtio_desc_t *desc, const virtio_balloon_host_t *host)
{
    virtio_balloon_t *balloon = calloc(1, sizeof(*balloon));
    if (!balloon) {
        return false;
    }
    balloon->host = *host;
    *desc = (virtio_desc_t){
        .type = &balloon_type,
        .data = balloon,
        .id = VIRTIO_ID_BALLOON,
        .features = VIRTIO_BIT(BALLOON_F_STATS_VQ) | VIRTIO_BIT(BALLOON_F_DEFLATE_ON_OOM) |
                    VIRTIO_BIT(BALLOON_F_PAGE_REPORTING),
        .queues = BALLOON_QUEUES,
        .config_size = BALLOON_CONFIG_SIZE,
    };
    for (unsigned i = 0; i < BALLOON_QUEUES; i++) {
        desc->queue_size[i] = BALLOON_QUEUE_SIZE;
    }
    return true;
}

void virtio_balloon_set_target(virtio_balloon_t *balloon, uint64_t bytes)
{
    uint64_t ram = rvvm_get_opt(virtio_machine(balloon->dev), RVVM_OPT_MEM_SIZE);
    uint64_t pages = (bytes < ram ? bytes : ram) >> BALLOON_PFN_SHIFT;
    if (__atomic_exchange_n(&balloon->target, (uint32_t)pages, __ATOMIC_ACQ_REL) != pages) {
        balloon_put_target(balloon);
        virtio_config_changed(balloon->dev);
    }
}

uint64_t virtio_balloon_target(virtio_balloon_t *balloon)
{
    return (uint64_t)__atomic_load_n(&balloon->target, __ATOMIC_ACQUIRE) << BALLOON_PFN_SHIFT;
}

uint64_t virtio_balloon_actual(virtio_balloon_t *balloon)
{
    uint8_t bytes[4];
    virtio_config_get(balloon->dev, BALLOON_ACTUAL, bytes, sizeof(bytes));
    return (uint64_t)read_uint32_le_m(bytes) << BALLOON_PFN_SHIFT;
}

void virtio_balloon_stats(virtio_balloon_t *balloon, virtio_balloon_stats_t *stats)
{
    spin_lock(&balloon->lock);
    *stats = balloon->stats;
    spin_unlock(&balloon->lock);
    __atomic_store_n(&balloon->asked, 1, __ATOMIC_RELEASE);
    virtio_kick(balloon->dev, BALLOON_STATS);
}
