/* SPDX-License-Identifier: MPL-2.0 */
/* G0 to G3: ASCII, DEC special graphics, Latin-1 supplemental, national replacement sets
 * (VT220/VT320 manuals). */
#include "vt_internal.h"

typedef struct {
    char finals[4];
    char from[16];
    uint16_t to[15];
} vt_nrc_t;

static const vt_nrc_t nrcs[] = {
    {"A", "#", {0xa3}},
    {"4", "#@[\\]{|}~", {0xa3, 0xbe, 0x133, 0xbd, 0x7c, 0xa8, 0x192, 0xbc, 0xb4}},
    {"C5", "[\\]^`{|}~", {0xc4, 0xd6, 0xc5, 0xdc, 0xe9, 0xe4, 0xf6, 0xe5, 0xfc}},
    {"R", "#@[\\]{|}~", {0xa3, 0xe0, 0xb0, 0xe7, 0xa7, 0xe9, 0xf9, 0xe8, 0xa8}},
    {"Q", "@[\\]^`{|}~", {0xe0, 0xe2, 0xe7, 0xea, 0xee, 0xf4, 0xe9, 0xf9, 0xe8, 0xfb}},
    {"K", "@[\\]{|}~", {0xa7, 0xc4, 0xd6, 0xdc, 0xe4, 0xf6, 0xfc, 0xdf}},
    {"Y", "#@[\\]`{|}~", {0xa3, 0xa7, 0xb0, 0xe7, 0xe9, 0xf9, 0xe0, 0xf2, 0xe8, 0xec}},
    {"E6", "@[\\]^`{|}~", {0xc4, 0xc6, 0xd8, 0xc5, 0xdc, 0xe4, 0xe6, 0xf8, 0xe5, 0xfc}},
    {"Z", "#@[\\]{|}", {0xa3, 0xa7, 0xa1, 0xd1, 0xbf, 0xb0, 0xf1, 0xe7}},
    {"H7", "@[\\]^`{|}~", {0xc9, 0xc4, 0xd6, 0xc5, 0xdc, 0xe9, 0xe4, 0xf6, 0xe5, 0xfc}},
    {"=",
     "#@[\\]^_`{|}~",
     {0xf9, 0xe0, 0xe9, 0xe7, 0xea, 0xee, 0xe8, 0xf4, 0xe4, 0xf6, 0xfc, 0xfb}},
};

/* From 0x5f on. */
static const uint16_t graphics[] = {
    0x20,   0x25c6, 0x2592, 0x2409, 0x240c, 0x240d, 0x240a, 0xb0,   0xb1,   0x2424, 0x240b,
    0x2518, 0x2510, 0x250c, 0x2514, 0x253c, 0x23ba, 0x23bb, 0x2500, 0x23bc, 0x23bd, 0x251c,
    0x2524, 0x2534, 0x252c, 0x2502, 0x2264, 0x2265, 0x3c0,  0x2260, 0xa3,   0xb7,
};

/* Sets are named by their final byte; 96-character sets have the top bit set. */
bool vt_charset_known(uint8_t final)
{
    if (final == '0' || final == 'B' || final == (0x80 | 'A')) {
        return true;
    }
    for (size_t i = 0; i < ARRAY_LEN(nrcs); i++) {
        if (final < 0x80 && final && strchr(nrcs[i].finals, final)) {
            return true;
        }
    }
    return false;
}

static uint32_t map(uint8_t set, uint32_t code)
{
    if (set == '0') {
        return code >= 0x5f ? graphics[code - 0x5f] : code;
    }
    if (set == (0x80 | 'A')) {
        return code > 0x20 ? code | 0x80 : code;
    }
    for (size_t i = 0; i < ARRAY_LEN(nrcs); i++) {
        const char *at = strchr(nrcs[i].finals, set) ? strchr(nrcs[i].from, (int)code) : NULL;
        if (at) {
            return nrcs[i].to[at - nrcs[i].from];
        }
    }
    return code;
}

uint32_t vt_charset_map(vt_t *vt, uint32_t code)
{
    uint8_t set = vt->charsets[vt->single_shift ? vt->single_shift : vt->gl];
    vt->single_shift = 0;
    vt_charset_update(vt);
    return code > 0x20 && code < 0x7f && set && set != 'B' ? map(set, code) : code;
}

void vt_charset_update(vt_t *vt)
{
    uint8_t set = vt->charsets[vt->gl & 3];
    vt->map_chars = vt->single_shift || (set && set != 'B');
}
