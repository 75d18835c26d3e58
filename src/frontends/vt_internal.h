/* SPDX-License-Identifier: MPL-2.0 */
/* What the files of the terminal share; see vt.h for what it is. */
#ifndef RVKIT_VT_INTERNAL_H
#define RVKIT_VT_INTERNAL_H

#include "vt.h"
#include "../util.h"

#define VT_PARAMS 32
#define VT_STRING_MAX                                                                              \
    (1u << 20) /* bytes of an OSC or DCS string; longer ones are ignored whole                     \
                */
#define VT_TITLE_MAX 1024
#define VT_TITLE_STACK 10
#define VT_LINK_MAX 2083
#define VT_EXTRAS 1024
#define VT_CLUSTERS 16384

#define VT_ROW_WRAPPED 1u
#define VT_ROW_PLAIN 2u /* ASCII or nothing, no attribute: one byte says all of a cell */

typedef struct {
    vt_cell_t *cells; /* cols of them */
    uint32_t flags;
    bool dirty;
} vt_line_t;

/* What characters are written with. */
typedef struct {
    uint32_t fg, bg, ext;
} vt_pen_t;

typedef struct {
    unsigned x, y;
    vt_pen_t pen;
    bool origin;
    uint8_t gl;
    uint8_t charsets[4];
} vt_saved_t;

typedef struct {
    vt_line_t *lines; /* rows of them; NULL for an alternate screen that was not needed yet */
    vt_cell_t *cells;
    unsigned top, bottom, left, right; /* margins, all included */
    vt_saved_t saved;
    uint8_t tabs[(VT_MAX_COLS + 7) / 8];
} vt_screen_t;

typedef enum {
    VT_GROUND,
    VT_ESCAPE,
    VT_ESCAPE_MID,
    VT_CSI_ENTRY,
    VT_CSI_PARAM,
    VT_CSI_MID,
    VT_CSI_IGNORE,
    VT_OSC,
    VT_STRING, /* SOS, PM, APC: thrown away */
    VT_DCS_ENTRY,
    VT_DCS_PARAM,
    VT_DCS_MID,
    VT_DCS_IGNORE,
    VT_DCS_DATA,
    VT_OSC_ESC, /* ESC came: the string is carried out with the next byte, which may belong to it */
    VT_DCS_ESC,
    VT_STATES
} vt_state_t;

typedef struct {
    uint32_t state;
    uint32_t code, code_left, code_min; /* a UTF-8 sequence under way */
    uint32_t collect;                   /* prefix and intermediates, the last one lowest */
    uint32_t collected;
    int32_t params[VT_PARAMS];
    uint32_t count;
    int32_t subs[VT_PARAMS];
    uint32_t sub_count;
    uint8_t sub_start[VT_PARAMS], sub_end[VT_PARAMS];
    bool digit_is_sub, full, sub_full;
    uint32_t dcs; /* collect and final of the DCS under way */
    uint8_t *string;
    uint32_t string_len, string_cap;
    bool string_over;
} vt_parser_t;

typedef struct {
    uint32_t color;
    uint32_t hash;
    char *link; /* NULL for none */
} vt_extra_t;

typedef struct {
    uint8_t count; /* 0: free */
    uint32_t codes[VT_CLUSTER_MAX];
} vt_cluster_t;

/* Lines above the screen, encoded, in a ring of bytes. */
typedef struct {
    uint8_t *bytes;
    uint32_t cap, head, tail; /* the next write; the oldest line */
    uint32_t limit;
    uint32_t *starts, *sizes; /* ring of max lines */
    uint32_t first, count, max;
} vt_scrollback_t;

struct vt {
    unsigned cols, rows;
    unsigned x, y;
    bool pending; /* the next character wraps first; x is the last column then */
    vt_pen_t pen;
    vt_modes_t modes;
    bool cursor_hidden;
    bool cursor_blink;
    uint8_t cursor_style; /* DECSCUSR's number */
    uint8_t gl, single_shift;
    uint8_t charsets[4];
    bool map_chars;      /* the character set in GL, or a single shift, is not ASCII */
    unsigned last_width; /* of the character just before, 0 after anything else: for REP */
    vt_screen_t normal, alt, *screen;
    vt_parser_t parser;
    vt_scrollback_t scrollback;
    const vt_cell_t *reflowed; /* during a resize: the cells of the new screen */
    size_t reflowed_count;
    vt_cell_t *scratch; /* cols cells: a decoded row */
    uint8_t *encode;    /* room for one encoded row */
    uint64_t scrolled;
    vt_extra_t *extras;
    uint32_t extra_count;
    vt_cluster_t *clusters;
    uint32_t cluster_count, cluster_hint;
    uint64_t written;                      /* see vt_written; start: vt_sequence_start */
    uint64_t start, char_start, esc_start; /* the character under way, the ESC of VT_OSC_ESC */
    uint64_t bytes_in, extras_gc_at, clusters_gc_at, clusters_added;
    uint32_t palette[VT_PALETTE];
    char title[VT_TITLE_MAX], icon[VT_TITLE_MAX];
    char (*titles)[VT_TITLE_MAX], (*icons)[VT_TITLE_MAX];
    unsigned title_depth, icon_depth;
    vt_callbacks_t cb;
};

