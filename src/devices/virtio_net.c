/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The network card: queues, receiving, transmitting. Its control queue is in virtio_net_ctrl.c.
 *
 * Locks: tx_lock is held while a frame is transmitted, rx_lock while one is received; rx_lock also guards
 * all that the driver sets. Never both, and none while the back end's set_offloads or wake runs.
 */
#include "virtio_net_state.h"

#include "virtq.h"

/* Frames that wait for buffers of the guest: up to here they are welcome, up to there they are kept. */
#define BACKLOG_ENOUGH (128u << 10)
#define BACKLOG_MAX    (1024u << 10)

/* The most buffers for one frame, and the most frames to transmit before others have their turn. */
#define RX_CHAINS_MAX 256
#define TX_BURST      64

static bool has_feature(const virtio_net_t *net, unsigned bit)
{
    return virtio_has_feature(net->dev, VIRTIO_BIT(bit));
}

/* --- Receiving: with rx_lock held --- */

/* Size of the header before each frame (§5.1.6.1; legacy: without num_buffers if that is not negotiated). */
static size_t net_header_size(const virtio_net_t *net)
{
    bool full = has_feature(net, VIRTIO_NET_F_MRG_RXBUF) ||
                virtio_has_feature(net->dev, VIRTIO_F_VERSION_1);
    return NET_HDR_SIZE + (full ? 2 : 0);
}

static void rx_put_back(virtq_chain_t **chains, unsigned count)
{
    while (count--) {
        if (!virtq_unpop(chains[count])) {
            virtq_push(chains[count], 0); /* not ours alone any more: give it back empty */
        }
    }
}

/* Takes buffers for `need` bytes. 0: there are too few, or they are too small for this frame (*hopeless). */
static unsigned rx_take(virtio_net_t *net, size_t need, virtq_chain_t **chains, bool *hopeless)
{
    virtq_t *vq = virtio_queue(net->dev, NET_QUEUE_RX);
    unsigned most = has_feature(net, VIRTIO_NET_F_MRG_RXBUF) ? RX_CHAINS_MAX : 1;
    uint64_t have = 0;
    unsigned count = 0;
    *hopeless = false;
    while (have < need && count < most) {
        virtq_chain_t *chain = virtq_pop(vq);
        if (!chain) {
            break;
        }
        chains[count++] = chain;
        have += virtq_writable_left(chain);
    }
    if (have < need || virtq_writable_left(chains[0]) < net_header_size(net)) {
        *hopeless = have >= need || count == most;
        rx_put_back(chains, count);
        return 0;
    }
    return count;
}

/* Into the guest's buffers. False: there are none, for the time being. */
static bool rx_write(virtio_net_t *net, const net_hdr_t *hdr, const uint8_t *frame, size_t size)
{
    virtq_chain_t *chains[RX_CHAINS_MAX];
    size_t written[RX_CHAINS_MAX];
    size_t header_size = net_header_size(net);
    bool hopeless;
    unsigned count = rx_take(net, header_size + size, chains, &hopeless);
    if (!count) {
        net->stats.rx_dropped += hopeless;
        return hopeless;
    }
    uint8_t header[NET_HDR_SIZE + 2];
    net_hdr_store(hdr, header);
    header[NET_HDR_SIZE] = (uint8_t)count;
    header[NET_HDR_SIZE + 1] = (uint8_t)(count >> 8);
    virtq_write(chains[0], header, header_size);
    size_t done = 0;
    for (unsigned i = 0; i < count; i++) {
        size_t room = (size_t)util_min_size(virtq_writable_left(chains[i]), size - done);
        virtq_write(chains[i], frame + done, room);
        done += room;
        written[i] = (size_t)virtq_written(chains[i]);
    }
    virtq_push_all(chains, written, count);
    net->rx_quiet = true;
    net->stats.rx_frames++;
    net->stats.rx_bytes += size;
    return true;
}

