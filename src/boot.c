/* SPDX-License-Identifier: MPL-2.0 */
/* What a reset does: images and device tree into RAM, harts to their starting points. */
#include "fdt.h"
#include "host/memory.h"
#include "log.h"
#include "machine.h"
#include "util.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CACHE_BLOCK_SIZE 64
#define RNG_SEED_SIZE 64

/* Free RAM behind the device tree: OpenSBI lengthens it in place. */
#define FDT_SLACK 0x8000

#define ISA_STRING                                                                                 \
    "rv32imafdc_zba_zbb_zbc_zbs_zicbom_zicboz_zicntr_zicsr_zifencei_zihpm_zkr_svadu_svinval_sstc"
#define ISA_EXTENSIONS                                                                             \
    "i\0m\0a\0f\0d\0c\0zba\0zbb\0zbc\0zbs\0zicbom\0zicboz\0zicntr\0zicsr\0zifencei\0zihpm\0zkr\0"  \
    "svadu\0svinval\0sstc"

static rvvm_fdt_node_t *fdt_make_child(rvvm_fdt_node_t *parent, rvvm_fdt_node_t *child)
{
    rvvm_fdt_attach(parent, child);
    return child;
}

static void fdt_make_cpu(rvvm_fdt_node_t *cpus, uint32_t id)
{
    rvvm_fdt_node_t *cpu = fdt_make_child(cpus, rvvm_fdt_init_reg("cpu", id));
    rvvm_fdt_prop_set_str(cpu, "device_type", "cpu");
    rvvm_fdt_prop_set_u32(cpu, "reg", id);
    rvvm_fdt_prop_set_str(cpu, "status", "okay");
    rvvm_fdt_prop_set_str(cpu, "compatible", "riscv");
    rvvm_fdt_prop_set_str(cpu, "riscv,isa", ISA_STRING);
    rvvm_fdt_prop_set_str(cpu, "riscv,isa-base", "rv32i");
    rvvm_fdt_prop_set_str_list(cpu, "riscv,isa-extensions", ISA_EXTENSIONS);
    rvvm_fdt_prop_set_str(cpu, "mmu-type", "riscv,sv32");
    rvvm_fdt_prop_set_u32(cpu, "riscv,cbom-block-size", CACHE_BLOCK_SIZE);
    rvvm_fdt_prop_set_u32(cpu, "riscv,cboz-block-size", CACHE_BLOCK_SIZE);

    rvvm_fdt_node_t *intc = fdt_make_child(cpu, rvvm_fdt_init("interrupt-controller"));
    rvvm_fdt_prop_set_u32(intc, "#interrupt-cells", 1);
    rvvm_fdt_prop_set_u32(intc, "#address-cells", 0);
    rvvm_fdt_prop_set_flag(intc, "interrupt-controller");
    rvvm_fdt_prop_set_str(intc, "compatible", "riscv,cpu-intc");
    rvvm_fdt_phandle(intc);
}

rvvm_fdt_node_t *machine_base_fdt(const rvvm_machine_t *machine)
{
    rvvm_fdt_node_t *root = rvvm_fdt_init(NULL);
    rvvm_fdt_prop_set_u32(root, "#address-cells", 2);
    rvvm_fdt_prop_set_u32(root, "#size-cells", 2);
    rvvm_fdt_prop_set_str(root, "model", "rvkit");
    rvvm_fdt_prop_set_str(root, "compatible", "rvkit,virt");
    fdt_make_child(root, rvvm_fdt_init("chosen"));

    rvvm_fdt_node_t *memory =
        fdt_make_child(root, rvvm_fdt_init_reg("memory", machine->bus.ram_base));
    rvvm_fdt_prop_set_str(memory, "device_type", "memory");
    rvvm_fdt_prop_set_reg(memory, "reg", machine->bus.ram_base, machine->bus.ram_size);

    rvvm_fdt_node_t *cpus = fdt_make_child(root, rvvm_fdt_init("cpus"));
    rvvm_fdt_prop_set_u32(cpus, "#address-cells", 1);
    rvvm_fdt_prop_set_u32(cpus, "#size-cells", 0);
    rvvm_fdt_prop_set_u32(cpus, "timebase-frequency", MACHINE_TIME_FREQ);
    for (uint32_t i = 0; i < machine->hart_count; i++) {
        fdt_make_cpu(cpus, i);
    }

    rvvm_fdt_node_t *soc = fdt_make_child(root, rvvm_fdt_init("soc"));
    rvvm_fdt_prop_set_u32(soc, "#address-cells", 2);
    rvvm_fdt_prop_set_u32(soc, "#size-cells", 2);
    rvvm_fdt_prop_set_str(soc, "compatible", "simple-bus");
    rvvm_fdt_prop_set_flag(soc, "ranges");
    return root;
}

