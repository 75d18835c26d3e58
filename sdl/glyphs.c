/* SPDX-License-Identifier: MPL-2.0 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* more than C11, also with -std=c11 */
#endif
#include "glyphs.h"

#include "boxes.h"

#include "../src/util.h"

#include <SDL_ttf.h>
#include <fontconfig/fontconfig.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define USUAL_FONT "monospace"
#define STYLES 4
#define FALLBACKS_MAX 16
#define CACHE_MAX 4096 /* glyphs kept; then all are forgotten */
#define CACHE_SLOTS (2 * CACHE_MAX)
#define CLUSTERS_MAX 1024
#define CLUSTER_CODES 16

typedef struct {
    uint32_t code;
    uint8_t style, columns;
    bool used;
    uint8_t *cell; /* NULL: empty */
} glyph_t;

typedef struct {
    uint32_t code[CLUSTER_CODES];
    unsigned count;
} cluster_t;

typedef struct {
    char *file; /* NULL: none, or not looked for yet */
    int index;
    int made; /* TTF_STYLE_*: what the font lacks of its style */
} face_t;

struct glyphs {
    unsigned size;
    glyphs_metrics_t metrics;
    int ascent;
    bool by_file; /* the font was given as a file: it has no styles of its own */
    char *name;
    face_t face[STYLES];
    TTF_Font *font[STYLES];
    struct {
        face_t face;
        TTF_Font *font;
    } fallback[FALLBACKS_MAX];
    unsigned fallback_count;
    glyph_t slot[CACHE_SLOTS];
    unsigned used;
    cluster_t cluster[CLUSTERS_MAX];
    unsigned cluster_count;
};

/* --- Fonts --- */

/* What fontconfig has for a name, a style and (code not 0) a character; file NULL: nothing. */
static face_t face_find(const char *name, unsigned style, uint32_t code)
{
    face_t face = {0};
    FcResult result;
    FcChar8 *file = NULL;
    FcMatrix *matrix;
    FcBool embolden = FcFalse;
    FcPattern *pattern = FcNameParse((const FcChar8 *)name);
    if (!pattern) {
        return face;
    }
    FcPatternAddInteger(pattern, FC_WEIGHT,
                        style & GLYPHS_BOLD ? FC_WEIGHT_BOLD : FC_WEIGHT_REGULAR);
    FcPatternAddInteger(pattern, FC_SLANT,
                        style & GLYPHS_ITALIC ? FC_SLANT_ITALIC : FC_SLANT_ROMAN);
    FcPatternAddBool(pattern, FC_SCALABLE, FcTrue);
    FcCharSet *set = code ? FcCharSetCreate() : NULL;
    if (set) {
        FcCharSetAddChar(set, code);
        FcPatternAddCharSet(pattern, FC_CHARSET, set);
    }
    FcConfigSubstitute(NULL, pattern, FcMatchPattern);
    FcDefaultSubstitute(pattern);
    FcPattern *match = FcFontMatch(NULL, pattern, &result);
    if (match && FcPatternGetString(match, FC_FILE, 0, &file) == FcResultMatch) {
        face.file = strdup((const char *)file);
        FcPatternGetInteger(match, FC_INDEX, 0, &face.index);
        FcPatternGetBool(match, FC_EMBOLDEN, 0, &embolden);
        bool slanted = FcPatternGetMatrix(match, FC_MATRIX, 0, &matrix) == FcResultMatch;
        face.made = (embolden ? TTF_STYLE_BOLD : 0) | (slanted ? TTF_STYLE_ITALIC : 0);
    }
    if (match) {
        FcPatternDestroy(match);
    }
    if (set) {
        FcCharSetDestroy(set);
    }
    FcPatternDestroy(pattern);
    return face;
}

static bool is_generic(const char *family)
{
    static const char *const names[] = {"monospace", "mono", "sans-serif", "sans", "serif"};
    for (unsigned i = 0; i < ARRAY_LEN(names); i++) {
        if (!FcStrCmpIgnoreCase((const FcChar8 *)family, (const FcChar8 *)names[i])) {
            return true;
        }
    }
    return false;
}

static const char *pattern_family(FcPattern *pattern, int i)
{
    FcChar8 *family;
    return FcPatternGetString(pattern, FC_FAMILY, i, &family) == FcResultMatch ? (char *)family
                                                                               : NULL;
}

