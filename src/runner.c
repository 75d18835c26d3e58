/* SPDX-License-Identifier: MPL-2.0 */
/* Running the harts: a thread for each, or in turn on the caller's. */
#include "machine.h"
#include "util.h"

/* Instructions between two looks at the outside; a kick ends a run earlier. */
#define RUNNER_SLICE 1000000
#define RUNNER_TURN 10000

/* What a jump over idle time counts for in a slice's budget, so that slices of idle guests end. */
#define RUNNER_JUMP_COST 1000

void machine_wake_hart(rvvm_machine_t *machine, uint32_t hart)
{
    hart_kick(machine->harts[hart].hart);
    host_event_set(machine->harts[hart].event);
    if (machine->cooperative) {
        eventloop_notify(); /* that is where its harts sleep */
    }
}

static bool runner_held(const rvvm_machine_t *machine)
{
    return __atomic_load_n(&machine->hold, __ATOMIC_ACQUIRE) != 0;
}

/* TURN_SPENT: all that it was given, in instructions or in traps; TURN_RAN: somebody cut it short. */
typedef enum { TURN_RAN, TURN_SPENT, TURN_YIELDS, TURN_SLEEPS, TURN_STOPPED } turn_t;

/* Runs a hart unless the SBI says otherwise. */
static turn_t runner_turn(machine_hart_t *mh, uint64_t insns)
{
    sbi_t *sbi = mh->machine->sbi_active ? mh->machine->sbi : NULL;
    sbi_hart_action_t action = sbi ? sbi_hart_enter(sbi, mh->hart) : SBI_HART_RUN;
    if (action != SBI_HART_RUN) {
        return action == SBI_HART_SLEEP ? TURN_SLEEPS : TURN_STOPPED;
    }
    hart_exit_t why = hart_run(mh->hart, insns);
    if (sbi) {
        sbi_hart_leave(sbi, mh->hart);
    }
    __atomic_store_n(&mh->retired, hart_retired(mh->hart), __ATOMIC_RELAXED);
    switch (why) {
    case HART_EXIT_WFI: return TURN_SLEEPS;
    case HART_EXIT_PAUSE: return TURN_YIELDS;
    case HART_EXIT_BUDGET: return TURN_SPENT;
    default: return TURN_RAN;
    }
}

/* Waits until nobody holds the machine; false when the thread is to end. */
static bool runner_park(machine_hart_t *mh)
{
    rvvm_machine_t *machine = mh->machine;
    host_mutex_lock(machine->run_lock);
    while (runner_held(machine) && !machine->quit) {
        mh->parked = true;
        host_mutex_unlock(machine->run_lock);
        host_event_set(machine->parked_event);
        host_event_wait(mh->event, HOST_FOREVER);
        host_mutex_lock(machine->run_lock);
    }
    mh->parked = false;
    bool go_on = !machine->quit;
    host_mutex_unlock(machine->run_lock);
    return go_on;
}

static void runner_thread(void *arg)
{
    machine_hart_t *mh = arg;
    rvvm_machine_t *machine = mh->machine;
    while (runner_park(mh)) {
        while (!runner_held(machine)) {
            /* Cleared before looking, so that what comes from here on ends the sleep below. */
            host_event_clear(mh->event);
            if (runner_held(machine)) {
                break;
            }
            if (__atomic_load_n(&machine->request, __ATOMIC_ACQUIRE) != MACHINE_REQUEST_NONE) {
                host_event_wait(mh->event, HOST_FOREVER); /* for the hold that carries it out */
                continue;
            }
            turn_t turn = runner_turn(mh, RUNNER_SLICE);
            if (turn == TURN_SLEEPS) {
                uint64_t deadline = hart_next_deadline(mh->hart);
                host_event_wait(mh->event, machine_ns_until(machine, deadline));
            } else if (turn == TURN_STOPPED) {
                host_event_wait(mh->event, HOST_FOREVER);
            } else if (turn == TURN_YIELDS) {
                host_thread_yield();
            }
        }
    }
}

bool machine_make_threads(rvvm_machine_t *machine)
{
    for (uint32_t i = 0; i < machine->hart_count; i++) {
        machine_hart_t *mh = &machine->harts[i];
        if (!mh->thread) {
            mh->thread = host_thread_create(runner_thread, mh);
        }
        if (!mh->thread) {
            return false;
        }
    }
    return true;
}

