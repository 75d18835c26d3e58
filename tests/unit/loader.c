/* SPDX-License-Identifier: MPL-2.0 */
#include "loader.h"

#include "elf.h"
#include "host/file.h"
#include "tap.h"
#include "util.h"

#include <stdlib.h>
#include <unistd.h>

#define RAM_BASE 0x80000000u
#define RAM_SIZE (16u << 20)
#define FILE_MAX 4096

static uint8_t ram_bytes[RAM_SIZE];
static const loader_ram_t ram = {ram_bytes, RAM_BASE, RAM_SIZE};
static loader_error_t error;

/* An ELF file made by hand: two segments, and a symbol table. */
typedef struct elf_file {
    uint8_t bytes[FILE_MAX];
    size_t size;
} elf_file_t;

enum { PH = 52, SH = 52 + 64, SYM = SH + 120, STR = SYM + 64, CODE = 512, DATA = 528 };

static void put_phdr(uint8_t *p, uint32_t offset, uint32_t vaddr, uint32_t paddr, uint32_t filesz,
                     uint32_t memsz)
{
    const uint32_t words[8] = {1, offset, vaddr, paddr, filesz, memsz, 7, 4};
    for (int i = 0; i < 8; i++) {
        util_put_le32(p + i * 4, words[i]);
    }
}

static void put_shdr(uint8_t *p, uint32_t type, uint32_t offset, uint32_t size, uint32_t link,
                     uint32_t entsize)
{
    util_put_le32(p + 4, type);
    util_put_le32(p + 16, offset);
    util_put_le32(p + 20, size);
    util_put_le32(p + 24, link);
    util_put_le32(p + 36, entsize);
}

static void put_symbol(uint8_t *p, uint32_t name, uint32_t value)
{
    util_put_le32(p, name);
    util_put_le32(p + 4, value);
    util_put_le16(p + 14, 1);
}

/* Code at vaddr, 16 bytes; data of 8 bytes and 24 of .bss one page later; linked at paddr. */
static elf_file_t make_elf(uint32_t vaddr, uint32_t paddr)
{
    elf_file_t f = {.size = 600};
    uint8_t *b = f.bytes;
    memcpy(b, "\177ELF\1\1\1", 7);
    util_put_le16(b + 16, 2);
    util_put_le16(b + 18, 243);
    util_put_le32(b + 20, 1);
    util_put_le32(b + 24, vaddr + 4);
    util_put_le32(b + 28, PH);
    util_put_le32(b + 32, SH);
    util_put_le16(b + 42, 32);
    util_put_le16(b + 44, 2);
    util_put_le16(b + 46, 40);
    util_put_le16(b + 48, 3);
    put_phdr(b + PH, CODE, vaddr, paddr, 16, 16);
    put_phdr(b + PH + 32, DATA, vaddr + 4096, paddr + 4096, 8, 32);
    put_shdr(b + SH + 40, 2, SYM, 64, 2, 16);
    put_shdr(b + SH + 80, 3, STR, 48, 0, 0);
    memcpy(b + STR, "\0tohost\0begin_signature\0end_signature", 38);
    put_symbol(b + SYM + 16, 1, vaddr + 4096);
    put_symbol(b + SYM + 32, 8, vaddr + 4096 + 16);
    put_symbol(b + SYM + 48, 24, vaddr + 4096 + 32);
    memset(b + CODE, 0xc0, 16);
    memset(b + DATA, 0xda, 8);
    return f;
}

/* Refused as firmware with one line that contains what. */
static bool refuses(const void *data, size_t size, const char *what)
{
    loader_image_t image;
    error.text[0] = 0;
    bool ok = loader_load_firmware(&ram, data, size, &image, &error);
    bool good = !ok && strstr(error.text, what) && !strchr(error.text, '\n');
    if (!good) {
        printf("# wanted \"%s\", got \"%s\"\n", what, ok ? "(accepted)" : error.text);
    }
    return good;
}

TEST(elf_is_moved_to_the_start_of_ram)
{
    loader_image_t image;
    elf_file_t f = make_elf(0xc0000000u, 0x1000);
    memset(ram_bytes, 0xff, 3 * 4096);
    CHECK(loader_load_firmware(&ram, f.bytes, f.size, &image, &error));
    CHECK_EQ(RAM_BASE, image.start);
    CHECK_EQ(RAM_BASE + 4096 + 32, image.end);
    CHECK_EQ(RAM_BASE + 4, image.entry);
    CHECK_EQ(RAM_BASE + 4096, image.tohost);
    CHECK_EQ(RAM_BASE + 4096 + 16, image.begin_signature);
    CHECK_EQ(RAM_BASE + 4096 + 32, image.end_signature);
    CHECK_EQ(0, image.fromhost);
    CHECK(ram_bytes[0] == 0xc0 && ram_bytes[15] == 0xc0 && ram_bytes[16] == 0xff);
    CHECK(ram_bytes[4096] == 0xda && ram_bytes[4103] == 0xda);
    for (int i = 8; i < 32; i++) {
        CHECK_EQ(0, ram_bytes[4096 + i]);
    }
    CHECK_EQ(0xff, ram_bytes[4096 + 32]);
}

