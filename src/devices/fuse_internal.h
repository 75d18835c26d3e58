/* SPDX-License-Identifier: MPL-2.0 */
/* What fuse.c (messages, names, attributes) and fuse_io.c (handles, data, locks) share. */
#ifndef RVKIT_DEVICES_FUSE_INTERNAL_H
#define RVKIT_DEVICES_FUSE_INTERNAL_H

#include "../util.h"
#include "fuse.h"
#include "message.h"

enum {
    FUSE_KERNEL_VERSION = 7,
    FUSE_KERNEL_MINOR_VERSION = 31,
    FUSE_KERNEL_MINOR_LEAST = 28, /* the first with max_pages */
    FUSE_IN_HEADER = 40,
    FUSE_OUT_HEADER = 16,
    FUSE_ATTR = 88,
    FUSE_ENTRY_OUT = 40 + FUSE_ATTR,
    FUSE_PAGE = 4096,
};

enum {
    FUSE_LOOKUP = 1,
    FUSE_FORGET = 2,
    FUSE_GETATTR = 3,
    FUSE_SETATTR = 4,
    FUSE_READLINK = 5,
    FUSE_SYMLINK = 6,
    FUSE_MKNOD = 8,
    FUSE_MKDIR = 9,
    FUSE_UNLINK = 10,
    FUSE_RMDIR = 11,
    FUSE_RENAME = 12,
    FUSE_LINK = 13,
    FUSE_OPEN = 14,
    FUSE_READ = 15,
    FUSE_WRITE = 16,
    FUSE_STATFS = 17,
    FUSE_RELEASE = 18,
    FUSE_FSYNC = 20,
    FUSE_SETXATTR = 21,
    FUSE_GETXATTR = 22,
    FUSE_LISTXATTR = 23,
    FUSE_REMOVEXATTR = 24,
    FUSE_FLUSH = 25,
    FUSE_INIT = 26,
    FUSE_OPENDIR = 27,
    FUSE_READDIR = 28,
    FUSE_RELEASEDIR = 29,
    FUSE_FSYNCDIR = 30,
    FUSE_GETLK = 31,
    FUSE_SETLK = 32,
    FUSE_SETLKW = 33,
    FUSE_CREATE = 35,
    FUSE_INTERRUPT = 36,
    FUSE_DESTROY = 38,
    FUSE_BATCH_FORGET = 42,
    FUSE_FALLOCATE = 43,
    FUSE_READDIRPLUS = 44,
    FUSE_RENAME2 = 45,
    FUSE_LSEEK = 46,
};

/* An owner that has, or had, a lock through a handle. */
typedef struct {
    uint64_t handle, owner;
} fuse_lock_t;

struct fuse {
    file_server_t server;
    bool inited, has_interrupt;
    uint64_t interrupt;
    uint32_t opcode; /* of the request that is being served */
    uint64_t node;   /* and the file that it is about */
    uint32_t lock_count;
    fuse_lock_t locks[FUSE_LOCKS_MAX];
};

/* A name or text with its NUL, in place; NULL (and bad) when there is none. */
const char *fuse_get_str(msg_in_t *in);

void fuse_put_attr(msg_out_t *out, const fs_attr_t *attr);
void fuse_put_entry(msg_out_t *out, const fs_attr_t *attr);

/* Results besides 0 and -FS_E…: no reply at all; not yet. */
enum {
    FUSE_NO_REPLY = 1,
    FUSE_NOT_YET = 2,
};

typedef int (*fuse_op_t)(fuse_t *fuse, msg_in_t *in, msg_out_t *out);

int fuse_op_open(fuse_t *fuse, msg_in_t *in, msg_out_t *out);
int fuse_op_create(fuse_t *fuse, msg_in_t *in, msg_out_t *out);
int fuse_op_read(fuse_t *fuse, msg_in_t *in, msg_out_t *out);
int fuse_op_write(fuse_t *fuse, msg_in_t *in, msg_out_t *out);
int fuse_op_release(fuse_t *fuse, msg_in_t *in, msg_out_t *out);
int fuse_op_flush(fuse_t *fuse, msg_in_t *in, msg_out_t *out);
int fuse_op_fsync(fuse_t *fuse, msg_in_t *in, msg_out_t *out);
int fuse_op_readdir(fuse_t *fuse, msg_in_t *in, msg_out_t *out);
int fuse_op_fallocate(fuse_t *fuse, msg_in_t *in, msg_out_t *out);
int fuse_op_lseek(fuse_t *fuse, msg_in_t *in, msg_out_t *out);
int fuse_op_getlk(fuse_t *fuse, msg_in_t *in, msg_out_t *out);
int fuse_op_setlk(fuse_t *fuse, msg_in_t *in, msg_out_t *out);
int fuse_op_getxattr(fuse_t *fuse, msg_in_t *in, msg_out_t *out);
int fuse_op_setxattr(fuse_t *fuse, msg_in_t *in, msg_out_t *out);
int fuse_op_removexattr(fuse_t *fuse, msg_in_t *in, msg_out_t *out);

#endif
