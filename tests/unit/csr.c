/* SPDX-License-Identifier: MPL-2.0 */
/* CSRs: which exist, who may touch them, what they hold. Numbers and masks are the spec's. */
#include "fake_hart.h"

#define IRQ_BIT(irq) (1u << (irq))
#define SEED_NUMBER 0x015

/* What reads after a write of all ones, and then of zero. */
typedef struct mask_row {
    uint32_t number, ones, zeros;
} mask_row_t;

static const mask_row_t masks[] = {
    {0x001, 0x1f, 0},
    {0x002, 7, 0},
    {0x003, 0xff, 0},
    {0x104, 0, 0}, /* nothing is delegated */
    {0x106, 0xffffffff, 0},
    {0x10a, 0xf1, 0},
    {0x140, 0xffffffff, 0},
    {0x141, 0xfffffffe, 0},
    {0x142, 0xffffffff, 0},
    {0x143, 0xffffffff, 0},
    {0x144, 0, 0},
    {0x14d, 0xffffffff, 0},
    {0x15d, 0xffffffff, 0},
    {0x180, 0xffffffff, 0},
    {0x301, 0x4014112d, 0x4014112d},
    {0x302, 0xb3ff, 0},
    {0x303, 0x222, 0},
    {0x304, 0xaaa, 0},
    {0x306, 0xffffffff, 0},
    {0x30a, 0xf1, 0},
    {0x310, 0, 0},
    {0x31a, 0xa0000000, 0},
    {0x320, 5, 0},
    {0x340, 0xffffffff, 0},
    {0x341, 0xfffffffe, 0},
    {0x342, 0xffffffff, 0},
    {0x343, 0xffffffff, 0},
    {0x747, 0x300, 0},
    {0x757, 0, 0},
    {0x7a0, 0, 0},
    {0x7a1, 0, 0},
    {0x7a2, 0, 0},
    {0x7a3, 0, 0},
    {0x7a4, 1, 1},
};

TEST(masks)
{
    for (size_t i = 0; i < ARRAY_LEN(masks); i++) {
        hart_t *h = fake_hart(0);
        h->fs = 1;
        unsigned bad = tap_bad_checks;
        CHECK(csr_put(h, masks[i].number, 0xffffffff));
        CHECK_EQ(masks[i].ones, csr_get(h, masks[i].number));
        CHECK(csr_put(h, masks[i].number, 0));
        CHECK_EQ(masks[i].zeros, csr_get(h, masks[i].number));
        if (tap_bad_checks != bad) {
            printf("# in CSR 0x%03x\n", masks[i].number);
        }
        fake_hart_free(h);
    }
}

TEST(hardwired_zero)
{
    hart_t *h = fake_hart(0);
    for (uint32_t n = 0; n < 64; n++) {
        uint32_t numbers[] = {0xb00 + n % 29 + 3, 0xb80 + n % 29 + 3, 0x320 + n % 29 + 3,
                              0x3a4 + n % 12, 0x3c0 + n % 48};
        for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
            CHECK(csr_put(h, numbers[i], 0xffffffff));
            CHECK_EQ(0, csr_get(h, numbers[i]));
        }
        CHECK_EQ(0, csr_get(h, 0xc03 + n % 29));
        CHECK_EQ(0, csr_get(h, 0xc83 + n % 29));
    }
    fake_hart_free(h);
}

static bool in(uint32_t n, uint32_t first, uint32_t last)
{
    return n >= first && n <= last;
}

