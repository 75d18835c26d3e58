/* SPDX-License-Identifier: MPL-2.0 */
/* The input device: VirtIO 1.2 §5.8. A keyboard, a mouse, a tablet or a touch screen (protocol B).
 */
#ifndef RVKIT_DEVICES_VIRTIO_INPUT_H
#define RVKIT_DEVICES_VIRTIO_INPUT_H

#include "input_host.h"
#include "virtio.h"

/*
 * Describes a device of one kind: INPUT_KEYBOARD, INPUT_MOUSE, INPUT_TABLET or INPUT_TOUCH. The
 * host goes over to it; false: no memory, or no such kind, and it is freed.
 */
bool virtio_input_describe(virtio_desc_t *desc, unsigned kind, const input_host_t *host);

#endif
