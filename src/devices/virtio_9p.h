/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The 9P transport: device id 9, one queue, the tag in the configuration space. VirtIO 1.2 reserves
 * the id (§5) and leaves the layout to Linux's include/uapi/linux/virtio_9p.h.
 */
#ifndef RVKIT_DEVICES_VIRTIO_9P_H
#define RVKIT_DEVICES_VIRTIO_9P_H

#include "file_server.h"
#include "virtio.h"

#define VIRTIO_9P_MOUNT_TAG VIRTIO_BIT(0)
#define VIRTIO_9P_TAG_MAX 64

/*
 * Describes a device that serves a folder under a tag (1 to VIRTIO_9P_TAG_MAX bytes). The server
 * goes over to it, also when this fails (false: no memory, no thread, a bad tag).
 */
bool virtio_9p_describe(virtio_desc_t *desc, const char *tag, const file_server_t *server);

#endif
