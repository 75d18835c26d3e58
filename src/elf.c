/* SPDX-License-Identifier: MPL-2.0 */
#include "elf.h"

#include "util.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Elf32_Ehdr, Elf32_Phdr, Elf32_Shdr and Elf32_Sym: sizes, and offsets of the fields used. */
enum {
    EHDR_SIZE = 52,
    E_TYPE = 16,
    E_MACHINE = 18,
    E_ENTRY = 24,
    E_PHOFF = 28,
    E_SHOFF = 32,
    E_PHENTSIZE = 42,
    E_PHNUM = 44,
    E_SHENTSIZE = 46,
    E_SHNUM = 48,

    PHDR_SIZE = 32,
    P_TYPE = 0,
    P_OFFSET = 4,
    P_VADDR = 8,
    P_PADDR = 12,
    P_FILESZ = 16,
    P_MEMSZ = 20,

    SHDR_SIZE = 40,
    SH_TYPE = 4,
    SH_OFFSET = 16,
    SH_SIZE = 20,
    SH_LINK = 24,
    SH_ENTSIZE = 36,

    SYM_SIZE = 16,
    ST_NAME = 0,
    ST_VALUE = 4,
    ST_SHNDX = 14,
};

enum { ELFCLASS32 = 1, ELFCLASS64 = 2, ELFDATA2LSB = 1, EV_CURRENT = 1 };
enum { ET_REL = 1, ET_EXEC = 2, ET_DYN = 3 };
enum {
    EM_386 = 3,
    EM_MIPS = 8,
    EM_PPC = 20,
    EM_PPC64 = 21,
    EM_ARM = 40,
    EM_X86_64 = 62,
    EM_AARCH64 = 183,
    EM_RISCV = 243,
    EM_LOONGARCH = 258
};
enum { PT_LOAD = 1, SHT_SYMTAB = 2, SHN_UNDEF = 0 };

#define ADDRESS_LIMIT (UINT64_C(1) << 32)

PRINTF_LIKE(3, 4) static bool elf_fail(char *error, size_t error_size, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsnprintf(error, error_size, fmt, args);
    va_end(args);
    return false;
}

static const char *elf_machine_name(uint32_t machine)
{
    switch (machine) {
    case EM_386:
        return "x86";
    case EM_MIPS:
        return "MIPS";
    case EM_PPC:
    case EM_PPC64:
        return "PowerPC";
    case EM_ARM:
        return "Arm";
    case EM_X86_64:
        return "x86-64";
    case EM_AARCH64:
        return "AArch64";
    case EM_LOONGARCH:
        return "LoongArch";
    default:
        return NULL;
    }
}

bool elf_is_elf(const uint8_t *data, size_t size)
{
    return size >= 4 && memcmp(data, "\177ELF", 4) == 0;
}

static bool elf_check_machine(const uint8_t *data, char *error, size_t error_size)
{
    uint32_t machine = data[5] == ELFDATA2LSB
                           ? util_get_le16(data + E_MACHINE)
                           : (uint32_t)data[E_MACHINE] << 8 | data[E_MACHINE + 1];
    if (machine == EM_RISCV) {
        return true;
    }
    const char *name = elf_machine_name(machine);
    if (name) {
        return elf_fail(error, error_size, "is an ELF file for %s; one for RISC-V (RV32) is needed",
                        name);
    }
    return elf_fail(
        error, error_size,
        "is an ELF file for another processor (machine %u); one for RISC-V (RV32) is needed",
        (unsigned)machine);
}

static bool elf_check_header(const uint8_t *data, size_t size, char *error, size_t error_size)
{
    if (!elf_is_elf(data, size)) {
        return elf_fail(error, error_size, "is not an ELF file");
    }
    if (size < EHDR_SIZE) {
        return elf_fail(error, error_size, "is a truncated ELF file: the header is cut off");
    }
    if (!elf_check_machine(data, error, error_size)) {
        return false;
    }
    if (data[4] == ELFCLASS64) {
        return elf_fail(error, error_size,
                        "is a 64-bit ELF file; rvkit runs RV32 programs (build it "
                        "for rv32, e.g. -march=rv32gc -mabi=ilp32d)");
    }
    if (data[4] != ELFCLASS32 || data[5] != ELFDATA2LSB || data[6] != EV_CURRENT) {
        return elf_fail(error, error_size, "is a malformed ELF file: class %u, data %u, version %u",
                        data[4], data[5], data[6]);
    }
    uint32_t type = util_get_le16(data + E_TYPE);
    if (type == ET_REL) {
        return elf_fail(error, error_size, "is an object file; link it first");
    }
    if (type != ET_EXEC && type != ET_DYN) {
        return elf_fail(error, error_size, "is an ELF file of type %u; an executable is needed",
                        (unsigned)type);
    }
    return true;
}

