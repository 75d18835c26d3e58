/* SPDX-License-Identifier: MPL-2.0 */
/* Running: start, pause, reset, power off; threads and turns; two machines; counted time. */
#include "host/clock.h"
#include "machine.h"
#include "tap.h"
#include "util.h"

#include <rvvm/compat.h>

#include <stdlib.h>

/* An assembler of nine instructions. */
enum { X0 = 0, T0 = 5, T1 = 6, T2 = 7, A0 = 10, A1 = 11 };
#define LUI(rd, imm20) ((uint32_t)(imm20) << 12 | (rd) << 7 | 0x37)
#define ADDI(rd, rs, imm) ((uint32_t)(imm) << 20 | (rs) << 15 | (rd) << 7 | 0x13)
#define SLLI(rd, rs, n) ((uint32_t)(n) << 20 | (rs) << 15 | 1u << 12 | (rd) << 7 | 0x13)
#define ADD(rd, rs, rt) ((uint32_t)(rt) << 20 | (rs) << 15 | (rd) << 7 | 0x33)
#define LW(rd, rs, imm) ((uint32_t)(imm) << 20 | (rs) << 15 | 2u << 12 | (rd) << 7 | 0x03)
#define SW(rt, rs, imm)                                                                            \
    ((uint32_t)((imm) >> 5) << 25 | (rt) << 20 | (rs) << 15 | 2u << 12 | ((imm) & 31u) << 7 | 0x23)
#define CSRW(csr, rs) ((uint32_t)(csr) << 20 | (rs) << 15 | 1u << 12 | 0x73)
#define CSRR(rd, csr) ((uint32_t)(csr) << 20 | 2u << 12 | (rd) << 7 | 0x73)
#define WFI 0x10500073u
/* A jump over n instructions backwards. */
#define LOOP(n) (0x6fu | ((uint32_t)(-4 * (n)) & 0xff000u) | (uint32_t)(-4 * (n)) << 20 >> 21 << 21 | \
                 (((uint32_t)(-4 * (n)) >> 11 & 1) << 20) | 1u << 31)
enum { MTVEC = 0x305, MIE = 0x304, MCYCLE = 0xB00, TIME = 0xC01 };

#define RAM RVVM_DEFAULT_MEMBASE
#define DATA (RAM + 0x1000) /* one word for each hart */

/* A device: writes of 1 ask for power off, of 2 for a reset; others are counted. */
typedef struct {
    uint32_t hits, resets, updates;
} port_t;

static bool port_write(rvvm_mmio_dev_t *dev, void *data, size_t offset, uint8_t size)
{
    port_t *port = dev->data;
    (void)offset;
    (void)size;
    uint32_t value = util_get_le32(data);
    atomic_add_uint32(&port->hits, 1);
    if (value == 1 || value == 2) {
        rvvm_reset_machine(dev->machine, value == 2);
    }
    return true;
}

static void port_reset(rvvm_mmio_dev_t *dev)
{
    atomic_add_uint32(&((port_t *)dev->data)->resets, 1);
}

static void port_update(rvvm_mmio_dev_t *dev)
{
    atomic_add_uint32(&((port_t *)dev->data)->updates, 1);
}

static void port_remove(rvvm_mmio_dev_t *dev)
{
    (void)dev; /* the test owns it */
}

static const rvvm_mmio_type_t port_type = {
    .name = "port", .remove = port_remove, .update = port_update, .reset = port_reset};

static rvvm_mmio_dev_t *port_attach(rvvm_machine_t *m, port_t *port)
{
    rvvm_mmio_dev_t desc = {.addr = 0x1000, .size = 0x1000, .data = port, .type = &port_type,
                            .read = rvvm_mmio_none, .write = port_write,
                            .min_op_size = 4, .max_op_size = 4};
    return rvvm_attach_mmio(m, &desc);
}

static rvvm_machine_t *make(size_t harts, uint64_t icount, const uint32_t *code, size_t words)
{
    rvvm_machine_t *m = rvvm_create_machine(1 << 20, harts, NULL);
    if (icount) {
        CHECK(rvvm_set_opt(m, RVKIT_OPT_ICOUNT, icount));
    }
    CHECK(rvvm_write_ram(m, RAM, code, words * 4));
    return m;
}

static uint32_t word_at(rvvm_machine_t *m, rvvm_addr_t addr)
{
    uint32_t word = 0;
    CHECK(rvvm_read_ram(m, &word, addr, 4));
    return word;
}

