/* SPDX-License-Identifier: MPL-2.0 */
/* Disks in host files: raw, overlays, specifications, locks, and what the host can do wrong. */
#define _FILE_OFFSET_BITS 64

#include "host/disk.h"
#include "tap.h"
#include "util.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#define SIZE (300u * 512)

static char dir[] = "disk-test-XXXXXX";
static char base_path[64], cow_path[64];
static char why[400];

/* The byte that a fresh base has at an offset. */
static uint8_t pattern(uint64_t offset)
{
    return (uint8_t)(offset / 512 * 13 + offset % 512 + 1);
}

static void put_file(const char *path, size_t size)
{
    FILE *file = fopen(path, "wb");
    for (size_t i = 0; file && i < size; i++) {
        fputc(pattern(i), file);
    }
    CHECK(file && fclose(file) == 0);
}

/* A new base, no overlay. */
static void fresh(size_t size)
{
    remove(cow_path);
    put_file(base_path, size);
}

static disk_t *open_raw(bool read_only)
{
    return disk_open(&(disk_desc_t){.path = base_path, .read_only = read_only}, why, sizeof(why));
}

static disk_t *open_cow(void)
{
    return disk_open(&(disk_desc_t){.path = base_path, .cow = cow_path}, why, sizeof(why));
}

static disk_t *open_either(bool cow)
{
    disk_t *disk = cow ? open_cow() : open_raw(false);
    if (!disk) {
        printf("Bail out! %s\n", why);
        exit(1);
    }
    return disk;
}

static int fill(disk_t *disk, uint64_t offset, size_t len, uint8_t value)
{
    uint8_t *bytes = malloc(len);
    memset(bytes, value, len);
    const disk_span_t span = {bytes, len};
    int err = disk_write(disk, offset, &span, 1);
    free(bytes);
    return err;
}

static int get(disk_t *disk, uint64_t offset, void *bytes, size_t len)
{
    const disk_span_t span = {bytes, len};
    return disk_read(disk, offset, &span, 1);
}

static bool holds(disk_t *disk, uint64_t offset, size_t len, int value)
{
    uint8_t *bytes = malloc(len);
    bool ok = get(disk, offset, bytes, len) == 0;
    for (size_t i = 0; ok && i < len; i++) {
        ok = bytes[i] == (value < 0 ? pattern(offset + i) : value);
    }
    free(bytes);
    return ok;
}

static uint64_t file_size(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 ? (uint64_t)st.st_size : 0;
}

TEST(specifications)
{
    static const struct {
        const char *text, *path, *cow;
        bool ro;
    } good[] = {
        {"a", "a", NULL, false},
        {"a,ro", "a", NULL, true},
        {"a,cow=b", "a", "b", false},
        {"a,,b,cow=c,,d", "a,b", "c,d", false},
        {",,", ",", NULL, false},
        {"a,,ro", "a,ro", NULL, false},
        {"a,,,ro", "a,", NULL, true},
        {"dir/x=y,ro,ro", "dir/x=y", NULL, true},
    };
    static const char *const bad[] = {"", ",ro", "a,", "a,rw", "a,cow=", "a,cow", "a,ro,cow=b",
                                      "a,cow=b,cow=c", "a,ro,", "a,RO"};
    disk_spec_t spec;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        CHECK(disk_spec_parse(good[i].text, &spec, why, sizeof(why)));
        CHECK(!strcmp(spec.path, good[i].path) && spec.read_only == good[i].ro);
        CHECK(!spec.cow == !good[i].cow && (!spec.cow || !strcmp(spec.cow, good[i].cow)));
        disk_spec_free(&spec);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        why[0] = 0;
        CHECK(!disk_spec_parse(bad[i], &spec, why, sizeof(why)));
        CHECK(why[0] != 0);
    }
}

TEST(opens_what_can_be_opened)
{
    CHECK(!disk_open_spec("no-such-file", why, sizeof(why)));
    CHECK(strstr(why, "no-such-file: cannot be opened for writing"));
    CHECK(!disk_open_spec(dir, why, sizeof(why)));
    CHECK(strstr(why, "irectory"));
    CHECK(!disk_open_spec("/dev/null,ro", why, sizeof(why)));
    CHECK(strstr(why, "neither"));
    CHECK(!disk_open_spec("no-such-file,cow=x", why, sizeof(why)));
    CHECK(access("x", F_OK) != 0); /* nothing is made then */
    fresh(SIZE);
    CHECK(chmod(base_path, 0444) == 0);
    if (getuid() != 0) {
        CHECK(!open_raw(false) && strstr(why, "add ,ro"));
    }
    disk_t *disk = open_raw(true);
    CHECK(disk && disk_size(disk) == SIZE && disk_read_only(disk));
    CHECK(!strcmp(disk_name(disk), "base"));
    CHECK_EQ(0, disk_close(disk));
    CHECK(chmod(base_path, 0644) == 0);
    CHECK_EQ(0, disk_close(NULL));
}

