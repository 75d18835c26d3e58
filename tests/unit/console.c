/* SPDX-License-Identifier: MPL-2.0 */
/* A console between one guest and many viewers: nothing lost, the same screen for all, one voice.
 */
#include "tap.h"

#include "console_rig.h"

#include "host/thread.h"

#define BIG ((size_t)200 << 10)

static uint8_t pattern(uint64_t i)
{
    return (uint8_t)(i * 7 + (i >> 8) * 13 + (i >> 16));
}

TEST(bytes_pass_both_ways)
{
    guest_t g;
    watcher_t w;
    CHECK(guest_open(&g, false, false) && watcher_open(&w, &g, CONSOLE_BYTES, true));
    CHECK(console_port(g.console) == NULL);
    CHECK_EQ(CHARDEV_TX, chardev_poll(g.port));
    CHECK_EQ(5, guest_says(&g, "hello"));
    CHECK(watcher_was_told(&w) & CONSOLE_OUTPUT);
    CHECK(watcher_gets(&w, "hello"));
    CHECK(watcher_gets(&w, ""));
    CHECK_EQ(3, console_type(w.viewer, "abc", 3));
    CHECK_EQ(CHARDEV_RX, guest_was_told(&g));
    CHECK_EQ(CHARDEV_RX | CHARDEV_TX, chardev_poll(g.port));
    CHECK(guest_gets(&g, "abc"));
    console_info_t info;
    console_info(g.console, &info);
    CHECK(!strcmp(info.name, "test") && info.output == 5 && info.input == 3 && info.viewers == 1);
    watcher_close(&w);
    guest_close(&g);
}

/* Takes n bytes of the pattern from `from` on. */
static bool takes_pattern(watcher_t *w, uint64_t from, size_t n)
{
    uint8_t data[4096];
    size_t got;
    while (n && (got = console_take(w->viewer, data, n < sizeof(data) ? n : sizeof(data))) != 0) {
        for (size_t i = 0; i < got; i++) {
            if (data[i] != pattern(from + i)) {
                return false;
            }
        }
        from += got;
        n -= got;
    }
    return n == 0;
}

static uint8_t *pattern_bytes(size_t size)
{
    uint8_t *bytes = malloc(size);
    for (size_t i = 0; bytes && i < size; i++) {
        bytes[i] = pattern(i);
    }
    return bytes;
}

TEST(who_comes_late_gets_what_is_kept)
{
    guest_t g;
    watcher_t w, second;
    uint8_t *bytes = pattern_bytes(BIG);
    CHECK(guest_open(&g, false, false) && bytes);
    CHECK_EQ(BIG, chardev_write(g.port, bytes, BIG));
    CHECK(watcher_open(&w, &g, CONSOLE_BYTES, true) && (watcher_was_told(&w) & CONSOLE_OUTPUT));
    CHECK_EQ(CONSOLE_BUFFER, console_pending(w.viewer));
    CHECK(takes_pattern(&w, BIG - CONSOLE_BUFFER, CONSOLE_BUFFER));
    CHECK(watcher_open(&second, &g, CONSOLE_BYTES, true));
    CHECK(takes_pattern(&second, BIG - CONSOLE_BUFFER, CONSOLE_BUFFER));
    watcher_close(&w);
    watcher_close(&second);
    guest_close(&g);
    free(bytes);
}

/* Programs must not hear twice what another one has had. */
TEST(a_channel_gives_its_bytes_once)
{
    guest_t g;
    watcher_t w;
    CHECK(guest_open(&g, true, false));
    guest_says(&g, "one two");
    CHECK(watcher_open(&w, &g, CONSOLE_BYTES, true) && watcher_gets(&w, "one two"));
    watcher_close(&w);
    guest_says(&g, " three");
    CHECK(watcher_open(&w, &g, CONSOLE_BYTES, true) && watcher_gets(&w, " three"));
    CHECK(console_attach(g.console, &(console_viewer_desc_t){.kind = CONSOLE_TERMINAL}) == NULL);
    CHECK(console_hash(g.console) == 0);
    watcher_close(&w);
    guest_close(&g);
}

