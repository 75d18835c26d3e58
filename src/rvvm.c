/* SPDX-License-Identifier: MPL-2.0 */
/* The public calls around RAM, regions and files. Running is in eventloop.c, making in machine.c.
 */
#include "host/file.h"
#include "host/memory.h"
#include "log.h"
#include "machine.h"
#include "util.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool rvvm_check_abi(int abi)
{
    return abi == RVVM_ABI_VERSION;
}

/* RAM */

/* The host address of a range of RAM, or NULL. */
static uint8_t *ram_range(const rvvm_machine_t *machine, rvvm_addr_t addr, size_t size)
{
    const bus_t *bus = machine ? &machine->bus : NULL;
    if (!bus || addr < bus->ram_base || !util_range_ok(addr - bus->ram_base, size, bus->ram_size)) {
        return NULL;
    }
    return bus->ram + (addr - bus->ram_base);
}

void *rvvm_get_dma_ptr(rvvm_machine_t *machine, rvvm_addr_t addr, size_t size)
{
    uint8_t *ram = ram_range(machine, addr, size);
    if (ram && size) {
        codemap_touch(machine->bus.codemap, addr, size);
    }
    return ram;
}

bool rvkit_release_ram(rvvm_machine_t *machine, rvvm_addr_t addr, size_t size)
{
    void *ram = rvvm_get_dma_ptr(machine, addr, size);
    return ram && host_pages_release(ram, size);
}

bool rvvm_write_ram(rvvm_machine_t *machine, rvvm_addr_t dest, const void *src, size_t size)
{
    uint8_t *ram = ram_range(machine, dest, size);
    const uint8_t *from = src;
    if (!ram) {
        return false;
    }
    if (!size) {
        return true;
    }
    size_t i = 0;
    for (; i < size && (uintptr_t)(ram + i) % 8; i++) {
        ram_store_u8(ram + i, from[i]);
    }
    for (; i + 8 <= size; i += 8) {
        ram_store_u64(ram + i, util_get_le64(from + i));
    }
    for (; i < size; i++) {
        ram_store_u8(ram + i, from[i]);
    }
    codemap_touch(machine->bus.codemap, dest, size);
    return true;
}

bool rvvm_read_ram(rvvm_machine_t *machine, void *dest, rvvm_addr_t src, size_t size)
{
    const uint8_t *ram = ram_range(machine, src, size);
    uint8_t *to = dest;
    if (!ram) {
        return false;
    }
    size_t i = 0;
    for (; i < size && (uintptr_t)(ram + i) % 8; i++) {
        to[i] = ram_load_u8(ram + i);
    }
    for (; i + 8 <= size; i += 8) {
        util_put_le64(to + i, ram_load_u64(ram + i));
    }
    for (; i < size; i++) {
        to[i] = ram_load_u8(ram + i);
    }
    return true;
}

/* Regions */

bool rvvm_mmio_none(rvvm_mmio_dev_t *dev, void *data, size_t offset, uint8_t size)
{
    /* As a write handler too: data is always the caller's scratch copy. */
    (void)dev;
    (void)offset;
    memset(data, 0, size);
    return true;
}

static const char *region_name(const mmio_region_t *region)
{
    const char *name = region->reg_type    ? region->reg_type->name
                       : region->mmio.type ? region->mmio.type->name
                                           : NULL;
    return name ? name : "device";
}

static void region_cleanup(mmio_region_t *region)
{
    if (region->reg_type) {
        if (region->reg_type->cleanup) {
            region->reg_type->cleanup((rvvm_reg_dev_t *)region);
        }
    } else if (region->mmio.type && region->mmio.type->remove) {
        region->mmio.type->remove(&region->mmio);
    } else {
        free(region->mmio.data);
    }
}

