/* SPDX-License-Identifier: MPL-2.0 */
/* Snapshots whose bytes are others: a device takes them for what they are, or not at all. */
#ifndef RVKIT_TESTS_DAMAGE_H
#define RVKIT_TESTS_DAMAGE_H

#include "virtio_driver.h"

#include <rvvm/rvkit.h>
#include <rvvm/rvvm_blk.h>

/*
 * Takes a snapshot of the machine's devices and reads it back with one byte changed, each in turn
 * (of pictures and the like some). Under a sanitizer it shows what is believed too much; devices'
 * hosts check what they are asked for. The device is reset afterwards.
 */
static void damage_snapshots(vd_t *vd)
{
    enum { EACH = 2048, SOME = 331 };
    rvvm_blk_dev_t *blk = rvkit_blk_open_memory();
    rvvm_snapshot_t *snap = rvvm_snapshot_open(blk, true);
    CHECK(rvkit_snapshot_devices(vd->machine, snap, false));
    CHECK(rvvm_snapshot_close(snap));
    uint64_t size = rvvm_blk_get_size(blk);
    CHECK(size > 100);
    for (uint64_t at = 0; at < size; at += at < EACH ? 1 : SOME) {
        uint8_t byte;
        CHECK_EQ(1, rvvm_blk_read(blk, &byte, 1, at));
        for (unsigned round = 0; round < 3; round++) {
            const uint8_t other = (uint8_t)(round == 0 ? 0 : round == 1 ? ~byte : byte + 1);
            CHECK_EQ(1, rvvm_blk_write(blk, &other, 1, at));
            if ((snap = rvvm_snapshot_open(blk, false))) {
                rvkit_snapshot_devices(vd->machine, snap, true);
                rvvm_snapshot_close(snap);
                vd_update(vd);
            }
        }
        CHECK_EQ(1, rvvm_blk_write(blk, &byte, 1, at));
    }
    rvvm_blk_close(blk);
    vd_write(vd, VD_STATUS, 0);
}

#endif
