/* SPDX-License-Identifier: MPL-2.0 */
/* libFuzzer target: a guest that does its worst to an input device of any kind, while a person
 * plays. */
#include "devices/virtio_input.h"
#include "stream_rig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct {
    input_guest_t guest;
    unsigned frees;
} person_t;

static void person_attach(void *opaque, unsigned kinds, const input_guest_t *guest)
{
    (void)kinds;
    ((person_t *)opaque)->guest = *guest;
}

static void person_leds(void *opaque, unsigned leds)
{
    (void)opaque;
    if (leds & ~7u) {
        abort();
    }
}

static void person_free(void *opaque)
{
    ((person_t *)opaque)->frees++;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static vd_t vd;
    static person_t person;
    const input_host_t host = {&person, person_attach, person_leds, person_free};
    rig_t in = {.data = data, .size = size};
    virtio_desc_t desc;
    rvvm_set_loglevel(0);
    memset(&person, 0, sizeof(person));
    if (!virtio_input_describe(&desc, 1u << (rig_next(&in) & 3), &host)) {
        return 0;
    }
    if (rig_start(&vd, &in, &desc)) {
        while (in.size) {
            unsigned op = rig_next(&in);
            if (op % 4 == 0) {
                rig_common(&vd, &in, 2);
            } else if (op % 4 == 1) {
                rig_chain(&vd, op >> 4 & 1, &in, NULL, 0);
            } else {
                input_event_t event = {.type = (input_event_type_t)(op >> 2 & 7)};
                event.code = (uint16_t)(rig_next(&in) * (op & 0x20 ? 257u : 1u));
                event.down = op >> 6 & 1;
                event.x = (int32_t)(rig_next(&in) * (op & 0x80 ? 0x01010101u : 100u));
                event.y = (int32_t)(rig_next(&in) * (op & 0x80 ? 0x01010101u : 100u));
                person.guest.event(person.guest.opaque, &event);
            }
            rig_reclaim(&vd);
        }
    }
    vd_close(&vd);
    if (person.frees != 1) {
        abort();
    }
    return 0;
}