/* The CSRs of the specifications that the hart claims. */
static bool should_exist(uint32_t n)
{
    return in(n, 1, 3) || n == SEED_NUMBER || in(n, 0xc00, 0xc1f) || in(n, 0xc80, 0xc9f) ||
           n == 0x100 || in(n, 0x104, 0x106) || n == 0x10a || in(n, 0x140, 0x144) || n == 0x14d ||
           n == 0x15d || n == 0x180 || in(n, 0xf11, 0xf15) || in(n, 0x300, 0x306) || n == 0x30a ||
           n == 0x310 || n == 0x31a || n == 0x320 || in(n, 0x323, 0x33f) || in(n, 0x340, 0x344) ||
           in(n, 0x3a0, 0x3ef) || n == 0x747 || n == 0x757 || in(n, 0x7a0, 0x7a4) || n == 0xb00 ||
           in(n, 0xb02, 0xb1f) || n == 0xb80 || in(n, 0xb82, 0xb9f);
}

/* With everything enabled, the number alone decides who may read and write. */
TEST(rights)
{
    static const uint8_t modes[] = {PRIV_U, PRIV_S, PRIV_M};
    for (size_t m = 0; m < ARRAY_LEN(modes); m++) {
        for (uint32_t n = 0; n < 0x1000; n++) {
            static hart_t *h;
            if (n % 512 == 0) { /* the writes below upset it: start again now and then */
                h = fake_hart(0);
            }
            h->mcounteren = h->scounteren = 0xffffffff;
            h->menvcfg = MENVCFG_STCE;
            h->mseccfg = 0x300;
            h->mstatus &= ~MSTATUS_TVM;
            h->fs = 1;
            h->priv = modes[m];
            bool may = should_exist(n) && modes[m] >= (n >> 8 & 3);
            bool reads = csr_can_read(h, n);
            bool writes = csr_put(h, n, 0);
            if (reads != (may && n != SEED_NUMBER) || writes != (may && n >> 10 != 3)) {
                printf("# CSR 0x%03x in mode %u: read %d, write %d\n", n, modes[m], reads, writes);
                CHECK(!"rights");
            }
            if (n % 512 == 511) {
                fake_hart_free(h);
            }
        }
    }
}

TEST(beyond_the_numbers)
{
    hart_t *h = fake_hart(0);
    CHECK(!csr_can_read(h, 0x1000));
    CHECK(!csr_can_read(h, 0x1300));
    CHECK(!csr_can_read(h, 0xffffffff));
    CHECK(!csr_name(0x1000));
    fake_hart_free(h);
}

TEST(names)
{
    for (uint32_t n = 0; n < 0x1000; n++) {
        CHECK_EQ(should_exist(n), csr_name(n) != NULL);
    }
    CHECK(!strcmp(csr_name(0x300), "mstatus"));
    CHECK(!strcmp(csr_name(0xc81), "timeh"));
    CHECK(!strcmp(csr_name(0xb9f), "mhpmcounter31h"));
    CHECK(!strcmp(csr_name(0x323), "mhpmevent3"));
    CHECK(!strcmp(csr_name(0x3ef), "pmpaddr63"));
    CHECK(!strcmp(csr_name(0x3af), "pmpcfg15"));
    CHECK_EQ(0x343, CSR_mtval);
    CHECK_EQ(0x3bf, CSR_pmpaddr15);
}

TEST(operations)
{
    hart_t *h = fake_hart(0);
    uint32_t old = 0;
    CHECK(csr_put(h, CSR_mscratch, 0x0f0f1234));
    CHECK(csr_access(h, NULL, CSR_mscratch, CSR_WRITE, 0xff00ff00, true, true, &old));
    CHECK_EQ(0x0f0f1234, old);
    CHECK_EQ(0xff00ff00, csr_set(h, CSR_mscratch, 0x000000f1));
    CHECK_EQ(0xff00fff1, csr_clear(h, CSR_mscratch, 0xf0000001));
    CHECK_EQ(0x0f00fff0, csr_get(h, CSR_mscratch));
    /* Refused: nothing changes. */
    h->priv = PRIV_S;
    CHECK(!csr_put(h, CSR_mscratch, 1));
    CHECK_EQ(0x0f00fff0, h->mscratch);
    h->priv = PRIV_M;
    CHECK(!csr_put(h, CSR_mhartid, 1));
    fake_hart_free(h);
}

