/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The floating-point core: vectors worked out by hand for every operation, rounding mode and flag.
 * Random numbers are in fpu_random.c; Berkeley TestFloat has the last word: tests/isa/testfloat.sh.
 */
#include "../tap.h"
#include "fpu_calls.h"

enum { NX = FPU_NX, UF = FPU_UF | FPU_NX, OF = FPU_OF | FPU_NX, DZ = FPU_DZ, NV = FPU_NV };

#define NAN32 0x7fc00000u
#define NAN64 0x7ff8000000000000ull

/* One vector: operands, then result and flags for RNE RTZ RDN RUP RMM. */
typedef struct {
    const char *name;
    uint64_t x[3];
    uint64_t want[5];
    uint8_t flags[5];
} vector_t;

#define SAME(result, flags)                                                                        \
    {result, result, result, result, result},                                                      \
    {                                                                                              \
        flags, flags, flags, flags, flags                                                          \
    }
/* Sign of an exact zero sum: negative when rounding down only. */
#define ZERO32                                                                                     \
    {0, 0, 0x80000000, 0, 0},                                                                      \
    {                                                                                              \
        0, 0, 0, 0, 0                                                                              \
    }
#define ZERO64                                                                                     \
    {0, 0, 1ull << 63, 0, 0},                                                                      \
    {                                                                                              \
        0, 0, 0, 0, 0                                                                              \
    }
#define ALL(flags)                                                                                 \
    {                                                                                              \
        flags, flags, flags, flags, flags                                                          \
    }

