/* SPDX-License-Identifier: MPL-2.0 */
/* The one wiring file: which device sits where. */
#include "board.h"

#include "desktop.h"
#include "devices/clint.h"
#include "devices/ns16550a.h"
#include "devices/plic.h"
#include "devices/rtc_goldfish.h"
#include "devices/syscon.h"
#include "devices/virtio_9p.h"
#include "devices/virtio_fs.h"
#include "drives.h"
#include "entropy.h"
#include "log.h"
#include "machine.h"
#include "netcard.h"
#include "slot.h"
#include "streams.h"

#include <rvvm/rvvm_board.h>

#define BOARD_SYSCON 0x00100000u
#define BOARD_RTC 0x00101000u
#define BOARD_CLINT 0x02000000u
#define BOARD_PLIC 0x0c000000u

bool rvvm_riscv_clint_init(rvvm_machine_t *machine, rvvm_addr_t addr)
{
    return clint_init(machine, addr) != NULL;
}

rvvm_irq_dev_t *rvvm_riscv_plic_init(rvvm_machine_t *machine, rvvm_addr_t addr)
{
    return plic_init(machine, addr);
}

rvvm_reg_dev_t *rvvm_syscon_init(rvvm_machine_t *machine, rvvm_addr_t addr)
{
    return (rvvm_reg_dev_t *)syscon_init(machine, addr);
}

rvvm_reg_dev_t *rvvm_rtc_goldfish_init(rvvm_machine_t *machine, rvvm_addr_t addr,
                                       rvvm_irq_dev_t *irq_dev, rvvm_irq_t irq)
{
    return (rvvm_reg_dev_t *)rtc_goldfish_init(machine, addr, irq_dev, irq);
}

bool rvvm_board_riscv_virt_init(rvvm_machine_t *machine, bool aia)
{
    if (aia) {
        rvvm_error("the board has no advanced interrupt architecture (AIA)");
        return false;
    }
    rvvm_irq_dev_t *plic = NULL;
    return machine && clint_init(machine, BOARD_CLINT) && (plic = plic_init(machine, BOARD_PLIC)) &&
           syscon_init(machine, BOARD_SYSCON) && rtc_goldfish_init(machine, BOARD_RTC, plic, 0);
}

_Static_assert((int)BOARD_VIRTIO_LEGACY == VIRTIO_MMIO_LEGACY &&
                   (int)BOARD_VIRTIO_NO_PACKED == VIRTIO_MMIO_NO_PACKED &&
                   (int)BOARD_VIRTIO_NO_EVENT_IDX == VIRTIO_MMIO_NO_EVENT_IDX &&
                   (int)BOARD_VIRTIO_NO_INDIRECT == VIRTIO_MMIO_NO_INDIRECT &&
                   (int)BOARD_VIRTIO_IN_ORDER == VIRTIO_MMIO_IN_ORDER,
               "the board and the transport name the same choices");

/* Requests that the host works on at the same time for one disk, and queues of one disk. */
#define BOARD_DRIVE_THREADS 4
#define BOARD_DRIVE_QUEUES 4

/* What has been taken over so far. */
typedef struct {
    size_t serials, drives, nets, shares, devices;
    bool streams, desktop;
} board_taken_t;

/* What no device has taken over. */
static void board_free_rest(const board_desc_t *desc, const board_taken_t *taken)
{
    size_t serial = taken->serials, drive = taken->drives, net = taken->nets, share = taken->shares;
    for (; serial < desc->serial_count; serial++) {
        chardev_free(desc->serial[serial]);
    }
    for (; drive < desc->drive_count; drive++) {
        disk_close(desc->drive[drive]);
    }
    for (; net < desc->net_count; net++) {
        host_net_close(desc->net[net].net);
    }
    for (; share < desc->share_count; share++) {
        desc->share[share].server.ops->free(desc->share[share].server.opaque);
    }
    for (size_t device = taken->devices; device < desc->device_count; device++) {
        desc->device[device].type->remove(desc->device[device].data);
    }
    if (!taken->streams) {
        streams_free_desc(desc);
    }
    if (!taken->desktop) {
        desktop_free_desc(desc);
    }
}

