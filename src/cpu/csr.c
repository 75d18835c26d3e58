/* SPDX-License-Identifier: MPL-2.0 */
/*
 * CSR access: the table of csr.def, rights, and the registers that are more than a word with a
 * mask. WARL fields given a value they cannot hold keep the old one, unless said otherwise.
 */
#include "csr_row.h"

#include <stddef.h>

#define IRQ_BIT(irq) (1u << (irq))
#define SUPERVISOR_IRQS (IRQ_BIT(IRQ_SSIP) | IRQ_BIT(IRQ_STIP) | IRQ_BIT(IRQ_SEIP))
#define MACHINE_IRQS (IRQ_BIT(IRQ_MSIP) | IRQ_BIT(IRQ_MTIP) | IRQ_BIT(IRQ_MEIP))

#define CSR_MIDELEG_MASK SUPERVISOR_IRQS
#define MIE_MASK (SUPERVISOR_IRQS | MACHINE_IRQS)
#define CSR_MSECCFG_MASK (MSECCFG_USEED | MSECCFG_SSEED)
/* Every exception of state.h but ECALL from M: that one never comes from a mode below M. */
#define CSR_MEDELEG_MASK                                                                           \
    (1u << EXC_INSN_MISALIGNED | 1u << EXC_INSN_ACCESS | 1u << EXC_ILLEGAL_INSN |                  \
     1u << EXC_BREAKPOINT | 1u << EXC_LOAD_MISALIGNED | 1u << EXC_LOAD_ACCESS |                    \
     1u << EXC_STORE_MISALIGNED | 1u << EXC_STORE_ACCESS | 1u << EXC_ECALL_U | 1u << EXC_ECALL_S | \
     1u << EXC_INSN_PAGE_FAULT | 1u << EXC_LOAD_PAGE_FAULT | 1u << EXC_STORE_PAGE_FAULT)

#define MSTATUS_FS_SHIFT 13
/* What the member mstatus holds; FS is in fs, and SD follows from it. */
#define MSTATUS_HELD                                                                               \
    (MSTATUS_SIE | MSTATUS_MIE | MSTATUS_SPIE | MSTATUS_MPIE | MSTATUS_SPP | MSTATUS_MPP |         \
     MSTATUS_MPRV | MSTATUS_SUM | MSTATUS_MXR | MSTATUS_TVM | MSTATUS_TW | MSTATUS_TSR)
/* What the effective data mode depends on. */
#define MSTATUS_DATA_MODE (MSTATUS_MPP | MSTATUS_MPRV | MSTATUS_SUM | MSTATUS_MXR)
#define SSTATUS_WRITABLE                                                                           \
    (MSTATUS_SIE | MSTATUS_SPIE | MSTATUS_SPP | MSTATUS_FS | MSTATUS_SUM | MSTATUS_MXR)

#define MISA_EXT(letter) (1u << ((letter) - 'A'))
#define MISA_RV32 (1u << 30)

#define FS_DIRTY 3
#define FFLAGS_MASK 0x1fu
#define FRM_MASK 7u
#define FRM_SHIFT 5

#define TINFO_NONE 1u

/* ---- generic rows ---- */

static bool csr_check_any(const hart_t *hart, const csr_row_t *row, bool do_write)
{
    (void)hart;
    (void)row;
    (void)do_write;
    return true;
}

static uint32_t csr_read_zero(hart_t *hart, const csr_row_t *row, const insn_t *insn)
{
    (void)hart;
    (void)row;
    (void)insn;
    return 0;
}

static void csr_write_ignored(hart_t *hart, const csr_row_t *row, const csr_write_t *w)
{
    (void)hart;
    (void)row;
    (void)w;
}

static uint32_t *csr_member(hart_t *hart, const csr_row_t *row)
{
    return (uint32_t *)(void *)((uint8_t *)hart + row->offset);
}

static uint32_t csr_read_reg(hart_t *hart, const csr_row_t *row, const insn_t *insn)
{
    (void)insn;
    return *csr_member(hart, row);
}

static void csr_write_reg(hart_t *hart, const csr_row_t *row, const csr_write_t *w)
{
    *csr_member(hart, row) = w->value & row->mask;
}

/* ---- floating point (F 20.2) ---- */

static bool csr_check_fs(const hart_t *hart, const csr_row_t *row, bool do_write)
{
    (void)row;
    (void)do_write;
    return hart->fs != 0;
}

