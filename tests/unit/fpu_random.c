/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The floating-point core on random numbers: the short cut against the core, and the core against
 * the host's FPU where it has modes and flags to compare.
 */
#include "../tap.h"
#include "fpu_calls.h"

#ifndef __EMSCRIPTEN__
#include <fenv.h>
#endif

static void check_call(const fpu_function_t *f, fpu_call_t call, const uint64_t *x, unsigned rm,
                       uint32_t before, uint64_t want, uint32_t flags)
{
    tap_bad_checks += !fpu_call_gives(f, call, x, rm, before, want, flags, tap_bad_checks < 20);
}

/* splitmix64: repeatable, and good enough. */
static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15ull;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return z ^ z >> 31;
}

/*
 * A bit pattern of either format that likes to make trouble: few ones or few zeros in the fraction,
 * which makes ties and exact results, and exponents near each other, near 1, or near either end.
 */
static uint64_t random_pattern(uint64_t *state, bool wide)
{
    unsigned width = wide ? 52 : 23, max = wide ? 0x7ff : 0xff, bias = max >> 1;
    uint64_t r = next_random(state), mask = (1ull << width) - 1, frac = next_random(state) & mask;
    uint64_t sparse = 1ull << (r >> 8 & 63) | 1ull << (r >> 14 & 63) | (r >> 20 & 1);
    unsigned exp = bias - 4 + (r >> 24 & 7);

    if (r & 3) {
        frac = (r & 3) == 1 ? frac : (r & 3) == 2 ? sparse & mask : ~sparse & mask;
    } else {
        frac = 0;
    }
    switch (r >> 2 & 15) {
    case 0:
        exp = 0;
        break;
    case 1:
        exp = max;
        break;
    case 2:
        exp = (unsigned)(r >> 32) % (width + 2);
        break;
    case 3:
        exp = max - 1 - (r >> 32 & 3);
        break;
    case 4:
    case 5:
        exp = (unsigned)(r >> 32) & max;
        break;
    case 6:
    case 7:
    case 8:
        exp = bias - width + (unsigned)(r >> 32) % (2 * width);
        break;
    }
    return (r >> 63) << (wide ? 63 : 31) | (uint64_t)exp << width | frac;
}

static bool is_wide(const fpu_function_t *f)
{
    return strncmp(f->name, "f64", 3) == 0;
}

static void random_operands(const fpu_function_t *f, uint64_t *state, uint64_t *x)
{
    for (unsigned i = 0; i < 3; i++) {
        if (strstr(f->name, "i32_to_")) {
            uint64_t r = next_random(state);
            x[i] = (uint32_t)((uint32_t)r >> (r >> 32 & 31)) ^ (r & 1ull << 40 ? 0xffffffffu : 0);
        } else {
            x[i] = random_pattern(state, is_wide(f));
        }
    }
}

/* The short cut gives what the core gives, and takes no flag away. */
TEST(short_cut)
{
    for (size_t i = 0; i < FPU_FUNCTION_COUNT; i++) {
        const fpu_function_t *f = &fpu_functions[i];
        uint64_t state = 1000 + i, x[3];
        for (unsigned n = 0; n < 60000; n++) {
            uint32_t flags = 0;
            unsigned rm = n % 8 < 4 ? FPU_RNE : n % 8 - 3;
            random_operands(f, &state, x);
            uint64_t want = f->core(x, rm, &flags);
            check_call(f, f->wrapper, x, rm, n % 16 < 12 ? FPU_NX : 0, want, flags);
        }
    }
}

#ifndef __EMSCRIPTEN__

static const int host_modes[] = {FE_TONEAREST, FE_TOWARDZERO, FE_DOWNWARD, FE_UPWARD};

static uint32_t host_flags(void)
{
    int raised = fetestexcept(FE_ALL_EXCEPT);

    return (raised & FE_INEXACT ? FPU_NX : 0) | (raised & FE_UNDERFLOW ? FPU_UF : 0) |
           (raised & FE_OVERFLOW ? FPU_OF : 0) | (raised & FE_DIVBYZERO ? FPU_DZ : 0) |
           (raised & FE_INVALID ? FPU_NV : 0);
}