/* What fontconfig has for a name; NULL: nothing. */
static FcPattern *name_match(const char *name)
{
    FcResult result;
    FcPattern *pattern = FcNameParse((const FcChar8 *)name), *match = NULL;
    if (pattern) {
        FcConfigSubstitute(NULL, pattern, FcMatchPattern);
        FcDefaultSubstitute(pattern);
        match = FcFontMatch(NULL, pattern, &result);
        FcPatternDestroy(pattern);
    }
    return match;
}

/* One of the font's families (it has a name in each of several languages). */
static bool has_family(FcPattern *font, const char *family)
{
    const char *its;
    for (int i = 0; (its = pattern_family(font, i)) != NULL; i++) {
        if (!FcStrCmpIgnoreCase((const FcChar8 *)its, (const FcChar8 *)family)) {
            return true;
        }
    }
    return false;
}

/*
 * fontconfig has something for every name. It is what was asked for if it is of that family, or
 * something else than what any other name would get: stands in for it, as for "monospace".
 */
static bool font_exists(const char *name)
{
    static const char nobodys[] = "rvkit has no font of this name";
    FcPattern *asked = FcNameParse((const FcChar8 *)name);
    FcPattern *match = name_match(name), *any = name_match(nobodys);
    const char *family = asked ? pattern_family(asked, 0) : NULL;
    const char *usual = any ? pattern_family(any, 0) : NULL;
    bool found = match && (!family || is_generic(family) || has_family(match, family) || !usual ||
                           !has_family(match, usual));
    FcPattern *const patterns[] = {asked, match, any};
    for (unsigned i = 0; i < ARRAY_LEN(patterns); i++) {
        if (patterns[i]) {
            FcPatternDestroy(patterns[i]);
        }
    }
    return found;
}

static TTF_Font *face_open(const face_t *face, unsigned size)
{
    TTF_Font *font =
        face->file ? TTF_OpenFontIndex(face->file, (int)size, face->index & 0xFFFF) : NULL;
    if (font) {
        TTF_SetFontHinting(font, TTF_HINTING_LIGHT);
        TTF_SetFontStyle(font, face->made);
    }
    return font;
}

/* The font of a style; a font that was given as a file has none, so they are made. */
static TTF_Font *glyphs_style(glyphs_t *g, unsigned style)
{
    face_t *face = &g->face[style];
    if (g->font[style]) {
        return g->font[style];
    }
    if (!face->file && !g->by_file) {
        *face = face_find(g->name, style, 0);
    } else if (!face->file) {
        *face = (face_t){strdup(g->name), 0,
                         (style & GLYPHS_BOLD ? TTF_STYLE_BOLD : 0) |
                             (style & GLYPHS_ITALIC ? TTF_STYLE_ITALIC : 0)};
    }
    g->font[style] = face_open(face, g->size);
    return g->font[style] ? g->font[style] : g->font[0];
}

/* A font that has the character: the main one, or another. */
static TTF_Font *glyphs_font(glyphs_t *g, uint32_t code, unsigned style)
{
    TTF_Font *font = glyphs_style(g, style);
    if (TTF_GlyphIsProvided32(font, code)) {
        return font;
    }
    for (unsigned i = 0; i < g->fallback_count; i++) {
        if (!g->fallback[i].font) {
            g->fallback[i].font = face_open(&g->fallback[i].face, g->size);
        }
        if (g->fallback[i].font && TTF_GlyphIsProvided32(g->fallback[i].font, code)) {
            return g->fallback[i].font;
        }
    }
    if (g->fallback_count == FALLBACKS_MAX) {
        return font;
    }
    face_t face = face_find(USUAL_FONT, 0, code);
    TTF_Font *found = face_open(&face, g->size);
    if (!found || !TTF_GlyphIsProvided32(found, code)) {
        if (found) {
            TTF_CloseFont(found);
        }
        free(face.file);
        return font;
    }
    g->fallback[g->fallback_count].face = face;
    g->fallback[g->fallback_count++].font = found;
    return found;
}

static void glyphs_forget(glyphs_t *g)
{
    for (unsigned i = 0; i < CACHE_SLOTS; i++) {
        free(g->slot[i].cell);
        g->slot[i] = (glyph_t){0};
    }
    g->used = 0;
}

static void glyphs_close_fonts(glyphs_t *g)
{
    for (unsigned i = 0; i < STYLES; i++) {
        if (g->font[i]) {
            TTF_CloseFont(g->font[i]);
        }
        g->font[i] = NULL;
    }
    for (unsigned i = 0; i < g->fallback_count; i++) {
        if (g->fallback[i].font) {
            TTF_CloseFont(g->fallback[i].font);
        }
        g->fallback[i].font = NULL;
    }
}

