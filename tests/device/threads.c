/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The devices under several threads at once; run it under ThreadSanitizer too. Where the host has no
 * threads (WebAssembly) the same work is done by one.
 */
#include <pthread.h>
#include <sched.h>

#include "devices/clint.h"
#include "devices/plic.h"
#include "uart_rig.h"

enum { ROUNDS = 20000, STREAM = 1 << 17 };

/* How often the interrupt test is done: the first argument, once without. */
static unsigned repeats = 1;

#ifdef __EMSCRIPTEN__
#define RIG_THREADS 0
static bool start(pthread_t *thread, void *(*func)(void *), void *arg)
{
    (void)thread;
    return func(arg) == NULL;
}
static void join(pthread_t thread)
{
    (void)thread;
}
#else
#define RIG_THREADS 1
/* In real threads a waiting side spins until the other has done its part. */
static bool start(pthread_t *thread, void *(*func)(void *), void *arg)
{
    return pthread_create(thread, NULL, func, arg) == 0;
}
static void join(pthread_t thread)
{
    pthread_join(thread, NULL);
}
#endif

typedef struct {
    rig_host_t host;
    rvvm_machine_t *machine;
    rvvm_irq_dev_t *irq;
    rvvm_mmio_dev_t *plic, *clint;
    uint32_t sent[64], taken[64]; /* atomic */
    uint32_t senders;             /* still at work; atomic */
} hammer_t;

typedef struct {
    hammer_t *hammer;
    unsigned id;
} worker_t;

static uint32_t count(uint32_t *counter)
{
    return __atomic_load_n(counter, __ATOMIC_ACQUIRE);
}

/* Waits until the last edge of a source was taken; false when that does not come to pass. */
static bool wait_taken(hammer_t *hammer, uint32_t irq)
{
    for (unsigned spins = 0; RIG_THREADS && spins < 20000000; spins++) {
        if (count(&hammer->taken[irq]) == count(&hammer->sent[irq])) {
            return true;
        }
        sched_yield();
    }
    return !RIG_THREADS;
}

/* A device: sends edges on its own source, each when the one before was taken. */
static void *sender(void *arg)
{
    worker_t *worker = arg;
    hammer_t *hammer = worker->hammer;
    uint32_t irq = 10 + worker->id;
    for (unsigned i = 0; i < ROUNDS * repeats; i++) {
        __atomic_fetch_add(&hammer->sent[irq], 1, __ATOMIC_ACQ_REL);
        rvvm_irq_send(hammer->irq, irq);
        if (!wait_taken(hammer, irq)) {
            break; /* it is lost, and the totals tell */
        }
    }
    __atomic_fetch_sub(&hammer->senders, 1, __ATOMIC_ACQ_REL);
    return NULL;
}

/* A hart: takes what its context is told of, and completes it. */
static void take_all(hammer_t *hammer, unsigned ctx)
{
    size_t reg = 0x200004 + 0x1000 * ctx;
    uint32_t irq;
    while ((irq = (uint32_t)rig_read(hammer->plic, reg, 4)) != 0) {
        __atomic_store_n(&hammer->taken[irq & 63], count(&hammer->sent[irq & 63]), __ATOMIC_RELEASE);
        rig_write(hammer->plic, reg, 4, irq);
    }
}

static void *taker(void *arg)
{
    worker_t *worker = arg;
    hammer_t *hammer = worker->hammer;
    unsigned ctx = 2 * worker->id + 1, spins = 0;
    while (count(&hammer->senders)) {
        take_all(hammer, ctx);
        rig_write(hammer->plic, 0x200000 + 0x1000 * ctx, 4, spins % 2); /* the threshold */
        rig_write(hammer->clint, 4 * worker->id, 4, spins % 2);
        rig_write(hammer->clint, 0x4000 + 8 * worker->id, 8, spins);
        rig_read(hammer->plic, 0x1000, 4);
        spins++;
        sched_yield();
    }
    take_all(hammer, ctx);
    return NULL;
}

