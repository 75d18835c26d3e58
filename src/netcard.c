/* SPDX-License-Identifier: MPL-2.0 */
#include "netcard.h"

#include "board.h"
#include "devices/virtio_net.h"
#include "log.h"
#include "machine.h"
#include "slot.h"

#include <stdlib.h>
#include <string.h>

_Static_assert((int)HOST_NET_TX_LARGE == VIRTIO_NET_TX_LARGE &&
                   (int)HOST_NET_TX_OFFLOAD == VIRTIO_NET_TX_OFFLOAD &&
                   (int)HOST_NET_RX_OFFLOAD == VIRTIO_NET_RX_OFFLOAD &&
                   (int)HOST_NET_RX_BURSTS == VIRTIO_NET_RX_BURSTS,
               "networks and cards name the same abilities");
_Static_assert(HOST_NET_FRAME_MAX == NET_FRAME_MAX, "and the same largest frame");

/* A card and its network. */
typedef struct netcard {
    struct netcard *next; /* of the machine's, in order of attaching */
    rvvm_machine_t *machine;
    host_net_t *net;
    virtio_net_t *card;
    uint8_t mac[6];
    bool link; /* atomic */
} netcard_t;

/* --- The network calls the card --- */

static bool card_feed(void *opaque, const uint8_t *hdr, const void *frame, size_t size)
{
    return virtio_net_feed(((netcard_t *)opaque)->card, hdr, frame, size);
}

static void card_flush(void *opaque)
{
    virtio_net_flush(((netcard_t *)opaque)->card);
}

static bool card_serve(void *opaque)
{
    return virtio_net_serve(((netcard_t *)opaque)->card);
}

static bool card_can_receive(void *opaque)
{
    return virtio_net_can_receive(((netcard_t *)opaque)->card);
}

static void card_set_link(void *opaque, bool up)
{
    netcard_t *netcard = opaque;
    __atomic_store_n(&netcard->link, up, __ATOMIC_RELAXED);
    virtio_net_set_link(netcard->card, up);
}

/* --- The card calls the network --- */

static void net_attach(void *opaque, virtio_net_t *card)
{
    netcard_t *netcard = opaque;
    const host_net_guest_t guest = {
        .opaque = netcard,
        .feed = card_feed,
        .flush = card_flush,
        .serve = card_serve,
        .can_receive = card_can_receive,
        .set_link = card_set_link,
    };
    netcard->card = card;
    if (!host_net_attach(netcard->net, &guest)) {
        rvvm_error("the network gets no thread: the guest's cable is unplugged");
        card_set_link(netcard, false);
    }
}

static virtio_net_sent_t net_send(void *opaque, const uint8_t *hdr, const uint8_t *frame, size_t size)
{
    switch (host_net_send(((netcard_t *)opaque)->net, hdr, frame, size)) {
    case HOST_NET_SENT: return VIRTIO_NET_SENT;
    case HOST_NET_BUSY: return VIRTIO_NET_BUSY;
    default: return VIRTIO_NET_DROPPED;
    }
}

static void net_wake(void *opaque)
{
    host_net_wake(((netcard_t *)opaque)->net);
}

static void net_set_offloads(void *opaque, uint64_t features)
{
    host_net_set_offloads(((netcard_t *)opaque)->net, features);
}

/* With `there` the card is the last of the machine's; otherwise it is none of them. */
static void netcard_list(netcard_t *netcard, bool there)
{
    eventloop_lock();
    netcard_t **link = &netcard->machine->netcards;
    while (*link && *link != netcard) {
        link = &(*link)->next;
    }
    if (there) {
        *link = netcard;
    } else if (*link) {
        *link = netcard->next;
    }
    eventloop_unlock();
}

static void net_close(void *opaque)
{
    netcard_t *netcard = opaque;
    netcard_list(netcard, false);
    host_net_close(netcard->net);
    free(netcard);
}

