/* SPDX-License-Identifier: MPL-2.0 */
/* The monitor's commands: how they are found, and those that change something. */
#include "monitor_internal.h"

#include "options.h"

#include "../board.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What may follow a command. */
typedef enum {
    WORDS_NONE,
    WORDS_COMMANDS,
    WORDS_INFO,
    WORDS_PORTFWD,
    WORDS_CONSOLES,
    WORDS_REGISTERS, /* a0 */
    WORDS_VALUES,    /* $a0 */
} words_t;

typedef struct monitor_command {
    const char *name, *other; /* other: NULL, or another name, which always means this one */
    const char *args, *help;
    size_t min, max; /* words after the name */
    words_t words;
    void (*run)(monitor_t *monitor, const monitor_args_t *args);
} monitor_command_t;

static void cmd_help(monitor_t *m, const monitor_args_t *args);
static void cmd_pause(monitor_t *m, const monitor_args_t *args);
static void cmd_continue(monitor_t *m, const monitor_args_t *args);
static void cmd_reset(monitor_t *m, const monitor_args_t *args);
static void cmd_portfwd(monitor_t *m, const monitor_args_t *args);
static void cmd_balloon(monitor_t *m, const monitor_args_t *args);
static void cmd_screenshot(monitor_t *m, const monitor_args_t *args);
static void cmd_quit(monitor_t *m, const monitor_args_t *args);

static const monitor_command_t commands[] = {
    {"balloon", NULL, "[SIZE]", "how much RAM the guest gives up, or ask it to give up SIZE (64M)", 0, 1,
     WORDS_NONE, cmd_balloon},
    {"continue", "c", "", "let the machine go on after a pause; also cont", 0, 0, WORDS_NONE, cmd_continue},
    {"disas", NULL, "[ADDR [COUNT]]", "COUNT instructions from ADDR on (10 from $pc)", 0, 2, WORDS_VALUES,
     monitor_cmd_disas},
    {"hart", NULL, "[N]", "which hart the other commands mean, or mean hart N from now on", 0, 1, WORDS_NONE,
     monitor_cmd_hart},
    {"help", "?", "[COMMAND]", "the commands, or one of them", 0, 1, WORDS_COMMANDS, cmd_help},
    {"info", NULL, "WHAT", "tell of: balloon blk consoles devices harts net status version", 1, 1, WORDS_INFO,
     monitor_cmd_info},
    {"pause", "stop", "", "pause the machine", 0, 0, WORDS_NONE, cmd_pause},
    {"portfwd", NULL, "[add|remove SPEC]", "the forwarded ports, or change them; SPEC as for -portfwd", 0, 2,
     WORDS_PORTFWD, cmd_portfwd},
    {"print", "p", "VALUE", "a number, $REGISTER, or a sum of them", 1, MONITOR_WORDS_MAX, WORDS_VALUES,
     monitor_cmd_print},
    {"quit", "q", "", "end rvkit; also exit", 0, 0, WORDS_NONE, cmd_quit},
    {"registers", "r", "[HART] [all|csr|f|NAME]", "the registers of a hart, or some of them", 0, 2,
     WORDS_REGISTERS, monitor_cmd_registers},
    {"reset", NULL, "", "reset the machine", 0, 0, WORDS_NONE, cmd_reset},
    {"screenshot", NULL, "[CONSOLE] FILE", "write the screen of a console to FILE, as text with colours", 1, 2,
     WORDS_CONSOLES, cmd_screenshot},
    {"translate", NULL, "ADDR", "the physical address behind a virtual one", 1, MONITOR_WORDS_MAX, WORDS_VALUES,
     monitor_cmd_translate},
    {"x", NULL, "[/FMT] [ADDR]", "memory at a virtual address, or on from the last; FMT is a count, one of\n"
     "  x d u o c s i (hexadecimal, signed, unsigned, octal, character, string, instruction)\n"
     "  and one of b h w g (1, 2, 4, 8 bytes): x/16xb $sp, x/10i $pc", 0, MONITOR_WORDS_MAX, WORDS_VALUES,
     monitor_cmd_x},
    {"xp", NULL, "[/FMT] [ADDR]", "the same at a physical address", 0, MONITOR_WORDS_MAX, WORDS_VALUES,
     monitor_cmd_x},
};

/* Names that people bring along from elsewhere. */
static const struct {
    const char *name, *means;
} aliases[] = {{"cont", "continue"}, {"exit", "quit"}};

