/* SPDX-License-Identifier: MPL-2.0 */
#include "script_parse.h"

#include "options.h"

#include "../host/file.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_SECONDS 60
#define MAX_SECONDS 1000000
#define MAX_LINE 65536
#define MAX_FILE ((uint64_t)256 << 20)

/* One line being read. */
typedef struct line_reader {
    const char *p, *end;
    const char *name;
    unsigned number;
    char *error;
    size_t error_size;
} line_reader_t;

__attribute__((format(printf, 2, 3))) static bool line_fail(line_reader_t *l, const char *fmt, ...)
{
    char what[200];
    va_list args;
    va_start(args, fmt);
    vsnprintf(what, sizeof(what), fmt, args);
    va_end(args);
    snprintf(l->error, l->error_size, "%s:%u: %s", l->name, l->number, what);
    return false;
}

static void line_skip_space(line_reader_t *l)
{
    while (l->p < l->end && (*l->p == ' ' || *l->p == '\t' || *l->p == '\r')) {
        l->p++;
    }
}

/* Nothing but space or a comment is left. */
static bool line_at_end(line_reader_t *l)
{
    line_skip_space(l);
    return l->p == l->end || *l->p == '#';
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Up to max digits of the base from l->p; -1 when there is none or the value is more than a byte.
 */
static int line_code(line_reader_t *l, int base, int max)
{
    int value = 0, count = 0;
    while (count < max && l->p < l->end) {
        int digit = hex_digit(*l->p);
        if (digit < 0 || digit >= base) {
            break;
        }
        value = value * base + digit;
        count++;
        l->p++;
    }
    return count && value <= 255 ? value : -1;
}

/* What follows a backslash; -1 when C has no such escape. */
static int line_escape(line_reader_t *l)
{
    static const char names[] = "nrtabef\\\"'v";
    static const char values[] = "\n\r\t\a\b\033\f\\\"'\v";
    if (l->p == l->end) {
        return -1;
    }
    const char *found = memchr(names, *l->p, sizeof(names) - 1);
    if (found) {
        l->p++;
        return (unsigned char)values[found - names];
    }
    if (*l->p == 'x') {
        l->p++;
        return line_code(l, 16, 2);
    }
    return line_code(l, 8, 3);
}

/* A text in double quotes into a new buffer. */
static bool line_text(line_reader_t *l, char **text, size_t *size)
{
    line_skip_space(l);
    if (l->p == l->end || *l->p != '"') {
        return line_fail(l, "a text in double quotes is needed here");
    }
    l->p++;
    char *out = malloc((size_t)(l->end - l->p) + 1);
    if (!out) {
        return line_fail(l, "out of memory");
    }
    size_t n = 0;
    while (l->p < l->end && *l->p != '"') {
        int c = (unsigned char)*l->p++;
        if (c == '\\') {
            c = line_escape(l);
        }
        if (c < 0) {
            free(out);
            return line_fail(
                l,
                "unknown escape in a text (known: \\n \\r \\t \\e \\a \\b \\\\ \\\" \\xHH \\OOO)");
        }
        out[n++] = (char)c;
    }
    if (l->p == l->end) {
        free(out);
        return line_fail(l, "the closing quote is missing");
    }
    l->p++;
    out[n] = 0;
    *text = out;
    *size = n;
    return true;
}

/* A word without quotes into buf; empty at the end of the line. */
static bool line_word(line_reader_t *l, char *buf, size_t size)
{
    line_skip_space(l);
    size_t n = 0;
    while (l->p < l->end && *l->p != ' ' && *l->p != '\t' && *l->p != '\r') {
        if (n + 1 == size) {
            buf[n] = 0;
            return line_fail(l, "a word is too long: %s...", buf);
        }
        buf[n++] = *l->p++;
    }
    buf[n] = 0;
    return true;
}

/* Seconds, with a fraction perhaps. */
static bool line_seconds(line_reader_t *l, uint64_t *ns)
{
    char word[32], *rest;
    if (!line_word(l, word, sizeof(word))) {
        return false;
    }
    double seconds = strtod(word, &rest);
    bool digit = (word[0] >= '0' && word[0] <= '9') || word[0] == '.';
    if (!digit || *rest || !(seconds >= 0 && seconds <= MAX_SECONDS)) {
        return line_fail(l, "\"%s\" is no number of seconds", word);
    }
    *ns = (uint64_t)(seconds * 1e9);
    return true;
}

static bool line_status(line_reader_t *l, int *status)
{
    char word[32], *rest;
    if (!line_word(l, word, sizeof(word))) {
        return false;
    }
    long value = strtol(word, &rest, 10);
    if (word[0] < '0' || word[0] > '9' || *rest || value > 255) {
        return line_fail(l, "\"%s\" is no exit status (0 to 255)", word);
    }
    *status = (int)value;
    return true;
}

/* Reads the file that the line names into the command's text. */
static bool line_file(line_reader_t *l, script_command_t *c, bool paste)
{
    char *path, why[100];
    size_t size;
    uint8_t *data;
    if (!line_text(l, &path, &size)) {
        return false;
    }
    bool ok = host_file_read_all(path, MAX_FILE, &data, &c->text_size, why, sizeof(why)) ||
              line_fail(l, "%s: %s", path, why);
    free(path);
    if (!ok) {
        return false;
    }
    c->text = (char *)data;
    for (size_t i = 0; paste && i < c->text_size; i++) {
        c->text[i] = c->text[i] == '\n' ? '\r' : c->text[i];
    }
    return true;
}

static bool line_size(line_reader_t *l, uint64_t *bytes)
{
    char word[32];
    line_skip_space(l);
    if (!line_word(l, word, sizeof(word))) {
        return false;
    }
    *bytes = 0;
    return !strcmp(word, "0") || options_parse_size(word, bytes) ||
           line_fail(l, "\"%s\" is no size (such as 64M, or 0)", word);
}

static bool line_expect(line_reader_t *l, script_command_t *c)
{
    if (!line_text(l, &c->text, &c->text_size)) {
        return false;
    }
    if (!c->text_size) {
        return line_fail(l, "an empty text cannot be expected");
    }
    return line_at_end(l) || line_seconds(l, &c->time_ns);
}

/* The command of a line that is not empty. */
static bool line_command(line_reader_t *l, script_command_t *c)
{
    char word[32];
    if (!line_word(l, word, sizeof(word))) {
        return false;
    }
    c->time_ns = (uint64_t)DEFAULT_SECONDS * 1000000000u;
    bool ok;
    if (!strcmp(word, "expect")) {
        c->kind = SCRIPT_EXPECT;
        ok = line_expect(l, c);
    } else if (!strcmp(word, "send")) {
        c->kind = SCRIPT_SEND;
        ok = line_text(l, &c->text, &c->text_size);
    } else if (!strcmp(word, "sendfile") || !strcmp(word, "paste")) {
        c->kind = SCRIPT_SEND;
        ok = line_file(l, c, word[0] == 'p');
    } else if (!strcmp(word, "sleep")) {
        c->kind = SCRIPT_SLEEP;
        ok = line_seconds(l, &c->time_ns);
    } else if (!strcmp(word, "balloon")) {
        c->kind = SCRIPT_BALLOON;
        ok = line_size(l, &c->bytes);
    } else if (!strcmp(word, "off")) {
        c->kind = SCRIPT_OFF;
        ok = line_at_end(l) || line_seconds(l, &c->time_ns);
    } else if (!strcmp(word, "quit")) {
        c->kind = SCRIPT_QUIT;
        ok = line_at_end(l) || line_status(l, &c->status);
    } else {
        return line_fail(
            l, "unknown command \"%s\" (known: expect send sendfile paste sleep balloon off quit)", word);
    }
    if (ok && !line_at_end(l)) {
        return line_fail(l, "something is left over at the end of the line");
    }
    return ok;
}

/* A copy of the line for messages, without the space around it. */
static char *line_source(const char *p, const char *end)
{
    while (end > p && (end[-1] == ' ' || end[-1] == '\t' || end[-1] == '\r')) {
        end--;
    }
    size_t n = (size_t)(end - p) < 200 ? (size_t)(end - p) : 200;
    char *copy = malloc(n + 1);
    if (copy) {
        memcpy(copy, p, n);
        copy[n] = 0;
    }
    return copy;
}

/* Adds the command of one line, if there is one. */
static bool script_add_line(script_t *s, line_reader_t *l)
{
    if (line_at_end(l)) {
        return true;
    }
    if (l->end - l->p > MAX_LINE) {
        return line_fail(l, "the line is too long");
    }
    script_command_t *bigger = realloc(s->commands, (s->count + 1) * sizeof(*bigger));
    if (!bigger) {
        return line_fail(l, "out of memory");
    }
    s->commands = bigger;
    script_command_t *c = &s->commands[s->count++];
    *c = (script_command_t){.line = l->number, .source = line_source(l->p, l->end)};
    if (!c->source) {
        return line_fail(l, "out of memory");
    }
    return line_command(l, c);
}

script_t *script_parse(const char *name, const char *text, size_t size, char *error,
                       size_t error_size)
{
    script_t *s = calloc(1, sizeof(*s));
    if (s) {
        s->name = line_source(name, name + strlen(name));
    }
    line_reader_t l = {.name = name, .error = error, .error_size = error_size};
    if (!s || !s->name) {
        script_free(s);
        line_fail(&l, "out of memory");
        return NULL;
    }
    const char *p = text, *end = text + size;
    while (p < end) {
        const char *eol = memchr(p, '\n', (size_t)(end - p));
        l.p = p;
        l.end = eol ? eol : end;
        l.number++;
        if (!script_add_line(s, &l)) {
            script_free(s);
            return NULL;
        }
        p = eol ? eol + 1 : end;
    }
    return s;
}

void script_free(script_t *s)
{
    if (!s) {
        return;
    }
    for (size_t i = 0; i < s->count; i++) {
        free(s->commands[i].source);
        free(s->commands[i].text);
    }
    free(s->commands);
    free(s->name);
    free(s);
}
