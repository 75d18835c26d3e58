/* SPDX-License-Identifier: MPL-2.0 */
/*
 * bench               runs all, one line each:  NAME  NANOSECONDS  CHECKSUM
 * bench NAME [SCALE]  runs one; SCALE multiplies its work (default 1, fractions allowed)
 * bench list          names them
 *
 * Times are CLOCK_MONOTONIC. It is the guest's clock: a machine whose clock lies is measured from
 * outside.
 */
#include "bench.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct {
    const char *name;
    const char *what;
    uint64_t (*run)(double scale);
} bench_t;

static const bench_t benches[] = {
    {"dhry", "records, strings and branches, as in application code", bench_dhry},
    {"sha256", "SHA-256: rotates, adds, a large unrolled loop", bench_sha256},
    {"qsort", "sorting 32-bit numbers through a comparison function", bench_qsort},
    {"sieve", "prime sieve: byte stores with growing strides", bench_sieve},
    {"interp", "a bytecode interpreter: switch, unpredictable jumps", bench_interp},
    {"fib", "recursive Fibonacci: calls and returns", bench_fib},
    {"memcpy", "copying 64 KiB blocks", bench_memcpy},
    {"stream", "copy, scale, add, triad over arrays of double", bench_stream},
    {"mandel", "Mandelbrot set in double", bench_mandel},
    {"matmul", "matrix product in double", bench_matmul},
    {"nbody", "five bodies in double: divisions and square roots", bench_nbody},
    {"syscall", "getppid", bench_syscall},
    {"fork", "fork, exit, wait", bench_fork},
    {"fault", "first touches of fresh pages", bench_fault},
    {"pipe", "two processes passing a byte to and fro", bench_pipe},
};

enum { BENCH_COUNT = sizeof(benches) / sizeof(benches[0]) };

static uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

static void run_one(const bench_t *bench, double scale)
{
    uint64_t start = now_ns();
    uint64_t sum = bench->run(scale);
    uint64_t took = now_ns() - start;

    printf("%-8s %12" PRIu64 "  %016" PRIx64 "\n", bench->name, took, sum);
    fflush(stdout);
}

static int usage(void)
{
    fprintf(stderr, "usage: bench [list | NAME [SCALE]]; `bench list` names the benchmarks\n");
    return 2;
}

int main(int argc, char **argv)
{
    double scale = 1.0;

    if (argc > 3) {
        return usage();
    }
    if (argc == 3) {
        char *end;

        scale = strtod(argv[2], &end);
        if (*end || end == argv[2] || !(scale > 0.0 && scale <= 10000.0)) {
            return usage();
        }
    }
    if (argc == 2 && !strcmp(argv[1], "list")) {
        for (int i = 0; i < BENCH_COUNT; i++) {
            printf("%-8s %s\n", benches[i].name, benches[i].what);
        }
        return 0;
    }
    for (int i = 0; i < BENCH_COUNT; i++) {
        if (argc < 2 || !strcmp(argv[1], "all")) {
            run_one(&benches[i], scale);
        } else if (!strcmp(argv[1], benches[i].name)) {
            run_one(&benches[i], scale);
            return 0;
        }
    }
    return argc < 2 || !strcmp(argv[1], "all") ? 0 : usage();
}
