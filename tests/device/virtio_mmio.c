/* SPDX-License-Identifier: MPL-2.0 */
/* The MMIO transport's rules: VirtIO 1.2 §2.1 to §2.5, §2.10, §3.1, §4.2. */
#include "devices/virtio_mmio.h"
#include "virtio_probe.h"

#define V1 VIRTIO_F_VERSION_1

static vd_t vd;
static probe_t probe;

TEST(identity)
{
    probe_up(&vd, &probe, 0);
    CHECK_EQ(0x74726976, vd_read(&vd, VD_MAGIC));
    CHECK_EQ(2, vd_read(&vd, VD_VERSION));
    CHECK_EQ(42, vd_read(&vd, VD_DEVICE_ID));
    CHECK_EQ(VIRTIO_MMIO_DEFAULT_ADDR, vd.mmio->addr);
    CHECK_EQ(1, probe.binds);
    CHECK_EQ(0, vd_read(&vd, VD_STATUS));
    CHECK_EQ(0, vd_read(&vd, VD_INTERRUPT_STATUS));
    CHECK(!vd_irq(&vd));
    probe_down(&vd, &probe);
}

TEST(read_only)
{
    probe_up(&vd, &probe, 0);
    static const uint8_t regs[] = {VD_MAGIC, VD_VERSION, VD_DEVICE_ID, VD_VENDOR_ID,
                                   VD_DEVICE_FEATURES, VD_QUEUE_NUM_MAX, VD_INTERRUPT_STATUS,
                                   VD_CONFIG_GENERATION};
    for (unsigned i = 0; i < sizeof(regs); i++) {
        uint32_t before = vd_read(&vd, regs[i]);
        vd_write(&vd, regs[i], ~before);
        CHECK_EQ(before, vd_read(&vd, regs[i]));
    }
    probe_down(&vd, &probe);
}

/* Every register, every size: nothing but a value or zero comes of it. */
TEST(odd_accesses)
{
    probe_up(&vd, &probe, 0);
    for (size_t reg = 0; reg < 0x1000; reg++) {
        uint8_t data[8] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
        CHECK(vd.mmio->read(vd.mmio, data, reg, 1));
        CHECK(reg >= 0x100 || !data[0]);
        CHECK(reg < 0x100 + PROBE_CONFIG || !data[0]);
        data[0] = 0xFF;
        if (reg < 0x100) {
            CHECK(vd.mmio->write(vd.mmio, data, reg, 1));
        }
    }
    CHECK_EQ(0, vd_read(&vd, VD_STATUS));
    probe_down(&vd, &probe);
}

TEST(features_offered)
{
    probe_up(&vd, &probe, 0);
    uint64_t offered = vd_offered(&vd);
    CHECK(offered & V1);
    CHECK(offered & VIRTIO_F_RING_PACKED);
    CHECK(offered & VIRTIO_F_EVENT_IDX);
    CHECK(offered & VIRTIO_F_INDIRECT_DESC);
    CHECK(offered & VIRTIO_F_RING_RESET);
    CHECK(!(offered & VIRTIO_F_ACCESS_PLATFORM));
    CHECK(!(offered & VIRTIO_F_IN_ORDER));
    CHECK(!(offered & VIRTIO_F_NOTIFICATION_DATA));
    CHECK_EQ(VIRTIO_BIT(0) | VIRTIO_BIT(5) | VIRTIO_BIT(50), offered & ~(UINT64_C(0x1FFFF) << 24));
    vd_write(&vd, VD_DEVICE_FEATURES_SEL, 2);
    CHECK_EQ(0, vd_read(&vd, VD_DEVICE_FEATURES));
    vd_write(&vd, VD_DEVICE_FEATURES_SEL, UINT32_MAX);
    CHECK_EQ(0, vd_read(&vd, VD_DEVICE_FEATURES));
    probe_down(&vd, &probe);
}

TEST(features_subset)
{
    probe_up(&vd, &probe, 0);
    CHECK(vd_negotiate(&vd, V1));
    CHECK(vd_negotiate(&vd, vd_offered(&vd)));
    CHECK_EQ(vd_offered(&vd), virtio_features(probe.dev));
    CHECK(!vd_negotiate(&vd, V1 | VIRTIO_BIT(3)));
    CHECK(!vd_negotiate(&vd, V1 | VIRTIO_F_ACCESS_PLATFORM));
    CHECK(!vd_negotiate(&vd, VIRTIO_BIT(0)));
    probe.refuse = VIRTIO_BIT(5);
    CHECK(!vd_negotiate(&vd, V1 | VIRTIO_BIT(5)));
    CHECK(vd_negotiate(&vd, V1 | VIRTIO_BIT(0)));
    probe_down(&vd, &probe);
}

