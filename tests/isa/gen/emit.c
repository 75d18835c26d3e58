/* SPDX-License-Identifier: MPL-2.0 */
/* The program's memory, instruction encoding from the table, and the ELF file. */
#include "gen.h"

#include <stdio.h>
#include <stdlib.h>

uint32_t gen_word(gen_t *g)
{
    g->rng ^= g->rng >> 12;
    g->rng ^= g->rng << 25;
    g->rng ^= g->rng >> 27;
    return (uint32_t)(g->rng * UINT64_C(0x2545f4914f6cdd1d) >> 32);
}

uint32_t gen_random(gen_t *g, uint32_t below)
{
    return (uint32_t)((uint64_t)gen_word(g) * below >> 32);
}

bool gen_chance(gen_t *g, unsigned percent)
{
    return gen_random(g, 100) < percent;
}

void gen_put32(gen_t *g, uint32_t offset, uint32_t word)
{
    if (offset > MEM_SIZE - 4) {
        fprintf(stderr, "isagen: the program does not fit\n");
        exit(2);
    }
    util_put_le32(g->mem + offset, word);
}

uint32_t gen_get32(const gen_t *g, uint32_t offset)
{
    return util_get_le32(g->mem + offset);
}

uint32_t gen_encode(insn_id_t id, uint32_t rd, uint32_t rs1, uint32_t rs2, uint32_t imm)
{
    const insn_info_t *info = &insn_info[id];
    uint32_t w = info->match, d = rd << 7, s1 = rs1 << 15, s2 = rs2 << 20;
    switch (info->format) {
    case FMT_NONE:
        return w;
    case FMT_R:
    case FMT_FR:
    case FMT_XFF:
        return w | d | s1 | s2;
    case FMT_R1:
    case FMT_XF:
    case FMT_FX:
    case FMT_LR:
        return w | d | s1;
    case FMT_AMO:
        return w | d | s1 | s2 | (imm & 3) << 25;
    case FMT_I:
    case FMT_L:
    case FMT_JALR:
    case FMT_FL:
        return w | d | s1 | imm << 20;
    case FMT_CSR:
    case FMT_CSRI:
        return w | d | s1 | imm << 20;
    case FMT_SH:
        return w | d | s1 | (imm & 31) << 20;
    case FMT_S:
    case FMT_FS:
        return w | s1 | s2 | util_bits(imm, 4, 0) << 7 | util_bits(imm, 11, 5) << 25;
    case FMT_B:
        return w | s1 | s2 | util_bits(imm, 11, 11) << 7 | util_bits(imm, 4, 1) << 8 |
               util_bits(imm, 10, 5) << 25 | util_bits(imm, 12, 12) << 31;
    case FMT_U:
        return w | d | (imm & 0xfffff000);
    case FMT_J:
        return w | d | util_bits(imm, 19, 12) << 12 | util_bits(imm, 11, 11) << 20 |
               util_bits(imm, 10, 1) << 21 | util_bits(imm, 20, 20) << 31;
    case FMT_FENCE:
        return w | (imm & 0xfff) << 20;
    case FMT_SFENCE:
        return w | s1 | s2;
    case FMT_CBO:
        return w | s1;
    case FMT_FRM:
        return w | d | s1 | s2 | (imm & 7) << 12;
    case FMT_FR4:
        return w | d | s1 | s2 | (imm & 7) << 12 | (imm >> 3 & 31) << 27;
    default:
        return w | d | s1 | (imm & 7) << 12; /* FR1M, XFM, FXM */
    }
}

void emit_half(gen_t *g, uint16_t half)
{
    uint32_t offset = g->pc - PHYS;
    gen_put32(g, offset, half | gen_get32(g, offset) << 16);
    util_put_le16(g->mem + offset, half);
    g->pc += 2;
    if (g->counting) {
        uint32_t wide = rvc_expand(half);
        insn_id_t id = insn_find(wide);
        g->emitted++;
        g->compressed++;
        if (id != INSN_illegal) {
            g->rows[id]++;
        }
    }
}

void emit_word(gen_t *g, uint32_t word)
{
    gen_put32(g, g->pc - PHYS, word);
    g->pc += 4;
    if (g->counting) {
        insn_id_t id = insn_find(word);
        g->emitted++;
        if (id != INSN_illegal) {
            g->rows[id]++;
        }
    }
}

