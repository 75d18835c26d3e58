/* SPDX-License-Identifier: MPL-2.0 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* more than C11, also with -std=c11 */
#endif
/*
 * One thread waits for all sockets. It alone reads from clients that have not said where they want
 * to go, and it alone frees streams; live ones are read and written by the device. The lock guards
 * the list and each stream's state; the device is called without it.
 */
#include "vsock_unix.h"

#include "clock.h"
#include "socket.h"
#include "thread.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define STREAMS_MAX 320 /* with those that are on their way in */
#define GREETING_MAX 32
#define GREETING_NS UINT64_C(10000000000)

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0
#endif

typedef enum { STREAM_GREETING, STREAM_LIVE, STREAM_CLOSED } stream_state_t;

typedef struct stream {
    struct stream *next;
    struct vsock_unix *owner;
    stream_state_t state;
    int fd;
    uint64_t id;     /* the device's; 0: not known yet */
    unsigned wanted; /* VSOCK_ events */
    bool hung_up;    /* told */
    char greeting[GREETING_MAX];
    size_t greeted;
    uint64_t deadline;
} stream_t;

typedef struct vsock_unix {
    char *path;
    int listener;
    int wake[2];
    pthread_mutex_t lock;
    stream_t *streams;
    unsigned count;
    bool stopping;
    vsock_guest_t guest;
    host_thread_t *thread;
    struct pollfd fds[STREAMS_MAX + 2]; /* the thread's own, as is what they belong to */
    stream_t *polled[STREAMS_MAX];
} vsock_unix_t;

static void unix_wake(vsock_unix_t *u)
{
    ssize_t ignored = write(u->wake[1], "", 1);
    (void)ignored;
}

/* The lock is held. */
static stream_t *unix_add(vsock_unix_t *u, int fd, stream_state_t state, uint64_t id)
{
    stream_t *s = u->count < STREAMS_MAX ? calloc(1, sizeof(*s)) : NULL;
    if (s) {
        s->owner = u;
        s->fd = fd;
        s->state = state;
        s->id = id;
        s->next = u->streams;
        u->streams = s;
        u->count++;
    }
    return s;
}

/* --- The device's calls --- */

static void *unix_connect(void *opaque, uint32_t host_port, uint64_t id)
{
    vsock_unix_t *u = opaque;
    char path[512];
    snprintf(path, sizeof(path), "%s_%u", u->path, (unsigned)host_port);
    int fd = host_socket_connect_unix(path);
    if (fd < 0) {
        return NULL;
    }
    pthread_mutex_lock(&u->lock);
    stream_t *s = unix_add(u, fd, STREAM_LIVE, id);
    pthread_mutex_unlock(&u->lock);
    if (!s) {
        close(fd);
    } else {
        unix_wake(u);
    }
    return s;
}

static void unix_accepted(void *stream, uint32_t host_port)
{
    stream_t *s = stream;
    char line[32];
    int len = snprintf(line, sizeof(line), "OK %u\n", (unsigned)host_port);
    /* The first bytes of a fresh socket: its buffer takes them. */
    ssize_t ignored = send(s->fd, line, (size_t)len, MSG_NOSIGNAL);
    (void)ignored;
}

static ptrdiff_t unix_read(void *stream, void *buf, size_t len)
{
    ssize_t got;
    do {
        got = recv(((stream_t *)stream)->fd, buf, len, 0);
    } while (got < 0 && errno == EINTR);
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
        return 0;
    }
    return got > 0 ? got : -1;
}

static ptrdiff_t unix_write(void *stream, const void *buf, size_t len)
{
    ssize_t put;
    do {
        put = send(((stream_t *)stream)->fd, buf, len, MSG_NOSIGNAL);
    } while (put < 0 && errno == EINTR);
    if (put < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
        return 0;
    }
    return put;
}

static void unix_want(void *stream, unsigned events)
{
    stream_t *s = stream;
    pthread_mutex_lock(&s->owner->lock);
    bool fresh = (s->wanted | events) != s->wanted;
    s->wanted |= events;
    pthread_mutex_unlock(&s->owner->lock);
    if (fresh) {
        unix_wake(s->owner);
    }
}

static void unix_shutdown(void *stream, bool reads, bool writes)
{
    stream_t *s = stream;
    if (reads) {
        shutdown(s->fd, SHUT_RD);
    }
    if (writes) {
        shutdown(s->fd, SHUT_WR);
    }
}

