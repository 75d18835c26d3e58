/* SPDX-License-Identifier: MPL-2.0 */
#include "mmio.h"

#include "host/thread.h"
#include "util.h"

#include <stdlib.h>
#include <string.h>

#define MMIO_ACCESS_MAX 8
#define MMIO_ADDR_LIMIT (UINT64_C(1) << 34)
#define MMIO_PAGE 4096

bool mmio_map_init(mmio_map_t *map, paddr_t ram_base, size_t ram_size)
{
    *map = (mmio_map_t){.ram_base = ram_base, .ram_size = ram_size};
    map->view = calloc(1, sizeof(mmio_view_t));
    map->lock = host_mutex_create();
    return map->view && map->lock;
}

void mmio_map_free(mmio_map_t *map)
{
    mmio_collect(map);
    free(map->view);
    host_mutex_free(map->lock);
}

const mmio_view_t *mmio_get_view(const mmio_map_t *map)
{
    return __atomic_load_n(&map->view, __ATOMIC_ACQUIRE);
}

static bool ranges_meet(paddr_t a, uint64_t a_size, paddr_t b, uint64_t b_size)
{
    return a < b ? b - a < a_size : a - b < b_size;
}

bool mmio_is_free(const mmio_map_t *map, paddr_t addr, size_t size, const mmio_region_t *except)
{
    if (!util_range_ok(addr, size, MMIO_ADDR_LIMIT) ||
        ranges_meet(addr, size, map->ram_base, map->ram_size)) {
        return false;
    }
    const mmio_view_t *view = mmio_get_view(map);
    for (size_t i = 0; i < view->sorted; i++) {
        const mmio_region_t *region = view->regions[i];
        if (region != except && ranges_meet(addr, size, region->mmio.addr, region->mmio.size)) {
            return false;
        }
    }
    return true;
}

paddr_t mmio_find_free(const mmio_map_t *map, paddr_t addr, size_t size)
{
    uint64_t step = util_max_u64(size, 1);
    while (util_range_ok(addr, step, MMIO_ADDR_LIMIT)) {
        if (mmio_is_free(map, addr, step, NULL)) {
            return addr;
        }
        bool in_ram = ranges_meet(addr, step, map->ram_base, map->ram_size);
        addr = in_ram ? util_align_up(map->ram_base + map->ram_size, MMIO_PAGE) : addr + step;
    }
    return 0;
}

static int region_order(const void *a, const void *b)
{
    paddr_t x = (*(mmio_region_t *const *)a)->mmio.addr;
    paddr_t y = (*(mmio_region_t *const *)b)->mmio.addr;
    return x < y ? -1 : x > y;
}

/* A new view without one region (may be NULL) and with another (may be NULL), published. */
static bool mmio_change(mmio_map_t *map, const mmio_region_t *without, mmio_region_t *with)
{
    mmio_view_t *old = map->view;
    mmio_view_t *view = calloc(1, sizeof(*view) + (old->count + 1) * sizeof(view->regions[0]));
    if (!view) {
        return false;
    }
    /* First those with a size, then the placeholders. */
    for (unsigned pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i <= old->count; i++) {
            mmio_region_t *region = i < old->count ? old->regions[i] : with;
            if (region && region != without && (region->mmio.size == 0) == (pass == 1)) {
                view->regions[view->count++] = region;
            }
        }
        view->sorted = pass ? view->sorted : view->count;
    }
    qsort(view->regions, view->sorted, sizeof(view->regions[0]), region_order);
    view->older = old;
    __atomic_store_n(&map->view, view, __ATOMIC_RELEASE);
    return true;
}

bool mmio_attach(mmio_map_t *map, mmio_region_t *region)
{
    host_mutex_lock(map->lock);
    bool ok = !region->mmio.size ||
              mmio_is_free(map, region->mmio.addr, region->mmio.size, NULL);
    if (ok) {
        region->sequence = map->sequence + 1;
        ok = mmio_change(map, NULL, region);
        map->sequence += ok;
    }
    host_mutex_unlock(map->lock);
    return ok;
}

void mmio_detach(mmio_map_t *map, mmio_region_t *region)
{
    host_mutex_lock(map->lock);
    if (!mmio_change(map, region, NULL)) {
        /* No memory for a new view. Nobody reads now (see the header): change the old one. */
        mmio_view_t *view = map->view;
        for (size_t i = 0; i < view->count; i++) {
            if (view->regions[i] == region) {
                view->sorted -= i < view->sorted;
                view->count--;
                memmove(view->regions + i, view->regions + i + 1,
                        (view->count - i) * sizeof(view->regions[0]));
                break;
            }
        }
    }
    host_mutex_unlock(map->lock);
}

void mmio_collect(mmio_map_t *map)
{
    host_mutex_lock(map->lock);
    mmio_view_t *view = map->view;
    while (view && view->older) {
        mmio_view_t *old = view->older;
        view->older = old->older;
        free(old);
    }
    host_mutex_unlock(map->lock);
}

mmio_region_t *mmio_last(const mmio_map_t *map)
{
    const mmio_view_t *view = mmio_get_view(map);
    mmio_region_t *last = NULL;
    for (size_t i = 0; i < view->count; i++) {
        if (!last || view->regions[i]->sequence > last->sequence) {
            last = view->regions[i];
        }
    }
    return last;
}

