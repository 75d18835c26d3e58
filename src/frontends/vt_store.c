/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What does not fit in a cell: several code points (clusters), underline colours and hyperlinks
 * (extras). Both tables are bounded; what no cell speaks of any more is found by looking at all
 * cells, not more often than the bytes that came in pay for.
 */
#include "vt_internal.h"

#include <stdlib.h>

static void mark_cells(const vt_t *vt, const vt_cell_t *cells, size_t count, uint8_t *used,
                       bool clusters)
{
    (void)vt;
    for (size_t i = 0; cells && i < count; i++) {
        if (clusters && (cells[i].ch & VT_CLUSTER)) {
            used[cells[i].ch & (VT_CLUSTERS - 1)] = 1;
        } else if (!clusters) {
            used[cells[i].ext & (VT_EXTRAS - 1)] = 1;
        }
    }
}

static void mark_screens(const vt_t *vt, uint8_t *used, bool clusters)
{
    size_t count = (size_t)vt->cols * vt->rows;
    mark_cells(vt, vt->normal.cells, count, used, clusters);
    mark_cells(vt, vt->alt.cells, count, used, clusters);
    mark_cells(vt, vt->scratch, vt->cols, used, clusters);
    mark_cells(vt, vt->reflowed, vt->reflowed_count, used, clusters);
}

/* False when nothing was freed or it is too soon to look. */
static bool collect_clusters(vt_t *vt)
{
    uint8_t used[VT_CLUSTERS] = {0};
    uint32_t freed = 0;
    uint64_t paid =
        vt->bytes_in + vt->clusters_added; /* rows that come back from the scrollback pay too */
    if (paid < vt->clusters_gc_at) {
        return false;
    }
    mark_screens(vt, used, true);
    for (uint32_t i = 0; i < vt->cluster_count; i++) {
        if (!used[i] && vt->clusters[i].count) {
            vt->clusters[i].count = 0;
            freed++;
        }
    }
    vt->clusters_gc_at = paid + (uint64_t)vt->cols * vt->rows;
    return freed > 0;
}

static bool grow_clusters(vt_t *vt)
{
    uint32_t count = vt->cluster_count ? vt->cluster_count * 2 : 256;
    vt_cluster_t *more = count <= VT_CLUSTERS ? realloc(vt->clusters, count * sizeof(*more)) : NULL;
    if (!more) {
        return false;
    }
    memset(more + vt->cluster_count, 0, (count - vt->cluster_count) * sizeof(*more));
    vt->cluster_hint = vt->cluster_count;
    vt->clusters = more;
    vt->cluster_count = count;
    return true;
}

/* A cell's ch without its width; 0 when there is no room. */
uint32_t vt_cluster_add(vt_t *vt, const uint32_t *codes, unsigned count)
{
    for (int tries = 0; tries < 2; tries++) {
        for (; vt->cluster_hint < vt->cluster_count; vt->cluster_hint++) {
            vt_cluster_t *c = &vt->clusters[vt->cluster_hint];
            if (!c->count) {
                c->count = (uint8_t)count;
                memcpy(c->codes, codes, count * sizeof(*codes));
                vt->clusters_added++;
                return VT_CLUSTER | vt->cluster_hint++;
            }
        }
        if (vt->cluster_count >= 1024 && collect_clusters(vt)) {
            vt->cluster_hint = 0;
        } else if (!grow_clusters(vt)) {
            return 0;
        }
    }
    return 0;
}

static void collect_extras(vt_t *vt)
{
    uint8_t used[VT_EXTRAS] = {1};
    const vt_pen_t *pens[] = {&vt->pen, &vt->normal.saved.pen, &vt->alt.saved.pen};
    if (vt->bytes_in < vt->extras_gc_at) {
        return;
    }
    mark_screens(vt, used, false);
    vt_scrollback_mark_extras(&vt->scrollback, used);
    for (unsigned i = 0; i < ARRAY_LEN(pens); i++) {
        used[pens[i]->ext & (VT_EXTRAS - 1)] = 1;
    }
    for (uint32_t i = 1; i < vt->extra_count; i++) {
        if (!used[i]) {
            free(vt->extras[i].link);
            vt->extras[i] = (vt_extra_t){0};
        }
    }
    vt->extras_gc_at = vt->bytes_in + (uint64_t)vt->cols * vt->rows + vt->scrollback.cap;
}

static uint32_t hash_extra(uint32_t color, const char *link, size_t len)
{
    uint32_t h = 2166136261u ^ color;
    for (size_t i = 0; i < len; i++) {
        h = (h ^ (uint8_t)link[i]) * 16777619u;
    }
    return h | 1;
}

/* The entry that is the same, or a free one, or 0. */
static uint32_t find_extra(const vt_t *vt, uint32_t hash, uint32_t color, const char *link,
                           size_t len, uint32_t *unused)
{
    *unused = 0;
    for (uint32_t i = 1; i < vt->extra_count; i++) {
        const vt_extra_t *e = &vt->extras[i];
        if (!e->hash) {
            *unused = *unused ? *unused : i;
        } else if (e->hash == hash && e->color == color && strlen(e->link ? e->link : "") == len &&
                   (!len || !memcmp(e->link, link, len))) {
            return i;
        }
    }
    if (!*unused && vt->extra_count < VT_EXTRAS) {
        *unused = vt->extra_count;
    }
    return 0;
}

/* The number for an underline colour and a link; 0 for neither, or when there is no room. */
uint32_t vt_extra_get(vt_t *vt, uint32_t color, const char *link, size_t len)
{
    uint32_t hash = hash_extra(color, link, len), unused;
    if (!color && !len) {
        return 0;
    }
    if (!vt->extras) {
        vt->extras = calloc(VT_EXTRAS, sizeof(*vt->extras));
        vt->extra_count = 1;
    }
    if (!vt->extras) {
        return 0;
    }
    uint32_t found = find_extra(vt, hash, color, link, len, &unused);
    if (!found && !unused) {
        collect_extras(vt);
        find_extra(vt, hash, color, link, len, &unused);
    }
    if (found || !unused) {
        return found;
    }
    char *copy = NULL;
    if (len) {
        copy = malloc(len + 1);
        if (!copy) {
            return 0;
        }
        memcpy(copy, link, len);
        copy[len] = 0;
    }
    vt->extras[unused] = (vt_extra_t){color, hash, copy};
    vt->extra_count = unused >= vt->extra_count ? unused + 1 : vt->extra_count;
    return unused;
}

void vt_store_free(vt_t *vt)
{
    for (uint32_t i = 0; vt->extras && i < vt->extra_count; i++) {
        free(vt->extras[i].link);
    }
    free(vt->extras);
    free(vt->clusters);
}

unsigned vt_cell_text(const vt_t *vt, const vt_cell_t *cell, uint32_t *codes)
{
    uint32_t code = cell->ch & VT_CODE;
    if (!(cell->ch & VT_CLUSTER)) {
        codes[0] = code;
        return code ? 1 : 0;
    }
    if (code >= vt->cluster_count) {
        return 0;
    }
    const vt_cluster_t *c = &vt->clusters[code];
    memcpy(codes, c->codes, c->count * sizeof(*codes));
    return c->count;
}

uint32_t vt_cell_extra(const vt_t *vt, const vt_cell_t *cell, const char **link)
{
    const vt_extra_t *e = cell->ext && cell->ext < vt->extra_count ? &vt->extras[cell->ext] : NULL;
    if (link) {
        *link = e && e->link ? e->link : "";
    }
    return e ? e->color : VT_COLOR_DEFAULT;
}
