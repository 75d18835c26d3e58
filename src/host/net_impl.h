/* SPDX-License-Identifier: MPL-2.0 */
/* The inside of networks: for src/host/net*.c. */
#ifndef RVKIT_HOST_NET_IMPL_H
#define RVKIT_HOST_NET_IMPL_H

#include "net.h"
#include "thread.h"

#include "../util.h"

#include <poll.h>

#define HOST_NET_HDR_SIZE 10

/* What a kind of network implements. All but send and close may be NULL. */
typedef struct {
    bool (*start)(host_net_t *net);
    host_net_sent_t (*send)(host_net_t *net, const uint8_t *hdr, const uint8_t *frame, size_t size);
    void (*wake)(host_net_t *net);
    void (*set_offloads)(host_net_t *net, uint64_t features);
    void (*close)(host_net_t *net);
    void (*name)(const host_net_t *net, char *text, size_t text_size);
    bool (*change_forward)(host_net_t *net, const host_net_forward_t *forward, bool add, char *error,
                           size_t error_size);
    bool (*get_forward)(host_net_t *net, size_t index, host_net_forward_t *forward);
} host_net_type_t;

/* The first member of each kind. */
struct host_net {
    const host_net_type_t *type;
    host_net_guest_t guest;
    unsigned caps;
    uint16_t mtu;
};

/* The host's address is not given: all of them. */
bool net_forward_any_host(const host_net_forward_t *forward);

/* Fills error. Returns NULL, for `return net_fail(…)`. */
void *net_fail(char *error, size_t error_size, const char *fmt, ...) PRINTF_LIKE(3, 4);

#ifndef __EMSCRIPTEN__

/* A thread in a loop around poll(), and the way to wake it. */
typedef struct {
    host_thread_t *thread;
    int pipe[2];
    uint32_t asleep; /* atomic: it is in poll(), or will look again before it is */
    uint32_t stop;   /* atomic */
} net_loop_t;

/* False: errno says why. */
bool net_loop_open(net_loop_t *loop);
bool net_loop_start(net_loop_t *loop, void (*body)(void *arg), void *arg);
void net_loop_wake(net_loop_t *loop);
/* Ends the thread, if there is one, and closes the pipe. */
void net_loop_close(net_loop_t *loop);

/* For the thread: blocks signals; whether it should end; poll() with fds[0] for the pipe. */
void net_loop_enter(void);
bool net_loop_stopping(net_loop_t *loop);
int net_loop_poll(net_loop_t *loop, struct pollfd *fds, unsigned count, int timeout_ms);

/*
 * A network on one descriptor, for TAP and sockets: the loop calls ready() when the descriptor has
 * something, and `fd` and `want` may change there. fd -1: none.
 */
typedef struct net_port {
    host_net_t net;
    net_loop_t loop;
    int fd;
    bool want_write; /* sending waits for room */
    bool pending;    /* input that is read already waits for the guest: ready() is called without events */
    void (*ready)(struct net_port *port, short events);
} net_port_t;

bool net_port_start(host_net_t *net);
void net_port_wake(host_net_t *net);
bool net_fd_nonblock(int fd);

#endif
#endif