/* Takes over the region; cleaned up and NULL when its place is taken. */
static mmio_region_t *region_attach(rvvm_machine_t *machine, mmio_region_t *region)
{
    region->mmio.machine = machine;
    if (machine && mmio_attach(&machine->mmio, region)) {
        machine_flush_tlbs(machine);
        eventloop_notify();
        return region;
    }
    if (machine) {
        rvvm_error("%s does not fit at 0x%llx", region_name(region),
                   (unsigned long long)region->mmio.addr);
    }
    region_cleanup(region);
    free(region);
    return NULL;
}

void rvvm_cleanup_mmio_desc(const rvvm_mmio_dev_t *mmio_desc)
{
    if (mmio_desc) {
        mmio_region_t region = {.mmio = *mmio_desc};
        region_cleanup(&region);
    }
}

rvvm_mmio_dev_t *rvvm_attach_mmio(rvvm_machine_t *machine, const rvvm_mmio_dev_t *mmio_desc)
{
    mmio_region_t *region = mmio_desc ? calloc(1, sizeof(*region)) : NULL;
    if (!region) {
        rvvm_cleanup_mmio_desc(mmio_desc);
        return NULL;
    }
    region->mmio = *mmio_desc;
    region = region_attach(machine, region);
    return region ? &region->mmio : NULL;
}

void rvvm_remove_mmio(rvvm_mmio_dev_t *mmio_dev)
{
    mmio_region_t *region = (mmio_region_t *)mmio_dev;
    rvvm_machine_t *machine = region ? region->mmio.machine : NULL;
    if (!machine) {
        return;
    }
    host_mutex_lock(host_process_mutex());
    machine_hold(machine);
    mmio_detach(&machine->mmio, region);
    mmio_collect(&machine->mmio);
    machine_flush_tlbs(machine);
    machine_release(machine);
    host_mutex_unlock(host_process_mutex());
    region_cleanup(region);
    free(region);
}

rvvm_addr_t rvvm_mmio_zone_auto(rvvm_machine_t *machine, rvvm_addr_t addr, size_t size)
{
    return machine ? mmio_find_free(&machine->mmio, addr, size) : addr;
}

static bool region_read(rvvm_mmio_dev_t *dev, void *data, size_t offset, uint8_t size)
{
    mmio_region_t *region = (mmio_region_t *)dev;
    region->reg_type->read((rvvm_reg_dev_t *)region, data, size, offset);
    return true;
}

static bool region_write(rvvm_mmio_dev_t *dev, void *data, size_t offset, uint8_t size)
{
    mmio_region_t *region = (mmio_region_t *)dev;
    region->reg_type->write((rvvm_reg_dev_t *)region, data, size, offset);
    return true;
}

static uint8_t region_op_size(uint32_t size)
{
    return size > 8 ? 8 : (uint8_t)size;
}

static void region_apply_desc(mmio_region_t *region, const rvvm_reg_desc_t *desc)
{
    const rvvm_reg_type_t *type = desc->type;
    region->reg_type = type;
    region->attr = desc->attr;
    region->mmio.addr = desc->addr;
    region->mmio.size = desc->size;
    region->mmio.data = desc->data;
    region->mmio.mapping = desc->mmap;
    region->mmio.read = type->read ? region_read : rvvm_mmio_none;
    region->mmio.write = type->write ? region_write : rvvm_mmio_none;
    region->mmio.min_op_size = region_op_size(type->min_size);
    region->mmio.max_op_size = region_op_size(type->max_size);
}

rvvm_reg_dev_t *rvvm_region_init(rvvm_machine_t *machine, const rvvm_reg_desc_t *desc)
{
    mmio_region_t *region = desc && desc->type ? calloc(1, sizeof(*region)) : NULL;
    if (!region) {
        return NULL;
    }
    region_apply_desc(region, desc);
    if (machine && desc->size && !(desc->attr & RVVM_REG_ATTR_FIX)) {
        region->mmio.addr = mmio_find_free(&machine->mmio, desc->addr, desc->size);
    }
    return (rvvm_reg_dev_t *)region_attach(desc->attr & RVVM_REG_ATTR_PIO ? NULL : machine, region);
}

