/* SPDX-License-Identifier: MPL-2.0 */
#include "app.h"

#include "attach.h"
#include "cmdline.h"
#include "monitor.h"
#include "network.h"
#include "sharing.h"

#include "../desktop.h"
#include "../host/audio.h"
#include "../host/file.h"
#include "../host/share.h"
#include "../host/thread.h"
#include "../host/tty.h"
#include "../host/vsock_unix.h"
#include "../util.h"

#include <rvvm/compat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <time.h>
#include <unistd.h>

#define EXIT_FAILED 1
#define EXIT_USAGE 2

#define SCRIPT_MAX ((uint64_t)16 << 20)

/* What the callbacks of the run need; lives as long as app_main(). */
struct app {
    options_t options;
    const app_front_t *front; /* NULL: none, or it is not wanted */
    bool front_open;
    bool screen;             /* the guest has one */
    rvvm_machine_t *machine; /* atomic: set when it may be stopped */
    uint32_t quit;           /* atomic: stop, perhaps before there is a machine */
    uint32_t broken;         /* atomic: because the output failed */
    host_mutex_t *control;   /* who pauses, resets or lets go on */
    host_event_t *wake;      /* the main thread, while the machine is paused */
    script_t *script;
    consoles_t *consoles;
    monitor_t *monitor; /* NULL: none */
    char port_name[OPTIONS_PORTS_MAX][64];
    const char *root; /* what the default command line says of the first disk; NULL: no disk */
    board_clock_t clock;
};

static const char *app_name(const app_t *app)
{
    return app->front ? app->front->program : "rvkit";
}

/* One line on stderr, with the program's name in front. */
PRINTF_LIKE(2, 3) static void app_error(const app_t *app, const char *fmt, ...)
{
    char line[700];
    va_list args;
    va_start(args, fmt);
    vsnprintf(line, sizeof(line), fmt, args);
    va_end(args);
    fprintf(stderr, "%s: %s\n", app_name(app), line);
}

static void app_say(app_t *app, const char *line)
{
    if (app->front) {
        app->front->say(app->front->opaque, line);
    } else {
        consoles_say(app->consoles, line);
    }
}

/* --- Control: what the terminal's keys, the script and the monitor ask for; any thread --- */

void app_quit(app_t *app)
{
    __atomic_store_n(&app->quit, 1, __ATOMIC_SEQ_CST);
    rvvm_machine_t *machine = __atomic_load_n(&app->machine, __ATOMIC_SEQ_CST);
    if (machine) {
        rvvm_reset_machine(machine, false);
    }
    host_event_set(app->wake);
}

static void app_stop(void *opaque)
{
    app_quit(opaque);
}

bool app_pause(app_t *app, bool paused)
{
    host_mutex_lock(app->control);
    rvvm_machine_t *machine = __atomic_load_n(&app->machine, __ATOMIC_SEQ_CST);
    bool ok = machine && rvvm_machine_powered(machine) &&
              !__atomic_load_n(&app->quit, __ATOMIC_SEQ_CST) &&
              (paused ? rvvm_pause_machine(machine) : rvvm_start_machine(machine));
    host_mutex_unlock(app->control);
    host_event_set(app->wake);
    return ok;
}

bool app_is_paused(app_t *app)
{
    rvvm_machine_t *machine = __atomic_load_n(&app->machine, __ATOMIC_SEQ_CST);
    return machine && rvvm_machine_powered(machine) && !rvvm_machine_running(machine);
}

void app_reset(app_t *app)
{
    rvvm_machine_t *machine = __atomic_load_n(&app->machine, __ATOMIC_SEQ_CST);
    if (machine) {
        rvvm_reset_machine(machine, true);
        app_pause(app, false);
    }
}

rvvm_machine_t *app_machine(app_t *app)
{
    return __atomic_load_n(&app->machine, __ATOMIC_SEQ_CST);
}

