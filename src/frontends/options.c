/* SPDX-License-Identifier: MPL-2.0 */
#include "options.h"

#include "options_table.h"
#include "sharing.h"

#include "../board.h"
#include "../host/net.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define OPTION_COUNT (sizeof(option_rows) / sizeof(option_rows[0]))

/* A parse in progress. */
typedef struct parser {
    options_t *o;
    int argc, at;
    char **argv;
    char *error;
    size_t error_size;
} parser_t;

__attribute__((format(printf, 2, 3))) static bool parser_fail(parser_t *p, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsnprintf(p->error, p->error_size, fmt, args);
    va_end(args);
    return false;
}

/* The next spelling in a list; its length, 0 at the end. */
static size_t option_next_name(const char **names)
{
    *names += strspn(*names, " ");
    return strcspn(*names, " ");
}

static const option_row_t *option_find(const char *name, size_t length)
{
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        const char *names = option_rows[i].names;
        size_t n;
        while (names && (n = option_next_name(&names)) != 0) {
            if (n == length && memcmp(names, name, n) == 0) {
                return &option_rows[i];
            }
            names += n;
        }
    }
    return NULL;
}

/* How many letters must be changed, added or taken away to make b of a (Levenshtein). */
static unsigned option_distance(const char *a, size_t an, const char *b, size_t bn)
{
    unsigned row[33];
    if (an > 32 || bn > 32) {
        return 99;
    }
    for (size_t j = 0; j <= bn; j++) {
        row[j] = (unsigned)j;
    }
    for (size_t i = 1; i <= an; i++) {
        unsigned diagonal = row[0];
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= bn; j++) {
            unsigned best = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            if (row[j] + 1 < best) {
                best = row[j] + 1;
            }
            if (row[j - 1] + 1 < best) {
                best = row[j - 1] + 1;
            }
            row[j] = best;
        }
    }
    return row[bn];
}

static bool option_unknown(parser_t *p, const char *name, size_t length)
{
    const char *nearest = NULL;
    size_t nearest_length = 0;
    unsigned best = length < 4 ? 2 : 3;
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        const char *names = option_rows[i].names;
        size_t n;
        while (names && (n = option_next_name(&names)) != 0) {
            unsigned distance = option_distance(name, length, names, n);
            if (n > 1 && distance < best) {
                best = distance;
                nearest = names;
                nearest_length = n;
            }
            names += n;
        }
    }
    int shown = length > 40 ? 40 : (int)length;
    if (nearest) {
        return parser_fail(p, "unknown option -%.*s; did you mean -%.*s? (rvkit -h lists all)",
                           shown, name, (int)nearest_length, nearest);
    }
    return parser_fail(p, "unknown option -%.*s (rvkit -h lists all)", shown, name);
}

bool options_parse_size(const char *text, uint64_t *size)
{
    uint64_t value = 0;
    const char *p = text;
    for (; *p >= '0' && *p <= '9'; p++) {
        if (value > (UINT64_C(1) << 40)) {
            return false;
        }
        value = value * 10 + (uint64_t)(*p - '0');
    }
    if (p == text) {
        return false;
    }
    unsigned shift = 0;
    switch (*p) {
    case 'k':
    case 'K':
        shift = 10;
        break;
    case 'm':
    case 'M':
        shift = 20;
        break;
    case 'g':
    case 'G':
        shift = 30;
        break;
    default:
        break;
    }
    p += shift != 0;
    if (shift && *p == 'i') { /* MiB, GiB */
        p++;
    }
    if (shift && (*p == 'b' || *p == 'B')) {
        p++;
    }
    *size = value << shift;
    return *p == 0 && (*size >> shift) == value;
}

