/* SPDX-License-Identifier: MPL-2.0 */
/* insn_find, insn_decode and the table: no overlap, every row found, every operand field. */
#include "cpu/decode.h"
#include "tap.h"

static uint32_t next_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

TEST(rows_do_not_overlap)
{
    for (int a = 0; a < INSN_COUNT; a++) {
        CHECK_EQ(3, insn_info[a].match & 3);
        CHECK_EQ(insn_info[a].match, insn_info[a].match & insn_info[a].mask);
        for (int b = a + 1; b < INSN_COUNT; b++) {
            uint32_t both = insn_info[a].mask & insn_info[b].mask;
            CHECK((insn_info[a].match & both) != (insn_info[b].match & both));
        }
    }
}

TEST(every_row_is_found)
{
    uint32_t state = 1;
    for (int id = 0; id < INSN_COUNT; id++) {
        for (int n = 0; n < 200; n++) {
            uint32_t free_bits = next_random(&state) & ~insn_info[id].mask;
            CHECK_EQ(id, insn_find(insn_info[id].match | free_bits));
        }
    }
}

/* What insn_find says of any word is what a walk over the table says. */
TEST(find_agrees_with_the_table)
{
    uint32_t state = 7;
    for (int n = 0; n < 300000; n++) {
        uint32_t word = next_random(&state) | 3;
        int want = INSN_illegal;
        if (n & 1) { /* near a row: one fixed bit wrong or none */
            const insn_info_t *info = &insn_info[next_random(&state) % INSN_COUNT];
            word = (word & ~info->mask) | info->match;
            word ^= 1u << (next_random(&state) & 31);
        }
        for (int id = 0; id < INSN_COUNT; id++) {
            if ((word & insn_info[id].mask) == insn_info[id].match) {
                want = id;
            }
        }
        CHECK_EQ(want, insn_find(word));
    }
}

static insn_t decode(uint32_t word, uint32_t pc)
{
    insn_t insn;
    memset(&insn, 0xee, sizeof(insn));
    insn_decode(&insn, insn_find(word), word, pc);
    return insn;
}

TEST(immediates)
{
    CHECK_EQ(0xfffff800, decode(0x80050513, 0).imm);          /* addi a0, a0, -2048 */
    CHECK_EQ(0x7ff, decode(0x7ff50513, 0).imm);               /* addi a0, a0, 2047 */
    CHECK_EQ(31, decode(0x41f55513, 0).imm);                  /* srai a0, a0, 31 */
    CHECK_EQ(31, decode(0x61f55513, 0).imm);                  /* rori a0, a0, 31 */
    CHECK_EQ(0xffffffff, decode(0xfea5afa3, 0).imm);          /* sw a0, -1(a1) */
    CHECK_EQ(0x7ff, decode(0x7ea5afa3, 0).imm);               /* sw a0, 2047(a1) */
    CHECK_EQ(0xfffff000, decode(0xfffff537, 0x1000).imm);     /* lui a0, 0xfffff */
    CHECK_EQ(0x80000ffc, decode(0xfffff517, 0x80001ffc).imm); /* auipc a0, 0xfffff */
    CHECK_EQ(0xfffffffe, decode(0xfffff06f, 0).imm);          /* jal zero, -2 */
    CHECK_EQ(0x000ffffe, decode(0x7ffff06f, 0).imm);          /* jal zero, +0xffffe */
    CHECK_EQ(0xfff00000, decode(0x8000006f, 0).imm);          /* jal zero, -0x100000 */
    CHECK_EQ(0x00000ffe, decode(0x7e000fe3, 0).imm);          /* beq zero, zero, +4094 */
    CHECK_EQ(0xfffff000, decode(0x80000063, 0).imm);          /* beq zero, zero, -4096 */
    CHECK_EQ(0x102, decode(0x00000163, 0x100).imm);           /* beq zero, zero, +2 */
    CHECK_EQ(0x305, decode(0x305512f3, 0).imm & 0xfff);       /* csrrw t0, mtvec, a0 */
    CHECK_EQ(0xfffffff8, decode(0xff85b507, 0).imm);          /* fld fa0, -8(a1) */
    CHECK_EQ(0xfffffff8, decode(0xfea5bc27, 0).imm);          /* fsd fa0, -8(a1) */
}

TEST(registers)
{
    insn_t insn = decode(0x01df0fb3, 0); /* add t6, t5, t4 */
    CHECK_EQ(31, insn.rd);
    CHECK_EQ(30, insn.rs1);
    CHECK_EQ(29, insn.rs2);
    CHECK_EQ(REG_SINK, decode(0x01df0033, 0).rd); /* add zero, t5, t4 */
    CHECK_EQ(REG_SINK, decode(0x0000006f, 0).rd); /* jal zero, 0 */
    CHECK_EQ(REG_SINK, decode(0x00052003, 0).rd); /* lw zero, 0(a0) */
    CHECK_EQ(0, decode(0x00052007, 0).rd);        /* flw ft0, 0(a0): f0 is a register like others */
    CHECK_EQ(0, decode(0x00007053, 0).rd);        /* fadd.s ft0, ft0, ft0 */
    CHECK_EQ(REG_SINK, decode(0xc0007053, 0).rd); /* fcvt.w.s zero, ft0 */
    insn = decode(0xf8f0c7c3 & ~0x06000000u, 0);  /* fmadd.s fa5, ft1, fa5, ft11, rm4 */
    CHECK_EQ(15, insn.rd);
    CHECK_EQ(1, insn.rs1);
    CHECK_EQ(15, insn.rs2);
    CHECK_EQ(31, insn.rs3);
    CHECK_EQ(4, insn.rm);
    CHECK_EQ(0x1234, decode(0x01df0fb3, 0x1234).pc);
}

int main(void)
{
    RUN(rows_do_not_overlap);
    RUN(every_row_is_found);
    RUN(find_agrees_with_the_table);
    RUN(immediates);
    RUN(registers);
    return tap_finish();
}