void machine_end_threads(rvvm_machine_t *machine)
{
    host_mutex_lock(machine->run_lock);
    machine->quit = true;
    host_mutex_unlock(machine->run_lock);
    for (uint32_t i = 0; i < machine->hart_count; i++) {
        if (machine->harts[i].thread) {
            machine_wake_hart(machine, i);
            host_thread_join(machine->harts[i].thread);
            machine->harts[i].thread = NULL;
        }
    }
}

static bool runner_all_parked(rvvm_machine_t *machine)
{
    bool all = true;
    host_mutex_lock(machine->run_lock);
    for (uint32_t i = 0; i < machine->hart_count; i++) {
        machine_hart_t *mh = &machine->harts[i];
        all = all && (!mh->thread || mh->parked);
    }
    host_mutex_unlock(machine->run_lock);
    return all;
}

void machine_hold(rvvm_machine_t *machine)
{
    if (__atomic_fetch_add(&machine->hold, 1, __ATOMIC_SEQ_CST) == 0) {
        for (uint32_t i = 0; i < machine->hart_count; i++) {
            machine_wake_hart(machine, i);
        }
    }
    while (!runner_all_parked(machine)) {
        host_event_wait(machine->parked_event, HOST_FOREVER);
    }
}

void machine_release(rvvm_machine_t *machine)
{
    host_mutex_lock(machine->run_lock);
    bool go = __atomic_sub_fetch(&machine->hold, 1, __ATOMIC_SEQ_CST) == 0;
    host_mutex_unlock(machine->run_lock);
    for (uint32_t i = 0; go && i < machine->hart_count; i++) {
        host_event_set(machine->harts[i].event);
    }
}

/* A hart that the SBI has stopped has no timer, whatever its registers still say. */
uint64_t machine_next_deadline(const rvvm_machine_t *machine)
{
    uint64_t deadline = UINT64_MAX;
    for (uint32_t i = 0; i < machine->hart_count; i++) {
        if (!machine->harts[i].stopped) {
            deadline = util_min_u64(deadline, hart_next_deadline(machine->harts[i].hart));
        }
    }
    return deadline;
}

/* One turn of the hart whose turn it is; true when it did something. */
static bool runner_coop_turn(rvvm_machine_t *machine, uint64_t insns, uint64_t *left)
{
    machine_clock_t *clock = &machine->clock;
    machine_hart_t *mh = &machine->harts[machine->turn];
    machine->turn = (machine->turn + 1) % machine->hart_count;
    clock->turn_start = hart_retired(mh->hart);
    clock->turn = mh->hart;
    turn_t turn = runner_turn(mh, insns);
    mh->stopped = turn == TURN_STOPPED;
    uint64_t ran = hart_retired(mh->hart) - clock->turn_start;
    clock->insns += ran;
    clock->turn = NULL;
    *left -= util_min_u64(*left, (turn == TURN_SPENT ? util_max_u64(ran, insns) : ran) + 1);
    /* A WFI that is tried again may count as an instruction, and still nothing has happened. */
    return turn == TURN_RAN || turn == TURN_SPENT || turn == TURN_YIELDS || ran > 1;
}

/* All harts sleep. True when time was moved on to the next timer. */
static bool runner_jump(rvvm_machine_t *machine)
{
    uint64_t deadline = machine_next_deadline(machine);
    uint64_t now = machine_clock_ticks(machine);
    if (!machine->clock.icount || deadline == UINT64_MAX) {
        return deadline <= now;
    }
    machine->clock.skipped += deadline > now ? deadline - now : 0;
    return true;
}

rvkit_slice_t machine_run_turns(rvvm_machine_t *machine, uint64_t max_insns)
{
    uint64_t left = max_insns;
    uint32_t asleep = 0;
    while (left && !runner_held(machine)) {
        uint64_t insns = util_min_u64(RUNNER_TURN, left);
        asleep = runner_coop_turn(machine, insns, &left) ? 0 : asleep + 1;
        if (asleep >= machine->hart_count) {
            if (!runner_jump(machine)) {
                return RVKIT_SLICE_IDLE;
            }
            left -= util_min_u64(left, RUNNER_JUMP_COST);
            asleep = 0;
        }
        if (__atomic_load_n(&machine->request, __ATOMIC_ACQUIRE) != MACHINE_REQUEST_NONE ||
            machine_now_ns(machine) >= machine->next_update_ns) {
            machine_service(machine);
        }
    }
    return runner_held(machine) ? RVKIT_SLICE_STOPPED : RVKIT_SLICE_BUSY;
}