static bool option_mem(parser_t *p, const char *value)
{
    uint64_t size;
    if (!options_parse_size(value, &size)) {
        return parser_fail(p, "-m %.40s: not a size; give one such as 256M or 1G", value);
    }
    if (size < OPTIONS_MEM_MIN) {
        bool bare = strspn(value, "0123456789") == strlen(value) && size > 0;
        return parser_fail(p, "-m %.40s: %llu bytes are too little RAM%s%.20s%s", value,
                           (unsigned long long)size, bare ? "; did you mean -m " : "",
                           bare ? value : "", bare ? "M?" : "; give at least 1M");
    }
    if (size > OPTIONS_MEM_MAX) {
        return parser_fail(p, "-m %.40s: too much RAM; the machine takes at most 2G", value);
    }
    p->o->mem = size;
    return true;
}

static bool option_smp(parser_t *p, const char *value)
{
    char *rest;
    unsigned long n = strtoul(value, &rest, 10);
    if (*value < '0' || *value > '9' || *rest || n < 1 || n > OPTIONS_HARTS_MAX) {
        return parser_fail(p, "-smp %.40s: the number of harts is 1 to %d", value,
                           OPTIONS_HARTS_MAX);
    }
    p->o->harts = (uint32_t)n;
    return true;
}

/* An option that names one file. */
static bool option_once(parser_t *p, const char **slot, const char *name, const char *value)
{
    if (!*value) {
        return parser_fail(p, "-%s: the name is empty", name);
    }
    if (*slot) {
        return parser_fail(p, "-%s is given twice: %.60s and %.60s", name, *slot, value);
    }
    *slot = value;
    return true;
}

static bool option_serial(parser_t *p, const char *value)
{
    if (p->o->serial_count == OPTIONS_SERIAL_MAX) {
        return parser_fail(p, "-serial: at most %d serial ports", OPTIONS_SERIAL_MAX);
    }
    if (!*value) {
        return parser_fail(p, "-serial: the name is empty");
    }
    p->o->serial[p->o->serial_count++] = value;
    return true;
}

static bool option_drive(parser_t *p, const char *value, bool plain)
{
    options_t *o = p->o;
    if (o->drive_count == OPTIONS_DRIVES_MAX) {
        return parser_fail(p, "-drive: at most %d disks", OPTIONS_DRIVES_MAX);
    }
    if (!*value) {
        return parser_fail(p, "-drive: the name is empty");
    }
    o->drive[o->drive_count].text = value;
    o->drive[o->drive_count++].plain = plain;
    return true;
}

static bool option_share(parser_t *p, const char *value)
{
    options_t *o = p->o;
    sharing_t sharing, other;
    char why[200];
    if (!sharing_parse(value, &sharing, why, sizeof(why))) {
        return parser_fail(p, "-share %s", why);
    }
    if (o->share_count == OPTIONS_SHARES_MAX) {
        return parser_fail(p, "-share: at most %d folders", OPTIONS_SHARES_MAX);
    }
    for (size_t i = 0; i < o->share_count; i++) {
        if (sharing_parse(o->share[i], &other, why, sizeof(why)) &&
            !strcmp(other.tag, sharing.tag)) {
            return parser_fail(p, "-share: the tag %s is given twice", sharing.tag);
        }
    }
    o->share[o->share_count++] = value;
    return true;
}

static bool option_net(parser_t *p, const char *value)
{
    if (p->o->net_count == OPTIONS_NETS_MAX) {
        return parser_fail(p, "-net: at most %d network cards", OPTIONS_NETS_MAX);
    }
    p->o->net[p->o->net_count++] = value;
    return true;
}

static bool option_portfwd(parser_t *p, const char *value)
{
    host_net_forward_t forward;
    if (!host_net_parse_forward(value, &forward)) {
        return parser_fail(p, "-portfwd %.60s: give it as tcp/127.0.0.1:2022=22", value);
    }
    p->o->portfwds[p->o->portfwd_count++] = value;
    return true;
}

/* One more of an option that may be repeated. */
static bool option_list(parser_t *p, const char **list, size_t *count, size_t max, const char *name,
                        const char *value)
{
    if (*count == max) {
        return parser_fail(p, "-%s: at most %u of them", name, (unsigned)max);
    }
    if (!*value) {
        return parser_fail(p, "-%s: the name is empty", name);
    }
    list[(*count)++] = value;
    return true;
}

