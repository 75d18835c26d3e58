/* SPDX-License-Identifier: MPL-2.0 */
/* The console's rules: VirtIO 1.2 §5.3. */
#include "devices/virtio_console.h"
#include "virtio_driver.h"

#define V1 VIRTIO_F_VERSION_1
#define SIZE VIRTIO_BIT(0)
#define MULTIPORT VIRTIO_BIT(1)
#define EMERG VIRTIO_BIT(2)

enum { RX0, TX0, CONTROL_RX, CONTROL_TX, RX1, TX1, LINE = 1 << 20 };
enum {
    DEVICE_READY,
    PORT_ADD,
    PORT_REMOVE,
    PORT_READY,
    CONSOLE_PORT,
    RESIZE,
    PORT_OPEN,
    PORT_NAME
};

/* The other end of a port: what it will say, what it has heard, and how much it takes. */
typedef struct {
    chardev_t dev;
    const uint8_t *say;
    size_t said, say_size;
    uint8_t *heard;
    size_t heard_size, room;
    unsigned frees, updates;
} end_t;

static vd_t vd;
static end_t end[2];
static virtio_console_t *console;

static uint32_t end_poll(chardev_t *dev)
{
    end_t *e = dev->data;
    return (e->said < e->say_size ? CHARDEV_RX : 0) | (e->heard_size < e->room ? CHARDEV_TX : 0);
}

static size_t end_read(chardev_t *dev, void *buf, size_t size)
{
    end_t *e = dev->data;
    size_t left = e->say_size - e->said;
    size = size < left ? size : left;
    memcpy(buf, e->say + e->said, size);
    e->said += size;
    return size;
}

static size_t end_write(chardev_t *dev, const void *buf, size_t size)
{
    end_t *e = dev->data;
    size_t left = e->room - e->heard_size;
    size = size < left ? size : left;
    memcpy(e->heard + e->heard_size, buf, size);
    e->heard_size += size;
    return size;
}

static void end_update(chardev_t *dev)
{
    ((end_t *)dev->data)->updates++;
}

static void end_remove(chardev_t *dev)
{
    end_t *e = dev->data;
    free(e->heard);
    e->frees++;
}

static void up(unsigned ports, unsigned how, uint64_t features, unsigned flags)
{
    virtio_console_port_t port[2];
    virtio_desc_t desc;
    vd_machine(&vd);
    for (unsigned i = 0; i < ports; i++) {
        end[i] = (end_t){.room = LINE, .heard = malloc(LINE)};
        end[i].dev = (chardev_t){.poll = end_poll,
                                 .read = end_read,
                                 .write = end_write,
                                 .update = end_update,
                                 .remove = end_remove,
                                 .data = &end[i]};
        port[i] = (virtio_console_port_t){&end[i].dev, i ? "org.port" : NULL, i == 0};
    }
    CHECK(virtio_console_describe(&desc, port, ports, how));
    console = desc.data;
    CHECK(vd_attach(&vd, &desc, flags));
    CHECK(vd_start(&vd, features));
}

static void down(unsigned ports)
{
    vd_close(&vd);
    for (unsigned i = 0; i < ports; i++) {
        CHECK_EQ(1, end[i].frees);
    }
}

static void say(unsigned port, const void *bytes, size_t size)
{
    end[port].say = bytes;
    end[port].said = 0;
    end[port].say_size = size;
    chardev_notify(&end[port].dev, CHARDEV_RX);
}

TEST(identity)
{
    uint8_t config[12];
    up(1, 0, V1, 0);
    CHECK_EQ(3, vd_read(&vd, VD_DEVICE_ID));
    CHECK_EQ(SIZE | EMERG, vd_offered(&vd) & 0xFFFFFF);
    vd_config_read(&vd, 0, config, 12, 4);
    CHECK_EQ(1, read_uint32_le_m(config + 4));
    vd_write(&vd, VD_QUEUE_SEL, 2);
    CHECK_EQ(0, vd_read(&vd, VD_QUEUE_NUM_MAX));
    down(1);
    up(2, 0, V1, 0);
    CHECK_EQ(SIZE | MULTIPORT | EMERG, vd_offered(&vd) & 0xFFFFFF);
    vd_write(&vd, VD_QUEUE_SEL, 5);
    CHECK(vd_read(&vd, VD_QUEUE_NUM_MAX) != 0);
    down(2);
}

