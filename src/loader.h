/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The loader: puts firmware, kernel, initrd and FDT into guest RAM. It works on bytes that are
 * already in memory (src/host/file.h reads files), so a machine can keep the bytes and load them
 * again at a reset.
 *
 * Harts are stopped while it writes. The caller tells the codemap (codemap_touch) about the ranges.
 */
#ifndef RVKIT_LOADER_H
#define RVKIT_LOADER_H

#include "bus.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Offsets from the start of RAM, as RVVM and OpenSBI's generic RV32 platform have them. */
#define LOADER_FIRMWARE_OFFSET 0u
#define LOADER_KERNEL_OFFSET 0x400000u

/* Files larger than this are refused before they are read: RV32's whole physical RAM is smaller. */
#define LOADER_FILE_MAX (UINT64_C(2) << 30)

/* One line, no newline, without the file's name in front: "is a 64-bit ELF; rvkit runs RV32 ...".
 */
typedef struct loader_error {
    char text[256];
} loader_error_t;

typedef struct loader_ram {
    uint8_t *data;
    paddr_t base;
    size_t size;
} loader_ram_t;

typedef struct loader_image {
    paddr_t start,
        end;       /* RAM that it occupies, [start, end): .bss and an Image's image_size included */
    paddr_t entry; /* where execution starts */

    /* Addresses of HTIF and riscv-arch-test symbols of an ELF; 0 when it has none. */
    paddr_t tohost, fromhost;
    paddr_t begin_signature, end_signature;
} loader_image_t;

/*
 * Firmware (ELF or flat) at the start of RAM. ELF files linked elsewhere are moved there as a
 * whole. False: nothing usable was loaded and error says why and what to do.
 */
bool loader_load_firmware(const loader_ram_t *ram, const uint8_t *data, size_t size,
                          loader_image_t *image, loader_error_t *error);

/*
 * A kernel (ELF, Linux Image or flat) at RAM + LOADER_KERNEL_OFFSET. firmware is what was loaded
 * before (NULL with the built-in SBI), and must end below.
 */
bool loader_load_kernel(const loader_ram_t *ram, const uint8_t *data, size_t size,
                        const loader_image_t *firmware, loader_image_t *image,
                        loader_error_t *error);

/*
 * Places for the FDT and the initrd, from the top of the RAM that an RV32 Linux can reach (its
 * first 1008 MiB) downwards, page aligned: first the FDT, with 64 KiB behind it for firmware that
 * adds to it, then the initrd below it. low is the end of what is in use (the kernel's or
 * firmware's image.end). Nothing is written. False: too little RAM, error says so.
 */
bool loader_place_fdt(const loader_ram_t *ram, paddr_t low, size_t fdt_size, paddr_t *addr,
                      loader_error_t *error);
bool loader_place_initrd(const loader_ram_t *ram, paddr_t low, paddr_t fdt_addr, size_t initrd_size,
                         paddr_t *addr, loader_error_t *error);

/* Copies size bytes to addr when all of it is RAM. */
bool loader_copy(const loader_ram_t *ram, paddr_t addr, const void *data, size_t size);

/* A blob given with -dtb: has a flattened device tree's magic, version and a total size that fits.
 */
bool loader_check_fdt(const uint8_t *data, size_t size, loader_error_t *error);

#endif
