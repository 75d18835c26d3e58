/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Three front ends on one console at once: a terminal (a pseudo-terminal here), a Unix socket with
 * a client that attaches late and one that is slow, and a headless one. All see the same screen; 10
 * MiB go each way through a plain client while they watch.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "tap.h"

#include "console_rig.h"

#if defined(__EMSCRIPTEN__)

TEST(no_terminals_here)
{
    (void)full_screen_noise, (void)guest_open, (void)watcher_open;
    CHECK(true);
}

int main(void)
{
    RUN(no_terminals_here);
    return tap_finish();
}

#else

#include "frontends/attach.h"
#include "frontends/server.h"
#include "frontends/terminal.h"
#include "host/socket.h"
#include "host/thread.h"
#include "pty.h"
#include "util.h"

#include <sys/socket.h>

#define STREAM ((size_t)10 << 20)

/* Somebody who looks at bytes from a descriptor, in a thread. */
typedef struct {
    int fd;
    bool frames;      /* as attach.h has them; otherwise as they are */
    uint64_t pace_ns; /* rests after each read */
    vt_t *vt;
    host_mutex_t *lock; /* guards vt */
    host_thread_t *thread;
    uint8_t data[ATTACH_FRAME_HEAD + ATTACH_FRAME_MAX];
    size_t size;
} onlooker_t;

typedef struct {
    guest_t guest;
    int master, slave;
    terminal_t *terminal;
    console_server_t *server;
    char path[64];
} scene_t;

static size_t look_frames(onlooker_t *o)
{
    size_t at = 0;
    while (o->size - at >= ATTACH_FRAME_HEAD) {
        size_t size = util_get_le16(o->data + at + 1);
        if (o->size - at < ATTACH_FRAME_HEAD + size) {
            break;
        }
        if (o->data[at] == ATTACH_DATA) {
            vt_write(o->vt, o->data + at + ATTACH_FRAME_HEAD, size);
        }
        at += ATTACH_FRAME_HEAD + size;
    }
    return at;
}

static void onlooker_main(void *opaque)
{
    onlooker_t *o = opaque;
    ssize_t got;
    while ((got = read(o->fd, o->data + o->size, sizeof(o->data) - o->size)) > 0) {
        o->size += (size_t)got;
        host_mutex_lock(o->lock);
        size_t used = o->size;
        if (o->frames) {
            used = look_frames(o);
        } else {
            vt_write(o->vt, o->data, o->size);
        }
        host_mutex_unlock(o->lock);
        o->size -= used;
        memmove(o->data, o->data + used, o->size);
        if (o->pace_ns) {
            host_sleep_ns(o->pace_ns);
        }
    }
}

static void onlooker_open(onlooker_t *o, int fd, bool frames, uint64_t pace_ns)
{
    *o = (onlooker_t){.fd = fd, .frames = frames, .pace_ns = pace_ns, .lock = host_mutex_create()};
    o->vt = vt_create(CONSOLE_COLS, CONSOLE_ROWS, 0, NULL);
    o->thread = o->vt && o->lock ? host_thread_create(onlooker_main, o) : NULL;
    CHECK(o->thread != NULL);
}

/* Within half a minute, although it is slow. */
static bool onlooker_sees(onlooker_t *o, guest_t *g)
{
    bool same = false;
    for (unsigned i = 0; i < 30000 && !same; i++) {
        host_mutex_lock(o->lock);
        same = vt_hash(o->vt) == console_hash(g->console);
        host_mutex_unlock(o->lock);
        if (!same) {
            host_sleep_ns(10000000);
        }
    }
    return same;
}

/* After the descriptor has ended. */
static void onlooker_close(onlooker_t *o)
{
    host_thread_join(o->thread);
    vt_destroy(o->vt);
    host_mutex_free(o->lock);
}

static int scene_client(scene_t *s)
{
    int fd = host_socket_connect_unix(s->path);
    fcntl(fd, F_SETFL, 0);
    return fd;
}

/* A client that has been greeted as a terminal. */
static int scene_attach(scene_t *s)
{
    static const char hello[] = ATTACH_HELLO "0123456789abcdef 80 24\n";
    static const char answer[] = ATTACH_REPLY "0123456789abcdef test\n";
    int fd = scene_client(s), small = 4096;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
    CHECK_EQ(sizeof(hello) - 1, send(fd, hello, sizeof(hello) - 1, 0));
    char byte;
    for (size_t n = 0; n < sizeof(answer) - 1 && recv(fd, &byte, 1, 0) == 1;) {
        n = byte == answer[n] ? n + 1 : byte == answer[0];
    }
    return fd;
}

static bool scene_open(scene_t *s)
{
    char error[100];
    *s = (scene_t){.master = -1};
    snprintf(s->path, sizeof(s->path), "/tmp/rvkit-frontends-%ld", (long)getpid());
    if (!pty_open(&s->master, &s->slave)) {
        return false;
    }
    int fd = host_socket_listen_unix(s->path, error, sizeof(error));
    s->terminal = terminal_create(
        &(terminal_desc_t){.in_fd = s->slave, .out_fd = s->slave, .commands = true});
    if (fd < 0 || !s->terminal || !guest_open(&s->guest, false, false) ||
        !terminal_add(s->terminal, s->guest.console) ||
        !(s->server = console_serve(s->guest.console, fd, s->path))) {
        return false;
    }
    terminal_start(s->terminal);
    return true;
}

