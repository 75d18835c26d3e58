/* SPDX-License-Identifier: MPL-2.0 */
/* Consoles behind listening sockets: plain clients, attached ones, channels; nothing lost, nobody
 * stalled. */
#include "tap.h"

#include "console_rig.h"

#include "frontends/attach.h"
#include "frontends/server.h"
#include "host/socket.h"
#include "util.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

static char path[64];
static guest_t guest;
static console_server_t *server;

static bool up(bool channel)
{
    char error[100];
    snprintf(path, sizeof(path), "/tmp/rvkit-server-%ld", (long)getpid());
    int fd = host_socket_listen_unix(path, error, sizeof(error));
    server = fd >= 0 && guest_open(&guest, channel, false) ? console_serve(guest.console, fd, path)
                                                           : NULL;
    CHECK(server != NULL);
    return server != NULL;
}

static void down(void)
{
    console_unserve(server);
    guest_close(&guest);
    CHECK(access(path, F_OK) != 0);
}

/* A client, in blocking mode. */
static int client(void)
{
    int fd = host_socket_connect_unix(path);
    CHECK(fd >= 0);
    fcntl(fd, F_SETFL, 0);
    return fd;
}

static size_t read_all(int fd, void *buf, size_t size)
{
    size_t done = 0;
    ssize_t got;
    while (done < size && (got = recv(fd, (uint8_t *)buf + done, size - done, 0)) > 0) {
        done += (size_t)got;
    }
    return done;
}

static bool reads(int fd, const char *text)
{
    char got[512];
    size_t n = strlen(text);
    return read_all(fd, got, n) == n && !memcmp(got, text, n);
}

static bool nothing_to_read(int fd)
{
    char byte;
    host_sleep_ns(30000000);
    return recv(fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK) < 0;
}

/* The guest reads exactly this, sooner or later. */
static bool guest_reads(const char *text)
{
    char got[256];
    size_t n = 0, size = strlen(text);
    for (unsigned i = 0; i < 20000 && n < size; i++) {
        n += chardev_read(guest.port, got + n, size - n);
        if (n < size) {
            host_sleep_ns(2000000);
        }
    }
    return n == size && !memcmp(got, text, n);
}

static uint8_t pattern(size_t i)
{
    return (uint8_t)(i % 251);
}

static bool wait_for_viewers(unsigned count)
{
    console_info_t info = {.viewers = ~0u};
    for (unsigned i = 0; i < 20000 && info.viewers != count; i++) {
        host_sleep_ns(2000000);
        console_info(guest.console, &info);
    }
    return info.viewers == count;
}

/* Without a client the newest output is kept. */
TEST(keeps_the_newest)
{
    static uint8_t text[CONSOLE_BUFFER + 1000], got[CONSOLE_BUFFER];
    if (!up(false)) {
        return;
    }
    for (size_t i = 0; i < sizeof(text); i++) {
        text[i] = (uint8_t)(i * 31 >> 3);
    }
    CHECK_EQ(sizeof(text), chardev_write(guest.port, text, sizeof(text)));
    int fd = client();
    CHECK_EQ(sizeof(got), read_all(fd, got, sizeof(got)));
    CHECK(!memcmp(got, text + 1000, sizeof(got)));
    close(fd);
    down();
}

/* A plain client that does not read holds the guest up, and then gets everything. */
TEST(waits_for_a_plain_client)
{
    static uint8_t text[1000], got[1000];
    size_t sent = 0, heard = 0;
    if (!up(false)) {
        return;
    }
    int fd = client();
    CHECK(wait_for_viewers(1));
    for (size_t n = sizeof(text); n == sizeof(text) && sent < (64u << 20); sent += n) {
        for (size_t i = 0; i < sizeof(text); i++) {
            text[i] = pattern(sent + i);
        }
        n = chardev_write(guest.port, text, sizeof(text));
        for (unsigned i = 0; i < 200 && n < sizeof(text);
             i++) { /* a busy machine is no full buffer */
            host_sleep_ns(1000000);
            n += chardev_write(guest.port, text + n, sizeof(text) - n);
        }
    }
    CHECK(sent < (64u << 20) && !(chardev_poll(guest.port) & CHARDEV_TX));
    bool same = true;
    while (heard < sent) {
        size_t n = read_all(fd, got, sent - heard < sizeof(got) ? sent - heard : sizeof(got));
        for (size_t i = 0; i < n; i++) {
            same &= got[i] == pattern(heard + i);
        }
        heard += n;
        if (!n) {
            break;
        }
    }
    CHECK(same && heard == sent);
    close(fd);
    down();
}

TEST(several_plain_clients_see_the_same)
{
    if (!up(false)) {
        return;
    }
    int a = client(), b = client();
    CHECK(wait_for_viewers(2));
    guest_says(&guest, "hello");
    CHECK(reads(a, "hello") && reads(b, "hello"));
    CHECK_EQ(3, send(a, "abc", 3, 0));
    CHECK(guest_reads("abc"));
    CHECK_EQ(3, send(b, "def", 3, 0));
    CHECK(guest_reads("def"));
    close(a);
    CHECK(wait_for_viewers(1));
    guest_says(&guest, "again");
    CHECK(reads(b, "again"));
    close(b);
    down();
}

