/* SPDX-License-Identifier: MPL-2.0 */
/*
 * For tests of shared folders: a folder `in` to share, beside things that nobody must reach through
 * it.
 *
 *   OUTER/secret        a file            OUTER/in/file        "hello"
 *   OUTER/out/inside    a file            OUTER/in/sub/deep    "deep"
 *                                         OUTER/in/up -> ..    /abs -> OUTER   /fifo (a FIFO)
 */
#ifndef RVKIT_TESTS_SHARE_DIR_H
#define RVKIT_TESTS_SHARE_DIR_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "host/share.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct {
    char outer[64], in[72];
} share_dir_t;

/* OUTER/in/… as a path; up to four at a time. */
static inline const char *sd_path(share_dir_t *sd, const char *name)
{
    static char paths[4][512];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof(paths[0]), "%s/%s", sd->in, name);
    return path;
}

static inline bool sd_write(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    return f && fputs(text, f) >= 0 && fclose(f) == 0;
}

/* The file's text, up to 255 bytes; "?" when it cannot be read. */
static inline const char *sd_read(const char *path)
{
    static char text[256];
    FILE *f = fopen(path, "r");
    size_t n = f ? fread(text, 1, sizeof(text) - 1, f) : 0;
    text[n] = 0;
    if (f) {
        fclose(f);
    }
    return f ? text : "?";
}

/* Empties a folder below fd; fd is closed. */
static inline void sd_empty(int fd)
{
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *entry;
    while (dir && (entry = readdir(dir))) {
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) {
            continue;
        }
        if (unlinkat(dirfd(dir), entry->d_name, 0)) {
            sd_empty(openat(dirfd(dir), entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
            unlinkat(dirfd(dir), entry->d_name, AT_REMOVEDIR);
        }
    }
    if (dir) {
        closedir(dir);
    }
}

/* What is in the shared folder at first. */
static inline bool sd_fill(share_dir_t *sd)
{
    return mkdir(sd_path(sd, "sub"), 0755) == 0 && sd_write(sd_path(sd, "file"), "hello") &&
           sd_write(sd_path(sd, "sub/deep"), "deep") && symlink("..", sd_path(sd, "up")) == 0 &&
           symlink(sd->outer, sd_path(sd, "abs")) == 0 && mkfifo(sd_path(sd, "fifo"), 0644) == 0;
}

static inline bool sd_make(share_dir_t *sd)
{
    char path[128];
    const char *tmp = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    snprintf(sd->outer, sizeof(sd->outer), "%s/rvkit-share.XXXXXX", tmp);
    if (!mkdtemp(sd->outer)) {
        return false;
    }
    snprintf(sd->in, sizeof(sd->in), "%s/in", sd->outer);
    snprintf(path, sizeof(path), "%s/out", sd->outer);
    bool ok = mkdir(path, 0755) == 0 && mkdir(sd->in, 0755) == 0;
    snprintf(path, sizeof(path), "%s/out/inside", sd->outer);
    ok = ok && sd_write(path, "outside");
    snprintf(path, sizeof(path), "%s/secret", sd->outer);
    return ok && sd_write(path, "secret") && sd_fill(sd);
}

/* Nothing outside was touched. */
static inline bool sd_sound(share_dir_t *sd)
{
    char path[128];
    unsigned entries = 0;
    DIR *dir = opendir(sd->outer);
    while (dir && readdir(dir)) {
        entries++;
    }
    if (dir) {
        closedir(dir);
    }
    snprintf(path, sizeof(path), "%s/secret", sd->outer);
    bool ok = !strcmp(sd_read(path), "secret");
    snprintf(path, sizeof(path), "%s/out/inside", sd->outer);
    return ok && !strcmp(sd_read(path), "outside") && entries <= 5;
}

static inline void sd_remove(share_dir_t *sd)
{
    sd_empty(open(sd->outer, O_RDONLY | O_DIRECTORY));
    rmdir(sd->outer);
}

static inline bool sd_share(share_dir_t *sd, file_server_t *server, bool read_only,
                            bool synchronous)
{
    char why[200];
    const share_desc_t desc = {sd->in, read_only, synchronous};
    return share_open(server, &desc, why, sizeof(why));
}

#endif
