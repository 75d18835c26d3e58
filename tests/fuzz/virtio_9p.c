/* SPDX-License-Identifier: MPL-2.0 */
/*
 * libFuzzer target: messages to virtio-9p over a folder of the host and over one in memory. The
 * input is a list of messages: type (0xFF: the rest of the header is wrong; 0xFE: the device goes
 * into a snapshot and comes back instead, once), length in 2 bytes, body. Each run starts with a
 * session in which fid 0 is the root, 1 a folder, 2 an open file, 3 an open folder. What is outside
 * the folder must stay as it is, and of the one in memory nothing must be left behind.
 *   clang -fsanitize=fuzzer,address,undefined -Iinclude -Isrc -Itests \
 *       tests/fuzz/virtio_9p.c librvkit.a -o fuzz-9p
 */
#include "share_rig.h"

#include "devices/virtio_9p.h"
#include "util.h"
#include "device/sessions.h"
#include "device/virtio_driver.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ROOM = 70000 };

static struct fz {
    fz_share_t share;
    vd_t vd;
    uint64_t request, reply;
    bool up;
} fz_kinds[FZ_KINDS], *fz = fz_kinds;

static void fz_down(void)
{
    for (fz = fz_kinds; fz < fz_kinds + FZ_KINDS; fz++) {
        if (fz->up) {
            vd_close(&fz->vd);
            fz_share_close(&fz->share);
        }
    }
}

static void fz_up(void)
{
    virtio_desc_t desc;
    vd_machine(&fz->vd);
    if (!fz_share_open(&fz->share, (int)(fz - fz_kinds)) ||
        !virtio_9p_describe(&desc, "fuzz", &fz->share.server) || !vd_attach(&fz->vd, &desc, 0) ||
        !vd_start(&fz->vd, VIRTIO_F_VERSION_1)) {
        abort();
    }
    fz->request = vd_alloc(&fz->vd, ROOM);
    fz->reply = vd_alloc(&fz->vd, ROOM);
    fz->up = true;
    if (fz == fz_kinds) {
        atexit(fz_down);
    }
}

static void fz_send(uint8_t type, const void *body, size_t len, uint32_t size, uint32_t room)
{
    uint8_t *p = vd_ptr(&fz->vd, fz->request);
    const vd_buf_t buf[2] = {{fz->request, (uint32_t)len + 7, false}, {fz->reply, room, true}};
    uint32_t used;
    util_put_le32(p, size);
    p[4] = type;
    util_put_le16(p + 5, 1);
    memcpy(p + 7, body, len);
    if (!vd_request(&fz->vd, 0, buf, 2, &used) || used > room || vd_broken(&fz->vd)) {
        abort();
    }
    vd_ack(&fz->vd);
}

static void fz_begin(void)
{
    static const uint8_t version[] = "\0\0\010\0\010\0009P2000.L";
    static const uint8_t attach[] = "\0\0\0\0\377\377\377\377\0\0\0\0\0\0\0\0";
    static const uint8_t walk1[] = "\0\0\0\0\1\0\0\0\1\0\3\0sub";
    static const uint8_t walk2[] = "\0\0\0\0\2\0\0\0\1\0\4\0file";
    static const uint8_t walk3[] = "\0\0\0\0\3\0\0\0\0\0";
    static const uint8_t open2[] = "\2\0\0\0\2\0\0\0";
    static const uint8_t open3[] = "\3\0\0\0\0\0\0\0";
    static const struct {
        uint8_t type;
        const void *body;
        size_t len;
    } first[] = {
        {100, version, sizeof(version) - 1}, {104, attach, sizeof(attach) - 1},
        {110, walk1, sizeof(walk1) - 1},     {110, walk2, sizeof(walk2) - 1},
        {110, walk3, sizeof(walk3) - 1},     {12, open2, sizeof(open2) - 1},
        {12, open3, sizeof(open3) - 1},
    };
    for (size_t i = 0; i < ARRAY_LEN(first); i++) {
        fz_send(first[i].type, first[i].body, first[i].len, (uint32_t)first[i].len + 7, 64);
    }
}

/* A session that knows nothing ends the one before. */
static void fz_end(void)
{
    static const uint8_t version[] = "\0\0\010\0\010\0009P2000.L";
    fz_send(100, version, sizeof(version) - 1, sizeof(version) + 6, 64);
}

static void fz_run(const uint8_t *data, size_t size)
{
    bool saved = false;
    if (!fz->up) {
        fz_up();
    }
    fz_begin();
    for (unsigned messages = 0; size >= 3 && messages < 64; messages++) {
        size_t len = util_get_le16(data + 1) % 2048;
        bool wrong = data[0] == 0xFF;
        len = len < size - 3 ? len : size - 3;
        uint32_t told = wrong && len >= 4 ? util_get_le32(data + 3) : (uint32_t)len + 7;
        uint32_t room = wrong && len ? data[2 + len] : messages % 8 ? ROOM : 2048;
        if (data[0] == 0xFE && !saved) {
            session_load(&fz->vd, session_save(&fz->vd));
            saved = true;
        } else {
            fz_send(data[0], data + 3, len, told, room + 1);
        }
        data += 3 + len;
        size -= 3 + len;
    }
    if (!fz_share_empty(&fz->share) || tap_bad_checks) {
        abort();
    }
    fz_end();
    if (!fz_share_is_bare(&fz->share) || !fz_share_fill(&fz->share)) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (fz = fz_kinds; fz < fz_kinds + FZ_KINDS; fz++) {
        fz_run(data, size);
    }
    return 0;
}
