/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What the files of the host folder share: share.c (opening, thread, table of operations),
 * share_node.c (which file a number means), share_name.c (names), share_attr.c (attributes),
 * share_file.c (handles), share_lock.c (locks), share_snapshot.c (state that goes out and comes
 * back).
 */
#ifndef RVKIT_HOST_SHARE_INTERNAL_H
#define RVKIT_HOST_SHARE_INTERNAL_H

#include "share.h"
#include "thread.h"

#include <dirent.h>
#include <sys/stat.h>
#include <sys/types.h>

/* Bounds on what one guest can make the host keep. */
#define SHARE_NODES_MAX (UINT32_C(1) << 20)
#define SHARE_HANDLES_MAX 4096u
#define SHARE_DIRS_MAX 512u
#define SHARE_DEPTH_MAX 4096u
#define SHARE_LOCKS_MAX 256u /* ranges of one handle */
#define SHARE_BUCKETS 16384u /* a power of two */

/* "/proc/self/fd/" and a number. */
#define SHARE_PROC_SIZE 40

/*
 * A file that the guest knows. Its descriptor (O_PATH: it can only be pointed with) may be closed
 * when too many are open, and is opened again by the name in the parent; when something else is
 * there by then, the node is stale.
 */
typedef struct share_node {
    uint32_t slot, generation, parent, next; /* slots; next in the bucket + 1 */
    uint32_t children;                       /* nodes that have this one as parent */
    uint32_t type;                           /* S_IF* */
    uint64_t refs;                           /* the guest's */
    uint64_t used;                           /* the serial of the last operation that needed fd */
    dev_t dev;
    ino_t ino;
    int fd; /* -1: closed */
    char name[];
} share_node_t;

typedef struct {
    share_node_t *node; /* NULL: free */
    uint32_t generation, next_free;
} share_slot_t;

typedef struct {
    bool used, is_dir, append, writable;
    uint32_t generation;
    uint32_t flags; /* FS_O_*: those that count for what is open */
    int fd;
    DIR *dir;
    uint64_t cookie; /* where dir stands */
    uint64_t node;
    fs_lock_t *lock; /* what is locked, SHARE_LOCKS_MAX of them; NULL: nothing ever was */
    uint32_t lock_count;
} share_handle_t;

typedef struct {
    bool read_only, synchronous, no_openat2;
    dev_t root_dev;

    share_slot_t *slots;
    uint32_t slot_count, slot_cap, free_slot; /* free_slot + 1; 0: none */
    uint32_t *buckets;                        /* slots + 1 */
    uint32_t fd_count, fd_max, hand;
    uint64_t serial;

    share_handle_t *handles;
    uint32_t handle_count, dir_count, handle_top; /* handles below handle_top were used once */

    void (*serve)(void *arg);
    void *serve_arg;
    host_thread_t *thread;
    host_event_t *event, *idle_event;
    uint64_t asked, done; /* atomic: calls of wake; how many of them serve() has seen */
    uint32_t stop;        /* atomic */
    bool serving;
} share_t;

/* -FS_E… of errno. */
int share_error(int host_errno);

/* --- share_node.c --- */

bool share_nodes_init(share_t *s, int root_fd, const struct stat *st);
void share_nodes_free(share_t *s);
void share_nodes_reset(share_t *s);

/* The node of a number; NULL: there is none (-FS_ESTALE). */
share_node_t *share_node_get(share_t *s, uint64_t id);
uint64_t share_node_id(const share_node_t *node);

/* Each operation calls this first: descriptors that share_node_fd() gives stay open until the next.
 */
void share_op_begin(share_t *s);

/* The O_PATH descriptor of a node, or -FS_E…. */
int share_node_fd(share_t *s, share_node_t *node);

/* The descriptor of a folder by number, for an operation on its entry `name`; or -FS_E…. */
int share_dir_fd(share_t *s, uint64_t dir, const char *name);

/* Opens an entry of a folder without following links; errno as open. */
int share_open_at(share_t *s, int dir_fd, const char *name, int flags, mode_t mode);

/* Finds or makes the node of dir/name, with one more reference, and its attributes. */
int share_node_lookup(share_t *s, uint64_t dir, const char *name, fs_attr_t *attr);

/* A node was renamed to dir/name. */
void share_node_moved(share_t *s, dev_t dev, ino_t ino, uint32_t dir_slot, const char *name);

/* Closes some descriptors when there are too many for the process; true when it is worth another
 * try. */