/* NAME=WHERE; the name becomes one of a file in the guest. */
static bool option_port(parser_t *p, const char *value)
{
    size_t name =
        strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");
    if (!name || name > 63 || value[name] != '=' || !value[name + 1]) {
        return parser_fail(
            p, "-port %.60s: NAME=WHERE is needed; NAME has up to 63 letters, digits, . _ -",
            value);
    }
    return option_list(p, p->o->port, &p->o->port_count, OPTIONS_PORTS_MAX, "port", value);
}

static bool option_vsock(parser_t *p, const char *value)
{
    const char *cid = strstr(value, ",cid=");
    size_t length = cid ? (size_t)(cid - value) : strlen(value);
    char *rest = NULL;
    unsigned long number = cid ? strtoul(cid + 5, &rest, 10) : 3;
    if (p->o->vsock) {
        return parser_fail(p, "-vsock is given twice");
    }
    if (!length || (cid && (cid[5] < '0' || cid[5] > '9' || *rest)) || number < 3 ||
        number > 0xFFFFFFFEul) {
        return parser_fail(p, "-vsock %.60s: PATH or PATH,cid=N is needed, N from 3 to 4294967294",
                           value);
    }
    p->o->vsock = calloc(1, length + 1);
    if (!p->o->vsock) {
        return parser_fail(p, "out of memory");
    }
    memcpy(p->o->vsock, value, length);
    p->o->vsock_cid = (uint32_t)number;
    return true;
}

static bool option_balloon(parser_t *p, const char *value)
{
    p->o->balloon = true;
    return !strcmp(value, "0") || options_parse_size(value, &p->o->balloon_target) ||
           parser_fail(p, "-balloon %.40s: a size such as 64M, or 0, is needed", value);
}

/* The words of -virtio: features by QEMU's names. */
static const struct {
    const char *name;
    uint32_t bit; /* BOARD_VIRTIO_* */
    bool unless;  /* the bit says that the feature is off */
} virtio_words[] = {
    {"legacy", BOARD_VIRTIO_LEGACY, false},         {"packed", BOARD_VIRTIO_NO_PACKED, true},
    {"event_idx", BOARD_VIRTIO_NO_EVENT_IDX, true}, {"indirect_desc", BOARD_VIRTIO_NO_INDIRECT, true},
    {"in_order", BOARD_VIRTIO_IN_ORDER, false},
};

/* One word, NAME or NAME=on or NAME=off; the bits that were named are added to *named. */
static bool virtio_word(parser_t *p, const char *word, size_t length, uint32_t *named)
{
    size_t name = strcspn(word, "=,");
    const char *state = name < length ? word + name + 1 : "on";
    size_t state_length = name < length ? length - name - 1 : 2;
    bool on = state_length == 2 && !strncmp(state, "on", 2);
    bool known = on || (state_length == 3 && !strncmp(state, "off", 3));
    for (size_t i = 0; known && i < sizeof(virtio_words) / sizeof(virtio_words[0]); i++) {
        if (strlen(virtio_words[i].name) == name && !strncmp(word, virtio_words[i].name, name)) {
            uint32_t bit = virtio_words[i].bit;
            p->o->virtio = on != virtio_words[i].unless ? p->o->virtio | bit : p->o->virtio & ~bit;
            *named |= bit;
            return true;
        }
    }
    int shown = length > 40 ? 40 : (int)length;
    return parser_fail(p, "-virtio: give legacy, packed, event_idx, indirect_desc or in_order, with =on or =off, not \"%.*s\"",
                       shown, word);
}

static bool option_virtio(parser_t *p, const char *value)
{
    uint32_t named = 0;
    do {
        size_t length = strcspn(value, ",");
        if (!virtio_word(p, value, length, &named)) {
            return false;
        }
        value += length;
    } while (*value++);
    uint32_t chosen = p->o->virtio;
    bool packed = named & ~chosen & BOARD_VIRTIO_NO_PACKED;
    if ((chosen & BOARD_VIRTIO_LEGACY) && (packed || (chosen & BOARD_VIRTIO_IN_ORDER))) {
        return parser_fail(p, "-virtio: the legacy interface has no %s", packed ? "packed rings" : "in_order");
    }
    return true;
}

