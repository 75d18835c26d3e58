/* SPDX-License-Identifier: MPL-2.0 */
/* Making and freeing a machine, its options, and what it lends to harts, SBI and interrupt devices. */
#include "machine.h"

#include "host/memory.h"
#include "log.h"
#include "util.h"

#include <stdlib.h>
#include <string.h>

#define MACHINE_PAGE 4096
#define MACHINE_RAM_MIN (UINT64_C(1) << 20)
#define MACHINE_RAM_MAX (UINT64_C(2) << 30)

bool machine_is(const rvvm_machine_t *machine, machine_power_t power)
{
    return __atomic_load_n(&machine->power, __ATOMIC_ACQUIRE) == (uint32_t)power;
}

void machine_flush_tlbs(rvvm_machine_t *machine)
{
    for (uint32_t i = 0; i < machine->hart_count; i++) {
        hart_request_flush_tlb(machine->harts[i].hart);
        hart_kick(machine->harts[i].hart);
    }
}

/* For the harts: bus_t. */

static bool machine_bus_read(void *opaque, paddr_t addr, void *data, uint8_t size)
{
    const rvvm_machine_t *machine = opaque;
    return mmio_read(&machine->mmio, addr, data, size);
}

static bool machine_bus_write(void *opaque, paddr_t addr, const void *data, uint8_t size)
{
    const rvvm_machine_t *machine = opaque;
    return mmio_write(&machine->mmio, addr, data, size);
}

static void *machine_bus_direct(void *opaque, paddr_t addr)
{
    const rvvm_machine_t *machine = opaque;
    return mmio_direct(&machine->mmio, addr);
}

static uint64_t machine_bus_time(void *opaque)
{
    return machine_clock_ticks(opaque);
}

/* For the SBI: sbi_desc_t. */

static void machine_sbi_wake(void *opaque, uint32_t hartid)
{
    machine_wake_hart(opaque, hartid);
}

static void machine_sbi_relax(void *opaque)
{
    (void)opaque;
    host_thread_yield();
}

static void machine_sbi_power(void *opaque, sbi_power_t what)
{
    rvvm_reset_machine(opaque, what == SBI_POWER_RESET);
}

static size_t machine_sbi_console_write(void *opaque, const uint8_t *data, size_t size)
{
    rvvm_machine_t *machine = opaque;
    return chardev_write(machine->console, data, size);
}

static size_t machine_sbi_console_read(void *opaque, uint8_t *data, size_t size)
{
    rvvm_machine_t *machine = opaque;
    return chardev_read(machine->console, data, size);
}

/* For PLIC, CLINT and RTC: irq_host_t. */

static void machine_irq_set(void *opaque, uint32_t hart, unsigned line, bool level)
{
    rvvm_machine_t *machine = opaque;
    hart_set_irq(machine->harts[hart].hart, line, level);
    if (level) {
        machine_wake_hart(machine, hart);
    }
}

static void machine_irq_set_time(void *opaque, uint64_t ticks)
{
    rvvm_machine_t *machine = opaque;
    machine_clock_set(machine, ticks);
    for (uint32_t i = 0; i < machine->hart_count; i++) {
        machine_wake_hart(machine, i);
    }
}

static uint64_t machine_irq_get_mtimecmp(void *opaque, uint32_t hart)
{
    const rvvm_machine_t *machine = opaque;
    return hart_get_mtimecmp(machine->harts[hart].hart);
}

static void machine_irq_set_mtimecmp(void *opaque, uint32_t hart, uint64_t ticks)
{
    rvvm_machine_t *machine = opaque;
    hart_set_mtimecmp(machine->harts[hart].hart, ticks);
    machine_wake_hart(machine, hart);
}

static uint64_t machine_irq_wall_ns(void *opaque)
{
    return machine_wall_ns(opaque);
}

const irq_host_t *irq_host_get(rvvm_machine_t *machine)
{
    return &machine->irq_host;
}