/* Lets a machine run until a word is at least `want`; false after ten seconds. */
static bool wait_word(rvvm_machine_t *m, rvvm_addr_t addr, uint32_t want)
{
    for (unsigned i = 0; i < 10000; i++) {
        if (word_at(m, addr) >= want) {
            return true;
        }
        if (rvvm_get_opt(m, RVKIT_OPT_COOPERATIVE)) {
            rvkit_run_slice(m, 100000);
        } else {
            host_sleep_ns(1000000);
        }
    }
    return false;
}

/* data[hartid]++ for ever. */
static const uint32_t count_code[] = {
    SLLI(T0, A0, 2), LUI(T1, DATA >> 12), ADD(T1, T1, T0),
    LW(T2, T1, 0), ADDI(T2, T2, 1), SW(T2, T1, 0), LOOP(3),
};

TEST(every_hart_runs_and_pauses)
{
    rvvm_machine_t *m = make(3, 0, count_code, ARRAY_LEN(count_code));
    CHECK(!rvvm_machine_powered(m) && !rvvm_machine_running(m));
    CHECK(!rvvm_pause_machine(m));
    CHECK(rvvm_start_machine(m));
    CHECK(!rvvm_start_machine(m));
    CHECK(rvvm_machine_powered(m) && rvvm_machine_running(m));
    for (unsigned i = 0; i < 3; i++) {
        CHECK(wait_word(m, DATA + i * 4, 1000));
    }
    CHECK(rvvm_pause_machine(m));
    CHECK(rvvm_machine_powered(m) && !rvvm_machine_running(m));
    uint32_t before = word_at(m, DATA);
    host_sleep_ns(3000000);
    CHECK_EQ(before, word_at(m, DATA));
    CHECK(rvvm_start_machine(m));
    CHECK(wait_word(m, DATA, before + 1000));
    rvvm_free_machine(m); /* while it runs */
}

/* if (!data[0]++) ask for a reset, else for power off. Writes 2, then 1: the machine goes down anyway. */
static const uint32_t reset_code[] = {
    LUI(T1, DATA >> 12), LW(T2, T1, 0), ADDI(T0, T2, 1), SW(T0, T1, 0),
    LUI(A1, 1),          ADDI(T0, X0, 2), (uint32_t)8 << 7 | T2 << 15 | 0x63, /* beq t2, x0, +8 */
    ADDI(T0, X0, 1),     SW(T0, A1, 0),   ADDI(X0, X0, 0), LOOP(1),
};

/* An illegal instruction, whose handler at 0 cannot be fetched either: no instruction ever retires. */
TEST(a_hart_that_only_traps_ends_its_slice)
{
    static const uint32_t code[] = {0};
    rvvm_machine_t *m = make(1, 1, code, ARRAY_LEN(code));
    CHECK(rvvm_start_machine(m));
    CHECK_EQ(RVKIT_SLICE_BUSY, rvkit_run_slice(m, 100000));
    CHECK_EQ(0, rvkit_retired(m));
    CHECK(rvvm_pause_machine(m));
    rvvm_free_machine(m);
}

static void check_reset(uint64_t icount)
{
    port_t port = {0};
    rvvm_machine_t *m = make(1, icount, reset_code, ARRAY_LEN(reset_code));
    port_attach(m, &port);
    CHECK(rvvm_start_machine(m));
    rvvm_run_eventloop();
    CHECK(!rvvm_machine_powered(m));
    CHECK_EQ(2, word_at(m, DATA));
    CHECK_EQ(2, port.hits);
    CHECK_EQ(2, port.resets); /* power-on and reset */
    rvvm_run_eventloop();     /* nothing runs: returns */
    CHECK(rvvm_start_machine(m));
    rvvm_run_eventloop();
    CHECK_EQ(3, word_at(m, DATA)); /* RAM is kept, and this time it is power off at once */
    CHECK_EQ(3, port.resets);
    rvvm_free_machine(m);
}

TEST(resets_and_powers_off)
{
    check_reset(0);
}

TEST(resets_and_powers_off_in_turns)
{
    check_reset(10);
}

TEST(power_off_needs_no_event_loop_of_ours)
{
    if (!host_threads_available()) {
        return;
    }
    port_t port = {0};
    rvvm_machine_t *m = make(1, 0, reset_code, ARRAY_LEN(reset_code));
    port_attach(m, &port);
    CHECK(rvvm_start_machine(m));
    for (unsigned i = 0; i < 10000 && rvvm_machine_powered(m); i++) {
        host_sleep_ns(1000000);
    }
    CHECK(!rvvm_machine_powered(m));
    CHECK_EQ(2, port.hits);
    rvvm_free_machine(m);
}

