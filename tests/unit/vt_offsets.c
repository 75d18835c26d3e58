/* SPDX-License-Identifier: MPL-2.0 */
/* Where in the stream the terminal was asked something: vt_written, vt_sequence_start. */
#include "vt_rig.h"
#include "util.h"

#define RANGES 64

typedef struct {
    vt_t *vt;
    uint64_t from[RANGES], to[RANGES];
    unsigned count;
} ranges_t;

static void note(ranges_t *r)
{
    if (r->count < RANGES) {
        r->from[r->count] = vt_sequence_start(r->vt);
        r->to[r->count++] = vt_written(r->vt);
    }
}

static void on_reply(void *ctx, const void *bytes, size_t len)
{
    (void)bytes;
    (void)len;
    note(ctx);
}

static void on_bell(void *ctx)
{
    note(ctx);
}

static void on_title(void *ctx, const char *title)
{
    (void)title;
    note(ctx);
}

static void on_clipboard(void *ctx, char which, const char *base64, size_t len)
{
    (void)which;
    (void)base64;
    (void)len;
    note(ctx);
}

static const vt_callbacks_t callbacks = {on_reply, on_bell, on_title, on_clipboard, NULL};

static bool start_rig(ranges_t *r)
{
    vt_callbacks_t cb = callbacks;
    cb.ctx = r;
    *r = (ranges_t){.vt = vt_create(20, 3, 10, &cb)};
    return r->vt != NULL;
}

typedef enum {
    TEXT,   /* nothing is unfinished after any of its bytes */
    SILENT, /* one sequence */
    TOLD,   /* one sequence, the terminal has to tell of it */
    OPEN,   /* the next part ends it, or goes on with it */
    OPENED, /* TOLD, but it is for the next part's second byte to end it */
    INSIDE, /* TOLD, while OPEN goes on */
    REST    /* of OPEN */
} kind_t;

typedef struct {
    kind_t kind;
    const char *bytes;
} part_t;

static const part_t parts[] = {
    {TEXT, "plain text that wraps\r\n"},
    {TOLD, "\a"},
    {TOLD, "\33[c"},
    {TEXT, "x"},
    {TOLD, "\33[5n"},
    {SILENT, "\33[1;31m"},
    {TOLD, "\33[?25$p"},
    /* 8-bit introducers, which are UTF-8 here */
    {TOLD, "\xc2\x9b"
           "6n"},
    {SILENT, "\xc3\xa9"},
    {SILENT, "\xf0\x9f\x98\x80"},
    {TOLD, "\xc2\x90$qr\xc2\x9c"},
    {TOLD, "\xc2\x9d"
           "12;?\a"},
    /* CAN, SUB, ESC and C1 cancel */
    {SILENT, "\33[3\30"},
    {TEXT, "x"},
    {SILENT, "\33[1\32"},
    {OPEN, "\33[2"},
    {SILENT, "\33[0m"},
    {OPEN, "\33[2;"},
    {TOLD, "\33[>c"},
    {OPEN, "\33P1;2"},
    {TOLD, "\xc2\x9b=c"},
    {SILENT, "\33]10;?\30"},
    {SILENT, "\33P$qm\32"},
    {OPEN, "\33]10;?"},
    {SILENT, "\xc2\x85"},
    /* controls inside a sequence */
    {OPEN, "\33[12"},
    {INSIDE, "\a"},
    {REST, ";3H"},
    {OPEN, "\33["},
    {INSIDE, "\a"},
    {TOLD, "\33[c"},
    {OPEN, "\33"},
    {INSIDE, "\a"},
    {REST, "[0m"},
    /* strings, ended by BEL and both forms of ST */
    {TOLD, "\33]2;title\a"},
    {TOLD, "\33]10;?\33\\"},
    {TOLD, "\33]11;?\xc2\x9c"},
    {TOLD, "\33]52;c;?\33\\"},
    {SILENT, "\33]4;1;#123\33\\"},
    {TOLD, "\33P$qm\33\\"},
    {TOLD, "\33P$q q\33\\"},
    {SILENT, "\33X[c\xc2\x9c"},
    {OPEN, "\33_no\a"},
    {SILENT, "\33\\"},
    {OPEN, "\33^"},
    {TOLD, "\33[c"},
    /* and by an ESC that is not ST's */
    {OPENED, "\33]10;?"},
    {SILENT, "\33[1m"},
    {OPENED, "\33P$qm"},
    {TOLD, "\33[c"},
    {OPENED, "\33]11;?"},
    {SILENT, "\33\30"},
    {TOLD, "\33[18t"},
    {TOLD, "\33Z"},
    {SILENT, "\33c"},
    /* what is not UTF-8 */
    {TEXT, "\xff\xc0"},
    {OPEN, "\xe4\xb8"},
    {TOLD, "\33[?6n"},
    {OPEN, "\xe4"},
    {TOLD, "\a"},
    {OPEN, "\33["},
    {TEXT, "\xff"},
    {TEXT, "6n"},
};

static uint8_t stream[1024];
static size_t stream_len;
static ranges_t want;

static void build(void)
{
    stream_len = 0;
    want = (ranges_t){0};
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        size_t len = strlen(parts[i].bytes);
        memcpy(stream + stream_len, parts[i].bytes, len);
        if (parts[i].kind == TOLD || parts[i].kind == OPENED || parts[i].kind == INSIDE) {
            want.from[want.count] = stream_len;
            want.to[want.count++] = stream_len + len;
        }
        stream_len += len;
    }
}

