/* SPDX-License-Identifier: MPL-2.0 */
/* The GPU's rules: VirtIO 1.2 §5.7. */
#include "devices/edid.h"
#include "devices/virtio_gpu.h"
#include "screen_rig.h"
#include "virtio_driver.h"

#ifdef RVVM_COMPAT_RVKIT
#include "damage.h"
#endif

#define V1 VIRTIO_F_VERSION_1
#define EDID VIRTIO_BIT(1)
#define BLOB VIRTIO_BIT(3)

enum {
    CONTROL,
    CURSOR,
    DISPLAY_INFO = 0x100,
    CREATE_2D,
    UNREF,
    SET_SCANOUT,
    FLUSH,
    TRANSFER,
    ATTACH,
    DETACH,
    CAPSET_INFO,
    CAPSET,
    GET_EDID,
    UUID,
    CREATE_BLOB,
    SET_SCANOUT_BLOB,
    UPDATE_CURSOR = 0x300,
    MOVE_CURSOR,
    OK = 0x1100,
    OK_INFO = 0x1101,
    OK_EDID = 0x1104,
    UNSPEC = 0x1200,
    NO_MEMORY,
    BAD_SCANOUT,
    BAD_RESOURCE,
    BAD_CONTEXT,
    BAD_PARAMETER,
    BGRA = 1,
};

static vd_t vd;
static screen_t screen[3];
static uint64_t in, out; /* command and answer */
static uint32_t out_len;

/* A device with two scanouts, the second of 800 x 600; memory in bytes. */
static void up_with(uint64_t features, unsigned flags, uint64_t memory)
{
    virtio_desc_t desc;
    const virtio_gpu_scanout_t scanout[2] = {{.display = screen_host(&screen[0])},
                                             {screen_host(&screen[1]), 800, 600}};
    vd_machine(&vd);
    CHECK(virtio_gpu_describe(&desc, scanout, 2, memory));
    CHECK(vd_attach(&vd, &desc, flags));
    CHECK(vd_start(&vd, features));
    in = vd_alloc(&vd, 8192);
    out = vd_alloc(&vd, 4096);
}

static void up(uint64_t features)
{
    memset(screen, 0, sizeof(screen));
    up_with(features, 0, 0);
}

/* Sends a command of so many words after its header; returns the answer's type. */
static uint32_t send_flags(uint32_t type, uint32_t flags, const uint32_t *words, unsigned count)
{
    const vd_buf_t buf[2] = {{in, 24 + 4 * count, false}, {out, 2048, true}};
    memset(vd_ptr(&vd, in), 0, 24);
    memset(vd_ptr(&vd, out), 0xEE, 2048);
    vd_put32(&vd, in, type);
    vd_put32(&vd, in + 4, flags);
    for (unsigned i = 0; i < count; i++) {
        vd_put32(&vd, in + 24 + 4 * i, words[i]);
    }
    CHECK(vd_request(&vd, CONTROL, buf, 2, &out_len));
    return vd_get32(&vd, out);
}

#define SEND(type, ...)                                                                            \
    send_flags(type, 0, (const uint32_t[]){__VA_ARGS__},                                           \
               sizeof((const uint32_t[]){__VA_ARGS__}) / 4)

static uint32_t answer(size_t offset)
{
    return vd_get32(&vd, out + offset);
}

/* A resource with backing of its own; returns the backing's address. */
static uint64_t picture(uint32_t id, uint32_t format, uint32_t width, uint32_t height)
{
    uint64_t mem = vd_alloc(&vd, (size_t)width * height * 4);
    CHECK_EQ(OK, SEND(CREATE_2D, id, format, width, height));
    CHECK_EQ(OK, SEND(ATTACH, id, 1, (uint32_t)mem, 0, width * height * 4, 0));
    return mem;
}

static uint32_t seen(unsigned index, uint32_t x, uint32_t y)
{
    return screen[index].pixel[y * SIDE + x];
}

TEST(identity)
{
    uint8_t config[16];
    up(V1);
    CHECK_EQ(16, vd_read(&vd, VD_DEVICE_ID));
    CHECK_EQ(EDID | BLOB, vd_offered(&vd) & 0xFFFFFF);
    vd_config_read(&vd, 0, config, 16, 4);
    CHECK_EQ(0, read_uint32_le_m(config));
    CHECK_EQ(2, read_uint32_le_m(config + 8));
    CHECK_EQ(0, read_uint32_le_m(config + 12));
    vd_close(&vd);
}

TEST(display_info)
{
    up(V1);
    CHECK_EQ(OK_INFO, SEND(DISPLAY_INFO, 0));
    CHECK_EQ(24 + 16 * 24, out_len);
    CHECK(answer(24) == 0 && answer(28) == 0 && answer(32) == 1024 && answer(36) == 768 &&
          answer(40) == 1);
    CHECK(answer(48) == 1024 && answer(56) == 800 && answer(60) == 600 && answer(64) == 1);
    CHECK(answer(72 + 8) == 0 && answer(72 + 16) == 0); /* there is no third */
    vd_close(&vd);
}

