/* SPDX-License-Identifier: MPL-2.0 */
/* Sockets that wait for programs of the host. Descriptors are non-blocking and not inherited. */
#ifndef RVKIT_HOST_SOCKET_H
#define RVKIT_HOST_SOCKET_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Listens on a Unix socket at path. A socket there that nobody listens on any more is replaced;
 * anything else is left alone. -1: error (error_size bytes) says why. Remove the path when the
 * socket is closed.
 */
int host_socket_listen_unix(const char *path, char *error, size_t error_size);

/* Listens on "HOST:PORT" (IPv6: "[HOST]:PORT"); an empty HOST is the loopback. -1 as above. */
int host_socket_listen_tcp(const char *where, char *error, size_t error_size);

/* The next waiting client; -1: none now. */
int host_socket_accept(int fd);

/* A connection to a Unix socket, at once; -1: nobody listens, or it cannot be made. */
int host_socket_connect_unix(const char *path);

/* A connection to "HOST:PORT", as above; waits for it. -1: error says why. */
int host_socket_connect_tcp(const char *where, char *error, size_t error_size);

/* The most bytes of a path, without its end. */
size_t host_socket_path_max(void);

#endif
