/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The GPU device: VirtIO 1.2 §5.7: queues, commands, configuration. Resources and scanouts are in
 * files of their own. Each command is done when its buffer is used, so a fence needs nothing but
 * its answer.
 */
#include "edid.h"
#include "virtio_gpu_state.h"

#include "../util.h"

enum {
    GPU_F_EDID = 1,
    GPU_F_RESOURCE_BLOB = 3,

    GPU_CONTROL = 0,
    GPU_CURSOR = 1,
    GPU_QUEUES = 2,
    GPU_CONTROL_SIZE = 256,
    GPU_CURSOR_SIZE = 16,

    GPU_EVENTS_READ = 0, /* configuration space */
    GPU_EVENTS_CLEAR = 4,
    GPU_NUM_SCANOUTS = 8,
    GPU_CONFIG_SIZE = 16,
    GPU_EVENT_DISPLAY = 1,

    GPU_HEADER = 24,
    GPU_FLAG_FENCE = 1,
    GPU_ENTRY = 16, /* bytes of a piece of backing in a command */
    GPU_COMMAND_MAX = 96,
    GPU_DISPLAY_ONE = 24,
    GPU_EDID_ROOM = 1024,
    GPU_ANSWER_MAX = GPU_HEADER + 8 + GPU_EDID_ROOM,

    /* Commands (§5.7.6.7). */
    GPU_GET_DISPLAY_INFO = 0x100,
    GPU_RESOURCE_CREATE_2D = 0x101,
    GPU_RESOURCE_UNREF = 0x102,
    GPU_SET_SCANOUT = 0x103,
    GPU_RESOURCE_FLUSH = 0x104,
    GPU_TRANSFER_TO_HOST_2D = 0x105,
    GPU_RESOURCE_ATTACH_BACKING = 0x106,
    GPU_RESOURCE_DETACH_BACKING = 0x107,
    GPU_GET_EDID = 0x10A,
    GPU_RESOURCE_CREATE_BLOB = 0x10C,
    GPU_SET_SCANOUT_BLOB = 0x10D,
    GPU_UPDATE_CURSOR = 0x300,
    GPU_MOVE_CURSOR = 0x301,

    GPU_BLOB_MEM_GUEST = 1,
    GPU_BLOB_FLAGS = 7,

    GPU_WIDTH = 1024,
    GPU_HEIGHT = 768,
};

/* A command under way: what was read, and the answer as far as it is made. */
typedef struct {
    virtio_gpu_t *gpu;
    virtq_chain_t *chain;
    uint8_t in[GPU_COMMAND_MAX]; /* the header, and what follows it; zeros where it was short */
    uint8_t out[GPU_ANSWER_MAX];
    size_t out_size;
} gpu_command_t;

static uint32_t arg32(const gpu_command_t *cmd, size_t offset)
{
    return read_uint32_le_m(cmd->in + GPU_HEADER + offset);
}

static uint64_t arg64(const gpu_command_t *cmd, size_t offset)
{
    return read_uint64_le_m(cmd->in + GPU_HEADER + offset);
}

static gpu_rect_t arg_rect(const gpu_command_t *cmd, size_t offset)
{
    return (gpu_rect_t){arg32(cmd, offset), arg32(cmd, offset + 4), arg32(cmd, offset + 8),
                        arg32(cmd, offset + 12)};
}

/* --- What there is to see with --- */

static gpu_answer_t do_display_info(gpu_command_t *cmd)
{
    uint32_t x = 0;
    for (unsigned i = 0; i < cmd->gpu->count; i++) {
        const gpu_scanout_t *scanout = &cmd->gpu->scanout[i];
        uint8_t *one = cmd->out + GPU_HEADER + i * GPU_DISPLAY_ONE;
        write_uint32_le_m(one, x);
        write_uint32_le_m(one + 8, scanout->want_width);
        write_uint32_le_m(one + 12, scanout->want_height);
        write_uint32_le_m(one + 16, scanout->want_width != 0);
        x += scanout->want_width;
    }
    cmd->out_size = GPU_HEADER + VIRTIO_GPU_SCANOUTS_MAX * GPU_DISPLAY_ONE;
    return GPU_OK_DISPLAY_INFO;
}

