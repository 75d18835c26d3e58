/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The event loop: power requests and device updates of all machines of the process. RVVM's
 * rvvm_run_eventloop() names no machine, so there is one list of them; the process mutex guards it.
 * It runs in the thread that calls rvvm_run_eventloop(), and otherwise in one of its own.
 */
#include "host/clock.h"
#include "log.h"
#include "machine.h"
#include "util.h"

#define UPDATE_PERIOD_NS UINT64_C(16000000)

/* The longest idle time that is made up in one go: guests take much more for a hang (RCU stalls,
 * watchdogs). */
#define MAKE_UP_STEP_NS UINT64_C(1000000000)

/* What a cooperative machine runs between two looks at the others. */
#define EVENTLOOP_SLICE 200000

/* Under the process mutex. */
typedef struct eventloop {
    rvvm_machine_t *machines;
    host_thread_t *thread;
    uint64_t stops;      /* machines that were paused or powered off */
    uint32_t foreground; /* calls of rvvm_run_eventloop() */
    uint32_t wanted;     /* atomic: threads that wait for the process mutex */
    bool quit;           /* the own thread is to end */
} eventloop_t;

static eventloop_t *eventloop_get(void)
{
    static eventloop_t loop;
    return &loop;
}

void eventloop_lock(void)
{
    eventloop_t *loop = eventloop_get();
    __atomic_fetch_add(&loop->wanted, 1, __ATOMIC_RELAXED);
    host_mutex_lock(host_process_mutex());
    __atomic_fetch_sub(&loop->wanted, 1, __ATOMIC_RELAXED);
}

void eventloop_unlock(void)
{
    host_mutex_unlock(host_process_mutex());
}

/* Between two rounds of a loop, which holds the mutex. */
static void eventloop_pause(uint64_t wait_ns)
{
    eventloop_t *loop = eventloop_get();
    if (loop->foreground > 1) {
        wait_ns = util_min_u64(wait_ns, UPDATE_PERIOD_NS); /* the event wakes one of them only */
    }
    eventloop_unlock();
    if (wait_ns) {
        host_event_wait(host_process_event(), wait_ns);
    } else if (__atomic_load_n(&loop->wanted, __ATOMIC_RELAXED)) {
        host_sleep_ns(100000);
    }
    host_mutex_lock(host_process_mutex());
}

void eventloop_notify(void)
{
    host_event_set(host_process_event());
}

void eventloop_add(rvvm_machine_t *machine)
{
    eventloop_t *loop = eventloop_get();
    eventloop_lock();
    machine->next = loop->machines;
    loop->machines = machine;
    eventloop_unlock();
}

/* Ends the own thread. The process mutex is not held. */
static void eventloop_end_thread(void)
{
    eventloop_t *loop = eventloop_get();
    eventloop_lock();
    host_thread_t *thread = loop->thread;
    loop->thread = NULL;
    loop->quit = loop->quit || thread;
    eventloop_unlock();
    if (thread) {
        eventloop_notify();
        host_thread_join(thread);
        eventloop_lock();
        loop->quit = false;
        eventloop_unlock();
    }
}

void eventloop_remove(rvvm_machine_t *machine)
{
    eventloop_t *loop = eventloop_get();
    eventloop_lock();
    for (rvvm_machine_t **link = &loop->machines; *link; link = &(*link)->next) {
        if (*link == machine) {
            *link = machine->next;
            break;
        }
    }
    bool last = !loop->machines;
    eventloop_unlock();
    if (last) {
        eventloop_end_thread();
    }
}

static void service_update(mmio_region_t *region)
{
    if (region->reg_type && region->reg_type->poll) {
        region->reg_type->poll((rvvm_reg_dev_t *)region);
    } else if (!region->reg_type && region->mmio.type && region->mmio.type->update) {
        region->mmio.type->update(&region->mmio);
    }
}

static bool service_wants_update(const rvvm_machine_t *machine)
{
    const mmio_view_t *view = mmio_get_view(&machine->mmio);
    for (size_t i = 0; i < view->count; i++) {
        const mmio_region_t *region = view->regions[i];
        if (region->reg_type ? region->reg_type->poll != NULL
                             : region->mmio.type && region->mmio.type->update) {
            return true;
        }
    }
    return false;
}

