/* SPDX-License-Identifier: MPL-2.0 */
/* Streams over pipes: nothing lost, nothing blocked, flags left alone. */
#include "host/stream.h"

#include "host/clock.h"
#include "host/thread.h"
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define TOTAL (1u << 20)

typedef struct world {
    host_stream_t *stream;
    int in[2], out[2];
    unsigned events; /* atomic */
    unsigned filtered;
} world_t;

static void on_event(void *opaque, unsigned bits)
{
    world_t *w = opaque;
    __atomic_fetch_or(&w->events, bits, __ATOMIC_SEQ_CST);
}

static unsigned events(const world_t *w)
{
    return __atomic_load_n(&w->events, __ATOMIC_SEQ_CST);
}

static bool world_open(world_t *w, bool patient, size_t (*filter)(void *, uint8_t *, size_t))
{
    memset(w, 0, sizeof(*w));
    if (pipe(w->in) || pipe(w->out)) {
        return false;
    }
    w->stream = host_stream_open(&(host_stream_desc_t){.in_fd = w->in[0],
                                                       .out_fd = w->out[1],
                                                       .in_limit = 5000,
                                                       .patient = patient,
                                                       .event = on_event,
                                                       .filter = filter,
                                                       .opaque = w});
    return w->stream != NULL;
}

static void close_fd(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
    }
    *fd = -1;
}

static void world_close(world_t *w)
{
    close_fd(&w->in[0]);
    close_fd(&w->in[1]);
    close_fd(&w->out[0]);
    close_fd(&w->out[1]);
}

static uint8_t pattern(uint32_t i)
{
    return (uint8_t)(i * 7 + (i >> 8) * 13 + (i >> 16));
}

/* Writes or reads the whole pattern on a descriptor, in a thread. */
typedef struct pump {
    int fd;
    uint32_t bad, count;
    unsigned pause_every;
} pump_t;

static void pump_out(void *arg)
{
    pump_t *p = arg;
    uint8_t buf[777];
    for (uint32_t i = 0; i < TOTAL;) {
        uint32_t n = 0;
        for (; n < sizeof(buf) && i + n < TOTAL; n++) {
            buf[n] = pattern(i + n);
        }
        ssize_t put = write(p->fd, buf, n);
        if (put <= 0) {
            break;
        }
        i += (uint32_t)put;
        p->count = i;
    }
    close(p->fd);
}

static void pump_in(void *arg)
{
    pump_t *p = arg;
    uint8_t buf[999];
    ssize_t got;
    while (p->count < TOTAL && (got = read(p->fd, buf, sizeof(buf))) > 0) {
        for (ssize_t k = 0; k < got; k++) {
            p->bad += buf[k] != pattern(p->count++);
        }
        if (p->pause_every &&
            p->count / p->pause_every != (p->count - (uint32_t)got) / p->pause_every) {
            host_sleep_ns(5000000);
        }
    }
}

TEST(a_mebibyte_in)
{
    world_t w;
    CHECK(world_open(&w, false, NULL));
    pump_t pump = {.fd = w.in[1]};
    host_thread_t *thread = host_thread_create(pump_out, &pump);
    uint8_t buf[100];
    uint32_t count = 0, bad = 0;
    uint64_t start = host_clock_ns();
    while (count < TOTAL && host_clock_ns() - start < 20000000000u) {
        size_t n = host_stream_read(w.stream, buf, 1 + count % 100);
        for (size_t k = 0; k < n; k++) {
            bad += buf[k] != pattern(count++);
        }
        if (!n) {
            host_thread_yield();
        }
    }
    CHECK_EQ(TOTAL, count);
    CHECK_EQ(0, bad);
    CHECK(events(&w) & HOST_STREAM_RX);
    host_thread_join(thread);
    w.in[1] = -1;
    host_stream_close(w.stream);
    world_close(&w);
}

TEST(input_waits_when_nobody_reads)
{
    world_t w;
    CHECK(world_open(&w, false, NULL));
    fcntl(w.in[1], F_SETFL, O_NONBLOCK);
    host_stream_poll(w.stream);
    uint8_t chunk[1000] = {0};
    size_t fed = 0;
    for (int i = 0; i < 300; i++) {
        ssize_t put = write(w.in[1], chunk, sizeof(chunk));
        fed += put > 0 ? (size_t)put : 0;
        host_sleep_ns(100000);
    }
    CHECK(fed < 300000); /* the pipe and the queue are full */
    size_t seen = 0, n;
    for (int i = 0; i < 10000 && seen < fed; i++) {
        while ((n = host_stream_read(w.stream, chunk, sizeof(chunk))) != 0) {
            seen += n;
        }
        host_sleep_ns(1000000);
    }
    CHECK_EQ(fed, seen);
    host_stream_close(w.stream);
    world_close(&w);
}

static void write_everything(world_t *w)
{
    uint8_t buf[321];
    uint64_t start = host_clock_ns();
    for (uint32_t i = 0; i < TOTAL && host_clock_ns() - start < 20000000000u;) {
        uint32_t n = 0;
        for (; n < sizeof(buf) && i + n < TOTAL; n++) {
            buf[n] = pattern(i + n);
        }
        size_t put = host_stream_write(w->stream, buf, n);
        i += (uint32_t)put;
        if (!put) {
            host_thread_yield();
        }
    }
}

