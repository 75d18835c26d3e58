/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The VirtIO devices on RVVM's machine: command line options, and RVVM's block images, TAP, character devices
 * and threads behind the devices. This file is only compiled inside an RVVM checkout, where
 * `make export RVVM=DIR` puts it; docs/upstream.md tells how to call it.
 *
 *   -drive FILE[,ro]            a virtio-blk disk
 *   -share TAG=DIR[,ro][,fs]    a folder: virtio-9p, or with fs virtio-fs. Needs -noisolation
 *   -net user[,portfwd=SPEC]…   a virtio-net card on RVVM's user network (or the TAP it is built with); none
 *   -console stdio|null|PATH    hvc0 on the terminal, or on a pty or pipe
 *   -balloon on                 a balloon: free page reporting gives memory back to the host
 * A comma in a name is written twice. An entropy device comes always.
 */
#define COMPAT_HOST
#include "rvvm_compat.h"

#include "share.h"
#include "thread.h"
#include "virtio_9p.h"
#include "virtio_balloon.h"
#include "virtio_blk.h"
#include "virtio_console.h"
#include "virtio_fs.h"
#include "virtio_mmio.h"
#include "virtio_net.h"
#include "virtio_rng.h"

#include <stdio.h>

bool rvkit_virtio_attach(rvvm_machine_t *machine, int argc, const char *const *argv);

/* --- The threads that src/host/share.c asks for, by RVVM's --- */

struct host_thread {
    thread_ctx_t *handle;
    void (*body)(void *arg);
    void *arg;
};

struct host_event {
    cond_var_t *cond;
};

static void *thread_main(void *arg)
{
    host_thread_t *thread = arg;
    thread->body(thread->arg);
    return NULL;
}

bool host_threads_available(void)
{
    return true;
}

host_thread_t *host_thread_create(void (*body)(void *arg), void *arg)
{
    host_thread_t *thread = calloc(1, sizeof(*thread));
    if (thread) {
        *thread = (host_thread_t){.body = body, .arg = arg};
        thread->handle = thread_create(thread_main, thread);
        if (!thread->handle) {
            free(thread);
            thread = NULL;
        }
    }
    return thread;
}

void host_thread_join(host_thread_t *thread)
{
    if (thread) {
        thread_join(thread->handle);
        free(thread);
    }
}

host_event_t *host_event_create(void)
{
    host_event_t *event = calloc(1, sizeof(*event));
    if (event) {
        event->cond = condvar_create();
    }
    return event;
}

void host_event_free(host_event_t *event)
{
    if (event) {
        condvar_free(event->cond);
        free(event);
    }
}

void host_event_set(host_event_t *event)
{
    condvar_wake(event->cond);
}

void host_event_wait(host_event_t *event, uint64_t timeout_ns)
{
    condvar_wait_ns(event->cond, timeout_ns);
}

/* --- Disks: a queue of requests, and threads that work on them --- */

enum { DISK_THREADS = 2, DISK_BRACKET = 1 << 20, DISK_ZEROS = 1 << 16 };

typedef struct {
    compat_blk_t *blk;
    spinlock_t lock; /* guards the list, busy and end */
    virtio_blk_io_t *first, **last;
    unsigned busy;
    bool end;
    host_event_t *work, *idle;
    host_thread_t *thread[DISK_THREADS];
    uint8_t zeros[DISK_ZEROS];
} disk_t;

/* At io->scratch[0]: the next request. */
static virtio_blk_io_t **disk_next(virtio_blk_io_t *io)
{
    return (virtio_blk_io_t **)(void *)&io->scratch[0];
}

/* One bracket's worth of a transfer. False: an error, or no more. */
static bool disk_move(disk_t *disk, virtio_blk_io_t *io, uint64_t *offset)
{
    virtq_span_t span;
    size_t moved = 0;
    bool ok = true;
    if (!virtio_blk_io_begin(io)) {
        return false;
    }
    while (ok && moved < DISK_BRACKET && virtio_blk_io_next(io, DISK_BRACKET - moved, &span)) {
        size_t done = io->op == VIRTIO_BLK_WRITE
                          ? compat_blk_write(disk->blk, span.ptr, span.len, *offset)
                          : compat_blk_read(disk->blk, span.ptr, span.len, *offset);
        ok = done == span.len;
        *offset += span.len;
        moved += span.len;
    }
    if (ok) {
        virtio_blk_io_filled(io);
    }
    virtio_blk_io_end(io);
    return ok && moved;
}

