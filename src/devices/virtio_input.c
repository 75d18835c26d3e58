/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The input device: VirtIO 1.2 §5.8.
 *
 * Events wait in a ring for the driver's buffers, which the event queue's notify alone fills; it is
 * called through virtio_kick() when there is something new. A driver that is slow loses events:
 * whole frames, never a part or the order. What is held down (`now`) and what the driver knows of
 * it (`told`) are kept beside the ring, and once there is room again the driver hears the
 * difference: no key stays down.
 */
#include "virtio_input.h"

#include "evdev.h"

#include "../util.h"

enum {
    INPUT_EVENTS = 0,
    INPUT_STATUS = 1,
    INPUT_QUEUES = 2,
    INPUT_QUEUE_SIZE = 64,
    INPUT_EVENT = 8, /* bytes */

    /* Configuration space (§5.8.4). */
    CFG_SELECT = 0,
    CFG_SUBSEL = 1,
    CFG_SIZE = 2,
    CFG_UNION = 8,
    CFG_UNION_SIZE = 128,
    CFG_ALL = CFG_UNION + CFG_UNION_SIZE,
    CFG_ID_NAME = 0x01,
    CFG_ID_SERIAL = 0x02,
    CFG_ID_DEVIDS = 0x03,
    CFG_PROP_BITS = 0x10,
    CFG_EV_BITS = 0x11,
    CFG_ABS_INFO = 0x12,

    BUS_VIRTUAL = 0x06,

    RING = 512,     /* events that wait; a power of two */
    FRAME_MAX = 10, /* events of one frame */
    TRACKING_MAX = 0xFFFF,
    NO_FINGER = -1,
    BUTTONS = 5,
};

typedef struct {
    uint16_t type, code;
    int32_t value;
} evdev_event_t;

typedef struct {
    int32_t id; /* NO_FINGER: not down */
    int32_t x, y;
} finger_t;

/* What is held where. */
typedef struct {
    uint8_t key[EVDEV_KEYS / 8];
    int32_t x, y;
    finger_t finger[INPUT_SLOTS];
} held_t;

typedef struct {
    input_host_t host;
    virtio_dev_t *dev;
    unsigned kind;
    uint32_t leds; /* the status queue's own */

    spinlock_t lock; /* guards what follows */
    evdev_event_t ring[RING];
    uint32_t head, tail; /* tail counts on; RING at most between them */
    bool lost;           /* now and told differ */
    held_t now, told;
    int32_t next_id;
    int32_t wheel[2]; /* parts of a notch, x and y */
} virtio_input_t;

/* --- Frames. The lock is held. --- */

static bool bit_of(const uint8_t *bits, unsigned n)
{
    return bits[n / 8] >> (n % 8) & 1;
}

static void set_bit(uint8_t *bits, unsigned n, bool on)
{
    bits[n / 8] = (uint8_t)((bits[n / 8] & ~(1u << (n % 8))) | (unsigned)on << (n % 8));
}

static uint32_t ring_room(const virtio_input_t *input)
{
    return RING - (input->tail - input->head);
}

static void ring_put(virtio_input_t *input, uint16_t type, unsigned code, int32_t value)
{
    input->ring[input->tail++ % RING] = (evdev_event_t){type, (uint16_t)code, value};
}

static void ring_sync(virtio_input_t *input)
{
    ring_put(input, EVDEV_SYN, 0, 0);
}

/* A frame may begin: the driver is there and knows all that came before. */
static bool frame_begins(virtio_input_t *input)
{
    if (!input->lost && ring_room(input) >= FRAME_MAX) {
        return true;
    }
    input->lost = true;
    return false;
}

static void put_key(virtio_input_t *input, unsigned code, bool down)
{
    ring_put(input, EVDEV_KEY, code, down);
    set_bit(input->told.key, code, down);
}

static void on_key(virtio_input_t *input, unsigned code, bool down)
{
    set_bit(input->now.key, code, down);
    if (code && frame_begins(input)) {
        put_key(input, code, down);
        ring_sync(input);
    }
}

