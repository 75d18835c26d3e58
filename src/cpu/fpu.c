/* SPDX-License-Identifier: MPL-2.0 */
/* Floating-point arithmetic on bit patterns: sums, products, quotients, roots, fused a * b + c. */
#include "fpu_core.h"

/*
 * IEEE 754-2008 section 7.4 (overflow) and 7.5 (underflow); the Unprivileged ISA, "Floating-Point
 * Control and Status Register", has tininess detected after rounding: a result is tiny when it
 * would still be below the smallest normal number if rounded with an unbounded exponent.
 */
FPU_COLD uint64_t fpu_round_pack_edge(fpu_format_t fmt, fpu_num_t n, unsigned rm, uint32_t *flags)
{
    uint64_t mask = (1ull << (62 - fmt)) - 1, half = (mask >> 1) + 1;
    uint64_t increment = fpu_round_increment(mask, n.sign, rm), result = fpu_inf(fmt);
    bool inexact = true, tiny = false;

    if (n.exp < 1) {
        tiny = n.exp < 0 || n.sig + increment < 1ull << 63;
        n.sig = fpu_shift_right_jam(n.sig, (unsigned)(1 - n.exp));
        n.exp = 1;
    }
    if (n.exp < fpu_exp_max(fmt)) {
        uint64_t rest = n.sig & mask;
        n.sig = (n.sig + increment) >> (62 - fmt);
        if (rest == half && rm == FPU_RNE) {
            n.sig &= ~1ull;
        }
        inexact = rest != 0;
        result = ((uint64_t)(n.exp - 1) << fmt) + n.sig;
    }
    if (result >= fpu_inf(fmt)) {
        *flags |= FPU_OF | FPU_NX;
        result = fpu_inf(fmt) - (increment == 0); /* the largest finite number if cutting */
    } else if (inexact) {
        *flags |= tiny ? FPU_UF | FPU_NX : FPU_NX;
    }
    return fpu_signed(fmt, n.sign, result);
}

/* The result of an operation with a NaN operand. */
static uint64_t fpu_propagate_nan(fpu_format_t fmt, uint64_t a, uint64_t b, uint32_t *flags)
{
    if (fpu_is_snan(fmt, a) || fpu_is_snan(fmt, b)) {
        *flags |= FPU_NV;
    }
    return fpu_nan(fmt);
}

/* a + b where one of them is infinite or a NaN. */
FPU_COLD static uint64_t fpu_add_special(fpu_format_t fmt, uint64_t a, uint64_t b, uint32_t *flags)
{
    if (fpu_is_nan(fmt, a) || fpu_is_nan(fmt, b)) {
        return fpu_propagate_nan(fmt, a, b, flags);
    }
    if (fpu_is_finite(fmt, b)) {
        return a;
    }
    if (fpu_is_finite(fmt, a) || a == b) {
        return b;
    }
    return fpu_invalid(fmt, flags);
}

/*
 * Subnormal operands need no normalising: when the sum of two is subnormal too, it is exact and its
 * exponent is 1, so it fits into its place as it is.
 */
FPU_INLINE uint64_t fpu_add(fpu_format_t fmt, uint64_t a, uint64_t b, unsigned rm, uint32_t *flags)
{
    if (FPU_RARE(!fpu_is_finite(fmt, a) || !fpu_is_finite(fmt, b))) {
        return fpu_add_special(fmt, a, b, flags);
    }
    bool swap = fpu_abs(fmt, a) < fpu_abs(fmt, b);
    fpu_num_t x = fpu_unpack(fmt, swap ? b : a), y = fpu_unpack(fmt, swap ? a : b);
    y.sig = fpu_shift_right_jam(y.sig, (unsigned)(x.exp - y.exp));
    if (x.sign == y.sign) {
        x.sig += y.sig;
        if (x.sig >> 63) {
            x.sig = x.sig >> 1 | (x.sig & 1);
            x.exp++;
        }
        return fpu_round_pack(fmt, x, rm, flags);
    }
    x.sig -= y.sig;
    if (x.sig == 0) {
        return fpu_signed(fmt, rm == FPU_RDN, 0);
    }
    int shift = fpu_clz64(x.sig) - 1;
    x.sig <<= shift;
    x.exp -= shift;
    return fpu_round_pack(fmt, x, rm, flags);
}

