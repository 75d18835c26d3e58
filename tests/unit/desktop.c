/* SPDX-License-Identifier: MPL-2.0 */
/* A board with screens, input devices and sound: all of it is there, and back ends are freed once,
 * also when there is no machine in the end. */
#include "frontends/display.h"
#include "frontends/input.h"

#include "host/audio.h"
#include "tap.h"

#include <rvvm/compat.h>

#include <stdlib.h>

static unsigned frees;

static void count_attach(void *opaque, const audio_guest_t *guest)
{
    (void)opaque;
    (void)guest;
}

static void count_stop(void *opaque, unsigned stream)
{
    (void)opaque;
    (void)stream;
}

static void count_free(void *opaque)
{
    (void)opaque;
    frees++;
}

static void count_leds(void *opaque, unsigned leds)
{
    (void)opaque;
    (void)leds;
}

static void count_listen(void *opaque, unsigned kinds, const input_guest_t *guest)
{
    (void)opaque;
    (void)kinds;
    (void)guest;
}

static void screen_attach(void *opaque, const display_guest_t *guest)
{
    (void)opaque;
    (void)guest;
}

static bool screen_mode(void *opaque, uint32_t width, uint32_t height)
{
    (void)opaque;
    return display_size_ok(width, height) || !(width | height);
}

static void screen_cursor(void *opaque, const uint32_t *image, uint32_t x, uint32_t y)
{
    (void)opaque;
    (void)image;
    CHECK(!x && !y);
}

static void screen_move(void *opaque, int32_t x, int32_t y)
{
    (void)opaque;
    CHECK(!x && !y);
}

/* Seven back ends. */
static board_desc_t full(void)
{
    const board_screen_t screen = {.display = {.attach = screen_attach,
                                               .set_mode = screen_mode,
                                               .cursor = screen_cursor,
                                               .move_cursor = screen_move,
                                               .free = count_free},
                                   .width = 640,
                                   .height = 480};
    const input_host_t host = {.attach = count_listen, .leds = count_leds, .free = count_free};
    board_desc_t desc = {.mem_size = 16 << 20,
                         .harts = 1,
                         .scanout_count = 2,
                         .has_framebuffer = true,
                         .input_count = 3,
                         .playbacks = 1};
    desc.scanout[0] = desc.scanout[1] = desc.framebuffer = screen;
    for (unsigned i = 0; i < 3; i++) {
        desc.input[i].host = host;
        desc.input[i].kind = 1u << i;
    }
    desc.audio = (audio_host_t){.attach = count_attach, .stop = count_stop, .free = count_free};
    return desc;
}

static unsigned slots(rvvm_machine_t *machine)
{
    unsigned count = 0;
    for (uint64_t addr = 0x10001000; addr < 0x10010000; addr += 0x1000) {
        char name[32];
        snprintf(name, sizeof(name), "virtio_mmio@%llx", (unsigned long long)addr);
        count += rvvm_fdt_find(rvvm_get_fdt_soc(machine), name) != NULL;
    }
    return count;
}

TEST(all)
{
    board_desc_t desc = full();
    frees = 0;
    rvvm_machine_t *machine = board_create(&desc);
    CHECK(machine);
    CHECK_EQ(1 + 1 + 3 + 1, slots(machine)); /* with the entropy device */
    CHECK(rvvm_fdt_find(rvvm_get_fdt_soc(machine), "framebuffer@28000000"));
    CHECK_EQ(0, frees);
    rvvm_free_machine(machine);
    CHECK_EQ(7, frees);
}

static void refused(const board_desc_t *desc)
{
    frees = 0;
    CHECK(!board_create(desc));
    CHECK_EQ(7, frees);
}

TEST(mistakes)
{
    board_desc_t desc = full();
    rvvm_set_loglevel(0);
    desc.framebuffer.width = 0;
    refused(&desc);
    desc = full();
    desc.input[1].kind = 3;
    refused(&desc);
    desc = full();
    desc.captures = AUDIO_STREAMS_MAX;
    refused(&desc);
    desc = full();
    desc.mem_size = 0; /* no machine at all */
    refused(&desc);
}

/* The guest's time, for sound: with -icount it stands while the guest does. */
TEST(clock)
{
    board_clock_t clock = {0};
    const audio_clock_t time = {board_clock_now, &clock};
    board_desc_t desc = {
        .mem_size = 16 << 20, .harts = 1, .playbacks = 1, .icount = 10, .clock = &clock};
    CHECK_EQ(0, board_clock_now(&clock));
    CHECK(audio_null_open(&desc.audio, &time));
    rvvm_machine_t *machine = board_create(&desc);
    CHECK(machine && clock.machine == machine);
    uint64_t now = board_clock_now(&clock);
    CHECK_EQ(now, board_clock_now(&clock));
    rvvm_free_machine(machine);
}

int main(void)
{
    RUN(all);
    RUN(mistakes);
    RUN(clock);
    return tap_finish();
}
