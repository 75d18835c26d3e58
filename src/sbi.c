/* SPDX-License-Identifier: MPL-2.0 */
/* The sections named below are those of the RISC-V SBI specification, v2.0. */
#include "sbi.h"

#include "cpu/codemap.h"
#include "util.h"

#include <stdatomic.h>
#include <stdlib.h>

/* 4.1, 4.3: version 2.0; the implementation is none of the registered ones: "rvkt", version 1. */
#define SBI_SPEC_VERSION 0x02000000u
#define SBI_IMPL_ID 0x72766b74u
#define SBI_IMPL_VERSION 1u

/* 3.1 */
enum {
    SBI_SUCCESS = 0,
    SBI_ERR_FAILED = -1,
    SBI_ERR_NOT_SUPPORTED = -2,
    SBI_ERR_INVALID_PARAM = -3,
    SBI_ERR_INVALID_ADDRESS = -5,
    SBI_ERR_ALREADY_AVAILABLE = -6,
    SBI_ERR_ALREADY_STARTED = -7,
    SBI_ERR_ALREADY_STOPPED = -8,
};

enum {
    EXT_SET_TIMER = 0,
    EXT_PUTCHAR = 1,
    EXT_GETCHAR = 2,
    EXT_CLEAR_IPI = 3,
    EXT_SEND_IPI = 4,
    EXT_REMOTE_FENCE_I = 5,
    EXT_REMOTE_SFENCE = 6,
    EXT_REMOTE_SFENCE_ASID = 7,
    EXT_SHUTDOWN = 8,
    EXT_BASE = 0x10,
    EXT_TIME = 0x54494d45,
    EXT_IPI = 0x735049,
    EXT_RFENCE = 0x52464e43,
    EXT_HSM = 0x48534d,
    EXT_SRST = 0x53525354,
    EXT_PMU = 0x504d55,
    EXT_DBCN = 0x4442434e,
};

/* 9, table of hart states; CLAIMED is our own: another hart is writing the start arguments. */
enum {
    HSM_STARTED = 0,
    HSM_STOPPED = 1,
    HSM_START_PENDING = 2,
    HSM_STOP_PENDING = 3,
    HSM_SUSPENDED = 4,
    HSM_SUSPEND_PENDING = 5,
    HSM_CLAIMED = 0x100,
};
#define HSM_RETENTIVE UINT32_C(0)
#define HSM_NON_RETENTIVE UINT32_C(0x80000000)

enum {
    CSR_MCOUNTINHIBIT = 0x320,
    CSR_MCYCLE = 0xb00,
    CSR_MCYCLEH = 0xb80,
    CSR_CYCLE = 0xc00,
    CSR_MVENDORID = 0xf11 /* then marchid, mimpid */
};

/* How often a full console is asked again within one call. */
#define CONSOLE_TRIES 1000
#define CONSOLE_CHUNK 256

typedef struct sbi_hart {
    _Atomic uint32_t state; /* HSM_* */
    _Atomic uint32_t epoch; /* how often the hart has left hart_run() */
    _Atomic bool outside;   /* runs no guest code, and will flush as asked before it does */
    uint32_t pc, opaque;    /* arguments of a start, or of a resume */
    bool resume;            /* a non-retentive suspend: resume at pc */
} sbi_hart_t;

struct sbi {
    sbi_desc_t desc;
    sbi_hart_t harts[HART_MAX];
};

/* One call: the argument registers, and the results. */
typedef struct sbi_args {
    sbi_t *sbi;
    hart_t *hart;
    uint32_t id; /* of the calling hart */
    uint32_t a[6];
    uint32_t fid;
    uint32_t value;
    bool again; /* the ECALL is to be executed once more: nothing was done yet */
} sbi_args_t;

