/* SPDX-License-Identifier: MPL-2.0 */
/* The inside of the network card: for virtio_net.c and virtio_net_ctrl.c. */
#ifndef RVKIT_DEVICES_VIRTIO_NET_STATE_H
#define RVKIT_DEVICES_VIRTIO_NET_STATE_H

#include "virtio_net.h"

enum {
    NET_QUEUE_RX = 0,
    NET_QUEUE_TX = 1,
    NET_QUEUE_CTRL = 2,

    NET_CONFIG_STATUS = 6,
    NET_CONFIG_PAIRS = 8,
    NET_CONFIG_MTU = 10,
    NET_CONFIG_SIZE = 12,

    NET_MAC_TABLE = 64, /* addresses in each table; more than that: all are let through */
};

/* The features that VIRTIO_NET_CTRL_GUEST_OFFLOADS can switch. */
#define NET_GUEST_OFFLOADS                                                                         \
    (VIRTIO_BIT(VIRTIO_NET_F_GUEST_CSUM) | VIRTIO_BIT(VIRTIO_NET_F_GUEST_TSO4) |                   \
     VIRTIO_BIT(VIRTIO_NET_F_GUEST_TSO6) | VIRTIO_BIT(VIRTIO_NET_F_GUEST_ECN))

/* A frame that waits for buffers. */
typedef struct net_waiting {
    struct net_waiting *next;
    net_hdr_t hdr;
    size_t size;
    uint8_t frame[];
} net_waiting_t;

typedef struct {
    uint32_t count;
    uint8_t overflow; /* there were more than fit: all pass */
    uint8_t addr[NET_MAC_TABLE][6];
} net_mac_table_t;

/* Which frames the driver wants (§5.1.6.5.1 to §5.1.6.5.3). */
typedef struct {
    uint8_t mac[6];
    uint8_t promisc, allmulti, alluni, nomulti, nouni, nobcast;
    net_mac_table_t unicast, multicast;
    uint8_t vlan[4096 / 8];
} net_filter_t;

struct virtio_net {
    virtio_dev_t *dev;
    virtio_net_backend_t backend;
    uint8_t mac[6]; /* after a reset */
    uint8_t config[NET_CONFIG_SIZE];
    uint8_t *buffers; /* holds the four that follow */
    virtio_net_stats_t stats;

    spinlock_t tx_lock;
    uint8_t *tx_frame, *tx_scratch;
    unsigned tx_pieces;
    bool tx_busy;

    spinlock_t rx_lock;
    uint8_t *rx_scratch;
    net_join_t join;
    net_waiting_t *backlog, **backlog_end;
    size_t backlog_bytes;
    bool live;     /* the driver is ready */
    bool link;     /* atomic */
    bool announce; /* the driver is asked to */
    bool rx_quiet; /* frames were given that it was not told of */
    uint64_t guest_offloads;
    net_filter_t filter;
};

static inline uint64_t util_min_size(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* virtio_net_ctrl.c. All but the first and the last with rx_lock held. */
void virtio_net_ctrl(virtio_net_t *net);
bool virtio_net_filter(const virtio_net_t *net, const uint8_t *frame, size_t size);
void virtio_net_filter_reset(virtio_net_t *net);
bool virtio_net_snapshot(virtio_net_t *net, rvvm_snapshot_t *snap);
void virtio_net_show_status(virtio_net_t *net);
void virtio_net_set_offloads(virtio_net_t *net, uint64_t offloads);
/* Tells the back end what guest_offloads are now. No lock is held. */
void virtio_net_offloads_changed(virtio_net_t *net);

#endif
