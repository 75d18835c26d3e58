/* SPDX-License-Identifier: MPL-2.0 */
/* The monitor behind a console that the test plays: commands, their errors, back-pressure, Ctrl-C.
 */
#include "monitor_rig.h"

/* ---- Tests ---- */

TEST(greeting_and_help)
{
    world_t w;
    world_open(&w);
    CHECK(fake_count(&w.fake, 0, "help") == 1);
    char help[4096];
    snprintf(help, sizeof(help), "%s", ask(&w, "help"));
    static const char *const names[] = {
        "balloon", "continue", "disas",     "hart",  "help",       "info",      "pause", "portfwd",
        "print",   "quit",     "registers", "reset", "screenshot", "translate", "x",     "xp"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        char line[40];
        snprintf(line, sizeof(line), "\n%s ", names[i]);
        CHECK(!strncmp(help, line + 1, strlen(line + 1)) || strstr(help, line));
        snprintf(line, sizeof(line), "help %s", names[i]);
        CHECK(answers(&w, line, names[i]));
    }
    CHECK(answers(&w, "? x", "instruction"));
    CHECK(answers(&w, "help nothing", "no command \"nothing\""));
    CHECK(answers(&w, "", ""));
    CHECK(answers(&w, "   ", ""));
    world_close(&w);
}

TEST(finding_commands)
{
    world_t w;
    world_open(&w);
    CHECK(answers(&w, "info version", "rvkit " RVKIT_VERSION "\r\n"));
    CHECK(answers(&w, "inf ver", "rvkit "));
    CHECK(answers(&w, "  info   version  ", "rvkit "));
    CHECK(answers(&w, "ifno version", "did you mean \"info\"?"));
    CHECK(answers(&w, "regsters", "did you mean \"registers\"?"));
    CHECK(answers(&w, "frobnicate", "\"help\" lists"));
    CHECK(answers(&w, "re", "could be registers reset"));
    CHECK(answers(&w, "info", "usage: info WHAT"));
    CHECK(answers(&w, "info versoin", "did you mean \"version\"?"));
    CHECK(answers(&w, "info b", "could be balloon blk"));
    CHECK(answers(&w, "pause now", "usage: pause"));
    CHECK(answers(&w, "info \"version", "without its second"));
    CHECK(answers(&w, "print 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1", "too many words"));
    world_close(&w);
}

TEST(running_and_pausing)
{
    world_t w;
    world_open(&w);
    CHECK(answers(&w, "info status", "off; harts: 2, RAM: 1 MiB at 0x80000000"));
    CHECK(answers(&w, "pause", "the machine is off"));
    world_run(&w);
    CHECK(answers(&w, "info harts", "running; harts: 2"));
    CHECK(answers(&w, "info harts", "* hart 0   running  M-mode  pc 0x80000008"));
    CHECK(answers(&w, "info harts", "  hart 1   running  M-mode  pc 0x80000008"));
    CHECK(answers(&w, "c", "runs already"));
    CHECK(answers(&w, "pause", "paused; hart 0 is at 0x80000008 in M-mode"));
    CHECK(!rvvm_machine_running(w.machine));
    CHECK(answers(&w, "stop", "paused already"));
    CHECK(answers(&w, "info status", "paused;"));
    CHECK(answers(&w, "cont", "") && rvvm_machine_running(w.machine));
    CHECK(answers(&w, "stop", "paused;") && answers(&w, "continue", "") &&
          rvvm_machine_running(w.machine));
    CHECK(answers(&w, "hart", "hart 0") && answers(&w, "hart 1", "hart 1"));
    CHECK(answers(&w, "info harts", "* hart 1 "));
    CHECK(answers(&w, "hart 2", "there is no hart 2; the last is 1"));
    CHECK(answers(&w, "hart x", "there is no hart x"));
    CHECK(answers(&w, "reset", "") && w.resets == 1);
    CHECK(answers(&w, "q", "") && answers(&w, "exit", "") && answers(&w, "quit", "") &&
          w.quits == 3);
    world_close(&w);
}

