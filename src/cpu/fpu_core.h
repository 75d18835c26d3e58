/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What the files of the floating-point core share: taking numbers apart, rounding, putting them
 * together. Nobody but src/cpu/fpu*.c includes this; the interface is fpu.h.
 *
 * One text serves both formats. A bit pattern travels as uint64_t (single precision in the low
 * half), next to a format that is a constant at each call of an inline function, so the compiler
 * writes the two versions.
 *
 * A finite number is taken apart into (sign, exp, sig), which means
 *
 *     (-1)^sign * sig * 2^(exp - bias - 62)
 *
 * exp is the biased exponent. A normalised sig has its leading one in bit 62: bit 63 takes a carry,
 * and the bits below the fraction (10 or 39 of them) are guard bits. "Jamming" a right shift means
 * that bit 0 of the result also tells whether a one was lost, which is all that rounding needs.
 */
#ifndef RVKIT_CPU_FPU_CORE_H
#define RVKIT_CPU_FPU_CORE_H

#include "fpu.h"

#if defined(__GNUC__)
#define FPU_INLINE static inline __attribute__((always_inline))
#define FPU_COLD __attribute__((noinline, cold))
#define FPU_RARE(cond) __builtin_expect(!!(cond), 0)
#else
#define FPU_INLINE static inline
#define FPU_COLD
#define FPU_RARE(cond) (cond)
#endif

/* A format; the value is the width of its fraction field. */
typedef enum { FPU_F32 = 23, FPU_F64 = 52 } fpu_format_t;

typedef struct {
    bool sign;
    int exp;
    uint64_t sig;
} fpu_num_t;

typedef struct {
    uint64_t hi, lo;
} fpu_u128_t;

/* The largest exponent field, that of infinities and NaNs. */
FPU_INLINE int fpu_exp_max(fpu_format_t fmt)
{
    return fmt == FPU_F64 ? 0x7ff : 0xff;
}

FPU_INLINE int fpu_bias(fpu_format_t fmt)
{
    return fpu_exp_max(fmt) >> 1;
}

FPU_INLINE uint64_t fpu_sign_bit(fpu_format_t fmt)
{
    return fmt == FPU_F64 ? 1ull << 63 : 1ull << 31;
}

FPU_INLINE uint64_t fpu_frac_mask(fpu_format_t fmt)
{
    return (1ull << fmt) - 1;
}

/* The bit pattern of plus infinity. */
FPU_INLINE uint64_t fpu_inf(fpu_format_t fmt)
{
    return (uint64_t)fpu_exp_max(fmt) << fmt;
}

/* The canonical NaN: positive, quiet, no payload. */
FPU_INLINE uint64_t fpu_nan(fpu_format_t fmt)
{
    return fpu_inf(fmt) | 1ull << (fmt - 1);
}

FPU_INLINE uint64_t fpu_abs(fpu_format_t fmt, uint64_t x)
{
    return x & (fpu_sign_bit(fmt) - 1);
}

FPU_INLINE bool fpu_is_negative(fpu_format_t fmt, uint64_t x)
{
    return (x & fpu_sign_bit(fmt)) != 0;
}

FPU_INLINE uint64_t fpu_signed(fpu_format_t fmt, bool sign, uint64_t magnitude)
{
    return sign ? magnitude | fpu_sign_bit(fmt) : magnitude;
}

FPU_INLINE bool fpu_is_nan(fpu_format_t fmt, uint64_t x)
{
    return fpu_abs(fmt, x) > fpu_inf(fmt);
}

FPU_INLINE bool fpu_is_snan(fpu_format_t fmt, uint64_t x)
{
    return fpu_is_nan(fmt, x) && !(x & 1ull << (fmt - 1));
}

FPU_INLINE bool fpu_is_finite(fpu_format_t fmt, uint64_t x)
{
    return fpu_abs(fmt, x) < fpu_inf(fmt);
}

/* Neither zero, subnormal, infinite nor NaN. */
FPU_INLINE bool fpu_is_normal(fpu_format_t fmt, uint64_t x)
{
    return fpu_abs(fmt, x) - (1ull << fmt) < fpu_inf(fmt) - (1ull << fmt);
}

/* The result of an invalid operation. */
FPU_INLINE uint64_t fpu_invalid(fpu_format_t fmt, uint32_t *flags)
{
    *flags |= FPU_NV;
    return fpu_nan(fmt);
}

