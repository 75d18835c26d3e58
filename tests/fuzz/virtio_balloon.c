/* SPDX-License-Identifier: MPL-2.0 */
/* libFuzzer target: a guest that does its worst to the balloon. Pages that are released must be
 * RAM. */
#include "devices/virtio_balloon.h"
#include "stream_rig.h"

#include <rvvm/rvkit.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void release(void *opaque, rvvm_machine_t *machine, uint64_t addr, uint64_t size)
{
    (void)opaque;
    if ((addr | size) & 4095 || !size || !rvvm_get_dma_ptr(machine, addr, (size_t)size) ||
        !rvkit_release_ram(machine, addr, (size_t)size)) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static vd_t vd;
    rig_t in = {.data = data, .size = size};
    const virtio_balloon_host_t host = {.release = release};
    virtio_balloon_stats_t stats;
    virtio_desc_t desc;
    rvvm_set_loglevel(0);
    if (!virtio_balloon_describe(&desc, &host)) {
        return 0;
    }
    virtio_balloon_t *balloon = desc.data;
    if (rig_start(&vd, &in, &desc)) {
        while (in.size) {
            unsigned op = rig_next(&in);
            uint32_t pfn = 0x80000u + (rig_next(&in) << 2) + (op >> 6);
            switch (op % 6) {
            case 0:
                virtio_balloon_set_target(balloon, (uint64_t)rig_next(&in) << 16);
                break;
            case 1:
                virtio_balloon_stats(balloon, &stats);
                break;
            case 2:
                rig_common(&vd, &in, 5);
                break;
            case 3:
                rig_chain(&vd, 0, &in, &pfn, 4);
                break;
            default:
                rig_chain(&vd, op / 6 % 5, &in, NULL, 0);
                break;
            }
            rig_reclaim(&vd);
        }
        if (virtio_balloon_target(balloon) > VD_RAM) {
            abort();
        }
    }
    vd_close(&vd);
    return 0;
}
