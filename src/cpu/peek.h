/* SPDX-License-Identifier: MPL-2.0 */
/* Looking at a hart from outside without a trace: for monitors and debuggers. The hart is stopped. */
#ifndef RVKIT_CPU_PEEK_H
#define RVKIT_CPU_PEEK_H

#include "hart.h"

/* It sleeps in a WFI. */
bool hart_peek_waiting(const hart_t *hart);

/*
 * Where a virtual address leads (Sv32, privileged 4.3) in the mode that instructions (exec) or data have
 * now. Rights, PMP and the A and D bits are not asked for and not changed. False: the page table has
 * nothing there.
 */
bool hart_peek_translate(const hart_t *hart, uint32_t va, bool exec, paddr_t *pa);

/* A CSR, as hart_get_csr(); false for those whose reading changes something (seed). */
bool hart_peek_csr(hart_t *hart, uint32_t number, uint32_t *value);

#endif
