/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Instructions as text, in the syntax of the RISC-V assembler without its aliases: "addi a0, zero,
 * 1". A compressed instruction is shown as its 32-bit twin.
 */
#include "decode.h"

#include <stdio.h>

static const char *const x_names[32] = {
    "zero", "ra", "sp", "gp", "tp",  "t0",  "t1", "t2", "s0", "s1", "a0",
    "a1",   "a2", "a3", "a4", "a5",  "a6",  "a7", "s2", "s3", "s4", "s5",
    "s6",   "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6",
};

static const char *const f_names[32] = {
    "ft0", "ft1", "ft2", "ft3", "ft4",  "ft5",  "ft6", "ft7", "fs0",  "fs1",  "fa0",
    "fa1", "fa2", "fa3", "fa4", "fa5",  "fa6",  "fa7", "fs2", "fs3",  "fs4",  "fs5",
    "fs6", "fs7", "fs8", "fs9", "fs10", "fs11", "ft8", "ft9", "ft10", "ft11",
};

/* rm 7, the dynamic mode, is not written; 5 and 6 are reserved. */
static const char *const rm_names[8] = {
    ", rne", ", rtz", ", rdn", ", rup", ", rmm", ", rm5", ", rm6", "",
};

static const struct {
    uint16_t number;
    char name[16];
} csr_names[] = {
    {0x001, "fflags"},   {0x002, "frm"},        {0x003, "fcsr"},      {0x015, "seed"},
    {0x100, "sstatus"},  {0x104, "sie"},        {0x105, "stvec"},     {0x106, "scounteren"},
    {0x10a, "senvcfg"},  {0x140, "sscratch"},   {0x141, "sepc"},      {0x142, "scause"},
    {0x143, "stval"},    {0x144, "sip"},        {0x14d, "stimecmp"},  {0x15d, "stimecmph"},
    {0x180, "satp"},     {0x300, "mstatus"},    {0x301, "misa"},      {0x302, "medeleg"},
    {0x303, "mideleg"},  {0x304, "mie"},        {0x305, "mtvec"},     {0x306, "mcounteren"},
    {0x30a, "menvcfg"},  {0x310, "mstatush"},   {0x31a, "menvcfgh"},  {0x320, "mcountinhibit"},
    {0x340, "mscratch"}, {0x341, "mepc"},       {0x342, "mcause"},    {0x343, "mtval"},
    {0x344, "mip"},      {0x747, "mseccfg"},    {0x757, "mseccfgh"},  {0xb00, "mcycle"},
    {0xb02, "minstret"}, {0xb80, "mcycleh"},    {0xb82, "minstreth"}, {0xc00, "cycle"},
    {0xc01, "time"},     {0xc02, "instret"},    {0xc80, "cycleh"},    {0xc81, "timeh"},
    {0xc82, "instreth"}, {0xf11, "mvendorid"},  {0xf12, "marchid"},   {0xf13, "mimpid"},
    {0xf14, "mhartid"},  {0xf15, "mconfigptr"}, {0x7a0, "tselect"},   {0x7a1, "tdata1"},
};

/* CSRs that come in rows: name%u from number on, the first row being called `first`. */
static const struct {
    uint16_t number;
    uint8_t count, first;
    const char *format;
} csr_rows[] = {
    {0x3a0, 16, 0, "pmpcfg%u"},       {0x3b0, 64, 0, "pmpaddr%u"},
    {0x323, 29, 3, "mhpmevent%u"},    {0xb03, 29, 3, "mhpmcounter%u"},
    {0xb83, 29, 3, "mhpmcounter%uh"}, {0xc03, 29, 3, "hpmcounter%u"},
    {0xc83, 29, 3, "hpmcounter%uh"},
};

static void name_csr(char *out, size_t size, uint32_t number)
{
    for (size_t i = 0; i < ARRAY_LEN(csr_names); i++) {
        if (csr_names[i].number == number) {
            snprintf(out, size, "%s", csr_names[i].name);
            return;
        }
    }
    for (size_t i = 0; i < ARRAY_LEN(csr_rows); i++) {
        uint32_t nth = number - csr_rows[i].number;
        if (nth < csr_rows[i].count) {
            snprintf(out, size, csr_rows[i].format, (unsigned)(nth + csr_rows[i].first));
            return;
        }
    }
    snprintf(out, size, "0x%x", (unsigned)number);
}

/* One side of a FENCE: "rw", "iorw", "0". */
static void name_fence_set(char out[5], uint32_t set)
{
    size_t len = 0;
    for (unsigned i = 0; i < 4; i++) {
        if (set & (8u >> i)) {
            out[len++] = "iorw"[i];
        }
    }
    if (len == 0) {
        out[len++] = '0';
    }
    out[len] = '\0';
}

static void format_fence(char *text, size_t size, uint32_t word)
{
    char pred[5], succ[5];
    if (util_bits(word, 31, 20) == 0x833) {
        snprintf(text, size, "fence.tso");
        return;
    }
    name_fence_set(pred, util_bits(word, 27, 24));
    name_fence_set(succ, util_bits(word, 23, 20));
    snprintf(text, size, "fence %s, %s", pred, succ);
}

static void format_csr(char *text, size_t size, const char *mnemonic, uint32_t word, bool immediate)
{
    char csr[32];
    unsigned rs1 = util_bits(word, 19, 15);
    const char *rd = x_names[util_bits(word, 11, 7)];
    name_csr(csr, sizeof(csr), word >> 20);
    if (immediate) {
        snprintf(text, size, "%s %s, %s, %u", mnemonic, rd, csr, rs1);
    } else {
        snprintf(text, size, "%s %s, %s, %s", mnemonic, rd, csr, x_names[rs1]);
    }
}

