/* SPDX-License-Identifier: MPL-2.0 */
/* The WebAssembly engine's C side, with a host that is this program. */
#include "../device/blk_rig.h"
#include "../tap.h"

#include "frontends/wasm/engine_internal.h"
#include "host/clock.h"

#include <rvvm/rvkit.h>

/* --- The host --- */

typedef struct {
    int drive, op;
    uint32_t token;
    double offset, length;
} asked_t;

static struct {
    engine_t *engine;
    uint8_t disk[3 << 20];
    bool later; /* answers come when answer() says so */
    bool fails;
    bool twice; /* answers each request two times */
    asked_t asked[64];
    unsigned count;
    unsigned told_output;
    unsigned stop_ms; /* takes so long to be told of output, once */
    size_t frames, frame_size;
} host;

static void pass_ms(unsigned ms)
{
    uint64_t end = host_clock_ns() + ms * UINT64_C(1000000);
    while (host_clock_ns() < end) {
        host_sleep_ns(1000000);
    }
}

static void serve(const asked_t *a)
{
    uint8_t *buffer = rvkit_drive_buffer(host.engine, a->token);
    uint8_t *at = host.disk + (size_t)a->offset;
    if (a->op == ENGINE_READ && buffer) {
        memcpy(buffer, at, (size_t)a->length);
    } else if (a->op == ENGINE_WRITE && buffer) {
        memcpy(at, buffer, (size_t)a->length);
    } else if (a->op == ENGINE_ZERO) {
        memset(at, 0, (size_t)a->length);
    }
    rvkit_drive_done(host.engine, a->token, !host.fails);
    if (host.twice) {
        rvkit_drive_done(host.engine, a->token, false);
    }
}

void rvkit_host_drive(int drive, uint32_t token, int op, double offset, double length)
{
    const asked_t a = {drive, op, token, offset, length};
    if (host.count < 64) {
        host.asked[host.count++] = a;
    }
    if (!host.later) {
        serve(&a);
    }
}

void rvkit_host_console(int viewer, uint32_t bits)
{
    (void)viewer;
    host.told_output += (bits & CONSOLE_OUTPUT) != 0;
    if (bits & CONSOLE_OUTPUT) {
        unsigned ms = host.stop_ms;
        host.stop_ms = 0;
        pass_ms(ms);
    }
}

void rvkit_host_net(int net, const uint8_t *frame, size_t size)
{
    (void)net;
    (void)frame;
    host.frames++;
    host.frame_size = size;
}

void rvkit_host_display(int display)
{
    (void)display;
}

void rvkit_host_sound_open(uint32_t stream, int capture, int format, uint32_t rate,
                           uint32_t channels)
{
    (void)stream, (void)capture, (void)format, (void)rate, (void)channels;
}

void rvkit_host_sound_play(uint32_t stream, const void *bytes, size_t size)
{
    (void)stream, (void)bytes, (void)size;
}

size_t rvkit_host_sound_record(uint32_t stream, void *bytes, size_t size)
{
    (void)stream, (void)bytes, (void)size;
    return 0;
}

void rvkit_host_sound_close(uint32_t stream)
{
    (void)stream;
}

/* --- Drives --- */

/* The engine's drive behind a mock driver on a machine of the driver's. */
static void drive_up(uint32_t flags)
{
    memset(&host, 0, sizeof(host));
    for (size_t i = 0; i < sizeof(host.disk); i++) {
        host.disk[i] = (uint8_t)(i * 7 + (i >> 9));
    }
    host.engine = rvkit_new(4 << 20, 1, 0);
    CHECK_EQ(0, rvkit_add_drive(host.engine, sizeof(host.disk), flags, "disk"));
    vd_machine(&vd);
    CHECK(vd_attach(&vd, &host.engine->desc.device[0], 0));
    host.engine->desc.device_count = 0;
    blk_header = vd_alloc(&vd, 16);
    blk_status = vd_alloc(&vd, 1);
    blk_data = vd_alloc(&vd, 3 << 20);
    CHECK(vd_start(&vd, ALL_FEATURES & (vd_offered(&vd) | V1)));
}

static void drive_down(void)
{
    vd_close(&vd);
    rvkit_free(host.engine);
}

