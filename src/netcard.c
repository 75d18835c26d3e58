/* SPDX-License-Identifier: MPL-2.0 */
#include "netcard.h"

#include "devices/virtio_mmio.h"
#include "devices/virtio_net.h"

_Static_assert((int)HOST_NET_TX_LARGE == VIRTIO_NET_TX_LARGE &&
                   (int)HOST_NET_TX_OFFLOAD == VIRTIO_NET_TX_OFFLOAD &&
                   (int)HOST_NET_RX_OFFLOAD == VIRTIO_NET_RX_OFFLOAD &&
                   (int)HOST_NET_RX_BURSTS == VIRTIO_NET_RX_BURSTS,
               "networks and cards name the same abilities");
_Static_assert(HOST_NET_FRAME_MAX == NET_FRAME_MAX, "and the same largest frame");

/* --- The network calls the card --- */

static bool card_feed(void *card, const uint8_t *hdr, const void *frame, size_t size)
{
    return virtio_net_feed(card, hdr, frame, size);
}

static void card_flush(void *card)
{
    virtio_net_flush(card);
}

static bool card_serve(void *card)
{
    return virtio_net_serve(card);
}

static bool card_can_receive(void *card)
{
    return virtio_net_can_receive(card);
}

static void card_set_link(void *card, bool up)
{
    virtio_net_set_link(card, up);
}

/* --- The card calls the network --- */

static void net_attach(void *net, virtio_net_t *card)
{
    const host_net_guest_t guest = {
        .opaque = card,
        .feed = card_feed,
        .flush = card_flush,
        .serve = card_serve,
        .can_receive = card_can_receive,
        .set_link = card_set_link,
    };
    if (!host_net_attach(net, &guest)) {
        rvvm_error("the network gets no thread: the guest's cable is unplugged");
        virtio_net_set_link(card, false);
    }
}

static virtio_net_sent_t net_send(void *net, const uint8_t *hdr, const uint8_t *frame, size_t size)
{
    switch (host_net_send(net, hdr, frame, size)) {
    case HOST_NET_SENT: return VIRTIO_NET_SENT;
    case HOST_NET_BUSY: return VIRTIO_NET_BUSY;
    default: return VIRTIO_NET_DROPPED;
    }
}

static void net_wake(void *net)
{
    host_net_wake(net);
}

static void net_set_offloads(void *net, uint64_t features)
{
    host_net_set_offloads(net, features);
}

static void net_close(void *net)
{
    host_net_close(net);
}

bool netcard_attach(rvvm_machine_t *machine, host_net_t *net, const uint8_t mac[6])
{
    virtio_net_backend_t backend = {
        .opaque = net,
        .caps = host_net_caps(net),
        .mtu = host_net_mtu(net),
        .attach = net_attach,
        .send = net_send,
        .wake = net_wake,
        .set_offloads = net_set_offloads,
        .close = net_close,
    };
    virtio_desc_t desc;
    memcpy(backend.mac, mac, sizeof(backend.mac));
    if (!virtio_net_describe(&desc, &backend) || !virtio_mmio_init_auto(machine, &desc, 0)) {
        rvvm_error("the network card cannot be attached");
        return false;
    }
    return true;
}
