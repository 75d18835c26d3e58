/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The codemap: which pages of RAM hold instructions that some hart has decoded, so that whoever writes
 * there (a hart's store, a device's DMA) makes the decoded copies stale. Any thread.
 */
#ifndef RVKIT_CPU_CODEMAP_H
#define RVKIT_CPU_CODEMAP_H

#include "../bus.h"

/* ram_base and ram_size as in bus_t. NULL when there is no memory. The machine owns it. */
codemap_t *codemap_create(paddr_t ram_base, size_t ram_size);
void codemap_free(codemap_t *map);

/* Tells that [addr, addr + size) of RAM was or is about to be written by something that is not a hart. */
void codemap_touch(codemap_t *map, paddr_t addr, size_t size);

#endif
