/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The hart's floating-point arithmetic: IEEE 754 single and double precision on bit patterns, with
 * the results and flags of RISC-V's F and D extensions (Unprivileged ISA, chapters "F" 2.2 and
 * "D" 2.2), the same on every host. NaN boxing (D, "NaN Boxing of Narrower Values") is the
 * caller's.
 *
 *   f32_* f64_*           the core: integer arithmetic only, no host floating point
 *   fpu_f32_* fpu_f64_*   the same functions with a short cut through the host's FPU where its
 * result is provably the same; an interpreter calls these
 *
 * Common to all:
 *   rm     a rounding mode 0..4 as in the instruction (FPU_RNE…); the caller resolves 7 (dynamic)
 *          and traps on 5 and 6, which would round to nearest even here
 *   flags  the accrued exceptions, bits 0..4 of fcsr: a function sets bits in *flags, it never
 * clears NaN    a NaN result is the canonical NaN, 0x7fc00000 or 0x7ff8000000000000 ("NaN
 * Generation and Propagation"); a signalling NaN operand raises FPU_NV tiny   underflow is detected
 * after rounding ("Floating-Point Control and Status Register") Functions have no other state and
 * may be called from any thread.
 */
#ifndef RVKIT_CPU_FPU_H
#define RVKIT_CPU_FPU_H

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Rounding modes: nearest even, toward zero, down, up, nearest with ties away from zero. */
enum { FPU_RNE = 0, FPU_RTZ = 1, FPU_RDN = 2, FPU_RUP = 3, FPU_RMM = 4 };

/* Accrued exceptions: inexact, underflow, overflow, division by zero, invalid operation. */
enum { FPU_NX = 1, FPU_UF = 2, FPU_OF = 4, FPU_DZ = 8, FPU_NV = 16 };

/* FADD FSUB FMUL FDIV FSQRT ("Single-Precision Floating-Point Computational Instructions"). */
uint32_t f32_add(uint32_t a, uint32_t b, unsigned rm, uint32_t *flags);
uint64_t f64_add(uint64_t a, uint64_t b, unsigned rm, uint32_t *flags);
uint32_t f32_sub(uint32_t a, uint32_t b, unsigned rm, uint32_t *flags);
uint64_t f64_sub(uint64_t a, uint64_t b, unsigned rm, uint32_t *flags);
uint32_t f32_mul(uint32_t a, uint32_t b, unsigned rm, uint32_t *flags);
uint64_t f64_mul(uint64_t a, uint64_t b, unsigned rm, uint32_t *flags);
uint32_t f32_div(uint32_t a, uint32_t b, unsigned rm, uint32_t *flags);
uint64_t f64_div(uint64_t a, uint64_t b, unsigned rm, uint32_t *flags);
uint32_t f32_sqrt(uint32_t a, unsigned rm, uint32_t *flags);
uint64_t f64_sqrt(uint64_t a, unsigned rm, uint32_t *flags);

/*
 * a * b + c, rounded once. FMADD; for FMSUB flip the sign of c, for FNMSUB that of a, for FNMADD
 * both. Infinity times zero raises FPU_NV even when c is a quiet NaN.
 */
uint32_t f32_mul_add(uint32_t a, uint32_t b, uint32_t c, unsigned rm, uint32_t *flags);
uint64_t f64_mul_add(uint64_t a, uint64_t b, uint64_t c, unsigned rm, uint32_t *flags);

/*
 * FMIN FMAX: IEEE 754-2019 minimumNumber and maximumNumber. -0 < +0; of a number and a NaN, the
 * number; of two NaNs, the canonical one.
 */
uint32_t f32_min(uint32_t a, uint32_t b, uint32_t *flags);
uint64_t f64_min(uint64_t a, uint64_t b, uint32_t *flags);
uint32_t f32_max(uint32_t a, uint32_t b, uint32_t *flags);
uint64_t f64_max(uint64_t a, uint64_t b, uint32_t *flags);

/*
 * FEQ FLT FLE ("Single-Precision Floating-Point Compare Instructions"): false if an operand is a
 * NaN. FEQ is quiet, FLT and FLE raise FPU_NV for any NaN.
 */
bool f32_eq(uint32_t a, uint32_t b, uint32_t *flags);
bool f64_eq(uint64_t a, uint64_t b, uint32_t *flags);
bool f32_lt(uint32_t a, uint32_t b, uint32_t *flags);
bool f64_lt(uint64_t a, uint64_t b, uint32_t *flags);
bool f32_le(uint32_t a, uint32_t b, uint32_t *flags);
bool f64_le(uint64_t a, uint64_t b, uint32_t *flags);

/* FCLASS ("Single-Precision Floating-Point Classify Instruction"): one of bits 0..9 set. */
uint32_t f32_class(uint32_t a);
uint32_t f64_class(uint64_t a);

/*
 * FCVT.W FCVT.WU ("Single-Precision Floating-Point Conversion and Move Instructions"). Out of range
 * after rounding: the nearest limit, and FPU_NV alone; a NaN gives the largest integer.
 */
uint32_t f32_to_i32(uint32_t a, unsigned rm, uint32_t *flags);
uint32_t f64_to_i32(uint64_t a, unsigned rm, uint32_t *flags);
uint32_t f32_to_u32(uint32_t a, unsigned rm, uint32_t *flags);
uint32_t f64_to_u32(uint64_t a, unsigned rm, uint32_t *flags);

/* FCVT.S.W FCVT.D.W and their unsigned twins; the double ones are exact. */
uint32_t f32_from_i32(uint32_t a, unsigned rm, uint32_t *flags);
uint64_t f64_from_i32(uint32_t a, unsigned rm, uint32_t *flags);
uint32_t f32_from_u32(uint32_t a, unsigned rm, uint32_t *flags);
uint64_t f64_from_u32(uint32_t a, unsigned rm, uint32_t *flags);

/* FCVT.D.S, which is exact, and FCVT.S.D. */
uint64_t f32_to_f64(uint32_t a, uint32_t *flags);
uint32_t f64_to_f32(uint64_t a, unsigned rm, uint32_t *flags);

/*
 * The short cut. The host's FPU, left in its initial mode, rounds to nearest even; it cannot tell
 * us its flags cheaply. So it is asked only where no flag can be news: rounding is to nearest even,
 * FPU_NX is already set, and the result, looked at afterwards, is finite and far above the
 * subnormal numbers. That excludes FPU_OF and FPU_UF; FPU_NV and FPU_DZ come with a NaN or an
 * infinity out of finite operands.
 *
 * A host thread that flushes subnormals to zero gets the same answers: a subnormal factor, dividend
 * or root then shows as a zero result, a subnormal divisor as an infinite one, and a subnormal
 * addend does not change a sum this large. Only a * b + c looks at its operands for that.
 *
 * FPU_HOST is 0 where the compiler may compute in another precision or take liberties.
 */
#if FLT_EVAL_METHOD == 0 && FLT_MANT_DIG == 24 && DBL_MANT_DIG == 53 && !defined(__FAST_MATH__)
#define FPU_HOST 1
#else
#define FPU_HOST 0
#endif

/* Where fma() is one instruction. */
#if defined(FP_FAST_FMA) || defined(__FMA__) || defined(__ARM_FEATURE_FMA)
#define FPU_HOST_FMA FPU_HOST
#else
#define FPU_HOST_FMA 0
#endif

static inline float fpu_f32_value(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

static inline double fpu_f64_value(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

static inline uint32_t fpu_f32_bits(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof(bits));
    return bits;
}

static inline uint64_t fpu_f64_bits(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof(bits));
    return bits;
}

/* Whether the host rounds as asked and inexactness is no news. */
static inline bool fpu_host_fits(unsigned rm, const uint32_t *flags)
{
    return FPU_HOST && rm == FPU_RNE && (*flags & FPU_NX);
}

/* Finite, and at least 2^32 or 2^64 times the smallest normal number. */
static inline bool fpu_f32_is_plain(uint32_t x)
{
    return (x >> 23 & 0xff) - 33u < 0xffu - 33u;
}

static inline bool fpu_f64_is_plain(uint64_t x)
{
    return ((uint32_t)(x >> 52) & 0x7ff) - 65u < 0x7ffu - 65u;
}

static inline bool fpu_f32_is_subnormal(uint32_t x)
{
    return (x << 1) - 1 < (1u << 24) - 1;
}

static inline bool fpu_f64_is_subnormal(uint64_t x)
{
    return (x << 1) - 1 < (1ull << 53) - 1;
}

/*
 * fpu_X_try_OP: host arithmetic; true when *r is then the exact answer for nearest even with NX already
 * set (fpu_host_fits()). Subtraction is addition with the sign of b flipped.
 */
static inline bool fpu_f32_try_add(uint32_t a, uint32_t b, uint32_t *r)
{
    *r = fpu_f32_bits(fpu_f32_value(a) + fpu_f32_value(b));
    return fpu_f32_is_plain(*r);
}

/* A zero factor makes an exact zero: not rare, and as good as a plain result. */
static inline bool fpu_f32_try_mul(uint32_t a, uint32_t b, uint32_t *r)
{
    *r = fpu_f32_bits(fpu_f32_value(a) * fpu_f32_value(b));
    return fpu_f32_is_plain(*r) || (!(*r << 1) && (!(a << 1) || !(b << 1)));
}

static inline bool fpu_f32_try_div(uint32_t a, uint32_t b, uint32_t *r)
{
    *r = fpu_f32_bits(fpu_f32_value(a) / fpu_f32_value(b));
    return fpu_f32_is_plain(*r);
}

static inline bool fpu_f64_try_add(uint64_t a, uint64_t b, uint64_t *r)
{
    *r = fpu_f64_bits(fpu_f64_value(a) + fpu_f64_value(b));
    return fpu_f64_is_plain(*r);
}

static inline bool fpu_f64_try_mul(uint64_t a, uint64_t b, uint64_t *r)
{
    *r = fpu_f64_bits(fpu_f64_value(a) * fpu_f64_value(b));
    return fpu_f64_is_plain(*r) || (!(*r << 1) && (!(a << 1) || !(b << 1)));
}

static inline bool fpu_f64_try_div(uint64_t a, uint64_t b, uint64_t *r)
{
    *r = fpu_f64_bits(fpu_f64_value(a) / fpu_f64_value(b));
    return fpu_f64_is_plain(*r);
}

/*
 * In double precision the product of two singles is exact and the sum s is rounded once. Rounding s
 * again, to single, can go wrong only if s lies halfway between two singles: otherwise s is on the
 * same side of every such halfway point as the exact sum, for those points are doubles and rounding
 * is monotonic.
 */
static inline bool fpu_f32_try_mul_add(uint32_t a, uint32_t b, uint32_t c, uint32_t *r)
{
    double s = (double)fpu_f32_value(a) * (double)fpu_f32_value(b) + (double)fpu_f32_value(c);
    *r = fpu_f32_bits((float)s);
    return fpu_f32_is_plain(*r) && (fpu_f64_bits(s) & 0x1fffffff) != 0x10000000 &&
           !(fpu_f32_is_subnormal(a) || fpu_f32_is_subnormal(b) || fpu_f32_is_subnormal(c));
}

static inline bool fpu_f64_try_mul_add(uint64_t a, uint64_t b, uint64_t c, uint64_t *r)
{
#if FPU_HOST_FMA
    *r = fpu_f64_bits(fma(fpu_f64_value(a), fpu_f64_value(b), fpu_f64_value(c)));
    return fpu_f64_is_plain(*r) &&
           !(fpu_f64_is_subnormal(a) || fpu_f64_is_subnormal(b) || fpu_f64_is_subnormal(c));
#else
    (void)a, (void)b, (void)c;
    *r = 0;
    return false;
#endif
}

/* The core behind its short cuts. */
static inline uint32_t fpu_f32_add(uint32_t a, uint32_t b, unsigned rm, uint32_t *flags)
{
    uint32_t r;
    return fpu_host_fits(rm, flags) && fpu_f32_try_add(a, b, &r) ? r : f32_add(a, b, rm, flags);
}

static inline uint64_t fpu_f64_add(uint64_t a, uint64_t b, unsigned rm, uint32_t *flags)
{
    uint64_t r;
    return fpu_host_fits(rm, flags) && fpu_f64_try_add(a, b, &r) ? r : f64_add(a, b, rm, flags);
}

static inline uint32_t fpu_f32_sub(uint32_t a, uint32_t b, unsigned rm, uint32_t *flags)
{
    uint32_t r;
    return fpu_host_fits(rm, flags) && fpu_f32_try_add(a, b ^ 0x80000000u, &r) ? r : f32_sub(a, b, rm, flags);
}

static inline uint64_t fpu_f64_sub(uint64_t a, uint64_t b, unsigned rm, uint32_t *flags)
{
    uint64_t r;
    return fpu_host_fits(rm, flags) && fpu_f64_try_add(a, b ^ UINT64_C(1) << 63, &r) ? r : f64_sub(a, b, rm, flags);
}

static inline uint32_t fpu_f32_mul(uint32_t a, uint32_t b, unsigned rm, uint32_t *flags)
{
    uint32_t r;
    return fpu_host_fits(rm, flags) && fpu_f32_try_mul(a, b, &r) ? r : f32_mul(a, b, rm, flags);
}

static inline uint64_t fpu_f64_mul(uint64_t a, uint64_t b, unsigned rm, uint32_t *flags)
{
    uint64_t r;
    return fpu_host_fits(rm, flags) && fpu_f64_try_mul(a, b, &r) ? r : f64_mul(a, b, rm, flags);
}

static inline uint32_t fpu_f32_div(uint32_t a, uint32_t b, unsigned rm, uint32_t *flags)
{
    uint32_t r;
    return fpu_host_fits(rm, flags) && fpu_f32_try_div(a, b, &r) ? r : f32_div(a, b, rm, flags);
}

static inline uint64_t fpu_f64_div(uint64_t a, uint64_t b, unsigned rm, uint32_t *flags)
{
    uint64_t r;
    return fpu_host_fits(rm, flags) && fpu_f64_try_div(a, b, &r) ? r : f64_div(a, b, rm, flags);
}

static inline uint32_t fpu_f32_mul_add(uint32_t a, uint32_t b, uint32_t c, unsigned rm,
                                       uint32_t *flags)
{
    uint32_t r;
    return fpu_host_fits(rm, flags) && fpu_f32_try_mul_add(a, b, c, &r)
               ? r
               : f32_mul_add(a, b, c, rm, flags);
}

static inline uint64_t fpu_f64_mul_add(uint64_t a, uint64_t b, uint64_t c, unsigned rm,
                                       uint32_t *flags)
{
    uint64_t r;
    return fpu_host_fits(rm, flags) && fpu_f64_try_mul_add(a, b, c, &r)
               ? r
               : f64_mul_add(a, b, c, rm, flags);
}

/* IEEE 754 rounds a root correctly, as it does the four operations; a negative operand stays away.
 */
static inline uint32_t fpu_f32_sqrt(uint32_t a, unsigned rm, uint32_t *flags)
{
    if (fpu_host_fits(rm, flags) && !(a >> 31) && fpu_f32_is_plain(a)) {
        return fpu_f32_bits(sqrtf(fpu_f32_value(a)));
    }
    return f32_sqrt(a, rm, flags);
}

static inline uint64_t fpu_f64_sqrt(uint64_t a, unsigned rm, uint32_t *flags)
{
    if (fpu_host_fits(rm, flags) && !(a >> 63) && fpu_f64_is_plain(a)) {
        return fpu_f64_bits(sqrt(fpu_f64_value(a)));
    }
    return f64_sqrt(a, rm, flags);
}

static inline uint32_t fpu_f64_to_f32(uint64_t a, unsigned rm, uint32_t *flags)
{
    if (fpu_host_fits(rm, flags)) {
        uint32_t r = fpu_f32_bits((float)fpu_f64_value(a));
        if (fpu_f32_is_plain(r)) {
            return r;
        }
    }
    return f64_to_f32(a, rm, flags);
}

/* A normal single keeps its fraction and gets the larger bias. */
static inline uint64_t fpu_f32_to_f64(uint32_t a, uint32_t *flags)
{
    if ((a >> 23 & 0xff) - 1u < 0xfeu) {
        uint64_t sign = a >> 31, magnitude = a & 0x7fffffff;
        return sign << 63 | ((magnitude << 29) + ((uint64_t)(1023 - 127) << 52));
    }
    return f32_to_f64(a, flags);
}

/* Every 32-bit integer is a double; those of at most 24 bits are singles. */
static inline uint64_t fpu_f64_from_i32(uint32_t a, unsigned rm, uint32_t *flags)
{
    (void)rm;
    (void)flags;
    return fpu_f64_bits((double)(int32_t)a);
}

static inline uint64_t fpu_f64_from_u32(uint32_t a, unsigned rm, uint32_t *flags)
{
    (void)rm;
    (void)flags;
    return fpu_f64_bits((double)a);
}

static inline uint32_t fpu_f32_from_i32(uint32_t a, unsigned rm, uint32_t *flags)
{
    if (a + (1u << 24) <= 1u << 25 || fpu_host_fits(rm, flags)) {
        return fpu_f32_bits((float)(int32_t)a);
    }
    return f32_from_i32(a, rm, flags);
}

static inline uint32_t fpu_f32_from_u32(uint32_t a, unsigned rm, uint32_t *flags)
{
    if (a <= 1u << 24 || fpu_host_fits(rm, flags)) {
        return fpu_f32_bits((float)a);
    }
    return f32_from_u32(a, rm, flags);
}

/* C truncates, as RTZ does; in range, inexact is what does not come back the same. */
static inline uint32_t fpu_f64_to_i32(uint64_t a, unsigned rm, uint32_t *flags)
{
    if (rm == FPU_RTZ && ((uint32_t)(a >> 52) & 0x7ff) - 65u < 1023u + 31u - 65u) {
        int32_t i = (int32_t)fpu_f64_value(a);
        *flags |= (double)i != fpu_f64_value(a) ? FPU_NX : 0;
        return (uint32_t)i;
    }
    return f64_to_i32(a, rm, flags);
}

static inline uint32_t fpu_f32_to_i32(uint32_t a, unsigned rm, uint32_t *flags)
{
    if (rm == FPU_RTZ && (a >> 23 & 0xff) - 33u < 127u + 31u - 33u) {
        int32_t i = (int32_t)fpu_f32_value(a);
        *flags |= (float)i != fpu_f32_value(a) ? FPU_NX : 0;
        return (uint32_t)i;
    }
    return f32_to_i32(a, rm, flags);
}

/* The rest is as fast in integers. */
#define fpu_f32_to_u32 f32_to_u32
#define fpu_f64_to_u32 f64_to_u32
#define fpu_f32_min f32_min
#define fpu_f64_min f64_min
#define fpu_f32_max f32_max
#define fpu_f64_max f64_max
#define fpu_f32_eq f32_eq
#define fpu_f64_eq f64_eq
#define fpu_f32_lt f32_lt
#define fpu_f64_lt f64_lt
#define fpu_f32_le f32_le
#define fpu_f64_le f64_le
#define fpu_f32_class f32_class
#define fpu_f64_class f64_class

#endif
