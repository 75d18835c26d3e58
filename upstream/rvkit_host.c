/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What rvkit's host files ask for, by RVVM's means: threads, locks, events and workers (src/host/thread.h, worker.h),
 * and plain disks over RVVM's block images (disk_raw_open() of src/host/disk_file.h). This file is only compiled inside
 * an RVVM checkout; docs/upstream.md.
 */
#define COMPAT_HOST
#include "rvvm_compat.h"

#include "clock.h"
#include "disk_file.h"
#include "server.h"
#include "socket.h"
#include "thread.h"
#include "vsock_unix.h"
#include "worker.h"

#ifdef _WIN32
#include "rvtimer.h"
#endif

#include <errno.h>

/* --- Threads, locks and events --- */

struct host_thread {
    thread_ctx_t *handle;
    void (*body)(void *arg);
    void *arg;
};

struct host_mutex {
    spinlock_t lock; /* its waiters sleep */
};

struct host_event {
    cond_var_t *cond;
};

static void *thread_main(void *arg)
{
    host_thread_t *thread = arg;
    thread->body(thread->arg);
    return NULL;
}

bool host_threads_available(void)
{
    return true;
}

host_thread_t *host_thread_create(void (*body)(void *arg), void *arg)
{
    host_thread_t *thread = calloc(1, sizeof(*thread));
    if (thread) {
        *thread = (host_thread_t){.body = body, .arg = arg};
        thread->handle = thread_create(thread_main, thread);
        if (!thread->handle) {
            free(thread);
            thread = NULL;
        }
    }
    return thread;
}

void host_thread_join(host_thread_t *thread)
{
    if (thread) {
        thread_join(thread->handle);
        free(thread);
    }
}

void host_thread_yield(void)
{
    host_sleep_ns(1);
}

host_mutex_t *host_mutex_create(void)
{
    host_mutex_t *mutex = calloc(1, sizeof(*mutex));
    if (mutex) {
        spin_init(&mutex->lock);
    }
    return mutex;
}

void host_mutex_free(host_mutex_t *mutex)
{
    free(mutex);
}

void host_mutex_lock(host_mutex_t *mutex)
{
    spin_lock_slow(&mutex->lock);
}

void host_mutex_unlock(host_mutex_t *mutex)
{
    spin_unlock(&mutex->lock);
}

host_event_t *host_event_create(void)
{
    host_event_t *event = calloc(1, sizeof(*event));
    if (event) {
        event->cond = condvar_create();
    }
    return event;
}

void host_event_free(host_event_t *event)
{
    if (event) {
        condvar_free(event->cond);
        free(event);
    }
}

void host_event_set(host_event_t *event)
{
    condvar_wake(event->cond);
}

void host_event_clear(host_event_t *event)
{
    condvar_wait_ns(event->cond, 0);
}

void host_event_wait(host_event_t *event, uint64_t timeout_ns)
{
    condvar_wait_ns(event->cond, timeout_ns);
}

/* --- Workers. All threads are there from the start: later RVVM's isolation may forbid them --- */

enum { WORKER_MAX = 4 };

struct host_worker {
    spinlock_t lock; /* guards the list, running and end */
    host_job_t *first, **last;
    unsigned running, threads;
    bool end;
    host_event_t *work, *idle;
    host_thread_t *thread[WORKER_MAX];
};

/* NULL: there is nothing to do, and *end tells whether there ever will be. */
static host_job_t *worker_take(host_worker_t *worker, bool *end)
{
    spin_lock(&worker->lock);
    host_job_t *job = worker->first;
    if (job) {
        worker->first = job->next;
        worker->last = worker->first ? worker->last : &worker->first;
        worker->running++;
    }
    bool more = worker->first || worker->end;
    *end = worker->end;
    spin_unlock(&worker->lock);
    if (more) {
        host_event_set(worker->work);
    }
    return job;
}

static void worker_body(void *arg)
{
    host_worker_t *worker = arg;
    bool end = false;
    for (;;) {
        host_job_t *job = worker_take(worker, &end);
        if (job) {
            job->run(job);
            spin_lock(&worker->lock);
            bool idle = !--worker->running && !worker->first;
            spin_unlock(&worker->lock);
            if (idle) {
                host_event_set(worker->idle);
            }
        } else if (end) {
            return;
        } else {
            host_event_wait(worker->work, HOST_FOREVER);
        }
    }
}

host_worker_t *host_worker_create(unsigned threads)
{
    host_worker_t *worker = calloc(1, sizeof(*worker));
    if (!worker) {
        return NULL;
    }
    worker->last = &worker->first;
    worker->work = host_event_create();
    worker->idle = host_event_create();
    spin_init(&worker->lock);
    bool ok = worker->work && worker->idle;
    while (ok && worker->threads < threads && worker->threads < WORKER_MAX) {
        host_thread_t *thread = host_thread_create(worker_body, worker);
        worker->thread[worker->threads] = thread;
        ok = thread != NULL;
        worker->threads += ok;
    }
    if (!ok) {
        host_worker_free(worker);
        return NULL;
    }
    return worker;
}

