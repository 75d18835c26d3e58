/* SPDX-License-Identifier: MPL-2.0 */
/*
 * <rvvm/rvkit.h>: what rvkit adds to RVVM's machine calls: initrd, cooperative and deterministic
 * runs. Threads and errors as in <rvvm/rvvm.h>.
 */
#ifndef RVVM_RVKIT_H
#define RVVM_RVKIT_H

#include <rvvm/rvvm.h>

RVVM_EXTERN_C_BEGIN

/*
 * Own options, beyond RVVM's numbers. Set them before the machine first runs.
 * COOPERATIVE: 1: no threads are made; the harts take turns inside rvkit_run_slice() or
 *   rvvm_run_eventloop(). Always 1 where the host has no threads.
 * ICOUNT: instructions per tick of mtime, 0 is off. Implies COOPERATIVE; time then comes from
 * retired instructions alone, and a run depends on nothing but its input.
 */
#define RVKIT_OPT_COOPERATIVE 0x1000
#define RVKIT_OPT_ICOUNT 0x1001

/* The ICOUNT that command line tools use: 10 M ticks times 10 is a hart of 100 MIPS. */
#define RVKIT_ICOUNT_DEFAULT 10

/* What a slice of a cooperative machine left behind. */
typedef enum {
    RVKIT_SLICE_BUSY,    /* harts have more to do */
    RVKIT_SLICE_IDLE,    /* all harts wait; see rvkit_idle_ns() */
    RVKIT_SLICE_STOPPED, /* paused or powered off */
} rvkit_slice_t;

/*
 * Runs about max_insns instructions over all harts, and device updates that are due. Never blocks.
 *
 * Guest time stands still while the host does not come back in time (a browser's tab in the
 * background), also in the middle of a slice (a process that is stopped): it does not leap over
 * what guests would take for a hang. It is made up afterwards: idle time passes at once, and while
 * harts are busy time runs at double speed, up to eightfold when much is to be made up. More than
 * an hour is not made up, but leapt over.
 */
RVVM_PUBLIC rvkit_slice_t rvkit_run_slice(rvvm_machine_t *machine, uint64_t max_insns);

/* After RVKIT_SLICE_IDLE: nanoseconds until a timer is due, UINT64_MAX when only input can wake it.
 */
RVVM_PUBLIC uint64_t rvkit_idle_ns(rvvm_machine_t *machine);

/* Nanoseconds by which guest time is behind for that reason. */
RVVM_PUBLIC uint64_t rvkit_lag_ns(rvvm_machine_t *machine);

/*
 * The files of a machine from memory, for hosts without files. The bytes, from malloc(), go over to
 * the machine, also when this fails (false: told in the log). NULL: none. name is for messages.
 */
typedef enum { RVKIT_FIRMWARE, RVKIT_KERNEL, RVKIT_INITRD, RVKIT_FDT } rvkit_file_t;
RVVM_PUBLIC bool rvkit_load_bytes(rvvm_machine_t *machine, rvkit_file_t what, void *bytes,
                                  size_t size, const char *name);

/* The device tree as the guest would get it; the caller frees it with free(). NULL: told in the
 * log. */
RVVM_PUBLIC void *rvkit_get_fdt(rvvm_machine_t *machine, size_t *size);

/* An initial RAM disk (initrd), told to the kernel through /chosen. As rvvm_load_kernel(). */
RVVM_PUBLIC bool rvkit_load_initrd(rvvm_machine_t *machine, const char *path);

/*
 * Any thread. [addr, addr + size) of RAM holds nothing that the guest needs: the host pages that
 * lie wholly inside go back to the host, and are zeros when they are touched again. False when the
 * range is not all RAM, or the host takes nothing back (the contents then stay).
 */
RVVM_PUBLIC bool rvkit_release_ram(rvvm_machine_t *machine, rvvm_addr_t addr, size_t size);

/* Any thread. Instructions retired by all harts since they were made, as of their last stops. */
RVVM_PUBLIC uint64_t rvkit_retired(rvvm_machine_t *machine);

/* Calls the suspend callback of each device: resume false writes state to snap, true reads it back.
 */
RVVM_PUBLIC bool rvkit_snapshot_devices(rvvm_machine_t *machine, rvvm_snapshot_t *snap,
                                        bool resume);

RVVM_EXTERN_C_END

#endif
