/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Host files, whole: what the machine loads and dumps. Any thread.
 */
#ifndef RVKIT_HOST_FILE_H
#define RVKIT_HOST_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Reads the whole file (a regular file, or a pipe until its end) into a new buffer that the caller
 * frees with free(). An empty file gives size 0 and a buffer. False: nothing is allocated, and
 * error (error_size bytes) says what is wrong in words that fit after "FILE: ". A file of more than
 * max bytes is refused without being read.
 */
bool host_file_read_all(const char *path, uint64_t max, uint8_t **data, size_t *size, char *error,
                        size_t error_size);

/* Writes a file anew. A file that could not be written whole is removed. Errors as above. */
bool host_file_write_all(const char *path, const void *data, size_t size, char *error,
                         size_t error_size);

#endif
