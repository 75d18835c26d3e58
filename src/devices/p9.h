/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The protocol 9P2000.L over a file server: one message in, one reply out. Message types and
 * layouts are those of the Linux 9P client (include/net/9p/9p.h) and of "9P2000.L Protocol" (diod).
 *
 * Requests are served one after another, so that a Tflush always comes too late to change anything.
 * NOT IMPLEMENTED: authentication (Tauth fails), attaching to a folder other than the root.
 */
#ifndef RVKIT_DEVICES_P9_H
#define RVKIT_DEVICES_P9_H

#include "file_server.h"

/* The largest message, in bytes, and the least that a client may ask for. */
#define P9_MSIZE_MAX 524288u
#define P9_MSIZE_MIN 4096u

/* Bounds on what one client can make us keep: fids, and those of them that hold an extended
 * attribute. */
#define P9_FIDS_MAX 262144u
#define P9_XATTR_FIDS_MAX 64u

/* size[4] type[1] tag[2]: less than that is no message. */
#define P9_HEADER 7u

typedef struct p9 p9_t;

/* A session; the server stays the caller's. NULL: no memory. One thread at a time. */
p9_t *p9_create(const file_server_t *server);

/* Forgets all fids. The server is reset as well. */
void p9_reset(p9_t *p9);
void p9_free(p9_t *p9);

/*
 * Moves the session and what the server keeps for it. Before it is read back, p9_reset(). False: damaged;
 * p9_reset() again, and the client is told EPROTO until it starts a session.
 */
bool p9_snapshot(p9_t *p9, const fs_snapshot_t *snap);

/*
 * Serves a message of `len` bytes and writes the reply, of at most `cap` bytes (P9_MSIZE_MAX counts
 * if cap is more); returns the reply's size, 0 when there is none because even an error would not
 * fit, or because the message has no header.
 */
size_t p9_handle(p9_t *p9, const uint8_t *request, size_t len, uint8_t *reply, size_t cap);

#endif
