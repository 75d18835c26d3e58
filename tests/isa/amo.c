/* SPDX-License-Identifier: MPL-2.0 */
/* The A extension: results, reservations, faults. */
#include "harness.h"

static void check_amo(isa_t *t, insn_id_t id, uint32_t memory, uint32_t operand, uint32_t want)
{
    isa_poke(t, DATA, memory);
    isa_set_x(t, A0, DATA);
    isa_set_x(t, A1, operand);
    CHECK(ISA_RUN(t, asm_r(id, A2, A0, A1)));
    CHECK_EQ(memory, isa_x(t, A2));
    CHECK_EQ(want, isa_peek(t, DATA));
}

TEST(results)
{
    isa_t t;
    isa_open(&t);
    check_amo(&t, INSN_amoswap_w, 5, 7, 7);
    check_amo(&t, INSN_amoadd_w, 0xffffffff, 2, 1);
    check_amo(&t, INSN_amoxor_w, 0xff00ff00, 0x0ff00ff0, 0xf0f0f0f0);
    check_amo(&t, INSN_amoand_w, 0xff00ff00, 0x0ff00ff0, 0x0f000f00);
    check_amo(&t, INSN_amoor_w, 0xff00ff00, 0x0ff00ff0, 0xfff0fff0);
    check_amo(&t, INSN_amomin_w, 1, 0xffffffff, 0xffffffff);
    check_amo(&t, INSN_amomin_w, 0x80000000, 0x7fffffff, 0x80000000);
    check_amo(&t, INSN_amomax_w, 1, 0xffffffff, 1);
    check_amo(&t, INSN_amomax_w, 0x80000000, 0x7fffffff, 0x7fffffff);
    check_amo(&t, INSN_amominu_w, 1, 0xffffffff, 1);
    check_amo(&t, INSN_amominu_w, 0x80000000, 0x7fffffff, 0x7fffffff);
    check_amo(&t, INSN_amomaxu_w, 1, 0xffffffff, 0xffffffff);
    check_amo(&t, INSN_amomaxu_w, 0x80000000, 0x7fffffff, 0x80000000);
    isa_close(&t);
}

#define LR asm_r(INSN_lr_w, A2, A0, 0)
#define SC(rd) asm_r(INSN_sc_w, rd, A0, A1)

TEST(reservations)
{
    isa_t t;
    isa_open(&t);
    isa_set_x(&t, A0, DATA);
    isa_set_x(&t, A1, 77);
    CHECK(ISA_RUN(&t, SC(A3))); /* none held */
    CHECK_EQ(1, isa_x(&t, A3));
    CHECK_EQ(0, isa_peek(&t, DATA));
    isa_poke(&t, DATA, 5);
    CHECK(ISA_RUN(&t, LR, SC(A3), SC(A4))); /* succeeds once */
    CHECK_EQ(5, isa_x(&t, A2));
    CHECK_EQ(0, isa_x(&t, A3));
    CHECK_EQ(1, isa_x(&t, A4));
    CHECK_EQ(77, isa_peek(&t, DATA));
    /* To another word: fails, and uses the reservation up. */
    CHECK(ISA_RUN(&t, LR, asm_i(INSN_addi, A0, A0, 512), SC(A3), asm_i(INSN_addi, A0, A0, -512),
                  SC(A4)));
    CHECK_EQ(1, isa_x(&t, A3));
    CHECK_EQ(1, isa_x(&t, A4));
    isa_close(&t);
}

TEST(misaligned)
{
    isa_t t;
    isa_open(&t);
    isa_set_x(&t, A0, DATA + 2);
    CHECK(!ISA_RUN(&t, asm_r(INSN_amoadd_w, A2, A0, A1)));
    CHECK_TRAP(&t, 6, DATA + 2);
    CHECK(!ISA_RUN(&t, LR));
    CHECK_TRAP(&t, 4, DATA + 2);
    CHECK(!ISA_RUN(&t, SC(A3)));
    CHECK_TRAP(&t, 6, DATA + 2);
    isa_close(&t);
}

TEST(nowhere)
{
    isa_t t;
    isa_open(&t);
    isa_set_x(&t, A0, 0x40000000);
    CHECK(!ISA_RUN(&t, asm_r(INSN_amoor_w, A2, A0, A1)));
    CHECK_TRAP(&t, 7, 0x40000000);
    CHECK(!ISA_RUN(&t, LR));
    CHECK_TRAP(&t, 5, 0x40000000);
    isa_close(&t);
}

int main(void)
{
    RUN(results);
    RUN(reservations);
    RUN(misaligned);
    RUN(nowhere);
    return tap_finish();
}