static uint32_t csr_read_fflags(hart_t *hart, const csr_row_t *row, const insn_t *insn)
{
    (void)row;
    (void)insn;
    return hart->fflags;
}

static void csr_write_fflags(hart_t *hart, const csr_row_t *row, const csr_write_t *w)
{
    (void)row;
    hart->fflags = w->value & FFLAGS_MASK;
    hart->fs = FS_DIRTY;
}

static uint32_t csr_read_frm(hart_t *hart, const csr_row_t *row, const insn_t *insn)
{
    (void)row;
    (void)insn;
    return hart->frm;
}

/* Reserved rounding modes can be held; instructions that use them are illegal. */
static void csr_write_frm(hart_t *hart, const csr_row_t *row, const csr_write_t *w)
{
    (void)row;
    hart->frm = w->value & FRM_MASK;
    hart->fs = FS_DIRTY;
}

static uint32_t csr_read_fcsr(hart_t *hart, const csr_row_t *row, const insn_t *insn)
{
    (void)row;
    (void)insn;
    return (uint32_t)hart->frm << FRM_SHIFT | hart->fflags;
}

static void csr_write_fcsr(hart_t *hart, const csr_row_t *row, const csr_write_t *w)
{
    (void)row;
    hart->fflags = w->value & FFLAGS_MASK;
    hart->frm = w->value >> FRM_SHIFT & FRM_MASK;
    hart->fs = FS_DIRTY;
}

/* ---- status (privileged 3.1.6, 10.1.1) ---- */

uint32_t csr_mstatus(const hart_t *hart)
{
    return hart->mstatus | (uint32_t)hart->fs << MSTATUS_FS_SHIFT |
           (hart->fs == FS_DIRTY ? MSTATUS_SD : 0);
}

void csr_set_mstatus(hart_t *hart, uint32_t value)
{
    uint32_t old = hart->mstatus;
    if ((value & MSTATUS_MPP) >> MSTATUS_MPP_SHIFT == 2) { /* no such mode */
        value = (value & ~MSTATUS_MPP) | (old & MSTATUS_MPP);
    }
    hart->mstatus = value & MSTATUS_HELD;
    hart->fs = (value & MSTATUS_FS) >> MSTATUS_FS_SHIFT;
    if ((hart->mstatus ^ old) & MSTATUS_DATA_MODE) {
        mmu_update_context(hart);
    }
}

static uint32_t csr_read_mstatus(hart_t *hart, const csr_row_t *row, const insn_t *insn)
{
    (void)row;
    (void)insn;
    return csr_mstatus(hart);
}

static void csr_write_mstatus(hart_t *hart, const csr_row_t *row, const csr_write_t *w)
{
    (void)row;
    csr_set_mstatus(hart, w->value);
}

static uint32_t csr_read_sstatus(hart_t *hart, const csr_row_t *row, const insn_t *insn)
{
    (void)row;
    (void)insn;
    return csr_mstatus(hart) & (SSTATUS_WRITABLE | MSTATUS_SD);
}

static void csr_write_sstatus(hart_t *hart, const csr_row_t *row, const csr_write_t *w)
{
    (void)row;
    csr_set_mstatus(hart, (csr_mstatus(hart) & ~SSTATUS_WRITABLE) | (w->value & SSTATUS_WRITABLE));
}

static uint32_t csr_read_misa(hart_t *hart, const csr_row_t *row, const insn_t *insn)
{
    (void)hart;
    (void)row;
    (void)insn;
    return MISA_RV32 | MISA_EXT('I') | MISA_EXT('M') | MISA_EXT('A') | MISA_EXT('F') |
           MISA_EXT('D') | MISA_EXT('C') | MISA_EXT('S') | MISA_EXT('U');
}

static uint32_t csr_read_tinfo(hart_t *hart, const csr_row_t *row, const insn_t *insn)
{
    (void)hart;
    (void)row;
    (void)insn;
    return TINFO_NONE;
}

/* ---- traps ---- */

/* Direct and vectored; a write with a reserved mode changes nothing. */
static void csr_write_tvec(hart_t *hart, const csr_row_t *row, const csr_write_t *w)
{
    if (!(w->value & 2)) {
        *csr_member(hart, row) = w->value;
    }
}

