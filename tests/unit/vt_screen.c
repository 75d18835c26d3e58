/* SPDX-License-Identifier: MPL-2.0 */
/* The terminal's screen, for what the oracle (tests/vt) does not have, and its limits. */
#include "vt_rig.h"

TEST(text_and_wrap)
{
    vt_heard_t h;
    vt_t *vt = rig(5, 3, 10, &h);
    vt_cursor_t c;
    say(vt, "abcde");
    vt_cursor(vt, &c);
    CHECK(c.pending_wrap && c.col == 4 && c.row == 0);
    say(vt, "fg\r\nx\r\ny");
    CHECK(shows(vt, -1, 2, "abcde\nfg\nx\ny"));
    CHECK(vt_row_wrapped(vt, 0) && !vt_row_wrapped(vt, 1));
    CHECK_EQ(1, vt_scrollback(vt));
    CHECK(!vt_row(vt, -2) && !vt_row(vt, 3));
    vt_destroy(vt);
}

TEST(invalid_utf8_is_replaced)
{
    vt_heard_t h;
    vt_t *vt = rig(20, 1, 0, &h);
    say(vt, "a\xff"
            "b\xe4\xb8"
            "c\xed\xa0\x80"
            "d\xf0\x9f\x98\x80");
    CHECK(shows(vt, 0, 0,
                "a\xef\xbf\xbd"
                "b\xef\xbf\xbd"
                "c\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"
                "d\xf0\x9f\x98\x80"));
    vt_destroy(vt);
}

TEST(left_and_right_margins)
{
    vt_heard_t h;
    vt_t *vt = rig(8, 4, 5, &h);
    say(vt, "01234567\r\nabcdefgh\r\nABCDEFGH\r\nstuvwxyz");
    say(vt, "\33[?69h\33[3;6s\33[?69$p\33[1;3H");
    CHECK(said(&h, "\33[?69;1$y"));
    say(vt, "\33[M");
    CHECK(shows(vt, 0, 3, "01cdef67\nabCDEFgh\nABuvwxGH\nst    yz"));
    CHECK(cursor_at(vt, 0, 2));
    say(vt, "wxyzW");
    CHECK(shows(vt, 0, 1, "01wxyz67\nabWDEFgh"));
    CHECK(cursor_at(vt, 1, 3));
    say(vt, "\33[2P\33[2;3H\33[@");
    CHECK(shows(vt, 1, 1, "ab WF gh"));
    say(vt, "\33[4;5H\n");
    CHECK(shows(vt, 0, 3, "01 WF 67\nabuvwxgh\nAB    GH\nst    yz"));
    CHECK_EQ(0, vt_scrollback(vt));
    say(vt, "\33[4;1H\n\r");
    CHECK(shows(vt, 3, 3, "st    yz"));
    say(vt, "\33P$qs\33\\");
    CHECK(said(&h, "\33P1$r3;6s\33\\"));
    say(vt, "\33[?6h\33[1;1H\33[6n");
    CHECK(cursor_at(vt, 0, 2));
    CHECK(said(&h, "\33[1;1R"));
    say(vt, "\33[?69l\33[H");
    CHECK(cursor_at(vt, 0, 0));
    vt_destroy(vt);
}

TEST(wide_characters_lose_both_halves)
{
    vt_heard_t h;
    vt_t *vt = rig(6, 1, 0, &h);
    say(vt, "\xe4\xb8\x96\xe7\x95\x8c!\33[2GX");
    CHECK(shows(vt, 0, 0, " X\xe7\x95\x8c!"));
    say(vt, "\33[3GY");
    CHECK(shows(vt, 0, 0, " XY !"));
    vt_destroy(vt);
}

TEST(marks_join_up_to_a_limit)
{
    vt_heard_t h;
    vt_t *vt = rig(6, 1, 0, &h);
    uint32_t codes[VT_CLUSTER_MAX];
    say(vt, "\xcc\x81"
            "e\33[1m\xcc\x81z");
    CHECK_EQ(2, vt_cell_text(vt, vt_row(vt, 0), codes));
    CHECK(codes[0] == 'e' && codes[1] == 0x301);
    for (int i = 0; i < 100; i++) {
        say(vt, "\xcc\x81");
    }
    CHECK_EQ(VT_CLUSTER_MAX, vt_cell_text(vt, vt_row(vt, 0) + 1, codes));
    CHECK(cursor_at(vt, 0, 2));
    vt_destroy(vt);
}

TEST(character_sets)
{
    vt_heard_t h;
    vt_t *vt = rig(20, 1, 0, &h);
    say(vt, "\33(0qx_\33(B\33*0\33Nqq\33(4[\33-A\16i\17\33(A#");
    CHECK(shows(vt, 0, 0, "\xe2\x94\x80\xe2\x94\x82 \xe2\x94\x80q\xc4\xb3\xc3\xa9\xc2\xa3"));
    vt_destroy(vt);
}

TEST(alternate_screen)
{
    vt_heard_t h;
    vt_t *vt = rig(4, 2, 5, &h);
    say(vt, "ab\33[?1049h\33[Hzz\n\n\n");
    CHECK_EQ(0, vt_scrollback(vt));
    CHECK(shows(vt, 0, 1, "\n"));
    say(vt, "\33[?1049lc");
    CHECK(shows(vt, 0, 1, "abc\n"));
    vt_destroy(vt);
}

