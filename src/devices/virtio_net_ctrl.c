/* SPDX-License-Identifier: MPL-2.0 */
/* The network card's control queue (VirtIO 1.2 §5.1.6.5), and what it sets: filters, offloads. */
#include "virtio_net_state.h"

enum {
    CTRL_RX_PROMISC = 0,
    CTRL_RX_ALLMULTI = 1,
    CTRL_RX_ALLUNI = 2,
    CTRL_RX_NOMULTI = 3,
    CTRL_RX_NOUNI = 4,
    CTRL_RX_NOBCAST = 5,
    CTRL_MAC_TABLE_SET = 0,
    CTRL_MAC_ADDR_SET = 1,
    CTRL_VLAN_ADD = 0,
    CTRL_VLAN_DEL = 1,
    CTRL_ANNOUNCE_ACK = 0,
    CTRL_GUEST_OFFLOADS_SET = 0,
};

void virtio_net_filter_reset(virtio_net_t *net)
{
    memset(&net->filter, 0, sizeof(net->filter));
    memcpy(net->filter.mac, net->mac, 6);
    net->filter.promisc = 1; /* until the driver says otherwise; many never do */
}

bool virtio_net_snapshot(virtio_net_t *net, rvvm_snapshot_t *snap)
{
    net_filter_t *f = &net->filter;
    net_filter_t old = *f;
    uint64_t offloads = net->guest_offloads;
    uint8_t announce = net->announce, live = net->live;
    net_mac_table_t *tables[] = {&f->unicast, &f->multicast};
    bool ok = rvvm_snapshot_data(snap, f->mac, 6) && rvvm_snapshot_data(snap, &f->promisc, 6) &&
              rvvm_snapshot_data(snap, f->vlan, sizeof(f->vlan)) &&
              rvvm_snapshot_field(snap, offloads) && rvvm_snapshot_field(snap, announce) &&
              rvvm_snapshot_field(snap, live);
    for (unsigned i = 0; ok && i < 2; i++) {
        ok = rvvm_snapshot_field(snap, tables[i]->count) &&
             rvvm_snapshot_field(snap, tables[i]->overflow) &&
             rvvm_snapshot_data(snap, tables[i]->addr, sizeof(tables[i]->addr)) &&
             tables[i]->count <= NET_MAC_TABLE;
    }
    if (!ok) {
        *f = old;
        return false;
    }
    virtio_net_set_offloads(net, offloads);
    net->announce = announce != 0;
    net->live = live != 0;
    return true;
}

void virtio_net_show_status(virtio_net_t *net)
{
    uint8_t status[2];
    write_uint16_le_m(status, (uint16_t)((net->link ? VIRTIO_NET_S_LINK_UP : 0) |
                                         (net->announce ? VIRTIO_NET_S_ANNOUNCE : 0)));
    virtio_config_set(net->dev, NET_CONFIG_STATUS, status, sizeof(status));
}

void virtio_net_set_offloads(virtio_net_t *net, uint64_t offloads)
{
    offloads &= virtio_features(net->dev) & NET_GUEST_OFFLOADS;
    bool checksum = offloads & VIRTIO_BIT(VIRTIO_NET_F_GUEST_CSUM);
    net->guest_offloads = offloads;
    net->join.v4ok = checksum && (offloads & VIRTIO_BIT(VIRTIO_NET_F_GUEST_TSO4));
    net->join.v6ok = checksum && (offloads & VIRTIO_BIT(VIRTIO_NET_F_GUEST_TSO6));
}

void virtio_net_offloads_changed(virtio_net_t *net)
{
    if (net->backend.set_offloads) {
        spin_lock(&net->rx_lock);
        uint64_t offloads = net->guest_offloads;
        spin_unlock(&net->rx_lock);
        net->backend.set_offloads(net->backend.opaque, offloads);
    }
}

/* --- Filters --- */

static bool table_has(const net_mac_table_t *table, const uint8_t *addr)
{
    for (uint32_t i = 0; i < table->count; i++) {
        if (!memcmp(table->addr[i], addr, 6)) {
            return true;
        }
    }
    return table->overflow;
}

static bool vlan_wanted(const virtio_net_t *net, const uint8_t *frame, size_t size)
{
    if (!virtio_has_feature(net->dev, VIRTIO_BIT(VIRTIO_NET_F_CTRL_VLAN)) || size < 16 ||
        frame[12] != 0x81 || frame[13] != 0x00) {
        return true;
    }
    unsigned id = (unsigned)(frame[14] & 15) << 8 | frame[15];
    return net->filter.vlan[id / 8] >> (id % 8) & 1;
}

bool virtio_net_filter(const virtio_net_t *net, const uint8_t *frame, size_t size)
{
    static const uint8_t broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    const net_filter_t *f = &net->filter;
    if (f->promisc) {
        return true;
    }
    if (!vlan_wanted(net, frame, size)) {
        return false;
    }
    if (!memcmp(frame, broadcast, 6)) {
        return !f->nobcast;
    }
    if (frame[0] & 1) {
        return !f->nomulti && (f->allmulti || table_has(&f->multicast, frame));
    }
    return !f->nouni &&
           (f->alluni || !memcmp(frame, f->mac, 6) || table_has(&f->unicast, frame));
}

/* --- Commands: with rx_lock held; true is VIRTIO_NET_OK --- */

static bool accepted(const virtio_net_t *net, unsigned feature)
{
    return virtio_has_feature(net->dev, VIRTIO_BIT(feature));
}

