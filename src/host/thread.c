/* SPDX-License-Identifier: MPL-2.0 */
#include "thread.h"

#include "clock.h"

#include <rvvm/compat.h>

#include <stdlib.h>

#if defined(__EMSCRIPTEN__) && !defined(__EMSCRIPTEN_PTHREADS__)

struct host_mutex {
    char unused;
};

struct host_event {
    bool set;
};

bool host_threads_available(void)
{
    return false;
}

host_thread_t *host_thread_create(void (*body)(void *arg), void *arg)
{
    (void)body;
    (void)arg;
    return NULL;
}

void host_thread_join(host_thread_t *thread)
{
    (void)thread;
}

bool host_thread_is_self(const host_thread_t *thread)
{
    (void)thread;
    return false;
}

void host_thread_yield(void) {}

void host_mutex_lock(host_mutex_t *mutex)
{
    (void)mutex;
}

void host_mutex_unlock(host_mutex_t *mutex)
{
    (void)mutex;
}

void host_event_set(host_event_t *event)
{
    event->set = true;
}

void host_event_clear(host_event_t *event)
{
    event->set = false;
}

void host_event_wait(host_event_t *event, uint64_t timeout_ns)
{
    (void)timeout_ns;
    event->set = false;
}

host_mutex_t *host_process_mutex(void)
{
    static host_mutex_t mutex;
    return &mutex;
}

host_event_t *host_process_event(void)
{
    static host_event_t event;
    return &event;
}

host_mutex_t *host_mutex_create(void)
{
    return calloc(1, sizeof(host_mutex_t));
}

host_event_t *host_event_create(void)
{
    return calloc(1, sizeof(host_event_t));
}

void host_mutex_free(host_mutex_t *mutex)
{
    free(mutex);
}

void host_event_free(host_event_t *event)
{
    free(event);
}

#else

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <time.h>

struct host_thread {
    pthread_t handle;
    void (*body)(void *arg);
    void *arg;
};

struct host_mutex {
    pthread_mutex_t handle;
};

struct host_event {
    pthread_mutex_t lock;
    pthread_cond_t cond;
    uint32_t set;
    uint32_t waiting;
    bool wall_clock; /* the condition counts in CLOCK_REALTIME */
};

bool host_threads_available(void)
{
    return true;
}

static void *thread_start(void *arg)
{
    host_thread_t *thread = arg;
    thread->body(thread->arg);
    return NULL;
}

host_thread_t *host_thread_create(void (*body)(void *arg), void *arg)
{
    host_thread_t *thread = calloc(1, sizeof(*thread));
    if (!thread) {
        return NULL;
    }
    thread->body = body;
    thread->arg = arg;
    /* Signals are for the thread that was there first, faults for the one that makes them. */
    sigset_t blocked, old;
    sigfillset(&blocked);
    sigdelset(&blocked, SIGSEGV);
    sigdelset(&blocked, SIGBUS);
    sigdelset(&blocked, SIGFPE);
    sigdelset(&blocked, SIGILL);
    sigdelset(&blocked, SIGABRT);
    pthread_sigmask(SIG_SETMASK, &blocked, &old);
    int err = pthread_create(&thread->handle, NULL, thread_start, thread);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (err) {
        free(thread);
        return NULL;
    }
    return thread;
}

void host_thread_join(host_thread_t *thread)
{
    if (thread) {
        pthread_join(thread->handle, NULL);
        free(thread);
    }
}

bool host_thread_is_self(const host_thread_t *thread)
{
    return thread && pthread_equal(thread->handle, pthread_self());
}

void host_thread_yield(void)
{
    sched_yield();
}

host_mutex_t *host_mutex_create(void)
{
    host_mutex_t *mutex = calloc(1, sizeof(*mutex));
    if (mutex && pthread_mutex_init(&mutex->handle, NULL)) {
        free(mutex);
        return NULL;
    }
    return mutex;
}

void host_mutex_free(host_mutex_t *mutex)
{
    if (mutex) {
        pthread_mutex_destroy(&mutex->handle);
        free(mutex);
    }
}

void host_mutex_lock(host_mutex_t *mutex)
{
    pthread_mutex_lock(&mutex->handle);
}