/* Of a channel the second client gets its turn when the first has gone. */
TEST(a_channel_has_one_client_at_a_time)
{
    if (!up(true)) {
        return;
    }
    int first = client();
    CHECK_EQ(3, send(first, "abc", 3, 0));
    CHECK(guest_reads("abc"));
    int second = client();
    CHECK_EQ(3, send(second, "def", 3, 0));
    guest_says(&guest, "one");
    CHECK(reads(first, "one"));
    char byte;
    host_sleep_ns(30000000);
    CHECK_EQ(0, chardev_read(guest.port, &byte, 1));
    close(first);
    CHECK(guest_reads("def"));
    guest_says(&guest, "two");
    CHECK(reads(second, "two"));
    close(second);
    down();
}

/* A client that says no more may still listen; one that goes leaves all it said. */
TEST(clients_that_end_lose_nothing)
{
    static uint8_t text[4 * CONSOLE_BUFFER], got[4 * CONSOLE_BUFFER];
    size_t n = 0;
    if (!up(false)) {
        return;
    }
    int fd = client();
    CHECK_EQ(3, send(fd, "abc", 3, 0));
    shutdown(fd, SHUT_WR);
    CHECK(guest_reads("abc"));
    guest_says(&guest, "answer");
    CHECK(reads(fd, "answer"));
    close(fd);
    CHECK(wait_for_viewers(0));

    for (size_t i = 0; i < sizeof(text); i++) {
        text[i] = pattern(i);
    }
    fd = client();
    int big = 1 << 20;
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &big, sizeof(big));
    CHECK(send(fd, text, sizeof(text), 0) == (ssize_t)sizeof(text));
    close(fd);
    host_sleep_ns(30000000);
    for (unsigned i = 0; i < 40000 && n < sizeof(text); i++) {
        size_t read = chardev_read(guest.port, got + n, sizeof(got) - n);
        n += read;
        if (!read) {
            host_sleep_ns(1000000);
        }
    }
    CHECK(n == sizeof(text) && !memcmp(got, text, n));
    down();
}

/* --- Attached clients --- */

static int attach_client(unsigned cols, unsigned rows)
{
    char line[ATTACH_LINE_MAX];
    int fd = client();
    memcpy(line, ATTACH_HELLO, ATTACH_HELLO_SIZE);
    int n = snprintf(line + ATTACH_HELLO_SIZE, sizeof(line) - ATTACH_HELLO_SIZE,
                     "0123456789abcdef %u %u\n", cols, rows);
    for (size_t i = 0; i < ATTACH_HELLO_SIZE + (size_t)n; i++) { /* in the smallest pieces */
        CHECK_EQ(1, send(fd, line + i, 1, 0));
    }
    return fd;
}

/* Reads up to the server's answer; false: there was none. */
static bool greeted(int fd)
{
    char answer[ATTACH_LINE_MAX], byte;
    size_t n = 0;
    memcpy(answer, ATTACH_REPLY, ATTACH_REPLY_SIZE);
    strcpy(answer + ATTACH_REPLY_SIZE, "0123456789abcdef test\n");
    size_t size = ATTACH_REPLY_SIZE + strlen(answer + ATTACH_REPLY_SIZE);
    while (n < size && read_all(fd, &byte, 1) == 1) {
        n = byte == answer[n] ? n + 1 : byte == answer[0];
    }
    return n == size;
}

/* The next frame's type, its content into a screen when it is data; 0: the end. */
static uint8_t next_frame(int fd, vt_t *vt)
{
    uint8_t frame[ATTACH_FRAME_HEAD + ATTACH_FRAME_MAX];
    if (read_all(fd, frame, ATTACH_FRAME_HEAD) != ATTACH_FRAME_HEAD) {
        return 0;
    }
    size_t size = util_get_le16(frame + 1);
    if (size > ATTACH_FRAME_MAX || read_all(fd, frame + ATTACH_FRAME_HEAD, size) != size) {
        return 0;
    }
    if (frame[0] == ATTACH_DATA) {
        vt_write(vt, frame + ATTACH_FRAME_HEAD, size);
    }
    return frame[0];
}

static bool comes_to_the_same(int fd, vt_t *vt)
{
    while (vt_hash(vt) != console_hash(guest.console)) {
        if (next_frame(fd, vt) != ATTACH_DATA) {
            return false;
        }
    }
    return true;
}

static void send_frame(int fd, uint8_t type, const void *data, size_t size)
{
    uint8_t head[ATTACH_FRAME_HEAD] = {type};
    util_put_le16(head + 1, (uint16_t)size);
    send(fd, head, sizeof(head), 0);
    send(fd, data, size, 0);
}

