/* SPDX-License-Identifier: MPL-2.0 */
#include "worker.h"

#include "thread.h"

#include <stdlib.h>

#if defined(__EMSCRIPTEN__) && !defined(__EMSCRIPTEN_PTHREADS__)

struct host_worker {
    char unused;
};

host_worker_t *host_worker_create(unsigned threads)
{
    (void)threads;
    return calloc(1, sizeof(host_worker_t));
}

void host_worker_free(host_worker_t *worker)
{
    free(worker);
}

void host_worker_submit(host_worker_t *worker, host_job_t *job)
{
    (void)worker;
    job->run(job);
}

void host_worker_drain(host_worker_t *worker)
{
    (void)worker;
}

#else

#include <pthread.h>
#include <signal.h>

#define WORKER_MAX 16

struct host_worker {
    pthread_mutex_t lock;
    pthread_cond_t work; /* there is a job, or the end has come */
    pthread_cond_t idle; /* nothing waits or runs */
    host_job_t *first, **last;
    unsigned waiting; /* jobs in the list */
    unsigned running;
    unsigned sleeping; /* threads that wait for work */
    unsigned limit, threads;
    bool end;
    host_thread_t *thread[WORKER_MAX];
};

static void worker_block_signals(void)
{
    sigset_t all;
    sigfillset(&all);
    sigdelset(&all, SIGSEGV);
    sigdelset(&all, SIGBUS);
    sigdelset(&all, SIGFPE);
    sigdelset(&all, SIGILL);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
}

/* Takes the first job; the lock is held. */
static host_job_t *worker_take(host_worker_t *worker)
{
    host_job_t *job = worker->first;
    if (job) {
        worker->first = job->next;
        worker->last = worker->first ? worker->last : &worker->first;
        worker->waiting--;
        worker->running++;
    }
    return job;
}

/* Does a job without the lock, which is held before and after. */
static void worker_do(host_worker_t *worker, host_job_t *job)
{
    pthread_mutex_unlock(&worker->lock);
    job->run(job);
    pthread_mutex_lock(&worker->lock);
    if (--worker->running == 0 && !worker->first) {
        pthread_cond_broadcast(&worker->idle);
    }
}

static void worker_body(void *arg)
{
    host_worker_t *worker = arg;
    worker_block_signals();
    pthread_mutex_lock(&worker->lock);
    for (;;) {
        host_job_t *job = worker_take(worker);
        if (job) {
            worker_do(worker, job);
        } else if (worker->end) {
            break;
        } else {
            worker->sleeping++;
            pthread_cond_wait(&worker->work, &worker->lock);
            worker->sleeping--;
        }
    }
    pthread_mutex_unlock(&worker->lock);
}

host_worker_t *host_worker_create(unsigned threads)
{
    host_worker_t *worker = calloc(1, sizeof(*worker));
    if (!worker) {
        return NULL;
    }
    worker->last = &worker->first;
    worker->limit = threads < WORKER_MAX ? threads : WORKER_MAX;
    pthread_mutex_init(&worker->lock, NULL);
    pthread_cond_init(&worker->work, NULL);
    pthread_cond_init(&worker->idle, NULL);
    return worker;
}

void host_worker_free(host_worker_t *worker)
{
    if (!worker) {
        return;
    }
    pthread_mutex_lock(&worker->lock);
    worker->end = true;
    pthread_cond_broadcast(&worker->work);
    pthread_mutex_unlock(&worker->lock);
    for (unsigned i = 0; i < worker->threads; i++) {
        host_thread_join(worker->thread[i]);
    }
    pthread_cond_destroy(&worker->work);
    pthread_cond_destroy(&worker->idle);
    pthread_mutex_destroy(&worker->lock);
    free(worker);
}

/* One more thread when all are busy; the lock is held. */
static void worker_grow(host_worker_t *worker)
{
    if (worker->sleeping < worker->waiting && worker->threads < worker->limit) {
        host_thread_t *thread = host_thread_create(worker_body, worker);
        if (thread) {
            worker->thread[worker->threads++] = thread;
        } else {
            worker->limit = worker->threads;
        }
    }
}

void host_worker_submit(host_worker_t *worker, host_job_t *job)
{
    pthread_mutex_lock(&worker->lock);
    job->next = NULL;
    *worker->last = job;
    worker->last = &job->next;
    worker->waiting++;
    worker_grow(worker);
    bool wake = worker->sleeping != 0;
    if (!worker->threads) {
        /* Nobody else will. Another caller may be here too, and take this one's job. */
        job = worker_take(worker);
        if (job) {
            worker_do(worker, job);
        }
    }
    pthread_mutex_unlock(&worker->lock);
    if (wake) {
        pthread_cond_signal(&worker->work); /* without the lock, which who wakes up needs */
    }
}

void host_worker_drain(host_worker_t *worker)
{
    pthread_mutex_lock(&worker->lock);
    while (worker->first || worker->running) {
        pthread_cond_wait(&worker->idle, &worker->lock);
    }
    pthread_mutex_unlock(&worker->lock);
}

#endif
