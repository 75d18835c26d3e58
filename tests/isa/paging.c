/* SPDX-License-Identifier: MPL-2.0 */
/* Sv32 (privileged 4.3): the matrix of permissions, A and D, superpages, ASIDs, fences. */
#include "harness.h"

enum { V = 1, R = 2, W = 4, X = 8, U = 16, G = 32, A = 64, D = 128 };
enum { SUM = 1 << 18, MXR = 1 << 19 };
#define ROOT (RAM + 0x10000)
#define LEAF (RAM + 0x11000)
#define VA 0x40000000u

static void set_pte(isa_t *t, uint32_t table, uint32_t index, uint32_t pa, uint32_t flags)
{
    isa_poke(t, table + 4 * index, pa >> 12 << 10 | flags);
}

/* RAM is mapped to itself for S, VA to DATA by a page table of its own. */
static void open_paging(isa_t *t)
{
    isa_open(t);
    set_pte(t, ROOT, RAM >> 22, RAM, V | R | W | X | A | D);
    set_pte(t, ROOT, VA >> 22, LEAF, V);
    isa_set_csr(t, SATP, 1u << 31 | ROOT >> 12);
    isa_set_x(t, A0, VA);
}

static void flush(isa_t *t)
{
    CHECK(ISA_RUN(t, insn_info[INSN_sfence_vma].match));
}

/* One access under MPRV, as a data access of that mode: the cause, 0 for none. */
static uint32_t data_access(isa_t *t, unsigned priv, bool store, uint32_t status)
{
    uint32_t word = store ? asm_s(INSN_sw, A1, A0, 0) : asm_i(INSN_lw, A2, A0, 0);
    flush(t);
    isa_set_csr(t, MSTATUS, 0x6000 | 1u << 17 | priv << 11 | status);
    bool fine = ISA_RUN(t, word);
    isa_set_csr(t, MSTATUS, 0x6000);
    if (!fine) {
        CHECK(t->trapped);
        CHECK_EQ(VA, isa_csr(t, MTVAL));
    }
    return fine ? 0 : isa_csr(t, MCAUSE);
}

/* The fetch of c.nop at VA. The cause, 0 when it ran (and a page fault came only behind it). */
static uint32_t fetch(isa_t *t, unsigned priv)
{
    isa_poke(t, DATA, 0x00000001); /* c.nop, then the illegal instruction */
    flush(t);
    hart_set_pc(t->hart, VA);
    hart_set_priv(t->hart, priv);
    hart_run(t->hart, 20);
    CHECK_EQ(HANDLER, hart_get_pc(t->hart));
    if (isa_csr(t, MCAUSE) == 2) {
        CHECK_EQ(VA + 2, isa_csr(t, MEPC));
        return 0;
    }
    CHECK_EQ(VA, isa_csr(t, MTVAL));
    return isa_csr(t, MCAUSE);
}

/* Every combination of R, W, X, U and V, each kind of access, both modes, SUM and MXR. */
TEST(permissions)
{
    isa_t t;
    open_paging(&t);
    for (uint32_t flags = 0; flags < 32; flags++) {
        set_pte(&t, LEAF, 0, DATA, flags | A | D);
        bool leaf = (flags & V) && !((flags & W) && !(flags & R)) && (flags & (R | X));
        for (unsigned priv = PRIV_U; priv <= PRIV_S; priv++) {
            for (uint32_t status = 0; status < 4; status++) {
                bool user = flags & U, mine = priv == PRIV_U ? user : !user || (status & 1);
                bool readable = (flags & R) || ((status & 2) && (flags & X));
                uint32_t bits = status << 18;
                CHECK_EQ(leaf && mine && readable ? 0 : 13, data_access(&t, priv, false, bits));
                CHECK_EQ(leaf && mine && (flags & W) ? 0 : 15, data_access(&t, priv, true, bits));
            }
            bool mine = (priv == PRIV_U) == !!(flags & U);
            CHECK_EQ(leaf && mine && (flags & X) ? 0 : 12, fetch(&t, priv));
        }
    }
    isa_close(&t);
}

/* SUM never lets S run user code, not even after it has read that page. */
TEST(sum_and_fetch)
{
    isa_t t;
    open_paging(&t);
    set_pte(&t, LEAF, 0, DATA, V | R | X | U | A);
    isa_set_csr(&t, MSTATUS, 0x6000 | SUM);
    CHECK(!ISA_RUN_MODE(&t, PRIV_S, asm_i(INSN_lw, A2, A0, 0), asm_i(INSN_jalr, RA, A0, 0)));
    CHECK_TRAP(&t, 12, VA);
    isa_close(&t);
}

