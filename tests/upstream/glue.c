/* SPDX-License-Identifier: MPL-2.0 */
/* The glue in upstream/ on RVVM's core: its options, and disks, an overlay, an entropy device,
 * sockets behind. */
#include "blk_rig.h"

#include "socket.h"
#include "virtio_console.h"

#include <sys/socket.h>
#include <unistd.h>

bool rvkit_virtio_attach(rvvm_machine_t *machine, int argc, const char *const *argv);

enum { IMAGE_SECTORS = 256 };

/* The image has a comma in its name, which is written twice in an option. */
static char dir[] = "/tmp/rvkit-glue-XXXXXX", image[64], image_text[64], overlay[64],
            socket_path[64], screen[64];

/* What was attached last: the linker (--wrap) brings the call here. */
static rvvm_mmio_dev_t *attached;
rvvm_mmio_dev_t *__real_rvvm_attach_mmio(rvvm_machine_t *machine, const rvvm_mmio_dev_t *desc);
rvvm_mmio_dev_t *__wrap_rvvm_attach_mmio(rvvm_machine_t *machine, const rvvm_mmio_dev_t *desc);

rvvm_mmio_dev_t *__wrap_rvvm_attach_mmio(rvvm_machine_t *machine, const rvvm_mmio_dev_t *desc)
{
    attached = __real_rvvm_attach_mmio(machine, desc);
    return attached;
}

static void image_make(void)
{
    uint8_t sector[512];
    FILE *file = fopen(image, "wb");
    for (unsigned i = 0; file && i < IMAGE_SECTORS; i++) {
        memset(sector, (int)i, sizeof(sector));
        fwrite(sector, 1, sizeof(sector), file);
    }
    CHECK(file && !fclose(file));
}

static uint8_t image_byte(unsigned sector)
{
    FILE *file = fopen(image, "rb");
    int byte = file && !fseek(file, 512L * sector + 100, SEEK_SET) ? fgetc(file) : -1;
    if (file) {
        fclose(file);
    }
    return (uint8_t)byte;
}

/* The order of slots is: entropy, then the options from left to right. */
static bool slot_used(unsigned slot)
{
    return fdt_node_find_reg(rvvm_get_fdt_soc(vd.machine), "virtio_mmio",
                             VIRTIO_MMIO_DEFAULT_ADDR + VIRTIO_MMIO_SIZE * slot) != NULL;
}

static bool up(int argc, const char *const *argv)
{
    vd_machine(&vd);
    return rvkit_virtio_attach(vd.machine, argc, argv);
}

TEST(nothing_asked)
{
    static const char *const argv[] = {"rvvm", "fw.bin", "-k", "-drivex"};
    CHECK(up(4, argv));
    CHECK(slot_used(0));
    CHECK(!slot_used(1));
    vd_close(&vd);
}

TEST(options)
{
    const char *const argv[] = {"rvvm", "--drive", image_text, "-console=null", "-balloon",
                                "on",   "-net",    "none",     "-sound",        "null"};
    CHECK(up(10, argv));
    CHECK(slot_used(4));
    CHECK(!slot_used(5));
    vd_close(&vd);
}

TEST(bad_options)
{
    static const char *const bad[][2] = {
        {"-drive", "/nonexistent/image"},
        {"-drive", "/dev/null,rw"},
        {"-gpu", "0"},
        {"-gpu", "10"},
        {"-sound", "loud"},
        {"-sound", "wav:/nonexistent/file"},
        {"-share", "tag"},
        {"-share", "t=/nonexistent"},
        {"-share", "t=/tmp,xyz"},
        {"-net", "tap"},
        {"-console", "/nonexistent/pty"},
        {"-net", "user,portfwd=nonsense"},
        {"-vsock", "/nonexistent/s"},
        {"-vsock", "/tmp/rvkit-s,cid=2"},
        {"-vsock", "/tmp/rvkit-s,x"},
        {"-drive", "/dev/null,cow="},
        {"-balloon", "off"},
        {"-drive", "/dev/null,ro,cow=/x"},
        {"-console", "vt,x"},
        {"-serialvt", "x"},
    };
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        const char *const argv[] = {"rvvm", bad[i][0], bad[i][1]};
        CHECK(!up(3, argv));
        vd_close(&vd);
    }
}

static uint8_t disk_request(uint32_t type, uint64_t sector, uint32_t len)
{
    uint16_t id;
    uint32_t used;
    blk_add(type, sector, len, len ? 2 : 0);
    vd_kick(&vd, 0);
    for (unsigned i = 0; i < 5000; i++) {
        if (vd_used(&vd, 0, &id, &used)) {
            return blk_get_status();
        }
        usleep(1000);
    }
    return 0xEE;
}

static void disk_ready(void)
{
    vd.mmio = attached;
    CHECK_EQ(VIRTIO_ID_BLOCK, vd_read(&vd, VD_DEVICE_ID));
    blk_header = vd_alloc(&vd, 16);
    blk_status = vd_alloc(&vd, 16);
    blk_data = vd_alloc(&vd, 65536);
}

