/* SPDX-License-Identifier: MPL-2.0 */
#include "frontends/script.h"

#include "host/clock.h"
#include "tap.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char error[400];

static script_t *parse(const char *text)
{
    error[0] = 0;
    return script_parse("s.txt", text, strlen(text), error, sizeof(error));
}

static bool refuses(const char *text, const char *what)
{
    script_t *s = parse(text);
    bool good = !s && strstr(error, what) && !strchr(error, '\n');
    if (!good) {
        printf("# %s: wanted \"%s\", got \"%s\"\n", text, what, s ? "(accepted)" : error);
    }
    script_free(s);
    return good;
}

/* A run against a guest that is this test. */
typedef struct play {
    script_t *script;
    chardev_t *dev;
    unsigned done;   /* how often on_done came */
    unsigned notify; /* flags told to the device */
} play_t;

static void on_done(void *opaque)
{
    play_t *p = opaque;
    p->done++;
}

static void on_notify(void *io_dev, uint32_t flags)
{
    play_t *p = io_dev;
    p->notify |= flags;
}

static bool play_open(play_t *p, const char *text)
{
    memset(p, 0, sizeof(*p));
    p->script = parse(text);
    if (!p->script) {
        printf("# %s\n", error);
        return false;
    }
    p->dev = script_play(p->script, on_done, p);
    if (p->dev) {
        p->dev->io_dev = p;
        p->dev->notify = on_notify;
    }
    return p->dev != NULL;
}

static void play_close(play_t *p)
{
    chardev_free(p->dev);
    script_free(p->script);
}

static size_t guest_says(play_t *p, const char *text)
{
    return chardev_write(p->dev, text, strlen(text));
}

/* What the guest can read now is exactly text. */
static bool guest_gets(play_t *p, const char *text)
{
    char buf[256];
    size_t n = chardev_read(p->dev, buf, sizeof(buf));
    return n == strlen(text) && !memcmp(buf, text, n);
}

TEST(parser_refuses)
{
    CHECK(refuses("wait 3\n", "s.txt:1: unknown command \"wait\""));
    CHECK(refuses("# fine\n\nsend\n", "s.txt:3: a text in double quotes"));
    CHECK(refuses("send \"open\n", "s.txt:1: the closing quote"));
    CHECK(refuses("send \"a\\q\"\n", "unknown escape"));
    CHECK(refuses("send \"a\\x\"\n", "unknown escape"));
    CHECK(refuses("send \"a\\777\"\n", "unknown escape"));
    CHECK(refuses("send \"a\" \"b\"\n", "left over"));
    CHECK(refuses("expect \"\"\n", "empty text"));
    CHECK(refuses("expect \"a\" soon\n", "\"soon\" is no number of seconds"));
    CHECK(refuses("expect \"a\" -1\n", "no number"));
    CHECK(refuses("expect \"a\" nan\n", "no number"));
    CHECK(refuses("expect \"a\" 1e99\n", "no number"));
    CHECK(refuses("sleep\n", "no number"));
    CHECK(refuses("quit 256\n", "no exit status"));
    CHECK(refuses("quit -1\n", "no exit status"));
    CHECK(refuses("sendfile \"/nowhere/at/all\"\n", "s.txt:1: /nowhere/at/all: cannot be opened"));
    CHECK(refuses("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n", "too long"));
}

TEST(expect_and_send)
{
    play_t p;
    if (!play_open(&p, "expect \"login:\" 5 # who\r\n  send \"root\\r\\x41\\101\\\"\\n\"\nexpect "
                       "\"# \"\nquit 7")) {
        CHECK(false);
        return;
    }
    CHECK_EQ(CHARDEV_TX, chardev_poll(p.dev));
    guest_says(&p, "booting\r\nlog");
    CHECK(guest_gets(&p, ""));
    guest_says(&p, "in: # ");
    CHECK_EQ(CHARDEV_TX | CHARDEV_RX, chardev_poll(p.dev));
    CHECK_EQ(CHARDEV_RX, p.notify);
    CHECK(guest_gets(&p, "root\rAA\"\n"));
    CHECK_EQ(1, p.done); /* the "# " came in the same piece, after the match */
    CHECK_EQ(7, script_result(p.dev));
    play_close(&p);
}

