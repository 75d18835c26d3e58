/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The built-in SBI against harts that are made here: only registers, requests and lines, so that
 * every call and the protocol of remote fences can be looked at. (The real ones boot Linux in
 * tests/boot.)
 */
#include "sbi.h"

#include "cpu/codemap.h"
#include "host/thread.h"
#include "tap.h"
#include "util.h"

#include <stdlib.h>

#define RAM_BASE 0x80000000u
#define RAM_SIZE 8192u
#define HARTS 4

enum { REQ_KICK = 1, REQ_TLB = 2, REQ_FENCE_I = 4 };

struct hart {
    uint32_t id, x[32], pc, resets, supervisor;
    uint32_t requests, lines; /* atomic */
    uint64_t stimecmp;
    bool work;
    uint32_t inhibit, counters[6]; /* mcycle, minstret: [0], [2], high halves [3], [5] */

    /* For the fence test. */
    uint32_t cached; /* atomic: the version that the hart's translations are of */
    bool active;     /* atomic: runs guest code */
    uint32_t seed, fences, violations;
};

static hart_t harts[HARTS];
static hart_t *const hart_list[HARTS] = {&harts[0], &harts[1], &harts[2], &harts[3]};
static uint8_t ram[RAM_SIZE];
static uint32_t touched, wakes[HARTS], powers, relaxes;
static sbi_power_t last_power;
static char console[256];
static size_t console_size, console_room, input_size;
static const char *input;

uint32_t hart_id(const hart_t *h)
{
    return h->id;
}
uint32_t hart_get_x(const hart_t *h, unsigned n)
{
    return h->x[n];
}
void hart_set_x(hart_t *h, unsigned n, uint32_t v)
{
    h->x[n] = v;
}
uint32_t hart_get_pc(const hart_t *h)
{
    return h->pc;
}
void hart_set_pc(hart_t *h, uint32_t pc)
{
    h->pc = pc;
}
bool hart_has_work(hart_t *h)
{
    return h->work;
}
void hart_set_stimecmp(hart_t *h, uint64_t t)
{
    h->stimecmp = t;
}
void hart_setup_supervisor(hart_t *h)
{
    h->supervisor++;
}

void hart_reset(hart_t *h, uint32_t pc, uint32_t a0, uint32_t a1, unsigned priv)
{
    h->resets++;
    h->pc = pc;
    h->x[10] = a0;
    h->x[11] = a1;
    CHECK_EQ(PRIV_S, priv);
}

static void request(hart_t *h, uint32_t bit)
{
    __atomic_fetch_or(&h->requests, bit, __ATOMIC_SEQ_CST);
}
void hart_kick(hart_t *h)
{
    request(h, REQ_KICK);
}
void hart_request_flush_tlb(hart_t *h)
{
    request(h, REQ_TLB);
}
void hart_request_fence_i(hart_t *h)
{
    request(h, REQ_FENCE_I);
}

void hart_set_irq(hart_t *h, unsigned irq, bool level)
{
    if (level) {
        __atomic_fetch_or(&h->lines, 1u << irq, __ATOMIC_SEQ_CST);
    } else {
        __atomic_fetch_and(&h->lines, ~(1u << irq), __ATOMIC_SEQ_CST);
    }
}

static uint32_t *find_csr(hart_t *h, uint32_t number)
{
    return number == 0x320                      ? &h->inhibit
           : number >= 0xb00 && number <= 0xb02 ? &h->counters[number - 0xb00]
           : number >= 0xb80 && number <= 0xb82 ? &h->counters[number - 0xb80 + 3]
                                                : NULL;
}

bool hart_get_csr(hart_t *h, uint32_t number, uint32_t *value)
{
    const uint32_t *csr = find_csr(h, number);
    *value = csr ? *csr : number;
    return true;
}

bool hart_set_csr(hart_t *h, uint32_t number, uint32_t value)
{
    uint32_t *csr = find_csr(h, number);
    if (csr) {
        *csr = value;
    }
    return csr != NULL;
}

