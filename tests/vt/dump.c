/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The terminal's side of tests/vt/oracle.sh. Standard input is a row of cases: columns, rows, lines
 * of scrollback, where to cut the bytes in two, how many bytes (32 bits each, little-endian), the
 * bytes. Each case is told as text. "dump bench FILE" writes the file's bytes to a terminal for a
 * second and tells MB/s.
 */
#include "frontends/vt.h"
#include "util.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

typedef struct {
    char replies[1 << 16];
    size_t len;
    unsigned bells;
} heard_t;

static void on_reply(void *ctx, const void *bytes, size_t len)
{
    heard_t *h = ctx;
    for (size_t i = 0; i < len && h->len + 3 < sizeof(h->replies); i++) {
        h->len += (size_t)sprintf(h->replies + h->len, "%02x", ((const uint8_t *)bytes)[i]);
    }
}

static void on_bell(void *ctx)
{
    ((heard_t *)ctx)->bells++;
}

static unsigned flags(const vt_cell_t *c)
{
    static const uint32_t fg[] = {VT_BOLD, VT_DIM, VT_ITALIC, VT_INVERSE, VT_INVISIBLE, VT_STRIKE};
    static const uint32_t bg[] = {VT_BLINK, VT_OVERLINE, VT_PROTECTED};
    unsigned f = 0;
    for (unsigned i = 0; i < ARRAY_LEN(fg); i++) {
        f |= c->fg & fg[i] ? 1u << i : 0;
    }
    for (unsigned i = 0; i < ARRAY_LEN(bg); i++) {
        f |= c->bg & bg[i] ? 1u << (i + 6) : 0;
    }
    return f;
}

static void cell_text(const vt_t *vt, const vt_cell_t *c, char *out)
{
    uint32_t codes[VT_CLUSTER_MAX];
    unsigned n = vt_cell_text(vt, c, codes), style = (c->bg & VT_UNDERLINE) >> VT_UNDERLINE_SHIFT;
    const char *link;
    uint32_t color = vt_cell_extra(vt, c, &link);
    for (unsigned i = 0; i < n; i++) {
        out += sprintf(out, "%s%x", i ? "+" : "", (unsigned)codes[i]);
    }
    sprintf(out, "/%u/%x/%x/%x/%u/%x/%.200s", vt_cell_width(c), (unsigned)(c->fg & VT_COLOR_MASK),
            (unsigned)(c->bg & VT_COLOR_MASK), flags(c), style, style ? (unsigned)color : 0, link);
}

static void row_text(vt_t *vt, int row)
{
    char last[1024] = "", now[1024];
    unsigned run = 0;
    const vt_cell_t *cells = vt_row(vt, row);
    printf("%d%s", row, vt_row_wrapped(vt, row) ? "w" : "");
    for (unsigned x = 0; x < vt_cols(vt); x++) {
        cell_text(vt, &cells[x], now);
        if (run && strcmp(now, last)) {
            printf(" %u*%s", run, last);
            run = 0;
        }
        strcpy(last, now);
        run++;
    }
    printf(" %u*%s\n", run, last);
}

static void tell(vt_t *vt, const heard_t *h)
{
    vt_cursor_t c;
    vt_modes_t m;
    vt_cursor(vt, &c);
    vt_modes(vt, &m);
    printf("replies %s\nbells %u\ntitle %s\n", h->replies, h->bells, vt_title(vt));
    printf("cursor %u %u %d %d %d %d\n", c.row, c.col, c.pending_wrap, c.visible, c.shape, c.blink);
    printf("modes %d%d%d%d%d%d%d%d%d%d%d %d %d\n", m.app_cursor, m.app_keypad, m.origin, m.wrap,
           m.reverse_wrap, m.insert, m.newline, m.bracketed_paste, m.focus, m.sync, m.alternate,
           (int)m.mouse, (int)m.mouse_format);
    for (int row = -(int)vt_scrollback(vt); row < (int)vt_rows(vt); row++) {
        row_text(vt, row);
    }
    printf("end\n");
}

/* Every fourth case goes through its saved state between the two parts. */
static vt_t *through_state(vt_t *vt, const vt_callbacks_t *cb)
{
    size_t len = 0;
    uint8_t *state = vt_save(vt, &len);
    vt_t *loaded = state ? vt_load(state, len, cb) : NULL;
    free(state);
    vt_destroy(vt);
    return loaded;
}

static int bench(const char *path)
{
    FILE *f = fopen(path, "rb");
    static uint8_t bytes[1 << 24];
    size_t len = f ? fread(bytes, 1, sizeof(bytes), f) : 0;
    vt_t *vt = vt_create(80, 24, VT_DEFAULT_SCROLLBACK, NULL);
    if (!len || !vt) {
        return 1;
    }
    fclose(f);
    clock_t start = clock();
    double total = 0, seconds = 0;
    while (seconds < 1) {
        vt_write(vt, bytes, len);
        total += (double)len;
        seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
    }
    printf("%.0f\n", total / seconds / 1e6);
    vt_destroy(vt);
    return 0;
}

int main(int argc, char **argv)
{
    uint8_t head[20];
    heard_t *h = malloc(sizeof(*h));
    if (argc == 3) {
        return bench(argv[2]);
    }
    for (unsigned n = 0; h && fread(head, sizeof(head), 1, stdin) == 1; n++) {
        uint32_t cut = util_get_le32(head + 12), len = util_get_le32(head + 16);
        uint8_t *bytes = malloc(len + 1);
        vt_callbacks_t cb = {.reply = on_reply, .bell = on_bell, .ctx = h};
        vt_t *vt =
            vt_create(util_get_le32(head), util_get_le32(head + 4), util_get_le32(head + 8), &cb);
        *h = (heard_t){.len = 0};
        if (!bytes || !vt || fread(bytes, 1, len, stdin) != len || cut > len) {
            return 1;
        }
        vt_write(vt, bytes, cut);
        vt = n % 4 ? vt : through_state(vt, &cb);
        if (!vt) {
            return 1;
        }
        vt_write(vt, bytes + cut, len - cut);
        tell(vt, h);
        vt_destroy(vt);
        free(bytes);
    }
    free(h);
    return 0;
}
