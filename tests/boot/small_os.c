/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A small operating system's hardware side, as teaching systems have it: given as firmware (an ELF
 * file), it goes from machine to supervisor mode, turns on Sv32 paging, takes interrupts of a
 * timer, of the UART and of a legacy virtio-mmio disk through the PLIC, and powers off through
 * syscon. What it does with them:
 *
 *   reads blocks 0 and 1 (1 KiB), prints their sums; writes block 5 = block 0 with each byte turned
 * over, reads that back; then echoes what is typed, and answers each line; "off" powers off.
 *
 * Anything unexpected prints "panic: …" and stops. Built by the Makefile:
 * build/tests/boot/small_os.elf
 */
#include <stdbool.h>
#include <stdint.h>

#define UART 0x10000000u
#define VIRTIO 0x10001000u
#define PLIC 0x0c000000u
#define SYSCON 0x00100000u
#define RAM 0x80000000u
#define PAGE 4096u
#define ALIAS 0xc0400000u   /* a second address of `shared_page` */
#define NOWHERE 0x40000000u /* not mapped */

enum { PTE_V = 1, PTE_R = 2, PTE_W = 4, PTE_X = 8, PTE_A = 64, PTE_D = 128 };
enum { CAUSE_LOAD_PAGE_FAULT = 13 };
#define INTERRUPT 0x80000000u
enum { SSI = 1, SEI = 9 };
enum { SIP_SSIP = 2, SSTATUS_SIE = 2 };

extern void trap_vector(void);
extern char text_end[];

