/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The MMIO map of a machine: which region lies where, and how an access becomes calls of its handlers.
 *
 * Threads: mmio_read(), mmio_write() and mmio_direct() take no lock and may run on any thread
 * while others attach. mmio_attach() and mmio_detach() lock for themselves. A region that was detached may
 * be in use until the harts have been held once; only then mmio_collect() and free the region.
 */
#ifndef RVKIT_MMIO_H
#define RVKIT_MMIO_H

#include "bus.h"

#include <rvvm/rvvm.h>
#include <rvvm/rvvm_region.h>

/* An attached region, behind both public handles. `mmio` comes first: they are one pointer. */
typedef struct mmio_region {
    rvvm_mmio_dev_t mmio;
    const rvvm_reg_type_t *reg_type; /* NULL for devices of the older kind */
    uint32_t attr;
    uint64_t sequence; /* order of attaching */
} mmio_region_t;

/* The regions at one moment; never changed once published. */
typedef struct mmio_view {
    struct mmio_view *older; /* waits for mmio_collect() */
    size_t sorted;           /* regions[0 .. sorted) have a size and are in order of address */
    size_t count;            /* all, placeholders behind */
    mmio_region_t *regions[];
} mmio_view_t;

typedef struct mmio_map {
    mmio_view_t *view; /* atomic */
    void *lock;        /* host_mutex_t */
    uint64_t sequence;
    paddr_t ram_base;
    size_t ram_size;
} mmio_map_t;

bool mmio_map_init(mmio_map_t *map, paddr_t ram_base, size_t ram_size);

/* The regions must have been detached. */
void mmio_map_free(mmio_map_t *map);

/* False when the place is taken (by RAM too) or there is no memory. */
bool mmio_attach(mmio_map_t *map, mmio_region_t *region);

/* Takes the region out of the view. */
void mmio_detach(mmio_map_t *map, mmio_region_t *region);

/* Frees old views. Only while nobody can be reading: harts held, event loop excluded. */
void mmio_collect(mmio_map_t *map);

/* The present view. */
const mmio_view_t *mmio_get_view(const mmio_map_t *map);

/* The region attached last, or NULL. */
mmio_region_t *mmio_last(const mmio_map_t *map);

/* True when [addr, addr + size) is free of RAM and of regions other than `except`. */
bool mmio_is_free(const mmio_map_t *map, paddr_t addr, size_t size, const mmio_region_t *except);

/* The next free place from addr up in steps of size; 0 when there is none below 2^34. */
paddr_t mmio_find_free(const mmio_map_t *map, paddr_t addr, size_t size);

/* One access as the bus has it: false is an access fault. */
bool mmio_read(const mmio_map_t *map, paddr_t addr, void *data, uint8_t size);
bool mmio_write(const mmio_map_t *map, paddr_t addr, const void *data, uint8_t size);

/* As bus_t.direct. */
void *mmio_direct(const mmio_map_t *map, paddr_t addr);

#endif
