/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The user network: libslirp's stack on a thread of its own, which is the only one that calls it after
 * the opening. What others want of it waits in `request`.
 */
#include "net_impl.h"

#ifndef RVKIT_SLIRP

bool host_net_user_available(void)
{
    return false;
}

host_net_t *host_net_open_user(const host_net_user_t *desc, char *error, size_t error_size)
{
    (void)desc;
    return net_fail(error, error_size,
                    "this rvkit was built without libslirp; install libslirp-dev and build again");
}

#else

#include "clock.h"

#include <rvvm/compat.h>

#include <arpa/inet.h>
#include <errno.h>
#include <slirp/libslirp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SLIRP_MTU = 1500,
    ETH_HEADER = 14,
    NS_PER_MS = 1000000,
    IDLE_MS = 1000, /* the longest sleep */
    FULL_MS = 100,  /* and while the guest takes no frames */
};

typedef struct net_timer {
    struct net_timer *next;
    SlirpTimerCb call;
    void *opaque;
    int64_t expires_ms; /* -1: not set */
} net_timer_t;

/* A forwarded port that comes or goes. */
typedef struct {
    const host_net_forward_t *forward;
    bool add, ok;
    char *error;
    size_t error_size;
} net_request_t;

typedef struct {
    host_net_t net;
    net_loop_t loop;
    Slirp *slirp;
    bool loopback;
    host_mutex_t *lock;          /* who has a request, and the list of forwarded ports */
    host_event_t *done;          /* the request has been served */
    net_request_t *request;      /* atomic */
    host_net_forward_t *forward;
    size_t forwards;
    net_timer_t *timers;
    struct pollfd *fds; /* the first is the loop's */
    unsigned count, room;
} net_user_t;

/* --- Callbacks of libslirp, on its thread --- */

static ssize_t user_deliver(const void *frame, size_t size, void *opaque)
{
    net_user_t *user = opaque;
    user->net.guest.feed(user->net.guest.opaque, NULL, frame, size);
    return (ssize_t)size;
}

static void user_guest_error(const char *msg, void *opaque)
{
    (void)opaque;
    rvvm_info("network: the guest's frame: %s", msg);
}

static int64_t user_clock(void *opaque)
{
    (void)opaque;
    return (int64_t)host_clock_ns();
}

static void *user_timer_new(SlirpTimerCb call, void *call_opaque, void *opaque)
{
    net_user_t *user = opaque;
    net_timer_t *timer = calloc(1, sizeof(*timer));
    if (timer) {
        *timer = (net_timer_t){user->timers, call, call_opaque, -1};
        user->timers = timer;
    }
    return timer;
}

static void user_timer_free(void *opaque_timer, void *opaque)
{
    net_user_t *user = opaque;
    for (net_timer_t **at = &user->timers; *at; at = &(*at)->next) {
        if (*at == opaque_timer) {
            *at = (*at)->next;
            break;
        }
    }
    free(opaque_timer);
}

static void user_timer_mod(void *opaque_timer, int64_t expires_ms, void *opaque)
{
    (void)opaque;
    if (opaque_timer) {
        ((net_timer_t *)opaque_timer)->expires_ms = expires_ms;
    }
}

static void user_poll_fd(int fd, void *opaque)
{
    (void)fd;
    (void)opaque;
}

static void user_notify(void *opaque)
{
    net_loop_wake(&((net_user_t *)opaque)->loop);
}

static const SlirpCb user_callbacks = {
    .send_packet = user_deliver,
    .guest_error = user_guest_error,
    .clock_get_ns = user_clock,
    .timer_new = user_timer_new,
    .timer_free = user_timer_free,
    .timer_mod = user_timer_mod,
    .register_poll_fd = user_poll_fd,
    .unregister_poll_fd = user_poll_fd,
    .notify = user_notify,
};

/* --- Forwarded ports, by whoever may call libslirp --- */

static bool user_forward_one(net_user_t *user, const host_net_forward_t *f, bool udp)
{
    int flags = udp ? SLIRP_HOSTFWD_UDP : 0;
    if (f->v6) {
        struct sockaddr_in6 host = {.sin6_family = AF_INET6, .sin6_port = htons(f->host_port)};
        struct sockaddr_in6 guest = {.sin6_family = AF_INET6, .sin6_port = htons(f->guest_port)};
        memcpy(&host.sin6_addr, f->host, 16);
        memcpy(&guest.sin6_addr, f->guest, 16);
        return slirp_add_hostxfwd(user->slirp, (struct sockaddr *)&host, sizeof(host),
                                  (struct sockaddr *)&guest, sizeof(guest),
                                  flags | SLIRP_HOSTFWD_V6ONLY) == 0;
    }
    struct in_addr host, guest;
    memcpy(&host, f->host, 4);
    memcpy(&guest, f->guest, 4);
    return slirp_add_hostfwd(user->slirp, udp, host, f->host_port, guest, f->guest_port) == 0;
}

