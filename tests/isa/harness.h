/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Directed instruction tests: a hart on a bus of 4 MiB of RAM and nothing else, and an assembler by
 * the rows of insns.def. Each run puts a few words at CODE, starts there, and ends at the endless
 * loop behind them or, by a trap to M-mode, at HANDLER.
 */
#ifndef RVKIT_TESTS_ISA_HARNESS_H
#define RVKIT_TESTS_ISA_HARNESS_H

#include "cpu/codemap.h"
#include "cpu/decode.h"
#include "cpu/hart.h"
#include "tap.h"
#include "util.h"

#include <stdlib.h>

#define RAM 0x80000000u
#define RAM_SIZE 0x400000u
#define CODE (RAM + 0x1000)
#define HANDLER (RAM + 0x400)
#define S_HANDLER (RAM + 0x800)
#define DATA (RAM + 0x100000)
#define LOOP 0x0000006fu /* jal zero, 0 */

enum { ZERO, RA, SP, GP, TP, T0, T1, T2, S0, S1, A0, A1, A2, A3, A4, A5 };

enum {
    MSTATUS = 0x300,
    MEDELEG = 0x302,
    MIDELEG = 0x303,
    MIE = 0x304,
    MTVEC = 0x305,
    MCOUNTEREN = 0x306,
    MENVCFG = 0x30a,
    MENVCFGH = 0x31a,
    MCOUNTINHIBIT = 0x320,
    MEPC = 0x341,
    MCAUSE = 0x342,
    MTVAL = 0x343,
    MIP = 0x344,
    PMPCFG0 = 0x3a0,
    PMPADDR0 = 0x3b0,
    MCYCLE = 0xb00,
    MINSTRET = 0xb02,
    SSTATUS = 0x100,
    STVEC = 0x105,
    SCOUNTEREN = 0x106,
    SENVCFG = 0x10a,
    SEPC = 0x141,
    SCAUSE = 0x142,
    STVAL = 0x143,
    STIMECMP = 0x14d,
    STIMECMPH = 0x15d,
    SATP = 0x180,
    FCSR = 0x003,
    SEED = 0x015,
    MSECCFG = 0x747,
};

typedef struct isa {
    bus_t bus;
    hart_t *hart;
    uint8_t *ram;
    uint64_t time;
    bool trapped; /* the last run ended at HANDLER */
} isa_t;

static inline bool isa_nothing_read(void *o, paddr_t a, void *d, uint8_t s)
{
    (void)o, (void)a, (void)d, (void)s;
    return false;
}

static inline bool isa_nothing_write(void *o, paddr_t a, const void *d, uint8_t s)
{
    (void)o, (void)a, (void)d, (void)s;
    return false;
}

static inline void *isa_no_direct(void *o, paddr_t a)
{
    (void)o, (void)a;
    return NULL;
}

static inline uint64_t isa_time(void *opaque)
{
    return ((isa_t *)opaque)->time;
}

static inline uint32_t isa_csr(isa_t *t, uint32_t number)
{
    uint32_t value = 0;
    CHECK(hart_get_csr(t->hart, number, &value));
    return value;
}

static inline void isa_set_csr(isa_t *t, uint32_t number, uint32_t value)
{
    CHECK(hart_set_csr(t->hart, number, value));
}

static inline uint32_t isa_x(isa_t *t, unsigned n)
{
    return hart_get_x(t->hart, n);
}

static inline void isa_set_x(isa_t *t, unsigned n, uint32_t value)
{
    hart_set_x(t->hart, n, value);
}

static inline void isa_poke(isa_t *t, uint32_t addr, uint32_t word)
{
    util_put_le32(t->ram + (addr - RAM), word);
    codemap_touch(t->bus.codemap, addr, 4);
}

static inline uint32_t isa_peek(const isa_t *t, uint32_t addr)
{
    return util_get_le32(t->ram + (addr - RAM));
}