/* A folder; its server is freed when it cannot be attached. */
static bool board_attach_share(rvvm_machine_t *machine, const board_desc_t *desc, size_t index)
{
    const file_server_t *server = &desc->share[index].server;
    const char *tag = desc->share[index].tag;
    virtio_desc_t device;
    bool ok = desc->share[index].fs ? virtio_fs_describe(&device, tag, server)
                                    : virtio_9p_describe(&device, tag, server);
    if (!ok || !slot_attach(machine, &device)) {
        rvvm_error("the folder %s cannot be attached", tag);
        return false;
    }
    return true;
}

/* A disk that cannot be attached is closed. With -icount each request is done at once. */
static bool board_attach_drive(rvvm_machine_t *machine, const board_desc_t *desc, size_t index)
{
    size_t queues = desc->harts < BOARD_DRIVE_QUEUES ? desc->harts : BOARD_DRIVE_QUEUES;
    return drives_attach(machine, desc->drive[index], (unsigned)queues,
                         desc->icount ? 0 : BOARD_DRIVE_THREADS);
}

/* A device that the caller has described. */
static bool board_attach_device(rvvm_machine_t *machine, const virtio_desc_t *device)
{
    return slot_attach_or_tell(machine, true, device, device->type->name);
}

static bool board_attach_all(rvvm_machine_t *machine, const board_desc_t *desc,
                             board_taken_t *taken)
{
    bool ok = true;
    /* A UART that cannot be attached has freed its chardev. */
    while (ok && taken->serials < desc->serial_count) {
        ok = ns16550a_init_auto(machine, desc->serial[taken->serials++]) != NULL;
    }
    while (ok && taken->drives < desc->drive_count) {
        ok = board_attach_drive(machine, desc, taken->drives++);
    }
    while (ok && taken->nets < desc->net_count) {
        ok = netcard_attach(machine, desc->net[taken->nets].net, desc->net[taken->nets].mac);
        taken->nets++;
    }
    while (ok && taken->shares < desc->share_count) {
        ok = board_attach_share(machine, desc, taken->shares++);
    }
    taken->streams = ok;
    ok = ok && streams_attach(machine, desc);
    taken->desktop = ok;
    ok = ok && desktop_attach(machine, desc);
    while (ok && taken->devices < desc->device_count) {
        ok = board_attach_device(machine, &desc->device[taken->devices++]);
    }
    return ok && entropy_attach(machine, desc->icount);
}

rvvm_machine_t *board_create(const board_desc_t *desc)
{
    rvvm_machine_t *machine = rvvm_create_machine(desc->mem_size, desc->harts, desc->isa);
    board_taken_t taken = {0};
    bool ok = machine && desc->serial_count <= BOARD_SERIAL_MAX &&
              desc->drive_count <= BOARD_DRIVES_MAX && desc->net_count <= BOARD_NETS_MAX &&
              desc->share_count <= BOARD_SHARES_MAX && desc->device_count <= BOARD_DEVICES_MAX &&
              rvvm_board_riscv_virt_init(machine, false);
    if (ok && desc->cooperative) {
        ok = rvvm_set_opt(machine, RVKIT_OPT_COOPERATIVE, 1);
    }
    if (ok && desc->icount) {
        ok = rvvm_set_opt(machine, RVKIT_OPT_ICOUNT, desc->icount);
    }
    if (machine) {
        machine->virtio_flags = desc->virtio;
    }
    if (ok && desc->serial_count) {
        machine->console = desc->serial[0];
    }
    if (!ok || !board_attach_all(machine, desc, &taken)) {
        board_free_rest(desc, &taken);
        rvvm_free_machine(machine);
        return NULL;
    }
    return machine;
}

const loader_image_t *board_firmware_image(const rvvm_machine_t *machine)
{
    return &machine->firmware_image;
}

const loader_image_t *board_kernel_image(const rvvm_machine_t *machine)
{
    return &machine->kernel_image;
}
