/* SPDX-License-Identifier: MPL-2.0 */
/*
 * libFuzzer target: any bytes as firmware, kernel and device tree. Build and run:
 *   clang -fsanitize=fuzzer,address,undefined -Iinclude -Isrc tests/fuzz/elf.c src/elf.c
 * src/loader.c -o fuzz-elf
 *   ./fuzz-elf -max_total_time=60 CORPUS
 */
#include "elf.h"
#include "loader.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was loaded lies in RAM. */
static void check_image(const loader_ram_t *ram, const loader_image_t *image)
{
    if (image->start < ram->base || image->end > ram->base + ram->size ||
        image->start > image->end) {
        abort();
    }
    if (image->entry < image->start || image->entry >= image->end) {
        abort();
    }
    if (image->tohost && (image->tohost < image->start || image->tohost > image->end)) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    loader_ram_t ram = {malloc(6 << 20), 0x80000000u, 6 << 20};
    loader_image_t firmware, kernel;
    loader_error_t error;
    paddr_t addr;
    if (!ram.data) {
        return 0;
    }
    bool loaded = loader_load_firmware(&ram, data, size, &firmware, &error);
    if (loaded) {
        check_image(&ram, &firmware);
    }
    if (loader_load_kernel(&ram, data, size, loaded ? &firmware : NULL, &kernel, &error)) {
        check_image(&ram, &kernel);
        if (loader_place_initrd(&ram, kernel.end, ram.base + ram.size, size, &addr, &error) &&
            (addr < kernel.end || !loader_copy(&ram, addr, data, size))) {
            abort();
        }
    }
    loader_check_fdt(data, size, &error);
    free(ram.data);
    return 0;
}