static void csr_set_mie(hart_t *hart, uint32_t value)
{
    hart->mie = value;
    csr_timers_changed(hart);
}

static void csr_write_mie(hart_t *hart, const csr_row_t *row, const csr_write_t *w)
{
    (void)row;
    csr_set_mie(hart, w->value & MIE_MASK);
}

static uint32_t csr_read_sie(hart_t *hart, const csr_row_t *row, const insn_t *insn)
{
    (void)row;
    (void)insn;
    return hart->mie & hart->mideleg;
}

static void csr_write_sie(hart_t *hart, const csr_row_t *row, const csr_write_t *w)
{
    (void)row;
    csr_set_mie(hart, (hart->mie & ~hart->mideleg) | (w->value & hart->mideleg));
}

/*
 * Changes software's bits of mip. Only the bits that an instruction names: another hart may be
 * raising SSIP through irq_lines at this moment, and a line says nothing about software's SEIP
 * (3.1.9).
 */
static void csr_change_mip(hart_t *hart, uint32_t writable, const csr_write_t *w)
{
    hart->mip = (hart->mip & ~(w->clear & writable)) | (w->set & writable);
    if (w->clear & writable & IRQ_BIT(IRQ_SSIP)) {
        __atomic_fetch_and(&hart->irq_lines, ~IRQ_BIT(IRQ_SSIP), __ATOMIC_SEQ_CST);
    }
}

static uint32_t csr_read_mip(hart_t *hart, const csr_row_t *row, const insn_t *insn)
{
    (void)row;
    (void)insn;
    return trap_pending(hart);
}

/* With Sstc on, STIP belongs to stimecmp. */
static void csr_write_mip(hart_t *hart, const csr_row_t *row, const csr_write_t *w)
{
    (void)row;
    uint32_t fixed = hart->menvcfg & MENVCFG_STCE ? IRQ_BIT(IRQ_STIP) : 0;
    csr_change_mip(hart, SUPERVISOR_IRQS & ~fixed, w);
}

static uint32_t csr_read_sip(hart_t *hart, const csr_row_t *row, const insn_t *insn)
{
    (void)row;
    (void)insn;
    return trap_pending(hart) & hart->mideleg;
}

static void csr_write_sip(hart_t *hart, const csr_row_t *row, const csr_write_t *w)
{
    (void)row;
    csr_change_mip(hart, IRQ_BIT(IRQ_SSIP) & hart->mideleg, w);
}

/* ---- environment configuration (3.1.18, 10.1.10) ---- */

/* CBIE 2 is reserved. */
static uint32_t csr_envcfg_low(uint32_t old, uint32_t value)
{
    uint32_t mask = (uint32_t)(ENVCFG_FIOM | ENVCFG_CBIE | ENVCFG_CBCFE | ENVCFG_CBZE);
    uint32_t cbie = (uint32_t)ENVCFG_CBIE;
    if ((value & cbie) == 2u << 4) {
        value = (value & ~cbie) | (old & cbie);
    }
    return value & mask;
}

static uint32_t csr_read_menvcfg(hart_t *hart, const csr_row_t *row, const insn_t *insn)
{
    (void)insn;
    return csr_half_get(hart->menvcfg, row->number == CSR_menvcfgh);
}

static void csr_write_menvcfg(hart_t *hart, const csr_row_t *row, const csr_write_t *w)
{
    bool high = row->number == CSR_menvcfgh;
    uint32_t value = high ? w->value & (uint32_t)((MENVCFG_ADUE | MENVCFG_STCE) >> 32)
                          : csr_envcfg_low((uint32_t)hart->menvcfg, w->value);
    hart->menvcfg = csr_half_set(hart->menvcfg, high, value);
    if (hart->menvcfg & MENVCFG_STCE) {
        hart->mip &= ~IRQ_BIT(IRQ_STIP); /* software's bit gives way to stimecmp */
    }
    csr_timers_changed(hart);
}

static void csr_write_senvcfg(hart_t *hart, const csr_row_t *row, const csr_write_t *w)
{
    (void)row;
    hart->senvcfg = csr_envcfg_low(hart->senvcfg, w->value);
}

/* ---- address translation and protection ---- */

static bool csr_check_satp(const hart_t *hart, const csr_row_t *row, bool do_write)
{
    (void)row;
    (void)do_write;
    return hart->priv == PRIV_M || !(hart->mstatus & MSTATUS_TVM);
}