static bool machine_init_ram(rvvm_machine_t *machine, size_t size)
{
    bus_t *bus = &machine->bus;
    *bus = (bus_t){
        .opaque = machine,
        .ram = host_pages_alloc(size),
        .ram_base = RVVM_DEFAULT_MEMBASE,
        .ram_size = size,
        .codemap = codemap_create(RVVM_DEFAULT_MEMBASE, size),
        .read = machine_bus_read,
        .write = machine_bus_write,
        .direct = machine_bus_direct,
        .time = machine_bus_time,
    };
    return bus->ram && bus->codemap && mmio_map_init(&machine->mmio, bus->ram_base, size);
}

static bool machine_init_harts(rvvm_machine_t *machine, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        machine_hart_t *mh = &machine->harts[i];
        mh->machine = machine;
        mh->hart = hart_create(&machine->bus, i);
        mh->event = host_event_create();
        if (!mh->hart || !mh->event) {
            hart_free(mh->hart);
            host_event_free(mh->event);
            return false;
        }
        machine->hart_list[i] = mh->hart;
        machine->hart_count = i + 1;
    }
    sbi_desc_t desc = {
        .opaque = machine,
        .bus = &machine->bus,
        .harts = machine->hart_list,
        .hart_count = count,
        .wake = machine_sbi_wake,
        .relax = machine_sbi_relax,
        .power = machine_sbi_power,
        .console_write = machine_sbi_console_write,
        .console_read = machine_sbi_console_read,
    };
    machine->sbi = sbi_create(&desc);
    machine->irq_host = (irq_host_t){
        .opaque = machine,
        .harts = count,
        .set_irq = machine_irq_set,
        .time = machine_bus_time,
        .set_time = machine_irq_set_time,
        .get_mtimecmp = machine_irq_get_mtimecmp,
        .set_mtimecmp = machine_irq_set_mtimecmp,
        .wall_ns = machine_irq_wall_ns,
    };
    return machine->sbi != NULL;
}

static void machine_file_free(machine_file_t *file)
{
    free(file->data);
    free(file->path);
}

/* Everything but devices and threads; of a half made machine too. */
static void machine_free_parts(rvvm_machine_t *machine)
{
    sbi_free(machine->sbi);
    for (uint32_t i = 0; i < machine->hart_count; i++) {
        hart_free(machine->harts[i].hart);
        host_event_free(machine->harts[i].event);
    }
    if (machine->mmio.view) {
        mmio_map_free(&machine->mmio);
    }
    codemap_free(machine->bus.codemap);
    host_pages_free(machine->bus.ram, machine->bus.ram_size);
    rvvm_fdt_free(machine->fdt);
    host_mutex_free(machine->run_lock);
    host_event_free(machine->parked_event);
    machine_file_free(&machine->firmware);
    machine_file_free(&machine->kernel);
    machine_file_free(&machine->initrd);
    machine_file_free(&machine->dtb);
    free(machine->cmdline);
    free(machine->streams);
    free(machine);
}

/* hart_count is checked. NULL when there is no memory. */
static rvvm_machine_t *machine_make(size_t mem_size, uint32_t hart_count)
{
    rvvm_machine_t *machine = calloc(1, sizeof(*machine));
    if (!machine) {
        return NULL;
    }
    machine->hold = 1;
    machine->cooperative = !host_threads_available();
    machine->run_lock = host_mutex_create();
    machine->parked_event = host_event_create();
    machine->opts[RVVM_OPT_RESET_PC] = RVVM_DEFAULT_MEMBASE;
    machine->opts[RVVM_OPT_TIME_FREQ] = MACHINE_TIME_FREQ;
    machine_clock_init(&machine->clock);
    bool ok = machine->run_lock && machine->parked_event && machine_init_ram(machine, mem_size) &&
              machine_init_harts(machine, hart_count);
    machine->fdt = ok ? machine_base_fdt(machine) : NULL;
    if (!machine->fdt) {
        machine_free_parts(machine);
        return NULL;
    }
    return machine;
}

