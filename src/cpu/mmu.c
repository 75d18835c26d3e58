/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Address translation (privileged 4.3, Sv32), the TLBs, and every data access that misses them.
 */
#include "block.h"
#include "codemap_state.h"
#include "state.h"

#define PAGE_SHIFT 12
#define PAGE_MASK 0xfffu
#define PAGE_SIZE 4096u
#define CBO_BLOCK 64u

/* Page table entries, privileged 4.3.1. */
#define PTE_V 0x01u
#define PTE_R 0x02u
#define PTE_W 0x04u
#define PTE_X 0x08u
#define PTE_U 0x10u
#define PTE_A 0x40u
#define PTE_D 0x80u
#define PTE_PPN_SHIFT 10

static uint32_t access_fault(access_t access)
{
    return access == ACCESS_EXEC ? EXC_INSN_ACCESS
           : access == ACCESS_LOAD ? EXC_LOAD_ACCESS : EXC_STORE_ACCESS;
}

static uint32_t page_fault(access_t access)
{
    return access == ACCESS_EXEC ? EXC_INSN_PAGE_FAULT
           : access == ACCESS_LOAD ? EXC_LOAD_PAGE_FAULT : EXC_STORE_PAGE_FAULT;
}

/* Host memory of RAM at pa, or NULL; size bytes must be inside. */
static uint8_t *ram_at(const bus_t *bus, paddr_t pa, size_t size)
{
    uint64_t offset = pa - bus->ram_base;
    return pa >= bus->ram_base && util_range_ok(offset, size, bus->ram_size) ? bus->ram + offset : NULL;
}

/* ---- Translation ---- */

static bool pte_permits(const hart_t *hart, uint32_t pte, access_t access, unsigned priv)
{
    if (pte & PTE_U) {
        if (priv == PRIV_S && (access == ACCESS_EXEC || !(hart->mstatus & MSTATUS_SUM))) {
            return false;
        }
    } else if (priv == PRIV_U) {
        return false;
    }
    switch (access) {
    case ACCESS_EXEC:
        return pte & PTE_X;
    case ACCESS_LOAD:
        return pte & (PTE_R | (hart->mstatus & MSTATUS_MXR ? PTE_X : 0));
    default:
        return pte & PTE_W;
    }
}

/*
 * Sets A (and D) of a leaf at host pointer p. False: Svade, so a page fault; or the entry has changed
 * meanwhile, which *again tells.
 */
