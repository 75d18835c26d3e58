/* SPDX-License-Identifier: MPL-2.0 */
/* Block devices: rights and ranges are checked here, for every implementation. */
#include <rvvm/rvvm_blk.h>

#include "util.h"

#include <stdlib.h>

struct rvvm_blk_dev {
    const rvvm_blk_cb_t *cb;
    void *data;
    uint32_t opts;
};

rvvm_blk_dev_t *rvvm_blk_init(void)
{
    static const rvvm_blk_cb_t none = {.name = "none"};
    rvvm_blk_dev_t *blk = calloc(1, sizeof(*blk));
    if (blk) {
        blk->cb = &none;
    }
    return blk;
}

void rvvm_blk_register_cb(rvvm_blk_dev_t *blk, const rvvm_blk_cb_t *cb, uint32_t opts)
{
    if (blk && cb) {
        blk->cb = cb;
        blk->opts = opts;
    }
}

void rvvm_blk_set_data(rvvm_blk_dev_t *blk, void *data)
{
    if (blk) {
        blk->data = data;
    }
}

void *rvvm_blk_get_data(rvvm_blk_dev_t *blk)
{
    return blk ? blk->data : NULL;
}

void rvvm_blk_close(rvvm_blk_dev_t *blk)
{
    if (blk && blk->cb->close) {
        blk->cb->close(blk);
    }
    free(blk);
}

uint64_t rvvm_blk_get_size(rvvm_blk_dev_t *blk)
{
    return blk && blk->cb->get_size ? blk->cb->get_size(blk) : 0;
}

bool rvvm_blk_set_size(rvvm_blk_dev_t *blk, uint64_t size)
{
    return blk && (blk->opts & RVVM_BLK_WRITE) && blk->cb->set_size && blk->cb->set_size(blk, size);
}

size_t rvvm_blk_read(rvvm_blk_dev_t *blk, void *dst, size_t size, uint64_t off)
{
    uint64_t end = rvvm_blk_get_size(blk);
    if (!blk || !(blk->opts & RVVM_BLK_READ) || !blk->cb->read || off >= end) {
        return 0;
    }
    return blk->cb->read(blk, dst, (size_t)util_min_u64(size, end - off), off);
}

size_t rvvm_blk_write(rvvm_blk_dev_t *blk, const void *src, size_t size, uint64_t off)
{
    uint64_t end = rvvm_blk_get_size(blk);
    if (!blk || !(blk->opts & RVVM_BLK_WRITE) || !blk->cb->write || off > UINT64_MAX - size) {
        return 0;
    }
    if ((blk->opts & RVVM_BLK_GROW) && off + size > end && rvvm_blk_set_size(blk, off + size)) {
        end = off + size;
    }
    return off < end ? blk->cb->write(blk, src, (size_t)util_min_u64(size, end - off), off) : 0;
}

bool rvvm_blk_sync(rvvm_blk_dev_t *blk)
{
    return blk && (!blk->cb->sync || blk->cb->sync(blk));
}

bool rvvm_blk_trim(rvvm_blk_dev_t *blk, uint64_t off, uint64_t size)
{
    return blk && (blk->opts & RVVM_BLK_WRITE) && blk->cb->trim &&
           util_range_ok(off, size, rvvm_blk_get_size(blk)) && blk->cb->trim(blk, off, size);
}

/* An image in memory. One thread at a time. */
typedef struct memory_image {
    uint8_t *bytes;
    size_t size;
} memory_image_t;

static void memory_close(rvvm_blk_dev_t *blk)
{
    memory_image_t *image = blk->data;
    free(image->bytes);
    free(image);
}

static uint64_t memory_get_size(rvvm_blk_dev_t *blk)
{
    return ((memory_image_t *)blk->data)->size;
}

static bool memory_set_size(rvvm_blk_dev_t *blk, uint64_t size)
{
    memory_image_t *image = blk->data;
    uint8_t *bytes = size <= SIZE_MAX ? realloc(image->bytes, size ? (size_t)size : 1) : NULL;
    if (!bytes) {
        return false;
    }
    if (size > image->size) {
        memset(bytes + image->size, 0, (size_t)size - image->size);
    }
    image->bytes = bytes;
    image->size = (size_t)size;
    return true;
}

static size_t memory_read(rvvm_blk_dev_t *blk, void *dst, size_t size, uint64_t off)
{
    memcpy(dst, ((memory_image_t *)blk->data)->bytes + off, size);
    return size;
}

static size_t memory_write(rvvm_blk_dev_t *blk, const void *src, size_t size, uint64_t off)
{
    memcpy(((memory_image_t *)blk->data)->bytes + off, src, size);
    return size;
}

rvvm_blk_dev_t *rvkit_blk_open_memory(void)
{
    static const rvvm_blk_cb_t memory_cb = {
        .name = "memory",
        .close = memory_close,
        .get_size = memory_get_size,
        .set_size = memory_set_size,
        .read = memory_read,
        .write = memory_write,
    };
    rvvm_blk_dev_t *blk = rvvm_blk_init();
    memory_image_t *image = calloc(1, sizeof(*image));
    if (!blk || !image) {
        free(blk);
        free(image);
        return NULL;
    }
    rvvm_blk_set_data(blk, image);
    rvvm_blk_register_cb(blk, &memory_cb, RVVM_BLK_RW | RVVM_BLK_GROW);
    return blk;
}
