/* SPDX-License-Identifier: MPL-2.0 */
/* The command line program: a machine on this terminal, or under a script. */
#include "network.h"
#include "options.h"
#include "script.h"
#include "sharing.h"
#include "terminal.h"

#include "../board.h"
#include "../host/file.h"
#include "../host/share.h"
#include "../host/tty.h"
#include "../host/vsock_unix.h"

#include <rvvm/compat.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define EXIT_FAILED 1
#define EXIT_USAGE 2

#define SCRIPT_MAX ((uint64_t)16 << 20)

/* RVVM's default; without an initrd, the first disk is the root. */
static const char default_cmdline[] = "console=ttyS";
static const char console_cmdline[] = "console=hvc0";

/* What the callbacks of the run need; lives as long as main(). */
typedef struct app_window {
    struct app *app;
    size_t index; /* of the console */
} app_window_t;

typedef struct app {
    options_t options;
    rvvm_machine_t *machine; /* atomic: set when it may be stopped */
    bool quit;               /* atomic: stop, perhaps before there is a machine */
    bool broken;             /* atomic: because the output failed */
    bool interactive;        /* the keyboard is a terminal */
    chardev_t *terminal;     /* the first serial port's host side, NULL for none */
    chardev_t *console;      /* the same as the guest's UART sees it: the terminal or the script */
    script_t *script;
    bool stdio_taken;
    bool on_console; /* the first console is the main port */
    app_window_t window[BOARD_CONSOLES_MAX];
    char port_name[OPTIONS_PORTS_MAX][64];
    const char *root; /* what the default command line says of the first disk; NULL: no disk */
} app_t;

static void app_stop(void *opaque)
{
    app_t *app = opaque;
    __atomic_store_n(&app->quit, true, __ATOMIC_SEQ_CST);
    rvvm_machine_t *machine = __atomic_load_n(&app->machine, __ATOMIC_SEQ_CST);
    if (machine) {
        rvvm_reset_machine(machine, false);
    }
}

static void app_on_balloon(void *opaque, uint64_t bytes)
{
    app_t *app = opaque;
    board_set_balloon(app->machine, bytes);
}

static void app_on_terminal(void *opaque, terminal_event_t event)
{
    app_t *app = opaque;
    if (event == TERMINAL_BROKEN) {
        __atomic_store_n(&app->broken, true, __ATOMIC_SEQ_CST);
    }
    app_stop(app);
}

/* Standard descriptors that were closed are /dev/null, so that no other file takes their numbers.
 */
static void main_open_std(void)
{
    int fd;
    do {
        fd = open("/dev/null", O_RDWR);
    } while (fd >= 0 && fd <= 2);
    if (fd > 2) {
        close(fd);
    }
}

static int main_usage(const char *error)
{
    fprintf(stderr, "rvkit: %s\n", error);
    return EXIT_USAGE;
}

static void main_print_notes(const options_t *o)
{
    for (size_t i = 0; i + 1 < o->note_count; i += 2) {
        fprintf(stderr, "rvkit: note: -%s %s\n", o->notes[i], o->notes[i + 1]);
    }
}

/* 0, or the exit status after a message. */
static int app_read_script(app_t *app)
{
    const char *path = app->options.script;
    bool from_stdin = !strcmp(path, "-");
    const char *name = from_stdin ? "(stdin)" : path;
    char why[400];
    uint8_t *text;
    size_t size;
    if (!host_file_read_all(from_stdin ? "/dev/stdin" : path, SCRIPT_MAX, &text, &size, why,
                            sizeof(why))) {
        fprintf(stderr, "rvkit: %s: %s\n", name, why);
        return EXIT_FAILED;
    }
    app->script = script_parse(name, (const char *)text, size, why, sizeof(why));
    free(text);
    return app->script ? 0 : main_usage(why);
}

/* The port of `-serial stdio`: keyboard and screen. */
static chardev_t *app_open_stdio(app_t *app, bool with_input)
{
    bool tty = with_input && host_tty_is(STDIN_FILENO);
    app->interactive |= tty;
    return terminal_create(&(terminal_desc_t){
        .in_fd = with_input ? STDIN_FILENO : -1,
        .out_fd = STDOUT_FILENO,
        .commands = tty,
        .patient = app->options.icount,
        .on_event = app_on_terminal,
        .opaque = app,
    });
}

