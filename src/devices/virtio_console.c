/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The console device: VirtIO 1.2 §5.3.
 *
 * Bytes are moved in the queues' notify alone, straight between chardev and guest memory: the
 * driver's notification and the chardev's notify (by virtio_kick()) lead there. So a port's output
 * belongs to its transmit queue's notify, its input to that of its receive queue, and neither needs
 * a lock. The lock guards the control messages.
 *
 * Control messages to the driver are not queued: each port has a bit for each message that it still
 * needs, so a driver that gives no buffers costs nothing, and one that asks again and again gets no
 * more than one answer at a time.
 */
#include "virtio_console.h"

enum {
    CONSOLE_F_SIZE = 0,
    CONSOLE_F_MULTIPORT = 1,
    CONSOLE_F_EMERG_WRITE = 2,

    CONSOLE_QUEUE_SIZE = 256,
    CONSOLE_CONTROL_SIZE = 64,
    CONSOLE_RX = 0, /* and TX, of port 0; port n > 0 has 2n + 2 and 2n + 3 */
    CONSOLE_TX = 1,
    CONSOLE_CONTROL_RX = 2, /* to the driver */
    CONSOLE_CONTROL_TX = 3,

    CONSOLE_COLS = 0, /* configuration space */
    CONSOLE_MAX_PORTS = 4,
    CONSOLE_EMERG = 8,
    CONSOLE_CONFIG_SIZE = 12,

    /* Events (§5.3.6.2). */
    CONSOLE_DEVICE_READY = 0,
    CONSOLE_PORT_ADD = 1,
    CONSOLE_PORT_READY = 3,
    CONSOLE_CONSOLE_PORT = 4,
    CONSOLE_RESIZE = 5,
    CONSOLE_PORT_OPEN = 6,
    CONSOLE_PORT_NAME = 7,

    CONSOLE_MESSAGE = 8, /* bytes of a message without what follows */
};

typedef struct {
    virtio_console_t *console;
    unsigned index;
    chardev_t *chardev;
    char name[VIRTIO_CONSOLE_NAME_MAX + 1];
    bool is_console;

    virtq_chain_t
        *tx; /* output that waits for the chardev; belongs to the transmit queue's notify */
    uint64_t tx_done;   /* bytes of it that are through */
    uint64_t tx_resume; /* the same for the first chain after a snapshot */

    uint32_t guest_open; /* atomic: the driver wants input */
    uint32_t pending;    /* a bit for each event to send */
    bool ready;          /* the driver has said PORT_READY */
    uint16_t cols, rows;
    bool heard; /* output came since it was introduced; under lock */
} console_port_t;

struct virtio_console {
    virtio_dev_t *dev;  /* NULL until bind */
    spinlock_t lock;    /* guards pending, ready, cols, rows */
    spinlock_t sending; /* held while messages go to the driver; outside of lock */
    unsigned flags, count;
    bool multiport;                      /* offered */
    uint32_t opened;                     /* atomic: ports were opened, and may have input */
    uint8_t config[CONSOLE_CONFIG_SIZE]; /* the first contents */
    console_port_t port[VIRTIO_CONSOLE_PORTS_MAX];
};

static unsigned rx_queue(unsigned port)
{
    return port ? 2 * port + 2 : CONSOLE_RX;
}

static console_port_t *port_of_queue(virtio_console_t *console, unsigned queue)
{
    return &console->port[queue < CONSOLE_CONTROL_RX ? 0 : queue / 2 - 1];
}

static bool console_multiport(const virtio_console_t *console)
{
    return virtio_has_feature(console->dev, VIRTIO_BIT(CONSOLE_F_MULTIPORT));
}

/* --- Bytes --- */

/* Moves bytes from a chain to the chardev; true when the chain is through (or stale). */
static bool port_send(console_port_t *port, virtq_chain_t *chain)
{
    virtq_span_t span;
    bool all = true;
    if (!virtq_begin(chain)) {
        return true;
    }
    virtq_seek_readable(chain, port->tx_done);
    while (all && virtq_next_readable(chain, SIZE_MAX, &span)) {
        size_t sent = chardev_write(port->chardev, span.ptr, span.len);
        all = sent >= span.len;
        port->tx_done += all ? span.len : sent;
    }
    virtq_end(chain);
    return all;
}

