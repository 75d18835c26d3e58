/* SPDX-License-Identifier: MPL-2.0 */
/* Traps: delegation, stacking, vectors, which interrupt goes first and to whom, and the way back.
 */
#include "fake_hart.h"

#define IRQ_BIT(irq) (1u << (irq))
#define IRQ_CAUSE(irq) (0x80000000u | (irq))
#define ALL_IRQS 0xaaau
#define PC 0x80000100u
#define MRET 0x30200073u
#define SRET 0x10200073u

static const uint8_t modes[] = {PRIV_U, PRIV_S, PRIV_M};

/* Handlers at 0x80001000 (M) and 0x80002000 (S), timers far away, PMP open. */
static hart_t *prepared(unsigned priv)
{
    hart_t *h = fake_hart(0);
    h->mtvec = 0x80001000;
    h->stvec = 0x80002000;
    h->pc = PC;
    hart_set_mtimecmp(h, UINT64_MAX);
    pmp_write_addr(h, 0, 0xffffffff);
    pmp_write_cfg(h, 0, 0x1f);
    fake_mode(h, priv);
    return h;
}

TEST(exceptions)
{
    static const uint8_t causes[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 15};
    for (size_t m = 0; m < ARRAY_LEN(modes); m++) {
        for (size_t c = 0; c < ARRAY_LEN(causes); c++) {
            for (unsigned delegated = 0; delegated < 2; delegated++) {
                hart_t *h = prepared(modes[m]);
                CHECK(h->medeleg == 0);
                h->medeleg = delegated ? 1u << causes[c] : ~(1u << causes[c]);
                h->mtvec |= 1; /* vectors are for interrupts */
                h->stvec |= 1;
                trap_take_exception(h, causes[c], 0x1234567, PC + 6);
                bool to_s = delegated && modes[m] != PRIV_M;
                CHECK_EQ(to_s ? PRIV_S : PRIV_M, h->priv);
                CHECK_EQ(to_s ? 0x80002000 : 0x80001000, h->pc);
                CHECK_EQ(causes[c], to_s ? h->scause : h->mcause);
                CHECK_EQ(PC + 6, to_s ? h->sepc : h->mepc);
                CHECK_EQ(0x1234567, to_s ? h->stval : h->mtval);
                CHECK_EQ(0, to_s ? h->mepc | h->mtval : h->sepc | h->stval);
                fake_hart_free(h);
            }
        }
    }
}

TEST(stacking)
{
    for (size_t m = 0; m < ARRAY_LEN(modes); m++) {
        for (uint32_t ie = 0; ie < 4; ie++) {
            uint32_t before = (ie & 1 ? MSTATUS_MIE : MSTATUS_MPIE) |
                              (ie & 2 ? MSTATUS_SIE : MSTATUS_SPIE) | MSTATUS_SUM | MSTATUS_TW;
            hart_t *h = prepared(modes[m]);
            h->mstatus = before | MSTATUS_MPP;
            h->reserved = true;
            trap_take_exception(h, EXC_BREAKPOINT, 0, PC);
            uint32_t want = before & ~(MSTATUS_MIE | MSTATUS_MPIE);
            want |= (ie & 1 ? MSTATUS_MPIE : 0) | (uint32_t)modes[m] << MSTATUS_MPP_SHIFT;
            CHECK_EQ(want, h->mstatus);
            CHECK(!h->reserved);
            fake_hart_free(h);
            if (modes[m] == PRIV_M) {
                continue;
            }
            h = prepared(modes[m]);
            h->medeleg = 1 << EXC_BREAKPOINT;
            h->mstatus = before | MSTATUS_SPP;
            h->reserved = true;
            trap_take_exception(h, EXC_BREAKPOINT, 0, PC);
            want = before & ~(MSTATUS_SIE | MSTATUS_SPIE);
            want |= (ie & 2 ? MSTATUS_SPIE : 0) | (modes[m] == PRIV_S ? MSTATUS_SPP : 0);
            CHECK_EQ(want, h->mstatus);
            CHECK(!h->reserved);
            fake_hart_free(h);
        }
    }
}

