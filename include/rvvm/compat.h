/* SPDX-License-Identifier: MPL-2.0 */
/*
 * <rvvm/compat.h>: the names that device sources written for RVVM's ABI 7 use, over the calls of
 * <rvvm/rvvm.h>. The headers in <rvvm/abi7/> carry upstream's file names and include this one.
 *
 * Differences from upstream: allocation helpers may return NULL; free() is the C library's; nothing here
 * ends the process.
 */
#ifndef RVVM_COMPAT_H
#define RVVM_COMPAT_H

#include <rvvm/chardev.h>
#include <rvvm/rvvm.h>
#include <rvvm/rvvm_board.h>
#include <rvvm/rvvm_snapshot.h>

#include <stdlib.h>
#include <string.h>

RVVM_EXTERN_C_BEGIN

/* Interrupts by PLIC. Any thread. False when there is no controller. */
typedef rvvm_irq_dev_t plic_ctx_t;

static inline plic_ctx_t *rvvm_get_plic(rvvm_machine_t *machine)
{
    return rvvm_get_intc(machine);
}

static inline void rvvm_set_plic(rvvm_machine_t *machine, plic_ctx_t *plic)
{
    rvvm_set_intc(machine, plic);
}

/* 0 when all lines are taken. */
static inline uint32_t plic_alloc_irq(plic_ctx_t *plic)
{
    rvvm_irq_t irq = rvvm_irq_alloc(plic, 0);
    return irq == RVVM_IRQ_INVALID ? 0 : irq;
}

static inline uint32_t plic_get_phandle(plic_ctx_t *plic)
{
    return rvvm_irq_fdt_phandle(plic);
}

static inline bool plic_send_irq(plic_ctx_t *plic, uint32_t irq)
{
    rvvm_irq_send(plic, irq);
    return plic != NULL;
}

static inline bool plic_raise_irq(plic_ctx_t *plic, uint32_t irq)
{
    rvvm_irq_raise(plic, irq);
    return plic != NULL;
}

static inline bool plic_lower_irq(plic_ctx_t *plic, uint32_t irq)
{
    rvvm_irq_lower(plic, irq);
    return plic != NULL;
}

/* The log: one line to stderr. Any thread. Levels: 0 is silent, LOG_WARN is the one at first. */
#define LOG_ERROR 1
#define LOG_WARN 2
#define LOG_INFO 3
#ifdef __GNUC__
#define RVVM_PRINTF __attribute__((__format__(__printf__, 1, 2)))
#else
#define RVVM_PRINTF
#endif
RVVM_PUBLIC void rvvm_set_loglevel(int level);
RVVM_PUBLIC void rvvm_info(const char *fmt, ...) RVVM_PRINTF;
RVVM_PUBLIC void rvvm_warn(const char *fmt, ...) RVVM_PRINTF;
RVVM_PUBLIC void rvvm_error(const char *fmt, ...) RVVM_PRINTF;
#define rvvm_debug(...) ((void)0)

/* Zeroed memory, or NULL. The caller frees it. */
static inline void *safe_calloc(size_t size, size_t n)
{
    return calloc(n ? n : 1, size ? size : 1);
}

static inline void *safe_malloc(size_t size)
{
    return malloc(size ? size : 1);
}

static inline void *safe_realloc(void *ptr, size_t size)
{
    return realloc(ptr, size ? size : 1);
}

#define safe_new_obj(type) ((type *)safe_calloc(sizeof(type), 1))
#define safe_new_arr(type, size) ((type *)safe_calloc(sizeof(type), size))

#define EVAL_MAX(a, b) ((a) > (b) ? (a) : (b))
#define EVAL_MIN(a, b) ((a) < (b) ? (a) : (b))
#define STATIC_ARRAY_SIZE(arr) (sizeof(arr) / sizeof(*(arr)))
#ifndef UNUSED
#define UNUSED(x) ((void)(x))
#endif
/* Hints of RVVM's sources that mean nothing here. */
#define PUSH_OPTIMIZATION_SIZE
#define POP_OPTIMIZATION_SIZE
typedef uint8_t bitcnt_t;
#ifndef likely
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#endif

/* Up or down to a multiple of a power of two. */
static inline size_t align_size_up(size_t x, size_t align)
{
    return (x + (align - 1)) & ~(align - 1);
}

static inline size_t align_size_down(size_t x, size_t align)
{
    return x & ~(align - 1);
}