static inline vt_line_t *vt_line(vt_t *vt, unsigned y)
{
    return &vt->screen->lines[y];
}

static inline vt_cell_t vt_pen_blank(const vt_pen_t *pen)
{
    return (vt_cell_t){VT_BLANK, pen->fg, pen->bg, pen->ext};
}

/* What an erased cell looks like: the background's colour and nothing else. */
static inline vt_cell_t vt_erased(const vt_t *vt)
{
    return (vt_cell_t){VT_BLANK, 0, vt->pen.bg & VT_COLOR_MASK, 0};
}

static inline bool vt_cell_is_blank(const vt_cell_t *c)
{
    return c->ch == VT_BLANK && !(c->fg | c->bg | c->ext);
}

/* Something of it is seen even where it has no character: reversed, or with a line. */
static inline bool vt_cell_has_lines(const vt_cell_t *c)
{
    return (c->fg & (VT_INVERSE | VT_STRIKE)) || (c->bg & (VT_UNDERLINE | VT_OVERLINE));
}

/* vt_screen.c: rows */
bool vt_screen_alloc(vt_screen_t *s, unsigned cols, unsigned rows);
void vt_screen_free(vt_screen_t *s);
void vt_screen_reset(vt_t *vt, vt_screen_t *s);
void vt_line_fill(vt_t *vt, vt_line_t *line, unsigned from, unsigned to, vt_cell_t cell);
void vt_line_erase(vt_t *vt, unsigned y, unsigned from, unsigned to, bool selective);
void vt_line_insert(vt_t *vt, unsigned y, unsigned x, unsigned count, vt_cell_t fill);
void vt_line_delete(vt_t *vt, unsigned y, unsigned x, unsigned count, vt_cell_t fill);
void vt_scroll_up(vt_t *vt, unsigned top, unsigned bottom, unsigned count);
void vt_scroll_down(vt_t *vt, unsigned top, unsigned bottom, unsigned count);
void vt_scroll_feed(vt_t *vt, bool wrapped);
void vt_dirty_all(vt_t *vt);

/* vt_print.c: characters */
void vt_print(vt_t *vt, uint32_t code);
size_t vt_print_ascii(vt_t *vt, const uint8_t *bytes, size_t len);
void vt_repeat(vt_t *vt, unsigned count);

/* vt_store.c: clusters and extras */
uint32_t vt_cluster_add(vt_t *vt, const uint32_t *codes, unsigned count);
uint32_t vt_extra_get(vt_t *vt, uint32_t color, const char *link, size_t len);
void vt_store_free(vt_t *vt);

/* vt_charset.c */
bool vt_charset_known(uint8_t final);
uint32_t vt_charset_map(vt_t *vt, uint32_t code);
void vt_charset_update(vt_t *vt);

/* vt_parser.c */
void vt_parser_reset(vt_parser_t *p);
int32_t vt_param(const vt_parser_t *p, unsigned i);

/* vt_control.c: C0, C1, ESC; cursor */
void vt_control(vt_t *vt, uint32_t code);
void vt_esc(vt_t *vt, uint32_t ident);
void vt_clamp(vt_t *vt);
void vt_goto(vt_t *vt, int64_t x, int64_t y);
void vt_save_cursor(vt_t *vt);
void vt_restore_cursor(vt_t *vt);
void vt_soft_reset(vt_t *vt);

/* vt_csi.c, vt_modes.c, vt_sgr.c, vt_report.c, vt_osc.c */
void vt_csi(vt_t *vt, uint32_t ident);
void vt_mode_set(vt_t *vt, bool private_mode, bool on);
int vt_mode_get(const vt_t *vt, bool private_mode, int32_t mode);
void vt_sgr(vt_t *vt);
size_t vt_sgr_text(const vt_t *vt, const vt_pen_t *pen, char *out, size_t cap);
bool vt_report_csi(vt_t *vt, uint32_t ident);
void vt_dcs(vt_t *vt, uint32_t ident, const uint8_t *data, size_t len);
void vt_osc(vt_t *vt, const uint8_t *data, size_t len, bool bell);
void vt_reply(vt_t *vt, const char *fmt, ...) PRINTF_LIKE(2, 3);
void vt_palette_reset(vt_t *vt, unsigned index);
void vt_title_pop(vt_t *vt, int32_t which);
void vt_title_push(vt_t *vt, int32_t which);

/* vt_scrollback.c */
bool vt_scrollback_init(vt_scrollback_t *sb, unsigned max);
void vt_scrollback_free(vt_scrollback_t *sb);
void vt_scrollback_push(vt_t *vt, vt_scrollback_t *sb, const vt_line_t *line, unsigned cols);
/* index 0 is the oldest; fills cols cells and says the row's flags. */
uint32_t vt_scrollback_get(vt_t *vt, const vt_scrollback_t *sb, uint32_t index, vt_cell_t *cells,
                           unsigned cols);
uint32_t vt_scrollback_flags(const vt_scrollback_t *sb, uint32_t index);
void vt_scrollback_mark_extras(const vt_scrollback_t *sb, uint8_t *used);
size_t vt_scrollback_encode_size(unsigned cols);

#endif
