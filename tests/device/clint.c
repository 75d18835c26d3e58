/* SPDX-License-Identifier: MPL-2.0 */
/* The CLINT's rules. */
#include "devices/clint.h"
#include "rig.h"

enum { MTIMECMP = 0x4000, MTIME = 0xBFF8 };

typedef struct {
    rig_host_t host;
    rvvm_machine_t *machine;
    rvvm_mmio_dev_t *dev;
} clint_rig_t;

static void rig_up(clint_rig_t *rig)
{
    rig_host_init(&rig->host);
    rig->machine = rig_machine();
    rig->dev = clint_init_host(rig->machine, &rig->host.host, CLINT_DEFAULT_MMIO);
    CHECK(rig->dev != NULL);
}

static void rig_down(clint_rig_t *rig)
{
    rvvm_free_machine(rig->machine);
}

static bool msip(clint_rig_t *rig, uint32_t hart)
{
    return rig_line(&rig->host, hart, IRQ_HOST_MSIP);
}

TEST(msip_per_hart)
{
    clint_rig_t rig;
    rig_up(&rig);
    for (uint32_t hart = 0; hart < RIG_HARTS; hart++) {
        rig_write(rig.dev, 4 * hart, 4, 1);
        for (uint32_t other = 0; other < RIG_HARTS; other++) {
            CHECK_EQ(other == hart, msip(&rig, other));
            CHECK_EQ(other == hart, rig_read(rig.dev, 4 * other, 4));
        }
        rig_write(rig.dev, 4 * hart, 4, 0);
        CHECK(!msip(&rig, hart));
        CHECK_EQ(0, rig_read(rig.dev, 4 * hart, 4));
    }
    rig_down(&rig);
}

TEST(msip_bit_zero)
{
    clint_rig_t rig;
    rig_up(&rig);
    rig_write(rig.dev, 4, 4, 0xFFFFFFFE);
    CHECK(!msip(&rig, 1));
    CHECK_EQ(0, rig_read(rig.dev, 4, 4));
    rig_write(rig.dev, 4, 4, 0xFFFFFFFF);
    CHECK(msip(&rig, 1));
    CHECK_EQ(1, rig_read(rig.dev, 4, 4));
    rig_down(&rig);
}

TEST(msip_in_pairs)
{
    clint_rig_t rig;
    rig_up(&rig);
    rig_write(rig.dev, 0, 8, UINT64_C(0x100000000));
    CHECK(!msip(&rig, 0) && msip(&rig, 1));
    CHECK_EQ(UINT64_C(0x100000000), rig_read(rig.dev, 0, 8));
    rig_write(rig.dev, 8, 8, 1);
    CHECK(msip(&rig, 2) && !msip(&rig, 3));
    rig_down(&rig);
}

TEST(mtimecmp_whole)
{
    clint_rig_t rig;
    rig_up(&rig);
    for (uint32_t hart = 0; hart < RIG_HARTS; hart++) {
        uint64_t val = UINT64_C(0x123456789ABCDEF0) + hart;
        rig_write(rig.dev, MTIMECMP + 8 * hart, 8, val);
        CHECK_EQ(val, rig.host.mtimecmp[hart]);
        CHECK_EQ(val, rig_read(rig.dev, MTIMECMP + 8 * hart, 8));
    }
    CHECK_EQ(UINT64_C(0x123456789ABCDEF0), rig.host.mtimecmp[0]);
    rig_down(&rig);
}

TEST(mtimecmp_halves)
{
    clint_rig_t rig;
    rig_up(&rig);
    rig.host.mtimecmp[2] = UINT64_C(0x1111111122222222);
    rig_write(rig.dev, MTIMECMP + 16, 4, 0xAAAAAAAA);
    CHECK_EQ(UINT64_C(0x11111111AAAAAAAA), rig.host.mtimecmp[2]);
    rig_write(rig.dev, MTIMECMP + 20, 4, 0xBBBBBBBB);
    CHECK_EQ(UINT64_C(0xBBBBBBBBAAAAAAAA), rig.host.mtimecmp[2]);
    CHECK_EQ(0xAAAAAAAA, rig_read(rig.dev, MTIMECMP + 16, 4));
    CHECK_EQ(0xBBBBBBBB, rig_read(rig.dev, MTIMECMP + 20, 4));
    CHECK_EQ(0, rig.host.mtimecmp[1] | rig.host.mtimecmp[3]);
    rig_down(&rig);
}

TEST(mtime_reads)
{
    clint_rig_t rig;
    rig_up(&rig);
    rig.host.time = UINT64_C(0x0000000512345678);
    CHECK_EQ(UINT64_C(0x0000000512345678), rig_read(rig.dev, MTIME, 8));
    CHECK_EQ(0x12345678, rig_read(rig.dev, MTIME, 4));
    CHECK_EQ(5, rig_read(rig.dev, MTIME + 4, 4));
    rig_down(&rig);
}

