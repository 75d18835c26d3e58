/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Privilege: modes, page tables, PMP entries, interrupts, CSRs. The generator always knows the mode
 * that code will run in; only M-mode code changes what the others depend on.
 */
#include "gen.h"

enum { T0 = 5, T1 = 6, T2 = 7, A0 = 10 };
enum {
    PTE_V = 1,
    PTE_R = 2,
    PTE_W = 4,
    PTE_X = 8,
    PTE_U = 16,
    PTE_G = 32,
    PTE_A = 64,
    PTE_D = 128
};
enum {
    STATUS_SUM = 1 << 18,
    STATUS_MXR = 1 << 19,
    STATUS_TVM = 1 << 20,
    STATUS_TW = 1 << 21,
    STATUS_TSR = 1 << 22,
    STATUS_MPRV = 1 << 17,
    STATUS_MPP = 3 << 11,
    STATUS_FS = 3 << 13,
};
/* Pages of the playground from here on are never global, so that an ASID's SFENCE.VMA reaches them.
 */
#define PLAY_LOCAL 48
/* Those from here to there may map to where nothing is: differences.txt, misaligned-nowhere. */
#define PLAY_NOWHERE 32

/* ---- page tables ---- */

static uint32_t random_flags(gen_t *g, bool local)
{
    static const uint8_t kinds[] = {PTE_R,         PTE_R | PTE_W, PTE_R | PTE_W, PTE_R | PTE_W,
                                    PTE_R | PTE_X, PTE_R | PTE_X, PTE_X};
    static const uint8_t odd[] = {0, PTE_W, PTE_W | PTE_X};
    uint32_t flags = gen_chance(g, 90) ? kinds[gen_random(g, ARRAY_LEN(kinds))]
                                       : odd[gen_random(g, ARRAY_LEN(odd))];
    flags |= gen_chance(g, 92) ? PTE_V : 0;
    flags |= gen_chance(g, 50) ? PTE_U : 0;
    flags |= gen_chance(g, 15) && !local ? PTE_G : 0;
    flags |= gen_chance(g, 75) ? PTE_A : 0;
    flags |= gen_chance(g, 60) ? PTE_D : 0;
    return flags | gen_random(g, 4) << 8;
}

static uint32_t random_page(gen_t *g, unsigned n)
{
    bool local = n >= PLAY_LOCAL;
    uint32_t flags = random_flags(g, local), ppn = (PHYS + OFF_VMDATA) >> 12;
    ppn += gen_random(g, 4);
    if (flags & PTE_X) {
        ppn = (PHYS + OFF_STUB) >> 12;
    } else if (n >= PLAY_NOWHERE && !local && gen_chance(g, 15)) {
        ppn = gen_chance(g, 50) ? UNMAPPED_PA >> 12 : 0x200000; /* the latter beyond 4 GiB */
        flags &= ~(uint32_t)PTE_W; /* no AMO there: differences.txt, amo-nowhere */
    }
    return ppn << 10 | flags;
}

static uint32_t random_superpage(gen_t *g)
{
    uint32_t ppn = PHYS >> 12, flags = random_flags(g, false);
    if ((flags & (PTE_R | PTE_W | PTE_X)) == 0) {
        flags &= ~(uint32_t)PTE_V; /* never a pointer to whatever is there */
    }
    if (gen_chance(g, 12)) {
        ppn |= 1 + gen_random(g, 1023);
    }
    return ppn << 10 | flags;
}

void priv_fill_tables(gen_t *g)
{
    const uint32_t leaf = PTE_V | PTE_R | PTE_W | PTE_X | PTE_A | PTE_D;
    gen_put32(g, OFF_ROOT + 4 * (PHYS >> 22), (PHYS >> 12) << 10 | leaf | PTE_G);
    gen_put32(g, OFF_ROOT + 4 * (USER_ALIAS >> 22), (PHYS >> 12) << 10 | leaf | PTE_U);
    gen_put32(g, OFF_ROOT + 4 * (UART_BASE >> 22), (UART_BASE >> 12) << 10 | leaf);
    gen_put32(g, OFF_ROOT + 4 * (PLAY_VA >> 22), (PHYS + OFF_LEAF) >> 12 << 10 | PTE_V);
    for (unsigned n = 0; n < SUPER_COUNT; n++) {
        gen_put32(g, OFF_ROOT + 4 * ((SUPER_VA >> 22) + n), random_superpage(g));
    }
    for (unsigned n = 0; n < PLAY_PAGES; n++) {
        gen_put32(g, OFF_LEAF + 4 * n, random_page(g, n));
    }
    /* The last halfword begins a 4-byte instruction (addi zero, tp, ..) that ends on the next page.
     */
    util_put_le16(g->mem + OFF_STUB + 4094, 0x0013);
}

