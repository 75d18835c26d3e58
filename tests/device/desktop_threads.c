/* SPDX-License-Identifier: MPL-2.0 */
/*
 * GPU, input and sound under several threads at once: a driver that works and resets, people who
 * look, type and resize, a sound back end with a clock of its own. Run it under ThreadSanitizer
 * too.
 */
#include "devices/virtio_gpu.h"
#include "devices/virtio_input.h"
#include "devices/virtio_snd.h"
#include "frontends/display.h"
#include "frontends/input.h"
#include "host/audio.h"
#include "host/clock.h"
#include "host/thread.h"
#include "virtio_driver.h"

#ifdef RVVM_COMPAT_RVKIT
#include <rvvm/rvkit.h>
#endif

#define V1 VIRTIO_F_VERSION_1
#define RUN_NS UINT64_C(300000000)

static vd_t vd;
static unsigned quit; /* atomic */
static display_t *display;
static input_t *input;

static bool over(void)
{
    return __atomic_load_n(&quit, __ATOMIC_SEQ_CST);
}

/* Runs two people beside the driver, for a while. */
static void together(void (*driver)(void), void (*person)(void *arg), void (*other)(void *arg))
{
    uint64_t until = host_clock_ns() + RUN_NS;
    quit = 0;
    host_thread_t *a = host_thread_create(person, NULL), *b = host_thread_create(other, NULL);
    CHECK(a && b);
    while (host_clock_ns() < until) {
        driver();
        vd_update(&vd);
    }
    __atomic_store_n(&quit, 1, __ATOMIC_SEQ_CST);
    host_thread_join(a);
    host_thread_join(b);
    CHECK(!vd_broken(&vd));
}

/* A command of words, without looking at the answer. */
static void command(unsigned queue, uint64_t at, const uint32_t *words, unsigned count)
{
    const vd_buf_t buf[2] = {{at, 4 * count, false}, {at + 256, 1024, true}};
    uint32_t len;
    for (unsigned i = 0; i < count; i++) {
        vd_put32(&vd, at + 4 * i, words[i]);
    }
    CHECK(vd_request(&vd, queue, buf, 2, &len));
}

#define COMMAND(queue, at, ...)                                                                    \
    command(queue, at, (const uint32_t[]){__VA_ARGS__}, sizeof((const uint32_t[]){__VA_ARGS__}) / 4)

/* --- GPU --- */

static uint64_t gpu_mem, gpu_heap;

static void gpu_driver(void)
{
    vd.heap = gpu_heap;
    CHECK(vd_start_sized(&vd, V1, 16));
    for (unsigned i = 0; i < 20; i++) {
        uint32_t side = 16 + i;
        COMMAND(0, gpu_mem, 0x101, 0, 0, 0, 0, 0, 1 + i, 1, side, side);
        COMMAND(0, gpu_mem, 0x106, 0, 0, 0, 0, 0, 1 + i, 1, (uint32_t)gpu_mem, 0, 8192, 0);
        COMMAND(0, gpu_mem, 0x103, 0, 0, 0, 0, 0, 0, 0, side, side, 0, 1 + i);
        COMMAND(0, gpu_mem, 0x105, 0, 0, 0, 0, 0, 0, 0, side, side, 0, 0, 1 + i, 0);
        COMMAND(0, gpu_mem, 0x104, 0, 0, 0, 0, 0, 0, 0, side, side, 1 + i, 0);
        COMMAND(1, gpu_mem, 0x301, 0, 0, 0, 0, 0, 0, i, i, 0, 0, 0, 0, 0);
        COMMAND(0, gpu_mem, 0x100, 0, 0, 0, 0, 0);
        vd_ack(&vd);
    }
}

static void looker(void *arg)
{
    uint32_t sum = 0;
    (void)arg;
    while (!over()) {
        display_viewer_t *viewer = display_attach(display, NULL, NULL);
        for (unsigned i = 0; viewer && i < 10; i++) {
            display_view_t view;
            display_begin(viewer, &view);
            sum += view.pixels ? view.pixels[(size_t)view.width * view.height - 1] : 0;
            display_end(viewer);
            sum += (uint32_t)display_hash(display);
        }
        display_detach(viewer);
    }
    (void)sum;
}

