/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Traps: who gets them (delegation), entering a handler, and coming back from it.
 */
#include "state.h"

#define CAUSE_INTERRUPT (1u << 31)
#define TVEC_VECTORED 1u
#define IRQ_BIT(irq) (1u << (irq))

/* ---- entry (privileged 3.1.6.1, 3.1.7, 10.1.2) ---- */

static uint32_t trap_vector(uint32_t tvec, uint32_t cause)
{
    bool vectored = (cause & CAUSE_INTERRUPT) && (tvec & TVEC_VECTORED);
    return (tvec & ~3u) + (vectored ? 4 * (cause & ~CAUSE_INTERRUPT) : 0);
}

static void trap_enter_m(hart_t *hart, uint32_t cause, uint32_t tval, uint32_t pc)
{
    uint32_t status = hart->mstatus & ~(MSTATUS_MPIE | MSTATUS_MIE | MSTATUS_MPP);
    status |= hart->mstatus & MSTATUS_MIE ? MSTATUS_MPIE : 0;
    status |= (uint32_t)hart->priv << MSTATUS_MPP_SHIFT;
    hart->mstatus = status;
    hart->mcause = cause;
    hart->mepc = pc & ~1u;
    hart->mtval = tval;
    hart->priv = PRIV_M;
    hart->pc = trap_vector(hart->mtvec, cause);
}

static void trap_enter_s(hart_t *hart, uint32_t cause, uint32_t tval, uint32_t pc)
{
    uint32_t status = hart->mstatus & ~(MSTATUS_SPIE | MSTATUS_SIE | MSTATUS_SPP);
    status |= hart->mstatus & MSTATUS_SIE ? MSTATUS_SPIE : 0;
    status |= hart->priv == PRIV_S ? MSTATUS_SPP : 0;
    hart->mstatus = status;
    hart->scause = cause;
    hart->sepc = pc & ~1u;
    hart->stval = tval;
    hart->priv = PRIV_S;
    hart->pc = trap_vector(hart->stvec, cause);
}

static void trap_enter(hart_t *hart, bool to_s, uint32_t cause, uint32_t tval, uint32_t pc)
{
    if (to_s) {
        trap_enter_s(hart, cause, tval, pc);
    } else {
        trap_enter_m(hart, cause, tval, pc);
    }
    hart->reserved = false;
    mmu_update_context(hart);
}

void trap_take_exception(hart_t *hart, uint32_t cause, uint32_t tval, uint32_t pc)
{
    bool to_s = hart->priv <= PRIV_S && (hart->medeleg >> cause & 1);
    trap_enter(hart, to_s, cause, tval, pc);
}

/* ---- interrupts (3.1.9) ---- */

/* mip; the clock is only asked for when one of the wanted bits needs it, others may be missing
 * then. */
static uint32_t trap_pending_of(hart_t *hart, uint32_t wanted)
{
    bool sstc = hart->menvcfg & MENVCFG_STCE;
    uint32_t pending = __atomic_load_n(&hart->irq_lines, __ATOMIC_ACQUIRE) | hart->mip;
    bool machine_timer = wanted & IRQ_BIT(IRQ_MTIP);
    bool supervisor_timer = sstc && (wanted & IRQ_BIT(IRQ_STIP));
    if (machine_timer || supervisor_timer) {
        uint64_t now = hart->bus->time(hart->bus->opaque);
        if (now >= __atomic_load_n(&hart->mtimecmp, __ATOMIC_RELAXED)) {
            pending |= IRQ_BIT(IRQ_MTIP);
        }
        if (sstc && now >= hart->stimecmp) {
            pending |= IRQ_BIT(IRQ_STIP);
        }
    }
    return pending;
}

uint32_t trap_pending(hart_t *hart)
{
    return trap_pending_of(hart, UINT32_MAX);
}

bool trap_take_interrupt(hart_t *hart)
{
    static const uint8_t priority[] = {IRQ_MEIP, IRQ_MSIP, IRQ_MTIP, IRQ_SEIP, IRQ_SSIP, IRQ_STIP};
    uint32_t open = 0; /* the bits that this mode can be interrupted by */
    if (hart->priv < PRIV_M || (hart->mstatus & MSTATUS_MIE)) {
        open |= ~hart->mideleg;
    }
    if (hart->priv < PRIV_S || (hart->priv == PRIV_S && (hart->mstatus & MSTATUS_SIE))) {
        open |= hart->mideleg;
    }
    open &= hart->mie;
    if (!open) {
        return false;
    }
    uint32_t ready = trap_pending_of(hart, open) & open;
    /* Those for M go first; within a level, by priority. */
    uint32_t level = ready & ~hart->mideleg ? ready & ~hart->mideleg : ready;
    for (size_t i = 0; i < ARRAY_LEN(priority); i++) {
        if (level >> priority[i] & 1) {
            bool to_s = hart->mideleg >> priority[i] & 1;
            trap_enter(hart, to_s, CAUSE_INTERRUPT | priority[i], 0, hart->pc);
            return true;
        }
    }
    return false;
}

/* ---- return (3.3.2) ---- */

bool trap_mret(hart_t *hart, const insn_t *insn)
{
    if (hart->priv != PRIV_M) {
        return hart_raise_illegal(hart, insn);
    }
    uint32_t old = hart->mstatus;
    uint32_t status = (old & ~(MSTATUS_MIE | MSTATUS_MPP)) | MSTATUS_MPIE;
    status |= old & MSTATUS_MPIE ? MSTATUS_MIE : 0;
    hart->priv = (old & MSTATUS_MPP) >> MSTATUS_MPP_SHIFT;
    hart->mstatus = hart->priv == PRIV_M ? status : status & ~MSTATUS_MPRV;
    hart->next_pc = hart->mepc;
    mmu_update_context(hart);
    return true;
}

bool trap_sret(hart_t *hart, const insn_t *insn)
{
    uint32_t old = hart->mstatus;
    if (hart->priv == PRIV_U || (hart->priv == PRIV_S && (old & MSTATUS_TSR))) {
        return hart_raise_illegal(hart, insn);
    }
    uint32_t status = (old & ~(MSTATUS_SIE | MSTATUS_SPP | MSTATUS_MPRV)) | MSTATUS_SPIE;
    status |= old & MSTATUS_SPIE ? MSTATUS_SIE : 0;
    hart->priv = old & MSTATUS_SPP ? PRIV_S : PRIV_U;
    hart->mstatus = status;
    hart->next_pc = hart->sepc;
    mmu_update_context(hart);
    return true;
}
