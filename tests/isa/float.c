/* SPDX-License-Identifier: MPL-2.0 */
/* F and D as instructions: boxing, conversions at their limits, rounding modes, flags, FS (chapters
 * 11, 12). */
#include "harness.h"

enum { NX = 1, UF = 2, OF = 4, DZ = 8, NV = 16 };
#define BOX(x) (UINT64_C(0xffffffff00000000) | (x))
#define QNAN32 0x7fc00000u
#define QNAN64 UINT64_C(0x7ff8000000000000)

/* fd3 = op(f1, f2) with a static rounding mode or the lack of one (0 for formats without). */
static uint64_t run_f(isa_t *t, insn_id_t id, uint64_t a, uint64_t b, uint32_t rm, uint32_t flags)
{
    bool one = insn_info[id].mask & 0x1f00000;
    hart_set_f(t->hart, 1, a);
    hart_set_f(t->hart, 2, b);
    isa_set_csr(t, FCSR, 0);
    CHECK(ISA_RUN(t, asm_f(id, 3, 1, one ? 0 : 2, rm)));
    CHECK_EQ(flags, isa_csr(t, FCSR));
    return hart_get_f(t->hart, 3);
}

static uint32_t run_to_x(isa_t *t, insn_id_t id, uint64_t a, uint64_t b, uint32_t rm,
                         uint32_t flags)
{
    bool one = insn_info[id].mask & 0x1f00000;
    hart_set_f(t->hart, 1, a);
    hart_set_f(t->hart, 2, b);
    isa_set_csr(t, FCSR, 0);
    CHECK(ISA_RUN(t, asm_f(id, A0, 1, one ? 0 : 2, rm)));
    CHECK_EQ(flags, isa_csr(t, FCSR));
    return isa_x(t, A0);
}

TEST(boxing)
{
    isa_t t;
    isa_open(&t);
    uint64_t one = BOX(0x3f800000), bad = 0x3f800000;
    CHECK_EQ(BOX(0x40000000), run_f(&t, INSN_fadd_s, one, one, 0, 0));
    CHECK_EQ(BOX(QNAN32), run_f(&t, INSN_fadd_s, one, bad, 0, 0)); /* a NaN, and a quiet one */
    CHECK_EQ(BOX(QNAN32), run_f(&t, INSN_fsgnj_s, bad, one, 0, 0));
    CHECK_EQ(1 << 9, run_to_x(&t, INSN_fclass_s, bad, 0, 0, 0));
    CHECK_EQ(0x3f800000,
             run_to_x(&t, INSN_fmv_x_w, 0x123400003f800000, 0, 0, 0)); /* takes the bits */
    CHECK_EQ(QNAN64, run_f(&t, INSN_fcvt_d_s, bad, 0, 0, 0));
    isa_set_x(&t, A0, 0x12345678);
    CHECK(ISA_RUN(&t, asm_i(INSN_fmv_w_x, 3, A0, 0)));
    CHECK_EQ(BOX(0x12345678), hart_get_f(t.hart, 3));
    isa_close(&t);
}

TEST(conversion_limits)
{
    isa_t t;
    isa_open(&t);
    uint64_t nan = BOX(QNAN32), inf = BOX(0x7f800000), ninf = BOX(0xff800000);
    CHECK_EQ(0x7fffffff, run_to_x(&t, INSN_fcvt_w_s, nan, 0, 0, NV));
    CHECK_EQ(0x7fffffff, run_to_x(&t, INSN_fcvt_w_s, inf, 0, 0, NV));
    CHECK_EQ(0x80000000, run_to_x(&t, INSN_fcvt_w_s, ninf, 0, 0, NV));
    CHECK_EQ(0xffffffff, run_to_x(&t, INSN_fcvt_wu_s, nan, 0, 0, NV));
    CHECK_EQ(0, run_to_x(&t, INSN_fcvt_wu_s, ninf, 0, 0, NV));
    CHECK_EQ(0, run_to_x(&t, INSN_fcvt_wu_s, BOX(0xbf000000), 0, 1, NX)); /* -0.5 to zero */
    CHECK_EQ(0, run_to_x(&t, INSN_fcvt_wu_s, BOX(0xbf800000), 0, 1, NV)); /* -1 */
    CHECK_EQ(0x80000000, run_to_x(&t, INSN_fcvt_w_d, UINT64_C(0xc1e0000000000000), 0, 0, 0));
    CHECK_EQ(0x80000000, run_to_x(&t, INSN_fcvt_w_d, UINT64_C(0xc1e0000000200000), 0, 0, NV));
    CHECK_EQ(0x7fffffff, run_to_x(&t, INSN_fcvt_w_d, UINT64_C(0x41dfffffffe00000), 0, 1, NX));
    CHECK_EQ(0x7fffffff, run_to_x(&t, INSN_fcvt_w_d, UINT64_C(0x41dfffffffe00000), 0, 3, NV));
    CHECK_EQ(0xffffffff, run_to_x(&t, INSN_fcvt_wu_d, UINT64_C(0x41efffffffe00000), 0, 0, 0));
    isa_close(&t);
}

