/* SPDX-License-Identifier: MPL-2.0 */
/* The Goldfish RTC's rules. */
#include "devices/rtc_goldfish.h"
#include "rig.h"

enum {
    TIME_LOW = 0x00,
    TIME_HIGH = 0x04,
    ALARM_LOW = 0x08,
    ALARM_HIGH = 0x0C,
    IRQ_ENABLED = 0x10,
    CLEAR_ALARM = 0x14,
    ALARM_STATUS = 0x18,
    CLEAR_IRQ = 0x1C,
    RTC_IRQ = 3,
};

#define NOW UINT64_C(0x18A5B6C7D8E9FA01)

typedef struct {
    rig_host_t host;
    rig_intc_t intc;
    rvvm_machine_t *machine;
    rvvm_mmio_dev_t *dev;
} rtc_rig_t;

static void rig_up(rtc_rig_t *rig)
{
    rig_host_init(&rig->host);
    rig_intc_init(&rig->intc);
    rig->host.wall_ns = NOW;
    rig->machine = rig_machine();
    rig->dev = rtc_goldfish_init_host(rig->machine, &rig->host.host, RTC_GOLDFISH_DEFAULT_MMIO,
                                      rig->intc.dev, RTC_IRQ);
    CHECK(rig->dev != NULL);
}

static void rig_down(rtc_rig_t *rig)
{
    rvvm_free_machine(rig->machine);
    rvvm_irq_dev_free(rig->intc.dev);
}

static uint32_t rd(rtc_rig_t *rig, size_t reg)
{
    return (uint32_t)rig_read(rig->dev, reg, 4);
}

static void wr(rtc_rig_t *rig, size_t reg, uint32_t val)
{
    rig_write(rig->dev, reg, 4, val);
}

static uint64_t read_time(rtc_rig_t *rig)
{
    uint32_t low = rd(rig, TIME_LOW);
    return (uint64_t)rd(rig, TIME_HIGH) << 32 | low;
}

/* As Linux's rtc-goldfish sets an alarm. */
static void set_alarm(rtc_rig_t *rig, uint64_t when)
{
    wr(rig, ALARM_HIGH, (uint32_t)(when >> 32));
    wr(rig, ALARM_LOW, (uint32_t)when);
    wr(rig, IRQ_ENABLED, 1);
}

static bool irq(rtc_rig_t *rig)
{
    return rig_intc_level(&rig->intc, RTC_IRQ);
}

static void update(rtc_rig_t *rig, uint64_t now)
{
    rig->host.wall_ns = now;
    rig->dev->type->update(rig->dev);
}

TEST(time_latch)
{
    rtc_rig_t rig;
    rig_up(&rig);
    rig.host.wall_ns = UINT64_C(0x00000001FFFFFFFF);
    CHECK_EQ(0xFFFFFFFF, rd(&rig, TIME_LOW));
    rig.host.wall_ns = UINT64_C(0x0000000200000000);
    CHECK_EQ(1, rd(&rig, TIME_HIGH)); /* belongs to the low half that was read */
    CHECK_EQ(0, rd(&rig, TIME_LOW));
    CHECK_EQ(2, rd(&rig, TIME_HIGH));
    rig_down(&rig);
}

TEST(time_set)
{
    rtc_rig_t rig;
    rig_up(&rig);
    wr(&rig, TIME_HIGH, 0x10);
    CHECK_EQ(NOW, read_time(&rig)); /* the low half sets both */
    wr(&rig, TIME_LOW, 0x20);
    CHECK_EQ(UINT64_C(0x1000000020), read_time(&rig));
    rig.host.wall_ns += 1000;
    CHECK_EQ(UINT64_C(0x1000000020) + 1000, read_time(&rig));
    wr(&rig, TIME_HIGH, 0xFFFFFFF0);
    wr(&rig, TIME_LOW, 0x30);
    CHECK_EQ(UINT64_C(0xFFFFFFF000000030), read_time(&rig));
    rig_down(&rig);
}

TEST(alarm_fires)
{
    rtc_rig_t rig;
    rig_up(&rig);
    set_alarm(&rig, NOW + 500);
    CHECK_EQ(1, rd(&rig, ALARM_STATUS));
    CHECK_EQ((uint32_t)(NOW + 500), rd(&rig, ALARM_LOW));
    CHECK_EQ((uint32_t)((NOW + 500) >> 32), rd(&rig, ALARM_HIGH));
    update(&rig, NOW + 499);
    CHECK(!irq(&rig));
    update(&rig, NOW + 500);
    CHECK(irq(&rig));
    CHECK_EQ(0, rd(&rig, ALARM_STATUS));
    rig_down(&rig);
}

TEST(alarm_once)
{
    rtc_rig_t rig;
    rig_up(&rig);
    set_alarm(&rig, NOW + 500);
    update(&rig, NOW + 600);
    CHECK(irq(&rig));
    update(&rig, NOW + 700);
    CHECK(irq(&rig)); /* a level, until it is taken back */
    wr(&rig, CLEAR_IRQ, 1);
    CHECK(!irq(&rig));
    update(&rig, NOW + 800);
    CHECK(!irq(&rig));
    rig_down(&rig);
}

