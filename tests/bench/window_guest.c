/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The guest's part of tests/bench/window.sh:
 *   window_guest frames SECONDS  fills the whole screen with the number of a frame as its colour,
 * again and again, and prints how many there were window_guest keys            paints the first
 * cells of its terminal in another colour for each byte that it reads, until a q
 */
#include <errno.h>
#include <fcntl.h>
#include <drm/drm.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

typedef struct {
    int fd;
    uint32_t fb, width, height;
    uint32_t *pixels;
    size_t size;
} screen_t;

static int fail(const char *what)
{
    printf("%s: %s\n", what, strerror(errno));
    return 1;
}

/* A buffer of the size of the first mode, that is shown. */
static bool screen_open(screen_t *s)
{
    uint32_t connector, crtc;
    struct drm_mode_modeinfo modes[64];
    struct drm_mode_card_res res = {.connector_id_ptr = (uintptr_t)&connector,
                                    .count_connectors = 1,
                                    .crtc_id_ptr = (uintptr_t)&crtc,
                                    .count_crtcs = 1};
    s->fd = open("/dev/dri/card0", O_RDWR);
    if (s->fd < 0 || ioctl(s->fd, DRM_IOCTL_MODE_GETRESOURCES, &res)) {
        return false;
    }
    struct drm_mode_get_connector conn = {
        .connector_id = connector, .count_modes = 64, .modes_ptr = (uintptr_t)modes};
    if (ioctl(s->fd, DRM_IOCTL_MODE_GETCONNECTOR, &conn) || !conn.count_modes) {
        return false;
    }
    struct drm_mode_create_dumb dumb = {
        .width = modes[0].hdisplay, .height = modes[0].vdisplay, .bpp = 32};
    if (ioctl(s->fd, DRM_IOCTL_MODE_CREATE_DUMB, &dumb)) {
        return false;
    }
    struct drm_mode_map_dumb map = {.handle = dumb.handle};
    struct drm_mode_fb_cmd fb = {.width = dumb.width,
                                 .height = dumb.height,
                                 .pitch = dumb.pitch,
                                 .bpp = 32,
                                 .depth = 24,
                                 .handle = dumb.handle};
    if (ioctl(s->fd, DRM_IOCTL_MODE_MAP_DUMB, &map) || ioctl(s->fd, DRM_IOCTL_MODE_ADDFB, &fb)) {
        return false;
    }
    s->pixels = mmap(NULL, dumb.size, PROT_READ | PROT_WRITE, MAP_SHARED, s->fd, (off_t)map.offset);
    struct drm_mode_crtc set = {.set_connectors_ptr = (uintptr_t)&connector,
                                .count_connectors = 1,
                                .crtc_id = crtc,
                                .fb_id = fb.fb_id,
                                .mode_valid = 1,
                                .mode = modes[0]};
    s->fb = fb.fb_id;
    s->width = dumb.width;
    s->height = dumb.height;
    s->size = dumb.size;
    return s->pixels != MAP_FAILED && !ioctl(s->fd, DRM_IOCTL_MODE_SETCRTC, &set);
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int frames(double seconds)
{
    screen_t s;
    uint32_t count = 0;
    if (!screen_open(&s)) {
        return fail("card0");
    }
    double begun = now(), end = begun + seconds, at;
    do {
        uint32_t *p = s.pixels, *last = s.pixels + s.size / 4 / 16 * 16, color = ++count;
        for (; p != last; p += 16) {
            p[0] = p[1] = p[2] = p[3] = p[4] = p[5] = p[6] = p[7] = color;
            p[8] = p[9] = p[10] = p[11] = p[12] = p[13] = p[14] = p[15] = color;
        }
        struct drm_mode_fb_dirty_cmd dirty = {.fb_id = s.fb};
        if (ioctl(s.fd, DRM_IOCTL_MODE_DIRTYFB, &dirty)) {
            return fail("dirty");
        }
        at = now();
    } while (at < end);
    printf("drawn %u frames of %ux%u in %.3f s\n", count, s.width, s.height, at - begun);
    return 0;
}

static int keys(void)
{
    struct termios old, raw;
    char c;
    unsigned color = 0;
    tcgetattr(0, &old);
    raw = old;
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    tcsetattr(0, TCSANOW, &raw);
    dprintf(1, "\033[?25l\033[2J\033[Hready\n");
    while (read(0, &c, 1) == 1 && c != 'q') {
        color = !color;
        dprintf(1, "\033[H\033[4%um        \033[0m", color ? 1 : 2);
    }
    dprintf(1, "\033[?25h\033[2J\033[H");
    tcsetattr(0, TCSANOW, &old);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 3 && !strcmp(argv[1], "frames")) {
        return frames(atof(argv[2]));
    }
    if (argc == 2 && !strcmp(argv[1], "keys")) {
        return keys();
    }
    return 2;
}
