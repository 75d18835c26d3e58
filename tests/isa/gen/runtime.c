/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What every program holds besides its random part.
 *
 * Each trap is folded into a hash: x1..x31, the CSRs that tell about the trap and, for ECALL (the
 * checkpoints are such), f0..f31 and fcsr. Then the handler goes on behind the instruction that
 * trapped: ECALL with CTL_REQUEST set in M-mode; a fetch fault at ra, as bad jumps leave their way
 * back there; an interrupt at its own pc with its enable bit cleared.
 */
#include "gen.h"

enum { T0 = 5, T1 = 6, T2 = 7, T3 = 28, T4 = 29, T5 = 30, T6 = 31, A0 = 10, A1 = 11, A2 = 12 };
#define MSTATUS_FS_DIRTY 0x6000u
#define MSTATUS_MPRV_BIT 0x20000u
#define FNV_PRIME 16777619u

/* CSRs of the handler's mode. */
typedef struct trap_csrs {
    uint32_t scratch, cause, epc, tval, status, ie;
    insn_id_t ret;
    bool machine;
} trap_csrs_t;

static const trap_csrs_t machine_csrs = {0x340, 0x342, 0x341, 0x343, 0x300, 0x304, INSN_mret, true};
static const trap_csrs_t supervisor_csrs = {0x140, 0x142, 0x141,     0x143,
                                            0x100, 0x104, INSN_sret, false};

static void load(gen_t *g, uint32_t rd, uint32_t base, uint32_t offset)
{
    emit(g, INSN_lw, rd, base, 0, offset);
}

static void store(gen_t *g, uint32_t rs2, uint32_t base, uint32_t offset)
{
    emit(g, INSN_sw, 0, base, rs2, offset);
}

static void csr_read(gen_t *g, uint32_t rd, uint32_t csr)
{
    emit_csr(g, INSN_csrrs, rd, csr, X_ZERO);
}

static void csr_write(gen_t *g, uint32_t csr, uint32_t rs)
{
    emit_csr(g, INSN_csrrw, X_ZERO, csr, rs);
}

/* t0 = (t0 ^ word at offset(gp)) * prime in t1, through t2 */
static void fold(gen_t *g, uint32_t offset)
{
    load(g, T2, X_GP, offset);
    emit(g, INSN_xor, T0, T0, T2, 0);
    emit(g, INSN_mul, T0, T0, T1, 0);
}

static void emit_save(gen_t *g, const trap_csrs_t *c)
{
    emit_csr(g, INSN_csrrw, X_GP, c->scratch, X_GP);
    for (uint32_t n = 1; n < 32; n++) {
        if (n != X_GP) {
            store(g, n, X_GP, CTL_X + 4 * n);
        }
    }
    csr_read(g, T0, c->scratch);
    store(g, T0, X_GP, CTL_X + 4 * X_GP);
    csr_write(g, c->scratch, X_GP);
    csr_read(g, T0, c->cause);
    store(g, T0, X_GP, CTL_CAUSE);
    csr_read(g, T1, c->epc);
    store(g, T1, X_GP, CTL_EPC);
    csr_read(g, T1, c->tval); /* but of a breakpoint: differences.txt, ebreak-tval */
    emit(g, INSN_xori, T0, T0, 0, 3);
    emit(g, INSN_sltiu, T0, T0, 0, 1);
    emit(g, INSN_addi, T0, T0, 0, (uint32_t)-1);
    emit(g, INSN_and, T1, T1, T0, 0);
    csr_write(g, c->tval, T1);
    store(g, T1, X_GP, CTL_TVAL);
    csr_read(g, T1, c->status);
    store(g, T1, X_GP, CTL_STATUS);
    emit_li(g, T2, MSTATUS_FS_DIRTY);
    emit_csr(g, INSN_csrrs, X_ZERO, c->status, T2);
    if (c->machine) {
        emit_li(g, T2, MSTATUS_MPRV_BIT);
        emit_csr(g, INSN_csrrc, X_ZERO, c->status, T2);
    }
    csr_read(g, T1, 0x003);
    store(g, T1, X_GP, CTL_FCSR);
}

