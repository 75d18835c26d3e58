/* SPDX-License-Identifier: MPL-2.0 */
/* A ring of bytes, first in, first out. Not locked: its owner does that. */
#ifndef RVKIT_RING_H
#define RVKIT_RING_H

#include "util.h"

/* All zeros is an empty ring without room: ring_reserve() makes some. */
typedef struct ring {
    uint8_t *data;
    size_t capacity, head, size; /* size bytes from head on */
} ring_t;

void ring_free(ring_t *ring);

/* Room for `more` bytes beyond those inside; false, and nothing changed, without memory. */
bool ring_reserve(ring_t *ring, size_t more);

/* Takes what fits, or gives what is there; return how many. data NULL: they are dropped. */
size_t ring_put(ring_t *ring, const void *data, size_t size);
size_t ring_get(ring_t *ring, void *data, size_t size);

/* The oldest bytes that lie in one piece; their number. Valid until the next call. */
size_t ring_peek(const ring_t *ring, const uint8_t **data);

/* The free place behind the newest bytes, in one piece; ring_filled() says how much of it was used.
 */
size_t ring_space(ring_t *ring, uint8_t **data);
static inline void ring_filled(ring_t *ring, size_t size)
{
    ring->size += size;
}

#endif