TEST(registers)
{
    world_t w;
    world_open(&w);
    world_run(&w);
    CHECK(answers(&w, "r", "hart 0, M-mode, pc 0x80000008"));
    CHECK(answers(&w, "r", "zero 0x00000000  ra   0x00000000"));
    CHECK(answers(&w, "registers 1", "hart 1, M-mode"));
    CHECK(answers(&w, "registers 1", "\r\nmstatus  0x00000000  mtvec "));
    CHECK(answers(&w, "registers 1 mhartid", "mhartid 0x00000001"));
    CHECK(answers(&w, "hart", "hart 0"));
    CHECK(answers(&w, "r f", "ft0  0x0000000000000000 0"));
    CHECK(answers(&w, "r all", "ft11"));
    CHECK(answers(&w, "r csr", "satp"));
    CHECK(answers(&w, "r pc", "pc 0x80000008"));
    CHECK(answers(&w, "r $x0", "$x0 0x00000000"));
    CHECK(answers(&w, "r seed", "without changing something"));
    CHECK(answers(&w, "r nosuch", "\"nosuch\" is not a register"));
    CHECK(answers(&w, "r x32", "is not a register"));
    CHECK(answers(&w, "r 5", "there is no hart 5"));
    CHECK(answers(&w, "r pc sp", "usage: registers"));
    world_close(&w);
}

TEST(values)
{
    world_t w;
    world_open(&w);
    world_run(&w);
    CHECK(answers(&w, "p 16", "0x10  16  16\r\n"));
    CHECK(answers(&w, "print 0xffffffff", "0xffffffff  4294967295  -1\r\n"));
    CHECK(answers(&w, "p $pc", "0x80000008"));
    CHECK(answers(&w, "p pc - 8 + 0x10", "0x80000010"));
    CHECK(answers(&w, "p -1+2", "0x1 "));
    CHECK(answers(&w, "p $fp+x2", "0x0 "));
    CHECK(answers(&w, "p misa", "0x4"));
    CHECK(answers(&w, "p 12ab", "\"12ab\" is not a number"));
    CHECK(answers(&w, "p 0x", "\"0x\" is not a number"));
    CHECK(answers(&w, "p 0x12345678901234567", "is not a number"));
    CHECK(answers(&w, "p 1+", "is not a number, a register or a sum"));
    CHECK(answers(&w, "p $", "\"\" is not a register"));
    CHECK(answers(&w, "p", "usage: print VALUE"));
    CHECK(answers(&w, "translate $pc", "0x80000008 is at 0x80000008"));
    world_close(&w);
}

TEST(memory)
{
    world_t w;
    world_open(&w);
    world_run(&w);
    CHECK(answers(&w, "x/3x 0x80000000", "0x80000000: 0x00150513 0x0505952e 0x0000006f\r\n"));
    CHECK(answers(&w, "xp /2xh 0x80000000", "0x80000000: 0x0513 0x0015\r\n"));
    CHECK(answers(&w, "x /4xb $pc - 8", "0x80000000: 0x13 0x05 0x15 0x00\r\n"));
    CHECK(answers(&w, "x", "0x80000004: 0x2e 0x95 0x05 0x05\r\n"));
    CHECK(answers(&w, "x/g 0x80000000", "0x80000000: 0x0505952e00150513\r\n"));
    CHECK(answers(&w, "x/2dw 0x80000000", "0x80000000:     1377555    84251950\r\n"));
    CHECK(answers(&w, "x/ub 0x80000000", "0x80000000:  19\r\n"));
    CHECK(answers(&w, "x/ob 0x80000000", "0x80000000: 0023\r\n"));
    CHECK(answers(&w, "x/6c 0x80000100", "0x80000100: 'H' 'e' 'l' 'l' 'o' '\\n'\r\n"));
    CHECK(
        answers(&w, "x/2s 0x80000100",
                "0x80000100: \"Hello\\n\\\"w\\xc3\\xb6rld\\\"\\\\\"\r\n0x80000110: \"tail\"\r\n"));
    CHECK(answers(&w, "x/9xw 0x800fffe0",
                  "0x800ffff0: 0x00000000 0x00000000 0x00000000 0x00000000\r\n"
                  "0x80100000: cannot be read\r\n"));
    CHECK(answers(&w, "x 0x10000000", "0x10000000: cannot be read"));
    CHECK(answers(&w, "x/s 0x10000000", "0x10000000: cannot be read"));
    CHECK(answers(&w, "x/i 0x10000000", "0x10000000: cannot be read"));
    CHECK(answers(&w, "xp 0x380000000", "0x380000000: cannot be read"));
    CHECK(answers(&w, "x/0x 0x80000000", "\"/0x\" is not a count"));
    CHECK(answers(&w, "x/65537x 0x80000000", "is not a count up to 65536"));
    CHECK(answers(&w, "x/4y 0x80000000", "\"/4y\" is not a count"));
    CHECK(answers(&w, "x/99999999999999999999x 0", "is not a count"));
    CHECK(answers(&w, "x/4x nowhere", "\"nowhere\" is not a register"));
    world_close(&w);
    world_open(&w);
    CHECK(answers(&w, "x", "from which address on?"));
    world_close(&w);
}

