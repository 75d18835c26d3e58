/* SPDX-License-Identifier: MPL-2.0 */
/* The drives of a machine: attached, and remembered for whoever asks what they did. */
#ifndef RVKIT_DRIVES_H
#define RVKIT_DRIVES_H

#include "host/disk.h"

#include <rvvm/rvvm_base.h>

/*
 * Attaches the disk at the next free VirtIO slot; queues and threads as in drive_desc_t. The disk goes over to the
 * machine, also when this fails (false: told in the log).
 */
bool drives_attach(rvvm_machine_t *machine, disk_t *disk, unsigned queues, unsigned threads);

#endif
