/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A folder of the host as a file server (src/devices/file_server.h).
 *
 * Confinement. The guest names one entry of one folder at a time; it is opened relative to that
 * folder's descriptor, never along a symbolic link (openat2 with RESOLVE_BENEATH and
 * RESOLVE_NO_SYMLINKS, or openat with O_NOFOLLOW where there is no openat2), and names with a
 * slash, "." and ".." are refused. So whatever others rename meanwhile, what is opened is an entry
 * of a folder that the guest already had. A folder that the host's user moves out of the shared one
 * while the guest uses it stays with the guest until the guest lets go of it. Only regular files
 * and folders are ever opened. FIFOs, sockets and devices are listed, and that is all; none can be
 * made.
 *
 * Ownership. Everything belongs to root (0:0) as the guest sees it. On the host, files that the
 * guest makes belong to the user who runs rvkit, whose rights are the limit of the guest's. Giving
 * a file to another user is refused (EPERM). Permissions are those on the host; set-user-id and
 * set-group-id are neither shown nor set, so that a guest leaves no such programs behind. Extended
 * attributes: those in "user." of files and folders. Locks: of open file descriptions (OFD), so
 * that programs on the host see them.
 *
 * Snapshots hold nodes by their places below the folder and by what was there (inode, type),
 * handles by how they were opened, and locks; when they come back, files are looked for in the same
 * confined way. A file that was replaced meanwhile and got the inode of the old one is taken for
 * it.
 */
#ifndef RVKIT_HOST_SHARE_H
#define RVKIT_HOST_SHARE_H

#include "../devices/file_server.h"

typedef struct {
    const char *dir;
    bool read_only;
    bool synchronous; /* no thread: the files are worked on at once, wherever wake() is called */
} share_desc_t;

/*
 * Opens a folder. False: error (error_size bytes) says what is wrong in words that fit after "DIR:
 * ". server->ops->free() closes it.
 */
bool share_open(file_server_t *server, const share_desc_t *desc, char *error, size_t error_size);

#endif