bool hart_read_virt(hart_t *h, uint32_t va, void *dest, size_t size)
{
    (void)h;
    if (va < RAM_BASE || va - RAM_BASE > RAM_SIZE - size) {
        return false;
    }
    memcpy(dest, ram + (va - RAM_BASE), size);
    return true;
}

void codemap_touch(codemap_t *map, paddr_t addr, size_t size)
{
    (void)map;
    (void)addr;
    touched += (uint32_t)size;
}

static void on_wake(void *opaque, uint32_t hart)
{
    (void)opaque;
    __atomic_fetch_add(&wakes[hart], 1, __ATOMIC_RELAXED);
    hart_kick(&harts[hart]);
}

static void on_relax(void *opaque)
{
    (void)opaque;
    __atomic_fetch_add(&relaxes, 1, __ATOMIC_RELAXED);
    host_thread_yield();
}

static void on_power(void *opaque, sbi_power_t what)
{
    (void)opaque;
    powers++;
    last_power = what;
}

static size_t on_console_write(void *opaque, const uint8_t *data, size_t size)
{
    (void)opaque;
    size_t n = size < console_room ? size : console_room;
    memcpy(console + console_size, data, n);
    console_size += n;
    console_room -= n;
    return n;
}

static size_t on_console_read(void *opaque, uint8_t *data, size_t size)
{
    (void)opaque;
    size_t n = size < input_size ? size : input_size;
    memcpy(data, input, n);
    input += n;
    input_size -= n;
    return n;
}

static bus_t bus = {.ram = ram,
                    .ram_base = RAM_BASE,
                    .ram_size = RAM_SIZE,
                    .codemap = (codemap_t *)ram /* only handed back to codemap_touch() */};

static sbi_t *start(void)
{
    memset(harts, 0, sizeof(harts));
    memset(wakes, 0, sizeof(wakes));
    for (uint32_t i = 0; i < HARTS; i++) {
        harts[i].id = i;
    }
    console_size = input_size = 0;
    console_room = sizeof(console);
    powers = touched = 0;
    sbi_t *sbi = sbi_create(&(sbi_desc_t){.bus = &bus,
                                          .harts = hart_list,
                                          .hart_count = HARTS,
                                          .wake = on_wake,
                                          .relax = on_relax,
                                          .power = on_power,
                                          .console_write = on_console_write,
                                          .console_read = on_console_read});
    sbi_reset(sbi, 0, RAM_BASE + 0x1000, RAM_BASE + 0x1800);
    return sbi;
}

static int32_t call6(sbi_t *sbi, hart_t *h, uint32_t eid, uint32_t fid, uint32_t a0, uint32_t a1,
                     uint32_t a2, uint32_t a3, uint32_t a4)
{
    const uint32_t args[8] = {a0, a1, a2, a3, a4, 0, fid, eid};
    memcpy(&h->x[10], args, sizeof(args));
    sbi_call(sbi, h);
    return (int32_t)h->x[10];
}

static int32_t call(sbi_t *sbi, hart_t *h, uint32_t eid, uint32_t fid, uint32_t a0, uint32_t a1,
                    uint32_t a2)
{
    return call6(sbi, h, eid, fid, a0, a1, a2, 0, 0);
}

#define BASE 0x10
#define TIME 0x54494d45
#define IPI 0x735049
#define RFENCE 0x52464e43
#define HSM 0x48534d
#define SRST 0x53525354
#define PMU 0x504d55
#define DBCN 0x4442434e

