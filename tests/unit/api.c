/* SPDX-License-Identifier: MPL-2.0 */
/* The public calls on a machine that does not run: making, options, RAM, regions, interrupt lines. */
#include "machine.h"
#include "tap.h"
#include "util.h"

#include <rvvm/compat.h>

#include <stdio.h>
#include <stdlib.h>

/* A device that writes down what its handlers are asked for. */
typedef struct {
    uint8_t regs[64];
    struct {
        bool write;
        size_t offset;
        uint8_t size;
    } log[16];
    unsigned count;
    unsigned *removed;
} probe_t;

static void probe_note(probe_t *probe, bool write, size_t offset, uint8_t size)
{
    if (probe->count < ARRAY_LEN(probe->log)) {
        probe->log[probe->count].write = write;
        probe->log[probe->count].offset = offset;
        probe->log[probe->count].size = size;
    }
    probe->count++;
}

static bool probe_read(rvvm_mmio_dev_t *dev, void *data, size_t offset, uint8_t size)
{
    probe_t *probe = dev->data;
    probe_note(probe, false, offset, size);
    memcpy(data, probe->regs + offset, size);
    return offset != 0x30; /* this register refuses */
}

static bool probe_write(rvvm_mmio_dev_t *dev, void *data, size_t offset, uint8_t size)
{
    probe_t *probe = dev->data;
    probe_note(probe, true, offset, size);
    memcpy(probe->regs + offset, data, size);
    return offset != 0x30;
}

static void probe_remove(rvvm_mmio_dev_t *dev)
{
    probe_t *probe = dev->data;
    if (probe->removed) {
        *probe->removed = *probe->removed * 10 + (unsigned)(dev->addr >> 12 & 15);
    }
    free(probe);
}

static const rvvm_mmio_type_t probe_type = {.name = "probe", .remove = probe_remove};

static probe_t *probe_attach(rvvm_machine_t *machine, rvvm_addr_t addr, uint8_t min, uint8_t max)
{
    probe_t *probe = safe_new_obj(probe_t);
    for (unsigned i = 0; i < sizeof(probe->regs); i++) {
        probe->regs[i] = (uint8_t)(i + 1);
    }
    rvvm_mmio_dev_t desc = {.addr = addr, .size = sizeof(probe->regs), .data = probe,
                            .type = &probe_type, .read = probe_read, .write = probe_write,
                            .min_op_size = min, .max_op_size = max};
    return rvvm_attach_mmio(machine, &desc) ? probe : NULL;
}

static uint64_t bus_read(rvvm_machine_t *machine, paddr_t addr, uint8_t size)
{
    uint8_t data[8] = {0};
    return machine->bus.read(machine, addr, data, size) ? util_get_le64(data) : 0xdead;
}

static bool bus_write(rvvm_machine_t *machine, paddr_t addr, uint64_t val, uint8_t size)
{
    uint8_t data[8];
    util_put_le64(data, val);
    return machine->bus.write(machine, addr, data, size);
}

#define CHECK_OP(probe, n, is_write, at, width)                                                    \
    do {                                                                                           \
        CHECK_EQ(is_write, (probe)->log[n].write);                                                 \
        CHECK_EQ(at, (probe)->log[n].offset);                                                      \
        CHECK_EQ(width, (probe)->log[n].size);                                                     \
    } while (0)

TEST(accesses_of_permitted_size_pass)
{
    rvvm_machine_t *m = rvvm_create_machine(1 << 20, 1, NULL);
    probe_t *p = probe_attach(m, 0x1000, 0, 0);
    CHECK_EQ(0x01, bus_read(m, 0x1000, 1));
    CHECK_EQ(0x0605, bus_read(m, 0x1004, 2));
    CHECK_EQ(0x0c0b0a09, bus_read(m, 0x1008, 4));
    CHECK_EQ(UINT64_C(0x0807060504030201), bus_read(m, 0x1000, 8));
    CHECK_EQ(4, p->count);
    CHECK_OP(p, 3, false, 0, 8);
    CHECK(bus_write(m, 0x1010, 0x5566, 2));
    CHECK_OP(p, 4, true, 0x10, 2);
    CHECK_EQ(0x55, p->regs[0x11]);
    rvvm_free_machine(m);
}

