/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Basic blocks: runs of decoded instructions of one page, kept by physical address, per hart.
 *
 * A block is an array of insn_t whose last entry ends it (a CLS_BRANCH, CLS_JAL, CLS_JALR or CLS_SYS
 * instruction, or the made-up ops of ops.h), followed by an insn_link_t. Blocks that jump within their
 * page point to each other directly; entering a page goes through block_enter(), which translates.
 * Memory is given back only between blocks, so a running block may drop itself.
 */
#ifndef RVKIT_CPU_BLOCK_H
#define RVKIT_CPU_BLOCK_H

#include "state.h"

/* Where a block goes on, once known and in the same page. Stored in the insn_t slot after its last. */
typedef struct insn_link {
    const insn_t *taken, *next;
} insn_link_t;

block_cache_t *block_cache_create(const bus_t *bus);
void block_cache_free(block_cache_t *cache);

/*
 * The block at the hart's pc in its present context, translated and decoded if need be. NULL when the
 * fetch trapped: the handler's entry is in hart->pc.
 */
const insn_t *block_enter(hart_t *hart);

/* As block_enter(), and the block may be linked to directly from code in the page of from_pc. */
const insn_t *block_link(hart_t *hart, uint32_t from_pc, bool *linkable);

/* FENCE.I: drops the blocks of pages written since they were decoded. */
void block_fence_i(hart_t *hart);

/* The hart itself has written size bytes at RAM offset: drops its blocks there. True when there were any. */
bool block_wrote_code(hart_t *hart, size_t ram_offset, uint32_t size);

/* Drops everything; between blocks only. */
void block_drop_all(hart_t *hart);

/* Blocks of one instruction, for tracing; drops everything. */
void block_set_single(hart_t *hart, bool single);

#endif
