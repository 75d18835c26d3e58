/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Native rvkit's disks, for tests of what JavaScript has written:
 *
 *   disk_tool SPEC read                      the whole disk, to standard output
 *   disk_tool SPEC write OFFSET LENGTH BYTE  and flush
 *   disk_tool SPEC discard OFFSET LENGTH     and flush
 */
#include "host/disk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int dump(disk_t *disk)
{
    uint8_t bytes[512];
    const disk_span_t span = {bytes, sizeof(bytes)};
    int err = 0;
    for (uint64_t at = 0; at < disk_size(disk) && !err; at += sizeof(bytes)) {
        err = disk_read(disk, at, &span, 1);
        err = err || fwrite(bytes, sizeof(bytes), 1, stdout) != 1;
    }
    return err || fflush(stdout) != 0;
}

static int write_bytes(disk_t *disk, uint64_t offset, size_t len, int byte)
{
    uint8_t *bytes = malloc(len);
    const disk_span_t span = {bytes, len};
    if (!bytes) {
        return 1;
    }
    memset(bytes, byte, len);
    int err = disk_write(disk, offset, &span, 1);
    free(bytes);
    return err ? err : disk_flush(disk);
}

int main(int argc, char **argv)
{
    char error[400];
    disk_t *disk = argc > 2 ? disk_open_spec(argv[1], error, sizeof(error)) : NULL;
    int err = 2;
    if (argc <= 2) {
        snprintf(error, sizeof(error), "usage: disk_tool SPEC read|write|discard [OFFSET LENGTH [BYTE]]");
    }
    if (!disk) {
        fprintf(stderr, "%s\n", error);
        return 2;
    }
    if (argc == 3 && !strcmp(argv[2], "read")) {
        err = dump(disk);
    } else if (argc == 6 && !strcmp(argv[2], "write")) {
        err = write_bytes(disk, strtoull(argv[3], NULL, 0), strtoul(argv[4], NULL, 0), atoi(argv[5]));
    } else if (argc == 5 && !strcmp(argv[2], "discard")) {
        err = disk_discard(disk, strtoull(argv[3], NULL, 0), strtoull(argv[4], NULL, 0));
        err = err ? err : disk_flush(disk);
    }
    disk_close(disk);
    return err;
}
