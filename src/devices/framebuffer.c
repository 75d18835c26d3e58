/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The simple frame buffer. Harts write its memory without anybody noticing; each update compares it
 * with a copy, row by row, and brings the parts that differ to the display. When nothing has
 * changed for a while, an update looks at each fourth row only: a character has more.
 */
#include "framebuffer.h"

#include <rvvm/compat.h>

#include "../util.h"

enum {
    FB_PAGE = 4096,
    FB_BLOCK = 8,  /* pixels */
    FB_IDLE = 30,  /* updates without a change until it is looked at less */
    FB_SLICES = 4, /* then: one row of so many */
};

typedef struct {
    display_host_t display;
    uint32_t width, height;
    uint32_t *pixels; /* the guest's */
    uint32_t *shadow; /* as the display has it */
    unsigned idle, slice;
    bool all; /* the display has nothing of it */
} fb_t;

/* What changed in rows that follow each other. */
typedef struct {
    uint32_t top, rows, left, right; /* rows 0: nothing; right: one past the last */
} fb_band_t;

static size_t fb_count(const fb_t *fb)
{
    return (size_t)fb->width * fb->height;
}

static size_t fb_size(const fb_t *fb)
{
    return (size_t)util_align_up(fb_count(fb) * 4, FB_PAGE);
}

/* Pixels from x on that are the same, in steps of a block; a quick look, most of what there is to
 * do. */
static uint32_t fb_same(const uint32_t *from, const uint32_t *to, uint32_t x, uint32_t width)
{
    if ((uintptr_t)(from + x) % 8) {
        return x;
    }
    for (; width - x >= FB_BLOCK; x += FB_BLOCK) {
        uint64_t shadow[FB_BLOCK / 2], differ = 0;
        memcpy(shadow, to + x, sizeof(shadow));
        for (unsigned i = 0; i < FB_BLOCK / 2; i++) {
            differ |= ram_load_u64(from + x + 2 * i) ^ shadow[i];
        }
        if (differ) {
            break;
        }
    }
    return x;
}

/* Copies a row into the shadow; the columns that changed, left = right: none. */
static void fb_row(fb_t *fb, uint32_t y, uint32_t *left, uint32_t *right)
{
    const uint32_t *from = fb->pixels + (size_t)y * fb->width;
    uint32_t *to = fb->shadow + (size_t)y * fb->width, first = fb->width, last = 0;
    for (uint32_t x = fb_same(from, to, 0, fb->width); x < fb->width;) {
        uint32_t pixel = ram_load_u32(from + x);
        if (pixel != to[x]) {
            to[x] = pixel;
            first = first < x ? first : x;
            last = x + 1;
        }
        x++;
        x = x % FB_BLOCK ? x : fb_same(from, to, x, fb->width);
    }
    *left = last ? first : 0;
    *right = last;
}

/* One of the rows y, y + FB_SLICES … has changed. */
static bool fb_slice_differs(const fb_t *fb, uint32_t y)
{
    for (; y < fb->height; y += FB_SLICES) {
        const uint32_t *from = fb->pixels + (size_t)y * fb->width;
        const uint32_t *to = fb->shadow + (size_t)y * fb->width;
        for (uint32_t x = fb_same(from, to, 0, fb->width); x < fb->width; x++) {
            if (ram_load_u32(from + x) != to[x]) {
                return true;
            }
        }
    }
    return false;
}

static void fb_show(fb_t *fb, fb_band_t *band)
{
    if (band->rows) {
        fb->display.update(fb->display.opaque, band->left, band->top, band->right - band->left,
                           band->rows, fb->shadow + (size_t)band->top * fb->width + band->left,
                           (size_t)fb->width * 4);
    }
    band->rows = 0;
}

/* Looks at all rows; true when some have changed. */
static bool fb_scan(fb_t *fb)
{
    fb_band_t band = {0};
    bool changed = false;
    for (uint32_t y = 0; y < fb->height; y++) {
        uint32_t left, right;
        fb_row(fb, y, &left, &right);
        if (left == right) {
            fb_show(fb, &band);
            continue;
        }
        changed = true;
        band.top = band.rows ? band.top : y;
        band.left = band.rows && band.left < left ? band.left : left;
        band.right = band.rows && band.right > right ? band.right : right;
        band.rows++;
    }
    fb_show(fb, &band);
    return changed;
}