/* Whether the host's fma() can be trusted with modes and flags: where it is an instruction. */
static bool host_has_fma(void)
{
#if defined(__x86_64__) && defined(__GNUC__)
    return __builtin_cpu_supports("fma");
#else
    return FPU_HOST_FMA;
#endif
}

static bool is_nan(const fpu_function_t *f, uint64_t x)
{
    uint64_t mask = is_wide(f) ? INT64_MAX : INT32_MAX;

    return (x & mask) > (is_wide(f) ? 0x7ff0000000000000 : 0x7f800000);
}

/*
 * Left to the vectors: integers outside the type, order with a NaN (some compilers ask quietly),
 * and a * b + NaN (hosts differ on infinity times zero).
 */
static bool host_skips(const fpu_function_t *f, const uint64_t *x)
{
    double value = is_wide(f) ? fpu_f64_value(x[0]) : fpu_f32_value((uint32_t)x[0]);
    const char *op = f->name + 4;

    if (strcmp(op, "lt") == 0 || strcmp(op, "le") == 0) {
        return is_nan(f, x[0]) || is_nan(f, x[1]);
    }
    if (strcmp(op, "mulAdd") == 0) {
        return !host_has_fma() || is_nan(f, x[2]);
    }
    if (strcmp(op, "to_i32") == 0) {
        return !(value > -2147483647.0 && value < 2147483646.0);
    }
    if (strcmp(op, "to_ui32") == 0) {
        return !(value >= 0 && value < 4294967294.0);
    }
    return strcmp(op, "min") == 0 || strcmp(op, "max") == 0;
}

/*
 * The volatile variables keep each operation between the calls that set the mode and read the
 * flags. The operations are written once; `type` is float or double.
 */
#define HOST_OPERATIONS(type, root, fused, nearest, bits)                                          \
    if (strcmp(op, "add") == 0) {                                                                  \
        z = a + b;                                                                                 \
    } else if (strcmp(op, "sub") == 0) {                                                           \
        z = a - b;                                                                                 \
    } else if (strcmp(op, "mul") == 0) {                                                           \
        z = a * b;                                                                                 \
    } else if (strcmp(op, "div") == 0) {                                                           \
        z = a / b;                                                                                 \
    } else if (strcmp(op, "sqrt") == 0) {                                                          \
        z = root(a);                                                                               \
    } else if (strcmp(op, "mulAdd") == 0) {                                                        \
        z = fused(a, b, c);                                                                        \
    } else if (strcmp(op, "eq") == 0) {                                                            \
        return a == b;                                                                             \
    } else if (strcmp(op, "lt") == 0) {                                                            \
        return a < b;                                                                              \
    } else if (strcmp(op, "le") == 0) {                                                            \
        return a <= b;                                                                             \
    } else if (strcmp(op, "to_i32") == 0) {                                                        \
        return (uint32_t)nearest(a);                                                               \
    } else if (strcmp(op, "to_ui32") == 0) {                                                       \
        return (uint32_t)nearest(a);                                                               \
    }                                                                                              \
    return bits(z != z ? NAN : z);

static uint64_t host_f32(const char *op, const uint64_t *x)
{
    volatile float a = fpu_f32_value((uint32_t)x[0]), b = fpu_f32_value((uint32_t)x[1]),
                   c = fpu_f32_value((uint32_t)x[2]), z = 0;
    HOST_OPERATIONS(float, sqrtf, fmaf, llrintf, fpu_f32_bits)
}

static uint64_t host_f64(const char *op, const uint64_t *x)
{
    volatile double a = fpu_f64_value(x[0]), b = fpu_f64_value(x[1]), c = fpu_f64_value(x[2]),
                    z = 0;
    HOST_OPERATIONS(double, sqrt, fma, llrint, fpu_f64_bits)
}