#define CSR_READ(name)                                                                             \
    ({                                                                                             \
        uint32_t value_;                                                                           \
        __asm__ volatile("csrr %0, " #name : "=r"(value_)::"memory");                              \
        value_;                                                                                    \
    })
#define CSR_WRITE(name, value) __asm__ volatile("csrw " #name ", %0" ::"r"(value) : "memory")
#define CSR_SET(name, bits) __asm__ volatile("csrs " #name ", %0" ::"r"(bits) : "memory")
#define CSR_CLEAR(name, bits) __asm__ volatile("csrc " #name ", %0" ::"r"(bits) : "memory")

static volatile uint32_t *reg32(uint32_t address)
{
    return (volatile uint32_t *)address;
}

static volatile uint8_t *reg8(uint32_t address)
{
    return (volatile uint8_t *)address;
}

static void intr_off(void)
{
    CSR_CLEAR(sstatus, SSTATUS_SIE);
}

static void intr_on(void)
{
    CSR_SET(sstatus, SSTATUS_SIE);
}

/* Interrupts are off: the one that ends the sleep is taken here. */
static void wait_interrupt(void)
{
    __asm__ volatile("wfi" ::: "memory");
    intr_on();
    intr_off();
}

/* --- UART --- */

enum { UART_DATA, UART_IER, UART_FCR, UART_LCR, UART_LSR = 5 };
enum { TX_RING = 256, RX_RING = 256 };

static char tx_ring[TX_RING], rx_ring[RX_RING];
static uint32_t tx_in, tx_out, rx_in, rx_out;
static volatile uint32_t ticks;

static void uart_push(void)
{
    while (tx_out != tx_in && (*reg8(UART + UART_LSR) & 0x20)) {
        *reg8(UART + UART_DATA) = (uint8_t)tx_ring[tx_out++ % TX_RING];
    }
}

/* As in systems of this kind, nothing ever reads IIR. */
static void uart_interrupt(void)
{
    while (*reg8(UART + UART_LSR) & 1) {
        char c = (char)*reg8(UART + UART_DATA);
        if (rx_in - rx_out < RX_RING) {
            rx_ring[rx_in++ % RX_RING] = c;
        }
    }
    uart_push();
}

static void put_char(char c)
{
    while (tx_in - tx_out == TX_RING) {
        wait_interrupt();
    }
    tx_ring[tx_in++ % TX_RING] = c;
    uart_push();
}

static void put(const char *text)
{
    for (; *text; text++) {
        if (*text == '\n') {
            put_char('\r');
        }
        put_char(*text);
    }
}

static void put_number(uint32_t value, uint32_t base)
{
    char digits[12], *at = digits + 11;
    *at = 0;
    do {
        *--at = "0123456789abcdef"[value % base];
        value /= base;
    } while (value);
    put(at);
}

/* Interrupts may be off for good: this one polls. */
static void panic(const char *what, uint32_t value)
{
    intr_off();
    put("\npanic: ");
    put(what);
    put(" ");
    put_number(value, 16);
    put("\n");
    while (tx_out != tx_in) {
        uart_push();
    }
    for (;;) {
        __asm__ volatile("wfi");
    }
}

static void check(bool ok, const char *what, uint32_t value)
{
    if (!ok) {
        panic(what, value);
    }
}

static char get_char(void)
{
    while (rx_in == rx_out) {
        wait_interrupt();
    }
    return rx_ring[rx_out++ % RX_RING];
}

static void uart_init(void)
{
    *reg8(UART + UART_IER) = 0;
    *reg8(UART + UART_LCR) = 0x80;
    *reg8(UART + UART_DATA) = 3;
    *reg8(UART + UART_IER) = 0;
    *reg8(UART + UART_LCR) = 3;
    *reg8(UART + UART_FCR) = 7;
    *reg8(UART + UART_IER) = 3;
}

/* --- Paging --- */

typedef uint32_t table_t[1024] __attribute__((aligned(4096)));

enum { TABLES = 16, RAM_MAPPED = 4 << 20 };
static table_t tables[TABLES];
static uint32_t tables_used = 1; /* the first is the root */
static uint32_t shared_page[1024] __attribute__((aligned(4096)));

static void map(uint32_t at, uint32_t to, uint32_t size, uint32_t flags)
{
    for (uint32_t end = at + size; at != end; at += PAGE, to += PAGE) {
        uint32_t *entry = &tables[0][at >> 22];
        if (!*entry) {
            check(tables_used < TABLES, "no page table left for", at);
            *entry = (uint32_t)tables[tables_used++] >> 12 << 10 | PTE_V;
        }
        uint32_t *table = (uint32_t *)(*entry >> 10 << 12);
        table[at >> 12 & 1023] = to >> 12 << 10 | flags | PTE_A | PTE_D | PTE_V;
    }
}

static void paging_init(void)
{
    uint32_t text = ((uint32_t)text_end - RAM + PAGE - 1) / PAGE * PAGE;
    map(SYSCON, SYSCON, PAGE, PTE_R | PTE_W);
    map(UART, UART, PAGE, PTE_R | PTE_W);
    map(VIRTIO, VIRTIO, PAGE, PTE_R | PTE_W);
    map(PLIC, PLIC, 0x400000, PTE_R | PTE_W);
    map(RAM, RAM, text, PTE_R | PTE_X);
    map(RAM + text, RAM + text, RAM_MAPPED - text, PTE_R | PTE_W);
    map(ALIAS, (uint32_t)shared_page, PAGE, PTE_R | PTE_W);
    __asm__ volatile("sfence.vma" ::: "memory");
    CSR_WRITE(satp, 1u << 31 | (uint32_t)tables[0] >> 12);
    __asm__ volatile("sfence.vma" ::: "memory");
}

static volatile uint32_t fault_at, faults;

/* A page has two addresses; what has none faults. */
static void paging_check(void)
{
    volatile uint32_t *page = shared_page;
    *reg32(ALIAS + 16) = 0x1234567;
    check(page[4] == 0x1234567, "the page's other address has", page[4]);
    (void)*reg32(NOWHERE);
    check(faults == 1 && fault_at == NOWHERE, "a load from nowhere faulted at", fault_at);
    put("paging: Sv32\n");
}

/* --- The disk: legacy interface, VirtIO 1.2 §4.2.4 --- */

enum {
    MMIO_MAGIC = 0x000,
    MMIO_VERSION = 0x004,
    MMIO_DEVICE = 0x008,
    MMIO_HOST_FEATURES = 0x010,
    MMIO_GUEST_FEATURES = 0x020,
    MMIO_PAGE_SIZE = 0x028,
    MMIO_QUEUE_SEL = 0x030,
    MMIO_QUEUE_NUM_MAX = 0x034,
    MMIO_QUEUE_NUM = 0x038,
    MMIO_QUEUE_PFN = 0x040,
    MMIO_QUEUE_NOTIFY = 0x050,
    MMIO_ISR = 0x060,
    MMIO_ISR_ACK = 0x064,
    MMIO_STATUS = 0x070,
};
enum { QUEUE = 8, DESC_NEXT = 1, DESC_WRITE = 2, BLOCK = 1024 };

typedef struct {
    uint32_t address, address_high, size;
    uint16_t flags, next;
} desc_t;

/* Descriptors and the available ring fill the first page, the used ring begins the second. */
static struct {
    desc_t desc[QUEUE];
    uint16_t avail_flags, avail_index, avail[QUEUE];
    uint8_t rest[PAGE - 16 * QUEUE - 4 - 2 * QUEUE];
    uint16_t used_flags;
    volatile uint16_t used_index;
    struct {
        uint32_t id, size;
    } used[QUEUE];
} queue __attribute__((aligned(4096)));

static struct {
    uint32_t type, reserved, sector, sector_high;
} request;
static volatile uint8_t request_status;
static uint16_t used_seen;
static volatile bool request_done;
static uint32_t disk_interrupts;

static void disk_init(void)
{
    check(*reg32(VIRTIO + MMIO_MAGIC) == 0x74726976,
          "no virtio device:", *reg32(VIRTIO + MMIO_MAGIC));
    check(*reg32(VIRTIO + MMIO_VERSION) == 1, "virtio version", *reg32(VIRTIO + MMIO_VERSION));
    check(*reg32(VIRTIO + MMIO_DEVICE) == 2, "no disk but device", *reg32(VIRTIO + MMIO_DEVICE));
    *reg32(VIRTIO + MMIO_STATUS) = 0;
    *reg32(VIRTIO + MMIO_STATUS) = 1;
    *reg32(VIRTIO + MMIO_STATUS) = 3;
    /* Read-only, SCSI, cache mode, queues, event index and indirect descriptors are beyond it. */
    uint32_t beyond = 1u << 5 | 1u << 7 | 1u << 11 | 1u << 12 | 1u << 27 | 1u << 28 | 1u << 29;
    *reg32(VIRTIO + MMIO_GUEST_FEATURES) = *reg32(VIRTIO + MMIO_HOST_FEATURES) & ~beyond;
    /* Systems of this kind are known to say DRIVER_OK (with FEATURES_OK) before the queue is there.
     */
    *reg32(VIRTIO + MMIO_STATUS) = 11;
    *reg32(VIRTIO + MMIO_STATUS) = 15;
    *reg32(VIRTIO + MMIO_PAGE_SIZE) = PAGE;
    *reg32(VIRTIO + MMIO_QUEUE_SEL) = 0;
    check(*reg32(VIRTIO + MMIO_QUEUE_NUM_MAX) >= QUEUE, "queue size",
          *reg32(VIRTIO + MMIO_QUEUE_NUM_MAX));
    *reg32(VIRTIO + MMIO_QUEUE_NUM) = QUEUE;
    *reg32(VIRTIO + MMIO_QUEUE_PFN) = (uint32_t)&queue / PAGE;
}

static void disk_interrupt(uint32_t isr)
{
    *reg32(VIRTIO + MMIO_ISR_ACK) = isr & 3;
    disk_interrupts++;
    __sync_synchronize();
    while (used_seen != queue.used_index) {
        check(queue.used[used_seen % QUEUE].id == 0, "used descriptor",
              queue.used[used_seen % QUEUE].id);
        used_seen++;
        request_done = true;
    }
}

static void disk_move(uint32_t block, void *data, bool write)
{
    request.type = write;
    request.sector = block * (BLOCK / 512);
    queue.desc[0] = (desc_t){(uint32_t)&request, 0, sizeof(request), DESC_NEXT, 1};
    queue.desc[1] = (desc_t){(uint32_t)data, 0, BLOCK, DESC_NEXT | (write ? 0 : DESC_WRITE), 2};
    queue.desc[2] = (desc_t){(uint32_t)&request_status, 0, 1, DESC_WRITE, 0};
    request_status = 0xff;
    request_done = false;
    queue.avail[queue.avail_index % QUEUE] = 0;
    __sync_synchronize();
    queue.avail_index++;
    __sync_synchronize();
    *reg32(VIRTIO + MMIO_QUEUE_NOTIFY) = 0;
    while (!request_done) {
        wait_interrupt();
    }
    check(request_status == 0, "disk request's status", request_status);
}

/* --- Traps --- */

static void plic_init(void)
{
    for (uint32_t source = 1; source < 64; source++) {
        *reg32(PLIC + 4 * source) = 1;
    }
    /* The first hart's context for supervisor mode is 1. */
    *reg32(PLIC + 0x2080) = ~1u;
    *reg32(PLIC + 0x2084) = ~0u;
    *reg32(PLIC + 0x201000) = 0;
}

static void external_interrupt(void)
{
    for (uint32_t source; (source = *reg32(PLIC + 0x201004)) != 0;) {
        uint32_t isr = *reg32(VIRTIO + MMIO_ISR);
        if (isr) {
            disk_interrupt(isr);
        }
        uart_interrupt();
        *reg32(PLIC + 0x201004) = source;
    }
}

uint32_t os_trap(uint32_t cause, uint32_t pc, uint32_t value)
{
    if (cause == (INTERRUPT | SEI)) {
        external_interrupt();
    } else if (cause == (INTERRUPT | SSI)) {
        CSR_CLEAR(sip, SIP_SSIP);
        ticks++;
    } else if (cause == CAUSE_LOAD_PAGE_FAULT && value == NOWHERE) {
        fault_at = value;
        faults++;
        return pc + ((*(const uint16_t *)pc & 3) == 3 ? 4 : 2);
    } else {
        put("\nscause ");
        put_number(cause, 16);
        put(", sepc ");
        put_number(pc, 16);
        panic("trap, stval", value);
    }
    return pc;
}

/* --- What it does --- */

static uint8_t block_a[BLOCK], block_b[BLOCK];

static void put_sum(uint32_t block, const uint8_t *data)
{
    uint32_t sum = 0;
    for (uint32_t i = 0; i < BLOCK; i++) {
        sum = sum * 31 + data[i];
    }
    put("block ");
    put_number(block, 10);
    put(": ");
    put_number(sum, 16);
    put("\n");
}

static void try_disk(void)
{
    disk_move(1, block_a, false);
    put_sum(1, block_a);
    disk_move(0, block_a, false);
    put_sum(0, block_a);
    for (uint32_t i = 0; i < BLOCK; i++) {
        block_a[i] = (uint8_t)~block_a[i];
    }
    disk_move(5, block_a, true);
    disk_move(5, block_b, false);
    for (uint32_t i = 0; i < BLOCK; i++) {
        check(block_a[i] == block_b[i], "block 5 has another byte at", i);
    }
    put_sum(5, block_b);
    check(disk_interrupts == 4, "disk interrupts", disk_interrupts);
}

static bool is_word(const char *line, const char *word)
{
    while (*line && *line == *word) {
        line++;
        word++;
    }
    return *line == *word;
}

static void answer_lines(void)
{
    char line[128];
    for (;;) {
        put("$ ");
        uint32_t size = 0;
        for (char c; (c = get_char()) != '\r' && c != '\n';) {
            put_char(c);
            if (size < sizeof(line) - 1) {
                line[size++] = c;
            }
        }
        line[size] = 0;
        put("\n");
        if (is_word(line, "off")) {
            return;
        }
        put("you typed ");
        put_number(size, 10);
        put(": ");
        put(line);
        put("\n");
    }
}

void os_main(void)
{
    CSR_WRITE(stvec, (uint32_t)trap_vector);
    uart_init();
    put("small_os\n");
    paging_init();
    plic_init();
    paging_check();
    disk_init();
    try_disk();
    uint32_t seen = ticks;
    while (ticks - seen < 3) {
        wait_interrupt();
    }
    put("ticking\n");
    answer_lines();
    put("bye\n");
    while (tx_out != tx_in) {
        wait_interrupt();
    }
    while (!(*reg8(UART + UART_LSR) & 0x40)) {
    }
    *reg32(SYSCON) = 0x5555;
    panic("still on", 0);
}
