/* SPDX-License-Identifier: MPL-2.0 */
/* The input device's rules: VirtIO 1.2 §5.8. */
#include "devices/evdev.h"
#include "devices/virtio_input.h"
#include "virtio_driver.h"

#ifdef RVVM_COMPAT_RVKIT
#include "damage.h"
#endif

#define V1 VIRTIO_F_VERSION_1

enum { EVENTS, STATUS, BUFFERS = 48 };

typedef struct {
    uint16_t type, code;
    int32_t value;
} event_t;

static vd_t vd;
static input_guest_t guest;
static unsigned kinds, leds, frees, led_calls;
static uint64_t mem; /* BUFFERS of 8 bytes, for events */
static uint64_t buffer_of[VD_SIZE_MAX];

static void host_attach(void *opaque, unsigned mask, const input_guest_t *who)
{
    (void)opaque;
    kinds = mask;
    guest = *who;
}

static void host_leds(void *opaque, unsigned mask)
{
    (void)opaque;
    leds = mask;
    led_calls++;
}

static void host_free(void *opaque)
{
    ++*(unsigned *)opaque;
}

static const input_host_t host = {&frees, host_attach, host_leds, host_free};

static void offer(uint64_t addr, uint32_t len)
{
    const vd_buf_t buf = {addr, len, true};
    buffer_of[vd_add(&vd, EVENTS, &buf, 1)] = addr;
}

static void up_with(unsigned kind, uint64_t features, unsigned flags, unsigned buffers)
{
    virtio_desc_t desc;
    frees = leds = led_calls = 0;
    vd_machine(&vd);
    CHECK(virtio_input_describe(&desc, kind, &host));
    CHECK(vd_attach(&vd, &desc, flags));
    CHECK(vd_start(&vd, features));
    mem = vd_alloc(&vd, 8 * BUFFERS);
    for (unsigned i = 0; i < buffers; i++) {
        offer(mem + 8 * i, 8);
    }
    vd_kick(&vd, EVENTS);
}

static void up(unsigned kind)
{
    up_with(kind, V1, 0, BUFFERS);
}

static void tell(input_event_type_t type, unsigned code, bool down, int32_t x, int32_t y)
{
    const input_event_t event = {type, (uint16_t)code, down, x, y};
    guest.event(guest.opaque, &event);
}

/* The next event that came, its buffer offered again; type 0xFFFF: there is none. */
static event_t next(void)
{
    uint16_t id;
    uint32_t len;
    if (!vd_used(&vd, EVENTS, &id, &len)) {
        return (event_t){0xFFFF, 0, 0};
    }
    const uint8_t *p = vd_ptr(&vd, buffer_of[id]);
    event_t event = {read_uint16_le_m(p), read_uint16_le_m(p + 2),
                     (int32_t)read_uint32_le_m(p + 4)};
    CHECK_EQ(8, len);
    offer(buffer_of[id], 8);
    vd_kick(&vd, EVENTS);
    return event;
}

/* Exactly these events come next: triples of type, code, value. */
static bool comes(const int32_t *want, unsigned count)
{
    bool ok = true;
    for (unsigned i = 0; i < count; i++) {
        event_t event = next();
        if (event.type != want[3 * i] || event.code != want[3 * i + 1] ||
            event.value != want[3 * i + 2]) {
            printf("# event %u: %u %u %d\n", i, event.type, event.code, event.value);
            ok = false;
        }
    }
    return ok && next().type == 0xFFFF;
}

#define COMES(...)                                                                                 \
    CHECK(comes((const int32_t[]){__VA_ARGS__}, sizeof((const int32_t[]){__VA_ARGS__}) / 12))
#define SYN 0, 0, 0

/* What the configuration space says to a question; its size. */
static unsigned ask(unsigned select, unsigned subsel, uint8_t *answer)
{
    uint8_t sel[2] = {(uint8_t)select, (uint8_t)subsel}, size;
    vd_config_write(&vd, 0, sel, 2, 1);
    vd_config_read(&vd, 2, &size, 1, 1);
    vd_config_read(&vd, 8, answer, 128, 4);
    return size;
}

static bool has(const uint8_t *bits, unsigned n)
{
    return bits[n / 8] >> (n % 8) & 1;
}

