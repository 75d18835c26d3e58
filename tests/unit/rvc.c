/* SPDX-License-Identifier: MPL-2.0 */
/* rvc_expand: one case per compressed form, every reserved code point, and all 65536 at once. */
#include "cpu/decode.h"
#include "tap.h"

typedef struct pair {
    uint16_t c;
    uint32_t word;
} pair_t;

static void check_pairs(const pair_t *pairs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        CHECK_EQ(pairs[i].word, rvc_expand(pairs[i].c));
    }
}

TEST(quadrant0)
{
    static const pair_t pairs[] = {
        {0x0808, 0x01010513}, /* c.addi4spn a0, sp, 16 */
        {0x1ffc, 0x3fc10793}, /* c.addi4spn a5, sp, 1020 */
        {0x0048, 0x00410513}, /* c.addi4spn a0, sp, 4 */
        {0x2588, 0x0085b507}, /* c.fld fa0, 8(a1) */
        {0x3d68, 0x0f853507}, /* c.fld fa0, 248(a0) */
        {0x4188, 0x0005a503}, /* c.lw a0, 0(a1) */
        {0x5dfc, 0x07c5a783}, /* c.lw a5, 124(a1) */
        {0x41c8, 0x0045a503}, /* c.lw a0, 4(a1) */
        {0x6188, 0x0005a507}, /* c.flw fa0, 0(a1) */
        {0xa588, 0x00a5b427}, /* c.fsd fa0, 8(a1) */
        {0xc1c8, 0x00a5a223}, /* c.sw a0, 4(a1) */
        {0xe188, 0x00a5a027}, /* c.fsw fa0, 0(a1) */
    };
    check_pairs(pairs, ARRAY_LEN(pairs));
}

TEST(quadrant1)
{
    static const pair_t pairs[] = {
        {0x0001, 0x00000013}, /* c.nop */
        {0x0505, 0x00150513}, /* c.addi a0, 1 */
        {0x157d, 0xfff50513}, /* c.addi a0, -1 */
        {0x2001, 0x000000ef}, /* c.jal 0 */
        {0x3ffd, 0xfffff0ef}, /* c.jal -2 */
        {0x4529, 0x00a00513}, /* c.li a0, 10 */
        {0x6141, 0x01010113}, /* c.addi16sp 16 */
        {0x7101, 0xe0010113}, /* c.addi16sp -512 */
        {0x6505, 0x00001537}, /* c.lui a0, 1 */
        {0x757d, 0xfffff537}, /* c.lui a0, 0xfffff */
        {0x8105, 0x00155513}, /* c.srli a0, 1 */
        {0x857d, 0x41f55513}, /* c.srai a0, 31 */
        {0x997d, 0xfff57513}, /* c.andi a0, -1 */
        {0x8d0d, 0x40b50533}, /* c.sub a0, a1 */
        {0x8d2d, 0x00b54533}, /* c.xor a0, a1 */
        {0x8d4d, 0x00b56533}, /* c.or a0, a1 */
        {0x8d6d, 0x00b57533}, /* c.and a0, a1 */
        {0xa001, 0x0000006f}, /* c.j 0 */
        {0xb001, 0x801ff06f}, /* c.j -2048 */
        {0xc111, 0x00050263}, /* c.beqz a0, 4 */
        {0xfd7d, 0xfe051fe3}, /* c.bnez a0, -2 */
    };
    check_pairs(pairs, ARRAY_LEN(pairs));
}

TEST(quadrant2)
{
    static const pair_t pairs[] = {
        {0x057e, 0x01f51513}, /* c.slli a0, 31 */
        {0x2502, 0x00013507}, /* c.fldsp fa0, 0(sp) */
        {0x357e, 0x1f813507}, /* c.fldsp fa0, 504(sp) */
        {0x4502, 0x00012503}, /* c.lwsp a0, 0(sp) */
        {0x557e, 0x0fc12503}, /* c.lwsp a0, 252(sp) */
        {0x6502, 0x00012507}, /* c.flwsp fa0, 0(sp) */
        {0x8502, 0x00050067}, /* c.jr a0 */
        {0x852e, 0x00b00533}, /* c.mv a0, a1 */
        {0x9002, 0x00100073}, /* c.ebreak */
        {0x9502, 0x000500e7}, /* c.jalr a0 */
        {0x952e, 0x00b50533}, /* c.add a0, a1 */
        {0xa02a, 0x00a13027}, /* c.fsdsp fa0, 0(sp) */
        {0xbfaa, 0x1ea13c27}, /* c.fsdsp fa0, 504(sp) */
        {0xc02a, 0x00a12023}, /* c.swsp a0, 0(sp) */
        {0xdfaa, 0x0ea12e23}, /* c.swsp a0, 252(sp) */
        {0xe02a, 0x00a12027}, /* c.fswsp fa0, 0(sp) */
    };
    check_pairs(pairs, ARRAY_LEN(pairs));
}

TEST(reserved)
{
    static const uint16_t codes[] = {
        0x0000, 0x0004, /* c.addi4spn with a zero immediate; 0x0000 is the defined illegal one */
        0x8000, 0x9ffc, /* quadrant 0, funct3 100 */
        0x6501, 0x6101, /* c.lui a0, 0; c.addi16sp 0 */
        0x9105, 0x9505, /* c.srli, c.srai by 32 or more */
        0x9d0d, 0x9d2d, 0x9d4d, 0x9d6d, /* c.subw, c.addw and two reserved */
        0x1506,                         /* c.slli by 32 or more */
        0x4002,                         /* c.lwsp x0 */
        0x8002,                         /* c.jr x0 */
        0x0003, 0xffff,                 /* not compressed */
    };
    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        CHECK_EQ(0, rvc_expand(codes[i]));
    }
}

/*
 * Over all code points: how many are legal, and the FNV-1a hash of the twins, as they were when
 * each had been compared with what binutils makes of the compressed form.
 */
TEST(all_code_points)
{
    unsigned legal = 0;
    uint32_t hash = 2166136261u;
    for (uint32_t c = 0; c < 0x10000; c++) {
        uint32_t word = rvc_expand((uint16_t)c);
        if ((c & 3) == 3) {
            continue;
        }
        legal += word != 0;
        CHECK(word == 0 || insn_find(word) != INSN_illegal);
        for (unsigned shift = 0; shift < 32; shift += 8) {
            hash = (hash ^ (word >> shift & 255)) * 16777619u;
        }
    }
    CHECK_EQ(45207, legal);
    CHECK_EQ(0x6d12f8fb, hash);
}

int main(void)
{
    RUN(quadrant0);
    RUN(quadrant1);
    RUN(quadrant2);
    RUN(reserved);
    RUN(all_code_points);
    return tap_finish();
}