bool glyphs_set_size(glyphs_t *g, unsigned size)
{
    int advance = 0;
    size = size < GLYPHS_SIZE_MIN   ? GLYPHS_SIZE_MIN
           : size > GLYPHS_SIZE_MAX ? GLYPHS_SIZE_MAX
                                    : size;
    TTF_Font *font = face_open(&g->face[0], size);
    if (!font || TTF_GlyphMetrics32(font, 'M', NULL, NULL, NULL, NULL, &advance) != 0 ||
        advance <= 0 || TTF_FontHeight(font) <= 0) {
        if (font) {
            TTF_CloseFont(font);
        }
        return false;
    }
    glyphs_forget(g);
    glyphs_close_fonts(g);
    g->font[0] = font;
    g->size = size;
    g->ascent = TTF_FontAscent(font);
    unsigned height = (unsigned)TTF_FontHeight(font), line = (size + 10) / 16;
    line = line ? line : 1;
    unsigned under = (unsigned)(g->ascent > 0 ? g->ascent : 0) + line;
    g->metrics = (glyphs_metrics_t){
        .width = (unsigned)advance,
        .height = height,
        .line = line,
        .underline = under + line > height ? height - line : under,
        .strike = (unsigned)(g->ascent > 0 ? g->ascent : 0) * 11 / 16,
    };
    return true;
}

/* "NAME:SIZE" into its parts, both of which may be missing. False: no memory. */
static bool font_split(const char *font, char **name, unsigned *size)
{
    const char *colon = strrchr(font, ':');
    bool sized = colon && colon[1] && strspn(colon + 1, "0123456789") == strlen(colon + 1);
    unsigned long number = sized ? strtoul(colon + 1, NULL, 10) : GLYPHS_SIZE_USUAL;
    *size = number > GLYPHS_SIZE_MAX ? GLYPHS_SIZE_MAX : (unsigned)number;
    size_t length = sized ? (size_t)(colon - font) : strlen(font);
    *name = length ? strndup(font, length) : strdup(USUAL_FONT);
    return *name != NULL;
}

static bool is_file(const char *name)
{
    FILE *file = fopen(name, "rb");
    if (file) {
        fclose(file);
    }
    return file != NULL;
}

glyphs_t *glyphs_open(const char *font, char *error, size_t error_size)
{
    glyphs_t *g = calloc(1, sizeof(*g));
    unsigned size = 0;
    if (!g || !font_split(font ? font : USUAL_FONT, &g->name, &size)) {
        snprintf(error, error_size, "out of memory");
        free(g);
        return NULL;
    }
    if (TTF_Init() != 0 || !FcInit()) {
        snprintf(error, error_size, "fonts cannot be used: %s", TTF_GetError());
        free(g->name);
        free(g);
        return NULL;
    }
    g->by_file = font && is_file(g->name);
    if (g->by_file) {
        g->face[0].file = strdup(g->name);
    } else {
        g->face[0] = face_find(g->name, 0, 0);
    }
    if (!g->face[0].file) {
        snprintf(error, error_size, "there is no font; install one, such as fonts-dejavu-core");
    } else if (!g->by_file && !font_exists(g->name)) {
        snprintf(error, error_size,
                 "there is no font %s; fc-list :mono family lists those for consoles", g->name);
    } else if (!glyphs_set_size(g, size)) {
        snprintf(error, error_size, "the font %s cannot be used: %s", g->face[0].file,
                 TTF_GetError());
    } else {
        return g;
    }
    glyphs_free(g);
    return NULL;
}

void glyphs_free(glyphs_t *g)
{
    if (!g) {
        return;
    }
    glyphs_forget(g);
    glyphs_close_fonts(g);
    for (unsigned i = 0; i < STYLES; i++) {
        free(g->face[i].file);
    }
    for (unsigned i = 0; i < g->fallback_count; i++) {
        free(g->fallback[i].face.file);
    }
    free(g->name);
    free(g);
    TTF_Quit();
}

unsigned glyphs_size(const glyphs_t *g)
{
    return g->size;
}

const glyphs_metrics_t *glyphs_metrics(const glyphs_t *g)
{
    return &g->metrics;
}

/* --- Characters --- */

