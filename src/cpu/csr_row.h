/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What csr.def's rows are made of; shared by csr.c and csr_counters.c and nobody else.
 */
#ifndef RVKIT_CPU_CSR_ROW_H
#define RVKIT_CPU_CSR_ROW_H

#include "csr.h"
#include "state.h"

/* A write: the value to store, and which bits the instruction sets and clears to get there. */
typedef struct csr_write {
    uint32_t value, set, clear;
    const insn_t *insn; /* as csr_access() has it */
} csr_write_t;

typedef struct csr_row csr_row_t;

struct csr_row {
    const char *name;
    uint32_t number;
    uint32_t offset; /* of the uint32_t member of hart_t, for plain registers */
    uint32_t mask;   /* its writable bits */
    uint32_t (*read)(hart_t *hart, const csr_row_t *row, const insn_t *insn);
    void (*write)(hart_t *hart, const csr_row_t *row, const csr_write_t *w);
    /* What must hold beyond the rights in the number. */
    bool (*check)(const hart_t *hart, const csr_row_t *row, bool do_write);
};

/* Numbers of upper halves: cycleh and its like, stimecmph, menvcfgh. */
static inline uint32_t csr_half_get(uint64_t value, bool high)
{
    return (uint32_t)(high ? value >> 32 : value);
}

static inline uint64_t csr_half_set(uint64_t value, bool high, uint32_t half)
{
    return high ? (uint32_t)value | (uint64_t)half << 32 : (value >> 32) << 32 | half;
}

/* A timer interrupt may have come or gone: the run loop looks at the clock before it goes on. */
static inline void csr_timers_changed(hart_t *hart)
{
    hart->poll_in = 0;
}

/* ---- csr_counters.c: counters, the supervisor timer, the entropy source ---- */

uint32_t csr_read_counter(hart_t *hart, const csr_row_t *row, const insn_t *insn);
void csr_write_counter(hart_t *hart, const csr_row_t *row, const csr_write_t *w);
bool csr_check_counter(const hart_t *hart, const csr_row_t *row, bool do_write);
void csr_write_mcountinhibit(hart_t *hart, const csr_row_t *row, const csr_write_t *w);
uint32_t csr_read_time(hart_t *hart, const csr_row_t *row, const insn_t *insn);
uint32_t csr_read_stimecmp(hart_t *hart, const csr_row_t *row, const insn_t *insn);
void csr_write_stimecmp(hart_t *hart, const csr_row_t *row, const csr_write_t *w);
bool csr_check_stimecmp(const hart_t *hart, const csr_row_t *row, bool do_write);
uint32_t csr_read_seed(hart_t *hart, const csr_row_t *row, const insn_t *insn);
bool csr_check_seed(const hart_t *hart, const csr_row_t *row, bool do_write);

#endif
