/* SPDX-License-Identifier: MPL-2.0 */
#include "message.h"

#include "../util.h"

const uint8_t *msg_take(msg_in_t *in, size_t len)
{
    if ((size_t)(in->end - in->at) < len) {
        in->bad = true;
        in->at = in->end;
        return NULL;
    }
    in->at += len;
    return in->at - len;
}

uint8_t msg_get8(msg_in_t *in)
{
    const uint8_t *p = msg_take(in, 1);
    return p ? *p : 0;
}

uint16_t msg_get16(msg_in_t *in)
{
    const uint8_t *p = msg_take(in, 2);
    return p ? util_get_le16(p) : 0;
}

uint32_t msg_get32(msg_in_t *in)
{
    const uint8_t *p = msg_take(in, 4);
    return p ? util_get_le32(p) : 0;
}

uint64_t msg_get64(msg_in_t *in)
{
    const uint8_t *p = msg_take(in, 8);
    return p ? util_get_le64(p) : 0;
}

void msg_put_bytes(msg_out_t *out, const void *data, size_t len)
{
    if (msg_room(out) < len) {
        out->full = true;
        return;
    }
    if (len) {
        memcpy(out->buf + out->at, data, len);
    }
    out->at += len;
}

void msg_put8(msg_out_t *out, uint8_t v)
{
    msg_put_bytes(out, &v, 1);
}

void msg_put16(msg_out_t *out, uint16_t v)
{
    uint8_t b[2];
    util_put_le16(b, v);
    msg_put_bytes(out, b, sizeof(b));
}

void msg_put32(msg_out_t *out, uint32_t v)
{
    uint8_t b[4];
    util_put_le32(b, v);
    msg_put_bytes(out, b, sizeof(b));
}

void msg_put64(msg_out_t *out, uint64_t v)
{
    uint8_t b[8];
    util_put_le64(b, v);
    msg_put_bytes(out, b, sizeof(b));
}
