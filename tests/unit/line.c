/* SPDX-License-Identifier: MPL-2.0 */
/* A port behind a listening socket: one client at a time, nothing lost while it is there. */
#include "frontends/line.h"
#include "host/clock.h"
#include "host/socket.h"
#include "tap.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static char path[64];
static chardev_t *line;
static uint32_t told; /* atomic */

static void on_notify(void *opaque, uint32_t flags)
{
    (void)opaque;
    __atomic_fetch_or(&told, flags, __ATOMIC_SEQ_CST);
}

static bool up(void)
{
    char error[100];
    snprintf(path, sizeof(path), "/tmp/rvkit-line-%ld", (long)getpid());
    int fd = host_socket_listen_unix(path, error, sizeof(error));
    line = fd < 0 ? NULL : line_create(fd, path, false);
    if (line) {
        line->notify = on_notify;
        __atomic_store_n(&told, 0, __ATOMIC_SEQ_CST);
    }
    CHECK(line != NULL);
    return line != NULL;
}

/* A client, in blocking mode. */
static int client(void)
{
    int fd = host_socket_connect_unix(path);
    CHECK(fd >= 0);
    fcntl(fd, F_SETFL, 0);
    return fd;
}

static bool hear(uint32_t flags)
{
    for (unsigned i = 0; i < 2000 && !(__atomic_load_n(&told, __ATOMIC_SEQ_CST) & flags); i++) {
        host_sleep_ns(5000000);
    }
    return __atomic_fetch_and(&told, ~flags, __ATOMIC_SEQ_CST) & flags;
}

static size_t read_all(int fd, uint8_t *buf, size_t size)
{
    size_t done = 0;
    ssize_t got;
    while (done < size && (got = recv(fd, buf + done, size - done, 0)) > 0) {
        done += (size_t)got;
    }
    return done;
}

/* Without a client the newest output is kept. */
TEST(keeps_the_newest)
{
    static uint8_t text[LINE_KEPT + 1000], got[LINE_KEPT];
    if (!up()) {
        return;
    }
    for (size_t i = 0; i < sizeof(text); i++) {
        text[i] = (uint8_t)(i * 31 >> 3);
    }
    for (size_t i = 0; i < sizeof(text); i += 1000) {
        size_t n = sizeof(text) - i < 1000 ? sizeof(text) - i : 1000;
        CHECK_EQ(n, chardev_write(line, text + i, n));
    }
    CHECK(chardev_poll(line) & CHARDEV_TX);
    int fd = client();
    CHECK_EQ(sizeof(got), read_all(fd, got, sizeof(got)));
    CHECK(!memcmp(got, text + 1000, sizeof(got)));
    close(fd);
    chardev_free(line);
    CHECK(access(path, F_OK) != 0);
}

/* With one, output waits until it reads, and all of it arrives. */
TEST(waits_for_the_client)
{
    static uint8_t text[1000], got[1000];
    size_t sent = 0, heard = 0;
    if (!up()) {
        return;
    }
    chardev_update(line); /* starts it */
    int fd = client();
    CHECK_EQ(1, send(fd, "x", 1, 0));
    CHECK(hear(CHARDEV_RX));
    CHECK_EQ(1, chardev_read(line, got, sizeof(got)));
    bool full = false;
    while (!full && sent < (64u << 20)) {
        for (size_t i = 0; i < sizeof(text); i++) {
            text[i] = (uint8_t)((sent + i) % 251);
        }
        size_t n = chardev_write(line, text, sizeof(text));
        sent += n;
        full = n < sizeof(text) && !(chardev_poll(line) & CHARDEV_TX);
    }
    CHECK(full);
    __atomic_fetch_and(&told, ~(uint32_t)CHARDEV_TX, __ATOMIC_SEQ_CST);
    bool same = true;
    while (heard < sent) {
        size_t n = read_all(fd, got, sent - heard < sizeof(got) ? sent - heard : sizeof(got));
        for (size_t i = 0; i < n; i++) {
            same &= got[i] == (uint8_t)((heard + i) % 251);
        }
        heard += n;
        if (!n) {
            break;
        }
    }
    CHECK(same);
    CHECK_EQ(sent, heard);
    CHECK(hear(CHARDEV_TX));
    close(fd);
    chardev_free(line);
}

/* Input waits for the guest; a second client gets its turn when the first has gone. */
TEST(one_at_a_time)
{
    uint8_t got[16];
    if (!up()) {
        return;
    }
    CHECK(!(chardev_poll(line) & CHARDEV_RX));
    int first = client(), second = client();
    CHECK_EQ(3, send(first, "abc", 3, 0));
    CHECK_EQ(3, send(second, "def", 3, 0));
    CHECK(hear(CHARDEV_RX));
    CHECK_EQ(3, chardev_read(line, got, sizeof(got)));
    CHECK(!memcmp(got, "abc", 3));
    host_sleep_ns(50000000);
    CHECK_EQ(0, chardev_read(line, got, sizeof(got)));
    close(first);
    CHECK(hear(CHARDEV_RX));
    CHECK_EQ(3, chardev_read(line, got, sizeof(got)));
    CHECK(!memcmp(got, "def", 3));
    CHECK_EQ(2, chardev_write(line, "ok", 2));
    CHECK_EQ(2, read_all(second, got, 2));
    close(second);
    chardev_free(line);
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
    RUN(waits_for_the_client);
    RUN(one_at_a_time);
    RUN(refuses);
#else
    (void)test_keeps_the_newest, (void)test_waits_for_the_client, (void)test_one_at_a_time,
        (void)test_refuses;
    tap_passed++; /* no sockets there */
#endif
    return tap_finish();
}
