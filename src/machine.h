/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The machine behind the public handle: RAM, harts, power state, time.
 *
 * Who runs what:
 *   src/machine.c    making and freeing, options, RAM, devices
 *   src/timebase.c      mtime, from the host's clock or from retired instructions
 *   src/runner.c     the harts: one thread each, or in turn
 *   src/eventloop.c  power requests and device updates, for all machines of the process
 *   src/boot.c       what is put into RAM and registers at a reset
 *   src/board.c      which device sits where
 *
 * Locks, outermost first: process mutex (host/thread.h), run_lock, mmio.lock. Hart threads take
 * only run_lock, and only while they run no guest code. Cooperative harts run under the process
 * mutex.
 */
#ifndef RVKIT_MACHINE_H
#define RVKIT_MACHINE_H

#include "bus.h"
#include "cpu/codemap.h"
#include "cpu/hart.h"
#include "devices/irq_host.h"
#include "host/thread.h"
#include "loader.h"
#include "mmio.h"
#include "sbi.h"

#include <rvvm/chardev.h>
#include <rvvm/rvkit.h>

#define MACHINE_OPT_COUNT 9
#define MACHINE_TIME_FREQ 10000000u

typedef enum { MACHINE_OFF, MACHINE_PAUSED, MACHINE_RUNNING } machine_power_t;
typedef enum { MACHINE_REQUEST_NONE, MACHINE_REQUEST_RESET, MACHINE_REQUEST_OFF } machine_request_t;

/* One hart and its thread. */
typedef struct machine_hart {
    rvvm_machine_t *machine;
    hart_t *hart;
    host_thread_t *thread; /* NULL until the first start, and in cooperative mode */
    host_event_t *event;   /* ends a sleep */
    bool parked;           /* under run_lock: the thread waits for the end of a hold */
    bool stopped;          /* by the SBI, as of its last turn; the runner's own */
    uint64_t retired;      /* atomic: as of its last stop */
} machine_hart_t;

/* mtime. */
typedef struct machine_clock {
    uint64_t freq;       /* ticks per second */
    uint64_t icount;     /* instructions per tick, 0: the host's clock */
    uint64_t start_ns;   /* host clock: where 0 is (atomic) */
    uint64_t offset;     /* ticks added, modulo 2^64 (atomic) */
    uint64_t latest_ns;  /* host clock (atomic): where mtime stops; 0: nowhere. Stopped: when that was */
    uint64_t lag_ns;     /* cooperative: how long it stood still, as far as that is not made up */
    uint64_t insns;      /* icount: retired by all harts, without the running one's present turn */
    uint64_t skipped;    /* icount: ticks jumped over while all slept */
    hart_t *turn;        /* icount: who runs, and its counter when its turn began */
    uint64_t turn_start;
} machine_clock_t;

/* A file kept for the next reset. */
typedef struct machine_file {
    uint8_t *data; /* NULL: none */
    size_t size;
    char *path;
} machine_file_t;

struct rvvm_machine_t {
    rvvm_machine_t *next; /* the machines of the process, under its mutex */

    bus_t bus;
    mmio_map_t mmio;
    uint32_t hart_count;
    machine_hart_t harts[HART_MAX];
    hart_t *hart_list[HART_MAX];
    sbi_t *sbi; /* made once, used when no firmware is given */
    bool sbi_active;
    irq_host_t irq_host;
    machine_clock_t clock;

    uint32_t power;   /* atomic machine_power_t */
    uint32_t request; /* atomic machine_request_t */
    host_mutex_t *run_lock;
    uint32_t hold; /* atomic: harts stay out of guest code while not 0; changed under run_lock */
    bool quit;     /* under run_lock: hart threads end */
    host_event_t *parked_event; /* set when a hart thread parks */

    uint32_t turn;           /* cooperative: whose turn is next */
    uint64_t next_update_ns; /* of machine_now_ns() */
    rvvm_addr_t opts[MACHINE_OPT_COUNT];
    bool cooperative;
    uint32_t virtio_flags; /* VIRTIO_MMIO_*, for src/slot.h; set before devices are attached */

