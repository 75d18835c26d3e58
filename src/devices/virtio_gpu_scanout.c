/* SPDX-License-Identifier: MPL-2.0 */
/* Scanouts of the GPU: which part of which resource a display shows, and its cursor. */
#include "virtio_gpu_state.h"

#include "../util.h"

/* --- Pixels to the display --- */

/* A rectangle of a blob, given in pixels of the scanout, in bands of rows. */
static void show_blob(gpu_scanout_t *scanout, const gpu_resource_t *resource,
                      const gpu_rect_t *rect)
{
    virtio_gpu_t *gpu = scanout->gpu;
    gpu_reader_t blob = {.resource = resource};
    uint32_t rows = GPU_BAND / rect->width;
    for (uint32_t y = 0; y < rect->height; y += rows) {
        uint32_t count = (uint32_t)util_min_u64(rows, rect->height - y);
        for (uint32_t i = 0; i < count; i++) {
            uint64_t row = (uint64_t)scanout->rect.y + rect->y + y + i;
            uint64_t at = scanout->layout.offset + row * scanout->layout.stride +
                          ((uint64_t)scanout->rect.x + rect->x) * 4;
            gpu_resource_blob_row(gpu, &blob, scanout->layout.format, at,
                                  gpu->band + (size_t)i * rect->width, rect->width);
        }
        scanout->display.update(scanout->display.opaque, rect->x, rect->y + y, rect->width, count,
                                gpu->band, (size_t)rect->width * 4);
    }
}

/* A rectangle of the resource, as far as the scanout shows it. */
static void scanout_flush(gpu_scanout_t *scanout, const gpu_resource_t *resource,
                          const gpu_rect_t *rect)
{
    const gpu_rect_t *shown = &scanout->rect;
    uint64_t left = util_max_u64(rect->x, shown->x), top = util_max_u64(rect->y, shown->y);
    uint64_t right =
        util_min_u64((uint64_t)rect->x + rect->width, (uint64_t)shown->x + shown->width);
    uint64_t bottom =
        util_min_u64((uint64_t)rect->y + rect->height, (uint64_t)shown->y + shown->height);
    if (left >= right || top >= bottom) {
        return;
    }
    const gpu_rect_t at = {(uint32_t)(left - shown->x), (uint32_t)(top - shown->y),
                           (uint32_t)(right - left), (uint32_t)(bottom - top)};
    if (resource->blob) {
        show_blob(scanout, resource, &at);
    } else {
        scanout->display.update(scanout->display.opaque, at.x, at.y, at.width, at.height,
                                resource->pixels + (size_t)top * resource->width + left,
                                (size_t)resource->width * 4);
    }
}

void gpu_scanouts_flush(virtio_gpu_t *gpu, const gpu_resource_t *resource, const gpu_rect_t *rect)
{
    for (unsigned i = 0; i < gpu->count; i++) {
        if (gpu->scanout[i].resource == resource->id) {
            scanout_flush(&gpu->scanout[i], resource, rect);
        }
    }
}

/* --- Modes --- */

static bool scanout_mode(gpu_scanout_t *scanout, uint32_t width, uint32_t height)
{
    if (scanout->mode_width == width && scanout->mode_height == height) {
        return true;
    }
    if (!scanout->display.set_mode(scanout->display.opaque, width, height)) {
        return false;
    }
    scanout->mode_width = width;
    scanout->mode_height = height;
    return true;
}

static void scanout_off(gpu_scanout_t *scanout)
{
    scanout->resource = 0;
    scanout->rect = (gpu_rect_t){0};
    scanout_mode(scanout, 0, 0);
}

/*
 * §5.7.6.8 leaves open whether a new scanout shows at once. Linux takes it that it does: after a
 * change of mode it flushes only what is drawn from then on.
 */
static void scanout_show(gpu_scanout_t *scanout, const gpu_resource_t *resource,
                         const gpu_rect_t *rect)
{
    scanout->resource = resource->id;
    scanout->rect = *rect;
    scanout_flush(scanout, resource, rect);
}