static bool user_unforward_one(net_user_t *user, const host_net_forward_t *f, bool udp)
{
    int flags = udp ? SLIRP_HOSTFWD_UDP : 0;
    if (f->v6) {
        struct sockaddr_in6 host = {.sin6_family = AF_INET6, .sin6_port = htons(f->host_port)};
        memcpy(&host.sin6_addr, f->host, 16);
        return slirp_remove_hostxfwd(user->slirp, (struct sockaddr *)&host, sizeof(host), flags) == 0;
    }
    struct in_addr host;
    memcpy(&host, f->host, 4);
    return slirp_remove_hostfwd(user->slirp, udp, host, f->host_port) == 0;
}

/* An IPv6 port without the guest's address leads to where its own address will be: nobody knows that. */
static bool user_forward(net_user_t *user, const host_net_forward_t *f, char *error, size_t error_size)
{
    if (f->v6 && !f->guest_given) {
        return net_fail(error, error_size,
                        "forwarding port %u: name the guest's IPv6 address too, as in "
                        "[::1]:2022=[fec0::15]:22", f->host_port) != NULL;
    }
    host_net_forward_t *list = realloc(user->forward, (user->forwards + 1) * sizeof(*list));
    if (!list) {
        return net_fail(error, error_size, "forwarding port %u: out of memory", f->host_port) != NULL;
    }
    user->forward = list;
    bool tcp = !f->tcp || user_forward_one(user, f, false);
    if (!tcp || (f->udp && !user_forward_one(user, f, true))) {
        int why = errno;
        if (tcp && f->tcp) {
            user_unforward_one(user, f, false);
        }
        return net_fail(error, error_size, "forwarding port %u: %s%s", f->host_port, strerror(why),
                        why == EACCES ? " (ports below 1024 need privilege)" : "") != NULL;
    }
    user->forward[user->forwards++] = *f;
    return true;
}

/* Without an address of the host, all its addresses are meant, of either kind. */
static bool forward_matches(const host_net_forward_t *f, const host_net_forward_t *wanted)
{
    bool any = net_forward_any_host(wanted);
    return f->host_port == wanted->host_port &&
           ((f->tcp && wanted->tcp) || (f->udp && wanted->udp)) &&
           (any ? net_forward_any_host(f)
                : f->v6 == wanted->v6 && !memcmp(f->host, wanted->host, f->v6 ? 16 : 4));
}

static bool user_unforward(net_user_t *user, const host_net_forward_t *wanted, char *error,
                           size_t error_size)
{
    for (size_t i = 0; i < user->forwards; i++) {
        host_net_forward_t *f = &user->forward[i];
        if (!forward_matches(f, wanted)) {
            continue;
        }
        if (f->tcp && wanted->tcp) {
            f->tcp = !user_unforward_one(user, f, false);
        }
        if (f->udp && wanted->udp) {
            f->udp = !user_unforward_one(user, f, true);
        }
        bool kept = (f->tcp && wanted->tcp) || (f->udp && wanted->udp);
        if (!f->tcp && !f->udp) {
            user->forwards--;
            memmove(f, f + 1, (user->forwards - i) * sizeof(*f));
        }
        return !kept || net_fail(error, error_size, "port %u stays: the network refuses",
                                 wanted->host_port) != NULL;
    }
    return net_fail(error, error_size, "port %u is not forwarded", wanted->host_port) != NULL;
}

static void user_serve(net_user_t *user, net_request_t *request)
{
    request->ok = request->add
                      ? user_forward(user, request->forward, request->error, request->error_size)
                      : user_unforward(user, request->forward, request->error, request->error_size);
}

/* Any thread. Before the network's own thread runs, its work is done here. */
static bool user_change_forward(host_net_t *net, const host_net_forward_t *forward, bool add,
                                char *error, size_t error_size)
{
    net_user_t *user = (net_user_t *)net;
    net_request_t request = {forward, add, false, error, error_size};
    host_mutex_lock(user->lock);
    if (user->loop.thread) {
        __atomic_store_n(&user->request, &request, __ATOMIC_SEQ_CST);
        net_loop_wake(&user->loop);
        while (__atomic_load_n(&user->request, __ATOMIC_ACQUIRE)) {
            host_event_wait(user->done, HOST_FOREVER);
        }
    } else {
        user_serve(user, &request);
    }
    host_mutex_unlock(user->lock);
    return request.ok;
}

