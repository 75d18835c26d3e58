/* SPDX-License-Identifier: MPL-2.0 */
/* The block device's rules: VirtIO 1.2 §5.2. */
#include "blk_rig.h"

static uint32_t config32(size_t offset)
{
    uint8_t bytes[4];
    vd_config_read(&vd, offset, bytes, 4, 4);
    return util_get_le32(bytes);
}

static uint8_t config8(size_t offset)
{
    uint8_t byte;
    vd_config_read(&vd, offset, &byte, 1, 1);
    return byte;
}

static void set_writeback(uint8_t on)
{
    vd_config_write(&vd, VIRTIO_BLK_CFG_WRITEBACK, &on, 1, 1);
}

TEST(identity)
{
    blk_up(ALL_FEATURES);
    CHECK_EQ(2, vd_read(&vd, VD_DEVICE_ID));
    uint64_t own = vd_offered(&vd) & 0xFFFFFF;
    CHECK_EQ(ALL_FEATURES & 0xFFFFFF, own);
    CHECK_EQ(MEM_BYTES / 512, config32(VIRTIO_BLK_CFG_CAPACITY));
    CHECK_EQ(0, config32(VIRTIO_BLK_CFG_CAPACITY + 4));
    CHECK_EQ(1 << 20, config32(VIRTIO_BLK_CFG_SIZE_MAX));
    CHECK_EQ(254, config32(VIRTIO_BLK_CFG_SEG_MAX));
    CHECK_EQ(512, config32(VIRTIO_BLK_CFG_BLK_SIZE));
    CHECK_EQ(3 | 8 << 16, config32(VIRTIO_BLK_CFG_PHYSICAL_BLOCK_EXP));
    CHECK_EQ(32, config32(VIRTIO_BLK_CFG_MAX_DISCARD_SEG));
    CHECK_EQ(8, config32(VIRTIO_BLK_CFG_DISCARD_SECTOR_ALIGNMENT));
    CHECK_EQ(1, config8(VIRTIO_BLK_CFG_WRITE_ZEROES_MAY_UNMAP));
    blk_down();
}

TEST(padding)
{
    blk_up(ALL_FEATURES);
    CHECK_EQ(0, config8(33));
    CHECK_EQ(0, config32(VIRTIO_BLK_CFG_WRITE_ZEROES_MAY_UNMAP) >> 8);
    blk_down();
}

static void reads_and_writes(uint64_t features, unsigned flags, bool copies)
{
    const virtio_blk_backend_t backend = mem_backend();
    uint32_t used = 0;
    blk_attach(&backend, 1, flags);
    mem.copies = copies;
    CHECK(vd_start(&vd, features));
    uint8_t *data = vd_ptr(&vd, blk_data);
    CHECK_EQ(0, blk_request(VIRTIO_BLK_T_IN, 3, 2048, &used));
    CHECK_EQ(2049, used);
    CHECK(!memcmp(data, mem.bytes + 3 * 512, 2048));
    CHECK(vd_irq(&vd));
    memset(data, 0xA5, 1024);
    CHECK_EQ(0, blk_request(VIRTIO_BLK_T_OUT, 254, 1024, &used));
    CHECK_EQ(1, used);
    CHECK(mem.bytes[254 * 512 - 1] != 0xA5 && mem.bytes[254 * 512] == 0xA5 &&
          mem.bytes[256 * 512 - 1] == 0xA5);
    blk_down();
}

TEST(moves_split)
{
    reads_and_writes(ALL_FEATURES, 0, false);
}

TEST(moves_packed)
{
    reads_and_writes(ALL_FEATURES | VIRTIO_F_RING_PACKED, 0, false);
}

TEST(moves_legacy)
{
    reads_and_writes(0, VIRTIO_MMIO_LEGACY, false);
}

/*
 * The steps of a small teaching system's driver: all features but a few, DRIVER_OK before there is a queue of
 * 8 in two pages of one's own, no QueueAlign; then requests of three descriptors, each block written and read.
 */
