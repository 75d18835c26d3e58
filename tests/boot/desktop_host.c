/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The host's part of tests/boot/desktop.sh: boots Linux with a screen (virtio-gpu or the simple
 * frame buffer), input devices and sound, all without a window, and plays the person before them.
 * Usage: desktop_host gpu|fb KERNEL INITRD DIR     DIR is shared with the guest; pictures and sound
 *        desktop_host disk KERNEL DISK DIR         go there
 * "disk" is the host's part of tests/boot/desktop_disk.sh, with DISK as for -drive.
 */
#include "frontends/display.h"
#include "frontends/input.h"

#include "host/audio.h"
#include "host/clock.h"
#include "host/disk.h"
#include "host/share.h"
#include "host/thread.h"
#include "tap.h"

#include <stdlib.h>

enum { TEXT_MAX = 1 << 22 };

/* The serial port: what the guest has written, and what it has still to read. */
static struct {
    chardev_t dev;
    host_mutex_t *lock;
    char text[TEXT_MAX + 1];
    size_t size, seen;
    char input[4096];
    size_t head, tail;
} serial;

static display_t *display;
static input_t *input;
static const char *dir;
static uint32_t width, height;

static uint32_t serial_poll(chardev_t *dev)
{
    (void)dev;
    host_mutex_lock(serial.lock);
    uint32_t events = CHARDEV_TX | (serial.head < serial.tail ? CHARDEV_RX : 0);
    host_mutex_unlock(serial.lock);
    return events;
}

static size_t serial_read(chardev_t *dev, void *buf, size_t size)
{
    (void)dev;
    host_mutex_lock(serial.lock);
    size = size < serial.tail - serial.head ? size : serial.tail - serial.head;
    memcpy(buf, serial.input + serial.head, size);
    serial.head += size;
    host_mutex_unlock(serial.lock);
    return size;
}

static size_t serial_write(chardev_t *dev, const void *buf, size_t size)
{
    (void)dev;
    host_mutex_lock(serial.lock);
    size_t fits = size < TEXT_MAX - serial.size ? size : TEXT_MAX - serial.size;
    memcpy(serial.text + serial.size, buf, fits);
    serial.size += fits;
    host_mutex_unlock(serial.lock);
    return size;
}

static void type(const char *text)
{
    host_mutex_lock(serial.lock);
    if (serial.head == serial.tail) {
        serial.head = serial.tail = 0;
    }
    size_t len = strlen(text);
    if (len <= sizeof(serial.input) - serial.tail) {
        memcpy(serial.input + serial.tail, text, len);
        serial.tail += len;
    }
    host_mutex_unlock(serial.lock);
    chardev_notify(&serial.dev, CHARDEV_RX);
}

/* Waits for a text in what came since the last one; what came, for a message, when it does not
 * come. */
static bool wait_text(const char *text, unsigned seconds)
{
    uint64_t until = host_clock_ns() + seconds * UINT64_C(1000000000);
    bool found = false;
    do {
        host_sleep_ns(10000000);
        host_mutex_lock(serial.lock);
        char *at = strstr(serial.text + serial.seen, text);
        serial.seen = at ? (size_t)(at - serial.text) + strlen(text) : serial.seen;
        found = at != NULL;
        host_mutex_unlock(serial.lock);
    } while (!found && host_clock_ns() < until);
    if (!found) {
        printf("# waited for \"%s\"; there is: %.1500s\n", text, serial.text + serial.seen);
    }
    return found;
}

/* Gives a command and waits for its answer, which must not be in the command: that is echoed first.
 */
static bool answers(const char *command, const char *answer, unsigned seconds)
{
    type(command);
    type("\n");
    return wait_text(answer, seconds);
}

static void picture(const char *name)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/%s.ppm", dir, name);
    FILE *file = fopen(path, "wb");
    CHECK(file && display_write_ppm(display, false, file));
    if (file) {
        fclose(file);
    }
}

/* How many pixels are not black. */
static unsigned lit(void)
{
    uint32_t w, h;
    uint32_t *pixels = display_copy(display, false, &w, &h);
    unsigned count = 0;
    for (size_t i = 0; pixels && i < (size_t)w * h; i++) {
        count += (pixels[i] & 0xFFFFFF) != 0;
    }
    free(pixels);
    return count;
}