/* One program header into a segment; false with the error told. */
static bool elf_read_segment(const uint8_t *ph, size_t size, elf_segment_t *seg, char *error,
                             size_t error_size)
{
    *seg = (elf_segment_t){
        .offset = util_get_le32(ph + P_OFFSET),
        .file_size = util_get_le32(ph + P_FILESZ),
        .addr = util_get_le32(ph + P_PADDR),
        .vaddr = util_get_le32(ph + P_VADDR),
        .mem_size = util_get_le32(ph + P_MEMSZ),
    };
    if (seg->file_size > seg->mem_size) {
        return elf_fail(error, error_size,
                        "is a malformed ELF file: a segment holds more bytes than "
                        "it occupies");
    }
    if (!util_range_ok(seg->offset, seg->file_size, size)) {
        return elf_fail(error, error_size,
                        "is a truncated ELF file: a segment ends at byte %llu of %llu",
                        (unsigned long long)seg->offset + seg->file_size, (unsigned long long)size);
    }
    if (!util_range_ok(seg->addr, seg->mem_size, ADDRESS_LIMIT) ||
        !util_range_ok(seg->vaddr, seg->mem_size, ADDRESS_LIMIT)) {
        return elf_fail(error, error_size, "is a malformed ELF file: a segment reaches past 4 GiB");
    }
    return true;
}

static bool elf_overlaps(const elf_segment_t *a, const elf_segment_t *b)
{
    return a->addr < (uint64_t)b->addr + b->mem_size && b->addr < (uint64_t)a->addr + a->mem_size;
}

/* Some linkers leave every physical address 0: then the virtual ones are meant. */
static void elf_fix_addresses(elf_info_t *info)
{
    for (uint32_t i = 0; i < info->segment_count; i++) {
        if (info->segments[i].addr) {
            return;
        }
    }
    for (uint32_t i = 0; i < info->segment_count; i++) {
        info->segments[i].addr = info->segments[i].vaddr;
    }
}

static bool elf_read_segments(const uint8_t *data, size_t size, elf_info_t *info, char *error,
                              size_t error_size)
{
    uint32_t phoff = util_get_le32(data + E_PHOFF);
    uint32_t count = util_get_le16(data + E_PHNUM);
    if (count && util_get_le16(data + E_PHENTSIZE) != PHDR_SIZE) {
        return elf_fail(error, error_size, "is a malformed ELF file: program headers of %u bytes",
                        util_get_le16(data + E_PHENTSIZE));
    }
    if (!util_range_ok(phoff, (uint64_t)count * PHDR_SIZE, size)) {
        return elf_fail(error, error_size,
                        "is a truncated ELF file: the program headers are cut off");
    }
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *ph = data + phoff + (size_t)i * PHDR_SIZE;
        if (util_get_le32(ph + P_TYPE) != PT_LOAD || util_get_le32(ph + P_MEMSZ) == 0) {
            continue;
        }
        if (info->segment_count == ELF_SEGMENTS_MAX) {
            return elf_fail(error, error_size, "has more than %d segments", ELF_SEGMENTS_MAX);
        }
        if (!elf_read_segment(ph, size, &info->segments[info->segment_count], error, error_size)) {
            return false;
        }
        info->segment_count++;
    }
    if (!info->segment_count) {
        return elf_fail(error, error_size, "is an ELF file with nothing to load");
    }
    return true;
}

/*
 * A virtual address of the file as the physical one of its segment. The address just behind a
 * segment counts too (slack 1) for symbols that mark an end, such as end_signature.
 */
static bool elf_translate(const elf_info_t *info, uint32_t vaddr, uint32_t slack, uint32_t *addr)
{
    for (uint32_t i = 0; i < info->segment_count; i++) {
        const elf_segment_t *seg = &info->segments[i];
        if (vaddr >= seg->vaddr && vaddr - seg->vaddr < (uint64_t)seg->mem_size + slack) {
            *addr = seg->addr + (vaddr - seg->vaddr);
            return true;
        }
    }
    return false;
}

