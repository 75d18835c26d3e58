/* SPDX-License-Identifier: MPL-2.0 */
/* The simple frame buffer: what a guest draws reaches the display, and only that. */
#include <rvvm/rvkit.h>
#include <rvvm/rvvm_blk.h>

#include "devices/framebuffer.h"
#include "rig.h"

enum { WIDTH = 33, HEIGHT = 20 };

typedef struct {
    display_guest_t guest;
    uint32_t width, height, pixel[WIDTH * HEIGHT];
    unsigned updates, frees;
    uint32_t x, y, w, h; /* of the last update */
} screen_t;

static screen_t screen;
static rvvm_machine_t *machine;
static rvvm_mmio_dev_t *fb;

static void screen_attach(void *opaque, const display_guest_t *guest)
{
    ((screen_t *)opaque)->guest = *guest;
}

static bool screen_mode(void *opaque, uint32_t width, uint32_t height)
{
    screen_t *s = opaque;
    s->width = width;
    s->height = height;
    return true;
}

static void screen_update(void *opaque, uint32_t x, uint32_t y, uint32_t width, uint32_t height,
                          const void *pixels, size_t stride)
{
    screen_t *s = opaque;
    s->updates++;
    s->x = x;
    s->y = y;
    s->w = width;
    s->h = height;
    for (uint32_t row = 0; row < height; row++) {
        memcpy(&s->pixel[(y + row) * WIDTH + x], (const uint8_t *)pixels + row * stride,
               (size_t)width * 4);
    }
}

static void screen_cursor(void *opaque, const uint32_t *image, uint32_t hot_x, uint32_t hot_y)
{
    (void)opaque;
    (void)image;
    CHECK(!hot_x && !hot_y);
}

static void screen_move(void *opaque, int32_t x, int32_t y)
{
    (void)opaque;
    CHECK(!x && !y);
}

static void screen_free(void *opaque)
{
    ((screen_t *)opaque)->frees++;
}

static const display_host_t host = {&screen,       screen_attach, screen_mode, screen_update,
                                    screen_cursor, screen_move,   screen_free};

static void up(void)
{
    memset(&screen, 0, sizeof(screen));
    machine = rig_machine();
    fb = framebuffer_init_auto(machine, &host, WIDTH, HEIGHT);
    CHECK(fb);
    fb->type->update(fb); /* the first brings everything */
    screen.updates = 0;
}

static void draw(uint32_t x, uint32_t y, uint32_t colour)
{
    ram_store_u32((uint32_t *)fb->mapping + y * WIDTH + x, colour);
}

/* One update; true when it brought this rectangle alone. */
static bool shows(uint32_t x, uint32_t y, uint32_t w, uint32_t h)
{
    unsigned before = screen.updates;
    fb->type->update(fb);
    return screen.updates == before + 1 && screen.x == x && screen.y == y && screen.w == w &&
           screen.h == h;
}

TEST(node)
{
    up();
    rvvm_fdt_node_t *node = rvvm_fdt_find(rvvm_get_fdt_soc(machine), "framebuffer@28000000");
    CHECK(node);
    CHECK(rig_fdt_str(node, "compatible", "simple-framebuffer"));
    CHECK(rig_fdt_str(node, "format", "a8r8g8b8"));
    CHECK_EQ(WIDTH, rig_fdt_cell(node, "width", 0));
    CHECK_EQ(HEIGHT, rig_fdt_cell(node, "height", 0));
    CHECK_EQ(WIDTH * 4, rig_fdt_cell(node, "stride", 0));
    CHECK_EQ(0x28000000u, rig_fdt_cell(node, "reg", 1));
    CHECK_EQ(4096, rig_fdt_cell(node, "reg", 3)); /* whole pages */
    CHECK(screen.width == WIDTH && screen.height == HEIGHT);
    rvvm_free_machine(machine);
    CHECK_EQ(1, screen.frees);
}

TEST(damage)
{
    up();
    fb->type->update(fb);
    CHECK_EQ(0, screen.updates);
    draw(3, 5, 0x112233);
    CHECK(shows(3, 5, 1, 1));
    CHECK_EQ(0x112233, screen.pixel[5 * WIDTH + 3]);
    draw(32, 0, 7);
    draw(2, 1, 8);
    CHECK(shows(2, 0, 31, 2));
    CHECK(screen.pixel[32] == 7 && screen.pixel[WIDTH + 2] == 8);
    draw(0, 2, 9);
    draw(1, 19, 9);
    fb->type->update(fb);
    CHECK_EQ(4, screen.updates); /* two bands */
    draw(1, 19, 9);
    fb->type->update(fb);
    CHECK_EQ(4, screen.updates);
    draw(4, 7, 1);
    draw(9, 7, 2);
    CHECK(shows(4, 7, 6, 1));
    rvvm_free_machine(machine);
}

