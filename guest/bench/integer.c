/* SPDX-License-Identifier: MPL-2.0 */
/* Integer work: straight-line, branches, calls. */
#include "bench.h"

#include <stdlib.h>
#include <string.h>

/* --- dhry: an application-like mix
 * ------------------------------------------------------------------- */

enum { NAME_SIZE = 32, ITEM_COUNT = 16 };

typedef enum { KIND_BOOK, KIND_TOOL, KIND_FOOD, KIND_COUNT } kind_t;

typedef struct item {
    struct item *next;
    kind_t kind;
    int price;
    int stock[8];
    char name[NAME_SIZE];
} item_t;

static BENCH_NOINLINE int name_order(const char *a, const char *b)
{
    while (*a && *a == *b) {
        a++;
        b++;
    }
    return (unsigned char)*a - (unsigned char)*b;
}

static BENCH_NOINLINE void name_set(char *to, const char *from, unsigned number)
{
    char *last = to + NAME_SIZE - 6;

    while (*from && to < last) {
        *to++ = *from++;
    }
    for (int digit = 0; digit < 4; digit++) {
        *to++ = (char)('0' + (number >> (12 - 4 * digit)) % 10);
    }
    *to = 0;
}

static BENCH_NOINLINE int item_price(const item_t *item, int amount)
{
    switch (item->kind) {
    case KIND_BOOK:
        return item->price * amount;
    case KIND_TOOL:
        return item->price * amount - (amount > 5 ? item->price / 2 : 0);
    case KIND_FOOD:
        return (item->price * amount * 7) / 8;
    default:
        return 0;
    }
}

static BENCH_NOINLINE int item_sell(item_t *item, int place, int amount)
{
    int *stock = &item->stock[place & 7];

    if (*stock < amount) {
        *stock += 3 * amount + (place & 3);
        return -1;
    }
    *stock -= amount;
    return item_price(item, amount);
}

static BENCH_NOINLINE item_t *item_find(item_t *first, const char *name)
{
    while (first && name_order(first->name, name)) {
        first = first->next;
    }
    return first;
}

uint64_t bench_dhry(double scale)
{
    static const char *const words[KIND_COUNT] = {"a rather long book title ", "hammer and nails ",
                                                  "bread "};
    item_t items[ITEM_COUNT], copy;
    char wanted[NAME_SIZE];
    uint32_t rounds = bench_rounds(400000, scale), earned = 0;

    for (int i = 0; i < ITEM_COUNT; i++) {
        items[i] = (item_t){.kind = (kind_t)(i % KIND_COUNT), .price = 10 + 3 * i};
        items[i].next = i + 1 < ITEM_COUNT ? &items[i + 1] : NULL;
        name_set(items[i].name, words[i % KIND_COUNT], (unsigned)i);
    }
    for (uint32_t round = 0; round < rounds; round++) {
        unsigned pick = (round * 7) % ITEM_COUNT;
        item_t *found;

        name_set(wanted, words[pick % KIND_COUNT], pick);
        found = item_find(&items[pick & 8], wanted);
        if (!found) {
            earned ^= round;
            continue;
        }
        copy = *found;
        int got = item_sell(&copy, (int)(round >> 4), (int)(round % 9));
        *found = copy;
        earned += got < 0 ? 1U : (uint32_t)got;
    }
    return bench_mix(bench_mix(BENCH_SEED, earned), (uint32_t)items[5].stock[3]);
}

/* --- sha256
 * ------------------------------------------------------------------------------------------ */