TEST(one_that_waits_holds_the_guest)
{
    guest_t g;
    watcher_t w;
    uint8_t *bytes = pattern_bytes(BIG);
    CHECK(guest_open(&g, false, false) && watcher_open(&w, &g, CONSOLE_BYTES, true) && bytes);
    size_t sent = chardev_write(g.port, bytes, BIG);
    CHECK(sent >= CONSOLE_BUFFER && sent < BIG);
    CHECK(!(chardev_poll(g.port) & CHARDEV_TX));
    CHECK_EQ(0, chardev_write(g.port, bytes + sent, 1));
    guest_was_told(&g);
    CHECK(takes_pattern(&w, 0, 100) && guest_was_told(&g) == 0);
    CHECK(takes_pattern(&w, 100, sent - 100));
    CHECK_EQ(CHARDEV_TX, guest_was_told(&g));
    CHECK_EQ(BIG - sent, chardev_write(g.port, bytes + sent, BIG - sent));
    /* When it goes, nobody holds the guest. */
    CHECK(chardev_write(g.port, bytes, BIG) < BIG);
    watcher_close(&w);
    CHECK_EQ(CHARDEV_TX, guest_was_told(&g));
    CHECK_EQ(BIG, chardev_write(g.port, bytes, BIG));
    guest_close(&g);
    free(bytes);
}

TEST(a_slow_terminal_sees_the_same_screen)
{
    static char noise[30000];
    guest_t g;
    watcher_t slow, steady, late;
    uint32_t seed = 5;
    CHECK(guest_open(&g, false, false) && watcher_open(&slow, &g, CONSOLE_TERMINAL, false) &&
          watcher_open(&steady, &g, CONSOLE_TERMINAL, true));
    for (unsigned round = 0; round < 60; round++) {
        size_t size = full_screen_noise(&seed, noise, sizeof(noise));
        CHECK_EQ(size, chardev_write(g.port, noise, size));
        watcher_look(&steady);
        CHECK(watcher_sees_the_same(&steady, &g));
        if (round % 12 == 11) { /* 360 kB behind */
            size_t taken = watcher_look(&slow);
            CHECK(taken && taken < 2 * CONSOLE_BUFFER && watcher_sees_the_same(&slow, &g));
            CHECK(watcher_open(&late, &g, CONSOLE_TERMINAL, true));
            watcher_look(&late);
            CHECK(watcher_sees_the_same(&late, &g));
            watcher_close(&late);
        }
    }
    watcher_close(&slow);
    watcher_close(&steady);
    guest_close(&g);
}

/* A string longer than the buffer is under way when a slow terminal falls behind: no part of it is
 * shown as text. */
TEST(a_repaint_waits_for_the_end_of_a_long_string)
{
    static char filler[CONSOLE_BUFFER];
    guest_t g;
    watcher_t slow;
    CHECK(guest_open(&g, false, false) && watcher_open(&slow, &g, CONSOLE_TERMINAL, false));
    memset(filler, 'x', sizeof(filler));
    guest_says(&g, "before\033]52;c;");
    for (unsigned i = 0; i < 4; i++) {
        CHECK_EQ(sizeof(filler), chardev_write(g.port, filler, sizeof(filler)));
    }
    CHECK_EQ(0, watcher_look(&slow));
    guest_says(&g, "\007after");
    CHECK(watcher_was_told(&slow) & CONSOLE_OUTPUT);
    CHECK(watcher_look(&slow) && watcher_sees_the_same(&slow, &g));
    watcher_close(&slow);
    guest_close(&g);
}

/* Questions in any chunks: answered once, and not passed on; with viewers of bytes alone nobody
 * answers. */
