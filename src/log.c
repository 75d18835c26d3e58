/* SPDX-License-Identifier: MPL-2.0 */
#include "log.h"

#include <stdarg.h>
#include <stdio.h>

/*
 * How much is printed belongs to the process, as stderr does: RVVM's calls name no machine. It changes
 * what is printed and nothing else.
 */
static int log_level = LOG_WARN;

void rvvm_set_loglevel(int level)
{
    __atomic_store_n(&log_level, level, __ATOMIC_RELAXED);
}

/* One write per line, so that lines of several threads do not mix. */
static void log_print(int level, const char *prefix, const char *fmt, va_list args)
{
    if (__atomic_load_n(&log_level, __ATOMIC_RELAXED) < level) {
        return;
    }
    char text[1024];
    vsnprintf(text, sizeof(text), fmt, args);
    fprintf(stderr, "rvkit: %s%s\n", prefix, text);
}

void rvvm_info(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    log_print(LOG_INFO, "", fmt, args);
    va_end(args);
}

void rvvm_warn(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    log_print(LOG_WARN, "warning: ", fmt, args);
    va_end(args);
}

void rvvm_error(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    log_print(LOG_ERROR, "", fmt, args);
    va_end(args);
}