TEST(edid)
{
    up(V1 | EDID);
    CHECK_EQ(OK_EDID, SEND(GET_EDID, 1, 0));
    CHECK_EQ(24 + 8 + 1024, out_len);
    CHECK_EQ(128, answer(24));
    const uint8_t *e = vd_ptr(&vd, out + 32);
    uint8_t sum = 0;
    for (unsigned i = 0; i < 128; i++) {
        sum = (uint8_t)(sum + e[i]);
    }
    CHECK_EQ(0, sum);
    CHECK(!memcmp(e, "\0\xff\xff\xff\xff\xff\xff\0", 8) && e[18] == 1 && e[19] == 4);
    CHECK_EQ(800, e[56] | e[58] >> 4 << 8);
    CHECK_EQ(600, e[59] | e[61] >> 4 << 8);
    screen[1].guest.resize(screen[1].guest.opaque, 1280, 800);
    CHECK_EQ(OK_EDID, SEND(GET_EDID, 1, 0));
    CHECK_EQ(1280, e[56] | e[58] >> 4 << 8);
    CHECK_EQ(800, e[59] | e[61] >> 4 << 8);
    CHECK_EQ(7100, e[54] | e[55] << 8); /* CVT's clock for it, in 10 kHz */
    CHECK_EQ(BAD_SCANOUT, SEND(GET_EDID, 2, 0));
    CHECK(vd_start(&vd, V1));
    CHECK_EQ(UNSPEC, SEND(GET_EDID, 0, 0));
    vd_close(&vd);
}

/* Whatever the size, it is one that the block can hold. */
TEST(edid_sizes)
{
    static const uint32_t size[] = {0, 1, 97, 640, 4095, 4096, 8192, UINT32_MAX};
    for (unsigned i = 0; i < 64; i++) {
        uint8_t e[EDID_SIZE], sum = 0;
        edid_make(e, size[i / 8], size[i % 8], i);
        for (unsigned k = 0; k < 128; k++) {
            sum = (uint8_t)(sum + e[k]);
        }
        uint32_t width = e[56] | e[58] >> 4 << 8, want = size[i / 8] < 1      ? 1
                                                         : size[i / 8] > 4095 ? 4095
                                                                              : size[i / 8];
        CHECK_EQ(want, width);
        CHECK_EQ(0, sum);
        CHECK((e[54] | e[55] << 8) >= 1000);
    }
}

TEST(size_asked_for)
{
    uint8_t word[4] = {1, 0, 0, 0};
    up(V1);
    screen[0].guest.resize(screen[0].guest.opaque, 1920, 1080);
    CHECK_EQ(2, vd_ack(&vd));
    vd_config_read(&vd, 0, word, 4, 4);
    CHECK_EQ(1, read_uint32_le_m(word));
    screen[0].guest.resize(screen[0].guest.opaque, 1920, 1080);
    CHECK(!vd_irq(&vd));
    CHECK_EQ(OK_INFO, SEND(DISPLAY_INFO, 0));
    CHECK(answer(32) == 1920 && answer(36) == 1080 && answer(48) == 1920);
    vd_ack(&vd);
    memset(word, 0xFF, 4);
    vd_config_write(&vd, 0, word, 4, 4); /* events_read cannot be written */
    vd_config_write(&vd, 8, word, 4, 4); /* nor can num_scanouts */
    vd_config_read(&vd, 0, word, 4, 4);
    CHECK_EQ(1, read_uint32_le_m(word));
    vd_config_read(&vd, 8, word, 4, 4);
    CHECK_EQ(2, read_uint32_le_m(word));
    write_uint32_le_m(word, 1);
    vd_config_write(&vd, 4, word, 4, 4);
    vd_config_read(&vd, 0, word, 4, 4);
    CHECK_EQ(0, read_uint32_le_m(word));
    vd_config_read(&vd, 4, word, 4, 4);
    CHECK_EQ(0, read_uint32_le_m(word));
    screen[0].guest.resize(screen[0].guest.opaque, 0, 0);
    SEND(DISPLAY_INFO, 0);
    CHECK(answer(40) == 0 && answer(32) == 0);
    vd_close(&vd);
}

/* What is asked for while the display is attached counts. */
TEST(size_at_first)
{
    memset(screen, 0, sizeof(screen));
    screen[0].first_width = 1366;
    screen[0].first_height = 700;
    up_with(V1, 0, 0);
    SEND(DISPLAY_INFO, 0);
    CHECK(answer(32) == 1366 && answer(36) == 700);
    vd_close(&vd);
}

TEST(formats)
{
    static const uint8_t bytes[4] = {0x11, 0x22, 0x33, 0x44};
    static const struct {
        uint32_t format, want;
    } table[] = {{1, 0x44332211},  {2, 0xFF332211},  {3, 0x11223344},   {4, 0xFF223344},
                 {67, 0x44112233}, {68, 0xFF443322}, {121, 0x11443322}, {134, 0xFF112233}};
    up(V1);
    for (unsigned i = 0; i < 8; i++) {
        uint64_t mem = picture(i + 1, table[i].format, 2, 2);
        memcpy(vd_ptr(&vd, mem + 12), bytes, 4);
        CHECK_EQ(OK, SEND(SET_SCANOUT, 0, 0, 2, 2, 0, i + 1));
        CHECK_EQ(OK, SEND(TRANSFER, 0, 0, 2, 2, 0, 0, i + 1, 0));
        CHECK_EQ(OK, SEND(FLUSH, 0, 0, 2, 2, i + 1, 0));
        CHECK_EQ(table[i].want, seen(0, 1, 1));
    }
    vd_close(&vd);
}

TEST(create_mistakes)
{
    up(V1);
    CHECK_EQ(BAD_RESOURCE, SEND(CREATE_2D, 0, BGRA, 4, 4));
    CHECK_EQ(BAD_PARAMETER, SEND(CREATE_2D, 1, 0, 4, 4));
    CHECK_EQ(BAD_PARAMETER, SEND(CREATE_2D, 1, 5, 4, 4));
    CHECK_EQ(BAD_PARAMETER, SEND(CREATE_2D, 1, BGRA, 0, 4));
    CHECK_EQ(BAD_PARAMETER, SEND(CREATE_2D, 1, BGRA, 0x40000000, 0x40000000));
    CHECK_EQ(OK, SEND(CREATE_2D, 1, BGRA, 4, 4));
    CHECK_EQ(BAD_RESOURCE, SEND(CREATE_2D, 1, BGRA, 4, 4));
    CHECK_EQ(OK, SEND(UNREF, 1, 0));
    CHECK_EQ(BAD_RESOURCE, SEND(UNREF, 1, 0));
    CHECK_EQ(OK, SEND(CREATE_2D, 1, BGRA, 4, 4));
    vd_close(&vd);
}

