/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The inside of a hart: shared by the files of src/cpu and nobody else.
 *
 * Everything here belongs to the hart's own thread, but for the members marked "any thread".
 */
#ifndef RVKIT_CPU_STATE_H
#define RVKIT_CPU_STATE_H

#include "decode.h"
#include "hart.h"

/* Exception causes, privileged specification 1.2, table 3.6. */
enum {
    EXC_INSN_MISALIGNED = 0,
    EXC_INSN_ACCESS = 1,
    EXC_ILLEGAL_INSN = 2,
    EXC_BREAKPOINT = 3,
    EXC_LOAD_MISALIGNED = 4,
    EXC_LOAD_ACCESS = 5,
    EXC_STORE_MISALIGNED = 6,
    EXC_STORE_ACCESS = 7,
    EXC_ECALL_U = 8,
    EXC_ECALL_S = 9,
    EXC_ECALL_M = 11,
    EXC_INSN_PAGE_FAULT = 12,
    EXC_LOAD_PAGE_FAULT = 13,
    EXC_STORE_PAGE_FAULT = 15,
};

/* mstatus fields. */
#define MSTATUS_SIE (1u << 1)
#define MSTATUS_MIE (1u << 3)
#define MSTATUS_SPIE (1u << 5)
#define MSTATUS_MPIE (1u << 7)
#define MSTATUS_SPP (1u << 8)
#define MSTATUS_MPP_SHIFT 11
#define MSTATUS_MPP (3u << MSTATUS_MPP_SHIFT)
#define MSTATUS_FS (3u << 13)
#define MSTATUS_MPRV (1u << 17)
#define MSTATUS_SUM (1u << 18)
#define MSTATUS_MXR (1u << 19)
#define MSTATUS_TVM (1u << 20)
#define MSTATUS_TW (1u << 21)
#define MSTATUS_TSR (1u << 22)
#define MSTATUS_SD (1u << 31)

/* menvcfg fields; the upper half is menvcfgh. */
#define ENVCFG_FIOM (UINT64_C(1) << 0)
#define ENVCFG_CBIE (UINT64_C(3) << 4)
#define ENVCFG_CBCFE (UINT64_C(1) << 6)
#define ENVCFG_CBZE (UINT64_C(1) << 7)
#define MENVCFG_ADUE (UINT64_C(1) << 61)
#define MENVCFG_STCE (UINT64_C(1) << 63)

/* mseccfg (Zkr): may U- and S-mode read the seed CSR? */
#define MSECCFG_USEED (1u << 8)
#define MSECCFG_SSEED (1u << 9)

#define SATP_MODE (1u << 31)
#define SATP_ASID_SHIFT 22
#define SATP_ASID (0x1ffu << SATP_ASID_SHIFT)
#define SATP_PPN 0x003fffffu

/* mcountinhibit */
#define COUNT_CY (1u << 0)
#define COUNT_IR (1u << 2)

#define PMP_COUNT 16
#define PMP_R 1u
#define PMP_W 2u
#define PMP_X 4u
#define PMP_A 0x18u
#define PMP_L 0x80u

/* What a memory access is for. */
typedef enum access { ACCESS_LOAD, ACCESS_STORE, ACCESS_EXEC } access_t;

/*
 * One TLB entry of the data side: direct mapped by virtual page number. A tag is the virtual page
 * (bits 31..12) with the ASID in bits 11..3 and zero below, so that one compare checks page, address
 * space, permission and natural alignment. An invalid tag names a page that maps to another entry.
 * host = addend + va.
 */
typedef struct tlb_entry {
    uint32_t load_tag, store_tag;
    uintptr_t addend;
} tlb_entry_t;

/* The instruction side: only looked at when control enters a page. */
typedef struct itlb_entry {
    uint32_t tag;
    uint32_t ram_page; /* page number from the start of RAM */
} itlb_entry_t;

#define TLB_BITS 9
#define TLB_SIZE (1u << TLB_BITS)
#define ITLB_BITS 7
#define ITLB_SIZE (1u << ITLB_BITS)

/* TLB sets: translations under different rights never meet. */
enum { TLB_U, TLB_S, TLB_S_SUM, TLB_M, TLB_SETS };

/* Requests from any thread, looked at between blocks. */
enum {
    REQUEST_KICK = 1,
    REQUEST_FLUSH_TLB = 2,
    REQUEST_FENCE_I = 4,
    REQUEST_PURGE_STORES = 8, /* forget store translations: some page has become code */
};

typedef struct block_cache block_cache_t;

/* Virtual pc -> decoded block, valid in one context (mode, address space, generation). */
typedef struct jump_entry {
    uint32_t pc, context;
    const insn_t *target;
} jump_entry_t;

#define JUMP_BITS 12
#define JUMP_SIZE (1u << JUMP_BITS)

