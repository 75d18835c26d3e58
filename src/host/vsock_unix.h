/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The guest's sockets (vsock) as Unix sockets of the host, in the way of Firecracker and Cloud
 * Hypervisor:
 *   - a guest that connects to port P of the host reaches whoever listens on the Unix socket
 * PATH_P;
 *   - a program that connects to PATH and sends "CONNECT P\n" reaches port P of the guest: it reads
 *     "OK N\n" when the guest has accepted (N is the port that the guest sees), or the end.
 */
#ifndef RVKIT_HOST_VSOCK_UNIX_H
#define RVKIT_HOST_VSOCK_UNIX_H

#include "../devices/vsock_host.h"

/*
 * Listens at path, and fills host in; host->free() ends it and removes the path. False: error
 * (error_size bytes) says why.
 */
bool host_vsock_open(vsock_host_t *host, const char *path, char *error, size_t error_size);

#endif
