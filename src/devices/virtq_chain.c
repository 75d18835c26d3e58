/* SPDX-License-Identifier: MPL-2.0 */
/* What is done with a chain's contents: cursors over its two parts, copies, brackets. */
#include "virtq_ring.h"

unsigned virtq_index(const virtq_t *vq)
{
    return vq->index;
}

virtq_t *virtq_of(const virtq_chain_t *chain)
{
    return chain->vq;
}

void virtq_set_user(virtq_chain_t *chain, void *user)
{
    chain->user = user;
}

void *virtq_user(const virtq_chain_t *chain)
{
    return chain->user;
}

/* The queue's lock is held. */
static bool chain_live(const virtq_chain_t *chain)
{
    return chain->linked && virtq_running(chain->vq);
}

bool virtq_live(const virtq_chain_t *chain)
{
    spin_lock(&chain->vq->lock);
    bool live = chain_live(chain);
    spin_unlock(&chain->vq->lock);
    return live;
}

/* The first bracket takes the drain lock, the last one gives it back; virtq_stop() waits for it. */
bool virtq_begin(virtq_chain_t *chain)
{
    virtq_t *vq = chain->vq;
    spin_lock(&vq->lock);
    bool live = chain_live(chain) && (vq->pins || spin_try_lock(&vq->drain));
    vq->pins += live;
    spin_unlock(&vq->lock);
    return live;
}

void virtq_end(virtq_chain_t *chain)
{
    virtq_t *vq = chain->vq;
    spin_lock(&vq->lock);
    if (--vq->pins == 0) {
        spin_unlock(&vq->drain);
    }
    spin_unlock(&vq->lock);
}

uint64_t virtq_readable_left(const virtq_chain_t *chain)
{
    return chain->read_size - chain->rd.at;
}

uint64_t virtq_writable_left(const virtq_chain_t *chain)
{
    return chain->write_size - chain->wr.at;
}

uint64_t virtq_written(const virtq_chain_t *chain)
{
    return chain->wr.at;
}

/* The part of a chain that a cursor runs over. */
typedef struct {
    const virtq_seg_t *seg;
    unsigned count;
    uint64_t size;
} part_t;

static part_t readable_part(const virtq_chain_t *chain)
{
    return (part_t){chain->seg, chain->reads, chain->read_size};
}

static part_t writable_part(const virtq_chain_t *chain)
{
    return (part_t){chain->writes ? chain->seg + chain->reads : NULL, chain->writes, chain->write_size};
}

static uint64_t cursor_skip(virtq_cursor_t *cursor, part_t part, uint64_t len)
{
    uint64_t start = cursor->at;
    while (len && cursor->seg < part.count) {
        uint32_t left = part.seg[cursor->seg].len - cursor->inner;
        if (len < left) {
            cursor->inner += (uint32_t)len;
            cursor->at += len;
            break;
        }
        cursor->at += left;
        cursor->seg++;
        cursor->inner = 0;
        len -= left;
    }
    return cursor->at - start;
}

/* The piece at the cursor, at most max bytes; moves past it. Its address in *addr; 0 at the end. */
static size_t cursor_piece(virtq_cursor_t *cursor, part_t part, size_t max, uint64_t *addr)
{
    if (cursor->seg >= part.count) {
        return 0;
    }
    const virtq_seg_t *seg = &part.seg[cursor->seg];
    *addr = seg->addr + cursor->inner;
    uint32_t left = seg->len - cursor->inner;
    return (size_t)cursor_skip(cursor, part, max < left ? max : left);
}

uint64_t virtq_skip_readable(virtq_chain_t *chain, uint64_t len)
{
    return cursor_skip(&chain->rd, readable_part(chain), len);
}

uint64_t virtq_skip_writable(virtq_chain_t *chain, uint64_t len)
{
    return cursor_skip(&chain->wr, writable_part(chain), len);
}

void virtq_seek_readable(virtq_chain_t *chain, uint64_t at)
{
    chain->rd = (virtq_cursor_t){0, 0, 0};
    virtq_skip_readable(chain, at);
}

void virtq_seek_writable(virtq_chain_t *chain, uint64_t at)
{
    chain->wr = (virtq_cursor_t){0, 0, 0};
    virtq_skip_writable(chain, at);
}

bool virtq_next_readable(virtq_chain_t *chain, size_t max, virtq_span_t *span)
{
    uint64_t addr = 0;
    const virtq_ram_t *ram = &chain->vq->ram;
    span->len = cursor_piece(&chain->rd, readable_part(chain), max, &addr);
    span->ptr = span->len ? ram->host + (size_t)(addr - ram->base) : NULL;
    return span->ptr != NULL;
}

bool virtq_next_writable(virtq_chain_t *chain, size_t max, virtq_span_t *span)
{
    uint64_t addr = 0;
    span->len = cursor_piece(&chain->wr, writable_part(chain), max, &addr);
    span->ptr = span->len ? virtq_ram_write(&chain->vq->ram, addr, span->len) : NULL;
    chain->lent = true;
    return span->ptr != NULL;
}

static unsigned spans_left(const virtq_cursor_t *cursor, part_t part)
{
    return cursor->seg < part.count ? part.count - cursor->seg : 0;
}

unsigned virtq_readable_spans(const virtq_chain_t *chain)
{
    return spans_left(&chain->rd, readable_part(chain));
}

unsigned virtq_writable_spans(const virtq_chain_t *chain)
{
    return spans_left(&chain->wr, writable_part(chain));
}

size_t virtq_read(virtq_chain_t *chain, void *dst, size_t len)
{
    uint8_t *out = dst;
    size_t done = 0;
    virtq_span_t span;
    if (!virtq_begin(chain)) {
        return 0;
    }
    while (done < len && virtq_next_readable(chain, len - done, &span)) {
        memcpy(out + done, span.ptr, span.len);
        done += span.len;
    }
    virtq_end(chain);
    return done;
}

/* As virtq_write(), from src, or `value` len times when src is NULL. */
static size_t chain_store(virtq_chain_t *chain, const uint8_t *src, uint8_t value, size_t len)
{
    size_t done = 0;
    virtq_span_t span;
    bool lent = chain->lent;
    if (!virtq_begin(chain)) {
        return 0;
    }
    while (done < len && virtq_next_writable(chain, len - done, &span)) {
        if (src) {
            memcpy(span.ptr, src + done, span.len);
        } else {
            memset(span.ptr, value, span.len);
        }
        done += span.len;
    }
    chain->lent = lent;
    virtq_end(chain);
    return done;
}

size_t virtq_write(virtq_chain_t *chain, const void *src, size_t len)
{
    return src ? chain_store(chain, src, 0, len) : 0;
}

size_t virtq_fill(virtq_chain_t *chain, uint8_t value, size_t len)
{
    return chain_store(chain, NULL, value, len);
}

bool virtq_read_all(virtq_chain_t *chain, void *dst, size_t len)
{
    return virtq_readable_left(chain) >= len && virtq_read(chain, dst, len) == len;
}

bool virtq_write_all(virtq_chain_t *chain, const void *src, size_t len)
{
    return virtq_writable_left(chain) >= len && (!len || virtq_write(chain, src, len) == len);
}
