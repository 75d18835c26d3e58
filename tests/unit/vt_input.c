/* SPDX-License-Identifier: MPL-2.0 */
/* Keys, mouse, paste, focus; titles, palette, clipboard and reports. */
#include "vt_rig.h"

static bool key(vt_t *vt, vt_heard_t *h, uint32_t k, unsigned mods, const char *want)
{
    vt_key(vt, k, mods);
    return said(h, want);
}

TEST(characters)
{
    vt_heard_t h;
    vt_t *vt = rig(80, 24, 0, &h);
    CHECK(key(vt, &h, 'a', 0, "a"));
    CHECK(key(vt, &h, 'c', VT_MOD_CTRL, "\3"));
    CHECK(key(vt, &h, 'x', VT_MOD_ALT, "\33x"));
    CHECK(key(vt, &h, '[', VT_MOD_CTRL | VT_MOD_ALT, "\33\33"));
    CHECK(key(vt, &h, '8', VT_MOD_CTRL, "\177"));
    CHECK(key(vt, &h, 0x4e16, 0, "\xe4\xb8\x96"));
    vt_key(vt, ' ', VT_MOD_CTRL);
    CHECK(h.len == 1 && h.replies[0] == 0);
    vt_destroy(vt);
}

TEST(named_keys)
{
    vt_heard_t h;
    vt_t *vt = rig(80, 24, 0, &h);
    CHECK(key(vt, &h, VT_KEY_UP, 0, "\33[A"));
    CHECK(key(vt, &h, VT_KEY_LEFT, VT_MOD_CTRL | VT_MOD_SHIFT, "\33[1;6D"));
    CHECK(key(vt, &h, VT_KEY_HOME, 0, "\33[H"));
    CHECK(key(vt, &h, VT_KEY_F1, 0, "\33OP"));
    CHECK(key(vt, &h, VT_KEY_F1, VT_MOD_SHIFT, "\33[1;2P"));
    CHECK(key(vt, &h, VT_KEY_F1 + 4, 0, "\33[15~"));
    CHECK(key(vt, &h, VT_KEY_F1 + 11, VT_MOD_ALT, "\33[24;3~"));
    CHECK(key(vt, &h, VT_KEY_F20, 0, "\33[34~"));
    CHECK(key(vt, &h, VT_KEY_DELETE, 0, "\33[3~"));
    CHECK(key(vt, &h, VT_KEY_PAGE_DOWN, VT_MOD_CTRL, "\33[6;5~"));
    CHECK(key(vt, &h, VT_KEY_BACKSPACE, 0, "\177"));
    CHECK(key(vt, &h, VT_KEY_BACKSPACE, VT_MOD_CTRL, "\b"));
    CHECK(key(vt, &h, VT_KEY_TAB, VT_MOD_SHIFT, "\33[Z"));
    CHECK(key(vt, &h, VT_KEY_ENTER, 0, "\r"));
    CHECK(key(vt, &h, VT_KEY_PAD_0 + 5, 0, "5"));
    say(vt, "\33[?1h\33=\33[20h");
    CHECK(key(vt, &h, VT_KEY_UP, 0, "\33OA"));
    CHECK(key(vt, &h, VT_KEY_END, VT_MOD_SHIFT, "\33[1;2F"));
    CHECK(key(vt, &h, VT_KEY_PAD_0 + 5, 0, "\33Ou"));
    CHECK(key(vt, &h, VT_KEY_PAD_ENTER, 0, "\33OM"));
    CHECK(key(vt, &h, VT_KEY_ENTER, 0, "\r\n"));
    CHECK(key(vt, &h, VT_KEY_END_OF_LIST, 0, ""));
    vt_destroy(vt);
}

static bool mouse(vt_t *vt, vt_heard_t *h, vt_mouse_action_t a, unsigned b, unsigned mods,
                  const char *want)
{
    vt_mouse(vt, a, b, 4, 9, 40, 90, mods);
    return said(h, want);
}