TEST(mtime_writes)
{
    clint_rig_t rig;
    rig_up(&rig);
    rig_write(rig.dev, MTIME, 8, UINT64_C(0x77777777888));
    CHECK_EQ(UINT64_C(0x77777777888), rig.host.time);
    rig_write(rig.dev, MTIME, 4, 0x10);
    CHECK_EQ(UINT64_C(0x77700000010), rig.host.time);
    rig_write(rig.dev, MTIME + 4, 4, 0x20);
    CHECK_EQ(UINT64_C(0x2000000010), rig.host.time);
    rig_down(&rig);
}

TEST(registers_outside)
{
    clint_rig_t rig;
    rig_up(&rig);
    static const size_t offsets[] = {4 * RIG_HARTS, 0x3FFC, MTIMECMP + 8 * RIG_HARTS, 0xBFF0, 0xC000,
                                     0xFFFC};
    for (unsigned i = 0; i < ARRAY_LEN(offsets); i++) {
        rig_write(rig.dev, offsets[i], 4, 0xFFFFFFFF);
        CHECK_EQ(0, rig_read(rig.dev, offsets[i], 4));
        rig_write(rig.dev, offsets[i] & ~(size_t)7, 8, UINT64_MAX);
        CHECK_EQ(0, rig_read(rig.dev, offsets[i] & ~(size_t)7, 8));
    }
    CHECK_EQ(0, rig.host.time);
    CHECK_EQ(0, rig.host.lines[0] | rig.host.lines[1] | rig.host.lines[2] | rig.host.lines[3]);
    rig_down(&rig);
}

TEST(reset_state)
{
    clint_rig_t rig;
    rig_up(&rig);
    rig_write(rig.dev, 4, 4, 1);
    rig_write(rig.dev, MTIMECMP + 8, 8, 5);
    rig.host.time = 77;
    rig.dev->type->reset(rig.dev);
    CHECK(!msip(&rig, 1));
    CHECK_EQ(0, rig_read(rig.dev, 4, 4));
    CHECK_EQ(UINT64_MAX, rig_read(rig.dev, MTIMECMP + 8, 8));
    CHECK_EQ(77, rig_read(rig.dev, MTIME, 8));
    rig_down(&rig);
}

TEST(fdt_node)
{
    clint_rig_t rig;
    rig_up(&rig);
    rvvm_fdt_node_t *root = rvvm_get_fdt_root(rig.machine);
    rvvm_fdt_node_t *node = rvvm_fdt_find_reg(rvvm_get_fdt_soc(rig.machine), "clint", 0x2000000);
    CHECK(node != NULL);
    size_t size = 0;
    const void *compatible = rvvm_fdt_prop_get(node, "compatible", &size);
    CHECK(size == 27 && !memcmp(compatible, "sifive,clint0\0riscv,clint0", 27));
    CHECK_EQ(0x2000000, rig_fdt_cell(node, "reg", 1));
    CHECK_EQ(0x10000, rig_fdt_cell(node, "reg", 3));
    for (uint32_t hart = 0; hart < RIG_HARTS; hart++) {
        rvvm_fdt_node_t *cpu = rvvm_fdt_find_reg(rvvm_fdt_find(root, "cpus"), "cpu", hart);
        uint32_t phandle = rvvm_fdt_phandle(rvvm_fdt_find(cpu, "interrupt-controller"));
        CHECK_EQ(phandle, rig_fdt_cell(node, "interrupts-extended", 4 * hart));
        CHECK_EQ(3, rig_fdt_cell(node, "interrupts-extended", 4 * hart + 1));
        CHECK_EQ(phandle, rig_fdt_cell(node, "interrupts-extended", 4 * hart + 2));
        CHECK_EQ(7, rig_fdt_cell(node, "interrupts-extended", 4 * hart + 3));
    }
    rig_down(&rig);
}

int main(void)
{
    PROVE(msip_per_hart, "MSIP raises and lowers the software interrupt of its hart only");
    PROVE(msip_bit_zero, "MSIP has one bit");
    PROVE(msip_in_pairs, "a 64-bit access reaches two harts' MSIP");
    PROVE(mtimecmp_whole, "mtimecmp takes 64 bits per hart");
    PROVE(mtimecmp_halves, "mtimecmp takes its halves, each keeping the other");
    PROVE(mtime_reads, "mtime reads whole and in halves");
    PROVE(mtime_writes, "mtime is written whole and in halves");
    PROVE(registers_outside, "registers that are not there read as zero and change nothing");
    PROVE(reset_state, "reset clears MSIP and silences the timers; mtime goes on");
    PROVE(fdt_node, "the FDT node names the software and timer interrupts of each hart");
    return rig_finish("clint");
}
