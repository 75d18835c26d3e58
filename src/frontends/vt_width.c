/* SPDX-License-Identifier: MPL-2.0 */
/* How many columns a code point takes. */
#include "vt.h"
#include "../util.h"

typedef struct {
    uint32_t first, last;
} vt_range_t;

#include "vt_width_table.h"

static bool in_table(const vt_range_t *table, size_t count, uint32_t code)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (code > table[mid].last) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low < count && code >= table[low].first;
}

unsigned vt_char_width(uint32_t code)
{
    if (code >= 0x20 && code < 0x7f) {
        return 1;
    }
    if (in_table(vt_zero, ARRAY_LEN(vt_zero), code)) {
        return 0;
    }
    return code >= 0x1100 && in_table(vt_wide, ARRAY_LEN(vt_wide), code) ? 2 : 1;
}