    machine_file_t firmware, kernel, initrd, dtb;
    loader_image_t firmware_image, kernel_image; /* of the last reset */
    char *cmdline;
    rvvm_fdt_node_t *fdt;
    chardev_t *console;
    struct machine_streams *streams; /* src/streams.c */
    struct machine_drive *drives;    /* src/drives.c; under the process mutex */
    struct netcard *netcards;        /* src/netcard.c; likewise */

    rvvm_intc_t *intc;
    pci_bus_t *pci_bus;
    i2c_bus_t *i2c_bus;
};

/* src/timebase.c */
void machine_clock_init(machine_clock_t *clock);
uint64_t machine_clock_ticks(const rvvm_machine_t *machine);
void machine_clock_set(rvvm_machine_t *machine, uint64_t ticks);
/* Freezes and resumes host time while the machine is stopped. */
void machine_clock_stop(rvvm_machine_t *machine);
void machine_clock_start(rvvm_machine_t *machine);
/*
 * Slices of a cooperative machine (rvkit_run_slice()), between begin() and end(). When a slice
 * takes too long (the process was stopped in it) or the next one comes too late, mtime stands still
 * meanwhile. make_up() gives at most so much of that time back: true when there was some. pace():
 * how many times the time that passes in a slice it is good to make up while harts are busy.
 */
void machine_clock_begin(rvvm_machine_t *machine);
void machine_clock_end(rvvm_machine_t *machine, rvkit_slice_t slice);
uint64_t machine_clock_pace(const rvvm_machine_t *machine);
bool machine_clock_make_up(rvvm_machine_t *machine, uint64_t ns);
/* Nanoseconds of mtime; since 1970 for wall. */
uint64_t machine_now_ns(const rvvm_machine_t *machine);
uint64_t machine_wall_ns(const rvvm_machine_t *machine);
/* Nanoseconds from now until mtime reaches a tick (UINT64_MAX stays so). */
uint64_t machine_ns_until(const rvvm_machine_t *machine, uint64_t ticks);

/* src/runner.c */
/*
 * Keeps all harts out of guest code until as many releases; holds nest. The process mutex is held
 * by the caller, which is not a hart's thread. A machine that is off or paused is held.
 */
void machine_hold(rvvm_machine_t *machine);
void machine_release(rvvm_machine_t *machine);
/* False when a thread cannot be made. */
bool machine_make_threads(rvvm_machine_t *machine);
/* Ends the threads. The machine is held. */
void machine_end_threads(rvvm_machine_t *machine);
/* Any thread. Ends a hart's sleep, and its present run. */
void machine_wake_hart(rvvm_machine_t *machine, uint32_t hart);
/* The earliest tick at which a sleeping hart wakes by itself; UINT64_MAX: none will. Cooperative.
 */
uint64_t machine_next_deadline(const rvvm_machine_t *machine);
rvkit_slice_t machine_run_turns(rvvm_machine_t *machine, uint64_t max_insns);

/* src/eventloop.c */
void eventloop_add(rvvm_machine_t *machine);
void eventloop_remove(rvvm_machine_t *machine);
/*
 * The process mutex. A loop that is busy with cooperative machines lets go of it only when somebody
 * wants it, which this tells.
 */
void eventloop_lock(void);
void eventloop_unlock(void);
/* Any thread: there is something to look at. */
void eventloop_notify(void);
/* Makes sure that somebody serves running machines. */
void eventloop_ensure_thread(void);
/* Power requests and due updates of one machine; the process mutex is held. */
void machine_service(rvvm_machine_t *machine);

/* src/boot.c */
/* The state after power-on. Harts held. False: told in the log. */
bool machine_boot(rvvm_machine_t *machine);
/* The FDT as the guest would get it; the caller frees it. NULL: told in the log. */
uint8_t *machine_make_fdt(rvvm_machine_t *machine, size_t *size);
/* The tree of a new machine: cpus, memory, soc. */
rvvm_fdt_node_t *machine_base_fdt(const rvvm_machine_t *machine);

/* src/machine.c */
bool machine_is(const rvvm_machine_t *machine, machine_power_t power);
/* Flushes the harts' translations: a region came, went or moved. */
void machine_flush_tlbs(rvvm_machine_t *machine);

#endif
