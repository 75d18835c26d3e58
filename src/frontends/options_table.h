/* SPDX-License-Identifier: MPL-2.0 */
/* The options' names and their lines on the help page, for options.c. */
#ifndef RVKIT_FRONTENDS_OPTIONS_TABLE_H
#define RVKIT_FRONTENDS_OPTIONS_TABLE_H

#include <stddef.h>

typedef enum option_id {
    OPT_BIOS,
    OPT_KERNEL,
    OPT_INITRD,
    OPT_DTB,
    OPT_DUMPDTB,
    OPT_CMDLINE,
    OPT_APPEND,
    OPT_MEM,
    OPT_SMP,
    OPT_RV32,
    OPT_SERIAL,
    OPT_CONSOLE,
    OPT_PORT,
    OPT_MONITOR,
    OPT_ATTACH,
    OPT_VSOCK,
    OPT_BALLOON,
    OPT_VIRTIO,
    OPT_DRIVE,
    OPT_SCRIPT,
    OPT_ICOUNT,
    OPT_NOJIT,
    OPT_SIGNATURE,
    OPT_TRACE,
    OPT_SHARE,
    OPT_SOUND,
    OPT_NET,
    OPT_NONET,
    OPT_PORTFWD,
    OPT_D,
    OPT_LOG,
    OPT_RES,
    OPT_GPU,
    OPT_FONT,
    OPT_POWEROFF_KEY,
    OPT_NOSOUND,
    OPT_NOGUI,
    OPT_VERBOSE,
    OPT_VERSION,
    OPT_HELP,
    OPT_IMAGE,   /* not on the page of help: RVVM's names of a disk */
    OPT_NOTE,    /* accepted, and said to have no effect */
    OPT_SILENT,  /* accepted: what it asks for is so anyway */
    OPT_MISSING, /* refused by name: the guest would see something else than was asked for */
} option_id_t;

/* One option: its spellings, separated by spaces; the name of its value (NULL: none); its help or
 * note. */
typedef struct option_row {
    const char *names;
    const char *value;
    option_id_t id;
    const char *text;
} option_row_t;