static gpu_answer_t do_edid(gpu_command_t *cmd)
{
    uint32_t index = arg32(cmd, 0);
    if (!virtio_has_feature(cmd->gpu->dev, VIRTIO_BIT(GPU_F_EDID))) {
        return GPU_ERR_UNSPEC;
    }
    if (index >= cmd->gpu->count) {
        return GPU_ERR_INVALID_SCANOUT_ID;
    }
    const gpu_scanout_t *scanout = &cmd->gpu->scanout[index];
    bool seen = scanout->want_width != 0;
    write_uint32_le_m(cmd->out + GPU_HEADER, EDID_SIZE);
    edid_make(cmd->out + GPU_HEADER + 8, seen ? scanout->want_width : scanout->first_width,
              seen ? scanout->want_height : scanout->first_height, index);
    cmd->out_size = GPU_HEADER + 8 + GPU_EDID_ROOM;
    return GPU_OK_EDID;
}

/* --- Resources --- */

/* The pieces of guest memory that follow a command; the caller frees them. */
static gpu_answer_t read_entries(gpu_command_t *cmd, uint32_t count, gpu_entry_t **entries)
{
    *entries = NULL;
    if (!count || count > GPU_ENTRIES_MAX ||
        virtq_readable_left(cmd->chain) < (uint64_t)count * GPU_ENTRY) {
        return GPU_ERR_INVALID_PARAMETER;
    }
    if (count * sizeof(**entries) > cmd->gpu->memory_max - cmd->gpu->memory) {
        return GPU_ERR_OUT_OF_MEMORY;
    }
    *entries = calloc(count, sizeof(**entries));
    if (!*entries) {
        return GPU_ERR_OUT_OF_MEMORY;
    }
    for (uint32_t i = 0; i < count; i++) {
        uint8_t bytes[GPU_ENTRY];
        if (!virtq_read_all(cmd->chain, bytes, sizeof(bytes))) {
            free(*entries);
            *entries = NULL;
            return GPU_ERR_UNSPEC; /* the queue was reset */
        }
        (*entries)[i].addr = read_uint64_le_m(bytes);
        (*entries)[i].len = read_uint32_le_m(bytes + 8);
    }
    return GPU_OK_NODATA;
}

static gpu_answer_t do_attach(gpu_command_t *cmd, gpu_resource_t *resource, uint32_t count)
{
    gpu_entry_t *entries;
    gpu_answer_t answer = read_entries(cmd, count, &entries);
    return answer == GPU_OK_NODATA ? gpu_resource_attach(cmd->gpu, resource, entries, count)
                                   : answer;
}

/* resource_id, blob_mem, blob_flags, nr_entries, blob_id, size. */
static gpu_answer_t do_create_blob(gpu_command_t *cmd)
{
    virtio_gpu_t *gpu = cmd->gpu;
    uint32_t id = arg32(cmd, 0);
    if (!virtio_has_feature(gpu->dev, VIRTIO_BIT(GPU_F_RESOURCE_BLOB))) {
        return GPU_ERR_UNSPEC;
    }
    if (arg32(cmd, 4) != GPU_BLOB_MEM_GUEST || (arg32(cmd, 8) & ~(uint32_t)GPU_BLOB_FLAGS)) {
        return GPU_ERR_INVALID_PARAMETER;
    }
    gpu_answer_t answer = gpu_resource_create_blob(gpu, id, arg64(cmd, 24));
    if (answer == GPU_OK_NODATA) {
        gpu_resource_t *resource = gpu_resource_find(gpu, id);
        answer = do_attach(cmd, resource, arg32(cmd, 12));
        if (answer != GPU_OK_NODATA) {
            gpu_resource_free(gpu, resource);
        }
    }
    return answer;
}

/* rect, resource_id. What lies outside of the resource is a mistake, as §5.7.6.8 sees it. */
static gpu_answer_t do_flush(gpu_command_t *cmd, const gpu_resource_t *resource)
{
    gpu_rect_t rect = arg_rect(cmd, 0);
    if (!resource->blob && !gpu_rect_ok(&rect, resource->width, resource->height)) {
        return GPU_ERR_INVALID_PARAMETER;
    }
    gpu_scanouts_flush(cmd->gpu, resource, &rect);
    return GPU_OK_NODATA;
}

