/* SPDX-License-Identifier: MPL-2.0 */
/* The inside of the monitor: for src/frontends/monitor*.c. */
#ifndef RVKIT_FRONTENDS_MONITOR_INTERNAL_H
#define RVKIT_FRONTENDS_MONITOR_INTERNAL_H

#include "monitor.h"

#include "../inspect.h"
#include "../util.h"

#include "lineedit.h"

#define MONITOR_WORDS_MAX 16

/* A line, taken apart at its spaces; "two words" count as one. */
typedef struct monitor_args {
    char copy[LINEEDIT_MAX];
    char *word[MONITOR_WORDS_MAX + 1]; /* word[0] is the command; a NULL follows the last */
    size_t count;
} monitor_args_t;

/* How memory is listed: the letters of x/FMT. */
typedef struct monitor_format {
    uint32_t count;
    char letter; /* x d u o c s i */
    uint8_t size; /* bytes of a unit: 1, 2, 4, 8 */
} monitor_format_t;

/* ---- monitor.c: for commands, on the monitor's thread ---- */

/* Control characters in what is printed are shown as "?"; a line feed ends a line. */
void monitor_print(monitor_t *monitor, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* False: Ctrl-C, or the end. Long listings ask for each line. */
bool monitor_go_on(monitor_t *monitor);

rvvm_machine_t *monitor_machine(const monitor_t *monitor);
const monitor_host_t *monitor_host(const monitor_t *monitor);

/* What commands keep from one to the next. */
typedef struct monitor_state {
    uint32_t hart; /* whose registers and translation are meant */
    monitor_format_t format;
    inspect_space_t space;
    uint64_t next; /* where the last listing has ended */
    bool listed;   /* there was one */
} monitor_state_t;

monitor_state_t *monitor_state(monitor_t *monitor);

/* ---- monitor_commands.c ---- */

/* Carries a line out. */
void monitor_run(monitor_t *monitor, const char *line);

/* lineedit_desc_t.complete; opaque is a monitor_t. */
void monitor_complete(void *opaque, const char *before, lineedit_offers_t *offers);

/* The index in names[0 .. count) of what `word` abbreviates; -1: told, as an unknown or ambiguous `what`. */
int monitor_find(monitor_t *monitor, const char *what, const char *word, const char *const *names,
                 size_t count);

/* ---- monitor_info.c ---- */

extern const char *const monitor_info_names[];
extern const size_t monitor_info_count;

void monitor_cmd_info(monitor_t *monitor, const monitor_args_t *args);

/* "1.5 MiB" */
void monitor_format_size(uint64_t bytes, char *text, size_t text_size);

/* All forwarded ports. False: there is none. */
bool monitor_list_forwards(monitor_t *monitor);

/* ---- monitor_memory.c ---- */

void monitor_cmd_hart(monitor_t *monitor, const monitor_args_t *args);
void monitor_cmd_registers(monitor_t *monitor, const monitor_args_t *args);
void monitor_cmd_x(monitor_t *monitor, const monitor_args_t *args);
void monitor_cmd_disas(monitor_t *monitor, const monitor_args_t *args);
void monitor_cmd_print(monitor_t *monitor, const monitor_args_t *args);
void monitor_cmd_translate(monitor_t *monitor, const monitor_args_t *args);

/* Offers the names of registers, as they are written in expressions. */
void monitor_offer_registers(const char *prefix, lineedit_offers_t *offers);

#endif