/* All pixels have this value, within two seconds. */
static bool all_are(uint32_t value)
{
    for (unsigned tries = 0; tries < 100; tries++) {
        uint32_t w = 0, h = 0;
        uint32_t *pixels = display_copy(display, false, &w, &h);
        size_t same = 0;
        for (size_t i = 0; pixels && i < (size_t)w * h; i++) {
            same += (pixels[i] & 0xFFFFFF) == value;
        }
        free(pixels);
        if (same && same == (size_t)w * h) {
            return true;
        }
        host_sleep_ns(20000000);
    }
    return false;
}

TEST(boot)
{
    char size[32];
    CHECK(wait_text("rvkit:~# ", 120));
    host_sleep_ns(1000000000);
    picture("boot");
    display_size(display, &width, &height);
    CHECK(width == 1024 && height == 768);
    CHECK(lit() > 5000); /* the logo and the log */
    snprintf(size, sizeof(size), "%u,%u", width, height);
    CHECK(answers("cat /sys/class/graphics/fb0/virtual_size", size, 10));
}

/* What a person types for the screen's shell: "echo qk>/dev/ttyS0", which answers on the serial
 * line. */
TEST(typing)
{
    static const uint8_t keys[] = {0x08, 0x06, 0x0B, 0x12, 0x2C, 0x14, 0x0E, 0xB7, 0x38, 0x07,
                                   0x08, 0x19, 0x38, 0x17, 0x17, 0x1C, 0x96, 0x27, 0x28};
    input_source_t *person = input_source_new(input);
    uint64_t before = display_hash(display);
    for (unsigned i = 0; i < sizeof(keys); i++) { /* with the highest bit: with shift */
        input_key(person, 0xE1, keys[i] & 0x80);
        input_key(person, keys[i] & 0x7F, true);
        input_key(person, keys[i] & 0x7F, false);
    }
    CHECK(wait_text("qk", 10));
    host_sleep_ns(500000000);
    CHECK(before != display_hash(display));
    picture("typed");
    input_source_free(person);
}

TEST(drawing)
{
    /* Without the text's cursor in the picture. */
    type("printf '\\033[?25l' >/dev/tty1; echo 0 >/sys/class/graphics/fbcon/cursor_blink; echo 0 "
         ">/proc/sys/kernel/printk\n");
    host_sleep_ns(500000000);
    /* In large pieces: Linux's fbdev emulation forgets a piece that ends with a line and begins in
     * it. */
    CHECK(answers("dd if=/mnt/grey.raw of=/dev/fb0 bs=1048576; echo dr''awn", "drawn", 30));
    CHECK(all_are(0x555555));
    picture("drawn");
}

TEST(new_size)
{
    CHECK(display_request_size(display, 1280, 800));
    host_sleep_ns(1000000000);
    /* fbcon, when it is told, asks for modes up to its own size only. */
    CHECK(answers("cd /sys/class/drm/card0-Virtual-1; echo detect >status; head -n 1 modes; cd",
                  "1280x800", 10));
    CHECK(answers("od -An -tx1 -j54 -N4 /sys/class/drm/card0-Virtual-1/edid", "bc 1b 00 a0", 10));
}

/* A program of the guest's sets the mode that was asked for, draws all of it, and shows a cursor.
 */
TEST(modeset)
{
    uint32_t w = 0, h = 0;
    display_view_t view;
    display_viewer_t *viewer = display_attach(display, NULL, NULL);
    CHECK(answers("/mnt/desktop_guest draw", "mode 1280x800 is drawn", 20));
    host_sleep_ns(300000000);
    uint32_t *pixels = display_copy(display, false, &w, &h);
    CHECK(pixels && w == 1280 && h == 800);
    for (uint32_t i = 0; pixels && i < w * h; i++) {
        CHECK_EQ(i * UINT32_C(2654435761) >> 8 & 0xFFFFFF, pixels[i] & 0xFFFFFF);
    }
    free(pixels);
    display_begin(viewer, &view);
    CHECK(view.events & DISPLAY_CURSOR);
    for (uint32_t i = 0; view.cursor.image && i < DISPLAY_CURSOR_SIDE * DISPLAY_CURSOR_SIDE; i++) {
        CHECK_EQ(0xFF00FF00u + i / 64, view.cursor.image[i]);
    }
    CHECK(view.cursor.image && view.cursor.hot_x == 3 && view.cursor.hot_y == 4);
    CHECK(view.cursor.x == 303 && view.cursor.y == 204);
    display_end(viewer);
    display_detach(viewer);
    type("\n");
    CHECK(wait_text("# ", 10));
    host_sleep_ns(500000000);
    display_size(display, &w, &h);
    CHECK(w == 1024 && h == 768); /* fbcon has it again */
}

