/* SPDX-License-Identifier: MPL-2.0 */
/* The UART's interrupts: which there are, what sets and what clears them, and their order. */
#include "uart_rig.h"

TEST(none_after_reset)
{
    uart_rig_t *rig = uart_up();
    CHECK(!irq(rig));
    CHECK_EQ(IIR_NONE, rd(rig, IIR));
    CHECK_EQ(THRE | TEMT, rd(rig, LSR));
    CHECK_EQ(CTS | DSR | DCD, rd(rig, MSR));
    for (unsigned reg = 0; reg < 8; reg++) {
        if (reg != IIR && reg != LSR && reg != MSR) {
            CHECK_EQ(0, rd(rig, reg));
        }
    }
    uart_down(rig);
}

TEST(thre_on_enable)
{
    uart_rig_t *rig = uart_up();
    wr(rig, IER, ETBEI);
    CHECK(irq(rig));
    CHECK_EQ(IIR_THRE, rd(rig, IIR));
    uart_down(rig);
}

TEST(thre_cleared_by_iir)
{
    uart_rig_t *rig = uart_up();
    wr(rig, IER, ETBEI);
    CHECK_EQ(IIR_THRE, rd(rig, IIR));
    CHECK(!irq(rig));
    CHECK_EQ(IIR_NONE, rd(rig, IIR));
    CHECK_EQ(THRE | TEMT, rd(rig, LSR)); /* the status bit stays */
    uart_down(rig);
}

TEST(thre_kept_behind_others)
{
    uart_rig_t *rig = uart_up();
    wr(rig, IER, ETBEI | ERBFI);
    send(rig, "x");
    CHECK_EQ(IIR_RDA, rd(rig, IIR)); /* reading another source does not answer THRE */
    CHECK_EQ('x', rd(rig, RBR));
    CHECK(irq(rig));
    CHECK_EQ(IIR_THRE, rd(rig, IIR));
    CHECK(!irq(rig));
    uart_down(rig);
}

TEST(thre_cleared_by_thr)
{
    uart_rig_t *rig = uart_up();
    rig->mock.out_limit = 0; /* the line is busy, so THR stays full */
    wr(rig, IER, ETBEI);
    CHECK(irq(rig));
    wr(rig, THR, 'a');
    CHECK(!irq(rig));
    CHECK_EQ(IIR_NONE, rd(rig, IIR));
    CHECK_EQ(0, rd(rig, LSR) & (THRE | TEMT));
    uart_down(rig);
}

/* Some drivers never read IIR: they have seen THRE in LSR often enough. */
TEST(thre_seen_in_lsr)
{
    uart_rig_t *rig = uart_up();
    wr(rig, IER, ETBEI | ERBFI);
    for (unsigned i = 0; i < 16; i++) {
        CHECK(irq(rig));
        CHECK_EQ(THRE | TEMT, rd(rig, LSR));
    }
    CHECK(!irq(rig));
    CHECK_EQ(IIR_NONE, rd(rig, IIR));
    wr(rig, THR, 'a');
    CHECK(irq(rig)); /* the next one is as good as the first */
    send(rig, "x");
    for (unsigned i = 0; i < 20; i++) {
        CHECK_EQ(DR | THRE | TEMT, rd(rig, LSR)); /* that was about input */
    }
    CHECK_EQ('x', rd(rig, RBR));
    CHECK(irq(rig));
    CHECK_EQ(IIR_THRE, rd(rig, IIR));
    uart_down(rig);
}

TEST(thre_when_sent)
{
    uart_rig_t *rig = uart_up();
    wr(rig, IER, ETBEI);
    CHECK_EQ(IIR_THRE, rd(rig, IIR));
    rig->mock.out_limit = 0;
    wr(rig, THR, 'a');
    CHECK(!irq(rig));
    rig->mock.out_limit = 1;
    chardev_notify(&rig->mock.dev, CHARDEV_TX);
    CHECK(irq(rig));
    CHECK_EQ(THRE | TEMT, rd(rig, LSR));
    CHECK_EQ(IIR_THRE, rd(rig, IIR));
    CHECK(sent(rig, "a"));
    uart_down(rig);
}

TEST(thre_at_once)
{
    uart_rig_t *rig = uart_up();
    wr(rig, IER, ETBEI);
    CHECK_EQ(IIR_THRE, rd(rig, IIR));
    wr(rig, THR, 'a'); /* the line takes it at once */
    CHECK(irq(rig));
    CHECK_EQ(IIR_THRE, rd(rig, IIR));
    CHECK(!irq(rig));
    uart_down(rig);
}

