/* SPDX-License-Identifier: MPL-2.0 */
/* What the files of the engine share. */
#ifndef RVKIT_FRONTENDS_WASM_ENGINE_INTERNAL_H
#define RVKIT_FRONTENDS_WASM_ENGINE_INTERNAL_H

#include "engine.h"

#include "../../devices/virtio_blk.h"
#include "../../devices/virtio_net.h"

/* Requests of all drives that are out. */
#define ENGINE_REQUESTS_MAX 4096

typedef struct engine_request engine_request_t;

typedef struct {
    engine_t *engine;
    console_t *console;
    bool hvc;
    size_t index; /* among those of its kind */
} engine_console_t;

typedef struct {
    engine_t *engine;
    console_viewer_t *viewer; /* NULL: free */
    console_t *console;
    int number;
} engine_viewer_t;

typedef struct {
    engine_t *engine;
    int number;
    uint64_t reads, writes, flushes, errors, bytes_read, bytes_written;
} engine_drive_t;

typedef struct {
    engine_t *engine;
    int number;
    virtio_net_t *card; /* NULL: not attached */
} engine_net_t;

typedef struct {
    engine_t *engine;
    int number;
    display_t *display;
    display_viewer_t *viewer; /* from the first look on */
    uint8_t *pixels;          /* of the last look */
    size_t capacity;
    uint32_t words[8];
    uint32_t rects[DISPLAY_DAMAGE_MAX * 5];
    uint32_t cursor[2 + DISPLAY_CURSOR_SIDE * DISPLAY_CURSOR_SIDE];
    bool has_cursor;
} engine_display_t;

struct engine {
    board_desc_t desc; /* until it is built */
    rvvm_machine_t *machine;
    bool built, started, root, initrd;

    engine_console_t console[ENGINE_CONSOLES_MAX];
    int consoles;
    engine_viewer_t viewer[ENGINE_VIEWERS_MAX];

    engine_drive_t *drive[BOARD_DRIVES_MAX];
    int drives;
    engine_request_t *request[ENGINE_REQUESTS_MAX];
    uint32_t next_token;

    engine_net_t *net[BOARD_NETS_MAX];
    int nets;

    engine_display_t display[ENGINE_DISPLAYS_MAX];
    int displays;
    input_t *input;
    input_source_t *source;
    board_clock_t clock;
    uint32_t sounds; /* streams that are open, as a mask */
    audio_format_t sound_format[AUDIO_STREAMS_MAX];

    struct share_memory *share[BOARD_SHARES_MAX];
    char share_tag[BOARD_SHARES_MAX][40];
    int shares;
};

/* The next free place among the board's devices; NULL: there is none, which was told. */
virtio_desc_t *engine_next_device(engine_t *engine);

/* It may still get parts; false: told. */
bool engine_is_open(const engine_t *engine, int have, int most, const char *what);

/* Before and after the machine is freed. */
void engine_free_viewers(engine_t *engine);
void engine_free_consoles(engine_t *engine);
void engine_free_displays(engine_t *engine);
void engine_free_shares(engine_t *engine);

/* The devices are there. */
void engine_connect_consoles(engine_t *engine);

/* NULL for a wrong number. */
struct share_memory *engine_share(engine_t *engine, int share);

/* A running display or stream needs the machine about every 16 ms. */
bool engine_is_watched(const engine_t *engine);

#endif
