/* SPDX-License-Identifier: MPL-2.0 */
/* libFuzzer target: a guest that does its worst to a console of three ports, over moody chardevs.
 */
#include "devices/virtio_console.h"
#include "stream_rig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct {
    chardev_t dev;
    size_t input, room; /* bytes to read, and that can be written */
    uint32_t sum;
    unsigned frees;
} moody_t;

static uint32_t moody_poll(chardev_t *dev)
{
    moody_t *m = dev->data;
    return (m->input ? CHARDEV_RX : 0) | (m->room ? CHARDEV_TX : 0);
}

static size_t moody_read(chardev_t *dev, void *buf, size_t size)
{
    moody_t *m = dev->data;
    size = size < m->input ? size : m->input;
    memset(buf, 'x', size);
    m->input -= size;
    return size;
}

/* Reads every byte, so that what lies outside is noticed. */
static size_t moody_write(chardev_t *dev, const void *buf, size_t size)
{
    moody_t *m = dev->data;
    size = size < m->room ? size : m->room;
    for (size_t i = 0; i < size; i++) {
        m->sum += ((const uint8_t *)buf)[i];
    }
    m->room -= size;
    return size;
}

static void moody_remove(chardev_t *dev)
{
    ((moody_t *)dev->data)->frees++;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static vd_t vd;
    static moody_t moody[3];
    rig_t in = {.data = data, .size = size};
    virtio_desc_t desc;
    virtio_console_port_t port[3];
    rvvm_set_loglevel(0);
    for (unsigned i = 0; i < 3; i++) {
        moody[i] = (moody_t){.dev = {.poll = moody_poll,
                                     .read = moody_read,
                                     .write = moody_write,
                                     .remove = moody_remove,
                                     .data = &moody[i]}};
        port[i] = (virtio_console_port_t){&moody[i].dev, i == 1 ? "a.port" : NULL, i == 0};
    }
    unsigned first = rig_next(&in), count = first & 1 ? 1 : 3;
    if (!virtio_console_describe(&desc, port, count, first >> 1 & 3)) {
        return 0;
    }
    virtio_console_t *console = desc.data;
    unsigned queues = desc.queues;
    if (rig_start(&vd, &in, &desc)) {
        while (in.size) {
            unsigned op = rig_next(&in), which = rig_next(&in) % count;
            const uint8_t message[8] = {(uint8_t)which,         0, 0, 0, (uint8_t)(op >> 4 & 7), 0,
                                        (uint8_t)(op >> 3 & 1), 0};
            switch (op % 8) {
            case 0:
                virtio_console_resize(console, which, (uint16_t)rig_next(&in),
                                      (uint16_t)rig_next(&in));
                break;
            case 1:
                moody[which].input += rig_next(&in) * 8u;
                chardev_notify(&moody[which].dev, CHARDEV_RX);
                break;
            case 2:
                moody[which].room += rig_next(&in) * 8u;
                chardev_notify(&moody[which].dev, CHARDEV_TX);
                break;
            case 3:
                rig_common(&vd, &in, queues);
                break;
            case 4:
                rig_chain(&vd, queues > 2 ? 3 : 1, &in, message, sizeof(message));
                break;
            default:
                rig_chain(&vd, op / 8 % queues, &in, NULL, 0);
                break;
            }
            rig_reclaim(&vd);
        }
    }
    vd_close(&vd);
    for (unsigned i = 0; i < count; i++) {
        if (moody[i].frees != 1) {
            abort();
        }
    }
    return 0;
}