static bool backlog_add(virtio_net_t *net, const net_hdr_t *hdr, const uint8_t *frame, size_t size)
{
    net_waiting_t *item =
        net->backlog_bytes + size <= BACKLOG_MAX ? malloc(sizeof(*item) + size) : NULL;
    if (!item) {
        net->stats.rx_dropped++;
        return false;
    }
    item->next = NULL;
    item->hdr = *hdr;
    item->size = size;
    memcpy(item->frame, frame, size);
    *net->backlog_end = item;
    net->backlog_end = &item->next;
    net->backlog_bytes += size;
    return true;
}

static void backlog_drain(virtio_net_t *net)
{
    net_waiting_t *item;
    while ((item = net->backlog) && rx_write(net, &item->hdr, item->frame, item->size)) {
        net->backlog = item->next;
        if (!net->backlog) {
            net->backlog_end = &net->backlog;
        }
        net->backlog_bytes -= item->size;
        free(item);
    }
}

static void backlog_clear(virtio_net_t *net)
{
    net_waiting_t *item;
    while ((item = net->backlog)) {
        net->backlog = item->next;
        net->stats.rx_dropped++;
        free(item);
    }
    net->backlog_end = &net->backlog;
    net->backlog_bytes = 0;
}

/* A frame that is as the guest wants it. False: lost. */
static bool rx_deliver(virtio_net_t *net, const net_hdr_t *hdr, const uint8_t *frame, size_t size)
{
    return (!net->backlog && rx_write(net, hdr, frame, size)) || backlog_add(net, hdr, frame, size);
}

static bool rx_emit(void *opaque, const uint8_t *frame, size_t size)
{
    net_hdr_t hdr = {.flags = 0};
    return rx_deliver(opaque, &hdr, frame, size);
}

/* The feature that a driver needs for frames of this GSO type. */
static uint64_t rx_gso_feature(uint8_t gso_type)
{
    uint64_t ecn = gso_type & VIRTIO_NET_HDR_GSO_ECN ? VIRTIO_BIT(VIRTIO_NET_F_GUEST_ECN) : 0;
    switch (gso_type & ~VIRTIO_NET_HDR_GSO_ECN) {
    case VIRTIO_NET_HDR_GSO_TCPV4: return ecn | VIRTIO_BIT(VIRTIO_NET_F_GUEST_TSO4);
    case VIRTIO_NET_HDR_GSO_TCPV6: return ecn | VIRTIO_BIT(VIRTIO_NET_F_GUEST_TSO6);
    default: return UINT64_MAX;
    }
}

/* A frame with a header from a back end: what the guest does not accept is done here. */
static bool rx_offload(virtio_net_t *net, net_hdr_t *hdr, const uint8_t *frame, size_t size)
{
    bool partial = hdr->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM;
    uint64_t need = partial ? VIRTIO_BIT(VIRTIO_NET_F_GUEST_CSUM) : 0;
    if (hdr->gso_type != VIRTIO_NET_HDR_GSO_NONE) {
        need |= rx_gso_feature(hdr->gso_type);
    }
    if (!(need & ~net->guest_offloads)) {
        if (!(net->guest_offloads & VIRTIO_BIT(VIRTIO_NET_F_GUEST_CSUM))) {
            hdr->flags = 0;
        }
        return rx_deliver(net, hdr, frame, size);
    }
    bool ok;
    if (hdr->gso_type != VIRTIO_NET_HDR_GSO_NONE) {
        ok = net_tcp_split(frame, size, hdr, net->rx_scratch, NET_FRAME_MAX, rx_emit, net);
    } else {
        memcpy(net->rx_scratch, frame, size);
        ok = net_fill_checksum(net->rx_scratch, size, hdr) && rx_emit(net, net->rx_scratch, size);
    }
    net->stats.rx_dropped += !ok;
    return true;
}

static bool rx_join_flush(virtio_net_t *net)
{
    net_hdr_t hdr;
    size_t size = net_join_take(&net->join, &hdr);
    if (!(net->guest_offloads & VIRTIO_BIT(VIRTIO_NET_F_GUEST_CSUM))) {
        hdr.flags = 0;
    }
    return !size || rx_deliver(net, &hdr, net->join.frame, size);
}

