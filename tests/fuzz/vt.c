/* SPDX-License-Identifier: MPL-2.0 */
/*
 * libFuzzer target: any bytes to a terminal, with resizes, reads of everything and a trip through
 * the saved state; and any bytes as a saved state. What a reader relies on is checked; memory has a
 * bound.
 */
#include "frontends/vt.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_row(vt_t *vt, int row)
{
    uint32_t codes[VT_CLUSTER_MAX];
    const char *link;
    const vt_cell_t *cells = vt_row(vt, row);
    if (!cells) {
        abort();
    }
    for (unsigned x = 0; x < vt_cols(vt); x++) {
        unsigned width = vt_cell_width(&cells[x]);
        bool tail = x && vt_cell_width(&cells[x - 1]) == 2;
        if (width > 2 || (width == 0) != tail || (width == 2 && x + 1 == vt_cols(vt))) {
            abort();
        }
        if (vt_cell_text(vt, &cells[x], codes) > VT_CLUSTER_MAX) {
            abort();
        }
        vt_cell_extra(vt, &cells[x], &link);
    }
}

static void check(vt_t *vt)
{
    vt_cursor_t c;
    size_t len;
    vt_cursor(vt, &c);
    if (c.row >= vt_rows(vt) || c.col >= vt_cols(vt) || vt_memory(vt) > 16u << 20) {
        abort();
    }
    for (int row = -(int)vt_scrollback(vt); row < (int)vt_rows(vt); row++) {
        check_row(vt, row);
    }
    free(vt_select(vt, -20, 1, 20, 3, false, &len));
    free(vt_repaint(vt, &len));
    vt_hash(vt);
}

static vt_t *through_state(vt_t *vt)
{
    size_t len = 0;
    uint64_t hash = vt_hash(vt);
    uint8_t *state = vt_save(vt, &len);
    vt_t *copy = vt_load(state, len, NULL);
    if (!copy || vt_hash(copy) != hash) {
        abort();
    }
    free(state);
    vt_destroy(vt);
    return copy;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    vt_t *vt = size > 4 && !memcmp(data, "RVT2", 4) ? vt_load(data, size, NULL) : NULL;
    if (!vt) {
        vt = vt_create(12, 5, 40, NULL);
    }
    if (!vt) {
        return 0;
    }
    while (size > 3) {
        size_t n = 1 + data[0] % 64;
        n = n < size - 3 ? n : size - 3;
        if (data[1] < 40) {
            vt_resize(vt, data[1], data[2] % 30);
        } else if (data[1] < 44) {
            vt = through_state(vt);
        }
        vt_write(vt, data + 3, n);
        data += 3 + n;
        size -= 3 + n;
    }
    check(vt);
    vt_destroy(vt);
    return 0;
}
