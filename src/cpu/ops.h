/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Dispatch: one threaded function per row of insns.def, made from its meaning in sem_*.h.
 */
#ifndef RVKIT_CPU_OPS_H
#define RVKIT_CPU_OPS_H

#include "decode.h"

/*
 * The function that runs a decoded instruction of the given id.
 * far: its target lies in another page (branches and JAL).
 */
insn_fn *ops_select(insn_id_t id, bool far);

/*
 * The function that runs an instruction and the one after it in one go, NULL when there is none for the
 * pair. The second keeps its own function too: a trap in the first goes on there. Not for far branches.
 */
insn_fn *ops_fuse(insn_id_t first, insn_id_t second);

/* Ends a block that falls through to insn->imm; index counts the instructions before it. */
insn_fn *ops_goto(bool far);

/* Runs from insn until a block ends with no budget left or something wants the run loop. */
void ops_run(hart_t *hart, const insn_t *insn);

/*
 * The meaning of one instruction without dispatch, for code generators and tracing: false when a trap
 * was raised. CLS_BRANCH, CLS_JAL, CLS_JALR and CLS_SYS leave the next pc in hart->next_pc, which the
 * caller has preset to the following instruction.
 */
typedef bool insn_call_fn(hart_t *hart, const insn_t *insn);
extern insn_call_fn *const ops_call[INSN_COUNT];

#endif
