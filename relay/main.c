/* SPDX-License-Identifier: MPL-2.0 */
/* rvkit-relay: a network for guests in browsers, and a server of the page's files. */
#include "relay.h"

#include "../src/host/net.h"
#include "../src/host/thread.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int main_fail(int status, const char *text)
{
    fprintf(stderr, "rvkit-relay: %s\n", text);
    return status;
}

/* All threads block these signals; this one takes them. */
static void main_wait_for_signals(void *arg)
{
    sigset_t set;
    int signal_number;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigwait(&set, &signal_number);
    relay_stop(arg);
}

/* One line: where the page is, or the network when no page is served. */
static void main_tell(const relay_t *relay, options_t *o)
{
    char local[64];
    bool is_loopback;
    http_local(relay->listener, local, sizeof(local), &is_loopback);
    unsigned port = (unsigned)strtoul(strrchr(local, ':') + 1, NULL, 10);
    access_set_name(&o->access, o->listen, port);
    if (!strncmp(local, "0.0.0.0:", 8) || !strncmp(local, "[::]:", 5)) {
        snprintf(local, sizeof(local), "127.0.0.1:%u", port);
    }
    if (!is_loopback) {
        fprintf(stderr, "rvkit-relay: warning: -listen %s: other computers can connect, and whoever has the "
                        "token uses this host's network\n", o->listen);
    }
    if (o->files.folder) {
        printf("http://%s/#token=%s\n", local, o->access.token);
    } else {
        printf("ws://%s/net?token=%s\n", local, o->access.token);
    }
    fflush(stdout);
}

static int main_run(relay_t *relay, options_t *o)
{
    char error[160], text[480];
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    if (!relay_open(relay, error, sizeof(error))) {
        snprintf(text, sizeof(text), "-listen %.200s: %s", o->listen, error);
        relay_close(relay);
        return main_fail(1, text);
    }
    host_thread_t *waiter = host_thread_create(main_wait_for_signals, relay);
    if (!waiter) {
        relay_close(relay);
        return main_fail(1, "there is no thread for signals");
    }
    main_tell(relay, o);
    relay_run(relay);
    bool stopped = __atomic_load_n(&relay->stop, __ATOMIC_ACQUIRE);
    if (!stopped) {
        kill(getpid(), SIGTERM); /* for the waiter */
    }
    host_thread_join(waiter);
    relay_close(relay);
    return stopped ? 0 : main_fail(1, "libwebsockets has failed");
}

int main(int argc, char **argv)
{
    options_t o;
    char error[320];
    switch (options_parse(&o, argc, argv, error, sizeof(error))) {
    case OPTIONS_HELP: options_print_help(); return 0;
    case OPTIONS_VERSION: puts("rvkit-relay " RVKIT_VERSION); return 0;
    case OPTIONS_WRONG: return main_fail(2, error);
    default: break;
    }
    if (!host_net_user_available()) {
        return main_fail(1, "this rvkit was built without libslirp; install libslirp-dev and build again");
    }
    relay_t relay = {.options = &o, .listener = -1, .spare = -1};
    return main_run(&relay, &o);
}
