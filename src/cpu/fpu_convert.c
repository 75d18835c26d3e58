/* SPDX-License-Identifier: MPL-2.0 */
/* Floating-point comparison, minimum and maximum, classification and conversion on bit patterns. */
#include "fpu_core.h"

/* Orders two numbers that are not NaN: below zero if a < b, zero if equal. -0 equals +0. */
FPU_INLINE int fpu_compare(fpu_format_t fmt, uint64_t a, uint64_t b)
{
    bool negative = fpu_is_negative(fmt, a);

    if (a == b || !fpu_abs(fmt, a | b)) {
        return 0;
    }
    if (negative != fpu_is_negative(fmt, b)) {
        return negative ? -1 : 1;
    }
    return (a < b) != negative ? -1 : 1;
}

FPU_INLINE bool fpu_any_nan(fpu_format_t fmt, uint64_t a, uint64_t b)
{
    return fpu_is_nan(fmt, a) || fpu_is_nan(fmt, b);
}

FPU_INLINE bool fpu_eq(fpu_format_t fmt, uint64_t a, uint64_t b, uint32_t *flags)
{
    if (FPU_RARE(fpu_any_nan(fmt, a, b))) {
        *flags |= fpu_is_snan(fmt, a) || fpu_is_snan(fmt, b) ? FPU_NV : 0;
        return false;
    }
    return fpu_compare(fmt, a, b) == 0;
}

FPU_INLINE bool fpu_below(fpu_format_t fmt, uint64_t a, uint64_t b, int limit, uint32_t *flags)
{
    if (FPU_RARE(fpu_any_nan(fmt, a, b))) {
        *flags |= FPU_NV;
        return false;
    }
    return fpu_compare(fmt, a, b) <= limit;
}

/* The smaller or the larger of a and b, where -0 < +0. */
FPU_INLINE uint64_t fpu_choose(fpu_format_t fmt, uint64_t a, uint64_t b, bool larger,
                               uint32_t *flags)
{
    if (FPU_RARE(fpu_any_nan(fmt, a, b))) {
        *flags |= fpu_is_snan(fmt, a) || fpu_is_snan(fmt, b) ? FPU_NV : 0;
        if (!fpu_is_nan(fmt, a)) {
            return a;
        }
        return fpu_is_nan(fmt, b) ? fpu_nan(fmt) : b;
    }
    bool negative = fpu_is_negative(fmt, a), a_below = (a < b) != negative;
    if (negative != fpu_is_negative(fmt, b)) {
        a_below = negative;
    }
    return a_below != larger ? a : b;
}

/* FCLASS: bit 0 negative infinity … bit 7 positive infinity, bit 8 signalling, bit 9 quiet NaN. */
FPU_INLINE uint32_t fpu_class(fpu_format_t fmt, uint64_t a)
{
    unsigned distance; /* from the zeros, which are bits 3 and 4 */

    if (fpu_is_nan(fmt, a)) {
        return fpu_is_snan(fmt, a) ? 1u << 8 : 1u << 9;
    }
    if (!fpu_is_finite(fmt, a)) {
        distance = 3;
    } else if (fpu_is_normal(fmt, a)) {
        distance = 2;
    } else {
        distance = fpu_abs(fmt, a) != 0;
    }
    return fpu_is_negative(fmt, a) ? 1u << (3 - distance) : 1u << (4 + distance);
}

/*
 * Rounds to an integer with magnitude at most `below` if negative, `above` otherwise. Returns the
 * integer modulo 2^32. The nearest limit, and FPU_NV alone, if out of range; a NaN counts as +inf.
 */
FPU_INLINE uint32_t fpu_to_int(fpu_format_t fmt, uint64_t a, unsigned rm, uint32_t below,
                               uint32_t above, uint32_t *flags)
{
    bool sign = fpu_is_negative(fmt, a) && !fpu_is_nan(fmt, a);
    uint32_t limit = sign ? below : above;
    uint64_t integer = 0, half = 1ull << 63, rest;
    int power = (int)(fpu_abs(fmt, a) >> fmt) - fpu_bias(fmt);
    bool up;

    if (power > 32) {
        *flags |= FPU_NV;
        return sign ? -limit : limit;
    }
    uint64_t sig = fpu_unpack(fmt, a).sig << 1; /* leading one in bit 63: sig * 2^(power-63) */
    if (power >= 0) {
        integer = sig >> (63 - power);
        rest = sig << (power + 1);
    } else {
        rest = fpu_shift_right_jam(sig, (unsigned)(-1 - power));
    }
    switch (rm) {
    case FPU_RTZ:
        up = false;
        break;
    case FPU_RDN:
        up = sign && rest;
        break;
    case FPU_RUP:
        up = !sign && rest;
        break;
    case FPU_RMM:
        up = rest >= half;
        break;
    default:
        up = rest > half || (rest == half && (integer & 1));
    }
    integer += up;
    if (integer > limit) {
        *flags |= FPU_NV;
        integer = limit;
    } else if (rest) {
        *flags |= FPU_NX;
    }
    return sign ? -(uint32_t)integer : (uint32_t)integer;
}

FPU_INLINE uint64_t fpu_from_int(fpu_format_t fmt, bool sign, uint32_t magnitude, unsigned rm,
                                 uint32_t *flags)
{
    if (!magnitude) {
        return 0;
    }
    int shift = fpu_clz64(magnitude) - 1;
    fpu_num_t n = {sign, fpu_bias(fmt) + 62 - shift, (uint64_t)magnitude << shift};
    return fpu_round_pack(fmt, n, rm, flags);
}

