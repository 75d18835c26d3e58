/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Resources of the GPU: pictures on the host (2D), with guest memory behind them, and blobs, which
 * are nothing but guest memory. Pixels are brought to one format when they come to the host.
 *
 * What a guest can make the host allocate is bounded: pictures and lists of pieces by memory_max,
 * and their number by GPU_RESOURCES_MAX.
 */
#include "virtio_gpu_state.h"

#include "../util.h"

/* Formats (§5.7.6.8): the order of the bytes in memory. GPU_B8G8R8A8 comes before. */
enum {
    GPU_B8G8R8X8 = 2,
    GPU_A8R8G8B8 = 3,
    GPU_X8R8G8B8 = 4,
    GPU_R8G8B8A8 = 67,
    GPU_X8B8G8R8 = 68,
    GPU_A8B8G8R8 = 121,
    GPU_R8G8B8X8 = 134,
};

#define GPU_OPAQUE 0xFF000000u

bool gpu_format_ok(uint32_t format)
{
    return (format >= GPU_B8G8R8A8 && format <= GPU_X8R8G8B8) || format == GPU_R8G8B8A8 ||
           format == GPU_X8B8G8R8 || format == GPU_A8B8G8R8 || format == GPU_R8G8B8X8;
}

bool gpu_rect_ok(const gpu_rect_t *rect, uint32_t width, uint32_t height)
{
    return rect->width && rect->height && util_range_ok(rect->x, rect->width, width) &&
           util_range_ok(rect->y, rect->height, height);
}

bool gpu_layout_ok(const gpu_layout_t *layout, const gpu_rect_t *rect, uint64_t size)
{
    uint64_t row = (uint64_t)layout->width * 4;
    return gpu_format_ok(layout->format) && display_size_ok(layout->width, layout->height) &&
           gpu_rect_ok(rect, layout->width, layout->height) && layout->stride >= row &&
           util_range_ok(layout->offset, (uint64_t)layout->stride * (layout->height - 1) + row,
                         size);
}

static uint32_t swap_red_blue(uint32_t v)
{
    return (v & 0xFF00FF00u) | (v & 0xFF) << 16 | (v >> 16 & 0xFF);
}

/* In place: from words as the guest has them to 0xAARRGGBB. A loop for each, so that it is a fast
 * one. */
static void convert(uint32_t format, uint32_t *pixels, size_t count)
{
    uint32_t *end = pixels + count, *p = pixels;
    switch (format) {
    case GPU_B8G8R8A8:
        break;
    case GPU_B8G8R8X8:
        for (; p < end; p++) {
            *p |= GPU_OPAQUE;
        }
        break;
    case GPU_A8R8G8B8:
        for (; p < end; p++) {
            *p = __builtin_bswap32(*p);
        }
        break;
    case GPU_X8R8G8B8:
        for (; p < end; p++) {
            *p = __builtin_bswap32(*p) | GPU_OPAQUE;
        }
        break;
    case GPU_R8G8B8A8:
        for (; p < end; p++) {
            *p = swap_red_blue(*p);
        }
        break;
    case GPU_X8B8G8R8:
        for (; p < end; p++) {
            *p = *p >> 8 | GPU_OPAQUE;
        }
        break;
    case GPU_A8B8G8R8:
        for (; p < end; p++) {
            *p = *p >> 8 | *p << 24;
        }
        break;
    default: /* R8G8B8X8 */
        for (; p < end; p++) {
            *p = swap_red_blue(*p) | GPU_OPAQUE;
        }
        break;
    }
}

/* --- Guest memory behind a resource --- */

/* Copies [at, at + len) of the backing; what is not there is zeros. */
static void backing_read(virtio_gpu_t *gpu, gpu_reader_t *from, uint64_t at, uint8_t *dst,
                         size_t len)
{
    const virtq_t *vq = virtio_queue(gpu->dev, 0);
    const gpu_resource_t *resource = from->resource;
    if (at < from->start) {
        from->entry = 0;
        from->start = 0;
    }
    while (len && from->entry < resource->entries) {
        const gpu_entry_t *entry = &resource->backing[from->entry];
        if (at - from->start >= entry->len) {
            from->start += entry->len;
            from->entry++;
            continue;
        }
        uint64_t skip = at - from->start;
        size_t part = (size_t)util_min_u64(entry->len - skip, len);
        const void *bytes = virtq_guest_bytes(vq, entry->addr + skip, part);
        if (bytes) {
            memcpy(dst, bytes, part);
        } else {
            memset(dst, 0, part);
        }
        dst += part;
        at += part;
        len -= part;
    }
    memset(dst, 0, len);
}

gpu_answer_t gpu_resource_transfer(virtio_gpu_t *gpu, gpu_resource_t *resource,
                                   const gpu_rect_t *rect, uint64_t offset)
{
    /* Nothing to do for a blob; Linux asks for it with cursors. */
    if (resource->blob) {
        return GPU_OK_NODATA;
    }
    if (!gpu_rect_ok(rect, resource->width, resource->height)) {
        return GPU_ERR_INVALID_PARAMETER;
    }
    uint64_t stride = (uint64_t)resource->width * 4;
    uint64_t len = stride * (rect->height - 1) + (uint64_t)rect->width * 4;
    if (!util_range_ok(offset, len, resource->backing_size)) {
        return resource->backing ? GPU_ERR_INVALID_PARAMETER : GPU_ERR_UNSPEC;
    }
    gpu_reader_t from = {.resource = resource};
    for (uint32_t row = 0; row < rect->height; row++) {
        uint32_t *dst = resource->pixels + (size_t)(rect->y + row) * resource->width + rect->x;
        backing_read(gpu, &from, offset + row * stride, (uint8_t *)dst, (size_t)rect->width * 4);
        convert(resource->format, dst, rect->width);
    }
    return GPU_OK_NODATA;
}

