/* SPDX-License-Identifier: MPL-2.0 */
/* Zicbom and Zicboz (CMO specification 1.0): effects, and who may use them by menvcfg and senvcfg.
 */
#include "harness.h"

enum { CBIE_INVAL = 3 << 4, CBIE_FLUSH = 1 << 4, CBCFE = 1 << 6, CBZE = 1 << 7 };
#define INVAL asm_i(INSN_cbo_inval, 0, A0, 0)
#define CLEAN asm_i(INSN_cbo_clean, 0, A0, 0)
#define FLUSH asm_i(INSN_cbo_flush, 0, A0, 0)
#define CLEAR asm_i(INSN_cbo_zero, 0, A0, 0)

TEST(zero_clears_a_block)
{
    isa_t t;
    isa_open(&t);
    memset(t.ram + (DATA - RAM), 0xff, 512);
    isa_set_x(&t, A0, DATA + 128 + 37); /* any address inside */
    CHECK(ISA_RUN(&t, CLEAR));
    for (uint32_t n = 0; n < 512; n += 4) {
        CHECK_EQ(n >= 128 && n < 192 ? 0 : 0xffffffff, isa_peek(&t, DATA + n));
    }
    isa_close(&t);
}

TEST(management_keeps_memory)
{
    isa_t t;
    isa_open(&t);
    isa_poke(&t, DATA, 0x12345678);
    isa_set_x(&t, A0, DATA);
    CHECK(ISA_RUN(&t, CLEAN, FLUSH, INVAL));
    CHECK_EQ(0x12345678, isa_peek(&t, DATA));
    isa_close(&t);
}

/* In S and U: legal or not by each bit. */
TEST(envcfg)
{
    static const struct {
        uint32_t menvcfg, senvcfg, word_at;
        bool in_s, in_u;
    } cases[] = {
        {0, 0xffffffff, 0, false, false},
        {0xf0, 0, 0, true, false},
        {CBIE_FLUSH, CBIE_FLUSH, 1, true, true},
        {CBIE_INVAL, CBIE_INVAL, 1, true, true},
        {CBIE_INVAL, 0, 1, true, false},
        {CBCFE | CBZE, CBCFE | CBZE, 1, false, false},
        {CBCFE, CBCFE, 2, true, true},
        {CBCFE, CBCFE, 3, true, true},
        {CBCFE, 0, 2, true, false},
        {CBIE_INVAL | CBZE, 0xf0, 2, false, false},
        {CBZE, CBZE, 4, true, true},
        {CBZE, 0, 4, true, false},
        {CBIE_INVAL | CBCFE, 0xf0, 4, false, false},
    };
    isa_t t;
    isa_open(&t);
    const uint32_t words[] = {INVAL, INVAL, CLEAN, FLUSH, CLEAR};
    for (size_t n = 0; n < ARRAY_LEN(cases); n++) {
        uint32_t word = words[cases[n].word_at];
        isa_set_csr(&t, MENVCFG, cases[n].menvcfg);
        isa_set_csr(&t, SENVCFG, cases[n].senvcfg);
        isa_set_x(&t, A0, DATA);
        CHECK_EQ(cases[n].in_s, ISA_RUN_MODE(&t, PRIV_S, word));
        if (!cases[n].in_s) {
            CHECK_TRAP(&t, 2, word);
        }
        CHECK_EQ(cases[n].in_u, ISA_RUN_MODE(&t, PRIV_U, word));
        if (!cases[n].in_u) {
            CHECK_TRAP(&t, 2, word);
        }
    }
    isa_close(&t);
}

/* Faults are those of a store, with the address as given (CMO 2.5.2). */
TEST(faults)
{
    isa_t t;
    isa_open(&t);
    isa_set_x(&t, A0, 0x40000020);
    CHECK(!ISA_RUN(&t, CLEAR));
    CHECK_TRAP(&t, 7, 0x40000020);
    isa_set_csr(&t, MENVCFG, CBCFE | CBIE_INVAL | CBZE);
    isa_set_csr(&t, PMPADDR0, (DATA >> 2) - 1); /* up to DATA as before, nothing from there */
    isa_set_csr(&t, PMPCFG0, 0x0f);
    isa_set_x(&t, A0, DATA + 5);
    CHECK(!ISA_RUN_MODE(&t, PRIV_S, FLUSH));
    CHECK_TRAP(&t, 7, DATA + 5);
    CHECK(!ISA_RUN_MODE(&t, PRIV_S, CLEAR));
    CHECK_TRAP(&t, 7, DATA + 5);
    isa_close(&t);
}

/* A cleared block of code is code no more. */
TEST(zero_on_code)
{
    isa_t t;
    isa_open(&t);
    uint32_t target = CODE + 0x100;
    isa_poke(&t, target, asm_i(INSN_addi, A1, ZERO, 1));
    isa_poke(&t, target + 4, asm_i(INSN_jalr, ZERO, RA, 0));
    isa_set_x(&t, A0, target);
    CHECK(!ISA_RUN(&t, asm_i(INSN_jalr, RA, A0, 0), CLEAR, insn_info[INSN_fence_i].match,
                   asm_i(INSN_jalr, RA, A0, 0)));
    CHECK_EQ(1, isa_x(&t, A1));
    CHECK_TRAP(&t, 2, 0);
    CHECK_EQ(target, isa_csr(&t, MEPC));
    isa_close(&t);
}

int main(void)
{
    RUN(zero_clears_a_block);
    RUN(management_keeps_memory);
    RUN(envcfg);
    RUN(faults);
    RUN(zero_on_code);
    return tap_finish();
}
