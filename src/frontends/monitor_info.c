/* SPDX-License-Identifier: MPL-2.0 */
/* The monitor's `info`. */
#include "monitor_internal.h"

#include "../board.h"

#include <stdio.h>

static void info_balloon(monitor_t *m);
static void info_blk(monitor_t *m);
static void info_consoles(monitor_t *m);
static void info_devices(monitor_t *m);
static void info_harts(monitor_t *m);
static void info_net(monitor_t *m);
static void info_status(monitor_t *m);
static void info_version(monitor_t *m);

/* Both in the same order. */
const char *const monitor_info_names[] = {"balloon", "blk", "consoles", "devices",
                                          "harts",   "net", "status",   "version"};
const size_t monitor_info_count = ARRAY_LEN(monitor_info_names);
static void (*const info_calls[])(monitor_t *m) = {info_balloon, info_blk, info_consoles, info_devices,
                                                   info_harts,   info_net, info_status,   info_version};

_Static_assert(ARRAY_LEN(info_calls) == ARRAY_LEN(monitor_info_names), "a call for each name");

void monitor_cmd_info(monitor_t *m, const monitor_args_t *args)
{
    int at = monitor_find(m, "info", args->word[1], monitor_info_names, monitor_info_count);
    if (at >= 0) {
        info_calls[at](m);
    }
}

void monitor_format_size(uint64_t bytes, char *text, size_t text_size)
{
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
    unsigned unit = 0;
    uint64_t tenths = bytes * 10;
    if (bytes < 1024 || bytes > UINT64_MAX / 10) {
        snprintf(text, text_size, "%llu bytes", (unsigned long long)bytes);
        return;
    }
    while (tenths >= 10240 && unit < 4) {
        tenths /= 1024;
        unit++;
    }
    if (tenths % 10) {
        snprintf(text, text_size, "%u.%u %s", (unsigned)(tenths / 10), (unsigned)(tenths % 10), units[unit]);
    } else {
        snprintf(text, text_size, "%u %s", (unsigned)(tenths / 10), units[unit]);
    }
}

static void info_balloon(monitor_t *m)
{
    board_balloon_t info;
    char target[32], actual[32], left[32], total[32];
    if (!board_get_balloon(monitor_machine(m), &info)) {
        monitor_print(m, "the machine has no balloon (-balloon 0)\n");
        return;
    }
    monitor_format_size(info.target, target, sizeof(target));
    monitor_format_size(info.actual, actual, sizeof(actual));
    monitor_print(m, "asked for %s, given up %s\n", target, actual);
    if (info.total) {
        monitor_format_size(info.available, left, sizeof(left));
        monitor_format_size(info.total, total, sizeof(total));
        monitor_print(m, "the guest has %s available of %s\n", left, total);
    }
}

static void info_blk(monitor_t *m)
{
    board_drive_t d;
    char size[32], in[32], out[32];
    size_t i = 0;
    for (; i < BOARD_DRIVES_MAX && board_get_drive(monitor_machine(m), i, &d); i++) {
        monitor_format_size(d.size, size, sizeof(size));
        monitor_format_size(d.bytes_read, in, sizeof(in));
        monitor_format_size(d.bytes_written, out, sizeof(out));
        monitor_print(m, "drive %u: %s, %s%s%s%s\n", (unsigned)i, d.path, size,
                      d.read_only ? ", read-only" : "", *d.overlay ? ", changes go to " : "", d.overlay);
        monitor_print(m, "  read     %s in %llu requests\n", in, (unsigned long long)d.reads);
        monitor_print(m, "  written  %s in %llu requests\n", out, (unsigned long long)d.writes);
        monitor_print(m, "  flushes  %llu, discards %llu, errors %llu\n", (unsigned long long)d.flushes,
                      (unsigned long long)d.discards, (unsigned long long)d.errors);
    }
    if (!i) {
        monitor_print(m, "there are no drives\n");
    }
}

