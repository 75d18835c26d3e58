/* SPDX-License-Identifier: MPL-2.0 */
/* Size changes, selection, drawing, and the state to and from bytes. */
#include "vt_rig.h"

static char *all_text(vt_t *vt)
{
    size_t len;
    char *text = vt_select(vt, -(int)vt_scrollback(vt), 0, (int)vt_rows(vt) - 1,
                           (int)vt_cols(vt) - 1, false, &len);
    while (text && len && text[len - 1] == '\n') {
        text[--len] = 0;
    }
    return text;
}

TEST(text_survives_every_size)
{
    vt_heard_t h;
    vt_t *vt = rig(20, 5, 2000, &h);
    uint32_t seed = 7;
    for (unsigned i = 0; i < 30; i++) {
        char line[128];
        snprintf(
            line, sizeof(line),
            "\33[3%um%u: the quick brown \xe7\x8b\x90\xe7\x8b\xb8 jumps e\xcc\x81\33[m over\r\n",
            i % 8, i);
        say(vt, line);
    }
    say(vt, "$ ab");
    char *want = all_text(vt);
    for (unsigned i = 0; i < 100; i++) {
        seed = seed * 1664525 + 1013904223;
        CHECK(vt_resize(vt, 3 + (seed >> 8) % 60, 1 + (seed >> 16) % 30));
        char *got = all_text(vt);
        CHECK(got && want && !strcmp(want, got));
        free(got);
    }
    CHECK(vt_resize(vt, 20, 5));
    CHECK(cursor_at(vt, 4, 4));
    say(vt, "c");
    CHECK(shows(vt, 4, 4, "$ abc"));
    free(want);
    vt_destroy(vt);
}

TEST(cursor_stays_on_its_character)
{
    vt_heard_t h;
    vt_t *vt = rig(10, 4, 50, &h);
    say(vt, "0123456789abcdef\33[1;8H");
    CHECK(vt_resize(vt, 5, 4));
    CHECK(cursor_at(vt, 1, 2));
    CHECK(shows(vt, 0, 3, "01234\n56789\nabcde\nf"));
    CHECK(vt_resize(vt, 16, 4));
    CHECK(cursor_at(vt, 0, 7));
    CHECK(shows(vt, 0, 1, "0123456789abcdef\n"));
    vt_destroy(vt);
}

TEST(pending_wrap_and_height)
{
    vt_heard_t h;
    vt_t *vt = rig(4, 2, 50, &h);
    say(vt, "a\r\nb\r\nc\r\nwxyz");
    CHECK(vt_resize(vt, 4, 4));
    CHECK(shows(vt, 0, 3, "a\nb\nc\nwxyz"));
    CHECK(vt_resize(vt, 6, 4));
    say(vt, "!");
    CHECK(shows(vt, 3, 3, "wxyz!"));
    CHECK(vt_resize(vt, 6, 1));
    CHECK(shows(vt, -1, 0, "c\nwxyz!"));
    vt_destroy(vt);
}

TEST(alternate_is_cut_and_normal_reflowed)
{
    vt_heard_t h;
    vt_t *vt = rig(8, 3, 50, &h);
    say(vt, "12345678abc\33[?1049h\33[Htop\33[3;1Hbottom");
    CHECK(vt_resize(vt, 4, 2));
    CHECK(shows(vt, 0, 1, "\nbott"));
    say(vt, "\33[?1049l!");
    CHECK(shows(vt, -1, 1, "1234\n5678\nabc!"));
    vt_destroy(vt);
}

