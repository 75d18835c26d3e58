/* SPDX-License-Identifier: MPL-2.0 */
#include "ring.h"

#include <stdlib.h>

#define RING_FIRST ((size_t)4 << 10)

void ring_free(ring_t *ring)
{
    free(ring->data);
    *ring = (ring_t){.data = NULL};
}

bool ring_reserve(ring_t *ring, size_t more)
{
    if (ring->capacity - ring->size >= more) {
        return true;
    }
    size_t capacity = ring->capacity ? ring->capacity : RING_FIRST;
    while (capacity - ring->size < more) {
        if (capacity > SIZE_MAX / 2) {
            return false;
        }
        capacity *= 2;
    }
    ring_t bigger = {.data = malloc(capacity), .capacity = capacity};
    if (!bigger.data) {
        return false;
    }
    bigger.size = ring_get(ring, bigger.data, ring->size);
    free(ring->data);
    *ring = bigger;
    return true;
}

size_t ring_peek(const ring_t *ring, const uint8_t **data)
{
    *data = ring->data + ring->head;
    return (size_t)util_min_u64(ring->size, ring->capacity - ring->head);
}

size_t ring_space(ring_t *ring, uint8_t **data)
{
    if (ring->size == ring->capacity) {
        return 0;
    }
    size_t tail = (ring->head + ring->size) % ring->capacity;
    *data = ring->data + tail;
    return tail >= ring->head ? ring->capacity - tail : ring->head - tail;
}

size_t ring_get(ring_t *ring, void *data, size_t size)
{
    size_t done = 0;
    while (done < size && ring->size) {
        const uint8_t *piece;
        size_t n = (size_t)util_min_u64(ring_peek(ring, &piece), size - done);
        if (data) {
            memcpy((uint8_t *)data + done, piece, n);
        }
        ring->size -= n;
        ring->head = ring->size ? (ring->head + n) % ring->capacity : 0;
        done += n;
    }
    return done;
}

size_t ring_put(ring_t *ring, const void *data, size_t size)
{
    size_t done = 0, room;
    uint8_t *at;
    while (done < size && (room = ring_space(ring, &at)) != 0) {
        size_t n = (size_t)util_min_u64(room, size - done);
        memcpy(at, (const uint8_t *)data + done, n);
        ring_filled(ring, n);
        done += n;
    }
    return done;
}
