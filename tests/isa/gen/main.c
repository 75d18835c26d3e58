/* SPDX-License-Identifier: MPL-2.0 */
/*
 * isagen: writes one random program.
 *
 *   isagen [-seed N] [-segments N] [-rounds N] [-dump FROM TO] [-step SEGMENT] -o FILE
 *   isagen -rows
 *   isagen -explain FILE OUTPUT OUTPUT LINE
 *
 * Prints the number of test instructions (one round's, times rounds) and, a line each, the rows of
 * insns.def that the program has. -dump makes the program print the full state at every trap
 * between two lines of output, -step puts a checkpoint behind every item of one segment. -rows
 * lists all rows of the table. -explain tells where two outputs of a program part that dumps from
 * LINE on.
 *
 * A program prints a line per segment and one more per round, then minstreth and minstret.
 */
#include "gen.h"

#include <stdio.h>
#include <stdlib.h>

#define BLOCKS_PER_SEGMENT 12
#define ITEMS_PER_BLOCK 40

typedef struct options {
    uint64_t seed;
    unsigned segments, rounds;
    uint32_t dump_from, dump_to;
    int step;
    const char *output;
} options_t;

/* Jumps and calls to the runtime, which may be out of JAL's reach. */
static void emit_far(gen_t *g, uint32_t link, uint32_t target)
{
    emit_li(g, X_T0, target);
    emit(g, INSN_jalr, link, X_T0, 0, 0);
}

static void emit_print(gen_t *g)
{
    emit_li(g, X_T0, PHYS + OFF_CONTROL);
    emit(g, INSN_lw, X_A0, X_T0, 0, CTL_HASH);
    emit(g, INSN_lw, X_T1, X_T0, 0, CONTROL_S + CTL_HASH);
    emit(g, INSN_rori, X_T1, X_T1, 0, 7);
    emit(g, INSN_xor, X_A0, X_A0, X_T1, 0);
    emit_far(g, X_RA, g->print_line);
    emit_li(g, X_T0, PHYS + OFF_CONTROL);
    emit(g, INSN_lw, X_T1, X_T0, 0, CTL_LINE);
    emit(g, INSN_addi, X_T1, X_T1, 0, 1);
    emit(g, INSN_sw, 0, X_T0, X_T1, CTL_LINE);
}

static void emit_block(gen_t *g)
{
    static const gen_mode_t modes[] = {GEN_M, GEN_M, GEN_S, GEN_S, GEN_U};
    priv_emit_enter(g, modes[gen_random(g, ARRAY_LEN(modes))]);
    g->counting = true;
    bool privileged = gen_chance(g, 35);
    for (unsigned n = 0; n < ITEMS_PER_BLOCK; n++) {
        if (privileged && gen_chance(g, 50)) {
            item_privileged(g);
        }
        item_any(g);
    }
    emit(g, INSN_ecall, 0, 0, 0, 0);
    g->counting = false;
    priv_emit_leave(g);
}

static void emit_rounds(gen_t *g, const options_t *o)
{
    uint32_t top = g->pc;
    emit_far(g, X_RA, g->refill);
    for (unsigned s = 0; s < o->segments; s++) {
        g->step = (int)s == o->step;
        priv_emit_setup(g);
        for (unsigned b = 0; b < BLOCKS_PER_SEGMENT; b++) {
            emit_block(g);
        }
        emit_print(g);
    }
    emit_far(g, X_RA, g->hash_memory);
    emit_print(g);
    emit_li(g, X_T0, PHYS + OFF_CONTROL);
    emit(g, INSN_lw, X_T1, X_T0, 0, CTL_ROUND);
    emit(g, INSN_lw, X_T2, X_T0, 0, CTL_ROUNDS);
    emit(g, INSN_addi, X_T1, X_T1, 0, 1);
    emit(g, INSN_sw, 0, X_T0, X_T1, CTL_ROUND);
    uint32_t done = emit_forward(g, INSN_bgeu, 0, X_T1, X_T2);
    emit_far(g, X_ZERO, top);
    gen_land(g, done);
    emit_far(g, X_ZERO, g->finish);
}

static void generate(gen_t *g, const options_t *o)
{
    g->rng = o->seed * UINT64_C(0x9e3779b97f4a7c15) + 0x1234567;
    g->locked = 1u << X_SP | 1u << X_GP | 1u << X_S0 | 1u << X_S1;
    g->mode = GEN_M;
    g->pc = PHYS + OFF_RUNTIME;
    runtime_emit(g);
    if (g->pc > PHYS + OFF_CONTROL) {
        fprintf(stderr, "isagen: the runtime is too big\n");
        exit(2);
    }
    runtime_fill_data(g);
    priv_fill_tables(g);
    gen_put32(g, OFF_CONTROL + CTL_SEED, (uint32_t)o->seed * 2654435761u | 1);
    gen_put32(g, OFF_CONTROL + CTL_ROUNDS, o->rounds);
    gen_put32(g, OFF_CONTROL + CTL_DUMP_FROM, o->dump_from);
    gen_put32(g, OFF_CONTROL + CTL_DUMP_TO, o->dump_to);
    g->pc = PHYS + OFF_BLOCKS;
    emit_rounds(g, o);
}

static void parse(options_t *o, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        bool more = i + 1 < argc;
        if (more && strcmp(argv[i], "-seed") == 0) {
            o->seed = strtoull(argv[++i], NULL, 0);
        } else if (more && strcmp(argv[i], "-segments") == 0) {
            o->segments = (unsigned)strtoul(argv[++i], NULL, 0);
        } else if (more && strcmp(argv[i], "-rounds") == 0) {
            o->rounds = (unsigned)strtoul(argv[++i], NULL, 0);
        } else if (more && strcmp(argv[i], "-step") == 0) {
            o->step = atoi(argv[++i]);
        } else if (more && strcmp(argv[i], "-o") == 0) {
            o->output = argv[++i];
        } else if (i + 2 < argc && strcmp(argv[i], "-dump") == 0) {
            o->dump_from = (uint32_t)strtoul(argv[++i], NULL, 0);
            o->dump_to = (uint32_t)strtoul(argv[++i], NULL, 0);
        } else {
            fprintf(stderr, "isagen: what is %s?\n", argv[i]);
            exit(2);
        }
    }
}

static void print_rows(const uint64_t *rows)
{
    for (int id = 0; id < INSN_COUNT; id++) {
        if (!rows || rows[id]) {
            printf("row %s\n", insn_info[id].mnemonic);
        }
    }
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "-rows") == 0) {
        print_rows(NULL);
        return 0;
    }
    if (argc == 6 && strcmp(argv[1], "-explain") == 0) {
        return gen_explain(argv[2], argv[3], argv[4], (unsigned)strtoul(argv[5], NULL, 0));
    }
    options_t o = {.seed = 1, .segments = 60, .rounds = 20, .step = -1};
    gen_t *g = calloc(1, sizeof(*g));
    parse(&o, argc, argv);
    if (!o.output || !g || !(g->mem = calloc(1, MEM_SIZE))) {
        fprintf(stderr, "isagen: -o FILE is missing, or memory\n");
        return 2;
    }
    generate(g, &o);
    if (!gen_write_elf(g, o.output)) {
        fprintf(stderr, "isagen: cannot write %s\n", o.output);
        return 2;
    }
    printf("instructions %llu\n", (unsigned long long)(g->emitted * o.rounds));
    print_rows(g->rows);
    free(g->mem);
    free(g);
    return 0;
}
