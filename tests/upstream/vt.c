/* SPDX-License-Identifier: MPL-2.0 */
/* upstream/rvkit_vt.h on RVVM's core: a terminal as a chardev, and behind RVVM's own UART with a
 * hart that prints. */
#include "virtio_driver.h"

#include "attach.h"
#include "clock.h"
#include "ns16550a.h"
#include "rvkit_vt.h"
#include "socket.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

static char dir[] = "/tmp/rvkit-vt-XXXXXX", socket_path[64], screen_path[64], options[256];
static chardev_t *chardev;
static console_t *console;
static console_viewer_t *viewer;

static bool up(const char *words)
{
    char error[256] = "";
    chardev = rvkit_vt_create("ttyS0", words, error, sizeof(error));
    console = chardev ? rvkit_vt_console(chardev) : NULL;
    viewer =
        console ? console_attach(console, &(console_viewer_desc_t){.kind = CONSOLE_CELLS}) : NULL;
    if (!viewer) {
        printf("# %s\n", error);
    }
    CHECK(viewer != NULL);
    return viewer != NULL;
}

static void say(const char *text)
{
    CHECK_EQ(strlen(text), chardev_write(chardev, text, strlen(text)));
}

/* The cell's only code point. */
static uint32_t code_at(vt_t *vt, int row, unsigned col)
{
    uint32_t codes[VT_CLUSTER_MAX];
    return vt_cell_text(vt, &vt_row(vt, row)[col], codes) == 1 ? codes[0] : 0;
}

/* The row begins with this text. */
static bool row_is(int row, const char *text)
{
    vt_t *vt = console_lock(viewer, NULL);
    bool same = true;
    for (unsigned col = 0; text[col]; col++) {
        same &= code_at(vt, row, col) == (uint8_t)text[col];
    }
    console_unlock(viewer);
    return same;
}

TEST(cells)
{
    if (!up("")) {
        return;
    }
    say("\033[1;31mred\033[0m \033[44;38;2;1;2;3mtrue\033[0m "
        "\033[4:3;38;5;208mcurly\033[0m\r\n\xe4\xbd\xa0");
    vt_t *vt = console_lock(viewer, NULL);
    const vt_cell_t *row = vt_row(vt, 0);
    CHECK_EQ('r', code_at(vt, 0, 0));
    CHECK_EQ(VT_COLOR_16 | 1 | VT_BOLD, row[0].fg);
    CHECK_EQ(VT_COLOR_DEFAULT, row[3].fg);
    CHECK_EQ('t', code_at(vt, 0, 4));
    CHECK_EQ(VT_COLOR_RGB | 0x010203, row[4].fg);
    CHECK_EQ(VT_COLOR_16 | 4, row[4].bg);
    CHECK_EQ(VT_COLOR_256 | 208, row[9].fg);
    CHECK_EQ(3, (row[9].bg & VT_UNDERLINE) >> VT_UNDERLINE_SHIFT);
    CHECK_EQ(0x4f60, code_at(vt, 1, 0));
    CHECK_EQ(2, vt_cell_width(&vt_row(vt, 1)[0]));
    console_unlock(viewer);
    console_detach(viewer);
    chardev_free(chardev);
}

/* The state of one console is loaded to another; a viewer keeps the first one's screen alive. */
TEST(saved)
{
    size_t size = 0;
    uint8_t *state = NULL;
    uint64_t hash = 0;
    if (up("")) {
        say("\033[?1049h\033[10;20H\033[7msaved");
        chardev_free(chardev);
        state = console_save(console, &size);
        hash = console_hash(console);
        console_detach(viewer);
    }
    if (up("")) {
        CHECK(console_hash(console) != hash);
        CHECK(state && console_load(console, state, size));
        CHECK_EQ(hash, console_hash(console));
        vt_t *vt = console_lock(viewer, NULL);
        CHECK(code_at(vt, 9, 19) == 's' && (vt_row(vt, 9)[19].fg & VT_INVERSE));
        console_unlock(viewer);
        console_detach(viewer);
        chardev_free(chardev);
    }
    free(state);
}

static void on_notify(void *io_dev, uint32_t flags)
{
    *(uint32_t *)io_dev = flags;
}

/* As RVVM's own back ends do: an UART of 2026 forgets what is left out. */
TEST(tells_everything)
{
    uint32_t told = 0;
    char c = 0;
    if (!up("")) {
        return;
    }
    chardev->io_dev = &told;
    chardev->notify = on_notify;
    chardev_update(chardev);
    CHECK_EQ(CHARDEV_TX, told);
    console_key(viewer, 'a', 0);
    CHECK_EQ(CHARDEV_RX | CHARDEV_TX, told);
    CHECK(chardev_read(chardev, &c, 1) == 1 && c == 'a');
    chardev_update(chardev);
    CHECK_EQ(CHARDEV_TX, told);
    console_detach(viewer);
    chardev_free(chardev);
}

/* What a client gets is what is wanted, however it is cut. */
static bool reads(int fd, const char *want, size_t size)
{
    char got[512];
    size_t n = 0;
    ssize_t part;
    while (n < size && (part = recv(fd, got + n, size - n, 0)) > 0) {
        n += (size_t)part;
    }
    return n == size && !memcmp(got, want, size);
}

static int client(void)
{
    int fd = host_socket_connect_unix(socket_path);
    CHECK(fd >= 0);
    fcntl(fd, F_SETFL, 0);
    return fd;
}

