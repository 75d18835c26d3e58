/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Messages of the file protocols (9P, FUSE): little-endian fields one after the other, read and written at
 * a cursor. A read behind the end gives zeros and sets bad, and what does not fit into a reply sets full,
 * so callers look once, at the end.
 */
#ifndef RVKIT_DEVICES_MESSAGE_H
#define RVKIT_DEVICES_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A message being read. */
typedef struct {
    const uint8_t *at, *end;
    bool bad;
} msg_in_t;

/* The next len bytes, in place; NULL (and bad) when there are not as many. */
const uint8_t *msg_take(msg_in_t *in, size_t len);
uint8_t msg_get8(msg_in_t *in);
uint16_t msg_get16(msg_in_t *in);
uint32_t msg_get32(msg_in_t *in);
uint64_t msg_get64(msg_in_t *in);

/* A reply being written; at starts behind its header. */
typedef struct {
    uint8_t *buf;
    size_t at, cap;
    bool full;
} msg_out_t;

void msg_put8(msg_out_t *out, uint8_t v);
void msg_put16(msg_out_t *out, uint16_t v);
void msg_put32(msg_out_t *out, uint32_t v);
void msg_put64(msg_out_t *out, uint64_t v);
void msg_put_bytes(msg_out_t *out, const void *data, size_t len);

/* How many more bytes fit. */
static inline size_t msg_room(const msg_out_t *out)
{
    return out->cap - out->at;
}

#endif
