/* SPDX-License-Identifier: MPL-2.0 */
/* The kernel's command line when nobody gives one. */
#ifndef RVKIT_FRONTENDS_CMDLINE_H
#define RVKIT_FRONTENDS_CMDLINE_H

#include <rvvm/rvvm.h>

typedef struct {
    bool on_hvc;      /* the first console is a virtio-console, no UART */
    bool screen;      /* there is one, and it is where messages go first */
    const char *root; /* what is said of the root file system; NULL: nothing */
} cmdline_t;

void cmdline_set_usual(rvvm_machine_t *machine, const cmdline_t *what);

#endif