TEST(disassembly)
{
    world_t w;
    world_open(&w);
    world_run(&w);
    const char *want = "   0x80000000:  00150513  addi a0, a0, 1\r\n"
                       "   0x80000004:      952e  add a0, a0, a1\r\n"
                       "   0x80000006:      0505  addi a0, a0, 1\r\n"
                       "=> 0x80000008:  0000006f  jal zero, 0x80000008\r\n";
    CHECK(answers(&w, "x/4i 0x80000000", want));
    CHECK(answers(&w, "disas 0x80000000 4", want));
    CHECK(answers(&w, "disas", "=> 0x80000008:"));
    CHECK(answers(&w, "x/i pc", "=> 0x80000008:"));
    CHECK(answers(&w, "xp/i 0x80000008", "   0x80000008:"));
    CHECK(answers(&w, "disas 0x80000000 four", "is not a count"));
    CHECK(answers(&w, "disas 12z", "is not a number"));
    world_close(&w);
}

TEST(devices_and_consoles)
{
    world_t w;
    world_open_with(&w,
                    (board_desc_t){.serial_count = 1, .balloon = true, .balloon_target = 1 << 19},
                    false, false);
    CHECK(answers(&w, "info devices", "0x02000000-0x"));
    CHECK(answers(&w, "info devices", "serial-ns16550a\r\n"));
    CHECK(answers(&w, "info devices", "irq 1"));
    CHECK(answers(&w, "info devices", "virtio-balloon\r\n"));
    CHECK(answers(&w, "info consoles",
                  "* hvc0         80x24, 2 looking on, out 12345, in 0 bytes\r\n"));
    CHECK(answers(&w, "info consoles",
                  "  hvc1         80x24, 2 looking on, out 12345, in 0 bytes, vi?[2J?5n\r\n"));
    CHECK(answers(&w, "info blk", "there are no drives"));
    CHECK(answers(&w, "info net", "there are no network cards"));
    CHECK(answers(&w, "info balloon", "asked for 512 KiB, given up 0 bytes\r\n"));
    CHECK(answers(&w, "balloon 256K", ""));
    CHECK(answers(&w, "balloon", "asked for 256 KiB, given up 0 bytes\r\n"));
    CHECK(answers(&w, "balloon 0", "") && answers(&w, "balloon", "asked for 0 bytes"));
    CHECK(answers(&w, "balloon much", "\"much\" is not a size"));
    CHECK(answers(&w, "screenshot out.txt", "written") && !strcmp(w.shot, "|out.txt"));
    CHECK(answers(&w, "screenshot hvc1 \"my file\"", "written") && !strcmp(w.shot, "hvc1|my file"));
    CHECK(answers(&w, "screenshot bad", "no such folder"));
    CHECK(answers(&w, "screenshot", "usage: screenshot [CONSOLE] FILE"));
    world_close(&w);
}

TEST(what_is_not_there)
{
    world_t w;
    world_open_with(&w, (board_desc_t){.harts = 1}, false, true);
    static const char *const lines[] = {"pause", "continue", "reset", "screenshot x", "quit"};
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        CHECK(answers(&w, lines[i], "is not to be had here"));
    }
    CHECK(answers(&w, "info consoles", "no consoles are known here"));
    CHECK(answers(&w, "balloon 1M", "has no balloon") &&
          answers(&w, "info balloon", "has no balloon"));
    CHECK(answers(&w, "portfwd", "no ports are forwarded"));
    CHECK(answers(&w, "portfwd add 2222=22", "there is no user network"));
    world_close(&w);
}

