/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Pairs of frequent neighbours run by one op: half the dispatch. Each half is the instruction's own
 * meaning; when a half cannot take its short cut, its plain op takes over.
 */
#include "ops_dispatch.h"
#include "sem_fp.h"
#include "sem_int.h"

/* First halves: HALF(name) runs or leaves. */
#define HALF_ALU(name, at) sem_##name(h, at)
#define HALF_MEM(name, at)                                                                         \
    do {                                                                                           \
        if (UNLIKELY(!fast_##name(h, at))) {                                                       \
            TAIL ops_plain[INSN_##name](h, at);                                                    \
        }                                                                                          \
    } while (0)

/* The instructions that a pair may begin with, and those it may end with that are no branches. */
#define FIRSTS(X, other)                                                                           \
    X(addi, ALU, other)                                                                            \
    X(add, ALU, other)                                                                             \
    X(slli, ALU, other)                                                                            \
    X(srli, ALU, other)                                                                            \
    X(andi, ALU, other)                                                                            \
    X(and, ALU, other)                                                                             \
    X(or, ALU, other)                                                                              \
    X(xor, ALU, other)                                                                             \
    X(sub, ALU, other)                                                                             \
    X(lui, ALU, other)                                                                             \
    X(lw, MEM, other)                                                                              \
    X(lbu, MEM, other)                                                                             \
    X(sw, MEM, other)                                                                              \
    X(sb, MEM, other)                                                                              \
    X(fld, MEM, other)
#define BRANCHES(X, first, kind)                                                                   \
    X(first, kind, beq)                                                                            \
    X(first, kind, bne)                                                                            \
    X(first, kind, blt)                                                                            \
    X(first, kind, bge)                                                                            \
    X(first, kind, bltu)                                                                           \
    X(first, kind, bgeu)

#define PAIR(first, first_kind, second, second_kind)                                               \
    OP(pair_##first##_##second)                                                                    \
    {                                                                                              \
        HALF_##first_kind(first, i);                                                               \
        HALF_##second_kind(second, i + 1);                                                         \
        GO(h, i + 2);                                                                              \
    }
#define PAIR_BRANCH(first, first_kind, second)                                                     \
    OP(pair_##first##_##second)                                                                    \
    {                                                                                              \
        HALF_##first_kind(first, i);                                                               \
        i++;                                                                                       \
        if (sem_##second(h, i)) {                                                                  \
            FOLLOW(taken, i->imm, i->index + 1);                                                   \
        }                                                                                          \
        FOLLOW(next, i->pc + i->len, i->index + 1);                                                \
    }

/* All pairs: the preprocessor does not nest an X macro in itself, so the second list is written out. */
#define SECONDS(P, first, kind)                                                                    \
    P(first, kind, addi, ALU)                                                                      \
    P(first, kind, add, ALU)                                                                       \
    P(first, kind, slli, ALU)                                                                      \
    P(first, kind, srli, ALU)                                                                      \
    P(first, kind, andi, ALU)                                                                      \
    P(first, kind, and, ALU)                                                                       \
    P(first, kind, or, ALU)                                                                        \
    P(first, kind, xor, ALU)                                                                       \
    P(first, kind, sub, ALU)                                                                       \
    P(first, kind, lui, ALU)                                                                       \
    P(first, kind, lw, MEM)                                                                        \
    P(first, kind, lbu, MEM)                                                                       \
    P(first, kind, sw, MEM)                                                                        \
    P(first, kind, sb, MEM)                                                                        \
    P(first, kind, fld, MEM)

#define MAKE_PAIRS(first, kind, other)                                                             \
    SECONDS(PAIR, first, kind)                                                                     \
    BRANCHES(PAIR_BRANCH, first, kind)
FIRSTS(MAKE_PAIRS, none)

/* The row of the table of pairs that a first instruction has; 0: none. */
enum {
    ROW_none,
#define ROW_NUMBER(name, kind, other) ROW_##name,
    FIRSTS(ROW_NUMBER, none)
};

static unsigned row_of(insn_id_t first)
{
    switch (first) {
#define ROW_CASE(name, kind, other)                                                                \
    case INSN_##name:                                                                              \
        return ROW_##name;
        FIRSTS(ROW_CASE, none)
    default:
        return ROW_none;
    }
}

insn_fn *ops_fuse(insn_id_t first, insn_id_t second)
{
#define FN(one, kind, two, kind2) [INSN_##two] = pair_##one##_##two,
#define FN_BRANCH(one, kind, two) [INSN_##two] = pair_##one##_##two,
#define ROW(name, kind, other) {SECONDS(FN, name, kind) BRANCHES(FN_BRANCH, name, kind)},
    static insn_fn *const pairs[][INSN_COUNT] = {{NULL}, FIRSTS(ROW, none)};
    return pairs[row_of(first)][second];
}