TEST(elf_kernel_goes_to_4_mib)
{
    loader_image_t image;
    elf_file_t f = make_elf(0x80000000u, 0x80000000u);
    CHECK(loader_load_kernel(&ram, f.bytes, f.size, NULL, &image, &error));
    CHECK_EQ(RAM_BASE + LOADER_KERNEL_OFFSET, image.start);
    CHECK_EQ(RAM_BASE + LOADER_KERNEL_OFFSET + 4, image.entry);
    loader_image_t firmware = {.start = RAM_BASE, .end = RAM_BASE + LOADER_KERNEL_OFFSET + 1};
    CHECK(!loader_load_kernel(&ram, f.bytes, f.size, &firmware, &image, &error));
    CHECK(strstr(error.text, "firmware reaches 5 MiB"));
}

TEST(elf_without_physical_addresses)
{
    elf_file_t f = make_elf(0x80000000u, 0);
    util_put_le32(f.bytes + PH + 32 + 12, 0);
    loader_image_t image;
    CHECK(loader_load_firmware(&ram, f.bytes, f.size, &image, &error));
    CHECK_EQ(RAM_BASE + 4096 + 32, image.end);
}

TEST(foreign_files_are_named)
{
    elf_file_t f = make_elf(0x80000000u, 0x80000000u);
    CHECK(refuses("", 0, "empty"));
    f.bytes[4] = 2;
    CHECK(refuses(f.bytes, f.size, "64-bit ELF"));
    f.bytes[18] = 62;
    CHECK(refuses(f.bytes, f.size, "for x86-64"));
    f.bytes[18] = 183;
    CHECK(refuses(f.bytes, f.size, "for AArch64"));
    f.bytes[19] = 99;
    CHECK(refuses(f.bytes, f.size, "another processor"));
    CHECK(refuses("\x1f\x8b\x08 rest of it", 16, "gunzip"));
    CHECK(refuses("\xfd"
                  "7zXZ\0 rest of it",
                  16, "unxz"));
    CHECK(refuses("070701", 6, "-initrd"));
    CHECK(refuses("#!/bin/sh\n", 10, "script"));
    CHECK(refuses("\xd0\x0d\xfe\xed....", 8, "device tree"));
    uint8_t image[600] = {0};
    memcpy(image + 56, "ARM\x64", 4);
    CHECK(refuses(image, sizeof(image), "AArch64"));
    memcpy(image + 514, "HdrS", 4);
    memset(image + 56, 0, 4);
    CHECK(refuses(image, sizeof(image), "x86"));
}

TEST(malformed_elf_files)
{
    const elf_file_t good = make_elf(0x80000000u, 0x80000000u);
    elf_file_t f = good;
    for (size_t size = 4; size < 52; size++) {
        CHECK(refuses(good.bytes, size, "truncated"));
    }
    CHECK(refuses(good.bytes, 100, "program headers are cut off"));
    CHECK(refuses(good.bytes, DATA + 7, "truncated ELF file: a segment ends at byte 536 of 535"));
    util_put_le16(f.bytes + 16, 1);
    CHECK(refuses(f.bytes, f.size, "object file"));
    f = good;
    util_put_le16(f.bytes + 44, 0);
    CHECK(refuses(f.bytes, f.size, "nothing to load"));
    f = good;
    util_put_le16(f.bytes + 42, 31);
    CHECK(refuses(f.bytes, f.size, "malformed"));
    f = good;
    util_put_le32(f.bytes + PH + 16, 17);
    CHECK(refuses(f.bytes, f.size, "holds more bytes"));
    f = good;
    util_put_le32(f.bytes + PH + 4, 0xfffffff8u);
    CHECK(refuses(f.bytes, f.size, "truncated"));
    f = good;
    util_put_le32(f.bytes + PH + 20, 0x80000001u);
    CHECK(refuses(f.bytes, f.size, "past 4 GiB"));
    f = good;
    util_put_le32(f.bytes + PH + 20, 0x2000);
    CHECK(refuses(f.bytes, f.size, "overlap"));
    f = good;
    util_put_le32(f.bytes + PH + 32 + 20, 0x2000000);
    CHECK(refuses(f.bytes, f.size, "needs 33 MiB of RAM, the machine has 16 MiB"));
    f = good;
    util_put_le32(f.bytes + 24, 0x1234);
    CHECK(refuses(f.bytes, f.size, "entry"));
}