TEST(base_and_probe)
{
    sbi_t *sbi = start();
    hart_t *h = &harts[0];
    CHECK_EQ(SBI_HART_RUN, sbi_hart_enter(sbi, h));
    CHECK(h->pc == RAM_BASE + 0x1000 && h->x[10] == 0 && h->x[11] == RAM_BASE + 0x1800 &&
          h->supervisor == 1);
    CHECK(call(sbi, h, BASE, 0, 0, 0, 0) == 0 && h->x[11] == 0x02000000);
    CHECK(call(sbi, h, BASE, 5, 0, 0, 0) == 0 && h->x[11] == 0xf12);
    CHECK_EQ(-2, call(sbi, h, BASE, 7, 0, 0, 0));
    static const uint32_t there[] = {0, 8, BASE, TIME, IPI, RFENCE, HSM, SRST, PMU, DBCN};
    for (size_t i = 0; i < ARRAY_LEN(there); i++) {
        CHECK(call(sbi, h, BASE, 3, there[i], 0, 0) == 0 && h->x[11] == 1);
    }
    static const uint32_t absent[] = {9,        0xf,        0x53555350 /* SUSP */,
                                      0x535441, 0x0a000000, UINT32_MAX};
    for (size_t i = 0; i < ARRAY_LEN(absent); i++) {
        CHECK(call(sbi, h, BASE, 3, absent[i], 0, 0) == 0 && h->x[11] == 0);
        CHECK(call(sbi, h, absent[i], 0, 0, 0, 0) == -2 && h->x[11] == 0);
    }
    sbi_free(sbi);
}

TEST(timer)
{
    sbi_t *sbi = start();
    CHECK_EQ(0, call(sbi, &harts[0], TIME, 0, 0x11223344, 0x55, 0));
    CHECK_EQ(0x5511223344, harts[0].stimecmp);
    CHECK_EQ(-2, call(sbi, &harts[0], TIME, 1, 0, 0, 0));
    harts[0].x[11] = 7;
    CHECK_EQ(0, call(sbi, &harts[0], 0, 0, 5, 0, 0));
    CHECK_EQ(5, harts[0].stimecmp);
    sbi_free(sbi);
}

TEST(hart_states)
{
    sbi_t *sbi = start();
    hart_t *h0 = &harts[0], *h1 = &harts[1];
    CHECK_EQ(SBI_HART_RUN, sbi_hart_enter(sbi, h0));
    CHECK_EQ(SBI_HART_STOPPED, sbi_hart_enter(sbi, h1));
    CHECK(call(sbi, h0, HSM, 2, 0, 0, 0) == 0 && h0->x[11] == 0);
    CHECK(call(sbi, h0, HSM, 2, 1, 0, 0) == 0 && h0->x[11] == 1);
    CHECK_EQ(-3, call(sbi, h0, HSM, 2, HARTS, 0, 0));
    CHECK_EQ(-3, call(sbi, h0, HSM, 0, HARTS, RAM_BASE, 0));
    CHECK_EQ(-5, call(sbi, h0, HSM, 0, 1, RAM_BASE - 2, 0));
    CHECK_EQ(-5, call(sbi, h0, HSM, 0, 1, RAM_BASE + RAM_SIZE, 0));
    CHECK_EQ(-5, call(sbi, h0, HSM, 0, 1, RAM_BASE + 1, 0));
    CHECK_EQ(-6, call(sbi, h0, HSM, 0, 0, RAM_BASE, 0));
    harts[1].lines = 1 << IRQ_SSIP | 1 << IRQ_SEIP;
    CHECK_EQ(0, call(sbi, h0, HSM, 0, 1, RAM_BASE + 16, 99));
    CHECK(wakes[1] == 1 && h1->resets == 0);
    CHECK(call(sbi, h0, HSM, 2, 1, 0, 0) == 0 && h0->x[11] == 2);
    CHECK_EQ(-6, call(sbi, h0, HSM, 0, 1, RAM_BASE, 0));
    CHECK_EQ(SBI_HART_RUN, sbi_hart_enter(sbi, h1));
    CHECK(h1->pc == RAM_BASE + 16 && h1->x[10] == 1 && h1->x[11] == 99);
    CHECK_EQ(1 << IRQ_SEIP, h1->lines);
    CHECK(call(sbi, h0, HSM, 2, 1, 0, 0) == 0 && h0->x[11] == 0);
    h1->requests = 0;
    call(sbi, h1, HSM, 1, 0, 0, 0);
    CHECK(h1->requests & REQ_KICK);
    CHECK(call(sbi, h0, HSM, 2, 1, 0, 0) == 0 && h0->x[11] == 3);
    sbi_hart_leave(sbi, h1);
    CHECK(call(sbi, h0, HSM, 2, 1, 0, 0) == 0 && h0->x[11] == 1);
    CHECK_EQ(SBI_HART_STOPPED, sbi_hart_enter(sbi, h1));
    CHECK_EQ(-2, call(sbi, h0, HSM, 4, 0, 0, 0));
    sbi_free(sbi);
}

