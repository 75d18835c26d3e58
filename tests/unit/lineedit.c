/* SPDX-License-Identifier: MPL-2.0 */
/* Line editing: keys go in, and a terminal shows what they did. */
#include "frontends/lineedit.h"

#include "vt_rig.h"

#include "util.h"

typedef struct {
    lineedit_t *edit;
    vt_t *vt;
    vt_heard_t heard;
    char line[LINEEDIT_MAX]; /* the last complete one */
    lineedit_result_t result;
    size_t written;
} typist_t;

static void on_write(void *opaque, const char *bytes, size_t size)
{
    typist_t *t = opaque;
    t->written += size;
    vt_write(t->vt, bytes, size);
}

static void on_complete(void *opaque, const char *before, lineedit_offers_t *offers)
{
    static const char *const first[] = {"pause", "portfwd", "print", "quit", "two words", "p\xc3\xa4", "quit"};
    static const char *const second[] = {"one", "other"};
    (void)opaque;
    for (size_t i = 0; i < ARRAY_LEN(first) && !strchr(before, ' '); i++) {
        lineedit_offer(offers, first[i]);
    }
    for (size_t i = 0; i < ARRAY_LEN(second) && strchr(before, ' '); i++) {
        lineedit_offer(offers, second[i]);
    }
}

static void begin(typist_t *t, unsigned cols, bool plain)
{
    memset(t, 0, sizeof(*t));
    t->vt = rig(cols, 8, 0, &t->heard);
    const lineedit_desc_t desc = {
        .opaque = t, .prompt = "> ", .plain = plain, .write = on_write, .complete = on_complete};
    t->edit = lineedit_create(&desc);
    lineedit_set_columns(t->edit, cols);
    lineedit_begin(t->edit);
}

static void end(typist_t *t)
{
    lineedit_free(t->edit);
    vt_destroy(t->vt);
}

static void type(typist_t *t, const char *keys)
{
    for (; *keys; keys++) {
        lineedit_result_t result = lineedit_feed(t->edit, (uint8_t)*keys);
        if (result != LINEEDIT_MORE) {
            t->result = result;
            snprintf(t->line, sizeof(t->line), "%s", result == LINEEDIT_LINE ? lineedit_text(t->edit) : "");
            lineedit_begin(t->edit);
        }
    }
}

/* Types keys and Enter on a terminal of 40 columns. */
static bool gives(const char *keys, const char *want)
{
    typist_t t;
    begin(&t, 40, false);
    type(&t, keys);
    type(&t, "\r");
    bool ok = t.result == LINEEDIT_LINE && !strcmp(t.line, want);
    if (!ok) {
        printf("# want: %s\n# got:  %s\n", want, t.line);
    }
    end(&t);
    return ok;
}

TEST(keys)
{
    CHECK(gives("hello", "hello"));
    CHECK(gives("", ""));
    CHECK(gives("helo\x1b[Dl", "hello"));             /* left */
    CHECK(gives("helo\x1bODl", "hello"));
    CHECK(gives("ello\x1b[Hh", "hello"));             /* Home */
    CHECK(gives("ello\x01h", "hello"));
    CHECK(gives("ello\x1b[1~h", "hello"));
    CHECK(gives("ell\x1b[Hh\x1b[Fo", "hello"));       /* End */
    CHECK(gives("ell\x1b[7~h\x1b[8~o", "hello"));
    CHECK(gives("ell\x01h\x05o", "hello"));
    CHECK(gives("hxello\x01\x1b[C\x04", "hello"));    /* right, Ctrl-D */
    CHECK(gives("hxello\x01\x06\x1b[3~", "hello"));   /* Ctrl-F, Delete */
    CHECK(gives("hellox\x7f", "hello"));
    CHECK(gives("hellox\x08", "hello"));
    CHECK(gives("\x7f\x04hello", "hello"));           /* nothing there to delete */
    CHECK(gives("helloxyz\x02\x02\x02\x0b", "hello")); /* Ctrl-B, Ctrl-K */
    CHECK(gives("xyzhello\x01\x06\x06\x06\x15", "hello")); /* Ctrl-U */
    CHECK(gives("one two three\x17", "one two "));    /* Ctrl-W */
    CHECK(gives("one two\x17\x01\x19", "twoone "));   /* Ctrl-Y */
    CHECK(gives("one two\x1b" "b\x1b[1;5Dx", "xone two"));
    CHECK(gives("one two\x01\x1b" "f\x1b" "d", "one")); /* Alt-F, Alt-D */
    CHECK(gives("one two\x01\x1b[1;5Cx", "onex two"));
    CHECK(gives("one two\x1b\x7fx", "one x"));
    CHECK(gives("a\x1b[99;99;99zb\x1b[15~c\x1bzd", "abcd")); /* unknown keys */
    CHECK(gives("a\x1b[\x01" "b", "ba"));                /* a control character ends a sequence */
    CHECK(gives("a\x1b[999999999999999999Cb", "ab"));
    CHECK(gives("a\x02\x0e\x10\x0c\x1f" "b", "ba"));
}