/* The back end that -OPTION SPEC names into *dev (NULL: output is swallowed). False: told. */
static bool app_open_line(app_t *app, const char *option, const char *spec, bool with_input, chardev_t **dev)
{
    static const char *const what[] = {"serial port", "console", "port"};
    char why[200];
    bool stdio = !strcmp(spec, "stdio");
    *dev = NULL;
    if (!strcmp(spec, "null")) {
        return true;
    }
    if (stdio && app->stdio_taken) {
        fprintf(stderr, "rvkit: -%s stdio: only one port can have the terminal\n", option);
        return false;
    }
    app->stdio_taken |= stdio;
    if (stdio || !strcmp(spec, "stdout")) {
        *dev = app_open_stdio(app, stdio && with_input);
        snprintf(why, sizeof(why), "out of memory");
    } else {
        const char *name = what[option[0] == 'c' ? 1 : option[0] == 'p' ? 2 : 0];
        *dev = terminal_open(spec, name, app->options.icount, why, sizeof(why));
    }
    if (!*dev) {
        fprintf(stderr, "rvkit: -%s %s: %s\n", option, spec, why);
        return false;
    }
    return true;
}

/* Channels for programs; the names stay in the options. */
static bool app_open_channels(app_t *app, board_desc_t *desc)
{
    const options_t *o = &app->options;
    for (size_t i = 0; i < o->port_count; i++) {
        size_t length = strcspn(o->port[i], "=");
        memcpy(app->port_name[i], o->port[i], length);
        if (!app_open_line(app, "port", o->port[i] + length + 1, true, &desc->port[i].chardev)) {
            return false;
        }
        desc->port[i].name = app->port_name[i];
        desc->port_count++;
    }
    return true;
}

/*
 * All serial ports and consoles; false: told, and those that were opened are the caller's to free. The
 * first serial port is the main one, unless a console has the terminal and no serial port was asked for.
 */
static bool app_open_ports(app_t *app, board_desc_t *desc)
{
    options_t *o = &app->options;
    app->on_console = !o->serial_count && o->console_count && !strcmp(o->console[0], "stdio");
    if (!o->serial_count) {
        o->serial[o->serial_count++] = app->on_console ? "null" : "stdio";
    }
    for (size_t i = 0; i < o->serial_count; i++) {
        bool scripted = i == 0 && app->script && !app->on_console;
        if (!app_open_line(app, "serial", o->serial[i], !scripted, &desc->serial[i])) {
            return false;
        }
        desc->serial_count++;
    }
    for (size_t i = 0; i < o->console_count; i++) {
        bool scripted = i == 0 && app->script && app->on_console;
        if (!app_open_line(app, "console", o->console[i], !scripted, &desc->console[i])) {
            return false;
        }
        desc->console_count++;
    }
    chardev_t **main_port = app->on_console ? &desc->console[0] : &desc->serial[0];
    app->terminal = app->console = *main_port;
    if (app->script) {
        *main_port = app->console = script_play(app->script, app->terminal, app_stop, app);
        if (!app->console) {
            fprintf(stderr, "rvkit: out of memory\n");
            return false;
        }
        script_on_balloon(app->console, app_on_balloon, app);
    }
    return app_open_channels(app, desc);
}

/* Sockets, likewise. */
static bool app_open_vsock(app_t *app, board_desc_t *desc)
{
    char why[200];
    if (!app->options.vsock) {
        return true;
    }
    if (!host_vsock_open(&desc->vsock, app->options.vsock, why, sizeof(why))) {
        fprintf(stderr, "rvkit: -vsock %s: %s\n", app->options.vsock, why);
        return false;
    }
    desc->vsock_cid = app->options.vsock_cid;
    return true;
}

static void app_on_size(void *opaque, uint16_t cols, uint16_t rows)
{
    const app_window_t *window = opaque;
    board_resize_console(window->app->machine, window->index, cols, rows);
}

