/* SPDX-License-Identifier: MPL-2.0 */
/* One thread moves bytes between the clients' sockets and the console, which has all buffers that
 * matter. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* more than C11, also with -std=c11 */
#endif
#include "server.h"

#include "attach.h"

#include "../host/socket.h"
#include "../host/thread.h"
#include "../util.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define DRAIN_MS 1000 /* what a client has to read the last output */

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0
#endif

typedef enum {
    CLIENT_NEW,    /* plain, and may still say the greeting */
    CLIENT_PLAIN,  /* bytes */
    CLIENT_FRAMES, /* attach.h */
} client_state_t;

typedef struct client {
    console_server_t *server;
    console_viewer_t *viewer; /* NULL: the slot is free */
    int fd;
    client_state_t state;
    uint32_t woken; /* atomic: the console told something */
    bool blocked;   /* the console takes no more input */
    bool ended;     /* it sends no more, but may still listen */
    bool hung;      /* it has gone, and left input that the console does not take yet */
    bool closed;    /* it was told that the machine has ended */
    uint8_t in[ATTACH_FRAME_HEAD + ATTACH_FRAME_MAX];
    size_t in_at, in_size;
    uint8_t out[ATTACH_FRAME_HEAD + ATTACH_FRAME_MAX];
    size_t out_at, out_size;
} client_t;

struct console_server {
    console_t *console;
    int listener, wake[2];
    char *path;
    const char *name;
    bool exclusive;
    uint32_t stopping; /* atomic */
    host_thread_t *thread;
    client_t client[SERVER_CLIENTS_MAX];
};

static void server_wake(console_server_t *s)
{
    ssize_t ignored = write(s->wake[1], "", 1);
    (void)ignored;
}

static void client_on_console(void *opaque, unsigned bits)
{
    client_t *c = opaque;
    __atomic_fetch_or(&c->woken, bits, __ATOMIC_SEQ_CST);
    server_wake(c->server);
}

static bool client_attach(client_t *c, console_kind_t kind)
{
    c->viewer = console_attach(c->server->console, &(console_viewer_desc_t){
                                                       .kind = kind,
                                                       .wait = kind == CONSOLE_BYTES,
                                                       .told = client_on_console,
                                                       .opaque = c,
                                                   });
    return c->viewer != NULL;
}

static void client_close(client_t *c)
{
    console_detach(c->viewer);
    c->viewer = NULL;
    close(c->fd);
    c->fd = -1;
}

static bool client_transient(ssize_t moved)
{
    return moved < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
}

/* --- Output --- */

static void client_frame(client_t *c, uint8_t type, size_t size)
{
    c->out[0] = type;
    util_put_le16(c->out + 1, (uint16_t)size);
    c->out_at = 0;
    c->out_size = ATTACH_FRAME_HEAD + size;
}

/* The next bytes to send, when all before were sent; false: none now. */
static bool client_fill(client_t *c)
{
    if (c->out_at < c->out_size) {
        return true;
    }
    if (c->state != CLIENT_FRAMES) {
        c->out_at = 0;
        c->out_size = console_take(c->viewer, c->out, ATTACH_FRAME_MAX);
        return c->out_size != 0;
    }
    size_t n = console_take(c->viewer, c->out + ATTACH_FRAME_HEAD, ATTACH_FRAME_MAX);
    if (n) {
        client_frame(c, ATTACH_DATA, n);
    } else if ((__atomic_load_n(&c->woken, __ATOMIC_SEQ_CST) & CONSOLE_CLOSED) && !c->closed) {
        c->closed = true;
        client_frame(c, ATTACH_CLOSED, 0);
    }
    return c->out_at < c->out_size;
}

