/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A folder that a guest is given: what virtio-9p and virtio-fs need of whatever holds the files (a
 * folder of the host in src/host/share.c; a folder inside a web page).
 *
 * There are no paths here. The guest walks from the root one name at a time and gets nodes (files,
 * folders, symbolic links), and opens nodes to get handles. Both are numbers, made by the server
 * and checked by it at each use: a number that the guest made up gives FS_ESTALE or FS_EBADF, never
 * someone else's memory. Symbolic links are the guest's to follow: the server hands out their text
 * and never goes along them.
 *
 * Results: 0 or a count on success, and -FS_E… on failure, which are Linux's numbers, as both
 * protocols have them. On failure nothing is stored through pointers, except where it says so.
 *
 * References: each call that fills in an fs_attr_t and says "+1" adds one reference to attr->node,
 * which stays known until forget() took as many references as were added. FS_ROOT is always known.
 *
 * Threads: serve(), and so every operation, runs on one thread at a time, which the server
 * provides: it may wait for the disk there, and no hart waits for it. Where there are no threads,
 * wake() runs serve() at once. start, stop, idle and free: the thread that builds, saves or frees
 * the machine.
 */
#ifndef RVKIT_DEVICES_FILE_SERVER_H
#define RVKIT_DEVICES_FILE_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The largest name (without its NUL), link text and value of an extended attribute, in bytes. */
#define FS_NAME_MAX 255
#define FS_LINK_MAX 4095
#define FS_XATTR_MAX 65536

#define FS_ROOT UINT64_C(1)
#define FS_NO_HANDLE UINT64_C(0)

enum {
    FS_EPERM = 1,
    FS_ENOENT = 2,
    FS_EINTR = 4,
    FS_EIO = 5,
    FS_ENXIO = 6,
    FS_E2BIG = 7,
    FS_EBADF = 9,
    FS_EAGAIN = 11,
    FS_ENOMEM = 12,
    FS_EACCES = 13,
    FS_EBUSY = 16,
    FS_EEXIST = 17,
    FS_EXDEV = 18,
    FS_ENODEV = 19,
    FS_ENOTDIR = 20,
    FS_EISDIR = 21,
    FS_EINVAL = 22,
    FS_ENFILE = 23,
    FS_EMFILE = 24,
    FS_ETXTBSY = 26,
    FS_EFBIG = 27,
    FS_ENOSPC = 28,
    FS_ESPIPE = 29,
    FS_EROFS = 30,
    FS_EMLINK = 31,
    FS_ERANGE = 34,
    FS_EDEADLK = 35,
    FS_ENAMETOOLONG = 36,
    FS_ENOLCK = 37,
    FS_ENOSYS = 38,
    FS_ENOTEMPTY = 39,
    FS_ELOOP = 40,
    FS_ENODATA = 61,
    FS_EPROTO = 71,
    FS_EOVERFLOW = 75,
    FS_EOPNOTSUPP = 95,
    FS_ESTALE = 116,
    FS_EDQUOT = 122,
};

/* Flags of open and create: Linux's numbers on RISC-V, which are 9P2000.L's as well. */
enum {
    FS_O_WRONLY = 1,
    FS_O_RDWR = 2,
    FS_O_ACCMODE = 3,
    FS_O_CREAT = 0100,
    FS_O_EXCL = 0200,
    FS_O_TRUNC = 01000,
    FS_O_APPEND = 02000,
    FS_O_DSYNC = 010000,
    FS_O_DIRECTORY = 0200000,
    FS_O_NOFOLLOW = 0400000,
    FS_O_SYNC = 04010000,
};

/* File types and permissions in mode. */
enum {
    FS_S_IFMT = 0170000,
    FS_S_IFIFO = 0010000,
    FS_S_IFCHR = 0020000,
    FS_S_IFDIR = 0040000,
    FS_S_IFBLK = 0060000,
    FS_S_IFREG = 0100000,
    FS_S_IFLNK = 0120000,
    FS_S_IFSOCK = 0140000,
};

enum {
    FS_RENAME_NOREPLACE = 1,
    FS_RENAME_EXCHANGE = 2,
};

enum {
    FS_XATTR_CREATE = 1,
    FS_XATTR_REPLACE = 2,
};

enum {
    FS_SEEK_DATA = 3,
    FS_SEEK_HOLE = 4,
};