TEST(questions_are_answered_once)
{
    static const char text[] =
        "a\033[cb\033[6nc\033]10;?\007d\033]11;?\033\\e\033P$qm\033\\f\xc2\x9b"
        "5ng\033Zh\xe4\xbd\xa0i";
    static const char without[] = "abcdefgh\xe4\xbd\xa0i";
    char whole[256];
    guest_t g;
    watcher_t bytes, terminal;
    for (unsigned step = 1; step <= sizeof(text); step++) {
        CHECK(guest_open(&g, false, false) && watcher_open(&bytes, &g, CONSOLE_BYTES, true));
        chardev_write(g.port, text, sizeof(text) - 1);
        CHECK(guest_gets(&g, "") && watcher_gets(&bytes, text));
        CHECK(watcher_open(&terminal, &g, CONSOLE_TERMINAL, true));
        watcher_look(&terminal);
        CHECK(watcher_sees_the_same(&terminal, &g));
        size_t all = 0;
        for (size_t at = 0; at < sizeof(text) - 1; at += step) {
            size_t n = sizeof(text) - 1 - at < step ? sizeof(text) - 1 - at : step;
            chardev_write(g.port, text + at, n);
            all += console_take(terminal.viewer, whole + all, sizeof(whole) - all);
        }
        CHECK(all == sizeof(without) - 1 && !memcmp(whole, without, all));
        CHECK(watcher_gets(&bytes, text));
        size_t n = chardev_read(g.port, whole, sizeof(whole) - 1);
        whole[n] = 0;
        CHECK(strstr(whole, "\033[?") == whole && strstr(whole, "R\033]10;rgb:") &&
              strstr(whole, "\033]11;rgb:") && strstr(whole, "$r") &&
              strstr(whole, "\033[0n\033[?"));
        watcher_close(&bytes);
        watcher_close(&terminal);
        guest_close(&g);
    }
}

/* A guest that asks without end and reads nothing: answers are dropped, typed bytes are not. */
TEST(answers_give_way_to_what_is_typed)
{
    static uint8_t typed[CONSOLE_BUFFER], got[CONSOLE_BUFFER + 8192];
    guest_t g;
    watcher_t w;
    CHECK(guest_open(&g, false, false) && watcher_open(&w, &g, CONSOLE_TERMINAL, true));
    for (unsigned i = 0; i < 100000; i++) {
        guest_says(&g, "\033[c");
    }
    CHECK(watcher_gets(&w, ""));
    for (size_t i = 0; i < sizeof(typed); i++) {
        typed[i] = 'a' + (uint8_t)(i % 26);
    }
    size_t taken = console_type(w.viewer, typed, sizeof(typed));
    CHECK(taken > CONSOLE_BUFFER / 2);
    for (unsigned i = 0; i < 1000; i++) {
        guest_says(&g, "\033[c");
    }
    size_t n = chardev_read(g.port, got, sizeof(got));
    CHECK(n >= taken && !memcmp(got + n - taken, typed, taken));
    watcher_close(&w);
    guest_close(&g);
}

TEST(input_waits_for_the_guest)
{
    static uint8_t got[CONSOLE_BUFFER];
    guest_t g;
    watcher_t w;
    uint8_t *bytes = pattern_bytes(BIG);
    CHECK(guest_open(&g, false, false) && watcher_open(&w, &g, CONSOLE_BYTES, true) && bytes);
    CHECK_EQ(CONSOLE_BUFFER, console_type(w.viewer, bytes, BIG));
    CHECK_EQ(0, console_type(w.viewer, bytes, 1));
    CHECK(!(watcher_was_told(&w) & CONSOLE_ROOM));
    CHECK_EQ(sizeof(got), chardev_read(g.port, got, sizeof(got)));
    CHECK(!memcmp(got, bytes, sizeof(got)));
    CHECK(watcher_was_told(&w) & CONSOLE_ROOM);
    watcher_close(&w);
    guest_close(&g);
    free(bytes);
}