static void moves(bool cow)
{
    fresh(SIZE);
    disk_t *disk = open_either(cow);
    CHECK(holds(disk, 0, SIZE, -1));
    CHECK_EQ(0, fill(disk, 512, 1024, 0xAA));       /* inside one block */
    CHECK_EQ(0, fill(disk, 7 * 512, 1024, 0xBB));   /* over a block's edge */
    CHECK_EQ(0, fill(disk, 16 * 512, 8192, 0xCC));  /* whole blocks */
    CHECK_EQ(0, fill(disk, SIZE - 512, 512, 0xDD)); /* the last sector */
    for (int again = 0; again < 2; again++) {
        CHECK(holds(disk, 0, 512, -1) && holds(disk, 512, 1024, 0xAA));
        CHECK(holds(disk, 1536, 2048, -1) && holds(disk, 7 * 512, 1024, 0xBB));
        CHECK(holds(disk, 9 * 512, 7 * 512, -1) && holds(disk, 16 * 512, 8192, 0xCC));
        CHECK(holds(disk, 32 * 512, SIZE - 33 * 512, -1) && holds(disk, SIZE - 512, 512, 0xDD));
        CHECK_EQ(0, disk_close(disk));
        disk = open_either(cow);
    }
    CHECK_EQ(0, disk_close(disk));
}

TEST(raw_moves)
{
    moves(false);
}

TEST(cow_moves)
{
    moves(true);
    disk_t *base = open_raw(true);
    CHECK(holds(base, 0, SIZE, -1)); /* untouched */
    CHECK_EQ(SIZE, file_size(base_path));
    disk_close(base);
}

static void scatters(bool cow)
{
    uint8_t a[100], b[924], back[1024];
    fresh(SIZE);
    disk_t *disk = open_either(cow);
    memset(a, 1, sizeof(a));
    memset(b, 2, sizeof(b));
    const disk_span_t spans[2] = {{a, sizeof(a)}, {b, sizeof(b)}};
    CHECK_EQ(0, disk_write(disk, 7 * 512, spans, 2));
    CHECK_EQ(0, get(disk, 7 * 512, back, sizeof(back)));
    CHECK(!memcmp(back, a, sizeof(a)) && !memcmp(back + sizeof(a), b, sizeof(b)));
    memset(a, 9, sizeof(a));
    memset(b, 9, sizeof(b));
    CHECK_EQ(0, disk_read(disk, 7 * 512, spans, 2));
    CHECK(a[99] == 1 && b[0] == 2 && b[923] == 2);
    disk_span_t many[DISK_SPANS_MAX + 1]; /* more than one host call takes */
    uint8_t bytes[DISK_SPANS_MAX];
    for (unsigned i = 0; i <= DISK_SPANS_MAX; i++) {
        many[i] = (disk_span_t){&bytes[i % DISK_SPANS_MAX], 1};
    }
    CHECK_EQ(0, disk_read(disk, 20 * 512, many, DISK_SPANS_MAX));
    for (unsigned i = 0; i < DISK_SPANS_MAX; i++) {
        CHECK_EQ(pattern(20 * 512 + i), bytes[i]);
    }
    CHECK_EQ(EINVAL, disk_read(disk, 0, many, DISK_SPANS_MAX + 1));
    disk_close(disk);
}

TEST(raw_scatters)
{
    scatters(false);
}

TEST(cow_scatters)
{
    scatters(true);
}

