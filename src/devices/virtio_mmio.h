/* SPDX-License-Identifier: MPL-2.0 */
/*
 * VirtIO over MMIO: VirtIO 1.2 §4.2, version 2, and the legacy version 1 (§4.2.4).
 *
 * Slots are 0x1000 bytes from VIRTIO_MMIO_DEFAULT_ADDR up; the FDT gets /soc/virtio_mmio@addr with
 * compatible "virtio,mmio". The interrupt is level-triggered.
 */
#ifndef RVKIT_DEVICES_VIRTIO_MMIO_H
#define RVKIT_DEVICES_VIRTIO_MMIO_H

#include "virtio.h"

#define VIRTIO_MMIO_DEFAULT_ADDR 0x10001000U
#define VIRTIO_MMIO_SIZE 0x1000U

/* Where shared memory regions go (the first free place from here up). */
#define VIRTIO_MMIO_SHM_ADDR 0x20000000U

/* Flags of virtio_mmio_init(). */
enum {
    VIRTIO_MMIO_LEGACY = 1, /* version 1, as xv6 and kernels before 4.0 want it; "legacy" to a person */
    VIRTIO_MMIO_NO_PACKED = 2,
    VIRTIO_MMIO_NO_EVENT_IDX = 4,
    VIRTIO_MMIO_NO_INDIRECT = 8,
    VIRTIO_MMIO_IN_ORDER = 16, /* offer VIRTIO_F_IN_ORDER: slower for devices that complete out of order */
};

/*
 * Attaches a device at addr, with an interrupt line of the machine's controller (irq 0: any free one).
 * The device is taken over; when this fails (the place is taken; no line; no memory; a bad description)
 * it is removed, and NULL comes back. _auto: the first free slot.
 * Threads: as rvvm_attach_mmio(). Freed with the machine, or by rvvm_remove_mmio().
 */
rvvm_mmio_dev_t *virtio_mmio_init(rvvm_machine_t *machine, const virtio_desc_t *desc, rvvm_addr_t addr,
                                  uint32_t irq, unsigned flags);
rvvm_mmio_dev_t *virtio_mmio_init_auto(rvvm_machine_t *machine, const virtio_desc_t *desc, unsigned flags);

/* The device behind an attached slot. */
virtio_dev_t *virtio_mmio_device(rvvm_mmio_dev_t *mmio);

/* What is behind a region, "virtio-blk"; NULL when it is no VirtIO slot. */
const char *virtio_mmio_name(const rvvm_mmio_dev_t *mmio);

#endif
