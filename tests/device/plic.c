/* SPDX-License-Identifier: MPL-2.0 */
/* The PLIC's rules, each on its own. Contexts: 0 is hart 0 in M-mode, 1 is hart 0 in S-mode, and so on. */
#include "devices/plic.h"
#include "rig.h"

enum { PENDING = 0x1000, ENABLE = 0x2000, THRESHOLD = 0x200000, CLAIM = 0x200004 };

typedef struct {
    rig_host_t host;
    rvvm_machine_t *machine;
    rvvm_irq_dev_t *irq;
    rvvm_mmio_dev_t *dev;
} plic_rig_t;

static void rig_up(plic_rig_t *rig)
{
    rig_host_init(&rig->host);
    rig->machine = rig_machine();
    rig->irq = plic_init_host(rig->machine, &rig->host.host, PLIC_DEFAULT_MMIO);
    CHECK(rig->irq != NULL);
    rig->dev = plic_region(rig->irq);
}

static void rig_down(plic_rig_t *rig)
{
    rvvm_free_machine(rig->machine);
}

static uint32_t rd(plic_rig_t *rig, size_t offset)
{
    return (uint32_t)rig_read(rig->dev, offset, 4);
}

static void wr(plic_rig_t *rig, size_t offset, uint32_t val)
{
    rig_write(rig->dev, offset, 4, val);
}

static uint32_t claim(plic_rig_t *rig, unsigned ctx)
{
    return rd(rig, CLAIM + 0x1000 * ctx);
}

static void complete(plic_rig_t *rig, unsigned ctx, uint32_t irq)
{
    wr(rig, CLAIM + 0x1000 * ctx, irq);
}

/* A source with a priority, enabled in one more context. */
static void enable(plic_rig_t *rig, unsigned ctx, uint32_t irq, uint32_t prio)
{
    size_t reg = ENABLE + 0x80 * ctx + 4 * (irq / 32);
    wr(rig, 4 * irq, prio);
    wr(rig, reg, rd(rig, reg) | UINT32_C(1) << (irq % 32));
}

static bool eip(plic_rig_t *rig, unsigned ctx)
{
    return rig_line(&rig->host, ctx / 2, (ctx & 1) ? IRQ_HOST_SEIP : IRQ_HOST_MEIP);
}

static bool pending(plic_rig_t *rig, uint32_t irq)
{
    return rd(rig, PENDING + 4 * (irq / 32)) >> (irq % 32) & 1;
}

TEST(level_interrupts)
{
    plic_rig_t rig;
    rig_up(&rig);
    enable(&rig, 1, 10, 1);
    CHECK(!eip(&rig, 1));
    rvvm_irq_raise(rig.irq, 10);
    CHECK(eip(&rig, 1) && pending(&rig, 10));
    CHECK_EQ(10, claim(&rig, 1));
    CHECK(!eip(&rig, 1) && !pending(&rig, 10));
    rvvm_irq_lower(rig.irq, 10);
    complete(&rig, 1, 10);
    CHECK(!eip(&rig, 1) && !pending(&rig, 10));
    rig_down(&rig);
}

TEST(level_held_asks_again)
{
    plic_rig_t rig;
    rig_up(&rig);
    enable(&rig, 1, 10, 1);
    rvvm_irq_raise(rig.irq, 10);
    CHECK_EQ(10, claim(&rig, 1));
    CHECK_EQ(0, claim(&rig, 1));
    complete(&rig, 1, 10);
    CHECK(eip(&rig, 1));
    CHECK_EQ(10, claim(&rig, 1));
    rig_down(&rig);
}

TEST(level_not_taken_back)
{
    plic_rig_t rig;
    rig_up(&rig);
    enable(&rig, 1, 10, 1);
    rvvm_irq_raise(rig.irq, 10);
    rvvm_irq_lower(rig.irq, 10);
    CHECK(eip(&rig, 1) && pending(&rig, 10));
    CHECK_EQ(10, claim(&rig, 1));
    complete(&rig, 1, 10);
    CHECK(!eip(&rig, 1));
    rvvm_irq_raise(rig.irq, 10); /* the line is not stuck */
    CHECK(eip(&rig, 1));
    CHECK_EQ(10, claim(&rig, 1));
    rig_down(&rig);
}