TEST(hart_suspend)
{
    sbi_t *sbi = start();
    hart_t *h = &harts[0];
    sbi_hart_enter(sbi, h);
    CHECK_EQ(-3, call(sbi, h, HSM, 3, 1, 0, 0));
    CHECK_EQ(-2, call(sbi, h, HSM, 3, 0x10000000, 0, 0));
    CHECK_EQ(-3, call(sbi, h, HSM, 3, 0x80000001, 0, 0));
    CHECK_EQ(-2, call(sbi, h, HSM, 3, 0x90000000, 0, 0));
    CHECK_EQ(-5, call(sbi, h, HSM, 3, 0x80000000, 0, 0));
    CHECK_EQ(0, call(sbi, h, HSM, 3, 0, 0, 0));
    CHECK(h->requests & REQ_KICK);
    sbi_hart_leave(sbi, h);
    CHECK_EQ(SBI_HART_SLEEP, sbi_hart_enter(sbi, h));
    h->work = true;
    CHECK_EQ(SBI_HART_RUN, sbi_hart_enter(sbi, h));
    CHECK_EQ(1, h->resets);
    CHECK_EQ(0, call(sbi, h, HSM, 3, 0x80000000, RAM_BASE + 8, 77));
    sbi_hart_leave(sbi, h);
    CHECK_EQ(SBI_HART_RUN, sbi_hart_enter(sbi, h));
    CHECK(h->resets == 2 && h->pc == RAM_BASE + 8 && h->x[11] == 77);
    sbi_free(sbi);
}

TEST(ipis_and_masks)
{
    sbi_t *sbi = start();
    sbi_hart_enter(sbi, &harts[0]);
    CHECK_EQ(0, call(sbi, &harts[0], IPI, 0, 0xf, 0, 0));
    CHECK(harts[0].lines == 2 && harts[1].lines == 0); /* hart 1 is stopped */
    for (uint32_t i = 1; i < HARTS; i++) {
        call(sbi, &harts[0], HSM, 0, i, RAM_BASE, 0);
        sbi_hart_enter(sbi, &harts[i]);
    }
    memset(wakes, 0, sizeof(wakes));
    CHECK_EQ(0, call(sbi, &harts[0], IPI, 0, 3, 1, 0));
    CHECK(harts[1].lines == 2 && harts[2].lines == 2 && harts[3].lines == 0);
    CHECK(wakes[0] == 0 && wakes[1] == 1 && wakes[2] == 1);
    CHECK_EQ(0, call(sbi, &harts[0], IPI, 0, 0, UINT32_MAX, 0));
    CHECK(harts[3].lines == 2);
    CHECK_EQ(-3, call(sbi, &harts[0], IPI, 0, 0x10, 0, 0));
    CHECK_EQ(-3, call(sbi, &harts[0], IPI, 0, 1, HARTS, 0));
    CHECK_EQ(-3, call(sbi, &harts[0], IPI, 0, 2, 0xfffffffe, 0));
    CHECK_EQ(0, call(sbi, &harts[0], IPI, 0, 0, 100, 0));
    CHECK_EQ(-2, call(sbi, &harts[0], IPI, 1, 0, 0, 0));
    /* Legacy: the mask is in memory; clearing is for the caller. */
    harts[3].lines = 0;
    util_put_le32(ram + 64, 0xfffffff8u);
    CHECK_EQ(0, call(sbi, &harts[0], 4, 0, RAM_BASE + 64, 0, 0));
    CHECK_EQ(2, harts[3].lines);
    CHECK_EQ(-5, call(sbi, &harts[0], 4, 0, 16, 0, 0));
    CHECK_EQ(0, call(sbi, &harts[3], 3, 0, 0, 0, 0));
    CHECK_EQ(0, harts[3].lines);
    sbi_free(sbi);
}