static void checks_ranges(bool cow)
{
    uint8_t bytes[1024];
    fresh(SIZE);
    disk_t *disk = open_either(cow);
    CHECK_EQ(EINVAL, get(disk, SIZE, bytes, 512));
    CHECK_EQ(EINVAL, get(disk, SIZE - 512, bytes, 1024));
    CHECK_EQ(EINVAL, get(disk, 100, bytes, 512));
    CHECK_EQ(EINVAL, get(disk, 0, bytes, 100));
    CHECK_EQ(EINVAL, get(disk, UINT64_MAX - 511, bytes, 512));
    CHECK_EQ(EINVAL, fill(disk, SIZE, 512, 0));
    CHECK_EQ(EINVAL, disk_discard(disk, 512, SIZE));
    CHECK_EQ(EINVAL, disk_zero(disk, SIZE, 512, true));
    CHECK_EQ(0, disk_zero(disk, SIZE, 0, true));
    CHECK(holds(disk, 0, SIZE, -1));
    disk_close(disk);
    disk = open_raw(true);
    CHECK_EQ(EROFS, fill(disk, 0, 512, 0));
    CHECK_EQ(EROFS, disk_discard(disk, 0, 512));
    CHECK_EQ(EROFS, disk_zero(disk, 0, 512, false));
    CHECK_EQ(0, disk_flush(disk));
    disk_close(disk);
}

/* Hosts differ in what they read at once; what they do is right, and nothing outside the file is read. */
TEST(reads_now)
{
    uint8_t now[8192], then[8192];
    fresh(SIZE);
    for (unsigned cow = 0; cow < 2; cow++) {
        disk_t *disk = open_either(cow);
        CHECK_EQ(0, fill(disk, 1024, 512, 0xA5));
        for (uint64_t offset = 0; offset + sizeof(now) <= SIZE; offset += 512) {
            CHECK_EQ(0, get(disk, offset, then, sizeof(then)));
            CHECK(!disk_read_now(disk, offset, now, sizeof(now)) || !memcmp(now, then, sizeof(now)));
        }
        CHECK(!disk_read_now(disk, SIZE, now, 512));
        CHECK(!disk_read_now(disk, SIZE - 512, now, 1024));
        CHECK(!disk_read_now(disk, 100, now, 512));
        CHECK(!disk_read_now(disk, 0, now, 100));
        CHECK_EQ(0, disk_close(disk));
    }
    disk_t *disk = open_either(false);
    CHECK_EQ(0, truncate(base_path, SIZE - 1024));
    CHECK(!disk_read_now(disk, SIZE - 2048, now, 2048)); /* cut short */
    disk_close(disk);
}

TEST(ranges_and_rights)
{
    checks_ranges(false);
    checks_ranges(true);
}

static void clears(bool cow, bool unmap)
{
    static const struct {
        unsigned first, count; /* sectors */
    } ranges[] = {{1, 1}, {6, 4}, {16, 8}, {24, 20}, {50, 3}, {64, 100}, {290, 10}};
    fresh(SIZE);
    disk_t *disk = open_either(cow);
    CHECK_EQ(0, fill(disk, 20 * 512, 60 * 512, 0x77));
    for (size_t i = 0; i < ARRAY_LEN(ranges); i++) {
        uint64_t at = ranges[i].first * 512u, len = ranges[i].count * 512u;
        CHECK_EQ(0, disk_zero(disk, at, len, unmap));
        CHECK(holds(disk, at, len, 0));
    }
    CHECK(holds(disk, 0, 512, -1) && holds(disk, 1024, 4 * 512, -1));
    CHECK(holds(disk, 44 * 512, 6 * 512, 0x77) && holds(disk, 53 * 512, 11 * 512, 0x77));
    CHECK(holds(disk, 164 * 512, 126 * 512, -1));
    CHECK_EQ(0, fill(disk, 17 * 512, 512, 0x55)); /* into a block of zeros */
    CHECK_EQ(0, disk_discard(disk, 70 * 512, 9 * 512));
    CHECK_EQ(0, disk_close(disk));
    disk = open_either(cow);
    CHECK(holds(disk, 16 * 512, 512, 0) && holds(disk, 17 * 512, 512, 0x55));
    CHECK(holds(disk, 18 * 512, 6 * 512, 0) && holds(disk, 64 * 512, 100 * 512, 0));
    CHECK_EQ(SIZE, file_size(base_path));
    CHECK_EQ(0, disk_close(disk));
}

TEST(raw_clears)
{
    clears(false, false);
    clears(false, true);
}

TEST(cow_clears)
{
    clears(true, true);
}