TEST(wide_accesses_are_split)
{
    rvvm_machine_t *m = rvvm_create_machine(1 << 20, 1, NULL);
    probe_t *p = probe_attach(m, 0x1000, 1, 3); /* 3 counts as 4 */
    CHECK_EQ(UINT64_C(0x1817161514131211), bus_read(m, 0x1010, 8));
    CHECK_EQ(2, p->count);
    CHECK_OP(p, 0, false, 0x10, 4);
    CHECK_OP(p, 1, false, 0x14, 4);
    CHECK(bus_write(m, 0x1018, UINT64_C(0x1122334455667788), 8));
    CHECK_OP(p, 2, true, 0x18, 4);
    CHECK_OP(p, 3, true, 0x1c, 4);
    CHECK_EQ(UINT64_C(0x1122334455667788), util_get_le64(p->regs + 0x18));
    rvvm_free_machine(m);
}

TEST(narrow_accesses_are_widened)
{
    rvvm_machine_t *m = rvvm_create_machine(1 << 20, 1, NULL);
    probe_t *p = probe_attach(m, 0x1000, 4, 4);
    CHECK_EQ(0x08, bus_read(m, 0x1007, 1));
    CHECK_OP(p, 0, false, 4, 4);
    CHECK(bus_write(m, 0x1002, 0xbbaa, 2));
    CHECK_EQ(3, p->count);
    CHECK_OP(p, 1, false, 0, 4);
    CHECK_OP(p, 2, true, 0, 4);
    CHECK_EQ(0xbbaa0201, util_get_le32(p->regs));
    rvvm_free_machine(m);
}

/* A region whose start is not aligned as its accesses are: handlers still see aligned ones. */
TEST(odd_places_keep_offsets_aligned)
{
    rvvm_machine_t *m = rvvm_create_machine(1 << 20, 1, NULL);
    probe_t *p = probe_attach(m, 0x1002, 0, 0);
    CHECK_EQ(0x06050403, bus_read(m, 0x1004, 4));
    CHECK_EQ(2, p->count);
    CHECK_OP(p, 0, false, 2, 2);
    CHECK_OP(p, 1, false, 4, 2);
    probe_t *q = probe_attach(m, 0x2002, 4, 4);
    CHECK_EQ(0x06050403, bus_read(m, 0x2004, 4));
    CHECK_OP(q, 0, false, 0, 4);
    CHECK_OP(q, 1, false, 4, 4);
    rvvm_free_machine(m);
}

TEST(faults_reach_the_guest)
{
    rvvm_machine_t *m = rvvm_create_machine(1 << 20, 1, NULL);
    probe_attach(m, 0x1000, 0, 0);
    CHECK_EQ(0xdead, bus_read(m, 0x1030, 4));
    CHECK(!bus_write(m, 0x1030, 0, 4));
    CHECK_EQ(0xdead, bus_read(m, 0x103c, 8)); /* half outside */
    CHECK_EQ(0xdead, bus_read(m, 0x1040, 1));
    CHECK_EQ(0xdead, bus_read(m, 0xfff, 1));
    CHECK_EQ(0xdead, bus_read(m, UINT64_MAX - 7, 8));
    CHECK(!bus_write(m, 0x9000, 0, 4));
    rvvm_mmio_dev_t none = {.addr = 0x3000, .size = 16, .read = rvvm_mmio_none};
    CHECK(rvvm_attach_mmio(m, &none) != NULL);
    CHECK_EQ(0, bus_read(m, 0x3000, 4));
    CHECK(!bus_write(m, 0x3000, 0, 4)); /* no write handler */
    rvvm_free_machine(m);
}

