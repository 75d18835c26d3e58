/* SPDX-License-Identifier: MPL-2.0 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* getentropy(), also with -std=c11 */
#endif
#include "access.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* "HOST[:PORT]" in lower case, with a port; false: it cannot be that. */
static bool access_authority(const char *text, const char *usual_port, char *out, size_t out_size)
{
    const char *close = *text == '[' ? strchr(text, ']') : NULL;
    const char *host_end = close ? close + 1 : text + strcspn(text, ":");
    const char *port = *host_end == ':' ? host_end + 1 : usual_port;
    bool plain = host_end > text && (*host_end == ':' || !*host_end) &&
                 strspn(port, "0123456789") == strlen(port) && *port && strlen(port) <= 5;
    for (const char *c = text; plain && c < host_end; c++) {
        plain = isalnum((unsigned char)*c) || strchr(close ? "[]:." : "-._", *c);
    }
    int n = plain ? snprintf(out, out_size, "%.*s:%s", (int)(host_end - text), text, port) : -1;
    for (char *c = out; n > 0 && (size_t)n < out_size && *c; c++) {
        *c = (char)tolower((unsigned char)*c);
    }
    return n > 0 && (size_t)n < out_size;
}

/* "http://name:80"; the authority begins at *authority. */
static bool access_origin(const char *text, char *out, size_t out_size, size_t *authority)
{
    bool https = !strncmp(text, "https://", 8);
    if (!https && strncmp(text, "http://", 7)) {
        return false;
    }
    *authority = https ? 8 : 7;
    memcpy(out, text, *authority);
    return access_authority(text + *authority, https ? "443" : "80", out + *authority,
                            out_size - *authority);
}

bool access_new_token(access_t *a)
{
    unsigned char bytes[16];
    bool ok = getentropy(bytes, sizeof(bytes)) == 0;
    for (size_t i = 0; ok && i < sizeof(bytes); i++) {
        snprintf(a->token + 2 * i, 3, "%02x", bytes[i]);
    }
    return ok;
}

bool access_set_token(access_t *a, const char *token)
{
    size_t length = strlen(token);
    for (const char *c = token; *c; c++) {
        if (!isalnum((unsigned char)*c) && *c != '-' && *c != '_') {
            return false;
        }
    }
    if (length < ACCESS_TOKEN_MIN || length > ACCESS_TOKEN_MAX) {
        return false;
    }
    memcpy(a->token, token, length + 1);
    return true;
}

bool access_add_origin(access_t *a, const char *origin)
{
    size_t at;
    if (a->origins == ACCESS_ORIGINS_MAX) {
        return false;
    }
    char *place = a->origin[a->origins];
    if (!strcmp(origin, "null")) {
        snprintf(place, ACCESS_NAME_MAX, "null");
    } else if (!access_origin(origin, place, ACCESS_NAME_MAX, &at)) {
        return false;
    }
    a->origins++;
    return true;
}

void access_set_name(access_t *a, const char *listen, unsigned port)
{
    char text[ACCESS_NAME_MAX];
    const char *colon = strrchr(listen, ':');
    snprintf(text, sizeof(text), "%.*s:%u", colon ? (int)(colon - listen) : 0, listen, port);
    if (!access_authority(text, "", a->name, sizeof(a->name))) {
        a->name[0] = 0;
    }
}

/* This server itself, under a name that only it has: "name:port". */
static bool access_is_self(const access_t *a, const char *name, const char *local, bool is_loopback)
{
    char localhost[32];
    const char *colon = strrchr(local, ':');
    snprintf(localhost, sizeof(localhost), "localhost%.6s", colon ? colon : "");
    return !strcmp(name, local) || (a->name[0] && !strcmp(name, a->name)) ||
           (is_loopback && !strcmp(name, localhost));
}

bool access_host_ok(const access_t *a, const char *host, const char *local, bool is_loopback)
{
    char name[ACCESS_NAME_MAX];
    if (!access_authority(host, "80", name, sizeof(name))) {
        return false;
    }
    bool ok = access_is_self(a, name, local, is_loopback);
    for (unsigned i = 0; !ok && i < a->origins; i++) {
        const char *at = strstr(a->origin[i], "://");
        char other[ACCESS_NAME_MAX]; /* a proxy for https may leave its port out */
        ok = at && (!strcmp(at + 3, name) || (access_authority(host, "443", other, sizeof(other)) &&
                                              !strcmp(at + 3, other)));
    }
    return ok;
}

bool access_origin_ok(const access_t *a, const char *origin, const char *local, bool is_loopback)
{
    char name[ACCESS_NAME_MAX];
    size_t at = 0;
    if (!strcmp(origin, "null")) {
        snprintf(name, sizeof(name), "null");
    } else if (!access_origin(origin, name, sizeof(name), &at)) {
        return false;
    }
    bool ok = at == 7 && access_is_self(a, name + at, local, is_loopback);
    for (unsigned i = 0; !ok && i < a->origins; i++) {
        ok = !strcmp(a->origin[i], name);
    }
    return ok;
}

bool access_token_ok(const access_t *a, const char *token)
{
    size_t length = strlen(a->token), given = strlen(token);
    unsigned differ = length != given || !length;
    for (size_t i = 0; i < length; i++) {
        differ |= (unsigned char)(a->token[i] ^ (i < given ? token[i] : 0));
    }
    return !differ;
}
