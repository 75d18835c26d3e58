/* SPDX-License-Identifier: MPL-2.0 */
/* Looking into a machine: a program that sets registers, a page table, and what must not change by looking. */
#include "inspect.h"

#include "board.h"
#include "host/clock.h"
#include "machine.h"
#include "tap.h"
#include "util.h"

#include <rvvm/compat.h>

#include <stdlib.h>

#define RAM 0x80000000u
#define TABLE (RAM + 0x10000)  /* the root page table */
#define LEAVES (RAM + 0x11000) /* a second level */
#define TARGET (RAM + 0x20000) /* what is mapped */
#define COUNTER (RAM + 0x1000)

#define LUI(rd, imm20) ((uint32_t)(imm20) << 12 | (rd) << 7 | 0x37)
#define ADDI(rd, rs, imm) ((uint32_t)(imm) << 20 | (rs) << 15 | (rd) << 7 | 0x13)
#define LW(rd, rs, imm) ((uint32_t)(imm) << 20 | (rs) << 15 | 2u << 12 | (rd) << 7 | 0x03)
#define SW(rt, rs) ((uint32_t)(rt) << 20 | (rs) << 15 | 2u << 12 | 0x23)
#define CSRW(csr, rs) ((uint32_t)(csr) << 20 | (rs) << 15 | 1u << 12 | 0x73)
#define FCVT_S_W(fd, rs) (0xd0000053u | (rs) << 15 | 7u << 12 | (fd) << 7)
#define WFI 0x10500073u
#define MRET 0x30200073u
#define BACK(n) (0x80000000u | (0x400u - (n) * 2) << 21 | 0xff000u | 1u << 20 | 0x6fu) /* jal zero, -4 n */

/* In M-mode: registers, an f register, then count at COUNTER for ever. */
static const uint32_t count_code[] = {
    LUI(2, 0x12345),       /* sp */
    LUI(6, 6),             /* t1 = 0x6000: FS */
    CSRW(0x300, 6),        /* mstatus */
    ADDI(7, 0, 7),         /* t2 */
    FCVT_S_W(10, 7),       /* fa0 = 7.0f */
    CSRW(0x340, 2),        /* mscratch */
    LUI(10, COUNTER >> 12),
    LW(11, 10, 0),         /* loop */
    ADDI(11, 11, 1),
    SW(11, 10),
    BACK(3),
};

/* Turns Sv32 on, and goes to S-mode at 0x40000000, where a WFI waits. */
static const uint32_t paged_code[] = {
    LUI(5, 0x80080),        /* t0 = satp: Sv32, the table */
    ADDI(5, 5, 0x10),
    CSRW(0x180, 5),
    ADDI(6, 0, -1),
    CSRW(0x3b0, 6),         /* pmpaddr0: all */
    ADDI(7, 0, 0x1f),
    CSRW(0x3a0, 7),         /* pmpcfg0: NAPOT, RWX */
    LUI(5, 0x40000),
    CSRW(0x341, 5),         /* mepc */
    LUI(6, 1),
    ADDI(6, 6, -0x800),     /* MPP = S */
    CSRW(0x300, 6),
    MRET,
};

/* Calls of its handlers are counted. */
typedef struct {
    uint32_t reads, *memory;
} probe_t;

static bool probe_read(rvvm_mmio_dev_t *dev, void *data, size_t offset, uint8_t size)
{
    (void)offset;
    memset(data, 0xee, size);
    __atomic_fetch_add(&((probe_t *)dev->data)->reads, 1, __ATOMIC_SEQ_CST);
    return true;
}

static void probe_remove(rvvm_mmio_dev_t *dev)
{
    (void)dev;
}

static rvvm_machine_t *make(size_t harts, bool cooperative, const uint32_t *code, size_t words)
{
    rvvm_machine_t *m = rvvm_create_machine(1 << 20, harts, NULL);
    CHECK(!cooperative || rvvm_set_opt(m, RVKIT_OPT_COOPERATIVE, 1));
    CHECK(rvvm_write_ram(m, RAM, code, words * 4));
    return m;
}

static void run_for(rvvm_machine_t *m, unsigned ms)
{
    for (unsigned i = 0; i < ms; i++) {
        if (rvvm_get_opt(m, RVKIT_OPT_COOPERATIVE)) {
            rvkit_run_slice(m, 10000);
        } else {
            host_sleep_ns(1000000);
        }
    }
}

static uint32_t word_at(rvvm_machine_t *m, uint32_t addr)
{
    uint32_t word = 0;
    CHECK(rvvm_read_ram(m, &word, addr, 4));
    return word;
}

