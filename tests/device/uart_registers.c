/* SPDX-License-Identifier: MPL-2.0 */
/* The UART's registers, FIFOs and loop. */
#include "uart_rig.h"

TEST(scratch)
{
    uart_rig_t *rig = uart_up();
    for (unsigned val = 0; val < 256; val++) {
        wr(rig, SCR, val);
        CHECK_EQ(val, rd(rig, SCR));
    }
    uart_down(rig);
}

TEST(divisor_latch)
{
    uart_rig_t *rig = uart_up();
    wr(rig, LCR, 0x83);
    CHECK_EQ(0x83, rd(rig, LCR));
    wr(rig, DLL, 0x15);
    wr(rig, DLM, 0xA2);
    CHECK_EQ(0x15, rd(rig, DLL));
    CHECK_EQ(0xA2, rd(rig, DLM));
    CHECK_EQ(0, rig->mock.out_len);
    CHECK(!irq(rig));
    wr(rig, LCR, 0x03);
    CHECK_EQ(0, rd(rig, IER));
    wr(rig, IER, ELSI);
    wr(rig, THR, 'x');
    CHECK(sent(rig, "x"));
    wr(rig, LCR, 0x80);
    CHECK_EQ(0x15, rd(rig, DLL));
    CHECK_EQ(0xA2, rd(rig, DLM));
    wr(rig, LCR, 0);
    CHECK_EQ(ELSI, rd(rig, IER));
    uart_down(rig);
}

TEST(divisor_hides_data)
{
    uart_rig_t *rig = uart_up();
    wr(rig, IER, ERBFI);
    send(rig, "k");
    wr(rig, LCR, 0x80);
    CHECK_EQ(0, rd(rig, DLL));
    CHECK_EQ(DR, rd(rig, LSR) & DR); /* nothing was taken */
    wr(rig, LCR, 0);
    CHECK_EQ('k', rd(rig, RBR));
    uart_down(rig);
}

TEST(mcr_bits)
{
    uart_rig_t *rig = uart_up();
    wr(rig, MCR, 0xFF);
    CHECK_EQ(0x1F, rd(rig, MCR));
    wr(rig, MCR, DTR | OUT2);
    CHECK_EQ(DTR | OUT2, rd(rig, MCR));
    uart_down(rig);
}

TEST(iir_fifo_bits)
{
    uart_rig_t *rig = uart_up();
    CHECK_EQ(0x01, rd(rig, IIR));
    wr(rig, FCR, 0x01);
    CHECK_EQ(0xC1, rd(rig, IIR));
    wr(rig, LCR, 0x80);
    wr(rig, FCR, 0x21); /* a 16750 would report 64 bytes */
    CHECK_EQ(0xC1, rd(rig, IIR));
    wr(rig, LCR, 0);
    wr(rig, FCR, 0x00);
    CHECK_EQ(0x01, rd(rig, IIR));
    uart_down(rig);
}

TEST(fcr_needs_enable)
{
    uart_rig_t *rig = uart_up();
    wr(rig, FCR, 0xC0); /* a trigger level without the enable bit */
    wr(rig, FCR, 0x01);
    wr(rig, IER, ERBFI);
    send(rig, "a");
    CHECK_EQ(IIR_FIFOS | IIR_RDA, rd(rig, IIR));
    uart_down(rig);
}

TEST(fifo_depth)
{
    uart_rig_t *rig = uart_up();
    wr(rig, IER, ERBFI);
    send(rig, "abcdefghijklmnopqrstuvwxyz");
    CHECK_EQ(1, rig->mock.in_head); /* character mode holds one */
    wr(rig, IER, 0);
    CHECK_EQ('a', rd(rig, RBR));
    wr(rig, FCR, 1);
    wr(rig, IER, ERBFI);
    CHECK_EQ(17, rig->mock.in_head);
    uart_down(rig);
}

TEST(clear_receive_fifo)
{
    uart_rig_t *rig = uart_up();
    fifos(rig, 8);
    send(rig, "gone");
    wr(rig, FCR, 0x01 | 0x02);
    CHECK_EQ(0, rd(rig, LSR) & DR);
    CHECK(!irq(rig));
    CHECK_EQ(IIR_FIFOS | IIR_NONE, rd(rig, IIR));
    send(rig, "x");
    CHECK_EQ('x', rd(rig, RBR)); /* the bit clears itself */
    send(rig, "y");
    CHECK_EQ(DR, rd(rig, LSR) & DR);
    uart_down(rig);
}