TEST(mouse_protocols)
{
    vt_heard_t h;
    vt_t *vt = rig(80, 24, 0, &h);
    CHECK(mouse(vt, &h, VT_MOUSE_PRESS, 0, 0, ""));
    say(vt, "\33[?9h");
    CHECK(mouse(vt, &h, VT_MOUSE_PRESS, 2, VT_MOD_CTRL, "\33[M\"%*"));
    CHECK(mouse(vt, &h, VT_MOUSE_RELEASE, 2, 0, ""));
    say(vt, "\33[?1000h");
    CHECK(mouse(vt, &h, VT_MOUSE_PRESS, 0, VT_MOD_SHIFT, "\33[M$%*"));
    CHECK(mouse(vt, &h, VT_MOUSE_RELEASE, 0, 0, "\33[M#%*"));
    CHECK(mouse(vt, &h, VT_MOUSE_PRESS, 5, 0, "\33[Ma%*"));
    CHECK(mouse(vt, &h, VT_MOUSE_RELEASE, 5, 0, ""));
    CHECK(mouse(vt, &h, VT_MOUSE_MOVE, 0, 0, ""));
    say(vt, "\33[?1002;1006h");
    CHECK(mouse(vt, &h, VT_MOUSE_MOVE, 0, VT_MOD_ALT, "\33[<40;5;10M"));
    CHECK(mouse(vt, &h, VT_MOUSE_MOVE, 3, 0, ""));
    CHECK(mouse(vt, &h, VT_MOUSE_RELEASE, 1, 0, "\33[<1;5;10m"));
    say(vt, "\33[?1003;1016h");
    CHECK(mouse(vt, &h, VT_MOUSE_MOVE, 3, 0, "\33[<35;40;90M"));
    CHECK(!vt_mouse(vt, VT_MOUSE_PRESS, 0, 80, 0, 0, 0, 0));
    say(vt, "\33[?1003l");
    CHECK(mouse(vt, &h, VT_MOUSE_PRESS, 0, 0, ""));
    vt_destroy(vt);
}

TEST(paste_and_focus)
{
    vt_heard_t h;
    vt_t *vt = rig(80, 24, 0, &h);
    const char *evil = "a\33[201~b\r\nc\nd\xc2\x9b\x7f\te";
    vt_paste(vt, evil, strlen(evil));
    CHECK(said(&h, "a[201~b\rc\rd\te"));
    vt_focus(vt, true);
    CHECK(said(&h, ""));
    say(vt, "\33[?2004;1004h");
    vt_paste(vt, "x", 1);
    CHECK(said(&h, "\33[200~x\33[201~"));
    vt_focus(vt, true);
    vt_focus(vt, false);
    CHECK(said(&h, "\33[I\33[O"));
    vt_destroy(vt);
}

TEST(titles)
{
    vt_heard_t h;
    vt_t *vt = rig(80, 24, 0, &h);
    say(vt, "\33]0;both\a\33]2;window\33\\\33[22t\33]2;inner\33\\");
    CHECK(!strcmp(h.title, "inner") && !strcmp(vt_icon_name(vt), "both"));
    say(vt, "\33[23t\a\33]2;cut\30");
    CHECK(!strcmp(vt_title(vt), "window") && h.titles == 4 && h.bells == 1);
    vt_destroy(vt);
}