TEST(drives)
{
    char path[] = "/tmp/rvkit-monitor-XXXXXX", why[200], want[128];
    int fd = mkstemp(path);
    CHECK(fd >= 0 && ftruncate(fd, 3 << 19) == 0);
    close(fd);
    disk_t *disk = disk_open(&(disk_desc_t){.path = path, .read_only = true}, why, sizeof(why));
    world_t w;
    world_open_with(&w, (board_desc_t){.drive = {disk}, .drive_count = 1}, false, false);
    snprintf(want, sizeof(want),
             "drive 0: %s, 1.5 MiB, read-only\r\n  read     0 bytes in 0 requests\r\n", path);
    CHECK(answers(&w, "info blk", want));
    CHECK(answers(&w, "info blk", "flushes  0, discards 0, errors 0"));
    world_close(&w);
    remove(path);
}

TEST(forwarded_ports)
{
    char why[200];
    world_t w;
    if (!host_net_user_available()) {
        return;
    }
    host_net_t *net = host_net_open_user(&(host_net_user_t){.loopback = false}, why, sizeof(why));
    world_open_with(&w, (board_desc_t){.net = {{.net = net}}, .net_count = 1}, false, false);
    CHECK(answers(&w, "info net", "card 0: user, 02:72:76:00:00:01, the link is up"));
    CHECK(answers(&w, "portfwd", "no ports are forwarded"));
    /* Whatever is free near here. */
    char line[80], list[80], remove_line[80];
    bool added = false;
    for (unsigned port = 20000 + (unsigned)getpid() % 20000; !added; port++) {
        snprintf(line, sizeof(line), "portfwd add tcp/127.0.0.1:%u=22", port);
        snprintf(list, sizeof(list), "tcp/127.0.0.1:%u=22\r\n", port);
        snprintf(remove_line, sizeof(remove_line), "portfwd remove tcp/127.0.0.1:%u", port);
        added = !*ask(&w, line);
    }
    CHECK(answers(&w, "portfwd", list) && answers(&w, "portfwd list", list) &&
          answers(&w, "info net", list));
    CHECK(answers(&w, line, "in use"));
    CHECK(answers(&w, "portfwd remove udp/127.0.0.1:22", "port 22 is not forwarded"));
    CHECK(answers(&w, "portfwd add nonsense", "\"nonsense\" is not [tcp/|udp/]"));
    CHECK(answers(&w, "portfwd add", "usage: portfwd") &&
          answers(&w, "portfwd list x", "usage: portfwd"));
    CHECK(answers(&w, "portfwd frob x", "no portfwd command \"frob\""));
    CHECK(answers(&w, "portfwd add [::1]:2022=22", "name the guest's IPv6 address"));
    CHECK(answers(&w, remove_line, ""));
    CHECK(answers(&w, "portfwd", "no ports are forwarded"));
    CHECK(answers(&w, line, "") && answers(&w, remove_line, "")); /* it was free again */
    world_close(&w);
}

/* What completion puts into the line shows in its echo. */
static bool completes(world_t *w, const char *keys, const char *want)
{
    size_t from = fake_size(&w->fake);
    fake_type(&w->fake, keys);
    bool ok = fake_wait(&w->fake, from, want, 1);
    from = fake_size(&w->fake);
    fake_type(&w->fake, "\x15\x03"); /* drop it */
    return fake_wait(&w->fake, from, "^C\r\n" PROMPT, 1) && ok;
}

TEST(completion)
{
    world_t w;
    world_open(&w);
    monitor_set_columns(w.monitor, 100);
    CHECK(completes(&w, "sc\t", "screenshot "));
    CHECK(completes(&w, "p\t\t", "pause    portfwd  print"));
    CHECK(completes(&w, "info dev\t", "info devices "));
    CHECK(completes(&w, "inf con\t", "inf consoles "));
    CHECK(completes(&w, "help reg\t", "help registers "));
    CHECK(completes(&w, "screenshot \t", "screenshot hvc"));
    CHECK(completes(&w, "x/4x $m\t\t", "$mstatus"));
    CHECK(completes(&w, "p $mtve\t", "p $mtvec "));
    CHECK(completes(&w, "r mcau\t", "r mcause "));
    CHECK(completes(&w, "portfwd r\t", "portfwd remove "));
    CHECK(answers(&w, "info ver\t", "rvkit "));
    world_close(&w);
}

