/* SPDX-License-Identifier: MPL-2.0 */
/* PMP: matching, rights, locks, and what may be cached for a page. Privileged 3.7. */
#include "fake_hart.h"

enum { A_TOR = 1 << 3, A_NA4 = 2 << 3, A_NAPOT = 3 << 3, RWX = 7 };

static void entry(hart_t *h, unsigned i, uint8_t cfg, uint32_t addr)
{
    pmp_write_addr(h, i, addr);
    uint32_t word = pmp_read_cfg(h, i / 4);
    unsigned shift = 8 * (i % 4);
    pmp_write_cfg(h, i / 4, (word & ~(0xffu << shift)) | (uint32_t)cfg << shift);
}

/* A hart without entries. Most checks here are S-mode loads of one byte. */
static bool loads(hart_t *h, paddr_t addr)
{
    return pmp_check(h, addr, 1, ACCESS_LOAD, PRIV_S) != PMP_DENY;
}

TEST(no_entry)
{
    hart_t *h = fake_hart(0);
    CHECK(!h->pmp_active);
    CHECK_EQ(PMP_DENY, pmp_check(h, 0, 4, ACCESS_LOAD, PRIV_S));
    CHECK_EQ(PMP_DENY, pmp_check(h, 0, 4, ACCESS_EXEC, PRIV_U));
    CHECK_EQ(PMP_ALLOW_PAGE, pmp_check(h, 0, 4, ACCESS_STORE, PRIV_M));
    fake_hart_free(h);
}

TEST(everything)
{
    hart_t *h = fake_hart(0);
    entry(h, 0, A_NAPOT | RWX, 0xffffffff);
    CHECK(h->pmp_active);
    CHECK_EQ(PMP_ALLOW_PAGE, pmp_check(h, 0, 4, ACCESS_STORE, PRIV_U));
    CHECK_EQ(PMP_ALLOW_PAGE, pmp_check(h, UINT64_C(0x3fffffffc), 4, ACCESS_EXEC, PRIV_S));
    entry(h, 0, A_TOR | RWX, 0xffffffff); /* all but the last word */
    CHECK(loads(h, UINT64_C(0x3fffffffb)));
    CHECK(!loads(h, UINT64_C(0x3fffffffc)));
    entry(h, 0, 0, 0);
    CHECK(!h->pmp_active);
    fake_hart_free(h);
}

TEST(na4)
{
    hart_t *h = fake_hart(0);
    entry(h, 3, A_NA4 | RWX, 0x80001004u >> 2);
    CHECK(!loads(h, 0x80001003));
    CHECK(loads(h, 0x80001004));
    CHECK(loads(h, 0x80001007));
    CHECK(!loads(h, 0x80001008));
    CHECK(!loads(h, UINT64_C(0x180001004))); /* 34 bits count */
    CHECK_EQ(PMP_ALLOW, pmp_check(h, 0x80001004, 4, ACCESS_LOAD, PRIV_S));
    fake_hart_free(h);
}

/* Every size, at a base that is not zero: the first and last byte, and their neighbours. */
TEST(napot_sizes)
{
    hart_t *h = fake_hart(0);
    for (unsigned log = 3; log <= 33; log++) {
        paddr_t size = (paddr_t)1 << log, base = size; /* naturally aligned */
        entry(h, 0, A_NAPOT | RWX, (uint32_t)(base >> 2 | (size / 8 - 1)));
        CHECK(!loads(h, base - 1));
        CHECK(loads(h, base));
        CHECK(loads(h, base + size - 1));
        CHECK(!loads(h, base + size));
        CHECK_EQ(log >= 12 ? PMP_ALLOW_PAGE : PMP_ALLOW,
                 pmp_check(h, base, 4, ACCESS_LOAD, PRIV_S));
    }
    fake_hart_free(h);
}

TEST(tor)
{
    hart_t *h = fake_hart(0);
    entry(h, 0, A_TOR | RWX, 0x1000 >> 2); /* from zero */
    CHECK(loads(h, 0));
    CHECK(loads(h, 0xfff));
    CHECK(!loads(h, 0x1000));
    entry(h, 0, 0, 0x2004 >> 2); /* the bottom counts although its entry is off */
    entry(h, 1, A_TOR | RWX, 0x3000 >> 2);
    CHECK(!loads(h, 0x2003));
    CHECK(loads(h, 0x2004));
    CHECK(loads(h, 0x2fff));
    CHECK(!loads(h, 0x3000));
    entry(h, 0, 0, 0x3000 >> 2); /* empty, and upside down */
    CHECK(!loads(h, 0x2fff));
    CHECK(!loads(h, 0x3000));
    entry(h, 0, 0, 0x4000 >> 2);
    CHECK(!loads(h, 0x3000));
    CHECK(!loads(h, 0x3fff));
    entry(h, 2, A_NAPOT | RWX, 0xffffffff); /* an empty range parts nothing */
    CHECK_EQ(PMP_ALLOW_PAGE, pmp_check(h, 0x2ffc, 4, ACCESS_LOAD, PRIV_S));
    entry(h, 0, 0, 0x3004 >> 2);
    entry(h, 1, A_TOR | RWX, 0x3004 >> 2);
    CHECK_EQ(PMP_ALLOW_PAGE, pmp_check(h, 0x3000, 8, ACCESS_LOAD, PRIV_S));
    fake_hart_free(h);
}