/* 2.5, -2.5 and their neighbours in each rounding mode. */
TEST(rounding_modes)
{
    static const struct {
        uint32_t value;
        int32_t want[5]; /* RNE RTZ RDN RUP RMM */
    } cases[] = {
        {0x40200000, {2, 2, 2, 3, 3}}, {0xc0200000, {-2, -2, -3, -2, -3}},
        {0x40600000, {4, 3, 3, 4, 4}}, {0xbf000000, {0, 0, -1, 0, -1}},
        {0x3f800001, {1, 1, 1, 2, 1}}, {0xbfc00000, {-2, -1, -2, -1, -2}},
    };
    isa_t t;
    isa_open(&t);
    for (size_t n = 0; n < ARRAY_LEN(cases); n++) {
        for (uint32_t rm = 0; rm < 5; rm++) {
            uint32_t want = (uint32_t)cases[n].want[rm];
            CHECK_EQ(want, run_to_x(&t, INSN_fcvt_w_s, BOX(cases[n].value), 0, rm, NX));
            hart_set_f(t.hart, 1, BOX(cases[n].value));
            isa_set_csr(&t, FCSR, rm << 5); /* dynamic */
            CHECK(ISA_RUN(&t, asm_f(INSN_fcvt_w_s, A0, 1, 0, 7)));
            CHECK_EQ(want, isa_x(&t, A0));
        }
    }
    /* 1 + 2^-24, a tie, in each mode */
    const uint32_t sums[5] = {0x3f800000, 0x3f800000, 0x3f800000, 0x3f800001, 0x3f800001};
    for (uint32_t rm = 0; rm < 5; rm++) {
        CHECK_EQ(BOX(sums[rm]), run_f(&t, INSN_fadd_s, BOX(0x3f800000), BOX(0x33800000), rm, NX));
    }
    isa_close(&t);
}

TEST(reserved_rounding)
{
    isa_t t;
    isa_open(&t);
    for (uint32_t rm = 5; rm <= 6; rm++) {
        CHECK(!ISA_RUN(&t, asm_f(INSN_fadd_s, 3, 1, 2, rm)));
        CHECK_TRAP(&t, 2, asm_f(INSN_fadd_s, 3, 1, 2, rm));
    }
    for (uint32_t frm = 5; frm <= 7; frm++) {
        isa_set_csr(&t, FCSR, frm << 5);
        CHECK_EQ(frm << 5, isa_csr(&t, FCSR)); /* may be held, not used */
        CHECK(!ISA_RUN(&t, asm_f(INSN_fadd_d, 3, 1, 2, 7)));
        CHECK_TRAP(&t, 2, asm_f(INSN_fadd_d, 3, 1, 2, 7));
        CHECK(ISA_RUN(&t, asm_f(INSN_fadd_d, 3, 1, 2, 0), asm_f(INSN_fsgnj_d, 3, 1, 2, 0)));
    }
    isa_close(&t);
}

