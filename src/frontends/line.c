/* SPDX-License-Identifier: MPL-2.0 */
/* One thread waits for clients and moves bytes between the socket and two rings, under one lock. */
#include "line.h"

#include "../host/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define DRAIN_MS 1000 /* what a client has to read the last output */

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0
#endif

typedef struct line_ring {
    uint8_t data[LINE_KEPT];
    size_t head, size;
} line_ring_t;

typedef struct line {
    chardev_t dev;
    int listener, client; /* client: -1: nobody; the thread's own */
    char *path;
    int wake[2];
    bool patient;
    pthread_t thread;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t room;  /* patient writers: there is room, or nobody to wait for */
    line_ring_t in, out;
    bool attached; /* somebody is there */
    bool tell_room, stopping, started;
} line_t;

/* Where the next bytes go, or lie, in one piece. */
static size_t ring_space(line_ring_t *r, uint8_t **at)
{
    size_t tail = (r->head + r->size) % LINE_KEPT;
    size_t room = tail >= r->head ? LINE_KEPT - tail : r->head - tail;
    *at = r->data + tail;
    return r->size == LINE_KEPT ? 0 : room;
}

static size_t ring_piece(line_ring_t *r, uint8_t **at)
{
    size_t piece = LINE_KEPT - r->head;
    *at = r->data + r->head;
    return piece < r->size ? piece : r->size;
}

static void ring_drop(line_ring_t *r, size_t n)
{
    r->head = (r->head + n) % LINE_KEPT;
    r->size -= n;
}

static size_t ring_move(line_ring_t *r, uint8_t *bytes, size_t size, bool in)
{
    size_t done = 0, n;
    uint8_t *at;
    while (done < size && (n = in ? ring_space(r, &at) : ring_piece(r, &at))) {
        n = n < size - done ? n : size - done;
        if (in) {
            memcpy(at, bytes + done, n);
            r->size += n;
        } else {
            memcpy(bytes + done, at, n);
            ring_drop(r, n);
        }
        done += n;
    }
    return done;
}

static void line_wake(line_t *l)
{
    ssize_t ignored = write(l->wake[1], "", 1);
    (void)ignored;
}

static void *line_thread(void *opaque);

/* The first use starts the thread, so that nobody is told anything before the device is there. */
static void line_start(line_t *l)
{
    sigset_t all, old;
    pthread_mutex_lock(&l->lock);
    if (!l->started) {
        sigfillset(&all); /* no signal is delivered to it */
        pthread_sigmask(SIG_SETMASK, &all, &old);
        l->started = pthread_create(&l->thread, NULL, line_thread, l) == 0;
        pthread_sigmask(SIG_SETMASK, &old, NULL);
    }
    pthread_mutex_unlock(&l->lock);
}

/* --- The chardev --- */

static void line_update(chardev_t *dev)
{
    line_start(dev->data);
}

static uint32_t line_poll(chardev_t *dev)
{
    line_t *l = dev->data;
    line_start(l);
    pthread_mutex_lock(&l->lock);
    bool room = l->patient || !l->attached || l->out.size < LINE_KEPT;
    uint32_t bits = (l->in.size ? CHARDEV_RX : 0) | (room ? CHARDEV_TX : 0);
    l->tell_room |= !room;
    pthread_mutex_unlock(&l->lock);
    return bits;
}

static size_t line_read(chardev_t *dev, void *buf, size_t nbytes)
{
    line_t *l = dev->data;
    pthread_mutex_lock(&l->lock);
    bool full = l->in.size == LINE_KEPT;
    size_t n = ring_move(&l->in, buf, nbytes, false);
    pthread_mutex_unlock(&l->lock);
    if (full && n) {
        line_wake(l);
    }
    return n;
}

/* Nobody is there: the oldest output makes room. The lock is held. */
static void line_forget(line_t *l, size_t size)
{
    size_t room = LINE_KEPT - l->out.size;
    if (!l->attached && room < size) {
        ring_drop(&l->out, size - room < l->out.size ? size - room : l->out.size);
    }
}

static size_t line_write(chardev_t *dev, const void *buf, size_t nbytes)
{
    line_t *l = dev->data;
    size_t done = 0;
    pthread_mutex_lock(&l->lock);
    while (done < nbytes) {
        line_forget(l, nbytes - done);
        /* The bytes are only read. */
        size_t n = ring_move(&l->out, (uint8_t *)(uintptr_t)buf + done, nbytes - done, true);
        done += n;
        if (n && l->attached) {
            line_wake(l);
        }
        if (done < nbytes && l->attached) {
            l->tell_room = true;
            if (!l->patient) {
                break;
            }
            pthread_cond_wait(&l->room, &l->lock);
        }
    }
    pthread_mutex_unlock(&l->lock);
    return done;
}

/* --- The thread --- */

static void line_attach(line_t *l, int client)
{
    l->client = client;
    pthread_mutex_lock(&l->lock);
    l->attached = client >= 0;
    pthread_cond_broadcast(&l->room);
    pthread_mutex_unlock(&l->lock);
    if (client < 0) {
        chardev_notify(&l->dev, CHARDEV_TX);
    }
}

static bool line_transient(ssize_t moved)
{
    return moved < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
}

