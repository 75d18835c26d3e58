/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The command line: RVVM's options with RVVM's meaning, and rvkit's own. Pure: nothing is opened,
 * nothing is printed.
 */
#ifndef RVKIT_FRONTENDS_OPTIONS_H
#define RVKIT_FRONTENDS_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define OPTIONS_SERIAL_MAX 4
#define OPTIONS_PORTS_MAX 8
#define OPTIONS_DRIVES_MAX 16
#define OPTIONS_NETS_MAX 4
#define OPTIONS_SHARES_MAX 8
#define OPTIONS_NOTES_MAX 16
#define OPTIONS_MEM_MIN (UINT64_C(1) << 20)
#define OPTIONS_MEM_MAX (UINT64_C(2) << 30)
#define OPTIONS_HARTS_MAX 16

/* Texts point into argv. NULL or 0: not given. */
typedef struct options {
    bool help, version, verbose;
    const char *firmware, *kernel, *initrd, *dtb, *dumpdtb;
    const char *cmdline;  /* replaces the default */
    const char **appends; /* added to it, in order */
    size_t append_count;
    uint64_t mem; /* bytes; 256 MiB at first */
    uint32_t harts;
    const char *serial[OPTIONS_SERIAL_MAX]; /* -serial, in order */
    size_t serial_count;
    const char *console[OPTIONS_SERIAL_MAX]; /* -console, in order */
    size_t console_count;
    const char *port[OPTIONS_PORTS_MAX]; /* -port, in order: NAME=WHERE */
    size_t port_count;
    const char *monitor; /* -monitor */
    const char *attach;  /* -attach: no machine, but a console of a running one */
    bool balloon;
    uint64_t balloon_target; /* bytes */
    uint32_t virtio;         /* -virtio: BOARD_VIRTIO_* */
    char *vsock;             /* the path of -vsock, allocated */
    uint32_t vsock_cid;
    struct {
        const char *text;
        bool plain;              /* a file's name alone; else as disk_spec_parse() takes it */
    } drive[OPTIONS_DRIVES_MAX]; /* -drive and -image, in order */
    size_t drive_count;
    const char *net[OPTIONS_NETS_MAX]; /* -net, in order, as it was given */
    size_t net_count;
    bool nonet;
    const char **portfwds; /* -portfwd, in order; host_net_parse_forward() takes them */
    size_t portfwd_count;
    const char *share[OPTIONS_SHARES_MAX]; /* -share, in order; sharing_parse() takes them */
    size_t share_count;
    const char *sound; /* -sound, as it was given: null, wav:FILE, wav:FILE,record=FILE */
    const char *script, *signature, *log;

    /* The window's. */
    const char *window_option; /* the first of these that was given, but -nogui */
    bool nogui, nosound, poweroff_key;
    uint32_t res_width, res_height; /* -res: the simple frame buffer; 0, 0: none */
    bool gpu_given;
    uint32_t gpu;     /* -gpu: scanouts of a virtio-gpu */
    const char *font; /* -font, as it was given */

    bool icount, trace;

    /* Options of RVVM that do nothing, or something else, here: one line each. */
    const char *notes[OPTIONS_NOTES_MAX];
    size_t note_count;
} options_t;

/*
 * Reads argv. False: error (error_size bytes) is one line for stderr, without the program's name in
 * front; exit with status 2. options_free() in both cases.
 */
bool options_parse(options_t *options, int argc, char **argv, char *error, size_t error_size);
void options_free(options_t *options);

/* The page of -h, made from the same table that options_parse() uses. */
void options_print_help(FILE *out);

/* Calls fn with each spelling that is accepted, without its dash. For tests. */
void options_each_name(void (*fn)(void *opaque, const char *name, bool takes_value), void *opaque);

/* "256M", "1G", "65536": bytes. False when it is no size. */
bool options_parse_size(const char *text, uint64_t *size);

#endif
