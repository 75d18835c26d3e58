/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Random instructions and small sequences of them. sp, s0 and s1 always point into scratch memory;
 * gp points to the control area; the rest is free, but for registers in g->locked (loop counters).
 */
#include "gen.h"

/* Where sp, s0 and s1 may point: 12-bit offsets stay inside scratch memory. */
enum { POINTER_FROM = OFF_SCRATCH + 0x1000, POINTER_SPAN = 0x2000 };

static const uint32_t pointers[3] = {X_SP, X_S0, X_S1};

uint32_t gen_data_address(const gen_t *g, uint32_t pa)
{
    return g->mode == GEN_U && g->paging ? pa - PHYS + USER_ALIAS : pa;
}

uint32_t gen_pick_rd(gen_t *g)
{
    for (;;) {
        uint32_t rd = gen_random(g, 32);
        if (!(g->locked >> rd & 1)) {
            return rd;
        }
    }
}

uint32_t gen_pick_rs(gen_t *g)
{
    return gen_random(g, 32);
}

uint32_t gen_interesting(gen_t *g)
{
    static const uint32_t values[] = {0,          1,          2,          0xffffffff, 0x80000000,
                                      0x7fffffff, 0x80000001, 0xfffffffe, 0x55555555, 0xaaaaaaaa,
                                      0xff,       0xffff,     0xffff0000, 0x00ff00ff, 0x80808080,
                                      0x01010101, 31,         32,         33};
    switch (gen_random(g, 5)) {
    case 0:
        return values[gen_random(g, ARRAY_LEN(values))];
    case 1:
        return 1u << gen_random(g, 32);
    case 2:
        return (1u << gen_random(g, 32)) - 1;
    case 3:
        return (uint32_t)util_sext(gen_word(g) & 0xfff, 12);
    default:
        return gen_word(g);
    }
}

void item_repoint(gen_t *g, uint32_t reg)
{
    uint32_t pa = PHYS + POINTER_FROM + gen_random(g, POINTER_SPAN);
    if (!gen_chance(g, 15)) {
        pa &= ~7u;
    }
    emit_li(g, reg, gen_data_address(g, pa));
}

static unsigned access_size(insn_id_t id)
{
    switch (id) {
    case INSN_lb:
    case INSN_lbu:
    case INSN_sb:
        return 1;
    case INSN_lh:
    case INSN_lhu:
    case INSN_sh:
        return 2;
    case INSN_fld:
    case INSN_fsd:
        return 8;
    default:
        return 4;
    }
}

/* rm: mostly dynamic; 5 is reserved and traps. 6 too, but see differences.txt. */
static uint32_t pick_rm(gen_t *g)
{
    return gen_chance(g, 50) ? 7 : gen_chance(g, 97) ? gen_random(g, 5) : 5;
}

static void item_memory(gen_t *g, insn_id_t id)
{
    unsigned size = access_size(id);
    uint32_t base = pointers[gen_random(g, 3)];
    uint32_t imm = (uint32_t)util_sext(gen_word(g) & 0xfff, 12);
    if (!gen_chance(g, 20)) {
        imm &= ~(size - 1);
    }
    if (insn_info[id].format == FMT_L) {
        emit(g, id, gen_pick_rd(g), base, 0, imm);
    } else {
        emit(g, id, gen_random(g, 32), base, gen_random(g, 32), imm);
    }
}

static uint32_t pick_temp(gen_t *g)
{
    uint32_t reg;
    do {
        reg = gen_pick_rd(g);
    } while (reg == X_ZERO);
    return reg;
}

static void item_amo(gen_t *g, insn_id_t id)
{
    uint32_t base = pick_temp(g);
    uint32_t imm = (uint32_t)util_sext(gen_word(g) & 0xfff, 12);
    emit(g, INSN_addi, base, pointers[gen_random(g, 3)], 0, gen_chance(g, 90) ? imm & ~3u : imm);
    emit(g, id, gen_pick_rd(g), base, gen_random(g, 32), gen_random(g, 4));
}

