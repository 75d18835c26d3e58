/* SPDX-License-Identifier: MPL-2.0 */
/* The time of day under the name that device sources for RVVM use. */
#ifndef RVVM_ABI7_RVTIMER_H
#define RVVM_ABI7_RVTIMER_H

#include <rvvm/compat.h>

#include <time.h>

/* Seconds since 1970, UTC. */
static inline uint64_t rvtimer_unixtime(void)
{
    return (uint64_t)time(NULL);
}

#endif