/* After FEATURES_OK the choice stands. */
TEST(features_final)
{
    probe_up(&vd, &probe, 0);
    CHECK(vd_negotiate(&vd, V1));
    vd_write(&vd, VD_DRIVER_FEATURES_SEL, 0);
    vd_write(&vd, VD_DRIVER_FEATURES, 1);
    CHECK_EQ(V1, virtio_features(probe.dev));
    probe_down(&vd, &probe);
}

TEST(driver_ok_needs_features)
{
    probe_up(&vd, &probe, 0);
    vd_write(&vd, VD_STATUS, 1);
    vd_write(&vd, VD_STATUS, 3);
    vd_write(&vd, VD_STATUS, 7);
    CHECK_EQ(3, vd_read(&vd, VD_STATUS));
    CHECK_EQ(0, probe.readies);
    CHECK(vd_start(&vd, V1));
    CHECK_EQ(15, vd_read(&vd, VD_STATUS));
    CHECK_EQ(1, probe.readies);
    vd_write(&vd, VD_STATUS, 1); /* a driver must not clear bits; nothing comes of it */
    CHECK_EQ(15, vd_read(&vd, VD_STATUS));
    probe_down(&vd, &probe);
}

/* §2.1.2: no buffer is consumed before DRIVER_OK. */
TEST(nothing_before_driver_ok)
{
    probe_up(&vd, &probe, 0);
    CHECK(vd_negotiate(&vd, V1));
    CHECK(vd_queue_setup(&vd, 0, 8));
    const vd_buf_t buf[2] = {{vd_alloc(&vd, 16), 16, false}, {vd_alloc(&vd, 16), 16, true}};
    uint16_t id = 0;
    uint32_t len = 0;
    vd_add(&vd, 0, buf, 2);
    vd_write(&vd, VD_QUEUE_NOTIFY, 0);
    CHECK_EQ(0, probe.notifies[0]);
    CHECK(!vd_used(&vd, 0, &id, &len));
    CHECK(!vd_irq(&vd));
    virtio_config_changed(probe.dev);
    CHECK(!vd_irq(&vd));
    vd_ready(&vd);
    CHECK(vd_used(&vd, 0, &id, &len)); /* and what was there is served without another kick */
    CHECK(vd_irq(&vd));
    probe_down(&vd, &probe);
}

TEST(queue_registers)
{
    probe_up(&vd, &probe, 0);
    CHECK(vd_negotiate(&vd, V1));
    vd_write(&vd, VD_QUEUE_SEL, 2);
    CHECK_EQ(1024, vd_read(&vd, VD_QUEUE_NUM_MAX));
    vd_write(&vd, VD_QUEUE_SEL, 3);
    CHECK_EQ(0, vd_read(&vd, VD_QUEUE_NUM_MAX));
    CHECK_EQ(0, vd_read(&vd, VD_QUEUE_READY));
    vd_write(&vd, VD_QUEUE_READY, 1);
    vd_write(&vd, VD_QUEUE_SEL, 0);
    CHECK_EQ(PROBE_SIZE, vd_read(&vd, VD_QUEUE_NUM_MAX));
    CHECK_EQ(0, vd_read(&vd, VD_QUEUE_READY));
    CHECK(vd_queue_setup(&vd, 0, 16));
    CHECK_EQ(1, vd_read(&vd, VD_QUEUE_READY));
    vd_write(&vd, VD_QUEUE_NUM, 4); /* ignored: the queue is in use */
    vd_write64(&vd, VD_QUEUE_DESC, 0);
    vd_ready(&vd);
    const vd_buf_t buf[2] = {{vd_alloc(&vd, 16), 16, false}, {vd_alloc(&vd, 16), 16, true}};
    uint32_t len = 0;
    for (unsigned i = 0; i < 20; i++) {
        CHECK(vd_request(&vd, 0, buf, 2, &len));
    }
    CHECK(!vd_broken(&vd));
    probe_down(&vd, &probe);
}