/* a * b where one of them is zero, infinite or a NaN. */
FPU_COLD static uint64_t fpu_mul_special(fpu_format_t fmt, uint64_t a, uint64_t b, uint32_t *flags)
{
    bool sign = fpu_is_negative(fmt, a ^ b);

    if (fpu_is_nan(fmt, a) || fpu_is_nan(fmt, b)) {
        return fpu_propagate_nan(fmt, a, b, flags);
    }
    if (fpu_is_finite(fmt, a) && fpu_is_finite(fmt, b)) {
        return fpu_signed(fmt, sign, 0);
    }
    if (!fpu_abs(fmt, a) || !fpu_abs(fmt, b)) {
        return fpu_invalid(fmt, flags);
    }
    return fpu_signed(fmt, sign, fpu_inf(fmt));
}

/* Infinite, NaN or zero. */
FPU_INLINE bool fpu_is_special(fpu_format_t fmt, uint64_t x)
{
    return !fpu_is_finite(fmt, x) || !fpu_abs(fmt, x);
}

/* The exact product of two normalised numbers: leading one in bit 126, value sig *
 * 2^(exp-bias-126). */
FPU_INLINE fpu_u128_t fpu_mul_exact(fpu_format_t fmt, fpu_num_t x, fpu_num_t y, int *exp)
{
    fpu_u128_t p;

    if (fmt == FPU_F32) {
        p = (fpu_u128_t){(x.sig >> 39) * (y.sig >> 39) << 15, 0};
    } else {
        p = fpu_mul_64(x.sig, y.sig << 1);
    }
    *exp = x.exp + y.exp - fpu_bias(fmt) + 1;
    if (!(p.hi >> 62)) {
        p = (fpu_u128_t){p.hi << 1 | p.lo >> 63, p.lo << 1};
        --*exp;
    }
    return p;
}

FPU_INLINE uint64_t fpu_mul(fpu_format_t fmt, uint64_t a, uint64_t b, unsigned rm, uint32_t *flags)
{
    if (FPU_RARE(!fpu_is_normal(fmt, a) || !fpu_is_normal(fmt, b)) &&
        (fpu_is_special(fmt, a) || fpu_is_special(fmt, b))) {
        return fpu_mul_special(fmt, a, b, flags);
    }
    fpu_num_t x = fpu_unpack_norm(fmt, a), y = fpu_unpack_norm(fmt, b);
    fpu_u128_t p = fpu_mul_exact(fmt, x, y, &x.exp);
    x.sign ^= y.sign;
    x.sig = p.hi | (p.lo != 0);
    return fpu_round_pack(fmt, x, rm, flags);
}

/* a / b where one of them is zero, infinite or a NaN. */
FPU_COLD static uint64_t fpu_div_special(fpu_format_t fmt, uint64_t a, uint64_t b, uint32_t *flags)
{
    bool sign = fpu_is_negative(fmt, a ^ b);

    if (fpu_is_nan(fmt, a) || fpu_is_nan(fmt, b)) {
        return fpu_propagate_nan(fmt, a, b, flags);
    }
    if (!fpu_is_finite(fmt, a)) {
        return fpu_is_finite(fmt, b) ? fpu_signed(fmt, sign, fpu_inf(fmt))
                                     : fpu_invalid(fmt, flags);
    }
    if (!fpu_abs(fmt, b)) {
        if (!fpu_abs(fmt, a)) {
            return fpu_invalid(fmt, flags);
        }
        *flags |= FPU_DZ;
        return fpu_signed(fmt, sign, fpu_inf(fmt));
    }
    return fpu_signed(fmt, sign, 0);
}