/* rect, scanout_id, resource_id; for a blob: width, height, format, padding, strides, offsets. */
static gpu_answer_t do_set_scanout(gpu_command_t *cmd, bool blob)
{
    virtio_gpu_t *gpu = cmd->gpu;
    gpu_rect_t rect = arg_rect(cmd, 0);
    uint32_t index = arg32(cmd, 16), id = arg32(cmd, 20);
    gpu_resource_t *resource = id ? gpu_resource_find(gpu, id) : NULL;
    if (index >= gpu->count) {
        return GPU_ERR_INVALID_SCANOUT_ID;
    }
    if (id && !resource) {
        return GPU_ERR_INVALID_RESOURCE_ID;
    }
    if (!blob) {
        return gpu_scanout_set(&gpu->scanout[index], resource, &rect);
    }
    const gpu_layout_t layout = {arg32(cmd, 24), arg32(cmd, 28), arg32(cmd, 32), arg32(cmd, 40),
                                 arg32(cmd, 56)};
    if (!virtio_has_feature(gpu->dev, VIRTIO_BIT(GPU_F_RESOURCE_BLOB))) {
        return GPU_ERR_UNSPEC;
    }
    return gpu_scanout_set_blob(&gpu->scanout[index], resource, &rect, &layout);
}

/* Commands about a resource that is there. */
static gpu_answer_t do_resource(gpu_command_t *cmd, uint32_t type, uint32_t id)
{
    virtio_gpu_t *gpu = cmd->gpu;
    gpu_resource_t *resource = gpu_resource_find(gpu, id);
    gpu_rect_t rect = arg_rect(cmd, 0);
    if (!resource) {
        return GPU_ERR_INVALID_RESOURCE_ID;
    }
    switch (type) {
    case GPU_RESOURCE_UNREF:
        gpu_scanouts_forget(gpu, id);
        gpu_resource_free(gpu, resource);
        return GPU_OK_NODATA;
    case GPU_RESOURCE_FLUSH:
        return do_flush(cmd, resource);
    case GPU_TRANSFER_TO_HOST_2D:
        return gpu_resource_transfer(gpu, resource, &rect, arg64(cmd, 16));
    case GPU_RESOURCE_ATTACH_BACKING:
        return do_attach(cmd, resource, arg32(cmd, 4));
    default:
        gpu_resource_detach(gpu, resource);
        return GPU_OK_NODATA;
    }
}

/* Bytes of a command, with what is always there; 0: unknown. */
static size_t command_size(uint32_t type)
{
    switch (type) {
    case GPU_GET_DISPLAY_INFO:
        return GPU_HEADER;
    case GPU_RESOURCE_UNREF:
    case GPU_RESOURCE_ATTACH_BACKING:
    case GPU_RESOURCE_DETACH_BACKING:
    case GPU_GET_EDID:
        return GPU_HEADER + 8;
    case GPU_RESOURCE_CREATE_2D:
        return GPU_HEADER + 16;
    case GPU_SET_SCANOUT:
    case GPU_RESOURCE_FLUSH:
        return GPU_HEADER + 24;
    case GPU_TRANSFER_TO_HOST_2D:
    case GPU_RESOURCE_CREATE_BLOB:
        return GPU_HEADER + 32;
    case GPU_SET_SCANOUT_BLOB:
        return GPU_HEADER + 72;
    default:
        return 0;
    }
}

static gpu_answer_t do_command(gpu_command_t *cmd)
{
    uint32_t type = read_uint32_le_m(cmd->in);
    size_t size = command_size(type);
    if (!size) {
        return GPU_ERR_UNSPEC;
    }
    if (!virtq_read_all(cmd->chain, cmd->in + GPU_HEADER, size - GPU_HEADER)) {
        return GPU_ERR_INVALID_PARAMETER;
    }
    switch (type) {
    case GPU_GET_DISPLAY_INFO:
        return do_display_info(cmd);
    case GPU_GET_EDID:
        return do_edid(cmd);
    case GPU_RESOURCE_CREATE_2D:
        return gpu_resource_create_2d(cmd->gpu, arg32(cmd, 0), arg32(cmd, 4), arg32(cmd, 8),
                                      arg32(cmd, 12));
    case GPU_RESOURCE_CREATE_BLOB:
        return do_create_blob(cmd);
    case GPU_SET_SCANOUT:
    case GPU_SET_SCANOUT_BLOB:
        return do_set_scanout(cmd, type == GPU_SET_SCANOUT_BLOB);
    case GPU_RESOURCE_FLUSH:
        return do_resource(cmd, type, arg32(cmd, 16));
    case GPU_TRANSFER_TO_HOST_2D:
        return do_resource(cmd, type, arg32(cmd, 24));
    default:
        return do_resource(cmd, type, arg32(cmd, 0));
    }
}

/* --- Queues --- */