static void service_reset_devices(rvvm_machine_t *machine)
{
    const mmio_view_t *view = mmio_get_view(&machine->mmio);
    for (size_t i = 0; i < view->count; i++) {
        mmio_region_t *region = view->regions[i];
        if (region->reg_type && region->reg_type->reset) {
            region->reg_type->reset((rvvm_reg_dev_t *)region);
        } else if (!region->reg_type && region->mmio.type && region->mmio.type->reset) {
            region->mmio.type->reset(&region->mmio);
        }
    }
}

static void service_power(rvvm_machine_t *machine, machine_power_t power)
{
    __atomic_store_n(&machine->power, power, __ATOMIC_RELEASE);
}

/* The machine stays held from here on. */
static void service_stop(rvvm_machine_t *machine, machine_power_t power)
{
    machine_hold(machine);
    machine_clock_stop(machine);
    service_power(machine, power);
    eventloop_get()->stops++;
    eventloop_notify();
}

/* Devices first, so that what a reset puts on interrupt lines is gone before the harts start. */
static bool service_power_on(rvvm_machine_t *machine)
{
    __atomic_store_n(&machine->request, MACHINE_REQUEST_NONE, __ATOMIC_RELEASE);
    service_reset_devices(machine);
    return machine_boot(machine);
}

void machine_service(rvvm_machine_t *machine)
{
    if (!machine_is(machine, MACHINE_RUNNING)) {
        return;
    }
    uint32_t request = __atomic_load_n(&machine->request, __ATOMIC_ACQUIRE);
    if (request == MACHINE_REQUEST_OFF) {
        service_stop(machine, MACHINE_OFF);
        return;
    }
    if (request == MACHINE_REQUEST_RESET) {
        machine_hold(machine);
        bool ok = service_power_on(machine);
        machine_release(machine);
        if (!ok) {
            service_stop(machine, MACHINE_OFF);
            return;
        }
    }
    uint64_t now = machine_now_ns(machine);
    if (now < machine->next_update_ns) {
        return;
    }
    machine->next_update_ns = now + UPDATE_PERIOD_NS;
    const mmio_view_t *view = mmio_get_view(&machine->mmio);
    for (size_t i = 0; i < view->count; i++) {
        service_update(view->regions[i]);
    }
}

bool rvvm_start_machine(rvvm_machine_t *machine)
{
    if (!machine) {
        return false;
    }
    eventloop_lock();
    bool fresh = !machine_is(machine, MACHINE_PAUSED) ||
                 __atomic_load_n(&machine->request, __ATOMIC_ACQUIRE) != MACHINE_REQUEST_NONE;
    bool ok = !machine_is(machine, MACHINE_RUNNING);
    if (ok && fresh) {
        ok = service_power_on(machine);
    }
    if (ok && !machine->cooperative && !machine_make_threads(machine)) {
        rvvm_error("the host cannot make %u more threads", machine->hart_count);
        ok = false;
    }
    if (ok) {
        machine_clock_start(machine);
        machine->next_update_ns = 0;
        service_power(machine, MACHINE_RUNNING);
        machine_release(machine);
    }
    eventloop_unlock();
    if (ok) {
        eventloop_ensure_thread();
        eventloop_notify();
    }
    return ok;
}

bool rvvm_pause_machine(rvvm_machine_t *machine)
{
    if (!machine) {
        return false;
    }
    eventloop_lock();
    bool ok = machine_is(machine, MACHINE_RUNNING);
    if (ok) {
        service_stop(machine, MACHINE_PAUSED);
    }
    eventloop_unlock();
    return ok;
}

bool rvvm_machine_running(rvvm_machine_t *machine)
{
    return machine && machine_is(machine, MACHINE_RUNNING);
}

bool rvvm_machine_powered(rvvm_machine_t *machine)
{
    return machine && !machine_is(machine, MACHINE_OFF);
}

void rvvm_reset_machine(rvvm_machine_t *machine, bool reset)
{
    if (machine) {
        uint32_t request = reset ? MACHINE_REQUEST_RESET : MACHINE_REQUEST_OFF;
        __atomic_store_n(&machine->request, request, __ATOMIC_RELEASE);
        for (uint32_t i = 0; i < machine->hart_count; i++) {
            hart_kick(machine->harts[i].hart);
        }
        eventloop_notify();
    }
}

