/* SPDX-License-Identifier: MPL-2.0 */
#include "options.h"

#include "../src/util.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define USUAL_LISTEN "127.0.0.1:8086"

typedef struct {
    options_t *o;
    char *error;
    size_t error_size;
} parser_t;

PRINTF_LIKE(2, 3) static bool parser_fail(parser_t *p, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsnprintf(p->error, p->error_size, fmt, args);
    va_end(args);
    return false;
}

static bool parse_listen(parser_t *p, const char *value)
{
    p->o->listen = value;
    return true;
}

static bool parse_serve(parser_t *p, const char *value)
{
    struct stat st;
    if (stat(value, &st) < 0 || !S_ISDIR(st.st_mode)) {
        return parser_fail(p, "-serve %s: there is no such folder", value);
    }
    p->o->files.folder = value;
    return true;
}

/* "/guest/Image=PATH"; the value is cut in two. */
static bool parse_file(parser_t *p, const char *value)
{
    files_t *files = &p->o->files;
    char *equals = strchr((char *)(uintptr_t)value, '=');
    if (*value != '/' || !equals || !equals[1]) {
        return parser_fail(p, "-file %s: it is /ADDRESS=PATH", value);
    }
    if (access(equals + 1, R_OK) < 0) {
        return parser_fail(p, "-file %s: the file cannot be read", value);
    }
    if (files->singles == FILES_SINGLE_MAX) {
        return parser_fail(p, "-file: no more than %u files", FILES_SINGLE_MAX);
    }
    *equals = 0;
    files->url[files->singles] = value;
    files->path[files->singles++] = equals + 1;
    return true;
}

static bool parse_token(parser_t *p, const char *value)
{
    return access_set_token(&p->o->access, value) ||
           parser_fail(p, "-token: %u to %u letters, digits, '-' and '_'", ACCESS_TOKEN_MIN, ACCESS_TOKEN_MAX);
}

static bool parse_origin(parser_t *p, const char *value)
{
    return access_add_origin(&p->o->access, value) ||
           parser_fail(p, "-origin %s: it is http://HOST[:PORT] or https://..., at most %u times", value,
                       ACCESS_ORIGINS_MAX);
}

static bool parse_number(parser_t *p, const char *name, const char *value, unsigned most, unsigned *number)
{
    size_t digits = strspn(value, "0123456789");
    unsigned long n = digits && digits < 8 && !value[digits] ? strtoul(value, NULL, 10) : 0;
    *number = (unsigned)n;
    return (n >= 1 && n <= most) || parser_fail(p, "%s %s: it is a number from 1 to %u", name, value, most);
}

static bool parse_max(parser_t *p, const char *value)
{
    return parse_number(p, "-max", value, 1024, &p->o->max);
}

static bool parse_ping(parser_t *p, const char *value)
{
    return parse_number(p, "-ping", value, 3600, &p->o->ping);
}

static bool parse_shared(parser_t *p, const char *value)
{
    (void)value;
    p->o->shared = true;
    return true;
}

static bool parse_loopback(parser_t *p, const char *value)
{
    (void)value;
    p->o->loopback = true;
    return true;
}

static const struct {
    const char *name, *value; /* value NULL: it has none */
    bool (*parse)(parser_t *p, const char *value);
    const char *help;
} option_rows[] = {
    {"listen", "HOST:PORT", parse_listen, "where to listen; port 0 is any (" USUAL_LISTEN ")"},
    {"serve", "DIR", parse_serve, "serve this folder's files over HTTP"},
    {"file", "/ADDRESS=PATH", parse_file, "serve one file at that address; may be repeated"},
    {"token", "TEXT", parse_token, "what guests must know (new and random each time)"},
    {"origin", "URL", parse_origin, "pages from there may connect too; may be repeated"},
    {"shared", NULL, parse_shared, "one network for all guests, instead of one each"},
    {"loopback", NULL, parse_loopback, "guests reach this host's loopback, at 10.0.2.2"},
    {"max", "NUMBER", parse_max, "guests at a time (16)"},
    {"ping", "SECONDS", parse_ping, "of silence before a page is asked whether it is there (30)"},
    {"version", NULL, NULL, "print the version"},
    {"help", NULL, NULL, "print this"},
};

void options_print_help(void)
{
    puts("usage: rvkit-relay [OPTION]...\n"
         "A network for guests in browsers: a WebSocket of Ethernet frames, and the page's files.\n");
    for (size_t i = 0; i < ARRAY_LEN(option_rows); i++) {
        char left[40];
        snprintf(left, sizeof(left), "-%s %s", option_rows[i].name,
                 option_rows[i].value ? option_rows[i].value : "");
        printf("  %-22s %s\n", left, option_rows[i].help);
    }
}

/* The row of "-name" or "--name", with a value after '=' maybe; ARRAY_LEN: none. */
static size_t option_find(const char *arg, const char **value)
{
    const char *name = arg + 1 + (arg[1] == '-');
    size_t length = strcspn(name, "="), i = 0;
    *value = name[length] ? name + length + 1 : NULL;
    if (*arg != '-') {
        return ARRAY_LEN(option_rows);
    }
    if (length == 1 && *name == 'h') {
        return ARRAY_LEN(option_rows) - 1;
    }
    while (i < ARRAY_LEN(option_rows) &&
           (strlen(option_rows[i].name) != length || memcmp(option_rows[i].name, name, length))) {
        i++;
    }
    return i;
}

static bool options_finish(parser_t *p)
{
    options_t *o = p->o;
    const char *colon = strrchr(o->listen, ':');
    size_t digits = colon ? strspn(colon + 1, "0123456789") : 0;
    if (!digits || digits > 5 || colon[1 + digits] || strtoul(colon + 1, NULL, 10) > 65535 ||
        strlen(o->listen) >= 256) {
        return parser_fail(p, "-listen %s: it is HOST:PORT", o->listen);
    }
    return o->access.token[0] || access_new_token(&o->access) ||
           parser_fail(p, "this host has no random numbers for a token; give one with -token");
}

options_result_t options_parse(options_t *o, int argc, char **argv, char *error, size_t error_size)
{
    parser_t p = {o, error, error_size};
    *o = (options_t){.listen = USUAL_LISTEN, .max = 16, .ping = 30};
    for (int at = 1; at < argc; at++) {
        const char *arg = argv[at], *value;
        size_t i = option_find(arg, &value);
        if (i == ARRAY_LEN(option_rows)) {
            parser_fail(&p, "unknown option %.60s (rvkit-relay -help lists all)", arg);
            return OPTIONS_WRONG;
        }
        if (!option_rows[i].value && value) {
            parser_fail(&p, "-%s takes no value", option_rows[i].name);
            return OPTIONS_WRONG;
        }
        if (!option_rows[i].parse) {
            return *option_rows[i].name == 'h' ? OPTIONS_HELP : OPTIONS_VERSION;
        }
        if (option_rows[i].value && !value && ++at < argc) {
            value = argv[at];
        }
        if (option_rows[i].value && (!value || !*value)) {
            parser_fail(&p, "-%s needs a value: %s", option_rows[i].name, option_rows[i].value);
            return OPTIONS_WRONG;
        }
        if (!option_rows[i].parse(&p, value)) {
            return OPTIONS_WRONG;
        }
    }
    return options_finish(&p) ? OPTIONS_RUN : OPTIONS_WRONG;
}
