/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A console: a named stream of bytes between one port of a guest (a UART, a virtio-console port,
 * the monitor) and any number of viewers at once: terminals, windows, sockets, logs, tests. It owns
 * a terminal (vt.h), so that a viewer that comes late, a screenshot, a snapshot and a test see the
 * same screen.
 *
 *   guest's device <-- chardev --> console <-- viewers: bytes out, bytes in, size, title, bell,
 * clipboard
 *
 * Output. The newest bytes lie in one buffer of fixed size, and each viewer has its place in it.
 * Nothing is dropped for a viewer that waits (console_viewer_desc_t.wait): when it falls a whole
 * buffer behind, the guest's port takes no more until it catches up. One that does not wait never
 * holds the guest up: when it falls that far behind it is brought to the present screen by a
 * repaint, and goes on from there.
 *
 * Input. Viewers type into one queue, which the guest reads at its own pace; when it is full
 * console_type() takes less, and says so. The queue keeps the order in which bytes were typed.
 *
 * One voice. Programs ask terminals questions (device attributes, cursor position, colours …).
 * While a viewer that is a screen is attached, the console's VT answers them, and they are left out
 * of what terminals get, so that no two terminals answer one question. Viewers of bytes get
 * everything, and nobody answers for them.
 *
 * Threads: any, except where it says so. Callbacks come from whatever thread caused them, with no
 * lock held, so they may call back; they must not detach their own viewer.
 */
#ifndef RVKIT_FRONTENDS_CONSOLE_H
#define RVKIT_FRONTENDS_CONSOLE_H

#include "vt.h"

#include <rvvm/chardev.h>

#define CONSOLE_NAME_MAX 63
#define CONSOLE_COLS 80
#define CONSOLE_ROWS 24

/* Output kept for viewers, and input that waits for the guest before viewers must: bytes. */
#define CONSOLE_BUFFER ((size_t)64 << 10)

typedef struct console console_t;
typedef struct console_viewer console_viewer_t;

typedef struct {
    const char *name; /* at most CONSOLE_NAME_MAX bytes, copied: "ttyS0", "hvc0" */
    bool channel;     /* bytes for programs: no VT, and viewers of bytes only */

    /*
     * The guest does not see how fast viewers are: writing waits for them (deterministic runs).
     * Viewers must then take from other threads than the guest's, or at once when they are told.
     */
    bool patient;

    /* The screen has another size; one call at a time. May be NULL. */
    void (*resized)(void *opaque, uint16_t cols, uint16_t rows);
    void *opaque;
} console_desc_t;

/* A console of CONSOLE_COLS × CONSOLE_ROWS. NULL without memory. It is freed when its creator, its
 * port and all viewers have let go of it. */
console_t *console_create(const console_desc_t *desc);
void console_release(console_t *console);

/*
 * The guest's side, for one device, which frees it by chardev_free(): the port is closed then. NULL
 * when it was taken already.
 */
chardev_t *console_port(console_t *console);

/* Where the device behind the port hears of a new size, when that is known only after
 * console_create(). Before the machine runs. */
void console_on_resize(console_t *console,
                       void (*resized)(void *opaque, uint16_t cols, uint16_t rows), void *opaque);

/* Tells the device behind the port, now and whenever one comes or goes, how many viewers are
 * screens. As above. */
void console_on_viewers(console_t *console, void (*counted)(void *opaque, unsigned screens),
                        void *opaque);

/* How much has gone through, and who looks. */
typedef struct {
    const char *name; /* as long as the console */
    uint16_t cols, rows;
    uint64_t output, input;    /* bytes since it was made */
    unsigned viewers, screens; /* all, and those that are screens */
    bool channel;
    bool closed; /* the guest's side has gone */
} console_info_t;

void console_info(console_t *console, console_info_t *info);

/* --- Viewers --- */

typedef enum {
    /* Every byte as the guest wrote it: at first up to CONSOLE_BUFFER of the newest; of a channel,
     * those that nobody has had yet. */
    CONSOLE_BYTES,
    CONSOLE_TERMINAL, /* for a terminal: first what draws the present screen, then bytes without
                         questions */
    CONSOLE_CELLS,    /* no bytes: looks at the cells through console_lock() */
} console_kind_t;

