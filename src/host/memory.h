/* SPDX-License-Identifier: MPL-2.0 */
/* Guest RAM and random bytes from the host. Any thread. */
#ifndef RVKIT_HOST_MEMORY_H
#define RVKIT_HOST_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

/* Zeroed, page aligned memory that costs nothing until it is touched; NULL on failure. */
void *host_pages_alloc(size_t size);

/* size as given to host_pages_alloc(). */
void host_pages_free(void *pages, size_t size);

/*
 * Gives the pages that lie wholly inside [data, data + size) of such memory back to the host; they are zeros
 * when they are touched again. False: the host takes nothing back, and the bytes stay.
 */
bool host_pages_release(void *data, size_t size);

/* Fills with unpredictable bytes, as good as the host has. */
void host_random(void *data, size_t size);

#endif
