/* SPDX-License-Identifier: MPL-2.0 */
#include "memory.h"

#include "clock.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef __EMSCRIPTEN__

/* What lies behind the break, which only ever goes up, was never touched: it is zeros, and costs
 * nothing. */
void *host_pages_alloc(size_t size)
{
    uintptr_t fresh = (uintptr_t)sbrk(0);
    void *pages = aligned_alloc(4096, size);
    if (pages && (uintptr_t)pages < fresh) {
        size_t used = fresh - (uintptr_t)pages;
        memset(pages, 0, used < size ? used : size);
    }
    return pages;
}

void host_pages_free(void *pages, size_t size)
{
    (void)size;
    free(pages);
}

bool host_pages_release(void *data, size_t size)
{
    (void)data;
    (void)size;
    return false;
}

#else

#include <sys/mman.h>

void *host_pages_alloc(size_t size)
{
    int flags = MAP_PRIVATE | MAP_ANONYMOUS;
#ifdef MAP_NORESERVE
    flags |= MAP_NORESERVE;
#endif
    void *pages = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, -1, 0);
    return pages == MAP_FAILED ? NULL : pages;
}

void host_pages_free(void *pages, size_t size)
{
    if (pages) {
        munmap(pages, size);
    }
}

bool host_pages_release(void *data, size_t size)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t from = ((uintptr_t)data + page - 1) & ~(page - 1);
    uintptr_t to = ((uintptr_t)data + size) & ~(page - 1);
    return from >= to || madvise((void *)from, (size_t)(to - from), MADV_DONTNEED) == 0;
}

#endif

#ifdef RVKIT_ENGINE

/* Emscripten's getentropy() for a module without its JavaScript is an import in 3.1.6, aborts
 * in 3.1.69, and asks for this in 6.0: so do we. */
#include <wasi/api.h>

static bool host_entropy(uint8_t *data, size_t size)
{
    return __wasi_random_get(data, size) == __WASI_ERRNO_SUCCESS;
}

#else

static bool host_entropy(uint8_t *data, size_t size)
{
    return getentropy(data, size) == 0;
}

#endif

/* Where the host has no entropy to give: the clock, stirred (splitmix64). */
static void random_from_clock(uint8_t *bytes, size_t size)
{
    uint64_t state = host_wall_ns() ^ host_clock_ns() << 20 ^ (uint64_t)(uintptr_t)bytes;
    for (size_t i = 0; i < size; i++) {
        state += UINT64_C(0x9E3779B97F4A7C15);
        uint64_t z = (state ^ (state >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
        z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
        bytes[i] = (uint8_t)(z >> 56);
    }
}

void host_random(void *data, size_t size)
{
    uint8_t *bytes = data;
    while (size) {
        size_t part = size < 256 ? size : 256;
        if (!host_entropy(bytes, part)) {
            random_from_clock(bytes, part);
        }
        bytes += part;
        size -= part;
    }
}