static void check_running(bool cooperative)
{
    inspect_hart_t hart;
    rvvm_machine_t *m = make(2, cooperative, count_code, ARRAY_LEN(count_code));
    CHECK(inspect_hart(m, 0, &hart) && hart.retired == 0); /* off */
    CHECK(rvvm_start_machine(m));
    for (unsigned i = 0; i < 5000 && !word_at(m, COUNTER); i++) {
        run_for(m, 1);
    }
    run_for(m, 20);
    for (unsigned i = 0; i < 200; i++) {
        uint32_t index = i % 2;
        CHECK(inspect_hart(m, index, &hart));
        CHECK_EQ('M', hart.mode);
        CHECK(hart.state == INSPECT_RUNS && hart.retired > 10);
        CHECK(hart.pc >= RAM + 7 * 4 && hart.pc < RAM + 11 * 4);
        CHECK_EQ(0x12345000, hart.x[2]);
        CHECK_EQ(0xffffffff40e00000u, hart.f[10]);
        CHECK(rvvm_machine_running(m));
    }
    /* It has gone on. */
    uint32_t before = word_at(m, COUNTER);
    run_for(m, 20);
    CHECK(word_at(m, COUNTER) > before);
    /* A paused machine stays so, and stands still. */
    CHECK(rvvm_pause_machine(m));
    CHECK(inspect_hart(m, 1, &hart));
    before = word_at(m, COUNTER);
    uint64_t retired = hart.retired;
    run_for(m, 5);
    CHECK(inspect_hart(m, 1, &hart) && hart.retired == retired);
    CHECK(!rvvm_machine_running(m) && before == word_at(m, COUNTER));
    CHECK(rvvm_start_machine(m));
    run_for(m, 20);
    CHECK(word_at(m, COUNTER) > before);
    CHECK(!inspect_hart(m, 2, &hart) && !inspect_hart(NULL, 0, &hart));
    rvvm_free_machine(m);
}

TEST(harts_that_run)
{
    check_running(false);
}

TEST(harts_that_take_turns)
{
    check_running(true);
}

TEST(csrs)
{
    static const uint16_t numbers[] = {0x340, 0x300, 0x015 /* seed */, 0x7c0 /* none */, 0xf14};
    uint32_t value[ARRAY_LEN(numbers)] = {0};
    rvvm_machine_t *m = make(1, true, count_code, ARRAY_LEN(count_code));
    CHECK(rvvm_start_machine(m));
    run_for(m, 2);
    CHECK_EQ(0x13, inspect_csrs(m, 0, numbers, ARRAY_LEN(numbers), value));
    CHECK_EQ(0x12345000, value[0]);
    CHECK_EQ(0x80006000, value[1]); /* FS and SD */
    CHECK_EQ(0, inspect_csrs(m, 1, numbers, ARRAY_LEN(numbers), value));
    CHECK_EQ(0, inspect_csrs(m, 0, numbers, 65, value));
    CHECK(!strcmp(inspect_csr_name(0x340), "mscratch") && !inspect_csr_name(0x7c0) && !inspect_csr_name(0x12345));
    CHECK(!strcmp(inspect_x_name(10), "a0") && !strcmp(inspect_f_name(10), "fa0"));
    rvvm_free_machine(m);
}

static uint32_t pte(uint32_t target, uint32_t bits)
{
    return target >> 12 << 10 | bits;
}

static void put(rvvm_machine_t *m, uint32_t addr, uint32_t word)
{
    CHECK(rvvm_write_ram(m, addr, &word, 4));
}

/*
 * 0x40000000 a page of code, A not needed; 0x40001000 readable, A and D clear; 0x40002000 a device;
 * 0x40003000 nothing; 0x40400000 a megapage; 0x40800000 one that is not aligned; 0x40c00000 a table outside RAM.
 */