/* An option of the window. */
static bool option_window(parser_t *p, const char *name)
{
    p->o->window_option = p->o->window_option ? p->o->window_option : name;
    return true;
}

static bool option_res(parser_t *p, const char *value)
{
    char *rest = NULL, *end = NULL;
    bool digits = *value >= '0' && *value <= '9';
    unsigned long width = digits ? strtoul(value, &rest, 10) : 0;
    digits = digits && *rest == 'x' && rest[1] >= '0' && rest[1] <= '9';
    unsigned long height = digits ? strtoul(rest + 1, &end, 10) : 0;
    if (!digits || *end || width > DISPLAY_SIDE_MAX || height > DISPLAY_SIDE_MAX ||
        !display_size_ok((uint32_t)width, (uint32_t)height)) {
        return parser_fail(p, "-res %.40s: a size such as 1024x768 is needed, at most %dx%d", value,
                           DISPLAY_SIDE_MAX, DISPLAY_PIXELS_MAX / DISPLAY_SIDE_MAX);
    }
    p->o->res_width = (uint32_t)width;
    p->o->res_height = (uint32_t)height;
    return option_window(p, "res");
}

static bool option_sound(parser_t *p, const char *value)
{
    bool wav = !strncmp(value, "wav:", 4) && value[4] && value[4] != ',';
    if (!wav && strcmp(value, "null") != 0) {
        return parser_fail(p, "-sound %.60s: the places are null and wav:FILE", value);
    }
    return option_once(p, &p->o->sound, "sound", value);
}

static bool option_gpu(parser_t *p, const char *value)
{
    if (value[0] < '0' || value[0] > '8' || value[1]) {
        return parser_fail(p, "-gpu %.40s: the number of screens is 0 to 8", value);
    }
    p->o->gpu = (uint32_t)(value[0] - '0');
    p->o->gpu_given = true;
    return option_window(p, "gpu");
}

static bool option_note(parser_t *p, const option_row_t *row)
{
    for (size_t i = 0; i < p->o->note_count; i++) {
        if (p->o->notes[i + 1] == row->text) {
            return true;
        }
    }
    if (p->o->note_count + 2 <= OPTIONS_NOTES_MAX) {
        p->o->notes[p->o->note_count++] = row->names;
        p->o->notes[p->o->note_count++] = row->text;
    }
    return true;
}

static bool option_apply_value(parser_t *p, const option_row_t *row, const char *value)
{
    options_t *o = p->o;
    switch (row->id) {
    case OPT_BIOS:
        return option_once(p, &o->firmware, "bios", value);
    case OPT_KERNEL:
        return option_once(p, &o->kernel, "kernel", value);
    case OPT_INITRD:
        return option_once(p, &o->initrd, "initrd", value);
    case OPT_DTB:
        return option_once(p, &o->dtb, "dtb", value);
    case OPT_DUMPDTB:
        return option_once(p, &o->dumpdtb, "dumpdtb", value);
    case OPT_SCRIPT:
        return option_once(p, &o->script, "script", value);
    case OPT_SIGNATURE:
        return option_once(p, &o->signature, "signature", value);
    case OPT_LOG:
        return option_once(p, &o->log, "log", value);
    case OPT_CMDLINE:
        o->cmdline = value;
        return true;
    case OPT_APPEND:
        o->appends[o->append_count++] = value;
        return true;
    case OPT_MEM:
        return option_mem(p, value);
    case OPT_SMP:
        return option_smp(p, value);
    case OPT_SERIAL:
        return option_serial(p, value);
    case OPT_CONSOLE:
        return option_list(p, o->console, &o->console_count, OPTIONS_SERIAL_MAX, "console", value);
    case OPT_PORT:
        return option_port(p, value);
    case OPT_MONITOR:
        return option_once(p, &o->monitor, "monitor", value);
    case OPT_ATTACH:
        return option_once(p, &o->attach, "attach", value);
    case OPT_VSOCK:
        return option_vsock(p, value);
    case OPT_BALLOON:
        return option_balloon(p, value);
    case OPT_VIRTIO:
        return option_virtio(p, value);
    case OPT_DRIVE:
        return option_drive(p, value, false);
    case OPT_IMAGE:
        return option_drive(p, value, true) && option_note(p, row);
    case OPT_RES:
        return option_res(p, value);
    case OPT_GPU:
        return option_gpu(p, value);
    case OPT_FONT:
        return option_once(p, &o->font, "font", value) && option_window(p, "font");
    case OPT_SHARE:
        return option_share(p, value);
    case OPT_SOUND:
        return option_sound(p, value);
    case OPT_NET:
        return option_net(p, value);
    case OPT_PORTFWD:
        return option_portfwd(p, value);
    case OPT_D:
        o->trace = !strcmp(value, "in_asm");
        return o->trace || parser_fail(p, "-d %.40s: only in_asm is known", value);
    default:
        return true;
    }
}