TEST(drive_at_once)
{
    drive_up(ENGINE_DRIVE_CAN_DISCARD);
    uint8_t *data = vd_ptr(&vd, blk_data);
    CHECK_EQ(0, blk_request(VIRTIO_BLK_T_IN, 5, 4096, NULL));
    CHECK(!memcmp(data, host.disk + 5 * 512, 4096));
    memset(data, 0x5A, 1024);
    CHECK_EQ(0, blk_request(VIRTIO_BLK_T_OUT, 9, 1024, NULL));
    CHECK(host.disk[9 * 512] == 0x5A && host.disk[11 * 512 - 1] == 0x5A &&
          host.disk[11 * 512] != 0x5A);
    CHECK_EQ(0, blk_request(VIRTIO_BLK_T_FLUSH, 0, 0, NULL));
    CHECK_EQ(ENGINE_FLUSH, host.asked[host.count - 1].op);
    CHECK_EQ(0, blk_clear(VIRTIO_BLK_T_WRITE_ZEROES, 9, 1, 0));
    CHECK(host.disk[9 * 512] == 0 && host.disk[10 * 512] == 0x5A);
    double stats[6];
    rvkit_drive_stats(host.engine, 0, stats);
    CHECK(stats[0] == 1 && stats[1] == 1 && stats[2] == 1 && stats[3] == 0 && stats[4] == 4096 &&
          stats[5] == 1024);
    drive_down();
}

/* More than one piece, without one call inside another for each. */
TEST(drive_in_pieces)
{
    drive_up(0);
    uint8_t *data = vd_ptr(&vd, blk_data);
    const uint32_t size = (2 << 20) + 512;
    CHECK_EQ(0, blk_request(VIRTIO_BLK_T_IN, 2, size, NULL));
    CHECK_EQ(3, host.count);
    CHECK(host.asked[1].offset == 1024 + (1 << 20) && host.asked[2].length == 512);
    CHECK(!memcmp(data, host.disk + 1024, size));
    memset(data, 0xEE, size);
    CHECK_EQ(0, blk_request(VIRTIO_BLK_T_OUT, 0, size, NULL));
    CHECK(host.disk[size - 1] == 0xEE && host.disk[size] != 0xEE);
    drive_down();
}

/* Answers that come later, in another order, and once too often. */
TEST(drive_later)
{
    drive_up(0);
    uint16_t id;
    uint32_t used;
    host.later = true;
    host.twice = true;
    blk_add(VIRTIO_BLK_T_IN, 1, 512, 1);
    vd_kick(&vd, 0);
    CHECK(!vd_used(&vd, 0, &id, &used));
    CHECK_EQ(1, host.count);
    CHECK(!rvkit_drive_buffer(host.engine, host.asked[0].token + 1));
    serve(&host.asked[0]);
    CHECK(vd_used(&vd, 0, &id, &used));
    CHECK_EQ(0, blk_get_status());
    CHECK_EQ(513, used);
    CHECK(!memcmp(vd_ptr(&vd, blk_data), host.disk + 512, 512));
    CHECK(!rvkit_drive_buffer(host.engine, host.asked[0].token));
    drive_down();
}

TEST(drive_fails)
{
    drive_up(0);
    host.fails = true;
    CHECK_EQ(VIRTIO_BLK_S_IOERR, blk_request(VIRTIO_BLK_T_IN, 1, 512, NULL));
    CHECK_EQ(VIRTIO_BLK_S_IOERR, blk_request(VIRTIO_BLK_T_OUT, 1, 512, NULL));
    CHECK_EQ(VIRTIO_BLK_S_IOERR, blk_request(VIRTIO_BLK_T_FLUSH, 0, 0, NULL));
    double stats[6];
    rvkit_drive_stats(host.engine, 0, stats);
    CHECK_EQ(3, (unsigned)stats[3]);
    drive_down();
}

/* The machine goes while requests are out; their answers come all the same. */
TEST(drive_forgotten)
{
    drive_up(0);
    host.later = true;
    blk_add(VIRTIO_BLK_T_IN, 1, 512, 1);
    vd_kick(&vd, 0);
    CHECK_EQ(1, host.count);
    vd_close(&vd);
    CHECK(!rvkit_drive_buffer(host.engine, host.asked[0].token));
    rvkit_drive_done(host.engine, host.asked[0].token, true);
    rvkit_free(host.engine);
}