TEST(rights)
{
    hart_t *h = fake_hart(0);
    for (uint8_t cfg = 0; cfg < 8; cfg++) {
        uint8_t legal = (cfg & 3) == PMP_W ? cfg & PMP_X : cfg; /* W without R is reserved */
        entry(h, 5, A_NAPOT | cfg, 0x80000000u >> 2 | 0x3ff);
        CHECK_EQ(A_NAPOT | legal, h->pmpcfg[5]);
        for (unsigned priv = PRIV_U; priv <= PRIV_S; priv++) {
            CHECK_EQ(legal & PMP_R ? PMP_ALLOW_PAGE : PMP_DENY,
                     pmp_check(h, 0x80000010, 4, ACCESS_LOAD, priv));
            CHECK_EQ(legal & PMP_W ? PMP_ALLOW_PAGE : PMP_DENY,
                     pmp_check(h, 0x80000010, 4, ACCESS_STORE, priv));
            CHECK_EQ(legal & PMP_X ? PMP_ALLOW_PAGE : PMP_DENY,
                     pmp_check(h, 0x80000010, 4, ACCESS_EXEC, priv));
        }
        CHECK_EQ(PMP_ALLOW_PAGE, pmp_check(h, 0x80000010, 4, ACCESS_STORE, PRIV_M));
    }
    fake_hart_free(h);
}

TEST(order)
{
    hart_t *h = fake_hart(0);
    entry(h, 0, A_NA4, 0x1000 >> 2); /* a hole in a page */
    entry(h, 1, A_NAPOT | RWX, 0xffffffff);
    CHECK(!loads(h, 0x1000));
    CHECK(loads(h, 0x1004));
    CHECK_EQ(PMP_ALLOW, pmp_check(h, 0x1ffc, 4, ACCESS_LOAD, PRIV_S));
    CHECK_EQ(PMP_ALLOW_PAGE, pmp_check(h, 0x2000, 4, ACCESS_LOAD, PRIV_S));
    CHECK_EQ(PMP_ALLOW_PAGE, pmp_check(h, 0xffc, 4, ACCESS_LOAD, PRIV_S));
    entry(h, 0, 0, 0);
    entry(h, 2, A_NA4, 0x1000 >> 2); /* behind the one that matches first */
    CHECK(loads(h, 0x1000));
    fake_hart_free(h);
}

TEST(partial_match_fails)
{
    hart_t *h = fake_hart(0);
    entry(h, 0, A_NA4 | RWX, 0x1004 >> 2);
    entry(h, 1, A_NAPOT | RWX, 0xffffffff);
    CHECK_EQ(PMP_DENY, pmp_check(h, 0x1000, 8, ACCESS_LOAD, PRIV_S));
    CHECK_EQ(PMP_DENY, pmp_check(h, 0x1004, 8, ACCESS_LOAD, PRIV_S));
    CHECK_EQ(PMP_DENY, pmp_check(h, 0x1002, 4, ACCESS_LOAD, PRIV_M)); /* for every mode */
    CHECK_EQ(PMP_ALLOW, pmp_check(h, 0x1004, 4, ACCESS_LOAD, PRIV_S));
    CHECK_EQ(PMP_ALLOW, pmp_check(h, 0x1008, 8, ACCESS_LOAD, PRIV_S));
    fake_hart_free(h);
}

TEST(locks)
{
    hart_t *h = fake_hart(0);
    entry(h, 1, A_NAPOT | PMP_R | PMP_L, 0x80000000u >> 2 | 0x1ff);
    CHECK_EQ(PMP_DENY, pmp_check(h, 0x80000000, 4, ACCESS_STORE, PRIV_M)); /* M as well */
    CHECK_EQ(PMP_ALLOW_PAGE, pmp_check(h, 0x80000000, 4, ACCESS_LOAD, PRIV_M));
    CHECK_EQ(PMP_ALLOW_PAGE, pmp_check(h, 0x90000000, 4, ACCESS_STORE, PRIV_M)); /* no match */
    pmp_write_cfg(h, 0, 0x00000000);
    pmp_write_addr(h, 1, 0);
    CHECK_EQ(0x9900, pmp_read_cfg(h, 0));
    CHECK_EQ(0x200001ff, pmp_read_addr(h, 1));
    pmp_write_cfg(h, 0, 0xffffffff); /* the neighbours are free; bits 5 and 6 are zero */
    CHECK_EQ(0x9f9f999f, pmp_read_cfg(h, 0));
    fake_hart_free(h);
    /* A locked TOR entry holds the address below it, other kinds do not. */
    for (unsigned mode = 0; mode < 4; mode++) {
        h = fake_hart(0);
        entry(h, 7, (uint8_t)(mode << 3 | PMP_L), 0x100);
        pmp_write_addr(h, 6, 0x55);
        CHECK_EQ(mode == 1 ? 0 : 0x55, pmp_read_addr(h, 6));
        pmp_write_addr(h, 7, 0x55);
        CHECK_EQ(0x100, pmp_read_addr(h, 7));
        pmp_write_addr(h, 8, 0x55);
        CHECK_EQ(0x55, pmp_read_addr(h, 8));
        fake_hart_free(h);
    }
    /* The last entry has no neighbour. */
    h = fake_hart(0);
    pmp_write_addr(h, 15, 0x77);
    CHECK_EQ(0x77, pmp_read_addr(h, 15));
    fake_hart_free(h);
}

