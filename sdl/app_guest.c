/* SPDX-License-Identifier: MPL-2.0 */
#include "app_guest.h"

#include "../src/board.h"
#include "../src/frontends/sharing.h"

#include <stdio.h>

static void guest_quit(void *opaque)
{
    app_quit(opaque);
}

static void guest_reset(void *opaque)
{
    app_reset(opaque);
}

static bool guest_pause(void *opaque, bool paused)
{
    return app_pause(opaque, paused);
}

static bool guest_is_paused(void *opaque)
{
    return app_is_paused(opaque);
}

static bool guest_counts(void *opaque, window_counts_t *counts)
{
    rvvm_machine_t *machine = app_machine(opaque);
    board_drive_t drive;
    board_net_t card;
    if (!machine) {
        return false;
    }
    *counts = (window_counts_t){.retired = rvkit_retired(machine)};
    for (size_t i = 0; board_get_drive(machine, i, &drive); i++) {
        counts->disk += drive.bytes_read + drive.bytes_written;
    }
    for (size_t i = 0; board_get_net(machine, i, &card); i++) {
        counts->net += card.rx_bytes + card.tx_bytes;
    }
    return true;
}

/* The first shared folder that can be written. */
static bool guest_folder(void *opaque, char *dir, size_t dir_size, char *tag, size_t tag_size)
{
    const options_t *o = app_options(opaque);
    sharing_t sharing;
    char why[200];
    for (size_t i = 0; i < o->share_count; i++) {
        if (sharing_parse(o->share[i], &sharing, why, sizeof(why)) && !sharing.read_only) {
            int n = snprintf(dir, dir_size, "%s", sharing.dir);
            snprintf(tag, tag_size, "%s", sharing.tag);
            return n >= 0 && (size_t)n < dir_size;
        }
    }
    return false;
}

window_guest_t app_guest(app_t *app)
{
    return (window_guest_t){
        .opaque = app,
        .quit = guest_quit,
        .reset = guest_reset,
        .pause = guest_pause,
        .is_paused = guest_is_paused,
        .counts = guest_counts,
        .folder = guest_folder,
    };
}