/* Makes the change to the PTE of va known, one way or another. */
static void emit_fence(gen_t *g, uint32_t va, bool local)
{
    uint32_t kind = gen_random(g, local ? 4 : 3);
    emit_li(g, T0, va);
    emit_li(g, T1, g->satp >> 22 & 0x1ff);
    switch (kind) {
    case 0:
        emit(g, INSN_sfence_vma, 0, X_ZERO, X_ZERO, 0);
        break;
    case 1:
        emit(g, INSN_sfence_vma, 0, T0, X_ZERO, 0);
        break;
    case 2:
        emit(g, INSN_sfence_w_inval, 0, 0, 0, 0);
        emit(g, INSN_sinval_vma, 0, T0, X_ZERO, 0);
        emit(g, INSN_sfence_inval_ir, 0, 0, 0, 0);
        break;
    default:
        emit(g, INSN_sfence_vma, 0, T0, T1, 0);
        break;
    }
}

static void item_change_pte(gen_t *g)
{
    uint32_t n, va, pte, at;
    bool local = false;
    if (gen_chance(g, 25)) {
        n = gen_random(g, SUPER_COUNT);
        va = SUPER_VA + (n << 22);
        at = PHYS + OFF_ROOT + (va >> 22) * 4;
        pte = random_superpage(g);
    } else {
        n = gen_random(g, PLAY_PAGES);
        local = n >= PLAY_LOCAL;
        va = PLAY_VA + (n << 12);
        at = PHYS + OFF_LEAF + n * 4;
        pte = random_page(g, n);
    }
    emit_li(g, T0, at);
    emit_li(g, T1, pte);
    emit(g, INSN_sw, 0, T0, T1, 0);
    emit_fence(g, va + gen_random(g, 4096), local);
}

/* ---- memory that may refuse ---- */

static uint32_t address_register(gen_t *g)
{
    uint32_t reg;
    do {
        reg = gen_pick_rd(g);
    } while (reg == X_ZERO || reg == X_RA);
    return reg;
}

static void item_playground(gen_t *g)
{
    uint32_t reg = address_register(g), offset = gen_random(g, 4096), va;
    bool super = gen_chance(g, 25), jump = gen_chance(g, 20);
    if (gen_chance(g, 30)) {
        offset |= 0xff0; /* near the page's end */
    }
    offset &= gen_chance(g, 15) ? ~1u : ~7u;
    if (jump && gen_chance(g, 30)) {
        offset = 4094;
    }
    if (super) {
        uint32_t place = jump ? OFF_STUB : OFF_VMDATA + (gen_random(g, 4) << 12);
        va = SUPER_VA + (gen_random(g, SUPER_COUNT) << 22) + place +
             (jump ? offset & 0xffc : offset);
    } else {
        uint32_t page = gen_random(g, PLAY_PAGES - 1);
        if (!jump && page >= PLAY_NOWHERE - 1 && page < PLAY_LOCAL) {
            offset &= ~7u;
        }
        va = PLAY_VA + (page << 12) + offset;
    }
    if (jump && g->mode == GEN_S) { /* without SUM: differences.txt, sum-fetch */
        emit_li(g, reg, STATUS_SUM);
        emit_csr(g, INSN_csrrc, X_ZERO, 0x100, reg);
    }
    emit_li(g, reg, va);
    if (jump && !g->mprv) {
        emit(g, INSN_jalr, X_RA, reg, 0, 0);
    } else if (!jump) {
        item_access_row(g, reg, 0, true);
    }
}

static void item_pmp_access(gen_t *g)
{
    uint32_t reg = address_register(g), offset = gen_random(g, 0x2000) & ~3u;
    emit_li(g, reg, gen_data_address(g, PHYS + OFF_PMP + offset));
    item_access_row(g, reg, 0, false);
}

