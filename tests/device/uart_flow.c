/* SPDX-License-Identifier: MPL-2.0 */
/* The UART's flow of bytes: nothing is lost, nothing waits without need, and the guest keeps control. */
#include "uart_rig.h"

/* What an interrupt handler has moved; as Linux's serial8250_interrupt(). */
typedef struct {
    uint8_t in[MOCK_SIZE];
    size_t in_len;
    const uint8_t *out;
    size_t out_len;
    unsigned runs;
} driver_t;

static void driver_receive(uart_rig_t *rig, driver_t *drv)
{
    while ((rd(rig, LSR) & DR) && drv->in_len < sizeof(drv->in)) {
        drv->in[drv->in_len++] = rd(rig, RBR);
    }
}

static void driver_send(uart_rig_t *rig, driver_t *drv)
{
    for (unsigned i = 0; i < 16 && drv->out_len; i++) {
        wr(rig, THR, *drv->out++);
        drv->out_len--;
    }
    if (!drv->out_len) {
        wr(rig, IER, rd(rig, IER) & ~ETBEI);
    }
}

/* Runs while the line is high. */
static void driver_interrupt(uart_rig_t *rig, driver_t *drv)
{
    while (irq(rig) && drv->runs < 1000000) {
        drv->runs++;
        switch (rd(rig, IIR) & 0x0F) {
        case IIR_RDA:
        case IIR_CTI:
            driver_receive(rig, drv);
            break;
        case IIR_THRE:
            driver_send(rig, drv);
            break;
        default:
            break;
        }
    }
}

static driver_t *driver_new(void)
{
    driver_t *drv = calloc(1, sizeof(*drv));
    if (!drv) {
        abort();
    }
    return drv;
}

static void fill_pattern(uint8_t *data, size_t len)
{
    uint32_t x = 1;
    for (size_t i = 0; i < len; i++) {
        x = x * 1664525 + 1013904223;
        data[i] = (uint8_t)(x >> 24);
    }
}

static void give_pattern(uart_rig_t *rig, size_t len)
{
    fill_pattern(rig->mock.in, len);
    rig->mock.in_tail = len;
}

TEST(input_whole)
{
    uart_rig_t *rig = uart_up();
    driver_t *drv = driver_new();
    fifos(rig, 8);
    give_pattern(rig, MOCK_SIZE);
    chardev_notify(&rig->mock.dev, CHARDEV_RX);
    driver_interrupt(rig, drv);
    CHECK_EQ(MOCK_SIZE, drv->in_len);
    CHECK(!memcmp(drv->in, rig->mock.in, MOCK_SIZE));
    free(drv);
    uart_down(rig);
}

TEST(input_only_what_fits)
{
    uart_rig_t *rig = uart_up();
    fifos(rig, 8);
    send(rig, "0123456789abcdefghijkl");
    CHECK_EQ(16, rig->mock.in_head);
    chardev_notify(&rig->mock.dev, CHARDEV_RX);
    update(rig);
    CHECK_EQ(16, rig->mock.in_head);
    for (unsigned i = 0; i < 15; i++) {
        rd(rig, RBR);
    }
    CHECK_EQ(16, rig->mock.in_head);
    CHECK_EQ('f', rd(rig, RBR));
    CHECK_EQ(22, rig->mock.in_head); /* the empty FIFO is filled at once */
    CHECK_EQ('g', rd(rig, RBR));
    CHECK_EQ(0, rd(rig, LSR) & OE);
    uart_down(rig);
}

TEST(input_tops_up)
{
    uart_rig_t *rig = uart_up();
    fifos(rig, 4);
    send(rig, "ab");
    CHECK_EQ(IIR_FIFOS | IIR_CTI, rd(rig, IIR));
    send(rig, "cd");
    CHECK_EQ(IIR_FIFOS | IIR_RDA, rd(rig, IIR));
    for (unsigned i = 0; i < 4; i++) {
        CHECK_EQ('a' + i, rd(rig, RBR));
    }
    uart_down(rig);
}