/* Events of a device come one for one; the guest names its devices in the order of the board's. */
TEST(events)
{
    input_source_t *person = input_source_new(input);
    CHECK(answers("/mnt/desktop_guest events /dev/input/event0 8", "listening", 10));
    for (unsigned i = 0; i < 2; i++) {
        input_key(person, 0x04 + i, true);
        input_key(person, 0x04 + i, false);
    }
    CHECK(wait_text("1 30 1, 0 0 0, 1 30 0, 0 0 0, 1 48 1, 0 0 0, 1 48 0, 0 0 0, end", 10));
    CHECK(answers("/mnt/desktop_guest events /dev/input/event1 5", "listening", 10));
    input_place(person, 1000, 2000);
    input_button(person, INPUT_LEFT, true);
    CHECK(wait_text("3 0 1000, 3 1 2000, 0 0 0, 1 272 1, 0 0 0, end", 10));
    CHECK(answers("/mnt/desktop_guest events /dev/input/event2 6", "listening", 10));
    input_move(person, 5, -6);
    input_wheel(person, 0, INPUT_NOTCH);
    CHECK(wait_text("2 0 5, 2 1 -6, 0 0 0, 2 11 120, 2 8 1, 0 0 0, end", 10));
    CHECK(answers("/mnt/desktop_guest events /dev/input/event3 8", "listening", 10));
    input_touch(person, 1, true, 70, 80);
    CHECK(wait_text("3 47 1, 3 57 0, 3 53 70, 3 54 80, 1 330 1, 3 0 70, 3 1 80, 0 0 0, end", 10));
    input_source_free(person);
}

TEST(sound)
{
    CHECK(answers("/mnt/desktop_guest play </mnt/tone.raw; echo st''atus $?",
                  "played 480256 frames", 60));
    CHECK(wait_text("status 0", 10));
    CHECK(answers("/mnt/desktop_guest record 48000 >/mnt/heard.raw; echo st''atus $?", "status 0",
                  30));
}

/* From here on: the programs of the desktop disk. */

static void press(input_source_t *person, unsigned usage)
{
    input_key(person, usage, true);
    host_sleep_ns(100000000);
    input_key(person, usage, false);
    host_sleep_ns(100000000);
}

static unsigned colors(void)
{
    static bool seen[1 << 24];
    uint32_t w, h;
    uint32_t *pixels = display_copy(display, false, &w, &h);
    unsigned count = 0;
    memset(seen, 0, sizeof(seen));
    for (size_t i = 0; pixels && i < (size_t)w * h; i++) {
        count += !seen[pixels[i] & 0xFFFFFF];
        seen[pixels[i] & 0xFFFFFF] = true;
    }
    free(pixels);
    return count;
}

static bool colorful(unsigned seconds)
{
    for (unsigned tries = 0; tries < seconds * 10; tries++) {
        if (colors() > 50) {
            return true;
        }
        host_sleep_ns(100000000);
    }
    return false;
}

static bool size_is(uint32_t want_width, uint32_t want_height, unsigned seconds)
{
    uint32_t w = 0, h = 0;
    for (unsigned tries = 0; tries < seconds * 50; tries++) {
        display_size(display, &w, &h);
        if (w == want_width && h == want_height) {
            return true;
        }
        host_sleep_ns(20000000);
    }
    printf("# the screen is %u x %u\n", w, h);
    return false;
}

TEST(welcome)
{
    CHECK(wait_text("modetest", 120));
    CHECK(wait_text("rvkit:~# ", 20));
    CHECK(answers("awk '$2 == \"/\" { print $1, $3 }' /proc/mounts", "/dev/root ext4", 10));
    CHECK(answers("mount -t 9p -o trans=virtio,version=9p2000.L test /mnt && echo mo''unted",
                  "mounted", 10));
}

