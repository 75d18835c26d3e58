/* SPDX-License-Identifier: MPL-2.0 */
/* The board's entropy device: virtio-rng with the host's random bytes behind it. */
#ifndef RVKIT_ENTROPY_H
#define RVKIT_ENTROPY_H

#include <rvvm/rvvm.h>

/* repeatable: the same bytes in every run, for -icount. False: told in the log. */
bool entropy_attach(rvvm_machine_t *machine, bool repeatable);

#endif
