/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The meaning of F and D: register access with NaN boxing, rounding modes and FS around the arithmetic of
 * fpu.h. bool sem_X(hart, insn): false when a trap was raised.
 */
#ifndef RVKIT_CPU_SEM_FP_H
#define RVKIT_CPU_SEM_FP_H

#include "fpu.h"
#include "sem_mem.h"

#define FS_OFF 0
#define FS_DIRTY 3
#define BOX_S (UINT64_C(0xffffffff) << 32)
#define NAN_S 0x7fc00000u

/* A single in a 64-bit register is boxed by ones above it; anything else reads as the canonical NaN. */
ALWAYS_INLINE uint32_t f_get_s(const hart_t *h, unsigned n)
{
    uint64_t v = h->f[n];
    return LIKELY(v >= BOX_S) ? (uint32_t)v : NAN_S;
}

ALWAYS_INLINE void f_set_s(hart_t *h, unsigned n, uint32_t v)
{
    h->f[n] = BOX_S | v;
}

/* The unit is on; what follows may change its state. */
ALWAYS_INLINE bool fp_begin(hart_t *h)
{
    if (LIKELY(h->fs == FS_DIRTY)) {
        return true;
    }
    if (h->fs == FS_OFF) {
        return false;
    }
    h->fs = FS_DIRTY;
    return true;
}

/* The rounding mode of an instruction; above 4 it is reserved and the instruction illegal. */
ALWAYS_INLINE unsigned fp_rounding(const hart_t *h, const insn_t *i)
{
    return LIKELY(i->rm == 7) ? h->frm : i->rm;
}

/* FP_SEM(name, fields): a body with the unit on. FP_SEM_RM: also with rm, a legal rounding mode. */
#define FP_SEM(name, ...)                                                                          \
    static inline bool sem_##name(hart_t *h, const insn_t *i)                                      \
    {                                                                                              \
        if (UNLIKELY(!fp_begin(h))) {                                                              \
            return hart_raise_illegal(h, i);                                                       \
        }                                                                                          \
        __VA_ARGS__;                                                                               \
        return true;                                                                               \
    }
#define FP_SEM_RM(name, ...)                                                                       \
    static inline bool sem_##name(hart_t *h, const insn_t *i)                                      \
    {                                                                                              \
        unsigned rm = fp_rounding(h, i);                                                           \
        if (UNLIKELY(rm > 4 || !fp_begin(h))) {                                                    \
            return hart_raise_illegal(h, i);                                                       \
        }                                                                                          \
        __VA_ARGS__;                                                                               \
        return true;                                                                               \
    }

#define S1 f_get_s(h, i->rs1)
#define S2 f_get_s(h, i->rs2)
#define S3 f_get_s(h, i->rs3)
#define D1 h->f[i->rs1]
#define D2 h->f[i->rs2]
#define D3 h->f[i->rs3]
#define SET_S(v) f_set_s(h, i->rd, (v))
#define SET_D(v) h->f[i->rd] = (v)
#define SET_X(v) h->x[i->rd] = (v)
#define FLAGS &h->fflags
#define NEG_S 0x80000000u
#define NEG_D (UINT64_C(1) << 63)

FP_SEM_RM(fadd_s, SET_S(fpu_f32_add(S1, S2, rm, FLAGS)))
FP_SEM_RM(fsub_s, SET_S(fpu_f32_sub(S1, S2, rm, FLAGS)))
FP_SEM_RM(fmul_s, SET_S(fpu_f32_mul(S1, S2, rm, FLAGS)))
FP_SEM_RM(fdiv_s, SET_S(fpu_f32_div(S1, S2, rm, FLAGS)))
FP_SEM_RM(fsqrt_s, SET_S(fpu_f32_sqrt(S1, rm, FLAGS)))
FP_SEM_RM(fmadd_s, SET_S(fpu_f32_mul_add(S1, S2, S3, rm, FLAGS)))
FP_SEM_RM(fmsub_s, SET_S(fpu_f32_mul_add(S1, S2, S3 ^ NEG_S, rm, FLAGS)))
FP_SEM_RM(fnmsub_s, SET_S(fpu_f32_mul_add(S1 ^ NEG_S, S2, S3, rm, FLAGS)))
FP_SEM_RM(fnmadd_s, SET_S(fpu_f32_mul_add(S1 ^ NEG_S, S2, S3 ^ NEG_S, rm, FLAGS)))
FP_SEM(fsgnj_s, SET_S((S1 & ~NEG_S) | (S2 & NEG_S)))
FP_SEM(fsgnjn_s, SET_S((S1 & ~NEG_S) | (~S2 & NEG_S)))
FP_SEM(fsgnjx_s, SET_S(S1 ^ (S2 & NEG_S)))
FP_SEM(fmin_s, SET_S(fpu_f32_min(S1, S2, FLAGS)))
FP_SEM(fmax_s, SET_S(fpu_f32_max(S1, S2, FLAGS)))
FP_SEM(feq_s, SET_X(fpu_f32_eq(S1, S2, FLAGS)))
FP_SEM(flt_s, SET_X(fpu_f32_lt(S1, S2, FLAGS)))
FP_SEM(fle_s, SET_X(fpu_f32_le(S1, S2, FLAGS)))
FP_SEM(fclass_s, SET_X(fpu_f32_class(S1)))
FP_SEM(fmv_x_w, SET_X((uint32_t)D1))
FP_SEM(fmv_w_x, SET_S(h->x[i->rs1]))
FP_SEM_RM(fcvt_w_s, SET_X(fpu_f32_to_i32(S1, rm, FLAGS)))
FP_SEM_RM(fcvt_wu_s, SET_X(fpu_f32_to_u32(S1, rm, FLAGS)))
FP_SEM_RM(fcvt_s_w, SET_S(fpu_f32_from_i32(h->x[i->rs1], rm, FLAGS)))
FP_SEM_RM(fcvt_s_wu, SET_S(fpu_f32_from_u32(h->x[i->rs1], rm, FLAGS)))