TEST(level_toggling_while_claimed)
{
    plic_rig_t rig;
    rig_up(&rig);
    enable(&rig, 1, 10, 1);
    rvvm_irq_raise(rig.irq, 10);
    CHECK_EQ(10, claim(&rig, 1));
    for (int i = 0; i < 3; i++) {
        rvvm_irq_lower(rig.irq, 10);
        rvvm_irq_raise(rig.irq, 10);
        CHECK(!pending(&rig, 10) && !eip(&rig, 1));
    }
    rvvm_irq_lower(rig.irq, 10);
    complete(&rig, 1, 10);
    CHECK(!pending(&rig, 10)); /* no spurious interrupt for a level that is gone */
    rig_down(&rig);
}

TEST(edge_is_kept)
{
    plic_rig_t rig;
    rig_up(&rig);
    enable(&rig, 1, 33, 1);
    rvvm_irq_send(rig.irq, 33);
    CHECK(eip(&rig, 1) && pending(&rig, 33));
    rvvm_irq_send(rig.irq, 33);
    CHECK_EQ(33, claim(&rig, 1));
    complete(&rig, 1, 33);
    CHECK(!eip(&rig, 1)); /* two edges before the claim are one request */
    rig_down(&rig);
}

TEST(edge_while_claimed)
{
    plic_rig_t rig;
    rig_up(&rig);
    enable(&rig, 1, 33, 1);
    rvvm_irq_send(rig.irq, 33);
    CHECK_EQ(33, claim(&rig, 1));
    rvvm_irq_send(rig.irq, 33);
    rvvm_irq_send(rig.irq, 33);
    CHECK(!eip(&rig, 1) && !pending(&rig, 33)); /* one request until completion */
    CHECK_EQ(0, claim(&rig, 1));
    complete(&rig, 1, 33);
    CHECK(eip(&rig, 1));
    CHECK_EQ(33, claim(&rig, 1));
    complete(&rig, 1, 33);
    CHECK(!eip(&rig, 1));
    rig_down(&rig);
}

/* Edges that the device makes by hand. */
TEST(pulses)
{
    plic_rig_t rig;
    rig_up(&rig);
    enable(&rig, 1, 33, 1);
    rvvm_irq_raise(rig.irq, 33);
    rvvm_irq_lower(rig.irq, 33);
    CHECK_EQ(33, claim(&rig, 1));
    rvvm_irq_raise(rig.irq, 33);
    rvvm_irq_lower(rig.irq, 33);
    CHECK(!pending(&rig, 33));
    complete(&rig, 1, 33);
    CHECK_EQ(33, claim(&rig, 1));
    complete(&rig, 1, 33);
    CHECK(!pending(&rig, 33));
    rig_down(&rig);
}

/* An edge on a line that is held high all the time. */
TEST(edge_on_level)
{
    plic_rig_t rig;
    rig_up(&rig);
    enable(&rig, 1, 33, 1);
    rvvm_irq_raise(rig.irq, 33);
    CHECK_EQ(33, claim(&rig, 1));
    rvvm_irq_send(rig.irq, 33);
    rvvm_irq_lower(rig.irq, 33);
    CHECK(!pending(&rig, 33));
    complete(&rig, 1, 33);
    CHECK_EQ(33, claim(&rig, 1));
    rig_down(&rig);
}

TEST(priority_order)
{
    plic_rig_t rig;
    rig_up(&rig);
    enable(&rig, 0, 3, 2);
    enable(&rig, 0, 40, 5);
    enable(&rig, 0, 9, 4);
    rvvm_irq_send(rig.irq, 3);
    rvvm_irq_send(rig.irq, 40);
    rvvm_irq_send(rig.irq, 9);
    CHECK_EQ(40, claim(&rig, 0));
    CHECK_EQ(9, claim(&rig, 0));
    CHECK_EQ(3, claim(&rig, 0));
    CHECK_EQ(0, claim(&rig, 0));
    rig_down(&rig);
}

TEST(ties_by_number)
{
    plic_rig_t rig;
    rig_up(&rig);
    static const uint32_t ids[] = {63, 7, 31, 32, 1};
    static const uint32_t order[] = {1, 7, 31, 32, 63};
    for (unsigned i = 0; i < ARRAY_LEN(ids); i++) {
        enable(&rig, 0, ids[i], 3);
        rvvm_irq_send(rig.irq, ids[i]);
    }
    for (unsigned i = 0; i < ARRAY_LEN(order); i++) {
        CHECK_EQ(order[i], claim(&rig, 0));
    }
    rig_down(&rig);
}