TEST(accessed_and_dirty)
{
    isa_t t;
    open_paging(&t);
    uint32_t flags = V | R | W | X;
    set_pte(&t, LEAF, 0, DATA, flags);
    CHECK_EQ(0, data_access(&t, PRIV_S, false, 0));
    CHECK_EQ(flags | A, isa_peek(&t, LEAF) & 0x3ff);
    CHECK_EQ(0, data_access(&t, PRIV_S, true, 0));
    CHECK_EQ(flags | A | D, isa_peek(&t, LEAF) & 0x3ff);
    set_pte(&t, LEAF, 0, DATA, flags);
    CHECK_EQ(0, fetch(&t, PRIV_S));
    CHECK_EQ(flags | A, isa_peek(&t, LEAF) & 0x3ff);
    /* Without ADUE: a page fault, and nothing changes (Svade). */
    isa_set_csr(&t, MENVCFGH, 0x80000000);
    set_pte(&t, LEAF, 0, DATA, flags);
    CHECK_EQ(13, data_access(&t, PRIV_S, false, 0));
    CHECK_EQ(12, fetch(&t, PRIV_S));
    set_pte(&t, LEAF, 0, DATA, flags | A);
    CHECK_EQ(0, data_access(&t, PRIV_S, false, 0));
    CHECK_EQ(15, data_access(&t, PRIV_S, true, 0));
    CHECK_EQ(flags | A, isa_peek(&t, LEAF) & 0x3ff);
    isa_close(&t);
}

/* A load and then a store through one TLB entry still set D. */
TEST(dirty_after_load)
{
    isa_t t;
    open_paging(&t);
    set_pte(&t, LEAF, 0, DATA, V | R | W);
    CHECK(ISA_RUN_MODE(&t, PRIV_S, asm_i(INSN_lw, A2, A0, 0), asm_s(INSN_sw, A1, A0, 0)));
    CHECK_EQ(V | R | W | A | D, isa_peek(&t, LEAF) & 0x3ff);
    isa_close(&t);
}

TEST(superpages)
{
    isa_t t;
    open_paging(&t);
    uint32_t flags = V | R | W | X | A | D;
    isa_poke(&t, DATA, 0x1234);
    set_pte(&t, ROOT, VA >> 22, RAM, flags);
    isa_set_x(&t, A0, VA + (DATA - RAM));
    CHECK(ISA_RUN_MODE(&t, PRIV_S, asm_i(INSN_lw, A2, A0, 0)));
    CHECK_EQ(0x1234, isa_x(&t, A2));
    isa_set_x(&t, A0, VA);
    set_pte(&t, ROOT, VA >> 22, RAM + 0x1000, flags); /* misaligned */
    CHECK_EQ(13, data_access(&t, PRIV_S, false, 0));
    set_pte(&t, ROOT, VA >> 22, LEAF, V);
    set_pte(&t, LEAF, 0, DATA, V); /* a pointer on the last level */
    CHECK_EQ(13, data_access(&t, PRIV_S, false, 0));
    isa_close(&t);
}

/* The table itself is not in memory: an access fault of the access's own kind. */
TEST(table_nowhere)
{
    isa_t t;
    open_paging(&t);
    set_pte(&t, ROOT, VA >> 22, 0x40000000, V);
    CHECK_EQ(5, data_access(&t, PRIV_S, false, 0));
    CHECK_EQ(7, data_access(&t, PRIV_S, true, 0));
    CHECK_EQ(1, fetch(&t, PRIV_S));
    isa_close(&t);
}

/* New translations are seen after each form of fence that covers them. */
TEST(fences)
{
    uint32_t flags = V | R | W | A | D;
    const uint32_t forms[] = {
        asm_r(INSN_sfence_vma, 0, 0, 0),  asm_r(INSN_sfence_vma, 0, A0, 0),
        asm_r(INSN_sfence_vma, 0, 0, A3), asm_r(INSN_sfence_vma, 0, A0, A3),
        asm_r(INSN_sinval_vma, 0, 0, 0),  asm_r(INSN_sinval_vma, 0, A0, 0),
        asm_r(INSN_sinval_vma, 0, 0, A3), asm_r(INSN_sinval_vma, 0, A0, A3),
    };
    isa_t t;
    open_paging(&t);
    isa_set_csr(&t, SATP, 1u << 31 | 5u << 22 | ROOT >> 12);
    isa_poke(&t, DATA, 1);
    isa_poke(&t, DATA + 0x1000, 2);
    for (size_t n = 0; n < ARRAY_LEN(forms); n++) {
        set_pte(&t, LEAF, 0, DATA, flags);
        flush(&t);
        isa_set_x(&t, A1, LEAF);
        isa_set_x(&t, A2, (DATA + 0x1000) >> 12 << 10 | flags);
        isa_set_x(&t, A3, 5);
        CHECK(ISA_RUN_MODE(&t, PRIV_S, asm_i(INSN_lw, A4, A0, 0), asm_s(INSN_sw, A2, A1, 0),
                           insn_info[INSN_sfence_w_inval].match, forms[n],
                           insn_info[INSN_sfence_inval_ir].match, asm_i(INSN_lw, A5, A0, 0)));
        CHECK_EQ(1, isa_x(&t, A4));
        CHECK_EQ(2, isa_x(&t, A5));
    }
    isa_close(&t);
}

