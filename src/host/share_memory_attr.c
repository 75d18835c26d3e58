/* SPDX-License-Identifier: MPL-2.0 */
/* Attributes and extended attributes. */
#include "share_memory_internal.h"

#include "../util.h"

/* The file of a number, or of a handle of it; NULL: -FS_ESTALE. */
static smem_file_t *attr_file(share_memory_t *m, uint64_t id, uint64_t handle_id)
{
    smem_handle_t *handle = smem_handle_get(m, handle_id);
    return handle && handle->node == id ? handle->file : smem_node_get(m, id);
}

int smem_op_getattr(void *opaque, uint64_t id, uint64_t handle, fs_attr_t *attr)
{
    smem_file_t *file = attr_file(opaque, id, handle);
    if (!file) {
        return -FS_ESTALE;
    }
    smem_file_attr(opaque, file, attr);
    attr->node = id;
    return 0;
}

static fs_time_t attr_time(fs_time_t time)
{
    time.nsec = time.nsec < 1000000000 ? time.nsec : 999999999;
    return time;
}

/* What is wrong with a change of a file. */
static int attr_check(const smem_file_t *file, const fs_setattr_t *change)
{
    uint32_t type = smem_type(file);
    if ((change->set & FS_SET_SIZE) && type != FS_S_IFREG) {
        return type == FS_S_IFDIR ? -FS_EISDIR : -FS_EINVAL;
    }
    if ((change->set & FS_SET_SIZE) && change->size > INT64_MAX) {
        return -FS_EFBIG;
    }
    return (change->set & FS_SET_MODE) && type == FS_S_IFLNK ? -FS_EOPNOTSUPP : 0;
}

int smem_file_set(share_memory_t *m, smem_file_t *file, const fs_setattr_t *change)
{
    int error = attr_check(file, change);
    if (error) {
        return error;
    }
    if (change->set & FS_SET_SIZE) {
        smem_data_resize(m, &file->data, change->size);
        file->mtime = smem_now();
    }
    if (change->set & FS_SET_MODE) {
        file->mode = smem_type(file) | (change->mode & 07777);
    }
    file->uid = change->set & FS_SET_UID ? change->uid : file->uid;
    file->gid = change->set & FS_SET_GID ? change->gid : file->gid;
    if (change->set & (FS_SET_ATIME | FS_SET_ATIME_NOW)) {
        file->atime = change->set & FS_SET_ATIME_NOW ? smem_now() : attr_time(change->atime);
    }
    if (change->set & (FS_SET_MTIME | FS_SET_MTIME_NOW)) {
        file->mtime = change->set & FS_SET_MTIME_NOW ? smem_now() : attr_time(change->mtime);
    }
    file->ctime = smem_now();
    smem_changed(m);
    return 0;
}

int smem_op_setattr(void *opaque, uint64_t id, uint64_t handle, const fs_setattr_t *change)
{
    smem_file_t *file = attr_file(opaque, id, handle);
    return file ? smem_file_set(opaque, file, change) : -FS_ESTALE;
}

int smem_op_statfs(void *opaque, uint64_t id, fs_statfs_t *stat)
{
    share_memory_t *m = opaque;
    if (!smem_node_get(m, id)) {
        return -FS_ESTALE;
    }
    *stat = (fs_statfs_t){
        .blocks = m->limit / 4096,
        .bfree = (m->limit - m->used) / 4096,
        .bavail = (m->limit - m->used) / 4096,
        .files = SHARE_MEMORY_FILES_MAX,
        .ffree = SHARE_MEMORY_FILES_MAX - m->file_count,
        .bsize = 4096,
        .frsize = 4096,
        .namelen = FS_NAME_MAX,
    };
    return 0;
}

/* --- Extended attributes --- */

static size_t xattr_bytes(const smem_xattr_t *xattr)
{
    return sizeof(*xattr) + xattr->name_len + 1 + xattr->size;
}

static void xattr_free(share_memory_t *m, smem_xattr_t **link)
{
    smem_xattr_t *xattr = *link;
    *link = xattr->next;
    smem_resize(m, xattr, xattr_bytes(xattr), 0);
}

void smem_xattrs_free(share_memory_t *m, smem_file_t *file)
{
    while (file->xattrs) {
        xattr_free(m, &file->xattrs);
    }
}

/* Where an attribute of this name is linked, or the end of the list. */
static smem_xattr_t **xattr_find(smem_file_t *file, const char *name)
{
    smem_xattr_t **link = &file->xattrs;
    while (*link && strcmp((const char *)(*link)->bytes, name) != 0) {
        link = &(*link)->next;
    }
    return link;
}

