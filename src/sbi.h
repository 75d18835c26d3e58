/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The built-in firmware: RISC-V SBI v2.0 for a supervisor that was started without -bios.
 * Extensions: base, TIME, IPI, RFENCE, HSM, SRST, DBCN, PMU (cycle and instret) and the legacy
 * calls.
 *
 * How a machine uses it:
 *   sbi_create(&desc)            once the harts exist;  bus.sbi_call = a function that calls
 * sbi_call() sbi_reset(sbi, boot_hart, pc, fdt)   harts stopped, at power-on and at each reset on
 * each hart's thread (or in turn in cooperative mode): switch (sbi_hart_enter(sbi, hart)) { case
 * SBI_HART_RUN:     hart_run(...); sbi_hart_leave(sbi, hart); break; case SBI_HART_SLEEP:   sleep
 * as after HART_EXIT_WFI;  (no sbi_hart_leave) case SBI_HART_STOPPED: sleep until wake() is called
 * for it or the machine stops it;
 *       }
 *
 * What it needs of a hart: after bus.sbi_call returns, a kick and the requested flushes are looked
 * at before the next instruction runs; hart_run() applies requested flushes on entry.
 *
 * Remote fences are complete when the call returns. A hart that is in hart_run() is kicked and
 * waited for until it has left it once, because it flushes before it runs again; one that is
 * outside hart_run(), stopped, or itself inside an SBI call need not be waited for. So harts that
 * fence each other cannot deadlock, and in cooperative mode nobody ever waits.
 */
#ifndef RVKIT_SBI_H
#define RVKIT_SBI_H

#include "bus.h"
#include "cpu/hart.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct sbi sbi_t;

typedef enum sbi_power { SBI_POWER_OFF, SBI_POWER_RESET } sbi_power_t;

/* What the machine lends. Callbacks come on hart threads, concurrently; opaque is given back to
 * each. */
typedef struct sbi_desc {
    void *opaque;
    const bus_t *bus;     /* its RAM bounds are used */
    hart_t *const *harts; /* harts[i] has hart id i; valid while the SBI lives */
    uint32_t hart_count;  /* 1..HART_MAX */

    /* Ends the hart's present or next sleep (WFI, stopped), and kicks it. Any thread. */
    void (*wake)(void *opaque, uint32_t hartid);

    /* Yields the host's processor for a moment: called while waiting for another hart. */
    void (*relax)(void *opaque);

    /* Asks for power off or a reset; must not wait for harts (the caller is one). */
    void (*power)(void *opaque, sbi_power_t what);

    /* The debug console. Neither waits; they return how many bytes were taken or given (0: try
     * later). */
    size_t (*console_write)(void *opaque, const uint8_t *data, size_t size);
    size_t (*console_read)(void *opaque, uint8_t *data, size_t size);
} sbi_desc_t;

typedef enum sbi_hart_action { SBI_HART_RUN, SBI_HART_SLEEP, SBI_HART_STOPPED } sbi_hart_action_t;

/* NULL when there is no memory. The desc is copied, the bus is not. */
sbi_t *sbi_create(const sbi_desc_t *desc);
void sbi_free(sbi_t *sbi);

/*
 * Power-on state: boot_hart will start at pc in S-mode with a0 = its id and a1 = fdt_addr, all
 * other harts are stopped until HSM starts them. The harts are not running. Registers are set by
 * sbi_hart_enter().
 */
void sbi_reset(sbi_t *sbi, uint32_t boot_hart, uint32_t pc, uint32_t fdt_addr);

/* Around each hart_run(), on the thread that calls it. */
sbi_hart_action_t sbi_hart_enter(sbi_t *sbi, hart_t *hart);
void sbi_hart_leave(sbi_t *sbi, hart_t *hart);

/* False: the hart is stopped, or is only being started. Any thread. */
bool sbi_hart_started(const sbi_t *sbi, uint32_t hartid);

/* Serves the ECALL of a hart, on its thread: what bus.sbi_call forwards to. */
void sbi_call(sbi_t *sbi, hart_t *hart);

#endif