TEST(memory_bound)
{
    memset(screen, 0, sizeof(screen));
    up_with(V1 | BLOB, 0, 64 * 64 * 4 * 3 + 100);
    for (uint32_t id = 1; id <= 3; id++) {
        CHECK_EQ(OK, SEND(CREATE_2D, id, BGRA, 64, 64));
    }
    CHECK_EQ(NO_MEMORY, SEND(CREATE_2D, 4, BGRA, 64, 64));
    CHECK_EQ(BAD_RESOURCE, SEND(UNREF, 4, 0)); /* nothing is left of it */
    uint32_t mem = (uint32_t)vd_alloc(&vd, 4096);
    uint32_t attach[2 + 4 * 8] = {1, 8};
    for (unsigned i = 0; i < 8; i++) {
        attach[2 + 4 * i] = mem;
        attach[4 + 4 * i] = 4096;
    }
    CHECK_EQ(NO_MEMORY, send_flags(ATTACH, 0, attach, 2 + 4 * 8));
    CHECK_EQ(OK, SEND(UNREF, 2, 0));
    CHECK_EQ(OK, send_flags(ATTACH, 0, attach, 2 + 4 * 8));
    CHECK_EQ(NO_MEMORY, SEND(CREATE_2D, 4, BGRA, 64, 64));
    CHECK_EQ(OK, SEND(DETACH, 1, 0));
    CHECK_EQ(OK, SEND(CREATE_2D, 4, BGRA, 64, 64));
    CHECK(vd_start(&vd, V1)); /* a reset gives all of it back */
    for (uint32_t id = 1; id <= 3; id++) {
        CHECK_EQ(OK, SEND(CREATE_2D, id, BGRA, 64, 64));
    }
    vd_close(&vd);
}

TEST(number_bound)
{
    uint32_t id = 1;
    up(V1);
    while (id < 10000 && SEND(CREATE_2D, id, BGRA, 1, 1) == OK) {
        id++;
    }
    CHECK_EQ(NO_MEMORY, answer(0));
    CHECK(id > 1000 && id < 10000);
    CHECK_EQ(OK, SEND(UNREF, 7, 0));
    CHECK_EQ(OK, SEND(CREATE_2D, id, BGRA, 1, 1));
    vd_close(&vd);
}

TEST(backing_mistakes)
{
    up(V1);
    uint32_t mem = (uint32_t)vd_alloc(&vd, 4096), end = RVVM_DEFAULT_MEMBASE + VD_RAM;
    CHECK_EQ(OK, SEND(CREATE_2D, 1, BGRA, 4, 4));
    CHECK_EQ(UNSPEC, SEND(TRANSFER, 0, 0, 4, 4, 0, 0, 1, 0));
    CHECK_EQ(BAD_RESOURCE, SEND(ATTACH, 2, 1, mem, 0, 64, 0));
    CHECK_EQ(BAD_PARAMETER, SEND(ATTACH, 1, 0));
    CHECK_EQ(BAD_PARAMETER, SEND(ATTACH, 1, 2, mem, 0, 64, 0));
    CHECK_EQ(BAD_PARAMETER, SEND(ATTACH, 1, 0xFFFFFFFF, mem, 0, 64, 0));
    CHECK_EQ(BAD_PARAMETER, SEND(ATTACH, 1, 1, 0x1000, 0, 64, 0));
    CHECK_EQ(BAD_PARAMETER, SEND(ATTACH, 1, 1, end - 63, 0, 64, 0));
    CHECK_EQ(BAD_PARAMETER, SEND(ATTACH, 1, 1, mem, 1, 64, 0));
    CHECK_EQ(BAD_PARAMETER, SEND(ATTACH, 1, 1, mem, 0, 0, 0));
    CHECK_EQ(OK, SEND(ATTACH, 1, 1, end - 64, 0, 64, 0));
    CHECK_EQ(BAD_PARAMETER, SEND(ATTACH, 1, 1, mem, 0, 64, 0));
    CHECK_EQ(OK, SEND(TRANSFER, 0, 0, 4, 4, 0, 0, 1, 0));
    CHECK_EQ(BAD_PARAMETER, SEND(TRANSFER, 0, 0, 4, 4, 1, 0, 1, 0));
    CHECK_EQ(BAD_PARAMETER, SEND(TRANSFER, 0, 0, 4, 4, 0xFFFFFFFF, 0xFFFFFFFF, 1, 0));
    CHECK_EQ(BAD_PARAMETER, SEND(TRANSFER, 1, 0, 4, 4, 0, 0, 1, 0));
    CHECK_EQ(BAD_PARAMETER, SEND(TRANSFER, 0xFFFFFFFF, 0, 2, 4, 0, 0, 1, 0));
    CHECK_EQ(BAD_PARAMETER, SEND(TRANSFER, 0, 0, 0, 4, 0, 0, 1, 0));
    CHECK_EQ(OK, SEND(DETACH, 1, 0));
    CHECK_EQ(UNSPEC, SEND(TRANSFER, 0, 0, 4, 4, 0, 0, 1, 0));
    CHECK(!vd_broken(&vd));
    vd_close(&vd);
}

