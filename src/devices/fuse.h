/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The FUSE protocol (7.31, as Linux's include/uapi/linux/fuse.h defines it) over a file server: one
 * request in, one reply out. Node ids and file handles of the protocol are those of the server,
 * which checks them.
 *
 * Offered: asynchronous reads, POSIX locks, O_TRUNC at open, big writes, pages dropped when a file
 * has changed, READDIRPLUS, parallel directory operations. NOT IMPLEMENTED (ENOSYS, which the guest
 * remembers): flock on the host's files (the guest's own kernel does it), poll, ioctl, bmap,
 * copy_file_range, tmpfile, syncfs, DAX mappings.
 */
#ifndef RVKIT_DEVICES_FUSE_H
#define RVKIT_DEVICES_FUSE_H

#include "file_server.h"

/* The largest piece of data in a request or reply, and the largest message with it, in bytes. */
#define FUSE_DATA_MAX 524288u
#define FUSE_MESSAGE_MAX (FUSE_DATA_MAX + 4096u)

/* Owners of locks that one guest can have at a time. */
#define FUSE_LOCKS_MAX 1024u

/* What fuse_handle() returns when a lock is in the way: ask again later. */
#define FUSE_WAIT SIZE_MAX

typedef struct fuse fuse_t;

/* The server stays the caller's. NULL: no memory. One thread at a time. */
fuse_t *fuse_create(const file_server_t *server);
void fuse_free(fuse_t *fuse);

/* Back to the time before FUSE_INIT; the server is reset as well. */
void fuse_reset(fuse_t *fuse);

/*
 * Moves the session and what the server keeps for it. Before it is read back, fuse_reset(). False:
 * damaged; fuse_reset() again, and the guest is told EIO until it starts a session.
 */
bool fuse_snapshot(fuse_t *fuse, const fs_snapshot_t *snap);

/*
 * Serves a request of `len` bytes; returns the size of the reply, of at most `cap` bytes, 0 when
 * there is none (FORGET; not even an error fits; no header), or FUSE_WAIT.
 */
size_t fuse_handle(fuse_t *fuse, const uint8_t *request, size_t len, uint8_t *reply, size_t cap);

/* The reply to a request that a FUSE_INTERRUPT ends (EINTR). */
size_t fuse_interrupted(const uint8_t *request, size_t len, uint8_t *reply, size_t cap);

/* The request that the last FUSE_INTERRUPT named; clears it. False: there was none since. */
bool fuse_take_interrupt(fuse_t *fuse, uint64_t *unique);

/* The request's own number; 0 without a header. */
uint64_t fuse_unique(const uint8_t *request, size_t len);

#endif
