/* SPDX-License-Identifier: MPL-2.0 */
#include "loader.h"

#include "elf.h"
#include "util.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define PAGE_SIZE UINT64_C(4096)

/* An RV32 Linux maps 1 GiB of RAM; its last pages hold fixed mappings. */
#define REACHABLE_MAX (UINT64_C(1008) << 20)

/* Free RAM behind the FDT: OpenSBI and U-Boot add to it in place. */
#define FDT_SLACK (UINT64_C(64) << 10)

/* Linux, Documentation/riscv/boot-image-header.rst: offsets, and the second magic number. */
enum {
    IMAGE_HEADER_SIZE = 64,
    IMAGE_TEXT_OFFSET = 8,
    IMAGE_SIZE = 16,
    IMAGE_FLAGS = 24,
    IMAGE_MAGIC2 = 56,
    IMAGE_PE_OFFSET = 60,
    IMAGE_FLAG_BE = 1,
    IMAGE_TEXT_OFFSET_RV64 = 0x200000,
};

/* PE/COFF, as an EFI-bootable Image carries it. */
enum {
    PE_MACHINE = 4,
    PE_SECTION_COUNT = 6,
    PE_OPTIONAL_SIZE = 20,
    PE_HEADER_SIZE = 24,
    PE_SECTION_SIZE = 40,
    PE_RAW_SIZE = 16,
    PE_RAW_OFFSET = 20,
    PE_MACHINE_RISCV64 = 0x5064,
};

/* Flattened device tree, Devicetree Specification 0.4, 5.2. */
enum { FDT_HEADER_SIZE = 40, FDT_VERSION = 17 };
#define FDT_MAGIC 0xd00dfeedu

PRINTF_LIKE(2, 3) static bool loader_fail(loader_error_t *error, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsnprintf(error->text, sizeof(error->text), fmt, args);
    va_end(args);
    return false;
}

static unsigned long long loader_mib(uint64_t bytes)
{
    return (bytes + (1 << 20) - 1) >> 20;
}

/* Formats that are not code but that people give by mistake. */
static bool loader_check_foreign(const uint8_t *data, size_t size, loader_error_t *error)
{
    static const struct {
        uint32_t offset, length;
        const char *magic, *what;
    } table[] = {
        {0, 3, "\x1f\x8b\x08", "is gzip-compressed; unpack it first (gunzip)"},
        {0, 6,
         "\xfd"
         "7zXZ\0",
         "is xz-compressed; unpack it first (unxz)"},
        {0, 4, "\x28\xb5\x2f\xfd", "is zstd-compressed; unpack it first (unzstd)"},
        {0, 3, "BZh", "is bzip2-compressed; unpack it first (bunzip2)"},
        {0, 4, "\x27\x05\x19\x56", "is a U-Boot uImage; give the Image inside it"},
        {0, 4, "\xd0\x0d\xfe\xed", "is a device tree or FIT image; a kernel or firmware is needed"},
        {0, 6, "070701", "is a cpio archive; give it with -initrd"},
        {0, 6, "070702", "is a cpio archive; give it with -initrd"},
        {0, 2, "#!", "is a script; a kernel or firmware is needed"},
        {0, 4, "QFI\xfb", "is a qcow2 disk image; a kernel or firmware is needed"},
        {56, 4, "ARM\x64", "is a kernel for AArch64; one for RISC-V (RV32) is needed"},
        {514, 4, "HdrS", "is a kernel for x86; one for RISC-V (RV32) is needed"},
    };
    if (!size) {
        return loader_fail(error, "is empty");
    }
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        if (util_range_ok(table[i].offset, table[i].length, size) &&
            memcmp(data + table[i].offset, table[i].magic, table[i].length) == 0) {
            return loader_fail(error, "%s", table[i].what);
        }
    }
    return true;
}

static bool loader_is_image(const uint8_t *data, size_t size)
{
    return size >= IMAGE_HEADER_SIZE && memcmp(data + IMAGE_MAGIC2, "RSC\x05", 4) == 0;
}

