/* SPDX-License-Identifier: MPL-2.0 */
/*
 * How an op goes to the next one; for ops.c and ops_fused.c.
 */
#ifndef RVKIT_CPU_OPS_DISPATCH_H
#define RVKIT_CPU_OPS_DISPATCH_H

#include "block.h"
#include "ops.h"

/*
 * Each op ends by going to the next one. Where the compiler turns that call into a jump, an op is a few
 * host instructions; elsewhere the op returns the next instruction and ops_run() calls it.
 */
#if defined(RVKIT_NO_TAILCALLS) || !defined(__OPTIMIZE__)
#define TAIL_CALLS 0
#define GO(h, i) return (i)
#elif defined(__clang__) && (!defined(__wasm__) || defined(__wasm_tail_call__))
#define TAIL_CALLS 1
#define GO(h, i)                                                                                   \
    do {                                                                                           \
        const insn_t *go_to = (i);                                                                 \
        __attribute__((musttail)) return go_to->fn((h), go_to);                                    \
    } while (0)
#elif defined(__GNUC__) && !defined(__wasm__)
#define TAIL_CALLS 1 /* -foptimize-sibling-calls, set by the Makefile */
#define GO(h, i)                                                                                   \
    do {                                                                                           \
        const insn_t *go_to = (i);                                                                 \
        return go_to->fn((h), go_to);                                                              \
    } while (0)
#else
#define TAIL_CALLS 0
#define GO(h, i) return (i)
#endif

#if TAIL_CALLS && defined(__clang__)
#define TAIL __attribute__((musttail)) return
#else
#define TAIL return
#endif

#define OP(name) static const insn_t *name(hart_t *h, const insn_t *i)

/* A block's end goes on at h->pc; i is its last instruction. In the same page the two get linked. */
const insn_t *op_resolve_taken(hart_t *h, const insn_t *i);
const insn_t *op_resolve_next(hart_t *h, const insn_t *i);

ALWAYS_INLINE const insn_link_t *link_of(const insn_t *i)
{
    return (const insn_link_t *)(const void *)(i + 1);
}

#define FOLLOW(which, target_pc, count)                                                            \
    do {                                                                                           \
        const insn_t *linked = link_of(i)->which;                                                  \
        h->budget -= (count);                                                                      \
        if (LIKELY(linked && h->budget > 0)) {                                                     \
            GO(h, linked);                                                                         \
        }                                                                                          \
        h->pc = (target_pc);                                                                       \
        TAIL op_resolve_##which(h, i);                                                             \
    } while (0)


/* The op of each row by itself. */
extern insn_fn *const ops_plain[INSN_COUNT + 1];

#endif
