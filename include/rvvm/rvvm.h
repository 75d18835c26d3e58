/* SPDX-License-Identifier: MPL-2.0 */
/*
 * <rvvm/rvvm.h>: the machine: making, loading, running it, and attaching devices to it.
 *
 * The names are those of RVVM's public API of 2026, so that programs and devices can move between the
 * two; what is rvkit's own is in <rvvm/rvkit.h>.
 *
 * Threads: calls that change the machine (load, options, start, pause, attach, remove, free) come from
 * one thread at a time, which is none of the machine's own: not from MMIO handlers, update or reset
 * callbacks. Marked "any thread": at any moment, from anywhere.
 * Errors: false or NULL, and one line to the log (rvvm_error).
 */
#ifndef RVVM_H
#define RVVM_H

#include <rvvm/rvvm_base.h>
#include <rvvm/rvvm_fdt.h>
#include <rvvm/rvvm_irq.h>

RVVM_EXTERN_C_BEGIN

/* Options: read and written by rvvm_get_opt() and rvvm_set_opt(). */
#define RVVM_OPT_NONE 0x00
#define RVVM_OPT_RESET_PC 0x01     /* where harts start; the base of RAM at first */
#define RVVM_OPT_FDT_ADDR 0x02     /* a1 at reset when not 0: the caller has put an FDT there himself */
#define RVVM_OPT_TIME_FREQ 0x03    /* ticks of mtime per second; 10 MHz at first */
#define RVVM_OPT_HW_IMITATE 0x04   /* kept, without effect */
#define RVVM_OPT_MAX_CPU_CENT 0x05 /* kept, without effect */
#define RVVM_OPT_JIT 0x06          /* translate to host code; 0 until there is a translator */
#define RVVM_OPT_JIT_CACHE 0x07    /* bytes of host code per hart; kept, without effect */
#define RVVM_OPT_JIT_HARVARD 0x08  /* kept, without effect */

/* Options that can only be read. */
#define RVVM_OPT_MEM_BASE 0x80000001U
#define RVVM_OPT_MEM_SIZE 0x80000002U
#define RVVM_OPT_CPU_COUNT 0x80000003U

/* True when programs built for this ABI number work with this library. Any thread. */
RVVM_PUBLIC bool rvvm_check_abi(int abi);

/*
 * A machine with RAM and harts, and no devices.
 *
 * mem_size: bytes of RAM, 1 MiB to 2 GiB, rounded up to pages. hart_count: 1 to 16. isa: NULL, or a
 * string that starts with "rv32" (the harts have all extensions this emulator knows).
 */
RVVM_PUBLIC rvvm_machine_t *rvvm_create_machine(size_t mem_size, size_t hart_count, const char *isa);

/* Stops the machine if need be and frees everything that was attached to it, last first. */
RVVM_PUBLIC void rvvm_free_machine(rvvm_machine_t *machine);

/* Replaces, or lengthens by a space and str, the kernel's command line (/chosen/bootargs). */
RVVM_PUBLIC void rvvm_set_cmdline(rvvm_machine_t *machine, const char *str);
RVVM_PUBLIC void rvvm_append_cmdline(rvvm_machine_t *machine, const char *str);

/*
 * Reads a file that is put into RAM at each reset: M-mode firmware (ELF32 or flat), a supervisor's
 * kernel (ELF32 or Image), an FDT blob that replaces the generated one. An empty or NULL path takes the
 * file away again. Without firmware, a built-in SBI starts the kernel.
 */
RVVM_PUBLIC bool rvvm_load_firmware(rvvm_machine_t *machine, const char *path);
RVVM_PUBLIC bool rvvm_load_kernel(rvvm_machine_t *machine, const char *path);
RVVM_PUBLIC bool rvvm_load_fdt(rvvm_machine_t *machine, const char *path);

/* Writes the FDT that the guest would get to a file. */
RVVM_PUBLIC bool rvvm_dump_fdt(rvvm_machine_t *machine, const char *path);

/* 0 for an unknown option. Any thread. */
RVVM_PUBLIC rvvm_addr_t rvvm_get_opt(rvvm_machine_t *machine, uint32_t opt);

/* False for an unknown or read-only option or a value out of range. Takes effect at the next reset. */
RVVM_PUBLIC bool rvvm_set_opt(rvvm_machine_t *machine, uint32_t opt, rvvm_addr_t val);

/* Powers up, or goes on after a pause. False when it runs already, or has nothing it could run. */
RVVM_PUBLIC bool rvvm_start_machine(rvvm_machine_t *machine);

/* Returns when no hart runs. False when the machine was not running. */
RVVM_PUBLIC bool rvvm_pause_machine(rvvm_machine_t *machine);

/*
 * Any thread, MMIO handlers included. Asks for a reset (true) or for power off (false); the event loop
 * carries it out a moment later. A machine that does not run is reset when it starts next.
 */
RVVM_PUBLIC void rvvm_reset_machine(rvvm_machine_t *machine, bool reset);

/* Any thread. Running: powered and not paused. */
RVVM_PUBLIC bool rvvm_machine_running(rvvm_machine_t *machine);
RVVM_PUBLIC bool rvvm_machine_powered(rvvm_machine_t *machine);

/*
 * Runs device updates (and the harts of cooperative machines) of every machine of the process in the
 * calling thread. Returns when a machine is paused or powered off, at once when none is running.
 */
