/* SPDX-License-Identifier: MPL-2.0 */
#include "terminal.h"

#include "line.h"

#include "../host/socket.h"
#include "../host/stream.h"
#include "../host/tty.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CTRL_A 0x01

/* A terminal's paste must not hide Ctrl-A x behind a guest that does not read, so it waits in
 * memory. */
#define COMMANDS_LIMIT ((size_t)64 << 20)
/* The window is looked at about four times a second. */
#define SIZE_TURNS 16

#define PLAIN_LIMIT ((size_t)64 << 10)

typedef struct terminal {
    chardev_t dev;
    terminal_desc_t desc;
    host_stream_t *stream;
    void (*on_size)(void *opaque, uint16_t cols, uint16_t rows);
    void *size_opaque;
    unsigned turns; /* updates until the window is looked at */
    uint16_t cols, rows;
    bool prefix; /* Ctrl-A was the last byte; reader thread */
} terminal_t;

static const char terminal_help[] = "\r\n"
                                    "Ctrl-A x       exit rvkit\r\n"
                                    "Ctrl-A h       this help\r\n"
                                    "Ctrl-A Ctrl-A  send Ctrl-A to the guest (also Ctrl-A a)\r\n";

static void terminal_tell(terminal_t *t, terminal_event_t event)
{
    if (t->desc.on_event) {
        t->desc.on_event(t->desc.opaque, event);
    }
}

/* The byte after Ctrl-A; true when it (or what it stands for) goes to the guest. */
static bool terminal_command(terminal_t *t, uint8_t *byte)
{
    switch (*byte) {
    case 'x':
    case 'X':
    case 'x' & 0x1f:
        terminal_tell(t, TERMINAL_QUIT);
        return false;
    case 'h':
    case 'H':
    case '?':
        fputs(terminal_help, stderr);
        return false;
    case 'a':
    case CTRL_A:
        *byte = CTRL_A;
        return true;
    default:
        return false;
    }
}

static size_t terminal_filter(void *opaque, uint8_t *data, size_t size)
{
    terminal_t *t = opaque;
    size_t kept = 0;
    for (size_t i = 0; i < size; i++) {
        uint8_t byte = data[i];
        if (t->prefix) {
            t->prefix = false;
            if (terminal_command(t, &byte)) {
                data[kept++] = byte;
            }
        } else if (byte == CTRL_A) {
            t->prefix = true;
        } else {
            data[kept++] = byte;
        }
    }
    return kept;
}

static void terminal_on_stream(void *opaque, unsigned bits)
{
    terminal_t *t = opaque;
    uint32_t flags =
        (bits & HOST_STREAM_RX ? CHARDEV_RX : 0) | (bits & HOST_STREAM_TX ? CHARDEV_TX : 0);
    if (bits & HOST_STREAM_BROKEN) {
        terminal_tell(t, TERMINAL_BROKEN);
    }
    chardev_notify(&t->dev, flags);
}

static uint32_t terminal_poll(chardev_t *dev)
{
    terminal_t *t = dev->data;
    unsigned bits = host_stream_poll(t->stream);
    return (bits & HOST_STREAM_RX ? CHARDEV_RX : 0) | (bits & HOST_STREAM_TX ? CHARDEV_TX : 0);
}

static size_t terminal_read(chardev_t *dev, void *buf, size_t nbytes)
{
    terminal_t *t = dev->data;
    return host_stream_read(t->stream, buf, nbytes);
}

static size_t terminal_write(chardev_t *dev, const void *buf, size_t nbytes)
{
    terminal_t *t = dev->data;
    return host_stream_write(t->stream, buf, nbytes);
}

static void terminal_update(chardev_t *dev)
{
    terminal_t *t = dev->data;
    host_stream_pump(t->stream);
    uint16_t cols, rows;
    if (t->on_size && t->turns-- == 0) {
        t->turns = SIZE_TURNS;
        if (host_tty_size(t->desc.out_fd, &cols, &rows) && (cols != t->cols || rows != t->rows)) {
            t->cols = cols;
            t->rows = rows;
            t->on_size(t->size_opaque, cols, rows);
        }
    }
}

static void terminal_close_fds(const terminal_desc_t *desc)
{
    if (desc->owns_fds) {
        if (desc->in_fd >= 0) {
            close(desc->in_fd);
        }
        if (desc->out_fd >= 0 && desc->out_fd != desc->in_fd) {
            close(desc->out_fd);
        }
        if (desc->held_fd > 0) {
            close(desc->held_fd);
        }
    }
}

