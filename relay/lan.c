/* SPDX-License-Identifier: MPL-2.0 */
#include "lan.h"

#include "../src/host/net.h"
#include "../src/host/thread.h"
#include "../src/ring.h"

#include <stdio.h>
#include <stdlib.h>

enum { SERVE_FRAMES = 64 }; /* at a time, before libslirp looks at its sockets again */

/* Frames, each after its size. */
typedef struct {
    ring_t ring;
} frames_t;

struct lan_card {
    lan_card_t *next;
    lan_t *lan;
    frames_t frames; /* for the guest */
    uint8_t mac[6];  /* that it sent from last */
};

struct lan {
    lan_desc_t desc;
    host_net_t *net;
    host_mutex_t *lock; /* for all below */
    frames_t frames;    /* for libslirp */
    lan_card_t *cards;
    bool stalled; /* libslirp waits for room */
    bool fed;     /* the network's thread only: it has put frames somewhere since its last flush */
};

static bool frames_put(frames_t *q, const uint8_t *frame, size_t size)
{
    uint16_t head = (uint16_t)size;
    if (q->ring.size + sizeof(head) + size > LAN_QUEUE_BYTES || !ring_reserve(&q->ring, sizeof(head) + size)) {
        return false;
    }
    ring_put(&q->ring, &head, sizeof(head));
    ring_put(&q->ring, frame, size);
    return true;
}

static size_t frames_get(frames_t *q, uint8_t frame[LAN_FRAME_MAX])
{
    uint16_t head;
    return ring_get(&q->ring, &head, sizeof(head)) ? ring_get(&q->ring, frame, head) : 0;
}

/* The lock is held. To the card that has this address, or to all but `from`; true: one has it. */
static bool lan_deliver(lan_t *lan, const lan_card_t *from, const uint8_t *frame, size_t size)
{
    for (lan_card_t *card = lan->cards; card; card = card->next) {
        if (card != from && !(frame[0] & 1) && !memcmp(card->mac, frame, 6)) {
            frames_put(&card->frames, frame, size);
            return true;
        }
    }
    for (lan_card_t *card = lan->cards; card; card = card->next) {
        if (card != from) {
            frames_put(&card->frames, frame, size);
        }
    }
    return false;
}

/* --- libslirp's side: its thread --- */

static bool lan_feed(void *opaque, const uint8_t *hdr, const void *frame, size_t size)
{
    lan_t *lan = opaque;
    (void)hdr;
    if (size < LAN_FRAME_MIN || size > LAN_FRAME_MAX) {
        return false;
    }
    host_mutex_lock(lan->lock);
    lan_deliver(lan, NULL, frame, size);
    host_mutex_unlock(lan->lock);
    lan->fed = true;
    return true;
}

static void lan_flush(void *opaque)
{
    lan_t *lan = opaque;
    if (lan->fed) {
        lan->fed = false;
        lan->desc.wake(lan->desc.opaque);
    }
}

/* The lock is not held while libslirp has the frame: it may answer at once. */
static bool lan_serve(void *opaque)
{
    lan_t *lan = opaque;
    uint8_t frame[LAN_FRAME_MAX];
    for (unsigned i = 0; i < SERVE_FRAMES; i++) {
        host_mutex_lock(lan->lock);
        size_t size = frames_get(&lan->frames, frame);
        host_mutex_unlock(lan->lock);
        if (!size) {
            return false;
        }
        host_net_send(lan->net, NULL, frame, size);
    }
    return true;
}

/* Half of the queue is for what libslirp sends without looking. */
static bool lan_can_receive(void *opaque)
{
    lan_t *lan = opaque;
    host_mutex_lock(lan->lock);
    lan->stalled = !lan->desc.shared && lan->cards && lan->cards->frames.ring.size > LAN_QUEUE_BYTES / 2;
    bool room = !lan->stalled;
    host_mutex_unlock(lan->lock);
    return room;
}

static void lan_set_link(void *opaque, bool up)
{
    (void)opaque;
    (void)up;
}

/* --- Open and close --- */

lan_t *lan_open(const lan_desc_t *desc, char *error, size_t error_size)
{
    const host_net_user_t user = {.loopback = desc->loopback};
    lan_t *lan = calloc(1, sizeof(*lan));
    host_mutex_t *lock = host_mutex_create();
    if (!lan || !lock) {
        free(lan);
        host_mutex_free(lock);
        snprintf(error, error_size, "out of memory");
        return NULL;
    }
    *lan = (lan_t){.desc = *desc, .lock = lock};
    const host_net_guest_t guest = {
        .opaque = lan,
        .feed = lan_feed,
        .flush = lan_flush,
        .serve = lan_serve,
        .can_receive = lan_can_receive,
        .set_link = lan_set_link,
    };
    lan->net = host_net_open_user(&user, error, error_size);
    if (lan->net && !host_net_attach(lan->net, &guest)) {
        snprintf(error, error_size, "the network gets no thread");
        host_net_close(lan->net);
        lan->net = NULL;
    }
    if (!lan->net) {
        lan_close(lan);
        return NULL;
    }
    return lan;
}

void lan_close(lan_t *lan)
{
    if (lan) {
        host_net_close(lan->net);
        host_mutex_free(lan->lock);
        ring_free(&lan->frames.ring);
        free(lan);
    }
}

lan_card_t *lan_join(lan_t *lan)
{
    lan_card_t *card = calloc(1, sizeof(*card));
    if (card) {
        card->lan = lan;
        host_mutex_lock(lan->lock);
        card->next = lan->cards;
        lan->cards = card;
        host_mutex_unlock(lan->lock);
    }
    return card;
}

void lan_leave(lan_card_t *card)
{
    lan_t *lan = card->lan;
    host_mutex_lock(lan->lock);
    lan_card_t **at = &lan->cards;
    while (*at != card) {
        at = &(*at)->next;
    }
    *at = card->next;
    host_mutex_unlock(lan->lock);
    ring_free(&card->frames.ring);
    free(card);
}

/* --- A guest's side --- */

void lan_send(lan_card_t *card, const uint8_t *frame, size_t size)
{
    lan_t *lan = card->lan;
    if (size < LAN_FRAME_MIN || size > LAN_FRAME_MAX) {
        return;
    }
    host_mutex_lock(lan->lock);
    if (!(frame[6] & 1)) {
        memcpy(card->mac, frame + 6, 6);
    }
    bool others = card->next || lan->cards != card;
    bool to_other = others && lan_deliver(lan, card, frame, size);
    if (!to_other) {
        frames_put(&lan->frames, frame, size);
    }
    host_mutex_unlock(lan->lock);
    if (others) {
        lan->desc.wake(lan->desc.opaque);
    }
    if (!to_other) {
        host_net_wake(lan->net);
    }
}

size_t lan_receive(lan_card_t *card, uint8_t frame[LAN_FRAME_MAX])
{
    lan_t *lan = card->lan;
    host_mutex_lock(lan->lock);
    size_t size = frames_get(&card->frames, frame);
    bool wake = lan->stalled && card->frames.ring.size <= LAN_QUEUE_BYTES / 4;
    lan->stalled &= !wake;
    host_mutex_unlock(lan->lock);
    if (wake) {
        host_net_wake(lan->net);
    }
    return size;
}

bool lan_has_frames(lan_card_t *card)
{
    host_mutex_lock(card->lan->lock);
    bool some = card->frames.ring.size != 0;
    host_mutex_unlock(card->lan->lock);
    return some;
}