/* Many bytes in one chain each way, over several buffers. */
static void bytes_both_ways(uint64_t features, unsigned flags)
{
    static uint8_t text[300000];
    up(1, 0, features, flags);
    uint64_t mem = vd_alloc(&vd, sizeof(text));
    for (size_t i = 0; i < sizeof(text); i++) {
        text[i] = (uint8_t)(i * 7 + (i >> 8));
    }
    memcpy(vd_ptr(&vd, mem), text, sizeof(text));
    const vd_buf_t out[2] = {{mem, 1000, false}, {mem + 1000, sizeof(text) - 1000, false}};
    uint32_t len = 1;
    uint16_t id = 0;
    CHECK(vd_request(&vd, TX0, out, 2, &len));
    CHECK_EQ(0, len);
    CHECK_EQ(sizeof(text), end[0].heard_size);
    CHECK(!memcmp(text, end[0].heard, sizeof(text)));
    memset(vd_ptr(&vd, mem), 0, sizeof(text));
    const vd_buf_t in[2] = {{mem, 1000, true}, {mem + 1000, sizeof(text) - 1000, true}};
    vd_add(&vd, RX0, in, 2);
    vd_kick(&vd, RX0);
    CHECK(!vd_used(&vd, RX0, &id, &len));
    say(0, text, sizeof(text));
    CHECK(vd_used(&vd, RX0, &id, &len));
    CHECK_EQ(sizeof(text), len);
    CHECK(!memcmp(text, vd_ptr(&vd, mem), sizeof(text)));
    CHECK(vd_irq(&vd));
    down(1);
}

TEST(bytes_split)
{
    bytes_both_ways(V1, 0);
}

TEST(bytes_packed)
{
    bytes_both_ways(V1 | VIRTIO_F_RING_PACKED | VIRTIO_F_EVENT_IDX, 0);
}

TEST(bytes_legacy)
{
    bytes_both_ways(0, VIRTIO_MMIO_LEGACY);
}

TEST(output_waits)
{
    up(1, 0, V1, 0);
    uint64_t mem = vd_alloc(&vd, 100);
    const vd_buf_t out[2] = {{mem, 50, false}, {mem + 50, 50, false}};
    uint16_t id = 0;
    uint32_t len = 0;
    for (unsigned i = 0; i < 100; i++) {
        ((uint8_t *)vd_ptr(&vd, mem))[i] = (uint8_t)i;
    }
    end[0].room = 70;
    CHECK(!vd_request(&vd, TX0, out, 2, &len));
    CHECK_EQ(70, end[0].heard_size);
    end[0].room = 100;
    chardev_notify(&end[0].dev, CHARDEV_TX);
    CHECK(vd_used(&vd, TX0, &id, &len));
    CHECK_EQ(100, end[0].heard_size);
    for (unsigned i = 0; i < 100; i++) {
        CHECK_EQ(i, end[0].heard[i]);
    }
    down(1);
}

TEST(input_waits)
{
    up(1, 0, V1, 0);
    const vd_buf_t in = {vd_alloc(&vd, 16), 2, true};
    uint16_t id = 0;
    uint32_t len = 0;
    say(0, "hello", 5);
    CHECK_EQ(0, end[0].said);
    for (unsigned want = 2; want; want--) {
        vd_add(&vd, RX0, &in, 1);
        vd_kick(&vd, RX0);
        CHECK(vd_used(&vd, RX0, &id, &len));
        CHECK_EQ(2, len);
    }
    CHECK_EQ('l', *(uint8_t *)vd_ptr(&vd, in.addr));
    CHECK_EQ(4, end[0].said);
    vd_update(&vd);
    CHECK_EQ(1, end[0].updates);
    down(1);
}

TEST(reset_with_output)
{
    up(1, 0, V1, 0);
    const vd_buf_t out = {vd_alloc(&vd, 100), 100, false};
    uint32_t len = 0;
    end[0].room = 10;
    CHECK(!vd_request(&vd, TX0, &out, 1, &len));
    CHECK(vd_start(&vd, V1));
    end[0].room = 1000;
    chardev_notify(&end[0].dev, CHARDEV_TX);
    CHECK_EQ(10, end[0].heard_size);
    CHECK(vd_request(&vd, TX0, &out, 1, &len));
    CHECK_EQ(110, end[0].heard_size);
    down(1);
}