/* The next 32 bits of *rem / d, for *rem < d and d >= 2^63: one digit of a long division (Knuth's
 * D). */
FPU_INLINE uint64_t fpu_div_digit(uint64_t *rem, uint64_t d)
{
    uint64_t high = d >> 32, low = (uint32_t)d, q = *rem / high, r = *rem % high;

    while (q >> 32 || q * low > r << 32) {
        q--;
        r += high;
        if (r >> 32) {
            break;
        }
    }
    *rem = (*rem << 32) - q * d;
    return q;
}

FPU_INLINE uint64_t fpu_div(fpu_format_t fmt, uint64_t a, uint64_t b, unsigned rm, uint32_t *flags)
{
    if (FPU_RARE(!fpu_is_normal(fmt, a) || !fpu_is_normal(fmt, b)) &&
        (fpu_is_special(fmt, a) || fpu_is_special(fmt, b))) {
        return fpu_div_special(fmt, a, b, flags);
    }
    fpu_num_t x = fpu_unpack_norm(fmt, a), y = fpu_unpack_norm(fmt, b);
    uint64_t q, rem;
    if (fmt == FPU_F32) {
        uint64_t n = x.sig, d = y.sig >> 39;
        q = n / d << 24; /* n / d is in (2^38, 2^40), the quotient in (2^62, 2^64) */
        rem = n % d;
    } else {
        rem = x.sig;
        q = fpu_div_digit(&rem, y.sig << 1) << 32;
        q |= fpu_div_digit(&rem, y.sig << 1);
    }
    q |= rem != 0;
    x.sign ^= y.sign;
    x.exp += fpu_bias(fmt) - y.exp;
    if (q >> 63) {
        x.sig = q >> 1 | (q & 1);
    } else {
        x.sig = q;
        x.exp--;
    }
    return fpu_round_pack(fmt, x, rm, flags);
}

/*
 * One step of Zimmermann's "Karatsuba Square Root" (INRIA RR-3805): *root and *rem are root and
 * remainder of a number with its leading one in the top two of its bits; appends 2 * bits zeros to
 * that number.
 */
FPU_INLINE void fpu_sqrt_step(uint64_t *root, int64_t *rem, uint64_t next, unsigned bits)
{
    uint64_t n = ((uint64_t)*rem << bits) + (next >> bits), d = *root << 1, q = n / d;

    *rem = (int64_t)((n % d << bits) + (next & ((1ull << bits) - 1))) - (int64_t)(q * q);
    *root = (*root << bits) + q;
    if (*rem < 0) {
        *rem += (int64_t)(2 * *root - 1);
        --*root;
    }
}

/* The 28-bit root of n, 2^54 <= n < 2^56. */
FPU_INLINE uint64_t fpu_sqrt_56(uint64_t n, int64_t *rem)
{
    uint64_t root = 0, top = n >> 42;

    for (unsigned bit = 64; bit; bit >>= 1) {
        uint64_t try = root + bit;
        root = try * try <= top ?
        try : root
            ;
    }
    *rem = (int64_t)(top - root * root);
    fpu_sqrt_step(&root, rem, n >> 28 & 0x3fff, 7);
    fpu_sqrt_step(&root, rem, n & 0xfffffff, 14);
    return root;
}

FPU_INLINE uint64_t fpu_sqrt(fpu_format_t fmt, uint64_t a, unsigned rm, uint32_t *flags)
{
    if (FPU_RARE(fpu_is_special(fmt, a) || fpu_is_negative(fmt, a))) {
        if (fpu_is_nan(fmt, a)) {
            return fpu_propagate_nan(fmt, a, a, flags);
        }
        return fpu_abs(fmt, a) && fpu_is_negative(fmt, a) ? fpu_invalid(fmt, flags) : a;
    }
    fpu_num_t x = fpu_unpack_norm(fmt, a);
    int64_t rem;
    int power = x.exp - fpu_bias(fmt);
    bool odd = power & 1;
    uint64_t root = fpu_sqrt_56(x.sig >> (odd ? 7 : 8), &rem);
    unsigned place = 35;
    if (fmt == FPU_F64) {
        fpu_sqrt_step(&root, &rem, 0, 28);
        place = 7;
    }
    x.exp = (power - odd) / 2 + fpu_bias(fmt);
    x.sig = root << place | (rem != 0);
    return fpu_round_pack(fmt, x, rm, flags);
}

