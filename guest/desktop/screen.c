/* SPDX-License-Identifier: MPL-2.0 */
#include "screen.h"

#include <drm/drm.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

enum { OBJECTS_MAX = 16, MODES_MAX = 128 };

static bool fail(screen_t *screen, const char *what)
{
    fprintf(stderr, "screen: %s: %s\n", what, strerror(errno));
    if (screen->fd >= 0) {
        close(screen->fd);
    }
    screen->fd = -1;
    return false;
}

/* The mode of that size, or the first one, which is the preferred one. False: nobody is connected.
 */
static bool choose_mode(screen_t *screen, unsigned width, unsigned height,
                        struct drm_mode_modeinfo *mode)
{
    static struct drm_mode_modeinfo modes[MODES_MAX];
    struct drm_mode_get_connector conn = {.connector_id = screen->connector};
    if (ioctl(screen->fd, DRM_IOCTL_MODE_GETCONNECTOR, &conn) || conn.connection != 1 ||
        !conn.count_modes || conn.count_modes > MODES_MAX) {
        return false;
    }
    conn = (struct drm_mode_get_connector){.connector_id = screen->connector,
                                           .count_modes = conn.count_modes,
                                           .modes_ptr = (uintptr_t)modes};
    if (ioctl(screen->fd, DRM_IOCTL_MODE_GETCONNECTOR, &conn) || !conn.count_modes) {
        return false;
    }
    *mode = modes[0];
    for (unsigned i = conn.count_modes < MODES_MAX ? conn.count_modes : MODES_MAX; i--;) {
        if (modes[i].hdisplay == width && modes[i].vdisplay == height) {
            *mode = modes[i];
        }
    }
    return true;
}

/* The first connector with a mode. virtio-gpu has a CRTC for each connector, in the same order. */
static bool choose(screen_t *screen, unsigned width, unsigned height,
                   struct drm_mode_modeinfo *mode)
{
    uint32_t connectors[OBJECTS_MAX], crtcs[OBJECTS_MAX];
    struct drm_mode_card_res res = {.connector_id_ptr = (uintptr_t)connectors,
                                    .count_connectors = OBJECTS_MAX,
                                    .crtc_id_ptr = (uintptr_t)crtcs,
                                    .count_crtcs = OBJECTS_MAX};
    if (ioctl(screen->fd, DRM_IOCTL_MODE_GETRESOURCES, &res)) {
        return false;
    }
    for (unsigned i = 0; i < res.count_connectors && i < res.count_crtcs && i < OBJECTS_MAX; i++) {
        screen->connector = connectors[i];
        screen->crtc = crtcs[i];
        if (choose_mode(screen, width, height, mode)) {
            return true;
        }
    }
    errno = ENODEV;
    return false;
}

static bool make_buffer(screen_t *screen)
{
    struct drm_mode_create_dumb made = {
        .width = screen->width, .height = screen->height, .bpp = 32};
    if (ioctl(screen->fd, DRM_IOCTL_MODE_CREATE_DUMB, &made)) {
        return false;
    }
    struct drm_mode_map_dumb map = {.handle = made.handle};
    struct drm_mode_fb_cmd fb = {.width = screen->width,
                                 .height = screen->height,
                                 .pitch = made.pitch,
                                 .bpp = 32,
                                 .depth = 24,
                                 .handle = made.handle};
    if (ioctl(screen->fd, DRM_IOCTL_MODE_MAP_DUMB, &map) ||
        ioctl(screen->fd, DRM_IOCTL_MODE_ADDFB, &fb)) {
        return false;
    }
    screen->size = made.size;
    screen->stride = made.pitch / 4;
    screen->fb = fb.fb_id;
    screen->pixels = mmap(NULL, (size_t)made.size, PROT_READ | PROT_WRITE, MAP_SHARED, screen->fd,
                          (off_t)map.offset);
    return screen->pixels != MAP_FAILED;
}

bool screen_open(screen_t *screen, unsigned width, unsigned height)
{
    struct drm_mode_modeinfo mode;
    *screen = (screen_t){.fd = open("/dev/dri/card0", O_RDWR | O_CLOEXEC)};
    if (screen->fd < 0) {
        return fail(screen, "/dev/dri/card0");
    }
    if (!choose(screen, width, height, &mode)) {
        return fail(screen, "no mode");
    }
    screen->width = mode.hdisplay;
    screen->height = mode.vdisplay;
    if (!make_buffer(screen)) {
        return fail(screen, "no buffer");
    }
    memset(screen->pixels, 0, (size_t)screen->size);
    struct drm_mode_crtc set = {.set_connectors_ptr = (uintptr_t)&screen->connector,
                                .count_connectors = 1,
                                .crtc_id = screen->crtc,
                                .fb_id = screen->fb,
                                .mode_valid = 1,
                                .mode = mode};
    return !ioctl(screen->fd, DRM_IOCTL_MODE_SETCRTC, &set) || fail(screen, "mode");
}

void screen_show(screen_t *screen)
{
    struct drm_mode_fb_dirty_cmd dirty = {.fb_id = screen->fb};
    ioctl(screen->fd, DRM_IOCTL_MODE_DIRTYFB, &dirty);
}

void screen_close(screen_t *screen)
{
    if (screen->fd >= 0) {
        munmap(screen->pixels, (size_t)screen->size);
        close(screen->fd);
    }
    screen->fd = -1;
}
