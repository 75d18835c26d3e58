/* SPDX-License-Identifier: MPL-2.0 */
/* The command line of rvkit-relay. */
#ifndef RVKIT_RELAY_OPTIONS_H
#define RVKIT_RELAY_OPTIONS_H

#include "access.h"
#include "files.h"

#include <stdbool.h>
#include <stddef.h>

typedef enum { OPTIONS_RUN, OPTIONS_HELP, OPTIONS_VERSION, OPTIONS_WRONG } options_result_t;

typedef struct {
    const char *listen; /* HOST:PORT */
    access_t access;
    files_t files;
    unsigned max;  /* connections of guests at a time */
    unsigned ping; /* seconds of silence after which a guest's page is asked whether it is there */
    bool shared;   /* one network for all */
    bool loopback; /* guests reach the host's loopback, at 10.0.2.2 */
} options_t;

/* OPTIONS_WRONG: error is one line. Keeps pointers into argv. */
options_result_t options_parse(options_t *o, int argc, char **argv, char *error, size_t error_size);

void options_print_help(void);

#endif
