/* SPDX-License-Identifier: MPL-2.0 */
/*
 * libFuzzer target: requests to virtio-fs over a folder of the host and over one in memory. The
 * input is a list of requests: opcode (0xFF: the header is wrong; 0xFE: a snapshot and back instead,
 * once), node 0 to 3 (root, a folder, a file, a link), length in 2 bytes, body. Each run starts with
 * FUSE_INIT, with these nodes looked up, the file open as handle 1 and the root as handle 2. What is
 * outside the folder must stay as it is, and of the one in memory nothing must be left behind.
 *   clang -fsanitize=fuzzer,address,undefined -Iinclude -Isrc -Itests \
 *       tests/fuzz/virtio_fs.c librvkit.a -o fuzz-fs
 */
#include "share_rig.h"

#include "devices/virtio_fs.h"
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
        !virtio_fs_describe(&desc, "fuzz", &fz->share.server) || !vd_attach(&fz->vd, &desc, 0) ||
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

/* The reply's length. */
static uint32_t fz_send(uint32_t opcode, uint64_t node, const void *body, size_t len, uint32_t size,
                        uint32_t room)
{
    uint8_t *p = vd_ptr(&fz->vd, fz->request);
    const vd_buf_t buf[2] = {{fz->request, (uint32_t)len + 40, false}, {fz->reply, room, true}};
    unsigned queue = opcode == 2 || opcode == 36 || opcode == 42 ? 0 : 1;
    uint16_t id;
    uint32_t used = 0;
    memset(p, 0, 40);
    util_put_le32(p, size);
    util_put_le32(p + 4, opcode);
    util_put_le64(p + 8, 7);
    util_put_le64(p + 16, node);
    if (len) {
        memcpy(p + 40, body, len);
    }
    vd_add(&fz->vd, queue, buf, 2);
    vd_kick(&fz->vd, queue);
    /* A lock that waits is not answered until it is interrupted, or the session ends. */
    if (!vd_used(&fz->vd, queue, &id, &used) && opcode != 33) {
        abort();
    }
    if (used > room || vd_broken(&fz->vd)) {
        abort();
    }
    vd_ack(&fz->vd);
    return used;
}

static uint64_t fz_lookup(const char *name)
{
    uint32_t used = fz_send(1, 1, name, strlen(name) + 1, (uint32_t)strlen(name) + 41, 256);
    return used >= 24 ? util_get_le64((uint8_t *)vd_ptr(&fz->vd, fz->reply) + 16) : 0;
}

static void fz_begin(uint64_t node[4])
{
    static const uint8_t init[24] = "\7\0\0\0\37\0\0\0\0\0\2\0\377\377\377\377";
    static const uint8_t open_rw[8] = "\2";
    static const uint8_t interrupt[8] = "\7";
    uint16_t id;
    uint32_t used;
    fz_send(36, 0, interrupt, sizeof(interrupt), 48, 256);
    while (vd_used(&fz->vd, 1, &id, &used)) {
    }
    fz_send(26, 0, init, sizeof(init), 40 + sizeof(init), 256);
    node[0] = 1;
    node[1] = fz_lookup("sub");
    node[2] = fz_lookup("file");
    node[3] = fz_lookup("up");
    fz_send(14, node[2], open_rw, 8, 48, 256);
    fz_send(27, 1, "\0\0\0\0\0\0\0", 8, 48, 256);
}

/* Whoever waits for a lock is told, and the session ends. */
static void fz_end(void)
{
    static const uint8_t interrupt[8] = "\7";
    uint16_t id;
    uint32_t used;
    fz_send(36, 0, interrupt, sizeof(interrupt), 48, 256);
    while (vd_used(&fz->vd, 1, &id, &used)) {
    }
    fz_send(38, 0, NULL, 0, 40, 256);
}

static void fz_run(const uint8_t *data, size_t size)
{
    uint64_t node[4];
    bool saved = false;
    if (!fz->up) {
        fz_up();
    }
    fz_begin(node);
    for (unsigned messages = 0; size >= 4 && messages < 64; messages++) {
        size_t len = util_get_le16(data + 2) % 2048;
        bool wrong = data[0] == 0xFF;
        len = len < size - 4 ? len : size - 4;
        uint32_t told = wrong && len >= 4 ? util_get_le32(data + 4) : (uint32_t)len + 40;
        uint32_t room = wrong && len ? data[3 + len] : messages % 8 ? ROOM : 2048;
        if (data[0] == 0xFE && !saved) {
            session_load(&fz->vd, session_save(&fz->vd));
            saved = true;
        } else {
            fz_send(wrong ? data[1] : data[0] % 64, node[data[1] % 4], data + 4, len, told,
                    room + 1);
        }
        data += 4 + len;
        size -= 4 + len;
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
