/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Checks the floating-point core against Berkeley TestFloat: ../testfloat.sh builds and runs this.
 *
 *   check TESTFLOAT_GEN [LEVEL [FUNCTION...]]
 *
 * TESTFLOAT_GEN must be linked with SoftFloat's RISC-V specialisation, for results are compared bit
 * by bit. Each case runs twice: the core with no flags set, and the wrapper with FPU_NX set, which
 * takes the short cut where there is one. Prints one line per function, then "N passed, N failed".
 */
#include "../../unit/fpu_calls.h"

#include <stdio.h>
#include <stdlib.h>

/* TestFloat's names of the rounding modes 0..4. */
static const char *const modes[] = {"near_even", "minMag", "min", "max", "near_maxMag"};

/* Reads hexadecimal numbers up to the end of a line; returns how many, or -1 at the end of the
 * input. */
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

/* Returns the number of cases of one function and mode; 0 when the generator failed. */
static unsigned long long check_mode(const char *generator, const char *level,
                                     const fpu_function_t *f, unsigned rm, unsigned long long *bad)
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
        uint64_t want = line[f->operands];
        uint32_t flags = (uint32_t)line[f->operands + 1];
        *bad += !fpu_call_gives(f, f->core, line, rm, 0, want, flags, *bad < 10);
        *bad += !fpu_call_gives(f, f->wrapper, line, rm, FPU_NX, want, flags, *bad < 10);
        cases++;
    }
    return pclose(in) == 0 ? cases : 0;
}

static bool check_function(const char *generator, const char *level, const fpu_function_t *f)
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

static bool is_wanted(const fpu_function_t *f, int count, char **names)
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
        fprintf(stderr, "usage: check TESTFLOAT_GEN [LEVEL [FUNCTION...]]\n");
        return 2;
    }
    const char *level = argc > 2 && strcmp(argv[2], "2") == 0 ? "2" : "1";
    for (size_t i = 0; i < FPU_TESTFLOAT_COUNT; i++) {
        if (is_wanted(&fpu_functions[i], argc - 3, argv + 3)) {
            if (check_function(argv[1], level, &fpu_functions[i])) {
                passed++;
            } else {
                failed++;
            }
        }
    }
    printf("%u passed, %u failed\n", passed, failed);
    return failed || !passed;
}