/* A queue is enabled: a value that cannot be leaves the device in need of a reset. */
static void bad_queue(uint64_t features, uint16_t size, uint64_t desc, uint64_t driver, uint64_t device)
{
    CHECK(vd_negotiate(&vd, features));
    vd_queue_t *q = &vd.queue[0];
    vd_queue_init(&vd, q, 16);
    q->size = size;
    q->desc += desc;
    q->driver += driver;
    q->device += device;
    vd_queue_tell(&vd, 0);
    vd_write(&vd, VD_QUEUE_READY, 1);
    CHECK(vd_broken(&vd));
    CHECK_EQ(0, vd_read(&vd, VD_QUEUE_READY));
    vd_ready(&vd);
    CHECK_EQ(0, probe.readies);
    vd_write(&vd, VD_STATUS, 0);
    CHECK_EQ(0, vd_read(&vd, VD_STATUS));
}

TEST(bad_queues)
{
    uint64_t packed = V1 | VIRTIO_F_RING_PACKED;
    probe_up(&vd, &probe, 0);
    bad_queue(V1, 0, 0, 0, 0);
    bad_queue(V1, 12, 0, 0, 0);
    bad_queue(V1, 2 * PROBE_SIZE, 0, 0, 0);
    bad_queue(packed, 0, 0, 0, 0);
    bad_queue(packed, PROBE_SIZE + 1, 0, 0, 0);
    bad_queue(V1, 16, 8, 0, 0);
    bad_queue(V1, 16, 0, 1, 0);
    bad_queue(V1, 16, 0, 0, 2);
    bad_queue(packed, 16, 0, 2, 0);
    bad_queue(packed, 16, 0, 0, 2);
    const uint64_t far[] = {VD_RAM, UINT64_MAX / 16 * 16 - RVVM_DEFAULT_MEMBASE - 32,
                            UINT64_C(1) << 32, 0 - UINT64_C(0x7FFFFFFF) / 16 * 16};
    for (unsigned i = 0; i < 4; i++) {
        bad_queue(V1, 16, far[i], 0, 0);
        bad_queue(V1, 16, 0, far[i], 0);
        bad_queue(V1, 16, 0, 0, far[i]);
        bad_queue(packed, 16, far[i], 0, 0);
        bad_queue(packed, 16, 0, far[i], 0);
        bad_queue(packed, 16, 0, 0, far[i]);
    }
    CHECK(vd_start(&vd, V1)); /* and it is well again */
    probe_down(&vd, &probe);
}

/* The last bytes of RAM are RAM, the next are not. */
TEST(queue_at_the_end)
{
    probe_up(&vd, &probe, 0);
    for (unsigned over = 0; over < 2; over++) {
        CHECK(vd_negotiate(&vd, V1));
        vd_queue_init(&vd, &vd.queue[0], 16);
        vd.queue[0].desc = RVVM_DEFAULT_MEMBASE + VD_RAM - 256 + 16 * over;
        vd_queue_tell(&vd, 0);
        vd_write(&vd, VD_QUEUE_READY, 1);
        CHECK_EQ(!over, vd_read(&vd, VD_QUEUE_READY));
        CHECK_EQ(over, vd_broken(&vd));
    }
    probe_down(&vd, &probe);
}

TEST(interrupt_level)
{
    probe_up(&vd, &probe, 0);
    CHECK(vd_start(&vd, V1));
    const vd_buf_t buf[2] = {{vd_alloc(&vd, 16), 16, false}, {vd_alloc(&vd, 16), 16, true}};
    uint32_t len = 0;
    CHECK(vd_request(&vd, 0, buf, 2, &len));
    CHECK_EQ(1, vd_read(&vd, VD_INTERRUPT_STATUS));
    CHECK(vd_irq(&vd));
    virtio_config_changed(probe.dev);
    CHECK_EQ(3, vd_read(&vd, VD_INTERRUPT_STATUS));
    vd_write(&vd, VD_INTERRUPT_ACK, 1);
    CHECK_EQ(2, vd_read(&vd, VD_INTERRUPT_STATUS));
    CHECK(vd_irq(&vd));
    vd_write(&vd, VD_INTERRUPT_ACK, 2);
    CHECK_EQ(0, vd_read(&vd, VD_INTERRUPT_STATUS));
    CHECK(!vd_irq(&vd));
    probe_down(&vd, &probe);
}

