/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The floating-point functions of src/cpu/fpu.h under one signature, each as the core and as the
 * wrapper with the short cut, under TestFloat's names. For tests/unit/fpu.c and
 * tests/isa/testfloat/check.c.
 */
#ifndef RVKIT_TESTS_FPU_CALLS_H
#define RVKIT_TESTS_FPU_CALLS_H

#include "../../src/cpu/fpu.h"

#include <stdio.h>

typedef uint64_t (*fpu_call_t)(const uint64_t *x, unsigned rm, uint32_t *flags);

typedef struct {
    const char *name;
    unsigned operands;
    bool rounds; /* takes a rounding mode */
    fpu_call_t core, wrapper;
} fpu_function_t;

#define FPU_CALLS(name, ...)                                                                       \
    static uint64_t core_##name(const uint64_t *x, unsigned rm, uint32_t *flags)                   \
    {                                                                                              \
        (void)rm;                                                                                  \
        return name(__VA_ARGS__, flags);                                                           \
    }                                                                                              \
    static uint64_t wrapper_##name(const uint64_t *x, unsigned rm, uint32_t *flags)                \
    {                                                                                              \
        (void)rm;                                                                                  \
        return fpu_##name(__VA_ARGS__, flags);                                                     \
    }

#define FPU_FORMAT_CALLS(T, type)                                                                  \
    FPU_CALLS(T##_add, (type)x[0], (type)x[1], rm)                                                 \
    FPU_CALLS(T##_sub, (type)x[0], (type)x[1], rm)                                                 \
    FPU_CALLS(T##_mul, (type)x[0], (type)x[1], rm)                                                 \
    FPU_CALLS(T##_div, (type)x[0], (type)x[1], rm)                                                 \
    FPU_CALLS(T##_sqrt, (type)x[0], rm)                                                            \
    FPU_CALLS(T##_mul_add, (type)x[0], (type)x[1], (type)x[2], rm)                                 \
    FPU_CALLS(T##_eq, (type)x[0], (type)x[1])                                                      \
    FPU_CALLS(T##_lt, (type)x[0], (type)x[1])                                                      \
    FPU_CALLS(T##_le, (type)x[0], (type)x[1])                                                      \
    FPU_CALLS(T##_min, (type)x[0], (type)x[1])                                                     \
    FPU_CALLS(T##_max, (type)x[0], (type)x[1])                                                     \
    FPU_CALLS(T##_to_i32, (type)x[0], rm)                                                          \
    FPU_CALLS(T##_to_u32, (type)x[0], rm)                                                          \
    FPU_CALLS(T##_from_i32, (uint32_t)x[0], rm)                                                    \
    FPU_CALLS(T##_from_u32, (uint32_t)x[0], rm)

FPU_FORMAT_CALLS(f32, uint32_t)
FPU_FORMAT_CALLS(f64, uint64_t)
FPU_CALLS(f32_to_f64, (uint32_t)x[0])
FPU_CALLS(f64_to_f32, x[0], rm)

#define FPU_ROW(theirs, operands, rounds, ours)                                                    \
    {                                                                                              \
        theirs, operands, rounds, core_##ours, wrapper_##ours                                      \
    }

#define FPU_FORMAT_ROWS(T)                                                                         \
    FPU_ROW(#T "_add", 2, true, T##_add), FPU_ROW(#T "_sub", 2, true, T##_sub),                    \
        FPU_ROW(#T "_mul", 2, true, T##_mul), FPU_ROW(#T "_div", 2, true, T##_div),                \
        FPU_ROW(#T "_sqrt", 1, true, T##_sqrt), FPU_ROW(#T "_mulAdd", 3, true, T##_mul_add),       \
        FPU_ROW(#T "_eq", 2, false, T##_eq), FPU_ROW(#T "_lt", 2, false, T##_lt),                  \
        FPU_ROW(#T "_le", 2, false, T##_le), FPU_ROW(#T "_to_i32", 1, true, T##_to_i32),           \
        FPU_ROW(#T "_to_ui32", 1, true, T##_to_u32), FPU_ROW("i32_to_" #T, 1, true, T##_from_i32), \
        FPU_ROW("ui32_to_" #T, 1, true, T##_from_u32)

/* FPU_TESTFLOAT_COUNT rows that TestFloat knows, then minima and maxima. */
static const fpu_function_t fpu_functions[] = {
    FPU_FORMAT_ROWS(f32),
    FPU_FORMAT_ROWS(f64),
    FPU_ROW("f32_to_f64", 1, false, f32_to_f64),
    FPU_ROW("f64_to_f32", 1, true, f64_to_f32),
    FPU_ROW("f32_min", 2, false, f32_min),
    FPU_ROW("f32_max", 2, false, f32_max),
    FPU_ROW("f64_min", 2, false, f64_min),
    FPU_ROW("f64_max", 2, false, f64_max),
};

enum {
    FPU_FUNCTION_COUNT = sizeof(fpu_functions) / sizeof(fpu_functions[0]),
    FPU_TESTFLOAT_COUNT = FPU_FUNCTION_COUNT - 4
};

/* NULL if there is none. */
static inline const fpu_function_t *fpu_find_function(const char *name)
{
    for (size_t i = 0; i < FPU_FUNCTION_COUNT; i++) {
        if (strcmp(fpu_functions[i].name, name) == 0) {
            return &fpu_functions[i];
        }
    }
    return NULL;
}

/*
 * Whether `call`, started with the flags `before`, gives a result and adds exactly the flags it
 * should. Prints what is wrong if `tell`.
 */
static inline bool fpu_call_gives(const fpu_function_t *f, fpu_call_t call, const uint64_t *x,
                                  unsigned rm, uint32_t before, uint64_t want, uint32_t want_flags,
                                  bool tell)
{
    uint32_t flags = before;
    uint64_t got = call(x, rm, &flags);

    want_flags |= before;
    if (got == want && flags == want_flags) {
        return true;
    }
    if (tell) {
        printf("# %s%s(", call == f->core ? "" : "fpu_", f->name);
        for (unsigned i = 0; i < f->operands; i++) {
            printf("%s%llx", i ? ", " : "", (unsigned long long)x[i]);
        }
        printf(") rm %u flags %02x: want %llx flags %02x, got %llx flags %02x\n", rm,
               (unsigned)before, (unsigned long long)want, (unsigned)want_flags,
               (unsigned long long)got, (unsigned)flags);
    }
    return false;
}

#endif