void rvvm_region_remove(rvvm_reg_dev_t *dev)
{
    rvvm_remove_mmio((rvvm_mmio_dev_t *)dev);
}

void *rvvm_region_data(rvvm_reg_dev_t *dev)
{
    return dev ? ((mmio_region_t *)dev)->mmio.data : NULL;
}

rvvm_machine_t *rvvm_region_machine(rvvm_reg_dev_t *dev)
{
    return dev ? ((mmio_region_t *)dev)->mmio.machine : NULL;
}

bool rvvm_region_get_desc(rvvm_reg_dev_t *dev, rvvm_reg_desc_t *desc)
{
    const mmio_region_t *region = (const mmio_region_t *)dev;
    if (!region || !desc) {
        return false;
    }
    *desc = (rvvm_reg_desc_t){
        .addr = region->mmio.addr,
        .size = region->mmio.size,
        .data = region->mmio.data,
        .mmap = region->mmio.mapping,
        .type = region->reg_type,
        .attr = region->attr,
    };
    return true;
}

bool rvvm_region_set_desc(rvvm_reg_dev_t *dev, const rvvm_reg_desc_t *desc)
{
    mmio_region_t *region = (mmio_region_t *)dev;
    rvvm_machine_t *machine = region ? region->mmio.machine : NULL;
    if (!machine || !region->reg_type || !desc || !desc->type || (desc->attr & RVVM_REG_ATTR_PIO)) {
        return false;
    }
    host_mutex_lock(host_process_mutex());
    machine_hold(machine);
    bool ok = !desc->size || mmio_is_free(&machine->mmio, desc->addr, desc->size, region);
    if (ok) {
        mmio_region_t old = *region;
        mmio_detach(&machine->mmio, region);
        region_apply_desc(region, desc);
        ok = mmio_attach(&machine->mmio, region);
        if (!ok) {
            /* No memory for the new view: where it was, the view before is as good. */
            *region = old;
            mmio_attach(&machine->mmio, region);
        }
        mmio_collect(&machine->mmio);
        machine_flush_tlbs(machine);
    }
    machine_release(machine);
    host_mutex_unlock(host_process_mutex());
    return ok;
}

bool rvkit_snapshot_devices(rvvm_machine_t *machine, rvvm_snapshot_t *snap, bool resume)
{
    if (!machine) {
        return false;
    }
    host_mutex_lock(host_process_mutex());
    machine_hold(machine);
    const mmio_view_t *view = mmio_get_view(&machine->mmio);
    for (size_t i = 0; i < view->count; i++) {
        mmio_region_t *region = view->regions[i];
        if (region->reg_type && region->reg_type->suspend) {
            region->reg_type->suspend((rvvm_reg_dev_t *)region, snap, resume);
        } else if (!region->reg_type && region->mmio.type && region->mmio.type->suspend) {
            region->mmio.type->suspend(&region->mmio, snap, resume);
        }
    }
    machine_release(machine);
    host_mutex_unlock(host_process_mutex());
    return true;
}

/* Handles */

rvvm_intc_t *rvvm_get_intc(rvvm_machine_t *machine)
{
    return machine ? machine->intc : NULL;
}

void rvvm_set_intc(rvvm_machine_t *machine, rvvm_intc_t *intc)
{
    if (machine) {
        machine->intc = intc;
    }
}

pci_bus_t *rvvm_get_pci_bus(rvvm_machine_t *machine)
{
    return machine ? machine->pci_bus : NULL;
}

void rvvm_set_pci_bus(rvvm_machine_t *machine, pci_bus_t *pci_bus)
{
    if (machine) {
        machine->pci_bus = pci_bus;
    }
}

i2c_bus_t *rvvm_get_i2c_bus(rvvm_machine_t *machine)
{
    return machine ? machine->i2c_bus : NULL;
}

void rvvm_set_i2c_bus(rvvm_machine_t *machine, i2c_bus_t *i2c_bus)
{
    if (machine) {
        machine->i2c_bus = i2c_bus;
    }
}