static void all_pending(hart_t *h)
{
    hart_set_irq(h, IRQ_MEIP, true);
    hart_set_irq(h, IRQ_MSIP, true);
    hart_set_irq(h, IRQ_SEIP, true);
    hart_set_mtimecmp(h, 0);
    h->mip = IRQ_BIT(IRQ_SSIP) | IRQ_BIT(IRQ_STIP);
    CHECK_EQ(ALL_IRQS, trap_pending(h));
}

/* Everything pending, enabled one fewer each time. */
TEST(priority)
{
    static const uint8_t order[] = {IRQ_MEIP, IRQ_MSIP, IRQ_MTIP, IRQ_SEIP, IRQ_SSIP, IRQ_STIP};
    hart_t *h = prepared(PRIV_U);
    all_pending(h);
    h->mie = ALL_IRQS;
    for (size_t i = 0; i < ARRAY_LEN(order); i++) {
        fake_mode(h, PRIV_U);
        CHECK(trap_take_interrupt(h));
        CHECK_EQ(IRQ_CAUSE(order[i]), h->mcause);
        CHECK_EQ(PRIV_M, h->priv);
        h->mie &= ~IRQ_BIT(order[i]);
    }
    fake_mode(h, PRIV_U);
    CHECK(!trap_take_interrupt(h));
    /* Delegated: S-level ones come after every M-level one, in the same order. */
    h->mideleg = 0x222;
    h->mie = ALL_IRQS;
    for (size_t i = 0; i < ARRAY_LEN(order); i++) {
        fake_mode(h, PRIV_U);
        CHECK(trap_take_interrupt(h));
        CHECK_EQ(i < 3 ? PRIV_M : PRIV_S, h->priv);
        CHECK_EQ(IRQ_CAUSE(order[i]), i < 3 ? h->mcause : h->scause);
        h->mie &= ~IRQ_BIT(order[i]);
    }
    /* An SEI kept by M goes before an SSI that was delegated, and an STI kept too. */
    h->mideleg = IRQ_BIT(IRQ_SSIP) | IRQ_BIT(IRQ_SEIP);
    h->mie = IRQ_BIT(IRQ_SSIP) | IRQ_BIT(IRQ_SEIP) | IRQ_BIT(IRQ_STIP);
    fake_mode(h, PRIV_U);
    CHECK(trap_take_interrupt(h));
    CHECK_EQ(IRQ_CAUSE(IRQ_STIP), h->mcause);
    CHECK_EQ(PRIV_M, h->priv);
    fake_hart_free(h);
}

/* Modes, global enables and delegation: 3.1.9. */
TEST(who_is_interrupted)
{
    for (size_t m = 0; m < ARRAY_LEN(modes); m++) {
        for (uint32_t i = 0; i < 8; i++) {
            hart_t *h = prepared(modes[m]);
            bool mie = i & 1, sie = i & 2, delegated = i & 4;
            h->mstatus = (mie ? MSTATUS_MIE : 0) | (sie ? MSTATUS_SIE : 0);
            h->mideleg = delegated ? IRQ_BIT(IRQ_SEIP) : 0;
            h->mie = IRQ_BIT(IRQ_SEIP);
            CHECK(!trap_take_interrupt(h)); /* not pending */
            hart_set_irq(h, IRQ_SEIP, true);
            bool want = modes[m] == PRIV_U || (modes[m] == PRIV_S && (!delegated || sie)) ||
                        (modes[m] == PRIV_M && !delegated && mie);
            h->reserved = true;
            CHECK_EQ(want, trap_take_interrupt(h));
            CHECK_EQ(!want, h->reserved);
            CHECK_EQ(!want ? modes[m] : delegated ? PRIV_S : PRIV_M, h->priv);
            CHECK_EQ(!want ? PC : delegated ? 0x80002000 : 0x80001000, h->pc);
            CHECK_EQ(want ? PC : 0, h->mepc | h->sepc);
            fake_hart_free(h);
        }
    }
}