TEST(output_whole)
{
    uart_rig_t *rig = uart_up();
    driver_t *drv = driver_new();
    static uint8_t data[MOCK_SIZE];
    fill_pattern(data, sizeof(data));
    drv->out = data;
    drv->out_len = sizeof(data);
    wr(rig, FCR, 1);
    rig->mock.out_limit = 0;
    wr(rig, IER, ETBEI);
    unsigned step = 0;
    while (rig->mock.out_len < sizeof(data) && step < 100000) {
        rig->mock.out_limit = util_min_u64(rig->mock.out_limit + 1 + step++ % 29, MOCK_SIZE);
        chardev_notify(&rig->mock.dev, CHARDEV_TX);
        driver_interrupt(rig, drv);
    }
    CHECK_EQ(sizeof(data), rig->mock.out_len);
    CHECK(!memcmp(data, rig->mock.out, sizeof(data)));
    free(drv);
    uart_down(rig);
}

TEST(output_waits)
{
    uart_rig_t *rig = uart_up();
    wr(rig, FCR, 1);
    rig->mock.out_limit = 3;
    for (unsigned i = 0; i < 10; i++) {
        wr(rig, THR, 'a' + i);
    }
    CHECK_EQ(0, rd(rig, LSR) & (THRE | TEMT));
    rig->mock.out_limit = MOCK_SIZE;
    CHECK_EQ(0, rd(rig, LSR) & (THRE | TEMT));
    chardev_notify(&rig->mock.dev, CHARDEV_TX);
    CHECK_EQ(THRE | TEMT, rd(rig, LSR));
    CHECK(sent(rig, "abcdefghij"));
    uart_down(rig);
}

TEST(silent_chardev)
{
    uart_rig_t *rig = uart_up();
    fifos(rig, 1);
    rd(rig, LSR);
    give(rig, "in"); /* nobody notifies */
    update(rig);
    CHECK(irq(rig));
    CHECK_EQ('i', rd(rig, RBR));
    CHECK_EQ('n', rd(rig, RBR));
    rig->mock.out_limit = 0;
    wr(rig, THR, 'o');
    rig->mock.out_limit = 1;
    update(rig);
    CHECK(sent(rig, "o"));
    CHECK_EQ(2, rig->mock.updates);
    uart_down(rig);
}

TEST(notify_from_within)
{
    uart_rig_t *rig = uart_up();
    driver_t *drv = driver_new();
    fifos(rig, 8);
    rig->mock.notify_inside = CHARDEV_RX | CHARDEV_TX;
    give_pattern(rig, 1000);
    chardev_notify(&rig->mock.dev, CHARDEV_RX);
    driver_interrupt(rig, drv);
    CHECK_EQ(1000, drv->in_len);
    CHECK(!memcmp(drv->in, rig->mock.in, 1000));
    wr(rig, THR, 'o');
    CHECK(sent(rig, "o"));
    free(drv);
    uart_down(rig);
}

TEST(notify_while_reading)
{
    uart_rig_t *rig = uart_up();
    wr(rig, FCR, 1);
    rig->mock.late = "!";
    wr(rig, IER, ERBFI); /* reads nothing, and the byte arrives before it is done */
    CHECK(irq(rig));
    CHECK_EQ('!', rd(rig, RBR));
    uart_down(rig);
}

TEST(no_chardev)
{
    rig_host_t host;
    rig_host_init(&host);
    rvvm_machine_t *machine = rig_machine();
    rvvm_mmio_dev_t *dev = ns16550a_init_host(machine, &host.host, NULL, 0x10000000, NULL, 0);
    CHECK(dev != NULL);
    rig_write(dev, IER, 1, ERBFI | ETBEI);
    for (unsigned i = 0; i < 100; i++) {
        rig_write(dev, THR, 1, 'x');
        CHECK_EQ(THRE | TEMT, rig_read(dev, LSR, 1));
    }
    dev->type->update(dev);
    CHECK_EQ(IIR_THRE, rig_read(dev, IIR, 1));
    rvvm_free_machine(machine);
}

static size_t lying_read(chardev_t *dev, void *buf, size_t size)
{
    (void)dev;
    memset(buf, 'L', size);
    return SIZE_MAX;
}

static size_t lying_write(chardev_t *dev, const void *buf, size_t size)
{
    (void)buf, (void)size;
    ((mock_t *)dev->data)->writes++;
    return SIZE_MAX;
}

TEST(lying_chardev)
{
    uart_rig_t *rig = uart_up();
    rig->mock.dev.read = lying_read;
    rig->mock.dev.write = lying_write;
    fifos(rig, 8);
    wr(rig, THR, 'x');
    CHECK_EQ(1, rig->mock.writes);
    for (unsigned i = 0; i < 40; i++) {
        CHECK_EQ(DR | THRE | TEMT, rd(rig, LSR));
        CHECK_EQ('L', rd(rig, RBR));
    }
    uart_down(rig);
}

