/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Runs a program that asks and shows (vttest) on a terminal of 80 by 24 and tells its screens.
 * Usage: screens KEYS PROGRAM [ARGUMENT...]
 * KEYS are words: a word is typed with RETURN; * is RETURN until the program asks for a choice
 * again. A key is typed when the program has asked for one and is silent. Each such screen is told:
 *   == NUMBER key KEY cursor ROW,COLUMN [hidden] [reverse]
 *   RR|TEXT|  a row with text
 *   RR:MARKS  its attributes, one digit a cell: bold 1, underline 2, blink 4, inverse 8
 *   RRfMARKS, RRbMARKS  its foreground and background, where they are not the default
 * Exit status 0; 1 when it did not ask within ten seconds.
 */
#include "frontends/vt.h"

#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define COLS 80
#define ROWS 24
#define TAIL 64
#define QUIET_MS 100
#define LIMIT_MS 10000

typedef struct {
    int fd;
    vt_t *vt;
    char tail[TAIL + 1]; /* the last bytes since a key */
    size_t tail_len;
    unsigned shown;
} run_t;

static void on_reply(void *ctx, const void *bytes, size_t len)
{
    if (write(((run_t *)ctx)->fd, bytes, len) < 0) {
        perror("screens: reply");
    }
}

static void keep_tail(run_t *r, const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (r->tail_len == TAIL) {
            memmove(r->tail, r->tail + 1, TAIL - 1);
            r->tail_len--;
        }
        r->tail[r->tail_len++] = bytes[i];
    }
    r->tail[r->tail_len] = 0;
}

static bool asks_choice(const run_t *r)
{
    return strstr(r->tail, "choice number") || strstr(r->tail, "try again");
}

static bool asks(const run_t *r)
{
    return asks_choice(r) || strstr(r->tail, "RETURN");
}

/* False when the program ended or does not ask. */
static bool wait_for_prompt(run_t *r)
{
    char buf[4096];
    struct pollfd p = {.fd = r->fd, .events = POLLIN};
    for (;;) {
        if (poll(&p, 1, asks(r) ? QUIET_MS : LIMIT_MS) <= 0) {
            return asks(r);
        }
        ssize_t n = read(r->fd, buf, sizeof(buf));
        if (n <= 0) {
            return false;
        }
        keep_tail(r, buf, (size_t)n);
        vt_write(r->vt, buf, (size_t)n);
    }
}

static char attributes(const vt_cell_t *c)
{
    unsigned a = (c->fg & VT_BOLD ? 1u : 0) | (c->bg & VT_UNDERLINE ? 2u : 0) |
                 (c->bg & VT_BLINK ? 4u : 0) | (c->fg & VT_INVERSE ? 8u : 0);
    return a ? "0123456789abcdef"[a] : ' ';
}

static char background(const vt_cell_t *c)
{
    return c->bg & VT_COLOR_KIND ? "0123456789abcdef"[c->bg & 15] : ' ';
}

static char foreground(const vt_cell_t *c)
{
    return c->fg & VT_COLOR_KIND ? "0123456789abcdef"[c->fg & 15] : ' ';
}

/* A row of marks unless it is blank. */
static void print_marks(const vt_cell_t *cells, unsigned y, char name,
                        char (*mark)(const vt_cell_t *))
{
    char marks[COLS + 1];
    unsigned end = 0;
    for (unsigned x = 0; x < COLS; x++) {
        marks[x] = mark(&cells[x]);
        end = marks[x] != ' ' ? x + 1 : end;
    }
    marks[end] = 0;
    if (end) {
        printf("%02u%c%s\n", y + 1, name, marks);
    }
}

static void show(run_t *r, const char *key)
{
    vt_cursor_t c;
    vt_modes_t m;
    size_t len;
    vt_cursor(r->vt, &c);
    vt_modes(r->vt, &m);
    printf("== %u key %s cursor %u,%u%s%s\n", ++r->shown, key, c.row + 1, c.col + 1,
           c.visible ? "" : " hidden", m.reverse_video ? " reverse" : "");
    for (unsigned y = 0; y < ROWS; y++) {
        char *text = vt_select(r->vt, (int)y, 0, (int)y, COLS - 1, true, &len);
        if (text && *text) {
            printf("%02u|%s|\n", y + 1, text);
        }
        free(text);
        const vt_cell_t *cells = vt_row(r->vt, (int)y);
        print_marks(cells, y, ':', attributes);
        print_marks(cells, y, 'f', foreground);
        print_marks(cells, y, 'b', background);
    }
}

static bool type(run_t *r, const char *key)
{
    r->tail_len = 0;
    r->tail[0] = 0;
    for (const char *c = key; *c && *c != '*'; c++) {
        vt_key(r->vt, (uint8_t)*c, 0);
    }
    vt_key(r->vt, VT_KEY_ENTER, 0);
    return wait_for_prompt(r);
}

static bool play(run_t *r, char *keys)
{
    if (!wait_for_prompt(r)) {
        return false;
    }
    show(r, "(none)");
    for (char *key = strtok(keys, " \n"); key; key = strtok(NULL, " \n")) {
        bool repeat = !strcmp(key, "*");
        while (!repeat || !asks_choice(r)) {
            bool good = type(r, key);
            show(r, good ? key : "(stuck)");
            if (!good) {
                return false;
            }
            if (!repeat) {
                break;
            }
        }
    }
    return true;
}

int main(int argc, char **argv)
{
    struct winsize size = {.ws_row = ROWS, .ws_col = COLS};
    run_t r = {0};
    if (argc < 3) {
        fprintf(stderr, "usage: screens KEYS PROGRAM [ARGUMENT...]\n");
        return 2;
    }
    vt_callbacks_t cb = {.reply = on_reply, .ctx = &r};
    r.vt = vt_create(COLS, ROWS, 100, &cb);
    pid_t pid = forkpty(&r.fd, NULL, NULL, &size);
    if (pid == 0) {
        setenv("TERM", "vt220", 1);
        setenv("LC_ALL", "C.UTF-8", 1);
        execvp(argv[2], argv + 2);
        _exit(127);
    }
    bool good = r.vt && pid > 0 && play(&r, argv[1]);
    if (pid > 0) {
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
    }
    vt_destroy(r.vt);
    return good ? 0 : 1;
}