TEST(a_hidden_terminal_is_repainted_when_it_is_shown)
{
    static char noise[200000];
    guest_t g;
    watcher_t w;
    uint32_t seed = 9;
    CHECK(guest_open(&g, false, false) && watcher_open(&w, &g, CONSOLE_TERMINAL, true));
    console_show(w.viewer, false);
    size_t size = full_screen_noise(&seed, noise, sizeof(noise));
    CHECK_EQ(size, chardev_write(g.port, noise, size));
    CHECK_EQ(0, watcher_look(&w));
    CHECK_EQ(0, console_pending(w.viewer));
    guest_says(&g, "\033[c"); /* it still answers */
    CHECK(chardev_poll(g.port) & CHARDEV_RX);
    console_show(w.viewer, true);
    CHECK((watcher_was_told(&w) & CONSOLE_OUTPUT) && console_pending(w.viewer));
    CHECK(watcher_look(&w) && watcher_sees_the_same(&w, &g));
    watcher_close(&w);
    guest_close(&g);
}

/* At the very start nothing is drawn over what the person has on their terminal. */
TEST(a_fresh_console_paints_nothing)
{
    guest_t g;
    watcher_t w;
    CHECK(guest_open(&g, false, false) && watcher_open(&w, &g, CONSOLE_TERMINAL, true));
    CHECK(watcher_gets(&w, ""));
    guest_says(&g, "first");
    CHECK(watcher_gets(&w, "first"));
    watcher_close(&w);
    guest_close(&g);
}

TEST(sizes_reach_the_guest_and_the_others)
{
    guest_t g;
    watcher_t a, b;
    console_info_t info;
    CHECK(guest_open(&g, false, false) && watcher_open(&a, &g, CONSOLE_TERMINAL, true) &&
          watcher_open(&b, &g, CONSOLE_CELLS, false));
    CHECK_EQ(0, g.resizes);
    console_resize(a.viewer, CONSOLE_COLS, CONSOLE_ROWS); /* as it is, but nobody had said so */
    CHECK(g.resizes == 1 && g.cols == CONSOLE_COLS && g.rows == CONSOLE_ROWS);
    CHECK(!(watcher_was_told(&b) & CONSOLE_RESIZED));
    console_resize(a.viewer, 132, 50);
    CHECK(g.resizes == 2 && g.cols == 132 && g.rows == 50);
    CHECK((watcher_was_told(&b) & CONSOLE_RESIZED) && !(watcher_was_told(&a) & CONSOLE_RESIZED));
    console_resize(b.viewer, 65535, 0);
    console_info(g.console, &info);
    CHECK(info.cols == VT_MAX_COLS && info.rows == VT_MIN_ROWS && g.cols == VT_MAX_COLS);
    CHECK(watcher_was_told(&a) & CONSOLE_RESIZED);
    watcher_close(&a);
    watcher_close(&b);
    guest_close(&g);
}

TEST(cells_say_what_changed)
{
    bool dirty[VT_MAX_ROWS];
    guest_t g;
    watcher_t a, b;
    CHECK(guest_open(&g, false, false) && watcher_open(&a, &g, CONSOLE_CELLS, false) &&
          watcher_open(&b, &g, CONSOLE_CELLS, false));
    CHECK(console_lock(a.viewer, dirty) && dirty[0] && dirty[CONSOLE_ROWS - 1]);
    console_unlock(a.viewer);
    watcher_was_told(&a);
    guest_says(&g, "\033[5Hx");
    CHECK(watcher_was_told(&a) & CONSOLE_OUTPUT);
    vt_t *vt = console_lock(a.viewer, dirty);
    CHECK(vt && !dirty[0] && dirty[4] && !dirty[5] && (vt_row(vt, 4)->ch & VT_CODE) == 'x');
    console_unlock(a.viewer);
    console_lock(a.viewer, dirty);
    CHECK(!dirty[4]);
    console_unlock(a.viewer);
    console_lock(b.viewer, dirty); /* it has not looked yet */
    CHECK(dirty[4] && dirty[0]);
    console_unlock(b.viewer);
    watcher_close(&a);
    watcher_close(&b);
    guest_close(&g);
}