static bool same(const ranges_t *got)
{
    bool good = got->count == want.count;
    for (unsigned i = 0; i < got->count && i < want.count; i++) {
        if (got->from[i] != want.from[i] || got->to[i] != want.to[i]) {
            printf("# range %u: want %u-%u, got %u-%u\n", i, (unsigned)want.from[i],
                   (unsigned)want.to[i], (unsigned)got->from[i], (unsigned)got->to[i]);
            good = false;
        }
    }
    return good;
}

TEST(ranges_of_a_whole_stream)
{
    ranges_t r;
    CHECK(start_rig(&r));
    build();
    CHECK(want.count > 25);
    vt_write(r.vt, stream, stream_len);
    CHECK(same(&r));
    CHECK_EQ(stream_len, vt_written(r.vt));
    CHECK_EQ(stream_len, vt_sequence_start(r.vt));
    vt_destroy(r.vt);
}

/* Each byte alone; and between them, what is unfinished. */
TEST(ranges_and_unfinished_byte_by_byte)
{
    ranges_t r;
    uint64_t at = 0, begun = 0;
    unsigned wrong = 0;
    CHECK(start_rig(&r));
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        kind_t kind = parts[i].kind;
        size_t len = strlen(parts[i].bytes);
        /* Its first byte does not say yet that it ends the part before. */
        bool late = i && (parts[i - 1].kind == OPENED ||
                          (parts[i - 1].kind == OPEN && (uint8_t)parts[i].bytes[0] >= 0x80));
        uint64_t part = at;
        for (size_t j = 0; j < len; j++) {
            bool last = j + 1 == len && kind != OPEN && kind != OPENED && kind != INSIDE;
            vt_write(r.vt, parts[i].bytes + j, 1);
            at++;
            if (kind != INSIDE && kind != REST && !(late && j == 0)) {
                begun = part;
            }
            uint64_t start = kind == TEXT || last ? at : begun;
            if (vt_written(r.vt) != at || vt_sequence_start(r.vt) != start) {
                printf("# part %u byte %u: want %u, got %u\n", (unsigned)i, (unsigned)j,
                       (unsigned)start, (unsigned)vt_sequence_start(r.vt));
                wrong++;
            }
        }
    }
    CHECK_EQ(0, wrong);
    CHECK(same(&r));
    vt_destroy(r.vt);
}

TEST(ranges_in_random_chunks)
{
    uint32_t seed = 1;
    unsigned good = 0;
    build();
    for (unsigned round = 0; round < 500; round++) {
        ranges_t r;
        CHECK(start_rig(&r));
        for (size_t at = 0; at < stream_len;) {
            seed = seed * 1664525 + 1013904223;
            size_t n = 1 + (seed >> 16) % (1 + round % 40);
            n = n < stream_len - at ? n : stream_len - at;
            vt_write(r.vt, stream + at, n);
            at += n;
        }
        good += same(&r) && vt_sequence_start(r.vt) == stream_len;
        vt_destroy(r.vt);
    }
    CHECK_EQ(500, good);
}

/* Wherever the stream is cut, a loaded terminal goes on with it; its offsets begin at the cut. */
TEST(offsets_after_load_begin_at_zero)
{
    vt_callbacks_t cb = callbacks;
    unsigned good = 0;
    build();
    for (size_t cut = 0; cut <= stream_len; cut++) {
        ranges_t r;
        size_t len = 0;
        CHECK(start_rig(&r));
        vt_write(r.vt, stream, cut);
        uint8_t *state = vt_save(r.vt, &len);
        vt_destroy(r.vt);
        unsigned before = r.count;
        cb.ctx = &r;
        r.vt = vt_load(state, len, &cb);
        free(state);
        bool began = r.vt && vt_written(r.vt) == 0 && vt_sequence_start(r.vt) == 0;
        vt_write(r.vt, stream + cut, stream_len - cut);
        for (unsigned i = before; i < r.count && i < RANGES; i++) {
            r.from[i] = r.from[i] || want.from[i] >= cut ? r.from[i] + cut : want.from[i];
            /* A string that ended before the cut is told of at the cut. */
            r.to[i] += cut == want.to[i] + 1 && !r.to[i] ? cut - 1 : cut;
        }
        good += began && same(&r) && vt_written(r.vt) == stream_len - cut;
        vt_destroy(r.vt);
    }
    CHECK_EQ(stream_len + 1, good);
}

TEST(reset_ends_what_was_unfinished)
{
    ranges_t r;
    CHECK(start_rig(&r));
    say(r.vt, "ab\33[1");
    CHECK_EQ(2, vt_sequence_start(r.vt));
    vt_reset(r.vt);
    CHECK_EQ(5, vt_sequence_start(r.vt));
    say(r.vt, "\33[5n");
    CHECK(r.count == 1 && r.from[0] == 5 && r.to[0] == 9);
    vt_destroy(r.vt);
}

int main(void)
{
    RUN(ranges_of_a_whole_stream);
    RUN(ranges_and_unfinished_byte_by_byte);
    RUN(ranges_in_random_chunks);
    RUN(offsets_after_load_begin_at_zero);
    RUN(reset_ends_what_was_unfinished);
    return tap_finish();
}
