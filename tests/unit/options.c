/* SPDX-License-Identifier: MPL-2.0 */
#include "board.h"
#include "frontends/options.h"
#include "frontends/sharing.h"

#include "tap.h"

#include <stdlib.h>

#define MAX_ARGS 64

static char error[256];

/* Parses a command line whose words are separated by single spaces. */
static bool parse(options_t *o, char *line)
{
    static char *argv[MAX_ARGS];
    int argc = 0;
    argv[argc++] = (char *)"rvkit";
    for (char *word = strtok(line, " "); word && argc < MAX_ARGS - 1; word = strtok(NULL, " ")) {
        argv[argc++] = word;
    }
    argv[argc] = NULL;
    error[0] = 0;
    return options_parse(o, argc, argv, error, sizeof(error));
}

static bool accepts(options_t *o, const char *line)
{
    static char copy[256];
    snprintf(copy, sizeof(copy), "%s", line);
    bool ok = parse(o, copy);
    if (!ok) {
        printf("# %s: %s\n", line, error);
    }
    return ok;
}

/* Refused with one line that contains what. */
static bool refuses(const char *line, const char *what)
{
    static char copy[512];
    options_t o;
    snprintf(copy, sizeof(copy), "%s", line);
    bool ok = parse(&o, copy);
    options_free(&o);
    bool good = !ok && error[0] && !strchr(error, '\n') && strstr(error, what);
    if (!good) {
        printf("# %s: %s\n", line, ok ? "was accepted" : error);
    }
    return good;
}

static bool same(const char *a, const char *b)
{
    return a && b && !strcmp(a, b);
}

TEST(defaults_and_files)
{
    options_t o;
    CHECK(accepts(&o, "fw.bin"));
    CHECK(same(o.firmware, "fw.bin") && !o.kernel);
    CHECK_EQ(256u << 20, o.mem);
    CHECK_EQ(1, o.harts);
    options_free(&o);
    CHECK(accepts(&o, "-bios fw -k Image -initrd i.cpio -dtb d -dumpdtb e"));
    CHECK(same(o.firmware, "fw") && same(o.kernel, "Image") && same(o.initrd, "i.cpio"));
    CHECK(same(o.dtb, "d") && same(o.dumpdtb, "e"));
    options_free(&o);
    CHECK(accepts(&o, "-bootrom fw --kernel=Image"));
    CHECK(same(o.firmware, "fw") && same(o.kernel, "Image"));
    options_free(&o);
    CHECK(accepts(&o, "-k Image -- -odd-name"));
    CHECK(same(o.firmware, "-odd-name"));
    options_free(&o);
}

TEST(machine_options)
{
    options_t o;
    CHECK(accepts(&o, "-k Image -m 1G -s 4 -rv32 -icount -nojit -v --trace"));
    CHECK_EQ(1u << 30, o.mem);
    CHECK_EQ(4, o.harts);
    CHECK(o.icount && o.verbose && o.trace && o.note_count == 0);
    options_free(&o);
    CHECK(accepts(&o, "-k Image -smp 16 -mem 2097152 -d in_asm"));
    CHECK_EQ(16, o.harts);
    CHECK_EQ(2097152, o.mem);
    CHECK(o.trace);
    options_free(&o);
    CHECK(accepts(&o, "-k I -append a -cmdline b -append c -serial null -serial pty"));
    CHECK(same(o.cmdline, "b") && o.append_count == 2 && same(o.appends[1], "c"));
    CHECK(o.serial_count == 2 && same(o.serial[0], "null") && same(o.serial[1], "pty"));
    options_free(&o);
}