static bool option_apply(parser_t *p, const option_row_t *row, const char *name, const char *value)
{
    options_t *o = p->o;
    switch (row->id) {
    case OPT_ICOUNT:
        o->icount = true;
        return true;
    case OPT_NONET:
        o->nonet = true;
        return true;
    case OPT_POWEROFF_KEY:
        o->poweroff_key = true;
        return true;
    case OPT_NOSOUND:
        o->nosound = true;
        return true;
    case OPT_NOGUI:
        o->nogui = true;
        return true;
    case OPT_TRACE:
        o->trace = true;
        return true;
    case OPT_VERBOSE:
        o->verbose = true;
        return true;
    case OPT_VERSION:
        o->version = true;
        return true;
    case OPT_HELP:
        o->help = true;
        return true;
    case OPT_NOTE:
        return option_note(p, row);
    case OPT_RV32:
    case OPT_NOJIT:
    case OPT_SILENT:
        return true;
    case OPT_MISSING:
        return parser_fail(p, "-%s: %s", name, row->text);
    default:
        return option_apply_value(p, row, value);
    }
}

/* The option at p->at, which starts with a dash; its value may be the next argument or follow '='.
 */
static bool parser_option(parser_t *p)
{
    const char *arg = p->argv[p->at];
    const char *name = arg + 1 + (arg[1] == '-');
    size_t length = strcspn(name, "=");
    const char *value = name[length] == '=' ? name + length + 1 : NULL;
    const option_row_t *row = option_find(name, length);
    if (!row) {
        return option_unknown(p, name, length);
    }
    char shown[24];
    snprintf(shown, sizeof(shown), "%.*s", (int)length, name);
    if (row->id == OPT_MISSING) {
        return option_apply(p, row, shown, NULL);
    }
    if (!row->value && value) {
        return parser_fail(p, "-%s takes no value", shown);
    }
    if (row->value && !value) {
        if (p->at + 1 == p->argc) {
            return parser_fail(p, "-%s needs a value: -%s %s", shown, shown, row->value);
        }
        value = p->argv[++p->at];
    }
    return option_apply(p, row, shown, value);
}

static bool parser_check(parser_t *p)
{
    const options_t *o = p->o;
    if (o->help || o->version || o->attach) {
        return true;
    }
    if (!o->firmware && !o->kernel && !o->dumpdtb) {
        return parser_fail(
            p, "nothing to run: give a kernel (-k FILE) or firmware; rvkit -h explains");
    }
    if (o->initrd && !o->kernel) {
        return parser_fail(p, "-initrd needs a kernel (-k FILE) that uses it");
    }
    if (o->icount && !o->nonet && (o->net_count || o->portfwd_count)) {
        return parser_fail(p, "-icount cannot have a network: no two runs would be identical");
    }
    if (o->icount && o->vsock) {
        return parser_fail(p, "-icount cannot have -vsock: no two runs would be identical");
    }
    if (o->signature && !o->firmware) {
        return parser_fail(p, "-signature needs a bare-metal ELF program (-bios FILE)");
    }
    return true;
}

