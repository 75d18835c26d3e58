/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Networks that the host lends to a card of the guest: each moves Ethernet frames (without CRC), with a
 * thread of its own. Opening one starts nothing; frames move from host_net_attach() on.
 *
 * A network that vanishes (the peer of a socket ends, an interface is taken away) unplugs the guest's
 * cable, and is told once in the log. Where the host has no such network (a browser, an operating system
 * without TAP), opening it fails with a message.
 */
#ifndef RVKIT_HOST_NET_H
#define RVKIT_HOST_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The largest frame that moves either way. */
#define HOST_NET_FRAME_MAX 65597

typedef struct host_net host_net_t;

typedef enum { HOST_NET_SENT, HOST_NET_BUSY, HOST_NET_DROPPED } host_net_sent_t;

/* What a network can do; the same as VIRTIO_NET_ in src/devices/virtio_net.h. */
enum {
    HOST_NET_TX_LARGE = 1,   /* takes TCP frames larger than the MTU, with complete checksums */
    HOST_NET_TX_OFFLOAD = 2, /* takes frames with a header of what is still to be done */
    HOST_NET_RX_OFFLOAD = 4, /* feeds such frames */
    HOST_NET_RX_BURSTS = 8,  /* checksums of what it feeds are right, and bursts end by a flush */
};

/*
 * The card. hdr, here and below, is a struct virtio_net_hdr of 10 bytes (VirtIO 1.2 §5.1.6), or NULL.
 * Called by the network's thread only.
 */
typedef struct {
    void *opaque;
    bool (*feed)(void *opaque, const uint8_t *hdr, const void *frame, size_t size);
    void (*flush)(void *opaque);
    bool (*serve)(void *opaque); /* calls host_net_send(); true: wants to be called again soon */
    bool (*can_receive)(void *opaque);
    void (*set_link)(void *opaque, bool up);
} host_net_guest_t;

/* A port of the host that leads to one of the guest. Addresses are as inet_pton() reads them. */
typedef struct {
    bool tcp, udp;
    bool v6; /* both addresses */
    uint8_t host[16], guest[16];
    bool guest_given; /* else the address that DHCP gave */
    uint16_t host_port, guest_port;
} host_net_forward_t;

/* The user network (libslirp): a NAT at 10.0.2.0/24 and fec0::/64; gateway .2, name server .3, guest .15. */
typedef struct {
    bool loopback; /* the gateway's address leads to the host's own loopback */
    const host_net_forward_t *forward;
    size_t forwards;
} host_net_user_t;

/*
 * Reads RVVM's syntax: [tcp/|udp/][ADDRESS:]PORT[=[ADDRESS:]PORT]; IPv6 addresses with a port are in
 * brackets. Without a protocol both are meant; without an address of the host, all of them.
 */
bool host_net_parse_forward(const char *text, host_net_forward_t *forward);

/* The same syntax back, with all addresses that are known. 120 bytes are enough. */
void host_net_format_forward(const host_net_forward_t *forward, char *text, size_t text_size);

/* False when this build has no libslirp. */
bool host_net_user_available(void);

/* Each gives NULL and a line in error (error_size bytes) when it fails. */
host_net_t *host_net_open_user(const host_net_user_t *desc, char *error, size_t error_size);

/* An existing or new TAP interface of Linux. */
host_net_t *host_net_open_tap(const char *name, char *error, size_t error_size);

/*
 * A stream socket at a path: before each frame its length, 32 bits, the most significant byte first (as
 * QEMU's and passt's sockets have it). With `listen` others connect to it, one at a time.
 */
host_net_t *host_net_open_unix(const char *path, bool listen, char *error, size_t error_size);

/* Puts a recorder in front: all frames go to a pcap file too. Takes net over, also when it fails. */
host_net_t *host_net_record(host_net_t *net, const char *path, char *error, size_t error_size);

/* HOST_NET_ bits; the MTU to tell the guest (0: none). */
unsigned host_net_caps(const host_net_t *net);
uint16_t host_net_mtu(const host_net_t *net);

/* "user", "tap tap0", "unix PATH": for people. */
void host_net_name(const host_net_t *net, char *text, size_t text_size);

/*
 * Forwarded ports at run time. Any thread but the network's own, until the network is closed; they wait for the
 * network's thread. False: error is one line; nothing has changed.
 *   add     as in host_net_user_t
 *   remove  what host_net_parse_forward() made of PROTOCOL/ADDRESS:PORT; the guest's side does not matter
 */
bool host_net_add_forward(host_net_t *net, const host_net_forward_t *forward, char *error,
                          size_t error_size);
bool host_net_remove_forward(host_net_t *net, const host_net_forward_t *forward, char *error,
                             size_t error_size);

/* The index-th forwarded port; false: there are no more. forward NULL: whether the network can have any. */
bool host_net_get_forward(host_net_t *net, size_t index, host_net_forward_t *forward);

/* Starts to move frames. Once. False: no thread could be had. */
bool host_net_attach(host_net_t *net, const host_net_guest_t *guest);

/* From within serve. Does not wait. */
host_net_sent_t host_net_send(host_net_t *net, const uint8_t *hdr, const uint8_t *frame, size_t size);

/* There is something to serve. Any thread. */
void host_net_wake(host_net_t *net);

/* The VIRTIO_NET_F_GUEST_ features that fed frames may use. Any thread. */
void host_net_set_offloads(host_net_t *net, uint64_t features);

/* Ends the thread and frees it. NULL is allowed. */
void host_net_close(host_net_t *net);

#endif
