/* SPDX-License-Identifier: MPL-2.0 */
/* What all networks share: calls, threads, and the syntax of forwarded ports. */
#include "net_impl.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *net_fail(char *error, size_t error_size, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsnprintf(error, error_size, fmt, args);
    va_end(args);
    return NULL;
}

unsigned host_net_caps(const host_net_t *net)
{
    return net->caps;
}

uint16_t host_net_mtu(const host_net_t *net)
{
    return net->mtu;
}

bool host_net_attach(host_net_t *net, const host_net_guest_t *guest)
{
    net->guest = *guest;
    return !net->type->start || net->type->start(net);
}

host_net_sent_t host_net_send(host_net_t *net, const uint8_t *hdr, const uint8_t *frame, size_t size)
{
    return net->type->send(net, hdr, frame, size);
}

void host_net_wake(host_net_t *net)
{
    if (net->type->wake) {
        net->type->wake(net);
    }
}

void host_net_set_offloads(host_net_t *net, uint64_t features)
{
    if (net->type->set_offloads) {
        net->type->set_offloads(net, features);
    }
}

void host_net_close(host_net_t *net)
{
    if (net) {
        net->type->close(net);
    }
}

void host_net_name(const host_net_t *net, char *text, size_t text_size)
{
    if (net->type->name) {
        net->type->name(net, text, text_size);
    } else {
        snprintf(text, text_size, "network");
    }
}

/* --- Forwarded ports --- */

static bool change_forward(host_net_t *net, const host_net_forward_t *forward, bool add,
                           char *error, size_t error_size)
{
    if (!net->type->change_forward) {
        return net_fail(error, error_size, "only the user network forwards ports") != NULL;
    }
    return net->type->change_forward(net, forward, add, error, error_size);
}

bool host_net_add_forward(host_net_t *net, const host_net_forward_t *forward, char *error,
                          size_t error_size)
{
    return change_forward(net, forward, true, error, error_size);
}

bool host_net_remove_forward(host_net_t *net, const host_net_forward_t *forward, char *error,
                             size_t error_size)
{
    return change_forward(net, forward, false, error, error_size);
}

bool host_net_get_forward(host_net_t *net, size_t index, host_net_forward_t *forward)
{
    return net->type->get_forward && net->type->get_forward(net, index, forward);
}

/* "[ADDRESS]:PORT", without an address when it is none in particular. */
static void format_endpoint(const uint8_t addr[16], bool v6, bool given, uint16_t port, char *text,
                            size_t text_size)
{
    char ip[INET6_ADDRSTRLEN] = "";
    if (given && inet_ntop(v6 ? AF_INET6 : AF_INET, addr, ip, sizeof(ip))) {
        snprintf(text, text_size, v6 ? "[%s]:%u" : "%s:%u", ip, port);
    } else {
        snprintf(text, text_size, "%u", port);
    }
}

bool net_forward_any_host(const host_net_forward_t *forward)
{
    static const uint8_t any[16];
    return !memcmp(forward->host, any, forward->v6 ? 16 : 4);
}

void host_net_format_forward(const host_net_forward_t *f, char *text, size_t text_size)
{
    char host[INET6_ADDRSTRLEN + 10], guest[INET6_ADDRSTRLEN + 10];
    format_endpoint(f->host, f->v6, f->v6 || !net_forward_any_host(f), f->host_port, host, sizeof(host));
    format_endpoint(f->guest, f->v6, f->guest_given, f->guest_port, guest, sizeof(guest));
    snprintf(text, text_size, "%s%s=%s", f->tcp && f->udp ? "" : f->tcp ? "tcp/" : "udp/", host, guest);
}

/* "123": a port from 1 to 65535. Moves *text behind it. */
static bool parse_port(const char **text, uint16_t *port)
{
    char *end;
    unsigned long val = **text >= '0' && **text <= '9' ? strtoul(*text, &end, 10) : 0;
    if (val < 1 || val > 65535) {
        return false;
    }
    *port = (uint16_t)val;
    *text = end;
    return true;
}

/* An address in its usual notation, of this length. */
static bool parse_ip(const char *text, size_t length, bool v6, uint8_t addr[16])
{
    char copy[64];
    if (length >= sizeof(copy)) {
        return false;
    }
    memcpy(copy, text, length);
    copy[length] = 0;
    if (!strcmp(copy, "localhost")) {
        snprintf(copy, sizeof(copy), "127.0.0.1");
    }
    return inet_pton(v6 ? AF_INET6 : AF_INET, copy, addr) == 1;
}

/* [ADDRESS:]PORT up to '=' or the end. */
static bool parse_endpoint(const char **text, uint8_t addr[16], bool *v6, bool *given, uint16_t *port)
{
    const char *at = *text;
    size_t length = strcspn(at, "=");
    const char *colon = memchr(at, ':', length);
    *v6 = *at == '[';
    *given = *v6 || colon;
    if (*v6) {
        const char *close = memchr(at, ']', length);
        if (!close || close[1] != ':' || !parse_ip(at + 1, (size_t)(close - at - 1), true, addr)) {
            return false;
        }
        at = close + 2;
    } else if (colon) {
        if (!parse_ip(at, (size_t)(colon - at), false, addr)) {
            return false;
        }
        at = colon + 1;
    }
    *text = at;
    return parse_port(text, port);
}