/* ---- against a model that goes byte by byte ---- */

static bool model_matches(const hart_t *h, unsigned i, paddr_t byte)
{
    paddr_t word = byte >> 2, addr = h->pmpaddr[i];
    unsigned ones = 0;
    switch (h->pmpcfg[i] >> 3 & 3) {
    case 1:
        return word < addr && (i == 0 || word >= h->pmpaddr[i - 1]);
    case 2:
        return word == addr;
    case 3:
        while (addr >> ones & 1) {
            ones++;
        }
        return word >> (ones + 1) == addr >> (ones + 1);
    default:
        return false;
    }
}

/* The lowest entry that matches a byte; PMP_COUNT for none. */
static unsigned model_entry(const hart_t *h, paddr_t byte)
{
    unsigned i = 0;
    while (i < PMP_COUNT && !model_matches(h, i, byte)) {
        i++;
    }
    return i;
}

static bool model_allows(const hart_t *h, paddr_t addr, uint32_t size, access_t access,
                         unsigned priv)
{
    unsigned lowest = PMP_COUNT;
    for (uint32_t n = 0; n < size; n++) {
        unsigned i = model_entry(h, addr + n);
        lowest = i < lowest ? i : lowest;
    }
    if (lowest == PMP_COUNT) {
        return priv == PRIV_M;
    }
    for (uint32_t n = 0; n < size; n++) {
        if (!model_matches(h, lowest, addr + n)) {
            return false;
        }
    }
    uint8_t cfg = h->pmpcfg[lowest];
    uint8_t bit = access == ACCESS_LOAD ? PMP_R : access == ACCESS_STORE ? PMP_W : PMP_X;
    return (cfg & bit) || (priv == PRIV_M && !(cfg & PMP_L));
}

static uint32_t random_next(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

/* Entries on a few pages, so that they meet. Sometimes off, sometimes large. */
static void model_setup(hart_t *h, uint32_t *rng)
{
    for (unsigned i = 0; i < PMP_COUNT; i++) {
        uint32_t r = random_next(rng);
        bool on = r >> 8 & 1;
        h->pmpcfg[i] = on ? (uint8_t)(r & 0x9f) : 0;
        uint32_t ones = (1u << (r >> 16) % 13) - 1;              /* 8 bytes to 32 KiB */
        uint32_t addr = 0x20000000u + random_next(rng) % 0x1800; /* 0x80000000, six pages */
        h->pmpaddr[i] = r >> 24 & 1 ? (addr & ~0x3ffu) | ones : addr | ones >> 3;
    }
}

TEST(model)
{
    hart_t *h = fake_hart(0);
    uint32_t rng = 0x2545f491;
    unsigned counts[3] = {0, 0, 0};
    for (unsigned round = 0; round < 3000; round++) {
        model_setup(h, &rng);
        for (unsigned n = 0; n < 16; n++) {
            uint32_t r = random_next(&rng);
            uint32_t size = 1u << (r & 3);
            paddr_t addr = 0x7ffff000u + (random_next(&rng) % 0x8000 & ~(size - 1));
            access_t access = (access_t)((r >> 4) % 3);
            unsigned priv = r >> 8 & 1 ? PRIV_S : PRIV_M;
            pmp_result_t got = pmp_check(h, addr, size, access, priv);
            counts[got]++;
            CHECK_EQ(model_allows(h, addr, size, access, priv), got != PMP_DENY);
            if (got == PMP_ALLOW_PAGE) {
                bool all = true;
                for (paddr_t a = addr & ~(paddr_t)4095; a <= (addr | 4095); a += 8) {
                    all = all && model_allows(h, a, 8, access, priv);
                }
                CHECK(all);
            }
        }
    }
    CHECK(counts[PMP_DENY] > 1000 && counts[PMP_ALLOW] > 1000 && counts[PMP_ALLOW_PAGE] > 1000);
    fake_hart_free(h);
}

int main(void)
{
    RUN(no_entry);
    RUN(everything);
    RUN(na4);
    RUN(napot_sizes);
    RUN(tor);
    RUN(rights);
    RUN(order);
    RUN(partial_match_fails);
    RUN(locks);
    RUN(model);
    return tap_finish();
}
