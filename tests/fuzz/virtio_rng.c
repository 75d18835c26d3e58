/* SPDX-License-Identifier: MPL-2.0 */
/* libFuzzer target: a guest that does its worst to the entropy device, whose source runs short and fails. */
#include "devices/virtio_rng.h"
#include "stream_rig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t fill(void *opaque, void *buf, size_t len)
{
    const unsigned *mood = opaque;
    size_t n = *mood % 3 == 0 ? 0 : *mood % 3 == 1 ? len / 2 : len;
    memset(buf, (int)*mood, n);
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static vd_t vd;
    rig_t in = {.data = data, .size = size};
    unsigned mood = 0;
    const virtio_rng_source_t source = {.fill = fill, .opaque = &mood};
    virtio_desc_t desc;
    rvvm_set_loglevel(0);
    if (virtio_rng_describe(&desc, &source) && rig_start(&vd, &in, &desc)) {
        while (in.size) {
            mood = rig_next(&in);
            if (mood % 4) {
                rig_chain(&vd, 0, &in, NULL, 0);
            } else {
                rig_common(&vd, &in, 1);
            }
            rig_reclaim(&vd);
        }
    }
    vd_close(&vd);
    return 0;
}