/* The colours of the upper part of SMPTE's bars, in seven columns, at three quarters of full. */
TEST(pattern)
{
    static const uint32_t bars[] = {0xC0C0C0, 0xC0C000, 0x00C0C0, 0x00C000,
                                    0xC000C0, 0xC00000, 0x0000C0};
    uint32_t w = 0, h = 0;
    CHECK(answers("modetest -c", "connected\tVirtual-1", 20));
    CHECK(wait_text("#0 1024x768", 10));
    CHECK(wait_text("# ", 10));
    CHECK(answers("pattern 800x600", "setting mode 800x600", 20));
    CHECK(size_is(800, 600, 10));
    host_sleep_ns(300000000);
    uint32_t *pixels = display_copy(display, false, &w, &h);
    CHECK(pixels && w == 800 && h == 600);
    for (uint32_t i = 0; pixels && w == 800 && i < w * 300; i++) {
        uint32_t x = i % w, bar = x * 7 / w;
        if (x % (w / 7) > 4 && x % (w / 7) < w / 7 - 4) {
            CHECK_EQ(bars[bar], pixels[i] & 0xFFFFFF);
        }
    }
    free(pixels);
    picture("pattern");
    type("\n");
    CHECK(wait_text("# ", 10));
    CHECK(size_is(1024, 768, 5));
}

TEST(watching)
{
    input_source_t *person = input_source_new(input);
    CHECK(answers("evwatch 7; echo st''atus $?", "event3: ", 10));
    CHECK(wait_text("Ctrl-C ends.", 10));
    host_sleep_ns(300000000);
    press(person, 0x04);
    CHECK(wait_text("event0 press A (type 1, code 30) 1", 10));
    CHECK(wait_text("event0 release A (type 1, code 30) 0", 10));
    input_place(person, 1000, 2000);
    CHECK(wait_text("event1 place X (type 3, code 0) 1000", 10));
    CHECK(wait_text("event1 place Y (type 3, code 1) 2000", 10));
    input_move(person, 5, -6);
    CHECK(wait_text("event2 move X (type 2, code 0) 5", 10));
    CHECK(wait_text("event2 move Y (type 2, code 1) -6", 10));
    input_touch(person, 0, true, 70, 80);
    CHECK(wait_text("event3 finger ", 10));
    CHECK(wait_text("status 0", 10));
    input_source_free(person);
}

TEST(player)
{
    CHECK(answers("play /mnt/tone.wav; echo st''atus $?", "played 96256 frames", 60));
    CHECK(wait_text("status 0", 10));
    CHECK(answers("play /etc/passwd; echo st''atus $?", "status 1", 10));
}

/* The guest's program says what the pixels add up to. */
TEST(fractal)
{
    char want[32];
    bool same = false;
    CHECK(answers("fbdraw; echo st''atus $?", "drawn: 1024 x 768, ", 120));
    for (unsigned tries = 0; tries < 100 && !same; tries++) {
        uint32_t w = 0, h = 0, hash = UINT32_C(2166136261);
        uint32_t *pixels = display_copy(display, false, &w, &h);
        for (size_t i = 0; pixels && i < (size_t)w * h; i++) {
            hash = (hash ^ (pixels[i] & 0xFFFFFF)) * UINT32_C(16777619);
        }
        free(pixels);
        snprintf(want, sizeof(want), "sum %08x; Enter", hash);
        host_mutex_lock(serial.lock);
        same = strstr(serial.text + serial.seen, want) != NULL;
        host_mutex_unlock(serial.lock);
        host_sleep_ns(20000000);
    }
    CHECK(same);
    CHECK(colors() > 200);
    picture("fbdraw");
    type("\n");
    CHECK(wait_text("status 0", 10));
}

