/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A stream of bytes over host file descriptors (terminal, pipe, file, pty) with queues in between,
 * so that whoever reads and writes it never blocks, and nothing is ever dropped: a full output
 * queue takes no more bytes, a full input queue stops the reading. The descriptors' flags are left
 * as they are.
 *
 * Two threads of its own move the bytes; where the host has no threads host_stream_pump() does.
 * Calls: any thread, except open and close.
 */
#ifndef RVKIT_HOST_STREAM_H
#define RVKIT_HOST_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct host_stream host_stream_t;

/* Bits of host_stream_poll() and of the event callback. */
enum {
    HOST_STREAM_RX = 1,     /* there is input */
    HOST_STREAM_TX = 2,     /* there is room for output */
    HOST_STREAM_BROKEN = 4, /* output failed or its reader is gone: from now on it is swallowed */
};

typedef struct host_stream_desc {
    int in_fd,
        out_fd; /* -1: no input, output is swallowed. They stay open after host_stream_close(). */

    /* At most this many bytes of input wait. */
    size_t in_limit;

    /* Milliseconds that host_stream_close() waits for a descriptor that takes nothing; 0: for ever.
     */
    unsigned drain_ms;

    /*
     * Writing waits until there is room instead of taking less: for deterministic runs, where the
     * guest must not see how fast the host reads.
     */
    bool patient;

    /* Bits have become set; no lock is held. From the stream's threads, or within pump. */
    void (*event)(void *opaque, unsigned bits);

    /* May be NULL: looks at fresh input before it is queued; returns how many bytes of data remain.
     */
    size_t (*filter)(void *opaque, uint8_t *data, size_t size);
    void *opaque;
} host_stream_desc_t;

/*
 * NULL when there is no memory. Nothing moves, and no event comes, before the first read, write,
 * poll or pump. Signals are blocked in its threads; SIGPIPE is ignored from here on.
 */
host_stream_t *host_stream_open(const host_stream_desc_t *desc);

/* Reads no more from here on: when this returns, filter and events about input have come for the
 * last time. Not from within one of them. */
void host_stream_end_input(host_stream_t *stream);

/* Waits until all output is written (see drain_ms), then frees. */
void host_stream_close(host_stream_t *stream);

/* Move at most size bytes; return how many. */
size_t host_stream_read(host_stream_t *stream, void *data, size_t size);
size_t host_stream_write(host_stream_t *stream, const void *data, size_t size);

unsigned host_stream_poll(host_stream_t *stream);

/* Waits until all output so far is written (or the output is broken). */
void host_stream_flush(host_stream_t *stream);

/* Moves what can be moved without blocking, when there are no threads; else nothing. */
void host_stream_pump(host_stream_t *stream);

/* After HOST_STREAM_BROKEN: the host's error number (errno) and its text. */
int host_stream_error(host_stream_t *stream);

#endif