TEST(clear_transmit_fifo)
{
    uart_rig_t *rig = uart_up();
    wr(rig, FCR, 1);
    wr(rig, IER, ETBEI);
    rd(rig, IIR);
    rig->mock.out_limit = 0;
    wr(rig, THR, 'a');
    wr(rig, THR, 'b');
    wr(rig, FCR, 0x01 | 0x02); /* the other FIFO's bit */
    CHECK_EQ(0, rd(rig, LSR) & THRE);
    wr(rig, FCR, 0x01 | 0x04);
    CHECK_EQ(THRE | TEMT, rd(rig, LSR) & (THRE | TEMT));
    CHECK(irq(rig));
    rig->mock.out_limit = MOCK_SIZE;
    chardev_notify(&rig->mock.dev, CHARDEV_TX);
    CHECK_EQ(0, rig->mock.out_len);
    uart_down(rig);
}

TEST(clear_keeps_other)
{
    uart_rig_t *rig = uart_up();
    fifos(rig, 1);
    send(rig, "kept");
    wr(rig, FCR, 0x01 | 0x04);
    CHECK_EQ('k', rd(rig, RBR));
    wr(rig, FCR, 0x01); /* writing the same enable bit clears nothing */
    CHECK_EQ('e', rd(rig, RBR));
    uart_down(rig);
}

TEST(toggle_clears_both)
{
    for (unsigned on = 0; on < 2; on++) {
        uart_rig_t *rig = uart_up();
        wr(rig, FCR, !on);
        wr(rig, IER, ERBFI);
        send(rig, "r");
        rig->mock.out_limit = 0;
        wr(rig, THR, 't');
        wr(rig, FCR, on);
        CHECK_EQ(THRE | TEMT, rd(rig, LSR));
        uart_down(rig);
    }
}

TEST(transmit_overflow)
{
    uart_rig_t *rig = uart_up();
    wr(rig, FCR, 1);
    rig->mock.out_limit = 0;
    for (unsigned i = 0; i < 17; i++) {
        wr(rig, THR, 'a' + i);
    }
    rig->mock.out_limit = MOCK_SIZE;
    chardev_notify(&rig->mock.dev, CHARDEV_TX);
    CHECK(sent(rig, "abcdefghijklmnop"));
    uart_down(rig);
}

TEST(loop_data)
{
    uart_rig_t *rig = uart_up();
    wr(rig, FCR, 1);
    wr(rig, MCR, LOOP);
    wr(rig, THR, 'l');
    wr(rig, THR, 'b');
    CHECK_EQ(DR | THRE | TEMT, rd(rig, LSR));
    CHECK_EQ('l', rd(rig, RBR));
    CHECK_EQ('b', rd(rig, RBR));
    CHECK_EQ(0, rig->mock.out_len);
    wr(rig, MCR, 0);
    wr(rig, THR, 'o');
    CHECK(sent(rig, "o"));
    uart_down(rig);
}

TEST(loop_cuts_off_line)
{
    uart_rig_t *rig = uart_up();
    fifos(rig, 1);
    wr(rig, MCR, LOOP);
    send(rig, "w");
    update(rig);
    CHECK_EQ(0, rd(rig, LSR) & DR);
    wr(rig, MCR, 0); /* the byte has waited */
    CHECK_EQ(DR, rd(rig, LSR) & DR);
    CHECK_EQ('w', rd(rig, RBR));
    uart_down(rig);
}

TEST(loop_modem_lines)
{
    static const struct {
        unsigned mcr, msr;
    } map[] = {{DTR, DSR}, {RTS, CTS}, {OUT1, RI}, {OUT2, DCD}, {0, 0}, {RTS | OUT2, CTS | DCD}};
    uart_rig_t *rig = uart_up();
    for (unsigned i = 0; i < ARRAY_LEN(map); i++) {
        wr(rig, MCR, LOOP | map[i].mcr);
        CHECK_EQ(map[i].msr, rd(rig, MSR) & 0xF0);
    }
    wr(rig, MCR, RTS);
    CHECK_EQ(CTS | DSR | DCD, rd(rig, MSR) & 0xF0);
    uart_down(rig);
}

TEST(modem_deltas)
{
    static const struct {
        unsigned from, to, delta;
    } steps[] = {
        {0, RTS, DCTS},  {RTS, 0, DCTS},     {0, DTR, DDSR},   {DTR, 0, DDSR},
        {0, OUT2, DDCD}, {OUT2, 0, DDCD},    {0, OUT1, 0},     {OUT1, 0, TERI},
        {RTS, RTS, 0},   {0, RTS | DTR, DCTS | DDSR},
    };
    for (unsigned i = 0; i < ARRAY_LEN(steps); i++) {
        uart_rig_t *rig = uart_up();
        wr(rig, MCR, LOOP | steps[i].from);
        rd(rig, MSR);
        wr(rig, MCR, LOOP | steps[i].to);
        CHECK_EQ(steps[i].delta, rd(rig, MSR) & 0x0F);
        CHECK_EQ(0, rd(rig, MSR) & 0x0F); /* reading cleared them */
        uart_down(rig);
    }
}