TEST(identity)
{
    uint8_t a[128];
    up(INPUT_KEYBOARD);
    CHECK_EQ(18, vd_read(&vd, VD_DEVICE_ID));
    CHECK_EQ(INPUT_KEYBOARD, kinds);
    CHECK(ask(1, 0, a) == 14 && !memcmp(a, "rvkit keyboard", 14) && !a[14]);
    CHECK_EQ(1, ask(2, 0, a));
    CHECK(ask(3, 0, a) == 8 && a[0] == 6);
    CHECK(ask(1, 1, a) == 0 && !a[0]);
    CHECK(ask(0, 0, a) == 0 && !a[0]);
    CHECK_EQ(0, ask(0x77, 3, a));
    CHECK_EQ(0, ask(0x10, 0, a));
    vd_close(&vd);
    CHECK_EQ(1, frees);
}

TEST(config_written)
{
    uint8_t a[128], junk[4] = {9, 9, 9, 9};
    up(INPUT_KEYBOARD);
    ask(1, 0, a);
    vd_config_write(&vd, 4, junk, 4, 4);
    vd_config_write(&vd, 8, junk, 4, 4);
    vd_config_read(&vd, 0, a, 12, 4);
    CHECK(a[0] == 1 && a[1] == 0 && a[2] == 14 && !a[3] && !a[4] && !memcmp(a + 8, "rvki", 4));
    junk[0] = 3;
    junk[1] = 0;
    vd_config_write(&vd, 0, junk, 4, 4); /* select and size in one go: the size is ours */
    vd_config_read(&vd, 0, a, 12, 4);
    CHECK(a[0] == 3 && a[2] == 8 && a[3] == 0);
    CHECK(vd_start(&vd, V1));
    vd_config_read(&vd, 0, a, 4, 4);
    CHECK(a[0] == 0 && a[2] == 0);
    vd_close(&vd);
}

TEST(keyboard_config)
{
    uint8_t a[128];
    up(INPUT_KEYBOARD);
    CHECK(ask(0x11, EVDEV_KEY, a) > 0 && has(a, 30) && has(a, 1) && has(a, 126) && !has(a, 0) &&
          !has(a, EVDEV_BTN_LEFT));
    CHECK(ask(0x11, EVDEV_LED, a) == 1 && a[0] == 7);
    CHECK_EQ(1, ask(0x11, EVDEV_REP, a));
    CHECK_EQ(0, ask(0x11, EVDEV_REL, a));
    CHECK_EQ(0, ask(0x11, EVDEV_ABS, a));
    CHECK_EQ(0, ask(0x12, 0, a));
    vd_close(&vd);
}

TEST(pointer_config)
{
    uint8_t a[128];
    up(INPUT_MOUSE);
    CHECK(ask(0x11, EVDEV_KEY, a) == EVDEV_BTN_LEFT / 8 + 1 && a[EVDEV_BTN_LEFT / 8] == 0x1F);
    CHECK(ask(0x11, EVDEV_REL, a) == 2 && has(a, 0) && has(a, 1) && has(a, 8) && has(a, 11));
    CHECK_EQ(0, ask(0x11, EVDEV_ABS, a));
    vd_close(&vd);
    up(INPUT_TABLET);
    CHECK(ask(0x11, EVDEV_REL, a) == 2 && !has(a, 0) && has(a, 8));
    CHECK(ask(0x11, EVDEV_ABS, a) == 1 && a[0] == 3);
    CHECK(ask(0x12, 1, a) == 20 && read_uint32_le_m(a) == 0 && read_uint32_le_m(a + 4) == 32767);
    CHECK_EQ(0, ask(0x12, 2, a));
    CHECK_EQ(0, ask(0x12, 255, a));
    vd_close(&vd);
    up(INPUT_TOUCH);
    CHECK(ask(0x10, 0, a) == 1 && a[0] == 2);
    CHECK(ask(0x11, EVDEV_KEY, a) == EVDEV_BTN_TOUCH / 8 + 1 && has(a, EVDEV_BTN_TOUCH));
    CHECK(ask(0x11, EVDEV_ABS, a) == 8 && has(a, 0) && has(a, 0x2F) && has(a, 0x35) &&
          has(a, 0x39));
    CHECK(ask(0x12, 0x2F, a) == 20 && read_uint32_le_m(a + 4) == INPUT_SLOTS - 1);
    vd_close(&vd);
}

