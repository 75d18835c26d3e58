/* SPDX-License-Identifier: MPL-2.0 */
/*
 * ELF32 for RISC-V as a pure function of a byte buffer: no file, no allocation, no guest RAM. Every
 * offset and length of the file is checked before use, so any bytes may be given
 * (tests/fuzz/elf.c).
 *
 * Reference: System V ABI, "Object Files" and "Program Loading"; RISC-V ELF psABI.
 */
#ifndef RVKIT_ELF_H
#define RVKIT_ELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* More PT_LOAD segments than any firmware or kernel has. */
#define ELF_SEGMENTS_MAX 32

/* Bytes [offset, offset + file_size) of the file belong at addr, zeroes follow up to mem_size. */
typedef struct elf_segment {
    uint32_t offset;
    uint32_t file_size; /* <= mem_size, inside the file */
    uint32_t addr;      /* where the file wants it: physical address */
    uint32_t vaddr;     /* the address its symbols and its entry use */
    uint32_t mem_size;  /* not 0; addr + mem_size and vaddr + mem_size are at most 2^32 */
} elf_segment_t;

typedef struct elf_info {
    elf_segment_t segments[ELF_SEGMENTS_MAX];
    uint32_t segment_count; /* at least 1; no two overlap in addr */
    uint32_t low;           /* lowest addr of a segment */
    uint64_t high;          /* one past the highest */
    uint32_t entry;         /* physical, as the segments' addr; inside a segment */
} elf_info_t;

/* True when the bytes claim to be ELF at all. */
bool elf_is_elf(const uint8_t *data, size_t size);

/*
 * Reads the headers. False: the file cannot be used, and error (error_size bytes, always
 * terminated) says what is wrong in words that fit after "FILE: ".
 */
bool elf_parse(const uint8_t *data, size_t size, elf_info_t *info, char *error, size_t error_size);

/*
 * The address of a global or local symbol, translated through the segments to a physical one as
 * `entry` is. False: no symbol table, a malformed one, or no such symbol inside (or just behind) a
 * segment.
 */
bool elf_find_symbol(const uint8_t *data, size_t size, const elf_info_t *info, const char *name,
                     uint32_t *addr);

#endif
