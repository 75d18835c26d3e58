/* SPDX-License-Identifier: MPL-2.0 */
#include "lineedit.h"

#include "vt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HISTORY_MAX 100
#define OFFERS_MAX 256
#define COLUMNS_USUAL 80
#define CTRL(letter) ((letter)&0x1f)
#define ESC 0x1b
#define DEL 0x7f

/* Where in an escape sequence the input is. */
typedef enum { KEYS_PLAIN, KEYS_ESCAPE, KEYS_CSI, KEYS_SS3 } keys_t;

struct lineedit_offers {
    const char *word; /* what is there */
    size_t length;
    char *list[OFFERS_MAX];
    size_t count;
};

struct lineedit {
    lineedit_desc_t desc;
    unsigned columns;

    char text[LINEEDIT_MAX];
    size_t size, cursor; /* bytes */
    size_t first;        /* the first byte that is on the screen */
    bool too_long;
    char cut[LINEEDIT_MAX]; /* what Ctrl-K, Ctrl-U and Ctrl-W have taken */

    char *history[HISTORY_MAX]; /* the oldest first */
    size_t lines, at;           /* at: the one that is shown; lines: what is being typed */
    char draft[LINEEDIT_MAX];   /* that, meanwhile */

    keys_t keys;
    unsigned param[2], params; /* of a control sequence */
    bool after_return;         /* a line feed now belongs to the return before it */
    bool after_tab;            /* the second Tab shows a list */
    char code[4];              /* a character of several bytes, as far as it is there */
    unsigned code_have, code_need;
};

/* ---- Characters ---- */

/* The code point at text[at], its bytes in *length. The text is well formed. */
static uint32_t code_at(const lineedit_t *e, size_t at, size_t *length)
{
    const uint8_t *p = (const uint8_t *)e->text + at;
    size_t n = *p < 0x80 ? 1 : *p < 0xe0 ? 2 : *p < 0xf0 ? 3 : 4;
    uint32_t code = n == 1 ? *p : *p & (0x7fu >> n);
    for (size_t i = 1; i < n; i++) {
        code = code << 6 | (p[i] & 0x3f);
    }
    *length = n;
    return code;
}

/* Past the character at `at` and the marks that combine with it. */
static size_t next_at(const lineedit_t *e, size_t at)
{
    size_t length;
    if (at < e->size) {
        code_at(e, at, &length);
        at += length;
    }
    while (at < e->size && !vt_char_width(code_at(e, at, &length))) {
        at += length;
    }
    return at;
}

static size_t previous_at(const lineedit_t *e, size_t at)
{
    size_t before = 0;
    for (size_t next = 0; next < at; next = next_at(e, next)) {
        before = next;
    }
    return before;
}

static unsigned width_of(const lineedit_t *e, size_t from, size_t to)
{
    unsigned width = 0;
    size_t length;
    for (; from < to; from += length) {
        width += vt_char_width(code_at(e, from, &length));
    }
    return width;
}

/* ---- What is shown ---- */

static void show(const lineedit_t *e, const char *bytes, size_t size)
{
    if (!e->desc.plain && size) {
        e->desc.write(e->desc.opaque, bytes, size);
    }
}

static void show_text(const lineedit_t *e, const char *text)
{
    show(e, text, strlen(text));
}

/* Columns for the line; the last one stays free, so that the cursor has a place. */
static unsigned room(const lineedit_t *e)
{
    size_t prompt = strlen(e->desc.prompt);
    return e->columns > prompt + 8 ? e->columns - (unsigned)prompt - 1 : 8;
}

/* Writes the row anew, scrolled so that the cursor is in it. */
static void redraw(lineedit_t *e)
{
    char move[24];
    if (e->cursor < e->first) {
        e->first = e->cursor;
    }
    while (width_of(e, e->first, e->cursor) > room(e)) {
        e->first = next_at(e, e->first);
    }
    size_t end = e->first, next;
    while (end < e->size && width_of(e, e->first, next = next_at(e, end)) <= room(e)) {
        end = next;
    }
    show_text(e, "\r");
    show_text(e, e->desc.prompt);
    show(e, e->text + e->first, end - e->first);
    show_text(e, "\x1b[K\r");
    unsigned column = (unsigned)strlen(e->desc.prompt) + width_of(e, e->first, e->cursor);
    snprintf(move, sizeof(move), "\x1b[%uC", column);
    show_text(e, move);
}

