/* SPDX-License-Identifier: MPL-2.0 */
#include "codemap_state.h"

#include "state.h"

#include <stdlib.h>

#define PAGE_SHIFT 12
#define PAGE_SIZE 4096u
#define LINE_SHIFT 6
#define VERSION_STEP 2u

struct codemap {
    paddr_t ram_base;
    size_t pages;
    uint32_t lock;
    hart_t *harts[HART_MAX];
    codemap_page_t page[];
};

codemap_t *codemap_create(paddr_t ram_base, size_t ram_size)
{
    size_t pages = ram_size >> PAGE_SHIFT;
    codemap_t *map = calloc(1, sizeof(*map) + pages * sizeof(map->page[0]));
    if (map) {
        map->ram_base = ram_base;
        map->pages = pages;
    }
    return map;
}

void codemap_free(codemap_t *map)
{
    free(map);
}

/* Held for a few instructions, on slow paths only. */
static void lock(codemap_t *map)
{
    while (__atomic_exchange_n(&map->lock, 1, __ATOMIC_ACQUIRE)) {
    }
}

static void unlock(codemap_t *map)
{
    __atomic_store_n(&map->lock, 0, __ATOMIC_RELEASE);
}

void codemap_join(codemap_t *map, hart_t *hart)
{
    lock(map);
    for (unsigned n = 0; n < HART_MAX; n++) {
        if (!map->harts[n]) {
            map->harts[n] = hart;
            break;
        }
    }
    unlock(map);
}

void codemap_leave(codemap_t *map, hart_t *hart)
{
    lock(map);
    for (unsigned n = 0; n < HART_MAX; n++) {
        if (map->harts[n] == hart) {
            map->harts[n] = NULL;
        }
    }
    unlock(map);
}

bool codemap_is_code(const codemap_t *map, size_t page)
{
    return __atomic_load_n(&map->page[page].version, __ATOMIC_SEQ_CST) & CODEMAP_CODE;
}

uint32_t codemap_version(const codemap_t *map, size_t page)
{
    return __atomic_load_n(&map->page[page].version, __ATOMIC_SEQ_CST) & ~CODEMAP_CODE;
}

static uint64_t line_bits(size_t offset, size_t size)
{
    unsigned first = (offset & (PAGE_SIZE - 1)) >> LINE_SHIFT;
    unsigned last = ((offset & (PAGE_SIZE - 1)) + size - 1) >> LINE_SHIFT;
    uint64_t upto = last >= 63 ? UINT64_MAX : (UINT64_C(2) << last) - 1;
    return upto & ~((UINT64_C(1) << first) - 1);
}

uint32_t codemap_mark(codemap_t *map, const hart_t *self, size_t offset, size_t size, bool *settled)
{
    codemap_page_t *page = &map->page[offset >> PAGE_SHIFT];
    lock(map);
    bool fresh = !(page->version & CODEMAP_CODE);
    page->lines |= line_bits(offset, size);
    __atomic_store_n(&page->version, page->version | CODEMAP_CODE, __ATOMIC_SEQ_CST);
    *settled = true;
    for (unsigned n = 0; n < HART_MAX; n++) {
        hart_t *other = map->harts[n];
        if (!other || other == self) {
            continue;
        }
        if (fresh) {
            __atomic_fetch_or(&other->requests, REQUEST_PURGE_STORES, __ATOMIC_SEQ_CST);
        }
        if ((__atomic_load_n(&other->requests, __ATOMIC_SEQ_CST) & REQUEST_PURGE_STORES) &&
            !__atomic_load_n(&other->parked, __ATOMIC_SEQ_CST)) {
            *settled = false;
        }
    }
    uint32_t version = page->version & ~CODEMAP_CODE;
    unlock(map);
    return version;
}

bool codemap_stored(codemap_t *map, size_t offset, size_t size)
{
    codemap_page_t *page = &map->page[offset >> PAGE_SHIFT];
    bool hit = false;
    lock(map);
    if ((page->version & CODEMAP_CODE) && (page->lines & line_bits(offset, size))) {
        uint32_t next = (page->version + VERSION_STEP) & ~CODEMAP_CODE;
        __atomic_store_n(&page->version, next, __ATOMIC_SEQ_CST);
        page->lines = 0;
        hit = true;
    }
    unlock(map);
    return hit;
}

void codemap_touch(codemap_t *map, paddr_t addr, size_t size)
{
    uint64_t offset = addr - map->ram_base;
    uint64_t limit = (uint64_t)map->pages << PAGE_SHIFT;
    if (addr < map->ram_base || !size || !util_range_ok(offset, size, limit)) {
        return;
    }
    while (size) {
        size_t part = PAGE_SIZE - (offset & (PAGE_SIZE - 1));
        part = part < size ? part : size;
        if (codemap_is_code(map, offset >> PAGE_SHIFT)) {
            codemap_stored(map, offset, part);
        }
        offset += part;
        size -= part;
    }
}
