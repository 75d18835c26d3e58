/* SPDX-License-Identifier: MPL-2.0 */
/* What p9.c (messages, fids, sessions) and p9_ops.c (a function for each message) share. */
#ifndef RVKIT_DEVICES_P9_INTERNAL_H
#define RVKIT_DEVICES_P9_INTERNAL_H

#include "../util.h"
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

/* A message being read: a read behind its end gives zeros and sets bad. */
typedef struct {
    const uint8_t *at, *end;
    bool bad;
} p9_in_t;

uint8_t p9_get8(p9_in_t *in);
uint16_t p9_get16(p9_in_t *in);
uint32_t p9_get32(p9_in_t *in);
uint64_t p9_get64(p9_in_t *in);

/* A string into buf; 0, -FS_ENAMETOOLONG when it does not fit, -FS_EINVAL when it has a NUL inside.
 */
int p9_get_str(p9_in_t *in, char *buf, size_t size);

/* A reply being written: what does not fit sets full. */
typedef struct {
    uint8_t *buf;
    size_t at, cap;
    bool full;
} p9_out_t;

void p9_put8(p9_out_t *out, uint8_t v);
void p9_put16(p9_out_t *out, uint16_t v);
void p9_put32(p9_out_t *out, uint32_t v);
void p9_put64(p9_out_t *out, uint64_t v);
void p9_put_bytes(p9_out_t *out, const void *data, size_t len);
void p9_put_str(p9_out_t *out, const char *text, size_t len);
void p9_put_qid(p9_out_t *out, const fs_attr_t *attr);

/* How many more bytes fit. */
size_t p9_room(const p9_out_t *out);

p9_fid_t *p9_fid_find(p9_t *p9, uint32_t id);

/* A new fid that takes one reference of the node over, if it succeeds. */
int p9_fid_new(p9_t *p9, uint32_t id, uint64_t node, p9_fid_t **fid);

/* Frees a fid with all it has; what its last write was good for. */
int p9_fid_clunk(p9_t *p9, p9_fid_t *fid);

/* A message's work: 0, or an error to reply with. Whatever it wrote is dropped then. */
typedef int (*p9_op_t)(p9_t *p9, p9_in_t *in, p9_out_t *out);

/* NULL: there is no such message. */
p9_op_t p9_op_find(uint8_t type);

#endif
