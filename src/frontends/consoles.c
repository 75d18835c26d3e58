/* SPDX-License-Identifier: MPL-2.0 */
#include "consoles.h"

#include "backend.h"
#include "console_link.h"
#include "server.h"

#include "../host/socket.h"
#include "../host/tty.h"
#include "../util.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CONSOLES_MAX (BOARD_SERIAL_MAX + BOARD_CONSOLES_MAX + BOARD_PORTS_MAX + 1)
#define VIEWS_MAX 8 /* places of one console */
#define WHERE_MAX 512

typedef enum { ENTRY_SERIAL, ENTRY_HVC, ENTRY_PORT, ENTRY_MONITOR } entry_kind_t;

/* One console and everything that looks at it. */
typedef struct {
    entry_kind_t kind;
    size_t index; /* among those of its kind */
    console_t *console;
    console_link_t *link[VIEWS_MAX];
    size_t link_count;
    console_server_t *server[VIEWS_MAX];
    size_t server_count;
    rvvm_machine_t *machine;
} entry_t;

struct consoles {
    consoles_desc_t desc;
    entry_t entry[CONSOLES_MAX];
    size_t count;
    terminal_t *terminal;
    chardev_t *stdio; /* the descriptors of the process behind a link, when they are no terminal */
    bool stdio_taken; /* by a port, which does not share it */
    bool on_hvc;      /* the main console is hvc0 */
    bool interactive;
    chardev_t *script; /* freed with its link */
    entry_t *main_entry;
    char *error;
    size_t error_size;
};

static const char *const entry_option[] = {"serial", "console", "port", "monitor"};
static const char *const entry_what[] = {"serial port", "console", "port", "monitor"};

PRINTF_LIKE(2, 3) static bool consoles_fail(consoles_t *cs, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsnprintf(cs->error, cs->error_size, fmt, args);
    va_end(args);
    return false;
}

static bool entry_add_link(entry_t *e, const console_link_desc_t *desc)
{
    if (e->link_count == VIEWS_MAX) {
        chardev_free(desc->backend);
        return false;
    }
    console_link_t *link = desc->backend ? console_link(e->console, desc) : NULL;
    if (link) {
        e->link[e->link_count++] = link;
    }
    return link != NULL;
}

/* --- The process's own descriptors --- */

static void consoles_on_terminal(void *opaque, terminal_event_t event)
{
    consoles_t *cs = opaque;
    cs->desc.on_event(cs->desc.opaque, event);
}

static void consoles_on_broken(void *opaque)
{
    consoles_on_terminal(opaque, TERMINAL_BROKEN);
}

/* A person's terminal, which consoles share. */
static bool consoles_open_terminal(consoles_t *cs, entry_t *e, bool reads)
{
    if (!cs->terminal) {
        cs->interactive = reads && host_tty_is(STDIN_FILENO);
        cs->terminal = terminal_create(&(terminal_desc_t){
            .in_fd = reads ? STDIN_FILENO : -1,
            .out_fd = STDOUT_FILENO,
            .commands = cs->interactive,
            .on_event = consoles_on_terminal,
            .opaque = cs,
        });
    }
    return cs->terminal && terminal_add(cs->terminal, e->console);
}

/* Pipes and files, for one console alone. */
static bool consoles_open_pipes(consoles_t *cs, entry_t *e, bool reads)
{
    cs->stdio_taken = true;
    cs->stdio = backend_create(&(backend_desc_t){
        .in_fd = reads ? STDIN_FILENO : -1,
        .out_fd = STDOUT_FILENO,
        .patient = cs->desc.options->icount,
        .on_broken = consoles_on_broken,
        .opaque = cs,
    });
    return entry_add_link(e, &(console_link_desc_t){.backend = cs->stdio, .stubborn = true});
}