enum {
    FS_LOCK_READ = 0,
    FS_LOCK_WRITE = 1,
    FS_LOCK_NONE = 2,
};

typedef struct {
    int64_t sec; /* since 1970, UTC */
    uint32_t nsec;
} fs_time_t;

typedef struct {
    uint64_t node;
    uint64_t ino; /* the same for all names of one file, and not for two files that exist now */
    uint32_t mode, nlink, uid, gid, blksize;
    uint64_t rdev, size, blocks; /* blocks of 512 bytes */
    fs_time_t atime, mtime, ctime;
} fs_attr_t;

/* What setattr changes. */
enum {
    FS_SET_MODE = 1,
    FS_SET_UID = 2,
    FS_SET_GID = 4,
    FS_SET_SIZE = 8,
    FS_SET_ATIME = 16,
    FS_SET_MTIME = 32,
    FS_SET_ATIME_NOW = 64,
    FS_SET_MTIME_NOW = 128,
};

typedef struct {
    unsigned set; /* FS_SET_* */
    uint32_t mode, uid, gid;
    uint64_t size;
    fs_time_t atime, mtime;
} fs_setattr_t;

typedef struct {
    uint64_t ino;
    uint64_t next;              /* the cookie of what follows */
    uint32_t type;              /* FS_S_IF*, or 0 when it is not known */
    char name[FS_NAME_MAX + 1]; /* "." and ".." too */
} fs_dirent_t;

typedef struct {
    uint64_t blocks, bfree, bavail, files, ffree, fsid;
    uint32_t bsize, frsize, namelen;
} fs_statfs_t;

/* Bytes start to end, both inclusive; UINT64_MAX (or anything above INT64_MAX) is the end of all
 * files. */
typedef struct {
    uint64_t start, end;
    uint32_t type; /* FS_LOCK_* */
    uint32_t pid;  /* the guest's; of a lock that the host holds: 0 */
} fs_lock_t;

/*
 * State on its way out of a machine or back into one: move() copies len bytes to or from data;
 * false: the end, or an error. The helpers move integers, little-endian.
 */
typedef struct {
    bool (*move)(void *arg, void *data, size_t len);
    void *arg;
    bool writing;
} fs_snapshot_t;

bool fs_move8(const fs_snapshot_t *snap, uint8_t *v);
bool fs_move32(const fs_snapshot_t *snap, uint32_t *v);
bool fs_move64(const fs_snapshot_t *snap, uint64_t *v);

/* All are required. `s` is file_server_t.opaque; names are checked with fs_name_ok() by the server
 * again. */
