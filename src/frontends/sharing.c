/* SPDX-License-Identifier: MPL-2.0 */
#include "sharing.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define TAG_LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"

__attribute__((format(printf, 3, 4))) static bool sharing_fail(char *error, size_t error_size,
                                                               const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsnprintf(error, error_size, fmt, args);
    va_end(args);
    return false;
}

/* Copies up to a single comma or the end, which is returned; NULL: it is too long. */
static const char *sharing_copy_dir(const char *from, char *dir)
{
    size_t len = 0;
    for (; *from; from++) {
        if (*from == ',' && *++from != ',') {
            from--;
            break;
        }
        if (len == SHARING_DIR_MAX) {
            return NULL;
        }
        dir[len++] = *from;
    }
    dir[len] = 0;
    return from;
}

bool sharing_tag_ok(const char *tag)
{
    size_t len = strspn(tag, TAG_LETTERS);
    return len && len <= SHARING_TAG_MAX && !tag[len];
}

bool sharing_parse(const char *text, sharing_t *sharing, char *error, size_t error_size)
{
    *sharing = (sharing_t){.read_only = false};
    size_t tag = strspn(text, TAG_LETTERS);
    if (text[tag] != '=' || !tag || tag > SHARING_TAG_MAX) {
        return !strchr(text, '=')
                   ? sharing_fail(error, error_size, "%.40s: give TAG=DIR", text)
                   : sharing_fail(error, error_size,
                                  "%.40s: a tag is 1 to %d letters, digits, '.', '_', '-'", text,
                                  SHARING_TAG_MAX);
    }
    memcpy(sharing->tag, text, tag);
    const char *rest = sharing_copy_dir(text + tag + 1, sharing->dir);
    if (!rest || !*sharing->dir) {
        return sharing_fail(error, error_size, "%s: the folder's name is %s", sharing->tag,
                            rest ? "empty" : "too long");
    }
    while (*rest) {
        size_t len = strcspn(++rest, ",");
        if (len == 2 && !strncmp(rest, "ro", len)) {
            sharing->read_only = true;
        } else if (len == 2 && !strncmp(rest, "fs", len)) {
            sharing->fs = true;
        } else {
            return sharing_fail(error, error_size, "%s: the options are ro and fs, not %.*s",
                                sharing->tag, len < 20 ? (int)len : 20, rest);
        }
        rest += len;
    }
    return true;
}
