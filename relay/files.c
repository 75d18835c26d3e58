/* SPDX-License-Identifier: MPL-2.0 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* O_NOFOLLOW and more, also with -std=c11 */
#endif
#include "files.h"

#include "../src/util.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_SIZE 256

static const struct {
    const char *ending, *type;
} file_types[] = {
    {".html", "text/html; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".js", "text/javascript"},
    {".mjs", "text/javascript"},
    {".json", "application/json"},
    {".map", "application/json"},
    {".wasm", "application/wasm"},
    {".webmanifest", "application/manifest+json"},
    {".svg", "image/svg+xml"},
    {".png", "image/png"},
    {".jpg", "image/jpeg"},
    {".ico", "image/x-icon"},
    {".woff2", "font/woff2"},
    {".txt", "text/plain; charset=utf-8"},
    {".gz", "application/gzip"},
};

static const char *file_type(const char *url, size_t length)
{
    for (size_t i = 0; i < ARRAY_LEN(file_types); i++) {
        size_t n = strlen(file_types[i].ending);
        if (length >= n && !strncasecmp(url + length - n, file_types[i].ending, n)) {
            return file_types[i].type;
        }
    }
    return "application/octet-stream";
}

static files_result_t file_failure(void)
{
    return errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == EIO ? FILES_FAILED : FILES_NONE;
}

/* Takes fd over. O_NONBLOCK, with which it was opened, does nothing to a regular file. */
static files_result_t file_take(int fd, const char *url, size_t length, file_t *file)
{
    struct stat st;
    if (fd < 0) {
        return file_failure();
    }
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size < 0) {
        bool folder = S_ISDIR(st.st_mode);
        close(fd);
        return folder ? FILES_FOLDER : FILES_NONE;
    }
    *file = (file_t){.fd = fd, .size = (uint64_t)st.st_size, .type = file_type(url, length)};
    snprintf(file->etag, sizeof(file->etag), "\"%llx-%llx.%lx\"", (unsigned long long)st.st_size,
             (unsigned long long)st.st_mtim.tv_sec, (unsigned long)st.st_mtim.tv_nsec);
    return FILES_OK;
}

/* The next name of an address in `name`; false: there is none that could be served. */
static bool file_next_name(const char **url, const char *end, char name[NAME_SIZE])
{
    const char *slash = memchr(*url, '/', (size_t)(end - *url));
    size_t length = (size_t)((slash ? slash : end) - *url);
    if (!length || length >= NAME_SIZE || **url == '.' || memchr(*url, 0, length)) {
        return false;
    }
    memcpy(name, *url, length);
    name[length] = 0;
    *url = slash ? slash + 1 : end;
    return true;
}

/* Name by name, so that none can be a link or lead upwards. url is behind its first '/'. */
static files_result_t file_in_folder(const char *folder, const char *url, const char *end, file_t *file)
{
    char name[NAME_SIZE] = "index.html";
    const char *whole = url;
    int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool index = true; /* the address has ended with '/' */
    while (dir >= 0 && url < end) {
        if (!file_next_name(&url, end, name)) {
            close(dir);
            return FILES_NONE;
        }
        index = url[-1] == '/';
        if (!index) {
            break;
        }
        int next = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        int why = errno;
        close(dir);
        errno = why;
        dir = next;
    }
    if (dir < 0) {
        return file_failure();
    }
    int fd = openat(dir, index ? "index.html" : name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    int why = errno;
    close(dir);
    errno = why;
    files_result_t result = index ? file_take(fd, ".html", 5, file)
                                  : file_take(fd, whole, (size_t)(end - whole), file);
    return index && result == FILES_FOLDER ? FILES_NONE : result;
}

files_result_t files_open(const files_t *files, const char *url, size_t length, file_t *file)
{
    for (unsigned i = 0; i < files->singles; i++) {
        if (strlen(files->url[i]) == length && !memcmp(files->url[i], url, length)) {
            int fd = open(files->path[i], O_RDONLY | O_NONBLOCK | O_CLOEXEC);
            files_result_t result = file_take(fd, url, length, file);
            return result == FILES_FOLDER ? FILES_NONE : result;
        }
    }
    if (!files->folder || !length || *url != '/') {
        return FILES_NONE;
    }
    return file_in_folder(files->folder, url + 1, url + length, file);
}

/* Digits at *text; false: none, or too many. */
static bool range_number(const char **text, uint64_t *number)
{
    size_t digits = strspn(*text, "0123456789");
    *number = digits && digits <= 18 ? strtoull(*text, NULL, 10) : 0;
    *text += digits;
    return digits && digits <= 18;
}

range_result_t files_range(const char *text, uint64_t size, uint64_t *first, uint64_t *last)
{
    uint64_t from, to = UINT64_MAX;
    if (strncasecmp(text, "bytes=", 6)) {
        return RANGE_ALL;
    }
    text += 6;
    bool tail = *text == '-';
    text += tail;
    if (!range_number(&text, &from)) {
        return RANGE_ALL;
    }
    if (!tail && (*text++ != '-' || (*text && !range_number(&text, &to)) || to < from)) {
        return RANGE_ALL;
    }
    if (*text) {
        return RANGE_ALL;
    }
    if (!size || (tail ? !from : from >= size)) {
        return RANGE_OUTSIDE;
    }
    *first = tail ? size - util_min_u64(from, size) : from;
    *last = tail ? size - 1 : util_min_u64(to, size - 1);
    return RANGE_PART;
}