TEST(a_match_is_used_once)
{
    play_t p;
    CHECK(play_open(&p, "expect \"aab\"\nsend \"1\"\nexpect \"aab\"\nsend \"2\"\n"));
    guest_says(&p, "aa");
    guest_says(&p, "aab");
    CHECK(guest_gets(&p, "1"));
    CHECK_EQ(0, p.done);
    guest_says(&p, "aab");
    CHECK(guest_gets(&p, "2"));
    CHECK_EQ(1, p.done);
    CHECK_EQ(SCRIPT_OK, script_result(p.dev));
    play_close(&p);
}

TEST(a_long_output_is_searched_whole)
{
    play_t p;
    static char chunk[3000];
    CHECK(play_open(&p, "expect \"needle\"\nsend \"x\"\n"));
    memset(chunk, 'n', sizeof(chunk));
    for (int i = 0; i < 1000; i++) {
        chardev_write(p.dev, chunk, sizeof(chunk));
    }
    guest_says(&p, "need");
    chardev_write(p.dev, chunk, 0);
    guest_says(&p, "le");
    CHECK_EQ(1, p.done);
    CHECK(guest_gets(&p, "x"));
    play_close(&p);
}

TEST(timeout_and_early_end_fail)
{
    play_t p;
    CHECK(play_open(&p, "expect \"never\" 0.02\nquit 0\n"));
    guest_says(&p, "something\x1b[0m\nelse");
    uint64_t start = host_clock_ns();
    while (!p.done && host_clock_ns() - start < 2000000000u) {
        chardev_update(p.dev);
    }
    CHECK(host_clock_ns() - start >= 15000000u);
    CHECK_EQ(1, p.done);
    CHECK_EQ(SCRIPT_FAILED, script_result(p.dev));
    play_close(&p);
    CHECK(play_open(&p, "expect \"never\"\nquit 0\n"));
    CHECK_EQ(SCRIPT_FAILED, script_result(p.dev));
    play_close(&p);
    CHECK(play_open(&p, "off\nquit 5\n"));
    CHECK_EQ(5, script_result(p.dev));
    play_close(&p);
    CHECK(play_open(&p, "off\nexpect \"x\"\n"));
    CHECK_EQ(SCRIPT_FAILED, script_result(p.dev));
    play_close(&p);
}

TEST(sleep_takes_its_time)
{
    play_t p;
    CHECK(play_open(&p, "sleep 0.03\nsend \"x\"\nexpect \"y\"\n"));
    uint64_t start = host_clock_ns();
    chardev_update(p.dev);
    CHECK(guest_gets(&p, "") || host_clock_ns() - start > 30000000u);
    while (!chardev_poll(p.dev) || !(chardev_poll(p.dev) & CHARDEV_RX)) {
        chardev_update(p.dev);
        if (host_clock_ns() - start > 2000000000u) {
            break;
        }
    }
    CHECK(host_clock_ns() - start >= 30000000u);
    CHECK(guest_gets(&p, "x"));
    play_close(&p);
}

TEST(files_are_typed)
{
    char path[] = "/tmp/rvkit-unit-XXXXXX", text[200];
    play_t p;
    int fd = mkstemp(path);
    CHECK(fd >= 0 && write(fd, "a\n\xc3\xa4\n", 5) == 5);
    close(fd);
    snprintf(text, sizeof(text), "sendfile \"%s\"\npaste \"%s\"\nexpect \"x\"\n", path, path);
    CHECK(play_open(&p, text));
    unlink(path);
    chardev_update(p.dev);
    CHECK(guest_gets(&p, "a\n\xc3\xa4\na\r\xc3\xa4\r"));
    play_close(&p);
}

TEST(random_scripts_are_survived)
{
    static const char *const pieces[] = {"expect ", "send ", "\"",    "\\",      "x",    "\n",
                                         "#",       " 3",    "quit",  "sleep 0", "\\x4", "\r\n",
                                         "\t",      "off",   "\"a\"", "\\n"};
    uint32_t seed = 99, accepted = 0;
    for (int round = 0; round < 20000; round++) {
        char text[200] = "";
        for (int i = 0; i < round % 12; i++) {
            seed = seed * 1664525 + 1013904223;
            strcat(text, pieces[seed >> 24 & 15]);
        }
        script_t *s = parse(text);
        accepted += s != NULL;
        CHECK(s || (error[0] && !strchr(error, '\n')));
        script_free(s);
    }
    CHECK(accepted > 1000);
}

int main(void)
{
    RUN(parser_refuses);
    RUN(expect_and_send);
    RUN(a_match_is_used_once);
    RUN(a_long_output_is_searched_whole);
    RUN(timeout_and_early_end_fail);
    RUN(sleep_takes_its_time);
    RUN(files_are_typed);
    RUN(random_scripts_are_survived);
    return tap_finish();
}