sbi_t *sbi_create(const sbi_desc_t *desc)
{
    if (desc->hart_count < 1 || desc->hart_count > HART_MAX) {
        return NULL;
    }
    sbi_t *sbi = calloc(1, sizeof(*sbi));
    if (sbi) {
        sbi->desc = *desc;
        for (uint32_t i = 0; i < HART_MAX; i++) {
            atomic_init(&sbi->harts[i].state, HSM_STOPPED);
            atomic_init(&sbi->harts[i].outside, true);
        }
    }
    return sbi;
}

void sbi_free(sbi_t *sbi)
{
    free(sbi);
}

void sbi_reset(sbi_t *sbi, uint32_t boot_hart, uint32_t pc, uint32_t fdt_addr)
{
    for (uint32_t i = 0; i < sbi->desc.hart_count; i++) {
        atomic_store(&sbi->harts[i].state, i == boot_hart ? HSM_START_PENDING : HSM_STOPPED);
        atomic_store(&sbi->harts[i].outside, true);
        sbi->harts[i].pc = pc;
        sbi->harts[i].opaque = fdt_addr;
    }
}

/* Starts the hart as 9.1 and 9.4 ask: S-mode, satp 0, interrupts off, a0 its id, a1 the caller's
 * value. */
static void sbi_start_here(const sbi_hart_t *h, hart_t *hart)
{
    hart_set_irq(hart, IRQ_SSIP, false);
    hart_reset(hart, h->pc, hart_id(hart), h->opaque, PRIV_S);
    hart_setup_supervisor(hart);
}

sbi_hart_action_t sbi_hart_enter(sbi_t *sbi, hart_t *hart)
{
    sbi_hart_t *h = &sbi->harts[hart_id(hart)];
    switch (atomic_load(&h->state)) {
    case HSM_STARTED:
        break;
    case HSM_START_PENDING:
        sbi_start_here(h, hart);
        atomic_store(&h->state, HSM_STARTED);
        break;
    case HSM_SUSPENDED:
        if (!hart_has_work(hart)) {
            return SBI_HART_SLEEP;
        }
        if (h->resume) {
            sbi_start_here(h, hart);
        }
        atomic_store(&h->state, HSM_STARTED);
        break;
    default:
        return SBI_HART_STOPPED;
    }
    atomic_store(&h->outside, false);
    util_fence();
    return SBI_HART_RUN;
}

void sbi_hart_leave(sbi_t *sbi, hart_t *hart)
{
    sbi_hart_t *h = &sbi->harts[hart_id(hart)];
    atomic_fetch_add(&h->epoch, 1);
    atomic_store(&h->outside, true);
    uint32_t state = atomic_load(&h->state);
    if (state == HSM_STOP_PENDING) {
        atomic_store(&h->state, HSM_STOPPED);
    } else if (state == HSM_SUSPEND_PENDING) {
        atomic_store(&h->state, HSM_SUSPENDED);
    }
}

/* 3.2: hart i of the machine is chosen by (mask, base). */
static bool sbi_mask_has(uint32_t mask, uint32_t base, uint32_t i)
{
    return base == UINT32_MAX || (i >= base && i - base < 32 && (mask >> (i - base) & 1));
}

/* 3.2: every bit of the mask names a hart. */
static bool sbi_mask_valid(const sbi_t *sbi, uint32_t mask, uint32_t base)
{
    if (base == UINT32_MAX || !mask) {
        return true;
    }
    uint32_t last = 31 - (uint32_t)__builtin_clz(mask);
    return base < sbi->desc.hart_count && last < sbi->desc.hart_count - base;
}

static bool sbi_hart_is_up(const sbi_t *sbi, uint32_t i)
{
    uint32_t state = atomic_load(&sbi->harts[i].state);
    return state != HSM_STOPPED && state != HSM_CLAIMED && state != HSM_START_PENDING;
}

bool sbi_hart_started(const sbi_t *sbi, uint32_t hartid)
{
    return hartid < sbi->desc.hart_count && sbi_hart_is_up(sbi, hartid);
}

