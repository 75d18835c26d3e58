/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A folder that lives in memory: a file server (src/devices/file_server.h) for a guest, and
 * functions for the program around it, such as a web page, that look at the same files.
 *
 *   share_memory_t *share = share_memory_create(64 << 20);
 *   share_memory_put(share, "hello.txt", "hi\n", 3, 0644);
 *   share_memory_serve(share, &server);            goes over to virtio_9p_describe() or virtio_fs_…
 *   …
 *   if (share_memory_serial(share) != seen) { … share_memory_list() … }
 *   share_memory_free(share);                      after the device, or before it
 *
 * Files have contents with holes, hard and symbolic links, permissions, owners, extended attributes
 * ("user.", "trusted.", "security.") and locks; FIFOs and sockets have a name and attributes, and
 * what goes through them stays in the guest. Device nodes are refused (EPERM). What the guest makes
 * belongs to 0:0 until it says otherwise. Permissions are the guest's to check. Reading does not
 * change atime.
 *
 * Limits. What files take of memory counts: contents in the pieces in which they are held (a hole
 * takes nothing; fallocate() does), names, attributes, and the files themselves, a few hundred
 * bytes each. There are at most SHARE_MEMORY_FILES_MAX files and twice as many names. Beyond:
 * ENOSPC. The guest has at most 4096 handles (EMFILE), each with 256 locks (ENOLCK). Files have up
 * to INT64_MAX bytes.
 *
 * Snapshots of a machine hold what the guest knows and has open, not the files: these stay here.
 *
 * Threads: none is made; wake() runs serve() at once. One thread at a time: the functions below
 * must not run beside one another, nor beside the machine.
 */
#ifndef RVKIT_HOST_SHARE_MEMORY_H
#define RVKIT_HOST_SHARE_MEMORY_H

#include "../devices/file_server.h"

/* The least limit in bytes: a smaller one is taken for it. */
#define SHARE_MEMORY_LIMIT_MIN UINT64_C(65536)
#define SHARE_MEMORY_FILES_MAX (UINT32_C(1) << 18)

/* The longest path in bytes, without its NUL. */
#define SHARE_MEMORY_PATH_MAX 4096

typedef struct share_memory share_memory_t;

typedef struct {
    uint64_t limit, used; /* bytes */
    uint32_t files;       /* that exist, folders and links too */
} share_memory_space_t;

/* An empty folder. limit: in bytes. NULL: no memory. */
share_memory_t *share_memory_create(uint64_t limit);

/* Frees it, or when a server still has it, leaves that to server->ops->free(). NULL is allowed. */
void share_memory_free(share_memory_t *share);

/* A server for one guest, with no references, until its ops->free(). False: there is one already.
 */
bool share_memory_serve(share_memory_t *share, file_server_t *server);

/*
 * Grows with each change of a name, of contents or of attributes, whoever made it. changed() (NULL:
 * nobody) is called after each such change, while the share is in use: it must not call anything
 * here but share_memory_serial().
 */
uint64_t share_memory_serial(const share_memory_t *share);
void share_memory_watch(share_memory_t *share, void (*changed)(void *arg), void *arg);

void share_memory_space(const share_memory_t *share, share_memory_space_t *space);

/*
 * Paths: names with slashes between them, from the folder on; slashes in front, doubled and at the
 * end do not count, and "" is the folder itself. Names are bytes as the guest has them, UTF-8 as a
 * rule. "." and ".." are no names (EINVAL). Links are never followed: one on the way gives ELOOP.
 *
 * Results: 0 or a count, or -FS_E…. On failure nothing was changed, and nothing is stored through
 * pointers. What the guest has open stays open: it reads and writes the file that it opened, by
 * whatever name that goes now, also after the last name is gone. Then its memory is free when the
 * guest has closed it.
 */

/* attr->node is 0. */
int share_memory_stat(share_memory_t *share, const char *path, fs_attr_t *attr);

/*
 * The entries of a folder in the order in which they were made, without "." and "..": *cookie is 0
 * for the first call and moves. 1: name and attr (either may be NULL) are an entry; 0: the end.
 * What comes or goes meanwhile may be left out; all else comes once.
 */
int share_memory_list(share_memory_t *share, const char *path, uint64_t *cookie,
                      char name[FS_NAME_MAX + 1], fs_attr_t *attr);

/* How many bytes there are at this place, up to len; of a symbolic link: of its text. */
int64_t share_memory_read(share_memory_t *share, const char *path, uint64_t at, void *buf,
                          size_t len);

/*
 * Writes at a place, beyond the end too. The file is made when there is none, with this mode
 * (07777); its folder must be there. How many bytes: less than len when there is no room for more.
 */
int64_t share_memory_write(share_memory_t *share, const char *path, uint64_t at, const void *buf,
                           size_t len, uint32_t mode);

/* The whole file at once: it has these bytes afterwards, or what it had (ENOSPC). */
int share_memory_put(share_memory_t *share, const char *path, const void *buf, size_t len,
                     uint32_t mode);

/* Size, mode, owner, times, as the guest can set them. */
int share_memory_set(share_memory_t *share, const char *path, const fs_setattr_t *change);

int share_memory_mkdir(share_memory_t *share, const char *path, uint32_t mode);

/* A folder must be empty (ENOTEMPTY), unless recursive. Not the folder itself (EBUSY). */
int share_memory_remove(share_memory_t *share, const char *path, bool recursive);

/* flags: FS_RENAME_*. Replaces what is there as rename() does. */
int share_memory_rename(share_memory_t *share, const char *from, const char *to, unsigned flags);

#endif