static bool disk_transfer(disk_t *disk, virtio_blk_io_t *io)
{
    uint64_t offset = io->range->offset, end = offset + io->range->len;
    while (offset < end) {
        if (!disk_move(disk, io, &offset)) {
            return false;
        }
    }
    return true;
}

/* Discards a range, or writes zeros to it. */
static bool disk_clear(disk_t *disk, virtio_blk_io_t *io, const virtio_blk_range_t *range)
{
    uint64_t done = 0;
    bool ok = true;
    while (ok && done < range->len) {
        uint64_t len = range->len - done;
        if (!virtio_blk_io_begin(io)) {
            return false;
        }
        if (io->op == VIRTIO_BLK_DISCARD) {
            compat_blk_trim(disk->blk, range->offset, len);
        } else {
            len = len < DISK_ZEROS ? len : DISK_ZEROS;
            ok = compat_blk_write(disk->blk, disk->zeros, (size_t)len, range->offset + done) == len;
        }
        virtio_blk_io_end(io);
        done += len;
    }
    return ok;
}

static void disk_do(disk_t *disk, virtio_blk_io_t *io)
{
    bool ok = true;
    if (io->op == VIRTIO_BLK_READ || io->op == VIRTIO_BLK_WRITE) {
        ok = disk_transfer(disk, io);
    } else if (io->op == VIRTIO_BLK_FLUSH) {
        ok = compat_blk_sync(disk->blk);
    } else {
        for (unsigned i = 0; ok && i < io->ranges; i++) {
            ok = disk_clear(disk, io, &io->range[i]);
        }
    }
    if (ok && io->durable) {
        ok = compat_blk_sync(disk->blk);
    }
    virtio_blk_io_done(io, ok);
}

/* NULL: there is nothing to do, and *end tells whether there ever will be. */
static virtio_blk_io_t *disk_take(disk_t *disk, bool *end)
{
    spin_lock(&disk->lock);
    virtio_blk_io_t *io = disk->first;
    if (io) {
        disk->first = *disk_next(io);
        disk->last = disk->first ? disk->last : &disk->first;
        disk->busy++;
    }
    bool more = disk->first || disk->end;
    *end = disk->end;
    spin_unlock(&disk->lock);
    if (more) {
        host_event_set(disk->work);
    }
    return io;
}

static void disk_thread(void *arg)
{
    disk_t *disk = arg;
    bool end = false;
    for (;;) {
        virtio_blk_io_t *io = disk_take(disk, &end);
        if (io) {
            disk_do(disk, io);
            spin_lock(&disk->lock);
            bool idle = !--disk->busy && !disk->first;
            spin_unlock(&disk->lock);
            if (idle) {
                host_event_set(disk->idle);
            }
        } else if (end) {
            return;
        } else {
            host_event_wait(disk->work, HOST_FOREVER);
        }
    }
}

static void disk_submit(void *opaque, virtio_blk_io_t *io)
{
    disk_t *disk = opaque;
    *disk_next(io) = NULL;
    spin_lock(&disk->lock);
    *disk->last = io;
    disk->last = disk_next(io);
    spin_unlock(&disk->lock);
    host_event_set(disk->work);
}

static void disk_drain(void *opaque)
{
    disk_t *disk = opaque;
    for (;;) {
        spin_lock(&disk->lock);
        bool idle = !disk->busy && !disk->first;
        spin_unlock(&disk->lock);
        if (idle) {
            return;
        }
        host_event_wait(disk->idle, 1000000);
    }
}

static void disk_close(void *opaque)
{
    disk_t *disk = opaque;
    spin_lock(&disk->lock);
    disk->end = true;
    spin_unlock(&disk->lock);
    for (unsigned i = 0; i < DISK_THREADS; i++) {
        if (disk->thread[i]) {
            host_event_set(disk->work);
            host_thread_join(disk->thread[i]);
        }
    }
    host_event_free(disk->work);
    host_event_free(disk->idle);
    compat_blk_sync(disk->blk);
    compat_blk_close(disk->blk);
    free(disk);
}

