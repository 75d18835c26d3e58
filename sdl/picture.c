/* SPDX-License-Identifier: MPL-2.0 */
#include "picture.h"

#include <png.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool picture_write_png(const char *path, const uint32_t *pixels, uint32_t width, uint32_t height,
                       char *error, size_t error_size)
{
    size_t count = (size_t)width * height;
    uint8_t *rgb = malloc(3 * count + 1);
    char part[4096];
    int n = snprintf(part, sizeof(part), "%s.part", path);
    FILE *file = rgb && n > 0 && (size_t)n < sizeof(part) ? fopen(part, "wb") : NULL;
    if (!file) {
        snprintf(error, error_size, "%s", rgb ? strerror(errno) : "out of memory");
        free(rgb);
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        rgb[3 * i] = (uint8_t)(pixels[i] >> 16);
        rgb[3 * i + 1] = (uint8_t)(pixels[i] >> 8);
        rgb[3 * i + 2] = (uint8_t)pixels[i];
    }
    png_image image = {
        .version = PNG_IMAGE_VERSION, .width = width, .height = height, .format = PNG_FORMAT_RGB};
    bool ok = png_image_write_to_stdio(&image, file, 0, rgb, 0, NULL) != 0;
    snprintf(error, error_size, "%s", image.message);
    png_image_free(&image);
    bool closed = fclose(file) == 0;
    if (ok && !(closed && rename(part, path) == 0)) { /* whole, or not there */
        snprintf(error, error_size, "%s", strerror(errno));
        ok = false;
    }
    if (!ok) {
        remove(part);
    }
    free(rgb);
    return ok;
}