static void info_consoles(monitor_t *m)
{
    const monitor_host_t *host = monitor_host(m);
    monitor_console_t c;
    size_t i = 0;
    for (; host->console && host->console(host->opaque, i, &c); i++) {
        monitor_print(m, "%c %-12s %ux%u, %u looking on, out %llu, in %llu bytes%s%s\n",
                      c.shown ? '*' : ' ', c.name, c.cols, c.rows, c.viewers,
                      (unsigned long long)c.bytes_out, (unsigned long long)c.bytes_in,
                      *c.title ? ", " : "", c.title);
    }
    if (!i) {
        monitor_print(m, "no consoles are known here\n");
    }
}

static void info_devices(monitor_t *m)
{
    inspect_device_t d;
    for (size_t i = 0; inspect_device(monitor_machine(m), i, &d) && monitor_go_on(m); i++) {
        char irq[16] = "";
        if (d.irq) {
            snprintf(irq, sizeof(irq), "irq %u", d.irq);
        }
        monitor_print(m, "0x%08llx-0x%08llx  %-7s %s\n", (unsigned long long)d.addr,
                      (unsigned long long)(d.addr + d.size - 1), irq, d.name);
    }
}

static void info_status(monitor_t *m)
{
    rvvm_machine_t *machine = monitor_machine(m);
    char size[32];
    monitor_format_size(rvvm_get_opt(machine, RVVM_OPT_MEM_SIZE), size, sizeof(size));
    monitor_print(m, "%s; harts: %u, RAM: %s at 0x%08llx\n",
                  rvvm_machine_running(machine)   ? "running"
                  : rvvm_machine_powered(machine) ? "paused"
                                                  : "off",
                  (unsigned)rvvm_get_opt(machine, RVVM_OPT_CPU_COUNT), size,
                  (unsigned long long)rvvm_get_opt(machine, RVVM_OPT_MEM_BASE));
}

static void info_harts(monitor_t *m)
{
    static const char *const states[] = {
        [INSPECT_RUNS] = "running", [INSPECT_WAITS] = "waiting", [INSPECT_STOPPED] = "stopped"};
    inspect_hart_t hart;
    uint32_t chosen = monitor_state(m)->hart;
    info_status(m);
    for (uint32_t i = 0; inspect_hart(monitor_machine(m), i, &hart); i++) {
        monitor_print(m, "%c hart %-2u  %-7s  %c-mode  pc 0x%08x  %llu instructions\n",
                      i == chosen ? '*' : ' ', i, states[hart.state], hart.mode, hart.pc,
                      (unsigned long long)hart.retired);
    }
}

static bool list_forwards(monitor_t *m, size_t net, const char *before)
{
    host_net_forward_t forward;
    char text[120];
    size_t i = 0;
    for (; board_get_forward(monitor_machine(m), net, i, &forward); i++) {
        host_net_format_forward(&forward, text, sizeof(text));
        monitor_print(m, "%s%s\n", before, text);
    }
    return i > 0;
}

bool monitor_list_forwards(monitor_t *m)
{
    bool any = false;
    for (size_t net = 0; net < BOARD_NETS_MAX; net++) {
        any = list_forwards(m, net, "") || any;
    }
    return any;
}

static void info_net(monitor_t *m)
{
    board_net_t n;
    char in[32], out[32];
    size_t i = 0;
    for (; i < BOARD_NETS_MAX && board_get_net(monitor_machine(m), i, &n); i++) {
        monitor_format_size(n.rx_bytes, in, sizeof(in));
        monitor_format_size(n.tx_bytes, out, sizeof(out));
        monitor_print(m, "card %u: %s, %02x:%02x:%02x:%02x:%02x:%02x, the link is %s\n", (unsigned)i,
                      n.backend, n.mac[0], n.mac[1], n.mac[2], n.mac[3], n.mac[4], n.mac[5],
                      n.link ? "up" : "down");
        monitor_print(m, "  to the guest    %s in %llu frames, %llu dropped\n", in,
                      (unsigned long long)n.rx_frames, (unsigned long long)n.rx_dropped);
        monitor_print(m, "  from the guest  %s in %llu frames, %llu dropped\n", out,
                      (unsigned long long)n.tx_frames, (unsigned long long)n.tx_dropped);
        list_forwards(m, i, "  forwards        ");
    }
    if (!i) {
        monitor_print(m, "there are no network cards\n");
    }
}

static void info_version(monitor_t *m)
{
    monitor_print(m, "rvkit %s\n", RVKIT_VERSION);
}