/* The mask of a legacy call: a pointer to a bit vector, or 0 for all harts (5). */
static bool sbi_legacy_mask(sbi_args_t *c, uint32_t *mask, uint32_t *base)
{
    uint8_t word[4];
    *mask = 0;
    *base = UINT32_MAX;
    if (c->a[0]) {
        if (!hart_read_virt(c->hart, c->a[0], word, sizeof(word))) {
            return false;
        }
        uint32_t count = c->sbi->desc.hart_count;
        *mask = util_get_le32(word) & (uint32_t)((UINT64_C(1) << count) - 1);
        *base = 0;
    }
    return true;
}

static int32_t sbi_send_ipi(sbi_args_t *c, uint32_t mask, uint32_t base)
{
    sbi_t *sbi = c->sbi;
    if (!sbi_mask_valid(sbi, mask, base)) {
        return SBI_ERR_INVALID_PARAM;
    }
    for (uint32_t i = 0; i < sbi->desc.hart_count; i++) {
        if (sbi_mask_has(mask, base, i) && sbi_hart_is_up(sbi, i)) {
            hart_set_irq(sbi->desc.harts[i], IRQ_SSIP, true);
            if (i != c->id) {
                sbi->desc.wake(sbi->desc.opaque, i);
            }
        }
    }
    return SBI_SUCCESS;
}

/* Waits until hart i runs no guest code that began before now. */
static void sbi_wait_for(sbi_t *sbi, uint32_t i, uint32_t epoch)
{
    sbi_hart_t *h = &sbi->harts[i];
    while (!atomic_load(&h->outside) && atomic_load(&h->epoch) == epoch) {
        sbi->desc.relax(sbi->desc.opaque);
    }
}

/* Asks harts to flush, and returns when none of them can use what it had cached before. */
static int32_t sbi_fence(sbi_args_t *c, uint32_t mask, uint32_t base, bool instructions)
{
    sbi_t *sbi = c->sbi;
    uint32_t epochs[HART_MAX];
    bool asked[HART_MAX] = {false};
    if (!sbi_mask_valid(sbi, mask, base)) {
        return SBI_ERR_INVALID_PARAM;
    }
    for (uint32_t i = 0; i < sbi->desc.hart_count; i++) {
        if (!sbi_mask_has(mask, base, i)) {
            continue;
        }
        epochs[i] = atomic_load(&sbi->harts[i].epoch);
        asked[i] = i != c->id;
        if (instructions) {
            hart_request_fence_i(sbi->desc.harts[i]);
        } else {
            hart_request_flush_tlb(sbi->desc.harts[i]);
        }
    }
    util_fence();
    for (uint32_t i = 0; i < sbi->desc.hart_count; i++) {
        if (asked[i] && !atomic_load(&sbi->harts[i].outside)) {
            hart_kick(sbi->desc.harts[i]);
            sbi_wait_for(sbi, i, epochs[i]);
        }
    }
    return SBI_SUCCESS;
}

static int32_t sbi_ext_base(sbi_args_t *c);

static int32_t sbi_ext_time(sbi_args_t *c)
{
    if (c->fid != 0) {
        return SBI_ERR_NOT_SUPPORTED;
    }
    hart_set_stimecmp(c->hart, c->a[0] | (uint64_t)c->a[1] << 32);
    return SBI_SUCCESS;
}

static int32_t sbi_ext_ipi(sbi_args_t *c)
{
    return c->fid == 0 ? sbi_send_ipi(c, c->a[0], c->a[1]) : SBI_ERR_NOT_SUPPORTED;
}

/*
 * 8: fence.i, sfence.vma, sfence.vma with ASID; the rest needs the hypervisor extension. A hart
 * forgets all its translations whatever range and ASID are named, which is always allowed.
 */
static int32_t sbi_ext_rfence(sbi_args_t *c)
{
    return c->fid <= 2 ? sbi_fence(c, c->a[0], c->a[1], c->fid == 0) : SBI_ERR_NOT_SUPPORTED;
}

static bool sbi_in_ram(const sbi_t *sbi, uint64_t addr, uint64_t size)
{
    const bus_t *bus = sbi->desc.bus;
    return addr >= bus->ram_base && util_range_ok(addr - bus->ram_base, size, bus->ram_size);
}