static bool pte_mark(const hart_t *hart, uint8_t *p, uint32_t pte, uint32_t wanted, bool *again)
{
    *again = false;
    if ((pte & wanted) == wanted) {
        return true;
    }
    if (!(hart->menvcfg & MENVCFG_ADUE)) {
        return false;
    }
    *again = !__atomic_compare_exchange_n((uint32_t *)(void *)p, &pte, pte | wanted, false,
                                          __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    return !*again;
}

/* One walk of the page table. 0: *pa is the address. *again: a page table entry changed under us. */
static uint32_t walk(hart_t *hart, uint32_t va, access_t access, unsigned priv, paddr_t *pa, bool *again)
{
    paddr_t table = (paddr_t)(hart->satp & SATP_PPN) << PAGE_SHIFT;
    for (int level = 1; level >= 0; level--) {
        unsigned shift = PAGE_SHIFT + 10 * (unsigned)level;
        paddr_t at = table + (va >> shift & 0x3ff) * 4;
        uint8_t *p = ram_at(hart->bus, at, 4);
        if (!p || pmp_check(hart, at, 4, ACCESS_LOAD, PRIV_S) == PMP_DENY) {
            return access_fault(access);
        }
        uint32_t pte = __atomic_load_n((uint32_t *)(void *)p, __ATOMIC_RELAXED);
        if (!(pte & PTE_V) || (pte & (PTE_R | PTE_W)) == PTE_W) {
            return page_fault(access);
        }
        paddr_t target = (paddr_t)(pte >> PTE_PPN_SHIFT) << PAGE_SHIFT;
        if (!(pte & (PTE_R | PTE_X))) {
            if (pte & (PTE_U | PTE_A | PTE_D)) {
                return page_fault(access); /* reserved in pointers to the next level */
            }
            table = target;
            continue;
        }
        uint32_t inside = (1u << shift) - 1;
        uint32_t wanted = PTE_A | (access == ACCESS_STORE ? PTE_D : 0);
        if (!pte_permits(hart, pte, access, priv) || (target & inside)) {
            return page_fault(access);
        }
        if ((pte & wanted) != wanted &&
            pmp_check(hart, at, 4, ACCESS_STORE, PRIV_S) == PMP_DENY) {
            return access_fault(access);
        }
        if (!pte_mark(hart, p, pte, wanted, again)) {
            return page_fault(access);
        }
        if ((pte & wanted) != wanted) {
            codemap_touch(hart->bus->codemap, at, 4);
        }
        if (level == 1) {
            hart->megapages[va >> 27] |= 1u << (va >> 22 & 31);
        }
        *pa = target | (va & inside);
        return 0;
    }
    return page_fault(access);
}

uint32_t mmu_translate(hart_t *hart, uint32_t va, uint32_t size, access_t access, unsigned priv,
                       paddr_t *pa, bool *cacheable)
{
    *cacheable = true;
    *pa = va;
    if (priv != PRIV_M && (hart->satp & SATP_MODE)) {
        bool again = false;
        uint32_t cause;
        do {
            cause = walk(hart, va, access, priv, pa, &again);
        } while (again);
        if (cause) {
            return cause;
        }
    }
    if (hart->pmp_active || priv != PRIV_M) {
        pmp_result_t result = pmp_check(hart, *pa, size, access, priv);
        if (result == PMP_DENY) {
            return access_fault(access);
        }
        *cacheable = result == PMP_ALLOW_PAGE;
    }
    return 0;
}

/* The mode that loads and stores are made in: MPRV lends M-mode another's. */
static unsigned data_priv(const hart_t *hart)
{
    if (hart->priv == PRIV_M && (hart->mstatus & MSTATUS_MPRV)) {
        return (hart->mstatus & MSTATUS_MPP) >> MSTATUS_MPP_SHIFT;
    }
    return hart->priv;
}

/* ---- The TLBs ---- */

static unsigned tlb_set(const hart_t *hart, unsigned priv)
{
    if (priv == PRIV_S) {
        return hart->mstatus & MSTATUS_SUM ? TLB_S_SUM : TLB_S;
    }
    return priv == PRIV_U ? TLB_U : TLB_M;
}

static uint32_t asid_tag(const hart_t *hart, unsigned priv)
{
    if (priv == PRIV_M || !(hart->satp & SATP_MODE)) {
        return 0;
    }
    return (hart->satp & SATP_ASID) >> SATP_ASID_SHIFT << 3;
}

/* A tag of another page's entry: no access that looks into entry n matches it. */
static uint32_t no_tag(unsigned n)
{
    return (n ^ 1u) << PAGE_SHIFT;
}

void mmu_flush_stores(hart_t *hart)
{
    for (unsigned set = 0; set < TLB_SETS; set++) {
        for (unsigned n = 0; n < TLB_SIZE; n++) {
            hart->tlb[set][n].store_tag = no_tag(n);
        }
    }
}

void mmu_forget_jumps(hart_t *hart)
{
    hart->generation++;
    memset(hart->jump_pages, 0, sizeof(hart->jump_pages));
}

static void flush_tlb(hart_t *hart)
{
    for (unsigned set = 0; set < TLB_SETS; set++) {
        for (unsigned n = 0; n < TLB_SIZE; n++) {
            hart->tlb[set][n].load_tag = no_tag(n);
            hart->tlb[set][n].store_tag = no_tag(n);
        }
        for (unsigned n = 0; n < ITLB_SIZE; n++) {
            hart->itlb[set][n].tag = no_tag(n);
        }
    }
    memset(hart->megapages, 0, sizeof(hart->megapages));
    mmu_forget_jumps(hart);
}

/* What changes the meaning of cached translations without an SFENCE.VMA. */
static uint32_t translation_rules(const hart_t *hart)
{
    return (hart->satp & SATP_MODE) | (hart->mstatus & MSTATUS_MXR);
}

static void set_context(hart_t *hart)
{
    unsigned priv = data_priv(hart);
    hart->dtlb = hart->tlb[tlb_set(hart, priv)];
    hart->dasid = asid_tag(hart, priv);
    if (UNLIKELY(hart->generation >= 1u << 20)) {
        memset(hart->jump, 0, sizeof(hart->jump));
        hart->generation = 1;
    }
    hart->context = hart->generation << 12 | asid_tag(hart, hart->priv) | hart->priv | 4u;
}

void mmu_update_context(hart_t *hart)
{
    if (hart->translated_by != translation_rules(hart)) {
        hart->translated_by = translation_rules(hart);
        flush_tlb(hart);
    }
    set_context(hart);
}

void mmu_flush_all(hart_t *hart)
{
    flush_tlb(hart);
    set_context(hart);
}

void mmu_flush_page(hart_t *hart, uint32_t va)
{
    unsigned n = va >> PAGE_SHIFT & (TLB_SIZE - 1), in = va >> PAGE_SHIFT & (ITLB_SIZE - 1);
    if (hart->megapages[va >> 27] >> (va >> 22 & 31) & 1) {
        mmu_flush_all(hart); /* the page may be part of a megapage, which other entries are of too */
        return;
    }
    for (unsigned set = 0; set < TLB_SETS; set++) {
        hart->tlb[set][n].load_tag = no_tag(n);
        hart->tlb[set][n].store_tag = no_tag(n);
        hart->itlb[set][in].tag = no_tag(in);
    }
    if (hart_jump_page(hart, va)) {
        mmu_forget_jumps(hart);
        set_context(hart);
    }
}

uint32_t mmu_exec_offset(hart_t *hart, uint32_t va, uint32_t *offset)
{
    unsigned n = va >> PAGE_SHIFT & (ITLB_SIZE - 1);
    itlb_entry_t *e = &hart->itlb[tlb_set(hart, hart->priv)][n];
    uint32_t tag = (va & ~PAGE_MASK) | asid_tag(hart, hart->priv);
    paddr_t pa;
    bool cacheable;
    if (LIKELY(e->tag == tag)) {
        *offset = e->ram_page << PAGE_SHIFT | (va & PAGE_MASK);
        return 0;
    }
    uint32_t cause = mmu_translate(hart, va, 2, ACCESS_EXEC, hart->priv, &pa, &cacheable);
    if (cause) {
        return cause;
    }
    if (!ram_at(hart->bus, pa, 2)) {
        return EXC_INSN_ACCESS;
    }
    *offset = (uint32_t)(pa - hart->bus->ram_base);
    if (cacheable) {
        e->tag = tag;
        e->ram_page = *offset >> PAGE_SHIFT;
    }
    return 0;
}

/* Enters a translation for what was just accessed at va, host memory p. */
static void tlb_fill(hart_t *hart, uint32_t va, uint8_t *p, access_t access)
{
    unsigned n = va >> PAGE_SHIFT & (TLB_SIZE - 1);
    tlb_entry_t *e = &hart->tlb[tlb_set(hart, data_priv(hart))][n];
    uintptr_t addend = (uintptr_t)p - va;
    uint32_t tag = (va & ~PAGE_MASK) | hart->dasid;
    if (e->addend != addend || (e->load_tag != tag && e->store_tag != tag)) {
        e->load_tag = e->store_tag = no_tag(n);
        e->addend = addend;
    }
    if (access == ACCESS_LOAD) {
        e->load_tag = tag;
    } else {
        e->store_tag = tag;
    }
}

/* ---- Slow paths ---- */

/* Where a data access inside one page goes. */
typedef struct place {
    paddr_t pa;
    uint8_t *host; /* NULL: a device */
    bool is_ram;
} place_t;

/* Translates, finds host memory and fills the TLB. 0, or the exception cause. */
static uint32_t find_place(hart_t *hart, uint32_t va, uint32_t size, access_t access, place_t *place)
{
    bool cacheable;
    uint32_t cause =
        mmu_translate(hart, va, size, access, data_priv(hart), &place->pa, &cacheable);
    if (cause) {
        return cause;
    }
    place->host = ram_at(hart->bus, place->pa, size);
    place->is_ram = place->host;
    if (!place->is_ram) {
        uint8_t *page = hart->bus->direct
                            ? hart->bus->direct(hart->bus->opaque, place->pa & ~(paddr_t)PAGE_MASK)
                            : NULL;
        place->host = page ? page + (place->pa & PAGE_MASK) : NULL;
    }
    if (!place->host || !cacheable) {
        return 0;
    }
    if (access == ACCESS_STORE && place->is_ram &&
        codemap_is_code(hart->bus->codemap, (place->pa - hart->bus->ram_base) >> PAGE_SHIFT)) {
        return 0; /* stores to code are all seen */
    }
    tlb_fill(hart, va, place->host, access);
    return 0;
}

/* Bytes of any alignment; a single access when aligned, so that other harts see it whole. */
static uint64_t host_load(const uint8_t *p, uint32_t size)
{
    uint64_t value = 0;
    if (((uintptr_t)p & (size - 1)) == 0) {
        switch (size) {
        case 1:
            return ram_load_u8(p);
        case 2:
            return ram_load_u16(p);
        case 4:
            return ram_load_u32(p);
        case 8:
            return ram_load_u64(p);
        }
    }
    for (uint32_t n = 0; n < size; n++) {
        value |= (uint64_t)ram_load_u8(p + n) << (8 * n);
    }
    return value;
}

static void host_store(uint8_t *p, uint32_t size, uint64_t value)
{
    if (((uintptr_t)p & (size - 1)) == 0) {
        switch (size) {
        case 1:
            ram_store_u8(p, (uint8_t)value);
            return;
        case 2:
            ram_store_u16(p, (uint16_t)value);
            return;
        case 4:
            ram_store_u32(p, (uint32_t)value);
            return;
        case 8:
            ram_store_u64(p, value);
            return;
        }
    }
    for (uint32_t n = 0; n < size; n++) {
        ram_store_u8(p + n, (uint8_t)(value >> (8 * n)));
    }
}

static bool device_load(hart_t *hart, paddr_t pa, uint32_t size, uint64_t *value)
{
    uint8_t bytes[8] = {0};
    if ((pa & (size - 1)) || !hart->bus->read(hart->bus->opaque, pa, bytes, (uint8_t)size)) {
        return false;
    }
    *value = util_get_le64(bytes);
    return true;
}

static bool device_store(hart_t *hart, paddr_t pa, uint32_t size, uint64_t value)
{
    uint8_t bytes[8];
    util_put_le64(bytes, value);
    return !(pa & (size - 1)) && hart->bus->write(hart->bus->opaque, pa, bytes, (uint8_t)size);
}

static void note_ram_store(hart_t *hart, paddr_t pa, uint32_t size)
{
    if (block_wrote_code(hart, pa - hart->bus->ram_base, size)) {
        hart->code_written = true;
    }
}

/* A load that stays in its page. Only whole registers' sizes reach devices. */
static bool load_in_page(hart_t *hart, uint32_t va, uint32_t size, uint64_t *value)
{
    place_t place;
    uint32_t cause = find_place(hart, va, size, ACCESS_LOAD, &place);
    if (cause) {
        return hart_raise(hart, cause, va);
    }
    if (place.host) {
        *value = host_load(place.host, size);
        return true;
    }
    return device_load(hart, place.pa, size, value) || hart_raise(hart, EXC_LOAD_ACCESS, va);
}

bool mmu_load(hart_t *hart, uint32_t va, uint32_t size, uint64_t *value)
{
    uint32_t first = PAGE_SIZE - (va & PAGE_MASK);
    *value = 0;
    if (size <= first) {
        return load_in_page(hart, va, size, value);
    }
    for (uint32_t n = 0; n < size; n++) {
        place_t place;
        uint32_t cause = find_place(hart, va + n, 1, ACCESS_LOAD, &place);
        if (cause || !place.host) {
            return hart_raise(hart, cause ? cause : EXC_LOAD_ACCESS, n < first ? va : va + n);
        }
        *value |= (uint64_t)ram_load_u8(place.host) << (8 * n);
    }
    return true;
}

static bool store_in_page(hart_t *hart, uint32_t va, uint32_t size, uint64_t value)
{
    place_t place;
    uint32_t cause = find_place(hart, va, size, ACCESS_STORE, &place);
    if (cause) {
        return hart_raise(hart, cause, va);
    }
    if (place.host) {
        host_store(place.host, size, value);
        if (place.is_ram) {
            note_ram_store(hart, place.pa, size);
        }
        return true;
    }
    return device_store(hart, place.pa, size, value) || hart_raise(hart, EXC_STORE_ACCESS, va);
}

bool mmu_store(hart_t *hart, uint32_t va, uint32_t size, uint64_t value)
{
    uint32_t first = PAGE_SIZE - (va & PAGE_MASK);
    place_t place[2];
    if (size <= first) {
        return store_in_page(hart, va, size, value);
    }
    /* Both pages are checked before either is written. */
    for (unsigned part = 0; part < 2; part++) {
        uint32_t at = part ? va + first : va;
        uint32_t cause = find_place(hart, at, part ? size - first : first, ACCESS_STORE, &place[part]);
        if (cause || !place[part].host) {
            return hart_raise(hart, cause ? cause : EXC_STORE_ACCESS, at);
        }
    }
    for (uint32_t n = 0; n < size; n++) {
        uint8_t *p = n < first ? place[0].host + n : place[1].host + (n - first);
        ram_store_u8(p, (uint8_t)(value >> (8 * n)));
    }
    for (unsigned part = 0; part < 2; part++) {
        if (place[part].is_ram) {
            note_ram_store(hart, place[part].pa, part ? size - first : first);
        }
    }
    return true;
}

static uint8_t *atomic_word(hart_t *hart, uint32_t va, access_t access, place_t *place)
{
    uint32_t misaligned = access == ACCESS_LOAD ? EXC_LOAD_MISALIGNED : EXC_STORE_MISALIGNED;
    uint32_t cause = va & 3 ? misaligned : find_place(hart, va, 4, access, place);
    if (!cause && !place->host) {
        cause = access_fault(access); /* devices take no atomics */
    }
    if (cause) {
        hart_raise(hart, cause, va);
        return NULL;
    }
    return place->host;
}

uint8_t *mmu_lr_word(hart_t *hart, uint32_t va)
{
    place_t place;
    return atomic_word(hart, va, ACCESS_LOAD, &place);
}

uint8_t *mmu_amo_word(hart_t *hart, uint32_t va)
{
    place_t place;
    uint8_t *word = atomic_word(hart, va, ACCESS_STORE, &place);
    if (word && place.is_ram) {
        hart->amo_offset = (size_t)(place.pa - hart->bus->ram_base);
        hart->code_written = codemap_is_code(hart->bus->codemap, hart->amo_offset >> PAGE_SHIFT);
    }
    return word;
}

void mmu_amo_done(hart_t *hart)
{
    hart->code_written = false;
    block_wrote_code(hart, hart->amo_offset, 4);
}

bool mmu_cbo_zero(hart_t *hart, uint32_t va)
{
    place_t place;
    uint32_t start = va & ~(CBO_BLOCK - 1);
    uint32_t cause = find_place(hart, start, CBO_BLOCK, ACCESS_STORE, &place);
    if (cause || !place.host) {
        return hart_raise(hart, cause ? cause : EXC_STORE_ACCESS, va);
    }
    for (uint32_t n = 0; n < CBO_BLOCK; n += 8) {
        ram_store_u64(place.host + n, 0);
    }
    if (place.is_ram && block_wrote_code(hart, place.pa - hart->bus->ram_base, CBO_BLOCK)) {
        hart->amo_offset = (size_t)(place.pa - hart->bus->ram_base);
        hart->code_written = true;
    }
    return true;
}

/* Permitted when a load or a store is; reported as a store (Zicbom, "Address-Translation Exceptions"). */
bool mmu_cbo_manage(hart_t *hart, uint32_t va)
{
    paddr_t pa;
    bool cacheable;
    uint32_t start = va & ~(CBO_BLOCK - 1);
    unsigned priv = data_priv(hart);
    uint32_t cause = mmu_translate(hart, start, CBO_BLOCK, ACCESS_LOAD, priv, &pa, &cacheable);
    if (cause) {
        cause = mmu_translate(hart, start, CBO_BLOCK, ACCESS_STORE, priv, &pa, &cacheable);
    }
    return !cause || hart_raise(hart, cause, va);
}

bool mmu_fetch(hart_t *hart, uint32_t pc, uint32_t *word, uint32_t *cause, uint32_t *tval)
{
    uint32_t offset;
    *tval = pc;
    *cause = mmu_exec_offset(hart, pc, &offset);
    if (*cause) {
        return false;
    }
    *word = ram_load_u16(hart->bus->ram + offset);
    if ((*word & 3) != 3) {
        return true;
    }
    *tval = pc + 2;
    *cause = mmu_exec_offset(hart, pc + 2, &offset);
    if (*cause) {
        return false;
    }
    *word |= (uint32_t)ram_load_u16(hart->bus->ram + offset) << 16;
    return true;
}

bool hart_read_virt(hart_t *hart, uint32_t va, void *dest, size_t size)
{
    uint8_t *out = dest;
    for (size_t n = 0; n < size; n++) {
        paddr_t pa;
        bool cacheable;
        uint32_t at = va + (uint32_t)n;
        if (mmu_translate(hart, at, 1, ACCESS_LOAD, data_priv(hart), &pa, &cacheable)) {
            return false;
        }
        const uint8_t *p = ram_at(hart->bus, pa, 1);
        if (!p) {
            return false;
        }
        out[n] = ram_load_u8(p);
    }
    return true;
}