static void unix_close(void *stream)
{
    stream_t *s = stream;
    vsock_unix_t *u = s->owner;
    pthread_mutex_lock(&u->lock);
    shutdown(s->fd, SHUT_RDWR);
    s->state = STREAM_CLOSED;
    pthread_mutex_unlock(&u->lock);
    unix_wake(u);
}

/* --- The thread --- */

/* Frees what is closed, and clients that say nothing. The lock is held. */
static void unix_sweep(vsock_unix_t *u, uint64_t now)
{
    for (stream_t **link = &u->streams; *link;) {
        stream_t *s = *link;
        if (s->state == STREAM_CLOSED || (s->state == STREAM_GREETING && now > s->deadline)) {
            *link = s->next;
            u->count--;
            close(s->fd);
            free(s);
        } else {
            link = &s->next;
        }
    }
}

static short unix_events(const stream_t *s)
{
    unsigned wanted = s->state == STREAM_GREETING ? VSOCK_READABLE : s->wanted;
    return (short)((wanted & VSOCK_READABLE ? POLLIN : 0) |
                   (wanted & VSOCK_WRITABLE ? POLLOUT : 0));
}

/* What to wait for; returns how many streams, *greeting: one of them must not wait for ever. */
static unsigned unix_gather(vsock_unix_t *u, bool *greeting)
{
    unsigned count = 0;
    *greeting = false;
    for (stream_t *s = u->streams; s; s = s->next) {
        /* A socket that has hung up says so for ever; then only its bytes are of interest. */
        bool idle = s->hung_up && !unix_events(s);
        u->polled[count] = s;
        u->fds[2 + count++] = (struct pollfd){.fd = idle ? -1 : s->fd, .events = unix_events(s)};
        *greeting |= s->state == STREAM_GREETING;
    }
    u->fds[0] = (struct pollfd){.fd = u->wake[0], .events = POLLIN};
    u->fds[1] =
        (struct pollfd){.fd = u->count < STREAMS_MAX - 1 ? u->listener : -1, .events = POLLIN};
    return count;
}

static void unix_greet_client(vsock_unix_t *u)
{
    int fd = host_socket_accept(u->listener);
    if (fd < 0) {
        return;
    }
    pthread_mutex_lock(&u->lock);
    stream_t *s = unix_add(u, fd, STREAM_GREETING, 0);
    if (s) {
        s->deadline = host_clock_ns() + GREETING_NS;
    } else {
        close(fd);
    }
    pthread_mutex_unlock(&u->lock);
}

/* "CONNECT P" in s->greeting. */
static bool greeting_port(const stream_t *s, uint32_t *port)
{
    static const char word[] = "CONNECT ";
    size_t len = sizeof(word) - 1;
    if (s->greeted <= len || s->greeted > len + 10 || memcmp(s->greeting, word, len)) {
        return false;
    }
    uint64_t value = 0;
    for (size_t i = len; i < s->greeted; i++) {
        if (s->greeting[i] < '0' || s->greeting[i] > '9') {
            return false;
        }
        value = value * 10 + (uint64_t)(s->greeting[i] - '0');
    }
    *port = (uint32_t)value;
    return value < UINT32_MAX;
}

static void stream_drop(stream_t *s)
{
    pthread_mutex_lock(&s->owner->lock);
    s->state = STREAM_CLOSED;
    pthread_mutex_unlock(&s->owner->lock);
}

/* The line has come: the stream goes to the guest. */
static void stream_offer(vsock_unix_t *u, stream_t *s)
{
    uint32_t port;
    if (!greeting_port(s, &port)) {
        stream_drop(s);
        return;
    }
    pthread_mutex_lock(&u->lock);
    s->state = STREAM_LIVE;
    pthread_mutex_unlock(&u->lock);
    uint64_t id = u->guest.offer(u->guest.opaque, s, port);
    if (!id) {
        stream_drop(s);
    }
    pthread_mutex_lock(&u->lock);
    s->id = id;
    pthread_mutex_unlock(&u->lock);
}

/* Reads no further than the end of the line: what follows is for the guest. */
static void stream_greet(vsock_unix_t *u, stream_t *s)
{
    char c;
    ssize_t got;
    while ((got = recv(s->fd, &c, 1, 0)) == 1) {
        if (c == '\n') {
            stream_offer(u, s);
            return;
        }
        if (s->greeted == sizeof(s->greeting)) {
            break;
        }
        s->greeting[s->greeted++] = c;
    }
    if (got >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)) {
        stream_drop(s);
    }
}