/* A debugging aid, off unless CTL_DUMP_*: prints what is folded. */
static void emit_dump(gen_t *g, const trap_csrs_t *c)
{
    emit_li(g, T0, PHYS + OFF_CONTROL);
    load(g, T1, T0, CTL_LINE);
    load(g, T2, T0, CTL_DUMP_FROM);
    uint32_t skip1 = emit_forward(g, INSN_bltu, 0, T1, T2);
    load(g, T2, T0, CTL_DUMP_TO);
    uint32_t skip2 = emit_forward(g, INSN_bgeu, 0, T1, T2);
    emit_li(g, A2, PHYS + OFF_CONTROL + (c->machine ? 0 : CONTROL_S));
    emit_li(g, 18, PHYS + OFF_CONTROL + (c->machine ? 0 : CONTROL_S) + CTL_HASH);
    uint32_t loop = g->pc;
    load(g, A0, A2, 0);
    emit_jal(g, X_RA, g->print_line);
    emit(g, INSN_addi, A2, A2, 0, 4);
    emit_branch(g, INSN_bltu, A2, 18, loop);
    gen_land(g, skip1);
    gen_land(g, skip2);
}

static void emit_fold(gen_t *g)
{
    load(g, T0, X_GP, CTL_HASH);
    emit_li(g, T1, FNV_PRIME);
    for (uint32_t n = 1; n < 32; n++) {
        fold(g, CTL_X + 4 * n);
    }
    fold(g, CTL_EPC);
    fold(g, CTL_TVAL);
    fold(g, CTL_STATUS);
    fold(g, CTL_FCSR);
    fold(g, CTL_CAUSE); /* t2: the cause */
    emit(g, INSN_addi, T3, T2, 0, (uint32_t)-8);
    emit(g, INSN_sltiu, T3, T3, 0, 4);
    uint32_t no_floats = emit_forward(g, INSN_beq, 0, T3, X_ZERO);
    for (uint32_t n = 0; n < 32; n++) {
        emit(g, INSN_fsd, 0, X_GP, n, CTL_F + 8 * n);
    }
    for (uint32_t n = 0; n < 64; n++) {
        fold(g, CTL_F + 4 * n);
    }
    gen_land(g, no_floats);
    store(g, T0, X_GP, CTL_HASH);
}

/* t0: resume pc, already where it belongs. Back to the interrupted program. */
static void emit_restore(gen_t *g, const trap_csrs_t *c)
{
    csr_write(g, c->epc, T0);
    load(g, T1, X_GP, CTL_STATUS);
    csr_write(g, c->status, T1);
    for (uint32_t n = 1; n < 32; n++) {
        if (n != X_GP) {
            load(g, n, X_GP, CTL_X + 4 * n);
        }
    }
    load(g, X_GP, X_GP, CTL_X + 4 * X_GP);
    emit(g, c->ret, 0, 0, 0, 0);
}

/* t0 (a pc) becomes the physical address that it is an alias of. */
static void emit_canonical_pc(gen_t *g)
{
    uint32_t skip = emit_forward(g, INSN_blt, 0, T0, X_ZERO);
    emit_li(g, T1, PHYS - USER_ALIAS);
    emit(g, INSN_add, T0, T0, T1, 0);
    gen_land(g, skip);
}

/* An ECALL with CTL_REQUEST set. M-mode goes on there in M-mode; S-mode passes the request on. */
static void emit_request(gen_t *g, const trap_csrs_t *c)
{
    load(g, T0, X_GP, CTL_EPC);
    if (!c->machine) {
        store(g, T0, T4, CTL_REQUEST_PC);
        for (uint32_t n = 1; n < 32; n++) {
            if (n != X_GP) {
                load(g, n, X_GP, CTL_X + 4 * n);
            }
        }
        load(g, X_GP, X_GP, CTL_X + 4 * X_GP);
        emit(g, INSN_ecall, 0, 0, 0, 0);
        return;
    }
    load(g, T1, T4, CTL_REQUEST_PC);
    uint32_t direct = emit_forward(g, INSN_beq, 0, T1, X_ZERO);
    emit(g, INSN_addi, T0, T1, 0, 0);
    gen_land(g, direct);
    store(g, X_ZERO, T4, CTL_REQUEST_PC);
    store(g, X_ZERO, T4, CTL_REQUEST);
    emit_canonical_pc(g);
    emit(g, INSN_addi, T0, T0, 0, 4);
    load(g, T1, X_GP, CTL_STATUS);
    emit_li(g, T2, 0x1800);
    emit(g, INSN_or, T1, T1, T2, 0);
    store(g, T1, X_GP, CTL_STATUS);
    emit_restore(g, c);
}

