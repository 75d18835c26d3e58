/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Virtqueues: the life of chains, guest addresses, notifications. The ring formats are in virtq_split.c
 * and virtq_packed.c, what is done with a chain's contents in virtq_chain.c.
 */
#include "virtq_ring.h"

/* Stale chains that a slow back end still has count too; this bounds them. */
#define VIRTQ_CHAINS_PER_SLOT 4

/* The most bytes a chain may have (§2.7.4.1 of the driver). */
#define VIRTQ_CHAIN_BYTES (UINT64_C(1) << 32)

/* --- Guest addresses: the one place that checks them --- */

static bool ram_holds(const virtq_ram_t *ram, uint64_t addr, uint64_t len)
{
    return addr >= ram->base && len <= ram->size && addr - ram->base <= ram->size - len;
}

const uint8_t *virtq_ram(const virtq_ram_t *ram, uint64_t addr, uint64_t len)
{
    return ram_holds(ram, addr, len) ? ram->host + (size_t)(addr - ram->base) : NULL;
}

uint8_t *virtq_ram_write(const virtq_ram_t *ram, uint64_t addr, size_t len)
{
    return ram_holds(ram, addr, len) && len ? rvvm_get_dma_ptr(ram->machine, addr, len) : NULL;
}

bool virtq_guest_span(virtq_t *vq, uint64_t addr, size_t len, virtq_span_t *span)
{
    *span = (virtq_span_t){virtq_ram_write(&vq->ram, addr, len), len};
    return span->ptr != NULL;
}

const void *virtq_guest_bytes(const virtq_t *vq, uint64_t addr, size_t len)
{
    return len ? virtq_ram(&vq->ram, addr, len) : NULL;
}

/* --- Setting up --- */

void virtq_init(virtq_t *vq, unsigned index, uint16_t size_max, rvvm_machine_t *machine,
                const virtq_host_t *host)
{
    memset(vq, 0, sizeof(*vq));
    spin_init(&vq->lock);
    spin_init(&vq->drain);
    vq->host = *host;
    vq->index = index;
    vq->size_max = size_max;
    vq->ram.machine = machine;
    vq->ram.base = rvvm_get_opt(machine, RVVM_OPT_MEM_BASE);
    vq->ram.size = rvvm_get_opt(machine, RVVM_OPT_MEM_SIZE);
    vq->ram.host = rvvm_get_dma_ptr(machine, vq->ram.base, 1);
    if (!vq->ram.host) {
        vq->ram.size = 0;
    }
}

void virtq_free(virtq_t *vq)
{
    virtq_chain_t *chain = vq->made;
    while (chain) {
        virtq_chain_t *next = chain->next_made;
        free(chain->seg);
        free(chain);
        chain = next;
    }
    vq->made = vq->pool = NULL;
}

static bool setup_size_ok(const virtq_setup_t *setup, uint16_t size_max)
{
    unsigned size = setup->size;
    return size && size <= size_max && (setup->packed || !(size & (size - 1)));
}

const char *virtq_start(virtq_t *vq, const virtq_setup_t *setup)
{
    const virtq_format_t *format = setup->packed ? &virtq_format_packed : &virtq_format_split;
    if (!setup_size_ok(setup, vq->size_max)) {
        return "bad queue size";
    }
    if (setup->desc % format->desc_align || setup->driver % format->driver_align ||
        setup->device % format->device_align) {
        return "misaligned queue";
    }
    const uint8_t *desc = virtq_ram(&vq->ram, setup->desc, VIRTQ_DESC_SIZE * (uint64_t)setup->size);
    const uint8_t *driver = virtq_ram(&vq->ram, setup->driver, format->driver_size(setup));
    if (!desc || !driver || !virtq_ram(&vq->ram, setup->device, format->device_size(setup))) {
        return "a queue outside RAM";
    }
    spin_lock(&vq->lock);
    vq->cfg = *setup;
    vq->desc = desc;
    vq->driver = driver;
    vq->avail = vq->used = 0;
    vq->avail_wrap = vq->used_wrap = true;
    vq->quiet = vq->held = false;
    vq->unsignalled = 0;
    vq->ready = true;
    spin_unlock(&vq->lock);
    return NULL;
}

bool virtq_is_ready(virtq_t *vq)
{
    spin_lock(&vq->lock);
    bool ready = vq->ready;
    spin_unlock(&vq->lock);
    return ready;
}

/* --- Chains: made, listed, pooled. The lock is held. --- */

bool virtq_malformed(virtq_t *vq, const char *why)
{
    vq->host.malformed(vq->host.opaque, why);
    return false;
}

static void chain_pool(virtq_chain_t *chain)
{
    virtq_t *vq = chain->vq;
    chain->next = vq->pool;
    vq->pool = chain;
}

