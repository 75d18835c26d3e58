/* SPDX-License-Identifier: MPL-2.0 */
/*
 * libFuzzer target: any sequence of register accesses, with queues in guest RAM that the same bytes fill,
 * on both versions of the interface (a machine each, for all runs), with machine resets, updates and the device's own calls in between.
 */
#include "device/virtio_probe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { STEPS = 400, AREA = 0x8000 };

typedef struct {
    const uint8_t *data;
    size_t left;
} input_t;

static uint32_t take(input_t *in, unsigned bytes)
{
    uint32_t val = 0;
    for (unsigned i = 0; i < bytes && in->left; i++, in->left--) {
        val |= (uint32_t)*in->data++ << (8 * i);
    }
    return val;
}

static void drop_all(probe_t *probe)
{
    while (probe->holds) {
        probe_complete(probe, --probe->holds, 7);
    }
}

/* Registers that matter more than others. */
static size_t pick_register(input_t *in)
{
    static const uint8_t regs[] = {
        VD_DEVICE_FEATURES_SEL, VD_DRIVER_FEATURES, VD_DRIVER_FEATURES_SEL, VD_GUEST_PAGE_SIZE, VD_QUEUE_SEL,
        VD_QUEUE_NUM, VD_QUEUE_ALIGN, VD_QUEUE_PFN, VD_QUEUE_READY, VD_QUEUE_NOTIFY, VD_INTERRUPT_ACK,
        VD_STATUS, VD_QUEUE_DESC, VD_QUEUE_DESC + 4, VD_QUEUE_DRIVER, VD_QUEUE_DRIVER + 4, VD_QUEUE_DEVICE,
        VD_QUEUE_DEVICE + 4, VD_SHM_SEL, VD_QUEUE_RESET};
    uint32_t pick = take(in, 1);
    return pick < sizeof(regs) ? regs[pick] : take(in, 2) & 0xFFF;
}

static void access_register(vd_t *vd, input_t *in, bool write)
{
    static const uint8_t sizes[] = {4, 4, 4, 4, 4, 1, 2, 4};
    uint8_t data[8] = {0};
    size_t reg = pick_register(in);
    uint32_t how = take(in, 1);
    uint8_t size = sizes[how & 7];
    reg -= reg % size;
    write_uint32_le_m(data, how & 0x80 ? RVVM_DEFAULT_MEMBASE + (take(in, 1) << 9) : take(in, how & 0x40 ? 4 : 1));
    (write ? vd->mmio->write : vd->mmio->read)(vd->mmio, data, reg, size);
}

static void step(vd_t *vd, probe_t *probe, input_t *in)
{
    uint32_t op = take(in, 1);
    switch (op % 8) {
    case 0:
        access_register(vd, in, false);
        break;
    case 1: {
        uint8_t bytes[16] = {0};
        for (unsigned i = 0; i < sizeof(bytes); i++) {
            bytes[i] = (uint8_t)take(in, 1);
        }
        rvvm_write_ram(vd->machine, RVVM_DEFAULT_MEMBASE + take(in, 2) % AREA, bytes, sizeof(bytes));
        break;
    }
    case 2:
        probe->hold = op & 8;
        drop_all(probe);
        break;
    case 3:
        if (op & 0x80) {
            vd->mmio->type->reset(vd->mmio);
        } else {
            vd_update(vd);
        }
        break;
    case 4:
        virtio_config_changed(probe->dev);
        virtio_kick(probe->dev, (op >> 3) % PROBE_QUEUES);
        break;
    default:
        access_register(vd, in, true);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static vd_t vds[2];
    static probe_t probes[2];
    input_t in = {data, size};
    uint32_t how = take(&in, 1);
    bool legacy = how & 1;
    vd_t *vd = &vds[legacy];
    probe_t *probe = &probes[legacy];
    if (!vd->machine) {
        rvvm_set_loglevel(0);
        probe_up(vd, probe, legacy ? VIRTIO_MMIO_LEGACY : VIRTIO_MMIO_IN_ORDER);
    }
    vd_write(vd, VD_STATUS, 0);
    memset(vd_ptr(vd, RVVM_DEFAULT_MEMBASE), 0, AREA);
    vd->heap = RVVM_DEFAULT_MEMBASE + 0x10000;
    if (how & 2) {
        vd_start(vd, legacy ? 0 : VIRTIO_F_VERSION_1 | (how & 4 ? VIRTIO_F_RING_PACKED : 0));
    }
    for (unsigned i = 0; i < STEPS && in.left; i++) {
        step(vd, probe, &in);
    }
    drop_all(probe);
    probe->hold = false;
    vd->heap = RVVM_DEFAULT_MEMBASE + 0x10000;
    uint32_t len = 0;
    const vd_buf_t buf = {RVVM_DEFAULT_MEMBASE, 16, true};
    if (!vd_start(vd, legacy ? 0 : VIRTIO_F_VERSION_1) || !vd_request(vd, 0, &buf, 1, &len)) {
        abort();
    }
    return 0;
}