TEST(power)
{
    sbi_t *sbi = start();
    hart_t *h = &harts[0];
    sbi_hart_enter(sbi, h);
    CHECK_EQ(-3, call(sbi, h, SRST, 0, 3, 0, 0));
    CHECK_EQ(-3, call(sbi, h, SRST, 0, 0, 2, 0));
    CHECK_EQ(-2, call(sbi, h, SRST, 0, 0xf0000000, 0, 0));
    CHECK_EQ(-2, call(sbi, h, SRST, 1, 0, 0, 0));
    CHECK_EQ(0, powers);
    call(sbi, h, SRST, 0, 1, 0, 0);
    CHECK(powers == 1 && last_power == SBI_POWER_RESET && (h->requests & REQ_KICK));
    sbi_hart_leave(sbi, h);
    CHECK_EQ(SBI_HART_STOPPED, sbi_hart_enter(sbi, h));
    sbi_reset(sbi, 0, RAM_BASE, 0);
    CHECK_EQ(SBI_HART_RUN, sbi_hart_enter(sbi, h));
    call(sbi, h, 8, 0, 0, 0, 0);
    CHECK(powers == 2 && last_power == SBI_POWER_OFF);
    sbi_free(sbi);
}

TEST(debug_console)
{
    sbi_t *sbi = start();
    hart_t *h = &harts[0];
    memcpy(ram + 100, "hello", 5);
    CHECK(call(sbi, h, DBCN, 0, 5, RAM_BASE + 100, 0) == 0 && h->x[11] == 5);
    CHECK(console_size == 5 && !memcmp(console, "hello", 5));
    CHECK_EQ(-3, call(sbi, h, DBCN, 0, 5, RAM_BASE + RAM_SIZE - 4, 0));
    CHECK_EQ(-3, call(sbi, h, DBCN, 0, 5, RAM_BASE, 1));
    CHECK_EQ(-3, call(sbi, h, DBCN, 0, UINT32_MAX, RAM_BASE, 0));
    CHECK_EQ(-3, call(sbi, h, DBCN, 1, 5, RAM_BASE - 1, 0));
    console_room = 3;
    CHECK(call(sbi, h, DBCN, 0, 5, RAM_BASE + 100, 0) == 0 && h->x[11] == 3);
    input = "abc";
    input_size = 3;
    CHECK(call(sbi, h, DBCN, 1, 8, RAM_BASE + 200, 0) == 0 && h->x[11] == 3);
    CHECK(!memcmp(ram + 200, "abc", 3) && touched == 3);
    CHECK(call(sbi, h, DBCN, 1, 8, RAM_BASE + 200, 0) == 0 && h->x[11] == 0);
    /* A byte that finds no room is tried again by the guest: nothing changes but the pc. */
    h->pc = RAM_BASE + 4;
    CHECK_EQ('x', call(sbi, h, DBCN, 2, 'x', 5, 0));
    CHECK(h->pc == RAM_BASE && h->x[11] == 5 && (h->requests & REQ_KICK));
    console_room = 1;
    CHECK_EQ(0, call(sbi, h, DBCN, 2, 'x', 5, 0));
    CHECK(h->pc == RAM_BASE && console[console_size - 1] == 'x');
    console_room = 1;
    CHECK_EQ(0, call(sbi, h, 1, 0, 'y', 6, 0));
    CHECK(console[console_size - 1] == 'y' && h->x[11] == 6);
    CHECK_EQ(-1, call(sbi, h, 2, 0, 0, 0, 0));
    input = "\xff";
    input_size = 1;
    CHECK_EQ(255, call(sbi, h, 2, 0, 0, 0, 0));
    sbi_free(sbi);
}

