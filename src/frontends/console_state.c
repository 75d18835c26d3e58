/* SPDX-License-Identifier: MPL-2.0 */
/* What anyone may ask of a console, and its state to and from bytes. */
#include "console_internal.h"

#include <stdlib.h>

void console_info(console_t *c, console_info_t *info)
{
    console_acquire(c);
    *info = (console_info_t){
        .name = c->name,
        .cols = c->cols,
        .rows = c->rows,
        .output = c->head,
        .input = c->in_total,
        .screens = console_screens(c),
        .channel = c->channel,
        .closed = c->closed,
    };
    for (const console_viewer_t *v = c->viewers; v; v = v->next) {
        info->viewers++;
    }
    host_mutex_unlock(c->lock);
}

size_t console_title(console_t *c, char *title, size_t size)
{
    console_acquire(c);
    const char *text = c->vt ? vt_title(c->vt) : "";
    size_t length = strlen(text);
    if (size) {
        size_t n = length < size ? length : size - 1;
        memcpy(title, text, n);
        title[n] = 0;
    }
    host_mutex_unlock(c->lock);
    return length;
}

void console_modes(console_t *c, console_modes_t *modes)
{
    vt_modes_t m;
    vt_cursor_t cursor;
    *modes = (console_modes_t){.plain = true};
    console_acquire(c);
    if (c->vt) {
        vt_modes(c->vt, &m);
        vt_cursor(c->vt, &cursor);
        modes->alternate = m.alternate;
        modes->plain = cursor.visible && m.wrap && m.mouse == VT_MOUSE_OFF &&
                       !(m.app_cursor || m.app_keypad || m.origin || m.insert ||
                         m.bracketed_paste || m.focus || m.margins);
    }
    host_mutex_unlock(c->lock);
}

char *console_clipboard(console_t *c, char *which, size_t *size)
{
    console_acquire(c);
    char *copy = c->clipboard ? malloc(c->clipboard_size + 1) : NULL;
    if (copy) {
        memcpy(copy, c->clipboard, c->clipboard_size + 1);
        *size = c->clipboard_size;
    }
    *which = c->clipboard_which;
    host_mutex_unlock(c->lock);
    return copy;
}

uint64_t console_hash(console_t *c)
{
    console_acquire(c);
    uint64_t hash = c->vt ? vt_hash(c->vt) : 0;
    host_mutex_unlock(c->lock);
    return hash;
}

char *console_draw(console_t *c, unsigned above, size_t *size)
{
    char *text = NULL;
    console_acquire(c);
    if (c->vt) {
        unsigned kept = vt_scrollback(c->vt);
        text = vt_draw(c->vt, -(int)(above < kept ? above : kept), (int)c->rows - 1, size);
    }
    host_mutex_unlock(c->lock);
    return text;
}

/* --- State: magic, lengths of input and screen (32 bits, little-endian), input, screen --- */

#define STATE_MAGIC "RVKITCON"
#define STATE_HEAD 16

uint8_t *console_save(console_t *c, size_t *size)
{
    size_t screen_size = 0;
    console_acquire(c);
    uint8_t *screen = c->vt ? vt_save(c->vt, &screen_size) : NULL;
    uint8_t *bytes = c->vt && !screen ? NULL : malloc(STATE_HEAD + c->in.size + screen_size);
    if (bytes) {
        memcpy(bytes, STATE_MAGIC, 8);
        util_put_le32(bytes + 8, (uint32_t)c->in.size);
        util_put_le32(bytes + 12, (uint32_t)screen_size);
        ring_t in = c->in; /* read from a copy: nothing is taken away */
        ring_get(&in, bytes + STATE_HEAD, in.size);
        if (screen) {
            memcpy(bytes + STATE_HEAD + c->in.size, screen, screen_size);
        }
        *size = STATE_HEAD + c->in.size + screen_size;
    }
    host_mutex_unlock(c->lock);
    free(screen);
    return bytes;
}

static void console_take_state(console_t *c, vt_t *vt, const uint8_t *input, size_t input_size)
{
    ring_get(&c->in, NULL, c->in.size);
    ring_put(&c->in, input, input_size);
    c->flags |= input_size ? CHARDEV_RX : 0;
    if (vt) {
        vt_destroy(c->vt);
        c->vt = vt;
        c->vt_base = c->head - vt_written(vt);
        c->hole_count = 0;
        c->cols = (uint16_t)vt_cols(vt);
        c->rows = (uint16_t)vt_rows(vt);
        for (console_viewer_t *v = c->viewers; v; v = v->next) {
            memset(v->dirty, 1, sizeof(v->dirty));
        }
        console_spoil(c);
        console_mark(c, CONSOLE_RESIZED | CONSOLE_TITLE, NULL);
    }
}

bool console_load(console_t *c, const uint8_t *bytes, size_t size)
{
    if (size < STATE_HEAD || memcmp(bytes, STATE_MAGIC, 8) != 0) {
        return false;
    }
    size_t input_size = util_get_le32(bytes + 8), screen_size = util_get_le32(bytes + 12);
    if (input_size > CONSOLE_KEYS_MAX || size - STATE_HEAD < input_size ||
        size - STATE_HEAD - input_size != screen_size || c->channel != !screen_size) {
        return false;
    }
    vt_callbacks_t callbacks = console_vt_callbacks(c);
    vt_t *vt =
        screen_size ? vt_load(bytes + STATE_HEAD + input_size, screen_size, &callbacks) : NULL;
    if (screen_size && !vt) {
        return false;
    }
    console_acquire(c);
    bool ok = ring_reserve(&c->in, input_size);
    if (ok) {
        console_take_state(c, vt, bytes + STATE_HEAD, input_size);
    }
    console_leave(c);
    if (!ok) {
        vt_destroy(vt);
    }
    return ok;
}
