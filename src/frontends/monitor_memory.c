/* SPDX-License-Identifier: MPL-2.0 */
/* The monitor's registers, values, memory and instructions. */
#include "monitor_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT_MAX 65536u
#define STRING_MAX 1024
#define LINE_BYTES 16

/* CSRs that `registers` shows. */
static const uint16_t main_csrs[] = {
    0x300 /* mstatus */, 0x305 /* mtvec */,   0x341 /* mepc */,    0x342 /* mcause */, 0x343 /* mtval */,
    0x304 /* mie */,     0x344 /* mip */,     0x302 /* medeleg */, 0x303 /* mideleg */, 0x340 /* mscratch */,
    0x100 /* sstatus */, 0x105 /* stvec */,   0x141 /* sepc */,    0x142 /* scause */, 0x143 /* stval */,
    0x104 /* sie */,     0x144 /* sip */,     0x180 /* satp */,    0x140 /* sscratch */,
};

/* ---- Registers by name ---- */

typedef enum { REG_NONE, REG_PC, REG_X, REG_F, REG_CSR } reg_kind_t;

typedef struct {
    reg_kind_t kind;
    uint32_t number;
} reg_t;

/* "x31", "f0": the number behind a letter; 32 when it is none. */
static uint32_t numbered(const char *name, char letter)
{
    char *end;
    unsigned long n = name[0] == letter && name[1] >= '0' && name[1] <= '9' ? strtoul(name + 1, &end, 10) : 32;
    return n < 32 && !*end ? (uint32_t)n : 32;
}

static reg_t find_register(const char *name)
{
    uint32_t x = strcmp(name, "fp") ? numbered(name, 'x') : 8, f = numbered(name, 'f');
    if (!strcmp(name, "pc")) {
        return (reg_t){REG_PC, 0};
    }
    for (uint32_t n = 0; n < 32; n++) {
        if (n == x || !strcmp(name, inspect_x_name(n))) {
            return (reg_t){REG_X, n};
        }
        if (n == f || !strcmp(name, inspect_f_name(n))) {
            return (reg_t){REG_F, n};
        }
    }
    for (uint32_t n = 0; n < INSPECT_CSR_MAX; n++) {
        const char *csr = inspect_csr_name(n);
        if (csr && !strcmp(name, csr)) {
            return (reg_t){REG_CSR, n};
        }
    }
    return (reg_t){REG_NONE, 0};
}

/* Of the present hart. False: told. */
static bool read_register(monitor_t *m, const char *name, uint64_t *value)
{
    inspect_hart_t hart;
    uint32_t csr;
    uint32_t index = monitor_state(m)->hart;
    reg_t reg = find_register(name);
    const uint16_t number = (uint16_t)reg.number;
    if (reg.kind == REG_NONE) {
        monitor_print(m, "\"%s\" is not a register\n", name);
        return false;
    }
    if (reg.kind == REG_CSR) {
        bool ok = inspect_csrs(monitor_machine(m), index, &number, 1, &csr);
        *value = ok ? csr : 0;
        if (!ok) {
            monitor_print(m, "%s cannot be read without changing something\n", name);
        }
        return ok;
    }
    if (!inspect_hart(monitor_machine(m), index, &hart)) {
        return false;
    }
    *value = reg.kind == REG_PC ? hart.pc : reg.kind == REG_X ? hart.x[reg.number] : hart.f[reg.number];
    return true;
}

void monitor_offer_registers(const char *prefix, lineedit_offers_t *offers)
{
    char name[40];
    snprintf(name, sizeof(name), "%spc", prefix);
    lineedit_offer(offers, name);
    for (uint32_t n = 0; n < INSPECT_CSR_MAX; n++) {
        const char *csr = inspect_csr_name(n);
        bool some = csr && strncmp(csr, "pmp", 3) && !strstr(csr, "hpm"); /* not the long rows */
        for (unsigned kind = 0; kind < 3; kind++) {
            const char *one = kind == 2 ? (some ? csr : NULL)
                              : n >= 32 ? NULL
                              : kind    ? inspect_f_name(n)
                                        : inspect_x_name(n);
            if (one) {
                snprintf(name, sizeof(name), "%s%s", prefix, one);
                lineedit_offer(offers, name);
            }
        }
    }
}

