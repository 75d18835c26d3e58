/* SPDX-License-Identifier: MPL-2.0 */
/* What p9.c (messages, fids, sessions) and p9_ops.c (a function for each message) share. */
#ifndef RVKIT_DEVICES_P9_INTERNAL_H
#define RVKIT_DEVICES_P9_INTERNAL_H

#include "../util.h"
#include "message.h"
#include "p9.h"

#define P9_BUCKETS 4096u
#define P9_NOFID UINT32_MAX
#define P9_WALK_MAX 16u

/* Message types; a reply's is one more. */
enum {
    P9_RLERROR = 7,
    P9_TSTATFS = 8,
    P9_TLOPEN = 12,
    P9_TLCREATE = 14,
    P9_TSYMLINK = 16,
    P9_TMKNOD = 18,
    P9_TRENAME = 20,
    P9_TREADLINK = 22,
    P9_TGETATTR = 24,
    P9_TSETATTR = 26,
    P9_TXATTRWALK = 30,
    P9_TXATTRCREATE = 32,
    P9_TREADDIR = 40,
    P9_TFSYNC = 50,
    P9_TLOCK = 52,
    P9_TGETLOCK = 54,
    P9_TLINK = 70,
    P9_TMKDIR = 72,
    P9_TRENAMEAT = 74,
    P9_TUNLINKAT = 76,
    P9_TVERSION = 100,
    P9_TAUTH = 102,
    P9_TATTACH = 104,
    P9_TFLUSH = 108,
    P9_TWALK = 110,
    P9_TREAD = 116,
    P9_TWRITE = 118,
    P9_TCLUNK = 120,
    P9_TREMOVE = 122,
};

enum {
    P9_QID_DIR = 0x80,
    P9_QID_SYMLINK = 0x02,
};

typedef enum {
    P9_FID_NODE,       /* a file, open when it has a handle */
    P9_FID_XATTR_READ, /* the value (or list) of extended attributes */
    P9_FID_XATTR_WRITE /* a value that is being written, and set when the fid is clunked */
} p9_fid_kind_t;

typedef struct p9_fid {
    struct p9_fid *next;
    uint32_t id;
    p9_fid_kind_t kind;
    uint64_t node; /* with one reference */
    uint64_t handle;
    uint8_t *xattr; /* the value; of one that is written, its name follows */
    size_t xattr_size, xattr_got;
    uint32_t xattr_flags;
} p9_fid_t;

struct p9 {
    file_server_t server;
    uint32_t msize; /* 0: no session */
    uint32_t fid_count, xattr_count;
    p9_fid_t *buckets[P9_BUCKETS];
};

/* A string into buf; 0, -FS_ENAMETOOLONG when it does not fit, -FS_EINVAL when it has a NUL inside.
 */
int p9_get_str(msg_in_t *in, char *buf, size_t size);

void p9_put_str(msg_out_t *out, const char *text, size_t len);
void p9_put_qid(msg_out_t *out, const fs_attr_t *attr);

p9_fid_t *p9_fid_find(p9_t *p9, uint32_t id);

/* A new fid that takes one reference of the node over, if it succeeds. */
int p9_fid_new(p9_t *p9, uint32_t id, uint64_t node, p9_fid_t **fid);

/* Frees a fid with all it has; what its last write was good for. */
int p9_fid_clunk(p9_t *p9, p9_fid_t *fid);

/* A message's work: 0, or an error to reply with. Whatever it wrote is dropped then. */
typedef int (*p9_op_t)(p9_t *p9, msg_in_t *in, msg_out_t *out);

/* NULL: there is no such message. */
p9_op_t p9_op_find(uint8_t type);

#endif