RVVM_PUBLIC void rvvm_run_eventloop(void);

/*
 * A device's access handler. data: `size` little-endian bytes to fill or take, where size is a power of
 * two within the limits of the device and offset is aligned to it. Called from hart threads,
 * concurrently, with no lock held. False raises an access fault in the guest; other implementations of
 * this API ignore that, so devices should return true.
 */
typedef bool (*rvvm_mmio_handler_t)(rvvm_mmio_dev_t *dev, void *data, size_t offset, uint8_t size);

/* What a kind of device implements; every callback may be NULL. Static storage, designated initialisers. */
typedef struct {
    const char *name;

    /* Frees the device's state when it is taken out (last attached first); NULL: free(dev->data). */
    void (*remove)(rvvm_mmio_dev_t *dev);

    /* Event loop, about every 16 ms, one device at a time. */
    void (*update)(rvvm_mmio_dev_t *dev);

    /* At machine reset, with the harts stopped. */
    void (*reset)(rvvm_mmio_dev_t *dev);

    /* Writes state to snap, or reads it back (resume), with the harts stopped. snap may be NULL. */
    void (*suspend)(rvvm_mmio_dev_t *dev, rvvm_snapshot_t *snap, bool resume);
} rvvm_mmio_type_t;

struct rvvm_mmio_dev_t {
    rvvm_addr_t addr;
    size_t size;             /* bytes; 0 is a placeholder that only gets update, reset and remove */
    void *data;              /* the device's own */
    void *mapping;           /* host memory behind the region; then the handlers are not called */
    rvvm_machine_t *machine; /* filled in by rvvm_attach_mmio() */
    const rvvm_mmio_type_t *type;
    rvvm_mmio_handler_t read;  /* NULL (and no mapping): reads fault */
    rvvm_mmio_handler_t write; /* NULL (and no mapping): writes fault */

    /*
     * Access sizes the handlers take, in bytes, rounded up to powers of two; 0 is 1 and 8. Others are
     * split, or widened: a narrow write becomes a read and a write of the register.
     */
    uint8_t min_op_size;
    uint8_t max_op_size;
};

/* A handler that reads zeros, ignores writes and never faults. */
RVVM_PUBLIC bool rvvm_mmio_none(rvvm_mmio_dev_t *dev, void *data, size_t offset, uint8_t size);

/*
 * Attaches a device; the descriptor is copied. When the region is not free the device is freed as by
 * rvvm_cleanup_mmio_desc() and NULL comes back.
 */
RVVM_PUBLIC rvvm_mmio_dev_t *rvvm_attach_mmio(rvvm_machine_t *machine, const rvvm_mmio_dev_t *mmio_desc);

/* Takes a device out, while the machine runs too, and frees it. */
RVVM_PUBLIC void rvvm_remove_mmio(rvvm_mmio_dev_t *mmio_dev);

/* Frees a device that was never attached. */
RVVM_PUBLIC void rvvm_cleanup_mmio_desc(const rvvm_mmio_dev_t *mmio_desc);

/* The first address from addr up, in steps of the region's size, where `size` bytes are free. */
RVVM_PUBLIC rvvm_addr_t rvvm_mmio_zone_auto(rvvm_machine_t *machine, rvvm_addr_t addr, size_t size);

/* Any thread. Copies to or from RAM; false, and nothing copied, when the range is not all RAM. */
RVVM_PUBLIC bool rvvm_write_ram(rvvm_machine_t *machine, rvvm_addr_t dest, const void *src, size_t size);
RVVM_PUBLIC bool rvvm_read_ram(rvvm_machine_t *machine, void *dest, rvvm_addr_t src, size_t size);

/*
 * Any thread. Host memory behind a range of RAM, or NULL when it is not all RAM. The pointer stays good
 * until the machine is freed, but get it anew for each write: that is what drops stale decoded code.
 * Harts access the same bytes at the same time: use atomic accesses, and fences for order.
 */
RVVM_PUBLIC void *rvvm_get_dma_ptr(rvvm_machine_t *machine, rvvm_addr_t addr, size_t size);

/* The machine's own interrupt controller and buses, NULL until set. */
RVVM_PUBLIC rvvm_intc_t *rvvm_get_intc(rvvm_machine_t *machine);
RVVM_PUBLIC void rvvm_set_intc(rvvm_machine_t *machine, rvvm_intc_t *intc);
RVVM_PUBLIC pci_bus_t *rvvm_get_pci_bus(rvvm_machine_t *machine);
RVVM_PUBLIC void rvvm_set_pci_bus(rvvm_machine_t *machine, pci_bus_t *pci_bus);
RVVM_PUBLIC i2c_bus_t *rvvm_get_i2c_bus(rvvm_machine_t *machine);
RVVM_PUBLIC void rvvm_set_i2c_bus(rvvm_machine_t *machine, i2c_bus_t *i2c_bus);

/* The generated device tree, for devices to add their nodes; /soc has two address and two size cells. */
RVVM_PUBLIC rvvm_fdt_node_t *rvvm_get_fdt_root(rvvm_machine_t *machine);
RVVM_PUBLIC rvvm_fdt_node_t *rvvm_get_fdt_soc(rvvm_machine_t *machine);

RVVM_EXTERN_C_END

#endif
