/* SPDX-License-Identifier: MPL-2.0 */
#include "file_server.h"

#include "../util.h"

bool fs_move8(const fs_snapshot_t *snap, uint8_t *v)
{
    return snap->move(snap->arg, v, 1);
}

bool fs_move32(const fs_snapshot_t *snap, uint32_t *v)
{
    uint8_t bytes[4];
    util_put_le32(bytes, *v);
    bool ok = snap->move(snap->arg, bytes, sizeof(bytes));
    *v = ok ? util_get_le32(bytes) : *v;
    return ok;
}

bool fs_move64(const fs_snapshot_t *snap, uint64_t *v)
{
    uint8_t bytes[8];
    util_put_le64(bytes, *v);
    bool ok = snap->move(snap->arg, bytes, sizeof(bytes));
    *v = ok ? util_get_le64(bytes) : *v;
    return ok;
}