static void scene_close(scene_t *s)
{
    console_unserve(s->server);
    terminal_close(s->terminal);
    close(s->slave);
    guest_close(&s->guest);
}

static void play_screens(guest_t *g, uint32_t *seed, unsigned rounds)
{
    static char noise[20000];
    for (unsigned i = 0; i < rounds; i++) {
        size_t size = full_screen_noise(seed, noise, sizeof(noise));
        guest_says_all(g, (const uint8_t *)noise, size);
    }
}

TEST(all_front_ends_see_the_same_screen)
{
    static scene_t s;
    static onlooker_t person, slow, late;
    watcher_t headless;
    uint32_t seed = 11;
    CHECK(scene_open(&s) && watcher_open(&headless, &s.guest, CONSOLE_TERMINAL, true));
    onlooker_open(&person, s.master, false, 0);
    int slow_fd = scene_attach(&s);
    onlooker_open(&slow, slow_fd, true, 3000000);
    for (unsigned round = 0; round < 30;
         round++) { /* 600 kB: the slow one is repainted on the way */
        play_screens(&s.guest, &seed, 1);
        watcher_look(&headless);
    }
    int late_fd = scene_attach(&s);
    onlooker_open(&late, late_fd, true, 0);
    CHECK(watcher_sees_the_same(&headless, &s.guest));
    CHECK(onlooker_sees(&person, &s.guest));
    CHECK(onlooker_sees(&late, &s.guest));
    CHECK(onlooker_sees(&slow, &s.guest));
    watcher_close(&headless);
    scene_close(&s);
    onlooker_close(&slow);
    onlooker_close(&late);
    onlooker_close(&person);
    close(slow_fd);
    close(late_fd);
    close(s.master);
}

/* --- 10 MiB each way --- */

static uint8_t letter(size_t i)
{
    return (uint8_t)('a' + (i * 7 + i / 26) % 26);
}

typedef struct {
    guest_t *guest;
    bool good;
} traffic_t;

/* The guest sends letters and reads capital ones. */
static void guest_main(void *opaque)
{
    traffic_t *t = opaque;
    uint8_t data[4000];
    size_t sent = 0, read = 0;
    t->good = true;
    while (sent < STREAM || read < STREAM) {
        size_t n = STREAM - sent < sizeof(data) ? STREAM - sent : sizeof(data);
        for (size_t i = 0; i < n; i++) {
            data[i] = letter(sent + i);
        }
        size_t put = chardev_write(t->guest->port, data, n);
        size_t got = chardev_read(t->guest->port, data, sizeof(data));
        for (size_t i = 0; i < got; i++) {
            t->good &= data[i] == (letter(read + i) ^ 0x20);
        }
        sent += put;
        read += got;
        if (!put && !got) {
            host_sleep_ns(50000);
        }
    }
}

static void sender_main(void *opaque)
{
    uint8_t data[4000];
    int fd = *(int *)opaque;
    for (size_t sent = 0; sent < STREAM;) {
        size_t n = STREAM - sent < sizeof(data) ? STREAM - sent : sizeof(data);
        for (size_t i = 0; i < n; i++) {
            data[i] = letter(sent + i) ^ 0x20;
        }
        ssize_t put = send(fd, data, n, 0);
        if (put < 0) {
            return;
        }
        sent += (size_t)put;
    }
}

TEST(nothing_is_lost_while_they_watch)
{
    static scene_t s;
    static onlooker_t person, slow;
    uint8_t data[4000];
    size_t heard = 0;
    ssize_t got;
    bool same = true;
    CHECK(scene_open(&s));
    onlooker_open(&person, s.master, false, 0);
    int slow_fd = scene_attach(&s), fd = scene_client(&s);
    onlooker_open(&slow, slow_fd, true, 3000000);
    console_info_t info = {.viewers = 0};
    for (unsigned i = 0; i < 20000 && info.viewers < 3; i++) {
        host_sleep_ns(1000000);
        console_info(s.guest.console, &info);
    }
    traffic_t t = {.guest = &s.guest};
    host_thread_t *guest = host_thread_create(guest_main, &t),
                  *sender = host_thread_create(sender_main, &fd);
    while (heard < STREAM && (got = recv(fd, data, sizeof(data), 0)) > 0) {
        for (ssize_t i = 0; i < got; i++) {
            same &= data[i] == letter(heard + (size_t)i);
        }
        heard += (size_t)got;
    }
    host_thread_join(sender);
    host_thread_join(guest);
    CHECK(same && heard == STREAM && t.good);
    CHECK(onlooker_sees(&person, &s.guest) && onlooker_sees(&slow, &s.guest));
    close(fd);
    scene_close(&s);
    onlooker_close(&slow);
    onlooker_close(&person);
    close(slow_fd);
    close(s.master);
}

int main(void)
{
    RUN(all_front_ends_see_the_same_screen);
    RUN(nothing_is_lost_while_they_watch);
    return tap_finish();
}

#endif