static void on_move(virtio_input_t *input, int32_t x, int32_t y)
{
    if (frame_begins(input)) {
        if (x) {
            ring_put(input, EVDEV_REL, EVDEV_REL_X, x);
        }
        if (y) {
            ring_put(input, EVDEV_REL, EVDEV_REL_Y, y);
        }
        ring_sync(input);
    }
}

static void put_place(virtio_input_t *input)
{
    ring_put(input, EVDEV_ABS, EVDEV_ABS_X, input->now.x);
    ring_put(input, EVDEV_ABS, EVDEV_ABS_Y, input->now.y);
    input->told.x = input->now.x;
    input->told.y = input->now.y;
}

static void on_place(virtio_input_t *input, int32_t x, int32_t y)
{
    input->now.x = x;
    input->now.y = y;
    if (frame_begins(input)) {
        put_place(input);
        ring_sync(input);
    }
}

/* Whole notches, and parts of them for drivers that want those. */
static void put_wheel(virtio_input_t *input, unsigned axis, int32_t by)
{
    static const uint16_t code[2][2] = {{EVDEV_REL_HWHEEL, EVDEV_REL_HWHEEL_HI_RES},
                                        {EVDEV_REL_WHEEL, EVDEV_REL_WHEEL_HI_RES}};
    int64_t sum = (int64_t)input->wheel[axis] + by;
    int32_t notches = (int32_t)(sum / INPUT_NOTCH);
    input->wheel[axis] = (int32_t)(sum % INPUT_NOTCH);
    if (by) {
        ring_put(input, EVDEV_REL, code[axis][1], by);
    }
    if (notches) {
        ring_put(input, EVDEV_REL, code[axis][0], notches);
    }
}

static void on_wheel(virtio_input_t *input, int32_t x, int32_t y)
{
    if (frame_begins(input)) {
        put_wheel(input, 0, x);
        put_wheel(input, 1, y);
        ring_sync(input);
    }
}

/* A finger as it is now. */
static void put_finger(virtio_input_t *input, unsigned slot)
{
    const finger_t *now = &input->now.finger[slot];
    finger_t *told = &input->told.finger[slot];
    ring_put(input, EVDEV_ABS, EVDEV_ABS_MT_SLOT, (int32_t)slot);
    if (told->id != now->id) {
        ring_put(input, EVDEV_ABS, EVDEV_ABS_MT_TRACKING_ID, now->id);
    }
    if (now->id != NO_FINGER) {
        ring_put(input, EVDEV_ABS, EVDEV_ABS_MT_POSITION_X, now->x);
        ring_put(input, EVDEV_ABS, EVDEV_ABS_MT_POSITION_Y, now->y);
    }
    *told = *now;
}

/* The first finger that is down is a pointer for those who know no fingers. */
static void on_touch(virtio_input_t *input, unsigned slot, bool down, int32_t x, int32_t y)
{
    finger_t *finger = &input->now.finger[slot];
    if (down && finger->id == NO_FINGER) {
        finger->id = input->next_id;
        input->next_id = (input->next_id + 1) & TRACKING_MAX;
    }
    finger->id = down ? finger->id : NO_FINGER;
    finger->x = x;
    finger->y = y;
    unsigned first = 0;
    while (first < INPUT_SLOTS && input->now.finger[first].id == NO_FINGER) {
        first++;
    }
    bool any = first < INPUT_SLOTS, was = bit_of(input->now.key, EVDEV_BTN_TOUCH);
    set_bit(input->now.key, EVDEV_BTN_TOUCH, any);
    if (any) {
        input->now.x = input->now.finger[first].x;
        input->now.y = input->now.finger[first].y;
    }
    if (frame_begins(input)) {
        put_finger(input, slot);
        if (any != was) {
            put_key(input, EVDEV_BTN_TOUCH, any);
        }
        if (any) {
            put_place(input);
        }
        ring_sync(input);
    }
}

static bool finger_differs(const finger_t *a, const finger_t *b)
{
    return a->id != b->id || a->x != b->x || a->y != b->y;
}