TEST(moves_xv6)
{
    enum { DROP = 1 << 5 | 1 << 7 | 1 << 11 | 1 << 12 | 1 << 27 | 1 << 28 | 1 << 29, BLOCK = 1024 };
    const virtio_blk_backend_t backend = mem_backend();
    uint32_t used = 0;
    blk_attach(&backend, 1, VIRTIO_MMIO_LEGACY);
    CHECK_EQ(1, vd_read(&vd, VD_VERSION));
    vd_write(&vd, VD_STATUS, 1);
    vd_write(&vd, VD_STATUS, 3);
    vd_write(&vd, VD_DRIVER_FEATURES, vd_read(&vd, VD_DEVICE_FEATURES) & ~(uint32_t)DROP);
    vd_write(&vd, VD_STATUS, 11);
    vd_write(&vd, VD_STATUS, 15);
    vd_write(&vd, VD_GUEST_PAGE_SIZE, 4096);
    vd_write(&vd, VD_QUEUE_SEL, 0);
    CHECK_EQ(0, vd_read(&vd, VD_QUEUE_PFN));
    CHECK(vd_read(&vd, VD_QUEUE_NUM_MAX) >= 8);
    vd_write(&vd, VD_QUEUE_NUM, 8);
    vd_queue_init(&vd, &vd.queue[0], 8);
    CHECK_EQ(vd.queue[0].desc + 4096, vd.queue[0].device);
    vd_write(&vd, VD_QUEUE_PFN, (uint32_t)(vd.queue[0].desc >> 12));
    CHECK_EQ(vd.queue[0].desc >> 12, vd_read(&vd, VD_QUEUE_PFN));
    uint8_t *data = vd_ptr(&vd, blk_data);
    for (unsigned block = 0; block < MEM_BYTES / BLOCK; block++) {
        memset(data, (int)(block + 1), BLOCK);
        CHECK_EQ(0, blk_request(VIRTIO_BLK_T_OUT, 2 * block, BLOCK, &used));
        memset(data, 0, BLOCK);
        CHECK_EQ(0, blk_request(VIRTIO_BLK_T_IN, 2 * block, BLOCK, &used));
        CHECK(data[0] == (uint8_t)(block + 1) && data[BLOCK - 1] == data[0] && used == BLOCK + 1);
        CHECK_EQ(data[0], mem.bytes[block * BLOCK + BLOCK - 1]);
        CHECK_EQ(1, vd_ack(&vd) & 3);
    }
    CHECK(!vd_broken(&vd));
    blk_down();
}

TEST(moves_copies)
{
    reads_and_writes(ALL_FEATURES, 0, true);
}

/* Header, data and status in one buffer each way, or in single bytes (§2.7.4.2). */
TEST(any_layout)
{
    uint16_t id;
    uint32_t used = 0;
    for (unsigned copies = 0; copies < 2; copies++) {
        blk_up(ALL_FEATURES | VIRTIO_F_INDIRECT_DESC);
        mem.copies = copies;
        uint8_t *data = vd_ptr(&vd, blk_data);
        uint64_t out = vd_alloc(&vd, 16 + 512);
        util_put_le32(vd_ptr(&vd, out), VIRTIO_BLK_T_OUT);
        util_put_le64((uint8_t *)vd_ptr(&vd, out) + 8, 9);
        memset((uint8_t *)vd_ptr(&vd, out) + 16, 0x77, 512);
        const vd_buf_t write[2] = {{out, 528, false}, {blk_status, 1, true}};
        vd_add(&vd, 0, write, 2);
        vd_kick(&vd, 0);
        CHECK(vd_used(&vd, 0, &id, &used) && blk_get_status() == 0);
        CHECK(mem.bytes[9 * 512] == 0x77 && mem.bytes[10 * 512 - 1] == 0x77);

        vd_buf_t read[20];
        for (unsigned i = 0; i < 16; i++) {
            read[i] = (vd_buf_t){blk_header + i, 1, false};
        }
        read[16] = (vd_buf_t){blk_data, 1, true};
        read[17] = (vd_buf_t){blk_data + 1, 512, true}; /* the last 511 of data, and the status */
        blk_put_header(VIRTIO_BLK_T_IN, 9);
        vd_add_indirect(&vd, 0, read, 18);
        vd_kick(&vd, 0);
        CHECK(vd_used(&vd, 0, &id, &used));
        CHECK_EQ(513, used);
        CHECK(data[0] == 0x77 && data[511] == 0x77 && data[512] == 0);
        blk_down();
    }
}