static void ring(const lineedit_t *e)
{
    show_text(e, "\a");
}

/* ---- Editing ---- */

static void insert(lineedit_t *e, const char *bytes, size_t size)
{
    if (size >= LINEEDIT_MAX - e->size) {
        e->too_long = true;
        ring(e);
        return;
    }
    memmove(e->text + e->cursor + size, e->text + e->cursor, e->size - e->cursor + 1);
    memcpy(e->text + e->cursor, bytes, size);
    e->size += size;
    e->cursor += size;
    if (e->cursor == e->size && width_of(e, e->first, e->size) <= room(e)) {
        show(e, bytes, size); /* the usual case, which a log reads well */
    } else {
        redraw(e);
    }
}

/* Takes out [from, to), which the cursor is at an end of. */
static void erase(lineedit_t *e, size_t from, size_t to, bool keep)
{
    if (from == to) {
        ring(e);
        return;
    }
    if (keep) {
        memcpy(e->cut, e->text + from, to - from);
        e->cut[to - from] = 0;
    }
    memmove(e->text + from, e->text + to, e->size - to + 1);
    e->size -= to - from;
    e->cursor = from;
    redraw(e);
}

static void move_to(lineedit_t *e, size_t at)
{
    e->cursor = at;
    redraw(e);
}

static size_t word_left(const lineedit_t *e)
{
    size_t at = e->cursor;
    while (at && e->text[at - 1] == ' ') {
        at--;
    }
    while (at && e->text[at - 1] != ' ') {
        at--;
    }
    return at;
}

static size_t word_right(const lineedit_t *e)
{
    size_t at = e->cursor;
    while (at < e->size && e->text[at] == ' ') {
        at++;
    }
    while (at < e->size && e->text[at] != ' ') {
        at++;
    }
    return at;
}

/* ---- History ---- */

static void set_text(lineedit_t *e, const char *text)
{
    e->size = e->cursor = strlen(text);
    memcpy(e->text, text, e->size + 1);
    e->first = 0;
    redraw(e);
}

static void history_go(lineedit_t *e, bool older)
{
    if (older ? !e->at : e->at == e->lines) {
        ring(e);
        return;
    }
    if (e->at == e->lines) {
        memcpy(e->draft, e->text, e->size + 1);
    }
    e->at = older ? e->at - 1 : e->at + 1;
    set_text(e, e->at == e->lines ? e->draft : e->history[e->at]);
}

static void history_add(lineedit_t *e)
{
    if (!e->size || (e->lines && !strcmp(e->history[e->lines - 1], e->text))) {
        return;
    }
    char *copy = strdup(e->text);
    if (!copy) {
        return;
    }
    if (e->lines == HISTORY_MAX) {
        free(e->history[0]);
        e->lines--;
        memmove(e->history, e->history + 1, e->lines * sizeof(e->history[0]));
    }
    e->history[e->lines++] = copy;
}

/* ---- Completion ---- */

void lineedit_offer(lineedit_offers_t *offers, const char *word)
{
    size_t at = 0;
    for (const char *c = word; *c; c++) {
        if (*c <= ' ' || *c >= DEL) {
            return; /* a word that cannot be typed as one */
        }
    }
    if (strncmp(word, offers->word, offers->length) || offers->count == OFFERS_MAX) {
        return;
    }
    while (at < offers->count && strcmp(offers->list[at], word) < 0) {
        at++;
    }
    if (at < offers->count && !strcmp(offers->list[at], word)) {
        return;
    }
    char *copy = strdup(word);
    if (copy) {
        memmove(&offers->list[at + 1], &offers->list[at], (offers->count - at) * sizeof(char *));
        offers->list[at] = copy;
        offers->count++;
    }
}

/* All offers, in columns, below the line; then the line again. */
static void show_offers(lineedit_t *e, const lineedit_offers_t *offers)
{
    size_t widest = 0;
    for (size_t i = 0; i < offers->count; i++) {
        size_t length = strlen(offers->list[i]);
        widest = length > widest ? length : widest;
    }
    size_t across = e->columns / (widest + 2);
    across = across ? across : 1;
    for (size_t i = 0; i < offers->count; i++) {
        show_text(e, i % across ? "" : "\r\n");
        show_text(e, offers->list[i]);
        for (size_t n = strlen(offers->list[i]); i % across < across - 1 && n < widest + 2; n++) {
            show_text(e, " ");
        }
    }
    show_text(e, "\r\n");
    redraw(e);
}

