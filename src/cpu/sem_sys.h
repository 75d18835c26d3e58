/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The meaning of CLS_SYS: Zicsr, Zifencei, environment calls, the privileged instructions, Svinval.
 *
 * bool sem_X(hart, insn): false when a trap was raised; otherwise control goes on at hart->next_pc,
 * which is preset to the following instruction.
 */
#ifndef RVKIT_CPU_SEM_SYS_H
#define RVKIT_CPU_SEM_SYS_H

#include "block.h"
#include "state.h"

static inline bool csr_insn(hart_t *h, const insn_t *i, csr_op_t op, uint32_t operand, bool do_write)
{
    uint32_t old = 0;
    bool do_read = op != CSR_WRITE || i->rd != REG_SINK;
    if (!csr_access(h, i, i->imm, op, operand, do_read, do_write, &old)) {
        return hart_raise_illegal(h, i);
    }
    h->x[i->rd] = old;
    return true;
}

static inline bool sem_csrrw(hart_t *h, const insn_t *i)
{
    return csr_insn(h, i, CSR_WRITE, h->x[i->rs1], true);
}

static inline bool sem_csrrs(hart_t *h, const insn_t *i)
{
    return csr_insn(h, i, CSR_SET, h->x[i->rs1], i->rs1 != 0);
}

static inline bool sem_csrrc(hart_t *h, const insn_t *i)
{
    return csr_insn(h, i, CSR_CLEAR, h->x[i->rs1], i->rs1 != 0);
}

static inline bool sem_csrrwi(hart_t *h, const insn_t *i)
{
    return csr_insn(h, i, CSR_WRITE, i->rs1, true);
}

static inline bool sem_csrrsi(hart_t *h, const insn_t *i)
{
    return csr_insn(h, i, CSR_SET, i->rs1, i->rs1 != 0);
}

static inline bool sem_csrrci(hart_t *h, const insn_t *i)
{
    return csr_insn(h, i, CSR_CLEAR, i->rs1, i->rs1 != 0);
}

static inline bool sem_ecall(hart_t *h, const insn_t *i)
{
    (void)i;
    if (h->priv == PRIV_S && h->bus->sbi_call) {
        h->pc = h->next_pc;
        h->bus->sbi_call(h->bus->opaque, h);
        h->next_pc = h->pc;
        return true;
    }
    return hart_raise(h, EXC_ECALL_U + h->priv, 0);
}

static inline bool sem_ebreak(hart_t *h, const insn_t *i)
{
    return hart_raise(h, EXC_BREAKPOINT, i->pc);
}

static inline bool sem_fence_i(hart_t *h, const insn_t *i)
{
    (void)i;
    block_fence_i(h);
    return true;
}

static inline bool sem_mret(hart_t *h, const insn_t *i)
{
    return trap_mret(h, i);
}

static inline bool sem_sret(hart_t *h, const insn_t *i)
{
    return trap_sret(h, i);
}

/* WFI below M: illegal in S when TW, always in U (privileged 3.3.3). */
static inline bool sem_wfi(hart_t *h, const insn_t *i)
{
    if (h->priv == PRIV_U || (h->priv == PRIV_S && (h->mstatus & MSTATUS_TW))) {
        return hart_raise_illegal(h, i);
    }
    h->waiting = true;
    return true;
}

static inline bool sem_sfence_vma(hart_t *h, const insn_t *i)
{
    if (h->priv == PRIV_U || (h->priv == PRIV_S && (h->mstatus & MSTATUS_TVM))) {
        return hart_raise_illegal(h, i);
    }
    if (i->rs1 == 0) {
        mmu_flush_all(h);
    } else {
        mmu_flush_page(h, h->x[i->rs1]);
    }
    return true;
}

static inline bool sem_sinval_vma(hart_t *h, const insn_t *i)
{
    return sem_sfence_vma(h, i);
}

static inline bool sem_sfence_w_inval(hart_t *h, const insn_t *i)
{
    return h->priv == PRIV_U ? hart_raise_illegal(h, i) : true;
}

static inline bool sem_sfence_inval_ir(hart_t *h, const insn_t *i)
{
    return h->priv == PRIV_U ? hart_raise_illegal(h, i) : true;
}

#endif
