/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The meaning of the instructions that touch memory: loads, stores, A, FL/FS, Zicbom, Zicboz.
 *
 * bool sem_X(hart, insn): the whole meaning; false when a trap was raised.
 * bool fast_X(hart, insn): only the common case, without calls; false when nothing was done.
 */
#ifndef RVKIT_CPU_SEM_MEM_H
#define RVKIT_CPU_SEM_MEM_H

#include "state.h"

/* The TLB entry that va may be in, and what its tag must be for an aligned access of size bytes. */
ALWAYS_INLINE const tlb_entry_t *tlb_slot(const hart_t *h, uint32_t va)
{
    return &h->dtlb[va >> 12 & (TLB_SIZE - 1)];
}

ALWAYS_INLINE uint32_t tlb_tag(const hart_t *h, uint32_t va, uint32_t size)
{
    return (va & (0xfffff000u | (size - 1))) | h->dasid;
}

/* The host address of va when the TLB has it for a load or a store of an aligned size; false otherwise. */
ALWAYS_INLINE bool tlb_load_hit(const hart_t *h, uint32_t va, uint32_t size, void **host)
{
    const tlb_entry_t *e = tlb_slot(h, va);
    *host = (void *)(e->addend + va);
    return LIKELY(e->load_tag == tlb_tag(h, va, size));
}

ALWAYS_INLINE bool tlb_store_hit(const hart_t *h, uint32_t va, uint32_t size, void **host)
{
    const tlb_entry_t *e = tlb_slot(h, va);
    *host = (void *)(e->addend + va);
    return LIKELY(e->store_tag == tlb_tag(h, va, size));
}

#define SEM_LOAD(name, size, type, load)                                                           \
    ALWAYS_INLINE bool fast_##name(hart_t *h, const insn_t *i)                                     \
    {                                                                                              \
        uint32_t va = h->x[i->rs1] + i->imm;                                                       \
        void *p;                                                                                   \
        if (!tlb_load_hit(h, va, size, &p)) {                                                      \
            return false;                                                                          \
        }                                                                                          \
        h->x[i->rd] = (uint32_t)(type)load(p);                                                     \
        return true;                                                                               \
    }                                                                                              \
    static inline bool sem_##name(hart_t *h, const insn_t *i)                                      \
    {                                                                                              \
        uint64_t value;                                                                            \
        if (fast_##name(h, i)) {                                                                   \
            return true;                                                                           \
        }                                                                                          \
        if (!mmu_load(h, h->x[i->rs1] + i->imm, size, &value)) {                                   \
            return false;                                                                          \
        }                                                                                          \
        h->x[i->rd] = (uint32_t)(type)value;                                                       \
        return true;                                                                               \
    }

#define SEM_STORE(name, size, store)                                                               \
    ALWAYS_INLINE bool fast_##name(hart_t *h, const insn_t *i)                                     \
    {                                                                                              \
        uint32_t va = h->x[i->rs1] + i->imm;                                                       \
        void *p;                                                                                   \
        if (!tlb_store_hit(h, va, size, &p)) {                                                     \
            return false;                                                                          \
        }                                                                                          \
        store(p, h->x[i->rs2]);                                                                    \
        return true;                                                                               \
    }                                                                                              \
    static inline bool sem_##name(hart_t *h, const insn_t *i)                                      \
    {                                                                                              \
        return fast_##name(h, i) || mmu_store(h, h->x[i->rs1] + i->imm, size, h->x[i->rs2]);       \
    }

SEM_LOAD(lb, 1, int8_t, ram_load_u8)
SEM_LOAD(lh, 2, int16_t, ram_load_u16)
SEM_LOAD(lw, 4, uint32_t, ram_load_u32)
SEM_LOAD(lbu, 1, uint8_t, ram_load_u8)
SEM_LOAD(lhu, 2, uint16_t, ram_load_u16)

ALWAYS_INLINE void store_low8(void *p, uint32_t v)
{
    ram_store_u8(p, (uint8_t)v);
}

ALWAYS_INLINE void store_low16(void *p, uint32_t v)
{
    ram_store_u16(p, (uint16_t)v);
}

SEM_STORE(sb, 1, store_low8)
SEM_STORE(sh, 2, store_low16)
SEM_STORE(sw, 4, ram_store_u32)

#undef SEM_LOAD
#undef SEM_STORE

/* ---- A: LR/SC hold a word's address and value; SC succeeds when the value is still there. ---- */