TEST(vectors)
{
    static const uint8_t irqs[] = {IRQ_SSIP, IRQ_MSIP, IRQ_STIP, IRQ_MTIP, IRQ_SEIP, IRQ_MEIP};
    for (size_t i = 0; i < ARRAY_LEN(irqs); i++) {
        hart_t *h = prepared(PRIV_U);
        all_pending(h);
        h->mie = IRQ_BIT(irqs[i]);
        h->mtvec |= 1;
        h->mtval = 5;
        CHECK(trap_take_interrupt(h));
        CHECK_EQ(0x80001000 + 4 * irqs[i], h->pc);
        CHECK_EQ(0, h->mtval);
        if (IRQ_BIT(irqs[i]) & 0x222) {
            fake_mode(h, PRIV_U);
            h->mideleg = 0x222;
            h->stvec |= 1;
            CHECK(trap_take_interrupt(h));
            CHECK_EQ(0x80002000 + 4 * irqs[i], h->pc);
        }
        fake_hart_free(h);
    }
}

/* The clock costs something: nobody asks it for nothing, and mip is exact all the same. */
TEST(timers)
{
    hart_t *h = prepared(PRIV_U);
    h->mie = IRQ_BIT(IRQ_SEIP) | IRQ_BIT(IRQ_MSIP);
    hart_set_mtimecmp(h, 50);
    fake_now = 60;
    fake_time_calls = 0;
    CHECK(!trap_take_interrupt(h));
    h->mie |= IRQ_BIT(IRQ_STIP); /* a software bit without Sstc */
    CHECK(!trap_take_interrupt(h));
    CHECK_EQ(0, fake_time_calls);
    CHECK_EQ(IRQ_BIT(IRQ_MTIP), trap_pending(h));
    h->menvcfg = MENVCFG_STCE;
    h->stimecmp = 61;
    CHECK(!trap_take_interrupt(h));
    fake_now = 61;
    CHECK_EQ(IRQ_BIT(IRQ_MTIP) | IRQ_BIT(IRQ_STIP), trap_pending(h));
    CHECK(trap_take_interrupt(h));
    CHECK_EQ(IRQ_CAUSE(IRQ_STIP), h->mcause);
    fake_mode(h, PRIV_U);
    h->mie = IRQ_BIT(IRQ_MTIP);
    fake_now = 49;
    CHECK(!trap_take_interrupt(h));
    fake_now = 50;
    CHECK(trap_take_interrupt(h));
    CHECK_EQ(IRQ_CAUSE(IRQ_MTIP), h->mcause);
    /* Interrupts that the mode keeps out need no clock either. */
    fake_time_calls = 0;
    CHECK(!trap_take_interrupt(h)); /* M, MIE off */
    CHECK_EQ(0, fake_time_calls);
    fake_hart_free(h);
}

TEST(mret)
{
    static const uint8_t legal[] = {PRIV_U, PRIV_S, PRIV_M};
    for (size_t m = 0; m < ARRAY_LEN(legal); m++) {
        for (unsigned pie = 0; pie < 2; pie++) {
            hart_t *h = prepared(PRIV_M);
            insn_t insn = {.pc = PC, .len = 4};
            h->mstatus = (uint32_t)legal[m] << MSTATUS_MPP_SHIFT | MSTATUS_MPRV | MSTATUS_SUM |
                         (pie ? MSTATUS_MPIE : MSTATUS_MIE);
            h->mepc = 0x80000abc;
            CHECK(trap_mret(h, &insn));
            CHECK_EQ(legal[m], h->priv);
            CHECK_EQ(0x80000abc, h->next_pc);
            CHECK_EQ(MSTATUS_MPIE | (pie ? MSTATUS_MIE : 0) | MSTATUS_SUM |
                         (legal[m] == PRIV_M ? MSTATUS_MPRV : 0),
                     h->mstatus);
            fake_hart_free(h);
        }
    }
}

