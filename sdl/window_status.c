/* SPDX-License-Identifier: MPL-2.0 */
/* What appears at the bottom of the window: status and shortcuts on demand, notices, the question
 * before quitting. */
#include "window_internal.h"

#include <stdio.h>
#include <string.h>

#define FIGURES_MS 1000

/* Bytes in a time, as a rate for persons. */
static void rate_text(char *text, size_t size, uint64_t bytes, uint32_t ms)
{
    double kilo = (double)bytes / 1000 * 1000 / ms;
    if (kilo >= 1000) {
        snprintf(text, size, "%.1f MB/s", kilo / 1000);
    } else {
        snprintf(text, size, "%.0f kB/s", kilo);
    }
}

static void figures_update(window_t *w)
{
    window_figures_t *f = &w->figures;
    uint32_t now = SDL_GetTicks(), ms = now - f->at;
    window_counts_t counts;
    char disk_rate[32], net_rate[32];
    if ((f->at && ms < FIGURES_MS) || !w->guest.counts ||
        !w->guest.counts(w->guest.opaque, &counts)) {
        return;
    }
    if (!f->at || ms > 3 * FIGURES_MS) {
        snprintf(f->text, sizeof(f->text), "counting ...");
    } else {
        rate_text(disk_rate, sizeof(disk_rate), counts.disk - f->counts.disk, ms);
        rate_text(net_rate, sizeof(net_rate), counts.net - f->counts.net, ms);
        snprintf(f->text, sizeof(f->text), "%.1f MIPS  disk %s  net %s  %u frames/s",
                 (double)(counts.retired - f->counts.retired) / 1000 / ms, disk_rate, net_rate,
                 f->frames * 1000 / ms);
    }
    f->at = now | 1;
    f->frames = 0;
    f->counts = counts;
}

/* "1 ttyS0 [2 gpu0] 3 monitor" */
static void views_text(const window_t *w, char *text, size_t size)
{
    size_t at = 0;
    for (unsigned i = 0; i < w->count && i < 9 && at < size; i++) {
        bool shown = i == w->shown;
        at += (size_t)snprintf(text + at, size - at, "%s%u %s%s ", shown ? "[" : " ", i + 1,
                               w->view[i]->name, shown ? "]" : " ");
    }
}

static void status_line(window_t *w, unsigned row, const char *text, uint32_t fg, uint32_t bg)
{
    const glyphs_metrics_t *m = glyphs_metrics(w->glyphs);
    int y = (int)(row * m->height);
    canvas_fill(&w->canvas, 0, y, w->canvas.width, (int)m->height, bg);
    canvas_text(&w->canvas, w->glyphs, (int)m->width / 2, y, text, fg, bg);
}

static bool window_paused(const window_t *w)
{
    return w->guest.is_paused && w->guest.is_paused(w->guest.opaque);
}

/* Draws the lines there are; returns how many. The canvas has room for four. */
static unsigned status_lines(window_t *w, const char *notice)
{
    char views[600], line[800];
    unsigned rows = 0;
    if (w->status) {
        figures_update(w);
        views_text(w, views, sizeof(views));
        snprintf(line, sizeof(line), "%s  %s  %s", views, window_paused(w) ? "paused" : "runs",
                 w->figures.text);
        status_line(w, rows++, line, 0xE8E8E8, 0x203858);
        status_line(w, rows++,
                    "Ctrl+Alt+  1-9 view  G grab  F full screen  S screenshot  I scaling  P pause  "
                    "R reset  H this  Q quit",
                    0xA8B8C8, 0x182838);
        status_line(w, rows++,
                    "Consoles: Ctrl+Shift+C copy  Ctrl+Shift+V paste  Shift+PageUp scrollback  "
                    "Ctrl+plus/minus/0 font",
                    0xA8B8C8, 0x182838);
    }
    if (w->asking) {
        status_line(w, rows++,
                    "Quit? The guest is switched off as it is. y: quit; any other key: go on",
                    0xFFFFFF, 0x902020);
    } else if (notice[0]) {
        status_line(w, rows++, notice, 0x101010, 0xD8C878);
    }
    return rows;
}

static void status_show(window_t *w, unsigned rows)
{
    int height = (int)(rows * glyphs_metrics(w->glyphs)->height);
    SDL_Texture *line = SDL_CreateTexture(w->renderer, SDL_PIXELFORMAT_ARGB8888,
                                          SDL_TEXTUREACCESS_STATIC, w->canvas.width, height);
    if (line) {
        SDL_UpdateTexture(line, NULL, w->canvas.pixels, w->canvas.width * 4);
        const SDL_Rect rect = {0, w->height - height, w->canvas.width, height};
        SDL_RenderCopy(w->renderer, line, NULL, &rect);
        SDL_DestroyTexture(line);
    }
}

uint32_t window_draw_status(window_t *w)
{
    uint32_t now = SDL_GetTicks(), again = w->status ? FIGURES_MS : VIEW_NEVER;
    host_mutex_lock(w->lock);
    int32_t left = (int32_t)(w->notice_until - now);
    if (w->notice[0] && left <= 0) {
        w->notice[0] = 0;
    }
    memcpy(w->drawn_notice, w->notice, sizeof(w->drawn_notice));
    host_mutex_unlock(w->lock);
    if (w->drawn_notice[0]) {
        again = (uint32_t)left < again ? (uint32_t)left : again;
    }
    int height = 4 * (int)glyphs_metrics(w->glyphs)->height;
    if ((w->status || w->asking || w->drawn_notice[0]) && w->width > 0 &&
        canvas_set_size(&w->canvas, w->width, height)) {
        unsigned rows = status_lines(w, w->drawn_notice);
        if (rows) {
            status_show(w, rows);
        }
    }
    return again;
}