/* A Linux Image's header. */
static void make_image(uint8_t *b, uint64_t image_size)
{
    memset(b, 0, 256);
    util_put_le64(b + 8, 0x400000);
    util_put_le64(b + 16, image_size);
    memcpy(b + 48, "RISCV\0\0\0RSC\x05", 12);
}

TEST(linux_image)
{
    uint8_t b[256];
    loader_image_t image;
    make_image(b, 0x100000);
    CHECK(loader_load_kernel(&ram, b, sizeof(b), NULL, &image, &error));
    CHECK_EQ(RAM_BASE + 0x400000, image.entry);
    CHECK_EQ(RAM_BASE + 0x500000, image.end);
    make_image(b, RAM_SIZE);
    CHECK(!loader_load_kernel(&ram, b, sizeof(b), NULL, &image, &error));
    CHECK(strstr(error.text, "needs 20 MiB of RAM, the machine has 16 MiB (more with -m)"));
    make_image(b, UINT64_MAX);
    CHECK(!loader_load_kernel(&ram, b, sizeof(b), NULL, &image, &error));
    make_image(b, 256);
    util_put_le64(b + 8, 0x200000);
    CHECK(!loader_load_kernel(&ram, b, sizeof(b), NULL, &image, &error));
    CHECK(strstr(error.text, "64-bit"));
    make_image(b, 256);
    b[24] = 1;
    CHECK(!loader_load_kernel(&ram, b, sizeof(b), NULL, &image, &error));
    CHECK(strstr(error.text, "big-endian"));
}

TEST(linux_image_with_pe_header)
{
    uint8_t b[256];
    loader_image_t image;
    make_image(b, 0x100000);
    memcpy(b, "MZ", 2);
    util_put_le32(b + 60, 64);
    memcpy(b + 64, "PE\0\0\x32\x50\1", 7);
    util_put_le32(b + 88 + 16, 100);
    util_put_le32(b + 88 + 20, 156);
    CHECK(loader_load_kernel(&ram, b, sizeof(b), NULL, &image, &error));
    CHECK(!loader_load_kernel(&ram, b, sizeof(b) - 1, NULL, &image, &error));
    CHECK(strstr(error.text, "truncated kernel Image: 255 bytes of at least 256"));
    b[68] = 0x64;
    CHECK(!loader_load_kernel(&ram, b, sizeof(b), NULL, &image, &error));
    CHECK(strstr(error.text, "64-bit"));
    util_put_le32(b + 60, 0xfffffff0u);
    CHECK(loader_load_kernel(&ram, b, sizeof(b), NULL, &image, &error));
}

TEST(initrd_and_fdt_places)
{
    paddr_t fdt, initrd;
    CHECK(loader_place_fdt(&ram, RAM_BASE + 100, 5000, &fdt, &error));
    CHECK_EQ(RAM_BASE + RAM_SIZE - 8192 - 65536, fdt);
    CHECK(loader_place_initrd(&ram, RAM_BASE + 100, fdt, 4097, &initrd, &error));
    CHECK_EQ(fdt - 8192, initrd);
    CHECK(loader_place_initrd(&ram, RAM_BASE, RAM_BASE + 8192, 8192, &initrd, &error));
    CHECK_EQ(RAM_BASE, initrd);
    CHECK(!loader_place_initrd(&ram, RAM_BASE + 1, RAM_BASE + 8192, 4097, &initrd, &error));
    CHECK(strstr(error.text, "more with -m"));
    CHECK(!loader_place_initrd(&ram, RAM_BASE, fdt, SIZE_MAX, &initrd, &error));
    CHECK(!loader_place_fdt(&ram, RAM_BASE + RAM_SIZE - 4096, 4097, &fdt, &error));
    loader_ram_t big = {ram_bytes, RAM_BASE, (size_t)2 << 30};
    CHECK(loader_place_fdt(&big, RAM_BASE, 4096, &fdt, &error));
    CHECK(fdt < RAM_BASE + (UINT64_C(1) << 30));
}

TEST(copies_only_into_ram)
{
    CHECK(loader_copy(&ram, RAM_BASE + RAM_SIZE - 4, "abcd", 4));
    CHECK(!loader_copy(&ram, RAM_BASE + RAM_SIZE - 3, "abcd", 4));
    CHECK(!loader_copy(&ram, RAM_BASE - 1, "abcd", 4));
    CHECK(!loader_copy(&ram, UINT64_MAX, "abcd", 4));
}