/* A fresh hart in M-mode: FP on, PMP open, A and D updated by hardware. */
static inline void isa_open(isa_t *t)
{
    memset(t, 0, sizeof(*t));
    t->ram = aligned_alloc(4096, RAM_SIZE);
    memset(t->ram, 0, RAM_SIZE);
    t->time = 1000;
    t->bus = (bus_t){.opaque = t,
                     .ram = t->ram,
                     .ram_base = RAM,
                     .ram_size = RAM_SIZE,
                     .read = isa_nothing_read,
                     .write = isa_nothing_write,
                     .direct = isa_no_direct,
                     .time = isa_time};
    t->bus.codemap = codemap_create(RAM, RAM_SIZE);
    t->hart = hart_create(&t->bus, 0);
    hart_reset(t->hart, CODE, 0, 0, PRIV_M);
    isa_set_csr(t, MSTATUS, 0x6000);
    isa_set_csr(t, MTVEC, HANDLER);
    isa_set_csr(t, STVEC, S_HANDLER);
    isa_set_csr(t, PMPADDR0, 0xffffffff);
    isa_set_csr(t, PMPCFG0, 0x1f);
    isa_set_csr(t, MENVCFGH, 0xa0000000);
    isa_poke(t, HANDLER, LOOP);
    isa_poke(t, S_HANDLER, LOOP);
}

static inline void isa_close(isa_t *t)
{
    hart_free(t->hart);
    codemap_free(t->bus.codemap);
    free(t->ram);
}

/* Runs words in a mode from CODE; true when they came to their end without a trap to M-mode. */
static inline bool isa_run_mode(isa_t *t, unsigned priv, const uint32_t *words, size_t count)
{
    for (size_t n = 0; n < count; n++) {
        isa_poke(t, CODE + 4 * (uint32_t)n, words[n]);
    }
    isa_poke(t, CODE + 4 * (uint32_t)count, LOOP);
    hart_request_fence_i(t->hart); /* what the words replace */
    hart_set_pc(t->hart, CODE);
    hart_set_priv(t->hart, priv);
    hart_run(t->hart, count + 40);
    t->trapped = hart_get_pc(t->hart) == HANDLER && hart_get_priv(t->hart) == PRIV_M;
    return hart_get_pc(t->hart) == CODE + 4 * count && hart_get_priv(t->hart) == priv;
}

#define ISA_RUN(t, ...)                                                                            \
    isa_run_mode(t, PRIV_M, (const uint32_t[]){__VA_ARGS__},                                       \
                 sizeof((const uint32_t[]){__VA_ARGS__}) / 4)
#define ISA_RUN_MODE(t, priv, ...)                                                                 \
    isa_run_mode(t, priv, (const uint32_t[]){__VA_ARGS__},                                         \
                 sizeof((const uint32_t[]){__VA_ARGS__}) / 4)

/* The trap that ended the last run. */
#define CHECK_TRAP(t, cause, tval)                                                                 \
    do {                                                                                           \
        CHECK((t)->trapped);                                                                       \
        CHECK_EQ(cause, isa_csr(t, MCAUSE));                                                       \
        CHECK_EQ(tval, isa_csr(t, MTVAL));                                                         \
    } while (0)

/* ---- assembler ---- */

static inline uint32_t asm_r(insn_id_t id, uint32_t rd, uint32_t rs1, uint32_t rs2)
{
    return insn_info[id].match | rd << 7 | rs1 << 15 | rs2 << 20;
}

/* Fields that the format lacks are left out by giving 0. imm: immediate, CSR number, offset. */
static inline uint32_t asm_i(insn_id_t id, uint32_t rd, uint32_t rs1, uint32_t imm)
{
    return insn_info[id].match | rd << 7 | rs1 << 15 | imm << 20;
}

static inline uint32_t asm_s(insn_id_t id, uint32_t rs2, uint32_t rs1, uint32_t imm)
{
    return insn_info[id].match | rs1 << 15 | rs2 << 20 | (imm & 31) << 7 | (imm >> 5 & 127) << 25;
}

static inline uint32_t asm_b(insn_id_t id, uint32_t rs1, uint32_t rs2, uint32_t distance)
{
    return insn_info[id].match | rs1 << 15 | rs2 << 20 | util_bits(distance, 11, 11) << 7 |
           util_bits(distance, 4, 1) << 8 | util_bits(distance, 10, 5) << 25 |
           util_bits(distance, 12, 12) << 31;
}

/* With a rounding mode. */
static inline uint32_t asm_f(insn_id_t id, uint32_t rd, uint32_t rs1, uint32_t rs2, uint32_t rm)
{
    return asm_r(id, rd, rs1, rs2) | rm << 12;
}

#endif