/* Backing in pieces of odd lengths: each pixel comes from its place. */
TEST(scattered)
{
    static const uint32_t len[] = {1, 3, 61, 2, 189};
    uint32_t attach[2 + 4 * 5] = {1, 5};
    uint8_t flat[256];
    unsigned at = 0;
    up(V1);
    for (unsigned i = 0; i < 256; i++) {
        flat[i] = (uint8_t)(i * 7 + 3);
    }
    for (unsigned i = 5; i-- > 0;) { /* later pieces at lower addresses */
        attach[2 + 4 * i] = (uint32_t)vd_alloc(&vd, 256) + i;
        attach[4 + 4 * i] = len[i];
    }
    for (unsigned i = 0; i < 5; at += len[i++]) {
        memcpy(vd_ptr(&vd, attach[2 + 4 * i]), flat + at, len[i]);
    }
    CHECK_EQ(OK, SEND(CREATE_2D, 1, BGRA, 8, 8));
    CHECK_EQ(OK, send_flags(ATTACH, 0, attach, 2 + 4 * 5));
    CHECK_EQ(OK, SEND(SET_SCANOUT, 0, 0, 8, 8, 0, 1));
    CHECK_EQ(OK, SEND(TRANSFER, 0, 0, 8, 8, 0, 0, 1, 0));
    CHECK_EQ(OK, SEND(FLUSH, 0, 0, 8, 8, 1, 0));
    for (unsigned i = 0; i < 64; i++) {
        CHECK_EQ(read_uint32_le_m(flat + 4 * i), seen(0, i % 8, i / 8));
    }
    /* A rectangle of it from elsewhere: rows are as far apart as in the resource. */
    CHECK_EQ(OK, SEND(TRANSFER, 5, 6, 3, 2, 40, 0, 1, 0));
    CHECK_EQ(OK, SEND(FLUSH, 5, 6, 3, 2, 1, 0));
    for (unsigned i = 0; i < 6; i++) {
        CHECK_EQ(read_uint32_le_m(flat + 40 + i / 3 * 32 + i % 3 * 4),
                 seen(0, 5 + i % 3, 6 + i / 3));
    }
    CHECK_EQ(read_uint32_le_m(flat + 4 * (6 * 8 + 4)), seen(0, 4, 6));
    vd_close(&vd);
}

TEST(scanouts)
{
    up(V1);
    picture(1, BGRA, 64, 32);
    CHECK_EQ(BAD_SCANOUT, SEND(SET_SCANOUT, 0, 0, 64, 32, 2, 1));
    CHECK_EQ(BAD_RESOURCE, SEND(SET_SCANOUT, 0, 0, 64, 32, 0, 2));
    CHECK_EQ(BAD_PARAMETER, SEND(SET_SCANOUT, 1, 0, 64, 32, 0, 1));
    CHECK_EQ(BAD_PARAMETER, SEND(SET_SCANOUT, 0xFFFFFFFF, 0, 2, 32, 0, 1));
    CHECK_EQ(BAD_PARAMETER, SEND(SET_SCANOUT, 0, 0, 0, 0, 0, 1));
    CHECK_EQ(0, screen[0].modes);
    CHECK_EQ(OK, SEND(SET_SCANOUT, 8, 4, 40, 20, 0, 1));
    CHECK(screen[0].width == 40 && screen[0].height == 20 && !screen[1].modes);
    CHECK_EQ(OK, SEND(SET_SCANOUT, 0, 0, 40, 20, 0, 1)); /* no new mode */
    CHECK_EQ(1, screen[0].modes);
    CHECK_EQ(OK, SEND(SET_SCANOUT, 0, 0, 0, 0, 0, 0));
    CHECK(screen[0].width == 0 && screen[0].modes == 2);
    screen[0].refuse = true;
    CHECK_EQ(NO_MEMORY, SEND(SET_SCANOUT, 0, 0, 40, 20, 0, 1));
    vd_close(&vd);
}

TEST(flush)
{
    up(V1);
    uint64_t mem = picture(1, BGRA, 64, 64);
    for (unsigned i = 0; i < 64 * 64; i++) {
        vd_put32(&vd, mem + 4 * i, i + 1);
    }
    CHECK_EQ(OK, SEND(SET_SCANOUT, 10, 20, 30, 30, 0, 1));
    CHECK_EQ(OK, SEND(SET_SCANOUT, 0, 0, 64, 64, 1, 1));
    CHECK(screen[0].updates == 1 && screen[1].updates == 1 && !seen(0, 0, 0));
    CHECK_EQ(OK, SEND(TRANSFER, 0, 0, 64, 64, 0, 0, 1, 0));
    CHECK_EQ(1, screen[0].updates); /* a transfer shows nothing yet */
    CHECK_EQ(0, seen(0, 0, 0));
    CHECK_EQ(OK, SEND(FLUSH, 0, 0, 15, 25, 1, 0));
    CHECK_EQ(20 * 64 + 10 + 1, seen(0, 0, 0));
    CHECK_EQ(24 * 64 + 14 + 1, seen(0, 4, 4));
    CHECK(seen(0, 5, 4) == 0 && seen(0, 4, 5) == 0);
    CHECK_EQ(24 * 64 + 14 + 1, seen(1, 14, 24));
    CHECK_EQ(0, seen(1, 15, 24));
    CHECK_EQ(OK, SEND(FLUSH, 40, 0, 24, 20, 1, 0)); /* beside the first */
    CHECK_EQ(2, screen[0].updates);
    CHECK_EQ(3, screen[1].updates);
    CHECK_EQ(BAD_PARAMETER, SEND(FLUSH, 60, 0, 5, 1, 1, 0));
    CHECK_EQ(BAD_PARAMETER, SEND(FLUSH, 0xFFFFFFFF, 0xFFFFFFFF, 2, 2, 1, 0));
    CHECK_EQ(BAD_RESOURCE, SEND(FLUSH, 0, 0, 5, 1, 2, 0));
    vd_close(&vd);
}