/* A driver that does not flush gets its writes onto the medium before they are answered. */
TEST(drive_write_through)
{
    drive_up(0);
    vd_close(&vd);
    rvkit_free(host.engine);
    memset(&host, 0, sizeof(host));
    host.engine = rvkit_new(4 << 20, 1, 0);
    CHECK_EQ(0, rvkit_add_drive(host.engine, sizeof(host.disk), 0, NULL));
    vd_machine(&vd);
    CHECK(vd_attach(&vd, &host.engine->desc.device[0], 0));
    host.engine->desc.device_count = 0;
    blk_header = vd_alloc(&vd, 16);
    blk_status = vd_alloc(&vd, 1);
    blk_data = vd_alloc(&vd, 4096);
    CHECK(vd_start(&vd, V1));
    CHECK_EQ(0, blk_request(VIRTIO_BLK_T_OUT, 1, 512, NULL));
    CHECK_EQ(2, host.count);
    CHECK(host.asked[0].op == ENGINE_WRITE && host.asked[1].op == ENGINE_FLUSH);
    drive_down();
}

/* --- Whole machines --- */

/* Sends back what its UART gets. */
static const uint32_t echo[] = {
    0x10000537, /*       lui  a0, 0x10000   */
    0x00554583, /* loop: lbu  a1, 5(a0)     */
    0x0015F593, /*       andi a1, a1, 1     */
    0xFE058CE3, /*       beqz a1, loop      */
    0x00054603, /*       lbu  a2, 0(a0)     */
    0x00C50023, /*       sb   a2, 0(a0)     */
    0xFEDFF06F, /*       j    loop          */
};

static engine_t *machine_up(void)
{
    memset(&host, 0, sizeof(host));
    engine_t *e = host.engine = rvkit_new(4 << 20, 1, 0);
    CHECK_EQ(0, rvkit_add_console(e, "ttyS0", 0));
    CHECK(rvkit_build(e));
    uint8_t *bytes = malloc(sizeof(echo));
    memcpy(bytes, echo, sizeof(echo));
    CHECK(rvkit_load(e, ENGINE_FIRMWARE, bytes, sizeof(echo), "echo"));
    CHECK(rvkit_start(e));
    return e;
}

TEST(console_echoes)
{
    engine_t *e = machine_up();
    char got[8] = "";
    size_t size = 0;
    int viewer = rvkit_console_attach(e, 0, CONSOLE_BYTES, 1);
    CHECK_EQ(0, viewer);
    CHECK_EQ(-1, rvkit_console_attach(e, 1, CONSOLE_BYTES, 1));
    CHECK_EQ(5, rvkit_console_type(e, viewer, "hello", 5));
    for (unsigned i = 0; i < 1000 && size < 5; i++) {
        CHECK_EQ(ENGINE_BUSY, rvkit_slice(e, 0.1));
        size += rvkit_console_take(e, viewer, got + size, 5 - size);
    }
    CHECK(!memcmp(got, "hello", 5));
    CHECK(host.told_output > 0);
    CHECK(rvkit_retired_insns(e) > 0);
    rvkit_console_detach(e, viewer);
    CHECK_EQ(0, rvkit_console_type(e, viewer, "x", 1));
    rvkit_free(e);
}

TEST(pause_reset_off)
{
    engine_t *e = machine_up();
    CHECK_EQ(ENGINE_BUSY, rvkit_slice(e, 0.1));
    CHECK(rvkit_pause(e));
    CHECK_EQ(ENGINE_PAUSED, rvkit_slice(e, 0.1));
    CHECK(rvkit_start(e));
    rvkit_reset(e);
    CHECK_EQ(ENGINE_BUSY, rvkit_slice(e, 0.1));
    rvkit_poweroff(e);
    CHECK_EQ(ENGINE_OFF, rvkit_slice(e, 0.1));
    CHECK_EQ(-1, rvkit_exit_status(e));
    rvkit_reset(e);
    CHECK_EQ(ENGINE_BUSY, rvkit_slice(e, 0.1));
    rvkit_free(e);
}

/*
 * All lag is made up, and time never goes back. On a host where each slice takes too long it cannot
 * be; then it grows no faster than time passes.
 */
static void make_up(engine_t *e)
{
    uint64_t begun = host_clock_ns();
    double least = rvkit_lag_ms(e), now = rvkit_guest_ms(e);
    for (unsigned i = 0; i < 2000 && rvkit_lag_ms(e) > 0; i++) {
        double before = now;
        rvkit_slice(e, 0.1);
        now = rvkit_guest_ms(e);
        least = rvkit_lag_ms(e) < least ? rvkit_lag_ms(e) : least;
        CHECK(now >= before);
    }
    double passed = (double)(host_clock_ns() - begun) / 1e6;
    CHECK(least == 0 || passed > 2000 * 40);
}

