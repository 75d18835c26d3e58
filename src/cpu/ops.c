/* SPDX-License-Identifier: MPL-2.0 */
#include "ops.h"

#include "block.h"
#include "ops_dispatch.h"
#include "sem_fp.h"
#include "sem_int.h"
#include "sem_mem.h"
#include "sem_sys.h"

/* ---- Leaving a block ---- */

/* The instruction trapped: those before it are retired. One of budget goes, so that loops of traps end. */
static COLD const insn_t *op_trap(hart_t *h, const insn_t *i)
{
    h->budget -= i->index + 1;
    h->slice--;
    trap_take_exception(h, h->trap_cause, h->trap_tval, i->pc);
    return NULL;
}

/* Goes to h->pc in whatever page it is. */
ALWAYS_INLINE const jump_entry_t *jump_slot(const hart_t *h)
{
    return &h->jump[h->pc >> 1 & (JUMP_SIZE - 1)];
}

static NOINLINE const insn_t *op_enter_slow(hart_t *h, const insn_t *i)
{
    i = block_enter(h);
    if (!i) {
        return NULL;
    }
    GO(h, i);
}

ALWAYS_INLINE const insn_t *enter(hart_t *h, const insn_t *i)
{
    const jump_entry_t *j = jump_slot(h);
    if (UNLIKELY(h->budget <= 0)) {
        return NULL;
    }
    if (LIKELY(j->pc == h->pc && j->context == h->context)) {
        GO(h, j->target);
    }
    TAIL op_enter_slow(h, i);
}

/* The block's end at i goes to h->pc in its own page for the first time: link it if that may be. */
static NOINLINE const insn_t *resolve(hart_t *h, const insn_t *i, bool taken)
{
    bool linkable;
    const insn_t *target = block_link(h, i->pc, &linkable);
    insn_link_t *link = (insn_link_t *)(uintptr_t)(i + 1);
    if (target && linkable && taken) {
        link->taken = target;
    } else if (target && linkable) {
        link->next = target;
    }
    return target;
}

#define RESOLVE_OP(name, is_taken)                                                                 \
    NOINLINE const insn_t *op_resolve_##name(hart_t *h, const insn_t *i)                           \
    {                                                                                              \
        if ((h->pc ^ i->pc) & ~0xfffu) {                                                           \
            TAIL enter(h, i); /* another page: never linked */                                     \
        }                                                                                          \
        if (h->budget <= 0 || !(i = resolve(h, i, is_taken))) {                                    \
            return NULL;                                                                           \
        }                                                                                          \
        GO(h, i);                                                                                  \
    }
RESOLVE_OP(taken, true)
RESOLVE_OP(next, false)
#undef RESOLVE_OP

/* A store has changed code, perhaps this block's: go on from the next instruction by way of the cache. */
static COLD const insn_t *op_leave_after(hart_t *h, const insn_t *i)
{
    h->budget -= i->index + 1;
    h->pc = i->pc + i->len;
    return NULL;
}

/* ---- One op per row, by class ---- */

