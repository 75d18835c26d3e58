/* SPDX-License-Identifier: MPL-2.0 */
/* RVVM's own devices, from its sources as they are, on this machine: tests/upstream/devices.sh builds this. */
#include <rvvm/compat.h>

#include <time.h>

#include "eth-oc.h"
#include "gpio-sifive.h"
#include "hid_api.h"
#include "i2c-hid.h"
#include "i2c-oc.h"
#include "ns16550a.h"
#include "rtc-ds1742.h"

#include "../tap.h"

/* --- What stands behind the devices --- */

static struct {
    unsigned opens, closes, frames;
    tap_net_dev_t nic;
} tap;

struct tap_dev {
    char unused;
};

tap_dev_t *tap_open(void)
{
    static tap_dev_t dev;
    tap.opens++;
    return &dev;
}

void tap_attach(tap_dev_t *dev, const tap_net_dev_t *nic)
{
    (void)dev;
    tap.nic = *nic;
}

bool tap_send(tap_dev_t *dev, const void *data, size_t size)
{
    (void)dev;
    tap.frames += data && size;
    return true;
}

bool tap_get_mac(tap_dev_t *dev, uint8_t mac[6])
{
    (void)dev;
    memcpy(mac, "\x02\x11\x22\x33\x44\x55", 6);
    return true;
}

bool tap_set_mac(tap_dev_t *dev, const uint8_t mac[6])
{
    (void)dev;
    return mac != NULL;
}

void tap_close(tap_dev_t *dev)
{
    (void)dev;
    tap.closes++;
}

static struct {
    chardev_t chardev;
    char out[8], in;
    unsigned sent, frees;
} line;

static uint32_t line_poll(chardev_t *dev)
{
    (void)dev;
    return CHARDEV_TX | (line.in ? CHARDEV_RX : 0);
}

static size_t line_read(chardev_t *dev, void *buf, size_t size)
{
    (void)dev;
    if (!line.in || !size) {
        return 0;
    }
    *(char *)buf = line.in;
    line.in = 0;
    return 1;
}

static size_t line_write(chardev_t *dev, const void *buf, size_t size)
{
    (void)dev;
    if (line.sent < sizeof(line.out)) {
        line.out[line.sent++] = *(const char *)buf;
    }
    return size;
}

static void line_remove(chardev_t *dev)
{
    (void)dev;
    line.frees++;
}

/* The headers offer UARTs on the terminal; nobody here asks for one. */
chardev_t *chardev_term_create(void)
{
    return NULL;
}

/* --- The machine --- */

static rvvm_machine_t *machine;
static rvvm_irq_dev_t *intc;
static uint32_t levels, edges; /* one bit per line */

static void set_irq(rvvm_irq_dev_t *dev, rvvm_irq_t irq, bool level)
{
    (void)dev;
    uint32_t bit = UINT32_C(1) << (irq & 31);
    edges |= level ? bit : 0;
    levels = level ? levels | bit : levels & ~bit;
}

static void up(void)
{
    static const rvvm_irq_dev_cb_t cb = {.set_irq = set_irq};
    levels = edges = 0;
    machine = rvvm_create_machine(4 << 20, 1, "rv32");
    intc = rvvm_irq_dev_init(&cb, NULL);
    if (!machine || !intc) {
        printf("Bail out! no machine\n");
        exit(1);
    }
    rvvm_set_intc(machine, intc);
}

static void down(void)
{
    rvvm_free_machine(machine);
    rvvm_irq_dev_free(intc);
}

static uint32_t get(void *handle, size_t offset, uint8_t size)
{
    rvvm_mmio_dev_t *dev = handle;
    uint8_t data[8] = {0};
    CHECK(dev->read(dev, data, offset, size));
    return read_uint32_le_m(data);
}

static void put(void *handle, size_t offset, uint8_t size, uint32_t val)
{
    rvvm_mmio_dev_t *dev = handle;
    uint8_t data[8] = {0};
    write_uint32_le_m(data, val);
    CHECK(dev->write(dev, data, offset, size));
}

static bool has_node(const char *name)
{
    return rvvm_fdt_find_reg_any(rvvm_get_fdt_soc(machine), name) != NULL;
}

/* --- The devices --- */

TEST(rtc_ds1742)
{
    time_t now = time(NULL);
    struct tm tm = *gmtime(&now);
    up();
    void *rtc = rtc_ds1742_init_auto(machine);
    CHECK(rtc && has_node("rtc"));
    size_t regs = ((rvvm_mmio_dev_t *)rtc)->size - 8; /* behind its RAM */
    put(rtc, regs, 1, 0x40);
    unsigned year = (unsigned)tm.tm_year % 100;
    CHECK_EQ(year / 10 << 4 | year % 10, get(rtc, regs + 7, 1) & 0xFF);
    down();
}

