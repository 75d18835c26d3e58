/* SPDX-License-Identifier: MPL-2.0 */
/* Folders in memory that the guest and the page share. */
#include "engine_internal.h"

#include "../sharing.h"

#include "../../host/share_memory.h"
#include "../../util.h"

#include <stdlib.h>

/* In front of the name in a list: size, mtime, mode, length. */
#define LIST_HEAD 24

/* Above this not all integers are doubles. */
#define NUMBER_MAX 9007199254740992.0

share_memory_t *engine_share(engine_t *engine, int share)
{
    return engine && share >= 0 && share < engine->shares ? engine->share[share] : NULL;
}

void engine_free_shares(engine_t *engine)
{
    for (int i = 0; i < engine->shares; i++) {
        share_memory_free(engine->share[i]);
    }
    engine->shares = 0;
}

static bool share_tag_is_taken(const engine_t *engine, const char *tag)
{
    for (int i = 0; i < engine->shares; i++) {
        if (!strcmp(engine->share_tag[i], tag)) {
            return true;
        }
    }
    return false;
}

/* A number of bytes or milliseconds. */
static bool share_number_ok(double number)
{
    return number >= 0 && number <= NUMBER_MAX;
}

ENGINE_EXPORT int rvkit_add_share(engine_t *engine, const char *tag, int fs, double limit)
{
    int number = engine->shares;
    if (!engine_is_open(engine, number, BOARD_SHARES_MAX, "folders")) {
        return -1;
    }
    if (!sharing_tag_ok(tag) || share_tag_is_taken(engine, tag) || !share_number_ok(limit)) {
        rvvm_error("the folder %.40s: %s", tag,
                   !sharing_tag_ok(tag)              ? "this is no tag"
                   : share_tag_is_taken(engine, tag) ? "the tag is taken"
                                                     : "the limit is no number of bytes");
        return -1;
    }
    share_memory_t *share = share_memory_create((uint64_t)limit);
    if (!share) {
        rvvm_error("the folder %s: out of memory", tag);
        return -1;
    }
    share_memory_serve(share, &engine->desc.share[number].server);
    memcpy(engine->share_tag[number], tag, strlen(tag) + 1);
    engine->desc.share[number].tag = engine->share_tag[number];
    engine->desc.share[number].fs = fs != 0;
    engine->desc.share_count++;
    engine->share[number] = share;
    return engine->shares++;
}

static double share_ms(fs_time_t time)
{
    return (double)time.sec * 1000.0 + time.nsec / 1000000;
}

ENGINE_EXPORT double rvkit_share_serial(engine_t *engine, int number)
{
    share_memory_t *share = engine_share(engine, number);
    return share ? (double)share_memory_serial(share) : -FS_ENODEV;
}

ENGINE_EXPORT int rvkit_share_space(engine_t *engine, int number, double *out)
{
    share_memory_t *share = engine_share(engine, number);
    share_memory_space_t space;
    if (!share) {
        return -FS_ENODEV;
    }
    share_memory_space(share, &space);
    out[0] = (double)space.limit;
    out[1] = (double)space.used;
    out[2] = space.files;
    return 0;
}

ENGINE_EXPORT int rvkit_share_stat(engine_t *engine, int number, const char *path, double *out)
{
    share_memory_t *share = engine_share(engine, number);
    fs_attr_t attr;
    int error = share ? share_memory_stat(share, path, &attr) : -FS_ENODEV;
    if (!error) {
        const double values[] = {attr.mode,  (double)attr.size, share_ms(attr.mtime),
                                 attr.nlink, (double)attr.ino,  (double)attr.blocks * 512.0};
        memcpy(out, values, sizeof(values));
    }
    return error;
}

static void list_put(uint8_t *p, const char *name, size_t len, const fs_attr_t *attr)
{
    const double numbers[] = {(double)attr->size, share_ms(attr->mtime)};
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        uint64_t bits;
        memcpy(&bits, &numbers[i], sizeof(bits));
        util_put_le64(p + 8 * i, bits);
    }
    util_put_le32(p + 16, attr->mode);
    util_put_le32(p + 20, (uint32_t)len);
    memcpy(p + LIST_HEAD, name, len);
}