static bool rx_join(virtio_net_t *net, const uint8_t *frame, size_t size)
{
    if (net_join_add(&net->join, frame, size)) {
        return true;
    }
    bool kept = rx_join_flush(net);
    return net_join_add(&net->join, frame, size) && kept;
}

/* Tells the guest about what it got. */
static void rx_signal(virtio_net_t *net)
{
    if (net->rx_quiet) {
        net->rx_quiet = false;
        virtq_notify(virtio_queue(net->dev, NET_QUEUE_RX));
    }
}

static bool rx_frame(virtio_net_t *net, const uint8_t *hdr, const uint8_t *frame, size_t size)
{
    if (!net->live || !net->link || size < NET_FRAME_MIN || size > NET_FRAME_MAX) {
        net->stats.rx_dropped++;
        return true;
    }
    if (!virtio_net_filter(net, frame, size)) {
        net->stats.rx_filtered++;
        return true;
    }
    if (hdr) {
        net_hdr_t wanted;
        net_hdr_load(&wanted, hdr);
        return rx_offload(net, &wanted, frame, size);
    }
    if (net->backend.caps & VIRTIO_NET_RX_BURSTS) {
        return rx_join(net, frame, size);
    }
    net_hdr_t none = {.flags = 0};
    return rx_deliver(net, &none, frame, size);
}

/* --- For back ends --- */

bool virtio_net_feed(virtio_net_t *net, const uint8_t *hdr, const void *frame, size_t size)
{
    spin_lock(&net->rx_lock);
    bool taken = rx_frame(net, hdr, frame, size);
    if (!(net->backend.caps & VIRTIO_NET_RX_BURSTS)) {
        rx_signal(net);
    }
    spin_unlock(&net->rx_lock);
    return taken;
}

bool virtio_net_feed_rx(void *net, const void *frame, size_t size)
{
    return virtio_net_feed(net, NULL, frame, size);
}

void virtio_net_flush(virtio_net_t *net)
{
    spin_lock(&net->rx_lock);
    rx_join_flush(net);
    rx_signal(net);
    spin_unlock(&net->rx_lock);
}

bool virtio_net_can_receive(virtio_net_t *net)
{
    spin_lock(&net->rx_lock);
    bool can = net->backlog_bytes <= BACKLOG_ENOUGH;
    spin_unlock(&net->rx_lock);
    return can;
}

void virtio_net_stats(virtio_net_t *net, virtio_net_stats_t *stats)
{
    spin_lock(&net->tx_lock);
    virtio_net_stats_t sent = net->stats;
    spin_unlock(&net->tx_lock);
    spin_lock(&net->rx_lock);
    *stats = net->stats;
    spin_unlock(&net->rx_lock);
    stats->tx_frames = sent.tx_frames;
    stats->tx_bytes = sent.tx_bytes;
    stats->tx_dropped = sent.tx_dropped;
    stats->tx_malformed = sent.tx_malformed;
}

void virtio_net_set_link(virtio_net_t *net, bool up)
{
    spin_lock(&net->rx_lock);
    bool changed = net->link != up;
    __atomic_store_n(&net->link, up, __ATOMIC_RELEASE);
    if (changed) {
        virtio_net_show_status(net);
        virtio_config_changed(net->dev);
    }
    spin_unlock(&net->rx_lock);
}

/* --- Transmitting: with tx_lock held --- */

static virtio_net_sent_t tx_send(virtio_net_t *net, const uint8_t *hdr, const uint8_t *frame,
                                 size_t size)
{
    return net->backend.send ? net->backend.send(net->backend.opaque, hdr, frame, size)
                             : VIRTIO_NET_SENT;
}

/* Segments of one frame: when the back end has no room for one, that one is lost, as on a wire. */
static bool tx_emit(void *opaque, const uint8_t *frame, size_t size)
{
    virtio_net_t *net = opaque;
    virtio_net_sent_t sent = tx_send(net, NULL, frame, size);
    if (sent == VIRTIO_NET_BUSY && !net->tx_pieces) {
        net->tx_busy = true;
        return false;
    }
    net->tx_pieces++;
    net->stats.tx_dropped += sent != VIRTIO_NET_SENT;
    return true;
}