static uint32_t blob_scanout(uint32_t x, uint32_t y, uint32_t width, uint32_t height, uint32_t id,
                             uint32_t stride, uint32_t offset)
{
    return SEND(SET_SCANOUT_BLOB, x, y, width, height, 0, id, 32, 32, BGRA, 0, stride, 0, 0, 0,
                offset, 0, 0, 0);
}

/* A new mode shows what the resource has: a guest then flushes no more than what it draws. */
TEST(shown_at_once)
{
    up(V1 | BLOB);
    uint64_t mem = picture(1, BGRA, 64, 64);
    for (unsigned i = 0; i < 64 * 64; i++) {
        vd_put32(&vd, mem + 4 * i, i + 1);
    }
    CHECK_EQ(OK, SEND(TRANSFER, 0, 0, 64, 64, 0, 0, 1, 0));
    CHECK_EQ(OK, SEND(SET_SCANOUT, 10, 20, 30, 30, 0, 1));
    CHECK_EQ(20 * 64 + 10 + 1, seen(0, 0, 0));
    CHECK_EQ(49 * 64 + 39 + 1, seen(0, 29, 29));
    CHECK_EQ(OK, SEND(SET_SCANOUT, 0, 0, 64, 64, 0, 1));
    CHECK_EQ(64 * 64, seen(0, 63, 63));
    CHECK_EQ(OK, SEND(SET_SCANOUT, 0, 0, 0, 0, 0, 0));
    CHECK_EQ(OK, SEND(SET_SCANOUT, 1, 0, 63, 64, 0, 1));
    CHECK_EQ(2, seen(0, 0, 0));
    CHECK_EQ(OK, SEND(SET_SCANOUT, 0, 0, 63, 64, 0, 1)); /* the mode is as before */
    CHECK_EQ(1, seen(0, 0, 0));
    CHECK_EQ(OK, SEND(CREATE_BLOB, 2, 1, 0, 1, 0, 0, 8192, 0, (uint32_t)mem, 0, 8192, 0));
    CHECK_EQ(OK, blob_scanout(0, 0, 32, 32, 2, 128, 64));
    CHECK_EQ(17, seen(0, 0, 0));
    CHECK_EQ(17 + 32 * 32 - 1, seen(0, 31, 31));
    vd_close(&vd);
}

TEST(unref_shown)
{
    up(V1);
    picture(1, BGRA, 16, 16);
    CHECK_EQ(OK, SEND(SET_SCANOUT, 0, 0, 16, 16, 1, 1));
    CHECK_EQ(1, screen[1].updates);
    CHECK_EQ(OK, SEND(UNREF, 1, 0));
    CHECK_EQ(0, screen[1].width);
    picture(1, BGRA, 16, 16); /* another one of that name is not shown */
    CHECK_EQ(OK, SEND(FLUSH, 0, 0, 16, 16, 1, 0));
    CHECK_EQ(1, screen[1].updates);
    vd_close(&vd);
}

TEST(fences)
{
    up(V1);
    memset(vd_ptr(&vd, in), 0, 64);
    vd_put32(&vd, in, CREATE_2D);
    vd_put32(&vd, in + 4, 1);
    vd_put32(&vd, in + 8, 0x89ABCDEF);
    vd_put32(&vd, in + 12, 0x01234567);
    vd_put32(&vd, in + 16, 42);
    const vd_buf_t buf[2] = {{in, 40, false}, {out, 24, true}};
    CHECK(vd_request(&vd, CONTROL, buf, 2, &out_len));
    CHECK_EQ(24, out_len);
    CHECK_EQ(BAD_PARAMETER, answer(0));
    CHECK(answer(4) == 1 && answer(8) == 0x89ABCDEF && answer(12) == 0x01234567 &&
          answer(16) == 42);
    CHECK_EQ(OK_INFO, SEND(DISPLAY_INFO, 0));
    CHECK(answer(4) == 0 && answer(8) == 0 && answer(12) == 0);
    CHECK(vd_irq(&vd));
    vd_close(&vd);
}

TEST(blobs)
{
    up(V1 | BLOB);
    uint32_t a = (uint32_t)vd_alloc(&vd, 4096), b = (uint32_t)vd_alloc(&vd, 4096);
    CHECK_EQ(OK, SEND(CREATE_BLOB, 1, 1, 3, 2, 0, 0, 8192, 0, b, 0, 4096, 0, a, 0, 4096, 0));
    CHECK_EQ(OK, blob_scanout(2, 3, 30, 20, 1, 160, 64));
    CHECK(screen[0].width == 30 && screen[0].height == 20);
    for (unsigned i = 0; i < 2048; i++) {
        vd_put32(&vd, (i < 1024 ? b : a) + 4 * (i % 1024), i);
    }
    CHECK_EQ(OK, SEND(FLUSH, 0, 0, 32, 32, 1, 0));
    for (unsigned i = 0; i < 600; i++) {
        CHECK_EQ(16 + (3 + i / 30) * 40 + 2 + i % 30, seen(0, i % 30, i / 30));
    }
    vd_put32(&vd, b + 4 * (16 + 3 * 40 + 2), 0xABCDEF);
    CHECK_EQ(OK, SEND(TRANSFER, 0, 0, 1, 1, 0, 0, 1, 0)); /* nothing to do */
    CHECK_EQ(16 + 3 * 40 + 2, seen(0, 0, 0));
    CHECK_EQ(OK, SEND(FLUSH, 0, 0, 0xFFFFFFFF, 0xFFFFFFFF, 1, 0));
    CHECK_EQ(0xABCDEF, seen(0, 0, 0));
    CHECK_EQ(OK, SEND(DETACH, 1, 0)); /* black, then */
    CHECK_EQ(OK, SEND(FLUSH, 0, 0, 32, 32, 1, 0));
    CHECK_EQ(0, seen(0, 0, 0));
    CHECK_EQ(OK, SEND(UNREF, 1, 0));
    CHECK_EQ(0, screen[0].width);
    vd_close(&vd);
}