static void fb_update(rvvm_mmio_dev_t *dev)
{
    fb_t *fb = dev->data;
    if (fb->all) {
        fb_band_t band = {.rows = fb->height, .right = fb->width};
        for (uint32_t y = 0; y < fb->height; y++) {
            uint32_t left, right;
            fb_row(fb, y, &left, &right);
        }
        fb_show(fb, &band);
        fb->all = false;
        return;
    }
    if (fb->idle >= FB_IDLE) {
        fb->slice = (fb->slice + 1) % FB_SLICES;
        if (!fb_slice_differs(fb, fb->slice)) {
            return;
        }
    }
    fb->idle = fb_scan(fb) ? 0 : fb->idle + (fb->idle < FB_IDLE);
}

static void fb_reset(rvvm_mmio_dev_t *dev)
{
    fb_t *fb = dev->data;
    memset(fb->pixels, 0, fb_size(fb));
    fb->all = true;
    fb->idle = 0;
}

static void fb_suspend(rvvm_mmio_dev_t *dev, rvvm_snapshot_t *snap, bool resume)
{
    fb_t *fb = dev->data;
    uint32_t width = fb->width, height = fb->height;
    if (snap && rvvm_snapshot_section(snap, "framebuffer") && rvvm_snapshot_field(snap, width) &&
        rvvm_snapshot_field(snap, height) && width == fb->width && height == fb->height) {
        rvvm_snapshot_data(snap, fb->pixels, fb_count(fb) * 4);
    }
    fb->all |= resume;
}

static void fb_free(fb_t *fb, const display_host_t *display)
{
    display->free(display->opaque);
    if (fb) {
        free(fb->pixels);
        free(fb->shadow);
    }
    free(fb);
}

static void fb_remove(rvvm_mmio_dev_t *dev)
{
    fb_t *fb = dev->data;
    fb_free(fb, &fb->display);
}

/* Its size is what it is. */
static void fb_resize(void *opaque, uint32_t width, uint32_t height)
{
    (void)opaque;
    (void)width;
    (void)height;
}

static const rvvm_mmio_type_t fb_type = {
    .name = "framebuffer",
    .remove = fb_remove,
    .update = fb_update,
    .reset = fb_reset,
    .suspend = fb_suspend,
};

static void fb_fdt_describe(const fb_t *fb, rvvm_machine_t *machine, rvvm_addr_t addr)
{
    rvvm_fdt_node_t *node = rvvm_fdt_init_reg("framebuffer", addr);
    rvvm_fdt_prop_set_reg(node, "reg", addr, fb_size(fb));
    rvvm_fdt_prop_set_str(node, "compatible", "simple-framebuffer");
    rvvm_fdt_prop_set_str(node, "format", "a8r8g8b8");
    rvvm_fdt_prop_set_u32(node, "width", fb->width);
    rvvm_fdt_prop_set_u32(node, "height", fb->height);
    rvvm_fdt_prop_set_u32(node, "stride", fb->width * 4);
    rvvm_fdt_attach(rvvm_get_fdt_soc(machine), node);
}

static fb_t *fb_new(const display_host_t *display, uint32_t width, uint32_t height)
{
    const display_guest_t guest = {.resize = fb_resize};
    fb_t *fb = display_size_ok(width, height) ? calloc(1, sizeof(*fb)) : NULL;
    if (!fb) {
        fb_free(NULL, display);
        return NULL;
    }
    fb->display = *display;
    fb->width = width;
    fb->height = height;
    fb->pixels = calloc(1, fb_size(fb));
    fb->shadow = calloc(1, fb_size(fb));
    fb->display.attach(fb->display.opaque, &guest);
    if (!fb->pixels || !fb->shadow || !fb->display.set_mode(fb->display.opaque, width, height)) {
        fb_free(fb, display);
        return NULL;
    }
    return fb;
}

rvvm_mmio_dev_t *framebuffer_init(rvvm_machine_t *machine, const display_host_t *display,
                                  rvvm_addr_t addr, uint32_t width, uint32_t height)
{
    fb_t *fb = fb_new(display, width, height);
    if (!fb) {
        return NULL;
    }
    const rvvm_mmio_dev_t desc = {
        .addr = addr,
        .size = fb_size(fb),
        .data = fb,
        .mapping = fb->pixels,
        .type = &fb_type,
    };
    rvvm_mmio_dev_t *dev = rvvm_attach_mmio(machine, &desc);
    if (dev) {
        fb_fdt_describe(fb, machine, addr);
    }
    return dev;
}

rvvm_mmio_dev_t *framebuffer_init_auto(rvvm_machine_t *machine, const display_host_t *display,
                                       uint32_t width, uint32_t height)
{
    size_t size = display_size_ok(width, height)
                      ? (size_t)util_align_up((uint64_t)width * height * 4, FB_PAGE)
                      : FB_PAGE;
    return framebuffer_init(machine, display,
                            rvvm_mmio_zone_auto(machine, FRAMEBUFFER_DEFAULT_MMIO, size), width,
                            height);
}