static void item_unmapped(gen_t *g)
{
    uint32_t reg = address_register(g);
    emit_li(g, reg, UNMAPPED_PA + (gen_word(g) & 0xfff8));
    if (gen_chance(g, 25)) {
        emit(g, INSN_jalr, X_RA, reg, 0, 0);
    } else { /* no AMO: differences.txt, amo-nowhere */
        static const uint8_t rows[] = {INSN_lb, INSN_lh, INSN_lw,  INSN_lbu, INSN_lhu, INSN_sb,
                                       INSN_sh, INSN_sw, INSN_flw, INSN_fsw, INSN_fld, INSN_fsd};
        emit(g, rows[gen_random(g, ARRAY_LEN(rows))], gen_pick_rd(g), reg, gen_pick_rs(g), 0);
    }
}

/*
 * PMP entries 1 to 6 over the PMP area; entry 15 lets the rest through. R=0 W=1 is reserved and
 * left out. Entry 0 stays off but is the bottom of entry 1 when that is TOR.
 */
static void emit_pmp(gen_t *g)
{
    uint32_t cfg[2] = {0, 0};
    for (uint32_t n = 0; n < 7; n++) {
        uint32_t address = (PHYS + OFF_PMP + (gen_random(g, 0x2000) & ~3u)) >> 2;
        static const uint8_t rights[] = {0, 1, 3, 4, 5, 7};
        uint32_t kind = n == 0 ? 0 : gen_random(g, 4), size;
        if (kind == 3) { /* NAPOT of 8 bytes to 4 KiB */
            size = gen_random(g, 10);
            address = (address & ~((2u << size) - 1)) | ((1u << size) - 1);
        }
        emit_li(g, T0, address);
        emit_csr(g, INSN_csrrw, X_ZERO, 0x3b0 + n, T0);
        cfg[n / 4] |= (kind << 3 | rights[gen_random(g, ARRAY_LEN(rights))]) << (n % 4 * 8);
    }
    emit_li(g, T0, cfg[0]);
    emit_csr(g, INSN_csrrw, X_ZERO, 0x3a0, T0);
    emit_li(g, T0, cfg[1]);
    emit_csr(g, INSN_csrrw, X_ZERO, 0x3a1, T0);
    emit(g, INSN_sfence_vma, 0, X_ZERO, X_ZERO, 0);
}

/* ---- CSRs ---- */

static const uint16_t plain_csrs[] = {0x341, 0x342, 0x343, 0x141, 0x142, 0x143};
static const uint16_t readable_csrs[] = {0x300, 0x302, 0x304, 0x305, 0x306, 0x340, 0x341, 0x342,
                                         0x343, 0x344, 0x3a0, 0x3a1, 0x3b0, 0x3b3, 0x3b6, 0x100,
                                         0x104, 0x105, 0x106, 0x140, 0x141, 0x142, 0x143, 0x144,
                                         0x180, 0xf14, 0x001, 0x002, 0x003};

static void item_csr(gen_t *g)
{
    uint32_t reg;
    switch (gen_random(g, 6)) {
    case 0: /* a register without side effects: any operation, any value */
        reg = plain_csrs[gen_random(g, ARRAY_LEN(plain_csrs))];
        if (reg == 0x341 || reg == 0x141) { /* no odd values: differences.txt, epc-bit-0 */
            uint32_t value = address_register(g);
            emit(g, INSN_slli, value, gen_pick_rs(g), 0, 1);
            emit_csr(g, INSN_csrrw, gen_pick_rd(g), reg, value);
            break;
        }
        emit_csr(g, INSN_csrrw + gen_random(g, 6), gen_pick_rd(g), reg, gen_random(g, 32));
        break;
    case 1:
    case 2: /* read, where the mode may */
        reg = readable_csrs[gen_random(g, ARRAY_LEN(readable_csrs))];
        emit_csr(g, gen_chance(g, 50) ? INSN_csrrs : INSN_csrrci, gen_pick_rd(g), reg, 0);
        break;
    case 3: /* counters: only whether they may be read */
        emit_csr(g, INSN_csrrs, X_ZERO, 0xc00 + gen_random(g, 3) + gen_random(g, 2) * 0x80, 0);
        break;
    case 4: /* writing what is read-only, reading what is not there */
        emit_csr(g, INSN_csrrw, gen_pick_rd(g), gen_chance(g, 50) ? 0xf14 : 0x5c0, 1);
        break;
    default: /* SUM and MXR */
        reg = address_register(g);
        emit_li(g, reg, gen_random(g, 4) << 18);
        emit_csr(g, INSN_csrrs + gen_random(g, 2), X_ZERO, 0x100, reg);
        break;
    }
}

