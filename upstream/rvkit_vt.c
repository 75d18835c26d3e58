/* SPDX-License-Identifier: MPL-2.0 */
/* A console with its VT, its sockets and its screen file behind one chardev: rvkit_vt.h. */
#include "rvkit_vt.h"

#include "console_link.h"
#include "pump.h"
#include "server.h"
#include "socket.h"

#include <stdio.h>

enum { PLACES_MAX = 8 };

/* What the device holds, and hands its calls on to the console's port. */
typedef struct {
    chardev_t dev;
    chardev_t *port;
    pump_t telling;
    console_t *console;
    console_server_t *server[PLACES_MAX];
    unsigned servers;
    console_link_t *stdio;
    FILE *screen;
} rvkit_vt_t;

/* --- The device's calls --- */

static size_t vt_dev_read(chardev_t *dev, void *buf, size_t nbytes)
{
    return chardev_read(((rvkit_vt_t *)dev->data)->port, buf, nbytes);
}

static size_t vt_dev_write(chardev_t *dev, const void *buf, size_t nbytes)
{
    return chardev_write(((rvkit_vt_t *)dev->data)->port, buf, nbytes);
}

static uint32_t vt_dev_poll(chardev_t *dev)
{
    return chardev_poll(((rvkit_vt_t *)dev->data)->port);
}

/*
 * RVVM's UART of 2026 takes what it is told for all there is, and knows nothing before: so it is
 * told the whole of it, by one thread at a time, and at the start without an event.
 */
static bool vt_tell(void *opaque)
{
    rvkit_vt_t *vt = opaque;
    chardev_notify(&vt->dev, chardev_poll(vt->port));
    return false;
}

static void vt_on_notify(void *io_dev, uint32_t flags)
{
    rvkit_vt_t *vt = io_dev;
    (void)flags;
    pump_run(&vt->telling, vt_tell, vt);
}

static void vt_dev_update(chardev_t *dev)
{
    rvkit_vt_t *vt = dev->data;
    chardev_update(vt->port);
    pump_run(&vt->telling, vt_tell, vt);
}

static void vt_write_screen(rvkit_vt_t *vt)
{
    size_t size = 0;
    char *text = vt->screen ? console_draw(vt->console, 0, &size) : NULL;
    if (vt->screen) {
        bool ok = text && fwrite(text, 1, size, vt->screen) == size;
        ok = !fclose(vt->screen) && ok;
        if (!ok) {
            rvvm_error("the screen could not be written");
        }
    }
    free(text);
}

static void vt_dev_remove(chardev_t *dev)
{
    rvkit_vt_t *vt = dev->data;
    chardev_free(vt->port);
    for (unsigned i = 0; i < vt->servers; i++) {
        console_unserve(vt->server[i]);
    }
    console_unlink(vt->stdio);
    if (vt->console) {
        vt_write_screen(vt);
        console_release(vt->console);
    }
    free(vt);
}

/* --- Options --- */

static bool vt_add_socket(rvkit_vt_t *vt, const char *word, char *error, size_t error_size)
{
    const char *where = strchr(word, ':') + 1;
    bool tcp = word[0] == 't';
    if (vt->servers == PLACES_MAX) {
        snprintf(error, error_size, "at most %d sockets", PLACES_MAX);
        return false;
    }
    int fd = tcp ? host_socket_listen_tcp(where, error, error_size)
                 : host_socket_listen_unix(where, error, error_size);
    if (fd < 0) {
        return false;
    }
    console_server_t *server = console_serve(vt->console, fd, tcp ? NULL : where);
    if (!server) {
        snprintf(error, error_size, "no memory, or no thread, for %s", word);
        return false;
    }
    vt->server[vt->servers++] = server;
    return true;
}

static bool vt_add(rvkit_vt_t *vt, const char *word, char *error, size_t error_size)
{
    if (!strncmp(word, "unix:", 5) || !strncmp(word, "tcp:", 4)) {
        return vt_add_socket(vt, word, error, error_size);
    }
    if (!strcmp(word, "stdio") && !vt->stdio) {
        vt->stdio =
            console_link(vt->console, &(console_link_desc_t){.backend = chardev_term_create()});
        snprintf(error, error_size, "out of memory");
        return vt->stdio != NULL;
    }
    if (!strncmp(word, "screen=", 7) && !vt->screen) {
        vt->screen = fopen(word + 7, "wb");
        snprintf(error, error_size, "%s cannot be opened", word + 7);
        return vt->screen != NULL;
    }
    snprintf(error, error_size, "\"%s\" is not known", word);
    return false;
}

/* Copies the word at *words, two commas as one; *words goes behind its comma, NULL at the end. */
static void vt_next_word(const char **words, char *word)
{
    const char *p = *words;
    while (*p && (*p != ',' || p[1] == ',')) {
        p += *p == ',';
        *word++ = *p++;
    }
    *word = 0;
    *words = *p ? p + 1 : NULL;
}

static bool vt_add_all(rvkit_vt_t *vt, const char *options, char *error, size_t error_size)
{
    const char *rest = *options ? options : NULL;
    char *word = calloc(1, strlen(options) + 1);
    bool ok = word != NULL;
    if (!ok) {
        snprintf(error, error_size, "out of memory");
    }
    while (ok && rest) {
        vt_next_word(&rest, word);
        ok = vt_add(vt, word, error, error_size);
    }
    free(word);
    return ok;
}

chardev_t *rvkit_vt_create(const char *name, const char *options, char *error, size_t error_size)
{
    rvkit_vt_t *vt = calloc(1, sizeof(*vt));
    if (!vt) {
        snprintf(error, error_size, "out of memory");
        return NULL;
    }
    vt->dev = (chardev_t){
        .read = vt_dev_read,
        .write = vt_dev_write,
        .poll = vt_dev_poll,
        .update = vt_dev_update,
        .remove = vt_dev_remove,
        .data = vt,
    };
    vt->console = console_create(&(console_desc_t){.name = name});
    if (!vt->console) {
        snprintf(error, error_size, "out of memory");
        vt_dev_remove(&vt->dev);
        return NULL;
    }
    vt->port = console_port(vt->console);
    vt->port->io_dev = vt;
    vt->port->notify = vt_on_notify;
    if (!vt_add_all(vt, options, error, error_size)) {
        vt_dev_remove(&vt->dev);
        return NULL;
    }
    return &vt->dev;
}

console_t *rvkit_vt_console(chardev_t *chardev)
{
    return ((rvkit_vt_t *)chardev->data)->console;
}