gpu_answer_t gpu_scanout_set(gpu_scanout_t *scanout, const gpu_resource_t *resource,
                             const gpu_rect_t *rect)
{
    if (!resource) {
        scanout_off(scanout);
        return GPU_OK_NODATA;
    }
    if (resource->blob) {
        return GPU_ERR_INVALID_RESOURCE_ID;
    }
    if (!gpu_rect_ok(rect, resource->width, resource->height)) {
        return GPU_ERR_INVALID_PARAMETER;
    }
    if (!scanout_mode(scanout, rect->width, rect->height)) {
        return GPU_ERR_OUT_OF_MEMORY;
    }
    scanout_show(scanout, resource, rect);
    return GPU_OK_NODATA;
}

gpu_answer_t gpu_scanout_set_blob(gpu_scanout_t *scanout, const gpu_resource_t *resource,
                                  const gpu_rect_t *rect, const gpu_layout_t *layout)
{
    if (!resource) {
        scanout_off(scanout);
        return GPU_OK_NODATA;
    }
    if (!resource->blob) {
        return GPU_ERR_INVALID_RESOURCE_ID;
    }
    if (!gpu_layout_ok(layout, rect, resource->blob_size)) {
        return GPU_ERR_INVALID_PARAMETER;
    }
    if (!scanout_mode(scanout, rect->width, rect->height)) {
        return GPU_ERR_OUT_OF_MEMORY;
    }
    scanout->layout = *layout;
    scanout_show(scanout, resource, rect);
    return GPU_OK_NODATA;
}

void gpu_scanouts_forget(virtio_gpu_t *gpu, uint32_t resource)
{
    for (unsigned i = 0; i < gpu->count; i++) {
        if (gpu->scanout[i].resource == resource) {
            scanout_off(&gpu->scanout[i]);
        }
    }
}

/* --- Cursors --- */

/*
 * §5.7.6.10 leaves open what the position is that of. Linux and Windows send that of the image's
 * corner, as their own interfaces have it; the display wants to know where it points to.
 */
static void cursor_place(gpu_scanout_t *scanout)
{
    scanout->display.move_cursor(scanout->display.opaque,
                                 (int32_t)(scanout->cursor_x + scanout->hot_x),
                                 (int32_t)(scanout->cursor_y + scanout->hot_y));
}

static void cursor_show(gpu_scanout_t *scanout)
{
    scanout->display.cursor(scanout->display.opaque, scanout->cursor ? scanout->image : NULL,
                            scanout->hot_x, scanout->hot_y);
    cursor_place(scanout);
}

void gpu_cursor_set(gpu_scanout_t *scanout, const gpu_resource_t *resource, uint32_t hot_x,
                    uint32_t hot_y)
{
    const uint32_t side = DISPLAY_CURSOR_SIDE;
    bool fits = resource && (resource->blob ? resource->blob_size >= GPU_CURSOR_PIXELS * 4
                                            : resource->width == side && resource->height == side);
    scanout->cursor = fits;
    scanout->hot_x = hot_x;
    scanout->hot_y = hot_y;
    if (fits && resource->blob) {
        gpu_reader_t blob = {.resource = resource};
        gpu_resource_blob_row(scanout->gpu, &blob, GPU_B8G8R8A8, 0, scanout->image,
                              GPU_CURSOR_PIXELS);
    } else if (fits) {
        memcpy(scanout->image, resource->pixels, sizeof(scanout->image));
    }
    cursor_show(scanout);
}

void gpu_cursor_move(gpu_scanout_t *scanout, uint32_t x, uint32_t y)
{
    scanout->cursor_x = x;
    scanout->cursor_y = y;
    cursor_place(scanout);
}

/* --- All of it --- */

void gpu_scanout_reset(gpu_scanout_t *scanout)
{
    scanout_off(scanout);
    scanout->cursor = 0;
    scanout->cursor_x = scanout->cursor_y = scanout->hot_x = scanout->hot_y = 0;
    scanout->layout = (gpu_layout_t){0};
    cursor_show(scanout);
}

void gpu_scanout_redraw(gpu_scanout_t *scanout)
{
    const gpu_resource_t *resource = gpu_resource_find(scanout->gpu, scanout->resource);
    if (resource) {
        scanout_flush(scanout, resource, &scanout->rect);
    }
    cursor_show(scanout);
}