uint32_t f32_min(uint32_t a, uint32_t b, uint32_t *flags)
{
    return (uint32_t)fpu_choose(FPU_F32, a, b, false, flags);
}

uint64_t f64_min(uint64_t a, uint64_t b, uint32_t *flags)
{
    return fpu_choose(FPU_F64, a, b, false, flags);
}

uint32_t f32_max(uint32_t a, uint32_t b, uint32_t *flags)
{
    return (uint32_t)fpu_choose(FPU_F32, a, b, true, flags);
}

uint64_t f64_max(uint64_t a, uint64_t b, uint32_t *flags)
{
    return fpu_choose(FPU_F64, a, b, true, flags);
}

bool f32_eq(uint32_t a, uint32_t b, uint32_t *flags)
{
    return fpu_eq(FPU_F32, a, b, flags);
}

bool f64_eq(uint64_t a, uint64_t b, uint32_t *flags)
{
    return fpu_eq(FPU_F64, a, b, flags);
}

bool f32_lt(uint32_t a, uint32_t b, uint32_t *flags)
{
    return fpu_below(FPU_F32, a, b, -1, flags);
}

bool f64_lt(uint64_t a, uint64_t b, uint32_t *flags)
{
    return fpu_below(FPU_F64, a, b, -1, flags);
}

bool f32_le(uint32_t a, uint32_t b, uint32_t *flags)
{
    return fpu_below(FPU_F32, a, b, 0, flags);
}

bool f64_le(uint64_t a, uint64_t b, uint32_t *flags)
{
    return fpu_below(FPU_F64, a, b, 0, flags);
}

uint32_t f32_class(uint32_t a)
{
    return fpu_class(FPU_F32, a);
}

uint32_t f64_class(uint64_t a)
{
    return fpu_class(FPU_F64, a);
}

uint32_t f32_to_i32(uint32_t a, unsigned rm, uint32_t *flags)
{
    return fpu_to_int(FPU_F32, a, rm, 0x80000000u, 0x7fffffffu, flags);
}

uint32_t f64_to_i32(uint64_t a, unsigned rm, uint32_t *flags)
{
    return fpu_to_int(FPU_F64, a, rm, 0x80000000u, 0x7fffffffu, flags);
}

uint32_t f32_to_u32(uint32_t a, unsigned rm, uint32_t *flags)
{
    return fpu_to_int(FPU_F32, a, rm, 0, 0xffffffffu, flags);
}

uint32_t f64_to_u32(uint64_t a, unsigned rm, uint32_t *flags)
{
    return fpu_to_int(FPU_F64, a, rm, 0, 0xffffffffu, flags);
}

uint32_t f32_from_i32(uint32_t a, unsigned rm, uint32_t *flags)
{
    bool sign = a >> 31;
    return (uint32_t)fpu_from_int(FPU_F32, sign, sign ? -a : a, rm, flags);
}

uint64_t f64_from_i32(uint32_t a, unsigned rm, uint32_t *flags)
{
    bool sign = a >> 31;
    return fpu_from_int(FPU_F64, sign, sign ? -a : a, rm, flags);
}

uint32_t f32_from_u32(uint32_t a, unsigned rm, uint32_t *flags)
{
    return (uint32_t)fpu_from_int(FPU_F32, false, a, rm, flags);
}

uint64_t f64_from_u32(uint32_t a, unsigned rm, uint32_t *flags)
{
    return fpu_from_int(FPU_F64, false, a, rm, flags);
}

uint64_t f32_to_f64(uint32_t a, uint32_t *flags)
{
    bool sign = fpu_is_negative(FPU_F32, a);

    if (fpu_is_nan(FPU_F32, a)) {
        *flags |= fpu_is_snan(FPU_F32, a) ? FPU_NV : 0;
        return fpu_nan(FPU_F64);
    }
    if (!fpu_is_finite(FPU_F32, a)) {
        return fpu_signed(FPU_F64, sign, fpu_inf(FPU_F64));
    }
    if (!fpu_abs(FPU_F32, a)) {
        return fpu_signed(FPU_F64, sign, 0);
    }
    fpu_num_t n = fpu_unpack_norm(FPU_F32, a);
    n.exp += fpu_bias(FPU_F64) - fpu_bias(FPU_F32);
    return fpu_round_pack(FPU_F64, n, FPU_RNE, flags);
}

uint32_t f64_to_f32(uint64_t a, unsigned rm, uint32_t *flags)
{
    bool sign = fpu_is_negative(FPU_F64, a);

    if (fpu_is_nan(FPU_F64, a)) {
        *flags |= fpu_is_snan(FPU_F64, a) ? FPU_NV : 0;
        return (uint32_t)fpu_nan(FPU_F32);
    }
    if (!fpu_is_finite(FPU_F64, a)) {
        return (uint32_t)fpu_signed(FPU_F32, sign, fpu_inf(FPU_F32));
    }
    if (!fpu_abs(FPU_F64, a)) {
        return (uint32_t)fpu_signed(FPU_F32, sign, 0);
    }
    fpu_num_t n = fpu_unpack_norm(FPU_F64, a);
    n.exp += fpu_bias(FPU_F32) - fpu_bias(FPU_F64);
    return (uint32_t)fpu_round_pack(FPU_F32, n, rm, flags);
}