/* What one round of the loop found. */
typedef struct round {
    uint64_t wait_ns; /* until the next thing to do */
    bool running;     /* a machine runs */
    bool threads;     /* one with threads does */
} round_t;

/* The process mutex is held. turns: run cooperative machines too. */
static round_t eventloop_round(bool turns)
{
    round_t round = {.wait_ns = HOST_FOREVER};
    for (rvvm_machine_t *m = eventloop_get()->machines; m; m = m->next) {
        if (m->cooperative && !turns) {
            continue;
        }
        rvkit_slice_t slice = RVKIT_SLICE_IDLE;
        machine_service(m);
        if (m->cooperative && machine_is(m, MACHINE_RUNNING)) {
            machine_clock_end(m, RVKIT_SLICE_STOPPED); /* this loop is always in time */
            slice = machine_run_turns(m, EVENTLOOP_SLICE);
            machine_service(m);
        }
        if (!machine_is(m, MACHINE_RUNNING)) {
            continue;
        }
        round.running = true;
        round.threads = round.threads || !m->cooperative;
        if (slice != RVKIT_SLICE_IDLE) {
            round.wait_ns = 0;
        } else if (m->cooperative) {
            round.wait_ns = util_min_u64(round.wait_ns, rvkit_idle_ns(m));
        }
        if (service_wants_update(m)) {
            round.wait_ns = util_min_u64(round.wait_ns, UPDATE_PERIOD_NS);
        }
    }
    return round;
}

static void eventloop_thread(void *arg)
{
    (void)arg;
    eventloop_t *loop = eventloop_get();
    eventloop_lock();
    while (!loop->quit) {
        round_t round = eventloop_round(false);
        eventloop_pause(round.wait_ns);
    }
    eventloop_unlock();
}

void eventloop_ensure_thread(void)
{
    eventloop_t *loop = eventloop_get();
    bool threads = false;
    eventloop_lock();
    for (rvvm_machine_t *m = loop->machines; m; m = m->next) {
        threads = threads || (!m->cooperative && machine_is(m, MACHINE_RUNNING));
    }
    if (threads && !loop->foreground && !loop->thread) {
        loop->thread = host_thread_create(eventloop_thread, NULL);
    }
    eventloop_unlock();
}

void rvvm_run_eventloop(void)
{
    eventloop_t *loop = eventloop_get();
    eventloop_lock();
    loop->foreground++;
    eventloop_unlock();
    eventloop_end_thread();

    eventloop_lock();
    uint64_t stops = loop->stops;
    for (;;) {
        round_t round = eventloop_round(true);
        if (!round.running || loop->stops != stops) {
            break;
        }
        eventloop_pause(round.wait_ns);
    }
    loop->foreground--;
    eventloop_unlock();
    eventloop_ensure_thread();
}

uint64_t rvkit_idle_ns(rvvm_machine_t *machine)
{
    return machine ? machine_ns_until(machine, machine_next_deadline(machine)) : UINT64_MAX;
}

rvkit_slice_t rvkit_run_slice(rvvm_machine_t *machine, uint64_t max_insns)
{
    if (!machine || !machine->cooperative) {
        return RVKIT_SLICE_STOPPED;
    }
    eventloop_lock();
    machine_clock_begin(machine);
    uint64_t begun = machine_now_ns(machine);
    machine_service(machine);
    rvkit_slice_t slice = machine_run_turns(machine, max_insns);
    machine_service(machine);
    if (!machine_is(machine, MACHINE_RUNNING)) {
        slice = RVKIT_SLICE_STOPPED;
    } else if (slice == RVKIT_SLICE_BUSY) {
        machine_clock_make_up(machine,
                              (machine_now_ns(machine) - begun) * machine_clock_pace(machine));
    } else if (machine_clock_make_up(machine,
                                     util_min_u64(rvkit_idle_ns(machine), MAKE_UP_STEP_NS))) {
        slice = RVKIT_SLICE_BUSY;
    }
    machine_clock_end(machine, slice);
    eventloop_unlock();
    return slice;
}

uint64_t rvkit_lag_ns(rvvm_machine_t *machine)
{
    return machine ? machine->clock.lag_ns : 0;
}
