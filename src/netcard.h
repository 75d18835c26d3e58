/* SPDX-License-Identifier: MPL-2.0 */
/* Puts a network of the host (src/host/net.h) behind a virtio-net card. */
#ifndef RVKIT_NETCARD_H
#define RVKIT_NETCARD_H

#include "host/net.h"

#include <rvvm/rvvm.h>

/*
 * Attaches a card with this address (all zeros: its default). The network is taken over, also when this
 * fails; then a line is in the log. Its thread runs from here on.
 */
bool netcard_attach(rvvm_machine_t *machine, host_net_t *net, const uint8_t mac[6]);

#endif
