/* SPDX-License-Identifier: MPL-2.0 */
/* The clocks of the host, in nanoseconds. Any thread. */
#ifndef RVKIT_HOST_CLOCK_H
#define RVKIT_HOST_CLOCK_H

#include <stdint.h>

/* Never goes back; the start is arbitrary. */
uint64_t host_clock_ns(void);

/* Since 1970, UTC. */
uint64_t host_wall_ns(void);

/* Returns after about this time (at once where the host cannot wait). */
void host_sleep_ns(uint64_t ns);

#endif
