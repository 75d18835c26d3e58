/* SPDX-License-Identifier: MPL-2.0 */
#include "engine_internal.h"

#include "../cmdline.h"

#include "../../desktop.h"
#include "../../host/clock.h"
#include "../../util.h"

#include <stdlib.h>

/* What is run between two looks at the clock: less than a millisecond. */
#define SLICE_INSNS 20000

/* Milliseconds between two slices of an idle machine, at most: with pictures or sound, and without.
 */
#define IDLE_WATCHED_MS 16.0
#define IDLE_MS 250.0

bool engine_is_open(const engine_t *engine, int have, int most, const char *what)
{
    if (engine->built) {
        rvvm_error("the machine is built already");
    } else if (have >= most) {
        rvvm_error("at most %d %s", most, what);
    }
    return !engine->built && have < most;
}

virtio_desc_t *engine_next_device(engine_t *engine)
{
    bool open =
        engine_is_open(engine, (int)engine->desc.device_count, BOARD_DEVICES_MAX, "devices");
    return open ? &engine->desc.device[engine->desc.device_count] : NULL;
}

ENGINE_EXPORT engine_t *rvkit_new(double mem, uint32_t harts, uint32_t flags)
{
    engine_t *engine = calloc(1, sizeof(*engine));
    if (!engine) {
        rvvm_error("out of memory");
        return NULL;
    }
    engine->desc = (board_desc_t){
        .mem_size = (size_t)mem,
        .harts = harts,
        .cooperative = true,
        .icount = flags & ENGINE_ICOUNT ? RVKIT_ICOUNT_DEFAULT : 0,
        .virtio = flags & (ENGINE_ICOUNT - 1),
        .clock = &engine->clock,
    };
    engine->input = input_new();
    engine->source = engine->input ? input_source_new(engine->input) : NULL;
    if (!engine->source) {
        rvvm_error("out of memory");
        rvkit_free(engine);
        return NULL;
    }
    return engine;
}

/* Parts that no machine has taken over. */
static void engine_free_parts(const board_desc_t *desc)
{
    for (size_t i = 0; i < desc->serial_count; i++) {
        chardev_free(desc->serial[i]);
    }
    for (size_t i = 0; i < desc->console_count; i++) {
        chardev_free(desc->console[i]);
    }
    for (size_t i = 0; i < desc->device_count; i++) {
        desc->device[i].type->remove(desc->device[i].data);
    }
    for (size_t i = 0; i < desc->share_count; i++) {
        desc->share[i].server.ops->free(desc->share[i].server.opaque);
    }
    desktop_free_desc(desc);
}

ENGINE_EXPORT void rvkit_free(engine_t *engine)
{
    if (!engine) {
        return;
    }
    engine_free_viewers(engine);
    if (!engine->built) {
        engine_free_parts(&engine->desc);
    }
    rvvm_free_machine(engine->machine);
    engine_free_consoles(engine);
    engine_free_displays(engine);
    engine_free_shares(engine);
    input_source_free(engine->source);
    input_close(engine->input);
    free(engine);
}

ENGINE_EXPORT bool rvkit_build(engine_t *engine)
{
    if (!engine_is_open(engine, 0, 1, "machine")) {
        return false;
    }
    engine->built = true;
    engine->machine = board_create(&engine->desc);
    if (engine->machine) {
        engine_connect_consoles(engine);
    }
    return engine->machine != NULL;
}

ENGINE_EXPORT bool rvkit_load(engine_t *engine, int what, uint8_t *bytes, size_t size,
                              const char *name)
{
    static const rvkit_file_t file[] = {
        [ENGINE_FIRMWARE] = RVKIT_FIRMWARE,
        [ENGINE_KERNEL] = RVKIT_KERNEL,
        [ENGINE_INITRD] = RVKIT_INITRD,
        [ENGINE_DTB] = RVKIT_FDT,
    };
    if (what < 0 || what > ENGINE_DTB || !engine->machine || engine->started) {
        free(bytes);
        rvvm_error("%s: files are loaded between building and starting", name);
        return false;
    }
    engine->initrd |= what == ENGINE_INITRD;
    return rvkit_load_bytes(engine->machine, file[what], bytes, size, name);
}