static void complete(lineedit_t *e)
{
    char before[LINEEDIT_MAX];
    lineedit_offers_t offers = {.count = 0};
    bool again = e->after_tab;
    memcpy(before, e->text, e->cursor);
    before[e->cursor] = 0;
    const char *space = strrchr(before, ' ');
    offers.word = space ? space + 1 : before;
    offers.length = strlen(offers.word);
    e->desc.complete(e->desc.opaque, before, &offers);
    /* As far as all agree: the list is in order, so its ends differ first. */
    size_t common = 0;
    if (offers.count) {
        const char *a = offers.list[0], *b = offers.list[offers.count - 1];
        while (a[common] && a[common] == b[common]) {
            common++;
        }
    }
    if (common > offers.length) {
        insert(e, offers.list[0] + offers.length, common - offers.length);
    } else if (offers.count > 1 && again) {
        show_offers(e, &offers);
    } else if (offers.count != 1) {
        ring(e);
        e->after_tab = offers.count > 1;
    }
    if (offers.count == 1) {
        insert(e, " ", 1);
    }
    for (size_t i = 0; i < offers.count; i++) {
        free(offers.list[i]);
    }
}

/* ---- Keys ---- */

/* The final byte of CSI or SS3. */
static void key_sequence(lineedit_t *e, uint8_t final)
{
    bool words = e->params == 2 && e->param[1] >= 2;
    unsigned which = final == '~' ? e->param[0] : 0;
    if (final == 'A' || final == 'B') {
        history_go(e, final == 'A');
    } else if (final == 'C') {
        move_to(e, words ? word_right(e) : next_at(e, e->cursor));
    } else if (final == 'D') {
        move_to(e, words ? word_left(e) : previous_at(e, e->cursor));
    } else if (final == 'H' || which == 1 || which == 7) {
        move_to(e, 0);
    } else if (final == 'F' || which == 4 || which == 8) {
        move_to(e, e->size);
    } else if (which == 3) {
        erase(e, e->cursor, next_at(e, e->cursor), false);
    }
}

static void key_alt(lineedit_t *e, uint8_t byte)
{
    switch (byte) {
    case 'b':
        move_to(e, word_left(e));
        break;
    case 'f':
        move_to(e, word_right(e));
        break;
    case 'd':
        erase(e, e->cursor, word_right(e), true);
        break;
    case DEL:
        erase(e, word_left(e), e->cursor, true);
        break;
    default:
        break;
    }
}

/* True: the byte belongs to an escape sequence. */
static bool key_escape(lineedit_t *e, uint8_t byte)
{
    if (byte == ESC) {
        e->keys = KEYS_ESCAPE;
        return true;
    }
    if (e->keys == KEYS_PLAIN || byte < 0x20) {
        e->keys = KEYS_PLAIN; /* a control character ends it */
        return false;
    }
    if (e->keys == KEYS_ESCAPE && (byte == '[' || byte == 'O')) {
        e->keys = byte == '[' ? KEYS_CSI : KEYS_SS3;
        e->param[0] = e->param[1] = e->params = 0;
        return true;
    }
    if (e->keys == KEYS_ESCAPE) {
        key_alt(e, byte);
    } else if (e->keys == KEYS_CSI && byte < 0x40) {
        e->params = e->params ? e->params : 1;
        unsigned *param = &e->param[e->params == 1 ? 0 : 1];
        if (byte >= '0' && byte <= '9') {
            *param = *param < 1000 ? *param * 10 + (byte - '0') : *param;
        } else if (byte == ';') {
            e->params = e->params < 3 ? e->params + 1 : 3;
        }
        return true;
    } else {
        key_sequence(e, byte);
    }
    e->keys = KEYS_PLAIN;
    return true;
}