TEST(size_in_config)
{
    uint8_t config[4];
    up(1, 0, V1 | SIZE, 0);
    uint32_t generation = vd_read(&vd, VD_CONFIG_GENERATION);
    virtio_console_resize(console, 0, 132, 50);
    CHECK_EQ(2, vd_ack(&vd));
    CHECK(generation != vd_read(&vd, VD_CONFIG_GENERATION));
    vd_config_read(&vd, 0, config, 4, 2);
    CHECK_EQ(132, read_uint16_le_m(config));
    CHECK_EQ(50, read_uint16_le_m(config + 2));
    virtio_console_resize(console, 0, 132, 50);
    CHECK(!vd_irq(&vd));
    virtio_console_resize(console, 1, 1, 1);
    down(1);
}

/* A size that came before anybody opened the guest's tty is told again with the first output, once. */
TEST(size_again)
{
    up(1, 0, V1 | SIZE, 0);
    const vd_buf_t out = {vd_alloc(&vd, 1), 1, false};
    uint32_t len = 0;
    for (unsigned life = 0; life < 2; life++) {
        virtio_console_resize(console, 0, 132, (uint16_t)(50 + life));
        vd_ack(&vd);
        CHECK(vd_request(&vd, TX0, &out, 1, &len));
        CHECK_EQ(3, vd_ack(&vd)); /* buffer used, and configuration */
        CHECK(vd_request(&vd, TX0, &out, 1, &len));
        CHECK_EQ(1, vd_ack(&vd));
        CHECK(vd_start(&vd, V1 | SIZE));
    }
    down(1);
}

TEST(emergency)
{
    static const uint8_t letter[4] = {'!', 1, 2, 3};
    uint8_t config[12];
    up(1, 0, V1 | EMERG, 0);
    vd_write(&vd, VD_STATUS, 0);
    vd_config_write(&vd, 8, letter, 4, 4);
    CHECK_EQ(1, end[0].heard_size);
    CHECK_EQ('!', end[0].heard[0]);
    vd_config_write(&vd, 0, letter, 4, 4);
    vd_config_write(&vd, 4, letter, 4, 4);
    CHECK_EQ(1, end[0].heard_size);
    vd_config_read(&vd, 0, config, 12, 4);
    CHECK_EQ(0, read_uint32_le_m(config));
    CHECK_EQ(1, read_uint32_le_m(config + 4));
    down(1);
}

/* --- Multiport --- */

static uint64_t control_mem;

static void control_buffers(unsigned count)
{
    control_mem = vd_alloc(&vd, (size_t)count * 128);
    for (unsigned i = 0; i < count; i++) {
        const vd_buf_t buf = {control_mem + 128 * i, 128, true};
        vd_add(&vd, CONTROL_RX, &buf, 1);
    }
    vd_kick(&vd, CONTROL_RX);
}

static void control(uint32_t id, uint16_t event, uint16_t value)
{
    const vd_buf_t buf = {vd_alloc(&vd, 8), 8, false};
    uint8_t *p = vd_ptr(&vd, buf.addr);
    uint32_t len = 0;
    write_uint32_le_m(p, id);
    write_uint16_le_m(p + 4, event);
    write_uint16_le_m(p + 6, value);
    CHECK(vd_request(&vd, CONTROL_TX, &buf, 1, &len));
}

/* The next message must be this one; returns what follows its header. Buffers are used in order. */
static const uint8_t *expect(unsigned *at, uint32_t id, uint16_t event, uint16_t value,
                             uint32_t size)
{
    uint16_t used = 0;
    uint32_t len = 0;
    const uint8_t *p = vd_ptr(&vd, control_mem + 128 * (*at)++);
    CHECK(vd_used(&vd, CONTROL_RX, &used, &len));
    CHECK_EQ(size, len);
    CHECK_EQ(id, read_uint32_le_m(p));
    CHECK_EQ(event, read_uint16_le_m(p + 4));
    CHECK_EQ(value, read_uint16_le_m(p + 6));
    return p + 8;
}

static void multiport(unsigned how, uint64_t extra)
{
    unsigned at = 0;
    up(2, how, V1 | SIZE | MULTIPORT | extra, 0);
    virtio_console_resize(console, 1, 80, 25);
    control_buffers(16);
    control(0, DEVICE_READY, 1);
    expect(&at, 0, PORT_ADD, 0, 8);
    expect(&at, 1, PORT_ADD, 0, 8);
    control(0, PORT_READY, 1);
    expect(&at, 0, CONSOLE_PORT, 1, 8);
    expect(&at, 0, PORT_OPEN, 1, 8);
    control(1, PORT_READY, 1);
    CHECK(!memcmp("org.port", expect(&at, 1, PORT_NAME, 0, 17), 9));
    expect(&at, 1, PORT_OPEN, 1, 8);
    bool rows_first = how & VIRTIO_CONSOLE_ROWS_FIRST;
    const uint8_t *size = expect(&at, 1, RESIZE, 0, 12);
    CHECK_EQ(rows_first ? 25 : 80, read_uint16_le_m(size));
    CHECK_EQ(rows_first ? 80 : 25, read_uint16_le_m(size + 2));
    virtio_console_resize(console, 0, 100, 30);
    expect(&at, 0, RESIZE, 0, 12);
}

