/* SPDX-License-Identifier: MPL-2.0 */
#include "backend.h"

#include "../host/stream.h"
#include "../host/tty.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PLAIN_LIMIT ((size_t)64 << 10)

/* Nobody may be at a pseudo-terminal. */
#define PTY_DRAIN_MS 1000

typedef struct backend {
    chardev_t dev;
    backend_desc_t desc;
    host_stream_t *stream;
} backend_t;

static void backend_on_stream(void *opaque, unsigned bits)
{
    backend_t *b = opaque;
    uint32_t flags =
        (bits & HOST_STREAM_RX ? CHARDEV_RX : 0) | (bits & HOST_STREAM_TX ? CHARDEV_TX : 0);
    if ((bits & HOST_STREAM_BROKEN) && b->desc.on_broken) {
        b->desc.on_broken(b->desc.opaque);
    }
    chardev_notify(&b->dev, flags);
}

static uint32_t backend_poll(chardev_t *dev)
{
    backend_t *b = dev->data;
    unsigned bits = host_stream_poll(b->stream);
    return (bits & HOST_STREAM_RX ? CHARDEV_RX : 0) | (bits & HOST_STREAM_TX ? CHARDEV_TX : 0);
}

static size_t backend_read(chardev_t *dev, void *buf, size_t nbytes)
{
    backend_t *b = dev->data;
    return host_stream_read(b->stream, buf, nbytes);
}

static size_t backend_write(chardev_t *dev, const void *buf, size_t nbytes)
{
    backend_t *b = dev->data;
    return host_stream_write(b->stream, buf, nbytes);
}

static void backend_update(chardev_t *dev)
{
    backend_t *b = dev->data;
    host_stream_pump(b->stream);
}

static void backend_close_fds(const backend_desc_t *desc)
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

static void backend_remove(chardev_t *dev)
{
    backend_t *b = dev->data;
    host_stream_close(b->stream);
    backend_close_fds(&b->desc);
    free(b);
}

chardev_t *backend_create(const backend_desc_t *desc)
{
    backend_t *b = calloc(1, sizeof(*b));
    if (!b) {
        return NULL;
    }
    b->desc = *desc;
    b->stream = host_stream_open(&(host_stream_desc_t){
        .in_fd = desc->in_fd,
        .out_fd = desc->out_fd,
        .in_limit = PLAIN_LIMIT,
        .drain_ms = desc->drain_ms,
        .patient = desc->patient,
        .event = backend_on_stream,
        .opaque = b,
    });
    if (!b->stream) {
        free(b);
        return NULL;
    }
    b->dev = (chardev_t){
        .poll = backend_poll,
        .read = backend_read,
        .write = backend_write,
        .update = backend_update,
        .remove = backend_remove,
        .data = b,
    };
    return &b->dev;
}

void backend_flush(chardev_t *dev)
{
    backend_t *b = dev->data;
    host_stream_flush(b->stream);
}

bool backend_size(chardev_t *dev, uint16_t *cols, uint16_t *rows)
{
    backend_t *b = dev->data;
    return host_tty_size(b->desc.out_fd, cols, rows);
}

const char *backend_error(chardev_t *dev)
{
    backend_t *b = dev->data;
    return strerror(host_stream_error(b->stream));
}

/* A back end that owns its descriptors; they are closed on failure too. */
static chardev_t *backend_create_owning(backend_desc_t desc, char *error, size_t error_size)
{
    desc.owns_fds = true;
    chardev_t *dev = backend_create(&desc);
    if (!dev) {
        backend_close_fds(&desc);
        snprintf(error, error_size, "out of memory");
    }
    return dev;
}

static chardev_t *backend_open_pty(const char *what, bool patient, char *error, size_t error_size)
{
    char path[128];
    int held;
    int fd = host_tty_open_pty(path, sizeof(path), &held);
    if (fd < 0) {
        snprintf(error, error_size, "cannot make a pseudo-terminal: %s", strerror(errno));
        return NULL;
    }
    fprintf(stderr, "rvkit: %s at %s\n", what, path);
    fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK); /* so that a write does not wait for a reader */
    backend_desc_t desc = {
        .in_fd = fd, .out_fd = fd, .held_fd = held, .patient = patient, .drain_ms = PTY_DRAIN_MS};
    return backend_create_owning(desc, error, error_size);
}

chardev_t *backend_open(const char *spec, const char *what, bool patient, char *error,
                        size_t error_size)
{
    if (!strcmp(spec, "pty")) {
        return backend_open_pty(what, patient, error, error_size);
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
    backend_desc_t desc = {.in_fd = device ? fd : -1, .out_fd = fd, .patient = patient};
    return backend_create_owning(desc, error, error_size);
}
