/* SPDX-License-Identifier: MPL-2.0 */
/* Each device's state goes out and comes back: two machines, the second made to look like the first. */
#include <rvvm/rvkit.h>
#include <rvvm/rvvm_blk.h>

#include "devices/clint.h"
#include "devices/plic.h"
#include "devices/rtc_goldfish.h"
#include "uart_rig.h"

typedef struct {
    rig_host_t host;
    mock_t mock;
    rvvm_machine_t *machine;
    rvvm_irq_dev_t *irq;
    rvvm_mmio_dev_t *plic, *clint, *uart, *rtc;
} board_t;

static board_t *board_up(void)
{
    board_t *board = calloc(1, sizeof(*board));
    if (!board) {
        abort();
    }
    rig_host_init(&board->host);
    mock_init(&board->mock);
    const irq_host_t *host = &board->host.host;
    board->machine = rig_machine();
    board->irq = plic_init_host(board->machine, host, PLIC_DEFAULT_MMIO);
    board->plic = plic_region(board->irq);
    board->clint = clint_init_host(board->machine, host, CLINT_DEFAULT_MMIO);
    board->rtc = rtc_goldfish_init_host(board->machine, host, RTC_GOLDFISH_DEFAULT_MMIO, NULL, 0);
    board->uart = ns16550a_init_host(board->machine, host, &board->mock.dev, NS16550A_DEFAULT_MMIO,
                                     NULL, UART_IRQ);
    CHECK(board->plic && board->clint && board->rtc && board->uart);
    return board;
}

static void board_down(board_t *board)
{
    rvvm_free_machine(board->machine);
    free(board);
}

/* Writes `from` out and reads it into `to`. */
static void board_copy(board_t *from, board_t *to)
{
    rvvm_blk_dev_t *blk = rvkit_blk_open_memory();
    rvvm_snapshot_t *snap = rvvm_snapshot_open(blk, true);
    CHECK(rvkit_snapshot_devices(from->machine, snap, false));
    CHECK(rvvm_snapshot_close(snap));
    snap = rvvm_snapshot_open(blk, false);
    CHECK(rvkit_snapshot_devices(to->machine, snap, true));
    CHECK(rvvm_snapshot_close(snap));
    rvvm_blk_close(blk);
}

TEST(plic)
{
    board_t *a = board_up(), *b = board_up();
    rig_write(a->plic, 4 * 40, 4, 5);
    rig_write(a->plic, 4 * 41, 4, 6);
    rig_write(a->plic, 0x2084, 4, 0x700);
    rig_write(a->plic, 0x201000, 4, 2);
    rvvm_irq_send(a->irq, 41);
    CHECK_EQ(41, rig_read(a->plic, 0x201004, 4));
    rvvm_irq_send(a->irq, 41); /* once more while it is claimed */
    rvvm_irq_raise(a->irq, 40);
    CHECK(rig_line(&a->host, 0, IRQ_HOST_SEIP));
    board_copy(a, b);
    CHECK_EQ(5, rig_read(b->plic, 4 * 40, 4));
    CHECK_EQ(0x700, rig_read(b->plic, 0x2084, 4));
    CHECK_EQ(2, rig_read(b->plic, 0x201000, 4));
    CHECK_EQ(0x100, rig_read(b->plic, 0x1004, 4));
    CHECK(rig_line(&b->host, 0, IRQ_HOST_SEIP));
    CHECK_EQ(40, rig_read(b->plic, 0x201004, 4));
    CHECK_EQ(0, rig_read(b->plic, 0x201004, 4));
    rig_write(b->plic, 0x201004, 4, 40); /* the line is still high there */
    rig_write(b->plic, 0x201004, 4, 41);
    CHECK_EQ(41, rig_read(b->plic, 0x201004, 4));
    CHECK_EQ(40, rig_read(b->plic, 0x201004, 4));
    board_down(a);
    board_down(b);
}

