/* SPDX-License-Identifier: MPL-2.0 */
/* Selecting text with the mouse, and the clipboard both ways. */
#include "text_internal.h"
#include "window.h"

#include "../src/util.h"

#include <stdlib.h>
#include <string.h>

#define ASKED_MS 10000 /* how long the guest's question for the clipboard stands */

/* Two places in reading order, ends included. */
typedef struct {
    text_place_t first, last;
} text_range_t;

static bool place_before(text_place_t a, text_place_t b)
{
    return a.row < b.row || (a.row == b.row && a.col < b.col);
}

static text_range_t text_range(const text_view_t *t)
{
    text_range_t r = {t->from, t->to};
    if (place_before(t->to, t->from)) {
        r = (text_range_t){t->to, t->from};
    }
    if (t->select == SELECT_BLOCK && r.first.col > r.last.col) {
        int col = r.first.col;
        r.first.col = r.last.col;
        r.last.col = col;
    }
    return r;
}

bool text_selected(const text_view_t *t, int64_t row, int col)
{
    text_range_t r = text_range(t);
    text_place_t place = {row, col};
    if (t->select == SELECT_BLOCK) {
        return row >= r.first.row && row <= r.last.row && col >= r.first.col && col <= r.last.col;
    }
    return !place_before(place, r.first) && !place_before(r.last, place);
}

static text_place_t place_at(const text_view_t *t, int x, int y)
{
    const glyphs_metrics_t *m = glyphs_metrics(window_glyphs(t->view.window));
    int margin = text_margin(t);
    int col = (x - margin) / (int)m->width, row = (y - margin) / (int)m->height;
    col = col < 0 || x < margin ? 0 : col >= (int)t->cols ? (int)t->cols - 1 : col;
    row = row < 0 || y < margin ? 0 : row >= (int)t->rows ? (int)t->rows - 1 : row;
    return (text_place_t){(int64_t)t->scrolled + row - t->above, col};
}

/* Characters that a double click takes together. */
static bool in_word(const vt_t *vt, const vt_cell_t *cell)
{
    uint32_t codes[VT_CLUSTER_MAX];
    unsigned count = vt_cell_text(vt, cell, codes);
    if (!vt_cell_width(cell)) {
        return true; /* the right half of a wide one */
    }
    return count && (codes[0] > 0x7F
                         ? codes[0] != 0xA0
                         : SDL_isalnum((int)codes[0]) || strchr("_-./~:@%+#=?&,", (int)codes[0]));
}

static void widen_word(text_view_t *t, text_range_t *r)
{
    vt_t *vt = console_lock(t->viewer, NULL);
    t->all = true;
    const vt_cell_t *cells = vt_row(vt, (int)(r->first.row - (int64_t)vt_scrolled(vt)));
    int cols = (int)vt_cols(vt);
    if (cells && r->first.col < cols && in_word(vt, &cells[r->first.col])) {
        while (r->first.col > 0 && in_word(vt, &cells[r->first.col - 1])) {
            r->first.col--;
        }
    }
    cells = vt_row(vt, (int)(r->last.row - (int64_t)vt_scrolled(vt)));
    if (cells && r->last.col < cols && in_word(vt, &cells[r->last.col])) {
        while (r->last.col + 1 < cols && in_word(vt, &cells[r->last.col + 1])) {
            r->last.col++;
        }
    }
    console_unlock(t->viewer);
}

/* Whole lines, as they were before they were wrapped. */
static void widen_line(text_view_t *t, text_range_t *r)
{
    vt_t *vt = console_lock(t->viewer, NULL);
    t->all = true;
    int64_t scrolled = (int64_t)vt_scrolled(vt);
    int64_t oldest = -(int64_t)vt_scrollback(vt), rows = vt_rows(vt);
    while (r->first.row - scrolled > oldest && vt_row_wrapped(vt, (int)(r->first.row - scrolled))) {
        r->first.row--;
    }
    while (r->last.row - scrolled + 1 < rows &&
           vt_row_wrapped(vt, (int)(r->last.row - scrolled + 1))) {
        r->last.row++;
    }
    r->first.col = 0;
    r->last.col = (int)vt_cols(vt) - 1;
    console_unlock(t->viewer);
}