/* serial8250_do_startup() as far as it touches receive data, then set_termios() and set_mctrl(). */
static void linux_startup(uart_rig_t *rig)
{
    static const uint8_t look[] = {LSR, RBR, IIR, MSR};
    wr(rig, FCR, 0x01);
    wr(rig, FCR, 0x07);
    wr(rig, FCR, 0x00);
    for (unsigned i = 0; i < 4; i++) {
        rd(rig, look[i]);
    }
    rd(rig, LSR);
    wr(rig, LCR, 0x03);
    for (unsigned i = 0; i < 2; i++) { /* tests of the transmit interrupt */
        rd(rig, LSR);
        wr(rig, IER, ETBEI);
        rd(rig, IIR);
        wr(rig, IER, 0);
    }
    for (unsigned i = 0; i < 4; i++) {
        rd(rig, look[i]);
    }
    wr(rig, FCR, 0x01);
    wr(rig, FCR, 0x81);
    wr(rig, IER, ERBFI | ELSI);
    wr(rig, MCR, DTR | RTS | OUT2);
}

/* serial8250_console_write() */
static void linux_print(uart_rig_t *rig, const char *line)
{
    uint8_t ier = rd(rig, IER);
    wr(rig, IER, 0);
    for (; *line; line++) {
        rd(rig, LSR);
        wr(rig, THR, (uint8_t)*line);
    }
    rd(rig, LSR);
    wr(rig, IER, ier);
}

TEST(early_input_kept)
{
    uart_rig_t *rig = uart_up();
    driver_t *drv = driver_new();
    send(rig, "typed before the guest was up\n");
    for (unsigned i = 0; i < 50; i++) {
        linux_print(rig, "[    0.000000] a line of the kernel's log, printed early in the boot\n");
        update(rig);
    }
    CHECK_EQ(0, rig->mock.in_head);
    linux_startup(rig);
    driver_interrupt(rig, drv);
    CHECK_EQ(30, drv->in_len);
    CHECK(!memcmp(drv->in, "typed before the guest was up\n", 30));
    free(drv);
    uart_down(rig);
}

TEST(print_keeps_input)
{
    uart_rig_t *rig = uart_up();
    driver_t *drv = driver_new();
    linux_startup(rig);
    send(rig, "0123456789abcdefXYZ");
    linux_print(rig, "a kernel message while input waits\n");
    driver_interrupt(rig, drv);
    CHECK_EQ(19, drv->in_len);
    CHECK(!memcmp(drv->in, "0123456789abcdefXYZ", 19));
    free(drv);
    uart_down(rig);
}

TEST(polling_guest)
{
    uart_rig_t *rig = uart_up();
    send(rig, "hello, a longer text than the FIFO holds");
    char got[64] = "";
    for (unsigned polls = 0, len = 0; polls < 200; polls++) {
        if (rd(rig, LSR) & DR) {
            got[len++] = (char)rd(rig, RBR);
        }
    }
    CHECK(!strcmp(got, "hello, a longer text than the FIFO holds"));
    uart_down(rig);
}

/* Bare-metal echo: each turn looks for input, then prints a dot as every such program does. */
TEST(polling_and_printing_guest)
{
    uart_rig_t *rig = uart_up();
    send(rig, "x");
    unsigned turns = 0;
    while (!(rd(rig, LSR) & DR) && turns < 100) {
        turns++;
        while (!(rd(rig, LSR) & THRE)) {
        }
        wr(rig, THR, '.');
    }
    CHECK(turns < 20);
    CHECK_EQ('x', rd(rig, RBR));
    uart_down(rig);
}

TEST(rts_holds_sender)
{
    uart_rig_t *rig = uart_up();
    fifos(rig, 1);
    wr(rig, MCR, RTS);
    wr(rig, MCR, DTR);
    send(rig, "w");
    update(rig);
    CHECK(!irq(rig) && rig->mock.in_head == 0);
    wr(rig, MCR, DTR | RTS);
    CHECK(irq(rig));
    CHECK_EQ('w', rd(rig, RBR));
    uart_down(rig);
}