TEST(modem_deltas_add_up)
{
    uart_rig_t *rig = uart_up();
    wr(rig, MCR, LOOP | RTS | DTR | OUT2);
    wr(rig, MCR, LOOP | DTR | OUT2);
    wr(rig, MCR, LOOP | OUT2);
    CHECK_EQ(DCD | DCTS | DDSR, rd(rig, MSR));
    uart_down(rig);
}

TEST(break_in_loop)
{
    uart_rig_t *rig = uart_up();
    wr(rig, FCR, 1);
    wr(rig, IER, ELSI);
    wr(rig, MCR, LOOP);
    wr(rig, THR, 'a');
    wr(rig, LCR, 0x43);
    wr(rig, LCR, 0x43); /* one break is one character */
    wr(rig, LCR, 0x03);
    wr(rig, THR, 'b');
    CHECK(!irq(rig)); /* the error shows with its byte */
    CHECK_EQ(FIFOE | DR, rd(rig, LSR) & (FIFOE | DR | BI | FE));
    CHECK_EQ('a', rd(rig, RBR));
    CHECK(irq(rig));
    CHECK_EQ(IIR_FIFOS | IIR_RLS, rd(rig, IIR));
    CHECK_EQ(FIFOE | BI | FE | DR, rd(rig, LSR) & (FIFOE | BI | FE | PE | DR));
    CHECK(!irq(rig));
    CHECK_EQ(DR, rd(rig, LSR) & (FIFOE | BI | FE | DR)); /* reading LSR cleared them */
    CHECK_EQ(0, rd(rig, RBR));
    CHECK_EQ(DR, rd(rig, LSR) & (FIFOE | BI | FE | DR));
    CHECK_EQ('b', rd(rig, RBR));
    CHECK_EQ(0, rd(rig, LSR) & DR);
    uart_down(rig);
}

TEST(break_outside_loop)
{
    uart_rig_t *rig = uart_up();
    wr(rig, LCR, 0x43);
    CHECK_EQ(THRE | TEMT, rd(rig, LSR));
    wr(rig, LCR, 0x03);
    CHECK_EQ(0, rig->mock.out_len);
    uart_down(rig);
}

TEST(error_bit_in_character_mode)
{
    uart_rig_t *rig = uart_up();
    wr(rig, MCR, LOOP);
    wr(rig, LCR, 0x40);
    CHECK_EQ(BI | FE | DR, rd(rig, LSR) & (FIFOE | BI | FE | DR));
    uart_down(rig);
}

TEST(overrun)
{
    uart_rig_t *rig = uart_up();
    wr(rig, MCR, LOOP);
    wr(rig, THR, '1');
    CHECK_EQ(0, rd(rig, LSR) & OE);
    wr(rig, THR, '2');
    CHECK_EQ(OE | DR, rd(rig, LSR) & (OE | DR));
    CHECK_EQ(DR, rd(rig, LSR) & (OE | DR));
    wr(rig, FCR, 1);
    for (unsigned i = 0; i < 16; i++) {
        wr(rig, THR, 'a' + i);
    }
    CHECK_EQ(0, rd(rig, LSR) & OE);
    wr(rig, THR, 'z');
    CHECK_EQ(OE, rd(rig, LSR) & OE);
    for (unsigned i = 0; i < 16; i++) {
        CHECK_EQ('a' + i, rd(rig, RBR)); /* what was in the FIFO stays */
    }
    CHECK_EQ(0, rd(rig, LSR) & DR);
    uart_down(rig);
}

/* As Linux's autoconfig() looks for a UART: RTS and OUT2 through the loop. */
TEST(linux_loop_test)
{
    uart_rig_t *rig = uart_up();
    wr(rig, IER, 0);
    CHECK_EQ(0, rd(rig, IER));
    wr(rig, IER, 0x0F);
    CHECK_EQ(0x0F, rd(rig, IER));
    wr(rig, IER, 0);
    wr(rig, MCR, LOOP | 0x0A);
    CHECK_EQ(0x90, rd(rig, MSR) & 0xF0);
    wr(rig, MCR, 0);
    uart_down(rig);
}