/* The PE header of an Image says its processor and where its sections end. */
static bool loader_check_pe(const uint8_t *data, size_t size, loader_error_t *error)
{
    uint32_t pe = util_get_le32(data + IMAGE_PE_OFFSET);
    if (memcmp(data, "MZ", 2) != 0 || !util_range_ok(pe, PE_HEADER_SIZE, size) ||
        memcmp(data + pe, "PE\0", 4) != 0) {
        return true;
    }
    if (util_get_le16(data + pe + PE_MACHINE) == PE_MACHINE_RISCV64) {
        return loader_fail(error, "is a 64-bit kernel Image; rvkit runs RV32 kernels");
    }
    uint64_t table = (uint64_t)pe + PE_HEADER_SIZE + util_get_le16(data + pe + PE_OPTIONAL_SIZE);
    uint32_t count = util_get_le16(data + pe + PE_SECTION_COUNT);
    if (!util_range_ok(table, (uint64_t)count * PE_SECTION_SIZE, size)) {
        return loader_fail(error, "is a truncated kernel Image");
    }
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *section = data + table + (size_t)i * PE_SECTION_SIZE;
        if (!util_range_ok(util_get_le32(section + PE_RAW_OFFSET),
                           util_get_le32(section + PE_RAW_SIZE), size)) {
            return loader_fail(error, "is a truncated kernel Image: %llu bytes of at least %llu",
                               (unsigned long long)size,
                               (unsigned long long)util_get_le32(section + PE_RAW_OFFSET) +
                                   util_get_le32(section + PE_RAW_SIZE));
        }
    }
    return true;
}

/* The RAM that an Image needs, or the error. */
static bool loader_check_image(const uint8_t *data, size_t size, uint64_t *need,
                               loader_error_t *error)
{
    if (util_get_le64(data + IMAGE_FLAGS) & IMAGE_FLAG_BE) {
        return loader_fail(error, "is a big-endian kernel Image; a little-endian one is needed");
    }
    if (util_get_le64(data + IMAGE_TEXT_OFFSET) == IMAGE_TEXT_OFFSET_RV64) {
        return loader_fail(error, "is a 64-bit kernel Image; rvkit runs RV32 kernels");
    }
    if (!loader_check_pe(data, size, error)) {
        return false;
    }
    uint64_t image_size = util_get_le64(data + IMAGE_SIZE);
    if (image_size >= UINT64_C(1) << 32) {
        return loader_fail(error, "is a malformed kernel Image: it claims to need %llu MiB",
                           loader_mib(image_size));
    }
    *need = util_max_u64(image_size, size);
    return true;
}

static bool loader_no_room(loader_error_t *error, const loader_ram_t *ram, uint64_t need)
{
    return loader_fail(error,
                       "does not fit: it needs %llu MiB of RAM, the machine has %llu MiB "
                       "(more with -m)",
                       loader_mib(need), loader_mib(ram->size));
}

/* Translates a symbol of the file to where the image went; 0 when there is none. */
static paddr_t loader_symbol(const uint8_t *data, size_t size, const elf_info_t *info,
                             paddr_t start, const char *name)
{
    uint32_t addr;
    return elf_find_symbol(data, size, info, name, &addr) ? start + (addr - info->low) : 0;
}

/* An ELF file whose lowest byte goes to RAM + offset. */
static bool loader_load_elf(const loader_ram_t *ram, uint32_t offset, const uint8_t *data,
                            size_t size, loader_image_t *image, loader_error_t *error)
{
    elf_info_t info;
    if (!elf_parse(data, size, &info, error->text, sizeof(error->text))) {
        return false;
    }
    uint64_t span = info.high - info.low;
    if (!util_range_ok(offset, span, ram->size)) {
        return loader_no_room(error, ram, offset + span);
    }
    for (uint32_t i = 0; i < info.segment_count; i++) {
        const elf_segment_t *seg = &info.segments[i];
        uint8_t *dest = ram->data + offset + (seg->addr - info.low);
        memcpy(dest, data + seg->offset, seg->file_size);
        memset(dest + seg->file_size, 0, seg->mem_size - seg->file_size);
    }
    image->start = ram->base + offset;
    image->end = image->start + span;
    image->entry = image->start + (info.entry - info.low);
    image->tohost = loader_symbol(data, size, &info, image->start, "tohost");
    image->fromhost = loader_symbol(data, size, &info, image->start, "fromhost");
    image->begin_signature = loader_symbol(data, size, &info, image->start, "begin_signature");
    image->end_signature = loader_symbol(data, size, &info, image->start, "end_signature");
    return true;
}

/* Bytes as they are to RAM + offset; need is how much they occupy there. */
static bool loader_load_flat(const loader_ram_t *ram, uint32_t offset, const uint8_t *data,
                             size_t size, uint64_t need, loader_image_t *image,
                             loader_error_t *error)
{
    if (!util_range_ok(offset, need, ram->size)) {
        return loader_no_room(error, ram, offset + need);
    }
    memcpy(ram->data + offset, data, size);
    image->start = ram->base + offset;
    image->end = image->start + need;
    image->entry = image->start;
    return true;
}