TEST(identity)
{
    hart_t *h = fake_hart(11);
    CHECK_EQ(11, csr_get(h, CSR_mhartid));
    CHECK_EQ(0, csr_get(h, CSR_mconfigptr));
    fake_hart_free(h);
}

TEST(mstatus)
{
    hart_t *h = fake_hart(0);
    CHECK_EQ(0, csr_get(h, CSR_mstatus));
    CHECK(csr_put(h, CSR_mstatus, 0xffffffff));
    CHECK_EQ(0x807e79aa, csr_get(h, CSR_mstatus));
    CHECK_EQ(0x800c6122, csr_get(h, CSR_sstatus));
    CHECK_EQ(3, h->fs);
    CHECK_EQ(0, h->mstatus & (MSTATUS_FS | MSTATUS_SD));
    /* MPP: 2 is no mode. */
    for (uint32_t mpp = 0; mpp < 4; mpp++) {
        CHECK(csr_put(h, CSR_mstatus, PRIV_S << MSTATUS_MPP_SHIFT));
        CHECK(csr_put(h, CSR_mstatus, mpp << MSTATUS_MPP_SHIFT));
        uint32_t want = mpp == 2 ? PRIV_S : mpp;
        CHECK_EQ(want << MSTATUS_MPP_SHIFT, csr_get(h, CSR_mstatus));
    }
    /* FS holds four values, SD says dirty. */
    for (uint32_t fs = 0; fs < 4; fs++) {
        uint32_t want = fs << 13 | (fs == 3 ? MSTATUS_SD : 0);
        CHECK(csr_put(h, CSR_mstatus, fs << 13));
        CHECK_EQ(want, csr_get(h, CSR_mstatus));
        CHECK_EQ(want, csr_get(h, CSR_sstatus));
    }
    fake_hart_free(h);
}

TEST(sstatus)
{
    hart_t *h = fake_hart(0);
    CHECK(csr_put(h, CSR_mstatus, MSTATUS_MPP | MSTATUS_MIE | MSTATUS_TSR));
    CHECK(csr_put(h, CSR_sstatus, 0xffffffff));
    CHECK_EQ(0x800c6122 | MSTATUS_MPP | MSTATUS_MIE | MSTATUS_TSR, csr_get(h, CSR_mstatus));
    CHECK(csr_put(h, CSR_sstatus, 0));
    CHECK_EQ(MSTATUS_MPP | MSTATUS_MIE | MSTATUS_TSR, csr_get(h, CSR_mstatus));
    CHECK_EQ(0, csr_get(h, CSR_sstatus));
    fake_hart_free(h);
}

TEST(floating_point)
{
    hart_t *h = fake_hart(0);
    for (uint32_t n = 1; n <= 3; n++) { /* FS off */
        CHECK(!csr_can_read(h, n));
        CHECK(!csr_put(h, n, 0));
    }
    for (uint32_t n = 1; n <= 3; n++) {
        h->fs = 1;
        CHECK(csr_can_read(h, n));
        CHECK_EQ(1, h->fs); /* looking is not touching */
        CHECK(csr_put(h, n, 0));
        CHECK_EQ(3, h->fs);
    }
    CHECK(csr_put(h, CSR_fcsr, 0xb5));
    CHECK_EQ(0x15, csr_get(h, CSR_fflags));
    CHECK_EQ(5, csr_get(h, CSR_frm));
    CHECK(csr_put(h, CSR_frm, 2));
    CHECK(csr_put(h, CSR_fflags, 0x0a));
    CHECK_EQ(0x4a, csr_get(h, CSR_fcsr));
    CHECK_EQ(2, h->frm);
    CHECK_EQ(0x0a, h->fflags);
    fake_hart_free(h);
}