TEST(keys_are_what_the_guest_asked_for)
{
    guest_t g;
    watcher_t w;
    CHECK(guest_open(&g, false, false) && watcher_open(&w, &g, CONSOLE_CELLS, false));
    console_key(w.viewer, VT_KEY_UP, 0);
    CHECK(guest_gets(&g, "\033[A"));
    guest_says(&g, "\033[?1h\033[?2004h\033[?1004h\033[?1000h\033[?1006h");
    console_key(w.viewer, VT_KEY_UP, 0);
    CHECK(guest_gets(&g, "\033OA"));
    CHECK(console_paste(w.viewer, "x\ry", 3));
    CHECK(guest_gets(&g, "\033[200~x\ry\033[201~"));
    console_focus(w.viewer, true);
    CHECK(guest_gets(&g, "\033[I"));
    CHECK(console_mouse(w.viewer, VT_MOUSE_PRESS, 0, 2, 3, 0, 0, 0) &&
          guest_gets(&g, "\033[<0;3;4M"));
    watcher_close(&w);
    guest_close(&g);
}

TEST(a_paste_of_a_window_is_whole)
{
    static char text[1 << 20], got[1 << 20];
    guest_t g;
    watcher_t w;
    CHECK(guest_open(&g, false, false) && watcher_open(&w, &g, CONSOLE_CELLS, false));
    for (size_t i = 0; i < sizeof(text); i++) {
        text[i] = (char)(' ' + pattern(i) % 90);
    }
    CHECK(console_paste(w.viewer, text, sizeof(text)));
    CHECK_EQ(sizeof(got), chardev_read(g.port, got, sizeof(got)));
    CHECK(!memcmp(text, got, sizeof(got)));
    watcher_close(&w);
    guest_close(&g);
}

/* Never a part of one, nor a beginning without an end. */
TEST(a_paste_that_is_too_much_is_none)
{
    const size_t much = (size_t)40 << 20;
    char *text = malloc(2 * much), *got = malloc(much + 64);
    guest_t g;
    watcher_t w;
    CHECK(text && got);
    CHECK(guest_open(&g, false, false) && watcher_open(&w, &g, CONSOLE_CELLS, false));
    if (text && got) {
        memset(text, 'x', 2 * much);
        guest_says(&g, "\033[?2004h");
        CHECK(!console_paste(w.viewer, text, 2 * much));
        CHECK(console_paste(w.viewer, text, much));
        CHECK(!console_paste(w.viewer, text, much)); /* the guest has not read the other yet */
        CHECK_EQ(much + 12, chardev_read(g.port, got, much + 64));
        CHECK(!memcmp(got + much, "xxxxxx\033[201~", 12));
        CHECK(console_paste(w.viewer, text, much));
    }
    watcher_close(&w);
    guest_close(&g);
    free(text);
    free(got);
}

TEST(bell_title_and_clipboard)
{
    char title[8], which;
    size_t size;
    guest_t g;
    watcher_t w;
    CHECK(guest_open(&g, false, false) && watcher_open(&w, &g, CONSOLE_CELLS, false));
    CHECK(console_clipboard(g.console, &which, &size) == NULL);
    watcher_was_told(&w);
    guest_says(&g, "\007");
    CHECK(watcher_was_told(&w) & CONSOLE_BELL);
    guest_says(&g, "\033]2;a long title\007");
    CHECK(watcher_was_told(&w) & CONSOLE_TITLE);
    CHECK(console_title(g.console, title, sizeof(title)) == 12 && !strcmp(title, "a long "));
    guest_says(&g, "\033]52;c;aGk=\007");
    CHECK(watcher_was_told(&w) & CONSOLE_CLIPBOARD);
    char *clipboard = console_clipboard(g.console, &which, &size);
    CHECK(clipboard && size == 4 && which == 'c' && !strcmp(clipboard, "aGk="));
    free(clipboard);
    guest_says(&g, "\033]52;c;?\007");
    CHECK(watcher_was_told(&w) & CONSOLE_ASKED);
    console_answer_clipboard(w.viewer, 'c', "eW8=", 4);
    CHECK(guest_gets(&g, "\033]52;c;eW8=\033\\"));
    watcher_close(&w);
    guest_close(&g);
}