static void emit_handler(gen_t *g, const trap_csrs_t *c)
{
    emit_save(g, c);
    emit_dump(g, c);
    emit_fold(g);
    load(g, T2, X_GP, CTL_CAUSE);
    uint32_t exception = emit_forward(g, INSN_bge, 0, T2, X_ZERO);
    emit_li(g, T1, 1);
    emit(g, INSN_sll, T1, T1, T2, 0);
    emit_csr(g, INSN_csrrc, X_ZERO, c->ie, T1);
    load(g, T0, X_GP, CTL_EPC);
    emit_restore(g, c);

    gen_land(g, exception);
    emit_li(g, T4, PHYS + OFF_CONTROL);
    uint32_t not_call = emit_forward(g, INSN_beq, 0, T3, X_ZERO);
    load(g, T1, T4, CTL_REQUEST);
    uint32_t no_request = emit_forward(g, INSN_beq, 0, T1, X_ZERO);
    emit_request(g, c);

    gen_land(g, not_call);
    load(g, T0, X_GP, CTL_X + 4 * X_RA);
    emit_li(g, T1, (1u << 0) | (1u << 1) | (1u << 12)); /* fetch faults */
    emit(g, INSN_srl, T1, T1, T2, 0);
    emit(g, INSN_andi, T1, T1, 0, 1);
    uint32_t execution = emit_forward(g, INSN_beq, 0, T1, X_ZERO);
    emit_restore(g, c);

    gen_land(g, no_request);
    gen_land(g, execution);
    load(g, T0, X_GP, CTL_EPC);
    emit_canonical_pc(g);
    emit(g, INSN_lhu, T1, T0, 0, 0);
    emit(g, INSN_andi, T1, T1, 0, 3);
    emit(g, INSN_sltiu, T1, T1, 0, 3); /* 1 when compressed */
    emit(g, INSN_slli, T1, T1, 0, 1);
    load(g, T0, X_GP, CTL_EPC);
    emit(g, INSN_addi, T0, T0, 0, 4);
    emit(g, INSN_sub, T0, T0, T1, 0);
    emit_restore(g, c);
}

/* Prints a0 as eight hex digits and a newline. Changes t0..t6. Link in ra. */
static void emit_print_line(gen_t *g)
{
    g->print_line = g->pc;
    emit_li(g, T0, UART_BASE);
    emit_li(g, T1, 28);
    uint32_t digit = g->pc;
    emit_li(g, T2, '\n');
    uint32_t last = emit_forward(g, INSN_blt, 0, T1, X_ZERO);
    emit(g, INSN_srl, T2, A0, T1, 0);
    emit(g, INSN_andi, T2, T2, 0, 15);
    emit(g, INSN_sltiu, T3, T2, 0, 10);
    emit(g, INSN_addi, T2, T2, 0, 'a' - 10);
    uint32_t letter = emit_forward(g, INSN_beq, 0, T3, X_ZERO);
    emit(g, INSN_addi, T2, T2, 0, (uint32_t)('0' - ('a' - 10)));
    gen_land(g, letter);
    gen_land(g, last);
    uint32_t wait = g->pc;
    emit(g, INSN_lbu, T3, T0, 0, 5);
    emit(g, INSN_andi, T3, T3, 0, 0x20);
    emit_branch(g, INSN_beq, T3, X_ZERO, wait);
    emit(g, INSN_sb, 0, T0, T2, 0);
    emit(g, INSN_addi, T1, T1, 0, (uint32_t)-4);
    emit_li(g, T3, (uint32_t)-4);
    emit_branch(g, INSN_bge, T1, T3, digit);
    emit(g, INSN_jalr, X_ZERO, X_RA, 0, 0);
}

/* xorshift32 of t0, through t1 */
static void emit_xorshift(gen_t *g)
{
    static const struct {
        insn_id_t id;
        uint32_t amount;
    } steps[3] = {{INSN_slli, 13}, {INSN_srli, 17}, {INSN_slli, 5}};
    for (unsigned i = 0; i < 3; i++) {
        emit(g, steps[i].id, T1, T0, 0, steps[i].amount);
        emit(g, INSN_xor, T0, T0, T1, 0);
    }
}

/* Fills scratch memory: random bits and entries of the pool. The seed is CTL_SEED. Link in ra. */
static void emit_refill(gen_t *g)
{
    g->refill = g->pc;
    emit_li(g, T6, PHYS + OFF_CONTROL);
    load(g, T0, T6, CTL_SEED);
    emit_li(g, T2, PHYS + OFF_SCRATCH);
    emit_li(g, T3, PHYS + OFF_SCRATCH + 0x4000);
    emit_li(g, T4, PHYS + OFF_POOL);
    uint32_t loop = g->pc;
    emit_xorshift(g);
    store(g, T0, T2, 0);
    emit_xorshift(g);
    store(g, T0, T2, 4);
    emit(g, INSN_andi, T1, T0, 0, 3);
    uint32_t keep = emit_forward(g, INSN_beq, 0, T1, X_ZERO);
    emit(g, INSN_srli, T1, T0, 0, 8);
    emit(g, INSN_andi, T1, T1, 0, 0x7f8); /* one of 256 doublewords */
    emit(g, INSN_add, T1, T1, T4, 0);
    load(g, T5, T1, 0);
    store(g, T5, T2, 0);
    load(g, T5, T1, 4);
    store(g, T5, T2, 4);
    gen_land(g, keep);
    emit(g, INSN_addi, T2, T2, 0, 8);
    emit_branch(g, INSN_bltu, T2, T3, loop);
    store(g, T0, T6, CTL_SEED);
    emit(g, INSN_jalr, X_ZERO, X_RA, 0, 0);
}