void host_worker_free(host_worker_t *worker)
{
    if (!worker) {
        return;
    }
    spin_lock(&worker->lock);
    worker->end = true;
    spin_unlock(&worker->lock);
    for (unsigned i = 0; i < worker->threads; i++) {
        host_event_set(worker->work);
        host_thread_join(worker->thread[i]);
    }
    host_event_free(worker->work);
    host_event_free(worker->idle);
    free(worker);
}

void host_worker_submit(host_worker_t *worker, host_job_t *job)
{
    if (!worker->threads) {
        job->run(job);
        return;
    }
    job->next = NULL;
    spin_lock(&worker->lock);
    *worker->last = job;
    worker->last = &job->next;
    spin_unlock(&worker->lock);
    host_event_set(worker->work);
}

void host_worker_drain(host_worker_t *worker)
{
    for (;;) {
        spin_lock(&worker->lock);
        bool idle = !worker->running && !worker->first;
        spin_unlock(&worker->lock);
        if (idle) {
            return;
        }
        host_event_wait(worker->idle, 1000000);
    }
}

/* --- Disks: RVVM's block images. Errors have no number there: EIO --- */

enum { IMAGE_ZEROS = 1 << 16 };

typedef struct {
    disk_t disk;
    compat_blk_t *blk;
    uint8_t zeros[IMAGE_ZEROS];
} image_t;

static int image_read(disk_t *disk, uint64_t offset, const disk_span_t *spans, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (compat_blk_read(((image_t *)disk)->blk, spans[i].ptr, spans[i].len, offset) != spans[i].len) {
            return EIO;
        }
        offset += spans[i].len;
    }
    return 0;
}

static int image_write(disk_t *disk, uint64_t offset, const disk_span_t *spans, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (compat_blk_write(((image_t *)disk)->blk, spans[i].ptr, spans[i].len, offset) != spans[i].len) {
            return EIO;
        }
        offset += spans[i].len;
    }
    return 0;
}

static int image_flush(disk_t *disk)
{
    return compat_blk_sync(((image_t *)disk)->blk) ? 0 : EIO;
}

static int image_discard(disk_t *disk, uint64_t offset, uint64_t len)
{
    compat_blk_trim(((image_t *)disk)->blk, offset, len);
    return 0;
}

/* A trimmed range need not read as zeros, so they are written. */
static int image_zero(disk_t *disk, uint64_t offset, uint64_t len, bool unmap)
{
    image_t *image = (image_t *)disk;
    int err = 0;
    (void)unmap;
    while (len && !err) {
        const disk_span_t span = {image->zeros, len < IMAGE_ZEROS ? (size_t)len : IMAGE_ZEROS};
        err = image_write(disk, offset, &span, 1);
        offset += span.len;
        len -= span.len;
    }
    return err;
}

static int image_close(disk_t *disk)
{
    compat_blk_close(((image_t *)disk)->blk);
    free(disk);
    return 0;
}

static const disk_ops_t image_ops = {
    .read = image_read,
    .write = image_write,
    .flush = image_flush,
    .discard = image_discard,
    .zero = image_zero,
    .close = image_close,
};

disk_t *disk_raw_open(const char *path, bool read_only, char *error, size_t error_size)
{
    image_t *image = calloc(1, sizeof(*image));
    compat_blk_t *blk = image ? compat_blk_open(path, !read_only) : NULL;
    if (!blk) {
        snprintf(error, error_size, "%s: %s", path, image ? "cannot be opened" : "out of memory");
        free(image);
        return NULL;
    }
    image->blk = blk;
    image->disk = (disk_t){
        .ops = &image_ops,
        .size = compat_blk_size(blk) & ~(uint64_t)(DISK_SECTOR - 1),
        .read_only = read_only,
        .block = 4096,
    };
    return &image->disk;
}

/* --- Hosts that are not Unix: the files that would do it are empty there --- */

#ifdef _WIN32
uint64_t host_clock_ns(void)
{
    return rvtimer_clocksource(1000000000);
}

void host_sleep_ns(uint64_t ns)
{
    sleep_ms((uint32_t)((ns + 999999) / 1000000));
}

disk_t *disk_cow_open(const char *base, const char *overlay, char *error, size_t error_size)
{
    (void)base;
    snprintf(error, error_size, "%s: this host has no overlays", overlay);
    return NULL;
}

bool host_vsock_open(vsock_host_t *host, const char *path, char *error, size_t error_size)
{
    (void)host;
    (void)path;
    snprintf(error, error_size, "this host has no Unix sockets");
    return false;
}

int host_socket_listen_unix(const char *path, char *error, size_t error_size)
{
    snprintf(error, error_size, "%s: this host has no Unix sockets", path);
    return -1;
}

int host_socket_listen_tcp(const char *where, char *error, size_t error_size)
{
    snprintf(error, error_size, "%s: consoles have no sockets on this host", where);
    return -1;
}

console_server_t *console_serve(console_t *console, int listener, const char *path)
{
    (void)console;
    (void)listener;
    (void)path;
    return NULL;
}

void console_unserve(console_server_t *server)
{
    (void)server;
}
#endif
