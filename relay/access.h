/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Who may ask what. Any page that a person visits can send requests to this host's loopback, and a name that
 * it owns may lead there (DNS rebinding): so the Host header must name this server, and a WebSocket needs the
 * token and, from a page, an origin that is known. One thread.
 */
#ifndef RVKIT_RELAY_ACCESS_H
#define RVKIT_RELAY_ACCESS_H

#include <stdbool.h>
#include <stddef.h>

#define ACCESS_TOKEN_MAX 128
#define ACCESS_TOKEN_MIN 16
#define ACCESS_NAME_MAX 300 /* "https://" and a name of DNS, with a port */
#define ACCESS_ORIGINS_MAX 16

typedef struct {
    char token[ACCESS_TOKEN_MAX + 1];
    char origin[ACCESS_ORIGINS_MAX][ACCESS_NAME_MAX]; /* as "https://name:443", or "null" */
    unsigned origins;
    char name[ACCESS_NAME_MAX]; /* "name:port" that was given to listen at; may be empty */
} access_t;

/* A new token of 128 random bits, in hexadecimal. False: the host has none to give. */
bool access_new_token(access_t *a);

/* ACCESS_TOKEN_MIN to _MAX letters, digits, '-', '_'. */
bool access_set_token(access_t *a, const char *token);

/* "http[s]://HOST[:PORT]" or "null". False: it is none, or there are too many. */
bool access_add_origin(access_t *a, const char *origin);

/* The name in "NAME:PORT" that is listened at means this server too; what is none is not taken. */
void access_set_name(access_t *a, const char *listen, unsigned port);

/*
 * `local` is the address that a connection has come in at, as "ADDRESS:PORT"; `is_loopback` says that it is the
 * host's loopback, so that "localhost" means it too. `host` and `origin` are what the headers say.
 */
bool access_host_ok(const access_t *a, const char *host, const char *local, bool is_loopback);
bool access_origin_ok(const access_t *a, const char *origin, const char *local, bool is_loopback);

/* Takes as long for each wrong token. */
bool access_token_ok(const access_t *a, const char *token);

#endif