/* ---- Values ---- */

/* A number or a register; moves *text behind it. False: told. */
static bool parse_term(monitor_t *m, const char **text, uint64_t *value)
{
    char name[32];
    const char *start = *text;
    bool hex = start[0] == '0' && (start[1] == 'x' || start[1] == 'X');
    size_t length = strcspn(start, "+-");
    if (length >= sizeof(name) || !length) {
        monitor_print(m, "\"%.40s\" is not a number, a register or a sum of them\n", start);
        return false;
    }
    memcpy(name, start, length);
    name[length] = 0;
    *text = start + length;
    if (*start < '0' || *start > '9') {
        return read_register(m, name + (*name == '$'), value);
    }
    const char *digits = name + (hex ? 2 : 0);
    size_t good = strspn(digits, hex ? "0123456789abcdefABCDEF" : "0123456789");
    if (!*digits || digits[good] || good > (hex ? 16 : 18)) {
        monitor_print(m, "\"%s\" is not a number\n", name);
        return false;
    }
    *value = strtoull(digits, NULL, hex ? 16 : 10);
    return true;
}

/* The sum that the words from `from` on are. False: told. */
static bool parse_value(monitor_t *m, const monitor_args_t *args, size_t from, uint64_t *value)
{
    char joined[LINEEDIT_MAX + MONITOR_WORDS_MAX] = "";
    size_t length = 0;
    for (size_t i = from; i < args->count; i++) {
        length += (size_t)snprintf(joined + length, sizeof(joined) - length, "%s", args->word[i]);
    }
    const char *at = joined;
    uint64_t term;
    bool minus = *at == '-';
    at += minus;
    *value = 0;
    for (;;) {
        if (!parse_term(m, &at, &term)) {
            return false;
        }
        *value = minus ? *value - term : *value + term;
        if (!*at) {
            return true;
        }
        minus = *at++ == '-';
    }
}

void monitor_cmd_print(monitor_t *m, const monitor_args_t *args)
{
    uint64_t value;
    if (parse_value(m, args, 1, &value)) {
        monitor_print(m, "0x%llx  %llu  %lld\n", (unsigned long long)value, (unsigned long long)value,
                      value >> 32 ? (long long)value : (long long)(int32_t)value);
    }
}

void monitor_cmd_translate(monitor_t *m, const monitor_args_t *args)
{
    uint64_t value, to;
    if (!parse_value(m, args, 1, &value)) {
        return;
    }
    value = (uint32_t)value;
    if (inspect_translate(monitor_machine(m), INSPECT_DATA, monitor_state(m)->hart, value, &to)) {
        monitor_print(m, "0x%08llx is at 0x%08llx\n", (unsigned long long)value, (unsigned long long)to);
    } else {
        monitor_print(m, "0x%08llx leads nowhere\n", (unsigned long long)value);
    }
}

/* ---- registers ---- */

/* The number of a hart. False: told. */
static bool parse_hart(monitor_t *m, const char *word, uint32_t *index)
{
    char *end;
    unsigned long n = *word >= '0' && *word <= '9' ? strtoul(word, &end, 10) : 0;
    unsigned count = (unsigned)rvvm_get_opt(monitor_machine(m), RVVM_OPT_CPU_COUNT);
    if (*word < '0' || *word > '9' || *end || n >= count) {
        monitor_print(m, "there is no hart %s; the last is %u\n", word, count - 1);
        return false;
    }
    *index = (uint32_t)n;
    return true;
}

void monitor_cmd_hart(monitor_t *m, const monitor_args_t *args)
{
    if (args->count == 1 || parse_hart(m, args->word[1], &monitor_state(m)->hart)) {
        monitor_print(m, "hart %u\n", monitor_state(m)->hart);
    }
}