/*
 * Linux forgets a window size that comes before somebody has opened the port's tty, which only output
 * shows: with the first of it the size is told once more.
 */
static void port_hear(console_port_t *port)
{
    virtio_console_t *console = port->console;
    bool multiport = console_multiport(console);
    spin_lock(&console->lock);
    bool sized = (port->cols || port->rows) && (multiport ? port->ready : port->index == 0);
    bool tell = sized && !__atomic_exchange_n(&port->heard, true, __ATOMIC_RELAXED);
    port->pending |= tell && multiport ? UINT32_C(1) << CONSOLE_RESIZE : 0;
    spin_unlock(&console->lock);
    if (tell && multiport) {
        virtio_kick(console->dev, CONSOLE_CONTROL_RX);
    } else if (tell) {
        virtio_config_changed(console->dev);
    }
}

/* §5.3.6: everything in the transmit queue, as long as the chardev takes it. */
static void port_transmit(console_port_t *port, virtq_t *vq)
{
    for (;;) {
        if (!port->tx) {
            port->tx = virtq_pop(vq);
            port->tx_done = port->tx_resume;
            port->tx_resume = 0;
        }
        if (!port->tx || !port_send(port, port->tx)) {
            break;
        }
        virtq_push(port->tx, 0);
        port->tx = NULL;
        if (!__atomic_load_n(&port->heard, __ATOMIC_RELAXED)) {
            port_hear(port);
        }
    }
    virtq_notify(vq);
}

/* Bytes from the chardev that go into a chain. */
static size_t port_fill(console_port_t *port, virtq_chain_t *chain)
{
    virtq_span_t span;
    size_t total = 0, got = 1;
    if (!virtq_begin(chain)) {
        return 0;
    }
    while (got && virtq_next_writable(chain, SIZE_MAX, &span)) {
        got = chardev_read(port->chardev, span.ptr, span.len);
        total += got;
        got = got < span.len ? 0 : got;
    }
    virtq_end(chain);
    return total;
}

static void port_receive(console_port_t *port, virtq_t *vq)
{
    virtq_chain_t *chain;
    bool open =
        !console_multiport(port->console) || __atomic_load_n(&port->guest_open, __ATOMIC_ACQUIRE);
    while (open && (chardev_poll(port->chardev) & CHARDEV_RX) && (chain = virtq_pop(vq))) {
        bool room = virtq_writable_left(chain) != 0;
        size_t got = port_fill(port, chain);
        if (!got && room && virtq_live(chain)) {
            virtq_unpop(chain);
            break;
        }
        virtq_push(chain, got);
    }
    virtq_notify(vq);
}

static void port_on_chardev(void *opaque, uint32_t flags)
{
    console_port_t *port = opaque;
    virtio_dev_t *dev = __atomic_load_n(&port->console->dev, __ATOMIC_ACQUIRE);
    unsigned rx = rx_queue(port->index);
    if (!dev) {
        return;
    }
    if (flags & CHARDEV_RX) {
        virtio_kick(dev, rx);
    }
    if (flags & CHARDEV_TX) {
        virtio_kick(dev, rx + 1);
    }
}

/* --- Control messages --- */

/* The next message that a port needs, in the order in which drivers want them; 0: none. */
static unsigned port_next_event(const console_port_t *port)
{
    static const uint8_t order[] = {CONSOLE_PORT_ADD, CONSOLE_CONSOLE_PORT, CONSOLE_PORT_NAME,
                                    CONSOLE_PORT_OPEN, CONSOLE_RESIZE};
    for (unsigned i = 0; i < sizeof(order); i++) {
        if (port->pending & UINT32_C(1) << order[i]) {
            return order[i];
        }
    }
    return 0;
}

