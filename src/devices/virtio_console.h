/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The console device: VirtIO 1.2 §5.3. One port is a console (hvc0 in Linux); several, or ports
 * with a name, are the multiport device (/dev/virtio-ports/NAME). Behind each port is a chardev:
 * nothing is lost either way, since what the chardev or the guest does not take waits on the other
 * side.
 */
#ifndef RVKIT_DEVICES_VIRTIO_CONSOLE_H
#define RVKIT_DEVICES_VIRTIO_CONSOLE_H

#include "virtio.h"

#define VIRTIO_CONSOLE_PORTS_MAX 31
#define VIRTIO_CONSOLE_NAME_MAX 63

typedef struct {
    chardev_t *chardev; /* NULL: output vanishes. The device takes it over. */
    const char *name;   /* NULL: none; else at most VIRTIO_CONSOLE_NAME_MAX bytes, copied */
    bool console;       /* a console for a person, not a channel for programs */
} virtio_console_port_t;

enum {
    /*
     * Window sizes of multiport ports are sent with the rows first, as Linux up to 6.15 reads them,
     * and not as §5.3.6.2 has it. A device with one port tells its size in the configuration space,
     * where there is but one order.
     */
    VIRTIO_CONSOLE_ROWS_FIRST = 1,
    /* The multiport interface for a single port too. A name has the same effect. */
    VIRTIO_CONSOLE_MULTIPORT = 2,
};

/* desc->data: good for the call below until the device is removed. */
typedef struct virtio_console virtio_console_t;

/* Describes a console with 1 to VIRTIO_CONSOLE_PORTS_MAX ports. False: no memory; the chardevs are
 * freed. */
bool virtio_console_describe(virtio_desc_t *desc, const virtio_console_port_t *ports,
                             unsigned count, unsigned flags);

/* The size of the window behind a port, in characters; 0 is unknown. Any thread. */
void virtio_console_resize(virtio_console_t *console, unsigned port, uint16_t cols, uint16_t rows);

#endif