static void terminal_remove(chardev_t *dev)
{
    terminal_t *t = dev->data;
    host_stream_close(t->stream);
    terminal_close_fds(&t->desc);
    free(t);
}

chardev_t *terminal_create(const terminal_desc_t *desc)
{
    terminal_t *t = calloc(1, sizeof(*t));
    if (!t) {
        return NULL;
    }
    t->desc = *desc;
    t->stream = host_stream_open(&(host_stream_desc_t){
        .in_fd = desc->in_fd,
        .out_fd = desc->out_fd,
        .in_limit = desc->commands ? COMMANDS_LIMIT : PLAIN_LIMIT,
        .patient = desc->patient,
        .event = terminal_on_stream,
        .filter = desc->commands ? terminal_filter : NULL,
        .opaque = t,
    });
    if (!t->stream) {
        free(t);
        return NULL;
    }
    t->dev = (chardev_t){
        .poll = terminal_poll,
        .read = terminal_read,
        .write = terminal_write,
        .update = terminal_update,
        .remove = terminal_remove,
        .data = t,
    };
    return &t->dev;
}

/* NULL for back ends of another make. */
static terminal_t *terminal_of(chardev_t *dev)
{
    return dev && dev->remove == terminal_remove ? dev->data : NULL;
}

void terminal_watch_size(chardev_t *dev, void (*fn)(void *opaque, uint16_t cols, uint16_t rows), void *opaque)
{
    terminal_t *t = terminal_of(dev);
    if (t && !t->desc.patient) {
        t->on_size = fn;
        t->size_opaque = opaque;
    }
}

void terminal_flush(chardev_t *dev)
{
    terminal_t *t = terminal_of(dev);
    if (t) {
        host_stream_flush(t->stream);
    }
}

const char *terminal_error(chardev_t *dev)
{
    terminal_t *t = terminal_of(dev);
    return t ? strerror(host_stream_error(t->stream)) : "";
}

/* A terminal that owns its descriptors; they are closed on failure too. */
static chardev_t *terminal_owning(terminal_desc_t desc, char *error, size_t error_size)
{
    desc.owns_fds = true;
    chardev_t *dev = terminal_create(&desc);
    if (!dev) {
        terminal_close_fds(&desc);
        snprintf(error, error_size, "out of memory");
    }
    return dev;
}

static chardev_t *terminal_open_pty(const char *what, bool patient, char *error, size_t error_size)
{
    char path[128];
    int held;
    int fd = host_tty_open_pty(path, sizeof(path), &held);
    if (fd < 0) {
        snprintf(error, error_size, "cannot make a pseudo-terminal: %s", strerror(errno));
        return NULL;
    }
    fprintf(stderr, "rvkit: %s at %s\n", what, path);
    terminal_desc_t desc = {.in_fd = fd, .out_fd = fd, .held_fd = held, .patient = patient};
    return terminal_owning(desc, error, error_size);
}

/* "unix:PATH" or "tcp:HOST:PORT". */
static chardev_t *terminal_open_socket(const char *spec, bool patient, char *error, size_t error_size)
{
    const char *where = strchr(spec, ':') + 1;
    bool tcp = spec[0] == 't';
    int fd = tcp ? host_socket_listen_tcp(where, error, error_size)
                 : host_socket_listen_unix(where, error, error_size);
    chardev_t *dev = fd >= 0 ? line_create(fd, tcp ? NULL : where, patient) : NULL;
    if (fd >= 0 && !dev) {
        snprintf(error, error_size, "out of memory");
    }
    return dev;
}

chardev_t *terminal_open(const char *spec, const char *what, bool patient, char *error, size_t error_size)
{
    if (!strcmp(spec, "pty")) {
        return terminal_open_pty(what, patient, error, error_size);
    }
    if (!strncmp(spec, "unix:", 5) || !strncmp(spec, "tcp:", 4)) {
        return terminal_open_socket(spec, patient, error, error_size);
    }
    spec += strncmp(spec, "file:", 5) ? 0 : 5;
    struct stat st;
    bool found = stat(spec, &st) == 0;
    bool device = found && S_ISCHR(st.st_mode);
    bool fifo = found && S_ISFIFO(st.st_mode); /* opened both ways so that open() does not wait */
    int fd = device || fifo ? open(spec, O_RDWR | O_NOCTTY | O_CLOEXEC)
                            : open(spec, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0) {
        snprintf(error, error_size, "cannot be opened: %s", strerror(errno));
        return NULL;
    }
    host_tty_set_raw(fd);
    terminal_desc_t desc = {.in_fd = device ? fd : -1, .out_fd = fd, .patient = patient};
    return terminal_owning(desc, error, error_size);
}