TEST(two_machines_live_side_by_side)
{
    rvvm_machine_t *a = make(2, 0, count_code, ARRAY_LEN(count_code));
    rvvm_machine_t *b = make(1, 10, count_code, ARRAY_LEN(count_code));
    CHECK(rvvm_start_machine(a) && rvvm_start_machine(b));
    CHECK(wait_word(a, DATA + 4, 100));
    CHECK(wait_word(b, DATA, 100));
    CHECK(rvvm_pause_machine(b));
    uint32_t before = word_at(b, DATA);
    CHECK(wait_word(a, DATA, word_at(a, DATA) + 100000));
    CHECK_EQ(before, word_at(b, DATA));
    CHECK_EQ(RVKIT_SLICE_STOPPED, rvkit_run_slice(b, 1000));
    rvvm_free_machine(a);
    CHECK(rvvm_start_machine(b));
    CHECK(wait_word(b, DATA, before + 100));
    rvvm_free_machine(b);
}

/* mtvec = handler; for ever: store to 0x1000. Handler: data[0]++, sleep. */
static const uint32_t fault_code[] = {
    LUI(T1, DATA >> 12), LUI(T0, RAM >> 12), ADDI(T0, T0, 32), CSRW(MTVEC, T0),
    LUI(A1, 1),          SW(X0, A1, 0),      LOOP(1),          ADDI(X0, X0, 0),
    LW(T2, T1, 0),       ADDI(T2, T2, 1),    SW(T2, T1, 0),    WFI, LOOP(1),
};

TEST(a_device_can_be_pulled_out_of_a_running_machine)
{
    port_t port = {0};
    rvvm_machine_t *m = make(1, host_threads_available() ? 0 : 10, fault_code, ARRAY_LEN(fault_code));
    rvvm_mmio_dev_t *dev = port_attach(m, &port);
    CHECK(rvvm_start_machine(m));
    for (unsigned i = 0; i < 10000 && atomic_load_uint32(&port.hits) < 1000; i++) {
        host_sleep_ns(1000000);
        rvkit_run_slice(m, 10000);
    }
    CHECK_EQ(0, word_at(m, DATA));
    rvvm_remove_mmio(dev);
    uint32_t hits = atomic_load_uint32(&port.hits);
    CHECK(wait_word(m, DATA, 1));
    CHECK_EQ(hits, atomic_load_uint32(&port.hits));
    rvvm_free_machine(m);
}

/* Sleeps in WFI with the timer enabled and counts in the trap handler how often it was woken. */
static const uint32_t sleep_code[] = {
    LUI(T1, DATA >> 12), ADDI(T0, X0, 128), CSRW(MIE, T0), /* MTIE */
    WFI, LW(T2, T1, 0), ADDI(T2, T2, 1), SW(T2, T1, 0), LOOP(4),
};

TEST(sleeping_harts_cost_nothing_and_wake_in_time)
{
    rvvm_machine_t *m = make(1, 0, sleep_code, ARRAY_LEN(sleep_code));
    const irq_host_t *host = irq_host_get(m);
    CHECK(rvvm_start_machine(m));
    if (rvvm_get_opt(m, RVKIT_OPT_COOPERATIVE)) {
        CHECK_EQ(RVKIT_SLICE_IDLE, rvkit_run_slice(m, 10000));
        CHECK_EQ(UINT64_MAX, rvkit_idle_ns(m));
        rvvm_free_machine(m);
        return;
    }
    host_sleep_ns(50000000);
    CHECK_EQ(0, word_at(m, DATA));
    CHECK(rvkit_retired(m) < 100);
    host->set_mtimecmp(host->opaque, 0, host->time(host->opaque) + 100000); /* 10 ms */
    CHECK_EQ(0, word_at(m, DATA));
    CHECK(wait_word(m, DATA, 1));
    CHECK(host->time(host->opaque) >= host->get_mtimecmp(host->opaque, 0));
    rvvm_free_machine(m);
}

