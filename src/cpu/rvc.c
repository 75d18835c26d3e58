/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Compressed instructions (C with F and D, RV32): each becomes its 32-bit twin. Unprivileged
 * specification, chapter 16. Code points marked HINT expand to their twin with its usual effect
 * (none), reserved ones and those set aside for custom extensions are illegal.
 */
#include "decode.h"

/* Fields of the compressed word. */
static uint32_t field(uint32_t c, unsigned hi, unsigned lo)
{
    return util_bits(c, hi, lo);
}

/* Bits [hi:lo] of c, placed so that the lowest lands on bit `at`. */
static uint32_t place(uint32_t c, unsigned hi, unsigned lo, unsigned at)
{
    return util_bits(c, hi, lo) << at;
}

/* The 3-bit register fields name x8..x15. */
static uint32_t reg3(uint32_t c, unsigned lo)
{
    return 8 + util_bits(c, lo + 2, lo);
}

/* 32-bit encodings: opcode holds everything but the operands (funct7, funct3, opcode). */
static uint32_t enc_r(uint32_t opcode, uint32_t rd, uint32_t rs1, uint32_t rs2)
{
    return opcode | rd << 7 | rs1 << 15 | rs2 << 20;
}

static uint32_t enc_i(uint32_t opcode, uint32_t rd, uint32_t rs1, uint32_t imm)
{
    return opcode | rd << 7 | rs1 << 15 | imm << 20;
}

static uint32_t enc_s(uint32_t opcode, uint32_t rs2, uint32_t rs1, uint32_t imm)
{
    return opcode | field(imm, 4, 0) << 7 | rs1 << 15 | rs2 << 20 | field(imm, 11, 5) << 25;
}

static uint32_t enc_j(uint32_t rd, uint32_t imm)
{
    return 0x6f | rd << 7 | field(imm, 19, 12) << 12 | field(imm, 11, 11) << 20 |
           field(imm, 10, 1) << 21 | field(imm, 20, 20) << 31;
}

static uint32_t enc_b(uint32_t opcode, uint32_t rs1, uint32_t imm)
{
    return opcode | field(imm, 11, 11) << 7 | field(imm, 4, 1) << 8 | rs1 << 15 |
           field(imm, 10, 5) << 25 | field(imm, 12, 12) << 31;
}

enum {
    OP_ADDI = 0x00000013,
    OP_ANDI = 0x00007013,
    OP_SLLI = 0x00001013,
    OP_SRLI = 0x00005013,
    OP_SRAI = 0x40005013,
    OP_LUI = 0x00000037,
    OP_ADD = 0x00000033,
    OP_SUB = 0x40000033,
    OP_XOR = 0x00004033,
    OP_OR = 0x00006033,
    OP_AND = 0x00007033,
    OP_LW = 0x00002003,
    OP_FLW = 0x00002007,
    OP_FLD = 0x00003007,
    OP_SW = 0x00002023,
    OP_FSW = 0x00002027,
    OP_FSD = 0x00003027,
    OP_BEQ = 0x00000063,
    OP_BNE = 0x00001063,
    OP_JALR = 0x00000067,
    OP_EBREAK = 0x00100073,
};

static uint32_t expand_quadrant0(uint32_t c)
{
    uint32_t rd = reg3(c, 2), rs1 = reg3(c, 7);
    uint32_t word = place(c, 12, 10, 3) | place(c, 6, 6, 2) | place(c, 5, 5, 6);
    uint32_t dword = place(c, 12, 10, 3) | place(c, 6, 5, 6);
    uint32_t addi4spn =
        place(c, 12, 11, 4) | place(c, 10, 7, 6) | place(c, 6, 6, 2) | place(c, 5, 5, 3);
    switch (field(c, 15, 13)) {
    case 0:
        return addi4spn ? enc_i(OP_ADDI, rd, 2, addi4spn) : 0;
    case 1:
        return enc_i(OP_FLD, rd, rs1, dword);
    case 2:
        return enc_i(OP_LW, rd, rs1, word);
    case 3:
        return enc_i(OP_FLW, rd, rs1, word);
    case 5:
        return enc_s(OP_FSD, rd, rs1, dword);
    case 6:
        return enc_s(OP_SW, rd, rs1, word);
    case 7:
        return enc_s(OP_FSW, rd, rs1, word);
    default:
        return 0;
    }
}

