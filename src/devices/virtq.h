/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A virtqueue as a device sees it: chains of guest buffers come out, and go back with a count of bytes.
 * VirtIO 1.2 §2.6 to §2.8. Split and packed rings, indirect descriptors, event suppression, in-order use
 * and byte order are dealt with behind this header, and so is whatever a guest writes into its rings: a
 * device never sees an address, and never more than VIRTQ_CHAIN_MAX buffers in a chain.
 *
 *   static void null_notify(void *data, unsigned index)          (sink for all output)
 *   {
 *       virtq_t *vq = virtio_queue(((null_t *)data)->dev, index);
 *       virtq_chain_t *chain;
 *       while ((chain = virtq_pop(vq))) {
 *           virtq_push(chain, 0);
 *       }
 *       virtq_notify(vq);
 *   }
 *
 * Life of a chain. virtq_pop() hands it to the device, which keeps it as long as it likes, and gives it
 * back once: with virtq_push() (used), or virtq_unpop() (as if never popped). Chains may be pushed in any
 * order, from any thread. They belong to the queue: never free one.
 *
 * Threads. Every call on a virtq_t may be made from any thread, at the same time. A chain belongs to one
 * thread at a time. All calls take only locks of their own, which are never held while a device runs: a
 * device may hold its locks around them. No call blocks.
 *
 * Reset while chains are out (the guest resets the device or the queue, or unplugs it, at any moment).
 * The queue forgets the chains, and from then on they are stale: virtq_read() and virtq_write() move
 * nothing, virtq_begin() fails, and virtq_push() only takes the chain back. So a device completes late
 * requests just as it would others; their outcome is discarded. A device that hands out pointers into
 * guest RAM (virtq_next_readable(), virtq_next_writable()) brackets their use by virtq_begin() and
 * virtq_end(): a reset waits until the last bracket is closed, and afterwards nothing touches the
 * buffers any more. Inside a bracket: do the copy or the one host call, and wait for nothing else.
 *
 * A malformed ring (a loop, an index that jumps, a bad address …) sets DEVICE_NEEDS_RESET: every queue of
 * that device then is empty, and chains that are out become stale as by a reset.
 */
#ifndef RVKIT_DEVICES_VIRTQ_H
#define RVKIT_DEVICES_VIRTQ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The largest queue a device may have, and the most buffers in one chain. */
#define VIRTQ_SIZE_MAX 1024
#define VIRTQ_CHAIN_MAX 1024

typedef struct virtq virtq_t;
typedef struct virtq_chain virtq_chain_t;

/* A piece of guest RAM, as host memory. Harts see it at the same time. */
typedef struct {
    void *ptr;
    size_t len; /* bytes, not 0 */
} virtq_span_t;

/*
 * The next chain that the driver made available, or NULL when there is none (or the device is not live).
 * Notifications may be switched off while chains keep coming (§2.7.10); after a NULL, and only then, the
 * driver's next buffer is sure to bring a call of the device's notify.
 */
virtq_chain_t *virtq_pop(virtq_t *vq);

/* True when virtq_pop() would give a chain (or find the ring malformed). A moment's truth. */
bool virtq_available(virtq_t *vq);

/*
 * Marks a chain as used, with `written` bytes at the start of its writable part filled (§2.7.8.2: a count
 * of bytes that are sure to be written; clamped to the part's length). The driver is not interrupted: call
 * virtq_notify() after one or several pushes. With VIRTIO_F_IN_ORDER (§2.7.9) a chain is kept back until
 * all that were popped before it are pushed. False when the chain was stale.
 */
bool virtq_push(virtq_chain_t *chain, size_t written);

/* The same for several chains of one queue, in this order: the driver sees all of them or none. */
bool virtq_push_all(virtq_chain_t *const *chains, const size_t *written, unsigned count);

/* Interrupts the driver if chains were used since the last call and it wants to know (§2.7.7). */
void virtq_notify(virtq_t *vq);

