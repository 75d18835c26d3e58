/* SPDX-License-Identifier: MPL-2.0 */
/* The inside of rvkit-relay: one thread runs libwebsockets' loop and all calls here. */
#ifndef RVKIT_RELAY_RELAY_H
#define RVKIT_RELAY_RELAY_H

#include "lan.h"
#include "options.h"

#include <libwebsockets.h>

enum {
    RELAY_HTTP_MAX = 64,      /* connections beyond those of guests */
    RELAY_RX_BYTES = 16384,   /* the largest piece of a message that a callback gets */
    RELAY_HTTP_HEADER = 16384 /* of a request: all ports of a host share their cookies */
};

struct relay;

/* What libwebsockets keeps for each connection, zeroed: a file on its way, or a guest's card. */
typedef struct session {
    struct session *next; /* of the guests' */
    struct lws *wsi;
    struct relay *relay;
    /* HTTP */
    bool sending;
    int fd; /* when sending */
    uint64_t at, left;
    /* WebSocket */
    lan_t *lan; /* its own, or the one of all */
    lan_card_t *card;
    size_t size; /* of the message so far; more than LAN_FRAME_MAX: it is too long, whatever follows */
    uint8_t frame[LAN_FRAME_MAX];
} session_t;

typedef struct relay {
    const options_t *options;
    lws_retry_bo_t ping;
    struct lws_context *context;
    struct lws_vhost *vhost;
    int listener; /* libwebsockets closes it */
    int spare;       /* a descriptor that is given up when there are none to accept with */
    unsigned guests; /* sessions */
    session_t *sessions;
    lan_t *shared;
    uint32_t stop; /* atomic */
} relay_t;

/* --- relay.c --- */

/* Listens. False: error is one line. relay_close() follows in any case, after the end of relay_run(). */
bool relay_open(relay_t *relay, char *error, size_t error_size);

/* Until relay_stop(), which any thread may call before relay_close(). */
void relay_run(relay_t *relay);
void relay_stop(relay_t *relay);
void relay_close(relay_t *relay);

/* --- http.c --- */

/* A short text as an answer, then the request is done. Nonzero: the connection is to be closed. */
int http_answer(struct lws *wsi, unsigned code, const char *text);

/* The address of a socket's own end, as access.h has it. */
void http_local(int fd, char *local, size_t local_size, bool *is_loopback);

/* LWS_CALLBACK_HTTP and _WRITEABLE; the end of a request or connection. */
int http_request(relay_t *relay, session_t *s, struct lws *wsi, const char *url, size_t length);
int http_continue(session_t *s, struct lws *wsi);
void http_end(session_t *s);

/* --- socket.c --- */

/*
 * Whether this may become a WebSocket: 0, and the reason in `why` with the status of HTTP otherwise.
 */
unsigned socket_refusal(const relay_t *relay, struct lws *wsi, const char **why);

/* Nonzero closes the connection. */
int socket_open(relay_t *relay, session_t *s, struct lws *wsi);
int socket_receive(session_t *s, const void *data, size_t size);
int socket_writeable(session_t *s);
void socket_close(session_t *s);

/* Asks to write where frames wait. */
void socket_poll(relay_t *relay);

#endif