/* A large frame. */
static virtio_net_sent_t tx_large(virtio_net_t *net, net_hdr_t *hdr, uint8_t *frame, size_t size)
{
    bool v6 = (hdr->gso_type & ~VIRTIO_NET_HDR_GSO_ECN) == VIRTIO_NET_HDR_GSO_TCPV6;
    net_tcp_t at;
    if (!net_tcp_parse(frame, size, true, &at) || at.v6 != v6) {
        return VIRTIO_NET_DROPPED;
    }
    if ((net->backend.caps & VIRTIO_NET_TX_LARGE) && net_tcp_finish(frame, &at, false)) {
        return tx_send(net, NULL, frame, size);
    }
    net->tx_pieces = 0;
    net->tx_busy = false;
    bool ok = net_tcp_split(frame, size, hdr, net->tx_scratch, NET_FRAME_MAX, tx_emit, net);
    return net->tx_busy ? VIRTIO_NET_BUSY : ok ? VIRTIO_NET_SENT : VIRTIO_NET_DROPPED;
}

/* The header's claims are checked before any back end sees them: its parsers may be less careful. */
static bool tx_header_ok(const virtio_net_t *net, const net_hdr_t *hdr, size_t size)
{
    if (hdr->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) {
        size_t field = (size_t)hdr->csum_start + hdr->csum_offset;
        if (!has_feature(net, VIRTIO_NET_F_CSUM) || hdr->csum_start < NET_FRAME_MIN ||
            hdr->csum_start >= size || field + 2 > size) {
            return false;
        }
    }
    if (hdr->gso_type == VIRTIO_NET_HDR_GSO_NONE) {
        return true;
    }
    unsigned type = hdr->gso_type & ~(unsigned)VIRTIO_NET_HDR_GSO_ECN, feature;
    switch (type) {
    case VIRTIO_NET_HDR_GSO_TCPV4: feature = VIRTIO_NET_F_HOST_TSO4; break;
    case VIRTIO_NET_HDR_GSO_TCPV6: feature = VIRTIO_NET_F_HOST_TSO6; break;
    default: return false;
    }
    return has_feature(net, feature) && hdr->gso_size && (hdr->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM);
}

static virtio_net_sent_t tx_offload(virtio_net_t *net, net_hdr_t *hdr, uint8_t *frame, size_t size)
{
    uint8_t type = hdr->gso_type & (uint8_t)~VIRTIO_NET_HDR_GSO_ECN;
    if (type != VIRTIO_NET_HDR_GSO_NONE && !(net->backend.caps & VIRTIO_NET_TX_OFFLOAD)) {
        return tx_large(net, hdr, frame, size);
    }
    if (!(hdr->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM)) {
        return tx_send(net, NULL, frame, size);
    }
    if (net->backend.caps & VIRTIO_NET_TX_OFFLOAD) {
        uint8_t bytes[NET_HDR_SIZE];
        net_hdr_store(hdr, bytes);
        return tx_send(net, bytes, frame, size);
    }
    net_fill_checksum(frame, size, hdr);
    return tx_send(net, NULL, frame, size);
}