static void print_x(monitor_t *m, const inspect_hart_t *hart)
{
    for (unsigned n = 0; n < 32; n++) {
        monitor_print(m, "%-4s 0x%08x%s", inspect_x_name(n), hart->x[n], n % 4 < 3 ? "  " : "\n");
    }
}

/* A double, or a single in its box of ones (F 20.2). */
static void print_f(monitor_t *m, const inspect_hart_t *hart)
{
    for (unsigned n = 0; n < 32; n++) {
        uint64_t bits = hart->f[n];
        uint32_t low = (uint32_t)bits;
        double value;
        float single;
        memcpy(&value, &bits, sizeof(value));
        memcpy(&single, &low, sizeof(single));
        value = bits >> 32 == UINT32_MAX ? (double)single : value;
        monitor_print(m, n % 2 ? "%-4s 0x%016llx %.7g\n" : "%-4s 0x%016llx %-16.7g", inspect_f_name(n),
                      (unsigned long long)bits, value);
    }
}

static void print_csrs(monitor_t *m)
{
    uint32_t value[ARRAY_LEN(main_csrs)];
    unsigned shown = 0;
    uint64_t got = inspect_csrs(monitor_machine(m), monitor_state(m)->hart, main_csrs,
                                ARRAY_LEN(main_csrs), value);
    for (size_t i = 0; i < ARRAY_LEN(main_csrs); i++) {
        if (got >> i & 1) {
            monitor_print(m, "%s%-8s 0x%08x", !shown ? "" : shown % 4 ? "  " : "\n",
                          inspect_csr_name(main_csrs[i]), value[i]);
            shown++;
        }
    }
    monitor_print(m, "\n");
}

static void print_registers(monitor_t *m, const char *which)
{
    inspect_hart_t hart;
    uint32_t index = monitor_state(m)->hart;
    uint64_t value;
    bool all = !strcmp(which, "all"), usual = !*which;
    if (!all && !usual && strcmp(which, "csr") && strcmp(which, "f")) {
        if (read_register(m, which + (*which == '$'), &value)) {
            monitor_print(m, "%s 0x%08llx\n", which, (unsigned long long)value);
        }
        return;
    }
    if (!inspect_hart(monitor_machine(m), index, &hart)) {
        return;
    }
    if (all || usual) {
        monitor_print(m, "hart %u, %c-mode, pc 0x%08x\n", index, hart.mode, hart.pc);
        print_x(m, &hart);
    }
    if (all || usual || !strcmp(which, "csr")) {
        print_csrs(m);
    }
    if (all || !strcmp(which, "f")) {
        print_f(m, &hart);
    }
}

void monitor_cmd_registers(monitor_t *m, const monitor_args_t *args)
{
    monitor_state_t *state = monitor_state(m);
    uint32_t present = state->hart;
    size_t next = 1;
    if (args->count > next && *args->word[next] >= '0' && *args->word[next] <= '9') {
        if (!parse_hart(m, args->word[next++], &state->hart)) {
            return;
        }
    }
    if (args->count > next + 1) {
        monitor_print(m, "usage: registers [HART] [all|csr|f|NAME]\n");
    } else {
        print_registers(m, args->count > next ? args->word[next] : "");
    }
    state->hart = present;
}

/* ---- Memory ---- */

/* Guest memory from `addr` on, of which a piece is here. */
typedef struct {
    monitor_t *m;
    inspect_space_t space;
    uint64_t addr; /* of the next byte */
    uint8_t data[256];
    size_t at, size;
} reader_t;

/* The next `want` bytes, at most 16, or fewer when they cannot be read; *have tells. */
static const uint8_t *reader_look(reader_t *r, size_t want, size_t *have)
{
    if (r->size - r->at < want) {
        r->size = inspect_read(monitor_machine(r->m), r->space, monitor_state(r->m)->hart, r->addr, r->data,
                               sizeof(r->data));
        r->at = 0;
    }
    *have = r->size - r->at < want ? r->size - r->at : want;
    return r->data + r->at;
}

