/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The files that are served: one folder, and single files at addresses of their own. Nothing outside is reached:
 * in the folder no symbolic link is followed, and no name that begins with a dot is known. One thread.
 */
#ifndef RVKIT_RELAY_FILES_H
#define RVKIT_RELAY_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FILES_SINGLE_MAX 64

typedef struct {
    const char *folder; /* NULL: none */
    const char *url[FILES_SINGLE_MAX], *path[FILES_SINGLE_MAX];
    unsigned singles;
} files_t;

typedef struct {
    int fd; /* the caller closes it */
    uint64_t size;
    const char *type; /* for Content-Type */
    char etag[48];    /* with its quotes; another one when size or time of change are others */
} file_t;

typedef enum { FILES_OK, FILES_NONE, FILES_FOLDER, FILES_FAILED } files_result_t;

/*
 * The file behind an address without escapes or query, which need not end with a zero. FILES_FOLDER: it is
 * a folder, whose own address ends with '/'; there its index.html is meant.
 */
files_result_t files_open(const files_t *files, const char *url, size_t length, file_t *file);

typedef enum { RANGE_ALL, RANGE_PART, RANGE_OUTSIDE } range_result_t;

/*
 * The header Range (RFC 9110 §14.2) for a file of this size. RANGE_PART: bytes *first to *last, both inclusive.
 * What is malformed, or more than one range, means the whole file, as §14.2 allows.
 */
range_result_t files_range(const char *text, uint64_t size, uint64_t *first, uint64_t *last);

#endif