static inline bool sem_lr_w(hart_t *h, const insn_t *i)
{
    uint32_t va = h->x[i->rs1];
    void *p;
    if (!tlb_load_hit(h, va, 4, &p)) {
        p = mmu_lr_word(h, va);
        if (!p) {
            return false;
        }
    }
    h->reserved = true;
    h->reserved_host = p;
    h->reserved_value = __atomic_load_n((uint32_t *)p, __ATOMIC_SEQ_CST);
    h->x[i->rd] = h->reserved_value;
    return true;
}

static inline uint32_t *amo_word(hart_t *h, uint32_t va)
{
    void *p;
    return tlb_store_hit(h, va, 4, &p) ? p : (uint32_t *)(void *)mmu_amo_word(h, va);
}

static inline bool sem_sc_w(hart_t *h, const insn_t *i)
{
    uint32_t value = h->x[i->rs2], expected = h->reserved_value;
    uint32_t *p = amo_word(h, h->x[i->rs1]);
    if (UNLIKELY(!p)) {
        return false;
    }
    bool stored = h->reserved && h->reserved_host == (uint8_t *)p &&
                  __atomic_compare_exchange_n(p, &expected, value, false, __ATOMIC_SEQ_CST,
                                              __ATOMIC_SEQ_CST);
    h->reserved = false;
    h->x[i->rd] = !stored;
    return true;
}

#define SEM_AMO(name, operation)                                                                   \
    static inline bool sem_##name(hart_t *h, const insn_t *i)                                      \
    {                                                                                              \
        uint32_t value = h->x[i->rs2];                                                             \
        uint32_t *p = amo_word(h, h->x[i->rs1]);                                                   \
        if (UNLIKELY(!p)) {                                                                        \
            return false;                                                                          \
        }                                                                                          \
        h->x[i->rd] = operation(p, value, __ATOMIC_SEQ_CST);                                       \
        return true;                                                                               \
    }

#define SEM_AMO_PICK(name, type, relation)                                                         \
    static inline bool sem_##name(hart_t *h, const insn_t *i)                                      \
    {                                                                                              \
        uint32_t value = h->x[i->rs2];                                                             \
        uint32_t *p = amo_word(h, h->x[i->rs1]);                                                   \
        if (UNLIKELY(!p)) {                                                                        \
            return false;                                                                          \
        }                                                                                          \
        uint32_t old = __atomic_load_n(p, __ATOMIC_RELAXED);                                       \
        while (!__atomic_compare_exchange_n(p, &old,                                               \
                                            (type)old relation(type) value ? old : value, false,   \
                                            __ATOMIC_SEQ_CST, __ATOMIC_RELAXED)) {                 \
        }                                                                                          \
        h->x[i->rd] = old;                                                                         \
        return true;                                                                               \
    }

SEM_AMO(amoswap_w, __atomic_exchange_n)
SEM_AMO(amoadd_w, __atomic_fetch_add)
SEM_AMO(amoxor_w, __atomic_fetch_xor)
SEM_AMO(amoand_w, __atomic_fetch_and)
SEM_AMO(amoor_w, __atomic_fetch_or)
SEM_AMO_PICK(amomin_w, int32_t, <)
SEM_AMO_PICK(amomax_w, int32_t, >)
SEM_AMO_PICK(amominu_w, uint32_t, <)
SEM_AMO_PICK(amomaxu_w, uint32_t, >)

#undef SEM_AMO
#undef SEM_AMO_PICK

/* ---- Zicbom, Zicboz: blocks of 64 bytes; there is no cache, so management only checks rights. ---- */

/* May the present mode use what `field` of menvcfg and senvcfg enables? */
static inline bool cbo_enabled(const hart_t *h, uint64_t field)
{
    return h->priv == PRIV_M ||
           ((h->menvcfg & field) && (h->priv == PRIV_S || (h->senvcfg & (uint32_t)field)));
}

static inline bool sem_cbo_inval(hart_t *h, const insn_t *i)
{
    return cbo_enabled(h, ENVCFG_CBIE) ? mmu_cbo_manage(h, h->x[i->rs1]) : hart_raise_illegal(h, i);
}

static inline bool sem_cbo_clean(hart_t *h, const insn_t *i)
{
    return cbo_enabled(h, ENVCFG_CBCFE) ? mmu_cbo_manage(h, h->x[i->rs1])
                                        : hart_raise_illegal(h, i);
}

static inline bool sem_cbo_flush(hart_t *h, const insn_t *i)
{
    return sem_cbo_clean(h, i);
}

static inline bool sem_cbo_zero(hart_t *h, const insn_t *i)
{
    return cbo_enabled(h, ENVCFG_CBZE) ? mmu_cbo_zero(h, h->x[i->rs1]) : hart_raise_illegal(h, i);
}

#endif
