/* SPDX-License-Identifier: MPL-2.0 */
/* Files over HTTP/1.1: GET and HEAD, with ranges and entity tags (RFC 9110). */
#include "relay.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    HEAD_BYTES = 2048,
    PIECE_BYTES = 32768,
    STUCK_SECONDS = 60 /* a client that takes nothing for that long is dropped */
};

/* The head of an answer in the making. */
typedef struct {
    struct lws *wsi;
    unsigned char buf[LWS_PRE + HEAD_BYTES], *p;
    bool failed;
} head_t;

static void head_add(head_t *h, const char *name, const char *value)
{
    h->failed |= lws_add_http_header_by_name(h->wsi, (const unsigned char *)name,
                                             (const unsigned char *)value, (int)strlen(value), &h->p,
                                             h->buf + sizeof(h->buf)) != 0;
}

static void head_begin(head_t *h, struct lws *wsi, unsigned code)
{
    h->wsi = wsi;
    h->p = h->buf + LWS_PRE;
    h->failed = lws_add_http_header_status(wsi, code, &h->p, h->buf + sizeof(h->buf)) != 0;
    head_add(h, "cache-control:", "no-cache");
    head_add(h, "x-content-type-options:", "nosniff");
    head_add(h, "referrer-policy:", "no-referrer");
}

static void head_length(head_t *h, uint64_t length)
{
    h->failed |= lws_add_http_header_content_length(h->wsi, length, &h->p, h->buf + sizeof(h->buf)) != 0;
}

/* False: the connection cannot go on. */
static bool head_send(head_t *h)
{
    return !h->failed && !lws_finalize_write_http_header(h->wsi, h->buf + LWS_PRE, &h->p,
                                                         h->buf + sizeof(h->buf));
}

static int http_done(struct lws *wsi)
{
    return lws_http_transaction_completed(wsi) ? -1 : 0;
}

static bool http_is_head(struct lws *wsi)
{
    return lws_hdr_total_length(wsi, WSI_TOKEN_HEAD_URI) != 0;
}

/* The head with a text as its body; `extra` may be NULL. */
static int http_text(struct lws *wsi, unsigned code, const char *extra, const char *value, const char *text)
{
    head_t h;
    unsigned char body[LWS_PRE + 256];
    bool head_only = http_is_head(wsi);
    int n = snprintf((char *)body + LWS_PRE, sizeof(body) - LWS_PRE, "%s\n", text);
    head_begin(&h, wsi, code);
    head_add(&h, "content-type:", "text/plain; charset=utf-8");
    if (extra) {
        head_add(&h, extra, value);
    }
    head_length(&h, (uint64_t)n);
    if (!head_send(&h)) {
        return -1;
    }
    return head_only || lws_write(wsi, body + LWS_PRE, (size_t)n, LWS_WRITE_HTTP_FINAL) == n ? 0 : -1;
}

int http_answer(struct lws *wsi, unsigned code, const char *text)
{
    return http_text(wsi, code, NULL, NULL, text) < 0 ? -1 : http_done(wsi);
}

void http_local(int fd, char *local, size_t local_size, bool *is_loopback)
{
    struct sockaddr_storage addr = {0};
    socklen_t size = sizeof(addr);
    char text[INET6_ADDRSTRLEN] = "";
    *local = 0;
    *is_loopback = false;
    if (getsockname(fd, (struct sockaddr *)&addr, &size) < 0) {
        return;
    }
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&addr;
    struct sockaddr_in in = *(const struct sockaddr_in *)&addr;
    bool v6 = addr.ss_family == AF_INET6;
    if (v6 && IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr)) {
        v6 = false;
        in.sin_port = in6->sin6_port;
        memcpy(&in.sin_addr, in6->sin6_addr.s6_addr + 12, 4);
    }
    if (v6) {
        inet_ntop(AF_INET6, &in6->sin6_addr, text, sizeof(text));
        *is_loopback = IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr);
    } else {
        inet_ntop(AF_INET, &in.sin_addr, text, sizeof(text));
        *is_loopback = ntohl(in.sin_addr.s_addr) >> 24 == 127;
    }
    snprintf(local, local_size, v6 ? "[%s]:%u" : "%s:%u", text, ntohs(v6 ? in6->sin6_port : in.sin_port));
}

/* --- Files --- */

static bool http_header(struct lws *wsi, enum lws_token_indexes token, char *text, size_t text_size)
{
    return lws_hdr_copy(wsi, text, (int)text_size, token) > 0;
}

/* If-None-Match: a list of tags, or "*" (RFC 9110 §13.1.2). */
static bool http_unchanged(struct lws *wsi, const file_t *file)
{
    char text[512];
    return http_header(wsi, WSI_TOKEN_HTTP_IF_NONE_MATCH, text, sizeof(text)) &&
           (strstr(text, file->etag) || !strcmp(text, "*"));
}

/* What of the file is wanted. A range is of the version that If-Range names, or void. */
static range_result_t http_range(struct lws *wsi, const file_t *file, uint64_t *first, uint64_t *last)
{
    char text[128], version[64];
    bool other = lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_IF_RANGE) &&
                 (!http_header(wsi, WSI_TOKEN_HTTP_IF_RANGE, version, sizeof(version)) ||
                  strcmp(version, file->etag));
    if (other || http_is_head(wsi) || !http_header(wsi, WSI_TOKEN_HTTP_RANGE, text, sizeof(text))) {
        return RANGE_ALL;
    }
    return files_range(text, file->size, first, last);
}