TEST(characters)
{
    CHECK(gives("gr\xc3\xbc\xc3\x9f" "e\x7f\x7f\x7f", "gr"));
    CHECK(gives("\xe6\x97\xa5\xe6\x9c\xac\x02\x7fx", "x\xe6\x9c\xac"));
    CHECK(gives("e\xcc\x81\x7f", ""));                /* with its mark */
    CHECK(gives("ae\xcc\x81z\x02\x02x", "axe\xcc\x81z"));
    CHECK(gives("\xf0\x9f\x98\x80!", "\xf0\x9f\x98\x80!"));
    /* Alone, cut short, too long, a surrogate, too large, C1. */
    CHECK(gives("a\x80\xbf" "b\xc3" "c\xc0\x80\xe0\x80\x80\xed\xa0\x80\xf4\x90\x80\x80\xf5\xff\xc2\x9b" "d", "abcd"));
    CHECK(gives("\xe2\x82\xc3\xbc", "\xc3\xbc"));     /* a new one begins inside another */
}

TEST(the_screen_shows_the_line)
{
    typist_t t;
    begin(&t, 20, false);
    type(&t, "abc");
    CHECK(shows(t.vt, 0, 0, "> abc"));
    CHECK_EQ(5, t.written); /* plain echo, nothing else */
    type(&t, "\x02x");
    CHECK(shows(t.vt, 0, 0, "> abxc") && cursor_at(t.vt, 0, 5));
    type(&t, "\xe6\x97\xa5");
    CHECK(shows(t.vt, 0, 0, "> abx\xe6\x97\xa5" "c") && cursor_at(t.vt, 0, 7));
    type(&t, "\x05" "de");
    CHECK(shows(t.vt, 0, 0, "> abx\xe6\x97\xa5" "cde") && cursor_at(t.vt, 0, 10));
    type(&t, "\x03");
    CHECK(t.result == LINEEDIT_DROPPED && shows(t.vt, 0, 1, "> abx\xe6\x97\xa5" "cde^C\n>"));
    /* Longer than the row: it scrolls sideways, and the rows around are left alone. */
    type(&t, "0123456789abcdefghijklmnopqrstuvwxyz");
    CHECK(shows(t.vt, 0, 2, "> abx\xe6\x97\xa5" "cde^C\n> jklmnopqrstuvwxyz\n") && cursor_at(t.vt, 1, 19));
    type(&t, "\x01");
    CHECK(shows(t.vt, 1, 2, "> 0123456789abcdefg\n") && cursor_at(t.vt, 1, 2));
    type(&t, "\x05\x0c");
    CHECK(shows(t.vt, 0, 1, "> jklmnopqrstuvwxyz\n") && cursor_at(t.vt, 0, 19));
    type(&t, "\r");
    CHECK(!strcmp(t.line, "0123456789abcdefghijklmnopqrstuvwxyz"));
    CHECK(shows(t.vt, 0, 1, "> jklmnopqrstuvwxyz\n>"));
    end(&t);
}

TEST(history)
{
    typist_t t;
    begin(&t, 40, false);
    type(&t, "first\rsecond\rsecond\r\r");
    type(&t, "dra\x1b[A");
    CHECK(shows(t.vt, 4, 4, "> second"));
    type(&t, "\x1bOA");
    CHECK(shows(t.vt, 4, 4, "> first") && t.heard.bells == 0);
    type(&t, "\x10");
    CHECK(shows(t.vt, 4, 4, "> first") && t.heard.bells == 1);
    type(&t, "\x1b[B\x0e");
    CHECK(shows(t.vt, 4, 4, "> dra") && t.heard.bells == 1);
    type(&t, "\x1b[B");
    CHECK_EQ(2, t.heard.bells);
    type(&t, "ft\x1b[A\x1b[A!\r");
    CHECK(!strcmp(t.line, "first!"));
    for (unsigned i = 0; i < 150; i++) {
        char line[16];
        snprintf(line, sizeof(line), "l%u\r", i);
        type(&t, line);
    }
    for (unsigned i = 0; i < 200; i++) {
        type(&t, "\x10");
    }
    type(&t, "\r");
    CHECK(!strcmp(t.line, "l50")); /* the oldest of a hundred */
    end(&t);
}

