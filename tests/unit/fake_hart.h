/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A hart on a bus with 64 KiB of RAM, no devices and a clock that the test turns. For test programs
 * that look inside the hart.
 */
#ifndef RVKIT_TESTS_FAKE_HART_H
#define RVKIT_TESTS_FAKE_HART_H

#include "cpu/codemap.h"
#include "cpu/csr.h"
#include "cpu/state.h"
#include "tap.h"

#define FAKE_RAM_BASE 0x80000000u
#define FAKE_RAM_SIZE 0x10000u

static _Alignas(4096) uint8_t fake_ram[FAKE_RAM_SIZE];
static uint64_t fake_now;        /* what the clock shows */
static unsigned fake_time_calls; /* how often somebody looked */
static bus_t fake_bus;

static bool fake_read(void *opaque, paddr_t addr, void *data, uint8_t size)
{
    (void)opaque;
    (void)addr;
    (void)data;
    (void)size;
    return false;
}

static bool fake_write(void *opaque, paddr_t addr, const void *data, uint8_t size)
{
    (void)opaque;
    (void)addr;
    (void)data;
    (void)size;
    return false;
}

static void *fake_direct(void *opaque, paddr_t addr)
{
    (void)opaque;
    (void)addr;
    return NULL;
}

static uint64_t fake_time(void *opaque)
{
    (void)opaque;
    fake_time_calls++;
    return fake_now;
}

/* A hart in reset state, in M-mode at the start of RAM. */
static hart_t *fake_hart(uint32_t id)
{
    fake_now = 0;
    fake_time_calls = 0;
    memset(fake_ram, 0, sizeof(fake_ram));
    fake_bus = (bus_t){
        .ram = fake_ram,
        .ram_base = FAKE_RAM_BASE,
        .ram_size = FAKE_RAM_SIZE,
        .codemap = codemap_create(FAKE_RAM_BASE, FAKE_RAM_SIZE),
        .read = fake_read,
        .write = fake_write,
        .direct = fake_direct,
        .time = fake_time,
    };
    hart_t *hart = hart_create(&fake_bus, id);
    hart_reset(hart, FAKE_RAM_BASE, 0, 0, PRIV_M);
    return hart;
}

static void fake_hart_free(hart_t *hart)
{
    hart_free(hart);
    codemap_free(fake_bus.codemap);
}

static inline void fake_mode(hart_t *hart, unsigned priv)
{
    hart->priv = (uint8_t)priv;
    mmu_update_context(hart);
}

/* CSR instructions by the present mode; false: illegal. */
static inline bool csr_can_read(hart_t *hart, uint32_t number)
{
    uint32_t old;
    return csr_access(hart, NULL, number, CSR_SET, 0, true, false, &old);
}

static inline bool csr_put(hart_t *hart, uint32_t number, uint32_t value)
{
    uint32_t old;
    return csr_access(hart, NULL, number, CSR_WRITE, value, false, true, &old);
}

/* What is read; a CSR that cannot be read fails the test. */
static inline uint32_t csr_get(hart_t *hart, uint32_t number)
{
    uint32_t old = 0;
    CHECK(csr_access(hart, NULL, number, CSR_SET, 0, true, false, &old));
    return old;
}

static inline uint32_t csr_set(hart_t *hart, uint32_t number, uint32_t bits)
{
    uint32_t old = 0;
    CHECK(csr_access(hart, NULL, number, CSR_SET, bits, true, true, &old));
    return old;
}

static inline uint32_t csr_clear(hart_t *hart, uint32_t number, uint32_t bits)
{
    uint32_t old = 0;
    CHECK(csr_access(hart, NULL, number, CSR_CLEAR, bits, true, true, &old));
    return old;
}

#endif