/*
 * Puts a chain back, its cursors at the start: virtq_pop() gives it again, before chains that were never
 * popped. False when it was stale.
 */
bool virtq_unpop(virtq_chain_t *chain);

/* Which of the device's queues this is; which queue a chain came from. */
unsigned virtq_index(const virtq_t *vq);
virtq_t *virtq_of(const virtq_chain_t *chain);

/* A pointer of the device's own that stays with the chain; NULL after virtq_pop(). */
void virtq_set_user(virtq_chain_t *chain, void *user);
void *virtq_user(const virtq_chain_t *chain);

/* False once the chain is stale. A moment's truth: only a bracket holds it fast. */
bool virtq_live(const virtq_chain_t *chain);

/* --- Contents: a readable part (device-readable buffers), then a writable part (§2.7.4.2). --- */

/* Bytes from the part's cursor to its end. They do not change when the chain becomes stale. */
uint64_t virtq_readable_left(const virtq_chain_t *chain);
uint64_t virtq_writable_left(const virtq_chain_t *chain);

/* Bytes that the cursor of the writable part has passed: the usual second argument of virtq_push(). */
uint64_t virtq_written(const virtq_chain_t *chain);

/*
 * Copies at the cursor and moves it on. The number of bytes copied is less than len only at the end of
 * the part; 0 when the chain is stale. Copies need no bracket.
 */
size_t virtq_read(virtq_chain_t *chain, void *dst, size_t len);
size_t virtq_write(virtq_chain_t *chain, const void *src, size_t len);

/* The same for all of len or nothing: false, and the cursor where it was, when fewer bytes are left. */
bool virtq_read_all(virtq_chain_t *chain, void *dst, size_t len);
bool virtq_write_all(virtq_chain_t *chain, const void *src, size_t len);

/* As virtq_write() of len bytes of one value. */
size_t virtq_fill(virtq_chain_t *chain, uint8_t value, size_t len);

/*
 * Moves a cursor on without copying; returns by how much. Bytes skipped in the writable part count as
 * written; the caller has put something there, or will.
 */
uint64_t virtq_skip_readable(virtq_chain_t *chain, uint64_t len);
uint64_t virtq_skip_writable(virtq_chain_t *chain, uint64_t len);

/* Sets a cursor to `at` bytes from the start of its part (clamped): to fill in a header afterwards. */
void virtq_seek_readable(virtq_chain_t *chain, uint64_t at);
void virtq_seek_writable(virtq_chain_t *chain, uint64_t at);

/*
 * Opens a bracket: until virtq_end() a reset of the queue waits. False when the chain is stale; then there
 * is no bracket to close. Brackets of different chains may overlap, and end in another thread.
 */
bool virtq_begin(virtq_chain_t *chain);
void virtq_end(virtq_chain_t *chain);

/*
 * Inside a bracket: the piece at the cursor, at most max bytes, moving the cursor past it. False at the
 * end of the part. Spans handed out as writable may be written until the bracket ends; each call tells
 * the machine that these bytes change, and so does virtq_push().
 */
bool virtq_next_readable(virtq_chain_t *chain, size_t max, virtq_span_t *span);
bool virtq_next_writable(virtq_chain_t *chain, size_t max, virtq_span_t *span);

/*
 * Host memory behind an address that a device's protocol carries (a balloon's page numbers, a GPU's backing
 * store): [addr, addr + len) in guest RAM, len not 0. False when it is not all RAM. Spans outlive chains
 * and resets; call again for each write to the span.
 */
bool virtq_guest_span(virtq_t *vq, uint64_t addr, size_t len, virtq_span_t *span);

/* The same for bytes that are only read; NULL when they are not all RAM, or len is 0. */
const void *virtq_guest_bytes(const virtq_t *vq, uint64_t addr, size_t len);

/* How many pieces are between the cursor and the end: what an iovec array needs at most. */
unsigned virtq_readable_spans(const virtq_chain_t *chain);
unsigned virtq_writable_spans(const virtq_chain_t *chain);

#endif