static rvvm_machine_t *make_paged(probe_t *probe)
{
    rvvm_machine_t *m = make(1, true, paged_code, ARRAY_LEN(paged_code));
    const rvvm_mmio_type_t *type = NULL;
    static const rvvm_mmio_type_t probe_type = {.name = "probe", .remove = probe_remove};
    type = &probe_type;
    CHECK(rvvm_attach_mmio(m, &(rvvm_mmio_dev_t){.addr = 0x10000000, .size = 0x1000, .data = probe, .type = type,
                                                 .read = probe_read, .write = rvvm_mmio_none}));
    CHECK(rvvm_attach_mmio(m, &(rvvm_mmio_dev_t){.addr = 0x20000000, .size = 0x1000, .data = probe, .type = type,
                                                 .mapping = probe->memory}));
    put(m, TABLE + 0x100 * 4, pte(LEAVES, 1));
    put(m, TABLE + 0x101 * 4, pte(RAM, 0xcf));
    put(m, TABLE + 0x102 * 4, pte(RAM + 0x1000, 0xcf));
    put(m, TABLE + 0x103 * 4, pte(0x70000000, 1));
    put(m, LEAVES + 0 * 4, pte(TARGET, 0x4b));
    put(m, LEAVES + 1 * 4, pte(TARGET + 0x2000, 0x03));
    put(m, LEAVES + 2 * 4, pte(0x10000000, 0xc7));
    put(m, LEAVES + 4 * 4, pte(TARGET + 0x3000, 0x05)); /* W without R: reserved */
    put(m, LEAVES + 5 * 4, pte(0x20000000, 0xc7));
    put(m, TARGET, WFI);
    put(m, TARGET + 4, BACK(1));
    put(m, TARGET + 0xffc, 0x11223344);
    put(m, TARGET + 0x2000, 0x55667788);
    CHECK(rvvm_start_machine(m));
    run_for(m, 3);
    return m;
}

TEST(virtual_addresses)
{
    uint32_t memory[1024] = {0xabcd1234};
    probe_t probe = {.memory = memory};
    inspect_hart_t hart;
    uint8_t data[64];
    uint64_t pa;
    rvvm_machine_t *m = make_paged(&probe);
    CHECK(inspect_hart(m, 0, &hart));
    CHECK(hart.mode == 'S' && hart.pc >= 0x40000000 && hart.pc <= 0x40000004);
    CHECK(hart.state == INSPECT_WAITS);
    /* Across the end of a page into the next one, which lies elsewhere. */
    CHECK_EQ(8, inspect_read(m, INSPECT_DATA, 0, 0x40000ffc, data, 8));
    CHECK(util_get_le32(data) == 0x11223344 && util_get_le32(data + 4) == 0x55667788);
    CHECK_EQ(4, inspect_read(m, INSPECT_CODE, 0, 0x40000000, data, 4));
    CHECK_EQ(WFI, util_get_le32(data));
    CHECK(inspect_translate(m, INSPECT_DATA, 0, 0x40001004, &pa) && pa == TARGET + 0x2004);
    CHECK(inspect_translate(m, INSPECT_DATA, 0, 0x40420000, &pa) && pa == TARGET);
    CHECK(inspect_translate(m, INSPECT_PHYSICAL, 0, 0x40420000, &pa) && pa == 0x40420000);
    /* The end of what can be read. */
    CHECK_EQ(16, inspect_read(m, INSPECT_DATA, 0, 0x40001ff0, data, 64));
    CHECK_EQ(0, inspect_read(m, INSPECT_DATA, 0, 0x40002000, data, 4)); /* a device: left alone */
    CHECK_EQ(0, inspect_read(m, INSPECT_DATA, 0, 0x40003000, data, 4));
    CHECK_EQ(0, inspect_read(m, INSPECT_DATA, 0, 0x40004000, data, 4));
    CHECK_EQ(0, inspect_read(m, INSPECT_DATA, 0, 0x40800000, data, 4));
    CHECK_EQ(0, inspect_read(m, INSPECT_DATA, 0, 0x40c00000, data, 4));
    CHECK_EQ(0, inspect_read(m, INSPECT_DATA, 0, 0, data, 4));
    CHECK_EQ(0, inspect_read(m, INSPECT_DATA, 0, 0x140000000, data, 4));
    CHECK_EQ(0, inspect_read(m, INSPECT_DATA, 1, 0x40000000, data, 4));
    CHECK(inspect_translate(m, INSPECT_DATA, 0, 0x40002000, &pa) && pa == 0x10000000);
    CHECK(!inspect_translate(m, INSPECT_DATA, 0, 0x40003000, &pa));
    CHECK_EQ(4, inspect_read(m, INSPECT_DATA, 0, 0x40005000, data, 4)); /* plain memory of a device */
    CHECK_EQ(0xabcd1234, util_get_le32(data));
    /* Nothing has changed that the guest could see. */
    CHECK_EQ(pte(TARGET + 0x2000, 0x03), word_at(m, LEAVES + 4));
    CHECK_EQ(0, probe.reads);
    inspect_hart_t after;
    CHECK(inspect_hart(m, 0, &after) && !memcmp(&hart, &after, sizeof(hart)));
    rvvm_free_machine(m);
}

