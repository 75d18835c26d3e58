/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Records what passes between a card and its network into a pcap file: frames as the guest gets them, and
 * as it sends them after the card's offloads.
 */
#include "net_impl.h"

#include "clock.h"

#include <rvvm/compat.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PCAP_MAGIC_NS  0xa1b23c4du
#define PCAP_SNAPLEN   262144u
#define PCAP_ETHERNET  1u
#define NS_PER_SECOND  1000000000u

typedef struct {
    host_net_t net;
    host_net_t *inner;
    host_net_guest_t guest; /* the card */
    FILE *file;             /* NULL after an error */
    char *path;
} net_record_t;

/* The network's thread is the only one here. */
static void record_frame(net_record_t *rec, const void *frame, size_t size)
{
    uint8_t header[16];
    uint64_t now = host_wall_ns();
    util_put_le32(header, (uint32_t)(now / NS_PER_SECOND));
    util_put_le32(header + 4, (uint32_t)(now % NS_PER_SECOND));
    util_put_le32(header + 8, (uint32_t)size);
    util_put_le32(header + 12, (uint32_t)size);
    if (rec->file && (fwrite(header, sizeof(header), 1, rec->file) != 1 ||
                      fwrite(frame, size, 1, rec->file) != 1)) {
        rvvm_warn("%s: %s; frames are recorded no more", rec->path, strerror(errno));
        fclose(rec->file);
        rec->file = NULL;
    }
}

static bool record_feed(void *opaque, const uint8_t *hdr, const void *frame, size_t size)
{
    net_record_t *rec = opaque;
    record_frame(rec, frame, size);
    return rec->guest.feed(rec->guest.opaque, hdr, frame, size);
}

static void record_flush(void *opaque)
{
    net_record_t *rec = opaque;
    rec->guest.flush(rec->guest.opaque);
    if (rec->file) {
        fflush(rec->file);
    }
}

static bool record_serve(void *opaque)
{
    net_record_t *rec = opaque;
    return rec->guest.serve(rec->guest.opaque);
}

static bool record_can_receive(void *opaque)
{
    net_record_t *rec = opaque;
    return rec->guest.can_receive(rec->guest.opaque);
}

static void record_set_link(void *opaque, bool up)
{
    net_record_t *rec = opaque;
    rec->guest.set_link(rec->guest.opaque, up);
}

static bool record_start(host_net_t *net)
{
    net_record_t *rec = (net_record_t *)net;
    rec->guest = net->guest;
    const host_net_guest_t guest = {
        .opaque = rec,
        .feed = record_feed,
        .flush = record_flush,
        .serve = record_serve,
        .can_receive = record_can_receive,
        .set_link = record_set_link,
    };
    return host_net_attach(rec->inner, &guest);
}

static host_net_sent_t record_send(host_net_t *net, const uint8_t *hdr, const uint8_t *frame,
                                   size_t size)
{
    net_record_t *rec = (net_record_t *)net;
    host_net_sent_t sent = host_net_send(rec->inner, hdr, frame, size);
    if (sent == HOST_NET_SENT) {
        record_frame(rec, frame, size);
    }
    return sent;
}

static void record_wake(host_net_t *net)
{
    host_net_wake(((net_record_t *)net)->inner);
}

static void record_set_offloads(host_net_t *net, uint64_t features)
{
    host_net_set_offloads(((net_record_t *)net)->inner, features);
}

static void record_close(host_net_t *net)
{
    net_record_t *rec = (net_record_t *)net;
    host_net_close(rec->inner);
    if (rec->file && fclose(rec->file) != 0) {
        rvvm_warn("%s: %s", rec->path, strerror(errno));
    }
    free(rec->path);
    free(rec);
}

static void record_name(const host_net_t *net, char *text, size_t text_size)
{
    const net_record_t *rec = (const net_record_t *)net;
    char inner[128];
    host_net_name(rec->inner, inner, sizeof(inner));
    snprintf(text, text_size, "%s, recorded to %s", inner, rec->path);
}

static bool record_change_forward(host_net_t *net, const host_net_forward_t *forward, bool add,
                                  char *error, size_t error_size)
{
    host_net_t *inner = ((net_record_t *)net)->inner;
    return add ? host_net_add_forward(inner, forward, error, error_size)
               : host_net_remove_forward(inner, forward, error, error_size);
}

static bool record_get_forward(host_net_t *net, size_t index, host_net_forward_t *forward)
{
    return host_net_get_forward(((net_record_t *)net)->inner, index, forward);
}

static const host_net_type_t record_type = {
    .start = record_start,
    .send = record_send,
    .wake = record_wake,
    .set_offloads = record_set_offloads,
    .close = record_close,
    .name = record_name,
    .change_forward = record_change_forward,
    .get_forward = record_get_forward,
};

host_net_t *host_net_record(host_net_t *net, const char *path, char *error, size_t error_size)
{
    net_record_t *rec = calloc(1, sizeof(*rec));
    FILE *file = rec ? fopen(path, "wb") : NULL;
    uint8_t header[24] = {0};
    util_put_le32(header, PCAP_MAGIC_NS);
    util_put_le16(header + 4, 2);
    util_put_le16(header + 6, 4);
    util_put_le32(header + 16, PCAP_SNAPLEN);
    util_put_le32(header + 20, PCAP_ETHERNET);
    if (!file || fwrite(header, sizeof(header), 1, file) != 1 || !(rec->path = strdup(path))) {
        net_fail(error, error_size, "%s: cannot be written: %s", path, strerror(errno));
        if (file) {
            fclose(file);
        }
        free(rec);
        host_net_close(net);
        return NULL;
    }
    rec->net.type = &record_type;
    rec->net.caps = host_net_caps(net);
    rec->net.mtu = host_net_mtu(net);
    rec->inner = net;
    rec->file = file;
    return &rec->net;
}