TEST(reset_clears)
{
    probe_up(&vd, &probe, 0);
    CHECK(vd_start(&vd, V1));
    virtio_config_changed(probe.dev);
    CHECK(vd_irq(&vd));
    unsigned resets = probe.resets;
    vd_write(&vd, VD_STATUS, 0);
    CHECK_EQ(resets + 1, probe.resets);
    CHECK_EQ(0, vd_read(&vd, VD_STATUS));
    CHECK_EQ(0, vd_read(&vd, VD_INTERRUPT_STATUS));
    CHECK(!vd_irq(&vd));
    CHECK(!virtio_ready(probe.dev));
    CHECK_EQ(0, virtio_features(probe.dev));
    for (unsigned i = 0; i < PROBE_QUEUES; i++) {
        vd_write(&vd, VD_QUEUE_SEL, i);
        CHECK_EQ(0, vd_read(&vd, VD_QUEUE_READY));
    }
    virtio_config_changed(probe.dev); /* §2.4: no notification after the reset */
    CHECK(!vd_irq(&vd));
    CHECK(vd_start(&vd, V1));
    vd.mmio->type->reset(vd.mmio); /* the machine's reset does the same */
    CHECK_EQ(0, vd_read(&vd, VD_STATUS));
    probe_down(&vd, &probe);
}

TEST(failed_stops)
{
    probe_up(&vd, &probe, 0);
    CHECK(vd_start(&vd, V1));
    vd_write(&vd, VD_STATUS, 15 | VIRTIO_STATUS_FAILED);
    CHECK(vd_read(&vd, VD_STATUS) & VIRTIO_STATUS_FAILED);
    CHECK(!virtio_ready(probe.dev));
    CHECK(vd_negotiate(&vd, V1)); /* before DRIVER_OK, and then that all the same */
    vd_write(&vd, VD_STATUS, 11 | VIRTIO_STATUS_FAILED);
    vd_write(&vd, VD_STATUS, 15);
    CHECK(!virtio_ready(probe.dev));
    CHECK(vd_start(&vd, V1));
    CHECK(virtio_ready(probe.dev));
    probe_down(&vd, &probe);
}

TEST(needs_reset)
{
    probe_up(&vd, &probe, 0);
    CHECK(vd_negotiate(&vd, V1));
    virtio_needs_reset(probe.dev, "a test wants it");
    CHECK(vd_broken(&vd));
    CHECK(!vd_irq(&vd));
    CHECK(vd_start(&vd, V1));
    virtio_needs_reset(probe.dev, "a test wants it");
    CHECK(vd_broken(&vd));
    CHECK_EQ(2, vd_read(&vd, VD_INTERRUPT_STATUS));
    CHECK(vd_irq(&vd));
    const vd_buf_t buf[2] = {{vd_alloc(&vd, 16), 16, false}, {vd_alloc(&vd, 16), 16, true}};
    uint32_t len = 0;
    CHECK(!vd_request(&vd, 0, buf, 2, &len));
    probe_down(&vd, &probe);
}

TEST(config_space)
{
    probe_up(&vd, &probe, 0);
    uint8_t bytes[PROBE_CONFIG + 8];
    for (uint8_t unit = 1; unit <= 4; unit *= 2) {
        memset(bytes, 0xEE, sizeof(bytes));
        vd_config_read(&vd, 0, bytes, sizeof(bytes), unit);
        CHECK(!memcmp(bytes, "\1\2\3\4\5\6\7\10\0\0", 10));
        CHECK_EQ(0, bytes[PROBE_CONFIG]);
    }
    uint32_t generation = vd_read(&vd, VD_CONFIG_GENERATION);
    vd_config_write(&vd, 4, "abcd", 4, 4);
    CHECK_EQ(4, probe.config_offset);
    CHECK_EQ(4, probe.config_len);
    CHECK(vd_read(&vd, VD_CONFIG_GENERATION) != generation);
    vd_config_read(&vd, 0, bytes, 8, 4);
    CHECK(!memcmp(bytes, "\1\2\3\4abcd", 8));
    vd_config_write(&vd, PROBE_CONFIG - 2, "wxyz", 4, 4); /* the end of the space cuts it */
    CHECK_EQ(2, probe.config_len);
    vd_config_write(&vd, PROBE_CONFIG, "wxyz", 4, 4);
    vd_config_write(&vd, 0xEFC, "wxyz", 4, 4);
    CHECK_EQ(2, probe.config_writes);
    probe_down(&vd, &probe);
}