/* ---- interrupts ---- */

enum { CSR_STIMECMP = 0x14d, CSR_STIMECMPH = 0x15d, MSIP = 0x0000, MTIMECMP = 0x4000 };

static void emit_store_word(gen_t *g, uint32_t address, uint32_t value)
{
    emit_li(g, T0, address);
    emit_li(g, T1, value);
    emit(g, INSN_sw, 0, T0, T1, 0);
}

/* Interrupts pending or not, by mask of mip. Low half of a 64-bit time last when it is to fire. */
static void emit_raise(gen_t *g, uint32_t bits)
{
    uint32_t timer = bits >> 7 & 1 ? 0 : 0xffffffff, stimer = bits >> 5 & 1 ? 0 : 0xffffffff;
    emit_store_word(g, CLINT_BASE + MSIP, bits >> 3 & 1);
    emit_store_word(g, CLINT_BASE + MTIMECMP + 4, timer);
    emit_store_word(g, CLINT_BASE + MTIMECMP, timer);
    emit_li(g, T0, stimer);
    emit_csr(g, INSN_csrrw, X_ZERO, CSR_STIMECMPH, T0);
    emit_csr(g, INSN_csrrw, X_ZERO, CSR_STIMECMP, T0);
    emit_li(g, T0, bits & 0x202);
    emit_csr(g, INSN_csrrw, X_ZERO, 0x344, T0);
}

/* In M-mode: raises interrupts, lets them in, takes them back. */
static void item_interrupts(gen_t *g)
{
    uint32_t saved = g->locked;
    g->locked |= 1u << T0;
    emit_raise(g, gen_word(g) & 0x2aa);
    emit_li(g, T0, gen_word(g) & 0xaaa);
    emit_csr(g, INSN_csrrw, X_ZERO, 0x304, T0);
    emit_csr(g, INSN_csrrs, gen_pick_rd(g), 0x344, X_ZERO);
    emit_csr(g, INSN_csrrs, gen_pick_rd(g), 0x144, X_ZERO);
    emit_csr(g, INSN_csrrsi, X_ZERO, 0x300, 8);
    emit_csr(g, INSN_csrrs, gen_pick_rd(g), 0x304, X_ZERO);
    emit_csr(g, INSN_csrrci, X_ZERO, 0x300, 8);
    if (gen_chance(g, 40)) { /* WFI with something pending and enabled goes on, MIE or not */
        emit_raise(g, 8);
        emit_li(g, T0, 8);
        emit_csr(g, INSN_csrrw, X_ZERO, 0x304, T0);
        emit(g, INSN_wfi, 0, 0, 0, 0);
    }
    emit_csr(g, INSN_csrrw, X_ZERO, 0x304, X_ZERO);
    emit_raise(g, 0);
    g->locked = saved;
}

/* ---- returns from traps ---- */

static void item_xret(gen_t *g)
{
    uint32_t reg = address_register(g);
    bool machine = g->mode == GEN_M;
    if (g->mode == GEN_U || (g->mode == GEN_S && gen_chance(g, 30))) {
        emit(g, gen_chance(g, 50) && g->mode == GEN_U ? INSN_sret : INSN_mret, 0, 0, 0, 0);
        return;
    }
    if (g->mprv) {
        return;
    }
    uint32_t at = g->pc;
    emit(g, INSN_auipc, reg, 0, 0, 0);
    emit(g, INSN_addi, reg, reg, 0, 24);
    emit_csr(g, INSN_csrrw, X_ZERO, machine ? 0x341 : 0x141, reg);
    emit(g, INSN_lui, reg, 0, 0, machine ? 0x2000 : 0x1000);
    emit(g, INSN_addi, reg, reg, 0, machine ? (uint32_t)-0x800 : (uint32_t)-0x700);
    if (!machine) { /* 0x900: SPP, and a bit that sstatus does not have */
        emit_csr(g, INSN_csrrs, X_ZERO, 0x100, reg);
        emit(g, INSN_sret, 0, 0, 0, 0);
    } else {
        emit_csr(g, INSN_csrrs, X_ZERO, 0x300, reg);
        emit(g, INSN_mret, 0, 0, 0, 0);
    }
    gen_put32(g, at + 4 - PHYS, gen_encode(INSN_addi, reg, reg, 0, g->pc - at));
}