/* LR, a few ALU instructions, SC: must succeed. Then another SC: must fail. */
static void item_lr_sc(gen_t *g)
{
    uint32_t base = pick_temp(g), saved = g->locked;
    uint32_t imm = (uint32_t)util_sext(gen_word(g) & 0xffc, 12);
    item_repoint(g, X_S0);
    emit(g, INSN_addi, base, X_S0, 0, imm & ~3u);
    emit(g, INSN_andi, base, base, 0, (uint32_t)-4);
    g->locked |= 1u << base;
    emit(g, INSN_lr_w, gen_pick_rd(g), base, 0, 0);
    for (unsigned n = gen_random(g, 4); n > 0; n--) {
        emit(g, INSN_add + gen_random(g, 10), gen_pick_rd(g), gen_pick_rs(g), gen_pick_rs(g), 0);
    }
    emit(g, INSN_sc_w, gen_pick_rd(g), base, gen_pick_rs(g), gen_random(g, 4));
    if (gen_chance(g, 50)) {
        emit(g, INSN_sc_w, gen_pick_rd(g), base, gen_pick_rs(g), 0);
    }
    g->locked = saved;
}

void item_row(gen_t *g, insn_id_t id)
{
    uint32_t rs1 = gen_pick_rs(g), rs2 = gen_pick_rs(g), f = gen_random(g, 32);
    uint32_t imm12 = (uint32_t)util_sext(gen_word(g) & 0xfff, 12);
    switch (insn_info[id].format) {
    case FMT_R:
    case FMT_R1:
        emit(g, id, gen_pick_rd(g), rs1, rs2, 0);
        break;
    case FMT_I:
        emit(g, id, gen_pick_rd(g), rs1, 0, imm12);
        break;
    case FMT_SH:
        emit(g, id, gen_pick_rd(g), rs1, 0, gen_random(g, 32));
        break;
    case FMT_U:
        emit(g, id, gen_pick_rd(g), 0, 0, gen_word(g));
        break;
    case FMT_FENCE:
        emit(g, id, 0, 0, 0, gen_random(g, 256));
        break;
    case FMT_L:
    case FMT_S:
    case FMT_FL:
    case FMT_FS:
        item_memory(g, id);
        break;
    case FMT_AMO:
        item_amo(g, id);
        break;
    case FMT_FR:
        emit(g, id, f, rs1, rs2, 0);
        break;
    case FMT_FRM:
    case FMT_FR1M:
        emit(g, id, f, rs1, rs2, pick_rm(g));
        break;
    case FMT_FR4:
        emit(g, id, f, rs1, rs2, pick_rm(g) | gen_random(g, 32) << 3);
        break;
    case FMT_XF:
    case FMT_XFF:
        emit(g, id, gen_pick_rd(g), rs1, rs2, 0);
        break;
    case FMT_XFM:
        emit(g, id, gen_pick_rd(g), rs1, 0, pick_rm(g));
        break;
    case FMT_FX:
        emit(g, id, f, rs1, 0, 0);
        break;
    case FMT_FXM:
        emit(g, id, f, rs1, 0, pick_rm(g));
        break;
    default:
        break; /* control, CSR, SYS: items of their own */
    }
}

static insn_id_t pick_row(gen_t *g, insn_ext_t first, insn_ext_t last, unsigned classes)
{
    for (;;) {
        insn_id_t id = (insn_id_t)gen_random(g, INSN_COUNT);
        const insn_info_t *info = &insn_info[id];
        if (info->ext >= first && info->ext <= last && (classes >> info->cls & 1) &&
            id != INSN_lr_w && id != INSN_sc_w) {
            return id;
        }
    }
}

/* Integer pointers are kept by rd picking; a compressed instruction must obey the same rules. */
static bool compressed_allowed(const gen_t *g, uint16_t half)
{
    uint32_t wide = rvc_expand(half);
    insn_id_t id = insn_find(wide);
    uint32_t rd = util_bits(wide, 11, 7), rs1 = util_bits(wide, 19, 15);
    if (wide == 0 || id == INSN_illegal || id == INSN_ebreak) {
        return false;
    }
    bool pointer = rs1 == X_SP || rs1 == X_S0 || rs1 == X_S1;
    bool writes_x = !(g->locked >> rd & 1);
    switch (insn_info[id].cls) {
    case CLS_ALU:
        return writes_x;
    case CLS_LOAD:
        return pointer && (insn_info[id].format == FMT_FL || writes_x);
    case CLS_STORE:
        return pointer;
    default:
        return false;
    }
}

static void item_compressed(gen_t *g)
{
    uint16_t half;
    do {
        half = (uint16_t)gen_word(g);
    } while (!compressed_allowed(g, half));
    emit_half(g, half);
}