/* Puts what differs between now and told; false: the ring is full. */
static bool put_difference(virtio_input_t *input)
{
    for (unsigned code = 1; code < EVDEV_KEYS; code++) {
        bool down = bit_of(input->now.key, code);
        if (ring_room(input) < FRAME_MAX) {
            return false;
        }
        if (down != bit_of(input->told.key, code)) {
            put_key(input, code, down);
        }
    }
    for (unsigned slot = 0; slot < INPUT_SLOTS; slot++) {
        if (ring_room(input) < FRAME_MAX) {
            return false;
        }
        if (finger_differs(&input->now.finger[slot], &input->told.finger[slot])) {
            put_finger(input, slot);
        }
    }
    if (ring_room(input) < FRAME_MAX) {
        return false;
    }
    if (input->now.x != input->told.x || input->now.y != input->told.y) {
        put_place(input);
    }
    return true;
}

static void input_catch_up(virtio_input_t *input)
{
    uint32_t before = input->tail;
    input->lost = !put_difference(input);
    if (input->tail != before) {
        ring_sync(input);
    }
}

/* --- Host to guest --- */

static void input_take(virtio_input_t *input, const input_event_t *event)
{
    switch (event->type) {
    case INPUT_EV_KEY:
        on_key(input, evdev_of_hid(event->code), event->down);
        break;
    case INPUT_EV_BUTTON:
        for (unsigned i = 0; i < BUTTONS; i++) {
            if (event->code == 1u << i) {
                on_key(input, EVDEV_BTN_LEFT + i, event->down);
            }
        }
        break;
    case INPUT_EV_MOVE:
        on_move(input, event->x, event->y);
        break;
    case INPUT_EV_PLACE:
        on_place(input, event->x, event->y);
        break;
    case INPUT_EV_WHEEL:
        on_wheel(input, event->x, event->y);
        break;
    case INPUT_EV_TOUCH:
        if (event->code < INPUT_SLOTS) {
            on_touch(input, event->code, event->down, event->x, event->y);
        }
        break;
    }
}

static void input_event(void *opaque, const input_event_t *event)
{
    virtio_input_t *input = opaque;
    spin_lock(&input->lock);
    input_take(input, event);
    spin_unlock(&input->lock);
    virtio_kick(input->dev, INPUT_EVENTS);
}

/* Looks at the next event; false: none waits. */
static bool input_next(virtio_input_t *input, evdev_event_t *event, uint32_t *at)
{
    spin_lock(&input->lock);
    if (input->head == input->tail && input->lost) {
        input_catch_up(input);
    }
    bool some = input->head != input->tail;
    *at = input->head;
    *event = input->ring[input->head % RING];
    spin_unlock(&input->lock);
    return some;
}

/* The event has been delivered (or the ring was emptied meanwhile). */
static void input_done(virtio_input_t *input, uint32_t at)
{
    spin_lock(&input->lock);
    if (input->head == at && input->head != input->tail) {
        input->head++;
    }
    spin_unlock(&input->lock);
}

/* A buffer that is too short for an event is given back empty; the next one is tried. One that
 * comes back while a snapshot is taken does not count: it is filled once more, or not at all. */
static bool deliver(virtq_t *vq, const evdev_event_t *event)
{
    uint8_t bytes[INPUT_EVENT];
    virtq_chain_t *chain;
    write_uint16_le_m(bytes, event->type);
    write_uint16_le_m(bytes + 2, event->code);
    write_uint32_le_m(bytes + 4, (uint32_t)event->value);
    while ((chain = virtq_pop(vq))) {
        bool ok = virtq_write_all(chain, bytes, sizeof(bytes));
        ok &= virtq_push(chain, ok ? sizeof(bytes) : 0);
        if (ok) {
            return true;
        }
    }
    return false;
}

static void input_send(virtio_input_t *input, virtq_t *vq)
{
    evdev_event_t event;
    uint32_t at;
    while (virtio_ready(input->dev) && input_next(input, &event, &at) && deliver(vq, &event)) {
        input_done(input, at);
    }
    virtq_notify(vq);
}

