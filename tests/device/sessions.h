/* SPDX-License-Identifier: MPL-2.0 */
/* For tests of shared folders: sessions that go into snapshots and come back. */
#ifndef RVKIT_TESTS_DEVICE_SESSIONS_H
#define RVKIT_TESTS_DEVICE_SESSIONS_H

#include "devices/file_server.h"
#include "virtio_driver.h"

/* A session's state as bytes. */
typedef struct {
    uint8_t bytes[65536];
    size_t at, size;
    bool writing;
} session_t;

static inline bool session_move(void *arg, void *data, size_t len)
{
    session_t *session = arg;
    size_t left = (session->writing ? sizeof(session->bytes) : session->size) - session->at;
    if (len > left) {
        return false;
    }
    memcpy(session->writing ? session->bytes + session->at : data,
           session->writing ? data : session->bytes + session->at, len);
    session->at += len;
    session->size = session->writing ? session->at : session->size;
    return true;
}

static inline fs_snapshot_t session_open(session_t *session, bool writing)
{
    session->at = 0;
    session->writing = writing;
    return (fs_snapshot_t){session_move, session, writing};
}

#ifdef RVVM_COMPAT_RVKIT
#include <rvvm/rvkit.h>
#include <rvvm/rvvm_blk.h>

/* The driver's side of the queues at session_save(). */
static vd_queue_t session_queue[VD_QUEUES];

/* Saves the machine's devices. */
static inline rvvm_blk_dev_t *session_save(vd_t *vd)
{
    rvvm_blk_dev_t *blk = rvkit_blk_open_memory();
    memcpy(session_queue, vd->queue, sizeof(session_queue));
    rvvm_snapshot_t *snap = rvvm_snapshot_open(blk, true);
    CHECK(rvkit_snapshot_devices(vd->machine, snap, false));
    CHECK(rvvm_snapshot_close(snap));
    return blk;
}

/* Brings them back, where the queues' memory is as it was; the machine is not running yet. */
static inline void session_load(vd_t *vd, rvvm_blk_dev_t *blk)
{
    rvvm_snapshot_t *snap = rvvm_snapshot_open(blk, false);
    CHECK(rvkit_snapshot_devices(vd->machine, snap, true));
    CHECK(rvvm_snapshot_close(snap));
    rvvm_blk_close(blk);
    memcpy(vd->queue, session_queue, sizeof(session_queue));
}
#endif

#endif