TEST(counters)
{
    sbi_t *sbi = start();
    hart_t *h = &harts[0];
    CHECK(call(sbi, h, PMU, 0, 0, 0, 0) == 0 && h->x[11] == 3);
    CHECK(call(sbi, h, PMU, 1, 0, 0, 0) == 0 && h->x[11] == (0xc00 | 63 << 12));
    CHECK(call(sbi, h, PMU, 1, 2, 0, 0) == 0 && h->x[11] == (0xc02 | 63 << 12));
    CHECK_EQ(-3, call(sbi, h, PMU, 1, 1, 0, 0));
    CHECK_EQ(-3, call(sbi, h, PMU, 1, 35, 0, 0));
    CHECK_EQ(-7, call(sbi, h, PMU, 3, 0, 5, 0));
    CHECK_EQ(0, call(sbi, h, PMU, 4, 0, 5, 0));
    CHECK_EQ(5, h->inhibit);
    CHECK_EQ(-8, call(sbi, h, PMU, 4, 2, 1, 0));
    h->counters[2] = 9;
    CHECK(call6(sbi, h, PMU, 2, 0, 5, 2, 2, 0) == 0 && h->x[11] == 2 && h->counters[2] == 0 &&
          h->inhibit == 5);
    CHECK(call6(sbi, h, PMU, 2, 0, 5, 4, 1, 0) == 0 && h->x[11] == 0 && h->inhibit == 4);
    CHECK_EQ(-2, call6(sbi, h, PMU, 2, 0, 1, 0, 2, 0));
    CHECK_EQ(-2, call6(sbi, h, PMU, 2, 0, 5, 0, 0x10000, 0));
    CHECK_EQ(-3, call6(sbi, h, PMU, 2, 0, 2, 0, 1, 0));
    CHECK_EQ(-3, call6(sbi, h, PMU, 2, UINT32_MAX, UINT32_MAX, 0, 1, 0));
    CHECK_EQ(0, call6(sbi, h, PMU, 3, 2, 1, 1, 0x1234, 0x5));
    CHECK(h->inhibit == 0 && h->counters[2] == 0x1234 && h->counters[5] == 5);
    CHECK_EQ(-3, call(sbi, h, PMU, 5, 0, 0, 0));
    CHECK_EQ(-2, call(sbi, h, PMU, 7, 0, 0, 0));
    sbi_free(sbi);
}

TEST(fences_reach_who_they_name)
{
    sbi_t *sbi = start();
    sbi_hart_enter(sbi, &harts[0]);
    for (uint32_t i = 0; i < HARTS; i++) {
        harts[i].requests = 0;
    }
    /* The others are outside hart_run(): asked, not waited for. That is the cooperative mode as
     * well. */
    CHECK_EQ(0, call(sbi, &harts[0], RFENCE, 1, 3, 0, 0));
    CHECK(harts[0].requests == REQ_TLB && harts[1].requests == REQ_TLB && harts[2].requests == 0);
    CHECK_EQ(0, call(sbi, &harts[0], RFENCE, 0, 0, UINT32_MAX, 0));
    CHECK(harts[3].requests == REQ_FENCE_I);
    CHECK_EQ(0, call(sbi, &harts[0], RFENCE, 2, 4, 0, 0));
    CHECK(harts[2].requests == (REQ_FENCE_I | REQ_TLB));
    CHECK_EQ(-3, call(sbi, &harts[0], RFENCE, 1, 16, 0, 0));
    CHECK_EQ(-2, call(sbi, &harts[0], RFENCE, 3, 1, 0, 0));
    CHECK_EQ(0, call(sbi, &harts[0], 5, 0, 0, 0, 0));
    CHECK_EQ(0, call(sbi, &harts[0], 7, 0, 0, 0, 0));
    sbi_free(sbi);
}

/*
 * Harts on threads that fence each other at random. Each fence is preceded by a new version of the
 * page tables; when it returns, no other hart may run with translations of an older one.
 */