TEST(pasted_lines_and_history)
{
    world_t w;
    world_open(&w);
    size_t from = fake_size(&w.fake);
    fake_type(&w.fake, "p 1\np 2\r\np 3\rp 4\r\n\r\n");
    CHECK(fake_wait(&w.fake, from, "\n" PROMPT, 5));
    CHECK(fake_count(&w.fake, from, "0x1 ") == 1 && fake_count(&w.fake, from, "0x4 ") == 1);
    CHECK_EQ(5, fake_count(&w.fake, from, PROMPT) - fake_count(&w.fake, from, "\r" PROMPT));
    CHECK(answers(&w, "\x1b[A\x1b[A", "0x3 "));
    /* Many at once: all are carried out, in order. */
    char *much = malloc(20 * 5000 + 1);
    size_t size = 0;
    for (unsigned i = 0; i < 5000; i++) {
        size += (size_t)snprintf(much + size, 20, "p %u\n", i + 100000);
    }
    from = fake_size(&w.fake);
    fake_type(&w.fake, much);
    CHECK(fake_wait(&w.fake, from, PROMPT, 5000));
    const char *at = w.fake.out + from;
    for (unsigned i = 0; i < 5000 && at; i++) {
        char want[32];
        snprintf(want, sizeof(want), "  %u  %u\r\n", i + 100000, i + 100000);
        at = strstr(at, want);
    }
    CHECK(at != NULL);
    free(much);
    world_close(&w);
}

/* On a socket: no echo, nothing but text, lines of its kind. */
TEST(plain)
{
    world_t w;
    world_open_with(&w, (board_desc_t){.harts = 1}, true, false);
    size_t from = fake_size(&w.fake);
    fake_type(&w.fake, "p 1\r\np 2\nnonsense\n");
    CHECK(fake_wait(&w.fake, from, PROMPT, 3));
    static const char want[] =
        "0x1  1  1\n" PROMPT "0x2  2  2\n" PROMPT
        "there is no command \"nonsense\"; \"help\" lists what there is\n" PROMPT;
    CHECK(!strcmp(w.fake.out + from, want));
    world_close(&w);
}

/* A viewer that takes a few bytes at a time gets all of a long listing. */
TEST(back_pressure)
{
    world_t w;
    world_open(&w);
    size_t from = fake_size(&w.fake);
    fake_allow(&w.fake, from + 100);
    fake_type(&w.fake, "xp/20000xb 0x80000000\r");
    CHECK(fake_wait(&w.fake, from, "0x00", 1));
    host_sleep_ns(5000000);
    CHECK_EQ(from + 100, fake_size(&w.fake));
    fake_type(&w.fake, "p 77\r"); /* waits its turn */
    for (size_t limit = from; !fake_count(&w.fake, from, "0x4d  77"); limit += 1009) {
        fake_allow(&w.fake, limit);
        if (limit % 8 == 0) {
            host_sleep_ns(100000);
        }
        CHECK(limit < from + OUT_MAX / 2);
    }
    fake_allow(&w.fake, OUT_MAX);
    CHECK(fake_wait(&w.fake, from, PROMPT, 2));
    /* 2,500 lines, in order. */
    const char *at = w.fake.out + from;
    for (unsigned i = 0; i < 2500 && at; i++) {
        char want[80];
        snprintf(want, sizeof(want), "\r\n0x%08x: 0x00 0x00 0x00 0x00 0x00 0x00 0x00 0x00\r\n",
                 RAM + i * 8);
        at = strstr(at, want);
    }
    CHECK(at != NULL);
    world_close(&w);
}

