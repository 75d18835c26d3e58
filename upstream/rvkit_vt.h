/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A terminal of its own as the back end of RVVM's UART, or of any device with a chardev: what the
 * guest writes goes to a VT, whose screen can be read as characters with colours, drawn as text,
 * and saved (console.h, vt.h), and to any number of people who attach to a socket.
 *
 *   chardev_t *chardev = rvkit_vt_create("ttyS0", "unix:/tmp/tty", error, sizeof(error));
 *   ns16550a_init_auto(machine, chardev);
 *   console_t *console = rvkit_vt_console(chardev);
 *   console_viewer_t *viewer = console_attach(console, &(console_viewer_desc_t){.kind =
 * CONSOLE_CELLS});
 *   ...
 *   vt_t *vt = console_lock(viewer, NULL);
 *   const vt_cell_t *row = vt_row(vt, 0);      (vt_cols(vt) cells: character, colours, flags)
 *   console_unlock(viewer);
 *   console_key(viewer, VT_KEY_F1, 0);         (types)
 *   uint8_t *state = console_save(console, &size), *text = console_draw(console, 0, &size);
 */
#ifndef RVKIT_UPSTREAM_VT_H
#define RVKIT_UPSTREAM_VT_H

#include "console.h"

/*
 * A console of 80 × 24, and the guest's end of it, for one device, which frees it: then clients get
 * the last output and are closed, and the screen is written. NULL: error (error_size bytes) says
 * why.
 *
 * name: for people who attach, at most CONSOLE_NAME_MAX bytes. options: "" or words with commas
 * between (a comma in a name is written twice): unix:PATH, tcp:HOST:PORT  clients: rvkit -attach,
 * or any program, for plain bytes stdio                     RVVM's own terminal shows it too
 *   screen=FILE               at the end the screen is written to FILE: text with SGR colours
 * Before the machine runs.
 */
chardev_t *rvkit_vt_create(const char *name, const char *options, char *error, size_t error_size);

/* The console behind a chardev of rvkit_vt_create(). Valid until the device frees that, or, for its
 * viewers, until they detach. */
console_t *rvkit_vt_console(chardev_t *chardev);

#endif
