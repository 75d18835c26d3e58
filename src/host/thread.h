/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Threads, mutexes and events of the host. Where the host has none (a browser without worker threads),
 * host_threads_available() is false, creating a thread fails, locks do nothing and waits return at once.
 */
#ifndef RVKIT_HOST_THREAD_H
#define RVKIT_HOST_THREAD_H

#include <stdbool.h>
#include <stdint.h>

typedef struct host_thread host_thread_t;
typedef struct host_mutex host_mutex_t;
typedef struct host_event host_event_t;

/* For waits that have no time limit. */
#define HOST_FOREVER UINT64_MAX

bool host_threads_available(void);

/* NULL on failure. Each thread is joined once, which frees it. */
host_thread_t *host_thread_create(void (*body)(void *arg), void *arg);
void host_thread_join(host_thread_t *thread);

/* True when the calling thread is this one. NULL is no thread. */
bool host_thread_is_self(const host_thread_t *thread);

/* Lets other threads run. */
void host_thread_yield(void);

/* Not recursive. NULL when there is no memory. */
host_mutex_t *host_mutex_create(void);
void host_mutex_free(host_mutex_t *mutex);
void host_mutex_lock(host_mutex_t *mutex);
void host_mutex_unlock(host_mutex_t *mutex);

/*
 * A flag that one thread at a time can wait for. Setting it costs little when nobody waits. Freed when no thread
 * can still be in a call for it: that a wait has ended does not mean that the setter is out of its call.
 */
host_event_t *host_event_create(void);
void host_event_free(host_event_t *event);
void host_event_set(host_event_t *event);
void host_event_clear(host_event_t *event);

/* Returns when the flag is set, or timeout_ns later; clears the flag. */
void host_event_wait(host_event_t *event, uint64_t timeout_ns);

/* The one mutex and the one event of the process, for src/eventloop.c. Never freed. */
host_mutex_t *host_process_mutex(void);
host_event_t *host_process_event(void);

#endif