TEST(trap_vectors)
{
    static const uint32_t numbers[] = {CSR_mtvec, CSR_stvec};
    hart_t *h = fake_hart(0);
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        CHECK(csr_put(h, numbers[i], 0xfffffffd));
        CHECK_EQ(0xfffffffd, csr_get(h, numbers[i]));
        CHECK(csr_put(h, numbers[i], 0x12345678));
        CHECK_EQ(0x12345678, csr_get(h, numbers[i]));
        for (uint32_t mode = 0; mode < 4; mode++) {
            CHECK(csr_put(h, numbers[i], 0x80001000 | mode));
            CHECK(csr_get(h, numbers[i]) % 4 < 2);
        }
    }
    fake_hart_free(h);
}

TEST(interrupt_views)
{
    hart_t *h = fake_hart(0);
    CHECK(csr_put(h, CSR_mideleg, IRQ_BIT(IRQ_SSIP) | IRQ_BIT(IRQ_SEIP)));
    CHECK(csr_put(h, CSR_mie, IRQ_BIT(IRQ_STIP) | IRQ_BIT(IRQ_MTIP)));
    CHECK(csr_put(h, CSR_sie, 0xffffffff));
    CHECK_EQ(0x2a2, csr_get(h, CSR_mie));
    CHECK_EQ(0x202, csr_get(h, CSR_sie));
    CHECK(csr_put(h, CSR_sie, 0));
    CHECK_EQ(0x0a0, csr_get(h, CSR_mie));
    /* mip: software's bits. */
    hart_set_mtimecmp(h, UINT64_MAX);
    CHECK(csr_put(h, CSR_mip, 0xffffffff));
    CHECK_EQ(0x222, csr_get(h, CSR_mip));
    CHECK_EQ(0x202, csr_get(h, CSR_sip));
    CHECK(csr_put(h, CSR_sip, 0)); /* SSIP only */
    CHECK_EQ(0x220, csr_get(h, CSR_mip));
    CHECK(csr_put(h, CSR_sip, 0xffffffff));
    CHECK_EQ(0x222, csr_get(h, CSR_mip));
    CHECK(csr_put(h, CSR_mideleg, 0));
    CHECK(csr_put(h, CSR_sip, 0)); /* not delegated: not there */
    CHECK_EQ(0x222, csr_get(h, CSR_mip));
    CHECK_EQ(0, csr_get(h, CSR_sip));
    CHECK(csr_put(h, CSR_mip, 0));
    CHECK_EQ(0, csr_get(h, CSR_mip));
    fake_hart_free(h);
}

/* Privileged 3.1.9: reads give software's SEIP or the line; CSRRS and CSRRC keep them apart. */
TEST(seip)
{
    hart_t *h = fake_hart(0);
    hart_set_mtimecmp(h, UINT64_MAX);
    hart_set_irq(h, IRQ_SEIP, true);
    CHECK_EQ(0x200, csr_set(h, CSR_mip, IRQ_BIT(IRQ_SSIP)));
    CHECK_EQ(0x202, csr_get(h, CSR_mip));
    hart_set_irq(h, IRQ_SEIP, false);
    CHECK_EQ(0x002, csr_get(h, CSR_mip)); /* the line was not latched */
    CHECK_EQ(0x002, csr_set(h, CSR_mip, IRQ_BIT(IRQ_SEIP)));
    hart_set_irq(h, IRQ_SEIP, true);
    CHECK_EQ(0x202, csr_clear(h, CSR_mip, IRQ_BIT(IRQ_SEIP)));
    CHECK_EQ(0x202, csr_get(h, CSR_mip)); /* the line is still high */
    hart_set_irq(h, IRQ_SEIP, false);
    CHECK_EQ(0x002, csr_get(h, CSR_mip));
    fake_hart_free(h);
}