/* Makes a message; returns its length. */
static size_t port_message(const console_port_t *port, unsigned event, uint8_t *out)
{
    bool rows_first = port->console->flags & VIRTIO_CONSOLE_ROWS_FIRST;
    size_t size = CONSOLE_MESSAGE;
    write_uint32_le_m(out, port->index);
    write_uint16_le_m(out + 4, (uint16_t)event);
    write_uint16_le_m(out + 6, event == CONSOLE_PORT_OPEN || event == CONSOLE_CONSOLE_PORT);
    if (event == CONSOLE_RESIZE) {
        write_uint16_le_m(out + size, rows_first ? port->rows : port->cols);
        write_uint16_le_m(out + size + 2, rows_first ? port->cols : port->rows);
        size += 4;
    } else if (event == CONSOLE_PORT_NAME) {
        size_t len = strlen(port->name) + 1;
        memcpy(out + size, port->name, len);
        size += len;
    }
    return size;
}

/* Takes the next message of any port; 0 bytes: there is none. */
static size_t console_next_message(virtio_console_t *console, uint8_t *out, console_port_t **from,
                                   unsigned *event)
{
    size_t size = 0;
    spin_lock(&console->lock);
    for (unsigned i = 0; i < console->count && !size; i++) {
        console_port_t *port = &console->port[i];
        *event = port_next_event(port);
        if (*event) {
            port->pending &= ~(UINT32_C(1) << *event);
            *from = port;
            size = port_message(port, *event, out);
        }
    }
    spin_unlock(&console->lock);
    return size;
}

static void port_want(console_port_t *port, uint32_t events)
{
    spin_lock(&port->console->lock);
    port->pending |= events;
    spin_unlock(&port->console->lock);
}

static void console_send_control(virtio_console_t *console, virtq_t *vq)
{
    uint8_t message[CONSOLE_MESSAGE + VIRTIO_CONSOLE_NAME_MAX + 1];
    console_port_t *port = NULL;
    unsigned event = 0;
    size_t size;
    spin_lock_slow(&console->sending);
    while ((size = console_next_message(console, message, &port, &event))) {
        virtq_chain_t *chain = virtq_pop(vq);
        if (!chain) {
            port_want(port, UINT32_C(1) << event);
            break;
        }
        /* A buffer that is too short for a message is a lost one. */
        virtq_push(chain, virtq_write_all(chain, message, size) ? size : 0);
    }
    spin_unlock(&console->sending);
    virtq_notify(vq);
}

/* PORT_READY: what there is to say of a port. */
static void port_introduce(console_port_t *port, bool ok)
{
    uint32_t events = UINT32_C(1) << CONSOLE_PORT_OPEN;
    if (!ok) {
        return;
    }
    events |= port->is_console ? UINT32_C(1) << CONSOLE_CONSOLE_PORT : 0;
    events |= port->name[0] ? UINT32_C(1) << CONSOLE_PORT_NAME : 0;
    spin_lock(&port->console->lock);
    events |= port->cols || port->rows ? UINT32_C(1) << CONSOLE_RESIZE : 0;
    port->ready = true;
    __atomic_store_n(&port->heard, false, __ATOMIC_RELAXED);
    port->pending |= events;
    spin_unlock(&port->console->lock);
}

/* A message from the driver; ports that do not exist are none of ours. */
static void console_obey(virtio_console_t *console, const uint8_t *message)
{
    uint32_t id = read_uint32_le_m(message);
    unsigned event = read_uint16_le_m(message + 4), value = read_uint16_le_m(message + 6);
    if (event == CONSOLE_DEVICE_READY) {
        for (unsigned i = 0; i < console->count && value; i++) {
            port_want(&console->port[i], UINT32_C(1) << CONSOLE_PORT_ADD);
        }
    } else if (id < console->count && event == CONSOLE_PORT_READY) {
        port_introduce(&console->port[id], value != 0);
    } else if (id < console->count && event == CONSOLE_PORT_OPEN) {
        __atomic_store_n(&console->port[id].guest_open, value != 0, __ATOMIC_RELEASE);
        __atomic_store_n(&console->opened, 1, __ATOMIC_RELEASE);
    }
}

static void console_read_control(virtio_console_t *console, virtq_t *vq)
{
    uint8_t message[CONSOLE_MESSAGE];
    virtq_chain_t *chain;
    while ((chain = virtq_pop(vq))) {
        if (virtq_read_all(chain, message, sizeof(message))) {
            console_obey(console, message);
        }
        virtq_push(chain, 0);
    }
    virtq_notify(vq);
    console_send_control(console, virtio_queue(console->dev, CONSOLE_CONTROL_RX));
}