/* The consoles hear how large their windows are. */
static void app_watch_windows(app_t *app, const board_desc_t *desc)
{
    for (size_t i = 0; i < desc->console_count; i++) {
        app->window[i] = (app_window_t){app, i};
        terminal_watch_size(desc->console[i], app_on_size, &app->window[i]);
    }
}

/* All disks, likewise. */
static bool app_open_drives(app_t *app, board_desc_t *desc)
{
    const options_t *o = &app->options;
    char why[400];
    for (size_t i = 0; i < o->drive_count; i++) {
        const char *text = o->drive[i].text;
        const disk_desc_t plain = {.path = text};
        disk_t *disk = o->drive[i].plain ? disk_open(&plain, why, sizeof(why))
                                         : disk_open_spec(text, why, sizeof(why));
        if (!disk) {
            fprintf(stderr, "rvkit: -drive %s\n", why);
            return false;
        }
        desc->drive[desc->drive_count++] = disk;
    }
    if (desc->drive_count) {
        app->root = disk_read_only(desc->drive[0]) ? "root=/dev/vda ro" : "root=/dev/vda rw";
    }
    return true;
}

/* All networks, likewise. */
static bool app_open_networks(app_t *app, board_desc_t *desc)
{
    char why[400];
    if (!network_open(&app->options, desc, why, sizeof(why))) {
        fprintf(stderr, "rvkit: %s\n", why);
        return false;
    }
    return true;
}

/* The folders; the tags stay in `sharing`. */
static bool app_open_shares(app_t *app, board_desc_t *desc, sharing_t *sharing)
{
    const options_t *o = &app->options;
    char why[200];
    for (size_t i = 0; i < o->share_count; i++, sharing++) {
        if (!sharing_parse(o->share[i], sharing, why, sizeof(why))) {
            fprintf(stderr, "rvkit: -share %s\n", why);
            return false;
        }
        const share_desc_t share = {sharing->dir, sharing->read_only, o->icount};
        if (!share_open(&desc->share[i].server, &share, why, sizeof(why))) {
            fprintf(stderr, "rvkit: -share %s: %s: %s\n", sharing->tag, sharing->dir, why);
            return false;
        }
        desc->share[i].tag = sharing->tag;
        desc->share[i].fs = sharing->fs;
        desc->share_count++;
    }
    return true;
}

static void app_close_parts(const board_desc_t *desc)
{
    for (size_t i = 0; i < desc->serial_count; i++) {
        chardev_free(desc->serial[i]);
    }
    for (size_t i = 0; i < desc->console_count; i++) {
        chardev_free(desc->console[i]);
    }
    for (size_t i = 0; i < desc->port_count; i++) {
        chardev_free(desc->port[i].chardev);
    }
    if (desc->vsock_cid) {
        desc->vsock.free(desc->vsock.opaque);
    }
    for (size_t i = 0; i < desc->drive_count; i++) {
        disk_close(desc->drive[i]);
    }
    for (size_t i = 0; i < desc->net_count; i++) {
        host_net_close(desc->net[i].net);
    }
    for (size_t i = 0; i < desc->share_count; i++) {
        desc->share[i].server.ops->free(desc->share[i].server.opaque);
    }
}

static bool app_create_machine(app_t *app)
{
    const options_t *o = &app->options;
    sharing_t sharing[BOARD_SHARES_MAX];
    board_desc_t desc = {
        .mem_size = (size_t)o->mem,
        .harts = o->harts,
        .icount = o->icount ? RVKIT_ICOUNT_DEFAULT : 0,
        .cooperative = o->icount,
        .balloon = o->balloon,
        .balloon_target = o->balloon_target,
    };
    if (!app_open_ports(app, &desc) || !app_open_drives(app, &desc) ||
        !app_open_networks(app, &desc) || !app_open_shares(app, &desc, sharing) ||
        !app_open_vsock(app, &desc)) {
        app_close_parts(&desc);
        return false;
    }
    rvvm_machine_t *machine = board_create(&desc);
    if (!machine) {
        return false;
    }
    app->machine = machine;
    app_watch_windows(app, &desc);
    return true;
}

