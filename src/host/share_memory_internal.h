/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What the files of the folder in memory share: share_memory.c (making, memory, table of
 * operations), share_memory_data.c (contents), share_memory_tree.c (files and their names),
 * share_memory_node.c (which file a number means, and names as the guest handles them),
 * share_memory_attr.c (attributes), share_memory_handle.c (open files), share_memory_lock.c,
 * share_memory_snapshot.c, share_memory_path.c (the program's side).
 */
#ifndef RVKIT_HOST_SHARE_MEMORY_INTERNAL_H
#define RVKIT_HOST_SHARE_MEMORY_INTERNAL_H

#include "share_memory.h"

#define SMEM_NAMES_MAX (2 * SHARE_MEMORY_FILES_MAX)
#define SMEM_HANDLES_MAX 4096u
#define SMEM_LOCKS_MAX 256u   /* ranges of one handle */
#define SMEM_XATTRS_MAX 1024u /* of one file */

/* Contents are held in pieces; each grows from a small size by doubling. */
#define SMEM_CHUNK 65536u
#define SMEM_CHUNK_MIN 4096u
#define SMEM_FIRST_MIN 256u /* of the first piece: there are many small files */

typedef struct smem_file smem_file_t;
typedef struct smem_entry smem_entry_t;
typedef struct smem_xattr smem_xattr_t;

/* Bytes index * SMEM_CHUNK to that + size - 1; from there to the next piece all are 0. */
typedef struct {
    uint64_t index;
    uint8_t *bytes;
    uint32_t size; /* 1 to SMEM_CHUNK */
} smem_chunk_t;

/* Bytes that are held at or after size are 0. */
typedef struct {
    smem_chunk_t *chunk; /* by index */
    uint32_t count, cap;
    uint64_t size, held;
} smem_data_t;

typedef struct {
    uint64_t cookie;
    smem_entry_t *entry; /* NULL: it is gone */
} smem_slot_t;

/* Cookies only grow, so that a place in a listing stays one. */
typedef struct {
    smem_slot_t *slot; /* by cookie; the last is not gone */
    uint32_t count, cap, live, subdirs;
    uint64_t next_cookie;
} smem_dir_t;

/* A name of a file in a folder. */
struct smem_entry {
    smem_file_t *dir, *file;
    smem_entry_t *next;           /* in the bucket */
    smem_entry_t *before, *after; /* the file's other names */
    uint64_t cookie;
    uint32_t hash;
    char name[];
};

struct smem_file {
    uint64_t ino;
    uint32_t mode, uid, gid;
    uint32_t name_count, handles;
    uint32_t node;       /* slot + 1; 0: the guest does not know it */
    smem_entry_t *names; /* the one that was seen last comes first; a folder has one */
    smem_xattr_t *xattrs;
    fs_time_t atime, mtime, ctime;
    union {
        smem_data_t data; /* of a symbolic link: its text */
        smem_dir_t dir;
    };
};

struct smem_xattr {
    smem_xattr_t *next;
    uint32_t name_len, size;
    uint8_t bytes[]; /* the name with its NUL, and the value */
};

/* A number that the guest has. */
typedef struct {
    smem_file_t *file; /* NULL: it is stale, or free */
    uint64_t refs;
    uint32_t generation, next_free;
    bool used;
} smem_node_t;

typedef struct {
    bool used;
    uint32_t generation;
    uint32_t flags; /* FS_O_*: those that count for what is open */
    smem_file_t *file;
    uint64_t node;
    fs_lock_t *lock; /* SMEM_LOCKS_MAX of them; NULL: nothing ever was locked */
    uint32_t lock_count;
} smem_handle_t;

struct share_memory {
    uint64_t limit, used;
    uint32_t file_count, entry_count;
    uint64_t next_ino, serial;
    smem_file_t *root;

    smem_entry_t **buckets;
    uint32_t bucket_count; /* a power of two */

    smem_node_t *nodes;
    uint32_t node_count, node_cap, free_node; /* free_node + 1; 0: none */
    uint64_t
        pinned; /* a folder that name_of() told about, and that nobody else has a reference to */
    smem_handle_t *handles;
    uint32_t handle_count, handle_top; /* handles below handle_top were used once */

    void (*changed)(void *arg);
    void *changed_arg;

    void (*serve)(void *arg);
    void *serve_arg;
    uint64_t asked, done; /* atomic: calls of wake; how many of them serve() has seen */
    bool serving;         /* atomic */
    bool served, owned;   /* by a guest's server; by the program */
};

/* --- share_memory.c --- */

/* As realloc(), free() with size 0, but counted. NULL: beyond the limit, or no memory. Making
 * something smaller does not fail. */
void *smem_resize(share_memory_t *m, void *old, size_t old_size, size_t size);

fs_time_t smem_now(void);

/* Something that can be seen is different now. */
void smem_changed(share_memory_t *m);

/* --- share_memory_data.c --- */

size_t smem_data_read(const smem_data_t *data, uint64_t at, void *buf, size_t len);

/* at + len is at most INT64_MAX. Less than len: there is no room for more. */
size_t smem_data_write(share_memory_t *m, smem_data_t *data, uint64_t at, const void *buf,
                       size_t len);

/* Bytes from `from` to before `to` become 0; cut frees what it can of them. */
void smem_data_zero(smem_data_t *data, uint64_t from, uint64_t to);
void smem_data_cut(share_memory_t *m, smem_data_t *data, uint64_t from, uint64_t to);
void smem_data_resize(share_memory_t *m, smem_data_t *data, uint64_t size);

/* Holds memory for all bytes of a range. */
int smem_data_reserve(share_memory_t *m, smem_data_t *data, uint64_t at, uint64_t len);
int64_t smem_data_seek(const smem_data_t *data, uint64_t at, uint32_t whence);

/* --- share_memory_tree.c --- */

static inline uint32_t smem_type(const smem_file_t *file)
{
    return file->mode & FS_S_IFMT;
}

static inline bool smem_is_dir(const smem_file_t *file)
{
    return smem_type(file) == FS_S_IFDIR;
}

/* A file without names: give it one, or collect it. */
smem_file_t *smem_file_new(share_memory_t *m, uint32_t mode);

/* Frees a file that nobody has any more, which may be the case. */
void smem_file_collect(share_memory_t *m, smem_file_t *file);
void smem_file_attr(const share_memory_t *m, const smem_file_t *file, fs_attr_t *attr);

smem_entry_t *smem_entry_find(share_memory_t *m, const smem_file_t *dir, const char *name);

/* Gives a file a name that is not there yet. */
int smem_entry_add(share_memory_t *m, smem_file_t *dir, const char *name, smem_file_t *file);

/* Takes a name away, from a folder that is empty too. */
void smem_entry_remove(share_memory_t *m, smem_entry_t *entry);

/* Remembers by which name a file was seen. */
void smem_entry_seen(smem_entry_t *entry);

/* The first entry after a cookie; NULL: none. */
smem_entry_t *smem_dir_next(const smem_file_t *dir, uint64_t cookie);

/* A new file (symlink: its text) with a name; or -FS_E…. */
int smem_make(share_memory_t *m, smem_file_t *dir, const char *name, uint32_t mode,
              const char *symlink, smem_file_t **made);
int smem_unlink(share_memory_t *m, smem_file_t *dir, const char *name, bool is_dir);
int smem_rename(share_memory_t *m, smem_file_t *dir, const char *name, smem_file_t *to_dir,
                const char *to_name, unsigned flags);

/* Takes a name away, and all that is below. */
void smem_tree_remove(share_memory_t *m, smem_entry_t *top);

/* --- share_memory_node.c --- */

/* Lets go of what name_of() told about. */
void smem_node_unpin(share_memory_t *m);

/* NULL: the number is none (-FS_ESTALE). */
smem_file_t *smem_node_get(share_memory_t *m, uint64_t id);

/* One more reference to a file, and its attributes; or -FS_ENFILE. */
int smem_node_ref(share_memory_t *m, smem_file_t *file, fs_attr_t *attr);

/* The numbers of a snapshot, one after another, after smem_nodes_restart(). file NULL: a stale one.
 */
bool smem_node_restore(share_memory_t *m, const smem_node_t *from);
bool smem_nodes_init(share_memory_t *m);
void smem_nodes_reset(share_memory_t *m);
void smem_nodes_restart(share_memory_t *m); /* the numbers are as those of a new folder */

/* The folder in which a name is meant; or -FS_E…. */
int smem_node_dir(share_memory_t *m, uint64_t id, const char *name, smem_file_t **dir);

int smem_op_lookup(void *m, uint64_t dir, const char *name, fs_attr_t *attr);
int smem_op_parent(void *m, uint64_t node, fs_attr_t *attr);
int smem_op_retain(void *m, uint64_t node);
void smem_op_forget(void *m, uint64_t node, uint64_t count);
int smem_op_name_of(void *m, uint64_t node, uint64_t *dir, char name[FS_NAME_MAX + 1]);
int smem_op_readlink(void *m, uint64_t node, char *buf);
int smem_op_mkdir(void *m, uint64_t dir, const char *name, uint32_t mode, fs_attr_t *attr);
int smem_op_mknod(void *m, uint64_t dir, const char *name, uint32_t mode, fs_attr_t *attr);
int smem_op_symlink(void *m, uint64_t dir, const char *name, const char *to, fs_attr_t *attr);
int smem_op_link(void *m, uint64_t node, uint64_t dir, const char *name, fs_attr_t *attr);
int smem_op_unlink(void *m, uint64_t dir, const char *name, bool is_dir);
int smem_op_rename(void *m, uint64_t dir, const char *name, uint64_t to_dir, const char *to_name,
                   unsigned flags);

/* --- share_memory_attr.c --- */

int smem_file_set(share_memory_t *m, smem_file_t *file, const fs_setattr_t *change);
void smem_xattrs_free(share_memory_t *m, smem_file_t *file);

int smem_op_getattr(void *m, uint64_t node, uint64_t handle, fs_attr_t *attr);
int smem_op_setattr(void *m, uint64_t node, uint64_t handle, const fs_setattr_t *change);
int smem_op_statfs(void *m, uint64_t node, fs_statfs_t *stat);
int smem_op_getxattr(void *m, uint64_t node, const char *name, void *buf, size_t len);
int smem_op_listxattr(void *m, uint64_t node, char *buf, size_t len);
int smem_op_setxattr(void *m, uint64_t node, const char *name, const void *value, size_t len,
                     unsigned flags);
int smem_op_removexattr(void *m, uint64_t node, const char *name);

/* --- share_memory_handle.c --- */

smem_handle_t *smem_handle_get(share_memory_t *m, uint64_t id);

/* NULL also when it is one of a folder. */
smem_handle_t *smem_handle_file(share_memory_t *m, uint64_t id);
void smem_handles_reset(share_memory_t *m);

/* Opens a handle again at the number that it had; when that fails, the number is none any more. */
void smem_handle_restore(share_memory_t *m, uint32_t index, const smem_handle_t *from);

/* After a write or a change of the size. */
void smem_file_written(share_memory_t *m, smem_file_t *file);

int smem_op_open(void *m, uint64_t node, uint32_t flags, uint64_t *handle);
int smem_op_create(void *m, uint64_t dir, const char *name, uint32_t flags, uint32_t mode,
                   fs_attr_t *attr, uint64_t *handle);
int smem_op_close(void *m, uint64_t handle);
int64_t smem_op_read(void *m, uint64_t handle, uint64_t at, void *buf, size_t len);
int64_t smem_op_write(void *m, uint64_t handle, uint64_t at, const void *buf, size_t len,
                      bool exact);
int smem_op_fsync(void *m, uint64_t handle, bool data_only);
int smem_op_fallocate(void *m, uint64_t handle, uint32_t mode, uint64_t at, uint64_t len);
int64_t smem_op_seek(void *m, uint64_t handle, uint64_t at, uint32_t whence);
int smem_op_readdir(void *m, uint64_t handle, uint64_t cookie, fs_dirent_t *entry);

/* --- share_memory_lock.c --- */

int smem_op_getlk(void *m, uint64_t handle, fs_lock_t *lock);
int smem_op_setlk(void *m, uint64_t handle, const fs_lock_t *lock);

/* --- share_memory_snapshot.c --- */

bool smem_op_snapshot(void *m, const fs_snapshot_t *snap);

/* --- share_memory_path.c --- */

/* The file at a path; or -FS_E…. */
int smem_path_find(share_memory_t *m, const char *path, smem_file_t **file);

#endif
