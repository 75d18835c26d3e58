/* SPDX-License-Identifier: MPL-2.0 */
/* The entropy device: VirtIO 1.2 §5.4. */
#ifndef RVKIT_DEVICES_VIRTIO_RNG_H
#define RVKIT_DEVICES_VIRTIO_RNG_H

#include "virtio.h"

/* Where the entropy comes from. */
typedef struct {
    /*
     * Fills buf with up to len random bytes and returns how many; fewer ends a request short, 0 is a
     * failure (the request then waits for virtio_rng_source_t's next turn, about 16 ms later). Does not
     * block. One call at a time, on any thread.
     */
    size_t (*fill)(void *opaque, void *buf, size_t len);
    void (*free)(void *opaque); /* NULL: nothing to free */
    void *opaque;
} virtio_rng_source_t;

/* Describes an entropy device; the source goes over to it, also when this fails (false: no memory). */
bool virtio_rng_describe(virtio_desc_t *desc, const virtio_rng_source_t *source);

#endif
