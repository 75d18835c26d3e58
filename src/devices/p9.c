/* SPDX-License-Identifier: MPL-2.0 */
/* 9P2000.L: messages, fids and sessions. */
#include "p9_internal.h"

#include <stdlib.h>

/* --- Messages --- */

int p9_get_str(msg_in_t *in, char *buf, size_t size)
{
    size_t len = msg_get16(in);
    const uint8_t *p = msg_take(in, len);
    buf[0] = 0;
    if (!p) {
        return -FS_EPROTO;
    }
    if (len >= size) {
        return -FS_ENAMETOOLONG;
    }
    if (memchr(p, 0, len)) {
        return -FS_EINVAL;
    }
    memcpy(buf, p, len);
    buf[len] = 0;
    return 0;
}

void p9_put_str(msg_out_t *out, const char *text, size_t len)
{
    msg_put16(out, (uint16_t)len);
    msg_put_bytes(out, text, len);
}

void p9_put_qid(msg_out_t *out, const fs_attr_t *attr)
{
    uint32_t type = attr->mode & FS_S_IFMT;
    uint64_t version = (uint64_t)attr->mtime.sec ^ attr->mtime.nsec ^ (attr->size << 8);
    msg_put8(out, type == FS_S_IFDIR ? P9_QID_DIR : type == FS_S_IFLNK ? P9_QID_SYMLINK : 0);
    msg_put32(out, (uint32_t)version);
    msg_put64(out, attr->ino);
}

/* --- Fids --- */

static p9_fid_t **fid_slot(p9_t *p9, uint32_t id)
{
    p9_fid_t **at = &p9->buckets[(id ^ id >> 12) % P9_BUCKETS];
    while (*at && (*at)->id != id) {
        at = &(*at)->next;
    }
    return at;
}

p9_fid_t *p9_fid_find(p9_t *p9, uint32_t id)
{
    return *fid_slot(p9, id);
}

int p9_fid_new(p9_t *p9, uint32_t id, uint64_t node, p9_fid_t **fid)
{
    p9_fid_t **slot = fid_slot(p9, id);
    if (*slot || id == P9_NOFID) {
        return -FS_EBADF;
    }
    if (p9->fid_count == P9_FIDS_MAX) {
        return -FS_ENFILE;
    }
    *slot = calloc(1, sizeof(**slot));
    if (!*slot) {
        return -FS_ENOMEM;
    }
    (*slot)->id = id;
    (*slot)->node = node;
    p9->fid_count++;
    *fid = *slot;
    return 0;
}

/* The value that was written becomes the attribute; one of no bytes removes it, as Linux has it. */
static int fid_set_xattr(p9_t *p9, const p9_fid_t *fid)
{
    const fs_ops_t *ops = p9->server.ops;
    const char *name = (const char *)fid->xattr + fid->xattr_size;
    if (fid->xattr_got != fid->xattr_size) {
        return -FS_EINVAL;
    }
    if (!fid->xattr_size && fid->xattr_flags == FS_XATTR_REPLACE) {
        return ops->removexattr(p9->server.opaque, fid->node, name);
    }
    return ops->setxattr(p9->server.opaque, fid->node, name, fid->xattr, fid->xattr_size,
                         fid->xattr_flags);
}

int p9_fid_clunk(p9_t *p9, p9_fid_t *fid)
{
    int error = 0;
    if (fid->kind == P9_FID_XATTR_WRITE) {
        error = fid_set_xattr(p9, fid);
    }
    if (fid->kind != P9_FID_NODE) {
        p9->xattr_count--;
    }
    if (fid->handle) {
        error = p9->server.ops->close(p9->server.opaque, fid->handle);
    }
    p9->server.ops->forget(p9->server.opaque, fid->node, 1);
    *fid_slot(p9, fid->id) = fid->next;
    p9->fid_count--;
    free(fid->xattr);
    free(fid);
    return error;
}

/* --- Sessions --- */

p9_t *p9_create(const file_server_t *server)
{
    p9_t *p9 = calloc(1, sizeof(*p9));
    if (p9) {
        p9->server = *server;
    }
    return p9;
}

static void p9_drop_fids(p9_t *p9)
{
    for (unsigned i = 0; i < P9_BUCKETS; i++) {
        while (p9->buckets[i]) {
            p9_fid_t *fid = p9->buckets[i];
            p9->buckets[i] = fid->next;
            free(fid->xattr);
            free(fid);
        }
    }
    p9->fid_count = p9->xattr_count = 0;
    p9->msize = 0;
}

void p9_reset(p9_t *p9)
{
    p9_drop_fids(p9);
    p9->server.ops->reset(p9->server.opaque);
}

void p9_free(p9_t *p9)
{
    if (p9) {
        p9_drop_fids(p9);
        free(p9);
    }
}

/* --- Snapshots --- */