#define OPS_ALU(name)                                                                              \
    OP(op_##name)                                                                                  \
    {                                                                                              \
        sem_##name(h, i);                                                                          \
        GO(h, i + 1);                                                                              \
    }

/* First the short cut; a slow op for the rest keeps this one free of calls. */
#define OPS_TRY(name)                                                                              \
    static NOINLINE const insn_t *slow_##name(hart_t *h, const insn_t *i)                          \
    {                                                                                              \
        if (!sem_##name(h, i)) {                                                                   \
            TAIL op_trap(h, i);                                                                    \
        }                                                                                          \
        GO(h, i + 1);                                                                              \
    }                                                                                              \
    OP(op_##name)                                                                                  \
    {                                                                                              \
        if (LIKELY(fast_##name(h, i))) {                                                           \
            GO(h, i + 1);                                                                          \
        }                                                                                          \
        TAIL slow_##name(h, i);                                                                    \
    }

#define OPS_STORE(name)                                                                            \
    static NOINLINE const insn_t *slow_##name(hart_t *h, const insn_t *i)                          \
    {                                                                                              \
        if (!sem_##name(h, i)) {                                                                   \
            TAIL op_trap(h, i);                                                                    \
        }                                                                                          \
        if (UNLIKELY(h->code_written)) {                                                           \
            h->code_written = false;                                                               \
            TAIL op_leave_after(h, i);                                                             \
        }                                                                                          \
        GO(h, i + 1);                                                                              \
    }                                                                                              \
    OP(op_##name)                                                                                  \
    {                                                                                              \
        if (LIKELY(fast_##name(h, i))) {                                                           \
            GO(h, i + 1);                                                                          \
        }                                                                                          \
        TAIL slow_##name(h, i);                                                                    \
    }

#define OPS_AMO(name)                                                                              \
    OP(op_##name)                                                                                  \
    {                                                                                              \
        if (UNLIKELY(!sem_##name(h, i))) {                                                         \
            TAIL op_trap(h, i);                                                                    \
        }                                                                                          \
        if (UNLIKELY(h->code_written)) {                                                           \
            mmu_amo_done(h);                                                                       \
            TAIL op_leave_after(h, i);                                                             \
        }                                                                                          \
        GO(h, i + 1);                                                                              \
    }

#define OPS_FP(name)                                                                               \
    OP(op_##name)                                                                                  \
    {                                                                                              \
        if (UNLIKELY(!sem_##name(h, i))) {                                                         \
            TAIL op_trap(h, i);                                                                    \
        }                                                                                          \
        GO(h, i + 1);                                                                              \
    }

/* op_X: both ways within the page. far_X: the taken way leaves it. */
#define OPS_BRANCH(name)                                                                           \
    OP(op_##name)                                                                                  \
    {                                                                                              \
        if (sem_##name(h, i)) {                                                                    \
            FOLLOW(taken, i->imm, i->index + 1);                                                   \
        }                                                                                          \
        FOLLOW(next, i->pc + i->len, i->index + 1);                                                \
    }                                                                                              \
    OP(far_##name)                                                                                 \
    {                                                                                              \
        if (sem_##name(h, i)) {                                                                    \
            h->budget -= i->index + 1;                                                             \
            h->pc = i->imm;                                                                        \
            TAIL enter(h, i);                                                                      \
        }                                                                                          \
        FOLLOW(next, i->pc + i->len, i->index + 1);                                                \
    }

#define OPS_JAL(name)                                                                              \
    OP(op_##name)                                                                                  \
    {                                                                                              \
        h->x[i->rd] = i->pc + i->len;                                                              \
        FOLLOW(taken, i->imm, i->index + 1);                                                       \
    }                                                                                              \
    OP(far_##name)                                                                                 \
    {                                                                                              \
        h->x[i->rd] = i->pc + i->len;                                                              \
        h->budget -= i->index + 1;                                                                 \
        h->pc = i->imm;                                                                            \
        TAIL enter(h, i);                                                                          \
    }

#define OPS_JALR(name)                                                                             \
    OP(op_##name)                                                                                  \
    {                                                                                              \
        uint32_t target = (h->x[i->rs1] + i->imm) & ~1u;                                           \
        h->x[i->rd] = i->pc + i->len;                                                              \
        h->budget -= i->index + 1;                                                                 \
        h->pc = target;                                                                            \
        TAIL enter(h, i);                                                                          \
    }

/* Anything may have changed: interrupts, requests and waiting are for the run loop. */
static bool wants_run_loop(const hart_t *h)
{
    uint32_t pending = (__atomic_load_n(&h->irq_lines, __ATOMIC_RELAXED) | h->mip | h->timer_irqs);
    bool look = h->poll_in == 0; /* a CSR that the timers depend on was written */
    return (pending & h->mie) || look || h->waiting || __atomic_load_n(&h->requests, __ATOMIC_RELAXED);
}

#define OPS_SYS(name)                                                                              \
    OP(op_##name)                                                                                  \
    {                                                                                              \
        h->next_pc = i->pc + i->len;                                                               \
        if (UNLIKELY(!sem_##name(h, i))) {                                                         \
            TAIL op_trap(h, i);                                                                    \
        }                                                                                          \
        h->budget -= i->index + 1;                                                                 \
        h->pc = h->next_pc;                                                                        \
        if (wants_run_loop(h)) {                                                                   \
            return NULL;                                                                           \
        }                                                                                          \
        TAIL enter(h, i);                                                                          \
    }

#define OPS_LOAD(name) OPS_TRY(name)
#define OPS_FPC(name) OPS_TRY(name)
#define INSN(name, mnemonic, match, mask, format, cls, ext) OPS_##cls(name)
#include "insns.def"
#undef INSN

/* ---- Ops that are not instructions ---- */

OP(op_illegal)
{
    hart_raise(h, EXC_ILLEGAL_INSN, i->imm);
    TAIL op_trap(h, i);
}

OP(op_goto)
{
    FOLLOW(next, i->imm, i->index);
}

OP(op_goto_far)
{
    h->budget -= i->index;
    h->pc = i->imm;
    TAIL enter(h, i);
}

/* ---- Choosing ---- */

insn_fn *const ops_plain[INSN_COUNT + 1] = {
#define INSN(name, mnemonic, match, mask, format, cls, ext) op_##name,
#include "insns.def"
#undef INSN
    op_illegal,
};

static insn_fn *far_form(insn_id_t id)
{
    switch (id) {
    case INSN_jal:
        return far_jal;
    case INSN_beq:
        return far_beq;
    case INSN_bne:
        return far_bne;
    case INSN_blt:
        return far_blt;
    case INSN_bge:
        return far_bge;
    case INSN_bltu:
        return far_bltu;
    default:
        return far_bgeu;
    }
}

insn_fn *ops_select(insn_id_t id, bool far)
{
    return far ? far_form(id) : ops_plain[id];
}

insn_fn *ops_goto(bool far)
{
    return far ? op_goto_far : op_goto;
}

void ops_run(hart_t *hart, const insn_t *insn)
{
    while (insn) {
        insn = insn->fn(hart, insn);
    }
}

/* ---- One instruction at a time ---- */

#define CALL_ALU(name)                                                                             \
    static bool call_##name(hart_t *h, const insn_t *i)                                            \
    {                                                                                              \
        sem_##name(h, i);                                                                          \
        return true;                                                                               \
    }
#define CALL_SEM(name)                                                                             \
    static bool call_##name(hart_t *h, const insn_t *i)                                            \
    {                                                                                              \
        return sem_##name(h, i);                                                                   \
    }
#define CALL_LOAD(name) CALL_SEM(name)
#define CALL_STORE(name) CALL_SEM(name)
#define CALL_AMO(name) CALL_SEM(name)
#define CALL_FP(name) CALL_SEM(name)
#define CALL_FPC(name) CALL_SEM(name)
#define CALL_SYS(name) CALL_SEM(name)
#define CALL_BRANCH(name)                                                                          \
    static bool call_##name(hart_t *h, const insn_t *i)                                            \
    {                                                                                              \
        h->next_pc = sem_##name(h, i) ? i->imm : h->next_pc;                                       \
        return true;                                                                               \
    }
#define CALL_JAL(name)                                                                             \
    static bool call_##name(hart_t *h, const insn_t *i)                                            \
    {                                                                                              \
        h->x[i->rd] = h->next_pc;                                                                  \
        h->next_pc = i->imm;                                                                       \
        return true;                                                                               \
    }
#define CALL_JALR(name)                                                                            \
    static bool call_##name(hart_t *h, const insn_t *i)                                            \
    {                                                                                              \
        uint32_t target = (h->x[i->rs1] + i->imm) & ~1u;                                           \
        h->x[i->rd] = h->next_pc;                                                                  \
        h->next_pc = target;                                                                       \
        return true;                                                                               \
    }

#define INSN(name, mnemonic, match, mask, format, cls, ext) CALL_##cls(name)
#include "insns.def"
#undef INSN

insn_call_fn *const ops_call[INSN_COUNT] = {
#define INSN(name, mnemonic, match, mask, format, cls, ext) call_##name,
#include "insns.def"
#undef INSN
};