TEST(mappings_are_plain_memory)
{
    static _Alignas(4096) uint8_t memory[3 * 4096];
    rvvm_machine_t *m = rvvm_create_machine(1 << 20, 1, NULL);
    rvvm_mmio_dev_t desc = {.addr = 0x10800, .size = sizeof(memory) - 0x800, .mapping = memory + 0x800};
    CHECK(rvvm_attach_mmio(m, &desc) != NULL);
    CHECK(bus_write(m, 0x10801, 0xabcd, 2));
    CHECK_EQ(0xabcd, util_get_le16(memory + 0x801));
    CHECK_EQ(0xabcd, bus_read(m, 0x10801, 2));
    CHECK(m->bus.direct(m, 0x10000) == NULL); /* not a whole page */
    CHECK(m->bus.direct(m, 0x11000) == memory + 0x1000);
    CHECK(m->bus.direct(m, 0x12000) == memory + 0x2000);
    CHECK(m->bus.direct(m, 0x13000) == NULL);
    rvvm_free_machine(m);
}

TEST(taken_places_are_refused_and_cleaned_up)
{
    rvvm_machine_t *m = rvvm_create_machine(1 << 20, 1, NULL);
    CHECK(probe_attach(m, 0x1000, 0, 0) != NULL);
    rvvm_set_loglevel(0);
    CHECK(probe_attach(m, 0x1020, 0, 0) == NULL);
    CHECK(probe_attach(m, 0x0fff, 0, 0) == NULL);
    CHECK(probe_attach(m, 0x80000000, 0, 0) == NULL);
    CHECK(probe_attach(m, 0x7fffffff, 0, 0) == NULL);
    CHECK(probe_attach(m, UINT64_MAX - 10, 0, 0) == NULL);
    rvvm_set_loglevel(LOG_WARN);
    CHECK_EQ(0x1040, rvvm_mmio_zone_auto(m, 0x1000, 64));
    CHECK_EQ(0x5000, rvvm_mmio_zone_auto(m, 0x5000, 64));
    CHECK_EQ(0x80100000, rvvm_mmio_zone_auto(m, 0x80000000, 64));
    rvvm_free_machine(m);
}

TEST(devices_go_last_first)
{
    unsigned removed = 0;
    rvvm_machine_t *m = rvvm_create_machine(1 << 20, 1, NULL);
    for (unsigned i = 0; i < 3; i++) {
        static const unsigned order[] = {2, 1, 3};
        probe_attach(m, order[i] * 0x1000, 0, 0)->removed = &removed;
    }
    rvvm_mmio_dev_t placeholder = {.addr = 0x1000, .size = 0};
    CHECK(rvvm_attach_mmio(m, &placeholder) != NULL); /* takes no place */
    rvvm_free_machine(m);
    CHECK_EQ(312, removed);
}

TEST(regions_move)
{
    static const rvvm_reg_type_t type = {.name = "region"};
    rvvm_machine_t *m = rvvm_create_machine(1 << 20, 1, NULL);
    rvvm_reg_desc_t a = {.addr = 0x1000, .size = 0x1000, .type = &type}, b = a;
    rvvm_reg_dev_t *first = rvvm_region_init_auto(m, &a);
    rvvm_reg_dev_t *second = rvvm_region_init_auto(m, &b);
    CHECK(first && second);
    CHECK_EQ(0x2000, b.addr); /* moved on */
    CHECK(!rvvm_region_relocate(second, 0x1800));
    CHECK(rvvm_region_relocate(second, 0x2800)); /* over its own old place */
    CHECK_EQ(0, bus_read(m, 0x37fc, 4));
    CHECK_EQ(0xdead, bus_read(m, 0x2000, 4));
    b.attr = RVVM_REG_ATTR_FIX;
    b.addr = 0x1000;
    rvvm_set_loglevel(0);
    CHECK(rvvm_region_init(m, &b) == NULL);
    rvvm_set_loglevel(LOG_WARN);
    rvvm_region_remove(first);
    CHECK_EQ(0xdead, bus_read(m, 0x1000, 4));
    rvvm_free_machine(m);
}