/* Zeros over old data, then a part of a block: what was there before must not come back. */
TEST(cow_forgets)
{
    fresh(SIZE);
    disk_t *disk = open_cow();
    CHECK_EQ(0, fill(disk, 0, 8192, 0x99));
    CHECK_EQ(0, disk_discard(disk, 0, 4096));
    CHECK(holds(disk, 0, 4096, 0)); /* neither old data nor the base */
    CHECK_EQ(0, fill(disk, 512, 512, 0x11));
    CHECK(holds(disk, 0, 512, 0) && holds(disk, 512, 512, 0x11) && holds(disk, 1024, 3072, 0));
    CHECK(holds(disk, 4096, 4096, 0x99));
    disk_close(disk);
}

TEST(odd_sizes)
{
    for (int cow = 0; cow < 2; cow++) {
        fresh(SIZE + 100);
        disk_t *disk = open_either(cow);
        uint8_t bytes[1024];
        CHECK_EQ(SIZE + 512, disk_size(disk));
        CHECK_EQ(0, get(disk, SIZE - 512, bytes, 1024));
        CHECK(bytes[512] == pattern(SIZE) && bytes[611] == pattern(SIZE + 99));
        CHECK(bytes[612] == 0 && bytes[1023] == 0);
        CHECK_EQ(0, fill(disk, SIZE, 512, 0x42));
        CHECK(holds(disk, SIZE, 512, 0x42) && holds(disk, SIZE - 512, 512, -1));
        CHECK_EQ(0, disk_close(disk));
    }
    for (int cow = 0; cow < 2; cow++) { /* empty files are disks without sectors */
        fresh(0);
        disk_t *disk = open_either(cow);
        CHECK_EQ(0, disk_size(disk));
        CHECK_EQ(EINVAL, fill(disk, 0, 512, 1));
        CHECK_EQ(0, disk_close(disk));
    }
}

TEST(cow_is_sparse)
{
#ifdef __EMSCRIPTEN__
    const uint64_t size = UINT64_C(1) << 30;
#else
    const uint64_t size = UINT64_C(1) << 33;
#endif
    struct stat st;
    fresh(0);
    CHECK(truncate(base_path, (off_t)size) == 0);
    disk_t *disk = open_either(true);
    CHECK_EQ(size, disk_size(disk));
    CHECK_EQ(0, fill(disk, size / 4 * 3, 8192, 0x31));
    CHECK(holds(disk, size / 4 * 3, 8192, 0x31) && holds(disk, size / 4, 8192, 0));
    CHECK_EQ(0, disk_flush(disk));
    CHECK(stat(cow_path, &st) == 0);
#ifndef __EMSCRIPTEN__
    CHECK((uint64_t)st.st_blocks * 512 < 1 << 20);
#endif
    CHECK_EQ(0, disk_close(disk));
}

TEST(locks)
{
    fresh(SIZE);
    disk_t *writer = open_raw(false);
    CHECK(writer != NULL);
#ifndef __EMSCRIPTEN__
    CHECK(!open_raw(false) && strstr(why, "in use"));
    CHECK(!open_raw(true) && strstr(why, "in use"));
    CHECK(!open_cow() && strstr(why, "in use"));
#endif
    disk_close(writer);
    disk_t *one = open_raw(true), *two = open_raw(true), *over = open_cow();
    CHECK(one && two && over);
#ifndef __EMSCRIPTEN__
    CHECK(!open_raw(false) && strstr(why, "in use"));
    CHECK(!open_cow() && strstr(why, cow_path) && strstr(why, "in use"));
#endif
    disk_close(one);
    disk_close(two);
    disk_close(over);
    writer = open_raw(false);
    CHECK(writer != NULL);
    disk_close(writer);
}

static void damage(const char *path, uint64_t offset, uint8_t value)
{
    int fd = open(path, O_WRONLY);
    CHECK(fd >= 0 && pwrite(fd, &value, 1, (off_t)offset) == 1);
    close(fd);
}

TEST(wrong_overlays)
{
    fresh(SIZE);
    put_file(cow_path, 8192);
    CHECK(!open_cow() && strstr(why, "is not an overlay"));
    CHECK_EQ(8192, file_size(cow_path));

    static const struct {
        unsigned offset;
        const char *what;
    } wrong[] = {{0, "not an overlay"}, {20, "checksum"}, {4095, "checksum"}};
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        remove(cow_path);
        disk_close(open_cow());
        damage(cow_path, wrong[i].offset, 0xEE);
        CHECK(!open_cow() && strstr(why, wrong[i].what));
    }
    remove(cow_path);
    disk_close(open_cow());
    CHECK(truncate(cow_path, 4096) == 0);
    CHECK(!open_cow() && strstr(why, "cut short"));
    CHECK(!disk_open_spec("/dev/null,cow=x", why, sizeof(why)));
    CHECK(truncate(cow_path, 0) == 0); /* never completed: like a missing one */
    disk_t *disk = open_cow();
    CHECK(disk && holds(disk, 0, SIZE, -1));
    disk_close(disk);
}