static const vector_t sums[] = {
    {"f32_add", {0x3f800000, 0x3f800000}, SAME(0x40000000, 0)},
    /* 1 + 2^-24: a tie next to an even fraction; then next to an odd one, and negative */
    {"f32_add",
     {0x3f800000, 0x33800000},
     {0x3f800000, 0x3f800000, 0x3f800000, 0x3f800001, 0x3f800001},
     ALL(NX)},
    {"f32_add",
     {0x3f800001, 0x33800000},
     {0x3f800002, 0x3f800001, 0x3f800001, 0x3f800002, 0x3f800002},
     ALL(NX)},
    {"f32_add",
     {0xbf800000, 0xb3800000},
     {0xbf800000, 0xbf800000, 0xbf800001, 0xbf800000, 0xbf800001},
     ALL(NX)},
    /* a far smaller operand still counts */
    {"f32_add",
     {0x3f800000, 0x00000001},
     {0x3f800000, 0x3f800000, 0x3f800000, 0x3f800001, 0x3f800000},
     ALL(NX)},
    {"f32_sub",
     {0x3f800000, 0x00000001},
     {0x3f800000, 0x3f7fffff, 0x3f7fffff, 0x3f800000, 0x3f800000},
     ALL(NX)},
    /* overflow; the largest number plus half a unit is one only when rounded up */
    {"f32_add",
     {0x7f7fffff, 0x7f7fffff},
     {0x7f800000, 0x7f7fffff, 0x7f7fffff, 0x7f800000, 0x7f800000},
     ALL(OF)},
    {"f32_sub",
     {0xff7fffff, 0x7f7fffff},
     {0xff800000, 0xff7fffff, 0xff800000, 0xff7fffff, 0xff800000},
     ALL(OF)},
    {"f32_add",
     {0x7f7fffff, 0x73000000},
     {0x7f800000, 0x7f7fffff, 0x7f7fffff, 0x7f800000, 0x7f800000},
     {OF, NX, NX, OF, OF}},
    {"f32_add",
     {0x7f7fffff, 0x72ffffff},
     {0x7f7fffff, 0x7f7fffff, 0x7f7fffff, 0x7f800000, 0x7f7fffff},
     {NX, NX, NX, OF, NX}},
    /* zeros */
    {"f32_add", {0x3f800000, 0xbf800000}, ZERO32},
    {"f32_sub", {0x00000001, 0x00000001}, ZERO32},
    {"f32_add", {0x00000000, 0x80000000}, ZERO32},
    {"f32_add", {0x80000000, 0x80000000}, SAME(0x80000000, 0)},
    {"f32_sub", {0x80000000, 0x00000000}, SAME(0x80000000, 0)},
    {"f32_add", {0x80000000, 0x3f800000}, SAME(0x3f800000, 0)},
    /* subnormal sums are exact */
    {"f32_add", {0x00000001, 0x00000001}, SAME(0x00000002, 0)},
    {"f32_add", {0x007fffff, 0x00000001}, SAME(0x00800000, 0)},
    {"f32_sub", {0x00800000, 0x00000001}, SAME(0x007fffff, 0)},
    {"f32_sub", {0x01000000, 0x00ffffff}, SAME(0x00000001, 0)},
    /* infinities and NaNs */
    {"f32_add", {0x7f800000, 0xff7fffff}, SAME(0x7f800000, 0)},
    {"f32_sub", {0x3f800000, 0x7f800000}, SAME(0xff800000, 0)},
    {"f32_add", {0x7f800000, 0xff800000}, SAME(NAN32, NV)},
    {"f32_sub", {0xff800000, 0xff800000}, SAME(NAN32, NV)},
    {"f32_add", {0xffc12345, 0x3f800000}, SAME(NAN32, 0)},
    {"f32_sub", {0x7f800000, 0x7fc00001}, SAME(NAN32, 0)},
    {"f32_add", {0x7f800001, 0x7fc00000}, SAME(NAN32, NV)},
    {"f32_sub", {0x7fc00000, 0xffbfffff}, SAME(NAN32, NV)},
    {"f64_add",
     {0x3ff0000000000000, 0x3ca0000000000000},
     {0x3ff0000000000000, 0x3ff0000000000000, 0x3ff0000000000000, 0x3ff0000000000001,
      0x3ff0000000000001},
     ALL(NX)},
    {"f64_sub",
     {0x3ff0000000000000, 0x3c90000000000000},
     {0x3ff0000000000000, 0x3fefffffffffffff, 0x3fefffffffffffff, 0x3ff0000000000000,
      0x3ff0000000000000},
     ALL(NX)},
    {"f64_add",
     {0x7fefffffffffffff, 0x7fefffffffffffff},
     {0x7ff0000000000000, 0x7fefffffffffffff, 0x7fefffffffffffff, 0x7ff0000000000000,
      0x7ff0000000000000},
     ALL(OF)},
    {"f64_sub", {0x4000000000000000, 0x4000000000000000}, ZERO64},
    {"f64_sub", {0x0010000000000000, 0x0000000000000001}, SAME(0x000fffffffffffff, 0)},
    {"f64_add", {0x7ff0000000000000, 0xfff0000000000000}, SAME(NAN64, NV)},
    {"f64_add", {0x7ff0000000000001, 0x3ff0000000000000}, SAME(NAN64, NV)},
    {"f64_add", {0xfff8000000000001, 0x3ff0000000000000}, SAME(NAN64, 0)},
};

