/* SPDX-License-Identifier: MPL-2.0 */
/* Work in double. Built with -ffp-contract=off: every operation rounds once, so checksums agree
 * everywhere. */
#include "bench.h"

#include <string.h>

static uint64_t mix_double(uint64_t sum, double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof(bits));
    return bench_mix(bench_mix(sum, (uint32_t)bits), (uint32_t)(bits >> 32));
}

static BENCH_NOINLINE uint32_t mandel_escape(double re, double im, uint32_t limit)
{
    double x = 0.0, y = 0.0;
    uint32_t steps = 0;

    while (steps < limit && x * x + y * y <= 4.0) {
        double next = x * x - y * y + re;

        y = 2.0 * x * y + im;
        x = next;
        steps++;
    }
    return steps;
}

uint64_t bench_mandel(double scale)
{
    enum { WIDTH = 200 };
    uint32_t lines = bench_rounds(800, scale);
    uint64_t sum = BENCH_SEED;

    for (uint32_t line = 0; line < lines; line++) {
        for (int column = 0; column < WIDTH; column++) {
            sum = bench_mix(sum, mandel_escape(-2.0 + column * (3.0 / WIDTH),
                                               -1.5 + line % 200 * (3.0 / 200), 400));
        }
    }
    return sum;
}

enum { MATRIX = 96 };

static BENCH_NOINLINE void matrix_product(double (*to)[MATRIX], double (*a)[MATRIX],
                                          double (*b)[MATRIX])
{
    for (int row = 0; row < MATRIX; row++) {
        for (int column = 0; column < MATRIX; column++) {
            double sum = 0.0;

            for (int i = 0; i < MATRIX; i++) {
                sum += a[row][i] * b[i][column];
            }
            to[row][column] = sum;
        }
    }
}

uint64_t bench_matmul(double scale)
{
    static double a[MATRIX][MATRIX], b[MATRIX][MATRIX], c[MATRIX][MATRIX];
    uint32_t rounds = bench_rounds(50, scale), random = 99;
    uint64_t sum = BENCH_SEED;

    for (int row = 0; row < MATRIX; row++) {
        for (int column = 0; column < MATRIX; column++) {
            a[row][column] = bench_random(&random) % 2000 / 1000.0 - 1.0;
            b[row][column] = bench_random(&random) % 2000 / 1000.0 - 1.0;
        }
    }
    for (uint32_t round = 0; round < rounds; round++) {
        a[round % MATRIX][0] += 0.001;
        matrix_product(c, a, b);
        sum = mix_double(sum, c[round % MATRIX][(round * 7) % MATRIX]);
    }
    return sum;
}

enum { BODIES = 5 };

typedef struct {
    double place[3], speed[3], mass;
} body_t;

static BENCH_NOINLINE void bodies_step(body_t *body, double dt)
{
    for (int i = 0; i < BODIES; i++) {
        for (int j = i + 1; j < BODIES; j++) {
            double d[3], square = 0.01, pull;

            for (int k = 0; k < 3; k++) {
                d[k] = body[j].place[k] - body[i].place[k];
                square += d[k] * d[k];
            }
            pull = dt / (square * __builtin_sqrt(square));
            for (int k = 0; k < 3; k++) {
                body[i].speed[k] += d[k] * body[j].mass * pull;
                body[j].speed[k] -= d[k] * body[i].mass * pull;
            }
        }
    }
    for (int i = 0; i < BODIES; i++) {
        for (int k = 0; k < 3; k++) {
            body[i].place[k] += dt * body[i].speed[k];
        }
    }
}

uint64_t bench_nbody(double scale)
{
    body_t body[BODIES];
    uint32_t rounds = bench_rounds(400000, scale), random = 4711;
    uint64_t sum = BENCH_SEED;

    for (int i = 0; i < BODIES; i++) {
        body[i].mass = i ? 0.05 * i : 10.0;
        for (int k = 0; k < 3; k++) {
            body[i].place[k] = i ? bench_random(&random) % 8000 / 1000.0 - 4.0 : 0.0;
            body[i].speed[k] = i ? bench_random(&random) % 2000 / 1000.0 - 1.0 : 0.0;
        }
    }
    for (uint32_t round = 0; round < rounds; round++) {
        bodies_step(body, 0.001);
    }
    for (int i = 0; i < BODIES; i++) {
        sum = mix_double(sum, body[i].place[i % 3]);
    }
    return sum;
}