static void item_wait(gen_t *g)
{
    if (g->mode == GEN_U || (g->mode == GEN_S && g->mstatus_bits & STATUS_TW)) {
        emit(g, INSN_wfi, 0, 0, 0, 0); /* nothing pending: illegal */
    }
}

/* A fence where TVM may forbid it. */
static void item_fence(gen_t *g)
{
    /* Svinval only where it is legal: differences.txt, svinval-user and svinval-tval. */
    bool plain = g->mode == GEN_U || (g->mode == GEN_S && (g->mstatus_bits & STATUS_TVM));
    uint32_t kind = plain ? 3 : gen_random(g, 4);
    emit(g, kind == 0 ? INSN_sinval_vma : INSN_sfence_vma, 0, gen_pick_rs(g), X_ZERO, 0);
    if (kind == 1) {
        emit(g, INSN_sfence_w_inval, 0, 0, 0, 0);
    } else if (kind == 2) {
        emit(g, INSN_sfence_inval_ir, 0, 0, 0, 0);
    } else if (g->mode == GEN_S) {
        uint32_t reg = address_register(g);
        emit_li(g, reg, g->satp);
        emit_csr(g, INSN_csrrw, gen_pick_rd(g), 0x180, reg);
    }
}

void item_privileged(gen_t *g)
{
    bool translated = g->paging && (g->mode != GEN_M || g->mprv);
    bool tables =
        !g->mprv && g->mode != GEN_U && !(g->mode == GEN_S && (g->mstatus_bits & STATUS_TVM));
    uint32_t dice = gen_random(g, 100);
    if (dice < 35 && translated) {
        item_playground(g);
    } else if (dice < 50) {
        item_pmp_access(g);
    } else if (dice < 60 && tables) {
        item_change_pte(g);
    } else if (dice < 66) {
        item_unmapped(g);
    } else if (dice < 80) {
        item_csr(g);
    } else if (dice < 85) {
        item_xret(g);
    } else if (dice < 88) {
        item_wait(g);
    } else if (dice < 91) {
        item_fence(g);
    } else if (g->mode == GEN_S) {
        emit_csr(g, gen_chance(g, 50) ? INSN_csrrsi : INSN_csrrci, gen_pick_rd(g), 0x100, 2);
    } else if (g->mode == GEN_M && !g->mprv && dice < 94) {
        item_interrupts(g);
    }
}

/* ---- going from mode to mode ---- */

void priv_emit_setup(gen_t *g)
{
    uint32_t bits = 0;
    static const uint32_t flags[] = {STATUS_SUM, STATUS_MXR, STATUS_TVM, STATUS_TW, STATUS_TSR};
    for (unsigned n = 0; n < ARRAY_LEN(flags); n++) {
        bits |= gen_chance(g, n < 2 ? 50 : 25) ? flags[n] : 0;
    }
    g->mstatus_bits = bits;
    g->fs_off = gen_chance(g, 6);
    g->paging = gen_chance(g, 80);
    emit_raise(g, 0);
    g->satp = (PHYS + OFF_ROOT) >> 12 | gen_random(g, 512) << 22 | (g->paging ? 1u << 31 : 0);
    emit_li(g, T0, bits | (g->fs_off ? 0 : STATUS_FS));
    emit_csr(g, INSN_csrrw, X_ZERO, 0x300, T0);
    emit_li(g, T0, g->paging ? g->satp : 0);
    emit_csr(g, INSN_csrrw, X_ZERO, 0x180, T0);
    /* With TSR the S-mode handler could not return: it gets no traps then. */
    emit_li(g, T0, bits & STATUS_TSR || gen_chance(g, 30) ? 0 : gen_word(g) & 0xb1ff);
    emit_csr(g, INSN_csrrw, X_ZERO, 0x302, T0);
    emit_li(g, T0, gen_random(g, 8));
    emit_csr(g, INSN_csrrw, X_ZERO, 0x306, T0);
    emit_li(g, T0, gen_random(g, 8));
    emit_csr(g, INSN_csrrw, X_ZERO, 0x106, T0);
    emit_li(g, T0, g->handler_m | gen_random(g, 2));
    emit_csr(g, INSN_csrrw, X_ZERO, 0x305, T0);
    emit_li(g, T0, g->handler_s | gen_random(g, 2));
    emit_csr(g, INSN_csrrw, X_ZERO, 0x105, T0);
    emit_pmp(g);
}