TEST(completion)
{
    typist_t t;
    CHECK(gives("q\t", "quit "));
    CHECK(gives("pa\t", "pause "));
    CHECK(gives("p\t", "p"));
    CHECK(gives("pr\tx", "print x"));
    CHECK(gives("z\t", "z"));
    CHECK(gives("quit ot\t", "quit other "));
    CHECK(gives("quit \t", "quit o"));
    CHECK(gives("two\t", "two"));
    CHECK(gives("quit o rest\x1b[D\x1b[D\x1b[D\x1b[D\x1b[Dt\t", "quit other  rest"));
    begin(&t, 40, false);
    type(&t, "p\t");
    CHECK(shows(t.vt, 0, 1, "> p\n") && t.heard.bells == 1);
    type(&t, "\t");
    CHECK(shows(t.vt, 0, 2, "> p\npause    portfwd  print\n> p") && cursor_at(t.vt, 2, 3));
    type(&t, "a\t");
    CHECK(shows(t.vt, 2, 2, "> pause"));
    end(&t);
}

TEST(line_ends_and_long_lines)
{
    typist_t t;
    begin(&t, 40, false);
    type(&t, "one\r\ntwo\nthree\r");
    CHECK(shows(t.vt, 0, 4, "> one\n> two\n> three\n>\n"));
    char much[2 * LINEEDIT_MAX];
    memset(much, 'x', sizeof(much) - 1);
    much[sizeof(much) - 1] = 0;
    type(&t, much);
    type(&t, "\r");
    CHECK(t.result == LINEEDIT_TOO_LONG);
    much[LINEEDIT_MAX - 1] = 0;
    type(&t, much);
    type(&t, "\r");
    CHECK(t.result == LINEEDIT_LINE && strlen(t.line) == LINEEDIT_MAX - 1);
    /* The last character does not fit: the line is not run cut short. */
    much[LINEEDIT_MAX - 2] = 0;
    type(&t, much);
    type(&t, "\xc3\xbc\r");
    CHECK(t.result == LINEEDIT_TOO_LONG);
    end(&t);
}

TEST(without_an_echo)
{
    typist_t t;
    begin(&t, 40, true);
    type(&t, "info\tharts\x7f\x08s\x1b[A\r");
    CHECK(!strcmp(t.line, "info hars[A"));
    CHECK_EQ(4, t.written); /* two prompts */
    type(&t, "\nnext\n");
    CHECK(!strcmp(t.line, "next"));
    type(&t, "abc\x03");
    CHECK(t.result == LINEEDIT_DROPPED);
    CHECK(shows(t.vt, 0, 0, "> > > >"));
    end(&t);
}

/* Any bytes leave a line of sound UTF-8, and the screen shows it. */
TEST(random_keys)
{
    uint32_t seed = 1;
    typist_t t;
    begin(&t, 30, false);
    for (unsigned i = 0; i < 200000; i++) {
        static const char *const keys[] = {"\x1b[D", "\x1b[C", "\x1b[3~", "\x7f", "\x17", "\x0b", "\x19", "\t",
                                           "\xc3\xbc", "\xe6\x97\xa5", "e\xcc\x81", "ab cd", "\x1b[A", "\x1b[B",
                                           "\r", "\x01", "\x05"};
        seed = seed * 1664525 + 1013904223;
        uint8_t byte = (uint8_t)(seed >> 16);
        char raw[2] = {byte && byte != 3 && byte != 0x0c ? (char)byte : 'x', 0};
        type(&t, seed >> 24 & 3 ? keys[(seed >> 26) % ARRAY_LEN(keys)] : raw);
        vt_cursor_t cursor;
        vt_cursor(t.vt, &cursor);
        CHECK(cursor.col >= 2 && cursor.col < 30);
        for (const uint8_t *p = (const uint8_t *)lineedit_text(t.edit); *p; p++) {
            CHECK(*p >= 0x20 && *p != 0x7f);
        }
    }
    end(&t);
}

int main(void)
{
    RUN(keys);
    RUN(characters);
    RUN(the_screen_shows_the_line);
    RUN(history);
    RUN(completion);
    RUN(line_ends_and_long_lines);
    RUN(without_an_echo);
    RUN(random_keys);
    return tap_finish();
}
