/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Kills a process that writes to a disk with several threads, at any moment, and looks at the disk: each
 * sector must hold what was flushed last, or something whole that was written after that.
 *
 *   disk_kill FOLDER [ROUNDS]     rounds for a raw image and as many for an overlay (20)
 */
#include "host/disk.h"
#include "tap.h"
#include "util.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { SECTORS = 4096 + 5, WRITERS = 3, SPAN = 40 };

/* Shared with the child; each sector belongs to one writer. Generations count up; 0 is the base. */
typedef struct {
    uint32_t issued[SECTORS];  /* the newest that a call was made for */
    uint32_t zeroed[SECTORS];  /* the newest that made it zeros */
    uint32_t flushed[SECTORS]; /* the newest at which a flush began that has succeeded */
    uint32_t writes, flushes;
} book_t;

typedef struct {
    disk_t *disk;
    book_t *book;
    uint32_t first, end, seed;
    uint32_t generation;
    uint32_t returned[SECTORS]; /* of calls that have returned */
} writer_t;

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 8;
}

static void sector_make(uint8_t *bytes, uint32_t sector, uint32_t generation)
{
    for (unsigned i = 0; i < 512; i += 8) {
        util_put_le32(bytes + i, sector + 1);
        util_put_le32(bytes + i + 4, generation);
    }
}

static void writer_change(writer_t *w)
{
    uint8_t bytes[SPAN * 512];
    uint32_t count = 1 + next_random(&w->seed) % SPAN;
    uint32_t at = w->first + next_random(&w->seed) % (w->end - w->first);
    bool zero = next_random(&w->seed) % 8 == 0;
    count = at + count > w->end ? w->end - at : count;
    uint32_t generation = ++w->generation;
    for (uint32_t i = 0; i < count; i++) {
        if (zero) {
            __atomic_store_n(&w->book->zeroed[at + i], generation, __ATOMIC_SEQ_CST);
        }
        __atomic_store_n(&w->book->issued[at + i], generation, __ATOMIC_SEQ_CST);
        sector_make(bytes + i * 512, at + i, generation);
    }
    const disk_span_t span = {bytes, count * 512};
    int err = zero ? disk_zero(w->disk, at * UINT64_C(512), count * 512, true)
                   : disk_write(w->disk, at * UINT64_C(512), &span, 1);
    for (uint32_t i = 0; i < count && !err; i++) {
        w->returned[at + i] = generation;
    }
    __atomic_fetch_add(&w->book->writes, 1, __ATOMIC_RELAXED);
    if (err) {
        _exit(3);
    }
}

static void *writer_body(void *arg)
{
    writer_t *w = arg;
    for (;;) {
        for (uint32_t i = 1 + next_random(&w->seed) % 20; i; i--) {
            writer_change(w);
        }
        if (disk_flush(w->disk)) {
            _exit(4);
        }
        for (uint32_t i = w->first; i < w->end; i++) {
            __atomic_store_n(&w->book->flushed[i], w->returned[i], __ATOMIC_SEQ_CST);
        }
        __atomic_fetch_add(&w->book->flushes, 1, __ATOMIC_RELAXED);
    }
    return NULL;
}

/* Writes until it is killed. The regions' edges lie inside blocks. */
static void child(const char *spec, book_t *book, uint32_t seed, uint32_t generation)
{
    static writer_t writer[WRITERS];
    char why[300];
    pthread_t thread;
    disk_t *disk = disk_open_spec(spec, why, sizeof(why));
    if (!disk) {
        fprintf(stderr, "# %s\n", why);
        _exit(2);
    }
    for (uint32_t i = 0; i < WRITERS; i++) {
        writer[i].disk = disk;
        writer[i].book = book;
        writer[i].first = SECTORS * i / WRITERS;
        writer[i].end = SECTORS * (i + 1) / WRITERS;
        writer[i].seed = seed + i * 977;
        writer[i].generation = generation;
        memcpy(writer[i].returned, book->flushed, sizeof(book->flushed));
        pthread_create(&thread, NULL, writer_body, &writer[i]);
    }
    for (;;) {
        pause();
    }
}