/* Guest time does not leap while nobody runs slices, and is made up afterwards. */
TEST(late_slices)
{
    engine_t *e = machine_up();
    rvkit_slice(e, 0.1);
    double before = rvkit_guest_ms(e);
    pass_ms(400);
    CHECK(rvkit_guest_ms(e) - before < 51);
    rvkit_slice(e, 0.1);
    make_up(e);
    CHECK(rvkit_guest_ms(e) - before > 400);
    /* A paused machine's time stands still, and nothing is to be made up. */
    CHECK(rvkit_pause(e));
    double lag = rvkit_lag_ms(e), paused = rvkit_guest_ms(e);
    for (unsigned i = 0; i < 3; i++) {
        pass_ms(50);
        CHECK_EQ(ENGINE_PAUSED, rvkit_slice(e, 0.1));
        CHECK(rvkit_guest_ms(e) == paused);
    }
    CHECK(rvkit_start(e));
    CHECK(rvkit_lag_ms(e) == lag);
    CHECK(rvkit_guest_ms(e) >= paused && rvkit_guest_ms(e) - paused < 50);
    rvkit_free(e);
}

/* Nor when the process is stopped in the middle of a slice: here, while it tells of output. */
TEST(long_slices)
{
    engine_t *e = machine_up();
    int viewer = rvkit_console_attach(e, 0, CONSOLE_BYTES, 1);
    CHECK_EQ(1, rvkit_console_type(e, viewer, "x", 1));
    host.stop_ms = 400;
    double before = rvkit_guest_ms(e), now = before;
    for (unsigned i = 0; i < 1000 && host.stop_ms; i++) {
        before = now;
        rvkit_slice(e, 0.1);
        now = rvkit_guest_ms(e);
    }
    CHECK_EQ(0, host.stop_ms);
    CHECK(now - before < 300);
    CHECK(rvkit_lag_ms(e) > 300);
    make_up(e);
    CHECK(rvkit_guest_ms(e) >= now);
    /* Paused while nobody runs slices: that is not late. */
    CHECK(rvkit_pause(e));
    now = rvkit_guest_ms(e);
    pass_ms(300);
    CHECK(rvkit_start(e));
    CHECK(rvkit_guest_ms(e) - now < 200);
    rvkit_slice(e, 0.1);
    CHECK(rvkit_lag_ms(e) < 200);
    CHECK(rvkit_guest_ms(e) >= now);
    rvkit_free(e);
}

