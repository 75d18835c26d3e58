/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Power-off and reset by a write, as SiFive's test finisher. Guests write 16 bits or, through Linux's
 * syscon, 32; the value is in the low half. The device has no state of its own.
 */
#include "syscon.h"

#include "../util.h"

enum {
    SYSCON_SIZE = 0x1000,
    SYSCON_POWEROFF = 0x5555,
    SYSCON_RESET = 0x7777,
};

static bool syscon_mmio_write(rvvm_mmio_dev_t *dev, void *data, size_t offset, uint8_t size)
{
    (void)size;
    if (offset == 0) {
        uint16_t val = util_get_le16(data);
        if (val == SYSCON_POWEROFF || val == SYSCON_RESET) {
            rvvm_reset_machine(dev->machine, val == SYSCON_RESET);
        }
    }
    return true;
}

static const rvvm_mmio_type_t syscon_type = {.name = "syscon"};

static void syscon_fdt_action(rvvm_machine_t *machine, const char *name, const char *compatible,
                              uint32_t regmap, uint32_t value)
{
    rvvm_fdt_node_t *node = rvvm_fdt_init(name);
    rvvm_fdt_prop_set_str(node, "compatible", compatible);
    rvvm_fdt_prop_set_u32(node, "regmap", regmap);
    rvvm_fdt_prop_set_u32(node, "offset", 0);
    rvvm_fdt_prop_set_u32(node, "value", value);
    rvvm_fdt_attach(rvvm_get_fdt_root(machine), node);
}

rvvm_mmio_dev_t *syscon_init(rvvm_machine_t *machine, rvvm_addr_t addr)
{
    const rvvm_mmio_dev_t desc = {
        .addr = addr,
        .size = SYSCON_SIZE,
        .type = &syscon_type,
        .read = rvvm_mmio_none,
        .write = syscon_mmio_write,
        .min_op_size = 2,
        .max_op_size = 4,
    };
    rvvm_mmio_dev_t *dev = rvvm_attach_mmio(machine, &desc);
    if (dev) {
        rvvm_fdt_node_t *node = rvvm_fdt_init_reg("test", addr);
        rvvm_fdt_prop_set_reg(node, "reg", addr, SYSCON_SIZE);
        rvvm_fdt_prop_set_str_list(node, "compatible", "sifive,test1\0sifive,test0\0syscon");
        rvvm_fdt_attach(rvvm_get_fdt_soc(machine), node);
        uint32_t regmap = rvvm_fdt_phandle(node);
        syscon_fdt_action(machine, "poweroff", "syscon-poweroff", regmap, SYSCON_POWEROFF);
        syscon_fdt_action(machine, "reboot", "syscon-reboot", regmap, SYSCON_RESET);
    }
    return dev;
}

rvvm_mmio_dev_t *syscon_init_auto(rvvm_machine_t *machine)
{
    return syscon_init(machine, rvvm_mmio_zone_auto(machine, SYSCON_DEFAULT_MMIO, SYSCON_SIZE));
}