TEST(priority_zero)
{
    plic_rig_t rig;
    rig_up(&rig);
    enable(&rig, 0, 5, 0);
    rvvm_irq_raise(rig.irq, 5);
    CHECK(pending(&rig, 5) && !eip(&rig, 0));
    CHECK_EQ(0, claim(&rig, 0));
    wr(&rig, 4 * 5, 1); /* raising the priority of a waiting source makes it heard */
    CHECK(eip(&rig, 0));
    wr(&rig, 4 * 5, 0);
    CHECK(!eip(&rig, 0));
    rig_down(&rig);
}

TEST(priority_width)
{
    plic_rig_t rig;
    rig_up(&rig);
    wr(&rig, 4 * 5, 0xFFFFFFFF);
    CHECK_EQ(7, rd(&rig, 4 * 5));
    wr(&rig, 4 * 63, 0xFFFFFFFD);
    CHECK_EQ(5, rd(&rig, 4 * 63));
    wr(&rig, THRESHOLD, 0xFFFFFFFF);
    CHECK_EQ(7, rd(&rig, THRESHOLD));
    rig_down(&rig);
}

TEST(threshold_masks)
{
    plic_rig_t rig;
    rig_up(&rig);
    enable(&rig, 1, 6, 3);
    wr(&rig, THRESHOLD + 0x1000, 3);
    rvvm_irq_raise(rig.irq, 6);
    CHECK(!eip(&rig, 1));
    wr(&rig, THRESHOLD + 0x1000, 2);
    CHECK(eip(&rig, 1));
    wr(&rig, THRESHOLD + 0x1000, 7);
    CHECK(!eip(&rig, 1));
    rig_down(&rig);
}

TEST(threshold_not_in_claim)
{
    plic_rig_t rig;
    rig_up(&rig);
    enable(&rig, 1, 6, 3);
    wr(&rig, THRESHOLD + 0x1000, 7);
    rvvm_irq_raise(rig.irq, 6);
    CHECK(!eip(&rig, 1));
    CHECK_EQ(6, claim(&rig, 1));
    CHECK(!pending(&rig, 6));
    rig_down(&rig);
}

TEST(enable_per_context)
{
    plic_rig_t rig;
    rig_up(&rig);
    wr(&rig, 4 * 12, 1);
    for (unsigned ctx = 0; ctx < 2 * RIG_HARTS; ctx++) {
        rvvm_irq_raise(rig.irq, 12);
        enable(&rig, ctx, 12, 1);
        for (unsigned other = 0; other < 2 * RIG_HARTS; other++) {
            CHECK_EQ(other == ctx, eip(&rig, other));
            CHECK_EQ(other == ctx ? 12 : 0, claim(&rig, other));
            rvvm_irq_lower(rig.irq, 12);
            complete(&rig, ctx, 12);
            rvvm_irq_raise(rig.irq, 12);
        }
        wr(&rig, ENABLE + 0x80 * ctx, 0);
        CHECK(!eip(&rig, ctx));
    }
    rig_down(&rig);
}

TEST(all_targets_notified)
{
    plic_rig_t rig;
    rig_up(&rig);
    enable(&rig, 1, 12, 1);
    enable(&rig, 7, 12, 1);
    rvvm_irq_raise(rig.irq, 12);
    CHECK(eip(&rig, 1) && eip(&rig, 7) && !eip(&rig, 0));
    CHECK_EQ(12, claim(&rig, 7)); /* the first to claim gets it, the others see it go */
    CHECK(!eip(&rig, 1) && !eip(&rig, 7));
    CHECK_EQ(0, claim(&rig, 1));
    rig_down(&rig);
}

TEST(complete_needs_enable)
{
    plic_rig_t rig;
    rig_up(&rig);
    enable(&rig, 1, 10, 1);
    enable(&rig, 3, 11, 1);
    rvvm_irq_raise(rig.irq, 10);
    CHECK_EQ(10, claim(&rig, 1));
    complete(&rig, 3, 10); /* not enabled there */
    CHECK(!pending(&rig, 10));
    wr(&rig, ENABLE + 0x80, 0);
    complete(&rig, 1, 10); /* no longer enabled here */
    CHECK(!pending(&rig, 10));
    enable(&rig, 1, 10, 1);
    complete(&rig, 1, 10);
    CHECK(pending(&rig, 10) && eip(&rig, 1));
    rig_down(&rig);
}