static void type_a(uint64_t features, unsigned flags)
{
    up_with(INPUT_KEYBOARD, features, flags, BUFFERS);
    tell(INPUT_EV_KEY, 4, true, 0, 0);
    CHECK(vd_irq(&vd));
    COMES(EVDEV_KEY, 30, 1, SYN);
    tell(INPUT_EV_KEY, 4, false, 0, 0);
    COMES(EVDEV_KEY, 30, 0, SYN);
    tell(INPUT_EV_KEY, 0x9F, true, 0, 0); /* a key that Linux does not have */
    tell(INPUT_EV_KEY, 0xFFFF, true, 0, 0);
    CHECK_EQ(0xFFFF, next().type);
    vd_close(&vd);
}

TEST(keys)
{
    type_a(V1, 0);
}

TEST(keys_packed)
{
    type_a(V1 | VIRTIO_F_RING_PACKED, 0);
}

TEST(keys_legacy)
{
    type_a(0, VIRTIO_MMIO_LEGACY);
}

/* A sample of the table, and that no two keys share a code but the two backslashes. */
TEST(hid_table)
{
    static const uint16_t pair[][2] = {
        {0x04, 30},  {0x1D, 44},  {0x27, 11},  {0x28, 28},  {0x2C, 57}, {0x39, 58},
        {0x45, 88},  {0x4A, 102}, {0x52, 103}, {0x58, 96},  {0x63, 83}, {0x64, 86},
        {0x65, 127}, {0x73, 194}, {0xE0, 29},  {0xE7, 126}, {0x87, 89}, {0x94, 85}};
    unsigned count[256] = {0}, keys = 0;
    for (unsigned i = 0; i < sizeof(pair) / sizeof(pair[0]); i++) {
        CHECK_EQ(pair[i][1], evdev_of_hid(pair[i][0]));
    }
    for (unsigned usage = 0; usage < 256; usage++) {
        keys += evdev_of_hid(usage) != 0;
        count[evdev_of_hid(usage) & 255]++;
    }
    for (unsigned code = 1; code < 256; code++) {
        CHECK(count[code] <= (code == 43 ? 2 : 1));
    }
    CHECK_EQ(0, evdev_of_hid(0) + evdev_of_hid(3) + evdev_of_hid(256) + evdev_of_hid(UINT32_MAX));
    CHECK(keys > 120);
}

TEST(mouse)
{
    up(INPUT_MOUSE);
    tell(INPUT_EV_MOVE, 0, false, -3, 7);
    COMES(EVDEV_REL, 0, -3, EVDEV_REL, 1, 7, SYN);
    tell(INPUT_EV_MOVE, 0, false, 0, 1);
    COMES(EVDEV_REL, 1, 1, SYN);
    tell(INPUT_EV_BUTTON, INPUT_RIGHT, true, 0, 0);
    COMES(EVDEV_KEY, 0x111, 1, SYN);
    tell(INPUT_EV_BUTTON, INPUT_EXTRA, true, 0, 0);
    COMES(EVDEV_KEY, 0x114, 1, SYN);
    tell(INPUT_EV_WHEEL, 0, false, 0, 60);
    COMES(EVDEV_REL, 11, 60, SYN);
    tell(INPUT_EV_WHEEL, 0, false, 0, 60);
    COMES(EVDEV_REL, 11, 60, EVDEV_REL, 8, 1, SYN);
    tell(INPUT_EV_WHEEL, 0, false, -240, 0);
    COMES(EVDEV_REL, 12, -240, EVDEV_REL, 6, -2, SYN);
    vd_close(&vd);
}

TEST(tablet)
{
    up(INPUT_TABLET);
    tell(INPUT_EV_PLACE, 0, false, 100, 32767);
    COMES(EVDEV_ABS, 0, 100, EVDEV_ABS, 1, 32767, SYN);
    tell(INPUT_EV_BUTTON, INPUT_LEFT, true, 0, 0);
    COMES(EVDEV_KEY, 0x110, 1, SYN);
    vd_close(&vd);
}