static bool xattr_name_ok(const char *name)
{
    static const char *const spaces[] = {"user.", "trusted.", "security."};
    for (size_t i = 0; i < ARRAY_LEN(spaces); i++) {
        size_t len = strlen(spaces[i]);
        if (!strncmp(name, spaces[i], len) && name[len]) {
            return true;
        }
    }
    return false;
}

/* A file that can have some. */
static int xattr_file(share_memory_t *m, uint64_t id, const char *name, smem_file_t **found)
{
    smem_file_t *file = smem_node_get(m, id);
    if (!file) {
        return -FS_ESTALE;
    }
    if ((smem_type(file) != FS_S_IFREG && !smem_is_dir(file)) || (name && !xattr_name_ok(name))) {
        return -FS_EOPNOTSUPP;
    }
    if (name && strlen(name) > FS_NAME_MAX) {
        return -FS_ERANGE;
    }
    *found = file;
    return 0;
}

int smem_op_getxattr(void *opaque, uint64_t id, const char *name, void *buf, size_t len)
{
    smem_file_t *file;
    int error = xattr_file(opaque, id, name, &file);
    smem_xattr_t *xattr = error ? NULL : *xattr_find(file, name);
    if (!xattr) {
        return error ? error : -FS_ENODATA;
    }
    if (len && len < xattr->size) {
        return -FS_ERANGE;
    }
    if (len) {
        memcpy(buf, xattr->bytes + xattr->name_len + 1, xattr->size);
    }
    return (int)xattr->size;
}

int smem_op_listxattr(void *opaque, uint64_t id, char *buf, size_t len)
{
    smem_file_t *file;
    size_t used = 0;
    int error = xattr_file(opaque, id, NULL, &file);
    if (error) {
        return error == -FS_EOPNOTSUPP ? 0 : error;
    }
    for (const smem_xattr_t *xattr = file->xattrs; xattr; xattr = xattr->next) {
        size_t size = xattr->name_len + 1;
        if (len && len - used < size) {
            return -FS_ERANGE;
        }
        if (len) {
            memcpy(buf + used, xattr->bytes, size);
        }
        used += size;
    }
    return (int)used;
}

/* Room for the name in a list, which has at most FS_XATTR_MAX bytes. */
static bool xattr_fits(const smem_file_t *file, size_t name_len)
{
    size_t used = name_len + 1;
    unsigned count = 1;
    for (const smem_xattr_t *xattr = file->xattrs; xattr; xattr = xattr->next) {
        used += xattr->name_len + 1;
        count++;
    }
    return used <= FS_XATTR_MAX && count <= SMEM_XATTRS_MAX;
}

int smem_op_setxattr(void *opaque, uint64_t id, const char *name, const void *value, size_t len,
                     unsigned flags)
{
    share_memory_t *m = opaque;
    smem_file_t *file;
    int error = xattr_file(m, id, name, &file);
    if (error) {
        return error;
    }
    if (len > FS_XATTR_MAX || (flags & ~(unsigned)(FS_XATTR_CREATE | FS_XATTR_REPLACE))) {
        return len > FS_XATTR_MAX ? -FS_E2BIG : -FS_EINVAL;
    }
    smem_xattr_t **old = xattr_find(file, name);
    if (*old ? flags & FS_XATTR_CREATE : flags & FS_XATTR_REPLACE) {
        return *old ? -FS_EEXIST : -FS_ENODATA;
    }
    size_t name_len = strlen(name);
    smem_xattr_t *xattr = *old || xattr_fits(file, name_len)
                              ? smem_resize(m, NULL, 0, sizeof(*xattr) + name_len + 1 + len)
                              : NULL;
    if (!xattr) {
        return -FS_ENOSPC;
    }
    if (*old) {
        xattr_free(m, old);
    }
    *xattr = (smem_xattr_t){.next = *old, .name_len = (uint32_t)name_len, .size = (uint32_t)len};
    memcpy(xattr->bytes, name, name_len + 1);
    if (len) {
        memcpy(xattr->bytes + name_len + 1, value, len);
    }
    *old = xattr;
    file->ctime = smem_now();
    smem_changed(m);
    return 0;
}

int smem_op_removexattr(void *opaque, uint64_t id, const char *name)
{
    share_memory_t *m = opaque;
    smem_file_t *file;
    int error = xattr_file(m, id, name, &file);
    smem_xattr_t **link = error ? NULL : xattr_find(file, name);
    if (!link || !*link) {
        return error ? error : -FS_ENODATA;
    }
    xattr_free(m, link);
    file->ctime = smem_now();
    smem_changed(m);
    return 0;
}
