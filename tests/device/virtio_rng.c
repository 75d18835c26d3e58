/* SPDX-License-Identifier: MPL-2.0 */
/* The entropy device's rules: VirtIO 1.2 §5.4. */
#include "devices/virtio_rng.h"
#include "virtio_driver.h"

#define V1 VIRTIO_F_VERSION_1

typedef struct {
    uint8_t next;
    size_t budget; /* bytes the source still has */
    unsigned frees;
} counter_t;

static size_t counter_fill(void *opaque, void *buf, size_t len)
{
    counter_t *counter = opaque;
    size_t got = len < counter->budget ? len : counter->budget;
    for (size_t i = 0; i < got; i++) {
        ((uint8_t *)buf)[i] = counter->next++;
    }
    counter->budget -= got;
    return got;
}

static void counter_free(void *opaque)
{
    ((counter_t *)opaque)->frees++;
}

static vd_t vd;
static counter_t counter;

static void rng_up(uint64_t features, unsigned flags)
{
    const virtio_rng_source_t source = {counter_fill, counter_free, &counter};
    virtio_desc_t desc;
    counter = (counter_t){.budget = SIZE_MAX};
    vd_machine(&vd);
    CHECK(virtio_rng_describe(&desc, &source));
    CHECK(vd_attach(&vd, &desc, flags));
    CHECK(vd_start(&vd, features));
}

static void rng_down(void)
{
    vd_close(&vd);
    CHECK_EQ(1, counter.frees);
}

static void fills(uint64_t features, unsigned flags)
{
    rng_up(features, flags);
    uint64_t mem = vd_alloc(&vd, 1024);
    const vd_buf_t buf[2] = {{mem, 300, true}, {mem + 512, 100, true}};
    uint32_t len = 0;
    CHECK(vd_request(&vd, 0, buf, 2, &len));
    CHECK_EQ(400, len);
    const uint8_t *bytes = vd_ptr(&vd, mem);
    for (unsigned i = 0; i < 400; i++) {
        CHECK_EQ((uint8_t)i, bytes[i < 300 ? i : i + 212]);
    }
    CHECK_EQ(0, bytes[300]);
    CHECK_EQ(0, bytes[612]);
    CHECK(vd_irq(&vd));
    rng_down();
}

TEST(fills_split)
{
    fills(V1, 0);
}

TEST(fills_packed)
{
    fills(V1 | VIRTIO_F_RING_PACKED, 0);
}

TEST(fills_legacy)
{
    fills(0, VIRTIO_MMIO_LEGACY);
}

TEST(identity)
{
    rng_up(V1, 0);
    CHECK_EQ(4, vd_read(&vd, VD_DEVICE_ID));
    CHECK_EQ(0, vd_offered(&vd) & 0xFFFFFF);
    uint8_t byte = 1;
    vd_config_read(&vd, 0, &byte, 1, 1);
    CHECK_EQ(0, byte);
    vd_write(&vd, VD_QUEUE_SEL, 1);
    CHECK_EQ(0, vd_read(&vd, VD_QUEUE_NUM_MAX));
    rng_down();
}

/* §5.4.6.2: one or more bytes; and no more than the source had. */
TEST(short_source)
{
    rng_up(V1, 0);
    counter.budget = 10;
    const vd_buf_t buf = {vd_alloc(&vd, 64), 64, true};
    uint32_t len = 0;
    CHECK(vd_request(&vd, 0, &buf, 1, &len));
    CHECK_EQ(10, len);
    rng_down();
}

TEST(dry_source)
{
    rng_up(V1, 0);
    counter.budget = 0;
    const vd_buf_t buf = {vd_alloc(&vd, 64), 64, true};
    uint16_t id = 0;
    uint32_t len = 0;
    CHECK(!vd_request(&vd, 0, &buf, 1, &len));
    vd_update(&vd);
    CHECK(!vd_used(&vd, 0, &id, &len));
    CHECK(!vd_irq(&vd));
    counter.budget = 1000;
    vd_update(&vd);
    CHECK(vd_used(&vd, 0, &id, &len));
    CHECK_EQ(64, len);
    CHECK(vd_irq(&vd));
    rng_down();
}

TEST(readable_only)
{
    rng_up(V1, 0);
    const vd_buf_t buf = {vd_alloc(&vd, 64), 64, false};
    uint32_t len = 1;
    CHECK(vd_request(&vd, 0, &buf, 1, &len));
    CHECK_EQ(0, len);
    CHECK(!vd_broken(&vd));
    rng_down();
}

TEST(huge_request)
{
    rng_up(V1, 0);
    const vd_buf_t buf = {RVVM_DEFAULT_MEMBASE + (1 << 20), 3 << 20, true};
    uint32_t len = 0;
    CHECK(vd_request(&vd, 0, &buf, 1, &len));
    CHECK_EQ(1 << 16, len);
    rng_down();
}

int main(void)
{
    PROVE(identity, "5.4.1-3: device id 4, no features, no configuration, one queue");
    PROVE(fills_split, "5.4.6.2: fills writable buffers and says how far (split ring)");
    PROVE(fills_packed, "5.4.6.2: fills writable buffers and says how far (packed ring)");
    PROVE(fills_legacy, "7.4: the same through the legacy interface");
    PROVE(short_source, "5.4.6.2: MUST place one or more random bytes: a short source ends a request early");
    PROVE(dry_source, "5.4.6.2: MUST place one or more random bytes: without any, the buffer waits");
    PROVE(readable_only, "a buffer without writable part comes back empty");
    PROVE(huge_request, "a request of 3 MiB is bounded");
    return rig_finish("virtio-rng");
}