/* One chain. BUSY: nothing of it was sent. */
static virtio_net_sent_t tx_chain(virtio_net_t *net, virtq_chain_t *chain)
{
    uint8_t header[NET_HDR_SIZE + 2];
    uint64_t total = virtq_readable_left(chain);
    size_t header_size = net_header_size(net);
    net_hdr_t hdr;
    if (total < header_size + NET_FRAME_MIN || total > header_size + NET_FRAME_MAX ||
        !virtq_read_all(chain, header, header_size)) {
        net->stats.tx_malformed += virtq_live(chain);
        return VIRTIO_NET_SENT;
    }
    size_t size = (size_t)total - header_size;
    net_hdr_load(&hdr, header);
    if (!tx_header_ok(net, &hdr, size) || virtq_read(chain, net->tx_frame, size) != size) {
        net->stats.tx_malformed += virtq_live(chain);
        return VIRTIO_NET_SENT;
    }
    virtio_net_sent_t sent = __atomic_load_n(&net->link, __ATOMIC_ACQUIRE)
                                 ? tx_offload(net, &hdr, net->tx_frame, size)
                                 : VIRTIO_NET_DROPPED;
    if (sent != VIRTIO_NET_BUSY) {
        net->stats.tx_dropped += sent == VIRTIO_NET_DROPPED;
        net->stats.tx_frames++;
        net->stats.tx_bytes += size;
    }
    return sent;
}

/* One frame. False: there is none, or it has to wait. */
static bool tx_one(virtio_net_t *net)
{
    spin_lock(&net->tx_lock);
    virtq_chain_t *chain = virtq_pop(virtio_queue(net->dev, NET_QUEUE_TX));
    bool more = chain != NULL;
    if (chain) {
        bool busy = tx_chain(net, chain) == VIRTIO_NET_BUSY && net->backend.wake;
        if (!busy || !virtq_unpop(chain)) {
            virtq_push(chain, 0);
        }
        more = !busy;
    }
    spin_unlock(&net->tx_lock);
    return more;
}

static bool tx_serve(virtio_net_t *net)
{
    unsigned n = 0;
    while (n < TX_BURST && tx_one(net)) {
        n++;
    }
    virtq_notify(virtio_queue(net->dev, NET_QUEUE_TX));
    return n == TX_BURST;
}

static void rx_serve(virtio_net_t *net)
{
    spin_lock(&net->rx_lock);
    if (net->live) {
        backlog_drain(net);
        rx_signal(net);
    }
    spin_unlock(&net->rx_lock);
}

bool virtio_net_serve(virtio_net_t *net)
{
    rx_serve(net);
    return tx_serve(net);
}

/* --- The device --- */

static void net_bind(void *data, virtio_dev_t *dev)
{
    virtio_net_t *net = data;
    net->dev = dev;
    if (net->backend.attach) {
        net->backend.attach(net->backend.opaque, net);
    }
}

static void net_remove(void *data)
{
    virtio_net_t *net = data;
    if (net->backend.close) {
        net->backend.close(net->backend.opaque);
    }
    backlog_clear(net);
    free(net->buffers);
    free(net);
}

static void net_notify(void *data, unsigned queue)
{
    virtio_net_t *net = data;
    if (queue == NET_QUEUE_CTRL) {
        virtio_net_ctrl(net);
    } else if (net->backend.wake) {
        net->backend.wake(net->backend.opaque);
    } else if (queue == NET_QUEUE_RX) {
        rx_serve(net);
    } else {
        while (tx_serve(net)) {
        }
    }
}

