/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Scripted runs: what a person would type, and what they would wait for. One command per line:
 *
 *   expect "text" [SECONDS]   waits until the guest prints the text (default 60 seconds)
 *   send "text"               types it
 *   sleep SECONDS             waits
 *   sendfile "PATH"           types the bytes of a file
 *   paste "PATH"              types a file as a terminal pastes it: lines end in carriage returns
 *   balloon SIZE              asks the guest to give up so much RAM (-balloon)
 *   off [SECONDS]             waits until the guest powers off (default 60 seconds)
 *   quit [STATUS]             ends rvkit with this status; the end of the script is `quit 0`
 *
 * # starts a comment. Texts know the escapes of C: \n \r \t \a \b \e \\ \" \xHH \OOO. `expect`
 * looks at what was printed since the last match. Times are host time; a script without sleep
 * depends on nothing but the guest's output, so with -icount its run is reproducible.
 */
#ifndef RVKIT_FRONTENDS_SCRIPT_H
#define RVKIT_FRONTENDS_SCRIPT_H

#include <rvvm/chardev.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct script script_t;

/* How a run ended. */
enum { SCRIPT_OK = 0, SCRIPT_FAILED = 3 };

/*
 * Parses text (size bytes, from a file called name); reads the files that it names. NULL: error
 * (error_size bytes) is a line "NAME:LINE: what is wrong".
 */
script_t *script_parse(const char *name, const char *text, size_t size, char *error,
                       size_t error_size);
void script_free(script_t *script);

/*
 * A back end that plays the script (kept, not owned): it reads what the guest writes, and what it
 * sends is typed. on_done comes once, from any thread, when the run has ended: power the machine
 * off. NULL when there is no memory.
 */
chardev_t *script_play(const script_t *script, void (*on_done)(void *opaque), void *opaque);

/* Who carries out `balloon` (any thread); before the machine runs. */
void script_on_balloon(chardev_t *dev, void (*fn)(void *opaque, uint64_t bytes), void *opaque);

/*
 * After the machine has stopped: the exit status. Tells on stderr what was awaited in vain, when it
 * was.
 */
int script_result(chardev_t *dev);

#endif
