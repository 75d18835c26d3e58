/* SPDX-License-Identifier: MPL-2.0 */
/* The file system device: VirtIO 1.2 §5.11, with one request queue and without DAX. */
#ifndef RVKIT_DEVICES_VIRTIO_FS_H
#define RVKIT_DEVICES_VIRTIO_FS_H

#include "file_server.h"
#include "virtio.h"

#define VIRTIO_FS_TAG_MAX 36

/*
 * Describes a device that serves a folder under a tag (1 to VIRTIO_FS_TAG_MAX bytes). The server
 * goes over to it, also when this fails (false: no memory, no thread, a bad tag).
 */
bool virtio_fs_describe(virtio_desc_t *desc, const char *tag, const file_server_t *server);

#endif