/* Each needs one of the others (§5.1.3.1). */
static bool net_features_ok(void *data, uint64_t features)
{
    static const struct {
        uint8_t feature, needs, or_needs;
    } rules[] = {
        {VIRTIO_NET_F_GUEST_TSO4, VIRTIO_NET_F_GUEST_CSUM, VIRTIO_NET_F_GUEST_CSUM},
        {VIRTIO_NET_F_GUEST_TSO6, VIRTIO_NET_F_GUEST_CSUM, VIRTIO_NET_F_GUEST_CSUM},
        {VIRTIO_NET_F_GUEST_ECN, VIRTIO_NET_F_GUEST_TSO4, VIRTIO_NET_F_GUEST_TSO6},
        {VIRTIO_NET_F_HOST_TSO4, VIRTIO_NET_F_CSUM, VIRTIO_NET_F_CSUM},
        {VIRTIO_NET_F_HOST_TSO6, VIRTIO_NET_F_CSUM, VIRTIO_NET_F_CSUM},
        {VIRTIO_NET_F_HOST_ECN, VIRTIO_NET_F_HOST_TSO4, VIRTIO_NET_F_HOST_TSO6},
        {VIRTIO_NET_F_CTRL_RX, VIRTIO_NET_F_CTRL_VQ, VIRTIO_NET_F_CTRL_VQ},
        {VIRTIO_NET_F_CTRL_RX_EXTRA, VIRTIO_NET_F_CTRL_VQ, VIRTIO_NET_F_CTRL_VQ},
        {VIRTIO_NET_F_CTRL_VLAN, VIRTIO_NET_F_CTRL_VQ, VIRTIO_NET_F_CTRL_VQ},
        {VIRTIO_NET_F_GUEST_ANNOUNCE, VIRTIO_NET_F_CTRL_VQ, VIRTIO_NET_F_CTRL_VQ},
        {VIRTIO_NET_F_CTRL_MAC_ADDR, VIRTIO_NET_F_CTRL_VQ, VIRTIO_NET_F_CTRL_VQ},
        {VIRTIO_NET_F_CTRL_GUEST_OFFLOADS, VIRTIO_NET_F_CTRL_VQ, VIRTIO_NET_F_CTRL_VQ},
    };
    virtio_net_t *net = data;
    if (virtio_legacy(net->dev)) {
        return true; /* it has no way to say no */
    }
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        uint64_t needs = VIRTIO_BIT(rules[i].needs) | VIRTIO_BIT(rules[i].or_needs);
        if ((features & VIRTIO_BIT(rules[i].feature)) && !(features & needs)) {
            return false;
        }
    }
    return true;
}

static void net_ready(void *data)
{
    virtio_net_t *net = data;
    spin_lock(&net->rx_lock);
    virtio_net_set_offloads(net, UINT64_MAX);
    net->live = true;
    spin_unlock(&net->rx_lock);
    virtio_net_offloads_changed(net);
}

static void net_config_written(void *data, size_t offset, size_t len)
{
    virtio_net_t *net = data;
    spin_lock(&net->rx_lock);
    if (virtio_legacy(net->dev) && offset < 6 && len <= 6 - offset) {
        virtio_config_get(net->dev, offset, net->filter.mac + offset, len);
    } else {
        virtio_config_set(net->dev, 0, net->filter.mac, 6);
        virtio_net_show_status(net);
    }
    spin_unlock(&net->rx_lock);
}

static void net_reset(void *data)
{
    virtio_net_t *net = data;
    spin_lock(&net->rx_lock);
    net->live = false;
    net->join.size = 0;
    virtio_net_set_offloads(net, 0);
    backlog_clear(net);
    virtio_net_filter_reset(net);
    net->announce = false;
    virtio_config_set(net->dev, 0, net->filter.mac, 6);
    virtio_net_show_status(net);
    spin_unlock(&net->rx_lock);
    virtio_net_offloads_changed(net);
}

static void net_queue_reset(void *data, unsigned queue)
{
    virtio_net_t *net = data;
    if (queue == NET_QUEUE_RX) {
        spin_lock(&net->rx_lock);
        backlog_clear(net);
        spin_unlock(&net->rx_lock);
    }
}

/* While a snapshot is taken the queues are frozen, so frames wait on both sides. */
static void net_suspend(void *data, rvvm_snapshot_t *snap, bool resume)
{
    virtio_net_t *net = data;
    bool announce = false;
    spin_lock(&net->rx_lock);
    if (snap && virtio_net_snapshot(net, snap) && resume && net->live &&
        has_feature(net, VIRTIO_NET_F_GUEST_ANNOUNCE)) {
        net->announce = announce = true; /* it may be plugged in elsewhere now */
    }
    virtio_net_show_status(net);
    spin_unlock(&net->rx_lock);
    if (!resume) {
        return;
    }
    virtio_net_offloads_changed(net);
    if (announce) {
        virtio_config_changed(net->dev);
    }
    if (net->backend.wake) {
        net->backend.wake(net->backend.opaque);
    }
}