static const vector_t products[] = {
    {"f32_mul", {0x3fc00000, 0xbfc00000}, SAME(0xc0100000, 0)},
    /* an exact subnormal is no underflow; half of the smallest one is */
    {"f32_mul", {0x00800000, 0x3f000000}, SAME(0x00400000, 0)},
    {"f32_mul", {0x00000001, 0x3f000000}, {0, 0, 0, 1, 1}, ALL(UF)},
    {"f32_mul",
     {0x80000001, 0x3f000000},
     {0x80000000, 0x80000000, 0x80000001, 0x80000000, 0x80000001},
     ALL(UF)},
    {"f32_mul", {0x00800000, 0x00800000}, {0, 0, 0, 1, 0}, ALL(UF)},
    /* (2 - 2^-23) * 2^-127 has 24 bits: tiny, though it may round to the smallest normal number */
    {"f32_mul",
     {0x00ffffff, 0x3f000000},
     {0x00800000, 0x007fffff, 0x007fffff, 0x00800000, 0x00800000},
     ALL(UF)},
    {"f32_mul",
     {0x7f7fffff, 0xc0000000},
     {0xff800000, 0xff7fffff, 0xff800000, 0xff7fffff, 0xff800000},
     ALL(OF)},
    {"f32_mul", {0x00000000, 0xbf800000}, SAME(0x80000000, 0)},
    {"f32_mul", {0x7f800000, 0x80000001}, SAME(0xff800000, 0)},
    {"f32_mul", {0x7f800000, 0x80000000}, SAME(NAN32, NV)},
    {"f32_mul", {0x7f800000, 0x7fc00000}, SAME(NAN32, 0)},
    {"f32_mul", {0x00000000, 0x7fa00000}, SAME(NAN32, NV)},
    /* (1 + 2^-52)^2 = 1 + 2^-51 + 2^-104 */
    {"f64_mul",
     {0x3ff0000000000001, 0x3ff0000000000001},
     {0x3ff0000000000002, 0x3ff0000000000002, 0x3ff0000000000002, 0x3ff0000000000003,
      0x3ff0000000000002},
     ALL(NX)},
    {"f64_mul",
     {0x0000000000000001, 0xbfe0000000000000},
     {1ull << 63, 1ull << 63, 0x8000000000000001, 1ull << 63, 0x8000000000000001},
     ALL(UF)},
    {"f64_mul", {0x0000000000000001, 0x4330000000000000}, SAME(0x0010000000000000, 0)},
    {"f64_mul",
     {0x001fffffffffffff, 0x3fe0000000000000},
     {0x0010000000000000, 0x000fffffffffffff, 0x000fffffffffffff, 0x0010000000000000,
      0x0010000000000000},
     ALL(UF)},
    {"f64_mul", {0x8000000000000000, 0x7ff0000000000000}, SAME(NAN64, NV)},

    {"f32_div", {0x40c00000, 0x40000000}, SAME(0x40400000, 0)},
    {"f32_div",
     {0x3f800000, 0x40400000},
     {0x3eaaaaab, 0x3eaaaaaa, 0x3eaaaaaa, 0x3eaaaaab, 0x3eaaaaab},
     ALL(NX)},
    {"f32_div",
     {0xbf800000, 0x40400000},
     {0xbeaaaaab, 0xbeaaaaaa, 0xbeaaaaab, 0xbeaaaaaa, 0xbeaaaaab},
     ALL(NX)},
    {"f32_div", {0x00000001, 0x40000000}, {0, 0, 0, 1, 1}, ALL(UF)},
    {"f32_div", {0x00000001, 0x7f7fffff}, {0, 0, 0, 1, 0}, ALL(UF)},
    {"f32_div",
     {0x7f7fffff, 0x3f000000},
     {0x7f800000, 0x7f7fffff, 0x7f7fffff, 0x7f800000, 0x7f800000},
     ALL(OF)},
    {"f32_div", {0x007fffff, 0x00000001}, SAME(0x4afffffe, 0)},
    {"f32_div", {0x3f800000, 0x80000000}, SAME(0xff800000, DZ)},
    {"f32_div", {0x00000001, 0x00000000}, SAME(0x7f800000, DZ)},
    {"f32_div", {0x00000000, 0x80000000}, SAME(NAN32, NV)},
    {"f32_div", {0x7f800000, 0xff800000}, SAME(NAN32, NV)},
    {"f32_div", {0x7f800000, 0x80000000}, SAME(0xff800000, 0)},
    {"f32_div", {0xbf800000, 0x7f800000}, SAME(0x80000000, 0)},
    {"f32_div", {0x00000000, 0xc0a00000}, SAME(0x80000000, 0)},
    {"f32_div", {0x7fc00000, 0x00000000}, SAME(NAN32, 0)},
    {"f32_div", {0x3f800000, 0x7f800001}, SAME(NAN32, NV)},
    {"f64_div",
     {0x3ff0000000000000, 0x4008000000000000},
     {0x3fd5555555555555, 0x3fd5555555555555, 0x3fd5555555555555, 0x3fd5555555555556,
      0x3fd5555555555555},
     ALL(NX)},
    {"f64_div", {0x3ff0000000000000, 0x0000000000000000}, SAME(0x7ff0000000000000, DZ)},
    {"f64_div", {0x0010000000000000, 0x4000000000000000}, SAME(0x0008000000000000, 0)},
    {"f64_div", {0x0000000000000000, 0x0000000000000000}, SAME(NAN64, NV)},

    {"f32_sqrt", {0x40800000}, SAME(0x40000000, 0)},
    {"f32_sqrt",
     {0x40000000},
     {0x3fb504f3, 0x3fb504f3, 0x3fb504f3, 0x3fb504f4, 0x3fb504f3},
     ALL(NX)},
    {"f32_sqrt",
     {0x00000001},
     {0x1a3504f3, 0x1a3504f3, 0x1a3504f3, 0x1a3504f4, 0x1a3504f3},
     ALL(NX)},
    {"f32_sqrt", {0x00000002}, SAME(0x1a800000, 0)},
    {"f32_sqrt", {0x80000000}, SAME(0x80000000, 0)},
    {"f32_sqrt", {0x7f800000}, SAME(0x7f800000, 0)},
    {"f32_sqrt", {0xff800000}, SAME(NAN32, NV)},
    {"f32_sqrt", {0x80000001}, SAME(NAN32, NV)},
    {"f32_sqrt", {0xffc00000}, SAME(NAN32, 0)},
    {"f32_sqrt", {0xff800001}, SAME(NAN32, NV)},
    {"f64_sqrt",
     {0x4000000000000000},
     {0x3ff6a09e667f3bcd, 0x3ff6a09e667f3bcc, 0x3ff6a09e667f3bcc, 0x3ff6a09e667f3bcd,
      0x3ff6a09e667f3bcd},
     ALL(NX)},
    {"f64_sqrt", {0x0000000000000001}, SAME(0x1e60000000000000, 0)},
    {"f64_sqrt", {0xbff0000000000000}, SAME(NAN64, NV)},
};