/* What a viewer is told. */
enum {
    CONSOLE_OUTPUT = 0x01,    /* there are bytes to take, or cells have changed */
    CONSOLE_ROOM = 0x02,      /* input is taken again */
    CONSOLE_RESIZED = 0x04,   /* somebody else changed the size */
    CONSOLE_TITLE = 0x08,     /* console_title() is another one */
    CONSOLE_BELL = 0x10,      /* the bell rang */
    CONSOLE_CLIPBOARD = 0x20, /* the guest set the clipboard: console_clipboard() */
    CONSOLE_ASKED =
        0x40, /* the guest asks for it: console_answer_clipboard(), if the person allows it */
    CONSOLE_CLOSED = 0x80, /* the guest's side has gone; what is left can still be taken */
};

typedef struct {
    console_kind_t kind;
    bool wait; /* the guest waits for it, rather than it being repainted (terminals) or missing
                  bytes */

    /* CONSOLE_* bits. */
    void (*told)(void *opaque, unsigned bits);

    /* From the event loop, about every 16 ms, like a chardev's; may be NULL. */
    void (*update)(void *opaque);
    void *opaque;
} console_viewer_desc_t;

/*
 * NULL without memory, or for a kind that a channel does not have. Calls of told may come before
 * this returns.
 */
console_viewer_t *console_attach(console_t *console, const console_viewer_desc_t *desc);

/* No callback runs any more when this returns. Not from within a callback of this viewer. */
void console_detach(console_viewer_t *viewer);

/*
 * Moves at most size bytes of output. When fewer come there are no more now, and CONSOLE_OUTPUT
 * will be told. A terminal's bytes may end before a control sequence that the guest has not
 * finished.
 */
size_t console_take(console_viewer_t *viewer, void *data, size_t size);

/* Bytes that this viewer has still to take, repaint included. */
size_t console_pending(console_viewer_t *viewer);

/* Types bytes; returns how many were taken, and after fewer than size CONSOLE_ROOM comes. */
size_t console_type(console_viewer_t *viewer, const void *data, size_t size);

/* A terminal that is turned to something else (false) gets no bytes and holds nobody up; shown
 * again, it starts with the present screen. Viewers are shown at first. */
void console_show(console_viewer_t *viewer, bool shown);

/* The viewer's window has this size: the screen takes it, the guest and other viewers are told. */
void console_resize(console_viewer_t *viewer, uint16_t cols, uint16_t rows);

/* --- Viewers of cells: input as keys, the way the guest's modes ask for it (vt.h) --- */

void console_key(console_viewer_t *viewer, uint32_t key, unsigned mods);

/* All of it, or (false) nothing: too much waits for the guest, or there is no memory. */
bool console_paste(console_viewer_t *viewer, const char *text, size_t size);
void console_focus(console_viewer_t *viewer, bool in);
bool console_mouse(console_viewer_t *viewer, vt_mouse_action_t action, unsigned button,
                   unsigned col, unsigned row, unsigned x, unsigned y, unsigned mods);
void console_answer_clipboard(console_viewer_t *viewer, char which, const char *base64,
                              size_t size);

/*
 * The screen, to look at, until console_unlock(); nothing else of the console may be called in
 * between, and the guest waits, so be short. dirty (VT_MAX_ROWS entries, may be NULL) gets the rows
 * that changed since this viewer's last look. Do not call vt_write, vt_resize, vt_clean or the
 * input calls.
 */
vt_t *console_lock(console_viewer_t *viewer, bool *dirty);
void console_unlock(console_viewer_t *viewer);

/* --- Anyone --- */

/* What a terminal that shows this console has switched on by now. */
typedef struct {
    bool alternate; /* it shows the alternate screen */
    bool plain;     /* nothing else is on that a shell would not expect */
} console_modes_t;

void console_modes(console_t *console, console_modes_t *modes);

/* Copies the title, cut to size - 1 bytes; returns its length. */
size_t console_title(console_t *console, char *title, size_t size);

/* What the guest last put on the clipboard, base64, and which one (OSC 52's letter); the caller
 * frees it. NULL: nothing yet, or no memory. */
char *console_clipboard(console_t *console, char *which, size_t *size);

/* As vt_hash(). 0 for a channel. */
uint64_t console_hash(console_t *console);

/* The screen, and up to `above` lines of scrollback, as text with colours (vt_draw). The caller
 * frees it; NULL for a channel or without memory. */
char *console_draw(console_t *console, unsigned above, size_t *size);

/*
 * The console's state (screen, scrollback, modes, input that waits) to and from bytes. save: the
 * caller frees them; NULL without memory. load: false, and nothing changed, when they are no state
 * of a console of this sort. Terminals are repainted.
 */
uint8_t *console_save(console_t *console, size_t *size);
bool console_load(console_t *console, const uint8_t *bytes, size_t size);

#endif
