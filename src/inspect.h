/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Looking into a machine: harts, registers, memory, devices, instructions as text. For front ends and debuggers.
 * The guest sees nothing of it: no access or dirty bit is set, no trap is raised, no device is read.
 *
 * Threads: any but a hart's, and not from within a device's call. Each call holds the harts while it looks,
 * and lets them go on as they were; a machine that is paused stays so. Two calls in a row on a machine that runs
 * see two moments.
 */
#ifndef RVKIT_INSPECT_H
#define RVKIT_INSPECT_H

#include <rvvm/rvvm.h>

#define INSPECT_CSR_MAX 0x1000

typedef enum {
    INSPECT_RUNS,
    INSPECT_WAITS,   /* for an interrupt */
    INSPECT_STOPPED, /* by the SBI, or not started by it yet */
} inspect_state_t;

/* A hart at one moment. */
typedef struct inspect_hart {
    inspect_state_t state;
    char mode; /* 'U', 'S', 'M' */
    uint32_t pc;
    uint64_t retired; /* instructions since the machine was made */
    uint32_t x[32];
    uint64_t f[32];
} inspect_hart_t;

/* False: there is no such hart. */
bool inspect_hart(rvvm_machine_t *machine, size_t index, inspect_hart_t *info);

/*
 * CSRs of one hart at one moment, into value[0 .. count). A bit for each in the result: it exists, and
 * reading it changes nothing. At most 64.
 */
uint64_t inspect_csrs(rvvm_machine_t *machine, size_t index, const uint16_t *numbers, size_t count,
                      uint32_t *value);

/* "a0", "fa0" by number 0 to 31; "mstatus" by number, NULL when there is no such CSR. */
const char *inspect_x_name(unsigned number);
const char *inspect_f_name(unsigned number);
const char *inspect_csr_name(uint32_t number);

typedef enum {
    INSPECT_PHYSICAL,
    INSPECT_DATA, /* through the translation that the hart's loads have now */
    INSPECT_CODE, /* that its instructions have */
} inspect_space_t;

/*
 * Reads guest memory: RAM, and regions that are plain memory, such as a framebuffer. How many bytes, up to
 * the first that cannot be read; 0 too when there is no such hart. index does not matter for INSPECT_PHYSICAL.
 */
size_t inspect_read(rvvm_machine_t *machine, inspect_space_t space, size_t index, uint64_t addr,
                    void *data, size_t size);

/* Where a virtual address leads; false: nowhere. */
bool inspect_translate(rvvm_machine_t *machine, inspect_space_t space, size_t index, uint64_t addr,
                       uint64_t *physical);

/*
 * The instruction at pc as text, from its first bytes. Returns its length, 2 or 4; 0 when `count` bytes do
 * not hold all of it.
 */
unsigned inspect_disasm(char *text, size_t text_size, const uint8_t *bytes, size_t count, uint32_t pc);

typedef struct inspect_device {
    char name[32]; /* "virtio-blk" */
    uint64_t addr, size;
    uint32_t irq; /* at the platform's interrupt controller; 0: none is known */
} inspect_device_t;

/* The index-th device in order of address; false: there are no more. */
bool inspect_device(rvvm_machine_t *machine, size_t index, inspect_device_t *info);

#endif