struct hart {
    uint32_t x[REG_SINK + 1];
    uint32_t pc;             /* of the next instruction, valid outside blocks */
    int64_t budget;          /* instructions left in this slice; counted down at block ends */
    const tlb_entry_t *dtlb; /* the set of the present data mode */
    uint32_t dasid;          /* ASID << 3 of the present data mode, 0 when bare */
    uint32_t context;        /* what jump_entry_t must match */
    uint8_t fs;              /* mstatus.FS, 0..3 */
    uint8_t frm;             /* dynamic rounding mode, 0..7 */
    uint8_t priv;
    uint32_t fflags;         /* accrued exceptions, FPU_* */
    bool reserved;           /* an LR's reservation is held */
    uint32_t reserved_value;
    uint8_t *reserved_host;  /* host address of the reserved word */
    uint64_t f[32];

    jump_entry_t jump[JUMP_SIZE];
    itlb_entry_t itlb[TLB_SETS][ITLB_SIZE];
    tlb_entry_t tlb[TLB_SETS][TLB_SIZE];

    /* A trap that an instruction's meaning has raised: see hart_raise(). */
    uint32_t trap_cause, trap_tval;
    /* A CLS_SYS instruction says where control goes; preset to the next instruction. */
    uint32_t next_pc;
    bool waiting;        /* WFI */
    bool paused;         /* PAUSE: the present slice ends early */
    uint32_t poll_in;    /* slices until the timers are looked at again */
    bool code_written;   /* a slow store has changed decoded code: leave the block after it */
    uint32_t timer_irqs; /* MTIP and STIP as last seen by the run loop */
    size_t amo_offset;   /* with code_written after an AMO: the RAM offset of its word */

    const bus_t *bus;
    block_cache_t *blocks;
    uint32_t id;
    uint32_t generation; /* of translations; part of context */
    uint64_t jump_pages[64]; /* virtual pages (12 bits of their number) that jump[] has targets in */
    uint32_t megapages[32];  /* 4 MiB regions in which a megapage was translated */
    uint32_t translated_by; /* satp.MODE and MXR that the TLBs were filled under */

    /* Counting: retired is exact outside blocks; slice is what budget started from. */
    uint64_t retired;
    int64_t slice;

    /* CSRs, with the names of the privileged specification. */
    uint32_t mstatus; /* without FS and SD, which are made from fs */
    uint32_t medeleg, mideleg, mie, mip; /* mip: the software-writable bits only (SSIP, STIP, SEIP) */
    uint32_t mtvec, mcounteren, mscratch, mepc, mcause, mtval;
    uint64_t menvcfg;
    uint32_t mseccfg, mcountinhibit;
    uint32_t stvec, scounteren, sscratch, sepc, scause, stval, senvcfg, satp;
    uint64_t stimecmp;
    uint64_t cycle_offset, instret_offset;  /* counter = retired + offset; while inhibited, the value */
    uint32_t seed_state[4];
    uint8_t pmpcfg[PMP_COUNT];
    uint32_t pmpaddr[PMP_COUNT];
    bool pmp_active; /* some entry is on (A != OFF) */

    hart_trace_fn trace;
    void *trace_opaque;

    /* Any thread, atomically. */
    uint32_t irq_lines; /* levels from outside, bits IRQ_* */
    uint32_t requests;  /* REQUEST_* */
    bool parked;        /* not in hart_run(): holds nothing that a request would purge */
    uint64_t mtimecmp;
};

/* ---- raising (state.h) ---- */

/* For sem_*: notes the trap that the present instruction ends in; always false. */
static inline bool hart_raise(hart_t *hart, uint32_t cause, uint32_t tval)
{
    hart->trap_cause = cause;
    hart->trap_tval = tval;
    return false;
}

/* An illegal instruction trap, with the instruction's bits as tval (fetched again). Always false. */
bool hart_raise_illegal(hart_t *hart, const insn_t *insn);

/* ---- trap.c ---- */

/* Enters the handler for an exception at pc (cause without the interrupt bit): privileged 3.1.7, 3.1.8. */
void trap_take_exception(hart_t *hart, uint32_t cause, uint32_t tval, uint32_t pc);

/*
 * Looks at pending and enabled interrupts (priority MEI MSI MTI SEI SSI STI) and enters the handler of
 * the first with hart->pc as the interrupted pc. False when there is none to take.
 */
bool trap_take_interrupt(hart_t *hart);

/* mip as software reads it: external lines, timers against the bus's time, software bits. */
uint32_t trap_pending(hart_t *hart);

/* Semantics of xRET; pc goes to next_pc. False: illegal (already raised). */
bool trap_mret(hart_t *hart, const insn_t *insn);
bool trap_sret(hart_t *hart, const insn_t *insn);

/* ---- csr.c ---- */

typedef enum csr_op { CSR_WRITE, CSR_SET, CSR_CLEAR } csr_op_t;