/* What poll() said of a live stream, to the device. */
static void stream_tell(vsock_unix_t *u, stream_t *s, short revents)
{
    unsigned events =
        (revents & POLLIN ? VSOCK_READABLE : 0) | (revents & POLLOUT ? VSOCK_WRITABLE : 0);
    pthread_mutex_lock(&u->lock);
    events &= s->wanted;
    if ((revents & (POLLHUP | POLLERR | POLLNVAL))) {
        events |= s->wanted | (s->hung_up ? 0 : VSOCK_HUNG_UP);
        s->hung_up = true;
    }
    s->wanted &= ~events;
    bool tell = s->state == STREAM_LIVE && events;
    uint64_t id = s->id;
    pthread_mutex_unlock(&u->lock);
    if (tell) {
        u->guest.event(u->guest.opaque, id, events);
    }
}

static void unix_drain_wake(vsock_unix_t *u)
{
    char drop[64];
    while (read(u->wake[0], drop, sizeof(drop)) > 0) {
    }
}

static void unix_serve(vsock_unix_t *u, unsigned count)
{
    if (u->fds[0].revents) {
        unix_drain_wake(u);
    }
    for (unsigned i = 0; i < count; i++) {
        short revents = u->fds[2 + i].revents;
        stream_t *s = u->polled[i];
        pthread_mutex_lock(&u->lock);
        stream_state_t state = s->state;
        pthread_mutex_unlock(&u->lock);
        if (revents && state == STREAM_GREETING) {
            stream_greet(u, s);
        } else if (revents && state == STREAM_LIVE) {
            stream_tell(u, s, revents);
        }
    }
    if (u->fds[1].revents) {
        unix_greet_client(u);
    }
}

static void unix_thread(void *opaque)
{
    vsock_unix_t *u = opaque;
    for (;;) {
        bool greeting;
        pthread_mutex_lock(&u->lock);
        unix_sweep(u, host_clock_ns());
        unsigned count = unix_gather(u, &greeting);
        bool stopping = u->stopping;
        pthread_mutex_unlock(&u->lock);
        if (stopping) {
            return;
        }
        if (poll(u->fds, count + 2, greeting ? 1000 : -1) > 0) {
            unix_serve(u, count);
        }
    }
}

static void unix_attach(void *opaque, const vsock_guest_t *guest)
{
    vsock_unix_t *u = opaque;
    u->guest = *guest;
    u->thread = host_thread_create(unix_thread, u);
}

static void unix_free(void *opaque)
{
    vsock_unix_t *u = opaque;
    pthread_mutex_lock(&u->lock);
    u->stopping = true;
    pthread_mutex_unlock(&u->lock);
    unix_wake(u);
    if (u->thread) {
        host_thread_join(u->thread);
    }
    for (stream_t *s = u->streams; s; s = s->next) {
        s->state = STREAM_CLOSED;
    }
    unix_sweep(u, 0);
    close(u->listener);
    unlink(u->path);
    close(u->wake[0]);
    close(u->wake[1]);
    pthread_mutex_destroy(&u->lock);
    free(u->path);
    free(u);
}

/* A pipe that never makes anyone wait. */
static bool unix_make_wake(int wake[2])
{
    if (pipe(wake) < 0) {
        return false;
    }
    for (int i = 0; i < 2; i++) {
        fcntl(wake[i], F_SETFL, O_NONBLOCK);
        fcntl(wake[i], F_SETFD, FD_CLOEXEC);
    }
    return true;
}

bool host_vsock_open(vsock_host_t *host, const char *path, char *error, size_t error_size)
{
    vsock_unix_t *u = calloc(1, sizeof(*u));
    char *copy = strdup(path);
    if (!host_threads_available() || strlen(path) + 11 > host_socket_path_max()) {
        snprintf(error, error_size, "%s",
                 host_threads_available() ? "the path is too long for a socket"
                                          : "this host has no threads");
    } else if (!u || !copy || !unix_make_wake(u->wake)) {
        snprintf(error, error_size, "out of memory");
    } else if ((u->listener = host_socket_listen_unix(path, error, error_size)) >= 0) {
        u->path = copy;
        pthread_mutex_init(&u->lock, NULL);
        signal(SIGPIPE, SIG_IGN); /* where send() has no flag for that */
        *host = (vsock_host_t){
            .opaque = u,
            .attach = unix_attach,
            .connect = unix_connect,
            .accepted = unix_accepted,
            .read = unix_read,
            .write = unix_write,
            .want = unix_want,
            .shutdown = unix_shutdown,
            .close = unix_close,
            .free = unix_free,
        };
        return true;
    } else {
        close(u->wake[0]);
        close(u->wake[1]);
    }
    free(copy);
    free(u);
    return false;
}