static const uint32_t sha_k[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static inline uint32_t rotate_right(uint32_t value, int by)
{
    return value >> by | value << (32 - by);
}

static BENCH_NOINLINE void sha_block(uint32_t state[8], const unsigned char *block)
{
    uint32_t w[64], v[8];

    for (int i = 0; i < 16; i++) {
        const unsigned char *p = block + 4 * i;

        w[i] = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
    }
    for (int i = 16; i < 64; i++) {
        uint32_t s0 = rotate_right(w[i - 15], 7) ^ rotate_right(w[i - 15], 18) ^ w[i - 15] >> 3;
        uint32_t s1 = rotate_right(w[i - 2], 17) ^ rotate_right(w[i - 2], 19) ^ w[i - 2] >> 10;

        w[i] = w[i - 16] + s0 + w[i - 7] + s1;
    }
    memcpy(v, state, sizeof(v));
    for (int i = 0; i < 64; i++) {
        uint32_t e = v[4], a = v[0];
        uint32_t t1 = v[7] + (rotate_right(e, 6) ^ rotate_right(e, 11) ^ rotate_right(e, 25)) +
                      ((e & v[5]) ^ (~e & v[6])) + sha_k[i] + w[i];
        uint32_t t2 = (rotate_right(a, 2) ^ rotate_right(a, 13) ^ rotate_right(a, 22)) +
                      ((a & v[1]) ^ (a & v[2]) ^ (v[1] & v[2]));

        v[7] = v[6], v[6] = v[5], v[5] = e, v[4] = v[3] + t1;
        v[3] = v[2], v[2] = v[1], v[1] = a, v[0] = t1 + t2;
    }
    for (int i = 0; i < 8; i++) {
        state[i] += v[i];
    }
}

uint64_t bench_sha256(double scale)
{
    static unsigned char data[65536];
    uint32_t state[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                         0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    uint32_t rounds = bench_rounds(100, scale), random = 1;

    for (unsigned i = 0; i < sizeof(data); i++) {
        data[i] = (unsigned char)bench_random(&random);
    }
    for (uint32_t round = 0; round < rounds; round++) {
        for (unsigned at = 0; at < sizeof(data); at += 64) {
            sha_block(state, data + at);
        }
    }
    return (uint64_t)state[0] << 32 | state[7];
}

/* --- qsort
 * ------------------------------------------------------------------------------------------- */

/* The C library's qsort differs from one library to the next; this one is the same everywhere. */
static BENCH_NOINLINE int order_up(const uint32_t *a, const uint32_t *b)
{
    return (*a > *b) - (*a < *b);
}

static BENCH_NOINLINE int order_scattered(const uint32_t *a, const uint32_t *b)
{
    uint32_t x = *a * 2654435761U, y = *b * 2654435761U;

    return (x > y) - (x < y);
}

static void sort_insert(uint32_t *v, int count, int (*order)(const uint32_t *, const uint32_t *))
{
    for (int i = 1; i < count; i++) {
        uint32_t moving = v[i];
        int at = i;

        while (at > 0 && order(&v[at - 1], &moving) > 0) {
            v[at] = v[at - 1];
            at--;
        }
        v[at] = moving;
    }
}

static void sort_range(uint32_t *v, int count, int (*order)(const uint32_t *, const uint32_t *))
{
    while (count > 12) {
        uint32_t pivot = v[count / 2], swap;
        int i = 0, j = count - 1;

        while (i <= j) {
            while (order(&v[i], &pivot) < 0) {
                i++;
            }
            while (order(&v[j], &pivot) > 0) {
                j--;
            }
            if (i <= j) {
                swap = v[i], v[i] = v[j], v[j] = swap;
                i++, j--;
            }
        }
        sort_range(v, j + 1, order);
        v += i;
        count -= i;
    }
    sort_insert(v, count, order);
}

uint64_t bench_qsort(double scale)
{
    enum { COUNT = 20000 };
    static uint32_t values[COUNT];
    uint32_t rounds = bench_rounds(30, scale), random = 12345;
    uint64_t sum = BENCH_SEED;

    for (uint32_t round = 0; round < rounds; round++) {
        for (int i = 0; i < COUNT; i++) {
            values[i] = bench_random(&random);
        }
        sort_range(values, COUNT, round & 1 ? order_scattered : order_up);
        sum = bench_mix(sum, values[COUNT / 3] ^ values[COUNT - 1]);
    }
    return sum;
}

/* --- sieve
 * ------------------------------------------------------------------------------------------- */

static BENCH_NOINLINE uint32_t sieve_primes(unsigned char *composite, uint32_t limit)
{
    uint32_t count = 0;

    memset(composite, 0, limit);
    for (uint32_t i = 2; i < limit; i++) {
        if (composite[i]) {
            continue;
        }
        count++;
        for (uint32_t j = 2 * i; j < limit; j += i) {
            composite[j] = 1;
        }
    }
    return count;
}

uint64_t bench_sieve(double scale)
{
    enum { LIMIT = 1000000 };
    static unsigned char composite[LIMIT];
    uint32_t rounds = bench_rounds(25, scale);
    uint64_t sum = BENCH_SEED;

    for (uint32_t round = 0; round < rounds; round++) {
        sum = bench_mix(sum, sieve_primes(composite, LIMIT - round % 16));
    }
    return sum;
}

/* --- interp: a register machine that looks for the longest Collatz walk
 * ------------------------------- */

enum { OP_SET, OP_MOVE, OP_ADD, OP_SHIFT, OP_ODD, OP_TRIPLE, OP_LESS, OP_JUMP, OP_JUMP_IF, OP_END };

typedef struct {
    unsigned char op, to, from;
    signed char jump;
    uint32_t value;
} code_t;

static BENCH_NOINLINE uint32_t interp_run(const code_t *code, uint32_t limit)
{
    uint32_t r[8] = {0};

    r[7] = limit;
    for (;; code++) {
        switch (code->op) {
        case OP_SET:
            r[code->to] = code->value;
            break;
        case OP_MOVE:
            r[code->to] = r[code->from];
            break;
        case OP_ADD:
            r[code->to] += code->value;
            break;
        case OP_SHIFT:
            r[code->to] >>= code->value;
            break;
        case OP_ODD:
            r[code->to] = r[code->from] & 1;
            break;
        case OP_TRIPLE:
            r[code->to] = 3 * r[code->to] + 1;
            break;
        case OP_LESS:
            r[code->to] = r[code->to] < r[code->from];
            break;
        case OP_JUMP:
            code += code->jump;
            break;
        case OP_JUMP_IF:
            code += r[code->from] ? code->jump : 0;
            break;
        default:
            return r[4] * 65536 + r[5];
        }
    }
}

uint64_t bench_interp(double scale)
{
    /* r0 start, r1 walker, r2 steps, r3 flag, r4 longest walk, r5 where it began, r7 limit */
    static const code_t program[] = {
        {OP_SET, 0, 0, 0, 1},       {OP_MOVE, 1, 0, 0, 0},    {OP_SET, 2, 0, 0, 0},
        {OP_ODD, 3, 1, 0, 0},       {OP_JUMP_IF, 0, 3, 3, 0}, {OP_SHIFT, 1, 0, 0, 1},
        {OP_ADD, 2, 0, 0, 1},       {OP_JUMP, 0, 0, -5, 0},   {OP_SET, 3, 0, 0, 1},
        {OP_LESS, 3, 1, 0, 0},      {OP_JUMP_IF, 0, 3, 1, 0}, {OP_JUMP, 0, 0, 3, 0},
        {OP_TRIPLE, 1, 0, 0, 0},    {OP_ADD, 2, 0, 0, 1},     {OP_JUMP, 0, 0, -12, 0},
        {OP_MOVE, 3, 4, 0, 0},      {OP_LESS, 3, 2, 0, 0},    {OP_JUMP_IF, 0, 3, 1, 0},
        {OP_JUMP, 0, 0, 2, 0},      {OP_MOVE, 4, 2, 0, 0},    {OP_MOVE, 5, 0, 0, 0},
        {OP_ADD, 0, 0, 0, 1},       {OP_MOVE, 3, 0, 0, 0},    {OP_LESS, 3, 7, 0, 0},
        {OP_JUMP_IF, 0, 3, -24, 0}, {OP_END, 0, 0, 0, 0},
    };

    return bench_mix(BENCH_SEED, interp_run(program, bench_rounds(50000, scale)));
}

/* --- fib
 * --------------------------------------------------------------------------------------------- */

static BENCH_NOINLINE uint32_t fib(uint32_t n)
{
    /* The barrier keeps a compiler from turning the recursion into a loop. */
    __asm__ volatile("" : "+r"(n));
    return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

uint64_t bench_fib(double scale)
{
    uint32_t rounds = bench_rounds(20, scale);
    uint64_t sum = BENCH_SEED;

    for (uint32_t round = 0; round < rounds; round++) {
        sum = bench_mix(sum, fib(28));
    }
    return sum;
}