TEST(complete_of_unclaimed)
{
    plic_rig_t rig;
    rig_up(&rig);
    enable(&rig, 1, 10, 1);
    rvvm_irq_send(rig.irq, 10);
    complete(&rig, 1, 10);
    complete(&rig, 1, 0);
    complete(&rig, 1, 64);
    complete(&rig, 1, 0xFFFFFFFF);
    CHECK(pending(&rig, 10));
    CHECK_EQ(10, claim(&rig, 1));
    CHECK_EQ(0, claim(&rig, 1));
    rig_down(&rig);
}

TEST(source_zero)
{
    plic_rig_t rig;
    rig_up(&rig);
    wr(&rig, 0, 7);
    CHECK_EQ(0, rd(&rig, 0));
    wr(&rig, ENABLE, 0xFFFFFFFF);
    CHECK_EQ(0xFFFFFFFE, rd(&rig, ENABLE));
    rvvm_irq_raise(rig.irq, 0);
    rvvm_irq_raise(rig.irq, 64);
    rvvm_irq_raise(rig.irq, 0xFFFFFFFF);
    rvvm_irq_send(rig.irq, 0);
    rvvm_irq_send(rig.irq, 64);
    rvvm_irq_send(rig.irq, 64 + 10);
    rvvm_irq_send(rig.irq, 0xFFFFFFFF);
    CHECK_EQ(0, rd(&rig, PENDING));
    CHECK_EQ(0, rd(&rig, PENDING + 4));
    CHECK(!eip(&rig, 0));
    rig_down(&rig);
}

TEST(registers_outside)
{
    plic_rig_t rig;
    rig_up(&rig);
    static const size_t offsets[] = {4 * 64, 0xFFC, 0x1008, 0x2008, 0x2000 + 0x80 * 2 * RIG_HARTS,
                                     0x1FFFFC, 0x200008, 0x200000 + 0x1000 * 2 * RIG_HARTS,
                                     0x200004 + 0x1000 * 2 * RIG_HARTS, 0x3FFFFFC};
    for (unsigned i = 0; i < ARRAY_LEN(offsets); i++) {
        wr(&rig, offsets[i], 0xFFFFFFFF);
        CHECK_EQ(0, rd(&rig, offsets[i]));
    }
    wr(&rig, PENDING, 0xFFFFFFFF); /* read only */
    CHECK_EQ(0, rd(&rig, PENDING));
    rig_down(&rig);
}

TEST(redundant_levels)
{
    plic_rig_t rig;
    rig_up(&rig);
    enable(&rig, 1, 10, 1);
    rvvm_irq_lower(rig.irq, 10);
    CHECK(!pending(&rig, 10));
    rvvm_irq_raise(rig.irq, 10);
    uint32_t changes = rig.host.changes;
    rvvm_irq_raise(rig.irq, 10);
    rvvm_irq_raise(rig.irq, 10);
    CHECK_EQ(changes, rig.host.changes);
    CHECK_EQ(10, claim(&rig, 1));
    rvvm_irq_raise(rig.irq, 10);
    CHECK(!pending(&rig, 10));
    rig_down(&rig);
}

TEST(reset_state)
{
    plic_rig_t rig;
    rig_up(&rig);
    enable(&rig, 1, 10, 3);
    enable(&rig, 1, 11, 2);
    enable(&rig, 1, 12, 1);
    wr(&rig, THRESHOLD + 0x2000, 4);
    rvvm_irq_raise(rig.irq, 10);
    rvvm_irq_send(rig.irq, 11);
    rvvm_irq_send(rig.irq, 12);
    CHECK_EQ(10, claim(&rig, 1));
    CHECK(eip(&rig, 1));
    rig.dev->type->reset(rig.dev);
    CHECK(!eip(&rig, 1));
    CHECK_EQ(0, rd(&rig, 4 * 10));
    CHECK_EQ(0, rd(&rig, ENABLE + 0x80));
    CHECK_EQ(0, rd(&rig, THRESHOLD + 0x2000));
    CHECK_EQ(UINT32_C(1) << 10, rd(&rig, PENDING)); /* the line is still high; pulses are gone */
    enable(&rig, 1, 10, 1);
    CHECK_EQ(10, claim(&rig, 1));
    rig_down(&rig);
}

