/* SPDX-License-Identifier: MPL-2.0 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* more than C11, also with -std=c11 */
#endif
#include "clock.h"

#include <time.h>

static uint64_t clock_read(clockid_t id)
{
    struct timespec ts = {0, 0};
    clock_gettime(id, &ts);
    return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

uint64_t host_clock_ns(void)
{
    return clock_read(CLOCK_MONOTONIC);
}

uint64_t host_wall_ns(void)
{
    return clock_read(CLOCK_REALTIME);
}

void host_sleep_ns(uint64_t ns)
{
#ifdef __EMSCRIPTEN__
    (void)ns;
#else
    struct timespec ts = {(time_t)(ns / 1000000000), (long)(ns % 1000000000)};
    nanosleep(&ts, NULL);
#endif
}
