/* SPDX-License-Identifier: MPL-2.0 */
/* The worker pool: every job is done once, beside others, and draining and freeing wait for them. */
#include "host/clock.h"
#include "host/thread.h"
#include "host/worker.h"
#include "tap.h"

enum { JOBS = 500 };

typedef struct {
    host_job_t job;
    host_worker_t *again; /* hand the job in once more */
    uint64_t sleep_ns;
    unsigned runs; /* atomic */
} task_t;

static unsigned running, most; /* atomic */
static task_t task[JOBS];

static void task_run(host_job_t *job)
{
    task_t *t = (task_t *)job;
    unsigned now = __atomic_add_fetch(&running, 1, __ATOMIC_SEQ_CST);
    unsigned seen = __atomic_load_n(&most, __ATOMIC_SEQ_CST);
    while (now > seen && !__atomic_compare_exchange_n(&most, &seen, now, false, __ATOMIC_SEQ_CST,
                                                      __ATOMIC_SEQ_CST)) {
    }
    if (t->sleep_ns) {
        host_sleep_ns(t->sleep_ns);
    }
    host_worker_t *again = t->again;
    t->again = NULL;
    __atomic_fetch_add(&t->runs, 1, __ATOMIC_SEQ_CST);
    __atomic_fetch_sub(&running, 1, __ATOMIC_SEQ_CST);
    if (again) {
        host_worker_submit(again, job);
    }
}

static void submit(host_worker_t *worker, unsigned count, uint64_t sleep_ns, bool again)
{
    memset(task, 0, sizeof(task));
    running = most = 0;
    for (unsigned i = 0; i < count; i++) {
        task[i].job.run = task_run;
        task[i].sleep_ns = sleep_ns;
        task[i].again = again ? worker : NULL;
        host_worker_submit(worker, &task[i].job);
    }
}

static bool all_ran(unsigned count, unsigned times)
{
    for (unsigned i = 0; i < count; i++) {
        if (__atomic_load_n(&task[i].runs, __ATOMIC_SEQ_CST) != times) {
            return false;
        }
    }
    return true;
}

TEST(without_threads_at_once)
{
    host_worker_t *worker = host_worker_create(0);
    for (unsigned i = 0; i < 3; i++) {
        submit(worker, 1, 0, false);
        CHECK_EQ(1, task[0].runs);
    }
    submit(worker, 1, 0, true);
    CHECK_EQ(2, task[0].runs);
    host_worker_drain(worker);
    host_worker_free(worker);
    host_worker_free(NULL);
}

TEST(drain_waits)
{
    host_worker_t *worker = host_worker_create(3);
    host_worker_drain(worker);
    submit(worker, JOBS, 10000, false);
    host_worker_drain(worker);
    CHECK(all_ran(JOBS, 1));
    submit(worker, JOBS, 0, true);
    host_worker_drain(worker);
    CHECK(all_ran(JOBS, 2));
    host_worker_free(worker);
}

TEST(side_by_side)
{
    host_worker_t *worker = host_worker_create(3);
    submit(worker, 12, 20000000, false);
    host_worker_drain(worker);
    CHECK(all_ran(12, 1));
    CHECK_EQ(host_threads_available() ? 3 : 1, most);
    host_worker_free(worker);
}

TEST(submit_does_not_wait)
{
    host_worker_t *worker = host_worker_create(1);
    uint64_t start = host_clock_ns();
    submit(worker, 4, 100000000, false);
    if (host_threads_available()) {
        CHECK(host_clock_ns() - start < 300000000);
    }
    host_worker_free(worker); /* does what is left */
    CHECK(all_ran(4, 1));
}

int main(void)
{
    RUN(without_threads_at_once);
    RUN(drain_waits);
    RUN(side_by_side);
    RUN(submit_does_not_wait);
    return tap_finish();
}