static bool consoles_open_stdio(consoles_t *cs, entry_t *e, bool reads)
{
    bool terminal = e->kind != ENTRY_PORT &&
                    (host_tty_is(STDOUT_FILENO) || (reads && host_tty_is(STDIN_FILENO)));
    if (cs->stdio_taken || (!terminal && cs->terminal)) {
        return consoles_fail(cs,
                             "-%s stdio: only one port can have the standard input and output, "
                             "unless they are a terminal",
                             entry_option[e->kind]);
    }
    bool ok = terminal ? consoles_open_terminal(cs, e, reads) : consoles_open_pipes(cs, e, reads);
    return ok || consoles_fail(cs, "-%s stdio: out of memory", entry_option[e->kind]);
}

/* --- Places --- */

static bool consoles_open_socket(consoles_t *cs, entry_t *e, const char *place)
{
    char why[200];
    const char *where = strchr(place, ':') + 1;
    bool tcp = place[0] == 't';
    if (e->server_count == VIEWS_MAX) {
        return consoles_fail(cs, "-%s: at most %d sockets", entry_option[e->kind], VIEWS_MAX);
    }
    int fd = tcp ? host_socket_listen_tcp(where, why, sizeof(why))
                 : host_socket_listen_unix(where, why, sizeof(why));
    if (fd < 0) {
        return consoles_fail(cs, "-%s %s: %s", entry_option[e->kind], place, why);
    }
    console_server_t *server = console_serve(e->console, fd, tcp ? NULL : where);
    if (!server) {
        return consoles_fail(cs, "-%s %s: no memory, or no thread, for it", entry_option[e->kind],
                             place);
    }
    e->server[e->server_count++] = server;
    return true;
}

/* `reads`: the input of the process may be this one's. */
static bool consoles_open_place(consoles_t *cs, entry_t *e, const char *place, bool reads)
{
    char why[200];
    if (!strcmp(place, "stdio") || !strcmp(place, "stdout")) {
        return consoles_open_stdio(cs, e, reads && place[3] == 'i');
    }
    if (!strcmp(place, "window") && e->kind != ENTRY_PORT) {
        /* The window looks at every console that is not a channel. */
        return cs->desc.windowed ||
               consoles_fail(cs, "-%s window: rvkit has no window; rvkit-sdl has one",
                             entry_option[e->kind]);
    }
    if (!strncmp(place, "unix:", 5) || !strncmp(place, "tcp:", 4)) {
        return consoles_open_socket(cs, e, place);
    }
    chardev_t *backend =
        backend_open(place, entry_what[e->kind], cs->desc.options->icount, why, sizeof(why));
    if (!backend) {
        return consoles_fail(cs, "-%s %s: %s", entry_option[e->kind], place, why);
    }
    const console_link_desc_t link = {.backend = backend,
                                      .size = cs->desc.options->icount ? NULL : backend_size};
    return entry_add_link(e, &link) ||
           consoles_fail(cs, "-%s: at most %d places, and memory for them", entry_option[e->kind],
                         VIEWS_MAX);
}

/* Copies the place at *where up to a single comma; *where goes behind it, NULL at the end. */
static bool where_next(const char **where, char *place)
{
    const char *p = *where;
    size_t n = 0;
    while (*p && (*p != ',' || p[1] == ',') && n + 1 < WHERE_MAX) {
        p += *p == ',';
        place[n++] = *p++;
    }
    place[n] = 0;
    *where = *p == ',' ? p + 1 : NULL;
    return n && (!*p || *p == ',');
}

static bool consoles_open_places(consoles_t *cs, entry_t *e, const char *where, bool reads)
{
    char place[WHERE_MAX];
    const char *rest = where;
    while (rest) {
        if (!where_next(&rest, place) || !strcmp(place, "null")) {
            return consoles_fail(cs, "-%s %.80s: a place of the list is empty, too long, or null",
                                 entry_option[e->kind], where);
        }
        if (!consoles_open_place(cs, e, place, reads)) {
            return false;
        }
    }
    return true;
}

static entry_t *consoles_add(consoles_t *cs, entry_kind_t kind, size_t index, const char *name)
{
    entry_t *e = &cs->entry[cs->count];
    *e = (entry_t){.kind = kind, .index = index};
    e->console = console_create(&(console_desc_t){
        .name = name,
        .channel = kind == ENTRY_PORT,
        .patient = cs->desc.options->icount,
    });
    cs->count += e->console != NULL;
    return e->console ? e : NULL;
}