static void reader_skip(reader_t *r, size_t n)
{
    r->at += n;
    r->addr += n;
}

/* Always false, for `return`. */
static bool cannot_read(const reader_t *r)
{
    monitor_print(r->m, "0x%08llx: cannot be read\n", (unsigned long long)r->addr);
    return false;
}

static bool list_instruction(reader_t *r, uint64_t pc)
{
    char text[96];
    size_t have;
    const uint8_t *bytes = reader_look(r, 4, &have);
    unsigned length = inspect_disasm(text, sizeof(text), bytes, have, (uint32_t)r->addr);
    if (!length) {
        return cannot_read(r);
    }
    unsigned long word = length == 4 ? util_get_le32(bytes) : util_get_le16(bytes);
    monitor_print(r->m, "%s 0x%08llx:  %*s%0*lx  %s\n", r->addr == pc ? "=>" : "  ",
                  (unsigned long long)r->addr, length == 4 ? 0 : 4, "", (int)length * 2, word, text);
    reader_skip(r, length);
    return true;
}

/* One byte into text, as a C string has it. Returns the length. */
static size_t escape(char *text, size_t text_size, uint8_t byte)
{
    int n = byte == '\n'                ? snprintf(text, text_size, "\\n")
            : byte == '\t'              ? snprintf(text, text_size, "\\t")
            : byte == '"' || byte == '\\' ? snprintf(text, text_size, "\\%c", byte)
            : byte < ' ' || byte >= 0x7f ? snprintf(text, text_size, "\\x%02x", byte)
                                         : snprintf(text, text_size, "%c", byte);
    return n < 0 ? 0 : (size_t)n;
}

static bool list_string(reader_t *r)
{
    char text[STRING_MAX + 8];
    size_t length = 0, have;
    uint64_t start = r->addr;
    const char *end = "…";
    while (length < STRING_MAX) {
        const uint8_t *byte = reader_look(r, 1, &have);
        if (!have && r->addr == start) {
            return cannot_read(r);
        }
        uint8_t c = have ? *byte : 0;
        reader_skip(r, have);
        if (!c) {
            end = "";
            break;
        }
        length += escape(text + length, sizeof(text) - length, c);
    }
    monitor_print(r->m, "0x%08llx: \"%.*s\"%s\n", (unsigned long long)start, (int)length, text, end);
    return true;
}

static void format_unit(char *text, size_t text_size, const monitor_format_t *format, const uint8_t *bytes)
{
    char one[8];
    uint64_t value = 0;
    unsigned bits = format->size * 8u;
    for (unsigned i = 0; i < format->size; i++) {
        value |= (uint64_t)bytes[i] << (8 * i);
    }
    int64_t sign = (int64_t)(value << (64 - bits)) >> (64 - bits);
    switch (format->letter) {
    case 'd': snprintf(text, text_size, " %*lld", (int)(bits / 3 + 1), (long long)sign); break;
    case 'u': snprintf(text, text_size, " %*llu", (int)(bits / 3 + 1), (unsigned long long)value); break;
    case 'o': snprintf(text, text_size, " 0%0*llo", (int)(bits / 3 + 1), (unsigned long long)value); break;
    case 'c':
        escape(one, sizeof(one), (uint8_t)value);
        snprintf(text, text_size, " '%s'", one);
        break;
    default: snprintf(text, text_size, " 0x%0*llx", format->size * 2, (unsigned long long)value); break;
    }
}