/* --- Guest to host: lights --- */

static void input_status(virtio_input_t *input, virtq_t *vq)
{
    static const uint8_t led[] = {[EVDEV_LED_NUM] = INPUT_LED_NUM,
                                  [EVDEV_LED_CAPS] = INPUT_LED_CAPS,
                                  [EVDEV_LED_SCROLL] = INPUT_LED_SCROLL};
    uint8_t bytes[INPUT_EVENT];
    uint32_t leds = input->leds;
    virtq_chain_t *chain;
    while ((chain = virtq_pop(vq))) {
        while (virtq_read_all(chain, bytes, sizeof(bytes))) {
            unsigned type = read_uint16_le_m(bytes), code = read_uint16_le_m(bytes + 2);
            bool on = read_uint32_le_m(bytes + 4) != 0;
            if (type == EVDEV_LED && code < ARRAY_LEN(led)) {
                leds = on ? leds | led[code] : leds & ~(uint32_t)led[code];
            }
        }
        virtq_push(chain, 0);
    }
    virtq_notify(vq);
    if (leds != input->leds) {
        input->leds = leds;
        input->host.leds(input->host.opaque, leds);
    }
}

static void input_notify(void *data, unsigned queue)
{
    virtio_input_t *input = data;
    virtq_t *vq = virtio_queue(input->dev, queue);
    if (queue == INPUT_EVENTS) {
        input_send(input, vq);
    } else {
        input_status(input, vq);
    }
}

/* --- Configuration space --- */

static const char *kind_name(unsigned kind)
{
    return kind == INPUT_KEYBOARD ? "rvkit keyboard"
           : kind == INPUT_MOUSE  ? "rvkit mouse"
           : kind == INPUT_TABLET ? "rvkit tablet"
                                  : "rvkit touch screen";
}

/* The bits of an event type that a kind of device sends. */
static void kind_bits(unsigned kind, unsigned type, uint8_t *bits)
{
    bool pointer = kind == INPUT_MOUSE || kind == INPUT_TABLET;
    for (unsigned usage = 0; kind == INPUT_KEYBOARD && type == EVDEV_KEY && usage < INPUT_KEYS;
         usage++) {
        if (evdev_of_hid(usage)) {
            set_bit(bits, evdev_of_hid(usage), true);
        }
    }
    for (unsigned i = 0; pointer && type == EVDEV_KEY && i < BUTTONS; i++) {
        set_bit(bits, EVDEV_BTN_LEFT + i, true);
    }
    set_bit(bits, EVDEV_BTN_TOUCH, kind == INPUT_TOUCH && type == EVDEV_KEY);
    if (kind == INPUT_KEYBOARD && type == EVDEV_LED) {
        bits[0] = 1 << EVDEV_LED_NUM | 1 << EVDEV_LED_CAPS | 1 << EVDEV_LED_SCROLL;
    }
    if (pointer && type == EVDEV_REL) {
        bool mouse = kind == INPUT_MOUSE;
        set_bit(bits, EVDEV_REL_X, mouse);
        set_bit(bits, EVDEV_REL_Y, mouse);
        set_bit(bits, EVDEV_REL_WHEEL, true);
        set_bit(bits, EVDEV_REL_HWHEEL, true);
        set_bit(bits, EVDEV_REL_WHEEL_HI_RES, true);
        set_bit(bits, EVDEV_REL_HWHEEL_HI_RES, true);
    }
    if ((kind == INPUT_TABLET || kind == INPUT_TOUCH) && type == EVDEV_ABS) {
        bool touch = kind == INPUT_TOUCH;
        set_bit(bits, EVDEV_ABS_X, true);
        set_bit(bits, EVDEV_ABS_Y, true);
        set_bit(bits, EVDEV_ABS_MT_SLOT, touch);
        set_bit(bits, EVDEV_ABS_MT_POSITION_X, touch);
        set_bit(bits, EVDEV_ABS_MT_POSITION_Y, touch);
        set_bit(bits, EVDEV_ABS_MT_TRACKING_ID, touch);
    }
}