/* A console called name at WHERE, and the guest's end of it; *port NULL for "null". */
static bool consoles_open_one(consoles_t *cs, entry_kind_t kind, size_t index, const char *name,
                              const char *where, chardev_t **port)
{
    bool main_one = index == 0 && kind == (cs->on_hvc ? ENTRY_HVC : ENTRY_SERIAL);
    bool scripted = main_one && cs->desc.script;
    bool nowhere = !strcmp(where, "null");
    *port = NULL;
    if (nowhere && !scripted) {
        return true;
    }
    entry_t *e = consoles_add(cs, kind, index, name);
    if (!e) {
        return consoles_fail(cs, "out of memory");
    }
    cs->main_entry = main_one ? e : cs->main_entry;
    *port = console_port(e->console);
    if (scripted) {
        cs->script = script_play(cs->desc.script, cs->desc.on_script_done, cs->desc.opaque);
        if (!entry_add_link(e, &(console_link_desc_t){.backend = cs->script})) {
            cs->script = NULL;
            return consoles_fail(cs, "out of memory");
        }
    }
    return nowhere || consoles_open_places(cs, e, where, !scripted);
}

/* --- All of them --- */

static bool consoles_open_ports(consoles_t *cs, board_desc_t *board)
{
    const options_t *o = cs->desc.options;
    for (size_t i = 0; i < o->port_count; i++) {
        char name[64];
        const char *where = strchr(o->port[i], '=') + 1;
        snprintf(name, sizeof(name), "%.*s", (int)(where - 1 - o->port[i]), o->port[i]);
        board->port_count++;
        if (!consoles_open_one(cs, ENTRY_PORT, i, name, where, &board->port[i].chardev)) {
            return false;
        }
    }
    return true;
}

/* On the terminal by itself, where there is one with a keyboard. */
static bool consoles_open_monitor(consoles_t *cs, const char *where)
{
    entry_t *e = NULL;
    bool alone = !where && cs->interactive;
    if (where ? strcmp(where, "null") != 0 : alone) {
        e = consoles_add(cs, ENTRY_MONITOR, 0, "monitor");
        if (!e) {
            return consoles_fail(cs, "out of memory");
        }
    }
    if (e &&
        !(alone ? consoles_open_stdio(cs, e, true) : consoles_open_places(cs, e, where, true))) {
        return false;
    }
    if (e && cs->terminal) {
        terminal_set_monitor(cs->terminal, e->console);
    }
    return true;
}

static bool consoles_open_all(consoles_t *cs, board_desc_t *board)
{
    const options_t *o = cs->desc.options;
    const char *usual = cs->desc.windowed ? "window" : "stdio";
    const char *serial0 = o->serial_count ? o->serial[0] : cs->on_hvc ? "null" : usual;
    size_t serials = o->serial_count ? o->serial_count : 1;
    for (size_t i = 0; i < serials; i++) {
        char name[32];
        snprintf(name, sizeof(name), "ttyS%zu", i);
        board->serial_count++;
        if (!consoles_open_one(cs, ENTRY_SERIAL, i, name, i ? o->serial[i] : serial0,
                               &board->serial[i])) {
            return false;
        }
    }
    for (size_t i = 0; i < o->console_count; i++) {
        char name[32];
        snprintf(name, sizeof(name), "hvc%zu", i);
        board->console_count++;
        if (!consoles_open_one(cs, ENTRY_HVC, i, name, o->console[i], &board->console[i])) {
            return false;
        }
    }
    const char *monitor = o->monitor || !cs->desc.windowed ? o->monitor : "window";
    return consoles_open_ports(cs, board) && consoles_open_monitor(cs, monitor);
}

/* Whether WHERE has a person's place in it: the terminal or the window. */
static bool where_has_person(const char *where)
{
    char place[WHERE_MAX];
    while (where && where_next(&where, place)) {
        if (!strcmp(place, "stdio") || !strcmp(place, "window")) {
            return true;
        }
    }
    return false;
}

