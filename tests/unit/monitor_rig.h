/* SPDX-License-Identifier: MPL-2.0 */
/* A monitor behind a chardev that is the test, on a machine with a little program. */
#ifndef RVKIT_TESTS_MONITOR_RIG_H
#define RVKIT_TESTS_MONITOR_RIG_H

#include "frontends/monitor.h"
#include "inspect.h"

#include "board.h"
#include "host/clock.h"
#include "host/thread.h"
#include "tap.h"
#include "util.h"

#include <stdlib.h>
#include <unistd.h>

#define RAM 0x80000000u
#define PROMPT "(rvkit) "
#define OUT_MAX (4u << 20)

/* A console: what is typed waits in `in`, what the monitor says gathers in `out` up to `limit`. */
typedef struct {
    chardev_t dev;
    host_mutex_t *lock;
    char *in;
    size_t in_at, in_size;
    char *out;
    size_t out_size, limit;
    bool removed;
} fake_t;

/* A program around it. */
typedef struct {
    fake_t fake;
    rvvm_machine_t *machine;
    monitor_t *monitor;
    unsigned quits, resets;
    char shot[128];
} world_t;

static fake_t *fake_of(chardev_t *dev)
{
    return dev->data;
}

static uint32_t fake_poll(chardev_t *dev)
{
    fake_t *f = fake_of(dev);
    host_mutex_lock(f->lock);
    uint32_t flags =
        (f->in_at < f->in_size ? CHARDEV_RX : 0) | (f->out_size < f->limit ? CHARDEV_TX : 0);
    host_mutex_unlock(f->lock);
    return flags;
}

static size_t fake_read(chardev_t *dev, void *buf, size_t nbytes)
{
    fake_t *f = fake_of(dev);
    host_mutex_lock(f->lock);
    size_t n = f->in_size - f->in_at < nbytes ? f->in_size - f->in_at : nbytes;
    memcpy(buf, f->in + f->in_at, n);
    f->in_at += n;
    host_mutex_unlock(f->lock);
    return n;
}

static size_t fake_write(chardev_t *dev, const void *buf, size_t nbytes)
{
    fake_t *f = fake_of(dev);
    host_mutex_lock(f->lock);
    size_t n = f->limit - f->out_size < nbytes ? f->limit - f->out_size : nbytes;
    memcpy(f->out + f->out_size, buf, n);
    f->out_size += n;
    host_mutex_unlock(f->lock);
    return n;
}

static void fake_remove(chardev_t *dev)
{
    fake_of(dev)->removed = true;
}

static void fake_type(fake_t *f, const char *text)
{
    size_t size = strlen(text);
    host_mutex_lock(f->lock);
    memmove(f->in, f->in + f->in_at, f->in_size - f->in_at);
    f->in_size -= f->in_at;
    f->in_at = 0;
    memcpy(f->in + f->in_size, text, size);
    f->in_size += size;
    host_mutex_unlock(f->lock);
    chardev_notify(&f->dev, CHARDEV_RX);
}

static void fake_allow(fake_t *f, size_t limit)
{
    host_mutex_lock(f->lock);
    f->limit = limit;
    host_mutex_unlock(f->lock);
    chardev_notify(&f->dev, CHARDEV_TX);
}

static size_t fake_size(fake_t *f)
{
    host_mutex_lock(f->lock);
    size_t size = f->out_size;
    host_mutex_unlock(f->lock);
    return size;
}

/* How often `text` has been said since `from`. */
static unsigned fake_count(fake_t *f, size_t from, const char *text)
{
    unsigned count = 0;
    host_mutex_lock(f->lock);
    f->out[f->out_size] = 0;
    for (const char *at = f->out + from; (at = strstr(at, text)); at++) {
        count++;
    }
    host_mutex_unlock(f->lock);
    return count;
}

/* Until `text` has been said `count` times since `from`; false after ten seconds. */
static bool fake_wait(fake_t *f, size_t from, const char *text, unsigned count)
{
    for (unsigned i = 0; i < 10000; i++) {
        if (fake_count(f, from, text) >= count) {
            return true;
        }
        host_sleep_ns(1000000);
    }
    printf("# waited for %u times \"%s\", got: %s\n", count, text, f->out + from);
    return false;
}

/* Types a line; what is said up to the next prompt. */
static const char *ask(world_t *w, const char *line)
{
    static char said[65536];
    size_t from = fake_size(&w->fake);
    fake_type(&w->fake, line);
    fake_type(&w->fake, "\r");
    /* Editing draws the prompt too, but not on a new line. */
    CHECK(fake_wait(&w->fake, from, "\n" PROMPT, 1));
    host_mutex_lock(w->fake.lock);
    w->fake.out[w->fake.out_size] = 0;
    /* Without the echo and the prompt. */
    const char *start = strstr(w->fake.out + from, "\r\n");
    snprintf(said, sizeof(said), "%s", start ? start + 2 : "");
    host_mutex_unlock(w->fake.lock);
    char *end = strstr(said, PROMPT);
    if (end) {
        *end = 0;
    }
    return said;
}