static void gpu_control(virtio_gpu_t *gpu, virtq_chain_t *chain)
{
    gpu_command_t cmd = {.gpu = gpu, .chain = chain, .out_size = GPU_HEADER};
    gpu_answer_t answer = GPU_ERR_UNSPEC;
    if (virtq_read_all(chain, cmd.in, GPU_HEADER)) {
        spin_lock_slow(&gpu->lock);
        answer = do_command(&cmd);
        spin_unlock(&gpu->lock);
    }
    uint32_t flags = read_uint32_le_m(cmd.in + 4) & GPU_FLAG_FENCE;
    write_uint32_le_m(cmd.out, answer);
    write_uint32_le_m(cmd.out + 4, flags);
    if (flags) {
        memcpy(cmd.out + 8, cmd.in + 8, 12); /* fence_id, ctx_id */
    }
    /* An answer that does not fit is cut off, but not its header. */
    size_t size = (size_t)util_min_u64(cmd.out_size, virtq_writable_left(chain));
    virtq_push(chain, size >= GPU_HEADER ? virtq_write(chain, cmd.out, size) : 0);
}

/* pos {scanout_id, x, y, padding}, resource_id, hot_x, hot_y. Mistakes have no answer (§5.7.6.10).
 */
static void gpu_cursor(virtio_gpu_t *gpu, virtq_chain_t *chain)
{
    gpu_command_t cmd = {.gpu = gpu, .chain = chain};
    bool ok = virtq_read_all(chain, cmd.in, GPU_HEADER + 16);
    uint32_t type = read_uint32_le_m(cmd.in), index = arg32(&cmd, 0);
    virtq_read_all(chain, cmd.in + GPU_HEADER + 16, 16);
    spin_lock_slow(&gpu->lock);
    if (ok && index < gpu->count && (type == GPU_UPDATE_CURSOR || type == GPU_MOVE_CURSOR)) {
        gpu_scanout_t *scanout = &gpu->scanout[index];
        scanout->cursor_x = arg32(&cmd, 4);
        scanout->cursor_y = arg32(&cmd, 8);
        if (type == GPU_UPDATE_CURSOR) {
            uint32_t id = arg32(&cmd, 16);
            gpu_cursor_set(scanout, id ? gpu_resource_find(gpu, id) : NULL, arg32(&cmd, 20),
                           arg32(&cmd, 24));
        } else {
            gpu_cursor_move(scanout, scanout->cursor_x, scanout->cursor_y);
        }
    }
    spin_unlock(&gpu->lock);
    virtq_push(chain, 0);
}

static void gpu_notify(void *data, unsigned queue)
{
    virtio_gpu_t *gpu = data;
    virtq_t *vq = virtio_queue(gpu->dev, queue);
    virtq_chain_t *chain;
    while ((chain = virtq_pop(vq))) {
        if (queue == GPU_CONTROL) {
            gpu_control(gpu, chain);
        } else {
            gpu_cursor(gpu, chain);
        }
    }
    virtq_notify(vq);
}

/* --- Configuration --- */

/* The lock is held. */
static void gpu_put_config(virtio_gpu_t *gpu)
{
    uint8_t config[GPU_CONFIG_SIZE] = {0};
    write_uint32_le_m(config + GPU_EVENTS_READ, gpu->events);
    write_uint32_le_m(config + GPU_NUM_SCANOUTS, gpu->count);
    virtio_config_set(gpu->dev, 0, config, sizeof(config));
}

/* §5.7.4: ones in events_clear take events back; nothing else can be written. */
static void gpu_config_written(void *data, size_t offset, size_t len)
{
    virtio_gpu_t *gpu = data;
    uint8_t clear[4];
    virtio_config_get(gpu->dev, GPU_EVENTS_CLEAR, clear, sizeof(clear));
    spin_lock_slow(&gpu->lock);
    if (offset < GPU_EVENTS_CLEAR + 4 && offset + len > GPU_EVENTS_CLEAR) {
        gpu->events &= ~read_uint32_le_m(clear);
    }
    gpu_put_config(gpu);
    spin_unlock(&gpu->lock);
}

/* Someone looks at a display, and would like another size. */
static void gpu_resize(void *opaque, uint32_t width, uint32_t height)
{
    gpu_scanout_t *scanout = opaque;
    virtio_gpu_t *gpu = scanout->gpu;
    spin_lock_slow(&gpu->lock);
    bool news = scanout->want_width != width || scanout->want_height != height;
    if (news) {
        scanout->want_width = width;
        scanout->want_height = height;
        gpu->events |= GPU_EVENT_DISPLAY;
        gpu_put_config(gpu);
    }
    spin_unlock(&gpu->lock);
    if (news) {
        virtio_config_changed(gpu->dev);
    }
}