static int32_t sbi_hart_start(sbi_args_t *c)
{
    uint32_t target = c->a[0], pc = c->a[1];
    if (target >= c->sbi->desc.hart_count) {
        return SBI_ERR_INVALID_PARAM;
    }
    if (!sbi_in_ram(c->sbi, pc, 2) || (pc & 1)) {
        return SBI_ERR_INVALID_ADDRESS;
    }
    sbi_hart_t *h = &c->sbi->harts[target];
    uint32_t expected = HSM_STOPPED;
    if (!atomic_compare_exchange_strong(&h->state, &expected, HSM_CLAIMED)) {
        return SBI_ERR_ALREADY_AVAILABLE;
    }
    h->pc = pc;
    h->opaque = c->a[2];
    atomic_store(&h->state, HSM_START_PENDING);
    c->sbi->desc.wake(c->sbi->desc.opaque, target);
    return SBI_SUCCESS;
}

static int32_t sbi_hart_status(sbi_args_t *c)
{
    if (c->a[0] >= c->sbi->desc.hart_count) {
        return SBI_ERR_INVALID_PARAM;
    }
    uint32_t state = atomic_load(&c->sbi->harts[c->a[0]].state);
    c->value = state == HSM_CLAIMED ? HSM_START_PENDING : state;
    return SBI_SUCCESS;
}

static int32_t sbi_hart_suspend(sbi_args_t *c)
{
    sbi_hart_t *h = &c->sbi->harts[c->id];
    uint32_t type = c->a[0];
    if (type != HSM_RETENTIVE && type != HSM_NON_RETENTIVE) {
        /* 9.4: platform specific types are not supported here, all others are reserved. */
        bool platform = (type & ~HSM_NON_RETENTIVE) >= 0x10000000;
        return platform ? SBI_ERR_NOT_SUPPORTED : SBI_ERR_INVALID_PARAM;
    }
    h->resume = type == HSM_NON_RETENTIVE;
    if (h->resume) {
        if (!sbi_in_ram(c->sbi, c->a[1], 2) || (c->a[1] & 1)) {
            return SBI_ERR_INVALID_ADDRESS;
        }
        h->pc = c->a[1];
        h->opaque = c->a[2];
    }
    atomic_store(&h->state, HSM_SUSPEND_PENDING);
    hart_kick(c->hart);
    return SBI_SUCCESS;
}

/* The calling hart runs no further instruction until it is started anew or the machine is reset. */
static void sbi_stop_self(sbi_args_t *c)
{
    atomic_store(&c->sbi->harts[c->id].state, HSM_STOP_PENDING);
    hart_kick(c->hart);
}

static int32_t sbi_ext_hsm(sbi_args_t *c)
{
    switch (c->fid) {
    case 0:
        return sbi_hart_start(c);
    case 1:
        sbi_stop_self(c);
        return SBI_SUCCESS;
    case 2:
        return sbi_hart_status(c);
    case 3:
        return sbi_hart_suspend(c);
    default:
        return SBI_ERR_NOT_SUPPORTED;
    }
}

static void sbi_power_request(sbi_args_t *c, sbi_power_t what)
{
    sbi_stop_self(c);
    c->sbi->desc.power(c->sbi->desc.opaque, what);
}

/* 10: shutdown, cold and warm reboot (both are a reset of the whole machine). */
static int32_t sbi_ext_srst(sbi_args_t *c)
{
    uint32_t type = c->a[0], reason = c->a[1];
    if (c->fid != 0) {
        return SBI_ERR_NOT_SUPPORTED;
    }
    if (type >= 0xf0000000) {
        return SBI_ERR_NOT_SUPPORTED;
    }
    if (type > 2 || (reason > 1 && reason < 0xe0000000)) {
        return SBI_ERR_INVALID_PARAM;
    }
    sbi_power_request(c, type == 0 ? SBI_POWER_OFF : SBI_POWER_RESET);
    return SBI_SUCCESS;
}