static void resizer(void *arg)
{
    (void)arg;
    for (uint32_t i = 0; !over(); i++) {
        CHECK(display_request_size(display, 640 + i % 100, 480));
        host_thread_yield();
    }
}

TEST(gpu)
{
    virtio_desc_t desc;
    display = display_new("gpu");
    const virtio_gpu_scanout_t scanout = {.display = display_host(display)};
    vd_machine(&vd);
    CHECK(virtio_gpu_describe(&desc, &scanout, 1, 0) && vd_attach(&vd, &desc, 0));
    gpu_mem = vd_alloc(&vd, 8192);
    gpu_heap = vd.heap;
    together(gpu_driver, looker, resizer);
    vd_close(&vd);
    display_close(display);
}

/* --- Input --- */

static uint64_t input_mem, input_heap;
static unsigned events;

static void input_driver(void)
{
    vd.heap = input_heap;
    CHECK(vd_start_sized(&vd, V1, 16));
    for (unsigned i = 0; i < 16; i++) {
        const vd_buf_t buf = {input_mem + 8 * i, 8, true};
        vd_add(&vd, 0, &buf, 1);
    }
    vd_kick(&vd, 0);
    for (unsigned i = 0; i < 500; i++) {
        uint16_t id;
        uint32_t len;
        while (vd_used(&vd, 0, &id, &len)) {
            const vd_buf_t buf = {input_mem + 8 * (i % 16), 8, true};
            events++;
            vd_add(&vd, 0, &buf, 1);
            vd_kick(&vd, 0);
        }
        host_thread_yield();
    }
}

static void typist(void *arg)
{
    (void)arg;
    while (!over()) {
        input_source_t *source = input_source_new(input);
        for (unsigned i = 0; source && i < 40; i++) {
            input_key(source, 4 + i % 20, i < 20);
        }
        input_source_free(source);
        host_thread_yield();
    }
}

TEST(keys)
{
    virtio_desc_t desc;
    input = input_new();
    const input_host_t host = input_host(input);
    vd_machine(&vd);
    CHECK(virtio_input_describe(&desc, INPUT_KEYBOARD, &host) && vd_attach(&vd, &desc, 0));
    input_mem = vd_alloc(&vd, 128);
    input_heap = vd.heap;
    together(input_driver, typist, typist);
    CHECK(events > 100);
    vd_close(&vd);
    input_close(input);
}

/* --- Sound --- */

static uint64_t snd_mem, snd_heap;
static unsigned periods;

static void snd_driver(void)
{
    enum { MESSAGES = 4, BYTES = 512 };
    vd.heap = snd_heap;
    CHECK(vd_start_sized(&vd, V1, 16));
    COMMAND(0, snd_mem, 0x101, 0, MESSAGES * BYTES, BYTES, 16, 2 | 5 << 8 | 13 << 16);
    COMMAND(0, snd_mem, 0x102, 0);
    for (unsigned i = 0; i < MESSAGES; i++) {
        uint64_t at = snd_mem + 2048 + 1024 * i;
        const vd_buf_t buf[3] = {{at, 4, false}, {at + 16, BYTES, false}, {at + 8, 8, true}};
        vd_put32(&vd, at, 0);
        vd_add(&vd, 2, buf, 3);
    }
    vd_kick(&vd, 2);
    COMMAND(0, snd_mem, 0x104, 0);
    uint64_t until = host_clock_ns() + 20000000;
    while (host_clock_ns() < until) {
        uint16_t id;
        uint32_t len;
        while (vd_used(&vd, 2, &id, &len)) {
            periods++;
        }
        host_thread_yield();
    }
    if (periods & 1) { /* else the next reset ends it */
        COMMAND(0, snd_mem, 0x105, 0);
        COMMAND(0, snd_mem, 0x103, 0);
    }
}

static void nobody(void *arg)
{
    (void)arg;
}