/* As much as the socket takes. One that takes no more may still have left input. */
static void client_give(client_t *c)
{
    while (client_fill(c)) {
        ssize_t put =
            send(c->fd, c->out + c->out_at, c->out_size - c->out_at, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (put < 0) {
            c->hung |= !client_transient(put);
            return;
        }
        c->out_at += (size_t)put;
    }
}

/* --- Input --- */

/* Types n bytes from the buffer's start; how many were taken. */
static size_t client_type(client_t *c, const uint8_t *data, size_t n)
{
    size_t done = n ? console_type(c->viewer, data, n) : 0;
    c->blocked = done < n;
    return done;
}

/* The greeting's line is complete: the client becomes a terminal. False: the client has to go. */
static bool client_greet(client_t *c, const char *line)
{
    char nonce[17];
    unsigned cols, rows;
    if (sscanf(line + ATTACH_HELLO_SIZE, "%16[0-9a-f] %u %u", nonce, &cols, &rows) != 3) {
        return false;
    }
    console_detach(c->viewer);
    if (!client_attach(c, CONSOLE_TERMINAL)) {
        return false;
    }
    if (cols && rows && cols <= UINT16_MAX && rows <= UINT16_MAX) {
        console_resize(c->viewer, (uint16_t)cols, (uint16_t)rows);
    }
    c->state = CLIENT_FRAMES;
    memcpy(c->out, ATTACH_REPLY, ATTACH_REPLY_SIZE);
    int n = snprintf((char *)c->out + ATTACH_REPLY_SIZE, sizeof(c->out) - ATTACH_REPLY_SIZE,
                     "%s %s\n", nonce, c->server->name);
    c->out_at = 0;
    c->out_size = ATTACH_REPLY_SIZE + (size_t)n;
    return true;
}

/* Input that may be the start of the greeting. Sets *used; false: the client has to go. */
static bool client_take_new(client_t *c, const uint8_t *data, size_t n, size_t *used)
{
    size_t compared = n < ATTACH_HELLO_SIZE ? n : ATTACH_HELLO_SIZE;
    *used = 0;
    if (c->server->exclusive || memcmp(data, ATTACH_HELLO, compared) != 0) {
        c->state = CLIENT_PLAIN;
        return true;
    }
    const uint8_t *end = memchr(data, '\n', n);
    if (!end) {
        return n < ATTACH_LINE_MAX;
    }
    char line[ATTACH_LINE_MAX];
    size_t length = (size_t)(end - data);
    if (length >= sizeof(line)) {
        return false;
    }
    memcpy(line, data, length);
    line[length] = 0;
    *used = length + 1;
    return client_greet(c, line);
}

/* One frame, or what of its data the console takes; how many bytes are done with. */
static size_t client_take_frame(client_t *c, uint8_t *data, size_t n)
{
    size_t size = n < ATTACH_FRAME_HEAD ? 0 : util_get_le16(data + 1);
    if (n < ATTACH_FRAME_HEAD || n < ATTACH_FRAME_HEAD + size) {
        return 0;
    }
    const uint8_t *content = data + ATTACH_FRAME_HEAD;
    if (data[0] == ATTACH_SIZE && size >= 4) {
        console_resize(c->viewer, util_get_le16(content), util_get_le16(content + 2));
    }
    size_t done = data[0] == ATTACH_DATA ? client_type(c, content, size) : size;
    if (done == size) {
        return ATTACH_FRAME_HEAD + size;
    }
    /* The rest stays as a shorter frame. */
    memmove(data + done, data, ATTACH_FRAME_HEAD);
    util_put_le16(data + done + 1, (uint16_t)(size - done));
    return done;
}

/* Passes on what has come; false: the client has to go. */
static bool client_digest(client_t *c)
{
    size_t used;
    do {
        uint8_t *data = c->in + c->in_at;
        size_t n = c->in_size - c->in_at;
        client_state_t before = c->state;
        used = 0;
        if (c->state == CLIENT_NEW && n && !client_take_new(c, data, n, &used)) {
            return false;
        }
        if (c->state == CLIENT_PLAIN) {
            used = client_type(c, data, n);
        } else if (c->state == CLIENT_FRAMES && before == CLIENT_FRAMES) {
            if (n >= ATTACH_FRAME_HEAD && util_get_le16(data + 1) > ATTACH_FRAME_MAX) {
                return false;
            }
            used = client_take_frame(c, data, n);
        }
        c->in_at += used;
    } while (used && c->in_at < c->in_size && !c->blocked);
    memmove(c->in, c->in + c->in_at, c->in_size - c->in_at);
    c->in_size -= c->in_at;
    c->in_at = 0;
    return true;
}

static bool client_receive(client_t *c, bool hung)
{
    ssize_t got = recv(c->fd, c->in + c->in_size, sizeof(c->in) - c->in_size, MSG_DONTWAIT);
    if (got == 0 && c->server->path && !hung) {
        c->ended = true; /* a Unix socket tells when its other half goes too */
        return true;
    }
    if (got <= 0) {
        return client_transient(got);
    }
    c->in_size += (size_t)got;
    return client_digest(c);
}

/* --- The thread --- */

static void server_accept(console_server_t *s)
{
    for (size_t i = 0; i < SERVER_CLIENTS_MAX; i++) {
        client_t *c = &s->client[i];
        if (!c->viewer) {
            int fd = host_socket_accept(s->listener);
            if (fd < 0) {
                return;
            }
            *c = (client_t){.server = s, .fd = fd};
            if (!client_attach(c, CONSOLE_BYTES)) {
                close(fd);
            }
            return;
        }
    }
}

static bool server_takes_clients(const console_server_t *s)
{
    size_t there = 0;
    for (size_t i = 0; i < SERVER_CLIENTS_MAX; i++) {
        there += s->client[i].viewer != NULL;
    }
    return there < (s->exclusive ? 1u : SERVER_CLIENTS_MAX);
}

/* What to wait for; true when the client has nothing more to be given. */
static bool client_events(client_t *c, struct pollfd *fd, bool stopping)
{
    bool more = !c->hung && client_fill(c);
    bool room = c->in_size < sizeof(c->in) && !c->blocked && !c->ended;
    fd->fd = c->hung && c->blocked ? -1 : c->fd;
    fd->events = (short)((room && !stopping ? POLLIN : 0) | (more ? POLLOUT : 0));
    return !more;
}

static void client_serve(client_t *c, const struct pollfd *fd, bool stopping)
{
    bool there = true, no_input = stopping || c->ended || (fd->events & POLLIN);
    short revents = fd->revents;
    uint32_t woken = __atomic_fetch_and(&c->woken, ~(uint32_t)CONSOLE_ROOM, __ATOMIC_SEQ_CST);
    if (woken & CONSOLE_ROOM) {
        c->blocked = false;
        there = client_digest(c);
    }
    if (there && !stopping && !c->blocked && (revents & POLLIN)) {
        there = client_receive(c, revents & POLLHUP);
    } else if (revents & (POLLHUP | POLLERR | POLLNVAL)) {
        c->hung = true;
        there = there && (c->blocked || !no_input) && !stopping; /* input may wait in the socket */
    }
    if (there && !c->hung && (revents & POLLOUT)) {
        client_give(c);
    }
    if (!there) {
        client_close(c);
    }
}

static void server_drain_wake(console_server_t *s)
{
    char drop[64];
    while (read(s->wake[0], drop, sizeof(drop)) > 0) {
    }
}

/* One wait and what came of it; false: stopping, and all is said. */
static bool server_turn(console_server_t *s)
{
    struct pollfd fds[2 + SERVER_CLIENTS_MAX];
    bool stopping = __atomic_load_n(&s->stopping, __ATOMIC_SEQ_CST), done = true;
    fds[0] = (struct pollfd){.fd = s->wake[0], .events = POLLIN};
    fds[1] = (struct pollfd){.fd = !stopping && server_takes_clients(s) ? s->listener : -1,
                             .events = POLLIN};
    for (size_t i = 0; i < SERVER_CLIENTS_MAX; i++) {
        client_t *c = &s->client[i];
        fds[2 + i] = (struct pollfd){.fd = -1};
        if (c->viewer) {
            done &= client_events(c, &fds[2 + i], stopping);
        }
    }
    int ready = stopping && done ? 0 : poll(fds, 2 + SERVER_CLIENTS_MAX, stopping ? DRAIN_MS : -1);
    if (stopping && (done || ready == 0)) {
        return false;
    }
    if (ready > 0 && fds[0].revents) {
        server_drain_wake(s);
    }
    for (size_t i = 0; ready > 0 && i < SERVER_CLIENTS_MAX; i++) {
        if (s->client[i].viewer) {
            client_serve(&s->client[i], &fds[2 + i], stopping);
        }
    }
    if (ready > 0 && fds[1].revents) {
        server_accept(s);
    }
    return true;
}

static void server_main(void *opaque)
{
    console_server_t *s = opaque;
    while (server_turn(s)) {
    }
}

/* --- Life --- */

static void server_free(console_server_t *s)
{
    for (size_t i = 0; i < SERVER_CLIENTS_MAX; i++) {
        if (s->client[i].viewer) {
            client_close(&s->client[i]);
        }
    }
    close(s->listener);
    if (s->path) {
        unlink(s->path);
    }
    if (s->wake[0] >= 0) {
        close(s->wake[0]);
        close(s->wake[1]);
    }
    free(s->path);
    free(s);
}

/* A pipe that never makes anyone wait. */
static bool server_make_wake(console_server_t *s)
{
    if (pipe(s->wake) < 0) {
        s->wake[0] = -1;
        return false;
    }
    for (int i = 0; i < 2; i++) {
        fcntl(s->wake[i], F_SETFL, O_NONBLOCK);
        fcntl(s->wake[i], F_SETFD, FD_CLOEXEC);
    }
    signal(SIGPIPE, SIG_IGN); /* where send() has no flag for that */
    return true;
}

console_server_t *console_serve(console_t *console, int listener, const char *path)
{
    console_info_t info;
    console_server_t *s = calloc(1, sizeof(*s));
    if (!s) {
        close(listener);
        return NULL;
    }
    console_info(console, &info);
    s->console = console;
    s->listener = listener;
    s->wake[0] = -1;
    s->name = info.name;
    s->exclusive = info.channel;
    s->path = path ? strdup(path) : NULL;
    if ((path && !s->path) || !server_make_wake(s) ||
        !(s->thread = host_thread_create(server_main, s))) {
        server_free(s);
        return NULL;
    }
    return s;
}

void console_unserve(console_server_t *s)
{
    if (s) {
        __atomic_store_n(&s->stopping, 1, __ATOMIC_SEQ_CST);
        server_wake(s);
        host_thread_join(s->thread);
        server_free(s);
    }
}
