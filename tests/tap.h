/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A test program in one header: include it, write TEST(name) bodies, list them in tap_main().
 *
 *   TEST(adds) { CHECK(1 + 1 == 2); CHECK_EQ(2, 1 + 1); }
 *   int main(void) { RUN(adds); return tap_finish(); }
 *
 * Each RUN prints one line, "ok NAME" or "not ok NAME"; a failed CHECK prints where and what, and the
 * test goes on. tap_finish() prints "N passed, N failed" and gives the exit status. One thread only.
 */
#ifndef RVKIT_TESTS_TAP_H
#define RVKIT_TESTS_TAP_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static unsigned tap_passed, tap_failed, tap_bad_checks;

#define TEST(name) static void test_##name(void)

#define RUN(name)                                                                                  \
    do {                                                                                           \
        tap_bad_checks = 0;                                                                        \
        test_##name();                                                                             \
        tap_report(#name);                                                                         \
    } while (0)

/* Prints at most 20 failed checks of one test. */
#define CHECK(cond)                                                                                \
    do {                                                                                           \
        if (!(cond) && ++tap_bad_checks <= 20) {                                                   \
            printf("# %s:%d: failed: %s\n", __FILE__, __LINE__, #cond);                            \
        }                                                                                          \
    } while (0)

#define CHECK_EQ(want, got)                                                                        \
    do {                                                                                           \
        unsigned long long tap_w = (unsigned long long)(want), tap_g = (unsigned long long)(got);  \
        if (tap_w != tap_g && ++tap_bad_checks <= 20) {                                            \
            printf("# %s:%d: %s: want 0x%llx, got 0x%llx\n", __FILE__, __LINE__, #got, tap_w,      \
                   tap_g);                                                                         \
        }                                                                                          \
    } while (0)

static inline void tap_report(const char *name)
{
    if (tap_bad_checks) {
        tap_failed++;
    } else {
        tap_passed++;
    }
    printf("%s %s\n", tap_bad_checks ? "not ok" : "ok", name);
    fflush(stdout);
}

static inline int tap_finish(void)
{
    printf("%u passed, %u failed\n", tap_passed, tap_failed);
    return tap_failed || !tap_passed;
}

#endif