TEST(ram_calls_check_bounds)
{
    rvvm_machine_t *m = rvvm_create_machine(1 << 20, 1, NULL);
    const rvvm_addr_t base = RVVM_DEFAULT_MEMBASE, end = base + (1 << 20);
    uint8_t out[37], in[37];
    for (unsigned i = 0; i < sizeof(out); i++) {
        out[i] = (uint8_t)(i * 7 + 1);
    }
    for (unsigned shift = 0; shift < 9; shift++) {
        CHECK(rvvm_write_ram(m, base + 64 + shift, out, sizeof(out)));
        CHECK(rvvm_read_ram(m, in, base + 64 + shift, sizeof(in)));
        CHECK(!memcmp(in, out, sizeof(in)));
        CHECK(!memcmp((uint8_t *)rvvm_get_dma_ptr(m, base + 64 + shift, 37), out, 37));
    }
    CHECK(rvvm_write_ram(m, end - 37, out, 37));
    CHECK(!rvvm_write_ram(m, end - 36, out, 37));
    CHECK(!rvvm_write_ram(m, base - 1, out, 1));
    CHECK(!rvvm_read_ram(m, in, UINT64_MAX, 37));
    CHECK(!rvvm_read_ram(m, in, base, SIZE_MAX));
    CHECK(rvvm_get_dma_ptr(m, end, 1) == NULL);
    CHECK(rvvm_get_dma_ptr(m, end - 1, 1) != NULL);
    CHECK(rvvm_get_dma_ptr(m, base + 4096, SIZE_MAX - 100) == NULL);
    CHECK(rvvm_get_dma_ptr(NULL, base, 1) == NULL);
    rvvm_free_machine(m);
}

TEST(creation_refuses_what_it_cannot_make)
{
    rvvm_set_loglevel(0);
    CHECK(rvvm_create_machine(1 << 20, 0, NULL) == NULL);
    CHECK(rvvm_create_machine(1 << 20, 17, NULL) == NULL);
    CHECK(rvvm_create_machine(0, 1, NULL) == NULL);
    CHECK(rvvm_create_machine((1u << 31) + 1u, 1, NULL) == NULL);
    CHECK(rvvm_create_machine(1 << 20, 1, "rv64") == NULL);
    CHECK(rvvm_create_machine(1 << 20, 1, "") == NULL);
    rvvm_set_loglevel(LOG_WARN);
    rvvm_machine_t *m = rvvm_create_machine((1 << 20) + 1, 16, "rv32imac");
    CHECK(m != NULL);
    CHECK_EQ((1 << 20) + 4096, rvvm_get_opt(m, RVVM_OPT_MEM_SIZE));
    CHECK_EQ(16, rvvm_get_opt(m, RVVM_OPT_CPU_COUNT));
    CHECK_EQ(0x80000000, rvvm_get_opt(m, RVVM_OPT_MEM_BASE));
    rvvm_free_machine(m);
    rvvm_free_machine(NULL);
    CHECK(rvvm_check_abi(RVVM_ABI_VERSION));
    CHECK(!rvvm_check_abi(7));
}

TEST(options_are_kept_within_their_ranges)
{
    rvvm_machine_t *m = rvvm_create_machine(1 << 20, 1, NULL);
    CHECK_EQ(0x80000000, rvvm_get_opt(m, RVVM_OPT_RESET_PC));
    CHECK_EQ(10000000, rvvm_get_opt(m, RVVM_OPT_TIME_FREQ));
    CHECK(rvvm_set_opt(m, RVVM_OPT_RESET_PC, 0x80001000));
    CHECK_EQ(0x80001000, rvvm_get_opt(m, RVVM_OPT_RESET_PC));
    CHECK(!rvvm_set_opt(m, RVVM_OPT_RESET_PC, UINT64_C(1) << 32));
    CHECK(!rvvm_set_opt(m, RVVM_OPT_TIME_FREQ, 0));
    CHECK(rvvm_set_opt(m, RVVM_OPT_TIME_FREQ, 1000000));
    CHECK(!rvvm_set_opt(m, RVVM_OPT_MEM_SIZE, 1));
    CHECK(!rvvm_set_opt(m, RVVM_OPT_NONE, 1));
    CHECK(!rvvm_set_opt(m, 9, 1));
    CHECK(!rvvm_set_opt(NULL, RVVM_OPT_JIT, 1));
    CHECK_EQ(0, rvvm_get_opt(m, 0x7777));
    CHECK(rvvm_set_opt(m, RVKIT_OPT_ICOUNT, 5));
    CHECK_EQ(1, rvvm_get_opt(m, RVKIT_OPT_COOPERATIVE));
    CHECK(!rvvm_set_opt(m, RVKIT_OPT_COOPERATIVE, 0));
    rvvm_free_machine(m);
}

