/* SPDX-License-Identifier: MPL-2.0 */
#include "peek.h"

#include "csr.h"
#include "state.h"

#define PAGE_SHIFT 12
#define PTE_V 0x01u
#define PTE_R 0x02u
#define PTE_W 0x04u
#define PTE_X 0x08u
#define PTE_PPN_SHIFT 10

bool hart_peek_waiting(const hart_t *hart)
{
    return hart->waiting;
}

static unsigned peek_priv(const hart_t *hart, bool exec)
{
    bool lent = !exec && hart->priv == PRIV_M && (hart->mstatus & MSTATUS_MPRV);
    return lent ? (hart->mstatus & MSTATUS_MPP) >> MSTATUS_MPP_SHIFT : hart->priv;
}

/* A page table entry; 0, which is not valid, where there is no RAM. */
static uint32_t peek_pte(const bus_t *bus, paddr_t at)
{
    uint64_t offset = at - bus->ram_base;
    bool inside = at >= bus->ram_base && util_range_ok(offset, 4, bus->ram_size);
    return inside ? ram_load_u32(bus->ram + offset) : 0;
}

bool hart_peek_translate(const hart_t *hart, uint32_t va, bool exec, paddr_t *pa)
{
    *pa = va;
    if (peek_priv(hart, exec) == PRIV_M || !(hart->satp & SATP_MODE)) {
        return true;
    }
    paddr_t table = (paddr_t)(hart->satp & SATP_PPN) << PAGE_SHIFT;
    for (unsigned level = 2; level-- > 0;) {
        unsigned shift = PAGE_SHIFT + 10 * level;
        uint32_t pte = peek_pte(hart->bus, table + (va >> shift & 0x3ff) * 4);
        uint32_t inside = (1u << shift) - 1;
        if (!(pte & PTE_V) || (pte & (PTE_R | PTE_W)) == PTE_W) {
            return false;
        }
        table = (paddr_t)(pte >> PTE_PPN_SHIFT) << PAGE_SHIFT;
        if (pte & (PTE_R | PTE_X)) {
            *pa = table | (va & inside);
            return !(table & inside);
        }
    }
    return false;
}

bool hart_peek_csr(hart_t *hart, uint32_t number, uint32_t *value)
{
    return number != CSR_seed && hart_get_csr(hart, number, value);
}
