/* SPDX-License-Identifier: MPL-2.0 */
/* A terminal that remembers what it said, and its screen as text. */
#ifndef RVKIT_TESTS_VT_RIG_H
#define RVKIT_TESTS_VT_RIG_H

#include "frontends/vt.h"
#include "tap.h"

#include <stdlib.h>

typedef struct {
    char replies[4096], title[2048], clip[256];
    size_t len;
    unsigned bells, titles, clips;
} vt_heard_t;

static void rig_reply(void *ctx, const void *bytes, size_t len)
{
    vt_heard_t *h = ctx;
    len = len < sizeof(h->replies) - 1 - h->len ? len : sizeof(h->replies) - 1 - h->len;
    memcpy(h->replies + h->len, bytes, len);
    h->len += len;
    h->replies[h->len] = 0;
}

static void rig_bell(void *ctx)
{
    ((vt_heard_t *)ctx)->bells++;
}

static void rig_title(void *ctx, const char *title)
{
    vt_heard_t *h = ctx;
    h->titles++;
    snprintf(h->title, sizeof(h->title), "%s", title);
}

static void rig_clip(void *ctx, char which, const char *base64, size_t len)
{
    vt_heard_t *h = ctx;
    h->clips++;
    snprintf(h->clip, sizeof(h->clip), "%c:%.*s", which, base64 ? (int)len : 1,
             base64 ? base64 : "?");
}

static inline vt_t *rig(unsigned cols, unsigned rows, unsigned scrollback, vt_heard_t *h)
{
    vt_callbacks_t cb = {rig_reply, rig_bell, rig_title, rig_clip, h};
    memset(h, 0, sizeof(*h));
    return vt_create(cols, rows, scrollback, &cb);
}

static inline void say(vt_t *vt, const char *text)
{
    vt_write(vt, text, strlen(text));
}

/* Rows from row0 to row1 are what is wanted, one a line. */
static inline bool shows(vt_t *vt, int row0, int row1, const char *want)
{
    size_t len = 0;
    char got[8192];
    got[0] = 0;
    for (int row = row0; row <= row1; row++) {
        char *text = vt_select(vt, row, 0, row, (int)vt_cols(vt) - 1, true, &len);
        snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s%s", row == row0 ? "" : "\n",
                 text ? text : "(none)");
        free(text);
    }
    if (strcmp(got, want)) {
        printf("# want:\n%s\n# got:\n%s\n", want, got);
    }
    return !strcmp(got, want);
}

static inline bool cursor_at(vt_t *vt, unsigned row, unsigned col)
{
    vt_cursor_t c;
    vt_cursor(vt, &c);
    if (c.row != row || c.col != col) {
        printf("# cursor: want %u %u, got %u %u\n", row, col, c.row, c.col);
    }
    return c.row == row && c.col == col;
}

/* What the guest was told since the last call. */
static inline bool said(vt_heard_t *h, const char *want)
{
    bool same = !strcmp(h->replies, want);
    if (!same) {
        printf("# want reply %s, got %s\n", want + (*want == 27), h->replies + (*h->replies == 27));
    }
    h->len = 0;
    h->replies[0] = 0;
    return same;
}

#endif