TEST(ctrl_c_ends_a_listing)
{
    world_t w;
    world_open(&w);
    size_t from = fake_size(&w.fake);
    if (host_threads_available()) {
        fake_allow(&w.fake, from + 200);
        fake_type(&w.fake, "xp/60000xb 0x80000000\rp 99\r");
        CHECK(fake_wait(&w.fake, from, "0x00", 1));
        fake_type(&w.fake, "\x03"
                           "p 55\r");
        host_sleep_ns(20000000); /* while the viewer takes nothing */
        fake_allow(&w.fake, OUT_MAX);
        CHECK(fake_wait(&w.fake, from, "0x37  55", 1));
        CHECK_EQ(1, fake_count(&w.fake, from, "interrupted\r\n"));
        CHECK_EQ(0, fake_count(&w.fake, from, "0x63  99")); /* typed before it: forgotten */
        CHECK(fake_size(&w.fake) < from + 50000);
    }
    /* At the prompt it drops the line. */
    from = fake_size(&w.fake);
    fake_type(&w.fake, "pause\x03p 66\r");
    CHECK(fake_wait(&w.fake, from, "0x42  66", 1));
    CHECK_EQ(1, fake_count(&w.fake, from, "pause^C\r\n" PROMPT));
    world_close(&w);
}

/* The end does not wait for a viewer, nor for a listing. */
TEST(freeing_while_it_is_busy)
{
    world_t w;
    for (unsigned i = 0; i < 20; i++) {
        world_open(&w);
        if (i % 2) {
            world_run(&w);
        }
        fake_allow(&w.fake, fake_size(&w.fake) + i % 3 * 300);
        fake_type(&w.fake, "xp/60000xb 0x80000000\rinfo harts\rpau");
        host_sleep_ns(i * 100000);
        world_close(&w);
    }
}

/* Several looks at a machine that runs, while others pause it and let it go on. */
TEST(many_at_once)
{
    world_t w;
    world_open(&w);
    world_run(&w);
    size_t from = fake_size(&w.fake);
    for (unsigned i = 0; i < 100; i++) {
        fake_type(&w.fake, "r\rx/4i pc\rinfo devices\rpause\rinfo harts\rc\r");
        if (rvvm_pause_machine(w.machine)) {
            rvvm_start_machine(w.machine);
        }
    }
    CHECK(fake_wait(&w.fake, from, PROMPT, 600));
    CHECK(answers(&w, "r pc", "pc 0x80000008"));
    world_close(&w);
}

/* Lines of words that commands know, in any order: none ends the monitor, and each ends in a
 * prompt. */
TEST(random_lines)
{
    static const char *const words[] = {
        "x",
        "xp",
        "r",
        "p",
        "info",
        "disas",
        "hart",
        "translate",
        "portfwd",
        "balloon",
        "screenshot",
        "help",
        "add",
        "remove",
        "list",
        "harts",
        "net",
        "blk",
        "/",
        "/10i",
        "/3s",
        "/2xg",
        "/7c",
        "/9dh",
        "/i",
        "/0",
        "$pc",
        "$sp",
        "0x80000000",
        "0xffffffff",
        "0xffffffffffffffff",
        "-",
        "+",
        "-1",
        "1",
        "0",
        "99999999999999999999",
        "$",
        "seed",
        "mstatus",
        "f",
        "csr",
        "all",
        "\"",
        "\"a b\"",
        "tcp/",
        "[::1]:1=[::1]:1",
        "2222=22",
        "\xc3\xbc",
    };
    uint32_t seed = 7;
    world_t w;
    world_open(&w);
    world_run(&w);
    for (unsigned i = 0; i < 2000; i++) {
        char line[512] = "";
        unsigned count = 1 + i % 5;
        for (unsigned n = 0; n < count; n++) {
            seed = seed * 1664525 + 1013904223;
            strcat(line, words[(seed >> 16) % ARRAY_LEN(words)]);
            strcat(line, seed >> 30 ? " " : "");
        }
        ask(&w, line);
    }
    CHECK(answers(&w, "p 1", "0x1  1  1"));
    world_close(&w);
}

int main(void)
{
    RUN(greeting_and_help);
    RUN(finding_commands);
    RUN(running_and_pausing);
    RUN(registers);
    RUN(values);
    RUN(memory);
    RUN(disassembly);
    RUN(devices_and_consoles);
    RUN(what_is_not_there);
    RUN(drives);
    RUN(forwarded_ports);
    RUN(completion);
    RUN(pasted_lines_and_history);
    RUN(plain);
    RUN(back_pressure);
    RUN(ctrl_c_ends_a_listing);
    RUN(freeing_while_it_is_busy);
    RUN(many_at_once);
    RUN(random_lines);
    return tap_finish();
}