TEST(alarm_in_the_past)
{
    rtc_rig_t rig;
    rig_up(&rig);
    set_alarm(&rig, NOW - 1);
    CHECK(irq(&rig));
    rig_down(&rig);
}

TEST(alarm_cleared)
{
    rtc_rig_t rig;
    rig_up(&rig);
    set_alarm(&rig, NOW + 500);
    wr(&rig, CLEAR_ALARM, 1);
    CHECK_EQ(0, rd(&rig, ALARM_STATUS));
    update(&rig, NOW + 600);
    CHECK(!irq(&rig));
    rig_down(&rig);
}

TEST(alarm_armed_by_low)
{
    rtc_rig_t rig;
    rig_up(&rig);
    wr(&rig, IRQ_ENABLED, 1);
    wr(&rig, ALARM_HIGH, 0);
    CHECK_EQ(0, rd(&rig, ALARM_STATUS));
    CHECK(!irq(&rig));
    wr(&rig, ALARM_LOW, 0);
    CHECK(irq(&rig));
    rig_down(&rig);
}

TEST(irq_enable)
{
    rtc_rig_t rig;
    rig_up(&rig);
    set_alarm(&rig, NOW + 500);
    wr(&rig, IRQ_ENABLED, 0);
    CHECK_EQ(0, rd(&rig, IRQ_ENABLED));
    update(&rig, NOW + 600);
    CHECK(!irq(&rig));
    wr(&rig, IRQ_ENABLED, 0xFFFFFFFF);
    CHECK_EQ(1, rd(&rig, IRQ_ENABLED));
    CHECK(irq(&rig)); /* it was only hidden */
    rig_down(&rig);
}

TEST(alarm_follows_set_time)
{
    rtc_rig_t rig;
    rig_up(&rig);
    wr(&rig, TIME_HIGH, 0);
    wr(&rig, TIME_LOW, 1000);
    set_alarm(&rig, 2000);
    update(&rig, NOW + 999);
    CHECK(!irq(&rig));
    update(&rig, NOW + 1000);
    CHECK(irq(&rig));
    rig_down(&rig);
}

TEST(reset_state)
{
    rtc_rig_t rig;
    rig_up(&rig);
    wr(&rig, TIME_HIGH, 1);
    wr(&rig, TIME_LOW, 0);
    set_alarm(&rig, 5);
    CHECK(irq(&rig));
    rig.dev->type->reset(rig.dev);
    CHECK(!irq(&rig));
    CHECK_EQ(0, rd(&rig, IRQ_ENABLED) | rd(&rig, ALARM_STATUS) | rd(&rig, ALARM_LOW));
    CHECK_EQ(UINT64_C(0x100000000), read_time(&rig));
    rig_down(&rig);
}

TEST(unused_offsets)
{
    rtc_rig_t rig;
    rig_up(&rig);
    for (size_t reg = 0x20; reg < 0x1000; reg += 4) {
        wr(&rig, reg, 0xFFFFFFFF);
        CHECK_EQ(0, rd(&rig, reg));
    }
    CHECK_EQ(NOW, read_time(&rig));
    rig_down(&rig);
}

TEST(fdt_node)
{
    rtc_rig_t rig;
    rig_up(&rig);
    rvvm_fdt_node_t *node = rvvm_fdt_find_reg(rvvm_get_fdt_soc(rig.machine), "rtc", 0x101000);
    CHECK(node != NULL);
    CHECK(rig_fdt_str(node, "compatible", "google,goldfish-rtc"));
    CHECK_EQ(0x101000, rig_fdt_cell(node, "reg", 1));
    CHECK_EQ(RTC_IRQ, rig_fdt_cell(node, "interrupts", 0));
    rig_down(&rig);
}

int main(void)
{
    PROVE(time_latch, "TIME_LOW keeps the high half for TIME_HIGH");
    PROVE(time_set, "TIME_HIGH and then TIME_LOW set the clock, which goes on from there");
    PROVE(alarm_fires, "the alarm interrupts at its nanosecond, not before");
    PROVE(alarm_once, "it does so once, as a level until CLEAR_INTERRUPT");
    PROVE(alarm_in_the_past, "an alarm in the past fires at once");
    PROVE(alarm_cleared, "CLEAR_ALARM disarms");
    PROVE(alarm_armed_by_low, "ALARM_LOW arms, ALARM_HIGH does not");
    PROVE(irq_enable, "IRQ_ENABLED hides and shows the interrupt");
    PROVE(alarm_follows_set_time, "alarms are on the clock as the guest set it");
    PROVE(reset_state, "reset disarms and keeps the time");
    PROVE(unused_offsets, "other offsets read as zero and change nothing");
    PROVE(fdt_node, "the FDT node tells place and interrupt");
    return rig_finish("rtc-goldfish");
}