TEST(many_pieces)
{
    uint16_t id;
    uint32_t used = 0;
    blk_up(ALL_FEATURES);
    blk_add(VIRTIO_BLK_T_IN, 0, 32 * 1024, 31); /* pieces of odd lengths */
    vd_kick(&vd, 0);
    CHECK(vd_used(&vd, 0, &id, &used));
    CHECK_EQ(32 * 1024 + 1, used);
    CHECK_EQ(0, blk_get_status());
    CHECK(!memcmp(vd_ptr(&vd, blk_data), mem.bytes, 32 * 1024));
    blk_down();
}

TEST(flushes)
{
    uint32_t used = 0;
    blk_up(ALL_FEATURES);
    CHECK_EQ(0, blk_request(VIRTIO_BLK_T_FLUSH, 0, 0, &used));
    CHECK_EQ(1, used);
    CHECK_EQ(1, mem.flushes);
    mem.fails = true;
    CHECK_EQ(1, blk_request(VIRTIO_BLK_T_FLUSH, 0, 0, NULL));
    blk_down();
}

TEST(write_back)
{
    blk_up(ALL_FEATURES);
    CHECK_EQ(1, config8(VIRTIO_BLK_CFG_WRITEBACK));
    CHECK_EQ(0, blk_request(VIRTIO_BLK_T_OUT, 0, 512, NULL));
    CHECK_EQ(0, mem.durables);
    blk_down();
    blk_up(V1 | VIRTIO_BLK_F_FLUSH);
    CHECK_EQ(0, blk_request(VIRTIO_BLK_T_OUT, 0, 512, NULL));
    CHECK_EQ(0, mem.durables);
    blk_down();
}

TEST(write_through_without_flush)
{
    blk_up(V1 | VIRTIO_BLK_F_DISCARD | VIRTIO_BLK_F_WRITE_ZEROES);
    CHECK_EQ(0, blk_request(VIRTIO_BLK_T_OUT, 0, 512, NULL));
    CHECK_EQ(1, mem.durables);
    CHECK_EQ(0, blk_clear(VIRTIO_BLK_T_WRITE_ZEROES, 0, 1, 0));
    CHECK_EQ(2, mem.durables);
    CHECK_EQ(0, blk_request(VIRTIO_BLK_T_IN, 0, 512, NULL));
    CHECK_EQ(2, mem.durables);
    blk_down();
}

TEST(write_through_by_config)
{
    blk_up(ALL_FEATURES);
    set_writeback(0);
    CHECK_EQ(0, config8(VIRTIO_BLK_CFG_WRITEBACK));
    CHECK_EQ(0, blk_request(VIRTIO_BLK_T_OUT, 0, 512, NULL));
    CHECK_EQ(1, mem.durables);
    set_writeback(1);
    CHECK_EQ(0, blk_request(VIRTIO_BLK_T_OUT, 0, 512, NULL));
    CHECK_EQ(1, mem.durables);
    set_writeback(7); /* no value */
    CHECK_EQ(1, config8(VIRTIO_BLK_CFG_WRITEBACK));
    set_writeback(0);
    CHECK(vd_start(&vd, ALL_FEATURES));
    CHECK_EQ(1, config8(VIRTIO_BLK_CFG_WRITEBACK)); /* reset */
    blk_down();
}

TEST(wce_without_flush)
{
    blk_up(V1 | VIRTIO_BLK_F_CONFIG_WCE);
    CHECK_EQ(0, config8(VIRTIO_BLK_CFG_WRITEBACK));
    CHECK_EQ(0, blk_request(VIRTIO_BLK_T_OUT, 0, 512, NULL));
    CHECK_EQ(1, mem.durables);
    blk_down();
}

TEST(config_is_read_only)
{
    uint8_t before[VIRTIO_BLK_CFG_BYTES], after[VIRTIO_BLK_CFG_BYTES], ones[VIRTIO_BLK_CFG_BYTES];
    memset(ones, 0xFF, sizeof(ones));
    blk_up(ALL_FEATURES & ~VIRTIO_BLK_F_CONFIG_WCE);
    vd_config_read(&vd, 0, before, sizeof(before), 1);
    vd_config_write(&vd, 0, ones, sizeof(ones), 4);
    set_writeback(0);
    vd_config_read(&vd, 0, after, sizeof(after), 1);
    CHECK(!memcmp(before, after, sizeof(before)));
    blk_down();
}

