/* SPDX-License-Identifier: MPL-2.0 */
/* The balloon's rules: VirtIO 1.2 §5.5. */
#include "devices/virtio_balloon.h"
#include "virtio_driver.h"

#ifdef RVVM_COMPAT_RVKIT
#include <rvvm/rvkit.h>
#endif

#define V1 VIRTIO_F_VERSION_1
#define STATS VIRTIO_BIT(1)
#define ON_OOM VIRTIO_BIT(2)
#define REPORTING VIRTIO_BIT(5)

enum { INFLATE, DEFLATE, STATSQ, QUEUE3, QUEUE4, PAGE = 4096, SPANS = 16 };

static vd_t vd;
static virtio_balloon_t *balloon;
static struct {
    uint64_t addr, size;
} span[SPANS];
static unsigned spans;

static void release(void *opaque, rvvm_machine_t *machine, uint64_t addr, uint64_t size)
{
    (void)opaque;
    (void)machine;
    if (spans < SPANS) {
        span[spans].addr = addr;
        span[spans++].size = size;
    }
}

static void up(uint64_t features, unsigned flags)
{
    const virtio_balloon_host_t host = {.release = release};
    virtio_desc_t desc;
    spans = 0;
    vd_machine(&vd);
    CHECK(virtio_balloon_describe(&desc, &host));
    balloon = desc.data;
    CHECK(vd_attach(&vd, &desc, flags));
    CHECK(vd_start(&vd, features));
}

static uint32_t config32(size_t offset)
{
    uint8_t bytes[4];
    vd_config_read(&vd, offset, bytes, 4, 4);
    return read_uint32_le_m(bytes);
}

/* Hands a list of page numbers to a queue; false when it was not used at once. */
static bool give(unsigned queue, const uint32_t *pfn, unsigned count)
{
    uint64_t mem = vd_alloc(&vd, 4 * count);
    const vd_buf_t buf = {mem, 4 * count, false};
    uint32_t len = 1;
    for (unsigned i = 0; i < count; i++) {
        vd_put32(&vd, mem + 4 * i, pfn[i]);
    }
    return vd_request(&vd, queue, &buf, 1, &len) && len == 0;
}

TEST(identity)
{
    up(V1, 0);
    CHECK_EQ(5, vd_read(&vd, VD_DEVICE_ID));
    CHECK_EQ(STATS | ON_OOM | REPORTING, vd_offered(&vd) & 0xFFFFFF);
    CHECK_EQ(0, config32(0));
    CHECK_EQ(0, config32(4));
    vd_close(&vd);
}

static void inflate(uint64_t features, unsigned flags)
{
    static const uint32_t pfn[] = {0x80100, 0x80101, 0x80102, 0x80200, 0x801FF, 0x80300};
    up(features, flags);
    CHECK(give(INFLATE, pfn, 6));
    CHECK_EQ(3, spans);
    CHECK_EQ(0x80100000u, span[0].addr);
    CHECK_EQ(3 * PAGE, span[0].size);
    CHECK_EQ(0x801FF000u, span[1].addr);
    CHECK_EQ(2 * PAGE, span[1].size);
    CHECK_EQ(0x80300000u, span[2].addr);
    CHECK_EQ(PAGE, span[2].size);
    vd_close(&vd);
}

TEST(inflate_split)
{
    inflate(V1, 0);
}

TEST(inflate_packed)
{
    inflate(V1 | VIRTIO_F_RING_PACKED, 0);
}

TEST(inflate_legacy)
{
    inflate(0, VIRTIO_MMIO_LEGACY);
}

TEST(inflate_no_ram)
{
    static const uint32_t pfn[] = {0x7FFFF, 0x80400, 0xFFFFFFFF, 0};
    up(V1, 0);
    CHECK(give(INFLATE, pfn, 4));
    CHECK_EQ(0, spans);
    CHECK(!vd_broken(&vd));
    vd_close(&vd);
}

TEST(deflate)
{
    static const uint32_t pfn[] = {0x80100};
    up(V1, 0);
    CHECK(give(DEFLATE, pfn, 1));
    CHECK_EQ(0, spans);
    vd_close(&vd);
}

TEST(target)
{
    up(V1, 0);
    uint32_t generation = vd_read(&vd, VD_CONFIG_GENERATION);
    virtio_balloon_set_target(balloon, (1 << 20) + 5);
    CHECK_EQ(256, config32(0));
    CHECK(generation != vd_read(&vd, VD_CONFIG_GENERATION));
    CHECK_EQ(2, vd_ack(&vd));
    virtio_balloon_set_target(balloon, 1 << 20);
    CHECK(!vd_irq(&vd));
    virtio_balloon_set_target(balloon, UINT64_MAX);
    CHECK_EQ(VD_RAM / PAGE, config32(0));
    CHECK_EQ(VD_RAM, virtio_balloon_target(balloon));
    vd_close(&vd);
}

TEST(actual)
{
    static const uint8_t pages[8] = {9, 9, 9, 9, 0x80, 0, 0, 0};
    up(V1, 0);
    virtio_balloon_set_target(balloon, 1 << 20);
    vd_config_write(&vd, 0, pages, 8, 4);
    CHECK_EQ(256, config32(0));
    CHECK_EQ(0x80, config32(4));
    CHECK_EQ(0x80 * PAGE, virtio_balloon_actual(balloon));
    vd_write(&vd, VD_STATUS, 0);
    CHECK_EQ(0, config32(4));
    CHECK_EQ(256, config32(0));
    vd_close(&vd);
}