/* Formats with integer registers only. False: not one of them. */
static bool format_integer(char *text, size_t size, const insn_info_t *info, const insn_t *insn,
                           uint32_t word)
{
    static const char *const order[4] = {"", ".rl", ".aq", ".aqrl"};
    const char *m = info->mnemonic;
    const char *rd = x_names[util_bits(word, 11, 7)];
    const char *rs1 = x_names[util_bits(word, 19, 15)];
    const char *rs2 = x_names[util_bits(word, 24, 20)];
    const char *aqrl = order[util_bits(word, 26, 25)];
    unsigned imm = insn->imm;
    switch (info->format) {
    case FMT_NONE:
        snprintf(text, size, "%s", m);
        return true;
    case FMT_R:
        snprintf(text, size, "%s %s, %s, %s", m, rd, rs1, rs2);
        return true;
    case FMT_R1:
        snprintf(text, size, "%s %s, %s", m, rd, rs1);
        return true;
    case FMT_I:
    case FMT_SH:
        snprintf(text, size, "%s %s, %s, %d", m, rd, rs1, (int)imm);
        return true;
    case FMT_L:
    case FMT_JALR:
        snprintf(text, size, "%s %s, %d(%s)", m, rd, (int)imm, rs1);
        return true;
    case FMT_S:
        snprintf(text, size, "%s %s, %d(%s)", m, rs2, (int)imm, rs1);
        return true;
    case FMT_B:
        snprintf(text, size, "%s %s, %s, 0x%x", m, rs1, rs2, imm);
        return true;
    case FMT_U:
        snprintf(text, size, "%s %s, 0x%x", m, rd, (unsigned)(word >> 12));
        return true;
    case FMT_J:
        snprintf(text, size, "%s %s, 0x%x", m, rd, imm);
        return true;
    case FMT_CSR:
        format_csr(text, size, m, word, false);
        return true;
    case FMT_CSRI:
        format_csr(text, size, m, word, true);
        return true;
    case FMT_FENCE:
        format_fence(text, size, word);
        return true;
    case FMT_SFENCE:
        snprintf(text, size, "%s %s, %s", m, rs1, rs2);
        return true;
    case FMT_AMO:
        snprintf(text, size, "%s%s %s, %s, (%s)", m, aqrl, rd, rs2, rs1);
        return true;
    case FMT_LR:
        snprintf(text, size, "%s%s %s, (%s)", m, aqrl, rd, rs1);
        return true;
    case FMT_CBO:
        snprintf(text, size, "%s (%s)", m, rs1);
        return true;
    default:
        return false;
    }
}

static void format_float(char *text, size_t size, const insn_info_t *info, const insn_t *insn,
                         uint32_t word)
{
    const char *m = info->mnemonic;
    unsigned rd = util_bits(word, 11, 7), rs1 = util_bits(word, 19, 15);
    const char *fs2 = f_names[util_bits(word, 24, 20)], *fs3 = f_names[util_bits(word, 31, 27)];
    const char *rm = rm_names[util_bits(word, 14, 12)];
    const char *fd = f_names[rd], *fs1 = f_names[rs1], *xd = x_names[rd], *xs1 = x_names[rs1];
    int imm = (int)insn->imm;
    switch (info->format) {
    case FMT_FL:
        snprintf(text, size, "%s %s, %d(%s)", m, fd, imm, xs1);
        break;
    case FMT_FS:
        snprintf(text, size, "%s %s, %d(%s)", m, fs2, imm, xs1);
        break;
    case FMT_FR:
        snprintf(text, size, "%s %s, %s, %s", m, fd, fs1, fs2);
        break;
    case FMT_FRM:
        snprintf(text, size, "%s %s, %s, %s%s", m, fd, fs1, fs2, rm);
        break;
    case FMT_FR1M:
        snprintf(text, size, "%s %s, %s%s", m, fd, fs1, rm);
        break;
    case FMT_FR4:
        snprintf(text, size, "%s %s, %s, %s, %s%s", m, fd, fs1, fs2, fs3, rm);
        break;
    case FMT_XF:
        snprintf(text, size, "%s %s, %s", m, xd, fs1);
        break;
    case FMT_XFM:
        snprintf(text, size, "%s %s, %s%s", m, xd, fs1, rm);
        break;
    case FMT_XFF:
        snprintf(text, size, "%s %s, %s, %s", m, xd, fs1, fs2);
        break;
    case FMT_FX:
        snprintf(text, size, "%s %s, %s", m, fd, xs1);
        break;
    default:
        snprintf(text, size, "%s %s, %s%s", m, fd, xs1, rm);
        break; /* FMT_FXM */
    }
}

unsigned insn_disasm(char *text, size_t size, uint32_t word, uint32_t pc)
{
    bool compressed = (word & 3) != 3;
    uint32_t wide = compressed ? rvc_expand((uint16_t)word) : word;
    insn_id_t id = insn_find(wide);
    if (id == INSN_illegal) {
        if (compressed) {
            snprintf(text, size, "illegal 0x%04x", (unsigned)(word & 0xffff));
        } else {
            snprintf(text, size, "illegal 0x%08x", (unsigned)word);
        }
    } else {
        insn_t insn;
        memset(&insn, 0, sizeof(insn));
        insn_decode(&insn, id, wide, pc);
        if (!format_integer(text, size, &insn_info[id], &insn, wide)) {
            format_float(text, size, &insn_info[id], &insn, wide);
        }
    }
    return compressed ? 2 : 4;
}

const char *insn_x_name(unsigned n)
{
    return x_names[n & 31];
}

const char *insn_f_name(unsigned n)
{
    return f_names[n & 31];
}