consoles_t *app_consoles(app_t *app)
{
    return app->consoles;
}

const options_t *app_options(const app_t *app)
{
    return &app->options;
}

/* The screen of a console as text with colours into a file; path NULL: a name made of the time. */
static bool app_screenshot(console_t *console, const char *path, char *said, size_t said_size)
{
    char name[CONSOLE_NAME_MAX + 40], stamp[24] = "";
    console_info_t info;
    size_t size = 0;
    console_info(console, &info);
    if (!path) {
        time_t now = time(NULL);
        struct tm *tm = localtime(&now);
        if (tm) {
            strftime(stamp, sizeof(stamp), "%Y%m%d-%H%M%S", tm);
        }
        snprintf(name, sizeof(name), "rvkit-%s-%s.ans", info.name, stamp);
        path = name;
    }
    char *text = console_draw(console, 0, &size);
    FILE *file = text ? fopen(path, "wb") : NULL;
    bool ok = file && fwrite(text, 1, size, file) == size;
    int err = errno;
    ok = file && fclose(file) == 0 && ok;
    free(text);
    if (ok) {
        snprintf(said, said_size, "%s is in %s", info.name, path);
    } else {
        snprintf(said, said_size, "%s: %s", path, text ? strerror(err) : "out of memory");
    }
    return ok;
}

static void app_on_balloon(void *opaque, uint64_t bytes)
{
    app_t *app = opaque;
    board_set_balloon(app->machine, bytes);
}

static void app_key_pause(app_t *app)
{
    bool pause = !app_is_paused(app);
    if (app_pause(app, pause)) {
        app_say(app, pause ? "rvkit: paused; Ctrl-A p goes on" : "rvkit: goes on");
    }
}

static void app_key_screenshot(app_t *app)
{
    char said[600], line[640];
    app_screenshot(consoles_shown(app->consoles), NULL, said, sizeof(said));
    snprintf(line, sizeof(line), "rvkit: screenshot: %s", said);
    app_say(app, line);
}

static void app_on_terminal(void *opaque, terminal_event_t event)
{
    app_t *app = opaque;
    switch (event) {
    case TERMINAL_BROKEN:
        __atomic_store_n(&app->broken, 1, __ATOMIC_SEQ_CST);
        app_stop(app);
        break;
    case TERMINAL_QUIT:
        app_stop(app);
        break;
    case TERMINAL_PAUSE:
        app_key_pause(app);
        break;
    case TERMINAL_RESET:
        app_say(app, "rvkit: reset");
        app_reset(app);
        break;
    case TERMINAL_SCREENSHOT:
        app_key_screenshot(app);
        break;
    }
}

/* Standard descriptors that were closed are /dev/null, so that no other file takes their numbers.
 */
static void app_open_std(void)
{
    int fd;
    do {
        fd = open("/dev/null", O_RDWR);
    } while (fd >= 0 && fd <= 2);
    if (fd > 2) {
        close(fd);
    }
}

static int app_usage(const app_t *app, const char *error)
{
    app_error(app, "%s", error);
    return EXIT_USAGE;
}

static void app_print_notes(const app_t *app)
{
    const options_t *o = &app->options;
    for (size_t i = 0; i + 1 < o->note_count; i += 2) {
        app_error(app, "note: -%s %s", o->notes[i], o->notes[i + 1]);
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
        app_error(app, "%s: %s", name, why);
        return EXIT_FAILED;
    }
    app->script = script_parse(name, (const char *)text, size, why, sizeof(why));
    free(text);
    return app->script ? 0 : app_usage(app, why);
}