TEST(sret)
{
    for (unsigned from = PRIV_S; from <= PRIV_M; from += 2) {
        for (unsigned i = 0; i < 4; i++) {
            hart_t *h = prepared(from);
            insn_t insn = {.pc = PC, .len = 4};
            h->mstatus = (i & 1 ? MSTATUS_SPIE : MSTATUS_SIE) | (i & 2 ? MSTATUS_SPP : 0) |
                         MSTATUS_MPRV | MSTATUS_MPP | (from == PRIV_M ? MSTATUS_TSR : 0);
            uint32_t tsr = h->mstatus & MSTATUS_TSR;
            h->sepc = 0x80000def & ~1u;
            CHECK(trap_sret(h, &insn));
            CHECK_EQ(i & 2 ? PRIV_S : PRIV_U, h->priv);
            CHECK_EQ(0x80000dee, h->next_pc);
            CHECK_EQ(MSTATUS_SPIE | (i & 1 ? MSTATUS_SIE : 0) | MSTATUS_MPP | tsr, h->mstatus);
            fake_hart_free(h);
        }
    }
}

static void refused(unsigned priv, uint32_t status, uint32_t word)
{
    hart_t *h = prepared(priv);
    insn_t insn = {.pc = PC, .len = 4};
    util_put_le32(fake_ram + (PC - FAKE_RAM_BASE), word);
    h->mstatus = status;
    h->trap_cause = 99;
    CHECK(!(word == MRET ? trap_mret(h, &insn) : trap_sret(h, &insn)));
    CHECK_EQ(EXC_ILLEGAL_INSN, h->trap_cause);
    CHECK_EQ(word, h->trap_tval);
    CHECK_EQ(status, h->mstatus);
    CHECK_EQ(priv, h->priv);
    fake_hart_free(h);
}

TEST(returns_refused)
{
    refused(PRIV_U, 0, MRET);
    refused(PRIV_S, 0, MRET);
    refused(PRIV_U, 0, SRET);
    refused(PRIV_S, MSTATUS_TSR, SRET);
}

/* Into a handler and back leaves things as they were. */
TEST(round_trip)
{
    hart_t *h = prepared(PRIV_S);
    insn_t insn = {.pc = PC, .len = 4};
    h->mstatus = MSTATUS_SIE | MSTATUS_MIE | MSTATUS_MPIE | MSTATUS_SPIE;
    h->mideleg = IRQ_BIT(IRQ_SSIP);
    h->mie = h->mip = IRQ_BIT(IRQ_SSIP);
    CHECK(trap_take_interrupt(h));
    CHECK(!trap_take_interrupt(h)); /* SIE is off in the handler */
    trap_take_exception(h, EXC_LOAD_ACCESS, 0, h->pc);
    CHECK_EQ(PRIV_M, h->priv);
    CHECK_EQ(0x80002000, h->mepc);
    CHECK(trap_mret(h, &insn));
    CHECK_EQ(PRIV_S, h->priv);
    CHECK(trap_sret(h, &insn));
    CHECK_EQ(PRIV_S, h->priv);
    CHECK_EQ(PC, h->next_pc);
    CHECK_EQ(MSTATUS_SIE | MSTATUS_MIE | MSTATUS_MPIE | MSTATUS_SPIE, h->mstatus);
    fake_hart_free(h);
}

int main(void)
{
    RUN(exceptions);
    RUN(stacking);
    RUN(priority);
    RUN(who_is_interrupted);
    RUN(vectors);
    RUN(timers);
    RUN(mret);
    RUN(sret);
    RUN(returns_refused);
    RUN(round_trip);
    return tap_finish();
}