TEST(device_tree_blobs)
{
    uint8_t b[64] = {0};
    CHECK(!loader_check_fdt(b, sizeof(b), &error));
    util_put_be32(b, 0xd00dfeedu);
    util_put_be32(b + 4, 64);
    util_put_be32(b + 8, 40);
    util_put_be32(b + 12, 56);
    util_put_be32(b + 20, 17);
    util_put_be32(b + 24, 16);
    util_put_be32(b + 32, 8);
    util_put_be32(b + 36, 16);
    CHECK(loader_check_fdt(b, sizeof(b), &error));
    CHECK(!loader_check_fdt(b, 63, &error) && strstr(error.text, "truncated"));
    util_put_be32(b + 36, 25);
    CHECK(!loader_check_fdt(b, sizeof(b), &error) && strstr(error.text, "malformed"));
    util_put_be32(b + 24, 18);
    CHECK(!loader_check_fdt(b, sizeof(b), &error) && strstr(error.text, "version"));
}

/* Random damage: whatever is accepted lies in RAM, and nothing crashes. */
TEST(random_damage_is_survived)
{
    uint32_t seed = 12345, accepted = 0, refused = 0;
    const elf_file_t good = make_elf(0x80000000u, 0x80000000u);
    static const uint8_t nasty[] = {0, 1, 0x7f, 0x80, 0xff, 0xfe, 0x20, 4};
    for (int round = 0; round < 60000; round++) {
        elf_file_t f = good;
        for (int i = 0; i <= round % 5; i++) {
            seed = seed * 1664525 + 1013904223;
            size_t at = (seed >> 8) % 300;
            f.bytes[at] = seed & 0x80 ? nasty[seed >> 16 & 7] : (uint8_t)(seed >> 24);
        }
        size_t size = round % 7 ? f.size : (seed >> 12) % f.size;
        uint8_t *exact =
            malloc(size ? size : 1); /* so that a sanitizer sees the first byte too many */
        memcpy(exact, f.bytes, size);
        loader_image_t image;
        if (loader_load_firmware(&ram, exact, size, &image, &error)) {
            accepted++;
            CHECK(image.start == RAM_BASE && image.end <= RAM_BASE + RAM_SIZE);
            CHECK(image.entry >= image.start && image.entry < image.end);
        } else {
            refused++;
            CHECK(error.text[0] && !strchr(error.text, '\n'));
        }
        free(exact);
    }
    CHECK(accepted > 1000 && refused > 1000);
}

TEST(host_files)
{
    char path[] = "/tmp/rvkit-unit-XXXXXX", why[128];
    int fd = mkstemp(path);
    uint8_t *data = NULL;
    size_t size = 1;
    CHECK(fd >= 0);
    close(fd);
    CHECK(host_file_read_all(path, 10, &data, &size, why, sizeof(why)) && size == 0);
    free(data);
    CHECK(host_file_write_all(path, "hello", 5, why, sizeof(why)));
    CHECK(host_file_read_all(path, 5, &data, &size, why, sizeof(why)));
    CHECK(size == 5 && !memcmp(data, "hello", 5));
    free(data);
    CHECK(!host_file_read_all(path, 4, &data, &size, why, sizeof(why)) && strstr(why, "too big"));
    unlink(path);
    CHECK(!host_file_read_all(path, 4, &data, &size, why, sizeof(why)) && strstr(why, "opened"));
    CHECK(!host_file_read_all("/", 4, &data, &size, why, sizeof(why)) && strstr(why, "directory"));
    CHECK(!host_file_write_all("/nowhere/at/all", "x", 1, why, sizeof(why)));
    if (access("/dev/full", W_OK) == 0) {
        CHECK(!host_file_write_all("/dev/full", "x", 1, why, sizeof(why)) && strstr(why, "space"));
        CHECK(access("/dev/full", W_OK) == 0);
    }
}

int main(void)
{
    RUN(elf_is_moved_to_the_start_of_ram);
    RUN(elf_kernel_goes_to_4_mib);
    RUN(elf_without_physical_addresses);
    RUN(foreign_files_are_named);
    RUN(malformed_elf_files);
    RUN(linux_image);
    RUN(linux_image_with_pe_header);
    RUN(initrd_and_fdt_places);
    RUN(copies_only_into_ram);
    RUN(device_tree_blobs);
    RUN(random_damage_is_survived);
    RUN(host_files);
    return tap_finish();
}