TEST(sizes)
{
    uint64_t size = 0;
    CHECK(options_parse_size("64M", &size) && size == 64u << 20);
    CHECK(options_parse_size("64MiB", &size) && size == 64u << 20);
    CHECK(options_parse_size("512k", &size) && size == 512u << 10);
    CHECK(options_parse_size("0", &size) && size == 0);
    static const char *const bad[] = {"",
                                      "M",
                                      "64T",
                                      "64M8",
                                      "-1",
                                      "1.5G",
                                      "99999999999999999999G",
                                      "0x100",
                                      " 1G",
                                      "18446744073709551616"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        CHECK(!options_parse_size(bad[i], &size));
    }
}

TEST(refuses_wrong_values)
{
    CHECK(refuses("", "nothing to run"));
    CHECK(refuses("-m 64M", "nothing to run"));
    CHECK(refuses("-k", "needs a value"));
    CHECK(refuses("-k a -k b", "twice"));
    CHECK(refuses("fw1 fw2", "twice"));
    CHECK(refuses("-k a -m lots", "not a size"));
    CHECK(refuses("-k a -m 256", "did you mean -m 256M?"));
    CHECK(refuses("-k a -m 4G", "too much"));
    CHECK(refuses("-k a -s 0", "1 to 16"));
    CHECK(refuses("-k a -s 17", "1 to 16"));
    CHECK(refuses("-k a -s -1", "1 to 16"));
    CHECK(refuses("-k a -s 4294967297", "1 to 16"));
    CHECK(refuses("-k a -d op", "in_asm"));
    CHECK(refuses("-k a -icount=3", "takes no value"));
    CHECK(refuses("-k= -m 1G", "empty"));
    CHECK(refuses("-initrd x -bios y", "needs a kernel"));
    CHECK(refuses("-k a -signature s", "bare-metal"));
    CHECK(refuses("-k a -serial 1 -serial 2 -serial 3 -serial 4 -serial 5", "at most 4"));
}