/* §2.5.1: the generation moves when bytes change, and only then need it. */
TEST(config_generation)
{
    probe_up(&vd, &probe, 0);
    CHECK(vd_start(&vd, V1));
    uint32_t generation = vd_read(&vd, VD_CONFIG_GENERATION);
    CHECK_EQ(generation, vd_read(&vd, VD_CONFIG_GENERATION));
    virtio_config_set(probe.dev, 0, "\1\2", 2);
    CHECK_EQ(generation, vd_read(&vd, VD_CONFIG_GENERATION));
    virtio_config_set(probe.dev, 0, "\1\3", 2);
    CHECK(generation != vd_read(&vd, VD_CONFIG_GENERATION));
    CHECK(!vd_irq(&vd));
    virtio_config_changed(probe.dev);
    CHECK_EQ(2, vd_ack(&vd));
    virtio_config_set(probe.dev, PROBE_CONFIG - 1, "\1\3", 2);
    virtio_config_set(probe.dev, SIZE_MAX, "\1\3", 2);
    virtio_config_set(probe.dev, 1, "\1\3", SIZE_MAX > 0 ? 2 : 0);
    probe_down(&vd, &probe);
}

TEST(ring_reset)
{
    probe_up(&vd, &probe, 0);
    CHECK(vd_start(&vd, V1 | VIRTIO_F_RING_RESET));
    vd_write(&vd, VD_QUEUE_SEL, 1);
    vd_write(&vd, VD_QUEUE_RESET, 1);
    CHECK_EQ(0, vd_read(&vd, VD_QUEUE_RESET));
    CHECK_EQ(0, vd_read(&vd, VD_QUEUE_READY));
    CHECK_EQ(1, probe.queue_resets);
    const vd_buf_t buf[2] = {{vd_alloc(&vd, 16), 16, false}, {vd_alloc(&vd, 16), 16, true}};
    uint32_t len = 0;
    CHECK(vd_request(&vd, 0, buf, 2, &len)); /* the others go on */
    CHECK(vd_queue_setup(&vd, 1, 32));       /* and it comes back, with another size */
    CHECK(vd_request(&vd, 1, buf, 2, &len));
    CHECK(vd_start(&vd, V1)); /* without the feature the register does nothing */
    vd_write(&vd, VD_QUEUE_SEL, 1);
    vd_write(&vd, VD_QUEUE_RESET, 1);
    CHECK_EQ(1, vd_read(&vd, VD_QUEUE_READY));
    vd_write(&vd, VD_QUEUE_READY, 0);
    CHECK_EQ(0, vd_read(&vd, VD_QUEUE_READY));
    CHECK_EQ(2, probe.queue_resets);
    probe_down(&vd, &probe);
}

TEST(notify_numbers)
{
    probe_up(&vd, &probe, 0);
    CHECK(vd_start(&vd, V1));
    unsigned before = probe.notifies[0] + probe.notifies[1] + probe.notifies[2];
    vd_write(&vd, VD_QUEUE_NOTIFY, 3);
    vd_write(&vd, VD_QUEUE_NOTIFY, UINT32_MAX);
    vd_write(&vd, VD_QUEUE_NOTIFY, 0x10000);
    CHECK_EQ(before, probe.notifies[0] + probe.notifies[1] + probe.notifies[2]);
    vd_write(&vd, VD_QUEUE_NOTIFY, 2);
    CHECK_EQ(before + 1, probe.notifies[0] + probe.notifies[1] + probe.notifies[2]);
    probe_down(&vd, &probe);
}

static void shm_release(void *host, size_t size)
{
    (void)size;
    ((uint8_t *)host)[0]++;
}

TEST(shared_memory)
{
    static _Alignas(4096) uint8_t memory[PROBE_SHM];
    memset(&probe, 0, sizeof(probe));
    memory[0] = 0;
    vd_machine(&vd);
    virtio_desc_t desc = probe_desc(&probe);
    desc.shms = 1;
    desc.shm[0] = (virtio_shm_t){7, memory, PROBE_SHM, shm_release};
    CHECK(vd_attach(&vd, &desc, 0));
    vd_write(&vd, VD_SHM_SEL, 7);
    CHECK_EQ(PROBE_SHM, vd_read64(&vd, VD_SHM_LEN));
    CHECK_EQ(VIRTIO_MMIO_SHM_ADDR, vd_read64(&vd, VD_SHM_BASE));
    vd_write(&vd, VD_SHM_SEL, 0);
    CHECK_EQ(UINT64_MAX, vd_read64(&vd, VD_SHM_LEN));
    CHECK_EQ(UINT64_MAX, vd_read64(&vd, VD_SHM_BASE));
    CHECK_EQ(0, memory[0]);
    probe_down(&vd, &probe);
    CHECK_EQ(1, memory[0]);
}

