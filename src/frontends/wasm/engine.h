/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The machine as a WebAssembly module: what a page's worker or Node calls (exports), and what it is
 * asked (imports). JavaScript on the other side: web/engine/rvkit.js and web/src/engine.js.
 *
 *   engine = rvkit_new(128 << 20, 1, 0);
 *   console = rvkit_add_console(engine, name, 0);            ttyS0
 *   rvkit_add_drive(engine, size, 0, serial);                /dev/vda, answered by
 * rvkit_host_drive() rvkit_build(engine); rvkit_load(engine, ENGINE_KERNEL, malloc()ed bytes,
 * size); rvkit_start(engine); for (;;) { status = rvkit_slice(engine, 8.0); … wait for
 * rvkit_idle_ms(engine) when it is idle … } rvkit_free(engine);
 *
 * Nothing blocks, nothing is called back but the imports, and those return at once. Calls are not
 * reentrant: an import may call only what says so. Numbers that can be large are doubles. Texts
 * end with NUL; they are copied. Functions that give a bool say in the log (standard error, one
 * line) why it is false. All memory is the module's: bytes are put into what malloc() gave.
 */
#ifndef RVKIT_FRONTENDS_WASM_ENGINE_H
#define RVKIT_FRONTENDS_WASM_ENGINE_H

#include "../console.h"
#include "../display.h"
#include "../input.h"

#include "../../board.h"

#define ENGINE_CONSOLES_MAX (BOARD_SERIAL_MAX + BOARD_CONSOLES_MAX)
#define ENGINE_VIEWERS_MAX 32
#define ENGINE_DISPLAYS_MAX 4

/* A function that JavaScript sees as _NAME. */
#define ENGINE_EXPORT __attribute__((used, visibility("default")))

/* A function that JavaScript provides as rvkit.NAME; elsewhere (tests) whoever links the engine. */
#ifdef __wasm__
#define ENGINE_IMPORT(name) extern __attribute__((import_module("rvkit"), import_name(#name)))
#else
#define ENGINE_IMPORT(name) extern
#endif

typedef struct engine engine_t;

/* For rvkit_new(): the VirtIO choices, BOARD_VIRTIO_*, and: */
enum { ENGINE_ICOUNT = 0x100 };

/* A machine that is still to be built. mem in bytes; harts 1 to HART_MAX. NULL: no memory. */
engine_t *rvkit_new(double mem, uint32_t harts, uint32_t flags);

/* Frees everything; answers to rvkit_host_drive() that come later are ignored. */
void rvkit_free(engine_t *engine);

/* --- Parts, before rvkit_build(): each gives its number from 0 on, or -1 --- */

/* kind 0: a UART (ttyS0 …), 1: a virtio-console (hvc0 …). Consoles are numbered together. */
int rvkit_add_console(engine_t *engine, const char *name, int kind);

/* A virtio-blk disk. size: bytes, a multiple of 512. */
enum { ENGINE_DRIVE_READ_ONLY = 1, ENGINE_DRIVE_CAN_DISCARD = 2 };
int rvkit_add_drive(engine_t *engine, double size, uint32_t flags, const char *serial);

/* A virtio-net card. mac: 6 bytes, NULL: the default. The cable is unplugged until
 * rvkit_net_link(). */
int rvkit_add_net(engine_t *engine, const uint8_t *mac);

/* A folder in memory (src/host/share_memory.h): virtio-9p, with fs virtio-fs. limit: bytes of all
 * files. tag: up to 31 letters, digits, '.', '_', '-'. */
int rvkit_add_share(engine_t *engine, const char *tag, int fs, double limit);

/* kind 0: a scanout of a virtio-gpu; 1: the simple frame buffer, one at most. Pixels. */
int rvkit_add_display(engine_t *engine, int kind, uint32_t width, uint32_t height);

/* kinds: a mask of INPUT_KEYBOARD, …; a virtio-input device for each. All hear the same source. */
int rvkit_add_input(engine_t *engine, uint32_t kinds);

/* A virtio-snd with one playback and one capture. */
int rvkit_add_sound(engine_t *engine);

/* True: the machine is there. Once. */
bool rvkit_build(engine_t *engine);

/* --- Files, between rvkit_build() and rvkit_start() --- */

enum { ENGINE_FIRMWARE, ENGINE_KERNEL, ENGINE_INITRD, ENGINE_DTB };

/* The bytes, from malloc(), go over to the machine, also when this fails. name: for messages. */
bool rvkit_load(engine_t *engine, int what, uint8_t *bytes, size_t size, const char *name);

/* The command line: NULL for what native rvkit would take; append (may be NULL) is added. */
bool rvkit_cmdline(engine_t *engine, const char *cmdline, const char *append);

