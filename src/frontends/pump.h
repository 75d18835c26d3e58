/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Work that any thread may ask for and one at a time does: who asks while it is being done, from
 * within it or from elsewhere, makes the one who does it go round once more.
 */
#ifndef RVKIT_FRONTENDS_PUMP_H
#define RVKIT_FRONTENDS_PUMP_H

#include <stdbool.h>
#include <stdint.h>

/* All zeros is one at rest. */
typedef struct {
    uint32_t asked; /* atomic: rounds that were asked for and are not done */
} pump_t;

/* Calls move(opaque) until it returns false (nothing more can be done now), unless another thread
 * does so. */
static inline void pump_run(pump_t *pump, bool (*move)(void *opaque), void *opaque)
{
    uint32_t asked = __atomic_fetch_add(&pump->asked, 1, __ATOMIC_ACQ_REL);
    if (asked) {
        return;
    }
    do {
        asked = __atomic_load_n(&pump->asked, __ATOMIC_ACQUIRE);
        while (move(opaque)) {
        }
    } while (__atomic_sub_fetch(&pump->asked, asked, __ATOMIC_ACQ_REL));
}

#endif