/* The value of an extended attribute; behind one that is being written, its name. */
static bool save_xattr(p9_t *p9, const fs_snapshot_t *snap, p9_fid_t *fid)
{
    uint64_t size = fid->xattr_size, got = fid->xattr_got;
    const char *name =
        fid->kind == P9_FID_XATTR_WRITE && fid->xattr ? (char *)fid->xattr + size : "";
    uint32_t name_size = (uint32_t)strlen(name) + 1;
    if (!fs_move64(snap, &size) || !fs_move64(snap, &got) || !fs_move32(snap, &fid->xattr_flags) ||
        !fs_move32(snap, &name_size)) {
        return false;
    }
    if (!snap->writing) {
        if (size > FS_XATTR_MAX || got > size || !name_size || name_size > FS_NAME_MAX + 1 ||
            p9->xattr_count == P9_XATTR_FIDS_MAX) {
            return false;
        }
        fid->xattr = calloc(1, (size_t)size + name_size + 1);
        if (!fid->xattr) {
            return false;
        }
        fid->xattr_size = (size_t)size;
        fid->xattr_got = (size_t)got;
        p9->xattr_count++;
    }
    size_t len = (size_t)size + (fid->kind == P9_FID_XATTR_WRITE ? name_size : 0);
    return !len || snap->move(snap->arg, fid->xattr, len);
}

static bool save_fid(p9_t *p9, const fs_snapshot_t *snap, p9_fid_t *fid)
{
    uint32_t kind = fid->kind;
    if (!fs_move32(snap, &kind) || !fs_move64(snap, &fid->handle) || kind > P9_FID_XATTR_WRITE) {
        return false;
    }
    fid->kind = (p9_fid_kind_t)kind;
    return kind == P9_FID_NODE || save_xattr(p9, snap, fid);
}

static bool write_fids(p9_t *p9, const fs_snapshot_t *snap)
{
    for (unsigned i = 0; i < P9_BUCKETS; i++) {
        for (p9_fid_t *fid = p9->buckets[i]; fid; fid = fid->next) {
            if (!fs_move32(snap, &fid->id) || !fs_move64(snap, &fid->node) ||
                !save_fid(p9, snap, fid)) {
                return false;
            }
        }
    }
    return true;
}

static bool read_fids(p9_t *p9, const fs_snapshot_t *snap, uint32_t count)
{
    while (count--) {
        uint32_t id = 0;
        uint64_t node = 0;
        p9_fid_t *fid;
        if (!fs_move32(snap, &id) || !fs_move64(snap, &node) || p9_fid_new(p9, id, node, &fid) ||
            !save_fid(p9, snap, fid)) {
            return false;
        }
    }
    return true;
}

bool p9_snapshot(p9_t *p9, const fs_snapshot_t *snap)
{
    uint32_t count = p9->fid_count, msize = p9->msize;
    if (!fs_move32(snap, &msize) || !fs_move32(snap, &count) || msize > P9_MSIZE_MAX ||
        (msize && msize < P9_MSIZE_MIN)) {
        return false;
    }
    p9->msize = msize;
    return (snap->writing ? write_fids(p9, snap) : read_fids(p9, snap, count)) &&
           p9->server.ops->snapshot(p9->server.opaque, snap);
}

/* --- Requests --- */

/* The reply's header; the size is known now. */
static size_t p9_finish(msg_out_t *out, uint8_t type, uint16_t tag)
{
    util_put_le32(out->buf, (uint32_t)out->at);
    out->buf[4] = type;
    util_put_le16(out->buf + 5, tag);
    return out->at;
}

static int p9_dispatch(p9_t *p9, uint8_t type, msg_in_t *in, msg_out_t *out)
{
    p9_op_t op = p9_op_find(type);
    if (!op) {
        return -FS_EOPNOTSUPP;
    }
    if (!p9->msize && type != P9_TVERSION) {
        return -FS_EPROTO;
    }
    return op(p9, in, out);
}

size_t p9_handle(p9_t *p9, const uint8_t *request, size_t len, uint8_t *reply, size_t cap)
{
    const size_t error_size = P9_HEADER + 4;
    size_t most = p9->msize ? p9->msize : P9_MSIZE_MAX;
    if (len < P9_HEADER || cap < error_size) {
        return 0;
    }
    size_t size = util_get_le32(request);
    uint8_t type = request[4];
    uint16_t tag = util_get_le16(request + 5);
    msg_out_t out = {reply, P9_HEADER, cap < most ? cap : most, false};
    int error = -FS_EPROTO;
    if (size >= P9_HEADER && size <= len && size <= most) {
        msg_in_t in = {request + P9_HEADER, request + size, false};
        error = p9_dispatch(p9, type, &in, &out);
    }
    if (!error && out.full) {
        error = -FS_EIO;
    }
    if (error) {
        out = (msg_out_t){reply, P9_HEADER, error_size, false};
        msg_put32(&out, (uint32_t)-error);
        return p9_finish(&out, P9_RLERROR, tag);
    }
    return p9_finish(&out, type + 1, tag);
}