ENGINE_EXPORT bool rvkit_cmdline(engine_t *engine, const char *cmdline, const char *append)
{
    if (!engine->machine) {
        return false;
    }
    if (cmdline) {
        rvvm_set_cmdline(engine->machine, cmdline);
    } else {
        const char *root = engine->root ? "root=/dev/vda rw" : "root=/dev/vda ro";
        const cmdline_t usual = {
            .on_hvc = engine->consoles && engine->console[0].hvc,
            .screen = engine->displays != 0,
            .root = engine->drives && !engine->initrd ? root : NULL,
        };
        cmdline_set_usual(engine->machine, &usual);
    }
    rvvm_append_cmdline(engine->machine, append);
    return true;
}

ENGINE_EXPORT uint8_t *rvkit_dtb(engine_t *engine, size_t *size)
{
    return rvkit_get_fdt(engine->machine, size);
}

ENGINE_EXPORT bool rvkit_start(engine_t *engine)
{
    if (!engine->machine || (!engine->started && !board_attach_htif(engine->machine))) {
        return false;
    }
    engine->started = true;
    return rvvm_start_machine(engine->machine);
}

ENGINE_EXPORT bool rvkit_pause(engine_t *engine)
{
    return rvvm_pause_machine(engine->machine);
}

ENGINE_EXPORT void rvkit_reset(engine_t *engine)
{
    rvvm_reset_machine(engine->machine, true);
    if (engine->machine && !rvvm_machine_running(engine->machine)) {
        rvvm_start_machine(engine->machine);
    }
}

ENGINE_EXPORT void rvkit_poweroff(engine_t *engine)
{
    rvvm_reset_machine(engine->machine, false);
}

static int engine_status(engine_t *engine, rvkit_slice_t slice)
{
    switch (slice) {
    case RVKIT_SLICE_BUSY:
        return ENGINE_BUSY;
    case RVKIT_SLICE_IDLE:
        return ENGINE_IDLE;
    default:
        return rvvm_machine_powered(engine->machine) ? ENGINE_PAUSED : ENGINE_OFF;
    }
}

ENGINE_EXPORT int rvkit_slice(engine_t *engine, double ms)
{
    uint64_t end = host_clock_ns() + (uint64_t)(ms * 1e6);
    rvkit_slice_t slice;
    do {
        slice = rvkit_run_slice(engine->machine, SLICE_INSNS);
    } while (slice == RVKIT_SLICE_BUSY && host_clock_ns() < end);
    return engine_status(engine, slice);
}

ENGINE_EXPORT double rvkit_idle_ms(engine_t *engine)
{
    double ms = (double)rvkit_idle_ns(engine->machine) / 1e6;
    double most = engine_is_watched(engine) ? IDLE_WATCHED_MS : IDLE_MS;
    return ms < most ? ms : most;
}

ENGINE_EXPORT double rvkit_retired_insns(engine_t *engine)
{
    return engine->machine ? (double)rvkit_retired(engine->machine) : 0;
}

ENGINE_EXPORT double rvkit_guest_ms(engine_t *engine)
{
    return (double)board_clock_now(&engine->clock) / 1e6;
}

ENGINE_EXPORT double rvkit_lag_ms(engine_t *engine)
{
    return (double)rvkit_lag_ns(engine->machine) / 1e6;
}

ENGINE_EXPORT int rvkit_exit_status(engine_t *engine)
{
    uint32_t status;
    bool given = engine->machine && board_htif_status(engine->machine, &status);
    return !given ? -1 : status > 255 ? 255 : (int)status;
}