bool loader_load_firmware(const loader_ram_t *ram, const uint8_t *data, size_t size,
                          loader_image_t *image, loader_error_t *error)
{
    memset(image, 0, sizeof(*image));
    if (elf_is_elf(data, size)) {
        return loader_load_elf(ram, LOADER_FIRMWARE_OFFSET, data, size, image, error);
    }
    uint64_t need = size;
    if (!loader_check_foreign(data, size, error) ||
        (loader_is_image(data, size) && !loader_check_image(data, size, &need, error))) {
        return false;
    }
    return loader_load_flat(ram, LOADER_FIRMWARE_OFFSET, data, size, need, image, error);
}

bool loader_load_kernel(const loader_ram_t *ram, const uint8_t *data, size_t size,
                        const loader_image_t *firmware, loader_image_t *image,
                        loader_error_t *error)
{
    memset(image, 0, sizeof(*image));
    if (firmware && firmware->end > ram->base + LOADER_KERNEL_OFFSET) {
        return loader_fail(error,
                           "cannot be loaded at RAM + 4 MiB: the firmware reaches %llu MiB; "
                           "leave out the kernel or use a smaller firmware",
                           loader_mib(firmware->end - ram->base));
    }
    if (elf_is_elf(data, size)) {
        return loader_load_elf(ram, LOADER_KERNEL_OFFSET, data, size, image, error);
    }
    uint64_t need = size;
    if (!loader_check_foreign(data, size, error) ||
        (loader_is_image(data, size) && !loader_check_image(data, size, &need, error))) {
        return false;
    }
    return loader_load_flat(ram, LOADER_KERNEL_OFFSET, data, size, need, image, error);
}

/* The highest page aligned place of size bytes in [low, high). */
static bool loader_place(paddr_t low, paddr_t high, uint64_t size, paddr_t *addr)
{
    low = util_align_up(low, PAGE_SIZE);
    if (size > high || high - size < low) {
        return false;
    }
    *addr = (high - size) & ~(PAGE_SIZE - 1);
    return *addr >= low;
}

bool loader_place_fdt(const loader_ram_t *ram, paddr_t low, size_t fdt_size, paddr_t *addr,
                      loader_error_t *error)
{
    paddr_t high = ram->base + util_min_u64(ram->size, REACHABLE_MAX);
    if (!loader_place(util_max_u64(low, ram->base), high, fdt_size + FDT_SLACK, addr)) {
        return loader_fail(error, "no room for the device tree in %llu MiB of RAM (more with -m)",
                           loader_mib(ram->size));
    }
    return true;
}

bool loader_place_initrd(const loader_ram_t *ram, paddr_t low, paddr_t fdt_addr, size_t initrd_size,
                         paddr_t *addr, loader_error_t *error)
{
    if (!loader_place(util_max_u64(low, ram->base), fdt_addr, initrd_size, addr)) {
        return loader_fail(error,
                           "no room for %llu MiB beside the kernel in %llu MiB of RAM "
                           "(more with -m)",
                           loader_mib(initrd_size), loader_mib(ram->size));
    }
    return true;
}

bool loader_copy(const loader_ram_t *ram, paddr_t addr, const void *data, size_t size)
{
    if (addr < ram->base || !util_range_ok(addr - ram->base, size, ram->size)) {
        return false;
    }
    memcpy(ram->data + (addr - ram->base), data, size);
    return true;
}

bool loader_check_fdt(const uint8_t *data, size_t size, loader_error_t *error)
{
    if (size < FDT_HEADER_SIZE || util_get_be32(data) != FDT_MAGIC) {
        return loader_fail(error, "is not a device tree blob (compile sources with dtc)");
    }
    uint32_t total = util_get_be32(data + 4);
    if (util_get_be32(data + 20) < FDT_VERSION - 1 || util_get_be32(data + 24) > FDT_VERSION) {
        return loader_fail(error, "is a device tree blob of an unknown version (%u)",
                           (unsigned)util_get_be32(data + 20));
    }
    if (total < FDT_HEADER_SIZE || total > size) {
        return loader_fail(error, "is a truncated device tree blob: %llu bytes of %u",
                           (unsigned long long)size, (unsigned)total);
    }
    uint32_t structs = util_get_be32(data + 8), strings = util_get_be32(data + 12);
    if (!util_range_ok(structs, util_get_be32(data + 36), total) ||
        !util_range_ok(strings, util_get_be32(data + 32), total)) {
        return loader_fail(error, "is a malformed device tree blob: a block lies outside it");
    }
    return true;
}