static void disk_up(const char *text)
{
    const char *const argv[] = {"rvvm", "-drive", text};
    image_make();
    CHECK(up(3, argv));
    disk_ready();
}

TEST(disk)
{
    disk_up(image_text);
    CHECK(vd_start(&vd, ALL_FEATURES & vd_offered(&vd)));
    CHECK_EQ(IMAGE_SECTORS, vd_read(&vd, VD_CONFIG));
    for (unsigned i = 0; i < IMAGE_SECTORS; i += 64) {
        CHECK_EQ(VIRTIO_BLK_S_OK, disk_request(VIRTIO_BLK_T_IN, i, 64 * 512));
        const uint8_t *data = vd_ptr(&vd, blk_data);
        for (unsigned k = 0; k < 64; k++) {
            CHECK_EQ((uint8_t)(i + k), data[512 * k + 7]);
        }
    }
    memset(vd_ptr(&vd, blk_data), 0xAB, 1024);
    CHECK_EQ(VIRTIO_BLK_S_OK, disk_request(VIRTIO_BLK_T_OUT, 10, 1024));
    CHECK_EQ(VIRTIO_BLK_S_OK, disk_request(VIRTIO_BLK_T_FLUSH, 0, 0));
    CHECK_EQ(0xAB, image_byte(10));
    CHECK_EQ(0xAB, image_byte(11));
    CHECK_EQ(12, image_byte(12));
    blk_put_range(0, 20, 200, 0);
    CHECK_EQ(VIRTIO_BLK_S_OK, disk_request(VIRTIO_BLK_T_WRITE_ZEROES, 0, 16));
    CHECK_EQ(19, image_byte(19));
    CHECK_EQ(0, image_byte(20));
    CHECK_EQ(0, image_byte(219));
    CHECK_EQ(220, image_byte(220));
    blk_put_range(0, 30, 8, 0);
    CHECK_EQ(VIRTIO_BLK_S_OK, disk_request(VIRTIO_BLK_T_DISCARD, 0, 16));
    CHECK_EQ(VIRTIO_BLK_S_IOERR, disk_request(VIRTIO_BLK_T_IN, IMAGE_SECTORS - 1, 1024));
    vd_close(&vd);
}

TEST(disk_read_only)
{
    char text[80];
    snprintf(text, sizeof(text), "%s,ro", image_text);
    disk_up(text);
    CHECK(vd_offered(&vd) & VIRTIO_BLK_F_RO);
    CHECK(vd_start(&vd, V1 | VIRTIO_BLK_F_RO));
    CHECK_EQ(VIRTIO_BLK_S_IOERR, disk_request(VIRTIO_BLK_T_OUT, 10, 512));
    CHECK_EQ(10, image_byte(10));
    CHECK_EQ(VIRTIO_BLK_S_OK, disk_request(VIRTIO_BLK_T_IN, 10, 512));
    vd_close(&vd);
}

/* What is written with cow= is in the overlay, also when it is opened again. */
TEST(disk_overlay)
{
    char text[160];
    snprintf(text, sizeof(text), "%s,cow=%s", image_text, overlay);
    image_make();
    for (unsigned round = 0; round < 2; round++) {
        const char *const argv[] = {"rvvm", "-drive", text};
        CHECK(up(3, argv));
        disk_ready();
        CHECK(vd_start(&vd, ALL_FEATURES & vd_offered(&vd)));
        CHECK_EQ(VIRTIO_BLK_S_OK, disk_request(VIRTIO_BLK_T_IN, 9, 3 * 512));
        const uint8_t *data = vd_ptr(&vd, blk_data);
        CHECK_EQ(9, data[0]);
        CHECK_EQ(round ? 0xCD : 10, data[512]);
        CHECK_EQ(11, data[1024]);
        memset(vd_ptr(&vd, blk_data), 0xCD, 512);
        CHECK_EQ(VIRTIO_BLK_S_OK, disk_request(VIRTIO_BLK_T_OUT, 10, 512));
        vd_close(&vd);
        CHECK_EQ(10, image_byte(10));
    }
    unlink(overlay);
}

TEST(sockets)
{
    char text[80];
    snprintf(text, sizeof(text), "%s,cid=77", socket_path);
    const char *const argv[] = {"rvvm", "-vsock", text};
    CHECK(up(3, argv));
    vd.mmio = attached;
    CHECK_EQ(VIRTIO_ID_VSOCK, vd_read(&vd, VD_DEVICE_ID));
    CHECK(vd_start(&vd, V1));
    CHECK_EQ(77, vd_read(&vd, VD_CONFIG));
    CHECK(access(socket_path, F_OK) == 0);
    vd_close(&vd);
    CHECK(access(socket_path, F_OK) != 0);
}