/* A row without names is a heading of the help page. Rows with the last three ids are not on it. */
static const option_row_t option_rows[] = {
    {NULL, NULL, OPT_HELP, "What to run"},
    {"bios bootrom", "FILE", OPT_BIOS,
     "M-mode firmware, ELF or flat (OpenSBI, bare metal);\n"
     "without it, a built-in SBI starts the kernel"},
    {"k kernel", "FILE", OPT_KERNEL, "kernel: a Linux Image, ELF, or flat"},
    {"initrd", "FILE", OPT_INITRD, "initial RAM disk (cpio archive, may be compressed)"},
    {"cmdline", "TEXT", OPT_CMDLINE, "kernel command line, instead of the default"},
    {"append", "TEXT", OPT_APPEND, "added to the kernel command line"},
    {"dtb", "FILE", OPT_DTB, "device tree blob, instead of the generated one"},
    {"dumpdtb", "FILE", OPT_DUMPDTB, "write the generated device tree to FILE"},

    {NULL, NULL, OPT_HELP, "The machine"},
    {"m mem", "SIZE", OPT_MEM, "RAM, such as 64M or 1G (default 256M, at most 2G)"},
    {"s smp", "N", OPT_SMP, "number of harts, 1 to 16 (default 1)"},
    {"rv32", NULL, OPT_RV32, "32-bit RISC-V: always so"},
    {"icount", NULL, OPT_ICOUNT,
     "one thread, time from executed instructions: runs\n"
     "with the same input are identical"},
    {"balloon", "SIZE", OPT_BALLOON,
     "a virtio-balloon: the guest gives up SIZE (0 for\n"
     "nothing yet) and free pages, and the host has them"},
    {"virtio", "HOW", OPT_VIRTIO,
     "how the VirtIO devices talk, a list with commas:\n"
     "legacy (virtio-mmio version 1, as older xv6 and\n"
     "kernels have it), packed=off, event_idx=off,\n"
     "indirect_desc=off, in_order=on"},
    {"nojit", NULL, OPT_NOJIT, "interpret only: always so in this version"},

    {NULL, NULL, OPT_HELP, "Disks"},
    {"drive", "DISK", OPT_DRIVE,
     "FILE[,ro][,cow=OVERLAY] as a virtio-blk disk\n"
     "(repeat for more); ro: never written;\n"
     "cow: what is written goes to OVERLAY"},

    {NULL, NULL, OPT_HELP, "Network"},
    {"share", "TAG=DIR", OPT_SHARE,
     "give the guest the folder DIR, to mount as TAG; DIR may\n"
     "be followed by ,ro (read-only) and ,fs (virtio-fs, not\n"
     "9p); repeat for more"},
    {"net", "WHERE", OPT_NET,
     "a virtio-net card (repeat for more) on: user (a NAT,\n"
     "the default), tap=INTERFACE, unix=SOCKET or none;\n"
     "user,loopback: 10.0.2.2 is the host's 127.0.0.1;\n"
     "unix=SOCKET,listen; for all: ,mac=ADDRESS ,pcap=FILE"},
    {"nonet", NULL, OPT_NONET, "no network card"},
    {"portfwd", "MAP", OPT_PORTFWD,
     "forward a port of the host into the user network:\n"
     "[tcp/|udp/][ADDR:]PORT[=[ADDR:]PORT], such as\n"
     "tcp/127.0.0.1:2022=22 (repeat for more)"},

    {NULL, NULL, OPT_HELP, "Input and output"},
    {"serial", "WHERE", OPT_SERIAL,
     "serial port (repeat for more): stdio, stdout, null,\n"
     "pty, unix:PATH, tcp:HOST:PORT, file:PATH, or a path\n"
     "of a device or output file (default stdio); places\n"
     "with commas between share one port: stdio,file:LOG"},
    {"console", "WHERE", OPT_CONSOLE,
     "virtio console, /dev/hvc0 and up (repeat for more);\n"
     "WHERE as for -serial; ports at stdio share the\n"
     "terminal, and Ctrl-A c turns to the next"},
    {"monitor", "WHERE", OPT_MONITOR,
     "the machine's own command line; WHERE as for -serial\n"
     "(default: Ctrl-A m in the terminal)"},
    {"attach", "WHERE", OPT_ATTACH,
     "no machine: this terminal on a console of a running\n"
     "one, which has it at unix:PATH or tcp:HOST:PORT"},
    {"port", "NAME=WHERE", OPT_PORT,
     "a channel for programs, /dev/virtio-ports/NAME in the\n"
     "guest (repeat for more); WHERE as for -serial"},
    {"vsock", "PATH", OPT_VSOCK,
     "sockets between guest and host, by Unix sockets:\n"
     "PATH into the guest (\"CONNECT PORT\"), PATH_PORT out\n"
     "of it; PATH,cid=N: the guest's address (default 3)"},
    {"sound", "WHERE", OPT_SOUND,
     "a sound device that plays into wav:FILE, or null;\n"
     "wav:FILE,record=FILE also hears a WAV file (default:\n"
     "none; in a window, the computer's)"},
    {"script", "FILE", OPT_SCRIPT, "play a script instead of the keyboard (- is stdin)"},
    {"signature", "FILE", OPT_SIGNATURE,
     "write the test signature (from begin_signature to\n"
     "end_signature) when the program ends by tohost"},
    {"trace", NULL, OPT_TRACE, "log each instruction to stderr (also: -d in_asm)"},
    {"d", "WHAT", OPT_D, "as QEMU has it; WHAT is in_asm"},
    {"log", "FILE", OPT_LOG, "write messages and traces to FILE instead of stderr"},
    {"v verbose", NULL, OPT_VERBOSE, "more messages"},
    {"version", NULL, OPT_VERSION, "print the version"},
    {"h help H", NULL, OPT_HELP, "print this page"},

    {NULL, NULL, OPT_HELP, "The window (rvkit-sdl)"},
    {"gpu", "N", OPT_GPU,
     "a virtio-gpu with N screens, 0 to 8 (default 1, and\n"
     "none with -res), which follow the window's size"},
    {"res", "WxH", OPT_RES, "a simple frame buffer of W x H pixels, as 1024x768"},
    {"font", "FONT", OPT_FONT,
     "the consoles' font: a name or a file, which may be\n"
     "followed by :SIZE in pixels"},
    {"poweroff_key", NULL, OPT_POWEROFF_KEY,
     "closing the window presses the guest's power key"},
    {"nosound", NULL, OPT_NOSOUND, "no sound device"},
    {"nogui", NULL, OPT_NOGUI, "no window: as rvkit"},

    {"noisolation", NULL, OPT_NOTE, "has no effect: the process is not isolated"},
    {"jitcache", "SIZE", OPT_NOTE, "has no effect: this version only interprets"},
    {"nographic", NULL, OPT_SILENT, NULL},

    {"image i", "FILE", OPT_IMAGE, "is a virtio-blk disk here: /dev/vda"},
    {"nvme", "FILE", OPT_IMAGE, "is a virtio-blk disk here, no NVMe: /dev/vda"},
    {"ata", "FILE", OPT_MISSING, "rvkit has no ATA; use -drive FILE (/dev/vda)"},
    {"bochs_display", NULL, OPT_MISSING, "rvkit has no Bochs display; use -gpu or -res (rvkit-sdl)"},
    {"vfio_pci", "SLOT", OPT_MISSING, "rvkit has no PCI passthrough"},
    {"gdbstub", "ADDR", OPT_MISSING, "this version has no GDB stub"},
    {"riscv_aia", NULL, OPT_MISSING, "rvkit has a PLIC, no AIA"},
    {"hda_test", NULL, OPT_MISSING, "rvkit has no HD Audio"},
    {"rv64", NULL, OPT_MISSING, "rvkit is a 32-bit machine (rv32)"},
    {"isa", "NAME", OPT_MISSING, "the harts always have all extensions of rvkit's rv32"},
};

#endif