/* Leading zeros of a nonzero word. */
FPU_INLINE int fpu_clz64(uint64_t x)
{
#if defined(__GNUC__)
    return __builtin_clzll(x);
#else
    int n = 0;
    for (int step = 32; step; step >>= 1) {
        if (!(x >> (64 - step))) {
            n += step;
            x <<= step;
        }
    }
    return n;
#endif
}

/* x / 2^n, jammed; any n >= 0. */
FPU_INLINE uint64_t fpu_shift_right_jam(uint64_t x, unsigned n)
{
    if (n > 63) {
        return x != 0;
    }
    return x >> n | ((x & ((1ull << n) - 1)) != 0);
}

FPU_INLINE fpu_u128_t fpu_mul_64(uint64_t a, uint64_t b)
{
#if defined(__SIZEOF_INT128__) && !defined(__wasm__) /* there it would be a library call */
    __extension__ typedef unsigned __int128 fpu_native_u128_t;
    fpu_native_u128_t p = (fpu_native_u128_t)a * b;
    return (fpu_u128_t){(uint64_t)(p >> 64), (uint64_t)p};
#else
    uint64_t a0 = (uint32_t)a, a1 = a >> 32, b0 = (uint32_t)b, b1 = b >> 32;
    uint64_t low = a0 * b0, cross = a1 * b0 + (low >> 32);
    uint64_t middle = a0 * b1 + (uint32_t)cross;
    return (fpu_u128_t){a1 * b1 + (cross >> 32) + (middle >> 32), middle << 32 | (uint32_t)low};
#endif
}

/* Takes a finite number apart. A zero or subnormal comes out with exp 1, not normalised. */
FPU_INLINE fpu_num_t fpu_unpack(fpu_format_t fmt, uint64_t x)
{
    int exp = (int)(fpu_abs(fmt, x) >> fmt);
    uint64_t sig = (x & fpu_frac_mask(fmt)) << (62 - fmt);
    bool normal = exp != 0;
    return (fpu_num_t){fpu_is_negative(fmt, x), exp + !normal, sig | (uint64_t)normal << 62};
}

/* Takes a finite nonzero number apart and normalises it; a subnormal's exp is then below 1. */
FPU_INLINE fpu_num_t fpu_unpack_norm(fpu_format_t fmt, uint64_t x)
{
    fpu_num_t n = fpu_unpack(fmt, x);
    if (FPU_RARE(!(n.sig >> 62))) {
        int shift = fpu_clz64(n.sig) - 1;
        n.sig <<= shift;
        n.exp -= shift;
    }
    return n;
}

/* What is added below the fraction before cutting: `mask` covers the bits that go away. */
FPU_INLINE uint64_t fpu_round_increment(uint64_t mask, bool sign, unsigned rm)
{
    switch (rm) {
    case FPU_RTZ:
        return 0;
    case FPU_RDN:
        return sign ? mask : 0;
    case FPU_RUP:
        return sign ? 0 : mask;
    default:
        return (mask >> 1) + 1;
    }
}

/* fpu_round_pack for results that may underflow or overflow. */
uint64_t fpu_round_pack_edge(fpu_format_t fmt, fpu_num_t n, unsigned rm, uint32_t *flags);

/*
 * Rounds a number to the format and raises NX, UF and OF as due. sig is normalised, or exp is 1 and
 * the guard bits are zero (an exact subnormal or zero).
 */
FPU_INLINE uint64_t fpu_round_pack(fpu_format_t fmt, fpu_num_t n, unsigned rm, uint32_t *flags)
{
    uint64_t mask = (1ull << (62 - fmt)) - 1, half = (mask >> 1) + 1, rest = n.sig & mask;

    if (FPU_RARE((unsigned)(n.exp - 1) >= (unsigned)(fpu_exp_max(fmt) - 2))) {
        return fpu_round_pack_edge(fmt, n, rm, flags);
    }
    n.sig += rm == FPU_RNE ? half : fpu_round_increment(mask, n.sign, rm);
    n.sig >>= 62 - fmt;
    if (rest == half && rm == FPU_RNE) {
        n.sig &= ~1ull;
    }
    *flags |= rest ? FPU_NX : 0;
    /* The leading one of sig, and a carry out of it, add to the exponent. */
    return fpu_signed(fmt, n.sign, ((uint64_t)(n.exp - 1) << fmt) + n.sig);
}

#endif
