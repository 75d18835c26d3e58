/* SPDX-License-Identifier: MPL-2.0 */
/* Who may do what: TVM, TSR, TW, Svinval, counters, stimecmp, seed (privileged 3.1.6, 3.1.10; Sstc;
 * Zkr). */
#include "harness.h"

enum { TVM = 1 << 20, TW = 1 << 21, TSR = 1 << 22 };
enum { CYCLE = 0xc00, TIME = 0xc01, INSTRET = 0xc02, CYCLEH = 0xc80 };
#define WORD(name) insn_info[INSN_##name].match
#define READ(rd, csr) asm_i(INSN_csrrs, rd, 0, csr)
#define WRITE(csr, rs) asm_i(INSN_csrrw, 0, rs, csr)

/* Runs word in a mode: fine, or an illegal instruction with its bits. */
static void check_right(isa_t *t, unsigned priv, uint32_t word, bool allowed)
{
    bool fine = ISA_RUN_MODE(t, priv, word);
    CHECK_EQ(allowed, fine);
    if (fine != allowed) {
        printf("# mode %u, word %08x\n", priv, (unsigned)word);
    }
    if (!allowed) {
        CHECK_TRAP(t, 2, word);
    }
}

TEST(tvm)
{
    isa_t t;
    isa_open(&t);
    const uint32_t words[] = {WORD(sfence_vma), WORD(sinval_vma), READ(A0, SATP), WRITE(SATP, 0)};
    for (size_t n = 0; n < ARRAY_LEN(words); n++) {
        isa_set_csr(&t, MSTATUS, TVM);
        check_right(&t, PRIV_M, words[n], true);
        check_right(&t, PRIV_S, words[n], false);
        isa_set_csr(&t, MSTATUS, 0);
        check_right(&t, PRIV_S, words[n], true);
        check_right(&t, PRIV_U, words[n], false);
    }
    isa_close(&t);
}

TEST(svinval_ordering)
{
    isa_t t;
    isa_open(&t);
    isa_set_csr(&t, MSTATUS, TVM); /* has no say in these */
    const uint32_t words[] = {WORD(sfence_w_inval), WORD(sfence_inval_ir)};
    for (size_t n = 0; n < 2; n++) {
        check_right(&t, PRIV_M, words[n], true);
        check_right(&t, PRIV_S, words[n], true);
        check_right(&t, PRIV_U, words[n], false);
    }
    isa_close(&t);
}

TEST(tsr_and_xret)
{
    isa_t t;
    isa_open(&t);
    check_right(&t, PRIV_S, WORD(mret), false);
    check_right(&t, PRIV_U, WORD(mret), false);
    check_right(&t, PRIV_U, WORD(sret), false);
    isa_set_csr(&t, MSTATUS, TSR);
    check_right(&t, PRIV_S, WORD(sret), false);
    isa_set_csr(&t, MSTATUS, 0x120); /* SPP, SPIE */
    isa_set_csr(&t, SEPC, CODE + 4);
    check_right(&t, PRIV_S, WORD(sret), true);
    CHECK_EQ(0x22, isa_csr(&t, SSTATUS) & 0x122); /* SIE back, SPIE set, SPP = U */
    isa_close(&t);
}

TEST(tw)
{
    isa_t t;
    isa_open(&t);
    isa_set_csr(&t, MSTATUS, TW);
    check_right(&t, PRIV_S, WORD(wfi), false);
    check_right(&t, PRIV_U, WORD(wfi), false);
    isa_close(&t);
}

TEST(csr_rights)
{
    isa_t t;
    isa_open(&t);
    check_right(&t, PRIV_S, READ(A0, MSTATUS), false);
    check_right(&t, PRIV_U, READ(A0, SSTATUS), false);
    check_right(&t, PRIV_S, READ(A0, SSTATUS), true);
    check_right(&t, PRIV_M, READ(A0, 0xf14), true);
    check_right(&t, PRIV_M, WRITE(0xf14, A0), false);
    check_right(&t, PRIV_M, asm_i(INSN_csrrs, A0, A1, 0xf14), false); /* even if a1 is 0 */
    check_right(&t, PRIV_M, asm_i(INSN_csrrsi, A0, 0, 0xf14), true);
    check_right(&t, PRIV_M, READ(A0, 0x5c0), false);
    isa_set_csr(&t, MSTATUS, 0); /* FS off */
    check_right(&t, PRIV_M, READ(A0, FCSR), false);
    check_right(&t, PRIV_M, asm_f(INSN_fadd_s, 1, 2, 3, 7), false);
    isa_close(&t);
}

TEST(counter_rights)
{
    static const uint32_t csrs[] = {CYCLE, TIME, INSTRET};
    isa_t t;
    isa_open(&t);
    for (uint32_t bits = 0; bits < 64; bits++) {
        isa_set_csr(&t, MCOUNTEREN, bits & 7);
        isa_set_csr(&t, SCOUNTEREN, bits >> 3);
        for (unsigned n = 0; n < 3; n++) {
            bool m = bits >> n & 1, s = bits >> (3 + n) & 1;
            check_right(&t, PRIV_S, READ(A0, csrs[n]), m);
            check_right(&t, PRIV_U, READ(A0, csrs[n]), m && s);
            check_right(&t, PRIV_U, READ(A0, csrs[n] + 0x80), m && s);
        }
    }
    isa_close(&t);
}

