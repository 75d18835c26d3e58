/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The board: a machine with its usual devices at RVVM's addresses.
 *
 *   0x00100000  syscon (power off, reset)      0x00101000  Goldfish RTC
 *   0x02000000  CLINT                          0x0c000000  PLIC
 *   0x10000000  UARTs, and from the next free place on VirtIO slots, all 0x1000 apart
 *   0x28000000  simple frame buffer            0x80000000  RAM
 */
#ifndef RVKIT_BOARD_H
#define RVKIT_BOARD_H

#include "loader.h"

#include <rvvm/chardev.h>
#include <rvvm/rvkit.h>

#include "devices/audio_host.h"
#include "devices/display_host.h"
#include "devices/file_server.h"
#include "devices/input_host.h"
#include "devices/virtio.h"
#include "devices/vsock_host.h"
#include "host/disk.h"
#include "host/net.h"

#include <stdio.h>

#define BOARD_SERIAL_MAX 4
#define BOARD_DRIVES_MAX 16
#define BOARD_NETS_MAX 4
#define BOARD_SHARES_MAX 8
#define BOARD_CONSOLES_MAX 4
#define BOARD_PORTS_MAX 8
#define BOARD_SCANOUTS_MAX 16
#define BOARD_INPUTS_MAX 8
#define BOARD_DEVICES_MAX 24

/* A screen: of a size, in pixels, that the guest is told at first. */
typedef struct board_screen {
    display_host_t display;
    uint32_t width, height;
} board_screen_t;

/* The guest's time, also for those who are made before the machine is. It has to outlive the
 * machine. */
typedef struct board_clock {
    rvvm_machine_t *machine; /* filled in by board_create() */
} board_clock_t;

/* Nanoseconds, for audio_clock_t and the like; 0 before there is a machine. `clock`: a
 * board_clock_t. */
uint64_t board_clock_now(void *clock);

/* How the guest may talk to the VirtIO devices. */
enum {
    BOARD_VIRTIO_LEGACY =
        1, /* interface version 1 of VirtIO over MMIO: for older xv6 and kernels */
    BOARD_VIRTIO_NO_PACKED = 2,
    BOARD_VIRTIO_NO_EVENT_IDX = 4,
    BOARD_VIRTIO_NO_INDIRECT = 8,
    BOARD_VIRTIO_IN_ORDER = 16,
};

typedef struct board_desc {
    size_t mem_size; /* bytes */
    size_t harts;
    const char *isa; /* NULL: all extensions */

    /* One UART for each of serial_count; NULL entries swallow output. The first is the SBI's
     * console. */
    chardev_t *serial[BOARD_SERIAL_MAX];
    size_t serial_count;

    /* A virtio-blk device for each of drive_count. */
    disk_t *drive[BOARD_DRIVES_MAX];
    size_t drive_count;

    /* A virtio-net card for each of net_count; an address of zeros: the card's default. */
    struct {
        host_net_t *net;
        uint8_t mac[6];
    } net[BOARD_NETS_MAX];
    size_t net_count;

    /* A folder for each of share_count: virtio-9p, or with fs, virtio-fs. */
    struct {
        file_server_t server;
        const char *tag;
        bool fs;
    } share[BOARD_SHARES_MAX];
    size_t share_count;

    /* A virtio-console for each of console_count (hvc0 …); NULL entries swallow output. */
    chardev_t *console[BOARD_CONSOLES_MAX];
    size_t console_count;

    /* Channels for the guest's programs, /dev/virtio-ports/NAME in Linux: one virtio-console for
     * all. */
    struct {
        chardev_t *chardev;
        const char *name;
    } port[BOARD_PORTS_MAX];
    size_t port_count;

    bool balloon;            /* a virtio-balloon */
    uint64_t balloon_target; /* bytes that the guest is to give up at first */

    vsock_host_t vsock; /* behind a virtio-vsock */
    uint32_t vsock_cid; /* 0: none */

    uint32_t
        virtio; /* BOARD_VIRTIO_*, for all VirtIO devices; 0: version 2, with all kinds of rings */

    /* One virtio-gpu with a scanout for each of scanout_count; sizes are wishes, 0: the device's
     * own. */
    board_screen_t scanout[BOARD_SCANOUTS_MAX];
    size_t scanout_count;

    /* The simple frame buffer, of this very size. */
    board_screen_t framebuffer;
    bool has_framebuffer;

    /* A virtio-input for each of input_count. */
    struct {
        input_host_t host;
        unsigned kind; /* INPUT_KEYBOARD … */
    } input[BOARD_INPUTS_MAX];
    size_t input_count;

    /* A virtio-snd with so many streams of each kind; both 0: none, and there is no back end. */
    audio_host_t audio;
    unsigned playbacks, captures;

    /* VirtIO devices with back ends of the caller's own, behind all others; each is removed with
     * the machine. */
    virtio_desc_t device[BOARD_DEVICES_MAX];
    size_t device_count;

    board_clock_t *clock; /* to be filled in; NULL: nobody asks */

    uint64_t icount;  /* as RVKIT_OPT_ICOUNT; 0: off */
    bool cooperative; /* as RVKIT_OPT_COOPERATIVE */
} board_desc_t;