TEST(unused_offsets)
{
    uart_rig_t *rig = uart_up();
    for (unsigned offset = 8; offset < 0x1000; offset++) {
        wr(rig, offset, 0xFF);
        CHECK_EQ(0, rd(rig, offset));
    }
    CHECK_EQ(0, rig->mock.out_len);
    wr(rig, LSR, 0);
    wr(rig, MSR, 0);
    CHECK_EQ(THRE | TEMT, rd(rig, LSR));
    CHECK_EQ(CTS | DSR | DCD, rd(rig, MSR));
    uart_down(rig);
}

TEST(reset_clears)
{
    uart_rig_t *rig = uart_up();
    wr(rig, FCR, 0xC1);
    wr(rig, IER, 0x0F);
    wr(rig, MCR, LOOP | RTS);
    wr(rig, SCR, 9);
    wr(rig, THR, 'x');
    wr(rig, LCR, 0x83);
    wr(rig, DLL, 7);
    CHECK(irq(rig));
    rig->dev->type->reset(rig->dev);
    CHECK(!irq(rig));
    CHECK_EQ(IIR_NONE, rd(rig, IIR));
    CHECK_EQ(THRE | TEMT, rd(rig, LSR));
    CHECK_EQ(CTS | DSR | DCD, rd(rig, MSR));
    CHECK_EQ(0, rd(rig, LCR) | rd(rig, MCR) | rd(rig, IER) | rd(rig, SCR));
    wr(rig, LCR, 0x80);
    CHECK_EQ(0, rd(rig, DLL));
    uart_down(rig);
}

TEST(fdt_node)
{
    uart_rig_t *rig = uart_up();
    rvvm_fdt_node_t *node = rvvm_fdt_find_reg(rvvm_get_fdt_soc(rig->machine), "uart", 0x10000000);
    CHECK(node != NULL);
    CHECK(rig_fdt_str(node, "compatible", "ns16550a"));
    CHECK_EQ(0x10000000, rig_fdt_cell(node, "reg", 1));
    CHECK_EQ(40000000, rig_fdt_cell(node, "clock-frequency", 0));
    CHECK_EQ(16, rig_fdt_cell(node, "fifo-size", 0));
    CHECK_EQ(0, rig_fdt_cell(node, "reg-shift", 0));
    CHECK_EQ(UART_IRQ, rig_fdt_cell(node, "interrupts", 0));
    uart_down(rig);
}

int main(void)
{
    PROVE(scratch, "SCR keeps any byte");
    PROVE(divisor_latch, "DLAB shows the divisor in place of THR and IER, and nothing else happens");
    PROVE(divisor_hides_data, "reading the divisor takes no received byte");
    PROVE(mcr_bits, "MCR has five bits");
    PROVE(iir_fifo_bits, "IIR bits 6 and 7 tell the FIFOs; there are no 64-byte ones");
    PROVE(fcr_needs_enable, "FCR bits count only together with the enable bit");
    PROVE(fifo_depth, "the receiver holds 1 byte, with FIFOs 16");
    PROVE(clear_receive_fifo, "FCR bit 1 empties the receive FIFO and clears itself");
    PROVE(clear_transmit_fifo, "FCR bit 2 empties the transmit FIFO and sets THRE");
    PROVE(clear_keeps_other, "clearing one FIFO keeps the other; the same enable bit clears none");
    PROVE(toggle_clears_both, "switching the FIFOs on or off empties both");
    PROVE(transmit_overflow, "a byte for a full transmit FIFO is the one that is lost");
    PROVE(loop_data, "the loop brings sent bytes back, and none outside");
    PROVE(loop_cuts_off_line, "input from outside waits while the loop is closed");
    PROVE(loop_modem_lines, "the loop shows DTR, RTS, OUT1, OUT2 as DSR, CTS, RI, DCD");
    PROVE(modem_deltas, "deltas: CTS, DSR, DCD both ways, RI at its end only; MSR reads clear them");
    PROVE(modem_deltas_add_up, "deltas add up until MSR is read");
    PROVE(break_in_loop, "a break is one zero byte; its BI and FE show when it is next, until LSR is read");
    PROVE(break_outside_loop, "a break sends nothing");
    PROVE(error_bit_in_character_mode, "LSR bit 7 is 0 without FIFOs");
    PROVE(overrun, "OE when a full receiver gets a byte, cleared by reading LSR; older bytes stay");
    PROVE(linux_loop_test, "Linux's autoconfig finds IER and the loop");
    PROVE(unused_offsets, "offsets past 7 read as 0; LSR and MSR are read only");
    PROVE(reset_clears, "reset brings back the first state, interrupt line included");
    PROVE(fdt_node, "the FDT node tells place, clock, FIFO and interrupt");
    return rig_finish("ns16550a: registers, FIFOs, loop");
}
