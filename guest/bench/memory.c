/* SPDX-License-Identifier: MPL-2.0 */
/* Memory work: the C library's memcpy, and loops over arrays that do not fit a first-level cache.
 */
#include "bench.h"

#include <string.h>

uint64_t bench_memcpy(double scale)
{
    enum { SIZE = 65536, SLACK = 64 };
    static unsigned char from[SIZE + SLACK], to[SIZE + SLACK];
    void *(*volatile copy)(void *, const void *, size_t) = memcpy;
    uint32_t rounds = bench_rounds(3000, scale), random = 77;
    uint64_t sum = BENCH_SEED;

    for (unsigned i = 0; i < sizeof(from); i++) {
        from[i] = (unsigned char)bench_random(&random);
    }
    for (uint32_t round = 0; round < rounds; round++) {
        /* One copy in eight is misaligned to its source. */
        copy(to + round % 4 * 4, from + (round % 8 == 7 ? 1 : round % 4 * 4), SIZE);
        sum = bench_mix(sum, to[round % SIZE]);
    }
    return sum;
}

static BENCH_NOINLINE void stream_round(double *a, double *b, double *c, int count)
{
    for (int i = 0; i < count; i++) {
        c[i] = a[i];
    }
    for (int i = 0; i < count; i++) {
        b[i] = 0.5 * c[i];
    }
    for (int i = 0; i < count; i++) {
        c[i] = a[i] + b[i];
    }
    for (int i = 0; i < count; i++) {
        a[i] = b[i] + 0.25 * c[i];
    }
}

uint64_t bench_stream(double scale)
{
    enum { COUNT = 100000 };
    static double a[COUNT], b[COUNT], c[COUNT];
    uint32_t rounds = bench_rounds(100, scale);
    uint64_t sum = BENCH_SEED;

    for (int i = 0; i < COUNT; i++) {
        a[i] = 1.0 + i;
    }
    for (uint32_t round = 0; round < rounds; round++) {
        stream_round(a, b, c, COUNT);
    }
    for (int i = 0; i < COUNT; i += 1000) {
        uint64_t bits;

        memcpy(&bits, &a[i], sizeof(bits));
        sum = bench_mix(bench_mix(sum, (uint32_t)bits), (uint32_t)(bits >> 32));
    }
    return sum;
}