TEST(blob_mistakes)
{
    up(V1 | BLOB);
    uint32_t mem = (uint32_t)vd_alloc(&vd, 8192);
    CHECK_EQ(BAD_PARAMETER, SEND(CREATE_BLOB, 1, 2, 0, 1, 0, 0, 4096, 0, mem, 0, 4096, 0));
    CHECK_EQ(BAD_PARAMETER, SEND(CREATE_BLOB, 1, 1, 8, 1, 0, 0, 4096, 0, mem, 0, 4096, 0));
    CHECK_EQ(BAD_PARAMETER, SEND(CREATE_BLOB, 1, 1, 0, 1, 0, 0, 0, 0, mem, 0, 4096, 0));
    CHECK_EQ(BAD_PARAMETER, SEND(CREATE_BLOB, 1, 1, 0, 1, 0, 0, 4097, 0, mem, 0, 4096, 0));
    CHECK_EQ(BAD_PARAMETER, SEND(CREATE_BLOB, 1, 1, 0, 1, 0, 0, 4096, 1, mem, 0, 4096, 0));
    CHECK_EQ(BAD_PARAMETER, SEND(CREATE_BLOB, 1, 1, 0, 0, 0, 0, 4096, 0));
    CHECK_EQ(BAD_PARAMETER, SEND(CREATE_BLOB, 1, 1, 0, 1, 0, 0, 4096, 0, 0x1000, 0, 4096, 0));
    CHECK_EQ(BAD_RESOURCE, SEND(CREATE_BLOB, 0, 1, 0, 1, 0, 0, 4096, 0, mem, 0, 4096, 0));
    CHECK_EQ(OK, SEND(CREATE_BLOB, 1, 1, 0, 1, 0, 0, 4096, 0, mem, 0, 8192, 0));
    CHECK_EQ(BAD_RESOURCE, SEND(CREATE_BLOB, 1, 1, 0, 1, 0, 0, 4096, 0, mem, 0, 4096, 0));
    CHECK_EQ(OK, blob_scanout(0, 0, 32, 32, 1, 128, 0));
    CHECK_EQ(BAD_PARAMETER, blob_scanout(0, 0, 32, 32, 1, 128, 1));
    CHECK_EQ(BAD_PARAMETER, blob_scanout(0, 0, 32, 32, 1, 129, 0));
    CHECK_EQ(BAD_PARAMETER, blob_scanout(0, 0, 32, 32, 1, 127, 0));
    CHECK_EQ(BAD_PARAMETER, blob_scanout(0, 0, 33, 32, 1, 128, 0));
    CHECK_EQ(BAD_PARAMETER, blob_scanout(0, 0, 32, 32, 1, 0xFFFFFFFF, 0));
    CHECK_EQ(BAD_RESOURCE, SEND(SET_SCANOUT, 0, 0, 32, 32, 0, 1));
    picture(2, BGRA, 32, 32);
    CHECK_EQ(BAD_RESOURCE, blob_scanout(0, 0, 32, 32, 2, 128, 0));
    CHECK(vd_start(&vd, V1));
    CHECK_EQ(UNSPEC, SEND(CREATE_BLOB, 1, 1, 0, 1, 0, 0, 4096, 0, mem, 0, 4096, 0));
    vd_close(&vd);
}

/* Sends a command of the cursor queue; its buffer comes back. */
static void cursor(uint32_t type, uint32_t scanout, uint32_t x, uint32_t y, uint32_t id)
{
    const uint32_t words[8] = {scanout, x, y, 0, id, 5, 6, 0};
    const vd_buf_t buf = {in, 56, false};
    memset(vd_ptr(&vd, in), 0, 24);
    vd_put32(&vd, in, type);
    for (unsigned i = 0; i < 8; i++) {
        vd_put32(&vd, in + 24 + 4 * i, words[i]);
    }
    CHECK(vd_request(&vd, CURSOR, &buf, 1, &out_len));
}

TEST(cursors)
{
    up(V1 | BLOB);
    uint64_t mem = picture(1, BGRA, 64, 64);
    vd_put32(&vd, mem + 4, 0x80402010);
    CHECK_EQ(OK, SEND(TRANSFER, 0, 0, 64, 64, 0, 0, 1, 0));
    cursor(UPDATE_CURSOR, 1, 100, 0xFFFFFFF0, 1);
    CHECK(screen[1].cursor && screen[1].image[1] == 0x80402010 && !screen[0].cursor);
    CHECK(screen[1].hot_x == 5 && screen[1].hot_y == 6 && screen[1].x == 105 && screen[1].y == -10);
    CHECK_EQ(OK, SEND(UNREF, 1, 0)); /* the image was copied */
    cursor(MOVE_CURSOR, 1, 7, 8, 0);
    CHECK(screen[1].cursor && screen[1].x == 12 && screen[1].y == 14);
    cursor(MOVE_CURSOR, 2, 1, 1, 0);
    CHECK_EQ(12, screen[1].x);
    cursor(UPDATE_CURSOR, 1, 0, 0, 0);
    CHECK(!screen[1].cursor);
    picture(2, BGRA, 32, 64);
    cursor(UPDATE_CURSOR, 1, 0, 0, 2); /* of the wrong size */
    CHECK(!screen[1].cursor);
    CHECK_EQ(OK, SEND(CREATE_BLOB, 3, 1, 0, 1, 0, 0, 16384, 0, (uint32_t)mem, 0, 16384, 0));
    cursor(UPDATE_CURSOR, 0, 0, 0, 3);
    CHECK(screen[0].cursor && screen[0].image[1] == 0x80402010);
    cursor(SET_SCANOUT, 0, 9, 9, 0); /* not a command of this queue */
    CHECK(screen[0].cursor && screen[0].x == 5);
    vd_close(&vd);
}

