/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Counters (privileged 3.1.10 to 3.1.12, Zicntr), the supervisor timer (Sstc) and the entropy
 * source (Zkr).
 *
 * A cycle is a retired instruction. A running counter is hart_retired_at() plus an offset, so
 * counting costs nothing; a counter that mcountinhibit stops keeps its value in the offset.
 */
#include "csr_row.h"

#define COUNTER_NUMBER 0x1fu /* of a counter's CSR number: which counter */
#define COUNTER_HIGH 0x80u   /* of a counter's CSR number: the upper half */
#define COUNTER_TM (1u << 1) /* mcounteren.TM */

#define SEED_OPST_ES16 (2u << 30)

/* Where counter 0 (cycle) or 2 (instret) keeps its offset. */
static uint64_t *counter_offset(hart_t *hart, unsigned counter)
{
    return counter == 0 ? &hart->cycle_offset : &hart->instret_offset;
}

/* Instructions retired once the present one is: what the next instruction sees. */
static uint64_t counter_next(const hart_t *hart, const insn_t *insn)
{
    return hart_retired_at(hart, insn) + (insn ? 1 : 0);
}

static uint64_t counter_value(hart_t *hart, unsigned counter, const insn_t *insn)
{
    uint64_t offset = *counter_offset(hart, counter);
    return hart->mcountinhibit >> counter & 1 ? offset : hart_retired_at(hart, insn) + offset;
}

uint32_t csr_read_counter(hart_t *hart, const csr_row_t *row, const insn_t *insn)
{
    uint64_t value = counter_value(hart, row->number & COUNTER_NUMBER, insn);
    return csr_half_get(value, row->number & COUNTER_HIGH);
}

/* Takes the place of the increment: the next instruction reads what was written (3.1.10). */
void csr_write_counter(hart_t *hart, const csr_row_t *row, const csr_write_t *w)
{
    unsigned counter = row->number & COUNTER_NUMBER;
    uint64_t value = counter_value(hart, counter, w->insn);
    value = csr_half_set(value, row->number & COUNTER_HIGH, w->value);
    bool stopped = hart->mcountinhibit >> counter & 1;
    *counter_offset(hart, counter) = stopped ? value : value - counter_next(hart, w->insn);
}

/* mcounteren for modes below M, and scounteren too for U: 3.1.11, 10.1.5. */
bool csr_check_counter(const hart_t *hart, const csr_row_t *row, bool do_write)
{
    (void)do_write;
    uint32_t enabled = hart->priv == PRIV_M   ? UINT32_MAX
                       : hart->priv == PRIV_S ? hart->mcounteren
                                              : hart->mcounteren & hart->scounteren;
    return enabled >> (row->number & COUNTER_NUMBER) & 1;
}

/* The instruction that writes mcountinhibit itself is counted as the old value says. */
void csr_write_mcountinhibit(hart_t *hart, const csr_row_t *row, const csr_write_t *w)
{
    (void)row;
    uint32_t value = w->value & (COUNT_CY | COUNT_IR);
    uint32_t changed = value ^ hart->mcountinhibit;
    uint64_t next = counter_next(hart, w->insn);
    for (unsigned counter = 0; counter <= 2; counter += 2) {
        if (changed >> counter & 1) {
            *counter_offset(hart, counter) += value >> counter & 1 ? next : 0 - next;
        }
    }
    hart->mcountinhibit = value;
}

uint32_t csr_read_time(hart_t *hart, const csr_row_t *row, const insn_t *insn)
{
    (void)insn;
    return csr_half_get(hart->bus->time(hart->bus->opaque), row->number & COUNTER_HIGH);
}

uint32_t csr_read_stimecmp(hart_t *hart, const csr_row_t *row, const insn_t *insn)
{
    (void)insn;
    return csr_half_get(hart->stimecmp, row->number == CSR_stimecmph);
}

void csr_write_stimecmp(hart_t *hart, const csr_row_t *row, const csr_write_t *w)
{
    hart->stimecmp = csr_half_set(hart->stimecmp, row->number == CSR_stimecmph, w->value);
    csr_timers_changed(hart);
}

/* Sstc: below M only with menvcfg.STCE and mcounteren.TM. */
bool csr_check_stimecmp(const hart_t *hart, const csr_row_t *row, bool do_write)
{
    (void)row;
    (void)do_write;
    return hart->priv == PRIV_M ||
           ((hart->menvcfg & MENVCFG_STCE) && (hart->mcounteren & COUNTER_TM));
}

static uint32_t seed_rotate(uint32_t v, unsigned by)
{
    return v << by | v >> (32 - by);
}

/* One step of the generator xoshiro128++ of Blackman and Vigna. */
static uint32_t seed_next(hart_t *hart)
{
    uint32_t *s = hart->seed_state;
    if (!(s[0] | s[1] | s[2] | s[3])) { /* the one state that it does not leave */
        s[0] = hart->id + 1;
        s[1] = UINT32_C(0x9e3779b9);
    }
    uint32_t result = seed_rotate(s[0] + s[3], 7) + s[0];
    uint32_t shifted = s[1] << 9;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = seed_rotate(s[3], 11);
    return result;
}

/*
 * Zkr: 16 bits with each read, always ready. They come from a deterministic generator, so that
 * -icount runs repeat: as good as what hart_create() put into seed_state, and never fit for real
 * secrets.
 */
uint32_t csr_read_seed(hart_t *hart, const csr_row_t *row, const insn_t *insn)
{
    (void)row;
    (void)insn;
    return SEED_OPST_ES16 | seed_next(hart) >> 16;
}

/* Only instructions that write may read it; below M only with mseccfg.SSEED or USEED. */
bool csr_check_seed(const hart_t *hart, const csr_row_t *row, bool do_write)
{
    (void)row;
    uint32_t needed = hart->priv == PRIV_S ? MSECCFG_SSEED : MSECCFG_USEED;
    return do_write && (hart->priv == PRIV_M || (hart->mseccfg & needed));
}
