/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A few threads that do jobs which may block. Where the host has no threads, or with none asked for, a
 * job is done at once by the thread that hands it in.
 */
#ifndef RVKIT_HOST_WORKER_H
#define RVKIT_HOST_WORKER_H

#include <stdbool.h>

typedef struct host_worker host_worker_t;

/* Part of the caller's own structure; free again as soon as run is called, which may free it. */
typedef struct host_job {
    void (*run)(struct host_job *job);
    struct host_job *next;
} host_job_t;

/* At most `threads` threads, made when there is work for them. NULL when there is no memory. */
host_worker_t *host_worker_create(unsigned threads);

/* Does all jobs first. No other thread may hand in jobs any more. */
void host_worker_free(host_worker_t *worker);

/* Any thread, also from within a job. Jobs begin in order and run side by side. Does not block. */
void host_worker_submit(host_worker_t *worker, host_job_t *job);

/* Returns when no job waits or runs. Not from within a job. */
void host_worker_drain(host_worker_t *worker);

#endif