/* Tells free memory (tag 4) and an unknown tag. */
static void tell_stats(uint64_t mem, uint64_t value)
{
    uint8_t *p = vd_ptr(&vd, mem);
    write_uint16_le_m(p, 4);
    write_uint64_le_m(p + 2, value);
    write_uint16_le_m(p + 10, 999);
    write_uint64_le_m(p + 12, 7);
}

TEST(stats)
{
    virtio_balloon_stats_t stats;
    uint16_t id = 0;
    uint32_t len = 0;
    up(V1 | STATS, 0);
    const vd_buf_t buf = {vd_alloc(&vd, 64), 20, false};
    tell_stats(buf.addr, 12345);
    vd_add(&vd, STATSQ, &buf, 1);
    vd_kick(&vd, STATSQ);
    CHECK(!vd_used(&vd, STATSQ, &id, &len));
    virtio_balloon_stats(balloon, &stats);
    CHECK_EQ(1, stats.updates);
    CHECK_EQ(1u << VIRTIO_BALLOON_S_MEMFREE, stats.known);
    CHECK_EQ(12345, stats.value[VIRTIO_BALLOON_S_MEMFREE]);
    CHECK(vd_used(&vd, STATSQ, &id, &len));
    CHECK(vd_irq(&vd));
    tell_stats(buf.addr, 54321);
    vd_add(&vd, STATSQ, &buf, 1);
    vd_kick(&vd, STATSQ);
    CHECK(!vd_used(&vd, STATSQ, &id, &len));
    virtio_balloon_stats(balloon, &stats);
    CHECK_EQ(2, stats.updates);
    CHECK_EQ(54321, stats.value[VIRTIO_BALLOON_S_MEMFREE]);
    vd_close(&vd);
}

TEST(stats_reset)
{
    virtio_balloon_stats_t stats;
    up(V1 | STATS, 0);
    const vd_buf_t buf = {vd_alloc(&vd, 64), 20, false};
    tell_stats(buf.addr, 1);
    vd_add(&vd, STATSQ, &buf, 1);
    vd_kick(&vd, STATSQ);
    CHECK(vd_start(&vd, V1 | STATS));
    virtio_balloon_stats(balloon, &stats);
    CHECK_EQ(0, stats.updates);
    CHECK_EQ(0, stats.known);
    vd_close(&vd);
}

/* The middle of three pages, two whole ones, and less than one. */
static void report(unsigned queue)
{
    const uint64_t base = RVVM_DEFAULT_MEMBASE + (2 << 20);
    const vd_buf_t buf[3] = {{base + 100, 2 * PAGE, true},
                             {base + 16 * PAGE, 2 * PAGE, true},
                             {base + 32 * PAGE + 8, PAGE, true}};
    uint32_t len = 0;
    CHECK(vd_request(&vd, queue, buf, 3, &len));
    CHECK_EQ(2, spans);
    CHECK_EQ(base + PAGE, span[0].addr);
    CHECK_EQ(PAGE, span[0].size);
    CHECK_EQ(base + 16 * PAGE, span[1].addr);
    CHECK_EQ(2 * PAGE, span[1].size);
}

TEST(reporting)
{
    up(V1 | STATS | REPORTING, 0);
    report(QUEUE4);
    vd_close(&vd);
}

/* Linux and others number the queues that they use without gaps. */
TEST(reporting_compact)
{
    up(V1 | STATS | REPORTING, 0);
    report(QUEUE3);
    vd_close(&vd);
}

TEST(really_released)
{
    static uint8_t zero[PAGE];
    up(V1, 0);
    uint64_t addr = RVVM_DEFAULT_MEMBASE + (1 << 20);
    memset(vd_ptr(&vd, addr), 0xAA, 3 * PAGE);
#ifdef RVVM_COMPAT_RVKIT
    if (rvkit_release_ram(vd.machine, addr + 1, 3 * PAGE - 1)) {
        CHECK_EQ(0xAA, *(uint8_t *)vd_ptr(&vd, addr));
        const uint8_t *inside = vd_ptr(&vd, addr + PAGE);
        CHECK(!memcmp(inside, zero, PAGE) ||
              inside[0] == 0xAA); /* a host with larger pages keeps it */
    }
    CHECK(!rvkit_release_ram(vd.machine, addr, VD_RAM));
    CHECK(!rvkit_release_ram(vd.machine, 0, PAGE));
#endif
    (void)zero;
    vd_close(&vd);
}

int main(void)
{
    PROVE(
        identity,
        "5.5.1-4: device id 5; statistics, deflate on OOM, page reporting; an empty configuration");
    PROVE(inflate_split,
          "5.5.6.1: pages of the inflate queue go to the host, neighbours at once (split ring)");
    PROVE(inflate_packed, "5.5.6.1: the same (packed ring)");
    PROVE(inflate_legacy, "5.5.6.1: the same (legacy interface)");
    PROVE(inflate_no_ram, "pages that are no RAM are left alone");
    PROVE(deflate, "5.5.6.1: the deflate queue gives pages back");
    PROVE(target, "5.5.6: num_pages, its generation and its interrupt; no more than there is");
    PROVE(actual, "5.5.5: the driver writes actual and nothing else; a reset clears it");
    PROVE(stats, "5.5.6.3: statistics stay until new ones are wanted; unknown tags are ignored");
    PROVE(stats_reset, "5.5.6.3: a reset forgets the buffer and the statistics");
    PROVE(reporting, "5.5.6.7: reported pages are released, whole ones only");
    PROVE(reporting_compact, "5.5.2: queues are found when the driver numbers them without gaps");
    PROVE(really_released, "rvkit_release_ram() keeps to whole pages of RAM");
    return rig_finish("virtio-balloon");
}