TEST(palette)
{
    vt_heard_t h;
    vt_t *vt = rig(80, 24, 0, &h);
    say(vt, "\33]4;1;?;200;?\a\33]10;?\33\\");
    CHECK(said(&h, "\33]4;1;rgb:cdcd/0000/0000\a\33]4;200;rgb:ffff/0000/d7d7\a\33]10;rgb:e5e5/e5e5/"
                   "e5e5\33\\"));
    say(vt, "\33]4;1;#123456;2;rgb:f/80/1000\a\33]11;#abc\a");
    CHECK_EQ(0x123456, vt_color_rgb(vt, VT_COLOR_16 | 1, VT_DEFAULT_FG));
    CHECK_EQ(0xff8010, vt_color_rgb(vt, VT_COLOR_256 | 2, VT_DEFAULT_FG));
    CHECK_EQ(0xa0b0c0, vt_color_rgb(vt, VT_COLOR_DEFAULT, VT_DEFAULT_BG));
    CHECK_EQ(0x010203, vt_color_rgb(vt, VT_COLOR_RGB | 0x010203, VT_DEFAULT_BG));
    say(vt, "\33]104;1\a\33]111\a");
    CHECK_EQ(0xcd0000, vt_color_rgb(vt, VT_COLOR_16 | 1, VT_DEFAULT_FG));
    CHECK_EQ(0, vt_color_rgb(vt, VT_COLOR_DEFAULT, VT_DEFAULT_BG));
    vt_destroy(vt);
}

TEST(clipboard)
{
    vt_heard_t h;
    vt_t *vt = rig(80, 24, 0, &h);
    say(vt, "\33]52;p;aGVsbG8=\a");
    CHECK(!strcmp(h.clip, "p:aGVsbG8="));
    say(vt, "\33]52;;?\a");
    CHECK(!strcmp(h.clip, "c:?") && h.clips == 2);
    vt_clipboard_answer(vt, 'c', "eA==", 4);
    CHECK(said(&h, "\33]52;c;eA==\33\\"));
    vt_destroy(vt);
}

TEST(reports)
{
    vt_heard_t h;
    vt_t *vt = rig(80, 24, 0, &h);
    say(vt, "\33[1;4:3;31;48;5;200;58;2;1;2;3m\33P$qm\33\\");
    CHECK(said(&h, "\33P1$r0;1;4:3;31;48:5:200;58:2::1:2:3m\33\\"));
    say(vt, "\33[5 q\33P$q q\33\\\33[=c\33[?5h\33[?5$p");
    CHECK(said(&h, "\33P1$r5 q\33\\\33P!|00000000\33\\\33[?5;1$y"));
    say(vt, "\33[20;80Hx\33[6n\33[?6n");
    CHECK(said(&h, "\33[20;80R\33[?20;80R"));
    vt_destroy(vt);
}

TEST(synchronized_output_and_cursor)
{
    vt_heard_t h;
    vt_t *vt = rig(80, 24, 0, &h);
    vt_modes_t m;
    vt_cursor_t c;
    say(vt, "\33[?2026h\33[?25l\33[3 q");
    vt_modes(vt, &m);
    vt_cursor(vt, &c);
    CHECK(m.sync && !c.visible && c.blink && c.shape == VT_CURSOR_UNDERLINE);
    say(vt, "\33[?2026l\33[!p");
    vt_modes(vt, &m);
    vt_cursor(vt, &c);
    CHECK(!m.sync && c.visible && !c.blink && c.shape == VT_CURSOR_BLOCK && vt_any_dirty(vt));
    vt_destroy(vt);
}

TEST(widths)
{
    CHECK_EQ(0, vt_char_width(0x301));
    CHECK_EQ(0, vt_char_width(0x200d));
    CHECK_EQ(1, vt_char_width(0xad));
    CHECK_EQ(1, vt_char_width(0x2764));
    CHECK_EQ(2, vt_char_width(0x1f600));
    CHECK_EQ(2, vt_char_width(0x4e16));
    CHECK_EQ(2, vt_char_width(0xff21));
    CHECK_EQ(1, vt_char_width(0xff71));
    CHECK_EQ(2, vt_char_width(0x3fffd));
    CHECK_EQ(0, vt_char_width(0xe0100));
    CHECK_EQ(1, vt_char_width(0x10ffff));
}

int main(void)
{
    RUN(characters);
    RUN(named_keys);
    RUN(mouse_protocols);
    RUN(paste_and_focus);
    RUN(titles);
    RUN(palette);
    RUN(clipboard);
    RUN(reports);
    RUN(synchronized_output_and_cursor);
    RUN(widths);
    return tap_finish();
}