/* Folds the page tables and the data pages into the M hash. Link in ra. */
static void emit_hash_memory(gen_t *g)
{
    g->hash_memory = g->pc;
    emit_li(g, T6, PHYS + OFF_CONTROL);
    load(g, T0, T6, CTL_HASH);
    emit_li(g, T1, FNV_PRIME);
    emit_li(g, T3, PHYS + OFF_ROOT);
    emit_li(g, T4, PHYS + OFF_HASHED_END);
    uint32_t loop = g->pc;
    load(g, T2, T3, 0);
    emit(g, INSN_xor, T0, T0, T2, 0);
    emit(g, INSN_mul, T0, T0, T1, 0);
    emit(g, INSN_addi, T3, T3, 0, 4);
    emit_branch(g, INSN_bltu, T3, T4, loop);
    store(g, T0, T6, CTL_HASH);
    emit(g, INSN_jalr, X_ZERO, X_RA, 0, 0);
}

/* Ends the run: prints the count of instructions, powers off. */
static void emit_finish(gen_t *g)
{
    g->finish = g->pc;
    csr_read(g, A0, 0xb82);
    emit_jal(g, X_RA, g->print_line);
    csr_read(g, A0, 0xb02);
    emit_jal(g, X_RA, g->print_line);
    emit_li(g, T0, SYSCON_BASE);
    emit_li(g, T1, 0x5555);
    store(g, T1, T0, 0);
    emit_jal(g, X_ZERO, g->pc);
}

/* Vectored mode: one jump per cause, all to the same place but for those that nobody can raise. */
static uint32_t emit_vectors(gen_t *g, uint32_t handler)
{
    g->pc = (uint32_t)util_align_up(g->pc, 256);
    uint32_t base = g->pc;
    for (unsigned cause = 0; cause < 16; cause++) {
        bool real = cause == 0 || (cause & 1 && cause <= 11);
        emit_jal(g, X_ZERO, real ? handler : g->finish);
    }
    return base;
}

void runtime_emit(gen_t *g)
{
    uint32_t start = emit_forward(g, INSN_jal, X_ZERO, 0, 0);
    emit_print_line(g);
    emit_refill(g);
    emit_hash_memory(g);
    emit_finish(g);
    uint32_t handler = g->pc;
    emit_handler(g, &machine_csrs);
    g->handler_m = emit_vectors(g, handler);
    handler = g->pc;
    emit_handler(g, &supervisor_csrs);
    g->handler_s = emit_vectors(g, handler);
    gen_land(g, start);
    runtime_emit_start(g);
    emit_li(g, T0, PHYS + OFF_BLOCKS);
    emit(g, INSN_jalr, X_ZERO, T0, 0, 0);
}

/* Harts other than 0 sleep for good. */
static void emit_park(gen_t *g)
{
    csr_read(g, T0, 0xf14);
    uint32_t first = emit_forward(g, INSN_beq, 0, T0, X_ZERO);
    uint32_t park = g->pc;
    emit(g, INSN_wfi, 0, 0, 0, 0);
    emit_jal(g, X_ZERO, park);
    gen_land(g, first);
}

/* From reset: trap vectors, PMP open, FP on, hardware A/D updates, registers cleared. */
void runtime_emit_start(gen_t *g)
{
    emit_park(g);
    emit_li(g, T0, g->handler_m);
    csr_write(g, 0x305, T0);
    emit_li(g, T0, g->handler_s);
    csr_write(g, 0x105, T0);
    emit_li(g, T0, PHYS + OFF_CONTROL);
    csr_write(g, 0x340, T0);
    emit(g, INSN_addi, T0, T0, 0, CONTROL_S);
    csr_write(g, 0x140, T0);
    emit_li(g, T0, 0xffffffff);
    csr_write(g, 0x3bf, T0); /* pmpaddr15 */
    emit_li(g, T0, 0x1f000000);
    csr_write(g, 0x3a3, T0);
    emit_li(g, T0, 0xa0000000); /* menvcfgh: STCE, ADUE */
    csr_write(g, 0x31a, T0);
    emit_li(g, T0, 7);
    csr_write(g, 0x306, T0);
    csr_write(g, 0x106, T0);
    emit_li(g, T0, MSTATUS_FS_DIRTY);
    csr_write(g, 0x300, T0);
    csr_write(g, 0x003, X_ZERO);
    for (uint32_t n = 0; n < 32; n++) {
        emit(g, INSN_fcvt_d_w, n, X_ZERO, 0, 0);
    }
    for (uint32_t n = 1; n < 32; n++) {
        emit_li(g, n, 0);
    }
}