TEST(touch)
{
    up(INPUT_TOUCH);
    tell(INPUT_EV_TOUCH, 2, true, 10, 20);
    COMES(EVDEV_ABS, 0x2F, 2, EVDEV_ABS, 0x39, 0, EVDEV_ABS, 0x35, 10, EVDEV_ABS, 0x36, 20,
          EVDEV_KEY, EVDEV_BTN_TOUCH, 1, EVDEV_ABS, 0, 10, EVDEV_ABS, 1, 20, SYN);
    tell(INPUT_EV_TOUCH, 5, true, 30, 40);
    COMES(EVDEV_ABS, 0x2F, 5, EVDEV_ABS, 0x39, 1, EVDEV_ABS, 0x35, 30, EVDEV_ABS, 0x36, 40,
          EVDEV_ABS, 0, 10, EVDEV_ABS, 1, 20, SYN);
    tell(INPUT_EV_TOUCH, 2, false, 10, 20);
    COMES(EVDEV_ABS, 0x2F, 2, EVDEV_ABS, 0x39, -1, EVDEV_ABS, 0, 30, EVDEV_ABS, 1, 40, SYN);
    tell(INPUT_EV_TOUCH, 5, false, 30, 40);
    COMES(EVDEV_ABS, 0x2F, 5, EVDEV_ABS, 0x39, -1, EVDEV_KEY, EVDEV_BTN_TOUCH, 0, SYN);
    tell(INPUT_EV_TOUCH, 2, true, 1, 1); /* a finger of a new name */
    next();
    CHECK_EQ(2, next().value);
    tell(INPUT_EV_TOUCH, INPUT_SLOTS, true, 1, 1);
    vd_close(&vd);
}

/* Reads all that comes; whether keys alternate between down and up, and each has a frame of its
 * own. */
static unsigned drain_keys(bool held[256], unsigned *syncs)
{
    unsigned count = 0;
    for (event_t event; (event = next()).type != 0xFFFF; count++) {
        if (event.type == EVDEV_KEY) {
            CHECK(event.code < 256 && held[event.code & 255] != (event.value != 0));
            held[event.code & 255] = event.value != 0;
        } else {
            ++*syncs;
        }
    }
    return count;
}

/* A driver without buffers: whole frames are lost, in order, and afterwards nothing stays down. */
TEST(slow_driver)
{
    bool held[256] = {false};
    unsigned syncs = 0, count;
    up_with(INPUT_KEYBOARD, V1, 0, 0);
    for (unsigned round = 0; round < 1000; round++) {
        tell(INPUT_EV_KEY, 4 + round % 26, true, 0, 0);
        tell(INPUT_EV_KEY, 4 + round % 26, false, 0, 0);
    }
    tell(INPUT_EV_KEY, 0xE1, true, 0, 0);
    tell(INPUT_EV_KEY, 0x28, true, 0, 0);
    for (unsigned i = 0; i < 16; i++) { /* some room, but not all is told */
        uint16_t id;
        uint32_t len;
        offer(mem + 8 * i, 8);
        vd_kick(&vd, EVENTS);
        CHECK(vd_used(&vd, EVENTS, &id, &len));
        held[vd_get16(&vd, mem + 8 * i + 2)] = vd_get32(&vd, mem + 8 * i + 4) != 0;
    }
    tell(INPUT_EV_KEY, 0x28, false, 0, 0); /* the press was lost: so is this */
    offer(mem, 8);
    vd_kick(&vd, EVENTS);
    count = drain_keys(held, &syncs);
    CHECK(count > 100 && count < 2000);
    CHECK(syncs * 2 == count);
    for (unsigned code = 0; code < 256; code++) {
        CHECK_EQ(code == 42, held[code]); /* the left shift alone */
    }
    vd_close(&vd);
}

TEST(slow_touch)
{
    event_t event = {0}, last[64] = {{0}};
    unsigned size = 0;
    up_with(INPUT_TOUCH, V1, 0, 0);
    for (int32_t i = 0; i < 500; i++) {
        tell(INPUT_EV_TOUCH, 1, true, i, 2 * i);
    }
    tell(INPUT_EV_TOUCH, 1, false, 0, 0);
    tell(INPUT_EV_TOUCH, 3, true, 7, 8);
    offer(mem, 8);
    vd_kick(&vd, EVENTS);
    while ((event = next()).type != 0xFFFF) {
        if (event.type == EVDEV_ABS) {
            last[event.code & 63] = event;
            size++;
        } else if (event.type == EVDEV_SYN) { /* all frames are whole */
            CHECK(size >= 5);
            CHECK(last[0x2F].value != 1 || last[0x36].value == 2 * last[0x35].value);
            size = 0;
        }
    }
    CHECK(last[0x2F].value == 3 && last[0x35].value == 7 && last[0x36].value == 8 &&
          last[0].value == 7);
    vd_close(&vd);
}

