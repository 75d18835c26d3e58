/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A network of guests: a user network (libslirp) and the cards that are plugged into it. Frames are Ethernet's,
 * without CRC. Queues are bounded, and what does not fit is dropped, as a switch does it. A network with one card
 * makes libslirp wait instead, so that a slow page slows its downloads down without losing frames of them.
 */
#ifndef RVKIT_RELAY_LAN_H
#define RVKIT_RELAY_LAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    LAN_FRAME_MIN = 14,
    LAN_FRAME_MAX = 1518,        /* an MTU of 1500 bytes, the header, a VLAN tag */
    LAN_QUEUE_BYTES = 512 * 1024 /* each way, of each card */
};

typedef struct lan lan_t;
typedef struct lan_card lan_card_t;

typedef struct {
    bool shared;   /* any number of cards, which see each other */
    bool loopback; /* 10.0.2.2 is the host's loopback */
    void *opaque;
    void (*wake)(void *opaque); /* some card has frames; from any thread, without waiting */
} lan_desc_t;

/* NULL: error is one line. */
lan_t *lan_open(const lan_desc_t *desc, char *error, size_t error_size);

/* Waits for the network's thread. All cards have left. NULL is allowed. */
void lan_close(lan_t *lan);

/* The calls below come from one thread, or one at a time. */

/* NULL: no memory. */
lan_card_t *lan_join(lan_t *lan);
void lan_leave(lan_card_t *card);

/* From the guest: LAN_FRAME_MIN to LAN_FRAME_MAX bytes, else it is dropped. */
void lan_send(lan_card_t *card, const uint8_t *frame, size_t size);

/* The next frame for the guest; its size, 0: none. */
size_t lan_receive(lan_card_t *card, uint8_t frame[LAN_FRAME_MAX]);
bool lan_has_frames(lan_card_t *card);

#endif
