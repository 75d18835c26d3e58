/* SPDX-License-Identifier: MPL-2.0 */
/* mtime: from the host's clock, or with -icount from the instructions that have retired. */
#include "host/clock.h"
#include "machine.h"
#include "util.h"

#define NS_PER_S UINT64_C(1000000000)
#define CLOCK_PATIENCE_NS (NS_PER_S / 20) /* so late is as good as in time, so long is a slice */
#define CLOCK_PACE_MAX 7                  /* a tick of 10 ms still has time for its work */
#define CLOCK_LAG_MAX_NS (UINT64_C(3600) * NS_PER_S)      /* what is more passes at once */
#define ICOUNT_EPOCH_NS (UINT64_C(1704067200) * NS_PER_S) /* 2024-01-01: wall time of such runs */

/* v * to / from without overflow, for rates below 2^32. */
static uint64_t rescale(uint64_t v, uint64_t to, uint64_t from)
{
    return v / from * to + v % from * to / from;
}

void machine_clock_init(machine_clock_t *clock)
{
    *clock = (machine_clock_t){.freq = MACHINE_TIME_FREQ};
    clock->start_ns = clock->latest_ns = host_clock_ns(); /* it begins stopped */
}

/* The host's clock, as far as mtime follows it. */
static uint64_t clock_host_ns(const machine_clock_t *clock)
{
    uint64_t now = host_clock_ns(), latest = __atomic_load_n(&clock->latest_ns, __ATOMIC_RELAXED);
    return latest ? util_min_u64(now, latest) : now;
}

/* What mtime did not follow is to be made up; from here on it goes up to `latest`. */
static void clock_follow(machine_clock_t *clock, uint64_t now, uint64_t latest)
{
    uint64_t stood = clock->latest_ns && now > clock->latest_ns ? now - clock->latest_ns : 0;
    stood = util_min_u64(stood, CLOCK_LAG_MAX_NS - clock->lag_ns);
    clock->lag_ns += stood;
    __atomic_fetch_add(&clock->start_ns, stood, __ATOMIC_RELAXED);
    __atomic_store_n(&clock->latest_ns, latest, __ATOMIC_RELAXED);
}

/* Ticks since the clock was made, before the offset that the guest may have set. */
static uint64_t clock_raw_ticks(const machine_clock_t *clock)
{
    if (clock->icount) {
        uint64_t turn = clock->turn ? hart_retired(clock->turn) - clock->turn_start : 0;
        return (clock->insns + turn) / clock->icount + clock->skipped;
    }
    uint64_t now = clock_host_ns(clock);
    uint64_t start = __atomic_load_n(&clock->start_ns, __ATOMIC_RELAXED);
    return rescale(now > start ? now - start : 0, clock->freq, NS_PER_S);
}

uint64_t machine_clock_ticks(const rvvm_machine_t *machine)
{
    const machine_clock_t *clock = &machine->clock;
    return clock_raw_ticks(clock) + __atomic_load_n(&clock->offset, __ATOMIC_RELAXED);
}

void machine_clock_set(rvvm_machine_t *machine, uint64_t ticks)
{
    machine_clock_t *clock = &machine->clock;
    __atomic_store_n(&clock->offset, ticks - clock_raw_ticks(clock), __ATOMIC_RELAXED);
}

void machine_clock_stop(rvvm_machine_t *machine)
{
    uint64_t now = host_clock_ns();
    clock_follow(&machine->clock, now, now);
}

void machine_clock_start(rvvm_machine_t *machine)
{
    machine_clock_t *clock = &machine->clock;
    uint64_t gap = host_clock_ns() - clock->latest_ns;
    __atomic_fetch_add(&clock->start_ns, gap, __ATOMIC_RELAXED);
    __atomic_store_n(&clock->latest_ns, 0, __ATOMIC_RELAXED);
}

void machine_clock_begin(rvvm_machine_t *machine)
{
    uint64_t now = host_clock_ns();
    if (!machine->clock.icount && machine_is(machine, MACHINE_RUNNING)) {
        clock_follow(&machine->clock, now, now + CLOCK_PATIENCE_NS);
    }
}

void machine_clock_end(rvvm_machine_t *machine, rvkit_slice_t slice)
{
    if (!machine_is(machine, MACHINE_RUNNING)) { /* it stands where it stopped */
        return;
    }
    uint64_t now = host_clock_ns();
    uint64_t idle = slice == RVKIT_SLICE_IDLE ? rvkit_idle_ns(machine) : 0;
    bool any_time = machine->clock.icount || slice == RVKIT_SLICE_STOPPED ||
                    idle > UINT64_MAX - now - CLOCK_PATIENCE_NS;
    clock_follow(&machine->clock, now, any_time ? 0 : now + idle + CLOCK_PATIENCE_NS);
}

uint64_t machine_clock_pace(const rvvm_machine_t *machine)
{
    uint64_t seconds = machine->clock.lag_ns / NS_PER_S;
    return seconds < 1 ? 1 : util_min_u64(seconds, CLOCK_PACE_MAX);
}

bool machine_clock_make_up(rvvm_machine_t *machine, uint64_t ns)
{
    machine_clock_t *clock = &machine->clock;
    ns = util_min_u64(ns, clock->lag_ns);
    clock->lag_ns -= ns;
    __atomic_fetch_sub(&clock->start_ns, ns, __ATOMIC_RELAXED);
    return ns != 0;
}

uint64_t machine_now_ns(const rvvm_machine_t *machine)
{
    return rescale(clock_raw_ticks(&machine->clock), NS_PER_S, machine->clock.freq);
}

uint64_t machine_wall_ns(const rvvm_machine_t *machine)
{
    return machine->clock.icount ? ICOUNT_EPOCH_NS + machine_now_ns(machine) : host_wall_ns();
}

uint64_t machine_ns_until(const rvvm_machine_t *machine, uint64_t ticks)
{
    uint64_t now = machine_clock_ticks(machine);
    if (ticks == UINT64_MAX || ticks <= now) {
        return ticks <= now ? 0 : UINT64_MAX;
    }
    const uint64_t year = UINT64_C(31536000) * machine->clock.freq;
    uint64_t left = util_min_u64(ticks - now, year);
    return rescale(left, NS_PER_S, machine->clock.freq) + NS_PER_S / machine->clock.freq;
}