/* Input from the client, as far as there is room; false when it has gone. */
static bool line_take(line_t *l)
{
    uint8_t *at;
    pthread_mutex_lock(&l->lock);
    size_t room = ring_space(&l->in, &at);
    ssize_t got = room ? recv(l->client, at, room, MSG_DONTWAIT) : 1;
    bool there = got > 0 || line_transient(got);
    if (room && got > 0) {
        l->in.size += (size_t)got;
    }
    pthread_mutex_unlock(&l->lock);
    if (room && got > 0) {
        chardev_notify(&l->dev, CHARDEV_RX);
    }
    return there;
}

static bool line_give(line_t *l)
{
    uint8_t *at;
    bool tell = false, there = true;
    pthread_mutex_lock(&l->lock);
    size_t size = ring_piece(&l->out, &at);
    if (size) {
        ssize_t put = send(l->client, at, size, MSG_NOSIGNAL | MSG_DONTWAIT);
        there = put >= 0 || line_transient(put);
        ring_drop(&l->out, put > 0 ? (size_t)put : 0);
        tell = l->tell_room && l->out.size <= LINE_KEPT / 2;
        l->tell_room &= !tell;
        pthread_cond_broadcast(&l->room);
    }
    pthread_mutex_unlock(&l->lock);
    if (tell) {
        chardev_notify(&l->dev, CHARDEV_TX);
    }
    return there;
}

static void line_drain_wake(line_t *l)
{
    char drop[64];
    while (read(l->wake[0], drop, sizeof(drop)) > 0) {
    }
}

/* What to wait for from the client. */
static short line_events(line_t *l, bool *stopping)
{
    pthread_mutex_lock(&l->lock);
    short events = (short)((l->in.size < LINE_KEPT ? POLLIN : 0) | (l->out.size ? POLLOUT : 0));
    *stopping = l->stopping;
    pthread_mutex_unlock(&l->lock);
    return events;
}

static void line_serve(line_t *l, short revents)
{
    bool there = true;
    if (revents & POLLIN) {
        there = line_take(l);
    } else if (revents & (POLLHUP | POLLERR | POLLNVAL)) {
        there = false;
    }
    if (there && (revents & POLLOUT)) {
        there = line_give(l);
    }
    if (!there) {
        close(l->client);
        line_attach(l, -1);
    }
}

static void *line_thread(void *opaque)
{
    line_t *l = opaque;
    for (;;) {
        bool stopping;
        short events = line_events(l, &stopping);
        bool last = stopping && (l->client < 0 || !(events & POLLOUT));
        struct pollfd fds[3] = {
            {.fd = l->wake[0], .events = POLLIN},
            {.fd = l->client < 0 ? l->listener : -1, .events = POLLIN},
            {.fd = l->client, .events = stopping ? POLLOUT : events},
        };
        int ready = last ? 0 : poll(fds, 3, stopping ? DRAIN_MS : -1);
        if (last || (stopping && ready == 0)) {
            return NULL;
        }
        if (ready > 0 && fds[0].revents) {
            line_drain_wake(l);
        }
        if (ready > 0 && fds[1].revents) {
            line_attach(l, host_socket_accept(l->listener));
        }
        if (ready > 0 && fds[2].revents) {
            line_serve(l, fds[2].revents);
        }
    }
}

static void line_free(line_t *l)
{
    if (l->client >= 0) {
        close(l->client);
    }
    close(l->listener);
    if (l->path) {
        unlink(l->path);
    }
    if (l->wake[0] >= 0) {
        close(l->wake[0]);
        close(l->wake[1]);
    }
    free(l->path);
    pthread_mutex_destroy(&l->lock);
    pthread_cond_destroy(&l->room);
    free(l);
}

static void line_remove(chardev_t *dev)
{
    line_t *l = dev->data;
    pthread_mutex_lock(&l->lock);
    l->stopping = true;
    bool started = l->started;
    pthread_mutex_unlock(&l->lock);
    if (started) {
        line_wake(l);
        pthread_join(l->thread, NULL);
    }
    line_free(l);
}

/* A pipe that never makes anyone wait. */
static bool line_make_wake(line_t *l)
{
    if (pipe(l->wake) < 0) {
        l->wake[0] = -1;
        return false;
    }
    for (int i = 0; i < 2; i++) {
        fcntl(l->wake[i], F_SETFL, O_NONBLOCK);
        fcntl(l->wake[i], F_SETFD, FD_CLOEXEC);
    }
    signal(SIGPIPE, SIG_IGN); /* where send() has no flag for that */
    return true;
}

chardev_t *line_create(int listener, const char *path, bool patient)
{
    line_t *l = calloc(1, sizeof(*l));
    if (!l) {
        close(listener);
        return NULL;
    }
    l->listener = listener;
    l->client = -1;
    l->wake[0] = -1;
    l->path = path ? strdup(path) : NULL;
    l->patient = patient;
    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->room, NULL);
    l->dev = (chardev_t){
        .poll = line_poll,
        .read = line_read,
        .write = line_write,
        .update = line_update,
        .remove = line_remove,
        .data = l,
    };
    if (!line_make_wake(l)) {
        line_free(l);
        return NULL;
    }
    return &l->dev;
}