static void csr_write_satp(hart_t *hart, const csr_row_t *row, const csr_write_t *w)
{
    (void)row;
    hart->satp = w->value; /* every bit is implemented */
    mmu_update_context(hart);
}

static uint32_t csr_read_pmpcfg(hart_t *hart, const csr_row_t *row, const insn_t *insn)
{
    (void)insn;
    return pmp_read_cfg(hart, row->number - CSR_pmpcfg0);
}

static void csr_write_pmpcfg(hart_t *hart, const csr_row_t *row, const csr_write_t *w)
{
    pmp_write_cfg(hart, row->number - CSR_pmpcfg0, w->value);
}

static uint32_t csr_read_pmpaddr(hart_t *hart, const csr_row_t *row, const insn_t *insn)
{
    (void)insn;
    return pmp_read_addr(hart, row->number - CSR_pmpaddr0);
}

static void csr_write_pmpaddr(hart_t *hart, const csr_row_t *row, const csr_write_t *w)
{
    pmp_write_addr(hart, row->number - CSR_pmpaddr0, w->value);
}

/* ---- the table ---- */

static const csr_row_t csr_rows[] = {
#define CSR(number, name, read, write, check, offset, mask)                                        \
    {#name, number, offset, mask, csr_read_##read, csr_write_##write, csr_check_##check},
#include "csr.def"
#undef CSR
};

enum {
#define CSR(number, name, read, write, check, offset, mask) CSR_ROW_##name,
#include "csr.def"
#undef CSR
};

/* By number: the row plus one, 0 where there is none. */
static const uint16_t csr_index[0x1000] = {
#define CSR(number, name, read, write, check, offset, mask) [number] = CSR_ROW_##name + 1,
#include "csr.def"
#undef CSR
};

static const csr_row_t *csr_find(uint32_t number)
{
    unsigned index = number < ARRAY_LEN(csr_index) ? csr_index[number] : 0;
    return index ? &csr_rows[index - 1] : NULL;
}

const char *csr_name(uint32_t number)
{
    const csr_row_t *row = csr_find(number);
    return row ? row->name : NULL;
}

bool csr_access(hart_t *hart, const insn_t *insn, uint32_t number, csr_op_t op, uint32_t operand,
                bool do_read, bool do_write, uint32_t *old)
{
    const csr_row_t *row = csr_find(number);
    if (!row || hart->priv < util_bits(number, 9, 8) ||
        (do_write && util_bits(number, 11, 10) == 3) || !row->check(hart, row, do_write)) {
        return false;
    }
    uint32_t value = do_read || op != CSR_WRITE ? row->read(hart, row, insn) : 0;
    *old = value;
    if (do_write) {
        csr_write_t w = {.insn = insn};
        w.set = op == CSR_CLEAR ? 0 : operand;
        w.clear = op == CSR_SET ? 0 : op == CSR_CLEAR ? operand : ~operand;
        w.value = (value & ~w.clear) | w.set;
        row->write(hart, row, &w);
    }
    return true;
}

/*
 * Privileged 3.4, with zero for what it leaves open. The caller gives pc and mode and brings the
 * MMU up to date; lines from outside, mtimecmp and the entropy state are not the hart's to reset.
 */
void csr_reset(hart_t *hart)
{
    hart->priv = PRIV_M;
    hart->reserved = false;
    hart->mstatus = 0;
    hart->fs = 0;
    hart->frm = 0;
    hart->fflags = 0;
    hart->medeleg = hart->mideleg = hart->mie = hart->mip = 0;
    hart->mtvec = hart->mcounteren = hart->mscratch = 0;
    hart->mepc = hart->mcause = hart->mtval = 0;
    hart->menvcfg = 0;
    hart->mseccfg = hart->mcountinhibit = 0;
    hart->stvec = hart->scounteren = hart->sscratch = 0;
    hart->sepc = hart->scause = hart->stval = hart->senvcfg = hart->satp = 0;
    hart->stimecmp = UINT64_MAX;
    hart->cycle_offset = hart->instret_offset = 0;
    memset(hart->pmpcfg, 0, sizeof(hart->pmpcfg));
    memset(hart->pmpaddr, 0, sizeof(hart->pmpaddr));
    hart->pmp_active = false;
}