static bool user_get_forward(host_net_t *net, size_t index, host_net_forward_t *forward)
{
    net_user_t *user = (net_user_t *)net;
    if (!forward) {
        return true;
    }
    host_mutex_lock(user->lock);
    bool found = index < user->forwards;
    if (found) {
        *forward = user->forward[index];
    }
    host_mutex_unlock(user->lock);
    return found;
}

static void user_serve_request(net_user_t *user)
{
    net_request_t *request = __atomic_load_n(&user->request, __ATOMIC_SEQ_CST);
    if (request) {
        user_serve(user, request);
        __atomic_store_n(&user->request, NULL, __ATOMIC_RELEASE);
        host_event_set(user->done);
    }
}

/* --- The thread --- */

static int user_add_poll(int fd, int events, void *opaque)
{
    net_user_t *user = opaque;
    if (user->count == user->room) {
        unsigned room = user->room * 2;
        struct pollfd *fds = realloc(user->fds, room * sizeof(*fds));
        if (!fds) {
            return -1;
        }
        user->fds = fds;
        user->room = room;
    }
    user->fds[user->count] = (struct pollfd){
        .fd = fd,
        .events = (short)((events & SLIRP_POLL_IN ? POLLIN : 0) |
                          (events & SLIRP_POLL_OUT ? POLLOUT : 0) |
                          (events & SLIRP_POLL_PRI ? POLLPRI : 0)),
    };
    return (int)user->count++;
}

static int user_revents(int index, void *opaque)
{
    net_user_t *user = opaque;
    if (index < 0 || (unsigned)index >= user->count) {
        return 0;
    }
    int got = user->fds[index].revents;
    return (got & POLLIN ? SLIRP_POLL_IN : 0) | (got & POLLOUT ? SLIRP_POLL_OUT : 0) |
           (got & POLLPRI ? SLIRP_POLL_PRI : 0) | (got & POLLERR ? SLIRP_POLL_ERR : 0) |
           (got & POLLHUP ? SLIRP_POLL_HUP : 0);
}

/* Milliseconds until the next timer, at most `most`. */
static uint32_t user_timer_wait(const net_user_t *user, uint32_t most)
{
    int64_t now = (int64_t)host_clock_ns() / NS_PER_MS;
    for (const net_timer_t *timer = user->timers; timer; timer = timer->next) {
        if (timer->expires_ms >= 0 && timer->expires_ms - now < (int64_t)most) {
            most = timer->expires_ms > now ? (uint32_t)(timer->expires_ms - now) : 0;
        }
    }
    return most;
}

static void user_run_timers(net_user_t *user)
{
    int64_t now = (int64_t)host_clock_ns() / NS_PER_MS;
    for (net_timer_t *timer = user->timers, *next; timer; timer = next) {
        next = timer->next;
        if (timer->expires_ms >= 0 && timer->expires_ms <= now) {
            timer->expires_ms = -1;
            timer->call(timer->opaque);
        }
    }
}

/* Waits for something to do, and lets libslirp do it. While the guest has no room only its wake counts. */
static void user_turn(net_user_t *user, bool more)
{
    const host_net_guest_t *guest = &user->net.guest;
    bool room = guest->can_receive(guest->opaque);
    uint32_t wait = room ? IDLE_MS : FULL_MS;
    user->count = 1;
    if (room) {
        slirp_pollfds_fill(user->slirp, &wait, user_add_poll, user);
        wait = user_timer_wait(user, wait);
    }
    int n = net_loop_poll(&user->loop, user->fds, user->count, more ? 0 : (int)wait);
    if (room) {
        slirp_pollfds_poll(user->slirp, n < 0, user_revents, user);
        user_run_timers(user);
    }
}

static void user_run(void *arg)
{
    net_user_t *user = arg;
    const host_net_guest_t *guest = &user->net.guest;
    bool more = true;
    net_loop_enter();
    while (!net_loop_stopping(&user->loop)) {
        user_turn(user, more);
        user_serve_request(user);
        guest->flush(guest->opaque);
        more = guest->serve(guest->opaque);
        guest->flush(guest->opaque);
    }
}

/* --- The network --- */