/* Words and lines are taken whole: `from` and `to` move apart. */
static void widen(text_view_t *t)
{
    text_range_t r = text_range(t);
    bool backwards = place_before(t->to, t->from);
    if (t->select == SELECT_WORDS) {
        widen_word(t, &r);
    } else if (t->select == SELECT_LINES) {
        widen_line(t, &r);
    } else {
        return;
    }
    t->from = backwards ? r.last : r.first;
    t->to = backwards ? r.first : r.last;
}

void text_select_press(text_view_t *t, int x, int y, unsigned clicks, bool block, bool extend)
{
    static const select_mode_t modes[] = {SELECT_CHARS, SELECT_WORDS, SELECT_LINES};
    text_place_t place = place_at(t, x, y);
    t->all = true;
    t->selecting = true;
    t->press_x = x;
    t->press_y = y;
    if (extend && t->select) {
        t->to = place;
        widen(t);
        return;
    }
    t->from = t->to = place;
    t->select = block ? SELECT_BLOCK : modes[(clicks - 1) % ARRAY_LEN(modes)];
    if (t->select == SELECT_CHARS || t->select == SELECT_BLOCK) {
        t->select = SELECT_NONE; /* until the mouse moves */
        t->block = block;
    }
    widen(t);
}

void text_select_drag(text_view_t *t, int x, int y)
{
    const glyphs_metrics_t *m = glyphs_metrics(window_glyphs(t->view.window));
    if (!t->selecting) {
        return;
    }
    if (!t->select) {
        if (abs(x - t->press_x) * 3 < (int)m->width && abs(y - t->press_y) * 3 < (int)m->height) {
            return;
        }
        t->select = t->block ? SELECT_BLOCK : SELECT_CHARS;
        t->block = false;
    }
    if (y < 0 || y >= t->height) {
        text_scroll(t, y < 0 ? 1 : -1);
    }
    t->to = place_at(t, x, y);
    widen(t);
    t->all = true;
}

void text_select_end(text_view_t *t)
{
    if (t->selecting && t->select) {
        text_copy(t, true);
    }
    t->selecting = false;
    t->block = false;
}

void text_select_clear(text_view_t *t)
{
    t->all |= t->select != SELECT_NONE;
    t->select = SELECT_NONE;
    t->selecting = false;
}

void text_copy(text_view_t *t, bool primary)
{
    text_range_t r = text_range(t);
    size_t size;
    if (!t->select) {
        return;
    }
    vt_t *vt = console_lock(t->viewer, NULL);
    int64_t scrolled = (int64_t)vt_scrolled(vt), oldest = -(int64_t)vt_scrollback(vt);
    int64_t first = r.first.row - scrolled, last = r.last.row - scrolled;
    if (first < oldest) { /* it has gone from the scrollback */
        first = oldest;
        r.first.col = t->select == SELECT_BLOCK ? r.first.col : 0;
    }
    char *text = last < oldest ? NULL
                               : vt_select(vt, (int)first, r.first.col, (int)last, r.last.col,
                                           t->select == SELECT_BLOCK, &size);
    t->all = true;
    console_unlock(t->viewer);
    if (text && primary) {
        SDL_SetPrimarySelectionText(text);
    } else if (text) {
        SDL_SetClipboardText(text);
    }
    free(text);
}

/* Any thread. */
static void text_on_clipboard(void *opaque)
{
    view_wake(&((text_view_t *)opaque)->view);
}

void text_paste(text_view_t *t, bool primary)
{
    if (!t->clipboard) { /* one at a time */
        t->clipboard = clipboard_ask(primary, text_on_clipboard, t);
    }
}