TEST(gpio_sifive)
{
    up();
    void *gpio = gpio_sifive_init_auto(machine, NULL);
    CHECK(gpio && has_node("gpio"));
    put(gpio, 0x08, 4, 0xA5A5);
    put(gpio, 0x0C, 4, 0x1234);
    CHECK_EQ(0xA5A5, get(gpio, 0x08, 4));
    CHECK_EQ(0x1234, get(gpio, 0x0C, 4));
    down();
}

TEST(eth_oc)
{
    up();
    memset(&tap, 0, sizeof(tap));
    void *eth = ethoc_init_auto(machine);
    CHECK(eth && has_node("ethernet"));
    CHECK(tap.nic.feed_rx != NULL);
    put(eth, 0x20, 4, 64); /* buffer descriptors that transmit */
    CHECK_EQ(64, get(eth, 0x20, 4));
    CHECK_EQ(0x22334455, get(eth, 0x40, 4));
    CHECK_EQ(0x0211, get(eth, 0x44, 4));

    /* One frame from guest RAM: buffer descriptor 0, ready and the last of its ring, then TXEN. */
    memset(rvvm_get_dma_ptr(machine, 0x80001000, 64), 0x5A, 64);
    put(eth, 0x404, 4, 0x80001000);
    put(eth, 0x400, 4, 64u << 16 | 0xE000);
    put(eth, 0x08, 4, 0x7F);
    put(eth, 0x00, 4, get(eth, 0, 4) | 2);
    CHECK_EQ(1, tap.frames);
    CHECK_EQ(0, get(eth, 0x400, 4) & 0x8000);
    CHECK(edges != 0);
    down();
    CHECK_EQ(1, tap.closes);
}

TEST(ns16550a)
{
    up();
    memset(&line, 0, sizeof(line));
    line.chardev = (chardev_t){
        .poll = line_poll, .read = line_read, .write = line_write, .remove = line_remove};
    void *uart = ns16550a_init_auto(machine, &line.chardev);
    CHECK(uart && has_node("uart"));
    CHECK_EQ(0x60, get(uart, 5, 1) & 0x61);
    put(uart, 0, 1, 'A');
    put(uart, 0, 1, 'B');
    CHECK(line.sent == 2 && !memcmp(line.out, "AB", 2));
    put(uart, 1, 1, 1);
    line.in = 'x';
    line.chardev.notify(line.chardev.io_dev, CHARDEV_RX);
    CHECK(edges != 0);
    CHECK_EQ(0x61, get(uart, 5, 1) & 0x61);
    CHECK_EQ('x', get(uart, 0, 1) & 0xFF);
    CHECK_EQ(0x60, get(uart, 5, 1) & 0x61);
    down();
    CHECK_EQ(1, line.frees);
}

/* Starts a transfer; true when a device answers at this address. */
static bool i2c_answers(void *i2c, uint32_t addr)
{
    put(i2c, 0x0C, 1, addr << 1);
    put(i2c, 0x10, 1, 0x90);
    bool ack = !(get(i2c, 0x10, 1) & 0x80);
    put(i2c, 0x10, 1, 0x40);
    return ack;
}

/* What was attached last: the linker (--wrap) brings the call here. */
static rvvm_mmio_dev_t *attached;
rvvm_mmio_dev_t *__real_rvvm_attach_mmio(rvvm_machine_t *where, const rvvm_mmio_dev_t *desc);
rvvm_mmio_dev_t *__wrap_rvvm_attach_mmio(rvvm_machine_t *where, const rvvm_mmio_dev_t *desc);

rvvm_mmio_dev_t *__wrap_rvvm_attach_mmio(rvvm_machine_t *where, const rvvm_mmio_dev_t *desc)
{
    attached = __real_rvvm_attach_mmio(where, desc);
    return attached;
}

TEST(i2c)
{
    up();
    i2c_bus_t *bus = i2c_oc_init_auto(machine);
    void *i2c = attached;
    CHECK(bus && i2c && has_node("i2c"));
    hid_keyboard_t *keyboard = hid_keyboard_init_auto(machine);
    CHECK(keyboard != NULL);
    put(i2c, 0x08, 1, 0x80);
    unsigned found = 0;
    for (uint32_t addr = 8; addr < 120; addr++) {
        found += i2c_answers(i2c, addr);
    }
    CHECK_EQ(1, found);
    uint32_t before = levels;
    hid_keyboard_press(keyboard, 0x04);
    CHECK(levels & ~before);
    down();
}

int main(void)
{
    RUN(rtc_ds1742);
    RUN(gpio_sifive);
    RUN(eth_oc);
    RUN(ns16550a);
    RUN(i2c);
    return tap_finish();
}
