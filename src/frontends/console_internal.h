/* SPDX-License-Identifier: MPL-2.0 */
/* What the files of the console share. Everything in a console is guarded by its lock. */
#ifndef RVKIT_FRONTENDS_CONSOLE_INTERNAL_H
#define RVKIT_FRONTENDS_CONSOLE_INTERNAL_H

#include "console.h"

#include "../host/thread.h"
#include "../ring.h"

/* The output buffer, a power of two: a late viewer of bytes starts CONSOLE_BUFFER behind, and has
 * as much left. */
#define CONSOLE_CAPACITY (2 * CONSOLE_BUFFER)

/* Keys and pastes of windows, which cannot be told to wait, and answers of the VT, which can be
 * dropped. */
#define CONSOLE_KEYS_MAX ((size_t)64 << 20)
#define CONSOLE_ANSWERS_MAX ((size_t)4 << 10)

/* Bytes of an unfinished control sequence that terminals do not get yet: it may be a question. */
#define CONSOLE_HELD_MAX 4096

/* Output [from, to) is a question that the VT has answered. */
typedef struct {
    uint64_t from, to;
} console_hole_t;

struct console_viewer {
    console_t *console;
    console_viewer_t *next;
    console_viewer_desc_t desc;
    uint64_t at; /* the first byte of output that it has not taken */
    char *repaint;
    size_t repaint_size, repaint_at;
    bool shown;
    bool stale;   /* terminals: to be repainted first */
    bool hungry;  /* had no bytes (or cells) left: CONSOLE_OUTPUT is to be told */
    bool refused; /* not all its input was taken: CONSOLE_ROOM is to be told */
    bool gone;
    unsigned bits;    /* to be told */
    unsigned calling; /* callbacks that run */
    bool dirty[VT_MAX_ROWS];
};

struct console {
    chardev_t dev;
    host_mutex_t *lock;
    host_event_t *moved; /* patient: somebody took output */
    unsigned references;
    char name[CONSOLE_NAME_MAX + 1];
    bool channel, patient;
    console_viewer_t *viewers;

    /* The port. */
    bool taken, closed;
    unsigned notifying; /* calls of the device that run: notify, resized, counted */
    uint32_t flags;     /* CHARDEV_* to be told */
    bool port_full;     /* the device was told that there is no room */

    /* Output: byte i of the stream is at i % CONSOLE_CAPACITY; [oldest, head) is kept. */
    uint8_t *out;
    uint64_t head;
    uint64_t had; /* channels: a viewer has had the output up to here */
    ring_t in;
    uint64_t in_total;

    vt_t *vt;
    uint64_t vt_base; /* offset in the stream of the VT's byte 0 */
    bool keying;      /* what the VT replies now was typed by a person */
    console_hole_t *holes;
    size_t hole_count, hole_capacity;
    char *clipboard;
    size_t clipboard_size;
    char clipboard_which;

    uint16_t cols, rows, told_cols, told_rows;
    bool sized; /* a viewer has said a size */
    bool telling_size;
    void (*resized)(void *opaque, uint16_t cols, uint16_t rows);
    void *resized_opaque;
    void (*counted)(void *opaque, unsigned screens);
    void *counted_opaque;
};

void console_acquire(console_t *c);
/* Releases the lock and tells the device and the viewers what has come up; takes it again. */
void console_tell(console_t *c);
static inline void console_leave(console_t *c)
{
    console_tell(c);
    host_mutex_unlock(c->lock);
}

/* Tells the device how many screens there are. The lock is held but for the call. */
void console_tell_viewers(console_t *c);
unsigned console_screens(const console_t *c);

/* Every viewer but `except` (NULL: all) is to hear of these. */
void console_mark(console_t *c, unsigned bits, const console_viewer_t *except);

/* How many bytes of output can be taken in before a viewer that waits loses some. */
size_t console_room(const console_t *c);

/* The output ends here for terminals: questions that are not complete are held back. */
uint64_t console_safe(const console_t *c);
static inline uint64_t console_oldest(const console_t *c)
{
    return c->head > CONSOLE_CAPACITY ? c->head - CONSOLE_CAPACITY : 0;
}

/* After output was taken, or a viewer went: the device may go on. */
void console_freed_room(console_t *c);

/* Marks all terminals for a repaint. */
void console_spoil(console_t *c);

bool console_queue_input(console_t *c, const void *data, size_t size, size_t limit);

/* Callbacks of the VT. */
vt_callbacks_t console_vt_callbacks(console_t *c);

#endif