static void emit_body(gen_t *g)
{
    g->depth++;
    for (unsigned n = gen_random(g, 5); n > 0; n--) {
        item_any(g);
    }
    g->depth--;
}

static void item_branch(gen_t *g)
{
    if (gen_chance(g, 30)) { /* c.beqz, c.bnez: one or two instructions, so that it reaches */
        uint32_t at = g->pc;
        emit_half(g, (uint16_t)(0xc001 | gen_random(g, 2) << 13 | gen_random(g, 8) << 7));
        item_row(g, pick_row(g, EXT_ZBA, EXT_ZBS, 1u << CLS_ALU));
        gen_land(g, at);
        return;
    }
    uint32_t at = emit_forward(g, INSN_beq + gen_random(g, 6), 0, gen_pick_rs(g), gen_pick_rs(g));
    emit_body(g);
    gen_land(g, at);
}

static void item_jump(gen_t *g)
{
    uint32_t at = g->pc, rd;
    switch (gen_random(g, 4)) {
    case 0:
        at = emit_forward(g, INSN_jal, gen_pick_rd(g), 0, 0);
        emit_body(g);
        gen_land(g, at);
        break;
    case 1: /* c.j or c.jal, over one instruction */
        if (gen_chance(g, 50)) {
            emit_half(g, 0xa001);
            item_row(g, INSN_xor);
            gen_land(g, at);
        } else {
            emit_half(g, 0x2011); /* c.jal +4 */
            emit_half(g, 0x0001);
        }
        break;
    default: /* auipc, jalr with any link; an odd target loses its low bit */
        rd = pick_temp(g);
        emit(g, INSN_auipc, rd, 0, 0, 0);
        if (gen_chance(g, 70)) {
            emit(g, INSN_jalr, gen_pick_rd(g), rd, 0, 12 + gen_random(g, 2));
            item_row(g, INSN_add);
        } else {
            emit(g, INSN_addi, rd, rd, 0, 10 + gen_random(g, 2));
            emit_half(g, (uint16_t)(0x8002 | gen_random(g, 2) << 12 | rd << 7)); /* c.jr, c.jalr */
        }
        break;
    }
}

static void item_loop(gen_t *g)
{
    uint32_t counter, saved = g->locked;
    do { /* not ra, t0, t1: jumps and the sequences of priv.c write them */
        counter = pick_temp(g);
    } while (counter == X_RA || counter == X_T0 || counter == X_T1);
    emit(g, INSN_addi, counter, X_ZERO, 0, 1 + gen_random(g, 6));
    g->locked |= 1u << counter;
    uint32_t top = g->pc;
    emit_body(g);
    emit(g, INSN_addi, counter, counter, 0, (uint32_t)-1);
    g->locked = saved;
    emit_branch(g, INSN_bne, counter, X_ZERO, top);
}

static void item_float_csr(gen_t *g)
{
    insn_id_t id = INSN_csrrw + gen_random(g, 6);
    uint32_t csr = 1 + gen_random(g, 3), rs1 = gen_random(g, 32);
    if (gen_chance(g, 70)) { /* a valid rounding mode */
        emit(g, INSN_csrrwi, gen_pick_rd(g), gen_random(g, 5), 0, 2);
        return;
    }
    emit_csr(g, id, gen_pick_rd(g), csr, rs1);
}

/* A word that no extension of ours has: a row with some fixed bits turned over. */
static void item_illegal(gen_t *g)
{
    if (gen_chance(g, 30)) {
        static const uint16_t reserved[] = {0x0000, 0x8000, 0x9c41, 0x9c61, 0x6101,
                                            0x6081, 0x4002, 0x8002, 0x9105};
        emit_half(g, reserved[gen_random(g, ARRAY_LEN(reserved))]);
        return;
    }
    for (;;) {
        const insn_info_t *info = &insn_info[gen_random(g, INSN_COUNT)];
        uint32_t word = (gen_word(g) & ~info->mask) | info->match;
        word ^= (1u << (2 + gen_random(g, 30))) & info->mask;
        word ^= (1u << (2 + gen_random(g, 30))) & info->mask;
        if ((word & 0x1f) != 0x1f && insn_find(word) == INSN_illegal) {
            emit_word(g, word);
            return;
        }
    }
}

