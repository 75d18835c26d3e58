/* SPDX-License-Identifier: MPL-2.0 */
/* Network cards whose frames JavaScript carries. */
#include "engine_internal.h"

#include <stdlib.h>
#include <string.h>

static void net_attach(void *opaque, virtio_net_t *card)
{
    ((engine_net_t *)opaque)->card = card;
}

static virtio_net_sent_t net_send(void *opaque, const uint8_t *hdr, const uint8_t *frame,
                                  size_t size)
{
    (void)hdr;
    rvkit_host_net(((engine_net_t *)opaque)->number, frame, size);
    return VIRTIO_NET_SENT;
}

static void net_close(void *opaque)
{
    engine_net_t *net = opaque;
    net->engine->net[net->number] = NULL;
    free(net);
}

ENGINE_EXPORT int rvkit_add_net(engine_t *engine, const uint8_t *mac)
{
    virtio_desc_t *device = engine_next_device(engine);
    if (!device || !engine_is_open(engine, engine->nets, BOARD_NETS_MAX, "network cards")) {
        return -1;
    }
    engine_net_t *net = calloc(1, sizeof(*net));
    if (!net) {
        rvvm_error("a network card: out of memory");
        return -1;
    }
    *net = (engine_net_t){.engine = engine, .number = engine->nets};
    virtio_net_backend_t backend = {.opaque = net,
                                    .link_down = true,
                                    .attach = net_attach,
                                    .send = net_send,
                                    .close = net_close};
    if (mac) {
        memcpy(backend.mac, mac, sizeof(backend.mac));
    }
    engine->net[engine->nets] = net;
    if (!virtio_net_describe(device, &backend)) {
        rvvm_error("a network card: out of memory");
        return -1;
    }
    engine->desc.device_count++;
    return engine->nets++;
}

static virtio_net_t *net_card(engine_t *engine, int net)
{
    bool there = net >= 0 && net < engine->nets && engine->net[net];
    return there ? engine->net[net]->card : NULL;
}

ENGINE_EXPORT void rvkit_net_link(engine_t *engine, int net, int up)
{
    virtio_net_t *card = net_card(engine, net);
    if (card) {
        virtio_net_set_link(card, up != 0);
    }
}

ENGINE_EXPORT bool rvkit_net_feed(engine_t *engine, int net, const void *frame, size_t size)
{
    virtio_net_t *card = net_card(engine, net);
    return !card || virtio_net_feed_rx(card, frame, size);
}

ENGINE_EXPORT void rvkit_net_stats(engine_t *engine, int net, double *out)
{
    virtio_net_t *card = net_card(engine, net);
    virtio_net_stats_t stats = {.rx_frames = 0};
    if (card) {
        virtio_net_stats(card, &stats);
    }
    const uint64_t all[] = {stats.rx_frames, stats.rx_bytes, stats.tx_frames, stats.tx_bytes,
                            stats.rx_dropped + stats.tx_dropped};
    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
        out[i] = (double)all[i];
    }
}