/* After a long rest it is looked at in parts: a change shows within four updates, one of four rows
 * at once, and then each at once. */
TEST(idle)
{
    up();
    for (unsigned y = 0; y < HEIGHT; y++) {
        for (unsigned i = 0; i < 100; i++) {
            fb->type->update(fb);
        }
        screen.updates = 0;
        draw(y, y, 0x55);
        for (unsigned i = 0; i < 2 && y % 2 == 0; i++) { /* and elsewhere */
            draw(20, i * (HEIGHT - 1), 0x60 + y);
        }
        for (unsigned i = 0; i < 4 && !screen.updates; i++) {
            fb->type->update(fb);
        }
        CHECK(screen.updates > 0);
        for (unsigned i = 0; i < 100; i++) {
            fb->type->update(fb);
        }
        for (unsigned i = 0; i < 4; i++) { /* a character of four rows */
            draw(25, (y + i) % HEIGHT, 0x700 + y);
        }
        screen.updates = 0;
        fb->type->update(fb);
        CHECK(screen.updates > 0);
        CHECK_EQ(0x55, screen.pixel[y * WIDTH + y]);
        CHECK(y % 2 || screen.pixel[20] == 0x60 + y);
        CHECK(y % 2 || screen.pixel[(HEIGHT - 1) * WIDTH + 20] == 0x60 + y);
        draw(5, HEIGHT - 1 - y, y + 1);
        fb->type->update(fb);
        CHECK_EQ(y + 1, screen.pixel[(HEIGHT - 1 - y) * WIDTH + 5]);
    }
    rvvm_free_machine(machine);
}

/* Each pixel alone, wherever it lies. */
TEST(every_pixel)
{
    up();
    for (uint32_t i = 0; i < WIDTH * HEIGHT; i++) {
        draw(i % WIDTH, i / WIDTH, i + 1);
        CHECK(shows(i % WIDTH, i / WIDTH, 1, 1));
        CHECK_EQ(i + 1, screen.pixel[i]);
    }
    rvvm_free_machine(machine);
}

TEST(reset)
{
    up();
    draw(1, 1, 5);
    fb->type->update(fb);
    fb->type->reset(fb);
    CHECK(shows(0, 0, WIDTH, HEIGHT));
    CHECK_EQ(0, screen.pixel[WIDTH + 1]);
    rvvm_free_machine(machine);
}

TEST(mistakes)
{
    memset(&screen, 0, sizeof(screen));
    machine = rig_machine();
    CHECK(!framebuffer_init_auto(machine, &host, 0, 10));
    CHECK(!framebuffer_init_auto(machine, &host, DISPLAY_SIDE_MAX + 1, 10));
    CHECK(!framebuffer_init_auto(machine, &host, DISPLAY_SIDE_MAX, DISPLAY_SIDE_MAX));
    CHECK(!framebuffer_init(machine, &host, RVVM_DEFAULT_MEMBASE, 10, 10));
    CHECK_EQ(4, screen.frees);
    CHECK(!rvvm_fdt_find(rvvm_get_fdt_soc(machine), "framebuffer@28000000"));
    rvvm_free_machine(machine);
}

TEST(snapshot)
{
    up();
    draw(4, 4, 0xABCDEF);
    rvvm_blk_dev_t *blk = rvkit_blk_open_memory();
    rvvm_snapshot_t *snap = rvvm_snapshot_open(blk, true);
    CHECK(rvkit_snapshot_devices(machine, snap, false));
    CHECK(rvvm_snapshot_close(snap));
    rvvm_free_machine(machine);
    up();
    snap = rvvm_snapshot_open(blk, false);
    CHECK(rvkit_snapshot_devices(machine, snap, true));
    CHECK(rvvm_snapshot_close(snap));
    rvvm_blk_close(blk);
    CHECK(shows(0, 0, WIDTH, HEIGHT));
    CHECK_EQ(0xABCDEF, screen.pixel[4 * WIDTH + 4]);
    rvvm_free_machine(machine);
}

int main(void)
{
    PROVE(node, "the node is what simpledrm wants, at RVVM's address");
    PROVE(damage, "rows that changed are shown, as narrow as they changed");
    PROVE(every_pixel, "each pixel is noticed");
    PROVE(idle, "an idle screen is looked at by one row of four, and whole as soon as it changes");
    PROVE(reset, "a reset turns it black");
    PROVE(mistakes, "sizes that are none, and a place that is taken");
    PROVE(snapshot, "a snapshot keeps the picture");
    return rig_finish("framebuffer");
}