FP_SEM_RM(fadd_d, SET_D(fpu_f64_add(D1, D2, rm, FLAGS)))
FP_SEM_RM(fsub_d, SET_D(fpu_f64_sub(D1, D2, rm, FLAGS)))
FP_SEM_RM(fmul_d, SET_D(fpu_f64_mul(D1, D2, rm, FLAGS)))
FP_SEM_RM(fdiv_d, SET_D(fpu_f64_div(D1, D2, rm, FLAGS)))
FP_SEM_RM(fsqrt_d, SET_D(fpu_f64_sqrt(D1, rm, FLAGS)))
FP_SEM_RM(fmadd_d, SET_D(fpu_f64_mul_add(D1, D2, D3, rm, FLAGS)))
FP_SEM_RM(fmsub_d, SET_D(fpu_f64_mul_add(D1, D2, D3 ^ NEG_D, rm, FLAGS)))
FP_SEM_RM(fnmsub_d, SET_D(fpu_f64_mul_add(D1 ^ NEG_D, D2, D3, rm, FLAGS)))
FP_SEM_RM(fnmadd_d, SET_D(fpu_f64_mul_add(D1 ^ NEG_D, D2, D3 ^ NEG_D, rm, FLAGS)))
FP_SEM(fsgnj_d, SET_D((D1 & ~NEG_D) | (D2 & NEG_D)))
FP_SEM(fsgnjn_d, SET_D((D1 & ~NEG_D) | (~D2 & NEG_D)))
FP_SEM(fsgnjx_d, SET_D(D1 ^ (D2 & NEG_D)))
FP_SEM(fmin_d, SET_D(fpu_f64_min(D1, D2, FLAGS)))
FP_SEM(fmax_d, SET_D(fpu_f64_max(D1, D2, FLAGS)))
FP_SEM(feq_d, SET_X(fpu_f64_eq(D1, D2, FLAGS)))
FP_SEM(flt_d, SET_X(fpu_f64_lt(D1, D2, FLAGS)))
FP_SEM(fle_d, SET_X(fpu_f64_le(D1, D2, FLAGS)))
FP_SEM(fclass_d, SET_X(fpu_f64_class(D1)))
FP_SEM_RM(fcvt_s_d, SET_S(fpu_f64_to_f32(D1, rm, FLAGS)))
FP_SEM_RM(fcvt_d_s, (void)rm; SET_D(fpu_f32_to_f64(S1, FLAGS)))
FP_SEM_RM(fcvt_w_d, SET_X(fpu_f64_to_i32(D1, rm, FLAGS)))
FP_SEM_RM(fcvt_wu_d, SET_X(fpu_f64_to_u32(D1, rm, FLAGS)))
FP_SEM_RM(fcvt_d_w, SET_D(fpu_f64_from_i32(h->x[i->rs1], rm, FLAGS)))
FP_SEM_RM(fcvt_d_wu, SET_D(fpu_f64_from_u32(h->x[i->rs1], rm, FLAGS)))

/*
 * The short cuts: nothing is known to be unusual (unit dirty, nearest even, NX already set), and host
 * arithmetic gives a result that is plainly inside the format's range.
 */
#define FP_FAST(name, try, set)                                                                    \
    ALWAYS_INLINE bool fast_##name(hart_t *h, const insn_t *i)                                     \
    {                                                                                              \
        unsigned rm = fp_rounding(h, i);                                                           \
        if (UNLIKELY(h->fs != FS_DIRTY || !fpu_host_fits(rm, &h->fflags))) {                       \
            return false;                                                                          \
        }                                                                                          \
        try;                                                                                       \
        set;                                                                                       \
        return true;                                                                               \
    }
#define TRY_S(expr)                                                                                \
    uint32_t r;                                                                                    \
    if (UNLIKELY(!(expr))) {                                                                       \
        return false;                                                                              \
    }
#define TRY_D(expr)                                                                                \
    uint64_t r;                                                                                    \
    if (UNLIKELY(!(expr))) {                                                                       \
        return false;                                                                              \
    }