/* The region in which [addr, addr + size) lies, or NULL. */
static mmio_region_t *mmio_find(const mmio_map_t *map, paddr_t addr, size_t size)
{
    const mmio_view_t *view = mmio_get_view(map);
    size_t low = 0, high = view->sorted;
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (view->regions[mid]->mmio.addr <= addr) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    mmio_region_t *region = low ? view->regions[low - 1] : NULL;
    if (!region || (region->attr & RVVM_REG_ATTR_RSV) ||
        !util_range_ok(addr - region->mmio.addr, size, region->mmio.size)) {
        return NULL;
    }
    return region;
}

static uint8_t size_round_up(uint8_t size)
{
    return size > 4 ? 8 : size > 2 ? 4 : size;
}

/* The size of the handler calls that make up an access, and where the first of them starts. */
typedef struct mmio_window {
    size_t start;
    uint8_t size;
} mmio_window_t;

static mmio_window_t mmio_plan(const rvvm_mmio_dev_t *dev, size_t offset, uint8_t size)
{
    uint8_t min = dev->min_op_size ? size_round_up(dev->min_op_size) : 1;
    uint8_t max = dev->max_op_size ? size_round_up(dev->max_op_size) : MMIO_ACCESS_MAX;
    uint8_t part = size;
    if (part > max) {
        part = max;
    }
    while (part > min && offset % part) {
        part /= 2;
    }
    if (part < min) {
        part = min;
    }
    return (mmio_window_t){offset - offset % part, part};
}

/* Bytes of plain memory, as single copy atomic accesses where they are aligned. */
static void mapping_copy(void *dest, const void *src, uint8_t size)
{
    uintptr_t alignment = (uintptr_t)dest | (uintptr_t)src | size;
    if (alignment % 8 == 0) {
        ram_store_u64(dest, ram_load_u64(src));
        return;
    }
    if (alignment % 4 == 0) {
        for (unsigned i = 0; i < size; i += 4) {
            ram_store_u32((uint8_t *)dest + i, ram_load_u32((const uint8_t *)src + i));
        }
        return;
    }
    for (unsigned i = 0; i < size; i++) {
        ram_store_u8((uint8_t *)dest + i, ram_load_u8((const uint8_t *)src + i));
    }
}

static uint8_t *region_mapping(mmio_region_t *region)
{
    return __atomic_load_n((uint8_t **)&region->mmio.mapping, __ATOMIC_RELAXED);
}

bool mmio_read(const mmio_map_t *map, paddr_t addr, void *data, uint8_t size)
{
    mmio_region_t *region = mmio_find(map, addr, size);
    if (!region) {
        return false;
    }
    rvvm_mmio_dev_t *dev = &region->mmio;
    size_t offset = (size_t)(addr - dev->addr);
    uint8_t *mapping = region_mapping(region);
    if (mapping) {
        mapping_copy(data, mapping + offset, size);
        return true;
    }
    if (!dev->read) {
        return false;
    }
    mmio_window_t window = mmio_plan(dev, offset, size);
    for (size_t at = window.start; at < offset + size; at += window.size) {
        _Alignas(8) uint8_t value[MMIO_ACCESS_MAX] = {0};
        if (!util_range_ok(at, window.size, dev->size) || !dev->read(dev, value, at, window.size)) {
            return false;
        }
        for (size_t i = 0; i < window.size; i++) {
            if (at + i >= offset && at + i < offset + size) {
                ((uint8_t *)data)[at + i - offset] = value[i];
            }
        }
    }
    return true;
}

/* The part of a write that falls into one window; the rest of a wider register is read first. */
static bool mmio_write_window(rvvm_mmio_dev_t *dev, size_t at, uint8_t width, size_t offset,
                              const uint8_t *data, uint8_t size)
{
    _Alignas(8) uint8_t value[MMIO_ACCESS_MAX] = {0};
    bool whole = at >= offset && at + width <= offset + size;
    if (!util_range_ok(at, width, dev->size) ||
        (!whole && dev->read && !dev->read(dev, value, at, width))) {
        return false;
    }
    for (size_t i = 0; i < width; i++) {
        if (at + i >= offset && at + i < offset + size) {
            value[i] = data[at + i - offset];
        }
    }
    return dev->write(dev, value, at, width);
}

bool mmio_write(const mmio_map_t *map, paddr_t addr, const void *data, uint8_t size)
{
    mmio_region_t *region = mmio_find(map, addr, size);
    if (!region) {
        return false;
    }
    rvvm_mmio_dev_t *dev = &region->mmio;
    size_t offset = (size_t)(addr - dev->addr);
    if (region->attr & RVVM_REG_ATTR_ROM) {
        return true;
    }
    uint8_t *mapping = region_mapping(region);
    if (mapping) {
        mapping_copy(mapping + offset, data, size);
        return true;
    }
    if (!dev->write) {
        return false;
    }
    mmio_window_t window = mmio_plan(dev, offset, size);
    for (size_t at = window.start; at < offset + size; at += window.size) {
        if (!mmio_write_window(dev, at, window.size, offset, data, size)) {
            return false;
        }
    }
    return true;
}

void *mmio_direct(const mmio_map_t *map, paddr_t addr)
{
    mmio_region_t *region = mmio_find(map, addr, MMIO_PAGE);
    if (!region || (region->attr & RVVM_REG_ATTR_ROM)) {
        return NULL;
    }
    uint8_t *mapping = region_mapping(region);
    mapping = mapping ? mapping + (addr - region->mmio.addr) : NULL;
    return (uintptr_t)mapping % 8 ? NULL : mapping;
}