/* Files and command line; false: told in the log. */
static bool app_load(app_t *app)
{
    const options_t *o = &app->options;
    rvvm_machine_t *machine = app->machine;
    if ((o->firmware && !rvvm_load_firmware(machine, o->firmware)) ||
        (o->kernel && !rvvm_load_kernel(machine, o->kernel)) ||
        (o->initrd && !rvkit_load_initrd(machine, o->initrd)) ||
        (o->dtb && !rvvm_load_fdt(machine, o->dtb))) {
        return false;
    }
    if (o->cmdline || o->kernel) {
        rvvm_set_cmdline(machine, o->cmdline ? o->cmdline : app->on_console ? console_cmdline : default_cmdline);
    }
    if (app->root && o->kernel && !o->initrd && !o->cmdline) {
        rvvm_append_cmdline(machine, app->root);
    }
    for (size_t i = 0; i < o->append_count; i++) {
        rvvm_append_cmdline(machine, o->appends[i]);
    }
    return (!o->dumpdtb || rvvm_dump_fdt(machine, o->dumpdtb)) && board_attach_htif(machine);
}

/* How the run ended, as an exit status; messages for what went wrong. */
static int app_result(app_t *app)
{
    uint32_t status;
    if (app->terminal) {
        terminal_flush(app->terminal);
    }
    host_tty_restore();
    if (app->interactive && app->quit && !app->broken) {
        fputc('\n', stderr); /* the guest's cursor was somewhere in a line */
    }
    if (app->options.signature && !board_write_signature(app->machine, app->options.signature)) {
        return EXIT_FAILED;
    }
    if (app->broken) {
        fprintf(stderr, "rvkit: the output cannot be written: %s\n", terminal_error(app->terminal));
        return EXIT_FAILED;
    }
    if (app->script) {
        return script_result(app->console);
    }
    if (board_htif_status(app->machine, &status)) {
        return status > 255 ? 255 : (int)status;
    }
    return 0;
}

static int app_run(app_t *app)
{
    if (app->options.trace) {
        board_trace(app->machine, stderr);
    }
    if (!rvvm_start_machine(app->machine)) {
        return EXIT_FAILED;
    }
    if (__atomic_load_n(&app->quit, __ATOMIC_SEQ_CST)) {
        rvvm_reset_machine(app->machine, false);
    }
    /* From here on; so messages about what cannot be started appear as usual. */
    if (app->interactive) {
        host_tty_raw(STDIN_FILENO);
    }
    rvvm_run_eventloop();
    return app_result(app);
}

static int app_main(app_t *app)
{
    const options_t *o = &app->options;
    if (o->log && !freopen(o->log, "w", stderr)) {
        fprintf(stdout, "rvkit: %s: cannot be written: %s\n", o->log, strerror(errno));
        return EXIT_FAILED;
    }
    if (o->verbose) {
        rvvm_set_loglevel(LOG_INFO);
    }
    int status = o->script ? app_read_script(app) : 0;
    if (status) {
        return status;
    }
    if (!app_create_machine(app) || !app_load(app)) {
        status = EXIT_FAILED;
    } else {
        main_print_notes(o); /* only now: a failure is told in one line */
        status = o->firmware || o->kernel ? app_run(app) : 0;
    }
    rvvm_machine_t *machine = __atomic_exchange_n(&app->machine, NULL, __ATOMIC_SEQ_CST);
    rvvm_free_machine(machine);
    host_tty_restore();
    script_free(app->script);
    return status;
}

int main(int argc, char **argv)
{
    app_t app = {.machine = NULL};
    char error[256];
    int status = 0;
    main_open_std();
    if (!options_parse(&app.options, argc, argv, error, sizeof(error))) {
        status = main_usage(error);
    } else if (app.options.help) {
        options_print_help(stdout);
    } else if (app.options.version) {
        printf("rvkit %s\n", RVKIT_VERSION);
    } else {
        status = app_main(&app);
    }
    options_free(&app.options);
    if (fflush(stdout) != 0 && status == 0) {
        fprintf(stderr, "rvkit: the output cannot be written: %s\n", strerror(errno));
        status = EXIT_FAILED;
    }
    return status;
}
