/* SPDX-License-Identifier: MPL-2.0 */
/* Snapshots on a block device in memory, and the suspend callbacks of a machine. */
#include "tap.h"

#include <rvvm/compat.h>
#include <rvvm/rvkit.h>
#include <rvvm/rvvm_blk.h>

#include <stdlib.h>

typedef struct {
    uint32_t word;
    uint8_t byte;
    uint64_t wide;
    char text[5];
} state_t;

static bool move_state(rvvm_snapshot_t *snap, state_t *s)
{
    return rvvm_snapshot_section(snap, "thing") && rvvm_snapshot_field(snap, s->word) &&
           rvvm_snapshot_field(snap, s->byte) && rvvm_snapshot_field(snap, s->wide) &&
           rvvm_snapshot_data(snap, s->text, sizeof(s->text));
}

static const state_t one = {1, 2, 3, "one"}, two = {0x11223344, 0xff, UINT64_MAX, "two"};

static rvvm_blk_dev_t *make_snapshot(void)
{
    rvvm_blk_dev_t *blk = rvkit_blk_open_memory();
    rvvm_snapshot_t *snap = rvvm_snapshot_open(blk, true);
    state_t a = one, b = two;
    uint16_t other = 0xabcd;
    CHECK(rvvm_snapshot_writing(snap));
    CHECK(move_state(snap, &a));
    CHECK(rvvm_snapshot_section(snap, "other") && rvvm_snapshot_field(snap, other));
    CHECK(move_state(snap, &b));
    CHECK(rvvm_snapshot_close(snap));
    return blk;
}

TEST(sections_of_one_name_come_back_in_order)
{
    rvvm_blk_dev_t *blk = make_snapshot();
    rvvm_snapshot_t *snap = rvvm_snapshot_open(blk, false);
    state_t a = {0}, b = {0};
    uint16_t other = 0;
    CHECK(snap && !rvvm_snapshot_writing(snap));
    CHECK(move_state(snap, &a) && move_state(snap, &b));
    CHECK_EQ(one.word, a.word);
    CHECK_EQ(two.wide, b.wide);
    CHECK(!strcmp(b.text, "two"));
    CHECK(rvvm_snapshot_section(snap, "other") && rvvm_snapshot_field(snap, other));
    CHECK_EQ(0xabcd, other);
    CHECK(!rvvm_snapshot_section(snap, "other"));
    CHECK(!rvvm_snapshot_field(snap, other)); /* no section is open now */
    CHECK(rvvm_snapshot_close(snap));
    rvvm_blk_close(blk);
}

TEST(a_section_ends_where_it_was_written_to)
{
    rvvm_blk_dev_t *blk = make_snapshot();
    rvvm_snapshot_t *snap = rvvm_snapshot_open(blk, false);
    uint16_t other;
    uint32_t more = 77;
    CHECK(rvvm_snapshot_section(snap, "other") && rvvm_snapshot_field(snap, other));
    CHECK(!rvvm_snapshot_field(snap, more));
    CHECK_EQ(77, more);
    CHECK(!rvvm_snapshot_host(snap, &more, 3));
    CHECK(!rvvm_snapshot_section(snap, "no such"));
    rvvm_snapshot_close(snap);
    rvvm_blk_close(blk);
}

TEST(damage_is_noticed)
{
    rvvm_blk_dev_t *blk = make_snapshot();
    uint64_t size = rvvm_blk_get_size(blk);
    for (uint64_t at = 0; at < size; at++) {
        uint8_t byte;
        rvvm_blk_read(blk, &byte, 1, at);
        byte ^= 0x10;
        rvvm_blk_write(blk, &byte, 1, at);
        rvvm_snapshot_t *snap = rvvm_snapshot_open(blk, false);
        CHECK(snap == NULL);
        rvvm_snapshot_close(snap);
        byte ^= 0x10;
        rvvm_blk_write(blk, &byte, 1, at);
    }
    for (uint64_t cut = 0; cut < size; cut++) {
        rvvm_blk_set_size(blk, size - 1 - cut);
        CHECK(rvvm_snapshot_open(blk, false) == NULL);
    }
    CHECK(rvvm_snapshot_open(NULL, false) == NULL);
    rvvm_blk_close(blk);
}

TEST(block_ranges_are_checked)
{
    rvvm_blk_dev_t *blk = rvkit_blk_open_memory();
    char buffer[8] = "1234567";
    CHECK_EQ(8, rvvm_blk_write(blk, buffer, 8, 100));
    CHECK_EQ(108, rvvm_blk_get_size(blk));
    CHECK_EQ(3, rvvm_blk_read(blk, buffer, 8, 105));
    CHECK_EQ(0, rvvm_blk_read(blk, buffer, 8, 108));
    CHECK_EQ(0, rvvm_blk_read(blk, buffer, 8, UINT64_MAX - 2));
    CHECK_EQ(0, rvvm_blk_write(blk, buffer, 8, UINT64_MAX - 2));
    CHECK_EQ(0, rvvm_blk_write(NULL, buffer, 8, 0));
    rvvm_blk_close(blk);
}

static void device_suspend(rvvm_mmio_dev_t *dev, rvvm_snapshot_t *snap, bool resume)
{
    state_t *state = dev->data;
    CHECK(rvvm_snapshot_writing(snap) == !resume);
    CHECK(move_state(snap, state));
}

TEST(a_machine_asks_its_devices)
{
    static const rvvm_mmio_type_t type = {.name = "thing", .suspend = device_suspend};
    rvvm_machine_t *machine = rvvm_create_machine(1 << 20, 1, NULL);
    rvvm_mmio_dev_t desc = {.addr = 0x1000, .size = 0x1000, .type = &type};
    state_t *state[2];
    for (unsigned i = 0; i < 2; i++) {
        state[i] = safe_new_obj(state_t);
        *state[i] = i ? two : one;
        desc.data = state[i];
        CHECK(rvvm_attach_mmio(machine, &desc) != NULL);
        desc.addr += 0x1000;
    }
    rvvm_blk_dev_t *blk = rvkit_blk_open_memory();
    rvvm_snapshot_t *snap = rvvm_snapshot_open(blk, true);
    CHECK(rvkit_snapshot_devices(machine, snap, false));
    CHECK(rvvm_snapshot_close(snap));
    memset(state[0], 0, sizeof(state_t));
    memset(state[1], 0, sizeof(state_t));
    snap = rvvm_snapshot_open(blk, false);
    CHECK(rvkit_snapshot_devices(machine, snap, true));
    CHECK(rvvm_snapshot_close(snap));
    CHECK_EQ(one.wide, state[0]->wide);
    CHECK_EQ(two.word, state[1]->word);
    rvvm_free_machine(machine);
    rvvm_blk_close(blk);
}

int main(void)
{
    RUN(sections_of_one_name_come_back_in_order);
    RUN(a_section_ends_where_it_was_written_to);
    RUN(damage_is_noticed);
    RUN(block_ranges_are_checked);
    RUN(a_machine_asks_its_devices);
    return tap_finish();
}