static void intc_set(rvvm_irq_dev_t *dev, rvvm_irq_t irq, bool lvl)
{
    unsigned *log = rvvm_irq_dev_data(dev);
    *log = *log * 100 + irq * 10 + lvl;
}

TEST(interrupt_lines_are_given_out_once)
{
    static const rvvm_irq_dev_cb_t cb = {.set_irq = intc_set};
    unsigned log = 0;
    rvvm_irq_dev_t *dev = rvvm_irq_dev_init(&cb, &log);
    rvvm_irq_dev_set_limit(dev, 5);
    CHECK_EQ(1, rvvm_irq_alloc(dev, 0));
    CHECK_EQ(3, rvvm_irq_alloc(dev, 3));
    CHECK(!rvvm_irq_alloc_exact(dev, 3));
    CHECK(rvvm_irq_alloc_exact(dev, 4));
    CHECK_EQ(2, plic_alloc_irq(dev));
    CHECK_EQ(0, plic_alloc_irq(dev));
    CHECK_EQ(RVVM_IRQ_INVALID, rvvm_irq_alloc(dev, 0));
    CHECK_EQ(RVVM_IRQ_INVALID, rvvm_irq_alloc(dev, UINT32_MAX - 1));
    rvvm_irq_dealloc(dev, 2);
    CHECK_EQ(2, rvvm_irq_alloc(dev, 0));
    CHECK(plic_send_irq(dev, 2));
    CHECK_EQ(2120, log);
    CHECK(!plic_raise_irq(NULL, 2));
    rvvm_fdt_node_t *node = rvvm_fdt_init("x");
    rvvm_irq_dev_set_phandle(dev, 9);
    rvvm_fdt_describe_irq(node, dev, 3);
    CHECK_EQ(9, util_get_be32(rvvm_fdt_prop_get(node, "interrupt-parent", NULL)));
    CHECK_EQ(3, util_get_be32(rvvm_fdt_prop_get(node, "interrupts", NULL)));
    rvvm_fdt_free(node);
    rvvm_irq_dev_free(dev);
}

TEST(compat_helpers_compute_right)
{
    uint8_t bytes[9] = {0};
    write_uint32_le_m(bytes + 1, 0x11223344);
    CHECK_EQ(0x44, bytes[1]);
    CHECK_EQ(0x11223344, read_uint32_le_m(bytes + 1));
    write_uint64_le(bytes, UINT64_C(0x8877665544332211));
    CHECK_EQ(UINT64_C(0x8877665544332211), read_uint64_le(bytes));
    CHECK_EQ(0x2211, read_uint16_le(bytes));
    CHECK_EQ(0x64, bit_cut(0x12645, 4, 8));
    CHECK_EQ(0x12ff5, bit_replace(0x12645, 4, 8, 0xff));
    CHECK_EQ(64, bit_next_pow2(33));
    CHECK_EQ(1, bit_next_pow2(0));
    uint32_t word = 5;
    CHECK(!atomic_cas_uint32(&word, 4, 6));
    CHECK(atomic_cas_uint32(&word, 5, 6));
    CHECK_EQ(6, atomic_add_uint32(&word, 1));
    CHECK_EQ(7, atomic_load_uint32(&word));
    spinlock_t lock = SPINLOCK_INIT;
    spin_lock(&lock);
    CHECK(!spin_try_lock(&lock));
    spin_unlock(&lock);
    CHECK(spin_try_lock(&lock));
}