/* ---- Finding ---- */

/* How many characters must be added, taken away, changed or swapped to make b of a. */
static unsigned distance(const char *a, const char *b)
{
    enum { MAX = 24 };
    unsigned d[MAX + 1][MAX + 1];
    size_t na = strlen(a), nb = strlen(b);
    if (na > MAX || nb > MAX) {
        return MAX;
    }
    for (size_t i = 0; i <= na; i++) {
        for (size_t j = 0; j <= nb; j++) {
            if (!i || !j) {
                d[i][j] = (unsigned)(i + j);
                continue;
            }
            unsigned best = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
            best = d[i - 1][j] + 1 < best ? d[i - 1][j] + 1 : best;
            best = d[i][j - 1] + 1 < best ? d[i][j - 1] + 1 : best;
            bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            d[i][j] = swapped && d[i - 2][j - 2] + 1 < best ? d[i - 2][j - 2] + 1 : best;
        }
    }
    return d[na][nb];
}

static void tell_ambiguous(monitor_t *m, const char *what, const char *word, const char *const *names,
                           size_t count)
{
    monitor_print(m, "%s \"%s\" could be", what, word);
    for (size_t i = 0; i < count; i++) {
        if (!strncmp(names[i], word, strlen(word))) {
            monitor_print(m, " %s", names[i]);
        }
    }
    monitor_print(m, "\n");
}

static void tell_unknown(monitor_t *m, const char *what, const char *word, const char *const *names,
                         size_t count)
{
    size_t best = 0;
    unsigned least = 24;
    for (size_t i = 0; i < count; i++) {
        unsigned d = distance(word, names[i]);
        best = d < least ? i : best;
        least = d < least ? d : least;
    }
    if (least <= 2 && least < strlen(word)) {
        monitor_print(m, "there is no %s \"%s\"; did you mean \"%s\"?\n", what, word, names[best]);
    } else {
        monitor_print(m, "there is no %s \"%s\"; \"help\" lists what there is\n", what, word);
    }
}

int monitor_find(monitor_t *m, const char *what, const char *word, const char *const *names, size_t count)
{
    int found = -1;
    unsigned fits = 0;
    for (size_t i = 0; i < count; i++) {
        if (!strcmp(names[i], word)) {
            return (int)i;
        }
        if (!strncmp(names[i], word, strlen(word))) {
            found = (int)i;
            fits++;
        }
    }
    if (fits == 1) {
        return found;
    }
    if (fits) {
        tell_ambiguous(m, what, word, names, count);
    } else {
        tell_unknown(m, what, word, names, count);
    }
    return -1;
}

/* By its other name, or by its name or an abbreviation of it. Told when it is not found. */
static const monitor_command_t *find_command(monitor_t *m, const char *word)
{
    const char *names[ARRAY_LEN(commands)];
    for (size_t i = 0; i < ARRAY_LEN(aliases); i++) {
        word = strcmp(word, aliases[i].name) ? word : aliases[i].means;
    }
    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        names[i] = commands[i].name;
        if (commands[i].other && !strcmp(commands[i].other, word)) {
            return &commands[i];
        }
    }
    int at = monitor_find(m, "command", word, names, ARRAY_LEN(commands));
    return at < 0 ? NULL : &commands[at];
}

/* False: there are more words than a line may have, or a quotation has no end. */
static bool split(monitor_args_t *args, const char *line)
{
    *args = (monitor_args_t){.count = 0};
    char *out = args->copy;
    for (;;) {
        line += strspn(line, " ");
        if (!*line) {
            return true;
        }
        if (args->count == MONITOR_WORDS_MAX) {
            return false;
        }
        args->word[args->count++] = out;
        bool quoted = false;
        for (; *line && (quoted || *line != ' '); line++) {
            if (*line == '"') {
                quoted = !quoted;
            } else {
                *out++ = *line;
            }
        }
        *out++ = 0;
        if (quoted) {
            return false;
        }
    }
}

void monitor_run(monitor_t *m, const char *line)
{
    monitor_args_t args;
    /* "x/10i" is "x" with "/10i". */
    char spaced[LINEEDIT_MAX + 1];
    size_t name = strspn(line, " ");
    name += strcspn(line + name, " /");
    snprintf(spaced, sizeof(spaced), "%.*s%s%s", (int)name, line, line[name] == '/' ? " " : "", line + name);
    if (strlen(line) >= LINEEDIT_MAX - 1 || !split(&args, spaced)) {
        monitor_print(m, "too many words, or a \" without its second\n");
        return;
    }
    if (!args.count) {
        return;
    }
    const monitor_command_t *command = find_command(m, args.word[0]);
    if (!command) {
        return;
    }
    args.word[0] = (char *)(uintptr_t)command->name;
    if (args.count - 1 < command->min || args.count - 1 > command->max) {
        monitor_print(m, "usage: %s %s\n", command->name, command->args);
        return;
    }
    command->run(m, &args);
}

