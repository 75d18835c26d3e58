/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The socket device: VirtIO 1.2 §5.10. Streams between the guest and the host (CID 2), with credit
 * both ways. Connections and what waits in them are bounded.
 */
#ifndef RVKIT_DEVICES_VIRTIO_VSOCK_H
#define RVKIT_DEVICES_VIRTIO_VSOCK_H

#include "virtio.h"
#include "vsock_host.h"

#define VIRTIO_VSOCK_HOST_CID 2
#define VIRTIO_VSOCK_CONNECTIONS_MAX 256

/* The most bytes of one connection that wait for the host. */
#define VIRTIO_VSOCK_BUFFER 65536

/*
 * Describes a socket device for the guest with this CID (3 to 0xFFFFFFFE). The back end goes over
 * to it, also when this fails (false: no memory).
 */
bool virtio_vsock_describe(virtio_desc_t *desc, const vsock_host_t *host, uint32_t cid);

#endif
