/* SPDX-License-Identifier: MPL-2.0 */
/* What the machine reads of device tree nodes beyond <rvvm/rvvm_fdt.h>. */
#ifndef RVKIT_FDT_H
#define RVKIT_FDT_H

#include <rvvm/rvvm_fdt.h>

/* The full name, name@addr; "" for a root. Valid as long as the node. */
const char *fdt_node_name(const rvvm_fdt_node_t *node);

/* The child after `child` (NULL: the first), or NULL. */
rvvm_fdt_node_t *fdt_node_next(rvvm_fdt_node_t *node, rvvm_fdt_node_t *child);

#endif