/* x / 2^n, jammed; any n >= 0. */
FPU_INLINE fpu_u128_t fpu_shift_right_jam_128(fpu_u128_t x, unsigned n)
{
    if (n == 0) {
        return x;
    }
    if (n < 64) {
        uint64_t lost = x.lo << (64 - n);
        return (fpu_u128_t){x.hi >> n, x.hi << (64 - n) | x.lo >> n | (lost != 0)};
    }
    uint64_t sticky = x.lo != 0;
    return (fpu_u128_t){0, fpu_shift_right_jam(x.hi, n - 64) | sticky};
}

/* Rounds x - y, both at the scale of bit 126 with x >= y; sign and exp of x are in n. */
FPU_INLINE uint64_t fpu_subtract_128(fpu_format_t fmt, fpu_num_t n, fpu_u128_t x, fpu_u128_t y,
                                     unsigned rm, uint32_t *flags)
{
    x.hi -= y.hi + (x.lo < y.lo);
    x.lo -= y.lo;
    if (x.hi == 0) {
        if (x.lo == 0) {
            return fpu_signed(fmt, rm == FPU_RDN, 0);
        }
        /* So much cancels only if no bit was jammed, and then the low 20 bits are zero. */
        x = (fpu_u128_t){x.lo >> 1, 0};
        n.exp -= 63;
    }
    int shift = fpu_clz64(x.hi) - 1;
    n.sig = shift ? x.hi << shift | x.lo >> (64 - shift) : x.hi;
    n.sig |= (x.lo << shift) != 0;
    n.exp -= shift;
    return fpu_round_pack(fmt, n, rm, flags);
}

/* Rounds p + c: a nonzero product (p, with sign and exp in n) and a normalised addend. */
FPU_INLINE uint64_t fpu_add_128(fpu_format_t fmt, fpu_num_t n, fpu_u128_t p, fpu_num_t c,
                                unsigned rm, uint32_t *flags)
{
    fpu_u128_t x = p, y = {c.sig, 0};
    bool subtract = n.sign != c.sign;

    if (n.exp < c.exp || (n.exp == c.exp && p.hi < c.sig)) {
        x = y;
        y = fpu_shift_right_jam_128(p, (unsigned)(c.exp - n.exp));
        n.sign = c.sign;
        n.exp = c.exp;
    } else {
        y = fpu_shift_right_jam_128(y, (unsigned)(n.exp - c.exp));
    }
    if (subtract) {
        return fpu_subtract_128(fmt, n, x, y, rm, flags);
    }
    x.lo += y.lo;
    x.hi += y.hi + (x.lo < y.lo);
    n.sig = x.hi | (x.lo != 0);
    if (n.sig >> 63) {
        n.sig = n.sig >> 1 | (n.sig & 1);
        n.exp++;
    }
    return fpu_round_pack(fmt, n, rm, flags);
}

/* a * b + c where one of them is infinite or a NaN, or a or b is zero. */
FPU_COLD static uint64_t fpu_mul_add_special(fpu_format_t fmt, uint64_t a, uint64_t b, uint64_t c,
                                             unsigned rm, uint32_t *flags)
{
    uint64_t p;

    if (fpu_is_nan(fmt, a) || fpu_is_nan(fmt, b)) {
        fpu_propagate_nan(fmt, a, b, flags);
        return fpu_propagate_nan(fmt, c, c, flags);
    }
    if (!fpu_is_finite(fmt, a) || !fpu_is_finite(fmt, b) || !fpu_abs(fmt, a) || !fpu_abs(fmt, b)) {
        p = fpu_mul_special(fmt, a, b, flags); /* exact; NV for inf * 0, even if c is a NaN */
    } else {
        p = fpu_signed(fmt, fpu_is_negative(fmt, a ^ b), 1ull << fmt); /* c is not finite */
    }
    return fpu_add(fmt, p, c, rm, flags);
}