TEST(the_device_tree_says_what_the_machine_is)
{
    rvvm_machine_t *m = rvvm_create_machine(8 << 20, 3, NULL);
    rvvm_fdt_node_t *cpus = rvvm_fdt_find(rvvm_get_fdt_root(m), "cpus");
    CHECK(rvvm_fdt_find(cpus, "cpu@2") && !rvvm_fdt_find(cpus, "cpu@3"));
    CHECK(rvvm_get_fdt_soc(m) != NULL);
    rvvm_set_cmdline(m, "one");
    rvvm_append_cmdline(m, "two");
    size_t size;
    uint8_t *blob = machine_make_fdt(m, &size);
    rvvm_fdt_node_t *tree = rvvm_fdt_parse(blob, size), *chosen = rvvm_fdt_find(tree, "chosen");
    const char *bootargs = rvvm_fdt_prop_get(chosen, "bootargs", NULL);
    CHECK(bootargs && !strcmp(bootargs, "one two"));
    CHECK(rvvm_fdt_prop_get(chosen, "rng-seed", NULL) != NULL);
    rvvm_fdt_node_t *memory = rvvm_fdt_find_reg_any(tree, "memory");
    CHECK_EQ(8 << 20, util_get_be32((const uint8_t *)rvvm_fdt_prop_get(memory, "reg", &size) + 12));
    rvvm_fdt_free(tree);
    free(blob);
    rvvm_free_machine(m);
}

/* -dtb: a blob from a file replaces the tree, and /chosen in it is edited. */
TEST(a_given_blob_gets_the_command_line)
{
    const char *path = "rvkit-test-api.dtb";
    rvvm_machine_t *a = rvvm_create_machine(8 << 20, 2, NULL);
    rvvm_machine_t *b = rvvm_create_machine(8 << 20, 1, NULL);
    rvvm_set_cmdline(a, "old");
    CHECK(rvvm_dump_fdt(a, path));
    CHECK(rvvm_load_fdt(b, path));
    remove(path);
    rvvm_set_cmdline(b, "new");
    size_t size;
    uint8_t *blob = machine_make_fdt(b, &size);
    rvvm_fdt_node_t *tree = rvvm_fdt_parse(blob, size);
    const char *bootargs = rvvm_fdt_prop_get(rvvm_fdt_find(tree, "chosen"), "bootargs", NULL);
    CHECK(bootargs && !strcmp(bootargs, "new"));
    CHECK(rvvm_fdt_find(rvvm_fdt_find(tree, "cpus"), "cpu@1") != NULL); /* a's, not b's */
    rvvm_fdt_free(tree);
    free(blob);
    rvvm_set_loglevel(0);
    CHECK(!rvvm_load_fdt(b, path)); /* gone */
    CHECK(!rvvm_load_kernel(b, "."));
    CHECK(!rvvm_dump_fdt(b, "no/such/place"));
    rvvm_set_loglevel(LOG_WARN);
    rvvm_free_machine(a);
    rvvm_free_machine(b);
}

int main(void)
{
    RUN(accesses_of_permitted_size_pass);
    RUN(wide_accesses_are_split);
    RUN(narrow_accesses_are_widened);
    RUN(odd_places_keep_offsets_aligned);
    RUN(faults_reach_the_guest);
    RUN(mappings_are_plain_memory);
    RUN(taken_places_are_refused_and_cleaned_up);
    RUN(devices_go_last_first);
    RUN(regions_move);
    RUN(ram_calls_check_bounds);
    RUN(creation_refuses_what_it_cannot_make);
    RUN(options_are_kept_within_their_ranges);
    RUN(interrupt_lines_are_given_out_once);
    RUN(compat_helpers_compute_right);
    RUN(the_device_tree_says_what_the_machine_is);
    RUN(a_given_blob_gets_the_command_line);
    return tap_finish();
}
