/* SPDX-License-Identifier: MPL-2.0 */
/*
 * One RV32IMAFDC hart, as the machine sees it.
 *
 * Ownership: the machine creates and frees harts; a hart keeps a pointer to the bus.
 * Threads: hart_run() and the register calls belong to one thread at a time (the hart's own, or any
 * thread while the hart is stopped). The calls marked "any thread" may come at any moment.
 */
#ifndef RVKIT_CPU_HART_H
#define RVKIT_CPU_HART_H

#include "../bus.h"

#include <stdbool.h>
#include <stdint.h>

#define HART_MAX 16

/* Privilege modes, with the numbers of the privileged specification, 1.2. */
enum { PRIV_U = 0, PRIV_S = 1, PRIV_M = 3 };

/* Interrupt causes that a machine drives from outside (bit numbers of mip). */
enum { IRQ_SSIP = 1, IRQ_MSIP = 3, IRQ_STIP = 5, IRQ_MTIP = 7, IRQ_SEIP = 9, IRQ_MEIP = 11 };

/* Why hart_run() came back. */
typedef enum hart_exit {
    HART_EXIT_BUDGET, /* the instructions asked for were run */
    HART_EXIT_KICK,   /* hart_kick() asked for it */
    HART_EXIT_PAUSE,  /* the PAUSE hint: somebody else should run */
    HART_EXIT_WFI,    /* WFI, and nothing is pending: sleep until hart_kick() or hart_next_deadline() */
} hart_exit_t;

/* A new hart in reset state. NULL when there is no memory. */
hart_t *hart_create(const bus_t *bus, uint32_t hartid);
void hart_free(hart_t *hart);

/* Back to the reset state of the privileged specification, 3.4, then pc, a0, a1 and mode as given. */
void hart_reset(hart_t *hart, uint32_t pc, uint32_t a0, uint32_t a1, unsigned priv);

/*
 * The state that SBI firmware leaves behind for a supervisor: exceptions and interrupts delegated,
 * counters enabled, Sstc and Svadu on, PMP open. Used with a built-in SBI, after hart_reset(.., PRIV_S).
 */
void hart_setup_supervisor(hart_t *hart);

/*
 * Runs about max_insns instructions (at least one when not waiting; at most one basic block more).
 * Timers are looked at on entry and every few thousand instructions.
 */
hart_exit_t hart_run(hart_t *hart, uint64_t max_insns);

/* Any thread. Makes hart_run() return soon with HART_EXIT_KICK; sticky until then. */
void hart_kick(hart_t *hart);

/* Any thread. Sets the level of an external interrupt line (IRQ_*). The caller kicks or wakes the hart. */
void hart_set_irq(hart_t *hart, unsigned irq, bool level);

/* Any thread. The ACLINT's mtimecmp of this hart, in ticks. */
void hart_set_mtimecmp(hart_t *hart, uint64_t ticks);
uint64_t hart_get_mtimecmp(const hart_t *hart);

/* The hart's own thread: the supervisor timer of the SBI TIME extension and Sstc (stimecmp), in ticks. */
void hart_set_stimecmp(hart_t *hart, uint64_t ticks);

/* The tick at which a timer interrupt that is enabled becomes pending; UINT64_MAX when none will. */
uint64_t hart_next_deadline(const hart_t *hart);

/* True when an enabled interrupt is pending, so that WFI would not sleep. */
bool hart_has_work(hart_t *hart);

/* Any thread. At its next pause between blocks the hart forgets translations (and decoded code: fence.i). */
void hart_request_flush_tlb(hart_t *hart);
void hart_request_fence_i(hart_t *hart);

/* Mixes size bytes of the host's randomness into what the seed CSR gives out. Hart stopped. */
void hart_add_entropy(hart_t *hart, const void *bytes, size_t size);

/* Instructions retired since creation. Own thread. */
uint64_t hart_retired(const hart_t *hart);

/* Architectural state, for firmware, debuggers and tests. n is 0..31. Own thread. */
uint32_t hart_id(const hart_t *hart);
uint32_t hart_get_x(const hart_t *hart, unsigned n);
void hart_set_x(hart_t *hart, unsigned n, uint32_t value);
uint64_t hart_get_f(const hart_t *hart, unsigned n);
void hart_set_f(hart_t *hart, unsigned n, uint64_t bits);
uint32_t hart_get_pc(const hart_t *hart);
void hart_set_pc(hart_t *hart, uint32_t pc);
unsigned hart_get_priv(const hart_t *hart);
void hart_set_priv(hart_t *hart, unsigned priv);

/* A CSR by number with M-mode's rights; false when it does not exist. */
bool hart_get_csr(hart_t *hart, uint32_t number, uint32_t *value);
bool hart_set_csr(hart_t *hart, uint32_t number, uint32_t value);

/*
 * Copies guest virtual memory in the hart's present data mode; false at the first byte that cannot be
 * reached (no trap is raised). For SBI calls and debuggers. Own thread.
 */
bool hart_read_virt(hart_t *hart, uint32_t va, void *dest, size_t size);

/*
 * Called for each instruction before it runs when set (NULL: off, and the fast paths are used again):
 * for -d in_asm style traces. The text is valid during the call.
 */
typedef void (*hart_trace_fn)(void *opaque, hart_t *hart, uint32_t pc, uint32_t insn, const char *text);
void hart_set_trace(hart_t *hart, hart_trace_fn fn, void *opaque);

#endif