rvvm_fdt_node_t *rvvm_get_fdt_root(rvvm_machine_t *machine)
{
    return machine ? machine->fdt : NULL;
}

rvvm_fdt_node_t *rvvm_get_fdt_soc(rvvm_machine_t *machine)
{
    return rvvm_fdt_find(rvvm_get_fdt_root(machine), "soc");
}

/* Command line and files */

void rvvm_set_cmdline(rvvm_machine_t *machine, const char *str)
{
    char *copy = machine && str ? strdup(str) : NULL;
    if (copy) {
        free(machine->cmdline);
        machine->cmdline = copy;
    }
}

void rvvm_append_cmdline(rvvm_machine_t *machine, const char *str)
{
    if (!machine || !str) {
        return;
    }
    const char *old = machine->cmdline ? machine->cmdline : "";
    size_t size = strlen(old) + strlen(str) + 2;
    char *text = malloc(size);
    if (text) {
        snprintf(text, size, "%s%s%s", old, *old ? " " : "", str);
        free(machine->cmdline);
        machine->cmdline = text;
    }
}

/* A file that the next reset loads. */
static machine_file_t *machine_file(rvvm_machine_t *machine, rvkit_file_t what)
{
    switch (what) {
    case RVKIT_FIRMWARE:
        return &machine->firmware;
    case RVKIT_KERNEL:
        return &machine->kernel;
    case RVKIT_INITRD:
        return &machine->initrd;
    case RVKIT_FDT:
        return &machine->dtb;
    }
    return NULL;
}

bool rvkit_load_bytes(rvvm_machine_t *machine, rvkit_file_t what, void *bytes, size_t size,
                      const char *name)
{
    machine_file_t fresh = {bytes, bytes ? size : 0, NULL};
    machine_file_t *file = machine ? machine_file(machine, what) : NULL;
    loader_error_t error;
    bool ok = file && (!bytes || (fresh.path = strdup(name)));
    if (ok && bytes && what == RVKIT_FDT && !loader_check_fdt(bytes, size, &error)) {
        rvvm_error("%s: %s", name, error.text);
        ok = false;
    }
    if (!ok) {
        free(bytes);
        free(fresh.path);
        return false;
    }
    free(file->data);
    free(file->path);
    *file = fresh;
    return true;
}

/* The same from a file of the host; no path: none. */
static bool machine_read_file(rvvm_machine_t *machine, rvkit_file_t what, const char *path)
{
    uint8_t *bytes = NULL;
    size_t size = 0;
    char error[256];
    if (machine && path && *path &&
        !host_file_read_all(path, LOADER_FILE_MAX, &bytes, &size, error, sizeof(error))) {
        rvvm_error("%s: %s", path, error);
        return false;
    }
    return rvkit_load_bytes(machine, what, bytes, size, path);
}

bool rvvm_load_firmware(rvvm_machine_t *machine, const char *path)
{
    return machine_read_file(machine, RVKIT_FIRMWARE, path);
}

bool rvvm_load_kernel(rvvm_machine_t *machine, const char *path)
{
    return machine_read_file(machine, RVKIT_KERNEL, path);
}

bool rvkit_load_initrd(rvvm_machine_t *machine, const char *path)
{
    return machine_read_file(machine, RVKIT_INITRD, path);
}

bool rvvm_load_fdt(rvvm_machine_t *machine, const char *path)
{
    return machine_read_file(machine, RVKIT_FDT, path);
}

void *rvkit_get_fdt(rvvm_machine_t *machine, size_t *size)
{
    return machine ? machine_make_fdt(machine, size) : NULL;
}

bool rvvm_dump_fdt(rvvm_machine_t *machine, const char *path)
{
    char error[256];
    size_t size;
    uint8_t *fdt = path ? rvkit_get_fdt(machine, &size) : NULL;
    if (!fdt) {
        return false;
    }
    bool ok = host_file_write_all(path, fdt, size, error, sizeof(error));
    if (!ok) {
        rvvm_error("%s: %s", path, error);
    }
    free(fdt);
    return ok;
}
