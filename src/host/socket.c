/* SPDX-License-Identifier: MPL-2.0 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* more than C11, also with -std=c11 */
#endif
#include "socket.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define SOCKET_BACKLOG 16

/* Takes a fresh descriptor over; -1 when it cannot be prepared. */
static int socket_prepare(int fd)
{
    if (fd >= 0 && (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 || fcntl(fd, F_SETFL, O_NONBLOCK) < 0)) {
        close(fd);
        return -1;
    }
    return fd;
}

size_t host_socket_path_max(void)
{
    return sizeof(((struct sockaddr_un *)0)->sun_path) - 1;
}

static bool socket_address(struct sockaddr_un *addr, const char *path)
{
    size_t len = strlen(path);
    memset(addr, 0, sizeof(*addr));
    addr->sun_family = AF_UNIX;
    if (!len || len > host_socket_path_max()) {
        return false;
    }
    memcpy(addr->sun_path, path, len);
    return true;
}

int host_socket_connect_unix(const char *path)
{
    struct sockaddr_un addr;
    int fd = socket_address(&addr, path) ? socket_prepare(socket(AF_UNIX, SOCK_STREAM, 0)) : -1;
    if (fd >= 0 && connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

/* A socket that a dead program left behind is in the way; anything else is someone's. */
static void socket_remove_stale(const char *path)
{
    struct stat st;
    if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode)) {
        int fd = host_socket_connect_unix(path);
        if (fd >= 0) {
            close(fd);
        } else if (errno == ECONNREFUSED) {
            unlink(path);
        }
    }
}

int host_socket_listen_unix(const char *path, char *error, size_t error_size)
{
    struct sockaddr_un addr;
    if (!socket_address(&addr, path)) {
        snprintf(error, error_size, "a socket's path has 1 to %zu bytes", host_socket_path_max());
        return -1;
    }
    socket_remove_stale(path);
    int fd = socket_prepare(socket(AF_UNIX, SOCK_STREAM, 0));
    if (fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 ||
        listen(fd, SOCKET_BACKLOG) < 0) {
        snprintf(error, error_size, "cannot listen there: %s", strerror(errno));
        if (fd >= 0) {
            close(fd);
        }
        return -1;
    }
    return fd;
}

/* "HOST:PORT" or "[HOST]:PORT" apart; false when it is neither. */
static bool socket_split(const char *where, char *host, size_t host_size, const char **port)
{
    const char *colon = strrchr(where, ':');
    const char *from = where, *to = colon;
    if (!colon || !colon[1] || strspn(colon + 1, "0123456789") != strlen(colon + 1)) {
        return false;
    }
    if (*from == '[' && to > from && to[-1] == ']') {
        from++;
        to--;
    }
    if ((size_t)(to - from) >= host_size) {
        return false;
    }
    memcpy(host, from, (size_t)(to - from));
    host[to - from] = 0;
    *port = colon + 1;
    return true;
}

static bool socket_listen(int fd, const struct addrinfo *a)
{
    int on = 1;
    return setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
           bind(fd, a->ai_addr, a->ai_addrlen) == 0 && listen(fd, SOCKET_BACKLOG) == 0;
}

/* The descriptor is blocking until it is connected. */
static bool socket_connect(int fd, const struct addrinfo *a)
{
    int flags = fcntl(fd, F_GETFL);
    return fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) == 0 &&
           connect(fd, a->ai_addr, a->ai_addrlen) == 0 && fcntl(fd, F_SETFL, flags) == 0;
}

/* A socket for "HOST:PORT" that begin() succeeds with; -1: error says why. */
static int socket_open_tcp(const char *where, bool (*begin)(int fd, const struct addrinfo *a),
                           const char *failure, char *error, size_t error_size)
{
    char host[256];
    const char *port;
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    if (!socket_split(where, host, sizeof(host), &port)) {
        snprintf(error, error_size, "it is not HOST:PORT");
        return -1;
    }
    int err = getaddrinfo(host[0] ? host : NULL, port, &hints, &found);
    if (err) {
        snprintf(error, error_size, "%s", gai_strerror(err));
        return -1;
    }
    int fd = -1;
    for (const struct addrinfo *a = found; a && fd < 0; a = a->ai_next) {
        fd = socket_prepare(socket(a->ai_family, a->ai_socktype, a->ai_protocol));
        if (fd >= 0 && !begin(fd, a)) {
            err = errno;
            close(fd);
            fd = -1;
        }
    }
    freeaddrinfo(found);
    if (fd < 0) {
        snprintf(error, error_size, "%s: %s", failure, strerror(err));
    }
    return fd;
}

int host_socket_listen_tcp(const char *where, char *error, size_t error_size)
{
    return socket_open_tcp(where, socket_listen, "cannot listen there", error, error_size);
}

int host_socket_connect_tcp(const char *where, char *error, size_t error_size)
{
    return socket_open_tcp(where, socket_connect, "cannot connect", error, error_size);
}

int host_socket_accept(int fd)
{
    int on = 1, client = socket_prepare(accept(fd, NULL, NULL));
    if (client >= 0) {
        setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)); /* refused by Unix sockets */
    }
    return client;
}
