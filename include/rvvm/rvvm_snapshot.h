/* SPDX-License-Identifier: MPL-2.0 */
/*
 * <rvvm/rvvm_snapshot.h>: writing device state out and reading it back.
 *
 * A snapshot is a list of named sections. A device's suspend callback opens its section and names its
 * fields in order; the same lines of code write and read. New fields go to the end of a section: an
 * older snapshot then fails on them only, and the caller sees it in the return value. After a failed
 * read the variable is unchanged.
 * Threads: one thread at a time per snapshot; suspend callbacks run with the harts stopped.
 */
#ifndef RVVM_SNAPSHOT_H
#define RVVM_SNAPSHOT_H

#include <rvvm/rvvm_base.h>

RVVM_EXTERN_C_BEGIN

/* Opens a snapshot on a block device, which stays the caller's; NULL on failure. */
RVVM_PUBLIC rvvm_snapshot_t *rvvm_snapshot_open(rvvm_blk_dev_t *blk, bool write);

/* Ends a snapshot. False when anything since the opening failed (I/O, memory, damaged data). */
RVVM_PUBLIC bool rvvm_snapshot_close(rvvm_snapshot_t *snap);

/*
 * Writing: starts a section. Reading: goes to the next section of that name that was not read yet.
 * False when there is none; the fields that follow fail then, until the next section.
 */
RVVM_PUBLIC bool rvvm_snapshot_section(rvvm_snapshot_t *snap, const char *name);

/* The direction: true when fields are written out. */
RVVM_PUBLIC bool rvvm_snapshot_writing(rvvm_snapshot_t *snap);

/* Moves `size` bytes as they are. False when the section has no more, or on an error. */
RVVM_PUBLIC bool rvvm_snapshot_data(rvvm_snapshot_t *snap, void *data, size_t size);

/* Moves one integer of 1, 2, 4 or 8 bytes, little-endian in the snapshot. */
RVVM_PUBLIC bool rvvm_snapshot_host(rvvm_snapshot_t *snap, void *data, size_t size);

/* Moves one integer variable. */
#define rvvm_snapshot_field(snap, field) rvvm_snapshot_host(snap, &(field), sizeof(field))

RVVM_EXTERN_C_END

#endif
