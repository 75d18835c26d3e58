/* SPDX-License-Identifier: MPL-2.0 */
/*
 * One line of input, typed on a terminal: editing, history, completion. Pure: bytes go in, bytes to
 * be shown come out by a callback. One thread at a time.
 *
 * Keys: arrows, Home, End, Delete, Backspace, Tab; Ctrl-A E B F (move), D H (delete), K U W (cut),
 * Y (put back), P N (history), L (clear the screen), C (drop the line); Alt-B F D, Ctrl-arrows
 * (words). The line scrolls sideways inside one row of the screen, so no row but the cursor's is
 * ever touched.
 */
#ifndef RVKIT_FRONTENDS_LINEEDIT_H
#define RVKIT_FRONTENDS_LINEEDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of a line, with the zero at its end. */
#define LINEEDIT_MAX 1024

typedef struct lineedit lineedit_t;

/* The words that fit what is being completed. */
typedef struct lineedit_offers lineedit_offers_t;

typedef struct lineedit_desc {
    void *opaque;
    const char *prompt; /* one column for each byte; not copied */

    /* Nothing is echoed, and only line ends, Backspace and Ctrl-C are keys. */
    bool plain;

    /* What the terminal is to show. */
    void (*write)(void *opaque, const char *bytes, size_t size);

    /*
     * Calls lineedit_offer() with each word that may stand at the end of `before`, the line up to
     * the cursor. Words may be offered that do not begin as what is there. NULL: nothing is
     * completed.
     */
    void (*complete)(void *opaque, const char *before, lineedit_offers_t *offers);
} lineedit_desc_t;

typedef enum {
    LINEEDIT_MORE,     /* the line goes on */
    LINEEDIT_LINE,     /* it is complete: lineedit_text() */
    LINEEDIT_TOO_LONG, /* it is complete, but longer than LINEEDIT_MAX - 1 bytes: it has been
                          dropped */
    LINEEDIT_DROPPED,  /* Ctrl-C */
} lineedit_result_t;

/* NULL when there is no memory. */
lineedit_t *lineedit_create(const lineedit_desc_t *desc);
void lineedit_free(lineedit_t *edit);

/* Shows the prompt, for a new line. After each result that is not LINEEDIT_MORE. */
void lineedit_begin(lineedit_t *edit);

/* One byte of what was typed. */
lineedit_result_t lineedit_feed(lineedit_t *edit, uint8_t byte);

/* The line, as UTF-8 without control characters; valid until lineedit_begin(). */
const char *lineedit_text(const lineedit_t *edit);

/* What lineedit_desc_t.plain says, from now on. */
void lineedit_set_plain(lineedit_t *edit, bool plain);

/* The width of the screen in columns; 80 at first. */
void lineedit_set_columns(lineedit_t *edit, unsigned columns);

/* From within complete: a word of printable ASCII without spaces, which is copied. Others are left
 * out. */
void lineedit_offer(lineedit_offers_t *offers, const char *word);

#endif