/* Two address spaces with their own tables: no fence is needed between them. */
TEST(asids)
{
    isa_t t;
    uint32_t root2 = RAM + 0x12000, leaf2 = RAM + 0x13000, flags = V | R | W | A | D;
    open_paging(&t);
    set_pte(&t, root2, RAM >> 22, RAM, V | R | W | X | A | D);
    set_pte(&t, root2, VA >> 22, leaf2, V);
    set_pte(&t, LEAF, 0, DATA, flags);
    set_pte(&t, leaf2, 0, DATA + 0x1000, flags);
    isa_poke(&t, DATA, 1);
    isa_poke(&t, DATA + 0x1000, 2);
    isa_set_csr(&t, SATP, 1u << 31 | 1u << 22 | ROOT >> 12);
    isa_set_x(&t, A1, 1u << 31 | 2u << 22 | root2 >> 12);
    isa_set_x(&t, T0, isa_csr(&t, SATP));
    CHECK(ISA_RUN_MODE(&t, PRIV_S, asm_i(INSN_lw, A2, A0, 0), asm_i(INSN_csrrw, 0, A1, SATP),
                       asm_i(INSN_lw, A3, A0, 0), asm_i(INSN_csrrw, 0, T0, SATP),
                       asm_i(INSN_lw, A4, A0, 0)));
    CHECK_EQ(1, isa_x(&t, A2));
    CHECK_EQ(2, isa_x(&t, A3));
    CHECK_EQ(1, isa_x(&t, A4));
    isa_close(&t);
}

/* A 4-byte instruction over the border of two pages, the second not there. */
TEST(straddling_fetch)
{
    isa_t t;
    open_paging(&t);
    set_pte(&t, LEAF, 0, DATA, V | R | X | A);
    isa_poke(&t, DATA + 0xffc, 0x00130001);
    isa_set_x(&t, A0, VA + 0xffe);
    CHECK(!ISA_RUN_MODE(&t, PRIV_S, asm_i(INSN_jalr, RA, A0, 0)));
    CHECK_TRAP(&t, 12, VA + 0x1000);
    CHECK_EQ(VA + 0xffe, isa_csr(&t, MEPC));
    isa_close(&t);
}

/* A misaligned access over two pages that lie apart; then with the second page missing. */
TEST(straddling_data)
{
    isa_t t;
    open_paging(&t);
    set_pte(&t, LEAF, 0, DATA, V | R | W | A | D);
    set_pte(&t, LEAF, 1, DATA + 0x5000, V | R | W | A | D);
    isa_poke(&t, DATA + 0xffc, 0xbbaa0000);
    isa_poke(&t, DATA + 0x5000, 0x0000ddcc);
    isa_set_x(&t, A0, VA + 0xffe);
    isa_set_x(&t, A1, 0x44332211);
    CHECK(ISA_RUN_MODE(&t, PRIV_S, asm_i(INSN_lw, A2, A0, 0), asm_s(INSN_sw, A1, A0, 0)));
    CHECK_EQ(0xddccbbaa, isa_x(&t, A2));
    CHECK_EQ(0x22110000, isa_peek(&t, DATA + 0xffc));
    CHECK_EQ(0x00004433, isa_peek(&t, DATA + 0x5000));
    set_pte(&t, LEAF, 1, 0, 0);
    flush(&t);
    CHECK(!ISA_RUN_MODE(&t, PRIV_S, asm_i(INSN_lw, A2, A0, 0)));
    CHECK_TRAP(&t, 13, VA + 0x1000);
    CHECK(!ISA_RUN_MODE(&t, PRIV_S, asm_s(INSN_sw, A2, A0, 0)));
    CHECK_TRAP(&t, 15, VA + 0x1000);
    isa_close(&t);
}

int main(void)
{
    RUN(permissions);
    RUN(sum_and_fetch);
    RUN(accessed_and_dirty);
    RUN(dirty_after_load);
    RUN(superpages);
    RUN(table_nowhere);
    RUN(fences);
    RUN(asids);
    RUN(straddling_fetch);
    RUN(straddling_data);
    return tap_finish();
}