TEST(physical_addresses)
{
    uint8_t data[16];
    uint32_t memory[1024] = {1, 2};
    probe_t probe = {.memory = memory};
    rvvm_machine_t *m = make_paged(&probe);
    CHECK_EQ(16, inspect_read(m, INSPECT_PHYSICAL, 99, RAM + (1 << 20) - 16, data, 16));
    CHECK_EQ(0, inspect_read(m, INSPECT_PHYSICAL, 0, RAM + (1 << 20), data, 16));
    CHECK_EQ(8, inspect_read(m, INSPECT_PHYSICAL, 0, RAM + (1 << 20) - 8, data, 16));
    CHECK_EQ(0, inspect_read(m, INSPECT_PHYSICAL, 0, RAM - 1, data, 1));
    CHECK_EQ(0, inspect_read(m, INSPECT_PHYSICAL, 0, UINT64_MAX - 3, data, 16));
    CHECK_EQ(0, inspect_read(m, INSPECT_PHYSICAL, 0, 0x10000000, data, 4));
    CHECK_EQ(8, inspect_read(m, INSPECT_PHYSICAL, 0, 0x20000ff8, data, 16));
    CHECK_EQ(0, probe.reads);
    rvvm_free_machine(m);
}

TEST(instructions)
{
    static const uint8_t addi[] = {0x13, 0x05, 0x15, 0x00}, nop[] = {0x01, 0x00};
    char text[64];
    CHECK(inspect_disasm(text, sizeof(text), addi, 4, 0) == 4 && !strcmp(text, "addi a0, a0, 1"));
    CHECK_EQ(0, inspect_disasm(text, sizeof(text), addi, 3, 0));
    CHECK_EQ(0, inspect_disasm(text, sizeof(text), addi, 1, 0));
    CHECK(inspect_disasm(text, sizeof(text), nop, 2, 0) == 2 && !strcmp(text, "addi zero, zero, 0"));
}

/* What the board attaches, with its interrupts. */
TEST(devices)
{
    rvvm_machine_t *m = board_create(&(board_desc_t){
        .mem_size = 1 << 20, .harts = 1, .serial_count = 2, .console_count = 1, .balloon = true});
    inspect_device_t d;
    unsigned serials = 0, virtio = 0, count = 0;
    uint64_t last = 0;
    uint32_t irqs = 0;
    for (; inspect_device(m, count, &d); count++) {
        CHECK(count == 0 || d.addr > last);
        last = d.addr;
        if (!strcmp(d.name, "serial-ns16550a")) {
            CHECK(serials > 0 || d.addr == 0x10000000);
            serials++;
        }
        virtio += !strncmp(d.name, "virtio-", 7) && strcmp(d.name, "virtio-mmio");
        if (!strncmp(d.name, "virtio-", 7) || !strncmp(d.name, "serial", 6)) {
            CHECK(d.irq > 0 && d.irq < 32 && !(irqs >> d.irq & 1));
            irqs |= 1u << d.irq;
        }
        CHECK(strcmp(d.name, "riscv-plic") || (d.addr == 0x0c000000 && !d.irq));
    }
    CHECK_EQ(2, serials);
    CHECK_EQ(3, virtio); /* console, balloon, random numbers */
    CHECK(count >= 8 && !inspect_device(m, count, &d) && !inspect_device(NULL, 0, &d));
    rvvm_free_machine(m);
}

/* With the built-in SBI, harts that were not started are told as stopped. */
TEST(harts_that_are_stopped)
{
    inspect_hart_t hart;
    rvvm_machine_t *m = board_create(&(board_desc_t){.mem_size = 16 << 20, .harts = 2});
    char path[] = "/tmp/rvkit-inspect-XXXXXX";
    int fd = mkstemp(path);
    FILE *file = fdopen(fd, "wb");
    static const uint32_t code[] = {0x0000006f}; /* a jump to itself */
    CHECK(file && fwrite(code, sizeof(code), 1, file) == 1 && fclose(file) == 0);
    CHECK(rvvm_load_kernel(m, path) && rvvm_start_machine(m));
    for (unsigned i = 0; i < 2000 && inspect_hart(m, 0, &hart) && hart.mode != 'S'; i++) {
        run_for(m, 1);
    }
    for (unsigned i = 0; i < 2000 && inspect_hart(m, 0, &hart) && hart.state != INSPECT_RUNS; i++) {
        run_for(m, 1);
    }
    CHECK(inspect_hart(m, 0, &hart) && hart.state == INSPECT_RUNS && hart.mode == 'S');
    CHECK(inspect_hart(m, 1, &hart) && hart.state == INSPECT_STOPPED);
    rvvm_free_machine(m);
    remove(path);
}

int main(void)
{
    RUN(harts_that_run);
    RUN(harts_that_take_turns);
    RUN(csrs);
    RUN(virtual_addresses);
    RUN(physical_addresses);
    RUN(instructions);
    RUN(devices);
    RUN(harts_that_are_stopped);
    return tap_finish();
}
