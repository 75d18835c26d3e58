/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The UART: a PC16550D (National Semiconductor's data sheet of June 1995) on a line without a speed.
 *
 * Sending: bytes go from the FIFO to the chardev at once. Those it does not take stay in the FIFO, THRE
 * stays clear, and the guest's driver waits as it would for a slow line: nothing is dropped.
 * A guest whose handler looks at LSR again and again but never at IIR (xv6 of 2020 to 2022) would be
 * interrupted forever: it is taken to have seen THRE.
 *
 * Receiving: bytes stay with the chardev until the guest can use them, so none is ever overrun.
 *  - With receive interrupts on (IER bit 0), the FIFO is filled whenever it is empty and bytes are there.
 *    Fewer bytes than the trigger level: the chardev had no more, so the four character times of the
 *    timeout are over at once and the interrupt is a character timeout.
 *  - With receive interrupts off, only a guest that polls gets bytes: one that reads LSR again and again
 *    without sending or configuring. A driver that is just starting up, and throws away what it finds
 *    in the FIFO, finds nothing; output that polls THRE does not fetch input either.
 *  - A byte that came while the FIFOs were off and is thrown away by switching them on (Linux opens a port
 *    with interrupts on before it does that) is sent once more, at the next update.
 *  - A guest that has raised RTS and lowers it again holds the sender off (hardware flow control).
 *  - A driver that moves input to a buffer in its interrupt handler, as Linux does, would spend all its
 *    time there and overflow the buffer if bytes always arrived as fast as it reads them. So the sender
 *    takes the reader's own measure: it keeps the handler busy for 1/UART_READER_SHARE of the time, in
 *    bursts of at most UART_BURST_MS, and any slower input is not delayed at all.
 *
 * Locking: the lock is held while the chardev is read and written. A chardev may notify from any thread,
 * from within those calls too: notify only leaves a note, and whoever holds the lock looks for notes
 * after letting go of it.
 *
 * Not implemented: parity, framing and break from outside (a chardev has no such thing), sending a break
 * (it is seen in loopback only), word lengths under 8 bits, baud rates (the divisor is only kept),
 * DMA modes, writes to LSR and MSR.
 */
#include "ns16550a.h"

#include <rvvm/compat.h>

#include "irq_line.h"

#include "../util.h"

enum {
    UART_SIZE = 0x1000,
    UART_CLOCK_HZ = 40000000,
    UART_FIFO_SIZE = 16,

    UART_RBR_THR = 0, /* DLL when LCR.DLAB */
    UART_IER = 1,     /* DLM when LCR.DLAB */
    UART_IIR_FCR = 2,
    UART_LCR = 3,
    UART_MCR = 4,
    UART_LSR = 5,
    UART_MSR = 6,
    UART_SCR = 7,

    UART_IER_ERBFI = 0x01,
    UART_IER_ETBEI = 0x02,
    UART_IER_ELSI = 0x04,
    UART_IER_EDSSI = 0x08,
    UART_IER_MASK = 0x0F,

    UART_IIR_NONE = 0x01,
    UART_IIR_MODEM = 0x00,
    UART_IIR_THRE = 0x02,
    UART_IIR_DATA = 0x04,
    UART_IIR_LINE = 0x06,
    UART_IIR_TIMEOUT = 0x0C,
    UART_IIR_FIFOS = 0xC0,

    UART_FCR_ENABLE = 0x01,
    UART_FCR_CLEAR_RX = 0x02,
    UART_FCR_CLEAR_TX = 0x04,
    UART_FCR_KEPT = 0xC9, /* enable, DMA mode, trigger level */

    UART_LCR_BREAK = 0x40,
    UART_LCR_DLAB = 0x80,

    UART_MCR_DTR = 0x01,
    UART_MCR_RTS = 0x02,
    UART_MCR_OUT1 = 0x04,
    UART_MCR_OUT2 = 0x08,
    UART_MCR_LOOP = 0x10,
    UART_MCR_MASK = 0x1F,

    UART_LSR_DR = 0x01,
    UART_LSR_OE = 0x02,
    UART_LSR_FE = 0x08,
    UART_LSR_BI = 0x10,
    UART_LSR_THRE = 0x20,
    UART_LSR_TEMT = 0x40,
    UART_LSR_FIFO_ERROR = 0x80,

    UART_MSR_DCTS = 0x01,
    UART_MSR_DDSR = 0x02,
    UART_MSR_TERI = 0x04,
    UART_MSR_DDCD = 0x08,
    UART_MSR_DELTAS = 0x0F,
    UART_MSR_CTS = 0x10,
    UART_MSR_DSR = 0x20,
    UART_MSR_RI = 0x40,
    UART_MSR_DCD = 0x80,

    /* See the top of the file. */
    UART_READER_SHARE = 6,
    UART_BURST_MS = 32,
    UART_POLLS = 8,        /* reads of LSR that make a guest one that polls for input */
    UART_THRE_LOOKS = 16,  /* reads of LSR that answer a THRE interrupt */
    UART_NOTE_ROUNDS = 4,  /* a chardev that notifies from each call is answered this often at once */
};

typedef struct {
    uint8_t byte[UART_FIFO_SIZE];
    uint8_t error[UART_FIFO_SIZE]; /* LSR bits that came with the byte */
    uint8_t head, count;
} uart_fifo_t;

/* How fast the guest may be sent bytes, in 1/256 ticks of mtime. */
typedef struct {
    uint64_t burst;     /* how far `due` may run ahead of now */
    uint64_t due;       /* when the bytes sent so far would have arrived on the paced line */
    uint64_t last_read; /* of RBR */
    uint64_t per_byte;  /* the mean time between two reads of RBR in one go */
    bool in_a_row;      /* the read of RBR at last_read left more to read */
} uart_pace_t;

typedef struct {
    spinlock_t lock; /* guards all but `notes` */
    uint32_t notes;  /* CHARDEV_* bits that notify left; atomic */

    rvvm_machine_t *machine;
    const irq_host_t *host;
    chardev_t *chardev;
    irq_line_t line;
    bool line_level;

    uart_fifo_t rx, tx;
    uart_fifo_t held; /* to be sent once more */
    bool held_ready;  /* its time has come */
    uint8_t ier, fcr, lcr, mcr, msr, scr, dll, dlm;
    uint8_t overrun;      /* UART_LSR_OE or 0 */
    uint8_t rbr;          /* the last byte read, for reads of an empty FIFO */
    uint8_t thre_pending; /* not 0: the THRE interrupt was neither reported nor answered yet */
    uint8_t rts_used;     /* RTS was high since the reset */
    uint8_t polls;        /* reads of LSR that looked for input while ERBFI was off */
    bool rx_hint;         /* the chardev may have input */
    uart_pace_t pace;
} uart_t;

static void fifo_push(uart_fifo_t *fifo, uint8_t byte, uint8_t error)
{
    unsigned tail = (fifo->head + fifo->count) % UART_FIFO_SIZE;
    fifo->byte[tail] = byte;
    fifo->error[tail] = error;
    fifo->count++;
}

static uint8_t fifo_pop(uart_fifo_t *fifo)
{
    uint8_t byte = fifo->byte[fifo->head];
    fifo->head = (fifo->head + 1) % UART_FIFO_SIZE;
    fifo->count--;
    return byte;
}

static void fifo_clear(uart_fifo_t *fifo)
{
    fifo->head = fifo->count = 0;
}

/* The error bits of the byte that RBR would give. */
static uint8_t uart_rx_error(const uart_t *uart)
{
    return uart->rx.count ? uart->rx.error[uart->rx.head] : 0;
}

/* 1 in character mode, 16 with FIFOs on. */
static unsigned uart_depth(const uart_t *uart)
{
    return (uart->fcr & UART_FCR_ENABLE) ? UART_FIFO_SIZE : 1;
}

static unsigned uart_trigger(const uart_t *uart)
{
    static const uint8_t levels[4] = {1, 4, 8, 14};
    return (uart->fcr & UART_FCR_ENABLE) ? levels[uart->fcr >> 6] : 1;
}

/* IIR without its FIFO bits: the enabled interrupt of the highest priority. */
static uint8_t uart_interrupt(const uart_t *uart)
{
    if ((uart->ier & UART_IER_ELSI) && (uart->overrun || uart_rx_error(uart))) {
        return UART_IIR_LINE;
    }
    if ((uart->ier & UART_IER_ERBFI) && uart->rx.count) {
        return uart->rx.count >= uart_trigger(uart) ? UART_IIR_DATA : UART_IIR_TIMEOUT;
    }
    if ((uart->ier & UART_IER_ETBEI) && uart->thre_pending) {
        return UART_IIR_THRE;
    }
    if ((uart->ier & UART_IER_EDSSI) && (uart->msr & UART_MSR_DELTAS)) {
        return UART_IIR_MODEM;
    }
    return UART_IIR_NONE;
}

static void uart_update_line(uart_t *uart)
{
    bool level = uart_interrupt(uart) != UART_IIR_NONE;
    if (level != uart->line_level) {
        uart->line_level = level;
        irq_line_set(&uart->line, level);
    }
}

/* Now, in 1/256 ticks. */
static uint64_t uart_now(const uart_t *uart)
{
    return uart->host->time(uart->host->opaque) << 8;
}

static bool uart_paced(const uart_t *uart)
{
    return uart->host && (uart->ier & UART_IER_ERBFI);
}

static void uart_pace_reset(uart_t *uart)
{
    uint64_t per_second = rvvm_get_opt(uart->machine, RVVM_OPT_TIME_FREQ) << 8;
    uart->pace = (uart_pace_t){.burst = per_second / 1000 * UART_BURST_MS};
}

/* The guest has read RBR: learn how fast it does that. A pause is no measure of its speed. */
static void uart_pace_read(uart_t *uart)
{
    if (!uart_paced(uart)) {
        return;
    }
    uart_pace_t *pace = &uart->pace;
    uint64_t now = uart_now(uart), took = now - pace->last_read;
    if (pace->in_a_row && took < pace->burst / UART_BURST_MS) {
        pace->per_byte += (took >> 4) - (pace->per_byte >> 4);
    }
    pace->last_read = now;
    pace->in_a_row = uart->rx.count > 0;
}

static bool uart_pace_allows(const uart_t *uart)
{
    return !uart_paced(uart) || uart->pace.due <= uart_now(uart) + uart->pace.burst;
}

static void uart_pace_charge(uart_t *uart, size_t bytes)
{
    if (uart_paced(uart)) {
        uint64_t start = util_max_u64(uart->pace.due, uart_now(uart));
        uart->pace.due = start + bytes * UART_READER_SHARE * uart->pace.per_byte;
    }
}

/* Whether the guest takes bytes from the line now. */
static bool uart_listens(const uart_t *uart)
{
    if (uart->mcr & UART_MCR_LOOP) {
        return false;
    }
    if (!(uart->ier & UART_IER_ERBFI)) {
        return uart->polls >= UART_POLLS;
    }
    return (uart->mcr & UART_MCR_RTS) || !uart->rts_used;
}

/* Moves bytes from the chardev to the receive FIFO. */
static void uart_fill_rx(uart_t *uart)
{
    uint8_t buf[UART_FIFO_SIZE];
    unsigned room = uart_depth(uart) - uart->rx.count;
    if (!room || !uart_listens(uart) || !uart_pace_allows(uart)) {
        return;
    }
    if (uart->held.count) {
        if (uart->held_ready) {
            fifo_push(&uart->rx, fifo_pop(&uart->held), 0);
        }
        return;
    }
    if (!uart->rx_hint) {
        return;
    }
    size_t got = util_min_u64(chardev_read(uart->chardev, buf, room), room);
    for (size_t i = 0; i < got; i++) {
        fifo_push(&uart->rx, buf[i], 0);
    }
    uart->rx_hint = got == room;
    uart_pace_charge(uart, got);
}

/* The receiver's end of the loop: here bytes can be lost, as in the chip. */
static void uart_loop_byte(uart_t *uart, uint8_t byte, uint8_t error)
{
    if (uart->rx.count < uart_depth(uart)) {
        fifo_push(&uart->rx, byte, error);
    } else {
        uart->overrun = UART_LSR_OE;
    }
}

/* Moves bytes from the transmit FIFO to where they go; the THRE interrupt is due when it gets empty. */
static void uart_drain_tx(uart_t *uart)
{
    uart_fifo_t *tx = &uart->tx;
    while (tx->count) {
        if (uart->mcr & UART_MCR_LOOP) {
            uart_loop_byte(uart, fifo_pop(tx), 0);
            continue;
        }
        size_t run = util_min_u64(tx->count, UART_FIFO_SIZE - tx->head);
        size_t sent = util_min_u64(chardev_write(uart->chardev, tx->byte + tx->head, run), run);
        if (sent == 0) {
            return;
        }
        tx->head = (tx->head + sent) % UART_FIFO_SIZE;
        tx->count -= sent;
    }
    uart->thre_pending = UART_THRE_LOOKS;
}

static void uart_exchange(uart_t *uart, uint32_t notes)
{
    uart->rx_hint |= (notes & CHARDEV_RX) != 0;
    uart_fill_rx(uart);
    if (uart->tx.count) {
        uart_drain_tx(uart);
    }
}

/*
 * Answers notes when nobody else holds the lock: then the holder will. Reading the notes is an atomic
 * read-modify-write, so that either a note is seen here or its writer finds the lock free.
 */
static void uart_answer_notes(uart_t *uart)
{
    for (unsigned i = 0; i < UART_NOTE_ROUNDS; i++) {
        if (!__atomic_fetch_or(&uart->notes, 0, __ATOMIC_ACQ_REL) || !spin_try_lock(&uart->lock)) {
            return;
        }
        uart_exchange(uart, __atomic_exchange_n(&uart->notes, 0, __ATOMIC_ACQ_REL));
        uart_update_line(uart);
        spin_unlock(&uart->lock);
    }
}

static void uart_unlock(uart_t *uart)
{
    uart_update_line(uart);
    spin_unlock(&uart->lock);
    uart_answer_notes(uart);
}

static void uart_notify(void *io_dev, uint32_t flags)
{
    uart_t *uart = io_dev;
    __atomic_fetch_or(&uart->notes, flags, __ATOMIC_ACQ_REL);
    uart_answer_notes(uart);
}

static uint8_t uart_read_rbr(uart_t *uart)
{
    if (uart->rx.count) {
        uart->rbr = fifo_pop(&uart->rx);
        uart_pace_read(uart);
        if (uart->rx.count == 0) {
            uart_fill_rx(uart);
        }
    }
    return uart->rbr;
}

/* Reporting the THRE interrupt also answers it. */
static uint8_t uart_read_iir(uart_t *uart)
{
    uint8_t iir = uart_interrupt(uart);
    if (iir == UART_IIR_THRE) {
        uart->thre_pending = 0;
    }
    return iir | ((uart->fcr & UART_FCR_ENABLE) ? UART_IIR_FIFOS : 0);
}

static bool uart_fifo_has_error(const uart_t *uart)
{
    uint8_t errors = 0;
    for (unsigned i = 0; i < uart->rx.count; i++) {
        errors |= uart->rx.error[(uart->rx.head + i) % UART_FIFO_SIZE];
    }
    return errors && (uart->fcr & UART_FCR_ENABLE);
}

/* Reading LSR takes back the error bits it reports. */
static uint8_t uart_read_lsr(uart_t *uart)
{
    if (uart->rx.count == 0) {
        uart_fill_rx(uart);
    }
    uint8_t lsr = uart->overrun | uart_rx_error(uart);
    lsr |= uart->rx.count ? UART_LSR_DR : 0;
    lsr |= uart->tx.count ? 0 : UART_LSR_THRE | UART_LSR_TEMT;
    lsr |= uart_fifo_has_error(uart) ? UART_LSR_FIFO_ERROR : 0;
    uart->overrun = 0;
    if (uart_interrupt(uart) == UART_IIR_THRE) {
        uart->thre_pending--;
    }
    if (uart->rx.count) {
        uart->rx.error[uart->rx.head] = 0;
    } else if (!uart->tx.count && uart->polls < UART_POLLS) {
        uart->polls++;
    }
    return lsr;
}

static uint8_t uart_read_msr(uart_t *uart)
{
    uint8_t msr = uart->msr;
    uart->msr &= (uint8_t)~UART_MSR_DELTAS;
    return msr;
}

static uint8_t uart_read_reg(uart_t *uart, size_t offset)
{
    bool dlab = uart->lcr & UART_LCR_DLAB;
    switch (offset) {
    case UART_RBR_THR:
        return dlab ? uart->dll : uart_read_rbr(uart);
    case UART_IER:
        return dlab ? uart->dlm : uart->ier;
    case UART_IIR_FCR:
        return uart_read_iir(uart);
    case UART_LCR:
        return uart->lcr;
    case UART_MCR:
        return uart->mcr;
    case UART_LSR:
        return uart_read_lsr(uart);
    case UART_MSR:
        return uart_read_msr(uart);
    case UART_SCR:
        return uart->scr;
    default:
        return 0;
    }
}

/* A byte for a full FIFO is lost, as in the chip: drivers wait for THRE. */
static void uart_write_thr(uart_t *uart, uint8_t val)
{
    uart->thre_pending = 0;
    uart->polls -= uart->polls > 0; /* the last read of LSR looked for THRE */
    if (uart->tx.count < uart_depth(uart)) {
        fifo_push(&uart->tx, val, 0);
    }
    uart_drain_tx(uart);
}

/* Enabling the THRE interrupt with the transmitter empty sets it off. */
static void uart_write_ier(uart_t *uart, uint8_t val)
{
    uint8_t enabled = val & ~uart->ier;
    uart->ier = val & UART_IER_MASK;
    if ((enabled & UART_IER_ETBEI) && !uart->tx.count) {
        uart->thre_pending = UART_THRE_LOOKS;
    }
    uart->polls = 0;
    uart->pace.in_a_row = false;
    uart_fill_rx(uart);
}

/* Switching the FIFOs on or off clears them; other bits count only with the FIFOs on. */
static void uart_write_fcr(uart_t *uart, uint8_t val)
{
    bool toggled = (val ^ uart->fcr) & UART_FCR_ENABLE;
    if (!(val & UART_FCR_ENABLE)) {
        val = 0;
    }
    uart->fcr = val & UART_FCR_KEPT;
    uart->polls = 0;
    if (toggled || (val & UART_FCR_CLEAR_RX)) {
        bool switched_on = toggled && (val & UART_FCR_ENABLE) && !(val & UART_FCR_CLEAR_RX);
        bool resend = switched_on && uart->rx.count == 1 && !uart->held.count &&
                      !(uart->mcr & UART_MCR_LOOP);
        if (resend) {
            uart->held = uart->rx;
            uart->held_ready = false;
        }
        fifo_clear(&uart->rx);
    }
    if ((toggled || (val & UART_FCR_CLEAR_TX)) && uart->tx.count) {
        fifo_clear(&uart->tx);
        uart->thre_pending = UART_THRE_LOOKS;
    }
    uart_fill_rx(uart);
}

/* A break on the loop arrives as a zero byte with a break and no stop bit. */
static void uart_write_lcr(uart_t *uart, uint8_t val)
{
    if ((val & ~uart->lcr & UART_LCR_BREAK) && (uart->mcr & UART_MCR_LOOP)) {
        uart_loop_byte(uart, 0, UART_LSR_BI | UART_LSR_FE);
    }
    uart->lcr = val;
    uart->polls = 0;
}

/* The modem lines: outside the loop, a peer that is always there and ready. */
static uint8_t uart_modem_lines(uint8_t mcr)
{
    if (!(mcr & UART_MCR_LOOP)) {
        return UART_MSR_CTS | UART_MSR_DSR | UART_MSR_DCD;
    }
    return ((mcr & UART_MCR_RTS) ? UART_MSR_CTS : 0) | ((mcr & UART_MCR_DTR) ? UART_MSR_DSR : 0) |
           ((mcr & UART_MCR_OUT1) ? UART_MSR_RI : 0) | ((mcr & UART_MCR_OUT2) ? UART_MSR_DCD : 0);
}

static void uart_write_mcr(uart_t *uart, uint8_t val)
{
    uint8_t lines = uart_modem_lines(val), changed = lines ^ uart->msr;
    uart->mcr = val & UART_MCR_MASK;
    uart->msr = lines | (uart->msr & UART_MSR_DELTAS);
    uart->msr |= (changed & UART_MSR_CTS) ? UART_MSR_DCTS : 0;
    uart->msr |= (changed & UART_MSR_DSR) ? UART_MSR_DDSR : 0;
    uart->msr |= (changed & ~lines & UART_MSR_RI) ? UART_MSR_TERI : 0; /* the end of a ring only */
    uart->msr |= (changed & UART_MSR_DCD) ? UART_MSR_DDCD : 0;
    uart->rts_used |= (val & UART_MCR_RTS) && !(val & UART_MCR_LOOP);
    uart_exchange(uart, 0);
}

static void uart_write_reg(uart_t *uart, size_t offset, uint8_t val)
{
    bool dlab = uart->lcr & UART_LCR_DLAB;
    switch (offset) {
    case UART_RBR_THR:
        if (dlab) {
            uart->dll = val;
        } else {
            uart_write_thr(uart, val);
        }
        break;
    case UART_IER:
        if (dlab) {
            uart->dlm = val;
        } else {
            uart_write_ier(uart, val);
        }
        break;
    case UART_IIR_FCR:
        uart_write_fcr(uart, val);
        break;
    case UART_LCR:
        uart_write_lcr(uart, val);
        break;
    case UART_MCR:
        uart_write_mcr(uart, val);
        break;
    case UART_SCR:
        uart->scr = val;
        break;
    default:
        break;
    }
}

static bool uart_mmio_read(rvvm_mmio_dev_t *dev, void *data, size_t offset, uint8_t size)
{
    uart_t *uart = dev->data;
    (void)size;
    spin_lock(&uart->lock);
    *(uint8_t *)data = uart_read_reg(uart, offset);
    uart_unlock(uart);
    return true;
}

static bool uart_mmio_write(rvvm_mmio_dev_t *dev, void *data, size_t offset, uint8_t size)
{
    uart_t *uart = dev->data;
    (void)size;
    spin_lock(&uart->lock);
    uart_write_reg(uart, offset, *(const uint8_t *)data);
    uart_unlock(uart);
    return true;
}

/* Also serves chardevs that never notify. */
static void uart_update(rvvm_mmio_dev_t *dev)
{
    uart_t *uart = dev->data;
    chardev_update(uart->chardev);
    spin_lock(&uart->lock);
    uart->held_ready = true;
    uart_exchange(uart, CHARDEV_RX | CHARDEV_TX);
    uart_unlock(uart);
}

/* The master reset pin; the divisor and the scratch register are cleared too, so that resets are alike. */
static void uart_reset(rvvm_mmio_dev_t *dev)
{
    uart_t *uart = dev->data;
    spin_lock(&uart->lock);
    uart_drain_tx(uart);
    fifo_clear(&uart->rx);
    fifo_clear(&uart->tx);
    fifo_clear(&uart->held);
    uart->ier = uart->fcr = uart->lcr = uart->mcr = uart->scr = uart->dll = uart->dlm = 0;
    uart->msr = uart_modem_lines(0);
    uart->overrun = uart->rbr = uart->thre_pending = uart->rts_used = uart->polls = 0;
    uart->rx_hint = true;
    uart_pace_reset(uart);
    uart_unlock(uart);
}

static void uart_snapshot_fifo(rvvm_snapshot_t *snap, uart_fifo_t *fifo)
{
    rvvm_snapshot_data(snap, fifo->byte, sizeof(fifo->byte));
    rvvm_snapshot_data(snap, fifo->error, sizeof(fifo->error));
    rvvm_snapshot_field(snap, fifo->head);
    rvvm_snapshot_field(snap, fifo->count);
    fifo->head %= UART_FIFO_SIZE;
    fifo->count = (uint8_t)util_min_u64(fifo->count, UART_FIFO_SIZE);
}

static void uart_suspend(rvvm_mmio_dev_t *dev, rvvm_snapshot_t *snap, bool resume)
{
    uart_t *uart = dev->data;
    if (!snap) {
        return;
    }
    uint8_t *const regs[] = {&uart->ier, &uart->fcr, &uart->lcr,     &uart->mcr, &uart->msr,
                             &uart->scr, &uart->dll, &uart->dlm,     &uart->overrun, &uart->rbr,
                             &uart->thre_pending,    &uart->rts_used, &uart->polls};
    spin_lock(&uart->lock);
    rvvm_snapshot_section(snap, "serial-ns16550a");
    uart_snapshot_fifo(snap, &uart->rx);
    uart_snapshot_fifo(snap, &uart->tx);
    uart_snapshot_fifo(snap, &uart->held);
    for (size_t i = 0; i < ARRAY_LEN(regs); i++) {
        rvvm_snapshot_field(snap, *regs[i]);
    }
    if (resume) {
        uart->ier &= UART_IER_MASK;
        uart->fcr &= UART_FCR_KEPT;
        uart->mcr &= UART_MCR_MASK;
        uart->overrun &= UART_LSR_OE;
        uart->rx.count = (uint8_t)util_min_u64(uart->rx.count, uart_depth(uart));
        uart->tx.count = (uint8_t)util_min_u64(uart->tx.count, uart_depth(uart));
        uart->rx_hint = true;
        uart_pace_reset(uart);
        uart->line_level = uart_interrupt(uart) != UART_IIR_NONE;
        irq_line_set(&uart->line, uart->line_level);
    }
    uart_unlock(uart);
}

static void uart_remove(rvvm_mmio_dev_t *dev)
{
    uart_t *uart = dev->data;
    chardev_free(uart->chardev);
    irq_line_free(&uart->line);
    free(uart);
}

static const rvvm_mmio_type_t uart_type = {
    .name = "serial-ns16550a",
    .remove = uart_remove,
    .update = uart_update,
    .reset = uart_reset,
    .suspend = uart_suspend,
};

static void uart_fdt_describe(const uart_t *uart, rvvm_addr_t addr)
{
    rvvm_fdt_node_t *node = rvvm_fdt_init_reg("uart", addr);
    rvvm_fdt_prop_set_reg(node, "reg", addr, UART_SIZE);
    rvvm_fdt_prop_set_str(node, "compatible", "ns16550a");
    rvvm_fdt_prop_set_u32(node, "clock-frequency", UART_CLOCK_HZ);
    rvvm_fdt_prop_set_u32(node, "fifo-size", UART_FIFO_SIZE);
    rvvm_fdt_prop_set_u32(node, "reg-shift", 0);
    rvvm_fdt_prop_set_u32(node, "reg-io-width", 1);
    rvvm_fdt_prop_set_str(node, "status", "okay");
    irq_line_describe(&uart->line, node);
    rvvm_fdt_attach(rvvm_get_fdt_soc(uart->machine), node);
}

static uart_t *uart_create(rvvm_machine_t *machine, const irq_host_t *host, chardev_t *chardev)
{
    uart_t *uart = safe_new_obj(uart_t);
    if (uart) {
        uart->machine = machine;
        uart->host = host;
        uart->chardev = chardev;
        uart->msr = uart_modem_lines(0);
        uart->rx_hint = true;
        uart_pace_reset(uart);
    }
    return uart;
}

rvvm_mmio_dev_t *ns16550a_init_host(rvvm_machine_t *machine, const irq_host_t *host, chardev_t *chardev,
                                    rvvm_addr_t addr, rvvm_irq_dev_t *irq_dev, rvvm_irq_t irq)
{
    uart_t *uart = uart_create(machine, host, chardev);
    if (!uart || !irq_line_init(&uart->line, machine, irq_dev, irq)) {
        chardev_free(chardev);
        free(uart);
        return NULL;
    }
    const rvvm_mmio_dev_t desc = {
        .addr = addr,
        .size = UART_SIZE,
        .data = uart,
        .type = &uart_type,
        .read = uart_mmio_read,
        .write = uart_mmio_write,
        .min_op_size = 1,
        .max_op_size = 1,
    };
    rvvm_mmio_dev_t *dev = rvvm_attach_mmio(machine, &desc);
    if (!dev) {
        return NULL;
    }
    uart_fdt_describe(uart, addr);
    if (chardev) {
        chardev->io_dev = uart;
        chardev->notify = uart_notify;
    }
    return dev;
}

rvvm_mmio_dev_t *ns16550a_init(rvvm_machine_t *machine, chardev_t *chardev, rvvm_addr_t addr,
                               rvvm_irq_dev_t *irq_dev, rvvm_irq_t irq)
{
    return ns16550a_init_host(machine, irq_host_get(machine), chardev, addr, irq_dev, irq);
}

rvvm_mmio_dev_t *ns16550a_init_auto(rvvm_machine_t *machine, chardev_t *chardev)
{
    rvvm_addr_t addr = rvvm_mmio_zone_auto(machine, NS16550A_DEFAULT_MMIO, UART_SIZE);
    return ns16550a_init(machine, chardev, addr, NULL, 0);
}