static bool answers(world_t *w, const char *line, const char *want)
{
    const char *got = ask(w, line);
    bool ok = strstr(got, want) != NULL && (*want || !*got);
    if (!ok) {
        printf("# %s: want: %s\n# got: %s\n", line, want, got);
    }
    return ok;
}

/* ---- The program around it ---- */

static void on_quit(void *opaque)
{
    ((world_t *)opaque)->quits++;
}

static bool on_pause(void *opaque, bool paused)
{
    world_t *w = opaque;
    return paused ? rvvm_pause_machine(w->machine) : rvvm_start_machine(w->machine);
}

static void on_reset(void *opaque)
{
    ((world_t *)opaque)->resets++;
}

static bool on_console(void *opaque, size_t index, monitor_console_t *info)
{
    (void)opaque;
    *info = (monitor_console_t){
        .cols = 80, .rows = 24, .viewers = 2, .bytes_out = 12345, .shown = index == 0};
    snprintf(info->name, sizeof(info->name), "hvc%u", (unsigned)index);
    snprintf(info->title, sizeof(info->title), "%s",
             index ? "vi\x1b[2J\xc2\x9b"
                     "5n"
                   : "");
    return index < 2;
}

static bool on_screenshot(void *opaque, const char *console, const char *path, char *said,
                          size_t said_size)
{
    world_t *w = opaque;
    snprintf(w->shot, sizeof(w->shot), "%s|%s", console ? console : "", path);
    snprintf(said, said_size, "%s", strcmp(path, "bad") ? "written" : "no such folder");
    return strcmp(path, "bad") != 0;
}

static void world_open_with(world_t *w, board_desc_t desc, bool plain, bool bare)
{
    memset(w, 0, sizeof(*w));
    fake_t *f = &w->fake;
    f->lock = host_mutex_create();
    f->in = malloc(1 << 20);
    f->out = malloc(OUT_MAX + 1);
    f->limit = OUT_MAX;
    f->dev = (chardev_t){.poll = fake_poll,
                         .read = fake_read,
                         .write = fake_write,
                         .remove = fake_remove,
                         .data = f};
    desc.mem_size = desc.mem_size ? desc.mem_size : 1 << 20;
    desc.harts = desc.harts ? desc.harts : 1;
    w->machine = board_create(&desc);
    CHECK(w->machine != NULL);
    monitor_desc_t monitor = {.machine = w->machine, .chardev = &f->dev, .plain = plain};
    if (!bare) {
        monitor.host = (monitor_host_t){.opaque = w,
                                        .quit = on_quit,
                                        .pause = on_pause,
                                        .reset = on_reset,
                                        .console = on_console,
                                        .screenshot = on_screenshot};
    }
    w->monitor = monitor_create(&monitor);
    CHECK(w->monitor && fake_wait(f, 0, PROMPT, 1));
}

static void world_open(world_t *w)
{
    world_open_with(w, (board_desc_t){.harts = 2}, false, false);
}

static void world_close(world_t *w)
{
    monitor_free(w->monitor);
    CHECK(w->fake.removed);
    rvvm_free_machine(w->machine);
    host_mutex_free(w->fake.lock);
    free(w->fake.in);
    free(w->fake.out);
}

static const uint32_t some_code[] = {
    0x00150513, /* addi a0, a0, 1 */
    0x0505952e, /* c.add a0, a1; c.addi a0, 1 */
    0x0000006f, /* a jump to itself */
};

/* Loads a program and text, and runs up to the loop. */
static void world_run(world_t *w)
{
    CHECK(rvvm_write_ram(w->machine, RAM, some_code, sizeof(some_code)));
    CHECK(rvvm_write_ram(w->machine, RAM + 0x100, "Hello\n\"w\xc3\xb6rld\"\\\0tail", 20));
    CHECK(rvvm_start_machine(w->machine));
    if (rvvm_get_opt(w->machine, RVKIT_OPT_COOPERATIVE)) {
        rvkit_run_slice(w->machine, 100000);
    }
    /* Until all harts are in the loop at the program's end. */
    for (size_t i = 0; i < rvvm_get_opt(w->machine, RVVM_OPT_CPU_COUNT); i++) {
        inspect_hart_t hart = {.pc = 0};
        for (unsigned tries = 0;
             tries < 5000 && inspect_hart(w->machine, i, &hart) && hart.pc != RAM + 8; tries++) {
            host_sleep_ns(1000000);
        }
    }
}

#endif