static void emit_point(gen_t *g)
{
    emit_li(g, X_GP, gen_data_address(g, PHYS + OFF_CONTROL));
    item_repoint(g, X_SP);
    item_repoint(g, X_S0);
    item_repoint(g, X_S1);
}

/* M-mode with MPRV: data accesses are made as MPP says. The first trap leaves MPP at U. */
static void emit_mprv(gen_t *g)
{
    bool user = gen_chance(g, 70);
    emit_li(g, T0, STATUS_MPP);
    emit_csr(g, INSN_csrrc, X_ZERO, 0x300, T0);
    emit_li(g, T0, STATUS_MPRV | (user ? 0 : 0x800));
    emit_csr(g, INSN_csrrs, X_ZERO, 0x300, T0);
    g->mprv = true;
    if (user && g->paging) {
        g->mode = GEN_U; /* for the pointers */
        emit_point(g);
        g->mode = GEN_M;
    }
}

static void emit_pending(gen_t *g)
{
    emit_raise(g, gen_word(g) & 0x2aa);
    emit_li(g, T0, g->mstatus_bits & STATUS_TSR ? 0 : gen_word(g) & 0x222);
    emit_csr(g, INSN_csrrw, X_ZERO, 0x303, T0);
    emit_li(g, T0, gen_word(g) & 0xaaa);
    emit_csr(g, INSN_csrrw, X_ZERO, 0x304, T0);
    emit_csr(g, gen_chance(g, 50) ? INSN_csrrsi : INSN_csrrci, X_ZERO, 0x300, 2);
}

void priv_emit_enter(gen_t *g, gen_mode_t mode)
{
    g->mode = GEN_M;
    g->mprv = false;
    emit_point(g);
    if (mode == GEN_M) {
        if (gen_chance(g, 30)) {
            emit_mprv(g);
        }
        return;
    }
    if (gen_chance(g, 30)) {
        emit_pending(g);
    }
    emit_li(g, T0, STATUS_MPP);
    emit_csr(g, INSN_csrrc, X_ZERO, 0x300, T0);
    if (mode == GEN_S) {
        emit_li(g, T0, 0x800);
        emit_csr(g, INSN_csrrs, X_ZERO, 0x300, T0);
    }
    uint32_t at = g->pc;
    emit(g, INSN_auipc, T0, 0, 0, 0);
    g->mode = mode;
    emit_li(g, T1, gen_data_address(g, PHYS) == PHYS ? 24 : USER_ALIAS - PHYS + 24);
    emit(g, INSN_add, T0, T0, T1, 0);
    emit_csr(g, INSN_csrrw, X_ZERO, 0x341, T0);
    emit(g, INSN_mret, 0, 0, 0, 0);
    while (g->pc - at < 24) { /* the target; emit_li may have been one instruction */
        emit(g, INSN_addi, 0, 0, 0, 0);
    }
    emit_point(g);
}

void priv_emit_leave(gen_t *g)
{
    if (g->mode != GEN_M) {
        emit(g, INSN_sw, 0, X_GP, X_GP, CTL_REQUEST);
        emit(g, INSN_ecall, 0, 0, 0, 0);
    } else if (g->mprv) {
        emit_li(g, T0, STATUS_MPRV);
        emit_csr(g, INSN_csrrc, X_ZERO, 0x300, T0);
    }
    g->mode = GEN_M;
    g->mprv = false;
    emit_csr(g, INSN_csrrw, X_ZERO, 0x304, X_ZERO);
    emit_raise(g, 0);
    emit_csr(g, INSN_csrrw, X_ZERO, 0x303, X_ZERO);
}