TEST(an_attached_client_sees_the_screen_and_types)
{
    static const uint8_t size[4] = {100, 0, 40, 0};
    if (!up(false)) {
        return;
    }
    guest_says(&guest, "\033[5;5Hthe screen\033[?25l");
    int fd = attach_client(90, 30);
    vt_t *vt = vt_create(90, 30, 0, NULL);
    CHECK(greeted(fd) && comes_to_the_same(fd, vt));
    CHECK(guest.cols == 90 && guest.rows == 30);
    send_frame(fd, ATTACH_DATA, "typed", 5);
    CHECK(guest_reads("typed"));
    send_frame(fd, 'x', "unknown", 7); /* is skipped */
    send_frame(fd, ATTACH_SIZE, size, sizeof(size));
    send_frame(fd, ATTACH_DATA, "more", 4);
    CHECK(guest_reads("more"));
    CHECK(guest.cols == 100 && guest.rows == 40);
    vt_resize(vt, 100, 40);
    guest_says(&guest, "\033[c");
    CHECK(guest_reads("\033[?"));
    CHECK(nothing_to_read(fd));
    chardev_free(guest.port);
    guest.port = NULL;
    CHECK_EQ(ATTACH_CLOSED, next_frame(fd, vt));
    close(fd);
    vt_destroy(vt);
    down();
}

TEST(a_slow_attached_client_stalls_nobody)
{
    static char noise[20000];
    uint32_t seed = 77;
    if (!up(false)) {
        return;
    }
    int fd = attach_client(80, 24);
    vt_t *vt = vt_create(80, 24, 0, NULL);
    CHECK(greeted(fd));
    for (unsigned i = 0; i < 200; i++) { /* 4 MB, far more than sockets hold */
        size_t size = full_screen_noise(&seed, noise, sizeof(noise));
        CHECK_EQ(size, chardev_write(guest.port, noise, size));
    }
    CHECK(comes_to_the_same(fd, vt));
    close(fd);
    vt_destroy(vt);
    down();
}

TEST(what_only_begins_like_a_greeting)
{
    if (!up(false)) {
        return;
    }
    int fd = client();
    CHECK_EQ(5, send(fd, "\0rvki", 5, 0));
    host_sleep_ns(20000000);
    CHECK_EQ(4, send(fd, "bler", 4, 0));
    char got[16];
    size_t n = 0;
    for (unsigned i = 0; i < 20000 && n < 9; i++) {
        n += chardev_read(guest.port, got + n, sizeof(got) - n);
        host_sleep_ns(1000000);
    }
    CHECK(n == 9 && !memcmp(got, "\0rvkibler", 9));
    close(fd);
    fd = client();
    CHECK_EQ(ATTACH_HELLO_SIZE + 4, send(fd, ATTACH_HELLO "xyz\n", ATTACH_HELLO_SIZE + 4, 0));
    CHECK(wait_for_viewers(0)); /* it was sent away */
    close(fd);
    /* A frame that is longer than any. */
    fd = attach_client(80, 24);
    CHECK(greeted(fd));
    CHECK_EQ(3, send(fd, "D\xff\xff", 3, 0));
    CHECK(wait_for_viewers(0));
    close(fd);
    down();
}

TEST(refuses)
{
    char error[100];
    char long_path[300];
    memset(long_path, 'x', sizeof(long_path));
    long_path[sizeof(long_path) - 1] = 0;
    CHECK(host_socket_listen_unix(long_path, error, sizeof(error)) < 0);
    CHECK(host_socket_listen_unix("", error, sizeof(error)) < 0);
    CHECK(host_socket_listen_unix("/dev/null", error, sizeof(error)) < 0);
    CHECK(host_socket_listen_tcp("127.0.0.1", error, sizeof(error)) < 0);
    CHECK(host_socket_listen_tcp("127.0.0.1:", error, sizeof(error)) < 0);
    int fd = host_socket_listen_tcp("127.0.0.1:0", error, sizeof(error));
    CHECK(fd >= 0);
    close(fd);
}

int main(void)
{
#ifndef __EMSCRIPTEN__
    RUN(keeps_the_newest);
    RUN(waits_for_a_plain_client);
    RUN(several_plain_clients_see_the_same);
    RUN(a_channel_has_one_client_at_a_time);
    RUN(clients_that_end_lose_nothing);
    RUN(an_attached_client_sees_the_screen_and_types);
    RUN(a_slow_attached_client_stalls_nobody);
    RUN(what_only_begins_like_a_greeting);
    RUN(refuses);
#else
    (void)test_keeps_the_newest, (void)test_waits_for_a_plain_client,
        (void)test_several_plain_clients_see_the_same,
        (void)test_a_channel_has_one_client_at_a_time, (void)test_clients_that_end_lose_nothing,
        (void)test_an_attached_client_sees_the_screen_and_types,
        (void)test_a_slow_attached_client_stalls_nobody,
        (void)test_what_only_begins_like_a_greeting, (void)test_refuses;
    tap_passed++; /* no sockets there */
#endif
    return tap_finish();
}