TEST(discards)
{
    blk_up(ALL_FEATURES);
    blk_put_range(0, 8, 8, 0);
    blk_put_range(1, 250, 6, 0);
    blk_put_range(2, 256, 0, 0);
    CHECK_EQ(0, blk_request(VIRTIO_BLK_T_DISCARD, 0, 48, NULL));
    CHECK_EQ(VIRTIO_BLK_DISCARD, mem.last_op);
    CHECK_EQ(3, mem.last_ranges);
    CHECK(mem.bytes[8 * 512] == 0xDD && mem.bytes[256 * 512 - 1] == 0xDD);
    blk_down();
}

TEST(discard_flags)
{
    blk_up(ALL_FEATURES);
    CHECK_EQ(2, blk_clear(VIRTIO_BLK_T_DISCARD, 0, 8, 1)); /* unmap */
    CHECK_EQ(2, blk_clear(VIRTIO_BLK_T_DISCARD, 0, 8, 2));
    CHECK_EQ(2, blk_clear(VIRTIO_BLK_T_WRITE_ZEROES, 0, 8, 2));
    CHECK_EQ(2, blk_clear(VIRTIO_BLK_T_WRITE_ZEROES, 0, 8, 0x80000001));
    CHECK_EQ(0, mem.submits);
    blk_down();
}

TEST(zeroes)
{
    blk_up(ALL_FEATURES);
    CHECK_EQ(0, blk_clear(VIRTIO_BLK_T_WRITE_ZEROES, 5, 3, 0));
    CHECK(!mem.last[0].unmap);
    CHECK_EQ(0, blk_request(VIRTIO_BLK_T_IN, 5, 1536, NULL));
    const uint8_t *data = vd_ptr(&vd, blk_data);
    CHECK(data[0] == 0 && !memcmp(data, data + 1, 1535));
    CHECK_EQ(0, blk_clear(VIRTIO_BLK_T_WRITE_ZEROES, 100, 3, 1));
    CHECK(mem.last[0].unmap);
    CHECK(mem.bytes[100 * 512] == 0 && mem.bytes[103 * 512] != 0);
    blk_down();
}

TEST(bad_ranges)
{
    blk_up(ALL_FEATURES);
    CHECK_EQ(1, blk_clear(VIRTIO_BLK_T_DISCARD, 250, 7, 0));
    CHECK_EQ(1, blk_clear(VIRTIO_BLK_T_DISCARD, UINT64_MAX, 2, 0));
    CHECK_EQ(1, blk_clear(VIRTIO_BLK_T_WRITE_ZEROES, 257, 0, 0));
    CHECK_EQ(1, blk_clear(VIRTIO_BLK_T_WRITE_ZEROES, 0, UINT32_MAX, 0));
    blk_put_range(0, 0, 1, 0);
    blk_put_range(1, 300, 1, 0); /* the first must not be done either */
    CHECK_EQ(1, blk_request(VIRTIO_BLK_T_DISCARD, 0, 32, NULL));
    CHECK_EQ(1, blk_request(VIRTIO_BLK_T_DISCARD, 0, 0, NULL));
    CHECK_EQ(1, blk_request(VIRTIO_BLK_T_DISCARD, 0, 17, NULL));
    CHECK_EQ(1, blk_request(VIRTIO_BLK_T_DISCARD, 0, 33 * 16, NULL));
    CHECK_EQ(0, mem.submits);
    blk_down();
}

TEST(huge_ranges)
{
    virtio_blk_backend_t backend = mem_backend();
    backend.capacity = UINT64_C(1) << 40;
    blk_attach(&backend, 1, 0);
    CHECK(vd_start(&vd, ALL_FEATURES));
    CHECK_EQ(1, blk_clear(VIRTIO_BLK_T_DISCARD, 0, config32(VIRTIO_BLK_CFG_MAX_DISCARD_SECTORS) + 1, 0));
    CHECK_EQ(1, blk_clear(VIRTIO_BLK_T_WRITE_ZEROES, 0,
                          config32(VIRTIO_BLK_CFG_MAX_WRITE_ZEROES_SECTORS) + 1, 0));
    CHECK_EQ(0, mem.submits);
    blk_down();
}

TEST(discard_not_negotiated)
{
    blk_up(V1);
    CHECK_EQ(2, blk_clear(VIRTIO_BLK_T_DISCARD, 0, 8, 0));
    CHECK_EQ(2, blk_clear(VIRTIO_BLK_T_WRITE_ZEROES, 0, 8, 0));
    CHECK_EQ(0, mem.submits);
    blk_down();
}