/* /chosen/stdout-path: the first UART, unless somebody has set it. */
static void chosen_set_stdout(rvvm_fdt_node_t *root, rvvm_fdt_node_t *chosen)
{
    rvvm_fdt_node_t *soc = rvvm_fdt_find(root, "soc");
    rvvm_fdt_node_t *uart = rvvm_fdt_find_reg_any(soc, "uart");
    uart = uart ? uart : rvvm_fdt_find_reg_any(soc, "serial");
    if (uart && !rvvm_fdt_prop_get(chosen, "stdout-path", NULL)) {
        char path[300];
        snprintf(path, sizeof(path), "/soc/%s", fdt_node_name(uart));
        rvvm_fdt_prop_set_str(chosen, "stdout-path", path);
    }
}

/* Random, or the same each time in a run that is to be repeatable. */
static void chosen_set_rng_seed(const rvvm_machine_t *machine, rvvm_fdt_node_t *chosen)
{
    uint8_t seed[RNG_SEED_SIZE];
    if (machine->clock.icount) {
        for (unsigned i = 0; i < sizeof(seed); i++) {
            seed[i] = (uint8_t)(i * 37 + 11);
        }
    } else {
        host_random(seed, sizeof(seed));
    }
    rvvm_fdt_prop_set(chosen, "rng-seed", seed, sizeof(seed));
}

/* The tree with what is known at boot; initrd is where it will lie, if there is one. */
static uint8_t *fdt_make_blob(rvvm_machine_t *machine, rvvm_fdt_node_t *root, paddr_t initrd, size_t *size)
{
    rvvm_fdt_node_t *chosen = rvvm_fdt_find(root, "chosen");
    if (!chosen) {
        chosen = fdt_make_child(root, rvvm_fdt_init("chosen"));
    }
    if (machine->cmdline) {
        rvvm_fdt_prop_set_str(chosen, "bootargs", machine->cmdline);
    }
    if (machine->initrd.data) {
        rvvm_fdt_prop_set_u64(chosen, "linux,initrd-start", initrd);
        rvvm_fdt_prop_set_u64(chosen, "linux,initrd-end", initrd + machine->initrd.size);
    } else if (root == machine->fdt) {
        rvvm_fdt_prop_del(chosen, "linux,initrd-start");
        rvvm_fdt_prop_del(chosen, "linux,initrd-end");
    }
    chosen_set_stdout(root, chosen);
    chosen_set_rng_seed(machine, chosen);
    if (root == machine->fdt) {
        rvvm_fdt_prop_set_u32(rvvm_fdt_find(root, "cpus"), "timebase-frequency",
                              (uint32_t)machine->clock.freq);
    }
    *size = rvvm_fdt_size(root);
    uint8_t *blob = *size ? calloc(1, *size) : NULL;
    if (blob && !rvvm_fdt_serialize(root, blob, *size)) {
        free(blob);
        blob = NULL;
    }
    return blob;
}

static loader_ram_t boot_ram(const rvvm_machine_t *machine)
{
    return (loader_ram_t){machine->bus.ram, machine->bus.ram_base, machine->bus.ram_size};
}

/* Says which file is at fault. */
static bool boot_fail(const char *what, const loader_error_t *error)
{
    rvvm_error("%s: %s", what, error->text);
    return false;
}

/* Where FDT and initrd go above `low`, and the blob that says so. NULL: told in the log. */
static uint8_t *boot_place(rvvm_machine_t *machine, paddr_t low, paddr_t *fdt, size_t *fdt_size,
                           paddr_t *initrd)
{
    loader_ram_t ram = boot_ram(machine);
    loader_error_t error;
    const machine_file_t *dtb = &machine->dtb;
    rvvm_fdt_node_t *root = dtb->data ? rvvm_fdt_parse(dtb->data, dtb->size) : machine->fdt;
    uint8_t *blob = NULL;
    *initrd = 0;
    if (!root) {
        rvvm_error("%s: is not a sound device tree blob", dtb->path);
        return NULL;
    }
    blob = fdt_make_blob(machine, root, 0, fdt_size);
    bool ok = blob != NULL;
    if (!ok) {
        rvvm_error("the host has not enough memory for the device tree");
    } else if (!loader_place_fdt(&ram, low, *fdt_size + FDT_SLACK, fdt, &error)) {
        ok = boot_fail("device tree", &error);
    } else if (machine->initrd.data) {
        ok = loader_place_initrd(&ram, low, *fdt, machine->initrd.size, initrd, &error);
        if (!ok) {
            boot_fail(machine->initrd.path, &error);
        } else {
            free(blob);
            blob = fdt_make_blob(machine, root, *initrd, fdt_size);
        }
    }
    if (root != machine->fdt) {
        rvvm_fdt_free(root);
    }
    if (!ok) {
        free(blob);
        blob = NULL;
    }
    return blob;
}

