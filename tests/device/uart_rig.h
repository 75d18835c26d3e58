/* SPDX-License-Identifier: MPL-2.0 */
/* A UART on the rig, with a chardev whose input and room for output the test decides. */
#ifndef RVKIT_TESTS_DEVICE_UART_RIG_H
#define RVKIT_TESTS_DEVICE_UART_RIG_H

#include "devices/ns16550a.h"
#include "rig.h"

enum { RBR = 0, THR = 0, DLL = 0, IER = 1, DLM = 1, IIR = 2, FCR = 2, LCR = 3, MCR = 4, LSR = 5, MSR = 6, SCR = 7 };
enum { ERBFI = 1, ETBEI = 2, ELSI = 4, EDSSI = 8 };
enum { IIR_NONE = 1, IIR_MSR = 0, IIR_THRE = 2, IIR_RDA = 4, IIR_RLS = 6, IIR_CTI = 0xC, IIR_FIFOS = 0xC0 };
enum { DR = 1, OE = 2, PE = 4, FE = 8, BI = 0x10, THRE = 0x20, TEMT = 0x40, FIFOE = 0x80 };
enum { DTR = 1, RTS = 2, OUT1 = 4, OUT2 = 8, LOOP = 0x10 };
enum { DCTS = 1, DDSR = 2, TERI = 4, DDCD = 8, CTS = 0x10, DSR = 0x20, RI = 0x40, DCD = 0x80 };
enum { MOCK_SIZE = 1 << 16, UART_IRQ = 5 };

typedef struct {
    chardev_t dev;
    uint8_t in[MOCK_SIZE], out[MOCK_SIZE];
    size_t in_head, in_tail; /* input waits in in[in_head .. in_tail) */
    size_t out_len, out_limit;
    unsigned reads, writes, updates, removes;
    uint32_t notify_inside; /* flags to notify with from within each read and write */
    const char *late;       /* input that arrives, and is notified, just after the next read */
} mock_t;

typedef struct {
    rig_host_t host;
    rig_intc_t intc;
    mock_t mock;
    rvvm_machine_t *machine;
    rvvm_mmio_dev_t *dev;
} uart_rig_t;

static inline size_t mock_read(chardev_t *dev, void *buf, size_t size)
{
    mock_t *mock = dev->data;
    size_t len = util_min_u64(size, mock->in_tail - mock->in_head);
    memcpy(buf, mock->in + mock->in_head, len);
    mock->in_head += len;
    mock->reads++;
    if (mock->late) {
        size_t late = strlen(mock->late);
        memcpy(mock->in + mock->in_tail, mock->late, late);
        mock->in_tail += late;
        mock->late = NULL;
        chardev_notify(dev, CHARDEV_RX);
    }
    if (mock->notify_inside) {
        chardev_notify(dev, mock->notify_inside);
    }
    return len;
}

static inline size_t mock_write(chardev_t *dev, const void *buf, size_t size)
{
    mock_t *mock = dev->data;
    size_t len = util_min_u64(size, mock->out_limit - mock->out_len);
    memcpy(mock->out + mock->out_len, buf, len);
    mock->out_len += len;
    mock->writes++;
    if (mock->notify_inside) {
        chardev_notify(dev, mock->notify_inside);
    }
    return len;
}

static inline void mock_update(chardev_t *dev)
{
    ((mock_t *)dev->data)->updates++;
}

static inline void mock_remove(chardev_t *dev)
{
    ((mock_t *)dev->data)->removes++;
}

static inline void mock_init(mock_t *mock)
{
    memset(mock, 0, sizeof(*mock));
    mock->out_limit = MOCK_SIZE;
    mock->dev = (chardev_t){
        .read = mock_read,
        .write = mock_write,
        .update = mock_update,
        .remove = mock_remove,
        .data = mock,
    };
}

static inline uart_rig_t *uart_up(void)
{
    uart_rig_t *rig = calloc(1, sizeof(*rig));
    if (!rig) {
        abort();
    }
    rig_host_init(&rig->host);
    rig_intc_init(&rig->intc);
    mock_init(&rig->mock);
    rig->machine = rig_machine();
    rig->dev = ns16550a_init_host(rig->machine, &rig->host.host, &rig->mock.dev, NS16550A_DEFAULT_MMIO,
                                  rig->intc.dev, UART_IRQ);
    CHECK(rig->dev != NULL);
    return rig;
}

static inline void uart_down(uart_rig_t *rig)
{
    rvvm_free_machine(rig->machine);
    rvvm_irq_dev_free(rig->intc.dev);
    free(rig);
}

static inline uint8_t rd(uart_rig_t *rig, size_t reg)
{
    return (uint8_t)rig_read(rig->dev, reg, 1);
}

static inline void wr(uart_rig_t *rig, size_t reg, unsigned val)
{
    rig_write(rig->dev, reg, 1, val);
}

static inline bool irq(uart_rig_t *rig)
{
    return rig_intc_level(&rig->intc, UART_IRQ);
}

/* Gives the chardev input without telling the UART. */
static inline void give(uart_rig_t *rig, const char *bytes)
{
    size_t len = strlen(bytes);
    memcpy(rig->mock.in + rig->mock.in_tail, bytes, len);
    rig->mock.in_tail += len;
}

/* The same, and the chardev says so. */
static inline void send(uart_rig_t *rig, const char *bytes)
{
    give(rig, bytes);
    chardev_notify(&rig->mock.dev, CHARDEV_RX);
}

/* FIFOs on with a trigger level of 1, 4, 8 or 14, receive interrupts on. */
static inline void fifos(uart_rig_t *rig, unsigned trigger)
{
    wr(rig, FCR, 1 | (trigger == 14 ? 0xC0 : trigger == 8 ? 0x80 : trigger == 4 ? 0x40 : 0));
    wr(rig, IER, ERBFI);
}

static inline void update(uart_rig_t *rig)
{
    rig->dev->type->update(rig->dev);
}

static inline bool sent(uart_rig_t *rig, const char *bytes)
{
    return rig->mock.out_len == strlen(bytes) && !memcmp(rig->mock.out, bytes, strlen(bytes));
}

#endif