/* The bytes of a list, into data when there is one; or an error. */
static int32_t list_fill(share_memory_t *share, const char *path, uint8_t *data)
{
    char name[FS_NAME_MAX + 1];
    fs_attr_t attr;
    uint64_t cookie = 0;
    int32_t size = 0;
    int more;
    while ((more = share_memory_list(share, path, &cookie, name, &attr)) > 0) {
        size_t len = strlen(name);
        if (data) {
            list_put(data + size, name, len, &attr);
        }
        size += (int32_t)util_align_up(LIST_HEAD + len, 8);
    }
    return more < 0 ? more : size;
}

ENGINE_EXPORT uint8_t *rvkit_share_list(engine_t *engine, int number, const char *path,
                                        int32_t *size)
{
    share_memory_t *share = engine_share(engine, number);
    *size = share ? list_fill(share, path, NULL) : -FS_ENODEV;
    if (*size < 0) {
        return NULL;
    }
    uint8_t *data = calloc(1, (size_t)*size + 8);
    *size = data ? list_fill(share, path, data) : -FS_ENOMEM;
    return data;
}

ENGINE_EXPORT double rvkit_share_read(engine_t *engine, int number, const char *path, double at,
                                      void *data, size_t size)
{
    share_memory_t *share = engine_share(engine, number);
    if (!share || !share_number_ok(at)) {
        return share ? -FS_EINVAL : -FS_ENODEV;
    }
    return (double)share_memory_read(share, path, (uint64_t)at, data, size);
}

ENGINE_EXPORT double rvkit_share_write(engine_t *engine, int number, const char *path, double at,
                                       const void *data, size_t size, uint32_t mode)
{
    share_memory_t *share = engine_share(engine, number);
    if (!share || !share_number_ok(at)) {
        return share ? -FS_EINVAL : -FS_ENODEV;
    }
    return (double)share_memory_write(share, path, (uint64_t)at, data, size, mode);
}

ENGINE_EXPORT int rvkit_share_put(engine_t *engine, int number, const char *path, const void *data,
                                  size_t size, uint32_t mode)
{
    share_memory_t *share = engine_share(engine, number);
    return share ? share_memory_put(share, path, data, size, mode) : -FS_ENODEV;
}

ENGINE_EXPORT int rvkit_share_set(engine_t *engine, int number, const char *path, int mode,
                                  double size, double mtime)
{
    share_memory_t *share = engine_share(engine, number);
    fs_setattr_t change = {.set = 0};
    if (!share || size > NUMBER_MAX || mtime > NUMBER_MAX) {
        return share ? -FS_EINVAL : -FS_ENODEV;
    }
    if (mode >= 0) {
        change.set |= FS_SET_MODE;
        change.mode = (uint32_t)mode;
    }
    if (size >= 0) {
        change.set |= FS_SET_SIZE;
        change.size = (uint64_t)size;
    }
    if (mtime >= 0) {
        change.set |= FS_SET_MTIME;
        change.mtime.sec = (int64_t)(mtime / 1000);
        change.mtime.nsec = (uint32_t)((uint64_t)mtime % 1000 * 1000000);
    }
    return share_memory_set(share, path, &change);
}

ENGINE_EXPORT int rvkit_share_mkdir(engine_t *engine, int number, const char *path, uint32_t mode)
{
    share_memory_t *share = engine_share(engine, number);
    return share ? share_memory_mkdir(share, path, mode) : -FS_ENODEV;
}

ENGINE_EXPORT int rvkit_share_remove(engine_t *engine, int number, const char *path, int recursive)
{
    share_memory_t *share = engine_share(engine, number);
    return share ? share_memory_remove(share, path, recursive != 0) : -FS_ENODEV;
}

ENGINE_EXPORT int rvkit_share_rename(engine_t *engine, int number, const char *from, const char *to,
                                     uint32_t flags)
{
    share_memory_t *share = engine_share(engine, number);
    return share ? share_memory_rename(share, from, to, flags) : -FS_ENODEV;
}