uint8_t *machine_make_fdt(rvvm_machine_t *machine, size_t *size)
{
    paddr_t fdt, initrd;
    return boot_place(machine, machine->bus.ram_base, &fdt, size, &initrd);
}

/* Firmware and kernel; *low becomes the end of what they occupy. */
static bool boot_load_images(rvvm_machine_t *machine, paddr_t *low)
{
    loader_ram_t ram = boot_ram(machine);
    const machine_file_t *firmware = &machine->firmware, *kernel = &machine->kernel;
    loader_image_t *firmware_image = firmware->data ? &machine->firmware_image : NULL;
    loader_error_t error;
    memset(&machine->firmware_image, 0, sizeof(machine->firmware_image));
    memset(&machine->kernel_image, 0, sizeof(machine->kernel_image));
    *low = ram.base;
    if (firmware_image) {
        if (!loader_load_firmware(&ram, firmware->data, firmware->size, firmware_image, &error)) {
            return boot_fail(firmware->path, &error);
        }
        *low = firmware_image->end;
    }
    if (kernel->data) {
        if (!loader_load_kernel(&ram, kernel->data, kernel->size, firmware_image,
                                &machine->kernel_image, &error)) {
            return boot_fail(kernel->path, &error);
        }
        *low = util_max_u64(*low, machine->kernel_image.end);
    }
    return true;
}

static void boot_serve_sbi(void *opaque, hart_t *hart)
{
    rvvm_machine_t *machine = opaque;
    sbi_call(machine->sbi, hart);
}

static void boot_add_entropy(hart_t *hart)
{
    uint8_t seed[RNG_SEED_SIZE];
    host_random(seed, sizeof(seed));
    hart_add_entropy(hart, seed, sizeof(seed));
}

/* Registers of all harts. */
static void boot_start_harts(rvvm_machine_t *machine, uint32_t fdt)
{
    machine->sbi_active = machine->kernel.data && !machine->firmware.data;
    machine->bus.sbi_call = machine->sbi_active ? boot_serve_sbi : NULL;
    rvvm_addr_t pc = machine->opts[RVVM_OPT_RESET_PC];
    if (machine->firmware.data && pc == machine->bus.ram_base) {
        pc = machine->firmware_image.entry;
    }
    for (uint32_t i = 0; i < machine->hart_count; i++) {
        hart_reset(machine->harts[i].hart, (uint32_t)pc, i, fdt, PRIV_M);
        if (!machine->clock.icount) {
            boot_add_entropy(machine->harts[i].hart);
        }
        hart_request_flush_tlb(machine->harts[i].hart);
        hart_request_fence_i(machine->harts[i].hart);
    }
    if (machine->sbi_active) {
        sbi_reset(machine->sbi, 0, (uint32_t)machine->kernel_image.entry, fdt);
    }
}

bool machine_boot(rvvm_machine_t *machine)
{
    loader_ram_t ram = boot_ram(machine);
    paddr_t low, fdt = machine->opts[RVVM_OPT_FDT_ADDR], initrd;
    if (!boot_load_images(machine, &low)) {
        return false;
    }
    if (!fdt) {
        size_t size;
        uint8_t *blob = boot_place(machine, low, &fdt, &size, &initrd);
        bool ok = blob && loader_copy(&ram, fdt, blob, size) &&
                  (!machine->initrd.data ||
                   loader_copy(&ram, initrd, machine->initrd.data, machine->initrd.size));
        free(blob);
        if (!ok) {
            return false;
        }
    }
    codemap_touch(machine->bus.codemap, machine->bus.ram_base, machine->bus.ram_size);
    boot_start_harts(machine, (uint32_t)fdt);
    return true;
}