TEST(state_goes_out_and_comes_back)
{
    static char noise[5000];
    guest_t g, other;
    watcher_t w, seen;
    uint32_t seed = 3;
    size_t size;
    CHECK(guest_open(&g, false, false) && guest_open(&other, false, false));
    CHECK(watcher_open(&w, &g, CONSOLE_BYTES, true) &&
          watcher_open(&seen, &other, CONSOLE_TERMINAL, true));
    chardev_write(g.port, noise, full_screen_noise(&seed, noise, sizeof(noise)));
    console_type(w.viewer, "typed", 5);
    uint8_t *bytes = console_save(g.console, &size);
    CHECK(bytes && console_load(other.console, bytes, size));
    CHECK(console_hash(other.console) == console_hash(g.console) && guest_gets(&other, "typed"));
    watcher_look(&seen);
    CHECK(watcher_sees_the_same(&seen, &other));
    guest_says(&other, "and on");
    watcher_look(&seen);
    CHECK(watcher_sees_the_same(&seen, &other));
    for (size_t cut = 0; bytes && cut < 40 && cut < size; cut++) {
        CHECK(!console_load(other.console, bytes, cut));
    }
    bytes[12] ^= 1; /* a length */
    CHECK(!console_load(other.console, bytes, size));
    free(bytes);
    watcher_close(&w);
    watcher_close(&seen);
    guest_close(&g);
    guest_close(&other);
}

TEST(what_is_left_can_be_taken_after_the_port_has_closed)
{
    guest_t g;
    watcher_t w;
    CHECK(guest_open(&g, false, false) && watcher_open(&w, &g, CONSOLE_BYTES, true));
    guest_says(&g, "last words");
    chardev_free(g.port);
    CHECK(watcher_was_told(&w) & CONSOLE_CLOSED);
    CHECK(watcher_gets(&w, "last words"));
    CHECK_EQ(3, console_type(w.viewer, "abc", 3)); /* nobody reads it, nothing breaks */
    console_release(g.console);
    watcher_close(&w); /* the last one to let go */
}

/* --- Threads --- */

/* TSan makes each byte dear, and finds as much in fewer. */
#ifdef UTIL_NO_FENCES
#define STREAM ((size_t)2 << 20)
#else
#define STREAM ((size_t)10 << 20)
#endif

typedef struct {
    guest_t *guest;
    uint32_t stop;    /* atomic */
    uint64_t in_hash; /* of what the guest read */
    size_t in_size;   /* atomic */
} traffic_t;

static uint64_t fold(uint64_t hash, const uint8_t *data, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        hash = (hash ^ data[i]) * UINT64_C(0x100000001b3);
    }
    return hash;
}

/* The guest: writes STREAM bytes and reads as many. */
static void guest_main(void *opaque)
{
    traffic_t *t = opaque;
    uint8_t data[3000];
    size_t sent = 0, read = 0;
    while (sent < STREAM || read < STREAM) {
        size_t n = STREAM - sent < sizeof(data) ? STREAM - sent : sizeof(data);
        for (size_t i = 0; i < n; i++) {
            data[i] = 'a' + pattern(sent + i) % 26;
        }
        size_t put = chardev_write(t->guest->port, data, n);
        size_t got = chardev_read(t->guest->port, data, sizeof(data));
        t->in_hash = fold(t->in_hash, data, got);
        sent += put;
        read += got;
        if (!put && !got) {
            host_thread_yield();
        }
    }
    __atomic_store_n(&t->in_size, read, __ATOMIC_SEQ_CST);
}

/* Comes and goes, looks now and then, and changes the size. */
static void passer_by_main(void *opaque)
{
    traffic_t *t = opaque;
    uint32_t round = 0;
    while (!__atomic_load_n(&t->stop, __ATOMIC_SEQ_CST)) {
        watcher_t w;
        if (watcher_open(&w, t->guest, round % 2 ? CONSOLE_TERMINAL : CONSOLE_CELLS, false)) {
            watcher_look(&w);
            console_lock(w.viewer, NULL);
            console_unlock(w.viewer);
            console_resize(w.viewer, (uint16_t)(60 + round % 60), 24);
            host_sleep_ns(300000);
            watcher_close(&w);
        }
        round++;
    }
}