static bool guest_reads(const char *text)
{
    char got[64];
    size_t n = 0, size = strlen(text);
    for (unsigned i = 0; i < 2000 && n < size; i++) {
        n += chardev_read(chardev, got + n, size - n);
        host_sleep_ns(1000000);
    }
    return n == size && !memcmp(got, text, size);
}

TEST(sockets)
{
    static const char hello[] = "\0rvkit-attach 1 0123456789abcdef 100 40\n";
    static const char answer[] = "\0rvkit-attached 1 0123456789abcdef ttyS0\n";
    console_info_t info = {0};
    if (!up(options)) {
        return;
    }
    int plain = client(), attached = client();
    say("hello");
    CHECK(reads(plain, "hello", 5));
    CHECK_EQ(3, send(plain, "ls\r", 3, 0));
    CHECK(guest_reads("ls\r"));
    CHECK_EQ(sizeof(hello) - 1, send(attached, hello, sizeof(hello) - 1, 0));
    char got[ATTACH_LINE_MAX + 5];
    CHECK(recv(attached, got, 5, MSG_WAITALL) == 5 &&
          !memcmp(got, "hello", 5)); /* it was a plain one until then */
    CHECK(reads(attached, answer, sizeof(answer) - 1));
    for (unsigned i = 0; i < 2000 && info.cols != 100; i++) {
        console_info(console, &info);
        host_sleep_ns(1000000);
    }
    CHECK(info.cols == 100 && info.rows == 40 && info.viewers == 3);
    console_detach(viewer);
    chardev_free(chardev);
    close(plain);
    close(attached);
    CHECK(access(socket_path, F_OK) != 0);
}

TEST(screen_file)
{
    char got[256] = "";
    if (!up(options)) {
        return;
    }
    say("plain \033[32mgreen\033[0m");
    console_detach(viewer);
    chardev_free(chardev);
    FILE *file = fopen(screen_path, "rb");
    size_t n = file ? fread(got, 1, sizeof(got) - 1, file) : 0;
    CHECK(n && !strncmp(got, "plain \033[0;32mgreen", 18));
    if (file) {
        fclose(file);
    }
}

TEST(bad_options)
{
    static const char *const bad[] = {"x",
                                      ",",
                                      "unix:",
                                      "unix:/nonexistent/s",
                                      "tcp:nowhere",
                                      "screen=/nonexistent/s",
                                      "screen=/dev/null,screen=/dev/null"};
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char error[256] = "";
        CHECK(!rvkit_vt_create("x", bad[i], error, sizeof(error)));
        CHECK(error[0] != 0);
    }
}

/* Prints the text behind the program, then echoes. */
static const uint32_t program[] = {
    0x100005b7, /*       lui   a1, 0x10000   */
    0x00000517, /*       auipc a0, 0         */
    0x03c50513, /*       addi  a0, a0, 60    */
    0x00054603, /* next: lbu   a2, 0(a0)     */
    0x00060863, /*       beqz  a2, echo      */
    0x00c58023, /*       sb    a2, 0(a1)     */
    0x00150513, /*       addi  a0, a0, 1     */
    0xff1ff06f, /*       j     next          */
    0x0055c603, /* echo: lbu   a2, 5(a1)     */
    0x00167613, /*       andi  a2, a2, 1     */
    0xfe060ce3, /*       beqz  a2, echo      */
    0x0005c603, /*       lbu   a2, 0(a1)     */
    0x00c58023, /*       sb    a2, 0(a1)     */
    0xfedff06f, /*       j     echo          */
    0,          0,
};

TEST(uart)
{
    static const char text[] = "\033[H\033[33mfrom a hart";
    vd_t vd;
    vd_machine(&vd);
    if (!up("")) {
        return;
    }
    CHECK(ns16550a_init_auto(vd.machine, chardev) != NULL);
    uint8_t *ram = rvvm_get_dma_ptr(vd.machine, RVVM_DEFAULT_MEMBASE, 4096);
    memcpy(ram, program, sizeof(program));
    memcpy(ram + sizeof(program), text, sizeof(text));
    CHECK(rvvm_start_machine(vd.machine));
    console_key(viewer, '!', 0);
    for (unsigned i = 0; i < 5000 && !row_is(0, "from a hart!"); i++) {
        host_sleep_ns(1000000);
    }
    CHECK(row_is(0, "from a hart!"));
    vt_t *vt = console_lock(viewer, NULL);
    CHECK_EQ(VT_COLOR_16 | 3, vt_row(vt, 0)[0].fg);
    console_unlock(viewer);
    console_detach(viewer);
    vd_close(&vd);
}

int main(void)
{
    if (!mkdtemp(dir)) {
        printf("Bail out! no folder\n");
        return 1;
    }
    snprintf(socket_path, sizeof(socket_path), "%s/a,socket", dir);
    snprintf(screen_path, sizeof(screen_path), "%s/screen", dir);
    snprintf(options, sizeof(options), "unix:%s/a,,socket,screen=%s", dir, screen_path);
    PROVE(cells, "what the guest writes can be read as characters with colours");
    PROVE(saved, "the screen is saved and loaded");
    PROVE(tells_everything,
          "the device is told all that can be done, at the start and with each change");
    PROVE(sockets, "clients see what the guest writes and type, attached ones give the size");
    PROVE(screen_file, "at the end the screen is in a file, with colours");
    PROVE(bad_options, "wrong options are refused");
    PROVE(uart,
          "behind RVVM's UART a hart's output is on the screen, and what is typed comes back");
    unlink(screen_path);
    rmdir(dir);
    return rig_finish("RVVM's VT");
}