/* Addresses that mean this host to the host itself, whatever libslirp makes of them. */
static bool frame_to_host(const uint8_t *frame, size_t size)
{
    static const uint8_t zeros[12];
    unsigned type = size >= ETH_HEADER ? (unsigned)frame[12] << 8 | frame[13] : 0;
    if (type == 0x0800 && size >= ETH_HEADER + 20) {
        const uint8_t *to = frame + ETH_HEADER + 16;
        return to[0] == 127 || to[0] == 0;
    }
    if (type == 0x86dd && size >= ETH_HEADER + 40) {
        const uint8_t *to = frame + ETH_HEADER + 24;
        bool mapped = !memcmp(to, zeros, 10) && to[10] == 0xff && to[11] == 0xff;
        return mapped || !memcmp(to, zeros, 12);
    }
    return false;
}

static host_net_sent_t user_send(host_net_t *net, const uint8_t *hdr, const uint8_t *frame,
                                 size_t size)
{
    net_user_t *user = (net_user_t *)net;
    (void)hdr;
    if (frame_to_host(frame, size)) {
        return HOST_NET_DROPPED;
    }
    slirp_input(user->slirp, frame, (int)size);
    return HOST_NET_SENT;
}

static bool user_start(host_net_t *net)
{
    net_user_t *user = (net_user_t *)net;
    return net_loop_start(&user->loop, user_run, user);
}

static void user_wake(host_net_t *net)
{
    net_loop_wake(&((net_user_t *)net)->loop);
}

/* libslirp sends a last word to the guest here and there: then there is none any more. */
static bool user_no_feed(void *opaque, const uint8_t *hdr, const void *frame, size_t size)
{
    return !opaque && !hdr && frame && size;
}

static void user_close(host_net_t *net)
{
    net_user_t *user = (net_user_t *)net;
    net_loop_close(&user->loop);
    user->net.guest = (host_net_guest_t){.feed = user_no_feed};
    if (user->slirp) {
        slirp_cleanup(user->slirp);
    }
    while (user->timers) {
        user_timer_free(user->timers, user);
    }
    host_mutex_free(user->lock);
    host_event_free(user->done);
    free(user->forward);
    free(user->fds);
    free(user);
}

static void user_name(const host_net_t *net, char *text, size_t text_size)
{
    (void)net;
    snprintf(text, text_size, "user");
}

static const host_net_type_t user_type = {
    .start = user_start,
    .send = user_send,
    .wake = user_wake,
    .close = user_close,
    .name = user_name,
    .change_forward = user_change_forward,
    .get_forward = user_get_forward,
};

static Slirp *user_new_slirp(net_user_t *user)
{
    SlirpConfig config = {
        .version = 4,
        .in_enabled = true,
        .in6_enabled = true,
        .vprefix_len = 64,
        .vhostname = "rvkit",
        .if_mtu = SLIRP_MTU,
        .if_mru = SLIRP_MTU,
        .disable_host_loopback = !user->loopback,
    };
    inet_pton(AF_INET, "10.0.2.0", &config.vnetwork);
    inet_pton(AF_INET, "255.255.255.0", &config.vnetmask);
    inet_pton(AF_INET, "10.0.2.2", &config.vhost);
    inet_pton(AF_INET, "10.0.2.15", &config.vdhcp_start);
    inet_pton(AF_INET, "10.0.2.3", &config.vnameserver);
    inet_pton(AF_INET6, "fec0::", &config.vprefix_addr6);
    inet_pton(AF_INET6, "fec0::2", &config.vhost6);
    inet_pton(AF_INET6, "fec0::3", &config.vnameserver6);
    return slirp_new(&config, &user_callbacks, user);
}

host_net_t *host_net_open_user(const host_net_user_t *desc, char *error, size_t error_size)
{
    net_user_t *user = calloc(1, sizeof(*user));
    struct pollfd *fds = calloc(64, sizeof(*fds));
    if (!user || !fds || !net_loop_open(&user->loop)) {
        free(user);
        free(fds);
        return net_fail(error, error_size, "out of memory or files");
    }
    user->net.type = &user_type;
    user->net.caps = HOST_NET_TX_LARGE | HOST_NET_RX_BURSTS;
    user->loopback = desc->loopback;
    user->fds = fds;
    user->room = 64;
    user->net.guest.feed = user_no_feed;
    user->lock = host_mutex_create();
    user->done = host_event_create();
    user->slirp = user->lock && user->done ? user_new_slirp(user) : NULL;
    if (!user->slirp) {
        user_close(&user->net);
        return net_fail(error, error_size, "libslirp does not start");
    }
    for (size_t i = 0; i < desc->forwards; i++) {
        if (!user_forward(user, &desc->forward[i], error, error_size)) {
            user_close(&user->net);
            return NULL;
        }
    }
    return &user->net;
}

bool host_net_user_available(void)
{
    return true;
}

#endif