typedef struct {
    /* Gives the server's thread its work; once, before all else. False: no thread could be made. */
    bool (*start)(void *s, void (*serve)(void *arg), void *arg);

    /* Any thread: serve() will be called (once more, if it is running) soon. Does not wait. */
    void (*wake)(void *s);

    /* Returns when no serve() is running or about to. */
    void (*idle)(void *s);

    /* Ends the thread, when no wake() can come any more, and frees the server. */
    void (*free)(void *s);

    /* Forgets all nodes and handles. */
    void (*reset)(void *s);

    /*
     * Moves what the guest has: nodes with their numbers, references and places, handles with how
     * they were opened and what they have locked. When it comes back into a server, which was
     * reset, each file is looked for at its place below the root, and links are not followed: where
     * it is another file now, or none, the node gives FS_ESTALE and its handles FS_EBADF. So do
     * files whose names were gone already. False: the state is damaged, and the server has to be
     * reset. serve() is not running.
     */
    bool (*snapshot)(void *s, const fs_snapshot_t *snap);

    /* --- Nodes --- */

    int (*lookup)(void *s, uint64_t dir, const char *name, fs_attr_t *attr); /* +1 */
    int (*parent)(void *s, uint64_t node, fs_attr_t *attr); /* +1; of the root: the root */
    int (*retain)(void *s, uint64_t node);                  /* +1 */
    void (*forget)(void *s, uint64_t node, uint64_t count);

    /* The handle may be FS_NO_HANDLE; of a file whose names are all gone, only a handle finds it.
     */
    int (*getattr)(void *s, uint64_t node, uint64_t handle, fs_attr_t *attr);
    int (*setattr)(void *s, uint64_t node, uint64_t handle, const fs_setattr_t *change);
    int (*statfs)(void *s, uint64_t node, fs_statfs_t *stat);

    /* How many bytes of text, without a NUL; buf has at least FS_LINK_MAX + 1. */
    int (*readlink)(void *s, uint64_t node, char *buf);

    /* --- Names --- */

    int (*mkdir)(void *s, uint64_t dir, const char *name, uint32_t mode, fs_attr_t *attr); /* +1 */
    int (*mknod)(void *s, uint64_t dir, const char *name, uint32_t mode, fs_attr_t *attr); /* +1 */
    int (*symlink)(void *s, uint64_t dir, const char *name, const char *to,
                   fs_attr_t *attr);                                                      /* +1 */
    int (*link)(void *s, uint64_t node, uint64_t dir, const char *name, fs_attr_t *attr); /* +1 */
    int (*unlink)(void *s, uint64_t dir, const char *name, bool is_dir);
    int (*rename)(void *s, uint64_t dir, const char *name, uint64_t to_dir, const char *to_name,
                  unsigned flags);

    /* The name by which a node was last seen in its parent (what 9p's Tremove and Trename need). */
    int (*name_of)(void *s, uint64_t node, uint64_t *dir, char name[FS_NAME_MAX + 1]);

    /* --- Handles: each is closed once --- */

    int (*open)(void *s, uint64_t node, uint32_t flags, uint64_t *handle);
    int (*create)(void *s, uint64_t dir, const char *name, uint32_t flags, uint32_t mode,
                  fs_attr_t *attr, uint64_t *handle); /* +1 */
    int (*close)(void *s, uint64_t handle);

    /* Return how many bytes: less than len at the end of the file, or when the disk is full. */
    int64_t (*read)(void *s, uint64_t handle, uint64_t at, void *buf, size_t len);

    /* exact: at this place also when the handle appends. */
    int64_t (*write)(void *s, uint64_t handle, uint64_t at, const void *buf, size_t len,
                     bool exact);
    int (*fsync)(void *s, uint64_t handle, bool data_only);
    int (*fallocate)(void *s, uint64_t handle, uint32_t mode, uint64_t at, uint64_t len);
    int64_t (*seek)(void *s, uint64_t handle, uint64_t at, uint32_t whence); /* FS_SEEK_* only */

    /* The entry after a cookie (0: the first); 1, or 0 at the end. */
    int (*readdir)(void *s, uint64_t handle, uint64_t cookie, fs_dirent_t *entry);

    /*
     * Locks of ranges belong to a handle. getlk turns *lock into one in the way (type FS_LOCK_NONE:
     * there is none). setlk does not wait: -FS_EAGAIN when another lock is in the way.
     */
    int (*getlk)(void *s, uint64_t handle, fs_lock_t *lock);
    int (*setlk)(void *s, uint64_t handle, const fs_lock_t *lock);

    /* --- Extended attributes. With len 0, get and list return the size needed. --- */

    int (*getxattr)(void *s, uint64_t node, const char *name, void *buf, size_t len);
    int (*listxattr)(void *s, uint64_t node, char *buf, size_t len); /* names, each with its NUL */
    int (*setxattr)(void *s, uint64_t node, const char *name, const void *value, size_t len,
                    unsigned flags);
    int (*removexattr)(void *s, uint64_t node, const char *name);
} fs_ops_t;

/* Goes over to the device that is made with it. */
typedef struct {
    const fs_ops_t *ops;
    void *opaque;
} file_server_t;

/* A name of one file in a folder: not empty, not too long, no slash, and neither "." nor "..". */
static inline bool fs_name_ok(const char *name)
{
    size_t len = 0;
    for (; name[len]; len++) {
        if (name[len] == '/' || len >= FS_NAME_MAX) {
            return false;
        }
    }
    return len > 0 && !(name[0] == '.' && (len == 1 || (len == 2 && name[1] == '.')));
}

/* What is wrong with a name, as an error; 0: nothing. */
static inline int fs_name_error(const char *name)
{
    size_t len = 0;
    while (len <= FS_NAME_MAX && name[len]) {
        len++;
    }
    return len > FS_NAME_MAX ? -FS_ENAMETOOLONG : fs_name_ok(name) ? 0 : -FS_EINVAL;
}

#endif
