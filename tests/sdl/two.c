/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Two machines in one process, each with a window of its own on one seat: two.sh drives them. The
 * program's arguments are those of rvkit-sdl for the first machine, "--", and those for the second.
 * Each machine has a thread; what its front end does with windows, the main thread does for it.
 */
#include "../../sdl/desktop.h"
#include "../../src/host/clock.h"
#include "../../src/host/thread.h"

#include <stdio.h>
#include <string.h>

enum { MACHINES = 2, STEP_MS = 20 };

/* What a machine's thread has the main thread do. */
typedef struct {
    enum { ASK_NOTHING, ASK_OPEN, ASK_READY, ASK_CLOSE } what;
    const options_t *options;
    board_desc_t *board;
    char *error;
    size_t error_size;
    app_t *app;
    bool ok;
} ask_t;

typedef struct {
    int argc, status;
    char **argv;
    desktop_t desktop;
    host_thread_t *thread;
    host_mutex_t *lock; /* guards ask */
    ask_t ask;
    host_event_t *answered, *ended;
    uint32_t gone; /* atomic */
} machine_t;

/* On the machine's thread. */
static bool machine_ask(machine_t *m, const ask_t *ask)
{
    host_mutex_lock(m->lock);
    m->ask = *ask;
    host_mutex_unlock(m->lock);
    host_event_wait(m->answered, HOST_FOREVER);
    return m->ask.ok;
}

static bool front_open(void *opaque, const options_t *options, board_desc_t *board, char *error,
                       size_t error_size)
{
    return machine_ask(opaque, &(ask_t){.what = ASK_OPEN,
                                        .options = options,
                                        .board = board,
                                        .error = error,
                                        .error_size = error_size});
}

static void front_ready(void *opaque, app_t *app)
{
    machine_ask(opaque, &(ask_t){.what = ASK_READY, .app = app});
}

static void front_run(void *opaque, app_t *app)
{
    (void)app;
    host_event_wait(((machine_t *)opaque)->ended, HOST_FOREVER);
}

static void front_ended(void *opaque)
{
    machine_t *m = opaque;
    desktop_ended(&m->desktop);
    host_event_set(m->ended);
}

static void front_say(void *opaque, const char *line)
{
    desktop_say(&((machine_t *)opaque)->desktop, line);
}

static void front_close(void *opaque)
{
    machine_ask(opaque, &(ask_t){.what = ASK_CLOSE});
}

static void machine_body(void *arg)
{
    machine_t *m = arg;
    const app_front_t front = {
        .program = "two",
        .opaque = m,
        .open = front_open,
        .ready = front_ready,
        .run = front_run,
        .ended = front_ended,
        .say = front_say,
        .close = front_close,
    };
    m->status = app_main(m->argc, m->argv, &front);
    __atomic_store_n(&m->gone, 1, __ATOMIC_SEQ_CST);
}

/* On the main thread. */
static void machine_answer(machine_t *m)
{
    host_mutex_lock(m->lock);
    ask_t *ask = &m->ask;
    bool asked = ask->what != ASK_NOTHING;
    switch (ask->what) {
    case ASK_OPEN:
        ask->ok = desktop_open(&m->desktop, ask->options, ask->board, ask->error, ask->error_size);
        break;
    case ASK_READY:
        desktop_ready(&m->desktop, ask->app);
        break;
    case ASK_CLOSE:
        desktop_close(&m->desktop);
        break;
    default:
        break;
    }
    ask->what = ASK_NOTHING;
    host_mutex_unlock(m->lock);
    if (asked) {
        host_event_set(m->answered);
    }
}

static bool machine_start(machine_t *m, int argc, char **argv, seat_t *seat)
{
    m->argc = argc;
    m->argv = argv;
    m->desktop.seat = seat;
    m->lock = host_mutex_create();
    m->answered = host_event_create();
    m->ended = host_event_create();
    m->thread = m->lock && m->answered && m->ended ? host_thread_create(machine_body, m) : NULL;
    return m->thread != NULL;
}

static void machine_free(machine_t *m)
{
    host_thread_join(m->thread);
    host_event_free(m->answered);
    host_event_free(m->ended);
    host_mutex_free(m->lock);
}

int main(int argc, char **argv)
{
    machine_t machine[MACHINES] = {0};
    char error[256];
    int second = 1, status = 0;
    while (second < argc && strcmp(argv[second], "--") != 0) {
        second++;
    }
    seat_t *seat = seat_open(error, sizeof(error));
    if (!seat || second >= argc) {
        fprintf(stderr, "two: %s\n", seat ? "ARGS -- ARGS is wanted" : error);
        return 2;
    }
    argv[second] = argv[0];
    if (!machine_start(&machine[0], second, argv, seat) ||
        !machine_start(&machine[1], argc - second, argv + second, seat)) {
        return 2;
    }
    unsigned gone = 0;
    while (gone < MACHINES) {
        if (!seat_step(seat, STEP_MS)) {
            host_sleep_ns(STEP_MS * UINT64_C(1000000));
        }
        gone = 0;
        for (unsigned i = 0; i < MACHINES; i++) {
            machine_answer(&machine[i]);
            gone += __atomic_load_n(&machine[i].gone, __ATOMIC_SEQ_CST);
        }
    }
    for (unsigned i = 0; i < MACHINES; i++) {
        machine_free(&machine[i]);
        printf("machine %u: %d\n", i, machine[i].status);
        status |= machine[i].status;
    }
    seat_close(seat);
    return status;
}