/* A state of the map that nothing writes. */
TEST(damaged_map)
{
    uint8_t bytes[512];
    fresh(SIZE);
    disk_close(open_cow());
    damage(cow_path, 4096, 0x03);
    disk_t *disk = open_cow();
    CHECK(disk != NULL);
    CHECK_EQ(EIO, get(disk, 0, bytes, 512));
    CHECK_EQ(EIO, fill(disk, 0, 512, 1));
    CHECK_EQ(0, get(disk, 4096, bytes, 512));
    disk_close(disk);
}

TEST(changed_base)
{
    fresh(SIZE);
    disk_t *disk = open_cow();
    fill(disk, 0, 512, 1);
    disk_close(disk);
    disk = open_cow();
    CHECK(disk != NULL);
    disk_close(disk);
    const struct timeval times[2] = {{1000, 0}, {1000, 0}};
    CHECK(utimes(base_path, times) == 0);
    CHECK(!open_cow() && strstr(why, "base image has changed"));
    put_file(base_path, SIZE + 512);
    CHECK(!open_cow() && strstr(why, "another size"));
}

static uint32_t crc(const uint8_t *bytes, size_t len)
{
    uint32_t value = UINT32_MAX;
    for (size_t i = 0; i < len * 8; i++) {
        uint32_t bit = (value ^ (uint32_t)bytes[i / 8] >> i % 8) & 1;
        value = value >> 1 ^ (bit ? 0xEDB88320U : 0);
    }
    return ~value;
}

/* The header of the overlay becomes that of one that was made elsewhere. */
static void make_foreign(uint32_t flags, uint32_t fingerprint)
{
    uint8_t header[4096];
    int fd = open(cow_path, O_RDWR);
    CHECK(fd >= 0 && pread(fd, header, sizeof(header), 0) == sizeof(header));
    memset(header + 24, 0, 12);
    util_put_le32(header + 36, flags);
    util_put_le32(header + 56, fingerprint);
    util_put_le32(header + 4092, crc(header, 4092));
    CHECK(pwrite(fd, header, sizeof(header), 0) == sizeof(header));
    close(fd);
}

TEST(made_elsewhere)
{
    static const size_t sizes[] = {SIZE, 65536 + 512, 5000, 512};
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        static uint8_t begins[65536];
        size_t len = sizes[i] < sizeof(begins) ? sizes[i] : sizeof(begins);
        fresh(sizes[i]);
        disk_close(open_cow());
        for (size_t at = 0; at < len; at++) {
            begins[at] = pattern(at);
        }
        make_foreign(1, crc(begins, len));
        disk_t *disk = open_cow();
        CHECK(disk != NULL);
        CHECK_EQ(0, fill(disk, 0, 512, 1));
        CHECK_EQ(0, disk_flush(disk));
        disk_close(disk);
        const struct timeval times[2] = {{1000, 0}, {1000, 0}};
        CHECK(utimes(base_path, times) == 0);
        disk_close(open_cow()); /* the time does not matter */
        damage(base_path, len - 1, 0xEE);
        CHECK(!open_cow() && strstr(why, "begins otherwise"));
        make_foreign(3, crc(begins, len));
        CHECK(!open_cow() && strstr(why, "base image has changed"));
    }
}

TEST(cut_short)
{
    uint8_t bytes[512];
    for (int cow = 0; cow < 2; cow++) {
        fresh(SIZE);
        disk_t *disk = open_either(cow);
        CHECK(truncate(base_path, 8192) == 0);
        CHECK_EQ(0, get(disk, 0, bytes, 512));
        CHECK_EQ(ENODATA, get(disk, 8192, bytes, 512));
        CHECK_EQ(ENODATA, get(disk, SIZE - 512, bytes, 512));
        CHECK_EQ(cow ? 0 : ENODATA, fill(disk, 0, 4096, 1));
        CHECK_EQ(cow ? ENODATA : ENODATA, fill(disk, 8192, 512, 1)); /* overlay: the block's rest */
        disk_close(disk);
    }
    fresh(SIZE);
    disk_t *disk = open_cow();
    CHECK_EQ(0, fill(disk, 0, 16384, 0x66));
    CHECK(truncate(cow_path, (off_t)file_size(cow_path) - 4096) == 0);
    CHECK(holds(disk, 0, 12288, 0x66));
    CHECK_EQ(ENODATA, get(disk, 12288, bytes, 512));
    CHECK_EQ(ENODATA, fill(disk, 65536, 4096, 1)); /* would hide the loss */
    disk_close(disk);
}

