/* SPDX-License-Identifier: MPL-2.0 */
/* Contents of files: pieces of up to SMEM_CHUNK bytes, and holes. */
#include "share_memory_internal.h"

#include "../util.h"

/* The first piece that is at this index or after it. */
static uint32_t data_find(const smem_data_t *data, uint64_t index)
{
    uint32_t low = 0, high = data->count;
    if (high && data->chunk[high - 1].index < index) {
        return high;
    }
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (data->chunk[middle].index < index) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

size_t smem_data_read(const smem_data_t *data, uint64_t at, void *buf, size_t len)
{
    if (at >= data->size) {
        return 0;
    }
    len = (size_t)util_min_u64(len, data->size - at);
    for (size_t done = 0, n; done < len; done += n) {
        uint64_t index = (at + done) / SMEM_CHUNK;
        uint32_t from = (uint32_t)((at + done) % SMEM_CHUNK), i = data_find(data, index);
        size_t have = 0;
        n = (size_t)util_min_u64(len - done, SMEM_CHUNK - from);
        if (i < data->count && data->chunk[i].index == index && data->chunk[i].size > from) {
            have = (size_t)util_min_u64(n, data->chunk[i].size - from);
            memcpy((uint8_t *)buf + done, data->chunk[i].bytes + from, have);
        }
        memset((uint8_t *)buf + done + have, 0, n - have);
    }
    return len;
}

/* Makes a piece larger, to `size` bytes when that can be. */
static void chunk_grow(share_memory_t *m, smem_data_t *data, smem_chunk_t *chunk, uint32_t size)
{
    uint32_t doubled = chunk->index ? SMEM_CHUNK_MIN : SMEM_FIRST_MIN;
    while (doubled < size) {
        doubled *= 2;
    }
    uint8_t *bytes = smem_resize(m, chunk->bytes, chunk->size, doubled);
    if (!bytes) {
        uint64_t room = m->limit - m->used;
        doubled = chunk->size + (uint32_t)util_min_u64(room, size - chunk->size);
        bytes = doubled > chunk->size ? smem_resize(m, chunk->bytes, chunk->size, doubled) : NULL;
    }
    if (bytes) {
        memset(bytes + chunk->size, 0, doubled - chunk->size);
        data->held += doubled - chunk->size;
        chunk->bytes = bytes;
        chunk->size = doubled;
    }
}

static bool data_make_room(share_memory_t *m, smem_data_t *data)
{
    if (data->count < data->cap) {
        return true;
    }
    uint32_t cap = data->cap ? data->cap * 2 : 1;
    smem_chunk_t *chunk =
        smem_resize(m, data->chunk, data->cap * sizeof(*chunk), cap * sizeof(*chunk));
    if (!chunk) {
        return false;
    }
    data->chunk = chunk;
    data->cap = cap;
    return true;
}

/* The piece at an index, with `size` bytes or as many as there is room for; NULL: none. */
static smem_chunk_t *data_get(share_memory_t *m, smem_data_t *data, uint64_t index, uint32_t size)
{
    uint32_t i = data_find(data, index);
    if (i == data->count || data->chunk[i].index != index) {
        smem_chunk_t made = {.index = index};
        if (!data_make_room(m, data)) {
            return NULL;
        }
        chunk_grow(m, data, &made, size);
        if (!made.size) {
            return NULL;
        }
        memmove(&data->chunk[i + 1], &data->chunk[i], (data->count - i) * sizeof(made));
        data->chunk[i] = made;
        data->count++;
    } else if (data->chunk[i].size < size) {
        chunk_grow(m, data, &data->chunk[i], size);
    }
    return &data->chunk[i];
}

/* An array without pieces goes. */
static void data_trim(share_memory_t *m, smem_data_t *data)
{
    if (!data->count && data->cap) {
        smem_resize(m, data->chunk, data->cap * sizeof(*data->chunk), 0);
        data->chunk = NULL;
        data->cap = 0;
    }
}

size_t smem_data_write(share_memory_t *m, smem_data_t *data, uint64_t at, const void *buf,
                       size_t len)
{
    size_t done = 0, n, put;
    for (; done < len; done += put) {
        uint32_t from = (uint32_t)((at + done) % SMEM_CHUNK);
        n = (size_t)util_min_u64(len - done, SMEM_CHUNK - from);
        smem_chunk_t *chunk = data_get(m, data, (at + done) / SMEM_CHUNK, from + (uint32_t)n);
        put = chunk && chunk->size > from ? (size_t)util_min_u64(n, chunk->size - from) : 0;
        if (!put) {
            break;
        }
        memcpy(chunk->bytes + from, (const uint8_t *)buf + done, put);
    }
    data_trim(m, data);
    data->size = done ? util_max_u64(data->size, at + done) : data->size;
    return done;
}

/* Clears bytes lo to before hi of a piece: what is at its end is freed. */
static void chunk_cut(share_memory_t *m, smem_data_t *data, smem_chunk_t *chunk, uint32_t lo,
                      uint32_t hi)
{
    if (hi < chunk->size) {
        memset(chunk->bytes + lo, 0, hi - lo);
        return;
    }
    data->held -= chunk->size - lo;
    chunk->bytes = smem_resize(m, chunk->bytes, chunk->size, lo);
    chunk->size = lo;
}

void smem_data_zero(smem_data_t *data, uint64_t from, uint64_t to)
{
    for (uint32_t i = data_find(data, from / SMEM_CHUNK); i < data->count; i++) {
        const smem_chunk_t *chunk = &data->chunk[i];
        uint64_t start = chunk->index * SMEM_CHUNK, end = util_min_u64(start + chunk->size, to);
        start = util_max_u64(start, from);
        if (start < end) {
            memset(chunk->bytes + start % SMEM_CHUNK, 0, (size_t)(end - start));
        }
    }
}

void smem_data_cut(share_memory_t *m, smem_data_t *data, uint64_t from, uint64_t to)
{
    uint32_t kept = data_find(data, from / SMEM_CHUNK);
    for (uint32_t i = kept; i < data->count; i++) {
        smem_chunk_t *chunk = &data->chunk[i];
        uint64_t start = chunk->index * SMEM_CHUNK;
        if (start < to) {
            uint32_t lo = from > start ? (uint32_t)util_min_u64(from - start, chunk->size) : 0;
            uint32_t hi = (uint32_t)util_min_u64(to - start, chunk->size);
            if (lo < hi) {
                chunk_cut(m, data, chunk, lo, hi);
            }
        }
        if (chunk->size) {
            data->chunk[kept++] = *chunk;
        }
    }
    data->count = kept;
    data_trim(m, data);
}

void smem_data_resize(share_memory_t *m, smem_data_t *data, uint64_t size)
{
    if (size < data->size) {
        smem_data_cut(m, data, size, UINT64_MAX);
    }
    data->size = size;
}

int smem_data_reserve(share_memory_t *m, smem_data_t *data, uint64_t at, uint64_t len)
{
    if (len > m->limit - m->used && len - (m->limit - m->used) > data->held) {
        return -FS_ENOSPC;
    }
    for (uint64_t done = 0, n; done < len; done += n) {
        uint32_t from = (uint32_t)((at + done) % SMEM_CHUNK);
        n = util_min_u64(len - done, SMEM_CHUNK - from);
        smem_chunk_t *chunk = data_get(m, data, (at + done) / SMEM_CHUNK, from + (uint32_t)n);
        if (!chunk || chunk->size < from + n) {
            data_trim(m, data);
            return -FS_ENOSPC;
        }
    }
    return 0;
}

int64_t smem_data_seek(const smem_data_t *data, uint64_t at, uint32_t whence)
{
    uint32_t i = data_find(data, at / SMEM_CHUNK);
    if (at >= data->size) {
        return -FS_ENXIO;
    }
    for (; i < data->count; i++) {
        uint64_t start = data->chunk[i].index * SMEM_CHUNK, end = start + data->chunk[i].size;
        if (whence == FS_SEEK_DATA && at < end) {
            at = util_max_u64(at, start);
            return at < data->size ? (int64_t)at : -FS_ENXIO;
        }
        if (whence == FS_SEEK_HOLE && at < start) {
            break;
        }
        at = whence == FS_SEEK_HOLE && at < end ? end : at;
    }
    return whence == FS_SEEK_DATA ? -FS_ENXIO : (int64_t)util_min_u64(at, data->size);
}
