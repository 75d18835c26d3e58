/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The bus: all that a hart knows of its machine. The machine fills one bus_t and keeps it unchanged
 * while harts exist; every callback may be called from any hart thread, concurrently.
 */
#ifndef RVKIT_BUS_H
#define RVKIT_BUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A guest physical address; Sv32 reaches 34 bits. */
typedef uint64_t paddr_t;

typedef struct hart hart_t;
typedef struct codemap codemap_t;

typedef struct bus {
    void *opaque;

    /* RAM: host memory of ram_size bytes (a multiple of 4096), page aligned, at ram_base (likewise). */
    uint8_t *ram;
    paddr_t ram_base;
    size_t ram_size;

    /* Which RAM pages hold decoded code; shared by the harts of one machine (src/cpu/codemap.h). */
    codemap_t *codemap;

    /*
     * Device access outside RAM: size is 1, 2, 4 or 8, addr is aligned to it, data is little-endian.
     * False is an access fault.
     */
    bool (*read)(void *opaque, paddr_t addr, void *data, uint8_t size);
    bool (*write)(void *opaque, paddr_t addr, const void *data, uint8_t size);

    /*
     * Host memory behind the 4 KiB page at addr (page aligned, outside RAM), for regions that are plain
     * memory such as a framebuffer; NULL when there is none. Valid until hart_flush_tlb_all() returns.
     */
    void *(*direct)(void *opaque, paddr_t addr);

    /* The value of mtime, in ticks of the machine's time base. */
    uint64_t (*time)(void *opaque);

    /*
     * An ECALL from S-mode when a built-in SBI serves the machine; NULL when a firmware runs in M-mode.
     * Arguments and results are in the hart's a0..a7 (hart_get_x, hart_set_x). The pc is already past
     * the ECALL.
     */
    void (*sbi_call)(void *opaque, hart_t *hart);
} bus_t;

#endif