void emit(gen_t *g, insn_id_t id, uint32_t rd, uint32_t rs1, uint32_t rs2, uint32_t imm)
{
    emit_word(g, gen_encode(id, rd, rs1, rs2, imm));
}

void emit_li(gen_t *g, uint32_t rd, uint32_t value)
{
    uint32_t low = (uint32_t)util_sext(value & 0xfff, 12);
    if (value == low) {
        emit(g, INSN_addi, rd, X_ZERO, 0, low);
        return;
    }
    emit(g, INSN_lui, rd, 0, 0, value - low);
    if (low) {
        emit(g, INSN_addi, rd, rd, 0, low);
    }
}

uint32_t emit_forward(gen_t *g, insn_id_t id, uint32_t rd, uint32_t rs1, uint32_t rs2)
{
    uint32_t at = g->pc;
    emit(g, id, rd, rs1, rs2, 0);
    return at;
}

void gen_land(gen_t *g, uint32_t at)
{
    uint32_t word = gen_get32(g, at - PHYS), distance = g->pc - at;
    if ((word & 3) != 3) { /* c.j, c.beqz, c.bnez: short hops only */
        uint16_t half = (uint16_t)word;
        if ((half & 0xe003) == 0xa001) {
            half |= (uint16_t)(util_bits(distance, 4, 4) << 11 | util_bits(distance, 9, 8) << 9 |
                               util_bits(distance, 10, 10) << 8 | util_bits(distance, 6, 6) << 7 |
                               util_bits(distance, 7, 7) << 6 | util_bits(distance, 3, 1) << 3 |
                               util_bits(distance, 5, 5) << 2);
        } else {
            half |= (uint16_t)(util_bits(distance, 4, 3) << 10 | util_bits(distance, 7, 6) << 5 |
                               util_bits(distance, 2, 1) << 3 | util_bits(distance, 5, 5) << 2);
        }
        util_put_le16(g->mem + (at - PHYS), half);
        return;
    }
    insn_id_t id = insn_find(word);
    gen_put32(g, at - PHYS,
              gen_encode(id, util_bits(word, 11, 7) * (id == INSN_jal), util_bits(word, 19, 15),
                         util_bits(word, 24, 20), distance));
}

void emit_branch(gen_t *g, insn_id_t id, uint32_t rs1, uint32_t rs2, uint32_t target)
{
    emit(g, id, 0, rs1, rs2, target - g->pc);
}

void emit_jal(gen_t *g, uint32_t rd, uint32_t target)
{
    emit(g, INSN_jal, rd, 0, 0, target - g->pc);
}

void emit_csr(gen_t *g, insn_id_t id, uint32_t rd, uint32_t csr, uint32_t rs1)
{
    emit(g, id, rd, rs1, 0, csr);
}

/* One loadable segment at PHYS, which is also the entry. */
bool gen_write_elf(const gen_t *g, const char *path)
{
    uint8_t header[84] = {0x7f, 'E', 'L', 'F', 1, 1, 1};
    uint32_t size = util_min_u64(MEM_SIZE, util_align_up(g->pc - PHYS, 4096));
    util_put_le16(header + 16, 2);   /* ET_EXEC */
    util_put_le16(header + 18, 243); /* EM_RISCV */
    util_put_le32(header + 20, 1);
    util_put_le32(header + 24, PHYS); /* entry */
    util_put_le32(header + 28, 52);   /* program headers */
    util_put_le32(header + 36, 5);    /* RVC, double-float ABI */
    util_put_le16(header + 40, 52);
    util_put_le16(header + 42, 32);
    util_put_le16(header + 44, 1);
    util_put_le32(header + 52, 1); /* PT_LOAD */
    util_put_le32(header + 56, 4096);
    util_put_le32(header + 60, PHYS);
    util_put_le32(header + 64, PHYS);
    util_put_le32(header + 68, size);
    util_put_le32(header + 72, size);
    util_put_le32(header + 76, 7);
    util_put_le32(header + 80, 4096);
    FILE *file = fopen(path, "wb");
    if (!file) {
        return false;
    }
    static const uint8_t padding[4096 - 84];
    bool ok = fwrite(header, sizeof(header), 1, file) == 1 &&
              fwrite(padding, sizeof(padding), 1, file) == 1 && fwrite(g->mem, size, 1, file) == 1;
    return fclose(file) == 0 && ok;
}