/* Character clusters of rows that were moved already are in use, however full their table is. */
TEST(clusters_survive_a_resize_with_a_full_table)
{
    vt_heard_t h;
    vt_t *vt = rig(40, 20, 3000, &h);
    char text[16];
    bool same = true;
    for (unsigned i = 0; i < 40000; i++) { /* 1000 rows of 40 */
        unsigned code = 0x410 + i % 0x40, mark = 0x300 + i / 0x40 % 0x60;
        snprintf(text, sizeof(text), "%c%c%c%c", 0xc0 | code >> 6, 0x80 | (code & 63),
                 0xc0 | mark >> 6, 0x80 | (mark & 63));
        say(vt, text);
    }
    for (unsigned cols = 37; cols < 45; cols += 3) {
        CHECK(vt_resize(vt, cols, 20));
        int above = (int)vt_scrollback(vt);
        for (unsigned i = 0; i < 40000; i++) {
            uint32_t codes[VT_CLUSTER_MAX];
            const vt_cell_t *cells = vt_row(vt, (int)(i / cols) - above);
            unsigned n = cells ? vt_cell_text(vt, cells + i % cols, codes) : 0;
            same &= n == 2 && codes[0] == 0x410 + i % 0x40 && codes[1] == 0x300 + i / 0x40 % 0x60;
        }
    }
    CHECK(same);
    vt_destroy(vt);
}

TEST(selection)
{
    vt_heard_t h;
    size_t len;
    vt_t *vt = rig(6, 4, 10, &h);
    say(vt, "abcdefgh  \r\n  x\r\nlast");
    char *text = vt_select(vt, 3, 1, 0, 2, false, &len);
    CHECK(text && !strcmp(text, "cdefgh\n  x\nla"));
    free(text);
    text = vt_select(vt, 0, 1, 3, 2, true, &len);
    CHECK(text && !strcmp(text, "bc\nh\n x\nas"));
    free(text);
    text = vt_select(vt, -100, 0, 100, 100, false, &len);
    CHECK(text && !strcmp(text, "abcdefgh\n  x\nlast") && len == 17);
    free(text);
    vt_destroy(vt);
}

static const char *const scene = "one\r\ntwo \33[1;3;4:3;38;5;99;48:2::1:2:3;58;5;7mthree\33[m "
                                 "\33]8;;http://x/\33\\link\33]8;;\33\\ \xe4\xb8\x96"
                                 "e\xcc\x81\xcc\x82\r\n\33[7;9mrev\33[m\33[?2004h\33[?1002;"
                                 "1006h\33[?1h\33=\33]2;A title\a\33[2;4r\33[5 q\33(0";

TEST(state_round_trip)
{
    vt_heard_t h, h2;
    size_t len, len2;
    vt_t *vt = rig(30, 4, 20, &h);
    for (int i = 0; i < 15; i++) {
        say(vt, scene);
    }
    say(vt, "\33[22t\0337\33[?1049h\33[3;7HALT\33]0;unfinished");
    uint8_t *state = vt_save(vt, &len);
    vt_callbacks_t cb = {.title = rig_title, .reply = rig_reply, .ctx = &h2};
    memset(&h2, 0, sizeof(h2));
    vt_t *copy = vt_load(state, len, &cb);
    CHECK(copy != NULL);
    CHECK_EQ(vt_hash(vt), vt_hash(copy));
    uint8_t *again = vt_save(copy, &len2);
    CHECK(len == len2 && !memcmp(state, again, len));
    say(copy, " now\a\33[?1049lq\33[6n");
    say(vt, " now\a\33[?1049lq\33[6n");
    CHECK(!strcmp(h2.title, "unfinished now"));
    CHECK_EQ(vt_hash(vt), vt_hash(copy));
    CHECK_EQ(vt_scrollback(vt), vt_scrollback(copy));
    CHECK(!strcmp(h.replies, h2.replies));
    for (size_t cut = 0; cut < len; cut += 1 + cut / 50) {
        CHECK(!vt_load(state, cut, NULL));
    }
    for (uint32_t i = 0; i < 400; i++) {
        state[i * 7919u % len] ^= (uint8_t)(1u << i % 8);
        vt_t *bad = vt_load(state, len, NULL);
        if (bad) {
            say(bad, scene);
            vt_resize(bad, 7, 9);
            vt_destroy(bad);
        }
    }
    free(state);
    free(again);
    vt_destroy(vt);
    vt_destroy(copy);
}