/* Bytes up to the last that is not 0. Key repeats (EV_REP) have no bits, but are there. */
static size_t cfg_ev_bits(unsigned kind, unsigned type, uint8_t *out)
{
    size_t size = CFG_UNION_SIZE;
    kind_bits(kind, type, out);
    while (size && !out[size - 1]) {
        size--;
    }
    return kind == INPUT_KEYBOARD && type == EVDEV_REP ? 1 : size;
}

static size_t cfg_abs_info(unsigned kind, unsigned axis, uint8_t *out)
{
    uint8_t bits[CFG_UNION_SIZE] = {0};
    kind_bits(kind, EVDEV_ABS, bits);
    if (axis >= CFG_UNION_SIZE * 8 || !bit_of(bits, axis)) {
        return 0;
    }
    write_uint32_le_m(out + 4, axis == EVDEV_ABS_MT_SLOT          ? INPUT_SLOTS - 1
                               : axis == EVDEV_ABS_MT_TRACKING_ID ? TRACKING_MAX
                                                                  : INPUT_PLACE_MAX);
    return 20; /* min, max, fuzz, flat, res */
}

static size_t cfg_text(const char *text, uint8_t *out)
{
    size_t len = strlen(text);
    memcpy(out, text, len);
    return len;
}

/* §5.8.5: what select and subsel ask for; 0: there is nothing. */
static size_t cfg_answer(unsigned kind, unsigned select, unsigned subsel, uint8_t *out)
{
    switch (select) {
    case CFG_ID_NAME:
        return subsel ? 0 : cfg_text(kind_name(kind), out);
    case CFG_ID_SERIAL:
        return subsel ? 0 : cfg_text("1", out);
    case CFG_ID_DEVIDS:
        write_uint16_le_m(out, BUS_VIRTUAL);
        write_uint16_le_m(out + 4, (uint16_t)kind);
        write_uint16_le_m(out + 6, 1);
        return subsel ? 0 : 8;
    case CFG_PROP_BITS:
        out[0] = 1 << EVDEV_PROP_DIRECT;
        return subsel || kind != INPUT_TOUCH ? 0 : 1;
    case CFG_EV_BITS:
        return cfg_ev_bits(kind, subsel, out);
    case CFG_ABS_INFO:
        return cfg_abs_info(kind, subsel, out);
    default:
        return 0;
    }
}

static void input_put_config(virtio_input_t *input, uint8_t select, uint8_t subsel)
{
    uint8_t config[CFG_ALL] = {[CFG_SELECT] = select, [CFG_SUBSEL] = subsel};
    size_t size = cfg_answer(input->kind, select, subsel, config + CFG_UNION);
    config[CFG_SIZE] = (uint8_t)size;
    memset(config + CFG_UNION + size, 0, CFG_UNION_SIZE - size);
    virtio_config_set(input->dev, 0, config, sizeof(config));
}

/* The driver writes select and subsel; anything else comes back as it was. */
static void input_config_written(void *data, size_t offset, size_t len)
{
    uint8_t sel[2];
    (void)offset;
    (void)len;
    virtio_config_get(((virtio_input_t *)data)->dev, CFG_SELECT, sel, sizeof(sel));
    input_put_config(data, sel[0], sel[1]);
}

/* --- Life --- */

static void held_clear(held_t *held)
{
    memset(held, 0, sizeof(*held));
    for (unsigned slot = 0; slot < INPUT_SLOTS; slot++) {
        held->finger[slot].id = NO_FINGER;
    }
}

/* What is held down already is no news for a driver. */
static void input_ready(void *data)
{
    virtio_input_t *input = data;
    spin_lock(&input->lock);
    input->head = input->tail;
    input->told = input->now;
    input->lost = false;
    spin_unlock(&input->lock);
}

static void input_reset(void *data)
{
    virtio_input_t *input = data;
    input_ready(input);
    spin_lock(&input->lock);
    input->wheel[0] = input->wheel[1] = 0;
    spin_unlock(&input->lock);
    if (input->leds) {
        input->leds = 0;
        input->host.leds(input->host.opaque, 0);
    }
    input_put_config(input, 0, 0);
}