/* Replaces the instruction behind it, which has been run before in loops and rounds. */
static void item_self_modifying(gen_t *g)
{
    uint32_t address = pick_temp(g), value, rd = gen_pick_rd(g), saved = g->locked;
    g->locked |= 1u << address;
    value = pick_temp(g);
    g->locked = saved;
    bool half = gen_chance(g, 30);
    uint32_t word = half ? 0x4001 | rd << 7 | gen_random(g, 32) << 2 /* c.li */
                         : gen_encode(INSN_addi, rd, gen_pick_rs(g), 0, gen_random(g, 2048));
    emit(g, INSN_auipc, address, 0, 0, 0);
    uint32_t base = g->pc - 4;
    emit(g, INSN_lui, value, 0, 0, word + ((word & 0x800) << 1));
    emit(g, INSN_addi, value, value, 0, (uint32_t)util_sext(word & 0xfff, 12));
    uint32_t at = g->pc + 8;
    emit(g, half ? INSN_sh : INSN_sw, 0, address, value, at - base);
    emit(g, INSN_fence_i, 0, 0, 0, 0);
    if (half) {
        emit_half(g, 0x0001);
    } else {
        emit(g, INSN_addi, 0, 0, 0, 0);
    }
}

static void item_trap(gen_t *g)
{
    switch (gen_random(g, 6)) {
    case 0:
        emit(g, INSN_ecall, 0, 0, 0, 0);
        break;
    case 1:
        emit(g, INSN_ebreak, 0, 0, 0, 0);
        break;
    case 2:
        emit_half(g, 0x9002);
        break;
    default:
        item_illegal(g);
        break;
    }
}

/* Some row that accesses memory, at an address that may be good or bad. */
void item_access_row(gen_t *g, uint32_t base, int32_t imm, bool wide)
{
    insn_id_t id;
    do {
        id = pick_row(g, EXT_I, EXT_D, 1u << CLS_LOAD | 1u << CLS_STORE | 1u << CLS_AMO);
    } while (!wide && access_size(id) == 8);
    imm &= -(int32_t)access_size(id);
    if (insn_info[id].format == FMT_AMO) {
        emit(g, INSN_addi, base, base, 0, (uint32_t)imm);
        emit(g, id, gen_pick_rd(g), base, gen_pick_rs(g), 0);
    } else if (insn_info[id].format == FMT_L) {
        emit(g, id, gen_pick_rd(g), base, 0, (uint32_t)imm);
    } else {
        emit(g, id, gen_random(g, 32), base, gen_random(g, 32), (uint32_t)imm);
    }
}

static void item_floats(gen_t *g)
{
    for (unsigned n = 1 + gen_random(g, 3); n > 0; n--) {
        item_row(g, pick_row(g, EXT_F, EXT_D, ~(1u << CLS_LOAD | 1u << CLS_STORE)));
    }
    item_row(g, gen_chance(g, 50) ? INSN_fld : INSN_flw);
}

void item_any(gen_t *g)
{
    uint32_t dice = gen_random(g, 100);
    bool nest = g->depth < 2;
    if (dice < 22) {
        item_row(g, pick_row(g, EXT_I, EXT_M, 1u << CLS_ALU));
    } else if (dice < 35) {
        item_row(g, pick_row(g, EXT_ZBA, EXT_ZBS, 1u << CLS_ALU));
    } else if (dice < 50) {
        item_floats(g);
    } else if (dice < 64) {
        item_row(g, pick_row(g, EXT_I, EXT_D, 1u << CLS_LOAD | 1u << CLS_STORE | 1u << CLS_AMO));
    } else if (dice < 76) {
        item_compressed(g);
    } else if (dice < 79) {
        item_repoint(g, pointers[gen_random(g, 3)]);
    } else if (dice < 82) {
        emit_li(g, gen_pick_rd(g), gen_interesting(g));
    } else if (dice < 85) {
        item_float_csr(g);
    } else if (dice < 87 && !g->mprv) { /* differences.txt, sc-fault */
        item_lr_sc(g);
    } else if (dice < 92) {
        (nest ? item_branch : item_jump)(g);
    } else if (dice < 94) {
        (nest ? item_loop : item_compressed)(g);
    } else if (dice < 96) {
        item_jump(g);
    } else if (dice < 97 && !g->mprv) { /* differences.txt, mprv-fetched-page */
        item_self_modifying(g);
    } else if (dice < 98) {
        item_trap(g);
    } else {
        item_privileged(g);
    }
    if (g->step) {
        emit(g, INSN_ecall, 0, 0, 0, 0);
    }
}
