/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Checks the floating-point core against Berkeley TestFloat: testfloat.sh builds and runs this.
 *
 *   testfloat_check TESTFLOAT_GEN [LEVEL [FUNCTION...]]
 *
 * TESTFLOAT_GEN must be linked with SoftFloat's RISC-V specialisation, for results are compared bit by bit.
 * Each case runs twice: the core with no flags set, and the wrapper with FPU_NX set, which takes the short
 * cut where there is one. Prints one line per function, then "N passed, N failed".
 */
#include "../../src/cpu/fpu.h"

#include <stdio.h>
#include <stdlib.h>

typedef uint64_t (*fpu_call_t)(const uint64_t *x, unsigned rm, uint32_t *flags);

typedef struct {
    const char *name; /* TestFloat's */
    unsigned operands;
    bool rounds;
    fpu_call_t core, wrapper;
} function_t;

#define DEFINE(name, type, ...)                                                                    \
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

#define DEFINE_FORMAT(T, type)                                                                     \
    DEFINE(T##_add, type, (type)x[0], (type)x[1], rm)                                              \
    DEFINE(T##_sub, type, (type)x[0], (type)x[1], rm)                                              \
    DEFINE(T##_mul, type, (type)x[0], (type)x[1], rm)                                              \
    DEFINE(T##_div, type, (type)x[0], (type)x[1], rm)                                              \
    DEFINE(T##_sqrt, type, (type)x[0], rm)                                                         \
    DEFINE(T##_mul_add, type, (type)x[0], (type)x[1], (type)x[2], rm)                              \
    DEFINE(T##_eq, type, (type)x[0], (type)x[1])                                                   \
    DEFINE(T##_lt, type, (type)x[0], (type)x[1])                                                   \
    DEFINE(T##_le, type, (type)x[0], (type)x[1])                                                   \
    DEFINE(T##_to_i32, type, (type)x[0], rm)                                                       \
    DEFINE(T##_to_u32, type, (type)x[0], rm)                                                       \
    DEFINE(T##_from_i32, type, (uint32_t)x[0], rm)                                                 \
    DEFINE(T##_from_u32, type, (uint32_t)x[0], rm)

DEFINE_FORMAT(f32, uint32_t)
DEFINE_FORMAT(f64, uint64_t)
DEFINE(f32_to_f64, uint32_t, (uint32_t)x[0])
DEFINE(f64_to_f32, uint64_t, x[0], rm)

#define ROW(theirs, operands, rounds, ours) {theirs, operands, rounds, core_##ours, wrapper_##ours}

#define ROWS(T)                                                                                    \
    ROW(#T "_add", 2, true, T##_add), ROW(#T "_sub", 2, true, T##_sub),                            \
        ROW(#T "_mul", 2, true, T##_mul), ROW(#T "_div", 2, true, T##_div),                        \
        ROW(#T "_sqrt", 1, true, T##_sqrt), ROW(#T "_mulAdd", 3, true, T##_mul_add),               \
        ROW(#T "_eq", 2, false, T##_eq), ROW(#T "_lt", 2, false, T##_lt),                          \
        ROW(#T "_le", 2, false, T##_le), ROW(#T "_to_i32", 1, true, T##_to_i32),                   \
        ROW(#T "_to_ui32", 1, true, T##_to_u32), ROW("i32_to_" #T, 1, true, T##_from_i32),         \
        ROW("ui32_to_" #T, 1, true, T##_from_u32)

static const function_t functions[] = {
    ROWS(f32),
    ROWS(f64),
    ROW("f32_to_f64", 1, false, f32_to_f64),
    ROW("f64_to_f32", 1, true, f64_to_f32),
};

/* TestFloat's names of the rounding modes 0..4. */
static const char *const modes[] = {"near_even", "minMag", "min", "max", "near_maxMag"};

/* Reads hexadecimal numbers up to the end of a line; returns how many, or -1 at the end of the input. */
static int read_line(FILE *in, uint64_t *numbers, int limit)
{
    int count = 0, digits = 0, c;

    while ((c = getc_unlocked(in)) != EOF) {
        if (c == ' ' || c == '\n') {
            count += digits != 0;
            digits = 0;
            if (c == '\n') {
                return count;
            }
            continue;
        }
        int digit = c <= '9' ? c - '0' : (c & 7) + 9;
        if (count < limit) {
            numbers[count] = (digits++ ? numbers[count] << 4 : 0) + (unsigned)digit;
        }
    }
    return -1;
}

static bool check_call(const char *what, const function_t *f, fpu_call_t call, unsigned rm,
                       const uint64_t *line, uint32_t before, unsigned long long *bad)
{
    uint64_t want = line[f->operands];
    uint32_t want_flags = (uint32_t)line[f->operands + 1] | before, flags = before;
    uint64_t got = call(line, rm, &flags);

    if (got == want && flags == want_flags) {
        return true;
    }
    if (++*bad <= 10) {
        printf("# %s %s %s:", what, f->name, modes[rm]);
        for (unsigned i = 0; i < f->operands; i++) {
            printf(" %llx", (unsigned long long)line[i]);
        }
        printf(": want %llx flags %02x, got %llx flags %02x\n", (unsigned long long)want,
               (unsigned)want_flags, (unsigned long long)got, (unsigned)flags);
    }
    return false;
}

/* Returns the number of cases of one function and mode; 0 when the generator failed. */
static unsigned long long check_mode(const char *generator, const char *level, const function_t *f,
                                     unsigned rm, unsigned long long *bad)
{
    char command[4096];
    uint64_t line[5] = {0};
    unsigned long long cases = 0;
    int count;

    snprintf(command, sizeof(command), "'%s' -level %s -exact -tininessafter -r%s %s", generator,
             level, modes[rm], f->name);
    FILE *in = popen(command, "r");
    if (!in) {
        return 0;
    }
    while ((count = read_line(in, line, 5)) >= 0) {
        if (count != (int)f->operands + 2) {
            printf("# %s: a line with %d numbers\n", f->name, count);
            ++*bad;
            continue;
        }
        check_call("core", f, f->core, rm, line, 0, bad);
        check_call("wrapper", f, f->wrapper, rm, line, FPU_NX, bad);
        cases++;
    }
    return pclose(in) == 0 ? cases : 0;
}

static bool check_function(const char *generator, const char *level, const function_t *f)
{
    unsigned long long cases = 0, bad = 0;

    for (unsigned rm = 0; rm < (f->rounds ? 5u : 1u); rm++) {
        unsigned long long n = check_mode(generator, level, f, rm, &bad);
        if (!n) {
            printf("# %s %s: no cases, or the generator failed\n", f->name, modes[rm]);
            bad++;
        }
        cases += n;
    }
    printf("%s %s %llu cases, %llu wrong\n", bad ? "not ok" : "ok", f->name, cases, bad);
    fflush(stdout);
    return bad == 0;
}

static bool is_wanted(const function_t *f, int count, char **names)
{
    for (int i = 0; i < count; i++) {
        if (strcmp(f->name, names[i]) == 0) {
            return true;
        }
    }
    return count <= 0;
}

int main(int argc, char **argv)
{
    unsigned passed = 0, failed = 0;

    if (argc < 2) {
        fprintf(stderr, "usage: testfloat_check TESTFLOAT_GEN [LEVEL [FUNCTION...]]\n");
        return 2;
    }
    const char *level = argc > 2 && strcmp(argv[2], "2") == 0 ? "2" : "1";
    for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
        if (is_wanted(&functions[i], argc - 3, argv + 3)) {
            if (check_function(argv[1], level, &functions[i])) {
                passed++;
            } else {
                failed++;
            }
        }
    }
    printf("%u passed, %u failed\n", passed, failed);
    return failed || !passed;
}