/* SSIP is raised from outside by other harts and cleared here. */
TEST(ssip)
{
    hart_t *h = fake_hart(0);
    hart_set_mtimecmp(h, UINT64_MAX);
    CHECK(csr_put(h, CSR_mideleg, 0x222));
    hart_set_irq(h, IRQ_SSIP, true);
    fake_mode(h, PRIV_S);
    CHECK_EQ(2, csr_get(h, CSR_sip));
    CHECK_EQ(2, csr_clear(h, CSR_sip, IRQ_BIT(IRQ_SSIP)));
    CHECK_EQ(0, csr_get(h, CSR_sip));
    /* An instruction that does not name SSIP leaves it alone. */
    hart_set_irq(h, IRQ_SSIP, true);
    fake_mode(h, PRIV_M);
    csr_clear(h, CSR_mip, IRQ_BIT(IRQ_STIP));
    csr_set(h, CSR_mip, IRQ_BIT(IRQ_STIP));
    CHECK_EQ(0x22, csr_get(h, CSR_mip));
    CHECK(csr_put(h, CSR_mip, 0));
    CHECK_EQ(0, csr_get(h, CSR_mip));
    fake_hart_free(h);
}

TEST(machine_lines)
{
    hart_t *h = fake_hart(0);
    hart_set_mtimecmp(h, 100);
    fake_now = 99;
    hart_set_irq(h, IRQ_MEIP, true);
    hart_set_irq(h, IRQ_MSIP, true);
    CHECK_EQ(0x808, csr_get(h, CSR_mip));
    CHECK(csr_put(h, CSR_mip, 0)); /* lines are not software's */
    CHECK_EQ(0x808, csr_get(h, CSR_mip));
    fake_now = 100;
    CHECK_EQ(0x888, csr_get(h, CSR_mip));
    hart_set_mtimecmp(h, 101);
    hart_set_irq(h, IRQ_MSIP, false);
    CHECK_EQ(0x800, csr_get(h, CSR_mip));
    fake_hart_free(h);
}

TEST(stimecmp)
{
    hart_t *h = fake_hart(0);
    hart_set_mtimecmp(h, UINT64_MAX);
    CHECK(csr_put(h, CSR_stimecmp, 0x00000010));
    CHECK(csr_put(h, CSR_stimecmph, 1));
    CHECK_EQ(UINT64_C(0x100000010), h->stimecmp);
    fake_now = UINT64_C(0x100000010);
    CHECK_EQ(0, csr_get(h, CSR_mip)); /* STCE is off */
    CHECK(csr_put(h, CSR_mip, IRQ_BIT(IRQ_STIP)));
    CHECK_EQ(0x20, csr_get(h, CSR_mip));
    CHECK(csr_put(h, CSR_menvcfgh, 1u << 31));
    fake_now--;
    CHECK_EQ(0, csr_get(h, CSR_mip)); /* the timer owns it now */
    CHECK(csr_put(h, CSR_mip, IRQ_BIT(IRQ_STIP)));
    CHECK_EQ(0, csr_get(h, CSR_mip));
    fake_now++;
    CHECK_EQ(0x20, csr_get(h, CSR_mip));
    CHECK(csr_put(h, CSR_mip, 0));
    CHECK_EQ(0x20, csr_get(h, CSR_mip));
    CHECK(csr_put(h, CSR_menvcfgh, 0));
    CHECK_EQ(0, csr_get(h, CSR_mip)); /* software's bit is gone */
    /* S needs STCE and mcounteren.TM. */
    for (uint32_t i = 0; i < 4; i++) {
        h->menvcfg = i & 1 ? MENVCFG_STCE : 0;
        h->mcounteren = i & 2 ? 2 : ~2u;
        for (uint32_t n = CSR_stimecmp; n <= CSR_stimecmph; n += 0x10) {
            h->priv = PRIV_S;
            CHECK_EQ(i == 3, csr_can_read(h, n));
            CHECK_EQ(i == 3, csr_put(h, n, 0));
            h->priv = PRIV_U;
            CHECK(!csr_can_read(h, n));
            h->priv = PRIV_M;
            CHECK(csr_can_read(h, n));
        }
    }
    fake_hart_free(h);
}

