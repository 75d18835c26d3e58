/* SPDX-License-Identifier: MPL-2.0 */
/*
 * From instruction words to decoded instructions (insn_t), which the interpreter dispatches on.
 */
#ifndef RVKIT_CPU_DECODE_H
#define RVKIT_CPU_DECODE_H

#include "../bus.h"
#include "../util.h"

#include <stdbool.h>
#include <stdint.h>

/* Operand formats: which fields an instruction has and how it is written. x: integer register, f: float. */
typedef enum insn_format {
    FMT_NONE,   /* no operands */
    FMT_R,      /* xd, xs1, xs2 */
    FMT_R1,     /* xd, xs1 */
    FMT_I,      /* xd, xs1, imm */
    FMT_SH,     /* xd, xs1, shamt */
    FMT_L,      /* xd, imm(xs1) */
    FMT_S,      /* xs2, imm(xs1) */
    FMT_B,      /* xs1, xs2, target */
    FMT_U,      /* xd, imm20 */
    FMT_J,      /* xd, target */
    FMT_JALR,   /* xd, imm(xs1) */
    FMT_CSR,    /* xd, csr, xs1 */
    FMT_CSRI,   /* xd, csr, uimm5 */
    FMT_FENCE,  /* pred, succ */
    FMT_SFENCE, /* xs1, xs2 */
    FMT_AMO,    /* xd, xs2, (xs1) */
    FMT_LR,     /* xd, (xs1) */
    FMT_CBO,    /* (xs1) */
    FMT_FL,     /* fd, imm(xs1) */
    FMT_FS,     /* fs2, imm(xs1) */
    FMT_FR,     /* fd, fs1, fs2 */
    FMT_FRM,    /* fd, fs1, fs2, rm */
    FMT_FR1M,   /* fd, fs1, rm */
    FMT_FR4,    /* fd, fs1, fs2, fs3, rm */
    FMT_XF,     /* xd, fs1 */
    FMT_XFM,    /* xd, fs1, rm */
    FMT_XFF,    /* xd, fs1, fs2 */
    FMT_FX,     /* fd, xs1 */
    FMT_FXM,    /* fd, xs1, rm */
} insn_format_t;

/* How an instruction may end. */
typedef enum insn_class {
    CLS_ALU,    /* never traps, goes on to the next instruction */
    CLS_LOAD,   /* may trap */
    CLS_STORE,  /* may trap, may write to code */
    CLS_AMO,    /* may trap, may write to code */
    CLS_FP,     /* may trap (FS off, bad rounding mode) */
    CLS_FPC,    /* the same, with a short cut worth trying first (fast_X in sem_fp.h) */
    CLS_BRANCH, /* ends the block, two successors */
    CLS_JAL,    /* ends the block, one successor */
    CLS_JALR,   /* ends the block, target in a register */
    CLS_SYS,    /* ends the block, may trap, may change anything */
} insn_class_t;

/* Extensions, as rows of insns.def name them. */
typedef enum insn_ext {
    EXT_I, EXT_M, EXT_A, EXT_F, EXT_D, EXT_ZICSR, EXT_ZIFENCEI, EXT_PRIV, EXT_SVINVAL,
    EXT_ZBA, EXT_ZBB, EXT_ZBC, EXT_ZBS, EXT_ZICBOM, EXT_ZICBOZ,
} insn_ext_t;

typedef enum insn_id {
#define INSN(name, mnemonic, match, mask, format, cls, ext) INSN_##name,
#include "insns.def"
#undef INSN
    INSN_COUNT,
    INSN_illegal = INSN_COUNT
} insn_id_t;

typedef struct insn_info {
    const char *mnemonic;
    uint32_t match, mask;
    uint8_t format, cls, ext; /* insn_format_t, insn_class_t, insn_ext_t */
} insn_info_t;

/* By insn_id_t; INSN_COUNT rows. */
extern const insn_info_t insn_info[];

/* Register number that writes to x0 are sent to: a slot after x31 that nobody reads. */
#define REG_SINK 32

typedef struct insn insn_t;

/* Runs one decoded instruction and those after it; returns to the dispatcher with the next one or NULL. */
typedef const insn_t *insn_fn(hart_t *hart, const insn_t *insn);

/*
 * One decoded instruction. rd is REG_SINK where the encoding says x0 and the format has an xd. imm is the
 * sign-extended immediate, shift amount, zimm or CSR operand as the format says; for AUIPC, JAL and
 * branches it is the final value or target address. The last instruction of a block is followed by an
 * insn_link_t.
 */
struct insn {
    insn_fn *fn;
    uint32_t imm;
    uint32_t pc;       /* virtual address */
    uint8_t rd, rs1, rs2, rs3;
    uint8_t rm;        /* rounding mode field; for CSR formats unused */
    uint8_t len;       /* 2 or 4 bytes */
    uint16_t index;    /* instructions before this one in its block */
};

/* The insn_id_t of an instruction word (32 bits, uncompressed), INSN_illegal when no row matches. */
insn_id_t insn_find(uint32_t word);

/* The same, fast: an index that its owner builds once. */
#define INSN_BUCKETS 256
typedef struct insn_index {
    uint16_t start[INSN_BUCKETS + 1];
    uint8_t rows[2048];
} insn_index_t;

void insn_index_build(insn_index_t *index);
insn_id_t insn_index_find(const insn_index_t *index, uint32_t word);

/*
 * Fills operands and pc (not fn, len and index) of out from a word whose id was found.
 */
void insn_decode(insn_t *out, insn_id_t id, uint32_t word, uint32_t pc);

/* The 32-bit twin of a compressed instruction (RVC, RV32FDC), 0 when it is illegal. */
uint32_t rvc_expand(uint16_t c);

/*
 * The instruction at pc as text ("addi a0, a0, 1"), word as fetched (compressed: low 16 bits).
 * Writes at most size bytes with the terminator; returns the instruction's length in bytes.
 */
unsigned insn_disasm(char *text, size_t size, uint32_t word, uint32_t pc);

/* The names that registers have in that text: "a0", "fa0". n is 0..31. */
const char *insn_x_name(unsigned n);
const char *insn_f_name(unsigned n);

#endif