TEST(sound)
{
    virtio_desc_t desc;
    audio_host_t host;
    vd_machine(&vd);
    CHECK(audio_null_open(&host, NULL));
    CHECK(virtio_snd_describe(&desc, 1, 0, &host) && vd_attach(&vd, &desc, 0));
    snd_mem = vd_alloc(&vd, 8192);
    snd_heap = vd.heap;
    together(snd_driver, nobody, nobody);
    CHECK(periods > 0);
    vd_close(&vd);
}

#ifdef RVVM_COMPAT_RVKIT
/* A card that takes its time to start. */
static unsigned starting, running, restart; /* atomic */

static void slow_attach(void *opaque, const audio_guest_t *guest)
{
    (void)opaque, (void)guest;
}

static bool slow_prepare(void *opaque, unsigned stream, const audio_params_t *params)
{
    (void)opaque, (void)stream, (void)params;
    return true;
}

static void slow_start(void *opaque, unsigned stream)
{
    (void)opaque, (void)stream;
    __atomic_store_n(&starting, 1, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&restart, __ATOMIC_SEQ_CST)) {
        host_sleep_ns(100000000);
    }
    __atomic_store_n(&running, 1, __ATOMIC_SEQ_CST);
    __atomic_store_n(&starting, 0, __ATOMIC_SEQ_CST);
}

static void slow_stop(void *opaque, unsigned stream)
{
    (void)opaque, (void)stream;
    CHECK(!__atomic_load_n(&starting, __ATOMIC_SEQ_CST));
    __atomic_store_n(&running, 0, __ATOMIC_SEQ_CST);
}

static void slow_release(void *opaque, unsigned stream)
{
    (void)opaque, (void)stream;
}

static uint32_t slow_delay(void *opaque, unsigned stream)
{
    (void)opaque, (void)stream;
    return 0;
}

static void slow_free(void *opaque)
{
    (void)opaque;
}

static void updater(void *arg)
{
    (void)arg;
    vd_update(&vd);
}

/* The machine goes on, which starts the stream again, and the driver stops it at that moment. */
TEST(sound_goes_on)
{
    static const audio_host_t host = {.attach = slow_attach,
                                      .prepare = slow_prepare,
                                      .start = slow_start,
                                      .stop = slow_stop,
                                      .release = slow_release,
                                      .delay = slow_delay,
                                      .update = slow_free,
                                      .free = slow_free};
    virtio_desc_t desc;
    vd_machine(&vd);
    CHECK(virtio_snd_describe(&desc, 1, 0, &host) && vd_attach(&vd, &desc, 0));
    CHECK(vd_start_sized(&vd, V1, 16));
    uint64_t mem = vd_alloc(&vd, 4096);
    COMMAND(0, mem, 0x101, 0, 4096, 1024, 16, 2 | 5 << 8 | 7 << 16);
    COMMAND(0, mem, 0x102, 0);
    COMMAND(0, mem, 0x104, 0);
    CHECK(rvkit_snapshot_devices(vd.machine, NULL, false));
    CHECK(!running);
    CHECK(rvkit_snapshot_devices(vd.machine, NULL, true));
    restart = 1;
    host_thread_t *thread = host_thread_create(updater, NULL);
    while (!__atomic_load_n(&starting, __ATOMIC_SEQ_CST)) {
        host_thread_yield();
    }
    COMMAND(0, mem, 0x105, 0);
    host_thread_join(thread);
    CHECK(!running);
    vd_close(&vd);
}
#endif

int main(void)
{
    if (!host_threads_available()) {
        printf("1 passed, 0 failed\n"); /* there are no threads here */
        return 0;
    }
    PROVE(gpu, "GPU: drawing, resets, viewers and other sizes at once");
    PROVE(keys, "input: two type while the driver reads and resets");
    PROVE(sound, "sound: the clock's thread, and a driver that starts, stops and resets");
#ifdef RVVM_COMPAT_RVKIT
    PROVE(sound_goes_on, "sound: a driver that stops what is just starting again");
#endif
    return rig_finish("desktop threads");
}