bool share_make_room(share_t *s, int host_errno);

/*
 * Puts a node of a snapshot into the next slot: generation, parent (a slot that may come later),
 * type, refs, dev and ino as in `from`; name NULL: the slot was free. Only after
 * share_nodes_restart(). False: no memory.
 */
bool share_node_restore(share_t *s, const share_node_t *from, const char *name);

/* All but the root go, their slots too. */
void share_nodes_restart(share_t *s);

/* Counts children after the last of them; false: a parent is missing. */
bool share_nodes_relink(share_t *s);

void share_proc_path(char path[SHARE_PROC_SIZE], int fd);
void share_fill_attr(share_t *s, uint64_t id, const struct stat *st, fs_attr_t *attr);
uint64_t share_ino(const share_t *s, dev_t dev, ino_t ino);

int share_op_lookup(void *s, uint64_t dir, const char *name, fs_attr_t *attr);
int share_op_parent(void *s, uint64_t node, fs_attr_t *attr);
int share_op_retain(void *s, uint64_t node);
void share_op_forget(void *s, uint64_t node, uint64_t count);
int share_op_name_of(void *s, uint64_t node, uint64_t *dir, char name[FS_NAME_MAX + 1]);

/* --- share_name.c --- */

int share_op_mkdir(void *s, uint64_t dir, const char *name, uint32_t mode, fs_attr_t *attr);
int share_op_mknod(void *s, uint64_t dir, const char *name, uint32_t mode, fs_attr_t *attr);
int share_op_symlink(void *s, uint64_t dir, const char *name, const char *to, fs_attr_t *attr);
int share_op_link(void *s, uint64_t node, uint64_t dir, const char *name, fs_attr_t *attr);
int share_op_unlink(void *s, uint64_t dir, const char *name, bool is_dir);
int share_op_rename(void *s, uint64_t dir, const char *name, uint64_t to_dir, const char *to_name,
                    unsigned flags);
int share_op_readlink(void *s, uint64_t node, char *buf);
int share_op_create(void *s, uint64_t dir, const char *name, uint32_t flags, uint32_t mode,
                    fs_attr_t *attr, uint64_t *handle);

/* --- share_attr.c --- */

int share_op_getattr(void *s, uint64_t node, uint64_t handle, fs_attr_t *attr);
int share_op_setattr(void *s, uint64_t node, uint64_t handle, const fs_setattr_t *change);
int share_op_statfs(void *s, uint64_t node, fs_statfs_t *stat);
int share_op_getxattr(void *s, uint64_t node, const char *name, void *buf, size_t len);
int share_op_listxattr(void *s, uint64_t node, char *buf, size_t len);
int share_op_setxattr(void *s, uint64_t node, const char *name, const void *value, size_t len,
                      unsigned flags);
int share_op_removexattr(void *s, uint64_t node, const char *name);

/* --- share_file.c --- */

void share_handles_reset(share_t *s);
share_handle_t *share_handle_get(share_t *s, uint64_t id);

/* A handle for a host descriptor, which it takes over also when it fails. */
int share_handle_new(share_t *s, uint64_t node, int fd, uint32_t flags, bool is_dir,
                     uint64_t *handle);

/* Opens a handle again at the number that it had; when that fails, the number is none any more. */
void share_handle_restore(share_t *s, uint32_t index, const share_handle_t *from);

int share_op_open(void *s, uint64_t node, uint32_t flags, uint64_t *handle);
int share_op_close(void *s, uint64_t handle);
int64_t share_op_read(void *s, uint64_t handle, uint64_t at, void *buf, size_t len);
int64_t share_op_write(void *s, uint64_t handle, uint64_t at, const void *buf, size_t len,
                       bool exact);
int share_op_fsync(void *s, uint64_t handle, bool data_only);
int share_op_fallocate(void *s, uint64_t handle, uint32_t mode, uint64_t at, uint64_t len);
int64_t share_op_seek(void *s, uint64_t handle, uint64_t at, uint32_t whence);
int share_op_readdir(void *s, uint64_t handle, uint64_t cookie, fs_dirent_t *entry);

/* --- share_lock.c --- */

int share_op_getlk(void *s, uint64_t handle, fs_lock_t *lock);
int share_op_setlk(void *s, uint64_t handle, const fs_lock_t *lock);

/* --- share_snapshot.c --- */

bool share_op_snapshot(void *s, const fs_snapshot_t *snap);

#endif