TEST(rts_unused)
{
    uart_rig_t *rig = uart_up();
    fifos(rig, 1);
    wr(rig, MCR, LOOP | RTS); /* inside the loop, nobody sees it */
    wr(rig, MCR, 0);
    send(rig, "w");
    CHECK(irq(rig));
    CHECK_EQ('w', rd(rig, RBR));
    uart_down(rig);
}

/* Reads as long as there is something; the rig's clock goes on by one step per byte. */
static size_t drain(uart_rig_t *rig)
{
    size_t len = 0;
    while (rd(rig, LSR) & DR) {
        rd(rig, RBR);
        len++;
    }
    return len;
}

enum { TICKS_PER_MS = 10000, STEP = 10, SHARE = 6 };

TEST(pace_bounds_bursts)
{
    uart_rig_t *rig = uart_up();
    fifos(rig, 8);
    rig->host.time_step = STEP;
    give_pattern(rig, MOCK_SIZE);
    chardev_notify(&rig->mock.dev, CHARDEV_RX);
    size_t burst = drain(rig), full = 32 * TICKS_PER_MS / (STEP * SHARE);
    CHECK(burst > full * 9 / 10 && burst < full * 3 / 2);
    rig->host.time_step = 0;
    rig->host.time -= STEP; /* back to the last look at the clock */
    CHECK(!irq(rig));       /* the handler ends */
    CHECK_EQ(0, drain(rig));
    rig->host.time_step = STEP;
    rig->host.time += 60000 * TICKS_PER_MS; /* a long silence makes no longer burst */
    update(rig);
    CHECK(drain(rig) < full * 3 / 2);
    uart_down(rig);
}

TEST(pace_goes_on)
{
    uart_rig_t *rig = uart_up();
    fifos(rig, 8);
    rig->host.time_step = STEP;
    give_pattern(rig, MOCK_SIZE);
    chardev_notify(&rig->mock.dev, CHARDEV_RX);
    drain(rig);
    uint64_t start = rig->host.time;
    size_t len = 0;
    for (unsigned i = 0; i < 12; i++) {
        rig->host.time += 16 * TICKS_PER_MS;
        update(rig);
        CHECK(irq(rig));
        len += drain(rig);
    }
    size_t want = (size_t)(rig->host.time - start) / (STEP * SHARE);
    CHECK(len > want * 9 / 10 && len < want * 11 / 10);
    uart_down(rig);
}

TEST(pace_spares_slow_input)
{
    uart_rig_t *rig = uart_up();
    fifos(rig, 8);
    rig->host.time_step = STEP;
    for (unsigned i = 0; i < 1000; i++) {
        send(rig, "0123456789");
        CHECK(irq(rig));
        CHECK_EQ(10, drain(rig));
        rig->host.time += 10 * STEP * SHARE;
    }
    uart_down(rig);
}

TEST(pace_spares_polling)
{
    uart_rig_t *rig = uart_up();
    wr(rig, FCR, 1);
    rig->host.time_step = STEP;
    give_pattern(rig, MOCK_SIZE);
    for (unsigned i = 0; i < 20; i++) {
        rd(rig, LSR);
    }
    CHECK_EQ(MOCK_SIZE, drain(rig));
    uart_down(rig);
}

TEST(pace_follows_the_reader)
{
    uart_rig_t *rig = uart_up();
    fifos(rig, 8);
    give_pattern(rig, MOCK_SIZE);
    rig->host.time_step = 10 * STEP;
    chardev_notify(&rig->mock.dev, CHARDEV_RX);
    size_t slow = drain(rig);
    rig->host.time += 1000 * TICKS_PER_MS;
    rig->host.time_step = STEP;
    update(rig);
    size_t fast = drain(rig);
    CHECK(fast > 5 * slow);
    uart_down(rig);
}

TEST(chardev_owned)
{
    uart_rig_t *rig = uart_up();
    mock_t *other = calloc(1, sizeof(*other));
    mock_init(other);
    rvvm_mmio_dev_t *dev = ns16550a_init_host(rig->machine, &rig->host.host, &other->dev,
                                              NS16550A_DEFAULT_MMIO, rig->intc.dev, 0);
    CHECK(dev == NULL); /* the place is taken */
    CHECK_EQ(1, other->removes);
    CHECK_EQ(1, rvvm_irq_alloc(rig->intc.dev, 0)); /* and the line was given back */
    CHECK_EQ(0, rig->mock.removes);
    wr(rig, IER, ETBEI);
    CHECK(irq(rig));
    rvvm_remove_mmio(rig->dev);
    CHECK_EQ(1, rig->mock.removes);
    CHECK(!irq(rig));
    CHECK(rvvm_irq_alloc_exact(rig->intc.dev, UART_IRQ));
    free(other);
    uart_down(rig);
}