FP_FAST(fadd_s, TRY_S(fpu_f32_try_add(S1, S2, &r)), SET_S(r))
FP_FAST(fsub_s, TRY_S(fpu_f32_try_add(S1, S2 ^ NEG_S, &r)), SET_S(r))
FP_FAST(fmul_s, TRY_S(fpu_f32_try_mul(S1, S2, &r)), SET_S(r))
FP_FAST(fdiv_s, TRY_S(fpu_f32_try_div(S1, S2, &r)), SET_S(r))
FP_FAST(fmadd_s, TRY_S(fpu_f32_try_mul_add(S1, S2, S3, &r)), SET_S(r))
FP_FAST(fmsub_s, TRY_S(fpu_f32_try_mul_add(S1, S2, S3 ^ NEG_S, &r)), SET_S(r))
FP_FAST(fnmsub_s, TRY_S(fpu_f32_try_mul_add(S1 ^ NEG_S, S2, S3, &r)), SET_S(r))
FP_FAST(fnmadd_s, TRY_S(fpu_f32_try_mul_add(S1 ^ NEG_S, S2, S3 ^ NEG_S, &r)), SET_S(r))
FP_FAST(fadd_d, TRY_D(fpu_f64_try_add(D1, D2, &r)), SET_D(r))
FP_FAST(fsub_d, TRY_D(fpu_f64_try_add(D1, D2 ^ NEG_D, &r)), SET_D(r))
FP_FAST(fmul_d, TRY_D(fpu_f64_try_mul(D1, D2, &r)), SET_D(r))
FP_FAST(fdiv_d, TRY_D(fpu_f64_try_div(D1, D2, &r)), SET_D(r))
FP_FAST(fmadd_d, TRY_D(fpu_f64_try_mul_add(D1, D2, D3, &r)), SET_D(r))
FP_FAST(fmsub_d, TRY_D(fpu_f64_try_mul_add(D1, D2, D3 ^ NEG_D, &r)), SET_D(r))
FP_FAST(fnmsub_d, TRY_D(fpu_f64_try_mul_add(D1 ^ NEG_D, D2, D3, &r)), SET_D(r))
FP_FAST(fnmadd_d, TRY_D(fpu_f64_try_mul_add(D1 ^ NEG_D, D2, D3 ^ NEG_D, &r)), SET_D(r))

#undef FP_FAST
#undef TRY_S
#undef TRY_D
#undef S1
#undef S2
#undef S3
#undef D1
#undef D2
#undef D3
#undef SET_S
#undef SET_D
#undef SET_X
#undef FLAGS
#undef FP_SEM
#undef FP_SEM_RM

/* Loads and stores. A store leaves FS as it is: nothing changed. */
#define SEM_FLOAD(name, size, load, box)                                                           \
    ALWAYS_INLINE bool fast_##name(hart_t *h, const insn_t *i)                                     \
    {                                                                                              \
        void *p;                                                                                   \
        if (!tlb_load_hit(h, h->x[i->rs1] + i->imm, size, &p) || UNLIKELY(h->fs != FS_DIRTY)) {    \
            return false;                                                                          \
        }                                                                                          \
        h->f[i->rd] = (box) | load(p);                                                             \
        return true;                                                                               \
    }                                                                                              \
    static inline bool sem_##name(hart_t *h, const insn_t *i)                                      \
    {                                                                                              \
        uint64_t value;                                                                            \
        if (h->fs == FS_OFF) {                                                                     \
            return hart_raise_illegal(h, i);                                                       \
        }                                                                                          \
        if (!mmu_load(h, h->x[i->rs1] + i->imm, size, &value)) {                                   \
            return false;                                                                          \
        }                                                                                          \
        h->fs = FS_DIRTY;                                                                          \
        h->f[i->rd] = (box) | value;                                                               \
        return true;                                                                               \
    }

#define SEM_FSTORE(name, size, store, type)                                                        \
    ALWAYS_INLINE bool fast_##name(hart_t *h, const insn_t *i)                                     \
    {                                                                                              \
        void *p;                                                                                   \
        if (!tlb_store_hit(h, h->x[i->rs1] + i->imm, size, &p) || UNLIKELY(h->fs == FS_OFF)) {     \
            return false;                                                                          \
        }                                                                                          \
        store(p, (type)h->f[i->rs2]);                                                              \
        return true;                                                                               \
    }                                                                                              \
    static inline bool sem_##name(hart_t *h, const insn_t *i)                                      \
    {                                                                                              \
        if (h->fs == FS_OFF) {                                                                     \
            return hart_raise_illegal(h, i);                                                       \
        }                                                                                          \
        return mmu_store(h, h->x[i->rs1] + i->imm, size, (type)h->f[i->rs2]);                      \
    }

SEM_FLOAD(flw, 4, ram_load_u32, BOX_S)
SEM_FLOAD(fld, 8, ram_load_u64, 0)
SEM_FSTORE(fsw, 4, ram_store_u32, uint32_t)
SEM_FSTORE(fsd, 8, ram_store_u64, uint64_t)

#undef SEM_FLOAD
#undef SEM_FSTORE

#endif