/* Whether a sector may look like this; the generation that it has. */
static bool sector_ok(const book_t *book, uint32_t sector, const uint8_t *bytes, uint32_t *generation)
{
    uint8_t want[512];
    uint32_t flushed = book->flushed[sector], has = util_get_le32(bytes + 4);
    if (util_get_le32(bytes) == 0) {
        memset(want, 0, sizeof(want));
        has = book->zeroed[sector];
    } else {
        sector_make(want, sector, has);
    }
    *generation = has;
    return !memcmp(want, bytes, 512) && has >= flushed && has <= book->issued[sector];
}

/* Looks at all sectors after a kill; from then on what they hold counts as flushed. */
static bool verify(const char *spec, book_t *book)
{
    char why[300];
    uint8_t bytes[512];
    const disk_span_t span = {bytes, sizeof(bytes)};
    unsigned bad = 0;
    disk_t *disk = disk_open_spec(spec, why, sizeof(why));
    if (!disk) {
        printf("# %s\n", why);
        return false;
    }
    for (uint32_t i = 0; i < SECTORS; i++) {
        uint32_t generation;
        int err = disk_read(disk, i * UINT64_C(512), &span, 1);
        if (err || !sector_ok(book, i, bytes, &generation)) {
            if (++bad <= 5) {
                printf("# sector %u: error %d, %u of %u, flushed %u, issued %u, zeroed %u\n", i, err,
                       util_get_le32(bytes + 4), util_get_le32(bytes), book->flushed[i],
                       book->issued[i], book->zeroed[i]);
            }
        } else {
            book->flushed[i] = book->issued[i] = generation;
            book->zeroed[i] = util_get_le32(bytes) ? 0 : generation;
        }
    }
    return disk_flush(disk) == 0 && disk_close(disk) == 0 && bad == 0;
}

static void run_round(const char *spec, book_t *book, uint32_t round, uint32_t *seed)
{
    uint32_t ns = 500000 + next_random(seed) % 30000000;
    pid_t pid = fork();
    if (pid == 0) {
        child(spec, book, *seed, (round + 1) << 20);
    }
    nanosleep(&(struct timespec){0, (long)ns}, NULL);
    kill(pid, SIGKILL);
    int status = 0;
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    CHECK(verify(spec, book));
}

static void run_rounds(const char *folder, const char *kind, bool cow, unsigned rounds)
{
    char base[300], overlay[300], spec[620];
    uint8_t bytes[512];
    uint32_t seed = (uint32_t)time(NULL);
    book_t *book = mmap(NULL, sizeof(*book), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    snprintf(base, sizeof(base), "%s/kill-base", folder);
    snprintf(overlay, sizeof(overlay), "%s/kill-overlay", folder);
    snprintf(spec, sizeof(spec), cow ? "%s,cow=%s" : "%s", base, overlay);
    FILE *file = fopen(base, "wb");
    for (uint32_t i = 0; file && i < SECTORS; i++) {
        sector_make(bytes, i, 0);
        fwrite(bytes, 1, sizeof(bytes), file);
    }
    CHECK(book != MAP_FAILED && file && fclose(file) == 0);
    printf("# %s: seed %u\n", kind, seed);
    for (unsigned i = 0; i < rounds && tap_bad_checks == 0; i++) {
        run_round(spec, book, i, &seed);
    }
    printf("# %s: %u rounds, %u writes, %u flushes\n", kind, rounds, book->writes, book->flushes);
    CHECK(book->writes > rounds && book->flushes > 0);
    munmap(book, sizeof(*book));
    remove(base);
    remove(overlay);
}

static const char *folder_arg;
static unsigned rounds_arg = 20;

TEST(raw_survives_kill)
{
    run_rounds(folder_arg, "raw", false, rounds_arg);
}

TEST(overlay_survives_kill)
{
    run_rounds(folder_arg, "overlay", true, rounds_arg);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: disk_kill FOLDER [ROUNDS]\n");
        return 2;
    }
    folder_arg = argv[1];
    rounds_arg = argc > 2 ? (unsigned)atoi(argv[2]) : rounds_arg;
    RUN(raw_survives_kill);
    RUN(overlay_survives_kill);
    return tap_finish();
}