TEST(byte_survives_fifos_on)
{
    uart_rig_t *rig = uart_up();
    send(rig, "abc");
    wr(rig, IER, ERBFI);  /* as Linux opens a port: interrupts first, */
    wr(rig, FCR, 1 | 0x80); /* FIFOs afterwards */
    CHECK_EQ(THRE | TEMT, rd(rig, LSR));
    CHECK(!irq(rig));
    update(rig);
    CHECK(irq(rig));
    CHECK_EQ('a', rd(rig, RBR));
    update(rig);
    CHECK_EQ('b', rd(rig, RBR));
    CHECK_EQ('c', rd(rig, RBR));
    CHECK_EQ(THRE | TEMT, rd(rig, LSR));
    uart_down(rig);
}

TEST(lines_allocated)
{
    uart_rig_t *rig = uart_up();
    mock_t *mock = calloc(4, sizeof(*mock));
    for (unsigned i = 0; i < 4; i++) {
        mock_init(&mock[i]);
    }
    rvvm_irq_t own = rvvm_irq_alloc(rig->intc.dev, 0); /* 1, and given to the UART as ABI 7 does */
    rvvm_mmio_dev_t *dev = ns16550a_init_host(rig->machine, NULL, &mock[0].dev, 0x20000000,
                                              rig->intc.dev, own);
    rig_write(dev, IER, 1, ETBEI);
    CHECK(rig_intc_level(&rig->intc, own));
    rvvm_set_intc(rig->machine, rig->intc.dev);
    dev = ns16550a_init_host(rig->machine, NULL, &mock[1].dev, 0x20001000, NULL, 0);
    rig_write(dev, IER, 1, ETBEI);
    CHECK(rig_intc_level(&rig->intc, 2));
    while (rvvm_irq_alloc(rig->intc.dev, 0) != RVVM_IRQ_INVALID) {
    }
    CHECK(!ns16550a_init_host(rig->machine, NULL, &mock[2].dev, 0x20002000, NULL, 0));
    CHECK_EQ(1, mock[2].removes);
    uart_down(rig);
    free(mock);
}

int main(void)
{
    PROVE(input_whole, "64 KiB of input reach an interrupt-driven reader whole, without a clock tick");
    PROVE(input_only_what_fits, "no more is taken than fits; an emptied FIFO is filled at once");
    PROVE(input_tops_up, "new input joins what is in the FIFO");
    PROVE(output_whole, "64 KiB of output pass a slow line whole, at the line's pace");
    PROVE(output_waits, "what the line does not take stays in the FIFO until it says so");
    PROVE(silent_chardev, "a chardev that never notifies is served by update");
    PROVE(notify_from_within, "a chardev may notify from within read and write");
    PROVE(notify_while_reading, "input that arrives during a read is not overlooked");
    PROVE(no_chardev, "without a chardev output vanishes and the transmitter is always ready");
    PROVE(lying_chardev, "a chardev that claims to have moved more than asked does no harm");
    PROVE(early_input_kept, "input before the driver starts survives its start-up and the boot log");
    PROVE(print_keeps_input, "input waits while the kernel prints by polling");
    PROVE(polling_guest, "a guest that polls LSR gets its input");
    PROVE(polling_and_printing_guest, "so does one that prints between its polls");
    PROVE(rts_holds_sender, "lowering RTS holds input off, raising it lets it in at once");
    PROVE(rts_unused, "a guest that never raised RTS gets its input");
    PROVE(pace_bounds_bursts, "endless input leaves the interrupt handler after a burst");
    PROVE(pace_goes_on, "and goes on at a fixed share of the reader's own speed");
    PROVE(pace_spares_slow_input, "input slower than that is never delayed");
    PROVE(pace_spares_polling, "a polling guest is not paced");
    PROVE(pace_follows_the_reader, "a faster reader is sent more");
    PROVE(chardev_owned, "the chardev is freed once, the line lowered and given back");
    PROVE(byte_survives_fifos_on, "a byte that came before the FIFOs were switched on is not lost");
    PROVE(lines_allocated, "lines: the caller's own, any free one, none left");
    return rig_finish("ns16550a: flow");
}
