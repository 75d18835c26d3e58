/* SPDX-License-Identifier: MPL-2.0 */
#include "drives.h"

#include "board.h"
#include "drive.h"
#include "log.h"
#include "machine.h"
#include "slot.h"

#include <stdlib.h>

/* One of machine->drives, in order of attaching; under the process mutex. */
struct machine_drive {
    struct machine_drive *next;
    rvvm_machine_t *machine;
    const drive_t *drive; /* NULL: not attached yet */
};

/* With `there` it is the last of the machine's; otherwise it is none of them. */
static void drives_list(struct machine_drive *d, bool there)
{
    eventloop_lock();
    struct machine_drive **link = &d->machine->drives;
    while (*link && *link != d) {
        link = &(*link)->next;
    }
    if (there) {
        *link = d;
    } else if (*link) {
        *link = d->next;
    }
    eventloop_unlock();
}

static void drives_on_gone(void *opaque, drive_t *drive)
{
    (void)drive;
    drives_list(opaque, false);
    free(opaque);
}

bool drives_attach(rvvm_machine_t *machine, disk_t *disk, unsigned queues, unsigned threads)
{
    struct machine_drive *d = calloc(1, sizeof(*d));
    virtio_desc_t desc;
    if (!d) {
        rvvm_error("drive %s: out of memory", disk_name(disk));
        disk_close(disk);
        return false;
    }
    *d = (struct machine_drive){.machine = machine};
    const drive_desc_t what = {
        .disk = disk, .queues = queues, .threads = threads, .gone = drives_on_gone, .opaque = d};
    const drive_t *drive = drive_describe(&desc, &what);
    if (!drive) {
        return false;
    }
    d->drive = drive;
    drives_list(d, true);
    if (!slot_attach(machine, &desc)) {
        rvvm_error("a drive cannot be attached");
        return false;
    }
    return true;
}

bool board_get_drive(rvvm_machine_t *machine, size_t index, board_drive_t *info)
{
    eventloop_lock();
    const struct machine_drive *d = machine->drives;
    while (d && index--) {
        d = d->next;
    }
    if (d) {
        const disk_t *disk = drive_disk(d->drive);
        const char *overlay = disk_overlay(disk);
        drive_stats_t stats;
        drive_get_stats(d->drive, &stats);
        *info = (board_drive_t){
            .size = disk_size(disk),
            .read_only = disk_read_only(disk),
            .reads = stats.reads,
            .writes = stats.writes,
            .flushes = stats.flushes,
            .discards = stats.discards,
            .bytes_read = stats.bytes_read,
            .bytes_written = stats.bytes_written,
            .errors = stats.errors,
        };
        snprintf(info->path, sizeof(info->path), "%s", disk_path(disk));
        snprintf(info->overlay, sizeof(info->overlay), "%s", overlay ? overlay : "");
    }
    eventloop_unlock();
    return d != NULL;
}