TEST(allocation)
{
    plic_rig_t rig;
    rig_up(&rig);
    CHECK(rvvm_get_intc(rig.machine) == rig.irq);
    for (uint32_t irq = 1; irq < 64; irq++) {
        CHECK_EQ(irq, rvvm_irq_alloc(rig.irq, 0));
    }
    CHECK_EQ(RVVM_IRQ_INVALID, rvvm_irq_alloc(rig.irq, 0));
    rig_down(&rig);
}

TEST(fdt_node)
{
    plic_rig_t rig;
    rig_up(&rig);
    rvvm_fdt_node_t *root = rvvm_get_fdt_root(rig.machine);
    rvvm_fdt_node_t *node = rvvm_fdt_find_reg(rvvm_get_fdt_soc(rig.machine), "plic", 0xC000000);
    CHECK(node != NULL);
    CHECK(rig_fdt_str(node, "compatible", "sifive,plic-1.0.0"));
    CHECK_EQ(0xC000000, rig_fdt_cell(node, "reg", 1));
    CHECK_EQ(0x4000000, rig_fdt_cell(node, "reg", 3));
    CHECK_EQ(63, rig_fdt_cell(node, "riscv,ndev", 0));
    CHECK_EQ(1, rig_fdt_cell(node, "#interrupt-cells", 0));
    CHECK(rvvm_fdt_prop_get(node, "interrupt-controller", NULL) != NULL);
    CHECK_EQ(rvvm_fdt_phandle(node), rvvm_irq_fdt_phandle(rig.irq));
    for (uint32_t ctx = 0; ctx < 2 * RIG_HARTS; ctx++) {
        rvvm_fdt_node_t *cpu = rvvm_fdt_find_reg(rvvm_fdt_find(root, "cpus"), "cpu", ctx / 2);
        uint32_t phandle = rvvm_fdt_phandle(rvvm_fdt_find(cpu, "interrupt-controller"));
        CHECK_EQ(phandle, rig_fdt_cell(node, "interrupts-extended", 2 * ctx));
        CHECK_EQ((ctx & 1) ? 9 : 11, rig_fdt_cell(node, "interrupts-extended", 2 * ctx + 1));
    }
    rig_down(&rig);
}

int main(void)
{
    PROVE(level_interrupts, "a high line pends, interrupts, is claimed, completed and gone");
    PROVE(level_held_asks_again, "a line still high at completion asks again, and only then");
    PROVE(level_not_taken_back, "a request stays when its line falls before the claim; no stuck line");
    PROVE(level_toggling_while_claimed, "a level that is gone at completion leaves nothing behind");
    PROVE(edge_is_kept, "an edge waits for its claim; more edges before the claim are the same request");
    PROVE(edge_while_claimed, "edges between claim and completion make one request after it");
    PROVE(pulses, "the same for edges that are made by raising and lowering the line");
    PROVE(edge_on_level, "an edge counts while the line is held high, too");
    PROVE(priority_order, "claims come in the order of priority");
    PROVE(ties_by_number, "equal priorities are claimed by the lowest number");
    PROVE(priority_zero, "priority 0 never interrupts, and changes of priority count at once");
    PROVE(priority_width, "priorities and thresholds have three bits");
    PROVE(threshold_masks, "only priorities above the threshold interrupt, changes count at once");
    PROVE(threshold_not_in_claim, "a claim does not look at the threshold");
    PROVE(enable_per_context, "a source interrupts and is claimed only where it is enabled");
    PROVE(all_targets_notified, "all contexts that want a source are told, the first claim wins");
    PROVE(complete_needs_enable, "a completion counts only where the source is enabled");
    PROVE(complete_of_unclaimed, "completing what was not claimed or does not exist changes nothing");
    PROVE(source_zero, "source 0 and sources past the last do not exist");
    PROVE(registers_outside, "registers that are not there read as zero; pending is read only");
    PROVE(redundant_levels, "raising a high line changes nothing");
    PROVE(reset_state, "reset clears all but the levels of the lines");
    PROVE(allocation, "lines 1 to 63 can be allocated, each once");
    PROVE(fdt_node, "the FDT node names the M and S external interrupts of each hart in order");
    return rig_finish("plic");
}