TEST(plic_hammered)
{
    static hammer_t hammer;
    pthread_t threads[8];
    worker_t workers[4];
    memset(&hammer, 0, sizeof(hammer));
    rig_host_init(&hammer.host);
    hammer.machine = rig_machine();
    hammer.irq = plic_init_host(hammer.machine, &hammer.host.host, PLIC_DEFAULT_MMIO);
    hammer.plic = plic_region(hammer.irq);
    hammer.clint = clint_init_host(hammer.machine, &hammer.host.host, CLINT_DEFAULT_MMIO);
    hammer.senders = 4;
    for (unsigned i = 0; i < 4; i++) {
        workers[i] = (worker_t){&hammer, i};
        rig_write(hammer.plic, 4 * (10 + i), 4, 2);
        rig_write(hammer.plic, 0x2080 + 0x100 * i, 4, 0xF << 10);
    }
    for (unsigned i = 0; i < 8; i++) { /* without threads, the senders' work comes first */
        CHECK(start(&threads[i], i < 4 ? sender : taker, &workers[i % 4]));
    }
    for (unsigned i = 0; i < 8; i++) {
        join(threads[i]);
    }
    for (unsigned i = 0; i < 4; i++) {
        take_all(&hammer, 1); /* whatever another hart held while the last edge came */
        CHECK_EQ(ROUNDS * repeats, hammer.taken[10 + i]); /* each edge was seen, alone or with others */
        CHECK(!rig_line(&hammer.host, i, IRQ_HOST_SEIP));
    }
    rvvm_free_machine(hammer.machine);
}

/* A chardev that a back end's thread feeds and empties, with small queues of its own. */
typedef struct {
    chardev_t dev;
    spinlock_t lock;
    uint8_t in[64], out[64];
    uint32_t in_head, in_len, out_head, out_len;
    uint32_t guest_done; /* atomic */
    uint32_t fed, emptied, bad;
} pipe_t;

typedef struct {
    rig_host_t host;
    rig_intc_t intc;
    pipe_t pipe;
    rvvm_machine_t *machine;
    rvvm_mmio_dev_t *dev;
    uint32_t received, bad;
} stream_t;

/* The byte at each place of the stream. */
static uint8_t pattern(uint32_t i)
{
    return (uint8_t)((i * 2654435761u) >> 24);
}

static size_t pipe_read(chardev_t *dev, void *buf, size_t size)
{
    pipe_t *pipe = dev->data;
    size_t len = 0;
    spin_lock(&pipe->lock);
    while (len < size && pipe->in_len) {
        ((uint8_t *)buf)[len++] = pipe->in[pipe->in_head++ % 64];
        pipe->in_len--;
    }
    spin_unlock(&pipe->lock);
    return len;
}

static size_t pipe_write(chardev_t *dev, const void *buf, size_t size)
{
    pipe_t *pipe = dev->data;
    size_t len = 0;
    spin_lock(&pipe->lock);
    while (len < size && pipe->out_len < 64) {
        pipe->out[(pipe->out_head + pipe->out_len++) % 64] = ((const uint8_t *)buf)[len++];
    }
    spin_unlock(&pipe->lock);
    return len;
}

/* One turn of the back end: feeds what fits, takes what is there, and notifies outside its lock. */
static void pipe_turn(pipe_t *pipe)
{
    uint32_t flags = 0;
    spin_lock(&pipe->lock);
    if (pipe->in_len == 0) {
        while (pipe->in_len < 64 && pipe->fed < STREAM) {
            pipe->in[(pipe->in_head + pipe->in_len++) % 64] = pattern(pipe->fed++);
            flags |= CHARDEV_RX;
        }
    }
    if (pipe->out_len == 64 || (count(&pipe->guest_done) && pipe->out_len)) {
        while (pipe->out_len) {
            pipe->bad += pipe->out[pipe->out_head++ % 64] != pattern(pipe->emptied++);
            pipe->out_len--;
        }
        flags |= CHARDEV_TX;
    }
    spin_unlock(&pipe->lock);
    if (flags) {
        chardev_notify(&pipe->dev, flags);
    }
}

static void *back_end(void *arg)
{
    pipe_t *pipe = arg;
    while (pipe->emptied < STREAM) {
        pipe_turn(pipe);
        sched_yield();
    }
    return NULL;
}