void text_finish_paste(text_view_t *t)
{
    if (!t->clipboard || !clipboard_ready(t->clipboard)) {
        return;
    }
    bool failed = clipboard_failed(t->clipboard);
    char *text = clipboard_take(t->clipboard);
    t->clipboard = NULL;
    if (text) {
        text_scroll(t, -(int)t->above);
        failed = !console_paste(t->viewer, text, strlen(text));
    } else if (!failed) {
        window_say(t->view.window, "there is no text to paste");
    }
    if (failed) {
        window_say(t->view.window, "nothing is pasted: it is more than 64 MiB, with what the guest "
                                   "has still to read, or does not arrive");
    }
    free(text);
}

static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Base64, in place; returns the size, SIZE_MAX when it is none. */
static size_t base64_decode(char *text, size_t size)
{
    size_t out = 0;
    uint32_t bits = 0;
    unsigned count = 0;
    for (size_t i = 0; i < size && text[i] != '='; i++) {
        const char *digit = text[i] ? strchr(base64_digits, text[i]) : NULL;
        if (!digit) {
            return SIZE_MAX;
        }
        bits = bits << 6 | (uint32_t)(digit - base64_digits);
        count += 6;
        if (count >= 8) {
            count -= 8;
            text[out++] = (char)(bits >> count);
        }
    }
    return out;
}

/* For free(); NULL: no memory. */
static char *base64_encode(const char *text, size_t size, size_t *out_size)
{
    const uint8_t *in = (const uint8_t *)text;
    char *out = malloc(size / 3 * 4 + 5);
    size_t n = 0;
    for (size_t i = 0; out && i < size; i += 3) {
        size_t left = size - i;
        uint32_t bits =
            (uint32_t)in[i] << 16 | (left > 1 ? in[i + 1] << 8 : 0) | (left > 2 ? in[i + 2] : 0);
        out[n++] = base64_digits[bits >> 18];
        out[n++] = base64_digits[bits >> 12 & 63];
        out[n++] = left > 1 ? base64_digits[bits >> 6 & 63] : '=';
        out[n++] = left > 2 ? base64_digits[bits & 63] : '=';
    }
    *out_size = n;
    return out;
}

/* The guest has put something on the clipboard. */
void text_take_clipboard(text_view_t *t)
{
    char which;
    size_t size;
    char *text = console_clipboard(t->console, &which, &size);
    size_t length = text ? base64_decode(text, size) : SIZE_MAX;
    if (length != SIZE_MAX && !memchr(text, 0, length)) {
        char *ended = malloc(length + 1);
        if (ended) {
            memcpy(ended, text, length);
            ended[length] = 0;
            if (which == 'p') {
                SDL_SetPrimarySelectionText(ended);
            } else {
                SDL_SetClipboardText(ended);
            }
        }
        free(ended);
    }
    free(text);
}

/*
 * What is on the clipboard may be a password: the guest gets it once for each time that the person
 * says so, by a key that nobody types by accident, and within a while of its asking. It is asked
 * for only where the person looks.
 */
void text_asked(text_view_t *t)
{
    char said[200], *text;
    size_t size;
    if (!t->focused || (t->asked_until && (int32_t)(t->asked_until - SDL_GetTicks()) > 0)) {
        return;
    }
    text = console_clipboard(t->console, &t->asked, &size);
    free(text);
    t->asked_until = (SDL_GetTicks() + ASKED_MS) | 1;
    SDL_snprintf(said, sizeof(said), "%s asks for what is on the clipboard: Ctrl+Alt+V gives it",
                 t->view.name);
    window_say(t->view.window, said);
}

void text_give(view_t *view)
{
    text_view_t *t = text_of(view);
    bool asked = t->asked_until && (int32_t)(t->asked_until - SDL_GetTicks()) > 0;
    t->asked_until = 0;
    if (asked && !t->giving) {
        t->giving = clipboard_ask(t->asked == 'p', text_on_clipboard, t);
    }
}

void text_finish_give(text_view_t *t)
{
    if (!t->giving || !clipboard_ready(t->giving)) {
        return;
    }
    size_t size;
    char *text = clipboard_take(t->giving);
    char *coded = base64_encode(text ? text : "", text ? strlen(text) : 0, &size);
    t->giving = NULL;
    if (coded) {
        console_answer_clipboard(t->viewer, t->asked, coded, size);
    }
    free(coded);
    free(text);
}