TEST(unknown_types)
{
    static const uint32_t types[] = {2, 3, 5, 6, 7, 9, 10, 12, 14, 0x80000000, UINT32_MAX};
    uint32_t used = 0;
    blk_up(ALL_FEATURES);
    for (unsigned i = 0; i < ARRAY_LEN(types); i++) {
        CHECK_EQ(2, blk_request(types[i], 0, 512, &used));
        CHECK_EQ(1, used);
    }
    CHECK_EQ(0, mem.submits);
    blk_down();
}

TEST(read_only)
{
    virtio_blk_backend_t backend = mem_backend();
    backend.read_only = true;
    blk_attach(&backend, 1, 0);
    uint64_t offered = vd_offered(&vd);
    CHECK(offered & VIRTIO_BLK_F_RO);
    CHECK(!(offered & (VIRTIO_BLK_F_DISCARD | VIRTIO_BLK_F_WRITE_ZEROES | VIRTIO_BLK_F_CONFIG_WCE)));
    for (unsigned i = 0; i < 2; i++) { /* "if offered": also when the driver has not looked */
        CHECK(vd_start(&vd, V1 | (i ? VIRTIO_BLK_F_RO : 0)));
        CHECK_EQ(1, blk_request(VIRTIO_BLK_T_OUT, 0, 512, NULL));
        CHECK(blk_clear(VIRTIO_BLK_T_WRITE_ZEROES, 0, 1, 0) != 0);
        CHECK(blk_clear(VIRTIO_BLK_T_DISCARD, 0, 1, 0) != 0);
        CHECK_EQ(0, mem.submits);
    }
    CHECK_EQ(0, blk_request(VIRTIO_BLK_T_IN, 0, 512, NULL));
    CHECK_EQ(0, blk_request(VIRTIO_BLK_T_FLUSH, 0, 0, NULL));
    blk_down();
}