/* ---- Completing ---- */

static void offer_consoles(monitor_t *m, lineedit_offers_t *offers)
{
    const monitor_host_t *host = monitor_host(m);
    monitor_console_t info;
    for (size_t i = 0; host->console && host->console(host->opaque, i, &info); i++) {
        lineedit_offer(offers, info.name);
    }
}

static void offer_forwards(monitor_t *m, lineedit_offers_t *offers)
{
    host_net_forward_t forward;
    char text[120];
    for (size_t net = 0; net < BOARD_NETS_MAX; net++) {
        for (size_t i = 0; board_get_forward(monitor_machine(m), net, i, &forward); i++) {
            host_net_format_forward(&forward, text, sizeof(text));
            lineedit_offer(offers, text);
        }
    }
}

/* number: of the word, 1 for the first after the command. */
static void offer_words(monitor_t *m, words_t words, size_t number, const char *before,
                        lineedit_offers_t *offers)
{
    static const char *const portfwd[] = {"add", "list", "remove"};
    if (words == WORDS_REGISTERS || words == WORDS_VALUES) {
        monitor_offer_registers(words == WORDS_VALUES ? "$" : "", offers);
    } else if (words == WORDS_PORTFWD && number == 2 && strstr(before, " remove ")) {
        offer_forwards(m, offers);
    } else if (number != 1) {
        return;
    } else if (words == WORDS_CONSOLES) {
        offer_consoles(m, offers);
    } else if (words == WORDS_COMMANDS) {
        for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
            lineedit_offer(offers, commands[i].name);
        }
    } else if (words == WORDS_INFO) {
        for (size_t i = 0; i < monitor_info_count; i++) {
            lineedit_offer(offers, monitor_info_names[i]);
        }
    } else if (words == WORDS_PORTFWD) {
        for (size_t i = 0; i < ARRAY_LEN(portfwd); i++) {
            lineedit_offer(offers, portfwd[i]);
        }
    }
}

/* The one command that the first word stands for, without a word about it. */
static const monitor_command_t *only_command(const char *word, size_t length)
{
    const monitor_command_t *found = NULL;
    unsigned fits = 0;
    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        const monitor_command_t *c = &commands[i];
        bool begins = !strncmp(c->name, word, length);
        if ((begins && strlen(c->name) == length) ||
            (c->other && strlen(c->other) == length && !strncmp(c->other, word, length))) {
            return c;
        }
        found = begins ? c : found;
        fits += begins;
    }
    return fits == 1 ? found : NULL;
}

void monitor_complete(void *opaque, const char *before, lineedit_offers_t *offers)
{
    monitor_t *m = opaque;
    before += strspn(before, " ");
    size_t length = strcspn(before, " ");
    if (!before[length]) {
        offer_words(m, WORDS_COMMANDS, 1, before, offers);
        return;
    }
    const monitor_command_t *command = only_command(before, strcspn(before, " /"));
    size_t number = 0;
    for (const char *at = before; *at; at++) {
        number += *at == ' ' && at[1] != ' ';
    }
    if (command) {
        offer_words(m, command->words, number, before, offers);
    }
}

/* ---- Commands ---- */

static void cmd_help(monitor_t *m, const monitor_args_t *args)
{
    if (args->count > 1) {
        const monitor_command_t *c = find_command(m, args->word[1]);
        if (c) {
            monitor_print(m, "%s %s%s%s%s\n  %s\n", c->name, c->args, c->other ? " (also " : "",
                          c->other ? c->other : "", c->other ? ")" : "", c->help);
        }
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        const monitor_command_t *c = &commands[i];
        char usage[64];
        snprintf(usage, sizeof(usage), "%s %s", c->name, c->args);
        monitor_print(m, "%-34s %.*s\n", usage, (int)strcspn(c->help, "\n;"), c->help);
    }
}

static bool missing(monitor_t *m, bool there, const char *what)
{
    if (!there) {
        monitor_print(m, "%s is not to be had here\n", what);
    }
    return !there;
}