static void chain_rewind(virtq_chain_t *chain)
{
    chain->lent = false;
    chain->user = NULL;
    chain->rd = chain->wr = (virtq_cursor_t){0, 0, 0};
}

static virtq_chain_t *chain_make(virtq_t *vq)
{
    virtq_chain_t *chain = vq->pool;
    if (chain) {
        vq->pool = chain->next;
    } else if (vq->chains < VIRTQ_CHAINS_PER_SLOT * (unsigned)vq->size_max &&
               (chain = calloc(1, sizeof(*chain)))) {
        chain->vq = vq;
        chain->next_made = vq->made;
        vq->made = chain;
        vq->chains++;
    }
    if (chain) {
        chain->next = chain->prev = NULL;
        chain_rewind(chain);
        chain->linked = chain->done = chain->replay = false;
        chain->reads = chain->writes = 0;
        chain->read_size = chain->write_size = 0;
    }
    return chain;
}

static void chain_link(virtq_chain_t *chain)
{
    virtq_t *vq = chain->vq;
    chain->linked = true;
    chain->next = NULL;
    chain->prev = vq->last;
    if (vq->last) {
        vq->last->next = chain;
    } else {
        vq->first = chain;
    }
    vq->last = chain;
    vq->in_flight++;
    vq->slots += chain->slots;
    vq->replays += chain->replay;
}

static void chain_unlink(virtq_chain_t *chain)
{
    virtq_t *vq = chain->vq;
    *(chain->prev ? &chain->prev->next : &vq->first) = chain->next;
    *(chain->next ? &chain->next->prev : &vq->last) = chain->prev;
    chain->linked = false;
    vq->in_flight--;
    vq->slots -= chain->slots;
    vq->replays -= chain->replay;
}

static bool seg_room(virtq_chain_t *chain, unsigned count)
{
    if (count > chain->seg_room) {
        unsigned room = chain->seg_room ? 2 * chain->seg_room : 8;
        room = count > room ? count : room;
        virtq_seg_t *seg = realloc(chain->seg, room * sizeof(*seg));
        if (!seg) {
            return false;
        }
        chain->seg = seg;
        chain->seg_room = room;
    }
    return true;
}

bool virtq_add_seg(virtq_t *vq, virtq_chain_t *chain, uint64_t addr, uint32_t len, bool write)
{
    unsigned count = chain->reads + chain->writes;
    if (!virtq_ram(&vq->ram, addr, len)) {
        return virtq_malformed(vq, "a buffer is outside RAM");
    }
    if (!write && chain->writes) {
        return virtq_malformed(vq, "a readable buffer follows a writable one");
    }
    if (count >= VIRTQ_CHAIN_MAX || chain->read_size + chain->write_size + len > VIRTQ_CHAIN_BYTES) {
        return virtq_malformed(vq, "a chain is too long");
    }
    if (len == 0) {
        return true;
    }
    if (!seg_room(chain, count + 1)) {
        return virtq_malformed(vq, "no memory for a chain");
    }
    chain->seg[count] = (virtq_seg_t){addr, len};
    chain->reads += !write;
    chain->writes += write;
    chain->read_size += write ? 0 : len;
    chain->write_size += write ? len : 0;
    return true;
}

const uint8_t *virtq_indirect(virtq_t *vq, uint64_t addr, uint32_t len, unsigned *entries)
{
    const uint8_t *table = virtq_ram(&vq->ram, addr, len);
    *entries = len / VIRTQ_DESC_SIZE;
    if (!vq->cfg.indirect) {
        virtq_malformed(vq, "an indirect descriptor, which was not negotiated");
        return NULL;
    }
    if (!table || !len || len % VIRTQ_DESC_SIZE || *entries > VIRTQ_CHAIN_MAX) {
        virtq_malformed(vq, "a bad indirect table");
        return NULL;
    }
    return table;
}

/* --- Available --- */

/* Nothing is available: asks for a notification, and looks again, since the driver may have missed it. */
static bool queue_sleep(virtq_t *vq)
{
    const virtq_format_t *format = virtq_format(vq);
    format->set_notify(vq, true);
    vq->quiet = false;
    compat_fence();
    return !format->has_next(vq);
}

static void queue_hush(virtq_t *vq)
{
    if (!vq->quiet) {
        vq->quiet = true;
        virtq_format(vq)->set_notify(vq, false);
    }
}

/* The oldest chain that was put back, or that a snapshot brought. */
static virtq_chain_t *pop_replay(virtq_t *vq)
{
    virtq_chain_t *chain = vq->first;
    while (!chain->replay) {
        chain = chain->next;
    }
    chain->replay = false;
    vq->replays--;
    return chain;
}