/* A driver's interrupt handler that echoes; false when the line is low. */
static bool guest_turn(stream_t *stream, uint8_t *held, unsigned *holding)
{
    if (!rig_intc_level(&stream->intc, UART_IRQ)) {
        return false;
    }
    unsigned iir = (unsigned)rig_read(stream->dev, IIR, 1) & 0x0F;
    if ((iir == IIR_RDA || iir == IIR_CTI) && !*holding) {
        while (*holding < 16 && (rig_read(stream->dev, LSR, 1) & DR)) {
            held[*holding] = (uint8_t)rig_read(stream->dev, RBR, 1);
            stream->bad += held[(*holding)++] != pattern(stream->received++);
        }
        rig_write(stream->dev, IER, 1, ETBEI); /* no more input until this is out */
    } else if (iir == IIR_THRE && *holding) {
        for (unsigned i = 0; i < *holding; i++) {
            rig_write(stream->dev, THR, 1, held[i]);
        }
        *holding = 0;
        rig_write(stream->dev, IER, 1, ERBFI);
    }
    return true;
}

static void *guest(void *arg)
{
    stream_t *stream = arg;
    uint8_t held[16];
    unsigned holding = 0;
    while (stream->received < STREAM || holding) {
        if (!guest_turn(stream, held, &holding)) {
#ifdef __EMSCRIPTEN__
            pipe_turn(&stream->pipe);
#else
            sched_yield();
#endif
        }
    }
    __atomic_store_n(&stream->pipe.guest_done, 1, __ATOMIC_RELEASE);
    return NULL;
}

/* Other harts that look at the UART; they read nothing that takes something away. */
static void *onlooker(void *arg)
{
    stream_t *stream = arg;
    for (uint32_t i = 0; !count(&stream->pipe.guest_done); i++) {
        rig_write(stream->dev, SCR, 1, i & 0xFF);
        rig_read(stream->dev, SCR, 1);
        rig_read(stream->dev, MCR, 1);
        if (i % 16 == 0) {
            stream->dev->type->update(stream->dev);
        }
        sched_yield();
    }
    return NULL;
}

/* An echo between a guest and a back end, with onlookers or with nobody who would mend a missed wake-up. */
static void uart_echo(unsigned onlookers)
{
    static stream_t stream;
    pthread_t threads[4];
    memset(&stream, 0, sizeof(stream));
    rig_host_init(&stream.host);
    rig_intc_init(&stream.intc);
    pipe_t *pipe = &stream.pipe;
    pipe->dev = (chardev_t){.read = pipe_read, .write = pipe_write, .data = pipe};
    stream.machine = rig_machine();
    stream.dev = ns16550a_init_host(stream.machine, &stream.host.host, &pipe->dev,
                                    NS16550A_DEFAULT_MMIO, stream.intc.dev, UART_IRQ);
    rig_write(stream.dev, FCR, 1, 0x81);
    rig_write(stream.dev, IER, 1, ERBFI);
    CHECK(start(&threads[0], guest, &stream));
    CHECK(start(&threads[1], back_end, pipe));
    for (unsigned i = 0; i < onlookers; i++) {
        CHECK(start(&threads[2 + i], onlooker, &stream));
    }
    for (unsigned i = 0; i < 2 + onlookers; i++) {
        join(threads[i]);
    }
    CHECK_EQ(STREAM, stream.received);
    CHECK_EQ(STREAM, pipe->emptied);
    CHECK_EQ(0, stream.bad);
    CHECK_EQ(0, pipe->bad);
    rvvm_free_machine(stream.machine);
    rvvm_irq_dev_free(stream.intc.dev);
}

TEST(uart_hammered)
{
    uart_echo(2);
}

TEST(uart_wake_ups)
{
    uart_echo(0);
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        repeats = (unsigned)strtoul(argv[1], NULL, 10);
    }
    PROVE(plic_hammered, "PLIC and CLINT: 4 devices and 4 harts at once, no edge is lost");
    PROVE(uart_hammered, "NS16550A: echo of 128 KiB between 4 threads, no byte is lost");
    PROVE(uart_wake_ups, "NS16550A: echo between 2 threads that wait for each other, no wake-up is missed");
    return rig_finish("threads");
}