/* Quadrant 1, funct3 100: shifts, andi and the register-register group. */
static uint32_t expand_arithmetic(uint32_t c, uint32_t imm6)
{
    static const uint32_t ops[4] = {OP_SUB, OP_XOR, OP_OR, OP_AND};
    uint32_t rd = reg3(c, 7), high = field(c, 12, 12);
    switch (field(c, 11, 10)) {
    case 0:
        return high ? 0 : enc_i(OP_SRLI, rd, rd, field(c, 6, 2));
    case 1:
        return high ? 0 : enc_i(OP_SRAI, rd, rd, field(c, 6, 2));
    case 2:
        return enc_i(OP_ANDI, rd, rd, imm6);
    default:
        return high ? 0 : enc_r(ops[field(c, 6, 5)], rd, rd, reg3(c, 2));
    }
}

static uint32_t expand_lui(uint32_t c, uint32_t rd, uint32_t imm6)
{
    uint32_t addi16sp = place(c, 12, 12, 9) | place(c, 6, 6, 4) | place(c, 5, 5, 6) |
                        place(c, 4, 3, 7) | place(c, 2, 2, 5);
    if (imm6 == 0) {
        return 0;
    }
    if (rd == 2) {
        return enc_i(OP_ADDI, 2, 2, (uint32_t)util_sext(addi16sp, 10));
    }
    return OP_LUI | rd << 7 | imm6 << 12;
}

static uint32_t expand_quadrant1(uint32_t c)
{
    uint32_t rd = field(c, 11, 7), rs1 = reg3(c, 7);
    uint32_t imm6 = (uint32_t)util_sext(place(c, 12, 12, 5) | field(c, 6, 2), 6);
    uint32_t jump = place(c, 12, 12, 11) | place(c, 11, 11, 4) | place(c, 10, 9, 8) |
                    place(c, 8, 8, 10) | place(c, 7, 7, 6) | place(c, 6, 6, 7) | place(c, 5, 3, 1) |
                    place(c, 2, 2, 5);
    uint32_t branch = place(c, 12, 12, 8) | place(c, 11, 10, 3) | place(c, 6, 5, 6) |
                      place(c, 4, 3, 1) | place(c, 2, 2, 5);
    jump = (uint32_t)util_sext(jump, 12);
    branch = (uint32_t)util_sext(branch, 9);
    switch (field(c, 15, 13)) {
    case 0:
        return enc_i(OP_ADDI, rd, rd, imm6);
    case 1:
        return enc_j(1, jump);
    case 2:
        return enc_i(OP_ADDI, rd, 0, imm6);
    case 3:
        return expand_lui(c, rd, imm6);
    case 4:
        return expand_arithmetic(c, imm6);
    case 5:
        return enc_j(0, jump);
    case 6:
        return enc_b(OP_BEQ, rs1, branch);
    default:
        return enc_b(OP_BNE, rs1, branch);
    }
}

/* Quadrant 2, funct3 100: jr, mv, ebreak, jalr, add. */
static uint32_t expand_jump_move(uint32_t c, uint32_t rd, uint32_t rs2)
{
    if (rs2 != 0) {
        return enc_r(OP_ADD, rd, field(c, 12, 12) ? rd : 0, rs2);
    }
    if (rd != 0) {
        return enc_i(OP_JALR, field(c, 12, 12), rd, 0);
    }
    return field(c, 12, 12) ? OP_EBREAK : 0;
}

static uint32_t expand_quadrant2(uint32_t c)
{
    uint32_t rd = field(c, 11, 7), rs2 = field(c, 6, 2);
    uint32_t load_word = place(c, 12, 12, 5) | place(c, 6, 4, 2) | place(c, 3, 2, 6);
    uint32_t load_dword = place(c, 12, 12, 5) | place(c, 6, 5, 3) | place(c, 4, 2, 6);
    uint32_t store_word = place(c, 12, 9, 2) | place(c, 8, 7, 6);
    uint32_t store_dword = place(c, 12, 10, 3) | place(c, 9, 7, 6);
    switch (field(c, 15, 13)) {
    case 0:
        return field(c, 12, 12) ? 0 : enc_i(OP_SLLI, rd, rd, rs2);
    case 1:
        return enc_i(OP_FLD, rd, 2, load_dword);
    case 2:
        return rd ? enc_i(OP_LW, rd, 2, load_word) : 0;
    case 3:
        return enc_i(OP_FLW, rd, 2, load_word);
    case 4:
        return expand_jump_move(c, rd, rs2);
    case 5:
        return enc_s(OP_FSD, rs2, 2, store_dword);
    case 6:
        return enc_s(OP_SW, rs2, 2, store_word);
    default:
        return enc_s(OP_FSW, rs2, 2, store_word);
    }
}

uint32_t rvc_expand(uint16_t c)
{
    switch (c & 3) {
    case 0:
        return expand_quadrant0(c);
    case 1:
        return expand_quadrant1(c);
    case 2:
        return expand_quadrant2(c);
    default:
        return 0; /* not compressed */
    }
}
