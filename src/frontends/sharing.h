/* SPDX-License-Identifier: MPL-2.0 */
/* What -share takes: TAG=DIR[,ro][,fs], with a comma in DIR written twice. */
#ifndef RVKIT_FRONTENDS_SHARING_H
#define RVKIT_FRONTENDS_SHARING_H

#include <stdbool.h>
#include <stddef.h>

#define SHARING_TAG_MAX 31
#define SHARING_DIR_MAX 4095

typedef struct {
    char tag[SHARING_TAG_MAX + 1]; /* letters, digits, '.', '_', '-' */
    char dir[SHARING_DIR_MAX + 1];
    bool read_only;
    bool fs; /* virtio-fs, not 9p */
} sharing_t;

bool sharing_tag_ok(const char *tag);

/* False: error (error_size bytes) says what is wrong. */
bool sharing_parse(const char *text, sharing_t *sharing, char *error, size_t error_size);

#endif