/* Atomic accesses, sequentially consistent, to naturally aligned memory. */
#define RVVM_COMPAT_ATOMICS(bits)                                                                  \
    static inline uint##bits##_t atomic_load_uint##bits(const void *addr)                          \
    {                                                                                              \
        return __atomic_load_n((const uint##bits##_t *)addr, __ATOMIC_SEQ_CST);                    \
    }                                                                                              \
    static inline void atomic_store_uint##bits(void *addr, uint##bits##_t val)                     \
    {                                                                                              \
        __atomic_store_n((uint##bits##_t *)addr, val, __ATOMIC_SEQ_CST);                           \
    }                                                                                              \
    static inline uint##bits##_t atomic_swap_uint##bits(void *addr, uint##bits##_t val)            \
    {                                                                                              \
        return __atomic_exchange_n((uint##bits##_t *)addr, val, __ATOMIC_SEQ_CST);                 \
    }                                                                                              \
    static inline bool atomic_cas_uint##bits(void *addr, uint##bits##_t expected,                  \
                                             uint##bits##_t val)                                   \
    {                                                                                              \
        return __atomic_compare_exchange_n((uint##bits##_t *)addr, &expected, val, false,          \
                                           __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);                    \
    }                                                                                              \
    static inline uint##bits##_t atomic_add_uint##bits(void *addr, uint##bits##_t val)             \
    {                                                                                              \
        return __atomic_fetch_add((uint##bits##_t *)addr, val, __ATOMIC_SEQ_CST);                  \
    }                                                                                              \
    static inline uint##bits##_t atomic_sub_uint##bits(void *addr, uint##bits##_t val)             \
    {                                                                                              \
        return __atomic_fetch_sub((uint##bits##_t *)addr, val, __ATOMIC_SEQ_CST);                  \
    }                                                                                              \
    static inline uint##bits##_t atomic_and_uint##bits(void *addr, uint##bits##_t val)             \
    {                                                                                              \
        return __atomic_fetch_and((uint##bits##_t *)addr, val, __ATOMIC_SEQ_CST);                  \
    }                                                                                              \
    static inline uint##bits##_t atomic_or_uint##bits(void *addr, uint##bits##_t val)              \
    {                                                                                              \
        return __atomic_fetch_or((uint##bits##_t *)addr, val, __ATOMIC_SEQ_CST);                   \
    }                                                                                              \
    static inline uint##bits##_t atomic_xor_uint##bits(void *addr, uint##bits##_t val)             \
    {                                                                                              \
        return __atomic_fetch_xor((uint##bits##_t *)addr, val, __ATOMIC_SEQ_CST);                  \
    }
RVVM_COMPAT_ATOMICS(32)
RVVM_COMPAT_ATOMICS(64)

/* The same without order. */
static inline uint32_t atomic_load_uint32_relax(const void *addr)
{
    return __atomic_load_n((const uint32_t *)addr, __ATOMIC_RELAXED);
}

static inline void atomic_store_uint32_relax(void *addr, uint32_t val)
{
    __atomic_store_n((uint32_t *)addr, val, __ATOMIC_RELAXED);
}

static inline void atomic_fence(void)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

/*
 * Spinlocks for short sections; a zeroed lock is free. spin_lock_slow() is for sections that may take
 * long. Never lock twice in one thread.
 */
typedef struct {
    uint32_t flag;
} spinlock_t;

#define SPINLOCK_INIT {0}

/* Waits and takes the lock: the slow path of spin_lock(). */
RVVM_PUBLIC void spin_lock_wait(spinlock_t *lock);

static inline void spin_init(spinlock_t *lock)
{
    __atomic_store_n(&lock->flag, 0, __ATOMIC_RELEASE);
}

static inline bool spin_try_lock(spinlock_t *lock)
{
    uint32_t expected = 0;
    return __atomic_compare_exchange_n(&lock->flag, &expected, 1, false, __ATOMIC_ACQUIRE,
                                       __ATOMIC_RELAXED);
}

static inline void spin_lock(spinlock_t *lock)
{
    if (unlikely(!spin_try_lock(lock))) {
        spin_lock_wait(lock);
    }
}

static inline void spin_lock_slow(spinlock_t *lock)
{
    spin_lock(lock);
}

static inline void spin_unlock(spinlock_t *lock)
{
    __atomic_store_n(&lock->flag, 0, __ATOMIC_RELEASE);
}

/* Little-endian integers in memory that no other thread touches now; _m and plain take any alignment. */
#define RVVM_COMPAT_MEM(bits)                                                                      \
    static inline uint##bits##_t read_uint##bits##_le_m(const void *addr)                          \
    {                                                                                              \
        const uint8_t *bytes = (const uint8_t *)addr;                                              \
        uint64_t val = 0;                                                                          \
        for (unsigned i = 0; i < (bits) / 8; i++) {                                                \
            val |= (uint64_t)bytes[i] << (i * 8);                                                  \
        }                                                                                          \
        return (uint##bits##_t)val;                                                                \
    }                                                                                              \
    static inline void write_uint##bits##_le_m(void *addr, uint##bits##_t val)                     \
    {                                                                                              \
        uint8_t *bytes = (uint8_t *)addr;                                                          \
        for (unsigned i = 0; i < (bits) / 8; i++) {                                                \
            bytes[i] = (uint8_t)((uint64_t)val >> (i * 8));                                        \
        }                                                                                          \
    }                                                                                              \
    static inline uint##bits##_t read_uint##bits##_le(const void *addr)                            \
    {                                                                                              \
        return read_uint##bits##_le_m(addr);                                                       \
    }                                                                                              \
    static inline void write_uint##bits##_le(void *addr, uint##bits##_t val)                       \
    {                                                                                              \
        write_uint##bits##_le_m(addr, val);                                                        \
    }
RVVM_COMPAT_MEM(16)
RVVM_COMPAT_MEM(32)
RVVM_COMPAT_MEM(64)

/* Big-endian integers, any alignment. */
#define RVVM_COMPAT_MEM_BE(bits)                                                                   \
    static inline uint##bits##_t read_uint##bits##_be_m(const void *addr)                          \
    {                                                                                              \
        const uint8_t *bytes = (const uint8_t *)addr;                                              \
        uint64_t val = 0;                                                                          \
        for (unsigned i = 0; i < (bits) / 8; i++) {                                                \
            val = val << 8 | bytes[i];                                                             \
        }                                                                                          \
        return (uint##bits##_t)val;                                                                \
    }                                                                                              \
    static inline void write_uint##bits##_be_m(void *addr, uint##bits##_t val)                     \
    {                                                                                              \
        uint8_t *bytes = (uint8_t *)addr;                                                          \
        for (unsigned i = 0; i < (bits) / 8; i++) {                                                \
            bytes[i] = (uint8_t)((uint64_t)val >> ((bits) - 8 - i * 8));                           \
        }                                                                                          \
    }
RVVM_COMPAT_MEM_BE(16)
RVVM_COMPAT_MEM_BE(32)
RVVM_COMPAT_MEM_BE(64)

static inline uint8_t read_uint8(const void *addr)
{
    return *(const uint8_t *)addr;
}

static inline void write_uint8(void *addr, uint8_t val)
{
    *(uint8_t *)addr = val;
}

/* Bits [pos, pos + bits) of val, and val with one range replaced; bits is 1..63. */
static inline uint64_t bit_cut(uint64_t val, uint32_t pos, uint32_t bits)
{
    return (val >> pos) & ((UINT64_C(1) << bits) - 1);
}

static inline bool bit_check(uint64_t val, uint32_t pos)
{
    return (val >> pos) & 1;
}

static inline uint64_t bit_replace(uint64_t val, uint32_t pos, uint32_t bits, uint64_t rep)
{
    uint64_t mask = ((UINT64_C(1) << bits) - 1) << pos;
    return (val & ~mask) | ((rep << pos) & mask);
}

/* The smallest power of two that is at least val; 1 for 0. */
static inline uint64_t bit_next_pow2(uint64_t val)
{
    uint64_t pow2 = 1;
    while (pow2 && pow2 < val) {
        pow2 <<= 1;
    }
    return pow2;
}

/* The calls whose names have changed since. */
static inline bool rvvm_load_bootrom(rvvm_machine_t *machine, const char *path)
{
    return rvvm_load_firmware(machine, path);
}

static inline bool rvvm_load_dtb(rvvm_machine_t *machine, const char *path)
{
    return rvvm_load_fdt(machine, path);
}

static inline bool rvvm_dump_dtb(rvvm_machine_t *machine, const char *path)
{
    return rvvm_dump_fdt(machine, path);
}

RVVM_EXTERN_C_END

#endif
