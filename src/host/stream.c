/* SPDX-License-Identifier: MPL-2.0 */
#include "stream.h"

#include "../ring.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#define OUT_CAPACITY ((size_t)64 << 10)
#define READ_CHUNK ((size_t)4 << 10)

/* Where a signal may interrupt, or a shared descriptor was made non-blocking by someone else. */
static bool stream_transient(int err)
{
    return err == EINTR || err == EAGAIN || err == EWOULDBLOCK;
}

struct host_stream {
    host_stream_desc_t desc;
    pthread_mutex_t lock;
    pthread_cond_t out_ready; /* the writer: there is output, or stopping */
    pthread_cond_t out_room;  /* patient callers: there is room */
    pthread_cond_t in_room;   /* the reader: there is room, or stopping */
    pthread_t reader, writer;
    bool started; /* atomic; the two below are constant once it is set, but for the end of the input
                   */
    bool has_reader, has_writer;
    int wake[2]; /* a byte here ends the reader's poll() */

    ring_t in, out;
    bool stopping, read_no_more;
    bool in_ended;
    bool out_was_full; /* someone was told that there is no room */
    int broken;        /* errno of the output, or 0 */
};

static void stream_event(host_stream_t *s, unsigned bits)
{
    if (bits && s->desc.event) {
        s->desc.event(s->desc.opaque, bits);
    }
}

/* Reads once from the descriptor, which has something; false at the end of the input. */
static bool stream_take_input(host_stream_t *s, size_t room)
{
    uint8_t chunk[READ_CHUNK];
    ssize_t got = read(s->desc.in_fd, chunk, room < sizeof(chunk) ? room : sizeof(chunk));
    if (got < 0 && stream_transient(errno)) {
        return true;
    }
    if (got <= 0) {
        return false;
    }
    size_t n = (size_t)got;
    if (s->desc.filter) {
        n = s->desc.filter(s->desc.opaque, chunk, n);
    }
    if (n) {
        pthread_mutex_lock(&s->lock);
        bool ok = ring_reserve(&s->in, n);
        if (ok) {
            ring_put(&s->in, chunk, n);
        }
        pthread_mutex_unlock(&s->lock);
        if (!ok) {
            return false;
        }
        stream_event(s, HOST_STREAM_RX);
    }
    return true;
}

/* Waits until the queue has room; 0 when the stream closes. */
static size_t stream_wait_in_room(host_stream_t *s)
{
    pthread_mutex_lock(&s->lock);
    while (!s->read_no_more && s->in.size >= s->desc.in_limit) {
        pthread_cond_wait(&s->in_room, &s->lock);
    }
    size_t room = s->read_no_more ? 0 : s->desc.in_limit - s->in.size;
    pthread_mutex_unlock(&s->lock);
    return room;
}