/* --- The device --- */

static void console_notify(void *data, unsigned queue)
{
    virtio_console_t *console = data;
    virtq_t *vq = virtio_queue(console->dev, queue);
    if (queue == CONSOLE_CONTROL_RX) {
        console_send_control(console, vq);
    } else if (queue == CONSOLE_CONTROL_TX) {
        console_read_control(console, vq);
    } else if (queue & 1) {
        port_transmit(port_of_queue(console, queue), vq);
    } else {
        port_receive(port_of_queue(console, queue), vq);
    }
}

/* Chardevs are looked at from time to time, and ports that were just opened have their input
 * fetched. */
static void console_update(void *data)
{
    virtio_console_t *console = data;
    bool opened = __atomic_exchange_n(&console->opened, 0, __ATOMIC_ACQ_REL);
    for (unsigned i = 0; i < console->count; i++) {
        chardev_t *chardev = console->port[i].chardev;
        chardev_update(chardev);
        /* A back end may have told of a change (RVVM's terminal does) before anyone waited for it. */
        port_on_chardev(&console->port[i], chardev_poll(chardev) | (opened ? CHARDEV_RX : 0));
    }
}

/* The whole configuration space, as the driver is to see it. */
static void console_put_config(virtio_console_t *console)
{
    uint8_t config[CONSOLE_CONFIG_SIZE] = {0};
    spin_lock(&console->lock);
    write_uint16_le_m(config + CONSOLE_COLS, console->port[0].cols);
    write_uint16_le_m(config + CONSOLE_COLS + 2, console->port[0].rows);
    spin_unlock(&console->lock);
    write_uint32_le_m(config + CONSOLE_MAX_PORTS, console->count);
    virtio_config_set(console->dev, 0, config, sizeof(config));
}

/* §5.3.4: emerg_wr sends one character, also without a driver that is ready. */
static void console_config_written(void *data, size_t offset, size_t len)
{
    virtio_console_t *console = data;
    uint8_t byte;
    virtio_config_get(console->dev, CONSOLE_EMERG, &byte, 1);
    if (offset <= CONSOLE_EMERG && offset + len > CONSOLE_EMERG) {
        chardev_write(console->port[0].chardev, &byte, 1);
    }
    console_put_config(console);
}

static void port_drop_tx(console_port_t *port)
{
    if (port->tx) {
        virtq_push(port->tx, 0);
    }
    port->tx = NULL;
    port->tx_done = port->tx_resume = 0;
}

static void console_reset(void *data)
{
    virtio_console_t *console = data;
    for (unsigned i = 0; i < console->count; i++) {
        console_port_t *port = &console->port[i];
        port_drop_tx(port);
        __atomic_store_n(&port->guest_open, 0, __ATOMIC_RELEASE);
        spin_lock(&console->lock);
        port->pending = 0;
        port->ready = false;
        __atomic_store_n(&port->heard, false, __ATOMIC_RELAXED);
        spin_unlock(&console->lock);
    }
}

static void console_queue_reset(void *data, unsigned queue)
{
    if (queue != CONSOLE_CONTROL_RX && queue != CONSOLE_CONTROL_TX && (queue & 1)) {
        port_drop_tx(port_of_queue(data, queue));
    }
}

/* Output that is partly through is popped again in the resumed machine, and goes on where it was.
 */
static void console_suspend(void *data, rvvm_snapshot_t *snap, bool resume)
{
    virtio_console_t *console = data;
    for (unsigned i = 0; snap && i < console->count; i++) {
        console_port_t *port = &console->port[i];
        uint64_t done = port->tx ? port->tx_done : port->tx_resume;
        uint8_t ready = port->ready,
                open = __atomic_load_n(&port->guest_open, __ATOMIC_ACQUIRE) != 0;
        uint32_t pending = port->pending;
        bool ok = rvvm_snapshot_field(snap, done) && rvvm_snapshot_field(snap, pending) &&
                  rvvm_snapshot_field(snap, ready) && rvvm_snapshot_field(snap, open);
        if (ok && resume) {
            port->tx_resume = done;
            port->ready = ready != 0;
            port->pending = pending & 0xFF;
            port->pending |= ready ? UINT32_C(1) << CONSOLE_RESIZE : 0;
            __atomic_store_n(&port->guest_open, open, __ATOMIC_RELEASE);
        }
    }
    if (snap && resume) {
        console_put_config(console); /* the window is the one of today */
        __atomic_store_n(&console->opened, 1, __ATOMIC_RELEASE);
    }
}

