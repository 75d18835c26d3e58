/* SPDX-License-Identifier: MPL-2.0 */
/* libFuzzer target: a guest that does its worst to a GPU with two scanouts. All that is drawn lies
 * inside of the screen, and can be read. */
#include "devices/virtio_gpu.h"
#include "stream_rig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct {
    display_guest_t guest;
    uint32_t width, height, sum;
    unsigned frees;
} screen_t;

static void screen_attach(void *opaque, const display_guest_t *guest)
{
    ((screen_t *)opaque)->guest = *guest;
}

static bool screen_mode(void *opaque, uint32_t width, uint32_t height)
{
    screen_t *s = opaque;
    if ((width || height) && !display_size_ok(width, height)) {
        abort();
    }
    s->width = width;
    s->height = height;
    return true;
}

static void screen_update(void *opaque, uint32_t x, uint32_t y, uint32_t width, uint32_t height,
                          const void *pixels, size_t stride)
{
    screen_t *s = opaque;
    if (!width || !height || x >= s->width || width > s->width - x || y >= s->height ||
        height > s->height - y) {
        abort();
    }
    for (uint32_t row = 0; row < height; row++) {
        s->sum += *((const uint8_t *)pixels + row * stride);
        s->sum += *((const uint8_t *)pixels + row * stride + (size_t)width * 4 - 1);
    }
}

static void screen_cursor(void *opaque, const uint32_t *image, uint32_t hot_x, uint32_t hot_y)
{
    ((screen_t *)opaque)->sum += hot_x + hot_y + (image ? image[64 * 64 - 1] : 0);
}

static void screen_move(void *opaque, int32_t x, int32_t y)
{
    ((screen_t *)opaque)->sum += (uint32_t)x + (uint32_t)y;
}

static void screen_free(void *opaque)
{
    ((screen_t *)opaque)->frees++;
}

/* A command with small numbers where ids and sides are, so that some of them make sense. */
static size_t command(rig_t *in, uint8_t *bytes)
{
    unsigned type = rig_next(in), words = 2 + rig_next(in) % 20;
    memset(bytes, 0, 112);
    write_uint32_le_m(bytes, (type & 0x80 ? 0x300u : 0x100u) + (type & 15));
    bytes[4] = type >> 6 & 1;
    for (unsigned i = 0; i < words; i++) {
        unsigned value = rig_next(in);
        uint32_t word = value < 0xF0   ? value & 0x7F
                        : value < 0xF8 ? (uint32_t)in->mem + RIG_PAGE * (value & 7)
                                       : 0xFFFFFFF0u + value % 16;
        write_uint32_le_m(bytes + 24 + 4 * i, word);
    }
    return 24 + 4 * words;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static vd_t vd;
    static screen_t screen[2];
    rig_t in = {.data = data, .size = size};
    virtio_gpu_scanout_t scanout[2];
    virtio_desc_t desc;
    rvvm_set_loglevel(0);
    memset(screen, 0, sizeof(screen));
    for (unsigned i = 0; i < 2; i++) {
        scanout[i] = (virtio_gpu_scanout_t){.display = {&screen[i], screen_attach, screen_mode,
                                                        screen_update, screen_cursor, screen_move,
                                                        screen_free}};
    }
    if (!virtio_gpu_describe(&desc, scanout, 2, 1 << 20)) {
        return 0;
    }
    if (rig_start(&vd, &in, &desc)) {
        while (in.size) {
            unsigned op = rig_next(&in);
            uint8_t bytes[112];
            if (op % 16 == 0) {
                rig_common(&vd, &in, 2);
            } else if (op % 16 == 1) {
                screen[op >> 4 & 1].guest.resize(screen[op >> 4 & 1].guest.opaque,
                                                 rig_next(&in) * 8u, rig_next(&in) * 8u);
            } else if (op % 16 == 2) {
                rig_chain(&vd, op >> 4 & 1, &in, NULL, 0);
            } else {
                size_t len = command(&in, bytes);
                const vd_buf_t buf[2] = {
                    {in.mem + (uint64_t)RIG_PAGE * (in.page++ % RIG_PAGES), (uint32_t)len, false},
                    {in.mem + (uint64_t)RIG_PAGE * (in.page++ % RIG_PAGES), 512, true}};
                unsigned queue = read_uint32_le_m(bytes) >= 0x300;
                if (vd.queue[queue].size && vd.queue[queue].free_count >= 3) {
                    memcpy(vd_ptr(&vd, buf[0].addr), bytes, len);
                    vd_add(&vd, queue, buf, 2);
                    vd_kick(&vd, queue);
                }
            }
            rig_reclaim(&vd);
        }
    }
    vd_close(&vd);
    if (screen[0].frees != 1 || screen[1].frees != 1) {
        abort();
    }
    return 0;
}
