/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The GPU device: VirtIO 1.2 §5.7. Two dimensions: one to sixteen scanouts, EDID, a cursor for
 * each, and blob resources in guest memory (which Linux draws to directly). No 3D, nothing of the
 * host's GPU.
 *
 * NOT IMPLEMENTED: VIRTIO_GPU_F_VIRGL, _RESOURCE_UUID, _CONTEXT_INIT; blobs in host memory.
 */
#ifndef RVKIT_DEVICES_VIRTIO_GPU_H
#define RVKIT_DEVICES_VIRTIO_GPU_H

#include "display_host.h"
#include "virtio.h"

#define VIRTIO_GPU_SCANOUTS_MAX 16

/* Host memory that a guest's resources may take up unless the device is told otherwise, in bytes.
 */
#define VIRTIO_GPU_MEMORY_DEFAULT (UINT64_C(256) << 20)

typedef struct {
    display_host_t display;
    uint32_t width, height; /* the size that the guest is told at first; 0: 1024 x 768 */
} virtio_gpu_scanout_t;

/*
 * Describes a GPU with 1 to VIRTIO_GPU_SCANOUTS_MAX scanouts; memory 0: VIRTIO_GPU_MEMORY_DEFAULT.
 * The displays go over to the device; false: no memory, and they are freed.
 */
bool virtio_gpu_describe(virtio_desc_t *desc, const virtio_gpu_scanout_t *scanouts, unsigned count,
                         uint64_t memory);

#endif