/* The device tree as the guest would get it: bytes for free(), their number in *size. NULL: said.
 */
uint8_t *rvkit_dtb(engine_t *engine, size_t *size);

/* --- Running --- */

bool rvkit_start(engine_t *engine);
bool rvkit_pause(engine_t *engine);
void rvkit_reset(engine_t *engine);    /* the machine runs afterwards */
void rvkit_poweroff(engine_t *engine); /* at once, like a plug that is pulled */

/* Runs for about so many milliseconds. 0: there is more to do; 1: idle; 2: paused; 3: off. */
enum { ENGINE_BUSY, ENGINE_IDLE, ENGINE_PAUSED, ENGINE_OFF };
int rvkit_slice(engine_t *engine, double ms);

/* After ENGINE_IDLE: milliseconds until the next slice, when no input comes before. */
double rvkit_idle_ms(engine_t *engine);

double rvkit_retired_insns(engine_t *engine); /* by all harts */
double rvkit_guest_ms(engine_t *engine);      /* mtime */
double rvkit_lag_ms(engine_t *engine); /* how far mtime is behind the host's clock, to be made up */

/* What the guest's test program said (HTIF), 0 … 255; -1: nothing. */
int rvkit_exit_status(engine_t *engine);

/* --- Consoles: see ../console.h --- */

/* A viewer, by its number; kind as console_kind_t. wait: the guest waits for it. -1: none is left.
 * rvkit_host_console() tells it. */
int rvkit_console_attach(engine_t *engine, int console, int kind, int wait);
void rvkit_console_detach(engine_t *engine, int viewer);
size_t rvkit_console_take(engine_t *engine, int viewer, void *data, size_t size);
size_t rvkit_console_pending(engine_t *engine, int viewer);
size_t rvkit_console_type(engine_t *engine, int viewer, const void *data, size_t size);
void rvkit_console_resize(engine_t *engine, int viewer, uint32_t cols, uint32_t rows);
void rvkit_console_show(engine_t *engine, int viewer, int shown);
/* Into data (size bytes, NUL included); returns the length. */
size_t rvkit_console_title(engine_t *engine, int viewer, char *data, size_t size);
/* Columns << 16 | rows. */
uint32_t rvkit_console_size(engine_t *engine, int console);
/* The clipboard the guest set: base64 for free(), NULL: none. which: one char. */
char *rvkit_console_clipboard(engine_t *engine, int viewer, char *which);
void rvkit_console_answer(engine_t *engine, int viewer, int which, const char *base64, size_t size);
/* The screen as text with colours, for free(). */
char *rvkit_console_draw(engine_t *engine, int console, uint32_t above, size_t *size);

/* --- Drives --- */

/* The buffer of a request that is out: bytes to be stored (ENGINE_WRITE) or filled (ENGINE_READ).
 * NULL: it is forgotten. Also from within rvkit_host_drive(). */
uint8_t *rvkit_drive_buffer(engine_t *engine, uint32_t token);

/* Answers a request; once. Also from within rvkit_host_drive(). */
void rvkit_drive_done(engine_t *engine, uint32_t token, int ok);

/* Requests and bytes so far, into six doubles: reads, writes, flushes, errors, bytes read, written.
 */
void rvkit_drive_stats(engine_t *engine, int drive, double *out);

/* --- Networks --- */

void rvkit_net_link(engine_t *engine, int net, int up);
/* A frame for the guest; false: there is no room now. */
bool rvkit_net_feed(engine_t *engine, int net, const void *frame, size_t size);
/* Into five doubles: frames and bytes to the guest, frames and bytes from it, frames dropped. */
void rvkit_net_stats(engine_t *engine, int net, double *out);

/* --- Shares: the files of a folder in memory; see ../../host/share_memory.h --- */

/*
 * Paths are "a/b", UTF-8, "" for the folder itself; links are not followed. Results are 0 or a
 * count, or an error: the negative of a number FS_E… of ../../devices/file_server.h, which are
 * Linux's (for a wrong share: ENODEV). Between rvkit_add_share() and rvkit_free(), also when the
 * guest is off. mode: permissions, 07777 at most; where a mode is given out, with the type (FS_S_IF*).
 * Times are milliseconds since 1970.
 */

/* Grows with each change of a file or name, by the guest or by a call here. */
double rvkit_share_serial(engine_t *engine, int share);

/* Into three doubles: the limit, what is taken of it (bytes), how many files there are. */
int rvkit_share_space(engine_t *engine, int share, double *out);

/* Into six doubles: mode, size, mtime, links, inode number, bytes that are held. */
int rvkit_share_stat(engine_t *engine, int share, const char *path, double *out);