static virtq_chain_t *queue_pop(virtq_t *vq)
{
    if (!virtq_running(vq)) {
        return NULL;
    }
    if (vq->replays) {
        return pop_replay(vq);
    }
    const virtq_format_t *format = virtq_format(vq);
    if (!format->has_next(vq) && queue_sleep(vq)) {
        return NULL;
    }
    if (vq->in_flight >= vq->cfg.size) {
        virtq_malformed(vq, "more chains are available than the queue has");
        return NULL;
    }
    virtq_chain_t *chain = chain_make(vq);
    if (!chain) {
        vq->host.starved(vq->host.opaque, vq->index);
        return NULL;
    }
    if (!format->read_next(vq, chain)) {
        chain_pool(chain);
        return NULL;
    }
    chain_link(chain);
    queue_hush(vq);
    return chain;
}

virtq_chain_t *virtq_pop(virtq_t *vq)
{
    spin_lock(&vq->lock);
    virtq_chain_t *chain = queue_pop(vq);
    spin_unlock(&vq->lock);
    return chain;
}

bool virtq_available(virtq_t *vq)
{
    spin_lock(&vq->lock);
    bool available = virtq_running(vq) && (vq->replays || virtq_format(vq)->has_next(vq));
    spin_unlock(&vq->lock);
    return available;
}

/* As if it had not been popped yet. */
static void chain_put_back(virtq_chain_t *chain)
{
    chain_rewind(chain);
    chain->replay = true;
    chain->vq->replays++;
}

bool virtq_unpop(virtq_chain_t *chain)
{
    virtq_t *vq = chain->vq;
    spin_lock(&vq->lock);
    bool linked = chain->linked;
    if (linked) {
        chain_put_back(chain);
    } else {
        chain_pool(chain);
    }
    spin_unlock(&vq->lock);
    return linked;
}

/* --- Used --- */

static void chain_use(virtq_chain_t *chain)
{
    virtq_format(chain->vq)->put_used(chain->vq, chain);
    chain_unlink(chain);
    chain_pool(chain);
}

/* Zero-copy I/O has written since the spans were handed out: what was decoded meanwhile is old. */
static void chain_touch(const virtq_chain_t *chain, uint64_t written)
{
    for (unsigned i = 0; i < chain->writes && written; i++) {
        const virtq_seg_t *seg = &chain->seg[chain->reads + i];
        size_t len = written < seg->len ? (size_t)written : seg->len;
        virtq_ram_write(&chain->vq->ram, seg->addr, len);
        written -= len;
    }
}

static void push_live(virtq_chain_t *chain, uint32_t used_len)
{
    virtq_t *vq = chain->vq;
    if (chain->lent) {
        chain_touch(chain, used_len);
    }
    chain->used_len = used_len;
    chain->done = true;
    if (!vq->cfg.in_order) {
        chain_use(chain);
        return;
    }
    while (vq->first && vq->first->done) {
        chain_use(vq->first);
    }
}

/*
 * One chain goes back; the driver does not see it before publish(). A chain that comes back while a snapshot
 * is taken is in the snapshot already: it is done once more.
 */
static bool push_one(virtq_chain_t *chain, size_t written)
{
    virtq_t *vq = chain->vq;
    uint64_t limit = chain->write_size < UINT32_MAX ? chain->write_size : UINT32_MAX;
    bool live = chain->linked && virtq_running(vq);
    if (live) {
        push_live(chain, (uint32_t)(written < limit ? written : limit));
    } else if (chain->linked && vq->frozen) {
        chain_put_back(chain);
    } else {
        if (chain->linked) {
            chain_unlink(chain);
        }
        chain_pool(chain);
    }
    return live;
}

bool virtq_push(virtq_chain_t *chain, size_t written)
{
    return virtq_push_all(&chain, &written, 1);
}

bool virtq_push_all(virtq_chain_t *const *chains, const size_t *written, unsigned count)
{
    if (!count) {
        return true;
    }
    virtq_t *vq = chains[0]->vq;
    bool live = true;
    spin_lock(&vq->lock);
    for (unsigned i = 0; i < count; i++) {
        live &= push_one(chains[i], written[i]);
    }
    if (virtq_running(vq)) {
        virtq_format(vq)->publish(vq);
    }
    spin_unlock(&vq->lock);
    return live;
}

void virtq_notify(virtq_t *vq)
{
    spin_lock(&vq->lock);
    if (virtq_running(vq) && vq->unsignalled) {
        compat_fence();
        if (virtq_format(vq)->wants_interrupt(vq)) {
            vq->host.interrupt(vq->host.opaque);
        }
        vq->unsignalled = 0;
    }
    spin_unlock(&vq->lock);
}

/* --- Stopping --- */

/* No bracket can be opened any more: waits for those that are. */
static void queue_drain(virtq_t *vq)
{
    spin_lock_slow(&vq->drain);
    spin_unlock(&vq->drain);
}