TEST(multiport_hello)
{
    multiport(0, 0);
    down(2);
    multiport(0, VIRTIO_F_RING_PACKED);
    down(2);
    multiport(VIRTIO_CONSOLE_ROWS_FIRST, 0);
    down(2);
}

TEST(multiport_bytes)
{
    uint16_t id = 0;
    uint32_t len = 0;
    multiport(0, 0);
    uint64_t mem = vd_alloc(&vd, 64);
    const vd_buf_t out = {mem, 10, false}, in = {mem, 32, true};
    CHECK(vd_request(&vd, TX1, &out, 1, &len));
    CHECK_EQ(10, end[1].heard_size);
    CHECK_EQ(0, end[0].heard_size);
    vd_add(&vd, RX1, &in, 1);
    vd_kick(&vd, RX1);
    say(1, "abc", 3);
    CHECK(!vd_used(&vd, RX1, &id, &len)); /* the guest has not opened it */
    control(1, PORT_OPEN, 1);
    vd_update(&vd);
    CHECK(vd_used(&vd, RX1, &id, &len));
    CHECK_EQ(3, len);
    control(1, PORT_OPEN, 0);
    vd_add(&vd, RX1, &in, 1);
    vd_kick(&vd, RX1);
    say(1, "abc", 3);
    CHECK(!vd_used(&vd, RX1, &id, &len));
    down(2);
}

TEST(multiport_no_buffers)
{
    unsigned at = 0;
    up(2, 0, V1 | MULTIPORT, 0);
    for (unsigned i = 0; i < 20; i++) {
        control(0, DEVICE_READY, 1);
        control(99, PORT_READY, 1);
        control(0xFFFFFFFF, PORT_OPEN, 1);
        control(1, 77, 1);
    }
    control(1, PORT_READY, 0);
    control_buffers(8);
    expect(&at, 0, PORT_ADD, 0, 8);
    expect(&at, 1, PORT_ADD, 0, 8);
    uint16_t id = 0;
    uint32_t len = 0;
    CHECK(!vd_used(&vd, CONTROL_RX, &id, &len));
    CHECK(!vd_broken(&vd));
    down(2);
}

TEST(multiport_declined)
{
    uint32_t len = 0;
    up(2, 0, V1, 0);
    const vd_buf_t out = {vd_alloc(&vd, 16), 10, false};
    CHECK(vd_request(&vd, TX0, &out, 1, &len));
    CHECK_EQ(10, end[0].heard_size);
    down(2);
}

int main(void)
{
    PROVE(identity,
          "5.3.1-4: device id 3; queues and features for one port and for two; max_nr_ports");
    PROVE(bytes_split, "5.3.6: bytes in bulk, both ways, over several buffers (split ring)");
    PROVE(bytes_packed, "5.3.6: the same (packed ring, event index)");
    PROVE(bytes_legacy, "5.3.6: the same (legacy interface)");
    PROVE(output_waits,
          "output that the back end does not take waits, and none is lost or sent twice");
    PROVE(input_waits, "input waits for the driver's buffers");
    PROVE(reset_with_output, "a reset drops output that waits, and the port works again");
    RUN(size_again);
    PROVE(size_in_config,
          "5.3.4: cols and rows with F_SIZE, and a configuration change notification");
    PROVE(emergency,
          "5.3.4: emerg_wr sends its lower byte before the driver is ready; the rest is read-only");
    PROVE(multiport_hello, "5.3.6.2: PORT_ADD, CONSOLE_PORT, PORT_NAME, PORT_OPEN, RESIZE");
    PROVE(multiport_bytes,
          "5.3.6.2: ports are apart; input waits until the guest has opened the port");
    PROVE(multiport_no_buffers, "messages are owed once, and unknown ports and events are ignored");
    PROVE(multiport_declined, "5.3.5: without F_MULTIPORT, port 0 alone works at once");
    return rig_finish("virtio-console");
}