/* Writes that may make a timer interrupt appear have the run loop look at the clock. */
TEST(timer_polls)
{
    static const uint32_t numbers[] = {CSR_mie, CSR_sie, CSR_stimecmp, CSR_stimecmph, CSR_menvcfgh};
    hart_t *h = fake_hart(0);
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        h->poll_in = 9;
        CHECK(csr_put(h, numbers[i], 0));
        CHECK_EQ(0, h->poll_in);
    }
    fake_hart_free(h);
}

TEST(envcfg)
{
    static const uint32_t numbers[] = {CSR_menvcfg, CSR_senvcfg};
    hart_t *h = fake_hart(0);
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        for (uint32_t cbie = 0; cbie < 4; cbie++) {
            CHECK(csr_put(h, numbers[i], 0x10));
            CHECK(csr_put(h, numbers[i], cbie << 4 | 1));
            CHECK_EQ((cbie == 2 ? 1 : cbie) << 4 | 1, csr_get(h, numbers[i]));
        }
    }
    CHECK(csr_put(h, CSR_menvcfgh, 0xffffffff));
    CHECK(csr_put(h, CSR_menvcfg, 0xffffffff));
    CHECK_EQ(ENVCFG_FIOM | ENVCFG_CBIE | ENVCFG_CBCFE | ENVCFG_CBZE | MENVCFG_ADUE | MENVCFG_STCE,
             h->menvcfg);
    fake_hart_free(h);
}

/* As the CSR instruction at a place in a block sees it. */
static uint64_t counter_at(hart_t *h, const insn_t *insn, uint32_t number)
{
    uint32_t low = 0, high = 0;
    CHECK(csr_access(h, insn, number, CSR_SET, 0, true, false, &low));
    CHECK(csr_access(h, insn, number + 0x80, CSR_SET, 0, true, false, &high));
    return (uint64_t)high << 32 | low;
}

static void counter_put(hart_t *h, const insn_t *insn, uint32_t number, uint32_t value)
{
    uint32_t old;
    CHECK(csr_access(h, insn, number, CSR_WRITE, value, false, true, &old));
}

TEST(counters)
{
    hart_t *h = fake_hart(0);
    insn_t fifth = {.index = 5}, sixth = {.index = 6};
    h->retired = UINT64_C(0x700000000);
    h->slice = 100;
    h->budget = 40;
    uint64_t now = UINT64_C(0x700000000) + 60 + 5;
    CHECK_EQ(now, counter_at(h, &fifth, CSR_minstret));
    CHECK_EQ(now, counter_at(h, &fifth, CSR_mcycle));
    CHECK_EQ(now, counter_at(h, &fifth, CSR_instret));
    CHECK_EQ(now, counter_at(h, &fifth, CSR_cycle));
    CHECK_EQ(now + 1, counter_at(h, &sixth, CSR_cycle));
    CHECK_EQ(now - 5, counter_at(h, NULL, CSR_instret));
    /* The next instruction reads what was written; one counter's write is not the other's. */
    counter_put(h, &fifth, CSR_minstret, 0x1000);
    CHECK_EQ(UINT64_C(0x700001000), counter_at(h, &sixth, CSR_minstret));
    CHECK_EQ(now + 1, counter_at(h, &sixth, CSR_mcycle));
    counter_put(h, &fifth, CSR_minstreth, 0xffffffff);
    CHECK_EQ(UINT64_C(0xffffffff00000fff), counter_at(h, &sixth, CSR_instret));
    counter_put(h, &fifth, CSR_mcycleh, 0);
    counter_put(h, &fifth, CSR_mcycle, 0);
    CHECK_EQ(0, counter_at(h, &sixth, CSR_cycle));
    h->retired += 10;
    CHECK_EQ(10, counter_at(h, &sixth, CSR_cycle));
    fake_hart_free(h);
}