static const vector_t fused[] = {
    /* (1 + 2^-23)^2 - (1 + 2^-22) = 2^-46, lost if the product were rounded */
    {"f32_mulAdd", {0x3f800001, 0x3f800001, 0xbf800002}, SAME(0x28800000, 0)},
    {"f64_mulAdd",
     {0x3ff0000000000001, 0x3ff0000000000001, 0xbff0000000000002},
     SAME(0x3970000000000000, 0)},
    /* 2^-126 - 2^-151: 2^-126 when rounded up to 24 bits, and then it is not tiny */
    {"f32_mulAdd",
     {0x1a000000, 0x99800000, 0x00800000},
     {0x00800000, 0x007fffff, 0x007fffff, 0x00800000, 0x00800000},
     {NX, UF, UF, NX, NX}},
    {"f64_mulAdd",
     {0x1e50000000000000, 0x9e50000000000000, 0x0010000000000000},
     {0x0010000000000000, 0x000fffffffffffff, 0x000fffffffffffff, 0x0010000000000000,
      0x0010000000000000},
     {NX, UF, UF, NX, NX}},
    {"f32_mulAdd",
     {0x00000001, 0x00000001, 0x3f800000},
     {0x3f800000, 0x3f800000, 0x3f800000, 0x3f800001, 0x3f800000},
     ALL(NX)},
    {"f32_mulAdd",
     {0x00000001, 0x80000001, 0x3f800000},
     {0x3f800000, 0x3f7fffff, 0x3f7fffff, 0x3f800000, 0x3f800000},
     ALL(NX)},
    /* a tie in the product, decided by a far smaller addend: (1 + 2^-12)^2 + 1e-45 */
    {"f32_mulAdd",
     {0x3f800800, 0x3f800800, 0x00000001},
     {0x3f801001, 0x3f801000, 0x3f801000, 0x3f801001, 0x3f801001},
     ALL(NX)},
    {"f32_mulAdd",
     {0x3f800800, 0x3f800800, 0x80000001},
     {0x3f801000, 0x3f801000, 0x3f801000, 0x3f801001, 0x3f801000},
     ALL(NX)},
    {"f32_mulAdd",
     {0x3f800800, 0x3f800800, 0x00000000},
     {0x3f801000, 0x3f801000, 0x3f801000, 0x3f801001, 0x3f801001},
     ALL(NX)},
    {"f32_mulAdd",
     {0x3f800800, 0x3f800800, 0x0d800000},
     {0x3f801001, 0x3f801000, 0x3f801000, 0x3f801001, 0x3f801001},
     ALL(NX)},
    {"f32_mulAdd",
     {0x3f800800, 0x3f800800, 0x8d800000},
     {0x3f801000, 0x3f801000, 0x3f801000, 0x3f801001, 0x3f801000},
     ALL(NX)},
    /* a product of 2 + 2^-74 or so to 2^54: no tie, for the last bit of the product */
    {"f64_mulAdd",
     {0x3ff6b6dd157cfa63, 0x3ff68a75807e40c1, 0x4350000000000000},
     {0x4350000000000001, 0x4350000000000000, 0x4350000000000000, 0x4350000000000001,
      0x4350000000000001},
     ALL(NX)},
    /* a product beyond the range comes back, or does not */
    {"f32_mulAdd", {0x7f7fffff, 0x40000000, 0xff7fffff}, SAME(0x7f7fffff, 0)},
    {"f32_mulAdd",
     {0x7f7fffff, 0x7f7fffff, 0x3f800000},
     {0x7f800000, 0x7f7fffff, 0x7f7fffff, 0x7f800000, 0x7f800000},
     ALL(OF)},
    {"f64_mulAdd",
     {0x7fefffffffffffff, 0xc000000000000000, 0x7fefffffffffffff},
     SAME(0xffefffffffffffff, 0)},
    {"f32_mulAdd", {0x3f800000, 0x3f800000, 0xbf800000}, ZERO32},
    {"f32_mulAdd", {0x00000000, 0x3f800000, 0x80000000}, ZERO32},
    {"f32_mulAdd", {0x80000000, 0x3f800000, 0x80000000}, SAME(0x80000000, 0)},
    {"f32_mulAdd", {0x00000000, 0x3f800000, 0x00000001}, SAME(0x00000001, 0)},
    {"f64_mulAdd", {0x3ff0000000000000, 0x4000000000000000, 0xc000000000000000}, ZERO64},
    {"f32_mulAdd", {0x7f800000, 0x00000000, 0x7fc00000}, SAME(NAN32, NV)},
    {"f64_mulAdd", {0x0000000000000000, 0xfff0000000000000, NAN64}, SAME(NAN64, NV)},
    {"f32_mulAdd", {0x7f800000, 0x3f800000, 0xff800000}, SAME(NAN32, NV)},
    {"f32_mulAdd", {0x7f800000, 0x3f800000, 0x7f800000}, SAME(0x7f800000, 0)},
    {"f32_mulAdd", {0x7f7fffff, 0x7f7fffff, 0xff800000}, SAME(0xff800000, 0)},
    {"f32_mulAdd", {0x3f800000, 0x3f800000, 0x7fc00000}, SAME(NAN32, 0)},
    {"f32_mulAdd", {0x3f800000, 0x3f800000, 0x7f800001}, SAME(NAN32, NV)},
    {"f32_mulAdd", {0x7fc00000, 0x3f800000, 0x7f800001}, SAME(NAN32, NV)},
    {"f32_mulAdd", {0x7fc00000, 0x7f800000, 0x00000000}, SAME(NAN32, 0)},
    {"f64_mulAdd", {0x3ff0000000000000, 0x7ff4000000000000, 0x0000000000000000}, SAME(NAN64, NV)},
};

