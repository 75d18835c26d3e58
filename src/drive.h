/* SPDX-License-Identifier: MPL-2.0 */
/* A host disk as a virtio-blk device of a machine. */
#ifndef RVKIT_DRIVE_H
#define RVKIT_DRIVE_H

#include "devices/rvvm_compat.h"
#include "host/disk.h"

/*
 * Attaches the disk at the next free VirtIO slot, with `queues` queues (1 to 16). threads: how many
 * requests the host works on at the same time; 0: each is done before the hart goes on, so that a run does
 * not depend on the host's speed. The disk goes over to the machine, also when this fails (false: told in
 * the log). Host errors are told in the log, each kind once; the guest sees I/O errors.
 */
bool drive_attach(rvvm_machine_t *machine, disk_t *disk, unsigned queues, unsigned threads);

#endif
