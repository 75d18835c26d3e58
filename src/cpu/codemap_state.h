/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The codemap's inside, for the harts.
 *
 * A page is "code" from the moment a hart decodes from it until somebody writes over decoded bytes.
 * While it is code no hart holds a store translation for it, so every store there is seen. The version
 * moves with each write over decoded bytes; a hart compares it at FENCE.I with what it decoded from.
 */
#ifndef RVKIT_CPU_CODEMAP_STATE_H
#define RVKIT_CPU_CODEMAP_STATE_H

#include "codemap.h"
#include "hart.h"

#define CODEMAP_LINE 64u

/* A page of RAM. lines: one bit for each CODEMAP_LINE bytes that instructions were decoded from. */
typedef struct codemap_page {
    uint32_t version; /* CODEMAP_CODE, and above it the count */
    uint32_t pad;
    uint64_t lines;
} codemap_page_t;

#define CODEMAP_CODE 1u

/* A hart joins its machine's map while it exists, so that others can ask it to purge translations. */
void codemap_join(codemap_t *map, hart_t *hart);
void codemap_leave(codemap_t *map, hart_t *hart);

/* Is the page code now? */
bool codemap_is_code(const codemap_t *map, size_t page);

/* The version of a page, without the code bit. */
uint32_t codemap_version(const codemap_t *map, size_t page);

/*
 * Before decoding [offset, offset + size) of RAM (one page): marks it, and returns the page's version.
 * *settled is false when another hart may still store there by a translation it holds, so that what is
 * decoded now must be dropped at the next FENCE.I.
 */
uint32_t codemap_mark(codemap_t *map, const hart_t *self, size_t offset, size_t size, bool *settled);

/* After a store by a hart to a page that is code: true when it hit decoded bytes (the version moved). */
bool codemap_stored(codemap_t *map, size_t offset, size_t size);

#endif