void host_mutex_unlock(host_mutex_t *mutex)
{
    pthread_mutex_unlock(&mutex->handle);
}

static bool event_init_cond(host_event_t *event)
{
#if defined(__APPLE__)
    event->wall_clock = true;
    return pthread_cond_init(&event->cond, NULL) == 0;
#else
    pthread_condattr_t attr;
    if (pthread_condattr_init(&attr)) {
        return false;
    }
    bool ok = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0 &&
              pthread_cond_init(&event->cond, &attr) == 0;
    pthread_condattr_destroy(&attr);
    return ok;
#endif
}

host_event_t *host_event_create(void)
{
    host_event_t *event = calloc(1, sizeof(*event));
    if (!event) {
        return NULL;
    }
    if (pthread_mutex_init(&event->lock, NULL)) {
        free(event);
        return NULL;
    }
    if (!event_init_cond(event)) {
        pthread_mutex_destroy(&event->lock);
        free(event);
        return NULL;
    }
    return event;
}

void host_event_free(host_event_t *event)
{
    if (event) {
        pthread_cond_destroy(&event->cond);
        pthread_mutex_destroy(&event->lock);
        free(event);
    }
}

/*
 * The setter stores `set` and then looks at `waiting`; the waiter stores `waiting` and then looks
 * at `set`, in one total order: one of them sees the other.
 */
void host_event_set(host_event_t *event)
{
    __atomic_store_n(&event->set, 1, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&event->waiting, __ATOMIC_SEQ_CST)) {
        /* Once the lock is free the waiter sleeps. It is woken without it, which it would have to wait for. */
        pthread_mutex_lock(&event->lock);
        pthread_mutex_unlock(&event->lock);
        pthread_cond_broadcast(&event->cond);
    }
}

void host_event_clear(host_event_t *event)
{
    __atomic_store_n(&event->set, 0, __ATOMIC_SEQ_CST);
}

/* The host's time timeout_ns from now; limited to an hour, after which the waiter looks again. */
static struct timespec event_deadline(const host_event_t *event, uint64_t timeout_ns)
{
    const uint64_t hour = UINT64_C(3600000000000);
    struct timespec ts;
    clock_gettime(event->wall_clock ? CLOCK_REALTIME : CLOCK_MONOTONIC, &ts);
    uint64_t ns = (timeout_ns < hour ? timeout_ns : hour) + (uint64_t)ts.tv_nsec;
    ts.tv_sec += (time_t)(ns / 1000000000);
    ts.tv_nsec = (long)(ns % 1000000000);
    return ts;
}

void host_event_wait(host_event_t *event, uint64_t timeout_ns)
{
    pthread_mutex_lock(&event->lock);
    __atomic_store_n(&event->waiting, 1, __ATOMIC_SEQ_CST);
    struct timespec deadline;
    if (timeout_ns != HOST_FOREVER) {
        deadline = event_deadline(event, timeout_ns);
    }
    while (!__atomic_load_n(&event->set, __ATOMIC_SEQ_CST)) {
        if (timeout_ns == HOST_FOREVER) {
            pthread_cond_wait(&event->cond, &event->lock);
        } else if (pthread_cond_timedwait(&event->cond, &event->lock, &deadline)) {
            break;
        }
    }
    __atomic_store_n(&event->waiting, 0, __ATOMIC_SEQ_CST);
    __atomic_store_n(&event->set, 0, __ATOMIC_SEQ_CST);
    pthread_mutex_unlock(&event->lock);
}

host_mutex_t *host_process_mutex(void)
{
    static host_mutex_t mutex = {PTHREAD_MUTEX_INITIALIZER};
    return &mutex;
}

static host_event_t process_event = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void process_event_init(void)
{
    event_init_cond(&process_event);
}

host_event_t *host_process_event(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, process_event_init);
    return &process_event;
}

#endif

/* A holder of a spinlock may have lost its processor: give way soon, and sleep when it takes long.
 */
void spin_lock_wait(spinlock_t *lock)
{
    for (unsigned tries = 0; !spin_try_lock(lock); tries++) {
        if (tries > 1000) {
            host_sleep_ns(50000);
        } else if (tries > 50) {
            host_thread_yield();
        }
    }
}