bool options_parse(options_t *options, int argc, char **argv, char *error, size_t error_size)
{
    *options = (options_t){.mem = UINT64_C(256) << 20, .harts = 1};
    parser_t p = {options, argc, 1, argv, error, error_size};
    options->appends = calloc((size_t)argc + 1, sizeof(*options->appends));
    options->portfwds = calloc((size_t)argc + 1, sizeof(*options->portfwds));
    if (!options->appends || !options->portfwds) {
        return parser_fail(&p, "out of memory");
    }
    bool only_files = false;
    for (; p.at < argc; p.at++) {
        const char *arg = argv[p.at];
        if (!only_files && !strcmp(arg, "--")) {
            only_files = true;
        } else if (!only_files && arg[0] == '-' && arg[1]) {
            if (!parser_option(&p)) {
                return false;
            }
        } else if (!option_once(&p, &options->firmware, "bios", arg)) {
            return false;
        }
    }
    return parser_check(&p);
}

void options_free(options_t *options)
{
    free(options->appends);
    free(options->vsock);
    options->vsock = NULL;
    free(options->portfwds);
    options->appends = options->portfwds = NULL;
}

/* One option: its spellings and value, then its text in a column of its own. */
static void option_print(FILE *out, const option_row_t *row)
{
    char left[64];
    size_t at = 0, n;
    const char *names = row->names;
    while ((n = option_next_name(&names)) != 0) {
        at += (size_t)snprintf(left + at, sizeof(left) - at, "%s-%.*s", at ? ", " : "", (int)n,
                               names);
        names += n;
    }
    if (row->value) {
        snprintf(left + at, sizeof(left) - at, " %s", row->value);
    }
    const char *text = row->text;
    fprintf(out, "  %-22s ", left);
    for (; *text; text++) {
        fputc(*text, out);
        if (*text == '\n') {
            fprintf(out, "%25s", "");
        }
    }
    fputc('\n', out);
}

void options_print_help(FILE *out)
{
    fputs("rvkit runs RISC-V (RV32) systems: Linux, firmware, bare-metal programs.\n"
          "\n"
          "Usage: rvkit [FIRMWARE] [-k KERNEL] [OPTION]...\n"
          "\n"
          "Examples:\n"
          "  rvkit -k Image -initrd initramfs.cpio        Linux, in this terminal\n"
          "  rvkit -k Image -initrd initramfs.cpio -s 4 -m 1G\n"
          "                                               the same with 4 harts and 1 GiB\n"
          "  rvkit fw_jump.elf -k Image -initrd initramfs.cpio\n"
          "                                               Linux on OpenSBI\n"
          "  rvkit program.elf                            a bare-metal program\n"
          "  rvkit -k Image -initrd initramfs.cpio -script login.txt\n"
          "                                               a scripted run\n"
          "\n"
          "In the terminal: Ctrl-A x exits, Ctrl-A h helps, Ctrl-A Ctrl-A sends Ctrl-A.\n"
          "Options may be written with one dash or two; -name VALUE or -name=VALUE.\n",
          out);
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        const option_row_t *row = &option_rows[i];
        if (!row->names) {
            fprintf(out, "\n%s:\n", row->text);
        } else if (row->id < OPT_IMAGE) {
            option_print(out, row);
        }
    }
    fputs("\n"
          "Exit status: 0 the guest powered off (or the script's or the test program's own\n"
          "status), 1 something failed, 2 wrong usage, 3 a script waited in vain.\n"
          "Options of RVVM that have no meaning here yet are refused or noted by name.\n"
          "The manual: man rvkit.\n",
          out);
}

void options_each_name(void (*fn)(void *opaque, const char *name, bool takes_value), void *opaque)
{
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        const char *names = option_rows[i].names;
        size_t n;
        while (names && (n = option_next_name(&names)) != 0) {
            char name[32];
            snprintf(name, sizeof(name), "%.*s", (int)n, names);
            fn(opaque, name, option_rows[i].value != NULL);
            names += n;
        }
    }
}