/* A sequence with more parameters than are kept, and sub-parameters behind them, cut anywhere. */
TEST(state_within_a_long_sequence)
{
    char text[200] = "\33[";
    vt_heard_t h;
    for (unsigned i = 0; i < 40; i++) {
        strcat(text, "1;");
    }
    strcat(text, ";:;:5:;7mx");
    for (size_t cut = 0; cut <= strlen(text); cut++) {
        vt_t *vt = rig(20, 3, 0, &h), *whole = rig(20, 3, 0, &h);
        size_t len;
        say(whole, text);
        vt_write(vt, text, cut);
        uint8_t *bytes = vt_save(vt, &len);
        vt_t *copy = bytes ? vt_load(bytes, len, NULL) : NULL;
        CHECK(copy != NULL);
        if (copy) {
            say(copy, text + cut);
            CHECK(vt_hash(copy) == vt_hash(whole));
        }
        free(bytes);
        vt_destroy(copy);
        vt_destroy(vt);
        vt_destroy(whole);
    }
}

TEST(repaint_brings_the_same_screen)
{
    vt_heard_t h, h2;
    const char *ends[] = {"",         "\33[3;5H",        "\33[4;30HZ",
                          "\33[?25l", "\33[?6h\33[2;2H", "\33[?1049h\33[2;2Halt"};
    for (unsigned i = 0; i < 6; i++) {
        size_t len;
        vt_t *vt = rig(30, 4, 20, &h), *other = rig(30, 4, 20, &h2);
        say(vt, scene);
        say(vt, ends[i]);
        say(other, "\33[1;31mjunk\r\n\33[?6h\33[4hmore");
        char *bytes = vt_repaint(vt, &len);
        vt_write(other, bytes, len);
        vt_modes_t a, b;
        vt_modes(vt, &a);
        vt_modes(other, &b);
        CHECK_EQ(vt_hash(vt), vt_hash(other));
        CHECK(a.mouse == b.mouse && a.mouse_format == b.mouse_format &&
              a.app_cursor == b.app_cursor && a.bracketed_paste == b.bracketed_paste &&
              a.insert == b.insert && a.origin == b.origin);
        free(bytes);
        vt_destroy(vt);
        vt_destroy(other);
    }
}

/* Each of the 16 colours, as both, with each attribute, on characters and on empty places. */
TEST(repaint_brings_every_pen)
{
    static const char *const flags[] = {"0", "1", "2", "3", "4", "4:3", "5", "7", "8", "9", "53"};
    vt_heard_t h;
    for (unsigned i = 0; i < 16 * 11; i++) {
        char text[64];
        unsigned color = i % 16;
        vt_t *vt = rig(20, 3, 0, &h), *other = rig(20, 3, 0, &h);
        snprintf(text, sizeof(text), "\33[%s;%u;%umx \33[2Cy\33[2X", flags[i / 16],
                 color < 8 ? 30 + color : 82 + color, color < 8 ? 47 - color : 115 - color);
        say(vt, text);
        say(vt, "\33[2;1H\xe4\xbd\xa0\33[2;2H\33[mz"); /* leaves half of a wide character's place */
        size_t len;
        char *bytes = vt_repaint(vt, &len);
        vt_write(other, bytes, len);
        CHECK(vt_hash(vt) == vt_hash(other));
        for (int x = 0; x < 2; x++) {
            CHECK(vt_row(vt, 0)[x].fg == vt_row(other, 0)[x].fg &&
                  vt_row(vt, 0)[x].bg == vt_row(other, 0)[x].bg);
        }
        free(bytes);
        vt_destroy(vt);
        vt_destroy(other);
    }
}

TEST(drawing_says_colours)
{
    vt_heard_t h;
    size_t len;
    vt_t *vt = rig(20, 2, 0, &h);
    say(vt, "a\33[1;31mb\33[0mc");
    char *text = vt_draw(vt, 0, 0, &len);
    CHECK(text && !strcmp(text, "a\33[0;1;31mb\33[0mc\r\n"));
    free(text);
    vt_destroy(vt);
}

int main(void)
{
    RUN(text_survives_every_size);
    RUN(cursor_stays_on_its_character);
    RUN(pending_wrap_and_height);
    RUN(alternate_is_cut_and_normal_reflowed);
    RUN(clusters_survive_a_resize_with_a_full_table);
    RUN(selection);
    RUN(state_round_trip);
    RUN(state_within_a_long_sequence);
    RUN(repaint_brings_the_same_screen);
    RUN(repaint_brings_every_pen);
    RUN(drawing_says_colours);
    return tap_finish();
}