/* Gives bytes to the console, asking again for a while when it is full; how many were taken. */
static uint32_t sbi_console_put(sbi_t *sbi, const uint8_t *data, uint32_t size)
{
    uint32_t done = 0;
    for (unsigned tries = 0; done < size && tries < CONSOLE_TRIES;) {
        size_t put = sbi->desc.console_write(sbi->desc.opaque, data + done, size - done);
        done += (uint32_t)put;
        if (put) {
            tries = 0;
        } else {
            tries++;
            sbi->desc.relax(sbi->desc.opaque);
        }
    }
    return done;
}

static int32_t sbi_dbcn_write(sbi_args_t *c)
{
    const bus_t *bus = c->sbi->desc.bus;
    uint64_t addr = c->a[1] | (uint64_t)c->a[2] << 32;
    uint32_t size = c->a[0], done = 0;
    if (!sbi_in_ram(c->sbi, addr, size)) {
        return SBI_ERR_INVALID_PARAM;
    }
    while (done < size) {
        uint8_t chunk[CONSOLE_CHUNK];
        uint32_t n = (uint32_t)util_min_u64(size - done, sizeof(chunk));
        for (uint32_t i = 0; i < n; i++) {
            chunk[i] = ram_load_u8(bus->ram + (addr - bus->ram_base) + done + i);
        }
        uint32_t put = sbi_console_put(c->sbi, chunk, n);
        done += put;
        if (put < n) {
            break;
        }
    }
    c->value = done;
    return SBI_SUCCESS;
}

static int32_t sbi_dbcn_read(sbi_args_t *c)
{
    const bus_t *bus = c->sbi->desc.bus;
    uint64_t addr = c->a[1] | (uint64_t)c->a[2] << 32;
    uint32_t size = c->a[0], done = 0;
    if (!sbi_in_ram(c->sbi, addr, size)) {
        return SBI_ERR_INVALID_PARAM;
    }
    while (done < size) {
        uint8_t chunk[CONSOLE_CHUNK];
        size_t want = (size_t)util_min_u64(size - done, sizeof(chunk));
        size_t got = c->sbi->desc.console_read(c->sbi->desc.opaque, chunk, want);
        for (size_t i = 0; i < got; i++) {
            ram_store_u8(bus->ram + (addr - bus->ram_base) + done + i, chunk[i]);
        }
        done += (uint32_t)got;
        if (got < want) {
            break;
        }
    }
    if (done && bus->codemap) {
        codemap_touch(bus->codemap, addr, done);
    }
    c->value = done;
    return SBI_SUCCESS;
}

/* One byte that must not be lost: when the console stays full the ECALL is executed again. */
static int32_t sbi_put_byte(sbi_args_t *c)
{
    uint8_t byte = (uint8_t)c->a[0];
    c->again = sbi_console_put(c->sbi, &byte, 1) == 0;
    return SBI_SUCCESS;
}

static int32_t sbi_ext_dbcn(sbi_args_t *c)
{
    switch (c->fid) {
    case 0:
        return sbi_dbcn_write(c);
    case 1:
        return sbi_dbcn_read(c);
    case 2:
        return sbi_put_byte(c);
    default:
        return SBI_ERR_NOT_SUPPORTED;
    }
}

/*
 * 11, PMU: the counters are cycle (0) and instret (2), numbered as their CSRs; number 1 is a hole.
 * They are stopped and started by mcountinhibit.
 */
enum {
    PMU_COUNTERS = 3,
    PMU_CYCLE = 0,
    PMU_INSTRET = 2,
    PMU_EVENT_CYCLES = 1,
    PMU_EVENT_INSNS = 2
};
#define PMU_VALID UINT32_C(5)

/* The counters of a (base, mask) pair, as bits of PMU_VALID. */
static uint32_t pmu_chosen(uint32_t base, uint32_t mask)
{
    return base < PMU_COUNTERS ? (mask << base) & PMU_VALID : 0;
}

