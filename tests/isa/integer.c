/* SPDX-License-Identifier: MPL-2.0 */
/* M, Zba, Zbb, Zbc, Zbs and shifts: the corners that the specification spells out. */
#include "harness.h"

typedef struct case2 {
    insn_id_t id;
    uint32_t a, b, want;
} case2_t;

static void check_cases(const case2_t *cases, size_t count)
{
    isa_t t;
    isa_open(&t);
    for (size_t n = 0; n < count; n++) {
        isa_set_x(&t, A0, cases[n].a);
        isa_set_x(&t, A1, cases[n].b);
        bool one = insn_info[cases[n].id].format == FMT_R1,
             shift = insn_info[cases[n].id].format == FMT_SH;
        uint32_t word = shift ? asm_i(cases[n].id, A2, A0, cases[n].b)
                              : asm_r(cases[n].id, A2, A0, one ? 0 : A1);
        CHECK(ISA_RUN(&t, word));
        CHECK_EQ(cases[n].want, isa_x(&t, A2));
        if (cases[n].want != isa_x(&t, A2)) {
            printf("# %s\n", insn_info[cases[n].id].mnemonic);
        }
    }
    isa_close(&t);
}

TEST(multiply_divide)
{
    static const case2_t cases[] = {
        {INSN_mul, 0x80000000, 0xffffffff, 0x80000000},
        {INSN_mulh, 0x80000000, 0x80000000, 0x40000000},
        {INSN_mulh, 0xffffffff, 0xffffffff, 0},
        {INSN_mulhu, 0xffffffff, 0xffffffff, 0xfffffffe},
        {INSN_mulhsu, 0xffffffff, 0xffffffff, 0xffffffff},
        {INSN_mulhsu, 0x80000000, 0x80000000, 0xc0000000},
        {INSN_div, 7, 0, 0xffffffff},
        {INSN_divu, 7, 0, 0xffffffff},
        {INSN_rem, 7, 0, 7},
        {INSN_remu, 7, 0, 7},
        {INSN_div, 0x80000000, 0xffffffff, 0x80000000},
        {INSN_rem, 0x80000000, 0xffffffff, 0},
        {INSN_div, (uint32_t)-7, 2, (uint32_t)-3},
        {INSN_rem, (uint32_t)-7, 2, (uint32_t)-1},
        {INSN_rem, 7, (uint32_t)-2, 1},
        {INSN_divu, 0x80000000, 0xffffffff, 0},
    };
    check_cases(cases, ARRAY_LEN(cases));
}

TEST(shifts_and_compares)
{
    static const case2_t cases[] = {
        {INSN_sll, 1, 33, 2},
        {INSN_srl, 0x80000000, 63, 1},
        {INSN_sra, 0x80000000, 63, 0xffffffff},
        {INSN_slli, 1, 31, 0x80000000},
        {INSN_srli, 0x80000000, 31, 1},
        {INSN_srai, 0x80000000, 31, 0xffffffff},
        {INSN_srai, 5, 0, 5},
        {INSN_slt, 0x80000000, 0, 1},
        {INSN_sltu, 0x80000000, 0, 0},
        {INSN_sltu, 0, 1, 1},
        {INSN_rol, 0x80000001, 33, 3},
        {INSN_ror, 0x80000001, 33, 0xc0000000},
        {INSN_rori, 0x80000001, 0, 0x80000001},
        {INSN_rori, 0x12345678, 8, 0x78123456},
    };
    check_cases(cases, ARRAY_LEN(cases));
}

TEST(bit_manipulation)
{
    static const case2_t cases[] = {
        {INSN_sh1add, 0x80000001, 5, 7},
        {INSN_sh2add, 1, 5, 9},
        {INSN_sh3add, 0x20000000, 1, 1},
        {INSN_andn, 0xff, 0x0f, 0xf0},
        {INSN_orn, 0, 0xff, 0xffffff00},
        {INSN_xnor, 0xff, 0xff, 0xffffffff},
        {INSN_clz, 0, 0, 32},
        {INSN_clz, 1, 0, 31},
        {INSN_ctz, 0, 0, 32},
        {INSN_ctz, 0x80000000, 0, 31},
        {INSN_cpop, 0xffffffff, 0, 32},
        {INSN_cpop, 0x80000001, 0, 2},
        {INSN_sext_b, 0x180, 0, 0xffffff80},
        {INSN_sext_h, 0x18000, 0, 0xffff8000},
        {INSN_zext_h, 0xffff8000, 0, 0x8000},
        {INSN_min, 0x80000000, 1, 0x80000000},
        {INSN_max, 0x80000000, 1, 1},
        {INSN_minu, 0x80000000, 1, 1},
        {INSN_maxu, 0x80000000, 1, 0x80000000},
        {INSN_orc_b, 0x01000080, 0, 0xff0000ff},
        {INSN_orc_b, 0, 0, 0},
        {INSN_rev8, 0x12345678, 0, 0x78563412},
        {INSN_bset, 0, 33, 2},
        {INSN_bclr, 0xffffffff, 63, 0x7fffffff},
        {INSN_binv, 1, 32, 0},
        {INSN_bext, 0x80000000, 31, 1},
        {INSN_bseti, 0, 31, 0x80000000},
        {INSN_bclri, 3, 1, 1},
        {INSN_binvi, 0, 0, 1},
        {INSN_bexti, 2, 1, 1},
        {INSN_bexti, 2, 2, 0},
    };
    check_cases(cases, ARRAY_LEN(cases));
}

TEST(carry_less)
{
    static const case2_t cases[] = {
        {INSN_clmul, 3, 3, 5},
        {INSN_clmul, 0xffffffff, 0xffffffff, 0x55555555},
        {INSN_clmulh, 0xffffffff, 0xffffffff, 0x55555555},
        {INSN_clmulh, 0x80000000, 2, 1},
        {INSN_clmulh, 0x80000000, 1, 0},
        {INSN_clmulr, 0x80000000, 1, 1},
        {INSN_clmulr, 0x80000000, 0x80000000, 0x80000000},
        {INSN_clmulr, 0xffffffff, 0xffffffff, 0xaaaaaaaa},
    };
    check_cases(cases, ARRAY_LEN(cases));
}

/* x0 stays zero, whoever writes to it. */
TEST(x0)
{
    isa_t t;
    isa_open(&t);
    isa_set_x(&t, A0, DATA);
    isa_poke(&t, DATA, 9);
    CHECK(ISA_RUN(&t, asm_i(INSN_addi, ZERO, ZERO, 5), asm_i(INSN_lw, ZERO, A0, 0),
                  asm_r(INSN_amoadd_w, ZERO, A0, A0), asm_i(INSN_csrrs, ZERO, ZERO, MTVEC),
                  asm_r(INSN_add, A2, ZERO, ZERO)));
    CHECK_EQ(0, isa_x(&t, A2));
    CHECK_EQ(0, isa_x(&t, 0));
    isa_close(&t);
}

int main(void)
{
    RUN(multiply_divide);
    RUN(shifts_and_compares);
    RUN(bit_manipulation);
    RUN(carry_less);
    RUN(x0);
    return tap_finish();
}
