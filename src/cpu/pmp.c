/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Physical memory protection, privileged 3.7: 16 entries, granularity 4 bytes.
 *
 * Checks are made where the TLB is filled, so their cost is that of a TLB miss; a change of an
 * entry empties the TLB.
 */
#include "state.h"

#define PMP_PAGE 4096u
#define PMP_A_SHIFT 3
#define PMP_CFG_BITS (PMP_R | PMP_W | PMP_X | PMP_A | PMP_L)

enum { PMP_OFF, PMP_TOR, PMP_NA4, PMP_NAPOT };

/* Addresses [start, end); empty when start >= end. */
typedef struct pmp_range {
    paddr_t start, end;
} pmp_range_t;

static unsigned pmp_mode(uint8_t cfg)
{
    return (cfg & PMP_A) >> PMP_A_SHIFT;
}

static pmp_range_t pmp_range(const hart_t *hart, unsigned i)
{
    paddr_t addr = hart->pmpaddr[i];
    pmp_range_t range = {0, 0};
    switch (pmp_mode(hart->pmpcfg[i])) {
    case PMP_TOR:
        range.start = i ? (paddr_t)hart->pmpaddr[i - 1] << 2 : 0;
        range.end = addr << 2;
        break;
    case PMP_NA4:
        range.start = addr << 2;
        range.end = range.start + 4;
        break;
    case PMP_NAPOT: {
        paddr_t inside = addr ^ (addr + 1); /* the trailing ones and the zero above them */
        range.start = (addr & ~inside) << 2;
        range.end = range.start + ((inside + 1) << 2);
        break;
    }
    default:
        break;
    }
    return range;
}

static bool pmp_overlaps(pmp_range_t range, paddr_t start, paddr_t end)
{
    return range.start < range.end && range.start < end && start < range.end;
}

static bool pmp_covers(pmp_range_t range, paddr_t start, paddr_t end)
{
    return range.start <= start && end <= range.end;
}

static bool pmp_grants(uint8_t cfg, access_t access, unsigned priv)
{
    if (priv == PRIV_M && !(cfg & PMP_L)) {
        return true;
    }
    return cfg & (access == ACCESS_LOAD ? PMP_R : access == ACCESS_STORE ? PMP_W : PMP_X);
}

pmp_result_t pmp_check(const hart_t *hart, paddr_t addr, uint32_t size, access_t access,
                       unsigned priv)
{
    paddr_t end = addr + size;
    paddr_t page = addr & ~(paddr_t)(PMP_PAGE - 1);
    bool whole = end <= page + PMP_PAGE; /* no entry so far tells parts of the page apart */
    for (unsigned i = 0; i < PMP_COUNT; i++) {
        if (pmp_mode(hart->pmpcfg[i]) == PMP_OFF) {
            continue;
        }
        pmp_range_t range = pmp_range(hart, i);
        if (pmp_overlaps(range, addr, end)) {
            if (!pmp_covers(range, addr, end) || !pmp_grants(hart->pmpcfg[i], access, priv)) {
                return PMP_DENY;
            }
            whole = whole && pmp_covers(range, page, page + PMP_PAGE);
            return whole ? PMP_ALLOW_PAGE : PMP_ALLOW;
        }
        whole = whole && !pmp_overlaps(range, page, page + PMP_PAGE);
    }
    if (priv != PRIV_M) {
        return PMP_DENY;
    }
    return whole ? PMP_ALLOW_PAGE : PMP_ALLOW;
}

/* ---- CSRs (3.7.1, locking 3.7.1.2) ---- */

uint32_t pmp_read_cfg(const hart_t *hart, unsigned index)
{
    return util_get_le32(&hart->pmpcfg[4 * index]);
}

void pmp_write_cfg(hart_t *hart, unsigned index, uint32_t value)
{
    bool changed = false;
    for (unsigned i = 4 * index; i < 4 * index + 4; i++, value >>= 8) {
        uint8_t cfg = value & PMP_CFG_BITS;
        if (!(cfg & PMP_R)) { /* write-only is reserved: becomes no access */
            cfg &= (uint8_t)~PMP_W;
        }
        if (!(hart->pmpcfg[i] & PMP_L) && cfg != hart->pmpcfg[i]) {
            hart->pmpcfg[i] = cfg;
            changed = true;
        }
    }
    if (changed) {
        hart->pmp_active = false;
        for (unsigned i = 0; i < PMP_COUNT; i++) {
            hart->pmp_active = hart->pmp_active || pmp_mode(hart->pmpcfg[i]) != PMP_OFF;
        }
        mmu_flush_all(hart);
    }
}

uint32_t pmp_read_addr(const hart_t *hart, unsigned index)
{
    return hart->pmpaddr[index];
}

/* A locked top of range locks its bottom, the address of the entry before. */
static bool pmp_addr_locked(const hart_t *hart, unsigned index)
{
    if (hart->pmpcfg[index] & PMP_L) {
        return true;
    }
    uint8_t next = index + 1 < PMP_COUNT ? hart->pmpcfg[index + 1] : 0;
    return (next & PMP_L) && pmp_mode(next) == PMP_TOR;
}

void pmp_write_addr(hart_t *hart, unsigned index, uint32_t value)
{
    if (pmp_addr_locked(hart, index) || hart->pmpaddr[index] == value) {
        return;
    }
    hart->pmpaddr[index] = value;
    if (hart->pmp_active) {
        mmu_flush_all(hart);
    }
}