/* One line of at most `left` units. Takes away those that it shows. */
static bool list_units(reader_t *r, const monitor_format_t *format, uint32_t *left)
{
    char text[LINE_BYTES * 24] = "";
    size_t length = 0, have;
    uint64_t start = r->addr;
    for (unsigned n = 0; n < LINE_BYTES / format->size / (format->size == 1 ? 2u : 1u) && *left; n++) {
        const uint8_t *bytes = reader_look(r, format->size, &have);
        if (have < format->size) {
            break;
        }
        format_unit(text + length, sizeof(text) - length, format, bytes);
        length += strlen(text + length);
        reader_skip(r, format->size);
        --*left;
    }
    if (!length) {
        return cannot_read(r);
    }
    monitor_print(r->m, "0x%08llx:%s\n", (unsigned long long)start, text);
    return true;
}

/* Returns where it has ended. */
static uint64_t list_memory(monitor_t *m, inspect_space_t space, uint64_t addr, const monitor_format_t *format)
{
    inspect_hart_t hart;
    uint64_t pc = UINT64_MAX;
    bool virtual = space != INSPECT_PHYSICAL;
    reader_t r = {
        .m = m,
        .space = virtual && format->letter == 'i' ? INSPECT_CODE : space,
        .addr = virtual ? (uint32_t)addr : addr,
    };
    if (virtual && inspect_hart(monitor_machine(m), monitor_state(m)->hart, &hart)) {
        pc = hart.pc;
    }
    bool ok = true;
    for (uint32_t left = format->count; left && ok && monitor_go_on(m);) {
        if (format->letter == 'i') {
            ok = list_instruction(&r, pc);
            left--;
        } else if (format->letter == 's') {
            ok = list_string(&r);
            left--;
        } else {
            ok = list_units(&r, format, &left);
        }
    }
    return r.addr;
}

/* "/16xb", without the slash. False: told. */
static bool parse_format(monitor_t *m, const char *text, monitor_format_t *format)
{
    static const char sizes[] = "bhwg";
    char *end = (char *)(uintptr_t)text;
    unsigned long count = *text >= '0' && *text <= '9' ? strtoul(text, &end, 10) : 1;
    monitor_format_t f = {.letter = format->letter, .size = format->size};
    const char *at = end;
    for (; *at; at++) {
        const char *size = strchr(sizes, *at);
        if (size) {
            f.size = (uint8_t)(1 << (size - sizes));
        } else if (strchr("xduocsi", *at)) {
            f.letter = *at;
        } else {
            break;
        }
    }
    if (*at || count < 1 || count > COUNT_MAX) {
        monitor_print(m, "\"/%s\" is not a count up to %u, one of x d u o c s i, and one of b h w g\n", text,
                      COUNT_MAX);
        return false;
    }
    f.size = f.letter == 'c' ? 1 : f.size;
    f.count = (uint32_t)count;
    *format = f;
    return true;
}

void monitor_cmd_x(monitor_t *m, const monitor_args_t *args)
{
    monitor_state_t *state = monitor_state(m);
    inspect_space_t space = strcmp(args->word[0], "xp") ? INSPECT_DATA : INSPECT_PHYSICAL;
    bool formatted = args->count > 1 && *args->word[1] == '/';
    size_t first = formatted ? 2 : 1;
    uint64_t addr = state->next;
    if (formatted && !parse_format(m, args->word[1] + 1, &state->format)) {
        return;
    }
    if (args->count > first) {
        if (!parse_value(m, args, first, &addr)) {
            return;
        }
        state->format.count = formatted ? state->format.count : 1;
    } else if (!state->listed || state->space != space) {
        monitor_print(m, "from which address on?\n");
        return;
    }
    state->next = list_memory(m, space, addr, &state->format);
    state->space = space;
    state->listed = true;
}

void monitor_cmd_disas(monitor_t *m, const monitor_args_t *args)
{
    monitor_format_t format = {10, 'i', 4};
    monitor_args_t first = {.word = {NULL, (char[]){"$pc"}}, .count = 2};
    uint64_t addr;
    if (args->count > 1) {
        first.word[1] = args->word[1];
    }
    if ((args->count < 3 || parse_format(m, args->word[2], &format)) && parse_value(m, &first, 1, &addr)) {
        format.letter = 'i';
        list_memory(m, INSPECT_CODE, addr, &format);
    }
}