/* A double whose exponent is near 0, so that sums cancel and products stay in range. */
static uint64_t near_one(gen_t *g)
{
    uint64_t fraction = (uint64_t)gen_word(g) << 20 ^ gen_word(g);
    uint64_t exponent = 1023 - 32 + gen_random(g, 66);
    if (gen_chance(g, 30)) {
        fraction &= UINT64_C(0xfffff00000000);
    }
    return (uint64_t)gen_random(g, 2) << 63 | exponent << 52 | (fraction & 0xfffffffffffff);
}

static uint32_t near_one_single(gen_t *g)
{
    uint32_t fraction = gen_word(g) & (gen_chance(g, 30) ? 0x7ff000 : 0x7fffff);
    return gen_random(g, 2) << 31 | (127 - 32 + gen_random(g, 66)) << 23 | fraction;
}

static uint64_t pool_entry(gen_t *g, unsigned n)
{
    static const uint64_t doubles[] = {
        0,
        UINT64_C(1) << 63,
        UINT64_C(0x7ff0000000000000),
        UINT64_C(0xfff0000000000000),
        UINT64_C(0x7ff8000000000000),
        UINT64_C(0x7ff0000000000001),
        UINT64_C(0xfff8000000000001),
        1,
        UINT64_C(0x000fffffffffffff),
        UINT64_C(0x0010000000000000),
        UINT64_C(0x7fefffffffffffff),
        UINT64_C(0x3ff0000000000000),
        UINT64_C(0xbff0000000000000),
        UINT64_C(0x41dfffffffc00000),
        UINT64_C(0x41e0000000000000),
        UINT64_C(0xc1e0000000200000),
        UINT64_C(0x41efffffffe00000),
        UINT64_C(0x41efffffffefffff),
        UINT64_C(0xbfe0000000000000),
        UINT64_C(0x380fffffffffffff),
        UINT64_C(0x47efffffefffffff),
        UINT64_C(0x36a0000000000000),
        UINT64_C(0x3ca0000000000000),
        UINT64_C(0x8000000000000001),
        UINT64_C(0x3fefffffffffffff),
        UINT64_C(0xc1e00000001fffff),
    };
    static const uint32_t singles[] = {
        0,          0x80000000, 0x7f800000, 0xff800000, 0x7fc00000, 0x7f800001,
        0xffc00001, 1,          0x007fffff, 0x00800000, 0x7f7fffff, 0x3f800000,
        0xbf800000, 0x4effffff, 0x4f000000, 0xcf000000, 0xcf000001, 0x4f7fffff,
        0x4f800000, 0xbf000000, 0x80000001, 0x3f7fffff, 0x33800000,
    };
    if (n < ARRAY_LEN(doubles)) {
        return doubles[n];
    }
    n -= ARRAY_LEN(doubles);
    if (n < ARRAY_LEN(singles)) {
        return singles[n] | UINT64_C(0xffffffff) << 32;
    }
    switch (n % 4) {
    case 0:
        return near_one(g);
    case 1:
        return near_one_single(g) | UINT64_C(0xffffffff) << 32;
    case 2:
        return (uint64_t)gen_interesting(g) << 32 | gen_interesting(g);
    default:
        return singles[gen_random(g, ARRAY_LEN(singles))] | (uint64_t)gen_word(g) << 32;
    }
}

void runtime_fill_data(gen_t *g)
{
    for (unsigned n = 0; n < 256; n++) {
        uint64_t value = pool_entry(g, n);
        gen_put32(g, OFF_POOL + 8 * n, (uint32_t)value);
        gen_put32(g, OFF_POOL + 8 * n + 4, (uint32_t)(value >> 32));
    }
    for (uint32_t offset = OFF_VMDATA; offset < OFF_HASHED_END; offset += 4) {
        gen_put32(g, offset, gen_word(g));
    }
    for (uint32_t offset = 0; offset < 4096; offset += 4) {
        gen_put32(g, OFF_STUB + offset, 0x80828082); /* c.jr ra, twice */
    }
}