static const virtio_type_t net_type = {
    .name = "virtio-net",
    .bind = net_bind,
    .remove = net_remove,
    .notify = net_notify,
    .features_ok = net_features_ok,
    .ready = net_ready,
    .config_written = net_config_written,
    .reset = net_reset,
    .queue_reset = net_queue_reset,
    .suspend = net_suspend,
};

static uint64_t net_features(const virtio_net_backend_t *backend)
{
    static const uint8_t always[] = {
        VIRTIO_NET_F_CSUM, VIRTIO_NET_F_GUEST_CSUM, VIRTIO_NET_F_MAC, VIRTIO_NET_F_HOST_TSO4,
        VIRTIO_NET_F_HOST_TSO6, VIRTIO_NET_F_HOST_ECN, VIRTIO_NET_F_MRG_RXBUF, VIRTIO_NET_F_STATUS,
        VIRTIO_NET_F_CTRL_VQ, VIRTIO_NET_F_CTRL_RX, VIRTIO_NET_F_CTRL_VLAN,
        VIRTIO_NET_F_CTRL_RX_EXTRA, VIRTIO_NET_F_GUEST_ANNOUNCE, VIRTIO_NET_F_CTRL_MAC_ADDR,
        VIRTIO_NET_F_CTRL_GUEST_OFFLOADS,
    };
    uint64_t features = backend->mtu ? VIRTIO_BIT(VIRTIO_NET_F_MTU) : 0;
    for (size_t i = 0; i < sizeof(always); i++) {
        features |= VIRTIO_BIT(always[i]);
    }
    if (backend->caps & (VIRTIO_NET_RX_OFFLOAD | VIRTIO_NET_RX_BURSTS)) {
        features |= VIRTIO_BIT(VIRTIO_NET_F_GUEST_TSO4) | VIRTIO_BIT(VIRTIO_NET_F_GUEST_TSO6);
    }
    if (backend->caps & VIRTIO_NET_RX_OFFLOAD) {
        features |= VIRTIO_BIT(VIRTIO_NET_F_GUEST_ECN);
    }
    return features;
}

static virtio_net_t *net_create(const virtio_net_backend_t *backend)
{
    static const uint8_t usual_mac[6] = {0x02, 0x72, 0x76, 0, 0, 1};
    static const uint8_t no_mac[6];
    virtio_net_t *net = calloc(1, sizeof(*net));
    uint8_t *buffers = net ? malloc(4 * (size_t)NET_FRAME_MAX) : NULL;
    if (!buffers) {
        free(net);
        return NULL;
    }
    net->backend = *backend;
    net->buffers = net->tx_frame = buffers;
    net->tx_scratch = buffers + NET_FRAME_MAX;
    net->rx_scratch = buffers + 2 * (size_t)NET_FRAME_MAX;
    net->join.frame = buffers + 3 * (size_t)NET_FRAME_MAX;
    spin_init(&net->rx_lock);
    spin_init(&net->tx_lock);
    net->backlog_end = &net->backlog;
    net->link = !backend->link_down;
    memcpy(net->mac, memcmp(backend->mac, no_mac, 6) ? backend->mac : usual_mac, 6);
    virtio_net_filter_reset(net);
    return net;
}

bool virtio_net_describe(virtio_desc_t *desc, const virtio_net_backend_t *backend)
{
    virtio_net_t *net = net_create(backend);
    if (!net) {
        if (backend->close) {
            backend->close(backend->opaque);
        }
        return false;
    }
    uint8_t *config = net->config;
    memcpy(config, net->mac, 6);
    write_uint16_le_m(config + NET_CONFIG_STATUS, net->link ? VIRTIO_NET_S_LINK_UP : 0);
    write_uint16_le_m(config + NET_CONFIG_PAIRS, 1);
    write_uint16_le_m(config + NET_CONFIG_MTU, backend->mtu);
    *desc = (virtio_desc_t){
        .type = &net_type,
        .data = net,
        .id = VIRTIO_ID_NET,
        .features = net_features(backend),
        .queues = 3,
        .queue_size = {256, 256, 64},
        .config_size = sizeof(net->config),
        .config = config,
    };
    return true;
}