/* Takes the file over. */
static int http_file(session_t *s, struct lws *wsi, const file_t *file)
{
    head_t h;
    char range[96];
    uint64_t first = 0, last = file->size - 1;
    range_result_t part = http_range(wsi, file, &first, &last);
    s->sending = true;
    s->fd = file->fd;
    if (http_unchanged(wsi, file)) {
        head_begin(&h, wsi, 304);
        head_add(&h, "etag:", file->etag);
        http_end(s);
        return head_send(&h) ? http_done(wsi) : -1;
    }
    if (part == RANGE_OUTSIDE) {
        snprintf(range, sizeof(range), "bytes */%llu", (unsigned long long)file->size);
        http_end(s);
        return http_text(wsi, 416, "content-range:", range, "416: the file is shorter") < 0 ? -1 : http_done(wsi);
    }
    s->at = first;
    s->left = last - first + 1; /* 0 for an empty file */
    head_begin(&h, wsi, part == RANGE_PART ? 206 : 200);
    head_add(&h, "content-type:", file->type);
    head_add(&h, "accept-ranges:", "bytes");
    head_add(&h, "etag:", file->etag);
    if (part == RANGE_PART) {
        snprintf(range, sizeof(range), "bytes %llu-%llu/%llu", (unsigned long long)first,
                 (unsigned long long)last, (unsigned long long)file->size);
        head_add(&h, "content-range:", range);
    }
    head_length(&h, s->left);
    bool head_only = http_is_head(wsi) || !s->left;
    if (!head_send(&h)) {
        return -1;
    }
    if (head_only) {
        http_end(s);
        return http_done(wsi);
    }
    lws_set_timeout(wsi, PENDING_TIMEOUT_HTTP_CONTENT, STUCK_SECONDS);
    return lws_callback_on_writable(wsi) < 0 ? -1 : 0;
}

/* Folders' addresses end with '/', else relative links on their pages lead elsewhere. */
static int http_redirect(struct lws *wsi, const char *url, size_t length)
{
    char to[1024];
    for (size_t i = 0; i < length; i++) {
        /* What would need escapes again is not worth them; "//" would be another host. */
        if ((url[i] < '0' && !strchr("-./", url[i])) || url[i] > '~' || strchr("\\<>?\"", url[i])) {
            return http_answer(wsi, 404, "404: it is a folder; its address ends with /");
        }
    }
    if (length + 2 > sizeof(to) || (length > 1 && url[1] == '/')) {
        return http_answer(wsi, 404, "404: there is no such file");
    }
    snprintf(to, sizeof(to), "%.*s/", (int)length, url);
    return http_text(wsi, 301, "location:", to, "301: it is a folder") < 0 ? -1 : http_done(wsi);
}

int http_request(relay_t *relay, session_t *s, struct lws *wsi, const char *url, size_t length)
{
    char host[ACCESS_NAME_MAX] = "", local[64];
    bool is_loopback;
    file_t file;
    http_end(s);
    http_local(lws_get_socket_fd(wsi), local, sizeof(local), &is_loopback);
    if (!http_header(wsi, WSI_TOKEN_HOST, host, sizeof(host)) ||
        !access_host_ok(&relay->options->access, host, local, is_loopback)) {
        return http_answer(wsi, 403, "403: this server is not known under that name");
    }
    if (!lws_hdr_total_length(wsi, WSI_TOKEN_GET_URI) && !http_is_head(wsi)) {
        http_text(wsi, 405, "allow:", "GET, HEAD", "405: only GET and HEAD");
        return -1; /* what follows as a body is not read */
    }
    switch (files_open(&relay->options->files, url, length, &file)) {
    case FILES_OK: return http_file(s, wsi, &file);
    case FILES_FOLDER: return http_redirect(wsi, url, length);
    case FILES_FAILED: return http_answer(wsi, 503, "503: the file cannot be opened now");
    default: return http_answer(wsi, 404, "404: there is no such file");
    }
}

/* A file that has become shorter ends the connection, so that nobody takes the rest for complete. */
int http_continue(session_t *s, struct lws *wsi)
{
    unsigned char buf[LWS_PRE + PIECE_BYTES];
    while (s->sending) {
        size_t want = s->left < PIECE_BYTES ? (size_t)s->left : PIECE_BYTES;
        ssize_t got = pread(s->fd, buf + LWS_PRE, want, (off_t)s->at);
        bool last = got > 0 && (uint64_t)got == s->left;
        if (got <= 0 || lws_write(wsi, buf + LWS_PRE, (size_t)got,
                                  last ? LWS_WRITE_HTTP_FINAL : LWS_WRITE_HTTP) < got) {
            return -1;
        }
        s->at += (uint64_t)got;
        s->left -= (uint64_t)got;
        if (last) {
            http_end(s);
            return http_done(wsi);
        }
        lws_set_timeout(wsi, PENDING_TIMEOUT_HTTP_CONTENT, STUCK_SECONDS);
        if (lws_send_pipe_choked(wsi)) {
            return lws_callback_on_writable(wsi) < 0 ? -1 : 0;
        }
    }
    return 0;
}

void http_end(session_t *s)
{
    if (s && s->sending) {
        s->sending = false;
        close(s->fd);
    }
}