/* A game from its title to its first level, some steps in it, and out again. */
TEST(game)
{
    input_source_t *person = input_source_new(input);
    CHECK(answers("printf '\\033c' >/dev/tty1; echo cl''ear", "clear", 10)); /* of the logo */
    host_sleep_ns(500000000);
    CHECK(colors() < 50);
    type("doom; echo st''atus $?\n");
    CHECK(colorful(30));
    host_sleep_ns(1500000000);
    picture("doom-title");
    for (unsigned i = 0; i < 4; i++) { /* the menu, a new game, its episode, how hard it is */
        press(person, 0x28);
        host_sleep_ns(300000000);
    }
    host_sleep_ns(3000000000);
    CHECK(colorful(1));
    uint64_t before = display_hash(display);
    picture("doom-level");
    input_key(person, 0x52, true); /* up */
    host_sleep_ns(1000000000);
    input_key(person, 0x52, false);
    press(person, 0xE0); /* Ctrl: a shot */
    host_sleep_ns(300000000);
    CHECK(before != display_hash(display));
    picture("doom-shot");
    press(person, 0x43); /* F10, and Y */
    press(person, 0x1C);
    CHECK(wait_text("status 0", 20));
    const char *ended = strstr(serial.text, "doom: the sound ends");
    CHECK(!ended);
    if (ended) {
        printf("# %.80s\n", ended);
    }
    host_sleep_ns(500000000);
    CHECK(colors() < 50);
    input_source_free(person);
}

TEST(off)
{
    type("poweroff -f\n");
    rvvm_run_eventloop();
}

static rvvm_machine_t *make(bool gpu, const char *drive)
{
    static const unsigned kinds[] = {INPUT_KEYBOARD, INPUT_TABLET, INPUT_MOUSE, INPUT_TOUCH};
    static board_desc_t desc = {.mem_size = 256 << 20, .harts = 2};
    char error[256], play[512], record[512];
    serial.lock = host_mutex_create();
    serial.dev = (chardev_t){.poll = serial_poll, .read = serial_read, .write = serial_write};
    desc.serial[desc.serial_count++] = &serial.dev;
    display = display_new("screen");
    input = input_new();
    board_screen_t screen = {display_host(display), 1024, 768};
    if (gpu) {
        desc.scanout[desc.scanout_count++] = screen;
    } else {
        desc.framebuffer = screen;
        desc.has_framebuffer = true;
    }
    for (unsigned i = 0; i < 4; i++) {
        desc.input[i].host = input_host(input);
        desc.input[desc.input_count++].kind = kinds[i];
    }
    snprintf(play, sizeof(play), "%s/played.wav", dir);
    snprintf(record, sizeof(record), "%s/record.wav", dir);
    const share_desc_t share = {.dir = dir};
    desc.share[0].tag = "test";
    desc.share_count = 1;
    desc.playbacks = desc.captures = 1;
    if (!audio_wav_open(&desc.audio, NULL, play, drive ? NULL : record, error, sizeof(error)) ||
        !share_open(&desc.share[0].server, &share, error, sizeof(error)) ||
        (drive &&
         !(desc.drive[desc.drive_count++] = disk_open_spec(drive, error, sizeof(error))))) {
        printf("Bail out! %s\n", error);
        exit(1);
    }
    return board_create(&desc);
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        return 2;
    }
    bool gpu = !strcmp(argv[1], "gpu"), disk = !strcmp(argv[1], "disk");
    dir = argv[4];
    rvvm_machine_t *machine = make(gpu || disk, disk ? argv[3] : NULL);
    if (!machine || !rvvm_load_kernel(machine, argv[2]) ||
        (!disk && !rvkit_load_initrd(machine, argv[3]))) {
        printf("Bail out! no machine\n");
        return 1;
    }
    /* Buffers of more than a second: a busy host is no underrun. */
    rvvm_set_cmdline(machine, "console=tty0 console=ttyS0 virtio_snd.pcm_buffer_ms=2000 "
                              "virtio_snd.pcm_periods_max=64");
    rvvm_append_cmdline(machine, disk ? "root=/dev/vda rw" : "rw");
    rvvm_start_machine(machine);
    if (disk) {
        RUN(welcome);
        RUN(pattern);
        RUN(watching);
        RUN(player);
        RUN(fractal);
        RUN(game);
    } else {
        RUN(boot);
        CHECK(answers("mount -t 9p -o trans=virtio,version=9p2000.L test /mnt && echo mo''unted",
                      "mounted", 10));
        RUN(typing);
        RUN(drawing);
    }
    if (gpu) {
        RUN(new_size);
        RUN(modeset);
        RUN(events);
        RUN(sound);
    }
    RUN(off);
    rvvm_free_machine(machine);
    display_close(display);
    input_close(input);
    host_mutex_free(serial.lock);
    return tap_finish();
}