TEST(short_buffers)
{
    uint16_t id;
    uint32_t len;
    up_with(INPUT_KEYBOARD, V1, 0, 0);
    offer(mem, 7);
    offer(mem + 8, 8);
    offer(mem + 16, 8);
    tell(INPUT_EV_KEY, 4, true, 0, 0);
    CHECK(vd_used(&vd, EVENTS, &id, &len) && len == 0);
    CHECK(vd_used(&vd, EVENTS, &id, &len) && len == 8);
    CHECK_EQ(30, vd_get16(&vd, mem + 10));
    CHECK(vd_used(&vd, EVENTS, &id, &len) && len == 8);
    vd_close(&vd);
}

/* Loses events of one key, and then lets the driver hear what it can; true when it hears of no
 * other key. */
static bool hears_only(unsigned usage)
{
    bool only = true;
    for (unsigned i = 0; i < 1000; i++) {
        tell(INPUT_EV_KEY, usage, i % 2 == 0, 0, 0);
    }
    for (unsigned i = 0; i < 8; i++) {
        offer(mem + 8 * i, 8);
    }
    vd_kick(&vd, EVENTS);
    for (event_t event; (event = next()).type != 0xFFFF;) {
        only &= event.type == EVDEV_SYN || event.code == evdev_of_hid(usage);
    }
    return only;
}

/* What happened before the driver was there is not told; a release that follows is harmless. */
TEST(late_driver)
{
    virtio_desc_t desc;
    vd_machine(&vd);
    CHECK(virtio_input_describe(&desc, INPUT_KEYBOARD, &host));
    CHECK(vd_attach(&vd, &desc, 0));
    for (unsigned i = 0; i < 1000; i++) {
        tell(INPUT_EV_KEY, 7, i % 2 == 0, 0, 0);
    }
    tell(INPUT_EV_KEY, 4, true, 0, 0);
    CHECK(vd_start(&vd, V1));
    mem = vd_alloc(&vd, 8 * BUFFERS);
    CHECK(hears_only(6));
    tell(INPUT_EV_KEY, 4, false, 0, 0);
    COMES(EVDEV_KEY, 30, 0, SYN);
    tell(INPUT_EV_KEY, 5, true, 0, 0);
    COMES(EVDEV_KEY, 48, 1, SYN);
    CHECK(vd_start(&vd, V1)); /* another driver: what it hears is what changes from now on */
    CHECK(hears_only(6));
    vd_close(&vd);
}

/* Sends an event of the driver's. */
static void status(uint16_t type, uint16_t code, uint32_t value, uint32_t len)
{
    uint64_t addr = vd_alloc(&vd, 16);
    const vd_buf_t buf = {addr, len, false};
    uint32_t used = 1;
    vd_put16(&vd, addr, type);
    vd_put16(&vd, addr + 2, code);
    vd_put32(&vd, addr + 4, value);
    CHECK(vd_request(&vd, STATUS, &buf, 1, &used) && used == 0);
}

TEST(lights)
{
    up(INPUT_KEYBOARD);
    status(EVDEV_LED, 1, 1, 8);
    CHECK_EQ(INPUT_LED_CAPS, leds);
    status(EVDEV_LED, 0, 1, 8);
    CHECK_EQ(INPUT_LED_CAPS | INPUT_LED_NUM, leds);
    status(EVDEV_LED, 1, 0, 8);
    CHECK_EQ(INPUT_LED_NUM, leds);
    unsigned calls = led_calls;
    status(EVDEV_LED, 99, 1, 8);
    status(EVDEV_REP, 0, 1, 8);
    status(EVDEV_LED, 2, 1, 7);
    CHECK_EQ(calls, led_calls);
    vd_write(&vd, VD_STATUS, 0);
    CHECK_EQ(0, leds);
    vd_close(&vd);
}