rvvm_machine_t *rvvm_create_machine(size_t mem_size, size_t hart_count, const char *isa)
{
    if (isa && strncmp(isa, "rv32", 4)) {
        rvvm_error("the ISA \"%s\" is not supported: rvkit's harts are RV32, such as \"rv32imafdc\"", isa);
        return NULL;
    }
    if (hart_count < 1 || hart_count > HART_MAX) {
        rvvm_error("%llu harts: there can be 1 to %d", (unsigned long long)hart_count, HART_MAX);
        return NULL;
    }
    if (mem_size < MACHINE_RAM_MIN || mem_size > MACHINE_RAM_MAX) {
        rvvm_error("%llu KiB of RAM: there can be 1 MiB to 2 GiB", (unsigned long long)mem_size / 1024);
        return NULL;
    }
    mem_size = (size_t)util_align_up(mem_size, MACHINE_PAGE);
    rvvm_machine_t *machine = machine_make(mem_size, (uint32_t)hart_count);
    if (!machine) {
        rvvm_error("the host has not enough memory for a machine with %llu MiB of RAM",
                   (unsigned long long)mem_size >> 20);
        return NULL;
    }
    eventloop_add(machine);
    return machine;
}

void rvvm_free_machine(rvvm_machine_t *machine)
{
    if (!machine) {
        return;
    }
    rvvm_pause_machine(machine);
    eventloop_remove(machine);
    machine_end_threads(machine);
    for (mmio_region_t *last = mmio_last(&machine->mmio); last; last = mmio_last(&machine->mmio)) {
        rvvm_remove_mmio(&last->mmio);
    }
    machine_free_parts(machine);
}

rvvm_addr_t rvvm_get_opt(rvvm_machine_t *machine, uint32_t opt)
{
    if (!machine) {
        return 0;
    }
    switch (opt) {
    case RVVM_OPT_MEM_BASE:
        return machine->bus.ram_base;
    case RVVM_OPT_MEM_SIZE:
        return machine->bus.ram_size;
    case RVVM_OPT_CPU_COUNT:
        return machine->hart_count;
    case RVKIT_OPT_COOPERATIVE:
        return machine->cooperative;
    case RVKIT_OPT_ICOUNT:
        return machine->clock.icount;
    default:
        return opt < MACHINE_OPT_COUNT ? machine->opts[opt] : 0;
    }
}

/* Options that a machine which has threads, or has run, cannot change. */
static bool machine_set_run_opt(rvvm_machine_t *machine, uint32_t opt, rvvm_addr_t val)
{
    if (!machine_is(machine, MACHINE_OFF) || machine->harts[0].thread) {
        return false;
    }
    if (opt == RVVM_OPT_TIME_FREQ) {
        if (val < 1000 || val > 1000000000) {
            return false;
        }
        machine->opts[opt] = machine->clock.freq = val;
        return true;
    }
    if (opt == RVKIT_OPT_ICOUNT) {
        if (val > 1000000000) {
            return false;
        }
        machine->clock.icount = val;
        machine->cooperative = machine->cooperative || val;
        return true;
    }
    if (val > 1 || (!val && (machine->clock.icount || !host_threads_available()))) {
        return false;
    }
    machine->cooperative = val;
    return true;
}

bool rvvm_set_opt(rvvm_machine_t *machine, uint32_t opt, rvvm_addr_t val)
{
    if (!machine) {
        return false;
    }
    switch (opt) {
    case RVVM_OPT_TIME_FREQ:
    case RVKIT_OPT_ICOUNT:
    case RVKIT_OPT_COOPERATIVE:
        return machine_set_run_opt(machine, opt, val);
    case RVVM_OPT_RESET_PC:
    case RVVM_OPT_FDT_ADDR:
        if (val > UINT32_MAX) {
            return false;
        }
        machine->opts[opt] = val;
        return true;
    case RVVM_OPT_NONE:
        return false;
    default:
        if (opt >= MACHINE_OPT_COUNT) {
            return false;
        }
        machine->opts[opt] = val;
        return true;
    }
}

uint64_t rvkit_retired(rvvm_machine_t *machine)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; machine && i < machine->hart_count; i++) {
        sum += __atomic_load_n(&machine->harts[i].retired, __ATOMIC_RELAXED);
    }
    return sum;
}