/* Serial ports, consoles, channels and the monitor; false: told. */
static bool app_open_consoles(app_t *app, board_desc_t *desc)
{
    const options_t *o = &app->options;
    char why[400];
    const consoles_desc_t consoles = {
        .options = o,
        .script = app->script,
        .windowed = app->front != NULL,
        .on_event = app_on_terminal,
        .on_script_done = app_stop,
        .opaque = app,
    };
    app->consoles = consoles_open(&consoles, desc, why, sizeof(why));
    if (!app->consoles) {
        app_error(app, "%s", why);
        return false;
    }
    for (size_t i = 0; i < o->port_count; i++) {
        snprintf(app->port_name[i], sizeof(app->port_name[i]), "%.*s",
                 (int)strcspn(o->port[i], "="), o->port[i]);
        desc->port[i].name = app->port_name[i];
    }
    if (app->script) {
        script_on_balloon(consoles_script(app->consoles), app_on_balloon, app);
    }
    return true;
}

/* --- What the monitor asks for --- */

static bool app_monitor_pause(void *opaque, bool paused)
{
    return app_pause(opaque, paused);
}

static void app_monitor_reset(void *opaque)
{
    app_reset(opaque);
}

static bool app_monitor_console(void *opaque, size_t index, monitor_console_t *out)
{
    app_t *app = opaque;
    console_info_t info;
    console_t *console = consoles_at(app->consoles, index);
    if (!console) {
        return false;
    }
    console_info(console, &info);
    *out = (monitor_console_t){
        .cols = info.cols,
        .rows = info.rows,
        .viewers = info.viewers,
        .bytes_out = info.output,
        .bytes_in = info.input,
        .shown = console == consoles_shown(app->consoles),
    };
    snprintf(out->name, sizeof(out->name), "%s", info.name);
    console_title(console, out->title, sizeof(out->title));
    return true;
}

static bool app_monitor_screenshot(void *opaque, const char *name, const char *path, char *said,
                                   size_t said_size)
{
    app_t *app = opaque;
    console_t *console = consoles_find(app->consoles, name);
    if (!console) {
        snprintf(said, said_size, "there is no console %s", name ? name : "");
        return false;
    }
    return app_screenshot(console, path, said, said_size);
}

static void app_on_monitor_size(void *opaque, uint16_t cols, uint16_t rows)
{
    (void)rows;
    monitor_set_columns(opaque, cols);
}

/* Who types on a screen sees an echo; programs that are connected do not. */
static void app_on_monitor_viewers(void *opaque, unsigned screens)
{
    monitor_set_plain(opaque, screens == 0);
}

/* False: told. */
static bool app_start_monitor(app_t *app)
{
    console_t *console = consoles_monitor(app->consoles);
    if (!console) {
        return true;
    }
    console_info_t info;
    console_info(console, &info);
    app->monitor = monitor_create(&(monitor_desc_t){
        .machine = app->machine,
        .chardev = console_port(console),
        .plain = info.screens == 0,
        .host = {.opaque = app,
                 .quit = app_stop,
                 .pause = app_monitor_pause,
                 .reset = app_monitor_reset,
                 .console = app_monitor_console,
                 .screenshot = app_monitor_screenshot},
    });
    if (!app->monitor) {
        app_error(app, "the monitor: no memory, or no thread, for it");
        return false;
    }
    console_on_resize(console, app_on_monitor_size, app->monitor);
    console_on_viewers(console, app_on_monitor_viewers, app->monitor);
    return true;
}

/* Sockets; false: told. */
static bool app_open_vsock(app_t *app, board_desc_t *desc)
{
    char why[200];
    if (!app->options.vsock) {
        return true;
    }
    if (!host_vsock_open(&desc->vsock, app->options.vsock, why, sizeof(why))) {
        app_error(app, "-vsock %s: %s", app->options.vsock, why);
        return false;
    }
    desc->vsock_cid = app->options.vsock_cid;
    return true;
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
            app_error(app, "-drive %s", why);
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
        app_error(app, "%s", why);
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
            app_error(app, "-share %s", why);
            return false;
        }
        const share_desc_t share = {sharing->dir, sharing->read_only, o->icount};
        if (!share_open(&desc->share[i].server, &share, why, sizeof(why))) {
            app_error(app, "-share %s: %s: %s", sharing->tag, sharing->dir, why);
            return false;
        }
        desc->share[i].tag = sharing->tag;
        desc->share[i].fs = sharing->fs;
        desc->share_count++;
    }
    return true;
}