/* The entry as a virtual address of a segment or, in some hand-made files, a physical one. */
static bool elf_find_entry(uint32_t entry, elf_info_t *info)
{
    if (elf_translate(info, entry, 0, &info->entry)) {
        return true;
    }
    for (uint32_t i = 0; i < info->segment_count; i++) {
        const elf_segment_t *seg = &info->segments[i];
        if (entry >= seg->addr && entry - seg->addr < seg->mem_size) {
            info->entry = entry;
            return true;
        }
    }
    return false;
}

bool elf_parse(const uint8_t *data, size_t size, elf_info_t *info, char *error, size_t error_size)
{
    memset(info, 0, sizeof(*info));
    if (!elf_check_header(data, size, error, error_size) ||
        !elf_read_segments(data, size, info, error, error_size)) {
        return false;
    }
    elf_fix_addresses(info);
    info->low = UINT32_MAX;
    for (uint32_t i = 0; i < info->segment_count; i++) {
        const elf_segment_t *seg = &info->segments[i];
        for (uint32_t j = 0; j < i; j++) {
            if (elf_overlaps(seg, &info->segments[j])) {
                return elf_fail(error, error_size,
                                "is a malformed ELF file: two segments overlap at 0x%08x",
                                (unsigned)util_max_u64(seg->addr, info->segments[j].addr));
            }
        }
        info->low = (uint32_t)util_min_u64(info->low, seg->addr);
        info->high = util_max_u64(info->high, (uint64_t)seg->addr + seg->mem_size);
    }
    uint32_t entry = util_get_le32(data + E_ENTRY);
    if (!elf_find_entry(entry, info)) {
        return elf_fail(error, error_size,
                        "is a malformed ELF file: its entry 0x%08x is outside its segments",
                        (unsigned)entry);
    }
    return true;
}

/* The string at offset of a table is exactly name. */
static bool elf_string_is(const uint8_t *table, uint32_t table_size, uint32_t offset,
                          const char *name)
{
    size_t len = strlen(name) + 1;
    return util_range_ok(offset, len, table_size) && memcmp(table + offset, name, len) == 0;
}

/* Looks name up in the symbol table of section sh; sections are at data + shoff, count of them. */
static bool elf_search_symtab(const uint8_t *data, size_t size, const uint8_t *sections,
                              uint32_t count, const uint8_t *sh, const elf_info_t *info,
                              const char *name, uint32_t *addr)
{
    uint32_t sym_off = util_get_le32(sh + SH_OFFSET), sym_size = util_get_le32(sh + SH_SIZE);
    uint32_t link = util_get_le32(sh + SH_LINK);
    if (link >= count || !util_range_ok(sym_off, sym_size, size) ||
        util_get_le32(sh + SH_ENTSIZE) != SYM_SIZE) {
        return false;
    }
    const uint8_t *str = sections + (size_t)link * SHDR_SIZE;
    uint32_t str_off = util_get_le32(str + SH_OFFSET), str_size = util_get_le32(str + SH_SIZE);
    if (!util_range_ok(str_off, str_size, size)) {
        return false;
    }
    for (uint32_t i = 0; i < sym_size / SYM_SIZE; i++) {
        const uint8_t *sym = data + sym_off + (size_t)i * SYM_SIZE;
        uint32_t value = util_get_le32(sym + ST_VALUE);
        if (util_get_le16(sym + ST_SHNDX) != SHN_UNDEF &&
            elf_string_is(data + str_off, str_size, util_get_le32(sym + ST_NAME), name)) {
            return elf_translate(info, value, 0, addr) || elf_translate(info, value, 1, addr);
        }
    }
    return false;
}

bool elf_find_symbol(const uint8_t *data, size_t size, const elf_info_t *info, const char *name,
                     uint32_t *addr)
{
    if (size < EHDR_SIZE) {
        return false;
    }
    uint32_t shoff = util_get_le32(data + E_SHOFF);
    uint32_t count = util_get_le16(data + E_SHNUM);
    if (!count || util_get_le16(data + E_SHENTSIZE) != SHDR_SIZE ||
        !util_range_ok(shoff, (uint64_t)count * SHDR_SIZE, size)) {
        return false;
    }
    const uint8_t *sections = data + shoff;
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *sh = sections + (size_t)i * SHDR_SIZE;
        if (util_get_le32(sh + SH_TYPE) == SHT_SYMTAB &&
            elf_search_symtab(data, size, sections, count, sh, info, name, addr)) {
            return true;
        }
    }
    return false;
}