/* --- Life --- */

static void gpu_reset(void *data)
{
    virtio_gpu_t *gpu = data;
    spin_lock_slow(&gpu->lock);
    for (unsigned i = 0; i < gpu->count; i++) {
        gpu_scanout_reset(&gpu->scanout[i]);
    }
    gpu_resource_free_all(gpu);
    gpu->redraw = false;
    gpu->events = 0;
    gpu_put_config(gpu);
    spin_unlock(&gpu->lock);
}

static void gpu_update(void *data)
{
    virtio_gpu_t *gpu = data;
    spin_lock_slow(&gpu->lock);
    bool tell = gpu->redraw && gpu->events;
    for (unsigned i = 0; gpu->redraw && i < gpu->count; i++) {
        gpu_scanout_redraw(&gpu->scanout[i]);
    }
    gpu->redraw = false;
    spin_unlock(&gpu->lock);
    if (tell) {
        virtio_config_changed(gpu->dev);
    }
}

static void gpu_suspend(void *data, rvvm_snapshot_t *snap, bool resume)
{
    virtio_gpu_t *gpu = data;
    if (!snap) {
        return;
    }
    spin_lock_slow(&gpu->lock);
    gpu_save(gpu, snap, resume);
    if (resume) {
        gpu->redraw = true;
        gpu_put_config(gpu);
    }
    spin_unlock(&gpu->lock);
}

static void gpu_bind(void *data, virtio_dev_t *dev)
{
    virtio_gpu_t *gpu = data;
    gpu->dev = dev;
    for (unsigned i = 0; i < gpu->count; i++) {
        const display_guest_t guest = {.opaque = &gpu->scanout[i], .resize = gpu_resize};
        gpu->scanout[i].display.attach(gpu->scanout[i].display.opaque, &guest);
    }
}

static void gpu_remove(void *data)
{
    virtio_gpu_t *gpu = data;
    for (unsigned i = 0; i < gpu->count; i++) {
        gpu->scanout[i].display.free(gpu->scanout[i].display.opaque);
    }
    gpu_resource_free_all(gpu);
    free(gpu);
}

static const virtio_type_t gpu_type = {
    .name = "virtio-gpu",
    .bind = gpu_bind,
    .remove = gpu_remove,
    .notify = gpu_notify,
    .config_written = gpu_config_written,
    .reset = gpu_reset,
    .update = gpu_update,
    .suspend = gpu_suspend,
};

bool virtio_gpu_describe(virtio_desc_t *desc, const virtio_gpu_scanout_t *scanouts, unsigned count,
                         uint64_t memory)
{
    virtio_gpu_t *gpu = calloc(1, sizeof(*gpu));
    if (!gpu || !count || count > VIRTIO_GPU_SCANOUTS_MAX) {
        for (unsigned i = 0; i < count; i++) {
            scanouts[i].display.free(scanouts[i].display.opaque);
        }
        free(gpu);
        return false;
    }
    gpu->count = count;
    gpu->memory_max = memory ? memory : VIRTIO_GPU_MEMORY_DEFAULT;
    for (unsigned i = 0; i < count; i++) {
        gpu_scanout_t *scanout = &gpu->scanout[i];
        bool size = display_size_ok(scanouts[i].width, scanouts[i].height);
        scanout->gpu = gpu;
        scanout->index = i;
        scanout->display = scanouts[i].display;
        scanout->want_width = scanout->first_width = size ? scanouts[i].width : GPU_WIDTH;
        scanout->want_height = scanout->first_height = size ? scanouts[i].height : GPU_HEIGHT;
    }
    write_uint32_le_m(gpu->config + GPU_NUM_SCANOUTS, count);
    *desc = (virtio_desc_t){
        .type = &gpu_type,
        .data = gpu,
        .id = VIRTIO_ID_GPU,
        .features = VIRTIO_BIT(GPU_F_EDID) | VIRTIO_BIT(GPU_F_RESOURCE_BLOB),
        .queues = GPU_QUEUES,
        .queue_size = {GPU_CONTROL_SIZE, GPU_CURSOR_SIZE},
        .config_size = GPU_CONFIG_SIZE,
        .config = gpu->config,
    };
    return true;
}