void gpu_resource_blob_row(virtio_gpu_t *gpu, gpu_reader_t *blob, uint32_t format, uint64_t at,
                           uint32_t *pixels, uint32_t count)
{
    backing_read(gpu, blob, at, (uint8_t *)pixels, (size_t)count * 4);
    convert(format, pixels, count);
}

/* --- Life --- */

gpu_resource_t *gpu_resource_find(virtio_gpu_t *gpu, uint32_t id)
{
    gpu_resource_t *resource = gpu->bucket[id % GPU_BUCKETS];
    while (resource && resource->id != id) {
        resource = resource->next;
    }
    return resource;
}

static uint64_t pixels_size(const gpu_resource_t *resource)
{
    return (uint64_t)resource->width * resource->height * 4;
}

/* A new resource, known by its id, whose pictures may take `size` bytes; NULL: *answer says why. */
static gpu_resource_t *resource_new(virtio_gpu_t *gpu, uint32_t id, uint64_t size,
                                    gpu_answer_t *answer)
{
    gpu_resource_t *resource = NULL;
    if (!id || gpu_resource_find(gpu, id)) {
        *answer = GPU_ERR_INVALID_RESOURCE_ID;
        return NULL;
    }
    if (gpu->resources < GPU_RESOURCES_MAX && util_range_ok(gpu->memory, size, gpu->memory_max)) {
        resource = calloc(1, sizeof(*resource));
    }
    if (!resource) {
        *answer = GPU_ERR_OUT_OF_MEMORY;
        return NULL;
    }
    resource->id = id;
    resource->next = gpu->bucket[id % GPU_BUCKETS];
    gpu->bucket[id % GPU_BUCKETS] = resource;
    gpu->resources++;
    *answer = GPU_OK_NODATA;
    return resource;
}

gpu_answer_t gpu_resource_create_2d(virtio_gpu_t *gpu, uint32_t id, uint32_t format, uint32_t width,
                                    uint32_t height)
{
    gpu_answer_t answer;
    if (!gpu_format_ok(format) || !display_size_ok(width, height)) {
        return GPU_ERR_INVALID_PARAMETER;
    }
    gpu_resource_t *resource = resource_new(gpu, id, (uint64_t)width * height * 4, &answer);
    if (!resource) {
        return answer;
    }
    resource->format = format;
    resource->pixels = calloc((size_t)width * height, 4);
    if (!resource->pixels) {
        gpu_resource_free(gpu, resource);
        return GPU_ERR_OUT_OF_MEMORY;
    }
    resource->width = width;
    resource->height = height;
    gpu->memory += pixels_size(resource);
    return GPU_OK_NODATA;
}

gpu_answer_t gpu_resource_create_blob(virtio_gpu_t *gpu, uint32_t id, uint64_t size)
{
    gpu_answer_t answer;
    gpu_resource_t *resource = size ? resource_new(gpu, id, 0, &answer) : NULL;
    if (!size) {
        return GPU_ERR_INVALID_PARAMETER;
    }
    if (resource) {
        resource->blob = true;
        resource->blob_size = size;
    }
    return answer;
}

gpu_answer_t gpu_resource_attach(virtio_gpu_t *gpu, gpu_resource_t *resource, gpu_entry_t *entries,
                                 uint32_t count)
{
    const virtq_t *vq = virtio_queue(gpu->dev, 0);
    uint64_t size = 0, bytes = count * sizeof(*entries);
    bool ok = !resource->backing;
    for (uint32_t i = 0; ok && i < count; i++) {
        ok = virtq_guest_bytes(vq, entries[i].addr, entries[i].len) != NULL;
        size += entries[i].len;
    }
    if (!ok || !count || size < resource->blob_size) {
        free(entries);
        return GPU_ERR_INVALID_PARAMETER;
    }
    if (!util_range_ok(gpu->memory, bytes, gpu->memory_max)) {
        free(entries);
        return GPU_ERR_OUT_OF_MEMORY;
    }
    resource->backing = entries;
    resource->entries = count;
    resource->backing_size = size;
    gpu->memory += bytes;
    return GPU_OK_NODATA;
}

void gpu_resource_detach(virtio_gpu_t *gpu, gpu_resource_t *resource)
{
    gpu->memory -= resource->entries * sizeof(*resource->backing);
    free(resource->backing);
    resource->backing = NULL;
    resource->entries = 0;
    resource->backing_size = 0;
}

void gpu_resource_free(virtio_gpu_t *gpu, gpu_resource_t *resource)
{
    gpu_resource_t **at = &gpu->bucket[resource->id % GPU_BUCKETS];
    while (*at != resource) {
        at = &(*at)->next;
    }
    *at = resource->next;
    gpu_resource_detach(gpu, resource);
    gpu->memory -= pixels_size(resource);
    gpu->resources--;
    free(resource->pixels);
    free(resource);
}

void gpu_resource_free_all(virtio_gpu_t *gpu)
{
    for (unsigned i = 0; i < GPU_BUCKETS; i++) {
        while (gpu->bucket[i]) {
            gpu_resource_free(gpu, gpu->bucket[i]);
        }
    }
}