static const vector_t conversions[] = {
    /* 0.5 1.5 2.5 -0.5 -1.5 */
    {"f32_to_i32", {0x3f000000}, {0, 0, 0, 1, 1}, ALL(NX)},
    {"f32_to_i32", {0x3fc00000}, {2, 1, 1, 2, 2}, ALL(NX)},
    {"f32_to_i32", {0x40200000}, {2, 2, 2, 3, 3}, ALL(NX)},
    {"f32_to_i32", {0xbf000000}, {0, 0, 0xffffffff, 0, 0xffffffff}, ALL(NX)},
    {"f32_to_i32",
     {0xbfc00000},
     {0xfffffffe, 0xffffffff, 0xfffffffe, 0xffffffff, 0xfffffffe},
     ALL(NX)},
    {"f32_to_i32", {0x00000001}, {0, 0, 0, 1, 0}, ALL(NX)},
    {"f32_to_i32", {0x80000000}, SAME(0, 0)},
    {"f32_to_i32", {0x4effffff}, SAME(0x7fffff80, 0)},
    {"f32_to_i32", {0x4f000000}, SAME(0x7fffffff, NV)},
    {"f32_to_i32", {0xcf000000}, SAME(0x80000000, 0)},
    {"f32_to_i32", {0xcf000001}, SAME(0x80000000, NV)},
    {"f32_to_i32", {0x7f800000}, SAME(0x7fffffff, NV)},
    {"f32_to_i32", {0xff800000}, SAME(0x80000000, NV)},
    {"f32_to_i32", {0xffc00000}, SAME(0x7fffffff, NV)},
    {"f32_to_i32", {0x7f800001}, SAME(0x7fffffff, NV)},
    {"f64_to_i32", {0x41dfffffffc00000}, SAME(0x7fffffff, 0)},
    /* 2147483647.5 -2147483648.5; below, 4294967295.5: in range or not by rounding */
    {"f64_to_i32",
     {0x41dfffffffe00000},
     {0x7fffffff, 0x7fffffff, 0x7fffffff, 0x7fffffff, 0x7fffffff},
     {NV, NX, NX, NV, NV}},
    {"f64_to_i32",
     {0xc1e0000000100000},
     {0x80000000, 0x80000000, 0x80000000, 0x80000000, 0x80000000},
     {NX, NX, NV, NX, NV}},
    {"f64_to_i32", {0xfff8000000000000}, SAME(0x7fffffff, NV)},
    {"f32_to_ui32", {0xbf000000}, {0, 0, 0, 0, 0}, {NX, NX, NV, NX, NV}},
    {"f32_to_ui32", {0xbe800000}, {0, 0, 0, 0, 0}, {NX, NX, NV, NX, NX}},
    {"f32_to_ui32", {0xbf800000}, SAME(0, NV)},
    {"f32_to_ui32", {0x80000000}, SAME(0, 0)},
    {"f32_to_ui32", {0x4f7fffff}, SAME(0xffffff00, 0)},
    {"f32_to_ui32", {0x4f800000}, SAME(0xffffffff, NV)},
    {"f32_to_ui32", {0xff800000}, SAME(0, NV)},
    {"f32_to_ui32", {0xffc00000}, SAME(0xffffffff, NV)},
    {"f64_to_ui32",
     {0x41effffffff00000},
     {0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
     {NV, NX, NX, NV, NV}},
    {"f64_to_ui32", {0x41e0000000000000}, SAME(0x80000000, 0)},
    {"f64_to_ui32", {0x7ff0000000000000}, SAME(0xffffffff, NV)},
    {"i32_to_f32", {0x00000000}, SAME(0, 0)},
    {"i32_to_f32", {0xffffffff}, SAME(0xbf800000, 0)},
    {"i32_to_f32", {0x80000000}, SAME(0xcf000000, 0)},
    {"i32_to_f32",
     {0x7fffffff},
     {0x4f000000, 0x4effffff, 0x4effffff, 0x4f000000, 0x4f000000},
     ALL(NX)},
    {"i32_to_f32",
     {0x01000001},
     {0x4b800000, 0x4b800000, 0x4b800000, 0x4b800001, 0x4b800001},
     ALL(NX)},
    {"i32_to_f32",
     {0xfeffffff},
     {0xcb800000, 0xcb800000, 0xcb800001, 0xcb800000, 0xcb800001},
     ALL(NX)},
    {"ui32_to_f32",
     {0xffffffff},
     {0x4f800000, 0x4f7fffff, 0x4f7fffff, 0x4f800000, 0x4f800000},
     ALL(NX)},
    {"i32_to_f64", {0xffffffff}, SAME(0xbff0000000000000, 0)},
    {"i32_to_f64", {0x80000000}, SAME(0xc1e0000000000000, 0)},
    {"ui32_to_f64", {0xffffffff}, SAME(0x41efffffffe00000, 0)},
    {"ui32_to_f64", {0x00000000}, SAME(0, 0)},
    {"f32_to_f64", {0x00000001}, SAME(0x36a0000000000000, 0)},
    {"f32_to_f64", {0xbfc00000}, SAME(0xbff8000000000000, 0)},
    {"f32_to_f64", {0x7f7fffff}, SAME(0x47efffffe0000000, 0)},
    {"f32_to_f64", {0x80000000}, SAME(1ull << 63, 0)},
    {"f32_to_f64", {0xff800000}, SAME(0xfff0000000000000, 0)},
    {"f32_to_f64", {0xffc12345}, SAME(NAN64, 0)},
    {"f32_to_f64", {0x7f800001}, SAME(NAN64, NV)},
    {"f64_to_f32",
     {0x3ff0000010000000},
     {0x3f800000, 0x3f800000, 0x3f800000, 0x3f800001, 0x3f800001},
     ALL(NX)},
    {"f64_to_f32",
     {0x7fefffffffffffff},
     {0x7f800000, 0x7f7fffff, 0x7f7fffff, 0x7f800000, 0x7f800000},
     ALL(OF)},
    {"f64_to_f32", {0x36a0000000000000}, SAME(0x00000001, 0)},
    {"f64_to_f32",
     {0xb690000000000000},
     {0x80000000, 0x80000000, 0x80000001, 0x80000000, 0x80000001},
     ALL(UF)},
    {"f64_to_f32",
     {0x8000000000000001},
     {0x80000000, 0x80000000, 0x80000001, 0x80000000, 0x80000000},
     ALL(UF)},
    /* 2^-126 - 2^-151 again, and 2^-126 - 2^-150, which stays tiny */
    {"f64_to_f32",
     {0x380ffffff0000000},
     {0x00800000, 0x007fffff, 0x007fffff, 0x00800000, 0x00800000},
     {NX, UF, UF, NX, NX}},
    {"f64_to_f32",
     {0x380fffffe0000000},
     {0x00800000, 0x007fffff, 0x007fffff, 0x00800000, 0x00800000},
     ALL(UF)},
    {"f64_to_f32", {0xfff8000000000001}, SAME(NAN32, 0)},
    {"f64_to_f32", {0x7ff0000000000001}, SAME(NAN32, NV)},
    {"f64_to_f32", {0xfff0000000000000}, SAME(0xff800000, 0)},
};

static void check_call(const fpu_function_t *f, fpu_call_t call, const uint64_t *x, unsigned rm,
                       uint32_t before, uint64_t want, uint32_t flags)
{
    tap_bad_checks += !fpu_call_gives(f, call, x, rm, before, want, flags, tap_bad_checks < 20);
}

static void check_vectors(const vector_t *v, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const fpu_function_t *f = fpu_find_function(v[i].name);
        CHECK(f != NULL);
        for (unsigned rm = 0; f && rm < 5; rm++) {
            check_call(f, f->core, v[i].x, rm, 0, v[i].want[rm], v[i].flags[rm]);
            check_call(f, f->core, v[i].x, rm, 31, v[i].want[rm], v[i].flags[rm]);
            check_call(f, f->wrapper, v[i].x, rm, 0, v[i].want[rm], v[i].flags[rm]);
            check_call(f, f->wrapper, v[i].x, rm, FPU_NX, v[i].want[rm], v[i].flags[rm]);
        }
    }
}