/* Sound that goes nowhere or into a file, beside that of a window; false: told. */
static bool app_open_sound(app_t *app, board_desc_t *desc)
{
    static const char also[] = ",record=";
    const options_t *o = &app->options;
    char why[200] = "no memory";
    if (!o->sound || o->nosound) {
        return true;
    }
    if (o->icount && !desc->clock) {
        desc->clock = &app->clock;
    }
    const audio_clock_t own = {board_clock_now, desc->clock}, *clock = o->icount ? &own : NULL;
    const char *play = strchr(o->sound, ':'), *record = strstr(o->sound, also);
    char path[4096];
    bool ok;
    if (!play) {
        ok = audio_null_open(&desc->audio, clock);
    } else {
        snprintf(path, sizeof(path), "%.*s", record ? (int)(record - play - 1) : 4095, play + 1);
        ok = audio_wav_open(&desc->audio, clock, path, record ? record + sizeof(also) - 1 : NULL,
                            why, sizeof(why));
    }
    if (!ok) {
        app_error(app, "-sound %s: %s", o->sound, why);
    }
    desc->playbacks = desc->captures = ok;
    return ok;
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
    desktop_free_desc(desc);
}

/* What the window shows; false: told. */
static bool app_open_front(app_t *app, board_desc_t *desc)
{
    char why[400];
    if (!app->front) {
        return true;
    }
    if (!app->front->open(app->front->opaque, &app->options, desc, why, sizeof(why))) {
        app_error(app, "%s", why);
        return false;
    }
    app->front_open = true;
    return true;
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
        .virtio = o->virtio,
        .balloon = o->balloon,
        .balloon_target = o->balloon_target,
    };
    if (!app_open_front(app, &desc) || !app_open_sound(app, &desc) ||
        !app_open_consoles(app, &desc) || !app_open_drives(app, &desc) ||
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
    app->screen = desc.scanout_count || desc.has_framebuffer;
    consoles_connect(app->consoles, machine);
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
    if (o->cmdline) {
        rvvm_set_cmdline(machine, o->cmdline);
    } else if (o->kernel) {
        /* Without an initrd, the first disk is the root. */
        const cmdline_t usual = {.on_hvc = consoles_on_hvc(app->consoles),
                                 .screen = app->screen,
                                 .root = o->initrd ? NULL : app->root};
        cmdline_set_usual(machine, &usual);
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
    consoles_flush(app->consoles);
    host_tty_restore();
    if (consoles_interactive(app->consoles) && app->quit && !app->broken) {
        fputc('\n', stderr); /* the guest's cursor was somewhere in a line */
    }
    if (app->options.signature && !board_write_signature(app->machine, app->options.signature)) {
        return EXIT_FAILED;
    }
    if (app->broken) {
        app_error(app, "the output cannot be written: %s", consoles_error(app->consoles));
        return EXIT_FAILED;
    }
    if (app->script) {
        return script_result(consoles_script(app->consoles));
    }
    if (board_htif_status(app->machine, &status)) {
        return status > 255 ? 255 : (int)status;
    }
    return 0;
}

/* Until the machine is off: a paused one is waited for. */
static void app_loop(app_t *app)
{
    do {
        rvvm_run_eventloop();
        while (app_is_paused(app) && !__atomic_load_n(&app->quit, __ATOMIC_SEQ_CST)) {
            host_event_wait(app->wake, HOST_FOREVER);
        }
    } while (rvvm_machine_running(app->machine));
}

static void app_loop_beside(void *arg)
{
    app_t *app = arg;
    app_loop(app);
    app->front->ended(app->front->opaque);
}

/* The same, with the main thread for the front end; false: told, and the machine is off. */
static bool app_loop_fronted(app_t *app)
{
    host_thread_t *thread = host_thread_create(app_loop_beside, app);
    if (!thread) {
        app_error(app, "there is no thread for the machine");
        return false;
    }
    app->front->run(app->front->opaque, app);
    host_thread_join(thread);
    return true;
}

static int app_run(app_t *app)
{
    if (app->options.trace) {
        board_trace(app->machine, stderr);
    }
    if (app->front) {
        app->front->ready(app->front->opaque, app);
    }
    if (!rvvm_start_machine(app->machine)) {
        return EXIT_FAILED;
    }
    if (__atomic_load_n(&app->quit, __ATOMIC_SEQ_CST)) {
        rvvm_reset_machine(app->machine, false);
    }
    if (!app_start_monitor(app)) {
        return EXIT_FAILED;
    }
    /* From here on; so messages about what cannot be started appear as usual. */
    consoles_start(app->consoles);
    if (!app->front) {
        app_loop(app);
    } else if (!app_loop_fronted(app)) {
        return EXIT_FAILED;
    }
    return app_result(app);
}

/* An option that this program cannot do: told. */
static bool app_refuse_options(const app_t *app, const app_front_t *front)
{
    const char *name = app->options.window_option;
    if (name && !front) {
        app_error(app, "-%s: rvkit has no window; rvkit-sdl has one", name);
    }
    return name && !front;
}

/* The options are read. */
static int app_start(app_t *app)
{
    const options_t *o = &app->options;
    if (o->log && !freopen(o->log, "w", stderr)) {
        fprintf(stdout, "rvkit: %s: cannot be written: %s\n", o->log, strerror(errno));
        return EXIT_FAILED;
    }
    if (o->verbose) {
        rvvm_set_loglevel(LOG_INFO);
    }
    app->control = host_mutex_create();
    app->wake = host_event_create();
    if (!app->control || !app->wake) {
        app_error(app, "out of memory");
        return EXIT_FAILED;
    }
    int status = o->script ? app_read_script(app) : 0;
    if (status) {
        return status;
    }
    if (!app_create_machine(app) || !app_load(app)) {
        status = EXIT_FAILED;
    } else {
        app_print_notes(app); /* only now: a failure is told in one line */
        status = o->firmware || o->kernel ? app_run(app) : 0;
    }
    monitor_free(app->monitor);
    host_mutex_lock(app->control);
    rvvm_machine_t *machine = __atomic_exchange_n(&app->machine, NULL, __ATOMIC_SEQ_CST);
    host_mutex_unlock(app->control);
    rvvm_free_machine(machine);
    if (app->front_open) {
        app->front->close(app->front->opaque);
    }
    consoles_close(app->consoles);
    host_tty_restore();
    script_free(app->script);
    return status;
}

int app_main(int argc, char **argv, const app_front_t *front)
{
    app_t app = {.front = front};
    char error[256];
    int status = 0;
    app_open_std();
    if (!options_parse(&app.options, argc, argv, error, sizeof(error))) {
        status = app_usage(&app, error);
    } else if (app.options.help) {
        options_print_help(stdout);
    } else if (app.options.version) {
        printf("%s %s\n", app_name(&app), RVKIT_VERSION);
    } else if (app.options.attach) {
        status = attach_run(app.options.attach);
    } else if (app_refuse_options(&app, front)) {
        status = EXIT_USAGE;
    } else {
        app.front = app.options.nogui ? NULL : front;
        status = app_start(&app);
    }
    host_event_free(app.wake);
    host_mutex_free(app.control);
    options_free(&app.options);
    if (fflush(stdout) != 0 && status == 0) {
        app_error(&app, "the output cannot be written: %s", strerror(errno));
        status = EXIT_FAILED;
    }
    return status;
}