TEST(thre_again_on_enable)
{
    uart_rig_t *rig = uart_up();
    wr(rig, IER, ETBEI);
    CHECK_EQ(IIR_THRE, rd(rig, IIR));
    wr(rig, IER, ETBEI); /* no change of the bit */
    CHECK(!irq(rig));
    wr(rig, IER, 0);
    wr(rig, IER, ETBEI);
    CHECK(irq(rig));
    CHECK_EQ(IIR_THRE, rd(rig, IIR));
    uart_down(rig);
}

TEST(thre_not_on_enable_when_busy)
{
    uart_rig_t *rig = uart_up();
    rig->mock.out_limit = 0;
    wr(rig, THR, 'a');
    wr(rig, IER, ETBEI);
    CHECK(!irq(rig));
    CHECK_EQ(IIR_NONE, rd(rig, IIR));
    uart_down(rig);
}

TEST(thre_masked)
{
    uart_rig_t *rig = uart_up();
    wr(rig, IER, ETBEI);
    CHECK(irq(rig));
    wr(rig, IER, 0);
    CHECK(!irq(rig));
    CHECK_EQ(IIR_NONE, rd(rig, IIR));
    uart_down(rig);
}

TEST(thre_fifo_empty_only)
{
    uart_rig_t *rig = uart_up();
    fifos(rig, 1);
    wr(rig, IER, ETBEI);
    CHECK_EQ(IIR_FIFOS | IIR_THRE, rd(rig, IIR));
    rig->mock.out_limit = 0;
    wr(rig, THR, 'a');
    wr(rig, THR, 'b');
    rig->mock.out_limit = 1;
    chardev_notify(&rig->mock.dev, CHARDEV_TX);
    CHECK(!irq(rig)); /* one byte is left */
    CHECK_EQ(0, rd(rig, LSR) & (THRE | TEMT));
    rig->mock.out_limit = 2;
    chardev_notify(&rig->mock.dev, CHARDEV_TX);
    CHECK(irq(rig));
    CHECK(sent(rig, "ab"));
    uart_down(rig);
}

TEST(rda_character_mode)
{
    uart_rig_t *rig = uart_up();
    wr(rig, IER, ERBFI);
    CHECK(!irq(rig));
    send(rig, "q");
    CHECK(irq(rig));
    CHECK_EQ(IIR_RDA, rd(rig, IIR));
    CHECK_EQ(IIR_RDA, rd(rig, IIR)); /* reading IIR does not clear it */
    CHECK_EQ(DR | THRE | TEMT, rd(rig, LSR));
    CHECK(irq(rig));
    CHECK_EQ('q', rd(rig, RBR));
    CHECK(!irq(rig));
    CHECK_EQ(IIR_NONE, rd(rig, IIR));
    CHECK_EQ(0, rd(rig, LSR) & DR);
    uart_down(rig);
}

TEST(rda_masked)
{
    uart_rig_t *rig = uart_up();
    wr(rig, IER, ERBFI);
    send(rig, "q");
    wr(rig, IER, 0);
    CHECK(!irq(rig));
    CHECK_EQ(IIR_NONE, rd(rig, IIR));
    CHECK_EQ(DR, rd(rig, LSR) & DR); /* the byte stays */
    wr(rig, IER, ERBFI);
    CHECK(irq(rig));
    CHECK_EQ('q', rd(rig, RBR));
    uart_down(rig);
}

TEST(trigger_levels)
{
    static const unsigned levels[] = {1, 4, 8, 14};
    for (unsigned i = 0; i < ARRAY_LEN(levels); i++) {
        uart_rig_t *rig = uart_up();
        fifos(rig, levels[i]);
        for (unsigned n = 1; n <= 16; n++) {
            send(rig, "z");
            CHECK_EQ(IIR_FIFOS | (n >= levels[i] ? IIR_RDA : IIR_CTI), rd(rig, IIR));
            CHECK(irq(rig));
        }
        for (unsigned n = 15; n > 0; n--) {
            CHECK_EQ('z', rd(rig, RBR));
            CHECK_EQ(IIR_FIFOS | (n >= levels[i] ? IIR_RDA : IIR_CTI), rd(rig, IIR));
        }
        CHECK_EQ('z', rd(rig, RBR));
        CHECK_EQ(IIR_FIFOS | IIR_NONE, rd(rig, IIR));
        CHECK(!irq(rig));
        uart_down(rig);
    }
}