TEST(short_commands)
{
    up(V1);
    picture(1, BGRA, 4, 4);
    for (uint32_t type = 0xFF; type <= 0x110; type++) {
        for (uint32_t len = 4; len < 80; len += 4) {
            const vd_buf_t buf[2] = {{in, len, false}, {out, 24, true}};
            memset(vd_ptr(&vd, in), 0, 128);
            vd_put32(&vd, in, type);
            CHECK(vd_request(&vd, CONTROL, buf, 2, &out_len));
            CHECK_EQ(24, out_len);
            CHECK(answer(0) >= UNSPEC || (type == DISPLAY_INFO && len >= 24) ||
                  (type == SET_SCANOUT && len >= 48)); /* which turns the scanout off */
        }
    }
    const vd_buf_t deaf[2] = {{in, 48, false}, {out, 23, true}};
    vd_put32(&vd, in, DISPLAY_INFO);
    CHECK(vd_request(&vd, CONTROL, deaf, 2, &out_len));
    CHECK_EQ(0, out_len);
    CHECK(vd_request(&vd, CONTROL, deaf, 1, &out_len));
    CHECK_EQ(UNSPEC, SEND(CAPSET_INFO, 0, 0));
    CHECK_EQ(UNSPEC, SEND(UUID, 1, 0));
    CHECK(!vd_broken(&vd));
    vd_close(&vd);
}

TEST(reset)
{
    up(V1);
    picture(1, BGRA, 64, 64);
    CHECK_EQ(OK, SEND(SET_SCANOUT, 0, 0, 64, 64, 0, 1));
    cursor(UPDATE_CURSOR, 0, 3, 3, 1);
    screen[0].guest.resize(screen[0].guest.opaque, 640, 480);
    CHECK(vd_start(&vd, V1));
    CHECK(screen[0].width == 0 && !screen[0].cursor);
    CHECK_EQ(BAD_RESOURCE, SEND(FLUSH, 0, 0, 1, 1, 1, 0));
    uint8_t word[4];
    vd_config_read(&vd, 0, word, 4, 4);
    CHECK_EQ(0, read_uint32_le_m(word));
    SEND(DISPLAY_INFO, 0);
    CHECK_EQ(640, answer(32)); /* whoever looks is still there */
    vd_close(&vd);
    CHECK(screen[0].frees == 1 && screen[1].frees == 1);
}

static void whole(uint64_t features, unsigned flags)
{
    memset(screen, 0, sizeof(screen));
    up_with(features, flags, 0);
    uint64_t mem = picture(1, BGRA, 8, 8);
    vd_put32(&vd, mem, 0x123456);
    CHECK_EQ(OK, SEND(SET_SCANOUT, 0, 0, 8, 8, 0, 1));
    CHECK_EQ(OK, SEND(TRANSFER, 0, 0, 8, 8, 0, 0, 1, 0));
    CHECK_EQ(OK, SEND(FLUSH, 0, 0, 8, 8, 1, 0));
    CHECK_EQ(0x123456, seen(0, 0, 0));
    vd_close(&vd);
}

TEST(packed)
{
    whole(V1 | VIRTIO_F_RING_PACKED, 0);
}

TEST(legacy)
{
    whole(0, VIRTIO_MMIO_LEGACY);
}

TEST(too_many_scanouts)
{
    virtio_gpu_scanout_t scanout[VIRTIO_GPU_SCANOUTS_MAX + 1];
    virtio_desc_t desc;
    memset(screen, 0, sizeof(screen));
    for (unsigned i = 0; i < VIRTIO_GPU_SCANOUTS_MAX + 1; i++) {
        scanout[i] = (virtio_gpu_scanout_t){.display = screen_host(&screen[2])};
    }
    CHECK(!virtio_gpu_describe(&desc, scanout, VIRTIO_GPU_SCANOUTS_MAX + 1, 0));
    CHECK_EQ(VIRTIO_GPU_SCANOUTS_MAX + 1, screen[2].frees);
    vd_machine(&vd);
    CHECK(virtio_gpu_describe(&desc, scanout, VIRTIO_GPU_SCANOUTS_MAX, 0));
    CHECK(vd_attach(&vd, &desc, 0));
    CHECK(vd_start(&vd, V1));
    vd_close(&vd);
}

