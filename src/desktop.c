/* SPDX-License-Identifier: MPL-2.0 */
#include "desktop.h"

#include "devices/framebuffer.h"
#include "devices/virtio_gpu.h"
#include "devices/virtio_input.h"
#include "devices/virtio_snd.h"
#include "log.h"
#include "machine.h"
#include "slot.h"

/* What devices have taken over so far. */
typedef struct {
    bool scanouts, framebuffer, audio;
    size_t inputs;
} desktop_taken_t;

static bool attach_gpu(rvvm_machine_t *machine, const board_desc_t *desc)
{
    virtio_gpu_scanout_t scanout[BOARD_SCANOUTS_MAX];
    virtio_desc_t device;
    for (size_t i = 0; i < desc->scanout_count; i++) {
        const board_screen_t *screen = &desc->scanout[i];
        scanout[i] = (virtio_gpu_scanout_t){screen->display, screen->width, screen->height};
    }
    bool ok = virtio_gpu_describe(&device, scanout, (unsigned)desc->scanout_count, 0);
    return slot_attach_or_tell(machine, ok, &device, "the GPU");
}

static bool attach_framebuffer(rvvm_machine_t *machine, const board_screen_t *screen)
{
    if (!framebuffer_init_auto(machine, &screen->display, screen->width, screen->height)) {
        rvvm_error("the frame buffer cannot be attached");
        return false;
    }
    return true;
}

static bool attach_input(rvvm_machine_t *machine, const board_desc_t *desc, size_t index)
{
    virtio_desc_t device;
    bool ok = virtio_input_describe(&device, desc->input[index].kind, &desc->input[index].host);
    return slot_attach_or_tell(machine, ok, &device, "an input device");
}

static bool attach_sound(rvvm_machine_t *machine, const board_desc_t *desc)
{
    virtio_desc_t device;
    bool ok = virtio_snd_describe(&device, desc->playbacks, desc->captures, &desc->audio);
    return slot_attach_or_tell(machine, ok, &device, "the sound device");
}

static bool has_sound(const board_desc_t *desc)
{
    return desc->playbacks || desc->captures;
}

static void free_rest(const board_desc_t *desc, const desktop_taken_t *taken)
{
    for (size_t i = 0; i < desc->scanout_count && !taken->scanouts; i++) {
        desc->scanout[i].display.free(desc->scanout[i].display.opaque);
    }
    if (desc->has_framebuffer && !taken->framebuffer) {
        desc->framebuffer.display.free(desc->framebuffer.display.opaque);
    }
    for (size_t i = taken->inputs; i < desc->input_count; i++) {
        desc->input[i].host.free(desc->input[i].host.opaque);
    }
    if (has_sound(desc) && !taken->audio) {
        desc->audio.free(desc->audio.opaque);
    }
}

void desktop_free_desc(const board_desc_t *desc)
{
    free_rest(desc, &(desktop_taken_t){0});
}

bool desktop_attach(rvvm_machine_t *machine, const board_desc_t *desc)
{
    desktop_taken_t taken = {0};
    bool ok = desc->scanout_count <= BOARD_SCANOUTS_MAX && desc->input_count <= BOARD_INPUTS_MAX;
    if (ok && desc->clock) {
        desc->clock->machine = machine;
    }
    if (ok && desc->scanout_count) {
        taken.scanouts = true;
        ok = attach_gpu(machine, desc);
    }
    if (ok && desc->has_framebuffer) {
        taken.framebuffer = true;
        ok = attach_framebuffer(machine, &desc->framebuffer);
    }
    while (ok && taken.inputs < desc->input_count) {
        ok = attach_input(machine, desc, taken.inputs++);
    }
    if (ok && has_sound(desc)) {
        taken.audio = true;
        ok = attach_sound(machine, desc);
    }
    if (!ok) {
        free_rest(desc, &taken);
    }
    return ok;
}

uint64_t board_clock_now(void *clock)
{
    const rvvm_machine_t *machine = ((board_clock_t *)clock)->machine;
    return machine ? machine_now_ns(machine) : 0;
}