/* Without mode 40 DECCOLM does nothing; with it everything but the width. */
TEST(column_mode_clears)
{
    vt_heard_t h;
    vt_t *vt = rig(8, 4, 5, &h);
    say(vt, "abc\r\ndef\33[2;3r\33[?69h\33[2;4s\33[2;3H\33[?3h\33[?3l");
    CHECK(shows(vt, 0, 1, "abc\ndef"));
    CHECK(cursor_at(vt, 1, 2));
    say(vt, "\33[?40h\33[?6h\33[44m\33[?3l\33[?40$p\33[?69$p\33P$qr\33\\");
    CHECK(said(&h, "\33[?40;1$y\33[?69;2$y\33P1$r1;4r\33\\"));
    CHECK(shows(vt, 0, 1, "\n"));
    CHECK(cursor_at(vt, 0, 0));
    CHECK_EQ(8, vt_cols(vt));
    CHECK_EQ(VT_COLOR_16 | 4, vt_row(vt, 2)[3].bg);
    say(vt, "x\33[!p\33[?3h");
    CHECK(shows(vt, 0, 0, ""));
    say(vt, "y\33c\33[?40$pz\33[?3h");
    CHECK(said(&h, "\33[?40;2$y"));
    CHECK(shows(vt, 0, 0, "z"));
    vt_destroy(vt);
}

TEST(device_status)
{
    vt_heard_t h;
    vt_t *vt = rig(8, 2, 0, &h);
    say(vt, "\33[?15n\33[?25n\33[?26n\33[?99n");
    CHECK(said(&h, "\33[?13n\33[?21n\33[?27;1n"));
    vt_destroy(vt);
}

TEST(dirty_rows)
{
    vt_heard_t h;
    vt_t *vt = rig(4, 3, 5, &h);
    vt_clean(vt);
    CHECK(!vt_any_dirty(vt));
    say(vt, "\33[2Hx");
    CHECK(!vt_dirty(vt, 0) && vt_dirty(vt, 1) && !vt_dirty(vt, 2));
    vt_clean(vt);
    say(vt, "\33[3H\n");
    CHECK(vt_dirty(vt, 0) && vt_dirty(vt, 1) && vt_dirty(vt, 2));
    CHECK_EQ(1, vt_scrolled(vt));
    vt_destroy(vt);
}

TEST(scrollback_keeps_the_newest)
{
    vt_heard_t h;
    vt_t *vt = rig(20, 2, 100, &h);
    char line[64];
    for (int i = 0; i < 5000; i++) {
        snprintf(line, sizeof(line), "\33[3%dm%d\xe4\xb8\x96\33[m\r\n", i % 8, i);
        say(vt, line);
    }
    CHECK_EQ(100, vt_scrollback(vt));
    CHECK(shows(vt, -100, -99, "4899\xe4\xb8\x96\n4900\xe4\xb8\x96"));
    CHECK(shows(vt, -1, 0, "4998\xe4\xb8\x96\n4999\xe4\xb8\x96"));
    CHECK_EQ(VT_COLOR_16 | 4900 % 8, vt_row(vt, -99)->fg & VT_COLOR_MASK);
    CHECK_EQ(2, vt_cell_width(vt_row(vt, -1) + 4));
    say(vt, "\33[3J");
    CHECK_EQ(0, vt_scrollback(vt));
    vt_destroy(vt);
}

/* Colours, links, clusters, strings and titles without end. */
TEST(memory_stays_bounded)
{
    vt_heard_t h;
    vt_t *vt = rig(80, 24, 1000, &h);
    char line[256];
    size_t early = 0;
    for (uint32_t i = 0; i < 200000; i++) {
        snprintf(line, sizeof(line),
                 "\33]8;;http://h.example/"
                 "%u\33\\\33[38;2;%u;%u;%u;58;2;1;%u;%um%u\xcc\x81\xcc\x82\33[4%um",
                 i, i & 255, i >> 8 & 255, i >> 16, i & 255, i >> 8 & 255, i, i & 7);
        say(vt, line);
        if (i == 100000) {
            early = vt_memory(vt);
        }
    }
    for (uint32_t i = 0; i < 3000000; i++) {
        vt_write(vt, i ? "x" : "\33]2;", i ? 1 : 4);
    }
    CHECK(early > 0 && vt_memory(vt) < 8u << 20);
    say(vt, "\33\\\33c ok");
    CHECK(shows(vt, 0, 0, " ok"));
    vt_destroy(vt);
}

TEST(links_beyond_the_table)
{
    vt_heard_t h;
    vt_t *vt = rig(10, 2, 0, &h);
    const char *link;
    char line[64];
    for (uint32_t i = 0; i < 5000; i++) {
        snprintf(line, sizeof(line), "\33]8;;u:%u\a%u\33[H", i, i % 10);
        say(vt, line);
    }
    CHECK_EQ(0, vt_cell_extra(vt, vt_row(vt, 0), &link));
    CHECK(!strcmp(link, "u:4999"));
    vt_destroy(vt);
}

int main(void)
{
    RUN(text_and_wrap);
    RUN(invalid_utf8_is_replaced);
    RUN(left_and_right_margins);
    RUN(wide_characters_lose_both_halves);
    RUN(marks_join_up_to_a_limit);
    RUN(character_sets);
    RUN(alternate_screen);
    RUN(column_mode_clears);
    RUN(device_status);
    RUN(dirty_rows);
    RUN(scrollback_keeps_the_newest);
    RUN(memory_stays_bounded);
    RUN(links_beyond_the_table);
    return tap_finish();
}
