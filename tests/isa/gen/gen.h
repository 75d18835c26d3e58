/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A generator of random bare-metal RV32 programs for the differential test: the same ELF runs on
 * rvkit and on another emulator, prints hashes of all that software can see, and the two outputs
 * must be equal.
 *
 *   emit.c    the program's memory, encoding from the rows of insns.def, the ELF file
 *   runtime.c what every program holds: start, trap handlers, hashing, printing, power off
 *   items.c   random instructions and small sequences of them
 *   priv.c    privilege modes, page tables, PMP, interrupts
 *   explain.c where two runs part
 *   main.c    the order of things, the command line
 */
#ifndef RVKIT_TESTS_ISA_GEN_H
#define RVKIT_TESTS_ISA_GEN_H

#include "cpu/decode.h"

#include <stdbool.h>
#include <stdint.h>

/* Physical memory of a program. */
enum {
    OFF_RUNTIME = 0,
    OFF_CONTROL = 0x8000,  /* control area, read and written by the trap handlers */
    OFF_POOL = 0xa000,     /* interesting 64-bit values */
    OFF_ROOT = 0xc000,     /* root page table */
    OFF_LEAF = 0xd000,     /* page table of the playground */
    OFF_SCRATCH = 0x10000, /* 16 KiB for loads and stores */
    OFF_VMDATA = 0x14000,  /* four pages that the playground maps */
    OFF_PMP = 0x18000,     /* 8 KiB that PMP entries cut up */
    OFF_STUB = 0x1c000,    /* a page full of c.jr ra */
    OFF_HASHED_END = 0x1a000,
    OFF_BLOCKS = 0x20000,
    MEM_SIZE = 0x400000,
};
#define PHYS 0x80000000u       /* RAM, mapped to itself for S-mode */
#define USER_ALIAS 0x40000000u /* the same RAM, for U-mode */
#define PLAY_VA 0x50000000u    /* 64 random pages */
#define PLAY_PAGES 64
#define SUPER_VA 0x60000000u /* 16 random superpages */
#define SUPER_COUNT 16
#define CLINT_BASE 0x02000000u
#define UART_BASE 0x10000000u
#define SYSCON_BASE 0x00100000u
#define UNMAPPED_PA 0xf0000000u /* nothing is there on any of the machines */

/* The control area; the S-mode handler's own is CONTROL_S behind it. */
enum {
    CTL_X = 0,
    CTL_F = 128,
    CTL_CAUSE = 384,
    CTL_EPC = 388,
    CTL_TVAL = 392,
    CTL_STATUS = 396,
    CTL_FCSR = 400,
    CTL_HASH = 404,
    CTL_REQUEST = 408,    /* non-zero: an ECALL asks for M-mode */
    CTL_REQUEST_PC = 412, /* pc of the ECALL when S-mode passes a request on */
    CTL_LINE = 416,       /* lines printed */
    CTL_DUMP_FROM = 420,  /* print each trap's state while FROM <= LINE < TO */
    CTL_DUMP_TO = 424,
    CTL_ROUND = 428,
    CTL_ROUNDS = 432,
    CTL_SEED = 436,
    CONTROL_S = 1024,
};

enum { X_ZERO, X_RA, X_SP, X_GP, X_TP, X_T0, X_T1, X_T2, X_S0, X_S1, X_A0 };

typedef enum gen_mode { GEN_U = 0, GEN_S = 1, GEN_M = 3 } gen_mode_t;

typedef struct gen {
    uint8_t *mem;
    uint32_t pc; /* physical, of the next instruction */
    uint64_t rng;
    uint32_t locked; /* registers that random instructions may not write */
    gen_mode_t mode;
    bool paging; /* satp is on for S and U */
    uint32_t satp;
    uint32_t mstatus_bits; /* TVM, TW, TSR, SUM, MXR as set */
    bool fs_off;
    bool mprv;      /* M-mode block whose data accesses go through translation */
    bool step;      /* an ECALL after every item */
    unsigned depth; /* of nested branches */
    bool counting;  /* emitted instructions count as test instructions */
    uint64_t emitted;
    uint64_t rows[INSN_COUNT];
    uint64_t compressed;
    uint32_t handler_m, handler_s, print_line, refill, hash_memory, finish;
} gen_t;

/* ---- emit.c ---- */
uint32_t gen_random(gen_t *g, uint32_t below);
bool gen_chance(gen_t *g, unsigned percent);
uint32_t gen_word(gen_t *g); /* 32 random bits */
void gen_put32(gen_t *g, uint32_t offset, uint32_t word);
uint32_t gen_get32(const gen_t *g, uint32_t offset);
/* Operands that the format lacks are ignored; for formats with an rm field it is imm. */
uint32_t gen_encode(insn_id_t id, uint32_t rd, uint32_t rs1, uint32_t rs2, uint32_t imm);
void emit_word(gen_t *g, uint32_t word);
void emit_half(gen_t *g, uint16_t half);
void emit(gen_t *g, insn_id_t id, uint32_t rd, uint32_t rs1, uint32_t rs2, uint32_t imm);
void emit_li(gen_t *g, uint32_t rd, uint32_t value);
/* A branch or JAL (by id) to an address not yet known, and its patching once it is. */
uint32_t emit_forward(gen_t *g, insn_id_t id, uint32_t rd, uint32_t rs1, uint32_t rs2);
void gen_land(gen_t *g, uint32_t at);
void emit_branch(gen_t *g, insn_id_t id, uint32_t rs1, uint32_t rs2, uint32_t target);
void emit_jal(gen_t *g, uint32_t rd, uint32_t target);
void emit_csr(gen_t *g, insn_id_t id, uint32_t rd, uint32_t csr, uint32_t rs1);
bool gen_write_elf(const gen_t *g, const char *path);

/* ---- runtime.c ---- */
void runtime_emit(gen_t *g);
void runtime_emit_start(gen_t *g);
void runtime_fill_data(gen_t *g);

/* ---- items.c ---- */
uint32_t gen_pick_rd(gen_t *g);
uint32_t gen_pick_rs(gen_t *g);
uint32_t gen_interesting(gen_t *g);
void item_any(gen_t *g);
void item_row(gen_t *g, insn_id_t id);
/* One access (any load, store or AMO row; never SC) to imm(base). Natural alignment unless
 * misaligned. */
void item_access_row(gen_t *g, uint32_t base, int32_t imm, bool wide);
void item_repoint(gen_t *g, uint32_t reg);
/* A data address of scratch memory, by physical address, in the present mode. */
uint32_t gen_data_address(const gen_t *g, uint32_t pa);

/* ---- priv.c ---- */
/* From M-mode into a mode, and back; between them everything runs there. */
void priv_emit_enter(gen_t *g, gen_mode_t mode);
void priv_emit_leave(gen_t *g);
/* In M-mode: new random delegation, translation, PMP entries, status bits. */
void priv_emit_setup(gen_t *g);
void priv_fill_tables(gen_t *g);
void item_privileged(gen_t *g);

/* ---- explain.c ---- */
int gen_explain(const char *elf, const char *path_a, const char *path_b, unsigned skip);

#endif
