/* SPDX-License-Identifier: MPL-2.0 */
/* Traps: causes, mtval, delegation, vectors, interrupts and their order (privileged 3.1, 3.3, 4.1).
 */
#include "harness.h"

#define MRET insn_info[INSN_mret].match
#define SRET insn_info[INSN_sret].match
#define ECALL insn_info[INSN_ecall].match
#define EBREAK insn_info[INSN_ebreak].match
#define WFI insn_info[INSN_wfi].match

TEST(causes)
{
    isa_t t;
    isa_open(&t);
    CHECK(!ISA_RUN(&t, EBREAK));
    CHECK_TRAP(&t, 3, CODE);
    CHECK_EQ(CODE, isa_csr(&t, MEPC));
    CHECK(!ISA_RUN(&t, ECALL));
    CHECK_TRAP(&t, 11, 0);
    CHECK(!ISA_RUN_MODE(&t, PRIV_S, ECALL));
    CHECK_TRAP(&t, 9, 0);
    CHECK(!ISA_RUN_MODE(&t, PRIV_U, ECALL));
    CHECK_TRAP(&t, 8, 0);
    CHECK(!ISA_RUN(&t, 0xffffffff));
    CHECK_TRAP(&t, 2, 0xffffffff);
    CHECK(!ISA_RUN(&t, 0x12340000)); /* compressed: the upper half is not its */
    CHECK_TRAP(&t, 2, 0);
    CHECK(!ISA_RUN(&t, 0x00018000));
    CHECK_TRAP(&t, 2, 0x8000);
    isa_close(&t);
}

TEST(fetch_from_nowhere)
{
    isa_t t;
    isa_open(&t);
    isa_set_x(&t, A0, 0x40000001); /* bit 0 is dropped */
    CHECK(!ISA_RUN(&t, asm_i(INSN_jalr, RA, A0, 0)));
    CHECK_TRAP(&t, 1, 0x40000000);
    CHECK_EQ(0x40000000, isa_csr(&t, MEPC));
    CHECK_EQ(CODE + 4, isa_x(&t, RA));
    isa_close(&t);
}

TEST(status_stack)
{
    isa_t t;
    isa_open(&t);
    isa_set_csr(&t, MSTATUS, 0x6008); /* MIE */
    CHECK(!ISA_RUN_MODE(&t, PRIV_S, ECALL));
    CHECK_EQ(0x0880, isa_csr(&t, MSTATUS) & 0x1888); /* MPP = S, MPIE, not MIE */
    isa_set_csr(&t, MEPC, CODE + 4);
    CHECK(!ISA_RUN(&t, MRET)); /* to S, at the endless loop */
    CHECK_EQ(PRIV_S, hart_get_priv(t.hart));
    CHECK_EQ(CODE + 4, hart_get_pc(t.hart));
    CHECK_EQ(0x0088, isa_csr(&t, MSTATUS) & 0x1888); /* MPP = U, MIE back, MPIE set */
    isa_close(&t);
}

TEST(delegation)
{
    isa_t t;
    isa_open(&t);
    isa_set_csr(&t, MEDELEG, 1 << 8 | 1 << 3);
    CHECK(!ISA_RUN_MODE(&t, PRIV_U, ECALL));
    CHECK_EQ(S_HANDLER, hart_get_pc(t.hart));
    CHECK_EQ(PRIV_S, hart_get_priv(t.hart));
    CHECK_EQ(8, isa_csr(&t, SCAUSE));
    CHECK_EQ(CODE, isa_csr(&t, SEPC));
    CHECK_EQ(0, isa_csr(&t, SSTATUS) & 0x100); /* SPP = U */
    CHECK(!ISA_RUN_MODE(&t, PRIV_S, EBREAK));
    CHECK_EQ(S_HANDLER, hart_get_pc(t.hart));
    CHECK_EQ(0x100, isa_csr(&t, SSTATUS) & 0x100);
    CHECK_EQ(CODE, isa_csr(&t, STVAL));
    CHECK(!ISA_RUN(&t, EBREAK)); /* from M never */
    CHECK_TRAP(&t, 3, CODE);
    isa_close(&t);
}

