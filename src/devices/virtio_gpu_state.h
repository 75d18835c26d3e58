/* SPDX-License-Identifier: MPL-2.0 */
/* Inside of the GPU device: what its files share. See virtio_gpu.h. */
#ifndef RVKIT_DEVICES_VIRTIO_GPU_STATE_H
#define RVKIT_DEVICES_VIRTIO_GPU_STATE_H

#include "virtio_gpu.h"

enum {
    GPU_RESOURCES_MAX = 4096,
    GPU_ENTRIES_MAX = 1 << 18, /* pieces of guest memory of one resource: 1 GiB in pages */
    GPU_BUCKETS = 64,
    GPU_BAND = 1 << 16, /* pixels that are brought together for one update */
    GPU_B8G8R8A8 = 1,   /* the format that needs no change; others are in virtio_gpu_resource.c */
    GPU_CURSOR_PIXELS = DISPLAY_CURSOR_SIDE * DISPLAY_CURSOR_SIDE,
};

/* §5.7.6.7 */
typedef enum {
    GPU_OK_NODATA = 0x1100,
    GPU_OK_DISPLAY_INFO = 0x1101,
    GPU_OK_EDID = 0x1104,
    GPU_ERR_UNSPEC = 0x1200,
    GPU_ERR_OUT_OF_MEMORY = 0x1201,
    GPU_ERR_INVALID_SCANOUT_ID = 0x1202,
    GPU_ERR_INVALID_RESOURCE_ID = 0x1203,
    GPU_ERR_INVALID_PARAMETER = 0x1205,
} gpu_answer_t;

typedef struct {
    uint32_t x, y, width, height;
} gpu_rect_t;

/* A piece of guest memory. */
typedef struct {
    uint64_t addr;
    uint32_t len; /* not 0 */
} gpu_entry_t;

typedef struct gpu_resource {
    struct gpu_resource *next;          /* in its bucket */
    uint32_t id, format, width, height; /* the last three: of a 2D resource */
    uint32_t *pixels;                   /* of a 2D resource: 0xAARRGGBB, without gaps */
    bool blob;
    uint64_t blob_size; /* bytes, covered by the backing */
    gpu_entry_t *backing;
    uint32_t entries;
    uint64_t backing_size;
} gpu_resource_t;

/* Where reading of a backing is, so that the next row does not look for it from the start. */
typedef struct {
    const gpu_resource_t *resource;
    uint32_t entry;
    uint64_t start; /* of the entry, in the backing */
} gpu_reader_t;

/* How a picture lies in a blob. */
typedef struct {
    uint32_t width, height, format;
    uint32_t stride, offset; /* bytes */
} gpu_layout_t;

typedef struct {
    display_host_t display;
    struct virtio_gpu *gpu;
    unsigned index;
    uint32_t first_width, first_height;
    uint32_t want_width, want_height; /* what the guest is told */

    uint32_t resource;                /* 0: none, the scanout is off */
    gpu_rect_t rect;                  /* of the resource */
    uint32_t mode_width, mode_height; /* as the display has it */
    gpu_layout_t layout;              /* of a blob */

    uint32_t cursor_x, cursor_y, hot_x, hot_y;
    uint8_t cursor; /* it shows */
    uint32_t image[GPU_CURSOR_PIXELS];
} gpu_scanout_t;

typedef struct virtio_gpu {
    virtio_dev_t *dev;
    spinlock_t lock; /* guards what follows; displays are called with it held */
    uint32_t events; /* of the configuration space */
    bool redraw;     /* after a snapshot: all scanouts, when the machine runs */

    gpu_resource_t *bucket[GPU_BUCKETS];
    unsigned resources;
    uint64_t memory, memory_max; /* bytes of the resources */

    unsigned count;
    gpu_scanout_t scanout[VIRTIO_GPU_SCANOUTS_MAX];
    uint8_t config[16]; /* the first contents */
    uint32_t band[GPU_BAND];
} virtio_gpu_t;

/* --- virtio_gpu_resource.c. The lock is held. --- */

/* NULL: there is none of that id. */
gpu_resource_t *gpu_resource_find(virtio_gpu_t *gpu, uint32_t id);

gpu_answer_t gpu_resource_create_2d(virtio_gpu_t *gpu, uint32_t id, uint32_t format, uint32_t width,
                                    uint32_t height);

/* The backing is attached afterwards, with room for all of the size. */
gpu_answer_t gpu_resource_create_blob(virtio_gpu_t *gpu, uint32_t id, uint64_t size);

/* Takes entries over, an allocation with count of them (NULL with 0); it is freed also on failure.
 */
gpu_answer_t gpu_resource_attach(virtio_gpu_t *gpu, gpu_resource_t *resource, gpu_entry_t *entries,
                                 uint32_t count);
void gpu_resource_detach(virtio_gpu_t *gpu, gpu_resource_t *resource);
void gpu_resource_free(virtio_gpu_t *gpu, gpu_resource_t *resource);
void gpu_resource_free_all(virtio_gpu_t *gpu);

/* Guest memory to a rectangle of a 2D resource (§5.7.6.8, TRANSFER_TO_HOST_2D). */
gpu_answer_t gpu_resource_transfer(virtio_gpu_t *gpu, gpu_resource_t *resource,
                                   const gpu_rect_t *rect, uint64_t offset);

/* Pixels of a row of a blob, as 0xAARRGGBB; black where there is no memory. */
void gpu_resource_blob_row(virtio_gpu_t *gpu, gpu_reader_t *blob, uint32_t format, uint64_t at,
                           uint32_t *pixels, uint32_t count);

bool gpu_format_ok(uint32_t format);

/* All rows of the picture lie inside of so many bytes, and the rectangle inside of it. */
bool gpu_layout_ok(const gpu_layout_t *layout, const gpu_rect_t *rect, uint64_t size);

/* Not empty, and inside of so many pixels. */
bool gpu_rect_ok(const gpu_rect_t *rect, uint32_t width, uint32_t height);

/* --- virtio_gpu_scanout.c. The lock is held. --- */

/* Shows a rectangle of a resource, as it is now; NULL: nothing. */
gpu_answer_t gpu_scanout_set(gpu_scanout_t *scanout, const gpu_resource_t *resource,
                             const gpu_rect_t *rect);
gpu_answer_t gpu_scanout_set_blob(gpu_scanout_t *scanout, const gpu_resource_t *resource,
                                  const gpu_rect_t *rect, const gpu_layout_t *layout);

/* A resource goes away: so does what shows it. */
void gpu_scanouts_forget(virtio_gpu_t *gpu, uint32_t resource);

/* Brings a rectangle of a resource to all scanouts that show it. */
void gpu_scanouts_flush(virtio_gpu_t *gpu, const gpu_resource_t *resource, const gpu_rect_t *rect);

/* Everything again, cursors too. */
void gpu_scanout_redraw(gpu_scanout_t *scanout);

/* A copy of a resource as the cursor; NULL, or one of another size: no cursor. */
void gpu_cursor_set(gpu_scanout_t *scanout, const gpu_resource_t *resource, uint32_t hot_x,
                    uint32_t hot_y);
void gpu_cursor_move(gpu_scanout_t *scanout, uint32_t x, uint32_t y);
void gpu_scanout_reset(gpu_scanout_t *scanout);

/* --- virtio_gpu_save.c --- */

void gpu_save(virtio_gpu_t *gpu, rvvm_snapshot_t *snap, bool resume);

#endif
