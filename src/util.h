/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Small helpers that every room may use: branch hints, little-endian bytes, relaxed access to guest RAM.
 */
#ifndef RVKIT_UTIL_H
#define RVKIT_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)
#define NOINLINE __attribute__((noinline))
#define COLD __attribute__((noinline, cold))
#define ALWAYS_INLINE static inline __attribute__((always_inline))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

static inline uint64_t util_min_u64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static inline uint64_t util_max_u64(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* a + b fits below limit: no overflow, and the last byte is inside. */
static inline bool util_range_ok(uint64_t start, uint64_t len, uint64_t limit)
{
    return start <= limit && len <= limit - start;
}

static inline uint64_t util_align_up(uint64_t v, uint64_t power_of_two)
{
    return (v + power_of_two - 1) & ~(power_of_two - 1);
}

/* Bits [hi:lo] of v, both inclusive, hi < 32. */
static inline uint32_t util_bits(uint32_t v, unsigned hi, unsigned lo)
{
    return (v >> lo) & (uint32_t)((UINT64_C(1) << (hi - lo + 1)) - 1);
}

static inline int32_t util_sext(uint32_t v, unsigned bits)
{
    return (int32_t)(v << (32 - bits)) >> (32 - bits);
}

/* Little-endian bytes in plain (not shared) memory, any alignment. */
static inline uint16_t util_get_le16(const void *p)
{
    const uint8_t *b = p;
    return (uint16_t)(b[0] | b[1] << 8);
}

static inline uint32_t util_get_le32(const void *p)
{
    const uint8_t *b = p;
    return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

static inline uint64_t util_get_le64(const void *p)
{
    return util_get_le32(p) | (uint64_t)util_get_le32((const uint8_t *)p + 4) << 32;
}

static inline void util_put_le16(void *p, uint16_t v)
{
    uint8_t *b = p;
    b[0] = (uint8_t)v;
    b[1] = (uint8_t)(v >> 8);
}

static inline void util_put_le32(void *p, uint32_t v)
{
    util_put_le16(p, (uint16_t)v);
    util_put_le16((uint8_t *)p + 2, (uint16_t)(v >> 16));
}

static inline void util_put_le64(void *p, uint64_t v)
{
    util_put_le32(p, (uint32_t)v);
    util_put_le32((uint8_t *)p + 4, (uint32_t)(v >> 32));
}

static inline uint32_t util_get_be32(const void *p)
{
    const uint8_t *b = p;
    return (uint32_t)b[3] | (uint32_t)b[2] << 8 | (uint32_t)b[1] << 16 | (uint32_t)b[0] << 24;
}

static inline void util_put_be32(void *p, uint32_t v)
{
    uint8_t *b = p;
    b[0] = (uint8_t)(v >> 24);
    b[1] = (uint8_t)(v >> 16);
    b[2] = (uint8_t)(v >> 8);
    b[3] = (uint8_t)v;
}

/*
 * Guest RAM is shared by harts and devices. These are single copy atomic, unordered accesses of naturally
 * aligned host memory; the guest's byte order is little-endian, as is that of every supported host.
 */
#if !defined(__BYTE_ORDER__) || __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "rvkit needs a little-endian host"
#endif

/*
 * A full fence between accesses to guest RAM. ThreadSanitizer does not model fences: in its builds each one is
 * an operation on one word that all threads share, which orders at least as much.
 */
#if defined(__SANITIZE_THREAD__)
#define UTIL_NO_FENCES 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define UTIL_NO_FENCES 1
#endif
#endif

#ifdef UTIL_NO_FENCES
void rvkit_fence_in_order(void);
#endif

static inline void util_fence(void)
{
#ifdef UTIL_NO_FENCES
    rvkit_fence_in_order();
#else
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
#endif
}

static inline uint8_t ram_load_u8(const void *p)
{
    return __atomic_load_n((const uint8_t *)p, __ATOMIC_RELAXED);
}

static inline uint16_t ram_load_u16(const void *p)
{
    return __atomic_load_n((const uint16_t *)p, __ATOMIC_RELAXED);
}

static inline uint32_t ram_load_u32(const void *p)
{
    return __atomic_load_n((const uint32_t *)p, __ATOMIC_RELAXED);
}

static inline uint64_t ram_load_u64(const void *p)
{
    return __atomic_load_n((const uint64_t *)p, __ATOMIC_RELAXED);
}

static inline void ram_store_u8(void *p, uint8_t v)
{
    __atomic_store_n((uint8_t *)p, v, __ATOMIC_RELAXED);
}

static inline void ram_store_u16(void *p, uint16_t v)
{
    __atomic_store_n((uint16_t *)p, v, __ATOMIC_RELAXED);
}

static inline void ram_store_u32(void *p, uint32_t v)
{
    __atomic_store_n((uint32_t *)p, v, __ATOMIC_RELAXED);
}

static inline void ram_store_u64(void *p, uint64_t v)
{
    __atomic_store_n((uint64_t *)p, v, __ATOMIC_RELAXED);
}

#endif
