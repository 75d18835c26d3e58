/* SPDX-License-Identifier: MPL-2.0 */
#include "cmdline.h"

/* The UART's is RVVM's default. The last console is the one that the shell gets. */
void cmdline_set_usual(rvvm_machine_t *machine, const cmdline_t *what)
{
    rvvm_set_cmdline(machine, what->screen ? "console=tty0" : "");
    rvvm_append_cmdline(machine, what->on_hvc ? "console=hvc0" : "console=ttyS");
    if (what->root) {
        rvvm_append_cmdline(machine, what->root);
    }
}