TEST(counter_inhibit)
{
    hart_t *h = fake_hart(0);
    insn_t first = {.index = 0}, second = {.index = 1};
    h->retired = 1000;
    counter_put(h, &first, CSR_mcountinhibit, 4); /* stops after this instruction */
    h->retired = 5000;
    CHECK_EQ(1001, counter_at(h, &first, CSR_minstret));
    CHECK_EQ(1001, counter_at(h, &second, CSR_minstret));
    CHECK_EQ(5001, counter_at(h, &second, CSR_mcycle));
    counter_put(h, &first, CSR_minstret, 77);
    CHECK_EQ(77, counter_at(h, &second, CSR_instret));
    counter_put(h, &first, CSR_mcountinhibit, 1); /* instret goes on, cycle stops */
    CHECK_EQ(77, counter_at(h, &second, CSR_minstret));
    h->retired = 6000;
    CHECK_EQ(1077, counter_at(h, &second, CSR_minstret));
    CHECK_EQ(5001, counter_at(h, &second, CSR_mcycle));
    counter_put(h, &first, CSR_mcountinhibit, 0);
    CHECK_EQ(5001, counter_at(h, &second, CSR_mcycle));
    fake_hart_free(h);
}

TEST(time)
{
    hart_t *h = fake_hart(0);
    fake_now = UINT64_C(0x123456789abcdef0);
    CHECK_EQ(0x9abcdef0, csr_get(h, CSR_time));
    CHECK_EQ(0x12345678, csr_get(h, CSR_timeh));
    fake_hart_free(h);
}

TEST(counter_enable)
{
    hart_t *h = fake_hart(0);
    for (uint32_t n = 0; n < 32; n++) {
        for (uint32_t i = 0; i < 4; i++) {
            h->mcounteren = i & 1 ? 1u << n : ~(1u << n);
            h->scounteren = i & 2 ? 1u << n : ~(1u << n);
            for (uint32_t number = 0xc00 + n; number <= 0xc80 + n; number += 0x80) {
                h->priv = PRIV_M;
                CHECK(csr_can_read(h, number));
                h->priv = PRIV_S;
                CHECK_EQ(i & 1, csr_can_read(h, number));
                h->priv = PRIV_U;
                CHECK_EQ(i == 3, csr_can_read(h, number));
            }
        }
    }
    fake_hart_free(h);
}

TEST(satp)
{
    hart_t *h = fake_hart(0);
    CHECK(csr_put(h, CSR_satp, 0x12345678));
    CHECK_EQ(0x12345678, csr_get(h, CSR_satp));
    h->mstatus |= MSTATUS_TVM;
    CHECK(csr_can_read(h, CSR_satp)); /* M */
    fake_mode(h, PRIV_S);
    CHECK(!csr_can_read(h, CSR_satp));
    CHECK(!csr_put(h, CSR_satp, 0));
    CHECK_EQ(0x12345678, h->satp);
    h->mstatus &= ~MSTATUS_TVM;
    CHECK(csr_put(h, CSR_satp, 0));
    CHECK_EQ(0, csr_get(h, CSR_satp));
    fake_hart_free(h);
}

static uint32_t seed(hart_t *h)
{
    uint32_t value = 0;
    CHECK(csr_access(h, NULL, SEED_NUMBER, CSR_WRITE, 0, true, true, &value));
    return value;
}