static void *stream_reader(void *opaque)
{
    host_stream_t *s = opaque;
    size_t room;
    while ((room = stream_wait_in_room(s)) != 0) {
        struct pollfd fds[2] = {{.fd = s->desc.in_fd, .events = POLLIN},
                                {.fd = s->wake[0], .events = POLLIN}};
        if (poll(fds, 2, -1) < 0) {
            if (stream_transient(errno)) {
                continue;
            }
            break;
        }
        if (fds[1].revents || (fds[0].revents && !stream_take_input(s, room))) {
            break;
        }
    }
    pthread_mutex_lock(&s->lock);
    s->in_ended = true;
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

/* Output cannot be written any more: forget it, and let nobody wait. Lock held. */
static void stream_break(host_stream_t *s, int err)
{
    s->broken = err;
    s->out.head = s->out.size = 0;
    pthread_cond_broadcast(&s->out_room);
}

/* After n bytes were written: the events to be told once the lock is released. Lock held. */
static unsigned stream_wrote(host_stream_t *s, size_t n)
{
    ring_get(&s->out, NULL, n);
    pthread_cond_broadcast(&s->out_room);
    if (s->out_was_full && s->out.size <= s->out.capacity / 2) {
        s->out_was_full = false;
        return HOST_STREAM_TX;
    }
    return 0;
}

/* Writes the first piece of the queue. The lock is held on entry and on return, not in between. */
static void stream_give_output(host_stream_t *s, int timeout_ms)
{
    const uint8_t *piece;
    size_t size = ring_peek(&s->out, &piece);
    pthread_mutex_unlock(&s->lock);
    struct pollfd fd = {.fd = s->desc.out_fd, .events = POLLOUT};
    int ready = poll(&fd, 1, timeout_ms);
    ssize_t put = 0;
    int err = 0;
    if (ready > 0) {
        put = write(s->desc.out_fd, piece, size);
        err = put < 0 && !stream_transient(errno) ? errno : 0;
    }
    pthread_mutex_lock(&s->lock);
    unsigned bits = 0;
    if (ready == 0 && timeout_ms > 0 && s->stopping) {
        err = EAGAIN; /* nobody will take it any more */
    }
    if (err) {
        stream_break(s, err);
        bits = HOST_STREAM_BROKEN | HOST_STREAM_TX;
    } else if (put > 0) {
        bits = stream_wrote(s, (size_t)put);
    }
    if (bits) {
        pthread_mutex_unlock(&s->lock);
        stream_event(s, bits);
        pthread_mutex_lock(&s->lock);
    }
}

static void *stream_writer(void *opaque)
{
    host_stream_t *s = opaque;
    pthread_mutex_lock(&s->lock);
    for (;;) {
        while (!s->out.size && !s->stopping) {
            pthread_cond_wait(&s->out_ready, &s->lock);
        }
        if (!s->out.size) {
            break;
        }
        stream_give_output(s, s->desc.drain_ms ? (int)s->desc.drain_ms : -1);
    }
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

/* A thread that no signal is delivered to. */
static bool stream_thread(pthread_t *thread, void *(*body)(void *), host_stream_t *s)
{
    sigset_t all, old;
    sigfillset(&all);
    sigdelset(&all, SIGSEGV);
    sigdelset(&all, SIGBUS);
    sigdelset(&all, SIGFPE);
    sigdelset(&all, SIGILL);
    sigdelset(&all, SIGABRT);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    int err = pthread_create(thread, NULL, body, s);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return err == 0;
}

host_stream_t *host_stream_open(const host_stream_desc_t *desc)
{
    host_stream_t *s = calloc(1, sizeof(*s));
    if (!s) {
        return NULL;
    }
    s->desc = *desc;
    s->in_ended = desc->in_fd < 0;
    if (!ring_reserve(&s->out, OUT_CAPACITY) || pipe(s->wake) < 0) {
        ring_free(&s->out);
        free(s);
        return NULL;
    }
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->out_ready, NULL);
    pthread_cond_init(&s->out_room, NULL);
    pthread_cond_init(&s->in_room, NULL);
    signal(SIGPIPE, SIG_IGN);
    return s;
}

/* The first use starts the threads, so that the caller can still set itself up after opening. */
static void stream_start(host_stream_t *s)
{
    if (LIKELY(__atomic_load_n(&s->started, __ATOMIC_ACQUIRE))) {
        return;
    }
    pthread_mutex_lock(&s->lock);
    if (!s->started) {
        s->has_reader =
            s->desc.in_fd >= 0 && !s->read_no_more && stream_thread(&s->reader, stream_reader, s);
        s->has_writer = s->desc.out_fd >= 0 && stream_thread(&s->writer, stream_writer, s);
        __atomic_store_n(&s->started, true, __ATOMIC_RELEASE);
    }
    pthread_mutex_unlock(&s->lock);
}

void host_stream_end_input(host_stream_t *s)
{
    pthread_mutex_lock(&s->lock);
    bool reading = s->has_reader;
    s->has_reader = false;
    s->in_ended = s->read_no_more = true;
    pthread_cond_broadcast(&s->in_room);
    pthread_mutex_unlock(&s->lock);
    ssize_t ignored = write(s->wake[1], "", 1);
    (void)ignored;
    if (reading) {
        pthread_join(s->reader, NULL);
    }
}

void host_stream_close(host_stream_t *s)
{
    if (!s) {
        return;
    }
    host_stream_end_input(s);
    pthread_mutex_lock(&s->lock);
    s->stopping = true;
    pthread_cond_broadcast(&s->out_ready);
    if (!s->has_writer && s->desc.out_fd >= 0) {
        while (s->out.size) {
            stream_give_output(s, s->desc.drain_ms ? (int)s->desc.drain_ms : -1);
        }
    }
    pthread_mutex_unlock(&s->lock);
    if (s->has_writer) {
        pthread_join(s->writer, NULL);
    }
    close(s->wake[0]);
    close(s->wake[1]);
    pthread_cond_destroy(&s->in_room);
    pthread_cond_destroy(&s->out_room);
    pthread_cond_destroy(&s->out_ready);
    pthread_mutex_destroy(&s->lock);
    ring_free(&s->in);
    ring_free(&s->out);
    free(s);
}

size_t host_stream_read(host_stream_t *s, void *data, size_t size)
{
    stream_start(s);
    pthread_mutex_lock(&s->lock);
    bool full = s->in.size >= s->desc.in_limit;
    size_t n = ring_get(&s->in, data, size);
    if (full && n) {
        pthread_cond_signal(&s->in_room);
    }
    pthread_mutex_unlock(&s->lock);
    return n;
}

size_t host_stream_write(host_stream_t *s, const void *data, size_t size)
{
    const uint8_t *bytes = data;
    size_t done = 0;
    stream_start(s);
    pthread_mutex_lock(&s->lock);
    while (done < size && s->desc.out_fd >= 0 && !s->broken) {
        bool was_empty = s->out.size == 0;
        size_t n = ring_put(&s->out, bytes + done, size - done);
        done += n;
        if (n && was_empty) {
            pthread_cond_signal(&s->out_ready);
        }
        if (done == size || !s->desc.patient) {
            break;
        }
        if (s->has_writer) {
            pthread_cond_wait(&s->out_room, &s->lock);
        } else {
            stream_give_output(s, -1);
        }
    }
    if (s->desc.out_fd < 0 || s->broken) {
        done = size;
    }
    s->out_was_full |= s->out.size == s->out.capacity;
    pthread_mutex_unlock(&s->lock);
    return done;
}

unsigned host_stream_poll(host_stream_t *s)
{
    stream_start(s);
    pthread_mutex_lock(&s->lock);
    unsigned bits = s->in.size ? HOST_STREAM_RX : 0;
    if (s->desc.patient || s->broken || s->out.size < s->out.capacity) {
        bits |= HOST_STREAM_TX;
    } else {
        s->out_was_full = true;
    }
    pthread_mutex_unlock(&s->lock);
    return bits;
}

void host_stream_flush(host_stream_t *s)
{
    stream_start(s);
    pthread_mutex_lock(&s->lock);
    while (s->out.size && !s->broken) {
        if (s->has_writer) {
            pthread_cond_wait(&s->out_room, &s->lock);
        } else {
            stream_give_output(s, -1);
        }
    }
    pthread_mutex_unlock(&s->lock);
}

void host_stream_pump(host_stream_t *s)
{
    stream_start(s);
    pthread_mutex_lock(&s->lock);
    if (!s->has_writer && s->out.size) {
        stream_give_output(s, 0);
    }
    bool read_now = !s->has_reader && !s->in_ended && s->in.size < s->desc.in_limit;
    size_t room = s->desc.in_limit - s->in.size;
    pthread_mutex_unlock(&s->lock);
    struct pollfd fd = {.fd = s->desc.in_fd, .events = POLLIN};
    if (read_now && poll(&fd, 1, 0) > 0 && !stream_take_input(s, room)) {
        s->in_ended = true;
    }
}

int host_stream_error(host_stream_t *s)
{
    pthread_mutex_lock(&s->lock);
    int err = s->broken;
    pthread_mutex_unlock(&s->lock);
    return err;
}