#ifdef RVVM_COMPAT_RVKIT
/* A picture, a blob and a cursor come back in another machine, whose screens show them again. */
TEST(snapshot)
{
    static vd_t old;
    up(V1 | BLOB);
    uint64_t mem = picture(1, BGRA, 64, 64), blob = vd_alloc(&vd, 4096);
    vd_put32(&vd, mem, 0xFF123456);
    CHECK_EQ(OK, SEND(TRANSFER, 0, 0, 64, 64, 0, 0, 1, 0));
    CHECK_EQ(OK, SEND(SET_SCANOUT, 0, 0, 32, 32, 1, 1));
    cursor(UPDATE_CURSOR, 1, 20, 30, 1);
    CHECK_EQ(OK, SEND(CREATE_BLOB, 2, 1, 0, 1, 0, 0, 4096, 0, (uint32_t)blob, 0, 4096, 0));
    CHECK_EQ(OK, blob_scanout(0, 0, 32, 32, 2, 128, 0));
    screen[0].guest.resize(screen[0].guest.opaque, 500, 400);
    vd_config_write(&vd, 4, "\1\0\0", 4, 4); /* heard */
    vd_ack(&vd);
    rvvm_blk_dev_t *blk = rvkit_blk_open_memory();
    rvvm_snapshot_t *snap = rvvm_snapshot_open(blk, true);
    CHECK(rvkit_snapshot_devices(vd.machine, snap, false));
    CHECK(rvvm_snapshot_close(snap));
    old = vd;
    up(V1);
    memcpy(vd_ptr(&vd, RVVM_DEFAULT_MEMBASE), vd_ptr(&old, RVVM_DEFAULT_MEMBASE), VD_RAM);
    vd_put32(&vd, blob + 4, 0x777777);
    snap = rvvm_snapshot_open(blk, false);
    CHECK(rvkit_snapshot_devices(vd.machine, snap, true));
    CHECK(rvvm_snapshot_close(snap));
    rvvm_blk_close(blk);
    vd_update(&vd);
    CHECK(screen[1].width == 32 && seen(1, 0, 0) == 0xFF123456);
    CHECK(screen[1].cursor && screen[1].image[0] == 0xFF123456 && screen[1].x == 25 &&
          screen[1].hot_y == 6);
    CHECK(screen[0].width == 32 && seen(0, 1, 0) == 0x777777);
    CHECK_EQ(2, vd_ack(&vd) & 2); /* the size wanted is another one */
    uint8_t word[4];
    vd_config_read(&vd, 0, word, 4, 4);
    CHECK_EQ(1, read_uint32_le_m(word));
    vd_close(&vd);
    vd_close(&old);
}

TEST(damaged_snapshots)
{
    up(V1 | BLOB);
    picture(1, BGRA, 8, 8);
    uint32_t blob = (uint32_t)vd_alloc(&vd, 4096);
    CHECK_EQ(OK, SEND(SET_SCANOUT, 1, 2, 5, 6, 1, 1));
    CHECK_EQ(OK, SEND(CREATE_BLOB, 2, 1, 0, 2, 0, 0, 4096, 0, blob, 0, 1024, 0, blob, 0, 3072, 0));
    CHECK_EQ(OK, blob_scanout(0, 0, 32, 32, 2, 128, 0));
    cursor(UPDATE_CURSOR, 1, 20, 30, 1);
    damage_snapshots(&vd);
    CHECK(vd_start(&vd, V1));
    picture(1, BGRA, 8, 8);
    vd_close(&vd);
}
#endif

int main(void)
{
    PROVE(identity, "5.7.1-4: device id 16, EDID and blobs; no events, two scanouts, no capsets");
    PROVE(display_info, "5.7.6.8 GET_DISPLAY_INFO: sizes, side by side; no more than there are");
    PROVE(edid, "5.7.6.8 GET_EDID: a valid block that prefers the size of whoever looks");
    PROVE(edid_sizes, "EDID: any size makes a valid block");
    PROVE(size_asked_for,
          "5.7.5: another size is an event, told once, taken back by events_clear alone");
    PROVE(size_at_first, "a size that is asked for from the start counts from the start");
    PROVE(formats, "5.7.6.8 RESOURCE_CREATE_2D: all eight formats");
    PROVE(create_mistakes,
          "5.7.6.8 RESOURCE_CREATE_2D: id 0, ids in use, formats and sizes that are none");
    PROVE(memory_bound, "pictures and lists of pieces are bounded together, and given back");
    PROVE(number_bound, "the number of resources is bounded");
    PROVE(
        backing_mistakes,
        "5.7.6.8 RESOURCE_ATTACH_BACKING, TRANSFER_TO_HOST_2D: nothing outside of RAM or backing");
    PROVE(scattered, "5.7.6.8 TRANSFER_TO_HOST_2D: through pieces of any length, at any offset");
    PROVE(scanouts, "5.7.6.8 SET_SCANOUT: modes, off, mistakes");
    PROVE(flush, "5.7.6.8 RESOURCE_FLUSH: the part that a scanout shows, on each that shows it");
    PROVE(shown_at_once, "5.7.6.8 SET_SCANOUT: a new scanout shows what the resource has");
    PROVE(unref_shown, "5.7.6.8 RESOURCE_UNREF: what shows it goes off");
    PROVE(fences, "5.7.6.7: fences come back with their id and context");
    PROVE(blobs,
          "5.7.6.8 RESOURCE_CREATE_BLOB, SET_SCANOUT_BLOB: guest memory is shown as it lies");
    PROVE(blob_mistakes, "5.7.6.8: blobs that are too small, and layouts that leave them");
    PROVE(cursors, "5.7.6.10: UPDATE_CURSOR, MOVE_CURSOR for each scanout");
    PROVE(short_commands,
          "commands that are short or unknown are errors; answers without room are cut off");
    PROVE(reset, "a reset turns all off and forgets resources, and not who looks");
    PROVE(packed, "a picture on a packed ring");
    PROVE(legacy, "a picture by the legacy interface");
    PROVE(too_many_scanouts, "sixteen scanouts and no more; displays are freed once");
#ifdef RVVM_COMPAT_RVKIT
    PROVE(snapshot, "a snapshot keeps pictures, blobs, scanouts and cursors");
    PROVE(damaged_snapshots, "what a damaged snapshot says passes the checks of commands");
#endif
    return rig_finish("virtio-gpu");
}