/* A host that takes no more: RLIMIT_FSIZE stands in for a full file system. */
TEST(full_host)
{
#ifndef __EMSCRIPTEN__
    struct rlimit old, limit;
    fresh(SIZE);
    CHECK(getrlimit(RLIMIT_FSIZE, &old) == 0);
    disk_t *disk = open_cow();
    limit = old;
    limit.rlim_cur = file_size(cow_path) + 8192;
    CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    CHECK_EQ(0, fill(disk, 0, 8192, 0x12));
    CHECK(fill(disk, 8192, 4096, 0x13) != 0);
    CHECK(fill(disk, 4096, 8192, 0x14) != 0);
    CHECK(holds(disk, 0, 4096, 0x12) && holds(disk, 8192, 4096, -1)); /* the base, still */
    CHECK_EQ(0, disk_flush(disk));
    CHECK(setrlimit(RLIMIT_FSIZE, &old) == 0);
    CHECK_EQ(0, fill(disk, 8192, 4096, 0x15)); /* there is room again */
    CHECK_EQ(0, disk_close(disk));
    disk = open_cow();
    CHECK(holds(disk, 0, 4096, 0x12) && holds(disk, 8192, 4096, 0x15));
    CHECK_EQ(0, disk_close(disk));
#endif
}

#ifndef __EMSCRIPTEN__
/* Every other sector, from `arg`'s first on. */
typedef struct {
    disk_t *disk;
    unsigned first;
    int err;
} stripe_t;

static void *stripe_body(void *arg)
{
    stripe_t *stripe = arg;
    for (unsigned sector = stripe->first; sector < 4096 && !stripe->err; sector += 2) {
        stripe->err = fill(stripe->disk, sector * 512u, 512, (uint8_t)(1 + stripe->first));
    }
    return NULL;
}
#endif

/* Two threads write the sectors of the same new blocks at the same time: no sector gets lost. */
TEST(cow_neighbours)
{
#ifndef __EMSCRIPTEN__
    for (unsigned round = 0; round < 5; round++) {
        fresh(0);
        CHECK(truncate(base_path, 4096 * 512) == 0);
        stripe_t stripe[2] = {{open_either(true), 0, 0}, {NULL, 1, 0}};
        pthread_t thread;
        stripe[1].disk = stripe[0].disk;
        CHECK(pthread_create(&thread, NULL, stripe_body, &stripe[1]) == 0);
        stripe_body(&stripe[0]);
        pthread_join(thread, NULL);
        CHECK(!stripe[0].err && !stripe[1].err);
        for (unsigned sector = 0; sector < 4096; sector++) {
            CHECK(holds(stripe[0].disk, sector * 512u, 512, 1 + (int)(sector & 1)));
        }
        CHECK_EQ(0, disk_close(stripe[0].disk));
    }
#endif
}

int main(void)
{
    if (!mkdtemp(dir)) {
        printf("Bail out! no folder for test files\n");
        return 1;
    }
    snprintf(base_path, sizeof(base_path), "%s/base", dir);
    snprintf(cow_path, sizeof(cow_path), "%s/cow", dir);
    RUN(specifications);
    RUN(opens_what_can_be_opened);
    RUN(raw_moves);
    RUN(cow_moves);
    RUN(raw_scatters);
    RUN(cow_scatters);
    RUN(reads_now);
    RUN(ranges_and_rights);
    RUN(raw_clears);
    RUN(cow_clears);
    RUN(cow_forgets);
    RUN(odd_sizes);
    RUN(cow_is_sparse);
    RUN(locks);
    RUN(wrong_overlays);
    RUN(damaged_map);
    RUN(changed_base);
    RUN(made_elsewhere);
    RUN(cut_short);
    RUN(full_host);
    RUN(cow_neighbours);
    remove(base_path);
    remove(cow_path);
    rmdir(dir);
    return tap_finish();
}