TEST(clint)
{
    board_t *a = board_up(), *b = board_up();
    rig_write(a->clint, 8, 4, 1);
    rig_write(a->clint, 0x4008, 8, UINT64_C(0x1122334455667788));
    a->host.time = UINT64_C(0x99887766554433);
    board_copy(a, b);
    CHECK(rig_line(&b->host, 2, IRQ_HOST_MSIP) && !rig_line(&b->host, 1, IRQ_HOST_MSIP));
    CHECK_EQ(1, rig_read(b->clint, 8, 4));
    CHECK_EQ(UINT64_C(0x1122334455667788), b->host.mtimecmp[1]);
    CHECK_EQ(UINT64_C(0x99887766554433), b->host.time);
    board_down(a);
    board_down(b);
}

TEST(uart)
{
    board_t *a = board_up(), *b = board_up();
    rig_write(a->uart, FCR, 1, 0x41);
    rig_write(a->uart, LCR, 1, 0x83);
    rig_write(a->uart, DLL, 1, 0x16);
    rig_write(a->uart, DLM, 1, 0x17);
    rig_write(a->uart, LCR, 1, 0x03);
    rig_write(a->uart, SCR, 1, 0x5A);
    rig_write(a->uart, MCR, 1, RTS | OUT2);
    rig_write(a->uart, IER, 1, ERBFI);
    memcpy(a->mock.in, "abc", 3);
    a->mock.in_tail = 3;
    chardev_notify(&a->mock.dev, CHARDEV_RX);
    CHECK_EQ('a', rig_read(a->uart, RBR, 1));
    a->mock.out_limit = b->mock.out_limit = 0;
    rig_write(a->uart, THR, 1, 'x');
    rig_write(a->uart, THR, 1, 'y');
    board_copy(a, b);
    CHECK_EQ(IIR_FIFOS | IIR_CTI, rig_read(b->uart, IIR, 1));
    CHECK_EQ(DR, rig_read(b->uart, LSR, 1));
    CHECK_EQ(0x5A, rig_read(b->uart, SCR, 1));
    CHECK_EQ(RTS | OUT2, rig_read(b->uart, MCR, 1));
    CHECK_EQ(0x03, rig_read(b->uart, LCR, 1));
    CHECK_EQ(ERBFI, rig_read(b->uart, IER, 1));
    CHECK_EQ('b', rig_read(b->uart, RBR, 1));
    CHECK_EQ('c', rig_read(b->uart, RBR, 1));
    b->mock.out_limit = MOCK_SIZE;
    chardev_notify(&b->mock.dev, CHARDEV_TX);
    CHECK(b->mock.out_len == 2 && !memcmp(b->mock.out, "xy", 2));
    rig_write(b->uart, LCR, 1, 0x83);
    CHECK_EQ(0x16, rig_read(b->uart, DLL, 1));
    CHECK_EQ(0x17, rig_read(b->uart, DLM, 1));
    board_down(a);
    board_down(b);
}

/* A byte that switching the FIFOs on threw away, and that is to come once more. */
TEST(uart_held_byte)
{
    board_t *a = board_up(), *b = board_up();
    rig_write(a->uart, IER, 1, ERBFI);
    a->mock.in[0] = 'h';
    a->mock.in_tail = 1;
    chardev_notify(&a->mock.dev, CHARDEV_RX);
    rig_write(a->uart, FCR, 1, 1);
    board_copy(a, b);
    CHECK_EQ(0, rig_read(b->uart, LSR, 1) & DR);
    b->uart->type->update(b->uart);
    CHECK_EQ(DR, rig_read(b->uart, LSR, 1) & DR);
    CHECK_EQ('h', rig_read(b->uart, RBR, 1));
    board_down(a);
    board_down(b);
}