consoles_t *consoles_open(const consoles_desc_t *desc, board_desc_t *board, char *error,
                          size_t error_size)
{
    const options_t *o = desc->options;
    consoles_t *cs = calloc(1, sizeof(*cs));
    if (!cs) {
        snprintf(error, error_size, "out of memory");
        return NULL;
    }
    cs->desc = *desc;
    cs->error = error;
    cs->error_size = error_size;
    cs->on_hvc = !o->serial_count && o->console_count && where_has_person(o->console[0]);
    if (!consoles_open_all(cs, board)) {
        consoles_close(cs);
        return NULL;
    }
    return cs;
}

bool consoles_on_hvc(const consoles_t *cs)
{
    return cs->on_hvc;
}

static void entry_on_resize(void *opaque, uint16_t cols, uint16_t rows)
{
    const entry_t *e = opaque;
    board_resize_console(e->machine, e->index, cols, rows);
}

void consoles_connect(consoles_t *cs, rvvm_machine_t *machine)
{
    for (size_t i = 0; i < cs->count; i++) {
        entry_t *e = &cs->entry[i];
        e->machine = machine;
        if (e->kind == ENTRY_HVC) {
            console_on_resize(e->console, entry_on_resize, e);
        }
    }
}

void consoles_start(consoles_t *cs)
{
    if (cs->interactive) {
        host_tty_raw(STDIN_FILENO);
    }
    if (cs->terminal) {
        terminal_start(cs->terminal);
    }
}

console_t *consoles_at(consoles_t *cs, size_t index)
{
    for (size_t i = 0; i < cs->count; i++) {
        if (cs->entry[i].kind != ENTRY_PORT && index-- == 0) {
            return cs->entry[i].console;
        }
    }
    return NULL;
}

console_t *consoles_shown(consoles_t *cs)
{
    console_t *shown = cs->terminal ? terminal_shown(cs->terminal) : NULL;
    return shown || !cs->main_entry ? shown : cs->main_entry->console;
}

console_t *consoles_find(consoles_t *cs, const char *name)
{
    console_t *console = NULL;
    for (size_t i = 0; name && (console = consoles_at(cs, i)) != NULL; i++) {
        console_info_t info;
        console_info(console, &info);
        if (!strcmp(info.name, name)) {
            return console;
        }
    }
    return name ? NULL : consoles_shown(cs);
}

console_t *consoles_monitor(consoles_t *cs)
{
    for (size_t i = 0; i < cs->count; i++) {
        if (cs->entry[i].kind == ENTRY_MONITOR) {
            return cs->entry[i].console;
        }
    }
    return NULL;
}

chardev_t *consoles_script(consoles_t *cs)
{
    return cs->script;
}

void consoles_say(consoles_t *cs, const char *line)
{
    if (cs->terminal) {
        terminal_say(cs->terminal, line);
    } else {
        fprintf(stderr, "%s\n", line);
    }
}

bool consoles_interactive(const consoles_t *cs)
{
    return cs->interactive;
}

void consoles_flush(consoles_t *cs)
{
    if (cs->terminal) {
        terminal_flush(cs->terminal);
    }
}

const char *consoles_error(consoles_t *cs)
{
    return cs->terminal ? terminal_error(cs->terminal) : cs->stdio ? backend_error(cs->stdio) : "";
}

void consoles_close(consoles_t *cs)
{
    if (!cs) {
        return;
    }
    for (size_t i = 0; i < cs->count; i++) {
        entry_t *e = &cs->entry[i];
        for (size_t j = 0; j < e->server_count; j++) {
            console_unserve(e->server[j]);
        }
        for (size_t j = 0; j < e->link_count; j++) {
            console_unlink(e->link[j]);
        }
    }
    terminal_close(cs->terminal);
    for (size_t i = 0; i < cs->count; i++) {
        console_release(cs->entry[i].console);
    }
    free(cs);
}