TEST(timeout_cleared_by_reading)
{
    uart_rig_t *rig = uart_up();
    fifos(rig, 8);
    send(rig, "ab");
    CHECK_EQ(IIR_FIFOS | IIR_CTI, rd(rig, IIR));
    CHECK(irq(rig));
    CHECK_EQ('a', rd(rig, RBR));
    CHECK_EQ('b', rd(rig, RBR));
    CHECK(!irq(rig));
    CHECK_EQ(IIR_FIFOS | IIR_NONE, rd(rig, IIR));
    uart_down(rig);
}

/* Overruns the receiver, which only the loop can do. */
static void overrun(uart_rig_t *rig)
{
    wr(rig, MCR, LOOP);
    for (unsigned i = 0; i < 17; i++) {
        wr(rig, THR, 'A' + i);
    }
}

TEST(line_status_interrupt)
{
    uart_rig_t *rig = uart_up();
    wr(rig, FCR, 1);
    wr(rig, IER, ELSI);
    overrun(rig);
    CHECK(irq(rig));
    CHECK_EQ(IIR_FIFOS | IIR_RLS, rd(rig, IIR));
    CHECK_EQ(IIR_FIFOS | IIR_RLS, rd(rig, IIR)); /* reading IIR does not clear it */
    CHECK_EQ(OE | DR, rd(rig, LSR) & (OE | DR | FIFOE));
    CHECK(!irq(rig));
    CHECK_EQ(IIR_FIFOS | IIR_NONE, rd(rig, IIR));
    CHECK_EQ(DR, rd(rig, LSR) & (OE | DR));
    uart_down(rig);
}

TEST(line_status_masked)
{
    uart_rig_t *rig = uart_up();
    wr(rig, FCR, 1);
    overrun(rig);
    CHECK(!irq(rig));
    wr(rig, IER, ELSI);
    CHECK(irq(rig));
    uart_down(rig);
}

TEST(modem_interrupt)
{
    uart_rig_t *rig = uart_up();
    wr(rig, IER, EDSSI);
    CHECK(!irq(rig));
    wr(rig, MCR, LOOP | RTS | DTR | OUT2); /* the lines as they are outside: no change */
    CHECK(!irq(rig));
    wr(rig, MCR, LOOP | RTS | DTR);
    CHECK(irq(rig));
    CHECK_EQ(IIR_MSR, rd(rig, IIR));
    CHECK_EQ(IIR_MSR, rd(rig, IIR));
    CHECK_EQ(CTS | DSR | DDCD, rd(rig, MSR));
    CHECK(!irq(rig));
    CHECK_EQ(IIR_NONE, rd(rig, IIR));
    CHECK_EQ(CTS | DSR, rd(rig, MSR));
    uart_down(rig);
}

TEST(modem_masked)
{
    uart_rig_t *rig = uart_up();
    wr(rig, MCR, LOOP);
    CHECK(!irq(rig));
    CHECK_EQ(IIR_NONE, rd(rig, IIR));
    wr(rig, IER, EDSSI);
    CHECK(irq(rig));
    uart_down(rig);
}

TEST(priority_order)
{
    uart_rig_t *rig = uart_up();
    wr(rig, FCR, 1 | 0xC0);
    overrun(rig); /* line status, 16 bytes, THRE, and changed modem lines */
    wr(rig, IER, ERBFI | ETBEI | ELSI | EDSSI);
    CHECK_EQ(IIR_FIFOS | IIR_RLS, rd(rig, IIR));
    rd(rig, LSR);
    CHECK_EQ(IIR_FIFOS | IIR_RDA, rd(rig, IIR));
    for (unsigned i = 0; i < 3; i++) {
        CHECK_EQ('A' + i, rd(rig, RBR));
    }
    CHECK_EQ(IIR_FIFOS | IIR_CTI, rd(rig, IIR));
    for (unsigned i = 3; i < 16; i++) {
        CHECK_EQ('A' + i, rd(rig, RBR));
    }
    CHECK_EQ(IIR_FIFOS | IIR_THRE, rd(rig, IIR));
    CHECK_EQ(IIR_FIFOS | IIR_MSR, rd(rig, IIR));
    CHECK(irq(rig));
    rd(rig, MSR);
    CHECK_EQ(IIR_FIFOS | IIR_NONE, rd(rig, IIR));
    CHECK(!irq(rig));
    uart_down(rig);
}