TEST(uart_interrupt_line)
{
    board_t *a = board_up(), *b = board_up();
    rig_write(a->plic, 4 * UART_IRQ, 4, 1);
    rig_write(a->plic, 0x2080, 4, 1 << UART_IRQ);
    rig_write(a->uart, IER, 1, ETBEI);
    CHECK(rig_line(&a->host, 0, IRQ_HOST_SEIP));
    board_copy(a, b);
    CHECK(rig_line(&b->host, 0, IRQ_HOST_SEIP));
    CHECK_EQ(UART_IRQ, rig_read(b->plic, 0x201004, 4));
    CHECK_EQ(IIR_THRE, rig_read(b->uart, IIR, 1));
    rig_write(b->plic, 0x201004, 4, UART_IRQ);
    CHECK(!rig_line(&b->host, 0, IRQ_HOST_SEIP)); /* the line went down with the read of IIR */
    board_down(a);
    board_down(b);
}

TEST(rtc)
{
    board_t *a = board_up(), *b = board_up();
    rig_write(a->rtc, 0x04, 4, 7);
    rig_write(a->rtc, 0x00, 4, 9);
    rig_write(a->rtc, 0x0C, 4, 7);
    rig_write(a->rtc, 0x08, 4, 100);
    rig_write(a->rtc, 0x10, 4, 1);
    board_copy(a, b);
    CHECK_EQ(9, rig_read(b->rtc, 0x00, 4));
    CHECK_EQ(7, rig_read(b->rtc, 0x04, 4));
    CHECK_EQ(100, rig_read(b->rtc, 0x08, 4));
    CHECK_EQ(1, rig_read(b->rtc, 0x18, 4));
    CHECK_EQ(1, rig_read(b->rtc, 0x10, 4));
    b->host.wall_ns = 91;
    b->rtc->type->update(b->rtc);
    CHECK_EQ(0, rig_read(b->rtc, 0x18, 4));
    CHECK_EQ(1 << 1, rig_read(b->plic, 0x1000, 4)); /* the first free line */
    board_down(a);
    board_down(b);
}

/* Whatever a snapshot holds, the devices stay inside their arrays. */
TEST(damaged)
{
    static const char *const sections[] = {"riscv-plic", "riscv-clint", "rtc-goldfish", "serial-ns16550a"};
    board_t *board = board_up();
    rvvm_blk_dev_t *blk = rvkit_blk_open_memory();
    rvvm_snapshot_t *snap = rvvm_snapshot_open(blk, true);
    uint8_t junk[1024];
    memset(junk, 0xFF, sizeof(junk));
    for (unsigned i = 0; i < ARRAY_LEN(sections); i++) {
        CHECK(rvvm_snapshot_section(snap, sections[i]));
        CHECK(rvvm_snapshot_data(snap, junk, sizeof(junk)));
    }
    CHECK(rvvm_snapshot_close(snap));
    snap = rvvm_snapshot_open(blk, false);
    rvkit_snapshot_devices(board->machine, snap, true);
    rvvm_snapshot_close(snap);
    rvvm_blk_close(blk);
    CHECK_EQ(0, rig_read(board->plic, 0, 4));
    CHECK_EQ(7, rig_read(board->plic, 4 * 63, 4));
    rig_write(board->uart, LCR, 1, 0);
    rig_write(board->uart, MCR, 1, 0);
    for (unsigned i = 0; i < 40; i++) {
        rig_write(board->uart, THR, 1, 'x');
        rig_read(board->uart, LSR, 1);
        rig_read(board->uart, RBR, 1);
    }
    CHECK_EQ(0, rig_read(board->uart, LSR, 1) & DR);
    CHECK_EQ(0x0F, rig_read(board->uart, IER, 1));
    board_down(board);
}

int main(void)
{
    PROVE(plic, "PLIC: priorities, enables, thresholds, requests pending, claimed and kept");
    PROVE(clint, "CLINT: MSIP, mtimecmp, mtime");
    PROVE(uart, "NS16550A: registers, both FIFOs, divisor");
    PROVE(uart_held_byte, "NS16550A: the byte that came before the FIFOs were on");
    PROVE(uart_interrupt_line, "NS16550A and PLIC together: an interrupt under way arrives once");
    PROVE(rtc, "Goldfish RTC: clock difference, alarm, enables");
    PROVE(damaged, "damaged state is brought into range");
    return rig_finish("snapshots");
}