/* What fails to attach has been freed, and its shared memory too. */
TEST(attach_failures)
{
    static _Alignas(4096) uint8_t memory[PROBE_SHM];
    memset(&probe, 0, sizeof(probe));
    vd_machine(&vd);
    virtio_desc_t desc = probe_desc(&probe);
    desc.shms = 1;
    desc.shm[0] = (virtio_shm_t){7, memory, PROBE_SHM, shm_release};
    memory[0] = 0;
    CHECK(!virtio_mmio_init(vd.machine, &desc, RVVM_DEFAULT_MEMBASE, 0, 0));
    CHECK_EQ(1, probe.removes);
    desc.shm[0].size = 100;
    CHECK(!virtio_mmio_init_auto(vd.machine, &desc, 0));
    CHECK_EQ(2, probe.removes);
    CHECK_EQ(1, memory[0]);
    desc.shms = 0;
    desc.queue_size[0] = 100;
    CHECK(!virtio_mmio_init_auto(vd.machine, &desc, 0));
    desc.queue_size[0] = 2048;
    CHECK(!virtio_mmio_init_auto(vd.machine, &desc, 0));
    desc.queue_size[0] = 0;
    desc.queues = VIRTIO_QUEUES_MAX + 1;
    CHECK(!virtio_mmio_init_auto(vd.machine, &desc, 0));
    CHECK_EQ(5, probe.removes);
    vd_close(&vd);
    CHECK_EQ(2, memory[0]);
}

TEST(slots_and_fdt)
{
    static probe_t others[4];
    probe_up(&vd, &probe, 0);
    for (unsigned i = 0; i < 4; i++) {
        memset(&others[i], 0, sizeof(others[i]));
        const virtio_desc_t desc = probe_desc(&others[i]);
        rvvm_mmio_dev_t *slot = virtio_mmio_init_auto(vd.machine, &desc, 0);
        CHECK(slot && slot->addr == VIRTIO_MMIO_DEFAULT_ADDR + (i + 1) * VIRTIO_MMIO_SIZE);
        CHECK(virtio_mmio_device(slot) == others[i].dev);
        CHECK(fdt_node_find_reg(rvvm_get_fdt_soc(vd.machine), "virtio_mmio", slot->addr) != NULL);
    }
    probe_down(&vd, &probe);
    CHECK_EQ(1, others[3].removes);
}

#ifdef RVVM_COMPAT_RVKIT
TEST(fdt_node)
{
    probe_up(&vd, &probe, 0);
    rvvm_fdt_node_t *node =
        fdt_node_find_reg(rvvm_get_fdt_soc(vd.machine), "virtio_mmio", VIRTIO_MMIO_DEFAULT_ADDR);
    size_t size = 0;
    const char *compatible = rvvm_fdt_prop_get(node, "compatible", &size);
    CHECK(compatible && !strcmp(compatible, "virtio,mmio"));
    CHECK(rvvm_fdt_prop_get(node, "reg", &size) && size == 16);
    CHECK(rvvm_fdt_prop_get(node, "interrupts", &size) && size == 4);
    CHECK(rvvm_fdt_prop_get(node, "interrupt-parent", &size));
    CHECK(rvvm_fdt_prop_get(node, "dma-coherent", &size) && size == 0);
    probe_down(&vd, &probe);
}
#endif