/* What the page asks of a folder; src/host/share_memory.c has tests of its own. */
TEST(shares)
{
    double out[6];
    char buf[16];
    int32_t size;
    engine_t *e = rvkit_new(4 << 20, 1, 0);
    CHECK_EQ(-1, rvkit_add_share(e, "no tag", 0, 1e6));
    CHECK_EQ(-1, rvkit_add_share(e, "home", 0, -1));
    CHECK_EQ(0, rvkit_add_share(e, "home", 0, 1e6));
    CHECK_EQ(-1, rvkit_add_share(e, "home", 1, 1e6));
    CHECK_EQ(1, rvkit_add_share(e, "other", 1, 0));
    CHECK_EQ(0, rvkit_share_put(e, 0, "early", "abc", 3, 0755));
    CHECK(rvkit_build(e));
    double serial = rvkit_share_serial(e, 0);
    CHECK(rvkit_share_stat(e, 0, "early", out) == 0 && out[0] == 0100755 && out[1] == 3);
    CHECK(out[2] > 1.6e12 && out[3] == 1 && out[5] >= 3);
    CHECK_EQ(0, rvkit_share_mkdir(e, 0, "d", 0700));
    CHECK(rvkit_share_write(e, 0, "d/file", 4, "xyz", 3, 0600) == 3);
    CHECK(rvkit_share_read(e, 0, "d/file", 3, buf, sizeof(buf)) == 4 && !memcmp(buf, "\0xyz", 4));
    CHECK_EQ(0, rvkit_share_set(e, 0, "early", 0640, 1, 1234567));
    CHECK(rvkit_share_stat(e, 0, "early", out) == 0 && out[0] == 0100640 && out[1] == 1);
    CHECK(out[2] == 1234567);
    CHECK_EQ(0, rvkit_share_set(e, 0, "early", -1, -1, -1));
    CHECK(rvkit_share_serial(e, 0) > serial && rvkit_share_serial(e, 1) == 0);

    uint8_t *list = rvkit_share_list(e, 0, "", &size);
    CHECK(list && size == 32 + 32);
    CHECK(list && util_get_le32(list + 16) == 0100640 && util_get_le32(list + 20) == 5);
    CHECK(list && !memcmp(list + 24, "early", 5) && list[32 + 24] == 'd');
    double number = 0;
    memcpy(&number, list ? list + 8 : (uint8_t *)&number, sizeof(number));
    CHECK(number == 1234567);
    free(list);
    list = rvkit_share_list(e, 1, "", &size);
    CHECK(list && size == 0);
    free(list);
    CHECK(!rvkit_share_list(e, 0, "none", &size) && size == -2);
    CHECK_EQ(-39, rvkit_share_remove(e, 0, "d", 0));
    CHECK_EQ(0, rvkit_share_rename(e, 0, "d", "renamed", 1));
    CHECK_EQ(0, rvkit_share_remove(e, 0, "renamed", 1));
    CHECK(rvkit_share_space(e, 0, out) == 0 && out[0] == 1e6 && out[1] > 0 && out[2] == 2);
    CHECK(rvkit_share_read(e, 0, "early", -1, buf, 1) == -22);
    CHECK(rvkit_share_write(e, 0, "early", 1e300, buf, 1, 0) == -22);
    CHECK_EQ(-22, rvkit_share_set(e, 0, "early", 0, 1e17, 0));
    for (int wrong = -1; wrong <= 2; wrong += 3) {
        CHECK(rvkit_share_serial(e, wrong) == -19 && !rvkit_share_list(e, wrong, "", &size));
        CHECK(size == -19 && rvkit_share_space(e, wrong, out) == -19);
        CHECK(rvkit_share_read(e, wrong, "early", 0, buf, 1) == -19);
        CHECK(rvkit_share_write(e, wrong, "early", 0, buf, 1, 0) == -19);
        CHECK_EQ(-19, rvkit_share_stat(e, wrong, "early", out));
        CHECK_EQ(-19, rvkit_share_put(e, wrong, "early", buf, 1, 0));
        CHECK_EQ(-19, rvkit_share_set(e, wrong, "early", 0, 1, 0));
        CHECK_EQ(-19, rvkit_share_mkdir(e, wrong, "x", 0));
        CHECK_EQ(-19, rvkit_share_remove(e, wrong, "early", 0));
        CHECK_EQ(-19, rvkit_share_rename(e, wrong, "early", "x", 0));
    }
    rvkit_free(e);
}

TEST(refusals)
{
    engine_t *e = rvkit_new(4 << 20, 1, 0);
    CHECK_EQ(-1, rvkit_add_drive(e, 513, 0, NULL));
    CHECK_EQ(-1, rvkit_add_drive(e, -512, 0, NULL));
    CHECK(!rvkit_start(e));
    CHECK(!rvkit_load(e, ENGINE_KERNEL, malloc(4), 4, "early"));
    for (int i = 0; i < BOARD_SERIAL_MAX; i++) {
        CHECK_EQ(i, rvkit_add_console(e, "x", 0));
    }
    CHECK_EQ(-1, rvkit_add_console(e, "x", 0));
    CHECK_EQ(0, rvkit_add_drive(e, 512, 0, NULL));
    CHECK_EQ(0, rvkit_add_net(e, NULL));
    CHECK_EQ(0, rvkit_add_display(e, 0, 640, 480));
    CHECK_EQ(0, rvkit_add_input(e, INPUT_KEYBOARD | INPUT_TABLET));
    CHECK_EQ(0, rvkit_add_sound(e));
    CHECK_EQ(0, rvkit_add_share(e, "home", 0, 1e6));
    rvkit_free(e); /* parts that no machine has taken */

    e = rvkit_new(4 << 20, 1, 0);
    CHECK(rvkit_build(e));
    CHECK(!rvkit_build(e));
    CHECK_EQ(-1, rvkit_add_console(e, "x", 0));
    CHECK(!rvkit_load(e, 9, malloc(4), 4, "what"));
    CHECK(!rvkit_load(e, ENGINE_DTB, calloc(1, 64), 64, "no tree"));
    rvkit_free(e);
    rvkit_free(NULL);
}

int main(void)
{
    RUN(drive_at_once);
    RUN(drive_in_pieces);
    RUN(drive_later);
    RUN(drive_fails);
    RUN(drive_forgotten);
    RUN(drive_write_through);
    RUN(console_echoes);
    RUN(pause_reset_off);
    RUN(late_slices);
    RUN(long_slices);
    RUN(shares);
    RUN(refusals);
    return tap_finish();
}