static disk_t *disk_open(const char *path, bool read_only)
{
    disk_t *disk = calloc(1, sizeof(*disk));
    compat_blk_t *blk = compat_blk_open(path, !read_only);
    if (!disk || !blk) {
        rvvm_error("-drive: cannot open %s", path);
        compat_blk_close(blk);
        free(disk);
        return NULL;
    }
    disk->blk = blk;
    disk->last = &disk->first;
    disk->work = host_event_create();
    disk->idle = host_event_create();
    spin_init(&disk->lock);
    bool ok = disk->work && disk->idle;
    for (unsigned i = 0; ok && i < DISK_THREADS; i++) {
        disk->thread[i] = host_thread_create(disk_thread, disk);
        ok = disk->thread[i] != NULL;
    }
    if (!ok) {
        disk_close(disk);
        return NULL;
    }
    return disk;
}

/* --- Entropy: RVVM's own generator is no source for keys, so the host's is asked --- */

static size_t entropy_fill(void *opaque, void *buf, size_t len)
{
    return rvread(opaque, buf, len, 0);
}

static void entropy_free(void *opaque)
{
    rvclose(opaque);
}

static bool attach(rvvm_machine_t *machine, const virtio_desc_t *desc, const char *what)
{
    if (!virtio_mmio_init_auto(machine, desc, 0)) {
        rvvm_error("%s cannot be attached", what);
        return false;
    }
    return true;
}

static bool attach_entropy(rvvm_machine_t *machine)
{
    virtio_desc_t desc;
    virtio_rng_source_t source = {.fill = entropy_fill, .free = entropy_free};
    source.opaque = rvopen("/dev/urandom", 0);
    /* A host without that file: a guest without the device. */
    return !source.opaque || (virtio_rng_describe(&desc, &source) && attach(machine, &desc, "virtio-rng"));
}

/* --- Balloon --- */

static void balloon_release(void *opaque, rvvm_machine_t *machine, uint64_t addr, uint64_t size)
{
    void *ptr = rvvm_get_dma_ptr(machine, addr, (size_t)size);
    (void)opaque;
    if (ptr && vma_page_size() <= VIRTIO_BALLOON_PAGE) {
        vma_clean(ptr, (size_t)size, false);
    }
}

static bool attach_balloon(rvvm_machine_t *machine)
{
    const virtio_balloon_host_t host = {.release = balloon_release};
    virtio_desc_t desc;
    return virtio_balloon_describe(&desc, &host) && attach(machine, &desc, "-balloon");
}

/* --- Options --- */

/* Cuts the text at its first single comma, makes one of two, and returns what follows the comma, or NULL. */
static char *cut_comma(char *text)
{
    char *out = text;
    for (; *text; text++) {
        if (*text == ',' && *++text != ',') {
            *out = 0;
            return text;
        }
        *out++ = *text;
    }
    *out = 0;
    return NULL;
}

static bool has_prefix(const char *text, const char *prefix)
{
    return !strncmp(text, prefix, strlen(prefix));
}

static bool bad_word(const char *option, const char *word)
{
    rvvm_error("-%s: \"%s\" is not known", option, word);
    return false;
}

static bool attach_drive(rvvm_machine_t *machine, char *text)
{
    char *words = cut_comma(text);
    bool read_only = false;
    virtio_desc_t desc;
    while (words) {
        char *word = words;
        words = cut_comma(word);
        if (strcmp(word, "ro")) {
            return bad_word("drive", word);
        }
        read_only = true;
    }
    disk_t *disk = disk_open(text, read_only);
    if (!disk) {
        return false;
    }
    const char *slash = strrchr(text, '/');
    const virtio_blk_backend_t backend = {
        .submit = disk_submit,
        .drain = disk_drain,
        .close = disk_close,
        .opaque = disk,
        .capacity = compat_blk_size(disk->blk) & ~(uint64_t)(VIRTIO_BLK_SECTOR - 1),
        .read_only = read_only,
        .can_discard = !read_only,
        .optimal_block = 4096,
        .serial = slash ? slash + 1 : text,
    };
    uint64_t harts = rvvm_get_opt(machine, COMPAT_OPT_HARTS);
    return virtio_blk_describe(&desc, &backend, harts < 4 ? (unsigned)(harts ? harts : 1) : 4) &&
           attach(machine, &desc, "-drive");
}