TEST(flags_and_nans)
{
    isa_t t;
    isa_open(&t);
    uint64_t zero = 0, nzero = UINT64_C(1) << 63, one = UINT64_C(0x3ff0000000000000);
    uint64_t inf = UINT64_C(0x7ff0000000000000), snan = UINT64_C(0x7ff0000000000001);
    uint64_t max = UINT64_C(0x7fefffffffffffff);
    CHECK_EQ(inf, run_f(&t, INSN_fdiv_d, one, zero, 0, DZ));
    CHECK_EQ(QNAN64, run_f(&t, INSN_fdiv_d, zero, zero, 0, NV));
    CHECK_EQ(QNAN64,
             run_f(&t, INSN_fadd_d, UINT64_C(0xfff8000000000123), one, 0, 0)); /* canonical */
    CHECK_EQ(QNAN64, run_f(&t, INSN_fadd_d, snan, one, 0, NV));
    CHECK_EQ(QNAN64, run_f(&t, INSN_fsqrt_d, one | nzero, 0, 0, NV));
    CHECK_EQ(nzero, run_f(&t, INSN_fsqrt_d, nzero, 0, 0, 0));
    CHECK_EQ(inf, run_f(&t, INSN_fadd_d, max, max, 0, OF | NX));
    CHECK_EQ(max, run_f(&t, INSN_fadd_d, max, max, 1, OF | NX));
    CHECK_EQ(1, run_f(&t, INSN_fmul_d, 1, UINT64_C(0x3fe8000000000000), 0, UF | NX));
    CHECK_EQ(nzero, run_f(&t, INSN_fmin_d, zero, nzero, 0, 0));
    CHECK_EQ(zero, run_f(&t, INSN_fmax_d, nzero, zero, 0, 0));
    CHECK_EQ(one, run_f(&t, INSN_fmin_d, snan, one, 0, NV));
    CHECK_EQ(one, run_f(&t, INSN_fmax_d, QNAN64, one, 0, 0));
    CHECK_EQ(QNAN64, run_f(&t, INSN_fmax_d, QNAN64, QNAN64, 0, 0));
    CHECK_EQ(0, run_to_x(&t, INSN_feq_d, QNAN64, one, 0, 0));
    CHECK_EQ(0, run_to_x(&t, INSN_feq_d, snan, one, 0, NV));
    CHECK_EQ(0, run_to_x(&t, INSN_flt_d, QNAN64, one, 0, NV));
    CHECK_EQ(1, run_to_x(&t, INSN_fle_d, nzero, zero, 0, 0));
    isa_close(&t);
}

/* inf * 0 + NaN: invalid even when the addend is a quiet NaN (11.6). */
TEST(fused)
{
    isa_t t;
    isa_open(&t);
    hart_set_f(t.hart, 1, UINT64_C(0x7ff0000000000000));
    hart_set_f(t.hart, 2, 0);
    hart_set_f(t.hart, 4, QNAN64);
    isa_set_csr(&t, FCSR, 0);
    CHECK(ISA_RUN(&t, asm_f(INSN_fmadd_d, 3, 1, 2, 0) | 4u << 27));
    CHECK_EQ(QNAN64, hart_get_f(t.hart, 3));
    CHECK_EQ(NV, isa_csr(&t, FCSR));
    /* 2 * 3 and 1 in the four ways */
    static const struct {
        insn_id_t id;
        uint32_t want;
    } cases[] = {{INSN_fmadd_s, 0x40e00000},
                 {INSN_fmsub_s, 0x40a00000},
                 {INSN_fnmsub_s, 0xc0a00000},
                 {INSN_fnmadd_s, 0xc0e00000}};
    hart_set_f(t.hart, 1, BOX(0x40000000));
    hart_set_f(t.hart, 2, BOX(0x40400000));
    hart_set_f(t.hart, 4, BOX(0x3f800000));
    for (size_t n = 0; n < ARRAY_LEN(cases); n++) {
        CHECK(ISA_RUN(&t, asm_f(cases[n].id, 3, 1, 2, 0) | 4u << 27));
        CHECK_EQ(BOX(cases[n].want), hart_get_f(t.hart, 3));
    }
    isa_close(&t);
}

/* mstatus.FS: off traps, an instruction that writes makes it dirty, SD tells. */
TEST(status)
{
    isa_t t;
    isa_open(&t);
    isa_set_csr(&t, MSTATUS, 0);
    CHECK(!ISA_RUN(&t, asm_i(INSN_flw, 1, A0, 0)));
    CHECK_TRAP(&t, 2, asm_i(INSN_flw, 1, A0, 0));
    isa_set_csr(&t, MSTATUS, 0x2000);
    CHECK_EQ(0x00002000, isa_csr(&t, MSTATUS) & 0x80006000);
    CHECK(ISA_RUN(&t, asm_f(INSN_fadd_d, 3, 1, 2, 0)));
    CHECK_EQ(0x80006000, isa_csr(&t, MSTATUS) & 0x80006000);
    isa_close(&t);
}

int main(void)
{
    RUN(boxing);
    RUN(conversion_limits);
    RUN(rounding_modes);
    RUN(reserved_rounding);
    RUN(flags_and_nans);
    RUN(fused);
    RUN(status);
    return tap_finish();
}
