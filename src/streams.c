/* SPDX-License-Identifier: MPL-2.0 */
#include "streams.h"

#include "devices/virtio_balloon.h"
#include "devices/virtio_console.h"
#include "devices/virtio_vsock.h"
#include "log.h"
#include "machine.h"
#include "slot.h"

#include <stdlib.h>

/* machine->streams: devices that take calls while the machine exists. */
struct machine_streams {
    virtio_console_t *console[BOARD_CONSOLES_MAX];
    size_t consoles;
    virtio_balloon_t *balloon; /* NULL: none */
};

static bool attach_console(rvvm_machine_t *machine, chardev_t *chardev)
{
    struct machine_streams *streams = machine->streams;
    const virtio_console_port_t port = {.chardev = chardev, .console = true};
    virtio_desc_t device;
    if (!slot_attach_or_tell(machine, virtio_console_describe(&device, &port, 1, 0), &device, "a console")) {
        return false;
    }
    streams->console[streams->consoles++] = device.data;
    return true;
}

static bool attach_ports(rvvm_machine_t *machine, const board_desc_t *desc)
{
    virtio_console_port_t port[BOARD_PORTS_MAX];
    virtio_desc_t device;
    for (size_t i = 0; i < desc->port_count; i++) {
        port[i] =
            (virtio_console_port_t){.chardev = desc->port[i].chardev, .name = desc->port[i].name};
    }
    bool ok = virtio_console_describe(&device, port, (unsigned)desc->port_count,
                                      VIRTIO_CONSOLE_ROWS_FIRST);
    return slot_attach_or_tell(machine, ok, &device, "a port");
}

static void release_ram(void *opaque, rvvm_machine_t *machine, uint64_t addr, uint64_t size)
{
    (void)opaque;
    rvkit_release_ram(machine, addr, (size_t)size);
}

static bool attach_balloon(rvvm_machine_t *machine, uint64_t target)
{
    const virtio_balloon_host_t host = {.release = release_ram};
    virtio_desc_t device;
    if (!slot_attach_or_tell(machine, virtio_balloon_describe(&device, &host), &device, "the balloon")) {
        return false;
    }
    machine->streams->balloon = device.data;
    virtio_balloon_set_target(machine->streams->balloon, target);
    return true;
}

static bool attach_vsock(rvvm_machine_t *machine, const board_desc_t *desc)
{
    virtio_desc_t device;
    bool ok = virtio_vsock_describe(&device, &desc->vsock, desc->vsock_cid);
    return slot_attach_or_tell(machine, ok, &device, "the socket device");
}

/* Consoles from `console` on, ports and sockets when they were not attached. */
static void free_rest(const board_desc_t *desc, size_t console, bool ports, bool vsock)
{
    for (; console < desc->console_count; console++) {
        chardev_free(desc->console[console]);
    }
    for (size_t i = 0; i < desc->port_count && !ports; i++) {
        chardev_free(desc->port[i].chardev);
    }
    if (desc->vsock_cid && !vsock) {
        desc->vsock.free(desc->vsock.opaque);
    }
}

void streams_free_desc(const board_desc_t *desc)
{
    free_rest(desc, 0, false, false);
}

bool streams_attach(rvvm_machine_t *machine, const board_desc_t *desc)
{
    size_t consoles = 0;
    bool ports = false, vsock = false;
    machine->streams = calloc(1, sizeof(*machine->streams));
    bool ok = machine->streams && desc->console_count <= BOARD_CONSOLES_MAX &&
              desc->port_count <= BOARD_PORTS_MAX;
    while (ok && consoles < desc->console_count) {
        ok = attach_console(machine, desc->console[consoles++]);
    }
    if (ok && desc->port_count) {
        ports = true;
        ok = attach_ports(machine, desc);
    }
    if (ok && desc->balloon) {
        ok = attach_balloon(machine, desc->balloon_target);
    }
    if (ok && desc->vsock_cid) {
        vsock = true;
        ok = attach_vsock(machine, desc);
    }
    if (!ok) {
        free_rest(desc, consoles, ports, vsock);
    }
    return ok;
}

void board_resize_console(rvvm_machine_t *machine, size_t index, uint16_t cols, uint16_t rows)
{
    struct machine_streams *streams = machine->streams;
    if (streams && index < streams->consoles) {
        virtio_console_resize(streams->console[index], 0, cols, rows);
    }
}

bool board_set_balloon(rvvm_machine_t *machine, uint64_t bytes)
{
    virtio_balloon_t *balloon = machine->streams ? machine->streams->balloon : NULL;
    if (balloon) {
        virtio_balloon_set_target(balloon, bytes);
    }
    return balloon != NULL;
}

bool board_get_balloon(rvvm_machine_t *machine, board_balloon_t *info)
{
    virtio_balloon_t *balloon = machine->streams ? machine->streams->balloon : NULL;
    virtio_balloon_stats_t stats;
    if (!balloon) {
        return false;
    }
    virtio_balloon_stats(balloon, &stats);
    *info = (board_balloon_t){
        .target = virtio_balloon_target(balloon),
        .actual = virtio_balloon_actual(balloon),
        .free = stats.value[VIRTIO_BALLOON_S_MEMFREE],
        .available = stats.value[VIRTIO_BALLOON_S_AVAIL],
        .total = stats.value[VIRTIO_BALLOON_S_MEMTOT],
    };
    return true;
}