static bool attach_share(rvvm_machine_t *machine, char *text)
{
    char *words = cut_comma(text), *dir = strchr(text, '='), error[256];
    share_desc_t share = {0};
    file_server_t server;
    virtio_desc_t desc;
    bool fs = false;
    while (words) {
        char *word = words;
        words = cut_comma(word);
        if (strcmp(word, "ro") && strcmp(word, "fs")) {
            return bad_word("share", word);
        }
        share.read_only |= *word == 'r';
        fs |= *word == 'f';
    }
    if (!dir || dir == text || !dir[1]) {
        rvvm_error("-share: TAG=DIR[,ro][,fs] is wanted");
        return false;
    }
    *dir++ = 0;
    share.dir = dir;
    if (!share_open(&server, &share, error, sizeof(error))) {
        rvvm_error("-share: %s: %s", dir, error);
        return false;
    }
    return (fs ? virtio_fs_describe(&desc, text, &server) : virtio_9p_describe(&desc, text, &server)) &&
           attach(machine, &desc, "-share");
}

static bool attach_console(rvvm_machine_t *machine, const char *path)
{
    virtio_desc_t desc;
    virtio_console_port_t port = {.console = true};
    if (!strcmp(path, "stdio")) {
        port.chardev = chardev_term_create();
    } else if (strcmp(path, "null")) {
        port.chardev = chardev_pty_create(path);
    }
    if (!port.chardev && strcmp(path, "null")) {
        rvvm_error("-console: cannot open %s", path);
        return false;
    }
    return virtio_console_describe(&desc, &port, 1, 0) && attach(machine, &desc, "-console");
}

#ifdef USE_NET
static void net_attach(void *opaque, virtio_net_t *net)
{
    const tap_net_dev_t nic = {.net_dev = net, .feed_rx = virtio_net_feed_rx};
    tap_attach(opaque, &nic);
}

static virtio_net_sent_t net_send(void *opaque, const uint8_t *hdr, const uint8_t *frame, size_t size)
{
    (void)hdr;
    return tap_send(opaque, frame, size) ? VIRTIO_NET_SENT : VIRTIO_NET_DROPPED;
}

static void net_close(void *opaque)
{
    tap_close(opaque);
}

static bool attach_net(rvvm_machine_t *machine, char *text)
{
    char *words = cut_comma(text);
    virtio_net_backend_t backend = {.attach = net_attach, .send = net_send, .close = net_close};
    virtio_desc_t desc;
    if (!strcmp(text, "none")) {
        return true;
    }
    if (strcmp(text, "user")) {
        return bad_word("net", text);
    }
    tap_dev_t *tap = tap_open();
    if (!tap) {
        rvvm_error("-net: there is no network");
        return false;
    }
    while (words) {
        char *word = words;
        words = cut_comma(word);
        if (!has_prefix(word, "portfwd=") || !tap_portfwd(tap, word + 8)) {
            tap_close(tap);
            return bad_word("net", word);
        }
    }
    backend.opaque = tap;
    tap_get_mac(tap, backend.mac);
    return virtio_net_describe(&desc, &backend) && attach(machine, &desc, "-net");
}
#else
static bool attach_net(rvvm_machine_t *machine, char *text)
{
    (void)machine;
    rvvm_error("-net %s: this RVVM is built without a network", text);
    return false;
}
#endif

static bool attach_option(rvvm_machine_t *machine, const char *name, size_t len, const char *value)
{
    static const char *const names[] = {"drive", "share", "net", "console", "balloon"};
    unsigned index = 0;
    while (index < 5 && (strlen(names[index]) != len || memcmp(names[index], name, len))) {
        index++;
    }
    if (index == 5) {
        return true;
    }
    char *text = calloc(1, strlen(value) + 1);
    if (!text) {
        return false;
    }
    memcpy(text, value, strlen(value));
    bool ok = index == 0   ? attach_drive(machine, text)
              : index == 1 ? attach_share(machine, text)
              : index == 2 ? attach_net(machine, text)
              : index == 3 ? attach_console(machine, text)
                           : attach_balloon(machine);
    free(text);
    return ok;
}

/*
 * Attaches what the command line asks for: -name value, or -name=value, with one dash or two. After the
 * interrupt controller. False: a line in the log says why; the machine is to be freed.
 */
bool rvkit_virtio_attach(rvvm_machine_t *machine, int argc, const char *const *argv)
{
    bool ok = attach_entropy(machine);
    for (int i = 1; ok && i < argc && argv[i]; i++) {
        if (argv[i][0] != '-') {
            continue;
        }
        const char *name = argv[i] + (argv[i][1] == '-' ? 2 : 1);
        const char *equals = strchr(name, '=');
        if (equals) {
            ok = attach_option(machine, name, (size_t)(equals - name), equals + 1);
        } else if (i + 1 < argc && argv[i + 1]) {
            ok = attach_option(machine, name, strlen(name), argv[i + 1]);
        }
    }
    return ok;
}