TEST(get_id)
{
    uint32_t used = 0;
    blk_up(V1);
    char *data = vd_ptr(&vd, blk_data);
    data[20] = '!';
    CHECK_EQ(0, blk_request(VIRTIO_BLK_T_GET_ID, 0, 20, &used));
    CHECK_EQ(21, used);
    CHECK(!memcmp(data, "a-serial-of-more-tha!", 21));
    CHECK_EQ(1, blk_request(VIRTIO_BLK_T_GET_ID, 0, 19, &used));
    CHECK_EQ(0, used); /* nothing of the data is filled */
    blk_down();
    virtio_blk_backend_t backend = mem_backend();
    backend.serial = "short";
    blk_attach(&backend, 1, 0);
    CHECK(vd_start(&vd, V1));
    data = vd_ptr(&vd, blk_data);
    CHECK_EQ(0, blk_request(VIRTIO_BLK_T_GET_ID, 0, 20, NULL));
    CHECK(!memcmp(data, "short\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20));
    blk_down();
}

TEST(out_of_range)
{
    blk_up(ALL_FEATURES);
    for (uint32_t type = VIRTIO_BLK_T_IN; type <= VIRTIO_BLK_T_OUT; type++) {
        CHECK_EQ(1, blk_request(type, 256, 512, NULL));
        CHECK_EQ(1, blk_request(type, 255, 1024, NULL));
        CHECK_EQ(1, blk_request(type, UINT64_MAX, 512, NULL));
        CHECK_EQ(1, blk_request(type, UINT64_MAX / 512 + 1, 512, NULL));
    }
    CHECK_EQ(0, mem.submits);
    CHECK_EQ(0, blk_request(VIRTIO_BLK_T_IN, 255, 512, NULL));
    blk_down();
}

TEST(odd_lengths)
{
    uint32_t used = 0;
    blk_up(ALL_FEATURES);
    CHECK_EQ(1, blk_request(VIRTIO_BLK_T_IN, 0, 511, &used));
    CHECK_EQ(0, used);
    CHECK_EQ(1, blk_request(VIRTIO_BLK_T_IN, 0, 513, NULL));
    CHECK_EQ(1, blk_request(VIRTIO_BLK_T_OUT, 0, 100, NULL));
    CHECK_EQ(0, mem.submits);
    blk_down();
}

TEST(malformed)
{
    uint16_t id;
    uint32_t used = 0;
    blk_up(ALL_FEATURES);
    blk_put_header(VIRTIO_BLK_T_IN, 0);
    const vd_buf_t no_status[1] = {{blk_header, 16, false}};
    const vd_buf_t no_header[1] = {{blk_status, 1, true}};
    const vd_buf_t short_header[2] = {{blk_header, 15, false}, {blk_status, 1, true}};
    const vd_buf_t write_only[1] = {{blk_data, 4096, true}};
    const vd_buf_t *const chains[] = {no_status, no_header, short_header, write_only};
    static const unsigned counts[] = {1, 1, 2, 1};
    static const uint32_t lengths[] = {0, 1, 1, 0};
    for (unsigned i = 0; i < ARRAY_LEN(chains); i++) {
        *(uint8_t *)vd_ptr(&vd, blk_status) = 0xEE;
        vd_add(&vd, 0, chains[i], counts[i]);
        vd_kick(&vd, 0);
        CHECK(vd_used(&vd, 0, &id, &used));
        CHECK_EQ(lengths[i], used);
        CHECK_EQ(lengths[i] ? 1 : 0xEE, blk_get_status());
    }
    CHECK_EQ(1, *((uint8_t *)vd_ptr(&vd, blk_data) + 4095));
    CHECK_EQ(0, mem.submits);
    CHECK(!vd_broken(&vd));
    blk_down();
}

TEST(failures)
{
    uint32_t used = 0;
    blk_up(ALL_FEATURES);
    mem.fails = true;
    CHECK_EQ(1, blk_request(VIRTIO_BLK_T_OUT, 0, 4096, &used));
    CHECK_EQ(1, used);
    CHECK_EQ(1, blk_request(VIRTIO_BLK_T_IN, 0, 4096, &used));
    CHECK_EQ(700, used); /* what the back end moved before it failed */
    CHECK_EQ(1, blk_clear(VIRTIO_BLK_T_DISCARD, 0, 8, 0));
    mem.fails = false;
    CHECK_EQ(0, blk_request(VIRTIO_BLK_T_OUT, 0, 4096, NULL));
    blk_down();
}

TEST(out_of_order)
{
    uint16_t ids[3], id;
    uint32_t used = 0;
    blk_up(ALL_FEATURES);
    mem.hold = true;
    for (unsigned i = 0; i < 3; i++) {
        ids[i] = blk_add(VIRTIO_BLK_T_IN, 0, 512, 1);
    }
    vd_kick(&vd, 0);
    CHECK_EQ(3, mem.submits);
    CHECK(!vd_used(&vd, 0, &id, &used));
    CHECK(!vd_irq(&vd));
    mem_release();
    for (unsigned i = 3; i-- > 0;) {
        CHECK(vd_used(&vd, 0, &id, &used) && id == ids[i]);
    }
    CHECK(vd_irq(&vd));
    blk_down();
}

TEST(reset_in_flight)
{
    uint16_t id;
    uint32_t used = 0;
    for (unsigned copies = 0; copies < 2; copies++) {
        blk_up(ALL_FEATURES);
        mem.hold = true;
        mem.copies = copies;
        blk_put_range(0, 8, 8, 0);
        static const uint32_t types[] = {VIRTIO_BLK_T_IN, VIRTIO_BLK_T_OUT, VIRTIO_BLK_T_WRITE_ZEROES,
                                         VIRTIO_BLK_T_FLUSH};
        for (unsigned i = 0; i < ARRAY_LEN(types); i++) {
            blk_add(types[i], 4, i < 2 ? 512 : i < 3 ? 16 : 0, 1);
            vd_kick(&vd, 0);
        }
        CHECK_EQ(4, mem.held_count);
        CHECK(vd_start(&vd, ALL_FEATURES));
        memset(vd_ptr(&vd, blk_data), 0x22, 512);
        *(uint8_t *)vd_ptr(&vd, blk_status) = 0xEE;
        mem_release();
        CHECK_EQ(copies ? 1 : 3, mem.cancels);
        CHECK_EQ(0x22, *(uint8_t *)vd_ptr(&vd, blk_data)); /* not the sector */
        CHECK(mem.bytes[4 * 512] == 4 * 7 && mem.bytes[4 * 512 + 511] == (uint8_t)(4 * 7 + 511));
        CHECK(mem.bytes[8 * 512] == 8 * 7);
        CHECK_EQ(0xEE, blk_get_status());
        CHECK(!vd_used(&vd, 0, &id, &used));
        mem.hold = false;
        CHECK_EQ(0, blk_request(VIRTIO_BLK_T_IN, 0, 512, NULL));
        blk_down();
    }
}

/* One queue of two is reset, again and again, with requests out on both: only its own are forgotten. */
TEST(queue_reset_in_flight)
{
    enum { RESETS = 40 };
    const virtio_blk_backend_t backend = mem_backend();
    uint16_t id;
    uint32_t used = 0;
    blk_attach(&backend, 2, 0);
    CHECK(vd_start_sized(&vd, ALL_FEATURES | VIRTIO_BLK_F_MQ | VIRTIO_F_RING_RESET, 8));
    uint64_t other = vd_alloc(&vd, 512 + 16);
    const vd_buf_t read[3] = {{blk_header, 16, false}, {other, 512, true}, {other + 512, 1, true}};
    mem.hold = true;
    blk_put_header(VIRTIO_BLK_T_IN, 4);
    vd_add(&vd, 1, read, 3);
    vd_kick(&vd, 1);
    for (unsigned i = 0; i < RESETS; i++) {
        blk_add(i % 2 ? VIRTIO_BLK_T_IN : VIRTIO_BLK_T_OUT, 9, 512, 1);
        vd_kick(&vd, 0);
        vd_write(&vd, VD_QUEUE_SEL, 0);
        vd_write(&vd, VD_QUEUE_RESET, 1);
        CHECK_EQ(0, vd_read(&vd, VD_QUEUE_READY) | vd_read(&vd, VD_QUEUE_RESET));
        CHECK(vd_queue_setup(&vd, 0, i % 3 ? 8 : 16));
    }
    memset(vd_ptr(&vd, blk_data), 0x22, 512);
    *(uint8_t *)vd_ptr(&vd, blk_status) = 0xEE;
    mem_release();
    CHECK_EQ(RESETS, mem.cancels);
    CHECK_EQ(0x22, *(uint8_t *)vd_ptr(&vd, blk_data));
    CHECK(mem.bytes[9 * 512] == 9 * 7 && blk_get_status() == 0xEE);
    CHECK(!vd_used(&vd, 0, &id, &used));
    CHECK(vd_used(&vd, 1, &id, &used) && used == 513);
    CHECK(!memcmp(vd_ptr(&vd, other), mem.bytes + 4 * 512, 512));
    CHECK_EQ(15, vd_read(&vd, VD_STATUS));
    mem.hold = false;
    CHECK_EQ(0, blk_request(VIRTIO_BLK_T_IN, 0, 512, NULL));
    blk_down();
}

TEST(removed_in_flight)
{
    blk_up(ALL_FEATURES);
    mem.hold = true;
    blk_add(VIRTIO_BLK_T_IN, 0, 512, 1);
    vd_kick(&vd, 0);
    CHECK_EQ(1, mem.held_count);
    blk_down();
    CHECK_EQ(1, mem.drains);
    CHECK_EQ(0, mem.held_count);
}

TEST(queue_full_of_requests)
{
    uint16_t id;
    uint32_t used = 0;
    unsigned answered = 0;
    blk_up(ALL_FEATURES | VIRTIO_F_INDIRECT_DESC);
    mem.hold = true;
    blk_put_header(VIRTIO_BLK_T_FLUSH, 0);
    const vd_buf_t flush[2] = {{blk_header, 16, false}, {blk_status, 1, true}};
    for (unsigned i = 0; i < 256; i++) {
        vd_add_indirect(&vd, 0, flush, 2);
    }
    vd_kick(&vd, 0);
    CHECK_EQ(256, mem.held_count);
    mem_release();
    while (vd_used(&vd, 0, &id, &used)) {
        answered++;
    }
    CHECK_EQ(256, answered);
    blk_down();
}

TEST(several_queues)
{
    const virtio_blk_backend_t backend = mem_backend();
    blk_attach(&backend, 4, 0);
    CHECK(vd_offered(&vd) & VIRTIO_BLK_F_MQ);
    CHECK(vd_start(&vd, ALL_FEATURES | VIRTIO_BLK_F_MQ));
    CHECK_EQ(4, config32(VIRTIO_BLK_CFG_WRITEBACK) >> 16);
    for (unsigned queue = 0; queue < 4; queue++) {
        uint32_t used;
        const vd_buf_t read[3] = {{blk_header, 16, false}, {blk_data, 512, true}, {blk_status, 1, true}};
        blk_put_header(VIRTIO_BLK_T_IN, queue);
        CHECK(vd_request(&vd, queue, read, 3, &used) && used == 513);
        CHECK(!memcmp(vd_ptr(&vd, blk_data), mem.bytes + 512 * queue, 512));
    }
    vd_write(&vd, VD_QUEUE_SEL, 4);
    CHECK_EQ(0, vd_read(&vd, VD_QUEUE_NUM_MAX));
    blk_down();
    blk_attach(&backend, 1, 0);
    CHECK(!(vd_offered(&vd) & VIRTIO_BLK_F_MQ));
    blk_down();
}

TEST(wrong_descriptions)
{
    virtio_desc_t desc;
    virtio_blk_backend_t backend = mem_backend();
    memset(&mem, 0, sizeof(mem));
    CHECK(!virtio_blk_describe(&desc, &backend, 0));
    CHECK(!virtio_blk_describe(&desc, &backend, 17));
    backend.capacity = 1000;
    CHECK(!virtio_blk_describe(&desc, &backend, 1));
    backend.capacity = 1024;
    backend.optimal_block = 1536;
    CHECK(!virtio_blk_describe(&desc, &backend, 1));
    CHECK_EQ(4, mem.closes);
}

int main(void)
{
    PROVE(identity, "5.2.1-4: device id 2, features and configuration");
    PROVE(padding, "5.2.5.2: MUST initialize padding bytes to 0");
    PROVE(moves_split, "5.2.6: reads and writes sectors (split ring)");
    PROVE(moves_packed, "5.2.6: reads and writes sectors (packed ring)");
    PROVE(moves_xv6, "4.2.4: the steps of xv6's driver: GuestPageSize, QueuePFN, no QueueAlign");
    PROVE(moves_legacy, "5.2.6.3: reads and writes sectors (legacy interface)");
    PROVE(moves_copies, "a back end that copies moves the same");
    PROVE(any_layout, "2.7.4.1: MUST NOT make assumptions about the arrangement of descriptors");
    PROVE(many_pieces, "5.2.6: data in pieces of any length");
    PROVE(flushes, "5.2.6: flush reaches the medium, and its failure the driver");
    PROVE(write_back, "5.2.6.2: with FLUSH a write may be volatile");
    PROVE(write_through_without_flush, "5.2.6.2: MUST commit a write at once when FLUSH is not negotiated");
    PROVE(write_through_by_config, "5.2.6.2: MUST commit a write at once when writeback is 0");
    PROVE(wce_without_flush, "5.2.5.2: CONFIG_WCE without FLUSH: MUST initialize writeback to 0");
    PROVE(config_is_read_only, "5.2.4: all but writeback is read-only");
    PROVE(discards, "5.2.6: discards several ranges");
    PROVE(discard_flags, "5.2.6.2: MUST answer UNSUPP for unknown flags, and unmap in a discard");
    PROVE(zeroes, "5.2.6.2: after write zeroes, reads MUST return zeros");
    PROVE(bad_ranges, "ranges outside the disk: IOERR, nothing is changed");
    PROVE(huge_ranges, "ranges of more sectors than the configuration allows: IOERR");
    PROVE(discard_not_negotiated, "requests of features that are not negotiated: UNSUPP");
    PROVE(unknown_types, "5.2.6: unknown requests: UNSUPP");
    PROVE(read_only, "5.2.6.2: RO offered: MUST answer IOERR to a write, MUST NOT write");
    PROVE(get_id, "5.2.6: the serial, 20 bytes, padded with zeros");
    PROVE(out_of_range, "sectors outside the disk: IOERR");
    PROVE(odd_lengths, "lengths that are no sectors: IOERR");
    PROVE(malformed, "chains without header or status come back");
    PROVE(failures, "host errors: IOERR, and no byte is reported that was not written");
    PROVE(out_of_order, "answers in any order, with interrupt");
    PROVE(reset_in_flight, "2.4: reset with requests in flight: nothing more is touched");
    PROVE(queue_reset_in_flight, "2.6.1.1: a queue that is reset with requests out forgets them, and no others");
    PROVE(removed_in_flight, "removal waits for the back end");
    PROVE(queue_full_of_requests, "a queue's worth of requests at once");
    PROVE(several_queues, "5.2.4: MQ: num_queues queues work");
    PROVE(wrong_descriptions, "wrong descriptions are refused and their back end closed");
    return rig_finish("virtio-blk");
}
