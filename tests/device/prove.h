/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A test states a rule; main() lists the rules with PROVE(test, "the rule in words"), and rig_finish()
 * prints them as a table.
 */
#ifndef RVKIT_TESTS_DEVICE_PROVE_H
#define RVKIT_TESTS_DEVICE_PROVE_H

#include "tap.h"

enum { RIG_RULES = 100 };

static struct {
    const char *rule[RIG_RULES];
    bool holds[RIG_RULES];
    unsigned rules;
} rig_table;

#define PROVE(test, text)                                                                          \
    do {                                                                                           \
        RUN(test);                                                                                 \
        rig_record(text, tap_bad_checks == 0);                                                     \
    } while (0)

static inline void rig_record(const char *rule, bool holds)
{
    if (rig_table.rules < RIG_RULES) {
        rig_table.rule[rig_table.rules] = rule;
        rig_table.holds[rig_table.rules++] = holds;
    }
}

static inline int rig_finish(const char *device)
{
    unsigned holding = 0;
    printf("# %s\n", device);
    for (unsigned i = 0; i < rig_table.rules; i++) {
        printf("#   %-5s  %s\n", rig_table.holds[i] ? "holds" : "FAILS", rig_table.rule[i]);
        holding += rig_table.holds[i];
    }
    printf("# %s: %u statements, %u hold\n", device, rig_table.rules, holding);
    return tap_finish();
}

#endif
