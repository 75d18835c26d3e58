/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The VirtIO devices on RVVM's machine: command line options, and RVVM's TAP and character devices
 * behind the devices (rvkit_host.c: its block images and threads). This file is only compiled
 * inside an RVVM checkout, where `make export RVVM=DIR` puts it; docs/upstream.md tells how to call
 * it.
 *
 *   -drive FILE[,ro][,cow=F]    a virtio-blk disk; with cow= what is written goes to F, which is
 * made if missing -share TAG=DIR[,ro][,fs]    a folder: virtio-9p, or with fs virtio-fs. Needs
 * -noisolation -net user[,portfwd=SPEC]…   a virtio-net card on RVVM's user network; none; in a
 * build with USE_TAP_LINUX: tap -vsock PATH[,cid=N]         virtio-vsock, on the host Unix sockets
 * (vsock_unix.h) -console stdio|null|PATH    hvc0 on the terminal, or on a pty or pipe -console
 * vt[,WORD]…         hvc0 on a VT; words as in rvkit_vt.h: unix:PATH, tcp:HOST:PORT, stdio,
 * screen=FILE -serialvt WORD[,WORD]…      RVVM's UART on a VT; for one UART alone also -serial
 * null, which is the second then -balloon on                 a balloon: free page reporting gives
 * memory back to the host -gpu N                      virtio-gpu with 1 to 9 screens in rvkit's
 * window, with virtio-input devices for keyboard, tablet, mouse and touch; consoles on a VT are
 * views of it too. Needs -noisolation -sound sdl|null|wav:FILE    virtio-snd A comma in a name is
 * written twice. An entropy device comes always.
 */
#define COMPAT_HOST
#include "rvvm_compat.h"

#include "drive.h"
#include "ns16550a.h"
#include "rvkit_desktop.h"
#include "rvkit_vt.h"
#include "share.h"
#include "virtio_9p.h"
#include "virtio_balloon.h"
#include "virtio_console.h"
#include "virtio_fs.h"
#include "virtio_mmio.h"
#include "virtio_net.h"
#include "virtio_rng.h"
#include "virtio_vsock.h"
#include "vsock_unix.h"

#include <stdio.h>

enum { DRIVE_THREADS = 2, DRIVE_QUEUES = 4 };

bool rvkit_virtio_attach(rvvm_machine_t *machine, int argc, const char *const *argv);

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
    return !source.opaque ||
           (virtio_rng_describe(&desc, &source) && attach(machine, &desc, "virtio-rng"));
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

/* --- Options --- */

enum { VIEWS_MAX = 8 };

/* What is known when all options are read. */
typedef struct {
    rvvm_machine_t *machine;
    rvkit_desktop_t desktop;
    console_t *view[VIEWS_MAX];
} glue_t;

/* Cuts the text at its first single comma, makes one of two, and returns what follows the comma, or
 * NULL. */
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

static bool attach_balloon(glue_t *glue, char *text)
{
    const virtio_balloon_host_t host = {.release = balloon_release};
    virtio_desc_t desc;
    if (strcmp(text, "on")) {
        return bad_word("balloon", text);
    }
    return virtio_balloon_describe(&desc, &host) && attach(glue->machine, &desc, "-balloon");
}

static bool attach_drive(glue_t *glue, char *text)
{
    char error[512];
    disk_t *disk = disk_open_spec(text, error, sizeof(error));
    if (!disk) {
        rvvm_error("-drive: %s", error);
        return false;
    }
    uint64_t harts = rvvm_get_opt(glue->machine, COMPAT_OPT_HARTS);
    unsigned queues = harts < DRIVE_QUEUES ? (unsigned)(harts ? harts : 1) : DRIVE_QUEUES;
    const drive_desc_t what = {.disk = disk, .queues = queues, .threads = DRIVE_THREADS};
    virtio_desc_t desc;
    return drive_describe(&desc, &what) && virtio_mmio_init_auto(glue->machine, &desc, 0);
}

static bool attach_share(glue_t *glue, char *text)
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
    return (fs ? virtio_fs_describe(&desc, text, &server)
               : virtio_9p_describe(&desc, text, &server)) &&
           attach(glue->machine, &desc, "-share");
}

/* "3" to "4294967294" after cid=. */
static bool vsock_cid(const char *word, uint32_t *cid)
{
    uint64_t value = 0;
    if (!has_prefix(word, "cid=") || strlen(word) > 4 + 10) {
        return false;
    }
    for (word += 4; *word; word++) {
        if (*word < '0' || *word > '9') {
            return false;
        }
        value = value * 10 + (uint64_t)(*word - '0');
    }
    *cid = (uint32_t)value;
    return value > VIRTIO_VSOCK_HOST_CID && value < UINT32_MAX;
}

static bool attach_vsock(glue_t *glue, char *text)
{
    char *words = cut_comma(text), error[256];
    uint32_t cid = VIRTIO_VSOCK_HOST_CID + 1;
    virtio_desc_t desc;
    vsock_host_t host;
    while (words) {
        char *word = words;
        words = cut_comma(word);
        if (!vsock_cid(word, &cid)) {
            return bad_word("vsock", word);
        }
    }
    if (!host_vsock_open(&host, text, error, sizeof(error))) {
        rvvm_error("-vsock: %s: %s", text, error);
        return false;
    }
    return virtio_vsock_describe(&desc, &host, cid) && attach(glue->machine, &desc, "-vsock");
}

static chardev_t *open_vt(const char *option, const char *name, const char *words)
{
    char error[256];
    chardev_t *chardev = rvkit_vt_create(name, words, error, sizeof(error));
    if (!chardev) {
        rvvm_error("-%s: %s", option, error);
    }
    return chardev;
}