static void cmd_pause(monitor_t *m, const monitor_args_t *args)
{
    const monitor_host_t *host = monitor_host(m);
    rvvm_machine_t *machine = monitor_machine(m);
    (void)args;
    if (missing(m, host->pause != NULL, "pausing")) {
        return;
    }
    if (!rvvm_machine_running(machine)) {
        monitor_print(m, rvvm_machine_powered(machine) ? "the machine is paused already\n"
                                                       : "the machine is off\n");
        return;
    }
    inspect_hart_t hart;
    uint32_t index = monitor_state(m)->hart;
    if (!host->pause(host->opaque, true) || !inspect_hart(machine, index, &hart)) {
        monitor_print(m, "the machine cannot be paused now\n");
    } else {
        monitor_print(m, "paused; hart %u is at 0x%08x in %c-mode\n", index, hart.pc, hart.mode);
    }
}

static void cmd_continue(monitor_t *m, const monitor_args_t *args)
{
    const monitor_host_t *host = monitor_host(m);
    (void)args;
    if (missing(m, host->pause != NULL, "pausing")) {
        return;
    }
    if (rvvm_machine_running(monitor_machine(m))) {
        monitor_print(m, "the machine runs already\n");
    } else if (!host->pause(host->opaque, false)) {
        monitor_print(m, "the machine cannot go on: it is off\n");
    }
}

static void cmd_reset(monitor_t *m, const monitor_args_t *args)
{
    const monitor_host_t *host = monitor_host(m);
    (void)args;
    if (!missing(m, host->reset != NULL, "a reset")) {
        host->reset(host->opaque);
    }
}

static void cmd_quit(monitor_t *m, const monitor_args_t *args)
{
    const monitor_host_t *host = monitor_host(m);
    (void)args;
    if (!missing(m, host->quit != NULL, "quitting")) {
        host->quit(host->opaque);
    }
}

static void cmd_portfwd(monitor_t *m, const monitor_args_t *args)
{
    static const char *const what[] = {"list", "add", "remove"};
    host_net_forward_t forward;
    board_net_t net;
    char error[200];
    int which = args->count > 1 ? monitor_find(m, "portfwd command", args->word[1], what, 3) : 0;
    if (which < 0) {
        return;
    }
    if ((which > 0) != (args->count > 2)) {
        monitor_print(m, "usage: portfwd [add|remove SPEC]\n");
        return;
    }
    if (!which) {
        if (!monitor_list_forwards(m)) {
            monitor_print(m, "no ports are forwarded\n");
        }
        return;
    }
    if (!host_net_parse_forward(args->word[2], &forward)) {
        monitor_print(m, "\"%s\" is not [tcp/|udp/][ADDRESS:]PORT[=[ADDRESS:]PORT]\n", args->word[2]);
        return;
    }
    size_t index = 0;
    while (board_get_net(monitor_machine(m), index, &net) && !net.forwards) {
        index++;
    }
    if (!board_get_net(monitor_machine(m), index, &net)) {
        monitor_print(m, "there is no user network, which forwards ports\n");
    } else if (!(which == 1 ? board_add_forward : board_remove_forward)(monitor_machine(m), index, &forward,
                                                                        error, sizeof(error))) {
        monitor_print(m, "%s\n", error);
    }
}

static void cmd_balloon(monitor_t *m, const monitor_args_t *args)
{
    uint64_t size;
    if (args->count == 1) {
        static char info[] = "info", balloon[] = "balloon";
        monitor_cmd_info(m, &(monitor_args_t){.word = {info, balloon}, .count = 2});
    } else if (!options_parse_size(args->word[1], &size)) {
        monitor_print(m, "\"%s\" is not a size, such as 64M\n", args->word[1]);
    } else if (!board_set_balloon(monitor_machine(m), size)) {
        monitor_print(m, "the machine has no balloon (-balloon 0)\n");
    }
}

static void cmd_screenshot(monitor_t *m, const monitor_args_t *args)
{
    const monitor_host_t *host = monitor_host(m);
    char said[400] = "";
    const char *console = args->count > 2 ? args->word[1] : NULL;
    if (missing(m, host->screenshot != NULL, "a screenshot")) {
        return;
    }
    bool ok = host->screenshot(host->opaque, console, args->word[args->count - 1], said, sizeof(said));
    if (*said || !ok) {
        monitor_print(m, "%s\n", *said ? said : "it cannot be written");
    }
}