static void console_bind(void *data, virtio_dev_t *dev)
{
    virtio_console_t *console = data;
    __atomic_store_n(&console->dev, dev, __ATOMIC_RELEASE);
}

static void console_remove(void *data)
{
    virtio_console_t *console = data;
    for (unsigned i = 0; i < console->count; i++) {
        chardev_free(console->port[i].chardev);
    }
    free(console);
}

static const virtio_type_t console_type = {
    .name = "virtio-console",
    .bind = console_bind,
    .remove = console_remove,
    .notify = console_notify,
    .config_written = console_config_written,
    .reset = console_reset,
    .queue_reset = console_queue_reset,
    .update = console_update,
    .suspend = console_suspend,
};

static void console_add_port(virtio_console_t *console, const virtio_console_port_t *what)
{
    console_port_t *port = &console->port[console->count];
    *port = (console_port_t){
        .console = console,
        .index = console->count++,
        .chardev = what->chardev,
        .is_console = what->console,
    };
    if (what->name) {
        strncpy(port->name, what->name, VIRTIO_CONSOLE_NAME_MAX);
        console->multiport = true;
    }
    if (port->chardev) {
        port->chardev->io_dev = port;
        port->chardev->notify = port_on_chardev;
    }
}

bool virtio_console_describe(virtio_desc_t *desc, const virtio_console_port_t *ports,
                             unsigned count, unsigned flags)
{
    virtio_console_t *console = calloc(1, sizeof(*console));
    if (!console || !count || count > VIRTIO_CONSOLE_PORTS_MAX) {
        for (unsigned i = 0; i < count; i++) {
            chardev_free(ports[i].chardev);
        }
        free(console);
        return false;
    }
    console->flags = flags;
    console->multiport = count > 1 || (flags & VIRTIO_CONSOLE_MULTIPORT);
    for (unsigned i = 0; i < count; i++) {
        console_add_port(console, &ports[i]);
    }
    write_uint32_le_m(console->config + CONSOLE_MAX_PORTS, count);
    *desc = (virtio_desc_t){
        .type = &console_type,
        .data = console,
        .id = VIRTIO_ID_CONSOLE,
        .features = VIRTIO_BIT(CONSOLE_F_SIZE) | VIRTIO_BIT(CONSOLE_F_EMERG_WRITE) |
                    (console->multiport ? VIRTIO_BIT(CONSOLE_F_MULTIPORT) : 0),
        .queues = console->multiport ? 2 * count + 2 : 2,
        .config_size = CONSOLE_CONFIG_SIZE,
        .config = console->config,
    };
    for (unsigned i = 0; i < desc->queues; i++) {
        bool control = i == CONSOLE_CONTROL_RX || i == CONSOLE_CONTROL_TX;
        desc->queue_size[i] = control ? CONSOLE_CONTROL_SIZE : CONSOLE_QUEUE_SIZE;
    }
    return true;
}

void virtio_console_resize(virtio_console_t *console, unsigned index, uint16_t cols, uint16_t rows)
{
    if (index >= console->count) {
        return;
    }
    console_port_t *port = &console->port[index];
    uint8_t size[4];
    write_uint16_le_m(size, cols);
    write_uint16_le_m(size + 2, rows);
    spin_lock(&console->lock);
    bool same = port->cols == cols && port->rows == rows;
    port->cols = cols;
    port->rows = rows;
    bool tell = port->ready && !same;
    port->pending |= tell ? UINT32_C(1) << CONSOLE_RESIZE : 0;
    spin_unlock(&console->lock);
    if (index == 0 && !same) {
        virtio_config_set(console->dev, CONSOLE_COLS, size, sizeof(size));
        virtio_config_changed(console->dev);
    }
    if (tell) {
        virtio_kick(console->dev, CONSOLE_CONTROL_RX);
    }
}