/* STREAM bytes each way through one that waits, while others come and go. */
TEST(nothing_is_lost_while_others_watch)
{
    guest_t g;
    watcher_t w;
    uint8_t data[2000], out[2000];
    traffic_t t = {.guest = &g};
    uint64_t want_in = 0;
    size_t taken = 0, typed = 0;
    bool same = true;
    CHECK(guest_open(&g, false, false) && watcher_open(&w, &g, CONSOLE_BYTES, true));
    host_thread_t *guest = host_thread_create(guest_main, &t),
                  *passer = host_thread_create(passer_by_main, &t);
    while (guest && (taken < STREAM || typed < STREAM)) {
        size_t n = console_take(w.viewer, data, sizeof(data));
        for (size_t i = 0; i < n; i++) {
            same &= data[i] == 'a' + pattern(taken + i) % 26;
        }
        taken += n;
        size_t m = STREAM - typed < sizeof(out) ? STREAM - typed : sizeof(out);
        for (size_t i = 0; i < m; i++) {
            out[i] = pattern((typed + i) * 3);
        }
        m = console_type(w.viewer, out, m);
        want_in = fold(want_in, out, m);
        typed += m;
        if (!n && !m) {
            host_thread_yield();
        }
    }
    host_thread_join(guest);
    __atomic_store_n(&t.stop, 1, __ATOMIC_SEQ_CST);
    host_thread_join(passer);
    CHECK(same && taken == STREAM);
    CHECK(t.in_size == STREAM && t.in_hash == want_in);
    watcher_close(&w);
    guest_close(&g);
}

static void patient_main(void *opaque)
{
    guest_t *g = opaque;
    uint8_t *bytes = pattern_bytes(BIG);
    if (bytes && chardev_write(g->port, bytes, BIG) == BIG) {
        guest_on_notify(g, 0x100);
    }
    free(bytes);
}

TEST(a_patient_guest_waits_in_its_write)
{
    guest_t g;
    watcher_t w;
    CHECK(guest_open(&g, false, true) && watcher_open(&w, &g, CONSOLE_BYTES, true));
    host_thread_t *guest = host_thread_create(patient_main, &g);
    for (size_t taken = 0; guest && taken < BIG;) {
        size_t n = console_pending(w.viewer);
        CHECK(takes_pattern(&w, taken, n));
        taken += n;
    }
    host_thread_join(guest);
    CHECK(guest_was_told(&g) & 0x100);
    watcher_close(&w);
    guest_close(&g);
}

int main(void)
{
    RUN(bytes_pass_both_ways);
    RUN(who_comes_late_gets_what_is_kept);
    RUN(a_channel_gives_its_bytes_once);
    RUN(one_that_waits_holds_the_guest);
    RUN(a_slow_terminal_sees_the_same_screen);
    RUN(a_repaint_waits_for_the_end_of_a_long_string);
    RUN(questions_are_answered_once);
    RUN(answers_give_way_to_what_is_typed);
    RUN(input_waits_for_the_guest);
    RUN(a_hidden_terminal_is_repainted_when_it_is_shown);
    RUN(a_fresh_console_paints_nothing);
    RUN(sizes_reach_the_guest_and_the_others);
    RUN(cells_say_what_changed);
    RUN(keys_are_what_the_guest_asked_for);
    RUN(a_paste_of_a_window_is_whole);
    RUN(a_paste_that_is_too_much_is_none);
    RUN(bell_title_and_clipboard);
    RUN(state_goes_out_and_comes_back);
    RUN(what_is_left_can_be_taken_after_the_port_has_closed);
    if (host_threads_available()) {
        RUN(nothing_is_lost_while_others_watch);
        RUN(a_patient_guest_waits_in_its_write);
    } else {
        (void)test_nothing_is_lost_while_others_watch,
            (void)test_a_patient_guest_waits_in_its_write;
    }
    return tap_finish();
}