static void key_control(lineedit_t *e, uint8_t byte)
{
    switch (byte) {
    case CTRL('A'):
        move_to(e, 0);
        break;
    case CTRL('E'):
        move_to(e, e->size);
        break;
    case CTRL('B'):
        move_to(e, previous_at(e, e->cursor));
        break;
    case CTRL('F'):
        move_to(e, next_at(e, e->cursor));
        break;
    case CTRL('D'):
        erase(e, e->cursor, next_at(e, e->cursor), false);
        break;
    case CTRL('H'):
    case DEL:
        erase(e, previous_at(e, e->cursor), e->cursor, false);
        break;
    case CTRL('K'):
        erase(e, e->cursor, e->size, true);
        break;
    case CTRL('U'):
        erase(e, 0, e->cursor, true);
        break;
    case CTRL('W'):
        erase(e, word_left(e), e->cursor, true);
        break;
    case CTRL('Y'):
        insert(e, e->cut, strlen(e->cut));
        break;
    case CTRL('P'):
        history_go(e, true);
        break;
    case CTRL('N'):
        history_go(e, false);
        break;
    case CTRL('L'):
        show_text(e, "\x1b[H\x1b[2J");
        redraw(e);
        break;
    case '\t':
        if (e->desc.complete) {
            complete(e);
        }
        break;
    default:
        break;
    }
}

/* Without an echo: only what a pipe may send. */
static void key_plain(lineedit_t *e, uint8_t byte)
{
    if (byte == CTRL('H') || byte == DEL) {
        e->size = e->cursor = previous_at(e, e->size);
        e->text[e->size] = 0;
    } else if (byte == '\t') {
        insert(e, " ", 1);
    }
}

/* Puts characters of several bytes together; what is no UTF-8 is left out. */
static void key_character(lineedit_t *e, uint8_t byte)
{
    if (byte < 0x80) {
        e->code_need = 0;
        insert(e, (const char *)&byte, 1);
        return;
    }
    if (byte >= 0xc0) {
        e->code_need = byte < 0xc2 || byte > 0xf4 ? 0 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
        e->code_have = 0;
    }
    if (!e->code_need) {
        return;
    }
    e->code[e->code_have++] = (char)byte;
    uint8_t lead = (uint8_t)e->code[0], second = (uint8_t)e->code[1];
    if (e->code_have == 2 && ((lead == 0xe0 && second < 0xa0) || (lead == 0xed && second > 0x9f) ||
                              (lead == 0xf0 && second < 0x90) || (lead == 0xf4 && second > 0x8f) ||
                              (lead == 0xc2 && second < 0xa0))) {
        e->code_need = 0; /* too long, a surrogate, too large, a control character */
    } else if (e->code_have == e->code_need) {
        insert(e, e->code, e->code_need);
        e->code_need = 0;
    }
}

static lineedit_result_t line_end(lineedit_t *e)
{
    show_text(e, "\r\n");
    if (e->too_long) {
        return LINEEDIT_TOO_LONG;
    }
    history_add(e);
    return LINEEDIT_LINE;
}

lineedit_result_t lineedit_feed(lineedit_t *e, uint8_t byte)
{
    bool after_return = e->after_return, tab = byte == '\t';
    e->after_return = byte == '\r';
    e->after_tab = e->after_tab && tab;
    if (byte == '\n' && after_return) {
        return LINEEDIT_MORE;
    }
    if (!e->desc.plain && key_escape(e, byte)) {
        return LINEEDIT_MORE;
    }
    if (byte == '\r' || byte == '\n') {
        return line_end(e);
    }
    if (byte == CTRL('C')) {
        show_text(e, "^C\r\n");
        return LINEEDIT_DROPPED;
    }
    if (byte >= 0x20 && byte != DEL) {
        key_character(e, byte);
    } else if (e->desc.plain) {
        key_plain(e, byte);
    } else {
        key_control(e, byte);
    }
    return LINEEDIT_MORE;
}

/* ---- Life ---- */

lineedit_t *lineedit_create(const lineedit_desc_t *desc)
{
    lineedit_t *edit = calloc(1, sizeof(*edit));
    if (edit) {
        edit->desc = *desc;
        edit->columns = COLUMNS_USUAL;
    }
    return edit;
}

void lineedit_free(lineedit_t *edit)
{
    for (size_t i = 0; edit && i < edit->lines; i++) {
        free(edit->history[i]);
    }
    free(edit);
}

void lineedit_begin(lineedit_t *e)
{
    e->size = e->cursor = e->first = 0;
    e->text[0] = 0;
    e->too_long = false;
    e->at = e->lines;
    e->code_need = 0;
    e->desc.write(e->desc.opaque, e->desc.prompt, strlen(e->desc.prompt));
}

const char *lineedit_text(const lineedit_t *edit)
{
    return edit->text;
}

void lineedit_set_plain(lineedit_t *e, bool plain)
{
    e->desc.plain = plain;
}

void lineedit_set_columns(lineedit_t *edit, unsigned columns)
{
    edit->columns = columns ? columns : COLUMNS_USUAL;
}