static void pmu_set_value(hart_t *hart, uint32_t counter, uint32_t lo, uint32_t hi)
{
    hart_set_csr(hart, CSR_MCYCLE + counter, 0);
    hart_set_csr(hart, CSR_MCYCLEH + counter, hi);
    hart_set_csr(hart, CSR_MCYCLE + counter, lo);
}

static int32_t pmu_config(sbi_args_t *c)
{
    uint32_t chosen = pmu_chosen(c->a[0], c->a[1]), flags = c->a[2], event = c->a[3];
    if (!chosen || flags > 0xff) {
        return SBI_ERR_INVALID_PARAM;
    }
    if (!(flags & 1)) { /* SKIP_MATCH is off: only the counter that counts the event will do */
        chosen &= event == PMU_EVENT_CYCLES  ? 1u << PMU_CYCLE
                  : event == PMU_EVENT_INSNS ? 1u << PMU_INSTRET
                                             : 0;
    }
    if (!chosen) {
        return SBI_ERR_NOT_SUPPORTED;
    }
    uint32_t counter = (uint32_t)__builtin_ctz(chosen), inhibit;
    if (flags & 2) { /* CLEAR_VALUE */
        pmu_set_value(c->hart, counter, 0, 0);
    }
    if ((flags & 4) && hart_get_csr(c->hart, CSR_MCOUNTINHIBIT, &inhibit)) { /* AUTO_START */
        hart_set_csr(c->hart, CSR_MCOUNTINHIBIT, inhibit & ~(1u << counter));
    }
    c->value = counter;
    return SBI_SUCCESS;
}

/* Starts or stops the chosen counters; the error when all of them were so already. */
static int32_t pmu_switch(sbi_args_t *c, bool start)
{
    uint32_t chosen = pmu_chosen(c->a[0], c->a[1]), inhibit;
    if (!chosen) {
        return SBI_ERR_INVALID_PARAM;
    }
    if (start && (c->a[2] & 2)) { /* INIT_SNAPSHOT: there is no shared memory */
        return SBI_ERR_NOT_SUPPORTED;
    }
    if (!hart_get_csr(c->hart, CSR_MCOUNTINHIBIT, &inhibit)) {
        return SBI_ERR_FAILED;
    }
    uint32_t change = start ? chosen & inhibit : chosen & ~inhibit;
    if (!change) {
        return start ? SBI_ERR_ALREADY_STARTED : SBI_ERR_ALREADY_STOPPED;
    }
    for (uint32_t i = 0; start && (c->a[2] & 1) && i < PMU_COUNTERS; i++) { /* SET_INIT_VALUE */
        if (change >> i & 1) {
            pmu_set_value(c->hart, i, c->a[3], c->a[4]);
        }
    }
    hart_set_csr(c->hart, CSR_MCOUNTINHIBIT, inhibit ^ change);
    return SBI_SUCCESS;
}

static int32_t sbi_ext_pmu(sbi_args_t *c)
{
    switch (c->fid) {
    case 0:
        c->value = PMU_COUNTERS;
        return SBI_SUCCESS;
    case 1:
        if (c->a[0] >= 32 || !(PMU_VALID >> c->a[0] & 1)) {
            return SBI_ERR_INVALID_PARAM;
        }
        c->value = (CSR_CYCLE + c->a[0]) | 63u << 12;
        return SBI_SUCCESS;
    case 2:
        return pmu_config(c);
    case 3:
        return pmu_switch(c, true);
    case 4:
        return pmu_switch(c, false);
    case 5: /* firmware counters: there are none */
    case 6:
        return SBI_ERR_INVALID_PARAM;
    default:
        return SBI_ERR_NOT_SUPPORTED;
    }
}

typedef struct sbi_extension {
    uint32_t eid;
    int32_t (*call)(sbi_args_t *c);
} sbi_extension_t;