bool netcard_attach(rvvm_machine_t *machine, host_net_t *net, const uint8_t mac[6])
{
    static const uint8_t usual_mac[6] = {0x02, 0x72, 0x76, 0, 0, 1};
    static const uint8_t no_mac[6];
    netcard_t *netcard = calloc(1, sizeof(*netcard));
    if (!netcard) {
        rvvm_error("the network card cannot be attached: out of memory");
        host_net_close(net);
        return false;
    }
    *netcard = (netcard_t){.machine = machine, .net = net, .link = true};
    memcpy(netcard->mac, memcmp(mac, no_mac, 6) ? mac : usual_mac, 6);
    virtio_net_backend_t backend = {
        .opaque = netcard,
        .caps = host_net_caps(net),
        .mtu = host_net_mtu(net),
        .attach = net_attach,
        .send = net_send,
        .wake = net_wake,
        .set_offloads = net_set_offloads,
        .close = net_close,
    };
    virtio_desc_t desc;
    memcpy(backend.mac, netcard->mac, sizeof(backend.mac));
    if (!virtio_net_describe(&desc, &backend) || !slot_attach(machine, &desc)) {
        rvvm_error("the network card cannot be attached");
        return false;
    }
    netcard_list(netcard, true);
    return true;
}

/* --- What the board tells of it --- */

/* The process mutex is held. NULL: there are no more. */
static netcard_t *netcard_find(rvvm_machine_t *machine, size_t index)
{
    netcard_t *netcard = machine->netcards;
    while (netcard && index--) {
        netcard = netcard->next;
    }
    return netcard;
}

bool board_get_net(rvvm_machine_t *machine, size_t index, board_net_t *info)
{
    virtio_net_stats_t stats;
    eventloop_lock();
    netcard_t *netcard = netcard_find(machine, index);
    if (netcard) {
        virtio_net_stats(netcard->card, &stats);
        *info = (board_net_t){
            .link = __atomic_load_n(&netcard->link, __ATOMIC_RELAXED),
            .forwards = host_net_get_forward(netcard->net, 0, NULL),
            .rx_frames = stats.rx_frames,
            .rx_bytes = stats.rx_bytes,
            .rx_dropped = stats.rx_dropped,
            .tx_frames = stats.tx_frames,
            .tx_bytes = stats.tx_bytes,
            .tx_dropped = stats.tx_dropped + stats.tx_malformed,
        };
        memcpy(info->mac, netcard->mac, sizeof(info->mac));
        host_net_name(netcard->net, info->backend, sizeof(info->backend));
    }
    eventloop_unlock();
    return netcard != NULL;
}

/*
 * Its network, for calls that wait for its thread: without the mutex, and so not while devices are removed.
 */
static host_net_t *netcard_net(rvvm_machine_t *machine, size_t index)
{
    eventloop_lock();
    const netcard_t *netcard = netcard_find(machine, index);
    eventloop_unlock();
    return netcard ? netcard->net : NULL;
}

bool board_add_forward(rvvm_machine_t *machine, size_t index, const host_net_forward_t *forward,
                       char *error, size_t error_size)
{
    host_net_t *net = netcard_net(machine, index);
    if (!net) {
        snprintf(error, error_size, "there is no network card");
    }
    return net && host_net_add_forward(net, forward, error, error_size);
}

bool board_remove_forward(rvvm_machine_t *machine, size_t index, const host_net_forward_t *forward,
                          char *error, size_t error_size)
{
    host_net_t *net = netcard_net(machine, index);
    if (!net) {
        snprintf(error, error_size, "there is no network card");
    }
    return net && host_net_remove_forward(net, forward, error, error_size);
}

bool board_get_forward(rvvm_machine_t *machine, size_t index, size_t number,
                       host_net_forward_t *forward)
{
    host_net_t *net = netcard_net(machine, index);
    return net && host_net_get_forward(net, number, forward);
}