TEST(names_the_nearest_option)
{
    CHECK(refuses("-kernal a", "did you mean -kernel?"));
    CHECK(refuses("--inird a", "did you mean -initrd?"));
    CHECK(refuses("-versoin", "did you mean -version?"));
    CHECK(refuses("-completely-different", "unknown option"));
    CHECK(refuses("---k", "unknown option"));
    CHECK(refuses("-=", "unknown option"));
    CHECK(refuses(
        "-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "unknown option"));
}

TEST(upstream_options_without_meaning)
{
    options_t o;
    CHECK(accepts(&o, "-k a -nogui -nosound -nogui -jitcache 64M -nographic"));
    CHECK_EQ(2, o.note_count); /* a name and a text */
    CHECK(o.nogui && o.nosound && !o.window_option);
    options_free(&o);
    CHECK(refuses("-k a -ata disk.img", "-ata: rvkit has no ATA; use -drive"));
    CHECK(refuses("-k a -rv64", "32-bit"));
}

TEST(window)
{
    options_t o;
    CHECK(accepts(&o, "-k a -res 640x480 -gpu 2 -font Mono:20 -poweroff_key"));
    CHECK(o.res_width == 640 && o.res_height == 480 && o.gpu == 2 && o.gpu_given);
    CHECK(!strcmp(o.window_option, "res") && !strcmp(o.font, "Mono:20") && o.poweroff_key);
    options_free(&o);
    static const char *const sizes[] = {"640",     "640x",      "x480",      "0x0",
                                        "640x480x", "-1x5",     "9000x10",   "8192x8192",
                                        "640 x480", "99999999999999999999x1", "4294967936x480"};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        char *argv[] = {"rvkit", "-k", "a", "-res", (char *)sizes[i]};
        CHECK(!options_parse(&o, 5, argv, error, sizeof(error)));
        CHECK(strstr(error, "a size such as"));
        options_free(&o);
    }
    CHECK(refuses("-k a -gpu 9", "0 to 8"));
    CHECK(refuses("-k a -gpu -1", "0 to 8"));
}

TEST(disks)
{
    options_t o;
    CHECK(accepts(&o, "-k a -drive one,ro -i two,,ro -drive=three -nvme four -image five"));
    CHECK_EQ(5, o.drive_count);
    CHECK(!strcmp(o.drive[0].text, "one,ro") && !o.drive[0].plain);
    CHECK(!strcmp(o.drive[1].text, "two,,ro") && o.drive[1].plain);
    CHECK(!strcmp(o.drive[2].text, "three") && !o.drive[2].plain);
    CHECK(!strcmp(o.drive[3].text, "four") && o.drive[3].plain);
    CHECK_EQ(4, o.note_count); /* of -image, once, and of -nvme */
    CHECK(strstr(o.notes[1], "virtio-blk"));
    options_free(&o);
    CHECK(refuses("-k a -image", "-image needs a value"));
    CHECK(refuses("-k a -drive", "-drive needs a value: -drive DISK"));
    CHECK(refuses("-k a -drive=", "-drive: the name is empty"));
    CHECK(refuses("-k a -drive 1 -i 2 -i 3 -i 4 -i 5 -i 6 -i 7 -i 8 -i 9 -i 10 -i 11 -i 12 -i 13 "
                  "-i 14 -i 15 -i 16 -i 17",
                  "at most 16"));
}

TEST(shares)
{
    options_t o;
    sharing_t sharing;
    char why[200];
    CHECK(accepts(&o, "-k a -share home=/a/b,ro -share=x.1_-=c,,d,fs"));
    CHECK_EQ(2, o.share_count);
    CHECK(!strcmp(o.share[0], "home=/a/b,ro") && !strcmp(o.share[1], "x.1_-=c,,d,fs"));
    options_free(&o);
    CHECK(sharing_parse("x.1_-=c,,d,fs", &sharing, why, sizeof(why)));
    CHECK(!strcmp(sharing.tag, "x.1_-") && !strcmp(sharing.dir, "c,d") && sharing.fs && !sharing.read_only);
    CHECK(sharing_parse("a==,,,ro,fs", &sharing, why, sizeof(why)));
    CHECK(!strcmp(sharing.dir, "=,") && sharing.fs && sharing.read_only);
    CHECK(accepts(&o, "-k a -sound wav:a,record=b"));
    CHECK(!strcmp(o.sound, "wav:a,record=b") && !o.window_option);
    options_free(&o);
    CHECK(refuses("-k a -sound alsa", "-sound alsa: the places are null and wav:FILE"));
    CHECK(refuses("-k a -sound wav:", "the places are null and wav:FILE"));
    CHECK(refuses("-k a -sound null -sound wav:x", "-sound is given twice: null and wav:x"));
    CHECK(refuses("-k a -share home", "-share home: give TAG=DIR"));
    CHECK(refuses("-k a -share =dir", "a tag is 1 to 31 letters"));
    CHECK(refuses("-k a -share a/b=dir", "a tag is 1 to 31 letters"));
    CHECK(refuses("-k a -share abcdefghijklmnopqrstuvwxyz123456=dir", "a tag is 1 to 31 letters"));
    CHECK(refuses("-k a -share a=", "-share a: the folder's name is empty"));
    CHECK(refuses("-k a -share a=,ro", "-share a: the folder's name is empty"));
    CHECK(refuses("-k a -share a=b,rw", "the options are ro and fs, not rw"));
    CHECK(refuses("-k a -share a=b,", "the options are ro and fs, not"));
    CHECK(refuses("-k a -share a=b -share a=c,fs", "the tag a is given twice"));
}

/* Each spelling with a value that suits it either works or is refused by that name. */
static void try_name(void *opaque, const char *name, bool takes_value)
{
    unsigned *count = opaque;
    char dashed[40], value[8] = "1M";
    options_t o;
    snprintf(dashed, sizeof(dashed), "-%s", name);
    if (!strcmp(name, "s") || !strcmp(name, "smp")) {
        strcpy(value, "2");
    } else if (!strcmp(name, "d")) {
        strcpy(value, "in_asm");
    }
    char *argv[] = {(char *)"rvkit", dashed, value, NULL};
    bool ok = options_parse(&o, takes_value ? 3 : 2, argv, error, sizeof(error));
    options_free(&o);
    CHECK(ok || strstr(error, dashed) || strstr(error, "nothing to run"));
    CHECK(!strstr(error, "unknown"));
    ++*count;
}

TEST(networks)
{
    options_t o;
    CHECK(accepts(&o, "-k a -net user,loopback -net tap=tap0 -portfwd 8080=80 -portfwd tcp/[::1]:1=[fec0::15]:2"));
    CHECK_EQ(2, o.net_count);
    CHECK(!strcmp(o.net[1], "tap=tap0"));
    CHECK_EQ(2, o.portfwd_count);
    CHECK(!strcmp(o.portfwds[0], "8080=80"));
    options_free(&o);
    CHECK(accepts(&o, "-k a -nonet -icount -net user") && o.nonet);
    options_free(&o);
    CHECK(refuses("-k a -portfwd 8080=", "-portfwd 8080=: give it as"));
    CHECK(refuses("-k a -portfwd 0=1", "-portfwd"));
    CHECK(refuses("-k a -portfwd 1=65536", "-portfwd"));
    CHECK(refuses("-k a -icount -net user", "identical"));
    CHECK(refuses("-k a -net a -net b -net c -net d -net e", "at most 4"));
}

static uint32_t virtio_of(const char *line)
{
    options_t o;
    uint32_t virtio = accepts(&o, line) ? o.virtio : UINT32_MAX;
    options_free(&o);
    return virtio;
}

TEST(virtio)
{
    CHECK_EQ(0, virtio_of("-k a"));
    CHECK_EQ(BOARD_VIRTIO_LEGACY, virtio_of("-k a -virtio legacy"));
    CHECK_EQ(BOARD_VIRTIO_NO_PACKED, virtio_of("-k a -virtio packed=off"));
    CHECK_EQ(BOARD_VIRTIO_NO_EVENT_IDX | BOARD_VIRTIO_NO_INDIRECT | BOARD_VIRTIO_IN_ORDER,
             virtio_of("-k a -virtio event_idx=off,indirect_desc=off,in_order"));
    CHECK_EQ(BOARD_VIRTIO_LEGACY | BOARD_VIRTIO_NO_PACKED, virtio_of("-k a -virtio packed=off,legacy=on"));
    CHECK_EQ(0, virtio_of("-k a -virtio legacy,event_idx=off -virtio legacy=off,event_idx,packed"));
    CHECK(refuses("-k a -virtio", "needs a value"));
    CHECK(refuses("-k a -virtio=", "not \"\""));
    CHECK(refuses("-k a -virtio legacy,", "not \"\""));
    CHECK(refuses("-k a -virtio legac", "legac"));
    CHECK(refuses("-k a -virtio packed=1", "=on or =off"));
    CHECK(refuses("-k a -virtio packed=", "packed="));
    CHECK(refuses("-k a -virtio legacy,packed", "no packed rings"));
    CHECK(refuses("-k a -virtio in_order -virtio legacy", "no in_order"));
}

TEST(every_spelling_is_known)
{
    unsigned count = 0;
    options_each_name(try_name, &count);
    CHECK(count >= 45);
}

TEST(help_and_version_need_nothing_else)
{
    options_t o;
    CHECK(accepts(&o, "-h") && o.help);
    options_free(&o);
    CHECK(accepts(&o, "--version") && o.version);
    options_free(&o);
}

int main(void)
{
    RUN(defaults_and_files);
    RUN(machine_options);
    RUN(sizes);
    RUN(refuses_wrong_values);
    RUN(names_the_nearest_option);
    RUN(upstream_options_without_meaning);
    RUN(window);
    RUN(disks);
    RUN(shares);
    RUN(networks);
    RUN(virtio);
    RUN(every_spelling_is_known);
    RUN(help_and_version_need_nothing_else);
    return tap_finish();
}
