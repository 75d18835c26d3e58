/* SPDX-License-Identifier: MPL-2.0 */
/* Guests: each binary message (RFC 6455) is an Ethernet frame. */
#include "relay.h"

#include <stdio.h>
#include <string.h>

enum { WRITE_FRAMES = 64 }; /* at a time, before other connections have their turn */

unsigned socket_refusal(const relay_t *relay, struct lws *wsi, const char **why)
{
    const access_t *access = &relay->options->access;
    char upgrade[16], version[8], url[16], host[ACCESS_NAME_MAX], origin[ACCESS_NAME_MAX], local[64];
    char token[ACCESS_TOKEN_MAX + 16];
    bool is_loopback;
    http_local(lws_get_socket_fd(wsi), local, sizeof(local), &is_loopback);
    if (lws_hdr_copy(wsi, host, sizeof(host), WSI_TOKEN_HOST) <= 0 ||
        !access_host_ok(access, host, local, is_loopback)) {
        *why = "403: this server is not known under that name";
        return 403;
    }
    if (lws_hdr_copy(wsi, upgrade, sizeof(upgrade), WSI_TOKEN_UPGRADE) <= 0 ||
        lws_hdr_copy(wsi, url, sizeof(url), WSI_TOKEN_GET_URI) <= 0 || strcmp(url, "/net")) {
        *why = "404: the network is a WebSocket at /net";
        return 404;
    }
    if (lws_hdr_total_length(wsi, WSI_TOKEN_ORIGIN) &&
        (lws_hdr_copy(wsi, origin, sizeof(origin), WSI_TOKEN_ORIGIN) <= 0 ||
         !access_origin_ok(access, origin, local, is_loopback))) {
        *why = "403: pages from there may not use this network (-origin allows them)";
        return 403;
    }
    if (lws_hdr_copy(wsi, version, sizeof(version), WSI_TOKEN_VERSION) <= 0 || strcmp(version, "13")) {
        *why = "400: only version 13 of WebSockets (RFC 6455)";
        return 400;
    }
    const char *given = lws_get_urlarg_by_name(wsi, "token=", token, sizeof(token));
    if (!given || !access_token_ok(access, given)) {
        *why = "403: wrong token";
        return 403;
    }
    if (relay->guests >= relay->options->max) {
        *why = "503: too many guests (-max)";
        return 503;
    }
    return 0;
}

static void socket_wake(void *opaque)
{
    lws_cancel_service(((relay_t *)opaque)->context);
}

int socket_open(relay_t *relay, session_t *s, struct lws *wsi)
{
    char error[160];
    const lan_desc_t desc = {
        .shared = relay->options->shared,
        .loopback = relay->options->loopback,
        .opaque = relay,
        .wake = socket_wake,
    };
    if (relay->guests >= relay->options->max) { /* others came between the request and this */
        return -1;
    }
    lan_t *lan = relay->shared ? relay->shared : lan_open(&desc, error, sizeof(error));
    lan_card_t *card = lan ? lan_join(lan) : NULL;
    if (!card) {
        fprintf(stderr, "rvkit-relay: a guest gets no network: %s\n", lan ? "out of memory" : error);
        if (lan != relay->shared) {
            lan_close(lan);
        }
        return -1;
    }
    if (desc.shared) {
        relay->shared = lan;
    }
    *s = (session_t){.next = relay->sessions, .wsi = wsi, .relay = relay, .lan = lan, .card = card};
    relay->sessions = s;
    relay->guests++;
    return 0;
}

int socket_receive(session_t *s, const void *data, size_t size)
{
    static const char text[] = "frames are binary messages";
    if (!s->card) {
        return -1;
    }
    if (!lws_frame_is_binary(s->wsi)) {
        unsigned char reason[sizeof(text)];
        memcpy(reason, text, sizeof(text));
        lws_close_reason(s->wsi, LWS_CLOSE_STATUS_UNACCEPTABLE_OPCODE, reason, sizeof(text) - 1);
        return -1;
    }
    if (lws_is_first_fragment(s->wsi)) {
        s->size = 0;
    }
    if (s->size <= LAN_FRAME_MAX && size <= LAN_FRAME_MAX - s->size) {
        memcpy(s->frame + s->size, data, size);
        s->size += size;
    } else {
        s->size = LAN_FRAME_MAX + 1;
    }
    if (lws_is_final_fragment(s->wsi)) {
        lan_send(s->card, s->frame, s->size); /* which drops what is too long */
        s->size = 0;
    }
    return 0;
}

int socket_writeable(session_t *s)
{
    unsigned char buf[LWS_PRE + LAN_FRAME_MAX];
    for (unsigned i = 0; s->card && i < WRITE_FRAMES && !lws_send_pipe_choked(s->wsi); i++) {
        size_t size = lan_receive(s->card, buf + LWS_PRE);
        if (!size) {
            return 0;
        }
        if (lws_write(s->wsi, buf + LWS_PRE, size, LWS_WRITE_BINARY) < (int)size) {
            return -1;
        }
    }
    return s->card && lws_callback_on_writable(s->wsi) < 0 ? -1 : 0;
}

void socket_close(session_t *s)
{
    if (!s || !s->card) {
        return;
    }
    relay_t *relay = s->relay;
    session_t **at = &relay->sessions;
    while (*at != s) {
        at = &(*at)->next;
    }
    *at = s->next;
    relay->guests--;
    lan_leave(s->card);
    if (s->lan != relay->shared) {
        lan_close(s->lan);
    }
    s->card = NULL;
}

void socket_poll(relay_t *relay)
{
    for (session_t *s = relay->sessions; s; s = s->next) {
        if (lan_has_frames(s->card)) {
            lws_callback_on_writable(s->wsi);
        }
    }
}