TEST(counted_time_jumps_over_sleep)
{
    rvvm_machine_t *m = make(2, 10, sleep_code, ARRAY_LEN(sleep_code));
    const irq_host_t *host = irq_host_get(m);
    uint64_t start = host->wall_ns(host->opaque);
    CHECK(rvvm_start_machine(m));
    CHECK_EQ(RVKIT_SLICE_IDLE, rvkit_run_slice(m, 20000));
    host->set_mtimecmp(host->opaque, 1, 36000000000); /* an hour */
    CHECK_EQ(RVKIT_SLICE_BUSY, rvkit_run_slice(m, 20000));
    CHECK(word_at(m, DATA) >= 1);
    CHECK(host->time(host->opaque) >= 36000000000);
    CHECK(host->wall_ns(host->opaque) - start >= UINT64_C(3600000000000));
    rvvm_free_machine(m);
}

/* data[hartid] = time, often; the last value tells where the turns have brought it. */
static const uint32_t time_code[] = {
    SLLI(T0, A0, 2), LUI(T1, DATA >> 12), ADD(T1, T1, T0),
    CSRR(T2, TIME), SW(T2, T1, 0), LOOP(2),
};

TEST(counted_runs_repeat_exactly)
{
    uint32_t seen[2][3];
    for (unsigned run = 0; run < 2; run++) {
        port_t port = {0};
        rvvm_machine_t *m = make(3, 7, time_code, ARRAY_LEN(time_code));
        port_attach(m, &port);
        CHECK(rvvm_start_machine(m));
        for (unsigned i = 0; i < 30; i++) {
            CHECK_EQ(RVKIT_SLICE_BUSY, rvkit_run_slice(m, 33333));
        }
        for (unsigned i = 0; i < 3; i++) {
            seen[run][i] = word_at(m, DATA + i * 4);
        }
        /* About a million instructions at 7 per tick are 14 ms: one update at the start. */
        CHECK_EQ(1, port.updates);
        rvvm_free_machine(m);
    }
    CHECK(!memcmp(seen[0], seen[1], sizeof(seen[0])));
    CHECK(seen[0][2] > 100000 && seen[0][2] < 1000000 / 7 + 1000);
}

TEST(updates_come_while_the_machine_runs)
{
    if (!host_threads_available()) {
        return;
    }
    port_t port = {0};
    rvvm_machine_t *m = make(1, 0, sleep_code, ARRAY_LEN(sleep_code));
    port_attach(m, &port);
    CHECK(rvvm_start_machine(m));
    for (unsigned i = 0; i < 10000 && atomic_load_uint32(&port.updates) < 4; i++) {
        host_sleep_ns(1000000);
    }
    CHECK(atomic_load_uint32(&port.updates) >= 4);
    CHECK(rvvm_pause_machine(m));
    uint32_t updates = atomic_load_uint32(&port.updates);
    host_sleep_ns(40000000);
    CHECK_EQ(updates, atomic_load_uint32(&port.updates));
    rvvm_free_machine(m);
}

TEST(time_stands_still_in_a_pause)
{
    rvvm_machine_t *m = make(1, host_threads_available() ? 0 : 10, sleep_code, ARRAY_LEN(sleep_code));
    const irq_host_t *host = irq_host_get(m);
    host_sleep_ns(2000000);
    CHECK_EQ(0, host->time(host->opaque)); /* nor before the first start */
    CHECK(rvvm_start_machine(m));
    uint64_t start_ns = host_clock_ns(), start = host->time(host->opaque);
    CHECK(rvvm_pause_machine(m));
    uint64_t pause_ns = host_clock_ns(), paused = host->time(host->opaque);
    CHECK(paused >= start);
    host_sleep_ns(20000000);
    pause_ns = host_clock_ns() - pause_ns;
    CHECK_EQ(paused, host->time(host->opaque));
    CHECK(rvvm_start_machine(m));
    CHECK(host->time(host->opaque) >= paused);
    uint64_t ticks = host->time(host->opaque) - start;
    uint64_t all_ns = host_clock_ns() - start_ns;
    CHECK(ticks * 100 <= all_ns - pause_ns + 1000);
    rvvm_free_machine(m);
}

int main(void)
{
    if (host_threads_available()) {
        RUN(every_hart_runs_and_pauses);
    RUN(a_hart_that_only_traps_ends_its_slice);
        RUN(two_machines_live_side_by_side);
    }
    RUN(resets_and_powers_off);
    RUN(resets_and_powers_off_in_turns);
    RUN(power_off_needs_no_event_loop_of_ours);
    RUN(a_device_can_be_pulled_out_of_a_running_machine);
    RUN(sleeping_harts_cost_nothing_and_wake_in_time);
    RUN(counted_time_jumps_over_sleep);
    RUN(counted_runs_repeat_exactly);
    RUN(updates_come_while_the_machine_runs);
    RUN(time_stands_still_in_a_pause);
    return tap_finish();
}
