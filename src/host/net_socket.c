/* SPDX-License-Identifier: MPL-2.0 */
/* Frames over a Unix stream socket: each with its length before it. */
#include "net_impl.h"

#ifndef __EMSCRIPTEN__

#include <rvvm/compat.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0
#endif

enum {
    LENGTH_SIZE = 4,
    BUFFER_SIZE = 4 * (LENGTH_SIZE + HOST_NET_FRAME_MAX),
};

typedef struct {
    net_port_t port;
    int listener; /* -1: this side connected */
    char *path;
    size_t in_size, out_at, out_size; /* bytes in the buffers; of `out`, those before out_at are gone */
    uint8_t in[BUFFER_SIZE], out[LENGTH_SIZE + HOST_NET_FRAME_MAX];
} net_socket_t;

static void socket_link(net_socket_t *sock, bool up)
{
    sock->port.net.guest.set_link(sock->port.net.guest.opaque, up);
}

/* The peer is gone: wait for the next one, or for nothing. */
static void socket_lost(net_socket_t *sock, const char *why)
{
    close(sock->port.fd);
    sock->port.fd = sock->listener;
    sock->port.want_write = sock->port.pending = false;
    sock->in_size = sock->out_at = sock->out_size = 0;
    rvvm_warn("%s: %s; the guest's cable is unplugged", sock->path, why);
    socket_link(sock, false);
}

static bool socket_connected(const net_socket_t *sock)
{
    return sock->port.fd >= 0 && sock->port.fd != sock->listener;
}

/* Sends what is left of the last frame. True: nothing is. */
static bool socket_drain(net_socket_t *sock)
{
    while (sock->out_at < sock->out_size) {
        ssize_t n = send(sock->port.fd, sock->out + sock->out_at, sock->out_size - sock->out_at,
                         MSG_NOSIGNAL);
        if (n < 0 && errno != EINTR) {
            sock->port.want_write = errno == EAGAIN || errno == ENOBUFS;
            if (!sock->port.want_write) {
                socket_lost(sock, strerror(errno));
            }
            return false;
        }
        sock->out_at += n > 0 ? (size_t)n : 0;
    }
    return true;
}

static host_net_sent_t socket_send(host_net_t *net, const uint8_t *hdr, const uint8_t *frame,
                                   size_t size)
{
    net_socket_t *sock = (net_socket_t *)net;
    (void)hdr; /* there are none without HOST_NET_TX_OFFLOAD */
    if (!socket_connected(sock) || size > HOST_NET_FRAME_MAX) {
        return HOST_NET_DROPPED;
    }
    if (!socket_drain(sock)) {
        return socket_connected(sock) ? HOST_NET_BUSY : HOST_NET_DROPPED;
    }
    util_put_be32(sock->out, (uint32_t)size);
    memcpy(sock->out + LENGTH_SIZE, frame, size);
    sock->out_at = 0;
    sock->out_size = LENGTH_SIZE + size;
    socket_drain(sock);
    return HOST_NET_SENT;
}

/* Whole frames go to the guest while it has room; the rest moves to the front. */
static void socket_feed(net_socket_t *sock)
{
    const host_net_guest_t *guest = &sock->port.net.guest;
    size_t at = 0;
    sock->port.pending = false;
    while (sock->in_size - at >= LENGTH_SIZE) {
        size_t size = util_get_be32(sock->in + at);
        if (size > HOST_NET_FRAME_MAX) {
            socket_lost(sock, "the peer does not send frames");
            return;
        }
        if (sock->in_size - at - LENGTH_SIZE < size) {
            break;
        }
        if (!guest->can_receive(guest->opaque)) {
            sock->port.pending = true;
            break;
        }
        guest->feed(guest->opaque, NULL, sock->in + at + LENGTH_SIZE, size);
        at += LENGTH_SIZE + size;
    }
    memmove(sock->in, sock->in + at, sock->in_size - at);
    sock->in_size -= at;
}

static void socket_accept(net_socket_t *sock)
{
    int fd = accept(sock->listener, NULL, NULL);
    if (fd < 0) {
        return;
    }
    if (!net_fd_nonblock(fd)) {
        close(fd);
        return;
    }
    sock->port.fd = fd;
    socket_link(sock, true);
}