TEST(seed)
{
    hart_t *h = fake_hart(0), *twin = hart_create(&fake_bus, 1);
    memcpy(twin->seed_state, h->seed_state, sizeof(h->seed_state));
    uint32_t ones = 0, zeros = 0;
    for (unsigned i = 0; i < 256; i++) {
        uint32_t value = seed(h);
        CHECK_EQ(value, seed(twin));
        CHECK_EQ(2, value >> 30); /* ES16 */
        CHECK_EQ(0, value >> 16 & 0x3fff);
        ones |= value;
        zeros |= ~value;
    }
    CHECK_EQ(0xffff, ones & 0xffff);
    CHECK_EQ(0xffff, zeros & 0xffff);
    memset(h->seed_state, 0, sizeof(h->seed_state)); /* never stuck */
    CHECK(seed(h) != seed(h) || seed(h) != seed(h));
    /* Only with a write, and below M only when allowed. */
    CHECK(!csr_can_read(h, SEED_NUMBER));
    for (uint32_t allow = 0; allow < 4; allow++) {
        h->mseccfg = allow << 8;
        h->priv = PRIV_S;
        CHECK_EQ(allow >> 1 & 1, csr_put(h, SEED_NUMBER, 0));
        h->priv = PRIV_U;
        CHECK_EQ(allow & 1, csr_put(h, SEED_NUMBER, 0));
        h->priv = PRIV_M;
        CHECK(csr_put(h, SEED_NUMBER, 0));
    }
    hart_free(twin);
    fake_hart_free(h);
}

TEST(pmp_numbers)
{
    hart_t *h = fake_hart(0);
    for (uint32_t i = 0; i < 16; i++) {
        CHECK(csr_put(h, CSR_pmpaddr0 + i, 0x1000 + i));
    }
    for (uint32_t i = 0; i < 4; i++) {
        CHECK(csr_put(h, CSR_pmpcfg0 + i, 0x0b000000 | i));
    }
    for (uint32_t i = 0; i < 16; i++) {
        CHECK_EQ(0x1000 + i, h->pmpaddr[i]);
        CHECK_EQ(0x1000 + i, csr_get(h, CSR_pmpaddr0 + i));
    }
    CHECK_EQ(0x0b, h->pmpcfg[15]);
    CHECK_EQ(1, h->pmpcfg[4]);
    fake_hart_free(h);
}

/* Everything set, then reset. */
TEST(reset)
{
    hart_t *h = fake_hart(0);
    for (uint32_t n = 0; n < 0x1000; n++) {
        if (n >> 10 != 3 && n != CSR_mseccfg && csr_name(n)) {
            h->fs = 3;
            csr_put(h, n, 0xffffffff);
        }
    }
    CHECK(csr_put(h, CSR_mseccfg, 0x300));
    hart_reset(h, FAKE_RAM_BASE, 0, 0, PRIV_M);
    CHECK_EQ(PRIV_M, h->priv);
    CHECK_EQ(0, csr_get(h, CSR_mstatus)); /* MIE, MPRV, FS */
    CHECK_EQ(0, csr_get(h, CSR_mcause));
    CHECK_EQ(0, csr_get(h, CSR_satp));
    CHECK_EQ(0, csr_get(h, CSR_mseccfg));
    CHECK_EQ(0, csr_get(h, CSR_menvcfgh));
    CHECK_EQ(0, csr_get(h, CSR_mie));
    CHECK_EQ(0, csr_get(h, CSR_mcountinhibit));
    for (uint32_t i = 0; i < 4; i++) {
        CHECK_EQ(0, csr_get(h, CSR_pmpcfg0 + i)); /* A and L, locked ones too */
    }
    CHECK(!h->pmp_active);
    CHECK_EQ(0, csr_get(h, CSR_minstret));
    fake_hart_free(h);
}

int main(void)
{
    RUN(masks);
    RUN(hardwired_zero);
    RUN(rights);
    RUN(beyond_the_numbers);
    RUN(names);
    RUN(operations);
    RUN(identity);
    RUN(mstatus);
    RUN(sstatus);
    RUN(floating_point);
    RUN(trap_vectors);
    RUN(interrupt_views);
    RUN(seip);
    RUN(ssip);
    RUN(machine_lines);
    RUN(stimecmp);
    RUN(timer_polls);
    RUN(envcfg);
    RUN(counters);
    RUN(counter_inhibit);
    RUN(time);
    RUN(counter_enable);
    RUN(satp);
    RUN(seed);
    RUN(pmp_numbers);
    RUN(reset);
    return tap_finish();
}