/* §4.2.4: version 1 with pages, alignment and no FEATURES_OK. */
TEST(legacy_interface)
{
    probe_up(&vd, &probe, VIRTIO_MMIO_LEGACY);
    CHECK_EQ(1, vd_read(&vd, VD_VERSION));
    uint64_t offered = vd_offered(&vd);
    CHECK_EQ(0, offered >> 32);
    CHECK(offered & VIRTIO_F_ANY_LAYOUT);
    CHECK(vd_start(&vd, VIRTIO_F_EVENT_IDX | VIRTIO_F_INDIRECT_DESC));
    CHECK(virtio_legacy(probe.dev));
    CHECK_EQ(VIRTIO_F_EVENT_IDX | VIRTIO_F_INDIRECT_DESC, virtio_features(probe.dev));
    vd_write(&vd, VD_QUEUE_SEL, 0);
    CHECK_EQ(vd.queue[0].desc / 4096, vd_read(&vd, VD_QUEUE_PFN));
    CHECK_EQ(0, vd_read(&vd, VD_QUEUE_READY));
    uint64_t mem = vd_alloc(&vd, 64);
    memcpy(vd_ptr(&vd, mem), "legacy", 6);
    const vd_buf_t buf[2] = {{mem, 6, false}, {mem + 32, 16, true}};
    uint32_t len = 0;
    for (unsigned i = 0; i < 200; i++) {
        memset(vd_ptr(&vd, mem + 32), 0, 16);
        CHECK(vd_request(&vd, 0, buf, 2, &len));
        CHECK_EQ(6, len);
        CHECK(!memcmp(vd_ptr(&vd, mem + 32), "legacy", 6));
    }
    vd_write(&vd, VD_QUEUE_SEL, 0);
    vd_write(&vd, VD_QUEUE_PFN, 0);
    CHECK_EQ(0, vd_read(&vd, VD_QUEUE_PFN));
    CHECK_EQ(1, probe.queue_resets);
    probe_down(&vd, &probe);
}

/* As xv6 did it: DRIVER_OK before the queue is set up. */
TEST(legacy_early_driver_ok)
{
    probe_up(&vd, &probe, VIRTIO_MMIO_LEGACY);
    CHECK(vd_negotiate(&vd, 0));
    vd_write(&vd, VD_STATUS, 15);
    CHECK(vd_queue_setup(&vd, 0, 8));
    const vd_buf_t buf[2] = {{vd_alloc(&vd, 16), 16, false}, {vd_alloc(&vd, 16), 16, true}};
    uint32_t len = 0;
    CHECK(vd_request(&vd, 0, buf, 2, &len));
    probe_down(&vd, &probe);
}

/* As some old kernels did it: the queue is used before DRIVER_OK (§3.1.2). */
TEST(legacy_late_driver_ok)
{
    probe_up(&vd, &probe, VIRTIO_MMIO_LEGACY);
    CHECK(vd_negotiate(&vd, 0));
    CHECK(vd_queue_setup(&vd, 0, 8));
    const vd_buf_t buf[2] = {{vd_alloc(&vd, 16), 16, false}, {vd_alloc(&vd, 16), 16, true}};
    uint32_t len = 0;
    CHECK(vd_request(&vd, 0, buf, 2, &len));
    vd_ready(&vd);
    CHECK(vd_request(&vd, 0, buf, 2, &len));
    CHECK_EQ(1, probe.readies);
    probe_down(&vd, &probe);
}

TEST(legacy_alignment)
{
    probe_up(&vd, &probe, VIRTIO_MMIO_LEGACY);
    CHECK(vd_negotiate(&vd, 0));
    vd_queue_t *q = &vd.queue[0];
    vd_write(&vd, VD_GUEST_PAGE_SIZE, 256);
    vd_queue_init(&vd, q, 8);
    q->device = q->desc + 256; /* 16 * 8 + 6 + 16 is below 256 */
    vd_write(&vd, VD_QUEUE_SEL, 0);
    vd_write(&vd, VD_QUEUE_NUM, 8);
    vd_write(&vd, VD_QUEUE_ALIGN, 256);
    vd_write(&vd, VD_QUEUE_ALIGN, 100); /* not a power of two: ignored */
    vd_write(&vd, VD_GUEST_PAGE_SIZE, 0);
    vd_write(&vd, VD_QUEUE_PFN, (uint32_t)(q->desc / 256));
    vd_ready(&vd);
    const vd_buf_t buf[2] = {{vd_alloc(&vd, 16), 16, false}, {vd_alloc(&vd, 16), 16, true}};
    uint32_t len = 0;
    CHECK(vd_request(&vd, 0, buf, 2, &len));
    vd_write(&vd, VD_QUEUE_SEL, 1);
    vd_write(&vd, VD_QUEUE_PFN, 1); /* not RAM */
    CHECK(vd_broken(&vd));
    probe_down(&vd, &probe);
}