static const sbi_extension_t sbi_extensions[] = {
    {EXT_BASE, sbi_ext_base},     {EXT_TIME, sbi_ext_time}, {EXT_IPI, sbi_ext_ipi},
    {EXT_RFENCE, sbi_ext_rfence}, {EXT_HSM, sbi_ext_hsm},   {EXT_SRST, sbi_ext_srst},
    {EXT_PMU, sbi_ext_pmu},       {EXT_DBCN, sbi_ext_dbcn},
};

static const sbi_extension_t *sbi_find(uint32_t eid)
{
    for (size_t i = 0; i < ARRAY_LEN(sbi_extensions); i++) {
        if (sbi_extensions[i].eid == eid) {
            return &sbi_extensions[i];
        }
    }
    return NULL;
}

static int32_t sbi_ext_base(sbi_args_t *c)
{
    switch (c->fid) {
    case 0:
        c->value = SBI_SPEC_VERSION;
        return SBI_SUCCESS;
    case 1:
        c->value = SBI_IMPL_ID;
        return SBI_SUCCESS;
    case 2:
        c->value = SBI_IMPL_VERSION;
        return SBI_SUCCESS;
    case 3:
        c->value = c->a[0] <= EXT_SHUTDOWN || sbi_find(c->a[0]) != NULL;
        return SBI_SUCCESS;
    case 4:
    case 5:
    case 6:
        return hart_get_csr(c->hart, CSR_MVENDORID + (c->fid - 4), &c->value) ? SBI_SUCCESS
                                                                              : SBI_ERR_FAILED;
    default:
        return SBI_ERR_NOT_SUPPORTED;
    }
}

/* 5: the legacy calls answer in a0 alone. */
static int32_t sbi_call_legacy(sbi_args_t *c, uint32_t eid)
{
    uint32_t mask, base;
    uint8_t byte;
    switch (eid) {
    case EXT_SET_TIMER:
        hart_set_stimecmp(c->hart, c->a[0] | (uint64_t)c->a[1] << 32);
        return SBI_SUCCESS;
    case EXT_PUTCHAR:
        return sbi_put_byte(c);
    case EXT_GETCHAR:
        return c->sbi->desc.console_read(c->sbi->desc.opaque, &byte, 1) == 1 ? byte : -1;
    case EXT_CLEAR_IPI:
        hart_set_irq(c->hart, IRQ_SSIP, false);
        return SBI_SUCCESS;
    case EXT_SHUTDOWN:
        sbi_power_request(c, SBI_POWER_OFF);
        return SBI_SUCCESS;
    default:
        break;
    }
    if (!sbi_legacy_mask(c, &mask, &base)) {
        return SBI_ERR_INVALID_ADDRESS;
    }
    return eid == EXT_SEND_IPI ? sbi_send_ipi(c, mask, base)
                               : sbi_fence(c, mask, base, eid == EXT_REMOTE_FENCE_I);
}

void sbi_call(sbi_t *sbi, hart_t *hart)
{
    sbi_args_t c = {.sbi = sbi, .hart = hart, .id = hart_id(hart), .fid = hart_get_x(hart, 16)};
    uint32_t eid = hart_get_x(hart, 17);
    for (unsigned i = 0; i < 6; i++) {
        c.a[i] = hart_get_x(hart, 10 + i);
    }
    /* From here on other harts need not wait for this one: it looks at their requests when it
     * returns. */
    atomic_store(&sbi->harts[c.id].outside, true);
    int32_t error;
    if (eid <= EXT_SHUTDOWN) {
        error = sbi_call_legacy(&c, eid);
    } else {
        const sbi_extension_t *ext = sbi_find(eid);
        error = ext ? ext->call(&c) : SBI_ERR_NOT_SUPPORTED;
    }
    if (c.again) {
        hart_set_pc(hart, hart_get_pc(hart) - 4);
        hart_kick(hart);
    } else {
        hart_set_x(hart, 10, (uint32_t)error);
        if (eid > EXT_SHUTDOWN) {
            hart_set_x(hart, 11, c.value);
        }
    }
    atomic_store(&sbi->harts[c.id].outside, false);
    util_fence();
}
