/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Streams between the guest and the host: what stands behind a vsock device (virtio_vsock.h). A
 * stream has the host's half, a void * that the back end makes, and the guest's half, an id that
 * the device gives.
 */
#ifndef RVKIT_DEVICES_VSOCK_HOST_H
#define RVKIT_DEVICES_VSOCK_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What can happen to a stream on the host's side. */
enum {
    VSOCK_READABLE = 1, /* read() has bytes, or the end */
    VSOCK_WRITABLE = 2, /* write() takes bytes, or fails */
    VSOCK_HUNG_UP = 4,  /* the host has closed both directions; bytes may be left to read */
};

/* The device, as the back end calls it: from its own thread, without its locks. */
typedef struct {
    void *opaque;
    /*
     * A program of the host connects to a port of the guest. Returns the stream's id, or 0 when the
     * guest takes none now (the back end then closes it). Calls for the stream can come before this
     * returns.
     */
    uint64_t (*offer)(void *opaque, void *stream, uint32_t guest_port);
    /* Something that was asked for by want(), or VSOCK_HUNG_UP (once). Ids of closed streams are
     * ignored. */
    void (*event)(void *opaque, uint64_t id, unsigned events);
} vsock_guest_t;

/*
 * The back end, as the device calls it: from any thread, with the device's lock held. So these do
 * not block, and do not call the device.
 */
typedef struct {
    void *opaque;
    /* The first call; from here on the back end may call the guest. */
    void (*attach)(void *opaque, const vsock_guest_t *guest);
    /* The guest connects to a port of the host: its stream, or NULL when nobody listens. */
    void *(*connect)(void *opaque, uint32_t host_port, uint64_t id);
    /* The guest has accepted an offer; host_port is the port that it sees. */
    void (*accepted)(void *stream, uint32_t host_port);
    /* Bytes moved; 0: none now; -1: at the end (read), or nobody reads any more (write). */
    ptrdiff_t (*read)(void *stream, void *buf, size_t len);
    ptrdiff_t (*write)(void *stream, const void *buf, size_t len);
    /* Asks for one event of each of these kinds. */
    void (*want)(void *stream, unsigned events);
    /* No more reads, or no more writes, will come. */
    void (*shutdown)(void *stream, bool reads, bool writes);
    /* The last call for a stream. */
    void (*close)(void *stream);
    /* Ends the back end with what streams it still has; without the device's lock. */
    void (*free)(void *opaque);
} vsock_host_t;

#endif
