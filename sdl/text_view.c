/* SPDX-License-Identifier: MPL-2.0 */
#include "text_internal.h"

#include <stdlib.h>
#include <string.h>

#define BLINK_MS 530

/* Any thread. */
static void text_on_console(void *opaque, unsigned bits)
{
    text_view_t *t = opaque;
    __atomic_or_fetch(&t->bits, bits, __ATOMIC_SEQ_CST);
    view_wake(&t->view);
}

static void text_free(view_t *view)
{
    text_view_t *t = text_of(view);
    console_detach(t->viewer);
    if (t->texture && window_renderer(view->window)) {
        SDL_DestroyTexture(t->texture);
    }
    free(clipboard_take(t->clipboard));
    free(clipboard_take(t->giving));
    canvas_free(&t->canvas);
    free(t->want);
    free(t->have);
    free(t);
}

static void text_place(view_t *view, int width, int height)
{
    text_view_t *t = text_of(view);
    const glyphs_metrics_t *m = glyphs_metrics(window_glyphs(view->window));
    int margin = text_margin(t);
    int cols = (width - 2 * margin) / (int)m->width, rows = (height - 2 * margin) / (int)m->height;
    cols = cols < VT_MIN_COLS ? VT_MIN_COLS : cols > VT_MAX_COLS ? VT_MAX_COLS : cols;
    rows = rows < VT_MIN_ROWS ? VT_MIN_ROWS : rows > VT_MAX_ROWS ? VT_MAX_ROWS : rows;
    t->width = width;
    t->height = height;
    t->all = t->stale = true;
    text_select_clear(t);
    console_resize(t->viewer, (uint16_t)cols, (uint16_t)rows);
}

static void text_told(view_t *view)
{
    text_view_t *t = text_of(view);
    unsigned bits = __atomic_exchange_n(&t->bits, 0, __ATOMIC_SEQ_CST);
    if ((bits & CONSOLE_BELL) && !window_focused(view->window)) {
        SDL_FlashWindow(window_handle(view->window), SDL_FLASH_BRIEFLY);
    }
    if (bits & CONSOLE_CLIPBOARD) {
        text_take_clipboard(t);
    }
    if (bits & CONSOLE_ASKED) {
        text_asked(t);
    }
    text_finish_paste(t);
    text_finish_give(t);
}

static void text_focus(view_t *view, bool in)
{
    text_view_t *t = text_of(view);
    if (t->focused != in) {
        t->focused = in;
        t->blink_off = false;
        t->blink_at = SDL_GetTicks() + BLINK_MS;
        t->all = true;
        t->editing[0] = 0;
        console_focus(t->viewer, in);
    }
    if (in) {
        SDL_StartTextInput();
        SDL_SetCursor(NULL);
        SDL_ShowCursor(SDL_ENABLE);
    }
}

/* Where an input method may put its window. */
static void text_place_editing(text_view_t *t)
{
    const glyphs_metrics_t *m = glyphs_metrics(window_glyphs(t->view.window));
    float scale = window_scale(t->view.window);
    int margin = text_margin(t);
    const SDL_Rect rect = {
        (int)((float)(margin + t->cursor_col * (int)m->width) / scale),
        (int)((float)(margin + t->cursor_row * (int)m->height) / scale),
        (int)((float)m->width / scale),
        (int)((float)m->height / scale),
    };
    SDL_SetTextInputRect(&rect);
}

static uint32_t text_draw(view_t *view)
{
    text_view_t *t = text_of(view);
    SDL_Renderer *renderer = window_renderer(view->window);
    uint32_t now = SDL_GetTicks();
    if (t->blinks && (int32_t)(now - t->blink_at) >= 0) {
        t->blink_off = !t->blink_off;
        t->blink_at = now + BLINK_MS;
    }
    int row = t->cursor_row, col = t->cursor_col;
    text_cells_look(t);
    text_cells_draw(t);
    if (t->focused && (row != t->cursor_row || col != t->cursor_col)) {
        text_place_editing(t);
        t->blink_off = false; /* a cursor that moves can be seen */
    }
    SDL_SetRenderDrawColor(renderer, (uint8_t)(t->back >> 16), (uint8_t)(t->back >> 8),
                           (uint8_t)t->back, 255);
    SDL_RenderClear(renderer);
    if (t->texture) {
        int margin = text_margin(t);
        const SDL_Rect rect = {margin, margin, t->canvas.width, t->canvas.height};
        SDL_RenderCopy(renderer, t->texture, NULL, &rect);
    }
    if (t->sync_from) {
        return 20;
    }
    int32_t left = (int32_t)(t->blink_at - now);
    return t->blinks ? (uint32_t)(left > 1 ? left : 1) : VIEW_NEVER;
}

static void text_lost(view_t *view)
{
    text_view_t *t = text_of(view);
    if (t->texture) {
        SDL_DestroyTexture(t->texture);
        t->texture = NULL;
    }
}

static uint32_t *text_picture(view_t *view, uint32_t *width, uint32_t *height)
{
    text_view_t *t = text_of(view);
    size_t size = (size_t)t->canvas.width * (size_t)t->canvas.height * sizeof(uint32_t);
    uint32_t *copy = size ? malloc(size) : NULL;
    if (copy) {
        memcpy(copy, t->canvas.pixels, size);
        *width = (uint32_t)t->canvas.width;
        *height = (uint32_t)t->canvas.height;
    }
    return copy;
}

static void text_title(view_t *view, char *title, size_t size)
{
    console_title(text_of(view)->console, title, size);
}

view_t *text_view_create(window_t *window, console_t *console)
{
    static const view_ops_t ops = {
        .free = text_free,
        .place = text_place,
        .told = text_told,
        .focus = text_focus,
        .event = text_event,
        .draw = text_draw,
        .lost = text_lost,
        .picture = text_picture,
        .give = text_give,
        .title = text_title,
    };
    text_view_t *t = calloc(1, sizeof(*t));
    console_info_t info;
    if (!t) {
        return NULL;
    }
    console_info(console, &info);
    t->view = (view_t){.ops = &ops, .window = window};
    SDL_strlcpy(t->view.name, info.name, sizeof(t->view.name));
    t->console = console;
    t->all = t->stale = true;
    t->viewer = console_attach(
        console,
        &(console_viewer_desc_t){.kind = CONSOLE_CELLS, .told = text_on_console, .opaque = t});
    if (!t->viewer) {
        free(t);
        return NULL;
    }
    return &t->view;
}
