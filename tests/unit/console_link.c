/* SPDX-License-Identifier: MPL-2.0 */
/* A device's back end as a viewer of a console: nothing lost either way, whoever is slow. */
#include "tap.h"

#include "console_rig.h"

#include "frontends/console_link.h"

/* A back end that takes `room` bytes and has `input` to read. */
typedef struct {
    chardev_t dev;
    char got[1024];
    size_t got_size, room;
    const char *input, *last_words;
    uint16_t cols;
    bool echoes, removed; /* what it is given it also types, from within its write */
    char echo[8];
} back_t;

static size_t back_write(chardev_t *dev, const void *buf, size_t nbytes)
{
    back_t *b = dev->data;
    size_t n = nbytes < b->room ? nbytes : b->room;
    n = n < sizeof(b->got) - b->got_size ? n : sizeof(b->got) - b->got_size;
    memcpy(b->got + b->got_size, buf, n);
    b->got_size += n;
    b->room -= n;
    if (b->echoes && n) {
        b->echo[0] = b->got[b->got_size - 1];
        b->input = b->echo;
        chardev_notify(dev, CHARDEV_RX);
    }
    return n;
}

static size_t back_read(chardev_t *dev, void *buf, size_t nbytes)
{
    back_t *b = dev->data;
    size_t n = strlen(b->input);
    n = n < nbytes ? n : nbytes;
    memcpy(buf, b->input, n);
    b->input += n;
    return n;
}

static void back_remove(chardev_t *dev)
{
    back_t *b = dev->data;
    b->removed = true;
    b->input = b->last_words ? b->last_words : "";
    chardev_notify(dev, CHARDEV_RX); /* as a thread of its own may, until it is gone */
}

static bool back_window(chardev_t *dev, uint16_t *cols, uint16_t *rows)
{
    back_t *b = dev->data;
    *cols = b->cols;
    *rows = 50;
    return b->cols != 0;
}

static console_link_t *back_open(back_t *b, guest_t *g, size_t room, const char *input)
{
    *b = (back_t){.room = room, .input = input};
    b->dev = (chardev_t){.write = back_write, .read = back_read, .remove = back_remove, .data = b};
    const console_link_desc_t desc = {.backend = &b->dev, .size = back_window};
    console_link_t *link = guest_open(g, false, false) ? console_link(g->console, &desc) : NULL;
    CHECK(link != NULL);
    return link;
}

static bool back_has(const back_t *b, const char *text)
{
    return b->got_size == strlen(text) && !memcmp(b->got, text, b->got_size);
}

TEST(both_ways)
{
    guest_t g;
    back_t b;
    console_link_t *link = back_open(&b, &g, 1000, "early");
    CHECK(guest_gets(&g, "early"));
    guest_says(&g, "hello");
    CHECK(back_has(&b, "hello"));
    b.input = "more";
    chardev_notify(&b.dev, CHARDEV_RX);
    CHECK(guest_gets(&g, "more"));
    console_unlink(link);
    CHECK(b.removed);
    guest_close(&g);
}

TEST(output_waits_for_the_back_end)
{
    guest_t g;
    back_t b;
    console_link_t *link = back_open(&b, &g, 3, "");
    guest_says(&g, "abcdef");
    CHECK(back_has(&b, "abc"));
    b.room = 2;
    chardev_notify(&b.dev, CHARDEV_TX);
    CHECK(back_has(&b, "abcde"));
    b.room = 100;
    console_unlink(link); /* what is left goes out first */
    CHECK(back_has(&b, "abcdef") && b.removed);
    guest_close(&g);
}

TEST(a_back_end_that_takes_nothing_is_given_up)
{
    guest_t g;
    back_t b;
    console_link_t *link = back_open(&b, &g, 0, "");
    guest_says(&g, "abc");
    console_unlink(link);
    CHECK(b.removed && back_has(&b, ""));
    guest_close(&g);
}

TEST(input_waits_for_the_guest)
{
    static char text[CONSOLE_BUFFER + 5000], got[CONSOLE_BUFFER + 5000];
    guest_t g;
    back_t b;
    memset(text, 'x', sizeof(text) - 1);
    memcpy(text + sizeof(text) - 5, "last", 4);
    console_link_t *link = back_open(&b, &g, 0, text);
    size_t n = chardev_read(g.port, got, sizeof(got));
    CHECK(n == CONSOLE_BUFFER);
    n += chardev_read(g.port, got + n, sizeof(got) - n);
    CHECK(n == sizeof(text) - 1 && !memcmp(text, got, n));
    console_unlink(link);
    guest_close(&g);
}

/* A script types from within what it is given. */
TEST(an_answer_from_within_a_write)
{
    guest_t g;
    back_t b;
    console_link_t *link = back_open(&b, &g, 1000, "");
    b.echoes = true;
    guest_says(&g, "x");
    CHECK(guest_gets(&g, "x"));
    guest_says(&g, "yz");
    CHECK(guest_gets(&g, "z"));
    console_unlink(link);
    guest_close(&g);
}

TEST(a_window_is_looked_at)
{
    guest_t g;
    back_t b;
    console_link_t *link = back_open(&b, &g, 1000, "");
    for (unsigned i = 0; i < 40; i++) {
        b.cols = i < 20 ? 0 : 132;
        chardev_update(g.port);
        CHECK(i >= 20 || !g.resizes);
    }
    CHECK(g.resizes == 1 && g.cols == 132 && g.rows == 50);
    console_unlink(link);
    guest_close(&g);
}

TEST(last_words_of_a_back_end_are_typed)
{
    guest_t g;
    back_t b;
    console_link_t *link = back_open(&b, &g, 1000, "");
    b.last_words = "bye";
    console_unlink(link);
    CHECK(b.removed && guest_gets(&g, "bye"));
    guest_close(&g);
}

int main(void)
{
    RUN(both_ways);
    RUN(output_waits_for_the_back_end);
    RUN(a_back_end_that_takes_nothing_is_given_up);
    RUN(input_waits_for_the_guest);
    RUN(an_answer_from_within_a_write);
    RUN(a_window_is_looked_at);
    RUN(last_words_of_a_back_end_are_typed);
    return tap_finish();
}
