/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The GPU in snapshots: resources with their pictures and pieces of guest memory, scanouts,
 * cursors. What is read back passes the same checks as what a guest asks for; reading stops where
 * it fails.
 */
#include "virtio_gpu_state.h"

/* Moves `count` words. */
static bool save_words(rvvm_snapshot_t *snap, uint32_t *words, size_t count)
{
    return rvvm_snapshot_data(snap, words, count * sizeof(*words));
}

static bool save_entries(virtio_gpu_t *gpu, rvvm_snapshot_t *snap, gpu_resource_t *resource,
                         uint32_t count, bool resume)
{
    gpu_entry_t *entries = resource->backing;
    bool ok = true;
    if (resume) {
        ok = count <= GPU_ENTRIES_MAX && (entries = calloc(count, sizeof(*entries)));
    }
    for (uint32_t i = 0; ok && i < count; i++) {
        ok =
            rvvm_snapshot_field(snap, entries[i].addr) && rvvm_snapshot_field(snap, entries[i].len);
    }
    if (!resume) {
        return ok;
    }
    if (!ok) {
        free(entries);
        return false;
    }
    return gpu_resource_attach(gpu, resource, entries, count) == GPU_OK_NODATA;
}

/* One resource; NULL when reading: made from what is read. */
static bool save_resource(virtio_gpu_t *gpu, rvvm_snapshot_t *snap, gpu_resource_t *resource)
{
    gpu_resource_t now = resource ? *resource : (gpu_resource_t){0};
    uint8_t blob = now.blob;
    gpu_answer_t answer = GPU_OK_NODATA;
    if (!rvvm_snapshot_field(snap, now.id) || !rvvm_snapshot_field(snap, blob) ||
        !rvvm_snapshot_field(snap, now.format) || !rvvm_snapshot_field(snap, now.width) ||
        !rvvm_snapshot_field(snap, now.height) || !rvvm_snapshot_field(snap, now.blob_size) ||
        !rvvm_snapshot_field(snap, now.entries)) {
        return false;
    }
    bool resume = !resource;
    if (resume) {
        answer = blob ? gpu_resource_create_blob(gpu, now.id, now.blob_size)
                      : gpu_resource_create_2d(gpu, now.id, now.format, now.width, now.height);
        resource = answer == GPU_OK_NODATA ? gpu_resource_find(gpu, now.id) : NULL;
    }
    return resource &&
           (blob ||
            save_words(snap, resource->pixels, (size_t)resource->width * resource->height)) &&
           (!now.entries || save_entries(gpu, snap, resource, now.entries, resume));
}

static bool save_resources(virtio_gpu_t *gpu, rvvm_snapshot_t *snap, bool resume)
{
    uint32_t count = gpu->resources;
    bool ok = rvvm_snapshot_field(snap, count);
    for (uint32_t i = 0; resume && ok && i < count; i++) {
        ok = save_resource(gpu, snap, NULL);
    }
    for (unsigned i = 0; !resume && i < GPU_BUCKETS; i++) {
        for (gpu_resource_t *at = gpu->bucket[i]; at && ok; at = at->next) {
            ok = save_resource(gpu, snap, at);
        }
    }
    return ok;
}

/* Shows again what was read. */
static void scanout_resume(gpu_scanout_t *scanout, uint32_t id, const gpu_rect_t *rect,
                           const gpu_layout_t *layout)
{
    const gpu_resource_t *resource = id ? gpu_resource_find(scanout->gpu, id) : NULL;
    if (resource && resource->blob) {
        gpu_scanout_set_blob(scanout, resource, rect, layout);
    } else {
        gpu_scanout_set(scanout, resource, rect);
    }
}

static bool save_scanout(gpu_scanout_t *scanout, rvvm_snapshot_t *snap, bool resume)
{
    uint32_t id = scanout->resource;
    uint32_t width = scanout->want_width, height = scanout->want_height;
    gpu_rect_t rect = scanout->rect;
    gpu_layout_t layout = scanout->layout;
    bool ok =
        rvvm_snapshot_field(snap, id) && rvvm_snapshot_field(snap, rect.x) &&
        rvvm_snapshot_field(snap, rect.y) && rvvm_snapshot_field(snap, rect.width) &&
        rvvm_snapshot_field(snap, rect.height) && rvvm_snapshot_field(snap, layout.width) &&
        rvvm_snapshot_field(snap, layout.height) && rvvm_snapshot_field(snap, layout.format) &&
        rvvm_snapshot_field(snap, layout.stride) && rvvm_snapshot_field(snap, layout.offset) &&
        rvvm_snapshot_field(snap, width) && rvvm_snapshot_field(snap, height) &&
        rvvm_snapshot_field(snap, scanout->cursor_x) &&
        rvvm_snapshot_field(snap, scanout->cursor_y) && rvvm_snapshot_field(snap, scanout->hot_x) &&
        rvvm_snapshot_field(snap, scanout->hot_y) && rvvm_snapshot_field(snap, scanout->cursor) &&
        save_words(snap, scanout->image, GPU_CURSOR_PIXELS);
    if (ok && resume) {
        scanout_resume(scanout, id, &rect, &layout);
        /* Who looks today may want another size than who looked then. */
        scanout->gpu->events |= width != scanout->want_width || height != scanout->want_height;
    }
    return ok;
}

void gpu_save(virtio_gpu_t *gpu, rvvm_snapshot_t *snap, bool resume)
{
    uint32_t count = gpu->count;
    bool ok = rvvm_snapshot_field(snap, gpu->events) && rvvm_snapshot_field(snap, count) &&
              save_resources(gpu, snap, resume);
    for (uint32_t i = 0; ok && i < count && i < gpu->count; i++) {
        ok = save_scanout(&gpu->scanout[i], snap, resume);
    }
}