static uint32_t version;
static bool stop_all;

static void serve(hart_t *h)
{
    if (__atomic_exchange_n(&h->requests, 0, __ATOMIC_SEQ_CST) & REQ_TLB) {
        __atomic_store_n(&h->cached, __atomic_load_n(&version, __ATOMIC_SEQ_CST), __ATOMIC_SEQ_CST);
    }
}

static void fence_all(sbi_t *sbi, hart_t *h)
{
    uint32_t mine = __atomic_add_fetch(&version, 1, __ATOMIC_SEQ_CST);
    __atomic_store_n(&h->active, false, __ATOMIC_SEQ_CST);
    call(sbi, h, RFENCE, 1, 0, UINT32_MAX, 0);
    for (uint32_t i = 0; i < HARTS; i++) {
        if (i != h->id && __atomic_load_n(&harts[i].active, __ATOMIC_SEQ_CST) &&
            (int32_t)(__atomic_load_n(&harts[i].cached, __ATOMIC_SEQ_CST) - mine) < 0) {
            h->violations++;
        }
    }
    h->fences++;
}

static void fence_thread(void *arg)
{
    hart_t *h = arg;
    sbi_t *sbi = (sbi_t *)(uintptr_t)h->stimecmp;
    while (!__atomic_load_n(&stop_all, __ATOMIC_RELAXED)) {
        if (sbi_hart_enter(sbi, h) != SBI_HART_RUN) {
            host_thread_yield();
            continue;
        }
        for (bool kicked = false; !kicked && !__atomic_load_n(&stop_all, __ATOMIC_RELAXED);) {
            kicked = __atomic_load_n(&h->requests, __ATOMIC_SEQ_CST) & REQ_KICK;
            serve(h);
            if (kicked) {
                break;
            }
            __atomic_store_n(&h->active, true, __ATOMIC_SEQ_CST);
            h->seed = h->seed * 1664525 + 1013904223;
            if (h->seed >> 26 == 0) {
                fence_all(sbi, h);
            }
            __atomic_store_n(&h->active, false, __ATOMIC_SEQ_CST);
        }
        sbi_hart_leave(sbi, h);
    }
}

TEST(harts_that_fence_each_other)
{
    if (!host_threads_available()) {
        return;
    }
    sbi_t *sbi = start();
    host_thread_t *threads[HARTS];
    __atomic_store_n(&stop_all, false, __ATOMIC_SEQ_CST);
    sbi_hart_enter(sbi, &harts[0]);
    for (uint32_t i = 1; i < HARTS; i++) {
        call(sbi, &harts[0], HSM, 0, i, RAM_BASE, 0);
    }
    sbi_hart_leave(sbi, &harts[0]);
    for (uint32_t i = 0; i < HARTS; i++) {
        harts[i].stimecmp = (uintptr_t)sbi;
        harts[i].seed = i * 77 + 5;
        threads[i] = host_thread_create(fence_thread, &harts[i]);
    }
    uint32_t fences = 0;
    for (int rounds = 0; rounds < 200000 && fences < 2000; rounds++) {
        host_thread_yield();
        fences = __atomic_load_n(&version, __ATOMIC_RELAXED);
    }
    __atomic_store_n(&stop_all, true, __ATOMIC_SEQ_CST);
    fences = 0;
    for (uint32_t i = 0; i < HARTS; i++) {
        host_thread_join(threads[i]);
        fences += harts[i].fences;
        CHECK_EQ(0, harts[i].violations);
    }
    CHECK(fences > 100);
    sbi_free(sbi);
}

int main(void)
{
    RUN(base_and_probe);
    RUN(timer);
    RUN(hart_states);
    RUN(hart_suspend);
    RUN(ipis_and_masks);
    RUN(power);
    RUN(debug_console);
    RUN(counters);
    RUN(fences_reach_who_they_name);
    RUN(harts_that_fence_each_other);
    return tap_finish();
}