/* instret counts each instruction once, and the one that reads it not yet. */
TEST(counting)
{
    isa_t t;
    isa_open(&t);
    CHECK(ISA_RUN(&t, READ(A0, MINSTRET), WORD(fence_i), asm_i(INSN_addi, ZERO, ZERO, 0),
                  READ(A1, MINSTRET), READ(A2, MINSTRET)));
    CHECK_EQ(3, isa_x(&t, A1) - isa_x(&t, A0));
    CHECK_EQ(1, isa_x(&t, A2) - isa_x(&t, A1));
    isa_set_x(&t, A3, 100); /* a written value is what the next instruction reads (3.1.10) */
    CHECK(ISA_RUN(&t, WRITE(MINSTRET, A3), READ(A0, MINSTRET)));
    CHECK_EQ(100, isa_x(&t, A0));
    isa_close(&t);
}

TEST(inhibit)
{
    isa_t t;
    isa_open(&t);
    isa_set_csr(&t, MCOUNTINHIBIT, 5);
    isa_set_csr(&t, MINSTRET, 7);
    isa_set_csr(&t, MCYCLE, 9);
    CHECK(ISA_RUN(&t, asm_i(INSN_addi, ZERO, ZERO, 0), READ(A0, MINSTRET), READ(A1, MCYCLE)));
    CHECK_EQ(7, isa_x(&t, A0));
    CHECK_EQ(9, isa_x(&t, A1));
    isa_set_csr(&t, MCOUNTINHIBIT, 0);
    CHECK(ISA_RUN(&t, READ(A0, MINSTRET), READ(A1, MINSTRET)));
    CHECK_EQ(1, isa_x(&t, A1) - isa_x(&t, A0));
    CHECK(isa_x(&t, A0) >= 7 && isa_x(&t, A0) < 100);
    isa_close(&t);
}

/* Sstc: S may use stimecmp with menvcfg.STCE and mcounteren.TM; it drives STIP. */
TEST(stimecmp)
{
    isa_t t;
    isa_open(&t);
    isa_set_csr(&t, MENVCFGH, 0);
    isa_set_csr(&t, MCOUNTEREN, 7);
    check_right(&t, PRIV_S, READ(A0, STIMECMP), false);
    check_right(&t, PRIV_M, READ(A0, STIMECMP), true);
    isa_set_csr(&t, MENVCFGH, 0x80000000);
    check_right(&t, PRIV_S, READ(A0, STIMECMPH), true);
    check_right(&t, PRIV_U, READ(A0, STIMECMP), false);
    isa_set_csr(&t, MCOUNTEREN, 5);
    check_right(&t, PRIV_S, READ(A0, STIMECMP), false);
    isa_set_csr(&t, STIMECMPH, 0);
    isa_set_csr(&t, STIMECMP, (uint32_t)t.time + 5);
    CHECK_EQ(0, isa_csr(&t, MIP) & 0x20);
    t.time += 5;
    CHECK_EQ(0x20, isa_csr(&t, MIP) & 0x20);
    isa_set_csr(&t, STIMECMP, 0xffffffff);
    CHECK_EQ(0, isa_csr(&t, MIP) & 0x20);
    isa_close(&t);
}

/* Zkr: only read-write accesses; S and U by mseccfg.SSEED and USEED. */
TEST(seed)
{
    isa_t t;
    isa_open(&t);
    check_right(&t, PRIV_M, READ(A0, SEED), false);
    check_right(&t, PRIV_M, asm_i(INSN_csrrw, A0, 0, SEED), true);
    CHECK_EQ(2, isa_x(&t, A0) >> 30); /* ES16 */
    CHECK_EQ(0, isa_x(&t, A0) >> 24 & 0x3f);
    uint32_t first = isa_x(&t, A0);
    bool differs = false;
    for (unsigned n = 0; n < 8; n++) {
        check_right(&t, PRIV_M, asm_i(INSN_csrrw, A0, 0, SEED), true);
        differs |= isa_x(&t, A0) != first;
    }
    CHECK(differs);
    for (uint32_t bits = 0; bits < 4; bits++) {
        isa_set_csr(&t, MSECCFG, bits << 8); /* USEED, SSEED */
        check_right(&t, PRIV_U, asm_i(INSN_csrrw, A0, 0, SEED), bits & 1);
        check_right(&t, PRIV_S, asm_i(INSN_csrrw, A0, 0, SEED), bits & 2);
    }
    isa_close(&t);
}

/* What the FDT's isa string promises a kernel, it can use: firmware has opened all of it. */
TEST(supervisor_after_setup)
{
    isa_t t;
    isa_open(&t);
    hart_setup_supervisor(t.hart);
    isa_set_x(&t, A3, DATA);
    const uint32_t words[] = {
        asm_i(INSN_csrrw, A0, 0, SEED), READ(A0, TIME), READ(A0, INSTRET), READ(A0, STIMECMP),
        WORD(cbo_zero) | (uint32_t)A3 << 15, WORD(cbo_flush) | (uint32_t)A3 << 15,
        WORD(cbo_inval) | (uint32_t)A3 << 15, WORD(sfence_vma),
    };
    for (size_t n = 0; n < ARRAY_LEN(words); n++) {
        check_right(&t, PRIV_S, words[n], true);
    }
    isa_close(&t);
}

int main(void)
{
    RUN(tvm);
    RUN(svinval_ordering);
    RUN(tsr_and_xret);
    RUN(tw);
    RUN(csr_rights);
    RUN(counter_rights);
    RUN(counting);
    RUN(inhibit);
    RUN(stimecmp);
    RUN(seed);
    RUN(supervisor_after_setup);
    return tap_finish();
}
