/* SPDX-License-Identifier: MPL-2.0 */
/* Loads and stores of every width and alignment, code that changes, PMP. */
#include "harness.h"

TEST(widths)
{
    isa_t t;
    isa_open(&t);
    isa_poke(&t, DATA, 0x8182f384);
    isa_set_x(&t, A0, DATA);
    CHECK(ISA_RUN(&t, asm_i(INSN_lb, A1, A0, 0), asm_i(INSN_lbu, A2, A0, 0),
                  asm_i(INSN_lh, A3, A0, 0), asm_i(INSN_lhu, A4, A0, 0),
                  asm_i(INSN_lw, A5, A0, 0)));
    CHECK_EQ(0xffffff84, isa_x(&t, A1));
    CHECK_EQ(0x84, isa_x(&t, A2));
    CHECK_EQ(0xfffff384, isa_x(&t, A3));
    CHECK_EQ(0xf384, isa_x(&t, A4));
    CHECK_EQ(0x8182f384, isa_x(&t, A5));
    isa_set_x(&t, A1, 0x11223344);
    CHECK(ISA_RUN(&t, asm_s(INSN_sb, A1, A0, 3), asm_s(INSN_sh, A1, A0, 0)));
    CHECK_EQ(0x44823344, isa_peek(&t, DATA));
    isa_close(&t);
}

/* Each offset around the border of two pages. */
TEST(misaligned)
{
    isa_t t;
    isa_open(&t);
    for (uint32_t at = DATA + 0xff0; at < DATA + 0x1010; at++) {
        for (uint32_t n = 0; n < 64; n++) {
            t.ram[DATA - RAM + 0xfe0 + n] = (uint8_t)(n * 7 + 3);
        }
        const uint8_t *bytes = t.ram + (at - RAM);
        uint32_t word = util_get_le32(bytes), half = util_get_le16(bytes);
        uint64_t dword = util_get_le64(bytes);
        isa_set_x(&t, A0, at);
        CHECK(ISA_RUN(&t, asm_i(INSN_lw, A1, A0, 0), asm_i(INSN_lhu, A2, A0, 0),
                      asm_i(INSN_fld, 1, A0, 0), asm_i(INSN_flw, 2, A0, 0)));
        CHECK_EQ(word, isa_x(&t, A1));
        CHECK_EQ(half, isa_x(&t, A2));
        CHECK_EQ(dword, hart_get_f(t.hart, 1));
        CHECK_EQ(UINT64_C(0xffffffff00000000) | word, hart_get_f(t.hart, 2));
        hart_set_f(t.hart, 1, ~dword);
        CHECK(ISA_RUN(&t, asm_s(INSN_fsd, 1, A0, 0)));
        CHECK_EQ(~dword, util_get_le64(bytes));
        isa_set_x(&t, A1, 0x89abcdef);
        CHECK(ISA_RUN(&t, asm_s(INSN_sw, A1, A0, 0)));
        CHECK_EQ(0x89abcdef, util_get_le32(bytes));
        CHECK(ISA_RUN(&t, asm_s(INSN_sh, A0, A0, 0)));
        CHECK_EQ(at & 0xffff, util_get_le16(bytes));
        CHECK_EQ(((at - 1 - DATA - 0xfe0) * 7 + 3) % 256, bytes[-1]); /* and nothing else */
    }
    isa_close(&t);
}

TEST(nowhere)
{
    isa_t t;
    isa_open(&t);
    isa_set_x(&t, A0, RAM + RAM_SIZE);
    CHECK(!ISA_RUN(&t, asm_i(INSN_lw, A1, A0, 0)));
    CHECK_TRAP(&t, 5, RAM + RAM_SIZE);
    CHECK(!ISA_RUN(&t, asm_s(INSN_sb, A1, A0, 0)));
    CHECK_TRAP(&t, 7, RAM + RAM_SIZE);
    CHECK(!ISA_RUN(&t, asm_i(INSN_lw, A1, A0, -2)));
    CHECK(t.trapped);
    CHECK_EQ(5, isa_csr(&t, MCAUSE));
    isa_close(&t);
}

/* A store to the next instructions, fence.i, and the new one runs; in a loop, so that it has run
 * before. */
