/* SPDX-License-Identifier: MPL-2.0 */
#include "inspect.h"

#include "cpu/csr.h"
#include "cpu/decode.h"
#include "cpu/peek.h"
#include "devices/virtio_mmio.h"
#include "fdt.h"
#include "machine.h"
#include "util.h"

#include <stdio.h>
#include <string.h>

#define INSPECT_PAGE 4096u

/*
 * Harts that take turns run under the process mutex: then holding them would only cut a turn short, which
 * counted runs would notice.
 */
static void inspect_begin(rvvm_machine_t *machine)
{
    eventloop_lock();
    if (!machine->cooperative) {
        machine_hold(machine);
    }
}

static void inspect_end(rvvm_machine_t *machine)
{
    if (!machine->cooperative) {
        machine_release(machine);
    }
    eventloop_unlock();
}

static inspect_state_t hart_state(const rvvm_machine_t *machine, size_t index)
{
    if (machine->sbi_active && !sbi_hart_started(machine->sbi, (uint32_t)index)) {
        return INSPECT_STOPPED;
    }
    return hart_peek_waiting(machine->hart_list[index]) ? INSPECT_WAITS : INSPECT_RUNS;
}

bool inspect_hart(rvvm_machine_t *machine, size_t index, inspect_hart_t *info)
{
    static const char modes[4] = {'U', 'S', '?', 'M'};
    if (!machine || index >= machine->hart_count) {
        return false;
    }
    inspect_begin(machine);
    const hart_t *hart = machine->hart_list[index];
    *info = (inspect_hart_t){
        .state = hart_state(machine, index),
        .mode = modes[hart_get_priv(hart) & 3],
        .pc = hart_get_pc(hart),
        .retired = hart_retired(hart),
    };
    for (unsigned n = 0; n < 32; n++) {
        info->x[n] = hart_get_x(hart, n);
        info->f[n] = hart_get_f(hart, n);
    }
    inspect_end(machine);
    return true;
}

uint64_t inspect_csrs(rvvm_machine_t *machine, size_t index, const uint16_t *numbers, size_t count,
                      uint32_t *value)
{
    uint64_t got = 0;
    if (!machine || index >= machine->hart_count || count > 64) {
        return 0;
    }
    inspect_begin(machine);
    for (size_t i = 0; i < count; i++) {
        bool ok = hart_peek_csr(machine->hart_list[index], numbers[i], &value[i]);
        got |= (uint64_t)ok << i;
    }
    inspect_end(machine);
    return got;
}

const char *inspect_x_name(unsigned number)
{
    return insn_x_name(number);
}

const char *inspect_f_name(unsigned number)
{
    return insn_f_name(number);
}

const char *inspect_csr_name(uint32_t number)
{
    return csr_name(number);
}

/* Copies from one page, or nothing. */
static size_t read_page(const rvvm_machine_t *machine, paddr_t pa, uint8_t *data, size_t size)
{
    const bus_t *bus = &machine->bus;
    const uint8_t *from;
    if (pa >= bus->ram_base && util_range_ok(pa - bus->ram_base, size, bus->ram_size)) {
        from = bus->ram + (pa - bus->ram_base);
    } else {
        from = mmio_direct(&machine->mmio, pa & ~(paddr_t)(INSPECT_PAGE - 1));
        if (!from) {
            return 0;
        }
        from += pa & (INSPECT_PAGE - 1);
    }
    for (size_t i = 0; i < size; i++) {
        data[i] = ram_load_u8(from + i);
    }
    return size;
}

/* The harts are held. */
static bool translate(const rvvm_machine_t *machine, inspect_space_t space, size_t index,
                      uint64_t addr, paddr_t *pa)
{
    *pa = addr;
    if (space == INSPECT_PHYSICAL) {
        return true;
    }
    return addr <= UINT32_MAX && hart_peek_translate(machine->hart_list[index], (uint32_t)addr,
                                                     space == INSPECT_CODE, pa);
}

size_t inspect_read(rvvm_machine_t *machine, inspect_space_t space, size_t index, uint64_t addr,
                    void *data, size_t size)
{
    size_t done = 0;
    if (!machine || (space != INSPECT_PHYSICAL && index >= machine->hart_count)) {
        return 0;
    }
    inspect_begin(machine);
    while (done < size && addr <= UINT64_MAX - done) {
        uint64_t at = addr + done, left = INSPECT_PAGE - at % INSPECT_PAGE;
        size_t part = (size_t)util_min_u64(size - done, left);
        paddr_t pa;
        if (!translate(machine, space, index, at, &pa) ||
            !read_page(machine, pa, (uint8_t *)data + done, part)) {
            break;
        }
        done += part;
    }
    inspect_end(machine);
    return done;
}

bool inspect_translate(rvvm_machine_t *machine, inspect_space_t space, size_t index, uint64_t addr,
                       uint64_t *physical)
{
    if (!machine || (space != INSPECT_PHYSICAL && index >= machine->hart_count)) {
        return false;
    }
    inspect_begin(machine);
    bool ok = translate(machine, space, index, addr, physical);
    inspect_end(machine);
    return ok;
}

unsigned inspect_disasm(char *text, size_t text_size, const uint8_t *bytes, size_t count, uint32_t pc)
{
    uint32_t word = count >= 2 ? util_get_le16(bytes) : 0;
    unsigned length = (word & 3) == 3 ? 4 : 2;
    if (count < length) {
        return 0;
    }
    if (length == 4) {
        word = util_get_le32(bytes);
    }
    insn_disasm(text, text_size, word, pc);
    return length;
}

/* The first cell of "interrupts" of the node whose name ends in @addr. */
static uint32_t device_irq(rvvm_machine_t *machine, uint64_t addr)
{
    char suffix[24];
    snprintf(suffix, sizeof(suffix), "@%llx", (unsigned long long)addr);
    rvvm_fdt_node_t *soc = rvvm_get_fdt_soc(machine);
    for (rvvm_fdt_node_t *node = fdt_node_next(soc, NULL); node; node = fdt_node_next(soc, node)) {
        const char *at = strchr(fdt_node_name(node), '@');
        size_t size = 0;
        const void *cells = rvvm_fdt_prop_get(node, "interrupts", &size);
        if (at && cells && size >= 4 && !strcmp(at, suffix)) {
            return util_get_be32(cells);
        }
    }
    return 0;
}

static const char *device_name(const mmio_region_t *region)
{
    const char *name = region->reg_type ? region->reg_type->name : virtio_mmio_name(&region->mmio);
    if (!name && !region->reg_type && region->mmio.type) {
        name = region->mmio.type->name;
    }
    return name ? name : "device";
}

bool inspect_device(rvvm_machine_t *machine, size_t index, inspect_device_t *info)
{
    if (!machine) {
        return false;
    }
    eventloop_lock();
    const mmio_view_t *view = mmio_get_view(&machine->mmio);
    bool found = index < view->sorted;
    if (found) {
        const mmio_region_t *region = view->regions[index];
        *info = (inspect_device_t){
            .addr = region->mmio.addr,
            .size = region->mmio.size,
            .irq = device_irq(machine, region->mmio.addr),
        };
        snprintf(info->name, sizeof(info->name), "%s", device_name(region));
    }
    eventloop_unlock();
    return found;
}