#define CHECK_VECTORS(table) check_vectors(table, sizeof(table) / sizeof(table[0]))

TEST(sums)
{
    CHECK_VECTORS(sums);
}

TEST(products_quotients_roots)
{
    CHECK_VECTORS(products);
}

TEST(fused)
{
    CHECK_VECTORS(fused);
}

TEST(conversions)
{
    CHECK_VECTORS(conversions);
}

/* All pairs of an ordered list of numbers, in both formats: equality, order, minimum and maximum.
 */
TEST(order)
{
    static const uint32_t list[] = {0xff800000, 0xff7fffff, 0xbf800000, 0x80800000, 0x80000001,
                                    0x80000000, 0x00000000, 0x00000001, 0x00800000, 0x3f800000,
                                    0x3f800001, 0x7f7fffff, 0x7f800000};
    const size_t count = sizeof(list) / sizeof(list[0]);

    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < count; j++) {
            uint32_t flags = 0, a = list[i], b = list[j], low = i < j ? a : b, high = i < j ? b : a;
            uint64_t wide_a = f32_to_f64(a, &flags), wide_b = f32_to_f64(b, &flags);
            bool equal = i == j || ((a | b) << 1) == 0;
            CHECK_EQ(equal, f32_eq(a, b, &flags));
            CHECK_EQ(equal, f64_eq(wide_a, wide_b, &flags));
            CHECK_EQ(i < j && !equal, f32_lt(a, b, &flags));
            CHECK_EQ(i < j && !equal, f64_lt(wide_a, wide_b, &flags));
            CHECK_EQ(i < j || equal, f32_le(a, b, &flags));
            CHECK_EQ(i < j || equal, f64_le(wide_a, wide_b, &flags));
            CHECK_EQ(low, f32_min(a, b, &flags));
            CHECK_EQ(high, f32_max(a, b, &flags));
            CHECK_EQ(f32_to_f64(low, &flags), f64_min(wide_a, wide_b, &flags));
            CHECK_EQ(f32_to_f64(high, &flags), f64_max(wide_a, wide_b, &flags));
            CHECK_EQ(0, flags);
        }
    }
}