/*
 * The entries of a folder, for free(); *size: their bytes. NULL: *size is the error. Each entry
 * begins at a multiple of 8, little-endian: size and mtime (doubles), mode and the length of the
 * name (uint32), the name (no NUL; bytes that a guest chose, UTF-8 as a rule).
 */
uint8_t *rvkit_share_list(engine_t *engine, int share, const char *path, int32_t *size);

/* How many bytes there were, up to size; of a symbolic link: of its text. */
double rvkit_share_read(engine_t *engine, int share, const char *path, double at, void *data,
                        size_t size);

/* Writes at a place; makes the file (with mode) when there is none. Less than size: it is full. */
double rvkit_share_write(engine_t *engine, int share, const char *path, double at,
                         const void *data, size_t size, uint32_t mode);

/* All of a file at once: it has these bytes afterwards, or what it had. */
int rvkit_share_put(engine_t *engine, int share, const char *path, const void *data, size_t size,
                    uint32_t mode);

/* Mode, size and mtime; what is negative stays. */
int rvkit_share_set(engine_t *engine, int share, const char *path, int mode, double size,
                    double mtime);

int rvkit_share_mkdir(engine_t *engine, int share, const char *path, uint32_t mode);
int rvkit_share_remove(engine_t *engine, int share, const char *path, int recursive);

/* flags: FS_RENAME_NOREPLACE (1), FS_RENAME_EXCHANGE (2). */
int rvkit_share_rename(engine_t *engine, int share, const char *from, const char *to,
                       uint32_t flags);

/* --- Displays and input --- */

/*
 * A look at a display. Eight words that stay until the next call: events (DISPLAY_*), width,
 * height, cursor x, y (int32), cursor visible, number of rectangles, address of the rectangles. A
 * rectangle is five words: x, y, width, height, and the address of its pixels: R, G, B, 255, rows
 * without gaps. Each call of this ends the life of what the one before gave.
 */
const uint32_t *rvkit_display_look(engine_t *engine, int display);
/* 64 × 64 pixels, R, G, B, A, not multiplied; hot_x and hot_y in front: two words. NULL: none. */
const uint32_t *rvkit_display_cursor(engine_t *engine, int display);
bool rvkit_display_request(engine_t *engine, int display, uint32_t width, uint32_t height);
/* All of it is new at the next look. */
void rvkit_display_redraw(engine_t *engine, int display);

void rvkit_key(engine_t *engine, uint32_t usage, int down);
void rvkit_button(engine_t *engine, uint32_t button, int down);
void rvkit_move(engine_t *engine, int dx, int dy);
void rvkit_place(engine_t *engine, int x, int y);
void rvkit_wheel(engine_t *engine, int dx, int dy);
void rvkit_touch(engine_t *engine, uint32_t slot, int down, int x, int y);
void rvkit_leave(engine_t *engine);
uint32_t rvkit_leds(engine_t *engine);

/* --- Imports: what JavaScript does for the machine. None of them waits. --- */

/* CONSOLE_* bits for a viewer. */
ENGINE_IMPORT(console) void rvkit_host_console(int viewer, uint32_t bits);

/* There is something new on a display (once after each look). */
ENGINE_IMPORT(display) void rvkit_host_display(int display);

/* A request for a drive. offset and length: bytes, multiples of 512. READ and WRITE have a buffer
 * (at most ENGINE_IO_MAX bytes). rvkit_drive_done() answers it, now or later, in any order. */
enum { ENGINE_READ, ENGINE_WRITE, ENGINE_FLUSH, ENGINE_DISCARD, ENGINE_ZERO };
#define ENGINE_IO_MAX ((size_t)1 << 20)
ENGINE_IMPORT(drive)
void rvkit_host_drive(int drive, uint32_t token, int op, double offset, double length);

/* A frame from the guest. */
ENGINE_IMPORT(net) void rvkit_host_net(int net, const uint8_t *frame, size_t size);

/* Sound: a stream begins (format: audio_format_t), gives bytes, asks for bytes (returns how many it
 * put), ends. */
ENGINE_IMPORT(soundOpen)
void rvkit_host_sound_open(uint32_t stream, int capture, int format, uint32_t rate,
                           uint32_t channels);
ENGINE_IMPORT(soundPlay)
void rvkit_host_sound_play(uint32_t stream, const void *bytes, size_t size);
ENGINE_IMPORT(soundRecord)
size_t rvkit_host_sound_record(uint32_t stream, void *bytes, size_t size);
ENGINE_IMPORT(soundClose) void rvkit_host_sound_close(uint32_t stream);

#endif