void virtq_freeze(virtq_t *vq)
{
    spin_lock(&vq->lock);
    vq->frozen = true;
    spin_unlock(&vq->lock);
    queue_drain(vq);
}

void virtq_thaw(virtq_t *vq)
{
    spin_lock(&vq->lock);
    vq->frozen = false;
    spin_unlock(&vq->lock);
}

void virtq_stop(virtq_t *vq)
{
    spin_lock(&vq->lock);
    vq->ready = vq->frozen = false;
    while (vq->first) {
        virtq_chain_t *chain = vq->first;
        bool ours = chain->done || chain->replay;
        chain_unlink(chain);
        if (ours) {
            chain_pool(chain);
        }
    }
    spin_unlock(&vq->lock);
    queue_drain(vq);
}

/* --- Snapshots --- */

static bool snapshot_chain(virtq_chain_t *chain, rvvm_snapshot_t *snap, bool writing)
{
    virtq_t *vq = chain->vq;
    uint16_t counts[2] = {(uint16_t)chain->reads, (uint16_t)chain->writes};
    uint8_t done = chain->done;
    bool ok = rvvm_snapshot_field(snap, chain->id) && rvvm_snapshot_field(snap, chain->slots) &&
              rvvm_snapshot_field(snap, chain->used_len) && rvvm_snapshot_field(snap, done) &&
              rvvm_snapshot_field(snap, counts[0]) && rvvm_snapshot_field(snap, counts[1]) &&
              counts[0] + counts[1] <= VIRTQ_CHAIN_MAX;
    for (unsigned i = 0; ok && i < (unsigned)counts[0] + counts[1]; i++) {
        virtq_seg_t seg = writing ? chain->seg[i] : (virtq_seg_t){0, 0};
        ok = rvvm_snapshot_field(snap, seg.addr) && rvvm_snapshot_field(snap, seg.len) &&
             (writing || virtq_add_seg(vq, chain, seg.addr, seg.len, i >= counts[0]));
    }
    if (!writing) {
        chain->done = done & 1;
        chain->replay = !chain->done;
        ok = ok && chain->slots && vq->slots + chain->slots <= vq->cfg.size;
    }
    return ok;
}

static bool snapshot_chains(virtq_t *vq, rvvm_snapshot_t *snap)
{
    uint16_t count = (uint16_t)vq->in_flight;
    if (!rvvm_snapshot_field(snap, count) || count > vq->size_max) {
        return false;
    }
    if (rvvm_snapshot_writing(snap)) {
        for (virtq_chain_t *chain = vq->first; chain; chain = chain->next) {
            if (!snapshot_chain(chain, snap, true)) {
                return false;
            }
        }
        return true;
    }
    while (count--) {
        virtq_chain_t *chain = chain_make(vq);
        if (!chain) {
            return false;
        }
        if (!snapshot_chain(chain, snap, false)) {
            chain_pool(chain);
            return false;
        }
        chain_link(chain);
    }
    return true;
}

bool virtq_snapshot(virtq_t *vq, rvvm_snapshot_t *snap)
{
    virtq_setup_t cfg = vq->cfg;
    uint8_t flags = (uint8_t)(vq->ready | vq->avail_wrap << 1 | vq->used_wrap << 2 | cfg.packed << 3 |
                              cfg.event_idx << 4 | cfg.indirect << 5 | cfg.in_order << 6);
    uint16_t avail = vq->avail, used = vq->used;
    bool ok = rvvm_snapshot_field(snap, flags) && rvvm_snapshot_field(snap, avail) &&
              rvvm_snapshot_field(snap, used) && rvvm_snapshot_field(snap, cfg.size) &&
              rvvm_snapshot_field(snap, cfg.desc) && rvvm_snapshot_field(snap, cfg.driver) &&
              rvvm_snapshot_field(snap, cfg.device);
    if (!ok || !(flags & 1)) {
        return ok;
    }
    if (rvvm_snapshot_writing(snap)) {
        spin_lock(&vq->lock);
        ok = snapshot_chains(vq, snap);
        spin_unlock(&vq->lock);
        return ok;
    }
    cfg.packed = flags >> 3 & 1;
    cfg.event_idx = flags >> 4 & 1;
    cfg.indirect = flags >> 5 & 1;
    cfg.in_order = flags >> 6 & 1;
    if (virtq_start(vq, &cfg) || (cfg.packed && (avail >= cfg.size || used >= cfg.size))) {
        return false;
    }
    spin_lock(&vq->lock);
    vq->avail = avail;
    vq->used = used;
    vq->avail_wrap = flags >> 1 & 1;
    vq->used_wrap = flags >> 2 & 1;
    vq->unsignalled = cfg.size; /* one interrupt too many is better than one too few */
    ok = snapshot_chains(vq, snap);
    spin_unlock(&vq->lock);
    return ok;
}