TEST(no_such_kind)
{
    virtio_desc_t desc;
    frees = 0;
    CHECK(!virtio_input_describe(&desc, INPUT_MOUSE | INPUT_TABLET, &host));
    CHECK(!virtio_input_describe(&desc, 0, &host));
    CHECK_EQ(2, frees);
}

#ifdef RVVM_COMPAT_RVKIT
/* A key that was down when the snapshot was taken is let go of where nobody holds it. */
TEST(snapshot)
{
    static vd_t old;
    uint8_t a[128];
    up_with(INPUT_KEYBOARD, V1, 0, 2);
    tell(INPUT_EV_KEY, 4, true, 0, 0);
    tell(INPUT_EV_KEY, 5, true, 0, 0); /* waits for buffers */
    status(EVDEV_LED, 1, 1, 8);
    ask(1, 0, a);
    rvvm_blk_dev_t *blk = rvkit_blk_open_memory();
    rvvm_snapshot_t *snap = rvvm_snapshot_open(blk, true);
    CHECK(rvkit_snapshot_devices(vd.machine, snap, false));
    CHECK(rvvm_snapshot_close(snap));
    old = vd;
    up_with(INPUT_KEYBOARD, V1, 0, 0);
    memcpy(vd_ptr(&vd, RVVM_DEFAULT_MEMBASE), vd_ptr(&old, RVVM_DEFAULT_MEMBASE), VD_RAM);
    memcpy(vd.queue, old.queue, sizeof(vd.queue));
    snap = rvvm_snapshot_open(blk, false);
    CHECK(rvkit_snapshot_devices(vd.machine, snap, true));
    CHECK(rvvm_snapshot_close(snap));
    rvvm_blk_close(blk);
    CHECK_EQ(INPUT_LED_CAPS, leds);
    vd_config_read(&vd, 0, a, 12, 4);
    CHECK(a[0] == 1 && a[2] == 14 && a[8] == 'r');
    vd_update(&vd);
    COMES(EVDEV_KEY, 30, 1, SYN, EVDEV_KEY, 48, 1, SYN, EVDEV_KEY, 30, 0, EVDEV_KEY, 48, 0, SYN);
    vd_close(&vd);
    vd_close(&old);
}

TEST(damaged_snapshots)
{
    up_with(INPUT_TOUCH, V1, 0, 2);
    tell(INPUT_EV_TOUCH, 1, true, 70, 80);
    tell(INPUT_EV_TOUCH, 2, true, 90, 80);
    damage_snapshots(&vd);
    CHECK(vd_start(&vd, V1));
    vd_close(&vd);
}
#endif

int main(void)
{
    PROVE(identity, "5.8.1-5: device id 18; name, serial, ids; nothing for what is not known");
    PROVE(config_written,
          "5.8.4: select and subsel can be written, and nothing else; a reset clears them");
    PROVE(keyboard_config, "5.8.5: a keyboard has keys, lights and repeats");
    PROVE(pointer_config,
          "5.8.5: mouse, tablet and touch screen say what they send, and how far axes go");
    PROVE(keys, "5.8.6: keys as frames of their own (split ring)");
    PROVE(keys_packed, "5.8.6: the same (packed ring)");
    PROVE(keys_legacy, "5.8.6: the same (legacy interface)");
    PROVE(hid_table, "USB HID usages become Linux's key codes, one for one");
    PROVE(mouse, "a mouse moves, clicks, and scrolls in notches and parts of them");
    PROVE(tablet, "a tablet places");
    PROVE(touch, "fingers by protocol B, the first one also as a pointer");
    PROVE(slow_driver, "5.8.6: frames are lost whole, never out of order, and no key stays down");
    PROVE(slow_touch, "5.8.6: after a loss, fingers are where they are");
    PROVE(short_buffers, "a buffer that is too short costs no event");
    PROVE(late_driver, "what is held before the driver is there is no event");
    PROVE(lights, "5.8.6.2: the status queue sets lights; a reset puts them out");
    PROVE(no_such_kind, "one device is one kind");
#ifdef RVVM_COMPAT_RVKIT
    PROVE(snapshot, "a snapshot keeps what waits, and lets go of what nobody holds any more");
    PROVE(damaged_snapshots, "a damaged snapshot does no harm");
#endif
    return rig_finish("virtio-input");
}
