/* SPDX-License-Identifier: MPL-2.0 */
/* A file behind a virtio-blk device of a machine: what a driver does to it, and what the board counts. */
#include "drives.h"

#include "board.h"
#include "device/virtio_driver.h"
#include "devices/virtio_blk.h"
#include "machine.h"
#include "util.h"

#include <stdlib.h>
#include <unistd.h>

static vd_t vd;

/* One request of `sectors` from `sector` on; the status byte. */
static uint8_t request(uint32_t type, uint64_t sector, uint32_t sectors, uint64_t data)
{
    uint64_t header = vd_alloc(&vd, 16), status = vd_alloc(&vd, 16);
    util_put_le32(vd_ptr(&vd, header), type);
    util_put_le64((uint8_t *)vd_ptr(&vd, header) + 8, sector);
    *(uint8_t *)vd_ptr(&vd, status) = 0xff;
    vd_buf_t buf[3] = {{header, 16, false}};
    unsigned count = 1;
    if (sectors) {
        buf[count++] = (vd_buf_t){data, sectors * 512, type == VIRTIO_BLK_T_IN};
    }
    buf[count++] = (vd_buf_t){status, 1, true};
    uint32_t len;
    CHECK(vd_request(&vd, 0, buf, count, &len));
    return *(uint8_t *)vd_ptr(&vd, status);
}

static void open_drive(const char *path, const char *cow, bool read_only)
{
    char why[200];
    memset(&vd, 0, sizeof(vd));
    vd_machine(&vd);
    disk_t *disk = disk_open(&(disk_desc_t){.path = path, .cow = cow, .read_only = read_only}, why, sizeof(why));
    CHECK(disk && drives_attach(vd.machine, disk, 1, 0));
    vd.mmio = &mmio_last(&vd.machine->mmio)->mmio;
    CHECK(vd_start(&vd, VIRTIO_F_VERSION_1 | VIRTIO_BLK_F_FLUSH));
}

TEST(counts)
{
    char path[] = "/tmp/rvkit-drive-XXXXXX";
    int fd = mkstemp(path);
    CHECK(fd >= 0 && ftruncate(fd, 1 << 20) == 0);
    board_drive_t d;
    open_drive(path, NULL, false);
    uint64_t data = vd_alloc(&vd, 8192);
    CHECK(board_get_drive(vd.machine, 0, &d) && !board_get_drive(vd.machine, 1, &d));
    CHECK(!strcmp(d.path, path) && !*d.overlay && d.size == 1 << 20 && !d.read_only);
    CHECK(!d.reads && !d.writes && !d.flushes && !d.discards && !d.errors && !d.bytes_read && !d.bytes_written);
    memset(vd_ptr(&vd, data), 0x5a, 8192);
    CHECK_EQ(VIRTIO_BLK_S_OK, request(VIRTIO_BLK_T_OUT, 8, 16, data));
    CHECK_EQ(VIRTIO_BLK_S_OK, request(VIRTIO_BLK_T_FLUSH, 0, 0, 0));
    CHECK_EQ(VIRTIO_BLK_S_OK, request(VIRTIO_BLK_T_IN, 0, 4, data));
    CHECK_EQ(VIRTIO_BLK_S_OK, request(VIRTIO_BLK_T_IN, 10, 2, data));
    CHECK_EQ(0x5a, *(uint8_t *)vd_ptr(&vd, data));
    CHECK(board_get_drive(vd.machine, 0, &d));
    CHECK(d.reads == 2 && d.bytes_read == 6 * 512 && d.writes == 1 && d.bytes_written == 16 * 512);
    CHECK(d.flushes == 1 && !d.discards && !d.errors);
    /* The file is cut short: the guest sees an error, and it is counted. */
    CHECK(ftruncate(fd, 4096) == 0);
    CHECK_EQ(VIRTIO_BLK_S_IOERR, request(VIRTIO_BLK_T_IN, 100, 1, data));
    CHECK(board_get_drive(vd.machine, 0, &d) && d.errors == 1 && d.reads == 3 && d.bytes_read == 6 * 512);
    vd_close(&vd);
    close(fd);
    unlink(path);
}

TEST(overlays_and_removal)
{
    char path[] = "/tmp/rvkit-drive-XXXXXX", cow[64];
    int fd = mkstemp(path);
    CHECK(fd >= 0 && ftruncate(fd, 1 << 20) == 0);
    close(fd);
    snprintf(cow, sizeof(cow), "%s.cow", path);
    board_drive_t d;
    open_drive(path, cow, false);
    CHECK(board_get_drive(vd.machine, 0, &d) && !strcmp(d.overlay, cow) && !strcmp(d.path, path));
    rvvm_remove_mmio(vd.mmio);
    CHECK(!board_get_drive(vd.machine, 0, &d));
    vd_close(&vd);
    open_drive(path, NULL, true);
    CHECK(board_get_drive(vd.machine, 0, &d) && d.read_only);
    vd_close(&vd);
    unlink(cow);
    unlink(path);
}

int main(void)
{
    RUN(counts);
    RUN(overlays_and_removal);
    return tap_finish();
}