TEST(self_modifying)
{
    isa_t t;
    isa_open(&t);
    isa_set_x(&t, A0, CODE + 8);
    isa_set_x(&t, A1, asm_i(INSN_addi, A2, A2, 1));
    isa_set_x(&t, A3, asm_i(INSN_addi, A2, A2, 16) - asm_i(INSN_addi, A2, A2, 1));
    isa_set_x(&t, A4, 3);
    CHECK(ISA_RUN(&t, asm_s(INSN_sw, A1, A0, 0), insn_info[INSN_fence_i].match,
                  asm_i(INSN_addi, ZERO, ZERO, 0), /* 1, 16 and 31 */
                  asm_r(INSN_add, A1, A1, A3), asm_i(INSN_addi, A4, A4, -1),
                  asm_b(INSN_bne, A4, ZERO, (uint32_t)-20)));
    CHECK_EQ(1 + 16 + 31, isa_x(&t, A2));
    isa_close(&t);
}

/* PMP entries below S: each kind of access, each kind of entry (privileged 3.7.1). */
TEST(pmp)
{
    isa_t t;
    isa_open(&t);
    isa_set_csr(&t, PMPADDR0 + 3, 0xffffffff);
    isa_set_x(&t, A0, DATA);
    isa_poke(&t, DATA, 0x0000006f);
    for (uint32_t rights = 0; rights < 8; rights++) {
        if ((rights & 3) == 2) {
            continue; /* reserved */
        }
        const uint32_t kinds[3] = {DATA >> 2 | 0x1ff, DATA >> 2,
                                   (DATA + 4) >> 2}; /* NAPOT, NA4, TOR */
        for (uint32_t kind = 0; kind < 3; kind++) {
            isa_set_csr(&t, PMPADDR0, DATA >> 2);
            isa_set_csr(&t, PMPADDR0 + 1, kinds[kind]);
            isa_set_csr(&t, PMPCFG0, 0x1f000000 | (3 - kind) << 11 | rights << 8);
            CHECK_EQ(rights & 1, ISA_RUN_MODE(&t, PRIV_S, asm_i(INSN_lw, A1, A0, 0)));
            CHECK_EQ(!!(rights & 2), ISA_RUN_MODE(&t, PRIV_U, asm_s(INSN_sw, A1, A0, 0)));
            isa_poke(&t, DATA, LOOP);
            ISA_RUN_MODE(&t, PRIV_S, asm_i(INSN_jalr, RA, A0, 0));
            CHECK_EQ(rights & 4 ? DATA : HANDLER, hart_get_pc(t.hart));
            if (!(rights & 4)) {
                CHECK_TRAP(&t, 1, DATA);
            }
            CHECK(ISA_RUN(&t, asm_i(INSN_lw, A1, A0, 0),
                          asm_s(INSN_sw, A1, A0, 0))); /* M: not locked */
            /* Behind the entry everything is open. */
            CHECK(ISA_RUN_MODE(&t, PRIV_S,
                               asm_i(INSN_lui, A2, 0, 0) | ((DATA + 0x1000) & 0xfffff000),
                               asm_i(INSN_lw, A3, A2, 0)));
        }
    }
    isa_close(&t);
}

TEST(pmp_locked)
{
    isa_t t;
    isa_open(&t);
    isa_set_csr(&t, PMPADDR0 + 3, 0xffffffff);
    isa_set_csr(&t, PMPADDR0 + 1, DATA >> 2);
    isa_set_csr(&t, PMPCFG0, 0x1f000000 | 0x91 << 8); /* NA4, R, locked: M too */
    isa_set_x(&t, A0, DATA);
    CHECK(ISA_RUN(&t, asm_i(INSN_lw, A1, A0, 0)));
    CHECK(!ISA_RUN(&t, asm_s(INSN_sw, A1, A0, 0)));
    CHECK_TRAP(&t, 7, DATA);
    isa_set_csr(&t, PMPCFG0, 0x1f000000);
    CHECK_EQ(0x1f009100, isa_csr(&t, PMPCFG0));
    isa_set_csr(&t, PMPADDR0 + 1, 0);
    CHECK_EQ(DATA >> 2, isa_csr(&t, PMPADDR0 + 1));
    isa_close(&t);
}

int main(void)
{
    RUN(widths);
    RUN(misaligned);
    RUN(nowhere);
    RUN(self_modifying);
    RUN(pmp);
    RUN(pmp_locked);
    return tap_finish();
}
