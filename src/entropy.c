/* SPDX-License-Identifier: MPL-2.0 */
#include "entropy.h"

#include "devices/virtio_rng.h"
#include "host/memory.h"
#include "log.h"
#include "slot.h"

#include <stdlib.h>

static size_t entropy_fill(void *opaque, void *buf, size_t len)
{
    (void)opaque;
    host_random(buf, len);
    return len;
}

/* splitmix64 (Steele, Lea, Flood 2014), one byte of each number. */
static size_t repeatable_fill(void *opaque, void *buf, size_t len)
{
    uint64_t *state = opaque;
    uint8_t *bytes = buf;
    for (size_t i = 0; i < len; i++) {
        uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);
        z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
        z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
        bytes[i] = (uint8_t)(z >> 56);
    }
    return len;
}

bool entropy_attach(rvvm_machine_t *machine, bool repeatable)
{
    virtio_rng_source_t source = {.fill = entropy_fill};
    if (repeatable) {
        source = (virtio_rng_source_t){repeatable_fill, free, calloc(1, sizeof(uint64_t))};
    }
    virtio_desc_t desc;
    bool ok = (!repeatable || source.opaque) && virtio_rng_describe(&desc, &source) &&
              slot_attach(machine, &desc);
    if (!ok) {
        rvvm_error("the entropy device cannot be attached");
    }
    return ok;
}