static void socket_ready(net_port_t *port, short events)
{
    net_socket_t *sock = (net_socket_t *)port;
    if (!socket_connected(sock)) {
        socket_accept(sock);
        return;
    }
    if ((events & POLLOUT) && !socket_drain(sock) && !socket_connected(sock)) {
        return;
    }
    if (port->pending) {
        socket_feed(sock);
    }
    if (!(events & (POLLIN | POLLHUP | POLLERR)) || port->pending || !socket_connected(sock)) {
        return;
    }
    ssize_t n = recv(port->fd, sock->in + sock->in_size, sizeof(sock->in) - sock->in_size, 0);
    if (n > 0) {
        sock->in_size += (size_t)n;
        socket_feed(sock);
    } else if (n == 0) {
        socket_lost(sock, "the peer has ended");
    } else if (errno != EAGAIN && errno != EINTR) {
        socket_lost(sock, strerror(errno));
    }
}

static void socket_close(host_net_t *net)
{
    net_socket_t *sock = (net_socket_t *)net;
    net_loop_close(&sock->port.loop);
    if (socket_connected(sock)) {
        close(sock->port.fd);
    }
    if (sock->listener >= 0) {
        close(sock->listener);
        unlink(sock->path);
    }
    free(sock->path);
    free(sock);
}

static void socket_name(const host_net_t *net, char *text, size_t text_size)
{
    snprintf(text, text_size, "unix %s", ((const net_socket_t *)net)->path);
}

static const host_net_type_t socket_type = {
    .start = net_port_start,
    .send = socket_send,
    .wake = net_port_wake,
    .close = socket_close,
    .name = socket_name,
};

/* Who listens waits with the cable unplugged. */
static bool socket_start(host_net_t *net)
{
    net_socket_t *sock = (net_socket_t *)net;
    if (sock->listener >= 0) {
        socket_link(sock, false);
    }
    return net_port_start(net);
}

static const host_net_type_t listener_type = {
    .start = socket_start,
    .send = socket_send,
    .wake = net_port_wake,
    .close = socket_close,
    .name = socket_name,
};

/* A socket that an ended process left at the path is taken away, nothing else. */
static bool socket_bind(int fd, const struct sockaddr_un *addr)
{
    struct stat st;
    int probe;
    if (lstat(addr->sun_path, &st) == 0 && S_ISSOCK(st.st_mode) &&
        (probe = socket(AF_UNIX, SOCK_STREAM, 0)) >= 0) {
        if (connect(probe, (const struct sockaddr *)addr, sizeof(*addr)) < 0 && errno == ECONNREFUSED) {
            unlink(addr->sun_path);
        }
        close(probe);
    }
    return bind(fd, (const struct sockaddr *)addr, sizeof(*addr)) == 0 && listen(fd, 1) == 0;
}

host_net_t *host_net_open_unix(const char *path, bool listening, char *error, size_t error_size)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    if (!*path || strlen(path) >= sizeof(addr.sun_path)) {
        return net_fail(error, error_size, "%.60s: too %s for the path of a socket", path,
                        *path ? "long" : "short");
    }
    memcpy(addr.sun_path, path, strlen(path));
    net_socket_t *sock = calloc(1, sizeof(*sock));
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (!sock || fd < 0 || !net_loop_open(&sock->port.loop) || !(sock->path = strdup(path)) ||
        !net_fd_nonblock(fd) ||
        !(listening ? socket_bind(fd, &addr)
                    : connect(fd, (const struct sockaddr *)&addr, sizeof(addr)) == 0)) {
        net_fail(error, error_size, "%s: %s%s", path, strerror(errno),
                 !listening && (errno == ENOENT || errno == ECONNREFUSED)
                     ? "; nobody listens there (,listen makes this side do it)"
                     : "");
        if (sock && sock->path) {
            net_loop_close(&sock->port.loop);
            free(sock->path);
        }
        if (fd >= 0) {
            close(fd);
        }
        free(sock);
        return NULL;
    }
    sock->port.net.type = listening ? &listener_type : &socket_type;
    sock->port.fd = fd;
    sock->port.ready = socket_ready;
    sock->listener = listening ? fd : -1;
    return &sock->port.net;
}

#endif