static bool ctrl_rx(virtio_net_t *net, uint8_t command, virtq_chain_t *chain)
{
    net_filter_t *f = &net->filter;
    uint8_t *const modes[] = {&f->promisc, &f->allmulti, &f->alluni,
                              &f->nomulti, &f->nouni,    &f->nobcast};
    bool extra = command >= CTRL_RX_ALLUNI;
    uint8_t on;
    if (command > CTRL_RX_NOBCAST ||
        !accepted(net, extra ? VIRTIO_NET_F_CTRL_RX_EXTRA : VIRTIO_NET_F_CTRL_RX) ||
        !virtq_read_all(chain, &on, 1)) {
        return false;
    }
    *modes[command] = on != 0;
    return true;
}

/* A table of at most what the command holds: count, then addresses. */
static bool ctrl_read_table(net_mac_table_t *table, virtq_chain_t *chain)
{
    uint8_t bytes[4];
    memset(table, 0, sizeof(*table));
    if (!virtq_read_all(chain, bytes, 4)) {
        return false;
    }
    uint32_t count = read_uint32_le_m(bytes);
    uint64_t size = (uint64_t)count * 6;
    if (size > virtq_readable_left(chain)) {
        return false;
    }
    table->overflow = count > NET_MAC_TABLE;
    if (table->overflow) {
        return virtq_skip_readable(chain, size) == size;
    }
    table->count = count;
    return virtq_read_all(chain, table->addr, (size_t)size);
}

static bool ctrl_mac(virtio_net_t *net, uint8_t command, virtq_chain_t *chain)
{
    if (command == CTRL_MAC_ADDR_SET && accepted(net, VIRTIO_NET_F_CTRL_MAC_ADDR)) {
        uint8_t mac[6];
        if (virtq_readable_left(chain) != 6 || !virtq_read_all(chain, mac, 6)) {
            return false;
        }
        memcpy(net->filter.mac, mac, 6);
        virtio_config_set(net->dev, 0, mac, 6);
        return true;
    }
    if (command == CTRL_MAC_TABLE_SET && accepted(net, VIRTIO_NET_F_CTRL_RX)) {
        net_mac_table_t unicast, multicast;
        if (!ctrl_read_table(&unicast, chain) || !ctrl_read_table(&multicast, chain)) {
            return false;
        }
        net->filter.unicast = unicast;
        net->filter.multicast = multicast;
        return true;
    }
    return false;
}

static bool ctrl_vlan(virtio_net_t *net, uint8_t command, virtq_chain_t *chain)
{
    uint8_t bytes[2];
    if (!accepted(net, VIRTIO_NET_F_CTRL_VLAN) || command > CTRL_VLAN_DEL ||
        !virtq_read_all(chain, bytes, 2)) {
        return false;
    }
    unsigned id = read_uint16_le_m(bytes);
    if (id >= 4096) {
        return false;
    }
    uint8_t *slot = &net->filter.vlan[id / 8], bit = (uint8_t)(1u << (id % 8));
    *slot = (uint8_t)(command == CTRL_VLAN_ADD ? *slot | bit : *slot & ~bit);
    return true;
}

static bool ctrl_announce(virtio_net_t *net, uint8_t command)
{
    if (!accepted(net, VIRTIO_NET_F_GUEST_ANNOUNCE) || command != CTRL_ANNOUNCE_ACK) {
        return false;
    }
    net->announce = false;
    virtio_net_show_status(net);
    return true;
}

static bool ctrl_offloads(virtio_net_t *net, uint8_t command, virtq_chain_t *chain)
{
    uint8_t bytes[8];
    if (!accepted(net, VIRTIO_NET_F_CTRL_GUEST_OFFLOADS) || command != CTRL_GUEST_OFFLOADS_SET ||
        !virtq_read_all(chain, bytes, 8)) {
        return false;
    }
    uint64_t offloads = read_uint64_le_m(bytes);
    if (offloads & ~(virtio_features(net->dev) & NET_GUEST_OFFLOADS)) {
        return false;
    }
    virtio_net_set_offloads(net, offloads);
    return true;
}

static bool ctrl_command(virtio_net_t *net, virtq_chain_t *chain)
{
    uint8_t head[2];
    if (!virtq_read_all(chain, head, 2)) {
        return false;
    }
    switch (head[0]) {
    case VIRTIO_NET_CTRL_RX: return ctrl_rx(net, head[1], chain);
    case VIRTIO_NET_CTRL_MAC: return ctrl_mac(net, head[1], chain);
    case VIRTIO_NET_CTRL_VLAN: return ctrl_vlan(net, head[1], chain);
    case VIRTIO_NET_CTRL_ANNOUNCE: return ctrl_announce(net, head[1]);
    case VIRTIO_NET_CTRL_GUEST_OFFLOADS: return ctrl_offloads(net, head[1], chain);
    default: return false;
    }
}

void virtio_net_ctrl(virtio_net_t *net)
{
    virtq_t *vq = virtio_queue(net->dev, NET_QUEUE_CTRL);
    virtq_chain_t *chain;
    while ((chain = virtq_pop(vq))) {
        spin_lock(&net->rx_lock);
        uint8_t ack = ctrl_command(net, chain) ? VIRTIO_NET_OK : VIRTIO_NET_ERR;
        spin_unlock(&net->rx_lock);
        virtio_net_offloads_changed(net);
        virtq_write(chain, &ack, 1);
        virtq_push(chain, 1);
    }
    virtq_notify(vq);
}