/*
 * A machine that is ready to load files and start. Takes over the chardevs, disks, networks and
 * other back ends, also when it fails (NULL, and a line in the log). Freed with
 * rvvm_free_machine().
 */
rvvm_machine_t *board_create(const board_desc_t *desc);

/* The window behind console `index` has this size. Any thread. */
void board_resize_console(rvvm_machine_t *machine, size_t index, uint16_t cols, uint16_t rows);

/* All in bytes; the last three as the guest told last, 0: not yet. */
typedef struct {
    uint64_t target, actual, free, available, total;
} board_balloon_t;

/* Any thread. False: there is no balloon. The guest follows, and tells new figures, in its own
 * time. */
bool board_set_balloon(rvvm_machine_t *machine, uint64_t bytes);
bool board_get_balloon(rvvm_machine_t *machine, board_balloon_t *info);

/* A drive: what it is, and what the guest has done with it so far. */
typedef struct {
    char path[256], overlay[256]; /* cut short when they are longer; "": no overlay */
    uint64_t size;                /* bytes */
    bool read_only;
    uint64_t reads, writes, flushes, discards; /* requests, failed ones too */
    uint64_t bytes_read, bytes_written;
    uint64_t errors;
} board_drive_t;

/* Any thread but a hart's. False: there are no more. */
bool board_get_drive(rvvm_machine_t *machine, size_t index, board_drive_t *info);

/* A network card, likewise. */
typedef struct {
    char backend[320];                        /* "user", "tap tap0" */
    uint8_t mac[6];                           /* as it was attached */
    bool link;                                /* the cable is plugged in */
    bool forwards;                            /* its network forwards ports */
    uint64_t rx_frames, rx_bytes, rx_dropped; /* to the guest */
    uint64_t tx_frames, tx_bytes, tx_dropped;
} board_net_t;

bool board_get_net(rvvm_machine_t *machine, size_t index, board_net_t *info);

/*
 * The ports that lead to the guest through the index-th card, as host_net_add_forward() and its
 * like. False: error is one line (error_size bytes), also when there is no such card; or there are
 * no more.
 */
bool board_add_forward(rvvm_machine_t *machine, size_t index, const host_net_forward_t *forward,
                       char *error, size_t error_size);
bool board_remove_forward(rvvm_machine_t *machine, size_t index, const host_net_forward_t *forward,
                          char *error, size_t error_size);
bool board_get_forward(rvvm_machine_t *machine, size_t index, size_t number,
                       host_net_forward_t *forward);

/* What was loaded at the last reset; all zeros when there is none. Valid while the machine is
 * stopped. */
const loader_image_t *board_firmware_image(const rvvm_machine_t *machine);
const loader_image_t *board_kernel_image(const rvvm_machine_t *machine);

/*
 * The host-target interface of bare-metal tests (src/htif.c): when the firmware's symbol `tohost`
 * becomes odd, the machine is powered off. Attach before the first start; false when there is no
 * memory.
 */
bool board_attach_htif(rvvm_machine_t *machine);

/* The program has ended that way, with this status (tohost >> 1). The machine is stopped. */
bool board_htif_status(const rvvm_machine_t *machine, uint32_t *status);

/*
 * Writes the words from begin_signature to end_signature of the firmware as riscv-arch-test has
 * them: one word of 32 bits in hexadecimal on each line. False: told in the log. The machine is
 * stopped.
 */
bool board_write_signature(rvvm_machine_t *machine, const char *path);

/* Prints each instruction to out before it runs (src/trace.c). Before the first start. */
void board_trace(rvvm_machine_t *machine, FILE *out);

#endif