/* As Linux does it: the page size is told before the first reset, and not again. A machine's reset ends it. */
TEST(legacy_page_size)
{
    probe_up(&vd, &probe, VIRTIO_MMIO_LEGACY);
    const vd_buf_t buf[2] = {{vd_alloc(&vd, 16), 16, false}, {vd_alloc(&vd, 16), 16, true}};
    for (unsigned page = 16384; page >= 4096; page /= 4) {
        if (page == 16384) {
            vd_write(&vd, VD_GUEST_PAGE_SIZE, page);
        } else {
            vd.mmio->type->reset(vd.mmio);
        }
        vd_write(&vd, VD_STATUS, 0);
        vd_write(&vd, VD_STATUS, 3);
        vd.heap = (vd.heap + page - 1) / page * page;
        vd_queue_init(&vd, &vd.queue[0], 8);
        vd_write(&vd, VD_QUEUE_SEL, 0);
        vd_write(&vd, VD_QUEUE_NUM, 8);
        vd_write(&vd, VD_QUEUE_ALIGN, 4096);
        vd_write(&vd, VD_QUEUE_PFN, (uint32_t)(vd.queue[0].desc / page));
        vd_ready(&vd);
        uint32_t len = 0;
        CHECK(vd_request(&vd, 0, buf, 2, &len));
    }
    probe_down(&vd, &probe);
}

int main(void)
{
    PROVE(identity, "4.2.2.1: MagicValue, Version 2, DeviceID; quiet after power-on");
    PROVE(read_only, "4.2.2: read-only registers keep their values");
    PROVE(odd_accesses, "4.2.2.2: narrow accesses to registers do nothing; all offsets can be read");
    PROVE(features_offered, "2.2, 6: offers VERSION_1 and what queues can do, nothing it cannot");
    PROVE(features_subset, "2.2.2: MUST NOT keep FEATURES_OK for features not offered, or refused");
    PROVE(features_final, "3.1.1: features stand after FEATURES_OK");
    PROVE(driver_ok_needs_features, "3.1.1: no DRIVER_OK without FEATURES_OK; status bits stay set");
    PROVE(nothing_before_driver_ok, "2.1.2: MUST NOT consume buffers or notify before DRIVER_OK");
    PROVE(queue_registers, "4.2.2.1: QueueNumMax 0 for no queue; QueueReady; a queue in use is not moved");
    PROVE(bad_queues, "4.2.3.2: a queue of bad size, alignment or place is not enabled");
    PROVE(queue_at_the_end, "a queue may end where RAM ends, and not behind");
    PROVE(interrupt_level, "4.2.2.1, 4.2.3.3: InterruptStatus bits, ACK, level of the line");
    PROVE(reset_clears, "2.1.2, 2.4.1: MUST reset on 0: status, queues, interrupts, features");
    PROVE(failed_stops, "2.1: FAILED stops the device until a reset");
    PROVE(needs_reset, "2.1.2: DEVICE_NEEDS_RESET MUST notify, but only after DRIVER_OK");
    PROVE(config_space, "2.5, 4.2.2.1: configuration in 8, 16, 32 bits; its end");
    PROVE(config_generation, "2.5.1: MUST change the generation with the bytes; MUST notify when asked");
    PROVE(ring_reset, "2.6.1.1: MUST reset one queue alone; QueueReset reads 0 when done");
    PROVE(notify_numbers, "4.2.3.3: notifications reach the queue that they name, or none");
    PROVE(shared_memory, "2.10.1, 4.2.2.1: shared memory by id, all ones for none");
    PROVE(attach_failures, "what fails to attach is freed once");
    PROVE(slots_and_fdt, "slots are 0x1000 apart, each with a node");
#ifdef RVVM_COMPAT_RVKIT
    PROVE(fdt_node, "4.2.1: the FDT node has compatible, reg, interrupts");
#endif
    PROVE(legacy_interface, "4.2.4: version 1: page frame, 32 features, no FEATURES_OK");
    PROVE(legacy_early_driver_ok, "4.2.4: version 1: DRIVER_OK before the queues");
    PROVE(legacy_late_driver_ok, "3.1.2: version 1: a queue that is used before DRIVER_OK");
    PROVE(legacy_page_size, "4.2.4: version 1: GuestPageSize outlives the driver's reset, not the machine's");
    PROVE(legacy_alignment, "4.2.4: version 1: GuestPageSize, QueueAlign, bad places");
    return rig_finish("virtio-mmio");
}