TEST(order_of_nans)
{
    static const vector_t table[] = {
        {"f32_eq", {NAN32, NAN32}, SAME(0, 0)},
        {"f32_eq", {0x3f800000, 0xffc00001}, SAME(0, 0)},
        {"f32_eq", {0x7f800001, 0x3f800000}, SAME(0, NV)},
        {"f64_eq", {NAN64, 0}, SAME(0, 0)},
        {"f64_eq", {0, 0xfff0000000000001}, SAME(0, NV)},
        {"f32_lt", {NAN32, 0x3f800000}, SAME(0, NV)},
        {"f32_lt", {0xff800000, NAN32}, SAME(0, NV)},
        {"f32_le", {NAN32, NAN32}, SAME(0, NV)},
        {"f64_lt", {0, NAN64}, SAME(0, NV)},
        {"f64_le", {NAN64, NAN64}, SAME(0, NV)},
        {"f32_min", {NAN32, 0x3f800000}, SAME(0x3f800000, 0)},
        {"f32_max", {0xbf800000, 0xffc00001}, SAME(0xbf800000, 0)},
        {"f32_min", {0x7fc00001, 0xffc00000}, SAME(NAN32, 0)},
        {"f32_max", {0x7f800001, 0x3f800000}, SAME(0x3f800000, NV)},
        {"f32_min", {0x7f800001, 0xffc00001}, SAME(NAN32, NV)},
        {"f64_min", {NAN64, 0xbff0000000000000}, SAME(0xbff0000000000000, 0)},
        {"f64_max", {0, 0x7ff0000000000001}, SAME(0, NV)},
        {"f64_max", {0xfff8000000000000, 0x7ff8000000000009}, SAME(NAN64, 0)},
    };
    CHECK_VECTORS(table);
}

TEST(classes)
{
    static const uint32_t f32[] = {0xff800000, 0xff7fffff, 0x807fffff, 0x80000000, 0x00000000,
                                   0x00000001, 0x00800000, 0x7f800000, 0x7fbfffff, 0xffc00000};
    static const uint64_t f64[] = {0xfff0000000000000, 0x8010000000000000, 0x8000000000000001,
                                   0x8000000000000000, 0x0000000000000000, 0x000fffffffffffff,
                                   0x7fefffffffffffff, 0x7ff0000000000000, 0xfff0000000000001,
                                   0x7fffffffffffffff};
    for (unsigned bit = 0; bit < 10; bit++) {
        CHECK_EQ(1u << bit, f32_class(f32[bit]));
        CHECK_EQ(1u << bit, f64_class(f64[bit]));
    }
}

int main(void)
{
    RUN(sums);
    RUN(products_quotients_roots);
    RUN(fused);
    RUN(conversions);
    RUN(order);
    RUN(order_of_nans);
    RUN(classes);
    return tap_finish();
}