/*
 * Reads CSR number into *old and, when do_write, applies op with operand. Rights of the present mode
 * (Zicsr 1.1; privileged 2.1), counter enables, TVM, Sstc and Zkr rules are checked. False: nothing
 * changed, the instruction is illegal (not raised here). insn is the instruction (for exact counts) or
 * NULL outside blocks.
 */
bool csr_access(hart_t *hart, const insn_t *insn, uint32_t number, csr_op_t op, uint32_t operand,
                bool do_read, bool do_write, uint32_t *old);

void csr_reset(hart_t *hart);

/* mstatus and sstatus with FS and SD filled in. */
uint32_t csr_mstatus(const hart_t *hart);
/* Stores WARL-filtered mstatus, FS included, and brings the MMU context up to date. */
void csr_set_mstatus(hart_t *hart, uint32_t value);

/* ---- pmp.c ---- */

/* Page granular result of a PMP check. */
typedef enum pmp_result {
    PMP_DENY,
    PMP_ALLOW,      /* this access, but not everything in its page alike: do not cache */
    PMP_ALLOW_PAGE, /* the whole 4 KiB page */
} pmp_result_t;

/* Privileged 3.7.1: may priv access [addr, addr + size) so? Only called while pmp_active or priv < M. */
pmp_result_t pmp_check(const hart_t *hart, paddr_t addr, uint32_t size, access_t access, unsigned priv);
/* CSR access to pmpcfg/pmpaddr with locks and WARL; flushes the TLB on change. index 0..15 (cfg: 0..3). */
uint32_t pmp_read_cfg(const hart_t *hart, unsigned index);
void pmp_write_cfg(hart_t *hart, unsigned index, uint32_t value);
uint32_t pmp_read_addr(const hart_t *hart, unsigned index);
void pmp_write_addr(hart_t *hart, unsigned index, uint32_t value);

/* ---- mmu.c ---- */

/*
 * Sv32 with PMP: virtual to physical for an access of size bytes that does not cross a page, made by
 * priv with the present SUM, MXR and ADUE. Sets A and D. 0: *pa is set, and *cacheable tells whether
 * the whole page translates alike; otherwise the exception cause.
 */
uint32_t mmu_translate(hart_t *hart, uint32_t va, uint32_t size, access_t access, unsigned priv,
                       paddr_t *pa, bool *cacheable);

/* After anything that the effective modes depend on (priv, mstatus, satp). */
void mmu_update_context(hart_t *hart);

/* Makes every jump[] entry stale; mmu_update_context() must follow. */
void mmu_forget_jumps(hart_t *hart);

static inline bool hart_jump_page(const hart_t *hart, uint32_t va)
{
    return hart->jump_pages[va >> 18 & 63] >> (va >> 12 & 63) & 1;
}

static inline void hart_note_jump_page(hart_t *hart, uint32_t va)
{
    hart->jump_pages[va >> 18 & 63] |= UINT64_C(1) << (va >> 12 & 63);
}

/* SFENCE.VMA and its like: all, or one page in every address space. */
void mmu_flush_all(hart_t *hart);
void mmu_flush_page(hart_t *hart, uint32_t va);
/* Forgets store translations only. */
void mmu_flush_stores(hart_t *hart);

/* The slow paths of data access: any alignment, devices, code pages. False: raised. */
bool mmu_load(hart_t *hart, uint32_t va, uint32_t size, uint64_t *value);
bool mmu_store(hart_t *hart, uint32_t va, uint32_t size, uint64_t value);
/* Host pointer for an atomic read-modify-write of the aligned word at va; NULL: raised. */
uint8_t *mmu_amo_word(hart_t *hart, uint32_t va);
/* The same for LR, which only reads. */
uint8_t *mmu_lr_word(hart_t *hart, uint32_t va);
/* CBO.ZERO, and the check of rights of the other CBOs. False: raised. */
bool mmu_cbo_zero(hart_t *hart, uint32_t va);
bool mmu_cbo_manage(hart_t *hart, uint32_t va);
/* After an AMO for which mmu_amo_word() has set code_written: drops the code it changed. */
void mmu_amo_done(hart_t *hart);

/* RAM offset of the instruction bytes at va, by the ITLB. 0, or the exception cause. */
uint32_t mmu_exec_offset(hart_t *hart, uint32_t va, uint32_t *offset);

/*
 * Fetches the instruction word at pc (16 bits when compressed) through the instruction side. False:
 * *cause and *tval tell why.
 */
bool mmu_fetch(hart_t *hart, uint32_t pc, uint32_t *word, uint32_t *cause, uint32_t *tval);

/* Exact instructions retired before insn (or, when NULL, so far). */
static inline uint64_t hart_retired_at(const hart_t *hart, const insn_t *insn)
{
    return hart->retired + (uint64_t)(hart->slice - hart->budget) + (insn ? insn->index : 0);
}

#endif