static uint64_t host_call(const fpu_function_t *f, const uint64_t *x)
{
    volatile uint32_t n = (uint32_t)x[0];
    volatile double wide;
    volatile float narrow;

    if (strcmp(f->name, "i32_to_f32") == 0) {
        narrow = (float)(int32_t)n;
        return fpu_f32_bits(narrow);
    }
    if (strcmp(f->name, "ui32_to_f32") == 0) {
        narrow = (float)(int64_t)n;
        return fpu_f32_bits(narrow);
    }
    if (strcmp(f->name, "i32_to_f64") == 0) {
        wide = (double)(int32_t)n;
        return fpu_f64_bits(wide);
    }
    if (strcmp(f->name, "ui32_to_f64") == 0) {
        wide = (double)(int64_t)n;
        return fpu_f64_bits(wide);
    }
    if (strcmp(f->name, "f32_to_f64") == 0) {
        narrow = fpu_f32_value(n);
        wide = narrow;
        return fpu_f64_bits(wide != wide ? NAN : wide);
    }
    if (strcmp(f->name, "f64_to_f32") == 0) {
        wide = fpu_f64_value(x[0]);
        narrow = (float)wide;
        return fpu_f32_bits(narrow != narrow ? NAN : narrow);
    }
    return is_wide(f) ? host_f64(f->name + 4, x) : host_f32(f->name + 4, x);
}

/* On AArch64 tininess shows before rounding: a result rounded up to the smallest normal number
 * differs. */
static uint32_t host_underflow(const fpu_function_t *f, uint64_t result, uint32_t host,
                               uint32_t ours)
{
#if defined(__aarch64__)
    bool wide = is_wide(f) && strcmp(f->name, "f64_to_f32") != 0;
    if ((wide ? result << 1 == 1ull << 53 : (uint32_t)result << 1 == 1u << 24)) {
        return (host & ~(uint32_t)FPU_UF) | (ours & FPU_UF);
    }
#else
    (void)f, (void)result, (void)ours;
#endif
    return host;
}

TEST(host_agrees)
{
    unsigned compared = 0;

    for (size_t i = 0; i < FPU_FUNCTION_COUNT; i++) {
        const fpu_function_t *f = &fpu_functions[i];
        uint64_t state = i + 1, x[3];
        for (unsigned n = 0; n < 24000; n++) {
            unsigned rm = n % 4;
            uint32_t ours = 0;
            random_operands(f, &state, x);
            if (host_skips(f, x)) {
                continue;
            }
            fesetround(host_modes[rm]);
            feclearexcept(FE_ALL_EXCEPT);
            uint64_t want = host_call(f, x);
            uint32_t flags = host_flags();
            fesetround(FE_TONEAREST);
            f->core(x, rm, &ours);
            check_call(f, f->core, x, rm, 0, want, host_underflow(f, want, flags, ours));
            compared++;
        }
    }
    CHECK(compared > 400000);
    printf("# %u results and flags compared with the host's\n", compared);
}

/*
 * The host has no RMM. It is RNE but for a tie, and the exact error of a sum or a product, which is
 * a number itself, tells a tie: then twice the error is the step to the neighbour further from
 * zero.
 */
TEST(host_agrees_on_ties)
{
    uint64_t state = 77, x[3];
    unsigned ties = 0;

    for (unsigned n = 0; n < 200000; n++) {
        bool product = n & 1;
        const fpu_function_t *f = fpu_find_function(product ? "f64_mul" : "f64_add");
        x[0] = random_pattern(&state, true);
        x[1] = random_pattern(&state, true);
        x[2] = 0;
        volatile double a = fpu_f64_value(x[0]), b = fpu_f64_value(x[1]);
        volatile double r = product ? a * b : a + b, part = r - a;
        if (!(fabs(r) > 1e-200 && fabs(r) < 1e200)) {
            continue;
        }
        double error = product ? fma(a, b, -r) : (a - (r - part)) + (b - part);
        double away = nextafter(r, r > 0 ? INFINITY : -INFINITY);
        bool tie = 2 * error == away - r;
        ties += tie;
        check_call(f, f->core, x, FPU_RMM, 0, fpu_f64_bits(tie ? away : r),
                   error != 0 ? FPU_NX : 0);
    }
    CHECK(ties > 200);
    printf("# %u ties\n", ties);
}

#endif

int main(void)
{
    RUN(short_cut);
#ifndef __EMSCRIPTEN__
    RUN(host_agrees);
    RUN(host_agrees_on_ties);
#endif
    return tap_finish();
}
