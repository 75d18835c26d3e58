/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A hart's life: creation, reset, the run loop around the dispatcher, and what others see of its state.
 */
#include "block.h"
#include "codemap_state.h"
#include "ops.h"
#include "state.h"

#include <stdlib.h>

/* Instructions between looks at requests from other threads: about a microsecond of the host's time. */
#define SLICE 1024
/* Slices between looks at the clock, which costs a call. */
#define POLL_SLICES 16

#define TIMER_IRQS (1u << IRQ_MTIP | 1u << IRQ_STIP)

hart_t *hart_create(const bus_t *bus, uint32_t hartid)
{
    hart_t *hart = calloc(1, sizeof(*hart));
    if (!hart) {
        return NULL;
    }
    hart->bus = bus;
    hart->id = hartid;
    hart->parked = true;
    hart->blocks = block_cache_create(bus);
    if (!hart->blocks) {
        free(hart);
        return NULL;
    }
    for (unsigned n = 0; n < ARRAY_LEN(hart->seed_state); n++) {
        hart->seed_state[n] = 0x9e3779b9u * (hartid * 4 + n + 1);
    }
    codemap_join(bus->codemap, hart);
    hart_reset(hart, (uint32_t)bus->ram_base, hartid, 0, PRIV_M);
    return hart;
}

void hart_free(hart_t *hart)
{
    if (hart) {
        codemap_leave(hart->bus->codemap, hart);
        block_cache_free(hart->blocks);
        free(hart);
    }
}

void hart_add_entropy(hart_t *hart, const void *bytes, size_t size)
{
    const uint8_t *from = bytes;
    uint8_t *to = (uint8_t *)hart->seed_state;
    for (size_t n = 0; n < size; n++) {
        to[n % sizeof(hart->seed_state)] ^= from[n];
    }
    hart->seed_state[0] |= 1; /* the generator's one forbidden state is all zeros */
}

void hart_reset(hart_t *hart, uint32_t pc, uint32_t a0, uint32_t a1, unsigned priv)
{
    csr_reset(hart);
    memset(hart->x, 0, sizeof(hart->x));
    memset(hart->f, 0, sizeof(hart->f));
    hart->x[10] = a0;
    hart->x[11] = a1;
    hart->pc = pc;
    hart->priv = (uint8_t)priv;
    hart->waiting = hart->paused = hart->code_written = false;
    hart->reserved = false;
    hart->timer_irqs = 0;
    hart->poll_in = 0;
    __atomic_store_n(&hart->mtimecmp, UINT64_MAX, __ATOMIC_SEQ_CST);
    mmu_flush_all(hart);
    block_drop_all(hart);
}

void hart_setup_supervisor(hart_t *hart)
{
    uint32_t everything = ~(1u << EXC_ECALL_S | 1u << EXC_ECALL_M);
    hart->medeleg = everything & 0xb3ffu;
    hart->mideleg = 1u << IRQ_SSIP | 1u << IRQ_STIP | 1u << IRQ_SEIP;
    hart->mcounteren = 7;
    hart->mseccfg = MSECCFG_SSEED; /* Linux 6.12 seeds its generator from it */
    hart->menvcfg = MENVCFG_STCE | MENVCFG_ADUE | ENVCFG_CBIE | ENVCFG_CBCFE | ENVCFG_CBZE;
    pmp_write_addr(hart, 0, UINT32_MAX);
    pmp_write_cfg(hart, 0, PMP_A | PMP_R | PMP_W | PMP_X);
    mmu_flush_all(hart);
}

/* ---- The run loop ---- */

/* True when the machine wants the hart back. */
static bool serve_requests(hart_t *hart)
{
    uint32_t requests = __atomic_exchange_n(&hart->requests, 0, __ATOMIC_SEQ_CST);
    if (requests & REQUEST_FLUSH_TLB) {
        mmu_flush_all(hart);
    }
    if (requests & REQUEST_PURGE_STORES) {
        mmu_flush_stores(hart);
    }
    if (requests & REQUEST_FENCE_I) {
        block_fence_i(hart);
    }
    return requests & REQUEST_KICK;
}

