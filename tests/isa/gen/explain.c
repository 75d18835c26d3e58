/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Two outputs of a program made with -dump: the first trap at which the states differ, in words.
 */
#include "gen.h"

#include <stdio.h>
#include <stdlib.h>

/* One trap: the words from CTL_X up to CTL_HASH. */
#define RECORD (CTL_HASH / 4)
#define ELF_HEADER 4096

typedef struct words {
    uint32_t *word;
    size_t count;
} words_t;

static words_t read_lines(const char *path)
{
    words_t out = {NULL, 0};
    FILE *file = fopen(path, "r");
    unsigned word;
    size_t room = 0;
    while (file && fscanf(file, "%x", &word) == 1) {
        if (out.count == room) {
            room = room ? room * 2 : 4096;
            uint32_t *grown = realloc(out.word, room * sizeof(*grown));
            if (!grown) {
                break;
            }
            out.word = grown;
        }
        out.word[out.count++] = word;
    }
    if (file) {
        fclose(file);
    }
    return out;
}

static void print_name(size_t index)
{
    static const char *const csrs[] = {"cause", "epc", "tval", "status", "fcsr"};
    if (index < CTL_F / 4) {
        printf("  x%u", (unsigned)index);
    } else if (index < CTL_CAUSE / 4) {
        printf("  f%u.%s", (unsigned)(index - CTL_F / 4) / 2, index & 1 ? "high" : "low");
    } else {
        printf("  %s", csrs[index - CTL_CAUSE / 4]);
    }
}

/* The instructions from one trap to the next, as far as they follow each other in memory. */
static void print_code(const char *elf, uint32_t from, uint32_t to)
{
    FILE *file = fopen(elf, "rb");
    uint8_t bytes[4];
    from += from < PHYS ? PHYS - USER_ALIAS : 0;
    to += to < PHYS ? PHYS - USER_ALIAS : 0;
    if (from > to || to - from > 400) {
        from = to >= PHYS + 16 ? to - 16 : to;
    }
    while (file && from <= to) {
        char text[80];
        if (fseek(file, (long)(from - PHYS + ELF_HEADER), SEEK_SET) != 0 ||
            fread(bytes, 4, 1, file) != 1) {
            break;
        }
        unsigned len = insn_disasm(text, sizeof(text), util_get_le32(bytes), from);
        printf("  %08x  %s\n", (unsigned)from, text);
        from += len;
    }
    if (file) {
        fclose(file);
    }
}

/* skip: lines before the dump. */
int gen_explain(const char *elf, const char *path_a, const char *path_b, unsigned skip)
{
    words_t a = read_lines(path_a), b = read_lines(path_b);
    size_t at = skip, shorter = a.count < b.count ? a.count : b.count;
    while (at < shorter && a.word[at] == b.word[at]) {
        at++;
    }
    size_t record = skip + (at - skip) / RECORD * RECORD;
    if (at < skip || record + RECORD > shorter) {
        printf(
            "  no difference between two whole states: one run ended early, or nothing differs\n");
    } else {
        for (size_t n = 0; n < RECORD; n++) {
            if (a.word[record + n] != b.word[record + n]) {
                print_name(n);
                printf(": %08x here, %08x there\n", (unsigned)a.word[record + n],
                       (unsigned)b.word[record + n]);
            }
        }
        uint32_t epc = a.word[record + CTL_EPC / 4];
        bool first = record < skip + RECORD;
        print_code(elf, first ? epc : a.word[record - RECORD + CTL_EPC / 4], epc);
    }
    free(a.word);
    free(b.word);
    return 0;
}