/* hvc0 on a VT: an attached client's size gets to the guest, and what the guest writes to the
 * screen's file. */
TEST(console_vt)
{
    static const char hello[] = "\0rvkit-attach 1 0123456789abcdef 100 40\n",
                      text[] = "\033[31mfrom the guest";
    char words[200], got[100] = "";
    snprintf(words, sizeof(words), "vt,unix:%s,screen=%s", socket_path, screen);
    const char *const argv[] = {"rvvm", "-console", words};
    uint32_t len;
    CHECK(up(3, argv));
    vd.mmio = attached;
    CHECK_EQ(VIRTIO_ID_CONSOLE, vd_read(&vd, VD_DEVICE_ID));
    CHECK(vd_start(&vd, V1 | VIRTIO_BIT(0)));
    int fd = host_socket_connect_unix(socket_path);
    CHECK(fd >= 0 && send(fd, hello, sizeof(hello) - 1, 0) == sizeof(hello) - 1);
    for (unsigned i = 0; i < 5000 && vd_read(&vd, VD_CONFIG) != (40 << 16 | 100); i++) {
        usleep(1000);
    }
    CHECK_EQ(40 << 16 | 100, vd_read(&vd, VD_CONFIG));
    const vd_buf_t buf = {vd_alloc(&vd, 64), sizeof(text) - 1, false};
    memcpy(vd_ptr(&vd, buf.addr), text, sizeof(text));
    CHECK(vd_request(&vd, 1, &buf, 1, &len));
    vd_close(&vd);
    close(fd);
    FILE *file = fopen(screen, "rb");
    CHECK(file && fread(got, 1, sizeof(got) - 1, file) > 0 && strstr(got, "31mfrom the guest"));
    if (file) {
        fclose(file);
    }
    CHECK(!unlink(screen));
}

TEST(serial_vt)
{
    char words[80];
    snprintf(words, sizeof(words), "unix:%s", socket_path);
    const char *const argv[] = {"rvvm", "-serialvt", words};
    CHECK(up(3, argv));
    CHECK(fdt_node_find_reg(rvvm_get_fdt_soc(vd.machine), "uart", 0x10000000) != NULL);
    CHECK(access(socket_path, F_OK) == 0);
    vd_close(&vd);
    CHECK(access(socket_path, F_OK) != 0);
}

/* Requests are out when the machine goes. */
TEST(disk_ends_busy)
{
    for (unsigned round = 0; round < 20; round++) {
        disk_up(image_text);
        CHECK(vd_start(&vd, V1));
        for (unsigned i = 0; i < 8; i++) {
            blk_add(VIRTIO_BLK_T_IN, 0, 65536, 4);
        }
        vd_kick(&vd, 0);
        if (round % 2) {
            vd_write(&vd, VD_STATUS, 0);
        }
        vd_close(&vd);
    }
}

TEST(entropy)
{
    static const char *const argv[] = {"rvvm"};
    uint8_t zeros[256] = {0};
    uint32_t len = 0;
    CHECK(up(1, argv));
    vd.mmio = attached;
    CHECK_EQ(VIRTIO_ID_ENTROPY, vd_read(&vd, VD_DEVICE_ID));
    CHECK(vd_start(&vd, V1));
    const vd_buf_t buf = {vd_alloc(&vd, 256), 256, true};
    CHECK(vd_request(&vd, 0, &buf, 1, &len));
    CHECK_EQ(256, len);
    CHECK(memcmp(vd_ptr(&vd, buf.addr), zeros, 256) != 0);
    vd_close(&vd);
}

int main(void)
{
    if (!mkdtemp(dir)) {
        printf("Bail out! no folder\n");
        return 1;
    }
    snprintf(image, sizeof(image), "%s/a,b.img", dir);
    snprintf(image_text, sizeof(image_text), "%s/a,,b.img", dir);
    snprintf(overlay, sizeof(overlay), "%s/overlay", dir);
    snprintf(socket_path, sizeof(socket_path), "%s/vsock", dir);
    snprintf(screen, sizeof(screen), "%s/screen", dir);
    image_make();
    PROVE(nothing_asked, "without options there is an entropy device alone");
    PROVE(options, "options attach devices from left to right, in every spelling of RVVM");
    PROVE(bad_options, "wrong options are refused");
    PROVE(disk, "a disk reads, writes, flushes, discards, writes zeros");
    PROVE(disk_read_only, "a read-only disk is not written to");
    PROVE(disk_overlay, "with cow= what is written is in the overlay alone");
    PROVE(sockets, "a socket device listens on the host while its machine lives");
    PROVE(console_vt,
          "a console's VT has clients, who give it its size, and its screen ends in a file");
    PROVE(serial_vt, "the UART is on a VT");
    PROVE(disk_ends_busy, "requests may be out when the device is reset or the machine is freed");
    PROVE(entropy, "the entropy device fills buffers");
    unlink(image);
    rmdir(dir);
    return rig_finish("RVVM's glue");
}
