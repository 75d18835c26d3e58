/* SPDX-License-Identifier: MPL-2.0 */
/* Work for the kernel: traps, address spaces, page tables, the scheduler. */
#define _GNU_SOURCE
#include "bench.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void die(const char *what)
{
    fprintf(stderr, "bench: %s: %s\n", what, strerror(errno));
    exit(1);
}

uint64_t bench_syscall(double scale)
{
    uint32_t rounds = bench_rounds(800000, scale), same = 0;
    long parent = getppid();

    for (uint32_t round = 0; round < rounds; round++) {
        same += syscall(SYS_getppid) == parent;
    }
    return bench_mix(BENCH_SEED, same);
}

uint64_t bench_fork(double scale)
{
    uint32_t rounds = bench_rounds(300, scale);
    uint64_t sum = BENCH_SEED;

    for (uint32_t round = 0; round < rounds; round++) {
        int status;
        pid_t child = fork();

        if (child < 0) {
            die("fork");
        }
        if (!child) {
            _exit((int)(round & 127));
        }
        if (waitpid(child, &status, 0) != child) {
            die("waitpid");
        }
        sum = bench_mix(sum, (uint32_t)WEXITSTATUS(status));
    }
    return sum;
}

uint64_t bench_fault(double scale)
{
    /* The step is a fixed 4 KiB, not the host's page size, so that the checksum is the same
     * everywhere. */
    enum { PAGES = 1000, PAGE = 4096 };
    uint32_t rounds = bench_rounds(40, scale);
    uint64_t sum = BENCH_SEED;

    for (uint32_t round = 0; round < rounds; round++) {
        unsigned char *map =
            mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        if (map == MAP_FAILED) {
            die("mmap");
        }
        for (uint32_t page = 0; page < PAGES; page++) {
            map[page * PAGE + page % 64] = (unsigned char)(page + round);
        }
        for (uint32_t page = 0; page < PAGES; page += 100) {
            sum = bench_mix(sum, map[page * PAGE + page % 64]);
        }
        munmap(map, PAGES * PAGE);
    }
    return sum;
}

uint64_t bench_pipe(double scale)
{
    uint32_t rounds = bench_rounds(15000, scale);
    uint64_t sum = BENCH_SEED;
    int there[2], back[2];
    unsigned char byte;
    pid_t child;

    if (pipe(there) || pipe(back)) {
        die("pipe");
    }
    child = fork();
    if (child < 0) {
        die("fork");
    }
    if (!child) {
        close(there[1]);
        while (read(there[0], &byte, 1) == 1) {
            byte = (unsigned char)(byte * 5 + 1);
            if (write(back[1], &byte, 1) != 1) {
                break;
            }
        }
        _exit(0);
    }
    close(there[0]);
    close(back[1]);
    for (uint32_t round = 0; round < rounds; round++) {
        byte = (unsigned char)round;
        if (write(there[1], &byte, 1) != 1 || read(back[0], &byte, 1) != 1) {
            die("pipe");
        }
        sum = bench_mix(sum, byte);
    }
    close(there[1]);
    close(back[0]);
    waitpid(child, NULL, 0);
    return sum;
}