static void poll_timers(hart_t *hart)
{
    hart->poll_in = POLL_SLICES;
    hart->timer_irqs = hart->mie & TIMER_IRQS ? trap_pending(hart) & TIMER_IRQS : 0;
}

static uint32_t pending_enabled(const hart_t *hart)
{
    uint32_t lines = __atomic_load_n(&hart->irq_lines, __ATOMIC_ACQUIRE);
    return (lines | hart->mip | hart->timer_irqs) & hart->mie;
}

/* Takes an interrupt if there is one; false when the hart sleeps in WFI and has none. */
static bool serve_interrupts(hart_t *hart)
{
    if (hart->poll_in == 0 || hart->waiting || (pending_enabled(hart) & TIMER_IRQS)) {
        poll_timers(hart);
    }
    hart->poll_in--;
    if (LIKELY(!pending_enabled(hart))) {
        return !hart->waiting;
    }
    hart->waiting = false;
    trap_take_interrupt(hart);
    return true;
}

static void run_slice(hart_t *hart, uint64_t insns)
{
    hart->budget = hart->slice = insns < SLICE ? (int64_t)insns : SLICE;
    const jump_entry_t *jump = &hart->jump[hart->pc >> 1 & (JUMP_SIZE - 1)];
    bool known = jump->pc == hart->pc && jump->context == hart->context;
    const insn_t *insn = known ? jump->target : block_enter(hart);
    if (insn) {
        ops_run(hart, insn);
    }
    hart->retired += (uint64_t)(hart->slice - hart->budget);
    hart->budget = hart->slice = 0;
}

static void trace_next(hart_t *hart)
{
    uint32_t word, cause, tval;
    char text[96];
    if (mmu_fetch(hart, hart->pc, &word, &cause, &tval)) {
        insn_disasm(text, sizeof(text), word, hart->pc);
        hart->trace(hart->trace_opaque, hart, hart->pc, word, text);
    }
}

static hart_exit_t run_loop(hart_t *hart, uint64_t end)
{
    for (;;) {
        if (UNLIKELY(__atomic_load_n(&hart->requests, __ATOMIC_RELAXED)) && serve_requests(hart)) {
            return HART_EXIT_KICK;
        }
        if (!serve_interrupts(hart)) {
            return HART_EXIT_WFI;
        }
        if (hart->retired >= end) {
            return HART_EXIT_BUDGET;
        }
        uint64_t before = hart->retired;
        if (UNLIKELY(hart->trace)) {
            trace_next(hart);
            run_slice(hart, 1);
        } else {
            run_slice(hart, end - hart->retired);
        }
        /* A trap retires nothing, and a handler may do nothing but trap again. */
        end -= hart->retired == before;
        if (UNLIKELY(hart->paused)) {
            hart->paused = false;
            return HART_EXIT_PAUSE;
        }
    }
}

hart_exit_t hart_run(hart_t *hart, uint64_t max_insns)
{
    hart_exit_t reason = HART_EXIT_KICK;
    __atomic_store_n(&hart->parked, false, __ATOMIC_SEQ_CST);
    hart->poll_in = 0;
    /* In this order: whoever still sees the hart parked has its request served here. */
    if (!__atomic_load_n(&hart->requests, __ATOMIC_SEQ_CST) || !serve_requests(hart)) {
        reason = run_loop(hart, hart->retired + max_insns);
    }
    __atomic_store_n(&hart->parked, true, __ATOMIC_SEQ_CST);
    return reason;
}

void hart_set_trace(hart_t *hart, hart_trace_fn fn, void *opaque)
{
    hart->trace = fn;
    hart->trace_opaque = opaque;
    block_set_single(hart, fn != NULL);
}

/* ---- From other threads ---- */

static void request(hart_t *hart, uint32_t bits)
{
    __atomic_fetch_or(&hart->requests, bits, __ATOMIC_SEQ_CST);
}

void hart_kick(hart_t *hart)
{
    request(hart, REQUEST_KICK);
}

void hart_request_flush_tlb(hart_t *hart)
{
    request(hart, REQUEST_FLUSH_TLB);
}