TEST(ier_bits)
{
    uart_rig_t *rig = uart_up();
    wr(rig, IER, 0xFF);
    CHECK_EQ(0x0F, rd(rig, IER));
    wr(rig, IER, 0x05);
    CHECK_EQ(0x05, rd(rig, IER));
    uart_down(rig);
}

TEST(level_not_edge)
{
    uart_rig_t *rig = uart_up();
    wr(rig, IER, ETBEI | ERBFI);
    CHECK_EQ(1, rig->intc.rising);
    send(rig, "x"); /* a second source on a line that is high already */
    CHECK_EQ(1, rig->intc.rising);
    CHECK_EQ(IIR_RDA, rd(rig, IIR));
    rd(rig, RBR);
    CHECK(irq(rig)); /* THRE still holds it */
    CHECK_EQ(1, rig->intc.rising);
    uart_down(rig);
}

/* The sequences by which Linux's serial8250_do_startup() looks for broken transmit interrupts. */
TEST(linux_thre_tests)
{
    uart_rig_t *rig = uart_up();
    wr(rig, IER, ETBEI);
    uint8_t first = rd(rig, IIR);
    wr(rig, IER, 0);
    wr(rig, IER, ETBEI);
    uint8_t second = rd(rig, IIR);
    wr(rig, IER, 0);
    CHECK(!(first & IIR_NONE) && !(second & IIR_NONE)); /* else: UART_BUG_THRE */
    wr(rig, IER, ETBEI);
    uint8_t lsr = rd(rig, LSR), iir = rd(rig, IIR);
    wr(rig, IER, 0);
    CHECK(!((lsr & TEMT) && (iir & IIR_NONE))); /* else: UART_BUG_TXEN */
    uart_down(rig);
}

int main(void)
{
    PROVE(none_after_reset, "after reset: IIR 1, LSR 0x60, MSR 0xB0, all else 0, no interrupt");
    PROVE(thre_on_enable, "enabling ETBEI with THR empty sets the THRE interrupt");
    PROVE(thre_cleared_by_iir, "reading IIR while it reports THRE clears the interrupt, not LSR");
    PROVE(thre_kept_behind_others, "reading IIR while it reports another source keeps THRE");
    PROVE(thre_cleared_by_thr, "writing THR clears THRE");
    PROVE(thre_seen_in_lsr, "a driver that reads LSR 16 times and never IIR has seen THRE");
    PROVE(thre_when_sent, "THRE is set when a busy line has taken the byte");
    PROVE(thre_at_once, "THRE is set at once when the line takes the byte at once");
    PROVE(thre_again_on_enable, "ETBEI going 0 to 1 sets THRE again, rewriting 1 does not");
    PROVE(thre_not_on_enable_when_busy, "enabling ETBEI with THR full does not interrupt");
    PROVE(thre_masked, "ETBEI 0 hides THRE");
    PROVE(thre_fifo_empty_only, "with FIFOs, THRE means that the whole FIFO is empty");
    PROVE(rda_character_mode, "a received byte interrupts until RBR is read, not until IIR is");
    PROVE(rda_masked, "ERBFI 0 hides received data and keeps it");
    PROVE(trigger_levels, "RDA from 1, 4, 8 and 14 bytes on, a timeout below; both hold the line");
    PROVE(timeout_cleared_by_reading, "the character timeout goes when the FIFO is read");
    PROVE(line_status_interrupt, "an overrun interrupts until LSR is read, not until IIR is");
    PROVE(line_status_masked, "ELSI 0 hides line status and keeps it");
    PROVE(modem_interrupt, "a changed modem line interrupts until MSR is read, not until IIR is");
    PROVE(modem_masked, "EDSSI 0 hides modem status and keeps it");
    PROVE(priority_order, "IIR reports line status, data, timeout, THRE, modem, in this order");
    PROVE(ier_bits, "IER has four bits");
    PROVE(level_not_edge, "the line is a level: sources overlap without edges in between");
    PROVE(linux_thre_tests, "Linux finds neither UART_BUG_THRE nor UART_BUG_TXEN");
    return rig_finish("ns16550a: interrupts");
}