/* It can be seen in the window, if there is one. */
static void show_vt(glue_t *glue, chardev_t *chardev)
{
    if (glue->desktop.consoles < VIEWS_MAX) {
        glue->view[glue->desktop.consoles++] = rvkit_vt_console(chardev);
    }
}

static void console_on_size(void *opaque, uint16_t cols, uint16_t rows)
{
    virtio_console_resize(opaque, 0, cols, rows);
}

static bool attach_console(glue_t *glue, char *text)
{
    virtio_desc_t desc;
    virtio_console_port_t port = {.console = true};
    bool vt = !strcmp(text, "vt") || has_prefix(text, "vt,");
    if (vt) {
        port.chardev = open_vt("console", "hvc", text[2] ? text + 3 : "");
    } else if (!strcmp(text, "stdio")) {
        port.chardev = chardev_term_create();
    } else if (strcmp(text, "null")) {
        port.chardev = chardev_pty_create(text);
    }
    if (!port.chardev && strcmp(text, "null")) {
        rvvm_error("-console: cannot open %s", text);
        return false;
    }
    if (!virtio_console_describe(&desc, &port, 1, 0) || !attach(glue->machine, &desc, "-console")) {
        return false;
    }
    if (vt) {
        console_on_resize(rvkit_vt_console(port.chardev), console_on_size, desc.data);
        show_vt(glue, port.chardev);
    }
    return true;
}

static bool attach_serialvt(glue_t *glue, char *text)
{
    chardev_t *chardev = open_vt("serialvt", "ttyS", text);
    if (!chardev || !ns16550a_init_auto(glue->machine, chardev)) {
        return false;
    }
    show_vt(glue, chardev);
    return true;
}

#if defined(USE_NET) || defined(USE_TAP_LINUX)
#ifdef USE_NET
#define NET_KIND "user"
#else
#define NET_KIND "tap"
#endif

static void net_attach(void *opaque, virtio_net_t *net)
{
    const tap_net_dev_t nic = {.net_dev = net, .feed_rx = virtio_net_feed_rx};
    tap_attach(opaque, &nic);
}

static virtio_net_sent_t net_send(void *opaque, const uint8_t *hdr, const uint8_t *frame,
                                  size_t size)
{
    (void)hdr;
    return tap_send(opaque, frame, size) ? VIRTIO_NET_SENT : VIRTIO_NET_DROPPED;
}

static void net_close(void *opaque)
{
    tap_close(opaque);
}

static bool attach_net(glue_t *glue, char *text)
{
    char *words = cut_comma(text);
    virtio_net_backend_t backend = {.attach = net_attach, .send = net_send, .close = net_close};
    virtio_desc_t desc;
    if (!strcmp(text, "none")) {
        return true;
    }
    if (strcmp(text, NET_KIND)) {
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
    return virtio_net_describe(&desc, &backend) && attach(glue->machine, &desc, "-net");
}
#else
static bool attach_net(glue_t *glue, char *text)
{
    (void)glue;
    rvvm_error("-net %s: this RVVM is built without a network", text);
    return false;
}
#endif

static bool attach_gpu(glue_t *glue, char *text)
{
    if (text[0] < '1' || text[0] > '0' + RVKIT_WINDOW_SCREENS || text[1]) {
        return bad_word("gpu", text);
    }
    glue->desktop.screens = (unsigned)(text[0] - '0');
    return true;
}

static bool attach_sound(glue_t *glue, char *text)
{
    return rvkit_sound_attach(glue->machine, text);
}

static bool attach_option(glue_t *glue, const char *name, size_t len, const char *value)
{
    static const struct {
        const char *name;
        bool (*attach)(glue_t *glue, char *text);
    } options[] = {
        {"drive", attach_drive},       {"share", attach_share},     {"net", attach_net},
        {"vsock", attach_vsock},       {"console", attach_console}, {"balloon", attach_balloon},
        {"serialvt", attach_serialvt}, {"gpu", attach_gpu},         {"sound", attach_sound},
    };
    for (unsigned i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        if (strlen(options[i].name) == len && !memcmp(options[i].name, name, len)) {
            char *text = calloc(1, strlen(value) + 1);
            if (!text) {
                return false;
            }
            memcpy(text, value, strlen(value));
            bool ok = options[i].attach(glue, text);
            free(text);
            return ok;
        }
    }
    return true;
}

/*
 * Attaches what the command line asks for: -name value, or -name=value, with one dash or two. After
 * the interrupt controller. False: a line in the log says why; the machine is to be freed.
 */
bool rvkit_virtio_attach(rvvm_machine_t *machine, int argc, const char *const *argv)
{
    glue_t glue = {.machine = machine};
    bool ok = attach_entropy(machine);
    glue.desktop.console = glue.view;
    glue.desktop.power_key = rvvm_has_arg("poweroff_key");
    for (int i = 1; ok && i < argc && argv[i]; i++) {
        if (argv[i][0] != '-') {
            continue;
        }
        const char *name = argv[i] + (argv[i][1] == '-' ? 2 : 1);
        const char *equals = strchr(name, '=');
        if (equals) {
            ok = attach_option(&glue, name, (size_t)(equals - name), equals + 1);
        } else if (i + 1 < argc && argv[i + 1]) {
            ok = attach_option(&glue, name, strlen(name), argv[i + 1]);
        }
    }
    return ok && (!glue.desktop.screens || rvkit_desktop_attach(machine, &glue.desktop));
}