uint32_t glyphs_cluster(glyphs_t *g, const uint32_t *codes, unsigned count)
{
    count = count < CLUSTER_CODES ? count : CLUSTER_CODES;
    for (unsigned i = 0; i < g->cluster_count; i++) {
        if (g->cluster[i].count == count &&
            !memcmp(g->cluster[i].code, codes, count * sizeof(*codes))) {
            return GLYPHS_CLUSTER + i;
        }
    }
    if (g->cluster_count == CLUSTERS_MAX) {
        return count ? codes[0] : 0;
    }
    cluster_t *cluster = &g->cluster[g->cluster_count];
    memcpy(cluster->code, codes, count * sizeof(*codes));
    cluster->count = count;
    return GLYPHS_CLUSTER + g->cluster_count++;
}

static size_t utf8(uint32_t c, char *out)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    size_t more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    static const uint8_t lead[] = {0, 0xC0, 0xE0, 0xF0};
    out[0] = (char)(lead[more] | c >> 6 * more);
    for (size_t i = 1; i <= more; i++) {
        out[i] = (char)(0x80 | (c >> 6 * (more - i) & 0x3F));
    }
    return more + 1;
}

/* Copies the coverage of a drawn text into a cell, its left edge at x and its top at y. */
static void cell_take(uint8_t *cell, int width, int height, SDL_Surface *text, int x0, int y0)
{
    for (int y = 0; y < text->h; y++) {
        const uint32_t *from = (const uint32_t *)((const uint8_t *)text->pixels + y * text->pitch);
        for (int x = 0; x < text->w && y + y0 >= 0 && y + y0 < height; x++) {
            if (x + x0 >= 0 && x + x0 < width) {
                cell[(y + y0) * width + x + x0] = (uint8_t)(from[x] >> 24);
            }
        }
    }
}

static bool glyph_draw(glyphs_t *g, const glyph_t *glyph, uint8_t *cell)
{
    const cluster_t *cluster =
        glyph->code >= GLYPHS_CLUSTER ? &g->cluster[glyph->code - GLYPHS_CLUSTER] : NULL;
    const uint32_t *codes = cluster ? cluster->code : &glyph->code;
    unsigned count = cluster ? cluster->count : 1;
    int width = (int)(g->metrics.width * glyph->columns), height = (int)g->metrics.height;
    char text[4 * CLUSTER_CODES + 1];
    size_t size = 0;
    int min_x = 0, advance = width;
    if (count == 1 && boxes_draw(codes[0], cell, (unsigned)width, (unsigned)height)) {
        return true;
    }
    for (unsigned i = 0; i < count; i++) {
        size += utf8(codes[i], text + size);
    }
    text[size] = 0;
    TTF_Font *font = glyphs_font(g, codes[0], glyph->style);
    SDL_Surface *drawn = TTF_RenderUTF8_Blended(font, text, (SDL_Color){255, 255, 255, 255});
    if (!drawn) {
        return false;
    }
    TTF_GlyphMetrics32(font, codes[0], &min_x, NULL, NULL, NULL, &advance);
    int x = min_x < 0 ? min_x : 0;
    if (font != g->font[glyph->style] && font != g->font[0] && advance < width) {
        x += (width - advance) / 2; /* from another font */
    }
    bool is32 = drawn->format->BytesPerPixel == 4;
    if (is32) {
        cell_take(cell, width, height, drawn, x, g->ascent - TTF_FontAscent(font));
    }
    SDL_FreeSurface(drawn);
    return is32;
}

const uint8_t *glyphs_get(glyphs_t *g, uint32_t code, unsigned style, unsigned columns)
{
    if (code <= ' ' || code == 0xA0 || !columns) {
        return NULL;
    }
    if (g->used >= CACHE_MAX) {
        glyphs_forget(g);
    }
    uint32_t hash = (code * 8 + style * 2 + columns) * 2654435761u;
    glyph_t *slot = &g->slot[(hash >> 16) % CACHE_SLOTS];
    while (slot->used && (slot->code != code || slot->style != style || slot->columns != columns)) {
        slot = slot + 1 == g->slot + CACHE_SLOTS ? g->slot : slot + 1;
    }
    if (!slot->used) {
        *slot = (glyph_t){.code = code, .style = (uint8_t)style, .columns = (uint8_t)columns};
        slot->cell = calloc((size_t)g->metrics.width * columns, g->metrics.height);
        if (slot->cell && !glyph_draw(g, slot, slot->cell)) {
            free(slot->cell);
            slot->cell = NULL;
        }
        slot->used = true;
        g->used++;
    }
    return slot->cell;
}
