/* SPDX-License-Identifier: MPL-2.0 */
/* A parsed script: between script_parse.c, which makes it, and script.c, which plays it. */
#ifndef RVKIT_FRONTENDS_SCRIPT_PARSE_H
#define RVKIT_FRONTENDS_SCRIPT_PARSE_H

#include "script.h"

typedef enum script_kind {
    SCRIPT_EXPECT,
    SCRIPT_SEND,
    SCRIPT_SLEEP,
    SCRIPT_OFF,
    SCRIPT_BALLOON,
    SCRIPT_QUIT,
} script_kind_t;

typedef struct script_command {
    script_kind_t kind;
    unsigned line;
    char *source; /* the line as written, without the space around it */
    char *text;   /* expect (never empty), send */
    size_t text_size;
    uint64_t time_ns; /* expect and off: the limit; sleep: how long */
    int status;       /* quit */
    uint64_t bytes;   /* balloon */
} script_command_t;

struct script {
    char *name;
    script_command_t *commands;
    size_t count;
};

#endif
