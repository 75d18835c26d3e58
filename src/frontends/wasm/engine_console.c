/* SPDX-License-Identifier: MPL-2.0 */
/* Consoles, and those who look at them from JavaScript. */
#include "engine_internal.h"

#include <stdlib.h>

ENGINE_EXPORT int rvkit_add_console(engine_t *engine, const char *name, int kind)
{
    board_desc_t *desc = &engine->desc;
    size_t *count = kind ? &desc->console_count : &desc->serial_count;
    chardev_t **ports = kind ? desc->console : desc->serial;
    int most = kind ? BOARD_CONSOLES_MAX : BOARD_SERIAL_MAX;
    if (!engine_is_open(engine, (int)*count, most, kind ? "virtio consoles" : "serial ports")) {
        return -1;
    }
    const console_desc_t what = {.name = name};
    console_t *console = console_create(&what);
    if (!console) {
        rvvm_error("console %s: out of memory", name);
        return -1;
    }
    engine->console[engine->consoles] = (engine_console_t){engine, console, kind != 0, *count};
    ports[(*count)++] = console_port(console);
    return engine->consoles++;
}

static void console_on_size(void *opaque, uint16_t cols, uint16_t rows)
{
    const engine_console_t *entry = opaque;
    board_resize_console(entry->engine->machine, entry->index, cols, rows);
}

void engine_connect_consoles(engine_t *engine)
{
    for (int i = 0; i < engine->consoles; i++) {
        if (engine->console[i].hvc) {
            console_on_resize(engine->console[i].console, console_on_size, &engine->console[i]);
        }
    }
}

void engine_free_viewers(engine_t *engine)
{
    for (int i = 0; i < ENGINE_VIEWERS_MAX; i++) {
        rvkit_console_detach(engine, i);
    }
}

void engine_free_consoles(engine_t *engine)
{
    for (int i = 0; i < engine->consoles; i++) {
        console_release(engine->console[i].console);
    }
}

/* --- Viewers --- */

static engine_viewer_t *viewer_of(engine_t *engine, int number)
{
    bool there =
        number >= 0 && number < ENGINE_VIEWERS_MAX && engine->viewer[number].viewer != NULL;
    return there ? &engine->viewer[number] : NULL;
}

static void viewer_told(void *opaque, unsigned bits)
{
    rvkit_host_console(((engine_viewer_t *)opaque)->number, bits);
}

ENGINE_EXPORT int rvkit_console_attach(engine_t *engine, int console, int kind, int wait)
{
    int number = 0;
    while (number < ENGINE_VIEWERS_MAX && engine->viewer[number].viewer) {
        number++;
    }
    if (number == ENGINE_VIEWERS_MAX || console < 0 || console >= engine->consoles) {
        return -1;
    }
    engine_viewer_t *entry = &engine->viewer[number];
    const console_viewer_desc_t desc = {
        .kind = (console_kind_t)kind, .wait = wait != 0, .told = viewer_told, .opaque = entry};
    *entry = (engine_viewer_t){
        .engine = engine, .console = engine->console[console].console, .number = number};
    entry->viewer = console_attach(entry->console, &desc);
    return entry->viewer ? number : -1;
}

ENGINE_EXPORT void rvkit_console_detach(engine_t *engine, int viewer)
{
    engine_viewer_t *entry = viewer_of(engine, viewer);
    if (entry) {
        console_detach(entry->viewer);
        entry->viewer = NULL;
    }
}

ENGINE_EXPORT size_t rvkit_console_take(engine_t *engine, int viewer, void *data, size_t size)
{
    const engine_viewer_t *entry = viewer_of(engine, viewer);
    return entry ? console_take(entry->viewer, data, size) : 0;
}

ENGINE_EXPORT size_t rvkit_console_pending(engine_t *engine, int viewer)
{
    const engine_viewer_t *entry = viewer_of(engine, viewer);
    return entry ? console_pending(entry->viewer) : 0;
}

ENGINE_EXPORT size_t rvkit_console_type(engine_t *engine, int viewer, const void *data, size_t size)
{
    const engine_viewer_t *entry = viewer_of(engine, viewer);
    return entry ? console_type(entry->viewer, data, size) : 0;
}

ENGINE_EXPORT void rvkit_console_resize(engine_t *engine, int viewer, uint32_t cols, uint32_t rows)
{
    const engine_viewer_t *entry = viewer_of(engine, viewer);
    if (entry) {
        console_resize(entry->viewer, (uint16_t)(cols < UINT16_MAX ? cols : UINT16_MAX),
                       (uint16_t)(rows < UINT16_MAX ? rows : UINT16_MAX));
    }
}

ENGINE_EXPORT void rvkit_console_show(engine_t *engine, int viewer, int shown)
{
    const engine_viewer_t *entry = viewer_of(engine, viewer);
    if (entry) {
        console_show(entry->viewer, shown != 0);
    }
}

ENGINE_EXPORT size_t rvkit_console_title(engine_t *engine, int viewer, char *data, size_t size)
{
    const engine_viewer_t *entry = viewer_of(engine, viewer);
    return entry && size ? console_title(entry->console, data, size) : 0;
}

ENGINE_EXPORT uint32_t rvkit_console_size(engine_t *engine, int console)
{
    console_info_t info = {.cols = 0};
    if (console >= 0 && console < engine->consoles) {
        console_info(engine->console[console].console, &info);
    }
    return (uint32_t)info.cols << 16 | info.rows;
}

ENGINE_EXPORT char *rvkit_console_clipboard(engine_t *engine, int viewer, char *which)
{
    const engine_viewer_t *entry = viewer_of(engine, viewer);
    size_t size;
    char *base64 = entry ? console_clipboard(entry->console, which, &size) : NULL;
    char *text = base64 ? realloc(base64, size + 1) : NULL;
    if (!text) {
        free(base64);
        return NULL;
    }
    text[size] = 0;
    return text;
}

ENGINE_EXPORT void rvkit_console_answer(engine_t *engine, int viewer, int which, const char *base64,
                                        size_t size)
{
    const engine_viewer_t *entry = viewer_of(engine, viewer);
    if (entry) {
        console_answer_clipboard(entry->viewer, (char)which, base64, size);
    }
}

ENGINE_EXPORT char *rvkit_console_draw(engine_t *engine, int console, uint32_t above, size_t *size)
{
    bool there = console >= 0 && console < engine->consoles;
    return there ? console_draw(engine->console[console].console, above, size) : NULL;
}
