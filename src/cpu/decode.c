/* SPDX-License-Identifier: MPL-2.0 */
#include "decode.h"

const insn_info_t insn_info[] = {
#define INSN(name, mnemonic, match, mask, format, cls, ext)                                        \
    {mnemonic, match, mask, FMT_##format, CLS_##cls, EXT_##ext},
#include "insns.def"
#undef INSN
};

/* Rows are found by major opcode (bits 6..2) and funct3: all that rows can tell apart cheaply. */
static unsigned bucket_of(uint32_t word)
{
    return (word >> 2 & 31) | (word >> 12 & 7) << 5;
}

void insn_index_build(insn_index_t *index)
{
    unsigned n = 0;
    for (unsigned bucket = 0; bucket < INSN_BUCKETS; bucket++) {
        uint32_t key = (bucket & 31) << 2 | 3 | (bucket >> 5) << 12;
        index->start[bucket] = (uint16_t)n;
        for (unsigned id = 0; id < INSN_COUNT; id++) {
            uint32_t known = insn_info[id].mask & 0x707f;
            if ((key & known) == (insn_info[id].match & known)) {
                index->rows[n++] = (uint8_t)id;
            }
        }
    }
    index->start[INSN_BUCKETS] = (uint16_t)n;
}

insn_id_t insn_index_find(const insn_index_t *index, uint32_t word)
{
    unsigned bucket = bucket_of(word);
    if ((word & 3) != 3) {
        return INSN_illegal;
    }
    for (unsigned i = index->start[bucket]; i < index->start[bucket + 1]; i++) {
        unsigned id = index->rows[i];
        if ((word & insn_info[id].mask) == insn_info[id].match) {
            return (insn_id_t)id;
        }
    }
    return INSN_illegal;
}

insn_id_t insn_find(uint32_t word)
{
    for (unsigned id = 0; id < INSN_COUNT; id++) {
        if ((word & insn_info[id].mask) == insn_info[id].match) {
            return (insn_id_t)id;
        }
    }
    return INSN_illegal;
}

static uint32_t imm_i(uint32_t w)
{
    return (uint32_t)((int32_t)w >> 20);
}

static uint32_t imm_s(uint32_t w)
{
    return ((uint32_t)((int32_t)w >> 20) & ~31u) | (w >> 7 & 31);
}

static uint32_t imm_b(uint32_t w)
{
    return ((uint32_t)((int32_t)w >> 19) & ~0xfffu) | (w << 4 & 0x800) | (w >> 20 & 0x7e0) |
           (w >> 7 & 0x1e);
}

static uint32_t imm_j(uint32_t w)
{
    return ((uint32_t)((int32_t)w >> 11) & ~0xfffffu) | (w & 0xff000) | (w >> 9 & 0x800) |
           (w >> 20 & 0x7fe);
}

static bool has_xd(unsigned format)
{
    switch (format) {
    case FMT_R:
    case FMT_R1:
    case FMT_I:
    case FMT_SH:
    case FMT_L:
    case FMT_U:
    case FMT_J:
    case FMT_JALR:
    case FMT_CSR:
    case FMT_CSRI:
    case FMT_AMO:
    case FMT_LR:
    case FMT_XF:
    case FMT_XFM:
    case FMT_XFF:
        return true;
    default:
        return false;
    }
}

static uint32_t immediate(insn_id_t id, unsigned format, uint32_t word, uint32_t pc)
{
    switch (format) {
    case FMT_I:
    case FMT_L:
    case FMT_FL:
    case FMT_JALR:
        return imm_i(word);
    case FMT_S:
    case FMT_FS:
        return imm_s(word);
    case FMT_B:
        return pc + imm_b(word);
    case FMT_J:
        return pc + imm_j(word);
    case FMT_U:
        return (word & 0xfffff000) + (id == INSN_auipc ? pc : 0);
    case FMT_SH:
        return word >> 20 & 31;
    case FMT_CSR:
    case FMT_CSRI:
        return word >> 20;
    case FMT_FENCE:
        return word >> 20 & 0xfff;
    default:
        return word;
    }
}

void insn_decode(insn_t *out, insn_id_t id, uint32_t word, uint32_t pc)
{
    unsigned format = id == INSN_illegal ? FMT_NONE : insn_info[id].format;
    out->pc = pc;
    out->rd = (uint8_t)util_bits(word, 11, 7);
    out->rs1 = (uint8_t)util_bits(word, 19, 15);
    out->rs2 = (uint8_t)util_bits(word, 24, 20);
    out->rs3 = (uint8_t)util_bits(word, 31, 27);
    out->rm = (uint8_t)util_bits(word, 14, 12);
    out->imm = immediate(id, format, word, pc);
    if (out->rd == 0 && has_xd(format)) {
        out->rd = REG_SINK;
    }
}
