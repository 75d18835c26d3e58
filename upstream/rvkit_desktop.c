/* SPDX-License-Identifier: MPL-2.0 */
#define COMPAT_HOST
#include "rvkit_desktop.h"

#include "audio.h"
#include "virtio_gpu.h"
#include "virtio_input.h"
#include "virtio_mmio.h"
#include "virtio_snd.h"

#ifdef RVKIT_SDL
#include "sound.h"
#endif

#include <stdio.h>

enum { USUAL_WIDTH = 1024, USUAL_HEIGHT = 768 };

/* --- The window is a device without registers: RVVM's event loop steps it, and frees it with the
 * machine --- */

typedef struct {
    rvkit_window_t *window;
    rvvm_machine_t *machine;
} place_t;

static void place_update(rvvm_mmio_dev_t *dev)
{
    rvkit_window_step(((place_t *)dev->data)->window);
}

static void place_remove(rvvm_mmio_dev_t *dev)
{
    place_t *place = dev->data;
    rvkit_window_close(place->window);
    free(place);
}

static void place_quit(void *opaque)
{
    rvvm_reset_machine(((place_t *)opaque)->machine, false);
}

static void place_reset(void *opaque)
{
    rvvm_reset_machine(((place_t *)opaque)->machine, true);
}

/* NULL: told. */
static rvkit_window_t *place_open(rvvm_machine_t *machine)
{
    static const rvvm_mmio_type_t type = {
        .name = "rvkit_window",
        .update = place_update,
        .remove = place_remove,
    };
    char error[256];
    place_t *place = calloc(1, sizeof(*place));
    if (!place) {
        rvvm_error("-gpu: out of memory");
        return NULL;
    }
    place->machine = machine;
    const rvkit_window_owner_t owner = {.opaque = place, .quit = place_quit, .reset = place_reset};
    rvkit_window_t *window =
        rvkit_window_open("RVVM", USUAL_WIDTH, USUAL_HEIGHT, &owner, error, sizeof(error));
    if (!window) {
        rvvm_error("-gpu: %s", error);
        free(place);
        return NULL;
    }
    place->window = window;
    const rvvm_mmio_dev_t dev = {.data = place, .type = &type};
    return rvvm_attach_mmio(machine, &dev) ? window : NULL; /* which has freed it otherwise */
}

/* --- Devices --- */

static bool desktop_attach_gpu(rvvm_machine_t *machine, rvkit_window_t *window, unsigned screens)
{
    virtio_gpu_scanout_t scanout[RVKIT_WINDOW_SCREENS];
    virtio_desc_t desc;
    for (unsigned i = 0; i < screens; i++) {
        char name[16];
        snprintf(name, sizeof(name), "gpu%u", i);
        scanout[i] = (virtio_gpu_scanout_t){.width = USUAL_WIDTH, .height = USUAL_HEIGHT};
        if (!rvkit_window_add_screen(window, name, true, &scanout[i].display)) {
            while (i--) {
                scanout[i].display.free(scanout[i].display.opaque);
            }
            return false;
        }
    }
    return virtio_gpu_describe(&desc, scanout, screens, 0) &&
           virtio_mmio_init_auto(machine, &desc, 0);
}

static bool desktop_attach_inputs(rvvm_machine_t *machine, rvkit_window_t *window)
{
    static const unsigned kinds[] = {INPUT_KEYBOARD, INPUT_TABLET, INPUT_MOUSE, INPUT_TOUCH};
    bool ok = true;
    for (unsigned i = 0; ok && i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        const input_host_t host = rvkit_window_input(window);
        virtio_desc_t desc;
        ok = virtio_input_describe(&desc, kinds[i], &host) &&
             virtio_mmio_init_auto(machine, &desc, 0);
    }
    return ok;
}

bool rvkit_desktop_attach(rvvm_machine_t *machine, const rvkit_desktop_t *what)
{
    rvkit_window_t *window = place_open(machine);
    if (!window) {
        return false;
    }
    bool ok = desktop_attach_gpu(machine, window, what->screens) &&
              desktop_attach_inputs(machine, window);
    for (unsigned i = 0; ok && i < what->consoles; i++) {
        ok = rvkit_window_add_console(window, what->console[i]);
    }
    if (ok && what->power_key) {
        rvkit_window_power_key(window);
    }
    if (!ok) {
        rvvm_error("-gpu: the devices cannot be attached");
    }
    return ok;
}

/* --- Sound --- */

static bool sound_open_by_name(audio_host_t *host, const char *where, char *error, size_t size)
{
    snprintf(error, size, "%s is none of sdl, null, wav:FILE", where);
    if (!strncmp(where, "wav:", 4) && where[4]) {
        return audio_wav_open(host, NULL, where + 4, NULL, error, size);
    }
    if (!strcmp(where, "null")) {
        return audio_null_open(host, NULL);
    }
#ifdef RVKIT_SDL
    if (!strcmp(where, "sdl")) {
        snprintf(error, size, "SDL has no sound here");
        return sound_open(host);
    }
#endif
    return false;
}

bool rvkit_sound_attach(rvvm_machine_t *machine, const char *where)
{
    audio_host_t host;
    virtio_desc_t desc;
    char error[256];
    if (!sound_open_by_name(&host, where, error, sizeof(error))) {
        rvvm_error("-sound: %s", error);
        return false;
    }
    return virtio_snd_describe(&desc, 1, 1, &host) && virtio_mmio_init_auto(machine, &desc, 0);
}
