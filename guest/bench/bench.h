/* SPDX-License-Identifier: MPL-2.0 */
/* What the benchmark files share. Every benchmark returns a checksum over what it computed: it
 * depends on `scale` alone, never on the host, so two machines can be compared by it. */
#ifndef RVKIT_BENCH_H
#define RVKIT_BENCH_H

#include <stdint.h>

#define BENCH_NOINLINE __attribute__((noinline))

/* A round of work that is done `count * scale` times, at least once. */
static inline uint32_t bench_rounds(uint32_t count, double scale)
{
    double rounds = count * scale;

    return rounds < 1.0 ? 1 : rounds > 4e9 ? 4000000000U : (uint32_t)rounds;
}

/* FNV-1a over 32-bit words: enough to notice one wrong bit. */
static inline uint64_t bench_mix(uint64_t sum, uint32_t value)
{
    return (sum ^ value) * 0x100000001B3ULL;
}

#define BENCH_SEED 0xCBF29CE484222325ULL

/* xorshift32; `state` must not be 0. */
static inline uint32_t bench_random(uint32_t *state)
{
    uint32_t x = *state;

    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    return *state = x;
}

/* integer.c */
uint64_t bench_dhry(double scale);
uint64_t bench_sha256(double scale);
uint64_t bench_qsort(double scale);
uint64_t bench_sieve(double scale);
uint64_t bench_interp(double scale);
uint64_t bench_fib(double scale);

/* memory.c */
uint64_t bench_memcpy(double scale);
uint64_t bench_stream(double scale);

/* float.c */
uint64_t bench_mandel(double scale);
uint64_t bench_matmul(double scale);
uint64_t bench_nbody(double scale);

/* system.c */
uint64_t bench_syscall(double scale);
uint64_t bench_fork(double scale);
uint64_t bench_fault(double scale);
uint64_t bench_pipe(double scale);

#endif