void hart_request_fence_i(hart_t *hart)
{
    request(hart, REQUEST_FENCE_I);
}

void hart_set_irq(hart_t *hart, unsigned irq, bool level)
{
    if (level) {
        __atomic_fetch_or(&hart->irq_lines, 1u << irq, __ATOMIC_SEQ_CST);
    } else {
        __atomic_fetch_and(&hart->irq_lines, ~(1u << irq), __ATOMIC_SEQ_CST);
    }
}

void hart_set_mtimecmp(hart_t *hart, uint64_t ticks)
{
    __atomic_store_n(&hart->mtimecmp, ticks, __ATOMIC_SEQ_CST);
}

uint64_t hart_get_mtimecmp(const hart_t *hart)
{
    return __atomic_load_n(&hart->mtimecmp, __ATOMIC_SEQ_CST);
}

/* ---- State ---- */

void hart_set_stimecmp(hart_t *hart, uint64_t ticks)
{
    hart->stimecmp = ticks;
    hart->poll_in = 0;
}

uint64_t hart_next_deadline(const hart_t *hart)
{
    uint64_t deadline = UINT64_MAX;
    if (hart->mie & 1u << IRQ_MTIP) {
        deadline = hart_get_mtimecmp(hart);
    }
    if ((hart->mie & 1u << IRQ_STIP) && (hart->menvcfg & MENVCFG_STCE)) {
        deadline = util_min_u64(deadline, hart->stimecmp);
    }
    return deadline;
}

bool hart_has_work(hart_t *hart)
{
    return trap_pending(hart) & hart->mie;
}

uint64_t hart_retired(const hart_t *hart)
{
    return hart_retired_at(hart, NULL);
}

uint32_t hart_id(const hart_t *hart)
{
    return hart->id;
}

uint32_t hart_get_x(const hart_t *hart, unsigned n)
{
    return hart->x[n & 31];
}

void hart_set_x(hart_t *hart, unsigned n, uint32_t value)
{
    if (n & 31) {
        hart->x[n & 31] = value;
    }
}

uint64_t hart_get_f(const hart_t *hart, unsigned n)
{
    return hart->f[n & 31];
}

void hart_set_f(hart_t *hart, unsigned n, uint64_t bits)
{
    hart->f[n & 31] = bits;
}

uint32_t hart_get_pc(const hart_t *hart)
{
    return hart->pc;
}

void hart_set_pc(hart_t *hart, uint32_t pc)
{
    hart->pc = pc & ~1u;
}

unsigned hart_get_priv(const hart_t *hart)
{
    return hart->priv;
}

void hart_set_priv(hart_t *hart, unsigned priv)
{
    hart->priv = (uint8_t)priv;
    mmu_update_context(hart);
}

bool hart_raise_illegal(hart_t *hart, const insn_t *insn)
{
    uint32_t word = 0, cause, tval;
    mmu_fetch(hart, insn->pc, &word, &cause, &tval);
    return hart_raise(hart, EXC_ILLEGAL_INSN, word);
}

static bool csr_as_machine(hart_t *hart, uint32_t number, csr_op_t op, uint32_t operand, bool write,
                           uint32_t *old)
{
    uint8_t priv = hart->priv, fs = hart->fs;
    bool of_fpu = number >= 1 && number <= 3; /* fflags, frm, fcsr: also while FS is off */
    hart->priv = PRIV_M;
    hart->fs = of_fpu ? 1 : fs;
    bool done = csr_access(hart, NULL, number, op, operand, !write, write, old);
    hart->priv = priv;
    hart->fs = of_fpu ? fs : hart->fs;
    mmu_update_context(hart);
    return done;
}

bool hart_get_csr(hart_t *hart, uint32_t number, uint32_t *value)
{
    return csr_as_machine(hart, number, CSR_SET, 0, false, value);
}

bool hart_set_csr(hart_t *hart, uint32_t number, uint32_t value)
{
    uint32_t old;
    return csr_as_machine(hart, number, CSR_WRITE, value, true, &old);
}