/* All six pending: each handler entry is the next of MEI MSI MTI SEI SSI STI. */
TEST(interrupt_order)
{
    static const uint8_t order[] = {11, 3, 7, 9, 1, 5};
    isa_t t;
    isa_open(&t);
    uint32_t enabled = 0xaaa;
    hart_set_irq(t.hart, IRQ_MEIP, true);
    hart_set_irq(t.hart, IRQ_MSIP, true);
    hart_set_irq(t.hart, IRQ_SEIP, true);
    hart_set_mtimecmp(t.hart, 0);
    isa_set_csr(&t, STIMECMPH, 0);
    isa_set_csr(&t, STIMECMP, 0);
    isa_set_csr(&t, MIP, 2);
    for (size_t n = 0; n < ARRAY_LEN(order); n++) {
        isa_set_csr(&t, MIE, enabled);
        CHECK(!ISA_RUN_MODE(&t, PRIV_U, LOOP));
        CHECK_TRAP(&t, 0x80000000 | order[n], 0);
        CHECK_EQ(CODE, isa_csr(&t, MEPC));
        enabled &= ~(1u << order[n]);
    }
    isa_set_csr(&t, MIE, enabled);
    CHECK_EQ(0xaaa, isa_csr(&t, MIP));
    isa_close(&t);
}

TEST(interrupt_enables)
{
    isa_t t;
    isa_open(&t);
    isa_set_csr(&t, MIE, 1 << 3);
    hart_set_irq(t.hart, IRQ_MSIP, true);
    CHECK(ISA_RUN(&t, WFI)); /* MIE is clear: WFI goes on, no trap */
    CHECK(!ISA_RUN(&t, asm_i(INSN_csrrsi, 0, 8, MSTATUS), asm_i(INSN_addi, A0, A0, 1)));
    CHECK_TRAP(&t, 0x80000003, 0);
    CHECK_EQ(CODE + 4, isa_csr(&t, MEPC)); /* at once */
    hart_set_irq(t.hart, IRQ_MSIP, false);
    /* Delegated: S only with SIE, U always, M never. */
    isa_set_csr(&t, MIDELEG, 2);
    isa_set_csr(&t, MIE, 2);
    isa_set_csr(&t, MIP, 2);
    CHECK(ISA_RUN(&t, asm_i(INSN_csrrsi, 0, 8, MSTATUS)));
    CHECK(ISA_RUN_MODE(&t, PRIV_S, asm_i(INSN_addi, A0, A0, 1)));
    CHECK(!ISA_RUN_MODE(&t, PRIV_S, asm_i(INSN_csrrsi, 0, 2, SSTATUS)));
    CHECK_EQ(0x80000001, isa_csr(&t, SCAUSE));
    CHECK_EQ(CODE + 4, isa_csr(&t, SEPC));
    isa_close(&t);
}

TEST(vectors)
{
    isa_t t;
    isa_open(&t);
    uint32_t base = RAM + 0x2000;
    for (uint32_t n = 0; n < 16; n++) {
        isa_poke(&t, base + 4 * n, LOOP);
    }
    isa_set_csr(&t, MTVEC, base | 1);
    isa_set_csr(&t, MIE, 1 << 7);
    hart_set_mtimecmp(t.hart, 0);
    ISA_RUN_MODE(&t, PRIV_U, LOOP);
    CHECK_EQ(base + 4 * 7, hart_get_pc(t.hart));
    isa_set_csr(&t, MIE, 0);
    ISA_RUN(&t, EBREAK); /* exceptions go to the base */
    CHECK_EQ(base, hart_get_pc(t.hart));
    isa_close(&t);
}

/* 4 bytes of which the second half is on a page that is not there: mtval is that page (3.1.16). */
TEST(straddling_fetch)
{
    isa_t t;
    isa_open(&t);
    isa_poke(&t, RAM + RAM_SIZE - 4, 0x00130001); /* c.nop, half an addi */
    isa_set_x(&t, A0, RAM + RAM_SIZE - 2);
    CHECK(!ISA_RUN(&t, asm_i(INSN_jalr, RA, A0, 0)));
    CHECK_TRAP(&t, 1, RAM + RAM_SIZE);
    CHECK_EQ(RAM + RAM_SIZE - 2, isa_csr(&t, MEPC));
    isa_close(&t);
}

int main(void)
{
    RUN(causes);
    RUN(fetch_from_nowhere);
    RUN(status_stack);
    RUN(delegation);
    RUN(interrupt_order);
    RUN(interrupt_enables);
    RUN(vectors);
    RUN(straddling_fetch);
    return tap_finish();
}