FPU_INLINE uint64_t fpu_mul_add(fpu_format_t fmt, uint64_t a, uint64_t b, uint64_t c, unsigned rm,
                                uint32_t *flags)
{
    if (FPU_RARE(fpu_is_special(fmt, a) || fpu_is_special(fmt, b) || !fpu_is_finite(fmt, c))) {
        return fpu_mul_add_special(fmt, a, b, c, rm, flags);
    }
    fpu_num_t x = fpu_unpack_norm(fmt, a), y = fpu_unpack_norm(fmt, b);
    fpu_u128_t p = fpu_mul_exact(fmt, x, y, &x.exp);
    x.sign ^= y.sign;
    if (FPU_RARE(!fpu_abs(fmt, c))) {
        x.sig = p.hi | (p.lo != 0);
        return fpu_round_pack(fmt, x, rm, flags);
    }
    return fpu_add_128(fmt, x, p, fpu_unpack_norm(fmt, c), rm, flags);
}

uint32_t f32_add(uint32_t a, uint32_t b, unsigned rm, uint32_t *flags)
{
    return (uint32_t)fpu_add(FPU_F32, a, b, rm, flags);
}

uint64_t f64_add(uint64_t a, uint64_t b, unsigned rm, uint32_t *flags)
{
    return fpu_add(FPU_F64, a, b, rm, flags);
}

/* a - b is a + (-b) but for a NaN, whose sign does not matter. */
uint32_t f32_sub(uint32_t a, uint32_t b, unsigned rm, uint32_t *flags)
{
    return (uint32_t)fpu_add(FPU_F32, a, b ^ fpu_sign_bit(FPU_F32), rm, flags);
}

uint64_t f64_sub(uint64_t a, uint64_t b, unsigned rm, uint32_t *flags)
{
    return fpu_add(FPU_F64, a, b ^ fpu_sign_bit(FPU_F64), rm, flags);
}

uint32_t f32_mul(uint32_t a, uint32_t b, unsigned rm, uint32_t *flags)
{
    return (uint32_t)fpu_mul(FPU_F32, a, b, rm, flags);
}

uint64_t f64_mul(uint64_t a, uint64_t b, unsigned rm, uint32_t *flags)
{
    return fpu_mul(FPU_F64, a, b, rm, flags);
}

uint32_t f32_div(uint32_t a, uint32_t b, unsigned rm, uint32_t *flags)
{
    return (uint32_t)fpu_div(FPU_F32, a, b, rm, flags);
}

uint64_t f64_div(uint64_t a, uint64_t b, unsigned rm, uint32_t *flags)
{
    return fpu_div(FPU_F64, a, b, rm, flags);
}

uint32_t f32_sqrt(uint32_t a, unsigned rm, uint32_t *flags)
{
    return (uint32_t)fpu_sqrt(FPU_F32, a, rm, flags);
}

uint64_t f64_sqrt(uint64_t a, unsigned rm, uint32_t *flags)
{
    return fpu_sqrt(FPU_F64, a, rm, flags);
}

uint32_t f32_mul_add(uint32_t a, uint32_t b, uint32_t c, unsigned rm, uint32_t *flags)
{
    return (uint32_t)fpu_mul_add(FPU_F32, a, b, c, rm, flags);
}

uint64_t f64_mul_add(uint64_t a, uint64_t b, uint64_t c, unsigned rm, uint32_t *flags)
{
    return fpu_mul_add(FPU_F64, a, b, c, rm, flags);
}