bool host_net_parse_forward(const char *text, host_net_forward_t *forward)
{
    host_net_forward_t f = {.tcp = true, .udp = true};
    bool host_given, guest_v6;
    if (!strncmp(text, "tcp/", 4) || !strncmp(text, "udp/", 4)) {
        f.tcp = *text == 't';
        f.udp = !f.tcp;
        text += 4;
    }
    if (!parse_endpoint(&text, f.host, &f.v6, &host_given, &f.host_port)) {
        return false;
    }
    f.guest_port = f.host_port;
    if (*text == '=') {
        text++;
        if (!parse_endpoint(&text, f.guest, &guest_v6, &f.guest_given, &f.guest_port) ||
            (f.guest_given && host_given && guest_v6 != f.v6)) {
            return false;
        }
        f.v6 |= guest_v6;
    }
    *forward = f;
    return !*text;
}

#ifdef __EMSCRIPTEN__

host_net_t *host_net_open_tap(const char *name, char *error, size_t error_size)
{
    return net_fail(error, error_size, "%s: there are no TAP interfaces here", name);
}

host_net_t *host_net_open_unix(const char *path, bool listening, char *error, size_t error_size)
{
    (void)listening;
    return net_fail(error, error_size, "%s: there are no sockets here", path);
}

#else

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

/* --- Threads --- */

bool net_fd_nonblock(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    return flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0 &&
           fcntl(fd, F_SETFD, FD_CLOEXEC) == 0;
}

bool net_loop_open(net_loop_t *loop)
{
    *loop = (net_loop_t){.pipe = {-1, -1}};
    return pipe(loop->pipe) == 0 && net_fd_nonblock(loop->pipe[0]) && net_fd_nonblock(loop->pipe[1]);
}

bool net_loop_start(net_loop_t *loop, void (*body)(void *arg), void *arg)
{
    loop->thread = host_thread_create(body, arg);
    return loop->thread != NULL;
}

void net_loop_wake(net_loop_t *loop)
{
    if (__atomic_exchange_n(&loop->asleep, 0, __ATOMIC_SEQ_CST)) {
        ssize_t n = write(loop->pipe[1], "", 1); /* a full pipe wakes as well */
        (void)n;
    }
}

void net_loop_close(net_loop_t *loop)
{
    if (loop->thread) {
        __atomic_store_n(&loop->stop, 1, __ATOMIC_SEQ_CST);
        net_loop_wake(loop);
        host_thread_join(loop->thread);
    }
    for (unsigned i = 0; i < 2; i++) {
        if (loop->pipe[i] >= 0) {
            close(loop->pipe[i]);
        }
    }
}

void net_loop_enter(void)
{
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
}

bool net_loop_stopping(net_loop_t *loop)
{
    return __atomic_load_n(&loop->stop, __ATOMIC_SEQ_CST);
}

/* `asleep` is set after the pipe is empty, and before the caller looks for work: no wake is lost. */
int net_loop_poll(net_loop_t *loop, struct pollfd *fds, unsigned count, int timeout_ms)
{
    fds[0] = (struct pollfd){.fd = loop->pipe[0], .events = POLLIN};
    int n = poll(fds, count, net_loop_stopping(loop) ? 0 : timeout_ms);
    if (n > 0 && fds[0].revents) {
        char bytes[64];
        while (read(loop->pipe[0], bytes, sizeof(bytes)) > 0) {
        }
    }
    __atomic_store_n(&loop->asleep, 1, __ATOMIC_SEQ_CST);
    return n;
}

static void net_port_run(void *arg)
{
    net_port_t *port = arg;
    const host_net_guest_t *guest = &port->net.guest;
    bool more = true;
    net_loop_enter();
    while (!net_loop_stopping(&port->loop)) {
        bool reading = port->fd >= 0 && guest->can_receive(guest->opaque);
        short events = (short)((reading ? POLLIN : 0) | (port->want_write ? POLLOUT : 0));
        struct pollfd fds[2] = {{.fd = -1}, {.fd = events ? port->fd : -1, .events = events}};
        bool pending = port->pending && reading;
        int n = net_loop_poll(&port->loop, fds, 2, more || pending ? 0 : -1);
        if (n > 0 && fds[1].revents) {
            port->want_write = false;
        }
        if ((n > 0 && fds[1].revents) || pending) {
            port->ready(port, n > 0 ? fds[1].revents : 0);
            guest->flush(guest->opaque);
        }
        more = guest->serve(guest->opaque);
    }
}

bool net_port_start(host_net_t *net)
{
    net_port_t *port = (net_port_t *)net;
    return net_loop_start(&port->loop, net_port_run, port);
}

void net_port_wake(host_net_t *net)
{
    net_loop_wake(&((net_port_t *)net)->loop);
}

#endif
