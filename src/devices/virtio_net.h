/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The network card: VirtIO 1.2 §5.1, with one pair of queues and a control queue.
 *
 * Behind it is a back end that moves Ethernet frames (without CRC). What a back end cannot do (checksums,
 * large frames) is done here in software, so the guest always has these offloads.
 *
 * A back end with a thread of its own (the usual kind) has `wake`: harts then only call that, and the
 * thread calls virtio_net_serve(). One without it, such as RVVM's tap_api, is called by the hart that
 * transmits, and gives frames to virtio_net_feed_rx() as tap_net_dev_t has it:
 *
 *   static void my_attach(void *tap, virtio_net_t *net)
 *   {
 *       tap_net_dev_t nic = {.net_dev = net, .feed_rx = virtio_net_feed_rx};
 *       tap_attach(tap, &nic);
 *   }
 *   static virtio_net_sent_t my_send(void *tap, const uint8_t *hdr, const uint8_t *frame, size_t size)
 *   {
 *       return tap_send(tap, frame, size) ? VIRTIO_NET_SENT : VIRTIO_NET_DROPPED;
 *   }
 *
 * NOT IMPLEMENTED: several pairs of queues, RSS, UDP fragmentation offload.
 */
#ifndef RVKIT_DEVICES_VIRTIO_NET_H
#define RVKIT_DEVICES_VIRTIO_NET_H

#include "net_offload.h"
#include "virtio.h"

typedef struct virtio_net virtio_net_t;

typedef enum {
    VIRTIO_NET_SENT,
    VIRTIO_NET_BUSY,    /* not now: virtio_net_serve() will be called again when there is room */
    VIRTIO_NET_DROPPED, /* gone, and nobody will miss it */
} virtio_net_sent_t;

/* What a back end can do. */
enum {
    VIRTIO_NET_TX_LARGE = 1,   /* takes TCP frames of up to NET_FRAME_MAX bytes, complete with checksums */
    VIRTIO_NET_TX_OFFLOAD = 2, /* takes frames with headers: partial checksums, frames to be cut */
    VIRTIO_NET_RX_OFFLOAD = 4, /* feeds such frames, as far as set_offloads() allows */
    VIRTIO_NET_RX_BURSTS = 8,  /* checksums of what it feeds are right, and each burst ends by a flush */
};

/*
 * A back end. All but send and close may be NULL. Between attach and the return of close, its thread may
 * call the functions below; they never call back into it, except that virtio_net_serve() calls send.
 */
typedef struct {
    void *opaque;
    unsigned caps;
    uint8_t mac[6]; /* the card's address; all zeros: 02:72:76:00:00:01 */
    uint16_t mtu;   /* told to the guest; 0: nothing is told */
    bool link_down; /* at first */

    /* The card is there. Called once, before anything else but close. */
    void (*attach)(void *opaque, virtio_net_t *net);

    /*
     * Sends a frame. hdr (NET_HDR_SIZE bytes) describes what is still to be done to it; NULL: nothing,
     * always so without VIRTIO_NET_TX_OFFLOAD. One call at a time. Must not wait. BUSY only with wake.
     */
    virtio_net_sent_t (*send)(void *opaque, const uint8_t *hdr, const uint8_t *frame, size_t size);

    /* There is something to serve. Any thread, often; must be quick. */
    void (*wake)(void *opaque);

    /* Which of the VIRTIO_NET_F_GUEST_ features frames may use from now on. Any thread. */
    void (*set_offloads)(void *opaque, uint64_t features);

    /* Ends the back end's thread and frees everything. */
    void (*close)(void *opaque);
} virtio_net_backend_t;

/* What has happened so far. */
typedef struct {
    uint64_t rx_frames, rx_bytes; /* given to the guest */
    uint64_t rx_filtered;         /* not for this card */
    uint64_t rx_dropped;          /* no driver, no room, or larger than its buffers */
    uint64_t tx_frames, tx_bytes; /* as the guest made them */
    uint64_t tx_dropped;          /* the back end did not want them */
    uint64_t tx_malformed;        /* the guest described them wrongly */
} virtio_net_stats_t;

/* Describes a card; the back end goes over to it, also when this fails (false: no memory). */
bool virtio_net_describe(virtio_desc_t *desc, const virtio_net_backend_t *backend);

/* --- For back ends: any thread, one at a time for all of these but set_link and stats --- */

/*
 * A frame for the guest; net is a virtio_net_t. False: there is no room, and it is lost unless the caller
 * tries again later. A frame that the guest does not want, or cannot take yet, is dropped with true.
 */
bool virtio_net_feed_rx(void *net, const void *frame, size_t size);

/* The same with a header (NULL: none); needs VIRTIO_NET_RX_OFFLOAD. */
bool virtio_net_feed(virtio_net_t *net, const uint8_t *hdr, const void *frame, size_t size);

/* The end of a burst: what was held back to be joined goes to the guest. */
void virtio_net_flush(virtio_net_t *net);

/* False when it would be better to wait until the next wake before more is fed. */
bool virtio_net_can_receive(virtio_net_t *net);

/*
 * Sends what the guest has to transmit, and gives it frames that had to wait for buffers. Returns true
 * when it stopped early for the sake of others and wants to be called again soon.
 */
bool virtio_net_serve(virtio_net_t *net);

/* The cable. Frames while it is unplugged are dropped. */
void virtio_net_set_link(virtio_net_t *net, bool up);

void virtio_net_stats(virtio_net_t *net, virtio_net_stats_t *stats);

/* Feature bits (§5.1.3). */
enum {
    VIRTIO_NET_F_CSUM = 0,
    VIRTIO_NET_F_GUEST_CSUM = 1,
    VIRTIO_NET_F_CTRL_GUEST_OFFLOADS = 2,
    VIRTIO_NET_F_MTU = 3,
    VIRTIO_NET_F_MAC = 5,
    VIRTIO_NET_F_GUEST_TSO4 = 7,
    VIRTIO_NET_F_GUEST_TSO6 = 8,
    VIRTIO_NET_F_GUEST_ECN = 9,
    VIRTIO_NET_F_HOST_TSO4 = 11,
    VIRTIO_NET_F_HOST_TSO6 = 12,
    VIRTIO_NET_F_HOST_ECN = 13,
    VIRTIO_NET_F_MRG_RXBUF = 15,
    VIRTIO_NET_F_STATUS = 16,
    VIRTIO_NET_F_CTRL_VQ = 17,
    VIRTIO_NET_F_CTRL_RX = 18,
    VIRTIO_NET_F_CTRL_VLAN = 19,
    VIRTIO_NET_F_CTRL_RX_EXTRA = 20,
    VIRTIO_NET_F_GUEST_ANNOUNCE = 21,
    VIRTIO_NET_F_CTRL_MAC_ADDR = 23,
};

enum {
    VIRTIO_NET_S_LINK_UP = 1,
    VIRTIO_NET_S_ANNOUNCE = 2,

    VIRTIO_NET_OK = 0,
    VIRTIO_NET_ERR = 1,

    VIRTIO_NET_CTRL_RX = 0,
    VIRTIO_NET_CTRL_MAC = 1,
    VIRTIO_NET_CTRL_VLAN = 2,
    VIRTIO_NET_CTRL_ANNOUNCE = 3,
    VIRTIO_NET_CTRL_GUEST_OFFLOADS = 5,
};

#endif