static bool save_held(rvvm_snapshot_t *snap, held_t *held)
{
    bool ok = rvvm_snapshot_data(snap, held->key, sizeof(held->key)) &&
              rvvm_snapshot_field(snap, held->x) && rvvm_snapshot_field(snap, held->y);
    for (unsigned i = 0; ok && i < INPUT_SLOTS; i++) {
        ok = rvvm_snapshot_field(snap, held->finger[i].id) &&
             rvvm_snapshot_field(snap, held->finger[i].x) &&
             rvvm_snapshot_field(snap, held->finger[i].y);
    }
    return ok;
}

/* Events that wait, and what the driver knows; what is held on the resuming side is that of today.
 */
static void input_suspend(void *data, rvvm_snapshot_t *snap, bool resume)
{
    virtio_input_t *input = data;
    uint8_t sel[2];
    if (!snap) {
        return;
    }
    virtio_config_get(input->dev, CFG_SELECT, sel, sizeof(sel));
    spin_lock(&input->lock);
    uint32_t count = input->tail - input->head, leds = input->leds;
    bool ok = rvvm_snapshot_field(snap, sel[0]) && rvvm_snapshot_field(snap, sel[1]) &&
              rvvm_snapshot_field(snap, leds) && save_held(snap, &input->told) &&
              rvvm_snapshot_field(snap, count);
    for (uint32_t i = 0; ok && i < count && i < RING; i++) {
        evdev_event_t *event = &input->ring[(input->head + i) % RING];
        ok = rvvm_snapshot_field(snap, event->type) && rvvm_snapshot_field(snap, event->code) &&
             rvvm_snapshot_field(snap, event->value);
    }
    if (resume) {
        input->tail = input->head + (ok && count <= RING ? count : 0);
        input->lost = true;
    }
    spin_unlock(&input->lock);
    if (resume) {
        input->leds = leds;
        input_put_config(input, sel[0], sel[1]);
        input->host.leds(input->host.opaque, leds);
    }
}

/* After a snapshot there can be something to tell without anything having happened. */
static void input_update(void *data)
{
    virtio_input_t *input = data;
    spin_lock(&input->lock);
    bool some = input->lost;
    spin_unlock(&input->lock);
    if (some) {
        virtio_kick(input->dev, INPUT_EVENTS);
    }
}

static void input_bind(void *data, virtio_dev_t *dev)
{
    virtio_input_t *input = data;
    const input_guest_t guest = {.opaque = input, .event = input_event};
    input->dev = dev;
    input->host.attach(input->host.opaque, input->kind, &guest);
}

static void input_remove(void *data)
{
    virtio_input_t *input = data;
    input->host.free(input->host.opaque);
    free(input);
}

static const virtio_type_t input_type = {
    .name = "virtio-input",
    .bind = input_bind,
    .remove = input_remove,
    .notify = input_notify,
    .ready = input_ready,
    .config_written = input_config_written,
    .reset = input_reset,
    .update = input_update,
    .suspend = input_suspend,
};

bool virtio_input_describe(virtio_desc_t *desc, unsigned kind, const input_host_t *host)
{
    bool known = kind == INPUT_KEYBOARD || kind == INPUT_MOUSE || kind == INPUT_TABLET ||
                 kind == INPUT_TOUCH;
    virtio_input_t *input = known ? calloc(1, sizeof(*input)) : NULL;
    if (!input) {
        host->free(host->opaque);
        return false;
    }
    input->host = *host;
    input->kind = kind;
    held_clear(&input->now);
    held_clear(&input->told);
    *desc = (virtio_desc_t){
        .type = &input_type,
        .data = input,
        .id = VIRTIO_ID_INPUT,
        .queues = INPUT_QUEUES,
        .queue_size = {INPUT_QUEUE_SIZE, INPUT_QUEUE_SIZE},
        .config_size = CFG_ALL,
    };
    return true;
}