TEST(a_mebibyte_out_to_a_slow_reader)
{
    for (int patient = 0; patient < 2; patient++) {
        world_t w;
        CHECK(world_open(&w, patient, NULL));
        pump_t pump = {.fd = w.out[0], .pause_every = 100000};
        host_thread_t *thread = host_thread_create(pump_in, &pump);
        write_everything(&w);
        host_stream_flush(w.stream);
        host_stream_close(w.stream);
        host_thread_join(thread);
        CHECK_EQ(TOTAL, pump.count);
        CHECK_EQ(0, pump.bad);
        CHECK(patient || (events(&w) & HOST_STREAM_TX));
        world_close(&w);
    }
}

TEST(a_full_output_takes_nothing)
{
    world_t w;
    uint8_t chunk[4096] = {0};
    size_t total = 0, n;
    CHECK(world_open(&w, false, NULL));
    for (int idle = 0; idle < 20;) {
        n = host_stream_write(w.stream, chunk, sizeof(chunk));
        total += n;
        idle = n ? 0 : idle + 1;
        host_sleep_ns(1000000);
    }
    CHECK_EQ(0, host_stream_poll(w.stream) & HOST_STREAM_TX);
    CHECK(total > 65536 && total < 1 << 20);
    CHECK_EQ(0, events(&w) & HOST_STREAM_TX);
    size_t seen = 0;
    while (seen < total) {
        ssize_t got = read(w.out[0], chunk, sizeof(chunk));
        if (got <= 0) {
            break;
        }
        seen += (size_t)got;
    }
    CHECK_EQ(total, seen);
    for (int i = 0; i < 10000 && !(events(&w) & HOST_STREAM_TX); i++) {
        host_sleep_ns(1000000);
    }
    CHECK(events(&w) & HOST_STREAM_TX);
    host_stream_close(w.stream);
    world_close(&w);
}

TEST(a_reader_that_goes_away)
{
    world_t w;
    CHECK(world_open(&w, false, NULL));
    close_fd(&w.out[0]);
    for (int i = 0; i < 20000 && !(events(&w) & HOST_STREAM_BROKEN); i++) {
        CHECK_EQ(3, host_stream_write(w.stream, "abc", 3));
        host_sleep_ns(1000000);
    }
    CHECK(events(&w) & HOST_STREAM_BROKEN);
    CHECK_EQ(EPIPE, host_stream_error(w.stream));
    CHECK(host_stream_poll(w.stream) & HOST_STREAM_TX);
    host_stream_flush(w.stream);
    host_stream_close(w.stream);
    world_close(&w);
}

/* Removes 'x', counts them. */
static size_t no_x(void *opaque, uint8_t *data, size_t size)
{
    world_t *w = opaque;
    size_t kept = 0;
    for (size_t i = 0; i < size; i++) {
        if (data[i] == 'x') {
            w->filtered++;
        } else {
            data[kept++] = data[i];
        }
    }
    return kept;
}

TEST(filter_and_end_of_input)
{
    world_t w;
    uint8_t buf[16];
    size_t n = 0;
    CHECK(world_open(&w, false, no_x));
    CHECK(write(w.in[1], "xaxbx", 5) == 5);
    close_fd(&w.in[1]);
    for (int i = 0; i < 10000 && n < 2; i++) {
        n += host_stream_read(w.stream, buf + n, sizeof(buf) - n);
        host_sleep_ns(1000000);
    }
    CHECK(n == 2 && !memcmp(buf, "ab", 2));
    CHECK_EQ(3, host_stream_write(w.stream, "end", 3));
    host_stream_close(w.stream);
    CHECK_EQ(3, w.filtered);
    CHECK(read(w.out[0], buf, 16) == 3);
    world_close(&w);
}

TEST(flags_are_left_alone)
{
    world_t w;
    CHECK(world_open(&w, false, NULL));
    int in = fcntl(w.in[0], F_GETFL), out = fcntl(w.out[1], F_GETFL);
    fcntl(w.out[1], F_SETFL, out | O_NONBLOCK); /* as some other user of the terminal might do */
    fcntl(w.in[0], F_SETFL, in | O_NONBLOCK);
    pump_t pump = {.fd = w.out[0], .pause_every = 200000};
    host_thread_t *thread = host_thread_create(pump_in, &pump);
    write_everything(&w);
    host_stream_close(w.stream);
    host_thread_join(thread);
    CHECK_EQ(TOTAL, pump.count);
    CHECK_EQ(0, pump.bad);
    CHECK_EQ(out | O_NONBLOCK, fcntl(w.out[1], F_GETFL));
    CHECK_EQ(in | O_NONBLOCK, fcntl(w.in[0], F_GETFL));
    world_close(&w);
}

TEST(no_descriptors_at_all)
{
    host_stream_t *s =
        host_stream_open(&(host_stream_desc_t){.in_fd = -1, .out_fd = -1, .in_limit = 10});
    CHECK_EQ(HOST_STREAM_TX, host_stream_poll(s));
    CHECK_EQ(5, host_stream_write(s, "hello", 5));
    CHECK_EQ(0, host_stream_read(s, &(uint8_t){0}, 1));
    host_stream_flush(s);
    host_stream_close(s);
}

int main(void)
{
    RUN(no_descriptors_at_all);
    if (host_threads_available()) {
        RUN(a_mebibyte_in);
        RUN(input_waits_when_nobody_reads);
        RUN(a_mebibyte_out_to_a_slow_reader);
        RUN(a_full_output_takes_nothing);
        RUN(a_reader_that_goes_away);
        RUN(filter_and_end_of_input);
        RUN(flags_are_left_alone);
    }
    return tap_finish();
}
