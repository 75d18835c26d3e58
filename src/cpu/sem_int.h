/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The meaning of the integer instructions that stay inside a hart: RV32I, M, Zba, Zbb, Zbc, Zbs.
 *
 * CLS_ALU:    void sem_X(hart, insn)      never traps
 * CLS_BRANCH: bool sem_X(hart, insn)      taken?
 */
#ifndef RVKIT_CPU_SEM_INT_H
#define RVKIT_CPU_SEM_INT_H

#include "state.h"

/* xd = expression of a = xs1, b = xs2 or the immediate. */
#define SEM_RR(name, expr)                                                                         \
    ALWAYS_INLINE void sem_##name(hart_t *h, const insn_t *i)                                      \
    {                                                                                              \
        uint32_t a = h->x[i->rs1], b = h->x[i->rs2];                                               \
        h->x[i->rd] = (uint32_t)(expr);                                                            \
    }
#define SEM_RI(name, expr)                                                                         \
    ALWAYS_INLINE void sem_##name(hart_t *h, const insn_t *i)                                      \
    {                                                                                              \
        uint32_t a = h->x[i->rs1], b = i->imm;                                                     \
        h->x[i->rd] = (uint32_t)(expr);                                                            \
    }
#define SEM_R1(name, expr)                                                                         \
    ALWAYS_INLINE void sem_##name(hart_t *h, const insn_t *i)                                      \
    {                                                                                              \
        uint32_t a = h->x[i->rs1];                                                                 \
        h->x[i->rd] = (uint32_t)(expr);                                                            \
    }
#define SEM_BRANCH(name, expr)                                                                     \
    ALWAYS_INLINE bool sem_##name(const hart_t *h, const insn_t *i)                                \
    {                                                                                              \
        uint32_t a = h->x[i->rs1], b = h->x[i->rs2];                                               \
        return expr;                                                                               \
    }

static inline uint32_t rol32(uint32_t a, unsigned n)
{
    return a << (n & 31) | a >> (-n & 31);
}

static inline uint32_t div_signed(uint32_t a, uint32_t b)
{
    if (b == 0) {
        return UINT32_MAX;
    }
    return a == 0x80000000u && b == UINT32_MAX ? a : (uint32_t)((int32_t)a / (int32_t)b);
}

static inline uint32_t rem_signed(uint32_t a, uint32_t b)
{
    if (b == 0) {
        return a;
    }
    return a == 0x80000000u && b == UINT32_MAX ? 0 : (uint32_t)((int32_t)a % (int32_t)b);
}

/* The 63-bit carry-less product (Zbc). */
static inline uint64_t clmul64(uint32_t a, uint32_t b)
{
    uint64_t r = 0;
    for (unsigned n = 0; n < 32; n++) {
        r ^= ((uint64_t)a << n) & -(uint64_t)(b >> n & 1);
    }
    return r;
}

static inline uint32_t orc_bytes(uint32_t a)
{
    uint32_t any = a | a >> 4;
    any |= any >> 2;
    any |= any >> 1;
    return (any & 0x01010101u) * 0xffu;
}

ALWAYS_INLINE void sem_lui(hart_t *h, const insn_t *i)
{
    h->x[i->rd] = i->imm;
}

/* The decoder has added the pc. */
ALWAYS_INLINE void sem_auipc(hart_t *h, const insn_t *i)
{
    h->x[i->rd] = i->imm;
}

SEM_BRANCH(beq, a == b)
SEM_BRANCH(bne, a != b)
SEM_BRANCH(blt, (int32_t)a < (int32_t)b)
SEM_BRANCH(bge, (int32_t)a >= (int32_t)b)
SEM_BRANCH(bltu, a < b)
SEM_BRANCH(bgeu, a >= b)

SEM_RI(addi, a + b)
SEM_RI(slti, (int32_t)a < (int32_t)b)
SEM_RI(sltiu, a < b)
SEM_RI(xori, a ^ b)
SEM_RI(ori, a | b)
SEM_RI(andi, a &b)
SEM_RI(slli, a << b)
SEM_RI(srli, a >> b)
SEM_RI(srai, (int32_t)a >> b)
SEM_RR(add, a + b)
SEM_RR(sub, a - b)
SEM_RR(sll, a << (b & 31))
SEM_RR(slt, (int32_t)a < (int32_t)b)
SEM_RR(sltu, a < b)
SEM_RR(xor, a ^ b)
SEM_RR(srl, a >> (b & 31))
SEM_RR(sra, (int32_t)a >> (b & 31))
SEM_RR(or, a | b)
SEM_RR(and, a &b)

SEM_RR(mul, a *b)
SEM_RR(mulh, (uint64_t)((int64_t)(int32_t)a * (int32_t)b) >> 32)
SEM_RR(mulhsu, (uint64_t)((int64_t)(int32_t)a * (int64_t)b) >> 32)
SEM_RR(mulhu, (uint64_t)a *b >> 32)
SEM_RR(div, div_signed(a, b))
SEM_RR(divu, b ? a / b : UINT32_MAX)
SEM_RR(rem, rem_signed(a, b))
SEM_RR(remu, b ? a % b : a)

SEM_RR(sh1add, (a << 1) + b)
SEM_RR(sh2add, (a << 2) + b)
SEM_RR(sh3add, (a << 3) + b)
SEM_RR(andn, a & ~b)
SEM_RR(orn, a | ~b)
SEM_RR(xnor, ~(a ^ b))
SEM_R1(clz, a ? __builtin_clz(a) : 32)
SEM_R1(ctz, a ? __builtin_ctz(a) : 32)
SEM_R1(cpop, __builtin_popcount(a))
SEM_R1(sext_b, (int8_t)a)
SEM_R1(sext_h, (int16_t)a)
SEM_R1(zext_h, (uint16_t)a)
SEM_RR(min, (int32_t)a < (int32_t)b ? a : b)
SEM_RR(minu, a < b ? a : b)
SEM_RR(max, (int32_t)a > (int32_t)b ? a : b)
SEM_RR(maxu, a > b ? a : b)
SEM_RR(rol, rol32(a, b))
SEM_RR(ror, rol32(a, -b))
SEM_RI(rori, rol32(a, -b))
SEM_R1(orc_b, orc_bytes(a))
SEM_R1(rev8, __builtin_bswap32(a))
SEM_RR(clmul, clmul64(a, b))
SEM_RR(clmulr, clmul64(a, b) >> 31)
SEM_RR(clmulh, clmul64(a, b) >> 32)
SEM_RR(bset, a | 1u << (b & 31))
SEM_RI(bseti, a | 1u << b)
SEM_RR(bclr, a & ~(1u << (b & 31)))
SEM_RI(bclri, a & ~(1u << b))
SEM_RR(binv, a ^ 1u << (b & 31))
SEM_RI(binvi, a ^ 1u << b)
SEM_RR(bext, a >> (b & 31) & 1)
SEM_RI(bexti, a >> b & 1)

#undef SEM_RR
#undef SEM_RI
#undef SEM_R1
#undef SEM_BRANCH

#define FENCE_PAUSE 0x010u /* pred = W, succ = 0: the PAUSE hint (Zihintpause) */

/* FENCE pred,succ, with the host's full fence whatever the sets are. */
ALWAYS_INLINE void sem_fence(hart_t *h, const insn_t *i)
{
    if (i->imm == FENCE_PAUSE && h->budget > i->index + 1) {
        int64_t rest = h->budget - (i->index + 1);
        h->slice -= rest; /* nothing was retired of it */
        h->budget -= rest;
        h->paused = true;
    }
    util_fence();
}

#endif
