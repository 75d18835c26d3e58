/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The guest's part of tests/boot/desktop.sh:
 *   desktop_guest play <RAW           plays 16 bits, two channels, 48 kHz
 *   desktop_guest record FRAMES >RAW  records the same
 *   desktop_guest events DEVICE N     prints the next N input events: type code value
 *   desktop_guest draw                sets the first mode, draws into it, shows a cursor, and waits
 * for a line
 * Compile it with -Iguest/desktop and guest/desktop/pcm.c.
 */
#include "pcm.h"

#include <errno.h>
#include <fcntl.h>
#include <drm/drm.h>
#include <linux/input.h>
#include <sound/asound.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    PERIOD = 1024,
    PERIODS = 64, /* or as many as the driver takes; more than a second, where it may: a busy host
                     is no underrun */
    FRAME = 4
};

static int fail(const char *what)
{
    printf("%s: %s\n", what, strerror(errno));
    return 1;
}

/* -1: told. */
static int open_pcm(const char *path)
{
    int fd = pcm_open(path, 48000, PERIOD, PERIODS);
    if (fd < 0) {
        fail(path);
    }
    return fd;
}

/* Not pcm_write(): a gap is a failure here. */
static int play(void)
{
    static char buf[PERIOD * FRAME];
    int fd = open_pcm(PCM_PLAY);
    size_t got;
    unsigned long frames = 0;
    while (fd >= 0 && (got = fread(buf, FRAME, PERIOD, stdin))) {
        struct snd_xferi xfer = {.buf = buf, .frames = got};
        if (ioctl(fd, SNDRV_PCM_IOCTL_WRITEI_FRAMES, &xfer)) {
            return fail("write");
        }
        frames += got;
    }
    if (fd < 0 || ioctl(fd, SNDRV_PCM_IOCTL_DRAIN)) {
        return fail("drain");
    }
    printf("played %lu frames\n", frames);
    return 0;
}

static int record(unsigned long frames)
{
    static char buf[PERIOD * FRAME];
    int fd = open_pcm(PCM_RECORD);
    if (fd < 0 || ioctl(fd, SNDRV_PCM_IOCTL_START)) {
        return fail("start");
    }
    while (frames) {
        struct snd_xferi xfer = {.buf = buf, .frames = frames < PERIOD ? frames : PERIOD};
        if (ioctl(fd, SNDRV_PCM_IOCTL_READI_FRAMES, &xfer) || xfer.result <= 0) {
            return fail("read");
        }
        fwrite(buf, FRAME, (size_t)xfer.result, stdout);
        frames -= (unsigned long)xfer.result;
    }
    return 0;
}

static int events(const char *path, unsigned count)
{
    int fd = open(path, O_RDONLY);
    struct input_event event;
    if (fd < 0) {
        return fail(path);
    }
    printf("listening\n");
    fflush(stdout);
    while (count-- && read(fd, &event, sizeof(event)) == sizeof(event)) {
        printf("%u %u %d, ", event.type, event.code, event.value);
    }
    printf("end\n");
    return 0;
}

/* A buffer that both see; NULL: told. */
static uint32_t *dumb(int fd, uint32_t width, uint32_t height, struct drm_mode_create_dumb *made)
{
    *made = (struct drm_mode_create_dumb){.width = width, .height = height, .bpp = 32};
    struct drm_mode_map_dumb map = {0};
    if (ioctl(fd, DRM_IOCTL_MODE_CREATE_DUMB, made)) {
        fail("create");
        return NULL;
    }
    map.handle = made->handle;
    void *pixels =
        ioctl(fd, DRM_IOCTL_MODE_MAP_DUMB, &map)
            ? MAP_FAILED
            : mmap(NULL, made->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)map.offset);
    if (pixels == MAP_FAILED) {
        fail("map");
        return NULL;
    }
    return pixels;
}

/* The first connector and CRTC, and the first mode there is. */
static bool first_mode(int fd, uint32_t *connector, uint32_t *crtc, struct drm_mode_modeinfo *mode)
{
    struct drm_mode_modeinfo modes[64];
    struct drm_mode_card_res res = {.connector_id_ptr = (uintptr_t)connector,
                                    .count_connectors = 1,
                                    .crtc_id_ptr = (uintptr_t)crtc,
                                    .count_crtcs = 1};
    if (ioctl(fd, DRM_IOCTL_MODE_GETRESOURCES, &res)) {
        return false;
    }
    struct drm_mode_get_connector conn = {.connector_id = *connector};
    if (ioctl(fd, DRM_IOCTL_MODE_GETCONNECTOR, &conn) || conn.count_modes > 64) {
        return false;
    }
    conn = (struct drm_mode_get_connector){
        .connector_id = *connector, .count_modes = conn.count_modes, .modes_ptr = (uintptr_t)modes};
    bool ok = !ioctl(fd, DRM_IOCTL_MODE_GETCONNECTOR, &conn) && conn.count_modes;
    *mode = modes[0];
    return ok;
}

static int draw(void)
{
    int fd = open("/dev/dri/card0", O_RDWR);
    uint32_t connector, crtc;
    struct drm_mode_modeinfo mode;
    struct drm_mode_create_dumb screen, arrow;
    if (fd < 0 || !first_mode(fd, &connector, &crtc, &mode)) {
        return fail("card0");
    }
    uint32_t *pixels = dumb(fd, mode.hdisplay, mode.vdisplay, &screen),
             *image = dumb(fd, 64, 64, &arrow);
    if (!pixels || !image) {
        return 1;
    }
    for (uint32_t i = 0; i < screen.size / 4; i++) {
        pixels[i] = i * 2654435761u >> 8;
    }
    for (uint32_t i = 0; i < 64 * 64; i++) {
        image[i] = 0xFF00FF00u + i / 64;
    }
    struct drm_mode_fb_cmd fb = {.width = mode.hdisplay,
                                 .height = mode.vdisplay,
                                 .pitch = screen.pitch,
                                 .bpp = 32,
                                 .depth = 24,
                                 .handle = screen.handle};
    struct drm_mode_crtc set = {.set_connectors_ptr = (uintptr_t)&connector,
                                .count_connectors = 1,
                                .crtc_id = crtc,
                                .mode_valid = 1,
                                .mode = mode};
    struct drm_mode_cursor2 cursor = {.flags = DRM_MODE_CURSOR_BO | DRM_MODE_CURSOR_MOVE,
                                      .crtc_id = crtc,
                                      .x = 300,
                                      .y = 200,
                                      .width = 64,
                                      .height = 64,
                                      .handle = arrow.handle,
                                      .hot_x = 3,
                                      .hot_y = 4};
    bool ok = !ioctl(fd, DRM_IOCTL_MODE_ADDFB, &fb);
    set.fb_id = fb.fb_id;
    if (!ok || ioctl(fd, DRM_IOCTL_MODE_SETCRTC, &set) ||
        ioctl(fd, DRM_IOCTL_MODE_CURSOR2, &cursor)) {
        return fail("mode");
    }
    printf("mode %ux%u is drawn\n", mode.hdisplay, mode.vdisplay);
    fflush(stdout);
    getchar();
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 2 && !strcmp(argv[1], "play")) {
        return play();
    }
    if (argc == 2 && !strcmp(argv[1], "draw")) {
        return draw();
    }
    if (argc == 3 && !strcmp(argv[1], "record")) {
        return record(strtoul(argv[2], NULL, 0));
    }
    if (argc == 4 && !strcmp(argv[1], "events")) {
        return events(argv[2], (unsigned)atoi(argv[3]));
    }
    return 2;
}
