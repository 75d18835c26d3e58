/* SPDX-License-Identifier: MPL-2.0 */
/* Connections: libwebsockets' callbacks, and the socket they come from. */
#include "relay.h"

#include "../src/host/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ACCEPTS = 32 }; /* at a time */

/* Without a free descriptor a client would wait, and poll() tell of it, for ever: it is sent away. */
static void relay_refuse(relay_t *relay)
{
    close(relay->spare);
    int fd = accept(relay->listener, NULL, NULL);
    if (fd >= 0) {
        close(fd);
    }
    relay->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void relay_accept(relay_t *relay)
{
    for (unsigned i = 0; i < ACCEPTS; i++) {
        int fd = host_socket_accept(relay->listener);
        if (fd < 0) {
            if (errno == EMFILE || errno == ENFILE) {
                relay_refuse(relay);
            }
            return;
        }
        lws_adopt_socket_vhost(relay->vhost, fd); /* closes what it cannot take */
    }
}

/* 0: it may become a WebSocket. */
static int relay_confirm(relay_t *relay, struct lws *wsi)
{
    const char *why = NULL;
    unsigned status = socket_refusal(relay, wsi, &why);
    return status ? (http_answer(wsi, status, why) ? -1 : 1) : 0;
}

static int relay_call(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t size)
{
    struct lws_context *context = lws_get_context(wsi);
    relay_t *relay = context ? lws_context_user(context) : NULL;
    session_t *s = user;
    const char *why;
    switch (reason) {
    case LWS_CALLBACK_RAW_RX_FILE: relay_accept(relay); return 0;
    case LWS_CALLBACK_EVENT_WAIT_CANCELLED: socket_poll(relay); return 0;
    case LWS_CALLBACK_HTTP: return http_request(relay, s, wsi, in, size);
    case LWS_CALLBACK_HTTP_WRITEABLE: return http_continue(s, wsi);
    case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE: return relay_confirm(relay, wsi);
    /* Every way to a WebSocket leads here, also those that do not ask above. */
    case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION: return socket_refusal(relay, wsi, &why) ? -1 : 0;
    case LWS_CALLBACK_ESTABLISHED: return socket_open(relay, s, wsi);
    case LWS_CALLBACK_RECEIVE: return socket_receive(s, in, size);
    case LWS_CALLBACK_SERVER_WRITEABLE: return socket_writeable(s);
    case LWS_CALLBACK_CLOSED: socket_close(s); return 0;
    case LWS_CALLBACK_HTTP_DROP_PROTOCOL:
    case LWS_CALLBACK_CLOSED_HTTP: http_end(s); return 0;
    case LWS_CALLBACK_HTTP_BODY:
    case LWS_CALLBACK_RAW_ADOPT:
    case LWS_CALLBACK_RAW_RX: return -1;
    default: return 0;
    }
}

static const struct lws_protocols relay_protocols[] = {
    {
        .name = "rvkit-relay",
        .callback = relay_call,
        .per_session_data_size = sizeof(session_t),
        .rx_buffer_size = RELAY_RX_BYTES,
    },
    {.name = NULL},
};

bool relay_open(relay_t *relay, char *error, size_t error_size)
{
    const options_t *o = relay->options;
    lws_set_log_level(0, NULL);
    relay->ping = (lws_retry_bo_t){
        .secs_since_valid_ping = (uint16_t)o->ping,
        .secs_since_valid_hangup = (uint16_t)(2 * o->ping),
    };
    const struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN_SERVER,
        .protocols = relay_protocols,
        .options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS,
        .user = relay,
        .gid = (gid_t)-1,
        .uid = (uid_t)-1,
        .fd_limit_per_thread = o->max + RELAY_HTTP_MAX,
        .max_http_header_pool = (unsigned short)(o->max + RELAY_HTTP_MAX),
        .max_http_header_data = RELAY_HTTP_HEADER,
        .pt_serv_buf_size = 4 * RELAY_RX_BYTES,
        .server_string = "rvkit-relay",
        .retry_and_idle_policy = &relay->ping,
    };
    relay->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
    relay->listener = host_socket_listen_tcp(o->listen, error, error_size);
    if (relay->listener < 0) {
        return false;
    }
    relay->context = lws_create_context(&info);
    relay->vhost = relay->context ? lws_create_vhost(relay->context, &info) : NULL;
    const lws_sock_file_fd_type listener = {.filefd = relay->listener};
    if (!relay->vhost || !lws_adopt_descriptor_vhost(relay->vhost, LWS_ADOPT_RAW_FILE_DESC, listener,
                                                     relay_protocols[0].name, NULL)) {
        snprintf(error, error_size, "libwebsockets does not start");
        return false;
    }
    return true;
}

void relay_run(relay_t *relay)
{
    while (!__atomic_load_n(&relay->stop, __ATOMIC_ACQUIRE) && lws_service(relay->context, 0) >= 0) {
    }
}

void relay_stop(relay_t *relay)
{
    __atomic_store_n(&relay->stop, 1, __ATOMIC_RELEASE);
    lws_cancel_service(relay->context);
}

/* Networks first: their threads call libwebsockets. */
void relay_close(relay_t *relay)
{
    while (relay->sessions) {
        socket_close(relay->sessions);
    }
    lan_close(relay->shared);
    relay->shared = NULL;
    if (relay->context) {
        lws_context_destroy(relay->context);
    }
    if (relay->spare >= 0) {
        close(relay->spare);
    }
}
