/* SPDX-License-Identifier: MPL-2.0 */
/* The syscon's rules, on a machine that is powered but has nothing to run. */
#include "devices/syscon.h"
#include "rig.h"

#include <rvvm/rvkit.h>

/* jal x0, 0 */
static const uint8_t spin[4] = {0x6F, 0x00, 0x00, 0x00};

/* A cooperative machine whose hart spins; what it does with a request shows in the next slice. */
static rvvm_machine_t *running_machine(rvvm_mmio_dev_t **dev)
{
    rvvm_machine_t *machine = rig_machine();
    *dev = syscon_init(machine, SYSCON_DEFAULT_MMIO);
    CHECK(*dev != NULL);
    CHECK(rvvm_set_opt(machine, RVKIT_OPT_COOPERATIVE, 1));
    CHECK(rvvm_set_opt(machine, RVVM_OPT_FDT_ADDR, 0x80080000));
    return machine;
}

static bool goes_on(rvvm_machine_t *machine)
{
    return rvkit_run_slice(machine, 1000) != RVKIT_SLICE_STOPPED;
}

static void start(rvvm_machine_t *machine)
{
    FILE *file = fopen("syscon-test.bin", "wb");
    CHECK(file && fwrite(spin, sizeof(spin), 1, file) == 1);
    CHECK(file && fclose(file) == 0);
    CHECK(rvvm_load_firmware(machine, "syscon-test.bin"));
    remove("syscon-test.bin");
    CHECK(rvvm_start_machine(machine));
    CHECK(goes_on(machine));
}

TEST(poweroff)
{
    rvvm_mmio_dev_t *dev;
    rvvm_machine_t *machine = running_machine(&dev);
    start(machine);
    rig_write(dev, 0, 2, 0x5555);
    CHECK(!goes_on(machine));
    rvvm_free_machine(machine);
}

TEST(poweroff_word)
{
    rvvm_mmio_dev_t *dev;
    rvvm_machine_t *machine = running_machine(&dev);
    start(machine);
    rig_write(dev, 0, 4, 0x00015555); /* as Linux's syscon writes; the upper half is a status */
    CHECK(!goes_on(machine));
    rvvm_free_machine(machine);
}

TEST(reset)
{
    rvvm_mmio_dev_t *dev;
    rvvm_machine_t *machine = running_machine(&dev);
    start(machine);
    uint8_t mark = 1, after = 1;
    CHECK(rvvm_write_ram(machine, RVVM_DEFAULT_MEMBASE, &mark, 1)); /* the spin loop's first byte */
    rig_write(dev, 0, 2, 0x7777);
    CHECK(goes_on(machine));
    CHECK(rvvm_read_ram(machine, &after, RVVM_DEFAULT_MEMBASE, 1));
    CHECK_EQ(0x6F, after); /* the firmware was loaded again */
    rvvm_free_machine(machine);
}

TEST(other_values)
{
    rvvm_mmio_dev_t *dev;
    rvvm_machine_t *machine = running_machine(&dev);
    start(machine);
    for (uint32_t val = 0; val < 0x10000; val++) {
        if (val != 0x5555 && val != 0x7777) {
            rig_write(dev, 0, 2, val);
        }
    }
    rig_write(dev, 2, 2, 0x5555);
    rig_write(dev, 4, 4, 0x5555);
    CHECK(goes_on(machine));
    rvvm_free_machine(machine);
}

TEST(reads_zero)
{
    rvvm_mmio_dev_t *dev;
    rvvm_machine_t *machine = running_machine(&dev);
    for (size_t offset = 0; offset < 0x1000; offset += 4) {
        CHECK_EQ(0, rig_read(dev, offset, 4));
    }
    rvvm_free_machine(machine);
}

TEST(fdt_nodes)
{
    rvvm_mmio_dev_t *dev;
    rvvm_machine_t *machine = running_machine(&dev);
    rvvm_fdt_node_t *root = rvvm_get_fdt_root(machine);
    rvvm_fdt_node_t *node = rvvm_fdt_find_reg(rvvm_get_fdt_soc(machine), "test", 0x100000);
    CHECK(node != NULL);
    CHECK_EQ(0x100000, rig_fdt_cell(node, "reg", 1));
    size_t size = 0;
    const void *compatible = rvvm_fdt_prop_get(node, "compatible", &size);
    CHECK(size >= 32 && !memcmp(compatible, "sifive,test1\0sifive,test0\0syscon", 33));
    static const struct {
        const char *name, *compatible;
        uint32_t value;
    } actions[] = {{"poweroff", "syscon-poweroff", 0x5555}, {"reboot", "syscon-reboot", 0x7777}};
    for (unsigned i = 0; i < ARRAY_LEN(actions); i++) {
        rvvm_fdt_node_t *action = rvvm_fdt_find(root, actions[i].name);
        CHECK(rig_fdt_str(action, "compatible", actions[i].compatible));
        CHECK_EQ(actions[i].value, rig_fdt_cell(action, "value", 0));
        CHECK_EQ(0, rig_fdt_cell(action, "offset", 0));
        CHECK_EQ(rvvm_fdt_phandle(node), rig_fdt_cell(action, "regmap", 0));
    }
    rvvm_free_machine(machine);
}

int main(void)
{
    PROVE(poweroff, "0x5555 as 16 bits powers off");
    PROVE(poweroff_word, "so does a 32-bit write with 0x5555 in its low half");
    PROVE(reset, "0x7777 resets and the machine goes on");
    PROVE(other_values, "other values and other offsets do nothing");
    PROVE(reads_zero, "it reads as zero");
    PROVE(fdt_nodes, "the FDT has the register and what Linux needs for poweroff and reboot");
    return rig_finish("syscon");
}
